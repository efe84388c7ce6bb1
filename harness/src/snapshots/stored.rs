//! Snapshots as they lie in a folder: read with bounds, and refused where they are not fincert's or were edited.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use fincert_reports::text::clip;
use fincert_schemas::data::{self, DataError};
use schemars::JsonSchema;
use serde::Deserialize;

use super::gather::{Info, VERSION};

/// The largest snapshot that is read, in bytes.
const MAX_BYTES: u64 = 8 * 1024 * 1024;
/// The most files that a folder may hold.
const MAX_FILES: usize = 50_000;
/// So much is quoted of what does not fit, in characters.
const LONGEST_MESSAGE: usize = 160;
/// The ending of what was accepted.
const ACCEPTED: &str = ".snap";
/// The ending of what waits for a reviewer.
const PENDING: &str = ".snap.new";

/// What is wrong with a folder of snapshots.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file is no snapshot of fincert's, or was edited.
    #[error("{path}: {message}")]
    Form {
        /// Which.
        path: String,
        /// What does not fit, and what to do.
        message: String,
    },
}

impl SnapshotError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }

    pub(super) fn form(path: &Path, message: impl Into<String>) -> Self {
        Self::Form { path: path.display().to_string(), message: message.into() }
    }
}

/// One snapshot as it lies there.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its file.
    pub path: PathBuf,
    /// What was driven and called.
    pub description: String,
    /// What it is known by.
    pub info: Info,
    /// The result.
    pub text: String,
}

/// What there is under one name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entry {
    /// What was accepted.
    pub accepted: Option<Stored>,
    /// What waits for a reviewer.
    pub pending: Option<Stored>,
}

/// The part of insta's header that fincert needs. What else insta writes there is its own.
#[derive(Debug, Deserialize, JsonSchema)]
struct Header {
    description: String,
    info: Info,
}

/// The version alone, for telling a newer snapshot from a foreign one.
#[derive(Debug, Deserialize, JsonSchema)]
struct HeaderVersion {
    info: InfoVersion,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct InfoVersion {
    fincert: u32,
}

/// Reads a folder, by name. What is no snapshot by its ending is left alone. A folder that is not there is empty.
pub fn read_folder(folder: &Path) -> Result<BTreeMap<String, Entry>, SnapshotError> {
    let mut all: BTreeMap<String, Entry> = BTreeMap::new();
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
        Err(error) => return Err(SnapshotError::io(folder, error)),
    };
    for (index, entry) in listing.enumerate() {
        let path = entry.map_err(|error| SnapshotError::io(folder, error))?.path();
        if index >= MAX_FILES {
            return Err(SnapshotError::form(folder, format!("more than {MAX_FILES} files: no folder of snapshots")));
        }
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if let Some(name) = file.strip_suffix(PENDING) {
            all.entry(name.to_owned()).or_default().pending = Some(read(&path)?);
        } else if let Some(name) = file.strip_suffix(ACCEPTED) {
            all.entry(name.to_owned()).or_default().accepted = Some(read(&path)?);
        }
    }
    Ok(all)
}

/// The file of an accepted snapshot.
pub fn accepted_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{ACCEPTED}"))
}

/// The file of one that waits.
pub fn pending_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{PENDING}"))
}

fn read(path: &Path) -> Result<Stored, SnapshotError> {
    let io = |error| SnapshotError::io(path, error);
    let wrong = |message: String| SnapshotError::form(path, message);
    // A link, a pipe or a device is nobody's snapshot.
    if !path.symlink_metadata().map_err(io)?.is_file() {
        return Err(wrong("is no regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(wrong(format!("larger than {MAX_BYTES} bytes: no snapshot is")));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8".to_owned()))?;
    let foreign = "this is no snapshot of fincert's; give its snapshots a folder of their own";
    let parts = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    let (head, body) =
        parts.ok_or_else(|| wrong(format!("{foreign} (a header between two lines `---` is missing)")))?;
    let name = path.display().to_string();
    let version: HeaderVersion =
        data::read(&name, head).map_err(|error| wrong(format!("{foreign} (header: {})", said(&error))))?;
    if version.info.fincert > VERSION {
        return Err(wrong(format!(
            "snapshot version {}, this fincert reads {VERSION}; use a newer fincert",
            version.info.fincert
        )));
    }
    let header: Header =
        data::read(&name, head).map_err(|error| wrong(format!("its header was edited ({})", said(&error))))?;
    let body = body.strip_suffix('\n').unwrap_or(body);
    if header.info.seal(body) != header.info.sha256 {
        return Err(wrong(
            "was edited or cut: it is not what was recorded; take it back (git checkout), or delete it and drive again"
                .to_owned(),
        ));
    }
    Ok(Stored { path: path.to_owned(), description: header.description, info: header.info, text: body.to_owned() })
}

/// Where and what, in bounds: the words of a foreign file stand in the message.
fn said(error: &DataError) -> String {
    let place = if error.pointer.is_empty() { String::new() } else { format!("at {}: ", error.pointer) };
    let whole = format!("{place}{}", error.message.lines().next().unwrap_or_default());
    match clip(&whole, LONGEST_MESSAGE) {
        (kept, Some(_)) => format!("{kept}…"),
        (kept, None) => kept.to_owned(),
    }
}
