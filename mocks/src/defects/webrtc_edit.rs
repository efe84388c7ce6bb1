//! The few ways in which defects change what is said of ft.webrtc.

use fincert_schemas::bridge::{Settlement, Via};
use fincert_schemas::format::sdp::Sdp;
use serde_json::{Map, Value, json};

use crate::plan::{Action, Plan};
use crate::rtc::{About, Moment};

/// What cannot come up where the other end refuses the description, or finds another certificate.
pub(super) const NO_CALL: &[&str] = &[
    "webrtc.call.audio-only",
    "webrtc.call.candidates-by-event",
    "webrtc.call.fincert-offers",
    "webrtc.call.glare",
    "webrtc.call.no-trickle",
    "webrtc.call.receive-only",
    "webrtc.call.target-offers",
    "webrtc.call.two-connections",
    "webrtc.call.video-only",
    "webrtc.candidate.duplicate",
    "webrtc.candidate.early",
    "webrtc.candidate.late",
    "webrtc.ice.ipv6",
    "webrtc.ice.relayed-media",
];

/// What there is not where no track is added: an offer without m-lines connects nothing, and gathers nothing.
pub(super) const NO_TRACKS: &[&str] = &[
    "webrtc.call.audio-only",
    "webrtc.call.offerer-swap",
    "webrtc.call.target-offers",
    "webrtc.call.ten-renegotiations",
    "webrtc.call.two-connections",
    "webrtc.call.video-only",
    "webrtc.event.icecandidate",
    "webrtc.event.negotiationneeded",
    "webrtc.event.negotiationneeded.once",
    "webrtc.media.sent",
    "webrtc.pc.add-track.twice-or-closed",
    "webrtc.pc.create-offer.again",
    "webrtc.pc.ice-gathering-state",
    "webrtc.renegotiation.target-adds-video",
    "webrtc.sdp.msid",
];

/// Calls that do not come up where the target cannot offer.
pub(super) const TARGET_OFFERS: &[&str] = &[
    "webrtc.call.audio-only",
    "webrtc.call.candidates-by-event",
    "webrtc.call.glare",
    "webrtc.call.no-trickle",
    "webrtc.call.offerer-swap",
    "webrtc.call.receive-only",
    "webrtc.call.target-offers",
    "webrtc.call.ten-renegotiations",
    "webrtc.call.two-connections",
    "webrtc.candidate.duplicate",
    "webrtc.candidate.early",
    "webrtc.candidate.late",
    "webrtc.ice.ipv6",
    "webrtc.ice.relayed-media",
    "webrtc.renegotiation.target-adds-video",
];

/// Calls that do not come up where the target cannot answer.
pub(super) const FINCERT_OFFERS: &[&str] = &[
    "webrtc.call.candidates-by-event",
    "webrtc.call.fincert-offers",
    "webrtc.call.glare",
    "webrtc.call.offerer-swap",
    "webrtc.call.receive-only",
    "webrtc.call.ten-renegotiations",
    "webrtc.call.two-connections",
    "webrtc.call.video-only",
    "webrtc.candidate.early",
    "webrtc.ice.relayed-media",
    "webrtc.renegotiation.fincert-adds-video",
];

/// Two lists as one; `N` is the sum of their lengths.
pub(super) const fn concat<const N: usize>(left: &[&'static str], right: &[&'static str]) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < left.len() { left[at] } else { right[at - left.len()] };
        at += 1;
    }
    all
}

/// The value of a promise that a method resolves.
pub(super) fn resolved(moment: &Moment<'_>, plan: Plan, method: &str, change: impl FnOnce(&mut Value)) -> Plan {
    if !moment.calls(method) || !works(&plan) {
        return plan;
    }
    plan.rewrite(|settlement| {
        if let Some(value) = &mut settlement.value {
            change(value);
        }
    })
}

/// Whether the plan answers, and with a success.
pub(super) fn works(plan: &Plan) -> bool {
    plan.answer().is_some_and(|settlement| settlement.via.is_success())
}

/// Whether the plan answers, and with a failure.
pub(super) fn fails(plan: &Plan) -> bool {
    plan.answer().is_some_and(|settlement| !settlement.via.is_success())
}

/// A method hands its value back at once, without a promise.
pub(super) fn sync(moment: &Moment<'_>, plan: Plan, method: &str) -> Plan {
    if !moment.calls(method) || !works(&plan) {
        return plan;
    }
    plan.rewrite(|settlement| settlement.via = Via::Return)
}

/// A method that would work never answers.
pub(super) fn silent(moment: &Moment<'_>, plan: Plan, method: &str) -> Plan {
    if moment.calls(method) && works(&plan) { Plan::silent() } else { plan }
}

/// A method that would work is rejected.
pub(super) fn rejected(moment: &Moment<'_>, plan: Plan, method: &str) -> Plan {
    if moment.calls(method) && works(&plan) { reject(plan) } else { plan }
}

/// The answer is a rejection; what else the plan holds stays.
pub(super) fn reject(plan: Plan) -> Plan {
    plan.rewrite(|settlement| {
        let value = json!({"name": "OperationError", "message": "not now"});
        *settlement = Settlement { via: Via::Reject, value: Some(value) };
    })
}

