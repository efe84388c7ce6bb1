//! Making values: a plan and choices in, a value out.

use serde_json::{Map, Value};

use super::choices::Choices;
use super::eval::distinct;
use super::number::equal;
use super::plan::{ArrayAlt, Extra, Make, NameAlt, NameFrom, NodeId, ObjectAlt, Plan};

/// Below this depth every place takes its shallowest alternative.
const DEEP: usize = 6;
/// How often an element is drawn again that must differ from the others.
const DISTINCT_TRIES: usize = 12;
/// How often a name is drawn.
const NAME_TRIES: usize = 12;
/// No pattern asks for a longer name.
const LONGEST_NAME: usize = 64;

/// A value in the making.
pub(super) struct Maker<'a> {
    pub(super) plan: &'a Plan,
    pub(super) choices: &'a mut Choices,
    /// Names that mean something somewhere, and that no invented member may have.
    pub(super) meant: &'a [String],
    /// Where the rule in hand was broken.
    pub(super) at: Option<String>,
    trail: Vec<String>,
    depth: usize,
}

impl<'a> Maker<'a> {
    pub(super) fn new(plan: &'a Plan, choices: &'a mut Choices, meant: &'a [String]) -> Self {
        Self { plan, choices, meant, at: None, trail: Vec::new(), depth: 0 }
    }

    /// A value for the node; `None` where the draw led nowhere.
    pub(super) fn make(&mut self, node: NodeId) -> Option<Value> {
        let plan = self.plan;
        let node = plan.nodes.get(node)?;
        if node.breaks && self.at.is_none() {
            self.at = Some(self.trail.iter().fold(String::new(), |at, step| crate::json::push_pointer(&at, step)));
        }
        let shallow = node.alts.iter().filter(|alt| alt.height == node.height).count();
        let among = if self.depth >= DEEP { shallow } else { node.alts.len() };
        let alt = node.alts.get(self.choices.index(among))?;
        self.depth += 1;
        let value = match &alt.make {
            Make::Values(values) => values.get(self.choices.index(values.len())).cloned(),
            Make::Number(number) => Some(number.generate(self.choices)),
            Make::Text(text) => Some(Value::String(text.generate(self.choices))),
            Make::Array(array) => self.array(array),
            Make::Object(object) => self.object(object),
        };
        self.depth -= 1;
        value
    }

    /// A value below this one, and the step that leads to it.
    fn below(&mut self, node: NodeId, step: impl FnOnce() -> String) -> Option<Value> {
        if !self.plan.nodes.get(node)?.spoils {
            return self.make(node);
        }
        self.trail.push(step());
        let value = self.make(node);
        self.trail.pop();
        value
    }

    fn array(&mut self, array: &ArrayAlt) -> Option<Value> {
        let plan = self.plan;
        let deep = self.depth > DEEP;
        let wanted: usize = array.kinds.iter().map(|kind| kind.least).sum();
        let low = array.least.max(wanted.min(array.most)).max(array.spoiled_from.map_or(0, |from| from + 1));
        let low = low.min(array.most);
        let high = if deep {
            low
        } else {
            match self.choices.below(16) {
                15 => array.most.min(low + 24),
                14 => {
                    if array.most <= 64 {
                        array.most
                    } else {
                        low
                    }
                }
                _ => array.most.min(low + 3),
            }
        };
        let mut length = self.choices.range(low, high.max(low));
        let counts: Vec<usize> = array
            .kinds
            .iter()
            .map(|kind| if deep { kind.least } else { self.choices.range(kind.least, kind.most.min(kind.least + 2)) })
            .collect();
        length = length.max(counts.iter().sum()).min(array.most);
        let choices = &mut *self.choices;
        let mut places = plan.places(array, length, &counts, &mut |n| choices.index(n));
        // A length that does not fit gives way to the next that does.
        let least: Vec<usize> = array.kinds.iter().map(|kind| kind.least).collect();
        let mut tries = array.least..array.most.min(array.least + array.prefix.len() + wanted + 64).saturating_add(1);
        while places.is_none() {
            places = plan.places(array, tries.next()?, &least, &mut |_| 0);
        }
        let places = places?;
        let mut items: Vec<Value> = Vec::with_capacity(places.len());
        for (index, node) in places.iter().enumerate() {
            let mut item = self.below(*node, || index.to_string())?;
            if array.unique {
                let mut tries = 0;
                while items.iter().any(|other| equal(other, &item)) {
                    tries += 1;
                    if tries > DISTINCT_TRIES {
                        // Nothing new is left: what there is will do, if it is enough.
                        let enough = items.len() >= low && counts.is_empty() && array.spoiled_from.is_none();
                        return enough.then_some(Value::Array(items));
                    }
                    item = self.below(*node, || index.to_string())?;
                }
            }
            items.push(item);
        }
        if array.repeated && distinct(&items) {
            let same = |a: usize, b: usize| places[a] == places[b];
            let pairs: Vec<(usize, usize)> =
                (0..items.len()).flat_map(|b| (0..b).map(move |a| (a, b))).filter(|(a, b)| same(*a, *b)).collect();
            let (from, to) = match pairs.get(self.choices.index(pairs.len())) {
                Some(pair) => *pair,
                None => (0, 1),
            };
            items[to] = items.get(from)?.clone();
        }
        let value = Value::Array(items);
        (!array.not.iter().any(|not| equal(not, &value))).then_some(value)
    }

