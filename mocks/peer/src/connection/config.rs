//! How a connection is made, and what it tells.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use fincert_schemas::run::flow::MediaKind;

use crate::peer::{AddressPolicy, Candidate, IceServer};

/// RTCBundlePolicy (W3C webrtc-pc 4.2.5).
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

/// When an end that is silent is taken for gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// `disconnected` after so long without an answer.
    pub disconnected: Duration,
    /// `failed` after so long in `disconnected`.
    pub failed: Duration,
    /// How often consent is asked for (RFC 7675 section 5.1 wants about 5 s, and allows more often).
    pub keepalive: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            disconnected: Duration::from_millis(2_500),
            failed: Duration::from_millis(5_000),
            keepalive: Duration::from_millis(500),
        }
    }
}

/// What a connection does wrong on purpose, so that checks of the other end can be proven. fincert's own peer has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Any certificate is taken, whatever the description says.
    pub trusting: bool,
    /// Media that comes is dropped before anything sees it; so no report tells of it.
    pub deaf: bool,
}

/// How a connection is made.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// What the times of the evidence count from.
    pub epoch: Instant,
    /// The local addresses to gather on; empty: loopback (IPv4) and this machine's other addresses (IPv4).
    pub bind: Vec<IpAddr>,
    /// Servers to gather with. Those with a name instead of an address, or over TCP or TLS, give no candidates.
    pub ice_servers: Vec<IceServer>,
    /// `iceTransportPolicy` relay.
    pub relay_only: bool,
    /// `bundlePolicy`. The crate webrtc bundles always, whatever the policy.
    pub bundle: Bundle,
    /// Where packets may go.
    pub addresses: AddressPolicy,
    /// The connection's own descriptions name a certificate that it does not have.
    pub wrong_fingerprint: bool,
    /// When a silent end is taken for gone.
    pub timing: Timing,
    /// What it does wrong on purpose.
    pub faults: Faults,
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
            timing: Timing::default(),
            faults: Faults::default(),
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

/// What a connection tells its maker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// An event.
    Event(ConnectionEvent),
    /// The other end has ended DTLS in good order. W3C has no event for it, and ICE finds it out later.
    FarEndClosed,
}
