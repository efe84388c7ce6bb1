//! A flow's transcript as checks see it: objects of the target by handle, fincert's peers, acts.
//!
//! Order is told by positions: the index of an event in the transcript. What the target notified before it answered
//! stands before the answer, since there is one ordered channel.

use std::ops::Range;

use fincert_schemas::bridge::Via;
use fincert_schemas::run::flow::{Act, Await, End, Evidence, Flow, FlowOptions, MediaKind, PeerDid, TurnEvidence};
use fincert_schemas::run::{Captured, Fact, Reason, Transcript, What};
use serde_json::Value;

/// The transcript of one flow.
#[derive(Debug)]
pub(crate) struct Rtc<'a> {
    /// What was driven.
    pub(crate) flow: Flow,
    /// How its call was set up.
    pub(crate) with: &'a FlowOptions,
    /// Every call, static ones too, in order.
    pub(crate) calls: Vec<RtcCall<'a>>,
    /// Every reading of a property, in order.
    pub(crate) reads: Vec<Read<'a>>,
    /// Every event that the target notified, in order.
    pub(crate) emitted: Vec<Emitted<'a>>,
    /// Every attempt to listen, in order.
    pub(crate) listened: Vec<Listened<'a>>,
    /// What was awaited, in order.
    pub(crate) awaited: Vec<Awaited<'a>>,
    /// The acts, in order; what comes before the first belongs to none.
    pub(crate) acts: Vec<Segment>,
    /// fincert's peers, by number.
    pub(crate) peers: Vec<Peer<'a>>,
    /// The TURN server's counters.
    pub(crate) turn: Vec<Timed<&'a TurnEvidence>>,
    /// The handles of the connections that the target made, in order.
    pub(crate) pcs: Vec<&'a str>,
    /// The number of events.
    pub(crate) end: usize,
}

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
    /// Microseconds since the scenario began.
    pub(crate) at_us: u64,
    /// The message's id.
    pub(crate) id: u64,
    /// The step, counted from 1.
    pub(crate) step: u32,
    /// The method in full, `RTCPeerConnection.createOffer`.
    pub(crate) method: &'a str,
    /// What stands behind its last dot, `createOffer`.
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
    /// Microseconds since the scenario began.
    pub(crate) at_us: u64,
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
    /// Microseconds since the scenario began.
    pub(crate) at_us: u64,
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
    /// Microseconds since the scenario began.
    pub(crate) at_us: u64,
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
    /// When it began.
    pub(crate) at_us: u64,
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
    /// Microseconds since the scenario began.
    pub(crate) at_us: u64,
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
    /// Its position.
    pub(crate) at: usize,
    /// Whether it is fincert's own.
    pub(crate) local: bool,
    /// The text.
    pub(crate) candidate: &'a str,
    /// Why it was not taken.
    pub(crate) refused: Option<&'a str>,
}

impl<'a> Rtc<'a> {
    /// Sorts a flow's events; `None` where the transcript is no flow's.
    pub(crate) fn new(transcript: &'a Transcript) -> Option<Self> {
        let (flow, with) = transcript.events.iter().find_map(|event| match &event.what {
            What::Flow { flow, with } => Some((*flow, &**with)),
            _ => None,
        })?;
        let mut rtc = Self {
            flow,
            with,
            calls: Vec::new(),
            reads: Vec::new(),
            emitted: Vec::new(),
            listened: Vec::new(),
            awaited: Vec::new(),
            acts: Vec::new(),
            peers: Vec::new(),
            turn: Vec::new(),
            pcs: Vec::new(),
            end: transcript.events.len(),
        };
        for (at, event) in transcript.events.iter().enumerate() {
            rtc.place(at, event.at_us, event.late, &event.what);
        }
        Some(rtc)
    }

    fn place(&mut self, at: usize, at_us: u64, late: bool, what: &'a What) {
        match what {
            What::Read { handle, name, value, refused, polls } => self.reads.push(Read {
                at,
                at_us,
                handle,
                name,
                captured: value.as_ref(),
                refused: refused.as_deref(),
                polls: *polls,
            }),
            What::Listened { handle, kind, refused } => {
                self.listened.push(Listened { at, handle, kind, refused: refused.as_deref() });
            }
            What::Emitted { handle, kind, value, known } => {
                self.emitted.push(Emitted { at, at_us, handle, kind, captured: value, known: *known, late });
            }
            What::Act { act } => {
                if let Some(before) = self.acts.last_mut() {
                    before.span.end = at;
                }
                self.acts.push(Segment { act: *act, span: at..self.end, at_us });
            }
            What::Awaited { end, what, of, met, waited_ms, instead } => self.awaited.push(Awaited {
                at,
                at_us,
                end: *end,
                what: *what,
                of,
                met: *met,
                waited_ms: *waited_ms,
                instead,
            }),
            What::Peer { peer, did } => self.peer_mut(*peer).place(at, at_us, did),
            What::Counted { peer, evidence } => {
                self.peer_mut(*peer).counted.push(Timed { at, at_us, what: evidence });
            }
            What::Turn { evidence } => self.turn.push(Timed { at, at_us, what: evidence }),
            _ => self.place_call(at, at_us, what),
        }
    }

