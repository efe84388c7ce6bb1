//! WebSocket, listening: devices dial in with the printed URL, and a browser opens the page that does so. Loopback
//! unless told otherwise. Who is let in is in [`super::door`].

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fincert_schemas::run::Reason;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::door::Door;
use super::{ConnectError, Obituary, Wire};

/// How long a peer may take to say what it wants.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many peers are served at a time, those not counted that dialled in; one more is closed at once.
const MAX_CONNECTIONS: usize = 64;
/// How many that dialled in may wait to be driven. Each holds no more than a handshake until then.
const MAX_WAITING: usize = 32;

/// Waits for devices.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    token: String,
    wires: mpsc::Receiver<Wire>,
    accepting: AbortHandle,
}

impl Listener {
    /// Binds the address; `token` is what a device must show.
    pub async fn bind(address: SocketAddr, token: String) -> std::io::Result<Self> {
        Self::bind_for(address, token, None).await
    }

    /// The same for a program of which it is known whether it still runs.
    pub(crate) async fn bind_for(
        address: SocketAddr,
        token: String,
        obituary: Option<Obituary>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (sender, wires) = mpsc::channel(MAX_WAITING);
        let door = Arc::new(Door { address, token: token.clone(), wires: sender, obituary });
        let accepting = tokio::spawn(accept(listener, door)).abort_handle();
        Ok(Self { address, token, wires, accepting })
    }

    /// What the device dials.
    pub fn url(&self) -> String {
        format!("ws://{}/bridge?token={}", self.address, self.token)
    }

    /// What a browser opens.
    pub fn page_url(&self) -> String {
        format!("http://{}/?token={}", self.address, self.token)
    }

    /// The next device that dialled in and is still there.
    pub async fn accept(&mut self, patience: Duration) -> Result<Wire, ConnectError> {
        let waiting = async {
            while let Some(wire) = self.wires.recv().await {
                // Nobody reads a connection before it is driven; a closed one has been given up by its device.
                if !wire.incoming.is_closed() {
                    return Some(wire);
                }
            }
            None
        };
        tokio::time::timeout(patience, waiting).await.ok().flatten().ok_or_else(|| {
            ConnectError::new(
                Reason::ConnectionRefused,
                format!("no device dialled in within {} s", patience.as_secs()),
            )
        })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The accept loop. Connections end with it: the set is dropped.
async fn accept(listener: TcpListener, door: Arc<Door>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if connections.len() < MAX_CONNECTIONS => {
                    connections.spawn(serve(stream, peer, Arc::clone(&door)));
                }
                Ok((_, peer)) => tracing::warn!(%peer, "too many connections; one was closed"),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, door: Arc<Door>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|mut request| {
        let answer = door.answer(&mut request, peer);
        async move { Ok::<_, std::convert::Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HANDSHAKE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection was refused");
    }
}
