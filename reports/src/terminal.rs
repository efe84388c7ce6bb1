//! What a person reads after a run: quiet when green, precise when red.
//!
//! From top to bottom: what was certified, what was decided, the causes of failures, then of doubts, then
//! of warnings, accuracy, times, what was not exercised, and last, where the eye rests, the summary.

mod causes;
mod coverage;
mod decisions;
mod flows;
mod fuzz;

use std::collections::BTreeMap;
use std::io::{self, Write};

use fincert_schemas::Lang;
use fincert_schemas::run::{Decision, Ended, Outcome, Reason};

use crate::page::{GLUE, Page, Row, Tone};
use crate::words::{self, count, say, some_of};
use crate::{Run, Standing, Style, Tally};

/// Writes the report.
pub fn render(run: &Run<'_>, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(style);
    head(&mut page, run, style.lang);
    decisions::write(&mut page, run, style.lang);
    causes::write(&mut page, run, style.lang);
    fuzz::write(&mut page, run, style.lang);
    coverage::write(&mut page, run, style.lang);
    accuracy(&mut page, run, style.lang);
    flows::times(&mut page, run, style.lang);
    not_exercised(&mut page, run, style.lang);
    summary(&mut page, run, style.lang);
    out.write_all(page.finish().as_bytes())
}

fn head(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let header = run.header;
    let line = match lang {
        Lang::Zh => format!(" {}，检查集 {}，种子 {}", header.fincert, run.judgement.suites, header.seed),
        Lang::En => format!(" {}, suites {}, seed {}", header.fincert, run.judgement.suites, header.seed),
    };
    page.row(&Row::default().put(Tone::Strong, "fincert").put(Tone::Plain, line));
    let label = || words::label(lang, 0, "目标", "target");
    let mut seen = Vec::new();
    for session in run.sessions {
        if seen.contains(&&session.hello) {
            continue;
        }
        seen.push(&session.hello);
        let hello = &session.hello;
        let state = words::integration(lang, hello.integration);
        let style = words::call_style(lang, hello.call_style);
        let text = match lang {
            Lang::Zh => format!(" {}（{}，{state}，{style}）", hello.version, hello.platform),
            Lang::En => format!(" {} ({}, {state}, {style})", hello.version, hello.platform),
        };
        page.row(&label().put(Tone::Strong, &hello.name).put(Tone::Plain, text));
    }
    let (row, text) = match seen.is_empty() {
        true => (label(), say(lang, "  未曾应答 bridge.hello", "  never said hello")),
        false => (words::label(lang, 0, "", ""), ""),
    };
    page.row(&row.put(Tone::Quiet, &header.target).put(Tone::Bad, text));
    flows::referees(page, run, lang);
    let mut note = |zh: &str, en: &str| page.row(&Row::default().put(Tone::Warn, say(lang, zh, en)));
    if run.is_mock() {
        note(
            "本次认证的是 fincert 自带的模拟宿主，不是任何集成。",
            "This certifies fincert's own mock host and not an integration.",
        );
    }
    if !run.is_mock() && run.sessions.iter().any(|session| session.hello.simulated) {
        note(
            "目标声明真人操作由其模拟（simulated），需要真人的场景并未由真人完成。",
            "The target says that it simulates the person: no person did what the scenarios with a person ask for.",
        );
    }
    if let Some(defect) = &header.defect {
        note(&format!("模拟宿主带有缺陷 {defect}。"), &format!("The mock host was given the defect {defect}."));
    }
    if let Some(chosen_by) = header.chosen_by() {
        note(&format!("只运行了部分场景：{chosen_by}"), &format!("Only some scenarios were run: {chosen_by}"));
    }
    if header.revealed {
        note(
            "本报告含未脱敏的数据（--reveal），请勿外传。",
            "This report holds values that are not masked (--reveal). Do not pass it on.",
        );
    }
}

