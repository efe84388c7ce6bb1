//! Certifying within the test's own process.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeSet;

use fincert::runner::{self, Plan};
use fincert_schemas::Ledger;
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::{Judgement, Outcome, RunHeader, Session, Transcript};
use fincert_suites::Suite;
use fincert_suites::judge::{self, Evidence, Law};

/// What is compiled in.
pub(crate) fn law() -> Law<'static> {
    Law {
        ledger: Ledger::embedded().unwrap(),
        suite: Suite::embedded().unwrap(),
        catalog: Catalog::embedded().unwrap(),
    }
}

/// A run and what was thought of it.
#[derive(Debug)]
pub(crate) struct Certified {
    pub(crate) sessions: Vec<Session>,
    pub(crate) transcripts: Vec<Transcript>,
    pub(crate) judgement: Judgement,
}

/// Drives the header's scenarios against the plan's target, and judges.
pub(crate) async fn certify(plan: &Plan, header: &RunHeader) -> Certified {
    let gathered =
        runner::run(plan, header, law(), &mut |_| Ok(()), &mut |_| {}, Box::pin(std::future::pending())).await.unwrap();
    let evidence = Evidence { header, sessions: &gathered.sessions, transcripts: &gathered.transcripts };
    let judgement = judge::judge(law(), evidence);
    Certified { sessions: gathered.sessions, transcripts: gathered.transcripts, judgement }
}

/// A header for the embedded mock host.
pub(crate) fn mock_header(scenarios: Vec<String>) -> RunHeader {
    RunHeader { seed: 1, target: "mock".to_owned(), mock: true, scenarios, ..RunHeader::default() }
}

/// The scenarios of a profile.
pub(crate) fn scenarios_of(profile: &str) -> Vec<String> {
    law().suite.scenarios.iter().filter(|s| s.profile == profile).map(|s| s.id.clone()).collect()
}

/// Requirements that are not simply fine.
pub(crate) fn accused(judgement: &Judgement) -> BTreeSet<(&str, Outcome)> {
    let bad = |outcome| !matches!(outcome, Outcome::Pass | Outcome::NotExercised | Outcome::NotApplicable);
    judgement.requirements.iter().filter(|r| bad(r.outcome)).map(|r| (r.requirement.as_str(), r.outcome)).collect()
}

/// What is wrong with what a defect brought about, if anything is.
pub(crate) fn complaint(defect: &fincert_mocks::Defect, judgement: &Judgement) -> Option<String> {
    let accused = accused(judgement);
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
