//! Fuzzing: every defect that generated requests can find is found and shrunk, a clean host is never accused, and what is
//! found can be driven and judged again.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/in_process.rs"]
mod in_process;
mod support;

use std::path::Path;
use std::time::Duration;

use fincert::fuzz::Fuzzing;
use fincert::runner::Plan;
use fincert_mocks::Defect;
use fincert_schemas::bridge::Integration;
use fincert_schemas::run::fuzz::FuzzFailure;
use fincert_schemas::run::{Outcome, RunHeader, What};
use fincert_suites::Suite;
use fincert_suites::scenario::{Special, Step, Unreadable, as_special};
use futures_util::{StreamExt, stream};
use in_process::{Certified, certify, law, mock_header};
use serde_json::{Value, json};
use support::{Run, fincert, record, target};

const SEED: u64 = 7;
const FUZZ: [&str; 5] = ["ocr.fuzz", "face.fuzz", "liveness.fuzz", "open-app.fuzz", "witness-video.fuzz"];

async fn fuzzed(
    defect: Option<&'static Defect>,
    scenario: &str,
    cases: u32,
    seed: u64,
    save: Option<&Path>,
) -> Certified {
    side_by_side(1, defect, scenario, cases, seed, save).await
}

/// So many cases of one call each at once.
async fn side_by_side(
    window: usize,
    defect: Option<&'static Defect>,
    scenario: &str,
    cases: u32,
    seed: u64,
    save: Option<&Path>,
) -> Certified {
    let plan = Plan {
        defect,
        states: vec![Integration::Integrated],
        params: law().suite.params.clone(),
        max_wait: Some(Duration::from_millis(1_500)),
        fuzzing: Fuzzing { asked: true, window, save: save.map(Path::to_owned), ..Fuzzing::default() },
        ..Plan::default()
    };
    let header = RunHeader {
        fuzz: cases,
        seed,
        defect: defect.map(|defect| defect.name.to_owned()),
        ..mock_header(vec![scenario.to_owned()])
    };
    certify(&plan, &header).await
}

fn failures(certified: &Certified) -> &[FuzzFailure] {
    certified.judgement.fuzz.first().map_or(&[], |summary| &summary.failures)
}

/// The calls of a saved scenario, how many of each, with what its placeholders stand for.
fn saved_calls(text: &str) -> Vec<(Value, u32)> {
    let suite = Suite::read_own([("saved".to_owned(), text)]).unwrap();
    let steps = &suite.scenarios[0].steps;
    let calls = steps.iter().flat_map(|step| match step {
        Step::Call(call) => std::slice::from_ref(call),
        Step::Concurrent(group) => &group.concurrent,
        _ => &[],
    });
    calls.map(|call| (plain(call.with.as_ref().unwrap()), call.times)).collect()
}

fn plain(value: &Value) -> Value {
    match (as_special(value), value) {
        (Some(Ok(Special::Unreadable(Unreadable::Path { path, .. }))), _) => path.into(),
        (Some(Ok(Special::Unreadable(Unreadable::Climbing(_)))), _) => "finfile://tmp/1/../card.png".into(),
        (Some(_), _) => value.clone(),
        (None, Value::Object(rows)) => Value::Object(rows.iter().map(|(k, v)| (k.clone(), plain(v))).collect()),
        (None, other) => other.clone(),
    }
}

