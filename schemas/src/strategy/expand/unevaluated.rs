//! What is left over in a case, for `unevaluatedProperties` and `unevaluatedItems` (2020-12 core, section 11).

use super::{Cases, Seen, additional, an_array, one, wanted};
use crate::strategy::constraint::{Constraint, Contains, Goal, Spoiled};
use crate::strategy::error::Unsupported;
use crate::strategy::graph::Graph;
use crate::strategy::source::{Id, Keyword, What};

/// What is asked of the keyword.
pub(super) enum Unevaluated {
    Hold,
    Fail,
    Break(usize),
}

impl Graph<'_> {
    /// `unevaluatedProperties` and `unevaluatedItems`, case by case: what is left over depends on the case.
    pub(super) fn unevaluated(
        &mut self,
        keyword: &Keyword,
        cases: Cases,
        how: &Unevaluated,
    ) -> Result<Cases, Unsupported> {
        let mut out = Vec::new();
        for mut case in cases {
            let seen = case.seen.clone();
            let (extra, all_properties) = match &keyword.what {
                What::UnevaluatedProperties(_) if seen.all_properties => {
                    (matches!(how, Unevaluated::Hold).then(Constraint::default), true)
                }
                What::UnevaluatedProperties(schema) => {
                    let (names, patterns) = (&seen.names, &seen.patterns);
                    let mut rest = Constraint::default();
                    rest.objects.additional.push(additional(names, patterns, vec![Goal::Holds(*schema)]));
                    let constraint = match how {
                        Unevaluated::Hold => rest,
                        Unevaluated::Fail => wanted(None, names, patterns, Goal::Fails(*schema), None),
                        Unevaluated::Break(step) => {
                            let spoiled = Goal::Breaks(*schema, *step);
                            let mut spoiled = wanted(None, names, patterns, spoiled, Some(Goal::Holds(*schema)));
                            spoiled.meet(&rest);
                            spoiled
                        }
                    };
                    (Some(constraint), true)
                }
                What::UnevaluatedItems(_) if seen.all_items => {
                    (matches!(how, Unevaluated::Hold).then(Constraint::default), false)
                }
                What::UnevaluatedItems(schema) => (Some(unevaluated_items(*schema, &seen, how)), false),
                _ => (Some(Constraint::default()), false),
            };
            let Some(extra) = extra else { continue };
            case.seen.all_properties |= all_properties;
            case.seen.all_items |= !all_properties;
            self.unsure = true;
            out.extend(self.cross(0, vec![case], &one(extra))?);
        }
        Ok(out)
    }
}

fn unevaluated_items(schema: Id, seen: &Seen, how: &Unevaluated) -> Constraint {
    let from = seen.items;
    // An element may be evaluated by `contains`; of several such the first is enough.
    let rest = match seen.contains.first() {
        Some(contains) => Goal::Either(*contains, schema),
        None => Goal::Holds(schema),
    };
    match how {
        Unevaluated::Hold => {
            let mut constraint = Constraint::default();
            constraint.arrays.prefix = vec![Vec::new(); from];
            constraint.arrays.rest = vec![rest];
            constraint
        }
        Unevaluated::Fail => an_array(|constraint| {
            let (goal, opposite) = (Goal::Fails(schema), Goal::Holds(schema));
            constraint.arrays.contains.push(Contains { goal, opposite, from, least: 1, most: None });
            for contains in &seen.contains {
                constraint.arrays.prefix = vec![Vec::new(); from];
                constraint.arrays.rest.push(Goal::Fails(*contains));
            }
        }),
        Unevaluated::Break(step) => an_array(|constraint| {
            let (goal, sound) = (Goal::Breaks(schema, *step), rest);
            constraint.arrays.spoiled = Some(Spoiled { goal, sound, from });
        }),
    }
}
