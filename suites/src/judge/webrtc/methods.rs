//! Clause 3.2: methods that should work: createRTCPeerConnection, the descriptions, addIceCandidate, getConfiguration,
//! addTrack and close.

use fincert_schemas::bridge::Via;
use fincert_schemas::run::Fact;
use fincert_schemas::run::flow::{Candidates, Network};
use serde_json::Value;

use super::answers::{Became, accuse, became, no_promise, promise, quote, wanted};
use super::states::{closed_at, closed_reads, sets_description, steps, was_awaited};
use super::view::{Pc, Rtc, RtcCall};
use crate::judge::{Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-create",
        about: "createRTCPeerConnection gives a promise of a connection: with options, without, and with a second argument.",
        requirements: &[
            "webrtc.pc.create",
            "webrtc.pc.create.options",
            "webrtc.pc.create.without-options",
            "webrtc.pc.create.second-argument",
        ],
        run: create,
    },
    Check {
        id: "webrtc-set-description",
        about: "setLocalDescription and setRemoteDescription take an offer or answer and give a promise.",
        requirements: &["webrtc.pc.set-local-description", "webrtc.pc.set-remote-description"],
        run: set_description,
    },
    Check {
        id: "webrtc-add-ice-candidate",
        about: "addIceCandidate takes fincert's candidates, and their end, and gives a promise.",
        requirements: &[
            "webrtc.pc.add-ice-candidate",
            "webrtc.pc.add-ice-candidate.promise",
            "webrtc.pc.add-ice-candidate.empty",
        ],
        run: add_ice_candidate,
    },
    Check {
        id: "webrtc-get-configuration",
        about: "getConfiguration gives a promise of what the connection was created with.",
        requirements: &["webrtc.pc.get-configuration", "webrtc.pc.create.options"],
        run: get_configuration,
    },
    Check {
        id: "webrtc-add-track",
        about: "addTrack gives a promise, and the next description sends the track.",
        requirements: &["webrtc.pc.add-track", "webrtc.pc.add-track.promise"],
        run: add_track,
    },
    Check { id: "webrtc-close", about: "close closes the connection.", requirements: &["webrtc.pc.close"], run: close },
];

fn create(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    let works = rtc.calls_of("createRTCPeerConnection").any(|call| call.purpose.is_none() && call.made().is_some());
    let optionless = rtc.calls_of("createRTCPeerConnection").any(|call| !has_options(call) && call.made().is_some());
    for call in rtc.calls_of("createRTCPeerConnection") {
        match call.purpose {
            // Where others work, it is the options that do not.
            None if has_options(call) => {
                if optionless && !call.succeeded() {
                    accuse(view, sink, "webrtc.pc.create.options", call);
                } else if connection(view, sink, "webrtc.pc.create", call) {
                    sink.holds("webrtc.pc.create.options");
                }
            }
            None => {
                connection(view, sink, "webrtc.pc.create", call);
            }
            Some("no-options") if works => made(view, sink, "webrtc.pc.create.without-options", call),
            Some("second-argument") if works => made(view, sink, "webrtc.pc.create.second-argument", call),
            Some(_) => {}
        }
    }
    if matches!(rtc.with.network, Network::Relay | Network::RelayWrongCredential) {
        dropped(rtc, sink);
    }
}

fn has_options(call: &RtcCall<'_>) -> bool {
    call.request.value.as_object().is_some_and(|options| !options.is_empty())
}

/// Judges whether a connection was made, by a promise or not.
fn made(view: &View<'_>, sink: &mut Sink<'_>, requirement: &str, call: &RtcCall<'_>) {
    match call.succeeded() && call.made().is_some() {
        true => sink.holds(requirement),
        false => drop(connection(view, sink, requirement, call)),
    }
}

/// Judges a call that gives a promise of a connection; whether it did.
fn connection(view: &View<'_>, sink: &mut Sink<'_>, requirement: &str, call: &RtcCall<'_>) -> bool {
    if !matches!(became(view, call), Became::Worked(_)) || call.made().is_some() {
        return promise(view, sink, requirement, call);
    }
    let broken = wanted("createRTCPeerConnection:no-connection", ("连接实例", "a connection"), quote(call.value()));
    sink.breaks(requirement, call.step, broken);
    false
}

