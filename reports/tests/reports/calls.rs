//! A run of WebRTC flows, made by hand: a good call, one without video by both referees, one on which they disagree, a
//! target that hangs, a call that never comes up, and a flow of refusals.

use fincert_reports::Standing;
use fincert_schemas::bridge::{CallStyle, Hello, Via};
use fincert_schemas::run::flow::{
    Act, Await, Dtls, End, Evidence, Flow, FlowOptions, MediaKind, Pair, PeerDid, Received, Referee, Sent, TurnEvidence,
};
use fincert_schemas::run::{
    Captured, Decision, Ended, Event, Finding, Judgement, Outcome, Reason, RunHeader, Session, Transcript, Verdict,
    What,
};
use fincert_schemas::{Ledger, Level};
use serde_json::{Value, json};

use crate::fixture::{self, EVERY, Fixture, HOSTILE, both, cause, certification, missing, overall, verdict};

const WEBRTC: &str = r#"
clause: "3.2"
title: {zh: WebRTC, en: WebRTC}
profile: webrtc
requirements:
  - id: webrtc.media.video
    level: MUST
    quote: []
    zh: 协商了视频的通话，对端必须收到视频。
    en: In a call with video the other end receives video.
    referees: true
  - id: webrtc.media.audio
    level: MUST
    quote: []
    zh: 协商了音频的通话，对端必须收到音频。
    en: In a call with audio the other end receives audio.
    referees: true
  - id: webrtc.pc.create-answer
    level: MUST
    quote: ["RTCPeerConnection.createAnswer"]
    zh: createAnswer 必须得到应答。
    en: The method createAnswer is answered.
  - id: webrtc.pc.refusals
    level: SHOULD
    quote: []
    zh: 无效的描述宜被拒绝。
    en: A description that is none is refused.
"#;

/// A description of both kinds.
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n";

/// Puts a transcript together.
pub(crate) struct Script {
    events: Vec<Event>,
    id: u64,
}

impl Script {
    pub(crate) fn new(flow: Flow) -> Self {
        let mut script = Self { events: Vec::new(), id: 100 };
        script.at(0, What::Flow { flow, with: Box::new(FlowOptions::default()) });
        script
    }

    /// Something at a moment in milliseconds.
    pub(crate) fn at(&mut self, ms: u64, what: What) -> &mut Self {
        self.events.push(Event { at_us: ms * 1_000 + 250, late: false, what });
        self
    }

    fn asked(&mut self, ms: u64, method: &str, request: Value, purpose: Option<&str>) -> u64 {
        self.id += 1;
        let (id, step) = (self.id, (self.id - 100) as u32);
        self.at(
            ms,
            What::Call {
                id,
                step,
                method: method.to_owned(),
                handle: method.strip_prefix("RTCPeerConnection.").map(|_| "pc-1".to_owned()),
                request: captured(request),
                subject: None,
                purpose: purpose.map(str::to_owned),
            },
        );
        id
    }

    /// A call that worked.
    pub(crate) fn call(&mut self, ms: u64, method: &str, request: Value, value: Value) -> &mut Self {
        let id = self.asked(ms, method, request, None);
        self.at(ms + 1, What::Answer { id, via: Via::Resolve, value: Some(captured(value)), bytes: 80 })
    }

    /// A call that was refused.
    pub(crate) fn refused(&mut self, ms: u64, method: &str, purpose: Option<&str>, error: Value) -> &mut Self {
        let id = self.asked(ms, method, json!({}), purpose);
        self.at(ms + 1, What::Answer { id, via: Via::Reject, value: Some(captured(error)), bytes: 80 })
    }

    /// A call that was not answered.
    pub(crate) fn unanswered(&mut self, ms: u64, method: &str, deadline_ms: u64, alive: bool) -> &mut Self {
        let id = self.asked(ms, method, json!({}), None);
        self.at(ms + deadline_ms, What::NoResponse { id, deadline_ms, alive })
    }

    pub(crate) fn peer(&mut self, ms: u64, did: PeerDid) -> &mut Self {
        self.at(ms, What::Peer { peer: 1, did })
    }

