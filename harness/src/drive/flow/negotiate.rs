//! Offer and answer between the target and a peer, from either side, with the readings of the target's state at
//! every step (RFC 9429 section 3.2).

use std::time::{Duration, Instant};

use fincert_peer::{Description, OfferOptions, PeerError, SdpKind};
use fincert_schemas::run::flow::{Await, Candidates, End, MediaKind, PeerDid};
use serde_json::{Map, Value, json};

use super::stage::{Stage, init};
use crate::drive::session::Lost;

/// How long gathering may take where descriptions carry the candidates.
const GATHERING: Duration = Duration::from_secs(5);
/// How long candidates are held back where they come late.
const LATE: Duration = Duration::from_millis(500);
/// How much of a target's SDP a transcript keeps, in bytes.
const KEPT_SDP: usize = 64 * 1024;

/// How one exchange goes.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange {
    /// The offer asks for new ICE credentials.
    pub(super) ice_restart: bool,
    /// The kinds that the target's offer asks to receive.
    pub(super) offer_to_receive: Vec<MediaKind>,
    /// How candidates travel.
    pub(super) candidates: Candidates,
    /// Changes fincert's description before the target gets it.
    pub(super) rewrite: Option<fn(&str) -> String>,
}

/// One exchange; whether it came to an answer at both ends. What stood in the way is in the transcript.
pub(super) async fn exchange(
    stage: &mut Stage<'_, '_, '_>,
    slot: usize,
    offerer: End,
    how: &Exchange,
) -> Result<bool, Lost> {
    stage.slots[slot].copies = if how.candidates == Candidates::Duplicate { 2 } else { 1 };
    // New candidates belong to the new descriptions, and wait until both ends have them.
    stage.slots[slot].flowing = false;
    match offerer {
        End::Target => target_offers(stage, slot, how).await,
        End::Fincert => fincert_offers(stage, slot, how).await,
    }
}

/// Both ends have both descriptions: candidates go across as they come.
async fn flow(stage: &mut Stage<'_, '_, '_>, slot: usize, how: &Exchange) -> Result<(), Lost> {
    match how.candidates {
        Candidates::InDescription => return Ok(()),
        Candidates::Late => stage.idle(LATE).await?,
        _ => {}
    }
    stage.slots[slot].flowing = true;
    stage.across(slot).await
}

async fn target_offers(stage: &mut Stage<'_, '_, '_>, slot: usize, how: &Exchange) -> Result<bool, Lost> {
    let pc = stage.slots[slot].pc.clone();
    let mut options = Map::new();
    if how.ice_restart {
        options.insert("iceRestart".to_owned(), json!(true));
    }
    for kind in &how.offer_to_receive {
        let name = match kind {
            MediaKind::Audio => "offerToReceiveAudio",
            MediaKind::Video => "offerToReceiveVideo",
        };
        options.insert(name.to_owned(), json!(true));
    }
    let args = if options.is_empty() { Vec::new() } else { vec![Value::Object(options)] };
    stage.read(&pc, "signalingState").await?;
    let offer = stage.call(Some(&pc), "RTCPeerConnection.createOffer", args, None).await?;
    for name in ["signalingState", "localDescription"] {
        stage.read(&pc, name).await?;
    }
    if !offer.worked() {
        return Ok(false);
    }
    let set = stage.call(Some(&pc), "RTCPeerConnection.setLocalDescription", vec![offer.value.clone()], None).await?;
    stage.poll(&pc, "signalingState", |value| value == "have-local-offer").await?;
    stage.poll(&pc, "localDescription", Value::is_object).await?;
    for name in ["currentLocalDescription", "currentRemoteDescription"] {
        stage.read(&pc, name).await?;
    }
    if !set.worked() {
        return Ok(false);
    }
    let Some(sdp) = target_sdp(stage, slot, &offer.value, how).await? else { return Ok(false) };
    if !remote(stage, slot, SdpKind::Offer, &sdp).await {
        return Ok(false);
    }
    let Some(answer) = local(stage, slot, SdpKind::Answer, how).await? else { return Ok(false) };
    if how.candidates == Candidates::Early {
        early(stage, slot).await?;
    }
    let args = vec![json!({"type": "answer", "sdp": answer})];
    let set = stage.call(Some(&pc), "RTCPeerConnection.setRemoteDescription", args, None).await?;
    if set.worked() {
        flow(stage, slot, how).await?;
    }
    after_answer(stage, &pc).await?;
    Ok(set.worked())
}

