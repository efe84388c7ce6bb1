//! Values of another type, and values that break one rule.

use serde_json::{Value, json};

use super::Operator;
use super::rules::{self, Rule};

/// A value to put in a place: the operator, what the change is called, the value, whether it is an alias.
pub(super) type New = (Operator, &'static str, Value, bool);

/// Every value that breaks the rule, given what stands there now. None is chosen by the checks of the formats: each is
/// broken by how it is made.
pub(super) fn breaking(rule: &Rule<'_>, now: &Value) -> Vec<New> {
    match rule.keyword {
        "type" => of_type(rule, now),
        "enum" => outside(rule, now),
        "const" => vec![(Operator::BreakRule, "another-constant", json!("no-such-value"), false)],
        "minimum" => bound(rule, -1.0, "below"),
        "maximum" => {
            let mut news = bound(rule, 1.0, "above");
            news.push((Operator::OffByOne, "percent-scale", json!(rule.wants.as_f64().unwrap_or(1.0) * 97.5), false));
            news
        }
        "minLength" => vec![(Operator::Truncate, "empty", json!(""), false)],
        "minItems" => vec![(Operator::Truncate, "no-items", json!([]), false)],
        "format" => of_format(rule.wants.as_str().unwrap_or_default(), now.as_str().unwrap_or_default()),
        "pattern" => of_pattern(now.as_str().unwrap_or_default()),
        _ => Vec::new(),
    }
}

fn of_type(rule: &Rule<'_>, now: &Value) -> Vec<New> {
    let allows = |alias: &str| rule.aliases.iter().any(|known| known == alias);
    let text = now.as_str().map_or_else(|| now.to_string(), str::to_owned);
    let mut news: Vec<New> = vec![
        (Operator::Retype, "null", Value::Null, allows("null")),
        (Operator::Retype, "boolean", json!(true), false),
        (Operator::Retype, "integer", json!(7), false),
        (Operator::Retype, "fraction", json!(7.25), false),
        (Operator::Retype, "text", json!("seven"), false),
        (Operator::Retype, "empty-list", json!([]), false),
        (Operator::Retype, "in-a-list", json!([now]), false),
        (Operator::Retype, "empty-object", json!({}), false),
    ];
    if now.is_number() {
        news.push((Operator::Retype, "numeric-text", json!(text), allows("numeric-string")));
    }
    if let Some(number) = now.as_str().and_then(|text| text.parse::<i64>().ok()) {
        news.push((Operator::Retype, "number-of-text", json!(number), allows("number")));
    }
    news.retain(|(_, _, value, _)| !rules::types(rule.wants).any(|name| rules::is_type(value, name)));
    // Rulings 2.2, 2.1: a host that turns integers into doubles; an alias.
    if rules::types(rule.wants).eq(["integer"])
        && let Some(number) = now.as_i64().filter(|number| number.abs() < 1_000_000)
        && let Some(double) = serde_json::Number::from_f64(number as f64)
    {
        news.push((Operator::Retype, "integral-double", Value::Number(double), true));
    }
    news
}

fn outside(rule: &Rule<'_>, now: &Value) -> Vec<New> {
    let Some(list) = rule.wants.as_array() else { return Vec::new() };
    let mut news: Vec<New> = Vec::new();
    let numbers: Vec<i64> = list.iter().filter_map(Value::as_i64).collect();
    if let (Some(least), Some(most)) = (numbers.iter().min(), numbers.iter().max()) {
        news.push((Operator::OffByOne, "above", json!(most + 1), false));
        news.push((Operator::OffByOne, "below", json!(least - 1), false));
        return news;
    }
    news.push((Operator::BreakRule, "no-such-value", json!("no-such-value"), false));
    if let Some(text) = now.as_str().filter(|text| !text.is_empty()) {
        let shorter: String = text.chars().take(text.chars().count() - 1).collect();
        news.push((Operator::Truncate, "one-character-less", json!(shorter), false));
        news.push((Operator::BreakRule, "other-case", json!(swapped_case(text)), false));
        news.push((Operator::BreakRule, "with-a-blank", json!(format!("{text} ")), false));
    }
    news.retain(|(_, _, value, _)| !list.contains(value));
    news
}

fn swapped_case(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }).collect()
}

