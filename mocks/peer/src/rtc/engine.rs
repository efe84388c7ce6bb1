//! One peer connection of the crate, in plain words: texts in and out, and events.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fincert_schemas::run::flow::{Dtls, MediaKind, Pair};
use rtc::interceptor::Slot;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::RTCOfferOptions;
use rtc::peer_connection::transport::{RTCDtlsRole, RTCDtlsTransportState};
use rtc::rtp_transceiver::rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use webrtc::error::Error;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::transport::DtlsTransport;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCBundlePolicy, RTCConfigurationBuilder,
    RTCIceCandidate, RTCIceCandidateInit, RTCIceConnectionState, RTCIceGatheringState, RTCIceServer,
    RTCIceTransportPolicy, RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSdpType, RTCSessionDescription,
    StatsSelector,
};
use webrtc::runtime::Runtime;

use super::outlet::Outlet;
use super::runtime::Counted;
use super::settings;
use super::tap::{self, Drain, Tap};
use super::wire::{Look, Wire};
use crate::connection::{Bundle, Faults, Timing};
use crate::peer::{IceServer, PeerError, SdpKind};
use crate::policy::setup::Role;
use crate::sync::lock;

/// How long a BYE may take to leave.
const GOODBYE: Duration = Duration::from_millis(100);

/// How an engine is made.
pub(crate) struct EngineConfig {
    pub(crate) wire: Arc<Wire>,
    pub(crate) bind: Vec<IpAddr>,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) relay_only: bool,
    pub(crate) bundle: Bundle,
    pub(crate) timing: Timing,
    pub(crate) faults: Faults,
    pub(crate) tell: Tell,
}

/// Takes events; it is called on the crate's driver, and must not wait.
pub(crate) type Tell = Arc<dyn Fn(EngineEvent) + Send + Sync>;

/// What the engine tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EngineEvent {
    /// A candidate of its own, `candidate:…`.
    Candidate(String),
    /// There are no more candidates.
    Gathered,
    /// The state of ICE.
    Ice(String),
    /// The state of ICE and DTLS.
    Connection(String),
    /// The other end has ended DTLS in good order.
    FarEndClosed,
}

