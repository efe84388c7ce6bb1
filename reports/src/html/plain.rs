//! The page without a script: what was decided and why, in the language of the command line.

use std::io::{self, Write};

use fincert_schemas::Lang;
use fincert_schemas::run::{CauseGroup, Certification, Decision};

use super::embed::text;
use crate::Run;
use crate::words::{self, say};

/// How many causes are told.
const CAUSES: usize = 200;

pub(super) fn write(run: &Run<'_>, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let standing = words::standing(lang, run.judgement.standing);
    let note = say(
        lang,
        "此浏览器不运行本页的脚本，因此只显示结论与问题。",
        "This browser does not run this page's script, so it shows decisions and causes alone.",
    );
    writeln!(out, "<noscript><main class=\"plain\">\n<h1>fincert: {standing}</h1>\n<p>{note}</p>")?;
    for session in run.sessions.iter().take(10) {
        let hello = &session.hello;
        writeln!(out, "<p>{} {} ({})</p>", text(&hello.name), text(&hello.version), text(&hello.platform))?;
    }
    writeln!(out, "<p>{} {}</p>", say(lang, "目标", "target"), text(&run.header.target))?;
    if run.is_mock() {
        let own = say(
            lang,
            "本次认证的是 fincert 自带的模拟宿主，不是任何集成。",
            "This certifies fincert's own mock host and not an integration.",
        );
        writeln!(out, "<p>{}</p>", text(own))?;
    }
    writeln!(out, "<table>")?;
    for certification in &run.judgement.certifications {
        decision(certification, lang, out)?;
    }
    writeln!(out, "</table>")?;
    for cause in run.judgement.causes.iter().take(CAUSES) {
        one(run, cause, lang, out)?;
    }
    if run.judgement.causes.len() > CAUSES {
        writeln!(out, "<p>{}</p>", words::more(lang, run.judgement.causes.len() - CAUSES))?;
    }
    writeln!(out, "</main></noscript>")
}

fn decision(certification: &Certification, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let word = words::decision(lang, certification.decision);
    let decided = matches!(certification.decision, Decision::Certified | Decision::NotCertified);
    let ratio = if decided { format!("MUST {}/{}", certification.must_met, certification.must) } else { String::new() };
    writeln!(out, "<tr><th>{}</th><td>{word}</td><td>{ratio}</td></tr>", text(&certification.name))
}

fn one(run: &Run<'_>, cause: &CauseGroup, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let word = words::outcome(lang, cause.outcome);
    let Some(finding) = run.judgement.findings.get(cause.first as usize) else {
        return writeln!(out, "<h2>{word}: {}</h2>", text(&cause.cause));
    };
    let at = finding.at.as_deref().unwrap_or_default();
    writeln!(out, "<h2>{word}: {} {}</h2>\n<dl>", text(&finding.scenario), text(at))?;
    let mut field =
        |zh: &str, en: &str, value: &str| writeln!(out, "<dt>{}</dt><dd>{}</dd>", say(lang, zh, en), text(value));
    field("预期", "expected", finding.expected.get(lang))?;
    field("实际", "actual", &finding.actual)?;
    for id in cause.requirements.iter().take(10) {
        let said = run.ledger.get(id).map_or("", |r| if lang == Lang::Zh { &r.zh } else { &r.en });
        field("要求", "requirement", &format!("{id} {said}"))?;
    }
    field("重放", "replay", &run.replay_finding(finding))?;
    writeln!(out, "</dl>")
}
