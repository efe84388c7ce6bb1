//! Descriptions, candidates, and what the properties say.

use fincert_schemas::bridge::Via;
use serde_json::{Value, json};

use super::{Mutation, ends_after, fincert_offers, hides, rejects, returns, shows, target_offers};
use crate::flows::{self, sdp};
use crate::script::Raw;

pub(crate) const DESCRIPTIONS: &[Mutation] = &[
    (
        "setLocalDescription without a promise",
        target_offers,
        |s| returns(s, "setLocalDescription"),
        &["pc.set-local-description"],
    ),
    (
        "setLocalDescription rejected",
        target_offers,
        |s| {
            rejects(s, "setLocalDescription");
            ends_after(s, "setLocalDescription");
        },
        &["pc.set-local-description"],
    ),
    (
        "setRemoteDescription without a promise",
        target_offers,
        |s| returns(s, "setRemoteDescription"),
        &["pc.set-remote-description"],
    ),
    ("a candidate rejected", target_offers, |s| rejects(s, "addIceCandidate"), &["pc.add-ice-candidate"]),
    (
        "addIceCandidate without a promise",
        target_offers,
        |s| returns(s, "addIceCandidate"),
        &["pc.add-ice-candidate.promise"],
    ),
    (
        "an end of candidates rejected",
        target_offers,
        |s| s.answers_to("candidate-empty").for_each(|(via, _)| *via = Via::Reject),
        &["pc.add-ice-candidate.empty"],
    ),
    (
        "never have-local-offer",
        target_offers,
        |s| {
            let (value, _) = s.reads("signalingState").nth(3).unwrap();
            *value = Some(json!("stable"));
        },
        &["pc.signaling-state.have-local-offer"],
    ),
    (
        "never have-remote-offer",
        fincert_offers,
        |s| {
            for (value, polls) in s.reads("signalingState").take(2) {
                (*value, *polls) = (Some(json!("stable")), 9);
            }
        },
        &["pc.signaling-state.have-remote-offer"],
    ),
    (
        "never stable again",
        fincert_offers,
        |s| {
            let (value, _) = s.reads("signalingState").nth(2).unwrap();
            *value = Some(json!("have-remote-offer"));
        },
        &["pc.signaling-state.stable"],
    ),
    (
        "a state of its own",
        target_offers,
        |s| {
            let (value, _) = s.reads("signalingState").nth(3).unwrap();
            *value = Some(json!("offered"));
        },
        &["pc.signaling-state", "pc.signaling-state.have-local-offer"],
    ),
    (
        "localDescription stays null",
        target_offers,
        |s| shows(s, "localDescription", 1, &Value::Null),
        &["pc.local-description"],
    ),
    (
        "localDescription of another session",
        target_offers,
        |s| {
            shows(
                s,
                "localDescription",
                1,
                &flows::description("offer", &sdp(8, "actpass", "abcd", &["sendrecv audio"])),
            );
        },
        &["pc.local-description"],
    ),
    (
        "remoteDescription stays null",
        fincert_offers,
        |s| shows(s, "remoteDescription", 0, &Value::Null),
        &["pc.remote-description"],
    ),
    (
        "currentLocalDescription too early",
        target_offers,
        |s| {
            let (value, _) = s.reads("currentLocalDescription").next().unwrap();
            *value = Some(flows::description("offer", &sdp(7, "actpass", "abcd", &["sendrecv audio"])));
        },
        &["pc.current-local-description"],
    ),
    (
        "currentLocalDescription stays null",
        target_offers,
        |s| shows(s, "currentLocalDescription", 1, &Value::Null),
        &["pc.current-local-description"],
    ),
    (
        "currentRemoteDescription too early",
        fincert_offers,
        |s| {
            let (value, _) = s.reads("currentRemoteDescription").next().unwrap();
            *value = Some(flows::description("offer", &sdp(9, "actpass", "zyxw", &["sendrecv audio"])));
        },
        &["pc.current-remote-description"],
    ),
    (
        "currentRemoteDescription is the offer",
        target_offers,
        |s| {
            shows(
                s,
                "currentRemoteDescription",
                1,
                &flows::description("offer", &sdp(7, "actpass", "abcd", &["sendrecv audio"])),
            );
        },
        &["pc.current-remote-description"],
    ),
];

