//! `fincert judge`: a recorded run judged again, without its target.

use std::path::PathBuf;

use fincert_reports::Format;

use super::report::{Document, digests, is_edited, judge_record, law_of, open, outputs, parse_report};
use super::{Failure, Reading, exit, keep_apart};

/// Options of `fincert judge`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The run record
    run: PathBuf,
    /// Write a report, FORMAT=PATH (html, text, json, junit, ctrf, markdown, badge); may be given several times
    #[arg(long, value_name = "FORMAT=PATH", value_parser = parse_report, help_heading = "Output")]
    report: Vec<(Format, PathBuf)>,
    #[command(flatten)]
    reading: Reading,
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
    document.show(options.reading.lang())?;
    document.write_all(&options.report, options.reading.lang())?;
    match &record.judgement {
        Some(_) if is_edited(&record, &judgement, &options.run) => return Ok(exit::DOES_NOT_HOLD),
        Some(recorded) if *recorded != judgement => eprintln!(
            "fincert: note: the record was judged by suites {}, now by {}; the verdicts differ",
            recorded.suites, judgement.suites
        ),
        _ => {}
    }
    if record.judgement.is_none() {
        eprintln!("fincert: {}: a record that was cut off certifies nothing", options.run.display());
        return Ok(exit::DOES_NOT_HOLD);
    }
    Ok(exit::of(&judgement, &record.transcripts))
}
