//! What became of a call, and how that is said: the same words and causes for every method.

use fincert_schemas::Bilingual;
use fincert_schemas::bridge::Via;
use fincert_schemas::run::{Ended, Outcome, Reason};
use serde_json::Value;

use super::line::method_failed;
use super::view::RtcCall;
use crate::judge::{Broken, Sink, View};

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    /// It worked.
    Worked(Via),
    /// It was rejected or threw.
    Refused,
    /// The bridge refused it: it does not know the method, or the object.
    Unknown,
    /// Nothing came before its deadline.
    Silent,
    /// The answer came after its deadline.
    Late,
    /// Something came that could not be read.
    Unread(Reason),
    /// The target was lost while it was open.
    Lost(Reason),
    /// Nobody waited for it.
    Open,
}

/// What became of a call of this transcript.
pub(super) fn became(view: &View<'_>, call: &RtcCall<'_>) -> Became {
    if let Some(answer) = call.answer() {
        return if answer.via.is_success() { Became::Worked(answer.via) } else { Became::Refused };
    }
    if call.refused.is_some() {
        return Became::Unknown;
    }
    match (&view.transcript.ended, call.no_response) {
        (Ended::Broken { reason, .. }, Some(silent)) if !silent.what.1 => Became::Lost(*reason),
        (_, Some(_)) if !call.answers.is_empty() => Became::Late,
        (_, Some(_)) => call.bad_frame.map_or(Became::Silent, Became::Unread),
        (Ended::Broken { reason, .. }, None) if is_last_open(view, call) => Became::Lost(*reason),
        (_, None) => Became::Open,
    }
}

/// Whether it is the last call without an answer: the one that the target was lost in.
fn is_last_open(view: &View<'_>, call: &RtcCall<'_>) -> bool {
    let calls = view.rtc.as_ref().map_or(&[][..], |rtc| &rtc.calls);
    let open = |call: &&RtcCall<'_>| call.answers.is_empty() && call.refused.is_none() && call.no_response.is_none();
    calls.iter().rev().find(open).is_some_and(|last| last.id == call.id)
}

/// Judges a method that gives a promise of something; whether the call worked.
pub(super) fn promise_of_value(view: &View<'_>, sink: &mut Sink<'_>, requirement: &str, call: &RtcCall<'_>) -> bool {
    if matches!(became(view, call), Became::Worked(_)) && call.captured().is_none() {
        sink.breaks(requirement, call.step, no_value(call));
        return true;
    }
    promise(view, sink, requirement, call)
}

/// A method that gave nothing.
pub(super) fn no_value(call: &RtcCall<'_>) -> Broken {
    wanted(&format!("{}:no-value", call.name), ("有返回值", "a value"), "undefined".to_owned())
}

/// Judges a method that gives a promise; whether the call worked.
pub(super) fn promise(view: &View<'_>, sink: &mut Sink<'_>, requirement: &str, call: &RtcCall<'_>) -> bool {
    match became(view, call) {
        Became::Worked(Via::Return) => {
            sink.breaks(requirement, call.step, no_promise(call));
            true
        }
        Became::Worked(_) => {
            sink.holds(requirement);
            true
        }
        _ => {
            accuse(view, sink, requirement, call);
            false
        }
    }
}

/// A method that gave a value where a promise is wanted.
pub(super) fn no_promise(call: &RtcCall<'_>) -> Broken {
    wanted(
        &format!("{}:no-promise", call.name),
        ("返回 Promise", "a promise"),
        "a plain value: the result is not thenable".to_owned(),
    )
}

/// Accuses a requirement of a call that should have worked and did not.
pub(super) fn accuse(view: &View<'_>, sink: &mut Sink<'_>, requirement: &str, call: &RtcCall<'_>) {
    let mut broken = method_failed(call);
    broken.expected = Some(Bilingual::new(format!("{} 成功", call.name), format!("{} works", call.name)));
    match became(view, call) {
        Became::Worked(_) | Became::Open => {}
        Became::Refused => {
            broken.hint = hint(call);
            sink.breaks(requirement, call.step, broken);
        }
        Became::Unknown => {
            broken.hint = Some(Bilingual::new(
                "桥只应拒绝它不认识的方法和对象；接口自身的失败用 -32000 返回。",
                "The bridge refuses only methods and objects it does not know; a failure of the API itself is error -32000.",
            ));
            sink.breaks(requirement, call.step, broken);
        }
        Became::Silent => {
            broken.hint = Some(Bilingual::new(
                "每个 Promise 都要兑现或拒绝，包括出错的路径。",
                "Every promise is resolved or rejected, paths that go wrong included.",
            ));
            sink.breaks(requirement, call.step, broken);
        }
        other => undecided(view, sink, requirement, call, other),
    }
}

/// Says of a call whose outcome is not known that it cannot be judged.
pub(super) fn undecided(view: &View<'_>, sink: &mut Sink<'_>, requirement: &str, call: &RtcCall<'_>, became: Became) {
    let (outcome, reason, cause) = match became {
        Became::Late => (Outcome::Inconclusive, Reason::LateAnswer, format!("webrtc:{}:late-answer", call.name)),
        Became::Unread(reason) => (Outcome::CouldNotRun, reason, format!("bridge:{reason}")),
        Became::Lost(reason) => (Outcome::CouldNotRun, reason, format!("target:{reason}")),
        _ => return,
    };
    let actual = match &view.transcript.ended {
        Ended::Broken { detail, .. } if matches!(became, Became::Lost(_)) => format!("{reason}: {detail}"),
        _ => format!("{}: {}", call.name, call.outcome()),
    };
    let broken = Broken { cause, actual, hint: Some(reason.advice()), ..Broken::default() };
    sink.undecided(requirement, call.step, outcome, reason, broken);
}

/// What a certain error tells of its reason.
fn hint(call: &RtcCall<'_>) -> Option<Bilingual> {
    let name = call.value()?.get("name")?.as_str()?;
    match name {
        "NotAllowedError" | "NotFoundError" | "NotReadableError" if call.name == "getUserMedia" => {
            Some(Bilingual::new(
                "请授予摄像头与麦克风权限，并确认设备未被占用；认证需要真实或虚拟的设备。",
                "Grant access to camera and microphone, and see that nothing else uses them; a virtual device will do.",
            ))
        }
        _ => None,
    }
}

/// A finding: what was wanted, in Chinese and English, and what was there.
pub(super) fn wanted(cause: &str, expected: (&str, &str), actual: String) -> Broken {
    Broken {
        cause: format!("webrtc:{cause}"),
        expected: Some(Bilingual::new(expected.0, expected.1)),
        actual,
        ..Broken::default()
    }
}

/// A kept value in a few words.
pub(super) fn quote(value: Option<&Value>) -> String {
    let Some(value) = value else { return "undefined".to_owned() };
    match value {
        Value::String(text) if text.chars().count() > 60 => format!("a text of {} characters", text.chars().count()),
        Value::Object(object) => match object.get("type").and_then(Value::as_str) {
            Some(kind) if object.contains_key("sdp") && kind.len() <= 20 => format!("a description of type {kind}"),
            _ => "an object".to_owned(),
        },
        Value::Array(items) => format!("an array of {}", items.len()),
        other => other.to_string(),
    }
}
