//! The terminal's report.

use fincert_reports::{Format, MIN_WIDTH, Style, render};
use fincert_schemas::Lang;
use fincert_schemas::run::Judgement;
use unicode_width::UnicodeWidthStr;

use crate::fixture::{self, Fixture};

fn text(fixture: &Fixture, style: Style) -> String {
    let mut out = Vec::new();
    render(Format::Text, &fixture.run(), &style, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

const EN: Style = Style { color: false, width: 80, lang: Lang::En };
const ZH: Style = Style { color: false, width: 80, lang: Lang::Zh };

#[test]
fn red_english() {
    insta::assert_snapshot!(text(&fixture::red(), EN));
}

#[test]
fn red_chinese() {
    insta::assert_snapshot!(text(&fixture::red(), ZH));
}

#[test]
fn red_english_in_colour() {
    insta::assert_snapshot!(text(&fixture::red(), Style { color: true, ..EN }).replace('\u{1b}', "␛"));
}

#[test]
fn red_chinese_in_colour() {
    insta::assert_snapshot!(text(&fixture::red(), Style { color: true, ..ZH }).replace('\u{1b}', "␛"));
}

#[test]
fn red_narrow() {
    insta::assert_snapshot!(text(&fixture::red(), Style { width: MIN_WIDTH, ..ZH }));
}

#[test]
fn green_english() {
    insta::assert_snapshot!(text(&fixture::green(), EN));
}

#[test]
fn green_chinese() {
    insta::assert_snapshot!(text(&fixture::green(), ZH));
}

#[test]
fn as_expected() {
    insta::assert_snapshot!(text(&fixture::as_expected(), EN));
}

#[test]
fn nothing_could_be_driven() {
    let mut fixture = fixture::green();
    fixture.sessions.clear();
    fixture.judgement = Judgement { suites: "0.1.0".into(), ..Judgement::default() };
    fixture.header.defect = Some("ocr-silent".into());
    fixture.header.filter = Some("scenario = nothing".into());
    fixture.header.revealed = true;
    insta::assert_snapshot!(text(&fixture, EN));
}

/// A record that was tampered with never hides a failure.
#[test]
fn a_cause_without_its_finding_is_said_all_the_same() {
    let mut fixture = fixture::red();
    fixture.judgement.findings.clear();
    let text = text(&fixture, EN);
    assert!(text.contains("FAIL  schema:/face\n"), "{text}");
}

#[test]
fn no_line_is_wider_than_asked() {
    for fixture in [fixture::red(), fixture::green(), fixture::as_expected()] {
        for lang in [Lang::Zh, Lang::En] {
            for width in (MIN_WIDTH..140).chain([200, 1000]) {
                for line in text(&fixture, Style { color: false, width, lang }).lines() {
                    assert!(line.width() <= width, "{} columns of {width}: {line}", line.width());
                    assert_eq!(line, line.trim_end());
                }
            }
        }
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    for lang in [Lang::Zh, Lang::En] {
        let plain = text(&fixture::red(), Style { color: false, width: 80, lang });
        let colored = text(&fixture::red(), Style { color: true, width: 80, lang });
        assert!(plain.chars().all(|c| c == '\n' || !c.is_control()));
        let mut stripped = String::new();
        let mut rest = colored.as_str();
        while let Some(at) = rest.find('\u{1b}') {
            stripped.push_str(&rest[..at]);
            let end = rest[at..].find('m').expect("only colours are written");
            assert!(rest[at + 1..at + end].chars().all(|c| "[;0123456789".contains(c)));
            rest = &rest[at + end + 1..];
        }
        stripped.push_str(rest);
        assert_eq!(stripped, plain);
    }
}
