//! A port in decimal, `decimal-port`.

use super::fault::{FormatFault, only_digits};

/// Reads a port.
///
/// Shape: 1 to 5 ASCII digits, no sign, no leading zero. Rule: 1 to 65535. Source: rulings 2.5,
/// "videoPort".
///
/// Rules of the fault: `sign`, `alphabet`, `leading-zero`, `range`; and `length` for the empty string.
pub fn parse(value: &str) -> Result<u16, FormatFault> {
    if value.is_empty() {
        return Err(FormatFault::length(0, "1 to 5", "1 至 5"));
    }
    if value.starts_with(['+', '-']) {
        return Err(FormatFault::new("sign", "a port has no sign", "端口号不得带正负号"));
    }
    only_digits(value)?;
    let out_of_range = || FormatFault::new("range", "the port is not in 1 to 65535", "端口号不在 1 至 65535 之内");
    if value == "0" {
        return Err(out_of_range());
    }
    if value.starts_with('0') {
        return Err(FormatFault::new("leading-zero", "the port begins with a zero", "端口号以 0 开头"));
    }
    value.parse().map_err(|_| out_of_range())
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
        assert_eq!(parse("8906"), Ok(8906));
        assert_eq!(rule("0"), "range");
        assert_eq!(rule("65536"), "range");
        assert_eq!(rule("99999999999999999999"), "range");
        assert_eq!(rule("080"), "leading-zero");
        assert_eq!(rule("+80"), "sign");
        assert_eq!(rule("-1"), "sign");
        assert_eq!(rule("80 "), "alphabet");
        assert_eq!(rule("８０"), "alphabet");
        assert_eq!(rule("0x50"), "alphabet");
        assert_eq!(rule(""), "length");
    }

    proptest! {
        #[test]
        fn every_port_reads_back(port in 1u16..) {
            prop_assert_eq!(parse(&port.to_string()), Ok(port));
        }

        #[test]
        fn no_input_panics(value in any::<String>()) {
            let _ = parse(&value);
        }
    }
}
