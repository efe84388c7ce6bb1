//! WebSocket, dialled out: one message a frame, text or binary.

use std::time::{Duration, Instant};

use fincert_schemas::bridge::MAX_FRAME_BYTES;
use fincert_schemas::run::Reason;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, error::CapacityError};
use url::Url;

use super::{ConnectError, Guard, Incoming, QUEUE, Wire};

/// How long the connection and its handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Connects to a target's WebSocket server.
pub async fn dial(url: &Url) -> Result<Wire, ConnectError> {
    if url.scheme() == "wss" {
        // Whoever installed a provider before is fine, too.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let connecting = tokio_tungstenite::connect_async_with_config(url.as_str(), Some(limits()), true);
    let refused = |reason, detail: String| ConnectError::new(reason, detail);
    match tokio::time::timeout(HANDSHAKE, connecting).await {
        Ok(Ok((socket, _))) => Ok(wire(socket)),
        // A certificate that is not trusted comes as an I/O error of this kind.
        Ok(Err(Error::Io(error))) if error.kind() == std::io::ErrorKind::InvalidData => {
            Err(refused(Reason::HandshakeFailed, error.to_string()))
        }
        Ok(Err(Error::Io(error))) => Err(refused(Reason::ConnectionRefused, error.to_string())),
        Ok(Err(error)) => Err(refused(Reason::HandshakeFailed, error.to_string())),
        Err(_) => Err(refused(Reason::HandshakeFailed, format!("no handshake within {} s", HANDSHAKE.as_secs()))),
    }
}

/// The bounds of every WebSocket.
pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default().max_message_size(Some(MAX_FRAME_BYTES)).max_frame_size(Some(MAX_FRAME_BYTES))
}

/// Turns an open WebSocket into a wire.
pub(super) fn wire<S>(socket: WebSocketStream<S>) -> Wire
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sink, mut stream) = socket.split();
    let (outgoing, mut frames) = mpsc::channel::<Vec<u8>>(QUEUE);
    let (sender, incoming) = mpsc::channel(QUEUE);
    let writer = tokio::spawn(async move {
        while let Some(frame) = frames.recv().await {
            // fincert writes JSON, which is UTF-8.
            let Ok(text) = String::from_utf8(frame) else { continue };
            if sink.send(Message::text(text)).await.is_err() {
                return;
            }
        }
        let _ = sink.close().await;
    });
    let reader = tokio::spawn(async move {
        let gone = loop {
            let incoming = match stream.next().await {
                Some(Ok(Message::Text(text))) => Incoming::Frame(text.as_bytes().to_vec()),
                Some(Ok(Message::Binary(bytes))) => Incoming::Frame(bytes.to_vec()),
                Some(Ok(Message::Close(reason))) => {
                    break reason.map_or_else(|| "closed".to_owned(), |r| format!("closed: {} {}", r.code, r.reason));
                }
                Some(Ok(_)) => continue,
                Some(Err(Error::Capacity(CapacityError::MessageTooLong { size, .. }))) => {
                    let _ = sender
                        .send((Instant::now(), Incoming::TooLarge { bytes: size as u64, head: Vec::new() }))
                        .await;
                    // The rest of the message cannot be skipped, so the connection is of no more use.
                    break "a message larger than the limit".to_owned();
                }
                Some(Err(error)) => break error.to_string(),
                None => break "closed".to_owned(),
            };
            if sender.send((Instant::now(), incoming)).await.is_err() {
                return;
            }
        };
        let _ = sender.send((Instant::now(), Incoming::Gone(gone))).await;
    });
    // The writer ends by itself when the wire is dropped, so that it can still say goodbye.
    drop(writer);
    Wire { outgoing, incoming, guard: Guard { process: None, tasks: vec![reader.abort_handle()] } }
}
