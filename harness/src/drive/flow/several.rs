//! Two calls at once, and both ends offering at once.

use std::sync::Arc;
use std::time::Duration;

use fincert_peer::{Description, SdpKind};
use fincert_schemas::run::flow::{Act, End, FlowOptions};
use serde_json::json;

use super::Network;
use super::acts;
use super::call::{both_connected, count, hang_up, set_up};
use super::negotiate::{Exchange, exchange, failed, local, remote};
use super::stage::Stage;
use crate::drive::session::Lost;

/// How long both ends may take to connect.
const CONNECT: Duration = Duration::from_secs(8);

/// Two connections of the target to two peers, both up at once, with media on both.
pub(super) async fn two_calls(stage: &mut Stage<'_, '_, '_>, with: &FlowOptions, lent: &Network) -> Result<(), Lost> {
    let mut lines = Vec::new();
    for offerer in [End::Target, End::Fincert] {
        let with = FlowOptions { offerer, ..with.clone() };
        let Some(line) = set_up(stage, &with, lent).await? else { break };
        if !exchange(stage, line.slot, offerer, &Exchange::default()).await?
            || !both_connected(stage, &line, CONNECT).await?
        {
            lines.push(line);
            break;
        }
        lines.push(line);
    }
    if lines.len() == 2 {
        acts::mark(stage, Act::Media);
        for line in &mut lines {
            if !acts::media(stage, line).await? {
                break;
            }
        }
    }
    stage.settle_pending().await?;
    for line in &mut lines {
        hang_up(stage, line).await?;
    }
    Ok(())
}

/// Both ends offer at once. The target may roll back and answer, or refuse until it is its turn; then the peer rolls
/// back (RFC 9429 section 4.1.10.2; perfect negotiation). Either way the call must come up in the end.
pub(super) async fn glare(stage: &mut Stage<'_, '_, '_>, with: &FlowOptions, lent: &Network) -> Result<(), Lost> {
    let Some(mut line) = set_up(stage, with, lent).await? else { return Ok(()) };
    if both_offer(stage, &line.pc.clone(), line.slot).await? {
        both_connected(stage, &line, CONNECT).await?;
        count(stage, line.slot);
    }
    stage.settle_pending().await?;
    hang_up(stage, &mut line).await
}

async fn both_offer(stage: &mut Stage<'_, '_, '_>, pc: &str, slot: usize) -> Result<bool, Lost> {
    let Some(theirs) = local(stage, slot, SdpKind::Offer, &Exchange::default()).await? else { return Ok(false) };
    let mine = stage.call(Some(pc), "RTCPeerConnection.createOffer", Vec::new(), None).await?;
    if !mine.worked() {
        return Ok(false);
    }
    let set = stage.call(Some(pc), "RTCPeerConnection.setLocalDescription", vec![mine.value.clone()], None).await?;
    if !set.worked() {
        return Ok(false);
    }
    let args = vec![json!({"type": "offer", "sdp": theirs})];
    let crossed = stage.call(Some(pc), "RTCPeerConnection.setRemoteDescription", args, Some("glare")).await?;
    let state = stage.read(pc, "signalingState").await?;
    if crossed.worked() && state == "have-remote-offer" {
        let answer = stage.call(Some(pc), "RTCPeerConnection.createAnswer", Vec::new(), None).await?;
        if !answer.worked() {
            return Ok(false);
        }
        let args = vec![answer.value.clone()];
        let set = stage.call(Some(pc), "RTCPeerConnection.setLocalDescription", args, None).await?;
        let sdp = answer.value.get("sdp").and_then(|sdp| sdp.as_str()).unwrap_or_default().to_owned();
        if !set.worked() || !remote(stage, slot, SdpKind::Answer, &sdp).await {
            return Ok(false);
        }
    } else if !yielded(stage, pc, slot, &mine.value).await? {
        return Ok(false);
    }
    stage.slots[slot].flowing = true;
    stage.across(slot).await?;
    Ok(true)
}

/// The peer rolls back and answers the target's offer.
async fn yielded(
    stage: &mut Stage<'_, '_, '_>,
    pc: &str,
    slot: usize,
    offer: &serde_json::Value,
) -> Result<bool, Lost> {
    let peer = Arc::clone(&stage.slots[slot].peer);
    let back = Description { kind: SdpKind::Rollback, sdp: String::new() };
    if let Err(error) = peer.set_local_description(&back).await {
        failed(stage, slot, "rollback", &error);
        return Ok(false);
    }
    // Candidates of the offer that was taken back are worth nothing.
    stage.slots[slot].sent = stage.slots[slot].own.len();
    let sdp = offer.get("sdp").and_then(|sdp| sdp.as_str()).unwrap_or_default().to_owned();
    if !remote(stage, slot, SdpKind::Offer, &sdp).await {
        return Ok(false);
    }
    let Some(answer) = local(stage, slot, SdpKind::Answer, &Exchange::default()).await? else { return Ok(false) };
    let args = vec![json!({"type": "answer", "sdp": answer})];
    Ok(stage.call(Some(pc), "RTCPeerConnection.setRemoteDescription", args, None).await?.worked())
}