    fn read(&mut self, ms: u64, name: &str, value: &str) -> &mut Self {
        let value = Some(captured(json!(value)));
        self.at(ms, What::Read { handle: "pc-1".into(), name: name.into(), value, refused: None, polls: 1 })
    }

    fn emitted(&mut self, ms: u64, kind: &str, value: Value) -> &mut Self {
        let value = captured(value);
        self.at(ms, What::Emitted { handle: "pc-1".into(), kind: kind.into(), value, known: true })
    }

    fn came(&mut self, ms: u64, end: End, what: Await, of: &str, waited_ms: u64) -> &mut Self {
        self.at(ms, What::Awaited { end, what, of: of.into(), met: true, waited_ms, instead: String::new() })
    }

    fn missed(&mut self, ms: u64, end: End, what: Await, of: &str, waited_ms: u64, instead: &str) -> &mut Self {
        self.at(ms, What::Awaited { end, what, of: of.into(), met: false, waited_ms, instead: instead.into() })
    }

    fn counted(&mut self, ms: u64, evidence: Evidence) -> &mut Self {
        self.at(ms, What::Counted { peer: 1, evidence: Box::new(evidence) })
    }

    /// The call is negotiated, from the target's side, and comes up.
    fn up(&mut self) -> &mut Self {
        self.call(0, "ft.webrtc.createRTCPeerConnection", json!({}), json!({"$handle": "pc-1"}));
        let stream = json!({"$handle": "stream-1", "$class": "MediaStream"});
        self.call(3, "ft.webrtc.mediaDevices.getUserMedia", json!({"audio": true, "video": true}), stream);
        for ms in [6, 7] {
            self.call(ms, "RTCPeerConnection.addTrack", json!({"$handle": "track-1"}), Value::Null);
        }
        self.read(9, "signalingState", "stable");
        self.call(10, "RTCPeerConnection.createOffer", json!({}), json!({"type": "offer", "sdp": SDP}));
        self.call(12, "RTCPeerConnection.setLocalDescription", json!({"type": "offer", "sdp": SDP}), Value::Null);
        self.read(14, "signalingState", "have-local-offer");
        let description =
            |local: bool, kind: &str| PeerDid::Description { local, kind: kind.into(), sdp: SDP.into(), refused: None };
        self.peer(16, description(false, "offer")).peer(21, description(true, "answer"));
        for (ms, port) in [(15, 50_001), (16, 50_002), (17, 50_003)] {
            let candidate = format!("candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host");
            self.emitted(ms, "icecandidate", json!({"candidate": {"candidate": candidate, "sdpMid": "0"}}));
        }
        self.call(23, "RTCPeerConnection.setRemoteDescription", json!({"type": "answer", "sdp": SDP}), Value::Null);
        self.read(25, "signalingState", "stable");
        for (ms, local, port) in [(26, true, 60_001), (27, true, 60_002), (28, false, 50_001), (29, false, 50_002)] {
            let candidate = format!("candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host");
            self.peer(ms, PeerDid::Candidate { local, candidate, refused: None });
        }
        for ms in [30, 31] {
            self.call(ms, "RTCPeerConnection.addIceCandidate", json!({"candidate": "candidate:1"}), Value::Null);
        }
        self.peer(32, PeerDid::Ice { state: "checking".into() });
        self.emitted(33, "iceconnectionstatechange", json!({"iceConnectionState": "checking"}));
        self.peer(33, PeerDid::Connection { state: "connecting".into() });
        self
    }

    /// Both ends are connected.
    fn connected(&mut self) -> &mut Self {
        self.peer(38, PeerDid::Ice { state: "connected".into() })
            .peer(41, PeerDid::Connection { state: "connected".into() })
            .came(41, End::Fincert, Await::PeerConnected, "", 16)
            .peer(42, PeerDid::Track { kind: MediaKind::Audio, mid: "0".into() })
            .peer(42, PeerDid::Track { kind: MediaKind::Video, mid: "1".into() })
            .emitted(40, "iceconnectionstatechange", json!({"iceConnectionState": "connected"}))
            .read(43, "conectionState", "connected")
            .read(44, "iceConnectionState", "connected")
            .emitted(45, "track", json!({}))
            .emitted(45, "track", json!({}))
            .came(46, End::Target, Await::TargetConnected, "", 4)
    }

