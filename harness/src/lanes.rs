//! Lanes: WebRTC flows are driven on as many sessions at once as the target says it can hold. Most of a flow is
//! waiting, and flows know nothing of each other. A flow in which ICE, DTLS or media fail is driven again with the
//! other referee, in the same lane.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fincert_schemas::bridge::Integration;
use fincert_schemas::capture::Capture;
use fincert_schemas::run::flow::{Referee, Referees};
use fincert_schemas::run::{Ended, Event, Reason, Session as SessionLine, Transcript};
use fincert_suites::judge::{self, Law};
use fincert_suites::{FlowStep, Scenario};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Mutex, mpsc};

use crate::deadline::Deadlines;
use crate::drive::{Drive, HELLO_DEADLINE, Session, can_drive, connect_hello, drive_flow};
use crate::runner::{BREAKER, Plan, Progress, Runner, blank};
use crate::source::Source;

/// More sessions at once than this gain nothing on an ordinary machine.
const MOST: u32 = 8;
/// How long a lane listens for what comes late.
const DRAIN: Duration = Duration::from_millis(200);

/// What a lane tells the runner.
enum Told<'s> {
    Begin(usize, &'s Scenario),
    Session(SessionLine),
    Transcript(usize, Box<Transcript>),
    Strays(String, Vec<Event>),
    Note(String),
}

/// What all lanes share.
struct Shared<'a, 's> {
    plan: &'a Plan,
    law: Law<'a>,
    referees: Option<Referees>,
    run: &'a str,
    suffix: &'a str,
    /// The session that was there before and goes on afterwards.
    first: u32,
    queue: Mutex<VecDeque<(usize, &'s Scenario)>>,
    source: Mutex<&'a mut Source>,
    /// Sessions so far; the next one gets the next number.
    sessions: AtomicU32,
    /// Scenarios in a row that brought their session down.
    failures: AtomicU32,
    tell: mpsc::Sender<Told<'s>>,
}

impl<'c> Runner<'_, 'c> {
    /// Drives the flows. The session that is there is the first lane's; what is left of it comes back.
    pub(crate) async fn flows(
        &mut self,
        flows: &[(usize, &Scenario)],
        source: &mut Source,
        session: Option<Session>,
        state: Option<Integration>,
    ) -> std::io::Result<Option<Session>> {
        let first = match session {
            Some(session) => session,
            None if self.failures < BREAKER => match self.connect(source, state).await {
                Ok(session) => session,
                Err(error) => {
                    let detail = self.capture.text(&error.detail, 1_000);
                    let note = format!("{}: {detail}\n{}", error.reason, error.reason.advice().en);
                    (self.progress)(Progress::Note(note));
                    for (index, scenario) in flows {
                        let ended = Ended::Broken { reason: error.reason, detail: detail.clone() };
                        self.keep(*index, blank(scenario, 0, ended))?;
                    }
                    self.failures = BREAKER;
                    return Ok(None);
                }
            },
            None => {
                for (index, scenario) in flows {
                    let detail = "the target could not be driven before".to_owned();
                    self.keep(*index, blank(scenario, 0, Ended::Broken { reason: Reason::BreakerOpen, detail }))?;
                }
                return Ok(None);
            }
        };
        let mut queue = VecDeque::new();
        for (index, scenario) in flows {
            match self.skipped(scenario, &first) {
                Some(reason) => self.keep(*index, blank(scenario, first.number, Ended::Skipped { reason }))?,
                None => queue.push_back((*index, *scenario)),
            }
        }
        if queue.is_empty() {
            return Ok(Some(first));
        }
        let lanes = first.hello.parallel.clamp(1, MOST).min(u32::try_from(queue.len()).unwrap_or(MOST));
        // The channel is as long as what every lane can say of one flow, so that none waits for the record.
        let (tell, mut told) = mpsc::channel(64);
        let shared = Shared {
            plan: self.plan,
            law: self.law,
            referees: self.referees,
            run: &self.run_id,
            suffix: &self.suffix,
            first: first.number,
            queue: Mutex::new(queue),
            source: Mutex::new(source),
            sessions: AtomicU32::new(u32::try_from(self.gathered.sessions.len()).unwrap_or(u32::MAX)),
            failures: AtomicU32::new(0),
            tell,
        };
        let mut running = FuturesUnordered::new();
        let mut seat = Some(first);
        for _ in 0..lanes {
            running.push(lane(&shared, seat.take(), self.capture.clone(), self.deadlines.clone()));
        }
        let mut kept = Kept { sink: &mut *self.sink, progress: &mut *self.progress, gathered: &mut self.gathered };
        let mut left = None;
        loop {
            tokio::select! {
                biased;
                Some(told) = told.recv() => kept.take(told)?,
                ended = running.next() => match ended {
                    Some(session) => left = left.or(session),
                    None => break,
                },
            }
        }
        while let Ok(told) = told.try_recv() {
            kept.take(told)?;
        }
        drop(running);
        self.failures = shared.failures.load(Ordering::Relaxed);
        Ok(left)
    }
}

