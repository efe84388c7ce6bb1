//! A track of fincert's own: the moving test pattern or the tone, in real time while it is enabled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fincert_schemas::run::flow::MediaKind;

use crate::media::pump::{self, Player};
use crate::media::stream;
use crate::rtc::Outlet;
use crate::sync::lock;

/// A clock that is behind by more than this has stood still, and goes on from now.
const MAX_DELAY: Duration = Duration::from_millis(200);

/// A local track. Clones are the same track.
#[derive(Debug, Clone)]
pub struct LocalTrack {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: MediaKind,
    id: String,
    stream_id: String,
    echoes: bool,
    live: AtomicBool,
    enabled: AtomicBool,
    outlets: Mutex<Vec<Arc<Outlet>>>,
    head: Mutex<Option<Head>>,
}

/// Where in its stream a track is.
#[derive(Debug, Clone, Copy)]
struct Head {
    frame: usize,
    timestamp: u32,
    due: Instant,
    /// The first packet of sound after silence is marked (RFC 3551 section 4.1).
    begins: bool,
}

impl LocalTrack {
    /// A track of the test pattern (video) or the tone (audio) with this id, in the stream of this id.
    pub fn new(kind: MediaKind, id: impl Into<String>, stream_id: impl Into<String>) -> Self {
        Self::made(kind, id.into(), stream_id.into(), false)
    }

    /// A track of what the connection receives of the kind.
    pub(crate) fn echo(kind: MediaKind, id: String, stream_id: String) -> Self {
        Self::made(kind, id, stream_id, true)
    }

    fn made(kind: MediaKind, id: String, stream_id: String, echoes: bool) -> Self {
        let (live, enabled) = (AtomicBool::new(true), AtomicBool::new(true));
        let (outlets, head) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { kind, id, stream_id, echoes, live, enabled, outlets, head }) }
    }

    /// The kind.
    pub fn kind(&self) -> MediaKind {
        self.inner.kind
    }

    /// The track's id.
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The id of its stream.
    pub fn stream_id(&self) -> &str {
        &self.inner.stream_id
    }

    /// Whether it still makes media: false after [`Self::stop`].
    pub fn live(&self) -> bool {
        self.inner.live.load(Ordering::Acquire)
    }

    /// Whether it is enabled. A disabled track sends nothing.
    pub fn enabled(&self) -> bool {
        self.inner.enabled.load(Ordering::Acquire)
    }

    /// Enables or disables it.
    pub fn set_enabled(&self, enabled: bool) {
        self.inner.enabled.store(enabled, Ordering::Release);
    }

    /// Ends it for good; nothing more is sent. Stopping twice is harmless.
    pub fn stop(&self) {
        self.inner.live.store(false, Ordering::Release);
        lock(&self.inner.outlets).clear();
        pump::look();
    }

    pub(crate) fn echoes(&self) -> bool {
        self.inner.echoes
    }

    /// The same track, and no clone of something that is alike.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Sends through an outlet from now on.
    pub(crate) fn attach(&self, outlet: Arc<Outlet>) {
        if !self.live() {
            return;
        }
        lock(&self.inner.outlets).push(outlet);
        // An echo is sent by what it receives.
        if !self.inner.echoes {
            pump::begin(Arc::clone(&self.inner) as Arc<dyn Player>);
        }
    }

    /// Sends no more through an outlet.
    pub(crate) fn detach(&self, outlet: &Arc<Outlet>) {
        lock(&self.inner.outlets).retain(|other| !Arc::ptr_eq(other, outlet));
        pump::look();
    }
}

impl Player for Inner {
    fn play(&self, now: Instant) -> Option<Instant> {
        let outlets = lock(&self.outlets);
        if outlets.is_empty() || !self.live.load(Ordering::Acquire) {
            return None;
        }
        let stream = stream(self.kind);
        let mut head = lock(&self.head);
        let start = Head { frame: 0, timestamp: 0, due: now, begins: true };
        let mut at = head.unwrap_or(start);
        if at.due > now {
            return Some(at.due);
        }
        if now.duration_since(at.due) > MAX_DELAY {
            let missed = now.duration_since(at.due).as_nanos() / stream.period.as_nanos();
            at.timestamp = at.timestamp.wrapping_add(stream.ticks.wrapping_mul(missed as u32));
            at.due = now;
        }
        let open = self.enabled.load(Ordering::Acquire) && outlets.iter().any(|outlet| outlet.is_open());
        if open {
            // Every outlet is asked, so that a request is not answered twice.
            if outlets.iter().filter(|outlet| outlet.take_keyframe()).count() > 0 {
                at.frame = stream.keyframe_from(at.frame);
            }
            let frame = &stream.frames[at.frame % stream.frames.len()];
            let last = frame.payloads.len().saturating_sub(1);
            for (index, payload) in frame.payloads.iter().enumerate() {
                let marker = match self.kind {
                    MediaKind::Video => index == last,
                    MediaKind::Audio => at.begins,
                };
                outlets.iter().for_each(|outlet| outlet.send(payload, at.timestamp, marker));
            }
        }
        at.begins = !open;
        at.frame = (at.frame + 1) % stream.frames.len();
        at.timestamp = at.timestamp.wrapping_add(stream.ticks);
        at.due += stream.period;
        *head = Some(at);
        Some(at.due)
    }
}