async fn fincert_offers(stage: &mut Stage<'_, '_, '_>, slot: usize, how: &Exchange) -> Result<bool, Lost> {
    let pc = stage.slots[slot].pc.clone();
    let Some(offer) = local(stage, slot, SdpKind::Offer, how).await? else { return Ok(false) };
    let args = vec![json!({"type": "offer", "sdp": offer})];
    let set = stage.call(Some(&pc), "RTCPeerConnection.setRemoteDescription", args, None).await?;
    stage.poll(&pc, "signalingState", |value| value == "have-remote-offer").await?;
    stage.poll(&pc, "remoteDescription", Value::is_object).await?;
    for name in ["currentRemoteDescription", "canTrickleIceCandidates"] {
        stage.read(&pc, name).await?;
    }
    if !set.worked() {
        return Ok(false);
    }
    if how.candidates == Candidates::Early {
        before_answer(stage, slot).await?;
    }
    let answer = stage.call(Some(&pc), "RTCPeerConnection.createAnswer", answer_options(how), None).await?;
    stage.read(&pc, "signalingState").await?;
    if !answer.worked() {
        return Ok(false);
    }
    let set = stage.call(Some(&pc), "RTCPeerConnection.setLocalDescription", vec![answer.value.clone()], None).await?;
    let mut taken = false;
    if set.worked()
        && let Some(sdp) = target_sdp(stage, slot, &answer.value, how).await?
    {
        taken = remote(stage, slot, SdpKind::Answer, &sdp).await;
        if taken {
            flow(stage, slot, how).await?;
        }
    }
    after_answer(stage, &pc).await?;
    Ok(taken)
}

/// createAnswer takes the same options as createOffer; a call in which the target sends nothing asks with them.
fn answer_options(how: &Exchange) -> Vec<Value> {
    if how.offer_to_receive.is_empty() {
        return Vec::new();
    }
    vec![
        json!({"offerToReceiveAudio": true, "offerToReceiveVideo": true, "iceRestart": false, "voiceActivityDetection": true}),
    ]
}

/// The readings once an answer is in force.
async fn after_answer(stage: &mut Stage<'_, '_, '_>, pc: &str) -> Result<(), Lost> {
    stage.poll(pc, "signalingState", |value| value == "stable").await?;
    for name in ["currentLocalDescription", "currentRemoteDescription", "localDescription", "remoteDescription"] {
        stage.poll(pc, name, Value::is_object).await?;
    }
    stage.poll(pc, "canTrickleIceCandidates", Value::is_boolean).await?;
    Ok(())
}

/// fincert's candidates, while the target has its offer and has not answered yet (RFC 9429 section 4.1.19).
async fn before_answer(stage: &mut Stage<'_, '_, '_>, slot: usize) -> Result<(), Lost> {
    stage.idle(Duration::from_millis(100)).await?;
    let pc = stage.slots[slot].pc.clone();
    for candidate in stage.slots[slot].own.clone() {
        stage.slots[slot].sent += 1;
        stage.call(Some(&pc), "RTCPeerConnection.addIceCandidate", vec![init(&candidate)], None).await?;
    }
    Ok(())
}

/// fincert's candidates, before the target has a remote description; they are handed over again afterwards.
async fn early(stage: &mut Stage<'_, '_, '_>, slot: usize) -> Result<(), Lost> {
    stage.idle(Duration::from_millis(100)).await?;
    let pc = stage.slots[slot].pc.clone();
    for candidate in stage.slots[slot].own.clone() {
        stage
            .call(Some(&pc), "RTCPeerConnection.addIceCandidate", vec![init(&candidate)], Some("candidate-early"))
            .await?;
    }
    Ok(())
}

