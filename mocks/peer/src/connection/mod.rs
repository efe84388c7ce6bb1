//! A connection with the semantics of W3C WebRTC 1.0 (RTCPeerConnection), whichever crate is behind it.
//!
//! Methods are done one after the other. State errors reject and leave everything as it was; so do descriptions that
//! cannot be read. What the crate cannot do: provisional answers, data channels of our own, several transports,
//! taking back a restart of ICE that a rolled-back offer began, and any other certificate than one with SHA-256.

mod candidates;
mod config;
mod flow;
mod negotiate;
mod state;

use std::sync::{Arc, Mutex, Weak};

use fincert_schemas::run::flow::Evidence;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

pub(crate) use config::Notice;
pub use config::{Bundle, ConnectionConfig, ConnectionEvent, Faults, Timing};
use state::{Sender, State};

use crate::address::AddressFilter;
use crate::evidence::Book;
use crate::ice_url;
use crate::peer::{Description, PeerError};
use crate::rtc::{Engine, EngineConfig, EngineEvent, Wire};
use crate::sync::lock;
use crate::track::LocalTrack;

/// So many events wait for whoever takes them; more are lost. A call has some fifty.
const MAX_EVENTS: usize = 1024;
/// At most so many tracks are added.
const MAX_TRACKS: usize = 64;

/// A connection.
#[derive(Debug)]
pub struct Connection {
    engine: Engine,
    wire: Arc<Wire>,
    book: Arc<Book>,
    filter: Arc<AddressFilter>,
    state: Arc<Mutex<State>>,
    /// The operations chain (W3C webrtc-pc 4.4.1.2).
    chain: tokio::sync::Mutex<()>,
    wrong_fingerprint: bool,
}

impl Connection {
    /// Makes a connection; nothing is sent before a local description is set. A URL of an ICE server that cannot be
    /// read, or a TURN server without a credential, is an error.
    pub async fn new(config: ConnectionConfig) -> Result<(Arc<Self>, mpsc::Receiver<ConnectionEvent>), PeerError> {
        let (events, receiver) = mpsc::channel(MAX_EVENTS);
        let tell = move |notice| {
            if let Notice::Event(event) = notice
                && let Err(mpsc::error::TrySendError::Full(lost)) = events.try_send(event)
            {
                tracing::warn!("{MAX_EVENTS} events of a connection wait; lost: {lost:?}");
            }
        };
        Ok((Self::with(config, Box::new(tell)).await?, receiver))
    }

