//! The causes: one block for each thing to mend, the requirements it breaks beneath it.

use fincert_schemas::run::{CauseGroup, Finding, Outcome};
use fincert_schemas::{Lang, Level};

use super::flows::Shown;
use crate::Run;
use crate::page::{Page, Row, Tone};
use crate::text::clip;
use crate::words::{self, count, more, say, some_of};

/// How many requirements of a cause are spelled out.
const SPELLED_OUT: usize = 5;
/// How many other scenarios of a cause are named.
const SCENARIOS: usize = 3;
/// How many characters of a text that may come from a target are shown.
const LONGEST: usize = 240;
/// The same where little is said.
const SHORT: usize = 100;
/// Where the fields of a block begin.
const INDENT: usize = 4;

/// How much is said about a cause.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Everything.
    Failure,
    /// Everything but the specification's words.
    Doubt,
    /// What was declared to fail: shortly.
    Known,
    /// Shortly.
    Warning,
}

pub(super) fn write(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let mut causes: Vec<(Class, &CauseGroup)> =
        run.judgement.causes.iter().map(|cause| (class(run, cause), cause)).collect();
    causes.sort_by_key(|(class, _)| *class);
    let failures = causes.partition_point(|(class, _)| *class == Class::Failure);
    let mut shown = Shown::default();
    for (class, cause) in &causes[..failures] {
        block(page, run, lang, *class, cause, &mut shown);
    }
    unexpected(page, run, lang);
    for (class, cause) in &causes[failures..] {
        block(page, run, lang, *class, cause, &mut shown);
    }
    shown.finish(page, lang);
}

fn class(run: &Run<'_>, cause: &CauseGroup) -> Class {
    let mut bad = run.findings_of(&cause.cause).filter(|finding| crate::is_bad(finding.outcome)).peekable();
    let some = bad.peek().is_some();
    match cause.outcome {
        _ if some && bad.all(|finding| run.is_known(&finding.requirement, &finding.scenario)) => Class::Known,
        Outcome::Fail => Class::Failure,
        Outcome::Inconclusive | Outcome::CouldNotRun => Class::Doubt,
        _ => Class::Warning,
    }
}

fn block<'a>(page: &mut Page, run: &Run<'a>, lang: Lang, class: Class, cause: &CauseGroup, shown: &mut Shown<'a>) {
    page.gap();
    let Some(finding) = run.judgement.findings.get(cause.first as usize) else {
        // A record that someone cut. What failed is said all the same.
        page.row(&word(lang, class, cause).put(Tone::Strong, &cause.cause));
        return requirements(page, run, lang, class, &cause.requirements);
    };
    page.row(&headline(lang, class, cause, finding));
    let field = |zh, en| words::label(lang, INDENT, zh, en);
    let full = matches!(class, Class::Failure | Class::Doubt);
    let clipped = |text: &str| clipped(lang, text, if full { LONGEST } else { SHORT });

    page.row(&field("预期", "expected").put(Tone::Plain, clipped(finding.expected.get(lang))));
    page.row(&field("实际", "actual").put(Tone::Plain, clipped(&finding.actual)));
    let reason = run.verdict(&finding.requirement, &finding.scenario).and_then(|verdict| verdict.reason);
    if let Some(reason) = reason.filter(|_| full) {
        page.row(&field("原因", "reason").put(Tone::Plain, reason.text().get(lang)));
    }
    let advice = reason.map(|reason| reason.advice());
    if let Some(hint) = finding.hint.clone().or(advice).filter(|_| full) {
        page.row(&field("提示", "hint").put(Tone::Plain, clipped(hint.get(lang))));
    }
    let others = cause.scenarios.iter().map(String::as_str).filter(|scenario| *scenario != finding.scenario);
    if cause.scenarios.len() > 1 {
        let seen = match lang {
            Lang::Zh => format!("（共 {} 个场景）", cause.scenarios.len()),
            Lang::En => format!(" ({} scenarios in all)", cause.scenarios.len()),
        };
        page.row(&field("另见", "also in").put(Tone::Plain, some_of(lang, others, SCENARIOS)).put(Tone::Quiet, seen));
    }
    if full {
        shown.show(page, run, lang, finding, INDENT);
        page.command(field("重放", "replay"), &run.replay_finding(finding));
    }
    requirements(page, run, lang, class, &cause.requirements);
}