/// Where what the lanes tell goes.
struct Kept<'k> {
    sink: &'k mut dyn FnMut(&fincert_schemas::run::Line) -> std::io::Result<()>,
    progress: &'k mut dyn FnMut(Progress<'_>),
    gathered: &'k mut crate::runner::Gathered,
}

impl Kept<'_> {
    fn take(&mut self, told: Told<'_>) -> std::io::Result<()> {
        use fincert_schemas::run::Line;
        match told {
            Told::Begin(index, scenario) => (self.progress)(Progress::Begin { index, scenario }),
            Told::Session(session) => {
                (self.sink)(&Line::Session(session.clone()))?;
                (self.progress)(Progress::Session(&session));
                self.gathered.sessions.push(session);
                self.gathered.sessions.sort_by_key(|session| session.session);
            }
            Told::Transcript(index, transcript) => {
                let line = Line::Transcript(*transcript);
                (self.sink)(&line)?;
                if let Line::Transcript(transcript) = line {
                    (self.progress)(Progress::End { index, transcript: &transcript });
                    self.gathered.transcripts.push(transcript);
                }
            }
            Told::Strays(scenario, events) => {
                (self.sink)(&Line::Strays { scenario: scenario.clone(), events: events.clone() })?;
                crate::record::put_back(&mut self.gathered.transcripts, &scenario, events);
            }
            Told::Note(text) => (self.progress)(Progress::Note(text)),
        }
        Ok(())
    }
}

/// One lane: a session, and one flow after the other until none is left.
async fn lane<'s>(
    shared: &Shared<'_, 's>,
    mut session: Option<Session>,
    mut capture: Capture<'_>,
    mut deadlines: Deadlines,
) -> Option<Session> {
    loop {
        let Some((index, scenario)) = shared.queue.lock().await.pop_front() else { break };
        say(shared, Told::Begin(index, scenario)).await;
        if session.is_none() && shared.failures.load(Ordering::Relaxed) < BREAKER {
            match connect(shared, &mut capture).await {
                Ok(connected) => session = Some(connected),
                Err((reason, detail)) => {
                    shared.failures.fetch_add(1, Ordering::Relaxed);
                    say(shared, Told::Note(format!("{reason}: {detail}\n{}", reason.advice().en))).await;
                    let ended = Ended::Broken { reason, detail };
                    say(shared, Told::Transcript(index, Box::new(blank(scenario, 0, ended)))).await;
                    continue;
                }
            }
        }
        let Some(live) = session.as_mut() else {
            let detail = format!("{BREAKER} scenarios in a row failed to run");
            let ended = Ended::Broken { reason: Reason::BreakerOpen, detail };
            say(shared, Told::Transcript(index, Box::new(blank(scenario, 0, ended)))).await;
            continue;
        };
        if !by_referees(shared, live, index, scenario, &mut capture, &mut deadlines).await {
            session = None;
        }
    }
    let mut live = session?;
    live.drain(DRAIN, &mut capture).await;
    strays(shared, &mut live).await;
    if live.number == shared.first {
        return Some(live);
    }
    live.close().await;
    None
}

