//! Defects of opening another app.

use super::Defect;
use super::edit::{OPEN_APP, accept, demand};

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "open-app",
        "alert-msg-required",
        ["不传 alertMsg 时被拒绝", "a call without alertMsg is refused"],
        &["open-app.request.alert-msg"],
        |call, plan| demand(call, plan, OPEN_APP, "alertMsg"),
    ),
    Defect::new(
        "open-app",
        "package-not-required",
        ["Android 上缺少 package 也成功", "a call without package succeeds on Android"],
        &["open-app.request.package"],
        |call, plan| accept(call, plan, OPEN_APP, "package"),
    ),
    Defect::new(
        "open-app",
        "url-not-required",
        ["缺少 url 也成功", "a call without url succeeds"],
        &["open-app.request.url"],
        |call, plan| accept(call, plan, OPEN_APP, "url"),
    ),
    Defect::new(
        "open-app",
        "download-url-unchecked",
        ["downloadUrl 不是字符串也成功", "a call whose downloadUrl is not a string succeeds"],
        &["open-app.request.download-url"],
        |call, plan| accept(call, plan, OPEN_APP, "downloadUrl"),
    ),
];
