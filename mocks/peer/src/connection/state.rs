//! What a connection is at a moment. All its changes are told in the order in which they happen.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use fincert_schemas::run::flow::MediaKind;

use crate::connection::config::{ConnectionEvent, Notice};
use crate::peer::{Candidate, Description, SdpKind};
use crate::policy::candidate::{self, Place};
use crate::policy::origin::Origin;
use crate::policy::setup::Role;
use crate::policy::{Text, text};
use crate::rtc::{EngineEvent, Outlet};
use crate::track::LocalTrack;

/// RTCSignalingState (W3C webrtc-pc 4.3.1), without provisional answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signaling {
    Stable,
    HaveLocalOffer,
    HaveRemoteOffer,
    Closed,
}

impl Signaling {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::HaveLocalOffer => "have-local-offer",
            Self::HaveRemoteOffer => "have-remote-offer",
            Self::Closed => "closed",
        }
    }
}

/// A description without its candidates.
#[derive(Debug, Clone)]
pub(super) struct Bare {
    pub(super) kind: SdpKind,
    pub(super) text: Text,
}

/// A description that createOffer or createAnswer made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    /// As it was told.
    pub(super) told: String,
    /// As the engine made it.
    pub(super) engine: String,
    /// The told one without candidates.
    pub(super) bare: Text,
}

/// A remote description, and the candidates that came for it.
#[derive(Debug, Clone)]
pub(super) struct Remote {
    pub(super) kind: SdpKind,
    /// As it came.
    pub(super) sdp: String,
    pub(super) text: Text,
    /// Candidates that were added, with the index of their m-line.
    pub(super) added: Vec<(usize, String)>,
}

/// A track that was added.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) track: LocalTrack,
    pub(super) outlet: Arc<Outlet>,
}

/// See the module.
pub(super) struct State {
    pub(super) signaling: Signaling,
    pub(super) ice: String,
    pub(super) gathering: &'static str,
    pub(super) connection: String,
    pub(super) current_local: Option<Bare>,
    pub(super) pending_local: Option<Bare>,
    pub(super) current_remote: Option<Remote>,
    pub(super) pending_remote: Option<Remote>,
    pub(super) last_offer: Option<Made>,
    pub(super) last_answer: Option<Made>,
    pub(super) origin: Origin,
    pub(super) role: Option<Role>,
    pub(super) senders: Vec<Sender>,
    /// The kinds for which offerToReceive has made an m-line.
    pub(super) receivers: Vec<MediaKind>,
    /// `[[NegotiationNeeded]]`.
    pub(super) needed: bool,
    /// The mids for which `track` was told and whose media go on.
    pub(super) tracks: BTreeSet<String>,
    /// Candidates of our own, of the user fragment in force.
    pub(super) candidates: Vec<Candidate>,
    pub(super) gathered: bool,
    /// Where candidates belong.
    pub(super) place: Option<Place>,
    /// How many candidates of the other end were handed to the engine.
    pub(super) dialled: usize,
    /// Engine events wait here while a description is being put in force.
    held: Option<Vec<EngineEvent>>,
    tell: Box<dyn Fn(Notice) + Send + Sync>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("signaling", &self.signaling).field("ice", &self.ice).finish_non_exhaustive()
    }
}

