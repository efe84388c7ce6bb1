//! How many rules of the schemas the run has exercised, in a line; which ones stand in the HTML and JSON reports.

use fincert_schemas::Lang;

use crate::Run;
use crate::page::{Page, Row, Tone};
use crate::words::{count, say};

pub(super) fn write(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let rules = || run.judgement.coverage.iter().flat_map(|table| &table.rules);
    let all = rules().count();
    if all == 0 {
        return;
    }
    let kept = rules().filter(|rule| rule.valid > 0).count();
    let broken = rules().filter(|rule| rule.invalid > 0).count();
    let tables = count(lang, run.judgement.coverage.len(), "张表", "table", "tables");
    let text = match lang {
        Lang::Zh => format!("{tables}的 {all} 条规则中，{kept} 条被遵守过，{broken} 条被违反过"),
        Lang::En => format!("of {all} in {tables}, {kept} were kept by some value and {broken} broken by some"),
    };
    page.gap();
    let title = say(lang, "模式规则", "Schema rules");
    page.row(&Row::default().put(Tone::Strong, title).pad(0).hang().put(Tone::Quiet, text));
}
