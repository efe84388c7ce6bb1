//! The kill matrix.

use std::collections::BTreeMap;

use fincert_suites::judge::Law;
use fincert_suites::mutate::{Mutant, Operator};

/// How many mutants, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub mutants: u32,
    /// Those that an owner noticed.
    pub killed: u32,
    /// Those that no owner noticed.
    pub survived: u32,
}

impl Count {
    fn add(&mut self, killed: bool) {
        self.mutants += 1;
        self.killed += u32::from(killed);
        self.survived += u32::from(!killed);
    }

    fn join(&mut self, other: Self) {
        self.mutants += other.mutants;
        self.killed += other.killed;
        self.survived += other.survived;
    }
}

/// What became of the mutants of one owner.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owned {
    /// All of them, those that it shares with others too.
    pub mutants: u32,
    /// Those that it noticed itself.
    pub killed: u32,
    /// Those that no owner noticed.
    pub survived: u32,
}

/// What became of the mutants, by operator, by clause and by owner.
#[derive(Debug, Default)]
pub struct Matrix {
    /// By operator.
    pub operators: BTreeMap<Operator, Count>,
    /// By the clause of the first owner.
    pub clauses: BTreeMap<String, Count>,
    /// By owner; a mutant of several counts for each.
    pub requirements: BTreeMap<String, Owned>,
}

impl Matrix {
    /// Adds a mutant, with which of its owners are red.
    pub(super) fn add(&mut self, law: Law<'_>, mutant: &Mutant, red: &[bool]) {
        let killed = red.contains(&true);
        self.operators.entry(mutant.operator).or_default().add(killed);
        let clause = mutant.owners.first().and_then(|owner| law.ledger.get(owner)).map(|r| r.clause.clone());
        self.clauses.entry(clause.unwrap_or_default()).or_default().add(killed);
        for (owner, red) in mutant.owners.iter().zip(red) {
            let count = self.requirements.entry(owner.clone()).or_default();
            count.mutants += 1;
            count.killed += u32::from(*red);
            count.survived += u32::from(!killed);
        }
    }

    pub(super) fn total(&self) -> Count {
        let mut total = Count::default();
        self.operators.values().for_each(|count| total.join(*count));
        total
    }

    pub(super) fn join(&mut self, other: Self) {
        for (operator, count) in other.operators {
            self.operators.entry(operator).or_default().join(count);
        }
        for (clause, count) in other.clauses {
            self.clauses.entry(clause).or_default().join(count);
        }
        for (requirement, count) in other.requirements {
            let here = self.requirements.entry(requirement).or_default();
            here.mutants += count.mutants;
            here.killed += count.killed;
            here.survived += count.survived;
        }
    }
}
