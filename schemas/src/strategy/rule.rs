//! The rules of a schema: every keyword at every place where an instance can break it.

use serde::Serialize;

use super::error::{Problem, Unsupported};
use super::source::{Id, Keyword, Schema, Source, What};
use crate::json::push_pointer;

/// No schema has more rules.
const MOST_RULES: usize = 20_000;

/// A rule that an instance can break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Stable and unique in its document: the way of evaluation from the root to the keyword, as a JSON pointer, and
    /// behind it what the keyword leaves open (the name of a required property, the rule of a format).
    pub id: String,
    /// The id of the document that holds the keyword.
    pub document: String,
    /// JSON pointer to the keyword within that document.
    pub schema: String,
    /// The keyword.
    pub keyword: String,
    /// What a [`Breach`](crate::catalog::Breach) of it calls it: the keyword, or the rule of a custom format.
    pub name: String,
    /// Where the instance breaks it: a JSON pointer with `*` for an index or a name that is not listed; for a missing
    /// property, of the property.
    pub at: String,
    /// The requirement that it belongs to, the nearest mark on the way.
    pub requirement: Option<String>,
    /// Breaking it is an alias, and a warning at most.
    pub alias: bool,
    /// The ids of rules that no instance can keep while it breaks this one: they are broken with it.
    pub with: Vec<String>,
}

/// The way to a rule, for the compiler.
#[derive(Debug, Clone)]
pub(super) struct RulePath {
    pub(super) path: Vec<Step>,
    pub(super) aliases: Vec<String>,
    /// What stands behind the place of the keyword in the pointer of a breach.
    pub(super) suffix: Option<String>,
    /// How a validator names the place of the keyword.
    pub(super) evaluation: String,
}

impl RulePath {
    /// Whether from that step on the instance's place stays the same.
    pub(super) fn ends_in_place(&self, step: usize) -> bool {
        self.path.get(step..).is_some_and(|rest| rest.iter().all(|step| step.child.in_place()))
    }
}

/// One step: a keyword of a schema, and where below it the way goes on.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) keyword: usize,
    pub(super) child: Child,
}

/// Where below a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child {
    /// Nowhere: this is it.
    Final(Detail),
    /// An entry that looks at a member or an element.
    Index(usize),
    /// An entry that looks at the same value.
    Branch(usize),
    /// The one schema there is, which looks at members or elements.
    Inner,
    /// The one schema there is, which looks at the same value.
    Same,
    Then,
    Else,
}

impl Child {
    fn in_place(self) -> bool {
        !matches!(self, Self::Index(_) | Self::Inner)
    }
}

/// What exactly of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    Whole,
    Name(usize),
    Dependent(usize, usize),
    FormatRule(&'static str),
    TooFew,
    TooMany,
}

/// All rules of a schema, in the order of evaluation.
pub(super) fn rules(source: &Source, root: Id) -> Result<Vec<(Rule, RulePath)>, Unsupported> {
    let mut walk = Walk { source, rules: Vec::new(), visiting: Vec::new() };
    walk.schema(root, &Way::default())?;
    Ok(walk.rules)
}

/// The way so far.
#[derive(Clone, Default)]
struct Way {
    path: Vec<Step>,
    evaluation: String,
    at: String,
    requirement: Option<String>,
    aliases: Vec<String>,
}

impl Way {
    fn pass(&mut self, schema: &Schema) {
        if schema.requirement.is_some() {
            self.requirement.clone_from(&schema.requirement);
        }
        if !schema.aliases.is_empty() {
            self.aliases.clone_from(&schema.aliases);
        }
    }

    fn into(&self, keyword: usize, child: Child, evaluation: String, at: String) -> Self {
        let mut way = self.clone();
        way.path.push(Step { keyword, child });
        way.evaluation = evaluation;
        way.at = at;
        way
    }
}

struct Walk<'a> {
    source: &'a Source,
    rules: Vec<(Rule, RulePath)>,
    visiting: Vec<Id>,
}

