//! The two ends connect, in every kind of call.

use fincert_schemas::bridge::Via;
use fincert_schemas::run::Outcome;
use fincert_schemas::run::What;
use fincert_schemas::run::flow::{Act, Await, Candidates, End, Flow, FlowOptions, MediaKind, Network, PeerDid};
use serde_json::{Value, json};

use crate::play::{Play, fincert_offers, target_offers};
use crate::tape::Tape;

fn with(change: impl FnOnce(&mut FlowOptions)) -> FlowOptions {
    let mut options = FlowOptions::default();
    change(&mut options);
    options
}

/// A call whose ICE never comes up.
fn unconnected(with: FlowOptions) -> Tape {
    let mut play = Play::begun(Tape::new(Flow::Call, &with), with.clone(), 1);
    play.exchange(with.offerer, Value::Null);
    play.candidates();
    play.tape.peer(1, PeerDid::Ice { state: "checking".to_owned() });
    play.tape.wait(End::Fincert, Await::PeerConnected, "", false);
    play.tape
}

#[test]
fn calls_of_both_offerers_connect() {
    target_offers().tape.assert_holds(&["webrtc.call.target-offers", "webrtc.call.candidates-by-event"]);
    fincert_offers().tape.assert_holds(&["webrtc.call.fincert-offers", "webrtc.call.candidates-by-event"]);
    target_offers().tape.assert_silent(&["webrtc.call.fincert-offers", "webrtc.call.audio-only", "webrtc.media.sent"]);
}

#[test]
fn a_call_that_does_not_connect_is_one_cause_and_nothing_follows_from_it() {
    let tape = unconnected(FlowOptions::default());
    tape.assert_broken(&["webrtc.call.target-offers", "webrtc.call.candidates-by-event"]);
    assert!(tape.findings().iter().all(|finding| finding.cause == "webrtc:not-connected"));
    tape.assert_silent(&["webrtc.media.sent", "webrtc.media.received", "webrtc.pc.ice-connection-state.order"]);
    insta::assert_snapshot!(tape.findings()[0].actual, @"at fincert's end, in setting up the call: the connection, ICE and DTLS, did not come within 8000 ms; instead: something else");
}

#[test]
fn what_candidates_have_to_do_with_it_is_told() {
    let hint = |tape: &Tape| tape.findings()[0].hint.clone().unwrap().en;
    let none = unconnected(FlowOptions::default()).edit(|what| {
        !matches!(what, What::Emitted { kind, .. } if kind == "icecandidate")
            && !matches!(what, What::Peer { did: PeerDid::Candidate { local: false, .. }, .. })
    });
    assert_eq!(hint(&none), "No candidate of the target came: no icecandidate event brought one that can be used.");
    let mut refused = unconnected(FlowOptions::default());
    let last = refused.events.iter().rposition(|event| matches!(event.what, What::Answer { .. })).unwrap();
    if let What::Answer { via, value, .. } = &mut refused.events[last].what {
        let error = json!({"name": "OperationError", "message": "no such mid"});
        (*via, *value) = (Via::Reject, Some(fincert_schemas::run::Captured { value: error, facts: Vec::new() }));
    }
    insta::assert_snapshot!(hint(&refused), @"addIceCandidate did not take fincert's candidate: reject: OperationError: no such mid.");
    assert!(unconnected(FlowOptions::default()).findings()[0].hint.is_none());
}

#[test]
fn candidates_that_fincert_may_not_use_condemn_nobody() {
    let tape = unconnected(FlowOptions::default()).edit(|what| {
        if let What::Peer { did: PeerDid::Candidate { local: false, refused, .. }, .. } = what {
            *refused = Some("blocked: the address 192.0.2.1 is not allowed".to_owned());
        }
        true
    });
    let found = tape.findings();
    assert!(found.iter().all(|finding| finding.outcome == Outcome::Inconclusive), "{found:#?}");
    assert!(found[0].hint.clone().unwrap().en.contains("--allow-network"));
}

#[test]
fn dtls_that_fails_is_no_fault_of_the_candidates() {
    let mut tape = unconnected(FlowOptions { offerer: End::Fincert, ..FlowOptions::default() });
    tape.events.iter_mut().for_each(|event| {
        if let What::Peer { did: PeerDid::Ice { state }, .. } = &mut event.what {
            *state = "connected".to_owned();
        }
    });
    let tape = tape.edit_target_sdp(|sdp, _| sdp.replace("a=setup:active", "a=setup:actpass"));
    tape.assert_broken(&["webrtc.call.fincert-offers", "webrtc.sdp.setup"]);
    let hint = tape.findings()[0].hint.clone().unwrap();
    insta::assert_snapshot!(hint.en, @"ICE is connected and DTLS is not: the answer's a=setup is actpass; it should be active or passive.");
}

