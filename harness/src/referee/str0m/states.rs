//! The words of the W3C for what str0m says of ICE and DTLS, and for what it does not say.
//!
//! str0m knows no `failed` and no `closed`, and takes 15 s and more to miss the other end (a constant of its agent).
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

    /// Whether media goes out: from DTLS on until the end, also while ICE restarts (RFC 8445 section 9).
    pub(super) fn may_send(&self) -> bool {
        self.dtls == Dtls::Connected && !self.failed && !self.closed
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
            _ if self.was_connected && !self.restarting => self.heard_at.map(|at| at + DISCONNECTED_AFTER),
            _ => self.trying_since.map(|since| since + CHECKS_FAIL_AFTER),
        }
    }

    fn ice(&mut self, now: Instant) -> &'static str {
        if self.closed {
            return "closed";
        }
        let silent = self.heard_at.is_some_and(|at| now.saturating_duration_since(at) >= DISCONNECTED_AFTER);
        let word = match self.agent {
            _ if self.dtls == Dtls::Left => "disconnected",
            IceConnectionState::New | IceConnectionState::Checking if self.trying_since.is_none() => "new",
            IceConnectionState::New | IceConnectionState::Checking if !self.was_connected || self.restarting => {
                "checking"
            }
            IceConnectionState::Disconnected => "disconnected",
            _ if silent => "disconnected",
            // It never is completed for good, since str0m always expects more candidates. And it goes back to checking
            // when it looks for a better pair, but sends over the last one meanwhile.
            _ => "connected",
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
            "connected" if self.dtls == Dtls::Connected => "connected",
            _ => "connecting",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// Connected at its first second, last heard then.
    fn connected(start: Instant) -> States {
        let mut states = States::new();
        states.trying(start);
        states.agent(IceConnectionState::Checking);
        assert_eq!(states.changes(start), (Some("checking"), Some("connecting")));
        states.agent(IceConnectionState::Completed);
        states.heard(start);
        assert_eq!(states.changes(start), (Some("connected"), None));
        assert!(!states.may_send());
        states.dtls_connected();
        assert_eq!(states.changes(start), (None, Some("connected")));
        assert!(states.may_send());
        states
    }

    #[test]
    fn nothing_is_new_before_there_is_anything_to_check() {
        let start = Instant::now();
        let mut states = States::new();
        states.agent(IceConnectionState::Checking);
        assert_eq!(states.changes(start), (None, None));
        assert_eq!(states.deadline(), None);
    }

    #[test]
    fn silence_is_disconnected_then_failed_and_a_sound_mends_it() {
        let start = Instant::now();
        let mut states = connected(start);
        assert_eq!(states.deadline(), Some(start + DISCONNECTED_AFTER));
        let gone = start + DISCONNECTED_AFTER;
        assert_eq!(states.changes(gone - Duration::from_millis(1)), (None, None));
        assert_eq!(states.changes(gone), (Some("disconnected"), Some("disconnected")));
        states.heard(gone);
        assert_eq!(states.changes(gone), (Some("connected"), Some("connected")));
        let gone = gone + DISCONNECTED_AFTER;
        assert_eq!(states.changes(gone), (Some("disconnected"), Some("disconnected")));
        assert_eq!(states.deadline(), Some(gone + FAILED_AFTER));
        assert_eq!(states.changes(gone + FAILED_AFTER), (Some("failed"), Some("failed")));
        assert_eq!(states.deadline(), None);
        assert!(!states.may_send());
    }

    #[test]
    fn checks_without_end_fail() {
        let start = Instant::now();
        let mut states = States::new();
        states.trying(start);
        states.agent(IceConnectionState::Checking);
        states.changes(start);
        assert_eq!(states.changes(states.deadline().unwrap()), (Some("failed"), Some("failed")));
    }

    #[test]
    fn looking_for_a_better_pair_is_no_restart_and_a_restart_is() {
        let start = Instant::now();
        let mut states = connected(start);
        states.agent(IceConnectionState::Checking);
        assert_eq!(states.changes(start), (None, None));
        states.restarting(start);
        assert_eq!(states.changes(start), (Some("checking"), Some("connecting")));
        assert!(states.may_send(), "media goes on over the old pair");
        states.agent(IceConnectionState::Connected);
        assert_eq!(states.changes(start), (Some("connected"), Some("connected")));
    }

    #[test]
    fn leaving_failing_and_closing_have_their_words() {
        let start = Instant::now();
        let mut states = connected(start);
        states.left();
        assert_eq!(states.changes(start), (Some("disconnected"), Some("disconnected")));
        let mut states = connected(start);
        states.dtls_failed();
        assert_eq!(states.changes(start), (None, Some("failed")));
        states.close();
        assert_eq!(states.changes(start), (Some("closed"), Some("closed")));
        assert_eq!(states.deadline(), None);
    }
}
