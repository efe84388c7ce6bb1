//! Whether bytes are a picture.

use super::super::fault::FormatFault;
use super::ending::{self, Ending};
use super::{Inspection, LEAST_BYTES, LONGEST_SIDE, MOST_MEMORY, PictureFormat};
use image::{ImageError, ImageFormat, ImageReader, ImageResult, Limits};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Looks at the bytes and enters what it finds, as far as it comes.
pub(super) fn look(bytes: &[u8], found: &mut Inspection) -> Result<(), FormatFault> {
    if bytes.len() < LEAST_BYTES {
        return Err(FormatFault::new(
            "too-small",
            format!("{} bytes are no picture; the least is {LEAST_BYTES}", bytes.len()),
            format!("仅 {} 字节,不可能是图片;下限为 {LEAST_BYTES} 字节", bytes.len()),
        ));
    }
    let (format, kind, ending) = if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        (PictureFormat::Jpeg, ImageFormat::Jpeg, ending::jpeg(bytes))
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        (PictureFormat::Png, ImageFormat::Png, ending::png(bytes))
    } else {
        let kind = other_kind(bytes);
        return Err(FormatFault::new(
            "not-jpeg-or-png",
            format!("the bytes are neither JPEG nor PNG; by their beginning: {kind}"),
            format!("内容既不是 JPEG 也不是 PNG;按文件头判断:{kind}"),
        ));
    };
    found.format = Some(format);

    let dimensions = guarded("header", "文件头", || reader(bytes, kind, u32::MAX).into_dimensions());
    if let Ok((width, height)) = dimensions {
        (found.width, found.height) = (Some(width), Some(height));
    }
    let coefficients = match ending {
        Ending::Truncated => {
            return Err(FormatFault::new(
                "truncated",
                format!("the picture is cut off: the {} is missing", end_marker(format)),
                format!("图片不完整:缺少{}", end_marker(format)),
            ));
        }
        Ending::TooManyScans => {
            return Err(FormatFault::new(
                "too-many-scans",
                format!("the JPEG has more than {} scans", ending::MOST_SCANS),
                format!("JPEG 的扫描数超过 {}", ending::MOST_SCANS),
            ));
        }
        Ending::Whole { coefficients } => coefficients,
    };
    let (width, height) = dimensions?;
    if width.max(height) > LONGEST_SIDE {
        return Err(FormatFault::new(
            "dimensions",
            format!("the picture is {width} by {height}; at most {LONGEST_SIDE} a side are looked at"),
            format!("图片尺寸为 {width}×{height};每边上限为 {LONGEST_SIDE}"),
        ));
    }
    if coefficients > MOST_MEMORY {
        return Err(memory());
    }
    guarded("picture data", "图像数据", || reader(bytes, kind, LONGEST_SIDE).decode()).map(drop)
}

fn reader(bytes: &[u8], kind: ImageFormat, longest_side: u32) -> ImageReader<Cursor<&[u8]>> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(longest_side);
    limits.max_image_height = Some(longest_side);
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind);
    reader.limits(limits);
    reader
}

/// A decoder fed with hostile bytes may panic; that is a picture that does not decode, not the end of a run.
fn guarded<T>(part_en: &str, part_zh: &str, decode: impl FnOnce() -> ImageResult<T>) -> Result<T, FormatFault> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(ImageError::Limits(_))) => Err(memory()),
        Ok(Err(_)) | Err(_) => Err(FormatFault::new(
            "does-not-decode",
            format!("the {part_en} does not decode"),
            format!("{part_zh}无法解码"),
        )),
    }
}

fn memory() -> FormatFault {
    FormatFault::new(
        "memory",
        format!("unpacking the picture takes more than {MOST_MEMORY} bytes of memory"),
        format!("解码该图片所需内存超过 {MOST_MEMORY} 字节"),
    )
}

fn end_marker(format: PictureFormat) -> &'static str {
    match format {
        PictureFormat::Jpeg => "EOI (FFD9)",
        PictureFormat::Png => "IEND",
    }
}

/// What else the bytes may be: a hint for whoever has to mend it.
fn other_kind(bytes: &[u8]) -> &'static str {
    match bytes {
        [b'G', b'I', b'F', b'8', ..] => "GIF",
        [b'B', b'M', ..] => "BMP",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "WebP",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "HEIF / MP4",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "TIFF",
        [b'%', b'P', b'D', b'F', ..] => "PDF",
        [b'<', ..] => "SVG / XML / HTML",
        [b'/', b'9', b'j', b'/', ..] | [b'i', b'V', b'B', b'O', b'R', ..] => "Base64 (twice)",
        _ => "?",
    }
}
