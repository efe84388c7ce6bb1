//! Transcripts: everything observed while driving one scenario, in order, with times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Captured, Reason};
use crate::bridge::{CallbackKind, Via};

/// How long a scenario may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Pace {
    /// A multiple of what this target was measured to need.
    #[default]
    Machine,
    /// The same with a network in between.
    Network,
    /// A person acts: two minutes, with a prompt.
    Person,
}

impl Pace {
    /// The pace's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Network => "network",
            Self::Person => "person",
        }
    }
}

/// What the request's `imagePath` stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A specimen, by its id.
    Fixture(String),
    /// A path that names no readable picture, by what it names: `missing`, `directory`, `traversal`, ….
    Unreadable(String),
}

/// Everything observed while driving one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transcript {
    /// The scenario's id.
    pub scenario: String,
    /// The session (one connection with one hello) that it ran in; 0 where no session could be had.
    pub session: u32,
    /// What was observed.
    #[serde(default)]
    pub events: Vec<Event>,
    /// How it ended.
    pub ended: Ended,
}

/// How driving a scenario ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Ended {
    /// Every step was taken.
    Driven,
    /// It was not driven, and that is nobody's fault.
    Skipped {
        /// Why.
        reason: Reason,
    },
    /// The target could not be driven to the end.
    Broken {
        /// Why.
        reason: Reason,
        /// What happened, scrubbed.
        detail: String,
    },
}

/// One observation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Microseconds since the scenario began.
    pub at_us: u64,
    /// Whether it came after the scenario had been closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// What was observed.
    #[serde(flatten)]
    pub what: What,
}

/// What was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// fincert called an API.
    Call {
        /// The message's id.
        id: u64,
        /// The step of the scenario, counted from 1.
        step: u32,
        /// The method, `ft.finCardOcr` and the like.
        method: String,
        /// The first argument, masked.
        request: Captured,
        /// What `imagePath` stands for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<Subject>,
    },
    /// The target answered.
    Answer {
        /// The call's id.
        id: u64,
        /// The channel.
        via: Via,
        /// The value, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Captured>,
        /// The frame's size in bytes.
        bytes: u64,
    },
    /// The bridge of the target refused the call (an error other than −32000).
    Refused {
        /// The call's id.
        id: u64,
        /// The JSON-RPC code.
        code: i64,
        /// Its message, scrubbed.
        message: String,
    },
    /// A further settlement.
    Callback {
        /// The call's id.
        id: u64,
        /// Which callback.
        kind: CallbackKind,
        /// Its place among the settlements, by the target's count.
        seq: u32,
        /// Whether it handed over the same value as the answer; then the value is not kept twice.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        as_answered: bool,
        /// The value, if there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Captured>,
    },
    /// The deadline passed without an answer.
    NoResponse {
        /// The call's id.
        id: u64,
        /// The deadline, in milliseconds.
        deadline_ms: u64,
        /// Whether the bridge itself still answered a ping.
        alive: bool,
    },
    /// fincert gave the target a file.
    File {
        /// The specimen or the made file.
        name: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The bridge answered a ping, or did not.
    Ping {
        /// Whether it answered.
        alive: bool,
    },
    /// A frame that could not be used.
    BadFrame {
        /// Why: `frame-not-json`, `frame-too-deep`, `frame-too-large`, `not-a-message`, `unknown-id`, ….
        fault: Reason,
        /// Where and what, scrubbed.
        detail: String,
        /// The beginning of it, scrubbed.
        quote: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The text of a frame had faults although its message could be read.
    Lexical {
        /// `duplicate-key` or `invalid-utf8`.
        fault: String,
        /// Where.
        at: String,
    },
    /// The target wrote to stderr.
    Stderr {
        /// The text, scrubbed and cut.
        text: String,
    },
    /// The target's process ended or its connection closed.
    Gone {
        /// The exit status or the close reason.
        status: String,
    },
    /// A person was asked to act.
    Prompt {
        /// The prompt in English.
        text: String,
    },
}
