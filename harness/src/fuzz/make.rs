//! Making cases: a pure function of seed, API and index.

use fincert_schemas::bridge::Hello;
use fincert_schemas::catalog::api_of;
use fincert_schemas::run::fuzz::{Case, CaseKind};
use fincert_schemas::strategy::dictionary;
use fincert_suites::judge::{Law, declared};
use fincert_suites::scenario::{CallStep, Concurrent, Dropped, FuzzStep, Plain, ResetStep, Step};
use indexmap::IndexMap;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use super::rows::{Rows, is_file};
use super::values::{Broken, Values};

/// How often each kind comes in a round of cases. In which order, the seed says, and it is the same in every round; so
/// rules and hostile strings come in turn, and none is missed in a run that is long enough.
const WEIGHTS: [(CaseKind, u32); 7] = [
    (CaseKind::Invalid, 10),
    (CaseKind::Hostile, 8),
    (CaseKind::Valid, 6),
    (CaseKind::Overlap, 2),
    (CaseKind::AfterFailure, 2),
    (CaseKind::Control, 2),
    (CaseKind::Reset, 1),
];
/// Texts at the edges of what is valid, beside those that the strategies make.
const EDGES: [&str; 4] = ["", " ", "0", "𠮷"];
/// Lengths at the edges of buffers.
const LENGTHS: [usize; 4] = [255, 256, 512, 1024];
/// How many entries of the dictionary are tried before a row is left alone.
const TRIES: usize = 8;
/// Every so many hostile paths one climbs.
const CLIMBING: usize = 7;
/// The kind of a path that is an entry of the dictionary, in the transcript.
const HOSTILE_PATH: &str = "hostile";
/// The row that nobody names, for APIs whose table has none for texts.
const UNKNOWN_ROW: &str = "futureOption";

/// One generated case.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// What the transcript says of it.
    pub case: Case,
    /// What is done.
    pub steps: Vec<Step>,
}

/// Makes the cases of one API.
#[derive(Debug)]
pub struct Maker<'c> {
    method: String,
    plain: Vec<Plain>,
    values: Values,
    /// The request's table.
    pub rows: Rows<'c>,
    seed: u64,
    /// The kinds of one round of cases.
    round: Vec<CaseKind>,
    /// Whether calls may overlap: not where one person acts on each.
    overlaps: bool,
}

impl<'c> Maker<'c> {
    /// A maker for what the target declares; `None` where it declares nothing of the API.
    pub fn new(
        law: Law<'c>,
        params: &'c IndexMap<String, String>,
        step: &FuzzStep,
        hello: &Hello,
        seed: u64,
        overlaps: bool,
    ) -> Result<Option<Self>, String> {
        let Some(api) = api_of(&step.fuzz) else { return Err(format!("no such API: {}", step.fuzz)) };
        let can = |plain: &&Plain| plain.capability.as_ref().is_none_or(|capability| declared(hello, capability));
        let plain: Vec<_> = step.plain.iter().filter(can).cloned().collect();
        if plain.is_empty() {
            return Ok(None);
        }
        let values = Values::of(api)?;
        let rows = Rows::of(law.catalog, api, params);
        let seed = mixed(seed, api);
        let round = round(seed);
        Ok(Some(Self { method: step.fuzz.clone(), plain, values, rows, seed, round, overlaps }))
    }

    /// The case with this index. The first is the plainest valid call, the second the plainest that must be refused.
    pub fn case(&self, index: u32) -> Made {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed ^ u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let made = match index {
            0 => self.control(index, &self.plain[0]),
            1 => self.without_a_row(index),
            _ => match self.kind(index) {
                CaseKind::Control => self.control(index, self.pick(&mut random)),
                CaseKind::Valid => self.valid(index, &mut random),
                CaseKind::Hostile => self.hostile(index, &mut random),
                CaseKind::Invalid => self.invalid(index, &mut random),
                CaseKind::Overlap => self.overlap(index, &mut random),
                CaseKind::AfterFailure => self.after_failure(index, &mut random),
                CaseKind::Reset => self.reset(index, &mut random),
            },
        };
        // Where a kind has nothing to do at this API, a plain call is made.
        made.unwrap_or_else(|| {
            let steps = vec![self.call(&self.plain[0], true)];
            Made { case: self.named(index, CaseKind::Control), steps }
        })
    }

    /// A plain valid call as often as that.
    pub fn repeated(&self, times: u32) -> Vec<Step> {
        let mut step = self.plain_call(&self.plain[0], true);
        step.times = times;
        vec![Step::Call(step)]
    }

    /// The plain requests.
    pub fn plain(&self) -> impl Iterator<Item = &Value> {
        self.plain.iter().map(|plain| &plain.with)
    }

    fn kind(&self, index: u32) -> CaseKind {
        self.round[index as usize % self.round.len()]
    }

    /// How many cases of its kind come before a case, and from where on they are counted.
    fn ordinal(&self, index: u32) -> usize {
        let (rounds, place) = (index as usize / self.round.len(), index as usize % self.round.len());
        let kind = self.round[place];
        let of = |round: &[CaseKind]| round.iter().filter(|other| **other == kind).count();
        let offset = (self.seed % 1_000_003) as usize;
        offset + rounds * of(&self.round) + of(&self.round[..place])
    }

