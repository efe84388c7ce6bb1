//! A STUN and TURN server of fincert's own, with short-lived credentials: the crate turn, with sockets of ours.
//!
//! The crate never forgets a nonce, so requests are bounded; and it relays to any address, so what leaves goes through the
//! address filter. A wrong credential is answered with 400, where RFC 8489 section 9.2.4 wants 401.

mod credential;
mod sockets;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fincert_schemas::run::flow::TurnEvidence;
use futures_util::future::BoxFuture;
use turn::server::Server;
use turn::server::config::{ConnConfig, ServerConfig};

use crate::address::AddressFilter;
use crate::peer::{AddressPolicy, IceServer, PeerError};
use credential::Credential;
use sockets::{Listener, Relays, Tally};

/// How the server is started.
#[derive(Debug, Clone)]
pub struct TurnConfig {
    /// The address and UDP port; port 0 picks a free one. Relayed addresses are on the same IP address.
    pub listen: SocketAddr,
    /// The realm.
    pub realm: String,
    /// How long the credential is good for.
    pub lifetime: Duration,
    /// Where relayed packets may go.
    pub addresses: AddressPolicy,
}

impl Default for TurnConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            realm: "fincert".to_owned(),
            lifetime: Duration::from_secs(3_600),
            addresses: AddressPolicy::default(),
        }
    }
}

/// A running server.
pub struct TurnServer {
    server: Server,
    url: String,
    credential: Arc<Credential>,
    tally: Arc<Tally>,
}

impl std::fmt::Debug for TurnServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TurnServer").field("url", &self.url).finish_non_exhaustive()
    }
}

impl TurnServer {
    /// Starts one.
    pub fn start(config: TurnConfig) -> BoxFuture<'static, Result<Self, PeerError>> {
        Box::pin(Self::listen(config))
    }

    async fn listen(config: TurnConfig) -> Result<Self, PeerError> {
        let TurnConfig { listen, realm, lifetime, addresses } = config;
        if listen.ip().is_unspecified() {
            return Err(PeerError::Malformed(format!(
                "the TURN server needs one address to listen on and relay from, not {}",
                listen.ip()
            )));
        }
        let credential = Arc::new(Credential::new(lifetime));
        let tally = Arc::new(Tally::default());
        let listener = Listener::bind(listen, &tally).await.map_err(|error| failed(listen, &error))?;
        let address = listener.address();
        let relays = Relays::new(listen.ip(), AddressFilter::new(addresses), &tally);
        let server = Server::new(ServerConfig {
            conn_configs: vec![ConnConfig { conn: Arc::new(listener), relay_addr_generator: Box::new(relays) }],
            realm,
            auth_handler: Arc::clone(&credential) as _,
            channel_bind_timeout: Duration::ZERO,
            alloc_close_notify: None,
        });
        let server = server.await.map_err(|error| failed(listen, &error))?;
        Ok(Self { server, url: format!("turn:{address}"), credential, tally })
    }

    /// `turn:127.0.0.1:3478`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The user name: when it expires, in seconds since 1970, and a name.
    pub fn username(&self) -> &str {
        self.credential.username()
    }

    /// The password: HMAC-SHA1 of the user name under the server's own secret, in Base64.
    pub fn credential(&self) -> &str {
        self.credential.password()
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
        self.tally.evidence()
    }

    /// Ends every allocation and closes the sockets.
    pub async fn close(&self) {
        if let Err(error) = self.server.close().await {
            tracing::debug!("the TURN server closes: {error}");
        }
        self.tally.is_gone().await;
    }
}

fn failed(listen: SocketAddr, error: &dyn std::fmt::Display) -> PeerError {
    PeerError::Other(format!("the TURN server could not be started on {listen}: {error}"))
}
