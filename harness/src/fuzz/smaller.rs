//! Making a failing case smaller: candidates, from the boldest to the most careful.
//!
//! Each candidate changes one thing: a step or call is left out, a row is left out or gets its plain value, a text gets
//! shorter or plainer. What a request breaks stays what it was, so a valid request is shrunk to valid ones and an invalid
//! one to such as break the same rule. Values are made smaller and not the choices that made them: whoever reads the
//! smallest request sees what matters in it, and a scenario can hold it.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use fincert_suites::scenario::{CallStep, Concurrent, Step};
use serde_json::{Map, Value};

use super::rows::{Rows, is_file};

/// How many candidates one text gives in one pass.
const PER_TEXT: usize = 40;
/// Texts up to so many characters are made plain character by character.
const BY_CHARACTER: usize = 24;
/// What every other character becomes.
const PLAIN: char = 'a';

/// Candidates for one failing case.
#[derive(Debug)]
pub struct Smaller<'m> {
    rows: &'m Rows<'m>,
    plain: Vec<&'m Value>,
    best: Vec<Step>,
    tried: HashSet<u64>,
    waiting: VecDeque<Vec<Step>>,
    pass: usize,
    /// Whether anything was accepted since the first pass began.
    moved: bool,
}

/// The passes, boldest first.
#[derive(Debug, Clone, Copy)]
enum Pass {
    WithoutSteps,
    WithoutRows,
    Shorter,
    Plainer,
}

const PASSES: [Pass; 4] = [Pass::WithoutSteps, Pass::WithoutRows, Pass::Shorter, Pass::Plainer];

impl<'m> Smaller<'m> {
    /// Candidates for these steps.
    pub fn new(rows: &'m Rows<'m>, plain: Vec<&'m Value>, steps: Vec<Step>) -> Self {
        let tried = HashSet::from([hash(&steps)]);
        let mut all = Self { rows, plain, best: steps, tried, waiting: VecDeque::new(), pass: 0, moved: false };
        all.fill();
        all
    }

    /// The smallest steps so far.
    pub fn best(&self) -> &[Step] {
        &self.best
    }

    /// The next candidate, none of which comes twice; `None` where nothing smaller is left to try.
    pub fn candidate(&mut self) -> Option<Vec<Step>> {
        loop {
            while let Some(next) = self.waiting.pop_front() {
                if self.tried.insert(hash(&next)) {
                    return Some(next);
                }
            }
            self.pass += 1;
            if self.pass >= PASSES.len() {
                if !std::mem::take(&mut self.moved) {
                    return None;
                }
                self.pass = 0;
            }
            self.fill();
        }
    }

    /// The candidate still fails.
    pub fn accept(&mut self, candidate: Vec<Step>) {
        self.best = candidate;
        self.moved = true;
        self.fill();
    }

    fn fill(&mut self) {
        let all = match PASSES[self.pass.min(PASSES.len() - 1)] {
            Pass::WithoutSteps => self.without_steps(),
            Pass::WithoutRows => self.without_rows(),
            Pass::Shorter => self.changed(|with| self.within(with, &shorter)),
            Pass::Plainer => self.changed(|with| self.within(with, &plainer)),
        };
        self.waiting = all.into();
    }

    fn without_steps(&self) -> Vec<Vec<Step>> {
        let mut all = Vec::new();
        let steps = &self.best;
        // Halves first: a long history is mostly beside the point.
        let mut size = steps.len() / 2;
        while size > 1 {
            for from in (0..steps.len()).step_by(size) {
                let end = (from + size).min(steps.len());
                all.push([&steps[..from], &steps[end..]].concat());
            }
            size /= 2;
        }
        for place in 0..steps.len() {
            if steps.len() > 1 {
                let mut fewer = steps.clone();
                fewer.remove(place);
                all.push(fewer);
            }
            match &steps[place] {
                Step::Concurrent(group) => {
                    for left_out in (0..group.concurrent.len()).rev() {
                        let mut concurrent = group.concurrent.clone();
                        concurrent.remove(left_out);
                        let step = match concurrent.len() {
                            0 => continue,
                            1 => Step::Call(concurrent.swap_remove(0)),
                            _ => Step::Concurrent(Concurrent { concurrent }),
                        };
                        all.push(self.replaced(place, step));
                    }
                }
                Step::Call(call) if call.times > 1 => {
                    for times in [1, call.times / 2, call.times - 1] {
                        all.push(self.replaced(place, Step::Call(CallStep { times, ..call.clone() })));
                    }
                }
                _ => {}
            }
        }
        all.retain(|steps| steps.iter().any(|step| !matches!(step, Step::Reset(_))));
        all
    }

