//! Rules that redact: what of a result is of no interest to a reviewer, by place or by look.

use std::path::Path;

use fincert_schemas::data::{self, DataError};
use globset::{Glob, GlobMatcher};
use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::input::read_text;

static BUILT_IN: &str = include_str!("rules.yaml");

/// The side of a call that a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// What was asked.
    Request,
    /// What came of it.
    Result,
}

/// A rule as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// A JSON pointer; a step `*` stands for any one step, `**` for any number of them.
    at: Option<String>,
    /// A regular expression that a string, or a line of it, matches.
    matches: Option<String>,
    /// The methods it is for, such as `ft.finCardOcr` or `ft.*`; absent: every method.
    calls: Option<String>,
    /// Only this side; absent: both.
    #[serde(rename = "in")]
    side: Option<Side>,
    /// What stands in its place.
    #[serde(rename = "as")]
    replacement: Option<String>,
    /// Leave the place out altogether.
    #[serde(default)]
    drop: bool,
}

#[derive(Debug)]
enum Where {
    At(Vec<String>),
    Matches(Regex),
}

#[derive(Debug)]
struct Rule {
    place: Where,
    calls: Option<GlobMatcher>,
    side: Option<Side>,
    /// Absent: it is left out.
    replacement: Option<String>,
}

/// Rules, the operator's own first.
#[derive(Debug)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// The built-in rules, after those of a file.
    pub fn read(own: Option<&Path>) -> Result<Self, DataError> {
        let mut rules = match own {
            None => Vec::new(),
            Some(path) => {
                let name = path.display().to_string();
                let wrong = |message: String| DataError::new(&name, "", message);
                parse(&name, &read_text(path).map_err(|error| wrong(error.to_string()))?)?
            }
        };
        rules.extend(parse("the built-in rules", BUILT_IN)?);
        Ok(Self(rules))
    }

    /// The value with everything redacted that the rules name.
    pub fn redact(&self, call: &str, side: Side, value: &Value) -> Value {
        let rules: Vec<&Rule> = self
            .0
            .iter()
            .filter(|rule| rule.side.is_none_or(|one| one == side))
            .filter(|rule| rule.calls.as_ref().is_none_or(|glob| glob.is_match(call)))
            .collect();
        walk(&rules, value, &mut Vec::new()).unwrap_or(Value::Null)
    }
}

fn parse(file: &str, text: &str) -> Result<Vec<Rule>, DataError> {
    let written: Vec<Written> = data::read(file, text)?;
    written.into_iter().enumerate().map(|(index, rule)| compile(file, index, rule)).collect()
}

fn compile(file: &str, index: usize, rule: Written) -> Result<Rule, DataError> {
    let wrong = |key: &str, message: String| DataError::new(file, format!("/{index}{key}"), message);
    let place = match (rule.at, rule.matches) {
        (Some(at), None) if at.starts_with('/') || at.starts_with("**/") => {
            let steps = at.trim_start_matches('/').split('/');
            Where::At(steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
        }
        (Some(at), None) => {
            return Err(wrong("/at", format!("want a JSON pointer such as /value/score or **/id, got {at:?}")));
        }
        (None, Some(regex)) => {
            Where::Matches(Regex::new(&regex).map_err(|error| wrong("/matches", error.to_string()))?)
        }
        _ => return Err(wrong("", "want one of `at` and `matches`".to_owned())),
    };
    let calls = match rule.calls {
        None => None,
        Some(glob) => Some(Glob::new(&glob).map_err(|error| wrong("/calls", error.to_string()))?.compile_matcher()),
    };
    if rule.drop == rule.replacement.is_some() {
        return Err(wrong("", "want one of `as: TEXT` and `drop: true`".to_owned()));
    }
    Ok(Rule { place, calls, side: rule.side, replacement: rule.replacement })
}

/// The redacted value; absent: it is left out.
fn walk(rules: &[&Rule], value: &Value, at: &mut Vec<String>) -> Option<Value> {
    let by_place = rules.iter().find(|rule| matches!(&rule.place, Where::At(pattern) if fits(pattern, at)));
    // What is absent or null is no volatile value, but something to look at.
    if let Some(rule) = by_place.filter(|_| !value.is_null()) {
        return rule.replacement.clone().map(Value::from);
    }
    match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (key, inner) in members {
                at.push(key.clone());
                if let Some(inner) = walk(rules, inner, at) {
                    kept.insert(key.clone(), inner);
                }
                at.pop();
            }
            Some(Value::Object(kept))
        }
        Value::Array(items) => {
            let mut kept = Vec::new();
            for (index, inner) in items.iter().enumerate() {
                at.push(index.to_string());
                kept.extend(walk(rules, inner, at));
                at.pop();
            }
            Some(Value::Array(kept))
        }
        // A text of many lines reads better as lines, and its rules speak of lines.
        Value::String(text) if text.contains('\n') => {
            Some(Value::Array(text.lines().filter_map(|line| by_look(rules, line)).map(Value::from).collect()))
        }
        Value::String(text) => by_look(rules, text).map(Value::from),
        other => Some(other.clone()),
    }
}

