//! `fincert certify`: drive, record, judge, report.

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fincert::filter::Filter;
use fincert::fuzz::{DEFAULT_BUDGET, DEFAULT_CASES, Fuzzing};
use fincert::input::read_text;
use fincert::output::write_whole;
use fincert::record::Writer;
use fincert::runner::{self, Gathered, Plan};
use fincert::target::Target;
use fincert::turn::FlowNetwork;
use fincert_peer::{AddressPolicy, IceServer};
use fincert_reports::Format;
use fincert_schemas::bridge::Integration;
use fincert_schemas::requirement::PROFILES;
use fincert_schemas::run::flow::Referees;
use fincert_schemas::run::{CAPTURE_VERSION, Line, Outcome, RECORD_VERSION, RunHeader};
use fincert_suites::judge::{self, Evidence, Law};
use fincert_suites::{Scenario, Suite, known_failing};

use super::mock::{State, find_defect};
use super::progress::Reporter;
use super::report::{Document, digests, outputs as report_outputs, parse_report};
use super::{Failure, Reading, exit, keep_apart, law, snapshots, with_own};

/// The most generated requests that one API gets in a run.
const MOST_CASES: u32 = 10_000_000;

/// Where record and reports go when nothing else is said.
const OUT: &str = "fincert-out";

/// Options of `fincert certify`.
#[derive(Debug, clap::Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// mock, stdio:COMMAND, ws://…, wss://…, listen, listen:ADDRESS:PORT, browser or browser:PROGRAM
    #[arg(long, default_value = "mock", value_name = "T", help_heading = "Target")]
    target: Target,
    /// A deliberate wrongness of the embedded mock host; `fincert list defects` names them
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    defect: Option<String>,
    /// The state that the embedded mock host imitates [default: all three]
    #[arg(long, value_enum, help_heading = "Target")]
    integration: Option<State>,
    /// Nobody stands by: scenarios that need a person are not exercised
    #[arg(long, help_heading = "Target")]
    unattended: bool,
    /// Every call is waited for at least this many seconds; for targets that hesitate now and then
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, help_heading = "Target")]
    min_wait: Option<Duration>,
    /// No call of a machine is waited for longer than this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, help_heading = "Target")]
    max_wait: Option<Duration>,

    /// A profile or capability to certify, such as ocr or ocr:BankCard; may be given several times [default: all that the target declares]
    #[arg(long, value_name = "P", help_heading = "What to drive")]
    profile: Vec<String>,
    /// Only scenarios that match, such as 'ocr.bank-card.*'; such a run never certifies
    #[arg(long, value_name = "EXPR", help_heading = "What to drive")]
    filter: Option<String>,
    /// The seed of all randomness [default: a new one, which is printed]
    #[arg(long, value_name = "N", help_heading = "What to drive")]
    seed: Option<u64>,
    /// How many generated requests each API gets; 0: none. Where a person acts they are driven only if this is given [default: 48]
    #[arg(long, value_name = "N", value_parser = parse_cases, help_heading = "Fuzzing")]
    fuzz: Option<u32>,
    /// Of the generated requests only the one with this number, as reports name it
    #[arg(long, value_name = "CASE", conflicts_with = "fuzz", help_heading = "Fuzzing")]
    fuzz_case: Option<u32>,
    /// How many calls may be made to find the smallest request that still fails; 0: none
    #[arg(long, value_name = "CALLS", default_value_t = DEFAULT_BUDGET, help_heading = "Fuzzing")]
    fuzz_budget: u32,
    /// How many generated requests may be under way at once; for targets that bear it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Fuzzing")]
    fuzz_window: u16,
    /// Write the smallest requests that fail as scenarios, which --scenarios drives again
    #[arg(long, value_name = "DIR", help_heading = "Fuzzing")]
    save_cases: Option<PathBuf>,
    /// Drive the scenarios of this file and no others; such a run never certifies. May be given several times
    #[arg(long, value_name = "FILE", help_heading = "What to drive")]
    scenarios: Vec<PathBuf>,
    /// Which peer drives the WebRTC flows: webrtc-rs, str0m or both [default: webrtc-rs, and str0m where ICE, DTLS or media fail with it]
    #[arg(long, value_name = "R", value_parser = parse_referee, help_heading = "WebRTC")]
    referee: Option<Referees>,
    /// A network that the peer may send packets to, such as 192.168.1.0/24, beside this machine's own addresses; may be given several times
    #[arg(long, value_name = "NET", value_parser = parse_network, help_heading = "WebRTC")]
    allow_network: Vec<(IpAddr, u8)>,
    /// Where the embedded TURN server listens; the target must reach it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", help_heading = "WebRTC")]
    turn_address: IpAddr,
    /// A TURN server of yours in place of the embedded one, USER:PASSWORD@turn:HOST:PORT, or @FILE that holds it
    #[arg(long, value_name = "SERVER", help_heading = "WebRTC")]
    turn_server: Option<String>,

    /// What stands for a parameter of the scenarios, such as videoIp=10.0.0.5, or loginPwd=@FILE for a secret
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_set, help_heading = "What to drive")]
    set: Vec<(String, String)>,
    /// Failures that are expected; each must fail
    #[arg(long, value_name = "FILE", help_heading = "What to drive")]
    known_failing: Option<PathBuf>,
    /// Write the failures of this run as such a list
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    write_known_failing: Option<PathBuf>,

    /// Where the run record goes [default without --record and --report: fincert-out/run.jsonl]
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    record: Option<PathBuf>,
    /// Write a report, FORMAT=PATH (html, text, json, junit, ctrf, markdown, badge); may be given several times [default: html, json and junit in fincert-out/]
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_report, help_heading = "Output")]
    report: Vec<(Format, PathBuf)>,
    /// Keep each API result as a snapshot in this folder; `fincert review` shows what changed
    #[arg(long, value_name = "DIR", conflicts_with = "reveal", help_heading = "Output")]
    snapshots: Option<PathBuf>,
    /// Further rules of what is redacted in snapshots, a YAML file
    #[arg(long, value_name = "FILE", requires = "snapshots", help_heading = "Output")]
    snapshot_rules: Option<PathBuf>,
    /// Keep and show personal data unmasked
    #[arg(long, help_heading = "Output")]
    reveal: bool,
    #[command(flatten)]
    reading: Reading,
}

