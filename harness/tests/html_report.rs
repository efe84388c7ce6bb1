//! The HTML report in a real browser: no script of a hostile target's runs, it says what was recorded, and ten thousand
//! scenarios leave the page light.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/page.rs"]
mod page;
mod support;

use std::fmt::Write as _;
use std::path::Path;

use fincert_reports::{Format, Run, Style, render};
use fincert_schemas::run::{Judgement, RunHeader, Session, Transcript};
use fincert_schemas::{Lang, Ledger};
use page::Page;
use serde_json::{Value, json};
use support::fincert;

/// Leaves a trace if any of it is ever run.
const EVIL: &str = concat!(
    "EVIL'\"--></script></style></title></textarea></noscript></svg><script>owned(1)</script>",
    "<img src=x onerror=owned(2)><svg onload=owned(3)></svg><iframe srcdoc='<script>parent.owned(4)</script>'></iframe>",
    "<a href=javascript:owned(5) autofocus onfocus=owned(6)>x</a>${owned(7)}{{owned(8)}}\\u003cscript>owned(9)</script>",
    "<!--<script>\u{2028}\u{202e}",
);

/// What is there before the page: the trace, and a record of what the Content-Security-Policy had to stop.
const BEFORE: &str = "
    window.stopped = [];
    document.addEventListener('securitypolicyviolation', (event) => window.stopped.push(event.violatedDirective));
    window.owned = (how) => { document.documentElement.dataset.owned = how; };
    window.print = () => {};
";

/// Opens all there is, presses every button, chooses everything that can be chosen, and does so again until nothing new
/// comes to light. At the end all that was ever shown is in `window.said`.
const PRESS_EVERYTHING: &str = "(async () => {
    const rest = () => new Promise((done) => setTimeout(done, 30));
    window.said = '';
    const pressed = new Set();
    for (let round = 0; round < 12; round += 1) {
        let news = 0;
        for (const details of document.querySelectorAll('details')) if (!details.open) { details.open = true; news += 1; }
        await rest();
        for (const box of document.querySelectorAll('input[type=checkbox]')) if (!box.checked) { box.click(); news += 1; }
        for (const button of document.querySelectorAll('.panel .filters button, .evidence .filters button, .more')) {
            if (!button.isConnected) continue;
            const name = button.textContent + button.closest('section, details').textContent.length;
            if (pressed.has(name)) continue;
            pressed.add(name);
            button.click();
            news += 1;
        }
        for (const select of document.querySelectorAll('select')) for (const option of select.options) {
            select.value = option.value;
            select.dispatchEvent(new Event('change'));
        }
        const matrix = document.querySelector('.matrix');
        matrix.focus();
        for (const key of ['ArrowDown', 'ArrowRight', 'End', 'Home']) matrix.dispatchEvent(new KeyboardEvent('keydown', { key }));
        await rest();
        window.said += document.body.innerText;
        if (!news) break;
    }
    return true;
})()";

struct Recorded {
    header: RunHeader,
    sessions: Vec<Session>,
    transcripts: Vec<Transcript>,
    judgement: Judgement,
}

