//! Candidates as the target hands them over: the object, its fields, and its string.

use fincert_schemas::Bilingual;
use fincert_schemas::format::ice_candidate::{Candidate, parse};
use fincert_schemas::format::sdp::Sdp;
use serde_json::Value;

use super::texts::{Text, texts};
use super::view::{Emitted, Pc, Rtc};
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-candidate-object",
        about: "A candidate is a plain object whose fields are its own keys; its rows are judged as those of every table.",
        requirements: &["webrtc.candidate.own-keys", "webrtc.candidate.candidate"],
        run: objects,
    },
    Check {
        id: "webrtc-candidate-agrees",
        about: "The fields of a candidate agree with its string and with the SDP.",
        requirements: &["webrtc.candidate.agrees"],
        run: agrees,
    },
    Check {
        id: "webrtc-candidate-priority",
        about: "The string of a candidate can be read; its priority and foundation are valid.",
        requirements: &["webrtc.candidate.priority"],
        run: priority,
    },
];

/// What an icecandidate event carries.
enum Carried<'a> {
    /// The end of gathering: null, absent, {}, or an empty string (rulings 3.2).
    End,
    /// A candidate.
    Object(&'a Value),
    /// Something that is no object.
    Other(&'a Value),
}

fn carried<'a>(emitted: &Emitted<'a>) -> Carried<'a> {
    match emitted.value().get("candidate") {
        None | Some(Value::Null) => Carried::End,
        Some(Value::Object(object)) if object.is_empty() => Carried::End,
        Some(value @ Value::Object(object)) => match object.get("candidate") {
            Some(Value::String(text)) if text.is_empty() => Carried::End,
            _ => Carried::Object(value),
        },
        Some(value) => Carried::Other(value),
    }
}

/// The string of a candidate that an event carries, be it in an object or by itself.
pub(super) fn text_of<'a>(emitted: &Emitted<'a>) -> Option<&'a str> {
    match carried(emitted) {
        Carried::Object(object) => object.get("candidate")?.as_str(),
        Carried::Other(value) => value.as_str().filter(|text| !text.is_empty()),
        Carried::End => None,
    }
}

/// The icecandidate events of a flow, in order.
fn events<'v, 'a>(rtc: &'v Rtc<'a>) -> impl Iterator<Item = (Pc<'v, 'a>, &'v Emitted<'a>)> {
    rtc.connections().flat_map(|pc| pc.events("icecandidate").map(move |emitted| (pc, emitted)))
}

/// Collects what is broken: of one cause the first alone, and nothing that another field excuses.
struct Once<'s, 'l> {
    sink: &'s mut Sink<'l>,
    told: Vec<String>,
}

impl Once<'_, '_> {
    fn breaks(&mut self, requirement: &str, step: u32, broken: Broken) {
        let key = format!("{requirement} {}", broken.cause);
        if !self.told.contains(&key) {
            self.told.push(key);
            self.sink.breaks(requirement, step, broken);
        }
    }
}

fn objects(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    let mut once = Once { sink, told: Vec::new() };
    for (pc, emitted) in events(rtc) {
        let step = rtc.step_at(emitted.at);
        match carried(emitted) {
            Carried::End => hollow(pc, emitted, step, &mut once),
            Carried::Object(_) => once.sink.holds("webrtc.candidate.own-keys"),
            Carried::Other(value) => {
                let broken = Broken {
                    cause: "webrtc:candidate-not-an-object".to_owned(),
                    at: Some("/candidate".to_owned()),
                    expected: Some(Bilingual::new("对象", "an object")),
                    actual: kind_of(value).to_owned(),
                    hint: Some(Bilingual::new(
                        "candidate 应为含 candidate、sdpMid 等键的普通对象，而不是字符串。",
                        "A candidate is a plain object with the keys candidate, sdpMid and so on, not a string.",
                    )),
                };
                for requirement in ["webrtc.candidate.candidate", "webrtc.candidate.own-keys"] {
                    once.breaks(requirement, step, broken.clone());
                }
            }
        }
    }
}