const EXAMPLES: &str = "\
Examples:
  fincert certify --target 'stdio:python3 engine.py' --profile ocr:BankCard
  fincert certify --target ws://127.0.0.1:9000/bridge --report junit=report.xml --record run.jsonl
  fincert certify --target browser --profile webrtc
  fincert certify --target ws://127.0.0.1:9000/bridge --fuzz 2000 --save-cases cases
  fincert certify --filter 'ocr.* & !*.unreadable.*'
  fincert certify --target mock --defect score-87";

impl Default for Options {
    fn default() -> Self {
        <Self as clap::Parser>::parse_from(["fincert"])
    }
}

impl Options {
    /// Whether results are kept as snapshots.
    pub(super) fn keeps_snapshots(&self) -> bool {
        self.snapshots.is_some()
    }
}

fn parse_set(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("want NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_referee(text: &str) -> Result<Referees, String> {
    [Referees::WebrtcRs, Referees::Str0m, Referees::Both]
        .into_iter()
        .find(|referees| referees.as_str() == text)
        .ok_or_else(|| "want webrtc-rs, str0m or both".to_owned())
}

fn parse_network(text: &str) -> Result<(IpAddr, u8), String> {
    let wrong = || "want ADDRESS/BITS, such as 192.168.1.0/24, or an address".to_owned();
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
    if bits > most { Err(wrong()) } else { Ok((address, bits)) }
}

/// What the WebRTC flows are told of the operator's network.
fn flow_network(options: &Options) -> Result<FlowNetwork, Failure> {
    let turn_server = match &options.turn_server {
        None => None,
        Some(text) => {
            let written = match text.strip_prefix('@') {
                Some(path) => read_text(Path::new(path))
                    .map_err(|error| Failure::usage(format!("--turn-server: {path}: {error}")))?,
                None => text.clone(),
            };
            let written = written.trim();
            let parts = written.rsplit_once('@').and_then(|(who, url)| Some((who.split_once(':')?, url)));
            let Some(((username, credential), url)) = parts.filter(|(_, url)| url.starts_with("turn:")) else {
                return Err(Failure::usage("--turn-server: want USER:PASSWORD@turn:HOST:PORT"));
            };
            Some(IceServer {
                urls: vec![url.to_owned()],
                username: username.to_owned(),
                credential: credential.to_owned(),
            })
        }
    };
    Ok(FlowNetwork {
        addresses: AddressPolicy { allowed: options.allow_network.clone() },
        turn_address: options.turn_address,
        turn_server,
    })
}

fn parse_cases(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|count| *count <= MOST_CASES).ok_or_else(|| format!("want a number up to {MOST_CASES}"))
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "want a number of seconds, such as 2.5".to_owned())?;
    if !(0.05..=3600.0).contains(&seconds) {
        return Err("want 0.05 to 3600 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

pub(super) async fn run(options: Options) -> Result<u8, Failure> {
    let own = read_own(&options.scenarios)?;
    let law = with_own(law()?, own.clone());
    let lang = options.reading.lang();
    let (plan, header) = prepare(law, &options, &own)?;
    let snapshots = snapshots::open(options.snapshots.as_deref(), options.snapshot_rules.as_deref())?;
    let (record, reports) = destinations(&options);
    let mut outputs = report_outputs(&reports);
    outputs.extend(record.iter().map(|path| ("run record".to_owned(), path.as_path())));
    outputs.extend(options.write_known_failing.iter().map(|path| ("known failures".to_owned(), path.as_path())));
    let inputs = options.known_failing.iter().map(|path| ("--known-failing", path.as_path()));
    let inputs: Vec<_> = inputs
        .chain(options.scenarios.iter().map(|path| ("--scenarios", path.as_path())))
        .chain(options.snapshot_rules.iter().map(|path| ("--snapshot-rules", path.as_path())))
        .collect();
    keep_apart(&inputs, &outputs)?;
    let mut writer = match &record {
        Some(path) => Some(
            Writer::create(path).map_err(|error| Failure::usage(format!("run record {}: {error}", path.display())))?,
        ),
        None => None,
    };

    let gathered = drive(law, &plan, &header, &mut writer, lang).await?;
    let evidence = Evidence { header: &header, sessions: &gathered.sessions, transcripts: &gathered.transcripts };
    let judgement = judge::judge(law, evidence);
    if let Some(writer) = &mut writer {
        let path = writer.path().display().to_string();
        writer.line(&Line::Judgement(Box::new(judgement.clone()))).map_err(|error| record_failed(&path, &error))?;
    }
    let document = Document {
        law,
        header: &header,
        sessions: &gathered.sessions,
        transcripts: &gathered.transcripts,
        judgement: &judgement,
        digests: digests(record.as_deref()),
    };
    document.write_all(&reports, lang)?;
    document.show(lang)?;
    if let Some((folder, rules)) = &snapshots {
        snapshots::keep(folder, rules, &document, lang)?;
    }
    if let Some(path) = &options.write_known_failing {
        let failing = judgement.verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Fail);
        let entries: Vec<_> = failing.map(|v| known_failing::key(&v.requirement, &v.scenario)).collect();
        write_whole(path, known_failing::write(&entries).as_bytes())
            .map_err(|error| Failure::usage(format!("known failures {}: {error}", path.display())))?;
    }
    let mut written: Vec<String> = record.iter().map(|path| path.display().to_string()).collect();
    written.extend(reports.iter().map(|(_, path)| path.display().to_string()));
    eprintln!(
        "seed {}; written: {}",
        header.seed,
        if written.is_empty() { "nothing".to_owned() } else { written.join(", ") }
    );
    if gathered.interrupted {
        return Ok(exit::INTERRUPTED);
    }
    Ok(exit::of(&judgement, &gathered.transcripts))
}

/// Everything that can be wrong with the input is found out before anything starts.
fn prepare(law: Law<'_>, options: &Options, own: &[Scenario]) -> Result<(Plan, RunHeader), Failure> {
    let defect = find_defect(options.defect.as_deref())?;
    let mock = options.target == Target::Mock;
    if !mock && (defect.is_some() || options.integration.is_some()) {
        return Err(Failure::usage("--defect and --integration belong to the embedded mock host, --target mock"));
    }
    for name in &options.profile {
        known_profile(law, name)?;
    }
    let filter = options.filter.as_deref().map(Filter::parse).transpose().map_err(|e| Failure::usage(e.to_string()))?;
    let chosen: Vec<&Scenario> = law
        .suite
        .scenarios
        .iter()
        .filter(|scenario| wanted(scenario, &options.profile))
        .filter(|scenario| filter.as_ref().is_none_or(|filter| filter.accepts(scenario)))
        .filter(|scenario| own.is_empty() || own.iter().any(|own| own.id == scenario.id))
        .filter(|scenario| options.fuzz != Some(0) || scenario.fuzz().is_none())
        .collect();
    if chosen.is_empty() {
        let with = if options.profile.is_empty() { "" } else { " within the profiles asked for" };
        return Err(Failure::usage(format!("--filter matches no scenario{with}; `fincert list scenarios` names them")));
    }
    let known = match &options.known_failing {
        Some(path) => {
            let name = path.display().to_string();
            let text = read_text(path).map_err(|error| Failure::usage(format!("known failures {name}: {error}")))?;
            known_failing::read(&name, &text, law.ledger, law.suite)?
        }
        None => Vec::new(),
    };
    let mut params = law.suite.params.clone();
    for (name, value) in &options.set {
        let Some(slot) = params.get_mut(name) else {
            let names: Vec<_> = law.suite.params.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!(
                "--set: no scenario has a parameter {name}; there are: {}",
                names.join(", ")
            )));
        };
        *slot = match value.strip_prefix('@') {
            // A secret on the command line stands in the process list and in the shell's history.
            Some(path) => read_text(Path::new(path))
                .map_err(|error| Failure::usage(format!("--set {name}: {path}: {error}")))?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            None => value.clone(),
        };
    }
    let states = match (options.integration, defect) {
        (Some(state), _) => vec![state.into()],
        (None, Some(defect)) if defect.integration.is_some() => defect.integration.into_iter().collect(),
        // The embedded mock host shows all three states, so that every requirement of clause 1 is exercised.
        (None, _) => vec![Integration::Integrated, Integration::Custom, Integration::Absent],
    };
    let seed = options.seed.unwrap_or_else(|| {
        use rand::RngExt;
        rand::rng().random::<u32>().into()
    });
    let header = RunHeader {
        record: RECORD_VERSION,
        capture: CAPTURE_VERSION,
        fincert: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        began: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        target: options.target.to_string(),
        mock,
        defect: options.defect.clone(),
        profiles: options.profile.clone(),
        // Evidence that someone chose never certifies.
        filter: options.filter.clone().or_else(|| (!own.is_empty()).then(|| "*".to_owned())),
        referee: options.referee,
        options: replay_options(options),
        revealed: options.reveal,
        set: options.set.iter().map(|(name, _)| name.clone()).collect(),
        fuzz: if chosen.iter().any(|scenario| scenario.fuzz().is_some()) { cases(options) } else { 0 },
        // Their requests may be anything; judging needs none of them.
        own: own.iter().map(|own| serde_json::json!(Scenario { steps: Vec::new(), ..own.clone() })).collect(),
        scenarios: chosen.iter().map(|scenario| scenario.id.clone()).collect(),
        known_failing: known,
    };
    let plan = Plan {
        target: options.target.clone(),
        defect,
        states,
        unattended: options.unattended,
        reveal: options.reveal,
        params,
        min_wait: options.min_wait,
        max_wait: options.max_wait,
        flows: flow_network(options)?,
        fuzzing: Fuzzing {
            asked: options.fuzz.is_some() || options.fuzz_case.is_some(),
            only: options.fuzz_case,
            budget: options.fuzz_budget,
            window: usize::from(options.fuzz_window),
            save: options.save_cases.clone(),
        },
    };
    Ok((plan, header))
}

