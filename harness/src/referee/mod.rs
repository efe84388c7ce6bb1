//! The second referee. For ICE, DTLS and media one peer's word never condemns a target: a flow that fails with the peer
//! of `fincert-peer` is driven again with this one, which shares no protocol code with it.

mod str0m;

use fincert_peer::{PeerAndEvents, PeerConfig, PeerError};
use fincert_schemas::run::flow::Referee;

pub use self::str0m::str0m_peer;

/// Makes a peer of the implementation that is asked for.
///
/// # Errors
/// What the implementation cannot do with such a configuration.
pub async fn peer(referee: Referee, config: PeerConfig) -> Result<PeerAndEvents, PeerError> {
    match referee {
        Referee::WebrtcRs => fincert_peer::webrtc_peer(config).await,
        Referee::Str0m => str0m_peer(config).await,
    }
}
