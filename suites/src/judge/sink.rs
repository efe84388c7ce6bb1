//! Where checks put what they found: one verdict a requirement and scenario, and the findings behind it.

use fincert_schemas::bridge::Hello;
use fincert_schemas::run::{Finding, Outcome, Reason, Verdict};
use fincert_schemas::{Bilingual, Ledger, Level};
use indexmap::IndexMap;

/// What a check says about a broken requirement.
#[derive(Debug, Clone, Default)]
pub struct Broken {
    /// Findings with one cause are one thing to mend.
    pub cause: String,
    /// JSON pointer.
    pub at: Option<String>,
    /// What the requirement wants.
    pub expected: Option<Bilingual>,
    /// What was there.
    pub actual: String,
    /// What may help.
    pub hint: Option<Bilingual>,
}

/// The worst that was shown, and why.
type Shown = (Outcome, Option<Reason>);

/// Collects verdicts and findings.
#[derive(Debug)]
pub struct Sink<'a> {
    ledger: &'a Ledger,
    scenario: String,
    hello: Option<Hello>,
    /// Which requirements apply to it, by their place in the ledger.
    applicable: Vec<bool>,
    /// The check that is running.
    pub check: &'static str,
    /// The generated case that is looked at.
    pub(super) case: Option<u32>,
    /// What the scenario at hand has shown of each requirement, by the requirement's place in the ledger.
    current: Vec<Option<Shown>>,
    /// What was shown in all, by scenario; a scenario that is driven in several sessions counts once.
    shown: IndexMap<String, Vec<Option<Shown>>>,
    findings: Vec<Finding>,
}

impl<'a> Sink<'a> {
    /// An empty sink.
    pub fn new(ledger: &'a Ledger) -> Self {
        Self {
            ledger,
            scenario: String::new(),
            hello: None,
            applicable: Vec::new(),
            check: "",
            case: None,
            current: Vec::new(),
            shown: IndexMap::new(),
            findings: Vec::new(),
        }
    }

    /// What follows is about this scenario.
    pub fn begin(&mut self, scenario: &str, hello: &Hello) {
        self.end();
        scenario.clone_into(&mut self.scenario);
        if self.hello.as_ref() != Some(hello) {
            self.hello = Some(hello.clone());
            self.applicable.clear();
            self.applicable.extend(self.ledger.iter().map(|requirement| requirement.applies(hello)));
        }
        self.current.clear();
        self.current.resize(self.ledger.len(), None);
    }

    /// What the scenario at hand has shown of a requirement so far, at its worst.
    pub(super) fn shown(&self, requirement: &str) -> Option<Outcome> {
        self.current.get(self.ledger.position(requirement)).copied().flatten().map(|(outcome, _)| outcome)
    }

    /// The findings so far.
    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Forgets all that was found.
    pub(super) fn forget(&mut self) {
        self.current.clear();
        self.shown.clear();
        self.findings.clear();
    }

    /// The requirement was exercised and holds.
    pub fn holds(&mut self, requirement: &str) {
        let place = self.ledger.position(requirement);
        if self.applicable.get(place).is_some_and(|applies| *applies)
            && let Some(slot) = self.current.get_mut(place)
        {
            raise(slot, (Outcome::Pass, None));
        }
    }

    /// The requirement was exercised and is broken: a MUST fails, anything else warns.
    pub fn breaks(&mut self, requirement: &str, step: u32, broken: Broken) {
        let outcome = match self.ledger.get(requirement).map(|r| r.level) {
            Some(Level::Must) => Outcome::Fail,
            _ => Outcome::Warn,
        };
        self.put(requirement, step, outcome, None, broken);
    }

    /// The requirement holds by an alias.
    pub fn alias(&mut self, requirement: &str, step: u32, broken: Broken) {
        self.put(requirement, step, Outcome::Warn, None, broken);
    }

    /// The evidence does not decide, or the target could not be driven.
    pub fn undecided(&mut self, requirement: &str, step: u32, outcome: Outcome, reason: Reason, broken: Broken) {
        self.put(requirement, step, outcome, Some(reason), broken);
    }

    /// Whether the requirement applies to the session at hand; an id that is not in the ledger never does.
    pub fn applies(&self, requirement: &str) -> bool {
        self.applicable.get(self.ledger.position(requirement)).is_some_and(|applies| *applies)
    }

    fn put(&mut self, requirement: &str, step: u32, outcome: Outcome, reason: Option<Reason>, broken: Broken) {
        if !self.applies(requirement) {
            return;
        }
        self.raise(requirement, outcome, reason);
        let text = || self.ledger.get(requirement).map(|r| Bilingual::new(r.zh.clone(), r.en.clone()));
        self.findings.push(Finding {
            requirement: requirement.to_owned(),
            scenario: self.scenario.clone(),
            step: (step > 0).then_some(step),
            case: self.case,
            outcome,
            check: self.check.to_owned(),
            cause: broken.cause,
            at: broken.at,
            expected: broken.expected.or_else(text).unwrap_or_else(|| Bilingual::new("", "")),
            actual: broken.actual,
            hint: broken.hint,
        });
    }

    fn raise(&mut self, requirement: &str, outcome: Outcome, reason: Option<Reason>) {
        if let Some(slot) = self.current.get_mut(self.ledger.position(requirement)) {
            raise(slot, (outcome, reason));
        }
    }

    /// Files what the scenario at hand has shown.
    fn end(&mut self) {
        let current = std::mem::take(&mut self.current);
        if current.iter().all(Option::is_none) {
            return;
        }
        match self.shown.get_mut(&self.scenario) {
            None => {
                self.shown.insert(self.scenario.clone(), current);
            }
            Some(before) => {
                for (slot, new) in before.iter_mut().zip(current) {
                    if let Some(new) = new {
                        raise(slot, new);
                    }
                }
            }
        }
    }

    /// What was found so far.
    pub(super) fn findings_mut(&mut self) -> &mut Vec<Finding> {
        &mut self.findings
    }

    /// Takes what was judged elsewhere about one scenario.
    pub(super) fn absorb(&mut self, verdicts: Vec<Verdict>, findings: Vec<Finding>) {
        self.end();
        let Some(first) = verdicts.first() else { return };
        self.scenario.clone_from(&first.scenario);
        self.current = vec![None; self.ledger.len()];
        for verdict in &verdicts {
            self.raise(&verdict.requirement, verdict.outcome, verdict.reason);
        }
        self.findings.extend(findings);
        self.end();
    }

    /// The verdicts in the order of the ledger within each scenario, and the findings.
    pub fn finish(mut self) -> (Vec<Verdict>, Vec<Finding>) {
        self.end();
        let ids: Vec<&str> = self.ledger.iter().map(|requirement| requirement.id.as_str()).collect();
        let mut verdicts = Vec::new();
        for (scenario, shown) in &self.shown {
            for (id, slot) in ids.iter().zip(shown) {
                if let Some((outcome, reason)) = slot {
                    verdicts.push(Verdict {
                        requirement: (*id).to_owned(),
                        scenario: scenario.clone(),
                        outcome: *outcome,
                        reason: *reason,
                    });
                }
            }
        }
        (verdicts, self.findings)
    }
}

fn raise(slot: &mut Option<Shown>, new: Shown) {
    if slot.is_none_or(|(outcome, _)| new.0 > outcome) {
        *slot = Some(new);
    }
}
