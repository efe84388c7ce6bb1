//! What is written: never over what is read, and never green for a record that was cut off, interrupted or edited.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use support::fincert;

/// Exit code, stdout and stderr.
fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = fincert(folder, arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn record(folder: &Path, arguments: &[&str]) -> Vec<String> {
    let all = [&["certify", "--profile", "face", "--seed", "1", "--record", "run.jsonl"], arguments].concat();
    let (code, _, stderr) = run(folder, &all);
    assert!(matches!(code, Some(0 | 1)), "{stderr}");
    let text = std::fs::read_to_string(folder.join("run.jsonl")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn nothing_is_written_over_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    record(path, &["--fuzz", "0"]);
    assert_eq!(run(path, &["keygen", "vendor"]).0, Some(0));
    std::fs::write(path.join("app.apk"), "an app").unwrap();
    std::fs::write(path.join("known.txt"), "").unwrap();
    std::os::unix::fs::symlink("run.jsonl", path.join("alias.html")).unwrap();
    std::fs::write(path.join("word"), "a passphrase").unwrap();
    let names = ["run.jsonl", "vendor.key", "app.apk", "known.txt", "word"];
    let read = || names.map(|name| std::fs::read(path.join(name)).unwrap());
    let before = read();
    let sign = ["sign", "run.jsonl", "--key", "vendor.key", "--subject", "app.apk", "--out"];
    for arguments in [
        [&sign[..], &["vendor.key"]].concat(),
        [&sign[..], &["./run.jsonl"]].concat(),
        [&sign[..], &["app.apk"]].concat(),
        [&sign[..], &["word", "--passphrase-file", "word"]].concat(),
        vec!["report", "run.jsonl", "--report", "html=run.jsonl"],
        vec!["report", "run.jsonl", "--report", "html=alias.html"],
        vec!["report", "run.jsonl", "--report", "html=same", "--report", "json=./same"],
        vec!["judge", "run.jsonl", "--report", "json=run.jsonl"],
        vec!["certify", "--profile", "face", "--known-failing", "known.txt", "--record", "known.txt"],
    ] {
        let (code, stdout, stderr) = run(path, &arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(stderr.contains("would overwrite") || stderr.contains("would both be written"), "{stderr}");
        assert!(read() == before, "{arguments:?}");
    }
    assert_eq!(run(path, &[&sign[..], &["certificate.jsonl"]].concat()).0, Some(0));
    // Nor over what somebody made read-only.
    let kept = path.join("kept.html");
    std::fs::write(&kept, "kept").unwrap();
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o444)).unwrap();
    let (code, _, stderr) = run(path, &["report", "run.jsonl", "--report", "html=kept.html"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("kept.html") && stderr.contains("read-only"), "{stderr}");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
}

/// The badge's and the summary's words for the record.
fn reported(folder: &Path, lines: &[String]) -> (Option<i32>, String) {
    std::fs::write(folder.join("cut.jsonl"), lines.join("\n") + "\n").unwrap();
    let (code, _, stderr) =
        run(folder, &["report", "cut.jsonl", "--report", "badge=badge.svg", "--report", "markdown=summary.md"]);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    (code, format!("{}{}{stderr}", read("badge.svg"), read("summary.md")))
}

#[test]
fn a_record_that_was_cut_off_or_edited_is_never_green() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let lines = record(path, &["--fuzz", "0"]);
    let green = "✅";
    let (code, whole) = reported(path, &lines);
    assert_eq!(code, Some(0));
    assert!(whole.contains(green), "a whole record is: {whole}");
    // A kill leaves whole lines: without the last transcript and all that followed.
    let last = lines.iter().rposition(|line| line.starts_with("{\"line\":\"transcript\"")).unwrap();
    // Without its last line everything was driven, and what might have come late is not known.
    for kept in [last, last / 2, lines.len() - 1] {
        let (code, cut) = reported(path, &lines[..kept]);
        assert_eq!(code, Some(0), "what was recorded is rendered");
        assert!(!cut.contains(green) && cut.contains("cut off"), "{cut}");
    }
    // One transcript taken out, the judgement left.
    let mut edited = lines.clone();
    edited.remove(last);
    let (code, page) = reported(path, &edited);
    assert_eq!(code, Some(4), "{page}");
    assert!(!page.contains(green) && page.contains("was edited"), "{page}");
}

/// What never ends is read so far as it may be long, and refused; so is what is not there.
#[test]
fn input_without_an_end_or_a_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("empty")).unwrap();
    std::fs::write(path.join("word"), "a passphrase\r\nand more\n").unwrap();
    assert_eq!(run(path, &["keygen", "vendor", "--passphrase-file", "word"]).0, Some(0));
    let longer = "its first line is longer than 1024 bytes";
    for (arguments, code, said) in [
        (&["report", "/dev/zero", "--report", "html=report.html"][..], 4, "line 1: longer than"),
        (&["judge", "/dev/zero"], 4, "line 1: longer than"),
        (&["verify", "/dev/zero"], 4, "no certificate is"),
        (&["sign", "run.jsonl", "--key", "/dev/zero"], 2, "no key is"),
        (&["sign", "run.jsonl", "--key", "vendor.key", "--passphrase-file", "/dev/zero"], 2, longer),
        (&["keygen", "other", "--passphrase-file", "/dev/zero"], 2, longer),
        // As far as the passphrase: it is the first line, without its end.
        (&["sign", "run.jsonl", "--key", "vendor.key", "--passphrase-file", "word"], 2, "run.jsonl: No such file"),
        (&["keygen", "missing/other"], 2, "there is no folder missing"),
        (&["certify", "--known-failing", "/dev/zero"], 2, "known failures /dev/zero: more than"),
        (&["certify", "--scenarios", "/dev/zero"], 2, "--scenarios /dev/zero: more than"),
        (&["call", "finCardOcr", "--example", "nope"], 2, "no such result of ft.finCardOcr; there are: ocr-"),
        (&["review", "/dev/zero"], 2, "no such folder"),
        (&["review", "--check", "empty"], 2, "no snapshot of fincert's"),
    ] {
        let (found, stdout, stderr) = run(path, arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {stdout}{stderr}");
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
    let mut left: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["empty", "vendor.key", "vendor.pub", "word"]);
}
