//! The main job, through the program's own edges: certify the mock host and a real engine, and look at all that is
//! left behind.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use fincert_schemas::{Ledger, fixture};
use serde_json::Value;

fn fincert(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fincert"))
        .current_dir(folder)
        .env_remove("COLUMNS")
        .env("LANG", "C.UTF-8")
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn judgement(path: &Path) -> Value {
    lines(path).pop().filter(|line| line["line"] == "judgement").unwrap()
}

#[test]
fn without_arguments_the_mock_host_is_certified_and_reports_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let output = fincert(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let judged = judgement(&folder.path().join("fincert-out/run.jsonl"));
    let outcomes = judged["requirements"].as_array().unwrap();
    let of = |id: &str| outcomes.iter().find(|r| r["requirement"] == id).unwrap()["outcome"].clone();
    for requirement in Ledger::embedded().unwrap().iter() {
        // Every requirement that has a check is exercised and green, those of all three integration states, too.
        let wanted = if requirement.untested.is_some() { "not-exercised" } else { "pass" };
        assert_eq!(of(&requirement.id), wanted, "{}", requirement.id);
    }
    let decisions = judged["certifications"].as_array().unwrap();
    for (profile, wanted) in [
        ("ocr", "certified"),
        ("ocr:BankCard", "certified"),
        ("face", "certified"),
        ("liveness", "certified"),
        ("open-app", "certified"),
        ("witness-video", "certified"),
        ("integration", "certified"),
        ("recorder", "not-offered"),
        ("webrtc", "certified"),
        ("webrtc-components", "not-offered"),
    ] {
        let decision = decisions.iter().find(|c| c["name"] == profile).unwrap();
        assert_eq!(decision["decision"], wanted, "{profile}");
    }
    for report in ["report.html", "report.json", "junit.xml"] {
        assert!(folder.path().join("fincert-out").join(report).metadata().unwrap().len() > 1_000, "{report}");
    }
    assert!(text(&output.stdout).contains("mock host"));
}

#[test]
fn a_seed_gives_the_same_verdicts_byte_by_byte_and_judging_again_agrees() {
    let folder = tempfile::tempdir().unwrap();
    let last_line = |name: &str| {
        let arguments = ["certify", "--seed", "7", "--defect", "both-faces-fields", "--record", name];
        assert_eq!(fincert(folder.path(), &arguments).status.code(), Some(1));
        std::fs::read_to_string(folder.path().join(name)).unwrap().lines().last().unwrap().to_owned()
    };
    assert_eq!(last_line("a.jsonl"), last_line("b.jsonl"));
    let again = fincert(folder.path(), &["judge", "a.jsonl", "--report", "json=again.json"]);
    assert_eq!(again.status.code(), Some(1), "{}", text(&again.stderr));
    let rendered: Value = serde_json::from_slice(&std::fs::read(folder.path().join("again.json")).unwrap()).unwrap();
    let mut judged = judgement(&folder.path().join("a.jsonl"));
    judged.as_object_mut().unwrap().remove("line");
    assert_eq!(rendered["judgement"], judged);
}

/// Personal values of every specimen and request, found by plain search in nothing that fincert leaves or prints.
#[test]
fn nothing_personal_is_left_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let mut needles: Vec<String> =
        ["Specimen-Pwd-7351", "Specimen-Room-7352", "specimen-customer-7351"].map(str::to_owned).into();
    for specimen in fixture::all().unwrap() {
        for field in ["idNo", "name", "cardNo", "address", "represent", "birthday"] {
            needles.extend(specimen.truth.get(field).and_then(Value::as_str).map(str::to_owned));
        }
        if let Some(person) = &specimen.person {
            needles.extend([person.name.clone(), person.id_no.clone()]);
        }
    }
    let face = fixture::get("liveness-face").unwrap();
    needles.push(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, face.bytes)[..48].to_owned());
    needles.sort();
    needles.dedup();
    assert!(needles.len() > 20);
    // The clean host, and hosts that put values where they do not belong.
    for (place, defect) in [
        "",
        "card-no-number",
        "recog-result-array",
        "gender-number",
        "face-img-on-back",
        "stray-line",
        "duplicate-keys",
    ]
    .iter()
    .enumerate()
    {
        let out = format!("run-{place}");
        let record = format!("{out}/run.jsonl");
        let reports = ["json=r.json", "junit=r.xml", "text=r.txt", "html=r.html", "ctrf=r.ctrf.json", "markdown=r.md"];
        let reports = reports.map(|report| report.replace('=', &format!("={out}/")));
        let mut arguments = vec!["certify", "--record", &record];
        arguments.extend(reports.iter().flat_map(|report| ["--report", report.as_str()]));
        if !defect.is_empty() {
            // Flows hold no such values, and the clean host has shown all profiles.
            arguments.extend(["--defect", defect]);
            arguments.extend(
                ["integration", "ocr", "face", "liveness", "witness-video"].iter().flat_map(|p| ["--profile", p]),
            );
        }
        let output = fincert(folder.path(), &arguments);
        let mut left = vec![("stdout".to_owned(), text(&output.stdout)), ("stderr".to_owned(), text(&output.stderr))];
        for entry in std::fs::read_dir(folder.path().join(&out)).unwrap() {
            let path = entry.unwrap().path();
            left.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
        assert_eq!(left.len(), 9);
        for (place, content) in &left {
            assert!(!content.is_empty(), "{place}");
            for needle in &needles {
                assert!(!content.contains(needle.as_str()), "{defect}: {needle} in {place}");
            }
        }
    }
    // With --reveal they are there: the search is able to find them.
    let revealed =
        fincert(folder.path(), &["certify", "--reveal", "--filter", "ocr.*.specimens", "--record", "revealed.jsonl"]);
    assert_eq!(revealed.status.code(), Some(1));
    let content = std::fs::read_to_string(folder.path().join("revealed.jsonl")).unwrap();
    assert!(needles.iter().filter(|needle| content.contains(needle.as_str())).count() > 10);
    let shown = fincert(
        folder.path(),
        &["call", "finCardOcr", r#"{"type":"BankCard","imagePath":{"$file":"bank-card-debit"}}"#],
    );
    for needle in &needles {
        assert!(!text(&shown.stdout).contains(needle.as_str()));
    }
}

#[test]
fn a_filtered_run_never_certifies_and_known_failures_are_strict() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(fincert(folder.path(), &["certify", "--filter", "face.*"]).status.code(), Some(1));

    let run = |extra: &[&str]| {
        let mut arguments = vec!["certify", "--profile", "face", "--record", "run.jsonl"];
        arguments.extend(extra);
        fincert(folder.path(), &arguments)
    };
    assert_eq!(run(&[]).status.code(), Some(0));
    let failing = run(&["--defect", "score-87", "--write-known-failing", "known.txt"]);
    assert_eq!(failing.status.code(), Some(1));
    assert!(std::fs::read_to_string(folder.path().join("known.txt")).unwrap().contains("face.result.score @ face."));
    let expected = run(&["--defect", "score-87", "--known-failing", "known.txt"]);
    assert_eq!(expected.status.code(), Some(0), "{}", text(&expected.stdout));
    assert!(text(&expected.stdout).contains("not certified, as expected"), "{}", text(&expected.stdout));
    // The list is strict: what passes now must leave it.
    assert_eq!(run(&["--known-failing", "known.txt"]).status.code(), Some(1));
    // Another defect is not excused by it.
    assert_eq!(run(&["--defect", "face-error-code-string", "--known-failing", "known.txt"]).status.code(), Some(1));
}

