//! The rows of a request with placeholders in it: what the table says of them, and what they break.

use fincert_schemas::capture::decode_markers;
use fincert_schemas::catalog::Catalog;
use fincert_suites::scenario::{Special, Unreadable, as_special};
use indexmap::IndexMap;
use serde_json::{Map, Value};

/// What stands for a path that is known only when the target has been given the file.
const SOME_PATH: &str = "finfile://some/picture.png";

/// The request table of one API.
#[derive(Debug)]
pub struct Rows<'c> {
    catalog: &'c Catalog,
    api: &'static str,
    params: &'c IndexMap<String, String>,
}

impl<'c> Rows<'c> {
    pub(super) fn of(catalog: &'c Catalog, api: &'static str, params: &'c IndexMap<String, String>) -> Self {
        Self { catalog, api, params }
    }

    /// What the request breaks: places and rules.
    pub(super) fn breaks(&self, with: &Value) -> Vec<(String, String)> {
        let Some(table) = self.catalog.request(self.api) else { return Vec::new() };
        let value = decode_markers(&self.filled(with));
        self.catalog.check(table, &value).into_iter().map(|breach| (breach.at, breach.rule)).collect()
    }

    /// Whether the table has a list of values for the row.
    pub(super) fn is_listed(&self, row: &str) -> bool {
        self.row(row).is_some_and(|row| row.contains_key("enum"))
    }

    /// The rows that hold a text.
    pub(super) fn texts(&self) -> Vec<&'c str> {
        let all = self.catalog.rows(&format!("api/{}.request.json", self.api));
        let is_text = |row: &Value| row.get("type").and_then(Value::as_str) == Some("string");
        all.into_iter().flatten().filter(|(_, row)| is_text(row)).map(|(name, _)| name.as_str()).collect()
    }

    /// The rows that must be there.
    pub(super) fn required(&self) -> Vec<&'c str> {
        let document = self.catalog.document(&format!("api/{}.request.json", self.api));
        let names = document.and_then(|document| document.get("required")?.as_array());
        names.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn row(&self, name: &str) -> Option<&'c Map<String, Value>> {
        self.catalog.rows(&format!("api/{}.request.json", self.api))?.get(name)?.as_object()
    }

    /// The request with something valid in place of what only the target can give.
    fn filled(&self, value: &Value) -> Value {
        match (as_special(value), value) {
            (Some(Ok(Special::Param(name))), _) => self.params.get(&name).cloned().unwrap_or_default().into(),
            (Some(Ok(Special::Repeat(repeat))), _) => repeat.text.repeat(repeat.times as usize).into(),
            (Some(Ok(Special::Unreadable(Unreadable::Path { path, .. }))), _) => path.into(),
            (Some(_), _) => SOME_PATH.into(),
            (None, Value::Object(rows)) => {
                Value::Object(rows.iter().map(|(key, inner)| (key.clone(), self.filled(inner))).collect())
            }
            (None, Value::Array(items)) => Value::Array(items.iter().map(|item| self.filled(item)).collect()),
            (None, other) => other.clone(),
        }
    }
}

/// Whether a value stands for a file.
pub(super) fn is_file(value: &Value) -> bool {
    matches!(as_special(value), Some(Ok(Special::File(_))))
}