fn bound(rule: &Rule<'_>, by: f64, name: &'static str) -> Vec<New> {
    let edge = rule.wants.as_f64().unwrap_or_default();
    let near = by / 1024.0;
    vec![
        (Operator::OffByOne, name, json!(edge + by), false),
        (Operator::OffByOne, if by > 0.0 { "just-above" } else { "just-below" }, json!(edge + near), false),
    ]
}

fn of_format(name: &str, now: &str) -> Vec<New> {
    let head = |count: usize| -> String { now.chars().take(count).collect() };
    let length = now.chars().count();
    let mut news: Vec<New> = Vec::new();
    let mut push = |operator, rule, text: String| news.push((operator, rule, Value::from(text), false));
    match name {
        // A single wrong digit never passes: GB 11643 and Luhn find each, GB 32100 as well.
        "resident-id" | "bank-card-number" | "uscc-or-licence-number" if length > 12 => {
            push(Operator::OffByOne, "last-digit", format!("{}{}", head(length - 1), next(now.chars().last())));
            push(Operator::OffByOne, "eighth-from-the-end", digit_at(now, length - 8));
            if name != "uscc-or-licence-number" {
                push(Operator::Truncate, "eleven-digits", head(11));
                push(Operator::BreakRule, "letters", "no-such-number".to_owned());
                push(Operator::Duplicate, "twice", format!("{now}{now}"));
            }
        }
        "cn-date" | "cn-date-or-long" | "cn-date-range-or-long" => {
            push(Operator::BreakDependency, "30-february", "2023-02-30".to_owned());
            push(Operator::BreakDependency, "29-february", "20230229".to_owned());
            push(Operator::OffByOne, "month-13", "2023年13月1日".to_owned());
            push(Operator::OffByOne, "day-0", "2023.01.00".to_owned());
            push(Operator::BreakRule, "a-word", "yesterday".to_owned());
            push(Operator::BreakRule, "american", "12/31/2023".to_owned());
            if length > 5 {
                push(Operator::Truncate, "five-characters", head(5));
            }
            if name == "cn-date" {
                push(Operator::BreakRule, "long", "长期".to_owned());
            }
        }
        "base64-image" => {
            push(Operator::BreakRule, "no-base64", "这不是图片".to_owned());
            push(Operator::BreakRule, "text-in-base64", "5L2g5aW9".repeat(20));
            push(Operator::Truncate, "half", head(length / 8 * 4));
            push(Operator::Truncate, "a-third", head(length / 12 * 4));
            news.push((Operator::BreakRule, "data-url", json!(format!("data:image/png;base64,{now}")), true));
            let lines: Vec<&str> =
                now.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
            news.push((Operator::BreakRule, "line-breaks", json!(lines.join("\r\n")), true));
        }
        _ => {}
    }
    news
}

/// The tables' one pattern wants a whole number of 15 or 18 characters.
fn of_pattern(now: &str) -> Vec<New> {
    let shorter: String = now.chars().take(now.chars().count().saturating_sub(1)).collect();
    vec![
        (Operator::Truncate, "one-character-less", json!(shorter), false),
        (Operator::BreakRule, "one-character-more", json!(format!("{now}!")), false),
        (Operator::BreakRule, "a-word", json!("no-such-number"), false),
    ]
}

/// The next digit or letter, of the same kind.
fn next(c: Option<char>) -> char {
    match c {
        Some(c @ '0'..='8') => char::from(c as u8 + 1),
        Some('A') => 'B',
        Some('9' | 'X') => '0',
        _ => '1',
    }
}

fn digit_at(text: &str, place: usize) -> String {
    text.chars().enumerate().map(|(index, c)| if index == place { next(Some(c)) } else { c }).collect()
}
