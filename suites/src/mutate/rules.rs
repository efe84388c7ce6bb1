//! Which rules of a table speak of a value, and whose sentence each is.
//!
//! This walks the schemas as documents, and not by the validator that capture uses: a rule that the validator overlooked
//! must still have its mutant.

use fincert_schemas::catalog::{BASE, Catalog};
use fincert_schemas::format;
use serde_json::{Map, Value};

/// One rule of a schema, at one place of a value.
#[derive(Debug, Clone)]
pub(super) struct Rule<'s> {
    /// The pointer; of `required`, of the row that must be there.
    pub(super) at: String,
    /// The keyword.
    pub(super) keyword: &'s str,
    /// What stands behind it.
    pub(super) wants: &'s Value,
    /// The requirement that the nearest schema around it names.
    pub(super) owner: &'s str,
    /// The aliases that the nearest schema around it admits.
    pub(super) aliases: &'s [Value],
    /// The name that may stand for the row's.
    pub(super) alias_name: Option<&'s str>,
}

/// The marks that hold for a place.
#[derive(Clone, Copy, Default)]
struct Marks<'s> {
    owner: &'s str,
    aliases: &'s [Value],
    alias_name: Option<&'s str>,
}

impl<'s> Marks<'s> {
    fn with(mut self, schema: &'s Value) -> Self {
        if let Some(owner) = schema.get("x-requirement").and_then(Value::as_str) {
            self.owner = owner;
            self.alias_name = schema.get("x-alias-name").and_then(Value::as_str);
        }
        if let Some(Value::Array(aliases)) = schema.get("x-alias") {
            self.aliases = aliases;
        }
        self
    }
}

/// The rules of a table below `schemas/`, `api/finCardOcr.result.json`, that speak of a value.
pub(super) fn of<'s>(catalog: &'s Catalog, table: &str, value: &Value) -> Vec<Rule<'s>> {
    let mut rules = Vec::new();
    if let Some(document) = catalog.document(table) {
        Walk { catalog, rules: &mut rules }.schema((table, document), value, "", Marks::default());
    }
    rules
}

/// Whether a value keeps a rule: the few keywords that the tables use.
pub(super) fn keeps(rule: &Rule<'_>, value: &Value) -> bool {
    let here = value.pointer(&rule.at);
    match (rule.keyword, here) {
        ("required", here) => here.is_some(),
        (_, None) => true,
        ("type", Some(here)) => types(rule.wants).any(|name| is_type(here, name)),
        ("enum", Some(here)) => rule.wants.as_array().is_some_and(|list| list.iter().any(|one| same(one, here))),
        ("const", Some(here)) => same(rule.wants, here),
        ("minimum", Some(here)) => here.as_f64().is_none_or(|n| Some(n) >= rule.wants.as_f64()),
        ("maximum", Some(here)) => here.as_f64().is_none_or(|n| Some(n) <= rule.wants.as_f64()),
        ("minLength", Some(here)) => {
            here.as_str().is_none_or(|text| text.chars().count() as u64 >= rule.wants.as_u64().unwrap_or_default())
        }
        ("minItems", Some(here)) => {
            here.as_array().is_none_or(|items| items.len() as u64 >= rule.wants.as_u64().unwrap_or_default())
        }
        ("format", Some(here)) => {
            let text = here.as_str().zip(rule.wants.as_str());
            text.is_none_or(|(text, name)| format::check(name, text).is_none_or(|result| result.is_ok()))
        }
        _ => true,
    }
}

/// The types that `type` names.
pub(super) fn types(wants: &Value) -> impl Iterator<Item = &str> {
    let list = wants.as_array().map_or(std::slice::from_ref(wants), Vec::as_slice);
    list.iter().filter_map(Value::as_str)
}

pub(super) fn is_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.is_number() && b.is_number() && a.as_f64() == b.as_f64())
}

