//! Every defect of the mock host is caught by the requirements that it breaks, and accuses nobody else.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use fincert::runner::{self, Plan};
use fincert::target::Target;
use fincert_mocks::Defect;
use fincert_schemas::Ledger;
use fincert_schemas::bridge::Integration;
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::{CAPTURE_VERSION, Judgement, Outcome, RECORD_VERSION, RunHeader, Standing};
use fincert_suites::Suite;
use fincert_suites::judge::{self, Evidence, Law};
use futures_util::{StreamExt, stream};

fn law() -> Law<'static> {
    Law {
        ledger: Ledger::embedded().unwrap(),
        suite: Suite::embedded().unwrap(),
        catalog: Catalog::embedded().unwrap(),
    }
}

/// `./test --full` drives every scenario against every defect, else those of the defect's profile and clause 1.
fn chosen(defect: &Defect) -> Vec<String> {
    let full = std::env::var_os("FINCERT_FULL").is_some() || defect.profile == "every";
    let mine = |profile: &str| full || profile == defect.profile || profile == "integration";
    law().suite.scenarios.iter().filter(|s| mine(&s.profile)).map(|s| s.id.clone()).collect()
}

async fn certify(defect: Option<&'static Defect>, scenarios: Vec<String>) -> Judgement {
    let states = match defect.and_then(|defect| defect.integration) {
        Some(state) => vec![state],
        None => vec![Integration::Integrated],
    };
    let plan = Plan {
        target: Target::Mock,
        defect,
        states,
        unattended: false,
        reveal: false,
        params: law().suite.params.clone(),
        min_wait: None,
        max_wait: Some(Duration::from_millis(1_500)),
    };
    let header = RunHeader {
        record: RECORD_VERSION,
        capture: CAPTURE_VERSION,
        fincert: "test".to_owned(),
        seed: 1,
        began: String::new(),
        target: "mock".to_owned(),
        mock: true,
        defect: defect.map(|defect| defect.name.to_owned()),
        profiles: Vec::new(),
        filter: None,
        options: Vec::new(),
        set: Vec::new(),
        revealed: false,
        scenarios,
        known_failing: Vec::new(),
    };
    let gathered =
        runner::run(&plan, &header, law().suite, law().catalog, &mut |_| Ok(()), &mut |_| {}, std::future::pending())
            .await
            .unwrap();
    let evidence = Evidence { header: &header, sessions: &gathered.sessions, transcripts: &gathered.transcripts };
    judge::judge(law(), evidence)
}

/// Requirements that are not simply fine.
fn accused(judgement: &Judgement) -> BTreeSet<(&str, Outcome)> {
    let bad = |outcome| !matches!(outcome, Outcome::Pass | Outcome::NotExercised | Outcome::NotApplicable);
    judgement.requirements.iter().filter(|r| bad(r.outcome)).map(|r| (r.requirement.as_str(), r.outcome)).collect()
}

async fn complaint(defect: &'static Defect) -> Option<String> {
    let judgement = certify(Some(defect), chosen(defect)).await;
    let accused = accused(&judgement);
    let mut wrong = Vec::new();
    for owner in defect.owners {
        let must = law().ledger.get(owner).unwrap().level == fincert_schemas::Level::Must;
        let wanted = if must && !defect.alias { Outcome::Fail } else { Outcome::Warn };
        if !accused.contains(&(owner, wanted)) {
            wrong.push(format!("{owner} is not {}", wanted.as_str()));
        }
    }
    for (requirement, outcome) in &accused {
        if !defect.owners.contains(requirement) && !defect.consequences.contains(requirement) {
            wrong.push(format!("{requirement} is {} without cause", outcome.as_str()));
        }
    }
    (!wrong.is_empty()).then(|| format!("{}: {}", defect.name, wrong.join("; ")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_defect_is_caught_by_its_owners_and_accuses_nobody_else() {
    let defects = fincert_mocks::defects::all();
    assert!(defects.len() >= 60);
    let complaints: Vec<String> =
        stream::iter(defects).map(complaint).buffer_unordered(6).filter_map(std::future::ready).collect().await;
    assert!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), defects.len(), complaints.join("\n"));
}

/// With the same choice of scenarios the clean host is green, so that a defect is all that can turn it red.
#[tokio::test]
async fn the_clean_host_is_all_green() {
    let all = law().suite.scenarios.iter().map(|s| s.id.clone()).collect();
    let judgement = certify(None, all).await;
    assert_eq!(accused(&judgement), BTreeSet::new());
    assert_eq!(judgement.standing, Standing::Certified);
    assert_eq!(judgement.findings, []);
}
