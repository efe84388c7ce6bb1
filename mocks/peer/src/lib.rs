//! One end of a WebRTC call: what fincert's flows need of a peer, whichever implementation is behind it.

mod peer;

pub use peer::{
    Abilities, AddressPolicy, Candidate, Description, IceServer, Media, OfferOptions, Peer, PeerConfig, PeerError,
    PeerEvent, SdpKind,
};