/// What is wrong with what fuzzing makes of a defect, if anything is.
async fn complaint(defect: &'static Defect) -> Option<String> {
    let fuzzing = defect.fuzzing?;
    let folder = tempfile::tempdir().unwrap();
    let scenario = FUZZ.into_iter().find(|id| id.strip_suffix(".fuzz") == Some(defect.profile)).unwrap();
    let certified = fuzzed(Some(defect), scenario, fuzzing.within, SEED, Some(folder.path())).await;
    let wrong = |what: String| Some(format!("{}: {what}", defect.name));
    let accused = in_process::accused(&certified.judgement);
    let must = |id: &str| law().ledger.get(id).unwrap().level == fincert_schemas::Level::Must;
    if !defect.owners.iter().any(|owner| accused.iter().any(|(id, _)| id == owner)) {
        return wrong(format!("no owner is accused; accused: {accused:?}"));
    }
    for owner in defect.owners {
        let wanted = if must(owner) && !defect.alias { Outcome::Fail } else { Outcome::Warn };
        // What only certain documents show is left to the fixed scenarios.
        let seen = accused.iter().any(|(id, outcome)| id == owner && *outcome == wanted);
        if !seen && defect.owners.len() == 1 {
            return wrong(format!("{owner} is not {}; accused: {accused:?}", wanted.as_str()));
        }
    }
    for (id, outcome) in &accused {
        if !defect.owners.contains(id) && !defect.consequences.contains(id) {
            return wrong(format!("{id} is {} without cause", outcome.as_str()));
        }
    }
    let found: Vec<_> =
        failures(&certified).iter().filter(|f| accused.iter().any(|(id, _)| *id == f.requirement)).collect();
    if found.is_empty() {
        return wrong("no failure is told".to_owned());
    }
    // The plainest case is its own smallest form.
    if found.iter().any(|failure| failure.case.index == 0 && fuzzing.calls == 1) {
        return None;
    }
    let mut complaints = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let calls = saved_calls(&text);
        let count: u32 = calls.iter().map(|(_, times)| times).sum();
        match fuzzing.complaint(&calls.last().unwrap().0) {
            None if count == fuzzing.calls => return None,
            None => complaints.push(format!("{count} calls: {calls:?}")),
            Some(what) => complaints.push(format!("{what}: {calls:?}")),
        }
    }
    wrong(format!("no smallest form is {} in {} calls: {complaints:#?}; {found:#?}", fuzzing.words(), fuzzing.calls))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_defect_of_fuzzing_is_found_in_time_and_shrunk_to_what_was_stated() {
    let defects: Vec<_> = fincert_mocks::defects::all().iter().filter(|defect| defect.fuzzing.is_some()).collect();
    assert!(defects.len() >= 8);
    let complaints: Vec<String> =
        stream::iter(defects).map(complaint).buffer_unordered(3).filter_map(std::future::ready).collect().await;
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clean_host_is_never_accused() {
    for scenario in FUZZ {
        for seed in [1, 2, 3] {
            let certified = fuzzed(None, scenario, 100, seed, None).await;
            assert_eq!(certified.judgement.findings, [], "{scenario}, seed {seed}");
            let summary = &certified.judgement.fuzz[0];
            assert_eq!(summary.cases.iter().map(|count| count.count).sum::<u64>(), 100, "{scenario}");
            assert_eq!((summary.not_driven, summary.failures.as_slice()), (0, &[][..]));
        }
    }
}

/// A long run keeps all that was found and the beginning; the rest is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_run_is_bounded_and_loses_no_count() {
    let certified = fuzzed(None, "liveness.fuzz", 1_300, 5, None).await;
    assert_eq!(certified.judgement.findings, []);
    let summary = &certified.judgement.fuzz[0];
    assert_eq!(summary.cases.iter().map(|count| count.count).sum::<u64>(), 1_300);
    assert!(summary.not_kept > 100 && summary.not_kept < 300, "{}", summary.not_kept);
}

