//! One call: set up as its options say, and then the acts.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use fincert_peer::{IceServer, Media, PeerConfig};
use fincert_schemas::run::What;
use fincert_schemas::run::flow::{Act, Await, End, FlowOptions, MediaKind, Network, PeerDid};
use serde_json::{Value, json};

use super::negotiate::{Exchange, exchange, failed, gathered};
use super::stage::{PROPERTY, Stage, handle_of};
use super::{Network as Lent, acts, rewrite};
use crate::drive::session::Lost;

/// How long both ends may take to connect (spec/webrtc-crate-notes: 5 s is sensible; a busy machine gets more).
const CONNECT: Duration = Duration::from_secs(8);
/// How long a call that must not come up is watched.
const REFUSED: Duration = Duration::from_secs(3);
/// How long an end of candidates, an event or a relay candidate may take.
const SOON: Duration = Duration::from_secs(5);

/// The five events of 3.2.
pub(super) const EVENTS: [&str; 5] =
    ["icecandidate", "iceconnectionstatechange", "negotiationneeded", "signalingstatechange", "track"];

/// What the acts need to know of the call.
pub(super) struct Line {
    pub(super) slot: usize,
    pub(super) pc: String,
    /// The target's tracks: kind and handle.
    pub(super) tracks: Vec<(MediaKind, String)>,
    pub(super) with: FlowOptions,
    pub(super) closed: bool,
}

/// Drives the call and its acts. What stood in the way is in the transcript.
pub(super) async fn drive(
    stage: &mut Stage<'_, '_, '_>,
    with: &FlowOptions,
    acts: &[Act],
    lent: &Lent,
) -> Result<(), Lost> {
    let Some(mut line) = set_up(stage, with, lent).await? else { return Ok(()) };
    let connected = connect(stage, &line, lent).await?;
    if connected {
        for (index, act) in acts.iter().enumerate() {
            stage.note(What::Act { act: *act });
            // Where a kind lacks, an exchange still shows what it does to the others.
            let goes_on = *act == Act::Media && acts.get(index + 1).is_some_and(|next| exchanges(*next));
            if !acts::act(stage, &mut line, *act).await? && !goes_on {
                break;
            }
        }
        counted(stage, line.slot, lent);
    }
    hang_up(stage, &mut line).await
}

/// Whether the ends do nothing in an act but exchange descriptions again.
fn exchanges(act: Act) -> bool {
    matches!(act, Act::TargetRenegotiates | Act::FincertRenegotiates | Act::TenRenegotiations)
}

/// A connection of the target's, its media, and a peer.
pub(super) async fn set_up(
    stage: &mut Stage<'_, '_, '_>,
    with: &FlowOptions,
    lent: &Lent,
) -> Result<Option<Line>, Lost> {
    let Some(pc) = create(stage, &options(with, lent)).await? else { return Ok(None) };
    let tracks = media(stage, &pc, &with.target_sends).await?;
    let config = PeerConfig {
        epoch: stage.session.scene.began,
        bind: match with.network {
            Network::Ipv6 => vec![IpAddr::V6(Ipv6Addr::LOCALHOST)],
            _ => Vec::new(),
        },
        ice_servers: Vec::new(),
        relay_only: false,
        addresses: lent.addresses.clone(),
        media: Media::Pattern,
        wrong_fingerprint: with.wrong_fingerprint,
    };
    let made = crate::referee::peer(stage.drive.referee, config).await;
    let (peer, events) = match made {
        Ok(made) => made,
        Err(error) => {
            let why = error.to_string();
            stage.note(What::Peer { peer: 1, did: PeerDid::Failed { method: "new".to_owned(), why } });
            return Ok(None);
        }
    };
    let slot = stage.enter(peer, events, &pc);
    for kind in &with.fincert_sends {
        let peer = std::sync::Arc::clone(&stage.slots[slot].peer);
        if let Err(error) = peer.add_track(*kind).await {
            failed(stage, slot, "addTrack", &error);
            return Ok(None);
        }
    }
    Ok(Some(Line { slot, pc, tracks, with: with.clone(), closed: false }))
}

/// createRTCPeerConnection, and all five events listened to.
pub(super) async fn create(stage: &mut Stage<'_, '_, '_>, options: &Value) -> Result<Option<String>, Lost> {
    let made = stage.call(None, "ft.webrtc.createRTCPeerConnection", vec![options.clone()], None).await?;
    let Some(pc) = handle_of(&made.value).filter(|_| made.worked()) else { return Ok(None) };
    for kind in EVENTS {
        stage.listen(&pc, kind).await?;
    }
    Ok(Some(pc))
}

