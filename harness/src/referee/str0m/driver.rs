//! The task that drives one peer: str0m decides without I/O, and here is the I/O.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fincert_peer::{Candidate, Description, OfferOptions, PeerConfig, PeerError, PeerEvent, SdpKind};
use fincert_schemas::run::flow::MediaKind;
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::RawPacket;
use str0m::{Event, Input, Output, Rtc};
use tokio::sync::{mpsc, oneshot};

use super::candidates::{Gate, Known, MAX_CANDIDATES};
use super::negotiation::Negotiation;
use super::sending::Sending;
use super::sockets::{Arrival, MAX_DATAGRAM, Sockets};
use super::states::States;
use super::tap::Tap;

/// str0m has nothing to do for a while: it is asked again then.
const IDLE: Duration = Duration::from_secs(1);
/// Packets that say goodbye, at most.
const MAX_FAREWELL: usize = 64;

/// What the handle asks of the task.
#[derive(Debug)]
pub(super) enum Command {
    CreateOffer(OfferOptions, Reply<Description>),
    CreateAnswer(Reply<Description>),
    SetLocal(Description, Reply<()>),
    SetRemote(Description, Reply<()>),
    LocalDescription(oneshot::Sender<Option<Description>>),
    AddCandidate(Candidate, Reply<()>),
    AddTrack(MediaKind, Reply<()>),
    Vanish(oneshot::Sender<()>),
    Close,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, PeerError>>;

/// One peer.
pub(super) struct Driver {
    rtc: Rtc,
    /// When str0m wants to be asked again.
    due: Instant,
    sockets: Sockets,
    bind: Vec<IpAddr>,
    gate: Gate,
    negotiation: Negotiation,
    sending: Sending,
    states: States,
    tap: Arc<Mutex<Tap>>,
    events: mpsc::Sender<PeerEvent>,
    local_candidates: Vec<String>,
    /// Candidates that no remote description fits yet, and how many came in all.
    early: VecDeque<(str0m::Candidate, Option<String>)>,
    taken: usize,
    known: Known,
    silent: bool,
}

impl Driver {
    pub(super) fn new(
        rtc: Rtc,
        config: PeerConfig,
        bind: Vec<IpAddr>,
        tap: Arc<Mutex<Tap>>,
        events: mpsc::Sender<PeerEvent>,
    ) -> Self {
        Self {
            rtc,
            due: Instant::now(),
            sockets: Sockets::default(),
            bind,
            gate: Gate::new(config.addresses),
            negotiation: Negotiation::new(config.wrong_fingerprint),
            sending: Sending::new(config.media),
            states: States::new(),
            tap,
            events,
            local_candidates: Vec::new(),
            early: VecDeque::new(),
            taken: 0,
            known: Known::default(),
            silent: false,
        }
    }

