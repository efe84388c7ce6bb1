//! Candidates: their fields beside their string and the SDP, the string itself, and their own keys.

use fincert_schemas::run::flow::Network;
use serde_json::{Map, Value, json};

use super::super::{Edit, Maker, Operator};
use super::view::{Emitted, Flowed};

const AGREES: &[&str] = &["webrtc.candidate.agrees"];
const PRIORITY: &[&str] = &["webrtc.candidate.priority"];

pub(super) fn all(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    for pc in flow.pcs.clone() {
        let events: Vec<_> = flow.events_of(pc, "icecandidate").collect();
        let is_real = |event: &Emitted<'_>| {
            event.value.pointer("/candidate/candidate").and_then(Value::as_str).is_some_and(|text| !text.is_empty())
        };
        let real: Vec<_> = events.iter().filter(|event| is_real(event)).collect();
        for event in &real {
            fields(maker, event);
            string(maker, event);
            relay(maker, flow, event);
        }
        keys(maker, &real.iter().map(|event| event.event).collect::<Vec<_>>());
    }
}

fn set(event: &Emitted<'_>, name: &str, value: Value) -> Vec<Edit> {
    vec![Edit::Set(event.event, format!("/candidate/{name}"), value)]
}

fn fields(maker: &mut Maker<'_>, event: &Emitted<'_>) {
    let Some(candidate) = event.value.get("candidate") else { return };
    let at = |name: &str| format!("/candidate/{name}");
    if candidate.get("address").is_some_and(Value::is_string) {
        for other in ["192.0.2.77", "2001:db8::77"] {
            let edits = set(event, "address", json!(other));
            maker.add(Operator::BreakDependency, event.event, (&at("address"), other), AGREES, edits);
        }
    }
    if let Some(kind) = candidate.get("type").and_then(Value::as_str) {
        for other in ["host", "srflx", "prflx", "relay"].iter().filter(|other| **other != kind) {
            let edits = set(event, "type", json!(other));
            maker.add(Operator::BreakDependency, event.event, (&at("type"), other), AGREES, edits);
        }
    }
    if candidate.get("sdpMid").is_some_and(Value::is_string) {
        let edits = set(event, "sdpMid", json!("no-such-mid"));
        maker.add(Operator::BreakDependency, event.event, (&at("sdpMid"), "unknown"), AGREES, edits);
    }
    if let Some(index) = candidate.get("sdpMLineIndex").and_then(Value::as_u64) {
        let edits = set(event, "sdpMLineIndex", json!(index + 97));
        maker.add(Operator::OffByOne, event.event, (&at("sdpMLineIndex"), "beyond"), AGREES, edits);
        if candidate.get("sdpMid").is_some() {
            let edits = set(event, "sdpMLineIndex", json!(index + 1));
            maker.add(Operator::OffByOne, event.event, (&at("sdpMLineIndex"), "next"), AGREES, edits);
        }
    }
    // One of the two is a MUST: without both there is no m-line.
    if candidate.get("sdpMid").is_some() && candidate.get("sdpMLineIndex").is_some() {
        let both = vec![Edit::Remove(event.event, at("sdpMid")), Edit::Remove(event.event, at("sdpMLineIndex"))];
        maker.add(Operator::Drop, event.event, ("/candidate", "no-m-line"), &["webrtc.candidate.mid-or-index"], both);
    }
    // A candidate as a text has no keys.
    if let Some(text) = candidate.get("candidate").cloned() {
        let owners = ["webrtc.candidate.own-keys", "webrtc.candidate.candidate"];
        let edits = vec![Edit::Set(event.event, "/candidate".to_owned(), text)];
        maker.add(Operator::Retype, event.event, ("/candidate", "its-text"), &owners, edits);
    }
}

/// RFC 8839 section 5.1: `candidate:` foundation component transport priority address port `typ` type.
fn string(maker: &mut Maker<'_>, event: &Emitted<'_>) {
    let at = "/candidate/candidate";
    let Some(text) = event.value.pointer(at).and_then(Value::as_str) else { return };
    let Some(rest) = text.strip_prefix("candidate:") else { return };
    let words: Vec<&str> = rest.split(' ').collect();
    if words.len() < 8 {
        return;
    }
    let with = |place: usize, word: &str| {
        let mut words = words.clone();
        words[place] = word;
        format!("candidate:{}", words.join(" "))
    };
    let new = [
        (Operator::OffByOne, "priority-0", with(3, "0")),
        (Operator::OffByOne, "priority-beyond-31-bits", with(3, "2147483648")),
        (Operator::BreakRule, "priority-a-word", with(3, "high")),
        (Operator::BreakRule, "foundation-of-33-characters", with(0, &"a".repeat(33))),
        (Operator::BreakRule, "foundation-with-a-sign", with(0, "a-b")),
        (Operator::BreakRule, "component-0", with(1, "0")),
        (Operator::BreakRule, "port-a-word", with(5, "port")),
        (Operator::BreakRule, "no-typ", with(6, "type")),
        (Operator::Truncate, "five-words", format!("candidate:{}", words[..5].join(" "))),
        (Operator::Truncate, "without-its-name", rest.to_owned()),
    ];
    for (operator, rule, text) in new {
        maker.add(operator, event.event, (at, rule), PRIORITY, set(event, "candidate", json!(text)));
    }
    if event.value.pointer("/candidate/type").is_some() {
        let other = if words[7] == "srflx" { "host" } else { "srflx" };
        let edits = set(event, "candidate", json!(with(7, other)));
        maker.add(Operator::BreakDependency, event.event, (at, "other-type"), AGREES, edits);
    }
}

/// What a policy or a credential forbids to gather.
fn relay(maker: &mut Maker<'_>, flow: &Flowed<'_>, event: &Emitted<'_>) {
    let at = "/candidate/candidate";
    let Some(text) = event.value.pointer(at).and_then(Value::as_str) else { return };
    if flow.with.network == Network::Relay && text.contains(" typ relay") {
        for kind in ["host", "srflx"] {
            let edits = set(event, "candidate", json!(text.replace(" typ relay", &format!(" typ {kind}"))));
            let owners = ["webrtc.ice.relay-only", "webrtc.pc.create.options"];
            maker.add(Operator::BreakDependency, event.event, (at, &format!("{kind}-under-relay")), &owners, edits);
        }
    }
}

/// An object of a class has no keys of its own: every candidate looks like the end of gathering.
fn keys(maker: &mut Maker<'_>, events: &[usize]) {
    if let [first, _, ..] = events {
        let hollow = |event: &usize| Edit::Set(*event, "/candidate".to_owned(), Value::Object(Map::new()));
        let owners = ["webrtc.candidate.own-keys"];
        maker.add(Operator::Drop, *first, ("/candidate", "all-keys"), &owners, events.iter().map(hollow).collect());
        maker.add(Operator::Drop, *first, ("/candidate", "keys-of-one"), &owners, vec![hollow(first)]);
    }
}
