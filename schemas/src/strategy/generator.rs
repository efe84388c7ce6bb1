//! The generator: a schema compiled, and instances made of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Registry, Validator};
use serde_json::Value;

use super::choices::Choices;
use super::coherent;
use super::constraint::Goal;
use super::error::{Problem, Unsupported};
use super::graph::{Graph, Relax};
use super::make::Maker;
use super::pins::Pins;
use super::plan::Plan;
use super::rule::{Rule, RulePath, rules};
use super::source::{Id, Source};
use crate::catalog::{BASE, Catalog};
use crate::json::push_pointer;

/// How often an instance is drawn before the one that is known to be good is taken.
const TRIES: usize = 16;
/// How many instances are drawn to find one that is good.
const PROBES: u64 = 64;
/// How many broken instances are looked at to know what a rule takes with it.
const SAMPLES: u64 = 6;
/// How many sets of pins are kept compiled.
const MOST_PINNED: usize = 64;

/// An instance that breaks a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid {
    /// The instance.
    pub value: Value,
    /// The rule's id.
    pub rule: String,
    /// Where it is broken: a JSON pointer; for a missing property, of the property. What a breach says.
    pub at: String,
}

/// A schema, compiled.
pub struct Generator {
    source: Arc<Source>,
    root: Id,
    document: String,
    pins: Pins,
    plan: Plan,
    validator: Arc<Validator>,
    /// A valid instance, for when drawing leads nowhere.
    known: Value,
    /// Names that mean something to somebody.
    meant: Arc<Vec<String>>,
    paths: Arc<Paths>,
    /// The rules that can be broken.
    rules: OnceLock<Vec<Rule>>,
    /// How each of the paths is broken, compiled when it is first asked for.
    broken: Vec<OnceLock<Option<Broken>>>,
    pinned: Mutex<HashMap<String, Result<Arc<Generator>, Unsupported>>>,
}

/// Every rule of the schema, and the way to it.
#[derive(Debug)]
struct Paths {
    all: Vec<(Rule, RulePath)>,
    by_id: HashMap<String, usize>,
}

/// How a rule is broken, and what falls with it.
#[derive(Debug)]
struct Broken {
    plan: Plan,
    with: Vec<String>,
}

impl std::fmt::Debug for Generator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generator").field("document", &self.document).finish_non_exhaustive()
    }
}

