//! A picture in Base64, `base64-image`.
//!
//! Rulings 2.3, `faceImgStr`: bare Base64 of a JPEG or PNG that decodes; a `data:` prefix or line breaks
//! is an alias. [`inspect`] therefore separates two questions: how the text is written ([`Form`]) and
//! whether there is a whole picture in it ([`Inspection::fault`]). A picture in an alias's clothes has a
//! form to report and no fault; the format itself takes only [`Form::Bare`] ([`Inspection::conforms`]).
//!
//! The work grows with the trust: lengths are computed before anything is decoded, the picture's end is
//! looked for before its pixels are unpacked, and the unpacking has limits on sides and memory.

mod ending;
mod picture;
mod text;

use std::cell::RefCell;

use super::fault::FormatFault;
use sha2::{Digest, Sha256};

/// The fewest bytes a picture has; a PNG of one pixel is larger.
pub const LEAST_BYTES: usize = 64;
/// The most bytes a picture may have, decoded from Base64: 10 MiB.
pub const MOST_BYTES: usize = 10 * 1024 * 1024;
/// The longest side of a picture, in pixels.
pub const LONGEST_SIDE: u32 = 8192;
/// The most memory that the pixels of a picture may take, and as much again the coefficients of a
/// progressive JPEG: 256 MiB.
pub const MOST_MEMORY: u64 = 256 * 1024 * 1024;

/// How the Base64 is written. If several hold, the last one named here is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Nothing but the standard alphabet and its padding (RFC 4648, section 4).
    Bare,
    /// With CR or LF in it (RFC 2045): an alias.
    LineBreaks,
    /// With `data:…;base64,` before it (RFC 2397), with line breaks or without: an alias.
    DataUrl,
    /// In the alphabet with `-` and `_` (RFC 4648, section 5).
    UrlSafe,
    /// Not Base64.
    NotBase64,
}

/// The two kinds of picture (rulings 2.3, `faceImgStr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// ISO/IEC 10918, in JFIF or Exif.
    Jpeg,
    /// ISO/IEC 15948.
    Png,
}

/// What was found out about a text that should be a picture; nothing in it shows the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// How the Base64 is written.
    pub form: Form,
    /// How many bytes the Base64 stands for; `None` if it is not Base64.
    pub decoded_len: Option<usize>,
    /// JPEG or PNG, by the first bytes.
    pub format: Option<PictureFormat>,
    /// Pixels across, by the header.
    pub width: Option<u32>,
    /// Pixels down, by the header.
    pub height: Option<u32>,
    /// SHA-256 of the decoded bytes in lower-case hex; `None` if there are too many of them to look at.
    pub sha256: Option<String>,
    /// Why there is no whole picture in well-made Base64. The aliases [`Form::DataUrl`] and
    /// [`Form::LineBreaks`] are no fault here.
    pub fault: Option<FormatFault>,
}

impl Inspection {
    /// Whether the text is of the format `base64-image`: a fault, or else a form other than bare.
    ///
    /// Rules beyond those of [`inspect`]: `data-url`, `line-breaks`, which therefore mean that the form is
    /// all that is wrong.
    pub fn conforms(&self) -> Result<(), FormatFault> {
        match (&self.fault, self.form) {
            (Some(fault), _) => Err(fault.clone()),
            (None, Form::DataUrl) => Err(FormatFault::new(
                "data-url",
                "a data: URL; bare Base64 is wanted",
                "带有 data: 前缀;应为不带前缀的 Base64",
            )),
            (None, Form::LineBreaks) => {
                Err(FormatFault::new("line-breaks", "the Base64 has line breaks in it", "Base64 中含有换行符"))
            }
            (None, _) => Ok(()),
        }
    }
}

/// Looks for a picture in `value`; a `data:` prefix and line breaks are set aside first.
///
/// Shape: standard Base64 with padding, of [`LEAST_BYTES`] to [`MOST_BYTES`] bytes. Rule: a JPEG or PNG of
/// at most [`LONGEST_SIDE`] a side that is whole (it has its end marker) and decodes to its last pixel.
/// Source: rulings 2.3, `faceImgStr`; RFC 4648. Bytes behind the picture's end are allowed: phones put
/// them there.
///
/// Rules of the fault: `empty`, `not-base64`, `too-small`, `too-large`, `not-jpeg-or-png`,
/// `does-not-decode`, `truncated`, `dimensions`, `memory`, `too-many-scans`; and, with the picture itself in order,
/// `url-safe`, `padding`.
pub fn inspect(value: &str) -> Inspection {
    // The table's format, an alias and the facts of a picture ask about one text three times over, and unpacking is dear.
    let key: [u8; 32] = Sha256::digest(value.as_bytes()).into();
    if let Some(found) =
        RECENT.with_borrow(|recent| recent.iter().find(|(known, _)| *known == key).map(|(_, f)| f.clone()))
    {
        return found;
    }
    let found = look(value);
    RECENT.with_borrow_mut(|recent| {
        recent.truncate(REMEMBERED - 1);
        recent.insert(0, (key, found.clone()));
    });
    found
}

/// How many texts are remembered by their digest.
const REMEMBERED: usize = 8;

thread_local! {
    /// What was found in the last texts. It is a pure function of the text, so nothing depends on what is remembered.
    static RECENT: RefCell<Vec<([u8; 32], Inspection)>> = const { RefCell::new(Vec::new()) };
}

fn look(value: &str) -> Inspection {
    let text = text::read(value);
    let mut found = Inspection {
        form: text.form,
        decoded_len: text.decoded_len,
        format: None,
        width: None,
        height: None,
        sha256: None,
        fault: text.blemish,
    };
    match text.bytes {
        Ok(bytes) => {
            found.sha256 = Some(hex(&Sha256::digest(&bytes)));
            if let Err(fault) = picture::look(&bytes, &mut found) {
                found.fault = Some(fault);
            }
        }
        Err(fault) => found.fault = Some(fault),
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
