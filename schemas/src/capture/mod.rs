//! Capture: the pure step from a raw value to facts and a masked value.
//!
//! Judging never sees a raw value. So whatever a check may ask about one (does it break its schema, does the
//! check digit fit, is it the value of the other call, how far is it from what the picture shows) is found
//! out here, before the value is masked, and kept as a [`Fact`]. Capture holds no opinion: whether a broken
//! rule is red or a warning is for the checks. Its state is only what one run has taught it: sensitive values
//! to scrub from free text, and the equality classes of the transcript at hand.

mod alias;
mod mask;
mod raw;
mod relations;
mod replay;
mod rescrub;
mod scrub;
mod truth;
mod webrtc;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use mask::Sensitive;
pub use raw::Raw;
pub use scrub::{Scrubber, escape_controls};

use crate::bridge::Via;
use crate::catalog::{Breach, Catalog, Place, Table, api_of, is_webrtc};
use crate::fixture;
use crate::format::base64_image::{self, Form, PictureFormat};
use crate::run::{Captured, Fact, ImageFacts, Subject};

/// The longest string that a transcript keeps of a value that is not sensitive, in characters.
const KEPT_CHARS: usize = 256;
/// How many members of one array or object a transcript keeps.
const KEPT_MEMBERS: usize = 200;

/// Captures the values of one run.
#[derive(Debug, Clone)]
pub struct Capture<'c> {
    catalog: &'c Catalog,
    scrubber: Scrubber,
    classes: HashMap<[u8; 16], u32>,
    reveal: bool,
    /// Whether nothing is captured, and values stay as they came: see [`Raw`].
    raw: bool,
    /// How much SDP the transcript at hand may still keep, in bytes.
    sdp_left: usize,
}

/// Which part of the specification a value belongs to: the same names mean different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    /// Section 2: `name` is a person's, `address` where one lives.
    Finance,
    /// Section 3: `name` is an error's, `address` a candidate's.
    WebRtc,
}

/// The call that a settlement answers.
#[derive(Debug, Clone, Copy)]
pub struct CallContext<'a> {
    /// The method, `ft.finCardOcr` and the like.
    pub method: &'a str,
    /// The raw first argument; for getConfiguration, the options that the connection was created with.
    pub request: &'a Value,
    /// What its `imagePath` stands for.
    pub subject: Option<&'a Subject>,
}

impl<'c> Capture<'c> {
    /// A capture that knows the specimens' personal data from the start. With `reveal`, nothing is masked.
    pub fn new(catalog: &'c Catalog, reveal: bool) -> Self {
        let mut scrubber = Scrubber::default();
        for specimen in fixture::all().unwrap_or_default() {
            for (field, value) in &specimen.truth {
                if let (Some(kind), Some(text)) = (mask::by_key(field), value.as_str()) {
                    scrubber.learn(kind, text);
                }
            }
            if let Some(person) = &specimen.person {
                scrubber.learn(Sensitive::Name, &person.name);
                scrubber.learn(Sensitive::IdNumber, &person.id_no);
            }
        }
        scrubber.compile();
        Self { catalog, scrubber, classes: HashMap::new(), reveal, raw: false, sdp_left: webrtc::KEPT_SDP_IN_ALL }
    }

    /// A new transcript begins: equality classes are counted anew.
    pub fn begin(&mut self) {
        self.classes.clear();
        self.sdp_left = webrtc::KEPT_SDP_IN_ALL;
    }

    /// A value of the operator's own, which nobody shall read in a record.
    pub fn hide(&mut self, text: &str) {
        self.scrubber.learn(Sensitive::Secret, text);
    }

    /// Captures the argument of a call.
    pub fn request(&mut self, method: &str, raw: &Value) -> Captured {
        if self.raw {
            return raw::whole(raw);
        }
        let value = decode_markers(raw);
        if is_webrtc(method) {
            return self.webrtc_value(self.catalog.tables_of(method).0, &value, Vec::new());
        }
        let mut facts = Vec::new();
        let Some(table) = self.catalog.tables_of(method).0 else { return self.untabled(&value, facts) };
        let breaches = self.catalog.check(table, &value);
        let places = self.catalog.places(table, &value);
        // What the value gives away must be known before anything is said about it.
        let kinds = self.learn(&places, &value, World::Finance);
        self.schema_facts(table, &value, &value, breaches, &places, &mut facts);
        self.finish(&kinds, &value, World::Finance, facts)
    }

