//! Calls as the harness drives them with a target that does everything right.

use fincert_schemas::run::flow::{
    Act, Await, Dtls, End, Evidence, Flow, FlowOptions, MediaKind, Network, Pair, PeerDid,
};
use serde_json::{Value, json};

use crate::sdp::{Described, Media, media};
use crate::tape::{Tape, received, sent};

pub(crate) const BOTH: [MediaKind; 2] = [MediaKind::Audio, MediaKind::Video];

/// A call on its way.
pub(crate) struct Play {
    pub(crate) tape: Tape,
    pub(crate) with: FlowOptions,
    pub(crate) pc: String,
    pub(crate) peer: u32,
    target: Described,
    own: Described,
    /// The target's DTLS role, by setup.
    role: &'static str,
    media: Evidence,
    kinds: Vec<MediaKind>,
}

impl Play {
    /// A call that is up, before any act.
    pub(crate) fn up(with: FlowOptions) -> Self {
        let tape = Tape::new(Flow::Call, &with);
        Self::on(tape, with, 1)
    }

    /// The same on a tape that has begun.
    pub(crate) fn on(tape: Tape, with: FlowOptions, peer: u32) -> Self {
        let mut play = Self::begun(tape, with, peer);
        let receive = &play.with.offer_to_receive;
        let asks = |kind| receive.contains(&kind);
        let options = match receive.is_empty() {
            true => Value::Null,
            false => {
                json!({"offerToReceiveAudio": asks(MediaKind::Audio), "offerToReceiveVideo": asks(MediaKind::Video)})
            }
        };
        play.exchange(play.with.offerer, options);
        play.candidates();
        play.connects();
        play
    }

    /// Up to the first offer.
    pub(crate) fn begun(mut tape: Tape, with: FlowOptions, peer: u32) -> Self {
        let pc = format!("pc-{peer}");
        let made = json!({"$handle": pc, "$class": "RTCPeerConnection"});
        tape.resolves(None, "ft.webrtc.createRTCPeerConnection", json!({}), made);
        tape.listen(&pc);
        let mut play = Self {
            tape,
            pc,
            peer,
            target: Described::new("1234567890", "actpass", Vec::new()),
            own: Described::new("9876543210", "actpass", Vec::new()),
            role: if with.offerer == End::Target { "passive" } else { "active" },
            media: Evidence::default(),
            kinds: with.target_sends.clone(),
            with,
        };
        play.add_tracks(&play.kinds.clone());
        play
    }

