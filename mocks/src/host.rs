//! A mock host that runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fincert_schemas::catalog::Catalog;
use fincert_schemas::{Ledger, fixture};
use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::config::Config;
use crate::journal::{Entry, Journal};
use crate::pending::Pending;
use crate::state::State;
use crate::{canned, serve};

/// What all connections of a host share.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) config: Config,
    pub(crate) journal: Journal,
    sessions: AtomicU64,
    /// How many API calls came over HTTP, which has no sessions.
    calls: AtomicU64,
    /// Those of them that are not answered yet.
    pending: Pending,
}

impl Host {
    /// The number of a session that begins, from 1.
    pub(crate) fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What is remembered for a call over HTTP: how many came before, and no file.
    pub(crate) fn state_over_http(&self) -> State {
        State::without_session(self.calls.fetch_add(1, Ordering::Relaxed), self.pending.clone())
    }
}

/// What ends a connection, and what tells that it has ended.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// Changes, or loses its sender, when the host stops.
    pub(crate) stop: watch::Receiver<bool>,
    /// Dropped by whoever has ended.
    #[expect(dead_code, reason = "it is held, and what counts is when it is let go")]
    pub(crate) alive: mpsc::Sender<()>,
}

impl Life {
    /// Waits until the host stops.
    pub(crate) async fn ended(&mut self) {
        let _ = self.stop.changed().await;
    }
}

/// A mock host that listens. Dropping it stops it as well, without waiting.
#[derive(Debug)]
pub struct MockHost {
    addr: SocketAddr,
    host: Arc<Host>,
    stop: watch::Sender<bool>,
    alive: mpsc::Receiver<()>,
}

impl MockHost {
    /// Starts listening. Embedded data that does not hold together is an error here, not later.
    ///
    /// It is boxed, so that the servers are compiled in this crate and not once more in each that awaits them.
    pub fn start(config: Config) -> BoxFuture<'static, io::Result<Self>> {
        Box::pin(Self::listen(config))
    }

    async fn listen(config: Config) -> io::Result<Self> {
        let whole = canned::all()
            .map(drop)
            .and_then(|()| fixture::all().map(drop))
            .and_then(|()| Catalog::embedded().map(drop))
            .and_then(|()| Ledger::embedded().map(drop));
        whole.map_err(io::Error::other)?;
        let listener = TcpListener::bind(config.listen).await?;
        let addr = listener.local_addr()?;
        let host = Arc::new(Host {
            config,
            journal: Journal::default(),
            sessions: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            pending: Pending::default(),
        });
        let (stop, stopped) = watch::channel(false);
        let (ends, alive) = mpsc::channel(1);
        tokio::spawn(serve::accept(listener, Arc::clone(&host), Life { stop: stopped, alive: ends }));
        tracing::debug!(%addr, "the mock host listens");
        Ok(Self { addr, host, stop, alive })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address of its bridge, `ws://127.0.0.1:PORT/bridge`.
    pub fn bridge_url(&self) -> String {
        format!("ws://{}/bridge", self.addr)
    }

    /// The address of its HTTP side, `http://127.0.0.1:PORT`.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// What it was asked, oldest first.
    pub fn journal(&self) -> Vec<Entry> {
        self.host.journal.entries()
    }

    /// Stops listening, ends all sessions, and waits until they have ended.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        while self.alive.recv().await.is_some() {}
    }
}
