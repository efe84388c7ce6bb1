//! WebRTC flows: what is driven in a call (3.1, 3.2), and what is observed beside the calls of the bridge.
//!
//! A flow sets up one call between the target and a peer of fincert and then goes through its acts, in order. The
//! transcript marks where each act begins, what was awaited and whether it came, what the peer did and saw, and
//! counters of the media at certain moments. None of it is an opinion.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the two ends of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The integration under test.
    #[default]
    Target,
    /// fincert's own peer.
    Fincert,
}

/// Which implementation the peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Referee {
    /// The crate webrtc.
    #[serde(rename = "webrtc-rs")]
    WebrtcRs,
    /// The crate str0m.
    #[serde(rename = "str0m")]
    Str0m,
}

impl Referee {
    /// The referee's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebrtcRs => "webrtc-rs",
            Self::Str0m => "str0m",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::WebrtcRs => Self::Str0m,
            Self::Str0m => Self::WebrtcRs,
        }
    }
}

/// Which referees drive the flows, where the operator says so. Otherwise webrtc-rs does, and str0m whenever ICE, DTLS or
/// media fail with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Referees {
    /// The crate webrtc alone.
    #[serde(rename = "webrtc-rs")]
    WebrtcRs,
    /// The crate str0m alone.
    #[serde(rename = "str0m")]
    Str0m,
    /// Both, every flow twice.
    #[serde(rename = "both")]
    Both,
}

impl Referees {
    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WebrtcRs => "webrtc-rs",
            Self::Str0m => "str0m",
            Self::Both => "both",
        }
    }
}

/// The kind of a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

impl MediaKind {
    /// The kind's word, as in an m-line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// What a flow drives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Flow {
    /// One call, and then the acts.
    Call,
    /// mediaDevices, streams and tracks, without a call.
    Devices,
    /// One connection of the target by itself: initial values, options, configuration, events before any call.
    Connection,
    /// Requests that must be refused and leave the state unchanged.
    Refusals,
    /// What a closed connection does with every method.
    AfterClose,
    /// Two calls at once, to two peers.
    TwoCalls,
    /// Both ends offer at once.
    Glare,
}

/// How candidates reach the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Candidates {
    /// Each by itself, as it comes; descriptions hold none.
    #[default]
    Trickle,
    /// Within the descriptions, after gathering; none by itself.
    InDescription,
    /// By itself, but only some time after both descriptions were set.
    Late,
    /// fincert's are handed to the target before the exchange is over: where fincert offers, before the target answers;
    /// where the target offers, before it has a remote description, and again afterwards.
    Early,
    /// Each twice.
    Duplicate,
}

/// How the end of fincert's candidates is told to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndOfCandidates {
    /// Not at all.
    #[default]
    Untold,
    /// `addIceCandidate({candidate: ""…})`, RFC 8838 section 14.
    EmptyString,
    /// `addIceCandidate({})`, as real mini programs forward it.
    EmptyObject,
    /// `addIceCandidate(null)`.
    Null,
}

/// What the call goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Host candidates.
    #[default]
    Host,
    /// Host candidates of IPv6 alone.
    Ipv6,
    /// fincert's TURN server, `iceTransportPolicy` relay at the target.
    Relay,
    /// The same with a wrong credential.
    RelayWrongCredential,
}

/// How the call of a flow is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FlowOptions {
    /// Who offers.
    pub offerer: End,
    /// What the target adds of its own camera and microphone.
    pub target_sends: Vec<MediaKind>,
    /// What fincert's peer sends.
    pub fincert_sends: Vec<MediaKind>,
    /// The kinds that the target asks to receive by offerToReceiveAudio and offerToReceiveVideo.
    pub offer_to_receive: Vec<MediaKind>,
    /// How candidates travel.
    pub candidates: Candidates,
    /// How fincert's end of candidates is told.
    pub end_of_candidates: EndOfCandidates,
    /// What the call goes over.
    pub network: Network,
    /// fincert's description names another certificate than its own.
    pub wrong_fingerprint: bool,
    /// fincert offers this codec and no other, which no one has.
    pub unsupported_codec: bool,
}

impl Default for FlowOptions {
    fn default() -> Self {
        Self {
            offerer: End::Target,
            target_sends: vec![MediaKind::Audio, MediaKind::Video],
            fincert_sends: vec![MediaKind::Audio, MediaKind::Video],
            offer_to_receive: Vec::new(),
            candidates: Candidates::Trickle,
            end_of_candidates: EndOfCandidates::Untold,
            network: Network::Host,
            wrong_fingerprint: false,
            unsupported_codec: false,
        }
    }
}

/// What is done in a call that is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Media of every negotiated kind is awaited at fincert's end, and receiver reports that show media of every kind
    /// that fincert sends arriving at the target.
    Media,
    /// The target adds video by addTrack and offers again.
    TargetAddsVideo,
    /// fincert adds video and offers again.
    FincertAddsVideo,
    /// The target offers again with nothing changed.
    TargetRenegotiates,
    /// fincert offers again with nothing changed.
    FincertRenegotiates,
    /// Ten times, in turn, nothing changed.
    TenRenegotiations,
    /// The target offers with iceRestart true.
    TargetRestartsIce,
    /// fincert offers with new ICE credentials.
    FincertRestartsIce,
    /// The target stops its tracks.
    TargetStopsTracks,
    /// The target closes.
    TargetCloses,
    /// fincert closes, in good order.
    FincertCloses,
    /// fincert's peer falls silent without a word.
    FincertVanishes,
}

