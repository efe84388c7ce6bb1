//! The generators as strategies of proptest. What a strategy shrinks to is what its generator makes of smaller choices:
//! valid, or broken at the same rule.

use std::sync::Arc;

use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use super::choices::{Choices, Flavour};
use super::shrink::Shrinker;
use super::{Generator, Invalid, Rule};

/// Valid instances.
pub fn valid_strategy(generator: &Arc<Generator>) -> impl Strategy<Value = Value> + use<> {
    let generator = generator.clone();
    by_choices(move |choices| Some(generator.valid(choices)), Flavour::Plain)
}

/// Valid instances whose strings are of that flavour.
pub fn valid_strategy_of(generator: &Arc<Generator>, flavour: Flavour) -> impl Strategy<Value = Value> + use<> {
    let generator = generator.clone();
    by_choices(move |choices| Some(generator.valid(choices)), flavour)
}

/// Instances that break just the rule.
pub fn invalid_strategy(generator: &Arc<Generator>, rule: &Rule) -> impl Strategy<Value = Invalid> + use<> {
    let (generator, rule) = (generator.clone(), rule.clone());
    by_choices(move |choices| generator.invalid(&rule, choices), Flavour::Plain)
}

struct ByChoices<F> {
    make: Arc<F>,
    flavour: Flavour,
}

fn by_choices<T, F: Fn(&mut Choices) -> Option<T>>(make: F, flavour: Flavour) -> ByChoices<F> {
    ByChoices { make: Arc::new(make), flavour }
}

impl<F> std::fmt::Debug for ByChoices<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByChoices").field("flavour", &self.flavour).finish_non_exhaustive()
    }
}

impl<T: std::fmt::Debug + Clone, F: Fn(&mut Choices) -> Option<T>> Strategy for ByChoices<F> {
    type Tree = Tree<T, F>;
    type Value = T;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let seed = proptest::num::u64::ANY.new_tree(runner)?.current();
        let mut choices = Choices::from_seed(seed).with_flavour(self.flavour);
        let current = (self.make)(&mut choices).ok_or("no such instance is found")?;
        let shrinker = Shrinker::new(&choices);
        Ok(Tree { make: self.make.clone(), shrinker, best: current.clone(), current, pending: None })
    }
}

struct Tree<T, F> {
    make: Arc<F>,
    shrinker: Shrinker,
    best: T,
    current: T,
    /// What the candidate in hand really took.
    pending: Option<Vec<u64>>,
}

impl<T: Clone, F: Fn(&mut Choices) -> Option<T>> Tree<T, F> {
    fn next(&mut self) -> bool {
        while let Some(mut choices) = self.shrinker.next_candidate() {
            match (self.make)(&mut choices) {
                Some(value) => {
                    self.pending = Some(choices.taken().to_vec());
                    self.current = value;
                    return true;
                }
                None => self.shrinker.accept(false),
            }
        }
        self.current = self.best.clone();
        false
    }
}

impl<T: std::fmt::Debug + Clone, F: Fn(&mut Choices) -> Option<T>> ValueTree for Tree<T, F> {
    type Value = T;

    fn current(&self) -> T {
        self.current.clone()
    }

    /// The current value still fails.
    fn simplify(&mut self) -> bool {
        if let Some(taken) = self.pending.take() {
            self.shrinker.accept_taken(&taken);
        }
        self.best = self.current.clone();
        self.next()
    }

    /// The current value is one too far.
    fn complicate(&mut self) -> bool {
        if self.pending.take().is_some() {
            self.shrinker.accept(false);
        }
        self.next()
    }
}
