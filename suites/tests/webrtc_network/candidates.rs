//! Candidates: the object, and its string.

use serde_json::{Value, json};

use crate::play::target_offers;
use crate::tape::Tape;

fn changed(change: impl Fn(&mut Value)) -> Tape {
    target_offers().tape.edit_candidates(|event| {
        if event["candidate"].get("candidate").is_some() {
            change(&mut event["candidate"]);
        }
    })
}

#[test]
fn good_candidates_hold() {
    let tape = target_offers().tape;
    tape.assert_holds(&["webrtc.candidate.own-keys", "webrtc.candidate.agrees", "webrtc.candidate.priority"]);
}

#[test]
fn a_candidate_is_an_object() {
    let text = changed(|candidate| *candidate = candidate["candidate"].clone());
    text.assert_broken(&["webrtc.candidate.candidate", "webrtc.candidate.own-keys"]);
    let causes: Vec<_> = text.findings().into_iter().map(|finding| finding.cause).collect();
    assert_eq!(causes, ["webrtc:candidate-not-an-object"; 2]);
}

#[test]
fn an_object_without_keys_between_candidates_has_lost_them() {
    let mut tape = target_offers().tape;
    tape.assert_holds(&["webrtc.candidate.own-keys"]);
    let late = json!({"candidate": "candidate:3 1 udp 2122260222 192.0.2.3 50000 typ host", "sdpMid": "0"});
    tape.emit("pc-1", "icecandidate", json!({"candidate": late}));
    assert!(tape.broken().contains(&"webrtc.candidate.own-keys".to_owned()));
    // A new local description gathers anew.
    let mut anew = target_offers();
    anew.exchange(fincert_schemas::run::flow::End::Target, Value::Null);
    anew.candidates();
    anew.tape.assert_holds(&["webrtc.candidate.own-keys"]);
}

#[test]
fn fields_agree_with_the_string_and_the_sdp() {
    const REQUIREMENT: &[&str] = &["webrtc.candidate.agrees"];
    changed(|candidate| candidate["address"] = json!("192.0.2.99")).assert_broken(REQUIREMENT);
    changed(|candidate| candidate["type"] = json!("relay")).assert_broken(REQUIREMENT);
    changed(|candidate| candidate["sdpMid"] = json!("9")).assert_broken(REQUIREMENT);
    changed(|candidate| candidate["sdpMLineIndex"] = json!(9)).assert_broken(REQUIREMENT);
    let crossed = changed(|candidate| candidate["sdpMLineIndex"] = json!(1));
    crossed.assert_broken(REQUIREMENT);
    insta::assert_snapshot!(crossed.findings()[0].expected.en, @"the index of the mid 0");
    // A double without a fraction is an index, and what is left out disagrees with nothing.
    changed(|candidate| candidate["sdpMLineIndex"] = json!(0.0)).assert_holds(REQUIREMENT);
    changed(|candidate| *candidate = json!({"candidate": candidate["candidate"], "sdpMid": "0"}))
        .assert_holds(REQUIREMENT);
    // What capture masks cannot be compared.
    changed(|candidate| candidate["address"] = json!("19*.*.*.*")).assert_holds(REQUIREMENT);
}

#[test]
fn priority_and_foundation_are_valid() {
    let with = |from: &'static str, to: &'static str| {
        changed(move |candidate| {
            candidate["candidate"] = json!(candidate["candidate"].as_str().unwrap().replace(from, to))
        })
    };
    for (from, to, cause) in [
        ("2122260223", "0", "webrtc:candidate-priority:range"),
        ("2122260223", "4294967295", "webrtc:candidate-priority:range"),
        ("2122260223", "2122260222", "webrtc:candidate-priority:component"),
        ("candidate:1 ", "candidate:a_b ", "webrtc:candidate-foundation:alphabet"),
        ("typ host", "typ nowhere", "webrtc:candidate-string:typ"),
        ("candidate:1", "1", "webrtc:candidate-string:prefix"),
    ] {
        let tape = with(from, to);
        tape.assert_broken(&["webrtc.candidate.priority"]);
        assert_eq!(tape.findings()[0].cause, cause);
    }
}

#[test]
fn one_foundation_stands_for_one_type() {
    let mut tape = target_offers().tape;
    let text = "candidate:1 1 udp 1686052863 203.0.113.1 50000 typ srflx raddr 192.0.2.1 rport 50000";
    let reflexive =
        json!({"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "address": "203.0.113.1", "type": "srflx"});
    tape.emit("pc-1", "icecandidate", json!({"candidate": reflexive}));
    let tape = tape.edit_candidates(|event| {
        if event["candidate"] == json!({}) {
            event["candidate"] = Value::Null;
        }
    });
    tape.assert_broken(&["webrtc.candidate.priority"]);
    insta::assert_snapshot!(tape.findings()[0].actual, @"the foundation 1 stands for host over udp and for srflx over udp");
}
