//! How far a result is from what the picture shows. Reported as accuracy, never certified on.

use serde_json::Value;

use super::is_empty;
use crate::fixture;
use crate::format::date::WrittenDate;
use crate::run::{Fact, Subject};

pub(super) fn compare(asked: &str, subject: Option<&Subject>, value: &Value, facts: &mut Vec<Fact>) {
    let Some(Subject::Fixture(id)) = subject else { return };
    let Some(specimen) = fixture::get(id).filter(|specimen| specimen.kind.as_type() == Some(asked)) else {
        return;
    };
    let Some(Value::Object(fields)) = value.get("recogResult") else { return };
    if value.get("errorCode").and_then(Value::as_f64) != Some(0.0) {
        return;
    }
    for (name, shown) in &specimen.truth {
        let got = fields.get(name).unwrap_or(&Value::Null);
        let distance = distance(shown, got);
        facts.push(Fact::Truth {
            at: format!("/recogResult/{name}"),
            equal: distance == 0,
            distance,
            empty: is_empty(got) && !is_empty(shown),
        });
    }
}

/// Edit distance in thousandths of the truth's length. Dates are compared as dates: their form is not ruled.
fn distance(shown: &Value, got: &Value) -> u16 {
    let (Some(shown), Some(got)) = (shown.as_str(), got.as_str()) else {
        let same = shown == got || (shown.is_number() && shown.as_f64() == got.as_f64());
        return if same { 0 } else { 1000 };
    };
    if let (Ok(a), Ok(b)) = (WrittenDate::parse(shown), WrittenDate::parse(got)) {
        return if a.date == b.date { 0 } else { 1000 };
    }
    let (shown, got) = (plain(shown), plain(got));
    if shown == got {
        return 0;
    }
    // A text far longer than the truth is wrong by its length alone; measuring it would cost its square.
    if got.len() > shown.len() * 4 + 64 {
        return 1000;
    }
    let edits = levenshtein(&shown, &got);
    u16::try_from((edits * 1000).div_ceil(shown.len().max(1)).clamp(1, 1000)).unwrap_or(1000)
}

/// Without white space, full-width forms as ASCII, upper case.
fn plain(text: &str) -> Vec<char> {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            other => other,
        })
        .flat_map(char::to_uppercase)
        .collect()
}

fn levenshtein(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn distances() {
        assert_eq!(distance(&json!("2017.08.12"), &json!("20170812")), 0);
        assert_eq!(distance(&json!("样本路1号"), &json!("样本路 1号")), 0);
        assert_eq!(distance(&json!("abcd"), &json!("abxd")), 250);
        assert_eq!(distance(&json!(0), &json!(1)), 1000);
        assert_eq!(distance(&json!("abcd"), &json!(null)), 1000);
    }
}
