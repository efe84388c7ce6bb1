//! Coverage of the schemas: which rules a run has exercised, by instances that keep them and by instances that break
//! them. It says how far the evidence goes and is never certified on.
//!
//! What breaks a rule is a fact. What keeps one follows from what was seen: the place was there, it breaks nothing of that
//! name, and, where a requirement speaks of it (whose branch may not have been taken), the requirement held there.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fincert_schemas::bridge::Via;
use fincert_schemas::catalog::{BASE, Catalog};
use fincert_schemas::run::{Captured, Fact, RuleCoverage, TableCoverage, Transcript, What};
use fincert_schemas::strategy::{Generator, Rule};
use serde_json::Value;

/// The coverage of every table that some instance of the run belongs to, by the table's path.
pub(super) fn of(catalog: &Catalog, transcripts: &[Transcript]) -> Vec<TableCoverage> {
    let mut tables: BTreeMap<String, Option<Counter>> = BTreeMap::new();
    for transcript in transcripts {
        let mut methods: HashMap<u64, &str> = HashMap::new();
        for event in &transcript.events {
            let (table, captured) = match &event.what {
                What::Call { id, method, request, .. } => {
                    methods.insert(*id, method);
                    (catalog.tables_of(method).0, request)
                }
                What::Answer { id, via, value: Some(value), .. } if Via::is_success(*via) => {
                    (methods.get(id).and_then(|method| catalog.tables_of(method).1), value)
                }
                What::Emitted { kind, value, known: true, .. } => {
                    (catalog.table(&format!("webrtc/{kind}.event.json")), value)
                }
                _ => continue,
            };
            let Some(path) = table.and_then(|table| table.id.strip_prefix(BASE)) else { continue };
            let counter = tables.entry(path.to_owned()).or_insert_with(|| Counter::new(path));
            if let Some(counter) = counter {
                counter.take(captured);
            }
        }
    }
    let counted = tables.into_iter().filter_map(|(table, counter)| Some((table, counter?)));
    let counted = counted.map(|(table, counter)| {
        // How many candidates and states a flow shows is decided by the network; that there were any is not.
        let most = if table.starts_with("webrtc/") { 1 } else { u32::MAX };
        TableCoverage { table, rules: counter.finish(most) }
    });
    counted.collect()
}

/// Counts for one table.
struct Counter {
    generator: Arc<Generator>,
    /// The rules by the pattern of their place.
    places: Vec<(Vec<String>, Vec<usize>)>,
    counts: Vec<(u32, u32)>,
}

impl Counter {
    fn new(path: &str) -> Option<Self> {
        let generator = Generator::embedded(path).ok()?;
        let mut places: Vec<(Vec<String>, Vec<usize>)> = Vec::new();
        for (index, rule) in generator.every_rule().enumerate() {
            let pattern = segments(&rule.at);
            match places.iter_mut().find(|(other, _)| *other == pattern) {
                Some((_, rules)) => rules.push(index),
                None => places.push((pattern, vec![index])),
            }
        }
        let counts = vec![(0, 0); generator.every_rule().len()];
        Some(Self { generator, places, counts })
    }

    fn take(&mut self, captured: &Captured) {
        let rules: Vec<&Rule> = self.generator.every_rule().collect();
        for (pattern, here) in &self.places {
            for fact in &captured.facts {
                let Fact::Breaks { requirement, at, rule: name, .. } = fact else { continue };
                if !matches(pattern, at) {
                    continue;
                }
                // Two branches may have a rule of one name for one place; the requirement tells them apart.
                for index in here.iter().filter(|index| is_of(rules[**index], name, requirement)) {
                    self.counts[*index].1 += 1;
                }
            }
            let mut at = String::new();
            each(&captured.value, pattern, &mut at, &mut |at| {
                for index in here {
                    if keeps(rules[*index], at, &captured.facts) {
                        self.counts[*index].0 += 1;
                    }
                }
            });
        }
    }

    fn finish(self, most: u32) -> Vec<RuleCoverage> {
        let rules = self.generator.every_rule().zip(&self.counts);
        rules
            .map(|(rule, (valid, invalid))| RuleCoverage {
                rule: rule.id.clone(),
                at: rule.at.clone(),
                requirement: rule.requirement.clone(),
                valid: *valid.min(&most),
                invalid: *invalid.min(&most),
            })
            .collect()
    }
}

fn is_of(rule: &Rule, name: &str, requirement: &str) -> bool {
    rule.name == name && rule.requirement.as_deref().unwrap_or_default() == requirement
}

/// Whether the value at this place keeps the rule.
fn keeps(rule: &Rule, at: &str, facts: &[Fact]) -> bool {
    let broken = facts.iter().any(|fact| {
        matches!(fact, Fact::Breaks { requirement, at: there, rule: name, .. } if there == at && is_of(rule, name, requirement))
    });
    let spoken_of = |wanted: &str| {
        facts.iter().any(|fact| match fact {
            Fact::Holds { requirement, at: place } => requirement == wanted && is_within(at, place),
            _ => false,
        })
    };
    !broken && rule.requirement.as_deref().is_none_or(spoken_of)
}

/// Whether a pointer is this place or one below it.
fn is_within(at: &str, place: &str) -> bool {
    at.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn segments(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(str::to_owned).collect()
}

fn matches(pattern: &[String], at: &str) -> bool {
    let mut at = at.split('/').skip(1);
    pattern.iter().all(|wanted| at.next().is_some_and(|segment| wanted == "*" || wanted == segment))
        && at.next().is_none()
}

/// Every place of the value that the pattern fits.
fn each(value: &Value, pattern: &[String], at: &mut String, tell: &mut dyn FnMut(&str)) {
    let Some((segment, rest)) = pattern.split_first() else { return tell(at) };
    let length = at.len();
    let mut go = |name: &str, inner: &Value, at: &mut String| {
        at.push('/');
        at.push_str(name);
        each(inner, rest, at, tell);
        at.truncate(length);
    };
    match value {
        Value::Object(object) if segment == "*" => {
            for (name, inner) in object {
                go(&name.replace('~', "~0").replace('/', "~1"), inner, at);
            }
        }
        Value::Object(object) => {
            if let Some(inner) = object.get(&segment.replace("~1", "/").replace("~0", "~")) {
                go(segment, inner, at);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                let name = index.to_string();
                if *segment == "*" || *segment == name {
                    go(&name, inner, at);
                }
            }
        }
        _ => {}
    }
}
