//! A transcript, event by event, and what the checks of this subject say of it.

use std::collections::BTreeSet;

use fincert_schemas::Ledger;
use fincert_schemas::bridge::{Hello, Via};
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::flow::{
    Act, Await, End, Evidence as Counters, Flow, FlowOptions, MediaKind, PeerDid, Received, Sent, TurnEvidence,
};
use fincert_schemas::run::{Captured, Ended, Event, Finding, Outcome, RunHeader, Session, Transcript, What};
use fincert_suites::Suite;
use fincert_suites::judge::{self, Evidence, Law};
use serde_json::{Value, json};

/// The checks that are under test here; others see these transcripts, too, and may have their own opinion.
const OURS: &[&str] = &[
    "webrtc-connects",
    "webrtc-candidates-by-event",
    "webrtc-kinds",
    "webrtc-two-connections",
    "webrtc-renegotiation",
    "webrtc-glare",
    "webrtc-fincert-closes",
    "webrtc-media-sent",
    "webrtc-media-received",
    "webrtc-adds-video",
    "webrtc-track-stop-media",
    "webrtc-close-stops-media",
    "webrtc-wrong-fingerprint",
    "webrtc-dtls-roles",
    "webrtc-ice-state",
    "webrtc-ice-state-order",
    "webrtc-peer-vanishes",
    "webrtc-ice-restart",
    "webrtc-ice-restart-media",
    "webrtc-relay-only",
    "webrtc-relayed-media",
    "webrtc-wrong-turn-credential",
    "webrtc-sdp-form",
    "webrtc-sdp-profile",
    "webrtc-sdp-setup",
    "webrtc-sdp-ice-credentials",
    "webrtc-sdp-fingerprint",
    "webrtc-sdp-bundle",
    "webrtc-sdp-rtcp-mux",
    "webrtc-sdp-codecs",
    "webrtc-sdp-origin",
    "webrtc-sdp-mids",
    "webrtc-sdp-answer-order",
    "webrtc-sdp-msid",
    "webrtc-sdp-unsupported",
    "webrtc-offer-to-receive",
    "webrtc-offer-ice-restart",
    "webrtc-candidate-object",
    "webrtc-candidate-agrees",
    "webrtc-candidate-priority",
];

#[derive(Debug, Clone)]
pub(crate) struct Tape {
    pub(crate) events: Vec<Event>,
    pub(crate) now_us: u64,
    id: u64,
    step: u32,
}

fn captured(value: Value) -> Captured {
    Captured { value, facts: Vec::new() }
}

impl Tape {
    pub(crate) fn new(flow: Flow, with: &FlowOptions) -> Self {
        let mut tape = Self { events: Vec::new(), now_us: 0, id: 0, step: 0 };
        tape.note(What::Flow { flow, with: Box::new(with.clone()) });
        tape
    }

    pub(crate) fn note(&mut self, what: What) {
        self.now_us += 10_000;
        self.events.push(Event { at_us: self.now_us, late: false, what });
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.now_us += ms * 1_000;
    }

    /// A call and its answer; `None` for one that nothing came of.
    pub(crate) fn call(&mut self, handle: Option<&str>, method: &str, request: Value, answer: Option<(Via, Value)>) {
        self.call_for(handle, method, request, answer, None);
    }

    pub(crate) fn call_for(
        &mut self,
        handle: Option<&str>,
        method: &str,
        request: Value,
        answer: Option<(Via, Value)>,
        purpose: Option<&str>,
    ) {
        self.id += 1;
        self.step += 1;
        let (id, handle, purpose) = (self.id, handle.map(str::to_owned), purpose.map(str::to_owned));
        self.note(What::Call {
            id,
            step: self.step,
            method: method.to_owned(),
            handle,
            request: captured(request),
            subject: None,
            purpose,
        });
        match answer {
            Some((via, value)) => {
                let value = (!value.is_null()).then(|| captured(value));
                self.note(What::Answer { id, via, value, bytes: 100 });
            }
            None => self.note(What::NoResponse { id, deadline_ms: 5_000, alive: true }),
        }
    }

    /// A call that resolves.
    pub(crate) fn resolves(&mut self, handle: Option<&str>, method: &str, request: Value, value: Value) {
        self.call(handle, method, request, Some((Via::Resolve, value)));
    }

    pub(crate) fn read(&mut self, handle: &str, name: &str, value: Value) {
        let value = Some(captured(value));
        self.note(What::Read { handle: handle.to_owned(), name: name.to_owned(), value, refused: None, polls: 1 });
    }

