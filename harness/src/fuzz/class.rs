//! What the smallest form of a failing case is like, in a few words: failures are told apart by it.

use fincert_suites::scenario::{CallStep, Step};
use serde_json::Value;

use super::smaller::{differing, nearest};

/// What the smallest form of a failing case is like.
#[derive(Debug)]
pub struct Class;

impl Class {
    /// How many calls it takes, and in which rows the last one differs from a plain request, and how.
    pub fn of(steps: &[Step], plain: &[&Value]) -> String {
        let calls: Vec<&CallStep> = steps
            .iter()
            .flat_map(|step| match step {
                Step::Call(call) => std::slice::from_ref(call),
                Step::Concurrent(group) => &group.concurrent,
                _ => &[],
            })
            .collect();
        let overlap = if steps.iter().any(|step| matches!(step, Step::Concurrent(_))) { ", overlapping" } else { "" };
        let reset = if steps.iter().any(|step| matches!(step, Step::Reset(_))) { ", a reset between" } else { "" };
        let count: u64 = calls.iter().map(|call| u64::from(call.times)).sum();
        let mut class = format!("{count} call{}{overlap}{reset}", if count == 1 { "" } else { "s" });
        let Some(with) = calls.last().and_then(|call| call.with.as_ref()) else { return class };
        let Some(plain) = nearest(with, plain) else { return class };
        for row in differing(with, plain) {
            let value = with.get(row);
            class.push_str(&format!("; /{row}: {}", value.map_or_else(|| "left out".to_owned(), described)));
        }
        class
    }
}

/// The kind of a value, and of a text what is unusual in it. It holds nothing of the text but single characters.
fn described(value: &Value) -> String {
    if let Some(unreadable) = value.get("$unreadable") {
        return match unreadable.pointer("/path/path").and_then(Value::as_str) {
            Some(path) => format!("no file, {}", text(path)),
            None => {
                format!("no file, {}", unreadable.as_object().and_then(|o| o.keys().next()).map_or("", String::as_str))
            }
        };
    }
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(written) => text(written),
    }
}

/// At which lengths a text counts as long.
const LONG: usize = 100;

fn text(written: &str) -> String {
    let count = written.chars().count();
    if count == 0 {
        return "an empty text".to_owned();
    }
    let mut unusual: Vec<char> = written.chars().filter(|c| !c.is_ascii_alphanumeric()).collect();
    unusual.sort_unstable();
    unusual.dedup();
    let named: Vec<String> = unusual.iter().take(4).map(|c| format!("U+{:04X}", u32::from(*c))).collect();
    let length = if count >= LONG { format!("a text of {count} characters") } else { "a text".to_owned() };
    if named.is_empty() { length } else { format!("{length} with {}", named.join(" ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(with: Value) -> Step {
        let with = Some(with);
        let call = "ft.finCardOcr".to_owned();
        Step::Call(CallStep { call, with, example: None, times: 1, random: false, control: false })
    }

    #[test]
    fn classes_tell_inputs_apart() {
        let plain = json!({"type": "BankCard", "imagePath": {"$file": "bank-card-debit"}});
        let class = |with: Value| Class::of(&[call(with)], &[&plain]);
        assert_eq!(class(plain.clone()), "1 call");
        assert_eq!(
            class(json!({"type": "BankCard", "imagePath": {"$unreadable": {"path": {"kind": "x", "path": "%n"}}}})),
            "1 call; /imagePath: no file, a text with U+0025"
        );
        assert_eq!(
            class(json!({"type": "", "imagePath": {"$file": "bank-card-debit"}})),
            "1 call; /type: an empty text"
        );
        assert_eq!(class(json!({"type": "BankCard"})), "1 call; /imagePath: left out");
    }
}
