//! Snapshots of results, from a run to a reviewer: kept, compared, reviewed, by fincert and by cargo-insta.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use fincert::snapshots::{Info, read_folder};
use serde_json::{Value, json};
use support::{Run, fincert};

/// Runs with what a reviewer types, and insists on the exit code.
fn exits(folder: &Path, code: i32, arguments: &[&str], typed: &str) -> Run {
    let mut child = fincert(folder, arguments).stdin(Stdio::piped()).env("COLUMNS", "80").spawn().unwrap();
    // Who has seen enough does not read on.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    let run = Run::new(&child.wait_with_output().unwrap(), Vec::new());
    assert_eq!(run.code, Some(code), "{}\n{}{}", shell_words::join(arguments), run.stdout, run.stderr);
    run
}

fn certify<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["certify", "--profile", "face", "--snapshots", "snaps", "--record", "run.jsonl"], more].concat()
}

/// The files of the folder that end so, without the ending.
fn names(folder: &Path, ending: &str) -> Vec<String> {
    let listing = std::fs::read_dir(folder.join("snaps")).unwrap();
    let names = listing.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(ending).map(str::to_owned)).collect();
    names.sort();
    names
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join("snaps").join(name)).unwrap()
}

/// A folder with the accepted snapshots of a run.
fn accepted() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let run = exits(folder.path(), 0, &certify(&["--seed", "1"]), "");
    let count = names(folder.path(), ".snap.new").len();
    assert!(
        count > 10 && run.stderr.contains(&format!("snapshots: 0 unchanged, 0 changed, {count} new; to review")),
        "{}",
        run.stderr
    );
    exits(folder.path(), 0, &["review", "snaps"], &"a\n".repeat(count));
    assert_eq!((names(folder.path(), ".snap.new").len(), names(folder.path(), ".snap").len()), (0, count));
    folder
}

#[test]
fn results_are_kept_and_what_changes_waits_for_a_reviewer() {
    let folder = accepted();
    let path = folder.path();
    let count = names(path, ".snap").len();
    insta::assert_snapshot!("kept", read(path, "face.specimens.1.snap"));
    // Another run, of another seed, comes to the same, whatever insta is told from outside.
    let mut again = fincert(path, &certify(&["--seed", "2"]));
    again.envs([
        ("INSTA_UPDATE", "always"),
        ("INSTA_PENDING_DIR", "elsewhere"),
        ("INSTA_REQUIRE_FULL_MATCH", "1"),
        ("CI", "1"),
    ]);
    let again = Run::new(&again.output().unwrap(), Vec::new());
    assert!(again.stderr.contains(&format!("snapshots: {count} unchanged, 0 changed, 0 new\n")), "{}", again.stderr);
    assert!(!path.join("elsewhere").exists());
    assert_eq!(
        exits(path, 0, &["review", "snaps", "--check"], "").stdout,
        format!("0 to review, {count} accepted, 0 left over\n")
    );

    let changed = exits(path, 1, &certify(&["--seed", "1", "--defect", "score-87"]), "");
    assert!(changed.stderr.contains(" changed, 0 new; to review: fincert review snaps"), "{}", changed.stderr);
    let waiting = names(path, ".snap.new");
    assert!(!waiting.is_empty());
    let check = exits(path, 4, &["review", "snaps", "--check"], "");
    assert!(check.stdout.contains(&format!("changed  {}\n", waiting[0])), "{}", check.stdout);
    // A reviewer looks: skipping and leaving change nothing, and leave the exit code red.
    let pages = exits(path, 4, &["review", "snaps"], "what?\ns\nq\n");
    let (page, _) = pages.stdout.split_once(" > ").unwrap();
    insta::assert_snapshot!("page", page);
    assert!(page.lines().all(|line| fincert_reports::text::columns(line) <= 80));
    let page = exits(path, 4, &["review", "snaps", "--lang", "zh"], "").stdout;
    insta::assert_snapshot!("page_zh", page.split_once(" > ").unwrap().0);
    assert_eq!(names(path, ".snap.new"), waiting);
    // Rejecting takes away what waits, accepting puts it in its place.
    let accepted = read(path, &format!("{}.snap", waiting[0]));
    exits(path, if waiting.len() > 1 { 4 } else { 0 }, &["review", "snaps"], "r\n");
    assert_eq!(read(path, &format!("{}.snap", waiting[0])), accepted);
    assert_eq!(names(path, ".snap.new"), waiting[1..]);
    // What is as it was accepted does not wait any more.
    exits(path, 0, &certify(&["--seed", "3"]), "");
    assert_eq!(names(path, ".snap.new"), Vec::<String>::new());
}

/// Writes a snapshot as insta does.
fn write(path: &Path, name: &str, info: &Value, text: &str) {
    let file = path.join("snaps").join(name);
    std::fs::write(file, format!("---\nsource: fincert\ndescription: \"made\"\ninfo: {info}\n---\n{text}\n")).unwrap();
}

