use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use image::{DynamicImage, ImageFormat, RgbImage};
use proptest::prelude::*;
use std::io::Cursor;

/// A picture with something to see in it, so that its data is not a few runs of one colour.
fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let pixels = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([((x * 37) ^ (y * 11)) as u8, (x * y) as u8, (x ^ (y << 3)) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(pixels).write_to(&mut bytes, format).expect("an encoder");
    bytes.into_inner()
}

fn rule(bytes: &[u8]) -> &'static str {
    inspect(&STANDARD.encode(bytes)).fault.map_or("valid", |fault| fault.rule)
}

fn conforms(text: &str) -> &'static str {
    inspect(text).conforms().map_or_else(|fault| fault.rule, |()| "valid")
}

#[test]
fn a_picture_is_read() {
    for (format, kind) in [(PictureFormat::Jpeg, ImageFormat::Jpeg), (PictureFormat::Png, ImageFormat::Png)] {
        let bytes = picture(kind, 40, 30);
        let found = inspect(&STANDARD.encode(&bytes));
        assert_eq!(found.form, Form::Bare);
        assert_eq!(found.decoded_len, Some(bytes.len()));
        assert_eq!((found.format, found.width, found.height), (Some(format), Some(40), Some(30)));
        assert_eq!(found.sha256, Some(hex(&Sha256::digest(&bytes))));
        assert_eq!(found.fault, None);
        assert_eq!(found.conforms(), Ok(()));
    }
}

#[test]
fn aliases_have_a_form_and_no_fault() {
    let bytes = picture(ImageFormat::Png, 40, 30);
    let bare = STANDARD.encode(&bytes);
    let lines = bare.as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\r\n");
    let sha256 = inspect(&bare).sha256;
    for (text, form, rule) in [
        (format!("data:image/png;base64,{bare}"), Form::DataUrl, "data-url"),
        (format!("DATA:image/png;charset=x;BASE64,{lines}"), Form::DataUrl, "data-url"),
        (lines.clone(), Form::LineBreaks, "line-breaks"),
        (format!("{bare}\n"), Form::LineBreaks, "line-breaks"),
    ] {
        let found = inspect(&text);
        assert_eq!((found.form, &found.fault, &found.sha256), (form, &None, &sha256));
        assert_eq!(conforms(&text), rule);
    }
}

#[test]
fn other_spellings_are_inspected_and_refused() {
    let mut bytes = picture(ImageFormat::Png, 40, 30);
    while bytes.len() % 3 != 1 {
        bytes.push(0);
    }
    let found = inspect(&URL_SAFE.encode(&bytes));
    assert_eq!((found.form, found.width), (Form::UrlSafe, Some(40)));
    assert_eq!(found.fault.map(|f| f.rule), Some("url-safe"));
    let found = inspect(&STANDARD_NO_PAD.encode(&bytes));
    assert_eq!((found.form, found.width), (Form::Bare, Some(40)));
    assert_eq!(found.fault.map(|f| f.rule), Some("padding"));

    let bare = STANDARD.encode(&bytes);
    for text in [
        bare.replacen('+', " ", 1),
        format!(" {bare}"),
        format!("{bare}A"),
        format!("=={bare}"),
        format!("-{bare}"),
        format!("data:image/png,{bare}"),
        "图片".into(),
        "data:".into(),
        "A".into(),
    ] {
        let found = inspect(&text);
        assert_eq!((found.form, found.decoded_len), (Form::NotBase64, None));
        assert_eq!(conforms(&text), "not-base64");
    }
    for text in ["", "==", "\n", "data:image/png;base64,"] {
        assert_eq!(conforms(text), "empty", "{text:?}");
    }
}

#[test]
fn bounds_hold() {
    let png = picture(ImageFormat::Png, 40, 30);
    assert_eq!(rule(&png[..63]), "too-small");
    let mut large = png.clone();
    large.resize(MOST_BYTES, 0);
    assert_eq!(rule(&large), "valid");
    large.push(0);
    let found = inspect(&STANDARD.encode(&large));
    assert_eq!((found.decoded_len, found.sha256), (Some(MOST_BYTES + 1), None));
    assert_eq!(rule(&large), "too-large");

    let wide = picture(ImageFormat::Png, LONGEST_SIDE + 1, 1);
    assert_eq!(inspect(&STANDARD.encode(&wide)).width, Some(LONGEST_SIDE + 1));
    assert_eq!(rule(&wide), "dimensions");
    assert_eq!(rule(&picture(ImageFormat::Png, LONGEST_SIDE, 1)), "valid");
}

