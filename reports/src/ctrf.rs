//! CTRF, the Common Test Report Format (<https://ctrf.io>): one JSON document for the many tools that read it.
//!
//! The tests are JUnit's cases, so the numbers agree. What JUnit calls an error is `other` here, with the verdict's own
//! word as `rawStatus`. A verdict takes no time, so `duration` is 0; `start` is when the run began by its record, and
//! `stop` is that and the times of all scenarios together. No clock is read and there are no random ids: equal runs
//! give equal bytes. Tests are written one after another, so a long run is never held twice.

use std::cell::RefCell;
use std::io::{self, Write};

use fincert_schemas::Lang;
use serde::ser::{Error, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::Run;
use crate::cases::{Case, Cases, Counts, Status};
use crate::json::write_clean;
use crate::text::clean;

/// The version of the specification that the document follows.
const SPEC_VERSION: &str = "0.0.0";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    report_format: &'static str,
    spec_version: &'static str,
    generated_by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    results: Results<'a>,
}

#[derive(Serialize)]
struct Results<'a> {
    tool: Value,
    summary: Value,
    tests: Tests<'a>,
    environment: Value,
    extra: Value,
}

/// One test. Empty strings are left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Test<'a> {
    name: String,
    status: &'static str,
    duration: u32,
    suite: [&'a str; 1],
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    raw_status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stdout: Vec<String>,
    extra: Value,
}

/// The tests, made while they are written.
struct Tests<'a> {
    run: &'a Run<'a>,
    cases: Cases<'a>,
}

/// Writes the document.
pub fn render(run: &Run<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let cases = Cases::of(run, lang);
    let counts: Counts = Cases::suites().map(|suite| cases.count(suite)).sum();
    let header = run.header;
    let start = began_ms(&header.began);
    let took: u64 = run.transcripts.iter().filter_map(|t| t.events.last()).map(|event| event.at_us / 1_000).sum();
    let sessions = run.sessions.iter().map(|session| {
        let hello = &session.hello;
        let (name, version, platform) = (clean(&hello.name), clean(&hello.version), clean(&hello.platform));
        json!({"session": session.session, "name": name, "version": version, "platform": platform,
               "integration": hello.integration, "callStyle": hello.call_style})
    });
    let decisions = run.judgement.certifications.iter().map(|c| (clean(&c.name), json!(c.decision)));
    let document = Document {
        report_format: "CTRF",
        spec_version: SPEC_VERSION,
        generated_by: "fincert",
        timestamp: (start > 0).then_some(header.began.as_str()),
        results: Results {
            tool: json!({"name": "fincert", "version": clean(&header.fincert)}),
            summary: json!({
                "tests": counts.all(), "passed": counts.passed, "failed": counts.failed, "skipped": counts.skipped,
                "pending": 0, "other": counts.error, "suites": counts.suites, "start": start, "stop": start + took,
            }),
            tests: Tests { run, cases },
            environment: environment(run),
            extra: json!({
                "standing": run.judgement.standing,
                "decisions": decisions.collect::<serde_json::Map<_, _>>(),
                "suites": clean(&run.judgement.suites),
                "seed": header.seed,
                "target": clean(&header.target),
                "mock": run.is_mock(),
                "sessions": sessions.collect::<Vec<_>>(),
            }),
        },
    };
    write_clean(&document, out)
}

impl Serialize for Tests<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A sequence cannot be handed to a closure that a `dyn` takes by any other way than a cell.
        let tests = RefCell::new(serializer.serialize_seq(None)?);
        for suite in Cases::suites() {
            self.cases.each(suite, &mut |case| tests.borrow_mut().serialize_element(&test(self.run, case)))?;
        }
        tests.into_inner().end().map_err(S::Error::custom)
    }
}

fn test<'a>(run: &Run<'a>, case: Case<'a>) -> Test<'a> {
    let requirement = run.ledger.get(&case.class);
    let mut extra = serde_json::Map::new();
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            extra.insert(key.to_owned(), Value::String(value));
        }
    };
    put("requirement", requirement.map(|requirement| requirement.id.clone()));
    put("clause", requirement.map(|requirement| requirement.clause.clone()));
    put("scenario", requirement.map(|_| case.name.clone()));
    put("kind", Some(case.kind));
    put("replay", case.replay);
    let level = requirement.map(|requirement| requirement.level.as_str());
    Test {
        name: format!("{} @ {}", case.class, case.name),
        status: match case.status {
            Status::Passed => "passed",
            Status::Skipped => "skipped",
            Status::Failed => "failed",
            Status::Error => "other",
        },
        duration: 0,
        suite: [case.suite],
        message: case.message,
        trace: case.details.map(|details| details.trim().to_owned()).filter(|details| !details.is_empty()),
        raw_status: case.word,
        tags: level.into_iter().chain(requirement.map(|requirement| requirement.clause.as_str())).collect(),
        kind: "conformance",
        stdout: case.timelines.map(|text| text.trim().lines().map(str::to_owned).collect()).unwrap_or_default(),
        extra: Value::Object(extra),
    }
}

fn environment(run: &Run<'_>) -> Value {
    match run.sessions.first() {
        Some(session) => json!({
            "appName": clean(&session.hello.name),
            "appVersion": clean(&session.hello.version),
            "osPlatform": clean(&session.hello.platform),
        }),
        None => json!({}),
    }
}

/// When the run began, in milliseconds since 1970; 0 where the record does not say.
fn began_ms(began: &str) -> u64 {
    began.parse::<jiff::Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok()).unwrap_or(0)
}
