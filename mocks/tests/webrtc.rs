//! Calls of ft.webrtc over a real socket, with real connections.

#![allow(missing_docs, clippy::unwrap_used)]

mod page;

use std::sync::Arc;
use std::time::Duration;

use fincert_mocks::{Config, MockHost, defects};
use fincert_peer::{Candidate, Connection, ConnectionConfig, ConnectionEvent, Description, LocalTrack, SdpKind};
use fincert_schemas::run::flow::MediaKind;
use page::Page;
use serde_json::{Value, json};
use tokio::sync::mpsc;

async fn open() -> (MockHost, Page) {
    let host = MockHost::start(Config::default()).await.unwrap();
    let page = Page::open(&host).await;
    (host, page)
}

/// The other end of a call, and how much of its own it has told.
struct Other {
    pc: Arc<Connection>,
    events: mpsc::Receiver<ConnectionEvent>,
}

impl Other {
    async fn new(kinds: &[MediaKind]) -> Self {
        let (pc, events) = Connection::new(ConnectionConfig::default()).await.unwrap();
        for kind in kinds {
            let id = format!("other-{}", kind.as_str());
            pc.add_track(&LocalTrack::new(*kind, id, "other")).await.unwrap();
        }
        Self { pc, events }
    }

    /// Candidates go across in both directions until both ends are connected.
    async fn connect(&mut self, page: &mut Page, pc: &str) {
        loop {
            while let Ok(event) = self.events.try_recv() {
                if let ConnectionEvent::Candidate(Some(candidate)) = event {
                    let candidate = json!({"candidate": candidate.candidate, "sdpMid": candidate.sdp_mid,
                        "sdpMLineIndex": candidate.sdp_m_line_index});
                    page.resolved("RTCPeerConnection.addIceCandidate", Some(pc), json!([candidate])).await;
                }
            }
            page.idle(Duration::from_millis(10)).await;
            for event in page.take(pc, "icecandidate") {
                if let Some(candidate) = candidate(&event["candidate"]) {
                    self.pc.add_ice_candidate(Some(&candidate)).await.unwrap();
                }
            }
            if self.pc.connection_state() == "connected" && page.get(pc, "conectionState").await == "connected" {
                return;
            }
        }
    }
}

fn candidate(event: &Value) -> Option<Candidate> {
    Some(Candidate {
        candidate: event.get("candidate")?.as_str()?.to_owned(),
        sdp_mid: event["sdpMid"].as_str().map(str::to_owned),
        sdp_m_line_index: event["sdpMLineIndex"].as_u64().map(|index| index as u16),
        username_fragment: None,
    })
}

fn description(value: &Value) -> Description {
    let kind = if value["type"] == "offer" { SdpKind::Offer } else { SdpKind::Answer };
    Description { kind, sdp: value["sdp"].as_str().unwrap().to_owned() }
}

fn told(description: &Description) -> Value {
    json!({"type": description.kind.as_str(), "sdp": description.sdp})
}

const BOTH: [MediaKind; 2] = [MediaKind::Audio, MediaKind::Video];

#[tokio::test]
async fn the_mock_host_offers_and_media_flows_both_ways() {
    let (host, mut page) = open().await;
    let pc = page.connection(json!({})).await;
    let tracks = page.media(&pc, json!({"audio": true, "video": true})).await;
    assert_eq!(tracks.len(), 2);
    let mut other = Other::new(&BOTH).await;

    let offer = page.resolved("RTCPeerConnection.createOffer", Some(&pc), json!([])).await;
    assert_eq!(page.get(&pc, "signalingState").await, "stable");
    page.resolved("RTCPeerConnection.setLocalDescription", Some(&pc), json!([offer])).await;
    assert_eq!(page.get(&pc, "signalingState").await, "have-local-offer");
    assert_eq!(page.get(&pc, "currentLocalDescription").await, Value::Null);
    other.pc.set_remote_description(&description(&offer)).await.unwrap();
    let answer = other.pc.create_answer().await.unwrap();
    other.pc.set_local_description(&answer).await.unwrap();
    page.resolved("RTCPeerConnection.setRemoteDescription", Some(&pc), json!([told(&answer)])).await;
    assert_eq!(page.get(&pc, "signalingState").await, "stable");
    assert_eq!(page.get(&pc, "canTrickleIceCandidates").await, true);
    assert_eq!(page.get(&pc, "currentLocalDescription").await["type"], "offer");

    other.connect(&mut page, &pc).await;
    loop {
        let evidence = other.pc.evidence();
        let received = |kind| evidence.received.iter().any(|stream| stream.kind == Some(kind) && stream.packets > 3);
        let reported = |kind| evidence.sent.iter().any(|sent| sent.kind == kind && sent.last_reported.is_some());
        if BOTH.into_iter().all(|kind| received(kind) && reported(kind)) {
            break;
        }
        page.idle(Duration::from_millis(50)).await;
    }
    let streams: Vec<_> = page.take(&pc, "track").into_iter().map(|event| event["streams"][0].clone()).collect();
    assert_eq!(streams.len(), 2);
    assert!(
        streams.iter().all(|stream| stream["streamId"] == "other" && stream["getTracks"]["$function"] == "getTracks")
    );

    // A second getUserMedia while it is up, and track.stop, which ends the media.
    page.resolved("ft.webrtc.mediaDevices.getUserMedia", None, json!([{"audio": true}])).await;
    for track in &tracks {
        page.resolved("MediaStreamTrack.stop", Some(track), json!([])).await;
    }
    let packets = |evidence: &fincert_schemas::run::flow::Evidence| {
        evidence.received.iter().map(|stream| stream.packets).sum::<u64>()
    };
    page.idle(Duration::from_millis(200)).await;
    let before = packets(&other.pc.evidence());
    page.idle(Duration::from_millis(300)).await;
    assert_eq!(packets(&other.pc.evidence()), before);

    page.resolved("RTCPeerConnection.close", Some(&pc), json!([])).await;
    for name in ["signalingState", "iceConnectionState", "conectionState"] {
        assert_eq!(page.get(&pc, name).await, "closed", "{name}");
    }
    other.pc.close().await;
    host.shutdown().await;
}