impl State {
    pub(super) fn new(tell: Box<dyn Fn(Notice) + Send + Sync>) -> Self {
        Self {
            signaling: Signaling::Stable,
            ice: "new".to_owned(),
            gathering: "new",
            connection: "new".to_owned(),
            current_local: None,
            pending_local: None,
            current_remote: None,
            pending_remote: None,
            last_offer: None,
            last_answer: None,
            origin: Origin::default(),
            role: None,
            senders: Vec::new(),
            receivers: Vec::new(),
            needed: false,
            tracks: BTreeSet::new(),
            candidates: Vec::new(),
            gathered: false,
            place: None,
            dialled: 0,
            held: None,
            tell,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.signaling == Signaling::Closed
    }

    pub(super) fn tell(&self, event: ConnectionEvent) {
        if !self.is_closed() {
            (self.tell)(Notice::Event(event));
        }
    }

    pub(super) fn set_signaling(&mut self, signaling: Signaling) {
        if self.signaling != signaling && !self.is_closed() {
            self.signaling = signaling;
            self.tell(ConnectionEvent::SignalingState(signaling.as_str().to_owned()));
        }
    }

    /// Nothing is told any more.
    pub(super) fn mute(&mut self) {
        self.tell = Box::new(|_| {});
    }

    /// Everything is closed (W3C webrtc-pc, close the connection), and nothing more is told.
    pub(super) fn close(&mut self) {
        self.signaling = Signaling::Closed;
        self.ice = "closed".to_owned();
        self.connection = "closed".to_owned();
        self.held = None;
    }

    /// Engine events wait from now on.
    pub(super) fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    /// Engine events that waited are taken.
    pub(super) fn release(&mut self) {
        for event in self.held.take().unwrap_or_default() {
            self.take(event);
        }
    }

    pub(super) fn take(&mut self, event: EngineEvent) {
        if self.is_closed() {
            return;
        }
        if let Some(held) = &mut self.held {
            held.push(event);
            return;
        }
        match event {
            EngineEvent::Candidate(text) => self.candidate(&text),
            EngineEvent::Gathered => self.gathered(),
            EngineEvent::Ice(state) if self.ice != state => {
                self.ice.clone_from(&state);
                self.tell(ConnectionEvent::IceConnectionState(state));
            }
            EngineEvent::Connection(state) if self.connection != state => {
                self.connection.clone_from(&state);
                self.tell(ConnectionEvent::ConnectionState(state));
            }
            EngineEvent::Ice(_) | EngineEvent::Connection(_) => {}
            EngineEvent::FarEndClosed => (self.tell)(Notice::FarEndClosed),
        }
    }

    /// Candidates belong to the local description that was put in force. One with other credentials begins a new
    /// gathering; the engine tells of each gathering, and what it found before it does not tell again.
    pub(super) fn gather_for(&mut self, local: &Text) {
        let Some(place) = Place::of(local) else { return };
        let ufrag = |place: &Option<Place>| place.as_ref().and_then(|place| place.ufrag.clone());
        let next = Some(place);
        if ufrag(&self.place) == ufrag(&next) && self.place.is_some() {
            self.place = next;
            return;
        }
        let before = std::mem::take(&mut self.candidates);
        self.place = next;
        self.gathered = false;
        self.set_gathering("gathering");
        for candidate in before {
            self.candidate(&candidate.candidate);
        }
    }

    fn candidate(&mut self, text: &str) {
        let Some(place) = &self.place else { return };
        let candidate = place.tell(text);
        // The engine gathers anew for every description, and finds the same.
        if self.gathered || self.candidates.iter().any(|other| other.candidate == candidate.candidate) {
            return;
        }
        self.candidates.push(candidate.clone());
        self.tell(ConnectionEvent::Candidate(Some(candidate)));
    }

    fn gathered(&mut self) {
        if self.gathered || self.place.is_none() {
            return;
        }
        self.gathered = true;
        self.set_gathering("complete");
        self.tell(ConnectionEvent::Candidate(None));
    }

    fn set_gathering(&mut self, state: &'static str) {
        if self.gathering != state {
            self.gathering = state;
            self.tell(ConnectionEvent::GatheringState(state.to_owned()));
        }
    }

    /// A local description with the candidates gathered so far.
    pub(super) fn told(&self, bare: Option<&Bare>) -> Option<Description> {
        let bare = bare?;
        Some(Description { kind: bare.kind, sdp: self.with_candidates(&bare.text).write() })
    }

    pub(super) fn with_candidates(&self, bare: &Text) -> Text {
        let mut text = bare.clone();
        let place = Place::of(bare);
        let ufrag = place.and_then(|place| place.ufrag);
        let of_it = |candidate: &&Candidate| candidate.username_fragment == ufrag;
        if self.place.as_ref().and_then(|place| place.ufrag.clone()) == ufrag {
            let candidates = self.candidates.iter().filter(of_it).map(|candidate| candidate.candidate.as_str());
            candidate::fill(&mut text, candidates, self.gathered);
        }
        text
    }

    /// The remote description in force, with the candidates that were added.
    pub(super) fn remote(&self) -> Option<&Remote> {
        self.pending_remote.as_ref().or(self.current_remote.as_ref())
    }

    pub(super) fn remote_mut(&mut self) -> Option<&mut Remote> {
        self.pending_remote.as_mut().or(self.current_remote.as_mut())
    }

    pub(super) fn local(&self) -> Option<&Bare> {
        self.pending_local.as_ref().or(self.current_local.as_ref())
    }
}

impl Remote {
    pub(super) fn told(&self) -> Description {
        if self.added.is_empty() {
            return Description { kind: self.kind, sdp: self.sdp.clone() };
        }
        let mut text = self.text.clone();
        for (index, candidate) in &self.added {
            if let Some(lines) = text.media.get_mut(*index) {
                lines.push(format!("a={candidate}"));
            }
        }
        Description { kind: self.kind, sdp: text.write() }
    }

    /// The m-line that a candidate names.
    pub(super) fn section(&self, candidate: &Candidate) -> Option<usize> {
        let media = &self.text.media;
        match (&candidate.sdp_mid, candidate.sdp_m_line_index) {
            (Some(mid), _) => media.iter().position(|lines| text::value(lines, "mid") == Some(mid)),
            (None, Some(index)) => Some(usize::from(index)).filter(|index| *index < media.len()),
            (None, None) => None,
        }
    }
}
