//! Strategies: JSON Schema to instances, valid ones and ones that break exactly one named rule.
//!
//! A [`Generator`] is compiled from a schema and makes instances from [`Choices`]: the same choices, the same instance,
//! on every machine. Smaller choices give a simpler instance, so that a [`Shrinker`] makes a case smaller without ever
//! leaving what is valid (or what breaks the rule), against a live target too. [`valid_strategy`] and
//! [`invalid_strategy`] are the same for proptest.
//!
//! How it works. A schema is read whole (`source`); a keyword that is not known is an error, never ignored. Compiling
//! (`graph`) turns a set of goals (satisfy this schema, fail at that one) into cases that each ask one thing
//! (`expand`, `constraint`): branches are multiplied out, cases that exclude themselves are dropped, and what is
//! asked of members and elements are goals again. A set of goals is one node, so that recursion ends. To break a rule is
//! a goal like the others: satisfy everything on the way to the keyword, and fail at just that one (`rule`). What is
//! left is construction (`make`, `text`, `number`, `pattern`, `format`); nothing is generated in the hope that
//! it might be valid.

mod choices;
mod coherent;
mod constraint;
mod diagnose;
pub mod dictionary;
mod error;
mod eval;
mod expand;
mod format;
mod generator;
mod graph;
mod make;
mod number;
mod pattern;
mod picture;
mod pins;
mod plan;
mod property;
mod rule;
mod shrink;
mod source;
mod text;

pub use choices::{Choices, Flavour};
pub use error::{Problem, Unsupported};
pub use generator::{Generator, Invalid};
pub use pins::Pins;
pub use property::{invalid_strategy, valid_strategy, valid_strategy_of};
pub use rule::Rule;
pub use shrink::Shrinker;
