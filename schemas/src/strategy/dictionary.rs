//! Hostile strings: what breaks programs that take a text for something else.
//!
//! A string of JSON cannot hold a lone surrogate; what is here under that name is the escape as text, which a program
//! that decodes twice turns into one.

use std::sync::LazyLock;

/// A named hostile string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A stable name in kebab-case.
    pub name: &'static str,
    /// The string.
    pub text: String,
}

/// All entries, simple ones first.
pub fn entries() -> &'static [Entry] {
    static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
        let fixed = FIXED.iter().map(|(name, text)| Entry { name, text: (*text).to_owned() });
        let long = LONG.iter().map(|(name, text, times)| Entry { name, text: text.repeat(*times) });
        fixed.chain(long).collect()
    });
    &ENTRIES
}

/// The entry of that name.
pub fn entry(name: &str) -> Option<&'static Entry> {
    entries().iter().find(|entry| entry.name == name)
}

const FIXED: &[(&str, &str)] = &[
    ("empty", ""),
    ("space", " "),
    ("dot", "."),
    ("dot-dot", ".."),
    ("null-word", "null"),
    ("undefined-word", "undefined"),
    ("nan-word", "NaN"),
    ("zero", "0"),
    ("negative", "-1"),
    ("exponent", "1e309"),
    ("quote", "\""),
    ("apostrophe", "'"),
    ("backslash", "\\"),
    ("line-feed", "\n"),
    ("carriage-return-line-feed", "a\r\nb: c\r\n\r\n"),
    ("tab", "\t"),
    ("nul", "\0"),
    ("nul-inside", "a\0b"),
    ("control-characters", "\u{1}\u{7}\u{8}\u{1b}[31m\u{7f}"),
    ("next-line", "a\u{85}b"),
    ("line-separator", "a\u{2028}b\u{2029}c"),
    ("byte-order-mark", "\u{feff}a"),
    ("zero-width", "a\u{200b}\u{200d}b"),
    ("right-to-left-override", "abc\u{202e}gpj.exe"),
    ("right-to-left", "مرحبا"),
    ("combining", "e\u{301}\u{327}\u{308}"),
    ("combining-stack", "Z\u{351}\u{36b}\u{343}\u{36a}\u{302}\u{36b}\u{33d}\u{34f}\u{334}"),
    ("not-normalised", "\u{212b} \u{c5} A\u{30a}"),
    ("full-width", "ＡＢＣ１２３／．．／"),
    ("dotless-i", "ıİiI"),
    ("astral", "😀"),
    ("astral-han", "𠮷𠀀𪚥"),
    ("joined-emoji", "👩\u{200d}👩\u{200d}👧\u{200d}👦"),
    ("flag", "🇨🇳"),
    ("rare-han", "㛃䶮龘靐齉"),
    ("private-use", "\u{e000}\u{f8ff}"),
    ("noncharacter", "\u{ffff}\u{10ffff}"),
    ("replacement", "\u{fffd}"),
    ("high-surrogate-escape", "\\ud83d"),
    ("low-surrogate-escape", "\\udc00"),
    ("nul-escape", "\\u0000"),
    ("percent-nul", "%00"),
    ("traversal", "../../../../etc/passwd"),
    ("traversal-windows", "..\\..\\..\\windows\\win.ini"),
    ("traversal-encoded", "%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
    ("traversal-twice-encoded", "%252e%252e%252f"),
    ("traversal-inside", "finfile://a/../../b"),
    ("file-url", "file:///etc/passwd"),
    ("device", "/dev/zero"),
    ("device-windows", "CON"),
    ("format-printf", "%s%n%x%d"),
    ("format-printf-width", "%99999999d"),
    ("format-braces", "{0}{}{:?}"),
    ("format-dollar", "${7*7}#{7*7}{{7*7}}"),
    ("format-jndi", "${jndi:ldap://127.0.0.1/a}"),
    ("sql", "' OR '1'='1' --"),
    ("sql-drop", "'); DROP TABLE users; --"),
    ("html", "<script>alert(1)</script>"),
    ("html-attribute", "\"><img src=x onerror=alert(1)>"),
    ("html-entity", "&lt;&#0;&amp;"),
    ("xml-entity", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"),
    ("cdata", "]]>"),
    ("shell", "; id | cat `id` $(id) && id"),
    ("option", "--help"),
    ("glob", "*?[a-z]"),
    ("regex", "(a+)+$"),
    ("json", "{\"errorCode\":0}"),
    ("json-open", "{\"a\":[\""),
    ("bridge-form", "{\"$undefined\":true}"),
    ("prototype", "__proto__"),
    ("constructor", "constructor"),
    ("javascript-url", "javascript:alert(1)"),
    ("data-url", "data:text/html;base64,PHNjcmlwdD4="),
    ("csv-formula", "=1+1"),
];

const LONG: &[(&str, &str, usize)] = &[
    ("digits-40", "9", 40),
    ("digits-400", "9", 400),
    ("length-127", "a", 127),
    ("length-128", "a", 128),
    ("length-255", "a", 255),
    ("length-256", "a", 256),
    ("length-512", "a", 512),
    ("length-1024", "a", 1024),
    ("length-4096", "a", 4096),
    ("han-255", "中", 255),
    ("han-256", "中", 256),
    ("han-1366", "中", 1366),
    ("astral-128", "😀", 128),
    ("traversal-64", "../", 64),
    ("open-brackets", "[", 512),
    ("format-strings", "%s", 256),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_found() {
        let mut names: Vec<_> = entries().iter().map(|entry| entry.name).collect();
        assert!(names.iter().all(|name| entry(name).is_some_and(|found| found.name == *name)));
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(entry("no-such-entry"), None);
    }

    #[test]
    fn the_lengths_are_what_the_names_say() {
        for (name, length) in [("length-255", 255), ("length-256", 256), ("length-4096", 4096), ("han-256", 256)] {
            assert_eq!(entry(name).map(|entry| entry.text.chars().count()), Some(length));
        }
    }
}