    fn place_call(&mut self, at: usize, at_us: u64, what: &'a What) {
        match what {
            What::Call { id, step, method, handle, request, purpose, .. } => self.calls.push(RtcCall {
                at,
                at_us,
                id: *id,
                step: *step,
                method,
                name: method.rsplit('.').next().unwrap_or(method),
                handle: handle.as_deref(),
                request,
                purpose: purpose.as_deref(),
                answers: Vec::new(),
                refused: None,
                no_response: None,
                bad_frame: None,
            }),
            What::Answer { id, via, value, .. } => {
                let Some(call) = self.calls.iter_mut().rev().find(|call| call.id == *id) else { return };
                let late = call.no_response.is_some();
                call.answers.push(RtcAnswer { at, at_us, via: *via, value: value.as_ref(), late });
                if call.name == "createRTCPeerConnection"
                    && let Some(handle) = call.made()
                    && !self.pcs.contains(&handle)
                {
                    self.pcs.push(handle);
                }
            }
            What::Refused { id, code, message } => {
                if let Some(call) = self.calls.iter_mut().rev().find(|call| call.id == *id) {
                    call.refused = Some(Timed { at, at_us, what: (*code, message) });
                }
            }
            What::NoResponse { id, deadline_ms, alive } => {
                if let Some(call) = self.calls.iter_mut().rev().find(|call| call.id == *id) {
                    call.no_response = Some(Timed { at, at_us, what: (*deadline_ms, *alive) });
                }
            }
            What::BadFrame { fault, .. } => {
                for call in self.calls.iter_mut().filter(|call| call.is_open()) {
                    call.bad_frame.get_or_insert(*fault);
                }
            }
            _ => {}
        }
    }

    fn peer_mut(&mut self, number: u32) -> &mut Peer<'a> {
        match self.peers.iter().position(|peer| peer.number == number) {
            Some(index) => &mut self.peers[index],
            None => {
                self.peers.push(Peer { number, ..Peer::default() });
                let last = self.peers.len() - 1;
                &mut self.peers[last]
            }
        }
    }

    /// The connections of the target, in order.
    pub(crate) fn connections(&self) -> impl Iterator<Item = Pc<'_, 'a>> {
        self.pcs.iter().map(|handle| Pc { rtc: self, handle })
    }

    /// The first connection of the target: the only one of most flows.
    pub(crate) fn pc(&self) -> Option<Pc<'_, 'a>> {
        self.connections().next()
    }

    /// The peer of the number, counted from 1.
    pub(crate) fn peer(&self, number: u32) -> Option<&Peer<'a>> {
        self.peers.iter().find(|peer| peer.number == number)
    }

    /// The calls of a method by its name behind the last dot, in order.
    pub(crate) fn calls_of(&self, name: &str) -> impl Iterator<Item = &RtcCall<'a>> {
        self.calls.iter().filter(move |call| call.name == name)
    }

    /// The first segment of an act.
    pub(crate) fn act(&self, act: Act) -> Option<&Segment> {
        self.acts.iter().find(|segment| segment.act == act)
    }

    /// The act that a position belongs to.
    pub(crate) fn act_at(&self, at: usize) -> Option<Act> {
        self.acts.iter().rev().find(|segment| segment.span.start <= at).map(|segment| segment.act)
    }

    /// What was awaited, within positions.
    pub(crate) fn awaited_in(&self, span: Range<usize>, what: Await) -> impl Iterator<Item = &Awaited<'a>> {
        self.awaited.iter().filter(move |awaited| span.contains(&awaited.at) && awaited.what == what)
    }

    /// The kind of a track, by what getTracks told of it, or by what getUserMedia was asked for alone.
    pub(crate) fn track_kind(&self, track: &str) -> Option<&'a str> {
        let is_it = |item: &&'a Value| item.get("$handle").and_then(Value::as_str) == Some(track);
        let (call, item) = self.calls_of("getTracks").find_map(|call| {
            let items = call.value()?.as_array()?;
            Some((call, items.iter().find(is_it)?))
        })?;
        let told = item.pointer("/props/kind").and_then(Value::as_str);
        told.filter(|kind| matches!(*kind, "audio" | "video")).or_else(|| {
            let asked = self.calls_of("getUserMedia").find(|asked| asked.made() == call.handle)?;
            let wants = |kind: &str| asked.request.value.get(kind).is_some_and(|wish| *wish != Value::Bool(false));
            match (wants("audio"), wants("video")) {
                (true, false) => Some("audio"),
                (false, true) => Some("video"),
                _ => None,
            }
        })
    }

    /// The step of the last call at or before a position.
    pub(crate) fn step_at(&self, at: usize) -> u32 {
        self.calls.iter().rev().find(|call| call.at <= at).map_or(0, |call| call.step)
    }
}

