//! Masking: what of a sensitive value may be kept (field facts: ID 1+1, card 6+4, phone 3+2 characters, a
//! name's first character; of a face image its size, format and SHA-256; of a password nothing).

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::scrub::{Scrubber, escape_controls};
use super::webrtc::{self, Text};
use super::{KEPT_CHARS, KEPT_MEMBERS, World, image_facts};
use crate::json::push_pointer;
use crate::run::Fact;

/// The longest string that is looked into for JSON, in bytes.
const LONGEST_JSON: usize = 64 * 1024;
/// An array of more numbers than this is a byte array: a picture, most likely.
const BYTES: usize = 32;

/// A class of personal financial data (JR/T 0171-2020).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sensitive {
    /// A resident ID number.
    IdNumber,
    /// A bank card number.
    CardNumber,
    /// A phone number.
    Phone,
    /// A person's name.
    Name,
    /// An address.
    Address,
    /// A birth date.
    Birthday,
    /// A login name.
    Login,
    /// A password.
    Secret,
    /// A face image.
    FaceImage,
}

impl Sensitive {
    /// The class by its word in `x-sensitive`.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "id-number" => Self::IdNumber,
            "card-number" => Self::CardNumber,
            "phone" => Self::Phone,
            "name" => Self::Name,
            "address" => Self::Address,
            "birthday" => Self::Birthday,
            "login" => Self::Login,
            "secret" => Self::Secret,
            "face-image" => Self::FaceImage,
            _ => return None,
        })
    }

    /// The text with all but what may be kept starred out.
    pub fn mask(self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let star = |head: usize, tail: usize| -> String {
            if chars.len() < head + tail + 1 {
                return "*".repeat(chars.len().min(32));
            }
            let middle = (chars.len() - head - tail).min(32);
            let mut masked: String = chars[..head].iter().collect();
            masked.extend(std::iter::repeat_n('*', middle));
            masked.extend(&chars[chars.len() - tail..]);
            masked
        };
        if chars.is_empty() {
            return String::new();
        }
        match self {
            Self::IdNumber => star(1, 1),
            Self::CardNumber if chars.len() < 12 => star(0, 0),
            Self::CardNumber => star(6, 4),
            Self::Phone if chars.len() < 8 => star(0, 0),
            Self::Phone => star(3, 2),
            Self::Name | Self::Login => star(1, 0),
            Self::Address | Self::Secret | Self::FaceImage => "***".to_owned(),
            // The written form shows, and nothing else.
            Self::Birthday => chars.iter().take(32).map(|c| if "-./年月日".contains(*c) { *c } else { '*' }).collect(),
        }
    }
}

/// The class that a property's name gives away, wherever it stands and however it is spelled.
pub(super) fn by_key(key: &str) -> Option<Sensitive> {
    // The longest of these names has 14 letters; separators may stand between them.
    if key.len() > 40 {
        return None;
    }
    let plain: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Some(match plain.as_str() {
        "idno" | "idnum" | "idnumber" | "idcard" | "idcardno" | "idcardnumber" => Sensitive::IdNumber,
        "cardno" | "cardnum" | "cardnumber" | "bankcardno" | "bankcardnumber" => Sensitive::CardNumber,
        "phone" | "phoneno" | "phonenumber" | "mobile" | "mobileno" | "tel" => Sensitive::Phone,
        "name" | "username" | "realname" | "fullname" | "represent" | "holder" | "cardholder" => Sensitive::Name,
        "address" | "addr" => Sensitive::Address,
        "birthday" | "birth" | "birthdate" => Sensitive::Birthday,
        "loginname" => Sensitive::Login,
        "loginpwd" | "roompwd" | "password" | "passwd" | "pwd" => Sensitive::Secret,
        "credential" | "credentials" => Sensitive::Secret,
        "faceimgstr" | "faceimg" | "faceimage" | "image" | "imagebase64" => Sensitive::FaceImage,
        _ => return None,
    })
}

/// Teaches the scrubber every sensitive value.
pub(super) fn learn(value: &Value, kinds: &HashMap<String, Sensitive>, world: World, scrubber: &mut Scrubber) {
    walk(value, String::new(), None, (kinds, world), &mut |kind, text| scrubber.learn(kind, text));
}

/// The class that a member's name gives away in its world.
fn by_member(world: World, key: &str, value: &Value) -> Option<Sensitive> {
    match world {
        World::Finance => by_key(key),
        World::WebRtc => webrtc::by_key(key, value),
    }
}

fn walk(
    value: &Value,
    at: String,
    inherited: Option<Sensitive>,
    known: (&HashMap<String, Sensitive>, World),
    found: &mut impl FnMut(Sensitive, &str),
) {
    let (kinds, world) = known;
    let kind = inherited.or_else(|| kinds.get(&at).copied());
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                let inherited = kind.or_else(|| by_member(world, key, inner));
                walk(inner, push_pointer(&at, key), inherited, known, found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                walk(inner, format!("{at}/{index}"), kind, known, found);
            }
        }
        Value::String(text) => {
            if let Some(kind) = kind {
                found(kind, text);
            }
            // A result that was put into a string is a common mistake.
            if text.trim_start().starts_with(['{', '['])
                && text.len() <= LONGEST_JSON
                && let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
            {
                walk(&inner, String::new(), kind, known, found);
            }
        }
        Value::Number(number) => {
            if let Some(kind) = kind {
                found(kind, &number.to_string());
            }
        }
        _ => {}
    }
}