    pub(crate) fn emit(&mut self, handle: &str, kind: &str, value: Value) {
        let (handle, kind) = (handle.to_owned(), kind.to_owned());
        self.note(What::Emitted { handle, kind, value: captured(value), known: true });
    }

    pub(crate) fn listen(&mut self, handle: &str) {
        for kind in ["icecandidate", "iceconnectionstatechange", "negotiationneeded", "signalingstatechange", "track"] {
            self.note(What::Listened { handle: handle.to_owned(), kind: kind.to_owned(), refused: None });
        }
    }

    pub(crate) fn act(&mut self, act: Act) {
        self.note(What::Act { act });
    }

    pub(crate) fn wait(&mut self, end: End, what: Await, of: &str, met: bool) {
        self.pass(300);
        let (waited_ms, instead) = if met { (300, "") } else { (8_000, "something else") };
        self.note(What::Awaited { end, what, of: of.to_owned(), met, waited_ms, instead: instead.to_owned() });
    }

    pub(crate) fn peer(&mut self, peer: u32, did: PeerDid) {
        self.note(What::Peer { peer, did });
    }

    pub(crate) fn count(&mut self, peer: u32, evidence: &Counters) {
        self.note(What::Counted { peer, evidence: Box::new(evidence.clone()) });
    }

    pub(crate) fn turn(&mut self, allocations: u32, refused: u32, relayed_bytes: u64) {
        self.note(What::Turn { evidence: TurnEvidence { allocations, refused, relayed_bytes } });
    }

    /// Changes every event, or drops it where the closure says so.
    pub(crate) fn edit(mut self, mut change: impl FnMut(&mut What) -> bool) -> Self {
        self.events.retain_mut(|event| change(&mut event.what));
        self
    }

    /// Changes the target's own descriptions, wherever they stand.
    pub(crate) fn edit_target_sdp(self, mut change: impl FnMut(&str, &str) -> String) -> Self {
        let mut made = BTreeSet::new();
        let tape = self.edit(|what| {
            let slot = match what {
                What::Answer { value: Some(captured), .. } => &mut captured.value,
                _ => return true,
            };
            let kind = slot.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(sdp) = slot.get("sdp").and_then(Value::as_str).map(str::to_owned) {
                let new = change(&sdp, &kind);
                slot["sdp"] = json!(new);
                made.insert((sdp, new));
            }
            true
        });
        tape.edit(|what| {
            if let What::Peer { did: PeerDid::Description { local: false, sdp, .. }, .. } = what
                && let Some((_, new)) = made.iter().find(|(old, _)| old == sdp)
            {
                sdp.clone_from(new);
            }
            true
        })
    }

    /// Changes fincert's descriptions.
    pub(crate) fn edit_own_sdp(self, change: impl Fn(&str) -> String) -> Self {
        self.edit(|what| {
            if let What::Peer { did: PeerDid::Description { local: true, sdp, .. }, .. } = what {
                *sdp = change(sdp);
            }
            true
        })
    }

    /// Changes what icecandidate events carry.
    pub(crate) fn edit_candidates(self, change: impl Fn(&mut Value)) -> Self {
        self.edit(|what| {
            if let What::Emitted { kind, value, .. } = what
                && kind == "icecandidate"
            {
                change(&mut value.value);
            }
            true
        })
    }

    /// Changes the counters of the peer, each with its number from 0.
    pub(crate) fn edit_counters(self, change: impl Fn(usize, &mut Counters)) -> Self {
        let mut number = 0;
        self.edit(|what| {
            if let What::Counted { evidence, .. } = what {
                change(number, evidence);
                number += 1;
            }
            true
        })
    }

    /// Lets a wait fail.
    pub(crate) fn unmet(self, await_what: Await, await_of: &str) -> Self {
        self.edit(|what| {
            if let What::Awaited { what, of, met, waited_ms, instead, .. } = what
                && *what == await_what
                && of == await_of
            {
                (*met, *waited_ms, *instead) = (false, 8_000, "nothing of the kind".to_owned());
            }
            true
        })
    }

    /// The same for the last wait of the kind alone.
    pub(crate) fn unmet_last(self, await_what: Await, await_of: &str) -> Self {
        let is_it = |event: &Event| matches!(&event.what, What::Awaited { what, of, .. } if *what == await_what && of == await_of);
        let last = self.events.iter().rposition(is_it).unwrap();
        let mut index = 0;
        self.edit(|what| {
            if let What::Awaited { met, .. } = what
                && index == last
            {
                *met = false;
            }
            index += 1;
            true
        })
    }

