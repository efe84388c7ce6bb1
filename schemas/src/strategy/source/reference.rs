//! References: `$ref` and `$dynamicRef`, by pointer and by anchor (2020-12 core, section 8.2).

use std::collections::BTreeMap;

use serde_json::Value;

use super::At;
use crate::json::push_pointer;
use crate::strategy::error::{Problem, Unsupported};

/// Where a reference leads: a document and a pointer into it.
pub(super) fn resolve(
    all: &BTreeMap<&str, &Value>,
    at: At<'_>,
    keyword: &str,
    target: &str,
) -> Result<(String, String), Unsupported> {
    let nowhere = || at.wrong(keyword, Problem::Reference(target.to_owned()));
    let (base, fragment) = target.split_once('#').unwrap_or((target, ""));
    let document = match base {
        "" => at.document.to_owned(),
        base if base.contains("://") => base.to_owned(),
        base => match at.document.rfind('/') {
            Some(end) => format!("{}/{base}", &at.document[..end]),
            None => base.to_owned(),
        },
    };
    let whole = all.get(document.as_str()).ok_or_else(nowhere)?;
    if fragment.is_empty() || fragment.starts_with('/') {
        let pointer = percent_decoded(fragment).ok_or_else(nowhere)?;
        return if whole.pointer(&pointer).is_some() { Ok((document, pointer)) } else { Err(nowhere()) };
    }
    if keyword == "$dynamicRef" {
        // Where one document alone has the anchor, it is the same for every path that leads here.
        let holders = all.values().filter(|document| !anchors(document, fragment, true).is_empty()).count();
        if holders > 1 {
            let wanted = "a reference whose $dynamicAnchor stands in one document alone";
            return Err(at.wrong(keyword, Problem::Malformed { keyword: keyword.to_owned(), wanted }));
        }
    }
    match &anchors(whole, fragment, false)[..] {
        [pointer] => Ok((document, pointer.clone())),
        _ => Err(nowhere()),
    }
}

/// The places of the anchors of that name.
fn anchors(document: &Value, name: &str, dynamic_only: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), document)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(object) => {
                let is = |keyword: &str| object.get(keyword).and_then(Value::as_str) == Some(name);
                if is("$dynamicAnchor") || !dynamic_only && is("$anchor") {
                    found.push(pointer.clone());
                }
                let inner =
                    object.iter().filter(|(key, _)| !matches!(key.as_str(), "examples" | "const" | "enum" | "default"));
                open.extend(inner.map(|(key, value)| (push_pointer(&pointer, key), value)));
            }
            Value::Array(items) => {
                open.extend(items.iter().enumerate().map(|(index, value)| (format!("{pointer}/{index}"), value)));
            }
            _ => {}
        }
    }
    found
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
