//! A call in a time line: its method, what it was given and what became of it.

use std::collections::HashMap;

use fincert_schemas::Lang;
use fincert_schemas::format::sdp::Sdp;
use fincert_schemas::run::{Captured, Event, What};
use serde_json::Value;

use super::words::{NAME, SENTENCE, list, short};
use crate::words::say;

/// What became of a call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Outcome<'a> {
    /// The target answered that it worked.
    Worked(Option<&'a Value>),
    /// The target answered that it did not.
    Failed(Option<&'a Value>),
    /// The bridge refused it.
    Refused(i64, &'a str),
    /// Nothing within the deadline.
    Silent { deadline_ms: u64, alive: bool },
    /// Nothing at all.
    #[default]
    Pending,
}

/// What became of each call, by its id. The first thing counts.
pub(super) fn outcomes(events: &[Event]) -> HashMap<u64, Outcome<'_>> {
    let mut outcomes = HashMap::new();
    for event in events {
        let (id, outcome) = match &event.what {
            What::Answer { id, via, value, .. } => {
                let value = value.as_ref().map(|captured| &captured.value);
                (*id, if via.is_success() { Outcome::Worked(value) } else { Outcome::Failed(value) })
            }
            What::Refused { id, code, message } => (*id, Outcome::Refused(*code, message)),
            What::NoResponse { id, deadline_ms, alive } => {
                (*id, Outcome::Silent { deadline_ms: *deadline_ms, alive: *alive })
            }
            _ => continue,
        };
        outcomes.entry(id).or_insert(outcome);
    }
    outcomes
}

/// Calls of one method that came out alike.
#[derive(Debug)]
pub(super) struct Calls<'a> {
    /// The method's own name.
    pub(super) method: &'a str,
    /// What it was given, in a word or two.
    argument: String,
    /// What the calls were made for.
    purposes: Vec<&'a str>,
    /// What came of them: each text once.
    results: Vec<String>,
    count: usize,
    kind: Kind,
    /// The step that the judgement speaks of.
    focus: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Worked,
    Failed,
    Refused,
    Pending,
}

impl<'a> Calls<'a> {
    /// One call; nothing where it was not answered in time, which is told elsewhere.
    pub(super) fn one(
        method: &'a str,
        request: &Captured,
        purpose: Option<&'a str>,
        outcome: Outcome<'_>,
        focus: Option<u32>,
    ) -> Option<Self> {
        let (kind, result) = match outcome {
            Outcome::Worked(value) => (Kind::Worked, value.map(came).unwrap_or_default()),
            Outcome::Failed(value) => (Kind::Failed, value.map(error).unwrap_or_default()),
            Outcome::Refused(code, message) => (Kind::Refused, short(&format!("{code} {message}"), SENTENCE)),
            Outcome::Pending => (Kind::Pending, String::new()),
            Outcome::Silent { .. } => return None,
        };
        let method = name(method);
        Some(Self {
            method,
            argument: argument(method, &request.value),
            purposes: purpose.into_iter().collect(),
            results: vec![result],
            count: 1,
            kind,
            focus,
        })
    }

    /// Takes in another that came out alike; whether it did.
    pub(super) fn takes(&mut self, other: &Self) -> bool {
        let alike = self.method == other.method
            && self.kind == other.kind
            && self.purposes.is_empty() == other.purposes.is_empty()
            && (self.argument == other.argument || !self.purposes.is_empty())
            && self.focus.is_none()
            && other.focus.is_none();
        if alike {
            self.count += 1;
            self.purposes.extend(&other.purposes);
            self.results.extend(other.results.iter().cloned());
        }
        alike
    }

    /// Whether what came is not what a call of this kind is made for.
    pub(super) fn is_trouble(&self) -> bool {
        match self.kind {
            Kind::Worked => false,
            // What is made to be refused was, or what a closed connection does was asked.
            Kind::Failed => self.purposes.is_empty(),
            Kind::Refused | Kind::Pending => true,
        }
    }

