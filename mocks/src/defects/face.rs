//! Defects of the face verification's result.

use serde_json::Value;

use super::Defect;
use super::edit::{FACE, default, drop_field, field, good, is, result, set};
use crate::picture::Picture;

const ERROR_CODE: &[&str] = &["face.result.error-code"];
const SCORE: &[&str] = &["face.result.score"];

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "face",
        "face-error-code-string",
        ["人脸核验的 errorCode 为字符串", "errorCode of a verification is a string"],
        ERROR_CODE,
        |call, plan| result(call, plan, FACE, |value| field(value, "errorCode", |code| code.to_string().into())),
    ),
    Defect::new(
        "face",
        "face-error-code-double",
        ["人脸核验的 errorCode 写作 0.0", "errorCode of a verification is written 0.0"],
        ERROR_CODE,
        |call, plan| good(call, plan, FACE, |value| set(value, "errorCode", 0.0)),
    )
    .alias(),
    Defect::new(
        "face",
        "face-error-code-missing",
        ["人脸核验没有 errorCode", "errorCode of a verification is missing"],
        ERROR_CODE,
        |call, plan| result(call, plan, FACE, |value| drop_field(value, "errorCode")),
    ),
    Defect::new(
        "face",
        "face-description-number",
        ["人脸核验的 description 为数字", "description of a verification is a number"],
        &["face.result.description"],
        |call, plan| result(call, plan, FACE, |value| set(value, "description", 0)),
    ),
    Defect::new("face", "score-87", ["score 为百分制", "score is a percentage"], SCORE, |call, plan| {
        good(call, plan, FACE, |value| field(value, "score", |score| scaled(score, 100.0)))
    }),
    Defect::new("face", "score-string", ["score 为字符串", "score is a string"], SCORE, |call, plan| {
        good(call, plan, FACE, |value| field(value, "score", |score| score.to_string().into()))
    }),
    Defect::new("face", "score-missing", ["没有 score", "score is missing"], SCORE, |call, plan| {
        good(call, plan, FACE, |value| drop_field(value, "score"))
    }),
    Defect::new("face", "score-negative", ["score 为负数", "score is negative"], SCORE, |call, plan| {
        good(call, plan, FACE, |value| field(value, "score", |score| scaled(score, -1.0)))
    }),
    Defect::new(
        "face",
        "score-constant",
        ["不看照片，score 总是相同", "score is the same whoever is in the picture"],
        &["face.result.score.follows-picture"],
        |call, plan| good(call, plan, FACE, |value| set(value, "score", 0.9)),
    ),
    Defect::new(
        "face",
        "face-missing-file-accepted",
        ["照片文件不存在或不可读却核验成功", "a person is verified by a file that cannot be read"],
        &["face.request.image-path.unreadable"],
        |call, plan| match call.picture {
            Picture::Unreadable(_) if is(call, FACE) && call.broken.is_empty() => default(call, plan),
            _ => plan,
        },
    ),
];

fn scaled(score: &Value, factor: f64) -> Value {
    (score.as_f64().unwrap_or_default() * factor).into()
}
