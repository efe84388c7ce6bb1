//! What a caller wishes for: the header `Prefer` (RFC 7240), or `params.prefer` over the bridge.

use fincert_schemas::bridge::Prefer;
use hyper::header::HeaderMap;
use serde_json::Value;

/// The wishes that are known, in the order in which they are said to have been granted.
const KNOWN: [&str; 5] = ["example", "dynamic", "invalid", "seed", "index"];

/// The longest text of a wish that is read, in bytes.
const LONGEST: usize = 1024;

/// Reads the headers. A wish that is not known is ignored, as RFC 7240 section 2 wants; a known one that cannot be
/// understood is an error.
pub(crate) fn from_headers(headers: &HeaderMap) -> Result<Prefer, String> {
    let lines: Vec<_> = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut wishes: Vec<(String, String)> = Vec::new();
    for line in lines {
        for (name, value) in preferences(line) {
            let name = name.to_ascii_lowercase();
            // Of a preference that stands twice the first one counts.
            if KNOWN.contains(&name.as_str()) && !wishes.iter().any(|(known, _)| *known == name) {
                wishes.push((name, value));
            }
        }
    }
    let mut prefer = Prefer::default();
    for (name, value) in wishes {
        if value.len() > LONGEST {
            return Err(format!("Prefer: {name}: at most {LONGEST} bytes"));
        }
        match name.as_str() {
            "example" => prefer.example = Some(value),
            "invalid" => prefer.invalid = Some(value),
            "dynamic" => prefer.dynamic = Some(truth(&value).ok_or("Prefer: dynamic: true or false")?),
            "seed" => prefer.seed = Some(number("seed", &value)?),
            _ => prefer.index = Some(number("index", &value)?),
        }
    }
    agreeing(prefer).map_err(|fault| format!("Prefer: {fault}"))
}

/// Only what is generated breaks a rule.
fn agreeing(prefer: Prefer) -> Result<Prefer, &'static str> {
    match prefer {
        Prefer { dynamic: Some(false), invalid: Some(_), .. } => {
            Err("dynamic=false and invalid exclude each other: what breaks a rule is generated")
        }
        prefer => Ok(prefer),
    }
}

/// Reads `params.prefer`; nothing there is no wish.
pub(crate) fn from_params(params: &Value) -> Result<Prefer, String> {
    match params.get("prefer") {
        None | Some(Value::Null) => Ok(Prefer::default()),
        Some(prefer) => {
            let prefer = serde_json::from_value(prefer.clone()).map_err(|_| {
                "params.prefer: an object with example and invalid (texts), dynamic (true or false), \
                 seed and index (whole numbers from 0 to 2^64 - 1)"
            })?;
            Ok(agreeing(prefer).map_err(|fault| format!("params.prefer: {fault}"))?)
        }
    }
}

/// What is said of the wishes that were granted, as `Preference-Applied` (RFC 7240 section 3); `None` if none was.
pub(crate) fn applied(prefer: &Prefer) -> Option<String> {
    let quoted = |text: &String| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let wishes = [
        prefer.example.as_ref().map(quoted),
        prefer.dynamic.map(|wish| wish.to_string()),
        prefer.invalid.as_ref().map(quoted),
        prefer.seed.map(|wish| wish.to_string()),
        prefer.index.map(|wish| wish.to_string()),
    ];
    let granted: Vec<_> =
        KNOWN.iter().zip(wishes).filter_map(|(name, wish)| Some(format!("{name}={}", wish?))).collect();
    (!granted.is_empty()).then(|| granted.join(", "))
}

/// A preference without a value is one with an empty value, and that is a yes.
fn truth(value: &str) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "" | "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("Prefer: {name}: a whole number from 0 to 2^64 - 1"))
}

/// The preferences of one header line: names with values. What stands behind a semicolon is a parameter by RFC 7240;
/// other mock servers take `example=a; dynamic=true` for two wishes, and so does this one.
fn preferences(line: &str) -> Vec<(&str, String)> {
    parts(line)
        .into_iter()
        .filter_map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((name.trim(), unquoted(value.trim()))).filter(|(name, _)| !name.is_empty())
        })
        .collect()
}

