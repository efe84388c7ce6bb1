//! A description that names another certificate than its own, for flows that want to see it refused (RFC 8827 section
//! 6.5).

use super::text::{Text, value};

/// Changes the last byte of every fingerprint.
pub(crate) fn spoil(text: &mut Text) {
    for lines in text.parts_mut() {
        if let Some(value) = value(lines, "fingerprint") {
            let (kept, last) = value.split_at(value.len().saturating_sub(2));
            let other = if last == "00" { "FF" } else { "00" };
            let value = format!("{kept}{other}");
            super::text::replace(lines, "fingerprint", &value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fingerprint_is_another() {
        let mut text =
            Text::read("v=0\r\na=fingerprint:sha-256 AB:00\r\nm=audio 9 x 0\r\na=fingerprint:sha-256 AB:CD\r\n");
        spoil(&mut text);
        assert_eq!(
            text.write(),
            "v=0\r\na=fingerprint:sha-256 AB:FF\r\nm=audio 9 x 0\r\na=fingerprint:sha-256 AB:00\r\n"
        );
    }
}