fn word(lang: Lang, class: Class, cause: &CauseGroup) -> Row {
    let word = match (class, lang) {
        (Class::Known, _) => say(lang, "已知失败", "KNOWN").to_owned(),
        (_, Lang::Zh) => words::outcome(lang, cause.outcome).to_owned(),
        (_, Lang::En) => cause.outcome.as_str().to_uppercase(),
    };
    let tone = if class == Class::Known { Tone::Quiet } else { words::outcome_tone(cause.outcome) };
    Row::at(0).put(tone, word).put(Tone::Plain, "  ").hang()
}

/// The verdict and where it was found: what a compiler's `file:line:column` is to a program.
fn headline(lang: Lang, class: Class, cause: &CauseGroup, finding: &Finding) -> Row {
    let mut row = word(lang, class, cause).put(Tone::Strong, &finding.scenario);
    if let Some(case) = finding.case {
        row = row.put(
            Tone::Plain,
            match lang {
                Lang::Zh => format!("，用例 {case}"),
                Lang::En => format!(", case {case}"),
            },
        );
    }
    if let Some(step) = finding.step {
        row = row.put(
            Tone::Plain,
            match lang {
                Lang::Zh => format!("，第 {step} 步"),
                Lang::En => format!(", step {step}"),
            },
        );
    }
    match finding.at.as_deref() {
        None => row,
        Some("") => row.put(Tone::Plain, say(lang, "，整个值", ", the whole value")),
        Some(at) => row.put(Tone::Plain, say(lang, "，", ", at ")).put(Tone::Strong, clipped(lang, at, SHORT)),
    }
}

fn requirements(page: &mut Page, run: &Run<'_>, lang: Lang, class: Class, ids: &[String]) {
    if class == Class::Failure {
        page.gap();
    }
    for id in ids.iter().take(SPELLED_OUT) {
        let Some(requirement) = run.ledger.get(id) else {
            page.row(&Row::at(INDENT).put(Tone::Strong, id));
            continue;
        };
        let tone = if requirement.level == Level::Must { Tone::Strong } else { Tone::Plain };
        let clause = format!("{} {} {}", say(lang, "条款", "clause"), requirement.clause, requirement.level.as_str());
        page.row(&Row::at(INDENT).hang_at(INDENT + 2).put(tone, clause).put(Tone::Plain, "  ").put(Tone::Strong, id));
        let text = |lang: Lang| if lang == Lang::Zh { &requirement.zh } else { &requirement.en };
        page.row(&Row::at(INDENT + 2).put(Tone::Plain, text(lang)));
        if class == Class::Failure {
            page.row(&Row::at(INDENT + 2).put(Tone::Quiet, text(words::other(lang))));
            for quote in &requirement.quote {
                page.row(&Row::at(INDENT + 2).put(Tone::Quiet, format!("“{quote}”")));
            }
        }
    }
    if ids.len() > SPELLED_OUT {
        page.row(&Row::at(INDENT).put(Tone::Quiet, more(lang, ids.len() - SPELLED_OUT).trim_start()));
    }
}

fn unexpected(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let passes = &run.judgement.unexpected_passes;
    if passes.is_empty() {
        return;
    }
    page.gap();
    let word = say(lang, "意外通过", "UNEXPECTED PASS");
    let number = count(lang, passes.len(), "项已知失败现已通过", "known failure passed", "known failures passed");
    page.row(&Row::at(0).put(Tone::Bad, word).put(Tone::Plain, "  ").hang().put(Tone::Plain, number));
    for pass in passes {
        page.row(&Row::at(INDENT).put(Tone::Strong, pass));
    }
    let advice = say(lang, "请将其从已知失败列表中删除。", "Take it off the known-failing list.");
    page.row(&words::label(lang, INDENT, "提示", "hint").put(Tone::Plain, advice));
}

fn clipped(lang: Lang, text: &str, limit: usize) -> String {
    match clip(text, limit) {
        (text, None) => text.to_owned(),
        (head, Some(chars)) => match lang {
            Lang::Zh => format!("{head}…（共 {chars} 个字符）"),
            Lang::En => format!("{head}… ({chars} characters)"),
        },
    }
}
