//! A flow's transcript as checks see it: objects of the target by handle, fincert's peers, acts.
//!
//! Order is told by positions: the index of an event in the transcript. What the target notified before it answered
//! stands before the answer, since there is one ordered channel.

use std::ops::Range;
use std::rc::Rc;

use fincert_schemas::run::flow::{Act, Await, Flow, FlowOptions, TurnEvidence};
use fincert_schemas::run::{Transcript, What};
use serde_json::Value;

use super::readings::{Reading, Readings};
use super::texts::{self, Text};

pub(crate) use super::parts::{Awaited, Described, Emitted, Listened, Peer, Read, RtcAnswer, RtcCall, Segment, Timed};

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
    /// Every description that the flow shows.
    pub(super) readings: Readings<'a>,
    /// The descriptions that the target made, in order.
    pub(super) texts: Vec<Text<'a>>,
}

impl<'a> Rtc<'a> {
    /// Sorts a flow's events; `None` where the transcript is no flow's. What is in `known` is not read again.
    pub(crate) fn new(transcript: &'a Transcript, known: Option<&Readings<'a>>) -> Option<Self> {
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
            readings: Readings::default(),
            texts: Vec::new(),
        };
        for (at, event) in transcript.events.iter().enumerate() {
            rtc.place(at, event.at_us, event.late, &event.what);
        }
        if rtc.is_of_calls() {
            // A peer that nothing was heard of was there all the same.
            for number in 1..=rtc.pcs.len() as u32 {
                rtc.peer_mut(number);
            }
        }
        rtc.read_descriptions(known);
        rtc.texts = texts::made(&rtc);
        Some(rtc)
    }

    fn read_descriptions(&mut self, known: Option<&Readings<'a>>) {
        let text = |value: Option<&'a Value>| value.and_then(|value| value.get("sdp")?.as_str());
        let called = self.calls.iter().flat_map(|call| [text(Some(&call.request.value)), text(call.value())]);
        let read = self.reads.iter().map(|read| text(read.value()));
        let described = self.peers.iter().flat_map(|peer| &peer.descriptions).map(|described| Some(described.sdp));
        let all: Vec<&'a str> = called.chain(read).chain(described).flatten().collect();
        for sdp in all {
            self.readings.add(sdp, known);
        }
    }

    /// A description, read.
    pub(crate) fn sdp(&self, text: &'a str) -> Rc<Reading<'a>> {
        self.readings.get(text).cloned().unwrap_or_else(|| Reading::of(text))
    }

    fn place(&mut self, at: usize, at_us: u64, late: bool, what: &'a What) {
        match what {
            What::Read { handle, name, value, refused, polls } => self.reads.push(Read {
                at,
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
                self.emitted.push(Emitted { at, handle, kind, captured: value, known: *known, late });
            }
            What::Act { act } => {
                if let Some(before) = self.acts.last_mut() {
                    before.span.end = at;
                }
                self.acts.push(Segment { act: *act, span: at..self.end });
            }
            What::Awaited { end, what, of, met, waited_ms, instead } => {
                self.awaited.push(Awaited { at, end: *end, what: *what, of, met: *met, waited_ms: *waited_ms, instead })
            }
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
                id: *id,
                step: *step,
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

    /// Whether each connection of the target has a peer, in the same order.
    fn is_of_calls(&self) -> bool {
        matches!(self.flow, Flow::Call | Flow::TwoCalls | Flow::Glare)
    }

    /// The connections of the target, in order.
    pub(crate) fn connections(&self) -> impl Iterator<Item = Pc<'_, 'a>> {
        self.pcs.iter().map(|handle| Pc { rtc: self, handle })
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

    /// The peer at its other end, in flows of calls.
    pub(crate) fn peer(&self) -> Option<&'v Peer<'a>> {
        self.rtc.peer(self.number()).filter(|_| self.rtc.is_of_calls())
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