    fn replaced(&self, place: usize, step: Step) -> Vec<Step> {
        let mut steps = self.best.clone();
        steps[place] = step;
        steps
    }

    /// Candidates in which one call's request is another.
    fn changed(&self, change: impl Fn(&Value) -> Vec<Value>) -> Vec<Vec<Step>> {
        let mut all = Vec::new();
        for (place, step) in self.best.iter().enumerate() {
            let calls: &[CallStep] = match step {
                Step::Call(call) => std::slice::from_ref(call),
                Step::Concurrent(group) => &group.concurrent,
                _ => continue,
            };
            for (at, call) in calls.iter().enumerate() {
                let Some(with) = &call.with else { continue };
                let breaks = self.rows.breaks(with);
                for smaller in change(with).into_iter().filter(|w| w != with && self.rows.breaks(w) == breaks) {
                    let new = CallStep { with: Some(smaller), ..call.clone() };
                    all.push(match step {
                        Step::Concurrent(group) => {
                            let mut concurrent = group.concurrent.clone();
                            concurrent[at] = new;
                            self.replaced(place, Step::Concurrent(Concurrent { concurrent }))
                        }
                        _ => self.replaced(place, Step::Call(new)),
                    });
                }
            }
        }
        all
    }

    /// All calls, or one, with what is plain about them taken from the first plain request: it is the plainest.
    fn plainest(&self) -> Vec<Vec<Step>> {
        let one = |with: &Value| self.as_first(with).into_iter().collect::<Vec<_>>();
        let mut all = self.best.clone();
        for step in &mut all {
            let calls = match step {
                Step::Call(call) => std::slice::from_mut(call),
                Step::Concurrent(group) => &mut group.concurrent,
                _ => continue,
            };
            for call in calls {
                let changed = call.with.as_ref().and_then(|with| self.as_first(with));
                if let (Some(changed), Some(with)) = (changed, &call.with)
                    && self.rows.breaks(&changed) == self.rows.breaks(with)
                {
                    call.with = Some(changed);
                }
            }
        }
        let mut candidates = vec![all];
        candidates.extend(self.changed(one));
        candidates
    }

    fn as_first(&self, with: &Value) -> Option<Value> {
        let (first, nearest) = (self.plain.first()?.as_object()?, nearest(with, &self.plain)?);
        let mut rows = with.as_object()?.clone();
        for (row, value) in &mut rows {
            let (Some(mine), Some(plainest)) = (nearest.get(row), first.get(row)) else { continue };
            if value == mine {
                value.clone_from(plainest);
            } else if let (Some(climbing), Some(id)) =
                (value.pointer_mut("/$unreadable/climbing"), plainest.get("$file").cloned())
            {
                *climbing = id;
            }
        }
        Some(Value::Object(rows))
    }

    fn without_rows(&self) -> Vec<Vec<Step>> {
        let mut all = self.plainest();
        all.extend(self.fewer_rows());
        all
    }

    fn fewer_rows(&self) -> Vec<Vec<Step>> {
        self.changed(|with| {
            let Some(rows) = with.as_object() else { return Vec::new() };
            let mut all = Vec::new();
            if let Some(plain) = nearest(with, &self.plain) {
                all.push(plain.clone());
                for (row, value) in rows {
                    if let Some(plain) = plain.get(row).filter(|plain| *plain != value) {
                        all.push(put(rows, row, plain.clone()));
                    }
                }
            }
            for row in rows.keys() {
                let mut fewer = rows.clone();
                fewer.shift_remove(row);
                all.push(Value::Object(fewer));
            }
            all
        })
    }