/// The target's camera and microphone, as far as the call sends them, added by addTrack.
pub(super) async fn media(
    stage: &mut Stage<'_, '_, '_>,
    pc: &str,
    kinds: &[MediaKind],
) -> Result<Vec<(MediaKind, String)>, Lost> {
    let tracks = tracks(stage, kinds).await?;
    for (_, track) in &tracks {
        stage.call(Some(pc), "RTCPeerConnection.addTrack", vec![json!({"$handle": track})], None).await?;
    }
    Ok(tracks)
}

/// getUserMedia and getTracks.
pub(super) async fn tracks(
    stage: &mut Stage<'_, '_, '_>,
    kinds: &[MediaKind],
) -> Result<Vec<(MediaKind, String)>, Lost> {
    if kinds.is_empty() {
        return Ok(Vec::new());
    }
    let wants = |kind| kinds.contains(&kind);
    let wish = json!({"audio": wants(MediaKind::Audio), "video": wants(MediaKind::Video)});
    let stream = stage.call(None, "ft.webrtc.mediaDevices.getUserMedia", vec![wish], None).await?;
    let Some(handle) = handle_of(&stream.value).filter(|_| stream.worked()) else { return Ok(Vec::new()) };
    let tracks = stage.call(Some(&handle), "MediaStream.getTracks", Vec::new(), None).await?;
    let items = tracks.value.as_array().cloned().unwrap_or_default();
    Ok(items
        .iter()
        .take(8)
        .filter_map(|item| {
            let kind = match item.pointer("/props/kind").and_then(Value::as_str) {
                Some("video") => MediaKind::Video,
                Some("audio") => MediaKind::Audio,
                // A track that does not tell its kind is taken for what was asked for alone.
                _ => *kinds.first()?,
            };
            Some((kind, handle_of(item)?))
        })
        .collect())
}

/// What createRTCPeerConnection is given.
fn options(with: &FlowOptions, lent: &Lent) -> Value {
    match (with.network, &lent.turn) {
        (Network::Relay | Network::RelayWrongCredential, Some(turn)) => {
            let server = turn.ice_server();
            let credential = match with.network {
                Network::Relay => server.credential,
                // No ordinary word: it is scrubbed wherever it stands.
                _ => "not-the-credential-of-fincert".to_owned(),
            };
            let server = IceServer { credential, ..server };
            json!({
                "iceServers": [{"urls": server.urls, "username": server.username, "credential": server.credential}],
                "iceTransportPolicy": "relay",
            })
        }
        _ => json!({}),
    }
}

/// Negotiates, and waits until both ends are connected or it is clear that they will not be.
async fn connect(stage: &mut Stage<'_, '_, '_>, line: &Line, lent: &Lent) -> Result<bool, Lost> {
    let with = &line.with;
    let how = Exchange {
        ice_restart: false,
        offer_to_receive: with.offer_to_receive.clone(),
        candidates: with.candidates,
        rewrite: with.unsupported_codec.then_some(rewrite::unsupported_codec),
    };
    if !exchange(stage, line.slot, with.offerer, &how).await? {
        return Ok(false);
    }
    if with.network == Network::RelayWrongCredential {
        gathered(stage, line.slot).await?;
        turn(stage, lent);
        return Ok(false);
    }
    if with.network == Network::Relay {
        let slot = line.slot;
        stage
            .until(
                End::Target,
                Await::RelayCandidate,
                "",
                SOON,
                |stage| stage.slots[slot].theirs.iter().any(|c| c.candidate.contains(" typ relay")),
                |stage| format!("{} candidates, none of them relay", stage.slots[slot].theirs.len()),
            )
            .await?;
    }
    let connected = both_connected(stage, line, if with.wrong_fingerprint { REFUSED } else { CONNECT }).await?;
    end_of_candidates(stage, line).await?;
    stage.settle_pending().await?;
    if connected {
        gathered(stage, line.slot).await?;
    }
    turn(stage, lent);
    counted(stage, line.slot, lent);
    Ok(connected)
}

