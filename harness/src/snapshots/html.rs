//! What waits for a reviewer, as one HTML file for who only reads: no script, nothing from elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write;

use fincert_reports::text::clean;
use fincert_schemas::Lang;

use super::diff::{self, Mark};
use super::page::{View, by_weight};
use super::stored::Entry;

const STYLE: &str = include_str!("page.css");

/// The page.
pub fn html(view: View<'_>, entries: &BTreeMap<String, Entry>, left_over: &[String]) -> String {
    let waiting: Vec<_> = entries.iter().filter(|(_, entry)| entry.pending.is_some()).collect();
    let lang = if view.lang == Lang::Zh { "zh-CN" } else { "en" };
    let title = view.say("待审阅的快照", "Snapshots to review");
    let mut page = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    );
    let changed = waiting.iter().filter(|(_, entry)| entry.accepted.is_some()).count();
    let new = waiting.len() - changed;
    let accepted = entries.values().filter(|entry| entry.accepted.is_some()).count();
    let _ = writeln!(
        page,
        "<p>{}</p>",
        match view.lang {
            Lang::Zh => format!("变更 {changed}，新增 {new}，已接受 {accepted}"),
            Lang::En => format!("{changed} changed, {new} new, {accepted} accepted"),
        }
    );
    if !left_over.is_empty() {
        let _ = writeln!(page, "<h2>{}</h2>\n<ul>", view.say("不再产生的快照", "Nothing produces these any more"));
        for name in left_over {
            let _ = writeln!(page, "<li><code>{}</code></li>", escape(name));
        }
        page.push_str("</ul>\n");
    }
    if waiting.len() > 1 {
        page.push_str("<nav><ol>\n");
        for (index, (name, entry)) in waiting.iter().enumerate() {
            let _ = writeln!(page, "<li><a href=\"#s{index}\">{}</a> {}</li>", escape(name), kind(view, entry));
        }
        page.push_str("</ol></nav>\n");
    }
    for (index, (name, entry)) in waiting.iter().enumerate() {
        article(view, &mut page, index, name, entry);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn kind(view: View<'_>, entry: &Entry) -> String {
    match entry.accepted {
        None => format!("<span class=\"kind\">{}</span>", view.say("新增", "new")),
        Some(_) => format!("<span class=\"kind changed\">{}</span>", view.say("变更", "changed")),
    }
}

fn article(view: View<'_>, page: &mut String, index: usize, name: &str, entry: &Entry) {
    let Some(pending) = &entry.pending else { return };
    let info = &pending.info;
    let _ = writeln!(page, "<article id=\"s{index}\">\n<h2>{} {}</h2>", escape(name), kind(view, entry));
    let _ = writeln!(
        page,
        "<p>{}</p>\n<p><code>{}</code></p>",
        escape(&view.title(&info.scenario)),
        escape(&format!("{} {}", info.call, info.request))
    );
    for found in &info.findings {
        let class = if found.outcome == "warn" { "warn" } else { "fail" };
        let _ = writeln!(
            page,
            "<p class=\"found {class}\"><strong>{}</strong> <code>{}</code> {}</p>",
            escape(&found.outcome),
            escape(&found.requirement),
            escape(&found.actual)
        );
    }
    page.push_str("<pre>");
    for (mark, line) in diff::lines(entry) {
        let class = match mark {
            Mark::Same => "same",
            Mark::Removed => "removed",
            Mark::Added => "added",
            Mark::Gap => "gap",
        };
        // The spans are blocks: a line feed between them would be one more line.
        let _ = write!(page, "<span class=\"{class}\">{} {}</span>", mark.sign(), escape(&line));
    }
    page.push_str("</pre>\n");
    let ids = by_weight(view.ledger, entry);
    if !ids.is_empty() {
        let _ = writeln!(
            page,
            "<details>\n<summary>{}</summary>\n<dl>",
            view.say("相关条款", "What the specification says")
        );
        for id in ids {
            let Some(requirement) = view.ledger.get(&id) else { continue };
            let text = if view.lang == Lang::Zh { &requirement.zh } else { &requirement.en };
            let level = requirement.level.as_str();
            let _ = writeln!(
                page,
                "<dt>{} {level} <code>{}</code></dt><dd>{}</dd>",
                escape(&requirement.clause),
                escape(&id),
                escape(text)
            );
        }
        page.push_str("</dl>\n</details>\n");
    }
    page.push_str("</article>\n");
}

/// Text that may be hostile, for HTML: nothing of it is markup, and nothing steers the eye.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
