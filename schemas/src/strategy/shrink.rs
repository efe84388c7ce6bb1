//! Making a choice sequence smaller, step by step, while it still does what it did.
//!
//! The stepper asks nothing and runs nothing: it hands out a smaller sequence, and is told whether that one still shows
//! what is looked for. So a case can be shrunk against a live target, one call a step.

use std::collections::HashSet;

use super::choices::{Choices, Flavour};

/// More steps than this are never taken, whatever the caller's budget.
const MOST_STEPS: usize = 20_000;
/// Longer sequences are cut before single numbers are looked at.
const LONG: usize = 512;

/// Hands out ever smaller sequences.
#[derive(Debug, Clone)]
pub struct Shrinker {
    best: Vec<u64>,
    flavour: Flavour,
    tried: HashSet<Vec<u64>>,
    /// What is tried next, in order.
    pass: Pass,
    candidate: Option<Vec<u64>>,
    improved: bool,
    steps: usize,
}

/// What is tried on a sequence. Deleting comes before lowering: shortlex order, shorter before smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Keep only the beginning.
    Cut {
        keep: usize,
    },
    /// Delete so many numbers at a place.
    Delete {
        size: usize,
        at: usize,
    },
    /// Set so many numbers at a place to zero.
    Zero {
        size: usize,
        at: usize,
    },
    /// Lower the number at a place; a half, then a quarter, then less.
    Lower {
        at: usize,
        by: u64,
    },
    /// Lower the number at a place, and delete as many behind it: a length and its characters.
    LowerAndDelete {
        at: usize,
        by: u64,
    },
    Done,
}

impl Shrinker {
    /// Begins with the choices of a case that shows what is looked for.
    pub fn new(choices: &Choices) -> Self {
        let best = without_tail(choices.taken().to_vec());
        Self {
            tried: HashSet::from([best.clone()]),
            best,
            flavour: choices.flavour(),
            pass: Pass::Cut { keep: 0 },
            candidate: None,
            improved: false,
            steps: 0,
        }
    }

    /// The next smaller sequence to try; `None` when nothing is left. Say by [`accept`](Self::accept) what it showed.
    pub fn next_candidate(&mut self) -> Option<Choices> {
        if self.steps >= MOST_STEPS {
            return None;
        }
        loop {
            let candidate = self.step()?;
            if smaller(&candidate, &self.best) && self.tried.insert(candidate.clone()) {
                self.steps += 1;
                self.candidate = Some(candidate.clone());
                return Some(Choices::replay(candidate).with_flavour(self.flavour));
            }
        }
    }

    /// Whether the last candidate still shows what is looked for. If so it is the best from now on.
    pub fn accept(&mut self, shows: bool) {
        let Some(candidate) = self.candidate.take() else { return };
        if shows {
            self.take(candidate);
        } else {
            self.go_on();
        }
    }

    /// The last candidate still shows what is looked for, and these are the choices that were really taken: a replay may
    /// need fewer than it was given.
    pub fn accept_taken(&mut self, taken: &[u64]) {
        let Some(candidate) = self.candidate.take() else { return };
        let taken = without_tail(taken.to_vec());
        self.take(if smaller(&taken, &candidate) { taken } else { candidate });
    }

    /// The best so far.
    pub fn best(&self) -> Choices {
        Choices::replay(self.best.clone()).with_flavour(self.flavour)
    }

    /// How many candidates were handed out.
    pub fn steps(&self) -> usize {
        self.steps
    }

    fn take(&mut self, candidate: Vec<u64>) {
        let candidate = without_tail(candidate);
        self.tried.insert(candidate.clone());
        self.best = candidate;
        self.improved = true;
        match &mut self.pass {
            // The same place again: what stands there now is new.
            Pass::Cut { .. } => self.pass = Pass::Delete { size: 8, at: 0 },
            Pass::Delete { .. } | Pass::Zero { .. } => {}
            Pass::Lower { at, by } | Pass::LowerAndDelete { at, by } => {
                *by = self.best.get(*at).map_or(0, |v| v / 2).max(1).min(*by)
            }
            Pass::Done => {}
        }
    }

    /// The last candidate was one too far: on to the next.
    fn go_on(&mut self) {
        self.pass = match self.pass {
            Pass::Cut { keep } => {
                // 0, then halves, then all but one.
                let length = self.best.len();
                let next = if keep == 0 { length / 2 } else { keep + (length - keep).div_ceil(2) };
                if next >= length || next == keep { Pass::Delete { size: 8, at: 0 } } else { Pass::Cut { keep: next } }
            }
            Pass::Delete { size, at } => Pass::Delete { size, at: at + 1 },
            Pass::Zero { size, at } => Pass::Zero { size, at: at + 1 },
            Pass::Lower { at, by } if by > 1 => Pass::Lower { at, by: by / 2 },
            Pass::Lower { at, .. } => Pass::Lower { at: at + 1, by: u64::MAX },
            Pass::LowerAndDelete { at, by } if by > 1 => Pass::LowerAndDelete { at, by: by / 2 },
            Pass::LowerAndDelete { at, .. } => Pass::LowerAndDelete { at: at + 1, by: u64::MAX },
            Pass::Done => Pass::Done,
        };
    }