    /// Captures what a call settled with.
    pub fn settlement(&mut self, call: CallContext<'_>, via: Via, raw: &Value) -> Captured {
        if self.raw {
            return raw::whole(raw);
        }
        let value = decode_markers(raw);
        let mut facts = Vec::new();
        let table = if via.is_success() { self.catalog.tables_of(call.method).1 } else { None };
        if is_webrtc(call.method) {
            if call.method.ends_with(".getConfiguration") && table.is_some() {
                facts.push(webrtc::configuration(&decode_markers(call.request), &value));
            }
            return self.webrtc_value(table, &value, facts);
        }
        let Some(api) = api_of(call.method) else { return self.untabled(&value, facts) };
        relations::err_msg(api, via, &value, &mut facts);
        let Some(table) = table else { return self.untabled(&value, facts) };
        let (normal, breaches) = alias::canonical(&value, &mut facts, |value| self.catalog.check(table, value));
        let places = self.catalog.places(table, &normal);
        // An alias renames or retypes a place, so that what is masked must be looked for anew.
        let kinds = match &normal {
            Cow::Borrowed(_) => self.learn(&places, &value, World::Finance),
            Cow::Owned(_) => self.learn(&self.catalog.places(table, &value), &value, World::Finance),
        };
        self.schema_facts(table, &value, &normal, breaches, &places, &mut facts);
        if api == "finCardOcr" {
            let asked = call.request.get("type").and_then(Value::as_str).unwrap_or_default();
            relations::ocr(self.catalog, asked, call.subject, &normal, &mut facts);
            truth::compare(asked, call.subject, &normal, &mut facts);
        }
        for at in ["/recogResult", "/score", "/faceImgStr"] {
            if let Some(part) = normal.pointer(at).filter(|part| !is_empty(part)) {
                let class = self.class_of(part);
                facts.push(Fact::Class { at: at.to_owned(), class });
            }
        }
        self.finish(&kinds, &value, World::Finance, facts)
    }

    /// A value that no table speaks of: its sensitive places are known by their names alone.
    fn untabled(&mut self, value: &Value, facts: Vec<Fact>) -> Captured {
        let kinds = self.learn(&[], value, World::Finance);
        self.finish(&kinds, value, World::Finance, facts)
    }

    /// Free text of a target: control characters escaped, sensitive values scrubbed, cut at `chars`.
    pub fn text(&self, text: &str, chars: usize) -> String {
        if self.raw {
            return text.to_owned();
        }
        let cut: String = text.chars().take(chars.saturating_mul(2)).collect();
        let clean = escape_controls(&if self.reveal { cut } else { self.scrubber.scrub(&cut) });
        match clean.char_indices().nth(chars) {
            Some((end, _)) => format!("{}… ({} bytes)", &clean[..end], text.len()),
            None => clean,
        }
    }