pub(super) struct Masker<'a> {
    pub(super) kinds: &'a HashMap<String, Sensitive>,
    pub(super) scrubber: &'a Scrubber,
    pub(super) world: World,
    pub(super) reveal: bool,
    /// How much SDP the transcript may still keep, in bytes.
    pub(super) sdp_left: &'a mut usize,
    pub(super) facts: &'a mut Vec<Fact>,
    pub(super) images: Vec<String>,
}

impl Masker<'_> {
    pub(super) fn mask(&mut self, value: &Value) -> Value {
        self.at(value, String::new(), None)
    }

    fn at(&mut self, value: &Value, at: String, inherited: Option<Sensitive>) -> Value {
        let kind = inherited.or_else(|| self.kinds.get(&at).copied());
        match value {
            Value::Object(object) => {
                let mut kept = Map::new();
                for (key, inner) in object.iter().take(KEPT_MEMBERS) {
                    let inherited = kind.or_else(|| by_member(self.world, key, inner));
                    let inner = self.at(inner, push_pointer(&at, key), inherited);
                    let key = if self.reveal { key.clone() } else { self.scrubber.scrub(window(key)) };
                    kept.insert(cut(&escape_controls(&key)), inner);
                }
                if object.len() > KEPT_MEMBERS {
                    kept.insert("$cut".to_owned(), Value::from(object.len() - KEPT_MEMBERS));
                }
                Value::Object(kept)
            }
            Value::Array(items) if !self.reveal && items.len() > BYTES && items.iter().all(Value::is_number) => {
                Value::Array(vec![Value::from(format!("[{} numbers]", items.len()))])
            }
            Value::Array(items) => {
                let mut kept: Vec<Value> = items
                    .iter()
                    .take(KEPT_MEMBERS)
                    .enumerate()
                    .map(|(index, inner)| self.at(inner, format!("{at}/{index}"), kind))
                    .collect();
                if items.len() > KEPT_MEMBERS {
                    kept.push(serde_json::json!({"$cut": items.len() - KEPT_MEMBERS}));
                }
                Value::Array(kept)
            }
            Value::String(text) => Value::from(self.text(text, at, kind)),
            Value::Number(number) => match kind {
                Some(kind) if !self.reveal => {
                    let text = number.to_string();
                    self.facts.push(Fact::Masked { at, json_type: "number".to_owned(), chars: text.len() as u32 });
                    Value::from(kind.mask(&text))
                }
                _ if self.world == World::WebRtc && webrtc::is_moment(last(&at), number) => value.clone(),
                _ => self.number(number),
            },
            other => other.clone(),
        }
    }

    fn number(&self, number: &serde_json::Number) -> Value {
        let text = number.to_string();
        let clean = if self.reveal { text.clone() } else { self.scrubber.scrub(&text) };
        if clean == text { Value::Number(number.clone()) } else { Value::from(clean) }
    }

    fn text(&mut self, text: &str, at: String, kind: Option<Sensitive>) -> String {
        if kind == Some(Sensitive::FaceImage) && !text.is_empty() {
            let image = image_facts(text);
            let format = image.format.clone().unwrap_or_else(|| "no image".to_owned());
            let summary = format!("[{format}, {} bytes, {}]", image.bytes, image.form);
            if !self.images.contains(&at) {
                self.images.push(at.clone());
                self.facts.push(Fact::Image { at, image });
            }
            return summary;
        }
        if self.world == World::WebRtc && (kind.is_none() || self.reveal) {
            return self.webrtc(text, at);
        }
        if self.reveal {
            return cut(&escape_controls(text));
        }
        match kind {
            Some(kind) => {
                let chars = if kind == Sensitive::Secret { 0 } else { text.chars().count() as u32 };
                self.facts.push(Fact::Masked { at, json_type: "string".to_owned(), chars });
                escape_controls(&kind.mask(text))
            }
            None => cut_of(&escape_controls(&self.scrubber.scrub(window(text))), text),
        }
    }

    fn webrtc(&mut self, text: &str, at: String) -> String {
        let scrubber = (!self.reveal).then_some(self.scrubber);
        match webrtc::kind_of(last(&at), text) {
            Text::Sdp => {
                let limit = (*self.sdp_left).clamp(KEPT_CHARS, webrtc::KEPT_SDP);
                let (kept, was_cut) = webrtc::scrub_sdp(scrubber, text, limit);
                *self.sdp_left = self.sdp_left.saturating_sub(kept.len());
                if was_cut {
                    let chars = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
                    self.facts.push(Fact::Masked { at, json_type: "string".to_owned(), chars });
                }
                kept
            }
            kind => cut_of(
                &match (scrubber, kind) {
                    (None, _) => escape_controls(window(text)),
                    (Some(scrubber), Text::Plain) => escape_controls(&scrubber.scrub_known(text, true)),
                    (Some(scrubber), _) => escape_controls(&scrubber.scrub(window(text))),
                },
                text,
            ),
        }
    }
}

/// The last step of a pointer.
fn last(at: &str) -> &str {
    at.rsplit('/').next().unwrap_or_default()
}

/// What is scrubbed of a long text: more than is kept, so that no half of a value is left at the end of what is.
fn window(text: &str) -> &str {
    text.char_indices().nth(KEPT_CHARS * 8).map_or(text, |(end, _)| &text[..end])
}

/// `scrubbed`, cut, with the length of the text that it came from.
fn cut_of(scrubbed: &str, text: &str) -> String {
    match scrubbed.char_indices().nth(KEPT_CHARS) {
        Some((end, _)) => format!("{}… ({} characters)", &scrubbed[..end], text.chars().count()),
        None => scrubbed.to_owned(),
    }
}

fn cut(text: &str) -> String {
    cut_of(text, text)
}