pub(crate) const PROPERTIES: &[Mutation] = &[
    (
        "a new connection that is connecting",
        flows::alone,
        |s| {
            let (value, polls) = s.reads("iceConnectionState").nth(1).unwrap();
            (*value, *polls) = (Some(json!("checking")), 9);
        },
        &["pc.initial-values"],
    ),
    (
        "no canTrickleIceCandidates",
        flows::alone,
        |s| hides(s, "canTrickleIceCandidates"),
        &["pc.can-trickle-ice-candidates"],
    ),
    ("no conectionState", flows::alone, |s| hides(s, "conectionState"), &["pc.initial-values", "pc.conection-state"]),
    (
        "no currentLocalDescription",
        flows::alone,
        |s| hides(s, "currentLocalDescription"),
        &["pc.initial-values", "pc.current-local-description"],
    ),
    (
        "no currentRemoteDescription",
        flows::alone,
        |s| hides(s, "currentRemoteDescription"),
        &["pc.initial-values", "pc.current-remote-description"],
    ),
    (
        "no iceConnectionState",
        flows::alone,
        |s| hides(s, "iceConnectionState"),
        &["pc.initial-values", "pc.ice-connection-state"],
    ),
    (
        "no iceGatheringState",
        flows::alone,
        |s| hides(s, "iceGatheringState"),
        &["pc.initial-values", "pc.ice-gathering-state"],
    ),
    (
        "no localDescription",
        flows::alone,
        |s| hides(s, "localDescription"),
        &["pc.initial-values", "pc.local-description"],
    ),
    (
        "no remoteDescription",
        flows::alone,
        |s| hides(s, "remoteDescription"),
        &["pc.initial-values", "pc.remote-description"],
    ),
    ("no signalingState", flows::alone, |s| hides(s, "signalingState"), &["pc.initial-values", "pc.signaling-state"]),
    ("an identity that is a text", flows::alone, |s| shows(s, "peerIdentity", 0, &json!("bob")), &["pc.peer-identity"]),
    (
        "connectionState alone",
        target_offers,
        |s| {
            for raw in &mut s.raws {
                if let Raw::Read(_, name, ..) = raw
                    && name == "conectionState"
                {
                    "connectionState".clone_into(name);
                }
            }
        },
        &["pc.conection-state"],
    ),
    (
        "never connected",
        target_offers,
        |s| {
            let (value, _) = s.reads("conectionState").nth(1).unwrap();
            *value = Some(json!("connecting"));
        },
        &["pc.conection-state"],
    ),
    (
        "canTrickle too early",
        flows::alone,
        |s| shows(s, "canTrickleIceCandidates", 0, &json!(true)),
        &["pc.can-trickle-ice-candidates"],
    ),
    (
        "canTrickle against the ice-options",
        target_offers,
        |s| shows(s, "canTrickleIceCandidates", 0, &json!(false)),
        &["pc.can-trickle-ice-candidates"],
    ),
    (
        "gathering that never ends",
        flows::alone,
        |s| {
            let (value, _) = s.reads("iceGatheringState").last().unwrap();
            *value = Some(json!("gathering"));
        },
        &["pc.ice-gathering-state"],
    ),
    (
        "gathering that goes back",
        target_offers,
        |s| {
            let at = s
                .raws
                .iter()
                .position(|raw| matches!(raw, Raw::Read(_, name, ..) if name == "iceGatheringState"))
                .unwrap();
            let mut back = s.raws[at].clone();
            if let Raw::Read(_, _, value, _) = &mut back {
                *value = Some(json!("new"));
            }
            let before = s.raws[at].clone();
            s.raws.insert(at, back);
            s.raws.insert(at, before);
        },
        &["pc.ice-gathering-state"],
    ),
];
