//! The ledger against the checks: every requirement is judged by a check, or carries the reason why not.
#![allow(missing_docs, clippy::unwrap_used)]

use fincert_schemas::Ledger;
use fincert_schemas::catalog::Catalog;
use fincert_suites::judge;

#[test]
fn every_requirement_is_judged_or_says_why_not() {
    let ledger = Ledger::embedded().unwrap();
    let judged = judge::judged_requirements(Catalog::embedded().unwrap());
    for requirement in ledger.iter() {
        match (&requirement.untested, judged.get(&requirement.id)) {
            (None, None) => panic!("{} is judged by no check and does not say why", requirement.id),
            (Some(_), Some(checks)) => panic!("{} says it is untested, but {checks:?} judge it", requirement.id),
            _ => {}
        }
    }
    for (requirement, checks) in &judged {
        assert!(ledger.get(requirement).is_some(), "{checks:?} judge {requirement}, which is not in the ledger");
    }
}

#[test]
fn checks_have_names_of_their_own() {
    let mut names: Vec<_> = judge::checks().map(|check| check.id).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
