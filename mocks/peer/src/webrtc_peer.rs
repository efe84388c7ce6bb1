//! The trait [`Peer`] over a [`Connection`].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fincert_schemas::run::flow::{Evidence, MediaKind, Referee};
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use crate::connection::{Connection, ConnectionConfig, ConnectionEvent, Notice, Timing};
use crate::peer::{
    Abilities, Candidate, Description, Media, OfferOptions, Peer, PeerConfig, PeerError, PeerEvent, SdpKind,
};
use crate::sync::lock;
use crate::track::LocalTrack;

/// So many events wait for whoever takes them; more are lost.
const MAX_EVENTS: usize = 1024;
/// So many candidates are kept until the remote description comes.
const MAX_EARLY: usize = 100;

/// A peer is patient: ICE that has failed does not recover, and a slow target is not to be accused. That it is gone is
/// said by `disconnected` already.
const FAILED: Duration = Duration::from_secs(20);

/// A peer, and what it tells.
pub type PeerAndEvents = (Arc<dyn Peer>, mpsc::Receiver<PeerEvent>);

/// A peer of the crate webrtc.
///
/// It is boxed, so that the crate webrtc is compiled here and not once more in each crate that awaits it.
pub fn webrtc_peer(config: PeerConfig) -> BoxFuture<'static, Result<PeerAndEvents, PeerError>> {
    Box::pin(make(config))
}

async fn make(config: PeerConfig) -> Result<PeerAndEvents, PeerError> {
    let (events, receiver) = mpsc::channel(MAX_EVENTS);
    let tell = move |notice| {
        if let Some(event) = told(notice)
            && let Err(mpsc::error::TrySendError::Full(lost)) = events.try_send(event)
        {
            tracing::warn!("{MAX_EVENTS} events of a peer wait; lost: {lost:?}");
        }
    };
    let connection = ConnectionConfig {
        epoch: config.epoch,
        bind: config.bind,
        ice_servers: config.ice_servers,
        relay_only: config.relay_only,
        addresses: config.addresses,
        wrong_fingerprint: config.wrong_fingerprint,
        timing: Timing { failed: FAILED, ..Timing::default() },
        ..ConnectionConfig::default()
    };
    let connection = Connection::with(connection, Box::new(tell)).await?;
    let peer = WebrtcPeer { connection, media: config.media, tracks: Mutex::default(), early: Mutex::default() };
    Ok((Arc::new(peer), receiver))
}

#[derive(Debug)]
struct WebrtcPeer {
    connection: Arc<Connection>,
    media: Media,
    tracks: Mutex<Vec<LocalTrack>>,
    /// Candidates that came before the remote description.
    early: Mutex<Vec<Candidate>>,
}

fn told(notice: Notice) -> Option<PeerEvent> {
    Some(match notice {
        Notice::Event(ConnectionEvent::Candidate(Some(candidate))) => PeerEvent::Candidate(candidate),
        Notice::Event(ConnectionEvent::Candidate(None)) => PeerEvent::GatheringComplete,
        Notice::Event(ConnectionEvent::IceConnectionState(state)) => PeerEvent::Ice(state),
        Notice::Event(ConnectionEvent::ConnectionState(state)) => PeerEvent::Connection(state),
        Notice::Event(ConnectionEvent::Track { kind, mid, .. }) => PeerEvent::Track { kind, mid },
        // ICE finds it out by its silence, seconds later.
        Notice::FarEndClosed => PeerEvent::Connection("disconnected".to_owned()),
        Notice::Event(
            ConnectionEvent::GatheringState(_)
            | ConnectionEvent::SignalingState(_)
            | ConnectionEvent::NegotiationNeeded,
        ) => return None,
    })
}

#[async_trait]
impl Peer for WebrtcPeer {
    fn referee(&self) -> Referee {
        Referee::WebrtcRs
    }

    fn abilities(&self) -> Abilities {
        Abilities { rollback: true, relay: true, wrong_fingerprint: true }
    }

    async fn create_offer(&self, options: &OfferOptions) -> Result<Description, PeerError> {
        self.connection.create_offer(options).await
    }

    async fn create_answer(&self) -> Result<Description, PeerError> {
        self.connection.create_answer().await
    }

    async fn set_local_description(&self, description: &Description) -> Result<(), PeerError> {
        self.connection.set_local_description(description).await
    }

    async fn set_remote_description(&self, description: &Description) -> Result<(), PeerError> {
        self.connection.set_remote_description(description).await?;
        if description.kind != SdpKind::Rollback {
            let early = std::mem::take(&mut *lock(&self.early));
            for candidate in early {
                // It was taken when it came; what is wrong with it is told nowhere any more.
                if let Err(error) = self.connection.add_ice_candidate(Some(&candidate)).await {
                    tracing::debug!("a candidate that came early: {error}");
                }
            }
        }
        Ok(())
    }

    async fn local_description(&self) -> Option<Description> {
        self.connection.local_description()
    }

    async fn add_candidate(&self, candidate: &Candidate) -> Result<(), PeerError> {
        if self.connection.remote_description().is_some() {
            return self.connection.add_ice_candidate(Some(candidate)).await;
        }
        self.connection.judge(&candidate.candidate)?;
        let mut early = lock(&self.early);
        if early.len() >= MAX_EARLY {
            return Err(PeerError::Unable(format!("more than {MAX_EARLY} candidates before the remote description")));
        }
        early.push(candidate.clone());
        Ok(())
    }

    async fn end_of_candidates(&self) -> Result<(), PeerError> {
        if self.connection.remote_description().is_none() {
            return Ok(());
        }
        self.connection.add_ice_candidate(None).await
    }

    async fn add_track(&self, kind: MediaKind) -> Result<(), PeerError> {
        let count = lock(&self.tracks).len();
        let (id, stream) = (format!("fincert-{}-{count}", kind.as_str()), "fincert".to_owned());
        let track = match self.media {
            Media::Pattern => LocalTrack::new(kind, id, stream),
            Media::Echo => LocalTrack::echo(kind, id, stream),
        };
        self.connection.add_track(&track).await?;
        lock(&self.tracks).push(track);
        Ok(())
    }

    fn evidence(&self) -> Evidence {
        self.connection.evidence()
    }

    async fn close(&self) {
        self.connection.close().await;
    }

    async fn vanish(&self) {
        self.connection.vanish();
    }
}
