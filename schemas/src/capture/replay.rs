//! Capture of a whole raw transcript, event by event, in the way that driving captures as they come.

use std::collections::HashMap;

use serde_json::Value;

use super::{CallContext, Capture, Raw};
use crate::bridge::{CallbackKind, Via};
use crate::run::flow::PeerDid;
use crate::run::{Captured, Ended, Event, Subject, Transcript, What};

/// How many elements of an answer are looked at for handles; driving looks at as many.
const HANDLES: usize = 64;

/// A call that was made.
struct Made<'r> {
    method: &'r str,
    /// Its argument.
    request: &'r Value,
    /// What a settlement is compared with.
    given: &'r Value,
    /// Whether it belongs to a flow.
    is_flow: bool,
    subject: Option<&'r Subject>,
    /// The channel of the first answer.
    via: Option<Via>,
    /// The value of the first answer that had one.
    answered: Option<&'r Value>,
}

/// What later events are captured by.
#[derive(Default)]
struct Known<'r> {
    made: HashMap<u64, Made<'r>>,
    /// The classes of the target's objects.
    classes: HashMap<&'r str, &'r str>,
    /// What each connection was made with.
    options: HashMap<&'r str, &'r Value>,
}

impl<'r> Known<'r> {
    /// Remembers the objects in an answer: their classes, and what a connection was made with.
    fn learn(&mut self, value: Option<&'r Value>, options: Option<&'r Value>) {
        let items = match value {
            None => return,
            Some(Value::Array(items)) => items.as_slice(),
            Some(other) => std::slice::from_ref(other),
        };
        for item in items.iter().take(HANDLES) {
            let text = |key: &str| item.get(key).and_then(Value::as_str);
            if let (Some(handle), Some(class)) = (text("$handle"), text("$class")) {
                self.classes.insert(handle, class);
                if let Some(options) = options {
                    self.options.insert(handle, options);
                }
            }
        }
    }
}

