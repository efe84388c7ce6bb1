//! WebSocket, listening: a device dials in with the printed URL. Loopback unless told otherwise; the token is
//! required; Origin and Host are checked; one device at a time.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use fincert_schemas::run::Reason;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{StatusCode, header};
use url::Url;

use super::{ConnectError, Wire, dial};

/// How long a peer may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many peers may be in their handshake at once.
const HANDSHAKES: usize = 16;

/// Waits for devices.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    token: String,
}

impl Listener {
    /// Binds the address; `token` is what a device must show.
    pub async fn bind(address: SocketAddr, token: String) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, token })
    }

    /// What the device dials.
    pub fn url(&self) -> String {
        format!("ws://{}/bridge?token={}", self.address, self.token)
    }

    /// Waits for a device, refusing whoever lacks the token or comes from a foreign page.
    pub async fn accept(&self, patience: Duration) -> Result<Wire, ConnectError> {
        let waiting = async {
            // Several at once: a browser opens connections on which it says nothing, and must not keep the device out.
            let mut handshakes = FuturesUnordered::new();
            loop {
                tokio::select! {
                    accepted = self.listener.accept(), if handshakes.len() < HANDSHAKES => match accepted {
                        Ok((stream, peer)) => handshakes.push(self.handshake(stream, peer)),
                        Err(error) => {
                            tracing::warn!(%error, "a connection was not accepted");
                            tokio::time::sleep(Duration::from_millis(100)).await;
                        }
                    },
                    // A pattern here would switch the branch off after a refusal, and leave the others waiting.
                    done = handshakes.next(), if !handshakes.is_empty() => {
                        if let Some(Some(wire)) = done {
                            return wire;
                        }
                    }
                }
            }
        };
        tokio::time::timeout(patience, waiting).await.map_err(|_| {
            ConnectError::new(
                Reason::ConnectionRefused,
                format!("no device dialled in within {} s", patience.as_secs()),
            )
        })
    }

    async fn handshake(&self, stream: TcpStream, peer: SocketAddr) -> Option<Wire> {
        #[expect(clippy::result_large_err, reason = "tungstenite's callback type")]
        let check = |request: &Request, response: Response| self.check(request, response);
        let upgrade = tokio_tungstenite::accept_hdr_async_with_config(stream, check, Some(dial::limits()));
        match tokio::time::timeout(HANDSHAKE, upgrade).await {
            Ok(Ok(socket)) => return Some(dial::wire(socket)),
            Ok(Err(error)) => tracing::warn!(%peer, %error, "a connection was refused"),
            Err(_) => tracing::warn!(%peer, "no handshake in time"),
        }
        None
    }

    #[expect(clippy::result_large_err, reason = "tungstenite's callback type")]
    fn check(&self, request: &Request, response: Response) -> Result<Response, ErrorResponse> {
        let refuse = |status: StatusCode, why: &str| {
            let mut refusal = ErrorResponse::new(Some(format!("fincert: {why}\n")));
            *refusal.status_mut() = status;
            Err(refusal)
        };
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        if request.uri().path() != "/bridge" {
            return refuse(StatusCode::NOT_FOUND, "the bridge is at /bridge");
        }
        let query = request.uri().query().unwrap_or_default();
        let shown =
            url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token").map(|(_, value)| value);
        if !shown.is_some_and(|shown| same(shown.as_bytes(), self.token.as_bytes())) {
            return refuse(StatusCode::UNAUTHORIZED, "the token is missing or wrong; use the URL that fincert printed");
        }
        if !text(header::HOST).is_some_and(|host| self.is_own_host(host)) {
            return refuse(StatusCode::FORBIDDEN, "the Host header names another host");
        }
        if text(header::ORIGIN).is_some_and(|origin| !self.is_near(origin)) {
            return refuse(StatusCode::FORBIDDEN, "pages of this origin may not dial in");
        }
        Ok(response)
    }

    fn is_own_host(&self, host: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{host}/")) else { return false };
        match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback() || !self.address.ip().is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback() || !self.address.ip().is_loopback(),
            None => false,
        }
    }

    /// Pages from a file, a sandbox or this machine; a native client sends no Origin at all.
    fn is_near(&self, origin: &str) -> bool {
        if origin == "null" || origin.starts_with("file:") {
            return true;
        }
        let Ok(url) = Url::parse(origin) else { return false };
        match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback() || IpAddr::V4(ip) == self.address.ip(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback() || IpAddr::V6(ip) == self.address.ip(),
            None => false,
        }
    }
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}