fn accuracy(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let rows = &run.judgement.accuracy;
    if rows.is_empty() {
        return;
    }
    page.gap();
    let title = say(lang, "识别准确度", "Accuracy");
    let note = say(lang, "与样本真值比较；仅供参考，不影响认证", "against ground truth; reported, never certified on");
    page.row(&Row::default().put(Tone::Strong, title).pad(0).hang().put(Tone::Quiet, note));
    let widest = rows.iter().map(|row| crate::text::columns(&row.field)).max().unwrap_or(0);
    let name = widest.min(page.width() - 36).max(5);
    let columns = [name + 12, name + 21, name + 34];
    let heads = [say(lang, "比较", "compared"), say(lang, "相等", "equal"), say(lang, "相似度", "similarity")];
    let mut head = Row::at(2).put(Tone::Quiet, say(lang, "字段", "field"));
    for (column, text) in columns.into_iter().zip(heads) {
        head = head.right(Tone::Quiet, column, text);
    }
    page.row(&head);
    for row in rows {
        let tone = if row.equal < row.compared { Tone::Warn } else { Tone::Plain };
        let similarity = format!("{}.{} %", row.similarity / 10, row.similarity % 10);
        page.row(
            &Row::at(2)
                .put(Tone::Plain, &row.field)
                .right(Tone::Plain, columns[0], &row.compared.to_string())
                .right(tone, columns[1], &row.equal.to_string())
                .right(Tone::Plain, columns[2], &similarity),
        );
    }
}

fn not_exercised(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let mut by_reason: BTreeMap<Option<Reason>, Vec<&str>> = BTreeMap::new();
    let untouched = run.judgement.requirements.iter().filter(|r| r.outcome == Outcome::NotExercised);
    // What has no check is a matter of fincert and not of the target; the profiles that it keeps from being
    // offered are listed above.
    for requirement in untouched.filter(|r| r.reason != Some(Reason::NoCheck) && concerns(run, &r.requirement)) {
        by_reason.entry(requirement.reason).or_default().push(&requirement.requirement);
    }
    if by_reason.is_empty() {
        return;
    }
    page.gap();
    page.row(&Row::default().put(Tone::Strong, say(lang, "未检验", "Not exercised")));
    for (reason, ids) in by_reason {
        let text = match reason {
            Some(reason) => reason.text().get(lang).to_owned(),
            None => say(lang, "未说明原因。", "No reason was given.").to_owned(),
        };
        let number = ids.len().to_string();
        page.row(&Row::at(0).right(Tone::Plain, 6, &number).pad(8).hang().put(Tone::Plain, text));
        page.row(&Row::at(8).put(Tone::Quiet, some_of(lang, ids, 5)));
        if let Some(reason) = reason.filter(|reason| !matches!(reason, Reason::ConditionNotMet)) {
            page.row(&Row::at(8).put(Tone::Label, "→ ").hang().put(Tone::Plain, reason.advice().get(lang)));
        }
    }
}

/// Whether a requirement belongs to what the run was asked for.
fn concerns(run: &Run<'_>, requirement: &str) -> bool {
    let Some(requirement) = run.ledger.get(requirement) else { return true };
    let asked = &run.judgement.asked;
    let profile = requirement.profile.as_str();
    requirement.profile == fincert_schemas::requirement::EVERY
        || asked.is_empty()
        || match &requirement.capability {
            Some(capability) => run.judgement.asked_for(capability),
            None => asked.iter().any(|name| name.split(':').next() == Some(profile)),
        }
}

fn summary(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let tally = Tally::of(run.judgement, run.transcripts);
    let label = |zh, en| words::label(lang, 0, zh, en);
    page.gap();

    let all = count(lang, tally.requirements, "项要求", "requirement", "requirements");
    let mut row = label("小结", "summary").put(Tone::Plain, all).put(Tone::Plain, say(lang, "：", ": "));
    let shown: Vec<Outcome> = ORDER.iter().copied().filter(|o| *o == Outcome::Pass || tally.get(*o) > 0).collect();
    for (index, outcome) in shown.into_iter().enumerate() {
        if index > 0 {
            row = row.put(Tone::Plain, say(lang, "，", ", "));
        }
        let text = format!("{}{GLUE}{}", tally.get(outcome), words::outcome(lang, outcome));
        row = row.put(if tally.get(outcome) > 0 { words::outcome_tone(outcome) } else { Tone::Plain }, text);
    }
    page.row(&row);

    let mut text = count(lang, tally.scenarios, "个场景", "scenario", "scenarios");
    text.push_str(&match lang {
        Lang::Zh => format!("：{} 已驱动", tally.driven),
        Lang::En => format!(": {} driven", tally.driven),
    });
    for (number, zh, en) in [(tally.skipped, "已跳过", "skipped"), (tally.broken, "中断", "broken off")] {
        if number > 0 {
            text.push_str(&format!("{}{number} {}", say(lang, "，", ", "), say(lang, zh, en)));
        }
    }
    let expected = run.judgement.expected_failures as usize;
    if expected > 0 {
        text.push_str(say(lang, "；", "; "));
        text.push_str(&count(lang, expected, "项预期内的失败", "expected failure", "expected failures"));
    }
    page.row(&label("", "").put(Tone::Plain, text));
    standing(page, run, lang);
}

