//! Clause 3.2: createOffer and createAnswer: their promises, the options that they take, and what they leave unchanged.
//! What the options do to the SDP is in `offers`.

use fincert_schemas::format::sdp::Sdp;
use serde_json::Value;

use super::answers::{Became, accuse, became, promise_of_value, quote, undecided, wanted};
use super::view::{Pc, Read, Rtc, RtcCall};
use crate::judge::{Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-create-offer",
        about: "createOffer gives a promise of an offer, and takes its options.",
        requirements: &[
            "webrtc.pc.create-offer",
            "webrtc.pc.create-offer.ice-restart",
            "webrtc.pc.create-offer.offer-to-receive-audio",
            "webrtc.pc.create-offer.offer-to-receive-video",
            "webrtc.pc.create-offer.voice-activity-detection",
        ],
        run: create_offer,
    },
    Check {
        id: "webrtc-create-answer",
        about: "createAnswer gives a promise of an answer, and takes its options.",
        requirements: &[
            "webrtc.pc.create-answer",
            "webrtc.pc.create-answer.ice-restart",
            "webrtc.pc.create-answer.offer-to-receive-audio",
            "webrtc.pc.create-answer.offer-to-receive-video",
            "webrtc.pc.create-answer.voice-activity-detection",
        ],
        run: create_answer,
    },
    Check {
        id: "webrtc-create-offer-state",
        about: "createOffer changes neither signalingState nor localDescription.",
        requirements: &["webrtc.pc.create-offer.no-state-change"],
        run: no_state_change,
    },
    Check {
        id: "webrtc-create-offer-again",
        about: "A second createOffer, after a track was added, offers the added media.",
        requirements: &["webrtc.pc.create-offer.again"],
        run: again,
    },
];

/// The options of both methods, with the ends of their requirements.
const OPTIONS: [(&str, &str); 4] = [
    ("iceRestart", "ice-restart"),
    ("offerToReceiveAudio", "offer-to-receive-audio"),
    ("offerToReceiveVideo", "offer-to-receive-video"),
    ("voiceActivityDetection", "voice-activity-detection"),
];

fn create_offer(view: &View<'_>, sink: &mut Sink<'_>) {
    // The others show in the SDP.
    creates(view, sink, "createOffer", "webrtc.pc.create-offer", &["voice-activity-detection"]);
}

fn create_answer(view: &View<'_>, sink: &mut Sink<'_>) {
    creates(view, sink, "createAnswer", "webrtc.pc.create-answer", &OPTIONS.map(|(_, end)| end));
}

/// Judges the method, and its options: those in `taken` hold where the call works. A call with options that fails where
/// one with less works is the options' fault, and where one with less fails too it is not; where there is none, and the
/// call is rejected, both are accused.
fn creates(view: &View<'_>, sink: &mut Sink<'_>, name: &str, method: &str, taken: &[&str]) {
    let Some(rtc) = &view.rtc else { return };
    let calls = || rtc.calls_of(name).filter(|call| call.purpose.is_none());
    for call in calls() {
        let has = |option: &str| call.request.value.get(option).is_some();
        let given: Vec<&str> = OPTIONS.iter().filter(|(option, _)| has(option)).map(|(_, end)| *end).collect();
        let works = matches!(became(view, call), Became::Worked(_));
        // That a codec which nobody has is rejected by the m-line, and not by the method, is a SHOULD of its own.
        if !works && rtc.with.unsupported_codec {
            continue;
        }
        let mut less = calls().filter(|other| has_less(other, call)).peekable();
        let alone = less.peek().is_none();
        let less_works = less.any(RtcCall::succeeded);
        let refused = became(view, call) == Became::Refused;
        if !works && ((alone && refused) || less_works) {
            for end in &given {
                accuse(view, sink, &format!("{method}.{end}"), call);
            }
        }
        if !works && less_works && !given.is_empty() {
            continue;
        }
        if promise_of_value(view, sink, method, call) {
            for end in given.iter().filter(|end| taken.contains(end)) {
                sink.holds(&format!("{method}.{end}"));
            }
        }
    }
}

