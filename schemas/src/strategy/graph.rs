//! Compiling: goals become nodes, a set of goals one node, so that recursion ends.

mod contents;

use std::collections::HashMap;

use serde_json::Value;

use super::constraint::{Arrays, Constraint, Goal, Goals, Objects, Presence, Types};
use super::error::{Problem, Unsupported};
use super::expand::{Case, booleans};
use super::number::{NumberAlt, Numbers};
use super::pins::Pins;
use super::plan::{Alt, Make, NEVER, Node, NodeId, Plan};
use super::rule::RulePath;
use super::source::{Id, Source, What};
use super::text::{TextAlt, Texts};

/// Work that no schema of ours comes near, and that ends within a second.
const MOST_MEETINGS: u64 = 400_000;
const MOST_CASES: usize = 2048;
const MOST_NODES: usize = 20_000;
const DEEPEST: usize = 200;

/// What is left out where a rule cannot be broken alone: keywords of the same place that would fall with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Relax {
    Nothing,
    Values,
    Texts,
    Everything,
}

impl Relax {
    pub(super) fn takes(self, what: &What) -> bool {
        match what {
            What::Values(_) => self >= Self::Values,
            What::Format(_) | What::Pattern(_) => self >= Self::Texts,
            What::Types(_) | What::Numbers(_) | What::LeastLength(_) | What::MostLength(_) => self >= Self::Everything,
            _ => false,
        }
    }
}

/// What is being compiled.
pub(super) struct Graph<'a> {
    pub(super) source: &'a Source,
    pub(super) pins: &'a Pins,
    pub(super) rule: Option<&'a RulePath>,
    pub(super) relaxed: Relax,
    pub(super) unsure: bool,
    relax: Relax,
    plan: Plan,
    memo: HashMap<Goals, NodeId>,
    cases: HashMap<NodeId, Vec<Constraint>>,
    cache: HashMap<Goal, Vec<Case>>,
    entered: Vec<Id>,
    open: Vec<NodeId>,
    meetings: u64,
    depth: usize,
}

impl<'a> Graph<'a> {
    /// Compiles the goals; the plan's root has no alternatives where nothing satisfies them.
    pub(super) fn compile(
        source: &'a Source,
        pins: &'a Pins,
        rule: Option<&'a RulePath>,
        relax: Relax,
        mut goals: Goals,
    ) -> Result<Plan, Unsupported> {
        let mut graph = Self {
            source,
            pins,
            rule,
            relaxed: Relax::Nothing,
            unsure: relax != Relax::Nothing,
            relax,
            plan: Plan::default(),
            memo: HashMap::new(),
            cases: HashMap::new(),
            cache: HashMap::new(),
            entered: Vec::new(),
            open: Vec::new(),
            meetings: 0,
            depth: 0,
        };
        goals.sort_unstable();
        graph.plan.root = graph.node(&goals)?;
        while let Some(node) = graph.open.pop() {
            graph.finish(node)?;
        }
        graph.plan.unsure = graph.unsure;
        graph.plan.settle();
        Ok(graph.plan)
    }

    pub(super) fn expanded(&self, goal: Goal) -> Option<Vec<Case>> {
        if self.relaxed == Relax::Nothing { self.cache.get(&goal).cloned() } else { None }
    }

    pub(super) fn remember(&mut self, goal: Goal, cases: &[Case]) {
        if self.relaxed == Relax::Nothing {
            self.cache.insert(goal, cases.to_vec());
        }
    }

    /// Enters a schema in place; one that enters itself has no end.
    pub(super) fn entering<T>(
        &mut self,
        id: Id,
        f: impl FnOnce(&mut Self) -> Result<T, Unsupported>,
    ) -> Result<T, Unsupported> {
        if self.entered.contains(&id) {
            return Err(self.endless(id));
        }
        self.entered.push(id);
        let done = f(self);
        self.entered.pop();
        done
    }

    /// Every pair of cases that do not exclude each other.
    pub(super) fn cross(&mut self, id: Id, cases: Vec<Case>, parts: &[Case]) -> Result<Vec<Case>, Unsupported> {
        let mut out = Vec::new();
        for case in cases {
            for part in parts {
                self.meetings += 1;
                if self.meetings > MOST_MEETINGS || out.len() >= MOST_CASES {
                    let limit = if out.len() >= MOST_CASES { MOST_CASES as u64 } else { MOST_MEETINGS };
                    return Err(self.explosion(id, format!("{limit} cases")));
                }
                let mut next = case.clone();
                if next.constraint.meet(&part.constraint).is_some() && self.possible(&mut next.constraint)? {
                    next.seen.join(&part.seen);
                    out.push(next);
                }
            }
        }
        Ok(out)
    }

