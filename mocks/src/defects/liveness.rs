//! Defects of the liveness check.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::Defect;
use super::edit::{LIVENESS, drop_field, field, is, refuse, result, set};
use crate::decide::Call;
use crate::engine;
use crate::plan::Plan;

const RESULT_TYPE: &[&str] = &["liveness.result.result-type"];
const PRESENT: &[&str] = &["liveness.result.face-img-str"];
const IMAGE: &[&str] = &["liveness.result.face-img-str.image"];

/// The smallest GIF there is.
const GIF: &str = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "liveness",
        "liveness-result-type-unknown",
        ["resultType 不在所列之中", "resultType is none of the list"],
        RESULT_TYPE,
        |call, plan| succeeded(call, plan, |value| set(value, "resultType", "ok")),
    ),
    Defect::new(
        "liveness",
        "liveness-result-type-missing",
        ["没有 resultType", "resultType is missing"],
        RESULT_TYPE,
        |call, plan| result(call, plan, LIVENESS, |value| drop_field(value, "resultType")),
    ),
    Defect::new(
        "liveness",
        "face-img-data-url",
        ["faceImgStr 带 data: 前缀", "faceImgStr has a data: prefix"],
        IMAGE,
        |call, plan| image(call, plan, |text| format!("data:image/jpeg;base64,{text}")),
    )
    .alias(),
    Defect::new(
        "liveness",
        "face-img-line-breaks",
        ["faceImgStr 中有换行", "faceImgStr is broken into lines"],
        IMAGE,
        |call, plan| {
            image(call, plan, |text| {
                let lines: Vec<_> = text.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
                lines.join("\r\n")
            })
        },
    )
    .alias(),
    Defect::new(
        "liveness",
        "face-img-truncated",
        ["faceImgStr 的图片不完整", "the picture in faceImgStr is cut off"],
        IMAGE,
        |call, plan| {
            image(call, plan, |text| {
                let bytes = STANDARD.decode(text).unwrap_or_default();
                STANDARD.encode(bytes.get(..bytes.len() / 2).unwrap_or_default())
            })
        },
    ),
    Defect::new(
        "liveness",
        "face-img-not-base64",
        ["faceImgStr 不是 Base64", "faceImgStr is not Base64"],
        IMAGE,
        |call, plan| image(call, plan, |_| "[B@1f2e3d4c — java.lang.Object.toString".to_owned()),
    ),
    Defect::new(
        "liveness",
        "face-img-gif",
        ["faceImgStr 的图片是 GIF", "the picture in faceImgStr is a GIF"],
        IMAGE,
        |call, plan| image(call, plan, |_| GIF.to_owned()),
    ),
    Defect::new(
        "liveness",
        "face-img-missing",
        ["成功却没有 faceImgStr", "a success has no faceImgStr"],
        PRESENT,
        |call, plan| succeeded(call, plan, |value| drop_field(value, "faceImgStr")),
    ),
    Defect::new(
        "liveness",
        "face-img-empty",
        ["成功而 faceImgStr 为空", "faceImgStr of a success is empty"],
        PRESENT,
        |call, plan| image(call, plan, |_| String::new()),
    )
    .also(IMAGE),
    Defect::new(
        "liveness",
        "face-img-on-back",
        ["用户取消时仍返回图片", "a cancelled check has a picture"],
        &["liveness.result.face-img-str.only-on-success"],
        |call, plan| {
            let taken =
                engine::default(LIVENESS, &call.request).0.value.and_then(|value| value.get("faceImgStr").cloned());
            result(call, plan, LIVENESS, |value| {
                if value.get("resultType").is_some_and(|kind| kind == "back") {
                    value.insert("faceImgStr".to_owned(), taken.unwrap_or_default());
                }
            })
        },
    ),
    Defect::new(
        "liveness",
        "liveness-empty-refused",
        ["以空对象调用时被拒绝", "a call with the empty object is refused"],
        &["liveness.request.empty"],
        |call, plan| {
            let empty = is(call, LIVENESS) && call.request.as_object().is_some_and(Map::is_empty);
            if empty { refuse(call, plan, LIVENESS, "invalid request: no parameters") } else { plan }
        },
    ),
];

/// Changes the result of a check that succeeded.
fn succeeded(call: &Call, plan: Plan, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    result(call, plan, LIVENESS, |value| {
        if value.get("resultType").is_some_and(|kind| kind == "success") {
            change(value);
        }
    })
}

/// Changes the picture of a check that succeeded.
fn image(call: &Call, plan: Plan, change: impl FnOnce(&str) -> String) -> Plan {
    succeeded(call, plan, |value| field(value, "faceImgStr", |text| change(text.as_str().unwrap_or_default()).into()))
}