#[test]
fn capabilities_are_certified_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let run = |profile: &str| {
        let arguments = ["certify", "--defect", "card-no-missing", "--profile", profile, "--record", "run.jsonl"];
        fincert(folder.path(), &arguments).status.code()
    };
    assert_eq!(run("ocr:IDCard"), Some(0));
    assert_eq!(run("ocr:BankCard"), Some(1));
    assert_eq!(run("ocr"), Some(1));
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The integration of a real engine: what it has is certified, what it lacks is not, and the report says so.
#[test]
fn the_tesseract_integration_is_certified_on_its_merits() {
    let found = Command::new("tesseract").arg("--list-langs").output();
    let languages = found.map(|output| text(&output.stdout) + &text(&output.stderr)).unwrap_or_default();
    assert!(
        languages.contains("chi_sim"),
        "install tesseract-ocr, tesseract-ocr-chi-sim and python3-pil (./test does)"
    );
    let folder = tempfile::tempdir().unwrap();
    let engine = repository().join("harness/examples/tesseract/engine.py");
    let target = format!("stdio:/usr/bin/python3 {}", engine.display());
    let output = fincert(folder.path(), &["certify", "--target", &target, "--profile", "ocr", "--unattended"]);
    // All of ocr was asked for, and ocr:IDCardCheck is not supported.
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let judged = judgement(&folder.path().join("fincert-out/run.jsonl"));
    let decision = |name: &str| {
        let all = judged["certifications"].as_array().unwrap();
        all.iter().find(|c| c["name"] == name).unwrap().clone()
    };
    for capability in ["ocr:BankCard", "ocr:IDCard", "ocr:BusiCert"] {
        assert_eq!(decision(capability)["decision"], "certified", "{capability}: {}", text(&output.stdout));
    }
    let whole = decision("ocr");
    assert_eq!(whole["decision"], "not-certified");
    for missing in whole["missing"].as_array().unwrap() {
        assert_eq!(missing["reason"], "not-declared", "{missing}");
    }
    assert_eq!(decision("face")["decision"], "not-asked");
    // Real recognition: good, and not perfect.
    let accuracy = judged["accuracy"].as_array().unwrap();
    let equal = |field: &str| accuracy.iter().find(|a| a["field"] == field).map(|a| a["equal"] == a["compared"]);
    assert_eq!(equal("BankCard/cardNo"), Some(true));
    assert_eq!(equal("IDCard/name"), Some(false), "Tesseract cannot read the rare Han character");
}
