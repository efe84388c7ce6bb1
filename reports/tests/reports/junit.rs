//! The JUnit report.

use fincert_reports::{Format, Style, render};
use fincert_schemas::Lang;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::fixture::{self, Fixture};

fn xml(fixture: &Fixture, lang: Lang) -> String {
    let mut out = Vec::new();
    render(Format::Junit, &fixture.run(), &Style { lang, ..Style::default() }, &mut out)
        .expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn red_english() {
    insta::assert_snapshot!(xml(&fixture::red(), Lang::En));
}

#[test]
fn red_chinese() {
    insta::assert_snapshot!(xml(&fixture::red(), Lang::Zh));
}

#[test]
fn known_failures_are_no_failures() {
    let text = xml(&fixture::as_expected(), Lang::En);
    assert!(!text.contains("<failure") && !text.contains("<error"), "{text}");
    assert!(text.contains("known failure: "));
}

/// XML 1.0, production 2.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[test]
fn it_is_legal_xml_and_counts_add_up() {
    for fixture in [fixture::red(), fixture::green(), fixture::as_expected()] {
        let text = xml(&fixture, Lang::Zh);
        assert!(text.chars().all(is_xml));
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        let mut reader = Reader::from_str(&text);
        let (mut depth, mut cases, mut failures, mut announced) = (0, 0, 0, None);
        loop {
            match reader.read_event().expect("well-formed") {
                Event::Eof => break,
                event @ (Event::Start(_) | Event::Empty(_)) => {
                    let (tag, opens) = match &event {
                        Event::Start(tag) => (tag, true),
                        Event::Empty(tag) => (tag, false),
                        _ => unreachable!("matched above"),
                    };
                    depth += usize::from(opens);
                    let attribute = |name: &str| {
                        let found = tag.try_get_attribute(name).expect("sound attributes")?;
                        Some(String::from_utf8(found.value.into_owned()).expect("UTF-8"))
                    };
                    match tag.name().as_ref() {
                        b"testsuites" => announced = attribute("tests").zip(attribute("failures")),
                        b"testcase" => {
                            cases += 1;
                            assert!(attribute("time").is_none() && attribute("timestamp").is_none());
                        }
                        b"failure" => failures += 1,
                        _ => {}
                    }
                }
                Event::End(_) => depth -= 1,
                Event::GeneralRef(reference) => {
                    let name = String::from_utf8(reference.to_vec()).expect("UTF-8");
                    assert!(["lt", "gt", "amp", "quot", "apos", "#10"].contains(&name.as_str()), "{name}");
                }
                _ => {}
            }
        }
        assert_eq!(depth, 0);
        assert_eq!(announced, Some((format!("{cases}"), format!("{failures}"))));
    }
}
