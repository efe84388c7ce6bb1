//! Defects: named, deliberate wrongnesses of the mock host, which prove that a check can fail.
//!
//! A defect is a function from plan to plan, pure and small: it breaks one sentence of the specification. Its
//! owners are the requirements that quote that sentence (or, where the specification is silent, the one that
//! states what a developer expects); they were named from the ledger and the rulings before anything was run,
//! and are never fitted to what a run shows. Its consequences are requirements that the same answer breaks as
//! well, read literally. Whatever else turns red under a defect is a mistake of a check.

mod bridge;
mod busi_cert;
mod callbacks;
mod edit;
mod face;
mod found;
mod fuzz;
mod id_card;
mod liveness;
mod ocr_fields;
mod ocr_shape;
mod open_app;
mod requests;
mod webrtc_calls;
mod webrtc_candidates;
mod webrtc_connection;
mod webrtc_devices;
mod webrtc_edit;
mod webrtc_events;
mod webrtc_hostile;
mod webrtc_media;
mod webrtc_methods;
mod webrtc_sdp;
mod webrtc_states;
mod witness;

pub use found::{FoundBy, Fuzzing, Smallest};

use std::sync::LazyLock;

use fincert_schemas::Bilingual;
use fincert_schemas::bridge::Integration;

use crate::decide::Call;
use crate::plan::Plan;
use crate::rtc::{Moment, Task};

/// A named, deliberate wrongness.
#[derive(Debug, Clone, Copy)]
pub struct Defect {
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// What is wrong, in Chinese.
    pub zh: &'static str,
    /// What is wrong, in English.
    pub en: &'static str,
    /// The requirements whose sentence it breaks: all of them must turn red (or warn).
    pub owners: &'static [&'static str],
    /// The requirements that the same answer breaks as well: they may turn red, no others may. Defects share lists of
    /// them, so an owner may stand here too; it is an owner all the same.
    pub consequences: &'static [&'static str],
    /// Whether it is an alias: a spelling that passes with a warning, though the owner is a MUST.
    pub alias: bool,
    /// The integration state that it needs; `None`: the two in which calls are answered.
    pub integration: Option<Integration>,
    /// The profile whose scenarios show it; `every` if any does.
    pub profile: &'static str,
    /// Whether it is an attack rather than a broken sentence: it has no owners, and what counts is that fincert holds.
    pub hostile: bool,
    /// What finds it.
    pub found_by: FoundBy,
    /// What fuzzing makes of it, if that finds it.
    pub fuzzing: Option<Fuzzing>,
    change: Change,
}

/// What a defect changes.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// What is done about a call of section 2, or of the bridge itself.
    Plan(fn(&Call, Plan) -> Plan),
    /// Of ft.webrtc what is done, and what is said of it.
    Rtc { does: fn(&Moment<'_>, Task) -> Task, says: fn(&Moment<'_>, Plan) -> Plan },
}

impl Defect {
    const fn new(
        profile: &'static str,
        name: &'static str,
        [zh, en]: [&'static str; 2],
        owners: &'static [&'static str],
        change: fn(&Call, Plan) -> Plan,
    ) -> Self {
        let (consequences, change) = (&[], Change::Plan(change));
        Self {
            name,
            zh,
            en,
            owners,
            consequences,
            alias: false,
            integration: None,
            profile,
            hostile: false,
            found_by: FoundBy::Scenarios,
            fuzzing: None,
            change,
        }
    }

