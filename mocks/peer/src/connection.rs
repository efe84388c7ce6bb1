//! A connection with the semantics of W3C WebRTC 1.0 (RTCPeerConnection), whichever crate is behind it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use fincert_schemas::run::flow::{Evidence, MediaKind};
use tokio::sync::mpsc;

use crate::peer::{AddressPolicy, Candidate, Description, IceServer, OfferOptions, PeerError};
use crate::track::LocalTrack;

/// RTCBundlePolicy (W3C 4.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bundle {
    /// One transport a kind, if the other end cannot bundle.
    #[default]
    Balanced,
    /// One transport an m-line, if the other end cannot bundle.
    MaxCompat,
    /// One transport.
    MaxBundle,
}

/// How a connection is made.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// What the times of the evidence count from.
    pub epoch: Instant,
    /// The local addresses to gather on; empty: loopback (IPv4) and this machine's other addresses (IPv4).
    pub bind: Vec<IpAddr>,
    /// Servers to gather with.
    pub ice_servers: Vec<IceServer>,
    /// `iceTransportPolicy` relay.
    pub relay_only: bool,
    /// `bundlePolicy`.
    pub bundle: Bundle,
    /// Where packets may go.
    pub addresses: AddressPolicy,
    /// The connection's own descriptions name a certificate that it does not have.
    pub wrong_fingerprint: bool,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            epoch: Instant::now(),
            bind: Vec::new(),
            ice_servers: Vec::new(),
            relay_only: false,
            bundle: Bundle::default(),
            addresses: AddressPolicy::default(),
            wrong_fingerprint: false,
        }
    }
}

/// What a connection tells. An event of the signaling state comes before the method that caused it returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionEvent {
    /// A candidate of its own; `None` is the end of them.
    Candidate(Option<Candidate>),
    /// `iceConnectionState` changed to this.
    IceConnectionState(String),
    /// `connectionState` changed to this.
    ConnectionState(String),
    /// `iceGatheringState` changed to this.
    GatheringState(String),
    /// `signalingState` changed to this.
    SignalingState(String),
    /// `negotiationneeded`.
    NegotiationNeeded,
    /// A remote description announced media that was not there before.
    Track {
        /// The kind.
        kind: MediaKind,
        /// The mid of its m-line.
        mid: String,
        /// The streams it belongs to, by `a=msid`.
        stream_ids: Vec<String>,
    },
}

/// A connection.
#[derive(Debug)]
pub struct Connection {}

impl Connection {
    /// Makes a connection; nothing is sent before a local description is set. A URL of an ICE server that cannot be
    /// read, or a TURN server without a credential, is an error.
    pub async fn new(config: ConnectionConfig) -> Result<(Arc<Self>, mpsc::Receiver<ConnectionEvent>), PeerError> {
        let _ = config;
        Err(PeerError::Unable("not yet".into()))
    }

    /// `signalingState`.
    pub fn signaling_state(&self) -> String {
        String::new()
    }

    /// `iceConnectionState`.
    pub fn ice_connection_state(&self) -> String {
        String::new()
    }

    /// `iceGatheringState`.
    pub fn ice_gathering_state(&self) -> String {
        String::new()
    }

    /// `connectionState`.
    pub fn connection_state(&self) -> String {
        String::new()
    }

    /// `canTrickleIceCandidates`; unknown before a remote description was set.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        None
    }

    /// `localDescription`: the pending one or else the current one, with the candidates gathered so far.
    pub fn local_description(&self) -> Option<Description> {
        None
    }

    /// `currentLocalDescription`.
    pub fn current_local_description(&self) -> Option<Description> {
        None
    }

    /// `remoteDescription`: the pending one or else the current one, with the candidates that were added.
    pub fn remote_description(&self) -> Option<Description> {
        None
    }

    /// `currentRemoteDescription`.
    pub fn current_remote_description(&self) -> Option<Description> {
        None
    }

    /// `createOffer`.
    pub async fn create_offer(&self, options: &OfferOptions) -> Result<Description, PeerError> {
        let _ = options;
        Err(PeerError::Unable("not yet".into()))
    }

    /// `createAnswer`; rejects unless there is a remote offer.
    pub async fn create_answer(&self) -> Result<Description, PeerError> {
        Err(PeerError::Unable("not yet".into()))
    }

    /// `setLocalDescription`; gathering begins.
    pub async fn set_local_description(&self, description: &Description) -> Result<(), PeerError> {
        let _ = description;
        Err(PeerError::Unable("not yet".into()))
    }

    /// `setRemoteDescription`. Candidates within it go through the address filter, too.
    pub async fn set_remote_description(&self, description: &Description) -> Result<(), PeerError> {
        let _ = description;
        Err(PeerError::Unable("not yet".into()))
    }

    /// `addIceCandidate`; `None` is the end of candidates. It rejects before a remote description, after close, an
    /// unknown mid, and what cannot be read.
    pub async fn add_ice_candidate(&self, candidate: Option<&Candidate>) -> Result<(), PeerError> {
        let _ = candidate;
        Err(PeerError::Unable("not yet".into()))
    }

    /// `addTrack`; it rejects a track that was added already, and after close.
    pub async fn add_track(&self, track: &LocalTrack) -> Result<(), PeerError> {
        let _ = track;
        Err(PeerError::Unable("not yet".into()))
    }

    /// The counters now.
    pub fn evidence(&self) -> Evidence {
        Evidence::default()
    }

    /// `close`: the states are closed at once and no more events come; it returns when sockets and tasks are gone.
    /// Closing twice is harmless.
    pub async fn close(&self) {}

    /// Goes silent without a word: no more packets, and nothing that comes is answered.
    pub fn vanish(&self) {}
}
