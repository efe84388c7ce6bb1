//! Clause 3.2: what must be refused, and leave the state unchanged. Which error it is refused with is not judged.

use super::answers::{Became, accuse, became, quote, undecided, wanted};
use super::line::method_failed;
use super::states::closed_reads;
use super::view::{Pc, RtcCall};
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-refused",
        about: "What cannot be is refused, and signalingState stays as it was.",
        requirements: &[
            "webrtc.pc.create.invalid-options",
            "webrtc.pc.create-answer.in-stable",
            "webrtc.pc.set-remote-description.answer-in-stable",
            "webrtc.pc.set-description.garbage",
            "webrtc.pc.set-description.incomplete",
            "webrtc.pc.set-description.unknown-type",
            "webrtc.pc.add-ice-candidate.before-remote-description",
            "webrtc.pc.add-ice-candidate.invalid",
            "webrtc.pc.add-track.twice-or-closed",
            "webrtc.pc.add-track.invalid",
        ],
        run: refused,
    },
    Check {
        id: "webrtc-after-close",
        about: "Methods of a closed connection are refused and never hang; a second close does no harm.",
        requirements: &[
            "webrtc.pc.close.methods-after",
            "webrtc.pc.close.twice",
            "webrtc.pc.add-track.twice-or-closed",
        ],
        run: after_close,
    },
];

/// What is wrong with a call, by its purpose, and the requirement that wants it refused.
const PURPOSES: [(&str, &str); 18] = [
    ("bad-url", "webrtc.pc.create.invalid-options"),
    ("turn-without-credential", "webrtc.pc.create.invalid-options"),
    ("bad-policy", "webrtc.pc.create.invalid-options"),
    ("create-answer-in-stable", "webrtc.pc.create-answer.in-stable"),
    ("answer-in-stable", "webrtc.pc.set-remote-description.answer-in-stable"),
    ("garbage-empty", "webrtc.pc.set-description.garbage"),
    ("garbage-text", "webrtc.pc.set-description.garbage"),
    ("garbage-object", "webrtc.pc.set-description.garbage"),
    ("description-string", "webrtc.pc.set-description.garbage"),
    ("garbage-type", "webrtc.pc.set-description.unknown-type"),
    ("no-ufrag", "webrtc.pc.set-description.incomplete"),
    ("no-fingerprint", "webrtc.pc.set-description.incomplete"),
    ("candidate-before-description", "webrtc.pc.add-ice-candidate.before-remote-description"),
    ("candidate-unknown-mid", "webrtc.pc.add-ice-candidate.invalid"),
    ("candidate-unknown-index", "webrtc.pc.add-ice-candidate.invalid"),
    ("candidate-malformed", "webrtc.pc.add-ice-candidate.invalid"),
    ("track-twice", "webrtc.pc.add-track.twice-or-closed"),
    ("track-invalid", "webrtc.pc.add-track.invalid"),
];

fn refused(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for call in &rtc.calls {
        let Some(purpose) = call.purpose else { continue };
        if let Some((_, requirement)) = PURPOSES.iter().find(|(name, _)| *name == purpose) {
            refusal(view, sink, requirement, call, purpose);
        }
    }
    // Candidates that came early in a call; where the target had the offer already, they are not too early.
    for pc in rtc.connections() {
        let has = pc.calls_of("setRemoteDescription").find(|call| call.succeeded()).map_or(rtc.end, |call| call.at);
        for call in pc.calls_of("addIceCandidate").filter(|call| call.at < has) {
            if let Some(purpose @ "candidate-early") = call.purpose {
                refusal(view, sink, "webrtc.pc.add-ice-candidate.before-remote-description", call, purpose);
            }
        }
    }
}

/// Judges a call that should be refused.
fn refusal(view: &View<'_>, sink: &mut Sink<'_>, requirement: &str, call: &RtcCall<'_>, purpose: &str) {
    match became(view, call) {
        Became::Refused => match changed(view, call) {
            None => sink.holds(requirement),
            Some(actual) => {
                let broken = wanted(&format!("changes-state:{purpose}"), ("状态不变", "the state unchanged"), actual);
                sink.breaks(requirement, call.step, broken);
            }
        },
        Became::Worked(via) => {
            let actual = format!("{} by {}", via.as_str(), call.name);
            sink.breaks(requirement, call.step, accepted(purpose, actual));
        }
        Became::Silent => {
            let broken = Broken { cause: format!("webrtc:hangs:{purpose}"), ..method_failed(call) };
            sink.breaks(
                requirement,
                call.step,
                Broken { expected: accepted(purpose, String::new()).expected, ..broken },
            );
        }
        // A bridge that knows no such method refuses everything.
        other => undecided(view, sink, requirement, call, other),
    }
}

fn accepted(purpose: &str, actual: String) -> Broken {
    wanted(&format!("accepts:{purpose}"), ("拒绝，且状态不变", "a rejection, and the state unchanged"), actual)
}

/// The change of signalingState across a call, if both sides were read.
fn changed(view: &View<'_>, call: &RtcCall<'_>) -> Option<String> {
    let pc = Pc { rtc: view.rtc.as_ref()?, handle: call.handle? };
    let before = pc.read_before(call.at, "signalingState")?;
    let after = pc.read_after(call.answered_at()?, "signalingState")?;
    let undisturbed = pc.calls().all(|other| other.id == call.id || !(before.at..after.at).contains(&other.at));
    (undisturbed && before.text() != after.text() && after.text().is_some())
        .then(|| format!("signalingState {} became {}", quote(before.value()), quote(after.value())))
}

fn after_close(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.close.methods-after";
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        // A connection that could not be closed is for the check of close.
        let Some(closed) = pc.calls_of("close").find(|call| call.succeeded()) else { continue };
        for call in pc.calls().filter(|call| call.at > closed.at) {
            match call.purpose {
                Some("after-close") => {
                    let purpose = format!("after-close:{}", call.name);
                    refusal(view, sink, REQUIREMENT, call, &purpose);
                    if call.name == "addTrack" {
                        refusal(view, sink, "webrtc.pc.add-track.twice-or-closed", call, &purpose);
                    }
                }
                // It may still answer, or refuse.
                Some("configuration-after-close") => match became(view, call) {
                    Became::Worked(_) | Became::Refused => sink.holds(REQUIREMENT),
                    Became::Silent => refusal(view, sink, REQUIREMENT, call, "after-close:getConfiguration"),
                    other => undecided(view, sink, REQUIREMENT, call, other),
                },
                Some("close-again") => close_again(view, sink, pc, call),
                _ => {}
            }
        }
    }
}

fn close_again(view: &View<'_>, sink: &mut Sink<'_>, pc: Pc<'_, '_>, call: &RtcCall<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.close.twice";
    if !matches!(became(view, call), Became::Worked(_)) {
        return accuse(view, sink, REQUIREMENT, call);
    }
    let before = closed_reads(pc);
    let reopened = before.iter().filter(|read| read.text() == Some("closed")).find_map(|read| {
        let now = pc.read_after(call.answered_at()?, read.name)?;
        (now.value().is_some() && now.text() != Some("closed")).then_some(now)
    });
    match reopened {
        None => sink.holds(REQUIREMENT),
        Some(read) => {
            let actual = format!("{} {} after the second close", read.name, quote(read.value()));
            sink.breaks(REQUIREMENT, call.step, wanted("close:again", ("closed", "closed"), actual));
        }
    }
}
