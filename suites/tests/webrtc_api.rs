//! The checks of ft.webrtc's API on transcripts built by hand: a good one holds, and each mutation turns just the
//! requirements red that it breaks.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "webrtc_api/flows.rs"]
mod flows;
#[path = "webrtc_api/mutations/mod.rs"]
mod mutations;
#[path = "webrtc_api/script.rs"]
mod script;

use std::collections::BTreeSet;

use fincert_schemas::Ledger;
use fincert_schemas::bridge::Via;
use fincert_schemas::run::flow::End;
use fincert_schemas::run::{Ended, Reason, What};
use fincert_suites::judge;
use script::{Raw, Script};
use serde_json::{Value, json};

fn all() -> Vec<Script> {
    vec![
        flows::devices(),
        flows::alone(),
        flows::call(End::Target),
        flows::call(End::Fincert),
        flows::adds_video(),
        flows::refusals(),
        flows::after_close(),
    ]
}

#[test]
fn good_flows_break_nothing() {
    for script in all() {
        let judged = script.judged();
        assert_eq!(judged.findings, [], "{:?}", script.flow);
        assert_eq!(script.grey(), BTreeSet::new(), "{:?}", script.flow);
    }
}

/// What needs media, a restart or a network of its own, or a second referee, is for other flows.
#[test]
fn good_flows_show_everything() {
    let shown: BTreeSet<String> = all().iter().flat_map(Script::green).collect();
    let elsewhere = [
        "webrtc.ice.",
        "webrtc.media.",
        "webrtc.call.",
        "webrtc.renegotiation.",
        "webrtc.dtls.",
        "webrtc.sdp.",
        "webrtc.security.",
        "webrtc.candidate.early",
        "webrtc.candidate.late",
        "webrtc.candidate.duplicate",
    ];
    let left: Vec<&str> = Ledger::embedded()
        .unwrap()
        .iter()
        .filter(|requirement| requirement.profile == "webrtc" && requirement.untested.is_none())
        .map(|requirement| requirement.id.as_str())
        .filter(|id| !shown.contains(*id) && !elsewhere.iter().any(|start| id.starts_with(start)))
        .collect();
    assert_eq!(
        left,
        [
            "webrtc.track.stop",
            "webrtc.pc.ice-connection-state.peer-vanishes",
            "webrtc.pc.ice-connection-state.gives-up",
            "webrtc.event.track.added-later",
            "webrtc.pc.close.stops-media",
        ]
    );
}

/// A requirement as mutations write it, in full.
fn in_full(end: &str) -> String {
    if end.starts_with("integration.") { end.to_owned() } else { format!("webrtc.{end}") }
}

/// The checks that are tested here.
const MINE: [&str; 32] = [
    "webrtc-table",
    "webrtc-devices",
    "webrtc-get-user-media",
    "webrtc-stream",
    "webrtc-track-kinds",
    "webrtc-create",
    "webrtc-set-description",
    "webrtc-add-ice-candidate",
    "webrtc-get-configuration",
    "webrtc-add-track",
    "webrtc-close",
    "webrtc-create-offer",
    "webrtc-create-answer",
    "webrtc-create-offer-state",
    "webrtc-create-offer-again",
    "webrtc-initial-values",
    "webrtc-properties",
    "webrtc-conection-state",
    "webrtc-gathering-state",
    "webrtc-signaling-state",
    "webrtc-descriptions",
    "webrtc-can-trickle",
    "webrtc-closed-states",
    "webrtc-listen",
    "webrtc-icecandidate",
    "webrtc-ice-event",
    "webrtc-negotiationneeded",
    "webrtc-signaling-event",
    "webrtc-track-event",
    "webrtc-refused",
    "webrtc-after-close",
    "webrtc-track-stop",
];

fn mine() -> impl Iterator<Item = &'static judge::Check> {
    judge::checks().filter(|check| MINE.contains(&check.id))
}

