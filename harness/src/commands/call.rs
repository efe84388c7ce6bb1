//! `fincert call`: one call, captured, judged and shown: the first thing a vendor tries.

use std::time::Duration;

use fincert::deadline::Deadlines;
use fincert::drive::{Drive, HELLO_DEADLINE, connect_hello, drive};
use fincert::runner::{Plan, Progress};
use fincert::source::Source;
use fincert::target::Target;
use fincert_mocks::{Config, MockHost, canned};
use fincert_schemas::Lang;
use fincert_schemas::bridge::Integration;
use fincert_schemas::capture::Capture;
use fincert_schemas::catalog::{APIS, api_of, is_webrtc_function, webrtc_functions};
use fincert_schemas::fixture;
use fincert_schemas::run::Subject;
use fincert_schemas::run::flow::Referee;
use fincert_schemas::run::{Ended, Event, Fact, Outcome, Pace, What};
use fincert_suites::judge;
use fincert_suites::scenario::wrong_placeholder;
use fincert_suites::{CallStep, Scenario, Step};
use serde_json::Value;

use super::{Failure, Reading, exit, law};

/// Options of `fincert call`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The API: finCardOcr or ft.finCardOcr
    method: String,
    /// Its argument as JSON; {"$file": "SPECIMEN"} stands for the path of a specimen given to the target
    #[arg(default_value = "{}")]
    json: String,
    /// mock, stdio:COMMAND, ws://…, wss://…, listen, listen:ADDRESS:PORT, browser or browser:PROGRAM
    #[arg(long, default_value = "mock", value_name = "T")]
    target: Target,
    /// The canned result that a mock host shall give
    #[arg(long, value_name = "NAME")]
    example: Option<String>,
    /// Keep and show personal data unmasked
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    reading: Reading,
}

const EXAMPLES: &str = "\
Examples:
  fincert call finCardOcr '{\"type\":\"IDCard\",\"imagePath\":{\"$file\":\"id-front-male\"}}'
  fincert call finLivenessCheck --example liveness-back
  fincert call finFaceAuth '{\"idNo\":\"…\",\"name\":\"…\",\"imagePath\":{\"$file\":\"face-match\"}}' --target 'stdio:python3 engine.py'";

