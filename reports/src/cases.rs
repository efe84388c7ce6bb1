//! A run as test cases, for CI: a decision, or a requirement in a scenario. JUnit and CTRF share them, so that their
//! numbers agree.
//!
//! Known failures are skipped and unexpected passes fail, as the exit code has it. Cases are made one after another and
//! handed on, so that a long run is never held twice.

use std::collections::{HashMap, HashSet};

use fincert_schemas::requirement::{EVERY, PROFILES};
use fincert_schemas::run::{Certification, Decision, Finding, Outcome, Reason};
use fincert_schemas::{Bilingual, Lang};

use crate::text::{clean, clip};
use crate::words::{self, say};
use crate::{Run, Standing, is_bad, timeline};

/// The longest message, in characters.
const LONGEST: usize = 500;
/// The suite of requirements that the ledger does not know.
const UNKNOWN: &str = "unknown";

/// One case. All texts are clean.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    /// The profile.
    pub(crate) suite: &'a str,
    /// The requirement, or `certification`.
    pub(crate) class: String,
    /// The scenario, or the profile or capability.
    pub(crate) name: String,
    /// How it came out.
    pub(crate) status: Status,
    /// The verdict's or the decision's own word.
    pub(crate) word: &'static str,
    /// One line that says it all; empty where there is nothing to say.
    pub(crate) message: String,
    /// What kind of failure or skip it is: a check's name or a reason code.
    pub(crate) kind: String,
    /// Everything about it, in lines; of failures and warnings.
    pub(crate) details: Option<String>,
    /// The time lines of a failed flow.
    pub(crate) timelines: Option<String>,
    /// The command that replays it; of failures and warnings.
    pub(crate) replay: Option<String>,
}

/// How a case came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It holds.
    Passed,
    /// It counts for nothing.
    Skipped,
    /// It is broken.
    Failed,
    /// Nothing can be said: inconclusive, or the target could not be driven.
    Error,
}

/// How many cases came out how.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) skipped: usize,
    pub(crate) failed: usize,
    pub(crate) error: usize,
    pub(crate) suites: usize,
}

impl Counts {
    pub(crate) fn all(self) -> usize {
        self.passed + self.skipped + self.failed + self.error
    }
}

/// Makes the cases of a run.
pub(crate) struct Cases<'a> {
    run: &'a Run<'a>,
    lang: Lang,
    findings: HashMap<(&'a str, &'a str), Vec<&'a Finding>>,
    /// The verdicts of each requirement, by their places.
    verdicts: HashMap<&'a str, Vec<u32>>,
    known: HashSet<(&'a str, &'a str)>,
    unexpected: HashSet<(&'a str, &'a str)>,
}

impl<'a> Cases<'a> {
    pub(crate) fn of(run: &'a Run<'a>, lang: Lang) -> Self {
        let judgement = run.judgement;
        let mut findings: HashMap<_, Vec<_>> = HashMap::new();
        for finding in &judgement.findings {
            findings.entry((finding.requirement.as_str(), finding.scenario.as_str())).or_default().push(finding);
        }
        let mut verdicts: HashMap<&str, Vec<u32>> = HashMap::new();
        for (place, verdict) in (0..).zip(&judgement.verdicts) {
            verdicts.entry(&verdict.requirement).or_default().push(place);
        }
        let pairs = |list: &'a [String]| list.iter().filter_map(|pair| pair.split_once(" @ ")).collect();
        let (known, unexpected) = (pairs(&run.header.known_failing), pairs(&judgement.unexpected_passes));
        Self { run, lang, findings, verdicts, known, unexpected }
    }

