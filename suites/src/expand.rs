//! Templates: one written scenario or step for several values.
//!
//! `each: [{slug: a, type: A}, …]` on a scenario or step makes one copy an entry; `{slug}` in any string is
//! replaced, and a string that is nothing but `{name}` becomes the entry's value, whatever its type.

use serde_json::{Map, Value};

/// The scenarios that a written one stands for.
pub fn scenarios(raw: &Value) -> Result<Vec<Value>, String> {
    expand(raw)?
        .into_iter()
        .map(|mut scenario| {
            let steps = scenario.get("steps").and_then(Value::as_array).cloned().unwrap_or_default();
            let mut expanded = Vec::new();
            for step in &steps {
                expanded.extend(expand_step(step)?);
            }
            if let (Some(object), false) = (scenario.as_object_mut(), steps.is_empty()) {
                object.insert("steps".to_owned(), Value::Array(expanded));
            }
            Ok(scenario)
        })
        .collect()
}

fn expand_step(step: &Value) -> Result<Vec<Value>, String> {
    if let Some(Value::Array(calls)) = step.get("concurrent") {
        let mut expanded = Vec::new();
        for call in calls {
            expanded.extend(expand(call)?);
        }
        // Its other keys stay, so that a wrong one is found out.
        let mut group = step.clone();
        group["concurrent"] = Value::Array(expanded);
        return Ok(vec![group]);
    }
    expand(step)
}

fn expand(raw: &Value) -> Result<Vec<Value>, String> {
    let Some(object) = raw.as_object() else { return Ok(vec![raw.clone()]) };
    let Some(each) = object.get("each") else { return Ok(vec![raw.clone()]) };
    let entries = each.as_array().ok_or("each must be an array of objects")?;
    let body: Map<String, Value> =
        object.iter().filter(|(key, _)| *key != "each").map(|(k, v)| (k.clone(), v.clone())).collect();
    entries
        .iter()
        .map(|entry| {
            let values = entry.as_object().ok_or("each must be an array of objects")?;
            Ok(substitute(&Value::Object(body.clone()), values))
        })
        .collect()
}

fn substitute(value: &Value, values: &Map<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            if let Some(whole) =
                text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).and_then(|name| values.get(name))
            {
                return whole.clone();
            }
            let mut filled = text.clone();
            for (name, replacement) in values {
                if let Some(replacement) = replacement.as_str() {
                    filled = filled.replace(&format!("{{{name}}}"), replacement);
                }
            }
            Value::String(filled)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| substitute(item, values)).collect()),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(key, inner)| (key.clone(), substitute(inner, values))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scenarios_and_steps_are_multiplied() {
        let raw = json!({
            "each": [{"slug": "a", "v": 1}, {"slug": "b", "v": [true]}],
            "id": "x.{slug}",
            "steps": [{"each": [{"f": "p"}, {"f": "q"}], "call": "m", "with": {"file": "{f}", "v": "{v}"}}]
        });
        let all = scenarios(&raw).unwrap();
        assert_eq!(all[1]["id"], "x.b");
        assert_eq!(all[1]["steps"][1], json!({"call": "m", "with": {"file": "q", "v": [true]}}));
        assert!(scenarios(&json!({"each": 3})).is_err());
    }
}
