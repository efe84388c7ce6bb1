//! What one session remembers: the files it was given, how many calls it has answered, and how the last ones went.
//!
//! A file is looked at once, when it comes, and forgotten: what is kept is its size and what it shows. So a
//! session's memory is bounded by the number of its files, and no picture of a caller is kept.

use std::collections::HashMap;
use std::fmt::Write as _;

use fincert_schemas::fixture::{self, Fixture};

use crate::decide::{Decision, Effect};
use crate::pending::Pending;
use crate::plan::Action;

/// How many files a session keeps.
pub const MAX_FILES: usize = 4096;

/// How long a file's name may be, in bytes.
pub const MAX_NAME: usize = 1024;

/// What a stored file is.
#[derive(Debug, Clone)]
pub enum Content {
    /// These specimens, byte by byte.
    Specimens(Vec<&'static Fixture>),
    /// A JPEG or PNG, by its first bytes, that is no specimen.
    Picture,
    /// Anything else.
    NotAPicture,
    /// A file that was asked for by its size alone.
    Filled,
}

impl Content {
    /// What these bytes are.
    pub fn of(bytes: &[u8]) -> Self {
        let same: Vec<_> = fixture::all().unwrap_or_default().iter().filter(|known| known.bytes == bytes).collect();
        if !same.is_empty() {
            Self::Specimens(same)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.starts_with(b"\xff\xd8\xff") {
            Self::Picture
        } else {
            Self::NotAPicture
        }
    }
}

/// A file that the session was given.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// What it is.
    pub content: Content,
}

/// What one session remembers.
#[derive(Debug, Default)]
pub struct State {
    files: HashMap<String, StoredFile>,
    given: u64,
    /// How many API calls came before.
    pub calls: u64,
    /// Whether nothing is answered until `bridge.reset`.
    pub hung: bool,
    /// How many API calls in a row have failed just now, since the last reset.
    pub failures: u32,
    /// The scenario of the last API call, since the last reset.
    scenario: Option<String>,
    /// The scenario that the last reset came into, until the next API call.
    interrupted: Option<String>,
    /// The calls that are not answered yet.
    pub pending: Pending,
}

impl State {
    /// The file behind a path.
    pub fn file(&self, path: &str) -> Option<&StoredFile> {
        self.files.get(path)
    }

    /// Whether one more file can be kept.
    pub fn has_room(&self) -> bool {
        self.files.len() < MAX_FILES
    }

    /// The path that the next file of that name gets.
    pub fn path_for(&self, name: &str) -> String {
        format!("finfile://tmp/{}/{}", self.given + 1, percent_encode(name))
    }

    /// Keeps a file, under [`State::path_for`] its name.
    pub fn put(&mut self, file: StoredFile) {
        if self.has_room() {
            let path = self.path_for(&file.name);
            self.given += 1;
            self.files.insert(path, file);
        }
    }

    /// What is remembered where there is no session: how many calls came before, and which are not answered yet.
    pub(crate) fn without_session(calls: u64, pending: Pending) -> Self {
        Self { calls, pending, ..Self::default() }
    }

    /// Whether the last reset came into this scenario, and nothing was called since.
    pub fn was_interrupted(&self, scenario: Option<&str>) -> bool {
        scenario.is_some() && self.interrupted.as_deref() == scenario
    }

    /// Drops the files, and with them whatever hung. Paths that were given once are never given again.
    pub fn reset(&mut self) {
        self.files.clear();
        self.hung = false;
        self.failures = 0;
        self.interrupted = self.scenario.take();
    }

    /// Remembers what was decided.
    pub fn remember(&mut self, decision: &Decision) {
        if decision.call.api.is_some() {
            self.calls += 1;
            self.failures = if decision.failed { self.failures + 1 } else { 0 };
            self.scenario.clone_from(&decision.call.scenario);
            self.interrupted = None;
        }
        match &decision.effect {
            Effect::None => {}
            Effect::Put(file) => self.put(file.clone()),
            Effect::Reset => self.reset(),
        }
        self.hung |= decision.plan.steps.iter().any(|step| step.action == Action::Hang);
    }
}

/// The path without its segments `..`; `None` if it has none.
pub(crate) fn without_dots(path: &str) -> Option<String> {
    let kept: Vec<_> = path.split('/').filter(|segment| *segment != "..").collect();
    Some(kept.join("/")).filter(|left| left != path)
}

/// All but the unreserved characters of RFC 3986 as `%XX`.
fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_a_path_of_its_own() {
        let mut state = State::default();
        let file = StoredFile { name: "证 件.png".to_owned(), size: 0, content: Content::NotAPicture };
        assert_eq!(state.path_for(&file.name), "finfile://tmp/1/%E8%AF%81%20%E4%BB%B6.png");
        state.put(file.clone());
        state.put(file);
        assert!(state.file("finfile://tmp/1/%E8%AF%81%20%E4%BB%B6.png").is_some());
        assert!(state.file("finfile://tmp/2/%E8%AF%81%20%E4%BB%B6.png").is_some());
        state.reset();
        assert!(state.file("finfile://tmp/2/%E8%AF%81%20%E4%BB%B6.png").is_none());
        assert_eq!(state.path_for("a"), "finfile://tmp/3/a");
    }

    #[test]
    fn every_specimen_is_known_by_its_bytes() {
        for specimen in fixture::all().unwrap() {
            let Content::Specimens(same) = Content::of(specimen.bytes) else { panic!("{}", specimen.id) };
            assert!(same.iter().any(|other| other.id == specimen.id));
        }
        assert!(matches!(Content::of(b"\x89PNG\r\n\x1a\n"), Content::Picture));
        assert!(matches!(Content::of(b"GIF89a"), Content::NotAPicture));
    }
}
