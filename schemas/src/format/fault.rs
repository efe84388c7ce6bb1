//! What is wrong with a value, said without the value.

/// Why a value is not of its format.
///
/// The messages hold positions, lengths and classes of characters, never the value or a part of it: the
/// values are personal data (field-facts, Privacy), and a fault is written to records and reports.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message_en}")]
pub struct FormatFault {
    /// The rule that is broken: a stable word in kebab-case, such as `check-digit` or `birth-date`.
    pub rule: &'static str,
    /// What is wrong, in English.
    pub message_en: String,
    /// What is wrong, in Chinese.
    pub message_zh: String,
}

impl FormatFault {
    pub(super) fn new(rule: &'static str, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { rule, message_en: en.into(), message_zh: zh.into() }
    }

    /// The rule `length`: so many characters stand where `en`/`zh` (such as `18 characters`) should.
    pub(super) fn length(found: usize, en: &str, zh: &str) -> Self {
        Self::new("length", format!("the length is {found}; it should be {en}"), format!("长度为 {found},应为 {zh}"))
    }

    /// The rule `rule` broken by the one character `c`, the `position`th (from 1).
    pub(super) fn character(rule: &'static str, position: usize, c: char, en: &str, zh: &str) -> Self {
        let (class_en, class_zh) = class(c);
        Self::new(
            rule,
            format!("character {position} is {class_en}; {en}"),
            format!("第 {position} 个字符是{class_zh};{zh}"),
        )
    }
}

/// Refuses the first character that is not an ASCII digit, with the rule `alphabet`.
pub(super) fn only_digits(value: &str) -> Result<(), FormatFault> {
    match value.chars().zip(1..).find(|(c, _)| !c.is_ascii_digit()) {
        None => Ok(()),
        Some((c, position)) => Err(FormatFault::character(
            "alphabet",
            position,
            c,
            "only the digits 0-9 may stand here",
            "此处只能是数字 0-9",
        )),
    }
}

/// The values of a string of ASCII digits; `None` if anything else is in it.
pub(super) fn digits(value: &str) -> Option<Vec<u32>> {
    value.chars().map(|c| c.to_digit(10)).collect()
}

/// What kind of character this is, in English and Chinese: enough to find a mistake, too little to betray
/// a value.
fn class(c: char) -> (&'static str, &'static str) {
    match c {
        '0'..='9' => ("a digit", "数字"),
        'a'..='z' => ("a lower-case letter", "小写字母"),
        'A'..='Z' => ("an upper-case letter", "大写字母"),
        ' ' => ("a space", "空格"),
        '\r' | '\n' => ("a line break", "换行符"),
        '*' | '•' | '●' => ("a masking character", "掩码字符"),
        '０'..='９' => ("a full-width digit", "全角数字"),
        'Ａ'..='Ｚ' | 'ａ'..='ｚ' => ("a full-width letter", "全角字母"),
        '\u{4e00}'..='\u{9fff}' => ("a Chinese character", "汉字"),
        c if c.is_control() => ("a control character", "控制字符"),
        c if c.is_whitespace() => ("a kind of space", "空白字符"),
        c if c.is_ascii_punctuation() => ("a punctuation mark", "标点符号"),
        c if c.is_numeric() => ("a digit of another script", "其他文字的数字"),
        c if c.is_alphabetic() => ("a letter of another script", "其他文字的字母"),
        _ => ("a character of another kind", "其他字符"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_tells_place_and_class() {
        let fault = only_digits("12３4").expect_err("a full-width digit");
        assert_eq!(fault.rule, "alphabet");
        assert!(fault.message_en.starts_with("character 3 is a full-width digit"));
        assert!(fault.message_zh.starts_with("第 3 个字符是全角数字"));
        assert_eq!(fault.to_string(), fault.message_en);
    }
}
