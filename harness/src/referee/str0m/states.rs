//! The words of the W3C for what str0m says of ICE and DTLS, and for what it does not say.
//!
//! str0m knows no `failed` and no `closed`, and takes 15 s and more to miss the other end (a constant of its ICE agent).
//! So silence is measured here: str0m checks its pair at least once a second, hence an end that lives is heard.

use std::time::{Duration, Instant};

use str0m::IceConnectionState;

/// Nothing heard for so long: disconnected. About what libwebrtc and webrtc-rs take.
const DISCONNECTED_AFTER: Duration = Duration::from_secs(5);
/// Disconnected for so long: failed.
const FAILED_AFTER: Duration = Duration::from_secs(15);
/// Checks that find no pair for so long have failed. Counted from the last description or candidate of the other end.
const CHECKS_FAIL_AFTER: Duration = Duration::from_secs(30);

/// What is known of the transport.
#[derive(Debug)]
pub(super) struct States {
    agent: IceConnectionState,
    /// Whether ICE has a remote description, and since when it has had nothing new to try.
    trying_since: Option<Instant>,
    heard_at: Option<Instant>,
    was_connected: bool,
    restarting: bool,
    dtls: Dtls,
    missing_since: Option<Instant>,
    failed: bool,
    closed: bool,
    told: (&'static str, &'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dtls {
    New,
    Connected,
    /// The other end took leave (RFC 5246 section 7.2.1).
    Left,
    Failed,
}

impl States {
    pub(super) fn new() -> Self {
        Self {
            agent: IceConnectionState::New,
            trying_since: None,
            heard_at: None,
            was_connected: false,
            restarting: false,
            dtls: Dtls::New,
            missing_since: None,
            failed: false,
            closed: false,
            told: ("new", "new"),
        }
    }

    /// There is something new to try: a remote description or a candidate.
    pub(super) fn trying(&mut self, now: Instant) {
        self.trying_since = Some(now);
    }

    /// New ICE credentials are in force.
    pub(super) fn restarting(&mut self, now: Instant) {
        self.restarting = true;
        self.failed = false;
        self.missing_since = None;
        self.trying(now);
    }

    pub(super) fn agent(&mut self, state: IceConnectionState) {
        self.agent = state;
        if state.is_connected() {
            self.was_connected = true;
            self.restarting = false;
        }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = Some(now);
    }

    pub(super) fn dtls_connected(&mut self) {
        self.dtls = Dtls::Connected;
    }

    pub(super) fn dtls_failed(&mut self) {
        self.dtls = Dtls::Failed;
    }

    /// The other end closed DTLS. str0m ends with it, ICE too.
    pub(super) fn left(&mut self) {
        self.dtls = Dtls::Left;
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn is_connected(&self) -> bool {
        self.told.1 == "connected"
    }

    /// What changed since it was last asked: the state of ICE, and that of the connection.
    pub(super) fn changes(&mut self, now: Instant) -> (Option<&'static str>, Option<&'static str>) {
        let ice = self.ice(now);
        let connection = self.connection(ice);
        let changed = ((ice != self.told.0).then_some(ice), (connection != self.told.1).then_some(connection));
        self.told = (ice, connection);
        changed
    }

    /// When [`Self::changes`] may say something new without anything happening.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.closed || self.failed {
            return None;
        }
        match (self.missing_since, self.agent) {
            (Some(since), _) => Some(since + FAILED_AFTER),
            (None, IceConnectionState::Connected | IceConnectionState::Completed) => {
                self.heard_at.map(|at| at + DISCONNECTED_AFTER)
            }
            _ => self.trying_since.map(|since| since + CHECKS_FAIL_AFTER),
        }
    }

    fn ice(&mut self, now: Instant) -> &'static str {
        if self.closed {
            return "closed";
        }
        let word = match self.agent {
            _ if self.dtls == Dtls::Left => "disconnected",
            IceConnectionState::New | IceConnectionState::Checking if self.trying_since.is_none() => "new",
            // str0m goes back to checking when it lost its pair and others are left.
            IceConnectionState::Checking if self.was_connected && !self.restarting => "disconnected",
            IceConnectionState::New | IceConnectionState::Checking => "checking",
            IceConnectionState::Disconnected => "disconnected",
            _ if self.heard_at.is_some_and(|at| now.saturating_duration_since(at) >= DISCONNECTED_AFTER) => {
                "disconnected"
            }
            IceConnectionState::Connected => "connected",
            IceConnectionState::Completed => "completed",
        };
        let overdue =
            |since: Option<Instant>, limit| since.is_some_and(|it| now.saturating_duration_since(it) >= limit);
        match word {
            "disconnected" => {
                self.missing_since.get_or_insert(now);
                self.failed |= overdue(self.missing_since, FAILED_AFTER);
            }
            "checking" => self.failed |= overdue(self.trying_since, CHECKS_FAIL_AFTER),
            _ => {
                self.missing_since = None;
                self.failed = false;
            }
        }
        if self.failed { "failed" } else { word }
    }

    fn connection(&self, ice: &str) -> &'static str {
        match ice {
            "closed" => "closed",
            _ if self.dtls == Dtls::Failed => "failed",
            "failed" => "failed",
            "disconnected" => "disconnected",
            "new" => "new",
            "connected" | "completed" if self.dtls == Dtls::Connected => "connected",
            _ => "connecting",
        }
    }
}