/// The keywords that a value can break by itself.
const KEYWORDS: [&str; 9] =
    ["type", "enum", "const", "minimum", "maximum", "minLength", "minItems", "format", "pattern"];

struct Walk<'s, 'o> {
    catalog: &'s Catalog,
    rules: &'o mut Vec<Rule<'s>>,
}

impl<'s> Walk<'s, '_> {
    fn schema(&mut self, (table, schema): (&str, &'s Value), value: &Value, at: &str, marks: Marks<'s>) {
        let Some(keywords) = schema.as_object() else { return };
        let marks = marks.with(schema);
        for (keyword, wants) in keywords.iter().filter(|(keyword, _)| KEYWORDS.contains(&keyword.as_str())) {
            self.add(at.to_owned(), keyword, wants, marks);
        }
        self.required(keywords, value, at, marks);
        if let Some(target) = keywords.get("$ref").and_then(Value::as_str) {
            let folder = table.rsplit_once('/').map_or("", |(folder, _)| folder);
            let table = target.strip_prefix(BASE).map_or_else(|| format!("{folder}/{target}"), str::to_owned);
            if let Some(document) = self.catalog.document(&table) {
                self.schema((&table, document), value, at, marks);
            }
        }
        for member in keywords.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.schema((table, member), value, at, marks);
        }
        if let Some(condition) = keywords.get("if") {
            let branch = if holds(condition, value) { "then" } else { "else" };
            if let Some(member) = keywords.get(branch) {
                self.schema((table, member), value, at, marks);
            }
        }
        if let (Some(Value::Object(properties)), Value::Object(rows)) = (keywords.get("properties"), value) {
            for (name, member) in properties {
                if let Some(row) = rows.get(name) {
                    self.schema((table, member), row, &format!("{at}/{name}"), marks);
                }
            }
        }
        if let (Some(member), Value::Array(items)) = (keywords.get("items"), value) {
            for (index, item) in items.iter().enumerate() {
                self.schema((table, member), item, &format!("{at}/{index}"), marks);
            }
        }
    }

    fn required(&mut self, keywords: &'s Map<String, Value>, value: &Value, at: &str, marks: Marks<'s>) {
        if !value.is_object() {
            return;
        }
        for name in keywords.get("required").and_then(Value::as_array).into_iter().flatten() {
            let Some(text) = name.as_str() else { continue };
            let row = keywords.get("properties").and_then(|properties| properties.get(text));
            let marks = row.map_or(marks, |row| marks.with(row));
            self.add(format!("{at}/{text}"), "required", name, marks);
        }
    }

    fn add(&mut self, at: String, keyword: &'s str, wants: &'s Value, marks: Marks<'s>) {
        if !marks.owner.is_empty() {
            let Marks { owner, aliases, alias_name } = marks;
            self.rules.push(Rule { at, keyword, wants, owner, aliases, alias_name });
        }
    }
}

/// Whether a condition of a table holds: `if` speaks of types, constants and rows that are there, and no more.
fn holds(condition: &Value, value: &Value) -> bool {
    let Some(keywords) = condition.as_object() else { return true };
    keywords.iter().all(|(keyword, wants)| match keyword.as_str() {
        "type" => types(wants).any(|name| is_type(value, name)),
        "const" => same(wants, value),
        "enum" => wants.as_array().is_some_and(|list| list.iter().any(|one| same(one, value))),
        "not" => !holds(wants, value),
        "minProperties" => value.as_object().is_none_or(|rows| rows.len() as u64 >= wants.as_u64().unwrap_or_default()),
        "required" => value.as_object().is_none_or(|rows| {
            wants.as_array().into_iter().flatten().filter_map(Value::as_str).all(|name| rows.contains_key(name))
        }),
        "properties" => value.as_object().is_none_or(|rows| {
            wants
                .as_object()
                .into_iter()
                .flatten()
                .all(|(name, inner)| rows.get(name).is_none_or(|row| holds(inner, row)))
        }),
        _ => true,
    })
}
