//! What carries the bridge. Each transport turns its stream into frames, and knows nothing of their content.

mod dial;
mod door;
mod listen;
mod stdio;

use std::sync::Arc;
use std::time::Instant;

use fincert_schemas::run::Reason;
use tokio::sync::mpsc;

pub use dial::dial;
pub use listen::Listener;
pub use stdio::spawn;

/// How many frames wait unread at the most. With [`fincert_schemas::bridge::MAX_FRAME_BYTES`] this bounds what a
/// target can make fincert hold: 4 × 16 MiB waiting, one being read, one being looked at: 96 MiB.
pub const QUEUE: usize = 4;

/// How much of a frame that is too large is kept to show.
const HEAD: usize = 200;

/// What comes from a target.
#[derive(Debug)]
pub enum Incoming {
    /// One frame.
    Frame(Vec<u8>),
    /// A frame larger than allowed, which was discarded as it came.
    TooLarge {
        /// Its size.
        bytes: u64,
        /// Its beginning.
        head: Vec<u8>,
    },
    /// A line on stderr.
    Stderr(String),
    /// The target is gone: exit status or close reason.
    Gone(String),
}

/// A connection to a target. Dropping it ends the target (stdio) or closes the connection.
#[derive(Debug)]
pub struct Wire {
    /// Frames to the target.
    pub outgoing: mpsc::Sender<Vec<u8>>,
    /// What comes from it, with the time of arrival.
    pub incoming: mpsc::Receiver<(Instant, Incoming)>,
    /// Ends the target when dropped.
    pub guard: Guard,
}

/// Tells what became of the program at the other end of a connection, once it has ended.
#[derive(Clone)]
pub(crate) struct Obituary(pub(crate) Arc<dyn Fn() -> Option<String> + Send + Sync>);

impl std::fmt::Debug for Obituary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Obituary")
    }
}

/// Ends what a transport started.
#[derive(Debug, Default)]
pub struct Guard {
    process: Option<rustix::process::Pid>,
    tasks: Vec<tokio::task::AbortHandle>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Some(group) = self.process {
            // The whole group: an engine's own children go with it. It may have ended already.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// Why a connection could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}: {detail}")]
pub struct ConnectError {
    /// The reason code.
    pub reason: Reason,
    /// What happened.
    pub detail: String,
}

impl ConnectError {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}
