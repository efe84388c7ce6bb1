//! The bridge's WebSocket: the upgrade, and the frames that come and go.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::host::{Host, Life};
use crate::http::{self, Answer};
use crate::pending::Ticket;
use crate::plan::{Action, Plan, encode};
use crate::rtc::Room;
use crate::session::{Received, Session};

/// The largest message of the bridge that is read.
const MAX_MESSAGE: usize = 32 * 1024 * 1024;

/// How many frames wait to be sent before no more requests are read.
const MAX_WAITING: usize = 256;

/// How many turns a call that waited leaves to the others before it is answered.
const TURNS: usize = 8;

/// Answers the request for the WebSocket, and lets the session begin.
pub(crate) fn upgrade(request: &mut Request<Incoming>, host: Arc<Host>, life: Life) -> Answer {
    let headers = request.headers();
    let says = |name, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    if !(says(UPGRADE, "websocket") && says(CONNECTION, "upgrade") && says(SEC_WEBSOCKET_VERSION, "13")) {
        let mut answer = http::error(
            StatusCode::UPGRADE_REQUIRED,
            json!({"error": "the bridge is a WebSocket (version 13); fincert certify --target ws://HOST/bridge"}),
        );
        answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
        answer.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return answer;
    }
    let accept =
        headers.get(SEC_WEBSOCKET_KEY).and_then(|key| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok());
    let Some(accept) = accept else {
        return http::error(StatusCode::BAD_REQUEST, json!({"error": "Sec-WebSocket-Key is missing"}));
    };
    let upgraded = hyper::upgrade::on(request);
    tokio::spawn(async move {
        let session_life = life.clone();
        let session = async {
            match upgraded.await {
                Ok(upgraded) => {
                    let config = WebSocketConfig::default()
                        .max_message_size(Some(MAX_MESSAGE))
                        .max_frame_size(Some(MAX_MESSAGE));
                    let stream = TokioIo::new(upgraded);
                    talk(
                        WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await,
                        host,
                        session_life,
                    )
                    .await;
                }
                Err(error) => tracing::debug!(%error, "the upgrade failed"),
            }
        };
        let mut ends = life.clone();
        tokio::select! {
            () = session => {}
            () = ends.ended() => {}
        }
        drop((life, ends));
    });
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    answer
}

/// What the writer is told.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Frame(Vec<u8>),
    Close,
}

/// One session, from the first frame to the last.
async fn talk<S>(socket: WebSocketStream<S>, host: Arc<Host>, life: Life)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (mut sink, mut stream) = socket.split();
    let (out, mut queue) = mpsc::channel(MAX_WAITING);
    let write = async {
        while let Some(Outgoing::Frame(bytes)) = queue.recv().await {
            if sink.send(message(bytes)).await.is_err() {
                return;
            }
        }
        let _ = sink.close().await;
    };
    let read = async {
        let mut room = Room::new(Arc::clone(&host), out.clone(), life);
        let mut session = Session::new(host);
        let mut delayed = JoinSet::new();
        while let Some(Ok(frame)) = stream.next().await {
            let bytes: &[u8] = match &frame {
                Message::Text(text) => text.as_bytes(),
                Message::Binary(bytes) => bytes,
                _ => continue,
            };
            let (id, plan, ticket) = match session.receive(bytes) {
                None => continue,
                Some(Received::Rtc(asked)) => {
                    room.ask(asked).await;
                    continue;
                }
                Some(Received::Plan(id, plan, ticket)) => (id, plan, ticket),
                Some(Received::Reset(id, plan)) => {
                    room.reset().await;
                    (id, plan, None)
                }
            };
            if plan.is_immediate() {
                carry_out(id, plan, ticket, &out).await;
            } else {
                while delayed.try_join_next().is_some() {}
                if delayed.len() >= MAX_WAITING {
                    delayed.join_next().await;
                }
                let out = out.clone();
                delayed.spawn(async move { carry_out(id, plan, ticket, &out).await });
            }
        }
    };
    tokio::select! {
        () = write => {}
        () = read => {}
    }
}

/// Carries a plan out. The ticket of a call that waited is given back before anything is said.
pub(crate) async fn carry_out(id: Value, plan: Plan, mut ticket: Option<Ticket>, out: &mpsc::Sender<Outgoing>) {
    for step in plan.steps {
        if !step.after.is_zero() {
            tokio::time::sleep(step.after).await;
        }
        if let Some(ticket) = ticket.take() {
            // What has come meanwhile is read first: on a busy machine the pause alone says little.
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            drop(ticket);
        }
        let outgoing = match (&step.action, encode(&id, &step.action)) {
            (Action::Close, _) => Outgoing::Close,
            (_, Some(bytes)) => Outgoing::Frame(plan.spelling.write(bytes)),
            (_, None) => continue,
        };
        if out.send(outgoing).await.is_err() {
            return;
        }
    }
}

/// A text frame must be UTF-8; what is not goes as a binary one.
fn message(bytes: Vec<u8>) -> Message {
    match String::from_utf8(bytes) {
        Ok(text) => Message::text(text),
        Err(error) => Message::Binary(Bytes::from(error.into_bytes())),
    }
}
