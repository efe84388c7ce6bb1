//! No packet goes to an address that the operator did not allow, whatever a target says. Two network namespaces are
//! joined by a cable. fincert and a hostile target are in one; the target names the other wherever an address can stand.
//! At the other end of the cable every frame is looked at.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/netns.rs"]
mod netns;
mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use netns::Namespace;
use serde_json::Value;
use support::{Run, fincert, record, target};

const PYTHON: &str = "/usr/bin/python3";
/// Here fincert watches a call that does not come up for some seconds.
const FLOW: &str = "webrtc.wrong-fingerprint";
// RFC 5737: TEST-NET-2.
const HERE: &str = "198.51.100.130";
const ELSEWHERE: &str = "198.51.100.131";

/// Whoever looks at the other end of the cable.
struct Listener {
    child: Child,
    lines: Receiver<Value>,
}

impl Listener {
    fn start(at: &Namespace, file: Option<&Path>) -> Self {
        let mut command = at.command(PYTHON);
        command.arg(target("webrtc_listener.py")).args(["wire", ELSEWHERE]).args(file).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str::<Value>(&line).unwrap());
            }
        });
        let listener = Self { child, lines };
        assert_eq!(listener.lines.recv_timeout(Duration::from_secs(30)).unwrap()["ready"], true);
        listener
    }

    /// What came so far, each once: `stun-request 198.51.100.131 7002`.
    fn heard(&self) -> BTreeSet<String> {
        // What is under way takes a moment; nothing is expected of it.
        std::thread::sleep(Duration::from_millis(300));
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let line = |line: Value| ["is", "to", "port"].map(|key| text(&line[key])).join(" ").replace(" null", "");
        let heard = self.lines.try_iter().map(line).collect();
        println!("heard: {heard:?}");
        heard
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Drives the flow with both referees, in the namespace.
fn drive(at: &Namespace, file: &Path, more: &[&str]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let script = target("webrtc_hostile.py");
    let target =
        format!("stdio:{PYTHON} '{}' elsewhere {FLOW} marker {ELSEWHERE} '{}'", script.display(), file.display());
    let mut command = fincert(folder.path(), &["certify", "--target", &target, "--profile", "webrtc"]);
    command.args(["--filter", FLOW, "--referee", "both", "--record", "run.jsonl"]).args(more);
    let output = at.inside(&command).output().unwrap();
    let run = Run::new(&output, record(&folder.path().join("run.jsonl")));
    let ended: Vec<_> = run.lines("transcript").iter().map(|line| line["ended"]["how"].clone()).collect();
    assert_eq!(ended, ["driven", "driven"], "{}", run.stderr);
    run
}

/// For each referee, the first words of why a candidate that names the other end was refused.
fn refused(run: &Run) -> Vec<BTreeSet<String>> {
    let of = |line: &&Value| {
        let events = line["events"].as_array().unwrap().iter();
        let handed = events.filter(|event| event["did"] == "candidate" && event["local"] == false);
        let there = handed.filter(|event| event["candidate"].as_str().unwrap().contains(&format!(" {ELSEWHERE} 700")));
        let why = |event: &Value| event["refused"].as_str().unwrap_or("taken").split(':').next().unwrap().to_owned();
        there.map(why).collect()
    };
    run.lines("transcript").iter().map(of).collect()
}

fn set(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn no_packet_goes_to_an_address_that_is_not_allowed() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("agent/node/node_modules");
    assert!(modules.is_dir(), "{} is not there; run: npm ci --prefix harness/agent/node", modules.display());
    let [here, there] = Namespace::pair([HERE, ELSEWHERE], 25).unwrap_or_else(|error| {
        panic!("{error}\nThis test makes network namespaces; run it as root, in a container with --cap-add SYS_ADMIN,NET_ADMIN")
    });
    here.set_name_server(ELSEWHERE);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("said.jsonl");

    // The listener sees what there is to see: a name that is resolved, here.
    let listener = Listener::start(&there, None);
    assert!(!here.command("getent").args(["ahostsv4", "evil.example"]).status().unwrap().success());
    let heard = listener.heard();
    assert!(heard.contains(&format!("udp {ELSEWHERE} 53")), "{heard:?}");

    // Nothing is allowed: no datagram, no TCP, no name that is resolved, and not even a look for who has the address.
    let run = drive(&here, &file, &[]);
    let heard: BTreeSet<String> = listener.heard().into_iter().filter(|line| !line.starts_with("arp-reply")).collect();
    assert_eq!(heard, BTreeSet::new());
    assert_eq!(refused(&run), [set(&["blocked", "tcp"]), set(&["blocked", "tcp"])]);
    drop(listener);

    // Nor is anything answered that comes from there, with the right credentials of ICE.
    std::fs::remove_file(&file).unwrap();
    let listener = Listener::start(&there, Some(&file));
    drive(&here, &file, &[]);
    let heard: BTreeSet<String> =
        listener.heard().into_iter().filter(|line| line.contains("udp") || line.contains("stun")).collect();
    assert_eq!(heard, BTreeSet::new());
    let told = std::fs::read_to_string(&file).unwrap();
    assert!(told.contains(&format!(" {HERE} ")), "fincert was asked at no port: {told}");
    drop(listener);

    // Allowed, it is checked and answered, at the candidate of the event and that of the description; still nothing goes
    // by TCP, to a name server, or to where a candidate or a description says that it is from.
    std::fs::remove_file(&file).unwrap();
    let listener = Listener::start(&there, Some(&file));
    let run = drive(&here, &file, &["--allow-network", &format!("{ELSEWHERE}/32")]);
    let heard = listener.heard();
    for wanted in ["stun-request {} 7002", "stun-request {} 7003", "stun-success {} 7006"] {
        let wanted = wanted.replace("{}", ELSEWHERE);
        assert!(heard.contains(&wanted), "{wanted} is missing: {heard:?}");
    }
    let ports = ["7002", "7003", "7006"];
    let other = |line: &&String| {
        let at_port = ports.iter().any(|port| line.ends_with(&format!(" {ELSEWHERE} {port}")));
        !(at_port || line.starts_with("arp-") || line.starts_with("icmp"))
    };
    assert_eq!(heard.iter().find(other), None, "{heard:?}");
    assert_eq!(refused(&run), [set(&["taken", "tcp"]), set(&["taken", "tcp"])]);
}
