//! What should have been refused.

use fincert_schemas::bridge::Via;
use serde_json::json;

use super::{Mutation, accepts};
use crate::flows;
use crate::script::Raw;

pub(crate) const REFUSALS: &[Mutation] = &[
    ("a bad URL taken", flows::refusals, |s| accepts(s, "bad-url"), &["pc.create.invalid-options"]),
    (
        "TURN without a credential taken",
        flows::refusals,
        |s| accepts(s, "turn-without-credential"),
        &["pc.create.invalid-options"],
    ),
    ("a bad policy taken", flows::refusals, |s| accepts(s, "bad-policy"), &["pc.create.invalid-options"]),
    (
        "an answer in stable",
        flows::refusals,
        |s| accepts(s, "create-answer-in-stable"),
        &["pc.create-answer.in-stable"],
    ),
    (
        "a remote answer in stable",
        flows::refusals,
        |s| accepts(s, "answer-in-stable"),
        &["pc.set-remote-description.answer-in-stable"],
    ),
    ("an empty SDP taken", flows::refusals, |s| accepts(s, "garbage-empty"), &["pc.set-description.garbage"]),
    ("garbage taken", flows::refusals, |s| accepts(s, "garbage-text"), &["pc.set-description.garbage"]),
    ("no description taken", flows::refusals, |s| accepts(s, "garbage-object"), &["pc.set-description.garbage"]),
    ("a text taken", flows::refusals, |s| accepts(s, "description-string"), &["pc.set-description.garbage"]),
    ("an unknown type taken", flows::refusals, |s| accepts(s, "garbage-type"), &["pc.set-description.unknown-type"]),
    ("no ufrag needed", flows::refusals, |s| accepts(s, "no-ufrag"), &["pc.set-description.incomplete"]),
    ("no fingerprint needed", flows::refusals, |s| accepts(s, "no-fingerprint"), &["pc.set-description.incomplete"]),
    (
        "garbage refused, and the state changed",
        flows::refusals,
        |s| {
            let at = s
                .raws
                .iter()
                .position(|raw| matches!(raw, Raw::Call(.., Some(purpose)) if purpose == "garbage-text"))
                .unwrap();
            let after = s.raws[at..].iter_mut().find(|raw| matches!(raw, Raw::Read(..))).unwrap();
            if let Raw::Read(_, _, value, _) = after {
                *value = Some(json!("have-remote-offer"));
            }
        },
        &["pc.set-description.garbage"],
    ),
    (
        "no answer to garbage",
        flows::refusals,
        |s| s.hangs("garbage-text"),
        &["pc.set-description.garbage", "integration.invalid-request-answered"],
    ),
    (
        "a candidate without a description taken",
        flows::refusals,
        |s| accepts(s, "candidate-before-description"),
        &["pc.add-ice-candidate.before-remote-description"],
    ),
    (
        "an unknown mid taken",
        flows::refusals,
        |s| accepts(s, "candidate-unknown-mid"),
        &["pc.add-ice-candidate.invalid"],
    ),
    (
        "a malformed candidate taken",
        flows::refusals,
        |s| accepts(s, "candidate-malformed"),
        &["pc.add-ice-candidate.invalid"],
    ),
    ("a track taken twice", flows::refusals, |s| accepts(s, "track-twice"), &["pc.add-track.twice-or-closed"]),
    ("something else taken as a track", flows::refusals, |s| accepts(s, "track-invalid"), &["pc.add-track.invalid"]),
    (
        "a closed connection that works",
        flows::after_close,
        |s| accepts(s, "after-close"),
        &["pc.close.methods-after", "pc.add-track.twice-or-closed"],
    ),
    (
        "a closed connection that hangs",
        flows::after_close,
        |s| s.hangs("configuration-after-close"),
        &["pc.close.methods-after", "integration.invalid-request-answered"],
    ),
    (
        "a second close rejected",
        flows::after_close,
        |s| s.answers_to("close-again").for_each(|(via, _)| *via = Via::Throw),
        &["pc.close.twice"],
    ),
    (
        "a second close that opens",
        flows::after_close,
        |s| {
            let (value, _) = s.reads("signalingState").last().unwrap();
            *value = Some(json!("stable"));
        },
        &["pc.close.twice"],
    ),
];