    /// How much the entry tells.
    pub(super) fn weight(&self) -> u8 {
        match self.method {
            _ if self.focus.is_some() => u8::MAX,
            _ if self.is_trouble() && self.kind != Kind::Pending => 5,
            _ if !self.purposes.is_empty() => 3,
            "close" => 0,
            "stop" | "addTrack" | "getTracks" | "getUserMedia" | "addIceCandidate" | "getConfiguration" => 1,
            _ => 3,
        }
    }

    pub(super) fn text(&self, lang: Lang) -> String {
        let mut text = self.method.to_owned();
        if !self.argument.is_empty() && (self.count == 1 || self.purposes.is_empty()) {
            text.push_str(&format!("({})", self.argument));
        }
        if self.count > 1 {
            text.push_str(&format!(" ×{}", self.count));
        }
        if !self.purposes.is_empty() {
            text.push_str(&format!(" [{}]", list(lang, self.purposes.iter().copied(), 4)));
        }
        let results = list(lang, self.results.iter().map(String::as_str).filter(|result| !result.is_empty()), 3);
        let colon = |word: &str| match results.as_str() {
            "" => word.to_owned(),
            results => format!("{word}{}{results}", say(lang, "：", ": ")),
        };
        let outcome = match self.kind {
            Kind::Worked => results,
            Kind::Failed => colon(say(lang, "被拒绝", "rejected")),
            Kind::Refused => colon(say(lang, "桥拒绝", "refused by the bridge")),
            Kind::Pending => say(lang, "未应答", "not answered").to_owned(),
        };
        if !outcome.is_empty() {
            text.push_str(&format!(" → {outcome}"));
        }
        if let Some(step) = self.focus {
            text.push_str(&match lang {
                Lang::Zh => format!("（第 {step} 步）"),
                Lang::En => format!(" (step {step})"),
            });
        }
        text
    }
}

/// The method's own name: `createOffer`.
pub(super) fn name(method: &str) -> &str {
    method.rsplit('.').next().unwrap_or(method)
}

/// What a method was given, where that is more than the thing itself.
fn argument(method: &str, request: &Value) -> String {
    match method {
        "setLocalDescription" | "setRemoteDescription" => word(request, "type"),
        "createRTCPeerConnection" => word(request, "iceTransportPolicy"),
        "createOffer" | "createAnswer" | "getUserMedia" => {
            let members = request.as_object().into_iter().flatten();
            let wanted = members.filter(|(_, value)| **value == Value::Bool(true)).map(|(key, _)| short(key, NAME));
            wanted.take(4).collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    }
}

fn word(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).map(|text| short(text, NAME)).unwrap_or_default()
}

/// A value that came, in a word or two.
fn came(value: &Value) -> String {
    if let Some(handle) = value.get("$handle").and_then(Value::as_str) {
        return short(handle, NAME);
    }
    match (value.get("type").and_then(Value::as_str), value.get("sdp").and_then(Value::as_str)) {
        (Some(kind), Some(sdp)) => format!("{} ({})", short(kind, NAME), media(sdp)),
        _ => String::new(),
    }
}

/// The name and the message of an error.
fn error(value: &Value) -> String {
    let parts = [word(value, "name"), word(value, "message")];
    let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    match value.as_str() {
        Some(said) if text.is_empty() => short(said, SENTENCE),
        _ => text,
    }
}

/// The media that a description speaks of: `audio, video port 0`.
pub(super) fn media(sdp: &str) -> String {
    let sdp = Sdp::read(sdp);
    let mut words: Vec<String> = sdp
        .media
        .iter()
        .take(4)
        .map(|section| {
            let rejected = if section.is_rejected() { " port 0" } else { "" };
            format!("{}{rejected}", short(section.kind(), NAME))
        })
        .collect();
    match sdp.media.len() {
        0 => words.push("no m=".to_owned()),
        1..=4 => {}
        all => words.push(format!("+{}", all - 4)),
    }
    words.join(", ")
}
