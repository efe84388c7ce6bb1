//! From a transcript's events to the items of a time line.

use std::collections::HashMap;

use fincert_schemas::run::flow::{Act, Await, End, Evidence, TurnEvidence};
use fincert_schemas::run::{Captured, Ended, Event, Reason, Transcript, What};
use serde_json::Value;

use super::Who;
use super::call::{Calls, Outcome, name, outcomes};
use super::entry::{Candidates, Ending, Happening, Item, Trouble};
use super::peer::kind_of;
use crate::times::Unmet;

/// States and streams that follow one another within this time stand in one entry, in microseconds.
pub(super) const TOGETHER: u64 = 1_000_000;
/// The target's states that tell of its connection.
const CONNECTION: [&str; 3] = ["iceConnectionState", "conectionState", "connectionState"];
/// The target's state that tells of the negotiation.
const SIGNALING: &str = "signalingState";

/// What was gathered so far.
pub(super) struct Gathering<'a> {
    pub(super) items: Vec<Item<'a>>,
    endings: Vec<Ending<'a>>,
    outcomes: HashMap<u64, Outcome<'a>>,
    focus: Option<u32>,
    act: Option<Act>,
    /// Where the items of the present act begin. Nothing is put together across acts.
    section: usize,
    /// The target's states as they were last seen, by handle and property.
    states: HashMap<(&'a str, &'a str), &'a str>,
    /// The first connection of the target's that was seen.
    first: Option<&'a str>,
    closed: Vec<&'a str>,
    /// The streams that came, by peer and SSRC.
    pub(super) streams: Vec<(u32, u32)>,
    pub(super) counters: Vec<(u32, u64, &'a Evidence)>,
    turn: Option<(u64, &'a TurnEvidence)>,
}

impl<'a> Gathering<'a> {
    /// Gathers a transcript's events. What came after the scenario was closed is no part of the flow.
    pub(super) fn of(transcript: &'a Transcript, focus: Option<u32>) -> Self {
        let mut all = Self {
            items: Vec::new(),
            endings: Vec::new(),
            outcomes: outcomes(&transcript.events),
            focus,
            act: None,
            section: 0,
            states: HashMap::new(),
            first: None,
            closed: Vec::new(),
            streams: Vec::new(),
            counters: Vec::new(),
            turn: None,
        };
        for event in transcript.events.iter().filter(|event| !event.late) {
            all.take(event);
        }
        match &transcript.ended {
            Ended::Driven => {}
            Ended::Skipped { reason } => all.endings.push(Ending::Skipped(*reason)),
            Ended::Broken { reason, detail } => {
                // The call after which the bridge was dead has told of it.
                let told = matches!(all.endings.last(), Some(Ending::Silent { alive: false, .. }));
                if !told || *reason != Reason::TargetHung {
                    all.endings.push(Ending::Broken { reason: *reason, detail });
                }
            }
        }
        all
    }

    /// The items, not in order, and the endings in order.
    pub(super) fn finish(mut self) -> (Vec<Item<'a>>, Vec<Ending<'a>>) {
        let mut last: Vec<(u32, u64, &Evidence)> = Vec::new();
        for (peer, at_us, evidence) in std::mem::take(&mut self.counters) {
            last.retain(|(before, ..)| *before != peer);
            last.push((peer, at_us, evidence));
        }
        for (peer, at_us, evidence) in last {
            self.put(at_us, 2, Happening::Counters { peer, evidence });
        }
        if let Some((at_us, evidence)) = self.turn {
            self.put(at_us, 3, Happening::Turn(evidence));
        }
        (self.items, self.endings)
    }

    fn take(&mut self, event: &'a Event) {
        let at_us = event.at_us;
        match &event.what {
            What::Act { act } => {
                self.act = Some(*act);
                self.section = self.items.len();
                self.put(at_us, 4, Happening::Act(*act));
            }
            What::Call { id, step, method, handle, request, purpose, .. } => {
                let outcome = self.outcomes.get(id).copied().unwrap_or_default();
                self.call(at_us, *step, method, request, purpose.as_deref(), outcome);
                if let Some(handle) = handle.as_deref().filter(|_| name(method) == "close") {
                    self.closed.push(handle);
                }
            }
            What::Read { handle, name, value, refused, .. } => {
                if let Some(why) = refused {
                    self.trouble(at_us, Who::Target, 2, Trouble::Reading { name, why });
                } else if let Some(state) = value.as_ref().and_then(|value| value.value.as_str()) {
                    self.state(at_us, handle, name, state);
                }
            }
            What::Listened { kind, refused: Some(why), .. } => {
                self.trouble(at_us, Who::Target, 4, Trouble::Listening { kind, why });
            }
            What::Emitted { kind, known: false, .. } => {
                self.trouble(at_us, Who::Target, 2, Trouble::Unheard { kind });
            }
            What::Emitted { handle, kind, value, .. } => self.emitted(at_us, handle, kind, value),
            What::Awaited { end, what, of, met, waited_ms, instead } => {
                let unmet = Unmet { end: *end, act: self.act, what: *what, of, waited_ms: *waited_ms, instead };
                if *met { self.came(at_us, &unmet) } else { self.unmet(at_us, unmet) }
            }
            What::Peer { peer, did } => self.peer(at_us, *peer, did),
            What::Counted { peer, evidence } => self.counted(at_us, *peer, evidence),
            What::Turn { evidence } => self.turn = Some((at_us, evidence)),
            What::BadFrame { fault, .. } => self.trouble(at_us, Who::Target, 4, Trouble::Frame(*fault)),
            What::Gone { status } => self.trouble(at_us, Who::Target, 5, Trouble::Gone(status)),
            _ => {}
        }
    }

    pub(super) fn put(&mut self, at_us: u64, weight: u8, what: Happening<'a>) {
        self.items.push(Item { at_us, weight, what });
    }

    /// The items of the present act, the latest first.
    pub(super) fn recent(&mut self) -> impl Iterator<Item = &mut Item<'a>> {
        self.items[self.section..].iter_mut().rev()
    }

    fn call(
        &mut self,
        at_us: u64,
        step: u32,
        method: &'a str,
        request: &Captured,
        purpose: Option<&'a str>,
        outcome: Outcome<'a>,
    ) {
        if let Some(ending) = Ending::silent(method, at_us, outcome) {
            return self.silent(ending);
        }
        let focus = self.focus.filter(|focus| *focus == step);
        let Some(call) = Calls::one(method, request, purpose, outcome, focus) else { return };
        // That a track was stopped after the call is no part of the story.
        if call.method == "stop" && !call.is_trouble() && focus.is_none() {
            return;
        }
        let merged = self.recent().any(|item| match &mut item.what {
            Happening::Calls(calls) => calls.takes(&call),
            _ => false,
        });
        if !merged {
            self.put(at_us, call.weight(), Happening::Calls(call));
        }
    }

    fn silent(&mut self, ending: Ending<'a>) {
        if let (Some(Ending::Silent { method, alive, count, .. }), Ending::Silent { method: again, alive: now, .. }) =
            (self.endings.last_mut(), &ending)
            && method == again
        {
            *count += 1;
            *alive &= now;
            return;
        }
        self.endings.push(ending);
    }

    fn state(&mut self, at_us: u64, handle: &'a str, name: &'a str, state: &'a str) {
        let signaling = name == SIGNALING;
        if !signaling && !CONNECTION.contains(&name) || state.len() > 24 {
            return;
        }
        let before = self.states.insert((handle, name), state);
        let at_first = before.is_none() && matches!(state, "new" | "stable");
        let after_close = state == "closed" && self.closed.contains(&handle);
        if before == Some(state) || at_first || after_close {
            return;
        }
        let first = *self.first.get_or_insert(handle);
        let shown = if handle == first { "" } else { handle };
        let open = self.recent().find_map(|item| match &mut item.what {
            Happening::States { handle, chains }
                if *handle == shown
                    && chains.iter().any(|(other, _)| (*other == SIGNALING) == signaling)
                    && at_us.saturating_sub(item.at_us) <= TOGETHER =>
            {
                Some((&mut item.at_us, chains))
            }
            _ => None,
        });
        match open {
            Some((at, chains)) => {
                *at = at_us;
                match chains.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, states)) => states.push(state),
                    None => chains.push((name, vec![state])),
                }
            }
            None => {
                let chains = vec![(name, vec![state])];
                self.put(at_us, if signaling { 1 } else { 3 }, Happening::States { handle: shown, chains });
            }
        }
    }

    fn emitted(&mut self, at_us: u64, handle: &'a str, kind: &'a str, value: &'a Captured) {
        let carried = |key: &str| value.value.get(key).and_then(Value::as_str);
        match kind {
            "icecandidate" => {
                let text = value.value.pointer("/candidate/candidate").and_then(Value::as_str).unwrap_or_default();
                if !text.is_empty() {
                    self.candidates(at_us, |candidates| {
                        candidates.notified += 1;
                        candidates.types.extend(kind_of(text));
                    });
                }
            }
            "iceconnectionstatechange" => {
                if let Some(state) = carried("iceConnectionState") {
                    self.state(at_us, handle, "iceConnectionState", state);
                }
            }
            "signalingstatechange" => {
                if let Some(state) = carried(SIGNALING) {
                    self.state(at_us, handle, SIGNALING, state);
                }
            }
            _ => {
                let merged = self.recent().any(|item| match &mut item.what {
                    Happening::Events { kind: before, count } if *before == kind => {
                        *count += 1;
                        true
                    }
                    _ => false,
                });
                if !merged {
                    let weight = if kind == "track" { 2 } else { 1 };
                    self.put(at_us, weight, Happening::Events { kind, count: 1 });
                }
            }
        }
    }

    /// Adds to the candidates of the present act.
    pub(super) fn candidates(&mut self, at_us: u64, add: impl FnOnce(&mut Candidates<'a>)) {
        let open = self.recent().find_map(|item| match &mut item.what {
            Happening::Candidates(candidates) => Some(candidates),
            _ => None,
        });
        match open {
            Some(candidates) => add(candidates),
            None => {
                let mut candidates = Candidates::default();
                add(&mut candidates);
                self.put(at_us, 3, Happening::Candidates(candidates));
            }
        }
    }

    fn came(&mut self, at_us: u64, wait: &Unmet<'a>) {
        let who = if wait.end == End::Target { Who::Target } else { Who::Fincert };
        match wait.what {
            Await::ReceiverReport => {
                let of = wait.of;
                let open = self.recent().find_map(|item| match &mut item.what {
                    Happening::Reports(reports) => Some(reports),
                    _ => None,
                });
                match open {
                    Some(reports) => reports.push((of, at_us)),
                    None => self.put(at_us, 3, Happening::Reports(vec![(of, at_us)])),
                }
            }
            Await::TargetDisconnected | Await::TargetFailed | Await::PeerDisconnected => {
                let (what, of, waited_ms) = (wait.what, wait.of, wait.waited_ms);
                self.put(at_us, 3, Happening::Came { who, what, of, waited_ms });
            }
            // Events, states and counters tell of the others.
            _ => {}
        }
    }

    fn unmet(&mut self, at_us: u64, wait: Unmet<'a>) {
        let from_ms = (at_us / 1_000).saturating_sub(wait.waited_ms);
        self.endings.push(Ending::Unmet(wait, from_ms));
    }

    pub(super) fn trouble(&mut self, at_us: u64, who: Who, weight: u8, trouble: Trouble<'a>) {
        let merged = self.recent().any(|item| match &mut item.what {
            Happening::Trouble { trouble: before, count, .. } if *before == trouble => {
                *count += 1;
                true
            }
            _ => false,
        });
        if !merged {
            self.put(at_us, weight, Happening::Trouble { who, trouble, count: 1 });
        }
    }
}
