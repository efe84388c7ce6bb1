//! Defects of a recognised identity card and of the quality check of its picture.

use fincert_schemas::fixture;
use serde_json::{Map, Value, json};

use super::Defect;
use super::edit::{ID_CARD, ID_CARD_CHECK, card, drop_field, field, set};
use crate::decide::Call;
use crate::plan::Plan;

type Card = Map<String, Value>;

const FACE: &[&str] = &["ocr.result.id-card.face"];
const MATCHES: &str = "ocr.result.id-card.face-matches-picture";
const AGREES: &[&str] = &["ocr.result.id-card.id-no.agrees"];
const RISK: &[&str] = &["ocr.result.id-card-check.risk"];
const EMPTY: &[&str] = &["ocr.result.fields-not-empty"];

pub(super) const ALL: &[Defect] = &[
    Defect::new("ocr", "face-string", ["face 为数字字符串", "face is a numeric string"], FACE, |call, plan| {
        id_card(call, plan, |card| field(card, "face", |face| face.to_string().into()))
    })
    .alias(),
    Defect::new("ocr", "face-double", ["face 写成 0.0", "face is written 0.0"], FACE, |call, plan| {
        id_card(call, plan, |card| field(card, "face", |face| face.as_f64().into()))
    })
    .alias(),
    Defect::new("ocr", "face-array", ["face 为数组", "face is an array"], FACE, |call, plan| {
        id_card(call, plan, |card| field(card, "face", |face| json!([face])))
    })
    .also(&[MATCHES]),
    Defect::new("ocr", "face-out-of-range", ["face 为 2", "face is 2"], FACE, |call, plan| {
        id_card(call, plan, |card| set(card, "face", 2))
    })
    .also(&[MATCHES]),
    Defect::new("ocr", "face-missing", ["没有 face", "face is missing"], FACE, |call, plan| {
        id_card(call, plan, |card| drop_field(card, "face"))
    })
    .also(&[MATCHES, "ocr.result.fields-not-empty"]),
    Defect::new(
        "ocr",
        "both-faces-fields",
        ["正面的结果中带有签发机关", "a front has the issuing authority of a back"],
        &["ocr.result.id-card.face-fields"],
        |call, plan| front(call, plan, |card| drop(card.insert("signOrg".to_owned(), "示例市公安局测试分局".into()))),
    ),
    Defect::new(
        "ocr",
        "wrong-face",
        ["正反面识别颠倒", "a front is read as a back, and a back as a front"],
        &[MATCHES],
        |call, plan| id_card(call, plan, other_side),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "nation-unknown",
        ["民族不在五十六个民族之列", "the nation is none of the 56"],
        &["ocr.result.id-card.nation.known"],
        |call, plan| front(call, plan, |card| set(card, "nation", "虚构")),
    ),
    Defect::new(
        "ocr",
        "nation-missing",
        ["没有 nation", "nation is missing"],
        &["ocr.result.id-card.nation"],
        |call, plan| front(call, plan, |card| drop_field(card, "nation")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "gender-code",
        ["性别写作 M、F", "the gender is written M or F"],
        &["ocr.result.id-card.gender.known"],
        |call, plan| {
            front(call, plan, |card| {
                field(card, "gender", |gender| if gender == "男" { "M".into() } else { "F".into() })
            })
        },
    ),
    Defect::new(
        "ocr",
        "gender-number",
        ["性别为数字", "the gender is a number"],
        &["ocr.result.id-card.gender"],
        |call, plan| front(call, plan, |card| field(card, "gender", |gender| u8::from(gender == "男").into())),
    )
    .also(&["ocr.result.id-card.gender.known"]),
    Defect::new(
        "ocr",
        "gender-contradicts-id-no",
        ["性别与身份证号码不符", "the gender contradicts the identity number"],
        AGREES,
        |call, plan| {
            front(call, plan, |card| {
                field(card, "gender", |gender| if gender == "男" { "女".into() } else { "男".into() })
            })
        },
    ),
    Defect::new(
        "ocr",
        "birthday-impossible",
        ["生日不是真实存在的日期", "the birthday is no day of any calendar"],
        &["ocr.result.id-card.birthday.date"],
        |call, plan| front(call, plan, |card| set(card, "birthday", "1988年2月30日")),
    )
    .also(AGREES),
    Defect::new(
        "ocr",
        "birthday-contradicts",
        ["生日与身份证号码不符", "the birthday contradicts the identity number"],
        AGREES,
        |call, plan| front(call, plan, |card| set(card, "birthday", "1990年1月1日")),
    ),
    Defect::new(
        "ocr",
        "birthday-missing",
        ["没有 birthday", "birthday is missing"],
        &["ocr.result.id-card.birthday"],
        |call, plan| front(call, plan, |card| drop_field(card, "birthday")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "address-missing",
        ["没有 address", "address is missing"],
        &["ocr.result.id-card.address"],
        |call, plan| front(call, plan, |card| drop_field(card, "address")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "name-missing",
        ["没有 name", "name is missing"],
        &["ocr.result.id-card.name"],
        |call, plan| front(call, plan, |card| drop_field(card, "name")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "id-no-missing",
        ["没有 idNo", "idNo is missing"],
        &["ocr.result.id-card.id-no"],
        |call, plan| front(call, plan, |card| drop_field(card, "idNo")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "id-no-bad-check-digit",
        ["身份证号码的校验码错误", "the identity number's check digit is wrong"],
        &["ocr.result.id-card.id-no.check-digit"],
        |call, plan| front(call, plan, |card| field(card, "idNo", |number| other_last(number, "0123456789X"))),
    ),
    Defect::new(
        "ocr",
        "validity-reversed",
        ["有效期起止颠倒", "the validity ends before it begins"],
        &["ocr.result.id-card.validity-order"],
        |call, plan| {
            id_card(call, plan, |card| {
                if let (Some(start), Some(end)) = (card.get("startDate").cloned(), card.get("endDate").cloned())
                    && end != "长期"
                {
                    set(card, "startDate", end);
                    set(card, "endDate", start);
                }
            })
        },
    ),
    Defect::new(
        "ocr",
        "start-date-missing",
        ["没有 startDate", "startDate is missing"],
        &["ocr.result.id-card.start-date"],
        |call, plan| id_card(call, plan, |card| drop_field(card, "startDate")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "start-date-long-term",
        ["起始日期为“长期”", "the first day of validity is 长期"],
        &["ocr.result.id-card.start-date.date"],
        |call, plan| id_card(call, plan, |card| set(card, "startDate", "长期")),
    ),
    Defect::new(
        "ocr",
        "end-date-missing",
        ["没有 endDate", "endDate is missing"],
        &["ocr.result.id-card.end-date"],
        |call, plan| id_card(call, plan, |card| drop_field(card, "endDate")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "end-date-garbage",
        ["截止日期不是日期", "the last day of validity is no date"],
        &["ocr.result.id-card.end-date.date"],
        |call, plan| id_card(call, plan, |card| set(card, "endDate", "2O37.O8.l2")),
    ),
    Defect::new(
        "ocr",
        "sign-org-missing",
        ["没有 signOrg", "signOrg is missing"],
        &["ocr.result.id-card.sign-org"],
        |call, plan| id_card(call, plan, |card| drop_field(card, "signOrg")),
    )
    .also(EMPTY),
    Defect::new("ocr", "risk-9", ["无风险时 risk 为 9", "the risk of a good picture is 9"], RISK, |call, plan| {
        check(call, plan, |card| field(card, "risk", |risk| if *risk == 0 { 9.into() } else { risk.clone() }))
    }),
    Defect::new(
        "ocr",
        "risk-negative",
        ["无风险时 risk 为 -1", "the risk of a good picture is -1"],
        RISK,
        |call, plan| {
            check(call, plan, |card| field(card, "risk", |risk| if *risk == 0 { (-1).into() } else { risk.clone() }))
        },
    ),
    Defect::new("ocr", "risk-string", ["risk 为数字字符串", "risk is a numeric string"], RISK, |call, plan| {
        check(call, plan, |card| field(card, "risk", |risk| risk.to_string().into()))
    })
    .alias(),
    Defect::new("ocr", "risk-double", ["risk 写成 0.0", "risk is written 0.0"], RISK, |call, plan| {
        check(call, plan, |card| field(card, "risk", |risk| risk.as_f64().into()))
    })
    .alias(),
    Defect::new("ocr", "risk-array", ["risk 为数组", "risk is an array"], RISK, |call, plan| {
        check(call, plan, |card| field(card, "risk", |risk| json!([risk])))
    }),
    Defect::new("ocr", "risk-missing", ["没有 risk", "risk is missing"], RISK, |call, plan| {
        check(call, plan, |card| {
            let risk = card.shift_remove("risk");
            card.insert("riskLevel".to_owned(), risk.unwrap_or_default());
        })
    })
    .also(&["ocr.result.fields-not-empty", "ocr.request.type.id-card-check"]),
];

fn id_card(call: &Call, plan: Plan, change: impl FnOnce(&mut Card)) -> Plan {
    card(call, plan, ID_CARD, change)
}

fn check(call: &Call, plan: Plan, change: impl FnOnce(&mut Card)) -> Plan {
    card(call, plan, ID_CARD_CHECK, change)
}

fn front(call: &Call, plan: Plan, change: impl FnOnce(&mut Card)) -> Plan {
    id_card(call, plan, |card| {
        if card.get("face").is_some_and(|face| *face == 0) {
            change(card);
        }
    })
}

/// The other side of some card, with a trace of this one, so that different pictures keep different results.
fn other_side(card: &mut Card) {
    let (specimen, trace, from) = match card.get("face").and_then(Value::as_i64) {
        Some(0) => ("id-back-term", "signOrg", "address"),
        _ => ("id-front-male", "address", "signOrg"),
    };
    let kept = card.get(from).cloned();
    if let (Some(other), Some(kept)) = (fixture::get(specimen), kept) {
        card.clone_from(&other.truth);
        set(card, trace, kept);
    }
}

/// The text with another last character of the alphabet.
pub(super) fn other_last(text: &Value, alphabet: &str) -> Value {
    let mut text = text.as_str().unwrap_or_default().to_owned();
    let last = text.pop();
    text.extend(alphabet.chars().find(|letter| Some(*letter) != last));
    text.into()
}