#[test]
fn each_mutation_breaks_just_what_it_breaks() {
    // What else follows from a mutation is for the tests of the other checks.
    let judged: BTreeSet<&str> = mine().flat_map(|check| check.requirements).copied().collect();
    let ours = |id: &String| judged.contains(id.as_str()) || id.starts_with("integration.");
    let mut wrong = Vec::new();
    for (name, flow, mutate, broken) in mutations::all() {
        let mut script = flow();
        mutate(&mut script);
        let red: BTreeSet<String> = script.red().into_iter().filter(ours).collect();
        let wanted: BTreeSet<String> = broken.iter().map(|end| in_full(end)).collect();
        if red != wanted {
            wrong.push(format!(
                "{name}\n  not red: {:?}\n  red too: {:?}",
                wanted.difference(&red).collect::<Vec<_>>(),
                red.difference(&wanted).collect::<Vec<_>>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every requirement that these checks judge has a mutation that turns it red.
#[test]
fn no_check_cannot_fail() {
    let broken: BTreeSet<String> =
        mutations::all().flat_map(|(.., broken)| broken.iter().map(|end| in_full(end))).collect();
    assert_eq!(mine().count(), MINE.len());
    for check in mine() {
        for requirement in check.requirements {
            assert!(broken.contains(*requirement), "no mutation breaks {requirement} ({})", check.id);
        }
    }
}

/// Properties may arrive asynchronously: what was read once and not waited for accuses nobody.
#[test]
fn what_had_no_time_to_come_is_not_missed() {
    let hasty: [fn(&mut Script); 5] = [
        |s| s.reads("localDescription").for_each(|(value, polls)| (*value, *polls) = (Some(Value::Null), 1)),
        |s| s.reads("signalingState").for_each(|(value, polls)| (*value, *polls) = (Some(json!("stable")), 1)),
        |s| s.reads("canTrickleIceCandidates").for_each(|(value, polls)| (*value, *polls) = (Some(Value::Null), 1)),
        |s| s.reads("iceGatheringState").for_each(|(value, polls)| (*value, *polls) = (Some(json!("gathering")), 1)),
        |s| s.reads("conectionState").for_each(|(value, polls)| (*value, *polls) = (None, 1)),
    ];
    for (index, mutate) in hasty.into_iter().enumerate() {
        for end in [End::Target, End::Fincert] {
            let mut script = flows::call(end);
            mutate(&mut script);
            assert_eq!(script.red(), BTreeSet::new(), "{index}, {end:?}");
        }
    }
}

/// The events that follow a description may come behind its promise, and close may overtake a candidate.
#[test]
fn what_comes_a_little_later_has_come() {
    let mut script = flows::call(End::Target);
    let late: Vec<Raw> = script.raws.extract_if(.., |raw| is_event(raw, "track")).collect();
    let at = script.raws.iter().position(|raw| is_event(raw, "iceconnectionstatechange")).unwrap();
    script.raws.splice(at..at, late);
    assert_eq!(script.red(), BTreeSet::new());
    let id = script.ask("pc", "RTCPeerConnection.addIceCandidate", json!({"candidate": "candidate:1"}), "");
    script.answer(id, Via::Reject, Some(json!({"name": "InvalidStateError"})));
    assert_eq!(script.red(), BTreeSet::new());
}

fn is_event(raw: &Raw, wanted: &str) -> bool {
    matches!(raw, Raw::Emitted(_, kind, _) if kind == wanted)
}

/// A target that goes down, or whose answer is late or cannot be read, is not judged by that call.
#[test]
fn what_is_not_known_is_not_judged() {
    let cut = |script: &mut Script| {
        let asked = |raw: &Raw| matches!(raw, Raw::Call(_, _, name, ..) if name.ends_with("setLocalDescription"));
        let at = script.raws.iter().position(asked).unwrap();
        script.raws.truncate(at + 1);
        let Raw::Call(id, ..) = script.raws[at] else { unreachable!() };
        id
    };
    const SET: &str = "webrtc.pc.set-local-description";
    let mut gone = flows::alone();
    cut(&mut gone);
    gone.ended = Ended::Broken { reason: Reason::TargetExited, detail: "exit status 1".to_owned() };
    let mut late = flows::alone();
    let id = cut(&mut late);
    late.keep(What::NoResponse { id, deadline_ms: 5_000, alive: true });
    late.answer(id, Via::Resolve, None);
    let mut garbled = flows::alone();
    let id = cut(&mut garbled);
    let (detail, quote) = (String::new(), String::new());
    garbled.keep(What::BadFrame { fault: Reason::FrameNotJson, detail, quote, bytes: 1 });
    garbled.keep(What::NoResponse { id, deadline_ms: 5_000, alive: true });
    for script in [gone, late, garbled] {
        assert!(
            script.grey().contains(SET) && !script.red().iter().any(|id| id.starts_with("webrtc.")),
            "{:?}",
            script.red()
        );
    }
    let mut silent = flows::alone();
    let id = cut(&mut silent);
    silent.keep(What::NoResponse { id, deadline_ms: 5_000, alive: true });
    assert!(silent.red().contains(SET));
}

/// Nothing holds where nothing was done.
#[test]
fn an_empty_flow_shows_nothing() {
    for mut script in all() {
        script.raws.clear();
        let shown: Vec<String> = script.green().into_iter().filter(|id| id.starts_with("webrtc.")).collect();
        assert_eq!((shown, script.red()), (Vec::new(), BTreeSet::new()), "{:?}", script.flow);
    }
}

/// Whatever a target sends in place of what it should, the checks find words for it.
#[test]
fn odd_values_panic_nowhere() {
    let odd = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!("x"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"sdp": 1}),
        json!({"$handle": 1}),
        json!({"candidate": {"candidate": []}}),
        json!({"type": "offer", "sdp": "m=\r\nm= 0\na=mid\ro="}),
    ];
    for script in all() {
        for new in &odd {
            let mut script = script.clone();
            for raw in &mut script.raws {
                match raw {
                    Raw::Answer(_, _, value) | Raw::Read(_, _, value, _) => *value = Some(new.clone()),
                    Raw::Emitted(_, _, value) => value.clone_from(new),
                    _ => {}
                }
            }
            script.judged();
        }
    }
}
