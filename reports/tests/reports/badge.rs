//! The badge.

use fincert_reports::{Format, Standing, Style, render};
use fincert_schemas::Lang;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::fixture::{self, Fixture, HOSTILE};

fn svg(fixture: &Fixture, lang: Lang) -> String {
    let mut out = Vec::new();
    render(Format::Badge, &fixture.run(), &Style { lang, ..Style::default() }, &mut out)
        .expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

/// The texts of an SVG that is well-formed.
fn texts(svg: &str) -> Vec<String> {
    let mut reader = Reader::from_str(svg);
    let (mut open, mut texts) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Eof => break,
            Event::Start(tag) => open.push(tag.name().as_ref().to_vec()),
            Event::End(tag) => assert_eq!(open.pop().as_deref(), Some(tag.name().as_ref())),
            Event::Text(text) if open.last().is_some_and(|tag| tag == b"text") => {
                texts.push(String::from_utf8(text.to_vec()).expect("UTF-8"));
            }
            _ => {}
        }
    }
    assert!(open.is_empty());
    texts
}

#[test]
fn badge_english() {
    insta::assert_snapshot!(svg(&fixture::red(), Lang::En));
}

#[test]
fn badge_chinese() {
    insta::assert_snapshot!(svg(&fixture::green(), Lang::Zh));
}

#[test]
fn it_says_how_the_run_stands_and_nothing_of_the_target() {
    let mut fixture = fixture::red();
    fixture.sessions[0].hello.name = HOSTILE.to_owned();
    fixture.header.target = HOSTILE.to_owned();
    let words = [
        (Standing::Certified, "certified 0/1"),
        (Standing::AsExpected, "not certified, as expected 0/1"),
        (Standing::NotCertified, "not certified 0/1"),
        (Standing::UnexpectedPass, "known failures passed 0/1"),
        (Standing::Nothing, "nothing was there to certify 0/1"),
    ];
    for (standing, word) in words {
        fixture.judgement.standing = standing;
        assert_eq!(texts(&svg(&fixture, Lang::En)), ["fincert", word]);
    }
    assert_eq!(texts(&svg(&fixture::green(), Lang::Zh)), ["fincert", "通过认证 1/1（模拟宿主）"]);
}