    /// The request with one of its values made smaller.
    fn within(&self, with: &Value, texts: &dyn Fn(&str) -> Vec<String>) -> Vec<Value> {
        let Some(rows) = with.as_object() else { return Vec::new() };
        let plain = nearest(with, &self.plain);
        let mut all = Vec::new();
        for (row, value) in rows {
            // What is plain already says nothing.
            if is_file(value) || plain.and_then(|plain| plain.get(row)) == Some(value) {
                continue;
            }
            if let Some(path) = value.pointer("/$unreadable/path/path").and_then(Value::as_str) {
                for text in texts(path).into_iter().filter(|text| !text.is_empty()) {
                    let mut smaller = value.clone();
                    smaller["$unreadable"]["path"]["path"] = text.into();
                    all.push(put(rows, row, smaller));
                }
                continue;
            }
            all.extend(values(value, texts).into_iter().map(|smaller| put(rows, row, smaller)));
        }
        all
    }
}

fn put(rows: &Map<String, Value>, row: &str, value: Value) -> Value {
    let mut new = rows.clone();
    new.insert(row.to_owned(), value);
    Value::Object(new)
}

/// Smaller values of the same or a simpler kind.
fn values(value: &Value, texts: &dyn Fn(&str) -> Vec<String>) -> Vec<Value> {
    let simplest = [Value::Null, Value::Bool(false), 0.into(), Value::Array(Vec::new()), Value::Object(Map::new())];
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(number) if number.as_u64() == Some(0) => 3,
        Value::Number(_) => 4,
        Value::Array(items) => 5 + items.len().min(1),
        Value::Object(rows) => 7 + rows.len().min(1),
        Value::String(_) => 0,
    };
    let mut all: Vec<Value> = simplest.into_iter().filter(|simple| rank(simple) < rank(value)).collect();
    match value {
        Value::String(text) => all.extend(texts(text).into_iter().map(Value::from)),
        Value::Array(items) => all.extend((0..items.len().min(PER_TEXT)).map(|place| {
            let mut fewer = items.clone();
            fewer.remove(place);
            Value::Array(fewer)
        })),
        Value::Object(rows) => all.extend(rows.keys().take(PER_TEXT).map(|row| {
            let mut fewer = rows.clone();
            fewer.shift_remove(row);
            Value::Object(fewer)
        })),
        _ => {}
    }
    all
}

/// Shorter texts: nothing, then without ever smaller pieces.
fn shorter(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let uniform = letters.windows(2).all(|pair| pair[0] == pair[1]);
    let mut all = Vec::new();
    if !letters.is_empty() {
        all.push(String::new());
    }
    let mut size = letters.len() / 2;
    while size > 0 && all.len() < PER_TEXT {
        // Of a text that is the same throughout every piece is the same.
        let places = if uniform { 1 } else { letters.len().div_ceil(size).min(PER_TEXT) };
        for piece in 0..places {
            let from = letters.len().saturating_sub(size * (piece + 1));
            let end = letters.len() - size * piece;
            all.push(letters[..from].iter().chain(&letters[end..]).collect());
        }
        size /= 2;
    }
    all.truncate(PER_TEXT);
    all
}

/// Texts with fewer unusual characters.
fn plainer(text: &str) -> Vec<String> {
    let plain = |keep: &dyn Fn(usize, char) -> bool| -> String {
        text.chars().enumerate().map(|(place, letter)| if keep(place, letter) { letter } else { PLAIN }).collect()
    };
    let count = text.chars().count();
    let mut all = vec![plain(&|_, _| false), plain(&|_, letter| !letter.is_ascii_graphic())];
    if count <= BY_CHARACTER {
        all.extend((0..count).map(|spared| plain(&|place, _| place != spared)));
    }
    all
}

/// The plain request that differs in the fewest rows.
pub(super) fn nearest<'p>(with: &Value, plain: &[&'p Value]) -> Option<&'p Value> {
    plain.iter().copied().min_by_key(|plain| differing(with, plain).len())
}

/// The rows in which a request differs from a plain one.
pub(super) fn differing<'v>(with: &'v Value, plain: &'v Value) -> Vec<&'v str> {
    let (Some(rows), Some(plain)) = (with.as_object(), plain.as_object()) else { return vec![""] };
    let mut all: Vec<&str> =
        rows.iter().filter(|(row, value)| plain.get(*row) != Some(*value)).map(|(row, _)| row.as_str()).collect();
    all.extend(plain.keys().map(String::as_str).filter(|row| !rows.contains_key(*row)));
    all
}

