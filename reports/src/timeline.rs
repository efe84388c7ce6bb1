//! A flow as a short time line: what a person needs to see where a call went wrong, of the hundreds of things that its
//! transcript keeps.
//!
//! What belongs together is one entry (all candidates of an act, the states of ICE one after another), what says little
//! is left out first, and what was awaited in vain stands last, whenever it was. No opinion: a method that was refused
//! is shown as such, and whether it should have been is the judgement's matter.

mod call;
mod entry;
mod gather;
mod peer;
mod words;

use fincert_schemas::Lang;
use fincert_schemas::run::Transcript;

use crate::page::{GLUE, Tone};
use crate::text::{clean, columns};
use crate::words::say;
use gather::Gathering;

/// How many entries a time line has at most.
const ENTRIES: usize = 16;
/// How many of them may stand at its end.
const ENDINGS: usize = 4;

/// Whose entry it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// The target did it, or was asked to.
    Target,
    /// fincert's peer did or saw it.
    Fincert,
    /// Both.
    Both,
    /// An act of the flow begins.
    Act,
    /// Nobody's.
    Nobody,
}

impl Who {
    /// The word.
    pub(crate) fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Target => say(lang, "目标", "target"),
            Self::Fincert => "fincert",
            Self::Both => say(lang, "双方", "both"),
            Self::Act => say(lang, "步骤", "act"),
            Self::Nobody => "",
        }
    }

    /// The widest word in columns.
    pub(crate) const WIDEST: usize = 7;
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The moment, in milliseconds since the scenario began; absent at the end of the line.
    pub(crate) at_ms: Option<u64>,
    /// Whose.
    pub(crate) who: Who,
    /// What; not cleaned.
    pub(crate) text: String,
    /// How it looks.
    pub(crate) tone: Tone,
}

impl Entry {
    /// The moment in words.
    pub(crate) fn moment(&self) -> String {
        match self.at_ms {
            Some(at) => format!("{at} ms"),
            None if self.who == Who::Nobody && self.tone == Tone::Quiet => String::new(),
            None => "────".to_owned(),
        }
    }
}

/// The time line of a transcript, if it is of a flow. The call of the step `focus` is kept in any case and stands out.
pub(crate) fn of(transcript: &Transcript, lang: Lang, focus: Option<u32>) -> Option<Vec<Entry>> {
    transcript.referee?;
    let (mut items, mut endings) = Gathering::of(transcript, focus).finish();
    items.sort_by_key(|item| item.at_us);
    let mut left_out = 0;
    if endings.len() > ENDINGS {
        // The first tells where it began to go wrong, the last ones where it stopped.
        left_out = endings.len() - ENDINGS;
        endings.drain(1..=left_out);
    }
    let room = ENTRIES - endings.len();
    if items.len() > room - usize::from(left_out > 0) {
        // One entry says how many are left out.
        let least_telling = items.len() - (room - 1);
        left_out += least_telling;
        for _ in 0..least_telling {
            // Of equals the earliest goes: it is the end that matters.
            let least = items.iter().map(|item| item.weight).min().unwrap_or_default();
            let index = items.iter().position(|item| item.weight == least).unwrap_or_default();
            items.remove(index);
        }
    }
    let mut entries: Vec<Entry> = items.iter().map(|item| item.entry(lang)).collect();
    if left_out > 0 {
        let text = match lang {
            Lang::Zh => format!("… 另有 {left_out} 项从略"),
            Lang::En => format!("… {left_out} more left out"),
        };
        entries.push(Entry { at_ms: None, who: Who::Nobody, text, tone: Tone::Quiet });
    }
    entries.extend(endings.iter().map(|ending| ending.entry(lang)));
    Some(entries)
}

/// A time line as plain lines.
pub(crate) fn plain(entries: &[Entry], lang: Lang) -> String {
    let widest = entries.iter().map(|entry| columns(&entry.moment())).max().unwrap_or(0);
    let mut text = String::new();
    for entry in entries {
        let (moment, who) = (entry.moment(), entry.who.word(lang));
        let line = format!(
            "{}{moment}  {who}{}  {}",
            " ".repeat(widest - columns(&moment)),
            " ".repeat(Who::WIDEST - columns(who)),
            clean(&entry.text).replace(GLUE, " ")
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