fn info(scenario: &str, asked: &str, text: &str) -> Value {
    let info = json!({"fincert": 1, "scenario": scenario, "step": 1, "call": "ft.finFaceAuth", "request": {},
                      "requirements": [], "asked": asked, "sha256": ""});
    sealed(serde_json::from_value(info).unwrap(), text)
}

fn sealed(mut info: Info, text: &str) -> Value {
    info.sha256 = info.seal(text);
    json!(info)
}

#[test]
fn a_renamed_scenario_keeps_its_snapshot_and_what_nothing_produces_is_named() {
    let folder = accepted();
    let path = folder.path();
    let snap = |name: &str| path.join("snaps").join(name);
    // As if the scenario had been called otherwise when this was accepted.
    let good = read(path, "face.specimens.1.snap");
    let known = read_folder(&path.join("snaps")).unwrap();
    let known = known["face.specimens.1"].accepted.clone().unwrap();
    let was = || {
        let info = Info { scenario: "face.was".to_owned(), ..known.info.clone() };
        write(path, "face.was.1.snap", &sealed(info, &known.text), &known.text);
    };
    was();
    std::fs::remove_file(snap("face.specimens.1.snap")).unwrap();
    write(path, "face.forgotten.1.snap", &info("face.forgotten", "nothing asks this", "{}"), "{}");
    let run = exits(path, 0, &certify(&["--seed", "1"]), "");
    assert!(run.stderr.contains("the scenario was renamed: face.was.1 → face.specimens.1"), "{}", run.stderr);
    assert!(run.stderr.contains("nothing produces this any more: face.forgotten.1"), "{}", run.stderr);
    assert!(!snap("face.was.1.snap").exists() && names(path, ".snap.new").is_empty());
    assert_eq!(read(path, "face.specimens.1.snap"), good);
    // Renamed and changed: it waits beside what was accepted under the old name.
    std::fs::remove_file(snap("face.specimens.1.snap")).unwrap();
    was();
    let run = exits(path, 1, &certify(&["--seed", "1", "--defect", "score-87"]), "");
    assert!(run.stderr.contains("renamed: face.was.1 → face.specimens.1"), "{}", run.stderr);
    assert!(snap("face.specimens.1.snap").exists() && snap("face.specimens.1.snap.new").exists());
    // The reviewer deletes what is left over.
    let waiting = names(path, ".snap.new").len();
    let check = exits(path, 4, &["review", "snaps", "--check"], "").stdout;
    assert!(check.contains("left over  face.forgotten.1\n"), "{check}");
    exits(path, 0, &["review", "snaps"], &format!("{}r\n", "a\n".repeat(waiting)));
    assert!(!snap("face.forgotten.1.snap").exists());
}

#[test]
fn what_is_no_snapshot_is_refused_before_anything_is_driven() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("snaps")).unwrap();
    let good = info("face.specimens", "x", "{}");
    let with = |edit: &dyn Fn(&mut Value)| {
        let mut other = good.clone();
        edit(&mut other);
        format!("---\ndescription: made\ninfo: {other}\n---\n{{}}\n")
    };
    let cases = [
        ("empty", String::new()),
        ("foreign-text", "hello\n".to_owned()),
        ("foreign-insta", "---\nsource: src/lib.rs\nexpression: value\n---\n42\n".to_owned()),
        ("legacy-insta", "Expression: value\nSource: src/lib.rs\n\n42\n".to_owned()),
        ("cut-header", "---\nsource: src/lib.rs\ninfo".to_owned()),
        ("hostile", "---\ninfo: {\"\\e[31m\": 1}\n---\n\x1b[2J\n".to_owned()),
        (
            "bomb",
            format!("---\na: &a [{0}]\nb: &b [*a,*a,*a,*a,*a,*a]\ninfo: [*b,*b,*b,*b,*b,*b]\n---\n", "x,".repeat(1000)),
        ),
        ("future", with(&|info| info["fincert"] = json!(2))),
        ("more-in-the-header", with(&|info| info["colour"] = json!("red"))),
        ("edited-header", with(&|info| info["step"] = json!("first"))),
        ("edited-text", with(&|_| {}).replace("{}\n", "{\"via\": \"success\"}\n")),
        ("cut-text", with(&|_| {}).replace("---\n{}\n", "---\n")),
        ("too-large", "x".repeat(9 << 20)),
    ];
    let mut said = String::new();
    for (name, content) in cases {
        let file = path.join("snaps/bad.snap");
        std::fs::write(&file, content).unwrap();
        for arguments in
            [certify(&["--target", "stdio:touch started"]), vec!["review", "snaps"], vec!["review", "snaps", "--check"]]
        {
            let run = exits(path, 4, &arguments, "a\n");
            assert!(!run.stderr.contains('\x1b') && run.stdout.is_empty(), "{name}: {}", run.stdout);
            if arguments[0] == "certify" {
                said.push_str(&format!("{name}\n  {}", run.stderr.replace(&path.display().to_string(), "")));
            }
        }
        assert!(!path.join("started").exists() && !path.join("run.jsonl").exists(), "{name}");
    }
    insta::assert_snapshot!("no_snapshots", said);
    std::fs::remove_file(path.join("snaps/bad.snap")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", path.join("snaps/link.snap")).unwrap();
    assert!(exits(path, 4, &["review", "snaps"], "").stderr.contains("is no regular file"));
    std::fs::remove_file(path.join("snaps/link.snap")).unwrap();

    // What is wrong with the arguments is wrong usage.
    std::fs::write(path.join("file"), "text").unwrap();
    std::fs::write(path.join("rules.yaml"), "- {at: score, as: x}\n").unwrap();
    let usage = |arguments: &[&str], says: &str| {
        let run = exits(path, 2, arguments, "");
        assert!(run.stderr.contains(says), "{arguments:?}: {}", run.stderr);
    };
    usage(&["review", "nowhere"], "nowhere: no such folder");
    usage(&["review", "snaps", "--html", "snaps"], "is a directory");
    usage(&["certify", "--target", "stdio:touch started", "--snapshots", "file"], "is no folder");
    usage(&certify(&["--snapshot-rules", "rules.yaml"]), "rules.yaml: at /0/at: want a JSON pointer");
    usage(&certify(&["--snapshot-rules", "missing.yaml"]), "missing.yaml");
    usage(&certify(&["--reveal"]), "--reveal");
    assert!(!path.join("started").exists());
}

