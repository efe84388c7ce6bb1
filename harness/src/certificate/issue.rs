//! Drawing up: a record is judged again, and what it proves becomes a statement.

use std::collections::BTreeSet;

use fincert_schemas::bridge::Hello;
use fincert_schemas::digest;
use fincert_schemas::run::{Certification, Decision, Judgement, Outcome};
use fincert_suites::judge::{self, Evidence, Law};
use fincert_suites::known_failing;
use jiff::Timestamp;

use super::VERSION;
use super::statement::{Certified, Claim, Resource, Statement, Subject, TestResult};
use crate::record::Record;

/// The names that fincert gives to what it binds itself.
const OWN: [&str; 2] = ["run-record", "hello"];
/// What fincert's own mock host calls itself. Who reaches one over a socket has certified it all the same.
const MOCK_NAME: &str = "fincert-mock";

/// What is wanted of a certificate.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The profiles and capabilities to certify; empty: all that the run was asked for.
    pub names: Vec<String>,
    /// The vendor's own files, by name and digest.
    pub subjects: Vec<Subject>,
    /// From when on it is valid.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// Why a record gives no certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The record does not hold: it was cut or edited.
    #[error("{0}")]
    DoesNotHold(String),
    /// It holds, and does not certify.
    #[error("{0}")]
    NotCertified(String),
    /// What was asked for makes no sense.
    #[error("{0}")]
    Wrong(String),
}

/// The statement that a record supports. `judged` is what the suites of `law` find in it today.
pub fn draft(
    law: Law<'_>,
    record: &Record,
    judged: &Judgement,
    terms: &Terms,
) -> Result<Statement<TestResult>, Refusal> {
    let recorded = whole(law, record)?;
    let evidence = Evidence { header: &record.header, sessions: &record.sessions, transcripts: &record.transcripts };
    if recorded.suites == judged.suites && recorded != judged {
        return Err(Refusal::DoesNotHold(format!(
            "the judgement in the record is not what these suites (version {}) find in it: the record was edited",
            judged.suites
        )));
    }
    let hello = target(record)?;
    let names = if terms.names.is_empty() { judged.asked.clone() } else { terms.names.clone() };
    if names.is_empty() {
        return Err(Refusal::NotCertified("the run was asked to certify nothing".to_owned()));
    }
    let mut certified = Vec::new();
    for name in &names {
        let met = decided(judged, name)?;
        // Newer suites may certify what was refused at the time; a certificate needs both.
        decided(recorded, name)?;
        certified.push(Certified { name: name.clone(), must: met.must, warnings: met.warnings });
    }
    let (passed, warned) = tests(law, evidence, judged, &names);
    let known = &record.header.known_failing;
    let predicate = TestResult {
        result: if warned.is_empty() { "PASSED" } else { "WARNED" }.to_owned(),
        configuration: vec![
            Resource::new("specification", digest::specification()),
            Resource::new("requirements", digest::requirements()),
            Resource::new("schemas", digest::schemas()),
            Resource::new("suites", fincert_suites::DIGEST),
            Resource::new("known-failures", digest::sha256(known_failing::write(known).as_bytes())),
        ],
        passed_tests: passed,
        warned_tests: warned,
        failed_tests: Vec::new(),
        fincert: Claim {
            certificate: VERSION,
            fincert: env!("CARGO_PKG_VERSION").to_owned(),
            suites: judged.suites.clone(),
            target: hello.clone(),
            mock: record.header.mock || record.sessions.iter().any(|session| session.hello.name == MOCK_NAME),
            defect: record.header.defect.clone(),
            began: record.header.began.clone(),
            certified,
            known_failures: known.clone(),
            not_before: written(terms.not_before),
            not_after: written(terms.not_after),
        },
    };
    Ok(Statement::new(subjects(record, &terms.subjects)?, predicate))
}

fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A record that nothing was left out of, by choice or by accident; its judgement.
fn whole<'r>(law: Law<'_>, record: &'r Record) -> Result<&'r Judgement, Refusal> {
    let Some(recorded) = &record.judgement else {
        return Err(Refusal::DoesNotHold(
            "the record was cut off before its judgement: it certifies nothing".to_owned(),
        ));
    };
    if let Some(filter) = &record.header.filter {
        return Err(Refusal::NotCertified(format!(
            "the run was filtered (--filter {filter:?}): what was left out may be what fails; drive it without the filter"
        )));
    }
    if !record.header.own.is_empty() {
        return Err(Refusal::NotCertified("the run has scenarios of the operator's own (--scenarios)".to_owned()));
    }
    let driven: BTreeSet<&str> = record.transcripts.iter().map(|transcript| transcript.scenario.as_str()).collect();
    let missing = record.header.scenarios.iter().find(|id| {
        // A scenario for states that the embedded mock host did not show was never due.
        let due = |scenario: &fincert_suites::Scenario| {
            record.sessions.iter().any(|session| scenario.integration.contains(&session.hello.integration))
        };
        !driven.contains(id.as_str()) && law.suite.get(id).is_none_or(due)
    });
    if let Some(missing) = missing {
        return Err(Refusal::DoesNotHold(format!(
            "the run was interrupted: it never came to {missing}; drive it again to the end"
        )));
    }
    Ok(recorded)
}

/// Who the target is. One that changes its name or version in the middle is no one target.
fn target(record: &Record) -> Result<&Hello, Refusal> {
    let Some(first) = record.sessions.first() else {
        return Err(Refusal::NotCertified("the target was never reached".to_owned()));
    };
    let who = |hello: &Hello| (hello.name.clone(), hello.version.clone(), hello.platform.clone());
    if let Some(other) = record.sessions.iter().find(|session| who(&session.hello) != who(&first.hello)) {
        return Err(Refusal::NotCertified(format!(
            "session {} is another target than session {}: name, version or platform differ",
            other.session, first.session
        )));
    }
    Ok(&first.hello)
}

fn decided<'j>(judged: &'j Judgement, name: &str) -> Result<&'j Certification, Refusal> {
    let Some(found) = judged.certifications.iter().find(|one| one.name == name) else {
        return Err(Refusal::Wrong(format!(
            "no such profile or capability: {name}; `fincert list profiles` names them"
        )));
    };
    let why = match found.decision {
        Decision::Certified => return Ok(found),
        Decision::NotAsked => "the run was not asked to certify it".to_owned(),
        Decision::NotOffered => "fincert does not offer it yet".to_owned(),
        Decision::NotCertified => {
            let first: Vec<String> = found
                .missing
                .iter()
                .take(3)
                .map(|missing| format!("{} is {}", missing.requirement, missing.outcome.as_str()))
                .collect();
            let more = if found.missing.len() > 3 { ", …" } else { "" };
            format!("{} of its {} MUSTs are not met: {}{more}", found.missing.len(), found.must, first.join(", "))
        }
    };
    Err(Refusal::NotCertified(format!("{name} is not certified by suites {}: {why}", judged.suites)))
}

/// What passed and what warned, as `PROFILE/REQUIREMENT`. A capability whose profile is named, too, adds nothing.
fn tests(law: Law<'_>, evidence: Evidence<'_>, judged: &Judgement, names: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut passed, mut warned) = (Vec::new(), Vec::new());
    for name in names {
        if name.split_once(':').is_some_and(|(profile, _)| names.iter().any(|other| other == profile)) {
            continue;
        }
        for (requirement, outcome) in judge::outcomes_of(law, evidence, &judged.verdicts, name) {
            let test = format!("{name}/{}", requirement.id);
            match outcome {
                Outcome::Pass => passed.push(test),
                Outcome::Warn => warned.push(test),
                _ => {}
            }
        }
    }
    (passed, warned)
}

fn subjects(record: &Record, files: &[Subject]) -> Result<Vec<Subject>, Refusal> {
    let hellos: Vec<&Hello> = record.sessions.iter().map(|session| &session.hello).collect();
    let hellos = serde_json::to_vec(&hellos).map_err(|error| Refusal::DoesNotHold(error.to_string()))?;
    let mut all = vec![Subject::new(OWN[0], &record.sha256), Subject::new(OWN[1], digest::sha256(&hellos))];
    for file in files {
        if all.iter().any(|other| other.name == file.name) {
            return Err(Refusal::Wrong(format!("--subject: two subjects are called {}; rename one", file.name)));
        }
        all.push(file.clone());
    }
    Ok(all)
}
