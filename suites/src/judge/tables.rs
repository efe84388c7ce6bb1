//! The result tables: every row, by the schemas' own marks.

use std::collections::BTreeSet;

use fincert_schemas::Bilingual;
use fincert_schemas::catalog::{APIS, BASE, Catalog};
use fincert_schemas::run::Fact;
use serde_json::Value;

use super::{Broken, Call, Check, Sink, View};

pub(super) const ID: &str = "result-table";

pub(super) const CHECKS: &[Check] = &[Check {
    id: ID,
    about: "Every row of the result tables: present, of its type, within its values; aliases warn; values seen are coverage.",
    requirements: &["open-app.result.none"],
    run: rows,
}];

/// The requirements that the schemas of section 2's results mark, request tables aside.
pub(super) fn requirements(catalog: &Catalog) -> BTreeSet<String> {
    let mut marked = BTreeSet::new();
    for (id, document) in catalog.documents() {
        let name = id.strip_prefix(BASE).unwrap_or(id);
        let of_result = APIS.iter().any(|(api, _)| name == format!("api/{api}.result.json"))
            || name.starts_with("api/recogResult.");
        if of_result {
            collect(document, &mut marked);
        }
    }
    marked
}

fn collect(schema: &Value, marked: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(id) = object.get("x-requirement").and_then(Value::as_str) {
                marked.insert(id.to_owned());
            }
            if let Some(Value::Object(values)) = object.get("x-coverage") {
                marked.extend(values.values().filter_map(Value::as_str).map(str::to_owned));
            }
            object.iter().filter(|(key, _)| *key != "examples").for_each(|(_, inner)| collect(inner, marked));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, marked)),
        _ => {}
    }
}

fn rows(view: &View<'_>, sink: &mut Sink<'_>) {
    for (call, api) in view.api_calls() {
        // The answer to an invalid request is judged by how it refuses, not by its table: it may well echo
        // what no table allows.
        let Some(answer) = call.answer().filter(|answer| answer.via.is_success()) else { continue };
        if !call.is_valid(view.hello) {
            continue;
        }
        if api == "finOpenOtherApp" {
            sink.holds("open-app.result.none");
        } else if answer.value.is_none() {
            nothing(sink, call, api);
        }
        for fact in call.facts() {
            row(sink, call, api, fact);
        }
    }
}

fn nothing(sink: &mut Sink<'_>, call: &Call<'_>, api: &str) {
    let requirement = match api {
        "finLivenessCheck" => "liveness.result.result-type",
        "finOpenWitnessVideo" => "witness-video.result.video-flag",
        "finFaceAuth" => "face.result.error-code",
        _ => "ocr.result.error-code",
    };
    let broken =
        Broken { cause: format!("{api}:no-value"), actual: "success without a value".to_owned(), ..Broken::default() };
    sink.breaks(requirement, call.step, broken);
}

fn row(sink: &mut Sink<'_>, call: &Call<'_>, api: &str, fact: &Fact) {
    match fact {
        Fact::Holds { requirement, .. } | Fact::Seen { requirement, .. } => sink.holds(requirement),
        Fact::Breaks { requirement, at, rule, expected, actual, expected_zh } => sink.breaks(
            requirement,
            call.step,
            Broken {
                cause: format!("{api}{at}:{rule}"),
                at: Some(at.clone()),
                expected: Some(Bilingual::new(
                    expected_zh.clone().unwrap_or_else(|| expected.clone()),
                    expected.clone(),
                )),
                actual: actual.clone(),
                hint: hint(at, actual),
            },
        ),
        Fact::Alias { requirement, at, alias } => sink.alias(
            requirement,
            call.step,
            Broken {
                cause: format!("{api}{at}:alias-{alias}"),
                at: Some(at.clone()),
                expected: Some(Bilingual::new("规范所写的形式", "the form that the specification writes")),
                actual: alias_text(alias).to_owned(),
                hint: Some(Bilingual::new(
                    "真实集成中常见的别名，可以通过，但请改用规范写法。",
                    "An alias that real integrations use: it passes with this warning.",
                )),
            },
        ),
        _ => {}
    }
}

fn alias_text(alias: &str) -> &str {
    match alias {
        "numeric-string" => "a numeric string where an integer is canonical",
        "number" => "a number where a string is canonical",
        "integral-double" => "an integer written with a fraction, such as 0.0",
        "data-url" => "a data: prefix before the Base64",
        "line-breaks" => "line breaks within the Base64",
        "null" => "null where the row may be left out",
        "name" => "another spelling of the property's name",
        other => other,
    }
}

/// What a certain wrong value tells about its maker.
fn hint(at: &str, actual: &str) -> Option<Bilingual> {
    let number: f64 = actual.strip_prefix("number ")?.parse().ok()?;
    (at == "/score" && number > 1.0 && number <= 100.0)
        .then(|| Bilingual::new("像是百分制：请除以 100。", "This looks like a percent scale: divide by 100."))
}