/// Drives a flow with the first referee, and where that is called for with the second; whether the session lives.
async fn by_referees(
    shared: &Shared<'_, '_>,
    session: &mut Session,
    index: usize,
    scenario: &Scenario,
    capture: &mut Capture<'_>,
    deadlines: &mut Deadlines,
) -> bool {
    let Some(step) = scenario.flow() else { return true };
    let first = match shared.referees {
        Some(Referees::Str0m) => Referee::Str0m,
        _ => Referee::WebrtcRs,
    };
    let mut doubtful = false;
    for (turn, referee) in [first, first.other()].into_iter().enumerate() {
        let wanted = match shared.referees {
            Some(Referees::Both) => true,
            Some(_) => turn == 0,
            None => turn == 0 || doubtful,
        };
        if !wanted {
            break;
        }
        let transcript = one(shared, session, scenario, step, referee, capture, deadlines).await;
        strays(shared, session).await;
        let broken = matches!(transcript.ended, Ended::Broken { .. });
        doubtful = is_doubtful(shared.law, session, &transcript);
        say(shared, Told::Transcript(index, Box::new(transcript))).await;
        if broken {
            shared.failures.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        shared.failures.store(0, Ordering::Relaxed);
    }
    true
}

async fn one(
    shared: &Shared<'_, '_>,
    session: &mut Session,
    scenario: &Scenario,
    step: &FlowStep,
    referee: Referee,
    capture: &mut Capture<'_>,
    deadlines: &mut Deadlines,
) -> Transcript {
    if !can_drive(referee, step) {
        let ended = Ended::Skipped { reason: Reason::RefereeUnable };
        return Transcript { referee: Some(referee), ..blank(scenario, session.number, ended) };
    }
    let mut completes_missed = 0;
    let mut context = Drive {
        capture,
        deadlines,
        run: shared.run,
        suffix: shared.suffix,
        prompt: &mut |_, _| {},
        completes_missed: &mut completes_missed,
        referee,
        flows: &shared.plan.flows,
    };
    drive_flow(session, scenario, step, &mut context).await
}

/// Whether the transcript accuses the target of something on which one referee's word is not enough.
fn is_doubtful(law: Law<'_>, session: &Session, transcript: &Transcript) -> bool {
    let findings = judge::findings(law, &session.hello, transcript);
    findings.iter().any(|finding| judge::needs_second(law, &finding.requirement, finding.outcome))
}

async fn connect(shared: &Shared<'_, '_>, capture: &mut Capture<'_>) -> Result<Session, (Reason, String)> {
    // One at a time: a device or browser dials in lane by lane.
    let mut source = shared.source.lock().await;
    let wire = source.wire(true).await.map_err(|error| (error.reason, capture.text(&error.detail, 1_000)))?;
    let number = shared.sessions.fetch_add(1, Ordering::Relaxed) + 1;
    let mut session = connect_hello(wire, number, capture, HELLO_DEADLINE)
        .await
        .map_err(|error| (error.reason, capture.text(&error.detail, 1_000)))?;
    drop(source);
    session.params.clone_from(&shared.plan.params);
    say(shared, Told::Session(SessionLine { session: number, hello: session.hello.clone() })).await;
    Ok(session)
}

async fn strays(shared: &Shared<'_, '_>, session: &mut Session) {
    let mut by_scenario: Vec<(String, Vec<Event>)> = Vec::new();
    for (scenario, event) in session.strays.drain(..) {
        match by_scenario.iter_mut().find(|(known, _)| *known == scenario) {
            Some((_, events)) => events.push(event),
            None => by_scenario.push((scenario, vec![event])),
        }
    }
    for (scenario, events) in by_scenario {
        say(shared, Told::Strays(scenario, events)).await;
    }
}

async fn say<'s>(shared: &Shared<'_, 's>, told: Told<'s>) {
    // The runner outlives its lanes.
    let _ = shared.tell.send(told).await;
}
