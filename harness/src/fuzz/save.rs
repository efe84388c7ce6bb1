//! The smallest form of a failing case as a scenario file, which `fincert certify --scenarios` drives again.

use std::fmt::Write as _;

use fincert_schemas::run::fuzz::Shrunk;
use fincert_suites::Scenario;
use fincert_suites::scenario::Step;
use serde_json::{Value, json};

/// The file's name and its content.
pub fn scenario_file(scenario: &Scenario, said: &Shrunk, steps: &[Step], seed: u64) -> (String, String) {
    let id = format!("{}.saved-{seed}-{}", scenario.id, said.case);
    let mut own = json!({
        "id": id,
        "title": {
            "zh": format!("由模糊测试得到（种子 {seed}，用例 {}）：{}", said.case, said.cause),
            "en": format!("Found by fuzzing (seed {seed}, case {}): {}", said.case, said.cause),
        },
        "pace": scenario.pace,
        "steps": steps,
    });
    if let (Some(prompt), Some(rows)) = (&scenario.prompt, own.as_object_mut()) {
        rows.insert("prompt".to_owned(), json!(prompt));
    }
    let mut text = format!(
        "# {}, {}.\n# The smallest request that still fails: {}.\n# Drive it again: fincert certify --scenarios FILE --target …\n",
        said.requirement, said.cause, said.class
    );
    let _ = writeln!(text, "clause: {}", quoted(&scenario.clause));
    let _ = writeln!(text, "profile: {}", quoted(&scenario.profile));
    text.push_str("scenarios:\n");
    let mut body = String::new();
    write(&mut body, &own, 2);
    // The first row of the list's only item stands behind its dash.
    let _ = write!(text, "  - {}", body.trim_start());
    (format!("{id}.yaml"), text)
}

/// YAML in block style. Texts are always quoted, with every character escaped that a reader or a terminal could trip over.
fn write(out: &mut String, value: &Value, indent: usize) {
    let pad = " ".repeat(indent + 2);
    match value {
        Value::Object(rows) if !rows.is_empty() => {
            for (key, inner) in rows {
                let _ = write!(out, "{pad}{}:", key_of(key));
                nested(out, inner, indent);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(out, "{pad}-");
                nested(out, item, indent);
            }
        }
        other => {
            let _ = writeln!(out, "{pad}{}", scalar(other));
        }
    }
}

fn nested(out: &mut String, value: &Value, indent: usize) {
    let block = match value {
        Value::Object(rows) => !rows.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if block {
        out.push('\n');
        write(out, value, indent + 2);
    } else {
        let _ = writeln!(out, " {}", scalar(value));
    }
}

fn key_of(key: &str) -> String {
    let plain = !key.is_empty()
        && key.chars().all(|c| c.is_ascii_alphabetic())
        && !["null", "true", "false", "y", "n", "yes", "no", "on", "off"].contains(&key.to_ascii_lowercase().as_str());
    if plain { key.to_owned() } else { quoted(key) }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(letter),
            // Common Chinese can be read; whatever else may be unprintable, or look like something that it is not.
            '\u{4e00}'..='\u{9fa5}' => out.push(letter),
            _ => {
                let code = u32::from(letter);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use fincert_schemas::run::Pace;
    use fincert_suites::Suite;
    use fincert_suites::scenario::CallStep;
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            prop_oneof![Just("null"), Just("~"), Just("1e3"), Just("- a"), Just("# b"), Just("")].prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-z $\\p{Han}😀]{1,4}", inner), 0..4)
                    .prop_map(|rows| Value::Object(rows.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_saved_scenario_reads_back_as_it_was(more in value(), text in any::<String>()) {
            let scenario = Suite::embedded().unwrap().get("ocr.type.unknown").unwrap();
            let said = Shrunk {
                case: 7,
                requirement: "ocr.request.type".to_owned(),
                cause: "finCardOcr:accepts/type:enum".to_owned(),
                class: "1 call".to_owned(),
                calls: 12,
                again: true,
                alone: true,
                after: None,
            };
            // A row's name of ours would be taken for a placeholder.
            let with = json!({"type": text, "imagePath": {"$file": "bank-card-debit"}, "more": {"a": more, "b": 0}});
            let call = CallStep {
                call: "ft.finCardOcr".to_owned(), with: Some(with), example: None, times: 3, random: false, control: true,
            };
            let steps = vec![Step::Call(call)];
            let (name, text) = scenario_file(scenario, &said, &steps, 1);
            let suite = Suite::read([(name, text.as_str())]).unwrap();
            prop_assert_eq!(&suite.scenarios[0].steps, &steps);
            prop_assert_eq!(suite.scenarios[0].pace, Pace::Machine);
            prop_assert_eq!(&suite.scenarios[0].profile, &scenario.profile);
        }
    }
}
