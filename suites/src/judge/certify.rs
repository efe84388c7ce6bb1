//! Deciding: which profiles and capabilities are certified.
//!
//! A profile or capability is certified when every applicable MUST of its requirement set was exercised and is
//! pass or warn. The requirements of every profile (clause 1) are judged within each by that profile's own
//! scenarios, so a capability stands or falls by its own calls.

use std::collections::{BTreeSet, HashMap};

use fincert_schemas::Level;
use fincert_schemas::bridge::{Hello, Integration};
use fincert_schemas::requirement::{EVERY, PROFILES, Requirement};
use fincert_schemas::run::{
    Certification, Decision, Ended, Missing, Outcome, Reason, RequirementVerdict, Session, Verdict, What,
};

use super::{Evidence, Law};
use crate::Scenario;
use crate::known_failing::key;

/// Whether the target declares a profile or capability. `integration` is declared by saying hello, a profile's
/// name stands for all of its capabilities, and a profile counts as declared when all of them are.
pub fn declared(hello: &Hello, name: &str) -> bool {
    let says = |wanted: &str| hello.capabilities.iter().any(|capability| capability == wanted);
    if name == "integration" {
        return true;
    }
    if hello.integration == Integration::Absent {
        return false;
    }
    match name.split_once(':') {
        Some((profile, _)) => says(name) || says(profile),
        None => {
            let parts = PROFILES.iter().find(|(profile, _)| *profile == name).map_or(&[][..], |(_, parts)| parts);
            says(name) || (!parts.is_empty() && parts.iter().all(|part| says(part)))
        }
    }
}

/// What the run was asked to certify: what `--profile` names, else all that the target declares and that is
/// offered.
pub fn asked(law: Law<'_>, evidence: Evidence<'_>) -> Vec<String> {
    if !evidence.header.profiles.is_empty() {
        return evidence.header.profiles.clone();
    }
    let Some(hello) = evidence.sessions.first().map(|session| &session.hello) else { return Vec::new() };
    let mut names = Vec::new();
    for (profile, parts) in PROFILES {
        if unchecked(law, profile).is_empty() {
            names.extend(
                std::iter::once(profile)
                    .chain(*parts)
                    .filter(|name| declared(hello, name))
                    .map(|name| (*name).to_owned()),
            );
        }
    }
    names
}

/// The MUSTs of a profile that no check judges; empty: the profile is offered.
pub(super) fn unchecked(law: Law<'_>, profile: &str) -> Vec<Missing> {
    set(law, profile)
        .filter(|requirement| requirement.level == Level::Must && requirement.untested.is_some())
        .map(|requirement| Missing {
            requirement: requirement.id.clone(),
            outcome: Outcome::NotExercised,
            reason: Some(Reason::NoCheck),
        })
        .collect()
}

/// The requirement set of a profile or capability.
fn set<'a>(law: Law<'a>, name: &str) -> impl Iterator<Item = &'a Requirement> {
    let (profile, part) = match name.split_once(':') {
        Some((profile, _)) => (profile.to_owned(), Some(name.to_owned())),
        None => (name.to_owned(), None),
    };
    law.ledger.iter().filter(move |requirement| {
        let mine = requirement.profile == EVERY || requirement.profile == profile;
        mine && match (&requirement.capability, &part) {
            (Some(capability), Some(part)) => capability == part,
            _ => true,
        }
    })
}

/// Whether a scenario's evidence counts for a profile or capability.
fn counts(scenario: &Scenario, name: &str) -> bool {
    if name == "integration" {
        return true;
    }
    match name.split_once(':') {
        Some((profile, _)) => scenario.profile == profile && scenario.capability.as_deref().is_none_or(|c| c == name),
        None => scenario.profile == name,
    }
}

/// Whether a requirement applies in any session; with no session, everything does.
fn applies(requirement: &Requirement, sessions: &[Session], name: &str) -> bool {
    let mut relevant =
        sessions.iter().filter(|session| name == "integration" || session.hello.integration != Integration::Absent);
    sessions.is_empty() || relevant.any(|session| requirement.applies(&session.hello))
}

/// Whether any session's evidence can count for this profile in a state other than its first one. The embedded
/// mock host shows all three states of clause 1 in one run; only `integration` looks at all of them.
fn sessions_of<'a>(evidence: Evidence<'a>, name: &str) -> &'a [Session] {
    if name == "integration" { evidence.sessions } else { &evidence.sessions[..evidence.sessions.len().min(1)] }
}

/// The verdicts by requirement, each with its scenario.
type Index<'a> = HashMap<&'a str, Vec<(&'a Verdict, &'a Scenario)>>;

fn index<'a>(law: Law<'a>, verdicts: &'a [Verdict]) -> Index<'a> {
    let scenarios: HashMap<&str, &Scenario> = law.suite.scenarios.iter().map(|s| (s.id.as_str(), s)).collect();
    let mut index: Index<'a> = HashMap::new();
    for verdict in verdicts {
        if let Some(scenario) = scenarios.get(verdict.scenario.as_str()) {
            index.entry(verdict.requirement.as_str()).or_default().push((verdict, scenario));
        }
    }
    index
}

