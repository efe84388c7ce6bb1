//! The catalog: every JSON Schema of the specification's tables, compiled once.
//!
//! A schema marks each place with the requirement that speaks of it (`x-requirement`), with the values whose
//! being seen is coverage (`x-coverage`), with the aliases that stand for the canonical form (`x-alias`,
//! `x-alias-name`), whether a row may be left out (`x-optional`) and with the class of personal data that it holds (`x-sensitive`). So the schemas alone
//! decide which requirement a broken place breaks; no table of pointers stands beside them.

mod breach;

use std::collections::HashMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use jsonschema::{Registry, Validator};
use serde_json::Value;

use crate::data::DataError;
use crate::format;
use crate::json::push_pointer;

pub use breach::Breach;

static API: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/api");
static WEBRTC: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/webrtc");
static COMPONENT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/component");

/// The schemas' folders, for their digest.
pub(crate) fn folders() -> [(&'static str, &'static Dir<'static>); 3] {
    [("api", &API), ("component", &COMPONENT), ("webrtc", &WEBRTC)]
}

/// The keywords of ours that make a place worth finding.
const MARKS: [&str; 3] = ["x-requirement", "x-coverage", "x-sensitive"];

/// The base of every `$id`.
pub const BASE: &str = "https://schemas.fincert.invalid/";

/// The APIs of section 2 whose tables are `api/NAME.request.json` and `api/NAME.result.json`, each with its
/// profile.
pub const APIS: &[(&str, &str)] = &[
    ("finCardOcr", "ocr"),
    ("finFaceAuth", "face"),
    ("finLivenessCheck", "liveness"),
    ("finOpenOtherApp", "open-app"),
    ("finOpenWitnessVideo", "witness-video"),
];

/// The API's name in a method name: `ft.finCardOcr` → `finCardOcr`.
pub fn api_of(method: &str) -> Option<&'static str> {
    let name = method.strip_prefix("ft.")?;
    APIS.iter().map(|(api, _)| *api).find(|api| *api == name)
}

/// The methods of section 3 with the tables, below `webrtc/`, of their first argument and of what they give.
const WEBRTC_METHODS: &[(&str, Option<&str>, Option<&str>)] = &[
    ("ft.webrtc.mediaDevices.enumerateDevices", None, Some("enumerateDevices.result")),
    ("ft.webrtc.mediaDevices.getSupportedConstraints", None, Some("getSupportedConstraints.result")),
    ("ft.webrtc.mediaDevices.getUserMedia", Some("getUserMedia.constraints"), Some("stream")),
    ("ft.webrtc.createRTCPeerConnection", Some("createRTCPeerConnection.options"), None),
    ("RTCPeerConnection.createOffer", Some("createOffer.options"), Some("createOffer.result")),
    ("RTCPeerConnection.createAnswer", Some("createAnswer.options"), Some("createAnswer.result")),
    ("RTCPeerConnection.setLocalDescription", Some("sessionDescription"), None),
    ("RTCPeerConnection.setRemoteDescription", Some("sessionDescription"), None),
    ("RTCPeerConnection.addIceCandidate", None, None),
    ("RTCPeerConnection.getConfiguration", None, Some("getConfiguration.result")),
    ("RTCPeerConnection.addTrack", None, None),
    ("RTCPeerConnection.close", None, None),
    ("MediaStream.getTracks", None, Some("getTracks.result")),
    ("MediaStreamTrack.stop", None, None),
];

/// Whether the method belongs to section 3, documented or not.
pub fn is_webrtc(method: &str) -> bool {
    ["ft.webrtc.", "RTCPeerConnection.", "MediaStream.", "MediaStreamTrack."]
        .iter()
        .any(|head| method.starts_with(head))
}

/// The documented functions of `ft.webrtc`, which need no object.
pub fn webrtc_functions() -> impl Iterator<Item = &'static str> {
    WEBRTC_METHODS.iter().map(|(name, ..)| *name).filter(|name| name.starts_with("ft.webrtc."))
}

/// Whether the method is a documented function of `ft.webrtc`, which needs no object.
pub fn is_webrtc_function(method: &str) -> bool {
    webrtc_functions().any(|name| name == method)
}

/// The profile of an API.
pub fn profile_of(api: &str) -> Option<&'static str> {
    APIS.iter().find(|(name, _)| *name == api).map(|(_, profile)| *profile)
}

/// A place of the instance that a subschema speaks of.
#[derive(Debug)]
pub struct Place<'a> {
    /// JSON pointer into the instance.
    pub at: String,
    /// The subschema that speaks of it.
    pub schema: &'a Value,
    /// What stands there.
    pub value: &'a Value,
}

