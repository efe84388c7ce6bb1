//! Judging one transcript after the other, each by itself: what `fincert prove` does twenty thousand times.

use fincert_schemas::bridge::Hello;
use fincert_schemas::run::{Finding, Outcome, Transcript};

use super::{Law, Sink, View, checks};

/// Judges transcripts by every check, and tells what each showed. Of two referees' transcripts each is looked at by itself,
/// as an accusation that the other referee would have to share.
#[derive(Debug)]
pub struct Examiner<'a> {
    law: Law<'a>,
    sink: Sink<'a>,
    without: Option<&'a str>,
}

impl<'a> Examiner<'a> {
    /// An examiner with every check.
    pub fn new(law: Law<'a>) -> Self {
        Self { law, sink: Sink::new(law.ledger), without: None }
    }

    /// The same without one check: the proof must miss it.
    pub fn without(mut self, check: &'a str) -> Self {
        self.without = Some(check);
        self
    }

    /// Judges a transcript; what was judged before is forgotten.
    pub fn examine(&mut self, hello: &Hello, transcript: &Transcript) {
        self.sink.forget();
        self.sink.begin(&transcript.scenario, hello);
        let view = View::new(transcript, hello, self.law.catalog);
        for check in checks().filter(|check| Some(check.id) != self.without) {
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