/// An object without a key is the end of gathering, and nothing comes after the end: where more comes, its fields are
/// not its own keys.
fn hollow(pc: Pc<'_, '_>, emitted: &Emitted<'_>, step: u32, once: &mut Once<'_, '_>) {
    if !emitted.value().get("candidate").is_some_and(Value::is_object) || text_is_empty(emitted) {
        return;
    }
    // The next local description may begin to gather anew.
    let next = pc.calls_of("setLocalDescription").map(|call| call.at).find(|at| *at > emitted.at);
    let more = pc
        .events("icecandidate")
        .find(|other| other.at > emitted.at && next.is_none_or(|next| other.at < next) && text_of(other).is_some());
    if more.is_none() {
        return;
    }
    let broken = Broken {
        cause: "webrtc:candidate-without-keys".to_owned(),
        at: Some("/candidate".to_owned()),
        expected: Some(Bilingual::new("{} 只表示收集结束", "{} stands for the end of gathering alone")),
        actual: "{} between two candidates".to_owned(),
        hint: Some(Bilingual::new(
            "RTCIceCandidate 的属性在原型上，JSON 化之前须逐个复制。",
            "The properties of an RTCIceCandidate are its prototype's: copy each before it becomes JSON.",
        )),
    };
    once.breaks("webrtc.candidate.own-keys", step, broken);
}

/// Whether the event carries an object whose candidate is the empty string.
fn text_is_empty(emitted: &Emitted<'_>) -> bool {
    emitted.value().pointer("/candidate/candidate").is_some_and(|text| text == "")
}

/// An index of an m-line; a double without a fraction is one (rulings 2.2).
fn index_of(value: &Value) -> Option<usize> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..65_536.0).contains(number))?;
    Some(number as usize)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn agrees(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.candidate.agrees";
    let Some(rtc) = &view.rtc else { return };
    let mut once = Once { sink, told: Vec::new() };
    let texts = texts(rtc);
    for (pc, emitted) in events(rtc) {
        let Carried::Object(object) = carried(emitted) else { continue };
        // A string that cannot be read is another check's.
        let Some(candidate) = object.get("candidate").and_then(Value::as_str).and_then(|text| parse(text).ok()) else {
            continue;
        };
        let step = rtc.step_at(emitted.at);
        let differs = within(object, &candidate).or_else(|| beside_sdp(pc, texts, object));
        match differs {
            None => once.sink.holds(REQUIREMENT),
            Some((key, expected, actual)) => once.breaks(
                REQUIREMENT,
                step,
                Broken {
                    cause: format!("webrtc:candidate-disagrees:{key}"),
                    at: Some(format!("/candidate/{key}")),
                    expected: Some(Bilingual::new(expected.clone(), expected)),
                    actual,
                    ..Broken::default()
                },
            ),
        }
    }
}

/// The first field that differs from the string: its name, what the string says, what the field says.
fn within(object: &Value, candidate: &Candidate<'_>) -> Option<(&'static str, String, String)> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    // Chromium writes an address of IPv6 in brackets.
    let address = |text: &str| text.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let same = |a: &str, b: &str| match (address(a), address(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => a.eq_ignore_ascii_case(b),
    };
    if let Some(address) = text("address").filter(|address| !address.contains('*') && !same(address, candidate.address))
    {
        return Some(("address", candidate.address.to_owned(), address.to_owned()));
    }
    let kind = text("type").filter(|kind| *kind != candidate.kind.as_str())?;
    Some(("type", candidate.kind.as_str().to_owned(), kind.to_owned()))
}

