//! The ledger against the specification: every row of every table and every enumerated value has a requirement.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;

use fincert_schemas::Ledger;
use fincert_schemas::catalog::Catalog;
use serde_json::Value;

const TEXT: &str = include_str!("../specification/finclip-financial-api.zh.md");

/// The header lines after which a table's rows follow, up to a blank line.
const HEADERS: &[&str] = &[
    "名称 类型 默认值 说明",
    "名称 说明",
    "名称 类型 是否必须 默认值 备注",
    "属性 类型 说明",
    "属性 类型 默认值 必填 说明",
    "属性 说明",
    "属性 event 说明",
];

fn table_lines() -> Vec<(usize, &'static str)> {
    let mut lines = Vec::new();
    let mut inside = false;
    let mut blank_may_follow = false;
    for (index, line) in TEXT.lines().map(str::trim).enumerate() {
        if HEADERS.contains(&line) {
            (inside, blank_may_follow) = (true, true);
        } else if inside && line.is_empty() {
            inside = blank_may_follow;
        } else if inside {
            blank_may_follow = false;
            if line.starts_with('#') {
                inside = false;
            } else {
                lines.push((index + 1, line));
            }
        }
    }
    lines
}

#[test]
fn every_table_row_has_a_requirement() {
    let ledger = Ledger::embedded().unwrap();
    let quotes: Vec<&str> = ledger.iter().flat_map(|r| r.quote.iter().map(String::as_str)).collect();
    let lines = table_lines();
    assert!(lines.len() > 100, "only {} lines were found in the tables", lines.len());
    let missing: Vec<_> = lines.iter().filter(|(_, line)| !quotes.iter().any(|quote| quote.contains(line))).collect();
    assert!(missing.is_empty(), "lines of the specification without a requirement: {missing:#?}");
}

#[test]
fn every_quote_is_verbatim_and_every_must_has_one() {
    for requirement in Ledger::embedded().unwrap().iter() {
        for quote in &requirement.quote {
            assert!(TEXT.contains(quote.as_str()), "{}: not in the specification: {quote}", requirement.id);
        }
        if requirement.level == fincert_schemas::Level::Must {
            assert!(!requirement.quote.is_empty(), "{}: a MUST quotes the specification", requirement.id);
        }
        let id_is_plain =
            requirement.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c));
        assert!(id_is_plain && requirement.id.contains('.'), "{}", requirement.id);
    }
}

#[test]
fn every_mark_in_a_schema_is_in_the_ledger() {
    let ledger = Ledger::embedded().unwrap();
    let mut marks = BTreeSet::new();
    for (id, document) in Catalog::embedded().unwrap().documents() {
        collect(id, document, &mut marks);
    }
    assert!(marks.len() > 150);
    for (schema, mark) in marks {
        assert!(ledger.get(&mark).is_some(), "{schema} marks {mark}, which is not in the ledger");
    }
}

fn collect(id: &str, value: &Value, marks: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(object) => {
            if let Some(mark) = object.get("x-requirement").and_then(Value::as_str) {
                marks.insert((id.to_owned(), mark.to_owned()));
            }
            if let Some(Value::Object(seen)) = object.get("x-coverage") {
                marks.extend(seen.values().filter_map(Value::as_str).map(|mark| (id.to_owned(), mark.to_owned())));
            }
            object.values().for_each(|inner| collect(id, inner, marks));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(id, inner, marks)),
        _ => {}
    }
}

/// Every property of every schema reads as an author's manual, and its examples are valid.
#[test]
fn schemas_read_as_a_manual() {
    for (id, document) in Catalog::embedded().unwrap().documents() {
        for key in ["title", "description"] {
            assert!(document.get(key).is_some(), "{id} has no {key}");
        }
        let properties = document.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            for key in ["title", "description", "examples"] {
                assert!(property.get(key).is_some(), "{id}#/properties/{name} has no {key}");
            }
        }
    }
}
