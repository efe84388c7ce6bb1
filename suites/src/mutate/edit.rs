//! What a mutant changes.

use fincert_schemas::run::{Captured, Ended, Event, Transcript, What};
use serde_json::Value;

/// One change of a raw transcript.
#[derive(Clone)]
pub(crate) enum Edit {
    /// Puts a value in a place of an event's value; a row that is not there is added.
    Set(usize, String, Value),
    /// Takes a row out of an event's value.
    Remove(usize, String),
    /// Gives a row another name.
    Rename(usize, String, String),
    /// Another event in the place of one.
    Replace(usize, What),
    /// One more event, before the one with this index.
    Insert(usize, What),
    /// One more event, after the scenario was closed.
    Stray(What),
    /// One event less.
    Delete(usize),
    /// An event stands where another one stood.
    Move(usize, usize),
    /// Nothing from here on.
    Cut(usize),
    /// It ended otherwise.
    End(Ended),
}

impl Edit {
    pub(crate) fn apply(&self, transcript: &mut Transcript) {
        let events = &mut transcript.events;
        match self {
            Self::Set(event, at, value) => {
                if let Some(captured) = events.get_mut(*event).and_then(|event| value_of(&mut event.what)) {
                    set(captured, at, value.clone());
                }
            }
            Self::Remove(event, at) => {
                if let Some((Value::Object(rows), name)) = parent(events, *event, at) {
                    rows.shift_remove(&name);
                }
            }
            Self::Rename(event, at, new) => {
                if let Some((Value::Object(rows), name)) = parent(events, *event, at) {
                    let old = std::mem::take(rows);
                    let renamed = |key: String| if key == name { new.clone() } else { key };
                    rows.extend(old.into_iter().map(|(key, value)| (renamed(key), value)));
                }
            }
            Self::Replace(event, what) => {
                if let Some(event) = events.get_mut(*event) {
                    event.what = what.clone();
                }
            }
            Self::Insert(before, what) => {
                let at_us = events.get(before.saturating_sub(1)).map_or(0, |event| event.at_us);
                let index = (*before).min(events.len());
                events.insert(index, Event { at_us, late: false, what: what.clone() });
            }
            Self::Stray(what) => {
                let at_us = events.last().map_or(0, |event| event.at_us) + 300_000;
                events.push(Event { at_us, late: true, what: what.clone() });
            }
            Self::Delete(event) => {
                events.remove(*event);
            }
            Self::Move(from, to) => {
                let event = events.remove(*from);
                events.insert((*to).min(events.len()), event);
            }
            Self::Cut(from) => events.truncate(*from),
            Self::End(ended) => transcript.ended = ended.clone(),
        }
    }
}

fn parent<'e>(events: &'e mut [Event], event: usize, at: &str) -> Option<(&'e mut Value, String)> {
    let captured = value_of(&mut events.get_mut(event)?.what)?;
    let (above, name) = at.rsplit_once('/')?;
    Some((captured.value.pointer_mut(above)?, name.replace("~1", "/").replace("~0", "~")))
}

fn set(captured: &mut Captured, at: &str, value: Value) {
    if let Some(place) = captured.value.pointer_mut(at) {
        *place = value;
    } else if let Some((above, name)) = at.rsplit_once('/')
        && let Some(Value::Object(rows)) = captured.value.pointer_mut(above)
    {
        rows.insert(name.replace("~1", "/").replace("~0", "~"), value);
    }
}

/// The value that a target gave in an event.
fn value_of(what: &mut What) -> Option<&mut Captured> {
    match what {
        What::Answer { value, .. } | What::Callback { value, .. } | What::Read { value, .. } => value.as_mut(),
        What::Emitted { value, .. } => Some(value),
        // What fincert sent: changed where a description of the target's went back to it.
        What::Call { request, .. } => Some(request),
        _ => None,
    }
}