    fn pc(&self) -> Option<&'static str> {
        Some(self.pc.clone().leak())
    }

    pub(crate) fn add_tracks(&mut self, kinds: &[MediaKind]) {
        if kinds.is_empty() {
            return;
        }
        let stream = format!("stream-{}-{}", self.peer, kinds.len());
        let wish = json!({"audio": kinds.contains(&MediaKind::Audio), "video": kinds.contains(&MediaKind::Video)});
        self.tape.resolves(None, "ft.webrtc.mediaDevices.getUserMedia", wish, json!({"$handle": stream}));
        let tracks: Vec<Value> =
            kinds.iter().map(|kind| json!({"$handle": self.track(*kind), "props": {"kind": kind.as_str()}})).collect();
        self.tape.resolves(Some(&stream), "MediaStream.getTracks", json!({}), json!(tracks));
        for kind in kinds {
            let track = json!({"$handle": self.track(*kind)});
            let pc = self.pc();
            self.tape.resolves(pc, "RTCPeerConnection.addTrack", track, Value::Null);
        }
    }

    fn track(&self, kind: MediaKind) -> String {
        format!("track-{}-{}", self.peer, kind.as_str())
    }

    /// The m-lines of one end's description: which way each goes.
    fn lines(&self, of: End) -> Vec<Media> {
        let sends = |end: End, kind: MediaKind| match end {
            End::Target => self.kinds.contains(&kind),
            End::Fincert => self.with.fincert_sends.contains(&kind),
        };
        let other = if of == End::Target { End::Fincert } else { End::Target };
        BOTH.into_iter()
            .filter(|kind| sends(of, *kind) || sends(other, *kind))
            .map(|kind| match (sends(of, kind), sends(other, kind)) {
                (true, true) => media(kind, "sendrecv", true),
                (true, false) => media(kind, "sendonly", true),
                _ => media(kind, "recvonly", false),
            })
            .collect()
    }

    /// One exchange that works.
    pub(crate) fn exchange(&mut self, offerer: End, options: Value) {
        let answered = match self.role {
            "passive" => "active",
            _ => "passive",
        };
        self.target.media = self.lines(End::Target);
        self.own.media = self.lines(End::Fincert);
        if self.with.unsupported_codec {
            self.own
                .media
                .iter_mut()
                .filter(|m| m.kind == MediaKind::Video)
                .for_each(|m| m.codec = Some("x-none/90000"));
        }
        self.target.version += 1;
        self.own.version += 1;
        let (target_setup, own_setup) = match offerer {
            End::Target => ("actpass", answered),
            End::Fincert => (self.role, "actpass"),
        };
        (self.target.setup, self.own.setup) = (target_setup, own_setup);
        let mut theirs = self.target.text();
        if self.with.unsupported_codec {
            theirs = theirs.replace("m=video 9", "m=video 0").replace("BUNDLE 0 1", "BUNDLE 0");
        }
        let ours = self.own.text();
        match offerer {
            End::Target => self.target_offers(&theirs, &ours, options),
            End::Fincert => self.fincert_offers(&theirs, &ours),
        }
    }

    fn target_offers(&mut self, theirs: &str, ours: &str, options: Value) {
        let (pc, peer) = (self.pc(), self.peer);
        let offer = json!({"type": "offer", "sdp": theirs});
        let options = if options.is_null() { json!({}) } else { options };
        self.tape.resolves(pc, "RTCPeerConnection.createOffer", options, offer.clone());
        self.tape.resolves(pc, "RTCPeerConnection.setLocalDescription", offer, Value::Null);
        let described = |local: bool, kind: &str, sdp: &str| PeerDid::Description {
            local,
            kind: kind.to_owned(),
            sdp: sdp.to_owned(),
            refused: None,
        };
        self.tape.peer(peer, described(false, "offer", theirs));
        self.tape.peer(peer, described(true, "answer", ours));
        let answer = json!({"type": "answer", "sdp": ours});
        self.tape.resolves(pc, "RTCPeerConnection.setRemoteDescription", answer, Value::Null);
    }

    fn fincert_offers(&mut self, theirs: &str, ours: &str) {
        let (pc, peer) = (self.pc(), self.peer);
        let described = |local: bool, kind: &str, sdp: &str| PeerDid::Description {
            local,
            kind: kind.to_owned(),
            sdp: sdp.to_owned(),
            refused: None,
        };
        self.tape.peer(peer, described(true, "offer", ours));
        let offer = json!({"type": "offer", "sdp": ours});
        self.tape.resolves(pc, "RTCPeerConnection.setRemoteDescription", offer, Value::Null);
        let answer = json!({"type": "answer", "sdp": theirs});
        self.tape.resolves(pc, "RTCPeerConnection.createAnswer", json!({}), answer.clone());
        self.tape.resolves(pc, "RTCPeerConnection.setLocalDescription", answer, Value::Null);
        self.tape.peer(peer, described(false, "answer", theirs));
    }

    /// A candidate either way, and the end of the target's gathering.
    pub(crate) fn candidates(&mut self) {
        let (pc, peer) = (self.pc(), self.peer);
        let (kind, text) = match self.with.network {
            Network::Relay => {
                ("relay", "candidate:7 1 udp 16777215 198.51.100.7 40000 typ relay raddr 0.0.0.0 rport 9")
            }
            Network::Ipv6 => ("host", "candidate:6 1 udp 2122260223 2001:db8::1 50000 typ host"),
            _ => ("host", "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host"),
        };
        let address = text.split(' ').nth(4).unwrap();
        let candidate = json!({"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "address": address, "type": kind});
        self.tape.emit(&self.pc, "icecandidate", json!({"candidate": candidate}));
        self.tape.emit(&self.pc, "icecandidate", json!({"candidate": {}}));
        self.tape.peer(peer, PeerDid::Candidate { local: false, candidate: text.to_owned(), refused: None });
        let own = "candidate:2 1 udp 2130706431 192.0.2.2 60000 typ host";
        self.tape.peer(peer, PeerDid::Candidate { local: true, candidate: own.to_owned(), refused: None });
        let init = json!({"candidate": own, "sdpMid": "0", "sdpMLineIndex": 0});
        self.tape.resolves(pc, "RTCPeerConnection.addIceCandidate", init, Value::Null);
    }

    pub(crate) fn states(&mut self, states: &[&str]) {
        for state in states {
            let event = json!({"iceConnectionState": state, "timeStamp": 1.5});
            self.tape.emit(&self.pc, "iceconnectionstatechange", event);
        }
    }

    /// Both ends connect.
    pub(crate) fn connects(&mut self) {
        self.states(&["checking", "connected"]);
        self.tape.peer(self.peer, PeerDid::Ice { state: "connected".to_owned() });
        self.tape.peer(self.peer, PeerDid::Connection { state: "connected".to_owned() });
        self.both_connected();
        let (remote, local) = match self.with.network {
            Network::Relay => ("relay 198.51.100.7:40000", "host 192.0.2.2:60000"),
            _ => ("host 192.0.2.1:50000", "host 192.0.2.2:60000"),
        };
        self.media.pair = Some(Pair { local: local.to_owned(), remote: remote.to_owned() });
        let role = if self.role == "passive" { "client" } else { "server" };
        self.media.dtls = Some(Dtls { role: role.to_owned(), cipher: None });
        self.count();
    }

    pub(crate) fn both_connected(&mut self) {
        self.tape.wait(End::Fincert, Await::PeerConnected, "", true);
        self.tape.read(&self.pc, "conectionState", json!("connected"));
        self.tape.read(&self.pc, "iceConnectionState", json!("connected"));
        self.tape.wait(End::Target, Await::TargetConnected, "", true);
    }

    /// A second of media both ways passes, and is counted.
    pub(crate) fn flows(&mut self) {
        self.tape.pass(1_000);
        let packets = self.media.received.first().map_or(50, |stream| stream.packets + 50);
        let now = self.tape.now_us;
        self.media.received = self.kinds.iter().map(|kind| received(*kind, packets, now)).collect();
        let reported = Some(((packets / 50) as u32 + 1, 110, 100 + packets as u32));
        self.media.sent = self.with.fincert_sends.iter().map(|kind| sent(*kind, packets, reported)).collect();
    }

    pub(crate) fn count(&mut self) {
        self.tape.count(self.peer, &self.media.clone());
    }

    pub(crate) fn media_waits(&mut self) {
        for kind in self.kinds.clone() {
            self.tape.wait(End::Fincert, Await::Rtp, kind.as_str(), true);
        }
        for kind in self.with.fincert_sends.clone() {
            self.tape.wait(End::Fincert, Await::ReceiverReport, kind.as_str(), true);
        }
        self.flows();
        self.count();
    }

    /// An act, as the harness goes through it.
    pub(crate) fn act(mut self, act: Act) -> Self {
        self.tape.act(act);
        match act {
            Act::Media => self.media_waits(),
            Act::TargetRenegotiates => self.renegotiate(End::Target, Value::Null),
            Act::FincertRenegotiates => self.renegotiate(End::Fincert, Value::Null),
            Act::TenRenegotiations => {
                for turn in 0..10 {
                    self.renegotiate(if turn % 2 == 0 { End::Target } else { End::Fincert }, Value::Null);
                }
            }
            Act::TargetRestartsIce | Act::FincertRestartsIce => {
                self.count();
                for end in [&mut self.target, &mut self.own] {
                    end.ufrag += "new";
                    end.pwd += "new";
                }
                match act {
                    Act::TargetRestartsIce => self.renegotiate(End::Target, json!({"iceRestart": true})),
                    _ => self.renegotiate(End::Fincert, Value::Null),
                }
                self.media_waits();
            }
            Act::TargetAddsVideo => {
                self.count();
                self.add_tracks(&[MediaKind::Video]);
                self.kinds.push(MediaKind::Video);
                self.renegotiate(End::Target, Value::Null);
                self.tape.wait(End::Fincert, Await::Rtp, "video", true);
                self.flows();
                self.count();
            }
            Act::FincertAddsVideo => {
                self.count();
                self.with.fincert_sends.push(MediaKind::Video);
                self.renegotiate(End::Fincert, Value::Null);
                self.tape.emit(&self.pc, "track", json!({"streams": [{"streamId": "remote"}]}));
                self.tape.wait(End::Target, Await::Event, "track", true);
                self.tape.wait(End::Fincert, Await::ReceiverReport, "video", true);
                self.flows();
                self.count();
            }
            Act::TargetStopsTracks => {
                self.count();
                self.flows();
                self.count();
                for kind in self.kinds.clone() {
                    let track = self.track(kind);
                    self.tape.resolves(Some(&track), "MediaStreamTrack.stop", json!({}), Value::Null);
                }
                self.tape.pass(700);
                self.count();
                self.tape.pass(1_500);
                self.count();
                // The end of all acts is counted as well.
                self.count();
            }
            Act::TargetCloses => {
                self.flows();
                self.count();
                let pc = self.pc();
                self.tape.resolves(pc, "RTCPeerConnection.close", json!({}), Value::Null);
                self.tape.pass(1_500);
                self.count();
                self.tape.wait(End::Fincert, Await::PeerDisconnected, "", true);
                self.count();
            }
            Act::FincertCloses => {
                self.tape.peer(self.peer, PeerDid::Closed);
                self.states(&["disconnected"]);
                self.tape.read(&self.pc, "iceConnectionState", json!("disconnected"));
                self.tape.wait(End::Target, Await::TargetDisconnected, "", true);
            }
            Act::FincertVanishes => {
                self.tape.peer(self.peer, PeerDid::Vanished);
                self.states(&["disconnected"]);
                self.tape.wait(End::Target, Await::TargetDisconnected, "", true);
                self.states(&["failed"]);
                self.tape.wait(End::Target, Await::TargetFailed, "", true);
            }
        }
        self
    }

    fn renegotiate(&mut self, offerer: End, options: Value) {
        self.exchange(offerer, options);
        self.both_connected();
        self.count();
    }
}

/// A call in which the target offers, audio and video both ways.
pub(crate) fn target_offers() -> Play {
    Play::up(FlowOptions::default())
}

/// The same with fincert's offer.
pub(crate) fn fincert_offers() -> Play {
    Play::up(FlowOptions { offerer: End::Fincert, ..FlowOptions::default() })
}