#[test]
fn a_method_that_fails_keeps_the_call_from_coming_up() {
    let with = FlowOptions::default();
    for (answer, cause) in [
        (Some((Via::Reject, json!({"name": "InvalidStateError", "message": "no"}))), "webrtc:createOffer:reject"),
        (Some((Via::Resolve, json!({"type": "offer"}))), "webrtc:createOffer:no-description"),
        (None, "webrtc:createOffer:no-answer"),
    ] {
        let mut play = Play::begun(Tape::new(Flow::Call, &with), with.clone(), 1);
        play.tape.call(Some("pc-1"), "RTCPeerConnection.createOffer", json!({}), answer);
        play.tape.assert_broken(&["webrtc.call.target-offers"]);
        assert_eq!(play.tape.findings()[0].cause, cause);
    }
}

#[test]
fn a_description_that_the_peer_refuses_keeps_the_call_from_coming_up() {
    let tape = fincert_offers().tape.edit(|what| {
        if let What::Peer { did: PeerDid::Description { local: false, refused, .. }, .. } = what {
            *refused = Some("no fingerprint".to_owned());
        }
        true
    });
    assert!(tape.broken().contains(&"webrtc.call.fincert-offers".to_owned()));
    assert_eq!(tape.findings()[0].cause, "webrtc:answer-refused-by-peer");
}

#[test]
fn a_peer_that_fails_condemns_nobody() {
    let with = FlowOptions { offerer: End::Fincert, ..FlowOptions::default() };
    let mut play = Play::begun(Tape::new(Flow::Call, &with), with, 1);
    play.tape.peer(1, PeerDid::Failed { method: "offer".to_owned(), why: "out of memory".to_owned() });
    assert_eq!(play.tape.outcome("webrtc.call.fincert-offers"), Some(Outcome::Inconclusive));
}

#[test]
fn a_target_that_denies_the_connection_is_believed_and_a_silent_one_is_not_accused() {
    let denies = |state: &'static str| {
        target_offers().tape.unmet(Await::TargetConnected, "").edit(move |what| {
            if let What::Read { name, value: Some(captured), .. } = what
                && name.ends_with("onectionState")
            {
                captured.value = json!(state);
            }
            true
        })
    };
    assert!(denies("failed").broken().contains(&"webrtc.call.target-offers".to_owned()));
    assert!(denies("new").holds("webrtc.call.target-offers"));
}

#[test]
fn candidates_travel_in_every_way() {
    for (candidates, requirement) in [
        (Candidates::InDescription, "webrtc.call.no-trickle"),
        (Candidates::Late, "webrtc.candidate.late"),
        (Candidates::Duplicate, "webrtc.candidate.duplicate"),
    ] {
        let with = with(|with| with.candidates = candidates);
        Play::up(with.clone()).tape.assert_holds(&[requirement]);
        unconnected(with).assert_broken(&[requirement]);
    }
    let ipv6 = with(|with| with.network = Network::Ipv6);
    Play::up(ipv6.clone()).tape.assert_holds(&["webrtc.ice.ipv6"]);
    unconnected(ipv6.clone()).assert_broken(&["webrtc.ice.ipv6"]);
    // A host without IPv6 is not accused.
    let without = unconnected(ipv6).edit(|what| !matches!(what, What::Peer { did: PeerDid::Candidate { .. }, .. }));
    without.assert_broken(&[]);
}

#[test]
fn a_target_on_fincert_s_own_machine_has_ipv6() {
    let ipv6 = with(|with| with.network = Network::Ipv6);
    let only_ipv4 = unconnected(ipv6).edit(|what| {
        if let What::Peer { did: PeerDid::Candidate { local: false, candidate, .. }, .. } = what {
            *candidate = "candidate:1 1 udp 2122260223 127.0.0.1 50000 typ host".to_owned();
        }
        true
    });
    only_ipv4.assert_broken(&["webrtc.ice.ipv6"]);
}

