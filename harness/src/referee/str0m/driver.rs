//! The task that drives one peer: str0m decides without I/O, and here is the I/O.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fincert_peer::{AddressFilter, PeerConfig, PeerEvent};
use fincert_schemas::run::flow::MediaKind;
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::RawPacket;
use str0m::{Event, Input, Output, Rtc};
use tokio::sync::mpsc;

use super::candidates::Known;
use super::negotiation::Negotiation;
use super::sending::Sending;
use super::signaling::Command;
use super::sockets::{Arrival, MAX_DATAGRAM, Sockets};
use super::states::States;
use super::tap::{self, Tap};

/// str0m has nothing to do for a while: it is asked again then.
const IDLE: Duration = Duration::from_secs(1);
/// Packets that say goodbye, at most.
const MAX_FAREWELL: usize = 64;

/// One peer.
pub(super) struct Driver {
    pub(super) rtc: Rtc,
    /// When str0m wants to be asked again.
    due: Instant,
    pub(super) sockets: Sockets,
    pub(super) bind: Vec<IpAddr>,
    pub(super) filter: AddressFilter,
    pub(super) negotiation: Negotiation,
    pub(super) sending: Sending,
    pub(super) states: States,
    tap: Arc<Mutex<Tap>>,
    events: mpsc::Sender<PeerEvent>,
    pub(super) local_candidates: Vec<String>,
    /// Candidates that no remote description fits yet, and how many came in all.
    pub(super) early: VecDeque<(str0m::Candidate, Option<String>)>,
    pub(super) taken: usize,
    pub(super) known: Known,
    /// The selected pair.
    pair: Option<(SocketAddr, SocketAddr)>,
    pub(super) silent: bool,
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
            filter: AddressFilter::new(config.addresses),
            negotiation: Negotiation::new(config.wrong_fingerprint),
            sending: Sending::new(config.media),
            states: States::new(),
            tap,
            events,
            local_candidates: Vec::new(),
            early: VecDeque::new(),
            taken: 0,
            known: Known::default(),
            pair: None,
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
        let media = if self.states.may_send() { self.sending.next_at() } else { None };
        [media, self.states.deadline()].into_iter().flatten().fold(self.due, Instant::min)
    }

    fn tick(&mut self) {
        let now = Instant::now();
        if self.states.may_send() && self.sending.next_at().is_some_and(|at| at <= now) {
            self.sending.send(&mut self.rtc, now);
            self.drain(now);
        }
        self.input(Input::Timeout(now), now);
    }

    fn arrived(&mut self, arrival: Arrival, buffer: &[u8]) {
        let now = Instant::now();
        let Arrival { from, to, length } = arrival;
        if !self.filter.allows(from.ip()) {
            tracing::debug!(%from, "a datagram of an address that is not allowed");
            return;
        }
        let datagram = &buffer[..length];
        match Receive::new(Protocol::Udp, from, to, datagram) {
            Ok(receive) => {
                if !tap::is_well_formed(datagram) {
                    self.tap().malformed();
                }
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
    pub(super) fn drain(&mut self, now: Instant) {
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
        if !self.filter.allows(transmit.destination.ip()) {
            tracing::warn!(to = %transmit.destination, "a packet to an address that is not allowed was not sent");
            return;
        }
        // DTLS and media go over the selected pair alone; STUN (0 to 3, RFC 7983) goes everywhere.
        let pair = Some((transmit.source, transmit.destination));
        if pair != self.pair && transmit.contents.first().is_some_and(|byte| *byte > 3) {
            self.pair = pair;
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

    pub(super) fn tap(&self) -> std::sync::MutexGuard<'_, Tap> {
        self.tap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, event: PeerEvent) {
        if let Err(error) = self.events.try_send(event) {
            tracing::debug!(%error, "an event of the peer is not taken");
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
