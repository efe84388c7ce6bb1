//! What arrays and objects hold: elements, members and names are goals again.

use std::sync::Arc;

use serde_json::Value;

use super::Graph;
use crate::strategy::constraint::{Arrays, Contains, Goal, Goals, Objects, Presence, Types, join};
use crate::strategy::error::Unsupported;
use crate::strategy::pattern::Pattern;
use crate::strategy::plan::{ArrayAlt, Extra, Kind, MemberAlt, NameAlt, NameFrom, ObjectAlt, Slot};
use crate::strategy::text::TextAlt;

impl Graph<'_> {
    pub(super) fn array(&mut self, arrays: &Arrays, not: &[Value]) -> Result<Option<ArrayAlt>, Unsupported> {
        let mut prefix = Vec::new();
        // A position from which an element is counted is a position of its own.
        let counted = arrays.contains.iter().map(|contains| contains.from);
        let positions = counted.chain(arrays.spoiled.iter().map(|spoiled| spoiled.from)).max().unwrap_or(0);
        for index in 0..arrays.prefix.len().max(positions) {
            prefix.push(self.slot(arrays, arrays.prefix.get(index).unwrap_or(&arrays.rest), index)?);
        }
        let rest = self.slot(arrays, &arrays.rest, prefix.len())?;
        let kind = |contains: &Contains| Kind {
            from: contains.from,
            least: contains.least,
            most: contains.most.unwrap_or(usize::MAX),
        };
        let kinds: Vec<Kind> = arrays.contains.iter().map(kind).collect();
        if kinds.iter().any(|kind| kind.most < kind.least) {
            return Ok(None);
        }
        self.unsure |= arrays.repeated || kinds.iter().any(|kind| kind.most != usize::MAX) && kinds.len() > 1;
        Ok(Some(ArrayAlt {
            least: arrays.least.max(if arrays.spoiled.is_some() { 1 } else { 0 }),
            most: arrays.most.unwrap_or(usize::MAX),
            prefix,
            rest,
            kinds,
            spoiled_from: arrays.spoiled.as_ref().map(|spoiled| spoiled.from),
            unique: arrays.unique,
            repeated: arrays.repeated,
            not: not.iter().filter(|value| value.is_array()).cloned().collect(),
        }))
    }

    fn slot(&mut self, arrays: &Arrays, goals: &Goals, index: usize) -> Result<Slot, Unsupported> {
        let mut sound = goals.clone();
        let spoiled = arrays.spoiled.as_ref().filter(|spoiled| index >= spoiled.from);
        if let Some(spoiled) = spoiled {
            join(&mut sound, &[spoiled.sound]);
        }
        // Where a kind is bounded from above, what is not of it must not be of it by accident.
        let bounded = |skip: Option<usize>| {
            let counted =
                arrays.contains.iter().enumerate().filter(move |(at, contains)| {
                    Some(*at) != skip && contains.most.is_some() && index >= contains.from
                });
            counted.map(|(_, contains)| contains.opposite).collect::<Vec<_>>()
        };
        let mut base = sound.clone();
        join(&mut base, &bounded(None));
        let mut kinds = Vec::new();
        for (at, contains) in arrays.contains.iter().enumerate() {
            let mut kind = sound.clone();
            join(&mut kind, &[contains.goal]);
            join(&mut kind, &bounded(Some(at)));
            kinds.push(self.node(&kind)?);
        }
        let spoiled = match spoiled {
            Some(spoiled) => {
                let mut goals = goals.clone();
                join(&mut goals, &[spoiled.goal]);
                join(&mut goals, &bounded(None));
                Some(self.node(&goals)?)
            }
            None => None,
        };
        Ok(Slot { base: self.node(&base)?, kinds, spoiled })
    }

    pub(super) fn object(&mut self, objects: &Objects, not: &[Value]) -> Result<Option<ObjectAlt>, Unsupported> {
        if objects.torn {
            return Ok(None);
        }
        let mut members = Vec::new();
        let mut taken: Vec<String> = Vec::new();
        for (name, member) in &objects.members {
            let named = self.reaches(&objects.names, &Value::from(name.as_str()));
            match (member.presence, named) {
                (Presence::Required, false) => return Ok(None),
                (Presence::Forbidden, _) | (_, false) => taken.push(name.clone()),
                (presence, true) => {
                    let node = self.node(&objects.goals_of(name))?;
                    members.push(MemberAlt { name: name.clone(), node, required: presence == Presence::Required });
                }
            }
        }
        let mut extras = Vec::new();
        for (index, (pattern, _)) in objects.patterns.iter().enumerate() {
            if objects.patterns[..index].iter().any(|(known, _)| known.source == pattern.source) {
                continue;
            }
            let goals = pattern_goals(objects, Some(&pattern.source), None);
            let node = self.node(&goals)?;
            let from = NameFrom::Pattern(pattern.clone());
            extras.extend(self.name(objects, from, &[], &[])?.map(|name| Extra { name, node }));
        }
        let plain = self.node(&pattern_goals(objects, None, None))?;
        extras.extend(self.name(objects, NameFrom::Any, &[], &[])?.map(|name| Extra { name, node: plain }));
        let mut wanted = Vec::new();
        for one in &objects.wanted {
            let mut ways = Vec::new();
            let source = one.matching.as_ref().map(|pattern| pattern.source.as_str());
            let mut goals = pattern_goals(objects, source, one.instead_of);
            join(&mut goals, &one.value);
            let node = self.node(&goals)?;
            let from = one.matching.clone().map_or(NameFrom::Any, NameFrom::Pattern);
            ways.extend(self.name(objects, from, &one.name, &one.patterns)?.map(|name| Extra { name, node }));
            for (name, member) in &objects.members {
                let fits = one.matching.as_ref().is_none_or(|pattern| pattern.matches(name))
                    && member.presence != Presence::Forbidden
                    && !one.names.contains(name)
                    && !one.patterns.iter().any(|pattern| pattern.matches(name))
                    && self.reaches(&one.name, &Value::from(name.as_str()));
                if fits {
                    let mut goals = objects.goals_of(name);
                    goals.retain(|goal| Some(*goal) != one.instead_of);
                    join(&mut goals, &one.value);
                    let node = self.node(&goals)?;
                    let from = NameFrom::Is(name.clone());
                    ways.extend(self.name(objects, from, &[], &[])?.map(|name| Extra { name, node }));
                }
            }
            taken.extend(one.names.iter().cloned());
            wanted.push(ways);
        }
        Ok(Some(ObjectAlt {
            members,
            taken,
            extras,
            wanted,
            least: objects.least,
            most: objects.most.unwrap_or(usize::MAX),
            not: not.iter().filter(|value| value.is_object()).cloned().collect(),
        }))
    }

    /// How a name is made that reaches the goals of names and `more`; `None` where none can be.
    fn name(
        &mut self,
        objects: &Objects,
        from: NameFrom,
        more: &[Goal],
        not: &[Arc<Pattern>],
    ) -> Result<Option<NameAlt>, Unsupported> {
        let mut goals = objects.names.clone();
        join(&mut goals, more);
        let mut others: Vec<_> = objects.patterns.iter().map(|(pattern, _)| pattern.clone()).collect();
        others.extend(objects.additional.iter().flat_map(|additional| additional.patterns.iter().cloned()));
        others.extend(not.iter().cloned());
        if let NameFrom::Pattern(mine) = &from {
            others.retain(|pattern| pattern.source != mine.source);
        }
        let mut texts = None;
        if !goals.is_empty() {
            let node = self.node(&goals)?;
            let mut alts = Vec::new();
            for constraint in self.cases.get(&node).cloned().unwrap_or_default() {
                if !constraint.types.meets(Types::STRING) {
                    continue;
                }
                let mut rules = constraint.texts.clone();
                if let Some(allowed) = &constraint.allowed {
                    rules.examples = allowed.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                    let any: Vec<String> = rules.examples.iter().map(|text| regex::escape(text)).collect();
                    let any = Pattern::read(&format!("^(?:{})$", any.join("|")));
                    rules.patterns.extend(any.ok().map(Arc::new));
                }
                alts.extend(TextAlt::new(&rules, &constraint.not));
            }
            if alts.is_empty() {
                return Ok(None);
            }
            texts = Some(alts);
        }
        Ok(Some(NameAlt { from, not: others, texts }))
    }
}

/// The goals of a member whose name is not listed, and matches that pattern alone or none.
fn pattern_goals(objects: &Objects, source: Option<&str>, instead_of: Option<Goal>) -> Goals {
    let mut goals = Goals::new();
    for (_, more) in objects.patterns.iter().filter(|(pattern, _)| Some(pattern.source.as_str()) == source) {
        join(&mut goals, more);
    }
    for additional in &objects.additional {
        let covers = additional.patterns.iter().any(|pattern| Some(pattern.source.as_str()) == source);
        if !covers {
            join(&mut goals, &additional.goals);
        }
    }
    goals.retain(|goal| Some(*goal) != instead_of);
    goals
}
