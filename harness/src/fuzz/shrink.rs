//! Shrinking one failing case against the live target: it is driven again, ever smaller, and what still fails the same
//! way is kept.
//!
//! A case may fail by itself, or only after what came before it in its session, or only when a session has had many
//! calls. These are tried in that order. What does not come again at all is said to be so.

use std::time::{Duration, Instant};

use fincert_schemas::bridge::Integration;
use fincert_schemas::run::flow::Referee;
use fincert_schemas::run::fuzz::{Case, CaseKind, Shrunk};
use fincert_schemas::run::{Ended, Event, Finding, Transcript, What};
use fincert_suites::judge;
use fincert_suites::scenario::Step;

use super::class::Class;
use super::driver::{Run, forked};
use super::make::Made;
use super::save::scenario_file;
use super::smaller::Smaller;
use crate::drive::{Drive, Pacing, Session, drive_cases};
use crate::output::write_whole;
use crate::runner::{Progress, Runner};
use crate::source::Source;

/// How long one failure may be shrunk.
const PATIENCE: Duration = Duration::from_secs(30);
/// A session that has had so many calls may fail because of their number.
const MANY: u32 = 50;
/// No session is called more often than this to find that out.
const MOST_CALLS: u32 = 5_000;
/// So many calls are made between two looks.
const STRIDE: u32 = 100;

/// One driving of some steps.
struct Attempt {
    transcript: Transcript,
    fails: bool,
    /// In which step it fails, where the finding says.
    step: Option<u32>,
}

/// What shrinking has to work with.
struct Work<'w> {
    source: &'w mut Source,
    state: Option<Integration>,
    session: Option<Session>,
    cause: &'w str,
    requirement: &'w str,
    case: Case,
    calls: u32,
    until: Instant,
}

impl Runner<'_, '_> {
    /// Shrinks the case in which `finding` was made, and keeps what came of it.
    #[expect(clippy::too_many_arguments, reason = "a session and where the next one comes from")]
    pub(super) async fn shrink(
        &mut self,
        run: &mut Run<'_, '_>,
        source: &mut Source,
        state: Option<Integration>,
        session: Option<Session>,
        finding: &Finding,
        made: &Made,
        before: &[Vec<Step>],
    ) -> std::io::Result<Option<Session>> {
        let until = Instant::now() + PATIENCE;
        let mut work = Work {
            source,
            state,
            session,
            cause: &finding.cause,
            requirement: &finding.requirement,
            case: Case { smallest: true, ..made.case.clone() },
            calls: 0,
            until: until.min(run.until),
        };
        let mut said = Shrunk {
            case: made.case.index,
            requirement: finding.requirement.clone(),
            cause: finding.cause.clone(),
            class: String::new(),
            calls: 0,
            again: false,
            alone: false,
            after: None,
        };
        let mut steps = None;
        let mut transcript = None;
        if let Some(failing) = self.again(run, &mut work, made, before).await? {
            said.alone = failing == made.steps;
            let smallest = self.smaller(run, &mut work, failing).await?;
            // Once more, with the patience of every call: what is kept is what was seen.
            if let Some(attempt) = self.attempt(run, &mut work, &smallest, true).await?.filter(|attempt| attempt.fails)
            {
                transcript = Some(attempt.transcript);
                steps = Some(smallest);
            }
        } else if let Some((times, last)) = self.many_calls(run, &mut work).await? {
            said.after = Some(times);
            transcript = Some(last);
            steps = Some(run.maker.repeated(times));
        }
        said.calls = work.calls;
        if let (Some(steps), Some(mut transcript)) = (steps, transcript) {
            said.again = true;
            let plain: Vec<_> = run.maker.plain().collect();
            said.class = Class::of(&steps, &plain);
            if run.is_new(&said.cause, &said.class) {
                transcript.events.insert(0, Event { at_us: 0, late: false, what: What::Shrunk(said.clone()) });
                self.keep_part(transcript)?;
                self.save(run, &said, &steps);
            }
        } else {
            let mut transcript = crate::runner::blank(run.scenario, 0, Ended::Driven);
            transcript.session = work.session.as_ref().map_or(0, |live| live.number);
            transcript.events.push(Event { at_us: 0, late: false, what: What::Shrunk(said) });
            self.keep_part(transcript)?;
        }
        Ok(work.session)
    }

    /// The steps with which the failure comes again: the case's own, or with what came before it.
    async fn again(
        &mut self,
        run: &mut Run<'_, '_>,
        work: &mut Work<'_>,
        made: &Made,
        before: &[Vec<Step>],
    ) -> std::io::Result<Option<Vec<Step>>> {
        if self.attempt(run, work, &made.steps, false).await?.is_some_and(|attempt| attempt.fails) {
            return Ok(Some(made.steps.clone()));
        }
        let mut size = 1;
        while size / 2 < before.len() {
            let from = before.len().saturating_sub(size);
            let mut steps = before[from..].concat();
            steps.extend(made.steps.iter().cloned());
            if self.attempt(run, work, &steps, false).await?.is_some_and(|attempt| attempt.fails) {
                return Ok(Some(steps));
            }
            size *= 2;
        }
        Ok(None)
    }

    /// Makes failing steps smaller as long as the budget lasts.
    async fn smaller(
        &mut self,
        run: &mut Run<'_, '_>,
        work: &mut Work<'_>,
        failing: Vec<Step>,
    ) -> std::io::Result<Vec<Step>> {
        let maker = run.maker;
        let mut smaller = Smaller::new(&maker.rows, maker.plain().collect(), failing);
        while work.calls < self.plan.fuzzing.budget && Instant::now() < work.until {
            let Some(candidate) = smaller.candidate() else { break };
            match self.attempt(run, work, &candidate, false).await? {
                Some(attempt) if attempt.fails => smaller.accept(candidate),
                Some(_) => {}
                None => break,
            }
        }
        Ok(smaller.best().to_vec())
    }

