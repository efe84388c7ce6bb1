//! What fuzzing came to: how many cases of which kind, and each failure with its smallest request.

use fincert_schemas::Lang;
use fincert_schemas::run::fuzz::{CaseKind, FuzzFailure, FuzzSummary};

use crate::Run;
use crate::page::{Page, Row, Tone};
use crate::text::clip;
use crate::words::{self, count, say};

/// How many characters of a request are shown.
const LONGEST: usize = 600;
/// How many requests of one case are shown.
const REQUESTS: usize = 6;
/// Where the fields of a block begin.
const INDENT: usize = 4;

pub(super) fn write(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let all = &run.judgement.fuzz;
    if all.iter().all(|summary| summary.cases.is_empty() && summary.not_driven == 0) {
        return;
    }
    page.gap();
    let title = say(lang, "模糊测试", "Fuzzing");
    let note = say(lang, "由种子和序号生成的请求", "requests that follow from the seed and a number");
    page.row(&Row::default().put(Tone::Strong, title).pad(0).hang().put(Tone::Quiet, note));
    let widest = all.iter().map(|summary| crate::text::columns(&summary.scenario)).max().unwrap_or(0);
    for summary in all {
        let row = Row::at(2).put(Tone::Plain, &summary.scenario).pad(widest + 4).hang();
        page.row(&row.put(Tone::Plain, driven(lang, summary)));
    }
    for summary in all {
        for failure in &summary.failures {
            block(page, run, lang, summary, failure);
        }
    }
}

/// `48 cases: 14 invalid, 12 hostile, …`
fn driven(lang: Lang, summary: &FuzzSummary) -> String {
    let of = |kind: CaseKind| summary.cases.iter().find(|count| count.kind == kind).map_or(0, |count| count.count);
    let kinds = CaseKind::ALL.into_iter().filter(|kind| of(*kind) > 0);
    let kinds: Vec<String> = match lang {
        Lang::Zh => kinds.map(|kind| format!("{} {}", kind_word(lang, kind), of(kind))).collect(),
        Lang::En => kinds.map(|kind| format!("{} {}", of(kind), kind_word(lang, kind))).collect(),
    };
    let total: u64 = summary.cases.iter().map(|count| count.count).sum();
    let total = count(lang, usize::try_from(total).unwrap_or(usize::MAX), "个用例", "case", "cases");
    let mut text = format!("{total}{}{}", say(lang, "：", ": "), kinds.join(say(lang, "、", ", ")));
    if summary.not_driven > 0 {
        text.push_str(&match lang {
            Lang::Zh => format!("；另有 {} 个未驱动（超时或目标多次退出）", summary.not_driven),
            Lang::En => format!("; {} not driven: time was up, or the target went down too often", summary.not_driven),
        });
    }
    text
}

/// A kind of case in words.
fn kind_word(lang: Lang, kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::Control => say(lang, "普通", "plain"),
        CaseKind::Valid => say(lang, "合法", "valid"),
        CaseKind::Hostile => say(lang, "恶意", "hostile"),
        CaseKind::Invalid => say(lang, "非法", "invalid"),
        CaseKind::Overlap => say(lang, "并发", "overlapping"),
        CaseKind::AfterFailure => say(lang, "失败之后", "after failures"),
        CaseKind::Reset => say(lang, "重置之后", "after a reset"),
    }
}

fn block(page: &mut Page, run: &Run<'_>, lang: Lang, summary: &FuzzSummary, failure: &FuzzFailure) {
    page.gap();
    let word = match lang {
        Lang::Zh => words::outcome(lang, failure.outcome).to_owned(),
        Lang::En => failure.outcome.as_str().to_uppercase(),
    };
    let case = match lang {
        Lang::Zh => format!("，用例 {}（{}）", failure.case.index, kind_word(lang, failure.case.kind)),
        Lang::En => format!(", case {} ({})", failure.case.index, kind_word(lang, failure.case.kind)),
    };
    page.row(
        &Row::at(0)
            .put(words::outcome_tone(failure.outcome), word)
            .put(Tone::Plain, "  ")
            .hang()
            .put(Tone::Strong, &summary.scenario)
            .put(Tone::Plain, case)
            .put(Tone::Plain, "  ")
            .put(Tone::Strong, &failure.requirement),
    );
    let field = |zh, en| words::label(lang, INDENT, zh, en);
    page.row(&field("实际", "actual").put(Tone::Plain, clip(&failure.actual, LONGEST).0));
    let smallest = failure.case.smallest;
    let (zh, en) = if smallest { ("最小", "smallest") } else { ("请求", "request") };
    for (place, request) in failure.requests.iter().take(REQUESTS).enumerate() {
        let label = if place == 0 { field(zh, en) } else { field("", "") };
        let (shown, cut) = clip(request, LONGEST);
        page.row(&label.put(Tone::Plain, shown).put(Tone::Quiet, if cut.is_some() { "…" } else { "" }));
    }
    if failure.requests.len() > REQUESTS {
        page.row(&field("", "").put(Tone::Quiet, words::more(lang, failure.requests.len() - REQUESTS)));
    }
    if let Some(what) = broken_rule(lang, failure) {
        page.row(&field("规则", "rule").put(Tone::Plain, what));
    }
    page.row(&field("缩减", "shrunk").put(Tone::Plain, shrunk(lang, failure)));
    page.command(field("重放", "replay"), &run.replay_case(&summary.scenario, failure));
}

/// Which rule the request breaks, or which hostile strings it holds.
fn broken_rule(lang: Lang, failure: &FuzzFailure) -> Option<String> {
    let case = &failure.case;
    if let Some(rule) = &case.rule {
        let at = case.place.as_deref().unwrap_or_default();
        return Some(format!("{rule}{}{at}", say(lang, "，位置 ", " at ")));
    }
    (!case.hostile.is_empty()).then(|| case.hostile.join(", "))
}

fn shrunk(lang: Lang, failure: &FuzzFailure) -> String {
    let seen = count(
        lang,
        usize::try_from(failure.seen).unwrap_or(usize::MAX),
        "个用例中出现",
        "case shows it",
        "cases show it",
    );
    let calls = |number: u32| count(lang, number as usize, "次调用", "call", "calls");
    let what = match &failure.shrunk {
        None => say(lang, "未缩减", "not shrunk").to_owned(),
        Some(said) if !said.again => match lang {
            Lang::Zh => format!("同样的请求再次驱动时没有复现（{}）", calls(said.calls)),
            Lang::En => format!("it did not come again on the same request ({})", calls(said.calls)),
        },
        Some(said) => {
            let after = said.after.map(|after| match lang {
                Lang::Zh => format!("，出现在会话的第 {after} 次调用"),
                Lang::En => format!(", at call {after} of a session"),
            });
            match lang {
                Lang::Zh => format!("{}{}（{}）", said.class, after.unwrap_or_default(), calls(said.calls)),
                Lang::En => format!("{}{} ({})", said.class, after.unwrap_or_default(), calls(said.calls)),
            }
        }
    };
    format!("{what}{}{seen}", say(lang, "；", "; "))
}