#[test]
fn late_and_double_candidates_are_accepted() {
    for (candidates, requirement) in
        [(Candidates::Late, "webrtc.candidate.late"), (Candidates::Duplicate, "webrtc.candidate.duplicate")]
    {
        let mut tape = Play::up(with(|with| with.candidates = candidates)).tape;
        let init = json!({"candidate": "candidate:2 1 udp 2130706431 192.0.2.2 60000 typ host", "sdpMid": "0"});
        let no = Some((Via::Reject, json!({"name": "OperationError"})));
        tape.call(Some("pc-1"), "RTCPeerConnection.addIceCandidate", init, no);
        tape.assert_broken(&[requirement]);
    }
    // Elsewhere a candidate that is refused and not needed is for the check of the method.
    let mut tape = target_offers().tape;
    tape.call(Some("pc-1"), "RTCPeerConnection.addIceCandidate", json!({}), Some((Via::Reject, json!({}))));
    tape.assert_broken(&[]);
}

#[test]
fn what_a_renegotiation_loses_is_its_own_fault_and_what_never_was_is_the_call_s() {
    let swap = || target_offers().act(Act::FincertRenegotiates).act(Act::Media).tape;
    swap().unmet(Await::Rtp, "audio").assert_broken(&["webrtc.call.offerer-swap"]);
    swap().unmet(Await::ReceiverReport, "audio").assert_broken(&["webrtc.call.offerer-swap"]);
    let never = swap().unmet(Await::Rtp, "video").edit_counters(|_, evidence| {
        evidence.received.retain(|stream| stream.kind == Some(MediaKind::Audio));
    });
    never.assert_broken(&["webrtc.media.sent"]);
    let unheard = swap().unmet(Await::ReceiverReport, "video").edit_counters(|_, evidence| {
        evidence.sent.iter_mut().filter(|sent| sent.kind == MediaKind::Video).for_each(|sent| sent.reports = 0);
    });
    unheard.assert_broken(&["webrtc.media.received"]);
}

/// fincert's candidates between its offer and the target's answer.
fn early(answer: Option<(Via, Value)>) -> Tape {
    let with = with(|with| (with.candidates, with.offerer) = (Candidates::Early, End::Fincert));
    let tape = Play::up(with).tape;
    let set = tape
        .events
        .iter()
        .position(|event| matches!(&event.what, What::Call { method, .. } if method.ends_with("createAnswer")));
    let (head, tail) = tape.events.split_at(set.unwrap());
    let mut early = tape.clone();
    early.events = head.to_vec();
    let init = json!({"candidate": "candidate:2 1 udp 2130706431 192.0.2.2 60000 typ host", "sdpMid": "0"});
    early.call_for(Some("pc-1"), "RTCPeerConnection.addIceCandidate", init, answer, Some("candidate-early"));
    early.events.extend_from_slice(tail);
    early
}

#[test]
fn early_candidates_are_accepted() {
    early(Some((Via::Resolve, Value::Null))).assert_holds(&["webrtc.candidate.early"]);
    early(Some((Via::Reject, json!({"name": "InvalidStateError"})))).assert_broken(&["webrtc.candidate.early"]);
}

