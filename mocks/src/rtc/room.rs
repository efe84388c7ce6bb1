//! The objects of one session: they are made, found, and all let go at `bridge.reset` and at the end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fincert_peer::{ConnectionConfig, LocalTrack};
use fincert_schemas::bridge::{INVALID_PARAMS, Integration, Settlement, Via};
use fincert_schemas::run::flow::MediaKind;
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, watch};

use super::addresses::addresses;
use super::asked::{Asked, What};
use super::connection::{self, Line};
use super::decide;
use super::moment::{About, Moment, Past};
use super::objects::{self, Stream, Track, Tracks};
use super::options::Options;
use super::refusal::Refusal;
use super::task::Task;
use super::voice::Voice;
use super::work::refusal;
use crate::host::{Host, Life};
use crate::plan::{Action, Plan};
use crate::socket::Outgoing;

/// How many connections of a session are open at a time.
pub(crate) const MAX_CONNECTIONS: usize = 64;
/// How many tracks of a session are live at a time.
pub(crate) const MAX_TRACKS: usize = 256;
/// How many objects a session keeps, closed and stopped ones too, until `bridge.reset`.
pub(crate) const MAX_OBJECTS: usize = 4096;
/// How long a connection may take to let go of its sockets; then it is torn down.
const PATIENCE: Duration = Duration::from_secs(10);

/// The objects of one session.
#[derive(Debug)]
pub(crate) struct Room {
    voice: Voice,
    life: Life,
    /// The session's number within its host: with it the ids of streams are unique.
    number: u64,
    began: Instant,
    /// Tells every connection that it is over, by being dropped.
    over: watch::Sender<()>,
    lines: HashMap<String, Line>,
    streams: HashMap<String, Stream>,
    tracks: Tracks,
    /// How many connections are open.
    open: Arc<AtomicUsize>,
    made: u64,
    objects: usize,
}

impl Room {
    pub(crate) fn new(host: Arc<Host>, out: mpsc::Sender<Outgoing>, life: Life) -> Self {
        let number = host.next_session();
        Self {
            voice: Voice { host, out },
            life,
            number,
            began: Instant::now(),
            over: watch::Sender::new(()),
            lines: HashMap::new(),
            streams: HashMap::new(),
            tracks: Tracks::default(),
            open: Arc::default(),
            made: 0,
            objects: 0,
        }
    }

    /// Does what a message asks for, or hands it to the connection that it is about.
    pub(crate) async fn ask(&mut self, asked: Asked) {
        if let Some(line) = self.lines.get(&asked.this).filter(|_| of_class(&asked, "RTCPeerConnection.")) {
            if let Err(asked) = line.ask(asked) {
                let refusal = Refusal::of_operation("too many calls of this connection wait");
                self.answer(&asked, Plan::only(Action::Answer(refusal.settle()))).await;
            }
            return;
        }
        let plan = match &asked.what {
            What::Call { args, wish } if asked.this.is_empty() => self.of_static(&asked, args, wish.as_deref()).await,
            What::Call { .. } => self.of_object(&asked),
            What::Get(name) => self.property(&asked.this, name),
            What::Listen { .. } => self.listen(&asked.this),
        };
        self.answer(&asked, plan.unwrap_or_else(|| Plan::refuse(INVALID_PARAMS, "params.self: no such object"))).await;
    }

    async fn of_static(&mut self, asked: &Asked, args: &[Option<Value>], wish: Option<&str>) -> Option<Plan> {
        // Where the SDK is absent, nothing answers (clause 1).
        if self.voice.host.config.integration == Integration::Absent {
            return Some(Plan::silent());
        }
        let task = decide::of_static(&asked.method, args, wish);
        let task = with_moment(asked, |moment| self.voice.does(moment, task));
        let settled = match task {
            Task::Settle(settlement) => Ok(settlement),
            Task::Create(options) => self.create(*options).await,
            Task::UserMedia { audio, video } => self.user_media(audio, video),
            Task::Nothing => return Some(Plan::silent()),
            _ => Ok(Settlement { via: Via::Resolve, value: None }),
        };
        Some(Plan::only(Action::Answer(settled.unwrap_or_else(|refusal| refusal.settle()))))
    }

    async fn create(&mut self, options: Options) -> Result<Settlement, Refusal> {
        if self.open.load(Ordering::Relaxed) >= MAX_CONNECTIONS {
            return Err(Refusal::of_operation(format!("{MAX_CONNECTIONS} connections are open; close some of them")));
        }
        self.has_room(1)?;
        let config = ConnectionConfig {
            epoch: self.began,
            bind: addresses(),
            ice_servers: options.servers,
            relay_only: options.relay_only,
            bundle: options.bundle,
            faults: options.faults,
            ..ConnectionConfig::default()
        };
        let made = fincert_peer::Connection::new(config).await;
        let (engine, events) = made.map_err(|error| refusal(&error))?;
        let name = self.name("pc");
        let place = connection::Place {
            name: name.clone(),
            voice: self.voice.clone(),
            tracks: self.tracks.clone(),
            open: Arc::clone(&self.open),
            configuration: options.configuration,
            began: self.began,
        };
        let line = Line::begin(place, engine, events, self.over.subscribe(), self.life.clone());
        self.lines.insert(name.clone(), line);
        Ok(Settlement { via: Via::Resolve, value: Some(objects::connection(&name)) })
    }

