//! The stage of a flow: calls of the target's methods, reads of its properties, events of both ends in one stream,
//! and waiting for what shall come. Everything is noted; nothing is judged.

mod hearing;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fincert_peer::{Candidate, Peer, PeerEvent};
use fincert_schemas::bridge::{CallParams, Settlement, Via};
use fincert_schemas::run::flow::{Await, End, PeerDid};
use fincert_schemas::run::{Pace, Reason, What};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::drive::Drive;
use crate::drive::receive::MAX_HANDLE;
use crate::drive::session::{Lost, Made, Session};

/// How often properties and counters are looked at while something is awaited.
const TICK: Duration = Duration::from_millis(20);
/// How long a property may take to show what it should (rulings 3.2: it may arrive asynchronously).
pub(super) const PROPERTY: Duration = Duration::from_secs(2);
/// The same for a property that never showed it before: the fault is known by then.
const PROPERTY_MISSED: Duration = Duration::from_millis(150);
/// The longest text that is polled again, in bytes; the longest state of WebRTC has 20.
const LONGEST_STATE: usize = 1_024;
/// How long the bridge's own methods may take.
const BRIDGE: Duration = Duration::from_secs(10);

/// A peer of the flow.
pub(super) struct Slot {
    pub(super) peer: Arc<dyn Peer>,
    /// The target's connection that it talks to.
    pub(super) pc: String,
    /// Candidates of its own that came.
    pub(super) own: Vec<Candidate>,
    pub(super) gathered: bool,
    /// Its state as it last told: ICE, and the whole.
    pub(super) ice: String,
    pub(super) connection: String,
    /// Candidates of the target that came, and how many of them were handed over already.
    pub(super) theirs: Vec<Candidate>,
    pub(super) handed: usize,
    pub(super) sent: usize,
    /// Whether candidates go across as they come.
    pub(super) flowing: bool,
    /// How often each candidate goes across.
    pub(super) copies: usize,
    pub(super) target_gathered: bool,
}

/// An event of the target: what of it flows go by, and no more, since what a target sends may be large.
#[derive(Debug)]
struct Heard {
    this: String,
    kind: String,
    /// The `iceConnectionState` that it carried.
    ice: Option<String>,
}

/// What a peer tells, with its slot.
type OfPeer = (usize, PeerEvent);

/// What became of a call.
#[derive(Debug, Clone)]
pub(super) struct Settled {
    pub(super) via: Option<Via>,
    pub(super) value: Value,
}

impl Settled {
    pub(super) fn worked(&self) -> bool {
        self.via.is_some_and(Via::is_success)
    }
}

/// One flow on its way.
pub(super) struct Stage<'s, 'd, 'c> {
    pub(super) session: &'s mut Session,
    pub(super) drive: &'s mut Drive<'d, 'c>,
    scenario: String,
    step: u32,
    pub(super) slots: Vec<Slot>,
    peers: (mpsc::Sender<OfPeer>, mpsc::Receiver<OfPeer>),
    /// Calls whose answer nobody waits for at the moment.
    pending: Vec<u64>,
    /// Every event of the target so far, as far as flows go by it.
    events: Vec<Heard>,
    /// Properties that did not show in time what they should.
    missed: HashMap<String, u32>,
    /// What each connection was made with.
    given: HashMap<String, Value>,
}

impl<'s, 'd, 'c> Stage<'s, 'd, 'c> {
    pub(super) fn new(session: &'s mut Session, drive: &'s mut Drive<'d, 'c>, scenario: &str) -> Self {
        Self {
            session,
            drive,
            scenario: scenario.to_owned(),
            step: 0,
            slots: Vec::new(),
            peers: mpsc::channel(256),
            pending: Vec::new(),
            events: Vec::new(),
            missed: HashMap::new(),
            given: HashMap::new(),
        }
    }

    pub(super) fn note(&mut self, what: What) {
        self.session.note(what);
    }

