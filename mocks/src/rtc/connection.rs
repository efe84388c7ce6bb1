//! One connection of the mock host: a task that does its calls one after the other and tells its events in between.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fincert_peer::{Connection, ConnectionEvent, Description, LocalTrack, PeerError, SdpKind};
use fincert_schemas::bridge::{Settlement, Via};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::asked::{Asked, What};
use super::decide::{self, METHODS, Standing, told};
use super::moment::{About, Moment, Past};
use super::objects::{self, Tracks};
use super::refusal::Refusal;
use super::task::Task;
use super::voice::Voice;
use super::work::{self, Done, PATIENCE, made_by, refusal};
use super::{candidate, sdp};
use crate::host::Life;
use crate::plan::{Action, Plan};

/// How many calls of one connection may wait.
const MAX_WAITING: usize = 1024;

/// What a connection is made of, beside the engine.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) voice: Voice,
    pub(crate) tracks: Tracks,
    /// How many connections of the session are open.
    pub(crate) open: Arc<AtomicUsize>,
    pub(crate) configuration: Map<String, Value>,
    pub(crate) began: Instant,
}

/// A connection's task, from outside.
#[derive(Debug)]
pub(crate) struct Line {
    asks: mpsc::Sender<Asked>,
    task: JoinHandle<()>,
}

impl Line {
    /// Begins the task. It ends when `over` loses its sender, and has then closed the engine.
    pub(crate) fn begin(
        place: Place,
        engine: Arc<Connection>,
        events: mpsc::Receiver<ConnectionEvent>,
        mut over: watch::Receiver<()>,
        life: Life,
    ) -> Self {
        let (asks, asked) = mpsc::channel(MAX_WAITING);
        place.open.fetch_add(1, Ordering::Relaxed);
        let mut actor = Actor {
            place,
            engine: Arc::clone(&engine),
            listening: HashSet::new(),
            past: Past::default(),
            answered: None,
            made: Vec::new(),
            added: Vec::new(),
            senders: HashMap::new(),
            waiting: VecDeque::new(),
            doing: None,
            engine_work: JoinSet::new(),
            held: Vec::new(),
        };
        let task = tokio::spawn(async move {
            tokio::select! {
                () = actor.live(events, asked) => {}
                _ = over.changed() => {}
            }
            if !actor.past.closed {
                actor.place.open.fetch_sub(1, Ordering::Relaxed);
            }
            // Work of the engine that is under way ends with the actor.
            drop(actor);
            engine.close().await;
            drop(life);
        });
        Self { asks, task }
    }

    /// Hands a message over; gives it back if too many wait.
    pub(crate) fn ask(&self, asked: Asked) -> Result<(), Box<Asked>> {
        self.asks.try_send(asked).map_err(|error| Box::new(error.into_inner()))
    }

    /// Waits for the end of a connection that was told that it is over.
    pub(crate) async fn ended(mut self, patience: Duration) {
        if tokio::time::timeout(patience, &mut self.task).await.is_err() {
            tracing::warn!("a connection did not let go of its sockets within {} s", patience.as_secs());
            self.task.abort();
        }
    }
}

struct Actor {
    place: Place,
    engine: Arc<Connection>,
    listening: HashSet<String>,
    past: Past,
    /// When the last exchange came to its end.
    answered: Option<Instant>,
    /// The offer and the answer that were made last, as told and as they are.
    made: Vec<(Value, Description)>,
    added: Vec<String>,
    /// What sends for an added track.
    senders: HashMap<String, LocalTrack>,
    waiting: VecDeque<Asked>,
    doing: Option<(Asked, Task)>,
    engine_work: JoinSet<Done>,
    /// What a defect holds back until the next answer.
    held: Vec<Action>,
}

