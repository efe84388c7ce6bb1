//! createOffer and createAnswer.

use fincert_schemas::bridge::Via;
use fincert_schemas::run::What;
use serde_json::json;

use super::{
    Mutation, drops, edits, ends_after, fincert_offers, gives, refuses_option, rejects, returns, target_offers,
};
use crate::flows::{self, sdp};
use crate::script::Raw;

pub(crate) const OFFERS: &[Mutation] = &[
    ("an offer without a promise", flows::alone, |s| returns(s, "createOffer"), &["pc.create-offer"]),
    ("no offer", flows::adds_video, |s| rejects(s, "createOffer"), &["pc.create-offer"]),
    (
        "an offer that is a text",
        flows::alone,
        |s| gives(s, "createOffer", "", &json!("v=0")),
        &["pc.create-offer.result"],
    ),
    ("an offer without a type", flows::alone, |s| drops(s, "createOffer", "type"), &["pc.create-offer.result"]),
    (
        "an offer that is nothing",
        flows::alone,
        |s| s.answers("createOffer").for_each(|(_, value)| *value = None),
        &["pc.create-offer", "pc.create-offer.result"],
    ),
    (
        "an offer of type answer",
        flows::alone,
        |s| gives(s, "createOffer", "/type", &json!("answer")),
        &["pc.create-offer.result"],
    ),
    (
        "no offer with voiceActivityDetection",
        flows::alone,
        |s| refuses_option(s, "createOffer", "voiceActivityDetection"),
        &["pc.create-offer.voice-activity-detection"],
    ),
    (
        "no offer with iceRestart",
        flows::alone,
        |s| refuses_option(s, "createOffer", "iceRestart"),
        &["pc.create-offer.ice-restart"],
    ),
    (
        "no offer with offerToReceive",
        flows::alone,
        |s| {
            refuses_option(s, "createOffer", "offerToReceiveAudio");
            refuses_option(s, "createOffer", "offerToReceiveVideo");
        },
        &["pc.create-offer.offer-to-receive-audio", "pc.create-offer.offer-to-receive-video"],
    ),
    (
        "createOffer sets the offer",
        flows::alone,
        |s| {
            let (value, _) = s.reads("localDescription").nth(2).unwrap();
            *value = Some(flows::description("offer", &sdp(7, "actpass", "abcd", &["sendrecv audio"])));
        },
        &["pc.create-offer.no-state-change"],
    ),
    (
        "createOffer leaves stable",
        target_offers,
        |s| {
            let (value, _) = s.reads("signalingState").nth(1).unwrap();
            *value = Some(json!("have-local-offer"));
        },
        &["pc.create-offer.no-state-change"],
    ),
    (
        "a second offer like the first",
        flows::adds_video,
        |s| {
            edits(s, "m=video", "m=x");
        },
        &["pc.add-track", "pc.create-offer.again"],
    ),
    ("an answer without a promise", fincert_offers, |s| returns(s, "createAnswer"), &["pc.create-answer"]),
    (
        "no answer ever",
        fincert_offers,
        |s| {
            let at = s
                .raws
                .iter()
                .position(|raw| matches!(raw, Raw::Call(_, _, name, ..) if name.ends_with("createAnswer")));
            s.raws.truncate(at.unwrap() + 1);
            let Some(Raw::Call(id, ..)) = s.raws.last() else { unreachable!() };
            let silent = What::NoResponse { id: *id, deadline_ms: 5_000, alive: true };
            s.keep(silent);
        },
        &["pc.create-answer", "integration.answers"],
    ),
    (
        "no answer",
        fincert_offers,
        |s| {
            rejects(s, "createAnswer");
            ends_after(s, "createAnswer");
        },
        &[
            "pc.create-answer",
            "pc.create-answer.ice-restart",
            "pc.create-answer.offer-to-receive-audio",
            "pc.create-answer.offer-to-receive-video",
            "pc.create-answer.voice-activity-detection",
        ],
    ),
    (
        "an answer of type offer",
        fincert_offers,
        |s| gives(s, "createAnswer", "/type", &json!("offer")),
        &["pc.create-answer.result"],
    ),
    (
        "no answer with options",
        fincert_offers,
        |s| {
            let id = s.ask("pc", "RTCPeerConnection.createAnswer", json!({}), "");
            s.answer(
                id,
                Via::Resolve,
                Some(flows::description("answer", &sdp(7, "active", "abcd", &["sendrecv audio", "sendrecv video"]))),
            );
            for option in ["iceRestart", "offerToReceiveAudio", "offerToReceiveVideo", "voiceActivityDetection"] {
                refuses_option(s, "createAnswer", option);
            }
        },
        &[
            "pc.create-answer.ice-restart",
            "pc.create-answer.offer-to-receive-audio",
            "pc.create-answer.offer-to-receive-video",
            "pc.create-answer.voice-activity-detection",
        ],
    ),
];
