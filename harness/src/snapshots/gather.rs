//! From transcripts to results: what each call of an API came to, redacted, and what it is known by.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fincert_schemas::digest;
use fincert_schemas::run::{Ended, Fact, Finding, RunHeader, Session, Subject, Transcript, What};
use fincert_suites::Scenario;
use fincert_suites::judge::Law;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rules::{Rules, Side};

/// The version of what stands in a snapshot's `info`.
pub(super) const VERSION: u32 = 1;

/// One result, as it becomes a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiResult {
    /// The snapshot's name: its file's, without the ending.
    pub name: String,
    /// What was driven, in English, and what was called.
    pub description: String,
    /// What it is known by.
    pub info: Info,
    /// The result: JSON, a line a member.
    pub text: String,
}

/// What a snapshot is known by, in the field `info` of its header.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Info {
    /// `VERSION`.
    pub fincert: u32,
    /// The scenario.
    pub scenario: String,
    /// Whether it is one of the operator's own (`--scenarios`), which only the run with it knows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own: bool,
    /// The step of the scenario.
    pub step: u32,
    /// The method.
    pub call: String,
    /// What was asked, masked and redacted.
    pub request: Value,
    /// The requirements that speak of the result.
    pub requirements: Vec<String>,
    /// What judging found in this step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
    /// The SHA-256 of method and request: a renamed scenario is found by it.
    pub asked: String,
    /// [`Info::seal`] of all that stands above and of the result's text: whoever edits it by hand is found out by it.
    pub sha256: String,
}

impl Info {
    /// The SHA-256 of this header, its own digest aside, and of the result's text.
    pub fn seal(&self, text: &str) -> String {
        let head = json!(Self { sha256: String::new(), ..self.clone() });
        digest::sha256(format!("{head}\n{text}").as_bytes())
    }
}

/// A finding, as a snapshot keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The requirement.
    pub requirement: String,
    /// fail, warn, inconclusive or could-not-run.
    pub outcome: String,
    /// What was there, masked.
    pub actual: String,
}

/// What is gathered from.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// How the run was asked for.
    pub header: &'a RunHeader,
    /// Its sessions.
    pub sessions: &'a [Session],
    /// Its transcripts.
    pub transcripts: &'a [Transcript],
    /// What judging found.
    pub findings: &'a [Finding],
}

/// The results of a run, in its order.
pub fn gather(law: Law<'_>, rules: &Rules, material: Material<'_>) -> Vec<ApiResult> {
    let first = material.sessions.first().map(|session| session.hello.integration);
    let mut seen: BTreeSet<(&str, u32)> = BTreeSet::new();
    let mut all = Vec::new();
    for transcript in material.transcripts {
        // The second referee drives the same calls again.
        if transcript.ended != Ended::Driven || !seen.insert((&transcript.scenario, transcript.session)) {
            continue;
        }
        // Generated requests are others in each run.
        let suite = law.suite.get(&transcript.scenario);
        let Some(scenario) = suite.filter(|scenario| scenario.fuzz().is_none()) else { continue };
        let session = material.sessions.iter().find(|session| session.session == transcript.session);
        // The embedded mock host shows some scenarios in several states of clause 1.
        let state = session.map(|session| session.hello.integration).filter(|state| Some(*state) != first);
        let name = match state {
            Some(state) if material.header.mock => format!("{}@{}", scenario.id, state.as_str()),
            _ => scenario.id.clone(),
        };
        all.extend(results(rules, material, scenario, &name, transcript));
    }
    // A target that went down and came back may have driven one scenario twice.
    let mut names = BTreeSet::new();
    all.retain(|result| names.insert(result.name.clone()));
    all
}

struct Call<'a> {
    step: u32,
    method: &'a str,
    request: &'a Value,
    subject: Option<&'a Subject>,
    purpose: Option<&'a str>,
    facts: &'a [Fact],
    result: Option<Value>,
}