impl Capture<'_> {
    /// Captures a raw transcript. The result is what driving would have kept.
    pub fn replay(&mut self, raw: &Raw) -> Transcript {
        self.begin();
        let raw = raw.uncaptured();
        let mut known = Known::default();
        let mut transcript = Transcript {
            scenario: raw.scenario.clone(),
            session: raw.session,
            referee: raw.referee,
            events: Vec::with_capacity(raw.events.len()),
            ended: match &raw.ended {
                Ended::Broken { reason, detail } => Ended::Broken { reason: *reason, detail: self.text(detail, 1_000) },
                ended => ended.clone(),
            },
        };
        for event in &raw.events {
            let what = self.again_from(&event.what, &mut known);
            transcript.events.push(Event { at_us: event.at_us, late: event.late, what });
        }
        self.rescrub(&mut transcript);
        transcript
    }

    fn again_from<'r>(&mut self, what: &'r What, known: &mut Known<'r>) -> What {
        match what {
            What::Call { id, step, method, handle, request, subject, purpose } => {
                let captured = self.request(method, &request.value);
                let given = match handle {
                    None => &request.value,
                    Some(pc) if method.ends_with(".getConfiguration") => {
                        known.options.get(pc.as_str()).copied().unwrap_or(&Value::Null)
                    }
                    Some(_) => &Value::Null,
                };
                let is_flow = handle.is_some() || method.starts_with("ft.webrtc.");
                let (request, subject) = (&request.value, subject.as_ref());
                known.made.insert(*id, Made { method, request, given, is_flow, subject, via: None, answered: None });
                What::Call {
                    id: *id,
                    step: *step,
                    method: method.clone(),
                    handle: handle.as_ref().map(|handle| self.handle(handle)),
                    request: captured,
                    subject: subject.cloned(),
                    purpose: purpose.clone(),
                }
            }
            What::Answer { id, via, value, bytes } => {
                let value = value.as_ref().map(|value| &value.value);
                let captured = self.answered(*id, *via, value, known);
                What::Answer { id: *id, via: *via, value: captured, bytes: *bytes }
            }
            What::Callback { id, kind, seq, as_answered, value } => {
                let (as_answered, value) = self.called_back(*id, *kind, *as_answered, value.as_ref(), known);
                What::Callback { id: *id, kind: *kind, seq: *seq, as_answered, value }
            }
            What::Read { handle, name, value, refused, polls } => {
                let class = known.classes.get(handle.as_str()).copied().unwrap_or_default();
                What::Read {
                    handle: self.handle(handle),
                    name: name.clone(),
                    value: value.as_ref().map(|value| self.property(class, name, &value.value)),
                    refused: refused.as_ref().map(|why| self.text(why, 220)),
                    polls: *polls,
                }
            }
            What::Emitted { handle, kind, value, known: listened } => {
                let class = known.classes.get(handle.as_str()).copied().unwrap_or_default();
                let value = self.event(class, kind, &value.value);
                What::Emitted { handle: self.handle(handle), kind: self.text(kind, 64), value, known: *listened }
            }
            other => self.told(other),
        }
    }

    fn answered<'r>(&mut self, id: u64, via: Via, value: Option<&'r Value>, known: &mut Known<'r>) -> Option<Captured> {
        let Some(made) = known.made.get_mut(&id) else { return value.map(|value| self.untabled(value, Vec::new())) };
        let first = made.via.is_none();
        made.via.get_or_insert(via);
        made.answered = made.answered.or(value);
        let context = CallContext { method: made.method, request: made.given, subject: made.subject };
        let captured = value.map(|value| self.settlement(context, via, value));
        if first && made.is_flow {
            let options = (made.method == "ft.webrtc.createRTCPeerConnection").then_some(made.request);
            known.learn(value, options);
        }
        captured
    }

    fn called_back(
        &mut self,
        id: u64,
        kind: CallbackKind,
        as_answered: bool,
        value: Option<&Captured>,
        known: &Known<'_>,
    ) -> (bool, Option<Captured>) {
        let Some(made) = known.made.get(&id) else { return (as_answered, None) };
        let via = match kind {
            CallbackKind::Success => Via::Success,
            CallbackKind::Fail => Via::Fail,
            CallbackKind::Cancel => Via::Cancel,
            CallbackKind::Complete => made.via.unwrap_or(Via::Success),
        };
        let Some(value) = value.map(|value| &value.value) else { return (as_answered, None) };
        if made.answered == Some(value) {
            return (true, None);
        }
        let context = CallContext { method: made.method, request: made.given, subject: made.subject };
        (false, Some(self.settlement(context, via, value)))
    }

    /// What is text of a target's, or nothing of a target's at all.
    fn told(&self, what: &What) -> What {
        let mut what = what.clone();
        match &mut what {
            What::Refused { message: text, .. } | What::Gone { status: text } | What::Lexical { at: text, .. } => {
                *text = self.text(text, 200);
            }
            What::Stderr { text } => *text = self.text(text, 400),
            What::BadFrame { detail, quote, .. } => {
                *detail = self.text(detail, 200);
                *quote = self.text(quote, 160);
            }
            What::Listened { handle, refused, .. } => {
                *handle = self.handle(handle);
                if let Some(why) = refused {
                    *why = self.text(why, 220);
                }
            }
            What::Awaited { instead, .. } => *instead = self.text(instead, 120),
            What::Peer { did, .. } => match did {
                PeerDid::Description { local: false, sdp: text, refused, .. }
                | PeerDid::Candidate { local: false, candidate: text, refused } => {
                    *text = self.sdp(text);
                    if let Some(why) = refused {
                        *why = self.text(why, 300);
                    }
                }
                PeerDid::Failed { why, .. } => *why = self.text(why, 300),
                _ => {}
            },
            _ => {}
        }
        what
    }
}
