//! Two ends on one machine.
#![allow(missing_docs, clippy::unwrap_used, dead_code, unreachable_pub)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use fincert_peer::{
    Candidate, Description, OfferOptions, Peer, PeerConfig, PeerError, PeerEvent, SdpKind, webrtc_peer,
};
use fincert_schemas::run::flow::{Evidence, MediaKind};
use tokio::sync::mpsc;

/// So long a test waits for something before it fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct End {
    pub peer: Arc<dyn Peer>,
    pub events: mpsc::Receiver<PeerEvent>,
    /// All that was told so far.
    pub told: Vec<PeerEvent>,
}

impl End {
    pub async fn new(config: PeerConfig) -> Self {
        let (peer, events) = webrtc_peer(config).await.unwrap();
        Self { peer, events, told: Vec::new() }
    }

    pub async fn sending(config: PeerConfig, kinds: &[MediaKind]) -> Self {
        let end = Self::new(config).await;
        for kind in kinds {
            end.peer.add_track(*kind).await.unwrap();
        }
        end
    }

    /// Waits for an event, and passes the others by.
    pub async fn wait(&mut self, is_it: impl Fn(&PeerEvent) -> bool) -> PeerEvent {
        self.wait_within(PATIENCE, is_it).await.unwrap_or_else(|| panic!("it was told {:?}", self.told))
    }

    pub async fn wait_within(&mut self, patience: Duration, is_it: impl Fn(&PeerEvent) -> bool) -> Option<PeerEvent> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let event = tokio::time::timeout_at(deadline, self.events.recv()).await.ok()??;
            self.told.push(event.clone());
            if is_it(&event) {
                return Some(event);
            }
        }
    }

    /// Waits until a connection state was told.
    pub async fn state(&mut self, state: &str) {
        if self.last_state() == Some(state) {
            return;
        }
        self.wait(|event| *event == PeerEvent::Connection(state.to_owned())).await;
    }

    /// Waits until this state of ICE was told, sooner or later.
    pub async fn ice(&mut self, state: &str) {
        let event = PeerEvent::Ice(state.to_owned());
        if !self.told.contains(&event) {
            self.wait(|told| *told == event).await;
        }
    }

    fn last_state(&self) -> Option<&str> {
        self.told.iter().rev().find_map(|event| match event {
            PeerEvent::Connection(state) => Some(state.as_str()),
            _ => None,
        })
    }

    /// Takes what waits.
    pub fn drain(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.told.push(event);
        }
    }

    pub fn candidates(&mut self) -> Vec<Candidate> {
        self.drain();
        let of = |event: &PeerEvent| match event {
            PeerEvent::Candidate(candidate) => Some(candidate.clone()),
            _ => None,
        };
        self.told.iter().filter_map(of).collect()
    }

    pub async fn gathered(&mut self) {
        if !self.told.contains(&PeerEvent::GatheringComplete) {
            self.wait(|event| *event == PeerEvent::GatheringComplete).await;
        }
    }

    pub fn tracks(&mut self) -> Vec<(MediaKind, String)> {
        self.drain();
        let of = |event: &PeerEvent| match event {
            PeerEvent::Track { kind, mid } => Some((*kind, mid.clone())),
            _ => None,
        };
        self.told.iter().filter_map(of).collect()
    }

    /// Waits until the evidence says so.
    pub async fn shows(&self, what: &str, says: impl Fn(&Evidence) -> bool) -> Evidence {
        let began = Instant::now();
        loop {
            let evidence = self.peer.evidence();
            if says(&evidence) {
                return evidence;
            }
            assert!(began.elapsed() < PATIENCE, "{what}: {evidence:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// An offer and its answer, put in force at both ends; candidates are left aside.
pub async fn negotiate(from: &End, to: &End, options: &OfferOptions) -> (Description, Description) {
    let offer = from.peer.create_offer(options).await.unwrap();
    from.peer.set_local_description(&offer).await.unwrap();
    to.peer.set_remote_description(&offer).await.unwrap();
    let answer = to.peer.create_answer().await.unwrap();
    to.peer.set_local_description(&answer).await.unwrap();
    from.peer.set_remote_description(&answer).await.unwrap();
    (offer, answer)
}

/// Hands each end's candidates to the other, as often as both have gathered.
pub async fn trickle(a: &mut End, b: &mut End) {
    a.gathered().await;
    b.gathered().await;
    for candidate in a.candidates() {
        b.peer.add_candidate(&candidate).await.unwrap();
    }
    for candidate in b.candidates() {
        a.peer.add_candidate(&candidate).await.unwrap();
    }
    a.peer.end_of_candidates().await.unwrap();
    b.peer.end_of_candidates().await.unwrap();
}

pub async fn connect(a: &mut End, b: &mut End) {
    negotiate(a, b, &OfferOptions::default()).await;
    trickle(a, b).await;
    a.state("connected").await;
    b.state("connected").await;
}

pub const BOTH: [MediaKind; 2] = [MediaKind::Audio, MediaKind::Video];

pub async fn connected(kinds: &[MediaKind]) -> (End, End) {
    let mut a = End::sending(PeerConfig::default(), kinds).await;
    let mut b = End::sending(PeerConfig::default(), kinds).await;
    connect(&mut a, &mut b).await;
    (a, b)
}

/// Whether RTP of the kind has come, more than `past` packets.
pub fn got(evidence: &Evidence, kind: MediaKind, past: u64) -> bool {
    evidence.received.iter().filter(|got| got.kind == Some(kind)).map(|got| got.packets).sum::<u64>() > past
}

/// Whether a receiver report of the kind has advanced.
pub fn reported(evidence: &Evidence, kind: MediaKind) -> bool {
    evidence.sent.iter().any(|sent| {
        sent.kind == kind
            && sent.first_reported.is_some_and(|first| sent.last_reported.is_some_and(|last| last > first))
    })
}

pub async fn close(ends: [End; 2]) {
    for end in ends {
        end.peer.close().await;
    }
}

pub fn rollback() -> Description {
    Description { kind: SdpKind::Rollback, sdp: String::new() }
}

pub fn is_state(error: &PeerError) -> bool {
    matches!(error, PeerError::State(_))
}
