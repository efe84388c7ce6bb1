//! Transcripts: everything observed while driving one scenario, in order, with times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::flow::{Act, Await, End, Evidence, Flow, FlowOptions, PeerDid, Referee, TurnEvidence};
use super::fuzz::{Case, Shrunk};
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
    /// The referee of a WebRTC flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referee: Option<Referee>,
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
        /// The handle of the object whose method it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handle: Option<String>,
        /// The first argument, masked.
        request: Captured,
        /// What `imagePath` stands for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<Subject>,
        /// What a call of a WebRTC flow is made for, where its method and arguments do not say: the stable names of what
        /// must be refused, `garbage-empty` and the like.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        purpose: Option<String>,
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
    /// A flow began.
    Flow {
        /// Which.
        flow: Flow,
        /// How its call is set up.
        with: Box<FlowOptions>,
    },
    /// A property of an object of the target's was read.
    Read {
        /// The object's handle.
        handle: String,
        /// The property.
        name: String,
        /// What it was; absent when it was undefined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Captured>,
        /// Why it could not be read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
        /// How often it was read until it was this; properties may arrive asynchronously (rulings 3.2).
        polls: u32,
    },
    /// fincert began to listen to an event of an object of the target's.
    Listened {
        /// The object's handle.
        handle: String,
        /// The event's type.
        kind: String,
        /// Why it was refused, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// The target notified an event.
    Emitted {
        /// The object's handle.
        handle: String,
        /// The event's type.
        kind: String,
        /// What it carried.
        value: Captured,
        /// Whether fincert knows the handle and listens to the type.
        known: bool,
    },
    /// An act of a flow began.
    Act {
        /// Which.
        act: Act,
    },
    /// Something was awaited, and came or did not.
    Awaited {
        /// At which end.
        end: End,
        /// What.
        what: Await,
        /// Of which kind, type or name.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        of: String,
        /// Whether it came.
        met: bool,
        /// How long it was waited for, in milliseconds.
        waited_ms: u64,
        /// What did happen instead.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        instead: String,
    },
    /// fincert's peer did or saw something.
    Peer {
        /// Which peer, from 1.
        peer: u32,
        /// What.
        #[serde(flatten)]
        did: PeerDid,
    },
    /// The peer's counters at this moment.
    Counted {
        /// Which peer, from 1.
        peer: u32,
        /// The counters.
        evidence: Box<Evidence>,
    },
    /// The TURN server's counters at this moment.
    Turn {
        /// The counters.
        evidence: TurnEvidence,
    },
    /// A generated case began; the calls that follow are its own.
    Case(Case),
    /// A failing case was driven again, ever smaller.
    Shrunk(Shrunk),
    /// More of the same came than a transcript keeps.
    Omitted {
        /// Of what.
        what: String,
        /// How many.
        count: u64,
    },
}
