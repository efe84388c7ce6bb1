//! WebRTC flows: the time line of a cause's flow, and how long each flow took.

use std::cmp::Reverse;
use std::collections::HashSet;

use fincert_schemas::Lang;
use fincert_schemas::run::Finding;
use fincert_schemas::run::flow::Referees;

use crate::page::{Page, Row, Tone};
use crate::text::columns;
use crate::timeline::{self, Who};
use crate::words::{self, more, say};
use crate::{FlowTimes, Run};

/// How many flows are shown as time lines.
const SHOWN: usize = 5;
/// How many flows are listed with their times.
const LISTED: usize = 10;

/// The flows whose time lines were shown.
#[derive(Debug, Default)]
pub(super) struct Shown<'a> {
    scenarios: HashSet<&'a str>,
    left_out: HashSet<&'a str>,
}

impl<'a> Shown<'a> {
    /// Shows the time line of the flow that a finding is of, by each referee that drove it; once a flow, and not of too
    /// many.
    pub(super) fn show(&mut self, page: &mut Page, run: &Run<'_>, lang: Lang, finding: &'a Finding, indent: usize) {
        let scenario = finding.scenario.as_str();
        let label = || words::label(lang, indent, "经过", "timeline");
        let flows: Vec<_> = run.flows(scenario).collect();
        if flows.is_empty() {
            return;
        }
        if self.scenarios.contains(scenario) {
            return page.row(&label().put(Tone::Quiet, say(lang, "见上文同一场景", "see above, at the same scenario")));
        }
        if self.scenarios.len() == SHOWN {
            self.left_out.insert(scenario);
            return;
        }
        self.scenarios.insert(scenario);
        // Steps are calls; the other referee may have come there by another number of them.
        let focus = finding.step.filter(|_| flows.len() == 1);
        for transcript in flows {
            let Some(referee) = transcript.referee else { continue };
            let Some(entries) = timeline::of(transcript, lang, focus) else { continue };
            page.row(&label().put(Tone::Strong, referee.as_str()));
            let widest = entries.iter().map(|entry| columns(&entry.moment())).max().unwrap_or(0);
            let who = indent + widest + 2;
            for entry in entries {
                let moment = if entry.at_ms.is_none() { entry.tone } else { Tone::Quiet };
                let row = Row::at(indent).right(moment, indent + widest, &entry.moment()).pad(who);
                let row = row.put(Tone::Label, entry.who.word(lang)).pad(who + Who::WIDEST + 2).hang();
                page.row(&row.put(entry.tone, &entry.text));
            }
        }
    }

    /// Says where the other time lines are.
    pub(super) fn finish(self, page: &mut Page, lang: Lang) {
        let number = self.left_out.len();
        if number == 0 {
            return;
        }
        page.gap();
        let text = match lang {
            Lang::Zh => format!("另有 {number} 个流程的经过见 JUnit 报告：--report junit=PATH"),
            Lang::En if number == 1 => {
                "The timeline of 1 more flow is in the JUnit report: --report junit=PATH".to_owned()
            }
            Lang::En => format!("The timelines of {number} more flows are in the JUnit report: --report junit=PATH"),
        };
        page.row(&Row::at(0).put(Tone::Quiet, text));
    }
}

/// How long the flows took, the longest first.
pub(super) fn times(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let mut times: Vec<FlowTimes<'_>> = run.transcripts.iter().filter_map(FlowTimes::of).collect();
    if times.is_empty() {
        return;
    }
    times.sort_by_key(|flow| Reverse(flow.duration_ms));
    page.gap();
    let title = say(lang, "流程用时", "Time per flow");
    let note = say(lang, "仅供参考，不影响认证", "reported, never certified on");
    page.row(&Row::default().put(Tone::Strong, title).pad(0).hang().put(Tone::Quiet, note));
    let shown = &times[..times.len().min(LISTED)];
    let widest = shown.iter().map(|flow| columns(flow.scenario)).max().unwrap_or(0);
    let name = widest.min(page.width().saturating_sub(50)).max(5);
    let referee = 2 + name + 2;
    let columns = [referee + 21, referee + 34, referee + 44];
    let heads = [say(lang, "连通", "connected"), say(lang, "首个媒体", "first media"), say(lang, "总计", "total")];
    let mut head = Row::at(2).put(Tone::Quiet, say(lang, "流程", "flow")).pad(referee);
    head = head.put(Tone::Quiet, say(lang, "裁判", "referee"));
    for (column, text) in columns.into_iter().zip(heads) {
        head = head.right(Tone::Quiet, column, text);
    }
    page.row(&head);
    for flow in shown {
        let cells = [flow.connected_ms, flow.first_rtp_ms.earliest(), Some(flow.duration_ms)];
        let mut row = Row::at(2).put(Tone::Plain, flow.scenario).pad(referee).put(Tone::Plain, flow.referee.as_str());
        for (column, cell) in columns.into_iter().zip(cells) {
            row = row.right(Tone::Plain, column, &cell.map_or_else(|| "–".to_owned(), |ms| format!("{ms} ms")));
        }
        page.row(&row);
    }
    if times.len() > LISTED {
        page.row(&Row::at(2).put(Tone::Quiet, more(lang, times.len() - LISTED).trim_start()));
    }
}

/// Which peers drove the flows.
pub(super) fn referees(page: &mut Page, run: &Run<'_>, lang: Lang) {
    let driven: Vec<FlowTimes<'_>> = run.transcripts.iter().filter_map(FlowTimes::of).collect();
    if driven.is_empty() {
        return;
    }
    let text = match run.header.referee {
        Some(Referees::Both) => {
            say(lang, "webrtc-rs 与 str0m，各驱动一遍", "webrtc-rs and str0m, each flow by both").to_owned()
        }
        Some(one) => format!("{} {}", one.as_str(), say(lang, "单独", "alone")),
        None => {
            let again = driven.windows(2).filter(|pair| pair[0].scenario == pair[1].scenario).count();
            let text = say(lang, "webrtc-rs，有疑问时由 str0m 再驱动", "webrtc-rs, and str0m where in doubt");
            match (again, lang) {
                (0, _) => text.to_owned(),
                (_, Lang::Zh) => format!("{text}（{again} 个流程）"),
                (1, Lang::En) => format!("{text} (1 flow)"),
                (_, Lang::En) => format!("{text} ({again} flows)"),
            }
        }
    };
    page.row(&words::label(lang, 0, "裁判", "referees").put(Tone::Plain, text));
}
