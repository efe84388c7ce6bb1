//! Texts that match a regular expression.
//!
//! The expression is translated as the validator translates it (ECMA 262 to the crate regex), read by regex-syntax, and
//! built from its syntax tree with a length in mind. Look-around and back-references have no such tree and are refused.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::choices::Choices;

/// No repetition is unrolled further than this beyond its minimum.
const MOST_REPEATS: usize = 12;
/// What minimum a pattern may ask for.
const LONGEST: usize = 16_384;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) source: String,
    regex: regex::Regex,
    root: Part,
    /// Whether text may stand before and behind what the expression describes.
    open_start: bool,
    open_end: bool,
}

#[derive(Debug)]
struct Part {
    kind: Kind,
    /// How many characters it takes.
    least: usize,
    most: usize,
}

#[derive(Debug)]
enum Kind {
    Empty,
    Text(String),
    Class(Chars),
    Repeat { part: Box<Part>, least: usize, most: usize },
    All(Vec<Part>),
    Either(Vec<Part>),
}

/// The characters of a class, simple ones first.
#[derive(Debug)]
struct Chars {
    simple: Vec<char>,
    ranges: Vec<(char, char)>,
    size: u64,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub(super) fn read(source: &str) -> Result<Self, String> {
        let translated = jsonschema_regex::to_rust_regex(source)
            .map_err(|()| "it is not a regular expression of ECMA 262".to_owned())?;
        let last_line = |error: String| error.lines().last().unwrap_or_default().trim().to_owned();
        let hir = regex_syntax::Parser::new().parse(&translated).map_err(|error| last_line(error.to_string()))?;
        let regex = regex::Regex::new(&translated).map_err(|error| last_line(error.to_string()))?;
        let properties = hir.properties();
        let open_start = !properties.look_set_prefix().contains(Look::Start);
        let open_end = !properties.look_set_suffix().contains(Look::End);
        let root = Part::of(&hir)?;
        if root.least > LONGEST {
            return Err(format!("it asks for more than {LONGEST} characters"));
        }
        Ok(Self { source: source.to_owned(), regex, root, open_start, open_end })
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// A text that most likely matches, of a length within the bounds where the pattern has one.
    pub(super) fn generate(&self, least: usize, most: usize, choices: &mut Choices) -> String {
        let open = self.open_start || self.open_end;
        let mut text = String::new();
        self.root.write(if open { 0 } else { least }, most, choices, &mut text);
        let length = text.chars().count();
        if open {
            let room = if choices.once_in(4) { choices.range(0, 3) } else { 0 };
            let more = least.saturating_sub(length).max(room).min(most.saturating_sub(length));
            let padding: String = (0..more).map(|_| plain(choices)).collect();
            text = if self.open_end { text + &padding } else { padding + &text };
        }
        text
    }
}

/// A letter or a digit.
fn plain(choices: &mut Choices) -> char {
    char::from(b"abcdefghijklmnopqrstuvwxyz0123456789"[choices.index(36)])
}

impl Part {
    fn of(hir: &Hir) -> Result<Self, String> {
        let part = |kind, least, most| Self { kind, least, most };
        Ok(match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => part(Kind::Empty, 0, 0),
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).map_err(|_| "it matches what is not text".to_owned())?;
                let length = text.chars().count();
                part(Kind::Text(text.to_owned()), length, length)
            }
            HirKind::Class(class) => part(Kind::Class(Chars::of(class)?), 1, 1),
            HirKind::Capture(capture) => Self::of(&capture.sub)?,
            HirKind::Repetition(repetition) => {
                let inner = Self::of(&repetition.sub)?;
                let least = repetition.min as usize;
                let limit = least.saturating_add(LONGEST);
                let most = repetition.max.map_or(limit, |max| (max as usize).min(limit));
                let (shortest, longest) = (inner.least.saturating_mul(least), inner.most.saturating_mul(most));
                part(Kind::Repeat { part: Box::new(inner), least, most }, shortest, longest)
            }
            HirKind::Concat(parts) => {
                let parts = parts.iter().map(Self::of).collect::<Result<Vec<_>, _>>()?;
                let least = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.least));
                let most = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.most));
                part(Kind::All(parts), least, most)
            }
            HirKind::Alternation(parts) => {
                let mut parts = parts.iter().map(Self::of).collect::<Result<Vec<_>, _>>()?;
                parts.sort_by_key(|part| part.least);
                let least = parts.iter().map(|part| part.least).min().unwrap_or(0);
                let most = parts.iter().map(|part| part.most).max().unwrap_or(0);
                part(Kind::Either(parts), least, most)
            }
        })
    }

    /// Writes a text of `least` to `most` characters, as far as the part can.
    fn write(&self, least: usize, most: usize, choices: &mut Choices, out: &mut String) {
        match &self.kind {
            Kind::Empty => {}
            Kind::Text(text) => out.push_str(text),
            Kind::Class(chars) => out.push(chars.draw(choices)),
            Kind::Repeat { part, least: low, most: high } => {
                let low = (*low).max(if part.most == 0 { 0 } else { least.div_ceil(part.most) }).min(*high);
                let room = most.checked_div(part.least).unwrap_or(*high);
                let high = room.min(*high).max(low);
                let count = match choices.below(16) {
                    15 => high.min(low.max(most).min(low + 512)),
                    _ => choices.range(low, high.min(low + MOST_REPEATS)),
                };
                // Each takes an even share of what is left, so that both bounds are kept.
                let (mut left_least, mut left_most) = (least, most);
                for index in 0..count {
                    let left = count - index - 1;
                    let before = out.len();
                    part.write(
                        left_least.saturating_sub(left.saturating_mul(part.most)),
                        left_most.saturating_sub(left.saturating_mul(part.least)),
                        choices,
                        out,
                    );
                    let written = out[before..].chars().count();
                    left_least = left_least.saturating_sub(written);
                    left_most = left_most.saturating_sub(written);
                }
            }
            Kind::All(parts) => {
                let (mut left_least, mut left_most) = (least, most);
                for (index, part) in parts.iter().enumerate() {
                    let behind = &parts[index + 1..];
                    let behind_most = behind.iter().fold(0usize, |sum, part| sum.saturating_add(part.most));
                    let behind_least = behind.iter().fold(0usize, |sum, part| sum.saturating_add(part.least));
                    let before = out.len();
                    let (low, high) = (left_least.saturating_sub(behind_most), left_most.saturating_sub(behind_least));
                    part.write(low, high, choices, out);
                    let written = out[before..].chars().count();
                    left_least = left_least.saturating_sub(written);
                    left_most = left_most.saturating_sub(written);
                }
            }
            Kind::Either(parts) => {
                let fits = |part: &&Part| part.least <= most && part.most >= least;
                let count = parts.iter().filter(fits).count();
                let chosen = parts.iter().filter(fits).nth(choices.index(count)).or(parts.first());
                if let Some(part) = chosen {
                    part.write(least, most, choices, out);
                }
            }
        }
    }
}