/// Decides about every profile and capability, and whether all that was asked for is certified. Verdicts in
/// `excused` count as met.
pub(super) fn certifications(
    law: Law<'_>,
    evidence: Evidence<'_>,
    verdicts: &[Verdict],
    excused: &BTreeSet<&str>,
) -> (Vec<Certification>, bool) {
    let asked = asked(law, evidence);
    let index = index(law, verdicts);
    let mut all = Vec::new();
    for (profile, parts) in PROFILES {
        for name in std::iter::once(profile).chain(*parts) {
            all.push(certification(law, evidence, &index, excused, name, &asked));
        }
    }
    let wanted = |c: &&Certification| asked.contains(&c.name);
    let done = !asked.is_empty() && all.iter().filter(wanted).all(|c| c.decision == Decision::Certified);
    (all, done)
}

fn certification(
    law: Law<'_>,
    evidence: Evidence<'_>,
    index: &Index<'_>,
    excused: &BTreeSet<&str>,
    name: &str,
    asked: &[String],
) -> Certification {
    let empty = |decision, reason, missing| Certification {
        name: name.to_owned(),
        decision,
        reason,
        must: 0,
        must_met: 0,
        warnings: 0,
        missing,
    };
    let profile = name.split(':').next().unwrap_or(name);
    let unchecked = unchecked(law, profile);
    if !unchecked.is_empty() {
        return empty(Decision::NotOffered, Some(Reason::NoCheck), unchecked);
    }
    let is_asked = asked.iter().any(|wanted| wanted == name || wanted == profile);
    if !is_asked && !evidence.header.profiles.is_empty() {
        return empty(Decision::NotAsked, Some(Reason::NotAsked), Vec::new());
    }
    let hello = evidence.sessions.first().map(|session| &session.hello);
    if !is_asked && hello.is_some_and(|hello| hello.integration == Integration::Absent) {
        return empty(Decision::NotAsked, Some(Reason::ConditionNotMet), Vec::new());
    }
    let driven = evidence.header.scenarios.iter().any(|id| law.suite.get(id).is_some_and(|s| counts(s, name)));
    if !is_asked && (!driven || hello.is_some_and(|hello| !partly_declared(hello, name))) {
        let reason = hello.filter(|hello| !partly_declared(hello, name)).map(|_| Reason::NotDeclared);
        return empty(Decision::NotAsked, reason.or(Some(Reason::FilteredOut)), Vec::new());
    }
    let mut result = empty(Decision::Certified, None, Vec::new());
    for (requirement, outcome, reason) in outcomes(law, evidence, index, excused, name) {
        result.warnings += u32::from(outcome == Outcome::Warn);
        if requirement.level != Level::Must {
            continue;
        }
        result.must += 1;
        if matches!(outcome, Outcome::Pass | Outcome::Warn) {
            result.must_met += 1;
        } else {
            result.missing.push(Missing { requirement: requirement.id.clone(), outcome, reason });
        }
    }
    result.missing.sort_by_key(|missing| std::cmp::Reverse(missing.outcome));
    if !result.missing.is_empty() || evidence.header.chosen_by().is_some() {
        result.decision = Decision::NotCertified;
        result.reason = evidence.header.chosen_by().map(|_| Reason::FilteredOut);
    }
    // What a run never came to might have failed: a record that was cut off or interrupted certifies nothing.
    if result.decision == Decision::Certified && !is_complete(law, evidence, name) {
        result.decision = Decision::NotCertified;
        result.reason = Some(Reason::Interrupted);
    }
    result
}

/// Whether every chosen scenario that counts for the name, and belongs to a state that was seen, has a transcript.
fn is_complete(law: Law<'_>, evidence: Evidence<'_>, name: &str) -> bool {
    let reached: BTreeSet<&str> = evidence.transcripts.iter().map(|transcript| transcript.scenario.as_str()).collect();
    let states: Vec<Integration> = sessions_of(evidence, name).iter().map(|s| s.hello.integration).collect();
    let chosen = evidence.header.scenarios.iter().filter_map(|id| law.suite.get(id)).filter(|s| counts(s, name));
    let mut due = chosen.filter(|scenario| scenario.integration.iter().any(|state| states.contains(state)));
    due.all(|scenario| reached.contains(scenario.id.as_str()))
}

/// What came of each applicable requirement of a profile's or capability's set, by its own scenarios.
pub fn outcomes_of<'a>(
    law: Law<'a>,
    evidence: Evidence<'_>,
    verdicts: &[Verdict],
    name: &str,
) -> Vec<(&'a Requirement, Outcome)> {
    let index = index(law, verdicts);
    let all = outcomes(law, evidence, &index, &BTreeSet::new(), name);
    all.into_iter().map(|(requirement, outcome, _)| (requirement, outcome)).collect()
}

