//! Keeping: results become snapshots, by the crate insta. What is new or has changed waits beside them for a reviewer.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use fincert_schemas::run::{Ended, Transcript};
use fincert_suites::Suite;

use super::gather::ApiResult;
use super::stored::{Entry, SnapshotError, accepted_path, pending_path, read_folder};
use crate::output::write_whole;

/// What insta must be told by its environment: what is new goes beside what was accepted, nothing is printed, and a
/// change is no panic.
const WANTED: [(&str, &str); 3] = [("INSTA_UPDATE", "new"), ("INSTA_FORCE_PASS", "1"), ("INSTA_OUTPUT", "none")];
/// What would send snapshots elsewhere, or call an unchanged one changed.
const UNWANTED: [&str; 5] = [
    "INSTA_PENDING_DIR",
    "INSTA_REQUIRE_FULL_MATCH",
    "INSTA_SNAPSHOT_REFERENCES_FILE",
    "INSTA_WARNINGS_FILE",
    "INSTA_WORKSPACE_ROOT",
];

/// What cargo-insta needs where no Cargo project is around.
const MANIFEST: &str = include_str!("Cargo.toml.txt");

/// What came of keeping, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// As they were accepted.
    pub unchanged: usize,
    /// Nobody has seen them yet.
    pub new: Vec<String>,
    /// They differ from what was accepted.
    pub changed: Vec<String>,
    /// Their scenario has another name now; they were kept under it.
    pub renamed: Vec<(String, String)>,
    /// Nothing produces them any more.
    pub left_over: Vec<String>,
}

impl Kept {
    /// How many wait for a reviewer.
    pub fn waiting(&self) -> usize {
        self.new.len() + self.changed.len()
    }
}

/// Variables of the environment, each with its value.
pub type Settings = Vec<(&'static str, &'static str)>;

/// How the environment must be changed before the program begins anew, so that insta does what is wanted; `None`: it is
/// as it should be. insta reads its environment when it is first used, and a program with threads may not change it.
pub fn environment() -> Option<(Settings, Vec<&'static str>)> {
    let is = |name: &str, value: &str| std::env::var_os(name) == Some(OsString::from(value));
    let right = WANTED.iter().all(|(name, value)| is(name, value))
        && UNWANTED.iter().all(|name| std::env::var_os(name).is_none());
    (!right).then(|| (WANTED.to_vec(), UNWANTED.to_vec()))
}

/// Keeps the results in the folder. `transcripts` are those that they were gathered from.
pub fn keep(
    folder: &Path,
    results: &[ApiResult],
    transcripts: &[Transcript],
    suite: &Suite,
) -> Result<Kept, SnapshotError> {
    if environment().is_some() {
        return Err(SnapshotError::form(folder, "insta's environment is not set; this is a mistake in fincert"));
    }
    fs::create_dir_all(folder).map_err(|error| SnapshotError::io(folder, error))?;
    let folder = &folder.canonicalize().map_err(|error| SnapshotError::io(folder, error))?;
    let before = read_folder(folder)?;
    let manifest = folder.join("Cargo.toml");
    if !folder.ancestors().any(|above| above.join("Cargo.toml").exists()) {
        write_whole(&manifest, MANIFEST.as_bytes()).map_err(|error| SnapshotError::io(&manifest, error))?;
    }
    let produced: BTreeSet<&str> = results.iter().map(|result| result.name.as_str()).collect();
    let mut orphans = orphans(&before, &produced, transcripts, suite);
    let mut kept = Kept::default();
    for result in results {
        let there = before.get(&result.name).and_then(|entry| entry.accepted.as_ref());
        if there.is_some_and(|there| there.text == result.text) {
            kept.unchanged += 1;
            write(folder, result)?;
            continue;
        }
        if there.is_none()
            && let Some(old) = renamed_from(result, &orphans, &before, suite)
        {
            let same = before[&old].accepted.as_ref().is_some_and(|stored| stored.text == result.text);
            rename(folder, &old, result, same)?;
            orphans.retain(|name| *name != old);
            kept.renamed.push((old, result.name.clone()));
            match same {
                true => kept.unchanged += 1,
                false => kept.changed.push(result.name.clone()),
            }
            continue;
        }
        write(folder, result)?;
        match there {
            Some(_) => kept.changed.push(result.name.clone()),
            None => kept.new.push(result.name.clone()),
        }
    }
    kept.left_over = orphans;
    Ok(kept)
}

