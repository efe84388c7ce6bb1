//! Clause 3.1: devices, constraints, getUserMedia, streams and tracks.

use std::collections::BTreeMap;

use fincert_schemas::bridge::Via;
use serde_json::Value;

use super::answers::{Became, accuse, became, promise_of_value, quote, undecided, wanted};
use super::view::{Rtc, RtcCall};
use crate::judge::{Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-devices",
        about: "enumerateDevices and getSupportedConstraints give promises.",
        requirements: &[
            "webrtc.media-devices.enumerate-devices",
            "webrtc.media-devices.get-supported-constraints",
            "webrtc.media-devices.get-supported-constraints.result",
            "webrtc.media-devices.get-supported-constraints.values",
        ],
        run: devices,
    },
    Check {
        id: "webrtc-get-user-media",
        about: "getUserMedia gives a promise of a stream; one that asks for nothing is rejected; a second one is answered.",
        requirements: &[
            "webrtc.media-devices.get-user-media",
            "webrtc.media-devices.get-user-media.neither",
            "webrtc.media-devices.get-user-media.again",
        ],
        run: get_user_media,
    },
    Check {
        id: "webrtc-stream",
        about: "A stream has an id of its own and a method getTracks, which gives a promise.",
        requirements: &["webrtc.stream", "webrtc.stream.get-tracks", "webrtc.stream.stream-id.not-empty"],
        run: streams,
    },
    Check {
        id: "webrtc-track-kinds",
        about: "A stream has tracks of the kinds that were asked for, one each.",
        requirements: &[
            "webrtc.media-devices.get-user-media.video",
            "webrtc.media-devices.get-user-media.audio",
            "webrtc.stream.get-tracks.kinds",
        ],
        run: kinds,
    },
    Check {
        id: "webrtc-track-stop",
        about: "track.stop can be called.",
        requirements: &["webrtc.track.stop"],
        run: stop,
    },
];

fn devices(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for call in rtc.calls_of("enumerateDevices") {
        promise_of_value(view, sink, "webrtc.media-devices.enumerate-devices", call);
    }
    for call in rtc.calls_of("getSupportedConstraints") {
        if promise_of_value(view, sink, "webrtc.media-devices.get-supported-constraints", call) {
            constraints(view, sink, call);
        }
    }
}

/// The rows that the table does not name; those that it does are for the table's check.
fn constraints(view: &View<'_>, sink: &mut Sink<'_>, call: &RtcCall<'_>) {
    let named = view.catalog.rows("webrtc/getSupportedConstraints.result.json");
    let Some(members) = call.value().and_then(Value::as_object) else { return };
    // A promise resolves to the value itself, not to a wrapper named after it (rulings 3.1).
    if members.get("info").is_some_and(Value::is_object) {
        let expected = ("约束属性的对象本身", "the object of constraints itself");
        let broken = wanted("getSupportedConstraints:wrapped", expected, "an object within info".to_owned());
        sink.breaks("webrtc.media-devices.get-supported-constraints.result", call.step, broken);
        return;
    }
    let others = members.iter().filter(|(name, _)| named.is_none_or(|rows| !rows.contains_key(*name)));
    for (name, value) in others.filter(|(name, _)| !name.starts_with('$')) {
        if value.is_boolean() {
            sink.holds("webrtc.media-devices.get-supported-constraints.values");
            continue;
        }
        let mut broken = wanted("getSupportedConstraints:value", ("布尔值", "a boolean"), quote(Some(value)));
        broken.at = Some(format!("/{name}"));
        sink.breaks("webrtc.media-devices.get-supported-constraints.values", call.step, broken);
    }
}

fn get_user_media(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for call in rtc.calls_of("getUserMedia") {
        match call.purpose {
            None => {
                promise_of_value(view, sink, "webrtc.media-devices.get-user-media", call);
            }
            Some("neither") => neither(view, sink, call),
            // To reject conforms as well (rulings 3.1).
            Some("again") => match became(view, call) {
                Became::Worked(_) | Became::Refused => sink.holds("webrtc.media-devices.get-user-media.again"),
                _ => accuse(view, sink, "webrtc.media-devices.get-user-media.again", call),
            },
            Some(_) => {}
        }
    }
}

fn neither(view: &View<'_>, sink: &mut Sink<'_>, call: &RtcCall<'_>) {
    const REQUIREMENT: &str = "webrtc.media-devices.get-user-media.neither";
    match became(view, call) {
        Became::Refused => sink.holds(REQUIREMENT),
        Became::Worked(via) => {
            let actual = format!("{} with {}", via.as_str(), quote(call.value()));
            sink.breaks(REQUIREMENT, call.step, wanted("getUserMedia:neither", ("拒绝", "a rejection"), actual));
        }
        Became::Silent => accuse(view, sink, REQUIREMENT, call),
        other => undecided(view, sink, REQUIREMENT, call, other),
    }
}

