//! Session descriptions, each read once: checks ask for the same few texts a hundred times.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
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

/// A text as a key. Descriptions differ in the line of their origin (RFC 8866 section 5.2), which stands at the head, and
/// in their length, or in their end; so the whole of it is compared and not hashed.
#[derive(Debug, PartialEq, Eq)]
struct Key<'a>(&'a str);

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        const END: usize = 96;
        let bytes = self.0.as_bytes();
        state.write_usize(bytes.len());
        state.write(&bytes[..bytes.len().min(END)]);
        state.write(&bytes[bytes.len().saturating_sub(END)..]);
    }
}

/// The descriptions that a transcript shows. Those of a good flow serve for its mutants too.
#[derive(Debug, Default)]
pub struct Readings<'a>(HashMap<Key<'a>, Rc<Reading<'a>>, foldhash::fast::RandomState>);

impl<'a> Readings<'a> {
    /// Reads the descriptions of a flow; of another transcript there are none.
    pub fn of(transcript: &'a Transcript) -> Self {
        Rtc::new(transcript, None).map(|rtc| rtc.readings).unwrap_or_default()
    }

    /// The reading of a text, if it is one of these.
    pub(super) fn get(&self, text: &'a str) -> Option<&Rc<Reading<'a>>> {
        self.0.get(&Key(text))
    }

    /// Reads a text, or takes it from `known`.
    pub(super) fn add(&mut self, text: &'a str, known: Option<&Readings<'a>>) {
        let read = || known.and_then(|known| known.get(text).cloned()).unwrap_or_else(|| Reading::of(text));
        self.0.entry(Key(text)).or_insert_with(read);
    }
}