    fn user_media(&mut self, audio: u8, video: u8) -> Result<Settlement, Refusal> {
        let wanted = usize::from(audio) + usize::from(video);
        if self.tracks.live() + wanted > MAX_TRACKS {
            return Err(Refusal::of_operation(format!("{MAX_TRACKS} tracks are live; stop some of them")));
        }
        self.has_room(1 + wanted)?;
        let stream_name = self.name("stream");
        let id = format!("mock-{}-{stream_name}", self.number);
        let kinds = [(MediaKind::Audio, audio), (MediaKind::Video, video)];
        let mut names = Vec::new();
        for kind in kinds.into_iter().flat_map(|(kind, count)| (0..count).map(move |_| kind)) {
            let name = self.name("track");
            let local = LocalTrack::new(kind, format!("mock-{}-{name}", self.number), &id);
            self.tracks.put(name.clone(), Track::new(local));
            names.push(name);
        }
        let stream = Stream { id, tracks: names };
        let value = stream.handle(&stream_name);
        self.streams.insert(stream_name, stream);
        Ok(Settlement { via: Via::Resolve, value: Some(value) })
    }

    /// A method of a stream or a track; `None` if there is no such object.
    fn of_object(&self, asked: &Asked) -> Option<Plan> {
        let task = match asked.method.as_str() {
            "MediaStream.getTracks" if self.streams.contains_key(&asked.this) => Task::Tracks,
            "MediaStreamTrack.stop" if self.tracks.get(&asked.this).is_some() => Task::Stop,
            _ => return None,
        };
        let task = with_moment(asked, |moment| self.voice.does(moment, task));
        let settlement = match task {
            Task::Settle(settlement) => settlement,
            Task::Tracks => {
                let names = &self.streams.get(&asked.this)?.tracks;
                let handles = names.iter().filter_map(|name| Some(self.tracks.get(name)?.handle(name)));
                Settlement { via: Via::Resolve, value: Some(handles.collect()) }
            }
            _ => {
                self.tracks.get(&asked.this)?.stop();
                Settlement { via: Via::Resolve, value: None }
            }
        };
        Some(Plan::only(Action::Answer(settlement)))
    }

    fn property(&self, this: &str, name: &str) -> Option<Plan> {
        let stream = || Some(self.streams.get(this)?.property(name));
        let value = stream().or_else(|| Some(self.tracks.get(this)?.property(name)))?;
        Some(Plan::only(Action::Result(json!({"value": value}))))
    }

    /// Streams and tracks have no events (3.1).
    fn listen(&self, this: &str) -> Option<Plan> {
        let known = self.streams.contains_key(this) || self.tracks.get(this).is_some();
        let refusal = Refusal::of_type("addEventListener is not a function");
        let thrown = Settlement { via: Via::Throw, ..refusal.settle() };
        known.then(|| Plan::only(Action::Answer(thrown)))
    }

    async fn answer(&self, asked: &Asked, plan: Plan) {
        let plan = with_moment(asked, |moment| self.voice.shape(moment, plan));
        if let What::Call { args, .. } = &asked.what {
            self.voice.note(&asked.method, args, &plan);
        }
        // A stream or track has no answer for which anything could wait.
        for action in self.voice.send(&asked.id, plan).await {
            self.voice.send(&asked.id, Plan::only(action)).await;
        }
    }

    /// Lets go of every object, and waits until sockets and tasks are gone.
    pub(crate) async fn reset(&mut self) {
        self.over = watch::Sender::new(());
        self.tracks.clear();
        self.streams.clear();
        self.objects = 0;
        for (_, line) in self.lines.drain() {
            line.ended(PATIENCE).await;
        }
    }

    fn has_room(&self, more: usize) -> Result<(), Refusal> {
        let room = self.objects + more <= MAX_OBJECTS;
        room.then_some(()).ok_or_else(|| Refusal::of_operation("the session keeps no more objects; reset it"))
    }

    /// A handle that was never given before.
    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        self.objects += 1;
        format!("{kind}-{}", self.made)
    }
}

impl Drop for Room {
    /// The connections see the end of `over`; the tracks are ended here.
    fn drop(&mut self) {
        self.tracks.clear();
    }
}

/// Whether a message can be about an object of that class.
fn of_class(asked: &Asked, class: &str) -> bool {
    !matches!(asked.what, What::Call { .. }) || asked.method.starts_with(class)
}

/// The moment of a static function, a stream or a track.
fn with_moment<T>(asked: &Asked, look: impl FnOnce(&Moment<'_>) -> T) -> T {
    let about = match &asked.what {
        What::Call { args, .. } => About::Call(asked.name(), args),
        What::Get(name) => About::Property(name),
        What::Listen { kind, .. } => About::Listen(kind),
    };
    look(&Moment {
        about,
        this: &asked.this,
        past: &Past::default(),
        since_answer: None,
        others: 0,
        properties: &Map::new(),
    })
}
