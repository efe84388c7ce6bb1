//! Deadlines: multiples of what this target was measured to need, with a floor and a ceiling, so that a slow
//! phone is not accused and a silent desk target does not cost a minute a call.

use std::collections::HashMap;
use std::time::Duration;

use fincert_schemas::run::Pace;

/// What a person may take.
pub const PERSON: Duration = Duration::from_secs(120);
/// How many times the slowest answer seen a call may take.
const MULTIPLE: u32 = 10;
/// The least that a call may take.
const FLOOR: Duration = Duration::from_secs(5);
/// The most that a machine may take.
const CEILING: Duration = Duration::from_secs(60);
/// What a method may take that was never seen to answer.
const UNMEASURED: Duration = Duration::from_secs(20);
/// After so many silent calls of a method that never answered, the floor is enough.
const PATIENCE: u32 = 2;
/// The least that a call may take that is made only to see whether it fails again.
const SHORT: Duration = Duration::from_millis(500);
/// How many methods and types of document are measured.
const MOST_KINDS: usize = 1_000;
/// How long the silence of an absent SDK is listened to.
const ABSENT: Duration = Duration::from_secs(1);

/// The deadlines of one run.
#[derive(Debug, Clone, Default)]
pub struct Deadlines {
    slowest: HashMap<String, Duration>,
    silent: HashMap<String, u32>,
    /// `--max-wait`: no machine deadline is longer.
    max_wait: Option<Duration>,
    /// `--min-wait`: no machine deadline is shorter.
    min_wait: Option<Duration>,
}

impl Deadlines {
    /// Deadlines between `min_wait` and `max_wait`.
    pub fn new(min_wait: Option<Duration>, max_wait: Option<Duration>) -> Self {
        Self { min_wait, max_wait, ..Self::default() }
    }

    /// How long a call may take. `method` is a method, with the type of document where it has one: each type may load
    /// a model of its own.
    pub fn of(&self, method: &str, pace: Pace, absent: bool) -> Duration {
        if pace == Pace::Person {
            return PERSON;
        }
        let machine = if absent {
            ABSENT
        } else {
            match self.slowest.get(method) {
                Some(slowest) => (*slowest * MULTIPLE).clamp(FLOOR, CEILING),
                None if self.silent.get(method).copied().unwrap_or_default() >= PATIENCE => FLOOR,
                None => UNMEASURED,
            }
        };
        let network = if pace == Pace::Network { machine * 3 } else { machine };
        let raised = self.min_wait.filter(|_| !absent).map_or(network, |least| network.max(least));
        self.max_wait.map_or(raised, |most| raised.min(most))
    }

    /// Deadlines for calls that are made to see whether they fail again: what is late once is asked with patience in the
    /// end.
    pub fn shortened(&self) -> Self {
        let slowest = self.slowest.values().max().copied().unwrap_or_default();
        let short = (slowest * MULTIPLE).clamp(SHORT, FLOOR);
        Self { min_wait: None, max_wait: Some(self.max_wait.map_or(short, |most| most.min(short))), ..self.clone() }
    }

    /// A call was answered after `took`.
    pub fn answered(&mut self, method: &str, took: Duration) {
        self.silent.remove(method);
        // Generated requests have types of document that nobody counts.
        if self.slowest.len() >= MOST_KINDS && !self.slowest.contains_key(method) {
            return;
        }
        let slowest = self.slowest.entry(method.to_owned()).or_default();
        *slowest = took.max(*slowest);
    }

    /// A call was not answered.
    pub fn silent(&mut self, method: &str) {
        if self.silent.len() >= MOST_KINDS && !self.silent.contains_key(method) {
            return;
        }
        *self.silent.entry(method.to_owned()).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_follow_what_was_measured() {
        let mut deadlines = Deadlines::new(None, None);
        assert_eq!(deadlines.of("m", Pace::Machine, false), UNMEASURED);
        deadlines.silent("m");
        deadlines.silent("m");
        assert_eq!(deadlines.of("m", Pace::Machine, false), FLOOR);
        deadlines.answered("m", Duration::from_secs(1));
        assert_eq!(deadlines.of("m", Pace::Machine, false), Duration::from_secs(10));
        deadlines.answered("m", Duration::from_secs(30));
        assert_eq!(deadlines.of("m", Pace::Machine, false), CEILING);
        assert_eq!(deadlines.of("m", Pace::Person, false), PERSON);
        assert_eq!(Deadlines::new(None, Some(FLOOR)).of("m", Pace::Machine, false), FLOOR);
        assert_eq!(Deadlines::new(Some(PERSON), None).of("m", Pace::Machine, false), PERSON);
    }
}