/// The same beside the target's descriptions: the m-line of the index has the mid.
fn beside_sdp(pc: Pc<'_, '_>, texts: &[Text<'_>], object: &Value) -> Option<(&'static str, String, String)> {
    let mid = object.get("sdpMid").and_then(Value::as_str);
    let index = object.get("sdpMLineIndex").and_then(index_of);
    let mine = texts.iter().filter(|text| text.pc == Some(pc.handle) && !text.read.media.is_empty());
    let descriptions: Vec<&Sdp<'_>> = mine.map(|text| &**text.read).collect();
    let known = |fits: &dyn Fn(&Sdp<'_>) -> bool| descriptions.is_empty() || descriptions.iter().any(|sdp| fits(sdp));
    let mids = || {
        let last =
            descriptions.last().map(|sdp| sdp.media.iter().filter_map(|section| section.mid()).collect::<Vec<_>>());
        last.unwrap_or_default().join(", ")
    };
    match (mid, index) {
        (Some(mid), _) if !known(&|sdp| sdp.by_mid(mid).is_some()) => {
            Some(("sdpMid", format!("one of the mids {}", mids()), mid.to_owned()))
        }
        (_, Some(index)) if !known(&|sdp| index < sdp.media.len()) => {
            Some(("sdpMLineIndex", format!("an index of the mids {}", mids()), index.to_string()))
        }
        (Some(mid), Some(index)) if !known(&|sdp| sdp.media.get(index).is_some_and(|s| s.mid() == Some(mid))) => {
            Some(("sdpMLineIndex", format!("the index of the mid {mid}"), index.to_string()))
        }
        _ => None,
    }
}

fn priority(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.candidate.priority";
    let Some(rtc) = &view.rtc else { return };
    let mut once = Once { sink, told: Vec::new() };
    for pc in rtc.connections() {
        let mut seen: Vec<Candidate<'_>> = Vec::new();
        for emitted in pc.events("icecandidate") {
            // Capture hides what looks like a person's number.
            let Some(text) = text_of(emitted).filter(|text| !text.contains('*')) else { continue };
            let step = rtc.step_at(emitted.at);
            let at = Some("/candidate/candidate".to_owned());
            let fault = match parse(text) {
                Err(fault) => Some((format!("webrtc:candidate-string:{}", fault.rule), fault)),
                Ok(candidate) => {
                    let priority =
                        candidate.priority_fault().map(|f| (format!("webrtc:candidate-priority:{}", f.rule), f));
                    let foundation =
                        candidate.foundation_fault().map(|f| (format!("webrtc:candidate-foundation:{}", f.rule), f));
                    let fault = priority.or(foundation);
                    if fault.is_none() {
                        match shared(&seen, &candidate) {
                            None => once.sink.holds(REQUIREMENT),
                            Some(actual) => {
                                let cause = "webrtc:candidate-foundation:shared".to_owned();
                                once.breaks(
                                    REQUIREMENT,
                                    step,
                                    Broken { cause, at: at.clone(), actual, ..Broken::default() },
                                );
                            }
                        }
                        seen.push(candidate);
                    }
                    fault
                }
            };
            if let Some((cause, fault)) = fault {
                let broken = Broken {
                    cause,
                    at,
                    expected: None,
                    actual: format!("{}: {text}", fault.message_en),
                    hint: Some(Bilingual::new(fault.message_zh, fault.message_en)),
                };
                once.breaks(REQUIREMENT, step, broken);
            }
        }
    }
}

/// Candidates of different types or transports never share a foundation (RFC 8445 section 5.1.1.3).
fn shared(seen: &[Candidate<'_>], candidate: &Candidate<'_>) -> Option<String> {
    let other = seen.iter().find(|other| {
        let differs = other.kind != candidate.kind || !other.transport.eq_ignore_ascii_case(candidate.transport);
        other.foundation == candidate.foundation && differs
    })?;
    Some(format!(
        "the foundation {} stands for {} over {} and for {} over {}",
        candidate.foundation,
        other.kind.as_str(),
        other.transport,
        candidate.kind.as_str(),
        candidate.transport
    ))
}
