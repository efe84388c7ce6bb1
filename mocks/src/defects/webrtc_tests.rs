//! What defects of ft.webrtc do to a task and to a plan, without an engine.

use std::collections::BTreeSet;

use fincert_peer::{Candidate, Description, OfferOptions, SdpKind};
use fincert_schemas::bridge::{Integration, Settlement, Via};
use fincert_schemas::run::flow::MediaKind;
use serde_json::{Map, Value, json};

use super::*;
use crate::plan::Action;
use crate::rtc::sdp::tests::OFFER;
use crate::rtc::{About, Moment, Options, Past, Refusal};

const CANDIDATE: &str = "candidate:842163049 1 udp 2122260223 127.0.0.1 54321 typ host";
const IPV6: &str = "candidate:842163050 1 udp 2122260223 ::1 54321 typ host";

/// A moment and what a clean host does and says in it.
struct Scene {
    about: (&'static str, &'static str),
    args: Vec<Option<Value>>,
    past: Past,
    properties: Value,
    others: usize,
    task: Task,
    plan: Plan,
}

impl Scene {
    fn look<T>(&self, look: impl FnOnce(&Moment<'_>) -> T) -> T {
        let about = match self.about {
            ("event", kind) => About::Event(kind),
            ("property", name) => About::Property(name),
            ("listen", kind) => About::Listen(kind),
            (_, method) => About::Call(method, &self.args),
        };
        let empty = Map::new();
        let properties = self.properties.as_object().unwrap_or(&empty);
        let since_answer = (self.past.rounds > 0).then_some(std::time::Duration::from_secs(1));
        look(&Moment { about, this: "pc-1", past: &self.past, since_answer, others: self.others, properties })
    }

    /// What the host does and says under a defect.
    fn under(&self, defect: &Defect, integration: Integration) -> (Task, Plan) {
        self.look(|moment| {
            let task = defect.changes_task(integration, moment, self.task.clone());
            (task, defect.changes_plan(integration, moment, self.plan.clone()))
        })
    }
}

fn resolve(value: impl Into<Value>) -> Plan {
    Plan::only(Action::Answer(Settlement { via: Via::Resolve, value: Some(value.into()) }))
}

fn done() -> Plan {
    Plan::only(Action::Answer(Settlement { via: Via::Resolve, value: None }))
}

fn refused(refusal: &Refusal) -> (Task, Plan) {
    (Task::reject(refusal), Plan::only(Action::Answer(refusal.settle())))
}

fn answer_of(offer: &str) -> String {
    offer.replace("actpass", "active")
}

fn told(kind: &str, sdp: &str) -> Value {
    json!({"type": kind, "sdp": sdp})
}

/// Where a connection may stand: its past, and its properties.
fn standings() -> Vec<(Past, Value)> {
    let properties = |signaling: &str, ice: &str, connection: &str, gathering: &str, locals: [Value; 4]| {
        let [local, current_local, remote, current_remote] = locals;
        json!({"signalingState": signaling, "iceConnectionState": ice, "conectionState": connection,
            "iceGatheringState": gathering, "localDescription": local, "currentLocalDescription": current_local,
            "remoteDescription": remote, "currentRemoteDescription": current_remote, "peerIdentity": null,
            "canTrickleIceCandidates": if current_remote.is_null() { Value::Null } else { true.into() }})
    };
    let null = Value::Null;
    let (offer, answer) = (told("offer", OFFER), told("answer", &answer_of(OFFER)));
    // Before, there was audio alone, and another version.
    let before = Some(OFFER[..OFFER.find("m=video").unwrap()].replace(" 2 IN", " 1 IN"));
    let local = Past { locals: 1, first_local: before.clone(), last_local: before, tracks: 2, ..Past::default() };
    let up = Past { rounds: 1, candidates: 1, connected: true, up: true, ..local.clone() };
    let fresh = properties("stable", "new", "new", "new", [null.clone(), null.clone(), null.clone(), null.clone()]);
    let mine = properties(
        "have-local-offer",
        "new",
        "new",
        "gathering",
        [offer.clone(), null.clone(), null.clone(), null.clone()],
    );
    let theirs =
        properties("have-remote-offer", "new", "new", "new", [null.clone(), null.clone(), offer.clone(), null.clone()]);
    let whole = [offer.clone(), offer.clone(), answer.clone(), answer.clone()];
    let connected = properties("stable", "connected", "connected", "complete", whole.clone());
    vec![
        (Past::default(), fresh.clone()),
        (Past { made: Some("offer"), tracks: 2, ..Past::default() }, fresh.clone()),
        (Past { refused: 1, ..Past::default() }, fresh),
        (local.clone(), mine),
        (Past::default(), theirs),
        (Past { taken: vec![CANDIDATE.to_owned(); 2], ..up.clone() }, connected.clone()),
        (Past { locals: 6, rounds: 6, ..up.clone() }, connected.clone()),
        (up.clone(), properties("stable", "failed", "failed", "complete", whole.clone())),
        (Past { closed: true, ..up }, properties("closed", "closed", "closed", "complete", whole)),
    ]
}

fn call(method: &'static str, args: Vec<Value>, task: Task, plan: Plan) -> Scene {
    let args = args.into_iter().map(Some).collect();
    let (past, properties) = (Past::default(), Value::Null);
    Scene { about: ("call", method), args, past, properties, others: 0, task, plan }
}

/// Calls of static functions, streams and tracks.
fn statics() -> Vec<Scene> {
    let handle = json!({"$handle": "stream-1", "$class": "MediaStream", "own": ["streamId", "getTracks"],
        "props": {"streamId": "mock-1-stream-1"}});
    let track = |kind: &str| {
        json!({"$handle": format!("track-{kind}"), "$class": "MediaStreamTrack", "own": ["id", "kind", "stop"],
            "props": {"id": "t", "kind": kind}})
    };
    let devices = json!([{"deviceId": "a", "kind": "videoinput", "label": "b"}]);
    let media = |audio, video| Task::UserMedia { audio, video };
    let settled = |value: Value| (Task::resolve(value.clone()), resolve(value));
    let create = |options: Value| Task::Create(Box::new(Options::read(Some(&options)).unwrap()));
    let (devices_task, devices_plan) = settled(devices);
    let (constraints_task, constraints_plan) = settled(json!({"width": true}));
    let mut all = vec![
        call("enumerateDevices", vec![], devices_task, devices_plan),
        call("getSupportedConstraints", vec![], constraints_task, constraints_plan),
        call("getUserMedia", vec![json!({"audio": true, "video": true})], media(1, 1), resolve(handle.clone())),
        call("getUserMedia", vec![json!({"audio": true})], media(1, 0), resolve(handle.clone())),
        call("getUserMedia", vec![json!({"video": true})], media(0, 1), resolve(handle)),
        call("getTracks", vec![], Task::Tracks, resolve(json!([track("audio"), track("video")]))),
        call("stop", vec![], Task::Stop, done()),
        call("createRTCPeerConnection", vec![], create(json!({})), resolve(json!({"$handle": "pc-1"}))),
        call("createRTCPeerConnection", vec![json!({})], create(json!({})), resolve(json!({"$handle": "pc-1"}))),
        call(
            "createRTCPeerConnection",
            vec![json!({}), json!({})],
            create(json!({})),
            resolve(json!({"$handle": "pc-1"})),
        ),
        call(
            "createRTCPeerConnection",
            vec![json!({"iceTransportPolicy": "relay"})],
            create(json!({"iceServers": [{"urls": "stun:127.0.0.1"}], "iceTransportPolicy": "relay"})),
            resolve(json!({"$handle": "pc-1"})),
        ),
    ];
    for (method, refusal) in [
        ("getUserMedia", Refusal::of_type("x")),
        ("getUserMedia", Refusal { name: "NotAllowedError", message: "x".to_owned() }),
        ("createRTCPeerConnection", Refusal::of_type("x")),
        ("createRTCPeerConnection", Refusal::of_syntax("x")),
        ("createRTCPeerConnection", Refusal::of_access("x")),
    ] {
        let (task, plan) = refused(&refusal);
        all.push(call(method, vec![json!({"x": 1})], task, plan));
    }
    let property = |name, value: Value| Scene {
        about: ("property", name),
        ..call("", vec![], Task::Nothing, Plan::only(Action::Result(json!({"value": value}))))
    };
    all.push(property("streamId", json!("mock-1-stream-1")));
    all.push(property("getTracks", json!({"$function": "getTracks"})));
    all
}

/// What happens to a connection.
fn happenings() -> Vec<Scene> {
    let offer = || Description { kind: SdpKind::Offer, sdp: OFFER.to_owned() };
    let answer = || Description { kind: SdpKind::Answer, sdp: answer_of(OFFER) };
    let restart = || Description { sdp: OFFER.replace("abcdefgh", "ijklmnop"), ..offer() };
    let candidate = |text: &str, mid: &str| {
        let taken = Candidate {
            candidate: text.to_owned(),
            sdp_mid: Some(mid.to_owned()),
            sdp_m_line_index: Some(0),
            username_fragment: None,
        };
        (json!({"candidate": text, "sdpMid": mid, "sdpMLineIndex": 0}), Task::AddCandidate(Some(taken)))
    };
    let options = OfferOptions { ice_restart: true, receive: vec![MediaKind::Audio, MediaKind::Video] };
    let rejected = "m=video 0 UDP/TLS/RTP/SAVPF 120\r\na=mid:2\r\n";
    let with_candidates = format!("{OFFER}a={CANDIDATE}\r\n");
    let one_kind = |kind: &str| Description {
        sdp: crate::rtc::sdp::each_section(OFFER, |section| match section.starts_with(&format!("m={kind}")) {
            true => section.to_owned(),
            false => String::new(),
        }),
        ..offer()
    };
    let mut all = vec![
        call(
            "createOffer",
            vec![],
            Task::CreateOffer(OfferOptions::default()),
            resolve(told("offer", &with_candidates)),
        ),
        call(
            "createOffer",
            vec![json!({"offerToReceiveAudio": true})],
            Task::CreateOffer(OfferOptions::default()),
            resolve(told("offer", OFFER)),
        ),
        call(
            "createOffer",
            vec![json!({"offerToReceiveVideo": true})],
            Task::CreateOffer(OfferOptions::default()),
            resolve(told("offer", OFFER)),
        ),
        call(
            "createAnswer",
            vec![],
            Task::CreateAnswer,
            resolve(told("answer", &answer_of(&OFFER[..OFFER.find("m=video").unwrap()]))),
        ),
        call(
            "createOffer",
            vec![json!({"voiceActivityDetection": true})],
            Task::CreateOffer(options),
            resolve(told("offer", OFFER)),
        ),
        call("createAnswer", vec![], Task::CreateAnswer, resolve(told("answer", &answer_of(OFFER)))),
        call("createAnswer", vec![], Task::CreateAnswer, resolve(told("answer", &(answer_of(OFFER) + rejected)))),
        call(
            "createAnswer",
            vec![],
            Task::CreateAnswer,
            resolve(told("answer", &answer_of(OFFER).replace("abcdefgh", "ijklmnop"))),
        ),
        call(
            "createAnswer",
            vec![json!({"iceRestart": false})],
            Task::CreateAnswer,
            resolve(told("answer", &answer_of(OFFER))),
        ),
        call("setLocalDescription", vec![told("offer", OFFER)], Task::SetLocal(offer()), done()),
        call("setLocalDescription", vec![told("offer", OFFER)], Task::SetLocal(restart()), done()),
        call("setLocalDescription", vec![told("offer", OFFER)], Task::SetLocal(one_kind("audio")), done()),
        call("setLocalDescription", vec![told("offer", OFFER)], Task::SetLocal(one_kind("video")), done()),
        call("setLocalDescription", vec![told("answer", OFFER)], Task::SetLocal(answer()), done()),
        call("setRemoteDescription", vec![told("offer", OFFER)], Task::SetRemote(offer()), done()),
        call("setRemoteDescription", vec![told("answer", OFFER)], Task::SetRemote(answer()), done()),
        call(
            "setRemoteDescription",
            vec![told("offer", &with_candidates)],
            Task::SetRemote(Description { sdp: with_candidates.clone(), ..offer() }),
            done(),
        ),
        call("addIceCandidate", vec![json!({})], Task::AddCandidate(None), done()),
        call("addIceCandidate", vec![json!({"candidate": ""})], Task::AddCandidate(None), done()),
        call(
            "addTrack",
            vec![json!({"$handle": "track-1"})],
            Task::AddTrack("track-1".to_owned(), MediaKind::Audio),
            done(),
        ),
        call(
            "addTrack",
            vec![json!({"$handle": "track-2"})],
            Task::AddTrack("track-2".to_owned(), MediaKind::Video),
            done(),
        ),
        call(
            "getConfiguration",
            vec![],
            Task::Nothing,
            resolve(json!({"iceServers": [], "iceTransportPolicy": "relay"})),
        ),
        call("close", vec![], Task::Close, done()),
    ];
    for (text, mid) in [(CANDIDATE, "0"), (IPV6, "0")] {
        let (argument, task) = candidate(text, mid);
        all.push(call("addIceCandidate", vec![argument], task, done()));
    }
    let no_ufrag = OFFER.replace("a=ice-ufrag:abcdefgh\r\n", "");
    for (method, argument) in [
        ("createOffer", json!({})),
        ("createAnswer", json!({})),
        ("setRemoteDescription", told("answer", OFFER)),
        ("setRemoteDescription", told("offer", "garbage")),
        ("setRemoteDescription", told("offer", &no_ufrag)),
        ("setRemoteDescription", told("bogus", OFFER)),
        ("addIceCandidate", json!({"candidate": CANDIDATE, "sdpMid": "no-such-mid"})),
        ("addIceCandidate", json!({"candidate": "candidate:bogus", "sdpMid": "0"})),
        ("addTrack", json!({"$handle": "track-2"})),
        ("addTrack", json!({"$handle": "pc-2"})),
    ] {
        let (task, plan) = refused(&Refusal::of_state("x"));
        all.push(call(method, vec![argument], task, plan));
    }
    all.push(Scene {
        about: ("listen", "negotiationneeded"),
        ..call("", vec![], Task::Nothing, Plan::only(Action::Result(json!({}))))
    });
    let fires = |kind: &'static str, event: Value| Scene {
        about: ("event", kind),
        ..call(
            "",
            vec![],
            Task::Nothing,
            Plan::only(Action::Event { this: "pc-1".to_owned(), kind: kind.to_owned(), event }),
        )
    };
    let seen = |text: &str| json!({"candidate": {"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "address": "127.0.0.1", "type": "host"}});
    all.extend([
        fires("icecandidate", seen(CANDIDATE)),
        fires("icecandidate", seen(IPV6)),
        fires("icecandidate", json!({"candidate": {}})),
        fires("negotiationneeded", json!({})),
        fires("signalingstatechange", json!({"signalingState": "have-local-offer"})),
        fires("signalingstatechange", json!({"signalingState": "stable"})),
        fires("track", json!({"streams": [{"streamId": "remote", "getTracks": {"$function": "getTracks"}}]})),
    ]);
    all.extend(
        ["checking", "connected", "disconnected", "failed"]
            .map(|state| fires("iceconnectionstatechange", json!({"iceConnectionState": state, "timeStamp": 1.5}))),
    );
    all
}

/// Every scene, and those of connections at every standing.
fn scenes() -> Vec<Scene> {
    let mut all = statics();
    for (past, properties) in standings() {
        for scene in happenings() {
            let others = usize::from(past.rounds == 0);
            all.push(Scene { past: past.clone(), properties: properties.clone(), others, ..scene });
        }
        for (name, value) in properties.as_object().unwrap() {
            let name: &'static str = PROPERTIES.iter().find(|known| *known == name).unwrap();
            let scene = call("", vec![], Task::Nothing, Plan::only(Action::Result(json!({"value": value}))));
            all.push(Scene { about: ("property", name), past: past.clone(), properties: properties.clone(), ..scene });
        }
        let scene = call("", vec![], Task::Nothing, Plan::only(Action::Result(json!({"value": {"$undefined": true}}))));
        all.push(Scene { about: ("property", "connectionState"), past, properties, ..scene });
    }
    all
}

const PROPERTIES: [&str; 10] = [
    "canTrickleIceCandidates",
    "conectionState",
    "currentLocalDescription",
    "currentRemoteDescription",
    "iceConnectionState",
    "iceGatheringState",
    "localDescription",
    "peerIdentity",
    "remoteDescription",
    "signalingState",
];

fn of_webrtc() -> impl Iterator<Item = &'static Defect> {
    all().iter().filter(|defect| matches!(defect.change, Change::Rtc { .. }))
}

#[test]
fn every_defect_shows_somewhere_and_not_where_the_sdk_is_absent() {
    let scenes = scenes();
    let mut hidden = Vec::new();
    for defect in of_webrtc() {
        let changes = |integration| {
            scenes
                .iter()
                .filter(|scene| scene.under(defect, integration) != (scene.task.clone(), scene.plan.clone()))
                .count()
        };
        if changes(Integration::Integrated) == 0 {
            hidden.push(defect.name);
        }
        assert_eq!(changes(Integration::Absent), 0, "{}", defect.name);
        assert!(changes(Integration::Integrated) < scenes.len() / 2, "{} changes nearly everything", defect.name);
    }
    assert_eq!(hidden, [""; 0]);
}

#[test]
fn no_two_defects_are_the_same() {
    let scenes = scenes();
    let mut seen = BTreeSet::new();
    for defect in of_webrtc() {
        let shown: Vec<_> =
            scenes.iter().map(|scene| format!("{:?}", scene.under(defect, Integration::Integrated))).collect();
        assert!(seen.insert(shown), "{} is like another one", defect.name);
    }
    assert!(seen.len() >= 50, "{}", seen.len());
}

/// A description that was told is known again when it comes back, so an edit must do the same each time.
#[test]
fn an_edit_of_sdp_is_the_same_in_the_answer_and_in_the_property() {
    for defect in of_webrtc() {
        for (past, properties) in standings() {
            let scene = |about, plan| Scene {
                about,
                past: past.clone(),
                properties: properties.clone(),
                ..call("", vec![], Task::Nothing, plan)
            };
            let called = scene(("call", "createOffer"), resolve(told("offer", OFFER)));
            let again = scene(("call", "createOffer"), resolve(told("offer", OFFER)));
            assert_eq!(called.under(defect, Integration::Integrated), again.under(defect, Integration::Integrated));
        }
    }
}
