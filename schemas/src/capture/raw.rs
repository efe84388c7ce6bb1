//! Raw transcripts: what came, before capture.
//!
//! The suites are proven by mutation: a raw transcript is changed in memory, captured and judged. So that no raw value
//! can reach a disk, a raw transcript is a type of its own, which nothing writes.

use std::fmt;

use serde_json::Value;

use super::Capture;
use crate::catalog::Catalog;
use crate::run::{Captured, Transcript};

/// A transcript whose values are as they came, and which has no facts. It has no `Serialize`, and its `Debug` shows no
/// value.
#[derive(Clone, PartialEq)]
pub struct Raw(Transcript);

impl Raw {
    /// A transcript that was driven with [`Capture::raw`].
    pub fn new(transcript: Transcript) -> Self {
        Self(transcript)
    }

    /// What was driven. Whatever is kept of it goes through [`Capture::replay`] first.
    pub fn uncaptured(&self) -> &Transcript {
        &self.0
    }

    /// The same, to be changed.
    pub fn uncaptured_mut(&mut self) -> &mut Transcript {
        &mut self.0
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({}, {} events)", self.0.scenario, self.0.events.len())
    }
}

impl<'c> Capture<'c> {
    /// A capture that captures nothing: driving with it gives what [`Raw::new`] takes.
    pub fn raw(catalog: &'c Catalog) -> Self {
        Self { raw: true, ..Self::new(catalog, false) }
    }
}

/// A value as it came.
pub(super) fn whole(raw: &Value) -> Captured {
    Captured { value: raw.clone(), facts: Vec::new() }
}