#[test]
fn what_is_no_picture_is_told() {
    assert_eq!(rule(&[b'G'; 100]), "not-jpeg-or-png");
    assert_eq!(rule(STANDARD.encode(picture(ImageFormat::Jpeg, 40, 30)).as_bytes()), "not-jpeg-or-png");
    let mut no_header = vec![0; 100];
    no_header[..4].copy_from_slice(&[0xFF, 0xD8, 0xFF, 0xD9]);
    assert_eq!(rule(&no_header), "does-not-decode");
    let mut wrong_sum = picture(ImageFormat::Png, 40, 30);
    let at = wrong_sum.len() / 2;
    wrong_sum[at] ^= 0xFF;
    assert_eq!(rule(&wrong_sum), "does-not-decode");
}

#[test]
fn a_thumbnail_does_not_end_its_picture() {
    let jpeg = picture(ImageFormat::Jpeg, 64, 64);
    let thumbnail = picture(ImageFormat::Jpeg, 8, 8);
    let mut whole = vec![0xFF, 0xD8, 0xFF, 0xE1];
    whole.extend((thumbnail.len() as u16 + 8).to_be_bytes());
    whole.extend(b"Thumb\0");
    whole.extend(&thumbnail);
    let head = whole.len();
    whole.extend(&jpeg[2..]);
    assert_eq!(rule(&whole), "valid");
    assert_eq!(rule(&whole[..head + jpeg.len() * 3 / 4]), "truncated");
    whole.extend(b"what a phone puts behind it");
    assert_eq!(rule(&whole), "valid");
}

#[test]
fn memory_is_bounded() {
    // A PNG of 16 bits a channel whose pixels alone are 512 MiB; its data is not reached.
    let mut deep = picture(ImageFormat::Png, 40, 30);
    deep[16..26].copy_from_slice(&[0, 0, 0x20, 0, 0, 0, 0x20, 0, 16, 6]);
    let crc = !deep[12..29]
        .iter()
        .fold(!0u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |c, _| (c >> 1) ^ (0xEDB8_8320 * (c & 1))));
    deep[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(rule(&deep), "memory");

    // The frame of a progressive JPEG of 8192 by 8192.
    let mut jpeg = picture(ImageFormat::Jpeg, 40, 30);
    let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).expect("SOF0");
    jpeg[frame + 1] = 0xC2;
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x20, 0, 0x20, 0]);
    assert_eq!(rule(&jpeg), "memory");
}

#[test]
fn scans_without_end_are_refused() {
    let jpeg = picture(ImageFormat::Jpeg, 40, 30);
    let mut many = jpeg[..jpeg.len() - 2].to_vec();
    for _ in 0..ending::MOST_SCANS {
        many.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0]);
    }
    many.extend([0xFF, 0xD9]);
    assert_eq!(rule(&many), "too-many-scans");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cut_picture_is_found_out(
        kind in proptest::sample::select(&[ImageFormat::Jpeg, ImageFormat::Png][..]),
        width in 16u32..80, height in 16u32..80, at in 0.1f64..1.0,
    ) {
        let bytes = picture(kind, width, height);
        prop_assert_eq!(rule(&bytes), "valid");
        let cut = ((bytes.len() as f64 * at) as usize).clamp(LEAST_BYTES, bytes.len() - 1);
        prop_assert_eq!(rule(&bytes[..cut]), "truncated");
    }

    #[test]
    fn no_damage_panics(
        kind in proptest::sample::select(&[ImageFormat::Jpeg, ImageFormat::Png][..]),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = picture(kind, 40, 30);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = rule(&bytes);
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in any::<String>()) {
        let _ = (rule(&bytes), inspect(&text));
        for start in [&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1a\n"] {
            let _ = rule(&[start, &bytes].concat());
        }
    }
}