    fn named(&self, index: u32, kind: CaseKind) -> Case {
        Case { index, kind, rule: None, place: None, hostile: Vec::new(), smallest: false }
    }

    fn pick(&self, random: &mut ChaCha8Rng) -> &Plain {
        &self.plain[random.random_range(0..self.plain.len())]
    }

    fn plain_call(&self, plain: &Plain, control: bool) -> CallStep {
        let with = Some(plain.with.clone());
        CallStep { call: self.method.clone(), with, example: plain.example.clone(), times: 1, random: false, control }
    }

    fn call(&self, plain: &Plain, control: bool) -> Step {
        Step::Call(self.plain_call(plain, control))
    }

    fn with(&self, plain: &Plain, with: Value) -> Step {
        Step::Call(CallStep { with: Some(with), ..self.plain_call(plain, false) })
    }

    fn control(&self, index: u32, plain: &Plain) -> Option<Made> {
        Some(Made { case: self.named(index, CaseKind::Control), steps: vec![self.call(plain, true)] })
    }

    fn without_a_row(&self, index: u32) -> Option<Made> {
        let plain = &self.plain[0];
        let mut with = plain.with.as_object()?.clone();
        let row = self.rows.required().into_iter().rev().find(|row| with.contains_key(*row))?;
        with.shift_remove(row);
        let mut case = self.named(index, CaseKind::Invalid);
        case.rule = Some("required".to_owned());
        case.place = Some(format!("/{row}"));
        Some(Made { case, steps: vec![self.with(plain, Value::Object(with))] })
    }

    /// Whether the row is what the plain request is about: its picture, its type.
    fn is_fixed(&self, row: &str, plain: &Map<String, Value>) -> bool {
        plain.get(row).is_some_and(is_file) || self.rows.is_listed(row)
    }

    fn valid(&self, index: u32, random: &mut ChaCha8Rng) -> Option<Made> {
        let plain = self.pick(random);
        let base = plain.with.as_object()?;
        let required = self.rows.required();
        let mut rows = base.clone();
        rows.retain(|row, _| required.contains(&row.as_str()) || !random.random_ratio(1, 4));
        for (row, value) in self.values.valid(random.next_u64()) {
            if self.is_fixed(&row, base) || random.random_ratio(1, 3) {
                continue;
            }
            let value = if value.is_string() && random.random_ratio(1, 3) { edge(random) } else { value };
            rows.insert(row, value);
        }
        // Rows that may be left out, and are there with nothing in them.
        for row in self.rows.texts() {
            if !rows.contains_key(row) && random.random_ratio(1, 6) {
                rows.insert(row.to_owned(), edge(random));
            }
        }
        let with = Value::Object(rows);
        let with = if self.rows.breaks(&with).is_empty() { with } else { plain.with.clone() };
        Some(Made { case: self.named(index, CaseKind::Valid), steps: vec![self.with(plain, with)] })
    }

    fn hostile(&self, index: u32, random: &mut ChaCha8Rng) -> Option<Made> {
        let plain = self.pick(random);
        let base = plain.with.as_object()?;
        let mut case = self.named(index, CaseKind::Hostile);
        let mut rows = base.clone();
        let picture = base.iter().find(|(_, value)| is_file(value)).map(|(row, _)| row.clone());
        let texts: Vec<&str> = self.rows.texts().into_iter().filter(|row| !self.is_fixed(row, base)).collect();
        let ordinal = self.ordinal(index);
        match picture {
            Some(row) if texts.is_empty() || random.random_ratio(1, 3) => {
                let (name, path) = self.path(&base[&row], ordinal)?;
                case.hostile.push(name);
                rows.insert(row, path);
            }
            _ if texts.is_empty() => {
                let entry = entry(ordinal);
                case.hostile.push(entry.name.to_owned());
                rows.insert(UNKNOWN_ROW.to_owned(), entry.text.clone().into());
            }
            _ => {
                // One row, or all of them with the same string.
                let one = texts[random.random_range(0..texts.len())];
                let all = random.random_ratio(1, 2);
                for row in texts.iter().filter(|row| all || **row == one) {
                    self.put_entry(row, ordinal, &mut rows, &mut case);
                }
            }
        }
        Some(Made { case, steps: vec![self.with(plain, Value::Object(rows))] })
    }

    fn put_entry(&self, row: &str, ordinal: usize, rows: &mut Map<String, Value>, case: &mut Case) {
        for more in 0..TRIES {
            let entry = entry(ordinal + more);
            let before = rows.insert(row.to_owned(), entry.text.clone().into());
            if self.rows.breaks(&Value::Object(rows.clone())).is_empty() {
                if !case.hostile.iter().any(|name| name == entry.name) {
                    case.hostile.push(entry.name.to_owned());
                }
                return;
            }
            match before {
                Some(before) => rows.insert(row.to_owned(), before),
                None => rows.shift_remove(row),
            };
        }
    }

