//! Turning a scenario's request into a real one: specimens are given to the target, and its own paths are used.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fincert_schemas::bridge::{PutFileParams, PutFileResult};
use fincert_schemas::capture::Capture;
use fincert_schemas::fixture;
use fincert_schemas::run::{Reason, Subject, What};
use fincert_suites::scenario::{FileSpec, Special, Unreadable, as_special};
use serde_json::Value;

use super::session::{Lost, Session};

/// How long the target may take for a file, the 100 MB that it makes itself included.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
/// What a text file with a picture's name holds.
const TEXT: &[u8] = b"This is not a picture. SPECIMEN.\n";
/// A specimen whose neighbourhood is used for missing files and directories.
const NEIGHBOUR: &str = "unreadable-blank";

/// A request with real paths.
#[derive(Debug)]
pub struct Prepared {
    /// The request.
    pub request: Option<Value>,
    /// What `imagePath` stands for.
    pub subject: Option<Subject>,
}

/// Why a request cannot be prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrepareError {
    /// The session is lost.
    Lost {
        /// The reason code.
        reason: Reason,
        /// What happened.
        detail: String,
    },
    /// The scenario itself is wrong.
    Scenario(String),
}

impl From<Lost> for PrepareError {
    fn from(lost: Lost) -> Self {
        Self::Lost { reason: lost.reason, detail: lost.detail }
    }
}

impl Session {
    /// Gives the target what the request needs and fills in its paths.
    pub async fn prepare(&mut self, with: Option<&Value>, capture: &mut Capture<'_>) -> Result<Prepared, PrepareError> {
        let Some(with) = with else { return Ok(Prepared { request: None, subject: None }) };
        let mut subject = None;
        let request = self.fill(with, &mut subject, capture).await?;
        Ok(Prepared { request: Some(request), subject })
    }

    async fn fill(
        &mut self,
        value: &Value,
        subject: &mut Option<Subject>,
        capture: &mut Capture<'_>,
    ) -> Result<Value, PrepareError> {
        let Some(special) = as_special(value) else {
            return match value {
                Value::Object(object) => {
                    let mut filled = serde_json::Map::new();
                    for (key, inner) in object {
                        filled.insert(key.clone(), Box::pin(self.fill(inner, subject, capture)).await?);
                    }
                    Ok(Value::Object(filled))
                }
                Value::Array(items) => {
                    let mut filled = Vec::new();
                    for inner in items {
                        filled.push(Box::pin(self.fill(inner, subject, capture)).await?);
                    }
                    Ok(Value::Array(filled))
                }
                other => Ok(other.clone()),
            };
        };
        match special.map_err(PrepareError::Scenario)? {
            Special::Param(name) => Ok(Value::from(self.params.get(&name).cloned().unwrap_or_default())),
            Special::Repeat(repeat) => Ok(Value::from(repeat.text.repeat(repeat.times as usize))),
            Special::File(spec) => {
                let (id, name) = match spec {
                    FileSpec::Id(id) => (id, None),
                    FileSpec::Named { id, name } => (id, Some(name)),
                };
                let path = self.put_specimen(&id, name, capture).await?;
                *subject = Some(Subject::Fixture(id));
                Ok(Value::from(path))
            }
            Special::Unreadable(kind) => {
                let (name, path) = self.unreadable(&kind, capture).await?;
                *subject = Some(Subject::Unreadable(name));
                Ok(Value::from(path))
            }
        }
    }

    async fn put_specimen(
        &mut self,
        id: &str,
        name: Option<String>,
        capture: &mut Capture<'_>,
    ) -> Result<String, PrepareError> {
        let specimen = fixture::get(id).ok_or_else(|| PrepareError::Scenario(format!("no such specimen: {id}")))?;
        let name = name.unwrap_or_else(|| specimen.file.clone());
        self.put(id, &name, &specimen.media_type, specimen.bytes, capture).await
    }

