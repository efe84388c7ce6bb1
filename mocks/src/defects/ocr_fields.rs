//! Defects of the fields of a recognised bank card.

use serde_json::{Map, Value};

use super::Defect;
use super::edit::{BANK_CARD, card, drop_field, field, set};
use super::id_card::other_last;
use crate::decide::Call;
use crate::plan::Plan;

const CARD_NO: &[&str] = &["ocr.result.bank-card.card-no"];
const LUHN: &[&str] = &["ocr.result.bank-card.card-no.luhn"];
const EMPTY: &[&str] = &["ocr.result.fields-not-empty"];

pub(super) const ALL: &[Defect] = &[
    Defect::new("ocr", "card-no-number", ["卡号为数字", "the card number is a number"], CARD_NO, |call, plan| {
        bank(call, plan, |card| field(card, "cardNo", number))
    }),
    Defect::new("ocr", "card-no-missing", ["没有 cardNo", "cardNo is missing"], CARD_NO, |call, plan| {
        bank(call, plan, |card| drop_field(card, "cardNo"))
    })
    .also(EMPTY),
    Defect::new(
        "ocr",
        "card-no-bad-luhn",
        ["卡号的校验位错误", "the card number fails the Luhn check"],
        LUHN,
        |call, plan| bank(call, plan, |card| field(card, "cardNo", |number| other_last(number, "0123456789"))),
    ),
    Defect::new(
        "ocr",
        "card-no-with-spaces",
        ["卡号中有空格", "the card number holds spaces"],
        LUHN,
        |call, plan| bank(call, plan, |card| field(card, "cardNo", spaced)),
    ),
    Defect::new(
        "ocr",
        "bank-name-missing",
        ["没有 bankName", "bankName is missing"],
        &["ocr.result.bank-card.bank-name"],
        |call, plan| bank(call, plan, |card| drop_field(card, "bankName")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "bank-id-number",
        ["bankId 为数字", "bankId is a number"],
        &["ocr.result.bank-card.bank-id"],
        |call, plan| bank(call, plan, |card| field(card, "bankId", number)),
    ),
    Defect::new(
        "ocr",
        "card-type-unknown",
        ["卡类型不在所列之中", "the kind of card is none of the list"],
        &["ocr.result.bank-card.card-type.known"],
        |call, plan| bank(call, plan, |card| set(card, "cardType", "储值卡")),
    ),
    Defect::new(
        "ocr",
        "card-type-missing",
        ["没有 cardType", "cardType is missing"],
        &["ocr.result.bank-card.card-type"],
        |call, plan| bank(call, plan, |card| drop_field(card, "cardType")),
    )
    .also(EMPTY),
    Defect::new(
        "ocr",
        "field-empty",
        ["图片上可见的银行名称为空", "the bank's name, which the picture shows, is empty"],
        EMPTY,
        |call, plan| bank(call, plan, |card| set(card, "bankName", "")),
    ),
];

fn bank(call: &Call, plan: Plan, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    card(call, plan, BANK_CARD, change)
}

fn number(text: &Value) -> Value {
    text.as_str().and_then(|digits| digits.parse::<u64>().ok()).unwrap_or_default().into()
}

/// In groups of four, as a card embosses it.
fn spaced(text: &Value) -> Value {
    let digits: Vec<char> = text.as_str().unwrap_or_default().chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ").into()
}
