//! Markdown, for the summary of a CI job: what was decided, and what there is to mend. GitHub Flavored Markdown.
//!
//! What a target may have said stands in code spans alone: there nothing is a link, a mention, a picture or HTML.
//! Bounded, since GitHub refuses a summary above 1 MiB: the rest is counted, and named by where it is.

use std::io::{self, BufWriter, Write};

use fincert_schemas::run::{CauseGroup, Decision, Outcome};
use fincert_schemas::{Lang, Level};

use crate::text::{clean, clip};
use crate::words::{self, say, some_of};
use crate::{Run, Standing, Tally};

/// How many causes are told.
const CAUSES: usize = 40;
/// How many requirements of a cause are spelled out.
const SPELLED_OUT: usize = 5;
/// How many missing requirements of a decision are named.
const NAMED: usize = 3;
/// How many characters of a text that may come from a target are shown.
const LONGEST: usize = 240;

/// Writes the document.
pub fn render(run: &Run<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    head(run, lang, &mut out)?;
    decisions(run, lang, &mut out)?;
    tally(run, lang, &mut out)?;
    causes(run, lang, &mut out)?;
    unexpected(run, lang, &mut out)?;
    out.flush()
}

fn head(run: &Run<'_>, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let sign = match run.judgement.standing {
        Standing::Certified => "✅",
        Standing::AsExpected => "🟡",
        Standing::NotCertified | Standing::UnexpectedPass | Standing::Nothing => "❌",
    };
    let word = words::standing(lang, run.judgement.standing);
    writeln!(out, "## {sign} fincert: {word}\n")?;
    let mut seen = Vec::new();
    for hello in run.sessions.iter().map(|session| &session.hello) {
        if seen.contains(&hello) {
            continue;
        }
        seen.push(hello);
        let state = words::integration(lang, hello.integration);
        let name = code(&format!("{} {}", hello.name, hello.version));
        writeln!(out, "- {name} ({}, {state})", code(&hello.platform))?;
    }
    if seen.is_empty() {
        writeln!(out, "- {}", say(lang, "目标未曾应答 bridge.hello", "The target never said hello"))?;
    }
    let header = run.header;
    let (target, seed) = (code(&header.target), header.seed);
    let suites = clean(&run.judgement.suites);
    match lang {
        Lang::Zh => writeln!(out, "- 目标 {target}，检查集 {}，种子 {seed}", text(&suites))?,
        Lang::En => writeln!(out, "- target {target}, suites {}, seed {seed}", text(&suites))?,
    }
    let mut notes: Vec<String> = Vec::new();
    if run.is_mock() {
        let own = say(
            lang,
            "本次认证的是 fincert 自带的模拟宿主，不是任何集成。",
            "This certifies fincert's own mock host and not an integration.",
        );
        notes.push(own.to_owned());
    }
    if let Some(defect) = &header.defect {
        notes.push(format!("{} {}", say(lang, "模拟宿主带有缺陷", "The mock host was given the defect"), code(defect)));
    }
    if let Some(chosen_by) = header.chosen_by() {
        let few = say(lang, "只运行了部分场景：", "Only some scenarios were run:");
        notes.push(format!("{few} {}", code(&chosen_by)));
    }
    if header.revealed {
        let masked = say(
            lang,
            "本报告含未脱敏的数据（--reveal），请勿外传。",
            "This report holds values that are not masked (--reveal). Do not pass it on.",
        );
        notes.push(masked.to_owned());
    }
    for note in notes {
        write!(out, "\n> **{}** {note}\n", say(lang, "注意", "Note"))?;
    }
    Ok(())
}

fn decisions(run: &Run<'_>, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let shown = |decision: Decision| decision != Decision::NotAsked;
    let shown: Vec<_> = run.judgement.certifications.iter().filter(|c| shown(c.decision)).collect();
    if shown.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n| {} | {} | MUST | {} | {} |\n|---|---|--:|--:|---|",
        say(lang, "项目", "profile"),
        say(lang, "结论", "decision"),
        say(lang, "警告", "warnings"),
        say(lang, "缺少", "in the way"),
    )?;
    for certification in shown {
        let sign = match certification.decision {
            Decision::Certified => "✅",
            Decision::NotCertified => "❌",
            Decision::NotAsked | Decision::NotOffered => "–",
        };
        let ids: Vec<String> = certification.missing.iter().map(|missing| code(&missing.requirement)).collect();
        let word = words::decision(lang, certification.decision);
        let (met, must) = (certification.must_met, certification.must);
        let ratio =
            if certification.decision == Decision::NotOffered { String::new() } else { format!("{met}/{must}") };
        writeln!(
            out,
            "| {} | {sign} {word} | {ratio} | {} | {} |",
            cell(&code(&certification.name)),
            certification.warnings,
            cell(&some_of(lang, ids.iter().map(String::as_str), NAMED)),
        )?;
    }
    Ok(())
}

fn tally(run: &Run<'_>, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let tally = Tally::of(run.judgement, run.transcripts);
    let comma = say(lang, "，", ", ");
    let mut parts = Vec::new();
    for outcome in ORDER {
        if tally.get(outcome) > 0 {
            parts.push(format!("{} {}", tally.get(outcome), words::outcome(lang, outcome)));
        }
    }
    let (all, scenarios, driven) = (tally.requirements, tally.scenarios, tally.driven);
    match lang {
        Lang::Zh => write!(out, "\n{all} 项要求：{}。{scenarios} 个场景：{driven} 已驱动", parts.join(comma))?,
        Lang::En => {
            let s = |number: usize| if number == 1 { "" } else { "s" };
            let parts = parts.join(comma);
            write!(
                out,
                "\n{all} requirement{}: {parts}. {scenarios} scenario{}: {driven} driven",
                s(all),
                s(scenarios)
            )?;
        }
    }
    for (number, zh, en) in [(tally.skipped, "已跳过", "skipped"), (tally.broken, "中断", "broken off")] {
        if number > 0 {
            write!(out, "{comma}{number} {}", say(lang, zh, en))?;
        }
    }
    writeln!(out, "{}", say(lang, "。", "."))
}

