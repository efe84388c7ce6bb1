//! The number of a bank card, `bank-card-number`.

use super::fault::{FormatFault, digits, only_digits};

/// Checks the number of a bank card.
///
/// Shape: 12 to 19 ASCII digits, nothing between them. Rule: the Luhn formula. Source: field-facts, "bank
/// card" (ISO/IEC 7812-1).
///
/// Rules of the fault: `separator` (a space, hyphen or dot between the digits: the number as embossed on
/// the card), `alphabet`, `length`, `luhn`.
pub fn check(value: &str) -> Result<(), FormatFault> {
    if let Some((c, position)) = value.chars().zip(1..).find(|(c, _)| is_separator(*c)) {
        return Err(FormatFault::character(
            "separator",
            position,
            c,
            "a card number is written without separators",
            "卡号中不得有分隔符",
        ));
    }
    only_digits(value)?;
    if !(12..=19).contains(&value.len()) {
        return Err(FormatFault::length(value.len(), "12 to 19", "12 至 19"));
    }
    match value.split_at_checked(value.len() - 1) {
        Some((body, check)) if check_digit(body).is_some_and(|c| check.starts_with(c)) => Ok(()),
        _ => Err(FormatFault::new(
            "luhn",
            "the last digit does not agree with those before it (Luhn)",
            "末位校验码与前面各位不符(Luhn 算法)",
        )),
    }
}

/// The Luhn digit that completes `body`; `None` unless `body` is 1 to 18 ASCII digits.
///
/// Rule: from the right, every other digit is doubled, beginning with the last of `body`; the digits of
/// all are summed; the check digit brings the sum to a multiple of ten. Source: ISO/IEC 7812-1.
pub fn check_digit(body: &str) -> Option<char> {
    if !(1..=18).contains(&body.len()) {
        return None;
    }
    let digits = digits(body)?;
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(i, d)| if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { *d }).sum();
    char::from_digit((10 - sum % 10) % 10, 10)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '–' | '—' | '－' | '.' | '·' | '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(value: &str) -> &'static str {
        check(value).map_or_else(|fault| fault.rule, |()| "valid")
    }

    #[test]
    fn known_values() {
        assert_eq!(rule("4111111111111111"), "valid");
        assert_eq!(rule("4111111111111112"), "luhn");
        assert_eq!(rule("4111 1111 1111 1111"), "separator");
        assert_eq!(rule("4111\u{3000}111111111111"), "separator");
        assert_eq!(rule("４111111111111111"), "alphabet");
        assert_eq!(rule("411111******1111"), "alphabet");
        assert_eq!(rule("41111111111"), "length");
        assert_eq!(rule("41111111111111111111"), "length");
        assert_eq!(rule(""), "length");
    }

    proptest! {
        #[test]
        fn a_changed_digit_is_caught(body in "[0-9]{11,18}", at in 0usize..12, by in 1u8..10) {
            let number = format!("{body}{}", check_digit(&body).expect("digits"));
            prop_assert_eq!(rule(&number), "valid");
            let mut bytes = number.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + by) % 10;
            prop_assert_eq!(rule(&String::from_utf8(bytes).expect("ASCII")), "luhn");
        }

        /// Luhn sees every swap of neighbours but that of 0 and 9.
        #[test]
        fn swapped_neighbours_are_caught(body in "[0-9]{11,18}", at in 0usize..11) {
            let mut bytes = format!("{body}{}", check_digit(&body).expect("digits")).into_bytes();
            let pair = (bytes[at].min(bytes[at + 1]), bytes[at].max(bytes[at + 1]));
            bytes.swap(at, at + 1);
            let seen = if pair.0 == pair.1 || pair == (b'0', b'9') { "valid" } else { "luhn" };
            prop_assert_eq!(rule(&String::from_utf8(bytes).expect("ASCII")), seen);
        }

        #[test]
        fn no_input_panics(value in any::<String>()) {
            let _ = (check(&value), check_digit(&value));
        }
    }
}