    fn hang_up(&mut self, ms: u64) -> &mut Self {
        self.call(ms, "RTCPeerConnection.close", json!({}), Value::Null);
        self.read(ms + 2, "signalingState", "closed").read(ms + 3, "iceConnectionState", "closed");
        self.call(ms + 4, "MediaStreamTrack.stop", json!({}), Value::Null)
    }

    pub(crate) fn ends(&mut self, scenario: &str, referee: Referee, ended: Ended) -> Transcript {
        Transcript {
            scenario: scenario.into(),
            session: 1,
            referee: Some(referee),
            events: std::mem::take(&mut self.events),
            ended,
        }
    }
}

fn captured(value: Value) -> Captured {
    Captured { value, facts: Vec::new() }
}

fn received(kind: MediaKind, codec: &str, payload_type: u8, packets: u64, first_ms: u64) -> Received {
    Received {
        ssrc: u32::from(payload_type) * 1_000,
        payload_type,
        payload_types: vec![payload_type],
        kind: Some(kind),
        codec: Some(codec.into()),
        packets,
        payload_bytes: packets * 100,
        first_sequence: 1,
        highest_sequence: packets as u32,
        first_at_us: first_ms * 1_000,
        last_at_us: (first_ms + packets * 20) * 1_000,
    }
}

fn sent(kind: MediaKind, packets: u64) -> Sent {
    Sent {
        ssrc: packets as u32,
        kind,
        packets,
        first_sequence: 1,
        highest_sequence: packets as u32,
        reports: 1,
        first_reported: Some(90),
        last_reported: Some(90),
        lost: 0,
    }
}

/// The peer's counters; the packets of video are what a test turns on.
fn evidence(audio: u64, video: u64) -> Evidence {
    let mut received = vec![received(MediaKind::Audio, "opus", 111, audio, 55)];
    if video > 0 {
        received.push(self::received(MediaKind::Video, "VP8", 96, video, 78));
        received.push(self::received(MediaKind::Video, "rtx", 97, 2, 90));
    }
    Evidence {
        received,
        sent: vec![sent(MediaKind::Audio, audio), sent(MediaKind::Video, 75)],
        dtls: Some(Dtls { role: "client".into(), cipher: None }),
        pair: Some(Pair { local: "host 127.0.0.1:60001".into(), remote: "host 127.0.0.1:50001".into() }),
        ..Evidence::default()
    }
}

/// A call as it should be.
pub(crate) fn good(scenario: &str, referee: Referee) -> Transcript {
    let mut script = Script::new(Flow::Call);
    script.up().connected();
    script.at(50, What::Act { act: Act::Media });
    script
        .came(60, End::Fincert, Await::Rtp, "audio", 10)
        .came(80, End::Fincert, Await::Rtp, "video", 20)
        .came(2_560, End::Fincert, Await::ReceiverReport, "audio", 2_480)
        .came(2_700, End::Fincert, Await::ReceiverReport, "video", 140)
        .counted(2_700, evidence(130, 78))
        .hang_up(2_710)
        .ends(scenario, referee, Ended::Driven)
}

/// A call in which no video comes.
pub(crate) fn no_video(scenario: &str, referee: Referee) -> Transcript {
    let mut script = Script::new(Flow::Call);
    script.up().connected();
    script.at(50, What::Act { act: Act::Media });
    script
        .came(60, End::Fincert, Await::Rtp, "audio", 10)
        .missed(6_078, End::Fincert, Await::Rtp, "video", 6_000, "51 packets of audio (payload type 111)")
        .counted(6_080, evidence(51, 0))
        .hang_up(6_090)
        .ends(scenario, referee, Ended::Driven)
}

