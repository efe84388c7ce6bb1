//! Objects of ft.webrtc over a real socket: order, states, bounds, and how they end.

#![allow(missing_docs, clippy::unwrap_used)]

mod page;

use std::time::Duration;

use fincert_mocks::{Config, MockHost, defects};
use fincert_schemas::bridge::Integration;
use page::Page;
use serde_json::{Value, json};

async fn open() -> (MockHost, Page) {
    let host = MockHost::start(Config::default()).await.unwrap();
    let page = Page::open(&host).await;
    (host, page)
}

#[tokio::test]
async fn events_come_before_the_promise_and_only_those_that_are_listened_to() {
    let (host, mut page) = open().await;
    let pc = page.connection(json!({})).await;
    page.media(&pc, json!({"audio": true, "video": true})).await;
    page.idle(Duration::from_millis(100)).await;
    assert_eq!(page.take(&pc, "negotiationneeded").len(), 1);
    page.ask("bridge.unlisten", json!({"self": pc, "type": "icecandidate"})).await;
    let offer = page.resolved("RTCPeerConnection.createOffer", Some(&pc), json!([])).await;
    page.resolved("RTCPeerConnection.setLocalDescription", Some(&pc), json!([offer])).await;
    // It was read before the answer.
    assert_eq!(page.take(&pc, "signalingstatechange"), [json!({"signalingState": "have-local-offer"})]);
    while page.get(&pc, "iceGatheringState").await != "complete" {
        page.idle(Duration::from_millis(10)).await;
    }
    assert_eq!(page.take(&pc, "icecandidate"), [Value::Null; 0]);
    host.shutdown().await;
}

#[tokio::test]
async fn a_closed_connection_rejects_everything_and_hangs_never() {
    let (host, mut page) = open().await;
    let pc = page.connection(json!({"iceServers": [{"urls": "stun:127.0.0.1"}], "iceTransportPolicy": "all"})).await;
    let configuration = page.resolved("RTCPeerConnection.getConfiguration", Some(&pc), json!([])).await;
    assert_eq!(configuration["iceServers"], json!([{"urls": "stun:127.0.0.1"}]));
    assert_eq!(page.get(&pc, "peerIdentity").await, Value::Null);
    assert_eq!(page.get(&pc, "connectionState").await, json!({"$undefined": true}));
    let offer = page.resolved("RTCPeerConnection.createOffer", Some(&pc), json!([])).await;
    page.resolved("RTCPeerConnection.close", Some(&pc), json!([])).await;
    for (method, args) in [
        ("createOffer", json!([])),
        ("createAnswer", json!([])),
        ("setLocalDescription", json!([offer])),
        ("setRemoteDescription", json!([offer])),
        ("addIceCandidate", json!([{}])),
        ("addTrack", json!([{"$handle": "track-1"}])),
        ("getConfiguration", json!([])),
    ] {
        assert_eq!(page.rejected(&format!("RTCPeerConnection.{method}"), Some(&pc), args).await, "InvalidStateError");
    }
    page.resolved("RTCPeerConnection.close", Some(&pc), json!([])).await;
    assert_eq!(page.events, [Value::Null; 0]);
    host.shutdown().await;
}

