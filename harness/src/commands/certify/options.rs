//! The options of `fincert certify`, and what stands in them.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fincert::fuzz::{DEFAULT_BUDGET, DEFAULT_CASES};
use fincert::input::read_text;
use fincert::target::Target;
use fincert::turn::FlowNetwork;
use fincert_peer::{AddressPolicy, IceServer};
use fincert_reports::Format;
use fincert_schemas::bridge::Integration;
use fincert_schemas::run::flow::Referees;

use crate::commands::mock::State;
use crate::commands::report::parse_report;
use crate::commands::{Failure, Reading};

/// The most generated requests that one API gets in a run.
const MOST_CASES: u32 = 10_000_000;

/// Options of `fincert certify`.
#[derive(Debug, clap::Parser)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// mock, stdio:COMMAND, ws://…, wss://…, listen, listen:ADDRESS:PORT, browser or browser:PROGRAM
    #[arg(long, default_value = "mock", value_name = "T", help_heading = "Target")]
    pub(super) target: Target,
    /// A deliberate wrongness of the embedded mock host; `fincert list defects` names them
    #[arg(long, value_name = "NAME", help_heading = "Target")]
    pub(super) defect: Option<String>,
    /// The state that the embedded mock host imitates [default: all three]
    #[arg(long, value_enum, help_heading = "Target")]
    pub(super) integration: Option<State>,
    /// Nobody stands by: scenarios that need a person are not exercised
    #[arg(long, help_heading = "Target")]
    pub(super) unattended: bool,
    /// Every call is waited for at least this many seconds; for targets that hesitate now and then
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, help_heading = "Target")]
    pub(super) min_wait: Option<Duration>,
    /// No call of a machine is waited for longer than this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds, help_heading = "Target")]
    pub(super) max_wait: Option<Duration>,

    /// A profile or capability to certify, such as ocr or ocr:BankCard; may be given several times [default: all that the target declares]
    #[arg(long, value_name = "P", help_heading = "What to drive")]
    pub(super) profile: Vec<String>,
    /// Only scenarios that match, such as 'ocr.bank-card.*'; such a run never certifies
    #[arg(long, value_name = "EXPR", help_heading = "What to drive")]
    pub(super) filter: Option<String>,
    /// The seed of all randomness [default: a new one, which is printed]
    #[arg(long, value_name = "N", help_heading = "What to drive")]
    pub(super) seed: Option<u64>,
    /// How many generated requests each API gets; 0: none. Where a person acts they are driven only if this is given [default: 48]
    #[arg(long, value_name = "N", value_parser = parse_cases, help_heading = "Fuzzing")]
    pub(super) fuzz: Option<u32>,
    /// Of the generated requests only the one with this number, as reports name it
    #[arg(long, requires = "filter", value_name = "CASE", conflicts_with = "fuzz", help_heading = "Fuzzing")]
    pub(super) fuzz_case: Option<u32>,
    /// How many calls may be made to find the smallest request that still fails; 0: none
    #[arg(long, value_name = "CALLS", default_value_t = DEFAULT_BUDGET, help_heading = "Fuzzing")]
    pub(super) fuzz_budget: u32,
    /// How many generated requests may be under way at once; for targets that bear it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Fuzzing")]
    pub(super) fuzz_window: u16,
    /// Write the smallest requests that fail as scenarios, which --scenarios drives again
    #[arg(long, value_name = "DIR", help_heading = "Fuzzing")]
    pub(super) save_cases: Option<PathBuf>,
    /// Drive the scenarios of this file and no others; such a run never certifies. May be given several times
    #[arg(long, value_name = "FILE", help_heading = "What to drive")]
    pub(super) scenarios: Vec<PathBuf>,
    /// Which peer drives the WebRTC flows: webrtc-rs, str0m or both [default: webrtc-rs, and str0m where ICE, DTLS or media fail with it]
    #[arg(long, value_name = "R", value_parser = parse_referee, help_heading = "WebRTC")]
    pub(super) referee: Option<Referees>,
    /// A network that the peer may send packets to, such as 192.168.1.0/24, beside this machine's own addresses; may be given several times
    #[arg(long, value_name = "NET", value_parser = parse_network, help_heading = "WebRTC")]
    pub(super) allow_network: Vec<(IpAddr, u8)>,
    /// Where the embedded TURN server listens; the target must reach it
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1", help_heading = "WebRTC")]
    pub(super) turn_address: IpAddr,
    /// A TURN server of yours in place of the embedded one, USER:PASSWORD@turn:HOST:PORT, or @FILE that holds it
    #[arg(long, value_name = "SERVER", help_heading = "WebRTC")]
    pub(super) turn_server: Option<String>,

    /// What stands for a parameter of the scenarios, such as videoIp=10.0.0.5, or loginPwd=@FILE for a secret
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_set, help_heading = "What to drive")]
    pub(super) set: Vec<(String, String)>,
    /// Failures that are expected; each must fail
    #[arg(long, value_name = "FILE", help_heading = "What to drive")]
    pub(super) known_failing: Option<PathBuf>,
    /// Write the failures of this run as such a list
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) write_known_failing: Option<PathBuf>,

    /// Where the run record goes [default without --record and --report: fincert-out/run.jsonl]
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub(super) record: Option<PathBuf>,
    /// Write a report, FORMAT=PATH (html, text, json, junit, ctrf, markdown, badge); may be given several times [default: html, json and junit in fincert-out/]
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_report, help_heading = "Output")]
    pub(super) report: Vec<(Format, PathBuf)>,
    /// Keep each API result as a snapshot in this folder; `fincert review` shows what changed
    #[arg(long, value_name = "DIR", conflicts_with = "reveal", help_heading = "Output")]
    pub(super) snapshots: Option<PathBuf>,
    /// Further rules of what is redacted in snapshots, a YAML file
    #[arg(long, value_name = "FILE", requires = "snapshots", help_heading = "Output")]
    pub(super) snapshot_rules: Option<PathBuf>,
    /// Keep and show personal data unmasked
    #[arg(long, help_heading = "Output")]
    pub(super) reveal: bool,
    #[command(flatten)]
    pub(super) reading: Reading,
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
    pub(crate) fn keeps_snapshots(&self) -> bool {
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

/// What the WebRTC flows are told of the operator's network.
pub(super) fn flow_network(options: &Options) -> Result<FlowNetwork, Failure> {
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

/// How many generated requests each API gets.
pub(super) fn cases(options: &Options) -> u32 {
    options.fuzz_case.map(|case| case.saturating_add(1)).or(options.fuzz).unwrap_or(DEFAULT_CASES)
}

/// What a replay needs beside target, defect, seed and filter.
pub(super) fn replay_options(options: &Options) -> Vec<String> {
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
