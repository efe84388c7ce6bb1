//! The run record: a JSON Lines file, appended and flushed scenario by scenario.
//!
//! Order: one `run` line, then `session`, `transcript` and `strays` lines as they come, at the end one
//! `judgement` line. A killed run keeps every complete line; a cut last line is dropped with a warning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::flow::Referees;
use super::{Event, Judgement, Transcript};
use crate::bridge::Hello;

/// The version of the record's shape.
pub const RECORD_VERSION: u32 = 1;
/// The version of capture: which facts are taken.
pub const CAPTURE_VERSION: u32 = 1;

/// One line of a run record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// The first line.
    Run(RunHeader),
    /// A connection was made and the target said hello.
    Session(Session),
    /// A scenario was driven.
    Transcript(Transcript),
    /// What came after its scenario had been closed.
    Strays {
        /// The scenario that the events belong to, by the call's id.
        scenario: String,
        /// The events.
        events: Vec<Event>,
    },
    /// The judgement, the last line of a complete run.
    Judgement(Box<Judgement>),
}

/// How a run was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunHeader {
    /// [`RECORD_VERSION`].
    pub record: u32,
    /// [`CAPTURE_VERSION`].
    pub capture: u32,
    /// fincert's version.
    pub fincert: String,
    /// The seed of all randomness.
    pub seed: u64,
    /// When the run began, RFC 3339.
    pub began: String,
    /// The target as given on the command line, scrubbed of tokens.
    pub target: String,
    /// Whether the target is fincert's own mock host.
    pub mock: bool,
    /// The defect the mock host was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<String>,
    /// The profiles and capabilities asked for; empty: all that are offered and declared.
    pub profiles: Vec<String>,
    /// The scenario filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The referees of the flows, where the operator chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referee: Option<Referees>,
    /// Further options that a replay needs, as they stand on the command line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The parameters that `--set` gave, by name; their values may be secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<String>,
    /// How many generated cases were driven at each API; 0: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fuzz: u32,
    /// Scenarios of the operator's own (`--scenarios`), without their steps: what judging must know of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<serde_json::Value>,
    /// Whether sensitive values were kept (`--reveal`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub revealed: bool,
    /// The scenarios chosen, in order.
    pub scenarios: Vec<String>,
    /// Known failures, as `REQUIREMENT @ SCENARIO`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_failing: Vec<String>,
}

impl RunHeader {
    /// What chose some of the scenarios and left others out, as it stands on the command line; `None` where nothing did.
    /// Evidence that someone chose never certifies.
    pub fn chosen_by(&self) -> Option<String> {
        let filter = self.filter.as_ref().map(|filter| format!("--filter {filter}"));
        let own = (!self.own.is_empty()).then(|| "--scenarios".to_owned());
        let all: Vec<String> = own.into_iter().chain(filter).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Default for RunHeader {
    /// A run of everything against nothing in particular, by the present versions.
    fn default() -> Self {
        Self {
            record: RECORD_VERSION,
            capture: CAPTURE_VERSION,
            fincert: env!("CARGO_PKG_VERSION").to_owned(),
            seed: 0,
            began: String::new(),
            target: String::new(),
            mock: false,
            defect: None,
            profiles: Vec::new(),
            filter: None,
            referee: None,
            options: Vec::new(),
            set: Vec::new(),
            fuzz: 0,
            own: Vec::new(),
            revealed: false,
            scenarios: Vec::new(),
            known_failing: Vec::new(),
        }
    }
}

/// One connection with one hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Its number, from 1.
    pub session: u32,
    /// What the target said it is.
    pub hello: Hello,
}
