//! Scrubbing free text: of sensitive values seen in the run, and of whatever looks like one.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Captures, Regex};

use super::mask::Sensitive;

/// How many values a run may teach; what comes later is still scrubbed by its looks.
const MAX_KNOWN: usize = 10_000;
/// The longest value worth knowing; longer ones are cut by every renderer.
const MAX_CHARS: usize = 512;

/// A long run of Base64; 11 or more digits on end (an X may end them); or digits in the groups in which card, ID and
/// phone numbers are written.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the first test that runs")]
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<base64>[A-Za-z0-9+/_-]{64,}={0,2})|(?P<digits>\d{17}[Xx]|\d{11,}|",
        r"\d{4}(?:[ -]\d{4}){2,4}(?:[ -]?\d{1,3})?|\d{6}[ -]\d{8}[ -]\d{3}[\dXx]|1\d{2}[ -]\d{4}[ -]\d{4})",
    ))
    .unwrap()
});

/// By how many of its first bytes a value is looked up. Nothing that is worth knowing is shorter: two characters, one of
/// them beyond ASCII.
const PREFIX: usize = 3;
/// A value of so many bytes does not turn up within another by chance.
const DISTINCT: usize = 8;

/// What a run has taught about values that must not be shown.
#[derive(Debug, Clone, Default)]
pub struct Scrubber {
    /// Values and their masks; those before `compiled` are in the automaton, in the same order.
    known: Vec<(String, String)>,
    seen: HashSet<String>,
    automaton: Option<AhoCorasick>,
    compiled: usize,
    /// The values behind `compiled`, by their first bytes. A run may teach a value with every call, and an automaton
    /// would have to be built anew each time.
    by_prefix: HashMap<[u8; PREFIX], Vec<usize>>,
    /// The pairs of bytes that some value of `by_prefix` begins with, a bit each: most places of a text are no such pair.
    begins: Vec<u64>,
}

impl Scrubber {
    /// From now on `text` is starred out wherever it stands.
    pub fn learn(&mut self, kind: Sensitive, text: &str) {
        let text = text.trim();
        if self.known.len() >= MAX_KNOWN || self.seen.contains(text) || !worth_knowing(kind, text) {
            return;
        }
        let Some(prefix) = text.as_bytes().first_chunk::<PREFIX>() else { return };
        if self.begins.is_empty() {
            self.begins = vec![0; 1024];
        }
        let pair = pair(text.as_bytes(), 0);
        self.begins[pair / 64] |= 1 << (pair % 64);
        self.by_prefix.entry(*prefix).or_default().push(self.known.len());
        self.seen.insert(text.to_owned());
        self.known.push((text.to_owned(), kind.mask(text)));
    }

    /// Compiles what was learned so far: what every run knows from the start.
    pub(super) fn compile(&mut self) {
        let patterns = self.known.iter().map(|(value, _)| value);
        // Leftmost-longest, so that a name inside an address does not break the address. A set of literals that
        // is too large for an automaton is looked for by prefixes.
        if let Ok(automaton) = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(patterns) {
            self.automaton = Some(automaton);
            self.compiled = self.known.len();
            self.by_prefix.clear();
            self.begins.clear();
        }
    }

    /// The text without known values and without what looks like an ID, card or phone number or an image.
    pub fn scrub(&self, text: &str) -> String {
        LOOKS.replace_all(&self.without_known(text, false), |found: &Captures<'_>| by_looks(found)).into_owned()
    }

    /// The text without known values. Short ones may be asked to be words of their own: in SDP four digits of a
    /// password would turn up within a number.
    pub(super) fn scrub_known(&self, text: &str, words: bool) -> String {
        self.without_known(text, words).into_owned()
    }

    fn without_known<'t>(&self, text: &'t str, words: bool) -> Cow<'t, str> {
        let mut clean = Cow::Borrowed(text);
        if let Some(automaton) = &self.automaton
            && automaton.is_match(text)
        {
            let mut replaced = String::with_capacity(text.len());
            automaton.replace_all_with(text, &mut replaced, |found, value, out| {
                let within = words && value.len() < DISTINCT && is_within_word(text, found.start(), found.end());
                out.push_str(if within { value } else { &self.known[found.pattern().as_usize()].1 });
                true
            });
            clean = Cow::Owned(replaced);
        }
        if self.begins.is_empty() {
            return clean;
        }
        let mut replaced = String::new();
        let (mut at, mut from) = (0, 0);
        while let Some((start, index)) = self.next_recent(&clean, at, words) {
            let (value, mask) = &self.known[index];
            replaced.push_str(&clean[from..start]);
            replaced.push_str(mask);
            at = start + value.len();
            from = at;
        }
        if from == 0 {
            return clean;
        }
        replaced.push_str(&clean[from..]);
        Cow::Owned(replaced)
    }

    /// The first place from `at` on at which a value stands that was learned since compiling, and the longest of them.
    fn next_recent(&self, text: &str, at: usize, words: bool) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let last = bytes.len().checked_sub(PREFIX)?;
        (at..=last).find_map(|start| {
            let pair = pair(bytes, start);
            if self.begins[pair / 64] & (1 << (pair % 64)) == 0 {
                return None;
            }
            let prefix: &[u8; PREFIX] = bytes[start..].first_chunk()?;
            let fits = |index: &&usize| {
                let value = &self.known[**index].0;
                let end = start + value.len();
                bytes[start..].starts_with(value.as_bytes())
                    && !(words && value.len() < DISTINCT && is_within_word(text, start, end))
            };
            let longest =
                self.by_prefix.get(prefix)?.iter().filter(fits).max_by_key(|index| self.known[**index].0.len());
            longest.map(|index| (start, *index))
        })
    }
}

