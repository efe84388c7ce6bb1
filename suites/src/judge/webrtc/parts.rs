//! The parts of a flow's transcript: calls, readings, events, waits, and what fincert's peers did and saw.

use std::ops::Range;

use fincert_schemas::bridge::Via;
use fincert_schemas::run::flow::{Act, Await, End, Evidence, MediaKind, PeerDid};
use fincert_schemas::run::{Captured, Fact, Reason};
use serde_json::Value;

/// Something, with its place in the transcript.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed<T> {
    /// Its position.
    pub(crate) at: usize,
    /// Microseconds since the scenario began.
    pub(crate) at_us: u64,
    /// What it is.
    pub(crate) what: T,
}

/// One call and what became of it.
#[derive(Debug)]
pub(crate) struct RtcCall<'a> {
    /// Its position.
    pub(crate) at: usize,
    /// The message's id.
    pub(crate) id: u64,
    /// The step, counted from 1.
    pub(crate) step: u32,
    /// The method, by what stands behind its last dot: `createOffer`.
    pub(crate) name: &'a str,
    /// The object whose method it is.
    pub(crate) handle: Option<&'a str>,
    /// The first argument.
    pub(crate) request: &'a Captured,
    /// What it is made for, where method and argument do not say.
    pub(crate) purpose: Option<&'a str>,
    /// Answers, in order; more than one is wrong.
    pub(crate) answers: Vec<RtcAnswer<'a>>,
    /// The bridge's refusal: position, code and message.
    pub(crate) refused: Option<Timed<(i64, &'a str)>>,
    /// The deadline that passed, in milliseconds, and whether the bridge was alive.
    pub(crate) no_response: Option<Timed<(u64, bool)>>,
    /// Why an answer could not be read, where an unusable frame came while the call waited.
    pub(crate) bad_frame: Option<Reason>,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RtcAnswer<'a> {
    /// Its position.
    pub(crate) at: usize,
    /// Microseconds since the scenario began.
    pub(crate) at_us: u64,
    /// The channel.
    pub(crate) via: Via,
    /// The value.
    pub(crate) value: Option<&'a Captured>,
    /// Whether it came after the deadline.
    pub(crate) late: bool,
}

/// One reading of a property.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read<'a> {
    /// Its position.
    pub(crate) at: usize,
    /// The object.
    pub(crate) handle: &'a str,
    /// The property.
    pub(crate) name: &'a str,
    /// What it was; `None` when it was undefined.
    pub(crate) captured: Option<&'a Captured>,
    /// Why it could not be read.
    pub(crate) refused: Option<&'a str>,
    /// How often it was read until it was this.
    pub(crate) polls: u32,
}

/// One event of the target's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Emitted<'a> {
    /// Its position.
    pub(crate) at: usize,
    /// The object.
    pub(crate) handle: &'a str,
    /// The type.
    pub(crate) kind: &'a str,
    /// What it carried.
    pub(crate) captured: &'a Captured,
    /// Whether fincert knows the handle and listens to the type.
    pub(crate) known: bool,
    /// Whether it came after the scenario had been closed.
    pub(crate) late: bool,
}

/// One attempt to listen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listened<'a> {
    /// Its position.
    pub(crate) at: usize,
    /// The object.
    pub(crate) handle: &'a str,
    /// The type.
    pub(crate) kind: &'a str,
    /// Why it was refused.
    pub(crate) refused: Option<&'a str>,
}

/// Something that was awaited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Awaited<'a> {
    /// The position of its end.
    pub(crate) at: usize,
    /// At which end.
    pub(crate) end: End,
    /// What.
    pub(crate) what: Await,
    /// Of which kind, type or name.
    pub(crate) of: &'a str,
    /// Whether it came.
    pub(crate) met: bool,
    /// How long it was waited for.
    pub(crate) waited_ms: u64,
    /// What did happen instead.
    pub(crate) instead: &'a str,
}

/// One act: from where it was begun to where the next one was.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// Which.
    pub(crate) act: Act,
    /// Its positions.
    pub(crate) span: Range<usize>,
}

/// One of fincert's peers.
#[derive(Debug, Default)]
pub(crate) struct Peer<'a> {
    /// Its number, from 1.
    pub(crate) number: u32,
    /// The descriptions that were set, in order; `local` is fincert's own.
    pub(crate) descriptions: Vec<Described<'a>>,
    /// Candidates, in order.
    pub(crate) candidates: Vec<Handed<'a>>,
    /// States of ICE.
    pub(crate) ice: Vec<Timed<&'a str>>,
    /// States of the connection.
    pub(crate) connection: Vec<Timed<&'a str>>,
    /// Media of the target that was announced: kind and mid.
    pub(crate) tracks: Vec<Timed<(MediaKind, &'a str)>>,
    /// Methods that failed: which and why.
    pub(crate) failed: Vec<Timed<(&'a str, &'a str)>>,
    /// Where it closed.
    pub(crate) closed: Option<Timed<()>>,
    /// Where it fell silent.
    pub(crate) vanished: Option<Timed<()>>,
    /// Its counters, in order.
    pub(crate) counted: Vec<Timed<&'a Evidence>>,
}

/// A description that a peer set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described<'a> {
    /// Its position.
    pub(crate) at: usize,
    /// Whether it is fincert's own; otherwise the target made it.
    pub(crate) local: bool,
    /// `offer` or `answer`.
    pub(crate) kind: &'a str,
    /// The text.
    pub(crate) sdp: &'a str,
    /// Why the peer refused it.
    pub(crate) refused: Option<&'a str>,
}