    /// The suites, in the order of the specification.
    pub(crate) fn suites() -> impl Iterator<Item = &'static str> {
        std::iter::once(EVERY).chain(PROFILES.iter().map(|(name, _)| *name)).chain([UNKNOWN])
    }

    /// Hands on each case of a suite.
    pub(crate) fn each<E>(&self, suite: &str, take: &mut dyn FnMut(Case<'_>) -> Result<(), E>) -> Result<(), E> {
        let judgement = self.run.judgement;
        for certification in judgement.certifications.iter().filter(|c| suite_of(&c.name) == suite) {
            take(self.certification(certification))?;
        }
        for requirement in &judgement.requirements {
            let id = requirement.requirement.as_str();
            if self.run.ledger.get(id).map_or(UNKNOWN, |requirement| &requirement.profile) != suite {
                continue;
            }
            match self.verdicts.get(id) {
                Some(places) => {
                    for place in places {
                        let verdict = &judgement.verdicts[*place as usize];
                        take(self.case(id, &verdict.scenario, verdict.outcome, verdict.reason))?;
                    }
                }
                None => {
                    let name = say(self.lang, "（没有场景）", "(no scenario)");
                    take(self.case(id, name, requirement.outcome, requirement.reason))?;
                }
            }
        }
        Ok(())
    }

    /// How many cases there are in a suite, without making them.
    pub(crate) fn count(&self, suite: &str) -> Counts {
        let mut counts = Counts::default();
        let judgement = self.run.judgement;
        for certification in judgement.certifications.iter().filter(|c| suite_of(&c.name) == suite) {
            counts.add(self.decided(certification));
        }
        for requirement in &judgement.requirements {
            let id = requirement.requirement.as_str();
            if self.run.ledger.get(id).map_or(UNKNOWN, |requirement| &requirement.profile) != suite {
                continue;
            }
            match self.verdicts.get(id) {
                Some(places) => {
                    for place in places {
                        let verdict = &judgement.verdicts[*place as usize];
                        counts.add(self.status(id, &verdict.scenario, verdict.outcome));
                    }
                }
                None => counts.add(self.status(id, "", requirement.outcome)),
            }
        }
        counts.suites = usize::from(counts.all() > 0);
        counts
    }

    fn decided(&self, certification: &Certification) -> Status {
        match certification.decision {
            Decision::Certified => Status::Passed,
            Decision::NotAsked | Decision::NotOffered => Status::Skipped,
            Decision::NotCertified if self.run.judgement.standing == Standing::AsExpected => Status::Skipped,
            Decision::NotCertified if !self.run.judgement.asked_for(&certification.name) => Status::Skipped,
            Decision::NotCertified => Status::Failed,
        }
    }

    fn certification(&self, certification: &'a Certification) -> Case<'a> {
        let lang = self.lang;
        let word = words::decision(lang, certification.decision);
        let comma = say(lang, "，", ", ");
        let ratio = format!("{word}{comma}MUST {}/{}", certification.must_met, certification.must);
        let status = self.decided(certification);
        let (message, kind, details) = match (certification.decision, status) {
            (Decision::Certified, _) => (String::new(), "", None),
            (Decision::NotCertified, Status::Failed) => {
                let missing = certification.missing.iter().map(|missing| {
                    let reason = missing.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
                    format!("{} {}{reason}", words::outcome(lang, missing.outcome), clean(&missing.requirement))
                });
                (ratio, "not-certified", Some(missing.collect::<Vec<_>>().join("\n")))
            }
            (Decision::NotCertified, _) if self.run.judgement.standing == Standing::AsExpected => {
                (format!("{ratio}{comma}{}", say(lang, "符合预期", "as expected")), "as-expected", None)
            }
            (Decision::NotCertified, _) => {
                (format!("{ratio}{comma}{}", say(lang, "未要求认证", "not asked for")), "not-asked", None)
            }
            (decision, _) => {
                let no_check = (decision == Decision::NotOffered).then_some(Reason::NoCheck);
                let reason = certification.reason.or(no_check).map(|reason| reason.text());
                let reason = reason.as_ref().map_or("", |text| text.get(lang));
                let kind = if decision == Decision::NotAsked { "not-asked" } else { "not-offered" };
                ([word, reason].join(say(lang, "：", ": ")), kind, None)
            }
        };
        Case {
            suite: suite_of(&certification.name),
            class: "certification".to_owned(),
            name: clean(&certification.name),
            status,
            word: words::decision(Lang::En, certification.decision),
            message: shortened(&message),
            kind: kind.to_owned(),
            details,
            timelines: None,
            replay: None,
        }
    }

    fn status(&self, id: &str, scenario: &str, outcome: Outcome) -> Status {
        match outcome {
            Outcome::Pass | Outcome::Warn if self.unexpected.contains(&(id, scenario)) => Status::Failed,
            Outcome::Pass | Outcome::Warn => Status::Passed,
            Outcome::NotExercised | Outcome::NotApplicable => Status::Skipped,
            outcome if is_bad(outcome) && self.known.contains(&(id, scenario)) => Status::Skipped,
            Outcome::Fail => Status::Failed,
            _ => Status::Error,
        }
    }

    fn case(&self, id: &str, scenario: &str, outcome: Outcome, reason: Option<Reason>) -> Case<'a> {
        let lang = self.lang;
        let findings = self.findings.get(&(id, scenario)).map(Vec::as_slice).unwrap_or_default();
        let code = reason.map_or(outcome.as_str(), Reason::code);
        let status = self.status(id, scenario, outcome);
        let failed = matches!(status, Status::Failed | Status::Error);
        let passes = matches!(outcome, Outcome::Pass | Outcome::Warn);
        let (message, kind) = match status {
            Status::Passed => (String::new(), String::new()),
            Status::Failed if passes => {
                let text =
                    say(lang, "已知失败项意外通过", "a known failure passed; take it off the known-failing list");
                (text.to_owned(), "unexpected-pass".to_owned())
            }
            Status::Skipped if is_bad(outcome) => {
                let message = self.message(findings, outcome, reason);
                (format!("{}{message}", say(lang, "已知失败：", "known failure: ")), "known-failure".to_owned())
            }
            Status::Skipped => (self.message(findings, outcome, reason), code.to_owned()),
            _ => {
                let kind = findings.first().map_or(code, |finding| &finding.check);
                (self.message(findings, outcome, reason), clean(kind))
            }
        };
        let told = failed || outcome == Outcome::Warn;
        Case {
            suite: self.run.ledger.get(id).map_or(UNKNOWN, |requirement| &requirement.profile),
            class: clean(id),
            name: clean(scenario),
            status,
            word: outcome.as_str(),
            message: shortened(&message),
            kind,
            details: told.then(|| self.details(id, scenario, findings)),
            timelines: failed.then(|| self.timelines(scenario)).flatten(),
            replay: told.then(|| clean(&(self.run.replay)(scenario))),
        }
    }

    /// The time line of a flow, by each referee that drove it.
    fn timelines(&self, scenario: &str) -> Option<String> {
        let flows = self.run.flows(scenario).filter_map(|transcript| {
            let referee = transcript.referee?.as_str();
            let entries = timeline::of(transcript, self.lang, None)?;
            Some(format!("\n{} {referee}\n{}", clean(scenario), timeline::plain(&entries, self.lang)))
        });
        Some(flows.collect::<String>()).filter(|text| !text.is_empty())
    }

    /// One line that says it all.
    fn message(&self, findings: &[&Finding], outcome: Outcome, reason: Option<Reason>) -> String {
        let mut parts = Vec::new();
        if let Some(finding) = findings.first() {
            let at = finding.at.iter().map(|at| format!("{}{}", say(self.lang, "位置 ", "at "), place(self.lang, at)));
            parts.extend(at);
            parts.push(format!("{}{}", say(self.lang, "预期 ", "expected "), finding.expected.get(self.lang)));
            parts.push(format!("{}{}", say(self.lang, "实际 ", "actual "), finding.actual));
        } else if reason.is_none() {
            parts.push(words::outcome(self.lang, outcome).to_owned());
        }
        parts.extend(reason.map(|reason| reason.text().get(self.lang).to_owned()));
        parts.join(say(self.lang, "；", "; "))
    }

    /// Everything about a case, in lines.
    fn details(&self, id: &str, scenario: &str, findings: &[&Finding]) -> String {
        let mut lines = Vec::new();
        let mut field = |zh: &str, en: &str, text: &str| {
            lines.push(format!("{}: {}", say(self.lang, zh, en), shortened(text)));
        };
        if let Some(requirement) = self.run.ledger.get(id) {
            field("条款", "clause", &format!("{} {} {id}", requirement.clause, requirement.level.as_str()));
            field("中文", "Chinese", &requirement.zh);
            field("英文", "English", &requirement.en);
            for quote in &requirement.quote {
                field("原文", "quote", quote);
            }
        }
        for finding in findings {
            let step = finding.step.map(|step| match self.lang {
                Lang::Zh => format!("，第 {step} 步"),
                Lang::En => format!(", step {step}"),
            });
            field("场景", "scenario", &format!("{scenario}{}", step.unwrap_or_default()));
            if let Some(at) = &finding.at {
                field("位置", "at", &place(self.lang, at));
            }
            field("预期", "expected", finding.expected.get(self.lang));
            field("实际", "actual", &finding.actual);
            if let Some(hint) = finding.hint.as_ref().map(|hint: &Bilingual| hint.get(self.lang)) {
                field("提示", "hint", hint);
            }
            field("检查项", "check", &finding.check);
        }
        field("重放", "replay", &(self.run.replay)(scenario));
        format!("\n{}\n", lines.join("\n"))
    }
}

impl Counts {
    fn add(&mut self, status: Status) {
        *match status {
            Status::Passed => &mut self.passed,
            Status::Skipped => &mut self.skipped,
            Status::Failed => &mut self.failed,
            Status::Error => &mut self.error,
        } += 1;
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self {
            passed: a.passed + b.passed,
            skipped: a.skipped + b.skipped,
            failed: a.failed + b.failed,
            error: a.error + b.error,
            suites: a.suites + b.suites,
        })
    }
}

/// The suite of a profile or capability.
fn suite_of(name: &str) -> &str {
    let profile = name.split(':').next().unwrap_or_default();
    if PROFILES.iter().any(|(known, _)| *known == profile) { profile } else { UNKNOWN }
}

fn place(lang: Lang, at: &str) -> String {
    if at.is_empty() { say(lang, "整个值", "the whole value").to_owned() } else { at.to_owned() }
}

/// Clean, and no longer than a CI page bears.
fn shortened(text: &str) -> String {
    match clip(text, LONGEST) {
        (text, None) => clean(text),
        (head, Some(chars)) => format!("{}… ({chars})", clean(head)),
    }
}
