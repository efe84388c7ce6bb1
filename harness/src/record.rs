//! The run record: written line by line, read back whole.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use fincert_schemas::digest;
use fincert_schemas::run::{
    CAPTURE_VERSION, Event, Judgement, Line, RECORD_VERSION, RunHeader, Session, Transcript, What,
};
use sha2::{Digest, Sha256};

/// The longest line of a record that is read, in bytes.
const MAX_LINE: usize = 64 * 1024 * 1024;

/// Writes a record, flushing every line, so that a killed run keeps what it had.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
}

impl Writer {
    /// Begins a record, over an older one of the same name.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|error| io::Error::new(error.kind(), format!("the folder {}: {error}", folder.display())))?;
        }
        Ok(Self { file: File::create(path)?, path: path.to_owned() })
    }

    /// Appends one line.
    pub fn line(&mut self, line: &Line) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.file.write_all(&bytes)?;
        self.file.flush()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A record, read back.
#[derive(Debug)]
pub struct Record {
    /// How the run was asked for.
    pub header: RunHeader,
    /// Its sessions.
    pub sessions: Vec<Session>,
    /// Its transcripts, with strays put back.
    pub transcripts: Vec<Transcript>,
    /// What was judged at the time; absent in a run that was cut off.
    pub judgement: Option<Judgement>,
    /// What the reader should know: a cut last line, a missing end.
    pub warnings: Vec<String>,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A line does not fit.
    #[error("{path}: line {line}: {message}")]
    Line {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What does not fit.
        message: String,
    },
}

/// Reads a record. A cut last line is dropped with a warning; anything else that does not fit is an error.
pub fn read(path: &Path) -> Result<Record, RecordError> {
    let name = path.display().to_string();
    let io_error = |source| RecordError::Io { path: name.clone(), source };
    let wrong = |line: usize, message: String| RecordError::Line { path: name.clone(), line, message };
    let mut reader = BufReader::new(Digested { inner: File::open(path).map_err(io_error)?, digest: Sha256::new() });
    let (mut header, mut sessions, mut transcripts, mut judgement) = (None, Vec::new(), Vec::new(), None);
    let mut warnings = Vec::new();
    let mut number = 0;
    loop {
        let mut bytes = Vec::new();
        let size = Read::take(&mut reader, MAX_LINE as u64 + 1).read_until(b'\n', &mut bytes).map_err(io_error)?;
        if size == 0 {
            break;
        }
        number += 1;
        if size > MAX_LINE {
            return Err(wrong(number, format!("longer than {MAX_LINE} bytes")));
        }
        let whole = bytes.last() == Some(&b'\n');
        let line: Line = match serde_json::from_slice(&bytes) {
            Ok(line) => line,
            Err(_) if !whole && number > 1 => {
                warnings.push(format!("line {number} is cut off and was dropped; the run was killed while writing it"));
                break;
            }
            Err(error) if number == 1 => {
                return Err(wrong(
                    1,
                    format!("this is no run record, which `fincert certify --record` writes: {error}"),
                ));
            }
            Err(error) => return Err(wrong(number, format!("no line of a run record: {error}"))),
        };
        if judgement.is_some() {
            return Err(wrong(number, "a line after the judgement, which is the last".to_owned()));
        }
        match (line, &header) {
            (Line::Run(first), None) => header = Some(check_version(first).map_err(|message| wrong(number, message))?),
            (Line::Run(_), Some(_)) => return Err(wrong(number, "a second run line".to_owned())),
            (_, None) => return Err(wrong(number, "the first line must be the run line".to_owned())),
            (Line::Session(session), _) => sessions.push(session),
            (Line::Transcript(transcript), _) => transcripts.push(transcript),
            (Line::Strays { scenario, events }, _) => put_back(&mut transcripts, &scenario, events),
            (Line::Judgement(judged), _) => judgement = Some(*judged),
        }
    }
    let header = header.ok_or_else(|| wrong(number.max(1), "an empty file is no run record".to_owned()))?;
    if judgement.is_none() {
        warnings.push("the run was cut off before it was judged".to_owned());
    }
    in_order(&header, &mut transcripts);
    let sha256 = digest::hex(&reader.into_inner().digest.finalize());
    Ok(Record { header, sessions, transcripts, judgement, warnings, sha256 })
}

/// Digests what is read through it, so that what was digested is what was read.
struct Digested {
    inner: File,
    digest: Sha256,
}

impl Read for Digested {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(buffer)?;
        self.digest.update(&buffer[..size]);
        Ok(size)
    }
}

fn check_version(header: RunHeader) -> Result<RunHeader, String> {
    if header.record != RECORD_VERSION {
        return Err(format!(
            "record version {}, this fincert reads {RECORD_VERSION}; judge it with fincert {} or newer",
            header.record, header.fincert
        ));
    }
    if header.capture > CAPTURE_VERSION {
        return Err(format!(
            "capture version {}, newer than this fincert's {CAPTURE_VERSION}; judge it with fincert {} or newer",
            header.capture, header.fincert
        ));
    }
    Ok(header)
}

/// Flows are driven in parallel and recorded as they end; they are judged in the order of the run, the first referee
/// before the second. What was driven in turn stays as it came, before them.
pub fn in_order(header: &RunHeader, transcripts: &mut [Transcript]) {
    let places: HashMap<&str, usize> =
        header.scenarios.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
    transcripts.sort_by_key(|transcript| {
        transcript.referee.map(|referee| (places.get(transcript.scenario.as_str()).copied(), referee))
    });
}

/// Puts late events back to the transcript of their scenario: where it has several, to the last one that has the call.
pub fn put_back(transcripts: &mut [Transcript], scenario: &str, events: Vec<Event>) {
    let mut mine: Vec<&mut Transcript> = transcripts.iter_mut().rev().filter(|t| t.scenario == scenario).collect();
    for event in events {
        let place = match (mine.len(), call_of(&event.what)) {
            (0, _) => return,
            (1, _) | (_, None) => 0,
            (_, Some(id)) => mine.iter().position(|transcript| has_call(transcript, id)).unwrap_or(0),
        };
        mine[place].events.push(event);
    }
}

/// The call that an event belongs to.
fn call_of(what: &What) -> Option<u64> {
    match what {
        What::Answer { id, .. }
        | What::Refused { id, .. }
        | What::Callback { id, .. }
        | What::NoResponse { id, .. } => Some(*id),
        _ => None,
    }
}

fn has_call(transcript: &Transcript, wanted: u64) -> bool {
    transcript.events.iter().any(|event| matches!(&event.what, What::Call { id, .. } if *id == wanted))
}
