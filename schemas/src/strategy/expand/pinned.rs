//! What a place must hold beside its schema: values that were pinned, and types that are only an alias.

use std::sync::Arc;

use super::{Cases, member, one, top};
use crate::strategy::constraint::{Constraint, Goal, Presence, Types};
use crate::strategy::graph::Graph;
use crate::strategy::pattern::Pattern;

impl Graph<'_> {
    pub(super) fn pinned(&self, pin: usize) -> Cases {
        let Some(pin) = self.pins.nodes.get(pin) else { return top() };
        if let Some(value) = &pin.value {
            return one(Constraint::values(vec![value.clone()]));
        }
        if pin.members.is_empty() {
            return top();
        }
        let mut object = Constraint::types(Types::OBJECT);
        let mut array = Constraint::types(Types::ARRAY);
        let mut indexed = true;
        for (name, child) in &pin.members {
            let absent = self.pins.nodes.get(*child).is_some_and(|pin| pin.absent);
            let (presence, goals) = if absent {
                (Presence::Forbidden, Vec::new())
            } else {
                (Presence::Required, vec![Goal::Pinned(*child)])
            };
            object.meet(&member(name, presence, &goals));
            match name.parse::<usize>().ok().filter(|index| *index < 1000 && !absent) {
                Some(index) => {
                    let arrays = &mut array.arrays;
                    arrays.prefix.resize(arrays.prefix.len().max(index + 1), Vec::new());
                    arrays.prefix[index] = goals;
                    arrays.least = arrays.least.max(index + 1);
                }
                None => indexed = false,
            }
        }
        let mut cases = one(object);
        if indexed {
            cases.extend(one(array));
        }
        cases
    }

    /// Types that would only be an alias where the rule in hand is broken, and a pattern of strings that would.
    pub(super) fn alias_types(&self) -> (Types, Option<Arc<Pattern>>) {
        let aliases = self.rule.map(|rule| rule.aliases.as_slice()).unwrap_or_default();
        let has = |name: &str| aliases.iter().any(|alias| alias == name);
        let mut types = Types::NONE;
        if has("null") {
            types = types.or(Types::NULL);
        }
        if has("number") {
            types = types.or(Types::NUMBER);
        }
        let numeric = has("numeric-string").then(|| Pattern::read("^[+-]?[0-9]{1,3}$").ok().map(Arc::new)).flatten();
        (types, numeric)
    }
}
