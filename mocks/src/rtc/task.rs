//! What is done about a call, before it is done.

use fincert_peer::{Candidate, Description, OfferOptions};
use fincert_schemas::bridge::{Settlement, Via};
use fincert_schemas::run::flow::MediaKind;
use serde_json::Value;

use super::options::Options;
use super::refusal::Refusal;

/// What is done. Defects put one in the place of another.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Nothing, and the call settles so.
    Settle(Settlement),
    /// Nothing, and the call never settles.
    Nothing,
    /// A connection is made.
    Create(Box<Options>),
    /// A stream is made, with so many tracks of each kind.
    UserMedia {
        /// Tracks of the microphone.
        audio: u8,
        /// Tracks of the camera.
        video: u8,
    },
    /// The tracks of the stream are handed out.
    Tracks,
    /// The track is stopped.
    Stop,
    /// An offer is made.
    CreateOffer(OfferOptions),
    /// An answer is made.
    CreateAnswer,
    /// A local description is put in force.
    SetLocal(Description),
    /// A remote description is put in force.
    SetRemote(Description),
    /// A candidate of the other end is taken, or the end of them.
    AddCandidate(Option<Candidate>),
    /// The track of that handle is added.
    AddTrack(String, MediaKind),
    /// A track that sends nothing is added in the place of the one of that handle.
    AddMuteTrack(String, MediaKind),
    /// Datagrams of no sense are sent to where a candidate points, and then the candidate is taken.
    Flood(Candidate, Junk),
    /// The connection's tracks fall silent, and then the other task is done.
    MuteAnd(Box<Task>),
    /// The connection is closed.
    Close,
    /// The connection says that it is closed, and goes on.
    CloseInName,
}

/// What a flood is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Junk {
    /// RTP that nobody encrypted, as fast as it goes.
    Rtp,
    /// Beginnings of STUN, DTLS, RTP and RTCP messages, cut off at every length.
    Stumps,
}

impl Task {
    /// Nothing is done, and the promise resolves to a value.
    pub fn resolve(value: impl Into<Value>) -> Self {
        Self::Settle(Settlement { via: Via::Resolve, value: Some(value.into()) })
    }

    /// Nothing is done, and the promise resolves to `undefined`.
    pub fn resolve_undefined() -> Self {
        Self::Settle(Settlement { via: Via::Resolve, value: None })
    }

    /// Nothing is done, and the promise is rejected.
    pub fn reject(refusal: &Refusal) -> Self {
        Self::Settle(refusal.settle())
    }

    /// Whether it is a rejection.
    pub fn is_rejection(&self) -> bool {
        matches!(self, Self::Settle(settlement) if !settlement.via.is_success())
    }

    /// The name of the exception, if it is a rejection.
    pub fn exception(&self) -> Option<&str> {
        match self {
            Self::Settle(settlement) if !settlement.via.is_success() => {
                settlement.value.as_ref()?.get("name")?.as_str()
            }
            _ => None,
        }
    }
}
