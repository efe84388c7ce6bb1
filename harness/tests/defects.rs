//! Every defect of the mock host is caught by the requirements that it breaks, and accuses nobody else.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/in_process.rs"]
mod in_process;

use std::collections::BTreeSet;
use std::time::Duration;

use fincert::runner::Plan;
use fincert_mocks::Defect;
use fincert_mocks::defects::FoundBy;
use fincert_schemas::bridge::Integration;
use fincert_schemas::run::{Judgement, RunHeader, Standing};
use futures_util::{StreamExt, stream};
use in_process::{accused, certify, complaint, law, mock_header};

/// The profile whose defects have a test of their own: each takes seconds.
const WEBRTC: &str = "webrtc";

/// `./test --full` drives every scenario against every defect, else those of the defect's profile and clause 1.
fn chosen(defect: &Defect) -> Vec<String> {
    let full = std::env::var_os("FINCERT_FULL").is_some() || defect.profile == "every";
    let mine = |profile: &str| profile != WEBRTC && (full || profile == defect.profile || profile == "integration");
    law().suite.scenarios.iter().filter(|s| mine(&s.profile)).map(|s| s.id.clone()).collect()
}

async fn judged(defect: Option<&'static Defect>, scenarios: Vec<String>) -> Judgement {
    let states = match defect.and_then(|defect| defect.integration) {
        Some(state) => vec![state],
        None => vec![Integration::Integrated],
    };
    let plan = Plan {
        defect,
        states,
        params: law().suite.params.clone(),
        max_wait: Some(Duration::from_millis(1_500)),
        ..Plan::default()
    };
    let header = RunHeader { defect: defect.map(|defect| defect.name.to_owned()), ..mock_header(scenarios) };
    certify(&plan, &header).await.judgement
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_defect_is_caught_by_its_owners_and_accuses_nobody_else() {
    // What no scenario shows is left to fuzzing.
    let shown = |defect: &&Defect| defect.profile != WEBRTC && defect.found_by != FoundBy::Fuzz;
    let defects: Vec<_> = fincert_mocks::defects::all().iter().filter(shown).collect();
    assert!(defects.len() >= 60);
    let complaints: Vec<String> = stream::iter(defects.iter().copied())
        .map(|defect| async move { complaint(defect, &judged(Some(defect), chosen(defect)).await) })
        .buffer_unordered(6)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), defects.len(), complaints.join("\n"));
}

/// With the same choice of scenarios the clean host is green, so that a defect is all that can turn it red.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clean_host_is_all_green() {
    let all = law().suite.scenarios.iter().map(|s| s.id.clone()).collect();
    let judgement = judged(None, all).await;
    assert_eq!(judgement.findings, []);
    assert_eq!(accused(&judgement), BTreeSet::new());
    assert_eq!(judgement.standing, Standing::Certified);
}
