//! Defects of createRTCPeerConnection, getConfiguration, addTrack and close (3.2).

use fincert_peer::IceServer;
use fincert_schemas::run::flow::MediaKind;
use serde_json::{Value, json};

use super::Defect;
use super::webrtc_edit::{NO_TRACKS, accepted, property, reject, resolved, sync, works};
use crate::plan::Plan;
use crate::rtc::{Moment, Options, Refusal, Task};

const CREATE: &str = "createRTCPeerConnection";
const CONFIGURATION: &str = "getConfiguration";
const ADD_TRACK: &str = "addTrack";
const OPTIONS: &[&str] = &["webrtc.pc.create.options"];
const GIVEN: &[&str] = &["webrtc.pc.get-configuration"];
const INVALID: &[&str] = &["webrtc.pc.create.invalid-options"];

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "pc-sync",
        [
            "createRTCPeerConnection 直接返回实例，而非 Promise",
            "createRTCPeerConnection returns the connection and no promise",
        ],
        &["webrtc.pc.create"],
        |moment, plan| sync(moment, plan, CREATE),
    ),
    Defect::does(
        "pc-empty-options-rejected",
        ["options 为空对象时 createRTCPeerConnection 被拒绝", "with empty options createRTCPeerConnection is rejected"],
        &["webrtc.pc.create"],
        |moment, task| match moment.argument(0) {
            Some(Value::Object(options)) if moment.calls(CREATE) && options.is_empty() => refuse(),
            _ => task,
        },
    )
    .also(OPTIONS),
    Defect::does(
        "pc-without-options-rejected",
        ["不传 options 时 createRTCPeerConnection 被拒绝", "without options createRTCPeerConnection is rejected"],
        &["webrtc.pc.create.without-options"],
        |moment, task| if moment.calls(CREATE) && moment.argument(0).is_none() { refuse() } else { task },
    ),
    Defect::does(
        "pc-second-argument-rejected",
        [
            "传入第二个参数时 createRTCPeerConnection 被拒绝",
            "with a second argument createRTCPeerConnection is rejected",
        ],
        &["webrtc.pc.create.second-argument"],
        |moment, task| if moment.calls(CREATE) && moment.argument(1).is_some() { refuse() } else { task },
    ),
    Defect::does(
        "options-dropped",
        ["options 未透传给连接", "the options are not passed on to the connection"],
        &["webrtc.pc.create.options", "webrtc.ice.relay-only", "webrtc.ice.relayed-media"],
        |_, task| match task {
            Task::Create(_) => Task::Create(Box::new(Options::read(None).unwrap_or_default())),
            other => other,
        },
    )
    .also(GIVEN),
    Defect::does(
        "ice-transport-policy-ignored",
        ["忽略 iceTransportPolicy", "iceTransportPolicy is ignored"],
        &["webrtc.ice.relay-only"],
        |_, task| match task {
            Task::Create(options) => Task::Create(Box::new(Options { relay_only: false, ..*options })),
            other => other,
        },
    )
    .also(&["webrtc.pc.create.options", "webrtc.ice.relayed-media"]),
    Defect::does(
        "turn-servers-ignored",
        ["忽略 iceServers，没有任何中继候选", "iceServers is ignored: there is no relay candidate"],
        &["webrtc.ice.relayed-media"],
        |_, task| match task {
            // The port is that of discard, where no server listens.
            Task::Create(options) if !options.servers.is_empty() => {
                let credential = || "none".to_owned();
                let urls = vec!["turn:127.0.0.1:9".to_owned()];
                let nobody = IceServer { urls, username: credential(), credential: credential() };
                Task::Create(Box::new(Options { servers: vec![nobody], ..*options }))
            }
            other => other,
        },
    )
    .also(&["webrtc.pc.create.options", "webrtc.ice.relay-only"]),
    Defect::does(
        "bad-ice-url-accepted",
        ["非法的 ICE 地址也被接受", "a bad ICE URL is accepted"],
        INVALID,
        |moment, task| accept(moment, task, "SyntaxError"),
    ),
    Defect::does(
        "turn-without-credential-accepted",
        ["TURN 缺少凭据也被接受", "a TURN server without a credential is accepted"],
        INVALID,
        |moment, task| accept(moment, task, "InvalidAccessError"),
    ),
    Defect::does(
        "bad-policy-accepted",
        ["非法的策略也被接受", "a bad policy is accepted"],
        INVALID,
        |moment, task| accept(moment, task, "TypeError"),
    ),
    Defect::says(
        "configuration-sync",
        ["getConfiguration 直接返回对象，而非 Promise", "getConfiguration returns the object and no promise"],
        GIVEN,
        |moment, plan| sync(moment, plan, CONFIGURATION),
    ),
    Defect::says(
        "configuration-empty",
        ["getConfiguration 返回空对象", "getConfiguration resolves to an empty object"],
        GIVEN,
        |moment, plan| resolved(moment, plan, CONFIGURATION, |value| *value = json!({})),
    )
    .also(OPTIONS),
    Defect::says(
        "configuration-wrapped",
        ["getConfiguration 返回 {configuration: {…}}", "getConfiguration resolves to {configuration: {…}}"],
        GIVEN,
        |moment, plan| resolved(moment, plan, CONFIGURATION, |value| *value = json!({"configuration": value.take()})),
    )
    .also(OPTIONS),
    Defect::says(
        "configuration-without-policy",
        ["getConfiguration 的 iceTransportPolicy 总为 all", "the iceTransportPolicy of getConfiguration is always all"],
        GIVEN,
        |moment, plan| resolved(moment, plan, CONFIGURATION, |value| value["iceTransportPolicy"] = "all".into()),
    )
    .also(OPTIONS),
    Defect::says(
        "configuration-of-another",
        [
            "getConfiguration 的 iceServers 不是创建时给出的",
            "the iceServers of getConfiguration are not those that were given",
        ],
        &["webrtc.pc.create.options", "webrtc.pc.get-configuration"],
        |moment, plan| {
            resolved(moment, plan, CONFIGURATION, |value| {
                value["iceServers"] = json!([{"urls": "stun:stun.invalid"}]);
            })
        },
    ),
    Defect::says(
        "add-track-sync",
        ["addTrack 直接返回，而非 Promise", "addTrack returns at once and no promise"],
        &["webrtc.pc.add-track.promise"],
        |moment, plan| sync(moment, plan, ADD_TRACK),
    ),
    Defect::does(
        "add-track-rejected",
        ["addTrack 被拒绝", "addTrack is rejected"],
        &["webrtc.pc.add-track"],
        |_, task| match task {
            Task::AddTrack(..) => Task::reject(&Refusal::of_operation("not this track")),
            other => other,
        },
    )
    .also(NO_TRACKS),
    Defect::does(
        "add-track-ignored",
        ["addTrack 没有作用", "addTrack adds nothing"],
        &["webrtc.pc.add-track"],
        |_, task| match task {
            Task::AddTrack(..) => Task::resolve_undefined(),
            other => other,
        },
    )
    .also(NO_TRACKS),
    Defect::does(
        "add-track-audio-alone",
        ["addTrack 只添加音频", "addTrack adds audio alone"],
        &["webrtc.pc.add-track", "webrtc.media.sent"],
        |_, task| match task {
            Task::AddTrack(_, MediaKind::Video) => Task::resolve_undefined(),
            other => other,
        },
    )
    .also(&[
        "webrtc.call.offerer-swap",
        "webrtc.call.ten-renegotiations",
        "webrtc.call.two-connections",
        "webrtc.call.video-only",
        "webrtc.event.negotiationneeded",
        "webrtc.media.received",
        "webrtc.pc.create-offer.again",
        "webrtc.renegotiation.target-adds-video",
        "webrtc.sdp.msid",
    ]),
    Defect::says(
        "add-track-twice-accepted",
        ["同一个 track 可以重复添加", "a track can be added twice"],
        &["webrtc.pc.add-track.twice-or-closed"],
        |moment, plan| if moment.past.closed { plan } else { accepted(moment, plan, ADD_TRACK, None) },
    )
    .also(&["webrtc.pc.add-track.invalid"]),
    Defect::says(
        "add-track-anything-accepted",
        ["addTrack 接受不是 track 的参数", "addTrack takes what is no track"],
        &["webrtc.pc.add-track.invalid"],
        |moment, plan| {
            let track =
                moment.field("$handle").is_some_and(|handle| handle.as_str().is_some_and(|h| h.starts_with("track-")));
            if track || moment.past.closed { plan } else { accepted(moment, plan, ADD_TRACK, None) }
        },
    ),
    Defect::does(
        "close-ignored",
        ["close 没有作用", "close does nothing"],
        &["webrtc.pc.close", "webrtc.pc.close.stops-media", "webrtc.pc.close.states"],
        |_, task| if task == Task::Close { Task::resolve_undefined() } else { task },
    )
    .also(&["webrtc.pc.close.methods-after", "webrtc.pc.add-track.twice-or-closed"]),
    Defect::says("close-rejected", ["close 被拒绝", "close is rejected"], &["webrtc.pc.close"], |moment, plan| {
        if moment.calls("close") && works(&plan) { reject(plan) } else { plan }
    })
    .also(&["webrtc.pc.close.twice"]),
    Defect::does(
        "close-leaks",
        ["close 之后仍在发送媒体", "after close the media goes on"],
        &["webrtc.pc.close.stops-media"],
        |_, task| if task == Task::Close { Task::CloseInName } else { task },
    )
    .also(&["webrtc.pc.close"]),
    Defect::says(
        "close-leaves-states",
        ["close 之后各状态不变", "close leaves the states as they were"],
        &["webrtc.pc.close.states"],
        |moment, plan| {
            if !moment.past.closed {
                return plan;
            }
            let plan = property(moment, plan, "signalingState", |value| *value = "stable".into());
            let plan = property(moment, plan, "iceConnectionState", |value| *value = "disconnected".into());
            property(moment, plan, "conectionState", |value| *value = "disconnected".into())
        },
    )
    .also(&["webrtc.pc.close"]),
    Defect::says(
        "close-leaves-ice-state",
        ["close 之后 iceConnectionState 不变", "close leaves the iceConnectionState as it was"],
        &["webrtc.pc.close.states"],
        |moment, plan| match moment.past.closed {
            true => property(moment, plan, "iceConnectionState", |value| *value = "connected".into()),
            false => plan,
        },
    ),
    Defect::says(
        "methods-after-close-hang",
        ["关闭之后调用各方法一直没有结果", "methods called after close never settle"],
        &["webrtc.pc.close.methods-after"],
        |moment, plan| match moment.past.closed && !works(&plan) && plan.answer().is_some() {
            true => Plan::silent(),
            false => plan,
        },
    )
    .also(&["integration.answers", "integration.invalid-request-answered", "webrtc.pc.add-track.twice-or-closed"]),
    Defect::says(
        "methods-after-close-resolve",
        ["关闭之后 createOffer 仍返回 offer", "createOffer still gives an offer after close"],
        &["webrtc.pc.close.methods-after"],
        |moment, plan| match moment.past.closed {
            true => {
                let sdp = moment.past.first_local.clone().unwrap_or_else(|| "v=0\r\n".to_owned());
                accepted(moment, plan, "createOffer", Some(json!({"type": "offer", "sdp": sdp})))
            }
            false => plan,
        },
    )
    .also(&["webrtc.sdp.form"]),
    Defect::does(
        "double-close-rejects",
        ["重复调用 close 被拒绝", "a second close is rejected"],
        &["webrtc.pc.close.twice"],
        |moment, task| if moment.calls("close") && moment.past.closed { refuse() } else { task },
    ),
];

fn refuse() -> Task {
    Task::reject(&Refusal::of_type("options: not this way"))
}

/// Options that are refused by this exception make a connection without options.
fn accept(moment: &Moment<'_>, task: Task, exception: &str) -> Task {
    match task.exception() {
        Some(name) if moment.calls(CREATE) && name == exception => Task::Create(Box::default()),
        _ => task,
    }
}