impl<'a> Peer<'a> {
    fn place(&mut self, at: usize, at_us: u64, did: &'a PeerDid) {
        match did {
            PeerDid::Description { local, kind, sdp, refused } => {
                let refused = refused.as_deref();
                self.descriptions.push(Described { at, at_us, local: *local, kind, sdp, refused });
            }
            PeerDid::Candidate { local, candidate, refused } => {
                self.candidates.push(Handed { at, local: *local, candidate, refused: refused.as_deref() });
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

/// One connection of the target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pc<'v, 'a> {
    /// The whole flow.
    pub(crate) rtc: &'v Rtc<'a>,
    /// Its handle.
    pub(crate) handle: &'a str,
}

impl<'v, 'a> Pc<'v, 'a> {
    /// Its number among the target's connections, from 1.
    pub(crate) fn number(&self) -> u32 {
        self.rtc.pcs.iter().position(|handle| *handle == self.handle).unwrap_or_default() as u32 + 1
    }

    /// The peer at its other end. Only flows of calls give each connection a peer, in the same order.
    pub(crate) fn peer(&self) -> Option<&'v Peer<'a>> {
        let of_calls = matches!(self.rtc.flow, Flow::Call | Flow::TwoCalls | Flow::Glare);
        self.rtc.peer(self.number()).filter(|_| of_calls)
    }

    /// Its calls, in order.
    pub(crate) fn calls(self) -> impl Iterator<Item = &'v RtcCall<'a>> {
        self.rtc.calls.iter().filter(move |call| call.handle == Some(self.handle))
    }

    /// Its calls of one method, by the name behind the last dot.
    pub(crate) fn calls_of(self, name: &str) -> impl Iterator<Item = &'v RtcCall<'a>> {
        self.calls().filter(move |call| call.name == name)
    }

    /// Its readings of one property, in order.
    pub(crate) fn reads(self, name: &str) -> impl Iterator<Item = &'v Read<'a>> {
        self.rtc.reads.iter().filter(move |read| read.handle == self.handle && read.name == name)
    }

    /// The first reading of a property behind a position.
    pub(crate) fn read_after(self, at: usize, name: &str) -> Option<&'v Read<'a>> {
        self.reads(name).find(|read| read.at > at)
    }

    /// The last reading of a property before a position.
    pub(crate) fn read_before(self, at: usize, name: &str) -> Option<&'v Read<'a>> {
        self.reads(name).filter(|read| read.at < at).last()
    }

    /// Its events of one type, in order.
    pub(crate) fn events(self, kind: &str) -> impl Iterator<Item = &'v Emitted<'a>> {
        self.rtc.emitted.iter().filter(move |emitted| emitted.handle == self.handle && emitted.kind == kind)
    }

    /// Its events of one type within positions.
    pub(crate) fn events_in(self, span: Range<usize>, kind: &str) -> impl Iterator<Item = &'v Emitted<'a>> {
        self.events(kind).filter(move |emitted| span.contains(&emitted.at))
    }

    /// Whether an event's type was listened to before a position, without refusal.
    pub(crate) fn listens(self, kind: &str, before: usize) -> bool {
        let mut mine = self.rtc.listened.iter().filter(|l| l.handle == self.handle && l.kind == kind && l.at < before);
        mine.any(|listened| listened.refused.is_none())
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

    /// Whether it worked and gave a promise.
    pub(crate) fn resolved(&self) -> bool {
        self.answer().is_some_and(|answer| answer.via == Via::Resolve)
    }

    /// The handle of the object that the answer gave.
    pub(crate) fn made(&self) -> Option<&'a str> {
        self.answers.first()?.value?.value.get("$handle")?.as_str()
    }

    /// Whether nothing came of it yet.
    fn is_open(&self) -> bool {
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