    /// Schema facts of `normal`, the canonical form of `value`.
    fn schema_facts(
        &self,
        table: &Table,
        value: &Value,
        normal: &Value,
        breaches: Vec<Breach>,
        places: &[Place<'_>],
        facts: &mut Vec<Fact>,
    ) {
        let mut broken = Vec::new();
        for breach in breaches {
            // A broken place that no requirement speaks of still makes the value an invalid one.
            let requirement = breach.requirement.unwrap_or_default();
            let actual = match normal.pointer(&breach.at) {
                Some(actual) => self.describe(&breach.at, actual),
                None => "absent".to_owned(),
            };
            let fact = Fact::Breaks {
                requirement: requirement.clone(),
                at: breach.at.clone(),
                rule: breach.rule,
                expected: breach.expected,
                actual,
                expected_zh: breach.expected_zh,
            };
            if !facts.contains(&fact) {
                facts.push(fact);
            }
            broken.push((requirement, breach.at));
        }
        for requirement in self.catalog.left_out(table, normal) {
            facts.push(Fact::Holds { requirement: requirement.to_owned(), at: String::new() });
        }
        for place in places {
            if let Some(requirement) = place.schema.get("x-requirement").and_then(Value::as_str) {
                let fact = Fact::Holds { requirement: requirement.to_owned(), at: place.at.clone() };
                let is_broken = broken.iter().any(|(id, at)| id == requirement && *at == place.at);
                if !is_broken && !facts.contains(&fact) {
                    facts.push(fact);
                }
                let integral = place.schema.get("type").and_then(Value::as_str) == Some("integer")
                    && value
                        .pointer(&place.at)
                        .is_some_and(|raw| raw.is_f64() && raw.as_f64().is_some_and(|n| n.fract() == 0.0));
                if integral {
                    facts.push(Fact::Alias {
                        requirement: requirement.to_owned(),
                        at: place.at.clone(),
                        alias: "integral-double".to_owned(),
                    });
                }
            }
            if let Some(seen) = place.schema.get("x-coverage").and_then(|map| map.get(canonical_text(place.value)))
                && let Some(requirement) = seen.as_str()
            {
                let fact = Fact::Seen { requirement: requirement.to_owned(), at: place.at.clone() };
                if !facts.contains(&fact) {
                    facts.push(fact);
                }
            }
        }
    }

    /// Masks the value, and adds what masking would hide.
    fn finish(
        &mut self,
        kinds: &HashMap<String, Sensitive>,
        value: &Value,
        world: World,
        mut facts: Vec<Fact>,
    ) -> Captured {
        let mut masker = mask::Masker {
            kinds,
            scrubber: &self.scrubber,
            world,
            sdp_left: &mut self.sdp_left,
            reveal: self.reveal,
            facts: &mut facts,
            images: Vec::new(),
        };
        let value = masker.mask(value);
        self.clean(&mut facts);
        Captured { value, facts }
    }

    /// Learns every sensitive value; the classes of the places.
    fn learn(&mut self, places: &[Place<'_>], value: &Value, world: World) -> HashMap<String, Sensitive> {
        let kinds: HashMap<String, Sensitive> = places
            .iter()
            .filter_map(|place| {
                let word = place.schema.get("x-sensitive")?.as_str()?;
                Some((place.at.clone(), Sensitive::from_word(word)?))
            })
            .collect();
        mask::learn(value, &kinds, world, &mut self.scrubber);
        kinds
    }

    /// Scrubs what facts hold of the target's own words: its values in `actual`, its keys in the pointers of
    /// masked values. All other pointers are made of names that the schemas know.
    fn clean(&self, facts: &mut [Fact]) {
        for fact in facts {
            match fact {
                Fact::Breaks { actual: text, .. }
                | Fact::Relation { actual: Some(text), .. }
                | Fact::Masked { at: text, .. }
                | Fact::Image { at: text, .. } => *text = self.text(text, 160),
                _ => {}
            }
        }
    }

    fn class_of(&mut self, value: &Value) -> u32 {
        let digest = Sha256::digest(value.to_string().as_bytes());
        let mut key = [0u8; 16];
        key.copy_from_slice(&digest[..16]);
        let next = self.classes.len() as u32 + 1;
        *self.classes.entry(key).or_insert(next)
    }

    /// What kind of value stands there; its content only where that is short and not sensitive.
    fn describe(&self, at: &str, value: &Value) -> String {
        let key = at.rsplit('/').next().unwrap_or_default();
        let sensitive = mask::by_key(key).is_some();
        match value {
            Value::Null => "null".to_owned(),
            Value::Bool(flag) => format!("boolean {flag}"),
            Value::Number(number) if sensitive => format!("number of {} characters", number.to_string().len()),
            Value::Number(number) => format!("number {number}"),
            Value::String(text) if text.is_empty() => "empty string".to_owned(),
            Value::String(text) if sensitive || text.chars().count() > 48 => {
                format!("string of {} characters", text.chars().count())
            }
            Value::String(text) => format!("string \"{}\"", self.text(text, 48)),
            Value::Array(items) => format!("array of {}", items.len()),
            Value::Object(object) => match object.get("$number").and_then(Value::as_str) {
                Some(number) if object.len() == 1 => format!("number {}", self.text(number, 12)),
                _ => format!("object with {} properties", object.len()),
            },
        }
    }
}

/// Reads the markers of the bridge: an undefined property is absent, `$$key` is the target's own `$key`.
/// `$number`, `$bytes` and `$function` stay, since no JSON value stands for what they mean.
pub fn decode_markers(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(
            object
                .iter()
                .filter(|(_, inner)| !is_undefined(inner))
                .map(|(key, inner)| {
                    (
                        key.strip_prefix('$').filter(|k| k.starts_with('$')).unwrap_or(key).to_owned(),
                        decode_markers(inner),
                    )
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(
            items.iter().map(|item| if is_undefined(item) { Value::Null } else { decode_markers(item) }).collect(),
        ),
        other => other.clone(),
    }
}

fn is_undefined(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.len() == 1 && object.get("$undefined") == Some(&Value::Bool(true)))
}

/// Absent in all but name: null, "", {} and [], and an object of nothing but such.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(object) => object.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn relation(name: &str, at: &str, holds: bool, expected: Option<String>, actual: Option<String>) -> Fact {
    Fact::Relation { relation: name.to_owned(), at: at.to_owned(), holds, expected, actual }
}

fn canonical_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// What is kept of an image.
fn image_facts(text: &str) -> ImageFacts {
    let seen = base64_image::inspect(text);
    let form = match seen.form {
        Form::Bare => "bare",
        Form::LineBreaks => "line-breaks",
        Form::DataUrl => "data-url",
        Form::UrlSafe => "url-safe",
        Form::NotBase64 => "not-base64",
    };
    let format = seen.format.map(|format| match format {
        PictureFormat::Jpeg => "jpeg",
        PictureFormat::Png => "png",
    });
    ImageFacts {
        form: form.to_owned(),
        bytes: seen.decoded_len.unwrap_or_default() as u64,
        format: format.map(str::to_owned),
        width: seen.width,
        height: seen.height,
        sha256: seen.sha256,
    }
}