/// Snapshots that nothing produces any more: their scenario is gone, or was driven and did not come to them. What was not
/// driven this time says nothing.
fn orphans(
    before: &BTreeMap<String, Entry>,
    produced: &BTreeSet<&str>,
    transcripts: &[Transcript],
    suite: &Suite,
) -> Vec<String> {
    let driven: BTreeSet<&str> = transcripts
        .iter()
        .filter(|transcript| transcript.ended == Ended::Driven)
        .map(|transcript| transcript.scenario.as_str())
        .collect();
    let mut names = Vec::new();
    for (name, entry) in before {
        let Some(stored) = entry.accepted.as_ref().or(entry.pending.as_ref()) else { continue };
        let scenario = stored.info.scenario.as_str();
        let gone = (suite.get(scenario).is_none() && !stored.info.own) || driven.contains(scenario);
        if gone && !produced.contains(name.as_str()) {
            names.push(name.clone());
        }
    }
    names
}

/// The snapshot that this result had while its scenario had another name: the same was asked, in the same step, by a
/// scenario that is gone; the one with the same result, if there are several.
fn renamed_from(
    result: &ApiResult,
    orphans: &[String],
    before: &BTreeMap<String, Entry>,
    suite: &Suite,
) -> Option<String> {
    let candidates = orphans.iter().filter_map(|name| Some((name, before.get(name)?.accepted.as_ref()?)));
    let mut fitting: Vec<_> = candidates
        .filter(|(_, stored)| suite.get(&stored.info.scenario).is_none())
        .filter(|(_, stored)| stored.info.asked == result.info.asked && stored.info.step == result.info.step)
        .collect();
    fitting.sort_by_key(|(_, stored)| stored.text != result.text);
    match fitting[..] {
        [(name, _)] => Some(name.clone()),
        [(name, first), ..] if first.text == result.text => Some(name.clone()),
        // Several might be meant, and none is the same: a reviewer sees it as new.
        _ => None,
    }
}

fn rename(folder: &Path, old: &str, result: &ApiResult, same: bool) -> Result<(), SnapshotError> {
    let (from, to) = (accepted_path(folder, old), accepted_path(folder, &result.name));
    let io = |path: &Path, error| SnapshotError::io(path, error);
    if same {
        // Written anew, so that its header names the scenario; accepted, since nobody need look at the same twice.
        write(folder, result)?;
        accept(&pending_path(folder, &result.name), &to)?;
        fs::remove_file(&from).map_err(|error| io(&from, error))?;
    } else {
        fs::rename(&from, &to).map_err(|error| io(&from, error))?;
        write(folder, result)?;
    }
    match fs::remove_file(pending_path(folder, old)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(&from, error)),
        _ => Ok(()),
    }
}

/// Makes a pending snapshot the accepted one, as `cargo insta accept` does.
pub fn accept(pending: &Path, accepted: &Path) -> Result<(), SnapshotError> {
    let failed = |error: Box<dyn std::error::Error>| SnapshotError::form(accepted, error.to_string());
    insta::Snapshot::from_file(pending).map_err(failed)?.save(accepted).map_err(failed)?;
    fs::remove_file(pending).map_err(|error| SnapshotError::io(pending, error))
}

/// insta's assertion, made at run time: it compares with what was accepted, and writes or takes away what waits.
fn write(folder: &Path, result: &ApiResult) -> Result<(), SnapshotError> {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(result.description.clone());
    settings.set_info(&result.info);
    // The macro `assert_snapshot!` ends in this call, and in a panic where a disk is full.
    settings
        .bind(|| {
            insta::_macro_support::assert_snapshot(
                (result.name.as_str(), result.text.as_str()).into(),
                folder,
                "fincert",
                "fincert",
                "fincert",
                0,
                "",
            )
        })
        .map_err(|error| SnapshotError::form(&accepted_path(folder, &result.name), error.to_string()))
}
