//! A session: one connection with one hello.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use fincert_schemas::bridge::{Client, EventParams, Hello, HelloParams, PROTOCOL, Settlement, Via};
use fincert_schemas::capture::Capture;
use fincert_schemas::data;
use fincert_schemas::run::{Event, Reason, Subject, What};
use indexmap::IndexMap;
use serde_json::{Value, json};

use crate::transport::{ConnectError, Incoming, Wire};

/// How long a target may take from its start to its hello: an engine may load models first.
pub const HELLO_DEADLINE: Duration = Duration::from_secs(30);
/// How long a ping may take before the target counts as hung.
const PING: Duration = Duration::from_secs(3);
/// The same where it is only to be seen whether it hangs again.
const SHORT_PING: Duration = Duration::from_millis(500);
/// How long the bridge's own methods (reset, putFile) may take.
const BRIDGE: Duration = Duration::from_secs(30);
/// How long a target may take to end by itself.
const GOODBYE: Duration = Duration::from_secs(1);
/// How many finished calls are remembered, so that what comes late still finds its scenario.
const KEPT_CALLS: usize = 4_096;

/// What a target replied: a result, or an error's code and message.
pub(super) type Reply = Result<Value, (i64, String)>;

/// A call that was made.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) scenario: String,
    pub(super) method: String,
    pub(super) request: Value,
    pub(super) subject: Option<Subject>,
    pub(super) sent: Instant,
    pub(super) settled: bool,
    /// A hash of the first answer's value: `complete` hands over the same one.
    pub(super) answered: Option<u64>,
    /// The channel of the first answer.
    pub(super) via: Option<Via>,
    pub(super) refused: bool,
    pub(super) completes: u32,
    /// The handle of the object whose method it is.
    pub(super) handle: Option<String>,
    /// The first settlement as it came, for a flow to go on with.
    pub(super) raw: Option<Settlement>,
}

impl Made {
    /// Whether it belongs to a WebRTC flow, which needs the raw answer.
    pub(super) fn is_flow(&self) -> bool {
        self.method.starts_with("ft.webrtc.")
    }

    /// What its deadline is measured by: the method, and the type of document where it has one. A flow may pass on what
    /// the target gave, so that a `type` there is the target's word.
    pub(super) fn kind(&self) -> String {
        match self.request.get("type").and_then(Value::as_str) {
            Some(kind) if self.handle.is_none() => format!("{} {kind}", self.method),
            _ => self.method.clone(),
        }
    }
}

/// One connection with one hello.
#[derive(Debug)]
pub struct Session {
    /// Its number, from 1.
    pub number: u32,
    /// What the target said it is.
    pub hello: Hello,
    pub(super) wire: Wire,
    next_id: u64,
    /// How many generated cases it has had.
    cases: u32,
    /// How long a ping may take.
    ping: Duration,
    /// What `{$param: NAME}` stands for.
    pub params: IndexMap<String, String>,
    /// The files that the target was given and still has, by id and name, where they are kept between calls.
    pub(super) kept_files: Option<HashMap<(String, String), String>>,
    pub(super) made: HashMap<u64, Made>,
    order: std::collections::VecDeque<u64>,
    pub(super) internal: HashMap<u64, Option<Reply>>,
    /// Events of scenarios that were closed already, by scenario.
    pub strays: Vec<(String, Event)>,
    pub(super) scene: Scene,
}

/// What the scenario at hand has gathered.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) scenario: String,
    pub(super) began: Instant,
    pub(super) events: Vec<Event>,
    pub(super) frames: u32,
    /// How many calls were made.
    pub(super) calls: u32,
    pub(super) bytes: u64,
    pub(super) bad: usize,
    pub(super) stderr: usize,
    pub(super) last: Instant,
    /// Calls with smaller ids belong to an earlier transcript, even to one of the same scenario.
    pub(super) first_id: u64,
    /// The events that are listened to: handle and type.
    pub(super) listened: HashSet<(String, String)>,
    /// The classes of the handles that the flow has met.
    pub(super) classes: HashMap<String, String>,
    /// Events that came, as they came, until the flow has looked at them.
    pub(super) heard: Vec<EventParams>,
    /// How many events came, of each type that is listened to, and under no name of the others.
    pub(super) emitted: HashMap<String, u32>,
    /// How many of them the transcript does not keep.
    pub(super) omitted: u64,
}

/// A place in the transcript at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    index: usize,
    at_us: u64,
}

