//! Data within a page: JSON and text in which nothing is left that HTML could take for its own.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::ser::Formatter;
use sha2::{Digest, Sha256};

use crate::json::write_escaped;
use crate::text::{clean, is_deceptive};

/// Writes a block of JSON that is no script to the browser, but data (HTML 4.12.1, a data block).
pub(super) fn block(out: &mut impl Write, id: &str, data: &impl Serialize) -> io::Result<()> {
    write!(out, "<script type=\"application/json\" id=\"{id}\">")?;
    data.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, Inert))?;
    out.write_all(b"</script>\n")
}

/// JSON whose strings hold neither markup nor a deceptive character. Without a `<` there is no `</script`, no `<!--` and
/// no `<script` that would change how a data block is read (HTML 13.2.5.4).
struct Inert;

impl Formatter for Inert {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        write_escaped(out, fragment, |c| matches!(c, '<' | '>' | '&') || is_deceptive(c))
    }
}

/// Clean text with every character escaped that means something in HTML, in content and in attributes.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

/// A digest as a Content-Security-Policy names it.
pub(super) fn digest(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
