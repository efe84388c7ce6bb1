//! `fincert report`: documents of a recorded run. What `certify` and `judge` share with it is here, too.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use fincert::output::write_with;
use fincert::record::{self, Record};
use fincert_reports::{Digest, Format, Run, Style};
use fincert_schemas::run::{Judgement, RunHeader, Session, Transcript};
use fincert_schemas::{Bilingual, Lang, digest};
use fincert_suites::Scenario;
use fincert_suites::judge::{self, Evidence, Law};

use super::{Failure, Reading, exit, keep_apart, law, with_own};

/// Options of `fincert report`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The run record
    run: PathBuf,
    /// Write a report, FORMAT=PATH (html, text, json, junit, ctrf, markdown, badge); may be given several times
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_report, required = true, help_heading = "Output")]
    report: Vec<(Format, PathBuf)>,
    #[command(flatten)]
    reading: Reading,
}

pub(super) fn parse_report(text: &str) -> Result<(Format, PathBuf), String> {
    let (format, path) = text.split_once('=').ok_or("want FORMAT=PATH, such as html=report.html")?;
    if path == "-" {
        return Err("want a file; what a person reads is on stdout by itself".to_owned());
    }
    if path.is_empty() {
        return Err("want FORMAT=PATH, such as html=report.html".to_owned());
    }
    Ok((format.parse().map_err(|error: fincert_reports::UnknownFormat| error.to_string())?, PathBuf::from(path)))
}

pub(super) fn run(options: &Options) -> Result<u8, Failure> {
    keep_apart(&[("run record", &options.run)], &outputs(&options.report))?;
    let record = open(&options.run)?;
    let law = law_of(&record)?;
    let judgement = judge_record(law, &record);
    let document = Document {
        law,
        header: &record.header,
        sessions: &record.sessions,
        transcripts: &record.transcripts,
        judgement: &judgement,
        digests: digests(Some(&options.run)),
    };
    document.write_all(&options.report, options.reading.lang())?;
    // It is rendered all the same, by what it holds now; who wrote it must not be taken at his word.
    Ok(if is_edited(&record, &judgement, &options.run) { exit::DOES_NOT_HOLD } else { exit::CERTIFIED })
}

/// The reports that are asked for, with their places.
pub(super) fn outputs(reports: &[(Format, PathBuf)]) -> Vec<(String, &Path)> {
    reports.iter().map(|(format, path)| (format!("{format} report"), path.as_path())).collect()
}

/// Whether the judgement in the record does not follow from it, by the very suites that made it; stderr says so.
pub(super) fn is_edited(record: &Record, judgement: &Judgement, path: &Path) -> bool {
    let edited =
        record.judgement.as_ref().is_some_and(|recorded| recorded != judgement && recorded.suites == judgement.suites);
    if edited {
        eprintln!(
            "fincert: {}: the judgement in the record is not what these suites (version {}) find in it: the record was edited",
            path.display(),
            judgement.suites
        );
    }
    edited
}

/// Reads a record; its warnings go to stderr.
pub(super) fn open(path: &Path) -> Result<Record, Failure> {
    let record = record::read(path).map_err(|error| {
        let code = match &error {
            record::RecordError::Io { .. } => exit::USAGE,
            record::RecordError::Line { .. } => exit::DOES_NOT_HOLD,
        };
        Failure { code, message: error.to_string() }
    })?;
    for warning in &record.warnings {
        eprintln!("fincert: warning: {}: {warning}", path.display());
    }
    Ok(record)
}

/// The law by which a record is judged: with the scenarios of the operator's own that it carries.
pub(super) fn law_of(record: &Record) -> Result<Law<'static>, Failure> {
    let law = law()?;
    let mut own = Vec::new();
    for value in &record.header.own {
        let scenario: Scenario = serde_json::from_value(value.clone())
            .map_err(|error| Failure { code: exit::DOES_NOT_HOLD, message: format!("line 1: own: {error}") })?;
        if law.suite.get(&scenario.id).is_some() || own.iter().any(|known: &Scenario| known.id == scenario.id) {
            let message = format!("line 1: own: {} is a scenario of fincert's", scenario.id);
            return Err(Failure { code: exit::DOES_NOT_HOLD, message });
        }
        own.push(scenario);
    }
    Ok(with_own(law, own))
}

