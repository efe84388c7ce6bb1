//! Defects of streams and tracks (3.1), and of the media itself.

use fincert_peer::SdpKind;
use fincert_schemas::bridge::{METHOD_NOT_FOUND, Settlement, Via};
use fincert_schemas::run::flow::MediaKind;
use serde_json::{Value, json};

use super::Defect;
use super::webrtc_edit::{NO_TRACKS, concat, property, resolved, sync, undefined};
use crate::plan::Plan;
use crate::rtc::{Moment, Refusal, Task, sdp};

const MEDIA: &str = "getUserMedia";
const TRACKS: &str = "getTracks";

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "stream-native",
        ["stream 为原生对象，没有 getTracks", "the stream is a native object without getTracks"],
        &["webrtc.stream"],
        |moment, plan| {
            if moment.calls(TRACKS) {
                return Plan::refuse(METHOD_NOT_FOUND, "the stream has no method getTracks");
            }
            let plan = property(moment, plan, TRACKS, |value| *value = undefined());
            resolved(moment, plan, MEDIA, |value| {
                if let Some(own) = value["own"].as_array_mut() {
                    own.retain(|key| key != TRACKS);
                }
            })
        },
    )
    .also(&concat::<{ NO_TRACKS.len() + 1 }>(NO_TRACKS, &["webrtc.stream.get-tracks"])),
    Defect::says(
        "stream-id-number",
        ["streamId 为数字", "streamId is a number"],
        &["webrtc.stream.stream-id"],
        |moment, plan| stream_id(moment, plan, |_| 1.into()),
    ),
    Defect::says(
        "stream-id-empty",
        ["streamId 为空字符串", "streamId is empty"],
        &["webrtc.stream.stream-id.not-empty"],
        |moment, plan| stream_id(moment, plan, |_| "".into()),
    ),
    Defect::says(
        "stream-id-shared",
        ["不同的 stream 有相同的 streamId", "all streams share one streamId"],
        &["webrtc.stream.stream-id.not-empty"],
        |moment, plan| stream_id(moment, plan, |_| "local".into()),
    ),
    Defect::says(
        "get-tracks-sync",
        ["getTracks 直接返回数组，而非 Promise", "getTracks returns the array and no promise"],
        &["webrtc.stream.get-tracks"],
        |moment, plan| sync(moment, plan, TRACKS),
    ),
    Defect::says(
        "get-tracks-wrapped",
        ["getTracks 返回 {tracks: […]}", "getTracks resolves to {tracks: […]}"],
        &["webrtc.stream.get-tracks"],
        |moment, plan| resolved(moment, plan, TRACKS, |value| *value = json!({"tracks": value.take()})),
    )
    .also(NO_TRACKS),
    Defect::does(
        "tracks-two-audio",
        ["stream 有两个音频 track", "the stream has two audio tracks"],
        &["webrtc.stream.get-tracks.kinds"],
        |_, task| match task {
            Task::UserMedia { audio: 1, video } => Task::UserMedia { audio: 2, video },
            other => other,
        },
    ),
    Defect::says(
        "track-kind-missing",
        ["track 没有 kind", "a track has no kind"],
        &["webrtc.track.kind"],
        |moment, plan| {
            tracks(moment, plan, |track| {
                if let Some(props) = track["props"].as_object_mut() {
                    props.shift_remove("kind");
                }
                if let Some(own) = track["own"].as_array_mut() {
                    own.retain(|key| key != "kind");
                }
            })
        },
    )
    .also(&["webrtc.stream.get-tracks.kinds"]),
    Defect::says(
        "track-kind-capitalised",
        ["track 的 kind 为 Audio、Video", "the kind of a track is Audio or Video"],
        &["webrtc.track.kind"],
        |moment, plan| {
            tracks(moment, plan, |track| {
                let kind = if track["props"]["kind"] == "audio" { "Audio" } else { "Video" };
                track["props"]["kind"] = kind.into();
            })
        },
    )
    .also(&["webrtc.stream.get-tracks.kinds"]),
    Defect::does(
        "track-stop-ignored",
        ["track.stop 没有作用", "track.stop does nothing"],
        &["webrtc.track.stop"],
        |_, task| if task == Task::Stop { Task::resolve_undefined() } else { task },
    ),
    Defect::does(
        "track-stop-fails",
        ["track.stop 抛错，媒体继续发送", "track.stop throws, and the media goes on"],
        &["webrtc.track.stop"],
        |_, task| match task {
            Task::Stop => {
                let refusal = Refusal::of_type("track.stop is not a function");
                Task::Settle(Settlement { via: Via::Throw, ..refusal.settle() })
            }
            other => other,
        },
    ),
    Defect::does(
        "video-never-sent",
        ["添加的视频 track 不发送任何媒体", "a video track that was added sends nothing"],
        &["webrtc.media.sent"],
        |moment, task| mute(moment, task, |_| true),
    )
    .also(&[
        "webrtc.call.offerer-swap",
        "webrtc.call.ten-renegotiations",
        "webrtc.call.two-connections",
        "webrtc.call.video-only",
        "webrtc.renegotiation.target-adds-video",
    ]),
    Defect::does(
        "video-added-later-never-sent",
        ["连接建立后添加的视频不发送", "video that is added to a connection that is up is not sent"],
        &["webrtc.renegotiation.target-adds-video"],
        |moment, task| mute(moment, task, |moment| moment.past.rounds > 0),
    ),
    Defect::does(
        "media-stops-after-restart",
        ["重启 ICE 之后媒体停止", "after an ICE restart the media stops"],
        &["webrtc.ice.restart-keeps-media"],
        |moment, task| match &task {
            Task::SetLocal(description) => {
                let before = moment.past.last_local.as_deref().and_then(sdp::ufrag);
                if before.is_some() && before != sdp::ufrag(&description.sdp) && moment.past.rounds > 0 {
                    Task::MuteAnd(Box::new(task))
                } else {
                    task
                }
            }
            _ => task,
        },
    ),
    Defect::does(
        "media-stops-after-ten",
        ["第五次协商之后媒体停止", "after the fifth negotiation the media stops"],
        &["webrtc.call.ten-renegotiations"],
        |moment, task| match &task {
            Task::SetLocal(_) if moment.past.rounds > 4 => Task::MuteAnd(Box::new(task)),
            _ => task,
        },
    ),
    Defect::does(
        "media-stops-when-the-other-offers",
        ["对端重新发起 offer 之后媒体停止", "after the other end has offered next the media stops"],
        &["webrtc.call.offerer-swap"],
        |moment, task| match &task {
            Task::SetLocal(answer)
                if answer.kind == SdpKind::Answer && moment.past.rounds > 0 && !is_restart(moment, &answer.sdp) =>
            {
                Task::MuteAnd(Box::new(task))
            }
            _ => task,
        },
    )
    .also(&["webrtc.call.ten-renegotiations"]),
];

/// A video track that is added sends nothing.
fn mute(moment: &Moment<'_>, task: Task, when: impl FnOnce(&Moment<'_>) -> bool) -> Task {
    match task {
        Task::AddTrack(handle, MediaKind::Video) if when(moment) => Task::AddMuteTrack(handle, MediaKind::Video),
        other => other,
    }
}

fn is_restart(moment: &Moment<'_>, sdp: &str) -> bool {
    moment.past.last_local.as_deref().and_then(sdp::ufrag) != sdp::ufrag(sdp)
}

/// The streamId of a stream, as its handle and its property tell it.
fn stream_id(moment: &Moment<'_>, plan: Plan, change: impl Fn(&Value) -> Value) -> Plan {
    let plan = property(moment, plan, "streamId", |value| *value = change(value));
    resolved(moment, plan, MEDIA, |value| {
        if let Some(id) = value.pointer_mut("/props/streamId") {
            *id = change(id);
        }
    })
}

fn tracks(moment: &Moment<'_>, plan: Plan, change: impl FnMut(&mut Value)) -> Plan {
    resolved(moment, plan, TRACKS, |value| value.as_array_mut().into_iter().flatten().for_each(change))
}
