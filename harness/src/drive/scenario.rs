//! Driving one scenario to its transcript.

use std::time::{Duration, Instant};

use fincert_schemas::Bilingual;
use fincert_schemas::bridge::{CallParams, CallStyle, Integration, Prefer};
use fincert_schemas::capture::Capture;
use fincert_schemas::run::flow::Referee;
use fincert_schemas::run::{Ended, Pace, Reason, Transcript, What};
use fincert_suites::scenario::{CallStep, Scenario, Step};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::fixtures::PrepareError;
use super::session::{Lost, Made, Session};
use crate::deadline::Deadlines;
use crate::turn::FlowNetwork;

/// After its last answer a scenario stays open this long for second callbacks; what comes later is a stray,
/// which is judged all the same.
const SETTLE: Duration = Duration::from_millis(4);
/// How long it stays open while a `complete` is still expected.
const SETTLE_FOR_COMPLETE: Duration = Duration::from_millis(100);
/// What a person needs to read the prompt before the call is made.
const TO_READ: Duration = Duration::from_secs(5);
/// After so many scenarios, or cases together, in a row without it, `complete` is not expected any more.
const COMPLETES_MISSED: u32 = 3;

/// The purpose of a plain valid call.
const CONTROL: &str = "control";

/// What driving needs beside the session.
pub struct Drive<'a, 'c> {
    /// Captures values.
    pub capture: &'a mut Capture<'c>,
    /// How long to wait.
    pub deadlines: &'a mut Deadlines,
    /// The run's id, sent along.
    pub run: &'a str,
    /// The random suffix for unknown methods.
    pub suffix: &'a str,
    /// Told when a person shall act: the prompt and until when.
    pub prompt: &'a mut dyn FnMut(&Bilingual, Duration),
    /// In how many scenarios, or cases together, in a row `complete` did not come.
    pub completes_missed: &'a mut u32,
    /// Which peer drives the flows.
    pub referee: Referee,
    /// What the flows are told of the operator's network.
    pub flows: &'a FlowNetwork,
}

impl std::fmt::Debug for Drive<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drive").finish_non_exhaustive()
    }
}

/// Drives the scenario. The session is of no more use where the transcript ended `broken`.
///
/// It is boxed, so that the drivers are compiled in this crate and not once more in each that awaits them.
pub fn drive<'a, 'd: 'a, 'c: 'a>(
    session: &'a mut Session,
    scenario: &'a Scenario,
    drive: &'a mut Drive<'d, 'c>,
) -> LocalBoxFuture<'a, Transcript> {
    Box::pin(async move {
        session.begin(&scenario.id);
        drive.capture.begin();
        let outcome = steps(session, scenario, drive).await;
        finish(session, scenario, outcome, drive)
    })
}

