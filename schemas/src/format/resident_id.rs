//! The citizen's identity number, `resident-id`.
//!
//! GB 11643-1999: 18 characters. 6 digits of a region, 8 of the birth date (YYYYMMDD), 3 of a sequence
//! whose last digit is odd for males, and a check character by ISO 7064 MOD 11-2.

use super::fault::{FormatFault, digits, only_digits};
use jiff::civil::Date;

/// The weights of the 17 digits (GB 11643-1999).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check characters, by the weighted sum modulo 11 (GB 11643-1999).
const CHECK: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];

/// What a resident ID says about its holder.
///
/// Shape and rule: GB 11643-1999; field-facts, "resident ID".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResidentId {
    /// Digits 7 to 14: the birth date.
    pub birth: Date,
    /// Digit 17 is odd.
    pub male: bool,
}

/// Reads a resident ID.
///
/// Shape: 17 ASCII digits and one of `0-9X`. Rule: the region does not begin with 0 (no register of
/// regions is kept), the birth date is real and not before 1900, the check character agrees. Source:
/// GB 11643-1999.
///
/// Rules of the fault, in the order they are looked for: `length` (the 15-digit number from before 1999
/// too), `alphabet`, `region`, `birth-date`, `check-digit`, and `lower-case-x`, which therefore means that
/// the small `x` is all that is wrong.
pub fn parse(value: &str) -> Result<ResidentId, FormatFault> {
    let length = value.chars().count();
    if length == 15 && value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(FormatFault::new(
            "length",
            "the length is 15: the old number from before GB 11643-1999, which is no longer in force; it should be 18",
            "长度为 15,是 GB 11643-1999 之前的旧号码,已停止使用;应为 18",
        ));
    }
    if length != 18 {
        return Err(FormatFault::length(length, "18", "18"));
    }
    let (last_at, last) = value.char_indices().next_back().unwrap_or((0, ' '));
    let body = value.get(..last_at).unwrap_or_default();
    only_digits(body)?;
    if !matches!(last, '0'..='9' | 'X' | 'x') {
        return Err(FormatFault::character(
            "alphabet",
            18,
            last,
            "only a digit 0-9 or X may stand here",
            "此处只能是数字 0-9 或 X",
        ));
    }
    if body.starts_with('0') {
        return Err(FormatFault::new(
            "region",
            "characters 1 to 6, the region, begin with 0; no region does",
            "第 1 至 6 位(行政区划代码)以 0 开头;不存在这样的区划",
        ));
    }
    let birth = birth(body)?;
    if check_character(body) != Some(last.to_ascii_uppercase()) {
        return Err(FormatFault::new(
            "check-digit",
            "character 18, the check character, does not agree with the 17 digits before it (GB 11643-1999)",
            "第 18 位校验码与前 17 位不符(GB 11643-1999)",
        ));
    }
    if last == 'x' {
        return Err(FormatFault::new(
            "lower-case-x",
            "character 18 is a lower-case x; GB 11643-1999 writes it in upper case",
            "第 18 位是小写 x;GB 11643-1999 规定为大写",
        ));
    }
    let male = digits(body).and_then(|d| d.last().copied()).is_some_and(|d| d % 2 == 1);
    Ok(ResidentId { birth, male })
}

/// The check character for the first 17 digits; `None` unless they are 17 ASCII digits.
///
/// Rule: weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2, the sum modulo 11 indexes `10X98765432`. Source:
/// GB 11643-1999.
pub fn check_character(first17: &str) -> Option<char> {
    if first17.len() != WEIGHTS.len() {
        return None;
    }
    let sum: u32 = digits(first17)?.iter().zip(WEIGHTS).map(|(d, w)| d * w).sum();
    CHECK.get((sum % 11) as usize).copied()
}

/// The birth date in the 17 digits of `body`.
fn birth(body: &str) -> Result<Date, FormatFault> {
    let number = |from: usize, to: usize| body.get(from..to).and_then(|s| s.parse::<i16>().ok());
    let date = number(6, 10)
        .zip(number(10, 12))
        .zip(number(12, 14))
        .and_then(|((year, month), day)| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok());
    match date {
        None => Err(FormatFault::new(
            "birth-date",
            "characters 7 to 14, the birth date, name a day that is in no calendar",
            "第 7 至 14 位(出生日期)不是真实存在的日期",
        )),
        Some(date) if date.year() < 1900 => Err(FormatFault::new(
            "birth-date",
            "characters 7 to 14, the birth date, lie before the year 1900",
            "第 7 至 14 位(出生日期)早于 1900 年",
        )),
        Some(date) => Ok(date),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const VALID: &str = "11010519491231002X";

    fn rule(value: &str) -> &'static str {
        parse(value).map_or_else(|fault| fault.rule, |_| "valid")
    }

    #[test]
    fn known_values() {
        assert_eq!(parse(VALID), Ok(ResidentId { birth: date(1949, 12, 31), male: false }));
        assert_eq!(rule("11204416541220243X"), "birth-date");
        assert_eq!(rule("11010519491231002x"), "lower-case-x");
        assert_eq!(rule("110105194912310021"), "check-digit");
        assert_eq!(rule("11010519490231002x"), "birth-date");
        assert_eq!(rule("01010519491231002X"), "region");
        assert_eq!(rule("110105491231002"), "length");
        assert_eq!(rule("１１010519491231002X"), "alphabet");
        assert_eq!(rule("11010519491231002Ｘ"), "alphabet");
        assert_eq!(rule(""), "length");
    }

    fn valid() -> impl Strategy<Value = String> {
        (100_000u32..1_000_000, 1900i16..2100, 1i8..=12, 1i8..=28, 0u32..1000).prop_map(|(region, y, m, d, seq)| {
            let body = format!("{region}{y:04}{m:02}{d:02}{seq:03}");
            let check = check_character(&body).expect("17 digits");
            format!("{body}{check}")
        })
    }

    proptest! {
        #[test]
        fn every_generated_number_is_read(id in valid()) {
            let read = parse(&id).expect("valid");
            prop_assert_eq!(read.birth.strftime("%Y%m%d").to_string(), &id[6..14]);
            prop_assert_eq!(read.male, id.as_bytes()[16] % 2 == 1);
        }

        #[test]
        fn a_changed_digit_is_caught(id in valid(), at in 0usize..17, by in 1u8..10) {
            let mut bytes = id.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + by) % 10;
            prop_assert_ne!(rule(&String::from_utf8(bytes).expect("ASCII")), "valid");
        }

        #[test]
        fn swapped_neighbours_are_caught(id in valid(), at in 0usize..16) {
            let mut bytes = id.into_bytes();
            prop_assume!(bytes[at] != bytes[at + 1]);
            bytes.swap(at, at + 1);
            prop_assert_ne!(rule(&String::from_utf8(bytes).expect("ASCII")), "valid");
        }

        #[test]
        fn no_input_panics(value in any::<String>()) {
            let _ = (parse(&value), check_character(&value));
        }
    }
}
