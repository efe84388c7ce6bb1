//! Strings: texts of many scripts, patterns, formats, and what is left out of them.

use std::sync::Arc;

use serde_json::Value;

use super::choices::{Choices, Flavour};
use super::dictionary;
use super::format::FormatKind;
use super::pattern::Pattern;

/// How often a string is drawn before the one that is known to fit is taken.
const TRIES: usize = 6;
/// How many strings are drawn to find out whether there is one that fits.
const PROBES: u64 = 400;
/// No string is longer, unless the schema asks for it.
const LONGEST: usize = 8192;

/// What is asked of a string.
#[derive(Debug, Clone, Default)]
pub(super) struct Texts {
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    pub(super) patterns: Vec<Arc<Pattern>>,
    pub(super) not_patterns: Vec<Arc<Pattern>>,
    pub(super) formats: Vec<FormatKind>,
    /// Formats that it must not have; with a rule, it must break that rule of the format.
    pub(super) not_formats: Vec<(FormatKind, Option<&'static str>)>,
    /// What the schema gives as examples.
    pub(super) examples: Vec<String>,
}

impl Texts {
    pub(super) fn meet(&mut self, other: &Self) {
        self.least = self.least.max(other.least);
        self.most = match (self.most, other.most) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        for pattern in &other.patterns {
            if !self.patterns.iter().any(|known| known.source == pattern.source) {
                self.patterns.push(pattern.clone());
            }
        }
        self.not_patterns.extend(other.not_patterns.iter().cloned());
        self.formats.extend(other.formats.iter().filter(|format| !self.formats.contains(format)).collect::<Vec<_>>());
        self.not_formats.extend(other.not_formats.iter().copied());
        self.examples.extend(other.examples.iter().cloned());
    }

    pub(super) fn empty(&self) -> bool {
        self.most.is_some_and(|most| most < self.least)
    }

    /// Whether the text satisfies them.
    pub(super) fn accept(&self, text: &str) -> bool {
        let length = || text.chars().count();
        (self.least == 0 || length() >= self.least)
            && self.most.is_none_or(|most| text.len() <= most || length() <= most)
            && self.patterns.iter().all(|pattern| pattern.matches(text))
            && !self.not_patterns.iter().any(|pattern| pattern.matches(text))
            && self.formats.iter().all(|format| format.check(text).is_ok())
            && self.not_formats.iter().all(|(format, rule)| match format.check(text) {
                Ok(()) => false,
                Err(broken) => rule.is_none_or(|rule| rule == broken),
            })
    }
}

/// How strings of one kind are made.
#[derive(Debug, Clone)]
pub(super) struct TextAlt {
    rules: Texts,
    not: Vec<String>,
    most: usize,
    /// Whether what is drawn need not be looked at again.
    sure: bool,
    /// A string that satisfies everything.
    simplest: String,
    examples: Vec<String>,
}

impl TextAlt {
    /// How to make strings that satisfy the rules; `None` where none was found.
    pub(super) fn new(rules: &Texts, not: &[Value]) -> Option<Self> {
        if rules.empty() {
            return None;
        }
        let not: Vec<String> = not.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let most = rules.most.unwrap_or(usize::MAX).min(rules.least.max(LONGEST));
        let bounded = rules.patterns.len() + rules.formats.len() + rules.not_patterns.len() + rules.not_formats.len();
        let by_format = rules.formats.len() == 1 && bounded == 1 && rules.least == 0 && rules.most.is_none();
        let sure = not.is_empty() && (bounded == 0 || by_format);
        let mut alt = Self { rules: rules.clone(), not, most, sure, simplest: String::new(), examples: Vec::new() };
        alt.examples = rules.examples.iter().filter(|text| alt.accept(text)).cloned().collect();
        alt.examples.dedup();
        let mut zeros = Choices::replay(Vec::new());
        let first = Some(alt.draw(&mut zeros)).into_iter();
        let probes = (0..PROBES).map(|seed| alt.draw(&mut Choices::from_seed(seed)));
        let simplest = first.chain(probes).find(|text| alt.accept(text)).or_else(|| alt.examples.first().cloned())?;
        alt.simplest = simplest;
        Some(alt)
    }

    pub(super) fn accept(&self, text: &str) -> bool {
        !self.not.iter().any(|not| not == text) && self.rules.accept(text)
    }

