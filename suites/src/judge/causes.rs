//! Findings that share one cause are shown as one.

use fincert_schemas::Ledger;
use fincert_schemas::run::{CauseGroup, Finding, Outcome};
use indexmap::IndexMap;

pub(super) fn group(findings: &[Finding], ledger: &Ledger) -> Vec<CauseGroup> {
    let mut groups: IndexMap<&str, CauseGroup> = IndexMap::new();
    for (index, finding) in findings.iter().enumerate() {
        let group = groups.entry(&finding.cause).or_insert_with(|| CauseGroup {
            cause: finding.cause.clone(),
            outcome: Outcome::Pass,
            requirements: Vec::new(),
            scenarios: Vec::new(),
            first: index as u32,
            count: 0,
        });
        // The worst finding tells the story.
        if finding.outcome > group.outcome {
            group.outcome = finding.outcome;
            group.first = index as u32;
        }
        group.count += 1;
        if !group.requirements.contains(&finding.requirement) {
            group.requirements.push(finding.requirement.clone());
        }
        if !group.scenarios.contains(&finding.scenario) {
            group.scenarios.push(finding.scenario.clone());
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    for group in &mut groups {
        group.requirements.sort_by_key(|id| (ledger.get(id).map(|r| r.level), ledger.position(id)));
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.outcome));
    groups
}
