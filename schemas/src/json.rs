//! Reading a frame: JSON with all that a value alone would forget.
//!
//! A parsed [`Value`] no longer tells that a key stood twice, that the bytes were not UTF-8 or that the
//! nesting had no end. Capture begins at the bytes, so this reader keeps those as [`Lexical`] faults and
//! bounds what it builds.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::bridge::MAX_DEPTH;

/// Something about the text of a frame that its value does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lexical {
    /// A key stands twice in one object; the last one counts, as in JavaScript.
    DuplicateKey {
        /// JSON pointer of the key.
        at: String,
    },
    /// The bytes are not UTF-8; each bad sequence was read as U+FFFD.
    InvalidUtf8 {
        /// How many bytes precede the first bad one.
        offset: usize,
    },
}

/// Why a frame is not readable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The text is not JSON (a literal `NaN` included).
    #[error("not JSON: {message} at line {line}, column {column}")]
    NotJson {
        /// serde_json's words without the position.
        message: String,
        /// 1-based line.
        line: usize,
        /// 1-based column, in bytes.
        column: usize,
    },
    /// Arrays and objects are nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// A frame's value with the faults of its text.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The value.
    pub value: Value,
    /// The faults, in the order of the text.
    pub faults: Vec<Lexical>,
}

/// Reads one frame.
pub fn parse(bytes: &[u8]) -> Result<Parsed, Unreadable> {
    let mut faults = Vec::new();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => std::borrow::Cow::Borrowed(text),
        Err(error) => {
            faults.push(Lexical::InvalidUtf8 { offset: error.valid_up_to() });
            String::from_utf8_lossy(bytes)
        }
    };
    if depth_exceeds(&text, MAX_DEPTH) {
        return Err(Unreadable::TooDeep);
    }
    let mut reader = serde_json::Deserializer::from_str(&text);
    let seed = Node { at: String::new(), faults: &mut faults };
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let full = error.to_string();
        let message = full.split(" at line ").next().unwrap_or(&full).to_owned();
        Unreadable::NotJson { message, line: error.line(), column: error.column() }
    })?;
    Ok(Parsed { value, faults })
}

/// Counts brackets outside strings; cheaper than building ten thousand levels to find out.
fn depth_exceeds(text: &str, limit: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// Appends one step to a JSON pointer (RFC 6901 escaping).
pub fn push_pointer(pointer: &str, step: &str) -> String {
    let mut longer = String::with_capacity(pointer.len() + 1 + step.len());
    longer.push_str(pointer);
    longer.push('/');
    for c in step.chars() {
        match c {
            '~' => longer.push_str("~0"),
            '/' => longer.push_str("~1"),
            other => longer.push(other),
        }
    }
    longer
}

struct Node<'a> {
    at: String,
    faults: &'a mut Vec<Lexical>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        serde_json::Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) =
            seq.next_element_seed(Node { at: format!("{}/{}", self.at, items.len()), faults: self.faults })?
        {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let at = push_pointer(&self.at, &key);
            if object.contains_key(&key) {
                self.faults.push(Lexical::DuplicateKey { at: at.clone() });
            }
            let value = map.next_value_seed(Node { at, faults: self.faults })?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_what_a_value_forgets() {
        let parsed = parse(br#"{"a":1,"b":{"x":[{"c":1,"c":2}]},"a":0.0}"#).unwrap();
        assert_eq!(
            parsed.faults,
            [Lexical::DuplicateKey { at: "/b/x/0/c".into() }, Lexical::DuplicateKey { at: "/a".into() }]
        );
        assert!(parsed.value["a"].is_f64());
        assert_eq!(parse(b"[\"\xff\"]").unwrap().faults, [Lexical::InvalidUtf8 { offset: 2 }]);
    }

    #[test]
    fn refuses_what_is_not_json() {
        assert!(matches!(parse(b"{\"score\":NaN}"), Err(Unreadable::NotJson { line: 1, .. })));
        assert!(matches!(parse(b"1e400"), Err(Unreadable::NotJson { .. })));
        assert!(matches!(parse(b"{} {}"), Err(Unreadable::NotJson { .. })));
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert_eq!(parse(deep.as_bytes()), Err(Unreadable::TooDeep));
        assert!(parse(format!("\"{}\"", "[".repeat(10_000)).as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn agrees_with_serde_json(text in "[\\[\\]{}:,\"a0-9.e ]{0,40}") {
            let ours = parse(text.as_bytes()).map(|p| p.value).ok();
            prop_assert_eq!(ours, serde_json::from_str::<Value>(&text).ok());
        }
    }
}
