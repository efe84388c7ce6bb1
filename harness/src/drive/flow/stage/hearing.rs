//! What both ends say meanwhile: events of the target's, events of the peers', and the candidates that go across.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fincert_peer::{Candidate, PeerEvent};
use fincert_schemas::bridge::EventParams;
use fincert_schemas::run::flow::PeerDid;
use serde_json::Value;

use super::{Heard, Stage, TICK, init};
use crate::drive::session::Lost;

/// No state of ICE has a longer name.
const MAX_STATE: usize = 32;
/// How many candidates of the target are handed to the peer, and how many of the peer's to the target.
const MAX_CANDIDATES: usize = 100;

impl Stage<'_, '_, '_> {
    /// Lets time pass while both ends are heard.
    pub(in crate::drive::flow) async fn idle(&mut self, time: Duration) -> Result<(), Lost> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.pump(until).await?;
        }
        Ok(())
    }

    /// Hears one thing of either end, or sees a tick or the deadline pass; whether something was heard.
    pub(in crate::drive::flow) async fn pump(&mut self, deadline: Instant) -> Result<bool, Lost> {
        let until = deadline.min(Instant::now() + TICK);
        let heard = tokio::select! {
            heard = self.session.hear(until, self.drive.capture) => heard?,
            Some((slot, event)) = self.peers.1.recv() => {
                self.peer_event(slot, event);
                true
            }
        };
        self.heard().await?;
        Ok(heard)
    }

    /// Looks at what was heard, and lets candidates go across.
    pub(super) async fn heard(&mut self) -> Result<(), Lost> {
        while let Ok((slot, event)) = self.peers.1.try_recv() {
            self.peer_event(slot, event);
        }
        for event in std::mem::take(&mut self.session.scene.heard) {
            if event.kind == "icecandidate" {
                self.target_candidate(&event);
            }
            let ice = event.event.get("iceConnectionState").and_then(Value::as_str);
            let ice = ice.filter(|state| state.len() <= MAX_STATE).map(str::to_owned);
            self.events.push(Heard { this: event.this, kind: event.kind, ice });
        }
        for slot in 0..self.slots.len() {
            if self.slots[slot].flowing {
                self.across(slot).await?;
            }
        }
        let made = &self.session.made;
        self.pending.retain(|id| made.get(id).is_some_and(|made| !made.settled));
        Ok(())
    }

    fn peer_event(&mut self, slot: usize, event: PeerEvent) {
        let did = match event {
            PeerEvent::Candidate(candidate) => {
                let did = PeerDid::Candidate { local: true, candidate: candidate.candidate.clone(), refused: None };
                if self.slots[slot].own.len() < MAX_CANDIDATES {
                    self.slots[slot].own.push(candidate);
                }
                did
            }
            PeerEvent::GatheringComplete => {
                self.slots[slot].gathered = true;
                return;
            }
            PeerEvent::Ice(state) => {
                self.slots[slot].ice.clone_from(&state);
                PeerDid::Ice { state }
            }
            PeerEvent::Connection(state) => {
                self.slots[slot].connection.clone_from(&state);
                PeerDid::Connection { state }
            }
            PeerEvent::Track { kind, mid } => PeerDid::Track { kind, mid },
        };
        self.did(slot, did);
    }

    fn target_candidate(&mut self, event: &EventParams) {
        let Some(slot) = self.slots.iter().position(|slot| slot.pc == event.this) else { return };
        let raw = event.event.get("candidate").unwrap_or(&Value::Null);
        match raw.get("candidate").and_then(Value::as_str).filter(|text| !text.is_empty()) {
            Some(text) if self.slots[slot].theirs.len() < MAX_CANDIDATES => {
                let mid = raw.get("sdpMid").and_then(Value::as_str).map(str::to_owned);
                let index = raw.get("sdpMLineIndex").and_then(Value::as_u64).and_then(|n| u16::try_from(n).ok());
                self.slots[slot].theirs.push(Candidate {
                    candidate: text.to_owned(),
                    sdp_mid: mid,
                    sdp_m_line_index: index,
                    username_fragment: raw.get("usernameFragment").and_then(Value::as_str).map(str::to_owned),
                });
            }
            Some(_) => {}
            None if raw.is_null()
                || raw.as_object().is_some_and(|object| object.get("candidate").is_none_or(|c| c == "")) =>
            {
                self.slots[slot].target_gathered = true;
            }
            None => {}
        }
    }

    /// Hands over the candidates that have come, in both directions.
    pub(in crate::drive::flow) async fn across(&mut self, slot: usize) -> Result<(), Lost> {
        while self.slots[slot].handed < self.slots[slot].theirs.len() {
            let candidate = self.slots[slot].theirs[self.slots[slot].handed].clone();
            self.slots[slot].handed += 1;
            for _ in 0..self.slots[slot].copies {
                self.hand_over(slot, &candidate).await;
            }
        }
        while self.slots[slot].sent < self.slots[slot].own.len() {
            let candidate = self.slots[slot].own[self.slots[slot].sent].clone();
            self.slots[slot].sent += 1;
            for _ in 0..self.slots[slot].copies {
                let pc = self.slots[slot].pc.clone();
                let id =
                    self.start(Some(&pc), "RTCPeerConnection.addIceCandidate", vec![init(&candidate)], None).await?;
                self.pending.push(id);
            }
        }
        Ok(())
    }

    async fn hand_over(&mut self, slot: usize, candidate: &Candidate) {
        let peer = Arc::clone(&self.slots[slot].peer);
        let refused = peer.add_candidate(candidate).await.err().map(|error| error.to_string());
        let refused = refused.map(|why| self.drive.capture.text(&why, 160));
        let text = self.drive.capture.sdp(&candidate.candidate);
        self.did(slot, PeerDid::Candidate { local: false, candidate: text, refused });
    }
}