    pub(super) fn generate(&self, choices: &mut Choices) -> String {
        if choices.flavour() == Flavour::Hostile && choices.below(2) == 1 {
            let entries = dictionary::entries();
            let text = &entries[choices.index(entries.len())].text;
            if self.accept(text) {
                return text.clone();
            }
        }
        if self.sure {
            return self.draw(choices);
        }
        (0..TRIES).map(|_| self.draw(choices)).find(|text| self.accept(text)).unwrap_or_else(|| self.simplest.clone())
    }

    fn draw(&self, choices: &mut Choices) -> String {
        let (least, most) = (self.rules.least, self.most);
        if let Some((format, rule)) = self.rules.not_formats.first() {
            return format.broken(*rule, choices).unwrap_or_else(|| free(least, most, choices));
        }
        if !self.rules.not_patterns.is_empty() && choices.below(2) == 1 {
            let near = &self.rules.not_patterns[choices.index(self.rules.not_patterns.len())];
            return near_miss(near.generate(least, most, choices), choices);
        }
        if let Some(format) = self.rules.formats.first() {
            return format.generate(choices);
        }
        if let Some(pattern) = self.rules.patterns.first() {
            return pattern.generate(least, most, choices);
        }
        if !self.examples.is_empty() && choices.below(4) == 3 {
            return self.examples[choices.index(self.examples.len())].clone();
        }
        free(least, most, choices)
    }
}

/// A text that has just lost its shape.
fn near_miss(mut text: String, choices: &mut Choices) -> String {
    match choices.below(4) {
        0 => drop(text.pop()),
        1 => text.push(if choices.below(2) == 0 { '!' } else { '0' }),
        2 if !text.is_empty() => drop(text.remove(0)),
        _ => text.insert(0, '!'),
    }
    text
}

const ASCII: &[u8] =
    b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_./:@,;()[]{}<>!?#$%&*+=|~^`'\"\\";
/// Characters that take programs by surprise, each for its own reason: astral, combining, right-to-left, zero-width,
/// full-width, controls.
const UNUSUAL: &[char] = &[
    'é',
    'ß',
    'İ',
    '中',
    '〇',
    '㐀',
    '龘',
    '𠮷',
    '𪚥',
    '😀',
    '\u{301}',
    '\u{200d}',
    '\u{202e}',
    '\u{feff}',
    'ا',
    'ש',
    'ｱ',
    '１',
    '\u{85}',
    '\u{2028}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    '\u{7f}',
    '\0',
    '\u{fffd}',
    '\u{e000}',
    '\u{10ffff}',
];

/// A text within the bounds that nothing else is asked of.
fn free(least: usize, most: usize, choices: &mut Choices) -> String {
    let kind = choices.below(16);
    let length = match kind {
        // Lengths where buffers end.
        14 => [most, least, 255, 256, 512, 127, 128][choices.index(7)].clamp(least, most.min(least.max(1024))),
        15 => choices.range(least, most.min(least + 64)),
        _ => choices.range(least.max(1.min(most)), most.min(least.max(1) + 7)),
    };
    let mut text = String::with_capacity(length);
    match kind {
        0..=6 => text.extend((0..length).map(|_| char::from(ASCII[choices.index(36)]))),
        7..=10 => text.extend((0..length).map(|_| common_han(choices))),
        11 | 15 => text.extend((0..length).map(|_| char::from(ASCII[choices.index(ASCII.len())]))),
        12 => text.extend((0..length).map(|_| UNUSUAL[choices.index(UNUSUAL.len())])),
        13 => text.extend((0..length).map(|_| any_char(choices))),
        // One character throughout: a long text costs one choice.
        _ => {
            let c = ['a', '0', '中', '😀', ' '][choices.index(5)];
            text.extend(std::iter::repeat_n(c, length));
        }
    }
    text
}

/// A Chinese character of the common block.
fn common_han(choices: &mut Choices) -> char {
    char::from_u32(0x4e00 + choices.below(0x9fa5 - 0x4e00 + 1) as u32).unwrap_or('一')
}

fn any_char(choices: &mut Choices) -> char {
    char::from_u32(choices.below(0x11_0000) as u32).unwrap_or('a')
}
