//! The custom formats of the JSON Schemas, one file a subject.
//!
//! JSON Schema knows no resident ID, no bank card number and no picture in Base64, and `format` is where
//! it lets an author say so. Each file here knows one subject: its shape, its rule, the standard that
//! sets the rule, and how to say what is wrong **without repeating the value**, which is personal data.
//!
//! Nothing here does I/O, reads a clock or keeps state. Every value is hostile until shown otherwise:
//! lengths are looked at before anything is allocated or decoded, and no input panics.
//!
//! An empty string is a field that was not read, and every format but [`base64_image`] accepts it; that a
//! field is filled is a requirement of its own.

pub mod bank_card;
pub mod base64_image;
pub mod date;
mod fault;
pub mod ice_candidate;
pub mod port;
pub mod resident_id;
pub mod sdp;
pub mod uscc;

pub use fault::FormatFault;

/// The names of all formats that [`check`] knows, as they stand after `format` in a JSON Schema.
pub const NAMES: &[&str] = &[
    "resident-id",
    "uscc-or-licence-number",
    "bank-card-number",
    "cn-date",
    "cn-date-or-long",
    "cn-date-range-or-long",
    "base64-image",
    "decimal-port",
];

/// Checks `value` against the format of that name; `None` if it is not one of [`NAMES`].
///
/// The empty string passes in every format but `base64-image`.
pub fn check(format: &str, value: &str) -> Option<Result<(), FormatFault>> {
    let rule: fn(&str) -> Result<(), FormatFault> = match format {
        "resident-id" => |v| resident_id::parse(v).map(drop),
        "uscc-or-licence-number" => |v| uscc::parse(v).map(drop),
        "bank-card-number" => bank_card::check,
        "cn-date" => date::check_date,
        "cn-date-or-long" => date::check_date_or_long,
        "cn-date-range-or-long" => date::check_date_range_or_long,
        "base64-image" => return Some(base64_image::inspect(value).conforms()),
        "decimal-port" => |v| port::parse(v).map(drop),
        _ => return None,
    };
    Some(if value.is_empty() { Ok(()) } else { rule(value) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_name_is_known_and_no_other() {
        for name in NAMES {
            assert!(check(name, "x").is_some(), "{name}");
        }
        assert_eq!(check("date", "x"), None);
        assert_eq!(check("Resident-ID", "x"), None);
    }

    #[test]
    fn an_unread_field_passes_but_an_unread_picture_does_not() {
        for name in NAMES {
            let passes = check(name, "").is_some_and(|r| r.is_ok());
            assert_eq!(passes, *name != "base64-image", "{name}");
        }
    }

    fn hostile() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "[0-9Xx]{0,20}",
            "[0-9A-Z]{13,19}",
            "[0-9./年月日至长期~—自 -]{0,24}",
            "(data:image/png;base64,)?[A-Za-z0-9+/=_\r\n-]{0,120}",
        ]
    }

    proptest! {
        #[test]
        fn no_input_panics_and_no_fault_is_silent_or_quotes(value in hostile()) {
            for name in NAMES {
                if let Some(Err(fault)) = check(name, &value) {
                    prop_assert!(fault.rule.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
                    prop_assert!(!fault.message_en.is_empty() && !fault.message_zh.is_empty());
                    if value.chars().count() > 5 {
                        prop_assert!(!fault.message_en.contains(&value) && !fault.message_zh.contains(&value));
                    }
                }
            }
        }
    }
}
