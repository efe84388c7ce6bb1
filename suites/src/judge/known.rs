//! Known failures against verdicts.

use std::collections::BTreeSet;

use fincert_schemas::run::{Outcome, Verdict};

use crate::known_failing::key;

/// Known failures that passed (or only warned).
pub(super) fn unexpected_passes(known: &BTreeSet<&str>, verdicts: &[Verdict]) -> Vec<String> {
    verdicts
        .iter()
        .filter(|verdict| matches!(verdict.outcome, Outcome::Pass | Outcome::Warn))
        .map(|verdict| key(&verdict.requirement, &verdict.scenario))
        .filter(|key| known.contains(key.as_str()))
        .collect()
}

/// How many failures were expected.
pub(super) fn expected(known: &BTreeSet<&str>, verdicts: &[Verdict]) -> u32 {
    let failed = verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Fail);
    failed.filter(|verdict| known.contains(key(&verdict.requirement, &verdict.scenario).as_str())).count() as u32
}