/// A value as the type that is wanted.
macro_rules! from {
    ($value:expr) => {
        serde_json::from_value($value).unwrap()
    };
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

/// A run in which every text is EVIL.
fn hostile(evil: &str) -> Recorded {
    let both = json!({"zh": evil, "en": evil});
    let broken = json!({"how": "broken", "reason": "target-exited", "detail": evil});
    let transcript = |scenario: &str, referee: Value| json!({"scenario": scenario, "session": 1, "referee": referee, "events": events(evil), "ended": broken});
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
    Recorded {
        header: from!(json!({
            "record": 1, "capture": 1, "fincert": evil, "seed": 1, "began": evil, "target": evil, "mock": false, "defect": evil,
            "profiles": [evil], "filter": evil, "options": [evil], "set": [evil], "revealed": true, "scenarios": [evil],
            "known_failing": [format!("{evil} @ {evil}")]})),
        sessions: vec![from!(json!({"session": 1, "hello": {
            "protocol": 1, "name": evil, "version": evil, "platform": evil, "integration": "integrated",
            "callStyle": "callbacks", "capabilities": [evil], "human": false}}))],
        transcripts: [
            transcript(evil, Value::Null),
            transcript(&flow, json!("webrtc-rs")),
            transcript(&flow, json!("str0m")),
        ]
        .map(|value| from!(value))
        .to_vec(),
        judgement: from!(json!({
            "suites": evil, "standing": "unexpected-pass", "asked": [evil],
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
            "unexpected_passes": [evil]})),
    }
}

fn html(run: &Recorded, lang: Lang) -> String {
    let replay = |scenario: &str| format!("fincert certify --filter {scenario}");
    let run = Run {
        header: &run.header,
        sessions: &run.sessions,
        transcripts: &run.transcripts,
        judgement: &run.judgement,
        ledger: Ledger::embedded().unwrap(),
        digests: &[],
        replay: &replay,
    };
    let mut out = Vec::new();
    render(Format::Html, &run, &Style { lang, ..Style::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What became of a page that was opened and pressed everywhere: the trace, what its policy stopped, all it said.
async fn pressed(page: &mut Page, file: &Path, content: &str) -> (Value, Value, String) {
    std::fs::write(file, content).unwrap();
    page.open(file).await;
    page.run(PRESS_EVERYTHING).await;
    page.run("document.querySelector('.lang')?.click()").await;
    page.run(PRESS_EVERYTHING).await;
    page.run("scrollTo(0, 1e9)").await;
    let owned = page.run("document.documentElement.dataset.owned ?? null").await;
    let stopped = page.run("window.stopped").await;
    (owned, stopped, page.run("window.said").await.as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_script_of_a_hostile_target_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let mut page = Page::new(BEFORE).await;
    let run = hostile(EVIL);
    for lang in [Lang::Zh, Lang::En] {
        let good = html(&run, lang);
        let (owned, stopped, said) = pressed(&mut page, &file, &good).await;
        assert_eq!((owned, stopped), (Value::Null, json!([])), "a script ran, or the policy had to stop one");
        assert_eq!(page.complaints, Vec::<String>::new());
        // It is there, as text, and what deceives is written out.
        assert!(said.matches("<img src=x onerror=owned(2)>").count() > 50, "{}", said.matches("EVIL").count());
        assert!(said.contains("\\u{202e}") && !said.contains('\u{202e}'));
        let elements = page.run("[...document.querySelectorAll('img, iframe, object, embed, link, script[src], [onload], [onerror], [onfocus], a:not([href^=\"#\"])')].length").await;
        assert_eq!(elements, 0);
    }

    // The same page with its escapes undone: the policy stops what would run, and without the policy it does run. So this
    // test can fail, by either.
    let good = html(&run, Lang::En);
    let naked = good.replace("\\u003c", "<").replace("\\u003e", ">").replace("&lt;", "<").replace("&gt;", ">");
    assert_ne!(naked, good);
    let (owned, stopped, _) = seen(&mut page, &file, &naked).await;
    assert_eq!(owned, Value::Null, "the policy is the second line of defence");
    assert!(!stopped.as_array().unwrap().is_empty());
    let bare = naked.replacen("Content-Security-Policy", "nothing", 1);
    let (owned, _, _) = seen(&mut page, &file, &bare).await;
    assert_ne!(owned, Value::Null, "with neither escapes nor policy it runs");
}

/// A page that may be too broken to press anything.
async fn seen(page: &mut Page, file: &Path, content: &str) -> (Value, Value, ()) {
    std::fs::write(file, content).unwrap();
    page.open(file).await;
    page.run("new Promise((done) => setTimeout(done, 300))").await;
    (page.run("document.documentElement.dataset.owned ?? null").await, page.run("window.stopped").await, ())
}

/// A record as a killed run leaves it, and what `fincert report` makes of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_record_that_was_cut_off_is_shown_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let run = hostile(EVIL);
    let mut text = String::new();
    let mut line = |kind: &str, value: Value| {
        let mut value = value;
        value["line"] = json!(kind);
        writeln!(text, "{value}").unwrap();
    };
    line("run", serde_json::to_value(&run.header).unwrap());
    line("session", serde_json::to_value(&run.sessions[0]).unwrap());
    for transcript in &run.transcripts {
        line("transcript", serde_json::to_value(transcript).unwrap());
    }
    text.push_str("{\"line\":\"transcript\",\"scen");
    std::fs::write(folder.path().join("cut.jsonl"), text).unwrap();
    let output = fincert(folder.path(), &["report", "cut.jsonl", "--report", "html=out/report.html"]).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("cut off"), "{stderr}");
    let mut page = Page::new(BEFORE).await;
    page.open(&folder.path().join("out/report.html")).await;
    page.run(PRESS_EVERYTHING).await;
    assert_eq!(page.run("document.documentElement.dataset.owned ?? null").await, Value::Null);
    assert_eq!(page.run("window.stopped").await, json!([]));
    let said = page.run("window.said").await.as_str().unwrap().to_owned();
    assert!(said.contains("EVIL") && said.contains("broken off"));
    assert_eq!(page.complaints, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_scenarios_leave_the_page_light() {
    let mut run = hostile("x");
    let one = run.transcripts[0].clone();
    let verdicts = run.judgement.verdicts.clone();
    run.judgement.findings.clear();
    run.judgement.causes.clear();
    run.transcripts =
        (0..10_000).map(|n| Transcript { scenario: format!("many.{n}"), events: Vec::new(), ..one.clone() }).collect();
    run.judgement.verdicts = (0..10_000)
        .flat_map(|n| verdicts.iter().map(move |v| (n, v)))
        .map(|(n, verdict)| fincert_schemas::run::Verdict { scenario: format!("many.{n}"), ..verdict.clone() })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    std::fs::write(&file, html(&run, Lang::En)).unwrap();
    let mut page = Page::new(BEFORE).await;
    page.open(&file).await;
    let count = "document.querySelectorAll('*').length";
    assert!(page.run(count).await.as_u64().unwrap() < 15_000);
    // Far to the right the matrix shows the last scenario, and the page is no heavier.
    let name = page
        .run(
            "new Promise((done) => {
            const matrix = document.querySelector('.matrix');
            matrix.scrollLeft = matrix.scrollWidth;
            setTimeout(() => done([...matrix.querySelectorAll('.matrix-heads span')].pop().textContent), 200);
        })",
        )
        .await;
    assert_eq!(name, "many.9999");
    let found = page
        .run(
            "new Promise((done) => {
            const search = document.querySelector('#scenarios input');
            search.value = 'many.7777';
            search.dispatchEvent(new Event('input'));
            setTimeout(() => done(document.querySelectorAll('#scenarios .row').length), 400);
        })",
        )
        .await;
    assert_eq!(found, 1);
    assert!(page.run(count).await.as_u64().unwrap() < 15_000);
    assert_eq!(page.complaints, Vec::<String>::new());
}

#[test]
fn where_it_cannot_be_written_nothing_is_left_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let run = hostile("x");
    let mut header = serde_json::to_value(&run.header).unwrap();
    header["line"] = json!("run");
    std::fs::write(folder.path().join("run.jsonl"), format!("{header}\n")).unwrap();
    std::fs::write(folder.path().join("future.jsonl"), format!("{header}\n").replace("\"record\":1", "\"record\":99"))
        .unwrap();
    std::fs::write(folder.path().join("foreign.jsonl"), "{\"hello\": 1}\n").unwrap();
    std::fs::create_dir(folder.path().join("dir")).unwrap();
    let before = std::fs::read_dir(folder.path()).unwrap().count();
    for (record, report, code, said) in [
        ("run.jsonl", "html=dir", 2, "dir"),
        ("run.jsonl", "html=/dev/full", 2, "No space left"),
        ("run.jsonl", "html=/proc/fincert/report.html", 2, "/proc/fincert"),
        ("run.jsonl", "pdf=report.pdf", 2, "html"),
        ("missing.jsonl", "html=report.html", 2, "missing.jsonl"),
        ("future.jsonl", "html=report.html", 4, "record version 99"),
        ("foreign.jsonl", "html=report.html", 4, "no run record"),
    ] {
        let output = fincert(folder.path(), &["report", record, "--report", report]).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{report}: {stderr}");
        assert!(stderr.contains(said), "{report}: {stderr}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before, "{report}");
    }
    assert!(std::fs::read_dir(folder.path().join("dir")).unwrap().next().is_none());
}