/// The target's description as the peer shall get it.
async fn target_sdp(
    stage: &mut Stage<'_, '_, '_>,
    slot: usize,
    made: &Value,
    how: &Exchange,
) -> Result<Option<String>, Lost> {
    if how.candidates != Candidates::InDescription {
        return Ok(made.get("sdp").and_then(Value::as_str).map(str::to_owned));
    }
    gathered(stage, slot).await?;
    let pc = stage.slots[slot].pc.clone();
    let whole = stage
        .poll(&pc, "localDescription", |value| sdp_of(value).is_some_and(|sdp| sdp.contains("a=candidate:")))
        .await?;
    Ok(sdp_of(&whole).map(str::to_owned))
}

/// Waits for the end of the target's gathering: by the property or by an empty candidate.
pub(super) async fn gathered(stage: &mut Stage<'_, '_, '_>, slot: usize) -> Result<(), Lost> {
    let pc = stage.slots[slot].pc.clone();
    let began = Instant::now();
    let mut last = Value::Null;
    while began.elapsed() < GATHERING && !stage.slots[slot].target_gathered {
        last = stage.get(&pc, "iceGatheringState").await?.unwrap_or(Value::Null);
        if last == "complete" {
            break;
        }
        stage.idle(Duration::from_millis(20)).await?;
    }
    let last = if last == "complete" {
        last
    } else {
        stage.poll(&pc, "iceGatheringState", |value| value == "complete").await?
    };
    let met = stage.slots[slot].target_gathered || last == "complete";
    let instead = if met { String::new() } else { stage.drive.capture.text(&format!("iceGatheringState {last}"), 80) };
    let waited = if met { began.elapsed() } else { GATHERING };
    stage.awaited(End::Target, Await::Gathered, "", met, waited, instead);
    Ok(())
}

fn sdp_of(value: &Value) -> Option<&str> {
    value.get("sdp").and_then(Value::as_str)
}

/// Puts a description of the target's in force at the peer; whether the peer took it.
pub(super) async fn remote(stage: &mut Stage<'_, '_, '_>, slot: usize, kind: SdpKind, sdp: &str) -> bool {
    let peer = std::sync::Arc::clone(&stage.slots[slot].peer);
    let refused =
        peer.set_remote_description(&Description { kind, sdp: sdp.to_owned() }).await.err().map(|e| e.to_string());
    let taken = refused.is_none();
    let refused = refused.map(|why| stage.drive.capture.text(&why, 300));
    let kept = stage.drive.capture.sdp(head(sdp, KEPT_SDP));
    stage.did(slot, PeerDid::Description { local: false, kind: kind.as_str().to_owned(), sdp: kept, refused });
    taken
}

/// Makes a description of the peer's and puts it in force; the SDP for the target.
pub(super) async fn local(
    stage: &mut Stage<'_, '_, '_>,
    slot: usize,
    kind: SdpKind,
    how: &Exchange,
) -> Result<Option<String>, Lost> {
    let peer = std::sync::Arc::clone(&stage.slots[slot].peer);
    let made = match kind {
        SdpKind::Offer => peer.create_offer(&OfferOptions { ice_restart: how.ice_restart, receive: Vec::new() }).await,
        _ => peer.create_answer().await,
    };
    let set = match made {
        Ok(description) => peer.set_local_description(&description).await.map(|()| description),
        Err(error) => Err(error),
    };
    let description = match set {
        Ok(description) => description,
        Err(error) => {
            failed(stage, slot, kind.as_str(), &error);
            return Ok(None);
        }
    };
    let mut sdp = description.sdp;
    if how.candidates == Candidates::InDescription {
        let deadline = Instant::now() + GATHERING;
        while !stage.slots[slot].gathered && Instant::now() < deadline {
            stage.pump(deadline).await?;
        }
        if let Some(whole) = peer.local_description().await {
            sdp = whole.sdp;
        }
    }
    if let Some(rewrite) = how.rewrite {
        sdp = rewrite(&sdp);
    }
    stage.did(
        slot,
        PeerDid::Description { local: true, kind: kind.as_str().to_owned(), sdp: sdp.clone(), refused: None },
    );
    Ok(Some(sdp))
}

/// Notes that the peer could not do something.
pub(super) fn failed(stage: &mut Stage<'_, '_, '_>, slot: usize, method: &str, error: &PeerError) {
    let why = stage.drive.capture.text(&error.to_string(), 300);
    stage.did(slot, PeerDid::Failed { method: method.to_owned(), why });
}

fn head(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
