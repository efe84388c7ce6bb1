//! The work itself: each core takes a piece of one transcript's mutants, until none is left.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fincert_schemas::capture::Capture;
use fincert_schemas::run::{Outcome, Transcript};
use fincert_suites::judge::{Examiner, Law, Readings};
use fincert_suites::mutate::{self, Clean, Donors, Mutant};

use super::matrix::Matrix;
use super::{Order, Proof, leak};

/// How many mutants a core takes at a time.
const PIECE: usize = 64;

/// A mutant, told without its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specimen {
    /// Its name: session, scenario, event, operator, place and rule.
    pub id: String,
    /// The requirements whose sentence it breaks.
    pub owners: Vec<String>,
    /// What its owners showed instead.
    pub why: String,
}

/// A mutant that no owner noticed.
pub type Survivor = Specimen;

/// Something that was found in a clean transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accusation {
    /// The scenario.
    pub scenario: String,
    /// The requirement.
    pub requirement: String,
    /// The verdict on it.
    pub outcome: Outcome,
    /// What was there.
    pub actual: String,
}

/// A captured mutant that held a raw sensitive value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The mutant.
    pub id: String,
}

/// The name of a mutant.
pub(super) fn name(clean: &Transcript, mutant: &Mutant) -> String {
    let referee = clean.referee.map(|referee| format!("@{}", referee.as_str())).unwrap_or_default();
    format!(
        "{}/{}{referee}:{}:{}:{}:{}",
        clean.session,
        clean.scenario,
        mutant.event,
        mutant.operator.as_str(),
        mutant.at,
        mutant.rule
    )
}

/// One transcript with its mutants.
struct Flock<'a> {
    clean: Clean<'a>,
    captured: Transcript,
    mutants: Vec<Mutant>,
    secrets: Vec<String>,
}

/// Proves all transcripts.
pub(super) fn all(law: Law<'_>, order: &Order, clean: &[Clean<'_>], donors: &Donors, threads: usize) -> Proof {
    let base = Capture::new(law.catalog, false);
    let flocks: Vec<Flock<'_>> = clean
        .iter()
        .map(|clean| Flock {
            clean: *clean,
            captured: base.clone().replay(clean.raw),
            mutants: mutate::mutants(law, *clean, donors),
            secrets: leak::secrets(clean.raw.uncaptured()),
        })
        .collect();
    let pieces: Vec<(usize, usize)> = flocks
        .iter()
        .enumerate()
        .flat_map(|(index, flock)| (0..flock.mutants.len().max(1)).step_by(PIECE).map(move |from| (index, from)))
        .collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Part)>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut examiner = Examiner::new(law);
                if let Some(check) = &order.without {
                    examiner = examiner.without(check);
                }
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((index, from)) = pieces.get(number) else { break };
                    let part = piece(law, &flocks[*index], *from, &base, &mut examiner, order.every_check);
                    if let Ok(mut done) = done.lock() {
                        done.push((number, part));
                    }
                }
            });
        }
    });
    let mut parts = done.into_inner().unwrap_or_default();
    parts.sort_by_key(|(number, _)| *number);
    let mut proof = Proof::default();
    for (_, part) in parts {
        proof.matrix.join(part.matrix);
        proof.survivors.extend(part.survivors);
        proof.accusations.extend(part.accusations);
        proof.leaks.extend(part.leaks);
        proof.capture += part.capture;
        proof.judge += part.judge;
    }
    proof.total = proof.matrix.total();
    proof
}

/// What a piece of the work gave.
#[derive(Default)]
struct Part {
    matrix: Matrix,
    survivors: Vec<Survivor>,
    accusations: Vec<Accusation>,
    leaks: Vec<Leak>,
    capture: Duration,
    judge: Duration,
}

fn piece(
    law: Law<'_>,
    flock: &Flock<'_>,
    from: usize,
    base: &Capture<'_>,
    examiner: &mut Examiner<'_>,
    every_check: bool,
) -> Part {
    let mut part = Part::default();
    let raw = flock.clean.raw.uncaptured();
    if from == 0 {
        examiner.examine(flock.clean.hello, &flock.captured);
        part.accusations.extend(examiner.findings().iter().map(|finding| Accusation {
            scenario: finding.scenario.clone(),
            requirement: finding.requirement.clone(),
            outcome: finding.outcome,
            actual: finding.actual.clone(),
        }));
        if leak::find(&flock.captured, &flock.secrets).is_some() {
            part.leaks.push(Leak { id: format!("{}/{}: clean", raw.session, raw.scenario) });
        }
    }
    let mut captured = Vec::with_capacity(PIECE);
    let began = core_time();
    for mutant in flock.mutants.iter().skip(from).take(PIECE) {
        captured.push((mutant, base.clone().replay(&mutant.apply(flock.clean.raw))));
    }
    part.capture += core_time().saturating_sub(began);
    let began = core_time();
    let known = Readings::of(&flock.captured);
    let red: Vec<Vec<bool>> = captured
        .iter()
        .map(|(mutant, captured)| {
            match every_check {
                true => examiner.examine(flock.clean.hello, captured),
                false => examiner.examine_of(flock.clean.hello, captured, &mutant.owners, &known),
            }
            mutant.red(law, |requirement| examiner.outcome(requirement))
        })
        .collect();
    part.judge += core_time().saturating_sub(began);
    for ((mutant, captured), red) in captured.iter().zip(red) {
        if leak::find(captured, &flock.secrets).is_some() {
            part.leaks.push(Leak { id: name(raw, mutant) });
        }
        part.matrix.add(law, mutant, &red);
        if !red.contains(&true) {
            examiner.examine(flock.clean.hello, captured);
            let why = why(mutant, examiner);
            part.survivors.push(Specimen { id: name(raw, mutant), owners: mutant.owners.clone(), why });
        }
    }
    part
}

/// The time that this core has worked for this thread, whatever else the machine does.
fn core_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// What the owners showed, and who else is red.
fn why(mutant: &Mutant, examiner: &Examiner<'_>) -> String {
    let shown = mutant.owners.iter().map(|owner| {
        let outcome = examiner.outcome(owner).map_or("not-exercised", Outcome::as_str);
        format!("{owner} is {outcome}")
    });
    let mut others: Vec<&str> = examiner.findings().iter().map(|finding| finding.requirement.as_str()).collect();
    others.sort_unstable();
    others.dedup();
    let others = if others.is_empty() {
        "nothing else is accused".to_owned()
    } else {
        format!("accused: {}", others.join(", "))
    };
    format!("{}; {others}", shown.collect::<Vec<_>>().join(", "))
}
