//! How fast fincert drives and judges. Ratios are of measurements in this one run on this one machine, so they can
//! be compared with those of another; the absolute figures cannot.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, Instant};

use fincert::certificate::{Certificate, PrivateKey, Question, Terms, draft, verify};
use fincert::record;
use fincert::runner::{self, Gathered, Plan};
use fincert::target::Target;
use fincert_mocks::{Config, MockHost};
use fincert_schemas::bridge::Integration;
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::{Line, RunHeader, What};
use fincert_schemas::{Ledger, fixture};
use fincert_suites::judge::{self, Evidence, Law};
use fincert_suites::{CallStep, Scenario, Step, Suite};
use futures_util::{SinkExt, StreamExt};
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

const CALLS: u32 = 400;
const ROUNDS: usize = 9;
/// A specimen that the mock host knows without being given it, so that neither side puts a file.
const PICTURE: &str = "finfile://fixtures/bank-card-debit";

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        capture_alone();
        overhead().await;
        let (header, gathered) = identity_profiles().await;
        judging(&header, &gathered);
        verifying(&header, &gathered);
    });
}

fn law() -> Law<'static> {
    Law {
        ledger: Ledger::embedded().unwrap(),
        suite: Suite::embedded().unwrap(),
        catalog: Catalog::embedded().unwrap(),
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The same finCardOcr call over a bare WebSocket and driven by fincert (validated, captured, masked, recorded).
async fn overhead() {
    let host = MockHost::start(Config::default()).await.unwrap();
    let (mut bare, mut driven) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(bare_calls(&host.bridge_url()).await / CALLS);
        driven.push(driven_calls(&host.bridge_url()).await / CALLS);
    }
    host.shutdown().await;
    let (bare, driven) = (median(bare), median(driven));
    println!("a call over a bare socket        {:>8.1} µs", bare.as_secs_f64() * 1e6);
    println!("the same call driven             {:>8.1} µs", driven.as_secs_f64() * 1e6);
    println!(
        "ratio driven / bare              {:>8.2}      (goal: 2 or less)",
        driven.as_secs_f64() / bare.as_secs_f64()
    );
}

async fn bare_calls(url: &str) -> Duration {
    let (mut socket, _) = tokio_tungstenite::connect_async_with_config(url, None, true).await.unwrap();
    let began = Instant::now();
    for id in 1..=u64::from(CALLS) {
        // The answer and complete.
        ask(&mut socket, id, "ft.finCardOcr", json!({"args": [{"type": "BankCard", "imagePath": PICTURE}]}), 2).await;
    }
    began.elapsed()
}

async fn ask<S>(socket: &mut S, id: u64, method: &str, params: Value, frames: u32) -> Value
where
    S: SinkExt<Message> + StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
    S::Error: std::fmt::Debug,
{
    let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    socket.send(Message::text(message.to_string())).await.unwrap();
    let mut first = Value::Null;
    for frame in 0..frames {
        let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        if frame == 0 {
            first = value;
        }
    }
    first
}

/// From before the first call is captured and sent until the last `complete` has been captured, as the transcript
/// has it.
async fn driven_calls(url: &str) -> Duration {
    let call = CallStep {
        call: "ft.finCardOcr".to_owned(),
        with: Some(json!({"type": "BankCard", "imagePath": PICTURE})),
        example: None,
        times: CALLS + 1,
        random: false,
        control: false,
    };
    let scenario =
        Scenario { steps: vec![Step::Call(call)], ..law().suite.get("ocr.bank-card.repeated").unwrap().clone() };
    let suite = Suite { scenarios: vec![scenario], ..Suite::default() };
    let plan = plan(Target::Dial(url.parse().unwrap()), vec![Integration::Integrated]);
    let header = header(&suite);
    let gathered = run(&plan, &header, &suite).await;
    let events = &gathered.transcripts[0].events;
    // The first complete begins the measurement and the last complete ends it: CALLS whole calls lie between.
    let first = events.iter().find(|event| matches!(event.what, What::Callback { .. })).unwrap();
    let last = events.iter().rev().find(|event| matches!(event.what, What::Callback { .. })).unwrap();
    Duration::from_micros(last.at_us - first.at_us)
}

/// Capturing one call and its answer, without any socket.
fn capture_alone() {
    let mut capture = fincert_schemas::capture::Capture::new(law().catalog, false);
    let request = json!({"type": "BankCard", "imagePath": "finfile://tmp/1/a.png"});
    let truth = &fixture::get("bank-card-debit").unwrap().truth;
    let value = json!({"type": "BankCard", "errorCode": 0, "description": "ok", "recogResult": truth, "errMsg": "finCardOcr:ok"});
    let subject = fincert_schemas::run::Subject::Fixture("bank-card-debit".to_owned());
    let context =
        fincert_schemas::capture::CallContext { method: "ft.finCardOcr", request: &request, subject: Some(&subject) };
    let began = Instant::now();
    const TIMES: u32 = 5_000;
    for _ in 0..TIMES {
        std::hint::black_box(capture.request("ft.finCardOcr", &request));
        std::hint::black_box(capture.settlement(context, fincert_schemas::bridge::Via::Success, &value));
    }
    println!("capturing a call and its answer  {:>8.1} µs", (began.elapsed() / TIMES).as_secs_f64() * 1e6);
}

