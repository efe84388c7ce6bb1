//! Flows in which a target does everything as it should.

use fincert_schemas::bridge::Via;
use fincert_schemas::run::flow::{Await, Candidates, End, Flow, FlowOptions};
use serde_json::{Value, json};

use super::script::{Script, connection};

/// Direction and kind of an m-line, `sendrecv audio`.
pub(crate) fn sdp(session: u64, setup: &str, ufrag: &str, media: &[&str]) -> String {
    let mids: Vec<String> = (0..media.len()).map(|mid| mid.to_string()).collect();
    let mut text = format!(
        "v=0\r\no=- {session} 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\na=msid-semantic: WMS s\r\n",
        mids.join(" ")
    );
    for (mid, line) in media.iter().enumerate() {
        let (direction, kind) = line.split_once(' ').unwrap();
        let codec = if kind == "audio" { "111 opus/48000/2" } else { "96 VP8/90000" };
        let payload = codec.split(' ').next().unwrap();
        let msid = if direction.starts_with("send") { format!("a=msid:s {kind}\r\n") } else { String::new() };
        text.push_str(&format!(
            "m={kind} 9 UDP/TLS/RTP/SAVPF {payload}\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:{ufrag}\r\n\
             a=ice-pwd:{ufrag}{ufrag}{ufrag}{ufrag}{ufrag}{ufrag}\r\na=ice-options:trickle\r\na=fingerprint:sha-256 {}\r\n\
             a=setup:{setup}\r\na=mid:{mid}\r\na={direction}\r\n{msid}a=rtcp-mux\r\na=rtpmap:{codec}\r\n",
            ["AB"; 32].join(":"),
        ));
    }
    text
}

pub(crate) fn description(kind: &str, sdp: &str) -> Value {
    json!({"type": kind, "sdp": sdp})
}

const BOTH: [&str; 2] = ["sendrecv audio", "sendrecv video"];

fn candidate() -> Value {
    json!({
        "candidate": "candidate:842163049 1 udp 2122260223 127.0.0.1 54321 typ host generation 0",
        "sdpMid": "0", "sdpMLineIndex": 0, "address": "127.0.0.1", "type": "host",
    })
}

fn undefined() -> Value {
    json!({"$undefined": true})
}

/// getUserMedia, getTracks and stop; the tracks are `NAME-audio` and `NAME-video`.
fn stream(script: &mut Script, name: &str, wish: Value, kinds: &[&str], purpose: &str) {
    let id = script.ask("", "ft.webrtc.mediaDevices.getUserMedia", wish, purpose);
    let props = json!({"streamId": format!("stream-{name}")});
    let stream = json!({"$handle": name, "$class": "MediaStream", "own": ["streamId", "getTracks"], "props": props});
    script.answer(id, Via::Resolve, Some(stream));
    let id = script.ask(name, "MediaStream.getTracks", json!({}), "");
    let track = |kind: &&str| {
        let handle = format!("{name}-{kind}");
        json!({"$handle": handle, "$class": "MediaStreamTrack", "own": ["kind"], "props": {"kind": kind}})
    };
    script.answer(id, Via::Resolve, Some(kinds.iter().map(track).collect()));
}

fn stop(script: &mut Script, tracks: &[&str]) {
    for track in tracks {
        let id = script.ask(track, "MediaStreamTrack.stop", json!({}), "");
        script.answer(id, Via::Return, None);
    }
}

pub(crate) fn devices() -> Script {
    let mut script = Script::new(Flow::Devices, FlowOptions::default());
    let devices = json!([
        {"deviceId": "camera", "label": "", "kind": "videoinput"},
        {"deviceId": "microphone", "label": "Microphone", "kind": "audioinput"},
    ]);
    script.resolves("mediaDevices.enumerateDevices", json!({}), devices);
    script.resolves("mediaDevices.getSupportedConstraints", json!({}), json!({"width": true, "zoom": false}));
    stream(&mut script, "a", json!({"audio": true, "video": true}), &["audio", "video"], "");
    stop(&mut script, &["a-audio", "a-video"]);
    stream(&mut script, "b", json!({"audio": true, "video": false}), &["audio"], "");
    stream(&mut script, "c", json!({"audio": false, "video": true}), &["video"], "");
    stream(&mut script, "d", json!({"audio": true}), &["audio"], "");
    stream(&mut script, "e", json!({"video": true}), &["video"], "");
    let id = script.ask("", "ft.webrtc.mediaDevices.getUserMedia", json!({}), "neither");
    script.answer(id, Via::Reject, Some(json!({"name": "TypeError", "message": "neither"})));
    stream(&mut script, "f", json!({"audio": true, "video": true}), &["audio", "video"], "again");
    script
}

