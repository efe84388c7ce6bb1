//! Session descriptions, by themselves and beside each other.

use fincert_schemas::bridge::Via;
use fincert_schemas::run::flow::{Act, End, Flow, FlowOptions, MediaKind, PeerDid};
use serde_json::{Value, json};

use crate::play::{Play, fincert_offers, target_offers};
use crate::sdp::{Described, media};
use crate::tape::Tape;

#[test]
fn good_descriptions_hold() {
    let all = [
        "webrtc.sdp.form",
        "webrtc.sdp.profile",
        "webrtc.sdp.ice-credentials",
        "webrtc.sdp.fingerprint",
        "webrtc.sdp.bundle",
        "webrtc.sdp.rtcp-mux",
        "webrtc.sdp.msid",
    ];
    target_offers().tape.assert_holds(&all);
    fincert_offers().tape.assert_holds(&all);
    target_offers().tape.assert_holds(&["webrtc.sdp.codecs"]);
    fincert_offers().tape.assert_holds(&["webrtc.sdp.answer-order"]);
    fincert_offers().tape.assert_silent(&["webrtc.sdp.codecs", "webrtc.sdp.origin"]);
}

#[test]
fn what_speaks_of_both_ends_or_of_renegotiations_is_shown_by_them() {
    target_offers().tape.assert_silent(&["webrtc.sdp.setup", "webrtc.sdp.mids"]);
    let both = target_offers().act(Act::FincertRenegotiates).tape;
    both.assert_holds(&["webrtc.sdp.setup", "webrtc.sdp.mids"]);
}

/// Breaks the target's descriptions, and asserts that just these are accused.
#[track_caller]
fn broken(play: Play, from: &str, to: &str, requirements: &[&str]) -> Tape {
    let tape = play.tape.edit_target_sdp(|sdp, _| {
        assert!(sdp.contains(from), "{from} is not in {sdp}");
        sdp.replace(from, to)
    });
    tape.assert_broken(requirements);
    tape
}

#[test]
fn each_fault_accuses_its_own_requirement() {
    let form = broken(target_offers(), "\r\n", "\n", &["webrtc.sdp.form"]);
    insta::assert_snapshot!(form.findings()[0].actual, @"line 1 of the offer: the line ends with LF and not with CRLF");
    broken(target_offers(), "s=-\r\nt=0 0\r\n", "t=0 0\r\ns=-\r\n", &["webrtc.sdp.form"]);
    broken(target_offers(), "UDP/TLS/RTP/SAVPF", "RTP/SAVPF", &["webrtc.sdp.profile"]);
    broken(target_offers(), "a=setup:actpass", "a=setup:active", &["webrtc.sdp.setup"]);
    broken(fincert_offers(), "a=setup:active", "a=setup:actpass", &["webrtc.sdp.setup"]);
    broken(target_offers(), "a=setup:actpass\r\n", "", &["webrtc.sdp.setup"]);
    broken(target_offers(), "a=ice-ufrag:u1234", "a=ice-ufrag:u12", &["webrtc.sdp.ice-credentials"]);
    let short =
        broken(target_offers(), "0123456789012345678901abcd", "012345678901234567890", &["webrtc.sdp.ice-credentials"]);
    assert_eq!(short.findings()[0].actual, "the m-line of audio (line 7 of the offer): a=ice-pwd of 21 characters");
    broken(target_offers(), "a=fingerprint:sha-256", "a=fingerprint:sha-1", &["webrtc.sdp.fingerprint"]);
    broken(target_offers(), "AB:AB:AB", "AB", &["webrtc.sdp.fingerprint"]);
    broken(target_offers(), "a=mid:1", "a=mid:0", &["webrtc.sdp.mids"]);
    broken(target_offers(), "a=group:BUNDLE 0 1", "a=group:BUNDLE 0", &["webrtc.sdp.bundle"]);
    broken(target_offers(), "a=group:BUNDLE 0 1\r\n", "", &["webrtc.sdp.bundle"]);
    broken(target_offers(), "a=rtcp-mux\r\n", "", &["webrtc.sdp.rtcp-mux"]);
    broken(target_offers(), "a=msid:stream-1 track-video\r\n", "", &["webrtc.sdp.msid"]);
    broken(target_offers(), "opus", "PCMU", &["webrtc.sdp.codecs"]);
    broken(target_offers(), "VP8", "VP9", &["webrtc.sdp.codecs"]);
}

