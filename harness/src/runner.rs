//! The runner: connects, drives the chosen scenarios in order, starts a target again that went down, and gives
//! up on one that keeps going down. It emits events; whoever wants to show progress consumes them.

use std::collections::HashMap;
use std::time::Duration;

use fincert_mocks::{Config, Defect, MockHost};
use fincert_schemas::Bilingual;
use fincert_schemas::bridge::Integration;
use fincert_schemas::capture::{Capture, Raw};
use fincert_schemas::run::flow::{Referee, Referees};
use fincert_schemas::run::{
    Ended, Event, Fact, Line, Pace, Reason, RunHeader, Session as SessionLine, Subject, Transcript, What,
};
use fincert_suites::Scenario;
use fincert_suites::judge::{Law, declared};
use futures_util::future::LocalBoxFuture;
use indexmap::IndexMap;
use url::Url;

use crate::deadline::Deadlines;
use crate::drive::{Drive, HELLO_DEADLINE, Session, connect_hello, drive};
use crate::fuzz::Fuzzing;
use crate::source::Source;
use crate::target::Target;
use crate::transport::ConnectError;
use crate::turn::FlowNetwork;

/// So many scenarios in a row that bring the target down, and it is not started again.
pub(crate) const BREAKER: u32 = 3;
/// How long late callbacks are listened for after the last scenario. A defect of the mock host calls back after
/// 300 ms.
const DRAIN: Duration = Duration::from_millis(400);
/// The same for a target that is not ours: a timer that was never cancelled fires seconds later.
const DRAIN_TARGET: Duration = Duration::from_secs(3);
/// The same in the further states of the embedded mock host.
const DRAIN_OTHER: Duration = Duration::from_millis(20);

/// How to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The target.
    pub target: Target,
    /// The defect of the embedded mock host.
    pub defect: Option<&'static Defect>,
    /// The states that the embedded mock host shows, one session each; the first is the one that is certified.
    pub states: Vec<Integration>,
    /// Whether nobody stands by, whatever the target says.
    pub unattended: bool,
    /// Whether sensitive values are kept.
    pub reveal: bool,
    /// Parameters of scenarios, with what `--set` gave.
    pub params: IndexMap<String, String>,
    /// No machine deadline is shorter.
    pub min_wait: Option<Duration>,
    /// No machine deadline is longer.
    pub max_wait: Option<Duration>,
    /// What the WebRTC flows are told of the operator's network.
    pub flows: FlowNetwork,
    /// How to fuzz; how many cases, the run's header says.
    pub fuzzing: Fuzzing,
}

impl Default for Plan {
    /// The embedded mock host in its three states, with defaults for everything.
    fn default() -> Self {
        Self {
            target: Target::Mock,
            defect: None,
            states: vec![Integration::Integrated, Integration::Custom, Integration::Absent],
            unattended: false,
            reveal: false,
            params: IndexMap::new(),
            min_wait: None,
            max_wait: None,
            flows: FlowNetwork::default(),
            fuzzing: Fuzzing::default(),
        }
    }
}

/// What happens while running.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A device shall dial in, or a browser open the page.
    Waiting {
        /// What a device dials, with its token.
        url: String,
        /// What a browser opens, with the same token.
        page: String,
    },
    /// A session has begun.
    Session(&'a SessionLine),
    /// A scenario begins.
    Begin {
        /// Its place, from 0.
        index: usize,
        /// The scenario.
        scenario: &'a Scenario,
    },
    /// A person shall act.
    Prompt {
        /// What to do.
        text: &'a Bilingual,
        /// How long there is.
        patience: Duration,
    },
    /// A scenario has ended.
    End {
        /// Its place, from 0.
        index: usize,
        /// What was seen.
        transcript: &'a Transcript,
    },
    /// Something that the operator should know.
    Note(String),
}

/// What a run has gathered.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The sessions.
    pub sessions: Vec<SessionLine>,
    /// The transcripts, strays included.
    pub transcripts: Vec<Transcript>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// Where the lines of the record go, as they come.
pub type Sink<'a> = &'a mut dyn FnMut(&Line) -> std::io::Result<()>;

