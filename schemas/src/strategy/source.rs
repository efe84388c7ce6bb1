//! Schemas as the generators read them: every keyword parsed, every reference resolved, nothing overlooked.

mod reference;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::constraint::Types;
use super::error::{Problem, Unsupported};
use super::format::FormatKind;
use super::number::{Decimal, Numbers};
use super::pattern::Pattern;
use crate::json::push_pointer;
use reference::resolve;

/// A schema's number.
pub(super) type Id = usize;

/// No document set has more schemas.
const MOST_SCHEMAS: usize = 20_000;
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Keywords that say nothing about what is valid (2020-12: core, meta-data and content vocabularies).
const ANNOTATIONS: &[&str] = &[
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "$anchor",
    "$dynamicAnchor",
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "examples",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// All schemas that a root reaches.
#[derive(Debug, Default)]
pub(super) struct Source {
    pub(super) schemas: Vec<Schema>,
    documents: BTreeMap<String, Value>,
    ids: HashMap<(String, String), Id>,
    /// Whether what a branch evaluates must be kept track of.
    pub(super) unevaluated: bool,
}

/// One schema.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) document: String,
    pub(super) pointer: String,
    /// The schema `false`.
    pub(super) never: bool,
    pub(super) keywords: Vec<Keyword>,
    /// Examples that are strings.
    pub(super) examples: Vec<String>,
    pub(super) requirement: Option<String>,
    pub(super) aliases: Vec<String>,
    /// The names that stand for others here.
    pub(super) alias_name: Option<String>,
}

/// A keyword with its value.
#[derive(Debug)]
pub(super) struct Keyword {
    pub(super) name: &'static str,
    pub(super) what: What,
}

/// What a keyword says.
#[derive(Debug)]
pub(super) enum What {
    Types(Types),
    Values(Vec<Value>),
    Numbers(Numbers),
    LeastLength(usize),
    MostLength(usize),
    Pattern(Arc<Pattern>),
    Format(FormatKind),
    Prefix(Vec<Id>),
    Items { schema: Id, from: usize },
    Contains { schema: Id, least: usize, most: Option<usize>, counted: &'static str },
    LeastItems(usize),
    MostItems(usize),
    Unique,
    Properties(Vec<(String, Id)>),
    Patterns(Vec<(Arc<Pattern>, Id)>),
    Additional { schema: Id, names: Vec<String>, patterns: Vec<Arc<Pattern>> },
    Names(Id),
    Required(Vec<String>),
    LeastProperties(usize),
    MostProperties(usize),
    DependentRequired(Vec<(String, Vec<String>)>),
    DependentSchemas(Vec<(String, Id)>),
    All(Vec<Id>),
    Any(Vec<Id>),
    One(Vec<Id>),
    Not(Id),
    If { condition: Id, then: Option<Id>, otherwise: Option<Id> },
    Ref(Id),
    UnevaluatedProperties(Id),
    UnevaluatedItems(Id),
}

impl Source {
    /// Reads the document of that id and all that it refers to among `documents`.
    pub(super) fn read<'a>(
        documents: impl IntoIterator<Item = (&'a str, &'a Value)>,
        root: &str,
    ) -> Result<(Self, Id), Unsupported> {
        let all: BTreeMap<&str, &Value> = documents.into_iter().collect();
        let mut source = Self::default();
        let id = source.schema(&all, root, "")?;
        Ok((source, id))
    }

    fn schema(&mut self, all: &BTreeMap<&str, &Value>, document: &str, pointer: &str) -> Result<Id, Unsupported> {
        let key = (document.to_owned(), pointer.to_owned());
        if let Some(id) = self.ids.get(&key) {
            return Ok(*id);
        }
        let at = At { document, pointer };
        if self.schemas.len() >= MOST_SCHEMAS {
            return Err(at.wrong("", Problem::Explosion(format!("{MOST_SCHEMAS} subschemas"))));
        }
        let id = self.schemas.len();
        self.ids.insert(key, id);
        self.schemas.push(Schema { document: document.to_owned(), pointer: pointer.to_owned(), ..Schema::default() });
        let Some(whole) = all.get(document) else {
            return Err(at.wrong("$ref", Problem::Reference(document.to_owned())));
        };
        if !self.documents.contains_key(document) {
            self.documents.insert(document.to_owned(), (*whole).clone());
        }
        let Some(value) = whole.pointer(pointer) else {
            return Err(at.wrong("$ref", Problem::Reference(format!("{document}#{pointer}"))));
        };
        match value {
            Value::Bool(always) => self.schemas[id].never = !always,
            Value::Object(object) => {
                let schema = self.keywords(all, at, object)?;
                self.schemas[id] = schema;
            }
            _ => {
                return Err(
                    at.wrong("", Problem::Malformed { keyword: String::new(), wanted: "an object or a boolean" })
                );
            }
        }
        Ok(id)
    }