/// A method that is rejected resolves instead.
pub(super) fn accepted(moment: &Moment<'_>, plan: Plan, method: &str, value: Option<Value>) -> Plan {
    if !moment.calls(method) || !fails(&plan) {
        return plan;
    }
    plan.rewrite(|settlement| *settlement = Settlement { via: Via::Resolve, value })
}

/// The fields of an event.
pub(super) fn fired(
    moment: &Moment<'_>,
    mut plan: Plan,
    kind: &str,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Plan {
    if !moment.fires(kind) {
        return plan;
    }
    let events = plan.steps.iter_mut().find_map(|step| match &mut step.action {
        Action::Event { event: Value::Object(event), .. } => Some(event),
        _ => None,
    });
    if let Some(event) = events {
        change(event);
    }
    plan
}

/// The candidate of an event `icecandidate`, unless it is the end of them.
pub(super) fn candidate(moment: &Moment<'_>, plan: Plan, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    fired(moment, plan, "icecandidate", |event| {
        if let Some(Value::Object(candidate)) = event.get_mut("candidate")
            && !candidate.is_empty()
        {
            change(candidate);
        }
    })
}

/// One field of a candidate, if it is there.
pub(super) fn candidate_field(
    moment: &Moment<'_>,
    plan: Plan,
    name: &str,
    change: impl FnOnce(&Value) -> Value,
) -> Plan {
    candidate(moment, plan, |candidate| {
        if let Some(value) = candidate.get_mut(name) {
            *value = change(value);
        }
    })
}

/// The words of a candidate's text: foundation, component, transport, priority, address, port, `typ`, type, ….
pub(super) fn candidate_words(moment: &Moment<'_>, plan: Plan, change: impl FnOnce(&mut Vec<String>)) -> Plan {
    candidate_field(moment, plan, "candidate", |text| {
        let text = text.as_str().unwrap_or_default();
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        change(&mut words);
        words.join(" ").into()
    })
}

/// An event does not fire.
pub(super) fn unfired(moment: &Moment<'_>, plan: Plan, kind: &str) -> Plan {
    if moment.fires(kind) { Plan::silent() } else { plan }
}

/// An event of the connection that is at hand.
pub(super) fn event(moment: &Moment<'_>, kind: &str, event: Value) -> Action {
    Action::Event { this: moment.this.to_owned(), kind: kind.to_owned(), event }
}

/// What a property reads.
pub(super) fn property(moment: &Moment<'_>, mut plan: Plan, name: &str, change: impl FnOnce(&mut Value)) -> Plan {
    if !moment.reads(name) {
        return plan;
    }
    let value = plan.steps.iter_mut().find_map(|step| match &mut step.action {
        Action::Result(result) => result.get_mut("value"),
        _ => None,
    });
    if let Some(value) = value {
        change(value);
    }
    plan
}

/// What a property of an open connection reads.
pub(super) fn while_open(moment: &Moment<'_>, plan: Plan, name: &str, value: Value) -> Plan {
    if moment.past.closed { plan } else { property(moment, plan, name, |read| *read = value) }
}

/// `undefined`.
pub(super) fn undefined() -> Value {
    json!({"$undefined": true})
}

/// Whose text an edit of SDP changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Offers,
    Answers,
    Both,
}

/// The text of the connection's own descriptions, as createOffer and createAnswer give it and as properties show it.
pub(super) fn local_sdp(moment: &Moment<'_>, plan: Plan, of: Of, change: impl FnOnce(&str) -> String) -> Plan {
    let edit = |value: &mut Value| {
        let kind = value.get("type").and_then(Value::as_str);
        let wanted = match of {
            Of::Offers => kind == Some("offer"),
            Of::Answers => kind == Some("answer"),
            Of::Both => true,
        };
        if let Some(Value::String(sdp)) = value.get_mut("sdp").filter(|_| wanted) {
            *sdp = change(sdp);
        }
    };
    match moment.about {
        About::Call(method @ ("createOffer" | "createAnswer"), _) => resolved(moment, plan, method, edit),
        About::Property(name @ ("localDescription" | "currentLocalDescription")) => property(moment, plan, name, edit),
        _ => plan,
    }
}

/// Whether it is the first local description, or of the time before there was one. The version of the o-line tells, so
/// that a property shows what was told, whenever it is read.
pub(super) fn is_first(moment: &Moment<'_>, text: &str) -> bool {
    let version = |text: &str| Sdp::read(text).origin().map(|origin| origin.version.to_owned());
    moment.past.first_local.as_deref().is_none_or(|first| version(first) == version(text))
}

/// Each line of the connection's own descriptions; `None` takes it away.
pub(super) fn local_lines(moment: &Moment<'_>, plan: Plan, of: Of, change: impl FnMut(&str) -> Option<String>) -> Plan {
    local_sdp(moment, plan, of, |sdp| crate::rtc::sdp::lines(sdp, change))
}

/// The same line.
pub(super) fn same(line: &str) -> Option<String> {
    Some(line.to_owned())
}