/// See the module.
pub(crate) struct Engine {
    pc: Arc<dyn PeerConnection>,
    wire: Arc<Wire>,
    drain: Arc<Drain>,
    runtime: Handle,
    closed: AtomicBool,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("wire", &self.wire).finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) async fn new(config: EngineConfig) -> Result<Self, PeerError> {
        let EngineConfig { wire, bind, ice_servers, relay_only, bundle, timing, faults, tell } = config;
        let servers = ice_servers.into_iter().map(|server| RTCIceServer {
            urls: server.urls,
            username: server.username,
            credential: server.credential,
        });
        let policy = if relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
        let bundle = match bundle {
            Bundle::Balanced => RTCBundlePolicy::Balanced,
            Bundle::MaxCompat => RTCBundlePolicy::MaxCompat,
            Bundle::MaxBundle => RTCBundlePolicy::MaxBundle,
        };
        let configuration = RTCConfigurationBuilder::new()
            .with_ice_servers(servers.collect())
            .with_ice_transport_policy(policy)
            .with_bundle_policy(bundle)
            .build();
        let drain = Arc::new(Drain::new(Arc::clone(&wire.book), faults.deaf));
        let registry = settings::interceptors().with(Slot::from(tap::SLOT), Tap::new(&drain));
        let handler = Arc::new(Handler { tell, wire: Arc::clone(&wire), pc: OnceLock::new() });
        let bind = if bind.is_empty() { default_addresses() } else { bind };
        let builder = PeerConnectionBuilder::new()
            .with_configuration(configuration)
            .with_media_engine(settings::media().map_err(|error| other("codecs", &error))?)
            .with_setting_engine(settings::engine(&timing, faults))
            .with_interceptor_registry(registry)
            .with_runtime(Arc::new(Counted { wire: Arc::clone(&wire) }) as Arc<dyn Runtime>)
            .with_handler(Arc::clone(&handler) as Arc<dyn PeerConnectionEventHandler>)
            .with_udp_addrs(bind.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect::<Vec<_>>());
        // In a task of its own: whoever asked may not wait for the end of it.
        let (done, made) = oneshot::channel();
        tokio::spawn(async move {
            let _ = done.send(builder.build().await.map(|pc| Fresh(Some(Arc::new(pc)), Handle::current())));
        });
        let pc = match made.await {
            Ok(built) => built.map_err(|error| other("a connection could not be made", &error))?.taken(),
            Err(_) => None,
        };
        let pc = pc.ok_or_else(|| PeerError::Other("a connection could not be made: the crate panicked".to_owned()))?;
        // Set once, here.
        let _ = handler.pc.set(Arc::downgrade(&pc));
        let (handler, living) = (Arc::downgrade(&handler), Arc::downgrade(&wire));
        wire.on_look(Box::new(move |look| {
            let (Some(handler), Some(wire)) = (handler.upgrade(), living.upgrade()) else { return };
            if look == Look::Failed {
                wire.set_flowing(false);
                (handler.tell)(EngineEvent::Connection("failed".to_owned()));
                return;
            }
            let living = wire.lives();
            tokio::spawn(async move {
                handler.look().await;
                if look == Look::Alerted {
                    handler.look_for_the_end().await;
                }
                drop(living);
            });
        }));
        Ok(Self { pc, wire, drain, runtime: Handle::current(), closed: AtomicBool::new(false) })
    }

    pub(crate) async fn create_offer(&self, ice_restart: bool) -> Result<String, PeerError> {
        let options = ice_restart.then_some(RTCOfferOptions { ice_restart });
        self.pc.create_offer(options).await.map(|made| made.sdp).map_err(|error| other("createOffer", &error))
    }

    pub(crate) async fn create_answer(&self) -> Result<String, PeerError> {
        self.pc.create_answer(None).await.map(|made| made.sdp).map_err(|error| other("createAnswer", &error))
    }

    pub(crate) async fn set_local(&self, kind: SdpKind, sdp: &str) -> Result<(), PeerError> {
        let description = description(kind, sdp)?;
        self.pc.set_local_description(description).await.map_err(|error| other("setLocalDescription", &error))
    }

    pub(crate) async fn set_remote(&self, kind: SdpKind, sdp: &str) -> Result<(), PeerError> {
        let description = description(kind, sdp)?;
        self.pc.set_remote_description(description).await.map_err(|error| other("setRemoteDescription", &error))
    }

    /// A candidate that was judged.
    pub(crate) async fn add_candidate(&self, candidate: &str) -> Result<(), PeerError> {
        let init = RTCIceCandidateInit { candidate: candidate.to_owned(), ..RTCIceCandidateInit::default() };
        self.pc.add_ice_candidate(init).await.map_err(|error| PeerError::Malformed(format!("a candidate: {error}")))
    }

    /// Makes a sender, and the outlet of what it sends.
    pub(crate) async fn add_sender(
        &self,
        kind: MediaKind,
        track_id: &str,
        stream_id: &str,
        echo: bool,
    ) -> Result<Arc<Outlet>, PeerError> {
        let ssrc = rand::random::<u32>().max(1);
        let (codec_kind, codec) = match kind {
            MediaKind::Audio => (RtpCodecKind::Audio, settings::opus()),
            MediaKind::Video => (RtpCodecKind::Video, settings::vp8()),
        };
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters { ssrc: Some(ssrc), ..RTCRtpCodingParameters::default() },
            codec,
            ..RTCRtpEncodingParameters::default()
        };
        let (stream_id, track_id) = (stream_id.to_owned(), track_id.to_owned());
        let track = MediaStreamTrack::new(stream_id, track_id, "fincert".to_owned(), codec_kind, vec![coding]);
        let track = Arc::new(TrackLocalStaticRTP::new(track));
        let sender = self.pc.add_track(Arc::clone(&track) as _).await.map_err(|error| other("addTrack", &error))?;
        // The track's codec, without which the crate sends no sender reports, has become the m-line's only one. A
        // transceiver that a remote description made keeps what was negotiated.
        for transceiver in self.pc.get_transceivers().await {
            let is_new = matches!(transceiver.mid().await, Ok(None));
            if let Ok(Some(other)) = transceiver.sender().await
                && other.id() == sender.id()
                && is_new
            {
                transceiver.set_codec_preferences(Vec::new()).await.map_err(|error| other_codecs(&error))?;
            }
        }
        let outlet = Arc::new(Outlet::new(kind, ssrc, track, &self.wire, echo));
        lock(&self.drain.outlets).push(Arc::clone(&outlet));
        Ok(outlet)
    }

    /// Makes an m-line that only receives: what offerToReceiveAudio and offerToReceiveVideo ask for.
    pub(crate) async fn add_receiver(&self, kind: MediaKind) -> Result<(), PeerError> {
        let kind = match kind {
            MediaKind::Audio => RtpCodecKind::Audio,
            MediaKind::Video => RtpCodecKind::Video,
        };
        self.pc.add_transceiver_from_kind(kind, None).await.map(|_| ()).map_err(|error| other("createOffer", &error))
    }

    /// Says goodbye in RTCP and DTLS, and waits until sockets and tasks are gone.
    pub(crate) async fn close(&self) {
        let outlets = std::mem::take(&mut *lock(&self.drain.outlets));
        // Each says it, and one that did is waited for.
        if outlets.iter().filter(|outlet| outlet.goodbye()).count() > 0 {
            let _ = tokio::time::timeout(GOODBYE, self.drain.goodbye.notified()).await;
        }
        if let Err(error) = self.pc.close().await {
            tracing::debug!("close: {error}");
        }
        self.closed.store(true, Ordering::Release);
        self.wire.is_gone().await;
    }

    /// Closes without anyone who waits, unless it was closed. The crate's driver would go on for ever.
    pub(crate) fn abandon(&self) {
        lock(&self.drain.outlets).clear();
        if !self.closed.swap(true, Ordering::AcqRel) {
            let pc = Arc::clone(&self.pc);
            self.runtime.spawn(async move {
                if let Err(error) = pc.close().await {
                    tracing::debug!("close: {error}");
                }
            });
        }
    }
}

