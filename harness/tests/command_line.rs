//! Wrong usage and bad files: each is refused with a message that says what and where and what to do, before
//! anything is started or written. What people read is in the snapshots.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use support::{Run, fincert};

/// Would leave a trace if it were ever started.
const TRACE: &str = "stdio:touch started";

fn run(folder: &Path, arguments: &[&str]) -> Run {
    Run::new(&fincert(folder, arguments).output().unwrap(), Vec::new())
}

fn listing(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A folder with good and bad files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    std::fs::create_dir(folder.path().join("dir")).unwrap();
    write("file", b"text\n");
    write("no-at.txt", b"# known failures\n\nocr.result.error-code ocr.bank-card.specimens\n");
    write("no-requirement.txt", b"ocr.result.colour @ ocr.bank-card.specimens\n");
    write("no-scenario.txt", b"ocr.result.error-code @ ocr.bank-card.specimen # typo\n");
    write("latin1.txt", b"# caf\xe9\n");
    folder
}

/// Runs each, and renders command, exit code and message as a person sees them.
fn refusals(folder: &Path, code: i32, cases: &[&[&str]]) -> String {
    let before = listing(folder);
    let mut text = String::new();
    for arguments in cases {
        let run = run(folder, arguments);
        let command = shell_words::join(*arguments);
        assert_eq!(run.code, Some(code), "{command}: {}{}", run.stdout, run.stderr);
        assert_eq!(run.stdout, "", "{command}: stdout is for results");
        assert_eq!(listing(folder), before, "{command}: it left or started something");
        text.push_str(&format!("$ fincert {command}\n{}\n", run.stderr));
    }
    text
}

