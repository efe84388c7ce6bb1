//! From goals to cases: what a schema asks, fails at, or breaks, as alternatives that each ask one thing.

mod breaks;
mod fails;
mod pinned;
mod unevaluated;

use std::sync::Arc;

use serde_json::Value;

use super::constraint::{Additional, Constraint, Contains, Goal, Member, Presence, Spoiled, Types, Wanted};
use super::error::{Problem, Unsupported};
use super::graph::{Graph, Relax};
use super::number::Numbers;
use super::pattern::Pattern;
use super::rule::{Child, Detail};
use super::source::{Id, Keyword, What};
use super::text::Texts;
use unevaluated::Unevaluated;

/// One case, and what of the instance it has looked at (for `unevaluatedProperties` and `unevaluatedItems`).
#[derive(Debug, Clone, Default)]
pub(super) struct Case {
    pub(super) constraint: Constraint,
    pub(super) seen: Seen,
}

/// What a case has evaluated.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    names: Vec<String>,
    patterns: Vec<Arc<Pattern>>,
    all_properties: bool,
    items: usize,
    all_items: bool,
    /// Elements that satisfy one of these are evaluated too.
    contains: Vec<Id>,
}

impl Seen {
    pub(super) fn join(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.patterns.extend(other.patterns.iter().cloned());
        self.all_properties |= other.all_properties;
        self.items = self.items.max(other.items);
        self.all_items |= other.all_items;
        self.contains.extend(other.contains.iter().copied());
    }
}

type Cases = Vec<Case>;

fn one(constraint: Constraint) -> Cases {
    vec![Case { constraint, seen: Seen::default() }]
}

fn saw(constraint: Constraint, seen: Seen) -> Cases {
    vec![Case { constraint, seen }]
}

fn top() -> Cases {
    one(Constraint::default())
}

fn member(name: &str, presence: Presence, goals: &[Goal]) -> Constraint {
    let mut constraint = Constraint::default();
    constraint.objects.members.insert(name.to_owned(), Member { presence, goals: goals.to_vec() });
    constraint
}

fn an_object(mut constraint: Constraint) -> Constraint {
    constraint.types = Types::OBJECT;
    constraint
}

fn an_array(change: impl FnOnce(&mut Constraint)) -> Constraint {
    let mut constraint = Constraint::types(Types::ARRAY);
    change(&mut constraint);
    constraint
}

fn a_string(change: impl FnOnce(&mut Texts)) -> Constraint {
    let mut constraint = Constraint::types(Types::STRING);
    change(&mut constraint.texts);
    constraint
}

fn with_numbers(types: Types, numbers: Numbers) -> Constraint {
    Constraint { numbers, ..Constraint::types(types) }
}