/// The calls of getUserMedia that gave a stream.
fn given<'v, 'a>(rtc: &'v Rtc<'a>) -> impl Iterator<Item = (&'v RtcCall<'a>, &'a str)> {
    rtc.calls_of("getUserMedia").filter(|call| call.succeeded()).filter_map(|call| Some((call, call.made()?)))
}

fn streams(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for call in rtc.calls_of("getTracks") {
        let worked = promise_of_value(view, sink, "webrtc.stream.get-tracks", call);
        // A stream without the method is not the stream that is promised.
        let thrown = call.answer().is_some_and(|answer| answer.via == Via::Throw) && lacks_get_tracks(rtc, call.handle);
        match became(view, call) {
            _ if worked => sink.holds("webrtc.stream"),
            Became::Refused if thrown => accuse(view, sink, "webrtc.stream", call),
            Became::Unknown => accuse(view, sink, "webrtc.stream", call),
            _ => {}
        }
    }
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    for (call, handle) in given(rtc) {
        let id = call.value().and_then(|value| value.pointer("/props/streamId")?.as_str()).unwrap_or_default();
        if id.is_empty() {
            continue;
        }
        let first = *ids.entry(id).or_insert(handle);
        if first != handle {
            let expected = ("每个 stream 各有自己的 streamId", "a streamId of its own for each stream");
            let actual = format!("{first} and {handle} share one");
            sink.breaks("webrtc.stream.stream-id.not-empty", call.step, wanted("streamId:shared", expected, actual));
        }
    }
}

/// Whether a stream says itself that it has no method getTracks.
fn lacks_get_tracks(rtc: &Rtc<'_>, stream: Option<&str>) -> bool {
    let stream = given(rtc).find(|(_, handle)| Some(*handle) == stream).and_then(|(call, _)| call.value());
    let own = stream.and_then(|value| value.get("own")?.as_array());
    own.is_some_and(|keys| !keys.iter().any(|key| key == "getTracks"))
}

fn kinds(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for (asked, handle) in given(rtc) {
        let Some(tracks) = rtc.calls_of("getTracks").find(|call| call.handle == Some(handle) && call.succeeded())
        else {
            continue;
        };
        let Some(items) = tracks.value().and_then(Value::as_array) else { continue };
        let told: Option<Vec<&str>> =
            items.iter().map(|item| item.pointer("/props/kind")?.as_str().filter(|kind| is_kind(kind))).collect();
        // A track that does not tell its kind is for the table's check.
        let Some(told) = told else { continue };
        let mut wrong = None;
        for (kind, requirement) in [
            ("audio", "webrtc.media-devices.get-user-media.audio"),
            ("video", "webrtc.media-devices.get-user-media.video"),
        ] {
            let wish = asked.request.value.get(kind) == Some(&Value::Bool(true));
            let count = told.iter().filter(|told| **told == kind).count();
            if count != usize::from(wish) {
                wrong = wrong.or(Some(kind));
            }
            if (count > 0) == wish {
                sink.holds(requirement);
                continue;
            }
            let (zh, en) = match wish {
                true => (format!("一个 {kind} track"), format!("a track of {kind}")),
                false => (format!("没有 {kind} track"), format!("no track of {kind}")),
            };
            let actual = format!("{} for {}", list(&told), asked.request.value);
            sink.breaks(requirement, asked.step, wanted(&format!("getTracks:{kind}"), (&zh, &en), actual));
        }
        let Some(kind) = wrong else {
            sink.holds("webrtc.stream.get-tracks.kinds");
            continue;
        };
        let actual = format!("{} for {}", list(&told), asked.request.value);
        let expected = ("所要求的种类各一个 track", "one track of each kind that was asked for");
        let broken = wanted(&format!("getTracks:{kind}"), expected, actual);
        sink.breaks("webrtc.stream.get-tracks.kinds", tracks.step, broken);
    }
}

fn is_kind(kind: &str) -> bool {
    matches!(kind, "audio" | "video")
}

fn list(kinds: &[&str]) -> String {
    if kinds.is_empty() { "no tracks".to_owned() } else { format!("tracks of {}", kinds.join(", ")) }
}

/// Whether the media ends is for the check of media.
fn stop(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for call in rtc.calls_of("stop").filter(|call| call.purpose.is_none()) {
        if !matches!(became(view, call), Became::Worked(_)) {
            accuse(view, sink, "webrtc.track.stop", call);
        }
    }
}