impl Generator {
    /// Compiles the document of that id; `documents` are those that it may refer to, itself among them.
    pub fn compile<'a>(
        documents: impl IntoIterator<Item = (&'a str, &'a Value)>,
        id: &str,
    ) -> Result<Self, Unsupported> {
        let (source, root) = Source::read(documents, id)?;
        let validator = validator(source.documents(), id)?;
        let mut meant: Vec<String> = source.schemas.iter().filter_map(|schema| schema.alias_name.clone()).collect();
        meant.extend(source.names());
        meant.push("errMsg".to_owned());
        meant.sort_unstable();
        meant.dedup();
        let all = rules(&source, root)?;
        let by_id = all.iter().enumerate().map(|(index, (rule, _))| (rule.id.clone(), index)).collect();
        let paths = Paths { all, by_id };
        Self::with_pins(Arc::new(source), root, id, Pins::new(), Arc::new(validator), Arc::new(meant), Arc::new(paths))
    }

    /// The table of the catalog below `schemas/` at this path, `api/finCardOcr.result.json`.
    pub fn of(catalog: &Catalog, path: &str) -> Result<Self, Unsupported> {
        Self::compile(catalog.documents(), &format!("{BASE}{path}"))
    }

    /// The same of the catalog that is compiled in, kept for the next who asks.
    pub fn embedded(path: &str) -> Result<Arc<Self>, Unsupported> {
        static KEPT: LazyLock<Mutex<HashMap<String, Arc<Generator>>>> = LazyLock::new(Mutex::default);
        let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(generator) = kept().get(path) {
            return Ok(generator.clone());
        }
        let id = format!("{BASE}{path}");
        let catalog = Catalog::embedded().map_err(|error| Unsupported {
            document: id.clone(),
            pointer: String::new(),
            keyword: String::new(),
            problem: Problem::Reference(error.to_string()),
        })?;
        let generator = Arc::new(Self::of(catalog, path)?);
        // Only the catalog's own documents come this far, so that there are no more of them than it has.
        kept().insert(path.to_owned(), generator.clone());
        Ok(generator)
    }

    fn with_pins(
        source: Arc<Source>,
        root: Id,
        document: &str,
        pins: Pins,
        validator: Arc<Validator>,
        meant: Arc<Vec<String>>,
        paths: Arc<Paths>,
    ) -> Result<Self, Unsupported> {
        let mut goals = vec![Goal::Holds(root)];
        goals.extend((!pins.is_empty()).then_some(Goal::Pinned(0)));
        let plan = Graph::compile(&source, &pins, None, Relax::Nothing, goals)?;
        let contradiction = |why: &str| Unsupported {
            document: document.to_owned(),
            pointer: String::new(),
            keyword: String::new(),
            problem: Problem::Contradiction(why.to_owned()),
        };
        if !plan.can(plan.root) {
            return Err(super::diagnose::why(&source, &pins, document, &plan));
        }
        let mut generator = Self {
            source,
            root,
            document: document.to_owned(),
            pins,
            plan,
            validator,
            known: Value::Null,
            meant,
            paths,
            rules: OnceLock::new(),
            broken: Vec::new(),
            pinned: Mutex::default(),
        };
        generator.broken.resize_with(generator.paths.all.len(), OnceLock::new);
        let zeros = Some(Choices::replay(Vec::new())).into_iter();
        let mut probes = zeros.chain((0..PROBES).map(Choices::from_seed));
        let known = probes.find_map(|mut choices| {
            let value = generator.draw(&mut choices)?;
            generator.validator.is_valid(&value).then_some(value)
        });
        generator.known =
            known.ok_or_else(|| contradiction("none was found among 65 that were made as its keywords ask"))?;
        Ok(generator)
    }

    /// The id of the document.
    pub fn document(&self) -> &str {
        &self.document
    }

    /// A valid instance.
    pub fn valid(&self, choices: &mut Choices) -> Value {
        for _ in 0..TRIES {
            let Some(value) = self.draw(choices) else { continue };
            if !self.plan.unsure || self.validator.is_valid(&value) {
                return value;
            }
        }
        self.known.clone()
    }

    /// An instance that is valid by construction, or nearly so where the plan is unsure.
    fn draw(&self, choices: &mut Choices) -> Option<Value> {
        let mut value = Maker::new(&self.plan, choices, &self.meant).make(self.plan.root)?;
        coherent::bend(&self.document, &mut value, &|at| self.pins.fixes(at));
        Some(value)
    }

    /// Every rule of the schema, in the order of evaluation, whether an instance can break it or not. It costs nothing.
    pub fn every_rule(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.paths.all.iter().map(|(rule, _)| rule)
    }

    /// Every rule that can be broken, in the order of evaluation. Those that cannot be broken without others name them
    /// in `with`; those that cannot be broken at all are left out.
    pub fn rules(&self) -> &[Rule] {
        self.rules.get_or_init(|| {
            let all = self.paths.all.iter().enumerate();
            all.filter_map(|(index, (rule, _))| {
                self.broken(index).map(|broken| Rule { with: broken.with.clone(), ..rule.clone() })
            })
            .collect()
        })
    }

    /// The rule of that id, if it can be broken.
    pub fn rule(&self, id: &str) -> Option<Rule> {
        let index = *self.paths.by_id.get(id)?;
        let broken = self.broken(index)?;
        Some(Rule { with: broken.with.clone(), ..self.paths.all.get(index)?.0.clone() })
    }

    /// The rules of the schema that no instance can break, because others do not let it come so far.
    pub fn unbreakable(&self) -> Vec<&Rule> {
        let all = self.paths.all.iter().enumerate();
        all.filter(|(index, _)| self.broken(*index).is_none()).map(|(_, (rule, _))| rule).collect()
    }

    /// An instance that breaks just that rule, and the rules of its `with`, at one place; `None` where the choices lead
    /// to none, or the rule is not one of [`rules`](Self::rules).
    pub fn invalid(&self, rule: &Rule, choices: &mut Choices) -> Option<Invalid> {
        let index = *self.paths.by_id.get(&rule.id)?;
        let Broken { plan, with } = self.broken(index)?;
        let (rule, path) = self.paths.all.get(index)?;
        for _ in 0..TRIES {
            let Some(found) = self.draw_broken(plan, path, choices) else { continue };
            if !plan.unsure || self.breaks_just(rule, path, with, &found) {
                return Some(Invalid { rule: rule.id.clone(), ..found });
            }
        }
        None
    }

    /// The same schema with places that are given; kept for the next who asks.
    pub fn pinned(&self, pins: &Pins) -> Result<Arc<Self>, Unsupported> {
        let key = pins.key();
        let kept = || self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().get(&key) {
            return known.clone();
        }
        let made = Self::with_pins(
            self.source.clone(),
            self.root,
            &self.document,
            pins.clone(),
            self.validator.clone(),
            self.meant.clone(),
            self.paths.clone(),
        )
        .map(Arc::new);
        let mut kept = kept();
        if kept.len() >= MOST_PINNED {
            kept.clear();
        }
        kept.insert(key, made.clone());
        made
    }

    /// A valid instance that has what is pinned; the error says that none has.
    pub fn valid_with(&self, pins: &Pins, choices: &mut Choices) -> Result<Value, Unsupported> {
        if pins.is_empty() { Ok(self.valid(choices)) } else { Ok(self.pinned(pins)?.valid(choices)) }
    }

    /// An instance that has what is pinned and breaks just that rule; `None` where there is none.
    pub fn invalid_with(
        &self,
        pins: &Pins,
        rule: &Rule,
        choices: &mut Choices,
    ) -> Result<Option<Invalid>, Unsupported> {
        if pins.is_empty() {
            return Ok(self.invalid(rule, choices));
        }
        Ok(self.pinned(pins)?.invalid(rule, choices))
    }

    fn broken(&self, index: usize) -> Option<&Broken> {
        let (rule, path) = self.paths.all.get(index)?;
        self.broken.get(index)?.get_or_init(|| self.break_rule(rule, path)).as_ref()
    }

    /// How the rule is broken, and what falls with it: nothing if that can be, or else as little as can be.
    fn break_rule(&self, rule: &Rule, path: &RulePath) -> Option<Broken> {
        let mut best: Option<Broken> = None;
        for relax in [Relax::Nothing, Relax::Values, Relax::Texts, Relax::Everything] {
            let mut goals = vec![Goal::Breaks(self.root, 0)];
            goals.extend((!self.pins.is_empty()).then_some(Goal::Pinned(0)));
            // A schema with too many cases in one rule keeps its other rules.
            let Ok(mut plan) = Graph::compile(&self.source, &self.pins, Some(path), relax, goals) else { continue };
            if !plan.can(plan.root) {
                continue;
            }
            let mut least: Option<Vec<String>> = None;
            let mut all_alike = true;
            for seed in 0..SAMPLES {
                let mut choices = if seed == 0 { Choices::replay(Vec::new()) } else { Choices::from_seed(seed) };
                let found = self.draw_broken(&plan, path, &mut choices);
                let Some(others) = found.and_then(|found| self.others(rule, path, &found)) else {
                    all_alike = false;
                    continue;
                };
                all_alike &= others.is_empty();
                if least.as_ref().is_none_or(|least| others.len() < least.len()) {
                    least = Some(others);
                }
            }
            let Some(with) = least else { continue };
            plan.unsure |= !all_alike;
            let better = best.as_ref().is_none_or(|known| with.len() < known.with.len());
            if better {
                let alone = with.is_empty();
                best = Some(Broken { plan, with });
                if alone {
                    break;
                }
            }
        }
        best
    }

    fn draw_broken(&self, plan: &Plan, path: &RulePath, choices: &mut Choices) -> Option<Invalid> {
        let mut maker = Maker::new(plan, choices, &self.meant);
        let mut value = maker.make(plan.root)?;
        let place = maker.at?;
        let at = match &path.suffix {
            Some(name) => push_pointer(&place, name),
            None => place,
        };
        coherent::bend(&self.document, &mut value, &|there| {
            self.pins.fixes(there) || at.starts_with(there) || there.starts_with(&at)
        });
        Some(Invalid { value, rule: String::new(), at })
    }

    fn breaks_just(&self, rule: &Rule, path: &RulePath, with: &[String], found: &Invalid) -> bool {
        self.others(rule, path, found).is_some_and(|others| others.iter().all(|other| with.contains(other)))
    }

    /// The other rules that the instance breaks, by their ids; `None` where it does not break this one.
    fn others(&self, rule: &Rule, path: &RulePath, found: &Invalid) -> Option<Vec<String>> {
        let mut others = Vec::new();
        let mut mine = false;
        for error in self.validator.iter_errors(&found.value) {
            let evaluation = error.evaluation_path().to_string();
            let mut at = error.instance_path().to_string();
            let missing = match error.kind() {
                ValidationErrorKind::Required { property } => property.as_str(),
                _ => None,
            };
            if let Some(name) = missing {
                at = push_pointer(&at, name);
            }
            // What a name breaks is told by the keyword that the name broke.
            let same = evaluation == path.evaluation
                || rule.keyword == "propertyNames" && evaluation.starts_with(&format!("{}/", path.evaluation));
            if same && at == found.at {
                mine = true;
                continue;
            }
            let fault = match error.kind() {
                ValidationErrorKind::Format { format } => found
                    .value
                    .pointer(&at)
                    .and_then(Value::as_str)
                    .and_then(|text| crate::format::check(format, text)?.err())
                    .map(|fault| fault.rule),
                _ => None,
            };
            let known = self.paths.all.iter().find(|(rule, path)| {
                path.evaluation == evaluation
                    && path.suffix.as_deref() == missing
                    && fault.is_none_or(|fault| fault == rule.name)
            });
            let id = known.map_or(evaluation, |(rule, _)| rule.id.clone());
            if !others.contains(&id) {
                others.push(id);
            }
        }
        mine.then_some(others)
    }
}

/// The validator of a document, as the catalog compiles it.
fn validator(documents: &BTreeMap<String, Value>, id: &str) -> Result<Validator, Unsupported> {
    let wrong = |pointer: String, message: String| Unsupported {
        document: id.to_owned(),
        pointer,
        keyword: String::new(),
        problem: Problem::Reference(message),
    };
    let mut registry = Registry::new();
    for (id, document) in documents {
        registry =
            registry.add(id.as_str(), document.clone()).map_err(|error| wrong(String::new(), error.to_string()))?;
    }
    let registry = registry.prepare().map_err(|error| wrong(String::new(), error.to_string()))?;
    let document = documents.get(id).ok_or_else(|| wrong(String::new(), id.to_owned()))?;
    let mut options = jsonschema::options().offline().with_registry(&registry).with_base_uri(id.to_owned());
    options = options.should_validate_formats(true).should_ignore_unknown_formats(false);
    for name in crate::format::NAMES {
        options = options
            .with_format(*name, move |text: &str| crate::format::check(name, text).is_none_or(|found| found.is_ok()));
    }
    options.build(document).map_err(|error| wrong(error.instance_path().to_string(), error.to_string()))
}
