//! States of ICE, restarts, and relaying.

use fincert_schemas::run::What;
use fincert_schemas::run::flow::{Act, Await, End, Flow, FlowOptions, Network, PeerDid};
use serde_json::{Value, json};

use crate::play::{Play, fincert_offers, target_offers};
use crate::tape::Tape;

#[test]
fn states_go_forward() {
    target_offers().tape.assert_holds(&["webrtc.pc.ice-connection-state", "webrtc.pc.ice-connection-state.order"]);
    let mut back = target_offers();
    back.states(&["checking"]);
    back.tape.assert_broken(&["webrtc.pc.ice-connection-state.order"]);
    assert_eq!(back.tape.findings()[0].actual, "connected, then checking, without a restart of ICE");
    let mut lost = target_offers();
    lost.states(&["disconnected", "connected", "completed"]);
    lost.tape.assert_holds(&["webrtc.pc.ice-connection-state.order"]);
    // A checking that was too short to be seen is no fault.
    let mut first = true;
    let skipped = target_offers().tape.edit(|what| {
        let checking = matches!(what, What::Emitted { kind, .. } if kind == "iceconnectionstatechange") && first;
        first &= !checking;
        !checking
    });
    skipped.assert_holds(&["webrtc.pc.ice-connection-state.order"]);
}

#[test]
fn a_restart_may_take_the_state_back() {
    let mut play = target_offers().act(Act::Media).act(Act::TargetRestartsIce);
    play.states(&["checking", "connected"]);
    play.tape.assert_holds(&["webrtc.pc.ice-connection-state.order"]);
}

#[test]
fn a_frozen_state_is_the_property_s_fault_alone() {
    let frozen = target_offers().tape.edit(|what| {
        if let What::Read { name, value: Some(captured), .. } = what
            && name == "iceConnectionState"
        {
            captured.value = json!("new");
        }
        true
    });
    frozen.assert_broken(&["webrtc.pc.ice-connection-state"]);
}

#[test]
fn a_peer_that_vanishes_is_noticed() {
    const NOTICED: &str = "webrtc.pc.ice-connection-state.peer-vanishes";
    const GIVEN_UP: &str = "webrtc.pc.ice-connection-state.gives-up";
    let tape = target_offers().act(Act::FincertVanishes).tape;
    tape.assert_holds(&[NOTICED, GIVEN_UP]);
    tape.clone().unmet(Await::TargetDisconnected, "").assert_broken(&[NOTICED]);
    let never = tape.unmet(Await::TargetFailed, "");
    never.assert_broken(&[GIVEN_UP]);
    insta::assert_snapshot!(never.findings()[0].actual, @"at the target, in the act fincert-vanishes: iceConnectionState failed did not come within 8000 ms; instead: nothing of the kind; states told by event: disconnected, failed");
}

#[test]
fn the_target_restarts_ice() {
    let tape = || target_offers().act(Act::Media).act(Act::TargetRestartsIce).tape;
    tape().assert_holds(&["webrtc.pc.create-offer.ice-restart", "webrtc.ice.restart-keeps-media"]);
    for (from, to, cause) in [("new", "", "webrtc:iceRestart:ignored"), ("abcdnew", "abcd", "webrtc:iceRestart:half")] {
        let same = tape().edit_target_sdp(|sdp, _| sdp.replace(from, to));
        same.assert_broken(&["webrtc.pc.create-offer.ice-restart"]);
        assert_eq!(same.findings()[0].cause, cause);
        // What did not begin afresh says nothing of media that survives it.
        same.assert_silent(&["webrtc.ice.restart-keeps-media"]);
    }
    tape().unmet_last(Await::Rtp, "audio").assert_broken(&["webrtc.ice.restart-keeps-media"]);
}

#[test]
fn credentials_stay_without_a_restart() {
    let tape = target_offers().act(Act::TargetRenegotiates).tape;
    tape.assert_holds(&["webrtc.pc.create-offer.ice-restart"]);
    let mut offers = 0;
    let changed = tape.edit_target_sdp(|sdp, _| {
        offers += 1;
        if offers == 2 { sdp.replace("a=ice-ufrag:", "a=ice-ufrag:x") } else { sdp.to_owned() }
    });
    changed.assert_broken(&["webrtc.pc.create-offer.ice-restart"]);
    assert_eq!(changed.findings()[0].cause, "webrtc:iceRestart:unasked");
    target_offers().tape.assert_silent(&["webrtc.pc.create-offer.ice-restart"]);
}

#[test]
fn a_restart_that_was_offered_and_not_put_in_force_leaves_the_next_offer_free() {
    let mut play = target_offers();
    let again = |tape: &mut Tape, options: Value, ufrag: &str| {
        let sdp = tape.events.iter().rev().find_map(|event| match &event.what {
            What::Answer { value: Some(captured), .. } => captured.value["sdp"].as_str().map(str::to_owned),
            _ => None,
        });
        let sdp = sdp.unwrap().replace("IP4 127.0.0.1", "IP4 0.0.0.0").replace(" 2 IN", " 3 IN");
        let sdp = sdp.replace("ice-ufrag:u1234", ufrag).replace("ice-pwd:0123", "ice-pwd:3210");
        tape.resolves(Some("pc-1"), "RTCPeerConnection.createOffer", options, json!({"type": "offer", "sdp": sdp}));
    };
    again(&mut play.tape, json!({"iceRestart": true}), "ice-ufrag:restarted");
    again(&mut play.tape, json!({}), "ice-ufrag:restarted");
    play.tape.assert_holds(&["webrtc.pc.create-offer.ice-restart"]);
}