/// How many generated requests each API gets.
fn cases(options: &Options) -> u32 {
    options.fuzz_case.map(|case| case.saturating_add(1)).or(options.fuzz).unwrap_or(DEFAULT_CASES)
}

/// The scenarios of the operator's own files.
fn read_own(files: &[PathBuf]) -> Result<Vec<Scenario>, Failure> {
    let mut texts = Vec::new();
    for path in files {
        let name = path.display().to_string();
        let text = read_text(path).map_err(|error| Failure::usage(format!("--scenarios {name}: {error}")))?;
        texts.push((name, text));
    }
    let suite = Suite::read_own(texts.iter().map(|(name, text)| (name.clone(), text.as_str())))?;
    Ok(suite.scenarios)
}

fn known_profile(law: Law<'_>, name: &str) -> Result<(), Failure> {
    let profile = PROFILES.iter().find(|(profile, parts)| *profile == name || parts.contains(&name));
    let Some((profile, _)) = profile else {
        let names: Vec<_> = PROFILES
            .iter()
            .flat_map(|(profile, parts)| std::iter::once(*profile).chain(parts.iter().copied()))
            .collect();
        return Err(Failure::usage(format!("no such profile or capability: {name}; there are: {}", names.join(", "))));
    };
    let missing = judge::unchecked(law, profile);
    if let Some(first) = missing.first() {
        return Err(Failure::usage(format!(
            "the profile {profile} is not offered yet: {} of its MUSTs have no check ({first}, …); `fincert list profiles` says more",
            missing.len()
        )));
    }
    Ok(())
}

