//! Text that may be hostile, measured in columns.
//!
//! [`clean`] leaves only characters that stay where they are put and that a terminal, an XML reader and
//! an eye can all be trusted with. After it a column count is a plain sum over characters, which is what
//! [`wrap`] builds on.

use std::ops::Range;

use unicode_linebreak::linebreaks;
use unicode_width::UnicodeWidthChar;

/// How many marks without width may follow one another before they are written out.
const MARKS_IN_A_ROW: usize = 4;

/// Whether a character moves the cursor, turns the direction of writing, is invisible, or may not stand
/// in XML.
pub(crate) fn is_deceptive(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || code & 0xFFFE == 0xFFFE
        || matches!(code,
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164
            | 0xFDD0..=0xFDEF | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
            | 0xE0000..=0xE0FFF)
}

/// The text with every deceptive character written out: ESC becomes `\u{1b}`, a line feed `\n`.
pub fn clean(text: &str) -> String {
    // Ids and names, which are most of a long report.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        marks = if columns_of(c) == 0 { marks + 1 } else { 0 };
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_deceptive(c) || marks > MARKS_IN_A_ROW => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
    out
}

/// How many columns clean text takes. A Chinese character takes two.
pub fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// The first `limit` characters and how many there were, where there are more.
pub fn clip(text: &str, limit: usize) -> (&str, Option<usize>) {
    match text.char_indices().nth(limit) {
        Some((cut, _)) => (&text[..cut], Some(text.chars().count())),
        None => (text, None),
    }
}

/// Cuts clean text into lines: `first` columns for the first, `rest` for each that follows. Lines are
/// broken where Unicode allows it (UAX #14), so that no Chinese full stop begins a line, but not after a
/// hyphen, and before a slash; what is longer than a whole line is broken anywhere.
pub fn wrap(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    // The line being filled: where it starts, where its last visible character ends, its columns.
    let (mut start, mut end, mut used) = (0, 0, 0);
    let mut from = 0;
    for (to, _) in linebreaks(text) {
        let Some(to) = moved(text, to).filter(|to| *to > from || *to == text.len()) else { continue };
        let piece = &text[from..to];
        let visible = piece.trim_end_matches(' ');
        let room = if lines.is_empty() { first } else { rest };
        let need = columns(visible);
        if used + need > room && need <= rest {
            lines.push(start..end);
            (start, used) = (from, columns(piece));
        } else if used + need > room {
            for (at, c) in visible.char_indices() {
                let room = if lines.is_empty() { first } else { rest };
                if used + columns_of(c) > room {
                    let here = from + at;
                    lines.push(start..start + text[start..here].trim_end_matches(' ').len());
                    (start, used) = (here, 0);
                }
                used += columns_of(c);
            }
            used += piece.len() - visible.len();
        } else {
            used += columns(piece);
        }
        if !visible.is_empty() {
            end = from + visible.len();
        }
        from = to;
    }
    lines.push(start..end.max(start));
    lines
}

/// Where Unicode would break, but an id, an option or a verdict's word is not cut at its hyphen, and a path
/// is cut before its slash.
fn moved(text: &str, to: usize) -> Option<usize> {
    let before = &text[..to];
    match before.strip_suffix('/') {
        _ if to == text.len() => Some(to),
        Some(path) => (!path.ends_with('/')).then_some(path.len()),
        None => (!before.ends_with('-')).then_some(to),
    }
}

/// Cuts a shell command at the blanks that stand outside quotation marks.
pub fn shell_words(command: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut quote = None;
    let mut start = 0;
    for (at, c) in command.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, ' ') => {
                words.push(&command[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&command[start..]);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, first: usize, rest: usize) -> Vec<&str> {
        wrap(text, first, rest).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn what_deceives_is_written_out() {
        assert_eq!(clean("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(clean("a\nb\tc\r"), "a\\nb\\tc\\r");
        assert_eq!(
            clean("\u{9b}31m \u{202e}evil \u{feff} \u{ffff} \u{e0041}"),
            "\\u{9b}31m \\u{202e}evil \\u{feff} \\u{ffff} \\u{e0041}"
        );
        assert_eq!(clean("卡号 é “ok” −"), "卡号 é “ok” −");
        let zalgo = format!("a{}", "\u{301}".repeat(50));
        assert_eq!(clean(&zalgo).matches("\\u{301}").count(), 46);
    }

    #[test]
    fn lines_are_broken_where_a_reader_would() {
        assert_eq!(lines("", 10, 10), [""]);
        assert_eq!(lines("one two three", 7, 7), ["one two", "three"]);
        assert_eq!(lines("one two three", 3, 9), ["one", "two three"]);
        assert_eq!(lines("返回结果必须包含整数。", 20, 20), ["返回结果必须包含整", "数。"]);
        assert_eq!(lines("see not-exercised", 10, 13), ["see", "not-exercised"]);
        assert_eq!(lines("at /recogResult/cardNo", 14, 14), ["at", "/recogResult", "/cardNo"]);
        assert_eq!(lines("see a/", 6, 6), ["see a/"]);
        assert_eq!(lines("x, abcdefgh", 3, 4), ["x,", "abcd", "efgh"]);
        assert_eq!(lines("abcdefghij", 4, 4), ["abcd", "efgh", "ij"]);
        assert_eq!(lines("label  abcdefghij", 10, 4), ["label  abc", "defg", "hij"]);
        assert_eq!(lines("名名名", 3, 3), ["名", "名", "名"]);
    }

    #[test]
    fn a_command_is_cut_outside_of_quotes_only() {
        assert_eq!(
            shell_words("fincert certify --filter 'a b' --seed 1"),
            ["fincert", "certify", "--filter", "'a b'", "--seed", "1"]
        );
    }
}