impl Chars {
    fn of(class: &Class) -> Result<Self, String> {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
            Class::Bytes(class) => {
                let ascii = class.ranges().iter().filter(|range| range.end() < 0x80);
                ascii.map(|range| (char::from(range.start()), char::from(range.end()))).collect()
            }
        };
        if ranges.is_empty() {
            return Err("it has a class without characters".to_owned());
        }
        let within = |c: &char| ranges.iter().any(|(low, high)| (low..=high).contains(&c));
        let letters = ('a'..='z').chain('0'..='9').chain('A'..='Z');
        let simple = letters.chain(" -_./:,中文".chars()).filter(within).collect();
        let size = ranges.iter().map(|(low, high)| u64::from(u32::from(*high) - u32::from(*low)) + 1).sum();
        Ok(Self { simple, ranges, size })
    }

    fn draw(&self, choices: &mut Choices) -> char {
        // Small classes are simple throughout.
        if !self.simple.is_empty() && (self.simple.len() as u64 == self.size || choices.below(8) < 7) {
            return self.simple[choices.index(self.simple.len())];
        }
        let mut at = choices.below(self.size);
        for (low, high) in &self.ranges {
            let size = u64::from(u32::from(*high) - u32::from(*low)) + 1;
            if at < size {
                // A range that spans the surrogates has a gap there.
                return char::from_u32(u32::from(*low) + at as u32).unwrap_or(*high);
            }
            at -= size;
        }
        self.ranges.first().map_or('a', |(low, _)| *low)
    }
}
