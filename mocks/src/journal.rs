//! What the mock host was asked and, apart from that, what it answered.
//!
//! Values never get here: of a request only the names of its fields and their JSON types are kept, and of a name
//! that no table knows only that it was there.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::decide::{Decision, Over};
use crate::generate::Label;
use crate::plan::{Action, Plan};
use crate::{bridge, canned, request};

/// How many entries are kept.
pub const MAX_ENTRIES: usize = 1000;

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its number since the host started, from 1.
    pub number: u64,
    /// What was asked.
    pub asked: Asked,
    /// What was answered.
    pub answered: Answered,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// `bridge` or `http`.
    pub over: &'static str,
    /// The API or the bridge's method; `(unknown)` for any other.
    pub method: String,
    /// The request's fields with their JSON types.
    pub request: Map<String, Value>,
    /// How many fields no table knows.
    pub unknown_fields: usize,
    /// The canned result wished for; `(unknown)` if there is no such.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefer: Option<&'static str>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// The channel, or `result`, `refused`, `raw`, `no-response`.
    pub via: &'static str,
    /// The canned result that was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<&'static str>,
    /// What the result was generated from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<Label>,
    /// The defect that the host runs with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defect: Option<&'static str>,
    /// Whether the defect changed this answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub shown: bool,
}

/// The last [`MAX_ENTRIES`] requests.
#[derive(Debug, Default)]
pub struct Journal {
    kept: Mutex<(u64, VecDeque<Entry>)>,
}

impl Journal {
    /// Writes down a decision.
    pub fn note(&self, decision: &Decision, defect: Option<&'static str>) {
        self.write(asked(decision), answered(decision, defect));
    }

    /// Writes down what was asked and answered.
    pub(crate) fn write(&self, asked: Asked, answered: Answered) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let number = kept.0;
        if kept.1.len() == MAX_ENTRIES {
            kept.1.pop_front();
        }
        kept.1.push_back(Entry { number, asked, answered });
    }

    /// The entries that are kept, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).1.iter().cloned().collect()
    }
}

impl Asked {
    /// A call of ft.webrtc or of a method of its objects; the method is one that is known. Of the first argument the
    /// fields that some table of 3.1 and 3.2 knows are kept.
    pub(crate) fn rtc(method: &str, args: &[Option<Value>]) -> Self {
        const KNOWN: [&str; 20] = [
            "$handle",
            "address",
            "audio",
            "bundlePolicy",
            "candidate",
            "iceCandidatePoolSize",
            "iceRestart",
            "iceServers",
            "iceTransportPolicy",
            "offerToReceiveAudio",
            "offerToReceiveVideo",
            "rtcpMuxPolicy",
            "sdp",
            "sdpMLineIndex",
            "sdpMid",
            "type",
            "usernameFragment",
            "video",
            "voiceActivityDetection",
            "peerIdentity",
        ];
        let fields = args.first().and_then(Option::as_ref).and_then(Value::as_object);
        let (known, unknown): (Vec<_>, Vec<_>) =
            fields.into_iter().flatten().partition(|(name, _)| KNOWN.contains(&name.as_str()));
        Self {
            over: "bridge",
            method: method.to_owned(),
            request: known.into_iter().map(|(name, value)| (name.clone(), type_of(value).into())).collect(),
            unknown_fields: unknown.len(),
            prefer: None,
        }
    }
}

impl Answered {
    /// How a plan answers: the channel, or `result`, `refused`, `raw`, `no-response`.
    pub(crate) fn via(plan: &Plan) -> &'static str {
        let via = plan.steps.iter().find_map(|step| match &step.action {
            Action::Answer(settlement) => Some(settlement.via.as_str()),
            Action::Result(_) => Some("result"),
            Action::Refuse { .. } => Some("refused"),
            Action::Raw(_) => Some("raw"),
            Action::Callback { .. } | Action::Event { .. } | Action::Later(_) | Action::Hang | Action::Close => None,
        });
        via.unwrap_or("no-response")
    }
}

fn asked(decision: &Decision) -> Asked {
    let call = &decision.call;
    let mut fields = Map::new();
    let mut unknown_fields = 0;
    for (name, value) in call.request.as_object().into_iter().flatten() {
        if call.api.is_some_and(|api| request::knows(api, name)) {
            fields.insert(name.clone(), type_of(value).into());
        } else {
            unknown_fields += 1;
        }
    }
    let known = call.api.is_some() || bridge::METHODS.contains(&call.method.as_str());
    let wish =
        |name: &String| call.api.and_then(|api| canned::find(api, name)).map_or("(unknown)", |canned| &canned.name);
    Asked {
        over: if call.over == Over::Http { "http" } else { "bridge" },
        method: if known { call.method.clone() } else { "(unknown)".to_owned() },
        request: fields,
        unknown_fields,
        prefer: call.wish.as_ref().map(wish),
    }
}

fn answered(decision: &Decision, defect: Option<&'static str>) -> Answered {
    Answered {
        via: Answered::via(&decision.plan),
        example: decision.call.example,
        generated: decision.label.clone(),
        defect,
        shown: decision.changed,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