fn fresh(script: &mut Script, pc: &str) {
    for name in ["canTrickleIceCandidates", "currentLocalDescription", "currentRemoteDescription"] {
        script.read(pc, name, Value::Null, 1);
    }
    script.read(pc, "conectionState", json!("new"), 1);
    script.read(pc, "iceConnectionState", json!("new"), 1);
    script.read(pc, "iceGatheringState", json!("new"), 1);
    script.read(pc, "localDescription", Value::Null, 1);
    script.read(pc, "peerIdentity", undefined(), 1);
    script.read(pc, "remoteDescription", Value::Null, 1);
    script.read(pc, "signalingState", json!("stable"), 1);
}

fn close(script: &mut Script, pc: &str) {
    let id = script.ask(pc, "RTCPeerConnection.close", json!({}), "");
    script.answer(id, Via::Return, None);
    for name in ["signalingState", "iceConnectionState", "conectionState"] {
        script.read(pc, name, json!("closed"), 1);
    }
}

pub(crate) fn alone() -> Script {
    let mut script = Script::new(Flow::Connection, FlowOptions::default());
    for (handle, request, purpose) in
        [("pc-none", json!({}), "no-options"), ("pc-second", json!({"iceServers": []}), "second-argument")]
    {
        let id = script.ask("", "ft.webrtc.createRTCPeerConnection", request, purpose);
        script.answer(id, Via::Resolve, Some(connection(handle)));
        let id = script.ask(handle, "RTCPeerConnection.close", json!({}), "");
        script.answer(id, Via::Resolve, None);
    }
    let servers = json!([
        {"urls": "stun:127.0.0.1:9"},
        {"urls": ["turn:127.0.0.1:9?transport=udp"], "username": "turn-user-1", "credential": "turn-pass-1"},
    ]);
    let options = json!({"iceServers": servers, "iceTransportPolicy": "relay"});
    script.connection("pc-options", options.clone());
    script.pc("pc-options", "getConfiguration", json!({}), Some(options));
    close(&mut script, "pc-options");
    script.connection("pc", json!({}));
    fresh(&mut script, "pc");
    for (index, (options, media)) in [
        (json!({"offerToReceiveAudio": true}), vec!["recvonly audio"]),
        (json!({"offerToReceiveVideo": true}), vec!["recvonly video"]),
        (json!({"offerToReceiveAudio": 1, "offerToReceiveVideo": 1}), vec!["recvonly audio", "recvonly video"]),
        (json!({"offerToReceiveAudio": false, "offerToReceiveVideo": false}), vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let pc = format!("pc-receive-{index}");
        script.connection(&pc, json!({}));
        let offer = description("offer", &sdp(index as u64 + 100, "actpass", "rcvr", &media));
        script.pc(&pc, "createOffer", options, Some(offer));
        close(&mut script, &pc);
    }
    stream(&mut script, "s", json!({"audio": true, "video": true}), &["audio", "video"], "");
    for track in ["s-audio", "s-video"] {
        script.pc("pc", "addTrack", json!({"$handle": track}), None);
    }
    script.emit("pc", "negotiationneeded", json!({}));
    let offer = description("offer", &sdp(7, "actpass", "abcd", &BOTH));
    for options in [json!({}), json!({"voiceActivityDetection": false})] {
        for side in ["before", "after"] {
            script.read("pc", "signalingState", json!("stable"), 1);
            script.read("pc", "localDescription", Value::Null, 1);
            if side == "before" {
                script.pc("pc", "createOffer", options.clone(), Some(offer.clone()));
            }
        }
    }
    let id = script.ask("pc", "RTCPeerConnection.setLocalDescription", offer.clone(), "");
    script.emit("pc", "signalingstatechange", json!({"signalingState": "have-local-offer"}));
    script.answer(id, Via::Resolve, None);
    script.read("pc", "signalingState", json!("have-local-offer"), 2);
    script.read("pc", "localDescription", offer, 1);
    script.read("pc", "currentLocalDescription", Value::Null, 1);
    script.read("pc", "currentRemoteDescription", Value::Null, 1);
    script.read("pc", "iceGatheringState", json!("gathering"), 3);
    script.emit("pc", "icecandidate", json!({"candidate": candidate()}));
    script.emit("pc", "icecandidate", json!({"candidate": {}}));
    script.read("pc", "iceGatheringState", json!("complete"), 4);
    let restarted = description("offer", &sdp(7, "actpass", "efgh", &BOTH).replace(" 2 IN", " 3 IN"));
    script.pc("pc", "createOffer", json!({"iceRestart": true}), Some(restarted));
    close(&mut script, "pc");
    script
}

/// One call, up to connected and closed.
pub(crate) fn call(offerer: End) -> Script {
    let with = FlowOptions { offerer, candidates: Candidates::Trickle, ..FlowOptions::default() };
    let mut script = Script::new(Flow::Call, with);
    script.connection("pc", json!({}));
    stream(&mut script, "s", json!({"audio": true, "video": true}), &["audio", "video"], "");
    for track in ["s-audio", "s-video"] {
        script.pc("pc", "addTrack", json!({"$handle": track}), None);
    }
    script.emit("pc", "negotiationneeded", json!({}));
    match offerer {
        End::Target => target_offers(&mut script),
        End::Fincert => fincert_offers(&mut script),
    }
    script.pc("pc", "addIceCandidate", candidate(), None);
    script.emit("pc", "iceconnectionstatechange", json!({"iceConnectionState": "checking", "timeStamp": 1.5}));
    script.emit("pc", "iceconnectionstatechange", json!({"iceConnectionState": "connected", "timeStamp": 2}));
    script.awaited(End::Fincert, Await::PeerConnected, true);
    script.read("pc", "conectionState", json!("connecting"), 1);
    script.read("pc", "conectionState", json!("connected"), 3);
    script.read("pc", "iceConnectionState", json!("connected"), 1);
    script.awaited(End::Target, Await::TargetConnected, true);
    let id = script.ask("pc", "RTCPeerConnection.addIceCandidate", json!({}), "candidate-empty");
    script.answer(id, Via::Resolve, None);
    script.emit("pc", "icecandidate", json!({"candidate": null}));
    script.read("pc", "iceGatheringState", json!("complete"), 1);
    script.awaited(End::Target, Await::Gathered, true);
    close(&mut script, "pc");
    stop(&mut script, &["s-audio", "s-video"]);
    script
}

fn target_offers(script: &mut Script) {
    let offer = description("offer", &sdp(7, "actpass", "abcd", &BOTH));
    let answer = description("answer", &sdp(9, "active", "zyxw", &BOTH));
    script.read("pc", "signalingState", json!("stable"), 1);
    script.pc("pc", "createOffer", json!({}), Some(offer.clone()));
    script.read("pc", "signalingState", json!("stable"), 1);
    script.read("pc", "localDescription", Value::Null, 1);
    let id = script.ask("pc", "RTCPeerConnection.setLocalDescription", offer.clone(), "");
    script.emit("pc", "signalingstatechange", json!({"signalingState": "have-local-offer"}));
    script.answer(id, Via::Resolve, None);
    script.read("pc", "signalingState", json!("stable"), 1);
    script.read("pc", "signalingState", json!("have-local-offer"), 2);
    script.read("pc", "localDescription", offer.clone(), 1);
    script.read("pc", "currentLocalDescription", Value::Null, 1);
    script.read("pc", "currentRemoteDescription", Value::Null, 1);
    script.emit("pc", "icecandidate", json!({"candidate": candidate()}));
    script.described(false, "offer", offer["sdp"].as_str().unwrap());
    script.described(true, "answer", answer["sdp"].as_str().unwrap());
    let id = script.ask("pc", "RTCPeerConnection.setRemoteDescription", answer.clone(), "");
    script.emit("pc", "signalingstatechange", json!({"signalingState": "stable"}));
    for _ in 0..2 {
        script.emit("pc", "track", json!({"streams": [{"streamId": "remote"}]}));
    }
    script.answer(id, Via::Resolve, None);
    after_answer(script, &offer, &answer);
}

fn fincert_offers(script: &mut Script) {
    let offer = description("offer", &sdp(9, "actpass", "zyxw", &BOTH));
    let answer = description("answer", &sdp(7, "active", "abcd", &BOTH));
    script.described(true, "offer", offer["sdp"].as_str().unwrap());
    let id = script.ask("pc", "RTCPeerConnection.setRemoteDescription", offer.clone(), "");
    script.emit("pc", "signalingstatechange", json!({"signalingState": "have-remote-offer"}));
    for _ in 0..2 {
        script.emit("pc", "track", json!({"streams": [{"streamId": "remote"}]}));
    }
    script.answer(id, Via::Resolve, None);
    script.read("pc", "signalingState", json!("have-remote-offer"), 2);
    script.read("pc", "remoteDescription", offer.clone(), 1);
    script.read("pc", "currentRemoteDescription", Value::Null, 1);
    script.read("pc", "canTrickleIceCandidates", Value::Null, 1);
    let options = json!({
        "offerToReceiveAudio": true, "offerToReceiveVideo": true, "iceRestart": false, "voiceActivityDetection": true,
    });
    script.pc("pc", "createAnswer", options, Some(answer.clone()));
    script.read("pc", "signalingState", json!("have-remote-offer"), 1);
    let id = script.ask("pc", "RTCPeerConnection.setLocalDescription", answer.clone(), "");
    script.emit("pc", "signalingstatechange", json!({"signalingState": "stable"}));
    script.answer(id, Via::Resolve, None);
    script.emit("pc", "icecandidate", json!({"candidate": candidate()}));
    script.described(false, "answer", answer["sdp"].as_str().unwrap());
    after_answer(script, &answer, &offer);
}

fn after_answer(script: &mut Script, local: &Value, remote: &Value) {
    script.read("pc", "signalingState", json!("stable"), 2);
    script.read("pc", "currentLocalDescription", local.clone(), 1);
    script.read("pc", "currentRemoteDescription", remote.clone(), 1);
    script.read("pc", "localDescription", local.clone(), 1);
    script.read("pc", "remoteDescription", remote.clone(), 1);
    script.read("pc", "canTrickleIceCandidates", json!(true), 2);
}

/// Audio, an offer, then video too, and another offer.
pub(crate) fn adds_video() -> Script {
    let mut script = Script::new(Flow::Connection, FlowOptions::default());
    script.connection("pc", json!({}));
    stream(&mut script, "s", json!({"audio": true}), &["audio"], "");
    script.pc("pc", "addTrack", json!({"$handle": "s-audio"}), None);
    script.emit("pc", "negotiationneeded", json!({}));
    let first = description("offer", &sdp(7, "actpass", "abcd", &["sendrecv audio"]));
    script.pc("pc", "createOffer", json!({}), Some(first));
    stream(&mut script, "t", json!({"video": true}), &["video"], "");
    script.pc("pc", "addTrack", json!({"$handle": "t-video"}), None);
    let second = description("offer", &sdp(7, "actpass", "abcd", &BOTH).replace(" 2 IN", " 3 IN"));
    script.pc("pc", "createOffer", json!({}), Some(second));
    close(&mut script, "pc");
    script
}

pub(crate) fn refusals() -> Script {
    let mut script = Script::new(Flow::Refusals, FlowOptions::default());
    for (options, purpose) in [
        (json!({"iceServers": [{"urls": "bogus"}]}), "bad-url"),
        (json!({"iceServers": [{"urls": "turn:127.0.0.1:9"}]}), "turn-without-credential"),
        (json!({"iceTransportPolicy": "bogus"}), "bad-policy"),
    ] {
        let id = script.ask("", "ft.webrtc.createRTCPeerConnection", options, purpose);
        script.answer(id, Via::Reject, Some(json!({"name": "SyntaxError", "message": "bad"})));
    }
    script.connection("pc", json!({}));
    let sdp = sdp(9, "actpass", "zyxw", &BOTH);
    script.refused("pc", "createAnswer", json!({}), "create-answer-in-stable", "stable");
    script.refused("pc", "setRemoteDescription", description("answer", &sdp), "answer-in-stable", "stable");
    for (request, purpose) in [
        (description("offer", ""), "garbage-empty"),
        (description("offer", "garbage"), "garbage-text"),
        (json!({}), "garbage-object"),
        (description("bogus", &sdp), "garbage-type"),
        (json!(sdp), "description-string"),
        (description("offer", &sdp.replace("a=ice-ufrag:zyxw\r\n", "")), "no-ufrag"),
        (description("offer", &sdp.replace("a=fingerprint", "a=x")), "no-fingerprint"),
    ] {
        script.refused("pc", "setRemoteDescription", request, purpose, "stable");
    }
    script.refused("pc", "addIceCandidate", candidate(), "candidate-before-description", "stable");
    for purpose in ["candidate-unknown-mid", "candidate-unknown-index", "candidate-malformed"] {
        script.refused("pc", "addIceCandidate", candidate(), purpose, "stable");
    }
    stream(&mut script, "s", json!({"audio": true}), &["audio"], "");
    script.pc("pc", "addTrack", json!({"$handle": "s-audio"}), None);
    script.refused("pc", "addTrack", json!({"$handle": "s-audio"}), "track-twice", "stable");
    script.refused("pc", "addTrack", json!({}), "track-invalid", "stable");
    close(&mut script, "pc");
    script
}

pub(crate) fn after_close() -> Script {
    let mut script = Script::new(Flow::AfterClose, FlowOptions::default());
    script.connection("pc", json!({}));
    close(&mut script, "pc");
    for method in
        ["createOffer", "createAnswer", "setLocalDescription", "setRemoteDescription", "addIceCandidate", "addTrack"]
    {
        let id = script.ask("pc", &format!("RTCPeerConnection.{method}"), json!({}), "after-close");
        script.answer(id, Via::Reject, Some(json!({"name": "InvalidStateError"})));
    }
    let id = script.ask("pc", "RTCPeerConnection.getConfiguration", json!({}), "configuration-after-close");
    script.answer(id, Via::Resolve, Some(json!({})));
    let id = script.ask("pc", "RTCPeerConnection.close", json!({}), "close-again");
    script.answer(id, Via::Return, None);
    for name in ["signalingState", "iceConnectionState", "conectionState"] {
        script.read("pc", name, json!("closed"), 1);
    }
    script
}
