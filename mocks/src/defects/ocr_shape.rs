//! Defects of the shape of an OCR result: the code, the echo, the object, and whose card it is.

use fincert_schemas::fixture;
use serde_json::{Value, json};

use super::Defect;
use super::edit::{
    BANK_CARD, BUSI_CERT, ID_CARD, ID_CARD_CHECK, OCR, card, default, drop_field, field, good, is, is_zero, object,
    result, set,
};
use crate::decide::Call;
use crate::engine;
use crate::picture::Picture;
use crate::plan::Plan;

const ERROR_CODE: &[&str] = &["ocr.result.error-code"];
const TYPE: &[&str] = &["ocr.result.type"];
const RECOG_RESULT: &[&str] = &["ocr.result.recog-result"];
const NOT_A_BANK_CARD: &[&str] = &[
    "ocr.result.bank-card.card-no",
    "ocr.result.bank-card.bank-name",
    "ocr.result.bank-card.bank-id",
    "ocr.result.bank-card.card-type",
    "ocr.result.fields-not-empty",
];

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "ocr",
        "error-code-string",
        ["errorCode 为字符串", "errorCode is a string"],
        ERROR_CODE,
        |call, plan| result(call, plan, OCR, |value| field(value, "errorCode", |code| code.to_string().into())),
    ),
    Defect::new(
        "ocr",
        "error-code-double",
        ["errorCode 写作 0.0", "errorCode is written 0.0"],
        ERROR_CODE,
        |call, plan| good(call, plan, OCR, |value| set(value, "errorCode", 0.0)),
    )
    .alias(),
    Defect::new("ocr", "error-code-missing", ["没有 errorCode", "errorCode is missing"], ERROR_CODE, |call, plan| {
        result(call, plan, OCR, |value| drop_field(value, "errorCode"))
    }),
    Defect::new(
        "ocr",
        "description-number",
        ["description 为数字", "description is a number"],
        &["ocr.result.description"],
        |call, plan| result(call, plan, OCR, |value| set(value, "description", 0)),
    ),
    Defect::new("ocr", "type-missing", ["没有 type", "type is missing"], TYPE, |call, plan| {
        result(call, plan, OCR, |value| drop_field(value, "type"))
    }),
    Defect::new(
        "ocr",
        "type-lower-case",
        ["返回的 type 全为小写", "the echoed type is in lower case"],
        TYPE,
        |call, plan| {
            result(call, plan, OCR, |value| {
                field(value, "type", |kind| kind.as_str().unwrap_or_default().to_lowercase().into());
            })
        },
    ),
    Defect::new(
        "ocr",
        "wrong-echo",
        [
            "未识别时返回的 type 不是请求的 type",
            "the echoed type of an unrecognised picture is another one of the list",
        ],
        TYPE,
        |call, plan| {
            if is_zero(&plan) {
                return plan;
            }
            let other = if call.text("type") == Some(BANK_CARD) { ID_CARD } else { BANK_CARD };
            result(call, plan, OCR, |value| set(value, "type", other))
        },
    ),
    Defect::new(
        "ocr",
        "recog-result-missing",
        ["银行卡识别成功却没有 recogResult", "recogResult of a recognised bank card is missing"],
        RECOG_RESULT,
        |call, plan| {
            of_type(call, plan, BANK_CARD, |plan| good(call, plan, OCR, |value| drop_field(value, "recogResult")))
        },
    )
    .also(&[
        "ocr.request.type.bank-card",
        "ocr.result.bank-card.card-no",
        "ocr.result.bank-card.bank-name",
        "ocr.result.bank-card.bank-id",
        "ocr.result.bank-card.card-type",
        "ocr.result.fields-not-empty",
        "ocr.result.pictures-differ",
    ]),
    Defect::new(
        "ocr",
        "recog-result-array",
        ["身份证质检的 recogResult 为数组", "recogResult of a quality check is an array"],
        RECOG_RESULT,
        |call, plan| {
            of_type(call, plan, ID_CARD_CHECK, |plan| {
                good(call, plan, OCR, |value| field(value, "recogResult", |card| json!([card])))
            })
        },
    )
    .also(&["ocr.request.type.id-card-check", "ocr.result.id-card-check.risk", "ocr.result.fields-not-empty"]),
    Defect::new(
        "ocr",
        "recog-result-on-error",
        ["errorCode 不为 0 时仍返回识别内容", "a result with another errorCode than 0 has a filled recogResult"],
        &["ocr.result.recog-result.only-on-success"],
        |call, plan| {
            if object(&plan).is_none() || is_zero(&plan) {
                return plan;
            }
            let filled =
                engine::default(OCR, &call.request).0.value.and_then(|value| value.get("recogResult").cloned());
            result(call, plan, OCR, |value| drop(value.insert("recogResult".to_owned(), filled.unwrap_or_default())))
        },
    ),
    Defect::new(
        "ocr",
        "same-answer-always",
        ["不看图片，同类证件总是返回同一结果", "a stub: whatever the picture, one result for each kind of card"],
        &["ocr.result.pictures-differ"],
        |call, plan| {
            let back =
                object(&plan).is_some_and(|value| value.get("recogResult").is_some_and(|card| card["face"] == 1));
            let example = if back { "ocr-id-card-back" } else { "" };
            match (is(call, OCR) && is_zero(&plan), back) {
                (true, true) => Plan::settle(engine::named(OCR, example, &call.request).0),
                (true, false) => default(call, plan),
                (false, _) => plan,
            }
        },
    ),
    Defect::new(
        "ocr",
        "blank-recognised",
        ["空白图片识别成功，各字段为空", "a blank picture is recognised, with empty fields"],
        &["ocr.result.blank-picture"],
        |call, plan| {
            if !call.picture.is("unreadable-blank") || call.text("type") == Some(ID_CARD_CHECK) || !is(call, OCR) {
                return plan;
            }
            let plan = default(call, plan);
            card(call, plan, call.text("type").unwrap_or_default(), |card| {
                for (name, value) in card.iter_mut() {
                    if name != "face" {
                        *value = "".into();
                    }
                }
            })
        },
    ),
    Defect::new(
        "ocr",
        "missing-file-recognised",
        ["图片文件不存在或不可读却识别成功", "a file that cannot be read is recognised"],
        &["ocr.request.image-path.unreadable"],
        |call, plan| match call.picture {
            Picture::Unreadable(_) if is(call, OCR) && call.broken.is_empty() => default(call, plan),
            _ => plan,
        },
    ),
    Defect::new(
        "ocr",
        "bank-card-answers-id-card",
        ["银行卡识别返回身份证的字段", "a bank card is answered with an identity card's fields"],
        &["ocr.request.type.bank-card"],
        |call, plan| instead(call, plan, BANK_CARD, ["id-front-male", "id-front-female", "id-front-rare-han"]),
    )
    .also(NOT_A_BANK_CARD),
    Defect::new(
        "ocr",
        "id-card-answers-bank-card",
        ["身份证识别返回银行卡的字段", "an identity card is answered with a bank card's fields"],
        &["ocr.request.type.id-card"],
        |call, plan| instead(call, plan, ID_CARD, ["bank-card-debit", "bank-card-credit", "bank-card-quasi-credit"]),
    )
    .also(&[
        "ocr.result.id-card.face",
        "ocr.result.id-card.face-matches-picture",
        "ocr.result.fields-not-empty",
        "ocr.result.pictures-differ",
    ]),
    Defect::new(
        "ocr",
        "id-card-check-answers-id-card",
        ["身份证质检返回身份证识别的字段", "a quality check is answered with an identity card's fields"],
        &["ocr.request.type.id-card-check"],
        |call, plan| instead(call, plan, ID_CARD_CHECK, ["id-front-male", "id-front-female", "id-front-rare-han"]),
    )
    .also(&["ocr.result.id-card-check.risk", "ocr.result.fields-not-empty", "ocr.result.pictures-differ"]),
    Defect::new(
        "ocr",
        "busi-cert-answers-bank-card",
        ["营业执照识别返回银行卡的字段", "a business licence is answered with a bank card's fields"],
        &["ocr.request.type.busi-cert"],
        |call, plan| instead(call, plan, BUSI_CERT, ["bank-card-debit", "bank-card-credit", "bank-card-quasi-credit"]),
    )
    .also(&[
        "ocr.result.busi-cert.reg-org",
        "ocr.result.busi-cert.busi-scrope",
        "ocr.result.busi-cert.cert-no",
        "ocr.result.busi-cert.reg-date",
        "ocr.result.busi-cert.capital",
        "ocr.result.busi-cert.address",
        "ocr.result.busi-cert.exp-date",
        "ocr.result.busi-cert.represent",
        "ocr.result.busi-cert.cert-type",
        "ocr.result.busi-cert.corp-name",
        "ocr.result.busi-cert.corp-type",
        "ocr.result.busi-cert.found-date",
        "ocr.result.fields-not-empty",
    ]),
];

fn of_type(call: &Call, plan: Plan, kind: &str, change: impl FnOnce(Plan) -> Plan) -> Plan {
    if call.text("type") == Some(kind) { change(plan) } else { plan }
}

/// What another specimen shows takes the place of what this one does; which, follows the picture.
fn instead(call: &Call, plan: Plan, kind: &str, others: [&str; 3]) -> Plan {
    let here = call.picture.find(|specimen| specimen.kind.as_type() == Some(kind));
    let place = fixture::all()
        .unwrap_or_default()
        .iter()
        .filter(|specimen| specimen.kind.as_type() == Some(kind))
        .position(|specimen| here.is_some_and(|here| here.id == specimen.id));
    let other = others.get(place.unwrap_or_default() % others.len()).and_then(|id| fixture::get(id));
    of_type(call, plan, kind, |plan| {
        good(call, plan, OCR, |value| {
            set(value, "recogResult", other.map_or(Value::Null, |other| Value::Object(other.truth.clone())));
        })
    })
}
