//! The JSON document.

use fincert_reports::{Format, Style, render};
use fincert_schemas::data;
use serde_json::Value;

use crate::fixture::{self, HOSTILE};

#[test]
fn document() {
    let mut out = Vec::new();
    render(Format::Json, &fixture::red().run(), &Style::default(), &mut out).expect("a vector takes everything");
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    let value: Value = serde_json::from_str(&text).expect("it is JSON");
    let actual = value.pointer("/judgement/findings/5/actual").and_then(Value::as_str).expect("the hostile finding");
    assert!(actual.starts_with(HOSTILE), "escapes change no value");
    // The long text says nothing to a reader of the snapshot.
    insta::assert_snapshot!(text.replace(&"很长的文字".repeat(200), "…"));
}

/// `FINCERT_WRITE_SCHEMAS=1 cargo nextest run -p fincert-reports` writes it anew.
#[test]
fn the_committed_schema_is_fresh_and_holds() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/run/report.json");
    let schema = fincert_reports::json::schema();
    let text = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
    if std::env::var_os("FINCERT_WRITE_SCHEMAS").is_some() {
        std::fs::write(&file, &text).expect("it can be written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "schemas/run/report.json is stale: FINCERT_WRITE_SCHEMAS=1 writes it anew");
    for fixture in [fixture::red(), fixture::green(), fixture::as_expected(), crate::calls::flows()] {
        let mut out = Vec::new();
        render(Format::Json, &fixture.run(), &Style::default(), &mut out).expect("a vector takes everything");
        let mut document: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(data::objections(&schema, &document), Ok(Vec::new()));
        document["standing"] = "green".into();
        assert_ne!(data::objections(&schema, &document), Ok(Vec::new()), "the schema can refuse");
    }
}
