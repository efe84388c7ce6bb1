//! One broken rule: where it stands, whose it is, and what the schema wants there.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;

use super::{Catalog, Table, resolve};
use crate::format;
use crate::json::push_pointer;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// JSON pointer into the instance; for a missing property, of the property.
    pub at: String,
    /// The JSON Schema keyword, or the rule of a custom format.
    pub rule: String,
    /// What the schema wants, in English. Never holds a value of the instance.
    pub expected: String,
    /// The same in Chinese, where a format check says more.
    pub expected_zh: Option<String>,
    /// The requirement it breaks.
    pub requirement: Option<String>,
    /// The aliases that the place admits.
    pub aliases: Vec<String>,
    /// The property name that may stand for a missing one.
    pub alias_name: Option<String>,
}

impl Catalog {
    /// Follows the error's path through the schemas, remembering the last requirement passed.
    pub(super) fn breach(&self, table: &Table, instance: &Value, error: &ValidationError<'_>) -> Breach {
        let keyword = error.kind().keyword().to_owned();
        let path = error.evaluation_path().to_string();
        let mut doc = table.id.clone();
        let mut here = self.documents.get(&doc).unwrap_or(&Value::Null);
        let mut holder = here;
        let mut marks = Marks::default();
        marks.pass(here);
        for segment in path.split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            let next = match here {
                Value::Object(object) => object.get(&segment),
                Value::Array(items) => segment.parse::<usize>().ok().and_then(|index| items.get(index)),
                _ => None,
            };
            if here.is_object()
                && here.get("type").is_some() | here.get("properties").is_some() | here.get(&keyword).is_some()
            {
                holder = here;
            }
            here = match (segment.as_str(), next) {
                ("$ref", Some(Value::String(target))) => {
                    doc = resolve(&doc, target);
                    self.documents.get(&doc).unwrap_or(&Value::Null)
                }
                (_, Some(next)) => next,
                (_, None) => break,
            };
            marks.pass(here);
        }
        let mut at = error.instance_path().to_string();
        let mut rule = keyword.clone();
        let (expected, expected_zh) = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                at = push_pointer(&at, name);
                if let Some(member) = holder.get("properties").and_then(|p| p.get(name)) {
                    marks.pass(member);
                }
                (format!("the property {name}"), format!("字段 {name}"))
            }
            ValidationErrorKind::Format { format: name } => {
                let text = instance.pointer(&at).and_then(Value::as_str);
                match text.and_then(|text| format::check(name, text)) {
                    Some(Err(fault)) => {
                        rule = fault.rule.to_owned();
                        (format!("{name}: {}", fault.message_en), format!("{name}:{}", fault.message_zh))
                    }
                    _ => expectation(&keyword, here),
                }
            }
            _ => expectation(&keyword, here),
        };
        Breach {
            at,
            rule,
            expected,
            expected_zh: Some(expected_zh),
            requirement: marks.requirement,
            aliases: marks.aliases,
            alias_name: marks.alias_name,
        }
    }
}

#[derive(Default)]
struct Marks {
    requirement: Option<String>,
    aliases: Vec<String>,
    alias_name: Option<String>,
}

impl Marks {
    fn pass(&mut self, schema: &Value) {
        if let Some(id) = schema.get("x-requirement").and_then(Value::as_str) {
            self.requirement = Some(id.to_owned());
            self.alias_name = schema.get("x-alias-name").and_then(Value::as_str).map(str::to_owned);
        }
        if let Some(Value::Array(names)) = schema.get("x-alias") {
            self.aliases = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        }
    }
}

/// What a keyword wants, said from the schema alone: English and Chinese.
fn expectation(keyword: &str, wanted: &Value) -> (String, String) {
    let list = match wanted {
        Value::Array(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    let (en, zh) = match keyword {
        "type" => return (format!("type {}", list.replace('"', "")), format!("类型 {}", list.replace('"', ""))),
        "enum" => ("one of ", "取值为其中之一："),
        "const" => ("the value ", "值 "),
        "minimum" => ("at least ", "不小于 "),
        "maximum" => ("at most ", "不大于 "),
        "minLength" => return (format!("at least {list} characters"), format!("至少 {list} 个字符")),
        "maxLength" => return (format!("at most {list} characters"), format!("至多 {list} 个字符")),
        "pattern" => ("a text that matches ", "匹配 "),
        "not" | "falseSchema" | "false_schema" => return ("nothing here".to_owned(), "此处不应有内容".to_owned()),
        other => return (format!("{other} {list}"), format!("{other} {list}")),
    };
    (format!("{en}{list}"), format!("{zh}{list}"))
}
