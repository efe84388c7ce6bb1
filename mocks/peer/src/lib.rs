//! One end of a WebRTC call: what fincert's flows need of a peer, whichever implementation is behind it.

mod address;
mod connection;
mod evidence;
mod ice_url;
pub mod media;
mod peer;
mod policy;
mod rtc;
mod sync;
mod track;
mod turn;
mod webrtc_peer;

pub use address::{AddressFilter, Verdict};
pub use connection::{Bundle, Connection, ConnectionConfig, ConnectionEvent, Faults, Timing};
pub use peer::{
    Abilities, AddressPolicy, Candidate, Description, IceServer, Media, OfferOptions, Peer, PeerConfig, PeerError,
    PeerEvent, SdpKind,
};
pub use rtc::default_addresses;
pub use track::LocalTrack;
pub use turn::{TurnConfig, TurnServer};
pub use webrtc_peer::{PeerAndEvents, webrtc_peer};