/// Runs the header's scenarios. Lines of the record are handed over scenario by scenario; an error there ends
/// the run. `interrupt` resolves when the operator wants to stop.
///
/// It is boxed, so that the drivers are compiled in this crate and not once more in each that awaits them.
pub fn run<'a>(
    plan: &'a Plan,
    header: &'a RunHeader,
    law: Law<'a>,
    sink: Sink<'a>,
    progress: &'a mut dyn FnMut(Progress<'_>),
    interrupt: LocalBoxFuture<'a, ()>,
) -> LocalBoxFuture<'a, std::io::Result<Gathered>> {
    let mut capture = Capture::new(law.catalog, plan.reveal);
    for (name, value) in &plan.params {
        if header.set.contains(name) {
            capture.hide(value);
        }
    }
    Box::pin(run_with(capture, plan, header, law, sink, progress, interrupt))
}

/// Runs the header's scenarios against the embedded mock host without capturing anything: the proof of the suites changes
/// what came before it is captured. Nothing is recorded.
pub fn run_raw<'a>(
    plan: &'a Plan,
    header: &'a RunHeader,
    law: Law<'a>,
) -> LocalBoxFuture<'a, std::io::Result<(Vec<SessionLine>, Vec<Raw>)>> {
    Box::pin(async move {
        let capture = Capture::raw(law.catalog);
        let never = Box::pin(std::future::pending());
        let gathered = run_with(capture, plan, header, law, &mut |_| Ok(()), &mut |_| {}, never).await?;
        Ok((gathered.sessions, gathered.transcripts.into_iter().map(Raw::new).collect()))
    })
}

async fn run_with(
    capture: Capture<'_>,
    plan: &Plan,
    header: &RunHeader,
    law: Law<'_>,
    sink: Sink<'_>,
    progress: &mut dyn FnMut(Progress<'_>),
    mut interrupt: LocalBoxFuture<'_, ()>,
) -> std::io::Result<Gathered> {
    sink(&Line::Run(header.clone()))?;
    let mut runner = Runner {
        plan,
        law,
        referees: header.referee,
        capture,
        deadlines: Deadlines::new(plan.min_wait, plan.max_wait),
        run_id: format!("run-{:016x}", header.seed),
        suffix: suffix(header.seed),
        seed: header.seed,
        cases: header.fuzz,
        gathered: Gathered::default(),
        completes_missed: 0,
        sink,
        progress,
        failures: 0,
    };
    let scenarios: Vec<&Scenario> = header.scenarios.iter().filter_map(|id| law.suite.get(id)).collect();
    let outcome = tokio::select! {
        outcome = runner.all(&scenarios) => outcome,
        () = &mut interrupt => {
            runner.gathered.interrupted = true;
            Ok(())
        }
    };
    outcome?;
    let mut gathered = runner.gathered;
    crate::record::in_order(header, &mut gathered.transcripts);
    Ok(gathered)
}

/// A name that no API has, the same for the same seed.
fn suffix(seed: u64) -> String {
    use rand::{RngExt, SeedableRng};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    (0..8).map(|_| char::from(b'A' + random.random_range(0..26u8))).collect()
}

pub(crate) struct Runner<'a, 'c> {
    pub(crate) plan: &'a Plan,
    pub(crate) law: Law<'c>,
    pub(crate) referees: Option<Referees>,
    pub(crate) capture: Capture<'c>,
    pub(crate) deadlines: Deadlines,
    pub(crate) run_id: String,
    pub(crate) suffix: String,
    pub(crate) seed: u64,
    /// How many generated cases each API gets.
    pub(crate) cases: u32,
    pub(crate) gathered: Gathered,
    pub(crate) completes_missed: u32,
    pub(crate) sink: Sink<'a>,
    pub(crate) progress: &'a mut dyn FnMut(Progress<'_>),
    pub(crate) failures: u32,
}

