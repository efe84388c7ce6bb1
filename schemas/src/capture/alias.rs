//! Aliases: spellings that real integrations use. They are rewritten to the canonical form, so that the rest
//! of the table is checked as if the canonical form had been there, and the rewriting is a fact.

use std::borrow::Cow;

use serde_json::Value;

use crate::catalog::Breach;
use crate::run::Fact;

/// How many rewritings one value may take; the specification's tables have two places with aliases each.
const ROUNDS: usize = 8;

/// The value in canonical form, with what is still broken in it.
pub(super) fn canonical<'v>(
    value: &'v Value,
    facts: &mut Vec<Fact>,
    check: impl Fn(&Value) -> Vec<Breach>,
) -> (Cow<'v, Value>, Vec<Breach>) {
    let mut normal = Cow::Borrowed(value);
    let mut breaches = check(&normal);
    for _ in 0..ROUNDS {
        let Some((next, fact)) = breaches.iter().find_map(|breach| rewrite(&normal, breach)) else { break };
        normal = Cow::Owned(next);
        facts.push(fact);
        breaches = check(&normal);
    }
    (normal, breaches)
}

fn rewrite(value: &Value, breach: &Breach) -> Option<(Value, Fact)> {
    let requirement = breach.requirement.clone()?;
    let mut next = value.clone();
    let (at, alias) = match (&breach.alias_name, next.pointer(&breach.at)) {
        (Some(name), None) => (rename(&mut next, &breach.at, name)?, "name".to_owned()),
        (_, Some(Value::Null)) if breach.aliases.iter().any(|alias| alias == "null") => {
            remove(&mut next, &breach.at)?;
            (breach.at.clone(), "null".to_owned())
        }
        (_, Some(_)) => {
            let (alias, canonical) = breach.aliases.iter().find_map(|alias| {
                let canonical = canonical_value(alias, value.pointer(&breach.at)?)?;
                Some((alias.clone(), canonical))
            })?;
            *next.pointer_mut(&breach.at)? = canonical;
            (breach.at.clone(), alias)
        }
        _ => return None,
    };
    Some((next, Fact::Alias { requirement, at, alias }))
}

fn remove(value: &mut Value, at: &str) -> Option<Value> {
    let (parent, name) = at.rsplit_once('/')?;
    value.pointer_mut(parent)?.as_object_mut()?.shift_remove(name)
}

fn rename(value: &mut Value, at: &str, alias: &str) -> Option<String> {
    let (parent, name) = at.rsplit_once('/')?;
    let object = value.pointer_mut(parent)?.as_object_mut()?;
    let content = object.remove(alias)?;
    object.insert(name.to_owned(), content);
    Some(format!("{parent}/{alias}"))
}

fn canonical_value(alias: &str, value: &Value) -> Option<Value> {
    match alias {
        "numeric-string" => {
            value.as_str().filter(|t| t.len() <= 3).and_then(|t| t.parse::<i64>().ok()).map(Value::from)
        }
        "number" => value.as_f64().filter(|n| n.fract() == 0.0).map(|n| Value::from(format!("{n:.0}"))),
        "data-url" => {
            let text = value.as_str()?;
            let (head, body) = text.split_once(',')?;
            let head = head.to_ascii_lowercase();
            (head.starts_with("data:") && head.ends_with(";base64")).then(|| Value::from(body))
        }
        "line-breaks" => {
            let text = value.as_str()?;
            let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
            (joined.len() != text.len()).then(|| Value::from(joined))
        }
        _ => None,
    }
}
