//! The Markdown report.

use fincert_reports::{Format, Style, render};
use fincert_schemas::Lang;

use crate::fixture::{self, Fixture};

fn text(fixture: &Fixture, lang: Lang) -> String {
    let mut out = Vec::new();
    render(Format::Markdown, &fixture.run(), &Style { lang, ..Style::default() }, &mut out)
        .expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn red_english() {
    insta::assert_snapshot!(text(&fixture::red(), Lang::En));
}

#[test]
fn red_chinese() {
    insta::assert_snapshot!(text(&fixture::red(), Lang::Zh));
}

#[test]
fn green_chinese() {
    insta::assert_snapshot!(text(&fixture::green(), Lang::Zh));
}

#[test]
fn as_expected() {
    insta::assert_snapshot!(text(&fixture::as_expected(), Lang::En));
}

/// Every code span of a line, by CommonMark 6.1: a run of backticks closes at the next run of the same length.
fn outside_of_code(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let fence = rest[start..].chars().take_while(|c| *c == '`').count();
        rest = &rest[start + fence..];
        let mut at = 0;
        let close = loop {
            let Some(found) = rest[at..].find('`') else { break None };
            let run = rest[at + found..].chars().take_while(|c| *c == '`').count();
            if run == fence {
                break Some(at + found + run);
            }
            at += found + run;
        };
        match close {
            Some(end) => rest = &rest[end..],
            None => outside.push_str(&"`".repeat(fence)),
        }
    }
    outside.push_str(rest);
    outside
}

#[test]
fn what_a_target_says_stands_in_code_spans_alone() {
    let evil = "OWNED` ``OWNED``` <img src=x onerror=OWNED> [OWNED](javascript:OWNED) @OWNED | OWNED\n# OWNED";
    for evil in [evil.to_owned(), format!("`{evil}"), format!("{evil}``` `"), evil.repeat(40)] {
        let mut fixture = fixture::red();
        let text = |text: &str| text.replace("ocr/id-card/front", &evil);
        for finding in &mut fixture.judgement.findings {
            finding.actual = evil.clone();
            finding.scenario = text(&finding.scenario);
            finding.at = Some(evil.clone());
        }
        for session in &mut fixture.sessions {
            session.hello.name = evil.clone();
            session.hello.version = evil.clone();
            session.hello.platform = evil.clone();
        }
        for certification in &mut fixture.judgement.certifications {
            certification.name = evil.clone();
        }
        fixture.judgement.unexpected_passes = vec![evil.clone()];
        fixture.judgement.causes[0].first = 99;
        fixture.judgement.causes[0].cause = evil.clone();
        fixture.judgement.causes[1].requirements.push(evil.clone());
        fixture.header.target = evil.clone();
        fixture.header.defect = Some(evil.clone());
        fixture.header.filter = Some(evil.clone());
        for lang in [Lang::Zh, Lang::En] {
            let document = self::text(&fixture, lang);
            assert!(document.contains("OWNED"));
            for line in document.lines() {
                assert!(!outside_of_code(line).contains("OWNED"), "{line}");
                // A row of the table has five cells: no bar within one counts (GFM 4.10).
                if line.starts_with('|') {
                    assert_eq!(line.replace("\\|", "").matches('|').count(), 6, "{line}");
                }
            }
        }
    }
}

#[test]
fn a_thousand_causes_are_bounded() {
    let mut fixture = fixture::red();
    let one = fixture.judgement.causes[1].clone();
    fixture.judgement.causes = std::iter::repeat_n(one, 1_000).collect();
    let document = text(&fixture, Lang::En);
    assert!(document.len() < 500_000, "{}", document.len());
    assert!(document.contains("960 more are in the HTML report"));
}
