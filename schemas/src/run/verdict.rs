//! Verdicts: what the checks think of the transcripts, and what follows for profiles and capabilities.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reason;
use super::fuzz::FuzzSummary;
use crate::{Bilingual, Level};

/// The verdict on one requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The condition of the requirement is not met; it counts for nothing.
    NotApplicable,
    /// Nothing that was driven touched it.
    NotExercised,
    /// It was exercised and holds.
    Pass,
    /// It holds with an alias, or a SHOULD is broken.
    Warn,
    /// The evidence does not decide.
    Inconclusive,
    /// The target could not be driven.
    CouldNotRun,
    /// A MUST is broken.
    Fail,
}

impl Outcome {
    /// The verdict's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::NotExercised => "not-exercised",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Inconclusive => "inconclusive",
            Self::CouldNotRun => "could-not-run",
            Self::Fail => "fail",
        }
    }
}

/// One finding of a check. A pass is no finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The requirement it speaks of.
    pub requirement: String,
    /// The scenario in which it was found.
    pub scenario: String,
    /// The step of that scenario, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// The generated case, of a fuzz scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<u32>,
    /// warn, inconclusive, could-not-run or fail.
    pub outcome: Outcome,
    /// The check that found it.
    pub check: String,
    /// Findings with the same cause are one thing to mend.
    pub cause: String,
    /// JSON pointer into the request or result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What the requirement wants.
    pub expected: Bilingual,
    /// What was there, masked.
    pub actual: String,
    /// What may help to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Bilingual>,
}

/// The verdict on one requirement in one scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The requirement.
    pub requirement: String,
    /// The scenario.
    pub scenario: String,
    /// The worst that was found.
    pub outcome: Outcome,
    /// Why, where the outcome alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// The verdict on one requirement over the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequirementVerdict {
    /// The requirement.
    pub requirement: String,
    /// Its clause.
    pub clause: String,
    /// Its level.
    pub level: Level,
    /// The worst verdict of all scenarios that exercised it.
    pub outcome: Outcome,
    /// Why, where the outcome alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// In how many scenarios it was exercised.
    pub exercised_in: u32,
}

/// What was decided about a profile or capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Every applicable MUST was exercised and is pass or warn.
    Certified,
    /// Some applicable MUST is not.
    NotCertified,
    /// Not asked for in this run, not declared, or not applicable in the declared integration state.
    NotAsked,
    /// fincert cannot certify it yet: some MUST has no check.
    NotOffered,
}

/// What was decided about one profile or capability, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certification {
    /// The profile (`ocr`) or capability (`ocr:BankCard`).
    pub name: String,
    /// The decision.
    pub decision: Decision,
    /// Why, for `not-asked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// How many applicable MUSTs there are.
    pub must: u32,
    /// How many of them pass (warnings included).
    pub must_met: u32,
    /// How many requirements of any level warn.
    pub warnings: u32,
    /// The MUSTs that stand in the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

/// A MUST that stands in the way of a certification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missing {
    /// The requirement.
    pub requirement: String,
    /// Its verdict within this profile or capability.
    pub outcome: Outcome,
    /// Why, where the outcome alone does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Findings that share one cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CauseGroup {
    /// The cause's stable key.
    pub cause: String,
    /// The worst outcome among its findings.
    pub outcome: Outcome,
    /// The requirements it breaks, worst first.
    pub requirements: Vec<String>,
    /// The scenarios in which it was seen.
    pub scenarios: Vec<String>,
    /// Index of its first finding in [`Judgement::findings`].
    pub first: u32,
    /// How many findings there are.
    pub count: u32,
}

/// How near the results came to the ground truth of the specimens. Reported, never certified on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accuracy {
    /// The field, `BankCard/cardNo`.
    pub field: String,
    /// How many results were compared.
    pub compared: u32,
    /// How many were equal, white space and full-width forms aside.
    pub equal: u32,
    /// Mean similarity in thousandths (1000: always equal).
    pub similarity: u32,
}

/// How a run exercised the rules of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableCoverage {
    /// The table, by its path below `schemas/`: `api/finCardOcr.result.json`.
    pub table: String,
    /// Its rules, in the order of evaluation.
    pub rules: Vec<RuleCoverage>,
}

/// How often one rule was exercised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCoverage {
    /// The rule, by its id in the table (`fincert_schemas::strategy::Rule`).
    pub rule: String,
    /// Where an instance meets it: a JSON pointer with `*` for any member or element.
    pub at: String,
    /// The requirement that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// How many instances kept it; of a WebRTC table 1 where any did.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub valid: u32,
    /// How many broke it, likewise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub invalid: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// How a run as a whole stands. The exit code follows from it: [`Standing::holds`] is 0, the rest is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Everything that was asked for is certified.
    Certified,
    /// Something is not certified, and exactly the known failures are the reason.
    AsExpected,
    /// Something is not certified.
    NotCertified,
    /// A known failure passed: the list is out of date.
    UnexpectedPass,
    /// Nothing was asked for that can be certified.
    #[default]
    Nothing,
}

impl Standing {
    /// Whether the run came out as it should.
    pub fn holds(self) -> bool {
        matches!(self, Self::Certified | Self::AsExpected)
    }
}

/// Everything judging found out. It holds no times: two runs with one seed give the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The version of the suites that judged.
    pub suites: String,
    /// How the run as a whole stands.
    pub standing: Standing,
    /// What was asked for: by `--profile`, else all that the target declares and fincert offers.
    pub asked: Vec<String>,
    /// What was decided about each profile and capability.
    pub certifications: Vec<Certification>,
    /// The verdict on each requirement.
    pub requirements: Vec<RequirementVerdict>,
    /// The verdict on each requirement in each scenario that touched it.
    pub verdicts: Vec<Verdict>,
    /// What was found, in the order of scenarios.
    pub findings: Vec<Finding>,
    /// The findings by cause.
    pub causes: Vec<CauseGroup>,
    /// The comparison with ground truth.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accuracy: Vec<Accuracy>,
    /// Which rules of the schemas were exercised. Reported, never certified on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coverage: Vec<TableCoverage>,
    /// What fuzzing came to, API by API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fuzz: Vec<FuzzSummary>,
    /// Known failures that passed, as `REQUIREMENT @ SCENARIO`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unexpected_passes: Vec<String>,
    /// How many failures were expected.
    #[serde(default)]
    pub expected_failures: u32,
}

impl Judgement {
    /// Whether the run was asked to certify this profile or capability, by itself or as a part of its profile.
    pub fn asked_for(&self, name: &str) -> bool {
        let profile = name.split(':').next().unwrap_or(name);
        self.asked.iter().any(|asked| asked == name || asked == profile)
    }
}
