//! Driving generated cases: several to one transcript, each named before its calls.

use std::time::Instant;

use fincert_schemas::run::{Ended, Pace, Reason, Transcript, What};
use fincert_suites::Scenario;

use super::fixtures::PrepareError;
use super::scenario::{Drive, settle, take};
use super::session::{Lost, Session};
use crate::fuzz::Made;

/// What driving some cases came to.
#[derive(Debug)]
pub struct CasesOutcome {
    /// What was observed.
    pub transcript: Transcript,
    /// How many of the cases were begun; the last of them may have brought the target down.
    pub begun: usize,
}

/// Drives the cases in turn, until they are done, the target goes down, or time is up.
pub async fn drive_cases(
    session: &mut Session,
    scenario: &Scenario,
    cases: &[Made],
    pace: Pace,
    until: Instant,
    drive: &mut Drive<'_, '_>,
) -> CasesOutcome {
    session.begin(&scenario.id);
    drive.capture.begin();
    let mut begun = 0;
    let ended = match all(session, scenario, cases, pace, until, &mut begun, drive).await {
        Ok(()) => Ended::Driven,
        Err(PrepareError::Lost { reason, detail }) => Ended::Broken { reason, detail },
        Err(PrepareError::Scenario(detail)) => Ended::Broken { reason: Reason::PutFileFailed, detail },
    };
    let mut transcript = Transcript {
        scenario: scenario.id.clone(),
        session: session.number,
        referee: None,
        events: session.take_events(),
        ended,
    };
    drive.capture.rescrub(&mut transcript);
    CasesOutcome { transcript, begun }
}

async fn all(
    session: &mut Session,
    scenario: &Scenario,
    cases: &[Made],
    pace: Pace,
    until: Instant,
    begun: &mut usize,
    drive: &mut Drive<'_, '_>,
) -> Result<(), PrepareError> {
    if let (Pace::Person, Some(prompt)) = (pace, &scenario.prompt) {
        session.note(What::Prompt { text: prompt.en.clone() });
        (drive.prompt)(prompt, crate::deadline::PERSON);
    }
    let mut calls = Vec::new();
    for made in cases {
        if *begun > 0 && Instant::now() > until {
            break;
        }
        *begun += 1;
        session.begin_case();
        session.note(What::Case(made.case.clone()));
        // Each is a scenario of its own, as far as the target can tell.
        let name = session.case_name(&scenario.id);
        take(session, &made.steps, &name, pace, &mut calls, drive).await?;
    }
    settle(session, &calls, drive).await?;
    // Whether the target has survived the last case.
    let alive = session.ping(drive.capture).await?;
    if !alive {
        let detail = "no answer to bridge.ping after the last case".to_owned();
        return Err(Lost { reason: Reason::TargetHung, detail }.into());
    }
    Ok(())
}
