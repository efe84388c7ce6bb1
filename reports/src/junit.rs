//! JUnit XML for CI: a suite a profile, a case a requirement and scenario.
//!
//! Each suite begins with a case for each decision (`certification`), so that a profile that is not
//! certified only because something was not exercised is red as well. Known failures are skipped and
//! unexpected passes fail, as the exit code has it. No times but those of a failed flow's time line, and no random ids:
//! equal runs give equal bytes.

use std::collections::HashMap;
use std::io::{self, Write};

use fincert_schemas::requirement::PROFILES;
use fincert_schemas::run::{Certification, Decision, Finding, Outcome, Reason};
use fincert_schemas::{Bilingual, Lang};
use indexmap::IndexMap;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::text::{clean, clip};
use crate::words::{self, say};
use crate::{Run, Standing, is_bad, timeline};

/// The longest message, in characters.
const LONGEST: usize = 500;
/// The suite of requirements that the ledger does not know.
const UNKNOWN: &str = "unknown";

/// Writes the report.
pub fn render(run: &Run<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    Renderer::new(run, lang).report().serialize(out).map_err(io::Error::other)
}

struct Renderer<'a> {
    run: &'a Run<'a>,
    lang: Lang,
    findings: HashMap<(&'a str, &'a str), Vec<&'a Finding>>,
}

impl<'a> Renderer<'a> {
    fn new(run: &'a Run<'a>, lang: Lang) -> Self {
        let mut findings: HashMap<_, Vec<_>> = HashMap::new();
        for finding in &run.judgement.findings {
            findings.entry((finding.requirement.as_str(), finding.scenario.as_str())).or_default().push(finding);
        }
        Self { run, lang, findings }
    }

    fn report(&self) -> Report {
        let names = std::iter::once("every").chain(PROFILES.iter().map(|(name, _)| *name)).chain([UNKNOWN]);
        let mut suites: IndexMap<&str, TestSuite> = names.map(|name| (name, TestSuite::new(name))).collect();
        let judgement = self.run.judgement;
        for certification in &judgement.certifications {
            let profile = certification.name.split(':').next().unwrap_or_default();
            add(&mut suites, profile, self.certification(certification));
        }
        let mut scenarios: HashMap<&str, Vec<_>> = HashMap::new();
        for verdict in &judgement.verdicts {
            scenarios.entry(&verdict.requirement).or_default().push(verdict);
        }
        for requirement in &judgement.requirements {
            let id = requirement.requirement.as_str();
            let profile = self.run.ledger.get(id).map_or(UNKNOWN, |requirement| &requirement.profile);
            match scenarios.remove(id) {
                Some(verdicts) => {
                    for v in verdicts {
                        add(&mut suites, profile, self.case(id, &v.scenario, v.outcome, v.reason));
                    }
                }
                None => add(&mut suites, profile, self.untouched(id, requirement.outcome, requirement.reason)),
            }
        }
        let header = self.run.header;
        let mut report = Report::new(format!("fincert {}", clean(&header.target)));
        report.add_test_suites(suites.into_values().filter(|suite| suite.tests > 0));
        report
    }

    fn certification(&self, certification: &Certification) -> TestCase {
        let missing = certification.missing.iter().map(|missing| {
            let reason = missing.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{} {}{reason}", words::outcome(self.lang, missing.outcome), clean(&missing.requirement))
        });
        let missing = missing.collect::<Vec<_>>().join("\n");
        let word = words::decision(self.lang, certification.decision);
        let comma = say(self.lang, "，", ", ");
        let ratio = format!("{word}{comma}MUST {}/{}", certification.must_met, certification.must);
        let status = match certification.decision {
            Decision::Certified => TestCaseStatus::success(),
            Decision::NotCertified if self.run.judgement.standing == Standing::AsExpected => {
                skipped(&format!("{ratio}{comma}{}", say(self.lang, "符合预期", "as expected")), "as-expected")
            }
            Decision::NotCertified if !self.run.judgement.asked_for(&certification.name) => {
                skipped(&format!("{ratio}{comma}{}", say(self.lang, "未要求认证", "not asked for")), "not-asked")
            }
            Decision::NotCertified => failed(NonSuccessKind::Failure, &ratio, "not-certified", &missing),
            Decision::NotAsked | Decision::NotOffered => {
                let no_check = (certification.decision == Decision::NotOffered).then_some(Reason::NoCheck);
                let reason = certification.reason.or(no_check).map(|reason| reason.text());
                let reason = reason.as_ref().map_or("", |text| text.get(self.lang));
                let ty = if certification.decision == Decision::NotAsked { "not-asked" } else { "not-offered" };
                skipped(&[word, reason].join(say(self.lang, "：", ": ")), ty)
            }
        };
        case("certification", &certification.name, status)
    }