/// What a replay needs beside target, defect, seed and filter.
fn replay_options(options: &Options) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(state) = options.integration {
        all.push(format!("--integration {}", Integration::from(state).as_str()));
    }
    if let Some(least) = options.min_wait {
        all.push(format!("--min-wait {}", least.as_secs_f64()));
    }
    if let Some(most) = options.max_wait {
        all.push(format!("--max-wait {}", most.as_secs_f64()));
    }
    if options.unattended {
        all.push("--unattended".to_owned());
    }
    match (options.fuzz, options.fuzz_case) {
        (_, Some(case)) => all.push(format!("--fuzz-case {case}")),
        (Some(cases), None) => all.push(format!("--fuzz {cases}")),
        (None, None) => {}
    }
    if options.fuzz_budget != DEFAULT_BUDGET {
        all.push(format!("--fuzz-budget {}", options.fuzz_budget));
    }
    if options.fuzz_window != 1 {
        all.push(format!("--fuzz-window {}", options.fuzz_window));
    }
    for file in &options.scenarios {
        all.push(format!("--scenarios {}", shell_words::quote(&file.display().to_string())));
    }
    if let Some(referee) = options.referee {
        all.push(format!("--referee {}", referee.as_str()));
    }
    for (address, bits) in &options.allow_network {
        all.push(format!("--allow-network {address}/{bits}"));
    }
    // A password on the command line is not repeated; a file's name is.
    if let Some(file) = options.turn_server.as_ref().filter(|server| server.starts_with('@')) {
        all.push(format!("--turn-server {}", shell_words::quote(file)));
    } else if options.turn_server.is_some() {
        all.push("--turn-server USER:PASSWORD@turn:HOST:PORT".to_owned());
    }
    if options.turn_address != IpAddr::V4(Ipv4Addr::LOCALHOST) {
        all.push(format!("--turn-address {}", options.turn_address));
    }
    all
}