/// A candidate of a peer's, or one that it was handed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handed<'a> {
    /// Whether it is fincert's own.
    pub(crate) local: bool,
    /// The text.
    pub(crate) candidate: &'a str,
    /// Why it was not taken.
    pub(crate) refused: Option<&'a str>,
}

impl<'a> Peer<'a> {
    pub(super) fn place(&mut self, at: usize, at_us: u64, did: &'a PeerDid) {
        match did {
            PeerDid::Description { local, kind, sdp, refused } => {
                let refused = refused.as_deref();
                self.descriptions.push(Described { at, local: *local, kind, sdp, refused });
            }
            PeerDid::Candidate { local, candidate, refused } => {
                self.candidates.push(Handed { local: *local, candidate, refused: refused.as_deref() });
            }
            PeerDid::Ice { state } => self.ice.push(Timed { at, at_us, what: state }),
            PeerDid::Connection { state } => self.connection.push(Timed { at, at_us, what: state }),
            PeerDid::Track { kind, mid } => self.tracks.push(Timed { at, at_us, what: (*kind, mid) }),
            PeerDid::Failed { method, why } => self.failed.push(Timed { at, at_us, what: (method, why) }),
            PeerDid::Closed => self.closed = self.closed.or(Some(Timed { at, at_us, what: () })),
            PeerDid::Vanished => self.vanished = self.vanished.or(Some(Timed { at, at_us, what: () })),
        }
    }

    /// The descriptions that the target made.
    pub(crate) fn of_target(&self) -> impl Iterator<Item = &Described<'a>> {
        self.descriptions.iter().filter(|described| !described.local)
    }

    /// The last counters at or before a position.
    pub(crate) fn counted_until(&self, at: usize) -> Option<&Timed<&'a Evidence>> {
        self.counted.iter().rev().find(|counted| counted.at <= at)
    }

    /// The counters within positions, in order.
    pub(crate) fn counted_in(&self, span: Range<usize>) -> impl Iterator<Item = &Timed<&'a Evidence>> {
        self.counted.iter().filter(move |counted| span.contains(&counted.at))
    }
}

impl<'a> RtcCall<'a> {
    /// The first answer, if it came in time.
    pub(crate) fn answer(&self) -> Option<RtcAnswer<'a>> {
        self.answers.first().copied().filter(|answer| !answer.late)
    }

    /// The position of the answer that came in time.
    pub(crate) fn answered_at(&self) -> Option<usize> {
        self.answer().map(|answer| answer.at)
    }

    /// The answer's value, with its facts.
    pub(crate) fn captured(&self) -> Option<&'a Captured> {
        self.answer()?.value
    }

    /// The answer's value.
    pub(crate) fn value(&self) -> Option<&'a Value> {
        Some(&self.captured()?.value)
    }

    /// The facts of the answer.
    pub(crate) fn facts(&self) -> &'a [Fact] {
        self.captured().map_or(&[], |captured| &captured.facts)
    }

    /// Whether it worked.
    pub(crate) fn succeeded(&self) -> bool {
        self.answer().is_some_and(|answer| answer.via.is_success())
    }

    /// Whether it was rejected or threw.
    pub(crate) fn was_refused(&self) -> bool {
        self.answer().is_some_and(|answer| !answer.via.is_success())
    }

    /// The handle of the object that the answer gave.
    pub(crate) fn made(&self) -> Option<&'a str> {
        self.answers.first()?.value?.value.get("$handle")?.as_str()
    }

    /// Whether nothing came of it yet.
    pub(super) fn is_open(&self) -> bool {
        self.answers.is_empty() && self.refused.is_none() && self.no_response.is_none()
    }

    /// In a few words, what came of it.
    pub(crate) fn outcome(&self) -> String {
        match (self.answers.first(), self.refused, self.no_response) {
            (Some(answer), _, _) if answer.late => format!("an answer after its deadline, by {}", answer.via.as_str()),
            (Some(answer), _, _) if answer.via.is_success() => answer.via.as_str().to_owned(),
            (Some(answer), _, _) => match answer.value.and_then(|captured| error_text(&captured.value)) {
                Some(text) => format!("{}: {text}", answer.via.as_str()),
                None => answer.via.as_str().to_owned(),
            },
            (None, Some(refused), _) => format!("JSON-RPC error {}: {}", refused.what.0, refused.what.1),
            (None, None, Some(silent)) => format!("no answer within {} ms", silent.what.0),
            (None, None, None) => "no answer".to_owned(),
        }
    }
}

/// The words of an error value: its name and message.
pub(crate) fn error_text(value: &Value) -> Option<String> {
    let part = |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    match (part("name"), part("message")) {
        (Some(name), Some(message)) => Some(format!("{name}: {message}")),
        (one, other) => one.or(other).or(value.as_str()).map(str::to_owned),
    }
}

impl<'a> Read<'a> {
    /// What it was; `None` when it was undefined or could not be read.
    pub(crate) fn value(&self) -> Option<&'a Value> {
        self.captured.map(|captured| &captured.value)
    }

    /// The text that it was.
    pub(crate) fn text(&self) -> Option<&'a str> {
        self.value()?.as_str()
    }
}

impl<'a> Emitted<'a> {
    /// What it carried.
    pub(crate) fn value(&self) -> &'a Value {
        &self.captured.value
    }
}
