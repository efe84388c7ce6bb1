//! Clause 3.2: the events of a connection: that they come, when, and what they carry beside their tables.

use fincert_schemas::run::flow::{Await, Flow, Network};
use serde_json::{Map, Value};

use super::answers::{quote, wanted};
use super::states::{Step, closed_at, sets_description, steps};
use super::view::{Emitted, Pc, Read, Rtc};
use crate::judge::{Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-listen",
        about: "addEventListener takes each of the five events.",
        requirements: &["webrtc.pc.add-event-listener"],
        run: listen,
    },
    Check {
        id: "webrtc-icecandidate",
        about: "icecandidate brings each local candidate, not before setLocalDescription, with nothing but the candidate; its end is told.",
        requirements: &[
            "webrtc.event.icecandidate",
            "webrtc.event.icecandidate.only-candidate",
            "webrtc.event.icecandidate.after-local-description",
            "webrtc.event.icecandidate.end",
            "webrtc.candidate.own-keys",
        ],
        run: candidates,
    },
    Check {
        id: "webrtc-ice-event",
        about: "iceconnectionstatechange fires when iceConnectionState changes, and carries the state after the change.",
        requirements: &[
            "webrtc.event.iceconnectionstatechange",
            "webrtc.event.iceconnectionstatechange.ice-connection-state",
        ],
        run: ice,
    },
    Check {
        id: "webrtc-negotiationneeded",
        about: "negotiationneeded fires after addTrack, once for a batch.",
        requirements: &["webrtc.event.negotiationneeded", "webrtc.event.negotiationneeded.once"],
        run: negotiation,
    },
    Check {
        id: "webrtc-signaling-event",
        about: "signalingstatechange fires for each change, with the state after it, before the promise of the description resolves.",
        requirements: &[
            "webrtc.event.signalingstatechange",
            "webrtc.event.signalingstatechange.signaling-state",
            "webrtc.event.signalingstatechange.before-promise",
        ],
        run: signaling,
    },
];

fn listen(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.add-event-listener";
    let Some(rtc) = &view.rtc else { return };
    for listened in &rtc.listened {
        let Some(why) = listened.refused else {
            sink.holds(REQUIREMENT);
            continue;
        };
        let expected = (format!("可以监听 {}", listened.kind), format!("{} can be listened to", listened.kind));
        let broken = wanted(&format!("listen:{}", listened.kind), (&expected.0, &expected.1), why.to_owned());
        sink.breaks(REQUIREMENT, rtc.step_at(listened.at), broken);
    }
}

/// Events that came in time.
fn timely<'v, 'a>(pc: Pc<'v, 'a>, kind: &'v str) -> impl Iterator<Item = &'v Emitted<'a>> {
    pc.events(kind).filter(|event| event.known && !event.late)
}

/// The candidate of an event: `None` where it marks the end of gathering.
fn candidate<'a>(event: &Emitted<'a>) -> Option<&'a Value> {
    let candidate = event.value().get("candidate").filter(|candidate| !candidate.is_null())?;
    let object = candidate.as_object();
    let ends = object.is_some_and(|object| object.is_empty() || object.get("candidate").is_some_and(|text| text == ""));
    (!ends).then_some(candidate)
}

fn candidates(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let Some(set) = pc.calls_of("setLocalDescription").next() else { continue };
        if !pc.listens("icecandidate", set.at) {
            continue;
        }
        early(rtc, sink, pc, set.at);
        fields(rtc, sink, pc);
        // The rest speaks of a gathering that was begun and waited for.
        if set.succeeded() && set.purpose.is_none() && is_gathered(rtc, pc, set.at) {
            // With a wrong credential there is nothing to gather.
            let some = rtc.with.network != Network::RelayWrongCredential;
            gathered(sink, pc, set.step, some);
        }
    }
}

fn early(rtc: &Rtc<'_>, sink: &mut Sink<'_>, pc: Pc<'_, '_>, set: usize) {
    const REQUIREMENT: &str = "webrtc.event.icecandidate.after-local-description";
    match timely(pc, "icecandidate").next() {
        Some(event) if event.at < set => {
            let expected = ("setLocalDescription 之后才触发", "none before setLocalDescription");
            let actual = "icecandidate before setLocalDescription".to_owned();
            sink.breaks(REQUIREMENT, rtc.step_at(event.at), wanted("icecandidate:early", expected, actual));
        }
        Some(_) => sink.holds(REQUIREMENT),
        None => {}
    }
}

