//! Relations between fields, and between a result and what was asked.

use serde_json::Value;

use super::{is_empty, relation};
use crate::bridge::Via;
use crate::catalog::Catalog;
use crate::fixture::{self, Kind};
use crate::format::date::{Validity, WrittenDate};
use crate::format::resident_id;
use crate::run::{Fact, Subject};

/// Fields of the front of an ID card (2.1).
const FRONT: &[&str] = &["nation", "gender", "birthday", "address", "name", "idNo"];
/// Fields of its back.
const BACK: &[&str] = &["startDate", "endDate", "signOrg"];
/// The values of `type` with a `recogResult` of their own.
const TYPES: &[&str] = &["BankCard", "IDCard", "IDCardCheck", "BusiCert"];

/// `errMsg` is `name:ok`, `name:fail …` or `name:cancel` after the channel that was used.
pub(super) fn err_msg(api: &str, via: Via, value: &Value, facts: &mut Vec<Fact>) {
    let (name, expected) = match via {
        Via::Success | Via::Resolve | Via::Return => ("err-msg-ok", format!("{api}:ok")),
        Via::Cancel => ("err-msg-cancel", format!("{api}:cancel")),
        Via::Fail | Via::Reject | Via::Throw => ("err-msg-fail", format!("{api}:fail")),
    };
    let text = value.get("errMsg").and_then(Value::as_str);
    let holds = text.is_some_and(|text| match via {
        Via::Fail | Via::Reject | Via::Throw => {
            text.strip_prefix(&expected).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':', ',', ',']))
        }
        _ => text == expected,
    });
    let actual = match (value.get("errMsg"), text) {
        (None, _) => "absent".to_owned(),
        (Some(_), None) => "not a string".to_owned(),
        (_, Some(text)) => text.chars().take(200).collect(),
    };
    facts.push(relation(name, "/errMsg", holds, Some(expected), Some(actual)));
}

/// The relations of finCardOcr.
pub(super) fn ocr(catalog: &Catalog, asked: &str, subject: Option<&Subject>, value: &Value, facts: &mut Vec<Fact>) {
    if let Some(echo) = value.get("type") {
        let actual = echo.as_str().map_or_else(|| "not a string".to_owned(), |t| t.chars().take(200).collect());
        facts.push(relation("echo-type", "/type", echo.as_str() == Some(asked), Some(asked.to_owned()), Some(actual)));
    }
    let code = value.get("errorCode").and_then(Value::as_f64);
    let result = value.get("recogResult");
    if code.is_some_and(|code| code != 0.0) {
        facts.push(relation("recog-result-on-error", "/recogResult", result.is_none_or(is_empty), None, None));
    }
    let Some(Value::Object(fields)) = result.filter(|_| code == Some(0.0)) else { return };
    result_kind(catalog, asked, fields, facts);
    if asked != "IDCard" {
        return;
    }
    let face = fields.get("face").and_then(integral);
    if let (Some(Subject::Fixture(id)), Some(face)) = (subject, face) {
        let shown = fixture::get(id).filter(|f| f.kind == Kind::IdCard).and_then(|f| integral(f.truth.get("face")?));
        if let Some(shown) = shown {
            let at = "/recogResult/face";
            facts.push(relation("face-shown", at, face == shown, Some(shown.to_string()), Some(face.to_string())));
        }
    }
    let other = match face {
        Some(0) => BACK,
        Some(1) => FRONT,
        _ => return,
    };
    let strangers: Vec<_> = other.iter().filter(|name| fields.get(**name).is_some_and(|v| !is_empty(v))).collect();
    for name in &strangers {
        facts.push(relation(
            "other-face-field",
            &format!("/recogResult/{name}"),
            false,
            None,
            Some((**name).to_owned()),
        ));
    }
    if strangers.is_empty() {
        facts.push(relation("other-face-field", "/recogResult", true, None, None));
    }
    dates(fields, facts);
    id_number(fields, facts);
}

/// An integer, written `0.0` or not: some bridges turn integers into doubles.
fn integral(value: &Value) -> Option<i64> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e9)?;
    #[expect(clippy::cast_possible_truncation, reason = "an integer below 1e9, as was just seen")]
    Some(number as i64)
}

/// With errorCode 0 the fields are those of the type that was asked for.
fn result_kind(catalog: &Catalog, asked: &str, fields: &serde_json::Map<String, Value>, facts: &mut Vec<Fact>) {
    let count = |kind: &str| {
        let rows = catalog.rows(&format!("api/recogResult.{kind}.json"));
        rows.map_or(0, |rows| rows.keys().filter(|name| fields.contains_key(*name)).count())
    };
    if !TYPES.contains(&asked) || fields.is_empty() {
        return;
    }
    let own = count(asked);
    let best = TYPES.iter().copied().filter(|kind| *kind != asked).map(|kind| (count(kind), kind)).max();
    let (most, stranger) = best.unwrap_or_default();
    let holds = own > 0 && own >= most;
    let actual = if holds {
        asked
    } else if most > 0 {
        stranger
    } else {
        "fields of no documented type"
    };
    facts.push(relation("result-kind", "/recogResult", holds, Some(asked.to_owned()), Some(actual.to_owned())));
}

fn dates(fields: &serde_json::Map<String, Value>, facts: &mut Vec<Fact>) {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let (Some(Ok(start)), Some(Ok(end))) =
        (text("startDate").map(WrittenDate::parse), text("endDate").map(Validity::parse))
    else {
        return;
    };
    let holds = match end {
        Validity::Date(end) => start.date <= end.date,
        Validity::Long => true,
        Validity::Range(..) => return,
    };
    facts.push(relation("validity-order", "/recogResult/endDate", holds, None, None));
}

fn id_number(fields: &serde_json::Map<String, Value>, facts: &mut Vec<Fact>) {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let Some(Ok(id)) = text("idNo").map(resident_id::parse) else { return };
    if let Some(Ok(birthday)) = text("birthday").map(WrittenDate::parse) {
        facts.push(relation("id-number-birthday", "/recogResult/birthday", birthday.date == id.birth, None, None));
    }
    if let Some(gender @ ("男" | "女")) = text("gender") {
        facts.push(relation("id-number-gender", "/recogResult/gender", (gender == "男") == id.male, None, None));
    }
}
