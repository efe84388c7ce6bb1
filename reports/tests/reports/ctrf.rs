//! The CTRF report.

use fincert_reports::{Format, Style, render};
use fincert_schemas::{Lang, data};
use serde_json::Value;

use crate::fixture::{self, Fixture};

fn text(fixture: &Fixture, lang: Lang) -> String {
    let mut out = Vec::new();
    render(Format::Ctrf, &fixture.run(), &Style { lang, ..Style::default() }, &mut out)
        .expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

/// What CTRF's own schema has against a document.
fn objections(document: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(include_str!("ctrf/ctrf.schema.json")).expect("JSON");
    data::objections(&schema, document).expect("a schema")
}

#[test]
fn red_english() {
    insta::assert_snapshot!(text(&fixture::red(), Lang::En));
}

#[test]
fn red_chinese() {
    insta::assert_snapshot!(text(&fixture::red(), Lang::Zh));
}

#[test]
fn its_own_schema_holds_and_numbers_are_those_of_junit() {
    for fixture in [fixture::red(), fixture::green(), fixture::as_expected()] {
        let mut document: Value = serde_json::from_str(&text(&fixture, Lang::En)).expect("JSON");
        assert_eq!(objections(&document), Vec::<String>::new());
        let summary = &document["results"]["summary"];
        let tests = document["results"]["tests"].as_array().expect("tests");
        let of = |status: &str| tests.iter().filter(|test| test["status"] == status).count();
        for (status, key) in [("passed", "passed"), ("failed", "failed"), ("skipped", "skipped"), ("other", "other")] {
            assert_eq!(summary[key], of(status), "{key}");
        }
        let mut junit = Vec::new();
        render(Format::Junit, &fixture.run(), &Style::default(), &mut junit).expect("a vector takes everything");
        let junit = String::from_utf8(junit).expect("UTF-8");
        let counts = format!(
            "tests=\"{}\" skipped=\"{}\" failures=\"{}\" errors=\"{}\"",
            tests.len(),
            summary["skipped"],
            summary["failed"],
            summary["other"]
        );
        assert!(junit.contains(&counts), "{counts}");
        // The schema can refuse.
        document["results"]["tests"][0]["status"] = "green".into();
        assert!(!objections(&document).is_empty());
    }
}

#[test]
fn when_the_run_began_is_taken_from_the_record_alone() {
    let mut fixture = fixture::green();
    let of = |fixture: &Fixture| serde_json::from_str::<Value>(&text(fixture, Lang::En)).expect("JSON");
    assert_eq!(of(&fixture)["results"]["summary"]["start"], 1_767_225_600_000_u64);
    fixture.header.began = "yesterday".to_owned();
    let document = of(&fixture);
    assert_eq!(document["results"]["summary"]["start"], 0);
    assert_eq!(document.get("timestamp"), None);
    assert_eq!(objections(&document), Vec::<String>::new());
}
