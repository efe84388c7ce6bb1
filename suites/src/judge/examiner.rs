//! Judging one transcript after the other, each by itself: what `fincert prove` does tens of thousands of times.

use std::collections::HashMap;

use fincert_schemas::bridge::Hello;
use fincert_schemas::run::{Finding, Outcome, Transcript};

use super::{Check, Law, Readings, Sink, View, checks, tables};

/// Judges transcripts, and tells what each showed. Of two referees' transcripts each is looked at by itself, as an
/// accusation that the other referee would have to share.
#[derive(Debug)]
pub struct Examiner<'a> {
    law: Law<'a>,
    sink: Sink<'a>,
    without: Option<&'a str>,
    /// The checks that judge a requirement.
    judges: HashMap<String, Vec<&'static Check>>,
}

impl<'a> Examiner<'a> {
    /// An examiner with every check.
    pub fn new(law: Law<'a>) -> Self {
        let mut judges: HashMap<String, Vec<&'static Check>> = HashMap::new();
        for check in checks() {
            for requirement in check.requirements {
                judges.entry((*requirement).to_owned()).or_default().push(check);
            }
            if check.id == tables::ID {
                for requirement in tables::requirements(law.catalog) {
                    judges.entry(requirement).or_default().push(check);
                }
            }
        }
        Self { law, sink: Sink::new(law.ledger), without: None, judges }
    }

    /// The same without one check: the proof must miss it.
    pub fn without(mut self, check: &'a str) -> Self {
        self.without = Some(check);
        self
    }

    /// Judges a transcript by every check; what was judged before is forgotten.
    pub fn examine(&mut self, hello: &Hello, transcript: &Transcript) {
        self.ask(View::new(transcript, hello, self.law.catalog), checks());
    }

    /// Judges a transcript by the checks of these requirements alone: of them it shows what every check would show.
    /// `known` are the descriptions of the transcript that it was made of.
    pub fn examine_of<'t>(
        &mut self,
        hello: &'t Hello,
        transcript: &'t Transcript,
        requirements: &[String],
        known: &Readings<'t>,
    ) {
        let mut asked: Vec<&'static Check> = Vec::new();
        for check in requirements.iter().filter_map(|requirement| self.judges.get(requirement)).flatten() {
            if !asked.iter().any(|known| known.id == check.id) {
                asked.push(check);
            }
        }
        self.ask(View::beside(transcript, hello, self.law.catalog, Some(known)), asked.into_iter());
    }

    fn ask(&mut self, view: View<'_>, checks: impl Iterator<Item = &'static Check>) {
        self.sink.forget();
        self.sink.begin(&view.transcript.scenario, view.hello);
        for check in checks.filter(|check| Some(check.id) != self.without) {
            self.sink.check = check.id;
            (check.run)(&view, &mut self.sink);
        }
    }

    /// The worst that the transcript showed of a requirement.
    pub fn outcome(&self, requirement: &str) -> Option<Outcome> {
        self.sink.shown(requirement)
    }

    /// What was found in the transcript.
    pub fn findings(&self) -> &[Finding] {
        self.sink.findings()
    }
}
