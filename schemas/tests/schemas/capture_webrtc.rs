//! Capture of WebRTC values: which facts they give, that SDP stays whole, and that nothing personal is left.

use fincert_schemas::Ledger;
use fincert_schemas::bridge::Via;
use fincert_schemas::capture::{CallContext, Capture};
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::flow::{Await, End, PeerDid};
use fincert_schemas::run::{Captured, Ended, Event, Fact, Transcript, What};
use serde_json::{Value, json};

const SDP: &str = concat!(
    "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n",
    "a=extmap-allow-mixed\r\na=msid-semantic: WMS 9b1c2d3e-1234-5678-9012-123456789012\r\n",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n",
    "a=candidate:3370450712 1 udp 2122260223 192.168.100.200 54321 typ host generation 0 network-id 1 network-cost 10\r\n",
    "a=candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0\r\n",
    "a=candidate:1 1 tcp 1518280447 fe80::1%eth0 9 typ host tcptype active\r\n",
    "a=ice-ufrag:12345678901234\r\na=ice-pwd:123456789012345678901234\r\na=ice-options:trickle\r\n",
    "a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n",
    "a=setup:actpass\r\na=mid:0\r\na=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n",
    "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01-and-a-longer-name-than-usual\r\n",
    "a=sendrecv\r\na=msid:9b1c2d3e-1234-5678-9012-123456789012 0a9b8c7d-0000-1111-2222-333344445555\r\na=rtcp-mux\r\n",
    "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n",
    "a=ssrc-group:FID 1234567890 4294967295\r\na=ssrc:1234567890 cname:q9ITHyV3KV3Tt1aD\r\n",
    "a=ssrc:1234567890 msid:9b1c2d3e-1234-5678-9012-123456789012 0a9b8c7d-0000-1111-2222-333344445555\r\n",
);

fn capture() -> Capture<'static> {
    Capture::new(Catalog::embedded().unwrap(), false)
}

fn settled(method: &str, via: Via, value: &Value) -> Captured {
    given(method, &json!({}), via, value)
}

fn given(method: &str, request: &Value, via: Via, value: &Value) -> Captured {
    capture().settlement(CallContext { method, request, subject: None }, via, value)
}

/// Requirement and place of what is broken, sorted, once each.
fn broken(captured: &Captured) -> Vec<(&str, &str)> {
    let breaks = captured.facts.iter().filter_map(|fact| match fact {
        Fact::Breaks { requirement, at, .. } => Some((requirement.as_str(), at.as_str())),
        _ => None,
    });
    let mut breaks: Vec<_> = breaks.collect();
    breaks.sort_unstable();
    breaks.dedup();
    breaks
}

fn holds(captured: &Captured, wanted: &str, place: &str) -> bool {
    captured
        .facts
        .iter()
        .any(|fact| matches!(fact, Fact::Holds { requirement, at } if requirement == wanted && at == place))
}