    /// Makes a connection that tells in this way; `tell` must not wait.
    pub(crate) fn with(
        config: ConnectionConfig,
        tell: Box<dyn Fn(Notice) + Send + Sync>,
    ) -> BoxFuture<'static, Result<Arc<Self>, PeerError>> {
        Box::pin(Self::make(config, tell))
    }

    async fn make(config: ConnectionConfig, tell: Box<dyn Fn(Notice) + Send + Sync>) -> Result<Arc<Self>, PeerError> {
        let ice_servers = ice_url::usable(&config.ice_servers)?;
        let filter = Arc::new(AddressFilter::new(config.addresses));
        let book = Arc::new(Book::new(config.epoch));
        let wire = Arc::new(Wire::new(Arc::clone(&filter), Arc::clone(&book)));
        let state = Arc::new(Mutex::new(State::new(tell)));
        let engine = Engine::new(EngineConfig {
            wire: Arc::clone(&wire),
            bind: config.bind,
            ice_servers,
            relay_only: config.relay_only,
            bundle: config.bundle,
            timing: config.timing,
            faults: config.faults,
            tell: Arc::new(taking(Arc::downgrade(&state))),
        })
        .await?;
        let (chain, wrong_fingerprint) = (tokio::sync::Mutex::default(), config.wrong_fingerprint);
        Ok(Arc::new(Self { engine, wire, book, filter, state, chain, wrong_fingerprint }))
    }

    /// `signalingState`.
    pub fn signaling_state(&self) -> String {
        lock(&self.state).signaling.as_str().to_owned()
    }

    /// `iceConnectionState`.
    pub fn ice_connection_state(&self) -> String {
        lock(&self.state).ice.clone()
    }

    /// `iceGatheringState`.
    pub fn ice_gathering_state(&self) -> String {
        lock(&self.state).gathering.to_owned()
    }

    /// `connectionState`.
    pub fn connection_state(&self) -> String {
        lock(&self.state).connection.clone()
    }

    /// `canTrickleIceCandidates`; unknown before a remote description was set.
    pub fn can_trickle_ice_candidates(&self) -> Option<bool> {
        let state = lock(&self.state);
        state.remote().map(|remote| fincert_schemas::format::sdp::Sdp::read(&remote.sdp).trickles())
    }

    /// `localDescription`: the pending one or else the current one, with the candidates gathered so far.
    pub fn local_description(&self) -> Option<Description> {
        let state = lock(&self.state);
        state.told(state.local())
    }

    /// `currentLocalDescription`.
    pub fn current_local_description(&self) -> Option<Description> {
        let state = lock(&self.state);
        state.told(state.current_local.as_ref())
    }

    /// `remoteDescription`: the pending one or else the current one, with the candidates that were added.
    pub fn remote_description(&self) -> Option<Description> {
        lock(&self.state).remote().map(state::Remote::told)
    }

    /// `currentRemoteDescription`.
    pub fn current_remote_description(&self) -> Option<Description> {
        lock(&self.state).current_remote.as_ref().map(state::Remote::told)
    }

    /// `addTrack`; it rejects a track that was added already, and after close.
    pub async fn add_track(&self, track: &LocalTrack) -> Result<(), PeerError> {
        let _turn = self.turn().await?;
        {
            let state = lock(&self.state);
            if state.senders.iter().any(|sender| sender.track.is(track)) {
                return Err(PeerError::State("the track was added already".to_owned()));
            }
            if state.senders.len() >= MAX_TRACKS {
                return Err(PeerError::Unable(format!("more than {MAX_TRACKS} tracks")));
            }
        }
        let outlet = self.engine.add_sender(track.kind(), track.id(), track.stream_id(), track.echoes()).await?;
        let mut state = lock(&self.state);
        if state.is_closed() {
            return Err(closed());
        }
        state.senders.push(Sender { track: track.clone(), outlet: Arc::clone(&outlet) });
        track.attach(outlet);
        state.update_needed();
        Ok(())
    }

    /// The counters now.
    pub fn evidence(&self) -> Evidence {
        self.wire.convict();
        self.book.evidence()
    }

    /// `close`: the states are closed at once and no more events come; it returns when sockets and tasks are gone.
    /// Closing twice is harmless.
    pub async fn close(&self) {
        self.end();
        let _turn = self.chain.lock().await;
        self.engine.close().await;
    }

    /// Goes silent without a word: no more packets, and nothing that comes is answered. Nothing more is told, either:
    /// what ICE finds out now is of our own making.
    pub fn vanish(&self) {
        self.wire.fall_silent();
        lock(&self.state).mute();
    }

    /// What a close does at once.
    fn end(&self) {
        let senders = {
            let mut state = lock(&self.state);
            state.close();
            std::mem::take(&mut state.senders)
        };
        for sender in senders {
            sender.track.detach(&sender.outlet);
        }
    }

    /// The turn in the operations chain, unless the connection is closed.
    async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, ()>, PeerError> {
        let turn = self.chain.lock().await;
        if lock(&self.state).is_closed() { Err(closed()) } else { Ok(turn) }
    }
}

/// A connection that is dropped is closed, without anyone who waits for it.
impl Drop for Connection {
    fn drop(&mut self) {
        self.end();
        self.engine.abandon();
    }
}

fn closed() -> PeerError {
    PeerError::State("the connection is closed".to_owned())
}

fn taking(state: Weak<Mutex<State>>) -> impl Fn(EngineEvent) + Send + Sync {
    move |event| {
        if let Some(state) = state.upgrade() {
            lock(&state).take(event);
        }
    }
}
