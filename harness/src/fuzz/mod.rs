//! Fuzzing a live target: generated cases are driven, judged case by case, and what fails is shrunk.
//!
//! A case is a little scenario: steps as they stand in a scenario file, made from the run's seed, the API and the case's
//! index alone. It starts from plain valid requests and puts generated values in the place of some rows. So the same
//! driver drives it, the same checks judge it, and the smallest form of a failing one can be written down as a scenario.

mod class;
mod driver;
mod keep;
mod make;
mod rows;
mod save;
mod shrink;
mod smaller;
mod values;

pub use class::Class;
pub use make::{Made, Maker};
pub use save::scenario_file;
pub use smaller::Smaller;

use std::path::PathBuf;

/// How many cases are driven at each API where nothing is said.
pub const DEFAULT_CASES: u32 = 48;
/// How many calls may be made to shrink one failure.
pub const DEFAULT_BUDGET: u32 = 200;

/// How to fuzz.
#[derive(Debug, Clone)]
pub struct Fuzzing {
    /// Whether the operator asked for it; else APIs at which a person acts are left alone.
    pub asked: bool,
    /// This case alone, after the two plainest.
    pub only: Option<u32>,
    /// How many calls may be made to shrink one failure.
    pub budget: u32,
    /// How many cases of one call each may be under way at once.
    pub window: usize,
    /// Where smallest forms are written as scenarios.
    pub save: Option<PathBuf>,
}

impl Default for Fuzzing {
    fn default() -> Self {
        Self { asked: false, only: None, budget: DEFAULT_BUDGET, window: 1, save: None }
    }
}
