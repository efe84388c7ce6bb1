//! Driving the cases of one API: in transcripts of some hundred cases, each judged when it is whole, so that a long run
//! is bounded in memory and what fails is shrunk while the target is in the state that made it fail.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use fincert_schemas::bridge::Integration;
use fincert_schemas::capture::Capture;
use fincert_schemas::run::flow::Referee;
use fincert_schemas::run::fuzz::{CASES_NOT_DRIVEN, Case, CaseKind};
use fincert_schemas::run::{Ended, Event, Finding, Outcome, Pace, Reason, Transcript, What};
use fincert_suites::judge;
use fincert_suites::scenario::{FuzzStep, Scenario, Step};

use super::keep::{KEPT_WHOLE, thin};
use super::make::{Made, Maker};
use crate::deadline::Deadlines;
use crate::drive::{CasesOutcome, Drive, Pacing, Session, drive_cases};
use crate::runner::{Progress, Runner, blank};
use crate::source::Source;

/// How many cases one transcript holds.
const CHUNK: u32 = 200;
/// How long one API may take where nobody asked for so many cases: a slow engine must not suffer.
const UNASKED: Duration = Duration::from_secs(60);
/// The same where the operator asked.
const ASKED: Duration = Duration::from_secs(3600);
/// How often the target may go down under the cases of one API before they are given up.
const DEATHS: u32 = 20;
/// How many failures of one API are shrunk.
const SHRUNK: usize = 24;
/// How many with the same cause.
const SHRUNK_OF_A_CAUSE: usize = 5;
/// How long shrinking may take at one API.
const SHRINKING: Duration = Duration::from_secs(120);
/// Limits that are counted are multiples of this.
const ROUND: u32 = 1_000;
/// A row of plain calls begins so many calls early and ends so many late: a target may count other calls than fincert does.
const SLACK: u32 = 8;
/// How many cases before a failing one are remembered, should it fail only after them.
pub(super) const REMEMBERED: usize = 16;

/// What goes on at one API.
pub(super) struct Run<'m, 's> {
    pub(super) scenario: &'s Scenario,
    pub(super) maker: &'m Maker<'m>,
    pub(super) pace: Pace,
    /// What was done in the session at hand, newest last.
    pub(super) history: VecDeque<Vec<Step>>,
    /// How many API calls the session has had.
    pub(super) calls: u32,
    /// How many of the next transcripts are driven case by case.
    alone: u32,
    /// The deadlines of candidates.
    pub(super) short: Deadlines,
    shrunk: HashMap<String, HashSet<String>>,
    classes: HashSet<(String, String)>,
    pub(super) until: Instant,
}