    fn untouched(&self, id: &str, outcome: Outcome, reason: Option<Reason>) -> TestCase {
        let name = say(self.lang, "（没有场景）", "(no scenario)");
        self.case(id, name, outcome, reason)
    }

    fn case(&self, id: &str, scenario: &str, outcome: Outcome, reason: Option<Reason>) -> TestCase {
        let findings = self.findings.get(&(id, scenario)).map(Vec::as_slice).unwrap_or_default();
        let message = || self.message(findings, outcome, reason);
        let code = reason.map_or(outcome.as_str(), Reason::code);
        let kind = if outcome == Outcome::Fail { NonSuccessKind::Failure } else { NonSuccessKind::Error };
        let status = match outcome {
            Outcome::Pass | Outcome::Warn if self.run.is_unexpected_pass(id, scenario) => {
                let text =
                    say(self.lang, "已知失败项意外通过", "a known failure passed; take it off the known-failing list");
                failed(NonSuccessKind::Failure, text, "unexpected-pass", &self.details(id, scenario, findings))
            }
            Outcome::Pass | Outcome::Warn => TestCaseStatus::success(),
            Outcome::NotExercised | Outcome::NotApplicable => skipped(&message(), code),
            outcome if is_bad(outcome) && self.run.is_known(id, scenario) => {
                skipped(&format!("{}{}", say(self.lang, "已知失败：", "known failure: "), message()), "known-failure")
            }
            _ => {
                let ty = findings.first().map_or(code, |finding| &finding.check);
                failed(kind, &message(), ty, &self.details(id, scenario, findings))
            }
        };
        let failed = matches!(status, TestCaseStatus::NonSuccess { .. });
        let mut case = case(id, scenario, status);
        if outcome == Outcome::Warn {
            case.set_system_out(self.details(id, scenario, findings));
        } else if let Some(lines) = self.timelines(scenario).filter(|_| failed) {
            case.set_system_out(lines);
        }
        case
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
        let mine = self.run.judgement.fuzz.iter().filter(|summary| summary.scenario == scenario);
        let mut generated = false;
        for failure in mine.flat_map(|summary| &summary.failures).filter(|failure| failure.requirement == id) {
            generated = true;
            let (zh, en) =
                if failure.case.smallest { ("最小请求", "smallest request") } else { ("请求", "request") };
            for request in failure.requests.iter().take(8) {
                field(zh, en, request);
            }
            field("重放", "replay", &self.run.replay_case(scenario, failure));
        }
        if !generated {
            field("重放", "replay", &(self.run.replay)(scenario));
        }
        format!("\n{}\n", lines.join("\n"))
    }
}

fn add<'a>(suites: &mut IndexMap<&'a str, TestSuite>, suite: &'a str, case: TestCase) {
    suites.entry(suite).or_insert_with(|| TestSuite::new(clean(suite))).add_test_case(case);
}

fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(clean(name), status);
    case.set_classname(clean(class));
    case
}

fn skipped(message: &str, ty: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(shortened(message)).set_type(clean(ty));
    status
}

fn failed(kind: NonSuccessKind, message: &str, ty: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(shortened(message)).set_type(clean(ty)).set_description(description);
    status
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
