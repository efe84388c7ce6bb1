//! What fincert drives and how it judges.
//!
//! Scenarios are data: a stimulus, never an opinion. Checks are pure functions from transcripts to findings:
//! no I/O, no clock, no state. Everything that decides whether a profile is certified is in this crate, so a
//! recorded run can be judged again by anyone.

pub mod expand;
pub mod judge;
pub mod known_failing;
pub mod mutate;
pub mod scenario;

pub use scenario::{CallStep, FlowStep, Scenario, Step, Suite};

/// The version of the suites: it changes whenever a verdict may change.
pub const VERSION: &str = "1";

/// The SHA-256 of what judges, in hexadecimal: the sources of this crate and its scenarios. Certificates name it. It
/// changes more often than [`VERSION`], which changes with the verdicts alone.
pub const DIGEST: &str = env!("FINCERT_SUITES_SHA256");
