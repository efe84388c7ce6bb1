//! What must be refused and leave the state unchanged, and what a closed connection does with every method.

use std::sync::Arc;

use fincert_peer::{Candidate, OfferOptions, PeerConfig};
use fincert_schemas::run::flow::{FlowOptions, MediaKind};
use serde_json::{Value, json};

use super::Network;
use super::call::{closed_states, create, media, set_up};
use super::negotiate::{Exchange, exchange};
use super::rewrite;
use super::stage::{Stage, handle_of};
use crate::drive::session::Lost;

pub(super) async fn drive(stage: &mut Stage<'_, '_, '_>, lent: &Network) -> Result<(), Lost> {
    options(stage).await?;
    let Some(offer) = an_offer(stage, lent).await else { return Ok(()) };
    in_stable(stage, &offer).await?;
    descriptions(stage, &offer).await?;
    candidates(stage, lent).await?;
    tracks(stage).await
}

/// An offer of a peer that is not used for anything else.
async fn an_offer(stage: &mut Stage<'_, '_, '_>, lent: &Network) -> Option<String> {
    let config =
        PeerConfig { epoch: stage.session.scene.began, addresses: lent.addresses.clone(), ..PeerConfig::default() };
    let (peer, _events) = crate::referee::peer(stage.drive.referee, config).await.ok()?;
    for kind in [MediaKind::Audio, MediaKind::Video] {
        peer.add_track(kind).await.ok()?;
    }
    let offer = peer.create_offer(&OfferOptions::default()).await.ok();
    peer.close().await;
    offer.map(|offer| offer.sdp)
}

/// Bad ICE URLs, TURN without a credential, a bad policy.
async fn options(stage: &mut Stage<'_, '_, '_>) -> Result<(), Lost> {
    let cases = [
        (json!({"iceServers": [{"urls": "bogus"}]}), "bad-url"),
        (json!({"iceServers": [{"urls": "turn:127.0.0.1:9"}]}), "turn-without-credential"),
        (json!({"iceTransportPolicy": "bogus"}), "bad-policy"),
    ];
    for (options, purpose) in cases {
        let made = stage.call(None, "ft.webrtc.createRTCPeerConnection", vec![options], Some(purpose)).await?;
        if let Some(pc) = handle_of(&made.value) {
            stage.call(Some(&pc), "RTCPeerConnection.close", Vec::new(), None).await?;
        }
    }
    Ok(())
}

/// One refusal, with the state before and after.
async fn refused(
    stage: &mut Stage<'_, '_, '_>,
    pc: &str,
    method: &str,
    args: Vec<Value>,
    purpose: &str,
) -> Result<(), Lost> {
    stage.read(pc, "signalingState").await?;
    stage.call(Some(pc), &format!("RTCPeerConnection.{method}"), args, Some(purpose)).await?;
    stage.read(pc, "signalingState").await?;
    Ok(())
}

async fn in_stable(stage: &mut Stage<'_, '_, '_>, offer: &str) -> Result<(), Lost> {
    let Some(pc) = create(stage, &json!({})).await? else { return Ok(()) };
    refused(stage, &pc, "createAnswer", Vec::new(), "create-answer-in-stable").await?;
    let answer = offer.replace("a=setup:actpass", "a=setup:active");
    let args = vec![json!({"type": "answer", "sdp": answer})];
    refused(stage, &pc, "setRemoteDescription", args, "answer-in-stable").await?;
    close(stage, &pc).await
}

/// Descriptions that are none. Each has a connection of its own, so that one that is taken spoils no other.
async fn descriptions(stage: &mut Stage<'_, '_, '_>, offer: &str) -> Result<(), Lost> {
    let of = |sdp: &str| json!({"type": "offer", "sdp": sdp});
    let cases = [
        (of(""), "garbage-empty"),
        (of("garbage"), "garbage-text"),
        (json!({}), "garbage-object"),
        (json!({"type": "bogus", "sdp": offer}), "garbage-type"),
        (json!(offer), "description-string"),
        (of(&rewrite::without_ufrag(offer)), "no-ufrag"),
        (of(&rewrite::without_fingerprint(offer)), "no-fingerprint"),
    ];
    for (description, purpose) in cases {
        let Some(pc) = create(stage, &json!({})).await? else { return Ok(()) };
        refused(stage, &pc, "setRemoteDescription", vec![description], purpose).await?;
        close(stage, &pc).await?;
    }
    Ok(())
}

