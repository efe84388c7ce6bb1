//! The words of fuzzing: what a case is, what became of a failing one, and what a run says of them in the end.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Outcome, Transcript, What};

/// What a transcript counts by this name, with a kind behind it, were cases.
pub const CASES_NOT_KEPT: &str = "cases-not-kept";
/// The same for cases that were never driven.
pub const CASES_NOT_DRIVEN: &str = "cases-not-driven";

/// Whether the transcript is of generated cases.
pub fn is_of_cases(transcript: &Transcript) -> bool {
    transcript.events.iter().any(|event| match &event.what {
        What::Case(_) | What::Shrunk(_) => true,
        What::Omitted { what, .. } => what.starts_with(CASES_NOT_KEPT) || what == CASES_NOT_DRIVEN,
        _ => false,
    })
}

/// What a case tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    /// A plain valid call. What succeeded once goes on succeeding.
    Control,
    /// A valid request, at its extremes.
    Valid,
    /// A valid request with a hostile string of the dictionary.
    Hostile,
    /// A request that breaks one rule.
    Invalid,
    /// Calls that overlap, of different types or pictures; before them each alone.
    Overlap,
    /// Plain valid calls around one that must be refused.
    AfterFailure,
    /// A plain valid call, `bridge.reset`, and the same call again.
    Reset,
}

impl CaseKind {
    /// Every kind, in the order in which reports name them.
    pub const ALL: [Self; 7] =
        [Self::Control, Self::Valid, Self::Hostile, Self::Invalid, Self::Overlap, Self::AfterFailure, Self::Reset];

    /// The kind's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Valid => "valid",
            Self::Hostile => "hostile",
            Self::Invalid => "invalid",
            Self::Overlap => "overlap",
            Self::AfterFailure => "after-failure",
            Self::Reset => "reset",
        }
    }
}

/// One generated case: it follows from the run's seed, the API and the index alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// Its place among the API's cases, from 0.
    pub index: u32,
    /// What it tries.
    pub kind: CaseKind,
    /// The rule that the request breaks, by the id of the strategies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where it breaks it: a JSON pointer into the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The hostile strings in it, by their names in the dictionary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostile: Vec<String>,
    /// Whether this is the smallest form that was found of a failing case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub smallest: bool,
}

/// What came of driving a failing case again, ever smaller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shrunk {
    /// The case's index.
    pub case: u32,
    /// The requirement that it breaks.
    pub requirement: String,
    /// The cause of the finding.
    pub cause: String,
    /// What the smallest request that still fails is like: where it differs from the plainest one, and how.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// How many calls it took.
    pub calls: u32,
    /// Whether the failure came again on the same request.
    pub again: bool,
    /// Whether the case fails by itself, without what came before it in its session.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// How many calls of one session it takes, where it does not come at once: the last of them fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u32>,
}

/// What fuzzing one API came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FuzzSummary {
    /// The scenario.
    pub scenario: String,
    /// How many cases were driven, by kind.
    pub cases: Vec<CaseCount>,
    /// How many of them the record does not keep: nothing was found in them.
    #[serde(default)]
    pub not_kept: u64,
    /// How many were not driven any more, as their time was up or the target went down too often.
    #[serde(default)]
    pub not_driven: u64,
    /// The failures, told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<FuzzFailure>,
}

impl FuzzFailure {
    /// Whether the case alone shows the failure again, as far as is known.
    pub fn is_alone(&self) -> bool {
        self.shrunk.as_ref().is_none_or(|said| said.alone)
    }
}

/// How many cases of a kind were driven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CaseCount {
    /// The kind.
    pub kind: CaseKind,
    /// How many.
    pub count: u64,
}

/// One failure that fuzzing found, told apart from the others by requirement, cause and smallest input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FuzzFailure {
    /// The requirement.
    pub requirement: String,
    /// What it came to.
    pub outcome: Outcome,
    /// The cause.
    pub cause: String,
    /// Where in the request or result the finding points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What was there.
    pub actual: String,
    /// The case that shows it; the smallest form where there is one.
    pub case: Case,
    /// The calls of the case, masked: method and request as JSON, in the order in which they were made.
    pub requests: Vec<String>,
    /// What came of shrinking it; absent where it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shrunk: Option<Shrunk>,
    /// In how many cases it was seen.
    pub seen: u64,
}
