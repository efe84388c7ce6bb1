//! What finds a defect, and what fuzzing makes of it: within how many cases, and down to which request.

use serde::Serialize;
use serde_json::Value;

use super::fuzz::is_bidi_control;

/// What finds a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// The scenarios as they are written.
    Scenarios,
    /// Fuzzing alone: no scenario holds what shows it.
    Fuzz,
    /// Both.
    Both,
}

/// What fuzzing makes of a defect. It was stated before fuzzing was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fuzzing {
    /// Within how many cases of the API it is found.
    pub within: u32,
    /// How many calls show it: 1, or how many must come in one session, this one the last.
    pub calls: u32,
    /// What is left of the last call's request when it has been shrunk: its rows. A row that is not named here is left
    /// out.
    pub smallest: &'static [(&'static str, Smallest)],
}

/// What is left of a row when a request has been shrunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smallest {
    /// A value that has nothing to do with the defect.
    Any,
    /// This text.
    Text(&'static str),
    /// A text of so many characters.
    Characters(usize),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One character beyond the Basic Multilingual Plane.
    BeyondBmp,
    /// One character that turns the direction of writing.
    BidiControl,
    /// A picture that can be read: a path without `..`, or in a scenario `{"$file": …}`.
    Picture,
    /// The path of a picture that can be read, with one segment `..` put in.
    Climbing,
}

impl Fuzzing {
    /// What keeps this request from being the smallest one that shows the defect, if anything does.
    pub fn complaint(&self, request: &Value) -> Option<String> {
        let Some(rows) = request.as_object() else { return Some("the request is no object".to_owned()) };
        let extra = rows.keys().find(|name| !self.smallest.iter().any(|(known, _)| known == name));
        if let Some(extra) = extra {
            return Some(format!("/{extra} could be left out"));
        }
        self.smallest.iter().find_map(|(name, wanted)| match rows.get(*name) {
            None => Some(format!("/{name} is missing")),
            Some(value) => (!wanted.fits(value)).then(|| format!("/{name} is not {}", wanted.words())),
        })
    }

    /// The smallest request in words, row by row.
    pub fn words(&self) -> String {
        let rows: Vec<_> = self.smallest.iter().map(|(name, wanted)| format!("{name}: {}", wanted.words())).collect();
        format!("{{{}}}", rows.join(", "))
    }
}

impl Smallest {
    fn fits(self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Self::Any => true,
            Self::Text(wanted) => text == Some(wanted),
            Self::Characters(count) => text.is_some_and(|text| text.chars().count() == count),
            Self::OneOf(texts) => text.is_some_and(|text| texts.contains(&text)),
            Self::BidiControl => {
                text.is_some_and(|text| text.chars().count() == 1 && text.chars().all(is_bidi_control))
            }
            Self::BeyondBmp => text.is_some_and(|text| text.len() == 4 && text.chars().count() == 1),
            Self::Picture => value.get("$file").is_some() || text.is_some_and(|path| climbs(path) == 0),
            Self::Climbing => text.is_some_and(|path| climbs(path) == 1),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Text(text) => format!("{text:?}"),
            Self::Characters(count) => format!("{count} characters"),
            Self::OneOf(texts) => texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(" or "),
            Self::BeyondBmp => "one character beyond the BMP".to_owned(),
            Self::BidiControl => "one bidirectional control".to_owned(),
            Self::Picture => "a picture that can be read".to_owned(),
            Self::Climbing => "a picture's path with one segment \"..\"".to_owned(),
        }
    }
}

fn climbs(path: &str) -> usize {
    path.split('/').filter(|segment| *segment == "..").count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_smallest_request_is_told_from_larger_ones() {
        let fuzzing = Fuzzing {
            within: 1,
            calls: 1,
            smallest: &[("type", Smallest::Text("BankCard")), ("imagePath", Smallest::Characters(2))],
        };
        assert_eq!(fuzzing.complaint(&json!({"type": "BankCard", "imagePath": "证a"})), None);
        let wrong = |request: Value| fuzzing.complaint(&request).unwrap();
        assert_eq!(wrong(json!({"type": "BankCard", "imagePath": "abc"})), "/imagePath is not 2 characters");
        assert_eq!(wrong(json!({"imagePath": "ab"})), "/type is missing");
        assert_eq!(wrong(json!({"type": "BankCard", "imagePath": "ab", "x": 1})), "/x could be left out");
        assert_eq!(wrong(json!([])), "the request is no object");
        assert_eq!(fuzzing.words(), "{type: \"BankCard\", imagePath: 2 characters}");
        assert!(Smallest::Climbing.fits(&json!("finfile://tmp/1/../a.png")));
        assert!(!Smallest::Climbing.fits(&json!("finfile://tmp/../../a.png")));
        assert!(Smallest::Picture.fits(&json!({"$file": "bank-card-debit"})));
        assert!(Smallest::BeyondBmp.fits(&json!("𠮷")) && !Smallest::BeyondBmp.fits(&json!("证")));
    }
}
