//! A badge, SVG: how the run stands, for a README or a wall of monitors. No text of a target is in it.

use std::io::{self, Write};

use fincert_schemas::Lang;
use fincert_schemas::run::Decision;

use crate::text::columns;
use crate::words::{self, say};
use crate::{Run, Standing};

/// How wide a column of text is drawn, in tenths of a pixel; `textLength` makes it so whatever the font.
const COLUMN: usize = 67;
/// Blank at both sides of a text.
const PAD: usize = 10;

/// Writes the badge.
pub fn render(run: &Run<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let (label, (message, color)) = ("fincert", message(run, lang));
    let (left, right) = (width(label), width(&message));
    let all = left + right;
    let text = |from: usize, width: usize, text: &str| {
        let (middle, length) = (from + width / 2, width - 2 * PAD);
        format!("<text x=\"{middle}\" y=\"14\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>")
    };
    let lang = say(lang, "zh", "en");
    write!(
        out,
        concat!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" viewBox=\"0 0 {all} 20\" ",
            "role=\"img\" xml:lang=\"{lang}\" aria-label=\"{label}: {message}\">\n",
            "<title>{label}: {message}</title>\n",
            "<clipPath id=\"c\"><rect width=\"{all}\" height=\"20\" rx=\"4\"/></clipPath>\n",
            "<g clip-path=\"url(#c)\"><rect width=\"{left}\" height=\"20\" fill=\"#3d4450\"/>",
            "<rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{color}\"/></g>\n",
            "<g fill=\"#fff\" text-anchor=\"middle\" font-size=\"11\" ",
            "font-family=\"Verdana,'DejaVu Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif\">\n",
            "{first}\n{second}\n</g>\n</svg>\n"
        ),
        all = all,
        lang = lang,
        label = label,
        message = message,
        left = left,
        right = right,
        color = color,
        first = text(0, left, label),
        second = text(left, right, &message),
    )
}

/// What stands at the right, and its colour: dark enough for white text (WCAG 1.4.3).
fn message(run: &Run<'_>, lang: Lang) -> (String, &'static str) {
    let asked = |name: &str| run.judgement.asked_for(name) && !name.contains(':');
    let of = |decision: Decision| {
        run.judgement.certifications.iter().filter(|c| asked(&c.name) && c.decision == decision).count()
    };
    let (certified, refused) = (of(Decision::Certified), of(Decision::NotCertified));
    let color = match run.judgement.standing {
        Standing::Certified => "#1a7f37",
        Standing::AsExpected => "#8a5a00",
        Standing::NotCertified | Standing::UnexpectedPass => "#b42318",
        Standing::Nothing => "#57606a",
    };
    let mut text = words::standing(lang, run.judgement.standing).to_owned();
    if certified + refused > 0 {
        text.push_str(&format!(" {certified}/{}", certified + refused));
    }
    if run.is_mock() {
        text.push_str(say(lang, "（模拟宿主）", " (mock host)"));
    }
    (text, color)
}

fn width(text: &str) -> usize {
    (columns(text) * COLUMN).div_ceil(10) + 2 * PAD
}