/// A candidate before any remote description, and candidates that fit nothing.
async fn candidates(stage: &mut Stage<'_, '_, '_>, lent: &Network) -> Result<(), Lost> {
    let Some(line) = set_up(stage, &FlowOptions::default(), lent).await? else { return Ok(()) };
    let host = "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host";
    let fit = json!({"candidate": host, "sdpMid": "0", "sdpMLineIndex": 0});
    refused(stage, &line.pc, "addIceCandidate", vec![fit], "candidate-before-description").await?;
    if exchange(stage, line.slot, line.with.offerer, &Exchange::default()).await? {
        let cases = [
            (json!({"candidate": host, "sdpMid": "no-such-mid"}), "candidate-unknown-mid"),
            (json!({"candidate": host, "sdpMLineIndex": 99}), "candidate-unknown-index"),
            (json!({"candidate": "candidate:bogus", "sdpMid": "0", "sdpMLineIndex": 0}), "candidate-malformed"),
        ];
        for (candidate, purpose) in cases {
            refused(stage, &line.pc, "addIceCandidate", vec![candidate], purpose).await?;
        }
    }
    let peer = Arc::clone(&stage.slots[line.slot].peer);
    close(stage, &line.pc).await?;
    peer.close().await;
    for (_, track) in &line.tracks {
        stage.call(Some(track), "MediaStreamTrack.stop", Vec::new(), None).await?;
    }
    Ok(())
}

async fn tracks(stage: &mut Stage<'_, '_, '_>) -> Result<(), Lost> {
    let Some(pc) = create(stage, &json!({})).await? else { return Ok(()) };
    let tracks = media(stage, &pc, &[MediaKind::Audio]).await?;
    if let Some((_, track)) = tracks.first() {
        refused(stage, &pc, "addTrack", vec![json!({"$handle": track})], "track-twice").await?;
    }
    refused(stage, &pc, "addTrack", vec![json!({"kind": "audio"})], "track-invalid").await?;
    close(stage, &pc).await?;
    for (_, track) in &tracks {
        stage.call(Some(track), "MediaStreamTrack.stop", Vec::new(), None).await?;
    }
    Ok(())
}

async fn close(stage: &mut Stage<'_, '_, '_>, pc: &str) -> Result<(), Lost> {
    stage.call(Some(pc), "RTCPeerConnection.close", Vec::new(), None).await.map(drop)
}

/// Every method of a connection that was closed, and close once more.
pub(super) async fn after_close(stage: &mut Stage<'_, '_, '_>, lent: &Network) -> Result<(), Lost> {
    let Some(pc) = create(stage, &json!({})).await? else { return Ok(()) };
    let Some(offer) = an_offer(stage, lent).await else { return Ok(()) };
    let own = super::call::tracks(stage, &[MediaKind::Audio]).await?;
    let mine = stage.call(Some(&pc), "RTCPeerConnection.createOffer", Vec::new(), None).await?;
    close(stage, &pc).await?;
    closed_states(stage, &pc).await?;
    let candidate = super::stage::init(&Candidate {
        candidate: "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host".to_owned(),
        sdp_mid: Some("0".to_owned()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    });
    let remote = json!({"type": "offer", "sdp": offer});
    let mut calls = vec![
        ("createOffer", Vec::new()),
        ("createAnswer", Vec::new()),
        ("setLocalDescription", vec![mine.value]),
        ("setRemoteDescription", vec![remote]),
        ("addIceCandidate", vec![candidate]),
    ];
    if let Some((_, track)) = own.first() {
        calls.push(("addTrack", vec![json!({"$handle": track})]));
    }
    for (method, args) in calls {
        stage.call(Some(&pc), &format!("RTCPeerConnection.{method}"), args, Some("after-close")).await?;
    }
    stage.call(Some(&pc), "RTCPeerConnection.getConfiguration", Vec::new(), Some("configuration-after-close")).await?;
    stage.call(Some(&pc), "RTCPeerConnection.close", Vec::new(), Some("close-again")).await?;
    closed_states(stage, &pc).await?;
    for (_, track) in &own {
        stage.call(Some(track), "MediaStreamTrack.stop", Vec::new(), None).await?;
    }
    Ok(())
}