    /// Whether a plain call made again and again fails like this: how many calls it takes, and the last of them.
    async fn many_calls(
        &mut self,
        run: &mut Run<'_, '_>,
        work: &mut Work<'_>,
    ) -> std::io::Result<Option<(u32, Transcript)>> {
        let valid = !matches!(work.case.kind, CaseKind::Invalid);
        if !valid || !(MANY..=MOST_CALLS).contains(&run.calls) || !work.source.restarts() {
            return Ok(None);
        }
        // A session of its own, so that the calls can be counted.
        if let Some(live) = work.session.take() {
            live.close().await;
        }
        let most = (run.calls + STRIDE).min(MOST_CALLS);
        let mut made = 0;
        while made < most && Instant::now() < work.until {
            let steps: Vec<Step> = (0..STRIDE).flat_map(|_| run.maker.repeated(1)).collect();
            // Not reset in between: that might begin the count anew.
            if made > 0 && work.session.is_none() {
                return Ok(None);
            }
            let Some(attempt) = self.drive_steps(run, work, &steps, true).await? else { return Ok(None) };
            if attempt.fails {
                let Some((count, transcript)) = first_and(attempt) else { return Ok(None) };
                return Ok(Some((made + count, transcript)));
            }
            made += STRIDE;
        }
        Ok(None)
    }

    async fn attempt(
        &mut self,
        run: &mut Run<'_, '_>,
        work: &mut Work<'_>,
        steps: &[Step],
        patient: bool,
    ) -> std::io::Result<Option<Attempt>> {
        if let Some(live) = &mut work.session {
            let mut capture = forked(&self.capture);
            if live.start_over(&mut capture).await.is_err() {
                work.session = None;
            }
        }
        self.drive_steps(run, work, steps, patient).await
    }

    /// Drives some steps as a case; nothing where no session can be had any more.
    async fn drive_steps(
        &mut self,
        run: &mut Run<'_, '_>,
        work: &mut Work<'_>,
        steps: &[Step],
        patient: bool,
    ) -> std::io::Result<Option<Attempt>> {
        let mut live = match work.session.take() {
            Some(live) => live,
            // A person who must start the app again is not asked two hundred times.
            None if !work.source.restarts() => return Ok(None),
            None => match self.connect_again(run, work.source, work.state).await {
                Some(connected) => connected,
                None => return Ok(None),
            },
        };
        live.be_patient(patient);
        let mut capture = forked(&self.capture);
        let mut quiet = |_: &fincert_schemas::Bilingual, _| {};
        let mut drive = Drive {
            capture: &mut capture,
            deadlines: if patient { &mut self.deadlines } else { &mut run.short },
            run: &self.run_id,
            suffix: &self.suffix,
            prompt: &mut quiet,
            completes_missed: &mut self.completes_missed,
            referee: Referee::WebrtcRs,
            flows: &self.plan.flows,
        };
        let made = [Made { case: work.case.clone(), steps: steps.to_vec() }];
        let pacing = Pacing { pace: run.pace, until: Instant::now() + PATIENCE, window: 1 };
        let outcome = drive_cases(&mut live, run.scenario, &made, pacing, &mut drive).await;
        let transcript = outcome.transcript;
        let calls = transcript.events.iter().filter(|event| matches!(event.what, What::Call { .. })).count() as u32;
        work.calls += calls;
        run.calls += calls;
        let findings = judge::findings(self.law, &live.hello, &transcript);
        let failing = findings.iter().find(|f| f.cause == work.cause && f.requirement == work.requirement);
        let (fails, step) = (failing.is_some(), failing.and_then(|finding| finding.step));
        if !matches!(transcript.ended, Ended::Broken { .. }) {
            // Strays of candidates are nobody's evidence.
            live.strays.clear();
            live.be_patient(true);
            work.session = Some(live);
        }
        Ok(Some(Attempt { transcript, fails, step }))
    }

    fn save(&mut self, run: &Run<'_, '_>, said: &Shrunk, steps: &[Step]) {
        let Some(folder) = &self.plan.fuzzing.save else { return };
        let (name, text) = scenario_file(run.scenario, said, steps, self.seed);
        let path = folder.join(name);
        let outcome = std::fs::create_dir_all(folder).and_then(|()| write_whole(&path, text.as_bytes()));
        let note = match outcome {
            Ok(()) => format!("saved: {}", path.display()),
            Err(error) => format!("{}: {error}", path.display()),
        };
        (self.progress)(Progress::Note(note));
    }
}

/// The call of a long row in which it fails, counted from 1, and a transcript of it with the first call.
fn first_and(attempt: Attempt) -> Option<(u32, Transcript)> {
    let mut transcript = attempt.transcript;
    let calls = || transcript.events.iter().filter(|event| matches!(event.what, What::Call { .. }));
    let count = attempt.step.unwrap_or(u32::try_from(calls().count()).unwrap_or(u32::MAX));
    let id_at = |step: u32| {
        transcript.events.iter().find_map(|event| match &event.what {
            What::Call { id, step: this, .. } if *this == step => Some(*id),
            _ => None,
        })
    };
    let kept = [id_at(1)?, id_at(count)?];
    transcript.events.retain(|event| match &event.what {
        What::Call { id, .. }
        | What::Answer { id, .. }
        | What::Refused { id, .. }
        | What::Callback { id, .. }
        | What::NoResponse { id, .. } => kept.contains(id),
        _ => true,
    });
    Some((count, transcript))
}