    fn keywords(
        &mut self,
        all: &BTreeMap<&str, &Value>,
        at: At<'_>,
        object: &Map<String, Value>,
    ) -> Result<Schema, Unsupported> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let strings = |name: &str| -> Vec<String> {
            let items = object.get(name).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let mut schema = Schema {
            document: at.document.to_owned(),
            pointer: at.pointer.to_owned(),
            examples: strings("examples"),
            requirement: text("x-requirement"),
            aliases: strings("x-alias"),
            alias_name: text("x-alias-name"),
            ..Schema::default()
        };
        for (name, value) in object {
            if name.starts_with("x-") {
                continue;
            }
            if ANNOTATIONS.contains(&name.as_str()) {
                let foreign = name == "$schema" && value.as_str().is_none_or(|dialect| dialect != DIALECT)
                    || name == "$id" && !at.pointer.is_empty();
                if foreign {
                    return Err(at.wrong(
                        name,
                        Problem::Malformed {
                            keyword: name.clone(),
                            wanted: if name == "$id" { "at the root of a document alone" } else { DIALECT },
                        },
                    ));
                }
                continue;
            }
            if let Some(keyword) = self.keyword(all, at, object, name, value)? {
                self.unevaluated |= matches!(keyword.what, What::UnevaluatedItems(_) | What::UnevaluatedProperties(_));
                schema.keywords.push(keyword);
            }
        }
        // What has no branches comes first, so that what it rules out is never expanded.
        schema.keywords.sort_by_key(|keyword| keyword.what.weight());
        Ok(schema)
    }

