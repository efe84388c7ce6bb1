//! The tables of section 3: results, properties and events, by the schemas' own marks.

use std::collections::HashSet;

use fincert_schemas::Bilingual;
use fincert_schemas::run::{Captured, Fact};

use super::answers::{Became, became, no_value};
use super::states::is_settled;
use super::view::{Rtc, RtcCall};
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "webrtc-table",
    about: "Every row of the tables of results, properties and events: present, of its type, within its values.",
    requirements: &[
        "webrtc.media-devices.enumerate-devices.result",
        "webrtc.media-devices.enumerate-devices.device",
        "webrtc.media-devices.enumerate-devices.kind",
        "webrtc.media-devices.get-supported-constraints.result",
        "webrtc.media-devices.get-supported-constraints.values",
        "webrtc.stream",
        "webrtc.stream.stream-id",
        "webrtc.stream.stream-id.not-empty",
        "webrtc.stream.get-tracks",
        "webrtc.track.kind",
        "webrtc.pc.create-offer.result",
        "webrtc.pc.create-answer.result",
        "webrtc.pc.get-configuration",
        "webrtc.pc.can-trickle-ice-candidates",
        "webrtc.pc.conection-state",
        "webrtc.pc.current-local-description",
        "webrtc.pc.current-remote-description",
        "webrtc.pc.ice-connection-state",
        "webrtc.pc.ice-gathering-state",
        "webrtc.pc.local-description",
        "webrtc.pc.remote-description",
        "webrtc.pc.signaling-state",
        "webrtc.event.icecandidate",
        "webrtc.event.iceconnectionstatechange",
        "webrtc.event.iceconnectionstatechange.ice-connection-state",
        "webrtc.event.iceconnectionstatechange.time-stamp",
        "webrtc.event.signalingstatechange",
        "webrtc.event.signalingstatechange.signaling-state",
        "webrtc.event.track",
        "webrtc.event.track.streams",
        "webrtc.event.track.stream-id",
        "webrtc.candidate.candidate",
        "webrtc.candidate.mid-or-index",
        "webrtc.candidate.sdp-mid",
        "webrtc.candidate.sdp-m-line-index",
        "webrtc.candidate.address",
        "webrtc.candidate.type",
    ],
    run: tables,
}];

/// What a well-formed value alone does not show: that a promise gave it, that it is the one that was given, that the
/// event came when it should, that a method is there as well.
const MORE_THAN_FORM: [&str; 7] = [
    "webrtc.stream",
    "webrtc.stream.get-tracks",
    "webrtc.pc.get-configuration",
    "webrtc.event.icecandidate",
    "webrtc.event.iceconnectionstatechange",
    "webrtc.event.signalingstatechange",
    "webrtc.event.track",
];

/// Methods whose result has a table, and the requirement that is broken where they give nothing at all.
const RESULTS: [(&str, &str); 7] = [
    ("enumerateDevices", "webrtc.media-devices.enumerate-devices.result"),
    ("getSupportedConstraints", "webrtc.media-devices.get-supported-constraints.result"),
    ("getUserMedia", "webrtc.stream"),
    ("getTracks", "webrtc.stream.get-tracks"),
    ("createOffer", "webrtc.pc.create-offer.result"),
    ("createAnswer", "webrtc.pc.create-answer.result"),
    ("getConfiguration", "webrtc.pc.get-configuration"),
];

/// Where a value came from.
struct Source<'a> {
    what: &'a str,
    step: u32,
    /// Whether a well-formed place shows the requirement.
    shows: bool,
}

fn tables(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    // Thirty candidates that lack the same field are one thing to mend.
    let mut told = HashSet::new();
    for call in rtc.calls.iter().filter(|call| matches!(call.purpose, None | Some("again"))) {
        result(view, sink, call, &mut told);
    }
    properties(rtc, sink, &mut told);
    for event in rtc.emitted.iter().filter(|event| event.known && rtc.pcs.contains(&event.handle)) {
        let source = Source { what: event.kind, step: rtc.step_at(event.at), shows: true };
        facts(sink, &source, event.captured, &mut told);
        if has_place(event.captured) {
            sink.holds("webrtc.candidate.mid-or-index");
        }
    }
}