/// A call that never comes up: the target is told of candidates and does nothing with them.
fn never_up(scenario: &str) -> Transcript {
    let mut script = Script::new(Flow::Call);
    script.up();
    script.peer(
        31,
        PeerDid::Candidate {
            local: false,
            candidate: "candidate:2 1 udp 2 4f1c.local 50009 typ host".into(),
            refused: Some("host-name: the candidate names a host instead of an address".into()),
        },
    );
    script.peer(8_030, PeerDid::Ice { state: "failed".into() });
    let instead = "fincert's ICE is failed, its connection connecting; 2 candidates of the target were handed over";
    script
        .missed(8_033, End::Fincert, Await::PeerConnected, "", 8_000, instead)
        .at(8_034, What::Turn { evidence: TurnEvidence { allocations: 1, refused: 2, relayed_bytes: 0 } })
        .hang_up(8_040)
        .ends(scenario, Referee::WebrtcRs, Ended::Driven)
}

/// A target that hangs in createAnswer.
pub(crate) fn hang(scenario: &str) -> Transcript {
    let mut script = Script::new(Flow::Call);
    script.call(0, "ft.webrtc.createRTCPeerConnection", json!({}), json!({"$handle": "pc-1"}));
    script.peer(8, PeerDid::Description { local: true, kind: "offer".into(), sdp: SDP.into(), refused: None });
    script.call(9, "RTCPeerConnection.setRemoteDescription", json!({"type": "offer", "sdp": SDP}), Value::Null);
    script.read(11, "signalingState", "have-remote-offer");
    script.unanswered(12, "RTCPeerConnection.createAnswer", 20_000, false);
    let detail = "no answer to RTCPeerConnection.createAnswer within 20000 ms, and none to bridge.ping";
    let ended = Ended::Broken { reason: Reason::TargetHung, detail: detail.into() };
    script.ends(scenario, Referee::WebrtcRs, ended)
}

/// What must be refused, by a target that also says hostile things.
pub(crate) fn refusals(scenario: &str) -> Transcript {
    let mut script = Script::new(Flow::Refusals);
    let mut ms = 0;
    for purpose in ["garbage-empty", "garbage-text", "garbage-object", "garbage-type", "no-ufrag", "no-fingerprint"] {
        script.call(ms, "ft.webrtc.createRTCPeerConnection", json!({}), json!({"$handle": format!("pc-{ms}")}));
        script.read(ms + 1, "signalingState", "stable");
        let error = json!({"name": "InvalidAccessError", "message": HOSTILE});
        script.refused(ms + 2, "RTCPeerConnection.setRemoteDescription", Some(purpose), error);
        script.call(ms + 4, "RTCPeerConnection.close", json!({}), Value::Null);
        ms += 10;
    }
    script.unanswered(70, "RTCPeerConnection.addIceCandidate", 5_000, true);
    script.ends(scenario, Referee::WebrtcRs, Ended::Driven)
}

fn finding(requirement: &str, scenario: &str, outcome: Outcome, key: &str, actual: &str) -> Finding {
    Finding {
        requirement: requirement.into(),
        scenario: scenario.into(),
        step: None,
        case: None,
        outcome,
        check: "webrtc.media".into(),
        cause: key.into(),
        at: None,
        expected: both("对端收到视频", "the other end receives video"),
        actual: actual.into(),
        hint: None,
    }
}