/// Waits until both ends say that they are connected.
pub(super) async fn both_connected(
    stage: &mut Stage<'_, '_, '_>,
    line: &Line,
    patience: Duration,
) -> Result<bool, Lost> {
    let slot = line.slot;
    let peer = stage
        .until(
            End::Fincert,
            Await::PeerConnected,
            "",
            patience,
            |stage| stage.slots[slot].connection == "connected",
            |stage| {
                let slot = &stage.slots[slot];
                let word = |state: &str| if state.is_empty() { "new".to_owned() } else { state.to_owned() };
                format!(
                    "fincert's ICE is {}, its connection {}; {} candidates of the target were handed over",
                    word(&slot.ice),
                    word(&slot.connection),
                    slot.handed
                )
            },
        )
        .await?;
    if !peer {
        // What the target thinks of it all the same.
        stage.read(&line.pc, "iceConnectionState").await?;
        stage.read(&line.pc, "conectionState").await?;
        return Ok(false);
    }
    let began = Instant::now();
    let state = stage.poll(&line.pc, "conectionState", |value| value == "connected").await?;
    if !state.is_string() {
        stage.poll(&line.pc, "connectionState", |value| value == "connected").await?;
    }
    let ice = stage.poll(&line.pc, "iceConnectionState", |value| value == "connected" || value == "completed").await?;
    let met = ice == "connected" || ice == "completed" || state == "connected";
    let instead = stage.drive.capture.text(&format!("conectionState {state}, iceConnectionState {ice}"), 120);
    let (waited, instead) = if met { (began.elapsed(), String::new()) } else { (PROPERTY, instead) };
    stage.awaited(End::Target, Await::TargetConnected, "", met, waited, instead);
    // What the target's states say is for the checks; a call that is up at fincert's end goes on.
    Ok(true)
}

/// Tells the target the end of fincert's candidates in the form that the flow is about.
async fn end_of_candidates(stage: &mut Stage<'_, '_, '_>, line: &Line) -> Result<(), Lost> {
    use fincert_schemas::run::flow::EndOfCandidates as Form;
    let value = match line.with.end_of_candidates {
        Form::Untold => return Ok(()),
        Form::EmptyString => json!({"candidate": "", "sdpMid": "0", "sdpMLineIndex": 0}),
        Form::EmptyObject => json!({}),
        Form::Null => Value::Null,
    };
    stage.call(Some(&line.pc), "RTCPeerConnection.addIceCandidate", vec![value], Some("candidate-empty")).await?;
    Ok(())
}

/// The counters of the peer, and of the TURN server where there is one, as they are now.
pub(super) fn counted(stage: &mut Stage<'_, '_, '_>, slot: usize, lent: &Lent) {
    count(stage, slot);
    turn(stage, lent);
}

/// The counters of the peer as they are now.
pub(super) fn count(stage: &mut Stage<'_, '_, '_>, slot: usize) {
    let evidence = Box::new(stage.slots[slot].peer.evidence());
    stage.note(What::Counted { peer: slot as u32 + 1, evidence });
}

fn turn(stage: &mut Stage<'_, '_, '_>, lent: &Lent) {
    if let Some(evidence) = lent.turn.as_ref().and_then(|turn| turn.evidence()) {
        stage.note(What::Turn { evidence });
    }
}

/// Ends the call in good order: the target's connection and tracks, then the peer.
pub(super) async fn hang_up(stage: &mut Stage<'_, '_, '_>, line: &mut Line) -> Result<(), Lost> {
    if !line.closed {
        line.closed = true;
        stage.call(Some(&line.pc), "RTCPeerConnection.close", Vec::new(), None).await?;
        closed_states(stage, &line.pc).await?;
    }
    for (_, track) in std::mem::take(&mut line.tracks) {
        stage.call(Some(&track), "MediaStreamTrack.stop", Vec::new(), None).await?;
    }
    Ok(())
}

/// The states that close leaves behind.
pub(super) async fn closed_states(stage: &mut Stage<'_, '_, '_>, pc: &str) -> Result<(), Lost> {
    for name in ["signalingState", "iceConnectionState"] {
        stage.poll(pc, name, |value| value == "closed").await?;
    }
    let state = stage.poll(pc, "conectionState", |value| value == "closed" || is_undefined(value)).await?;
    if state.is_null() {
        stage.poll(pc, "connectionState", |value| value == "closed" || is_undefined(value)).await?;
    }
    Ok(())
}

/// Whether a reading was of a property that is not there.
fn is_undefined(value: &Value) -> bool {
    value.get("$undefined") == Some(&Value::Bool(true))
}