impl Actor {
    async fn live(&mut self, mut events: mpsc::Receiver<ConnectionEvent>, mut asks: mpsc::Receiver<Asked>) {
        loop {
            if self.doing.is_none()
                && let Some(asked) = self.waiting.pop_front()
            {
                self.begin(asked).await;
                continue;
            }
            tokio::select! {
                biased;
                Some(event) = events.recv() => self.event(event).await,
                Some(done) = self.engine_work.join_next(), if self.doing.is_some() => {
                    // What fired before the engine was done is told before its answer.
                    while let Ok(event) = events.try_recv() {
                        self.event(event).await;
                    }
                    let done = done.unwrap_or_else(|error| Err(PeerError::Other(format!("the engine failed: {error}"))));
                    self.finish(done).await;
                }
                asked = asks.recv() => match asked {
                    Some(asked) => self.ask(asked).await,
                    None => return,
                },
            }
        }
    }

    /// Properties, listeners and close wait for nothing; the rest is done in turn.
    async fn ask(&mut self, asked: Asked) {
        match &asked.what {
            What::Get(name) => {
                let plan = Plan::only(Action::Result(json!({"value": self.property(name)})));
                self.say(&asked.id, About::Property(name), plan).await;
            }
            What::Listen { kind, begin } => {
                if *begin {
                    self.listening.insert(kind.clone());
                } else {
                    self.listening.remove(kind);
                }
                let plan = Plan::only(Action::Result(json!({})));
                self.say(&asked.id, About::Listen(kind), plan).await;
            }
            What::Call { .. } if asked.name() == "close" => self.close(asked).await,
            What::Call { .. } if self.waiting.len() >= MAX_WAITING => {
                let refusal = Refusal::of_operation("too many calls of this connection wait");
                self.answer(&asked, Plan::only(Action::Answer(refusal.settle()))).await;
            }
            What::Call { .. } => self.waiting.push_back(asked),
        }
    }

    async fn begin(&mut self, asked: Asked) {
        let task = self.task(&asked);
        let settled = match &task {
            Task::Settle(settlement) => Some(Plan::only(Action::Answer(settlement.clone()))),
            Task::Nothing => Some(Plan::silent()),
            _ => None,
        };
        if let Some(plan) = settled {
            self.answer(&asked, plan).await;
            return;
        }
        let task = self.prepared(task);
        self.engine_work.spawn(work::work(Arc::clone(&self.engine), self.senders.clone(), task.clone()));
        self.doing = Some((asked, task));
    }

    /// What is to be done.
    fn task(&self, asked: &Asked) -> Task {
        let signaling = self.engine.signaling_state();
        let remote = self.engine.remote_description();
        let standing = Standing {
            closed: self.past.closed,
            signaling: &signaling,
            remote: remote.as_ref().map(|remote| remote.sdp.as_str()),
            made: &self.made,
            added: &self.added,
            configuration: Some(&self.place.configuration),
            kind_of: Some(&|handle| self.place.tracks.get(handle).map(|track| track.local().kind())),
        };
        let task = decide::of_connection(asked.name(), asked.args(), &standing);
        let about = About::Call(asked.name(), asked.args());
        self.with_moment(about, |moment| self.place.voice.does(moment, task))
    }

    /// What the engine needs beside the task.
    fn prepared(&mut self, task: Task) -> Task {
        match &task {
            Task::AddTrack(handle, _) => {
                if let Some(track) = self.place.tracks.get(handle) {
                    self.senders.insert(handle.clone(), track.local().clone());
                }
            }
            Task::AddMuteTrack(handle, _) => {
                if let Some(track) = self.place.tracks.get(handle) {
                    let mute = LocalTrack::new(track.local().kind(), track.local().id(), track.local().stream_id());
                    mute.stop();
                    self.senders.insert(handle.clone(), mute);
                }
            }
            _ => {}
        }
        task
    }

