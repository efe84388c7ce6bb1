//! A STUN and TURN server of fincert's own, with short-lived credentials.

use std::net::SocketAddr;
use std::time::Duration;

use fincert_schemas::run::flow::TurnEvidence;

use crate::peer::{IceServer, PeerError};

/// How the server is started.
#[derive(Debug, Clone)]
pub struct TurnConfig {
    /// The address and UDP port; port 0 picks a free one. Relayed addresses are on the same IP address.
    pub listen: SocketAddr,
    /// The realm.
    pub realm: String,
    /// How long the credential is good for.
    pub lifetime: Duration,
}

impl Default for TurnConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            realm: "fincert".to_owned(),
            lifetime: Duration::from_secs(3_600),
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct TurnServer {}

impl TurnServer {
    /// Starts one.
    pub async fn start(config: TurnConfig) -> Result<Self, PeerError> {
        let _ = config;
        Err(PeerError::Unable("not yet".into()))
    }

    /// `turn:127.0.0.1:3478`.
    pub fn url(&self) -> &str {
        ""
    }

    /// The user name: when it expires, in seconds since 1970, and a name.
    pub fn username(&self) -> &str {
        ""
    }

    /// The password: HMAC-SHA1 of the user name under the server's own secret, in Base64.
    pub fn credential(&self) -> &str {
        ""
    }

    /// The server, as a peer's configuration wants it.
    pub fn ice_server(&self) -> IceServer {
        IceServer {
            urls: vec![self.url().into()],
            username: self.username().into(),
            credential: self.credential().into(),
        }
    }

    /// What it has seen.
    pub fn evidence(&self) -> TurnEvidence {
        TurnEvidence::default()
    }

    /// Ends every allocation and closes the sockets.
    pub async fn close(&self) {}
}
