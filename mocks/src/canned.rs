//! Canned results: one file each below `canned/`, named after the result.
//!
//! A value may refer instead of repeat: `{"$truth": "id-front-male"}` is what that specimen shows,
//! `{"$fixtureBase64": "liveness-face"}` is the Base64 of its file, `{"$echo": "/type"}` is what the request has
//! at that pointer. The first two are resolved when the files are read, the last when the result is given.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fincert_schemas::Bilingual;
use fincert_schemas::bridge::Settlement;
use fincert_schemas::catalog::APIS;
use fincert_schemas::data::{self, DataError};
use fincert_schemas::fixture;
use fincert_schemas::json::push_pointer;
use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/canned");

/// One file of `canned/`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    /// The API whose result it is.
    api: String,
    /// What the result says.
    description: Bilingual,
    /// The requests that it fits; absent: all.
    #[serde(default)]
    when: Option<When>,
    /// Whether it is the documented default of the API (or of the API and the `type`).
    #[serde(default)]
    default: bool,
    /// The result.
    settle: Settlement,
}

/// The requests that a canned result fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The request's `type`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// One canned result.
#[derive(Debug, Clone)]
pub struct Canned {
    /// Its name: the file's stem.
    pub name: String,
    /// The API whose result it is.
    pub api: &'static str,
    /// What the result says.
    pub description: Bilingual,
    /// The requests that it fits; absent: all.
    pub when: Option<When>,
    /// Whether it is the documented default of the API (or of the API and the `type`).
    pub default: bool,
    settle: Settlement,
}

impl Canned {
    /// The result for a request: with what it echoes, and with the `errMsg` that the channel wants.
    pub fn settle(&self, request: &Value) -> Settlement {
        let value = self.settle.value.as_ref().map(|value| echo(value, request));
        complete(self.api, Settlement { via: self.settle.via, value })
    }
}

/// Adds `errMsg` (`NAME:ok`) to a success that lacks it.
pub(crate) fn complete(api: &str, mut settlement: Settlement) -> Settlement {
    if settlement.via.is_success()
        && let Some(Value::Object(value)) = &mut settlement.value
    {
        value.entry("errMsg").or_insert_with(|| format!("{api}:ok").into());
    }
    settlement
}

/// All canned results, by name.
pub fn all() -> Result<&'static [Canned], DataError> {
    static CANNED: LazyLock<Result<Vec<Canned>, DataError>> = LazyLock::new(load);
    CANNED.as_deref().map_err(Clone::clone)
}

/// The canned results of one API.
pub fn of(api: &str) -> impl Iterator<Item = &'static Canned> {
    all().unwrap_or_default().iter().filter(move |canned| canned.api == api)
}

/// The names of one API's canned results.
pub fn names(api: &str) -> Vec<&'static str> {
    of(api).map(|canned| canned.name.as_str()).collect()
}

/// The API's canned result of that name.
pub fn find(api: &str, name: &str) -> Option<&'static Canned> {
    of(api).find(|canned| canned.name == name)
}

/// The documented default for a request.
pub fn default_for(api: &str, request: &Value) -> Option<&'static Canned> {
    let kind = request.get("type").and_then(Value::as_str);
    of(api).find(|canned| canned.default && canned.when.as_ref().is_none_or(|when| Some(when.kind.as_str()) == kind))
}

fn load() -> Result<Vec<Canned>, DataError> {
    let mut files: Vec<_> = FILES.files().filter(|file| file.path().extension().is_some_and(|e| e == "json")).collect();
    files.sort_by_key(|file| file.path());
    files
        .into_iter()
        .map(|file| read(&file.path().display().to_string(), file.contents_utf8().unwrap_or_default()))
        .collect()
}

fn read(file: &str, text: &str) -> Result<Canned, DataError> {
    let path = format!("mocks/canned/{file}");
    let File { api, description, when, default, settle } = data::read(&path, text)?;
    let api = APIS
        .iter()
        .map(|(name, _)| *name)
        .find(|name| *name == api)
        .ok_or_else(|| DataError::new(&path, "/api", format!("no such API: {api}")))?;
    let value = settle.value.map(|value| refer(&path, "/settle/value", value)).transpose()?;
    let name = file.strip_suffix(".json").unwrap_or(file).to_owned();
    Ok(Canned { name, api, description, when, default, settle: Settlement { via: settle.via, value } })
}

