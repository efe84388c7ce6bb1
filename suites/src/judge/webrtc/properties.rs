//! Clause 3.2: the ten properties of a connection: that they are there, what they are at first, and what they come to.

use fincert_schemas::run::flow::{Await, Network};
use serde_json::Value;

use super::answers::{quote, wanted};
use super::states::{is_settled, was_awaited};
use super::view::{Pc, Read, Rtc, RtcCall};
use crate::judge::{Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-initial-values",
        about: "A new connection is stable and new, and has no descriptions.",
        requirements: &["webrtc.pc.initial-values"],
        run: initial,
    },
    Check {
        id: "webrtc-properties",
        about: "The properties are there and can be read; peerIdentity is null, undefined or a promise.",
        requirements: &[
            "webrtc.pc.can-trickle-ice-candidates",
            "webrtc.pc.conection-state",
            "webrtc.pc.current-local-description",
            "webrtc.pc.current-remote-description",
            "webrtc.pc.ice-connection-state",
            "webrtc.pc.ice-gathering-state",
            "webrtc.pc.local-description",
            "webrtc.pc.peer-identity",
            "webrtc.pc.remote-description",
            "webrtc.pc.signaling-state",
        ],
        run: present,
    },
    Check {
        id: "webrtc-conection-state",
        about: "conectionState, or its alias connectionState, becomes connected once fincert's end is connected.",
        requirements: &["webrtc.pc.conection-state"],
        run: connected,
    },
    Check {
        id: "webrtc-gathering-state",
        about: "iceGatheringState goes from new to gathering to complete.",
        requirements: &["webrtc.pc.ice-gathering-state"],
        run: gathering,
    },
];

/// What a property of a new connection is; `None` stands for null.
const INITIAL: [(&str, Option<&str>); 9] = [
    ("signalingState", Some("stable")),
    ("conectionState", Some("new")),
    ("connectionState", Some("new")),
    ("iceConnectionState", Some("new")),
    ("iceGatheringState", Some("new")),
    ("localDescription", None),
    ("remoteDescription", None),
    ("currentLocalDescription", None),
    ("currentRemoteDescription", None),
];

/// The properties with the requirement that wants each.
const WANTED: [(&str, &str); 9] = [
    ("canTrickleIceCandidates", "webrtc.pc.can-trickle-ice-candidates"),
    ("conectionState", "webrtc.pc.conection-state"),
    ("currentLocalDescription", "webrtc.pc.current-local-description"),
    ("currentRemoteDescription", "webrtc.pc.current-remote-description"),
    ("iceConnectionState", "webrtc.pc.ice-connection-state"),
    ("iceGatheringState", "webrtc.pc.ice-gathering-state"),
    ("localDescription", "webrtc.pc.local-description"),
    ("remoteDescription", "webrtc.pc.remote-description"),
    ("signalingState", "webrtc.pc.signaling-state"),
];

fn initial(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.initial-values";
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let until = pc.calls().next().map_or(rtc.end, |call| call.at);
        let mut right = 0;
        let mut wrong = 0;
        for (name, wanted_value) in INITIAL {
            let Some(read) = settled(rtc, pc, name).filter(|read| read.at < until).last() else { continue };
            let is_it = match (wanted_value, read.value()) {
                (Some(text), Some(value)) => value.as_str() == Some(text),
                (None, Some(value)) => value.is_null(),
                (_, None) if read.refused.is_some() || replaced(pc, name) => continue,
                (_, None) => false,
            };
            if is_it {
                right += 1;
            } else if was_awaited(read) || read.value().is_some_and(|value| !value.is_null()) {
                wrong += 1;
                let text = wanted_value.unwrap_or("null");
                let actual = format!("{name} {} on a new connection", quote(read.value()));
                let cause = if read.value().is_some() { format!("initial:{name}") } else { format!("{name}:missing") };
                let broken = wanted(&cause, (text, text), actual);
                sink.breaks(REQUIREMENT, rtc.step_at(read.at), broken);
            }
        }
        // The four states and the four descriptions.
        if wrong == 0 && right >= 8 {
            sink.holds(REQUIREMENT);
        }
    }
}

/// Whether the one of two spellings that is not there is the other one.
fn replaced(pc: Pc<'_, '_>, name: &str) -> bool {
    let other = match name {
        "conectionState" => "connectionState",
        "connectionState" => "conectionState",
        _ => return false,
    };
    // Where neither is there, the canonical one is missed.
    name == "connectionState" || pc.reads(other).any(|read| read.value().is_some())
}

/// The readings that a poll ended with.
fn settled<'v, 'a>(rtc: &'v Rtc<'a>, pc: Pc<'v, 'a>, name: &'v str) -> impl Iterator<Item = &'v Read<'a>> {
    let mine = move |read: &Read<'a>| read.handle == pc.handle && read.name == name;
    rtc.reads
        .iter()
        .enumerate()
        .filter(move |(index, read)| mine(read) && is_settled(rtc, *index))
        .map(|(_, read)| read)
}

