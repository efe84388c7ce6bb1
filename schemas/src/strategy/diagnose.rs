//! Why a schema has no instance: the innermost schema that has none by itself, and the keywords to blame.

use super::constraint::Goal;
use super::error::{Problem, Unsupported};
use super::graph::{Graph, Relax};
use super::pins::Pins;
use super::plan::Plan;
use super::source::Source;

/// The error for a root that cannot be satisfied.
pub(super) fn why(source: &Source, pins: &Pins, document: &str, plan: &Plan) -> Unsupported {
    let nothing = Pins::new();
    let compile = |id: usize| Graph::compile(source, &nothing, None, Relax::Nothing, vec![Goal::Holds(id)]);
    let impossible = |id: usize| compile(id).is_ok_and(|plan| !plan.can(plan.root));
    if !pins.is_empty() && !impossible(0) {
        return Unsupported {
            document: document.to_owned(),
            pointer: String::new(),
            keyword: String::new(),
            problem: Problem::Contradiction("what is pinned excludes it".to_owned()),
        };
    }
    // The deepest pointer first: what has no instance of its own spoils all that contain it.
    let mut ids: Vec<usize> = (0..source.schemas.len()).collect();
    ids.sort_by_key(|id| std::cmp::Reverse(source.at(*id).pointer.matches('/').count()));
    let culprit = ids.into_iter().find(|id| {
        // The schema false is often meant; what requires it is to blame.
        !source.at(*id).never && impossible(*id)
    });
    let id = culprit.unwrap_or(0);
    let schema = source.at(id);
    let names: Vec<&str> = schema.keywords.iter().map(|keyword| keyword.name).collect();
    let endless =
        compile(id).is_ok_and(|plan| plan.had_ways(plan.root)) || plan.had_ways(plan.root) && culprit.is_none();
    let problem = if endless {
        Problem::Endless
    } else {
        Problem::Contradiction(format!("its keywords exclude each other ({})", names.join(", ")))
    };
    Unsupported {
        document: schema.document.clone(),
        pointer: schema.pointer.clone(),
        keyword: names.first().copied().unwrap_or_default().to_owned(),
        problem,
    }
}