    /// A path that names no readable picture, whatever an honest target makes of it: an entry of the dictionary is no
    /// path of a file that was put, and what climbs out of the granted place does not lead back to one.
    fn path(&self, file: &Value, ordinal: usize) -> Option<(String, Value)> {
        if ordinal.is_multiple_of(CLIMBING) {
            let id = file.pointer("/$file/id").or_else(|| file.get("$file"))?;
            return Some(("climbing".to_owned(), json!({"$unreadable": {"climbing": id}})));
        }
        let entry = (ordinal..ordinal + TRIES).map(entry).find(|entry| !entry.text.is_empty())?;
        let path = json!({"$unreadable": {"path": {"kind": HOSTILE_PATH, "path": entry.text}}});
        Some((entry.name.to_owned(), path))
    }

    fn invalid(&self, index: u32, random: &mut ChaCha8Rng) -> Option<Made> {
        let plain = self.pick(random);
        let (with, broken) = self.broken(plain, self.ordinal(index), random)?;
        let mut case = self.named(index, CaseKind::Invalid);
        case.rule = Some(broken.rule);
        case.place = Some(broken.at);
        Some(Made { case, steps: vec![self.with(plain, with)] })
    }

    /// The plain request with one rule broken.
    fn broken(&self, plain: &Plain, number: usize, random: &mut ChaCha8Rng) -> Option<(Value, Broken)> {
        let base = plain.with.as_object()?;
        for more in 0..TRIES {
            let Some(broken) = self.values.invalid(number + more / 2, random.next_u64()) else { continue };
            let Some(row) = broken.at.split('/').nth(1).map(|row| row.replace("~1", "/").replace("~0", "~")) else {
                continue;
            };
            let mut rows = base.clone();
            match broken.value.get(&row) {
                Some(value) => rows.insert(row, value.clone()),
                None => rows.shift_remove(&row),
            };
            let with = Value::Object(rows);
            let breaks = self.rows.breaks(&with);
            if !breaks.is_empty() && breaks.iter().all(|(at, _)| *at == broken.at) {
                return Some((with, broken));
            }
        }
        None
    }

    fn overlap(&self, index: u32, random: &mut ChaCha8Rng) -> Option<Made> {
        if !self.overlaps {
            return None;
        }
        let first = random.random_range(0..self.plain.len());
        let other = (first + random.random_range(1..self.plain.len().max(2))) % self.plain.len();
        let both = [&self.plain[first], &self.plain[other]];
        let mut steps: Vec<Step> = both.iter().map(|plain| self.call(plain, true)).collect();
        let calls = random.random_range(2..=4usize);
        let concurrent = (0..calls).map(|place| self.plain_call(both[place % 2], true)).collect();
        steps.push(Step::Concurrent(Concurrent { concurrent }));
        Some(Made { case: self.named(index, CaseKind::Overlap), steps })
    }

    fn after_failure(&self, index: u32, random: &mut ChaCha8Rng) -> Option<Made> {
        let plain = self.pick(random);
        let mut case = self.named(index, CaseKind::AfterFailure);
        let mut steps = vec![self.call(plain, true)];
        for _ in 0..random.random_range(1..=3) {
            let (with, broken) = self.broken(plain, random.random_range(0..1_000), random)?;
            case.rule = Some(broken.rule);
            case.place = Some(broken.at);
            steps.push(self.with(plain, with));
        }
        steps.push(self.call(plain, true));
        Some(Made { case, steps })
    }

    fn reset(&self, index: u32, random: &mut ChaCha8Rng) -> Option<Made> {
        let plain = self.pick(random);
        let reset = Step::Reset(ResetStep { reset: Dropped::All });
        let steps = vec![self.call(plain, true), reset, self.call(plain, true)];
        Some(Made { case: self.named(index, CaseKind::Reset), steps })
    }
}

/// The entry of the dictionary with this number, counted round.
fn entry(number: usize) -> &'static dictionary::Entry {
    let all = dictionary::entries();
    &all[number % all.len()]
}

/// The kinds of one round, in the seed's order.
fn round(seed: u64) -> Vec<CaseKind> {
    let mut kinds: Vec<CaseKind> =
        WEIGHTS.iter().flat_map(|(kind, weight)| std::iter::repeat_n(*kind, *weight as usize)).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for place in (1..kinds.len()).rev() {
        kinds.swap(place, random.random_range(0..=place));
    }
    kinds
}

fn edge(random: &mut ChaCha8Rng) -> Value {
    if random.random_ratio(1, 4) {
        return "".into();
    }
    let place = random.random_range(0..EDGES.len() + LENGTHS.len());
    match EDGES.get(place) {
        Some(text) => (*text).into(),
        None => {
            let text = if random.random_ratio(1, 2) { "a" } else { "样" };
            text.repeat(LENGTHS[place - EDGES.len()]).into()
        }
    }
}

/// The seed of one API's cases.
fn mixed(seed: u64, api: &str) -> u64 {
    // FNV-1a, so that two APIs of one run do not walk in step.
    api.bytes()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