#[test]
fn a_trickling_call_whose_candidates_are_in_the_descriptions_shows_nothing_of_events() {
    let tape = target_offers()
        .tape
        .edit_own_sdp(|sdp| sdp.replacen("a=mid:0", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=mid:0", 1));
    tape.assert_silent(&["webrtc.call.candidates-by-event"]);
}

#[test]
fn calls_of_one_kind_connect_and_carry_it() {
    for (kind, requirement) in
        [(MediaKind::Audio, "webrtc.call.audio-only"), (MediaKind::Video, "webrtc.call.video-only")]
    {
        let with = with(|with| (with.target_sends, with.fincert_sends) = (vec![kind], vec![kind]));
        let tape = Play::up(with.clone()).act(Act::Media).tape;
        tape.assert_holds(&[requirement, "webrtc.media.sent", "webrtc.media.received"]);
        let lacking = tape.unmet(Await::Rtp, kind.as_str());
        lacking.assert_broken(&[requirement, "webrtc.media.sent"]);
        unconnected(with).assert_broken(&[requirement, "webrtc.call.candidates-by-event"]);
    }
}

#[test]
fn a_target_that_only_receives_is_reported_on() {
    let with = with(|with| (with.target_sends, with.offer_to_receive) = (Vec::new(), with.fincert_sends.clone()));
    let tape = Play::up(with).act(Act::Media).tape;
    tape.assert_holds(&["webrtc.call.receive-only", "webrtc.media.received"]);
    tape.unmet(Await::ReceiverReport, "video").assert_broken(&["webrtc.call.receive-only", "webrtc.media.received"]);
}

/// Two calls, and the media of both.
fn two() -> Tape {
    let with = FlowOptions::default();
    let mut first = Play::on(Tape::new(Flow::TwoCalls, &with), with.clone(), 1);
    let mut second = Play::on(first.tape.clone(), FlowOptions { offerer: End::Fincert, ..with }, 2);
    first.tape = second.tape.clone();
    first.tape.act(Act::Media);
    first.media_waits();
    second.tape = first.tape;
    second.media_waits();
    second.tape
}

#[test]
fn two_connections_stand_beside_each_other() {
    let tape = two();
    tape.assert_holds(&["webrtc.call.two-connections", "webrtc.media.sent", "webrtc.media.received"]);
    // The wait for the second call's video alone fails.
    let mut videos = 0;
    let lacking = tape.edit(|what| {
        if let What::Awaited { what: Await::Rtp, of, met, .. } = what
            && of == "video"
        {
            videos += 1;
            *met = videos == 1;
        }
        true
    });
    lacking.assert_broken(&["webrtc.call.two-connections", "webrtc.media.sent"]);
}

#[test]
fn renegotiations_leave_the_call_as_it_was() {
    let swap = || target_offers().act(Act::FincertRenegotiates).act(Act::Media).tape;
    swap().assert_holds(&["webrtc.call.offerer-swap", "webrtc.dtls.roles-kept", "webrtc.sdp.mids"]);
    let back = fincert_offers().act(Act::TargetRenegotiates).act(Act::Media).tape;
    back.assert_holds(&["webrtc.call.offerer-swap", "webrtc.dtls.roles-kept", "webrtc.pc.create-offer.ice-restart"]);
    let ten = || target_offers().act(Act::TenRenegotiations).act(Act::Media).tape;
    ten().assert_holds(&["webrtc.call.ten-renegotiations"]);
    // The last of the waits for a connection fails.
    let lost = |tape: Tape| {
        let waits = tape.events.iter().filter(|e| matches!(e.what, What::Awaited { what: Await::PeerConnected, .. }));
        let last = waits.count();
        let mut seen = 0;
        tape.edit(|what| {
            if let What::Awaited { what: Await::PeerConnected, met, .. } = what {
                seen += 1;
                *met = seen < last;
            }
            true
        })
    };
    lost(swap()).assert_broken(&["webrtc.call.offerer-swap"]);
    lost(ten()).assert_broken(&["webrtc.call.ten-renegotiations"]);
    // The same offerer again is no swap.
    target_offers().act(Act::TargetRenegotiates).tape.assert_silent(&["webrtc.call.offerer-swap"]);
}

/// Both ends offer; the target settles fincert's offer in some way, and what follows works or not.
fn glare(crossed: Option<(Via, Value)>, later: Option<(Via, Value)>) -> Tape {
    let mut tape = Tape::new(Flow::Glare, &FlowOptions::default());
    let pc = Some("pc-1");
    tape.resolves(None, "ft.webrtc.createRTCPeerConnection", json!({}), json!({"$handle": "pc-1"}));
    tape.resolves(pc, "RTCPeerConnection.createOffer", json!({}), json!({"type": "offer"}));
    tape.resolves(pc, "RTCPeerConnection.setLocalDescription", json!({"type": "offer"}), Value::Null);
    let offer = json!({"type": "offer"});
    tape.call_for(pc, "RTCPeerConnection.setRemoteDescription", offer, crossed, Some("glare"));
    tape.call(pc, "RTCPeerConnection.setRemoteDescription", json!({"type": "answer"}), later);
    tape
}

#[test]
fn glare_is_settled_either_way() {
    let ok = || Some((Via::Resolve, Value::Null));
    let no = || Some((Via::Reject, json!({"name": "InvalidStateError"})));
    glare(ok(), ok()).assert_holds(&["webrtc.call.glare"]);
    glare(no(), ok()).assert_holds(&["webrtc.call.glare"]);
    glare(None, ok()).assert_broken(&["webrtc.call.glare"]);
    glare(no(), no()).assert_broken(&["webrtc.call.glare"]);
}

#[test]
fn fincert_closing_is_noticed() {
    let tape = target_offers().act(Act::FincertCloses).tape;
    tape.assert_holds(&["webrtc.call.fincert-closes"]);
    tape.unmet(Await::TargetDisconnected, "").assert_broken(&["webrtc.call.fincert-closes"]);
}