/// UDP sockets that this process has open.
fn udp_sockets() -> usize {
    let inodes: Vec<String> = ["/proc/self/net/udp", "/proc/self/net/udp6"]
        .iter()
        .flat_map(|path| {
            std::fs::read_to_string(path).unwrap_or_default().lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| line.split_whitespace().nth(9).map(|inode| format!("socket:[{inode}]")))
        .collect();
    let links =
        std::fs::read_dir("/proc/self/fd").unwrap().flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
    links.filter(|link| inodes.iter().any(|inode| link.as_os_str() == inode.as_str())).count()
}

#[tokio::test]
async fn a_reset_and_an_end_leave_no_socket() {
    let (host, mut page) = open().await;
    assert_eq!(udp_sockets(), 0);
    for _ in 0..3 {
        let pc = page.connection(json!({})).await;
        page.media(&pc, json!({"audio": true})).await;
        let offer = page.resolved("RTCPeerConnection.createOffer", Some(&pc), json!([])).await;
        page.resolved("RTCPeerConnection.setLocalDescription", Some(&pc), json!([offer])).await;
        assert!(udp_sockets() > 0);
        page.ask("bridge.reset", json!({})).await;
        assert_eq!(udp_sockets(), 0);
        assert_eq!(
            page.ask("bridge.get", json!({"self": pc, "name": "signalingState"})).await["error"]["code"],
            -32602
        );
    }
    // A connection that ends without a word, and a host that stops.
    for _ in 0..2 {
        let pc = page.connection(json!({})).await;
        let offer =
            page.resolved("RTCPeerConnection.createOffer", Some(&pc), json!([{"offerToReceiveAudio": true}])).await;
        page.resolved("RTCPeerConnection.setLocalDescription", Some(&pc), json!([offer])).await;
        let next = Page::open(&host).await;
        drop(std::mem::replace(&mut page, next));
        while udp_sockets() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let pc = page.connection(json!({})).await;
    let offer = page.resolved("RTCPeerConnection.createOffer", Some(&pc), json!([{"offerToReceiveAudio": true}])).await;
    page.resolved("RTCPeerConnection.setLocalDescription", Some(&pc), json!([offer])).await;
    host.shutdown().await;
    assert_eq!(udp_sockets(), 0);
}

#[tokio::test]
async fn streams_and_tracks_are_what_the_specification_says() {
    let (host, mut page) = open().await;
    let devices = page.resolved("ft.webrtc.mediaDevices.enumerateDevices", None, json!([])).await;
    assert_eq!(devices.as_array().unwrap().len(), 3);
    let constraints = page.resolved("ft.webrtc.mediaDevices.getSupportedConstraints", None, json!([])).await;
    assert_eq!(constraints["frameRate"], true);
    let mut ids = Vec::new();
    for (wish, kinds) in [
        (json!({"audio": true, "video": true}), vec!["audio", "video"]),
        (json!({"audio": true, "video": false}), vec!["audio"]),
        (json!({"video": {"width": 640}}), vec!["video"]),
    ] {
        let stream = page.resolved("ft.webrtc.mediaDevices.getUserMedia", None, json!([wish])).await;
        assert_eq!((&stream["$class"], &stream["own"]), (&json!("MediaStream"), &json!(["streamId", "getTracks"])));
        ids.push(stream["props"]["streamId"].as_str().unwrap().to_owned());
        let handle = stream["$handle"].as_str().unwrap();
        assert_eq!(page.get(handle, "streamId").await, stream["props"]["streamId"]);
        let tracks = page.resolved("MediaStream.getTracks", Some(handle), json!([])).await;
        let told: Vec<_> = tracks.as_array().unwrap().iter().map(|track| track["props"]["kind"].clone()).collect();
        assert_eq!(told, kinds);
        for track in tracks.as_array().unwrap() {
            let track = track["$handle"].as_str().unwrap();
            page.resolved("MediaStreamTrack.stop", Some(track), json!([])).await;
            assert_eq!(page.get(track, "readyState").await, "ended");
        }
        let listen = page.ask("bridge.listen", json!({"self": handle, "type": "addtrack"})).await;
        assert_eq!(listen["error"]["data"]["via"], "throw");
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let denied = json!({"args": [{"audio": true}], "prefer": {"example": "get-user-media-denied"}});
    let denied = page.ask("ft.webrtc.mediaDevices.getUserMedia", denied).await;
    assert_eq!(denied["error"]["data"]["value"]["name"], "NotAllowedError");
    let wrong = page.ask("MediaStream.getTracks", json!({"self": "pc-1", "args": []})).await;
    assert_eq!(wrong["error"]["code"], -32602);
    let journal = host.journal();
    let noted = |method: &str| journal.iter().filter(|entry| entry.asked.method == method).count();
    assert_eq!((noted("ft.webrtc.mediaDevices.getUserMedia"), noted("MediaStream.getTracks")), (4, 4));
    assert!(journal.iter().any(|entry| entry.asked.request.get("video").is_some_and(|kind| kind == "object")));
    host.shutdown().await;
}

#[tokio::test]
async fn absent_is_silent_and_alive() {
    let host = MockHost::start(Config { integration: Integration::Absent, ..Config::default() }).await.unwrap();
    let mut page = Page::open(&host).await;
    page.send("ft.webrtc.createRTCPeerConnection", json!({"args": []})).await;
    page.send("ft.webrtc.mediaDevices.enumerateDevices", json!({"args": []})).await;
    assert_eq!(page.ask("bridge.ping", json!({})).await["result"], json!({}));
    page.idle(Duration::from_millis(100)).await;
    assert_eq!(page.strays, [Value::Null; 0]);
    host.shutdown().await;
}

#[tokio::test]
async fn there_is_an_end_to_objects() {
    let (host, mut page) = open().await;
    for _ in 0..64 {
        page.resolved("ft.webrtc.createRTCPeerConnection", None, json!([])).await;
    }
    assert_eq!(page.rejected("ft.webrtc.createRTCPeerConnection", None, json!([])).await, "OperationError");
    page.resolved("RTCPeerConnection.close", Some("pc-1"), json!([])).await;
    page.resolved("ft.webrtc.createRTCPeerConnection", None, json!([])).await;
    for _ in 0..128 {
        page.resolved("ft.webrtc.mediaDevices.getUserMedia", None, json!([{"audio": true, "video": true}])).await;
    }
    let one_more = json!([{"audio": true}]);
    assert_eq!(page.rejected("ft.webrtc.mediaDevices.getUserMedia", None, one_more).await, "OperationError");
    host.shutdown().await;
}

#[tokio::test]
async fn a_defect_that_holds_an_event_back_tells_it_after_the_answer() {
    let defect = defects::find("signaling-event-after-promise").unwrap();
    let host = MockHost::start(Config { defect: Some(defect), ..Config::default() }).await.unwrap();
    let mut page = Page::open(&host).await;
    let pc = page.connection(json!({})).await;
    let offer = page.resolved("RTCPeerConnection.createOffer", Some(&pc), json!([{"offerToReceiveAudio": true}])).await;
    page.resolved("RTCPeerConnection.setLocalDescription", Some(&pc), json!([offer])).await;
    assert_eq!(page.take(&pc, "signalingstatechange"), [Value::Null; 0]);
    page.idle(Duration::from_millis(100)).await;
    assert_eq!(page.take(&pc, "signalingstatechange").len(), 1);
    host.shutdown().await;
}