    /// The candidate of the pass in hand; passes that are through give way to the next.
    fn step(&mut self) -> Option<Vec<u64>> {
        let length = self.best.len();
        loop {
            match self.pass {
                Pass::Cut { keep } => {
                    if keep < length {
                        let candidate = self.best[..keep].to_vec();
                        self.pass_on_if_tried(&candidate);
                        return Some(candidate);
                    }
                    self.pass = Pass::Delete { size: 8, at: 0 };
                }
                Pass::Delete { size, at } => {
                    if at + size <= length {
                        let mut candidate = self.best.clone();
                        candidate.drain(at..at + size);
                        self.pass_on_if_tried(&candidate);
                        return Some(candidate);
                    }
                    self.pass =
                        if size > 1 { Pass::Delete { size: size / 2, at: 0 } } else { Pass::Zero { size: 4, at: 0 } };
                }
                Pass::Zero { size, at } => {
                    if at + size <= length && length <= LONG.max(size) * 8 {
                        let mut candidate = self.best.clone();
                        candidate[at..at + size].fill(0);
                        self.pass_on_if_tried(&candidate);
                        return Some(candidate);
                    }
                    self.pass = if size > 1 {
                        Pass::Zero { size: size / 2, at: 0 }
                    } else {
                        Pass::LowerAndDelete { at: 0, by: u64::MAX }
                    };
                }
                Pass::LowerAndDelete { at, by } => {
                    let Some(value) = self.best.get(at).copied() else {
                        self.pass = Pass::Lower { at: 0, by: u64::MAX };
                        continue;
                    };
                    let by = by.min(value).min((length - at - 1) as u64);
                    if by == 0 {
                        self.pass = Pass::LowerAndDelete { at: at + 1, by: u64::MAX };
                        continue;
                    }
                    self.pass = Pass::LowerAndDelete { at, by };
                    let mut candidate = self.best.clone();
                    candidate[at] -= by;
                    candidate.drain(at + 1..at + 1 + by as usize);
                    self.pass_on_if_tried(&candidate);
                    return Some(candidate);
                }
                Pass::Lower { at, by } => {
                    let Some(value) = self.best.get(at).copied() else {
                        // All passes are through; another round, as long as the last one got somewhere.
                        self.pass = if std::mem::take(&mut self.improved) {
                            Pass::Delete { size: 8, at: 0 }
                        } else {
                            Pass::Done
                        };
                        continue;
                    };
                    let by = by.min(value);
                    if by == 0 {
                        self.pass = Pass::Lower { at: at + 1, by: u64::MAX };
                        continue;
                    }
                    self.pass = Pass::Lower { at, by };
                    let mut candidate = self.best.clone();
                    candidate[at] -= by;
                    self.pass_on_if_tried(&candidate);
                    return Some(candidate);
                }
                Pass::Done => return None,
            }
        }
    }

    /// A candidate that will not be handed out moves the pass on, as if it had been refused.
    fn pass_on_if_tried(&mut self, candidate: &[u64]) {
        if !smaller(candidate, &self.best) || self.tried.contains(candidate) {
            self.go_on();
        }
    }
}

/// Shortlex order: shorter before longer, and of equal length the smaller number first.
fn smaller(a: &[u64], b: &[u64]) -> bool {
    (a.len(), a) < (b.len(), b)
}

/// Zeros at the end say what no number says.
fn without_tail(mut sequence: Vec<u64>) -> Vec<u64> {
    while sequence.last() == Some(&0) {
        sequence.pop();
    }
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Shrinks by a predicate on the sequence.
    fn shrink(start: Vec<u64>, shows: impl Fn(&[u64]) -> bool) -> Vec<u64> {
        let mut choices = Choices::replay(start.clone());
        for _ in &start {
            choices.below(u64::MAX);
        }
        let mut shrinker = Shrinker::new(&choices);
        while let Some(mut candidate) = shrinker.next_candidate() {
            let sequence: Vec<u64> = std::iter::repeat_with(|| candidate.below(u64::MAX)).take(start.len()).collect();
            shrinker.accept(shows(&without_tail(sequence)));
        }
        shrinker.best
    }

    #[test]
    fn it_finds_the_smallest_number() {
        assert_eq!(shrink(vec![5, 900, 17, 3], |sequence| sequence.iter().any(|n| *n >= 100)), [100]);
        assert_eq!(shrink(vec![1, 2, 3], |_| true), Vec::<u64>::new());
    }

    #[test]
    fn a_length_shrinks_with_its_characters() {
        // A text is its length and as many characters; a 7 behind it must stay.
        let read = |s: &[u64]| {
            let length = s.first().copied().unwrap_or(0).min(100) as usize;
            s.get(1 + length).copied() == Some(7)
        };
        assert_eq!(shrink(vec![5, 9, 9, 9, 9, 9, 7], read), [0, 7]);
    }

    proptest! {
        #[test]
        fn it_ends_and_never_grows(start in prop::collection::vec(0u64..1000, 0..30), limit in 0u64..3000) {
            let shows = |sequence: &[u64]| sequence.iter().sum::<u64>() >= limit;
            prop_assume!(shows(&start));
            let best = shrink(start.clone(), shows);
            prop_assert!(shows(&best));
            prop_assert!(!smaller(&start, &best));
        }
    }
}
