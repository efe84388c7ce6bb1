//! Streams and tracks, and how objects cross the bridge.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use fincert_peer::LocalTrack;
use fincert_schemas::bridge::Handle;
use fincert_schemas::run::flow::MediaKind;
use serde_json::{Map, Value, json};

/// A track of the generated camera or microphone.
#[derive(Debug)]
pub(crate) struct Track {
    local: LocalTrack,
}

impl Track {
    pub(crate) fn new(local: LocalTrack) -> Self {
        Self { local }
    }

    pub(crate) fn local(&self) -> &LocalTrack {
        &self.local
    }

    pub(crate) fn stop(&self) {
        self.local.stop();
    }

    fn properties(&self) -> Map<String, Value> {
        let label = match self.local.kind() {
            MediaKind::Audio => "麦克风（模拟）",
            MediaKind::Video => "前置摄像头（模拟）",
        };
        let state = if self.local.live() { "live" } else { "ended" };
        members(json!({"id": self.local.id(), "kind": self.local.kind().as_str(), "label": label, "enabled": true,
            "muted": false, "readyState": state}))
    }

    /// The track as a handle.
    pub(crate) fn handle(&self, name: &str) -> Value {
        handle(name, "MediaStreamTrack", self.properties(), &["stop"])
    }

    /// A property of the track.
    pub(crate) fn property(&self, name: &str) -> Value {
        property(self.properties(), name, &["stop"])
    }
}

/// A stream: a plain wrapper with a streamId and getTracks (3.1).
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    pub(crate) id: String,
    /// The handles of its tracks.
    pub(crate) tracks: Vec<String>,
}

impl Stream {
    fn properties(&self) -> Map<String, Value> {
        members(json!({"streamId": self.id}))
    }

    /// The stream as a handle.
    pub(crate) fn handle(&self, name: &str) -> Value {
        handle(name, "MediaStream", self.properties(), &["getTracks"])
    }

    /// A property of the stream.
    pub(crate) fn property(&self, name: &str) -> Value {
        property(self.properties(), name, &["getTracks"])
    }
}

/// A connection as a handle. Its properties and methods are not its own: they are the prototype's.
pub(crate) fn connection(name: &str) -> Value {
    handle(name, "RTCPeerConnection", Map::new(), &[])
}

/// A remote stream within the event `track`.
pub(crate) fn remote_stream(id: &str) -> Value {
    json!({"streamId": id, "getTracks": function("getTracks")})
}

/// `undefined`.
pub(crate) fn undefined() -> Value {
    json!({"$undefined": true})
}

/// A function.
pub(crate) fn function(name: &str) -> Value {
    json!({"$function": name})
}

fn handle(name: &str, class: &str, props: Map<String, Value>, methods: &[&str]) -> Value {
    let own = props.keys().cloned().chain(methods.iter().map(|method| (*method).to_owned())).collect();
    let handle = Handle { handle: name.to_owned(), class: class.to_owned(), own, props };
    serde_json::to_value(handle).unwrap_or_default()
}

fn property(mut properties: Map<String, Value>, name: &str, methods: &[&str]) -> Value {
    match properties.remove(name) {
        Some(value) => value,
        None if methods.contains(&name) => function(name),
        None => undefined(),
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// The tracks of a session by handle.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tracks(Arc<Mutex<HashMap<String, Arc<Track>>>>);

impl Tracks {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Track>> {
        self.all().get(name).cloned()
    }

    pub(crate) fn put(&self, name: String, track: Track) {
        self.all().insert(name, Arc::new(track));
    }

    pub(crate) fn live(&self) -> usize {
        self.all().values().filter(|track| track.local.live()).count()
    }

    /// Stops them all and forgets them.
    pub(crate) fn clear(&self) {
        for (_, track) in self.all().drain() {
            track.stop();
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Track>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