impl<'c> Runner<'_, 'c> {
    /// Drives the generated cases of one API. The session comes back if it lives.
    pub(crate) async fn fuzz(
        &mut self,
        place: usize,
        scenario: &Scenario,
        step: &FuzzStep,
        source: &mut Source,
        state: Option<Integration>,
        session: Option<Session>,
    ) -> std::io::Result<Option<Session>> {
        let mut session = session;
        if session.is_none() {
            match self.connect(source, state).await {
                Ok(connected) => session = Some(connected),
                Err(error) => {
                    // The fixed scenarios say what they think of a target that is gone.
                    (self.progress)(Progress::Note(format!(
                        "{}: {}",
                        error.reason,
                        self.capture.text(&error.detail, 1_000)
                    )));
                    self.keep(place, blank(scenario, 0, Ended::Skipped { reason: Reason::NotFuzzed }))?;
                    return Ok(None);
                }
            }
        }
        let Some(live) = session.as_mut() else { return Ok(None) };
        if let Some(reason) = self.skipped(scenario, live).or_else(|| self.not_fuzzed(scenario, live)) {
            self.keep(place, blank(scenario, live.number, Ended::Skipped { reason }))?;
            return Ok(session);
        }
        let person = scenario.pace == Pace::Person && !live.hello.simulated;
        let pace = if scenario.pace == Pace::Person && !person { Pace::Machine } else { scenario.pace };
        let law = self.law;
        let params = &law.suite.params;
        let maker = match Maker::new(law, params, step, &live.hello, self.seed, !person) {
            Ok(Some(maker)) => maker,
            Ok(None) => {
                self.keep(place, blank(scenario, live.number, Ended::Skipped { reason: Reason::NotDeclared }))?;
                return Ok(session);
            }
            Err(error) => return Err(std::io::Error::other(format!("{}: {error}", scenario.id))),
        };
        let mut run = Run {
            scenario,
            maker: &maker,
            pace,
            history: VecDeque::new(),
            calls: 0,
            alone: 0,
            short: self.deadlines.shortened(),
            shrunk: HashMap::new(),
            classes: HashSet::new(),
            until: Instant::now() + SHRINKING,
        };
        live.keep_files(true);
        session = self.chunks(place, &mut run, source, state, session).await?;
        if let Some(live) = &mut session {
            live.keep_files(false);
        }
        Ok(session)
    }

    /// Where a person acts on each call, cases are driven only where that was asked for.
    fn not_fuzzed(&self, scenario: &Scenario, session: &Session) -> Option<Reason> {
        let person = scenario.pace == Pace::Person && !session.hello.simulated;
        (self.cases == 0 || (person && !self.plan.fuzzing.asked)).then_some(Reason::NotFuzzed)
    }

    async fn chunks(
        &mut self,
        place: usize,
        run: &mut Run<'_, '_>,
        source: &mut Source,
        state: Option<Integration>,
        mut session: Option<Session>,
    ) -> std::io::Result<Option<Session>> {
        let indexes: Vec<u32> = match self.plan.fuzzing.only {
            Some(only) if only > 1 => vec![0, 1, only],
            Some(_) => vec![0, 1],
            None => (0..self.cases).collect(),
        };
        let began = Instant::now();
        let patience = if self.plan.fuzzing.asked { ASKED } else { UNASKED };
        let (mut next, mut deaths) = (0, 0);
        let mut last = None;
        while next < indexes.len() {
            if deaths >= DEATHS || began.elapsed() > patience {
                break;
            }
            let mut live = match session.take() {
                Some(live) => live,
                None => match self.connect_again(run, source, state).await {
                    Some(connected) => connected,
                    None => break,
                },
            };
            let end = (next + CHUNK as usize).min(indexes.len());
            let (mut transcript, made, lost) = self.chunk(run, &mut live, &indexes[next..end], began + patience).await;
            let broken = lost || matches!(transcript.ended, Ended::Broken { .. });
            let unable = matches!(transcript.ended, Ended::Broken { reason: Reason::PutFileFailed, .. });
            let hello = live.hello.clone();
            let findings = judge::findings(self.law, &hello, &transcript);
            let first = indexes[next];
            next += if lost { made.len() } else { made.len().max(1) };
            let failing: HashSet<u32> = findings.iter().filter_map(|finding| finding.case).collect();
            let plain = |kind| kind == CaseKind::Control;
            if first >= KEPT_WHOLE {
                let events = std::mem::take(&mut transcript.events);
                transcript.events = thin(events, |case| failing.contains(&case.index) || plain(case.kind));
            }
            let history = std::mem::take(&mut run.history);
            run.remember(&history, &made);
            self.strays(&mut live)?;
            self.keep_part(transcript.clone())?;
            session = if broken { None } else { Some(live) };
            deaths += u32::from(broken);
            // What is shown of the scenario is a transcript in which something was found, if there is one.
            if last.is_none() || !findings.is_empty() {
                last = Some(transcript);
            }
            if unable {
                break;
            }
            session = self.shrink_all(run, source, state, session, &findings, &made, &history).await?;
        }
        let left = (indexes.len() - next.min(indexes.len())) as u64;
        if left > 0 {
            let what = What::Omitted { what: CASES_NOT_DRIVEN.to_owned(), count: left };
            let number = session.as_ref().map_or(0, |live| live.number);
            let mut rest = blank(run.scenario, number, Ended::Driven);
            rest.events.push(Event { at_us: 0, late: false, what });
            self.keep_part(rest)?;
        }
        if let Some(live) = &mut session {
            let mut capture = self.capture.clone();
            if live.start_over(&mut capture).await.is_err() {
                session = None;
            }
        }
        if let Some(transcript) = last {
            (self.progress)(Progress::End { index: place, transcript: &transcript });
        }
        Ok(session)
    }

    /// A new session for the cases of a run, which then has no history; nothing where none can be had.
    pub(super) async fn connect_again(
        &mut self,
        run: &mut Run<'_, '_>,
        source: &mut Source,
        state: Option<Integration>,
    ) -> Option<Session> {
        match self.connect(source, state).await {
            Ok(mut connected) => {
                connected.keep_files(true);
                run.history.clear();
                run.calls = 0;
                Some(connected)
            }
            Err(error) => {
                let detail = self.capture.text(&error.detail, 1_000);
                (self.progress)(Progress::Note(format!("{}: {detail}", error.reason)));
                None
            }
        }
    }

    /// Drives some cases to one transcript; those that were begun.
    async fn chunk(
        &mut self,
        run: &mut Run<'_, '_>,
        session: &mut Session,
        indexes: &[u32],
        until: Instant,
    ) -> (Transcript, Vec<Made>, bool) {
        // What generated values teach matters to what answers them, and not to the rest of the run.
        let mut capture = self.capture.clone();
        let mut prompt =
            |text: &fincert_schemas::Bilingual, patience| (self.progress)(Progress::Prompt { text, patience });
        let mut drive = Drive {
            capture: &mut capture,
            deadlines: &mut self.deadlines,
            run: &self.run_id,
            suffix: &self.suffix,
            prompt: &mut prompt,
            completes_missed: &mut self.completes_missed,
            referee: Referee::WebrtcRs,
            flows: &self.plan.flows,
        };
        let mut made = run.cases(indexes);
        // After a target went down under several cases the next ones are driven one by one.
        let window = if run.alone > 0 { 1 } else { self.plan.fuzzing.window };
        run.alone = run.alone.saturating_sub(1);
        let pacing = Pacing { pace: run.pace, until, window };
        let CasesOutcome { transcript, begun, lost_together } =
            drive_cases(session, run.scenario, &made, pacing, &mut drive).await;
        if lost_together {
            run.alone = 1;
        }
        made.truncate(begun);
        let calls = transcript.events.iter().filter(|event| matches!(event.what, What::Call { .. })).count();
        run.calls += calls as u32;
        (transcript, made, lost_together)
    }

    /// Shrinks what fails in the cases that were just driven.
    #[expect(clippy::too_many_arguments, reason = "a session and where the next one comes from")]
    async fn shrink_all(
        &mut self,
        run: &mut Run<'_, '_>,
        source: &mut Source,
        state: Option<Integration>,
        mut session: Option<Session>,
        findings: &[Finding],
        driven: &[Made],
        history: &VecDeque<Vec<Step>>,
    ) -> std::io::Result<Option<Session>> {
        let person = run.pace == Pace::Person;
        if person || self.plan.fuzzing.budget == 0 {
            return Ok(session);
        }
        // The plainest cases are not shrunk; but what they show, no later case is blamed for.
        for finding in findings.iter().filter(|finding| finding.case.is_some_and(|case| case <= 1)) {
            run.learn_ordinary(finding);
        }
        let mut worst: Vec<&Finding> =
            findings.iter().filter(|finding| finding.case.is_some_and(|case| case > 1)).collect();
        worst.sort_by_key(|finding| (std::cmp::Reverse(finding.outcome), finding.case));
        for finding in worst {
            let Some(index) = finding.case else { continue };
            if finding.outcome < Outcome::Warn || run.ordinary(finding) {
                continue;
            }
            let Some(place) = driven.iter().position(|made| made.case.index == index) else { continue };
            let made = &driven[place];
            let class = judge::fuzz::class(&made.case);
            let total: usize = run.shrunk.values().map(HashSet::len).sum();
            let mine = run.shrunk.entry(finding.cause.clone()).or_default();
            if total >= SHRUNK || mine.len() >= SHRUNK_OF_A_CAUSE || Instant::now() > run.until || !mine.insert(class) {
                continue;
            }
            let earlier = history.iter().chain(driven[..place].iter().map(|made| &made.steps));
            let before: Vec<Vec<Step>> = earlier.cloned().collect();
            let before = &before[before.len().saturating_sub(REMEMBERED)..];
            session = self.shrink(run, source, state, session, finding, made, before).await?;
        }
        Ok(session)
    }

    /// Keeps one transcript of several under one scenario.
    pub(super) fn keep_part(&mut self, transcript: Transcript) -> std::io::Result<()> {
        let line = fincert_schemas::run::Line::Transcript(transcript);
        (self.sink)(&line)?;
        if let fincert_schemas::run::Line::Transcript(transcript) = line {
            self.gathered.transcripts.push(transcript);
        }
        Ok(())
    }
}

