//! Defects of the video witnessing.

use serde_json::{Map, Value};

use super::Defect;
use super::edit::{WITNESS, accept, demand, drop_field, field, result, set};
use crate::decide::Call;
use crate::plan::Plan;

const FLAG: &[&str] = &["witness-video.result.video-flag"];
const REASON: &[&str] = &["witness-video.result.reject-reason"];

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "witness-video",
        "video-flag-number",
        ["videoFlag 为数字", "videoFlag is a number"],
        FLAG,
        |call, plan| {
            result(call, plan, WITNESS, |value| {
                field(value, "videoFlag", |flag| flag.as_str().and_then(|flag| flag.parse::<u8>().ok()).into());
            })
        },
    )
    .alias(),
    Defect::new("witness-video", "video-flag-3", ["videoFlag 为 \"3\"", "videoFlag is \"3\""], FLAG, |call, plan| {
        result(call, plan, WITNESS, |value| set(value, "videoFlag", "3"))
    }),
    Defect::new(
        "witness-video",
        "video-flag-missing",
        ["没有 videoFlag", "videoFlag is missing"],
        FLAG,
        |call, plan| result(call, plan, WITNESS, |value| drop_field(value, "videoFlag")),
    ),
    Defect::new(
        "witness-video",
        "reject-reason-missing",
        ["驳回却没有 rejectReason", "a rejection has no rejectReason"],
        REASON,
        |call, plan| rejected(call, plan, |value| drop_field(value, "rejectReason")),
    ),
    Defect::new(
        "witness-video",
        "reject-reason-empty",
        ["驳回而 rejectReason 为空", "rejectReason of a rejection is empty"],
        REASON,
        |call, plan| rejected(call, plan, |value| set(value, "rejectReason", "")),
    ),
    Defect::new(
        "witness-video",
        "reject-reason-number",
        ["rejectReason 为数字", "rejectReason is a number"],
        REASON,
        |call, plan| rejected(call, plan, |value| set(value, "rejectReason", 7)),
    ),
    Defect::new(
        "witness-video",
        "message-number",
        ["message 为数字", "message is a number"],
        &["witness-video.result.message"],
        |call, plan| result(call, plan, WITNESS, |value| set(value, "message", 200)),
    ),
    Defect::new(
        "witness-video",
        "login-pwd-required",
        ["不传 loginPwd 时被拒绝", "a call without loginPwd is refused"],
        &["witness-video.request.login-pwd"],
        |call, plan| demand(call, plan, WITNESS, "loginPwd"),
    ),
    Defect::new(
        "witness-video",
        "room-pwd-required",
        ["不传 roomPwd 时被拒绝", "a call without roomPwd is refused"],
        &["witness-video.request.room-pwd"],
        |call, plan| demand(call, plan, WITNESS, "roomPwd"),
    ),
    Defect::new(
        "witness-video",
        "video-port-unchecked",
        ["不检查 videoPort 的范围", "the range of videoPort is not looked at"],
        &["witness-video.request.video-port.range"],
        |call, plan| match call.text("videoPort") {
            Some(port) if !port.is_empty() => accept(call, plan, WITNESS, "videoPort"),
            _ => plan,
        },
    ),
    Defect::new(
        "witness-video",
        "video-port-not-required",
        ["缺少 videoPort 也成功", "a call without videoPort succeeds"],
        &["witness-video.request.video-port"],
        |call, plan| match call.text("videoPort") {
            Some(port) if !port.is_empty() => plan,
            _ => accept(call, plan, WITNESS, "videoPort"),
        },
    ),
    Defect::new(
        "witness-video",
        "video-type-not-required",
        ["缺少 videoType 也成功", "a call without videoType succeeds"],
        &["witness-video.request.video-type"],
        |call, plan| accept(call, plan, WITNESS, "videoType"),
    ),
    Defect::new(
        "witness-video",
        "video-ip-not-required",
        ["缺少 videoIp 也成功", "a call without videoIp succeeds"],
        &["witness-video.request.video-ip"],
        |call, plan| accept(call, plan, WITNESS, "videoIp"),
    ),
    Defect::new(
        "witness-video",
        "login-name-not-required",
        ["缺少 loginName 也成功", "a call without loginName succeeds"],
        &["witness-video.request.login-name"],
        |call, plan| accept(call, plan, WITNESS, "loginName"),
    ),
    Defect::new(
        "witness-video",
        "room-id-not-required",
        ["缺少 roomId 也成功", "a call without roomId succeeds"],
        &["witness-video.request.room-id"],
        |call, plan| accept(call, plan, WITNESS, "roomId"),
    ),
    Defect::new(
        "witness-video",
        "room-name-not-required",
        ["缺少 roomName 也成功", "a call without roomName succeeds"],
        &["witness-video.request.room-name"],
        |call, plan| accept(call, plan, WITNESS, "roomName"),
    ),
    Defect::new(
        "witness-video",
        "app-id-not-required",
        ["缺少 appId 也成功", "a call without appId succeeds"],
        &["witness-video.request.app-id"],
        |call, plan| accept(call, plan, WITNESS, "appId"),
    ),
];

fn rejected(call: &Call, plan: Plan, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    result(call, plan, WITNESS, |value| {
        if value.get("videoFlag").is_some_and(|flag| flag == "2") {
            change(value);
        }
    })
}