impl Graph<'_> {
    /// The cases of a goal.
    pub(super) fn expand(&mut self, goal: Goal) -> Result<Cases, Unsupported> {
        if let Some(cases) = self.expanded(goal) {
            return Ok(cases);
        }
        let cases = match goal {
            Goal::Holds(id) => self.entering(id, |graph| graph.holds(id))?,
            Goal::Fails(id) => self.entering(id, |graph| graph.fails(id))?,
            Goal::Breaks(id, step) => self.entering(id, |graph| graph.breaks(id, step))?,
            Goal::Pinned(pin) => self.pinned(pin),
            Goal::Either(a, b) => {
                let mut cases = self.expand(Goal::Holds(a))?;
                cases.extend(self.expand(Goal::Holds(b))?);
                cases
            }
        };
        self.remember(goal, &cases);
        Ok(cases)
    }

    fn holds(&mut self, id: Id) -> Result<Cases, Unsupported> {
        let source = self.source;
        let schema = source.at(id);
        if schema.never {
            return Ok(Vec::new());
        }
        let mut start = Constraint::default();
        start.texts.examples = schema.examples.clone();
        let mut cases = one(start);
        for keyword in &schema.keywords {
            cases = if let What::UnevaluatedProperties(_) | What::UnevaluatedItems(_) = keyword.what {
                self.unevaluated(keyword, cases, &Unevaluated::Hold)?
            } else {
                let parts = self.keyword_holds(keyword)?;
                self.cross(id, cases, &parts)?
            };
            if cases.is_empty() {
                break;
            }
        }
        Ok(cases)
    }

    fn fails(&mut self, id: Id) -> Result<Cases, Unsupported> {
        let source = self.source;
        let schema = source.at(id);
        if schema.never {
            return Ok(top());
        }
        let mut cases = Vec::new();
        for (index, keyword) in schema.keywords.iter().enumerate() {
            if let What::UnevaluatedProperties(_) | What::UnevaluatedItems(_) = keyword.what {
                let mut others = top();
                for other in &schema.keywords[..index] {
                    let parts = self.keyword_holds(other)?;
                    others = self.cross(id, others, &parts)?;
                }
                cases.extend(self.unevaluated(keyword, others, &Unevaluated::Fail)?);
            } else {
                cases.extend(self.keyword_fails(keyword)?);
            }
        }
        // Nothing that failing looks at counts as evaluated.
        cases.iter_mut().for_each(|case| case.seen = Seen::default());
        Ok(cases)
    }

    fn breaks(&mut self, id: Id, step: usize) -> Result<Cases, Unsupported> {
        let source = self.source;
        let schema = source.at(id);
        if schema.never {
            return Ok(top());
        }
        let Some(at) = self.rule.and_then(|rule| rule.path.get(step)).cloned() else { return Ok(Vec::new()) };
        let mut cases = top();
        for (index, keyword) in schema.keywords.iter().enumerate() {
            let mine = index == at.keyword;
            cases = match (&keyword.what, mine) {
                (What::UnevaluatedProperties(_) | What::UnevaluatedItems(_), true) => {
                    let how = match at.child {
                        Child::Final(_) => Unevaluated::Fail,
                        _ => Unevaluated::Break(step + 1),
                    };
                    self.unevaluated(keyword, cases, &how)?
                }
                (What::UnevaluatedProperties(_) | What::UnevaluatedItems(_), false) => {
                    self.unevaluated(keyword, cases, &Unevaluated::Hold)?
                }
                (_, true) => {
                    let parts = match at.child {
                        Child::Final(detail) => self.keyword_broken(keyword, detail)?,
                        child => self.keyword_breaks_below(keyword, child, step + 1)?,
                    };
                    self.cross(id, cases, &parts)?
                }
                (_, false) => {
                    let parts = self.keyword_holds(keyword)?;
                    self.cross(id, cases, &parts)?
                }
            };
            if cases.is_empty() {
                break;
            }
        }
        Ok(cases)
    }

    /// The cases in which a keyword is satisfied.
    fn keyword_holds(&mut self, keyword: &Keyword) -> Result<Cases, Unsupported> {
        if self.relaxed.takes(&keyword.what) {
            return Ok(top());
        }
        let mut constraint = Constraint::default();
        let mut seen = Seen::default();
        match &keyword.what {
            What::Types(types) => constraint.types = *types,
            What::Values(values) => constraint.allowed = Some(values.clone()),
            What::Numbers(numbers) => constraint.numbers = numbers.clone(),
            What::LeastLength(least) => constraint.texts.least = *least,
            What::MostLength(most) => constraint.texts.most = Some(*most),
            What::Pattern(pattern) => constraint.texts.patterns.push(pattern.clone()),
            What::Format(format) => constraint.texts.formats.push(*format),
            What::Prefix(schemas) => {
                constraint.arrays.prefix = schemas.iter().map(|id| vec![Goal::Holds(*id)]).collect();
                seen.items = schemas.len();
            }
            What::Items { schema, from } => {
                constraint.arrays.prefix = vec![Vec::new(); *from];
                constraint.arrays.rest = vec![Goal::Holds(*schema)];
                seen.all_items = true;
            }
            What::Contains { schema, least, most, .. } => {
                constraint.arrays.contains.push(contains(*schema, *least, *most));
                seen.contains.push(*schema);
            }
            What::LeastItems(least) => constraint.arrays.least = *least,
            What::MostItems(most) => constraint.arrays.most = Some(*most),
            What::Unique => constraint.arrays.unique = true,
            What::Properties(table) => {
                for (name, id) in table {
                    let row = Member { presence: Presence::Optional, goals: vec![Goal::Holds(*id)] };
                    constraint.objects.members.insert(name.clone(), row);
                    seen.names.push(name.clone());
                }
            }
            What::Patterns(table) => {
                constraint.objects.patterns =
                    table.iter().map(|(pattern, id)| (pattern.clone(), vec![Goal::Holds(*id)])).collect();
                seen.patterns = table.iter().map(|(pattern, _)| pattern.clone()).collect();
            }
            What::Additional { schema, names, patterns } => {
                constraint.objects.additional.push(additional(names, patterns, vec![Goal::Holds(*schema)]));
                seen.all_properties = true;
            }
            What::Names(schema) => constraint.objects.names = vec![Goal::Holds(*schema)],
            What::Required(names) => {
                for name in names {
                    let row = Member { presence: Presence::Required, goals: Vec::new() };
                    constraint.objects.members.insert(name.clone(), row);
                }
            }
            What::LeastProperties(least) => constraint.objects.least = *least,
            What::MostProperties(most) => constraint.objects.most = Some(*most),
            What::DependentRequired(table) => return self.dependent_required(table, None),
            What::DependentSchemas(table) => return self.dependent_schemas(table, None),
            What::All(schemas) => {
                let goals: Vec<Goal> = schemas.iter().map(|id| Goal::Holds(*id)).collect();
                return self.all_of(&goals);
            }
            What::Any(schemas) => {
                let mut cases = Vec::new();
                for id in schemas {
                    cases.extend(self.expand(Goal::Holds(*id))?);
                }
                return Ok(cases);
            }
            What::One(schemas) => {
                let mut cases = Vec::new();
                for chosen in schemas {
                    let others = schemas.iter().filter(|id| *id != chosen).map(|id| Goal::Fails(*id));
                    let goals: Vec<Goal> = [Goal::Holds(*chosen)].into_iter().chain(others).collect();
                    cases.extend(self.all_of(&goals)?);
                }
                return Ok(cases);
            }
            What::Not(schema) => return self.condition(Goal::Fails(*schema)),
            What::If { condition, then, otherwise } => {
                let mut cases = self.condition(Goal::Holds(*condition))?;
                if let Some(then) = then {
                    let parts = self.expand(Goal::Holds(*then))?;
                    cases = self.cross(*then, cases, &parts)?;
                }
                let mut others = self.condition(Goal::Fails(*condition))?;
                if let Some(otherwise) = otherwise {
                    let parts = self.expand(Goal::Holds(*otherwise))?;
                    others = self.cross(*otherwise, others, &parts)?;
                }
                cases.extend(others);
                return Ok(cases);
            }
            What::Ref(schema) => return self.expand(Goal::Holds(*schema)),
            What::UnevaluatedProperties(_) | What::UnevaluatedItems(_) => {}
        }
        Ok(saw(constraint, seen))
    }

    fn dependent_required(
        &mut self,
        table: &[(String, Vec<String>)],
        broken: Option<(usize, usize)>,
    ) -> Result<Cases, Unsupported> {
        let mut cases = top();
        for (index, (trigger, names)) in table.iter().enumerate() {
            let mut present = member(trigger, Presence::Required, &[]);
            let mut breaks = false;
            for (at, name) in names.iter().enumerate() {
                let mine = broken == Some((index, at));
                breaks |= mine;
                present.meet(&member(name, if mine { Presence::Forbidden } else { Presence::Required }, &[]));
            }
            if breaks {
                present.types = Types::OBJECT;
            }
            let mut parts = one(present);
            if !breaks {
                parts.extend(one(an_object(member(trigger, Presence::Forbidden, &[]))));
            }
            cases = self.cross(0, cases, &parts)?;
        }
        Ok(cases)
    }

    fn dependent_schemas(
        &mut self,
        table: &[(String, Id)],
        broken: Option<(usize, usize)>,
    ) -> Result<Cases, Unsupported> {
        let mut cases = top();
        for (index, (trigger, id)) in table.iter().enumerate() {
            let breaks = broken.filter(|(mine, _)| *mine == index);
            let goal = breaks.map_or(Goal::Holds(*id), |(_, step)| Goal::Breaks(*id, step));
            let parts = self.expand(goal)?;
            let mut ways = self.cross(*id, one(an_object(member(trigger, Presence::Required, &[]))), &parts)?;
            if breaks.is_none() {
                ways.extend(one(an_object(member(trigger, Presence::Forbidden, &[]))));
                ways.extend(one(Constraint::types(Types::ALL.without(Types::OBJECT))));
            }
            cases = self.cross(*id, cases, &ways)?;
        }
        Ok(cases)
    }

    fn all_of(&mut self, goals: &[Goal]) -> Result<Cases, Unsupported> {
        let mut cases = top();
        for goal in goals {
            let parts = self.expand(*goal)?;
            let id = match goal {
                Goal::Holds(id) | Goal::Fails(id) | Goal::Breaks(id, _) | Goal::Either(id, _) => *id,
                Goal::Pinned(_) => 0,
            };
            cases = self.cross(id, cases, &parts)?;
            if cases.is_empty() {
                break;
            }
        }
        Ok(cases)
    }

    /// A condition is looked at as it is written, whatever is relaxed around it.
    fn condition(&mut self, goal: Goal) -> Result<Cases, Unsupported> {
        let relaxed = std::mem::replace(&mut self.relaxed, Relax::Nothing);
        let cases = self.expand(goal);
        self.relaxed = relaxed;
        cases
    }

    /// The error of a schema that refers to itself in place.
    pub(super) fn endless(&self, id: Id) -> Unsupported {
        let schema = self.source.at(id);
        Unsupported {
            document: schema.document.clone(),
            pointer: schema.pointer.clone(),
            keyword: "$ref".to_owned(),
            problem: Problem::Endless,
        }
    }
}

fn contains(schema: Id, least: usize, most: Option<usize>) -> Contains {
    Contains { goal: Goal::Holds(schema), opposite: Goal::Fails(schema), from: 0, least, most }
}

fn additional(names: &[String], patterns: &[Arc<Pattern>], goals: Vec<Goal>) -> Additional {
    Additional { names: names.to_vec(), patterns: patterns.to_vec(), goals }
}

fn wanted(
    matching: Option<&Arc<Pattern>>,
    names: &[String],
    patterns: &[Arc<Pattern>],
    value: Goal,
    instead_of: Option<Goal>,
) -> Constraint {
    let mut constraint = Constraint::types(Types::OBJECT);
    constraint.objects.wanted.push(Wanted {
        matching: matching.cloned(),
        names: names.to_vec(),
        patterns: patterns.to_vec(),
        name: Vec::new(),
        value: vec![value],
        instead_of,
    });
    constraint
}

/// Whether the values are all there is of their types.
pub(super) fn booleans(not: &[Value]) -> Vec<Value> {
    [Value::Bool(false), Value::Bool(true)].into_iter().filter(|value| !not.contains(value)).collect()
}