#[tokio::test]
async fn two_mock_connections_wired_to_each_other_connect() {
    let host = MockHost::start(Config::default()).await.unwrap();
    let (mut left, mut right) = (Page::open(&host).await, Page::open(&host).await);
    let (a, b) = (left.connection(json!({})).await, right.connection(json!({})).await);
    left.media(&a, json!({"audio": true, "video": true})).await;
    right.media(&b, json!({"audio": true})).await;

    let offer = left.resolved("RTCPeerConnection.createOffer", Some(&a), json!([])).await;
    left.resolved("RTCPeerConnection.setLocalDescription", Some(&a), json!([offer])).await;
    right.resolved("RTCPeerConnection.setRemoteDescription", Some(&b), json!([offer])).await;
    assert_eq!(right.get(&b, "signalingState").await, "have-remote-offer");
    let answer = right.resolved("RTCPeerConnection.createAnswer", Some(&b), json!([{"offerToReceiveAudio": 1}])).await;
    right.resolved("RTCPeerConnection.setLocalDescription", Some(&b), json!([answer])).await;
    left.resolved("RTCPeerConnection.setRemoteDescription", Some(&a), json!([answer])).await;
    loop {
        for (from, at, to, of) in [(&mut left, &a, &mut right, &b)] {
            from.idle(Duration::from_millis(5)).await;
            to.idle(Duration::from_millis(5)).await;
            for event in from.take(at, "icecandidate") {
                to.resolved("RTCPeerConnection.addIceCandidate", Some(of), json!([event["candidate"]])).await;
            }
            for event in to.take(of, "icecandidate") {
                from.resolved("RTCPeerConnection.addIceCandidate", Some(at), json!([event["candidate"]])).await;
            }
        }
        if left.get(&a, "conectionState").await == "connected" && right.get(&b, "conectionState").await == "connected" {
            break;
        }
    }
    assert_eq!(right.take(&b, "track").len(), 2);
    assert_eq!(left.take(&a, "track").len(), 1);
    let states: Vec<_> = left.take(&a, "iceconnectionstatechange");
    assert!(states.iter().all(|event| event["timeStamp"].is_number()), "{states:?}");
    assert_eq!(states[0]["iceConnectionState"], "checking");
    host.shutdown().await;
}

#[tokio::test]
async fn candidates_are_plain_objects_and_gathering_ends() {
    let (host, mut page) = open().await;
    let pc = page.connection(json!({})).await;
    let offer = page
        .resolved(
            "RTCPeerConnection.createOffer",
            Some(&pc),
            json!([{"offerToReceiveAudio": 1, "offerToReceiveVideo": true}]),
        )
        .await;
    let sdp = offer["sdp"].as_str().unwrap();
    assert!(sdp.contains("m=audio") && sdp.contains("m=video"), "{sdp}");
    page.resolved("RTCPeerConnection.setLocalDescription", Some(&pc), json!([offer])).await;
    let mut seen = Vec::new();
    while seen.last() != Some(&json!({"candidate": {}})) {
        page.idle(Duration::from_millis(10)).await;
        seen.extend(page.take(&pc, "icecandidate"));
    }
    seen.pop();
    assert!(!seen.is_empty());
    for event in seen {
        let candidate = event["candidate"].as_object().unwrap();
        let keys: Vec<_> = candidate.keys().map(String::as_str).collect();
        assert_eq!(keys, ["candidate", "sdpMid", "sdpMLineIndex", "address", "type"]);
        assert!(candidate["candidate"].as_str().unwrap().contains(candidate["address"].as_str().unwrap()));
    }
    host.shutdown().await;
}