/// Judges a record by these suites.
pub(super) fn judge_record(law: Law<'_>, record: &Record) -> Judgement {
    let evidence = Evidence { header: &record.header, sessions: &record.sessions, transcripts: &record.transcripts };
    let judgement = judge::judge(law, evidence);
    if record.judgement.is_some() { judgement } else { judge::cut_off(judgement) }
}

/// A judged run, ready to be rendered.
pub(super) struct Document<'a> {
    pub(super) law: Law<'a>,
    pub(super) header: &'a RunHeader,
    pub(super) sessions: &'a [Session],
    pub(super) transcripts: &'a [Transcript],
    pub(super) judgement: &'a Judgement,
    pub(super) digests: Vec<Digest>,
}

/// The digests that a report names, as a certificate does: of the record, where there is one, and of what it was judged
/// by.
pub(super) fn digests(record: Option<&Path>) -> Vec<Digest> {
    // A record that can no longer be read has been reported by whoever read it.
    let record = record.and_then(|file| fincert::output::sha256(file).ok());
    let own = [
        ("规范", "specification", digest::specification()),
        ("要求", "requirements", digest::requirements()),
        ("模式", "schemas", digest::schemas()),
        ("检查集", "suites", fincert_suites::DIGEST.to_owned()),
    ];
    let all = record.map(|sha256| ("运行记录", "run record", sha256)).into_iter().chain(own);
    all.map(|(zh, en, sha256)| Digest { name: Bilingual::new(zh, en), sha256 }).collect()
}

impl Document<'_> {
    fn render(&self, format: Format, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let replay = |scenario: &str| replay_command(self.header, scenario);
        let run = Run {
            header: self.header,
            sessions: self.sessions,
            transcripts: self.transcripts,
            judgement: self.judgement,
            ledger: self.law.ledger,
            digests: &self.digests,
            replay: &replay,
        };
        fincert_reports::render(format, &run, style, out)
    }

    /// What a person reads, on stdout.
    pub(super) fn show(&self, lang: Lang) -> Result<(), Failure> {
        let terminal = std::io::stdout().is_terminal();
        let color = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
        let width = columns.or_else(terminal_width).unwrap_or(100).clamp(fincert_reports::MIN_WIDTH, 120);
        let mut bytes = Vec::new();
        self.render(Format::Text, &Style { color, width, lang }, &mut bytes)
            .map_err(|error| Failure { code: exit::COULD_NOT_RUN, message: format!("text report: {error}") })?;
        super::print(&String::from_utf8_lossy(&bytes))
    }

    /// Each report to its file, whole or not at all. One that cannot be written keeps no other from it.
    pub(super) fn write_all(&self, reports: &[(Format, PathBuf)], lang: Lang) -> Result<(), Failure> {
        let mut failed = Vec::new();
        for (format, path) in reports {
            let style = Style { lang, ..Style::default() };
            if let Err(error) = write_with(path, |out| self.render(*format, &style, out)) {
                failed.push(format!("{format} report {}: {error}", path.display()));
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(Failure { code: exit::USAGE, message: failed.join("\n") }) }
    }
}

/// The terminal's width in columns.
pub(super) fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// The one command that drives a scenario again the same way; `ocr.fuzz#17` is one generated case of it.
pub(super) fn replay_command(header: &RunHeader, scenario: &str) -> String {
    let (scenario, case) = match scenario.rsplit_once('#') {
        Some((scenario, case)) if case.bytes().all(|byte| byte.is_ascii_digit()) => (scenario, Some(case)),
        _ => (scenario, None),
    };
    let quote = |text: &str| shell_words::quote(text).into_owned();
    let mut command = format!("fincert certify --target {}", quote(&header.target));
    if let Some(defect) = &header.defect {
        command.push_str(&format!(" --defect {}", quote(defect)));
    }
    let other =
        |option: &&String| case.is_none() || !(option.starts_with("--fuzz ") || option.starts_with("--fuzz-case "));
    for option in header.options.iter().filter(other) {
        command.push_str(&format!(" {option}"));
    }
    for name in &header.set {
        command.push_str(&format!(" --set {name}=@{name}.txt"));
    }
    command.push_str(&format!(" --seed {} --filter {}", header.seed, quote(scenario)));
    if let Some(case) = case {
        command.push_str(&format!(" --fuzz-case {case}"));
    }
    command
}
