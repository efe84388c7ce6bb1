//! What the record keeps of a long run: every case at first, then only those in which something was found.

use std::collections::HashMap;

use fincert_schemas::run::fuzz::{CASES_NOT_KEPT, Case, CaseKind};
use fincert_schemas::run::{Event, What};

/// So many cases of an API are kept whole.
pub(super) const KEPT_WHOLE: u32 = 1_000;

/// Drops the cases that `keep` does not want, and counts them by kind. What comes to no call stays with its case.
pub(super) fn thin(events: Vec<Event>, keep: impl Fn(&Case) -> bool) -> Vec<Event> {
    let mut kept = Vec::new();
    let mut owner: HashMap<u64, bool> = HashMap::new();
    let mut dropped: Vec<(CaseKind, u64)> = Vec::new();
    let (mut keeping, mut last) = (true, 0);
    for event in events {
        last = event.at_us;
        let wanted = match &event.what {
            What::Case(case) => {
                keeping = keep(case);
                if !keeping {
                    match dropped.iter_mut().find(|(kind, _)| *kind == case.kind) {
                        Some((_, count)) => *count += 1,
                        None => dropped.push((case.kind, 1)),
                    }
                }
                keeping
            }
            What::Call { id, .. } => {
                owner.insert(*id, keeping);
                keeping
            }
            What::Answer { id, .. }
            | What::Refused { id, .. }
            | What::Callback { id, .. }
            | What::NoResponse { id, .. } => owner.get(id).copied().unwrap_or(keeping),
            _ => keeping,
        };
        if wanted {
            kept.push(event);
        }
    }
    dropped.sort_unstable();
    kept.extend(dropped.into_iter().map(|(kind, count)| {
        let what = What::Omitted { what: format!("{CASES_NOT_KEPT}:{}", kind.as_str()), count };
        Event { at_us: last, late: false, what }
    }));
    kept
}