fn fields(rtc: &Rtc<'_>, sink: &mut Sink<'_>, pc: Pc<'_, '_>) {
    const REQUIREMENT: &str = "webrtc.event.icecandidate.only-candidate";
    let more = |event: &Emitted<'_>| -> Vec<String> {
        let keys = event.value().as_object().into_iter().flatten().map(|(key, _)| key);
        keys.filter(|key| *key != "candidate").take(8).cloned().collect()
    };
    let mut events = timely(pc, "icecandidate").peekable();
    if events.peek().is_none() {
        return;
    }
    match events.map(|event| (event, more(event))).find(|(_, more)| !more.is_empty()) {
        None => sink.holds(REQUIREMENT),
        Some((event, more)) => {
            let actual = format!("also {}", more.join(", "));
            let broken = wanted("icecandidate:more", ("仅有 candidate", "candidate alone"), actual);
            sink.breaks(REQUIREMENT, rtc.step_at(event.at), broken);
        }
    }
}

/// Whether gathering came to its end, by the property or by what an event told.
fn is_gathered(rtc: &Rtc<'_>, pc: Pc<'_, '_>, set: usize) -> bool {
    let until = closed_at(pc).unwrap_or(rtc.end);
    let complete =
        pc.reads("iceGatheringState").any(|read| read.at > set && read.at < until && read.text() == Some("complete"));
    complete || timely(pc, "icecandidate").any(|event| event.at > set && event.at < until && candidate(event).is_none())
}

fn gathered(sink: &mut Sink<'_>, pc: Pc<'_, '_>, step: u32, expects: bool) {
    let (some, ends): (Vec<_>, Vec<_>) = timely(pc, "icecandidate").partition(|event| candidate(event).is_some());
    match ends.first() {
        Some(_) => sink.holds("webrtc.event.icecandidate.end"),
        None => {
            let expected = ("candidate 为 null、缺省或 {} 的事件", "an event whose candidate is null, absent or {}");
            let actual = format!("iceGatheringState complete, and none among {} events", some.len());
            sink.breaks("webrtc.event.icecandidate.end", step, wanted("icecandidate:end", expected, actual));
        }
    }
    let own = |event: &&&Emitted<'_>| candidate(event).is_some_and(|c| c.get("candidate").is_some());
    if some.iter().any(|event| own(&event)) {
        sink.holds("webrtc.event.icecandidate");
        sink.holds("webrtc.candidate.own-keys");
        return;
    }
    if !expects {
        return;
    }
    // An instance of a class has no keys of its own: every candidate looks like the end.
    let is_hollow = |event: &&&Emitted<'_>| event.value().get("candidate") == Some(&Value::Object(Map::new()));
    // Where a candidate shows some field, its fields are its own; a restart has an end of its own.
    let hollow = if some.is_empty() { ends.iter().filter(is_hollow).count() } else { 0 };
    let cause = if hollow > 1 { "candidate-without-keys" } else { "icecandidate:none" };
    if hollow > 1 {
        let expected = ("字段是 candidate 自身可枚举的键", "fields that are own enumerable keys of the candidate");
        let actual = format!("{hollow} events with an empty candidate, and none with a field");
        sink.breaks("webrtc.candidate.own-keys", step, wanted(cause, expected, actual));
    }
    let expected = ("每个本地候选触发一次，带有 candidate", "one for each local candidate, carrying candidate");
    let actual = format!("none with a candidate among {} events", some.len() + ends.len());
    sink.breaks("webrtc.event.icecandidate", step, wanted(cause, expected, actual));
}

fn ice(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    // A call that did not come up may end anywhere between two states.
    let Some(up) = rtc.awaited.iter().find(|awaited| awaited.what == Await::PeerConnected && awaited.met) else {
        return;
    };
    for pc in rtc.connections() {
        let until = closed_at(pc).unwrap_or(rtc.end);
        let changed = pc.reads("iceConnectionState").find(|read| {
            let is_new = matches!(read.text(), Some("connected" | "completed" | "failed"));
            is_new && (up.at..until).contains(&read.at)
        });
        if let Some(read) = changed.filter(|_| pc.listens(ICE, until)) {
            let time =
                |at: usize| view.transcript.events.get(at).or(view.transcript.events.last()).map_or(0, |e| e.at_us);
            let had_time = time(until).saturating_sub(time(read.at)) >= ICE_TELLS_US;
            ice_told(rtc, sink, pc, read, until, had_time);
        }
    }
}

/// How long a connection must stay open after a property showed a state before the event of it is missed: the property may
/// be ahead of the event, and a close overtakes it.
const ICE_TELLS_US: u64 = 500_000;

const ICE: &str = "iceconnectionstatechange";

