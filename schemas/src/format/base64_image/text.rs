//! How Base64 is written, and the bytes it stands for.

use super::super::fault::FormatFault;
use super::{Form, MOST_BYTES};
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// `data:image/jpeg;base64,` and its like are not longer than this.
const LONGEST_PREFIX: usize = 256;

/// Padding is judged here, and a last character with spare bits set does no harm.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// A text that should be Base64.
pub(super) struct Text {
    pub(super) form: Form,
    pub(super) decoded_len: Option<usize>,
    /// The decoded bytes, at least one and at most [`MOST_BYTES`].
    pub(super) bytes: Result<Vec<u8>, FormatFault>,
    /// What is wrong with the writing though the bytes can be had.
    pub(super) blemish: Option<FormatFault>,
}

impl Text {
    fn not_base64(fault: FormatFault) -> Self {
        Self { form: Form::NotBase64, decoded_len: None, bytes: Err(fault), blemish: None }
    }
}

/// Reads Base64; nothing is allocated before its length is known to be in bounds.
pub(super) fn read(value: &str) -> Text {
    let (data_url, body) = match without_prefix(value) {
        Ok(split) => split,
        Err(fault) => return Text::not_base64(fault),
    };
    let count = match Count::of(body) {
        Ok(count) => count,
        Err(fault) => return Text::not_base64(fault),
    };
    let form = if count.url_safe {
        Form::UrlSafe
    } else if data_url {
        Form::DataUrl
    } else if count.line_breaks > 0 {
        Form::LineBreaks
    } else {
        Form::Bare
    };
    let decoded_len = count.data / 4 * 3 + (count.data % 4).saturating_sub(1);
    let bytes = if decoded_len == 0 {
        Err(FormatFault::new("empty", "there is no data", "内容为空"))
    } else if decoded_len > MOST_BYTES {
        Err(FormatFault::new(
            "too-large",
            format!("the Base64 stands for {decoded_len} bytes; at most {MOST_BYTES} are looked at"),
            format!("Base64 解码后为 {decoded_len} 字节;上限为 {MOST_BYTES} 字节"),
        ))
    } else {
        decode(body, &count)
    };
    Text { form, decoded_len: Some(decoded_len), bytes, blemish: count.blemish() }
}

/// Sets `data:…;base64,` aside, and says whether it was there.
fn without_prefix(value: &str) -> Result<(bool, &str), FormatFault> {
    if !value.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
        return Ok((false, value));
    }
    let head = value.as_bytes().get(..LONGEST_PREFIX).unwrap_or(value.as_bytes());
    head.iter()
        .position(|b| *b == b',')
        .and_then(|comma| value.get(..comma).zip(value.get(comma + 1..)))
        .filter(|(prefix, _)| prefix.to_ascii_lowercase().ends_with(";base64"))
        .map(|(_, body)| (true, body))
        .ok_or_else(|| {
            FormatFault::new("not-base64", "a data: URL that is not declared as ;base64", "data: URL 未声明 ;base64")
        })
}

/// What stands in the text: one pass, no allocation.
#[derive(Default)]
struct Count {
    data: usize,
    padding: usize,
    line_breaks: usize,
    standard: bool,
    url_safe: bool,
}

impl Count {
    fn of(body: &str) -> Result<Self, FormatFault> {
        let mut count = Self::default();
        for (c, position) in body.chars().zip(1..) {
            match c {
                '\r' | '\n' => {
                    count.line_breaks += 1;
                    continue;
                }
                '=' => {
                    count.padding += 1;
                    continue;
                }
                'A'..='Z' | 'a'..='z' | '0'..='9' => {}
                '+' | '/' => count.standard = true,
                '-' | '_' => count.url_safe = true,
                ' ' => {
                    return Err(not_base64_at(
                        position,
                        c,
                        "a + may have been lost in URL decoding",
                        "可能是 + 在 URL 解码时丢失",
                    ));
                }
                _ => {
                    return Err(not_base64_at(position, c, "it is not of the Base64 alphabet", "不属于 Base64 字符集"));
                }
            }
            if count.padding > 0 {
                return Err(not_base64_at(position, c, "it stands behind the padding", "出现在填充符之后"));
            }
            count.data += 1;
        }
        if count.standard && count.url_safe {
            return Err(FormatFault::new(
                "not-base64",
                "two alphabets are mixed: both + or / and - or _ occur",
                "混用了两种 Base64 字符集:+ / 与 - _ 同时出现",
            ));
        }
        if count.data % 4 == 1 {
            return Err(FormatFault::new(
                "not-base64",
                "one character is missing or too many: Base64 never has 4n+1",
                "字符数为 4n+1,Base64 不可能有这样的长度",
            ));
        }
        Ok(count)
    }

    /// The fault that does not stand in the way of decoding.
    fn blemish(&self) -> Option<FormatFault> {
        if self.url_safe {
            return Some(FormatFault::new(
                "url-safe",
                "the URL-safe alphabet (- and _) is used; the standard one (+ and /) is wanted",
                "使用了 URL 安全字符集(- 与 _);应使用标准字符集(+ 与 /)",
            ));
        }
        let wanted = (4 - self.data % 4) % 4;
        (self.padding != wanted).then(|| {
            FormatFault::new(
                "padding",
                format!("{} padding characters (=) at the end; there should be {wanted}", self.padding),
                format!("末尾有 {} 个填充符 =;应为 {wanted} 个", self.padding),
            )
        })
    }
}

fn not_base64_at(position: usize, c: char, en: &str, zh: &str) -> FormatFault {
    FormatFault::character("not-base64", position, c, en, zh)
}

fn decode(body: &str, count: &Count) -> Result<Vec<u8>, FormatFault> {
    let engine = if count.url_safe { &URL_SAFE } else { &STANDARD };
    let decoded = if count.line_breaks > 0 {
        let joined: Vec<u8> = body.bytes().filter(|b| !matches!(b, b'\r' | b'\n' | b'=')).collect();
        engine.decode(joined)
    } else {
        engine.decode(body.trim_end_matches('='))
    };
    decoded.map_err(|_| FormatFault::new("not-base64", "the text does not decode as Base64", "无法按 Base64 解码"))
}
