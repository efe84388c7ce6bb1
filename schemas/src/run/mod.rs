//! The shapes of a run: what was seen (transcripts), what is thought of it (verdicts), and the run
//! record, the JSON Lines file that holds both.

mod fact;
pub mod flow;
pub mod fuzz;
mod reason;
mod record;
mod transcript;
mod verdict;

pub use fact::{Captured, Fact, ImageFacts};
pub use reason::Reason;
pub use record::{CAPTURE_VERSION, Line, RECORD_VERSION, RunHeader, Session};
pub use transcript::{Ended, Event, Pace, Subject, Transcript, What};
pub use verdict::{
    Accuracy, CauseGroup, Certification, Decision, Finding, Judgement, Missing, Outcome, RequirementVerdict,
    RuleCoverage, Standing, TableCoverage, Verdict,
};
