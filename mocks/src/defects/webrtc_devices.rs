//! Defects of mediaDevices (3.1).

use fincert_schemas::bridge::Via;
use serde_json::{Value, json};

use super::Defect;
use super::webrtc_edit::{NO_TRACKS, concat, reject, resolved, sync};
use crate::plan::Plan;
use crate::rtc::{Moment, Task};

const DEVICES: &str = "enumerateDevices";
const CONSTRAINTS: &str = "getSupportedConstraints";
const MEDIA: &str = "getUserMedia";

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "devices-sync",
        ["enumerateDevices 直接返回数组，而非 Promise", "enumerateDevices returns the array and no promise"],
        &["webrtc.media-devices.enumerate-devices"],
        |moment, plan| sync(moment, plan, DEVICES),
    ),
    Defect::says(
        "devices-rejected",
        ["enumerateDevices 被拒绝", "enumerateDevices is rejected"],
        &["webrtc.media-devices.enumerate-devices"],
        |moment, plan| if moment.calls(DEVICES) { reject(plan) } else { plan },
    ),
    Defect::says(
        "devices-wrapped",
        ["enumerateDevices 返回 {devicesList: […]}", "enumerateDevices resolves to {devicesList: […]}"],
        &["webrtc.media-devices.enumerate-devices.result"],
        |moment, plan| resolved(moment, plan, DEVICES, |value| *value = json!({"devicesList": value.take()})),
    ),
    Defect::says(
        "devices-names-only",
        ["enumerateDevices 返回设备名称的数组", "enumerateDevices resolves to an array of names"],
        &["webrtc.media-devices.enumerate-devices.result"],
        |moment, plan| devices(moment, plan, |device| *device = device["label"].take()),
    ),
    Defect::says(
        "device-without-label",
        ["设备没有 label", "a device has no label"],
        &["webrtc.media-devices.enumerate-devices.device"],
        |moment, plan| {
            devices(moment, plan, |device| {
                if let Some(device) = device.as_object_mut() {
                    device.shift_remove("label");
                }
            })
        },
    ),
    Defect::says(
        "device-id-number",
        ["deviceId 为数字", "deviceId is a number"],
        &["webrtc.media-devices.enumerate-devices.device"],
        |moment, plan| devices(moment, plan, |device| device["deviceId"] = 7.into()),
    ),
    Defect::says(
        "device-kind-unknown",
        ["摄像头的 kind 为 camera", "the kind of the camera is camera"],
        &["webrtc.media-devices.enumerate-devices.kind"],
        |moment, plan| {
            devices(moment, plan, |device| {
                if device["kind"] == "videoinput" {
                    device["kind"] = "camera".into();
                }
            })
        },
    ),
    Defect::says(
        "constraints-sync",
        [
            "getSupportedConstraints 直接返回对象，而非 Promise",
            "getSupportedConstraints returns the object and no promise",
        ],
        &["webrtc.media-devices.get-supported-constraints"],
        |moment, plan| sync(moment, plan, CONSTRAINTS),
    ),
    Defect::says(
        "constraints-array",
        ["getSupportedConstraints 返回数组", "getSupportedConstraints resolves to an array"],
        &["webrtc.media-devices.get-supported-constraints.result"],
        |moment, plan| {
            resolved(moment, plan, CONSTRAINTS, |value| {
                *value = value.as_object().into_iter().flatten().map(|(name, _)| Value::from(name.as_str())).collect();
            })
        },
    ),
    Defect::says(
        "constraints-wrapped",
        ["getSupportedConstraints 返回 {info: {…}}", "getSupportedConstraints resolves to {info: {…}}"],
        &["webrtc.media-devices.get-supported-constraints.result"],
        |moment, plan| resolved(moment, plan, CONSTRAINTS, |value| *value = json!({"info": value.take()})),
    )
    .also(&["webrtc.media-devices.get-supported-constraints.values"]),
    Defect::says(
        "constraints-numbers",
        ["约束属性的值为 0 和 1", "the values of the constraints are 0 and 1"],
        &["webrtc.media-devices.get-supported-constraints.values"],
        |moment, plan| {
            resolved(moment, plan, CONSTRAINTS, |value| {
                for (_, inner) in value.as_object_mut().into_iter().flatten() {
                    *inner = i32::from(*inner == true).into();
                }
            })
        },
    ),
    Defect::says(
        "user-media-sync",
        ["getUserMedia 直接返回 stream，而非 Promise", "getUserMedia returns the stream and no promise"],
        &["webrtc.media-devices.get-user-media"],
        |moment, plan| sync(moment, plan, MEDIA),
    ),
    Defect::says(
        "user-media-callback-style",
        ["getUserMedia 的 Promise 没有值", "the promise of getUserMedia has no value"],
        &["webrtc.media-devices.get-user-media"],
        |moment, plan| match moment.calls(MEDIA) {
            true => plan.rewrite(|settlement| {
                if settlement.via == Via::Resolve {
                    settlement.value = None;
                }
            }),
            false => plan,
        },
    )
    .also(&concat::<{ NO_TRACKS.len() + 3 }>(
        NO_TRACKS,
        &["webrtc.stream", "webrtc.media-devices.get-user-media.audio", "webrtc.media-devices.get-user-media.video"],
    )),
    Defect::does(
        "user-media-without-video",
        ["video 为 true 时没有视频 track", "with video true there is no video track"],
        &["webrtc.media-devices.get-user-media.video"],
        |_, task| match task {
            Task::UserMedia { audio, .. } => Task::UserMedia { audio, video: 0 },
            other => other,
        },
    )
    .also(&["webrtc.call.video-only", "webrtc.stream.get-tracks.kinds"]),
    Defect::does(
        "user-media-without-audio",
        ["audio 为 true 时没有音频 track", "with audio true there is no audio track"],
        &["webrtc.media-devices.get-user-media.audio"],
        |_, task| match task {
            Task::UserMedia { video, .. } => Task::UserMedia { audio: 0, video },
            other => other,
        },
    )
    .also(&["webrtc.call.audio-only", "webrtc.stream.get-tracks.kinds"]),
    Defect::does(
        "user-media-video-unasked",
        ["没有要求视频却有视频 track", "there is a video track that was not asked for"],
        &["webrtc.media-devices.get-user-media.video"],
        |_, task| match task {
            Task::UserMedia { audio, .. } => Task::UserMedia { audio, video: 1 },
            other => other,
        },
    )
    .also(&["webrtc.stream.get-tracks.kinds"]),
    Defect::does(
        "user-media-audio-unasked",
        ["没有要求音频却有音频 track", "there is an audio track that was not asked for"],
        &["webrtc.media-devices.get-user-media.audio"],
        |_, task| match task {
            Task::UserMedia { video, .. } => Task::UserMedia { audio: 1, video },
            other => other,
        },
    )
    .also(&["webrtc.stream.get-tracks.kinds"]),
    Defect::does(
        "user-media-neither-accepted",
        ["音频与视频均未要求也返回 stream", "a call that asks for neither kind gets a stream"],
        &["webrtc.media-devices.get-user-media.neither"],
        |moment, task| {
            if moment.calls(MEDIA) && task.exception() == Some("TypeError") {
                Task::UserMedia { audio: 0, video: 0 }
            } else {
                task
            }
        },
    ),
];

fn devices(moment: &Moment<'_>, plan: Plan, change: impl FnMut(&mut Value)) -> Plan {
    resolved(moment, plan, DEVICES, |value| value.as_array_mut().into_iter().flatten().for_each(change))
}
