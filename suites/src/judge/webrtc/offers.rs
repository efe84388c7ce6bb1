//! The options of createOffer: what shows of them in the SDP.

use fincert_schemas::Bilingual;
use fincert_schemas::format::sdp::Sdp;
use serde_json::Value;

use super::ice::{Compared, compare};
use super::negotiation::was_tried;
use super::texts::{Text, local_before, texts};
use super::view::{Pc, Rtc, RtcCall};
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-offer-to-receive",
        about: "offerToReceiveAudio and offerToReceiveVideo add an m-line that receives, and none without them.",
        requirements: &[
            "webrtc.pc.create-offer.offer-to-receive-audio",
            "webrtc.pc.create-offer.offer-to-receive-video",
        ],
        run: offer_to_receive,
    },
    Check {
        id: "webrtc-offer-ice-restart",
        about: "iceRestart true gives a new user fragment and password, and without it both stay.",
        requirements: &["webrtc.pc.create-offer.ice-restart"],
        run: ice_restart,
    },
];

/// How an option was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// true.
    Yes,
    /// 1, as real mini programs write it (rulings 3.2).
    YesByNumber,
    /// false, 0, or nothing.
    No,
}

fn asked(call: &RtcCall<'_>, option: &str) -> Asked {
    match call.request.value.get(option) {
        Some(Value::Bool(true)) => Asked::Yes,
        Some(Value::Number(number)) if number.as_f64().is_some_and(|number| number != 0.0) => Asked::YesByNumber,
        _ => Asked::No,
    }
}

/// The offers of a flow, each with its call and its connection.
fn offers<'v, 't, 'a>(
    rtc: &'v Rtc<'a>,
    texts: &'t [Text<'a>],
) -> impl Iterator<Item = (&'v RtcCall<'a>, &'t Text<'a>, Pc<'v, 'a>)> {
    texts.iter().filter(|text| text.kind == "offer").filter_map(move |text| {
        let handle = text.pc?;
        let call =
            rtc.calls_of("createOffer").filter(|call| call.handle == Some(handle) && call.at <= text.at).last()?;
        Some((call, text, Pc { rtc, handle }))
    })
}

fn offer_to_receive(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    let texts = texts(rtc);
    for (kind, option, requirement) in [
        ("audio", "offerToReceiveAudio", "webrtc.pc.create-offer.offer-to-receive-audio"),
        ("video", "offerToReceiveVideo", "webrtc.pc.create-offer.offer-to-receive-video"),
    ] {
        for (call, text, pc) in offers(rtc, texts) {
            let has_track = was_tried(rtc, text, kind);
            let mut sections = text.open_media().filter(|section| section.kind() == kind);
            match asked(call, option) {
                Asked::No => {
                    if has_track || is_known(rtc, texts, text, pc, kind) {
                        continue;
                    }
                    match sections.next() {
                        None => sink.holds(requirement),
                        Some(_) => sink.breaks(requirement, call.step, unasked(kind, option)),
                    }
                }
                how => match sections.any(|section| text.read.direction(section).receives()) {
                    // With a track of the kind the m-line would be there anyway.
                    true if has_track => {}
                    true => sink.holds(requirement),
                    false if how == Asked::Yes => sink.breaks(requirement, call.step, lacking(kind, option, "true")),
                    false => sink.alias(requirement, call.step, lacking(kind, option, "1")),
                },
            }
        }
    }
}

/// Whether an m-line of the kind was there before: by an earlier description of either end, or by an earlier option.
fn is_known(rtc: &Rtc<'_>, texts: &[Text<'_>], text: &Text<'_>, pc: Pc<'_, '_>, kind: &str) -> bool {
    let has = |sdp: &Sdp<'_>| sdp.media.iter().any(|section| section.kind() == kind);
    let own = texts.iter().any(|other| other.pc == text.pc && other.at < text.at && has(&other.read));
    let by_peer = pc.peer().is_some_and(|peer| {
        peer.descriptions
            .iter()
            .any(|described| described.local && described.at < text.at && has(&rtc.sdp(described.sdp)))
    });
    // Elsewhere fincert's descriptions are seen only as arguments.
    let by_call = rtc.calls_of("setRemoteDescription").any(|call| {
        let sdp = call.request.value.get("sdp").and_then(Value::as_str);
        call.handle == text.pc && call.at < text.at && sdp.is_some_and(|sdp| has(&rtc.sdp(sdp)))
    });
    own || by_peer || by_call
}

fn lacking(kind: &str, option: &str, value: &str) -> Broken {
    Broken {
        cause: format!("webrtc:{option}:{}", if value == "1" { "by-number" } else { "ignored" }),
        expected: Some(Bilingual::new(
            format!("{option} 为 {value} 时，offer 含接收 {kind} 的 m 行"),
            format!("with {option} {value}, an m-line that receives {kind}"),
        )),
        actual: format!("no m-line of {kind} with sendrecv or recvonly"),
        ..Broken::default()
    }
}

fn unasked(kind: &str, option: &str) -> Broken {
    Broken {
        cause: format!("webrtc:{option}:unasked"),
        expected: Some(Bilingual::new(
            format!("没有 {option}，也没有 track，不应有 {kind} 的 m 行"),
            format!("no m-line of {kind} without {option} and without a track"),
        )),
        actual: format!("the offer has an m-line of {kind}"),
        ..Broken::default()
    }
}

fn ice_restart(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.create-offer.ice-restart";
    let Some(rtc) = &view.rtc else { return };
    let texts = texts(rtc);
    for (call, text, pc) in offers(rtc, texts) {
        let Some(before) = local_before(texts, pc, call.at) else { continue };
        let wants = asked(call, "iceRestart") != Asked::No;
        // An offer with iceRestart that was never put in force may have begun the restart all the same: what an offer
        // without it then says is no sentence's.
        let set = pc.calls_of("setLocalDescription").filter(|set| set.at < call.at && set.succeeded()).last();
        let begun = pc.calls_of("createOffer").any(|other| {
            other.at < call.at && set.is_some_and(|set| other.at > set.at) && asked(other, "iceRestart") != Asked::No
        });
        if begun && !wants {
            continue;
        }
        let (cause, expected, actual) = match (compare(&before.read, &text.read), wants) {
            (Compared::Nothing, _) => continue,
            (Compared::New, true) | (Compared::Same, false) => {
                sink.holds(REQUIREMENT);
                continue;
            }
            (Compared::Same, true) => {
                ("ignored", new(), "the offer has the user fragment and the password of before".to_owned())
            }
            (Compared::Mixed(which), true) => ("half", new(), format!("the offer's {which} is that of before")),
            (Compared::New | Compared::Mixed(_), false) => (
                "unasked",
                Bilingual::new("未要求 iceRestart 时凭据不变", "the same credentials without iceRestart"),
                "the offer's ice-ufrag or ice-pwd changed".to_owned(),
            ),
        };
        let cause = format!("webrtc:iceRestart:{cause}");
        sink.breaks(REQUIREMENT, call.step, Broken { cause, expected: Some(expected), actual, ..Broken::default() });
    }
}

fn new() -> Bilingual {
    Bilingual::new("新的 ice-ufrag 和 ice-pwd", "a new ice-ufrag and a new ice-pwd")
}
