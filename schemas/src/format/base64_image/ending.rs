//! Whether a picture reaches its end.
//!
//! The JPEG decoder behind `image` fills what is missing with grey and calls it a success, so that a
//! picture cut off in transport passes. A walk along the file's own structure finds it out, and does not
//! mistake the end of an embedded thumbnail for the end of the picture. It looks at structure alone: data
//! damaged in the middle, with the end marker in its place, it cannot see.

/// How a picture ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With its end marker. A progressive JPEG is unpacked only after its last scan, and needs so much
    /// memory for its coefficients until then, which no limit of the decoder covers; others need none.
    Whole { coefficients: u64 },
    /// Before it.
    Truncated,
    /// Not looked for: more scans than a decoder should be asked for.
    TooManyScans,
}

/// The most scans of a JPEG. Encoders make about ten; hundreds over a large area are an attack on time.
pub(super) const MOST_SCANS: usize = 100;

/// Walks from marker to marker to EOI (`FFD9`), over the entropy-coded data after each SOS
/// (ISO/IEC 10918-1, annex B).
pub(super) fn jpeg(bytes: &[u8]) -> Ending {
    let mut at = 2;
    let mut scans = 0;
    let mut coefficients = 0;
    while let Some((marker, after)) = next_marker(bytes, at) {
        at = match marker {
            0xD9 => return Ending::Whole { coefficients },
            // SOI, RSTn and TEM stand alone.
            0x01 | 0xD0..=0xD8 => after,
            _ => {
                let Some(length) = bytes.get(after..after + 2) else { return Ending::Truncated };
                if marker == 0xC2 {
                    coefficients = coefficients.max(frame_coefficients(bytes, after));
                }
                if marker == 0xDA {
                    scans += 1;
                    if scans > MOST_SCANS {
                        return Ending::TooManyScans;
                    }
                }
                after + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2)
            }
        };
    }
    Ending::Truncated
}

/// The memory for the coefficients of the frame whose header is at `at`: 2 bytes for each sample, none of
/// them thought away by subsampling.
fn frame_coefficients(bytes: &[u8], at: usize) -> u64 {
    // Length (2), precision (1), lines (2), samples a line (2), components (1).
    match bytes.get(at..at + 8) {
        Some(&[_, _, _, h1, h0, w1, w0, components]) => {
            let (height, width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
            u64::from(height) * u64::from(width) * u64::from(components) * 2
        }
        _ => 0,
    }
}

/// The next marker at or behind `at`, and where it ends. What is not a marker is passed over: entropy-coded
/// data, and the garbage between segments that decoders pass over as well.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        at += bytes.get(at..)?.iter().position(|b| *b == 0xFF)? + 1;
        match *bytes.get(at)? {
            // A stuffed FF, or a fill byte before the marker.
            0x00 | 0xFF => {}
            marker => return Some((marker, at + 1)),
        }
    }
}

/// Walks from chunk to chunk to IEND (ISO/IEC 15948, clause 5).
pub(super) fn png(bytes: &[u8]) -> Ending {
    let mut rest = bytes.get(8..).unwrap_or_default();
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, name @ ..] = *head;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        // The data, and 4 bytes of CRC.
        let Some(next) = length.checked_add(4).and_then(|n| behind.get(n..)) else { break };
        if &name == b"IEND" {
            return Ending::Whole { coefficients: 0 };
        }
        rest = next;
    }
    Ending::Truncated
}
