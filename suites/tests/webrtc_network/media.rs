//! Media of both ends, its end, and the certificate that must fit.

use fincert_schemas::bridge::Via;
use fincert_schemas::run::flow::{Act, Await, Evidence, FlowOptions, MediaKind};
use fincert_schemas::run::{Outcome, What};
use serde_json::json;

use crate::play::{Play, fincert_offers, target_offers};
use crate::tape::{Tape, received};

fn without_video(sdp: &str) -> String {
    sdp[..sdp.find("m=video").unwrap_or(sdp.len())].replace("BUNDLE 0 1", "BUNDLE 0")
}

fn audio_call() -> FlowOptions {
    FlowOptions {
        target_sends: vec![MediaKind::Audio],
        fincert_sends: vec![MediaKind::Audio],
        ..FlowOptions::default()
    }
}

#[test]
fn media_flows_both_ways() {
    for play in [target_offers(), fincert_offers()] {
        play.act(Act::Media).tape.assert_holds(&["webrtc.media.sent", "webrtc.media.received"]);
    }
}

#[test]
fn a_kind_that_does_not_come_is_named() {
    let tape = target_offers().act(Act::Media).tape.unmet(Await::Rtp, "video");
    tape.assert_broken(&["webrtc.media.sent"]);
    let finding = &tape.findings()[0];
    assert_eq!(finding.cause, "webrtc:no-rtp:video");
    insta::assert_snapshot!(finding.actual, @"at fincert's end, in the act media: RTP of video did not come within 8000 ms; instead: nothing of the kind");
}

#[test]
fn a_direction_that_sends_nothing_is_told_as_the_reason() {
    let tape = fincert_offers().act(Act::Media).tape.unmet(Await::Rtp, "audio");
    let tape = tape.edit_target_sdp(|sdp, _| sdp.replacen("a=sendrecv", "a=recvonly", 1));
    tape.assert_broken(&["webrtc.media.sent"]);
    let hint = tape.findings()[0].hint.clone().unwrap().en;
    assert_eq!(hint, "A track was added, and the target's description says recvonly of audio.");
}

#[test]
fn payload_types_are_the_negotiated_ones() {
    let stray = |_, evidence: &mut Evidence| {
        evidence
            .received
            .iter_mut()
            .filter(|stream| stream.ssrc == 2)
            .for_each(|stream| stream.payload_types.push(120));
    };
    let tape = target_offers().act(Act::Media).tape.edit_counters(stray);
    tape.assert_broken(&["webrtc.media.sent"]);
    assert_eq!(tape.findings()[0].actual, "SSRC 2 came with the payload type 120");
}

#[test]
fn what_was_never_added_is_not_missed() {
    let tape = target_offers().act(Act::Media).tape.unmet(Await::Rtp, "video").edit(|what| {
        !matches!(what, What::Call { method, request, .. }
            if method.ends_with("addTrack") && request.value["$handle"] == "track-1-video")
    });
    let tape = tape.edit_target_sdp(|sdp, _| without_video(sdp)).edit_own_sdp(without_video);
    let tape = tape.unmet(Await::ReceiverReport, "video");
    assert_eq!(tape.broken(), Vec::<String>::new());
}

#[test]
fn reports_that_do_not_come_or_stand_still_are_broken() {
    let tape = target_offers().act(Act::Media).tape;
    let none = tape.clone().unmet(Await::ReceiverReport, "audio");
    none.assert_broken(&["webrtc.media.received"]);
    assert_eq!(none.findings()[0].cause, "webrtc:not-received:audio");
    let frozen = tape.edit_counters(|_, evidence| {
        evidence.sent.iter_mut().for_each(|sent| sent.last_reported = sent.first_reported);
    });
    frozen.assert_broken(&["webrtc.media.received"]);
    let causes: Vec<_> = frozen.findings().into_iter().map(|finding| finding.cause).collect();
    assert_eq!(causes, ["webrtc:reports-stand-still:audio", "webrtc:reports-stand-still:video"]);
}

#[test]
fn a_peer_that_sent_nothing_condemns_nobody() {
    let tape = target_offers().act(Act::Media).tape.unmet(Await::ReceiverReport, "audio");
    let tape = tape.edit_counters(|_, evidence| {
        evidence.sent.iter_mut().filter(|sent| sent.kind == MediaKind::Audio).for_each(|sent| sent.packets = 0);
    });
    assert_eq!(tape.outcome("webrtc.media.received"), Some(Outcome::Inconclusive));
}

#[test]
fn an_m_line_that_nobody_asked_for_is_not_missed() {
    // The target sends audio alone and offers: fincert's video has no m-line.
    let with = FlowOptions { target_sends: vec![MediaKind::Audio], ..FlowOptions::default() };
    let tape = Play::up(with).act(Act::Media).tape.unmet(Await::ReceiverReport, "video");
    let tape = tape.edit_target_sdp(|sdp, _| without_video(sdp)).edit_own_sdp(without_video);
    tape.assert_broken(&[]);
}

#[test]
fn video_is_added_from_either_side() {
    let target = || Play::up(audio_call()).act(Act::TargetAddsVideo).tape;
    target().assert_holds(&["webrtc.renegotiation.target-adds-video", "webrtc.sdp.origin", "webrtc.sdp.msid"]);
    target().unmet(Await::Rtp, "video").assert_broken(&["webrtc.renegotiation.target-adds-video"]);
    let fincert = || Play::up(audio_call()).act(Act::FincertAddsVideo).tape;
    fincert().assert_holds(&["webrtc.renegotiation.fincert-adds-video", "webrtc.event.track.added-later"]);
    fincert()
        .unmet(Await::Event, "track")
        .edit(|what| !matches!(what, What::Emitted { kind, .. } if kind == "track"))
        .assert_broken(&["webrtc.event.track.added-later"]);
    fincert().unmet(Await::ReceiverReport, "video").assert_broken(&["webrtc.renegotiation.fincert-adds-video"]);
}

