//! What the picture behind an `imagePath` shows. Nothing here opens a file: a path is looked up among what the
//! session was given, and judged by its letters alone.

use fincert_schemas::fixture::{self, Fixture};
use serde_json::Value;

use crate::decide::Over;
use crate::state::{self, Content, State};

/// The prefix of a path that always names a specimen.
pub const SPECIMENS: &str = "finfile://fixtures/";

/// What a request's picture is.
#[derive(Debug, Clone)]
pub enum Picture {
    /// The request has none.
    None,
    /// Specimens with these very bytes; two may share one picture.
    Specimens(Vec<&'static Fixture>),
    /// A picture that shows nothing the mock host knows.
    Unknown,
    /// Nothing that can be read as a picture, and why.
    Unreadable(&'static str),
    /// A path that nobody put a file behind, over HTTP: the documented default is meant.
    Assumed,
}

impl Picture {
    /// The specimen that shows what `wanted` accepts.
    pub fn find(&self, wanted: impl Fn(&Fixture) -> bool) -> Option<&'static Fixture> {
        match self {
            Self::Specimens(specimens) => specimens.iter().copied().find(|specimen| wanted(specimen)),
            _ => None,
        }
    }

    /// Whether this specimen is what the picture is.
    pub fn is(&self, id: &str) -> bool {
        self.find(|specimen| specimen.id == id).is_some()
    }
}

/// The picture behind the request's `imagePath`.
pub fn behind(request: &Value, state: &State, over: Over) -> Picture {
    let Some(path) = request.get("imagePath").and_then(Value::as_str) else { return Picture::None };
    if let Some(id) = path.strip_prefix(SPECIMENS) {
        return match fixture::get(id) {
            Some(specimen) => Picture::Specimens(vec![specimen]),
            None => Picture::Unreadable("no such specimen; GET /canned and the fixtures list name what there is"),
        };
    }
    match state.file(path).map(|file| &file.content) {
        Some(Content::Specimens(specimens)) => Picture::Specimens(specimens.clone()),
        Some(Content::Picture) => Picture::Unknown,
        Some(Content::NotAPicture) => Picture::Unreadable("the file is not a JPEG or PNG picture"),
        Some(Content::Filled) => Picture::Unreadable("the file is too large and not a picture"),
        None if over == Over::Http => Picture::Assumed,
        None => Picture::Unreadable(why_not(path)),
    }
}

/// What stands behind the request's `imagePath` when its segments `..` are struck out; `None` if it has none.
pub fn without_dots(request: &Value, state: &State) -> Option<Picture> {
    let path = request.get("imagePath").and_then(Value::as_str)?;
    let left = state::without_dots(path)?;
    let specimen = left.strip_prefix(SPECIMENS).and_then(fixture::get);
    Some(match (specimen, state.file(&left).map(|file| &file.content)) {
        (Some(specimen), _) => Picture::Specimens(vec![specimen]),
        (None, Some(Content::Specimens(specimens))) => Picture::Specimens(specimens.clone()),
        (None, _) => Picture::Unknown,
    })
}

/// Why a path that names no stored file cannot be read.
fn why_not(path: &str) -> &'static str {
    let rest = path.split_once("://").map_or(path, |(_, rest)| rest);
    let mut segments = rest.split(['/', '\\']);
    let lower = rest.to_ascii_lowercase();
    if path.trim().is_empty() {
        "the path is empty"
    } else if path.contains('\0') {
        "the path holds a NUL character"
    } else if segments.any(|segment| segment == "..") || lower.contains("%2e%2e") || lower.contains("%2f") {
        "the path leaves the sandbox"
    } else if ["/dev/", "/proc/", "/sys/", "//./", "\\\\"].iter().any(|device| rest.starts_with(device)) {
        "the path names a device"
    } else if rest.is_empty() || rest.ends_with(['/', '\\']) {
        "the path names a directory"
    } else {
        "no such file"
    }
}

/// Whether a path is hostile by its letters: no camera or album ever gives such a one.
pub(crate) fn is_hostile(path: &str) -> bool {
    !matches!(why_not(path), "no such file" | "the path is empty")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_judged_by_its_letters() {
        for (path, why) in [
            ("", "empty"),
            ("finfile://tmp/../../etc/passwd", "sandbox"),
            ("finfile://tmp/%2e%2e/x", "sandbox"),
            ("/dev/zero", "device"),
            ("/proc/self/mem", "device"),
            ("finfile://tmp/", "directory"),
            ("/", "directory"),
            ("a\0.png", "NUL"),
            ("/nowhere/x.png", "no such file"),
        ] {
            assert!(why_not(path).contains(why), "{path:?}: {}", why_not(path));
        }
        assert!(is_hostile("/dev/zero") && !is_hostile("/nowhere/x.png"));
    }
}
