//! The two referees: the crate webrtc and str0m, behind one trait.

use std::sync::Arc;

use fincert_peer::{Peer, PeerConfig, PeerError, PeerEvent, webrtc_peer};
use fincert_schemas::run::flow::Referee;
use tokio::sync::mpsc;

/// A peer of the referee's.
pub async fn peer(
    referee: Referee,
    config: PeerConfig,
) -> Result<(Arc<dyn Peer>, mpsc::Receiver<PeerEvent>), PeerError> {
    match referee {
        Referee::WebrtcRs => webrtc_peer(config).await,
        Referee::Str0m => Err(PeerError::Unable("str0m is not there yet".to_owned())),
    }
}