#[test]
fn a_section_that_is_bundled_in_an_answer_needs_no_transport_of_its_own() {
    let tape = fincert_offers().tape.edit_target_sdp(|sdp, _| {
        let (head, video) = sdp.split_at(sdp.find("m=video").unwrap());
        let own = ["a=ice-", "a=fingerprint", "a=setup", "a=rtcp-mux"];
        let lines = video.split_inclusive("\r\n").filter(|line| !own.iter().any(|own| line.starts_with(own)));
        format!("{head}{}", lines.collect::<String>())
    });
    tape.assert_holds(&["webrtc.sdp.ice-credentials", "webrtc.sdp.fingerprint", "webrtc.sdp.rtcp-mux"]);
}

#[test]
fn the_o_line_counts_up() {
    let tape = || target_offers().act(Act::TargetRenegotiates).act(Act::FincertRenegotiates).tape;
    tape().assert_holds(&["webrtc.sdp.origin", "webrtc.sdp.mids"]);
    let replaced = |from: &'static str, to: &'static str| {
        tape().edit_target_sdp(move |sdp, kind| if kind == "answer" { sdp.replace(from, to) } else { sdp.to_owned() })
    };
    replaced("o=- 1234567890 4", "o=- 5555555555 4").assert_broken(&["webrtc.sdp.origin"]);
    replaced("o=- 1234567890 4", "o=- 1234567890 2").assert_broken(&["webrtc.sdp.origin"]);
    // The same version is right only for the same text; the answer's setup differs.
    replaced("o=- 1234567890 4", "o=- 1234567890 3").assert_broken(&["webrtc.sdp.origin"]);
    let twice = tape().edit_target_sdp(|sdp, kind| {
        if kind == "offer" { sdp.replace("1234567890 3", "1234567890 2") } else { sdp.to_owned() }
    });
    twice.assert_holds(&["webrtc.sdp.origin"]);
}

#[test]
fn mids_and_the_order_of_m_lines_are_kept() {
    let swapped = fincert_offers().tape.edit_target_sdp(|sdp, _| {
        let (audio, video) = (sdp.find("m=audio").unwrap(), sdp.find("m=video").unwrap());
        format!("{}{}{}", &sdp[..audio], &sdp[video..], &sdp[audio..video])
    });
    let swapped = swapped.edit_candidates(|event| {
        if event["candidate"].get("candidate").is_some() {
            event["candidate"]["sdpMLineIndex"] = json!(1);
        }
    });
    swapped.assert_broken(&["webrtc.sdp.answer-order", "webrtc.sdp.mids"]);
    let mut offers = 0;
    let renamed = target_offers().act(Act::TargetRenegotiates).tape.edit_target_sdp(|sdp, _| {
        offers += 1;
        if offers < 2 {
            return sdp.to_owned();
        }
        sdp.replace("a=mid:1", "a=mid:x").replace("BUNDLE 0 1", "BUNDLE 0 x")
    });
    renamed.assert_broken(&["webrtc.sdp.mids"]);
    insta::assert_snapshot!(renamed.findings()[0].actual, @"m-line 2 of the offer: x");
}

