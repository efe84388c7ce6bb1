//! Driving generated cases: several to one transcript, each named before its calls.

use std::time::Instant;

use fincert_schemas::run::{Event, Pace, Reason, Transcript, What};
use fincert_suites::{CallStep, Scenario, Step};

use super::fixtures::PrepareError;
use super::scenario::{Drive, completed, finish, send, settle, settle_calls, take};
use super::session::{Lost, Place, Session};
use crate::fuzz::Made;

/// What driving some cases came to.
#[derive(Debug)]
pub struct CasesOutcome {
    /// What was observed.
    pub transcript: Transcript,
    /// How many of the cases were begun; the last of them may have brought the target down.
    pub begun: usize,
    /// The target went down while several cases were under way. Which of them did it cannot be told: none of them counts
    /// as begun, and what was seen of them is not kept.
    pub lost_together: bool,
}

/// How cases are driven.
#[derive(Debug, Clone, Copy)]
pub struct Pacing {
    /// How long each call may take.
    pub pace: Pace,
    /// When to stop.
    pub until: Instant,
    /// How many cases of one call each may be under way at once.
    pub window: usize,
}

/// Drives the cases in turn, until they are done, the target goes down, or time is up.
pub async fn drive_cases(
    session: &mut Session,
    scenario: &Scenario,
    cases: &[Made],
    pacing: Pacing,
    drive: &mut Drive<'_, '_>,
) -> CasesOutcome {
    session.begin(&scenario.id);
    drive.capture.begin();
    let mut progress = Progress::default();
    let outcome = match all(session, scenario, cases, pacing, &mut progress, drive).await {
        Err(PrepareError::Lost { .. }) if progress.lost_together => Ok(()),
        outcome => outcome,
    };
    let transcript = finish(session, scenario, outcome, drive);
    CasesOutcome { transcript, begun: progress.begun, lost_together: progress.lost_together }
}

#[derive(Default)]
struct Progress {
    begun: usize,
    calls: Vec<u64>,
    lost_together: bool,
}

async fn all(
    session: &mut Session,
    scenario: &Scenario,
    cases: &[Made],
    pacing: Pacing,
    progress: &mut Progress,
    drive: &mut Drive<'_, '_>,
) -> Result<(), PrepareError> {
    if let (Pace::Person, Some(prompt)) = (pacing.pace, &scenario.prompt) {
        session.note(What::Prompt { text: prompt.en.clone() });
        (drive.prompt)(prompt, crate::deadline::PERSON);
    }
    // How many of the next cases are driven one by one, since something of them could not be told apart.
    let mut alone = 0;
    // The cases that were under way together last, with nothing after them: where they begin in the transcript, how many.
    let mut window: Option<(Place, usize)> = None;
    // How many of the calls have had time for their `complete`.
    let mut heard = 0;
    while progress.begun < cases.len() {
        if progress.begun > 0 && Instant::now() > pacing.until {
            break;
        }
        let rest = &cases[progress.begun..];
        let batch = rest.iter().take(pacing.window).take_while(|made| single(made).is_some()).count();
        let together_next = batch > 1 && alone == 0;
        if together_next || window.is_some() {
            let lost = completed(session, &progress.calls[heard..], drive).await;
            told_apart(lost, session, progress, window)?;
            heard = progress.calls.len();
        }
        session.begin_case();
        if together_next {
            let place = session.place();
            let outcome = together(session, scenario, &rest[..batch], pacing.pace, progress, drive).await;
            if outcome.is_err() {
                progress.lost_together = true;
                session.forget(place);
                return outcome;
            }
            let unclear = |event: &Event| matches!(event.what, What::BadFrame { .. } | What::Lexical { .. });
            if session.since(place).iter().any(unclear) {
                session.forget(place);
                alone = batch;
                window = None;
            } else {
                progress.begun += batch;
                window = Some((place, batch));
            }
            continue;
        }
        alone = alone.saturating_sub(1);
        window = None;
        let made = &rest[0];
        progress.begun += 1;
        session.note(What::Case(made.case.clone()));
        // Each is a scenario of its own, as far as the target can tell.
        let name = session.case_name(&scenario.id);
        take(session, &made.steps, &name, pacing.pace, &mut progress.calls, drive).await?;
    }
    let lost = settle(session, &progress.calls, drive).await;
    told_apart(lost, session, progress, window)?;
    // Whether the target has survived the last case.
    let alive = match session.ping(drive.capture).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            let detail = "no answer to bridge.ping after the last case".to_owned();
            Err(Lost { reason: Reason::TargetHung, detail })
        }
        Err(lost) => Err(lost),
    };
    Ok(told_apart(alive, session, progress, window)?)
}

/// A target that goes down after several cases together, before anything else was driven, went down under one of them:
/// which, cannot be told, and they count as not begun.
fn told_apart(
    outcome: Result<(), Lost>,
    session: &mut Session,
    progress: &mut Progress,
    window: Option<(Place, usize)>,
) -> Result<(), Lost> {
    if let (Err(_), Some((place, size))) = (&outcome, window) {
        session.forget(place);
        progress.begun -= size;
        progress.lost_together = true;
    }
    outcome
}

/// The one call of a case that has no more.
fn single(made: &Made) -> Option<&CallStep> {
    match made.steps.as_slice() {
        [Step::Call(call)] if call.times == 1 => Some(call),
        _ => None,
    }
}

/// Several cases of one call each, all under way at once.
async fn together(
    session: &mut Session,
    scenario: &Scenario,
    cases: &[Made],
    pace: Pace,
    progress: &mut Progress,
    drive: &mut Drive<'_, '_>,
) -> Result<(), PrepareError> {
    let mut ready = Vec::new();
    for made in cases {
        let Some(call) = single(made) else { continue };
        ready.push((made, call, session.prepare(call.with.as_ref(), drive.capture).await?));
    }
    let mut ids = Vec::new();
    for (made, call, prepared) in ready {
        session.note(What::Case(made.case.clone()));
        let name = session.case_name(&scenario.id);
        ids.push(send(session, &name, call, prepared, 1, drive).await?);
    }
    progress.calls.extend(&ids);
    settle_calls(session, &ids, pace, false, drive).await
}