fn results(
    rules: &Rules,
    material: Material<'_>,
    scenario: &Scenario,
    name: &str,
    transcript: &Transcript,
) -> Vec<ApiResult> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    let mut places: HashMap<u64, usize> = HashMap::new();
    for event in &transcript.events {
        match &event.what {
            What::Call { id, step, method, request, subject, purpose, .. } => {
                places.insert(*id, calls.len());
                calls.push(Call {
                    step: *step,
                    method,
                    request: &request.value,
                    subject: subject.as_ref(),
                    purpose: purpose.as_deref(),
                    facts: &[],
                    result: None,
                });
            }
            What::Answer { id, via, value, .. } => {
                let Some(call) = places.get(id).map(|place| &mut calls[*place]) else { continue };
                if call.result.is_none() {
                    call.facts = value.as_ref().map_or(&[], |value| &value.facts);
                    call.result = Some(match value {
                        Some(value) => json!({"via": via.as_str(), "value": value.value}),
                        None => json!({"via": via.as_str()}),
                    });
                }
            }
            What::Refused { id, code, message } => {
                let Some(call) = places.get(id).map(|place| &mut calls[*place]) else { continue };
                call.result.get_or_insert(json!({"refused": code, "message": message}));
            }
            What::NoResponse { id, .. } => {
                let Some(call) = places.get(id).map(|place| &mut calls[*place]) else { continue };
                call.result.get_or_insert(json!({"no-response": true}));
            }
            _ => {}
        }
    }
    let flow = scenario.flow().is_some();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut all = Vec::new();
    for call in calls {
        // Of a flow, each method's first result that has a value: the rest is traffic.
        let short = call.method.rsplit('.').next().unwrap_or(call.method);
        let place = if flow { format!("{name}.{short}") } else { format!("{name}.{}", call.step) };
        let Some(result) = call.result.as_ref().filter(|result| !flow || result.get("value").is_some()) else {
            continue;
        };
        let count = counts.entry(place.clone()).or_insert(0);
        *count += 1;
        if flow && *count > 1 {
            continue;
        }
        let place = if *count > 1 { format!("{place}-{count}") } else { place };
        all.push(one(rules, material, scenario, place, &call, result));
    }
    all
}

fn one(
    rules: &Rules,
    material: Material<'_>,
    scenario: &Scenario,
    name: String,
    call: &Call<'_>,
    result: &Value,
) -> ApiResult {
    let mut request = rules.redact(call.method, Side::Request, call.request);
    // What the redacted path stood for is what the result is about.
    match (call.subject, request.get_mut("imagePath")) {
        (Some(Subject::Fixture(id)), Some(path)) => *path = Value::from(format!("[specimen {id}]")),
        (Some(Subject::Unreadable(kind)), Some(path)) => *path = Value::from(format!("[unreadable: {kind}]")),
        _ => {}
    }
    if let Some(purpose) = call.purpose {
        request = json!({"purpose": purpose, "request": request});
    }
    let mut shown = result.clone();
    if let Some(value) = shown.get_mut("value") {
        *value = rules.redact(call.method, Side::Result, value);
    }
    let text = serde_json::to_string_pretty(&shown).unwrap_or_default();
    let requirements: BTreeSet<String> = call
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Holds { requirement, .. }
            | Fact::Breaks { requirement, .. }
            | Fact::Alias { requirement, .. }
            | Fact::Seen { requirement, .. } => Some(requirement.clone()).filter(|id| !id.is_empty()),
            _ => None,
        })
        .collect();
    let findings = material
        .findings
        .iter()
        .filter(|finding| finding.scenario == scenario.id && finding.step == Some(call.step))
        .map(|finding| Found {
            requirement: finding.requirement.clone(),
            outcome: finding.outcome.as_str().to_owned(),
            actual: finding.actual.clone(),
        })
        .collect();
    let asked = digest::sha256(json!([call.method, request]).to_string().as_bytes());
    let mut info = Info {
        fincert: VERSION,
        scenario: scenario.id.clone(),
        own: material.header.own.iter().any(|own| own["id"] == scenario.id.as_str()),
        step: call.step,
        call: call.method.to_owned(),
        request,
        requirements: requirements.into_iter().collect(),
        findings,
        asked,
        sha256: String::new(),
    };
    info.sha256 = info.seal(&text);
    ApiResult { name, description: format!("{}: {}", scenario.title.en, call.method), info, text }
}