/// One table of the specification: its schema and its validator.
pub struct Table {
    /// The schema's `$id`.
    pub id: String,
    validator: Validator,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("id", &self.id).finish_non_exhaustive()
    }
}

/// All tables.
#[derive(Debug)]
pub struct Catalog {
    documents: HashMap<String, Value>,
    tables: HashMap<String, Table>,
    /// The validator of every `if`, by the address of its schema within `documents`, which never changes.
    conditions: HashMap<usize, Validator>,
}

impl Catalog {
    /// The catalog that is compiled in.
    pub fn embedded() -> Result<&'static Catalog, DataError> {
        static CATALOG: LazyLock<Result<Catalog, DataError>> = LazyLock::new(|| {
            let files = [("api", &API), ("webrtc", &WEBRTC), ("component", &COMPONENT)].into_iter().flat_map(
                |(folder, dir)| {
                    dir.files().filter(|file| file.path().extension().is_some_and(|ending| ending == "json")).map(
                        move |file| {
                            (format!("{folder}/{}", file.path().display()), file.contents_utf8().unwrap_or_default())
                        },
                    )
                },
            );
            Catalog::read(files)
        });
        CATALOG.as_ref().map_err(Clone::clone)
    }

    /// Compiles schemas given by path below `schemas/` and text.
    pub fn read<'a>(files: impl IntoIterator<Item = (String, &'a str)>) -> Result<Catalog, DataError> {
        let mut documents = HashMap::new();
        for (path, text) in files {
            let file = format!("schemas/{path}");
            let document: Value =
                serde_json::from_str(text).map_err(|error| DataError::new(&file, "", error.to_string()))?;
            let id = format!("{BASE}{path}");
            if document.get("$id").and_then(Value::as_str) != Some(&id) {
                return Err(DataError::new(&file, "/$id", format!("must be {id}")));
            }
            jsonschema::draft202012::meta::validate(&document)
                .map_err(|error| DataError::new(&file, error.instance_path().to_string(), error.to_string()))?;
            documents.insert(id, document);
        }
        let broken = |id: &str, message: String| DataError::new(&id.replace(BASE, "schemas/"), "", message);
        let mut registry = Registry::new();
        for (id, document) in &documents {
            registry = registry.add(id.as_str(), document.clone()).map_err(|error| broken(id, error.to_string()))?;
        }
        let registry = registry.prepare().map_err(|error| broken(BASE, error.to_string()))?;
        let compile = |id: &str, schema: &Value| -> Result<Validator, DataError> {
            let mut options = jsonschema::options().offline().with_registry(&registry).with_base_uri(id.to_owned());
            options = options.should_validate_formats(true).should_ignore_unknown_formats(false);
            for name in format::NAMES {
                options =
                    options.with_format(*name, move |text: &str| format::check(name, text).is_none_or(|r| r.is_ok()));
            }
            options.build(schema).map_err(|error| {
                DataError::new(&id.replace(BASE, "schemas/"), error.instance_path().to_string(), error.to_string())
            })
        };
        let mut tables = HashMap::new();
        let mut conditions = HashMap::new();
        for (id, document) in &documents {
            tables.insert(id.clone(), Table { id: id.clone(), validator: compile(id, document)? });
            let mut ifs = Vec::new();
            collect_conditions(document, &mut ifs);
            for schema in ifs {
                conditions.insert(address(schema), compile(id, schema)?);
            }
        }
        Ok(Catalog { documents, tables, conditions })
    }

    /// The table `api/NAME.request.json`.
    pub fn request(&self, api: &str) -> Option<&Table> {
        self.table(&format!("api/{api}.request.json"))
    }

    /// The table `api/NAME.result.json`.
    pub fn result(&self, api: &str) -> Option<&Table> {
        self.table(&format!("api/{api}.result.json"))
    }

    /// The tables of a method: of its first argument, and of what it gives.
    pub fn tables_of(&self, method: &str) -> (Option<&Table>, Option<&Table>) {
        if let Some(api) = api_of(method) {
            return (self.request(api), self.result(api));
        }
        let Some((_, request, result)) = WEBRTC_METHODS.iter().find(|(name, ..)| *name == method) else {
            return (None, None);
        };
        let table = |name: &Option<&str>| name.and_then(|name| self.table(&format!("webrtc/{name}.json")));
        (table(request), table(result))
    }

    /// The table below `schemas/` at this path, `webrtc/stream.json`.
    pub fn table(&self, path: &str) -> Option<&Table> {
        self.tables.get(&format!("{BASE}{path}"))
    }

    /// The schema below `schemas/` at this path, `api/finCardOcr.result.json`.
    pub fn document(&self, path: &str) -> Option<&Value> {
        self.documents.get(&format!("{BASE}{path}"))
    }

    /// The rows that a table names.
    pub fn rows(&self, path: &str) -> Option<&serde_json::Map<String, Value>> {
        self.document(path)?.get("properties")?.as_object()
    }

    /// All schema documents with their `$id`s, sorted.
    pub fn documents(&self) -> Vec<(&str, &Value)> {
        let mut all: Vec<_> = self.documents.iter().map(|(id, document)| (id.as_str(), document)).collect();
        all.sort_by_key(|(id, _)| *id);
        all
    }

    /// Every rule of the table that the instance breaks.
    pub fn check(&self, table: &Table, instance: &Value) -> Vec<Breach> {
        table.validator.iter_errors(instance).map(|error| self.breach(table, instance, &error)).collect()
    }

    /// The same of one row that was asked for by itself: that the other rows are not there says nothing.
    pub fn check_row(&self, table: &Table, instance: &Value, row: &str) -> Vec<Breach> {
        let rows = self.documents.get(&table.id).and_then(|schema| schema.get("properties"));
        let is_row = |name: &str| {
            let alias = || rows?.get(name)?.get("x-alias-name")?.as_str();
            name == row || alias() == Some(row)
        };
        let concerns = |error: &jsonschema::ValidationError<'_>| match error.kind() {
            jsonschema::error::ValidationErrorKind::Required { property } => {
                !error.instance_path().as_str().is_empty() || property.as_str().is_none_or(is_row)
            }
            _ => true,
        };
        let errors = table.validator.iter_errors(instance).filter(concerns);
        errors.map(|error| self.breach(table, instance, &error)).collect()
    }

    /// Every place of the instance that a marked subschema of the table speaks of, branches included.
    pub fn places<'a>(&'a self, table: &Table, instance: &'a Value) -> Vec<Place<'a>> {
        let mut places = Vec::new();
        if let Some(schema) = self.documents.get(&table.id) {
            self.walk(&table.id, schema, instance, "", &mut places);
        }
        places
    }

    /// The requirements of rows that may be left out (`x-optional`) and are: leaving them out conforms.
    pub fn left_out<'a>(&'a self, table: &Table, instance: &Value) -> Vec<&'a str> {
        let rows = self.documents.get(&table.id).and_then(|schema| schema.get("properties")?.as_object());
        rows.into_iter()
            .flatten()
            .filter(|(name, row)| row.get("x-optional") == Some(&Value::Bool(true)) && instance.get(name).is_none())
            .filter_map(|(_, row)| row.get("x-requirement")?.as_str())
            .collect()
    }

    fn walk<'a>(&'a self, doc: &str, schema: &'a Value, value: &'a Value, at: &str, out: &mut Vec<Place<'a>>) {
        let Some(keywords) = schema.as_object() else { return };
        if MARKS.iter().any(|mark| keywords.contains_key(*mark)) {
            out.push(Place { at: at.to_owned(), schema, value });
        }
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str) {
            let id = resolve(doc, target);
            if let Some(document) = self.documents.get(&id) {
                self.walk(&id, document, value, at, out);
            }
        }
        for member in keywords.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.walk(doc, member, value, at, out);
        }
        if let Some(condition) = keywords.get("if") {
            let holds = self.conditions.get(&address(condition)).is_some_and(|condition| condition.is_valid(value));
            if let Some(member) = keywords.get(if holds { "then" } else { "else" }) {
                self.walk(doc, member, value, at, out);
            }
        }
        if let (Some(Value::Object(properties)), Value::Object(object)) = (keywords.get("properties"), value) {
            for (name, member) in properties {
                if let Some(inner) = object.get(name) {
                    self.walk(doc, member, inner, &push_pointer(at, name), out);
                }
            }
        }
        if let (Some(member), Value::Array(items)) = (keywords.get("items"), value) {
            for (index, inner) in items.iter().enumerate() {
                self.walk(doc, member, inner, &format!("{at}/{index}"), out);
            }
        }
    }
}

/// A relative file name against a document's `$id`; the catalog's references name whole documents.
fn resolve(base: &str, target: &str) -> String {
    if target.contains("://") {
        return target.to_owned();
    }
    match base.rfind('/') {
        Some(end) => format!("{}/{target}", &base[..end]),
        None => target.to_owned(),
    }
}

/// Where a schema lies in memory: its identity.
fn address(schema: &Value) -> usize {
    std::ptr::from_ref(schema).addr()
}

fn collect_conditions<'a>(schema: &'a Value, out: &mut Vec<&'a Value>) {
    match schema {
        Value::Object(object) => {
            out.extend(object.get("if"));
            object.iter().filter(|(key, _)| *key != "examples").for_each(|(_, member)| collect_conditions(member, out));
        }
        Value::Array(items) => items.iter().for_each(|member| collect_conditions(member, out)),
        _ => {}
    }
}