/// How many API calls the steps make.
fn count(steps: &[Step]) -> u32 {
    let calls = steps.iter().map(|step| match step {
        Step::Call(call) => call.times,
        Step::Concurrent(group) => group.concurrent.len() as u32,
        _ => 0,
    });
    calls.sum()
}

/// The name under which what is ordinary is remembered: no cause has it.
const ORDINARY: &str = " ordinary";

impl Run<'_, '_> {
    /// Remembers the last cases of the session at hand.
    fn remember(&mut self, earlier: &VecDeque<Vec<Step>>, driven: &[Made]) {
        let all = earlier.iter().chain(driven.iter().map(|made| &made.steps));
        let count = earlier.len() + driven.len();
        self.history = all.skip(count.saturating_sub(REMEMBERED)).cloned().collect();
    }

    /// The cases with these indexes. Limits that are counted are round numbers: where a session's thousandth call is due, a
    /// plain one is made, which is known to succeed.
    fn cases(&self, indexes: &[u32]) -> Vec<Made> {
        let mut before = self.calls;
        let case = |index: &u32| {
            let mut made = self.maker.case(*index);
            let mut calls = count(&made.steps);
            let due = ROUND - before % ROUND;
            if *index > 1 && due <= calls.saturating_add(SLACK) {
                calls = due + SLACK;
                made.steps = self.maker.repeated(calls);
                made.case = Case { kind: CaseKind::Control, rule: None, place: None, hostile: Vec::new(), ..made.case };
            }
            before += calls;
            made
        };
        indexes.iter().map(case).collect()
    }

    fn ordinary(&self, finding: &Finding) -> bool {
        self.shrunk.get(ORDINARY).is_some_and(|causes| causes.contains(&finding.cause))
    }

    fn learn_ordinary(&mut self, finding: &Finding) {
        let of_refusals = judge::fuzz::is_of_every_refusal(finding);
        if finding.case == Some(0) || of_refusals {
            self.shrunk.entry(ORDINARY.to_owned()).or_default().insert(finding.cause.clone());
        }
    }

    /// Whether a smallest form of this class is new.
    pub(super) fn is_new(&mut self, cause: &str, class: &str) -> bool {
        self.classes.insert((cause.to_owned(), class.to_owned()))
    }
}

/// A capture for one attempt.
pub(super) fn forked<'c>(capture: &Capture<'c>) -> Capture<'c> {
    capture.clone()
}
