//! Generated cases: each is judged by itself, as if it were a scenario of its own, so that no check compares what
//! belongs to different cases. Then the failures are told apart.

use std::collections::{BTreeMap, HashMap};

use fincert_schemas::bridge::Hello;
use fincert_schemas::run::fuzz::{
    CASES_NOT_DRIVEN, CASES_NOT_KEPT, Case, CaseCount, CaseKind, FuzzFailure, FuzzSummary, Shrunk, is_of_cases,
};
use fincert_schemas::run::{Ended, Finding, Transcript, What};
use indexmap::IndexMap;

use super::{Law, Sink, View, again, checks};

/// How many findings of one kind a judgement keeps of one transcript; the rest is counted.
const KEPT_FINDINGS: usize = 2;
/// How many failures are told apart at one API.
const KEPT_FAILURES: usize = 64;
/// What cannot but come with every refusal is no finding of a case that is refused.
const OF_EVERY_REFUSAL: [&str; 2] = ["callbacks", "err-msg"];

/// Whether a finding comes with every refusal, whatever was refused.
pub fn is_of_every_refusal(finding: &Finding) -> bool {
    OF_EVERY_REFUSAL.contains(&finding.check.as_str())
}

/// One case and what belongs to it.
struct Piece<'a> {
    case: &'a Case,
    transcript: Transcript,
}

/// Sorts a transcript by case. What comes to a call goes to the call's case, however late; what belongs to no call goes to
/// the case that was at hand.
fn pieces(transcript: &Transcript) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let mut owner: HashMap<u64, usize> = HashMap::new();
    for event in &transcript.events {
        if let What::Case(case) = &event.what {
            let events = Vec::new();
            let (scenario, session) = (transcript.scenario.clone(), transcript.session);
            let own = Transcript { scenario, session, referee: None, events, ended: Ended::Driven };
            pieces.push(Piece { case, transcript: own });
            continue;
        }
        let Some(last) = pieces.len().checked_sub(1) else { continue };
        let place = match &event.what {
            What::Call { id, .. } => {
                owner.insert(*id, last);
                last
            }
            What::Answer { id, .. }
            | What::Refused { id, .. }
            | What::Callback { id, .. }
            | What::NoResponse { id, .. } => owner.get(id).copied().unwrap_or(last),
            _ => last,
        };
        pieces[place].transcript.events.push(event.clone());
    }
    if let Some(last) = pieces.last_mut() {
        last.transcript.ended.clone_from(&transcript.ended);
    }
    pieces
}

/// Judges a transcript of generated cases.
pub(super) fn inspect(law: Law<'_>, hello: &Hello, transcript: &Transcript, sink: &mut Sink<'_>) {
    let pieces = pieces(transcript);
    let views: Vec<_> = pieces
        .iter()
        .map(|piece| (piece.case, View::of_case(&piece.transcript, piece.case, hello, law.catalog)))
        .collect();
    sink.begin(&transcript.scenario, hello);
    for (case, view) in &views {
        sink.case = Some(case.index);
        for check in checks() {
            sink.check = check.id;
            (check.run)(view, sink);
        }
    }
    // What succeeded in one case is expected to go on in the next; the smallest forms were driven elsewhere.
    sink.check = again::ID;
    let controls = views
        .iter()
        .filter(|(case, _)| !case.smallest)
        .flat_map(|(case, view)| view.calls.iter().map(|call| (Some(case.index), call)));
    again::across(controls, sink);
    sink.case = None;
}

/// Gathers what fuzzing came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    scenarios: IndexMap<String, Of>,
}

/// What fuzzing one API came to.
#[derive(Debug, Default)]
struct Of {
    cases: BTreeMap<CaseKind, u64>,
    not_kept: u64,
    not_driven: u64,
    /// Causes that the plainest calls show.
    ordinary: Vec<String>,
    failures: IndexMap<(String, String), FuzzFailure>,
    /// In how many cases each cause was seen.
    seen: HashMap<String, u64>,
}

impl Tally {
    /// Adds a transcript and what was found in it.
    pub(super) fn add(&mut self, transcript: &Transcript, findings: &[Finding]) {
        if !is_of_cases(transcript) {
            return;
        }
        let of = self.scenarios.entry(transcript.scenario.clone()).or_default();
        let mut shrunk: Option<&Shrunk> = None;
        for event in &transcript.events {
            match &event.what {
                What::Case(case) if !case.smallest => *of.cases.entry(case.kind).or_default() += 1,
                What::Omitted { what, count } if what == CASES_NOT_DRIVEN => of.not_driven += count,
                What::Omitted { what, count } => {
                    let kind = CaseKind::ALL
                        .iter()
                        .find(|kind| what.strip_prefix(CASES_NOT_KEPT) == Some(&format!(":{}", kind.as_str())));
                    if let Some(kind) = kind {
                        *of.cases.entry(*kind).or_default() += count;
                        of.not_kept += count;
                    }
                }
                What::Shrunk(said) => shrunk = Some(said),
                _ => {}
            }
        }
        of.learn(transcript, findings);
        let requests = requests(transcript);
        let mut last = None;
        for finding in findings {
            let Some((case, calls)) = finding.case.and_then(|index| requests.get(&index)) else { continue };
            if last.replace((&finding.cause, finding.case)) != Some((&finding.cause, finding.case)) && !case.smallest {
                *of.seen.entry(finding.cause.clone()).or_default() += 1;
            }
            let mine = shrunk.filter(|said| said.case == case.index && said.cause == finding.cause);
            // The plainest case shows it best; and of a smallest form only what it was shrunk for is told.
            let plainest = case.index <= 1 || !of.ordinary.contains(&finding.cause);
            if plainest && (mine.is_some() || !case.smallest) {
                of.file(finding, case, calls, mine);
            }
        }
        // What did not come again has no smallest form; that is said of the case itself.
        if let Some(said) = shrunk.filter(|said| !said.again) {
            for failure in of.failures.values_mut().filter(|f| f.cause == said.cause && f.case.index == said.case) {
                failure.shrunk = Some(said.clone());
            }
        }
    }

