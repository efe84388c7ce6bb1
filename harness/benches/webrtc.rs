//! How fast fincert's peer sets up a call, as ratios to the bare crate in this one run, and what the whole profile
//! costs against the mock host and, with `FINCERT_BENCH_BROWSER=1`, against Chromium.
#![allow(missing_docs, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use fincert::referee;
use fincert::runner::{self, Gathered, Plan};
use fincert::target::Target;
use fincert_peer::{OfferOptions, Peer, PeerConfig, PeerEvent};
use fincert_schemas::Ledger;
use fincert_schemas::bridge::Integration;
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::flow::{MediaKind, PeerDid, Referee};
use fincert_schemas::run::{RunHeader, Transcript, What};
use fincert_suites::Suite;
use fincert_suites::judge::{self, Evidence, Law};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::configuration::setting_engine::SettingEngineBuilder;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use tokio::sync::mpsc;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit, RTCPeerConnectionIceEvent,
    RTCPeerConnectionState,
};

const ROUNDS: usize = 41;
/// How many calls are set up at once.
const AT_ONCE: usize = 200;
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        set_up().await;
        many().await;
        profile("the mock host", Plan { states: vec![Integration::Integrated], ..Plan::default() }).await;
        if std::env::var_os("FINCERT_BENCH_BROWSER").is_some() {
            profile("Chromium", Plan { target: Target::Browser(None), ..Plan::default() }).await;
        }
    });
}

fn law() -> Law<'static> {
    Law {
        ledger: Ledger::embedded().unwrap(),
        suite: Suite::embedded().unwrap(),
        catalog: Catalog::embedded().unwrap(),
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

/// From the offer asked for to both ends connected, audio and video both ways, on loopback.
async fn set_up() {
    let (mut bare, mut ours, mut mixed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(bare_call().await);
        ours.push(call(Referee::WebrtcRs, Referee::WebrtcRs).await);
        mixed.push(call(Referee::WebrtcRs, Referee::Str0m).await);
    }
    let (bare, ours, mixed) = (median(bare), median(ours), median(mixed));
    println!("a call of the bare tuned crate   {bare:>8.1} ms");
    println!("a call of fincert's peers        {ours:>8.1} ms");
    println!("fincert's peer and str0m         {mixed:>8.1} ms");
    println!("ratio fincert / bare             {:>8.2}      (goal: 1.2 or less)", ours / bare);
}

/// All at once, and each must come up.
async fn many() {
    let began = Instant::now();
    let calls: Vec<_> = (0..AT_ONCE).map(|_| tokio::spawn(call(Referee::WebrtcRs, Referee::WebrtcRs))).collect();
    for one in calls {
        one.await.unwrap();
    }
    println!("{AT_ONCE} calls set up at once        {:>8.2} s      (all connected)", began.elapsed().as_secs_f64());
}

struct End {
    peer: Arc<dyn Peer>,
    events: mpsc::Receiver<PeerEvent>,
}

async fn end(referee: Referee) -> End {
    let config = PeerConfig { bind: vec![[127, 0, 0, 1].into()], ..PeerConfig::default() };
    let (peer, events) = referee::peer(referee, config).await.unwrap();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        peer.add_track(kind).await.unwrap();
    }
    End { peer, events }
}

async fn call(offerer: Referee, answerer: Referee) -> Duration {
    let (mut a, mut b) = (end(offerer).await, end(answerer).await);
    let began = Instant::now();
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_local_description(&offer).await.unwrap();
    b.peer.set_remote_description(&offer).await.unwrap();
    let answer = b.peer.create_answer().await.unwrap();
    b.peer.set_local_description(&answer).await.unwrap();
    a.peer.set_remote_description(&answer).await.unwrap();
    tokio::time::timeout(PATIENCE, connected(&mut a, &mut b)).await.unwrap();
    let took = began.elapsed();
    a.peer.close().await;
    b.peer.close().await;
    took
}

/// Candidates go across until both ends are connected.
async fn connected(a: &mut End, b: &mut End) {
    let (mut first, mut second) = (false, false);
    while !(first && second) {
        tokio::select! {
            Some(event) = a.events.recv() => first |= heard(event, &b.peer).await,
            Some(event) = b.events.recv() => second |= heard(event, &a.peer).await,
        }
    }
}

async fn heard(event: PeerEvent, other: &Arc<dyn Peer>) -> bool {
    match event {
        PeerEvent::Candidate(candidate) => {
            other.add_candidate(&candidate).await.unwrap();
            false
        }
        PeerEvent::Connection(state) => state == "connected",
        _ => false,
    }
}

/// What the bare crate tells.
enum Told {
    Candidate(RTCIceCandidateInit),
    Connected,
}

struct Handler(mpsc::UnboundedSender<Told>);

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(init) = event.candidate.to_json() {
            let _ = self.0.send(Told::Candidate(init));
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            let _ = self.0.send(Told::Connected);
        }
    }
}

