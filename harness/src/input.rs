//! Reading what an operator names: a file of a bounded size, and never a device without an end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest text that is read, in bytes.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// The text of a file.
///
/// # Errors
/// What the system says; what is no UTF-8; what is longer than [`MAX_BYTES`], whatever the system says of its size.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text);
    if text.len() as u64 > MAX_BYTES || read.as_ref().is_ok_and(|read| *read as u64 > MAX_BYTES) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {MAX_BYTES} bytes")));
    }
    read.map(|_| text)
}