#[test]
fn a_second_stream_that_is_refused_adds_nothing() {
    let mut play = Play::up(audio_call());
    play.tape.act(Act::TargetAddsVideo);
    let refused = Some((Via::Reject, json!({"name": "NotReadableError"})));
    play.tape.call(None, "ft.webrtc.mediaDevices.getUserMedia", json!({"video": true}), refused);
    play.tape.assert_silent(&["webrtc.renegotiation.target-adds-video"]);
    assert_eq!(play.tape.findings(), []);
}

/// A call whose tracks are stopped, and counters of what still came of the video by then and a second and a half later.
fn stopped(settled: (u64, u64), ended: (u64, u64)) -> Tape {
    let tape = target_offers().act(Act::Media).act(Act::TargetStopsTracks).tape;
    let last = tape.events.iter().filter(|event| matches!(event.what, What::Counted { .. })).count();
    tape.edit_counters(|number, evidence| {
        let video = evidence.received.iter_mut().find(|stream| stream.kind == Some(MediaKind::Video));
        let more = match last - number {
            3 => settled,
            1 | 2 => ended,
            _ => return,
        };
        let Some(video) = video else { return };
        video.packets += more.0;
        video.payload_bytes += more.1;
    })
}

#[test]
fn stopped_tracks_end_or_turn_to_black() {
    stopped((0, 0), (0, 0)).assert_holds(&["webrtc.track.stop"]);
    // Black pictures: as many packets, hardly any bytes.
    stopped((5, 500), (55, 1_000)).assert_holds(&["webrtc.track.stop"]);
    // A tail that was under way.
    stopped((10, 1_000), (10, 1_000)).assert_holds(&["webrtc.track.stop"]);
    let ignored = stopped((30, 3_000), (105, 10_500));
    ignored.assert_broken(&["webrtc.track.stop"]);
    insta::assert_snapshot!(ignored.findings()[0].actual, @"before: 50 packets of 100 bytes on average in 1.0 s; after: 75 packets of 100 bytes on average in 1.5 s");
}

#[test]
fn tracks_that_sent_nothing_show_nothing_when_stopped() {
    let tape = target_offers().act(Act::TargetStopsTracks).tape.edit_counters(|_, evidence| evidence.received.clear());
    tape.assert_silent(&["webrtc.track.stop"]);
}

#[test]
fn close_ends_the_media_promptly() {
    let tape = target_offers().act(Act::Media).act(Act::TargetCloses).tape;
    tape.assert_holds(&["webrtc.pc.close.stops-media"]);
    let leaks = tape.clone().edit_counters(|_, evidence| {
        evidence.received.iter_mut().for_each(|stream| stream.last_at_us = u64::MAX / 2);
    });
    leaks.assert_broken(&["webrtc.pc.close.stops-media"]);
    let nothing = tape.edit_counters(|_, evidence| evidence.received.clear());
    nothing.assert_silent(&["webrtc.pc.close.stops-media"]);
}

/// fincert's certificate is another one: ICE comes up and DTLS does not.
fn foreign_certificate(ice: &str, evidence: &Evidence) -> Tape {
    use fincert_schemas::run::flow::{End, Flow, PeerDid};
    let with = FlowOptions { wrong_fingerprint: true, ..FlowOptions::default() };
    let mut play = Play::begun(Tape::new(Flow::Call, &with), with, 1);
    play.exchange(End::Target, serde_json::Value::Null);
    play.candidates();
    play.tape.peer(1, PeerDid::Ice { state: ice.to_owned() });
    play.tape.wait(End::Fincert, Await::PeerConnected, "", false);
    play.tape.read("pc-1", "conectionState", json!("failed"));
    play.tape.count(1, evidence);
    play.tape
}

#[test]
fn a_certificate_that_does_not_fit_carries_no_media() {
    const REQUIREMENT: &str = "webrtc.security.wrong-fingerprint";
    let media = Evidence { received: vec![received(MediaKind::Audio, 3, 1)], ..Evidence::default() };
    foreign_certificate("connected", &Evidence::default()).assert_holds(&[REQUIREMENT]);
    foreign_certificate("connected", &media).assert_broken(&[REQUIREMENT]);
    // Without ICE no certificate was shown.
    let unseen = foreign_certificate("checking", &Evidence::default());
    unseen.assert_silent(&[REQUIREMENT, "webrtc.call.target-offers"]);
    let says = foreign_certificate("connected", &Evidence::default()).edit(|what| {
        if let What::Read { value: Some(captured), .. } = what {
            captured.value = json!("connected");
        }
        true
    });
    says.assert_broken(&[REQUIREMENT]);
}

#[test]
fn dtls_roles_stay_where_the_offerer_changes() {
    let tape = target_offers().act(Act::FincertRenegotiates).tape;
    // The target was the server; now its answer makes it the client.
    let changed = tape.edit_target_sdp(|sdp, kind| {
        if kind == "answer" { sdp.replace("a=setup:passive", "a=setup:active") } else { sdp.to_owned() }
    });
    changed.assert_broken(&["webrtc.dtls.roles-kept"]);
    insta::assert_snapshot!(changed.findings()[0].actual, @"the target is the DTLS server, and its answer says a=setup:active, which makes it the client");
    let offers = fincert_offers().act(Act::TargetRenegotiates).tape;
    let changed = offers.edit_target_sdp(|sdp, kind| {
        if kind == "offer" { sdp.replace("a=setup:actpass", "a=setup:passive") } else { sdp.to_owned() }
    });
    changed.assert_broken(&["webrtc.dtls.roles-kept"]);
}