/// A connection that nobody has taken yet. The crate's driver of one that is dropped without a close would go on for ever.
struct Fresh(Option<Arc<dyn PeerConnection>>, Handle);

impl Fresh {
    fn taken(mut self) -> Option<Arc<dyn PeerConnection>> {
        self.0.take()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(pc) = self.0.take() {
            self.1.spawn(async move {
                let _ = pc.close().await;
            });
        }
    }
}

/// Loopback and this machine's other addresses, of IPv4: where a peer gathers unless it is told otherwise.
pub fn default_addresses() -> Vec<IpAddr> {
    let mut found = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    for interface in rtc::shared::ifaces::ifaces().unwrap_or_default() {
        if let Some(IpAddr::V4(ip)) = interface.addr.map(|address| address.ip())
            && !ip.is_unspecified()
            && !ip.is_link_local()
            && !found.contains(&IpAddr::V4(ip))
        {
            found.push(IpAddr::V4(ip));
        }
    }
    found
}

fn description(kind: SdpKind, sdp: &str) -> Result<RTCSessionDescription, PeerError> {
    match kind {
        SdpKind::Offer => RTCSessionDescription::offer(sdp.to_owned()),
        SdpKind::Answer => RTCSessionDescription::answer(sdp.to_owned()),
        SdpKind::Rollback => {
            let mut back = RTCSessionDescription::default();
            back.sdp_type = RTCSdpType::Rollback;
            Ok(back)
        }
    }
    .map_err(|error| PeerError::Malformed(format!("the description: {error}")))
}

