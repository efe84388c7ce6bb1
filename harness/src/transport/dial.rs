//! WebSocket, dialled out: one message a frame, text or binary.

use std::time::{Duration, Instant};

use fincert_schemas::bridge::MAX_FRAME_BYTES;
use fincert_schemas::run::Reason;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, error::CapacityError};
use url::Url;

use super::{ConnectError, Guard, Incoming, Obituary, QUEUE, Wire};

/// How long the connection and its handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often, and at what distance, it is looked whether a program has ended whose connection was torn.
const TEARS: u32 = 25;
const TEAR: Duration = Duration::from_millis(20);

/// Connects to a target's WebSocket server.
pub async fn dial(url: &Url) -> Result<Wire, ConnectError> {
    if url.scheme() == "wss" {
        // Whoever installed a provider before is fine, too.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let connecting = tokio_tungstenite::connect_async_with_config(url.as_str(), Some(limits()), true);
    let refused = |reason, detail: String| ConnectError::new(reason, detail);
    match tokio::time::timeout(HANDSHAKE, connecting).await {
        Ok(Ok((socket, _))) => Ok(wire(socket, None)),
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
pub(super) fn wire<S>(socket: WebSocketStream<S>, obituary: Option<Obituary>) -> Wire
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
                Some(Ok(Message::Close(Some(CloseFrame { code: CloseCode::Away, .. })))) => {
                    break torn("closed: the page was left".to_owned(), obituary.as_ref()).await;
                }
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
                Some(Err(error)) => break torn(error.to_string(), obituary.as_ref()).await,
                None => break torn("closed".to_owned(), obituary.as_ref()).await,
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

/// Why a connection ended that the other end was not asked to close: the program at the other end may have ended, which takes a moment to show.
async fn torn(error: String, obituary: Option<&Obituary>) -> String {
    let Some(Obituary(ended)) = obituary else { return error };
    for _ in 0..TEARS {
        if let Some(text) = ended() {
            return text;
        }
        tokio::time::sleep(TEAR).await;
    }
    error
}
