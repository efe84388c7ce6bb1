//! Transcripts built by hand: raw values as a target would send them, captured and judged.

use std::collections::BTreeSet;

use fincert_schemas::Ledger;
use fincert_schemas::bridge::{Hello, Via};
use fincert_schemas::capture::{CallContext, Capture};
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::flow::{Await, End, Flow, FlowOptions, PeerDid};
use fincert_schemas::run::{Ended, Event, Judgement, Outcome, RunHeader, Session, Transcript, What};
use fincert_suites::Suite;
use fincert_suites::judge::{Evidence, Law, judge};
use serde_json::{Value, json};

/// One thing that happened, before capture.
#[derive(Debug, Clone)]
pub(crate) enum Raw {
    /// A call: id, object, method, first argument, purpose.
    Call(u64, Option<String>, String, Value, Option<String>),
    /// Its answer.
    Answer(u64, Via, Option<Value>),
    /// Anything that is kept as it is.
    Kept(What),
    /// A reading: object, property, value, polls.
    Read(String, String, Option<Value>, u32),
    /// An event: object, type, value.
    Emitted(String, String, Value),
}

/// A flow as it is driven.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) flow: Flow,
    pub(crate) with: FlowOptions,
    pub(crate) raws: Vec<Raw>,
    pub(crate) ended: Ended,
    next: u64,
}

impl Script {
    pub(crate) fn new(flow: Flow, with: FlowOptions) -> Self {
        Self { flow, with, raws: Vec::new(), ended: Ended::Driven, next: 0 }
    }

    /// A call whose answer is added later.
    pub(crate) fn ask(&mut self, handle: &str, method: &str, request: Value, purpose: &str) -> u64 {
        self.next += 1;
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        self.raws.push(Raw::Call(self.next, some(handle), method.to_owned(), request, some(purpose)));
        self.next
    }

    pub(crate) fn answer(&mut self, id: u64, via: Via, value: Option<Value>) {
        self.raws.push(Raw::Answer(id, via, value));
    }

    /// A call of a static function that resolves.
    pub(crate) fn resolves(&mut self, method: &str, request: Value, value: Value) {
        let id = self.ask("", &format!("ft.webrtc.{method}"), request, "");
        self.answer(id, Via::Resolve, Some(value));
    }

    /// A method of a connection that resolves.
    pub(crate) fn pc(&mut self, handle: &str, method: &str, request: Value, value: Option<Value>) {
        let id = self.ask(handle, &format!("RTCPeerConnection.{method}"), request, "");
        self.answer(id, Via::Resolve, value);
    }

    /// A method of a connection that is refused, with signalingState on both sides.
    pub(crate) fn refused(&mut self, handle: &str, method: &str, request: Value, purpose: &str, state: &str) {
        self.read(handle, "signalingState", json!(state), 1);
        let id = self.ask(handle, &format!("RTCPeerConnection.{method}"), request, purpose);
        self.answer(id, Via::Reject, Some(json!({"name": "InvalidStateError", "message": "no"})));
        self.read(handle, "signalingState", json!(state), 1);
    }

    pub(crate) fn read(&mut self, handle: &str, name: &str, value: Value, polls: u32) {
        let value = (value != json!({"$undefined": true})).then_some(value);
        self.raws.push(Raw::Read(handle.to_owned(), name.to_owned(), value, polls));
    }

    pub(crate) fn emit(&mut self, handle: &str, kind: &str, event: Value) {
        self.raws.push(Raw::Emitted(handle.to_owned(), kind.to_owned(), event));
    }

    pub(crate) fn keep(&mut self, what: What) {
        self.raws.push(Raw::Kept(what));
    }

    pub(crate) fn awaited(&mut self, end: End, what: Await, met: bool) {
        self.keep(What::Awaited { end, what, of: String::new(), met, waited_ms: 10, instead: String::new() });
    }

    pub(crate) fn described(&mut self, local: bool, kind: &str, sdp: &str) {
        let (kind, sdp) = (kind.to_owned(), sdp.to_owned());
        self.keep(What::Peer { peer: 1, did: PeerDid::Description { local, kind, sdp, refused: None } });
    }

    /// createRTCPeerConnection and the five listeners.
    pub(crate) fn connection(&mut self, handle: &str, options: Value) {
        self.resolves("createRTCPeerConnection", options, connection(handle));
        for kind in ["icecandidate", "iceconnectionstatechange", "negotiationneeded", "signalingstatechange", "track"] {
            let (handle, kind) = (handle.to_owned(), kind.to_owned());
            self.keep(What::Listened { handle, kind, refused: None });
        }
    }

    /// Every value that a method answered with.
    pub(crate) fn answers(&mut self, method: &str) -> impl Iterator<Item = (&mut Via, &mut Option<Value>)> {
        let asked = |raw: &Raw| match raw {
            Raw::Call(id, _, name, _, None) if name.rsplit('.').next() == Some(method) => Some(*id),
            _ => None,
        };
        let ids: Vec<u64> = self.raws.iter().filter_map(asked).collect();
        self.of(ids)
    }

    /// Every answer to a call of this purpose.
    pub(crate) fn answers_to(&mut self, wanted: &str) -> impl Iterator<Item = (&mut Via, &mut Option<Value>)> {
        let asked = |raw: &Raw| match raw {
            Raw::Call(id, _, _, _, Some(purpose)) if purpose == wanted => Some(*id),
            _ => None,
        };
        let ids: Vec<u64> = self.raws.iter().filter_map(asked).collect();
        self.of(ids)
    }

    fn of(&mut self, ids: Vec<u64>) -> impl Iterator<Item = (&mut Via, &mut Option<Value>)> {
        assert!(!ids.is_empty(), "no such call");
        self.raws.iter_mut().filter_map(move |raw| match raw {
            Raw::Answer(id, via, value) if ids.contains(id) => Some((via, value)),
            _ => None,
        })
    }

