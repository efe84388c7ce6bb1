//! Defects of the events of a connection (3.2), but for what candidates look like.

use fincert_schemas::bridge::Via;
use serde_json::{Value, json};

use super::Defect;
use super::webrtc_edit::{event, fired, unfired, works};
use crate::plan::{Action, Plan};
use crate::rtc::{About, Moment, Refusal};

const CANDIDATE: &str = "icecandidate";
const ICE: &str = "iceconnectionstatechange";
const NEEDED: &str = "negotiationneeded";
const SIGNALING: &str = "signalingstatechange";
const TRACK: &str = "track";

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "listening-throws",
        ["监听 negotiationneeded 时抛错", "to listen to negotiationneeded throws"],
        &["webrtc.pc.add-event-listener"],
        |moment, plan| match moment.about {
            About::Listen(NEEDED) => {
                let refusal = Refusal::of_type("no such event");
                let thrown = fincert_schemas::bridge::Settlement { via: Via::Throw, ..refusal.settle() };
                Plan::only(Action::Answer(thrown))
            }
            _ => unfired(moment, plan, NEEDED),
        },
    )
    .also(&["webrtc.event.negotiationneeded"]),
    Defect::says(
        "candidate-event-missing",
        ["不触发 icecandidate 事件", "icecandidate never fires"],
        &["webrtc.event.icecandidate"],
        |moment, plan| unfired(moment, plan, CANDIDATE),
    )
    .also(&[
        "webrtc.event.icecandidate.end",
        "webrtc.call.candidates-by-event",
        "webrtc.ice.relay-only",
        "webrtc.ice.relayed-media",
    ]),
    Defect::says(
        "candidate-event-whole-state",
        ["icecandidate 事件带有连接的全部状态", "icecandidate carries the whole state of the connection"],
        &["webrtc.event.icecandidate.only-candidate"],
        |moment, plan| {
            fired(moment, plan, CANDIDATE, |event| {
                for name in ["signalingState", "iceConnectionState", "iceGatheringState"] {
                    event.insert(name.to_owned(), moment.properties.get(name).cloned().unwrap_or_default());
                }
            })
        },
    ),
    Defect::says(
        "candidate-before-description",
        [
            "createOffer 之后、setLocalDescription 之前触发 icecandidate",
            "icecandidate fires before setLocalDescription",
        ],
        &["webrtc.event.icecandidate.after-local-description"],
        |moment, plan| {
            // With options alone: a candidate of the host's own would break a policy of relay as well.
            let offer = moment.calls("createOffer") && moment.argument(0).is_some();
            if !(offer && works(&plan) && moment.past.locals == 0) {
                return plan;
            }
            let candidate = json!({
                "candidate": "candidate:7 1 udp 2130706431 127.0.0.1 9 typ host",
                "sdpMid": "0",
                "sdpMLineIndex": 0,
                "address": "127.0.0.1",
                "type": "host",
            });
            before(plan, event(moment, CANDIDATE, json!({"candidate": candidate})))
        },
    ),
    Defect::says(
        "end-of-candidates-missing",
        ["候选收集结束时没有 icecandidate 事件", "at the end of gathering no icecandidate fires"],
        &["webrtc.event.icecandidate.end"],
        |moment, plan| match plan.steps.first().map(|step| &step.action) {
            Some(Action::Event { event, .. }) if moment.fires(CANDIDATE) && is_end(event) => Plan::silent(),
            _ => plan,
        },
    ),
    Defect::says(
        "ice-event-missing",
        ["不触发 iceconnectionstatechange 事件", "iceconnectionstatechange never fires"],
        &["webrtc.event.iceconnectionstatechange"],
        |moment, plan| unfired(moment, plan, ICE),
    ),
    Defect::says(
        "ice-event-without-state",
        [
            "iceconnectionstatechange 事件没有 iceConnectionState",
            "iceconnectionstatechange carries no iceConnectionState",
        ],
        &["webrtc.event.iceconnectionstatechange.ice-connection-state"],
        |moment, plan| {
            fired(moment, plan, ICE, |event| {
                event.shift_remove("iceConnectionState");
            })
        },
    )
    .also(&["webrtc.event.iceconnectionstatechange"]),
    Defect::says(
        "ice-event-state-number",
        [
            "iceconnectionstatechange 事件的 iceConnectionState 为数字",
            "the iceConnectionState of iceconnectionstatechange is a number",
        ],
        &["webrtc.event.iceconnectionstatechange.ice-connection-state"],
        |moment, plan| {
            fired(moment, plan, ICE, |event| {
                event.insert("iceConnectionState".to_owned(), 2.into());
            })
        },
    )
    .also(&["webrtc.event.iceconnectionstatechange"]),
    Defect::says(
        "ice-event-without-time",
        ["iceconnectionstatechange 事件没有 timeStamp", "iceconnectionstatechange carries no timeStamp"],
        &["webrtc.event.iceconnectionstatechange.time-stamp"],
        |moment, plan| {
            fired(moment, plan, ICE, |event| {
                event.shift_remove("timeStamp");
            })
        },
    ),
    Defect::says(
        "ice-event-time-text",
        ["iceconnectionstatechange 事件的 timeStamp 为字符串", "the timeStamp of iceconnectionstatechange is a string"],
        &["webrtc.event.iceconnectionstatechange.time-stamp"],
        |moment, plan| {
            fired(moment, plan, ICE, |event| {
                let time = event.get("timeStamp").map(Value::to_string);
                event.insert("timeStamp".to_owned(), time.into());
            })
        },
    ),
    Defect::says(
        "negotiationneeded-missing",
        ["不触发 negotiationneeded 事件", "negotiationneeded never fires"],
        &["webrtc.event.negotiationneeded"],
        |moment, plan| unfired(moment, plan, NEEDED),
    ),
    Defect::says(
        "negotiationneeded-per-track",
        ["每次 addTrack 都触发 negotiationneeded", "negotiationneeded fires for each addTrack"],
        &["webrtc.event.negotiationneeded.once"],
        |moment, plan| match moment.calls("addTrack") && works(&plan) && moment.past.tracks > 1 {
            true => before(plan, event(moment, NEEDED, json!({}))),
            false => plan,
        },
    ),
    Defect::says(
        "signaling-event-missing",
        ["不触发 signalingstatechange 事件", "signalingstatechange never fires"],
        &["webrtc.event.signalingstatechange"],
        |moment, plan| unfired(moment, plan, SIGNALING),
    ),
    Defect::says(
        "signaling-event-lost-at-the-answer",
        ["回到 stable 时不触发 signalingstatechange", "signalingstatechange does not fire for stable"],
        &["webrtc.event.signalingstatechange"],
        |moment, plan| match plan.steps.first().map(|step| &step.action) {
            Some(Action::Event { event, .. }) if moment.fires(SIGNALING) && event["signalingState"] == "stable" => {
                Plan::silent()
            }
            _ => plan,
        },
    ),
    Defect::says(
        "signaling-event-without-state",
        ["signalingstatechange 事件没有 signalingState", "signalingstatechange carries no signalingState"],
        &["webrtc.event.signalingstatechange.signaling-state"],
        |moment, plan| fired(moment, plan, SIGNALING, serde_json::Map::clear),
    )
    .also(&["webrtc.event.signalingstatechange"]),
    Defect::says(
        "signaling-event-old-state",
        ["signalingstatechange 事件带的是变化前的状态", "signalingstatechange carries the state before the change"],
        &["webrtc.event.signalingstatechange.signaling-state"],
        |moment, plan| {
            fired(moment, plan, SIGNALING, |event| {
                let before = if event["signalingState"] == "stable" { "have-local-offer" } else { "stable" };
                event.insert("signalingState".to_owned(), before.into());
            })
        },
    )
    .also(&["webrtc.event.signalingstatechange"]),
    Defect::says(
        "signaling-event-after-promise",
        ["signalingstatechange 在 Promise 兑现之后才触发", "signalingstatechange fires after the promise has resolved"],
        &["webrtc.event.signalingstatechange.before-promise"],
        |moment, mut plan| {
            if moment.fires(SIGNALING) {
                for step in &mut plan.steps {
                    step.action = Action::Later(Box::new(step.action.clone()));
                }
            }
            plan
        },
    )
    // The next call may overtake it, and then it is not seen for the one that it is of.
    .also(&["webrtc.event.signalingstatechange", "webrtc.event.signalingstatechange.signaling-state"]),
    Defect::says(
        "track-event-missing",
        ["不触发 track 事件", "track never fires"],
        &["webrtc.event.track", "webrtc.event.track.added-later"],
        |moment, plan| unfired(moment, plan, TRACK),
    ),
    Defect::says(
        "track-event-not-later",
        ["连接建立后新增的媒体不触发 track 事件", "track does not fire for media that is added later"],
        &["webrtc.event.track.added-later"],
        |moment, plan| if moment.past.rounds > 0 { unfired(moment, plan, TRACK) } else { plan },
    )
    .also(&["webrtc.event.track"]),
    Defect::says(
        "track-without-streams",
        ["track 事件没有 streams", "track carries no streams"],
        &["webrtc.event.track.streams"],
        |moment, plan| fired(moment, plan, TRACK, serde_json::Map::clear),
    )
    .also(&["webrtc.event.track.stream-id"]),
    Defect::says(
        "track-streams-empty",
        ["track 事件的 streams 为空数组", "the streams of track are empty"],
        &["webrtc.event.track.streams"],
        |moment, plan| streams(moment, plan, |streams| *streams = json!([])),
    )
    .also(&["webrtc.event.track.stream-id"]),
    Defect::says(
        "track-streams-texts",
        ["track 事件的 streams 为字符串数组", "the streams of track are strings"],
        &["webrtc.event.track.streams"],
        |moment, plan| {
            streams(moment, plan, |streams| {
                *streams = streams.as_array().into_iter().flatten().map(|stream| stream["streamId"].clone()).collect();
            })
        },
    )
    .also(&["webrtc.event.track.stream-id"]),
    Defect::says(
        "track-stream-id-empty",
        ["track 事件中 streamId 为空字符串", "the streamId of track is empty"],
        &["webrtc.event.track.stream-id"],
        |moment, plan| each_stream(moment, plan, |stream| stream["streamId"] = "".into()),
    ),
    Defect::says(
        "track-stream-id-number",
        ["track 事件中 streamId 为数字", "the streamId of track is a number"],
        &["webrtc.event.track.stream-id"],
        |moment, plan| each_stream(moment, plan, |stream| stream["streamId"] = 1.into()),
    ),
    Defect::says(
        "track-stream-id-missing",
        ["track 事件中的 stream 只有 id，没有 streamId", "a stream of track has id and no streamId"],
        &["webrtc.event.track.stream-id"],
        |moment, plan| each_stream(moment, plan, |stream| *stream = json!({"id": stream["streamId"].take()})),
    ),
    Defect::says(
        "track-event-twice",
        ["每个 m 行触发两次 track 事件", "track fires twice for each m-line"],
        &["webrtc.event.track.once"],
        |moment, mut plan| {
            if moment.fires(TRACK) {
                plan.steps.extend_from_within(..);
            }
            plan
        },
    ),
    Defect::says(
        "track-event-at-every-offer",
        ["每次重新协商都触发 track 事件", "track fires at every renegotiation"],
        &["webrtc.event.track.once"],
        |moment, plan| match moment.calls("setRemoteDescription") && works(&plan) && moment.past.rounds > 1 {
            true => before(plan, event(moment, TRACK, json!({"streams": [{"streamId": "again"}]}))),
            false => plan,
        },
    ),
];

/// The action comes before the plan.
fn before(mut plan: Plan, action: Action) -> Plan {
    plan.steps.splice(0..0, Plan::only(action).steps);
    plan
}

fn is_end(event: &Value) -> bool {
    event["candidate"].as_object().is_none_or(serde_json::Map::is_empty)
}

fn streams(moment: &Moment<'_>, plan: Plan, change: impl FnOnce(&mut Value)) -> Plan {
    fired(moment, plan, TRACK, |event| {
        if let Some(streams) = event.get_mut("streams") {
            change(streams);
        }
    })
}

fn each_stream(moment: &Moment<'_>, plan: Plan, change: impl FnMut(&mut Value)) -> Plan {
    streams(moment, plan, |streams| streams.as_array_mut().into_iter().flatten().for_each(change))
}