    async fn finish(&mut self, done: Done) {
        let Some((asked, task)) = self.doing.take() else { return };
        let settlement = match done {
            Err(error) => refusal(&error).settle(),
            Ok(made) => {
                self.remember(&task);
                Settlement { via: Via::Resolve, value: made.as_ref().map(told) }
            }
        };
        let truly = settlement.value.as_ref().and_then(made_by(&task));
        let plan = self.answer(&asked, Plan::only(Action::Answer(settlement))).await;
        if let Some(truly) = truly {
            let told = plan.answer().and_then(|answer| answer.value.clone()).unwrap_or_default();
            self.past.made = Some(truly.kind.as_str());
            self.made.retain(|(_, other)| other.kind != truly.kind);
            self.made.push((told, truly));
        }
    }

    fn remember(&mut self, task: &Task) {
        let past = &mut self.past;
        match task {
            Task::MuteAnd(task) => self.remember(task),
            Task::AddTrack(handle, _) | Task::AddMuteTrack(handle, _) => {
                past.tracks += 1;
                self.added.push(handle.clone());
            }
            Task::AddCandidate(Some(candidate)) => {
                past.taken.truncate(255);
                past.taken.insert(0, candidate.candidate.clone());
            }
            Task::SetLocal(description) | Task::SetRemote(description) => {
                let local = matches!(task, Task::SetLocal(_));
                if local {
                    past.made = None;
                    past.locals += u32::from(description.kind != SdpKind::Rollback);
                }
                if description.kind == SdpKind::Answer {
                    self.answered = Some(Instant::now());
                    past.rounds += 1;
                }
                if local && description.kind != SdpKind::Rollback {
                    let told = self.made.iter().find(|(_, truly)| truly == description).map(|(told, _)| told);
                    let told = told.and_then(|told| told.get("sdp")?.as_str()).unwrap_or(&description.sdp);
                    if let Some(last) = &past.last_local
                        && sdp::ufrag(last) != sdp::ufrag(told)
                    {
                        past.restarted = true;
                    }
                    past.first_local.get_or_insert_with(|| told.to_owned());
                    past.last_local = Some(told.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Closes at once, whatever waits (W3C webrtc-pc, close the connection); what waits is rejected.
    async fn close(&mut self, asked: Asked) {
        let task = self.task(&asked);
        match &task {
            Task::Close | Task::CloseInName => {
                self.past.closed = true;
                self.place.open.fetch_sub(1, Ordering::Relaxed);
                self.engine_work.shutdown().await;
                let cut_off = self.doing.take().map(|(asked, _)| asked);
                let waiting: Vec<_> = cut_off.into_iter().chain(self.waiting.drain(..)).collect();
                for asked in waiting {
                    let refusal = Refusal::of_state("the connection was closed");
                    self.answer(&asked, Plan::only(Action::Answer(refusal.settle()))).await;
                }
                if task == Task::Close && tokio::time::timeout(PATIENCE, self.engine.close()).await.is_err() {
                    tracing::warn!("{}: the engine did not close within {} s", self.place.name, PATIENCE.as_secs());
                }
            }
            _ => {}
        }
        let settlement = match task {
            Task::Settle(settlement) => settlement,
            _ => Settlement { via: Via::Resolve, value: None },
        };
        self.answer(&asked, Plan::only(Action::Answer(settlement))).await;
    }

    async fn event(&mut self, event: ConnectionEvent) {
        if self.past.closed {
            return;
        }
        let (kind, value) = match event {
            ConnectionEvent::Candidate(candidate) => {
                self.past.candidates += u32::from(candidate.is_some());
                ("icecandidate", json!({"candidate": candidate::outward(candidate.as_ref())}))
            }
            ConnectionEvent::IceConnectionState(state) => {
                self.past.connected |= state == "connected";
                let milliseconds = self.place.began.elapsed().as_micros() as f64 / 1000.0;
                ("iceconnectionstatechange", json!({"iceConnectionState": state, "timeStamp": milliseconds}))
            }
            ConnectionEvent::SignalingState(state) => ("signalingstatechange", json!({"signalingState": state})),
            ConnectionEvent::NegotiationNeeded => ("negotiationneeded", json!({})),
            ConnectionEvent::Track { mid, stream_ids, .. } => {
                // Media of no stream gets one of its own: the component plays streams (3.3).
                let ids = if stream_ids.is_empty() { vec![format!("{}-{mid}", self.place.name)] } else { stream_ids };
                let streams: Value = ids.iter().map(|id| objects::remote_stream(id)).collect();
                ("track", json!({"streams": streams}))
            }
            // The specification has no event for it.
            ConnectionEvent::ConnectionState(state) => {
                self.past.up |= state == "connected";
                return;
            }
            ConnectionEvent::GatheringState(_) => return,
        };
        if self.listening.contains(kind) {
            let event = Action::Event { this: self.place.name.clone(), kind: kind.to_owned(), event: value };
            self.say(&Value::Null, About::Event(kind), Plan::only(event)).await;
        }
    }

    /// Answers a call, and then tells what was held back. Gives the plan as it was sent.
    async fn answer(&mut self, asked: &Asked, plan: Plan) -> Plan {
        let held = std::mem::take(&mut self.held);
        if asked.name() == "setRemoteDescription" && plan.answer().is_some_and(|answer| !answer.via.is_success()) {
            self.past.refused += 1;
        }
        let about = About::Call(asked.name(), asked.args());
        let plan = self.with_moment(about, |moment| self.place.voice.shape(moment, plan));
        self.place.voice.note(&asked.method, asked.args(), &plan);
        let more = self.place.voice.send(&asked.id, plan.clone()).await;
        for action in held.into_iter().chain(more) {
            self.place.voice.send(&asked.id, Plan::only(action)).await;
        }
        plan
    }

    async fn say(&mut self, id: &Value, about: About<'_>, plan: Plan) {
        let plan = self.with_moment(about, |moment| self.place.voice.shape(moment, plan));
        let held = self.place.voice.send(id, plan).await;
        self.held.extend(held);
    }

    fn with_moment<T>(&self, about: About<'_>, look: impl FnOnce(&Moment<'_>) -> T) -> T {
        let properties = if self.place.voice.is_watched() { self.properties() } else { Map::new() };
        let others = self.place.open.load(Ordering::Relaxed).saturating_sub(usize::from(!self.past.closed));
        let since_answer = self.answered.map(|at| at.elapsed());
        look(&Moment { about, this: &self.place.name, past: &self.past, since_answer, others, properties: &properties })
    }

    fn properties(&self) -> Map<String, Value> {
        PROPERTIES.iter().map(|name| ((*name).to_owned(), self.property(name))).collect()
    }

    fn property(&self, name: &str) -> Value {
        let state = |open: String| if self.past.closed { "closed".into() } else { open.into() };
        let description = |description: Option<Description>| description.as_ref().map(told).unwrap_or_default();
        match name {
            "canTrickleIceCandidates" => self.engine.can_trickle_ice_candidates().map_or(Value::Null, Value::Bool),
            // The specification's spelling is canonical, and the only one (rulings.md, 3.2).
            "conectionState" => state(self.engine.connection_state()),
            "currentLocalDescription" => description(self.engine.current_local_description()),
            "currentRemoteDescription" => description(self.engine.current_remote_description()),
            "iceConnectionState" => state(self.engine.ice_connection_state()),
            "iceGatheringState" => self.engine.ice_gathering_state().into(),
            "localDescription" => description(self.engine.local_description()),
            "peerIdentity" => Value::Null,
            "remoteDescription" => description(self.engine.remote_description()),
            "signalingState" => state(self.engine.signaling_state()),
            _ if METHODS.contains(&format!("RTCPeerConnection.{name}").as_str()) => objects::function(name),
            "addEventListener" | "removeEventListener" => objects::function(name),
            _ => objects::undefined(),
        }
    }
}

/// The ten properties (3.2).
const PROPERTIES: [&str; 10] = [
    "canTrickleIceCandidates",
    "conectionState",
    "currentLocalDescription",
    "currentRemoteDescription",
    "iceConnectionState",
    "iceGatheringState",
    "localDescription",
    "peerIdentity",
    "remoteDescription",
    "signalingState",
];