/// One connection of the bare crate with the settings that make it fast, one audio and one video track.
async fn bare_end() -> (Arc<dyn PeerConnection>, mpsc::UnboundedReceiver<Told>) {
    let now = Some(Duration::ZERO);
    let settings = SettingEngineBuilder::new()
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_host_acceptance_min_wait(now)
        .with_prflx_acceptance_min_wait(now)
        .with_ice_connection_attempts(Some(Duration::from_millis(5)), Some(1000))
        .build();
    let codec = |mime: &str, clock_rate, channels| RTCRtpCodec {
        mime_type: mime.to_owned(),
        clock_rate,
        channels,
        ..RTCRtpCodec::default()
    };
    let codecs = [
        (codec("audio/opus", 48_000, 2), 111, RtpCodecKind::Audio),
        (codec("video/VP8", 90_000, 0), 96, RtpCodecKind::Video),
    ];
    let mut media = MediaEngine::default();
    for (rtp_codec, payload_type, kind) in codecs.clone() {
        media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, kind).unwrap();
    }
    let (tell, told) = mpsc::unbounded_channel();
    let pc = PeerConnectionBuilder::new()
        .with_media_engine(media)
        .with_setting_engine(settings)
        .with_handler(Arc::new(Handler(tell)) as Arc<dyn PeerConnectionEventHandler>)
        .with_udp_addrs(vec![SocketAddr::from(([127, 0, 0, 1], 0))])
        .build()
        .await
        .unwrap();
    let pc: Arc<dyn PeerConnection> = Arc::new(pc);
    for (ssrc, (codec, _, kind)) in codecs.into_iter().enumerate() {
        let coding = RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc as u32 + 1),
                ..RTCRtpCodingParameters::default()
            },
            codec,
            ..RTCRtpEncodingParameters::default()
        };
        let track = MediaStreamTrack::new("s".to_owned(), format!("t{ssrc}"), "t".to_owned(), kind, vec![coding]);
        pc.add_track(Arc::new(TrackLocalStaticRTP::new(track))).await.unwrap();
    }
    (pc, told)
}

async fn bare_call() -> Duration {
    let ((a, mut of_a), (b, mut of_b)) = (bare_end().await, bare_end().await);
    let began = Instant::now();
    let offer = a.create_offer(None).await.unwrap();
    a.set_local_description(offer.clone()).await.unwrap();
    b.set_remote_description(offer).await.unwrap();
    let answer = b.create_answer(None).await.unwrap();
    b.set_local_description(answer.clone()).await.unwrap();
    a.set_remote_description(answer).await.unwrap();
    let both = async {
        let (mut first, mut second) = (false, false);
        while !(first && second) {
            tokio::select! {
                Some(told) = of_a.recv() => match told {
                    Told::Candidate(candidate) => b.add_ice_candidate(candidate).await.unwrap(),
                    Told::Connected => first = true,
                },
                Some(told) = of_b.recv() => match told {
                    Told::Candidate(candidate) => a.add_ice_candidate(candidate).await.unwrap(),
                    Told::Connected => second = true,
                },
            }
        }
    };
    tokio::time::timeout(PATIENCE, both).await.unwrap();
    let took = began.elapsed();
    a.close().await.unwrap();
    b.close().await.unwrap();
    took
}

/// The profile webrtc, from the first flow to the last.
async fn profile(name: &str, plan: Plan) {
    let scenarios: Vec<String> =
        law().suite.scenarios.iter().filter(|s| s.profile == "webrtc").map(|s| s.id.clone()).collect();
    let header = RunHeader { seed: 1, target: plan.target.to_string(), scenarios, ..RunHeader::default() };
    let began = Instant::now();
    let gathered: Gathered =
        runner::run(&plan, &header, law(), &mut |_| Ok(()), &mut |_| {}, Box::pin(std::future::pending()))
            .await
            .unwrap();
    let took = began.elapsed();
    let evidence = Evidence { header: &header, sessions: &gathered.sessions, transcripts: &gathered.transcripts };
    let judged = judge::judge(law(), evidence);
    println!(
        "the profile webrtc, {name:<12} {:>8.1} s      (goal: under 60; {:?})",
        took.as_secs_f64(),
        judged.standing
    );
    let connected: Vec<Duration> = gathered.transcripts.iter().filter_map(offer_to_connected).collect();
    println!(
        "  from createOffer to connected  {:>8.0} ms     (median of {} calls)",
        median(connected.clone()),
        connected.len()
    );
}

/// From the offer asked for to both ends connected, as the transcript of a call has it.
fn offer_to_connected(transcript: &Transcript) -> Option<Duration> {
    let at = |is: &dyn Fn(&What) -> bool| {
        transcript.events.iter().find(|event| is(&event.what)).map(|event| Duration::from_micros(event.at_us))
    };
    let offer = at(&|what| match what {
        What::Call { method, .. } => method == "RTCPeerConnection.createOffer",
        What::Peer { did: PeerDid::Description { local: true, .. }, .. } => true,
        _ => false,
    })?;
    let peer =
        at(&|what| matches!(what, What::Peer { did: PeerDid::Connection { state }, .. } if state == "connected"))?;
    let target = at(&|what| {
        matches!(what, What::Emitted { kind, value, .. } if kind == "iceconnectionstatechange"
            && value.value.get("iceConnectionState").is_some_and(|state| state == "connected"))
    })?;
    Some(peer.max(target) - offer)
}