pub(super) async fn run(options: Options) -> Result<u8, Failure> {
    let law = law()?;
    let lang = options.reading.lang();
    let method =
        if options.method.starts_with("ft.") { options.method.clone() } else { format!("ft.{}", options.method) };
    let with: Value = serde_json::from_str(&options.json)
        .map_err(|error| Failure::usage(format!("the argument is not JSON: {error}")))?;
    if api_of(&method).is_none() && !is_webrtc_function(&method) {
        let names: Vec<_> = APIS.iter().map(|(api, _)| *api).chain(webrtc_functions()).collect();
        return Err(Failure::usage(format!("no such API: {}; there are: {}", options.method, names.join(", "))));
    }
    if let Some(wrong) = wrong_placeholder(&with, law.suite) {
        return Err(Failure::usage(format!("the argument: {wrong}")));
    }
    // Of another target only it knows what it can give.
    if let (Target::Mock, Some(api), Some(name)) = (&options.target, method.strip_prefix("ft."), &options.example)
        && canned::find(api, name).is_none()
    {
        let names = canned::names(api);
        return Err(Failure::usage(format!(
            "--example {name}: the mock host has no such result of {method}; {}",
            if names.is_empty() {
                "it has none by name".to_owned()
            } else {
                format!("there are: {}", names.join(", "))
            }
        )));
    }
    let call = CallStep {
        call: method,
        with: Some(with),
        example: options.example.clone(),
        times: 1,
        random: false,
        control: false,
    };
    let scenario = Scenario {
        id: "call".to_owned(),
        title: fincert_schemas::Bilingual::new("单次调用", "one call"),
        capability: None,
        pace: Pace::Machine,
        integration: vec![Integration::Integrated, Integration::Custom, Integration::Absent],
        prompt: None,
        steps: vec![Step::Call(call)],
        clause: String::new(),
        profile: String::new(),
    };
    let plan = Plan {
        target: options.target.clone(),
        reveal: options.reveal,
        params: law.suite.params.clone(),
        ..Plan::default()
    };
    let unable = |message: String| Failure { code: exit::COULD_NOT_RUN, message };
    let mut host = None;
    let mut source = if options.target == Target::Mock {
        let started =
            MockHost::start(Config::default()).await.map_err(|error| unable(format!("mock host: {error}")))?;
        let url = url::Url::parse(&started.bridge_url()).map_err(|error| unable(error.to_string()))?;
        host = Some(started);
        Source::Dial(url)
    } else {
        Source::open(&plan, &mut |progress| {
            if let Progress::Waiting { url, page } = progress {
                eprintln!("waiting for a device; it dials\n    {url}\nor a browser, which opens\n    {page}");
            }
        })
        .await
    };
    let mut capture = Capture::new(law.catalog, options.reveal);
    let wire = source.wire(false).await.map_err(|error| unable(error.to_string()))?;
    let mut session =
        connect_hello(wire, 1, &mut capture, HELLO_DEADLINE).await.map_err(|error| unable(error.to_string()))?;
    // A person may have to act; whoever types the command knows.
    let mut deadlines = Deadlines::new(
        None,
        Some(if session.hello.human { fincert::deadline::PERSON } else { Duration::from_secs(30) }),
    );
    let mut completes_missed = 0;
    let mut context = Drive {
        capture: &mut capture,
        deadlines: &mut deadlines,
        run: "call",
        suffix: "",
        prompt: &mut |_, _| {},
        completes_missed: &mut completes_missed,
        referee: Referee::WebrtcRs,
        flows: &plan.flows,
    };
    let transcript = drive(&mut session, &scenario, &mut context).await;
    let hello = session.hello.clone();
    session.close().await;
    if let Some(host) = host {
        host.shutdown().await;
    }

    let mut text = String::new();
    for event in &transcript.events {
        let ms = event.at_us as f64 / 1000.0;
        let line = match &event.what {
            What::Call { method, request, .. } => format!("→ {method} {}", request.value),
            What::Answer { via, value, .. } => {
                let value = value.as_ref().map_or("(no value)".to_owned(), |v| pretty(&v.value));
                format!("← {} {value}", via.as_str())
            }
            What::Callback { kind, .. } => format!("← {kind:?}").to_lowercase(),
            What::Refused { code, message, .. } => format!("← JSON-RPC error {code}: {message}"),
            What::NoResponse { deadline_ms, .. } => format!("← no response within {deadline_ms} ms"),
            What::BadFrame { fault, quote, .. } => format!("← {fault}: {quote}"),
            What::Stderr { text } => format!("  stderr: {text}"),
            What::Gone { status } => format!("← gone: {status}"),
            _ => continue,
        };
        text.push_str(&format!("{ms:>9.1} ms  {line}\n"));
    }
    let findings = judge::findings(law, &hello, &transcript);
    let truths: Vec<_> = transcript
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Answer { value: Some(value), .. } => Some(&value.facts),
            _ => None,
        })
        .flatten()
        .filter_map(|fact| match fact {
            Fact::Truth { at, equal, distance, .. } => Some((at, *equal, *distance)),
            _ => None,
        })
        .collect();
    if !truths.is_empty() {
        let equal = truths.iter().filter(|(_, equal, _)| *equal).count();
        text.push_str(&match lang {
            Lang::Zh => format!("\n与样本一致的字段：{equal}/{}\n", truths.len()),
            Lang::En => format!("\nfields as the specimen shows them: {equal} of {}\n", truths.len()),
        });
        for (at, _, distance) in truths.iter().filter(|(_, equal, _)| !equal) {
            text.push_str(&format!("  {at}: {} % off\n", f64::from(*distance) / 10.0));
        }
    }
    text.push('\n');
    for finding in &findings {
        let at = finding.at.as_deref().unwrap_or_default();
        text.push_str(&format!(
            "{}  {} {at}\n      expected: {}\n      actual:   {}\n",
            finding.outcome.as_str(),
            finding.requirement,
            finding.expected.get(lang),
            finding.actual
        ));
        if let Some(requirement) = law.ledger.get(&finding.requirement) {
            text.push_str(&format!(
                "      {} {}: {}\n      {}\n",
                requirement.clause,
                requirement.level.as_str(),
                requirement.zh,
                requirement.en
            ));
        }
        if let Some(hint) = &finding.hint {
            text.push_str(&format!("      hint: {}\n", hint.get(lang)));
        }
    }
    if let Some(note) = nothing_recognised(&transcript.events) {
        text.push_str(&note);
    } else if findings.is_empty() {
        text.push_str(match lang {
            Lang::Zh => "这一次调用没有发现问题\n",
            Lang::En => "nothing to complain of in this one call\n",
        });
    }
    super::print(&text)?;
    if let Ended::Broken { reason, detail } = &transcript.ended {
        eprintln!("fincert: {reason}: {detail}\n{}", reason.advice().get(lang));
        return Ok(exit::COULD_NOT_RUN);
    }
    let red = findings.iter().any(|finding| finding.outcome > Outcome::Warn);
    Ok(if red { exit::NOT_CERTIFIED } else { exit::CERTIFIED })
}

/// A specimen of the type that was asked for, and yet no success: conforming, but hardly what a vendor hopes for.
fn nothing_recognised(events: &[Event]) -> Option<String> {
    let (request, subject) = events.iter().find_map(|event| match &event.what {
        What::Call { request, subject: Some(Subject::Fixture(id)), .. } => Some((request, fixture::get(id)?)),
        _ => None,
    })?;
    let kind = subject.kind.as_type().filter(|kind| request.value.get("type").and_then(Value::as_str) == Some(kind))?;
    let recognised = events.iter().any(|event| match &event.what {
        What::Answer { via, value: Some(value), .. } => {
            via.is_success() && value.value.get("errorCode").and_then(Value::as_f64) == Some(0.0)
        }
        _ => false,
    });
    (!recognised).then(|| {
        format!(
            "样本 {id} 是 {kind}，但没有被识别：业务失败符合规范，但不能据此通过认证\nthe specimen {id} shows a {kind}, and it was not recognised: a business failure conforms, but nothing is certified by it\n",
            id = subject.id
        )
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default().replace('\n', "\n              ")
}
