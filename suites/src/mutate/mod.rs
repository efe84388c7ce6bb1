//! Mutation of transcripts: it proves that the checks would notice.
//!
//! A clean raw transcript of the mock host is changed in one place, captured and judged. **Before** it is judged, the
//! operator and the place name its owners: the requirements whose sentence the change breaks, by the schema's
//! `x-requirement` at the broken pointer, or for what no schema speaks of by the tables of the operators' files, which
//! quote the ledger. A mutant is killed when an owner is red, or warns where the owner is no MUST or the change is an
//! alias. Where a change breaks no sentence, there is no mutant.
//!
//! Mutants are distinct by scenario, referee, event, pointer, operator and rule; in a flow, whose thirty candidates are one
//! like the other, by pointer, operator, rule and owners. They are values: [`Mutant::apply`] makes
//! the changed transcript, so that twenty thousand of them cost no memory.

mod bridge;
mod callbacks;
mod edit;
mod flow;
mod refused;
mod relations;
mod retype;
mod rules;
mod settled;
mod values;

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use fincert_schemas::Level;
use fincert_schemas::bridge::Hello;
use fincert_schemas::capture::Raw;
use fincert_schemas::run::Outcome;
use serde_json::Value;

use crate::judge::Law;
pub(crate) use edit::Edit;

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operator {
    /// Something that must be there is not: a row, an answer, a callback, an event.
    Drop,
    /// Something comes twice.
    Duplicate,
    /// Something comes before what it must follow.
    Reorder,
    /// A value is of another JSON type.
    Retype,
    /// A row or an event has another name.
    Rename,
    /// A number or a digit is one too high or too low.
    OffByOne,
    /// The end of a text or of a list is missing.
    Truncate,
    /// Something comes again after the scenario was closed, or after what it must precede.
    Late,
    /// What one channel should carry comes by another.
    SwapCallback,
    /// A value breaks one rule of its schema.
    BreakRule,
    /// Two values that depend on each other no longer agree.
    BreakDependency,
    /// The bridge itself is at fault: its frames, its ids, its connection.
    Frame,
    /// What must be refused is accepted, or the other way round.
    SwapRefusal,
    /// A property tells another state than the true one.
    WrongState,
    /// A line of an SDP is wrong.
    SdpLine,
    /// Counters of packets stand still, or awaited media does not come.
    Counters,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Drop,
        Self::Duplicate,
        Self::Reorder,
        Self::Retype,
        Self::Rename,
        Self::OffByOne,
        Self::Truncate,
        Self::Late,
        Self::SwapCallback,
        Self::BreakRule,
        Self::BreakDependency,
        Self::Frame,
        Self::SwapRefusal,
        Self::WrongState,
        Self::SdpLine,
        Self::Counters,
    ];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::Retype => "retype",
            Self::Rename => "rename",
            Self::OffByOne => "off-by-one",
            Self::Truncate => "truncate",
            Self::Late => "late",
            Self::SwapCallback => "swap-callback",
            Self::BreakRule => "break-rule",
            Self::BreakDependency => "break-dependency",
            Self::Frame => "frame",
            Self::SwapRefusal => "swap-refusal",
            Self::WrongState => "wrong-state",
            Self::SdpLine => "sdp-line",
            Self::Counters => "counters",
        }
    }
}

/// A raw transcript that nothing is wrong with.
#[derive(Debug, Clone, Copy)]
pub struct Clean<'a> {
    /// The transcript.
    pub raw: &'a Raw,
    /// What the mock host said it is.
    pub hello: &'a Hello,
}

/// One change of a clean transcript.
#[derive(Clone)]
pub struct Mutant {
    /// The kind of change.
    pub operator: Operator,
    /// The event that is changed, by its index in the clean transcript.
    pub event: usize,
    /// Where in its value, or what of it.
    pub at: String,
    /// Which change, where the operator knows several. It never holds a value.
    pub rule: String,
    /// The requirements whose sentence it breaks, named before judging.
    pub owners: Vec<String>,
    /// Whether the new spelling is an alias, which warns even where the owner is a MUST.
    pub alias: bool,
    /// The changes, in order; those further back in the transcript come first.
    edits: Vec<Edit>,
}

impl fmt::Debug for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.operator.as_str(), self.event, self.at, self.rule)
    }
}

impl Mutant {
    /// The changed transcript.
    pub fn apply(&self, clean: &Raw) -> Raw {
        let mut raw = clean.clone();
        for edit in &self.edits {
            edit.apply(raw.uncaptured_mut());
        }
        raw
    }

