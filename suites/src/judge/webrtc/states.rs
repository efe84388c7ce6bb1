//! Clause 3.2: what the properties of a connection say at which moment.
//!
//! Properties may arrive asynchronously (rulings 3.2). So of readings that were repeated the last one counts, and a
//! value that has not come counts only where it was waited for; one that came too early counts at once.

use serde_json::Value;

use super::answers::{quote, wanted};
use super::view::{Pc, Read, Rtc, RtcCall};
use crate::judge::{Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-signaling-state",
        about: "signalingState after each description: have-local-offer, have-remote-offer, stable.",
        requirements: &[
            "webrtc.pc.signaling-state.have-local-offer",
            "webrtc.pc.signaling-state.have-remote-offer",
            "webrtc.pc.signaling-state.stable",
        ],
        run: signaling,
    },
    Check {
        id: "webrtc-descriptions",
        about: "localDescription and remoteDescription are the pending or the current one; the current ones are null until the offer is answered.",
        requirements: &[
            "webrtc.pc.local-description",
            "webrtc.pc.remote-description",
            "webrtc.pc.current-local-description",
            "webrtc.pc.current-remote-description",
        ],
        run: descriptions,
    },
    Check {
        id: "webrtc-can-trickle",
        about: "canTrickleIceCandidates is null, and then what the ice-options of the other end say.",
        requirements: &["webrtc.pc.can-trickle-ice-candidates"],
        run: can_trickle,
    },
    Check {
        id: "webrtc-closed-states",
        about: "signalingState, iceConnectionState and conectionState are closed after close.",
        requirements: &["webrtc.pc.close.states"],
        run: closed,
    },
];

/// The properties that are closed once the connection is.
const CLOSED: [&str; 4] = ["signalingState", "iceConnectionState", "conectionState", "connectionState"];

/// A description that a connection took.
#[derive(Debug)]
pub(super) struct Step<'v, 'a> {
    /// The call.
    pub(super) call: &'v RtcCall<'a>,
    /// Whether it is the connection's own.
    pub(super) local: bool,
    /// `offer` or `answer`.
    pub(super) kind: &'a str,
    /// The text.
    pub(super) sdp: &'a str,
    /// The position of the answer.
    pub(super) from: usize,
    /// The position of what comes next: another description, close, or the end.
    pub(super) until: usize,
}

impl Step<'_, '_> {
    /// The signalling state that it leads to.
    pub(super) fn state(&self) -> &'static str {
        match (self.kind, self.local) {
            ("offer", true) => "have-local-offer",
            ("offer", false) => "have-remote-offer",
            _ => "stable",
        }
    }
}

/// Whether a call sets a description.
pub(super) fn sets_description(call: &RtcCall<'_>) -> bool {
    matches!(call.name, "setLocalDescription" | "setRemoteDescription")
}

/// The descriptions that a connection took, in order, up to close. What comes after one that should have been refused
/// and was not is left aside.
pub(super) fn steps<'v, 'a>(pc: Pc<'v, 'a>) -> Vec<Step<'v, 'a>> {
    let end = closed_at(pc).unwrap_or(pc.rtc.end);
    let mut steps: Vec<Step<'v, 'a>> = Vec::new();
    for call in pc.calls().filter(|call| sets_description(call) && call.at < end) {
        if let Some(last) = steps.last_mut().filter(|last| last.until == end) {
            last.until = call.at;
        }
        let Some(from) = call.answered_at().filter(|_| call.succeeded()) else { continue };
        if call.purpose.is_some() {
            break;
        }
        let text = |name: &str| call.request.value.get(name).and_then(Value::as_str);
        let (Some(kind), Some(sdp)) = (text("type"), text("sdp")) else { continue };
        let local = call.name == "setLocalDescription";
        // What is taken where the other end's offer waits is the answer to it, whatever it is called.
        let answers = steps.last().is_some_and(|last| last.kind == "offer" && last.local != local);
        let kind = if answers && kind == "offer" { "answer" } else { kind };
        steps.push(Step { call, local, kind, sdp, from, until: end });
    }
    steps
}

/// Where the connection was told to close.
pub(super) fn closed_at(pc: Pc<'_, '_>) -> Option<usize> {
    pc.calls_of("close").next().map(|call| call.at)
}