impl Runner<'_, '_> {
    async fn all(&mut self, scenarios: &[&Scenario]) -> std::io::Result<()> {
        if self.plan.target != Target::Mock {
            let mut source = Source::open(self.plan, self.progress).await;
            return self.session_after_session(scenarios, &mut source, None).await;
        }
        for (place, state) in self.plan.states.iter().enumerate() {
            // Beyond the first state only clause 1 is looked at: the rest was seen already.
            let chosen: Vec<_> = scenarios
                .iter()
                .copied()
                .filter(|s| s.integration.contains(state) && (place == 0 || s.profile == "integration"))
                .collect();
            if chosen.is_empty() {
                continue;
            }
            let config = Config { integration: *state, defect: self.plan.defect, ..Config::default() };
            let host = MockHost::start(config).await?;
            let mut source = match Url::parse(&host.bridge_url()) {
                Ok(url) => Source::Dial(url),
                Err(error) => return Err(std::io::Error::other(error)),
            };
            self.failures = 0;
            self.session_after_session(&chosen, &mut source, Some(*state)).await?;
            host.shutdown().await;
        }
        Ok(())
    }

    /// Drives the scenarios, connecting again whenever the target went down.
    async fn session_after_session(
        &mut self,
        scenarios: &[&Scenario],
        source: &mut Source,
        state: Option<Integration>,
    ) -> std::io::Result<()> {
        let mut session: Option<Session> = None;
        // In a later state of the mock host a scenario that was driven before is driven again, under the same id.
        let all = scenarios.iter().copied().enumerate();
        let (flows, others): (Vec<_>, Vec<_>) = all.partition(|(_, scenario)| scenario.flow().is_some());
        // Last of all: what generated cases do to a target, the fixed scenarios must not suffer from.
        let (fuzz, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, scenario)| scenario.fuzz().is_some());
        for (index, scenario) in others {
            (self.progress)(Progress::Begin { index, scenario });
            if self.failures < BREAKER && session.is_none() {
                match self.connect(source, state).await {
                    Ok(connected) => session = Some(connected),
                    Err(error) => {
                        // What fails at the very start will fail again; what fails later may have been shot down.
                        self.failures = if self.gathered.sessions.is_empty() { BREAKER } else { self.failures + 1 };
                        let detail = self.capture.text(&error.detail, 1_000);
                        (self.progress)(Progress::Note(format!(
                            "{}: {detail}\n{}",
                            error.reason,
                            error.reason.advice().en
                        )));
                        let ended = Ended::Broken { reason: error.reason, detail };
                        self.keep(index, blank(scenario, 0, ended))?;
                        continue;
                    }
                }
            }
            let Some(live) = session.as_mut().filter(|_| self.failures < BREAKER) else {
                let detail = if self.gathered.sessions.is_empty() {
                    "the target could not be reached at the start of the run".to_owned()
                } else {
                    format!("{BREAKER} scenarios in a row failed to run")
                };
                self.keep(index, blank(scenario, 0, Ended::Broken { reason: Reason::BreakerOpen, detail }))?;
                continue;
            };
            if let Some(reason) = self.skipped(scenario, live) {
                self.keep(index, blank(scenario, live.number, Ended::Skipped { reason }))?;
                continue;
            }
            let mut prompt = |text: &Bilingual, patience| (self.progress)(Progress::Prompt { text, patience });
            let mut context = Drive {
                capture: &mut self.capture,
                deadlines: &mut self.deadlines,
                run: &self.run_id,
                suffix: &self.suffix,
                prompt: &mut prompt,
                completes_missed: &mut self.completes_missed,
                referee: Referee::WebrtcRs,
                flows: &self.plan.flows,
            };
            let transcript = drive(live, scenario, &mut context).await;
            self.strays(live)?;
            let broken = matches!(transcript.ended, Ended::Broken { .. });
            let provoked = is_provoked(&transcript);
            let unable = matches!(transcript.ended, Ended::Broken { reason: Reason::PutFileFailed, .. });
            self.keep(index, transcript)?;
            // That a hostile request brings the target down is a finding; it tells nothing of the next scenario.
            self.failures = if !broken { 0 } else { self.failures + u32::from(!provoked) };
            if broken && !unable {
                session = None;
            }
        }
        if !flows.is_empty() {
            session = self.flows(&flows, source, session.take(), state).await?;
        }
        for (index, scenario) in fuzz {
            let Some(step) = scenario.fuzz() else { continue };
            (self.progress)(Progress::Begin { index, scenario });
            if self.failures >= BREAKER {
                self.keep(index, blank(scenario, 0, Ended::Skipped { reason: Reason::NotFuzzed }))?;
                continue;
            }
            session = self.fuzz(index, scenario, step, source, state, session.take()).await?;
        }
        if let Some(mut live) = session {
            // Only the state that is certified is worth the wait.
            let patience = match state {
                None => DRAIN_TARGET,
                Some(state) if state == self.plan.states[0] => DRAIN,
                Some(_) => DRAIN_OTHER,
            };
            live.drain(patience, &mut self.capture).await;
            self.strays(&mut live)?;
            live.close().await;
        }
        Ok(())
    }

    pub(crate) async fn connect(
        &mut self,
        source: &mut Source,
        state: Option<Integration>,
    ) -> Result<Session, ConnectError> {
        let again = !self.gathered.sessions.is_empty() && state.is_none();
        let wire = source.wire(again).await?;
        let number = self.gathered.sessions.len() as u32 + 1;
        let patience =
            self.plan.max_wait.map_or(HELLO_DEADLINE, |most| HELLO_DEADLINE.min(most.max(Duration::from_secs(5))));
        let mut session = connect_hello(wire, number, &mut self.capture, patience).await?;
        session.params.clone_from(&self.plan.params);
        let line = SessionLine { session: number, hello: session.hello.clone() };
        let io = |error: std::io::Error| ConnectError { reason: Reason::Interrupted, detail: error.to_string() };
        (self.sink)(&Line::Session(line.clone())).map_err(io)?;
        (self.progress)(Progress::Session(&line));
        self.gathered.sessions.push(line);
        Ok(session)
    }

    pub(crate) fn skipped(&self, scenario: &Scenario, session: &Session) -> Option<Reason> {
        let hello = &session.hello;
        if !scenario.integration.contains(&hello.integration) {
            return Some(Reason::ConditionNotMet);
        }
        let absent = hello.integration == Integration::Absent;
        let supported = match &scenario.capability {
            Some(capability) => declared(hello, capability),
            None if scenario.profile == "integration" => true,
            None => hello.capabilities.iter().any(|c| c.split(':').next() == Some(scenario.profile.as_str())),
        };
        // An absent SDK declares what would be there; of section 3 it need not even know the names.
        let named = |capability: &String| hello.capabilities.contains(capability);
        let absence = absent && scenario.capability.as_ref().is_none_or(named);
        if !(supported || absence) {
            return Some(Reason::NotDeclared);
        }
        (scenario.pace == Pace::Person && (!hello.human || (self.plan.unattended && !hello.simulated)))
            .then_some(Reason::NeedsPerson)
    }

    pub(crate) fn keep(&mut self, index: usize, transcript: Transcript) -> std::io::Result<()> {
        let line = Line::Transcript(transcript);
        (self.sink)(&line)?;
        if let Line::Transcript(transcript) = line {
            (self.progress)(Progress::End { index, transcript: &transcript });
            self.gathered.transcripts.push(transcript);
        }
        Ok(())
    }

    /// What came late goes to the record as strays, and back to its scenario for judging.
    pub(crate) fn strays(&mut self, session: &mut Session) -> std::io::Result<()> {
        let mut by_scenario: HashMap<String, Vec<Event>> = HashMap::new();
        let mut order = Vec::new();
        for (scenario, event) in session.strays.drain(..) {
            if !by_scenario.contains_key(&scenario) {
                order.push(scenario.clone());
            }
            by_scenario.entry(scenario).or_default().push(event);
        }
        for scenario in order {
            let events = by_scenario.remove(&scenario).unwrap_or_default();
            (self.sink)(&Line::Strays { scenario: scenario.clone(), events: events.clone() })?;
            crate::record::put_back(&mut self.gathered.transcripts, &scenario, events);
        }
        Ok(())
    }
}

/// Whether the last call of the transcript was an invalid or hostile one.
fn is_provoked(transcript: &Transcript) -> bool {
    let last = transcript.events.iter().rev().find_map(|event| match &event.what {
        What::Call { request, subject, .. } => Some((request, subject)),
        _ => None,
    });
    last.is_some_and(|(request, subject)| {
        matches!(subject, Some(Subject::Unreadable(_)))
            || request.facts.iter().any(|fact| matches!(fact, Fact::Breaks { .. }))
    })
}

pub(crate) fn blank(scenario: &Scenario, session: u32, ended: Ended) -> Transcript {
    Transcript { scenario: scenario.id.clone(), session, referee: None, events: Vec::new(), ended }
}
