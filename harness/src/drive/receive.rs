//! What comes from a target: sorted to the call that it belongs to, captured, and kept within bounds.

use std::hash::{DefaultHasher, Hasher};
use std::time::Instant;

use fincert_schemas::bridge::{CallbackKind, CallbackParams, EventParams, Via};
use fincert_schemas::capture::{CallContext, Capture};
use fincert_schemas::run::{Event, Reason, What};
use serde_json::{Map, Value};

use super::inbound::{self, Message};
use super::session::{Lost, Reply, Session};
use crate::transport::Incoming;

/// Frames that one scenario may receive before it is a flood.
const MAX_FRAMES: u32 = 2_000;
/// The same for each call of a scenario that makes many: the answer, `complete`, and what should not come besides.
const MAX_FRAMES_A_CALL: u32 = 4;
/// Bytes that one scenario may receive before it is a flood.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// How many unusable frames a transcript keeps.
const KEPT_BAD_FRAMES: usize = 20;
/// The longest name of an object that is used, in bytes.
pub(super) const MAX_HANDLE: usize = 64;
/// How many events of objects a transcript keeps: of candidates, of each other type, and of all types that nobody
/// listens to. An ordinary call has some thirty, one with ten restarts of ICE a hundred candidates. Each type has a bound
/// of its own, so that a flood of candidates does not drive out the states.
const KEPT_CANDIDATES: u32 = 300;
const KEPT_EVENTS: u32 = 100;
/// How many characters of stderr a transcript keeps.
const KEPT_STDERR: usize = 4_000;

impl Session {
    /// Waits for one thing to come, or for the deadline; whether something came.
    pub(super) async fn hear(&mut self, deadline: Instant, capture: &mut Capture<'_>) -> Result<bool, Lost> {
        match tokio::time::timeout_at(deadline.into(), self.wire.incoming.recv()).await {
            Err(_) => Ok(false),
            Ok(None) => Err(Lost { reason: Reason::TargetExited, detail: "the connection is closed".to_owned() }),
            Ok(Some((at, incoming))) => {
                // stderr counts for no flood, so an endless one must not keep the deadline from passing.
                let counts = at <= deadline || !matches!(incoming, Incoming::Stderr(_));
                self.take(at, incoming, capture).map(|()| counts)
            }
        }
    }

    fn take(&mut self, at: Instant, incoming: Incoming, capture: &mut Capture<'_>) -> Result<(), Lost> {
        match incoming {
            Incoming::Frame(bytes) => {
                self.scene.frames += 1;
                self.scene.bytes += bytes.len() as u64;
                self.scene.last = at;
                let size = bytes.len() as u64;
                let (message, faults) = inbound::read(&bytes);
                for (fault, place) in faults {
                    let what = What::Lexical { fault: fault.to_owned(), at: capture.text(&place, 200) };
                    self.note(what);
                }
                self.message(message, &bytes, size, capture);
            }
            Incoming::TooLarge { bytes, head } => {
                self.scene.bytes += bytes.min(MAX_BYTES / 4);
                self.scene.frames += 1;
                self.bad(Reason::FrameTooLarge, format!("{bytes} bytes"), &head, bytes, capture);
            }
            Incoming::Stderr(text) => {
                // What is not kept is not looked at, so that a talkative target is not slowed down.
                if self.scene.stderr < KEPT_STDERR {
                    let text = capture.text(&text, 400);
                    self.scene.stderr += text.chars().count() + 1;
                    self.note(What::Stderr { text });
                }
                return Ok(());
            }
            Incoming::Gone(status) => {
                let status = capture.text(&status, 200);
                self.note(What::Gone { status: status.clone() });
                return Err(Lost { reason: Reason::TargetExited, detail: status });
            }
        }
        let most = MAX_FRAMES.max(self.scene.calls.saturating_mul(MAX_FRAMES_A_CALL));
        if self.scene.frames > most || self.scene.bytes > MAX_BYTES {
            let detail = format!("{} frames, {} bytes", self.scene.frames, self.scene.bytes);
            return Err(Lost { reason: Reason::Flood, detail });
        }
        Ok(())
    }

    fn message(&mut self, message: Message, bytes: &[u8], size: u64, capture: &mut Capture<'_>) {
        match message {
            Message::Unusable { reason, detail } => self.bad(reason, detail, bytes, size, capture),
            Message::Answer { id, result } => {
                if let Some(slot) = self.internal.get_mut(&id) {
                    *slot = Some(result);
                } else if self.made.contains_key(&id) {
                    self.answer(id, result, bytes, size, capture);
                } else {
                    self.bad(Reason::UnknownId, format!("id {id}"), bytes, size, capture);
                }
            }
            Message::Callback(callback) => self.callback(callback, bytes, size, capture),
            Message::Sloppy(callback, detail) => {
                self.bad(Reason::NotAMessage, detail, bytes, size, capture);
                self.callback(callback, bytes, size, capture);
            }
            Message::Event(event) => self.event(event, capture),
        }
    }

    fn callback(&mut self, callback: CallbackParams, bytes: &[u8], size: u64, capture: &mut Capture<'_>) {
        let Some(made) = self.made.get_mut(&callback.id) else {
            self.bad(Reason::UnknownId, format!("bridge.callback for id {}", callback.id), bytes, size, capture);
            return;
        };
        made.completes += u32::from(callback.kind == CallbackKind::Complete);
        let via = match callback.kind {
            CallbackKind::Success => Via::Success,
            CallbackKind::Fail => Via::Fail,
            CallbackKind::Cancel => Via::Cancel,
            // complete hands over what success or fail did.
            CallbackKind::Complete => made.via.unwrap_or(Via::Success),
        };
        let context = CallContext { method: &made.method, request: &made.request, subject: made.subject.as_ref() };
        let as_answered = made.answered.is_some() && made.answered == callback.value.as_ref().map(hash);
        let fresh = callback.value.as_ref().filter(|_| !as_answered);
        let value = fresh.map(|value| capture.settlement(context, via, value));
        let what = What::Callback { id: callback.id, kind: callback.kind, seq: callback.seq, as_answered, value };
        self.file(callback.id, what);
    }