#[test]
fn sdp_stays_whole_wherever_it_stands() {
    let offer = json!({"type": "offer", "sdp": SDP});
    let mut capture = capture();
    assert_eq!(capture.sdp(SDP), SDP);
    let kept = settled("RTCPeerConnection.createOffer", Via::Resolve, &offer);
    assert_eq!((&kept.value, broken(&kept)), (&offer, vec![]));
    assert_eq!(capture.request("RTCPeerConnection.setLocalDescription", &offer).value, offer);
    assert_eq!(capture.property("RTCPeerConnection", "localDescription", &offer).value, offer);
    assert_eq!(capture.request("RTCPeerConnection.setRemoteDescription", &json!(SDP)).value, json!(SDP));
    for line in SDP.lines().filter_map(|line| line.strip_prefix("a=")).filter(|line| line.starts_with("candidate:")) {
        let candidate =
            json!({"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0, "address": "fe80::1", "type": "host"});
        assert_eq!(capture.request("RTCPeerConnection.addIceCandidate", &candidate).value, candidate);
        let event = json!({ "candidate": candidate });
        let kept = capture.event("RTCPeerConnection", "icecandidate", &event);
        assert_eq!((&kept.value, broken(&kept)), (&event, vec![]));
    }
    for address in ["192.0.2.7", "::1", "[fd00::2]", "fe80::1%eth0", "3c6a1f2e-aaaa-bbbb-cccc-1234567890ab.local", ""] {
        let event = json!({"candidate": {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "address": address}});
        assert_eq!(capture.event("RTCPeerConnection", "icecandidate", &event).value, event);
    }
    let street = json!({"candidate": {"address": "样本省甄样例路1号"}});
    assert_eq!(capture.event("RTCPeerConnection", "icecandidate", &street).value["candidate"]["address"], "***");
    // An address is no postal one, and is not starred out of what comes later.
    assert_eq!(capture.sdp("c=IN IP4 fe80::1\r\n"), "c=IN IP4 fe80::1\r\n");
    assert_eq!(capture.text("from fe80::1", 40), "from fe80::1");
}

#[test]
fn sdp_is_bounded_one_by_one_and_in_all() {
    let mut capture = capture();
    let mut long = SDP.to_owned();
    while long.len() < 10_000_000 {
        long.push_str("a=candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx raddr 0.0.0.0 rport 0\r\n");
    }
    let description = json!({"type": "offer", "sdp": long});
    let first = capture.property("RTCPeerConnection", "localDescription", &description);
    let text = first.value["sdp"].as_str().unwrap();
    assert!(text.starts_with(SDP) && text.ends_with(" characters)") && text.len() < 66_000, "{}", text.len());
    let chars = long.len() as u32;
    assert!(first.facts.contains(&Fact::Masked { at: "/sdp".into(), json_type: "string".into(), chars }));
    let mut all = 0;
    for _ in 0..300 {
        all += capture.event("", "x", &json!({ "sdp": &long[..200_000] })).value.to_string().len();
    }
    assert!(all < 9_000_000, "{all}");
    capture.begin();
    assert_eq!(
        capture.property("RTCPeerConnection", "localDescription", &json!({"type": "offer", "sdp": SDP})).value["sdp"],
        SDP
    );
    // One line without an end, and one that is nothing but a number.
    assert!(capture.sdp(&"a".repeat(10_000_000)).len() < 66_000);
    let devices: Vec<_> = (0..50_000).map(|n| json!({ "deviceId": n })).collect();
    let kept = settled("ft.webrtc.mediaDevices.enumerateDevices", Via::Resolve, &json!(devices));
    assert!(kept.facts.len() < 2_000 && kept.value.as_array().unwrap().len() == 201, "{}", kept.facts.len());
}

#[test]
fn nothing_personal_hides_in_sdp() {
    let secrets = ["11010519491231002X", "6222020200112233445", "13800138000", "甄样例", "s3cret-word", "4242"];
    let mut capture = capture();
    capture.hide("s3cret-word");
    capture.hide("4242");
    let finance = json!({"type": "IDCard", "errorCode": 0, "recogResult": {"name": "甄样例"}});
    let request = json!({"type": "IDCard"});
    capture.settlement(
        CallContext { method: "ft.finCardOcr", request: &request, subject: None },
        Via::Success,
        &finance,
    );
    for secret in secrets {
        for line in [
            "s=X",
            "i=X",
            "p=X",
            "a=X",
            "a=note:X",
            "a=msid:X X",
            "a=ssrc:1 cname:X",
            "X",
            "a=fmtp:96 x=X",
            "a=candidate:1 1 udp 1 127.0.0.1 9 typ host note X",
            "a=mid:X",
            "m=audio 9 X 0",
            "a=x:a X b",
            "o=X 1 1 IN IP4 0.0.0.0",
        ] {
            let sdp = format!("v=0\r\n{}\r\nt=0 0\r\n", line.replace('X', secret));
            let sdp = sdp.as_str();
            for kept in [
                capture.sdp(sdp),
                capture
                    .request("RTCPeerConnection.setRemoteDescription", &json!({"type": "offer", "sdp": sdp}))
                    .value
                    .to_string(),
                capture.request("RTCPeerConnection.setRemoteDescription", &json!(sdp)).value.to_string(),
                capture
                    .event("RTCPeerConnection", "icecandidate", &json!({"candidate": {"candidate": sdp}}))
                    .value
                    .to_string(),
                settled_by(
                    &mut capture,
                    "RTCPeerConnection.createOffer",
                    Via::Reject,
                    &json!({"name": "X", "message": sdp}),
                ),
            ] {
                assert!(!kept.contains(secret), "{secret} in {kept}");
            }
        }
    }
    // Four digits of a password are no reason to break a number.
    assert_eq!(capture.sdp("o=- 1234242999 2 IN IP4 0.0.0.0"), "o=- 1234242999 2 IN IP4 0.0.0.0");
    assert!(!capture.sdp("a=ssrc:1 cname:\u{1b}[31m").contains('\u{1b}'));
    assert_eq!(capture.sdp("v=0\rs=-\ra=x\u{7}"), "v=0\rs=-\ra=x\\u{7}");
}

fn settled_by(capture: &mut Capture<'_>, method: &str, via: Via, value: &Value) -> String {
    let request = json!({});
    capture.settlement(CallContext { method, request: &request, subject: None }, via, value).value.to_string()
}

#[test]
fn names_of_errors_are_not_names_of_persons() {
    let value = json!({"name": "InvalidStateError", "message": "wrong state: stable"});
    let mut capture = capture();
    let kept = settled_by(&mut capture, "RTCPeerConnection.createAnswer", Via::Reject, &value);
    assert_eq!(kept, value.to_string());
    assert_eq!(capture.text("InvalidStateError", 40), "InvalidStateError");
    let kept =
        settled_by(&mut capture, "RTCPeerConnection.createAnswer", Via::Reject, &json!({"name": "Wang Xiaoming"}));
    assert!(!kept.contains("Xiaoming"), "{kept}");
}

#[test]
fn objects_are_checked_by_their_own_values_and_keep_their_names() {
    let id = "0a9b8c7d-0000-1111-2222-333344445555";
    let stream = json!({"$handle": "stream-1", "$class": "MediaStream", "own": ["streamId", "getTracks"], "props": {"streamId": id}});
    let method = "ft.webrtc.mediaDevices.getUserMedia";
    let kept = settled(method, Via::Resolve, &stream);
    assert_eq!((&kept.value, broken(&kept)), (&stream, vec![]));
    assert!(holds(&kept, "webrtc.stream.stream-id", "/props/streamId") && holds(&kept, "webrtc.stream", ""));
    let mut other = stream.clone();
    other["props"] = json!({"streamId": ""});
    assert_eq!(
        broken(&settled(method, Via::Resolve, &other)),
        [("webrtc.stream.stream-id.not-empty", "/props/streamId")]
    );
    other["props"] = json!({"streamId": 7});
    assert_eq!(broken(&settled(method, Via::Resolve, &other)), [("webrtc.stream.stream-id", "/props/streamId")]);
    other.as_object_mut().unwrap().remove("props");
    assert_eq!(broken(&settled(method, Via::Resolve, &other)), [("webrtc.stream.stream-id", "/props/streamId")]);
    let tracks = json!([
        {"$handle": id, "$class": "MediaStreamTrack", "own": ["kind"], "props": {"kind": "audio", "id": id}},
        {"$handle": "t2", "$class": "MediaStreamTrack", "own": ["kind"], "props": {"kind": "sound"}},
    ]);
    let kept = settled("MediaStream.getTracks", Via::Resolve, &tracks);
    assert_eq!((&kept.value, broken(&kept)), (&tracks, vec![("webrtc.track.kind", "/1/props/kind")]));
    assert!(holds(&kept, "webrtc.track.kind", "/0/props/kind"));
    assert_eq!(capture().handle(id), id);
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let devices = json!([{"deviceId": digest, "label": "Fake Audio 1", "kind": "audioinput"}]);
    let kept = settled("ft.webrtc.mediaDevices.enumerateDevices", Via::Resolve, &devices);
    assert_eq!((&kept.value, broken(&kept)), (&devices, vec![]));
    let kept = settled("ft.webrtc.mediaDevices.enumerateDevices", Via::Resolve, &json!({"devicesList": []}));
    assert_eq!(broken(&kept), [("webrtc.media-devices.enumerate-devices.result", "")]);
}

#[test]
fn properties_are_checked_by_their_rows() {
    let mut capture = capture();
    for (name, good, bad, requirement) in [
        ("signalingState", json!("stable"), json!("odd"), "webrtc.pc.signaling-state"),
        ("iceGatheringState", json!("complete"), json!(3), "webrtc.pc.ice-gathering-state"),
        ("canTrickleIceCandidates", json!(null), json!("yes"), "webrtc.pc.can-trickle-ice-candidates"),
        ("conectionState", json!("new"), json!(null), "webrtc.pc.conection-state"),
        ("localDescription", json!(null), json!(SDP), "webrtc.pc.local-description"),
    ] {
        let kept = capture.property("RTCPeerConnection", name, &good);
        assert!(broken(&kept).is_empty() && holds(&kept, requirement, ""), "{name}: {kept:?}");
        assert_eq!(broken(&capture.property("RTCPeerConnection", name, &bad)), [(requirement, "")], "{name}");
    }
    let kept = capture.property("RTCPeerConnection", "connectionState", &json!("connected"));
    let alias =
        Fact::Alias { requirement: "webrtc.pc.conection-state".into(), at: String::new(), alias: "name".into() };
    assert!(kept.facts.contains(&alias) && kept.value == "connected" && broken(&kept).is_empty(), "{kept:?}");
    let kept = capture.property("RTCPeerConnection", "localDescription", &json!({"type": "offer", "sdp": ""}));
    assert_eq!(broken(&kept), [("webrtc.pc.local-description", "/sdp")]);
    assert!(capture.property("RTCPeerConnection", "peerIdentity", &json!({"$promise": true})).facts.is_empty());
    assert!(capture.property("MediaStream", "signalingState", &json!(1)).facts.is_empty());
}

#[test]
fn events_are_checked_by_their_tables() {
    let mut capture = capture();
    let mut event = |kind: &str, value: Value| capture.event("RTCPeerConnection", kind, &value);
    let good = json!({"iceConnectionState": "checking", "timeStamp": 1718000000000u64});
    let kept = event("iceconnectionstatechange", good.clone());
    assert_eq!((&kept.value, broken(&kept)), (&good, vec![]));
    assert_eq!(
        broken(&event("iceconnectionstatechange", json!({"iceConnectionState": "odd"}))),
        [
            ("webrtc.event.iceconnectionstatechange.ice-connection-state", "/iceConnectionState"),
            ("webrtc.event.iceconnectionstatechange.time-stamp", "/timeStamp")
        ]
    );
    assert_eq!(
        broken(&event("signalingstatechange", json!({}))),
        [("webrtc.event.signalingstatechange.signaling-state", "/signalingState")]
    );
    let streams = json!({"streams": [{"streamId": "s1", "getTracks": {"$function": "getTracks"}}]});
    assert!(broken(&event("track", streams)).is_empty());
    assert_eq!(
        broken(&event("track", json!({"streams": [{}]}))),
        [("webrtc.event.track.stream-id", "/streams/0/streamId")]
    );
    assert_eq!(broken(&event("track", json!({"streams": []}))), [("webrtc.event.track.streams", "/streams")]);
    for end in
        [json!({}), json!({"candidate": null}), json!({"candidate": {}}), json!({"candidate": {"candidate": ""}})]
    {
        assert!(broken(&event("icecandidate", end)).is_empty());
    }
    let kept = event("icecandidate", json!({"candidate": {"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host"}}));
    let mut requirements: Vec<_> = broken(&kept).into_iter().map(|(requirement, _)| requirement).collect();
    requirements.sort_unstable();
    requirements.dedup();
    let wanted = ["address", "mid-or-index", "sdp-m-line-index", "sdp-mid", "type"];
    assert_eq!(requirements, wanted.map(|row| format!("webrtc.candidate.{row}")));
    assert!(event("negotiationneeded", json!({})).facts.is_empty());
    assert!(event("../stream", json!({"streamId": 1})).facts.is_empty());
}

#[test]
fn every_fact_names_a_requirement_of_the_ledger() {
    let ledger = Ledger::embedded().unwrap();
    let mut capture = capture();
    let odd =
        json!({"candidate": {"candidate": 1}, "streams": [1], "sdp": 1, "type": 1, "iceServers": [{}], "video": 1});
    let mut all = Vec::new();
    for kind in ["icecandidate", "iceconnectionstatechange", "negotiationneeded", "signalingstatechange", "track"] {
        all.extend(capture.event("RTCPeerConnection", kind, &odd).facts);
    }
    for method in
        ["RTCPeerConnection.createOffer", "RTCPeerConnection.createAnswer", "RTCPeerConnection.getConfiguration"]
    {
        all.extend(settled(method, Via::Resolve, &odd).facts);
    }
    for fact in all {
        if let Fact::Breaks { requirement, .. } | Fact::Holds { requirement, .. } = fact {
            assert!(ledger.get(&requirement).is_some(), "{requirement}");
        }
    }
}

#[test]
fn credentials_are_masked_and_compared() {
    let method = "RTCPeerConnection.getConfiguration";
    let turn = |urls: Value, username: &str, credential: &str| json!({"urls": urls, "username": username, "credential": credential});
    let url = "turn:127.0.0.1:9?transport=udp";
    let options =
        json!({"iceServers": [turn(json!(url), "turn-user-1", "turn-pass-1")], "iceTransportPolicy": "relay"});
    let relation = |got: &Value| {
        let kept = given(method, &options, Via::Resolve, got);
        let text = serde_json::to_string(&kept).unwrap();
        assert!(!text.contains("turn-pass") && !text.contains("turn-user"), "{text}");
        kept.facts.into_iter().find_map(|fact| match fact {
            Fact::Relation { relation, at, holds, .. } if relation == "configuration-as-given" => Some((holds, at)),
            _ => None,
        })
    };
    let full = json!({
        "iceServers": [turn(json!([url]), "turn-user-1", "turn-pass-1")],
        "iceTransportPolicy": "relay", "bundlePolicy": "balanced", "iceCandidatePoolSize": 0,
    });
    assert_eq!(relation(&full), Some((true, String::new())));
    for (at, value) in [
        ("/iceServers/0/urls", json!(["turn:127.0.0.1:10"])),
        ("/iceServers/0/username", json!("turn-user-2")),
        ("/iceServers/0/credential", json!("turn-pass-2")),
        ("/iceServers/0/credential", Value::Null),
        ("/iceTransportPolicy", json!("all")),
        ("/iceServers", json!([])),
    ] {
        let mut other = full.clone();
        *other.pointer_mut(at).unwrap() = value;
        assert_eq!(relation(&other), Some((false, at.to_owned())));
    }
    assert!(
        !given(method, &json!({}), Via::Resolve, &json!({"iceServers": []}))
            .facts
            .iter()
            .any(|fact| matches!(fact, Fact::Relation { holds: false, .. }))
    );
    assert!(given(method, &options, Via::Reject, &json!({"name": "TypeError"})).facts.is_empty());
    let kept = capture().request("ft.webrtc.createRTCPeerConnection", &options);
    let text = serde_json::to_string(&kept).unwrap();
    assert!(!text.contains("turn-pass") && !text.contains("turn-user") && text.contains(url), "{text}");
}

#[test]
fn what_was_learned_last_is_scrubbed_from_what_came_first() {
    let mut capture = capture();
    let note = |capture: &mut Capture<'_>| {
        let value = capture.event(
            "RTCPeerConnection",
            "track",
            &json!({"note": "for amanda.brown", "streamId": "0a9b8c7d-0000-1111-2222-333344445555"}),
        );
        let read = capture.property("RTCPeerConnection", "localDescription", &json!({"type": "offer", "sdp": SDP}));
        let text = || "for amanda.brown".to_owned();
        let sdp = format!("{SDP}a=x:amanda.brown\r\n");
        let peer = |did| What::Peer { peer: 1, did };
        vec![
            What::Emitted { handle: "pc-1".into(), kind: "track".into(), value, known: true },
            What::Read {
                handle: "pc-1".into(),
                name: "localDescription".into(),
                value: Some(read),
                refused: None,
                polls: 1,
            },
            What::Read { handle: "pc-1".into(), name: "x".into(), value: None, refused: Some(text()), polls: 1 },
            What::Listened { handle: "pc-1".into(), kind: "x".into(), refused: Some(text()) },
            What::Awaited {
                end: End::Target,
                what: Await::Event,
                of: String::new(),
                met: false,
                waited_ms: 1,
                instead: text(),
            },
            peer(PeerDid::Description { local: false, kind: "offer".into(), sdp, refused: Some(text()) }),
            peer(PeerDid::Candidate { local: false, candidate: text(), refused: Some(text()) }),
            peer(PeerDid::Failed { method: "x".into(), why: text() }),
        ]
    };
    let events = note(&mut capture).into_iter().map(|what| Event { at_us: 0, late: false, what }).collect();
    let mut transcript = Transcript { scenario: "x".into(), session: 1, referee: None, events, ended: Ended::Driven };
    let request = json!({});
    let call = CallContext { method: "RTCPeerConnection.close", request: &request, subject: None };
    capture.settlement(call, Via::Reject, &json!({"realName": "amanda.brown"}));
    capture.rescrub(&mut transcript);
    let text = serde_json::to_string(&transcript).unwrap();
    assert!(!text.contains("amanda"), "{text}");
    assert!(text.contains("0a9b8c7d-0000-1111-2222-333344445555"), "{text}");
    assert!(text.contains(&serde_json::to_string(SDP).unwrap().trim_matches('"').to_owned()), "{text}");
}

#[test]
fn revealed_sdp_is_whole_and_steers_no_terminal() {
    let mut capture = Capture::new(Catalog::embedded().unwrap(), true);
    let sdp = format!("{SDP}s=13800138000 \u{1b}[31m\r\n");
    let kept = capture.request("RTCPeerConnection.setLocalDescription", &json!({"type": "offer", "sdp": sdp}));
    assert_eq!(kept.value["sdp"], format!("{SDP}s=13800138000 \\u{{1b}}[31m\r\n"));
}
