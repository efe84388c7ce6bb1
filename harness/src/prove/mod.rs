//! The proof of the suites: clean transcripts of the embedded mock host are mutated, captured and judged, and the checks
//! must find every mutant and accuse no clean one.

mod leak;
mod matrix;
mod work;

use std::num::NonZero;
use std::time::{Duration, Instant};

use fincert_schemas::bridge::Hello;
use fincert_schemas::capture::Raw;
use fincert_schemas::run::RunHeader;
use fincert_schemas::run::flow::Referees;
use fincert_schemas::{Bilingual, Level};
use fincert_suites::judge::{Law, judged_requirements};
use fincert_suites::mutate::{Clean, Donors};

use crate::runner::{self, Plan};

pub use matrix::{Count, Matrix, Owned};
pub use work::{Accusation, Leak, Specimen, Survivor};

/// The least share of the mutants that must be killed, in hundredths.
pub const LEAST_KILLED: f64 = 98.0;

/// What is proven.
#[derive(Debug, Clone)]
pub struct Order {
    /// The scenarios.
    pub scenarios: Vec<String>,
    /// The seed of the run, and of what is generated.
    pub seed: u64,
    /// A check that is left out, to see that the proof misses it.
    pub without: Option<String>,
    /// Whether each mutant is put before every check. Else it is put before those that judge its owners, which alone can
    /// kill it.
    pub every_check: bool,
    /// Whether everything was asked for: then every requirement with a check must have a mutant.
    pub whole: bool,
}

/// Transcripts to mutate.
#[derive(Debug)]
pub struct Herd {
    /// Each with what the mock host said it is.
    pub clean: Vec<(Raw, Hello)>,
    /// How long driving took.
    pub drive: Duration,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Proof {
    /// How many mutants there were, and what became of them.
    pub total: Count,
    /// The same by operator and by clause.
    pub matrix: Matrix,
    /// The mutants that no owner noticed.
    pub survivors: Vec<Survivor>,
    /// What was found in clean transcripts.
    pub accusations: Vec<Accusation>,
    /// Captured mutants that held a raw sensitive value.
    pub leaks: Vec<Leak>,
    /// Requirements of whose mutants too many survive, and in a whole run those that no mutant turns red: their check is
    /// missing or weak, however well the others do.
    pub weak: Vec<String>,
    /// Requirements with a check that no mutant was made for and that a target can break.
    pub uncovered: Vec<String>,
    /// Requirements with a check that nothing breaks, with the reason.
    pub unbreakable: Vec<(String, &'static str)>,
    /// How many clean transcripts there were.
    pub transcripts: usize,
    /// How long driving took, in all.
    pub drive: Duration,
    /// How long mutating and capturing took, on one core.
    pub capture: Duration,
    /// How long judging took, on one core.
    pub judge: Duration,
}

impl Proof {
    /// The share of the mutants that were killed, in hundredths.
    pub fn killed_share(&self) -> f64 {
        f64::from(self.total.killed) * 100.0 / f64::from(self.total.mutants.max(1))
    }

    /// Mutants judged a second on one core.
    pub fn judged_per_second(&self) -> f64 {
        self.total.mutants as f64 / self.judge.as_secs_f64().max(f64::EPSILON)
    }

    /// What keeps the suites from being proven, each in a sentence.
    pub fn wanting(&self) -> Vec<Bilingual> {
        let mut wanting = Vec::new();
        if self.total.mutants == 0 {
            wanting.push(Bilingual::new("没有变异体", "there was no mutant"));
        } else if self.killed_share() < LEAST_KILLED {
            let share = self.killed_share();
            wanting.push(Bilingual::new(
                format!("发现了 {share:.2} % 的变异体，目标为 {LEAST_KILLED} %"),
                format!("{share:.2} % of the mutants were killed; the target is {LEAST_KILLED} %"),
            ));
        }
        let mut count = |number: usize, zh: &str, en: &str| {
            if number > 0 {
                wanting.push(Bilingual::new(format!("{number} {zh}"), format!("{number} {en}")));
            }
        };
        count(self.accusations.len(), "处对正常记录的误判", "accusations of clean transcripts");
        count(self.leaks.len(), "个变异体在采集后仍含敏感原值", "captured mutants with a raw sensitive value");
        count(self.weak.len(), "项检查过弱或缺失的要求", "requirements whose check is weak or missing");
        count(self.uncovered.len(), "项有检查而无变异体的要求", "requirements with a check and without a mutant");
        wanting
    }
}

/// Drives the mock host in all its states, and captures nothing.
pub async fn gather(law: Law<'_>, order: &Order) -> std::io::Result<Herd> {
    let plan = Plan { params: law.suite.params.clone(), ..Plan::default() };
    let header = RunHeader {
        seed: order.seed,
        mock: true,
        referee: Some(Referees::WebrtcRs),
        scenarios: order.scenarios.clone(),
        ..RunHeader::default()
    };
    let began = Instant::now();
    let (sessions, raws) = runner::run_raw(&plan, &header, law).await?;
    let drive = began.elapsed();
    let hello = |raw: &Raw| {
        let session = raw.uncaptured().session;
        sessions.iter().find(|known| known.session == session).or(sessions.first()).map(|known| known.hello.clone())
    };
    let clean = raws.into_iter().filter_map(|raw| hello(&raw).map(|hello| (raw, hello))).collect();
    Ok(Herd { clean, drive })
}

/// Mutates, captures and judges, on as many threads as there are cores.
pub fn prove(law: Law<'_>, order: &Order, herd: &Herd) -> Proof {
    let clean: Vec<Clean<'_>> = herd.clean.iter().map(|(raw, hello)| Clean { raw, hello }).collect();
    let donors = Donors::of(law, clean.iter().copied());
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut proof = work::all(law, order, &clean, &donors, threads);
    proof.transcripts = clean.len();
    proof.drive = herd.drive;
    proof.weak = weak(&proof.matrix, order.whole);
    if order.whole {
        cover(law, &mut proof);
    }
    proof
}

/// The requirements of whose mutants less than [`LEAST_KILLED`] are killed. Where everything was asked for, each must be red
/// by itself somewhere.
fn weak(matrix: &Matrix, whole: bool) -> Vec<String> {
    let is_weak = |count: &Owned| {
        let killed = f64::from(count.mutants - count.survived) * 100.0;
        killed < f64::from(count.mutants) * LEAST_KILLED || (whole && count.killed == 0)
    };
    matrix.requirements.iter().filter(|(_, count)| is_weak(count)).map(|(id, _)| id.clone()).collect()
}

/// Every requirement with a check must be the root cause of a mutant.
fn cover(law: Law<'_>, proof: &mut Proof) {
    for id in judged_requirements(law.catalog).keys() {
        let is_covered = proof.matrix.requirements.contains_key(id);
        let Some(requirement) = law.ledger.get(id).filter(|_| !is_covered) else { continue };
        if requirement.coverage {
            proof
                .unbreakable
                .push((id.clone(), "it says only that a value was seen, and no value that is seen breaks it"));
        } else if requirement.level == Level::May {
            proof.unbreakable.push((id.clone(), "it permits, and what is permitted cannot be broken"));
        } else {
            proof.uncovered.push(id.clone());
        }
    }
}