/// The same, with why; verdicts in `excused` count as met.
fn outcomes<'a>(
    law: Law<'a>,
    evidence: Evidence<'_>,
    index: &Index<'_>,
    excused: &BTreeSet<&str>,
    name: &str,
) -> Vec<(&'a Requirement, Outcome, Option<Reason>)> {
    let is_excused =
        |v: &Verdict| v.outcome == Outcome::Fail && excused.contains(key(&v.requirement, &v.scenario).as_str());
    set(law, name)
        .filter(|requirement| applies(requirement, sessions_of(evidence, name), name))
        .map(|requirement| {
            let mine = index.get(requirement.id.as_str()).map_or(&[][..], Vec::as_slice).iter();
            let mine: Vec<&Verdict> =
                mine.filter(|(_, scenario)| counts(scenario, name)).map(|(verdict, _)| *verdict).collect();
            let worst = mine.iter().filter(|verdict| !is_excused(verdict)).max_by_key(|verdict| verdict.outcome);
            match worst {
                Some(verdict) => (requirement, verdict.outcome, verdict.reason),
                None if !mine.is_empty() => (requirement, Outcome::Warn, None),
                None => (requirement, Outcome::NotExercised, Some(why_not(law, evidence, requirement, name))),
            }
        })
        .collect()
}

/// Whether the target declares the name, or for a profile at least one of its capabilities.
fn partly_declared(hello: &Hello, name: &str) -> bool {
    let parts = PROFILES.iter().find(|(profile, _)| *profile == name).map_or(&[][..], |(_, parts)| parts);
    declared(hello, name) || parts.iter().any(|part| declared(hello, part))
}

/// Why nothing touched a requirement.
fn why_not(law: Law<'_>, evidence: Evidence<'_>, requirement: &Requirement, name: &str) -> Reason {
    if requirement.untested.is_some() {
        return Reason::NoCheck;
    }
    let hello = evidence.sessions.first().map(|session| &session.hello);
    if let (Some(capability), Some(hello)) = (&requirement.capability, hello)
        && !declared(hello, capability)
    {
        return Reason::NotDeclared;
    }
    let mut skipped = None;
    let mut driven = false;
    let mut worked = false;
    for transcript in evidence.transcripts {
        let Some(scenario) = law.suite.get(&transcript.scenario).filter(|scenario| counts(scenario, name)) else {
            continue;
        };
        let foreign = matches!((&requirement.capability, &scenario.capability), (Some(a), Some(b)) if a != b);
        if foreign {
            continue;
        }
        match &transcript.ended {
            // A scenario for another state says nothing about this one.
            Ended::Skipped { reason: Reason::ConditionNotMet } => {}
            // What the fixed scenarios earn does not depend on generated cases.
            Ended::Skipped { reason: Reason::NotFuzzed } => {}
            // The other referee drove it.
            Ended::Skipped { reason: Reason::RefereeUnable } if evidence.header.referee.is_none() => {}
            Ended::Skipped { reason } => {
                let _ = skipped.get_or_insert(*reason);
            }
            Ended::Broken { reason, .. } => return *reason,
            Ended::Driven => {
                driven = true;
                worked |= transcript.events.iter().any(|event| matches!(&event.what, What::Answer { via, value, .. } if via.is_success()
                    && value.as_ref().is_none_or(|v| v.value.get("errorCode").is_none_or(|code| code.as_f64() == Some(0.0)))));
            }
        }
    }
    match (skipped, driven, worked) {
        (Some(reason), _, _) => reason,
        (None, true, false) => Reason::NoSuccessSeen,
        (None, false, _) if evidence.header.chosen_by().is_some() => Reason::FilteredOut,
        _ => Reason::NotTouched,
    }
}

/// The verdict on each requirement over the whole run.
pub(super) fn requirements(law: Law<'_>, evidence: Evidence<'_>, verdicts: &[Verdict]) -> Vec<RequirementVerdict> {
    let index = index(law, verdicts);
    law.ledger
        .iter()
        .map(|requirement| {
            let mine = index.get(requirement.id.as_str()).map_or(&[][..], Vec::as_slice);
            let worst = mine.iter().map(|(verdict, _)| *verdict).max_by_key(|verdict| verdict.outcome);
            let (outcome, reason) = match worst {
                Some(verdict) => (verdict.outcome, verdict.reason),
                None if requirement.untested.is_some() => (Outcome::NotExercised, Some(Reason::NoCheck)),
                None if !applies(requirement, evidence.sessions, "integration") => {
                    (Outcome::NotApplicable, Some(Reason::ConditionNotMet))
                }
                None => {
                    let profile =
                        if requirement.profile == EVERY { "integration" } else { requirement.profile.as_str() };
                    (Outcome::NotExercised, Some(why_not(law, evidence, requirement, profile)))
                }
            };
            RequirementVerdict {
                requirement: requirement.id.clone(),
                clause: requirement.clause.clone(),
                level: requirement.level,
                outcome,
                reason,
                exercised_in: mine.len() as u32,
            }
        })
        .collect()
}