fn other(method: &str, error: &Error) -> PeerError {
    match error {
        Error::ErrConnectionClosed => PeerError::State("the connection is closed".to_owned()),
        error => PeerError::Other(format!("{method}: {error}")),
    }
}

fn other_codecs(error: &Error) -> PeerError {
    other("addTrack", error)
}

struct Handler {
    tell: Tell,
    wire: Arc<Wire>,
    pc: OnceLock<Weak<dyn PeerConnection>>,
}

impl Handler {
    /// Notes what DTLS has agreed on, and the selected pair.
    async fn look(&self) {
        let Some(pc) = self.pc.get().and_then(Weak::upgrade) else { return };
        let report = pc.get_stats(Instant::now(), StatsSelector::None).await;
        if let Some(transport) = report.transport().filter(|transport| !transport.srtp_cipher.is_empty()) {
            let role = if transport.dtls_role == RTCDtlsRole::Server { Role::Server } else { Role::Client };
            let cipher = format!("{} {}", transport.dtls_cipher, transport.srtp_cipher);
            let (role, cipher) = (role.as_str().to_owned(), Some(cipher.trim().to_owned()));
            self.wire.book.dtls(Dtls { role, cipher });
        }
        if let Some(pair) = selected(pc.as_ref()).await {
            self.wire.book.pair(pair);
        }
    }

    /// After a DTLS alert: whether the other end has ended the association. The alert itself is encrypted, and anyone may
    /// send something that looks like one.
    async fn look_for_the_end(&self) {
        let Some(pc) = self.pc.get().and_then(Weak::upgrade) else { return };
        let Some(transport) = transport(pc.as_ref()).await else { return };
        if transport.state().await.is_ok_and(|state| state == RTCDtlsTransportState::Closed) {
            (self.tell)(EngineEvent::FarEndClosed);
        }
    }
}

/// The transport of the bundle; the crate has no way to it but by an m-line.
async fn transport(pc: &dyn PeerConnection) -> Option<Arc<dyn DtlsTransport>> {
    for transceiver in pc.get_transceivers().await {
        let transport = match (transceiver.sender().await, transceiver.receiver().await) {
            (Ok(Some(sender)), _) => sender.transport().await,
            (_, Ok(Some(receiver))) => receiver.transport().await,
            _ => continue,
        };
        if let Ok(Some(transport)) = transport {
            return Some(transport);
        }
    }
    None
}

/// The pair that ICE has selected. Its fields are private, and its text has no end behind the port; so the candidate is
/// found that has the same text.
async fn selected(pc: &dyn PeerConnection) -> Option<Pair> {
    let ice = transport(pc).await?.ice_transport();
    let pair = ice.get_selected_candidate_pair().await.ok()??.to_string();
    let (local, remote) = pair.strip_prefix("(local) ")?.split_once(" <-> (remote) ")?;
    let named = |candidates: Vec<RTCIceCandidate>, text: &str| {
        let found = candidates.into_iter().find(|candidate| candidate.to_string() == text)?;
        let ip: IpAddr = found.address.parse().ok()?;
        Some(format!("{} {}", found.typ, SocketAddr::new(ip, found.port)))
    };
    Some(Pair {
        local: named(ice.get_local_candidates().await.ok()?, local)?,
        remote: named(ice.get_remote_candidates().await.ok()?, remote)?,
    })
}

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(init) = event.candidate.to_json() {
            (self.tell)(EngineEvent::Candidate(init.candidate));
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        (self.tell)(EngineEvent::Ice(state.to_string()));
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            (self.tell)(EngineEvent::Gathered);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let connected = state == RTCPeerConnectionState::Connected;
        self.wire.set_flowing(connected);
        if connected {
            self.look().await;
        }
        (self.tell)(EngineEvent::Connection(state.to_string()));
    }
}