/// The line at its commas and semicolons, those within quotes aside.
fn parts(line: &str) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut within, mut escaped) = (false, false);
    for (at, letter) in line.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if within => escaped = true,
            '"' => within = !within,
            ',' | ';' if !within => {
                parts.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&line[start..]);
    parts
}

/// A quoted string (RFC 9110 section 5.6.4) as the text that it stands for; any other as it is.
fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').map(|rest| rest.strip_suffix('"').unwrap_or(rest)) else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut escaped = false;
    for letter in inner.chars() {
        if letter == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(letter);
            escaped = false;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(lines: &[&str]) -> Result<Prefer, String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("prefer", HeaderValue::from_str(line).unwrap());
        }
        from_headers(&headers)
    }

    #[test]
    fn wishes_that_exclude_each_other_are_refused() {
        assert!(read(&["dynamic=false, invalid=any"]).unwrap_err().contains("exclude each other"));
        let params = |prefer: Value| from_params(&json!({"prefer": prefer}));
        assert!(params(json!({"dynamic": false, "invalid": "any"})).unwrap_err().starts_with("params.prefer: "));
        assert!(read(&["dynamic=true, invalid=any"]).is_ok() && params(json!({"invalid": "any"})).is_ok());
    }

    #[test]
    fn several_wishes_in_one_header_or_in_many() {
        let whole = Prefer {
            example: Some("a, \"b\"".to_owned()),
            dynamic: Some(true),
            invalid: Some("/properties/errorCode/type".to_owned()),
            seed: Some(7),
            index: Some(3),
        };
        let one =
            r#"respond-async, Example="a, \"b\"", dynamic , invalid=/properties/errorCode/type, seed = 7; index=3"#;
        assert_eq!(read(&[one]), Ok(whole.clone()));
        let many = [
            r#"example="a, \"b\"""#,
            "DYNAMIC=TRUE",
            "invalid=\"/properties/errorCode/type\"",
            "seed=7",
            "index=3, wait=1",
        ];
        assert_eq!(read(&many), Ok(whole.clone()));
        let said = applied(&whole).unwrap();
        assert_eq!(read(&[&said]), Ok(whole));
        assert_eq!(applied(&Prefer::default()), None);
    }

    #[test]
    fn the_first_of_two_counts_and_what_is_not_understood_is_said() {
        assert_eq!(read(&["seed=1, seed=2", "seed=3"]).unwrap().seed, Some(1));
        assert_eq!(read(&["dynamic=false"]).unwrap().dynamic, Some(false));
        assert_eq!(read(&["wait=100; foo=bar", "", ",,;="]), Ok(Prefer::default()));
        for wrong in ["seed=-1", "seed=", "seed=1e3", "dynamic=maybe", "index=18446744073709551616"] {
            assert!(read(&[wrong]).unwrap_err().starts_with("Prefer: "), "{wrong}");
        }
        assert!(read(&[&format!("example={}", "a".repeat(2000))]).is_err());
    }

    #[test]
    fn the_bridge_says_the_same() {
        let params = json!({"args": [], "prefer": {"dynamic": true, "invalid": "any", "seed": 7}});
        let prefer = from_params(&params).unwrap();
        assert_eq!((prefer.dynamic, prefer.invalid.as_deref(), prefer.seed), (Some(true), Some("any"), Some(7)));
        assert_eq!(from_params(&json!({"args": []})), Ok(Prefer::default()));
        for wrong in [json!(1), json!({"seed": -1}), json!({"seed": "7"}), json!({"dynamic": 1}), json!({"invalid": 1})]
        {
            assert!(from_params(&json!({"prefer": wrong})).unwrap_err().starts_with("params.prefer: "));
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(line in "[ -~]{0,60}") {
            let _ = read(&[&line]);
        }
    }
}
