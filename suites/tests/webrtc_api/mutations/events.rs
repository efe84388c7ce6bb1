//! The five events.

use fincert_schemas::run::What;
use serde_json::json;

use super::{Mutation, candidate, carries, delays, fincert_offers, repeats, target_offers};
use crate::flows;
use crate::script::Raw;

pub(crate) const EVENTS: &[Mutation] = &[
    (
        "no addEventListener",
        flows::alone,
        |s| {
            for raw in &mut s.raws {
                if let Raw::Kept(What::Listened { kind, refused, .. }) = raw
                    && kind == "track"
                {
                    *refused = Some("TypeError".to_owned());
                }
            }
        },
        &["pc.add-event-listener"],
    ),
    (
        "no candidates",
        flows::alone,
        |s| carries(s, "icecandidate", &json!({"candidate": null})),
        &["event.icecandidate"],
    ),
    (
        "candidates without keys",
        flows::alone,
        |s| carries(s, "icecandidate", &json!({"candidate": {}})),
        &["event.icecandidate", "candidate.own-keys"],
    ),
    (
        "an icecandidate that carries more",
        target_offers,
        |s| s.events("icecandidate").for_each(|event| event["type"] = json!("icecandidate")),
        &["event.icecandidate.only-candidate"],
    ),
    (
        "candidates before setLocalDescription",
        flows::alone,
        |s| {
            let at = s
                .raws
                .iter()
                .position(|raw| matches!(raw, Raw::Emitted(_, kind, _) if kind == "icecandidate"))
                .unwrap();
            let event = s.raws.remove(at);
            let offer = s
                .raws
                .iter()
                .position(|raw| matches!(raw, Raw::Emitted(_, kind, _) if kind == "negotiationneeded"))
                .unwrap();
            s.raws.insert(offer, event);
        },
        &["event.icecandidate.after-local-description"],
    ),
    (
        "no end of candidates",
        flows::alone,
        |s| {
            s.raws.retain(|raw| !matches!(raw, Raw::Emitted(_, kind, value) if kind == "icecandidate" && value["candidate"] == json!({})));
        },
        &["event.icecandidate.end"],
    ),
    (
        "a candidate that is a text",
        target_offers,
        |s| {
            s.events("icecandidate").next().unwrap()["candidate"] =
                json!("candidate:842163049 1 udp 2122260223 127.0.0.1 54321 typ host");
        },
        &["event.icecandidate", "candidate.candidate", "candidate.own-keys"],
    ),
    (
        "a candidate without its text",
        target_offers,
        |s| candidate(s, "candidate"),
        &["candidate.candidate", "event.icecandidate"],
    ),
    ("a candidate without sdpMid", target_offers, |s| candidate(s, "sdpMid"), &["candidate.sdp-mid"]),
    (
        "a candidate without sdpMLineIndex",
        target_offers,
        |s| candidate(s, "sdpMLineIndex"),
        &["candidate.sdp-m-line-index"],
    ),
    (
        "a candidate of no m-line",
        target_offers,
        |s| {
            candidate(s, "sdpMid");
            candidate(s, "sdpMLineIndex");
        },
        &["candidate.sdp-mid", "candidate.sdp-m-line-index", "candidate.mid-or-index"],
    ),
    ("a candidate without address", target_offers, |s| candidate(s, "address"), &["candidate.address"]),
    ("a candidate without type", target_offers, |s| candidate(s, "type"), &["candidate.type"]),
    (
        "no iceconnectionstatechange",
        target_offers,
        |s| s.silence("iceconnectionstatechange"),
        &["event.iceconnectionstatechange"],
    ),
    (
        "an iceconnectionstatechange that is a text",
        target_offers,
        |s| carries(s, "iceconnectionstatechange", &json!("connected")),
        &["event.iceconnectionstatechange"],
    ),
    (
        "an iceconnectionstatechange for the first change alone",
        target_offers,
        |s| {
            s.raws.retain(
                |raw| !matches!(raw, Raw::Emitted(_, _, value) if value["iceConnectionState"] == json!("connected")),
            );
        },
        &["event.iceconnectionstatechange"],
    ),
    (
        "an iceconnectionstatechange of the state before",
        target_offers,
        |s| {
            s.events("iceconnectionstatechange").for_each(|event| event["iceConnectionState"] = json!("checking"));
        },
        &["event.iceconnectionstatechange.ice-connection-state"],
    ),
    (
        "an iceconnectionstatechange without timeStamp",
        target_offers,
        |s| {
            s.events("iceconnectionstatechange").for_each(|event| event["timeStamp"] = json!("now"));
        },
        &["event.iceconnectionstatechange.time-stamp"],
    ),
    ("no negotiationneeded", flows::alone, |s| s.silence("negotiationneeded"), &["event.negotiationneeded"]),
    ("negotiationneeded twice", flows::alone, |s| repeats(s, "negotiationneeded"), &["event.negotiationneeded.once"]),
    ("no signalingstatechange", target_offers, |s| s.silence("signalingstatechange"), &["event.signalingstatechange"]),
    (
        "a signalingstatechange that is a text",
        flows::alone,
        |s| carries(s, "signalingstatechange", &json!("have-local-offer")),
        &["event.signalingstatechange"],
    ),
    (
        "a signalingstatechange without the state",
        flows::alone,
        |s| carries(s, "signalingstatechange", &json!({})),
        &["event.signalingstatechange.signaling-state"],
    ),
    (
        "a signalingstatechange of the state before",
        flows::alone,
        |s| {
            carries(s, "signalingstatechange", &json!({"signalingState": "stable"}));
        },
        &["event.signalingstatechange.signaling-state"],
    ),
    (
        "a signalingstatechange behind the promise",
        flows::alone,
        |s| delays(s, "signalingstatechange"),
        &["event.signalingstatechange.before-promise"],
    ),
    ("no track", target_offers, |s| s.silence("track"), &["event.track"]),
    ("a track that is a text", target_offers, |s| carries(s, "track", &json!("remote")), &["event.track"]),
    ("track once too often", target_offers, |s| repeats(s, "track"), &["event.track.once"]),
    ("a track without streams", fincert_offers, |s| carries(s, "track", &json!({})), &["event.track.streams"]),
    (
        "a track of a stream without an id",
        fincert_offers,
        |s| carries(s, "track", &json!({"streams": [{"streamId": ""}]})),
        &["event.track.stream-id"],
    ),
];
