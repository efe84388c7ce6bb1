//! What hangs together in a result though no schema says so: the relations that capture looks at.
//!
//! An identity number tells the birthday and the gender that stand beside it, a validity does not end before it begins,
//! and of a business failure nothing was recognised (`capture/relations.rs`). A value is bent until it agrees; what is
//! pinned, and what breaks a rule on purpose, stays as it is.

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::catalog::BASE;
use crate::format::date::WrittenDate;
use crate::format::resident_id;

/// Bends the instance of that document; `fixed` says what must stay.
pub(super) fn bend(document: &str, value: &mut Value, fixed: &dyn Fn(&str) -> bool) {
    let Some(path) = document.strip_prefix(BASE) else { return };
    match path {
        "api/finCardOcr.result.json" => {
            let code = value.get("errorCode").and_then(Value::as_f64);
            if let Some(Value::Object(fields)) = value.get_mut("recogResult") {
                if code == Some(0.0) {
                    card(fields, &|name| fixed(&format!("/recogResult/{name}")));
                } else if code.is_some() && !fixed("/recogResult") {
                    fields.clear();
                }
            }
        }
        "api/recogResult.IDCard.json" => {
            if let Value::Object(fields) = value {
                card(fields, &|name| fixed(&format!("/{name}")));
            }
        }
        _ => {}
    }
}

fn card(fields: &mut Map<String, Value>, fixed: &dyn Fn(&str) -> bool) {
    number(fields, fixed);
    validity(fields, fixed);
}

/// The identity number takes the birthday and the gender beside it, or they take its.
fn number(fields: &mut Map<String, Value>, fixed: &dyn Fn(&str) -> bool) {
    let Some(number) = text(fields, "idNo") else { return };
    let Ok(read) = resident_id::parse(&number) else { return };
    let birthday = text(fields, "birthday").and_then(|text| WrittenDate::parse(&text).ok());
    let male = match text(fields, "gender").as_deref() {
        Some("男") => Some(true),
        Some("女") => Some(false),
        _ => None,
    };
    if fixed("idNo") {
        if let Some(birthday) = birthday.filter(|_| !fixed("birthday")) {
            fields.insert("birthday".to_owned(), Value::from(birthday.form.write(read.birth)));
        }
        if male.is_some() && !fixed("gender") {
            fields.insert("gender".to_owned(), Value::from(if read.male { "男" } else { "女" }));
        }
        return;
    }
    let birth = birthday.map_or(read.birth, |birthday| birthday.date);
    if birth.year() < 1900 {
        return;
    }
    if let Some(number) = agreeing(&number, birth, male.unwrap_or(read.male)) {
        fields.insert("idNo".to_owned(), Value::from(number));
    }
}

/// The number with that birth date and gender, and a right check character.
fn agreeing(number: &str, birth: Date, male: bool) -> Option<String> {
    let sequence: u32 = number.get(14..17)?.parse().ok()?;
    let sequence = if (sequence % 2 == 1) == male { sequence } else { sequence ^ 1 };
    let region = number.get(..6)?;
    let body = format!("{region}{:04}{:02}{:02}{sequence:03}", birth.year(), birth.month(), birth.day());
    let check = resident_id::check_character(&body)?;
    Some(format!("{body}{check}"))
}

/// A validity ends after it begins.
fn validity(fields: &mut Map<String, Value>, fixed: &dyn Fn(&str) -> bool) {
    let read = |name: &str| {
        let text = text(fields, name)?;
        let date = WrittenDate::parse(&text).ok()?;
        Some((text, date.date))
    };
    if let (Some((start, from)), Some((end, to))) = (read("startDate"), read("endDate")) {
        if to < from && !fixed("startDate") && !fixed("endDate") {
            fields.insert("startDate".to_owned(), Value::from(end));
            fields.insert("endDate".to_owned(), Value::from(start));
        } else if to < from && !fixed("endDate") {
            fields.insert("endDate".to_owned(), Value::from(start));
        } else if to < from && !fixed("startDate") {
            fields.insert("startDate".to_owned(), Value::from(end));
        }
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}
