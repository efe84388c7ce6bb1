//! Known failures: a file of lines `REQUIREMENT @ SCENARIO`, with `#` comments. The list is strict: what stands
//! there still runs, and must fail.

use std::collections::BTreeSet;

use fincert_schemas::Ledger;
use fincert_schemas::data::DataError;

use crate::Suite;

/// The pair that one line names.
pub fn key(requirement: &str, scenario: &str) -> String {
    format!("{requirement} @ {scenario}")
}

/// Reads a list; every requirement and scenario must exist.
pub fn read(file: &str, text: &str, ledger: &Ledger, suite: &Suite) -> Result<Vec<String>, DataError> {
    let mut entries = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let wrong = |message: String| DataError::new(&format!("{file}: line {}", index + 1), "", message);
        let (requirement, scenario) =
            line.split_once('@').ok_or_else(|| wrong(format!("want REQUIREMENT @ SCENARIO, got {line:?}")))?;
        let (requirement, scenario) = (requirement.trim(), scenario.trim());
        if ledger.get(requirement).is_none() {
            return Err(wrong(format!("no such requirement: {requirement}")));
        }
        if suite.get(scenario).is_none() {
            return Err(wrong(format!("no such scenario: {scenario}")));
        }
        entries.insert(key(requirement, scenario));
    }
    Ok(entries.into_iter().collect())
}

/// The text of a list.
pub fn write(entries: &[String]) -> String {
    let mut text = String::from(
        "# Known failures of this target: REQUIREMENT @ SCENARIO, a line each.\n# Each still runs and must fail; one that passes makes the run fail, so that the list stays true.\n",
    );
    for entry in entries {
        text.push_str(entry);
        text.push('\n');
    }
    text
}
