//! The HTML report, as far as it can be looked at without a browser. `harness/tests/html_report.rs` opens it in one.

use fincert_reports::{Format, Run, Style, render};
use fincert_schemas::Lang;
use fincert_schemas::run::{Judgement, RunHeader};
use serde_json::Value;

use crate::calls;
use crate::fixture::{self, Fixture, HOSTILE};

fn page(fixture: &Fixture, lang: Lang) -> String {
    written(&fixture.run(), lang)
}

fn written(run: &Run<'_>, lang: Lang) -> String {
    let mut out = Vec::new();
    render(Format::Html, run, &Style { lang, ..Style::default() }, &mut out).expect("a vector takes everything");
    String::from_utf8(out).expect("UTF-8")
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let from = text.find(begin).expect("it begins") + begin.len();
    &text[from..from + text[from..].find(end).expect("it ends")]
}

/// The blocks of data, by their ids.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let pieces = page.split("<script type=\"application/json\" id=\"").skip(1);
    pieces
        .map(|piece| {
            let (id, rest) = piece.split_once("\">").expect("the tag ends");
            (id, rest.split_once("</script>").expect("the block ends").0)
        })
        .collect()
}

fn data(page: &str) -> Value {
    let (_, block) = blocks(page).into_iter().find(|(id, _)| *id == "data").expect("there is data");
    serde_json::from_str(block).expect("it is JSON")
}

#[test]
fn what_the_page_is_given() {
    let text = serde_json::to_string_pretty(&data(&page(&calls::flows(), Lang::Zh))).expect("JSON");
    let words = text.find("\n  \"words\": ").expect("the words come last");
    insta::assert_snapshot!(text[..words].replace(&"很长的文字".repeat(200), "…"));
}

#[test]
fn without_a_script() {
    let red = page(&fixture::red(), Lang::En);
    let plain = between(&red, "<noscript>", "</noscript>");
    insta::assert_snapshot!(plain.replace(&"很长的文字".repeat(200), "…"));
}

#[test]
fn blocks_hold_no_markup_and_change_no_value() {
    let mut fixture = calls::flows();
    fixture.judgement.findings[0].actual = format!("</script><!--<script>{HOSTILE}");
    fixture.sessions[0].hello.name = format!("</title>{HOSTILE}");
    let page = page(&fixture, Lang::En);
    let found = blocks(&page);
    assert!(found.len() > 2, "transcripts have blocks of their own");
    for (id, block) in found {
        let harmless = |c: char| !matches!(c, '<' | '>' | '&' | '\u{202e}' | '\u{2028}') && !c.is_control();
        assert!(block.chars().all(harmless), "{id}");
    }
    let data = data(&page);
    let first = data["findings"]["0"]["actual"].as_str().expect("the finding");
    assert_eq!(first, fixture.judgement.findings[0].actual);
    assert_eq!(page.matches("</title>").count(), 1);
    assert!(between(&page, "<title>", "</title>").contains("&lt;/title&gt;string"));
}

#[test]
fn it_loads_nothing_and_says_so() {
    use base64::Engine;
    use sha2::Digest;
    let page = page(&fixture::red(), Lang::Zh);
    let policy = between(&page, "Content-Security-Policy\" content=\"", "\"");
    let digest = |text: &str| base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text.as_bytes()));
    let style = digest(between(&page, "<style>", "</style>"));
    let script = digest(between(&page, "\n<script>", "</script>"));
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
        )
    );
    let code = page.replace("http://www.w3.org/2000/svg", "");
    for resource in
        ["http:", "https:", "//cdn", "src=", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacent", "eval("]
    {
        assert!(!code.contains(resource), "{resource}");
    }
    assert!(page.starts_with("<!doctype html>\n<html lang=\"zh-CN\">"));
    assert_eq!(page, self::page(&fixture::red(), Lang::Zh), "equal runs give equal bytes");
}

#[test]
fn a_run_of_which_nothing_is_left_is_shown() {
    let (header, judgement, ledger) = (RunHeader::default(), Judgement::default(), fincert_schemas::Ledger::default());
    let run = Run {
        header: &header,
        sessions: &[],
        transcripts: &[],
        judgement: &judgement,
        ledger: &ledger,
        digests: &[],
        replay: &|scenario| scenario.to_owned(),
    };
    for format in Format::ALL {
        let mut out = Vec::new();
        render(*format, &run, &Style::default(), &mut out).expect("a vector takes everything");
        assert!(!out.is_empty(), "{format}");
    }
    assert_eq!(data(&written(&run, Lang::En))["standing"], "nothing");
}

#[test]
fn too_many_transcripts_are_left_out_those_without_findings_first() {
    let mut fixture = calls::flows();
    let found = fixture.judgement.findings[0].scenario.clone();
    let telling = fixture.transcripts.iter().find(|t| t.scenario == found).expect("it was driven").clone();
    let mut heavy = telling.clone();
    heavy.scenario = "heavy".into();
    let event = heavy.events[0].clone();
    heavy.events = std::iter::repeat_n(event, 40_000).collect();
    fixture.transcripts = vec![heavy; 8];
    for (index, transcript) in fixture.transcripts.iter_mut().enumerate() {
        transcript.scenario = format!("heavy.{index}");
    }
    fixture.transcripts.push(telling);
    let page = page(&fixture, Lang::En);
    assert!(page.len() < 26 * 1024 * 1024, "{}", page.len());
    let data = data(&page);
    assert!(data["leftOut"].as_u64().expect("a number") > 0);
    let scenarios = data["scenarios"].as_array().expect("scenarios");
    let one = scenarios.iter().find(|one| one["id"] == found.as_str()).expect("it is there");
    assert_eq!(one["drives"][0]["block"], 8);
}
