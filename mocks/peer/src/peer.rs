//! The trait, and what it speaks of.

use std::net::IpAddr;
use std::time::Instant;

use async_trait::async_trait;
use fincert_schemas::run::flow::{Evidence, MediaKind, Referee};

/// Whether a description offers or answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SdpKind {
    /// An offer.
    Offer,
    /// An answer.
    Answer,
    /// Back to stable; its SDP is empty.
    Rollback,
}

impl SdpKind {
    /// The kind's word, as in RTCSdpType.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Answer => "answer",
            Self::Rollback => "rollback",
        }
    }
}

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Offer or answer.
    pub kind: SdpKind,
    /// The SDP.
    pub sdp: String,
}

/// A candidate as it is trickled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// `candidate:…`, without `a=`.
    pub candidate: String,
    /// The media stream identification tag of its m-line.
    pub sdp_mid: Option<String>,
    /// The index of its m-line.
    pub sdp_m_line_index: Option<u16>,
    /// The ICE user fragment that it belongs to.
    pub username_fragment: Option<String>,
}

/// A STUN or TURN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    /// `stun:…`, `turn:…`.
    pub urls: Vec<String>,
    /// TURN: the user name.
    pub username: String,
    /// TURN: the password.
    pub credential: String,
}

/// Which addresses a peer sends packets to. Everything a target sends is hostile, its candidates too.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressPolicy {
    /// Networks that the operator allows, as address and prefix length. Loopback and this machine's own addresses are
    /// always allowed.
    pub allowed: Vec<(IpAddr, u8)>,
}

/// What a peer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Media {
    /// The moving test pattern and the tone.
    #[default]
    Pattern,
    /// What it receives, with picture loss indications forwarded.
    Echo,
}

/// How a peer is made.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// What the times of the evidence count from.
    pub epoch: Instant,
    /// The local addresses to gather on; empty: loopback (IPv4) and this machine's other addresses (IPv4).
    pub bind: Vec<IpAddr>,
    /// Servers to gather with.
    pub ice_servers: Vec<IceServer>,
    /// Whether only relay candidates are used.
    pub relay_only: bool,
    /// Where packets may go.
    pub addresses: AddressPolicy,
    /// What is sent.
    pub media: Media,
    /// The peer's own descriptions name a certificate that it does not have.
    pub wrong_fingerprint: bool,
}

impl Default for PeerConfig {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            bind: Vec::new(),
            ice_servers: Vec::new(),
            relay_only: false,
            addresses: AddressPolicy::default(),
            media: Media::Pattern,
            wrong_fingerprint: false,
        }
    }
}

/// Options of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OfferOptions {
    /// New ICE credentials.
    pub ice_restart: bool,
    /// Kinds to receive without sending.
    pub receive: Vec<MediaKind>,
}

/// What an implementation can do beyond the ordinary call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Going back from have-local-offer to stable.
    pub rollback: bool,
    /// Gathering relay candidates of its own.
    pub relay: bool,
    /// Naming a certificate that it does not have.
    pub wrong_fingerprint: bool,
}

/// What a peer tells while it lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerEvent {
    /// A candidate of its own.
    Candidate(Candidate),
    /// No more candidates.
    GatheringComplete,
    /// The state of ICE: `new`, `checking`, `connected`, `completed`, `disconnected`, `failed`, `closed`.
    Ice(String),
    /// The state of ICE and DTLS together: `new`, `connecting`, `connected`, `disconnected`, `failed`, `closed`.
    Connection(String),
    /// Media of the other end was announced.
    Track {
        /// The kind.
        kind: MediaKind,
        /// Its mid.
        mid: String,
    },
}

/// Why a peer did not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    /// The address of a candidate is not allowed.
    #[error("blocked: the address {0} is not allowed")]
    Blocked(String),
    /// A candidate with a host name; names are never resolved.
    #[error("host-name: the candidate names a host instead of an address")]
    HostName,
    /// A candidate over TCP, which is never dialled.
    #[error("tcp: TCP candidates are not dialled")]
    Tcp,
    /// A candidate or description that cannot be read.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The implementation cannot do it.
    #[error("unable: {0}")]
    Unable(String),
    /// The wrong state for it.
    #[error("state: {0}")]
    State(String),
    /// Anything else, in the implementation's words.
    #[error("{0}")]
    Other(String),
}

/// One end of a call.
#[async_trait]
pub trait Peer: Send + Sync + std::fmt::Debug {
    /// Which implementation it is.
    fn referee(&self) -> Referee;
    /// What it can do.
    fn abilities(&self) -> Abilities;
    /// Makes an offer; it changes no state.
    async fn create_offer(&self, options: &OfferOptions) -> Result<Description, PeerError>;
    /// Makes an answer to the remote offer.
    async fn create_answer(&self) -> Result<Description, PeerError>;
    /// Puts a local description in force; gathering begins. The description that took effect is [`Self::local_description`].
    async fn set_local_description(&self, description: &Description) -> Result<(), PeerError>;
    /// Puts a remote description in force. Candidates within it go through the address filter, too.
    async fn set_remote_description(&self, description: &Description) -> Result<(), PeerError>;
    /// The local description with the candidates gathered so far.
    async fn local_description(&self) -> Option<Description>;
    /// Takes a candidate of the other end. One that came before the remote description is kept until then.
    async fn add_candidate(&self, candidate: &Candidate) -> Result<(), PeerError>;
    /// The other end has no more candidates.
    async fn end_of_candidates(&self) -> Result<(), PeerError>;
    /// Sends media of this kind, from the next negotiation on.
    async fn add_track(&self, kind: MediaKind) -> Result<(), PeerError>;
    /// The counters now.
    fn evidence(&self) -> Evidence;
    /// Closes in good order and waits until sockets and tasks are gone.
    async fn close(&self);
    /// Goes silent without a word: no more packets, and nothing that comes is answered. `close` ends it for good.
    async fn vanish(&self);
}
