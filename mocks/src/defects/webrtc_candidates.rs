//! Defects of candidates: of what the event `icecandidate` carries, and of addIceCandidate (3.2).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Defect;
use super::webrtc_edit::{accepted, candidate, candidate_field, candidate_words, fired, rejected, sync, works};
use crate::plan::Plan;
use crate::rtc::{Moment, Refusal, Task};

const ADD: &str = "addIceCandidate";
/// A candidate that comes so long after the answer is late.
const TOO_LATE: Duration = Duration::from_millis(400);

/// What a candidate lacks that is no object.
const NO_TEXT: &[&str] = &[
    "webrtc.candidate.own-keys",
    "webrtc.call.candidates-by-event",
    "webrtc.candidate.address",
    "webrtc.candidate.agrees",
    "webrtc.candidate.candidate",
    "webrtc.candidate.mid-or-index",
    "webrtc.candidate.priority",
    "webrtc.candidate.sdp-m-line-index",
    "webrtc.candidate.sdp-mid",
    "webrtc.candidate.type",
    "webrtc.event.icecandidate.end",
    "webrtc.ice.relay-only",
    "webrtc.ice.relayed-media",
];

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "candidate-text-alone",
        ["icecandidate 事件的 candidate 为字符串", "the candidate of icecandidate is a string"],
        &["webrtc.event.icecandidate"],
        |moment, plan| {
            fired(moment, plan, "icecandidate", |event| {
                if let Some(text) = event.get("candidate").and_then(|candidate| candidate.get("candidate")).cloned() {
                    event.insert("candidate".to_owned(), text);
                }
            })
        },
    )
    .also(NO_TEXT),
    Defect::says(
        "candidate-fields-hidden",
        [
            "candidate 的字段不是自身可枚举的键，只得到 {}",
            "the fields of a candidate are not its own: what is left is {}",
        ],
        &["webrtc.candidate.own-keys"],
        |moment, plan| candidate(moment, plan, Map::clear),
    )
    .also(HIDDEN),
    Defect::says(
        "candidate-without-text",
        ["candidate 对象没有 candidate 字符串", "a candidate has no text"],
        &["webrtc.candidate.candidate"],
        |moment, plan| without(moment, plan, &["candidate"]),
    )
    .also(&[
        "webrtc.call.candidates-by-event",
        "webrtc.candidate.agrees",
        "webrtc.candidate.priority",
        "webrtc.event.icecandidate",
        "webrtc.event.icecandidate.end",
        "webrtc.ice.relay-only",
        "webrtc.ice.relayed-media",
    ]),
    Defect::says(
        "candidate-without-mid-and-index",
        ["candidate 既没有 sdpMid 也没有 sdpMLineIndex", "a candidate has neither sdpMid nor sdpMLineIndex"],
        &["webrtc.candidate.mid-or-index"],
        |moment, plan| without(moment, plan, &["sdpMid", "sdpMLineIndex"]),
    )
    .also(&["webrtc.candidate.sdp-mid", "webrtc.candidate.sdp-m-line-index", "webrtc.call.candidates-by-event"]),
    Defect::says(
        "candidate-without-mid",
        ["candidate 没有 sdpMid", "a candidate has no sdpMid"],
        &["webrtc.candidate.sdp-mid"],
        |moment, plan| without(moment, plan, &["sdpMid"]),
    ),
    Defect::says(
        "candidate-mid-number",
        ["candidate 的 sdpMid 为数字", "the sdpMid of a candidate is a number"],
        &["webrtc.candidate.sdp-mid"],
        |moment, plan| candidate_field(moment, plan, "sdpMid", |_| 0.into()),
    ),
    Defect::says(
        "candidate-without-index",
        ["candidate 没有 sdpMLineIndex", "a candidate has no sdpMLineIndex"],
        &["webrtc.candidate.sdp-m-line-index"],
        |moment, plan| without(moment, plan, &["sdpMLineIndex"]),
    ),
    Defect::says(
        "candidate-index-text",
        ["candidate 的 sdpMLineIndex 为字符串", "the sdpMLineIndex of a candidate is a string"],
        &["webrtc.candidate.sdp-m-line-index"],
        |moment, plan| candidate_field(moment, plan, "sdpMLineIndex", |index| index.to_string().into()),
    ),
    Defect::says(
        "candidate-without-address",
        ["candidate 没有 address", "a candidate has no address"],
        &["webrtc.candidate.address"],
        |moment, plan| without(moment, plan, &["address"]),
    ),
    Defect::says(
        "candidate-without-type",
        ["candidate 没有 type", "a candidate has no type"],
        &["webrtc.candidate.type"],
        |moment, plan| without(moment, plan, &["type"]),
    ),
    Defect::says(
        "candidate-type-unknown",
        ["candidate 的 type 为 local", "the type of a candidate is local"],
        &["webrtc.candidate.type"],
        |moment, plan| candidate_field(moment, plan, "type", |_| "local".into()),
    )
    .also(&["webrtc.candidate.agrees"]),
    Defect::says(
        "candidate-address-disagrees",
        ["candidate 的 address 与其字符串不符", "the address of a candidate is not that of its text"],
        &["webrtc.candidate.agrees"],
        |moment, plan| candidate_field(moment, plan, "address", |_| "192.0.2.1".into()),
    ),
    Defect::says(
        "candidate-type-disagrees",
        ["candidate 的 type 与其字符串不符", "the type of a candidate is not that of its text"],
        &["webrtc.candidate.agrees"],
        |moment, plan| {
            candidate_field(moment, plan, "type", |kind| (if kind == "srflx" { "host" } else { "srflx" }).into())
        },
    ),
    Defect::says(
        "candidate-index-wrong",
        ["candidate 的 sdpMLineIndex 超出 SDP 的 m 行", "the sdpMLineIndex of a candidate is beyond the m-lines"],
        &["webrtc.candidate.agrees"],
        |moment, plan| candidate_field(moment, plan, "sdpMLineIndex", |_| 9.into()),
    )
    .also(&["webrtc.call.candidates-by-event"]),
    Defect::says(
        "candidate-priority-too-large",
        ["candidate 的 priority 大于 2^31−1", "the priority of a candidate is above 2^31−1"],
        &["webrtc.candidate.priority"],
        |moment, plan| {
            candidate_words(moment, plan, |words| {
                if let Some(priority) = words.get_mut(3) {
                    *priority = "4294967295".to_owned();
                }
            })
        },
    ),
    Defect::says(
        "candidate-foundation-wrong",
        [
            "candidate 的 foundation 含有不允许的字符",
            "the foundation of a candidate has a character that may not stand there",
        ],
        &["webrtc.candidate.priority"],
        |moment, plan| {
            candidate_words(moment, plan, |words| {
                if let Some(foundation) = words.first_mut() {
                    *foundation += "_";
                }
            })
        },
    ),
    Defect::says(
        "add-candidate-rejected",
        ["addIceCandidate 拒绝有效的候选", "addIceCandidate rejects a valid candidate"],
        &["webrtc.pc.add-ice-candidate"],
        |moment, plan| if is_empty(moment) { plan } else { rejected(moment, plan, ADD) },
    )
    .also(&["webrtc.candidate.duplicate", "webrtc.candidate.early", "webrtc.candidate.late"]),
    Defect::says(
        "add-candidate-sync",
        ["addIceCandidate 直接返回，而非 Promise", "addIceCandidate returns at once and no promise"],
        &["webrtc.pc.add-ice-candidate.promise"],
        |moment, plan| sync(moment, plan, ADD),
    ),
    Defect::says(
        "empty-candidate-rejected",
        ["addIceCandidate 拒绝空的 candidate", "addIceCandidate rejects an empty candidate"],
        &["webrtc.pc.add-ice-candidate.empty"],
        |moment, plan| if is_empty(moment) { rejected(moment, plan, ADD) } else { plan },
    ),
    Defect::says(
        "empty-candidate-object-rejected",
        ["addIceCandidate 拒绝 {}", "addIceCandidate rejects {}"],
        &["webrtc.pc.add-ice-candidate.empty"],
        |moment, plan| match moment.argument(0) {
            Some(Value::Object(object)) if object.is_empty() => rejected(moment, plan, ADD),
            _ => plan,
        },
    ),
    Defect::says(
        "candidate-before-remote-accepted",
        ["设置远端描述之前 addIceCandidate 也成功", "addIceCandidate succeeds before a remote description"],
        &["webrtc.pc.add-ice-candidate.before-remote-description"],
        |moment, plan| match moment.properties.get("remoteDescription").is_some_and(Value::is_null) {
            true if !moment.past.closed => accepted(moment, plan, ADD, None),
            _ => plan,
        },
    ),
    Defect::says(
        "malformed-candidate-accepted",
        ["格式错误的 candidate 也被接受", "a malformed candidate is accepted"],
        &["webrtc.pc.add-ice-candidate.invalid"],
        |moment, plan| {
            invalid(moment, plan, |candidate| candidate["candidate"].as_str().is_some_and(|c| c.contains("bogus")))
        },
    ),
    Defect::says(
        "candidate-of-unknown-mid-accepted",
        ["mid 未知的 candidate 也被接受", "a candidate with an unknown mid is accepted"],
        &["webrtc.pc.add-ice-candidate.invalid"],
        |moment, plan| {
            invalid(moment, plan, |candidate| candidate.get("sdpMid").is_some_and(|mid| mid != "0" && mid != "1"))
        },
    ),
    Defect::says(
        "candidate-twice-rejected",
        ["重复的 candidate 被拒绝", "a candidate that comes twice is rejected"],
        &["webrtc.candidate.duplicate"],
        |moment, plan| {
            let text = moment.field("candidate").and_then(Value::as_str).unwrap_or("none");
            let twice = moment.past.taken.iter().filter(|taken| *taken == text).count() > 1;
            if twice { rejected(moment, plan, ADD) } else { plan }
        },
    )
    .also(&["webrtc.pc.add-ice-candidate"]),
    Defect::does(
        "early-candidate-lost",
        ["应答之前收到的 candidate 被拒绝", "a candidate that comes before the answer is rejected"],
        &["webrtc.candidate.early"],
        |moment, task| match task {
            Task::AddCandidate(Some(_)) if moment.truly("signalingState") == "have-remote-offer" => {
                Task::reject(&Refusal::of_state("not before the answer"))
            }
            other => other,
        },
    )
    .also(&["webrtc.pc.add-ice-candidate"]),
    Defect::does(
        "late-candidate-rejected",
        ["应答之后 0.4 秒才收到的 candidate 被拒绝", "a candidate that comes 0.4 s after the answer is rejected"],
        &["webrtc.candidate.late"],
        |moment, task| match task {
            Task::AddCandidate(Some(_)) if moment.since_answer.is_some_and(|since| since > TOO_LATE) => {
                Task::reject(&Refusal::of_state("too late"))
            }
            other => other,
        },
    )
    .also(&["webrtc.pc.add-ice-candidate", "webrtc.candidate.duplicate", "webrtc.candidate.early"]),
];

