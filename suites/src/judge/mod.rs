//! Judging: transcripts in, verdicts out. Pure: no I/O, no clock, no state kept between runs.
//!
//! A check sees one transcript as a [`View`] and says of requirements that they hold or are broken. The level
//! of the requirement decides whether a broken one fails or warns, so no check holds an opinion twice.

mod accuracy;
mod again;
mod bridge;
mod callbacks;
mod causes;
mod certify;
mod coverage;
mod examiner;
mod face;
pub mod fuzz;
mod integration;
mod known;
mod liveness;
mod ocr;
mod referees;
mod requests;
mod sink;
mod tables;
mod view;
mod webrtc;

use std::collections::BTreeSet;

use fincert_schemas::Ledger;
use fincert_schemas::bridge::Hello;
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::fuzz::is_of_cases;
use fincert_schemas::run::{Decision, Finding, Judgement, Reason, RunHeader, Session, Standing, Transcript};
use indexmap::IndexMap;

use crate::{Suite, VERSION};

pub use certify::{asked, declared, outcomes_of};
pub use examiner::Examiner;
pub use referees::needs_second;
pub use sink::{Broken, Sink};
pub(crate) use view::CONTROL;
pub use view::{Call, View};
pub use webrtc::readings::Readings;

/// One check: what it looks at and which requirements it judges.
pub struct Check {
    /// Its stable name.
    pub id: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// The requirements that it judges; of the table check, see [`judged_requirements`].
    pub requirements: &'static [&'static str],
    /// The function.
    pub run: fn(&View<'_>, &mut Sink<'_>),
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Every check.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [
        integration::CHECKS,
        again::CHECKS,
        callbacks::CHECKS,
        bridge::CHECKS,
        tables::CHECKS,
        requests::CHECKS,
        ocr::CHECKS,
        face::CHECKS,
        liveness::CHECKS,
    ]
    .into_iter()
    .chain(webrtc::CHECKS.iter().copied())
    .flatten()
}

/// The requirements that some check judges, with the checks' names.
pub fn judged_requirements(catalog: &Catalog) -> IndexMap<String, Vec<&'static str>> {
    let mut judged: IndexMap<String, Vec<&'static str>> = IndexMap::new();
    for check in checks() {
        for requirement in check.requirements {
            judged.entry((*requirement).to_owned()).or_default().push(check.id);
        }
    }
    for requirement in tables::requirements(catalog) {
        judged.entry(requirement).or_default().push(tables::ID);
    }
    judged
}

/// What is judged.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// How the run was asked for.
    pub header: &'a RunHeader,
    /// The sessions.
    pub sessions: &'a [Session],
    /// The transcripts, with strays put back to their scenarios.
    pub transcripts: &'a [Transcript],
}

/// What judging leans on.
#[derive(Debug, Clone, Copy)]
pub struct Law<'a> {
    /// The requirements.
    pub ledger: &'a Ledger,
    /// The scenarios.
    pub suite: &'a Suite,
    /// The schemas.
    pub catalog: &'a Catalog,
}

/// Judges a whole run.
pub fn judge(law: Law<'_>, evidence: Evidence<'_>) -> Judgement {
    let known: BTreeSet<&str> = evidence.header.known_failing.iter().map(String::as_str).collect();
    let mut sink = Sink::new(law.ledger);
    let mut fuzz = fuzz::Tally::default();
    let mut rest = evidence.transcripts;
    while let Some((transcript, others)) = rest.split_first() {
        rest = others;
        if transcript.referee.is_some() {
            // The referees of one flow stand beside each other in the record.
            let more = others.iter().take_while(|o| o.scenario == transcript.scenario && o.referee.is_some()).count();
            let (same, others) = others.split_at(more);
            rest = others;
            let flow: Vec<_> = std::iter::once(transcript).chain(same).collect();
            referees::judge(law, evidence, &flow, &mut sink);
            continue;
        }
        // A scenario for which no session could be had is judged by what the target said before.
        let own = evidence.sessions.iter().find(|session| session.session == transcript.session);
        let Some(session) = own.or(evidence.sessions.last()) else { continue };
        let before = sink.findings().len();
        inspect(law, &session.hello, transcript, &mut sink);
        if is_of_cases(transcript) {
            fuzz.add(transcript, &sink.findings()[before..]);
            fuzz::thin(sink.findings_mut(), before);
        }
    }
    let (verdicts, findings) = sink.finish();
    let requirements = certify::requirements(law, evidence, &verdicts);
    let (certifications, _) = certify::certifications(law, evidence, &verdicts, &BTreeSet::new());
    let mut judged = Judgement {
        suites: VERSION.to_owned(),
        standing: Standing::Nothing,
        asked: certify::asked(law, evidence),
        certifications,
        requirements,
        causes: causes::group(&findings, law.ledger),
        accuracy: accuracy::of(evidence.transcripts),
        coverage: coverage::of(law.catalog, evidence.transcripts),
        fuzz: fuzz.finish(),
        unexpected_passes: known::unexpected_passes(&known, &verdicts),
        expected_failures: known::expected(&known, &verdicts),
        verdicts,
        findings,
    };
    judged.standing = standing(law, evidence, &judged);
    judged
}

/// The same judgement of a record that broke off before its own: whatever would have come after might have failed, so it
/// certifies nothing.
pub fn cut_off(mut judgement: Judgement) -> Judgement {
    for result in judgement.certifications.iter_mut().filter(|result| result.decision == Decision::Certified) {
        result.decision = Decision::NotCertified;
        result.reason = Some(Reason::Interrupted);
    }
    if judgement.standing.holds() {
        judgement.standing = Standing::NotCertified;
    }
    judgement
}

/// The findings of one transcript alone, for showing while a run goes on.
pub fn findings(law: Law<'_>, hello: &Hello, transcript: &Transcript) -> Vec<Finding> {
    let mut sink = Sink::new(law.ledger);
    inspect(law, hello, transcript, &mut sink);
    sink.finish().1
}

fn inspect(law: Law<'_>, hello: &Hello, transcript: &Transcript, sink: &mut Sink<'_>) {
    if is_of_cases(transcript) {
        return fuzz::inspect(law, hello, transcript, sink);
    }
    let view = View::new(transcript, hello, law.catalog);
    sink.begin(&transcript.scenario, hello);
    for check in checks() {
        sink.check = check.id;
        (check.run)(&view, sink);
    }
}

/// How the run as a whole stands.
fn standing(law: Law<'_>, evidence: Evidence<'_>, judged: &Judgement) -> Standing {
    if judged.asked.is_empty() {
        return Standing::Nothing;
    }
    if !judged.unexpected_passes.is_empty() {
        return Standing::UnexpectedPass;
    }
    // A filtered run leaves evidence out by choice, so it never certifies.
    if evidence.header.chosen_by().is_some() {
        return Standing::NotCertified;
    }
    let none = BTreeSet::new();
    if certify::certifications(law, evidence, &judged.verdicts, &none).1 {
        // A known failure outside what was asked for changes nothing.
        return Standing::Certified;
    }
    let known: BTreeSet<&str> = evidence.header.known_failing.iter().map(String::as_str).collect();
    match certify::certifications(law, evidence, &judged.verdicts, &known).1 {
        true => Standing::AsExpected,
        false => Standing::NotCertified,
    }
}

/// The MUSTs of a profile that no check judges; empty: the profile is offered.
pub fn unchecked(law: Law<'_>, profile: &str) -> Vec<String> {
    certify::unchecked(law, profile).into_iter().map(|missing| missing.requirement).collect()
}