/// The verdicts in the order of a summary.
const ORDER: [Outcome; 7] = [
    Outcome::Pass,
    Outcome::Warn,
    Outcome::Fail,
    Outcome::Inconclusive,
    Outcome::CouldNotRun,
    Outcome::NotExercised,
    Outcome::NotApplicable,
];

fn causes(run: &Run<'_>, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let mut causes: Vec<&CauseGroup> = run.judgement.causes.iter().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.outcome));
    if causes.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### {}\n", say(lang, "问题", "What to mend"))?;
    for cause in causes.iter().take(CAUSES) {
        one(run, lang, cause, out)?;
    }
    if causes.len() > CAUSES {
        let number = causes.len() - CAUSES;
        match lang {
            Lang::Zh => writeln!(out, "另有 {number} 个问题，见 HTML 报告：`--report html=PATH`。")?,
            Lang::En => writeln!(out, "{number} more are in the HTML report: `--report html=PATH`.")?,
        }
    }
    Ok(())
}

fn one(run: &Run<'_>, lang: Lang, cause: &CauseGroup, out: &mut impl Write) -> io::Result<()> {
    let sign = match cause.outcome {
        Outcome::Fail => "❌",
        Outcome::Inconclusive | Outcome::CouldNotRun => "❔",
        _ => "⚠️",
    };
    let word = words::outcome(lang, cause.outcome);
    let Some(finding) = run.judgement.findings.get(cause.first as usize) else {
        // A record that someone cut. What failed is said all the same.
        return writeln!(out, "- {sign} **{word}** {}\n", code(&cause.cause));
    };
    let known = crate::is_bad(finding.outcome) && run.is_known(&finding.requirement, &finding.scenario);
    let known = if known { say(lang, "（已知失败）", " (known failure)") } else { "" };
    write!(out, "- {sign} **{word}**{known} {}", code(&finding.scenario))?;
    if let Some(step) = finding.step {
        match lang {
            Lang::Zh => write!(out, "，第 {step} 步")?,
            Lang::En => write!(out, ", step {step}")?,
        }
    }
    if let Some(case) = finding.case {
        match lang {
            Lang::Zh => write!(out, "，用例 {case}")?,
            Lang::En => write!(out, ", case {case}")?,
        }
    }
    if let Some(at) = finding.at.as_deref().filter(|at| !at.is_empty()) {
        write!(out, "{}{}", say(lang, "，", ", at "), code(at))?;
    }
    writeln!(out)?;
    let mut field =
        |zh: &str, en: &str, value: String| writeln!(out, "  - {}{}{value}", say(lang, zh, en), say(lang, "：", ": "));
    field("预期", "expected", code(finding.expected.get(lang)))?;
    field("实际", "actual", code(&finding.actual))?;
    if let Some(hint) = &finding.hint {
        field("提示", "hint", code(hint.get(lang)))?;
    }
    for id in cause.requirements.iter().take(SPELLED_OUT) {
        let Some(requirement) = run.ledger.get(id) else {
            field("要求", "requirement", code(id))?;
            continue;
        };
        let words = if lang == Lang::Zh { &requirement.zh } else { &requirement.en };
        let level = if requirement.level == Level::Must { "**MUST**" } else { requirement.level.as_str() };
        field("条款", "clause", format!("{} {level} {} {}", requirement.clause, code(id), text(words)))?;
    }
    let (requirements, scenarios) = (cause.requirements.len(), cause.scenarios.len());
    if requirements > SPELLED_OUT {
        field("要求", "requirements", requirements.to_string())?;
    }
    if scenarios > 1 {
        field("场景数", "scenarios", scenarios.to_string())?;
    }
    field("重放", "replay", whole(&run.replay_finding(finding)))?;
    writeln!(out)
}

fn unexpected(run: &Run<'_>, lang: Lang, out: &mut impl Write) -> io::Result<()> {
    let passes = &run.judgement.unexpected_passes;
    if passes.is_empty() {
        return Ok(());
    }
    let advice = say(lang, "请将其从已知失败列表中删除", "Take them off the known-failing list");
    writeln!(out, "\n### {}\n\n{advice}{}\n", say(lang, "意外通过", "Unexpected passes"), say(lang, "：", ":"))?;
    for pass in passes.iter().take(CAUSES) {
        writeln!(out, "- {}", code(pass))?;
    }
    if passes.len() > CAUSES {
        writeln!(out, "- {}", words::more(lang, passes.len() - CAUSES).trim_start())?;
    }
    Ok(())
}

/// Text of the specification or of fincert, with everything escaped that Markdown could take for its own.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | ';' | ':' | '\'' | '"' | '/' | '%' | '=') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A code span, cut where it is long.
fn code(text: &str) -> String {
    match clip(text, LONGEST) {
        (text, None) => whole(text),
        (head, Some(chars)) => format!("{} … ({chars})", whole(head)),
    }
}

/// A code span. Its fence is longer than any run of backticks within (CommonMark 6.1).
fn whole(text: &str) -> String {
    let text = clean(text);
    if text.trim().is_empty() {
        return "` `".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // One blank at each end is taken off again.
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// In a table even a code span gives way to a bar (GFM 4.10).
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
