//! A real browser is certified: Chromium through the JavaScript adapter, in a network namespace that has nothing but
//! loopback where this user may make one.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use support::{Run, fincert, record};

/// What Chromium truly lacks. Nothing else may warn.
const KNOWN: [&str; 1] = [
    // Version 156 stays `disconnected` where W3C webrtc-pc knows `failed`.
    "webrtc.pc.ice-connection-state.gives-up",
];

/// What a browser must have been seen to do, with the flow that shows it.
const SHOWN: [(&str, &str); 12] = [
    ("webrtc.call.target-offers", "webrtc.target-offers"),
    ("webrtc.call.fincert-offers", "webrtc.fincert-offers"),
    ("webrtc.media.sent", "webrtc.target-offers"),
    ("webrtc.media.received", "webrtc.target-offers"),
    ("webrtc.media.sent", "webrtc.fincert-offers"),
    ("webrtc.media.received", "webrtc.fincert-offers"),
    ("webrtc.ice.relay-only", "webrtc.relay"),
    ("webrtc.ice.relayed-media", "webrtc.relay"),
    ("webrtc.pc.create-offer.ice-restart", "webrtc.target-restarts-ice"),
    ("webrtc.ice.restart-answered", "webrtc.fincert-restarts-ice"),
    ("webrtc.renegotiation.target-adds-video", "webrtc.target-adds-video"),
    ("webrtc.event.track.added-later", "webrtc.fincert-adds-video"),
];

/// A network namespace with loopback alone, gone when dropped.
struct Loopback(String);

impl Loopback {
    fn new() -> Option<Self> {
        let name = format!("fincert-{}", std::process::id());
        let ip = |arguments: &[&str]| Command::new("ip").args(arguments).status().is_ok_and(|status| status.success());
        if !ip(&["netns", "add", &name]) {
            return None;
        }
        let made = Self(name.clone());
        ip(&["-n", &name, "link", "set", "lo", "up"]).then_some(made)
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "delete", &self.0]).status();
    }
}

fn certified() -> Run {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["certify", "--target", "browser", "--profile", "webrtc", "--seed", "1", "--record", "run.jsonl"];
    let mut command = fincert(folder.path(), &arguments);
    let namespace = Loopback::new();
    match &namespace {
        Some(Loopback(name)) => {
            eprintln!("in a network namespace with loopback alone");
            let mut inside = Command::new("ip");
            inside.args(["netns", "exec", name]).arg(command.get_program()).args(command.get_args());
            inside.current_dir(folder.path()).env("LANG", "C.UTF-8").env("COLUMNS", "100");
            inside.stdin(std::process::Stdio::null());
            command = inside;
        }
        None => eprintln!("no network namespace can be made here: on this machine's own network"),
    }
    let output = command.output().unwrap();
    let lines = record(&folder.path().join("run.jsonl"));
    Run::new(&output, lines)
}

#[test]
fn chromium_is_certified_and_accused_of_nothing_that_it_does_right() {
    let run = certified();
    let judgement = run.judgement();
    let outcome_of = |requirement: &Value| requirement["outcome"].as_str().unwrap().to_owned();
    let mine = |requirement: &&Value| requirement["requirement"].as_str().unwrap().starts_with("webrtc.");
    let requirements: Vec<&Value> = judgement["requirements"].as_array().unwrap().iter().filter(mine).collect();
    let accused: BTreeSet<&str> = requirements
        .iter()
        .filter(|requirement| !["pass", "not-exercised"].contains(&outcome_of(requirement).as_str()))
        .map(|requirement| requirement["requirement"].as_str().unwrap())
        .collect();
    assert_eq!(accused, BTreeSet::from(KNOWN), "{}", run.stdout);
    let unexercised: Vec<&str> = requirements
        .iter()
        .filter(|r| r["clause"] != "3.3" && r["level"] == "MUST" && outcome_of(r) == "not-exercised")
        .map(|requirement| requirement["requirement"].as_str().unwrap())
        .collect();
    assert_eq!(unexercised, Vec::<&str>::new(), "{}", run.stdout);
    for (requirement, scenario) in SHOWN {
        assert_eq!(run.verdict(requirement, scenario), "pass", "{requirement} in {scenario}\n{}", run.stdout);
    }
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
}