    /// Which of the owners are red, given what judging showed of each requirement. One is enough to kill it.
    pub fn red(&self, law: Law<'_>, outcome: impl Fn(&str) -> Option<Outcome>) -> Vec<bool> {
        let is_red = |owner: &String| match outcome(owner) {
            Some(Outcome::Fail) => true,
            Some(Outcome::Warn) => self.alias || law.ledger.get(owner).is_some_and(|r| r.level != Level::Must),
            _ => false,
        };
        self.owners.iter().map(is_red).collect()
    }
}

/// Good results of the run, by API and what was asked for: what a target that accepts everything would answer.
#[derive(Debug, Default)]
pub struct Donors(BTreeMap<(String, String), Value>);

impl Donors {
    /// Gathers the results of a run.
    pub fn of<'a>(law: Law<'_>, all: impl IntoIterator<Item = Clean<'a>>) -> Self {
        let mut donors = BTreeMap::new();
        for clean in all {
            for call in settled::calls(law, clean) {
                if let Some(value) = call.good_result() {
                    donors.entry((call.api.to_owned(), call.asked().to_owned())).or_insert_with(|| value.clone());
                }
            }
        }
        Self(donors)
    }

    /// The result of just what was asked for.
    fn exactly(&self, api: &str, asked: &str) -> Option<&Value> {
        self.0.get(&(api.to_owned(), asked.to_owned()))
    }

    /// The same, or any result of the API.
    fn get(&self, api: &str, asked: &str) -> Option<&Value> {
        self.exactly(api, asked).or_else(|| self.0.iter().find(|((known, _), _)| known == api).map(|(_, value)| value))
    }
}

/// Where the operators put what they make.
struct Maker<'a> {
    law: Law<'a>,
    clean: Clean<'a>,
    donors: &'a Donors,
    seen: HashSet<(usize, String, Operator, String, Vec<String>)>,
    /// Whether it is a flow: of its hundreds of events each kind of change is made to the first that it fits.
    is_flow: bool,
    made: Vec<Mutant>,
}

/// What a new mutant is: its operator, event, pointer, rule and owners.
struct Change<'o> {
    operator: Operator,
    event: usize,
    at: &'o str,
    rule: &'o str,
    owners: &'o [&'o str],
    alias: bool,
}

impl<'a> Maker<'a> {
    /// Makes a mutant, unless there is one of that name or no owner applies to the target.
    fn make(&mut self, what: Change<'_>, edits: Vec<Edit>) {
        let applies = |owner: &&&str| {
            self.law
                .ledger
                .get(owner)
                .is_some_and(|r| !r.coverage && r.untested.is_none() && r.applies(self.clean.hello))
        };
        let owners: Vec<String> = what.owners.iter().filter(applies).map(|owner| (*owner).to_owned()).collect();
        let (event, named) = if self.is_flow { (0, owners.clone()) } else { (what.event, Vec::new()) };
        let key = (event, what.at.to_owned(), what.operator, what.rule.to_owned(), named);
        if owners.is_empty() || edits.is_empty() || !self.seen.insert(key) {
            return;
        }
        self.made.push(Mutant {
            operator: what.operator,
            event: what.event,
            at: what.at.to_owned(),
            rule: what.rule.to_owned(),
            owners,
            alias: what.alias,
            edits,
        });
    }

    /// The same in short.
    fn add(&mut self, operator: Operator, event: usize, (at, rule): (&str, &str), owners: &[&str], edits: Vec<Edit>) {
        self.make(Change { operator, event, at, rule, owners, alias: false }, edits);
    }
}

/// Every mutant of a clean transcript, in an order that depends on nothing else.
pub fn mutants(law: Law<'_>, clean: Clean<'_>, donors: &Donors) -> Vec<Mutant> {
    let is_flow = flow::is_flow(clean.raw.uncaptured());
    let mut maker = Maker { law, clean, donors, seen: HashSet::new(), is_flow, made: Vec::new() };
    let calls = settled::calls(law, clean);
    for call in &calls {
        values::of_call(&mut maker, call);
        callbacks::of_call(&mut maker, call);
        relations::of_call(&mut maker, call);
        refused::of_call(&mut maker, call);
    }
    callbacks::of_transcript(&mut maker, &calls);
    relations::of_transcript(&mut maker, &calls);
    refused::of_transcript(&mut maker, &calls);
    bridge::of_transcript(&mut maker);
    flow::of_transcript(&mut maker);
    maker.made
}
