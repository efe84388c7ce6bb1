//! The command line.

mod call;
mod certify;
pub(crate) mod exit;
mod explain;
mod judge;
mod keygen;
mod list;
mod mock;
mod passphrase;
mod progress;
mod prove;
mod report;
mod review;
mod sign;
mod snapshots;
mod verify;

use std::path::Path;

use clap::{Args, Parser, Subcommand, ValueEnum};
use fincert::output::{is_same, unwritable};
use fincert_schemas::catalog::Catalog;
use fincert_schemas::data::DataError;
use fincert_schemas::{Lang, Ledger};
use fincert_suites::judge::Law;
use fincert_suites::{Scenario, Suite};

/// Conformance test harness and mock provider server for the FinClip financial-scenario API.
#[derive(Debug, Parser)]
#[command(name = "fincert", version, about, long_about = None, after_help = EXAMPLES, subcommand_negates_reqs = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  certify the embedded mock host over a real socket
    fincert
  certify an integration that speaks the bridge on its standard streams
    fincert certify --target 'stdio:python3 engine.py'
  wait for a device to dial in
    fincert certify --target listen --profile ocr
  make one call
    fincert call finCardOcr '{\"type\":\"BankCard\",\"imagePath\":{\"$file\":\"bank-card-debit\"}}'
  serve the mock host for mini programs and curl
    fincert mock --listen 127.0.0.1:7350
  judge a recorded run again, without its target
    fincert judge fincert-out/run.jsonl
  what a requirement wants, and what turns it red
    fincert explain ocr.result.error-code
  sign what a run proves, and verify it
    fincert keygen vendor
    fincert sign run.jsonl --key vendor.key --subject app.apk --out certificate.jsonl
    fincert verify certificate.jsonl --key vendor.pub --record run.jsonl --subject app.apk

Exit codes: 0 certified, 1 not certified, 2 wrong usage or a bad input file,
3 could not run, 4 a record, snapshot or certificate does not hold,
130 interrupted; `fincert list exit-codes` says more.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Certify a target: drive, record, judge, report
    Certify(Box<certify::Options>),
    /// Serve the mock host
    Mock(mock::Options),
    /// Judge a recorded run again, without its target
    Judge(judge::Options),
    /// Render documents of a recorded run
    Report(report::Options),
    /// Prove the suites: mutate transcripts, print what the checks catch
    Prove(prove::Options),
    /// Make one call, capture and judge it
    Call(call::Options),
    /// Review results that are new or have changed, one by one
    Review(review::Options),
    /// Make a pair of keys for certificates
    Keygen(keygen::Options),
    /// Sign what a run record proves: a certificate
    Sign(sign::Options),
    /// Verify a certificate, and judge its run record again
    Verify(verify::Options),
    /// List requirements, scenarios, checks, defects, …
    List(list::Options),
    /// Explain a requirement, scenario, check, defect or reason code
    Explain(explain::Options),
}

impl Cli {
    /// Whether the crate insta will be at work, which reads its environment.
    pub(crate) fn keeps_snapshots(&self) -> bool {
        matches!(&self.command, Some(Command::Certify(options)) if options.keeps_snapshots())
    }
}

/// Refuses outputs that cannot be written, that would be one file, or that would be written over what is read.
fn keep_apart(inputs: &[(&str, &Path)], outputs: &[(String, &Path)]) -> Result<(), Failure> {
    for (index, (what, path)) in outputs.iter().enumerate() {
        if let Some(why) = unwritable(path) {
            return Err(Failure::usage(format!("{what} {}: {why}", path.display())));
        }
        // A device takes what it is given, as often as it is given.
        if path.metadata().is_ok_and(|there| !there.is_file()) {
            continue;
        }
        if let Some((other, _)) = outputs[..index].iter().find(|(_, before)| is_same(before, path)) {
            return Err(Failure::usage(format!("{other} and {what} would both be written to {}", path.display())));
        }
        if let Some((input, _)) = inputs.iter().find(|(_, input)| is_same(input, path)) {
            return Err(Failure::usage(format!("{what} {}: would overwrite the {input}", path.display())));
        }
    }
    Ok(())
}

/// The language of what a person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LangChoice {
    Zh,
    En,
}

/// Options of everything that prints for a person.
#[derive(Debug, Clone, Args)]
struct Reading {
    /// Language of reports: zh or en [default: by the locale]
    #[arg(long, value_enum, help_heading = "Output")]
    lang: Option<LangChoice>,
}

impl Reading {
    fn lang(&self) -> Lang {
        match self.lang {
            Some(LangChoice::Zh) => Lang::Zh,
            Some(LangChoice::En) => Lang::En,
            None => {
                let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                    .iter()
                    .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
                if locale.is_some_and(|locale| locale.starts_with("zh")) { Lang::Zh } else { Lang::En }
            }
        }
    }
}

/// How a machine or a person wants a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    Text,
    Json,
}

/// Why a command cannot do what it was asked.
#[derive(Debug)]
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn usage(message: impl Into<String>) -> Self {
        Self { code: exit::USAGE, message: message.into() }
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::usage(error.to_string())
    }
}

/// Runs the command; the exit code.
pub(crate) async fn run(cli: Cli) -> u8 {
    let outcome = match cli.command {
        None => certify::run(certify::Options::default()).await,
        Some(Command::Certify(options)) => certify::run(*options).await,
        Some(Command::Mock(options)) => mock::run(options).await,
        Some(Command::Judge(options)) => judge::run(&options),
        Some(Command::Report(options)) => report::run(&options),
        Some(Command::Prove(options)) => prove::run(options).await,
        Some(Command::Call(options)) => call::run(options).await,
        Some(Command::Review(options)) => review::run(&options),
        Some(Command::Keygen(options)) => keygen::run(&options),
        Some(Command::Sign(options)) => sign::run(&options),
        Some(Command::Verify(options)) => verify::run(&options),
        Some(Command::List(options)) => list::run(&options),
        Some(Command::Explain(options)) => explain::run(&options),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("fincert: {}", failure.message);
            failure.code
        }
    }
}

/// The requirements, scenarios and schemas that are compiled in.
fn law() -> Result<Law<'static>, Failure> {
    Ok(Law { ledger: Ledger::embedded()?, suite: Suite::embedded()?, catalog: Catalog::embedded()? })
}

/// The law with scenarios of the operator's own. They live as long as the program, which judges once.
fn with_own(law: Law<'static>, own: Vec<Scenario>) -> Law<'static> {
    if own.is_empty() {
        return law;
    }
    let scenarios = law.suite.scenarios.iter().cloned().chain(own).collect();
    let suite = Suite { scenarios, params: law.suite.params.clone() };
    Law { suite: Box::leak(Box::new(suite)), ..law }
}

/// Writes results to stdout. A closed pipe is how `head` says it has seen enough.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure { code: exit::COULD_NOT_RUN, message: format!("standard output: {error}") })
        }
        _ => Ok(()),
    }
}