/// Clause 1 is part of every profile, but its own scenarios are driven only where it, or everything, is asked for.
fn wanted(scenario: &Scenario, profiles: &[String]) -> bool {
    profiles.is_empty()
        || profiles.iter().any(|name| match name.split_once(':') {
            Some((profile, _)) => {
                scenario.profile == profile
                    && scenario.capability.as_deref().is_none_or(|capability| capability == name)
            }
            None => scenario.profile == *name,
        })
}

fn destinations(options: &Options) -> (Option<PathBuf>, Vec<(Format, PathBuf)>) {
    if options.record.is_none() && options.report.is_empty() {
        let out = PathBuf::from(OUT);
        let reports = [(Format::Html, "report.html"), (Format::Json, "report.json"), (Format::Junit, "junit.xml")];
        let reports = reports.map(|(format, name)| (format, out.join(name))).to_vec();
        return (Some(out.join("run.jsonl")), reports);
    }
    (options.record.clone(), options.report.clone())
}

fn record_failed(path: &str, error: &std::io::Error) -> Failure {
    Failure { code: exit::COULD_NOT_RUN, message: format!("run record {path}: {error}") }
}

async fn drive(
    law: Law<'static>,
    plan: &Plan,
    header: &RunHeader,
    writer: &mut Option<Writer>,
    lang: fincert_schemas::Lang,
) -> Result<Gathered, Failure> {
    let terminal = std::io::stderr().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb");
    let mut reporter = Reporter::new(law, header.scenarios.len(), terminal, lang);
    let path = writer.as_ref().map(|w| w.path().display().to_string()).unwrap_or_default();
    let mut sink = |line: &Line| writer.as_mut().map_or(Ok(()), |writer| writer.line(line));
    let mut progress = |event: runner::Progress<'_>| reporter.show(&event);
    let interrupt = interrupted();
    let gathered = runner::run(plan, header, law, &mut sink, &mut progress, Box::pin(interrupt)).await;
    reporter.finish();
    gathered.map_err(|error| record_failed(&path, &error))
}

/// Ctrl-C, or whatever else ends a program in good order: the record is kept and the target is ended.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}
