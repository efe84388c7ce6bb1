//! The ledger against the specification: every row of every table and every enumerated value has a requirement.

use std::collections::{BTreeMap, BTreeSet};

use fincert_schemas::catalog::Catalog;
use fincert_schemas::{Ledger, Requirement, format};
use jsonschema::{Registry, Validator};
use regex::Regex;
use serde_json::{Value, json};

const TEXT: &str = include_str!("../../specification/finclip-financial-api.zh.md");

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

/// Every enumerated value as its line writes it, and the requirement of its own that it has.
const VALUES: &[(&str, &str)] = &[
    ("\"BankCard\":银行卡识别", "ocr.request.type.bank-card"),
    ("\"IDCard\":身份证识别", "ocr.request.type.id-card"),
    ("\"IDCardCheck\":身份证照片质检", "ocr.request.type.id-card-check"),
    ("\"BusiCert\":企业营业执照识别", "ocr.request.type.busi-cert"),
    ("0:正面", "ocr.result.id-card.face.front"),
    ("1:反面", "ocr.result.id-card.face.back"),
    ("0=无", "ocr.result.id-card-check.risk.0"),
    ("1=复印件", "ocr.result.id-card-check.risk.1"),
    ("2=拍屏", "ocr.result.id-card-check.risk.2"),
    ("3=假证件", "ocr.result.id-card-check.risk.3"),
    ("4=有水印", "ocr.result.id-card-check.risk.4"),
    ("5=遮挡", "ocr.result.id-card-check.risk.5"),
    ("6=切边", "ocr.result.id-card-check.risk.6"),
    ("7=卡变形", "ocr.result.id-card-check.risk.7"),
    ("8=有光斑", "ocr.result.id-card-check.risk.8"),
    ("借记卡", "ocr.result.bank-card.card-type.debit"),
    ("准贷记卡", "ocr.result.bank-card.card-type.quasi-credit"),
    ("正本", "ocr.result.busi-cert.cert-type.original"),
    ("副本", "ocr.result.busi-cert.cert-type.duplicate"),
    ("\"success\" 成功", "liveness.result.result-type.success"),
    ("\"back\"用户点击返回取消活体检测", "liveness.result.result-type.back"),
    ("0,成功", "witness-video.result.video-flag.0"),
    ("1,失败", "witness-video.result.video-flag.1"),
    ("2,驳回", "witness-video.result.video-flag.2"),
];

/// A line of a table, with the clause that it stands in.
#[derive(Clone, Copy)]
struct Row {
    number: usize,
    clause: &'static str,
    /// What the ids of its requirements have in them: section 2 has tables of requests and of results.
    part: &'static str,
    line: &'static str,
}

fn table_lines() -> Vec<Row> {
    let mut lines = Vec::new();
    let (mut clause, mut part) = ("", "");
    let mut inside = false;
    let mut blank_may_follow = false;
    for (index, line) in TEXT.lines().map(str::trim).enumerate() {
        if let Some(heading) = line.strip_prefix("# ") {
            inside = false;
            match (heading, heading.split_once(' ')) {
                ("请求参数", _) => part = ".request.",
                ("返回结果", _) => part = ".result.",
                (_, Some((number, _))) if number.starts_with(|c: char| c.is_ascii_digit()) => {
                    (clause, part) = (number.trim_end_matches('.'), "");
                }
                _ => {}
            }
        } else if HEADERS.contains(&line) {
            (inside, blank_may_follow) = (true, true);
        } else if inside && line.is_empty() {
            inside = blank_may_follow;
        } else if inside {
            blank_may_follow = false;
            lines.push(Row { number: index + 1, clause, part, line });
        }
    }
    lines
}

/// Whether a requirement quotes the line, whole: `signalingState` is not in `signalingstatechange { signalingState }`.
fn quotes(requirement: &Requirement, line: &str) -> bool {
    requirement.quote.iter().flat_map(|quote| quote.lines()).any(|quoted| quoted.trim() == line)
}

/// By the requirements of its own clause and table, and by as many of them as the line stands there: `iceRestart`,
/// `offerToReceiveAudio` and `voiceActivityDetection` in 3.2 and `src` in 3.3. No line makes do with fewer. The lines
/// of `type` in 2.1 stand once in the request and once in the result. Clause 1 has no table.
#[test]
fn every_table_row_has_a_requirement() {
    let ledger = Ledger::embedded().unwrap();
    let rows = table_lines();
    assert!(rows.len() > 100, "only {} lines were found in the tables", rows.len());
    let mut places: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for row in &rows {
        places.entry((row.clause, row.part, row.line)).or_default().push(row.number);
    }
    assert!(places.values().any(|numbers| numbers.len() > 1));
    let missing: Vec<_> = places
        .iter()
        .filter(|((clause, part, line), numbers)| {
            let mine = ledger.iter().filter(|r| r.clause == *clause && r.id.contains(part) && quotes(r, line));
            mine.count() < numbers.len()
        })
        .collect();
    assert!(missing.is_empty(), "lines of the specification without a requirement each: {missing:#?}");
}