    fn keyword(
        &mut self,
        all: &BTreeMap<&str, &Value>,
        at: At<'_>,
        object: &Map<String, Value>,
        name: &str,
        value: &Value,
    ) -> Result<Option<Keyword>, Unsupported> {
        let malformed = |wanted: &'static str| at.wrong(name, Problem::Malformed { keyword: name.to_owned(), wanted });
        const WHOLE: &str = "a whole number, 0 or more";
        let count = || whole(value).ok_or_else(|| malformed(WHOLE));
        let number =
            || -> Result<Number, Unsupported> { value.as_number().cloned().ok_or_else(|| malformed("a number")) };
        let names = |value: &Value| -> Result<Vec<String>, Unsupported> {
            let items = value.as_array().ok_or_else(|| malformed("an array of strings"))?;
            let names: Option<Vec<_>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            names.ok_or_else(|| malformed("an array of strings"))
        };
        let sibling = |name: &str| -> Result<Option<usize>, Unsupported> {
            let Some(value) = object.get(name) else { return Ok(None) };
            whole(value)
                .map(Some)
                .ok_or_else(|| at.wrong(name, Problem::Malformed { keyword: name.to_owned(), wanted: WHOLE }))
        };
        let pattern = |text: &str| -> Result<Arc<Pattern>, Unsupported> {
            Pattern::read(text).map(Arc::new).map_err(|error| at.wrong(name, Problem::Pattern(error)))
        };
        let here = push_pointer(at.pointer, name);
        let multiple = || -> Result<Decimal, Unsupported> {
            let number = number()?;
            Decimal::read(&number).ok_or_else(|| malformed("a positive decimal of at most 15 places"))
        };
        let (name, what) = match name {
            "type" => {
                let types = match value {
                    Value::String(name) => Types::named(name),
                    Value::Array(names) => {
                        names.iter().try_fold(Types::NONE, |types, name| Some(types.or(Types::named(name.as_str()?)?)))
                    }
                    _ => None,
                };
                ("type", What::Types(types.ok_or_else(|| malformed("a type or an array of types"))?))
            }
            "enum" => ("enum", What::Values(value.as_array().ok_or_else(|| malformed("an array"))?.clone())),
            "const" => ("const", What::Values(vec![value.clone()])),
            "minimum" => ("minimum", What::Numbers(Numbers::low(&number()?, false))),
            "exclusiveMinimum" => ("exclusiveMinimum", What::Numbers(Numbers::low(&number()?, true))),
            "maximum" => ("maximum", What::Numbers(Numbers::high(&number()?, false))),
            "exclusiveMaximum" => ("exclusiveMaximum", What::Numbers(Numbers::high(&number()?, true))),
            "multipleOf" => {
                ("multipleOf", What::Numbers(Numbers { multiple: Some(multiple()?), ..Numbers::default() }))
            }
            "minLength" => ("minLength", What::LeastLength(count()?)),
            "maxLength" => ("maxLength", What::MostLength(count()?)),
            "pattern" => ("pattern", What::Pattern(pattern(value.as_str().ok_or_else(|| malformed("a string"))?)?)),
            "format" => {
                let format = value.as_str().ok_or_else(|| malformed("a string"))?;
                let kind = FormatKind::named(format);
                ("format", What::Format(kind.ok_or_else(|| at.wrong(name, Problem::Format(format.to_owned())))?))
            }
            "prefixItems" => ("prefixItems", What::Prefix(self.list(all, at, name, value)?)),
            "items" => {
                let from = object.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                ("items", What::Items { schema: self.schema(all, at.document, &here)?, from })
            }
            // `if` and `contains` read these; alone they say nothing, but what they are must be right.
            "then" | "else" => {
                self.schema(all, at.document, &here)?;
                return Ok(None);
            }
            "minContains" | "maxContains" => {
                count()?;
                return Ok(None);
            }
            "contains" => {
                let schema = self.schema(all, at.document, &here)?;
                let (least, most) = (sibling("minContains")?.unwrap_or(1), sibling("maxContains")?);
                let counted = ["minContains", "maxContains"].into_iter().find(|name| object.contains_key(*name));
                ("contains", What::Contains { schema, least, most, counted: counted.unwrap_or("contains") })
            }
            "minItems" => ("minItems", What::LeastItems(count()?)),
            "maxItems" => ("maxItems", What::MostItems(count()?)),
            "uniqueItems" => match value.as_bool().ok_or_else(|| malformed("a boolean"))? {
                true => ("uniqueItems", What::Unique),
                false => return Ok(None),
            },
            "properties" => ("properties", What::Properties(self.table(all, at, name, value)?)),
            "patternProperties" => {
                let table = self.table(all, at, name, value)?;
                let table = table.into_iter().map(|(text, id)| Ok((pattern(&text)?, id))).collect::<Result<_, _>>()?;
                ("patternProperties", What::Patterns(table))
            }
            "additionalProperties" => {
                let keys = |name: &str| object.get(name).and_then(Value::as_object).into_iter().flat_map(Map::keys);
                let names = keys("properties").cloned().collect();
                let patterns = keys("patternProperties").map(|text| pattern(text)).collect::<Result<_, _>>()?;
                let schema = self.schema(all, at.document, &here)?;
                ("additionalProperties", What::Additional { schema, names, patterns })
            }
            "propertyNames" => ("propertyNames", What::Names(self.schema(all, at.document, &here)?)),
            "required" => ("required", What::Required(names(value)?)),
            "minProperties" => ("minProperties", What::LeastProperties(count()?)),
            "maxProperties" => ("maxProperties", What::MostProperties(count()?)),
            "dependentRequired" => {
                let table = value.as_object().ok_or_else(|| malformed("an object"))?;
                let table =
                    table.iter().map(|(name, value)| Ok((name.clone(), names(value)?))).collect::<Result<_, _>>()?;
                ("dependentRequired", What::DependentRequired(table))
            }
            "dependentSchemas" => ("dependentSchemas", What::DependentSchemas(self.table(all, at, name, value)?)),
            "allOf" => ("allOf", What::All(self.list(all, at, name, value)?)),
            "anyOf" => ("anyOf", What::Any(self.list(all, at, name, value)?)),
            "oneOf" => ("oneOf", What::One(self.list(all, at, name, value)?)),
            "not" => ("not", What::Not(self.schema(all, at.document, &here)?)),
            "if" => {
                let condition = self.schema(all, at.document, &here)?;
                let mut branch = |name: &str| -> Result<Option<Id>, Unsupported> {
                    let there = push_pointer(at.pointer, name);
                    object.contains_key(name).then(|| self.schema(all, at.document, &there)).transpose()
                };
                let (then, otherwise) = (branch("then")?, branch("else")?);
                if then.is_none() && otherwise.is_none() {
                    return Ok(None);
                }
                ("if", What::If { condition, then, otherwise })
            }
            "$ref" | "$dynamicRef" => {
                let target = value.as_str().ok_or_else(|| malformed("a string"))?;
                let (document, pointer) = resolve(all, at, name, target)?;
                let id = self.schema(all, &document, &pointer)?;
                (if name == "$ref" { "$ref" } else { "$dynamicRef" }, What::Ref(id))
            }
            "unevaluatedProperties" => {
                ("unevaluatedProperties", What::UnevaluatedProperties(self.schema(all, at.document, &here)?))
            }
            "unevaluatedItems" => ("unevaluatedItems", What::UnevaluatedItems(self.schema(all, at.document, &here)?)),
            other => return Err(at.wrong(other, Problem::Keyword(other.to_owned()))),
        };
        Ok(Some(Keyword { name, what }))
    }