/// How many profiles and capabilities the result names.
const NAMED: usize = 12;
/// The verdicts in the order of the summary.
const ORDER: [Outcome; 7] = [
    Outcome::Pass,
    Outcome::Warn,
    Outcome::Fail,
    Outcome::Inconclusive,
    Outcome::CouldNotRun,
    Outcome::NotExercised,
    Outcome::NotApplicable,
];

fn standing(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let named = |decision: Decision| -> Vec<&str> {
        let has = |name: &str| run.judgement.certifications.iter().any(|c| c.decision == decision && c.name == name);
        let chosen = run.judgement.certifications.iter().filter(|c| c.decision == decision);
        let chosen = chosen.filter(|c| run.judgement.asked_for(&c.name));
        // A capability goes without saying where its profile is decided alike.
        chosen.map(|c| c.name.as_str()).filter(|name| !name.split_once(':').is_some_and(|(p, _)| has(p))).collect()
    };
    let mut row = Some(words::label(lang, 0, "结论", "result"));
    let mut say_it = |tone: Tone, text: &str, names: &[&str]| {
        let row = row.take().unwrap_or_else(|| words::label(lang, 0, "", "")).put(tone, text);
        page.row(&match names {
            [] => row,
            _ => row
                .put(Tone::Plain, say(lang, "：", ": "))
                .put(Tone::Plain, some_of(lang, names.iter().copied(), NAMED)),
        });
    };
    let refused = named(Decision::NotCertified);
    let failed = run.judgement.verdicts.iter().any(|verdict| crate::is_bad(verdict.outcome));
    match run.judgement.standing {
        Standing::Nothing => say_it(Tone::Bad, say(lang, "没有可供认证的项目", "nothing was there to certify"), &[]),
        Standing::AsExpected => {
            say_it(Tone::Warn, say(lang, "未通过认证，符合预期", "not certified, as expected"), &refused)
        }
        standing => {
            if standing == Standing::UnexpectedPass {
                say_it(Tone::Bad, say(lang, "已知失败项意外通过", "known failures passed"), &[]);
            }
            let unended = run.judgement.certifications.iter().any(|c| c.reason == Some(Reason::Interrupted));
            if unended {
                let text =
                    say(lang, "运行未到终点，不作认证", "the run did not come to its end, and certifies nothing");
                say_it(Tone::Bad, text, &[]);
            }
            if !failed && !run.transcripts.iter().any(|transcript| transcript.ended == Ended::Driven) {
                say_it(Tone::Bad, say(lang, "未能驱动任何场景", "could not run: no scenario was driven"), &[]);
            } else if run.header.chosen_by().is_some() && !failed {
                let text = say(
                    lang,
                    "所选场景没有发现失败；部分运行不作认证",
                    "nothing failed in the scenarios chosen; a run of some does not certify",
                );
                say_it(Tone::Warn, text, &[]);
            } else if !refused.is_empty() {
                say_it(Tone::Bad, words::decision(lang, Decision::NotCertified), &refused);
            }
        }
    }
    let certified = named(Decision::Certified);
    if !certified.is_empty() {
        let word = words::decision(lang, Decision::Certified);
        let mock = say(lang, "（模拟宿主）", " (mock host)");
        say_it(Tone::Good, &format!("{word}{}", if run.is_mock() { mock } else { "" }), &certified);
    }
}
