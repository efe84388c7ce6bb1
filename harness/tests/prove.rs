//! `fincert prove`: the checks catch what breaks the specification, and nothing else; and the proof itself can fail.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/in_process.rs"]
mod in_process;

use std::process::Command;

use fincert::runner::{self, Plan};
use fincert_schemas::capture::Capture;
use fincert_schemas::run::{Transcript, What};
use in_process::{certify, law, mock_header};
use serde_json::Value;

/// Runs the command; its exit code and the object that it printed.
fn prove(arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_fincert"))
        .arg("prove")
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {errors}"));
    (output.status.code().unwrap(), document)
}

#[test]
fn the_suites_are_proven() {
    let (code, proof) = prove(&[]);
    let list = |name: &str| proof[name].as_array().unwrap().len();
    assert_eq!(list("accused"), 0, "clean transcripts are accused: {:#}", proof["accused"]);
    assert_eq!(list("leaks"), 0, "captured mutants hold raw values: {:#}", proof["leaks"]);
    assert_eq!(list("requirementsWithoutMutant"), 0, "{:#}", proof["requirementsWithoutMutant"]);
    assert_eq!(list("requirementsWithWeakCheck"), 0, "{:#}", proof["requirementsWithWeakCheck"]);
    let (mutants, killed) = (proof["mutants"].as_u64().unwrap(), proof["killed"].as_u64().unwrap());
    assert!(mutants >= 20_000, "{mutants} mutants");
    assert!(killed * 100 >= mutants * 98, "{killed} of {mutants} killed; survivors: {:#}", proof["survivors"]);
    assert_eq!(proof["accusations"], 0);
    assert_eq!(killed + list("survivors") as u64, mutants);
    assert_eq!((code, &proof["proven"]), (0, &Value::Bool(true)), "{}", proof["wanting"]);
}

#[test]
fn a_check_that_is_missing_lets_mutants_survive() {
    for (filter, check, owner) in [
        ("ocr.bank-card.after-failure", "result-table", "ocr.result.error-code"),
        ("ocr.bank-card.after-failure", "callbacks", "callbacks.complete-once"),
        ("bridge.unknown-method", "bridge-unknown-method", "bridge.unknown-method-refused"),
    ] {
        let (whole, proof) = prove(&["--filter", filter]);
        assert_eq!((whole, &proof["survivors"]), (0, &Value::Array(Vec::new())), "{filter}");
        let (code, proof) = prove(&["--filter", filter, "--without", check]);
        assert_eq!(code, 1, "{check}");
        let survivors = proof["survivors"].as_array().unwrap();
        let is_owned = |survivor: &&Value| survivor["owners"].as_array().unwrap().contains(&Value::from(owner));
        assert!(survivors.iter().any(|survivor| is_owned(&survivor)), "{check}: {survivors:#?}");
        assert_eq!(proof["proven"], false);
    }
}

/// However well all the others do: a whole check less is noticed.
#[test]
fn no_check_is_lost_in_the_crowd() {
    for check in ["invalid-request", "ocr-empty-fields", "callbacks", "unreadable-picture"] {
        let (code, proof) = prove(&["--profile", "ocr", "--without", check]);
        let weak = proof["requirementsWithWeakCheck"].as_array().unwrap();
        assert!(code == 1 && !weak.is_empty(), "{check}: {} of {} killed", proof["killed"], proof["mutants"]);
    }
}

#[test]
fn two_proofs_agree_and_wrong_usage_is_told() {
    let count = |more: &[&str]| {
        let (_, mut proof) = prove(&[&["--filter", "ocr.id-card.after-failure"], more].concat());
        let object = proof.as_object_mut().unwrap();
        object.retain(|name, _| !matches!(name.as_str(), "seconds" | "judgedPerSecondOnOneCore"));
        proof
    };
    let known = count(&[]);
    assert_eq!(known, count(&[]));
    // The checks that judge no owner have no say in what is killed.
    assert_eq!(known, count(&["--every-check"]));
    for arguments in [&["--filter", "no-such-scenario"][..], &["--without", "no-such-check"], &["--profile", "no-such"]]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_fincert")).arg("prove").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

/// Times aside, which no two runs share.
fn timeless(mut transcript: Transcript) -> Transcript {
    for event in &mut transcript.events {
        event.at_us = 0;
        if let What::NoResponse { deadline_ms, .. } = &mut event.what {
            *deadline_ms = 0;
        }
    }
    transcript
}

/// Section 2 and clause 1: what a flow of WebRTC brings is new in each run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capturing_a_raw_run_gives_what_a_run_captures() {
    let fixed =
        law().suite.scenarios.iter().filter(|scenario| scenario.profile != "webrtc" && scenario.fuzz().is_none());
    let header = mock_header(fixed.map(|scenario| scenario.id.clone()).collect());
    let plan = Plan { params: law().suite.params.clone(), ..Plan::default() };
    let usual = certify(&plan, &header).await.transcripts;
    let (_, raw) = runner::run_raw(&plan, &header, law()).await.unwrap();
    // One capture for all, as in a run: what one scenario teaches is masked in the next.
    let mut capture = Capture::new(law().catalog, false);
    assert_eq!(usual.len(), raw.len());
    for (usual, raw) in usual.into_iter().zip(&raw) {
        assert_eq!(timeless(usual), timeless(capture.replay(raw)));
    }
}