/// All identity profiles against the embedded mock host, in its three states.
async fn identity_profiles() -> (RunHeader, Gathered) {
    // Sections 1 to 2.5. Calls of WebRTC take their time by the clock, and have a benchmark of their own.
    let identity = law().suite.scenarios.iter().filter(|scenario| scenario.profile != "webrtc").cloned();
    let suite = &Suite { scenarios: identity.collect(), ..Suite::default() };
    let plan = plan(Target::Mock, vec![Integration::Integrated, Integration::Custom, Integration::Absent]);
    let header = header(suite);
    let mut times = Vec::new();
    let mut last = Gathered::default();
    for _ in 0..3 {
        let began = Instant::now();
        last = run(&plan, &header, suite).await;
        times.push(began.elapsed());
    }
    println!("the identity profiles in all     {:>8.2} s     (goal: under 3)", median(times).as_secs_f64());
    (header, last)
}

/// Judging recorded calls on one core.
fn judging(header: &RunHeader, gathered: &Gathered) {
    let calls = |transcripts: &[fincert_schemas::run::Transcript]| {
        transcripts.iter().flat_map(|t| &t.events).filter(|event| matches!(event.what, What::Call { .. })).count()
    };
    let mut transcripts = Vec::new();
    while calls(&transcripts) < 100_000 {
        transcripts.extend(gathered.transcripts.iter().cloned());
    }
    let evidence = Evidence { header, sessions: &gathered.sessions, transcripts: &transcripts };
    let began = Instant::now();
    let judgement = judge::judge(law(), evidence);
    let took = began.elapsed();
    assert!(judgement.findings.is_empty());
    let rate = calls(&transcripts) as f64 / took.as_secs_f64();
    println!("recorded calls judged a second   {rate:>8.0}      (goal: 100,000 or more)");
}

/// A certificate of the same run: signatures, digests and dates, and the record read and judged again.
fn verifying(header: &RunHeader, gathered: &Gathered) {
    let evidence = Evidence { header, sessions: &gathered.sessions, transcripts: &gathered.transcripts };
    let judgement = judge::judge(law(), evidence);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mut writer = record::Writer::create(&path).unwrap();
    writer.line(&Line::Run(header.clone())).unwrap();
    for session in &gathered.sessions {
        writer.line(&Line::Session(session.clone())).unwrap();
    }
    for transcript in &gathered.transcripts {
        writer.line(&Line::Transcript(transcript.clone())).unwrap();
    }
    writer.line(&Line::Judgement(Box::new(judgement.clone()))).unwrap();
    let read = record::read(&path).unwrap();
    let now = Timestamp::now();
    let profiles = ["ocr", "face", "liveness", "open-app", "witness-video"];
    let terms = Terms {
        names: profiles.map(str::to_owned).to_vec(),
        subjects: Vec::new(),
        not_before: now,
        not_after: now + Span::new().hours(1),
    };
    let mut certificate = Certificate::new(draft(law(), &read, &judgement, &terms).unwrap()).unwrap();
    let key = PrivateKey::generate();
    certificate.sign(&key).unwrap();
    let keys = [key.public()];
    let (mut reading, mut judging, mut verifying) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let read = record::read(&path).unwrap();
        reading.push(began.elapsed());
        let began = Instant::now();
        std::hint::black_box(judge::judge(law(), evidence));
        judging.push(began.elapsed());
        let question = Question {
            keys: &keys,
            record: Some(&read),
            subjects: &[],
            now: Timestamp::now(),
            allow_mock: true,
            allow_unknown_signers: false,
        };
        let began = Instant::now();
        let answer = verify(law(), &certificate, &question);
        verifying.push(began.elapsed());
        assert_eq!(answer.problems, []);
    }
    let ms = |times| median(times).as_secs_f64() * 1e3;
    let (reading, judging, verifying) = (ms(reading), ms(judging), ms(verifying));
    println!("reading that run's record        {reading:>8.1} ms");
    println!("judging it                       {judging:>8.1} ms");
    println!("verifying its certificate        {verifying:>8.1} ms");
    println!(
        "ratio verify / (read and judge)  {:>8.2}      (goal: about 1)",
        (reading + verifying) / (reading + judging)
    );
}

fn plan(target: Target, states: Vec<Integration>) -> Plan {
    Plan { target, states, params: law().suite.params.clone(), ..Plan::default() }
}

fn header(suite: &Suite) -> RunHeader {
    RunHeader {
        seed: 1,
        target: "mock".to_owned(),
        mock: true,
        scenarios: suite.scenarios.iter().map(|s| s.id.clone()).collect(),
        ..RunHeader::default()
    }
}

async fn run(plan: &Plan, header: &RunHeader, suite: &Suite) -> Gathered {
    let mut record = Vec::new();
    let mut sink =
        |line: &fincert_schemas::run::Line| serde_json::to_writer(&mut record, line).map_err(std::io::Error::other);
    runner::run(plan, header, Law { suite, ..law() }, &mut sink, &mut |_| {}, Box::pin(std::future::pending()))
        .await
        .unwrap()
}
