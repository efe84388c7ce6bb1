//! The clock of all tracks: one thread, which lives while a track has somewhere to go. It waits for the next frame that
//! is due, of whichever track; so hundreds of tracks cost one timer.

use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::sync::lock;

/// Something that sends a frame now and then.
pub(crate) trait Player: Send + Sync {
    /// Sends what is due, and says when the next frame is; `None` when there will be none.
    fn play(&self, now: Instant) -> Option<Instant>;
}

#[derive(Default)]
struct Pump {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    players: Vec<Entry>,
    runs: bool,
}

struct Entry {
    player: Arc<dyn Player>,
    due: Instant,
    /// It began again while it was being played.
    again: bool,
}

static PUMP: LazyLock<Pump> = LazyLock::new(Pump::default);

/// Begins to play.
pub(crate) fn begin(player: Arc<dyn Player>) {
    let mut state = lock(&PUMP.state);
    let now = Instant::now();
    if let Some(entry) = state.players.iter_mut().find(|entry| Arc::ptr_eq(&entry.player, &player)) {
        entry.again = true;
        return;
    }
    state.players.push(Entry { player, due: now, again: false });
    if state.runs {
        PUMP.wake.notify_one();
        return;
    }
    state.runs = true;
    if let Err(error) = thread::Builder::new().name("fincert-media".to_owned()).spawn(run) {
        tracing::error!("no media are sent: the thread that paces them could not be started: {error}");
        state.runs = false;
        state.players.clear();
    }
}

/// Looks at all players soon: one of them has nothing more to do.
pub(crate) fn look() {
    let mut state = lock(&PUMP.state);
    let now = Instant::now();
    state.players.iter_mut().for_each(|entry| entry.due = entry.due.min(now));
    PUMP.wake.notify_one();
}

fn run() {
    loop {
        let now = Instant::now();
        let mut state = lock(&PUMP.state);
        let due = state.players.iter().filter(|entry| entry.due <= now);
        let due: Vec<_> = due.map(|entry| Arc::clone(&entry.player)).collect();
        drop(state);
        let next: Vec<_> = due.into_iter().map(|player| (player.play(now), player)).collect();
        state = lock(&PUMP.state);
        for (next, player) in next {
            let Some(at) = state.players.iter().position(|entry| Arc::ptr_eq(&entry.player, &player)) else { continue };
            let entry = &mut state.players[at];
            let again = std::mem::take(&mut entry.again);
            match next {
                Some(next) => entry.due = next,
                None if again => entry.due = now,
                None => drop(state.players.swap_remove(at)),
            }
        }
        let Some(next) = state.players.iter().map(|entry| entry.due).min() else {
            state.runs = false;
            return;
        };
        let wait = next.saturating_duration_since(Instant::now());
        if wait > Duration::ZERO {
            drop(PUMP.wake.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner));
        }
    }
}