    /// An event of an object of the target's. What nobody listens to is kept as such, and steers nothing.
    fn event(&mut self, event: EventParams, capture: &mut Capture<'_>) {
        let known = self.scene.listened.contains(&(event.this.clone(), event.kind.clone()));
        let kind = if known { event.kind.as_str() } else { "" };
        let most = if kind == "icecandidate" { KEPT_CANDIDATES } else { KEPT_EVENTS };
        let emitted = self.scene.emitted.entry(kind.to_owned()).or_default();
        *emitted += 1;
        if *emitted > most {
            self.scene.omitted += 1;
            return;
        }
        let class = self.scene.classes.get(&event.this).map_or("", String::as_str);
        let value = capture.event(class, &event.kind, &event.event);
        let (handle, kind) = (capture.handle(&event.this), capture.text(&event.kind, 64));
        self.note(What::Emitted { handle, kind, value, known });
        if known {
            self.scene.heard.push(essence(event));
        }
    }

    fn answer(&mut self, id: u64, result: Reply, bytes: &[u8], size: u64, capture: &mut Capture<'_>) {
        let settlement = match inbound::settlement(result) {
            Ok(settlement) => settlement,
            Err(inbound::NoSettlement::Refused(code, message)) => {
                if let Some(made) = self.made.get_mut(&id) {
                    made.settled = true;
                    made.refused = true;
                }
                // No JSON-RPC code is that long; a longer number may be anything.
                let code = if code.abs() < 1_000_000 { code } else { 0 };
                let what = What::Refused { id, code, message: capture.text(&message, 200) };
                return self.file(id, what);
            }
            Err(inbound::NoSettlement::Malformed(detail)) => {
                return self.bad(Reason::NotAMessage, detail, bytes, size, capture);
            }
        };
        let Some(made) = self.made.get_mut(&id) else { return };
        let first = !std::mem::replace(&mut made.settled, true);
        made.via.get_or_insert(settlement.via);
        made.answered = made.answered.or(settlement.value.as_ref().map(hash));
        if first && (made.handle.is_some() || made.is_flow()) {
            made.raw = Some(settlement.clone());
        }
        let context = CallContext { method: &made.method, request: &made.request, subject: made.subject.as_ref() };
        let value = settlement.value.as_ref().map(|value| capture.settlement(context, settlement.via, value));
        self.file(id, What::Answer { id, via: settlement.via, value, bytes: size });
    }

    /// Puts an event of a call into the transcript at hand, or among the strays of the call's own scenario.
    fn file(&mut self, id: u64, what: What) {
        let Some(made) = self.made.get(&id) else { return };
        if made.scenario == self.scene.scenario && id >= self.scene.first_id {
            self.note(what);
        } else {
            let at_us = u64::try_from(made.sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.strays.push((made.scenario.clone(), Event { at_us, late: true, what }));
        }
    }

    /// An object whose name cannot be used: no flow goes on with it.
    pub(super) fn unusable_handle(&mut self, object: &Value, capture: &mut Capture<'_>) {
        let detail = format!("$handle is a text of 1 to {MAX_HANDLE} bytes");
        let text = object.get("$handle").unwrap_or(&Value::Null).to_string();
        self.bad(Reason::NotAMessage, detail, text.as_bytes(), text.len() as u64, capture);
    }

    fn bad(&mut self, fault: Reason, detail: String, bytes: &[u8], size: u64, capture: &mut Capture<'_>) {
        self.scene.bad += 1;
        if self.scene.bad > KEPT_BAD_FRAMES {
            return;
        }
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]).into_owned();
        let what =
            What::BadFrame { fault, detail: capture.text(&detail, 200), quote: capture.text(&head, 160), bytes: size };
        self.note(what);
    }
}

/// What of an event flows go by: the candidate as it is handed on, and the state of ICE. The rest may be large.
fn essence(mut event: EventParams) -> EventParams {
    let all = std::mem::take(&mut event.event);
    let mut kept = Map::new();
    if let Value::Object(mut all) = all {
        if let Some(candidate) = all.remove("candidate") {
            let candidate = match candidate {
                Value::Object(members) => {
                    let handed_on = members.into_iter().filter(|(name, _)| CANDIDATE.contains(&name.as_str()));
                    Value::Object(handed_on.map(|(name, value)| (name, scalar(value))).collect())
                }
                other => scalar(other),
            };
            kept.insert("candidate".to_owned(), candidate);
        }
        if let Some(state) = all.remove("iceConnectionState") {
            kept.insert("iceConnectionState".to_owned(), scalar(state));
        }
    }
    EventParams { event: Value::Object(kept), ..event }
}

/// The members of a candidate that addIceCandidate takes (W3C webrtc-pc, RTCIceCandidateInit).
const CANDIDATE: [&str; 4] = ["candidate", "sdpMid", "sdpMLineIndex", "usernameFragment"];

/// A value that holds no others; what does is none that a candidate has, and is not mistaken for a missing one.
fn scalar(value: Value) -> Value {
    if value.is_array() || value.is_object() { Value::Bool(false) } else { value }
}

/// Tells equal values from others, well enough to save capturing one twice.
fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(&serde_json::to_vec(value).unwrap_or_default());
    hasher.finish()
}