/// Whether a reading is the last of its kind in a row: the one that a poll ended with.
pub(super) fn is_settled(rtc: &Rtc<'_>, index: usize) -> bool {
    let (Some(read), Some(next)) = (rtc.reads.get(index), rtc.reads.get(index + 1)) else { return true };
    let between = |call: &&RtcCall<'_>| (read.at..next.at).contains(&call.at) && call.name != "addIceCandidate";
    next.handle != read.handle || next.name != read.name || rtc.calls.iter().any(|call| between(&call))
}

/// The last reading of a property within positions.
pub(super) fn last_read<'v, 'a>(pc: Pc<'v, 'a>, name: &str, from: usize, until: usize) -> Option<&'v Read<'a>> {
    pc.reads(name).filter(|read| (from..until).contains(&read.at) && read.refused.is_none()).last()
}

/// Whether the property had its time to arrive.
pub(super) fn was_awaited(read: &Read<'_>) -> bool {
    read.polls > 1
}

fn signaling(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        for step in steps(pc) {
            let requirement = format!("webrtc.pc.signaling-state.{}", step.state());
            let reads = || pc.reads("signalingState").filter(|read| (step.from..step.until).contains(&read.at));
            if reads().any(|read| read.text() == Some(step.state())) {
                sink.holds(&requirement);
                continue;
            }
            // That it is not there at all is for the check of the properties.
            if let Some(read) = reads().find(|read| was_awaited(read) && read.text().is_some()) {
                let expected = (step.state(), step.state());
                let actual = format!("{} after {}({})", quote(read.value()), step.call.name, step.kind);
                let cause = format!("signalingState:{}", step.state());
                sink.breaks(&requirement, step.call.step, wanted(&cause, expected, actual));
            }
        }
    }
}

fn descriptions(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let steps = steps(pc);
        for (index, step) in steps.iter().enumerate() {
            // In a later exchange those of the exchange before are in force, or still shown.
            let first = index < 2;
            if step.kind == "offer" {
                shows(sink, pc, (step, step), first, if step.local { "localDescription" } else { "remoteDescription" });
                if index == 0 {
                    stays_null(sink, pc, step);
                }
                continue;
            }
            let Some(offer) = index.checked_sub(1).and_then(|before| steps.get(before)) else { continue };
            if offer.kind != "offer" || offer.local == step.local {
                continue;
            }
            let (local, remote) = if step.local { (step, offer) } else { (offer, step) };
            for name in ["localDescription", "currentLocalDescription"] {
                shows(sink, pc, (step, local), first, name);
            }
            for name in ["remoteDescription", "currentRemoteDescription"] {
                shows(sink, pc, (step, remote), first, name);
            }
        }
    }
}

fn requirement_of(name: &str) -> &'static str {
    match name {
        "localDescription" => "webrtc.pc.local-description",
        "remoteDescription" => "webrtc.pc.remote-description",
        "currentLocalDescription" => "webrtc.pc.current-local-description",
        _ => "webrtc.pc.current-remote-description",
    }
}

/// Whether a property shows the description that was set, once the step was taken.
fn shows(sink: &mut Sink<'_>, pc: Pc<'_, '_>, (taken, set): (&Step<'_, '_>, &Step<'_, '_>), first: bool, name: &str) {
    let Some(read) = last_read(pc, name, taken.from, taken.until) else { return };
    // That it is not there at all is for the check of the properties.
    let Some(value) = read.value() else { return };
    let requirement = requirement_of(name);
    let is_it = value.get("type").and_then(Value::as_str) == Some(set.kind)
        && value.get("sdp").and_then(Value::as_str).is_some_and(|sdp| same_session(pc.rtc, sdp, set.sdp));
    if is_it {
        sink.holds(requirement);
    } else if (first && value.is_object()) || was_awaited(read) {
        let expected = (format!("所设置的 {}", set.kind), format!("the {} that was set", set.kind));
        let actual = match value.get("type").and_then(Value::as_str) {
            Some(kind) if kind == set.kind => format!("another {kind}, after {}({})", taken.call.name, taken.kind),
            _ => format!("{}, after {}({})", quote(Some(value)), taken.call.name, taken.kind),
        };
        let broken = wanted(&format!("{name}:not-the-one-set"), (&expected.0, &expected.1), actual);
        sink.breaks(requirement, taken.call.step, broken);
    }
}