#[test]
fn wrong_usage_of_certify() {
    let folder = folder();
    let certify = |arguments: &[&'static str]| [&["certify"], arguments].concat();
    let traced = |arguments: &[&'static str]| [&["certify", "--target", TRACE], arguments].concat();
    let cases = [
        certify(&["--target", "pigeon:7"]),
        certify(&["--target", "stdio:"]),
        certify(&["--target", "stdio:'engine"]),
        certify(&["--target", "ws://"]),
        certify(&["--target", "http://127.0.0.1:1/"]),
        certify(&["--target", "listen:everywhere"]),
        traced(&["--profile", "passport"]),
        traced(&["--profile", "ocr:Passport"]),
        traced(&["--profile", "webrtc-components"]),
        traced(&["--filter", "no.such.*"]),
        traced(&["--profile", "face", "--filter", "ocr.*"]),
        traced(&["--filter", "(ocr.* | face.*"]),
        traced(&["--filter", "colour:red"]),
        traced(&["--filter", ""]),
        traced(&["--known-failing", "missing.txt"]),
        traced(&["--known-failing", "dir"]),
        traced(&["--known-failing", "no-at.txt"]),
        traced(&["--known-failing", "no-requirement.txt"]),
        traced(&["--known-failing", "no-scenario.txt"]),
        traced(&["--known-failing", "latin1.txt"]),
        traced(&["--report", "junit=dir"]),
        traced(&["--report", "pdf=report.pdf"]),
        traced(&["--report", "junit"]),
        traced(&["--report", "junit="]),
        traced(&["--record", "dir"]),
        traced(&["--record", "file/run.jsonl"]),
        traced(&["--set", "videoIp"]),
        traced(&["--set", "videoColour=red"]),
        traced(&["--set", "loginPwd=@missing.txt"]),
        traced(&["--seed", "lucky"]),
        traced(&["--max-wait", "0"]),
        traced(&["--max-wait", "soon"]),
        traced(&["--defect", "score-87"]),
        traced(&["--integration", "absent"]),
        certify(&["--defect", "score-86"]),
    ];
    let cases: Vec<&[&str]> = cases.iter().map(Vec::as_slice).collect();
    insta::assert_snapshot!("wrong_usage_of_certify", refusals(folder.path(), 2, &cases));
}

/// What could not be written in the end is found out in the beginning.
#[test]
fn places_that_cannot_be_written_are_found_before_driving() {
    let folder = folder();
    let cases: &[&[&str]] = &[
        &["certify", "--target", TRACE, "--report", "json=file/report.json"],
        &["certify", "--target", TRACE, "--record", "run.jsonl", "--report", "json=file/report.json"],
        &["certify", "--target", TRACE, "--report", "json=r.json", "--write-known-failing", "dir"],
        &["certify", "--target", TRACE, "--record", "same", "--report", "json=same"],
    ];
    insta::assert_snapshot!("places_that_cannot_be_written", refusals(folder.path(), 2, cases));
}

#[test]
fn wrong_usage_of_the_other_commands() {
    let folder = folder();
    let cases: &[&[&str]] = &[
        &["certifi"],
        &["judge"],
        &["judge", "missing.jsonl"],
        &["judge", "dir"],
        &["report", "missing.jsonl", "--report", "json=r.json"],
        &["report", "missing.jsonl"],
        &["call", "finCardOcr", "{'type':1}", "--target", TRACE],
        &["call", "finCardOcrs", "{}", "--target", TRACE],
        &["call", "finCardOcr", r#"{"imagePath":{"$file":"no-such-specimen"}}"#, "--target", TRACE],
        &["call", "finCardOcr", "{}", "--target", "pigeon"],
        &["explain", "nothing-of-the-kind"],
        &["explain", "ocr.result.bank-card"],
        &["list", "colours"],
        &["list", "profiles", "--format", "yaml"],
        &["mock", "--listen", "everywhere"],
        &["mock", "--defect", "score-86"],
        &["mock", "--integration", "half"],
    ];
    insta::assert_snapshot!("wrong_usage_of_other_commands", refusals(folder.path(), 2, cases));
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = folder();
    let text = refusals(folder.path(), 3, &[&["mock", "--listen", &address]]).replace(&address, "127.0.0.1:PORT");
    insta::assert_snapshot!("a_port_that_is_taken", text);
}

/// A good record, and what can be wrong with one.
#[test]
fn records_that_do_not_hold() {
    let folder = folder();
    let arguments = ["certify", "--profile", "face", "--seed", "1", "--record", "good.jsonl"];
    assert_eq!(run(folder.path(), &arguments).code, Some(0));
    let good = std::fs::read_to_string(folder.path().join("good.jsonl")).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    let cut = good.trim_end().rfind('\n').unwrap() + 1;
    write("empty.jsonl", b"");
    write("no-run-line.jsonl", good.split_once('\n').unwrap().1.as_bytes());
    write("two-run-lines.jsonl", format!("{}\n{good}", lines[0]).as_bytes());
    write("after-the-end.jsonl", format!("{good}{}\n", lines[1]).as_bytes());
    write("broken-inside.jsonl", good.replacen("\"transcript\"", "\"transcri\"", 1).as_bytes());
    write("future-record.jsonl", good.replacen("\"record\":1", "\"record\":2", 1).as_bytes());
    write("future-capture.jsonl", good.replacen("\"capture\":1", "\"capture\":99", 1).as_bytes());
    write("foreign.jsonl", b"{\"name\": \"package\", \"version\": \"1.0.0\"}\n");
    write("foreign-array.jsonl", b"[1, 2, 3]\n");
    write("half-a-first-line.jsonl", &lines[0].as_bytes()[..40]);
    write("binary.jsonl", b"\x7fELF\x02\x01\x01\x00\xff\xfe\n\x1b[31m\n");
    let cases: Vec<[&str; 2]> = [
        "empty.jsonl",
        "no-run-line.jsonl",
        "two-run-lines.jsonl",
        "after-the-end.jsonl",
        "broken-inside.jsonl",
        "future-record.jsonl",
        "future-capture.jsonl",
        "foreign.jsonl",
        "foreign-array.jsonl",
        "half-a-first-line.jsonl",
        "binary.jsonl",
    ]
    .map(|name| ["judge", name])
    .into();
    let cases: Vec<&[&str]> = cases.iter().map(<[&str; 2]>::as_slice).collect();
    let text = refusals(folder.path(), 4, &cases).replace(env!("CARGO_PKG_VERSION"), "VERSION");
    assert!(!text.contains('\x1b'));
    insta::assert_snapshot!("records_that_do_not_hold", text);

    // A record whose end is missing can be judged, with a warning; it certifies nothing, for whoever cut it may have
    // had a reason.
    write("cut.jsonl", &good.as_bytes()[..good.len() - 30]);
    write("unjudged.jsonl", &good.as_bytes()[..cut]);
    for (name, warning) in [("cut.jsonl", "is cut off and was dropped"), ("unjudged.jsonl", "before it was judged")] {
        let judged = run(folder.path(), &["judge", name]);
        assert_eq!(judged.code, Some(4), "{name}: {}", judged.stderr);
        assert!(judged.stderr.contains(name) && judged.stderr.contains(warning), "{}", judged.stderr);
        assert!(judged.stdout.contains("not certified"), "{}", judged.stdout);
    }

    // Whoever edits the judgement, or what it was made from, is found out.
    let (body, judgement) = good.split_at(cut);
    let edits = [
        ("verdict", format!("{body}{}", judgement.replacen("\"outcome\":\"pass\"", "\"outcome\":\"fail\"", 1))),
        ("decision", format!("{body}{}", judgement.replacen("\"certified\"", "\"not-certified\"", 1))),
        ("answer", format!("{}{judgement}", body.replacen("\"via\":\"success\"", "\"via\":\"fail\"", 1))),
        ("dropped", format!("{}{judgement}", body.replacen(&format!("{}\n", lines[4]), "", 1))),
        ("profile", format!("{}{judgement}", body.replacen("\"profiles\":[\"face\"]", "\"profiles\":[\"ocr\"]", 1))),
    ];
    for (edit, content) in edits {
        assert_ne!(content, good, "{edit}");
        write("edited.jsonl", content.as_bytes());
        let judged = run(folder.path(), &["judge", "edited.jsonl"]);
        assert_eq!(judged.code, Some(4), "{edit}: {}", judged.stderr);
        assert!(judged.stderr.contains("edited.jsonl") && judged.stderr.contains("was edited"), "{}", judged.stderr);
    }
}

#[test]
fn help_is_what_a_newcomer_reads() {
    let folder = folder();
    for (name, arguments) in [("help", &["--help"][..]), ("help_of_certify", &["certify", "--help"])] {
        let help = run(folder.path(), arguments);
        assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
        insta::assert_snapshot!(name, help.stdout);
    }
}

#[test]
fn lists_are_for_people_and_for_programs() {
    let folder = folder();
    for what in
        ["requirements", "scenarios", "checks", "defects", "profiles", "specimens", "examples", "reasons", "exit-codes"]
    {
        let json = run(folder.path(), &["list", what, "--format", "json"]);
        assert_eq!((json.code, json.stderr.as_str()), (Some(0), ""), "{what}");
        let rows: Vec<Value> = serde_json::from_str(&json.stdout).unwrap();
        let text = run(folder.path(), &["list", what]);
        assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""), "{what}");
        assert_eq!(text.stdout.lines().count(), rows.len(), "{what}");
        // Everything that is listed can be explained.
        let key = what.strip_suffix('s').unwrap();
        let id = rows[0].get(key).map(|id| id.as_str().or(id["id"].as_str()));
        let id = id.flatten().or(rows[0]["id"].as_str());
        if let Some(id) = id.filter(|_| !["profiles", "specimens", "examples"].contains(&what)) {
            let explained = run(folder.path(), &["explain", id]);
            assert_eq!(explained.code, Some(0), "{what}: {id}: {}", explained.stderr);
            assert!(explained.stdout.starts_with(id), "{}", explained.stdout);
        }
    }
    insta::assert_snapshot!("exit_codes", run(folder.path(), &["list", "exit-codes"]).stdout);
    assert_eq!(listing(folder.path()), listing(self::folder().path()));
}

#[test]
fn stdout_carries_the_result_and_stderr_the_rest() {
    let folder = folder();
    let certified = run(folder.path(), &["certify", "--profile", "open-app", "--record", "run.jsonl"]);
    assert_eq!(certified.code, Some(0), "{}", certified.stderr);
    assert!(certified.stderr.contains("target: fincert-mock") && certified.stderr.contains("written: run.jsonl"));
    assert!(certified.stdout.starts_with("fincert ") && !certified.stdout.contains("[  1/"));
    let judged = run(folder.path(), &["judge", "run.jsonl"]);
    assert_eq!((judged.code, judged.stderr.as_str()), (Some(0), ""));
    assert_eq!(judged.stdout, certified.stdout);
    // A reader that has seen enough is no error.
    let mut child = fincert(folder.path(), &["list", "requirements"]).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