/// Whether it carries a candidate with sdpMid or sdpMLineIndex: the table speaks of that where it is broken alone.
fn has_place(captured: &Captured) -> bool {
    let is_candidate = captured
        .facts
        .iter()
        .any(|fact| matches!(fact, Fact::Holds { requirement, .. } if requirement == "webrtc.candidate.candidate"));
    let breaks = captured
        .facts
        .iter()
        .any(|fact| matches!(fact, Fact::Breaks { requirement, .. } if requirement == "webrtc.candidate.mid-or-index"));
    is_candidate && !breaks
}

fn result(view: &View<'_>, sink: &mut Sink<'_>, call: &RtcCall<'_>, told: &mut HashSet<(String, String)>) {
    let Some((name, requirement)) = RESULTS.iter().find(|(name, _)| *name == call.name) else { return };
    if !matches!(became(view, call), Became::Worked(_)) {
        return;
    }
    match call.captured() {
        Some(captured) => facts(sink, &Source { what: name, step: call.step, shows: true }, captured, told),
        None => {
            sink.breaks(requirement, call.step, no_value(call));
        }
    }
}

/// Of readings that were repeated the last one counts: a property may arrive asynchronously (rulings 3.2).
fn properties(rtc: &Rtc<'_>, sink: &mut Sink<'_>, told: &mut HashSet<(String, String)>) {
    for (index, read) in rtc.reads.iter().enumerate().filter(|(index, _)| is_settled(rtc, *index)) {
        let Some(captured) = read.captured.filter(|_| rtc.pcs.contains(&rtc.reads[index].handle)) else { continue };
        let shows = read.name == "signalingState";
        facts(sink, &Source { what: read.name, step: rtc.step_at(read.at), shows }, captured, told);
    }
}

fn facts(sink: &mut Sink<'_>, source: &Source<'_>, captured: &Captured, told: &mut HashSet<(String, String)>) {
    for fact in &captured.facts {
        match fact {
            Fact::Holds { requirement, .. } if source.shows && !MORE_THAN_FORM.contains(&requirement.as_str()) => {
                sink.holds(requirement);
            }
            Fact::Breaks { requirement, at, rule, expected, actual, expected_zh } => {
                let cause = format!("webrtc:{}{}:{rule}", source.what, every(at));
                if told.insert((requirement.clone(), cause.clone())) {
                    let zh = expected_zh.clone().unwrap_or_else(|| expected.clone());
                    let broken = Broken {
                        cause,
                        at: Some(at.clone()),
                        expected: Some(Bilingual::new(zh, expected.clone())),
                        actual: actual.clone(),
                        hint: None,
                    };
                    sink.breaks(requirement, source.step, broken);
                }
            }
            Fact::Alias { requirement, at, .. } => {
                let cause = format!("webrtc:{}{}:alias", source.what, every(at));
                if told.insert((requirement.clone(), cause.clone())) {
                    sink.alias(requirement, source.step, alias(cause, source.what));
                }
            }
            _ => {}
        }
    }
}

fn alias(cause: String, name: &str) -> Broken {
    Broken {
        cause,
        at: None,
        expected: Some(Bilingual::new(
            "规范所写的属性名 conectionState",
            "the name that the specification writes, conectionState",
        )),
        actual: format!("only {name}"),
        hint: Some(Bilingual::new(
            "真实集成中常见的别名，可以通过，但请改用规范写法。",
            "An alias that real integrations use: it passes with this warning.",
        )),
    }
}

/// A pointer with every index as `*`, so that all elements share one cause.
fn every(at: &str) -> String {
    let step = |step: &str| {
        if !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit()) { "*".to_owned() } else { step.to_owned() }
    };
    at.split('/').map(step).collect::<Vec<_>>().join("/")
}