impl Walk<'_> {
    fn schema(&mut self, id: Id, way: &Way) -> Result<(), Unsupported> {
        // A recursive schema has endless ways; those that come back to where they were say nothing new.
        if self.visiting.contains(&id) {
            return Ok(());
        }
        let schema = self.source.at(id);
        if self.rules.len() > MOST_RULES {
            return Err(Unsupported {
                document: schema.document.clone(),
                pointer: schema.pointer.clone(),
                keyword: String::new(),
                problem: Problem::Explosion(format!("{MOST_RULES} rules")),
            });
        }
        self.visiting.push(id);
        let mut way = way.clone();
        way.pass(schema);
        if schema.never && !way.path.is_empty() {
            let evaluation = way.evaluation.clone();
            self.add(schema, "", "falseSchema", &way, None, evaluation, None);
        }
        let mut order: Vec<usize> = (0..schema.keywords.len()).collect();
        order.sort_by_key(|index| branches(&schema.keywords[*index].what));
        for index in order {
            self.keyword(schema, index, &schema.keywords[index], &way)?;
        }
        self.visiting.pop();
        Ok(())
    }

    fn keyword(&mut self, schema: &Schema, index: usize, keyword: &Keyword, way: &Way) -> Result<(), Unsupported> {
        let evaluation = push_pointer(&way.evaluation, keyword.name);
        let into = |child: Child, last: &str, at: String| {
            let evaluation = if last.is_empty() { evaluation.clone() } else { push_pointer(&evaluation, last) };
            way.into(index, child, evaluation, at)
        };
        let star = || format!("{}/*", way.at);
        match &keyword.what {
            What::Prefix(schemas) => {
                for (at, id) in schemas.iter().enumerate() {
                    self.schema(*id, &into(Child::Index(at), &at.to_string(), format!("{}/{at}", way.at)))?;
                }
            }
            What::Items { schema: id, .. } => self.inner(schema, index, keyword, *id, way, star())?,
            What::Properties(table) => {
                for (at, (name, id)) in table.iter().enumerate() {
                    self.schema(*id, &into(Child::Index(at), name, push_pointer(&way.at, name)))?;
                }
            }
            What::Patterns(table) => {
                for (at, (pattern, id)) in table.iter().enumerate() {
                    self.schema(*id, &into(Child::Index(at), &pattern.source, star()))?;
                }
            }
            What::Additional { schema: id, .. } | What::UnevaluatedProperties(id) | What::UnevaluatedItems(id) => {
                self.inner(schema, index, keyword, *id, way, star())?;
            }
            What::DependentSchemas(table) => {
                for (at, (name, id)) in table.iter().enumerate() {
                    self.schema(*id, &into(Child::Branch(at), name, way.at.clone()))?;
                }
            }
            What::All(schemas) => {
                for (at, id) in schemas.iter().enumerate() {
                    self.schema(*id, &into(Child::Branch(at), &at.to_string(), way.at.clone()))?;
                }
            }
            What::Ref(id) => self.schema(*id, &into(Child::Same, "", way.at.clone()))?,
            What::If { then, otherwise, .. } => {
                for (branch, child, name) in [(then, Child::Then, "then"), (otherwise, Child::Else, "else")] {
                    if let Some(id) = branch {
                        // The validator's path of evaluation does not go through `if`, and neither do ids.
                        let evaluation = push_pointer(&way.evaluation, name);
                        self.schema(*id, &way.into(index, child, evaluation, way.at.clone()))?;
                    }
                }
            }
            What::Required(names) => {
                for (at, name) in names.iter().enumerate() {
                    let mut there = way.into(index, Child::Final(Detail::Name(at)), evaluation.clone(), way.at.clone());
                    for row in rows(schema, name) {
                        there.pass(self.source.at(row));
                    }
                    there.at = push_pointer(&way.at, name);
                    self.add(schema, keyword.name, "required", &there, Some(name), evaluation.clone(), Some(name));
                }
            }
            What::DependentRequired(table) => {
                for (trigger_at, (trigger, names)) in table.iter().enumerate() {
                    for (at, name) in names.iter().enumerate().filter(|(_, name)| *name != trigger) {
                        let detail = Child::Final(Detail::Dependent(trigger_at, at));
                        let there = way.into(index, detail, evaluation.clone(), push_pointer(&way.at, name));
                        let tail = format!("{trigger}/{name}");
                        self.add(schema, keyword.name, "required", &there, Some(name), evaluation.clone(), Some(&tail));
                    }
                }
            }
            What::Format(format) if !format.rules.is_empty() => {
                for rule in format.rules {
                    let detail = Child::Final(Detail::FormatRule(rule));
                    let there = way.into(index, detail, evaluation.clone(), way.at.clone());
                    self.add(schema, keyword.name, rule, &there, None, evaluation.clone(), Some(rule));
                }
            }
            What::Contains { least, most, counted, .. } => {
                let few = (*least > 0).then_some((Detail::TooFew, "too-few", *counted));
                let many = most.map(|_| (Detail::TooMany, "too-many", "maxContains"));
                for (detail, tail, name) in few.into_iter().chain(many) {
                    let evaluation = push_pointer(&way.evaluation, name);
                    let there = way.into(index, Child::Final(detail), evaluation.clone(), way.at.clone());
                    self.add(schema, name, keyword.name, &there, None, evaluation, Some(tail));
                }
            }
            What::One(_) => {
                for (detail, tail) in [(Detail::TooFew, "none"), (Detail::TooMany, "several")] {
                    let there = way.into(index, Child::Final(detail), evaluation.clone(), way.at.clone());
                    self.add(schema, keyword.name, keyword.name, &there, None, evaluation.clone(), Some(tail));
                }
            }
            _ => {
                let there = way.into(index, Child::Final(Detail::Whole), evaluation.clone(), way.at.clone());
                self.add(schema, keyword.name, keyword.name, &there, None, evaluation, None);
            }
        }
        Ok(())
    }

    /// A keyword with one schema for members or elements; where that is `false`, the keyword itself is broken.
    fn inner(
        &mut self,
        schema: &Schema,
        index: usize,
        keyword: &Keyword,
        id: Id,
        way: &Way,
        at: String,
    ) -> Result<(), Unsupported> {
        let evaluation = push_pointer(&way.evaluation, keyword.name);
        let items = matches!(keyword.what, What::Items { .. });
        let closed = self.source.at(id).never && !items
            || matches!(keyword.what, What::UnevaluatedProperties(_) | What::UnevaluatedItems(_));
        if closed {
            let there = way.into(index, Child::Final(Detail::Whole), evaluation.clone(), way.at.clone());
            self.add(schema, keyword.name, keyword.name, &there, None, evaluation, None);
            return Ok(());
        }
        self.schema(id, &way.into(index, Child::Inner, evaluation, at))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one entry")]
    fn add(
        &mut self,
        schema: &Schema,
        keyword: &str,
        name: &str,
        way: &Way,
        suffix: Option<&str>,
        evaluation: String,
        tail: Option<&str>,
    ) {
        let id = match tail {
            Some(tail) => tail.split('/').fold(evaluation.clone(), |id, step| push_pointer(&id, step)),
            None => evaluation.clone(),
        };
        let rule = Rule {
            id,
            document: schema.document.clone(),
            schema: if keyword.is_empty() { schema.pointer.clone() } else { push_pointer(&schema.pointer, keyword) },
            keyword: if keyword.is_empty() { name.to_owned() } else { keyword.to_owned() },
            name: name.to_owned(),
            at: way.at.clone(),
            requirement: way.requirement.clone(),
            alias: way.aliases.iter().any(|alias| alias == name),
            with: Vec::new(),
        };
        let path = RulePath {
            path: way.path.clone(),
            aliases: way.aliases.clone(),
            suffix: suffix.map(str::to_owned),
            evaluation,
        };
        self.rules.push((rule, path));
    }
}

/// The order in which rules are listed: what stands at a place before what stands below it.
fn branches(what: &What) -> u8 {
    match what {
        What::Types(_) => 0,
        What::Required(_) => 2,
        What::Properties(_) | What::Patterns(_) | What::Additional { .. } => 3,
        What::All(_) | What::Ref(_) | What::If { .. } | What::DependentSchemas(_) => 4,
        _ => 1,
    }
}

/// The schema of the property of that name beside the keyword `required`.
fn rows<'a>(schema: &'a Schema, name: &'a str) -> impl Iterator<Item = Id> + 'a {
    let tables = schema.keywords.iter().filter_map(|keyword| match &keyword.what {
        What::Properties(table) => Some(table),
        _ => None,
    });
    tables.flatten().filter(move |(row, _)| row == name).map(|(_, id)| *id)
}
