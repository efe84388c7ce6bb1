use fincert_schemas::catalog::Catalog;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rtc::sdp::tests::OFFER;

fn settled(task: &Task) -> &Value {
    match task {
        Task::Settle(settlement) => settlement.value.as_ref().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn statically(name: &str, argument: Value) -> Task {
    of_static(&format!("ft.webrtc.mediaDevices.{name}"), &[Some(argument)], None)
}

#[test]
fn canned_values_keep_to_their_tables() {
    let catalog = Catalog::embedded().unwrap();
    for name in ["enumerateDevices", "getSupportedConstraints"] {
        let task = statically(name, Value::Null);
        let table = catalog.table(&format!("webrtc/{name}.result.json")).unwrap();
        assert!(catalog.check(table, settled(&task)).is_empty(), "{name}");
    }
    let denied = of_static(STATICS[3], &[Some(json!({"audio": true}))], Some(DENIED));
    assert_eq!(denied.exception(), Some("NotAllowedError"));
}

#[test]
fn a_stream_has_what_was_asked_for() {
    for (wish, audio, video) in [
        (json!({"audio": true, "video": true}), 1, 1),
        (json!({"audio": true}), 1, 0),
        (json!({"audio": false, "video": {"width": 1}}), 0, 1),
    ] {
        assert_eq!(statically("getUserMedia", wish), Task::UserMedia { audio, video });
    }
    for wish in [json!({}), json!({"audio": false, "video": null}), json!({"audio": 1}), json!("x"), Value::Null] {
        assert_eq!(statically("getUserMedia", wish).exception(), Some("TypeError"));
    }
}

#[test]
fn options_of_an_offer_default_to_false_and_take_numbers() {
    let offer = |options: Option<Value>| of_connection("createOffer", &[options], &Standing::default());
    assert_eq!(offer(None), Task::CreateOffer(OfferOptions::default()));
    let numbers = json!({"offerToReceiveAudio": 1, "offerToReceiveVideo": 0, "voiceActivityDetection": false});
    let wanted = OfferOptions { ice_restart: false, receive: vec![MediaKind::Audio] };
    assert_eq!(offer(Some(numbers)), Task::CreateOffer(wanted));
    let all = json!({"iceRestart": true, "offerToReceiveAudio": true, "offerToReceiveVideo": true});
    let wanted = OfferOptions { ice_restart: true, receive: vec![MediaKind::Audio, MediaKind::Video] };
    assert_eq!(offer(Some(all)), Task::CreateOffer(wanted));
    for wrong in [json!("x"), json!({"iceRestart": "yes"}), json!([1])] {
        assert_eq!(offer(Some(wrong)).exception(), Some("TypeError"));
    }
}

#[test]
fn a_local_description_is_the_one_that_was_made_whatever_was_told_of_it() {
    let truly = Description { kind: SdpKind::Offer, sdp: OFFER.to_owned() };
    let made = [(json!("told as a text"), truly.clone())];
    let set = |given: Value, signaling: &str| {
        let standing = Standing { signaling, made: &made, ..Standing::default() };
        of_connection("setLocalDescription", &[Some(given)], &standing)
    };
    assert_eq!(set(json!("told as a text"), "stable"), Task::SetLocal(truly.clone()));
    assert_eq!(set(told(&truly), "stable"), Task::SetLocal(truly.clone()));
    assert_eq!(set(told(&truly), "have-remote-offer").exception(), Some("InvalidStateError"));
    let other = json!({"type": "offer", "sdp": OFFER.replace("opus", "pcmu")});
    assert_eq!(set(other, "stable").exception(), Some("InvalidModificationError"));
    assert_eq!(set(json!({"type": "offer", "sdp": "x"}), "stable").exception(), Some("OperationError"));
    let back = Task::SetLocal(Description { kind: SdpKind::Rollback, sdp: String::new() });
    assert_eq!(set(json!({"type": "rollback"}), "have-local-offer"), back);
}

#[test]
fn where_a_connection_stands_decides() {
    let call = |name: &str, argument: Value, standing: &Standing<'_>| of_connection(name, &[Some(argument)], standing);
    let closed = Standing { closed: true, ..Standing::default() };
    assert_eq!(call("close", Value::Null, &closed), Task::resolve_undefined());
    for name in ["createOffer", "createAnswer", "addTrack", "getConfiguration", "setRemoteDescription"] {
        assert_eq!(call(name, json!({}), &closed).exception(), Some("InvalidStateError"), "{name}");
    }
    let stable = Standing { signaling: "stable", ..Standing::default() };
    assert_eq!(call("createAnswer", json!({}), &stable).exception(), Some("InvalidStateError"));
    let answer = json!({"type": "answer", "sdp": OFFER});
    assert_eq!(call("setRemoteDescription", answer, &stable).exception(), Some("InvalidStateError"));
    // Both ends offer: the own offer is taken back.
    let waiting = Standing { signaling: "have-local-offer", ..Standing::default() };
    let offer = json!({"type": "offer", "sdp": OFFER});
    assert!(matches!(call("setRemoteDescription", offer, &waiting), Task::SetRemote(_)));
    let candidate = json!({"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0"});
    assert_eq!(call("addIceCandidate", candidate.clone(), &stable).exception(), Some("InvalidStateError"));
    let described = Standing { remote: Some(OFFER), ..Standing::default() };
    assert!(matches!(call("addIceCandidate", candidate, &described), Task::AddCandidate(Some(_))));
    assert_eq!(call("addIceCandidate", json!({}), &described), Task::AddCandidate(None));
    let kind_of = |handle: &str| (handle == "track-1").then_some(MediaKind::Audio);
    let added = ["track-2".to_owned()];
    let tracks = Standing { kind_of: Some(&kind_of), added: &added, ..Standing::default() };
    let add = |handle: &str| call("addTrack", json!({"$handle": handle}), &tracks);
    assert_eq!(add("track-1"), Task::AddTrack("track-1".to_owned(), MediaKind::Audio));
    assert_eq!(add("stream-1").exception(), Some("TypeError"));
}

proptest! {
    /// Whatever a page sends, there is a decision, and a refusal repeats nothing of it.
    #[test]
    fn no_argument_panics(text in "[ -~]{0,40}", number in any::<f64>(), which in 0..14_usize) {
        let secret = format!("SECRET{text}");
        let values = [
            json!(secret), json!(number), json!({"sdp": secret, "type": secret}), json!({"type": "offer", "sdp": secret}),
            json!({"candidate": secret, "sdpMid": secret}), json!({"$handle": secret}), json!({"iceRestart": secret}),
            json!({"iceServers": [{"urls": secret, "username": secret}]}), json!({"iceTransportPolicy": secret}),
        ];
        for value in values {
            let args = [Some(value)];
            let task = match STATICS.get(which) {
                Some(name) => of_static(name, &args, None),
                None => {
                    let name = METHODS[which - STATICS.len()].rsplit('.').next().unwrap();
                    of_connection(name, &args, &Standing { signaling: "have-local-offer", remote: Some(OFFER), ..Standing::default() })
                }
            };
            if task.is_rejection() {
                prop_assert!(!settled(&task).to_string().contains("SECRET"));
            }
        }
    }
}