/// Whether two texts describe one session: by the session id of the o-line (RFC 8866 section 5.2). An implementation
/// may write the rest anew.
fn same_session<'a>(rtc: &Rtc<'a>, a: &'a str, b: &'a str) -> bool {
    let id = |text| rtc.sdp(text).origin().map(|origin| origin.session_id);
    match (id(a), id(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// The current descriptions are null until the first offer is answered.
fn stays_null(sink: &mut Sink<'_>, pc: Pc<'_, '_>, step: &Step<'_, '_>) {
    for name in ["currentLocalDescription", "currentRemoteDescription"] {
        let Some(read) = last_read(pc, name, step.from, step.until) else { continue };
        match read.value() {
            Some(Value::Null) => sink.holds(requirement_of(name)),
            Some(value) => {
                let actual = format!("{} before the offer is answered", quote(Some(value)));
                let broken = wanted(&format!("{name}:too-early"), ("null", "null"), actual);
                sink.breaks(requirement_of(name), step.call.step, broken);
            }
            None => {}
        }
    }
}

fn can_trickle(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.can-trickle-ice-candidates";
    const NAME: &str = "canTrickleIceCandidates";
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let steps = steps(pc);
        let remote: Vec<_> = steps.iter().filter(|step| !step.local).collect();
        let attempted = pc.calls_of("setRemoteDescription").next().map_or(rtc.end, |call| call.at);
        if let Some(read) = last_read(pc, NAME, 0, attempted.min(closed_at(pc).unwrap_or(rtc.end))) {
            match read.value() {
                Some(Value::Null) => sink.holds(REQUIREMENT),
                Some(value) => {
                    let actual = format!("{} before a remote description is set", quote(Some(value)));
                    sink.breaks(
                        REQUIREMENT,
                        rtc.step_at(read.at),
                        wanted("canTrickle:early", ("null", "null"), actual),
                    );
                }
                None => {}
            }
        }
        for (index, step) in remote.iter().enumerate() {
            let until = remote.get(index + 1).map_or(closed_at(pc).unwrap_or(rtc.end), |next| next.call.at);
            let Some(read) = last_read(pc, NAME, step.from, until) else { continue };
            let trickles = rtc.sdp(step.sdp).trickles();
            match read.value() {
                Some(Value::Bool(says)) if *says == trickles => sink.holds(REQUIREMENT),
                Some(value) if value.is_boolean() || was_awaited(read) => {
                    let (zh, en) = match trickles {
                        true => (
                            "true：对端的 SDP 有 a=ice-options:trickle",
                            "true: the other end's SDP has a=ice-options:trickle",
                        ),
                        false => (
                            "false：对端的 SDP 没有 a=ice-options:trickle",
                            "false: the other end's SDP has no a=ice-options:trickle",
                        ),
                    };
                    let actual = format!("{} after {}", quote(Some(value)), step.call.name);
                    sink.breaks(REQUIREMENT, step.call.step, wanted("canTrickle:value", (zh, en), actual));
                }
                _ => {}
            }
        }
    }
}

/// The closed states of a connection, as far as they were read after close: each property with what it said last.
pub(super) fn closed_reads<'v, 'a>(pc: Pc<'v, 'a>) -> Vec<&'v Read<'a>> {
    let Some(at) = pc.calls_of("close").find(|call| call.succeeded()).and_then(RtcCall::answered_at) else {
        return Vec::new();
    };
    // fincert's candidates go across as they come, even now.
    let next = pc.calls().find(|call| call.at > at && (call.name != "addIceCandidate" || call.purpose.is_some()));
    let until = next.map_or(pc.rtc.end, |call| call.at);
    let reads = CLOSED.iter().filter_map(|name| last_read(pc, name, at, until));
    reads.filter(|read| read.value().is_some()).collect()
}

fn closed(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.close.states";
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        for read in closed_reads(pc) {
            match read.text() {
                Some("closed") => sink.holds(REQUIREMENT),
                _ if was_awaited(read) => {
                    let actual = format!("{} {} after close", read.name, quote(read.value()));
                    let cause = format!("close:{}", read.name);
                    sink.breaks(REQUIREMENT, rtc.step_at(read.at), wanted(&cause, ("closed", "closed"), actual));
                }
                _ => {}
            }
        }
    }
}
