//! Reports are read by libraries of others, which find there what fincert's own JSON says.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/python.rs"]
mod python;
#[path = "support/recorded.rs"]
mod recorded;
mod support;

use std::path::Path;
use std::process::Command;

use fincert_reports::Format;
use fincert_schemas::Lang;
use recorded::hostile;
use serde_json::{Value, json};
use support::fincert;

/// What junitparser, markdown-it and an XML parser find in a folder.
fn read(folder: &Path) -> Value {
    let python = python::python("readers-1", &["junitparser==5.0.3", "markdown-it-py==4.3.0"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/third_party/readers.py");
    let output = Command::new(python).arg(script).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The rows of the summary's table have as many cells as its head, and nothing is markup that was not meant to be.
fn assert_plain(markdown: &Value) {
    let columns = markdown["columns"].as_array().unwrap();
    assert!(columns.len() > 1 && columns.iter().all(|cells| *cells == 5), "{markdown}");
    assert_eq!((&markdown["html"], &markdown["links"]), (&json!([]), &json!([])));
}

#[test]
fn every_format_says_the_same_to_its_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut arguments = vec!["certify", "--profile", "ocr", "--defect", "face-array", "--seed", "1", "--fuzz", "0"];
    for report in ["junit=junit.xml", "markdown=summary.md", "badge=badge.svg", "json=report.json"] {
        arguments.extend(["--report", report]);
    }
    assert_eq!(fincert(path, &arguments).output().unwrap().status.code(), Some(1));
    let own: Value = serde_json::from_slice(&std::fs::read(path.join("report.json")).unwrap()).unwrap();
    let others = read(path);

    // A case of JUnit that failed is a decision or a verdict.
    let decided = own["judgement"]["certifications"].as_array().unwrap().iter();
    let mut failed: Vec<Value> =
        decided.filter(|c| c["decision"] == "not-certified").map(|c| json!(["certification", c["name"]])).collect();
    let verdicts = own["judgement"]["verdicts"].as_array().unwrap();
    let red = verdicts.iter().filter(|v| v["outcome"] == "fail");
    failed.extend(red.map(|v| json!([v["requirement"], v["scenario"]])));
    assert!(failed.len() > 10);
    assert_eq!(others["junit"]["failed"].as_array().unwrap(), &failed);
    assert_eq!((&others["junit"]["failures"], &others["junit"]["errors"]), (&json!(failed.len()), &json!(0)));
    assert!(others["junit"]["tests"].as_u64().unwrap() as usize > verdicts.len());

    assert_plain(&others["markdown"]);
    assert_eq!(others["markdown"]["headings"], json!(["❌ fincert: not certified", "What to mend"]));
    let code = others["markdown"]["code"].as_array().unwrap();
    for cause in own["judgement"]["causes"].as_array().unwrap() {
        assert!(code.contains(&cause["requirements"][0]), "{cause}");
    }

    assert_eq!(others["badge"]["root"], "{http://www.w3.org/2000/svg}svg");
    assert!(others["badge"]["texts"].as_array().unwrap().contains(&json!("not certified 0/1 (mock host)")));
}

#[test]
fn hostile_text_is_text_to_every_reader() {
    const EVIL: &str = concat!(
        "EVIL` ``]]>&<script>EVIL</script> <img src=x> [EVIL](https://evil.example) ![EVIL](https://evil.example/x) ",
        "<https://evil.example> | EVIL\n# EVIL\n\u{0}\u{1b}[2J\u{202e}",
    );
    let folder = tempfile::tempdir().unwrap();
    // To whom it is markup, it is: a report that held it bare would be found out.
    for name in ["junit.xml", "summary.md", "badge.svg"] {
        let bare = if name == "summary.md" { EVIL } else { "<testsuites/>" };
        std::fs::write(folder.path().join(name), bare).unwrap();
    }
    let bare = read(folder.path())["markdown"].clone();
    assert_eq!((bare["links"].as_array().unwrap().len(), bare["headings"].as_array().unwrap().len()), (2, 1), "{bare}");
    assert!(bare["html"].as_array().unwrap().len() >= 2, "{bare}");
    let run = hostile(EVIL);
    for lang in [Lang::Zh, Lang::En] {
        for (format, name) in
            [(Format::Junit, "junit.xml"), (Format::Markdown, "summary.md"), (Format::Badge, "badge.svg")]
        {
            std::fs::write(folder.path().join(name), run.rendered(format, lang)).unwrap();
        }
        let others = read(folder.path());
        assert_plain(&others["markdown"]);
        assert!(others["markdown"]["code"].to_string().contains("EVIL"));
        assert!(!others["markdown"]["headings"].to_string().contains("EVIL"), "{}", others["markdown"]["headings"]);
        assert!(others["junit"]["failed"].to_string().contains("</script>"));
        assert!(!others["badge"].to_string().contains("EVIL"));
    }
}
