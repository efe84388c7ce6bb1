//! str0m behind the trait [`Peer`]: the handle. The work is done by one task, which [`driver`] describes.

mod candidates;
mod driver;
mod negotiation;
mod sdp;
mod sending;
mod signaling;
mod sockets;
mod states;
mod tap;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fincert_peer::{
    Abilities, Candidate, Description, OfferOptions, Peer, PeerAndEvents, PeerConfig, PeerError, PeerEvent,
    default_addresses,
};
use fincert_schemas::run::flow::{Evidence, MediaKind, Referee};
use futures_util::future::BoxFuture;
use str0m::Rtc;
use tokio::sync::{mpsc, oneshot};

use driver::Driver;
use signaling::{Command, Reply};
use tap::Tap;

/// Events that may wait unread. A call makes some dozens.
const MAX_EVENTS: usize = 1024;
/// How often reports are sent, of both kinds: libwebrtc sends its own about as often.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// The pair is checked at least so often, so that silence is noticed.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Checks that are lost before str0m gives a pair up: half a minute of them, as the other end may learn its candidates
/// late.
const CHECKS_LOST: usize = 30;

/// Makes a peer. It gathers host candidates alone: the servers of the configuration are not asked, and a target that has
/// nothing but relay candidates reaches it all the same.
///
/// # Errors
/// What str0m cannot do: relay candidates of its own.
pub fn str0m_peer(config: PeerConfig) -> BoxFuture<'static, Result<PeerAndEvents, PeerError>> {
    Box::pin(make(config))
}

async fn make(config: PeerConfig) -> Result<PeerAndEvents, PeerError> {
    if config.relay_only {
        return Err(PeerError::Unable(
            "str0m gathers no relay candidates; drive this flow with webrtc-rs alone".into(),
        ));
    }
    let bind = if config.bind.is_empty() { default_addresses() } else { config.bind.clone() };
    let tap = Arc::new(Mutex::new(Tap::new(config.epoch)));
    let (commands, inbox) = mpsc::channel(16);
    let (events, outbox) = mpsc::channel(MAX_EVENTS);
    let driver = Driver::new(engine(), config, bind, Arc::clone(&tap), events.clone());
    tokio::spawn(async move {
        // str0m asserts a good deal. Should a target bring it to a panic, that ends this call and no other, and is told.
        if tokio::spawn(driver.run(inbox)).await.is_err() {
            let _ = events.try_send(PeerEvent::Connection("failed".into()));
        }
    });
    Ok((Arc::new(Str0mPeer { commands, tap }), outbox))
}

/// str0m as this referee wants it: RTP as it is on the wire, no retransmission streams (the evidence counts first
/// transmissions), and the codecs of RFC 7874 and RFC 7742.
fn engine() -> Rtc {
    let mut config = Rtc::builder()
        .set_rtp_mode(true)
        .enable_raw_packets(true)
        .set_rtcp_report_interval_audio(REPORT_INTERVAL)
        .set_rtcp_report_interval_video(REPORT_INTERVAL)
        .clear_codecs();
    config.set_max_stun_rto(CHECK_INTERVAL);
    config.set_max_stun_retransmits(CHECKS_LOST);
    codecs(config.codec_config());
    config.build(Instant::now())
}

fn codecs(config: &mut str0m::format::CodecConfig) {
    use str0m::format::{Codec, FormatParams};
    use str0m::media::Frequency;

    config.enable_opus(true, false);
    config.enable_pcmu(true, false);
    config.enable_pcma(true, false);
    config.add_config(96.into(), None, Codec::Vp8, Frequency::NINETY_KHZ, None, FormatParams::default());
    for (pt, packetization, profile) in
        [(102, true, 0x42_001f), (104, false, 0x42_001f), (106, true, 0x42_e01f), (108, false, 0x42_e01f)]
    {
        config.add_h264(pt.into(), None, packetization, profile);
    }
}

struct Str0mPeer {
    commands: mpsc::Sender<Command>,
    tap: Arc<Mutex<Tap>>,
}

impl Str0mPeer {
    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, PeerError> {
        let (reply, answer) = oneshot::channel();
        let closed = || PeerError::State("the peer is closed".into());
        self.commands.send(command(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl fmt::Debug for Str0mPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Str0mPeer").field("closed", &self.commands.is_closed()).finish()
    }
}

#[async_trait]
impl Peer for Str0mPeer {
    fn referee(&self) -> Referee {
        Referee::Str0m
    }

    fn abilities(&self) -> Abilities {
        Abilities { rollback: false, relay: false, wrong_fingerprint: true }
    }

    async fn create_offer(&self, options: &OfferOptions) -> Result<Description, PeerError> {
        self.ask(|reply| Command::CreateOffer(options.clone(), reply)).await
    }

    async fn create_answer(&self) -> Result<Description, PeerError> {
        self.ask(Command::CreateAnswer).await
    }

    async fn set_local_description(&self, description: &Description) -> Result<(), PeerError> {
        self.ask(|reply| Command::SetLocal(description.clone(), reply)).await
    }

    async fn set_remote_description(&self, description: &Description) -> Result<(), PeerError> {
        self.ask(|reply| Command::SetRemote(description.clone(), reply)).await
    }

    async fn local_description(&self) -> Option<Description> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::LocalDescription(reply)).await.ok()?;
        answer.await.ok()?
    }

    async fn add_candidate(&self, candidate: &Candidate) -> Result<(), PeerError> {
        self.ask(|reply| Command::AddCandidate(candidate.clone(), reply)).await
    }

    async fn end_of_candidates(&self) -> Result<(), PeerError> {
        // str0m always expects more (it never ends trickling), so there is nothing to do but to say whether it lives.
        if self.commands.is_closed() { Err(PeerError::State("the peer is closed".into())) } else { Ok(()) }
    }

    async fn add_track(&self, kind: MediaKind) -> Result<(), PeerError> {
        self.ask(|reply| Command::AddTrack(kind, reply)).await
    }

    fn evidence(&self) -> Evidence {
        self.tap.lock().unwrap_or_else(PoisonError::into_inner).evidence().clone()
    }

    async fn close(&self) {
        // The task may be gone already; then this is closed, too.
        let _ = self.commands.send(Command::Close).await;
        self.commands.closed().await;
    }

    async fn vanish(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Vanish(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }
}