/// What is missing where the fields of a candidate cannot be seen.
const HIDDEN: &[&str] = &[
    "webrtc.call.candidates-by-event",
    "webrtc.candidate.candidate",
    "webrtc.candidate.mid-or-index",
    "webrtc.event.icecandidate",
    "webrtc.event.icecandidate.end",
    "webrtc.ice.relay-only",
    "webrtc.ice.relayed-media",
];

fn without(moment: &Moment<'_>, plan: Plan, names: &[&str]) -> Plan {
    candidate(moment, plan, |candidate| {
        for name in names {
            candidate.shift_remove(*name);
        }
    })
}

/// Whether addIceCandidate is told the end of candidates.
fn is_empty(moment: &Moment<'_>) -> bool {
    moment.field("candidate").is_none_or(|text| *text == json!("") || text.is_null())
}

/// A candidate that is refused for what it is, and not for where the connection stands.
fn invalid(moment: &Moment<'_>, plan: Plan, which: impl FnOnce(&Value) -> bool) -> Plan {
    let stands = !moment.past.closed && moment.properties.get("remoteDescription").is_some_and(Value::is_object);
    match moment.argument(0).filter(|_| stands) {
        Some(candidate) if !works(&plan) && which(candidate) => accepted(moment, plan, ADD, None),
        _ => plan,
    }
}
