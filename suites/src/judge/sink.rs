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

/// Collects verdicts and findings.
#[derive(Debug)]
pub struct Sink<'a> {
    ledger: &'a Ledger,
    scenario: String,
    hello: Option<Hello>,
    /// The check that is running.
    pub check: &'static str,
    verdicts: IndexMap<(String, String), (Outcome, Option<Reason>)>,
    findings: Vec<Finding>,
}

impl<'a> Sink<'a> {
    /// An empty sink.
    pub fn new(ledger: &'a Ledger) -> Self {
        Self {
            ledger,
            scenario: String::new(),
            hello: None,
            check: "",
            verdicts: IndexMap::new(),
            findings: Vec::new(),
        }
    }

    /// What follows is about this scenario.
    pub fn begin(&mut self, scenario: &str, hello: &Hello) {
        scenario.clone_into(&mut self.scenario);
        self.hello = Some(hello.clone());
    }

    /// The requirement was exercised and holds.
    pub fn holds(&mut self, requirement: &str) {
        if self.applies(requirement) {
            self.raise(requirement, Outcome::Pass, None);
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
        match (self.ledger.get(requirement), &self.hello) {
            (Some(requirement), Some(hello)) => requirement.applies(hello),
            _ => false,
        }
    }

    fn put(&mut self, requirement: &str, step: u32, outcome: Outcome, reason: Option<Reason>, broken: Broken) {
        if !self.applies(requirement) {
            return;
        }
        self.raise(requirement, outcome, reason);
        let text = self.ledger.get(requirement).map(|r| Bilingual::new(r.zh.clone(), r.en.clone()));
        self.findings.push(Finding {
            requirement: requirement.to_owned(),
            scenario: self.scenario.clone(),
            step: (step > 0).then_some(step),
            outcome,
            check: self.check.to_owned(),
            cause: broken.cause,
            at: broken.at,
            expected: broken.expected.or(text).unwrap_or_else(|| Bilingual::new("", "")),
            actual: broken.actual,
            hint: broken.hint,
        });
    }

    fn raise(&mut self, requirement: &str, outcome: Outcome, reason: Option<Reason>) {
        let key = (requirement.to_owned(), self.scenario.clone());
        let entry = self.verdicts.entry(key).or_insert((outcome, reason));
        if outcome > entry.0 {
            *entry = (outcome, reason);
        }
    }

    /// The verdicts in the order of the ledger within each scenario, and the findings.
    pub fn finish(self) -> (Vec<Verdict>, Vec<Finding>) {
        let mut order: IndexMap<String, usize> = IndexMap::new();
        for (_, scenario) in self.verdicts.keys() {
            let next = order.len();
            order.entry(scenario.clone()).or_insert(next);
        }
        let ledger = self.ledger;
        let mut verdicts: Vec<Verdict> = self
            .verdicts
            .into_iter()
            .map(|((requirement, scenario), (outcome, reason))| Verdict { requirement, scenario, outcome, reason })
            .collect();
        verdicts.sort_by_key(|v| (order.get(&v.scenario).copied(), ledger.position(&v.requirement)));
        (verdicts, self.findings)
    }
}