/// Whether a call has fewer options than another, and none that the other has not.
fn has_less(call: &RtcCall<'_>, other: &RtcCall<'_>) -> bool {
    let given = |call: &RtcCall<'_>, option: &str| call.request.value.get(option).is_some();
    let more = OPTIONS.iter().any(|(option, _)| given(call, option) && !given(other, option));
    let fewer = OPTIONS.iter().any(|(option, _)| !given(call, option) && given(other, option));
    fewer && !more
}

fn no_state_change(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.create-offer.no-state-change";
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        for call in pc.calls_of("createOffer").filter(|call| call.purpose.is_none() && call.succeeded()) {
            let Some(answered) = call.answered_at() else { continue };
            for name in ["signalingState", "localDescription"] {
                let Some((before, after)) = around(rtc, pc, (call.at, answered), name) else { continue };
                if essence(before) == essence(after) {
                    sink.holds(REQUIREMENT);
                    continue;
                }
                let actual = format!("{name} {} became {}", quote(before.value()), quote(after.value()));
                let broken = wanted(&format!("createOffer:changes:{name}"), ("不变", "unchanged"), actual);
                sink.breaks(REQUIREMENT, call.step, broken);
            }
        }
    }
}

/// The readings of a property on either side of a call, with no other call between them.
fn around<'v, 'a>(
    rtc: &'v Rtc<'a>,
    pc: Pc<'v, 'a>,
    (at, answered): (usize, usize),
    name: &str,
) -> Option<(&'v Read<'a>, &'v Read<'a>)> {
    let (before, after) = (pc.read_before(at, name)?, pc.read_after(answered, name)?);
    let foreign =
        |call: &RtcCall<'_>| call.at != at && call.handle == Some(pc.handle) && call.name != "addIceCandidate";
    let disturbed = rtc.calls.iter().any(|call| foreign(call) && (before.at..after.at).contains(&call.at));
    (!disturbed && before.value().is_some() && after.value().is_some()).then_some((before, after))
}

/// What tells one state from another. A description may gain candidates at any time.
fn essence<'a>(read: &Read<'a>) -> (Option<&'a str>, Option<&'a str>) {
    let Some(value) = read.value() else { return (None, None) };
    let origin = value.get("sdp").and_then(Value::as_str).and_then(|sdp| {
        let line = sdp.lines().find(|line| line.starts_with("o="))?;
        Some(line.trim_end())
    });
    (value.as_str().or_else(|| value.get("type")?.as_str()), origin)
}

fn again(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.create-offer.again";
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let offers: Vec<_> = pc.calls_of("createOffer").filter(|call| call.purpose.is_none()).collect();
        for pair in offers.windows(2) {
            let [first, second] = pair else { continue };
            let between = |add: &&RtcCall<'_>| add.succeeded() && (first.at..second.at).contains(&add.at);
            let added = pc.calls_of("addTrack").filter(|add| add.purpose.is_none()).filter(between).count();
            let Some(before) = sending(first).filter(|_| added > 0) else { continue };
            match became(view, second) {
                Became::Worked(_) => {}
                Became::Refused | Became::Silent => {
                    accuse(view, sink, REQUIREMENT, second);
                    continue;
                }
                other => {
                    undecided(view, sink, REQUIREMENT, second, other);
                    continue;
                }
            }
            let Some(after) = sending(second) else { continue };
            if after >= before + added {
                sink.holds(REQUIREMENT);
            } else {
                let expected = (format!("多 {added} 个发送的 m 行"), format!("{added} more m-lines that send"));
                let actual = format!("{before} that send before addTrack, {after} after");
                sink.breaks(REQUIREMENT, second.step, wanted("createOffer:again", (&expected.0, &expected.1), actual));
            }
        }
    }
}

/// How many m-lines of an offer send.
fn sending(call: &RtcCall<'_>) -> Option<usize> {
    let sdp = Sdp::read(call.value()?.get("sdp")?.as_str()?);
    Some(
        sdp.media
            .iter()
            .filter(|section| section.is_media() && !section.is_rejected() && sdp.direction(section).sends())
            .count(),
    )
}
