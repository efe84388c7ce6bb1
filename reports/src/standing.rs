//! What a whole run comes to, in numbers.

use fincert_schemas::run::fuzz::is_of_cases;
use fincert_schemas::run::{Ended, Judgement, Outcome, Transcript};
use serde::Serialize;

/// How many requirements have which verdict, and how the scenarios ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct Tally {
    /// All requirements that were looked at.
    pub requirements: usize,
    /// Those that hold.
    pub pass: usize,
    /// Those that hold with a warning.
    pub warn: usize,
    /// Those that are broken.
    pub fail: usize,
    /// Those that the evidence does not decide.
    pub inconclusive: usize,
    /// Those for which the target could not be driven.
    pub could_not_run: usize,
    /// Those that nothing touched.
    pub not_exercised: usize,
    /// Those whose condition is not met.
    pub not_applicable: usize,
    /// All scenarios.
    pub scenarios: usize,
    /// Those that were driven to the end.
    pub driven: usize,
    /// Those that were not driven, which is nobody's fault.
    pub skipped: usize,
    /// Those that the target broke off.
    pub broken: usize,
}

impl Tally {
    /// Counts.
    pub fn of(judgement: &Judgement, transcripts: &[Transcript]) -> Self {
        let mut tally = Self { requirements: judgement.requirements.len(), ..Self::default() };
        for requirement in &judgement.requirements {
            *match requirement.outcome {
                Outcome::Pass => &mut tally.pass,
                Outcome::Warn => &mut tally.warn,
                Outcome::Fail => &mut tally.fail,
                Outcome::Inconclusive => &mut tally.inconclusive,
                Outcome::CouldNotRun => &mut tally.could_not_run,
                Outcome::NotExercised => &mut tally.not_exercised,
                Outcome::NotApplicable => &mut tally.not_applicable,
            } += 1;
        }
        for ended in endings(transcripts) {
            *match ended {
                Ended::Driven => &mut tally.driven,
                Ended::Skipped { .. } => &mut tally.skipped,
                Ended::Broken { .. } => &mut tally.broken,
            } += 1;
            tally.scenarios += 1;
        }
        tally
    }

    /// The number of requirements with this verdict.
    pub fn get(&self, outcome: Outcome) -> usize {
        match outcome {
            Outcome::Pass => self.pass,
            Outcome::Warn => self.warn,
            Outcome::Fail => self.fail,
            Outcome::Inconclusive => self.inconclusive,
            Outcome::CouldNotRun => self.could_not_run,
            Outcome::NotExercised => self.not_exercised,
            Outcome::NotApplicable => self.not_applicable,
        }
    }
}

/// How each scenario ended. A flow that two referees drove is one scenario, and ended as the better of the two did: one
/// that is unable to drive it leaves it to the other. Generated cases are one scenario too, in however many transcripts,
/// and broke off if any of them did.
fn endings(transcripts: &[Transcript]) -> Vec<&Ended> {
    let rank = |ended: &Ended| match ended {
        Ended::Driven => 0,
        Ended::Broken { .. } => 1,
        Ended::Skipped { .. } => 2,
    };
    let again = |a: &Transcript, b: &Transcript| match (a.referee, b.referee) {
        (Some(one), Some(other)) => a.scenario == b.scenario && one != other,
        (None, None) => a.scenario == b.scenario && is_of_cases(a) && is_of_cases(b),
        _ => false,
    };
    let scenarios = transcripts.chunk_by(again);
    let ended = scenarios.filter_map(|same| {
        let all = same.iter().map(|transcript| &transcript.ended);
        let broken =
            same.iter().all(is_of_cases).then(|| all.clone().find(|e| matches!(e, Ended::Broken { .. }))).flatten();
        broken.or_else(|| all.min_by_key(|ended| rank(ended)))
    });
    ended.collect()
}