    fn object(&mut self, object: &ObjectAlt) -> Option<Value> {
        let plan = self.plan;
        let deep = self.depth > DEEP;
        let mut members = Map::with_capacity(object.members.len());
        let required = object.members.iter().filter(|member| member.required).count() + object.wanted.len();
        // So many optional members there may still be, and so many there must.
        let mut room = object.most.saturating_sub(required);
        let optional = object.members.len() + object.wanted.len() - required;
        let mut left = optional;
        let mut missing = object.least.saturating_sub(required);
        for member in &object.members {
            if !member.required {
                let must = missing >= left && missing > 0;
                left -= 1;
                let present = room > 0 && (must || !deep && self.choices.below(2) == 1);
                if !present || deep && !must {
                    continue;
                }
                room -= 1;
                missing = missing.saturating_sub(1);
            }
            let value = self.below(member.node, || member.name.clone())?;
            members.insert(member.name.clone(), value);
        }
        for ways in &object.wanted {
            let mut ways: Vec<&Extra> = ways.iter().collect();
            if ways.is_empty() {
                return None;
            }
            let first = self.choices.index(ways.len());
            ways.rotate_left(first);
            let mut done = false;
            for way in ways {
                if let Some(name) = self.name(object, &way.name, &members) {
                    let value = self.below(way.node, || name.clone())?;
                    members.insert(name, value);
                    done = true;
                    break;
                }
            }
            if !done {
                return None;
            }
        }
        let mut more = object.least.saturating_sub(members.len());
        if !object.extras.is_empty() && !deep && self.choices.once_in(8) {
            more = more.max(self.choices.range(1, 2)).min(object.most.saturating_sub(members.len()));
        }
        for _ in 0..more {
            let extra = object.extras.get(self.choices.index(object.extras.len()))?;
            let Some(name) = self.name(object, &extra.name, &members) else { continue };
            if plan.height(extra.node) > 1 && deep && members.len() >= object.least {
                break;
            }
            let value = self.below(extra.node, || name.clone())?;
            members.insert(name, value);
        }
        if members.len() < object.least {
            return None;
        }
        let value = Value::Object(members);
        (!object.not.iter().any(|not| equal(not, &value))).then_some(value)
    }

    /// A name that no member has yet.
    fn name(&mut self, object: &ObjectAlt, name: &NameAlt, there: &Map<String, Value>) -> Option<String> {
        for _ in 0..NAME_TRIES {
            let text = match (&name.from, &name.texts) {
                (NameFrom::Is(name), _) => return Some(name.clone()),
                (NameFrom::Pattern(pattern), _) => pattern.generate(0, LONGEST_NAME, self.choices),
                (NameFrom::Any, Some(texts)) => texts.get(self.choices.index(texts.len()))?.generate(self.choices),
                (NameFrom::Any, None) => invented(self.choices),
            };
            let listed = object.taken.contains(&text)
                || object.members.iter().any(|member| member.name == text)
                || there.contains_key(&text);
            let fits = name.texts.as_ref().is_none_or(|texts| texts.iter().any(|alt| alt.accept(&text)));
            let meant = matches!((&name.from, &name.texts), (NameFrom::Any, None)) && self.meant.contains(&text);
            if !listed && fits && !meant && !name.not.iter().any(|pattern| pattern.matches(&text)) {
                return Some(text);
            }
        }
        None
    }
}

const INVENTED: &[&str] = &["extra", "x", "额外", "extra-field", "0", "traceId", "_", "Ä", "a.b", "a b", "😀"];

/// A name that nobody has given a meaning. It never begins with `$`, which the bridge speaks with.
fn invented(choices: &mut Choices) -> String {
    let word = INVENTED[choices.index(INVENTED.len())];
    match choices.below(3) {
        0 => word.to_owned(),
        _ => format!("{word}{}", choices.below(1000)),
    }
}
