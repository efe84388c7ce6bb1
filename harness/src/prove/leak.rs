//! Whether a captured transcript still holds what masking should have hidden.
//!
//! This looks with plain string search for the values that stood under a sensitive name in the raw transcript, and asks
//! nothing of the code that masks.

use std::collections::BTreeSet;

use fincert_schemas::run::{Transcript, What};
use serde_json::Value;

/// The names of rows whose values are personal financial data (field facts, privacy).
const NAMES: [&str; 9] =
    ["idNo", "cardNo", "name", "address", "represent", "loginName", "loginPwd", "roomPwd", "faceImgStr"];

/// The sensitive values of a raw transcript that are long enough to be told from other words.
pub(super) fn secrets(raw: &Transcript) -> Vec<String> {
    let mut found = BTreeSet::new();
    // Elsewhere `name` is an error's, and `address` a candidate's.
    let of_finance = |wanted: u64| {
        raw.events.iter().any(|event| {
            matches!(&event.what, What::Call { id, method, .. } if *id == wanted && method.starts_with("ft.fin"))
        })
    };
    for event in &raw.events {
        let value = match &event.what {
            What::Call { request, method, .. } if method.starts_with("ft.fin") => &request.value,
            What::Answer { id, value: Some(captured), .. } | What::Callback { id, value: Some(captured), .. }
                if of_finance(*id) =>
            {
                &captured.value
            }
            _ => continue,
        };
        collect(value, &mut found);
    }
    found.into_iter().collect()
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(rows) => {
            for (name, inner) in rows {
                match inner.as_str() {
                    Some(text) if NAMES.contains(&name.as_str()) && is_distinct(text) => {
                        // Of a picture a piece is enough to know it by.
                        found.insert(text.chars().take(120).collect());
                    }
                    _ => collect(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
        _ => {}
    }
}

fn is_distinct(text: &str) -> bool {
    let chars = text.chars().count();
    if text.is_ascii() { chars >= 6 } else { chars >= 2 }
}

/// The first secret that the captured transcript holds, by its number.
pub(super) fn find(captured: &Transcript, secrets: &[String]) -> Option<usize> {
    if secrets.is_empty() {
        return None;
    }
    let text = serde_json::to_string(captured).unwrap_or_default();
    secrets.iter().position(|secret| text.contains(secret.as_str()))
}