    /// Every event of a type.
    pub(crate) fn events(&mut self, wanted: &str) -> impl Iterator<Item = &mut Value> {
        self.raws.iter_mut().filter_map(move |raw| match raw {
            Raw::Emitted(_, kind, value) if kind == wanted => Some(value),
            _ => None,
        })
    }

    /// Every reading of a property: its value and its polls.
    pub(crate) fn reads(&mut self, wanted: &str) -> impl Iterator<Item = (&mut Option<Value>, &mut u32)> {
        self.raws.iter_mut().filter_map(move |raw| match raw {
            Raw::Read(_, name, value, polls) if name == wanted => Some((value, polls)),
            _ => None,
        })
    }

    /// Drops the events of a type.
    pub(crate) fn silence(&mut self, wanted: &str) {
        self.raws.retain(|raw| !matches!(raw, Raw::Emitted(_, kind, _) if kind == wanted));
    }

    /// The answers to calls of this purpose never come.
    pub(crate) fn hangs(&mut self, wanted: &str) {
        let asked = |raw: &Raw| match raw {
            Raw::Call(id, _, _, _, Some(purpose)) if purpose == wanted => Some(*id),
            _ => None,
        };
        let ids: Vec<u64> = self.raws.iter().filter_map(asked).collect();
        for raw in &mut self.raws {
            if let Raw::Answer(id, ..) = raw
                && ids.contains(id)
            {
                *raw = Raw::Kept(What::NoResponse { id: *id, deadline_ms: 5_000, alive: true });
            }
        }
    }

    fn transcript(&self, capture: &mut Capture<'_>) -> Transcript {
        capture.begin();
        let mut whats = vec![What::Flow { flow: self.flow, with: Box::new(self.with.clone()) }];
        let mut calls: Vec<(u64, String, Value)> = Vec::new();
        let mut options = json!({});
        for (index, raw) in self.raws.iter().enumerate() {
            let step = index as u32 + 1;
            whats.push(match raw.clone() {
                Raw::Call(id, handle, method, request, purpose) => {
                    if method.ends_with(".createRTCPeerConnection") {
                        options = request.clone();
                    }
                    let given = if method.ends_with(".getConfiguration") { options.clone() } else { request.clone() };
                    calls.push((id, method.clone(), given));
                    let request = capture.request(&method, &request);
                    What::Call { id, step, method, handle, request, subject: None, purpose }
                }
                Raw::Answer(id, via, value) => {
                    let (_, method, request) = calls.iter().find(|(own, ..)| *own == id).unwrap();
                    let context = CallContext { method, request, subject: None };
                    What::Answer {
                        id,
                        via,
                        value: value.map(|value| capture.settlement(context, via, &value)),
                        bytes: 1,
                    }
                }
                Raw::Kept(what) => what,
                Raw::Read(handle, name, value, polls) => {
                    let value = value.map(|value| capture.property("RTCPeerConnection", &name, &value));
                    What::Read { handle, name, value, refused: None, polls }
                }
                Raw::Emitted(handle, kind, value) => {
                    let value = capture.event("RTCPeerConnection", &kind, &value);
                    What::Emitted { handle, kind, value, known: true }
                }
            });
        }
        // A second apart: whatever has to come had its time.
        let timed = (0..).step_by(1_000_000).zip(whats);
        let events = timed.map(|(at_us, what)| Event { at_us, late: false, what }).collect();
        let mut transcript = Transcript {
            scenario: "webrtc.script".into(),
            session: 1,
            referee: None,
            events,
            ended: self.ended.clone(),
        };
        capture.rescrub(&mut transcript);
        transcript
    }

    pub(crate) fn judged(&self) -> Judgement {
        let catalog = Catalog::embedded().unwrap();
        let ledger = Ledger::embedded().unwrap();
        let transcripts = [self.transcript(&mut Capture::new(catalog, false))];
        let sessions = [Session { session: 1, hello: hello() }];
        let header = RunHeader::default();
        let law = Law { ledger, suite: Suite::embedded().unwrap(), catalog };
        judge(law, Evidence { header: &header, sessions: &sessions, transcripts: &transcripts })
    }

    /// The requirements that hold.
    pub(crate) fn green(&self) -> BTreeSet<String> {
        self.with_outcome(|outcome| outcome == Outcome::Pass)
    }

    /// The requirements that are broken, or hold by an alias.
    pub(crate) fn red(&self) -> BTreeSet<String> {
        self.with_outcome(|outcome| matches!(outcome, Outcome::Fail | Outcome::Warn))
    }

    /// The requirements of which nothing can be said.
    pub(crate) fn grey(&self) -> BTreeSet<String> {
        self.with_outcome(|outcome| matches!(outcome, Outcome::Inconclusive | Outcome::CouldNotRun))
    }

    fn with_outcome(&self, wanted: impl Fn(Outcome) -> bool) -> BTreeSet<String> {
        let verdicts = self.judged().verdicts;
        verdicts.into_iter().filter(|verdict| wanted(verdict.outcome)).map(|verdict| verdict.requirement).collect()
    }
}

fn hello() -> Hello {
    serde_json::from_value(json!({
        "protocol": 1, "name": "script", "version": "1", "platform": "test", "integration": "integrated",
        "callStyle": "promise", "capabilities": ["webrtc"], "human": false,
    }))
    .unwrap()
}

/// A connection as the bridge sends it.
pub(crate) fn connection(handle: &str) -> Value {
    json!({"$handle": handle, "$class": "RTCPeerConnection", "own": ["signalingState"], "props": {"signalingState": "stable"}})
}
