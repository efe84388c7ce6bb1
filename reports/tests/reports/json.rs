//! The JSON document.

use fincert_reports::{Format, Style, render};
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