    pub(crate) fn transcript(&self) -> Transcript {
        Transcript {
            scenario: "webrtc.test".to_owned(),
            session: 1,
            referee: None,
            events: self.events.clone(),
            ended: Ended::Driven,
        }
    }

    /// What our checks found.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let all = judge::findings(law(), &hello(), &self.transcript());
        all.into_iter().filter(|finding| OURS.contains(&finding.check.as_str())).collect()
    }

    /// The requirements that our checks find broken.
    pub(crate) fn broken(&self) -> Vec<String> {
        let broken: BTreeSet<String> = self.findings().into_iter().map(|finding| finding.requirement).collect();
        broken.into_iter().collect()
    }

    /// Whether the requirement was exercised and holds.
    pub(crate) fn holds(&self, requirement: &str) -> bool {
        self.outcome(requirement) == Some(Outcome::Pass)
    }

    pub(crate) fn outcome(&self, requirement: &str) -> Option<Outcome> {
        let header: RunHeader = serde_json::from_value(json!({
            "record": 1, "capture": 1, "fincert": "0", "seed": 0, "began": "2026-01-01T00:00:00Z", "target": "test",
            "mock": false, "profiles": ["webrtc"], "scenarios": ["webrtc.test"],
        }))
        .unwrap();
        let (sessions, transcripts) = ([Session { session: 1, hello: hello() }], [self.transcript()]);
        let judged = judge::judge(law(), Evidence { header: &header, sessions: &sessions, transcripts: &transcripts });
        let verdict = judged.verdicts.into_iter().find(|verdict| verdict.requirement == requirement);
        verdict.map(|verdict| verdict.outcome)
    }

    /// Asserts that these hold.
    #[track_caller]
    pub(crate) fn assert_holds(&self, requirements: &[&str]) {
        assert_eq!(self.findings(), []);
        for requirement in requirements {
            assert!(self.holds(requirement), "{requirement} was not shown: {:?}", self.outcome(requirement));
        }
    }

    /// Asserts that just these are broken.
    #[track_caller]
    pub(crate) fn assert_broken(&self, requirements: &[&str]) {
        let mut wanted: Vec<&str> = requirements.to_vec();
        wanted.sort_unstable();
        assert_eq!(self.broken(), wanted, "{:#?}", self.findings());
    }

    /// Asserts that a requirement is neither shown nor broken.
    #[track_caller]
    pub(crate) fn assert_silent(&self, requirements: &[&str]) {
        for requirement in requirements {
            assert_eq!(self.outcome(requirement), None, "{requirement}: {:#?}", self.findings());
        }
    }
}

pub(crate) fn law() -> Law<'static> {
    Law {
        ledger: Ledger::embedded().unwrap(),
        suite: Suite::embedded().unwrap(),
        catalog: Catalog::embedded().unwrap(),
    }
}

pub(crate) fn hello() -> Hello {
    serde_json::from_value(json!({
        "protocol": 1, "name": "test", "version": "1", "platform": "web", "integration": "integrated",
        "callStyle": "promise", "capabilities": ["webrtc"],
    }))
    .unwrap()
}

/// A stream that came: `packets` of 100 bytes, the last at `last_at_us`.
pub(crate) fn received(kind: MediaKind, packets: u64, last_at_us: u64) -> Received {
    let (ssrc, payload_type, codec) = match kind {
        MediaKind::Audio => (1, 111, "opus"),
        MediaKind::Video => (2, 96, "VP8"),
    };
    Received {
        ssrc,
        payload_type,
        payload_types: vec![payload_type],
        kind: Some(kind),
        codec: Some(codec.to_owned()),
        packets,
        payload_bytes: packets * 100,
        first_sequence: 1,
        highest_sequence: packets as u32,
        first_at_us: 1,
        last_at_us,
    }
}

/// A stream that was sent, and of which so much was reported.
pub(crate) fn sent(kind: MediaKind, packets: u64, reported: Option<(u32, u32, u32)>) -> Sent {
    let (reports, first, last) = reported.unwrap_or_default();
    Sent {
        ssrc: if kind == MediaKind::Audio { 11 } else { 12 },
        kind,
        packets,
        first_sequence: 100,
        highest_sequence: 100 + packets as u32,
        reports,
        first_reported: reported.map(|_| first),
        last_reported: reported.map(|_| last),
        lost: 0,
    }
}