/// A run with all of them.
pub(crate) fn flows() -> Fixture {
    let files = [("1.yaml", EVERY), ("3.2.yaml", WEBRTC)];
    let ledger = Ledger::read(files.map(|(name, text)| (name.to_owned(), text))).expect("the ledger is sound");
    let [video, answer, refused] = ["webrtc.media.video", "webrtc.pc.create-answer", "webrtc.pc.refusals"];
    let disagree = Some(Reason::RefereesDisagree);
    let no_rtp = "at fincert's end, in the act media: RTP of video did not come within 6000 ms";
    let mut findings = vec![
        finding(video, "webrtc.no-video", Outcome::Fail, "webrtc:no-video", no_rtp),
        finding("webrtc.media.audio", "webrtc.never-up", Outcome::Fail, "webrtc:never-up", "no RTP"),
        finding(answer, "webrtc.hang", Outcome::CouldNotRun, "hung:1", "no answer within 20000 ms"),
        finding(video, "webrtc.disagree", Outcome::Inconclusive, "webrtc:disagree", no_rtp),
        finding(refused, "webrtc.refusals", Outcome::Fail, "webrtc:silent", "no answer"),
        finding("webrtc.media.audio", "webrtc.no-video", Outcome::Fail, "webrtc:late-audio", "audio after 3 s"),
    ];
    // The first description, the flow's second call.
    findings[4].step = Some(2);
    let index = |key: &str| findings.iter().position(|f| f.cause == key).expect("a finding has it") as u32;
    let causes =
        findings.iter().map(|f| cause(&f.cause, f.outcome, &[&f.requirement], &[&f.scenario], index(&f.cause), 1));
    let causes = causes.collect();
    let verdicts = findings.iter().map(|f| Verdict {
        reason: match f.outcome {
            Outcome::Inconclusive => disagree,
            Outcome::CouldNotRun => Some(Reason::TargetHung),
            _ => None,
        },
        ..verdict(&f.requirement, &f.scenario, f.outcome)
    });
    let mut verdicts: Vec<Verdict> = verdicts.collect();
    verdicts.push(verdict("webrtc.media.audio", "webrtc.target-offers", Outcome::Pass));
    let ids = [video, "webrtc.media.audio", answer, refused];
    let outcomes = [Outcome::Fail, Outcome::Fail, Outcome::CouldNotRun, Outcome::Fail];
    let [first, second] = [Referee::WebrtcRs, Referee::Str0m];
    Fixture {
        judgement: Judgement {
            suites: "0.1.0".into(),
            standing: Standing::NotCertified,
            asked: vec!["webrtc".into()],
            certifications: vec![certification(
                "webrtc",
                Decision::NotCertified,
                (0, 3),
                0,
                ids[..3].iter().map(|id| missing(id, Outcome::Fail, None)).collect(),
            )],
            requirements: ids.iter().zip(outcomes).map(|(id, o)| overall(&ledger, id, o, None, 1)).collect(),
            verdicts,
            findings,
            causes,
            ..Judgement::default()
        },
        header: RunHeader { known_failing: Vec::new(), ..fixture::header() },
        sessions: vec![Session {
            session: 1,
            hello: Hello {
                name: "Acme RTC".into(),
                call_style: CallStyle::Promise,
                capabilities: vec!["webrtc".into()],
                parallel: 4,
                ..fixture::hello()
            },
        }],
        transcripts: vec![
            good("webrtc.target-offers", first),
            no_video("webrtc.no-video", first),
            no_video("webrtc.no-video", second),
            never_up("webrtc.never-up"),
            hang("webrtc.hang"),
            no_video("webrtc.disagree", first),
            good("webrtc.disagree", second),
            refusals("webrtc.refusals"),
        ],
        ledger,
    }
}

/// More failing flows than are shown.
pub(crate) fn many() -> Fixture {
    let mut fixture = flows();
    let names: Vec<String> = (1..=8).map(|number| format!("webrtc.many-{number}")).collect();
    let judgement = &mut fixture.judgement;
    judgement.findings = names
        .iter()
        .map(|name| finding("webrtc.media.video", name, Outcome::Fail, &format!("webrtc:{name}"), "no video"))
        .collect();
    judgement.causes = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            cause(&format!("webrtc:{name}"), Outcome::Fail, &["webrtc.media.video"], &[name], index as u32, 1)
        })
        .collect();
    fixture.transcripts = names.iter().map(|name| no_video(name, Referee::WebrtcRs)).collect();
    // More than the list of times holds.
    fixture.transcripts.extend((1..=4).map(|number| good(&format!("webrtc.good-{number}"), Referee::WebrtcRs)));
    fixture
}

/// The levels are what the ledger says.
#[test]
fn the_flows_are_sound() {
    for verdict in flows().judgement.requirements {
        assert!(verdict.level <= Level::Should);
    }
}
