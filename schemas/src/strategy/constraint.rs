//! What is asked of one value, all at once.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::number::{Numbers, equal};
use super::pattern::Pattern;
use super::source::Id;
use super::text::Texts;

/// A set of types. Integers and other numbers are told apart: `integer` is a part of `number`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(2);
    pub(super) const INTEGER: Self = Self(4);
    pub(super) const FRACTION: Self = Self(8);
    pub(super) const NUMBER: Self = Self(12);
    pub(super) const STRING: Self = Self(16);
    pub(super) const ARRAY: Self = Self(32);
    pub(super) const OBJECT: Self = Self(64);
    pub(super) const ALL: Self = Self(127);

    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => return None,
        })
    }

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if super::number::integer(number).is_some() => Self::INTEGER,
            Value::Number(_) => Self::FRACTION,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What a value shall do with a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Goal {
    /// Satisfy it.
    Holds(Id),
    /// Not satisfy it.
    Fails(Id),
    /// Break just the rule in hand, from this step of its path on.
    Breaks(Id, usize),
    /// Be what the pins say, from this node of theirs on.
    Pinned(usize),
    /// Satisfy one of two.
    Either(Id, Id),
}

/// A set of goals, sorted.
pub(super) type Goals = Vec<Goal>;

pub(super) fn join(goals: &mut Goals, others: &[Goal]) {
    for goal in others {
        if let Err(at) = goals.binary_search(goal) {
            goals.insert(at, *goal);
        }
    }
}

/// What is asked of a value, by type.
#[derive(Debug, Clone)]
pub(super) struct Constraint {
    pub(super) types: Types,
    /// The only values that will do.
    pub(super) allowed: Option<Vec<Value>>,
    pub(super) not: Vec<Value>,
    pub(super) numbers: Numbers,
    pub(super) texts: Texts,
    pub(super) arrays: Arrays,
    pub(super) objects: Objects,
}

impl Default for Constraint {
    fn default() -> Self {
        Self {
            types: Types::ALL,
            allowed: None,
            not: Vec::new(),
            numbers: Numbers::default(),
            texts: Texts::default(),
            arrays: Arrays::default(),
            objects: Objects::default(),
        }
    }
}

/// What is asked of an array.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrays {
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    pub(super) prefix: Vec<Goals>,
    pub(super) rest: Goals,
    pub(super) contains: Vec<Contains>,
    /// One element that breaks the rule in hand where the others satisfy a schema.
    pub(super) spoiled: Option<Spoiled>,
    pub(super) unique: bool,
    pub(super) repeated: bool,
}

/// So many elements shall reach the goals.
#[derive(Debug, Clone)]
pub(super) struct Contains {
    pub(super) goal: Goal,
    /// The goal's opposite.
    pub(super) opposite: Goal,
    pub(super) from: usize,
    pub(super) least: usize,
    pub(super) most: Option<usize>,
}

/// One element or member shall reach `goal`, and all others that the schema speaks of `sound`.
#[derive(Debug, Clone)]
pub(super) struct Spoiled {
    pub(super) goal: Goal,
    pub(super) sound: Goal,
    pub(super) from: usize,
}

/// Whether a member is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Optional,
    Required,
    Forbidden,
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) presence: Presence,
    pub(super) goals: Goals,
}

/// What is asked of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Objects {
    pub(super) members: IndexMap<String, Member>,
    pub(super) patterns: Vec<(Arc<Pattern>, Goals)>,
    pub(super) additional: Vec<Additional>,
    pub(super) names: Goals,
    pub(super) wanted: Vec<Wanted>,
    pub(super) least: usize,
    pub(super) most: Option<usize>,
    /// Two demands on one member exclude each other.
    pub(super) torn: bool,
}

/// Goals of all members but those with the names or patterns.
#[derive(Debug, Clone)]
pub(super) struct Additional {
    pub(super) names: Vec<String>,
    pub(super) patterns: Vec<Arc<Pattern>>,
    pub(super) goals: Goals,
}

