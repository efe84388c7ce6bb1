//! The trait [`Peer`] over a [`Connection`](crate::Connection).

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::peer::{Peer, PeerConfig, PeerError, PeerEvent};

/// A peer of the crate webrtc.
pub async fn webrtc_peer(config: PeerConfig) -> Result<(Arc<dyn Peer>, mpsc::Receiver<PeerEvent>), PeerError> {
    let _ = config;
    Err(PeerError::Unable("not yet".into()))
}