/// The page for who only reads: nothing of a snapshot is markup.
#[test]
fn the_html_page_shows_hostile_text_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("snaps")).unwrap();
    let evil = "<script>alert(1)</script>\"'&\u{202e}";
    let text = format!("{{\n  \"via\": {}\n}}", json!(evil));
    let mut hostile = info(evil, evil, &text);
    hostile["call"] = json!(evil);
    hostile["request"] = json!({ evil: evil });
    hostile["requirements"] = json!([evil]);
    hostile["findings"] = json!([{"requirement": evil, "outcome": evil, "actual": evil}]);
    let hostile = sealed(serde_json::from_value(hostile).unwrap(), &text);
    write(path, "<img src=x onerror=alert(1)>.snap.new", &hostile, &text);
    exits(path, 0, &["review", "snaps", "--html", "review.html"], "");
    exits(path, 4, &["review", "snaps", "--html", "review.html", "--check"], "");
    let page = std::fs::read_to_string(path.join("review.html")).unwrap();
    let body = page.split_once("</head>").unwrap().1;
    assert!(body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{body}");
    assert!(!body.contains("<script") && !body.contains("<img") && !body.contains('\u{202e}'), "{body}");
    assert!(page.contains("default-src 'none'"));
    // Nor does it steer the terminal.
    let shown = exits(path, 4, &["review", "snaps"], "q\n").stdout;
    assert!(!shown.contains('\u{202e}') && !shown.contains('\x1b'), "{shown}");
}

#[test]
fn flows_are_kept_without_what_is_random() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let flow = |seed| {
        ["certify", "--filter", "webrtc.audio-only", "--snapshots", "snaps", "--record", "run.jsonl", "--seed", seed]
    };
    exits(path, 1, &flow("1"), "");
    let names = names(path, ".snap.new");
    insta::assert_snapshot!(
        "flow",
        format!("{}\n{}", names.join("\n"), read(path, "webrtc.audio-only.createOffer.snap.new"))
    );
    exits(path, 0, &["review", "snaps"], &"a\n".repeat(names.len()));
    let run = exits(path, 1, &flow("2"), "");
    assert!(run.stderr.contains(&format!("snapshots: {} unchanged, 0 changed, 0 new", names.len())), "{}", run.stderr);
}

/// The files are plain insta: its own tool lists, rejects and accepts them.
#[test]
fn cargo_insta_works_on_them() {
    let folder = accepted();
    let path = folder.path();
    exits(path, 1, &certify(&["--seed", "1", "--defect", "score-87"]), "");
    let waiting = names(path, ".snap.new");
    let insta = |command: &str| {
        let output = Command::new("cargo-insta")
            .args([command, "--workspace-root", "snaps"])
            .current_dir(path)
            .output()
            .expect("cargo-insta is not installed: cargo install --locked cargo-insta");
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert!(output.status.success(), "{out}{err}");
        out + &err
    };
    let listed = insta("pending-snapshots");
    assert_eq!(
        waiting.iter().filter(|name| listed.contains(&format!("{name}.snap"))).count(),
        waiting.len(),
        "{listed}"
    );
    insta("accept");
    assert_eq!(names(path, ".snap.new"), Vec::<String>::new());
    // fincert takes what it accepted for accepted.
    exits(path, 0, &["review", "snaps", "--check"], "");
    let run = exits(path, 1, &certify(&["--seed", "1", "--defect", "score-87"]), "");
    assert!(run.stderr.contains(" 0 changed, 0 new"), "{}", run.stderr);
}
