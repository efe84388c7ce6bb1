//! A run whose every text is an attack.
#![allow(dead_code, reason = "each test file uses a part")]

use fincert::record::{self, Record};
use fincert_reports::{Format, Run, Style, render};
use fincert_schemas::run::{Judgement, RunHeader, Session, Transcript};
use fincert_schemas::{Lang, Ledger};
use serde_json::{Value, json};

/// A run that was never driven.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) header: RunHeader,
    pub(crate) sessions: Vec<Session>,
    pub(crate) transcripts: Vec<Transcript>,
    pub(crate) judgement: Judgement,
}

impl Recorded {
    /// What is read from these lines of a record.
    fn read(lines: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.jsonl");
        std::fs::write(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
        let Record { header, sessions, transcripts, judgement, .. } = record::read(&path).unwrap();
        Self { header, sessions, transcripts, judgement: judgement.unwrap() }
    }

    /// As a report.
    pub(crate) fn rendered(&self, format: Format, lang: Lang) -> String {
        let replay = |scenario: &str| format!("fincert certify --filter {scenario}");
        let run = Run {
            header: &self.header,
            sessions: &self.sessions,
            transcripts: &self.transcripts,
            judgement: &self.judgement,
            ledger: Ledger::embedded().unwrap(),
            digests: &[],
            replay: &replay,
        };
        let mut out = Vec::new();
        render(format, &run, &Style { lang, ..Style::default() }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}

/// Every kind of event, with EVIL wherever a target, or an edited record, can put text.
fn events(evil: &str) -> Value {
    let captured = json!({"value": {evil: evil, "list": [evil, {"$handle": evil}], "type": evil, "sdp": evil, "candidate": {"candidate": evil}},
        "facts": [{"fact": "breaks", "requirement": evil, "at": evil, "rule": evil, "expected": evil, "actual": evil},
                  {"fact": "alias", "requirement": evil, "at": evil, "alias": evil},
                  {"fact": "relation", "relation": evil, "at": evil, "holds": false, "expected": evil, "actual": evil}]});
    let sdp = format!("v=0\r\no={evil}\r\nm=audio {evil}\r\na=mid:{evil}\r\na={evil}");
    let candidate = format!("candidate:1 1 udp 1 {evil} 1 typ {evil}");
    let counters = json!({
        "received": [{"ssrc": 1, "payloadType": 1, "payloadTypes": [1], "kind": "audio", "codec": evil, "packets": 1,
            "payloadBytes": 1, "firstSequence": 1, "highestSequence": 1, "firstAtUs": 900, "lastAtUs": 9000}],
        "sent": [], "malformed": 0, "keyframeRequests": 0, "byes": 0,
        "dtls": {"role": evil, "cipher": evil}, "pair": {"local": evil, "remote": evil}});
    let all = [
        json!({"event": "flow", "flow": "call", "with": {}}),
        json!({"event": "file", "name": evil, "bytes": 1}),
        json!({"event": "call", "id": 1, "step": 1, "method": evil, "handle": evil, "request": captured, "subject": {"fixture": evil}, "purpose": evil}),
        json!({"event": "answer", "id": 1, "via": "success", "value": captured, "bytes": 1}),
        json!({"event": "callback", "id": 1, "kind": "complete", "seq": 2, "value": captured}),
        json!({"event": "call", "id": 2, "step": 2, "method": "RTCPeerConnection.createOffer", "handle": evil, "request": {"value": evil}}),
        json!({"event": "answer", "id": 2, "via": "resolve", "value": {"value": {"type": evil, "sdp": sdp}}, "bytes": 1}),
        json!({"event": "refused", "id": 2, "code": 1, "message": evil}),
        json!({"event": "no-response", "id": 9, "deadline_ms": 1, "alive": false}),
        json!({"event": "ping", "alive": false}),
        json!({"event": "bad-frame", "fault": "frame-not-json", "detail": evil, "quote": evil, "bytes": 1}),
        json!({"event": "lexical", "fault": evil, "at": evil}),
        json!({"event": "stderr", "text": evil}),
        json!({"event": "prompt", "text": evil}),
        json!({"event": "read", "handle": evil, "name": evil, "value": captured, "refused": evil, "polls": 2}),
        json!({"event": "read", "handle": evil, "name": "iceConnectionState", "value": {"value": "</script>owned"}, "polls": 1}),
        json!({"event": "listened", "handle": evil, "kind": evil, "refused": evil}),
        json!({"event": "emitted", "handle": evil, "kind": evil, "value": captured, "known": false}),
        json!({"event": "emitted", "handle": evil, "kind": "icecandidate", "value": {"value": {"candidate": {"candidate": candidate}}}, "known": true}),
        json!({"event": "act", "act": "media"}),
        json!({"event": "awaited", "end": "target", "what": "event", "of": evil, "met": false, "waited_ms": 1, "instead": evil}),
        json!({"event": "peer", "peer": 1, "did": "description", "local": true, "kind": evil, "sdp": sdp, "refused": evil}),
        json!({"event": "peer", "peer": 1, "did": "description", "local": false, "kind": "answer", "sdp": format!("{sdp}x")}),
        json!({"event": "peer", "peer": 1, "did": "candidate", "local": false, "candidate": candidate, "refused": evil}),
        json!({"event": "peer", "peer": 1, "did": "candidate", "local": true, "candidate": evil}),
        json!({"event": "peer", "peer": 1, "did": "ice", "state": evil}),
        json!({"event": "peer", "peer": 1, "did": "connection", "state": "</script>owned"}),
        json!({"event": "peer", "peer": 1, "did": "track", "kind": "audio", "mid": evil}),
        json!({"event": "peer", "peer": 1, "did": "failed", "method": evil, "why": evil}),
        json!({"event": "counted", "peer": 1, "evidence": counters}),
        json!({"event": "case", "index": 3, "kind": "hostile", "rule": evil, "place": evil, "hostile": [evil], "smallest": true}),
        json!({"event": "shrunk", "case": 3, "requirement": evil, "cause": evil, "class": evil, "calls": 4, "again": true}),
        json!({"event": "omitted", "what": evil, "count": 3}),
        json!({"event": "gone", "status": evil}),
    ];
    let timed = all.into_iter().enumerate().map(|(index, mut event)| {
        event["at_us"] = json!(index * 1_000);
        event
    });
    timed.collect()
}

/// A run with EVIL wherever a target, or an edited record, can put text.
pub(crate) fn hostile(evil: &str) -> Recorded {
    let both = json!({"zh": evil, "en": evil});
    let broken = json!({"how": "broken", "reason": "target-exited", "detail": evil});
    let transcript = |scenario: &str, referee: Value| json!({"line": "transcript", "scenario": scenario, "session": 1, "referee": referee, "events": events(evil), "ended": broken});
    let flow = format!("flow {evil}");
    let finding = |requirement: &str, scenario: &str, cause: &str| {
        json!({
        "requirement": requirement, "scenario": scenario, "step": 1, "outcome": "fail", "check": evil, "cause": cause,
        "at": evil, "expected": both, "actual": evil, "hint": both})
    };
    let (known, other) = ("integration.answers", format!("other {evil}"));
    let verdict = |requirement: &str, scenario: &str| json!({"requirement": requirement, "scenario": scenario, "outcome": "fail", "reason": "target-hung"});
    let group = |cause: &str, first: u32, requirement: &str, scenarios: Value| {
        json!({
        "cause": cause, "outcome": "fail", "requirements": [requirement, evil], "scenarios": scenarios, "first": first, "count": 1})
    };
    let requirements: Value = [known, evil]
        .iter()
        .map(|id| json!({"requirement": id, "clause": evil, "level": "MUST", "outcome": "fail", "exercised_in": 1}))
        .collect();
    let mut lines = vec![
        json!({"line": "run", "record": 1, "capture": 1, "fincert": evil, "seed": 1, "began": evil, "target": evil, "mock": false, "defect": evil,
            "profiles": [evil], "filter": evil, "options": [evil], "set": [evil], "revealed": true, "scenarios": [evil],
            "known_failing": [format!("{evil} @ {evil}")]}),
        json!({"line": "session", "session": 1, "hello": {
            "protocol": 1, "name": evil, "version": evil, "platform": evil, "integration": "integrated",
            "callStyle": "callbacks", "capabilities": [evil], "human": false}}),
    ];
    lines.extend([
        transcript(evil, Value::Null),
        transcript(&flow, json!("webrtc-rs")),
        transcript(&flow, json!("str0m")),
    ]);
    lines.push(json!({"line": "judgement", "suites": evil, "standing": "unexpected-pass", "asked": [evil],
            "certifications": [{"name": evil, "decision": "not-certified", "must": 1, "must_met": 0, "warnings": 0,
                "missing": [{"requirement": evil, "outcome": "fail"}]},
                {"name": format!("{evil}:{evil}"), "decision": "not-asked", "must": 1, "must_met": 0, "warnings": 0}],
            "requirements": requirements,
            "verdicts": [verdict(known, evil), verdict(evil, &flow), verdict(evil, &other)],
            "findings": [finding(known, evil, "one"), finding(evil, &flow, evil), finding(evil, &other, evil)],
            "causes": [group("one", 0, known, json!([evil, other])), group(evil, 1, evil, json!([flow, other])), group("cut", 99, evil, json!([]))],
            "accuracy": [{"field": evil, "compared": 2, "equal": 1, "similarity": 500}],
            "coverage": [{"table": evil, "rules": [{"rule": evil, "at": evil, "requirement": evil, "valid": 1}]}],
            "fuzz": [{"scenario": flow, "cases": [{"kind": "hostile", "count": 4}], "not_kept": 1, "not_driven": 1, "failures": [{
                "requirement": evil, "outcome": "fail", "cause": evil, "at": evil, "actual": evil, "requests": [evil], "seen": 2,
                "case": {"index": 3, "kind": "hostile", "rule": evil, "place": evil, "hostile": [evil], "smallest": true},
                "shrunk": {"case": 3, "requirement": evil, "cause": evil, "class": evil, "calls": 4, "again": false, "after": 9}}]}],
            "unexpected_passes": [evil]}));
    Recorded::read(&lines)
}