#[test]
fn the_target_answers_a_restart() {
    let tape = || fincert_offers().act(Act::Media).act(Act::FincertRestartsIce).tape;
    tape().assert_holds(&["webrtc.ice.restart-answered", "webrtc.ice.restart-keeps-media"]);
    let old = tape().edit_target_sdp(|sdp, _| sdp.replace("new", ""));
    old.assert_broken(&["webrtc.ice.restart-answered"]);
    // Where fincert did not restart, nothing was asked.
    tape().edit_own_sdp(|sdp| sdp.replace("new", "")).assert_silent(&["webrtc.ice.restart-answered"]);
}

/// A call over TURN alone.
fn relayed() -> Tape {
    let with = FlowOptions { network: Network::Relay, ..FlowOptions::default() };
    let mut play = Play::begun(Tape::new(Flow::Call, &with), with, 1);
    play.exchange(End::Target, Value::Null);
    play.candidates();
    play.tape.wait(End::Target, Await::RelayCandidate, "", true);
    play.connects();
    play.tape.turn(1, 1, 5_000);
    let mut play = play.act(Act::Media);
    play.tape.turn(1, 1, 40_000);
    play.tape
}

#[test]
fn relayed_media_passes_the_turn_server() {
    relayed().assert_holds(&["webrtc.ice.relay-only", "webrtc.ice.relayed-media", "webrtc.media.sent"]);
    relayed().assert_silent(&["webrtc.call.target-offers", "webrtc.call.candidates-by-event"]);
    let past = relayed().edit(|what| {
        if let What::Turn { evidence } = what {
            evidence.relayed_bytes = 120;
        }
        true
    });
    past.assert_broken(&["webrtc.ice.relayed-media"]);
    // A server that does not tell: the pair does.
    let silent = relayed().edit(|what| !matches!(what, What::Turn { .. }));
    silent.assert_holds(&["webrtc.ice.relayed-media"]);
    let reflexive = |at: &'static str| {
        silent.clone().edit_counters(move |_, evidence| {
            if let Some(pair) = &mut evidence.pair {
                pair.remote = format!("prflx {at}");
            }
        })
    };
    reflexive("198.51.100.7:40000").assert_holds(&["webrtc.ice.relayed-media"]);
    reflexive("192.0.2.1:50000").assert_broken(&["webrtc.ice.relayed-media"]);
}

#[test]
fn a_policy_that_is_ignored_and_a_relay_that_never_comes() {
    let mut ignored = relayed();
    let host = json!({"candidate": "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host", "sdpMid": "0"});
    ignored.emit("pc-1", "icecandidate", json!({"candidate": host}));
    // `{}` came before it, so it stood between two candidates.
    let ignored =
        ignored.edit(|what| !matches!(what, What::Emitted { value, .. } if value.value == json!({"candidate": {}})));
    ignored.assert_broken(&["webrtc.ice.relay-only"]);
    let with = FlowOptions { network: Network::Relay, ..FlowOptions::default() };
    let mut play = Play::begun(Tape::new(Flow::Call, &with), with, 1);
    play.exchange(End::Target, Value::Null);
    play.tape.wait(End::Target, Await::RelayCandidate, "", false);
    play.tape.wait(End::Fincert, Await::PeerConnected, "", false);
    play.tape.turn(0, 3, 0);
    play.tape.assert_broken(&["webrtc.ice.relayed-media"]);
    let finding = &play.tape.findings()[0];
    assert_eq!(finding.cause, "webrtc:no-relay-candidate");
    assert!(finding.hint.clone().unwrap().en.starts_with("The TURN server refused the credentials"));
}

/// A call whose TURN credential is wrong.
fn wrong_credential(refused: u32, relay: bool) -> Tape {
    let with = FlowOptions { network: Network::RelayWrongCredential, ..FlowOptions::default() };
    let mut play = Play::begun(Tape::new(Flow::Call, &with), with, 1);
    play.exchange(End::Target, Value::Null);
    if relay {
        let text = "candidate:7 1 udp 16777215 198.51.100.7 40000 typ relay raddr 0.0.0.0 rport 9";
        play.tape.emit("pc-1", "icecandidate", json!({"candidate": {"candidate": text, "sdpMid": "0"}}));
    }
    play.tape.wait(End::Target, Await::Gathered, "", true);
    play.tape.turn(0, refused, 0);
    play.tape
}

#[test]
fn a_wrong_credential_gives_no_relay_candidate() {
    const REQUIREMENT: &str = "webrtc.ice.wrong-turn-credential";
    wrong_credential(2, false).assert_holds(&[REQUIREMENT]);
    wrong_credential(2, true).assert_broken(&[REQUIREMENT]);
    // A target that never asked shows nothing.
    wrong_credential(0, false).assert_silent(&[REQUIREMENT]);
}

#[test]
fn a_call_that_never_came_up_says_nothing_of_ice_states() {
    let with = FlowOptions::default();
    let mut play = Play::begun(Tape::new(Flow::Call, &with), with, 1);
    play.exchange(End::Target, Value::Null);
    play.states(&["checking", "failed"]);
    play.tape.peer(1, PeerDid::Ice { state: "failed".to_owned() });
    play.tape.wait(End::Fincert, Await::PeerConnected, "", false);
    play.tape.assert_silent(&["webrtc.pc.ice-connection-state.order", "webrtc.pc.ice-connection-state"]);
}