/// What was awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Await {
    /// The target's `conectionState`, or if it has none its iceConnectionState, says connected or completed.
    TargetConnected,
    /// fincert's peer is connected, ICE and DTLS.
    PeerConnected,
    /// RTP of the kind in `of` at fincert's end, after the act began.
    Rtp,
    /// A receiver report of the target whose highest sequence number advances, of the kind in `of`.
    ReceiverReport,
    /// An event of the target, of the type in `of`.
    Event,
    /// A property of the target, named in `of` as `name=value`.
    Property,
    /// The end of the target's gathering: the property or an empty candidate.
    Gathered,
    /// A relay candidate of the target.
    RelayCandidate,
    /// The target's iceConnectionState says disconnected or failed.
    TargetDisconnected,
    /// The target's iceConnectionState says failed.
    TargetFailed,
    /// No more RTP of the kind in `of` at fincert's end.
    Silence,
    /// fincert's peer was told or found out that the target is gone.
    PeerDisconnected,
    /// The answer to a call of the target's, the method in `of`.
    Answer,
}

/// Something that fincert's peer did or saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "did", rename_all = "kebab-case")]
pub enum PeerDid {
    /// It set a description.
    Description {
        /// Whether it is its own (`local`).
        local: bool,
        /// `offer` or `answer`.
        kind: String,
        /// The SDP, as it was set; what the target sent is cut at 64 KiB.
        sdp: String,
        /// Why the peer refused it, if it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// A candidate of its own, or one of the target's that it was handed.
    Candidate {
        /// Whether it is its own.
        local: bool,
        /// The candidate's text, `candidate:…`.
        candidate: String,
        /// Why it was not taken: `blocked` (the operator does not allow the address), `host-name`, `malformed`, `tcp`, or
        /// the peer's own words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// The state of ICE as the peer sees it.
    Ice {
        /// `checking`, `connected`, ….
        state: String,
    },
    /// The state of the whole connection as the peer sees it.
    Connection {
        /// `connecting`, `connected`, ….
        state: String,
    },
    /// Media of the target was announced to the peer.
    Track {
        /// The kind.
        kind: MediaKind,
        /// Its mid.
        mid: String,
    },
    /// A method of the peer failed.
    Failed {
        /// Which.
        method: String,
        /// Why.
        why: String,
    },
    /// It closed in good order.
    Closed,
    /// Its sockets went silent without a word.
    Vanished,
}

/// What the peer has counted since it was made.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// RTP that came, one entry an SSRC; at most 64 are kept.
    pub received: Vec<Received>,
    /// RTP that was sent, one entry an SSRC.
    pub sent: Vec<Sent>,
    /// Packets on the media transport that are no RTP or RTCP after decryption.
    pub malformed: u64,
    /// Picture loss indications and full intra requests that came.
    pub keyframe_requests: u64,
    /// RTCP BYE that came.
    pub byes: u64,
    /// DTLS, once it is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtls: Option<Dtls>,
    /// The selected pair of candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<Pair>,
}

/// One SSRC that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// The SSRC.
    pub ssrc: u32,
    /// The payload type of the last packet.
    pub payload_type: u8,
    /// Every payload type seen.
    pub payload_types: Vec<u8>,
    /// The kind, by the negotiated payload types, where one fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<MediaKind>,
    /// The codec by the negotiated payload type, `VP8` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// How many packets.
    pub packets: u64,
    /// Bytes of payload.
    pub payload_bytes: u64,
    /// The first sequence number.
    pub first_sequence: u16,
    /// The highest, extended by its cycles.
    pub highest_sequence: u32,
    /// When the first came, in microseconds since the scenario began.
    pub first_at_us: u64,
    /// When the last came.
    pub last_at_us: u64,
}

/// One SSRC that was sent, and what the target reported of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// The SSRC.
    pub ssrc: u32,
    /// The kind.
    pub kind: MediaKind,
    /// How many packets.
    pub packets: u64,
    /// The first sequence number sent.
    pub first_sequence: u16,
    /// The highest that was sent, extended.
    pub highest_sequence: u32,
    /// How many report blocks of the target spoke of it (RFC 3550 section 6.4).
    pub reports: u32,
    /// The highest sequence number that the first of them named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reported: Option<u32>,
    /// The highest sequence number that the last of them named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_reported: Option<u32>,
    /// The cumulative loss that the last of them named.
    pub lost: i32,
}

/// The DTLS association.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dtls {
    /// The peer's role: `client` or `server`.
    pub role: String,
    /// The cipher suite or the SRTP profile, where the referee tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<String>,
}

/// The selected pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// fincert's candidate: type and address, `host 127.0.0.1:1`.
    pub local: String,
    /// The target's.
    pub remote: String,
}

/// What the embedded TURN server has seen of the target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnEvidence {
    /// Allocations that were made.
    pub allocations: u32,
    /// Requests that were refused for their credentials.
    pub refused: u32,
    /// Bytes relayed, both ways.
    pub relayed_bytes: u64,
}
