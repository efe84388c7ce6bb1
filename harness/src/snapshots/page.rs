//! One snapshot as a reviewer sees it in the terminal. Pure: the command prints.

use std::fmt::Write;

use fincert_reports::text::{clean, columns, wrap};
use fincert_schemas::{Lang, Ledger, Level};
use fincert_suites::Suite;

use super::diff::{self, Mark};
use super::stored::Entry;

/// So many requirements are shown with their text; the rest by id.
const SPELLED_OUT: usize = 3;

/// How it is shown.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The requirements.
    pub ledger: &'a Ledger,
    /// The scenarios.
    pub suite: &'a Suite,
    /// The language.
    pub lang: Lang,
    /// The width in columns.
    pub width: usize,
    /// Whether colours are wanted.
    pub color: bool,
}

impl View<'_> {
    pub(super) fn say(self, zh: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// What a scenario drives, with its clause.
    pub(super) fn title(self, id: &str) -> String {
        match self.suite.get(id) {
            Some(scenario) => {
                format!("{} {} {}", self.say("条款", "clause"), scenario.clause, scenario.title.get(self.lang))
            }
            // One of the operator's own, or one that is gone.
            None => id.to_owned(),
        }
    }

    /// The page of a snapshot that waits: `place` of `count`.
    pub fn page(self, name: &str, entry: &Entry, place: usize, count: usize) -> String {
        let mut page = String::new();
        let Some(pending) = &entry.pending else { return page };
        let info = &pending.info;
        let kind = match entry.accepted {
            None => self.paint("36", self.say("新增", "new")),
            Some(_) => self.paint("33", self.say("变更", "changed")),
        };
        let _ = writeln!(page, "{}", self.paint("2", &"─".repeat(self.width)));
        let _ = writeln!(page, "{place}/{count}  {kind}  {}", self.paint("1", &clean(name)));
        self.row(&mut page, self.say("场景", "scenario"), &clean(&self.title(&info.scenario)));
        self.row(&mut page, self.say("调用", "call"), &clean(&format!("{} {}", info.call, info.request)));
        for (index, id) in by_weight(self.ledger, entry).iter().enumerate() {
            match self.ledger.get(id) {
                Some(requirement) if index < SPELLED_OUT => {
                    let text = if self.lang == Lang::Zh { &requirement.zh } else { &requirement.en };
                    let level = requirement.level.as_str();
                    self.row(&mut page, &format!("{} {level}", requirement.clause), &format!("{id}: {text}"));
                }
                _ => {
                    let rest = by_weight(self.ledger, entry)[index..].join(", ");
                    self.row(&mut page, self.say("另外涉及", "and also"), &clean(&rest));
                    break;
                }
            }
        }
        for found in &info.findings {
            let sign = if found.outcome == "warn" { "!" } else { "✗" };
            let text = format!("{}: {}", found.requirement, found.actual);
            let code = if found.outcome == "warn" { "33" } else { "31" };
            self.painted_row(&mut page, code, &clean(&format!("{sign} {}", found.outcome)), &clean(&text));
        }
        page.push('\n');
        for (mark, line) in diff::lines(entry) {
            self.line(&mut page, mark, &clean(&line));
        }
        page
    }

    fn row(self, page: &mut String, label: &str, text: &str) {
        self.painted_row(page, "2", label, text);
    }

    /// A label and a text that hangs beside it.
    fn painted_row(self, page: &mut String, code: &str, label: &str, text: &str) {
        const INDENT: usize = 14;
        let pad = INDENT.saturating_sub(columns(label) + 2).max(1);
        let room = self.width.saturating_sub(INDENT + 1).max(20);
        for (index, range) in wrap(text, room, room).into_iter().enumerate() {
            let part = text[range].trim_end();
            match index {
                0 => {
                    let _ = writeln!(page, "  {}{}{part}", self.paint(code, label), " ".repeat(pad));
                }
                _ => {
                    let _ = writeln!(page, "{}{part}", " ".repeat(INDENT));
                }
            }
        }
    }

    /// A line of the diff; what is too long goes on below, under the same sign.
    fn line(self, page: &mut String, mark: Mark, text: &str) {
        let code = match mark {
            Mark::Same => "",
            Mark::Removed => "31",
            Mark::Added => "32",
            Mark::Gap => "2",
        };
        let paint = |text: String| if code.is_empty() { text } else { self.paint(code, &text) };
        let indent = text.len() - text.trim_start().len();
        let room = self.width.saturating_sub(4).max(20);
        let hanging = (indent + 2).min(room / 2);
        let ranges = wrap(text, room, room - hanging);
        if ranges.is_empty() {
            let _ = writeln!(page, "{}", paint(mark.sign().to_string()));
        }
        for (index, range) in ranges.into_iter().enumerate() {
            let hang = if index == 0 { 0 } else { hanging };
            let _ =
                writeln!(page, "{}", paint(format!("{}  {}{}", mark.sign(), " ".repeat(hang), text[range].trim_end())));
        }
    }
}

/// The requirements that speak of it: those with findings first, then by level.
pub(super) fn by_weight(ledger: &Ledger, entry: &Entry) -> Vec<String> {
    let Some(pending) = &entry.pending else { return Vec::new() };
    let found: Vec<&String> = pending.info.findings.iter().map(|found| &found.requirement).collect();
    let mut all: Vec<String> = found.iter().map(|id| (*id).clone()).collect();
    all.extend(pending.info.requirements.iter().cloned());
    let mut seen = std::collections::HashSet::new();
    all.retain(|id| seen.insert(id.clone()));
    all.sort_by_key(|id| {
        let level = ledger.get(id).map_or(3, |requirement| match requirement.level {
            Level::Must => 0,
            Level::Should => 1,
            Level::May => 2,
        });
        (!found.contains(&id), level)
    });
    all
}
