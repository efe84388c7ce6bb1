//! Run record to documents. One renderer, one file.
//!
//! A renderer is a pure function from a [`Run`] to text: it reads no clock and no environment, and it
//! writes only to the writer it is given. Two equal runs give equal bytes. Whatever came from a target is
//! hostile and goes through [`text::clean`] (or JSON's own escapes) before it reaches a document.

pub mod badge;
mod cases;
pub mod ctrf;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
mod page;
pub mod standing;
pub mod terminal;
pub mod text;
mod timeline;
pub mod times;
mod words;

use std::io::{self, Write};
use std::str::FromStr;

use fincert_schemas::run::fuzz::FuzzFailure;
use fincert_schemas::run::{Finding, Judgement, Outcome, RunHeader, Session, Transcript, Verdict};
use fincert_schemas::{Bilingual, Lang, Ledger};

pub use fincert_schemas::run::Standing;
pub use standing::Tally;
pub use times::FlowTimes;
pub use words::integration;

/// Everything that a renderer may look at.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// How the run was asked for.
    pub header: &'a RunHeader,
    /// Its connections.
    pub sessions: &'a [Session],
    /// What was observed.
    pub transcripts: &'a [Transcript],
    /// What is thought of it.
    pub judgement: &'a Judgement,
    /// The texts of the requirements.
    pub ledger: &'a Ledger,
    /// The one command that replays a scenario; of generated cases, one: `ocr.fuzz#17`.
    pub replay: &'a dyn Fn(&str) -> String,
    /// What the run and its judgement were made with, to be compared with a certificate.
    pub digests: &'a [Digest],
}

/// A SHA-256, and of what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Digest {
    /// Of what.
    pub name: Bilingual,
    /// In hexadecimal.
    pub sha256: String,
}

impl Run<'_> {
    /// Whether this failure was declared to be known.
    pub fn is_known(&self, requirement: &str, scenario: &str) -> bool {
        self.header.known_failing.iter().any(|known| known.split_once(" @ ") == Some((requirement, scenario)))
    }

    /// The command that replays a finding: its scenario, and of generated cases the one, if it fails by itself.
    pub fn replay_finding(&self, finding: &Finding) -> String {
        let Some(case) = finding.case else { return (self.replay)(&finding.scenario) };
        let mine = self.judgement.fuzz.iter().filter(|summary| summary.scenario == finding.scenario);
        let failure = mine
            .flat_map(|summary| &summary.failures)
            .find(|failure| failure.requirement == finding.requirement && failure.cause == finding.cause);
        match failure {
            Some(failure) if !failure.is_alone() => self.replay_case(&finding.scenario, failure),
            _ => (self.replay)(&format!("{}#{case}", finding.scenario)),
        }
    }

    /// The command that replays what fuzzing found: the one case, or all of them where it needs what came before.
    pub fn replay_case(&self, scenario: &str, failure: &FuzzFailure) -> String {
        match failure.is_alone() {
            true => (self.replay)(&format!("{scenario}#{}", failure.case.index)),
            false => (self.replay)(scenario),
        }
    }

    /// Whether this pass was declared to be a known failure.
    pub fn is_unexpected_pass(&self, requirement: &str, scenario: &str) -> bool {
        self.judgement.unexpected_passes.iter().any(|known| known.split_once(" @ ") == Some((requirement, scenario)))
    }

    /// Whether the target is fincert's own mock host, embedded or dialled.
    pub fn is_mock(&self) -> bool {
        self.header.mock || self.sessions.iter().any(|session| session.hello.name == MOCK_NAME)
    }

    /// The verdict on a requirement in a scenario.
    pub fn verdict(&self, requirement: &str, scenario: &str) -> Option<&Verdict> {
        self.judgement.verdicts.iter().find(|v| v.requirement == requirement && v.scenario == scenario)
    }

    /// The transcripts of a WebRTC flow: one a referee. None where the scenario is no flow.
    pub fn flows<'s>(&'s self, scenario: &'s str) -> impl Iterator<Item = &'s Transcript> {
        self.transcripts
            .iter()
            .filter(move |transcript| transcript.referee.is_some() && transcript.scenario == scenario)
    }

    /// The findings that share a cause.
    pub fn findings_of<'s>(&'s self, cause: &'s str) -> impl Iterator<Item = &'s Finding> {
        self.judgement.findings.iter().filter(move |finding| finding.cause == cause)
    }
}

/// How a document shall look. Renderers for machines heed the language alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour it with ANSI sequences.
    pub color: bool,
    /// How many columns a line may have; less than [`MIN_WIDTH`] is taken as that.
    pub width: usize,
    /// The language of the reader.
    pub lang: Lang,
}

/// What fincert's own mock host calls itself.
const MOCK_NAME: &str = "fincert-mock";

/// The narrowest page that is laid out.
pub const MIN_WIDTH: usize = 40;

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 80, lang: Lang::En }
    }
}

/// The documents that can be made of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// What a person reads.
    Text,
    /// One JSON document.
    Json,
    /// JUnit XML, for CI.
    Junit,
    /// CTRF, one JSON document for the tools that read it.
    Ctrf,
    /// Markdown, for the summary of a CI job.
    Markdown,
    /// A badge, SVG.
    Badge,
    /// One HTML file, for whoever has to decide or to mend.
    Html,
}

impl Format {
    /// Every format.
    pub const ALL: &'static [Format] =
        &[Self::Text, Self::Json, Self::Junit, Self::Ctrf, Self::Markdown, Self::Badge, Self::Html];

    /// The format's name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Ctrf => "ctrf",
            Self::Markdown => "markdown",
            Self::Badge => "badge",
            Self::Html => "html",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// No document has that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such report format: {0} (there are: {names})", names = names())]
pub struct UnknownFormat(pub String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL.iter().copied().find(|format| format.name() == name).ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// Every format's name, in a row.
fn names() -> String {
    Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

/// Writes the document of this format.
pub fn render(format: Format, run: &Run<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => terminal::render(run, style, out),
        Format::Json => json::render(run, out),
        Format::Junit => junit::render(run, style.lang, out),
        Format::Ctrf => ctrf::render(run, style.lang, out),
        Format::Markdown => markdown::render(run, style.lang, out),
        Format::Badge => badge::render(run, style.lang, out),
        Format::Html => html::render(run, style.lang, out),
    }
}

/// Whether this outcome is one that nobody may take for a pass.
pub(crate) fn is_bad(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Fail | Outcome::Inconclusive | Outcome::CouldNotRun)
}