    pub(super) fn did(&mut self, slot: usize, did: PeerDid) {
        self.note(What::Peer { peer: slot as u32 + 1, did });
    }

    /// Puts a peer on the stage; its events join the stream.
    pub(super) fn enter(&mut self, peer: Arc<dyn Peer>, mut events: mpsc::Receiver<PeerEvent>, pc: &str) -> usize {
        let index = self.slots.len();
        let sender = self.peers.0.clone();
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                if sender.send((index, event)).await.is_err() {
                    return;
                }
            }
        });
        self.slots.push(Slot {
            peer,
            pc: pc.to_owned(),
            own: Vec::new(),
            gathered: false,
            ice: String::new(),
            connection: String::new(),
            theirs: Vec::new(),
            handed: 0,
            sent: 0,
            flowing: false,
            copies: 1,
            target_gathered: false,
        });
        index
    }

    /// Calls a method and waits until it settles or its deadline passes.
    pub(super) async fn call(
        &mut self,
        handle: Option<&str>,
        method: &str,
        args: Vec<Value>,
        purpose: Option<&str>,
    ) -> Result<Settled, Lost> {
        let id = self.start(handle, method, args, purpose).await?;
        self.settle(id).await
    }

    /// Calls a method without waiting for it.
    pub(super) async fn start(
        &mut self,
        handle: Option<&str>,
        method: &str,
        args: Vec<Value>,
        purpose: Option<&str>,
    ) -> Result<u64, Lost> {
        self.step += 1;
        let id = self.session.id();
        let request = args.first().cloned().unwrap_or(json!({}));
        let captured = self.drive.capture.request(method, &request);
        let kept = handle.map(|handle| self.drive.capture.handle(handle));
        self.note(What::Call {
            id,
            step: self.step,
            method: method.to_owned(),
            handle: kept,
            request: captured,
            subject: None,
            purpose: purpose.map(str::to_owned),
        });
        // A configuration is compared with what the connection was made with. What a method of an object is given may be
        // the target's own, of any size, and is not looked at again.
        let given = match handle {
            None => request,
            Some(pc) if method.ends_with(".getConfiguration") => self.given.get(pc).cloned().unwrap_or_default(),
            Some(_) => Value::Null,
        };
        let made = Made {
            scenario: self.scenario.clone(),
            method: method.to_owned(),
            request: given,
            subject: None,
            sent: Instant::now(),
            settled: false,
            answered: None,
            via: None,
            refused: false,
            completes: 0,
            handle: handle.map(str::to_owned),
            raw: None,
        };
        self.session.remember(id, made);
        let params = CallParams {
            args,
            this: handle.map(str::to_owned),
            run: Some(self.drive.run.to_owned()),
            scenario: Some(self.scenario.clone()),
            page: None,
            prefer: None,
        };
        self.session.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})).await?;
        Ok(id)
    }

    /// Waits for a call that was started.
    pub(super) async fn settle(&mut self, id: u64) -> Result<Settled, Lost> {
        let (kind, sent) =
            self.session.made.get(&id).map_or((String::new(), Instant::now()), |made| (made.kind(), made.sent));
        let patience = self.drive.deadlines.of(&kind, Pace::Machine, false);
        let deadline = sent + patience;
        loop {
            if let Some(made) = self.session.made.get_mut(&id).filter(|made| made.settled) {
                self.drive.deadlines.answered(&kind, made.sent.elapsed());
                let raw = made.raw.take();
                let options = (made.method == "ft.webrtc.createRTCPeerConnection").then(|| made.request.clone());
                self.learn(raw.as_ref(), options);
                return Ok(Settled {
                    via: raw.as_ref().map(|raw| raw.via),
                    value: raw.and_then(|raw| raw.value).unwrap_or(Value::Null),
                });
            }
            if !self.pump(deadline).await? && Instant::now() >= deadline {
                break;
            }
        }
        let alive = self.session.ping(self.drive.capture).await?;
        let deadline_ms = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.note(What::NoResponse { id, deadline_ms, alive });
        self.drive.deadlines.silent(&kind);
        if !alive {
            let detail = format!("no answer to {kind} within {deadline_ms} ms, and none to bridge.ping");
            return Err(Lost { reason: Reason::TargetHung, detail });
        }
        Ok(Settled { via: None, value: Value::Null })
    }

    /// Remembers the classes of handles in an answer.
    fn learn(&mut self, settlement: Option<&Settlement>, options: Option<Value>) {
        let Some(value) = settlement.and_then(|settlement| settlement.value.as_ref()) else { return };
        let items = match value {
            Value::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        for item in items.iter().take(64) {
            if item.get("$handle").is_some() && handle_of(item).is_none() {
                self.session.unusable_handle(item, self.drive.capture);
            }
            if let (Some(handle), Some(class)) = (handle_of(item), item.get("$class").and_then(Value::as_str)) {
                if let Some(options) = &options {
                    self.given.insert(handle.clone(), options.clone());
                }
                self.session.scene.classes.insert(handle, class.to_owned());
            }
        }
    }

    /// Begins to listen to an event.
    pub(super) async fn listen(&mut self, handle: &str, kind: &str) -> Result<bool, Lost> {
        // Before the request: an event may overtake its answer.
        self.session.scene.listened.insert((handle.to_owned(), kind.to_owned()));
        let params = json!({"self": handle, "type": kind});
        let refused = self.bridge("bridge.listen", params).await?.err();
        let worked = refused.is_none();
        let handle = self.drive.capture.handle(handle);
        self.note(What::Listened { handle, kind: kind.to_owned(), refused });
        Ok(worked)
    }

    /// Reads a property once.
    pub(super) async fn read(&mut self, handle: &str, name: &str) -> Result<Value, Lost> {
        let read = self.get(handle, name).await?;
        self.noted(handle, name, read, 1)
    }

    /// Reads a property until it shows what is wanted or has had its time; the last reading is noted, and each that
    /// differed from the one before.
    pub(super) async fn poll(
        &mut self,
        handle: &str,
        name: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Result<Value, Lost> {
        let patience = if self.missed.contains_key(name) { PROPERTY_MISSED } else { PROPERTY };
        let deadline = Instant::now() + patience;
        let mut polls = 1;
        let mut last = self.get(handle, name).await?;
        loop {
            let shows = last.as_ref().is_ok_and(&wanted);
            // No state is that long; to ask for it again and again would bring nothing but a flood.
            let absurd = last.as_ref().is_ok_and(|value| value.as_str().is_some_and(|text| text.len() > LONGEST_STATE));
            if shows || absurd || last.is_err() || Instant::now() >= deadline {
                if !shows {
                    *self.missed.entry(name.to_owned()).or_default() += 1;
                }
                return self.noted(handle, name, last, polls);
            }
            self.idle(TICK).await?;
            let next = self.get(handle, name).await?;
            if next != last {
                self.noted(handle, name, last, polls)?;
                polls = 0;
            }
            polls += 1;
            last = next;
        }
    }

    /// The value of a property, or why it cannot be read.
    pub(super) async fn get(&mut self, handle: &str, name: &str) -> Result<Result<Value, String>, Lost> {
        let answer = self.bridge("bridge.get", json!({"self": handle, "name": name})).await?;
        Ok(answer.map(|mut answer| answer.get_mut("value").map(Value::take).unwrap_or(Value::Null)))
    }

    fn noted(&mut self, handle: &str, name: &str, read: Result<Value, String>, polls: u32) -> Result<Value, Lost> {
        let class = self.session.scene.classes.get(handle).map_or("", String::as_str);
        let (value, refused, raw) = match read {
            Ok(raw) if raw.get("$undefined") == Some(&Value::Bool(true)) => (None, None, Value::Null),
            Ok(raw) => (Some(self.drive.capture.property(class, name, &raw)), None, raw),
            Err(why) => (None, Some(why), Value::Null),
        };
        let handle = self.drive.capture.handle(handle);
        self.note(What::Read { handle, name: name.to_owned(), value, refused, polls });
        Ok(raw)
    }

    /// Asks a method of the bridge itself; what was refused is told in words, scrubbed.
    async fn bridge(&mut self, method: &str, params: Value) -> Result<Result<Value, String>, Lost> {
        let answer = match self.session.ask(method, params, BRIDGE, self.drive.capture).await {
            Err(Lost { reason: Reason::TargetHung, detail }) => {
                let alive = self.session.ping(self.drive.capture).await?;
                let detail = format!("{detail}, {} to bridge.ping", if alive { "but one" } else { "and none" });
                return Err(Lost { reason: Reason::TargetHung, detail });
            }
            answer => answer?,
        };
        self.heard().await?;
        Ok(match answer {
            // An API that threw: error -32000 reads as a settlement.
            Ok(value) if value.get("via").is_some_and(|via| via == "throw" || via == "reject") => {
                Err(self.drive.capture.text(&value.get("value").cloned().unwrap_or_default().to_string(), 200))
            }
            Ok(value) => Ok(value),
            Err((code, message)) => Err(format!("error {code}: {}", self.drive.capture.text(&message, 200))),
        })
    }

    /// Waits until every call that nobody waited for has settled or has had its time.
    pub(super) async fn settle_pending(&mut self) -> Result<(), Lost> {
        for id in std::mem::take(&mut self.pending) {
            self.settle(id).await?;
        }
        Ok(())
    }

    /// Waits for a condition, and notes whether it came and what was there instead.
    pub(super) async fn until(
        &mut self,
        end: End,
        what: Await,
        of: &str,
        patience: Duration,
        mut met: impl FnMut(&Self) -> bool,
        instead: impl Fn(&Self) -> String,
    ) -> Result<bool, Lost> {
        let began = Instant::now();
        let deadline = began + patience;
        let came = loop {
            if met(self) {
                break true;
            }
            if Instant::now() >= deadline {
                break false;
            }
            self.pump(deadline).await?;
        };
        let instead = if came { String::new() } else { instead(self) };
        // What did not come was waited for as long as it may take: no run's own time, so that runs can be compared.
        let waited = if came { began.elapsed() } else { patience };
        self.awaited(end, what, of, came, waited, instead);
        Ok(came)
    }

    pub(super) fn awaited(&mut self, end: End, what: Await, of: &str, met: bool, waited: Duration, instead: String) {
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        self.note(What::Awaited { end, what, of: of.to_owned(), met, waited_ms, instead });
    }

    /// How many events of a connection's type came so far.
    pub(super) fn count_events(&self, pc: &str, kind: &str) -> usize {
        self.events.iter().filter(|event| event.this == pc && event.kind == kind).count()
    }

    /// The states that events of a connection told so far.
    pub(super) fn ice_states_told<'a>(&'a self, pc: &'a str) -> impl Iterator<Item = &'a str> {
        let told = self.events.iter().filter(move |event| event.this == pc && event.kind == "iceconnectionstatechange");
        told.filter_map(|event| event.ice.as_deref())
    }
}

/// The handle's name, if the value is one that can be used.
pub(super) fn handle_of(value: &Value) -> Option<String> {
    let name = value.get("$handle").and_then(Value::as_str);
    name.filter(|name| (1..=MAX_HANDLE).contains(&name.len())).map(str::to_owned)
}

/// A candidate as a mini program hands it to addIceCandidate.
pub(super) fn init(candidate: &Candidate) -> Value {
    let mut value = json!({"candidate": candidate.candidate});
    if let Some(mid) = &candidate.sdp_mid {
        value["sdpMid"] = json!(mid);
    }
    if let Some(index) = candidate.sdp_m_line_index {
        value["sdpMLineIndex"] = json!(index);
    }
    value
}
