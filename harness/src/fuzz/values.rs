//! Generated values of one request table.

use std::sync::Arc;

use fincert_schemas::strategy::{Choices, Generator, Rule};
use serde_json::{Map, Value};

/// The strategies of one API's request.
#[derive(Debug)]
pub(super) struct Values {
    generator: Arc<Generator>,
    /// The rules that a request can break and still be an object: what is no object cannot carry callbacks, so that a
    /// target has no way to answer.
    rules: Vec<Rule>,
}

/// A request that breaks one rule.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) value: Value,
    pub(super) rule: String,
    pub(super) at: String,
}

impl Values {
    pub(super) fn of(api: &str) -> Result<Self, String> {
        let generator = Generator::embedded(&format!("api/{api}.request.json")).map_err(|error| error.to_string())?;
        let rules = generator.rules().iter().filter(|rule| !rule.at.is_empty()).cloned().collect();
        Ok(Self { generator, rules })
    }

    /// A valid request, its own `$` doubled.
    pub(super) fn valid(&self, seed: u64) -> Map<String, Value> {
        match escaped(self.generator.valid(&mut Choices::from_seed(seed))) {
            Value::Object(rows) => rows,
            _ => Map::new(),
        }
    }

    /// A request that breaks the rule with this number, counted round; nothing where there is no rule.
    pub(super) fn invalid(&self, number: usize, seed: u64) -> Option<Broken> {
        let rule = self.rules.get(number % self.rules.len().max(1))?;
        let invalid = self.generator.invalid(rule, &mut Choices::from_seed(seed))?;
        let value = escaped(invalid.value);
        value.is_object().then_some(Broken { value, rule: invalid.rule, at: invalid.at })
    }
}

/// On the bridge a key that begins with `$` is doubled, so that it is not taken for a marker.
fn escaped(value: Value) -> Value {
    match value {
        Value::Object(rows) => {
            let double = |key: String| if key.starts_with('$') { format!("${key}") } else { key };
            Value::Object(rows.into_iter().map(|(key, inner)| (double(key), escaped(inner))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(escaped).collect()),
        other => other,
    }
}