/// Cases that are under way together come to what they come to one by one, and what brings the target down is still told
/// apart from what was beside it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_side_by_side_come_to_the_same() {
    let clean = side_by_side(16, None, "ocr.fuzz", 400, 3, None).await;
    assert_eq!(clean.judgement.findings, []);
    // They were: a call begins before the one before it has been answered.
    let events = clean.transcripts.iter().flat_map(|transcript| &transcript.events);
    let shape: String = events
        .filter_map(|event| match event.what {
            What::Call { .. } => Some('c'),
            What::Answer { .. } => Some('a'),
            _ => None,
        })
        .collect();
    assert!(shape.contains("cccccccc"), "{shape}");
    for name in ["short-type-accepted", "crash-on-long-path"] {
        let defect = fincert_mocks::defects::all().iter().find(|defect| defect.name == name);
        let causes = |certified: &Certified| {
            let mut causes: Vec<_> = failures(certified)
                .iter()
                .map(|failure| (failure.requirement.clone(), failure.cause.clone(), failure.requests.clone()))
                .collect();
            causes.sort();
            causes
        };
        let one_by_one = causes(&fuzzed(defect, "ocr.fuzz", 300, 7, None).await);
        assert!(!one_by_one.is_empty(), "{name}");
        assert_eq!(causes(&side_by_side(16, defect, "ocr.fuzz", 300, 7, None).await), one_by_one, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_runs_find_the_same() {
    let defect = fincert_mocks::defects::all().iter().find(|defect| defect.name == "short-type-accepted");
    let first = fuzzed(defect, "ocr.fuzz", 200, 3, None).await.judgement;
    assert!(!first.findings.is_empty());
    assert_eq!(first, fuzzed(defect, "ocr.fuzz", 200, 3, None).await.judgement);
    assert_ne!(first.fuzz, fuzzed(defect, "ocr.fuzz", 200, 4, None).await.judgement.fuzz);
}

fn run(folder: &Path, arguments: &[&str]) -> Run {
    let mut all = vec!["certify", "--record", "run.jsonl"];
    all.extend(arguments);
    let output = fincert(folder, &all).output().unwrap();
    Run::new(&output, record(&folder.join("run.jsonl")))
}

/// A target counts calls in its own way; the thousandth is a plain one whatever came before it.
#[test]
fn the_thousandth_call_is_a_plain_one_at_every_seed() {
    let folder = tempfile::tempdir().unwrap();
    for seed in ["5", "6", "8"] {
        let fuzz = ["--filter", "ocr.fuzz", "--fuzz", "1100", "--fuzz-budget", "0", "--seed", seed];
        let found = run(folder.path(), &[&fuzz[..], &["--defect", "silent-thousandth-call"]].concat());
        assert_eq!(found.verdict("integration.answers", "ocr.fuzz"), "fail", "seed {seed}: {}", found.stdout);
    }
}

#[test]
fn what_was_found_is_driven_again_and_judged_again() {
    let folder = tempfile::tempdir().unwrap();
    let base = ["--defect", "short-type-accepted", "--integration", "integrated"];
    let first = ["--filter", "ocr.fuzz", "--fuzz", "300", "--seed", "7", "--save-cases", "cases"];
    let found = run(folder.path(), &[&base[..], &first].concat());
    assert_eq!(found.code, Some(1), "{}", found.stderr);
    let failure = &found.judgement()["fuzz"][0]["failures"][0];
    assert_eq!(failure["requirement"], "ocr.request.type", "{}", found.stdout);
    assert!(failure["case"]["smallest"].as_bool().unwrap());
    assert!(found.stdout.contains("--fuzz-case"), "{}", found.stdout);

    let judged = fincert(folder.path(), &["judge", "run.jsonl"]).output().unwrap();
    assert_eq!(judged.status.code(), Some(1), "{}", String::from_utf8_lossy(&judged.stderr));
    assert!(!String::from_utf8_lossy(&judged.stderr).contains("edited"));

    let index = failure["case"]["index"].to_string();
    let again =
        run(folder.path(), &[&base[..], &["--filter", "ocr.fuzz", "--seed", "7", "--fuzz-case", &index]].concat());
    assert_eq!(again.judgement()["fuzz"][0]["failures"][0]["case"]["index"], failure["case"]["index"]);

    let saved = std::fs::read_dir(folder.path().join("cases")).unwrap().next().unwrap().unwrap().path();
    let saved = saved.to_str().unwrap();
    let red = run(folder.path(), &[&base[..], &["--scenarios", saved]].concat());
    assert_eq!(red.code, Some(1), "{}", red.stderr);
    let id = red.lines("transcript")[0]["scenario"].as_str().unwrap().to_owned();
    assert_eq!(red.verdict("ocr.request.type", &id), "fail");
    // The record carries what judging must know, and the request's words only as the transcript masks them.
    let judged = fincert(folder.path(), &["judge", "run.jsonl"]).output().unwrap();
    assert_eq!(judged.status.code(), Some(1), "{}", String::from_utf8_lossy(&judged.stderr));
    assert!(String::from_utf8_lossy(&judged.stdout).contains(&id));
    let clean = run(folder.path(), &["--integration", "integrated", "--scenarios", saved]);
    assert_eq!(clean.verdict("ocr.request.type", &id), "pass");
    // A choice of evidence never certifies.
    assert_eq!(clean.code, Some(1));
}

#[test]
fn without_fuzzing_no_case_is_driven() {
    let folder = tempfile::tempdir().unwrap();
    let filter = ["--filter", "liveness.*", "--integration", "integrated"];
    let off = run(folder.path(), &[&filter[..], &["--fuzz", "0"]].concat());
    assert_eq!(off.judgement().get("fuzz"), None);
    assert!(off.lines("transcript").iter().all(|line| line["scenario"] != "liveness.fuzz"));
    let on = run(folder.path(), &filter);
    assert_eq!(on.judgement()["fuzz"][0]["scenario"], "liveness.fuzz");
}

/// The case that kills is kept and shrunk, and the target is started again for the next.
#[test]
fn a_target_that_dies_is_started_again_and_its_killer_kept() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("stdio:/usr/bin/python3 '{}'", target("fragile.py").display());
    let arguments = ["--target", &target, "--profile", "ocr:BankCard", "--filter", "ocr.fuzz", "--fuzz", "350"];
    let died = run(folder.path(), &[&arguments[..], &["--seed", "7", "--save-cases", "cases"]].concat());
    assert_eq!(died.code, Some(1), "{}", died.stderr);
    let summary = &died.judgement()["fuzz"][0];
    let driven: u64 = summary["cases"].as_array().unwrap().iter().map(|count| count["count"].as_u64().unwrap()).sum();
    assert_eq!((driven, &summary["not_driven"]), (350, &json!(0)), "{}", died.stdout);
    let failures = summary["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert_eq!(failures[0]["requirement"], "integration.invalid-request-answered");
    assert_eq!(failures[0]["cause"], "target:target-exited");
    assert!(died.lines("session").len() > 2);
    let saved = std::fs::read_dir(folder.path().join("cases")).unwrap().next().unwrap().unwrap().path();
    let calls = saved_calls(&std::fs::read_to_string(saved).unwrap());
    // It dies of paths of more than 200 characters.
    assert_eq!(calls[0].0["imagePath"].as_str().unwrap().chars().count(), 201);
    assert_eq!(calls.len(), 1);
}

/// A target that answers wrongly once cannot be made to do so again, and that is said.
#[test]
fn what_does_not_come_again_is_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("stdio:/usr/bin/python3 '{}' once done", target("fragile.py").display());
    let arguments = ["--target", &target, "--profile", "ocr:BankCard", "--filter", "ocr.fuzz", "--fuzz", "60"];
    let flaky = run(folder.path(), &[&arguments[..], &["--seed", "7"]].concat());
    let failures = flaky.judgement()["fuzz"][0]["failures"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert_eq!(failures[0]["shrunk"]["again"], false);
    assert!(flaky.stdout.contains("did not come again"), "{}", flaky.stdout);
}
