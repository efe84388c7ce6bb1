//! What a certificate says: two in-toto statements.
//!
//! The test result (<https://in-toto.io/attestation/test-result/v0.1>) says what was judged and by what; the simple
//! verification result (<https://in-toto.io/attestation/svr/v0.1>) names the certified profiles. What these predicates have
//! no word for stands in their extension field `fincert`.

use fincert_schemas::bridge::Hello;
use fincert_schemas::catalog::BASE;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::VERSION;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";
const SUMMARY: &str = "https://in-toto.io/attestation/svr/v0.1";

/// An in-toto statement: of these subjects, this is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    kind: String,
    /// What it speaks of: the run record, the hello, the vendor's own files.
    pub subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// What it says.
    pub predicate: P,
}

/// Something with a name and a digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its name: `run-record`, `hello`, or a file's name.
    pub name: String,
    /// Its digest.
    pub digest: Sha256,
}

/// A SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sha256 {
    /// In hexadecimal.
    pub sha256: String,
}

impl Subject {
    /// A name and the SHA-256 that belongs to it.
    pub fn new(name: impl Into<String>, sha256: impl Into<String>) -> Self {
        Self { name: name.into(), digest: Sha256 { sha256: sha256.into() } }
    }
}

/// What judging leaned on, by digest.
pub type Resource = Subject;

/// The test result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestResult {
    /// `PASSED`, or `WARNED` where a test warned. What failed is not certified.
    pub result: String,
    /// What judged: specification, requirements, schemas, suites, known failures.
    pub configuration: Vec<Resource>,
    /// What passed, as `PROFILE/REQUIREMENT`.
    pub passed_tests: Vec<String>,
    /// What passed with a warning.
    pub warned_tests: Vec<String>,
    /// What failed: nothing.
    pub failed_tests: Vec<String>,
    /// What the predicate has no word for.
    pub fincert: Claim,
}

/// What fincert says beyond the test result's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Claim {
    /// [`VERSION`].
    pub certificate: u32,
    /// The fincert that drew it up.
    pub fincert: String,
    /// The version of the suites that judged.
    pub suites: String,
    /// The target, as it introduced itself.
    pub target: Hello,
    /// Whether the target is fincert's own mock host.
    pub mock: bool,
    /// The mock host's defect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<String>,
    /// When the run began, by the record.
    pub began: String,
    /// The profiles and capabilities that are certified.
    pub certified: Vec<Certified>,
    /// Failures that were expected, as `REQUIREMENT @ SCENARIO`. None of them touches what is certified.
    pub known_failures: Vec<String>,
    /// From when on it is valid: when it was drawn up.
    pub not_before: String,
    /// Until when.
    pub not_after: String,
}

/// A certified profile or capability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certified {
    /// Its name.
    pub name: String,
    /// How many MUSTs were exercised and met.
    pub must: u32,
    /// How many of its requirements warn.
    pub warnings: u32,
}

/// The summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summary {
    verifier: Verifier,
    time_created: String,
    /// What is certified: `FINCERT_` and the name of the profile or capability. For fincert's own mock host
    /// `FINCERT_MOCK_`, so that no policy takes it for a target.
    pub properties: Vec<String>,
    fincert: Link,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Verifier {
    id: String,
    policy: Policy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    uri: String,
    digest: Sha256,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Link {
    certificate: u32,
    /// The statement that it sums up.
    test_result: Sha256,
    not_before: String,
    not_after: String,
}

/// What every statement of fincert has, for telling what does not fit before its fields are looked at.
#[derive(Debug, Deserialize)]
struct Head {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: HeadPredicate,
}

#[derive(Debug, Deserialize)]
struct HeadPredicate {
    fincert: Option<HeadClaim>,
}

#[derive(Debug, Deserialize)]
struct HeadClaim {
    certificate: u32,
    fincert: Option<String>,
}

impl<P: Serialize + DeserializeOwned> Statement<P> {
    /// The one way to write it.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec(self).map_err(|error| error.to_string())
    }
}

impl Statement<TestResult> {
    /// A test result of these subjects.
    pub fn new(subject: Vec<Subject>, predicate: TestResult) -> Self {
        Self { kind: STATEMENT.to_owned(), subject, predicate_type: TEST_RESULT.to_owned(), predicate }
    }

    /// Reads a statement that is written in the one way.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, String> {
        let wrong = |error: serde_json::Error| format!("payload: no statement of fincert: {error}");
        let head: Head = serde_json::from_slice(payload).map_err(wrong)?;
        if head.kind != STATEMENT || head.predicate_type != TEST_RESULT {
            return Err("payload: a statement of another kind, no test result".to_owned());
        }
        let claim = head
            .predicate
            .fincert
            .ok_or("payload: a test result, but none of fincert's: predicate/fincert is missing")?;
        if claim.certificate > VERSION {
            let by = claim.fincert.filter(|by| by.len() < 40 && by.chars().all(|c| c.is_ascii_graphic()));
            return Err(format!(
                "certificate version {}, this fincert reads {VERSION}; verify it with fincert {} or newer",
                claim.certificate,
                by.unwrap_or_else(|| "a newer version".to_owned())
            ));
        }
        let statement: Self = serde_json::from_slice(payload).map_err(wrong)?;
        if statement.encode()? != payload {
            return Err("payload: not written as fincert writes it".to_owned());
        }
        time(&statement.predicate.fincert.not_before)?;
        time(&statement.predicate.fincert.not_after)?;
        Ok(statement)
    }

    /// The summary that follows from it; `digest` is the SHA-256 of its bytes.
    pub(super) fn summary(&self, digest: &str) -> Statement<Summary> {
        let claim = &self.predicate.fincert;
        let prefix = if claim.mock { "FINCERT_MOCK_" } else { "FINCERT_" };
        let suites = self.predicate.configuration.iter().find(|one| one.name == "suites");
        let predicate = Summary {
            verifier: Verifier {
                id: format!("{BASE}verifier/suites-{}", claim.suites),
                policy: Policy {
                    uri: format!("{BASE}suites"),
                    digest: suites.map_or_else(|| Sha256 { sha256: String::new() }, |one| one.digest.clone()),
                },
            },
            time_created: claim.not_before.clone(),
            properties: claim.certified.iter().map(|one| format!("{prefix}{}", one.name)).collect(),
            fincert: Link {
                certificate: claim.certificate,
                test_result: Sha256 { sha256: digest.to_owned() },
                not_before: claim.not_before.clone(),
                not_after: claim.not_after.clone(),
            },
        };
        Statement {
            kind: STATEMENT.to_owned(),
            subject: self.subject.clone(),
            predicate_type: SUMMARY.to_owned(),
            predicate,
        }
    }

    /// The digest of a subject.
    pub fn digest_of(&self, name: &str) -> Option<&str> {
        self.subject.iter().find(|one| one.name == name).map(|one| one.digest.sha256.as_str())
    }
}

/// A moment in the one way that certificates write it: UTC, whole seconds.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let moment: Timestamp = text.parse().map_err(|error| format!("{text:?} is no time: {error}"))?;
    if moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string() != text {
        return Err(format!("{text:?}: want UTC in whole seconds, 2026-01-31T08:00:00Z"));
    }
    Ok(moment)
}