/// The transcript of what was driven, however it ended.
pub(super) fn finish(
    session: &mut Session,
    scenario: &Scenario,
    outcome: Result<(), PrepareError>,
    drive: &Drive<'_, '_>,
) -> Transcript {
    let ended = match outcome {
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
    // An engine may log a name before it answers with it: what the scenario taught in the end holds for all of it.
    drive.capture.rescrub(&mut transcript);
    transcript
}

async fn steps(session: &mut Session, scenario: &Scenario, drive: &mut Drive<'_, '_>) -> Result<(), PrepareError> {
    let pace = match scenario.pace {
        Pace::Person if session.hello.simulated => Pace::Machine,
        pace => pace,
    };
    let absent = session.hello.integration == Integration::Absent;
    if absent {
        pinged(session, drive).await?;
    }
    if let (Pace::Person, Some(prompt)) = (pace, &scenario.prompt) {
        session.note(What::Prompt { text: prompt.en.clone() });
        (drive.prompt)(prompt, crate::deadline::PERSON);
        tokio::time::sleep(TO_READ).await;
    }
    let mut calls = Vec::new();
    take(session, &scenario.steps, &scenario.id, pace, &mut calls, drive).await?;
    settle(session, &calls, drive).await?;
    if absent {
        pinged(session, drive).await?;
    }
    // The answer to reset shows that the target has survived the scenario.
    session.reset(drive.capture).await?;
    Ok(())
}

/// Takes steps in order; the ids of the calls that were made. `name` is what the target is told of the scenario.
pub(super) async fn take(
    session: &mut Session,
    steps: &[Step],
    name: &str,
    pace: Pace,
    calls: &mut Vec<u64>,
    drive: &mut Drive<'_, '_>,
) -> Result<(), PrepareError> {
    let absent = session.hello.integration == Integration::Absent;
    let mut step = 0;
    for item in steps {
        match item {
            Step::Call(call) => {
                for _ in 0..call.times {
                    step += 1;
                    let ready = session.prepare(call.with.as_ref(), drive.capture).await?;
                    let id = send(session, name, call, ready, step, drive).await?;
                    calls.push(id);
                    settle_calls(session, &[id], pace, absent, drive).await?;
                }
            }
            Step::Reset(_) => session.reset(drive.capture).await?,
            // Flows and generated cases are driven elsewhere.
            Step::Flow(_) | Step::Fuzz(_) => {}
            Step::Concurrent(group) => {
                let mut prepared = Vec::new();
                for call in &group.concurrent {
                    prepared.push((call, session.prepare(call.with.as_ref(), drive.capture).await?));
                }
                let mut started = Vec::new();
                for (call, ready) in prepared {
                    step += 1;
                    started.push(send(session, name, call, ready, step, drive).await?);
                }
                calls.extend(&started);
                settle_calls(session, &started, pace, absent, drive).await?;
            }
        }
    }
    Ok(())
}

async fn pinged(session: &mut Session, drive: &mut Drive<'_, '_>) -> Result<(), Lost> {
    let alive = session.ping(drive.capture).await?;
    session.note(What::Ping { alive });
    Ok(())
}

pub(super) async fn send(
    session: &mut Session,
    name: &str,
    call: &CallStep,
    ready: super::Prepared,
    step: u32,
    drive: &mut Drive<'_, '_>,
) -> Result<u64, PrepareError> {
    let method = if call.random { format!("{}{}", call.call, drive.suffix) } else { call.call.clone() };
    let request = ready.request.clone().unwrap_or_else(|| json!({}));
    let params = CallParams {
        args: ready.request.into_iter().collect(),
        this: None,
        run: Some(drive.run.to_owned()),
        scenario: Some(name.to_owned()),
        page: None,
        // Only who simulates the person may be told what the person shall do.
        prefer: call
            .example
            .clone()
            .filter(|_| session.hello.simulated)
            .map(|example| Prefer { example: Some(example), ..Prefer::default() }),
    };
    let id = session.id();
    let captured = drive.capture.request(&method, &request);
    session.note(What::Call {
        id,
        step,
        method: method.clone(),
        handle: None,
        request: captured,
        subject: ready.subject.clone(),
        purpose: call.control.then(|| CONTROL.to_owned()),
    });
    let made = Made {
        scenario: session.scene.scenario.clone(),
        method: method.clone(),
        request,
        subject: ready.subject,
        sent: Instant::now(),
        settled: false,
        answered: None,
        via: None,
        refused: false,
        completes: 0,
        handle: None,
        raw: None,
    };
    session.remember(id, made);
    let params = serde_json::to_value(params).unwrap_or(Value::Null);
    session.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
    Ok(id)
}

/// Waits until every one of the calls has settled or its deadline has passed.
pub(super) async fn settle_calls(
    session: &mut Session,
    ids: &[u64],
    pace: Pace,
    absent: bool,
    drive: &mut Drive<'_, '_>,
) -> Result<(), PrepareError> {
    let mut waiting: Vec<(u64, Duration)> = ids
        .iter()
        .map(|id| {
            let kind = session.made.get(id).map(Made::kind).unwrap_or_default();
            (*id, drive.deadlines.of(&kind, pace, absent))
        })
        .collect();
    loop {
        waiting.retain(|(id, _)| {
            let Some(made) = session.made.get(id) else { return false };
            if made.settled {
                drive.deadlines.answered(&made.kind(), made.sent.elapsed());
            }
            !made.settled
        });
        let Some((id, deadline, patience)) = waiting
            .iter()
            .filter_map(|(id, patience)| session.made.get(id).map(|made| (*id, made.sent + *patience, *patience)))
            .min_by_key(|(_, deadline, _)| *deadline)
        else {
            return Ok(());
        };
        if session.hear(deadline, drive.capture).await? {
            continue;
        }
        let place = session.place();
        let alive = session.ping(drive.capture).await?;
        let deadline_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let what = What::NoResponse { id, deadline_ms, alive };
        match session.made.get(&id).map(|made| (made.settled, made.kind(), made.sent.elapsed())) {
            // The answer came while the ping was under way: late, so it stands behind this.
            Some((true, kind, took)) => {
                session.note_at(place, what);
                drive.deadlines.answered(&kind, took);
            }
            // What came instead of an answer, such as a frame that could not be used, stands before it.
            Some((false, kind, _)) => {
                session.note(what);
                drive.deadlines.silent(&kind);
            }
            None => session.note(what),
        }
        waiting.retain(|(other, _)| *other != id);
        if !alive {
            let detail = format!("no answer within {deadline_ms} ms, and none to bridge.ping");
            return Err(PrepareError::Lost { reason: Reason::TargetHung, detail });
        }
    }
}

/// Stays open for second and late callbacks.
pub(super) async fn settle(session: &mut Session, calls: &[u64], drive: &mut Drive<'_, '_>) -> Result<(), Lost> {
    loop {
        let expected = lacks_complete(session, calls) && *drive.completes_missed < COMPLETES_MISSED;
        let until = session.last_heard() + if expected { SETTLE_FOR_COMPLETE } else { SETTLE };
        if !session.hear(until, drive.capture).await? {
            break;
        }
    }
    if session.hello.call_style == CallStyle::Callbacks {
        *drive.completes_missed = if lacks_complete(session, calls) { *drive.completes_missed + 1 } else { 0 };
    }
    Ok(())
}

/// Hears until no `complete` of the calls is lacking, and no longer: what goes down next is not to blame them.
pub(super) async fn completed(session: &mut Session, calls: &[u64], drive: &mut Drive<'_, '_>) -> Result<(), Lost> {
    while lacks_complete(session, calls) {
        if *drive.completes_missed >= COMPLETES_MISSED {
            return Ok(());
        }
        if !session.hear(session.last_heard() + SETTLE_FOR_COMPLETE, drive.capture).await? {
            *drive.completes_missed += 1;
            return Ok(());
        }
    }
    if session.hello.call_style == CallStyle::Callbacks {
        *drive.completes_missed = 0;
    }
    Ok(())
}

/// Whether a call that was answered still lacks its `complete`.
fn lacks_complete(session: &Session, calls: &[u64]) -> bool {
    session.hello.call_style == CallStyle::Callbacks
        && calls
            .iter()
            .filter_map(|id| session.made.get(id))
            .any(|made| made.settled && !made.refused && made.completes == 0)
}