fn present(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        for (name, requirement) in WANTED {
            // Once it was there, it is there.
            let alias = (name == "conectionState").then_some("connectionState");
            let was_there = |name: &str| pc.reads(name).any(|read| read.value().is_some());
            if was_there(name) || alias.is_some_and(was_there) {
                continue;
            }
            let told = |read: &&Read<'_>| read.refused.is_some() || was_awaited(read);
            let Some(read) = settled(rtc, pc, name).filter(told).last() else { continue };
            let actual = read.refused.map_or_else(|| "undefined".to_owned(), |why| format!("it cannot be read: {why}"));
            let expected = (format!("属性 {name}"), format!("the property {name}"));
            let broken = wanted(&format!("{name}:missing"), (&expected.0, &expected.1), actual);
            sink.breaks(requirement, rtc.step_at(read.at), broken);
        }
        if let Some(read) = pc.reads("peerIdentity").last() {
            identity(rtc, sink, read);
        }
    }
}

fn identity(rtc: &Rtc<'_>, sink: &mut Sink<'_>, read: &Read<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.peer-identity";
    let is_promise = |value: &Value| value.get("$promise") == Some(&Value::Bool(true));
    if read.refused.is_none() && read.value().is_none_or(|value| value.is_null() || is_promise(value)) {
        return sink.holds(REQUIREMENT);
    }
    let actual = read.refused.map_or_else(|| quote(read.value()), |why| format!("it cannot be read: {why}"));
    let expected = ("null、undefined 或 Promise", "null, undefined or a promise");
    sink.breaks(REQUIREMENT, rtc.step_at(read.at), wanted("peerIdentity", expected, actual));
}

/// After fincert's peer was connected, DTLS included, the target's own word is polled.
fn connected(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.conection-state";
    let Some(rtc) = &view.rtc else { return };
    for waited in rtc.awaited.iter().filter(|awaited| awaited.what == Await::TargetConnected) {
        let since =
            rtc.awaited.iter().rev().find(|before| before.at < waited.at && before.what == Await::PeerConnected);
        let Some(since) = since.filter(|since| since.met) else { continue };
        let says = |name: &str| {
            let within = |read: &&Read<'_>| read.name == name && (since.at..waited.at).contains(&read.at);
            rtc.reads.iter().rfind(within).filter(|read| read.value().is_some())
        };
        let Some(read) = says("conectionState").or_else(|| says("connectionState")) else { continue };
        if read.text() == Some("connected") {
            sink.holds(REQUIREMENT);
        } else if was_awaited(read) {
            let actual = format!("{} {} while fincert's end is connected", read.name, quote(read.value()));
            let broken = wanted("conectionState:connected", ("connected", "connected"), actual);
            sink.breaks(REQUIREMENT, rtc.step_at(read.at), broken);
        }
    }
}

fn gathering(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        backwards(rtc, sink, pc);
        complete(rtc, sink, pc);
    }
}

const GATHERING: &str = "webrtc.pc.ice-gathering-state";

/// The states in their order, unless a new description begins a new gathering.
fn backwards(rtc: &Rtc<'_>, sink: &mut Sink<'_>, pc: Pc<'_, '_>) {
    let place = |read: &Read<'_>| ["new", "gathering", "complete"].iter().position(|state| read.text() == Some(state));
    let known: Vec<_> = pc.reads("iceGatheringState").filter_map(|read| Some((read, place(read)?))).collect();
    for pair in known.windows(2) {
        let [(before, from), (after, to)] = pair else { continue };
        let restarted = pc.calls_of("setLocalDescription").any(|call| (before.at..after.at).contains(&call.at));
        if to < from && !restarted {
            let actual = format!("{}, and then {}", quote(before.value()), quote(after.value()));
            let broken =
                wanted("iceGatheringState:backwards", ("new、gathering、complete", "new, gathering, complete"), actual);
            sink.breaks(GATHERING, rtc.step_at(after.at), broken);
        }
    }
}

/// On a host without servers gathering ends soon after the local description was set; TURN may take its time.
fn complete(rtc: &Rtc<'_>, sink: &mut Sink<'_>, pc: Pc<'_, '_>) {
    // There is nothing to gather for a description without m-lines.
    let has_media = |call: &&RtcCall<'_>| {
        let sdp = call.request.value.get("sdp").and_then(Value::as_str).unwrap_or_default();
        call.succeeded() && call.purpose.is_none() && sdp.contains("\nm=")
    };
    let Some(set) = pc.calls_of("setLocalDescription").find(has_media) else { return };
    let until = super::states::closed_at(pc).unwrap_or(rtc.end);
    let reads = settled(rtc, pc, "iceGatheringState").filter(|read| (set.at..until).contains(&read.at));
    let Some(read) = reads.last() else { return };
    match read.text() {
        Some("complete") => sink.holds(GATHERING),
        Some(_) if was_awaited(read) && matches!(rtc.with.network, Network::Host | Network::Ipv6) => {
            let actual = format!("{} after gathering had its time", quote(read.value()));
            sink.breaks(
                GATHERING,
                rtc.step_at(read.at),
                wanted("iceGatheringState:complete", ("complete", "complete"), actual),
            );
        }
        _ => {}
    }
}