    fn explosion(&self, id: Id, limit: String) -> Unsupported {
        let schema = self.source.at(id);
        Unsupported {
            document: schema.document.clone(),
            pointer: schema.pointer.clone(),
            keyword: String::new(),
            problem: Problem::Explosion(limit),
        }
    }

    /// Takes out the types for which the constraint cannot be satisfied at first sight; false where none is left.
    fn possible(&mut self, constraint: &mut Constraint) -> Result<bool, Unsupported> {
        let texts = &constraint.texts;
        if texts.empty() {
            constraint.types = constraint.types.without(Types::STRING);
        }
        let arrays = &constraint.arrays;
        if arrays.most.is_some_and(|most| most < arrays.least) {
            constraint.types = constraint.types.without(Types::ARRAY);
        }
        if constraint.types.meets(Types::OBJECT) {
            let objects = &constraint.objects;
            let mut ok = !objects.torn && objects.most.is_none_or(|most| most >= objects.least);
            if ok {
                let required = objects.members.iter().filter(|(_, member)| member.presence == Presence::Required);
                let goals: Vec<Goals> = required.map(|(name, _)| objects.goals_of(name)).collect();
                for goals in goals {
                    let node = self.node(&goals)?;
                    if self.cases.get(&node).is_some_and(Vec::is_empty) {
                        ok = false;
                        break;
                    }
                }
            }
            if !ok {
                constraint.types = constraint.types.without(Types::OBJECT);
            }
        }
        // What speaks of other types is forgotten, so that like cases look alike.
        let types = constraint.types;
        if !types.meets(Types::OBJECT) {
            constraint.objects = Objects::default();
        }
        if !types.meets(Types::ARRAY) {
            constraint.arrays = Arrays::default();
        }
        if !types.meets(Types::STRING) {
            constraint.texts = Texts::default();
        }
        if !types.meets(Types::NUMBER) {
            constraint.numbers = Numbers::default();
        }
        if let Some(allowed) = constraint.allowed.take() {
            let kept: Vec<Value> = allowed.into_iter().filter(|value| self.admits(constraint, value)).collect();
            constraint.types = kept.iter().fold(Types::NONE, |types, value| types.or(Types::of(value)));
            constraint.allowed = Some(kept);
        }
        Ok(!constraint.types.is_none())
    }

    /// Whether the value satisfies the constraint, as far as can be seen.
    fn admits(&self, constraint: &Constraint, value: &Value) -> bool {
        if !constraint.types.meets(Types::of(value))
            || constraint.not.iter().any(|not| super::number::equal(not, value))
        {
            return false;
        }
        match value {
            Value::Number(number) => constraint.numbers.accept(number),
            Value::String(text) => constraint.texts.accept(text),
            Value::Array(items) => self.admits_array(&constraint.arrays, items),
            Value::Object(object) => {
                let objects = &constraint.objects;
                object.len() >= objects.least
                    && objects.most.is_none_or(|most| object.len() <= most)
                    && objects.members.iter().all(|(name, member)| match member.presence {
                        Presence::Required => object.contains_key(name),
                        Presence::Forbidden => !object.contains_key(name),
                        Presence::Optional => true,
                    })
                    && object.iter().all(|(name, inner)| {
                        self.reaches(&objects.goals_of(name), inner)
                            && self.reaches(&objects.names, &Value::from(name.as_str()))
                    })
                    && objects.wanted.iter().all(|wanted| {
                        object.iter().any(|(name, inner)| {
                            wanted.matching.as_ref().is_none_or(|pattern| pattern.matches(name))
                                && !wanted.names.contains(name)
                                && !wanted.patterns.iter().any(|pattern| pattern.matches(name))
                                && self.reaches(&wanted.value, inner)
                                && self.reaches(&wanted.name, &Value::from(name.as_str()))
                        })
                    })
            }
            Value::Null | Value::Bool(_) => true,
        }
    }

    fn admits_array(&self, arrays: &Arrays, items: &[Value]) -> bool {
        let distinct = || super::eval::distinct(items);
        items.len() >= arrays.least
            && arrays.most.is_none_or(|most| items.len() <= most)
            && items
                .iter()
                .enumerate()
                .all(|(index, item)| self.reaches(arrays.prefix.get(index).unwrap_or(&arrays.rest), item))
            && arrays.contains.iter().all(|contains| {
                let from = contains.from.min(items.len());
                let count = items[from..].iter().filter(|item| self.reaches(&[contains.goal], item)).count();
                count >= contains.least && contains.most.is_none_or(|most| count <= most)
            })
            && arrays.spoiled.is_none()
            && (!arrays.unique || distinct())
            && (!arrays.repeated || !distinct())
    }

