//! One connection of the target by itself: what it is made with, its properties when new, its offers, and what a
//! local description changes (3.2).

use std::time::Duration;

use fincert_schemas::run::flow::MediaKind;
use serde_json::{Value, json};

use super::call::{closed_states, create, media};
use super::stage::{Stage, handle_of};
use crate::drive::session::Lost;

/// The ten properties of 3.2.
const PROPERTIES: [&str; 10] = [
    "canTrickleIceCandidates",
    "conectionState",
    "currentLocalDescription",
    "currentRemoteDescription",
    "iceConnectionState",
    "iceGatheringState",
    "localDescription",
    "peerIdentity",
    "remoteDescription",
    "signalingState",
];
/// How long events are waited for that should come once.
const EVENTS_SETTLE: Duration = Duration::from_millis(400);
/// How long gathering may take on a host without servers.
const GATHERING: Duration = Duration::from_secs(3);

pub(super) async fn drive(stage: &mut Stage<'_, '_, '_>) -> Result<(), Lost> {
    made_in_other_ways(stage).await?;
    configured(stage).await?;
    let Some(pc) = create(stage, &json!({})).await? else { return Ok(()) };
    fresh(stage, &pc).await?;
    offers_to_receive(stage).await?;
    // Both in one batch: negotiationneeded fires once.
    let tracks = media(stage, &pc, &[MediaKind::Audio, MediaKind::Video]).await?;
    stage.idle(EVENTS_SETTLE).await?;
    for options in [None, Some(json!({})), Some(json!({"voiceActivityDetection": false}))] {
        state(stage, &pc).await?;
        offer(stage, &pc, options).await?;
        state(stage, &pc).await?;
    }
    let made = offer(stage, &pc, None).await?;
    if let Some(made) = made {
        let set = stage.call(Some(&pc), "RTCPeerConnection.setLocalDescription", vec![made], None).await?;
        stage.poll(&pc, "signalingState", |value| value == "have-local-offer").await?;
        stage.poll(&pc, "localDescription", Value::is_object).await?;
        for name in ["currentLocalDescription", "currentRemoteDescription", "remoteDescription"] {
            stage.read(&pc, name).await?;
        }
        if set.worked() {
            gathering(stage, &pc).await?;
            // The restart shows only where there are credentials to change.
            offer(stage, &pc, Some(json!({"iceRestart": true}))).await?;
            offer(stage, &pc, Some(json!({"iceRestart": false}))).await?;
        }
    }
    stage.call(Some(&pc), "RTCPeerConnection.close", Vec::new(), None).await?;
    closed_states(stage, &pc).await?;
    for (_, track) in tracks {
        stage.call(Some(&track), "MediaStreamTrack.stop", Vec::new(), None).await?;
    }
    Ok(())
}

/// Without options, and with a second argument (rulings 3.2).
async fn made_in_other_ways(stage: &mut Stage<'_, '_, '_>) -> Result<(), Lost> {
    let constraints = json!({"optional": [{"DtlsSrtpKeyAgreement": true}]});
    for (args, purpose) in
        [(Vec::new(), "no-options"), (vec![json!({"iceServers": []}), constraints], "second-argument")]
    {
        let made = stage.call(None, "ft.webrtc.createRTCPeerConnection", args, Some(purpose)).await?;
        if let Some(pc) = handle_of(&made.value) {
            stage.read(&pc, "signalingState").await?;
            stage.call(Some(&pc), "RTCPeerConnection.close", Vec::new(), None).await?;
        }
    }
    Ok(())
}

/// The configuration reads back as it was given.
async fn configured(stage: &mut Stage<'_, '_, '_>) -> Result<(), Lost> {
    // Port 9 is the discard protocol's: nothing answers, and nothing is sent before a local description.
    let options = json!({
        "iceServers": [
            {"urls": "stun:127.0.0.1:9"},
            {"urls": ["turn:127.0.0.1:9?transport=udp"], "username": "fincert", "credential": "fincert-secret"},
        ],
        "iceTransportPolicy": "relay",
    });
    let made = stage.call(None, "ft.webrtc.createRTCPeerConnection", vec![options], None).await?;
    if let Some(pc) = handle_of(&made.value) {
        stage.call(Some(&pc), "RTCPeerConnection.getConfiguration", Vec::new(), None).await?;
        stage.call(Some(&pc), "RTCPeerConnection.close", Vec::new(), None).await?;
    }
    Ok(())
}

/// A new connection's properties, each polled until it shows its initial value.
async fn fresh(stage: &mut Stage<'_, '_, '_>, pc: &str) -> Result<(), Lost> {
    for name in PROPERTIES {
        let shown = match name {
            "conectionState" | "iceConnectionState" | "iceGatheringState" => {
                stage.poll(pc, name, |value| value == "new").await?
            }
            "signalingState" => stage.poll(pc, name, |value| value == "stable").await?,
            _ => stage.poll(pc, name, Value::is_null).await?,
        };
        if name == "conectionState" && !shown.is_string() {
            stage.poll(pc, "connectionState", |value| value == "new").await?;
        }
    }
    Ok(())
}

/// Offers of connections without media of their own, in every form of the options.
async fn offers_to_receive(stage: &mut Stage<'_, '_, '_>) -> Result<(), Lost> {
    let forms = [
        json!({"offerToReceiveAudio": true}),
        json!({"offerToReceiveVideo": true}),
        json!({"offerToReceiveAudio": true, "offerToReceiveVideo": true}),
        // As real mini programs write it (field facts).
        json!({"offerToReceiveAudio": 1, "offerToReceiveVideo": 1}),
        json!({"offerToReceiveAudio": false, "offerToReceiveVideo": false}),
    ];
    for options in forms {
        let made = stage.call(None, "ft.webrtc.createRTCPeerConnection", vec![json!({})], None).await?;
        let Some(pc) = handle_of(&made.value) else { continue };
        offer(stage, &pc, Some(options)).await?;
        stage.call(Some(&pc), "RTCPeerConnection.close", Vec::new(), None).await?;
    }
    Ok(())
}

async fn state(stage: &mut Stage<'_, '_, '_>, pc: &str) -> Result<(), Lost> {
    for name in ["signalingState", "localDescription"] {
        stage.read(pc, name).await?;
    }
    Ok(())
}

async fn offer(stage: &mut Stage<'_, '_, '_>, pc: &str, options: Option<Value>) -> Result<Option<Value>, Lost> {
    let args = options.into_iter().collect();
    let made = stage.call(Some(pc), "RTCPeerConnection.createOffer", args, None).await?;
    Ok(made.worked().then_some(made.value))
}

/// Gathering to its end, by the property.
async fn gathering(stage: &mut Stage<'_, '_, '_>, pc: &str) -> Result<(), Lost> {
    let began = std::time::Instant::now();
    while began.elapsed() < GATHERING {
        let state = stage.poll(pc, "iceGatheringState", |value| value == "complete").await?;
        if state == "complete" || !state.is_string() {
            break;
        }
    }
    // The end of candidates is told by an event that may be the last to come.
    stage.idle(EVENTS_SETTLE).await?;
    Ok(())
}
