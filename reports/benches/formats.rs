//! How long each format takes on a core for ten thousand scenarios, and how much memory it needs beyond the run that it is given.
//!
//! `cargo bench -p fincert-reports --bench formats`. Peak memory is the kernel's (`VmHWM`), so on Linux alone.
#![allow(missing_docs, clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::time::Instant;

use fincert_reports::{Format, Run, Standing, Style, render};
use fincert_schemas::run::{
    CauseGroup, Ended, Finding, Judgement, Outcome, RequirementVerdict, RunHeader, Transcript, Verdict,
};
use fincert_schemas::{Bilingual, Ledger};
use serde_json::json;

const SCENARIOS: usize = 10_000;
/// Verdicts a scenario, as a run of all profiles against the mock host has them (5,946 in 251).
const VERDICTS: usize = 24;
/// Of so many scenarios one has something found in it.
const FOUND: usize = 20;

fn main() {
    let ledger = Ledger::embedded().unwrap();
    let transcripts: Vec<Transcript> = (0..SCENARIOS).map(transcript).collect();
    let judgement = judgement(ledger);
    let header = RunHeader { target: "stdio:./bridge".into(), ..RunHeader::default() };
    let replay = |scenario: &str| format!("fincert certify --target stdio:./bridge --seed 0 --filter {scenario}");
    let run = Run {
        header: &header,
        sessions: &[],
        transcripts: &transcripts,
        judgement: &judgement,
        ledger,
        digests: &[],
        replay: &replay,
    };
    println!("{SCENARIOS} scenarios, {} verdicts, {} findings", judgement.verdicts.len(), judgement.findings.len());
    for format in Format::ALL {
        let mut best = f64::INFINITY;
        let (mut bytes, mut peak) = (0, 0);
        for _ in 0..5 {
            // Everything before this moment is forgotten.
            let _ = fs::write("/proc/self/clear_refs", "5");
            let before = status("VmRSS");
            let mut out = Counter(0);
            let (began, on_core) = (Instant::now(), core_ns());
            render(*format, &run, &Style::default(), &mut out).unwrap();
            let wall = began.elapsed().as_secs_f64() * 1_000.0;
            let core = core_ns().zip(on_core).map(|(after, before)| (after - before) as f64 / 1e6);
            best = best.min(core.unwrap_or(wall));
            bytes = out.0;
            peak = peak.max(status("VmHWM").saturating_sub(before));
        }
        println!(
            "{:9} {best:7.0} ms  {:7.1} MB written  {:6.1} MB beyond the run",
            format.name(),
            bytes as f64 / 1e6,
            peak as f64 / 1e3
        );
    }
}

/// Takes everything and keeps nothing.
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Nanoseconds that this thread has had a core: what else runs on the machine does not count.
fn core_ns() -> Option<u64> {
    fs::read_to_string("/proc/thread-self/schedstat").ok()?.split_whitespace().next()?.parse().ok()
}

/// A figure of this process in kB.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kb| kb.parse().ok()).unwrap_or(0)
}

fn name(n: usize) -> String {
    format!("ocr.many.{n}")
}

/// Six calls with their answers: about 10 kB in a record, as real ones have on average.
fn transcript(n: usize) -> Transcript {
    let facts: Vec<_> = ["name", "idNo", "address", "birthday", "nation", "gender"]
        .map(|field| json!({"fact": "holds", "requirement": format!("ocr.result.id-card.{field}"), "at": format!("/recogResult/{field}")}))
        .to_vec();
    let events: Vec<_> = (0..6)
        .flat_map(|step| {
            let at = step * 10_000;
            let request = json!({"value": {"type": "IDCard", "imagePath": "finfile://tmp/1/id-front-male.png"}, "facts": facts[..2]});
            let value = json!({"value": {"type": "IDCard", "errorCode": 0, "description": "识别成功", "errMsg": "finCardOcr:ok",
                "recogResult": {"face": 0, "name": "张*", "idNo": "1****************X", "address": "北***", "nation": "汉"}}, "facts": facts});
            [
                json!({"at_us": at, "event": "call", "id": step, "step": step + 1, "method": "ft.finCardOcr", "request": request}),
                json!({"at_us": at + 4_000, "event": "answer", "id": step, "via": "success", "value": value, "bytes": 512}),
                json!({"at_us": at + 4_100, "event": "callback", "id": step, "kind": "complete", "seq": 1, "as_answered": true}),
            ]
        })
        .collect();
    let events = serde_json::from_value(json!(events)).unwrap();
    Transcript { scenario: name(n), session: 1, referee: None, events, ended: Ended::Driven }
}

fn judgement(ledger: &Ledger) -> Judgement {
    let requirements: Vec<_> = ledger.iter().collect();
    let of = |n: usize, v: usize| requirements[(n + v * 7) % requirements.len()].id.clone();
    let bad = |n: usize, v: usize| n.is_multiple_of(FOUND) && v == 0;
    let mut judgement = Judgement { suites: "0".into(), standing: Standing::NotCertified, ..Judgement::default() };
    for n in 0..SCENARIOS {
        for v in 0..VERDICTS {
            let outcome = if bad(n, v) { Outcome::Fail } else { Outcome::Pass };
            let (requirement, scenario) = (of(n, v), name(n));
            judgement.verdicts.push(Verdict { requirement, scenario, outcome, reason: None });
        }
        if bad(n, 0) {
            judgement.findings.push(Finding {
                requirement: of(n, 0),
                scenario: name(n),
                step: Some(1),
                case: None,
                outcome: Outcome::Fail,
                check: "result-table".into(),
                cause: format!("cause-{}", n % 1_000),
                at: Some("/recogResult/face".into()),
                expected: Bilingual::new("类型 integer", "type integer"),
                actual: "array of 1".into(),
                hint: None,
            });
        }
    }
    for (first, finding) in (0..).zip(&judgement.findings) {
        match judgement.causes.iter_mut().find(|group| group.cause == finding.cause) {
            Some(group) => {
                group.scenarios.push(finding.scenario.clone());
                group.count += 1;
            }
            None => judgement.causes.push(CauseGroup {
                cause: finding.cause.clone(),
                outcome: Outcome::Fail,
                requirements: vec![finding.requirement.clone()],
                scenarios: vec![finding.scenario.clone()],
                first,
                count: 1,
            }),
        }
    }
    judgement.requirements = requirements
        .iter()
        .map(|requirement| RequirementVerdict {
            requirement: requirement.id.clone(),
            clause: requirement.clause.clone(),
            level: requirement.level,
            outcome: Outcome::Pass,
            reason: None,
            exercised_in: 1,
        })
        .collect();
    judgement
}