    /// Drives the peer until it is closed, or no handle is left.
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            let wake = self.wake_at();
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None | Some(Command::Close) => break,
                    Some(command) => self.command(command).await,
                },
                () = tokio::time::sleep_until(wake.into()), if !self.silent => self.tick(),
                arrival = self.sockets.receive(&mut buffer), if !self.silent => self.arrived(arrival, &buffer),
            }
        }
        self.farewell();
        // The sockets go before the channel: whoever waits for the channel finds the ports free.
        drop(self);
        drop(commands);
    }

    fn wake_at(&self) -> Instant {
        let media = if self.states.is_connected() { self.sending.next_at() } else { None };
        [media, self.states.deadline()].into_iter().flatten().fold(self.due, Instant::min)
    }

    fn tick(&mut self) {
        let now = Instant::now();
        if self.states.is_connected() && self.sending.next_at().is_some_and(|at| at <= now) {
            self.sending.send(&mut self.rtc, now);
            self.drain(now);
        }
        self.input(Input::Timeout(now), now);
    }

    fn arrived(&mut self, arrival: Arrival, buffer: &[u8]) {
        let now = Instant::now();
        let Arrival { from, to, length } = arrival;
        if !self.gate.allows(from.ip()) {
            tracing::debug!(%from, "a datagram of an address that is not allowed");
            return;
        }
        match Receive::new(Protocol::Udp, from, to, &buffer[..length]) {
            Ok(receive) => {
                let input = Input::Receive(now, receive);
                if self.rtc.accepts(&input) {
                    self.states.heard(now);
                }
                self.input(input, now);
            }
            Err(error) => {
                tracing::debug!(%from, %error, "a datagram that is no STUN, DTLS, RTP or RTCP");
                self.tap().malformed();
            }
        }
    }

    fn input(&mut self, input: Input<'_>, now: Instant) {
        if let Err(error) = self.rtc.handle_input(input) {
            tracing::debug!(%error, "str0m refuses input");
            if !self.rtc.is_alive() {
                self.states.dtls_failed();
            }
        }
        self.drain(now);
    }

    /// Takes all that str0m has to say: it wants that after every change.
    fn drain(&mut self, now: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.due = at.min(now + IDLE);
                    break;
                }
                Ok(Output::Transmit(transmit)) => self.transmit(&transmit),
                Ok(Output::Event(event)) => self.event(event, now),
                Err(error) => {
                    // A certificate that the description does not name, or DTLS that broke.
                    tracing::debug!(%error, "str0m fails");
                    self.states.dtls_failed();
                    self.rtc.disconnect();
                }
            }
        }
        let (ice, connection) = self.states.changes(now);
        if let Some(state) = ice {
            self.tell(PeerEvent::Ice(state.into()));
        }
        if let Some(state) = connection {
            self.tell(PeerEvent::Connection(state.into()));
        }
    }

    fn transmit(&mut self, transmit: &Transmit) {
        if !self.gate.allows(transmit.destination.ip()) {
            tracing::warn!(to = %transmit.destination, "a packet to an address that is not allowed was not sent");
            return;
        }
        // DTLS and media go over the selected pair alone; STUN (0 to 3, RFC 7983) goes everywhere.
        if transmit.contents.first().is_some_and(|byte| *byte > 3) {
            let local = format!("host {}", transmit.source);
            let remote = self.known.name(transmit.destination);
            self.tap().pair(local, remote);
        }
        self.sockets.send(transmit.source, transmit.destination, &transmit.contents);
    }

    fn event(&mut self, event: Event, now: Instant) {
        match event {
            Event::IceConnectionStateChange(state) => self.states.agent(state),
            Event::Connected => self.states.dtls_connected(),
            Event::Closed => self.states.left(),
            Event::RawPacket(packet) => self.packet(&packet, now),
            Event::RtpPacket(packet) => {
                let kind = self.rtc.direct_api().stream_rx(&packet.header.ssrc).map(|stream| stream.mid());
                let kind = kind.and_then(|mid| self.rtc.media(mid)).map(|media| media.kind());
                if let Some(kind) = kind {
                    let kind = if kind.is_audio() { MediaKind::Audio } else { MediaKind::Video };
                    self.sending.echo(&mut self.rtc, kind, packet, now);
                }
            }
            Event::KeyframeRequest(request) => self.sending.keyframe(&mut self.rtc, request.mid, request.kind),
            _ => {}
        }
    }

    fn packet(&mut self, packet: &RawPacket, now: Instant) {
        self.tap().packet(packet, now);
    }

    fn tap(&self) -> std::sync::MutexGuard<'_, Tap> {
        self.tap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: PeerEvent) {
        if let Err(error) = self.events.try_send(event) {
            tracing::debug!(%error, "an event of the peer is not taken");
        }
    }

    async fn command(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::CreateOffer(options, reply) => {
                let offer = self.negotiation.create_offer(&mut self.rtc, &options);
                let _ = reply.send(offer);
            }
            Command::CreateAnswer(reply) => {
                let _ = reply.send(self.negotiation.create_answer());
            }
            Command::SetLocal(description, reply) => {
                let done = self.set_local(&description, now).await;
                let _ = reply.send(done);
            }
            Command::SetRemote(description, reply) => {
                let done = self.set_remote(&description, now);
                let _ = reply.send(done);
            }
            Command::LocalDescription(reply) => {
                let _ = reply.send(self.local_description());
            }
            Command::AddCandidate(candidate, reply) => {
                let done = self.add_candidate(&candidate, now);
                let _ = reply.send(done);
            }
            Command::AddTrack(kind, reply) => {
                let _ = reply.send(self.negotiation.add_track(kind));
            }
            Command::Vanish(reply) => {
                self.silent = true;
                let _ = reply.send(());
            }
            Command::Close => {}
        }
        if !self.silent {
            self.drain(now);
        }
    }

    async fn set_local(&mut self, description: &Description, now: Instant) -> Result<(), PeerError> {
        let new_credentials = self.negotiation.set_local(&mut self.rtc, description)?;
        self.drain(now);
        if self.sockets.is_empty() {
            self.sockets = Sockets::bind(&self.bind).await?;
            for address in self.sockets.addresses().collect::<Vec<_>>() {
                let candidate = str0m::Candidate::host(address, "udp")
                    .map_err(|error| PeerError::Other(format!("{address} makes no candidate: {error}")))?;
                self.local_candidates.extend(self.rtc.add_local_candidate(candidate).map(|it| it.to_sdp_string()));
                self.drain(now);
            }
        }
        if new_credentials {
            self.announce_candidates();
        }
        if description.kind == SdpKind::Answer {
            self.negotiated(now);
        }
        Ok(())
    }

    /// Tells all candidates, under the user fragment that is in force, and that there are no more.
    fn announce_candidates(&mut self) {
        let Some(local) = self.negotiation.local() else { return };
        let Some((index, section)) = local.transport() else { return };
        let (mid, ufrag) = (section.mid().map(str::to_owned), local.ufrag().map(str::to_owned));
        let candidates: Vec<_> = self.local_candidates.iter().map(|it| with_ufrag(it, ufrag.as_deref())).collect();
        for candidate in candidates {
            self.tell(PeerEvent::Candidate(Candidate {
                candidate,
                sdp_mid: mid.clone(),
                sdp_m_line_index: u16::try_from(index).ok(),
                username_fragment: ufrag.clone(),
            }));
        }
        self.tell(PeerEvent::GatheringComplete);
    }

    fn local_description(&self) -> Option<Description> {
        let mut sdp = self.negotiation.local()?.clone();
        let ufrag = sdp.ufrag().map(str::to_owned);
        let candidates: Vec<_> = self.local_candidates.iter().map(|it| with_ufrag(it, ufrag.as_deref())).collect();
        sdp.put_candidates(&candidates, !self.sockets.is_empty());
        Some(Description { kind: self.negotiation.local_kind()?, sdp: sdp.to_string() })
    }

    fn set_remote(&mut self, description: &Description, now: Instant) -> Result<(), PeerError> {
        let remote = self.negotiation.set_remote(&mut self.rtc, description)?;
        self.drain(now);
        if remote.restarted {
            self.states.restarting(now);
        }
        self.states.trying(now);
        for (kind, mid) in remote.tracks {
            self.tell(PeerEvent::Track { kind, mid });
        }
        for text in remote.candidates {
            if let Err(error) = self.take_candidate(&text, None, now) {
                tracing::debug!(candidate = text, %error, "a candidate of the description is not taken");
            }
        }
        self.retry_early(now);
        if description.kind == SdpKind::Answer {
            self.negotiated(now);
        }
        Ok(())
    }

    /// Both descriptions are in force.
    fn negotiated(&mut self, now: Instant) {
        let begun = self.sending.renew(&mut self.rtc, self.negotiation.attached(), now);
        let mut tap = self.tap();
        if let Some(local) = self.negotiation.local() {
            tap.learn(local);
        }
        if let Some(client) = self.negotiation.is_dtls_client() {
            tap.dtls(client);
        }
        for (ssrc, kind) in begun {
            tap.begin_stream(ssrc, kind);
        }
    }

    fn add_candidate(&mut self, candidate: &Candidate, now: Instant) -> Result<(), PeerError> {
        if candidate.candidate.trim().is_empty() {
            // The end of candidates (RFC 8838 section 14). str0m always expects more.
            return Ok(());
        }
        if let (Some(remote), Some(mid)) = (self.negotiation.remote(), &candidate.sdp_mid)
            && !mid.is_empty()
            && !remote.media.iter().any(|section| section.mid() == Some(mid))
        {
            return Err(PeerError::Malformed(format!("the remote description has no m-line {mid:.40?}")));
        }
        self.take_candidate(&candidate.candidate, candidate.username_fragment.as_deref(), now)
    }

    fn take_candidate(&mut self, text: &str, ufrag: Option<&str>, now: Instant) -> Result<(), PeerError> {
        let candidate = self.gate.read(text)?;
        if self.taken >= MAX_CANDIDATES {
            return Err(PeerError::Other(format!("no more than {MAX_CANDIDATES} candidates are taken")));
        }
        self.taken += 1;
        let ufrag = ufrag.filter(|it| !it.is_empty()).or(candidate.ufrag()).map(str::to_owned);
        self.early.push_back((candidate, ufrag));
        self.retry_early(now);
        Ok(())
    }

    /// Hands str0m the candidates that belong to the remote description in force.
    fn retry_early(&mut self, now: Instant) {
        let Some(current) = self.negotiation.remote().map(|sdp| sdp.ufrag().map(str::to_owned)) else { return };
        for _ in 0..self.early.len() {
            let Some((candidate, ufrag)) = self.early.pop_front() else { break };
            if ufrag.is_some() && ufrag != current {
                self.early.push_back((candidate, ufrag));
                continue;
            }
            self.known.learn(&candidate);
            self.states.trying(now);
            self.rtc.add_remote_candidate(candidate);
            self.drain(now);
        }
    }

    /// Takes leave: RTCP BYE and the DTLS close_notify, if there is anyone to tell.
    fn farewell(&mut self) {
        let mut last = Vec::new();
        if !self.silent && self.rtc.close().is_ok() {
            for _ in 0..MAX_FAREWELL {
                match self.rtc.poll_output() {
                    // str0m gives the close_notify first, but an end that is told so may not read the BYE any more.
                    Ok(Output::Transmit(transmit)) if is_dtls(&transmit) => last.push(transmit),
                    Ok(Output::Transmit(transmit)) => self.transmit(&transmit),
                    Ok(Output::Event(Event::RawPacket(packet))) => self.packet(&packet, Instant::now()),
                    Ok(Output::Event(_)) => {}
                    Ok(Output::Timeout(_)) | Err(_) => break,
                }
            }
        }
        last.iter().for_each(|transmit| self.transmit(transmit));
        self.states.close();
        let (ice, connection) = self.states.changes(Instant::now());
        if let Some(state) = ice {
            self.tell(PeerEvent::Ice(state.into()));
        }
        if let Some(state) = connection {
            self.tell(PeerEvent::Connection(state.into()));
        }
    }
}

/// The first byte of a DTLS record (RFC 7983).
fn is_dtls(transmit: &Transmit) -> bool {
    transmit.contents.first().is_some_and(|byte| (20..64).contains(byte))
}

/// A candidate names the user fragment that it belongs to (RFC 8839 section 5.1 lets extensions stand behind).
fn with_ufrag(candidate: &str, ufrag: Option<&str>) -> String {
    let base = candidate.split(" ufrag ").next().unwrap_or(candidate);
    ufrag.map_or_else(|| base.to_owned(), |ufrag| format!("{base} ufrag {ufrag}"))
}