#[test]
fn every_enumerated_value_has_a_requirement_of_its_own() {
    let ledger = Ledger::embedded().unwrap();
    // `{"cardNo":卡号` is an example of an object and no value; `长度为 3,数据` of 2.6 is a sentence.
    let value = Regex::new(r#"(?:^|[^{])("[A-Za-z]+" ?:?\p{Han}+)|\b([0-9][=:,]\p{Han}+)"#).unwrap();
    let mut found = BTreeMap::new();
    for row in table_lines().into_iter().filter(|row| row.clause.starts_with("2.") && row.clause != "2.6") {
        let coded = value.captures_iter(row.line).filter_map(|groups| groups.get(1).or(groups.get(2)));
        let listed = row.line.split_once("类型:").into_iter().flat_map(|(_, list)| list.split([' ', '、']));
        found.extend(coded.map(|coded| coded.as_str()).chain(listed).map(|value| (value, row)));
    }
    let written: BTreeSet<_> = VALUES.iter().map(|(value, _)| *value).collect();
    assert_eq!(found.keys().copied().collect::<BTreeSet<_>>(), written);
    let mut taken = BTreeSet::new();
    for (value, id) in VALUES {
        let requirement = ledger.get(id).unwrap_or_else(|| panic!("{value}: {id} is not in the ledger"));
        let row = &found[value];
        assert!(requirement.clause == row.clause && quotes(requirement, row.line), "{id} does not quote {}", row.line);
        assert!(taken.insert(id), "{id} stands for two values");
    }
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

/// Every schema and every property of it reads as an author's manual. That the examples are valid is the next test's.
#[test]
fn schemas_read_as_a_manual() {
    for (id, document) in Catalog::embedded().unwrap().documents() {
        for key in ["title", "description", "examples"] {
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

/// The examples of every schema, of its properties and of whatever lies deeper. A property's example is held to the
/// custom formats of its name anywhere in the schema, too: those that a condition brings in are not at the property.
#[test]
fn every_example_is_valid() {
    let documents = Catalog::embedded().unwrap().documents();
    let mut registry = Registry::new();
    for (id, document) in &documents {
        registry = registry.add(*id, (*document).clone()).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let compile = |place: &str| -> Validator {
        let mut options = jsonschema::options().offline().with_registry(&registry);
        options = options.should_validate_formats(true).should_ignore_unknown_formats(false);
        for name in format::NAMES {
            options = options.with_format(*name, move |text: &str| format::check(name, text).unwrap().is_ok());
        }
        options.build(&json!({"$ref": place})).unwrap()
    };
    let (mut checked, mut formats_seen, mut faults) = (0, BTreeSet::new(), Vec::new());
    for (id, document) in documents {
        let (mut places, mut formats) = (Vec::new(), BTreeSet::new());
        walk(document, "", None, &mut places, &mut formats);
        for (pointer, name, examples) in places {
            let place = format!("{id}#{pointer}");
            let validator = compile(&place);
            for example in examples {
                checked += 1;
                faults.extend(validator.iter_errors(example).map(|error| format!("{place}: {example}: {error}")));
                for (_, custom) in formats.iter().filter(|(property, _)| Some(*property) == name) {
                    formats_seen.insert(*custom);
                    if let Some(Err(fault)) = example.as_str().and_then(|text| format::check(custom, text)) {
                        faults.push(format!("{place}: {example}: {custom}: {}", fault.message_en));
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(checked > 300, "only {checked} examples were found");
    assert_eq!(formats_seen, format::NAMES.iter().copied().collect());
}

/// An example's place: pointer, property's name, examples.
type Place<'a> = (String, Option<&'a str>, &'a [Value]);

/// Every place with examples, and every custom format with the name of its property.
fn walk<'a>(
    schema: &'a Value,
    pointer: &str,
    name: Option<&'a str>,
    places: &mut Vec<Place<'a>>,
    formats: &mut BTreeSet<(&'a str, &'a str)>,
) {
    match schema {
        Value::Object(object) => {
            if let Some(examples) = object.get("examples").and_then(Value::as_array) {
                places.push((pointer.to_owned(), name, examples));
            }
            if let (Some(name), Some(custom)) = (name, object.get("format").and_then(Value::as_str)) {
                formats.insert((name, custom));
            }
            for (key, inner) in object.iter().filter(|(key, _)| *key != "examples") {
                let below = format!("{pointer}/{key}");
                match (key.as_str(), inner) {
                    ("properties", Value::Object(properties)) => {
                        for (property, inner) in properties {
                            walk(inner, &format!("{below}/{property}"), Some(property), places, formats);
                        }
                    }
                    ("items", _) => walk(inner, &below, None, places, formats),
                    _ => walk(inner, &below, name, places, formats),
                }
            }
        }
        Value::Array(members) => {
            for (index, inner) in members.iter().enumerate() {
                walk(inner, &format!("{pointer}/{index}"), name, places, formats);
            }
        }
        _ => {}
    }
}
