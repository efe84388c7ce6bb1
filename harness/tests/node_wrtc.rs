//! npm's @roamhq/wrtc (libwebrtc in Node) through the same JavaScript: what it is known to fail is in a list, and the
//! list is strict.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use support::{Run, fincert, record};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn known() -> PathBuf {
    root().join("suites/known-failing/roamhq-wrtc.txt")
}

fn certify(folder: &Path, list: &Path, more: &[&str]) -> Run {
    let program = root().join("harness/agent/node/node.mjs");
    assert!(
        root().join("harness/agent/node/node_modules/@roamhq").is_dir(),
        "npm ci --prefix harness/agent/node was not run; ./test does it"
    );
    let target = format!("stdio:node {}", program.display());
    let list = list.display().to_string();
    let mut arguments = vec!["certify", "--target", &target, "--seed", "1", "--known-failing", &list];
    arguments.extend(["--record", "run.jsonl"]);
    arguments.extend(more);
    let output = fincert(folder, &arguments).output().unwrap();
    Run::new(&output, record(&folder.join("run.jsonl")))
}

#[test]
fn it_fails_exactly_as_the_list_says() {
    let folder = tempfile::tempdir().unwrap();
    let run = certify(folder.path(), &known(), &["--profile", "webrtc"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    assert_eq!(run.judgement()["standing"], "as-expected", "{}", run.stdout);
    assert!(run.stdout.contains("not certified, as expected"), "{}", run.stdout);
}

/// An entry that passes is red, so that the list cannot outlive its reason.
#[test]
fn an_entry_that_passes_is_red() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "webrtc.media-devices.enumerate-devices @ webrtc.devices\n").unwrap();
    let run = certify(folder.path(), &list, &["--filter", "webrtc.devices"]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert_eq!(run.judgement()["standing"], "unexpected-pass", "{}", run.stdout);
}