    async fn unreadable(
        &mut self,
        kind: &Unreadable,
        capture: &mut Capture<'_>,
    ) -> Result<(String, String), PrepareError> {
        let named = |name: &str, path: String| Ok((name.to_owned(), path));
        match kind {
            Unreadable::Path { kind, path } => named(kind, path.clone()),
            Unreadable::Climbing(id) => {
                let path = self.put_specimen(id, None, capture).await?;
                match climbing(&path) {
                    Some(path) => named("climbing", path),
                    // Too short a path to climb out of without coming back to where it was.
                    None => named("missing", format!("{path}.missing.png")),
                }
            }
            Unreadable::Missing => {
                let path = self.put_specimen(NEIGHBOUR, None, capture).await?;
                named("missing", format!("{path}.missing.png"))
            }
            Unreadable::Directory => {
                let path = self.put_specimen(NEIGHBOUR, None, capture).await?;
                let end = path.rfind(['/', '\\']).unwrap_or(path.len());
                named("directory", path[..end].to_owned())
            }
            Unreadable::ZeroBytes => {
                named("zero-bytes", self.put("zero-bytes", "empty.png", "image/png", b"", capture).await?)
            }
            Unreadable::NotAPicture => {
                named("not-a-picture", self.put("not-a-picture", "text.png", "image/png", TEXT, capture).await?)
            }
            Unreadable::Truncated => {
                let whole = fixture::get("bank-card-debit").map_or(&[][..], |specimen| specimen.bytes);
                let half = &whole[..whole.len() / 2];
                named("truncated", self.put("truncated", "half.png", "image/png", half, capture).await?)
            }
            Unreadable::HundredMegabytes => {
                let params = PutFileParams {
                    name: "huge.png".to_owned(),
                    media_type: "image/png".to_owned(),
                    base64: None,
                    url: None,
                    fill: Some(100 * 1024 * 1024),
                };
                named(
                    "hundred-megabytes",
                    self.put_file("hundred-megabytes", params, 100 * 1024 * 1024, capture).await?,
                )
            }
        }
    }

    async fn put(
        &mut self,
        id: &str,
        name: &str,
        media_type: &str,
        bytes: &[u8],
        capture: &mut Capture<'_>,
    ) -> Result<String, PrepareError> {
        let params = PutFileParams {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            base64: Some(STANDARD.encode(bytes)),
            url: None,
            fill: None,
        };
        self.put_file(id, params, bytes.len() as u64, capture).await
    }

    async fn put_file(
        &mut self,
        id: &str,
        params: PutFileParams,
        bytes: u64,
        capture: &mut Capture<'_>,
    ) -> Result<String, PrepareError> {
        let kept = self.kept_files.as_ref().and_then(|kept| kept.get(&(id.to_owned(), params.name.clone())));
        if let Some(path) = kept {
            return Ok(path.clone());
        }
        let name = params.name.clone();
        let params = serde_json::to_value(params).unwrap_or_default();
        let failed = |detail: String| PrepareError::Lost { reason: Reason::PutFileFailed, detail };
        let answer = self.ask("bridge.putFile", params, PATIENCE, capture).await?;
        let value =
            answer.map_err(|(code, message)| failed(format!("{id}: error {code}: {}", capture.text(&message, 200))))?;
        let result: PutFileResult = serde_json::from_value(value)
            .map_err(|error| failed(format!("{id}: {}", capture.text(&error.to_string(), 200))))?;
        self.note(What::File { name: id.to_owned(), bytes });
        if let Some(kept) = &mut self.kept_files {
            kept.insert((id.to_owned(), name), result.path.clone());
        }
        Ok(result.path)
    }
}

/// The path with a segment `..` before its last one. Resolved, it names a file beside the folder that was granted, and
/// none that was put; so an honest target does not find a picture there. A path without a folder of its own is left
/// alone: at the root, RFC 3986 (5.2.4) lets `..` lead back to the file itself.
fn climbing(path: &str) -> Option<String> {
    let end = path.rfind('/')?;
    let folder = path[..end].rsplit_once("://").map_or(&path[..end], |(_, rest)| rest);
    // Below the root, or below what stands for a host, there is another folder.
    let folders = folder.split('/').filter(|segment| !segment.is_empty()).count();
    (folders >= 2).then(|| format!("{}/..{}", &path[..end], &path[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_climbs_only_out_of_a_folder_of_its_own() {
        assert_eq!(climbing("finfile://tmp/1/a.png").as_deref(), Some("finfile://tmp/1/../a.png"));
        assert_eq!(climbing("/data/cache/a.png").as_deref(), Some("/data/cache/../a.png"));
        for path in ["finfile://a.png", "finfile://tmp/a.png", "/a.png", "/tmp/a.png", "a.png"] {
            assert_eq!(climbing(path), None, "{path}");
        }
    }
}