/// Puts in what `$truth` and `$fixtureBase64` stand for.
fn refer(file: &str, at: &str, value: Value) -> Result<Value, DataError> {
    match value {
        Value::Object(object) => {
            if let Some((key, id)) = reference(&object) {
                let specimen = || {
                    fixture::get(id)
                        .ok_or_else(|| DataError::new(file, push_pointer(at, key), format!("no such fixture: {id}")))
                };
                match key {
                    "$truth" => return Ok(Value::Object(specimen()?.truth.clone())),
                    "$fixtureBase64" => return Ok(STANDARD.encode(specimen()?.bytes).into()),
                    "$echo" => return Ok(Value::Object(object)),
                    other => return Err(DataError::new(file, push_pointer(at, other), "no such reference")),
                }
            }
            let members = object.into_iter().map(|(key, inner)| {
                let deeper = push_pointer(at, &key);
                Ok((key, refer(file, &deeper, inner)?))
            });
            Ok(Value::Object(members.collect::<Result<Map<_, _>, DataError>>()?))
        }
        Value::Array(items) => {
            let items =
                items.into_iter().enumerate().map(|(index, inner)| refer(file, &format!("{at}/{index}"), inner));
            Ok(Value::Array(items.collect::<Result<_, _>>()?))
        }
        other => Ok(other),
    }
}

/// Puts in what `$echo` stands for.
fn echo(value: &Value, request: &Value) -> Value {
    match value {
        Value::Object(object) => match reference(object) {
            Some(("$echo", pointer)) => request.pointer(pointer).cloned().unwrap_or_default(),
            _ => Value::Object(object.iter().map(|(key, inner)| (key.clone(), echo(inner, request))).collect()),
        },
        Value::Array(items) => Value::Array(items.iter().map(|inner| echo(inner, request)).collect()),
        other => other.clone(),
    }
}

fn reference(object: &Map<String, Value>) -> Option<(&str, &str)> {
    let (key, value) = object.iter().next().filter(|(key, _)| object.len() == 1 && key.starts_with('$'))?;
    Some((key.as_str(), value.as_str()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fincert_schemas::bridge::Via;
    use fincert_schemas::catalog::Catalog;
    use serde_json::json;

    const TYPES: [&str; 4] = ["BankCard", "IDCard", "IDCardCheck", "BusiCert"];

    #[test]
    fn every_canned_result_keeps_to_its_table() {
        let catalog = Catalog::embedded().unwrap();
        for canned in all().unwrap() {
            let kinds = canned.when.as_ref().map_or(TYPES.to_vec(), |when| vec![when.kind.as_str()]);
            for kind in kinds {
                let Settlement { via, value } = canned.settle(&json!({"type": kind}));
                let value = value.unwrap();
                let message = value["errMsg"].as_str().unwrap();
                let prefix = format!("{}:{}", canned.api, if via.is_success() { "ok" } else { via.as_str() });
                match via {
                    Via::Success | Via::Cancel => assert_eq!(message, prefix, "{}", canned.name),
                    Via::Fail => assert!(message.starts_with(&format!("{prefix} ")), "{}", canned.name),
                    other => panic!("{} settles via {}", canned.name, other.as_str()),
                }
                if via.is_success() {
                    let breaches = catalog.check(catalog.result(canned.api).unwrap(), &value);
                    assert!(breaches.is_empty(), "{}: {breaches:?}", canned.name);
                }
            }
        }
    }

    #[test]
    fn every_api_and_every_type_has_one_default() {
        for (api, _) in APIS {
            let kinds: &[Value] =
                &if *api == "finCardOcr" { TYPES.map(Value::from).to_vec() } else { vec![Value::Null] };
            for kind in kinds {
                let defaults: Vec<_> = of(api)
                    .filter(|canned| canned.default && canned.when.as_ref().is_none_or(|when| *kind == when.kind))
                    .collect();
                assert_eq!(defaults.len(), 1, "{api} {kind}");
                assert!(default_for(api, &json!({"type": kind})).is_some());
            }
        }
        assert!(default_for("finCardOcr", &json!({"type": "Passport"})).is_none());
    }

    #[test]
    fn an_error_names_file_and_place() {
        let text = r#"{"api":"finFaceAuth","description":{"zh":"","en":""},"settle":{"via":"success","value":{"a":[{"$truth":"nobody"}]}}}"#;
        let error = read("x.json", text).unwrap_err();
        assert_eq!((error.file.as_str(), error.pointer.as_str()), ("mocks/canned/x.json", "/settle/value/a/0/$truth"));
        assert!(read("x.json", &text.replace("finFaceAuth", "finNothing")).unwrap_err().pointer == "/api");
        assert!(read("x.json", &text.replace("\"via\":\"success\"", "\"via\":\"maybe\"")).is_err());
    }
}
