//! Defects of the fields of a recognised business licence.

use fincert_schemas::format::uscc::ALPHABET;
use serde_json::{Map, Value};

use super::Defect;
use super::edit::{BUSI_CERT, card, drop_field, field, set};
use super::id_card::other_last;
use crate::decide::Call;
use crate::plan::Plan;

const EMPTY: &[&str] = &["ocr.result.fields-not-empty"];

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "ocr",
        "reg-org-missing",
        ["没有 regOrg", "regOrg is missing"],
        &["ocr.result.busi-cert.reg-org"],
        |call, plan| busi(call, plan, |card| drop_field(card, "regOrg")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "busi-scope-alias",
        ["经营范围的字段名为 busiScope", "the scope of business goes by the name busiScope"],
        &["ocr.result.busi-cert.busi-scrope"],
        |call, plan| {
            busi(call, plan, |card| {
                if let Some(scope) = card.shift_remove("busiScrope") {
                    card.insert("busiScope".to_owned(), scope);
                }
            })
        },
    )
    .alias(),
    Defect::new(
        "ocr",
        "busi-scope-missing",
        ["没有 busiScrope", "busiScrope is missing"],
        &["ocr.result.busi-cert.busi-scrope"],
        |call, plan| busi(call, plan, |card| drop_field(card, "busiScrope")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "cert-no-bad-check",
        ["统一社会信用代码的校验码错误", "the check character of the credit code is wrong"],
        &["ocr.result.busi-cert.cert-no.check-character"],
        |call, plan| {
            busi(call, plan, |card| {
                field(card, "certNo", |number| match number.as_str() {
                    Some(text) if text.len() == 18 => other_last(number, ALPHABET),
                    _ => number.clone(),
                });
            })
        },
    ),
    Defect::new(
        "ocr",
        "cert-no-17-chars",
        ["统一社会信用代码少一位", "a character of the credit code is missing"],
        &["ocr.result.busi-cert.cert-no"],
        |call, plan| {
            busi(call, plan, |card| {
                field(card, "certNo", |number| match number.as_str() {
                    Some(text) if text.len() == 18 => text.chars().take(17).collect::<String>().into(),
                    _ => number.clone(),
                });
            })
        },
    )
    .also(&["ocr.result.busi-cert.cert-no.check-character"]),
    Defect::new(
        "ocr",
        "reg-date-missing",
        ["没有 regDate", "regDate is missing"],
        &["ocr.result.busi-cert.reg-date"],
        |call, plan| busi(call, plan, |card| drop_field(card, "regDate")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "reg-date-garbage",
        ["登记日期不是真实存在的日期", "the date of registration is no day of any calendar"],
        &["ocr.result.busi-cert.reg-date.date"],
        |call, plan| busi(call, plan, |card| set(card, "regDate", "2021年13月40日")),
    ),
    Defect::new(
        "ocr",
        "capital-number",
        ["注册资本为数字", "the registered capital is a number"],
        &["ocr.result.busi-cert.capital"],
        |call, plan| busi(call, plan, |card| set(card, "capital", 5_000_000)),
    ),
    Defect::new(
        "ocr",
        "busi-address-missing",
        ["营业执照没有 address", "the address of a licence is missing"],
        &["ocr.result.busi-cert.address"],
        |call, plan| busi(call, plan, |card| drop_field(card, "address")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "exp-date-number",
        ["营业期限为数字", "the term of operation is a number"],
        &["ocr.result.busi-cert.exp-date"],
        |call, plan| busi(call, plan, |card| set(card, "expDate", 20_460_519)),
    ),
    Defect::new(
        "ocr",
        "exp-date-garbage",
        ["营业期限无法解读", "the term of operation is no date"],
        &["ocr.result.busi-cert.exp-date.date"],
        |call, plan| busi(call, plan, |card| set(card, "expDate", "详见章程")),
    ),
    Defect::new(
        "ocr",
        "represent-missing",
        ["没有 represent", "represent is missing"],
        &["ocr.result.busi-cert.represent"],
        |call, plan| busi(call, plan, |card| drop_field(card, "represent")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "cert-type-unknown",
        ["营业执照类型既非正本也非副本", "the licence is neither an original nor a duplicate"],
        &["ocr.result.busi-cert.cert-type"],
        |call, plan| busi(call, plan, |card| set(card, "certType", "电子")),
    ),
    Defect::new(
        "ocr",
        "corp-name-missing",
        ["没有 corpName", "corpName is missing"],
        &["ocr.result.busi-cert.corp-name"],
        |call, plan| busi(call, plan, |card| drop_field(card, "corpName")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "corp-type-number",
        ["企业类型为数字", "the company's type is a number"],
        &["ocr.result.busi-cert.corp-type"],
        |call, plan| busi(call, plan, |card| set(card, "corpType", 1)),
    ),
    Defect::new(
        "ocr",
        "found-date-missing",
        ["没有 foundDate", "foundDate is missing"],
        &["ocr.result.busi-cert.found-date"],
        |call, plan| busi(call, plan, |card| drop_field(card, "foundDate")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "found-date-garbage",
        ["成立日期不是真实存在的日期", "the date of foundation is no day of any calendar"],
        &["ocr.result.busi-cert.found-date.date"],
        |call, plan| busi(call, plan, |card| set(card, "foundDate", "20160231")),
    ),
];

fn busi(call: &Call, plan: Plan, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    card(call, plan, BUSI_CERT, change)
}