impl Scene {
    fn new(scenario: &str) -> Self {
        let now = Instant::now();
        Self {
            scenario: scenario.to_owned(),
            began: now,
            events: Vec::new(),
            frames: 0,
            calls: 0,
            bytes: 0,
            bad: 0,
            stderr: 0,
            last: now,
            first_id: 0,
            listened: HashSet::new(),
            classes: HashMap::new(),
            heard: Vec::new(),
            emitted: HashMap::new(),
            omitted: 0,
        }
    }
}

/// Why a session is of no more use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The reason code.
    pub reason: Reason,
    /// What happened, scrubbed.
    pub detail: String,
}

/// Says hello over a fresh connection.
pub async fn connect_hello(
    wire: Wire,
    number: u32,
    capture: &mut Capture<'_>,
    patience: Duration,
) -> Result<Session, ConnectError> {
    let placeholder = Hello {
        protocol: PROTOCOL,
        name: String::new(),
        version: String::new(),
        platform: String::new(),
        integration: fincert_schemas::bridge::Integration::Integrated,
        call_style: fincert_schemas::bridge::CallStyle::Native,
        capabilities: Vec::new(),
        human: false,
        simulated: false,
        parallel: 1,
    };
    let mut session = Session {
        number,
        hello: placeholder,
        wire,
        next_id: 1,
        cases: 0,
        ping: PING,
        params: IndexMap::new(),
        kept_files: None,
        made: HashMap::new(),
        order: std::collections::VecDeque::new(),
        internal: HashMap::new(),
        strays: Vec::new(),
        scene: Scene::new(""),
    };
    let params = HelloParams {
        protocol: PROTOCOL,
        client: Client { name: "fincert".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
    };
    let wrong = |reason, detail: String| ConnectError::new(reason, detail);
    let answer =
        session.ask("bridge.hello", json!(params), patience, capture).await.map_err(|lost| match lost.reason {
            Reason::TargetHung => wrong(Reason::HelloTimeout, session.hello_detail(&lost.detail)),
            reason => wrong(reason, session.hello_detail(&lost.detail)),
        })?;
    let value = answer.map_err(|(code, message)| {
        wrong(Reason::HelloInvalid, format!("bridge.hello was refused: error {code}: {}", capture.text(&message, 200)))
    })?;
    if let Some(other) =
        value.get("protocol").filter(|p| p.as_u64().is_some() && p.as_u64() != Some(u64::from(PROTOCOL)))
    {
        return Err(wrong(Reason::ProtocolVersion, format!("the target speaks protocol {other}, fincert {PROTOCOL}")));
    }
    let hello: Hello = data::from_value("the answer to bridge.hello", value)
        .map_err(|error| wrong(Reason::HelloInvalid, capture.text(&error.to_string(), 300)))?;
    session.hello = Hello {
        name: capture.text(&hello.name, 80),
        version: capture.text(&hello.version, 40),
        platform: capture.text(&hello.platform, 40),
        capabilities: hello.capabilities.iter().take(64).map(|c| capture.text(c, 64)).collect(),
        ..hello
    };
    Ok(session)
}

impl Session {
    /// What a person needs to see when hello fails: the last words of stderr, and what came instead of an answer.
    fn hello_detail(&self, detail: &str) -> String {
        let mut text = detail.to_owned();
        for event in &self.scene.events {
            match &event.what {
                What::Stderr { text: line } => text.push_str(&format!("; stderr: {line}")),
                What::BadFrame { fault, quote, .. } => text.push_str(&format!("; {fault}: {quote}")),
                _ => {}
            }
        }
        text.chars().take(1_000).collect()
    }

    /// A new scenario begins. No flow goes on with what was answered before.
    pub(super) fn begin(&mut self, scenario: &str) {
        self.made.values_mut().for_each(|made| made.raw = None);
        self.scene = Scene { first_id: self.next_id, ..Scene::new(scenario) };
    }

    /// What floods is counted anew: each generated case may send as much as a scenario.
    pub(super) fn begin_case(&mut self) {
        self.scene.frames = 0;
        self.scene.calls = 0;
        self.scene.bytes = 0;
    }

    /// The events from that place of the transcript on.
    pub(super) fn since(&self, place: Place) -> &[Event] {
        &self.scene.events[place.index.min(self.scene.events.len())..]
    }

    /// Forgets what came to the transcript from that place on.
    pub(super) fn forget(&mut self, place: Place) {
        self.scene.events.truncate(place.index);
    }

    /// The scenario's events so far.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.scene.events)
    }

    pub(super) fn note(&mut self, what: What) {
        let place = self.place();
        self.note_at(place, what);
    }

    /// Here and now in the transcript, for something that is known only later.
    pub(super) fn place(&self) -> Place {
        let at_us = u64::try_from(self.scene.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        Place { index: self.scene.events.len(), at_us }
    }

    pub(super) fn note_at(&mut self, place: Place, what: What) {
        self.scene.events.insert(place.index, Event { at_us: place.at_us, late: false, what });
    }

    /// When something of the scenario was last heard.
    pub(super) fn last_heard(&self) -> Instant {
        self.scene.last
    }

    pub(super) fn id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(super) fn remember(&mut self, id: u64, made: Made) {
        self.scene.calls += 1;
        self.made.insert(id, made);
        self.order.push_back(id);
        if self.order.len() > KEPT_CALLS
            && let Some(old) = self.order.pop_front()
        {
            self.made.remove(&old);
        }
    }

    pub(super) async fn send(&mut self, message: &Value) -> Result<(), Lost> {
        let frame = serde_json::to_vec(message).unwrap_or_default();
        // A target that does not read what it is sent stops the writer; its silence must not stop fincert.
        match tokio::time::timeout(BRIDGE, self.wire.outgoing.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            // What ended the connection is in the queue of what came; the next wait reads it.
            Ok(Err(_)) => Ok(()),
            Err(_) => Err(Lost { reason: Reason::TargetHung, detail: "it does not read what it is sent".to_owned() }),
        }
    }

    /// Calls a method of the bridge itself and waits for its answer.
    pub(super) async fn ask(
        &mut self,
        method: &str,
        params: Value,
        patience: Duration,
        capture: &mut Capture<'_>,
    ) -> Result<Reply, Lost> {
        let id = self.id();
        self.internal.insert(id, None);
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
        let deadline = Instant::now() + patience;
        loop {
            if let Some(Some(_)) = self.internal.get(&id) {
                return Ok(self.internal.remove(&id).flatten().unwrap_or(Ok(Value::Null)));
            }
            if !self.hear(deadline, capture).await? {
                self.internal.remove(&id);
                let detail = format!("no answer to {method} within {} ms", patience.as_millis());
                return Err(Lost { reason: Reason::TargetHung, detail });
            }
        }
    }

    /// Whether the bridge answers a ping.
    pub(super) async fn ping(&mut self, capture: &mut Capture<'_>) -> Result<bool, Lost> {
        match self.ask("bridge.ping", json!({}), self.ping, capture).await {
            Ok(_) => Ok(true),
            Err(lost) if lost.reason == Reason::TargetHung => Ok(false),
            Err(lost) => Err(lost),
        }
    }

    /// Drops all handles and files at the target.
    pub(super) async fn reset(&mut self, capture: &mut Capture<'_>) -> Result<(), Lost> {
        if let Some(kept) = &mut self.kept_files {
            kept.clear();
        }
        self.ask("bridge.reset", json!({}), BRIDGE, capture).await.map(drop)
    }

    /// Files that the target was given are remembered until the next reset, and given once; or not.
    pub(crate) fn keep_files(&mut self, keep: bool) {
        self.kept_files = keep.then(HashMap::new);
    }

    /// The target drops what it knows of earlier calls.
    pub(crate) async fn start_over(&mut self, capture: &mut Capture<'_>) -> Result<(), Lost> {
        self.begin("");
        self.reset(capture).await
    }

    /// How long a ping may take: where a hung target is asked again and again, not as long as where it is accused.
    pub(crate) fn be_patient(&mut self, patient: bool) {
        self.ping = if patient { PING } else { SHORT_PING };
    }

    /// A name for the next generated case: every one is a scenario of its own to the target.
    pub(super) fn case_name(&mut self, scenario: &str) -> String {
        self.cases += 1;
        format!("{scenario}#{}", self.cases)
    }

    /// Ends the session in good order: the target sees the end of its input, and has a moment to tidy up.
    pub async fn close(self) {
        let Wire { outgoing, mut incoming, guard } = self.wire;
        drop(outgoing);
        let gone = async {
            while let Some((_, incoming)) = incoming.recv().await {
                if matches!(incoming, Incoming::Gone(_)) {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(GOODBYE, gone).await;
        drop(guard);
    }

    /// Listens on for a while after the last scenario, for what comes late.
    pub async fn drain(&mut self, patience: Duration, capture: &mut Capture<'_>) {
        self.begin("");
        let deadline = Instant::now() + patience;
        while let Ok(true) = self.hear(deadline, capture).await {}
    }
}
