//! Clause 3.1.

use fincert_schemas::bridge::Via;
use serde_json::json;

use super::{Mutation, accepts, gives, rejects, returns, unknown};
use crate::flows;

pub(crate) const DEVICES: &[Mutation] = &[
    (
        "devices without a promise",
        flows::devices,
        |s| returns(s, "enumerateDevices"),
        &["media-devices.enumerate-devices"],
    ),
    ("devices rejected", flows::devices, |s| rejects(s, "enumerateDevices"), &["media-devices.enumerate-devices"]),
    (
        "devices in a wrapper",
        flows::devices,
        |s| gives(s, "enumerateDevices", "", &json!({"devicesList": []})),
        &["media-devices.enumerate-devices.result"],
    ),
    (
        "no devices at all",
        flows::devices,
        |s| s.answers("enumerateDevices").for_each(|(_, value)| *value = None),
        &["media-devices.enumerate-devices", "media-devices.enumerate-devices.result"],
    ),
    (
        "a device of an odd kind",
        flows::devices,
        |s| gives(s, "enumerateDevices", "/0/kind", &json!("camera")),
        &["media-devices.enumerate-devices.kind"],
    ),
    (
        "a label that is no text",
        flows::devices,
        |s| gives(s, "enumerateDevices", "/0/label", &json!(7)),
        &["media-devices.enumerate-devices.device"],
    ),
    (
        "constraints without a promise",
        flows::devices,
        |s| returns(s, "getSupportedConstraints"),
        &["media-devices.get-supported-constraints"],
    ),
    (
        "constraints as a list",
        flows::devices,
        |s| gives(s, "getSupportedConstraints", "", &json!(["width"])),
        &["media-devices.get-supported-constraints.result"],
    ),
    (
        "constraints in a wrapper",
        flows::devices,
        |s| gives(s, "getSupportedConstraints", "", &json!({"info": {"width": true}})),
        &["media-devices.get-supported-constraints.result"],
    ),
    (
        "a stream without getTracks",
        flows::devices,
        |s| {
            gives(s, "getUserMedia", "/own", &json!(["streamId"]));
            s.answers("getTracks")
                .for_each(|(via, value)| (*via, *value) = (Via::Throw, Some(json!({"name": "TypeError"}))));
        },
        &["stream", "stream.get-tracks"],
    ),
    (
        "no stream",
        flows::devices,
        |s| s.answers("getUserMedia").for_each(|(_, value)| *value = None),
        &["stream", "media-devices.get-user-media"],
    ),
    (
        "a constraint as a text",
        flows::devices,
        |s| gives(s, "getSupportedConstraints", "/width", &json!("yes")),
        &["media-devices.get-supported-constraints.values"],
    ),
    (
        "another constraint as a text",
        flows::devices,
        |s| gives(s, "getSupportedConstraints", "/zoom", &json!("yes")),
        &["media-devices.get-supported-constraints.values"],
    ),
    ("a stream without a promise", flows::devices, |s| returns(s, "getUserMedia"), &["media-devices.get-user-media"]),
    ("a stream for nothing", flows::devices, |s| accepts(s, "neither"), &["media-devices.get-user-media.neither"]),
    (
        "no answer to nothing",
        flows::devices,
        |s| s.hangs("neither"),
        &["media-devices.get-user-media.neither", "integration.invalid-request-answered"],
    ),
    (
        "no second stream",
        flows::devices,
        |s| s.hangs("again"),
        &["media-devices.get-user-media.again", "integration.answers"],
    ),
    (
        "a stream without an id",
        flows::devices,
        |s| gives(s, "getUserMedia", "/props", &json!({})),
        &["stream.stream-id"],
    ),
    (
        "an id that is a number",
        flows::devices,
        |s| gives(s, "getUserMedia", "/props/streamId", &json!(1)),
        &["stream.stream-id"],
    ),
    (
        "an empty id",
        flows::devices,
        |s| gives(s, "getUserMedia", "/props/streamId", &json!("")),
        &["stream.stream-id.not-empty"],
    ),
    (
        "one id for all",
        flows::devices,
        |s| gives(s, "getUserMedia", "/props/streamId", &json!("same")),
        &["stream.stream-id.not-empty"],
    ),
    ("a stream that is a text", flows::devices, |s| gives(s, "getUserMedia", "", &json!("stream-a")), &["stream"]),
    ("tracks without a promise", flows::devices, |s| returns(s, "getTracks"), &["stream.get-tracks"]),
    ("tracks rejected", flows::devices, |s| rejects(s, "getTracks"), &["stream.get-tracks"]),
    (
        "tracks in a wrapper",
        flows::devices,
        |s| gives(s, "getTracks", "", &json!({"tracks": []})),
        &["stream.get-tracks"],
    ),
    ("a bridge without getTracks", flows::devices, |s| unknown(s, "getTracks"), &["stream", "stream.get-tracks"]),
    ("a track without a kind", flows::devices, |s| gives(s, "getTracks", "/0/props", &json!({})), &["track.kind"]),
    (
        "no video",
        flows::devices,
        |s| {
            s.answers("getTracks").for_each(|(_, value)| {
                value.as_mut().unwrap().as_array_mut().unwrap().retain(|track| track["props"]["kind"] == "audio");
            })
        },
        &["media-devices.get-user-media.video", "stream.get-tracks.kinds"],
    ),
    (
        "no audio",
        flows::devices,
        |s| {
            s.answers("getTracks").for_each(|(_, value)| {
                value.as_mut().unwrap().as_array_mut().unwrap().retain(|track| track["props"]["kind"] == "video");
            })
        },
        &["media-devices.get-user-media.audio", "stream.get-tracks.kinds"],
    ),
    (
        "two tracks of each",
        flows::devices,
        |s| {
            s.answers("getTracks").for_each(|(_, value)| {
                let tracks = value.as_mut().unwrap().as_array_mut().unwrap();
                tracks.extend(tracks.clone());
            })
        },
        &["stream.get-tracks.kinds"],
    ),
    ("stop rejected", flows::devices, |s| rejects(s, "stop"), &["track.stop"]),
];