    fn reaches(&self, goals: &[Goal], value: &Value) -> bool {
        goals.iter().all(|goal| match goal {
            Goal::Holds(id) => super::eval::holds(self.source, *id, value),
            Goal::Fails(id) => !super::eval::holds(self.source, *id, value),
            Goal::Either(a, b) => {
                super::eval::holds(self.source, *a, value) || super::eval::holds(self.source, *b, value)
            }
            // A rule is not broken by a value that is written down, and pins have no other values.
            Goal::Breaks(..) | Goal::Pinned(_) => false,
        })
    }

    /// The node of a set of goals.
    fn node(&mut self, goals: &[Goal]) -> Result<NodeId, Unsupported> {
        if let Some(node) = self.memo.get(goals) {
            return Ok(*node);
        }
        let first = goals.iter().find_map(|goal| match goal {
            Goal::Holds(id) | Goal::Fails(id) | Goal::Breaks(id, _) | Goal::Either(id, _) => Some(*id),
            Goal::Pinned(_) => None,
        });
        if self.plan.nodes.len() >= MOST_NODES || self.depth >= DEEPEST {
            return Err(self.explosion(first.unwrap_or(0), format!("{MOST_NODES} places or {DEEPEST} levels")));
        }
        let node = self.plan.nodes.len();
        let spoils = goals.iter().find_map(|goal| match goal {
            Goal::Breaks(_, step) => Some(*step),
            _ => None,
        });
        let breaks = spoils.is_some_and(|step| self.rule.is_some_and(|rule| rule.ends_in_place(step)));
        self.plan.nodes.push(Node { spoils: spoils.is_some(), breaks, height: NEVER, ..Node::default() });
        self.memo.insert(goals.to_vec(), node);
        let entered = std::mem::take(&mut self.entered);
        let relaxed = std::mem::replace(&mut self.relaxed, if breaks { self.relax } else { Relax::Nothing });
        self.depth += 1;
        let mut cases = vec![Case::default()];
        for goal in goals {
            let parts = self.expand(*goal)?;
            cases = self.cross(first.unwrap_or(0), cases, &parts)?;
        }
        self.depth -= 1;
        self.entered = entered;
        self.relaxed = relaxed;
        self.cases.insert(node, cases.into_iter().map(|case| case.constraint).collect());
        self.open.push(node);
        Ok(node)
    }

    /// Makes a node's alternatives from its cases.
    fn finish(&mut self, node: NodeId) -> Result<(), Unsupported> {
        for constraint in self.cases.get(&node).cloned().unwrap_or_default() {
            let makes = self.alternatives(&constraint)?;
            self.plan.nodes[node].alts.extend(makes.into_iter().map(|make| Alt { make, height: NEVER }));
        }
        Ok(())
    }

    fn alternatives(&mut self, constraint: &Constraint) -> Result<Vec<Make>, Unsupported> {
        if let Some(allowed) = &constraint.allowed {
            return Ok(vec![Make::Values(allowed.clone())]);
        }
        let (types, not) = (constraint.types, &constraint.not);
        let mut makes = Vec::new();
        if types.meets(Types::NULL) && !not.contains(&Value::Null) {
            makes.push(Make::Values(vec![Value::Null]));
        }
        if types.meets(Types::BOOLEAN) {
            let values = booleans(not);
            makes.extend((!values.is_empty()).then_some(Make::Values(values)));
        }
        if types.meets(Types::NUMBER) {
            let (integers, fractions) = (types.meets(Types::INTEGER), types.meets(Types::FRACTION));
            makes.extend(
                NumberAlt::new(&constraint.numbers, integers, fractions, not)
                    .map(|number| Make::Number(Box::new(number))),
            );
        }
        if types.meets(Types::STRING) {
            makes.extend(TextAlt::new(&constraint.texts, not).map(|text| Make::Text(Box::new(text))));
        }
        if types.meets(Types::ARRAY) {
            makes.extend(self.array(&constraint.arrays, not)?.map(|array| Make::Array(Box::new(array))));
        }
        if types.meets(Types::OBJECT) {
            makes.extend(self.object(&constraint.objects, not)?.map(|object| Make::Object(Box::new(object))));
        }
        Ok(makes)
    }
}
