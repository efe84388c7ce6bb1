//! What was decided: one line a profile, its capabilities beneath it, and what stands in the way.

use fincert_schemas::Lang;
use fincert_schemas::run::{Certification, Decision, Missing, Outcome, Reason};

use crate::Run;
use crate::page::{Page, Row, Tone};
use crate::text::columns;
use crate::words::{self, count, say, some_of};

/// How many requirements that stand in the way are named.
const NAMED: usize = 5;

pub(super) fn write(page: &mut Page, run: &Run<'_>, lang: Lang) {
    // Who names what to certify does not ask to be told what was not named.
    let named = |c: &&Certification| c.reason != Some(Reason::NotAsked);
    let all: Vec<Certification> = run.judgement.certifications.iter().filter(named).cloned().collect();
    let all = all.as_slice();
    if all.is_empty() {
        return;
    }
    page.gap();
    let table = Table::of(all, lang);
    for (profile, capabilities) in families(all) {
        let split = profile.map(|profile| Split::of(profile, &capabilities)).unwrap_or_default();
        if let Some(profile) = profile {
            table.line(page, profile, 0);
            table.missing(page, profile, |missing| !split.beneath(missing), 0);
        }
        for capability in capabilities {
            table.line(page, capability, 2);
            table.missing(page, capability, |missing| !split.above(missing), 2);
        }
    }
}

/// Each profile with its capabilities, in order; capabilities without their profile stand alone.
fn families(all: &[Certification]) -> Vec<(Option<&Certification>, Vec<&Certification>)> {
    let mut families: Vec<(&str, Option<&Certification>, Vec<&Certification>)> = Vec::new();
    for certification in all {
        let (profile, is_capability) = match certification.name.split_once(':') {
            Some((profile, _)) => (profile, true),
            None => (certification.name.as_str(), false),
        };
        let index = families.iter().position(|(name, ..)| *name == profile).unwrap_or_else(|| {
            families.push((profile, None, Vec::new()));
            families.len() - 1
        });
        if is_capability {
            families[index].2.push(certification);
        } else {
            families[index].1 = Some(certification);
        }
    }
    families.into_iter().map(|(_, profile, capabilities)| (profile, capabilities)).collect()
}

/// Where each requirement that stands in the way is named: at the profile, if it stands in the way of all
/// of its capabilities or of none, else at the capabilities. So none is named twice without need.
#[derive(Default)]
struct Split<'a> {
    above: Vec<&'a Missing>,
    beneath: Vec<&'a Missing>,
}

impl<'a> Split<'a> {
    fn of(profile: &'a Certification, capabilities: &[&'a Certification]) -> Self {
        let refused = capabilities.iter().filter(|c| c.decision == Decision::NotCertified).count();
        let (beneath, above) = profile.missing.iter().partition(|missing| {
            let holders = capabilities.iter().filter(|c| c.missing.contains(missing)).count();
            holders > 0 && (holders == 1 || holders < refused)
        });
        Self { above, beneath }
    }

    fn above(&self, missing: &Missing) -> bool {
        self.above.contains(&missing)
    }

    fn beneath(&self, missing: &Missing) -> bool {
        self.beneath.contains(&missing)
    }
}

/// The columns, as wide as their widest entry.
struct Table {
    lang: Lang,
    name: usize,
    must: usize,
    extra: usize,
}

impl Table {
    fn of(all: &[Certification], lang: Lang) -> Self {
        let decision = all.iter().map(|c| columns(words::decision(lang, c.decision))).max().unwrap_or(0);
        let name = decision + 2;
        let indent = |c: &Certification| if c.name.contains(':') { 2 } else { 0 };
        let widest = all.iter().map(|c| columns(&c.name) + indent(c)).max().unwrap_or(0).min(24);
        let must = name + widest + 2;
        let ratio = all.iter().map(|c| ratio(c).len()).max().unwrap_or(0);
        Self { lang, name, must, extra: must + ratio + 2 }
    }

    fn line(&self, page: &mut Page, certification: &Certification, indent: usize) {
        let lang = self.lang;
        let tone = words::decision_tone(certification.decision);
        let decided = matches!(certification.decision, Decision::Certified | Decision::NotCertified);
        let begin = self.name + indent;
        let row = Row::at(0).hang_at(begin + 2).put(tone, words::decision(lang, certification.decision)).pad(begin);
        let row = row.put(if decided { Tone::Strong } else { Tone::Quiet }, &certification.name).pad(self.must);
        let row = if decided {
            let row = row.put(Tone::Plain, ratio(certification));
            match certification.warnings as usize {
                0 => row,
                number => row.pad(self.extra).put(Tone::Warn, count(lang, number, "项警告", "warning", "warnings")),
            }
        } else {
            let reason = match (certification.decision, certification.reason) {
                (Decision::NotOffered, _) => {
                    let number = certification.missing.len();
                    let text = count(
                        lang,
                        number,
                        "项 MUST 要求尚无检查项",
                        "MUST has no check yet",
                        "MUSTs have no check yet",
                    );
                    let ids = certification.missing.iter().map(|missing| missing.requirement.as_str());
                    format!("{text}{}{}", say(lang, "：", ": "), some_of(lang, ids, 2))
                }
                (_, Some(reason)) => reason.text().get(lang).to_owned(),
                _ => String::new(),
            };
            row.hang().put(Tone::Quiet, reason)
        };
        page.row(&row);
    }

    fn missing(&self, page: &mut Page, certification: &Certification, keep: impl Fn(&Missing) -> bool, indent: usize) {
        if matches!(certification.decision, Decision::NotAsked | Decision::NotOffered) {
            return;
        }
        let lang = self.lang;
        let groups = grouped(certification.missing.iter().filter(|missing| keep(missing)));
        let begin = self.name + indent + 2;
        let word = |outcome| words::outcome(lang, outcome);
        let widest = groups.iter().map(|((outcome, _), _)| columns(word(*outcome))).max().unwrap_or(0);
        let mut left = NAMED;
        for ((outcome, reason), ids) in groups {
            let tone = words::outcome_tone(outcome);
            let shown = ids.len().min(left);
            left -= shown;
            let text = match shown {
                0 => count(lang, ids.len(), "项要求", "requirement", "requirements"),
                _ => some_of(lang, ids, shown),
            };
            let list = begin + widest + 2;
            page.row(&Row::at(begin).put(tone, word(outcome)).pad(list).hang().put(Tone::Plain, text));
            if let Some(reason) = reason {
                page.row(&Row::at(list).put(Tone::Quiet, reason.text().get(lang)));
            }
        }
    }
}

fn ratio(certification: &Certification) -> String {
    format!("MUST {}/{}", certification.must_met, certification.must)
}

type Kind = (Outcome, Option<Reason>);

/// The worst first.
fn grouped<'a>(missing: impl Iterator<Item = &'a Missing>) -> Vec<(Kind, Vec<&'a str>)> {
    let mut groups: Vec<(Kind, Vec<&str>)> = Vec::new();
    for missing in missing {
        let kind = (missing.outcome, missing.reason);
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, ids)) => ids.push(&missing.requirement),
            None => groups.push((kind, vec![&missing.requirement])),
        }
    }
    groups.sort_by_key(|((outcome, reason), _)| (std::cmp::Reverse(*outcome), *reason));
    groups
}
