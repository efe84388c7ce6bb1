//! The number on a business licence, `uscc-or-licence-number`.
//!
//! Since 2015 it is the unified social credit code (统一社会信用代码, GB 32100-2015), 18 characters; the
//! licence of an individual business may still carry the 15-digit registration number (营业执照号,
//! GS15-2006).

use super::fault::{FormatFault, digits, only_digits};

/// The 31 characters of the credit code, each at the place of its value: no I, O, S, V, Z (GB 32100-2015).
pub const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Which of the two numbers it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenceNumber {
    /// The unified social credit code of 18 characters (GB 32100-2015).
    CreditCode,
    /// The registration number of 15 digits (GS15-2006).
    Registration,
}

/// Reads a credit code or a registration number.
///
/// Shape: 18 characters of [`ALPHABET`], or 15 digits. Rule: the last one is the check character of those
/// before it. Source: GB 32100-2015; GS15-2006; rulings 2.1, "certNo". The codes of department, category
/// and region inside are not looked at.
///
/// Rules of the fault: `length`, `alphabet`, `check-character` (of the credit code),
/// `registration-check-digit` (of the registration number).
pub fn parse(value: &str) -> Result<LicenceNumber, FormatFault> {
    match value.chars().count() {
        18 => credit_code(value),
        15 => registration(value),
        length => Err(FormatFault::length(
            length,
            "18 (unified social credit code) or 15 (registration number)",
            "18(统一社会信用代码)或 15(营业执照号)",
        )),
    }
}

fn credit_code(value: &str) -> Result<LicenceNumber, FormatFault> {
    if let Some((c, position)) = value.chars().zip(1..).find(|(c, _)| !ALPHABET.contains(*c)) {
        return Err(FormatFault::character(
            "alphabet",
            position,
            c,
            "only digits and upper-case letters other than I, O, S, V and Z may stand here (GB 32100-2015)",
            "此处只能是数字或除 I、O、S、V、Z 以外的大写字母(GB 32100-2015)",
        ));
    }
    match value.split_at_checked(17) {
        Some((body, check)) if check_character(body).is_some_and(|c| check.starts_with(c)) => {
            Ok(LicenceNumber::CreditCode)
        }
        _ => Err(FormatFault::new(
            "check-character",
            "character 18, the check character, does not agree with the 17 before it (GB 32100-2015)",
            "第 18 位校验码与前 17 位不符(GB 32100-2015)",
        )),
    }
}

fn registration(value: &str) -> Result<LicenceNumber, FormatFault> {
    only_digits(value)?;
    match value.split_at_checked(14) {
        Some((body, check)) if registration_check_digit(body).is_some_and(|c| check.starts_with(c)) => {
            Ok(LicenceNumber::Registration)
        }
        _ => Err(FormatFault::new(
            "registration-check-digit",
            "digit 15, the check digit, does not agree with the 14 before it (GS15-2006)",
            "第 15 位校验码与前 14 位不符(GS15-2006)",
        )),
    }
}

/// The check character for the first 17 characters of a credit code; `None` unless they are 17 of
/// [`ALPHABET`].
///
/// Rule: weights 3^(i−1) mod 31; check = (31 − sum mod 31) mod 31. Source: GB 32100-2015.
pub fn check_character(first17: &str) -> Option<char> {
    if first17.len() != 17 {
        return None;
    }
    let mut sum = 0;
    let mut weight = 1;
    for c in first17.chars() {
        sum += ALPHABET.find(c)? * weight;
        weight = weight * 3 % 31;
    }
    ALPHABET.chars().nth((31 - sum % 31) % 31)
}

/// The check digit for the first 14 digits of a registration number; `None` unless they are 14 digits.
///
/// Rule: ISO 7064 MOD 11,10. Source: GS15-2006 (工商行政管理市场主体注册号编制规则).
pub fn registration_check_digit(first14: &str) -> Option<char> {
    if first14.len() != 14 {
        return None;
    }
    let product = digits(first14)?.iter().fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    char::from_digit((11 - product) % 10, 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule(value: &str) -> &'static str {
        parse(value).map_or_else(|fault| fault.rule, |_| "valid")
    }

    #[test]
    fn known_values() {
        assert_eq!(parse("91350100M000100Y43"), Ok(LicenceNumber::CreditCode));
        assert_eq!(parse("110108000000016"), Ok(LicenceNumber::Registration));
        assert_eq!(rule("91350100M000100Y44"), "check-character");
        assert_eq!(rule("110108000000017"), "registration-check-digit");
        assert_eq!(rule("91350100m000100y43"), "alphabet");
        assert_eq!(rule("9135O100M000100Y43"), "alphabet");
        assert_eq!(rule("11010800000001X"), "alphabet");
        assert_eq!(rule("1101080000000"), "length");
        assert_eq!(check_character("91350100M000100Y"), None);
        assert_eq!(check_character("91350100M000100YI"), None);
        assert_eq!(registration_check_digit("1101080000000X"), None);
    }

    proptest! {
        #[test]
        fn every_produced_code_validates_and_no_neighbour_does(
            body in "[0-9A-HJ-NP-RTUWXY]{17}", at in 0usize..18, other in "[0-9A-HJ-NP-RTUWXY]",
        ) {
            let code = format!("{body}{}", check_character(&body).expect("17 of the alphabet"));
            prop_assert_eq!(parse(&code), Ok(LicenceNumber::CreditCode));
            let mut changed = code.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(rule(&changed), if changed == code { "valid" } else { "check-character" });
        }

        #[test]
        fn every_produced_registration_validates_and_no_neighbour_does(
            body in "[0-9]{14}", at in 0usize..15, other in "[0-9]",
        ) {
            let code = format!("{body}{}", registration_check_digit(&body).expect("14 digits"));
            prop_assert_eq!(parse(&code), Ok(LicenceNumber::Registration));
            let mut changed = code.clone();
            changed.replace_range(at..=at, &other);
            prop_assert_eq!(rule(&changed), if changed == code { "valid" } else { "registration-check-digit" });
        }

        #[test]
        fn no_input_panics(value in any::<String>()) {
            let _ = (parse(&value), check_character(&value), registration_check_digit(&value));
        }
    }
}
