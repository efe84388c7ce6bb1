//! The choice sequence: all that a generated value depends on.
//!
//! A generator asks for numbers and builds a value from the answers. The numbers are drawn from a seeded generator and
//! written down, or read back from a sequence. A sequence is ordered so that smaller numbers, and fewer of them, mean
//! a simpler value; so a value is made smaller by making its sequence smaller and generating again, and whatever comes
//! out is again valid (the idea is Hypothesis's: MacIver and Donaldson, "Test-Case Reduction via Test-Case Generation",
//! ECOOP 2020).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// No sequence is longer; what asks for more reads zeros, which end every loop.
const MOST: usize = 65_536;

/// What strings are made of where the schema does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flavour {
    /// Texts of many scripts and lengths, extremes among them.
    #[default]
    Plain,
    /// Every other string is an entry of the [`dictionary`](super::dictionary), where its bounds admit one.
    Hostile,
}

/// A sequence of choices, drawn or replayed.
#[derive(Debug, Clone)]
pub struct Choices {
    source: Source,
    taken: Vec<u64>,
    flavour: Flavour,
}

#[derive(Debug, Clone)]
enum Source {
    Drawn(Box<ChaCha8Rng>),
    Replayed { sequence: Vec<u64>, next: usize },
}

impl Choices {
    /// Choices drawn from a seed: the same on every machine.
    pub fn from_seed(seed: u64) -> Self {
        Self::new(Source::Drawn(Box::new(ChaCha8Rng::seed_from_u64(seed))))
    }

    /// The choices of a sequence. A number that is too large for its place counts as the largest that fits; behind the
    /// end there are zeros.
    pub fn replay(sequence: Vec<u64>) -> Self {
        Self::new(Source::Replayed { sequence, next: 0 })
    }

    fn new(source: Source) -> Self {
        Self { source, taken: Vec::new(), flavour: Flavour::Plain }
    }

    /// The same choices with strings of that flavour. A sequence is replayed with the flavour it was drawn with.
    #[must_use]
    pub fn with_flavour(mut self, flavour: Flavour) -> Self {
        self.flavour = flavour;
        self
    }

    /// What strings are made of.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// The numbers that were asked for so far. Replayed with the same flavour, they give the same value.
    pub fn taken(&self) -> &[u64] {
        &self.taken
    }

    /// Forgets what was taken, and goes on drawing: the next value of the same seed.
    pub fn forget(&mut self) {
        self.taken.clear();
    }

    /// A number below `n`; 0, and nothing is taken, where there is no choice.
    pub fn below(&mut self, n: u64) -> u64 {
        if n <= 1 || self.taken.len() >= MOST {
            return 0;
        }
        let number = match &mut self.source {
            // The high half of a product is as even as 64 bits allow, and needs no division.
            Source::Drawn(rng) => ((u128::from(rng.next_u64()) * u128::from(n)) >> 64) as u64,
            Source::Replayed { sequence, next } => {
                let number = sequence.get(*next).copied().unwrap_or(0).min(n - 1);
                *next += 1;
                number
            }
        };
        self.taken.push(number);
        number
    }

    /// An index of something `n` long.
    pub fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    /// True once in `n`; the smaller choice is false.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) + 1 == n
    }

    /// A number of the range, both ends included; the smaller choice is the lower end.
    pub fn range(&mut self, low: usize, high: usize) -> usize {
        low + self.below((high.saturating_sub(low) as u64).saturating_add(1)) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_seed_gives_the_same_numbers_everywhere() {
        let mut choices = Choices::from_seed(7);
        let drawn: Vec<u64> = (0..4).map(|_| choices.below(1000)).collect();
        assert_eq!(drawn, [157, 167, 704, 726]);
    }

    proptest! {
        #[test]
        fn what_was_taken_replays(seed: u64, bounds in prop::collection::vec(0u64..2000, 0..50)) {
            let mut drawn = Choices::from_seed(seed);
            let first: Vec<u64> = bounds.iter().map(|n| drawn.below(*n)).collect();
            let mut again = Choices::replay(drawn.taken().to_vec());
            let second: Vec<u64> = bounds.iter().map(|n| again.below(*n)).collect();
            prop_assert!(first.iter().zip(&bounds).all(|(number, n)| number < n || *number == 0));
            prop_assert_eq!(first, second);
        }
    }
}
