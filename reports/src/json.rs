//! One JSON document for programs: the run, the judgement, and the texts of the requirements it names.
//!
//! The shape is fincert's own and carries a version; its JSON Schema is `schemas/run/report.json`. Characters that could deceive a terminal are written
//! as `\u` escapes, which changes no value.

use std::io::{self, BufWriter, Write};

use fincert_schemas::Level;
use fincert_schemas::run::flow::Referee;
use fincert_schemas::run::{Ended, Judgement, RunHeader, Session};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter};

use crate::text::is_deceptive;
use crate::{FlowTimes, Run, Standing, Tally};

/// The version of the document's shape.
pub const DOCUMENT_VERSION: u32 = 1;

/// The document.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Document<'a> {
    /// [`DOCUMENT_VERSION`].
    pub version: u32,
    /// How the run stands.
    pub standing: Standing,
    /// How many requirements have which verdict, and how the scenarios ended.
    pub summary: Tally,
    /// How the run was asked for.
    pub header: &'a RunHeader,
    /// The connections.
    pub sessions: &'a [Session],
    /// How each scenario ended. What was observed stands in the run record.
    pub scenarios: Vec<Scenario<'a>>,
    /// How long each WebRTC flow took, by referee. Reported, never certified on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<FlowTimes<'a>>,
    /// What is thought of it.
    pub judgement: &'a Judgement,
    /// The texts of the requirements that the judgement names, by id, in the specification's order.
    pub requirements: IndexMap<&'a str, Text<'a>>,
}

/// How a scenario ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Scenario<'a> {
    /// The scenario's id.
    pub scenario: &'a str,
    /// The session that it ran in; 0 where no session could be had.
    pub session: u32,
    /// The referee of a WebRTC flow; one that both drove is there twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referee: Option<Referee>,
    /// How it ended.
    pub ended: &'a Ended,
    /// The command that replays it, where something was found in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<String>,
}

/// The text of a requirement.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Text<'a> {
    /// The clause.
    pub clause: &'a str,
    /// How binding it is.
    pub level: Level,
    /// The profile, or `every`.
    pub profile: &'a str,
    /// The one capability it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<&'a str>,
    /// The requirement in Chinese.
    pub zh: &'a str,
    /// The requirement in English.
    pub en: &'a str,
    /// The specification's own words.
    pub quote: &'a [String],
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Document<'static>>();
    schema.insert("$id".to_owned(), format!("{}run/report.json", fincert_schemas::catalog::BASE).into());
    schema.to_value()
}

impl<'a> Document<'a> {
    /// The document of a run.
    pub fn of(run: &Run<'a>) -> Self {
        let judgement = run.judgement;
        let found = |scenario: &str| judgement.findings.iter().any(|finding| finding.scenario == scenario);
        let scenarios = run.transcripts.iter().map(|transcript| Scenario {
            scenario: &transcript.scenario,
            session: transcript.session,
            referee: transcript.referee,
            ended: &transcript.ended,
            replay: found(&transcript.scenario).then(|| (run.replay)(&transcript.scenario)),
        });
        Self {
            version: DOCUMENT_VERSION,
            standing: run.judgement.standing,
            summary: Tally::of(judgement, run.transcripts),
            header: run.header,
            sessions: run.sessions,
            scenarios: scenarios.collect(),
            flows: run.transcripts.iter().filter_map(FlowTimes::of).collect(),
            judgement,
            requirements: texts(run),
        }
    }
}

fn texts<'a>(run: &Run<'a>) -> IndexMap<&'a str, Text<'a>> {
    let judgement = run.judgement;
    let missing = judgement.certifications.iter().flat_map(|c| &c.missing).map(|missing| &missing.requirement);
    let mut ids: Vec<&str> = missing
        .chain(judgement.requirements.iter().map(|verdict| &verdict.requirement))
        .chain(judgement.findings.iter().map(|finding| &finding.requirement))
        .map(String::as_str)
        .collect();
    ids.sort_by_key(|id| (run.ledger.position(id), *id));
    ids.dedup();
    let ledger = run.ledger;
    ids.into_iter()
        .filter_map(|id| {
            let requirement = ledger.get(id)?;
            Some((
                id,
                Text {
                    clause: &requirement.clause,
                    level: requirement.level,
                    profile: &requirement.profile,
                    capability: requirement.capability.as_deref(),
                    zh: &requirement.zh,
                    en: &requirement.en,
                    quote: &requirement.quote,
                },
            ))
        })
        .collect()
}

/// Writes the document, indented.
pub fn render(run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
    write_clean(&Document::of(run), out)
}

/// Writes JSON, indented, with every deceptive character escaped, as it is made.
pub(crate) fn write_clean(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Clean(PrettyFormatter::new()));
    document.serialize(&mut serializer)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Indented JSON whose strings hold no deceptive character.
struct Clean<'a>(PrettyFormatter<'a>);

impl Formatter for Clean<'_> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        write_escaped(out, fragment, is_deceptive)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

/// A piece of a JSON string with some characters as `\u` escapes, which changes no value.
pub(crate) fn write_escaped<W: ?Sized + Write>(out: &mut W, text: &str, escaped: fn(char) -> bool) -> io::Result<()> {
    let mut from = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| escaped(*c)) {
        out.write_all(&text.as_bytes()[from..at])?;
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            write!(out, "\\u{unit:04x}")?;
        }
        from = at + c.len_utf8();
    }
    out.write_all(&text.as_bytes()[from..])
}
