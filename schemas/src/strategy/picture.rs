//! Pictures in Base64, whole and broken.
//!
//! A picture is expensive to make and cheap to choose: a few are made once, and a string chooses among them.

use std::io::Cursor;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use super::choices::Choices;

/// PNG and JPEG, from one pixel to a side as long as faces are sent in.
const SIZES: &[(u32, u32)] = &[(1, 1), (2, 3), (16, 16), (33, 7), (1, 200), (120, 160)];

fn pool() -> &'static [Vec<u8>] {
    static POOL: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
        let all = SIZES.iter().flat_map(|size| [(ImageFormat::Png, size), (ImageFormat::Jpeg, size)]);
        all.filter_map(|(format, (width, height))| {
            let pixels = RgbImage::from_fn(*width, *height, |x, y| {
                Rgb([((x * 37) ^ (y * 11)) as u8, (x * y) as u8, (x ^ (y << 3)) as u8])
            });
            let mut bytes = Cursor::new(Vec::new());
            DynamicImage::from(pixels).write_to(&mut bytes, format).ok()?;
            Some(bytes.into_inner())
        })
        .collect()
    });
    &POOL
}

/// A whole picture.
pub(super) fn one(choices: &mut Choices) -> &'static [u8] {
    let pool = pool();
    pool.get(choices.index(pool.len())).map_or(&[], Vec::as_slice)
}

/// A text that breaks the rule of `base64-image`.
pub(super) fn broken(rule: &str, choices: &mut Choices) -> Option<String> {
    let bytes = one(choices);
    let bare = STANDARD.encode(bytes);
    Some(match rule {
        "empty" => ["", "=", "\n"][choices.index(3)].to_owned(),
        "not-base64" => match choices.below(3) {
            0 => format!("{}*", &bare[..bare.len().saturating_sub(1)]),
            1 => format!(" {bare}"),
            _ => "finfile://tmp_face.jpg".to_owned(),
        },
        "padding" => {
            let padded = pool().iter().map(|bytes| STANDARD.encode(bytes)).find(|text| text.ends_with('='))?;
            padded.trim_end_matches('=').to_owned()
        }
        "url-safe" => {
            let texts = pool().iter().map(|bytes| URL_SAFE.encode(bytes));
            texts.into_iter().find(|text| text.contains(['-', '_']))?
        }
        "too-small" => STANDARD.encode(&bytes[..bytes.len().min(choices.range(1, 63))]),
        "not-jpeg-or-png" => {
            let head: &[u8] = [b"GIF89a".as_slice(), b"BM", b"%PDF-1.7", b"RIFF\0\0\0\0WEBP"][choices.index(4)];
            STANDARD.encode([head, &[0; 80]].concat())
        }
        "truncated" => {
            let whole = pool().iter().find(|bytes| bytes.len() > 160)?;
            STANDARD.encode(&whole[..whole.len() - choices.range(13, 40)])
        }
        "does-not-decode" => {
            // A PNG whose data no longer has the checksum that stands behind it.
            let mut png = pool().iter().find(|bytes| bytes.starts_with(b"\x89PNG") && bytes.len() > 160)?.clone();
            let at = png.len() / 2;
            png[at] ^= 0xff;
            STANDARD.encode(png)
        }
        "data-url" => {
            let kind = if bytes.starts_with(b"\x89PNG") { "png" } else { "jpeg" };
            format!("data:image/{kind};base64,{bare}")
        }
        "line-breaks" => {
            let by = if choices.below(2) == 0 { "\n" } else { "\r\n" };
            bare.as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join(by) + by
        }
        _ => return None,
    })
}