fn by_look(rules: &[&Rule], text: &str) -> Option<String> {
    for rule in rules {
        if let Where::Matches(regex) = &rule.place
            && regex.is_match(text)
        {
            let replacement = rule.replacement.as_deref()?;
            return Some(regex.replace_all(text, replacement).into_owned());
        }
    }
    Some(text.to_owned())
}

fn fits(pattern: &[String], at: &[String]) -> bool {
    match pattern.split_first() {
        None => at.is_empty(),
        Some((step, rest)) if step == "**" => (0..=at.len()).any(|skipped| fits(rest, &at[skipped..])),
        Some((step, rest)) => {
            at.split_first().is_some_and(|(first, others)| (step == "*" || step == first) && fits(rest, others))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(own: &str) -> Rules {
        let mut rules = parse("own.yaml", own).unwrap();
        rules.extend(parse("the built-in rules", BUILT_IN).unwrap());
        Rules(rules)
    }

    #[test]
    fn places_and_looks() {
        let rules = rules(
            "[{at: /recogResult/*/score, as: '[score]'}, {at: /secret, calls: ft.finF*, drop: true}, {matches: '^(\\d+)%$', as: 'some %'}]",
        );
        let value = json!({
            "recogResult": {"a": {"score": 0.7}, "score": 1}, "deep": [{"requestId": "r-1"}, {"requestId": null}],
            "secret": "s", "share": "12%", "face": "[jpeg, 5321 bytes, bare]",
        });
        assert_eq!(
            rules.redact("ft.finFaceAuth", Side::Result, &value),
            json!({
                "recogResult": {"a": {"score": "[score]"}, "score": 1}, "deep": [{"requestId": "[id]"}, {"requestId": null}],
                "share": "some %", "face": "[jpeg, … bytes, bare]",
            })
        );
        assert_eq!(rules.redact("ft.finCardOcr", Side::Result, &value)["secret"], "s");
        let path = json!({"imagePath": "finfile://tmp/1"});
        assert_eq!(rules.redact("ft.x", Side::Request, &path), json!({"imagePath": "[path]"}));
        assert_eq!(rules.redact("ft.x", Side::Result, &path), path);
    }

    #[test]
    fn sdp_is_lines_without_what_is_random() {
        let sdp = "v=0\r\no=- 37119047 2 IN IP4 127.0.0.1\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-pwd:secret\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=sendrecv\r\n";
        let redacted = rules("[]").redact("RTCPeerConnection.createOffer", Side::Result, &json!({"sdp": sdp}));
        assert_eq!(
            redacted["sdp"],
            json!([
                "v=0",
                "o=[session] IN IP4 127.0.0.1",
                "m=audio [port] UDP/TLS/RTP/SAVPF 111",
                "a=ice-pwd:[random]",
                "a=sendrecv"
            ])
        );
    }

    #[test]
    fn rules_that_cannot_be_meant() {
        for (text, says) in [
            ("[{at: score, as: x}]", "own.yaml: at /0/at: want a JSON pointer"),
            ("[{matches: '(', as: x}]", "own.yaml: at /0/matches: "),
            ("[{at: /a, matches: b, as: x}]", "want one of `at` and `matches`"),
            ("[{at: /a}]", "want one of `as: TEXT` and `drop: true`"),
            ("[{at: /a, as: x, drop: true}]", "want one of `as: TEXT` and `drop: true`"),
            ("[{at: /a, as: x, calls: '['}]", "own.yaml: at /0/calls: "),
            ("[{at: /a, as: x, on: result}]", "own.yaml: at /0: "),
            ("at: /a", "own.yaml: "),
        ] {
            let error = parse("own.yaml", text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