    /// A defect of ft.webrtc in what is said: answers, events, properties.
    const fn says(
        name: &'static str,
        texts: [&'static str; 2],
        owners: &'static [&'static str],
        says: fn(&Moment<'_>, Plan) -> Plan,
    ) -> Self {
        Self {
            change: Change::Rtc { does: |_, task| task, says },
            ..Self::new("webrtc", name, texts, owners, unchanged)
        }
    }

    /// A defect of ft.webrtc in what is done.
    const fn does(
        name: &'static str,
        texts: [&'static str; 2],
        owners: &'static [&'static str],
        does: fn(&Moment<'_>, Task) -> Task,
    ) -> Self {
        Self {
            change: Change::Rtc { does, says: |_, plan| plan },
            ..Self::new("webrtc", name, texts, owners, unchanged)
        }
    }

    /// The same defect, and this is said as well.
    const fn and_says(mut self, says: fn(&Moment<'_>, Plan) -> Plan) -> Self {
        if let Change::Rtc { does, .. } = self.change {
            self.change = Change::Rtc { does, says };
        }
        self
    }

    const fn hostile(mut self) -> Self {
        self.hostile = true;
        self
    }

    /// Fuzzing alone finds it.
    const fn fuzz(mut self, fuzzing: Fuzzing) -> Self {
        self.found_by = FoundBy::Fuzz;
        self.fuzzing = Some(fuzzing);
        self
    }

    /// The scenarios find it, and fuzzing does.
    const fn also_found_by_fuzzing(mut self, fuzzing: Fuzzing) -> Self {
        self.found_by = FoundBy::Both;
        self.fuzzing = Some(fuzzing);
        self
    }

    const fn also(mut self, consequences: &'static [&'static str]) -> Self {
        self.consequences = consequences;
        self
    }

    const fn alias(mut self) -> Self {
        self.alias = true;
        self
    }

    const fn when(mut self, integration: Integration) -> Self {
        self.integration = Some(integration);
        self
    }

    /// What is wrong, in both languages.
    pub fn description(&self) -> Bilingual {
        Bilingual::new(self.zh, self.en)
    }

    /// Whether it shows in that state of clause 1.
    pub fn is_active_in(&self, integration: Integration) -> bool {
        self.integration.map_or(integration != Integration::Absent, |needed| needed == integration)
    }

    /// The state of clause 1 in which to run it: the one it needs, else `integrated`.
    pub fn state(&self) -> Integration {
        self.integration.unwrap_or(Integration::Integrated)
    }

    /// The plan, made slightly wrong.
    #[must_use]
    pub fn apply(&self, call: &Call, plan: Plan) -> Plan {
        match self.change {
            Change::Plan(change) if self.is_active_in(call.integration) => change(call, plan),
            _ => plan,
        }
    }

    /// What is done about a call of ft.webrtc, made slightly wrong.
    #[must_use]
    pub fn changes_task(&self, integration: Integration, moment: &Moment<'_>, task: Task) -> Task {
        match self.change {
            Change::Rtc { does, .. } if self.is_active_in(integration) => does(moment, task),
            _ => task,
        }
    }

    /// What is said of ft.webrtc, made slightly wrong.
    #[must_use]
    pub fn changes_plan(&self, integration: Integration, moment: &Moment<'_>, plan: Plan) -> Plan {
        match self.change {
            Change::Rtc { says, .. } if self.is_active_in(integration) => says(moment, plan),
            _ => plan,
        }
    }
}

const fn unchanged(_: &Call, plan: Plan) -> Plan {
    plan
}

/// There is no defect of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such defect: {name}; {}`fincert list defects` names them", match &near[..] { [] => String::new(), near => format!("near: {}; ", near.join(", ")) })]
pub struct UnknownDefect {
    /// The name that was given.
    pub name: String,
    /// Names that are spelled much like it.
    pub near: Vec<&'static str>,
}

/// All defects, in the order of the specification.
pub fn all() -> &'static [Defect] {
    static ALL: LazyLock<Vec<Defect>> = LazyLock::new(|| {
        let subjects = [
            callbacks::ALL,
            bridge::ALL,
            ocr_shape::ALL,
            id_card::ALL,
            ocr_fields::ALL,
            busi_cert::ALL,
            face::ALL,
            liveness::ALL,
            open_app::ALL,
            witness::ALL,
            requests::ALL,
            fuzz::ALL,
            webrtc_devices::ALL,
            webrtc_media::ALL,
            webrtc_connection::ALL,
            webrtc_states::ALL,
            webrtc_events::ALL,
            webrtc_methods::ALL,
            webrtc_candidates::ALL,
            webrtc_sdp::ALL,
            webrtc_calls::ALL,
            webrtc_hostile::ALL,
        ];
        subjects.concat()
    });
    &ALL
}

/// The defect of that name.
pub fn find(name: &str) -> Result<&'static Defect, UnknownDefect> {
    all()
        .iter()
        .find(|defect| defect.name == name)
        .ok_or_else(|| UnknownDefect { name: name.to_owned(), near: near(name) })
}

/// At most five names that hold the given one or are a few letters away.
fn near(name: &str) -> Vec<&'static str> {
    const LONGEST: usize = 64;
    let letters: Vec<char> = name.chars().take(LONGEST).collect();
    let mut close: Vec<(usize, &'static str)> = all()
        .iter()
        .map(|defect| {
            let away = if name.len() > 2 && defect.name.contains(name) { 1 } else { distance(&letters, defect.name) };
            (away, defect.name)
        })
        .filter(|(away, _)| *away <= 3.max(letters.len() / 3))
        .collect();
    close.sort_by_key(|(away, _)| *away);
    close.into_iter().take(5).map(|(_, name)| name).collect()
}

/// Levenshtein's distance.
fn distance(left: &[char], right: &str) -> usize {
    let mut row: Vec<usize> = (0..=left.len()).collect();
    for (line, letter) in right.chars().enumerate() {
        let mut corner = line;
        let mut before = line + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(left) {
            let here = (before + 1).min(*cell + 1).min(corner + usize::from(letter != *other));
            corner = *cell;
            *cell = here;
            before = here;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod webrtc_tests;
