//! Calls that are not answered yet. The clean mock host answers at once and has none; a defect that takes its time is
//! how two calls can overlap, and so how one can get what belongs to the other.

use std::sync::{Arc, Mutex, PoisonError};

use fincert_schemas::bridge::Settlement;
use serde_json::Value;

/// A call that is not answered yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The API.
    pub api: &'static str,
    /// What it was asked.
    pub request: Value,
    /// What it is going to be answered, before any defect.
    pub answer: Settlement,
}

/// The calls of a session, or over HTTP of the host, that are not answered yet.
#[derive(Debug, Clone, Default)]
pub struct Pending(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    given: u64,
    waiting: Vec<(u64, Waiting)>,
}

impl Pending {
    /// A call begins to wait, until its ticket is dropped.
    pub fn enter(&self, waiting: Waiting) -> Ticket {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.given += 1;
        let number = table.given;
        table.waiting.push((number, waiting));
        Ticket { pending: self.clone(), number }
    }

    /// Who waits, longest first.
    pub fn all(&self) -> Vec<Waiting> {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.waiting.iter().map(|(_, waiting)| waiting.clone()).collect()
    }
}

/// One call's place among those that wait. It is given back before the answer is sent, so that a caller who waits for
/// its answer never overlaps with itself.
#[derive(Debug)]
pub struct Ticket {
    pending: Pending,
    number: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut table = self.pending.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.waiting.retain(|(number, _)| *number != self.number);
    }
}