/// Whether an event told of the state that a property has come to, or at least of a change.
fn ice_told(rtc: &Rtc<'_>, sink: &mut Sink<'_>, pc: Pc<'_, '_>, read: &Read<'_>, until: usize, had_time: bool) {
    const FIRES: &str = "webrtc.event.iceconnectionstatechange";
    let events: Vec<_> = timely(pc, ICE).filter(|event| event.at < until).collect();
    let told: Vec<_> =
        events.iter().map(|event| event.value().get("iceConnectionState").and_then(Value::as_str)).collect();
    let reached = |state: &Option<&str>| matches!(state, Some("connected" | "completed" | "failed" | "disconnected"));
    if told.iter().any(reached) {
        return sink.holds(FIRES);
    }
    if !had_time {
        return;
    }
    let Some((event, last)) = events.last().zip(told.last().copied()) else {
        let actual = format!("iceConnectionState became {}, and no event fired", quote(read.value()));
        let expected = ("状态变化时触发事件", "an event when the state changes");
        return sink.breaks(FIRES, rtc.step_at(read.at), wanted(ICE, expected, actual));
    };
    // A field that is not there, or is no state, is for the table's check.
    let Some(last) = last else { return };
    let before = told.len().checked_sub(2).and_then(|index| told[index]).unwrap_or("new");
    let actual = format!("{last} in the last event, while the property is {}", quote(read.value()));
    if last == before {
        let broken = wanted("iceconnectionstatechange:state", ("变化后的状态", "the state after the change"), actual);
        sink.breaks("webrtc.event.iceconnectionstatechange.ice-connection-state", rtc.step_at(event.at), broken);
    } else {
        let expected = ("状态变化时触发事件", "an event when the state changes");
        sink.breaks(FIRES, rtc.step_at(read.at), wanted("iceconnectionstatechange:missed", expected, actual));
    }
}

/// Only a connection that is left alone after addTrack tells: where an offer follows at once, the event may come late
/// or, since nothing is needed any more, never.
fn negotiation(view: &View<'_>, sink: &mut Sink<'_>) {
    const KIND: &str = "negotiationneeded";
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let Some(first) = pc.calls_of("addTrack").find(|call| call.succeeded() && call.purpose.is_none()) else {
            continue;
        };
        let next = pc.calls().find(|call| sets_description(call) || call.name == "close");
        let until = next.map_or(rtc.end, |call| call.at);
        if !pc.listens(KIND, first.at) || until < first.at {
            continue;
        }
        let count = timely(pc, KIND).filter(|event| (first.at..until).contains(&event.at)).count();
        if count > 1 {
            let actual = format!("{count} events for one batch of addTrack");
            let broken = wanted("negotiationneeded:repeated", ("一次", "one event"), actual);
            sink.breaks("webrtc.event.negotiationneeded.once", first.step, broken);
        }
        if count > 0 {
            sink.holds("webrtc.event.negotiationneeded");
        }
        if rtc.flow != Flow::Connection {
            continue;
        }
        match count {
            0 => {
                let broken = wanted("negotiationneeded", ("触发事件", "the event"), "none after addTrack".to_owned());
                sink.breaks("webrtc.event.negotiationneeded", first.step, broken);
            }
            1 => sink.holds("webrtc.event.negotiationneeded.once"),
            _ => {}
        }
    }
}

fn signaling(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let mut state = "stable";
        for step in steps(pc) {
            if step.state() != state && pc.listens("signalingstatechange", step.call.at) {
                changed(rtc, sink, pc, &step);
            }
            state = step.state();
        }
    }
}

fn changed(rtc: &Rtc<'_>, sink: &mut Sink<'_>, pc: Pc<'_, '_>, step: &Step<'_, '_>) {
    const FIRES: &str = "webrtc.event.signalingstatechange";
    let span = step.call.at..step.until;
    let Some(event) = timely(pc, "signalingstatechange").find(|event| span.contains(&event.at)) else {
        let actual = format!("none for {}({})", step.call.name, step.kind);
        sink.breaks(
            FIRES,
            step.call.step,
            wanted("signalingstatechange", ("状态变化时触发事件", "an event when the state changes"), actual),
        );
        return;
    };
    sink.holds(FIRES);
    // A field that is not there, or is no state, is for the table's check.
    if let Some(told) = event.value().get("signalingState").and_then(Value::as_str).filter(|told| *told != step.state())
    {
        let actual = format!("{} after {}({})", quote(Some(&Value::from(told))), step.call.name, step.kind);
        let broken = wanted("signalingstatechange:state", (step.state(), step.state()), actual);
        sink.breaks("webrtc.event.signalingstatechange.signaling-state", rtc.step_at(event.at), broken);
    }
    const BEFORE: &str = "webrtc.event.signalingstatechange.before-promise";
    if event.at < step.from {
        sink.holds(BEFORE);
    } else {
        let expected = ("先于 Promise 兑现", "before the promise resolves");
        let actual = format!("after the promise of {}({})", step.call.name, step.kind);
        sink.breaks(BEFORE, step.call.step, wanted("signalingstatechange:late", expected, actual));
    }
}
