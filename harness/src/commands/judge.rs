//! `fincert judge`: a recorded run judged again, without its target.

use std::path::PathBuf;

use fincert_reports::Format;

use super::report::{Document, digests, judge_record, open, parse_report};
use super::{Failure, Reading, exit, law};

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
    let law = law()?;
    let record = open(&options.run)?;
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
    document.show(options.reading.lang())?;
    match &record.judgement {
        Some(recorded) if *recorded != judgement && recorded.suites == judgement.suites => {
            eprintln!(
                "fincert: {}: the judgement in the record is not what these suites (version {}) find in it: the record was edited",
                options.run.display(),
                judgement.suites
            );
            return Ok(exit::DOES_NOT_HOLD);
        }
        Some(recorded) if *recorded != judgement => eprintln!(
            "fincert: note: the record was judged by suites {}, now by {}; the verdicts differ",
            recorded.suites, judgement.suites
        ),
        _ => {}
    }
    let code = exit::of(&judgement, &record.transcripts);
    if record.judgement.is_none() && code == exit::CERTIFIED {
        eprintln!("fincert: {}: a record that was cut off certifies nothing", options.run.display());
        return Ok(exit::DOES_NOT_HOLD);
    }
    Ok(code)
}
