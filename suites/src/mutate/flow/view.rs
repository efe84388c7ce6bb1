//! A raw flow, sorted: the target's connections, its calls, readings and events, by their places in the transcript.

use std::ops::Range;

use fincert_schemas::bridge::Via;
use fincert_schemas::run::flow::{Act, Await, End, Flow, FlowOptions, PeerDid};
use fincert_schemas::run::{Transcript, What};
use serde_json::Value;

/// One call.
pub(super) struct Call<'a> {
    pub(super) event: usize,
    pub(super) id: u64,
    /// What stands behind the last dot of the method.
    pub(super) name: &'a str,
    pub(super) method: &'a str,
    pub(super) handle: Option<&'a str>,
    pub(super) request: &'a Value,
    pub(super) purpose: Option<&'a str>,
    pub(super) answer: Option<Answer<'a>>,
}

/// Its first answer.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) event: usize,
    pub(super) via: Via,
    pub(super) value: Option<&'a Value>,
}

/// One reading of a property.
pub(super) struct Read<'a> {
    pub(super) event: usize,
    pub(super) handle: &'a str,
    pub(super) name: &'a str,
    pub(super) value: Option<&'a Value>,
    pub(super) refused: bool,
}

/// One event of the target.
pub(super) struct Emitted<'a> {
    pub(super) event: usize,
    pub(super) handle: &'a str,
    pub(super) kind: &'a str,
    pub(super) value: &'a Value,
    /// Whether it is listened to and came in time.
    pub(super) timely: bool,
}

/// One wait.
#[derive(Clone, Copy)]
pub(super) struct Waited<'a> {
    pub(super) event: usize,
    pub(super) end: End,
    pub(super) what: Await,
    pub(super) of: &'a str,
    pub(super) met: bool,
}

/// The flow.
pub(super) struct Flowed<'a> {
    pub(super) transcript: &'a Transcript,
    pub(super) flow: Flow,
    pub(super) with: &'a FlowOptions,
    pub(super) calls: Vec<Call<'a>>,
    pub(super) reads: Vec<Read<'a>>,
    pub(super) emitted: Vec<Emitted<'a>>,
    pub(super) waits: Vec<Waited<'a>>,
    pub(super) acts: Vec<(Act, Range<usize>)>,
    /// The target's connections, in order.
    pub(super) pcs: Vec<&'a str>,
    pub(super) end: usize,
}

impl<'a> Flowed<'a> {
    pub(super) fn new(transcript: &'a Transcript) -> Option<Self> {
        let (flow, with) = transcript.events.iter().find_map(|event| match &event.what {
            What::Flow { flow, with } => Some((*flow, &**with)),
            _ => None,
        })?;
        let end = transcript.events.len();
        let mut flowed = Self {
            transcript,
            flow,
            with,
            calls: Vec::new(),
            reads: Vec::new(),
            emitted: Vec::new(),
            waits: Vec::new(),
            acts: Vec::new(),
            pcs: Vec::new(),
            end,
        };
        for (at, event) in transcript.events.iter().enumerate() {
            flowed.place(at, event.late, &event.what);
        }
        Some(flowed)
    }

    fn place(&mut self, event: usize, late: bool, what: &'a What) {
        match what {
            What::Call { id, method, handle, request, purpose, .. } => self.calls.push(Call {
                event,
                id: *id,
                name: method.rsplit('.').next().unwrap_or(method),
                method,
                handle: handle.as_deref(),
                request: &request.value,
                purpose: purpose.as_deref(),
                answer: None,
            }),
            What::Answer { id, via, value, .. } => {
                let value = value.as_ref().map(|captured| &captured.value);
                let Some(call) = self.calls.iter_mut().find(|call| call.id == *id && call.answer.is_none()) else {
                    return;
                };
                call.answer = Some(Answer { event, via: *via, value });
                let made = value.and_then(|value| value.get("$handle")?.as_str());
                if let Some(handle) = made.filter(|_| call.name == "createRTCPeerConnection") {
                    self.pcs.push(handle);
                }
            }
            What::Read { handle, name, value, refused, .. } => self.reads.push(Read {
                event,
                handle,
                name,
                value: value.as_ref().map(|captured| &captured.value),
                refused: refused.is_some(),
            }),
            What::Emitted { handle, kind, value, known } => {
                self.emitted.push(Emitted { event, handle, kind, value: &value.value, timely: *known && !late });
            }
            What::Awaited { end, what, of, met, .. } => {
                self.waits.push(Waited { event, end: *end, what: *what, of, met: *met });
            }
            What::Act { act } => {
                if let Some((_, span)) = self.acts.last_mut() {
                    span.end = event;
                }
                self.acts.push((*act, event..self.end));
            }
            _ => {}
        }
    }

    /// The calls of a connection.
    pub(super) fn of_pc<'v>(&'v self, pc: &'v str) -> impl DoubleEndedIterator<Item = &'v Call<'a>> {
        self.calls.iter().filter(move |call| call.handle == Some(pc))
    }

    /// The events of a connection that came in time, of one type.
    pub(super) fn events_of<'v>(
        &'v self,
        pc: &'v str,
        kind: &'v str,
    ) -> impl DoubleEndedIterator<Item = &'v Emitted<'a>> {
        self.emitted.iter().filter(move |event| event.timely && event.handle == pc && event.kind == kind)
    }

    /// The readings of a connection's property that brought something.
    pub(super) fn reads_of<'v>(&'v self, pc: &'v str, name: &'v str) -> impl DoubleEndedIterator<Item = &'v Read<'a>> {
        self.reads.iter().filter(move |read| read.handle == pc && read.name == name && !read.refused)
    }

    /// Where a connection was told to close.
    pub(super) fn closed(&self, pc: &str) -> usize {
        self.of_pc(pc).find(|call| call.name == "close").map_or(self.end, |call| call.event)
    }

    /// Whether a type of event was listened to before a position.
    pub(super) fn listens(&self, pc: &str, wanted: &str, before: usize) -> bool {
        self.transcript.events[..before].iter().any(|event| {
            matches!(&event.what, What::Listened { handle, kind, refused: None } if handle == pc && kind == wanted)
        })
    }

    /// The part of the flow before the first act.
    pub(super) fn set_up(&self) -> Range<usize> {
        0..self.acts.first().map_or(self.end, |(_, span)| span.start)
    }

    /// What fincert's peers did within positions.
    pub(super) fn peers_did(&self, span: Range<usize>) -> impl Iterator<Item = (usize, u32, &'a PeerDid)> {
        self.transcript.events[span.clone()].iter().enumerate().filter_map(move |(at, event)| match &event.what {
            What::Peer { peer, did } => Some((span.start + at, *peer, did)),
            _ => None,
        })
    }
}

impl Call<'_> {
    pub(super) fn succeeded(&self) -> bool {
        self.answer.is_some_and(|answer| answer.via.is_success())
    }

    pub(super) fn refused(&self) -> bool {
        self.answer.is_some_and(|answer| !answer.via.is_success())
    }

    /// The position of its answer.
    pub(super) fn answered(&self) -> usize {
        self.answer.map_or(self.event, |answer| answer.event)
    }

    pub(super) fn sets_description(&self) -> bool {
        matches!(self.name, "setLocalDescription" | "setRemoteDescription")
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.request.get(name)?.as_str()
    }
}
