//! A real browser is certified: Chromium through the JavaScript adapter, in a network namespace that has nothing but
//! loopback where this user may make one.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/netns.rs"]
mod netns;
mod support;

use std::collections::BTreeSet;

use netns::Namespace;
use serde_json::Value;
use support::{Run, fincert, record};

/// What Chromium truly lacks. Nothing else may warn.
const KNOWN: [&str; 1] = [
    // Version 156 stays `disconnected` where W3C webrtc-pc knows `failed`.
    "webrtc.pc.ice-connection-state.gives-up",
];

/// What it lacks where there is nothing but loopback.
const ON_LOOPBACK: [&str; 1] = [
    // Even with --allow-loopback-in-peer-connection it gathers 127.0.0.1 there, and never ::1.
    "webrtc.ice.ipv6",
];

/// What a browser must have been seen to do, with the flow that shows it.
const SHOWN: [(&str, &str); 17] = [
    ("webrtc.call.target-offers", "webrtc.target-offers"),
    ("webrtc.call.fincert-offers", "webrtc.fincert-offers"),
    ("webrtc.media.sent", "webrtc.target-offers"),
    ("webrtc.media.received", "webrtc.target-offers"),
    ("webrtc.media.sent", "webrtc.fincert-offers"),
    ("webrtc.media.received", "webrtc.fincert-offers"),
    ("webrtc.ice.relay-only", "webrtc.relay"),
    ("webrtc.ice.relayed-media", "webrtc.relay"),
    ("webrtc.ice.relayed-media", "webrtc.relay.fincert-offers"),
    ("webrtc.pc.create-offer.ice-restart", "webrtc.target-restarts-ice"),
    ("webrtc.ice.restart-keeps-media", "webrtc.target-restarts-ice"),
    ("webrtc.ice.restart-answered", "webrtc.fincert-restarts-ice"),
    ("webrtc.ice.restart-keeps-media", "webrtc.fincert-restarts-ice"),
    ("webrtc.renegotiation.target-adds-video", "webrtc.target-adds-video"),
    ("webrtc.event.track.added-later", "webrtc.fincert-adds-video"),
    ("webrtc.call.offerer-swap", "webrtc.offerer-swap.target-first"),
    ("webrtc.call.offerer-swap", "webrtc.offerer-swap.fincert-first"),
];

/// The run, and whether it was where there is nothing but loopback.
fn certified() -> (Run, bool) {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["certify", "--target", "browser", "--profile", "webrtc", "--seed", "1", "--record", "run.jsonl"];
    let mut command = fincert(folder.path(), &arguments);
    let namespace = Namespace::new();
    match &namespace {
        Ok(namespace) => {
            eprintln!("in a network namespace with loopback alone");
            command = namespace.inside(&command);
        }
        Err(why) => eprintln!("on this machine's own network, since no network namespace can be made: {why}"),
    }
    let output = command.output().unwrap();
    let run = Run::new(&output, record(&folder.path().join("run.jsonl")));
    // Where there is no browser the reason says what to install.
    assert_ne!(run.code, Some(3), "{}", run.stderr);
    (run, namespace.is_ok())
}

#[test]
fn chromium_is_certified_and_accused_of_nothing_that_it_does_right() {
    let (run, loopback) = certified();
    let judgement = run.judgement();
    let outcome_of = |requirement: &Value| requirement["outcome"].as_str().unwrap().to_owned();
    let mine = |requirement: &&Value| requirement["requirement"].as_str().unwrap().starts_with("webrtc.");
    let requirements: Vec<&Value> = judgement["requirements"].as_array().unwrap().iter().filter(mine).collect();
    let accused: BTreeSet<&str> = requirements
        .iter()
        .filter(|requirement| !["pass", "not-exercised"].contains(&outcome_of(requirement).as_str()))
        .map(|requirement| requirement["requirement"].as_str().unwrap())
        .collect();
    let known: BTreeSet<&str> = KNOWN.into_iter().chain(ON_LOOPBACK.into_iter().filter(|_| loopback)).collect();
    assert_eq!(accused, known, "{}", run.stdout);
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
