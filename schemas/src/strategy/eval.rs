//! Whether a value that is written down in a schema (`const`, `enum`, a pin) satisfies another.
//!
//! Only the compiler asks, of the few values that stand in schemas. Instances are validated by the crate jsonschema.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::constraint::Types;
use super::number::equal;
use super::source::{Id, Source, What};

/// No schema refers to itself in place deeper than this.
const DEEPEST: usize = 200;

/// Whether the value satisfies the schema.
pub(super) fn holds(source: &Source, id: Id, value: &Value) -> bool {
    check(source, id, value, DEEPEST).is_some()
}

/// Whether no two of the items are equal.
pub(super) fn distinct(items: &[Value]) -> bool {
    items.iter().enumerate().all(|(index, item)| !items[..index].iter().any(|other| equal(item, other)))
}

/// What was evaluated of the value: the names and the indices.
#[derive(Default)]
struct Seen {
    names: BTreeSet<String>,
    items: BTreeSet<usize>,
}

impl Seen {
    fn join(&mut self, other: Self) {
        self.names.extend(other.names);
        self.items.extend(other.items);
    }
}

fn check(source: &Source, id: Id, value: &Value, depth: usize) -> Option<Seen> {
    let schema = source.at(id);
    if schema.never || depth == 0 {
        return None;
    }
    let mut seen = Seen::default();
    for keyword in &schema.keywords {
        seen.join(one(source, &keyword.what, value, &seen, depth - 1)?);
    }
    Some(seen)
}

fn one(source: &Source, what: &What, value: &Value, before: &Seen, depth: usize) -> Option<Seen> {
    let holds = |id: Id, value: &Value| check(source, id, value, depth).is_some();
    let mut seen = Seen::default();
    let text = value.as_str();
    let object = value.as_object();
    let array = value.as_array();
    let has = |object: &Map<String, Value>, name: &String| object.contains_key(name);
    let ok = match what {
        What::Types(types) => types.meets(Types::of(value)),
        What::Values(values) => values.iter().any(|allowed| equal(allowed, value)),
        What::Numbers(numbers) => value.as_number().is_none_or(|number| numbers.accept(number)),
        What::LeastLength(least) => text.is_none_or(|text| text.chars().count() >= *least),
        What::MostLength(most) => text.is_none_or(|text| text.chars().count() <= *most),
        What::Pattern(pattern) => text.is_none_or(|text| pattern.matches(text)),
        What::Format(format) => text.is_none_or(|text| format.check(text).is_ok()),
        What::Prefix(schemas) => array.is_none_or(|items| {
            items.iter().zip(schemas).enumerate().all(|(index, (item, id))| {
                seen.items.insert(index);
                holds(*id, item)
            })
        }),
        What::Items { schema, from } => array.is_none_or(|items| {
            items.iter().enumerate().skip(*from).all(|(index, item)| {
                seen.items.insert(index);
                holds(*schema, item)
            })
        }),
        What::Contains { schema, least, most, .. } => array.is_none_or(|items| {
            let fit = items.iter().enumerate().filter(|(_, item)| holds(*schema, item));
            seen.items.extend(fit.map(|(index, _)| index));
            seen.items.len() >= *least && most.is_none_or(|most| seen.items.len() <= most)
        }),
        What::LeastItems(least) => array.is_none_or(|items| items.len() >= *least),
        What::MostItems(most) => array.is_none_or(|items| items.len() <= *most),
        What::Unique => array.is_none_or(|items| distinct(items)),
        What::Properties(table) => object.is_none_or(|object| {
            table.iter().all(|(name, id)| match object.get(name) {
                Some(inner) => {
                    seen.names.insert(name.clone());
                    holds(*id, inner)
                }
                None => true,
            })
        }),
        What::Patterns(table) => object.is_none_or(|object| {
            object.iter().all(|(name, inner)| {
                table.iter().filter(|(pattern, _)| pattern.matches(name)).all(|(_, id)| {
                    seen.names.insert(name.clone());
                    holds(*id, inner)
                })
            })
        }),
        What::Additional { schema, names, patterns } => object.is_none_or(|object| {
            let others = object
                .iter()
                .filter(|(name, _)| !names.contains(name) && !patterns.iter().any(|pattern| pattern.matches(name)));
            others.into_iter().all(|(name, inner)| {
                seen.names.insert(name.clone());
                holds(*schema, inner)
            })
        }),
        What::Names(schema) => {
            object.is_none_or(|object| object.keys().all(|name| holds(*schema, &Value::from(name.as_str()))))
        }
        What::Required(names) => object.is_none_or(|object| names.iter().all(|name| has(object, name))),
        What::LeastProperties(least) => object.is_none_or(|object| object.len() >= *least),
        What::MostProperties(most) => object.is_none_or(|object| object.len() <= *most),
        What::DependentRequired(table) => object.is_none_or(|object| {
            let there = table.iter().filter(|(trigger, _)| has(object, trigger));
            there.into_iter().all(|(_, names)| names.iter().all(|name| has(object, name)))
        }),
        What::DependentSchemas(table) => match object {
            Some(object) => {
                for (_, id) in table.iter().filter(|(trigger, _)| has(object, trigger)) {
                    seen.join(check(source, *id, value, depth)?);
                }
                true
            }
            None => true,
        },
        What::All(schemas) => {
            for id in schemas {
                seen.join(check(source, *id, value, depth)?);
            }
            true
        }
        What::Any(schemas) | What::One(schemas) => {
            let held: Vec<Seen> = schemas.iter().filter_map(|id| check(source, *id, value, depth)).collect();
            let count = held.len();
            held.into_iter().for_each(|other| seen.join(other));
            if matches!(what, What::One(_)) { count == 1 } else { count > 0 }
        }
        What::Not(schema) => !holds(*schema, value),
        What::If { condition, then, otherwise } => {
            let branch = match check(source, *condition, value, depth) {
                Some(other) => {
                    seen.join(other);
                    then
                }
                None => otherwise,
            };
            if let Some(id) = branch {
                seen.join(check(source, *id, value, depth)?);
            }
            true
        }
        What::Ref(schema) => {
            seen.join(check(source, *schema, value, depth)?);
            true
        }
        What::UnevaluatedProperties(schema) => object.is_none_or(|object| {
            object.iter().filter(|(name, _)| !before.names.contains(*name)).all(|(name, inner)| {
                seen.names.insert(name.clone());
                holds(*schema, inner)
            })
        }),
        What::UnevaluatedItems(schema) => array.is_none_or(|items| {
            items.iter().enumerate().filter(|(index, _)| !before.items.contains(index)).all(|(index, item)| {
                seen.items.insert(index);
                holds(*schema, item)
            })
        }),
    };
    ok.then_some(seen)
}
