//! An API's request: what stands for values that JSON lacks, and what breaks the request's table.

use std::sync::LazyLock;

use fincert_schemas::catalog::{APIS, BASE, Catalog};
use serde_json::{Map, Value};

use crate::config::PLATFORM;

/// How many broken rules an `errMsg` names.
const NAMED: usize = 8;

/// One broken rule of a request's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// JSON pointer of the place; empty for the whole request.
    pub at: String,
    /// The rule.
    pub rule: String,
    /// What is wanted; never a value of the request.
    pub expected: String,
}

/// The value that an argument stands for; `None` for `undefined`.
///
/// An undefined property is an absent one, in an array it is `null`; a number that JSON lacks is a number; bytes
/// and functions are objects; a doubled `$` of a key is a single one.
pub fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => {
            if let Some((key, inner)) = object.iter().next().filter(|_| object.len() == 1) {
                match (key.as_str(), inner) {
                    ("$undefined", Value::Bool(true)) => return None,
                    ("$number", Value::String(_)) => return Some(0.into()),
                    ("$bytes" | "$function", Value::String(_)) => return Some(Value::Object(Map::new())),
                    _ => {}
                }
            }
            let members = object.iter().filter_map(|(key, inner)| Some((single(key), plain(inner)?)));
            Some(Value::Object(members.collect()))
        }
        Value::Array(items) => Some(items.iter().map(|item| plain(item).unwrap_or_default()).collect()),
        other => Some(other.clone()),
    }
}

fn single(key: &str) -> String {
    let end = key.strip_prefix('$').filter(|rest| rest.starts_with('$'));
    end.unwrap_or(key).to_owned()
}

/// The rules of the API's request table that the request breaks. On Android `finOpenOtherApp` needs `package`,
/// which a schema cannot know.
pub fn broken(api: &str, request: &Value) -> Vec<Broken> {
    let Some((catalog, table)) = Catalog::embedded().ok().and_then(|catalog| Some((catalog, catalog.request(api)?)))
    else {
        return Vec::new();
    };
    let mut all: Vec<_> = catalog
        .check(table, request)
        .into_iter()
        .map(|breach| Broken { at: breach.at, rule: breach.rule, expected: breach.expected })
        .collect();
    if api == "finOpenOtherApp" && request.is_object() && request.get("package").is_none_or(|package| package == "") {
        let expected = format!("the property package on {PLATFORM}");
        all.push(Broken { at: "/package".to_owned(), rule: "required".to_owned(), expected });
    }
    all
}

/// The reason that an invalid request is refused with: pointers and rules, no values.
pub fn reason(broken: &[Broken]) -> String {
    let mut text = "invalid request: ".to_owned();
    for (index, Broken { at, rule, expected }) in broken.iter().take(NAMED).enumerate() {
        let at = if at.is_empty() { "the request" } else { at };
        text += &format!("{}{at}: {rule}: {expected}", if index == 0 { "" } else { "; " });
    }
    if broken.len() > NAMED {
        text += &format!("; and {} more", broken.len() - NAMED);
    }
    text
}

/// The properties that the API's request table has.
pub fn fields(api: &str) -> &'static [String] {
    static FIELDS: LazyLock<Vec<(&str, Vec<String>)>> = LazyLock::new(|| {
        let documents = Catalog::embedded().map(Catalog::documents).unwrap_or_default();
        let of = |api: &str| {
            let id = format!("{BASE}api/{api}.request.json");
            let document = documents.iter().find(|(other, _)| *other == id)?.1;
            Some(document.get("properties")?.as_object()?.keys().cloned().collect())
        };
        APIS.iter().map(|(api, _)| (*api, of(api).unwrap_or_default())).collect()
    });
    FIELDS.iter().find(|(other, _)| *other == api).map_or(&[], |(_, fields)| fields)
}

/// Whether the API's request table has that property.
pub fn knows(api: &str, field: &str) -> bool {
    fields(api).iter().any(|known| known == field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_that_json_lacks_are_what_they_stand_for() {
        let given = json!({"a": {"$undefined": true}, "b": [{"$undefined": true}], "c": {"$number": "NaN"},
            "d": {"$bytes": "AA=="}, "$$e": 1, "f": {"$undefined": false}});
        assert_eq!(plain(&given), Some(json!({"b": [null], "c": 0, "d": {}, "$e": 1, "f": {"$undefined": false}})));
        assert_eq!(plain(&json!({"$undefined": true})), None);
    }

    #[test]
    fn a_refusal_names_place_and_rule_and_no_value() {
        let broken_rules = broken("finCardOcr", &json!({"type": "SECRET"}));
        let text = reason(&broken_rules);
        assert!(text.contains("/imagePath: required") && text.contains("/type: enum"), "{text}");
        assert!(!text.contains("SECRET"));
        assert_eq!(broken("finOpenOtherApp", &json!({"url": "x://"}))[0].at, "/package");
        assert_eq!(broken("finLivenessCheck", &json!({"extra": 1})), []);
        assert!(knows("finCardOcr", "type") && !knows("finCardOcr", "errorCode") && !knows("finNothing", "type"));
    }
}