fn hash(steps: &[Step]) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(steps).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use fincert_schemas::catalog::Catalog;
    use indexmap::IndexMap;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn call(with: Value) -> Step {
        let with = Some(with);
        let call = "ft.finCardOcr".to_owned();
        Step::Call(CallStep { call, with, example: None, times: 1, random: false, control: false })
    }

    fn with(step: &Step) -> &Value {
        match step {
            Step::Call(call) => call.with.as_ref().unwrap(),
            _ => panic!("no call"),
        }
    }

    /// Shrinks as long as the predicate holds; the smallest steps and how many candidates were tried.
    fn shrunk(steps: Vec<Step>, fails: impl Fn(&[Step]) -> bool) -> (Vec<Step>, usize) {
        let params = IndexMap::new();
        let rows = Rows::of(Catalog::embedded().unwrap(), "finCardOcr", &params);
        let plain = json!({"type": "BankCard", "imagePath": {"$file": "bank-card-debit"}});
        let mut smaller = Smaller::new(&rows, vec![&plain], steps);
        let mut count = 0;
        while let Some(candidate) = smaller.candidate() {
            count += 1;
            if fails(&candidate) {
                smaller.accept(candidate);
            }
        }
        (smaller.best().to_vec(), count)
    }

    fn path(step: &Step) -> &str {
        with(step).pointer("/imagePath/$unreadable/path/path").and_then(Value::as_str).unwrap_or_default()
    }

    fn unreadable(path: &str) -> Value {
        json!({"type": "IDCard", "imagePath": {"$unreadable": {"path": {"kind": "hostile", "path": path}}}, "more": 1})
    }

    #[test]
    fn a_long_text_is_cut_to_the_length_that_matters() {
        let fails = |steps: &[Step]| path(&steps[0]).chars().count() >= 256;
        for text in ["中".repeat(1366), "../".repeat(400), "a".repeat(256)] {
            let (best, count) = shrunk(vec![call(unreadable(&text))], fails);
            assert_eq!(path(&best[0]), "a".repeat(256));
            assert_eq!(with(&best[0]).as_object().unwrap().len(), 2);
            assert!(count < 200, "{count} candidates");
        }
    }

    #[test]
    fn a_text_keeps_the_characters_that_matter() {
        let fails = |steps: &[Step]| path(&steps[0]).contains("%n");
        assert_eq!(path(&shrunk(vec![call(unreadable(&"%s%n%x%d".repeat(3)))], fails).0[0]), "%n");
        let fails = |steps: &[Step]| path(&steps[0]).chars().any(|letter| letter > '\u{ffff}');
        assert_eq!(path(&shrunk(vec![call(unreadable("x😀𠮷yz"))], fails).0[0]).chars().count(), 1);
    }

    #[test]
    fn steps_that_do_not_matter_are_left_out() {
        let plain = json!({"type": "BankCard", "imagePath": {"$file": "bank-card-debit"}});
        let refused = json!({"type": "BankCard"});
        let steps: Vec<_> =
            [&plain, &refused, &plain, &refused, &refused, &plain].map(|with| call(with.clone())).into();
        let failed = |step: &Step| with(step).get("imagePath").is_none();
        let fails =
            |steps: &[Step]| steps.windows(3).any(|three| failed(&three[0]) && failed(&three[1]) && !failed(&three[2]));
        let (best, _) = shrunk(steps, fails);
        assert_eq!(best.iter().map(failed).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn a_broken_rule_stays_broken() {
        let wrong = json!({"type": "Pässport 护照", "imagePath": {"$file": "id-front-male"}, "x": {"y": [1, 2]}});
        let (best, _) =
            shrunk(vec![call(wrong)], |steps| with(&steps[0])["type"].as_str().is_some_and(|t| !t.is_empty()));
        assert_eq!(with(&best[0])["type"], "a");
        let wrong = json!({"type": {"a": 1}, "imagePath": {"$file": "id-front-male"}});
        let (best, _) = shrunk(vec![call(wrong)], |_| true);
        // No type at all would break another rule.
        assert_eq!(with(&best[0])["type"], json!(null));
    }

    proptest! {
        #[test]
        fn shrinking_ends_and_never_grows(text in ".{0,40}", wanted in prop::char::any()) {
            let long = format!("{text}{wanted}{text}");
            let (best, count) = shrunk(vec![call(unreadable(&long))], |steps| path(&steps[0]).contains(wanted));
            prop_assert_eq!(path(&best[0]), wanted.to_string());
            prop_assert!(count < 2_000);
        }
    }
}