#[tokio::test]
async fn what_must_be_refused_is_and_leaves_the_state() {
    let (host, mut page) = open().await;
    let create = "ft.webrtc.createRTCPeerConnection";
    for (options, exception) in [
        (json!({"iceServers": [{"urls": "bogus"}]}), "SyntaxError"),
        (json!({"iceServers": [{"urls": "turn:127.0.0.1"}]}), "InvalidAccessError"),
        (json!({"iceTransportPolicy": "bogus"}), "TypeError"),
    ] {
        assert_eq!(page.rejected(create, None, json!([options])).await, exception);
    }
    assert_eq!(page.rejected("ft.webrtc.mediaDevices.getUserMedia", None, json!([{}])).await, "TypeError");
    let pc = page.connection(json!({})).await;
    let other = Other::new(&BOTH).await;
    let offer = other.pc.create_offer(&fincert_peer::OfferOptions::default()).await.unwrap().sdp;
    let less = |name: &str| offer.split_inclusive('\n').filter(|line| !line.starts_with(name)).collect::<String>();
    let candidate = json!({"candidate": "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host", "sdpMid": "0"});
    let (local, remote) = ("setLocalDescription", "setRemoteDescription");
    for (method, argument) in [
        ("createAnswer", json!({})),
        (remote, json!({"type": "answer", "sdp": offer.replace("actpass", "active")})),
        (remote, json!({"type": "offer", "sdp": ""})),
        (remote, json!({"type": "offer", "sdp": "garbage"})),
        (remote, json!({"type": "bogus", "sdp": offer})),
        (remote, json!(offer)),
        (remote, json!({})),
        (remote, json!({"type": "offer", "sdp": less("a=ice-ufrag")})),
        (remote, json!({"type": "offer", "sdp": less("a=fingerprint")})),
        (local, json!({"type": "offer", "sdp": offer})),
        (local, json!({"type": "offer", "sdp": "garbage"})),
        ("addIceCandidate", candidate.clone()),
        ("addTrack", json!({"$handle": pc})),
        ("addTrack", json!({"$handle": "track-99"})),
        ("addTrack", json!({})),
    ] {
        page.rejected(&format!("RTCPeerConnection.{method}"), Some(&pc), json!([argument])).await;
        assert_eq!(page.get(&pc, "signalingState").await, "stable", "{method}");
    }
    let tracks = page.media(&pc, json!({"audio": true})).await;
    let again = json!([{"$handle": tracks[0]}]);
    assert_eq!(page.rejected("RTCPeerConnection.addTrack", Some(&pc), again).await, "InvalidAccessError");

    page.resolved("RTCPeerConnection.setRemoteDescription", Some(&pc), json!([{"type": "offer", "sdp": offer}])).await;
    let add = "RTCPeerConnection.addIceCandidate";
    for wrong in [
        json!({"candidate": candidate["candidate"], "sdpMid": "no-such-mid"}),
        json!({"candidate": candidate["candidate"], "sdpMLineIndex": 99}),
        json!({"candidate": "candidate:bogus", "sdpMid": "0"}),
    ] {
        page.rejected(add, Some(&pc), json!([wrong])).await;
    }
    for end in [json!([]), json!([null]), json!([{}]), json!([{"candidate": "", "sdpMid": "0"}])] {
        page.resolved(add, Some(&pc), end).await;
    }
    // Taken and never dialled: a name, TCP, an address of nobody.
    for text in ["name.local 9 typ host", "127.0.0.1 9 typ host tcptype active", "192.0.2.7 9 typ host"] {
        let transport = if text.contains("tcptype") { "tcp" } else { "udp" };
        let text = format!("candidate:1 1 {transport} 2130706431 {text}");
        page.resolved(add, Some(&pc), json!([{"candidate": text, "sdpMid": "0"}])).await;
    }
    other.pc.close().await;
    host.shutdown().await;
}

/// A description is known again by what was told, so a defect of its text does not stop the call at this end.
#[tokio::test]
async fn a_description_that_was_told_wrong_can_still_be_set() {
    for name in ["offer-without-type", "offer-text-alone", "sdp-lf", "mids-alike", "no-opus", "offer-wrapped"] {
        let defect = defects::find(name).unwrap();
        let host = MockHost::start(Config { defect: Some(defect), ..Config::default() }).await.unwrap();
        let mut page = Page::open(&host).await;
        let pc = page.connection(json!({})).await;
        page.media(&pc, json!({"audio": true, "video": true})).await;
        let offer = page.resolved("RTCPeerConnection.createOffer", Some(&pc), json!([])).await;
        page.resolved("RTCPeerConnection.setLocalDescription", Some(&pc), json!([offer])).await;
        assert_eq!(page.get(&pc, "signalingState").await, "have-local-offer", "{name}");
        host.shutdown().await;
    }
}