    fn list(
        &mut self,
        all: &BTreeMap<&str, &Value>,
        at: At<'_>,
        name: &str,
        value: &Value,
    ) -> Result<Vec<Id>, Unsupported> {
        let malformed = || Problem::Malformed { keyword: name.to_owned(), wanted: "an array of schemas, not empty" };
        let items = value.as_array().filter(|items| !items.is_empty()).ok_or_else(|| at.wrong(name, malformed()))?;
        let here = push_pointer(at.pointer, name);
        (0..items.len()).map(|index| self.schema(all, at.document, &format!("{here}/{index}"))).collect()
    }

    fn table(
        &mut self,
        all: &BTreeMap<&str, &Value>,
        at: At<'_>,
        name: &str,
        value: &Value,
    ) -> Result<Vec<(String, Id)>, Unsupported> {
        let malformed = || Problem::Malformed { keyword: name.to_owned(), wanted: "an object of schemas" };
        let table = value.as_object().ok_or_else(|| at.wrong(name, malformed()))?;
        let here = push_pointer(at.pointer, name);
        table.keys().map(|key| Ok((key.clone(), self.schema(all, at.document, &push_pointer(&here, key))?))).collect()
    }

    /// The schema of that number.
    pub(super) fn at(&self, id: Id) -> &Schema {
        &self.schemas[id]
    }

    /// The names of all properties that a schema here speaks of.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        let tables =
            self.schemas.iter().flat_map(|schema| &schema.keywords).filter_map(|keyword| match &keyword.what {
                What::Properties(table) => Some(table),
                _ => None,
            });
        tables.flatten().map(|(name, _)| name.clone())
    }

    /// The documents that are reached, for a validator.
    pub(super) fn documents(&self) -> &BTreeMap<String, Value> {
        &self.documents
    }
}

impl What {
    /// What is cheap to expand comes first; what looks at the others' work comes last.
    fn weight(&self) -> u8 {
        match self {
            Self::If { .. } | Self::DependentRequired(_) | Self::DependentSchemas(_) => 2,
            Self::Ref(_) | Self::All(_) => 1,
            Self::Any(_) | Self::One(_) | Self::Not(_) => 3,
            Self::UnevaluatedProperties(_) | Self::UnevaluatedItems(_) => 4,
            _ => 0,
        }
    }
}

/// A place in a document.
#[derive(Clone, Copy)]
struct At<'a> {
    document: &'a str,
    pointer: &'a str,
}

impl At<'_> {
    fn wrong(&self, keyword: &str, problem: Problem) -> Unsupported {
        let pointer = if keyword.is_empty() { self.pointer.to_owned() } else { push_pointer(self.pointer, keyword) };
        Unsupported { document: self.document.to_owned(), pointer, keyword: keyword.to_owned(), problem }
    }
}

/// A whole number that is not negative, `2` or `2.0`.
fn whole(value: &Value) -> Option<usize> {
    let whole = value.as_u64().or_else(|| value.as_f64().filter(|f| f.fract() == 0.0 && *f >= 0.0).map(|f| f as u64));
    whole.map(|whole| whole.min(u64::from(u32::MAX)) as usize)
}