/// With iceTransportPolicy relay there is no candidate of another type: one shows that the options were not passed on.
fn dropped(rtc: &Rtc<'_>, sink: &mut Sink<'_>) {
    for event in rtc.emitted.iter().filter(|event| event.kind == "icecandidate" && event.known) {
        let text = event.value().pointer("/candidate/candidate").and_then(Value::as_str).unwrap_or_default();
        if let Some(kind) = ["host", "srflx"].into_iter().find(|kind| text.contains(&format!(" typ {kind}"))) {
            let expected = ("options 全部透传并生效", "options that are passed on and work");
            let actual = format!("a candidate of type {kind} under iceTransportPolicy relay");
            sink.breaks("webrtc.pc.create.options", rtc.step_at(event.at), wanted("options-dropped", expected, actual));
            return;
        }
    }
}

fn set_description(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        // What becomes of a glare is for its own check.
        let glare = pc.calls().find(|call| call.purpose == Some("glare")).map_or(rtc.end, |call| call.at);
        for call in pc.calls().filter(|call| sets_description(call) && call.purpose.is_none() && call.at < glare) {
            let requirement = match call.name {
                "setLocalDescription" => "webrtc.pc.set-local-description",
                _ => "webrtc.pc.set-remote-description",
            };
            // That an offer of a codec which nobody has is rejected by the m-line, and not by the method, is a SHOULD of its
            // own. The answer is the target's.
            if call.succeeded() || !rtc.with.unsupported_codec || call.name == "setLocalDescription" {
                promise(view, sink, requirement, call);
            }
        }
    }
}

fn add_ice_candidate(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let end = closed_at(pc).unwrap_or(rtc.end);
        for call in pc.calls_of("addIceCandidate").filter(|call| call.at < end) {
            let requirement = match call.purpose {
                None => "webrtc.pc.add-ice-candidate",
                Some("candidate-empty") => "webrtc.pc.add-ice-candidate.empty",
                Some(_) => continue,
            };
            // Where a medium was rejected, or a candidate comes again, it may be of no use to the target.
            let useless = rtc.with.unsupported_codec || rtc.with.candidates == Candidates::Duplicate;
            match became(view, call) {
                Became::Worked(via) => {
                    sink.holds(requirement);
                    returned(sink, call, via);
                }
                // One that close overtook.
                Became::Refused if call.answered_at().is_some_and(|at| at > end) || useless => {}
                Became::Silent if end < rtc.end && call.no_response.is_some_and(|silent| silent.at > end) => {}
                _ => accuse(view, sink, requirement, call),
            }
        }
    }
}

fn returned(sink: &mut Sink<'_>, call: &RtcCall<'_>, via: Via) {
    const REQUIREMENT: &str = "webrtc.pc.add-ice-candidate.promise";
    match via {
        Via::Return => sink.breaks(REQUIREMENT, call.step, no_promise(call)),
        _ => sink.holds(REQUIREMENT),
    }
}

fn get_configuration(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.get-configuration";
    let Some(rtc) = &view.rtc else { return };
    for call in rtc.calls_of("getConfiguration").filter(|call| call.purpose.is_none()) {
        match became(view, call) {
            Became::Worked(Via::Return) => sink.breaks(REQUIREMENT, call.step, no_promise(call)),
            Became::Worked(_) => {}
            _ => accuse(view, sink, REQUIREMENT, call),
        }
        let relation = call.facts().iter().find_map(|fact| match fact {
            Fact::Relation { relation, at, holds, expected, actual } if relation == "configuration-as-given" => {
                Some((*holds, at, expected.as_deref(), actual.as_deref()))
            }
            _ => None,
        });
        match relation {
            Some((true, ..)) => {
                sink.holds(REQUIREMENT);
                sink.holds("webrtc.pc.create.options");
            }
            Some((false, at, expected, actual)) => {
                let expected = expected.unwrap_or("as given");
                let mut broken = wanted("configuration", (expected, expected), actual.unwrap_or_default().to_owned());
                broken.at = Some(at.clone());
                sink.breaks(REQUIREMENT, call.step, broken.clone());
                sink.breaks("webrtc.pc.create.options", call.step, broken);
            }
            None => {}
        }
    }
}

