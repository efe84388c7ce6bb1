//! Defects of how requests are received: what should be refused is accepted, and the other way round.

use super::Defect;
use super::edit::{BANK_CARD, FACE, LIVENESS, OCR, OPEN_APP, WITNESS, accept, is, refuse_extra};
use super::fuzz::MISSING_IMAGE_PATH;
use crate::engine;
use crate::plan::Plan;

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "ocr",
        "unknown-type-accepted",
        ["type 缺失或不在所列之中时按银行卡识别", "a type that is missing or none of the list is taken for BankCard"],
        &["ocr.request.type"],
        |call, plan| {
            let only = !call.broken.is_empty() && call.broken.iter().all(|broken| broken.at == "/type");
            if is(call, OCR) && only {
                Plan::settle(engine::named(OCR, "ocr-bank-card-debit", &BANK_CARD.into()).0)
            } else {
                plan
            }
        },
    )
    .also(&["ocr.result.type"]),
    Defect::new(
        "ocr",
        "type-in-array-accepted",
        [
            "type 为只含 \"BusiCert\" 的数组时按营业执照识别",
            "a type that is an array of BusiCert alone is taken for BusiCert",
        ],
        &["ocr.request.type"],
        |call, plan| {
            let coerced = is(call, OCR) && call.request.get("type") == Some(&serde_json::json!(["BusiCert"]));
            if coerced {
                Plan::settle(engine::named(OCR, "ocr-busi-cert-original", &"BusiCert".into()).0)
            } else {
                plan
            }
        },
    )
    .also(&["ocr.result.type"]),
    Defect::new(
        "ocr",
        "missing-image-path-accepted",
        ["缺少 imagePath 也识别成功", "a request without imagePath is recognised"],
        &["ocr.request.image-path"],
        |call, plan| accept(call, plan, OCR, "imagePath"),
    )
    .also_found_by_fuzzing(MISSING_IMAGE_PATH),
    Defect::new(
        "ocr",
        "extra-field-refused",
        ["OCR 请求带未知字段时被拒绝", "an OCR request with an unknown field is refused"],
        &["ocr.request.unknown-field-ignored"],
        |call, plan| refuse_extra(call, plan, OCR),
    ),
    Defect::new(
        "face",
        "face-id-no-not-required",
        ["缺少 idNo 也核验成功", "a request without idNo is verified"],
        &["face.request.id-no"],
        |call, plan| accept(call, plan, FACE, "idNo"),
    ),
    Defect::new(
        "face",
        "face-name-not-required",
        ["缺少 name 也核验成功", "a request without name is verified"],
        &["face.request.name"],
        |call, plan| accept(call, plan, FACE, "name"),
    ),
    Defect::new(
        "face",
        "face-image-path-not-required",
        ["缺少 imagePath 也核验成功", "a request without imagePath is verified"],
        &["face.request.image-path"],
        |call, plan| accept(call, plan, FACE, "imagePath"),
    ),
    Defect::new(
        "face",
        "face-extra-refused",
        ["人脸核验请求带未知字段时被拒绝", "a verification request with an unknown field is refused"],
        &["face.request.unknown-field-ignored"],
        |call, plan| refuse_extra(call, plan, FACE),
    ),
    Defect::new(
        "liveness",
        "liveness-extra-refused",
        ["活体检测请求带未知字段时被拒绝", "a liveness request with an unknown field is refused"],
        &["liveness.request.unknown-field-ignored"],
        |call, plan| refuse_extra(call, plan, LIVENESS),
    ),
    Defect::new(
        "open-app",
        "open-app-extra-refused",
        ["打开三方 App 的请求带未知字段时被拒绝", "a request to open an app with an unknown field is refused"],
        &["open-app.request.unknown-field-ignored"],
        |call, plan| refuse_extra(call, plan, OPEN_APP),
    ),
    Defect::new(
        "witness-video",
        "witness-extra-refused",
        ["双向视频请求带未知字段时被拒绝", "a witnessing request with an unknown field is refused"],
        &["witness-video.request.unknown-field-ignored"],
        |call, plan| refuse_extra(call, plan, WITNESS),
    ),
];
