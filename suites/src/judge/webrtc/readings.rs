//! Session descriptions, each read once: checks ask for the same few texts a hundred times.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use fincert_schemas::format::sdp::{Fault, Sdp, faults};
use fincert_schemas::run::Transcript;

use super::view::Rtc;

/// A description that was read.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    text: &'a str,
    sdp: Sdp<'a>,
    faults: OnceCell<Vec<Fault>>,
}

impl<'a> Reading<'a> {
    /// Reads a text.
    pub(crate) fn of(text: &'a str) -> Rc<Self> {
        Rc::new(Self { text, sdp: Sdp::read(text), faults: OnceCell::new() })
    }

    /// The first few faults of its form.
    pub(super) fn faults(&self) -> &[Fault] {
        self.faults.get_or_init(|| faults(self.text))
    }
}

impl<'a> Deref for Reading<'a> {
    type Target = Sdp<'a>;

    fn deref(&self) -> &Self::Target {
        &self.sdp
    }
}

/// The descriptions that a transcript shows. Those of a good flow serve for its mutants too.
#[derive(Debug, Default)]
pub struct Readings<'a>(HashMap<&'a str, Rc<Reading<'a>>, foldhash::fast::RandomState>);

impl<'a> Readings<'a> {
    /// Reads the descriptions of a flow; of another transcript there are none.
    pub fn of(transcript: &'a Transcript) -> Self {
        Rtc::new(transcript, None).map(|rtc| rtc.readings).unwrap_or_default()
    }

    /// The reading of a text, if it is one of these.
    pub(super) fn get(&self, text: &str) -> Option<&Rc<Reading<'a>>> {
        self.0.get(text)
    }

    /// Reads a text, or takes it from `known`.
    pub(super) fn add(&mut self, text: &'a str, known: Option<&Readings<'a>>) {
        let read = || known.and_then(|known| known.get(text).cloned()).unwrap_or_else(|| Reading::of(text));
        self.0.entry(text).or_insert_with(read);
    }
}
