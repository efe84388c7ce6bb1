//! What is done in a call that is up.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fincert_schemas::run::What;
use fincert_schemas::run::flow::{Act, Await, End, Evidence, MediaKind, PeerDid};
use serde_json::{Value, json};

use super::call::{Line, both_connected, closed_states, count, tracks};
use super::negotiate::{Exchange, exchange, failed};
use super::stage::Stage;
use crate::drive::session::Lost;

/// How long the first RTP may take.
const RTP: Duration = Duration::from_secs(6);
/// How long a receiver report may take; the first of audio comes after about 2.5 s (RFC 3550 section 6.2).
const REPORT: Duration = Duration::from_secs(9);
/// How long a track event may take.
const EVENT: Duration = Duration::from_secs(4);
/// How long media is watched after it should have ended, or before, for a comparison.
const WATCH: Duration = Duration::from_millis(1_500);
/// How long the target may take to see that its other end is gone.
const DISCONNECTED: Duration = Duration::from_secs(20);
/// How long it may take from there to give up (libwebrtc in Node takes 10 s; Chromium never does).
const FAILED: Duration = Duration::from_secs(20);
/// How long a restart of ICE may take.
const RESTART: Duration = Duration::from_secs(8);

/// Does the act; whether the call can go on.
pub(super) async fn act(stage: &mut Stage<'_, '_, '_>, line: &mut Line, act: Act) -> Result<bool, Lost> {
    let plain = Exchange::default();
    let restart = Exchange { ice_restart: true, ..Exchange::default() };
    match act {
        Act::Media => media(stage, line).await,
        Act::TargetAddsVideo => target_adds_video(stage, line).await,
        Act::FincertAddsVideo => fincert_adds_video(stage, line).await,
        Act::TargetRenegotiates => renegotiate(stage, line, End::Target, &plain).await,
        Act::FincertRenegotiates => renegotiate(stage, line, End::Fincert, &plain).await,
        Act::TenRenegotiations => {
            for turn in 0..10 {
                let offerer = if turn % 2 == 0 { End::Target } else { End::Fincert };
                if !renegotiate(stage, line, offerer, &plain).await? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Act::TargetRestartsIce => restarted(stage, line, End::Target, &restart).await,
        Act::FincertRestartsIce => restarted(stage, line, End::Fincert, &restart).await,
        Act::TargetStopsTracks => target_stops_tracks(stage, line).await,
        Act::TargetCloses => target_closes(stage, line).await,
        Act::FincertCloses => fincert_closes(stage, line).await,
        Act::FincertVanishes => fincert_vanishes(stage, line).await,
    }
}

/// Media both ways, of every kind.
pub(super) async fn media(stage: &mut Stage<'_, '_, '_>, line: &Line) -> Result<bool, Lost> {
    let mut all = true;
    for kind in line.with.target_sends.clone() {
        all &= rtp(stage, line.slot, kind).await?;
    }
    for kind in line.with.fincert_sends.clone() {
        all &= reported(stage, line.slot, kind).await?;
    }
    count(stage, line.slot);
    Ok(all)
}

/// Waits for RTP of a kind that is newer than this moment.
async fn rtp(stage: &mut Stage<'_, '_, '_>, slot: usize, kind: MediaKind) -> Result<bool, Lost> {
    let before = packets(&stage.slots[slot].peer.evidence(), kind);
    stage
        .until(
            End::Fincert,
            Await::Rtp,
            kind.as_str(),
            RTP,
            |stage| packets(&stage.slots[slot].peer.evidence(), kind) > before,
            |stage| seen(&stage.slots[slot].peer.evidence()),
        )
        .await
}

/// Waits for a receiver report of the target that tells of newer packets than those before this moment.
async fn reported(stage: &mut Stage<'_, '_, '_>, slot: usize, kind: MediaKind) -> Result<bool, Lost> {
    let before = last_report(&stage.slots[slot].peer.evidence(), kind);
    stage
        .until(
            End::Fincert,
            Await::ReceiverReport,
            kind.as_str(),
            REPORT,
            |stage| last_report(&stage.slots[slot].peer.evidence(), kind) > before,
            |stage| {
                let evidence = stage.slots[slot].peer.evidence();
                let sent = evidence.sent.iter().filter(|sent| sent.kind == kind);
                let (packets, reports) = sent.fold((0, 0), |all, sent| (all.0 + sent.packets, all.1 + sent.reports));
                format!(
                    "fincert sent {packets} packets of {}, the target reported on them {reports} times",
                    kind.as_str()
                )
            },
        )
        .await
}

fn packets(evidence: &Evidence, kind: MediaKind) -> u64 {
    evidence.received.iter().filter(|stream| stream.kind == Some(kind)).map(|stream| stream.packets).sum()
}

fn last_report(evidence: &Evidence, kind: MediaKind) -> Option<u32> {
    evidence.sent.iter().filter(|sent| sent.kind == kind).filter_map(|sent| sent.last_reported).max()
}

/// What did come, in words.
fn seen(evidence: &Evidence) -> String {
    if evidence.received.is_empty() {
        return "no RTP at all".to_owned();
    }
    let streams = evidence.received.iter().take(4).map(|stream| {
        let kind = stream.kind.map_or("unknown kind", MediaKind::as_str);
        format!("{} packets of {kind} (payload type {})", stream.packets, stream.payload_type)
    });
    streams.collect::<Vec<_>>().join(", ")
}

/// A new exchange; the connection must stay up.
async fn renegotiate(stage: &mut Stage<'_, '_, '_>, line: &Line, offerer: End, how: &Exchange) -> Result<bool, Lost> {
    let done = exchange(stage, line.slot, offerer, how).await? && both_connected(stage, line, RESTART).await?;
    stage.settle_pending().await?;
    count(stage, line.slot);
    Ok(done)
}

/// A restart of ICE, and media that goes on afterwards (RFC 8445 section 9).
async fn restarted(stage: &mut Stage<'_, '_, '_>, line: &Line, offerer: End, how: &Exchange) -> Result<bool, Lost> {
    count(stage, line.slot);
    if !renegotiate(stage, line, offerer, how).await? {
        return Ok(false);
    }
    // The old pair may carry media until the new one is selected.
    stage.idle(Duration::from_millis(500)).await?;
    let mut all = true;
    for kind in line.with.target_sends.clone() {
        all &= rtp(stage, line.slot, kind).await?;
    }
    for kind in line.with.fincert_sends.clone() {
        all &= reported(stage, line.slot, kind).await?;
    }
    count(stage, line.slot);
    Ok(all)
}

async fn target_adds_video(stage: &mut Stage<'_, '_, '_>, line: &mut Line) -> Result<bool, Lost> {
    count(stage, line.slot);
    let added = tracks(stage, &[MediaKind::Video]).await?;
    for (_, track) in &added {
        let args = vec![json!({"$handle": track})];
        stage.call(Some(&line.pc), "RTCPeerConnection.addTrack", args, None).await?;
    }
    if added.is_empty() {
        return Ok(false);
    }
    line.tracks.extend(added);
    if !renegotiate(stage, line, End::Target, &Exchange::default()).await? {
        return Ok(false);
    }
    let all = rtp(stage, line.slot, MediaKind::Video).await?;
    count(stage, line.slot);
    Ok(all)
}

async fn fincert_adds_video(stage: &mut Stage<'_, '_, '_>, line: &mut Line) -> Result<bool, Lost> {
    count(stage, line.slot);
    let peer = Arc::clone(&stage.slots[line.slot].peer);
    if let Err(error) = peer.add_track(MediaKind::Video).await {
        failed(stage, line.slot, "addTrack", &error);
        return Ok(false);
    }
    let pc = line.pc.clone();
    let before = stage.count_events(&pc, "track");
    if !renegotiate(stage, line, End::Fincert, &Exchange::default()).await? {
        return Ok(false);
    }
    stage
        .until(
            End::Target,
            Await::Event,
            "track",
            EVENT,
            |stage| stage.count_events(&pc, "track") > before,
            |_| "no further track event".to_owned(),
        )
        .await?;
    let all = reported(stage, line.slot, MediaKind::Video).await?;
    count(stage, line.slot);
    Ok(all)
}

async fn target_stops_tracks(stage: &mut Stage<'_, '_, '_>, line: &mut Line) -> Result<bool, Lost> {
    count(stage, line.slot);
    stage.idle(WATCH).await?;
    count(stage, line.slot);
    for (_, track) in std::mem::take(&mut line.tracks) {
        stage.call(Some(&track), "MediaStreamTrack.stop", Vec::new(), None).await?;
    }
    // What is under way, and what an encoder still holds.
    stage.idle(Duration::from_millis(700)).await?;
    count(stage, line.slot);
    stage.idle(WATCH).await?;
    count(stage, line.slot);
    Ok(true)
}

async fn target_closes(stage: &mut Stage<'_, '_, '_>, line: &mut Line) -> Result<bool, Lost> {
    count(stage, line.slot);
    line.closed = true;
    stage.call(Some(&line.pc), "RTCPeerConnection.close", Vec::new(), None).await?;
    closed_states(stage, &line.pc).await?;
    stage.idle(WATCH).await?;
    count(stage, line.slot);
    let slot = line.slot;
    stage
        .until(
            End::Fincert,
            Await::PeerDisconnected,
            "",
            DISCONNECTED,
            |stage| !matches!(stage.slots[slot].connection.as_str(), "connected" | "connecting"),
            |stage| format!("fincert's connection is still {}", stage.slots[slot].connection),
        )
        .await?;
    count(stage, line.slot);
    Ok(false)
}

async fn fincert_closes(stage: &mut Stage<'_, '_, '_>, line: &mut Line) -> Result<bool, Lost> {
    let peer = Arc::clone(&stage.slots[line.slot].peer);
    peer.close().await;
    stage.did(line.slot, PeerDid::Closed);
    gone(stage, line, Await::TargetDisconnected, DISCONNECTED, &["disconnected", "failed", "closed"]).await?;
    Ok(false)
}

async fn fincert_vanishes(stage: &mut Stage<'_, '_, '_>, line: &mut Line) -> Result<bool, Lost> {
    let peer = Arc::clone(&stage.slots[line.slot].peer);
    peer.vanish().await;
    stage.did(line.slot, PeerDid::Vanished);
    if gone(stage, line, Await::TargetDisconnected, DISCONNECTED, &["disconnected", "failed"]).await? {
        gone(stage, line, Await::TargetFailed, FAILED, &["failed"]).await?;
    }
    Ok(false)
}

/// Waits until the target's iceConnectionState is one of the words.
async fn gone(
    stage: &mut Stage<'_, '_, '_>,
    line: &Line,
    what: Await,
    patience: Duration,
    words: &[&str],
) -> Result<bool, Lost> {
    let began = Instant::now();
    let name = "iceConnectionState";
    let is = |value: &Value| value.as_str().is_some_and(|state| words.contains(&state));
    let by_event = what == Await::TargetDisconnected;
    let mut last = Value::Null;
    let mut met = false;
    while began.elapsed() < patience {
        last = stage.get(&line.pc, name).await?.unwrap_or(Value::Null);
        // A short disconnected may pass between two looks; the event tells of it.
        let told = by_event && stage.ice_states_told(&line.pc).any(|state| words.contains(&state));
        met = is(&last) || told;
        if met {
            break;
        }
        stage.idle(Duration::from_millis(100)).await?;
    }
    stage.read(&line.pc, name).await?;
    let instead =
        if met { String::new() } else { stage.drive.capture.text(&format!("iceConnectionState is still {last}"), 80) };
    let waited = if met { began.elapsed() } else { patience };
    stage.awaited(End::Target, what, "", met, waited, instead);
    Ok(met)
}

/// Marks an act that a flow of its own goes through.
pub(super) fn mark(stage: &mut Stage<'_, '_, '_>, act: Act) {
    stage.note(What::Act { act });
}