impl Additional {
    pub(super) fn covers(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name) || self.patterns.iter().any(|pattern| pattern.matches(name))
    }
}

/// A member that must be there, whatever its name.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Its name matches this.
    pub(super) matching: Option<Arc<Pattern>>,
    /// Its name is none of these, and matches none of these.
    pub(super) names: Vec<String>,
    pub(super) patterns: Vec<Arc<Pattern>>,
    /// What is asked of its name and of its value.
    pub(super) name: Goals,
    pub(super) value: Goals,
    /// What is asked of all others of its kind instead.
    pub(super) instead_of: Option<Goal>,
}

impl Constraint {
    /// Nothing but the types.
    pub(super) fn types(types: Types) -> Self {
        Self { types, ..Self::default() }
    }

    /// One of the values.
    pub(super) fn values(values: Vec<Value>) -> Self {
        Self { allowed: Some(values), ..Self::default() }
    }

    /// Both at once; `None` where they exclude each other at first sight.
    pub(super) fn meet(&mut self, other: &Self) -> Option<()> {
        self.types = self.types.and(other.types);
        if self.types.is_none() {
            return None;
        }
        self.allowed = match (self.allowed.take(), &other.allowed) {
            (Some(mine), Some(theirs)) => {
                Some(mine.into_iter().filter(|value| theirs.iter().any(|other| equal(value, other))).collect())
            }
            (mine, theirs) => mine.or_else(|| theirs.clone()),
        };
        if self.allowed.as_ref().is_some_and(Vec::is_empty) {
            return None;
        }
        self.not.extend(other.not.iter().cloned());
        if self.types.meets(Types::NUMBER) {
            self.numbers.meet(&other.numbers)?;
        }
        if self.types.meets(Types::STRING) {
            self.texts.meet(&other.texts);
        }
        if self.types.meets(Types::ARRAY) {
            self.arrays.meet(&other.arrays);
        }
        if self.types.meets(Types::OBJECT) {
            self.objects.meet(&other.objects);
        }
        Some(())
    }
}

impl Arrays {
    fn meet(&mut self, other: &Self) {
        self.least = self.least.max(other.least);
        self.most = least_of(self.most, other.most);
        while self.prefix.len() < other.prefix.len() {
            self.prefix.push(self.rest.clone());
        }
        for (index, goals) in self.prefix.iter_mut().enumerate() {
            join(goals, other.prefix.get(index).unwrap_or(&other.rest));
        }
        join(&mut self.rest, &other.rest);
        self.contains.extend(other.contains.iter().cloned());
        self.spoiled = self.spoiled.take().or_else(|| other.spoiled.clone());
        self.unique |= other.unique;
        self.repeated |= other.repeated;
    }
}

impl Objects {
    fn meet(&mut self, other: &Self) {
        for (name, member) in &other.members {
            match self.members.get_mut(name) {
                Some(mine) => {
                    join(&mut mine.goals, &member.goals);
                    mine.presence = match (mine.presence, member.presence) {
                        (a, Presence::Optional) => a,
                        (Presence::Optional, b) => b,
                        (a, b) => {
                            self.torn |= a != b;
                            a
                        }
                    };
                }
                None => drop(self.members.insert(name.clone(), member.clone())),
            }
        }
        self.patterns.extend(other.patterns.iter().cloned());
        self.additional.extend(other.additional.iter().cloned());
        join(&mut self.names, &other.names);
        self.wanted.extend(other.wanted.iter().cloned());
        self.least = self.least.max(other.least);
        self.most = least_of(self.most, other.most);
        self.torn |= other.torn;
    }

    /// All that is asked of the member of that name.
    pub(super) fn goals_of(&self, name: &str) -> Goals {
        let mut goals = self.members.get(name).map(|member| member.goals.clone()).unwrap_or_default();
        for (_, more) in self.patterns.iter().filter(|(pattern, _)| pattern.matches(name)) {
            join(&mut goals, more);
        }
        for additional in self.additional.iter().filter(|additional| !additional.covers(name)) {
            join(&mut goals, &additional.goals);
        }
        goals
    }
}

fn least_of(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