fn add_track(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        for call in pc.calls_of("addTrack").filter(|call| call.purpose.is_none()) {
            match became(view, call) {
                Became::Worked(Via::Return) => sink.breaks("webrtc.pc.add-track.promise", call.step, no_promise(call)),
                Became::Worked(_) => sink.holds("webrtc.pc.add-track.promise"),
                _ => accuse(view, sink, "webrtc.pc.add-track", call),
            }
        }
        if !rtc.with.unsupported_codec {
            sent(rtc, sink, pc);
        }
    }
}

/// Whether each description sends what was added before it; an answer can send no more than the offer takes.
fn sent(rtc: &Rtc<'_>, sink: &mut Sink<'_>, pc: Pc<'_, '_>) {
    const REQUIREMENT: &str = "webrtc.pc.add-track";
    let steps = steps(pc);
    let mut judged = 0;
    for call in pc.calls().filter(|call| matches!(call.name, "createOffer" | "createAnswer") && call.purpose.is_none())
    {
        let Some(text) = call.value().and_then(|value| value.get("sdp")?.as_str()) else { continue };
        let added: Vec<_> = pc
            .calls_of("addTrack")
            .filter(|add| add.purpose.is_none() && add.succeeded() && add.at < call.at)
            .map(|add| add.request.value.get("$handle").and_then(Value::as_str).and_then(|track| rtc.track_kind(track)))
            .collect();
        if added.len() == judged {
            continue;
        }
        judged = added.len();
        let sdp = rtc.sdp(text);
        let offer = steps.iter().rfind(|step| !step.local && step.from < call.at && call.name == "createAnswer");
        let offer = offer.map(|step| rtc.sdp(step.sdp));
        for kind in ["audio", "video"] {
            let tracks = added.iter().filter(|added| **added == Some(kind)).count();
            let taken = offer.as_ref().map_or(tracks, |offer| {
                let takes = |section: &&_| offer.direction(section).receives() && !section_is_off(section, kind);
                tracks.min(offer.media.iter().filter(takes).count())
            });
            let sends = |section: &&_| sdp.direction(section).sends() && !section_is_off(section, kind);
            let count = sdp.media.iter().filter(sends).count();
            if taken > 0 && count >= taken {
                sink.holds(REQUIREMENT);
            } else if count < taken {
                let expected = (format!("{taken} 个发送 {kind} 的 m 行"), format!("{taken} m-lines that send {kind}"));
                let actual = format!("{count}, by {} after addTrack", call.name);
                let broken = wanted(&format!("addTrack:not-sent:{kind}"), (&expected.0, &expected.1), actual);
                sink.breaks(REQUIREMENT, call.step, broken);
            }
        }
    }
}

/// Whether a section is of another kind, or rejected.
fn section_is_off(section: &fincert_schemas::format::sdp::Section<'_>, kind: &str) -> bool {
    section.kind() != kind || section.is_rejected()
}

fn close(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.close";
    let Some(rtc) = &view.rtc else { return };
    for pc in rtc.connections() {
        let Some(call) = pc.calls_of("close").next() else { continue };
        if !matches!(became(view, call), Became::Worked(_)) {
            accuse(view, sink, REQUIREMENT, call);
            continue;
        }
        let reads = closed_reads(pc);
        if !reads.is_empty() && reads.iter().all(|read| read.text() != Some("closed") && was_awaited(read)) {
            let told: Vec<String> = reads.iter().map(|read| format!("{} {}", read.name, quote(read.value()))).collect();
            let broken = wanted("close:nothing-closed", ("连接已关闭", "a closed connection"), told.join(", "));
            sink.breaks(REQUIREMENT, call.step, broken);
        } else {
            sink.holds(REQUIREMENT);
        }
    }
}
