//! The accept loop, alone.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::host::{Host, Life};
use crate::http;

/// How many connections are served at a time; one more is closed at once.
const MAX_CONNECTIONS: usize = 1024;

/// Serves until the host stops.
pub(crate) async fn accept(listener: TcpListener, host: Arc<Host>, mut life: Life) {
    let mut connections = JoinSet::new();
    let mut ends = life.clone();
    loop {
        tokio::select! {
            () = ends.ended() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < MAX_CONNECTIONS => {
                    connections.spawn(connection(stream, Arc::clone(&host), life.clone()));
                }
                Ok(_) => tracing::warn!("too many connections; one was closed"),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::select! {
                        () = life.ended() => break,
                        () = tokio::time::sleep(Duration::from_millis(50)) => {}
                    }
                }
            },
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, host: Arc<Host>, life: Life) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let (host, life) = (Arc::clone(&host), life.clone());
        async move { http::answer(request, &host, life).await }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}