/// Two bytes as a number.
fn pair(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
}

/// Whether a letter or digit of ASCII goes on at either end of a place.
fn is_within_word(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let is_word = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    is_word(start.checked_sub(1)) || is_word(Some(end))
}

fn by_looks(found: &Captures<'_>) -> String {
    if let Some(run) = found.name("base64") {
        return format!("[{} Base64 characters]", run.len());
    }
    let text = &found["digits"];
    let digits: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    match digits.chars().count() {
        18 | 15 => Sensitive::IdNumber.mask(&digits),
        11 if digits.starts_with('1') => Sensitive::Phone.mask(&digits),
        13 if digits.starts_with("861") => Sensitive::Phone.mask(&digits),
        11 => text.to_owned(),
        _ => Sensitive::CardNumber.mask(&digits),
    }
}

/// Short ASCII words would star out the words of the API itself; one Han character would star out prose.
fn worth_knowing(kind: Sensitive, text: &str) -> bool {
    let chars = text.chars().count();
    let distinctive = if text.is_ascii() { chars >= 6 } else { chars >= 2 };
    // A password is looked for however short, unless it is a single character.
    let secret = kind == Sensitive::Secret && chars >= 4;
    // fincert calls itself so at its TURN server, too.
    chars <= MAX_CHARS && (distinctive || secret) && text != "fincert"
}

/// The text with every control character written as an escape, so that it cannot steer a terminal.
pub fn escape_controls(text: &str) -> String {
    let steers = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(steers) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if steers(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scrubs_what_it_was_taught_and_what_it_recognises() {
        let mut scrubber = Scrubber::default();
        scrubber.learn(Sensitive::Name, "甄样例");
        scrubber.learn(Sensitive::Address, "样本省甄样例路1号");
        scrubber.learn(Sensitive::Name, "ok");
        scrubber.compile();
        scrubber.learn(Sensitive::Name, "贾示范例");
        assert_eq!(scrubber.scrub("贾示范例和甄样例"), "贾***和甄**");
        assert_eq!(scrubber.scrub("甄样例 住 样本省甄样例路1号 ok"), "甄** 住 *** ok");
        assert_eq!(
            scrubber.scrub("id 11010519491231002X card 6222 0200 1234 5678 tel 13800138000"),
            "id 1****************X card 622202******5678 tel 138******00"
        );
        assert_eq!(scrubber.scrub(&"QUJD".repeat(40)), "[160 Base64 characters]");
        for (text, clean) in [
            ("440524198001010013 13698765432", "4****************3 136******32"),
            ("13698765432 440524198001010013", "136******32 4****************3"),
            ("1 13698765432", "1 136******32"),
            ("86-13698765432 136-9876-5432", "86-136******32 136******32"),
        ] {
            assert_eq!(scrubber.scrub(text), clean);
        }
        assert_eq!(scrubber.scrub("errorCode 1001 at 2026-11-24"), "errorCode 1001 at 2026-11-24");
    }

    proptest! {
        #[test]
        fn a_learned_value_never_survives(value in "[\\p{Han}a-z0-9]{6,20}", before in ".{0,20}", after in ".{0,20}") {
            let mut scrubber = Scrubber::default();
            scrubber.learn(Sensitive::Name, &value);
            let scrubbed = scrubber.scrub(&format!("{before}{value}{after}"));
            prop_assert!(!scrubbed.contains(&value) || before.contains(&value) || after.contains(&value));
        }

        #[test]
        fn no_control_character_survives(text in any::<String>()) {
            prop_assert!(!escape_controls(&text).chars().any(char::is_control));
        }
    }
}