#[test]
fn an_unsupported_codec_is_rejected_by_its_m_line() {
    const REQUIREMENT: &str = "webrtc.sdp.unsupported-rejected";
    let with = FlowOptions { offerer: End::Fincert, unsupported_codec: true, ..FlowOptions::default() };
    let tape = Play::up(with.clone()).tape;
    tape.assert_holds(&[REQUIREMENT]);
    let accepted =
        tape.edit_target_sdp(|sdp, _| sdp.replace("m=video 0", "m=video 9").replace("BUNDLE 0\r\n", "BUNDLE 0 1\r\n"));
    accepted.assert_broken(&[REQUIREMENT]);
    let mut refused = Play::begun(Tape::new(Flow::Call, &with), with, 1).tape;
    let described = Described::new("9876543210", "actpass", vec![media(MediaKind::Video, "sendrecv", true)]);
    let sdp = described.text();
    refused.peer(1, PeerDid::Description { local: true, kind: "offer".to_owned(), sdp: sdp.clone(), refused: None });
    let no = Some((Via::Reject, json!({"name": "OperationError"})));
    refused.call(Some("pc-1"), "RTCPeerConnection.setRemoteDescription", json!({"type": "offer", "sdp": sdp}), no);
    refused.assert_broken(&[REQUIREMENT]);
}

/// One connection, and offers with these options and m-lines.
fn offers(forms: &[(Value, Vec<(MediaKind, &'static str)>)]) -> Tape {
    let mut tape = Tape::new(Flow::Connection, &FlowOptions::default());
    for (index, (options, lines)) in forms.iter().enumerate() {
        let pc = format!("pc-{index}");
        tape.resolves(None, "ft.webrtc.createRTCPeerConnection", json!({}), json!({"$handle": pc}));
        let lines = lines.iter().map(|(kind, direction)| media(*kind, direction, false)).collect();
        let sdp = Described::new("1234567890", "actpass", lines).text();
        let offer = json!({"type": "offer", "sdp": sdp});
        tape.resolves(Some(&pc), "RTCPeerConnection.createOffer", options.clone(), offer);
    }
    tape
}

#[test]
fn offer_to_receive_adds_what_it_says() {
    const AUDIO: &str = "webrtc.pc.create-offer.offer-to-receive-audio";
    const VIDEO: &str = "webrtc.pc.create-offer.offer-to-receive-video";
    use MediaKind::{Audio, Video};
    let good = offers(&[
        (json!({"offerToReceiveAudio": true}), vec![(Audio, "recvonly")]),
        (json!({"offerToReceiveVideo": true}), vec![(Video, "recvonly")]),
        (json!({"offerToReceiveAudio": 1, "offerToReceiveVideo": 1}), vec![(Audio, "recvonly"), (Video, "recvonly")]),
        (json!({"offerToReceiveAudio": false}), vec![]),
    ]);
    good.assert_holds(&[AUDIO, VIDEO]);
    let both = json!({"offerToReceiveAudio": true, "offerToReceiveVideo": true});
    offers(&[(both, vec![(Audio, "recvonly")])]).assert_broken(&[VIDEO]);
    offers(&[(json!({"offerToReceiveAudio": true}), vec![(Audio, "sendonly")])]).assert_broken(&[AUDIO]);
    offers(&[(json!({}), vec![(Audio, "recvonly")])]).assert_broken(&[AUDIO]);
    // 1 is an alias of true: what it does not do is a warning.
    let numbers = offers(&[(json!({"offerToReceiveAudio": 1}), vec![])]);
    assert_eq!(numbers.outcome(AUDIO), Some(fincert_schemas::run::Outcome::Warn));
}

#[test]
fn a_track_of_the_kind_says_nothing_of_the_option() {
    target_offers().tape.assert_silent(&["webrtc.pc.create-offer.offer-to-receive-audio"]);
}

#[test]
fn a_text_that_was_cut_is_not_judged() {
    let tape = target_offers().tape.edit_target_sdp(|sdp, _| format!("{}… (70000 characters)", &sdp[..200]));
    tape.assert_silent(&["webrtc.sdp.form", "webrtc.sdp.fingerprint"]);
}