    /// What it all came to.
    pub(super) fn finish(self) -> Vec<FuzzSummary> {
        let summary = |(scenario, of): (String, Of)| {
            let mut failures: Vec<_> = of.failures.into_values().collect();
            // Where some smallest form is known, what was not shrunk is the same failure seen again.
            let known: Vec<String> =
                failures.iter().filter(|f| f.case.smallest).map(|failure| failure.cause.clone()).collect();
            failures.retain(|failure| failure.case.smallest || !known.contains(&failure.cause));
            for failure in &mut failures {
                failure.seen = of.seen.get(&failure.cause).copied().unwrap_or(1).max(1);
            }
            failures.sort_by_key(|failure| std::cmp::Reverse(failure.outcome));
            let cases = of.cases.into_iter().map(|(kind, count)| CaseCount { kind, count }).collect();
            FuzzSummary { scenario, cases, not_kept: of.not_kept, not_driven: of.not_driven, failures }
        };
        self.scenarios.into_iter().map(summary).collect()
    }
}

impl Of {
    /// The first case is the plainest valid call, the second the plainest one that must be refused. What they show, the
    /// fixed scenarios show as well, and no case is to blame.
    fn learn(&mut self, transcript: &Transcript, findings: &[Finding]) {
        let smallest = transcript.events.iter().any(|event| matches!(&event.what, What::Case(case) if case.smallest));
        if smallest {
            return;
        }
        for finding in findings {
            let plain = match finding.case {
                Some(0) => true,
                Some(1) => is_of_every_refusal(finding),
                _ => false,
            };
            if plain && !self.ordinary.contains(&finding.cause) {
                self.ordinary.push(finding.cause.clone());
            }
        }
    }

    fn file(&mut self, finding: &Finding, case: &Case, calls: &[String], shrunk: Option<&Shrunk>) {
        let class = match shrunk.filter(|_| case.smallest) {
            Some(said) => format!("smallest:{}", said.class),
            None => class(case),
        };
        let key = (finding.cause.clone(), class);
        if let Some(before) = self.failures.get_mut(&key) {
            if finding.outcome > before.outcome {
                before.outcome = finding.outcome;
                before.requirement.clone_from(&finding.requirement);
            }
            return;
        }
        if self.failures.len() >= KEPT_FAILURES {
            return;
        }
        let failure = FuzzFailure {
            requirement: finding.requirement.clone(),
            outcome: finding.outcome,
            cause: finding.cause.clone(),
            at: finding.at.clone(),
            actual: finding.actual.clone(),
            case: case.clone(),
            requests: calls.to_vec(),
            shrunk: shrunk.cloned(),
            seen: 1,
        };
        self.failures.insert(key, failure);
    }
}

/// What a case tries, as far as failures are told apart by it before they are shrunk.
pub fn class(case: &Case) -> String {
    let mut class = case.kind.as_str().to_owned();
    for part in case.rule.iter().chain(case.place.iter()).chain(&case.hostile) {
        class.push(' ');
        class.push_str(part);
    }
    class
}

/// The calls of each case, masked, in a line each; those of the smallest form where the transcript has one.
fn requests(transcript: &Transcript) -> HashMap<u32, (Case, Vec<String>)> {
    let mut all: HashMap<u32, (Case, Vec<String>)> = HashMap::new();
    let mut at_hand = None;
    for event in &transcript.events {
        match &event.what {
            What::Case(case) => {
                at_hand = Some(case.index);
                all.insert(case.index, (case.clone(), Vec::new()));
            }
            What::Call { method, request, .. } => {
                if let Some((_, calls)) = at_hand.and_then(|index| all.get_mut(&index)) {
                    calls.push(line(method, request));
                }
            }
            _ => {}
        }
    }
    all
}

fn line(method: &str, request: &fincert_schemas::run::Captured) -> String {
    format!("{method} {}", request.value)
}

/// Drops findings of a fuzz transcript that say nothing new.
pub(super) fn thin(findings: &mut Vec<Finding>, from: usize) {
    let mut kept: HashMap<(String, String), usize> = HashMap::new();
    let new = findings.split_off(from);
    findings.extend(new.into_iter().filter(|finding| {
        let count = kept.entry((finding.requirement.clone(), finding.cause.clone())).or_default();
        *count += 1;
        *count <= KEPT_FINDINGS
    }));
}
