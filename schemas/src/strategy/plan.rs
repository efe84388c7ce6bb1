//! The compiled form: nodes with alternatives, each of which says how to make a value.

use std::sync::Arc;

use serde_json::Value;

use super::number::NumberAlt;
use super::pattern::Pattern;
use super::text::TextAlt;

/// A node's number.
pub(super) type NodeId = usize;
/// The height of what cannot be made.
pub(super) const NEVER: u32 = u32::MAX;

/// Everything that a value is made of, from the root on.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
    /// Whether what is made must be looked at by the validator.
    pub(super) unsure: bool,
    /// Nodes all of whose alternatives need another without end.
    endless: Vec<NodeId>,
}

/// What can stand at one place.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) alts: Vec<Alt>,
    /// How deep the shallowest value is.
    pub(super) height: u32,
    /// The rule in hand is broken here or below.
    pub(super) spoils: bool,
    /// It is broken right here.
    pub(super) breaks: bool,
}

/// One way to make a value.
#[derive(Debug)]
pub(super) struct Alt {
    pub(super) make: Make,
    pub(super) height: u32,
}

#[derive(Debug)]
pub(super) enum Make {
    Values(Vec<Value>),
    Number(Box<NumberAlt>),
    Text(Box<TextAlt>),
    Array(Box<ArrayAlt>),
    Object(Box<ObjectAlt>),
}

/// How arrays are made.
#[derive(Debug)]
pub(super) struct ArrayAlt {
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) prefix: Vec<Slot>,
    pub(super) rest: Slot,
    pub(super) kinds: Vec<Kind>,
    pub(super) spoiled_from: Option<usize>,
    pub(super) unique: bool,
    pub(super) repeated: bool,
    pub(super) not: Vec<Value>,
}

/// A position of an array: what stands there, and what stands there where the element is one that `contains` asks for.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) base: NodeId,
    pub(super) kinds: Vec<NodeId>,
    pub(super) spoiled: Option<NodeId>,
}

/// Elements that `contains` asks for.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) from: usize,
    pub(super) least: usize,
    pub(super) most: usize,
}

/// How objects are made.
#[derive(Debug)]
pub(super) struct ObjectAlt {
    pub(super) members: Vec<MemberAlt>,
    /// Names that no other member may have.
    pub(super) taken: Vec<String>,
    pub(super) extras: Vec<Extra>,
    pub(super) wanted: Vec<Vec<Extra>>,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) not: Vec<Value>,
}

#[derive(Debug)]
pub(super) struct MemberAlt {
    pub(super) name: String,
    pub(super) node: NodeId,
    pub(super) required: bool,
}

/// Members whose names are not listed.
#[derive(Debug)]
pub(super) struct Extra {
    pub(super) name: NameAlt,
    pub(super) node: NodeId,
}

/// Where a name comes from, and what it must not match besides.
#[derive(Debug)]
pub(super) struct NameAlt {
    pub(super) from: NameFrom,
    pub(super) not: Vec<Arc<Pattern>>,
    pub(super) texts: Option<Vec<TextAlt>>,
}

#[derive(Debug)]
pub(super) enum NameFrom {
    Any,
    Pattern(Arc<Pattern>),
    Is(String),
}

impl Plan {
    /// Whether the node had alternatives, all of them without end.
    pub(super) fn had_ways(&self, node: NodeId) -> bool {
        self.endless.contains(&node)
    }

    /// Computes the heights, and takes out what cannot be made.
    pub(super) fn settle(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.height = NEVER);
        loop {
            let mut changed = false;
            for index in 0..self.nodes.len() {
                let heights: Vec<u32> = self.nodes[index].alts.iter().map(|alt| self.height_of(&alt.make)).collect();
                let node = &mut self.nodes[index];
                for (alt, height) in node.alts.iter_mut().zip(&heights) {
                    alt.height = *height;
                }
                let height = heights.into_iter().min().unwrap_or(NEVER);
                changed |= height != node.height;
                node.height = height;
            }
            if !changed {
                break;
            }
        }
        self.find_endless();
        for index in 0..self.nodes.len() {
            let mut alts = std::mem::take(&mut self.nodes[index].alts);
            alts.retain(|alt| alt.height != NEVER);
            alts.iter_mut().for_each(|alt| self.clean(&mut alt.make));
            alts.sort_by_key(|alt| alt.height);
            self.nodes[index].alts = alts;
        }
    }

    /// What cannot be made though no part of it is impossible by itself needs itself.
    fn find_endless(&mut self) {
        let mut possible: Vec<bool> = self.nodes.iter().map(|node| !node.alts.is_empty()).collect();
        loop {
            let mut changed = false;
            for index in 0..self.nodes.len() {
                let ways = |alt: &Alt| match &alt.make {
                    Make::Object(object) => {
                        object.members.iter().all(|member| !member.required || possible[member.node])
                    }
                    Make::Array(array) => {
                        array.least == 0 || possible[array.prefix.first().unwrap_or(&array.rest).base]
                    }
                    Make::Values(_) | Make::Number(_) | Make::Text(_) => true,
                };
                let now = self.nodes[index].alts.iter().any(ways);
                changed |= possible[index] && !now;
                possible[index] &= now;
            }
            if !changed {
                break;
            }
        }
        self.endless =
            (0..self.nodes.len()).filter(|node| possible[*node] && self.nodes[*node].height == NEVER).collect();
    }

    fn height_of(&self, make: &Make) -> u32 {
        match make {
            Make::Values(_) | Make::Number(_) | Make::Text(_) => 0,
            Make::Array(array) => self.array_height(array),
            Make::Object(object) => {
                let members =
                    object.members.iter().filter(|member| member.required).map(|member| self.height(member.node));
                let wanted = object
                    .wanted
                    .iter()
                    .map(|ways| ways.iter().map(|extra| self.height(extra.node)).min().unwrap_or(NEVER));
                let mut height = members.chain(wanted).max().unwrap_or(0);
                let there = object.members.iter().filter(|member| member.required).count() + object.wanted.len();
                if there > object.most {
                    return NEVER;
                }
                if there < object.least {
                    let mut more: Vec<u32> =
                        object.members.iter().filter(|m| !m.required).map(|m| self.height(m.node)).collect();
                    let extra = object.extras.iter().map(|extra| self.height(extra.node)).min().unwrap_or(NEVER);
                    more.extend(std::iter::repeat_n(extra, object.least - there));
                    more.sort_unstable();
                    height = height.max(more.get(object.least - there - 1).copied().unwrap_or(NEVER));
                }
                height.saturating_add(1)
            }
        }
    }

    fn array_height(&self, array: &ArrayAlt) -> u32 {
        let kinds: usize = array.kinds.iter().map(|kind| kind.least + kind.from).sum();
        let spoiled = array.spoiled_from.map_or(0, |from| from + 1);
        let longest = (array.least.max(array.prefix.len()) + kinds + spoiled).min(array.most);
        (array.least..=longest).map(|length| self.length_height(array, length)).min().unwrap_or(NEVER).saturating_add(1)
    }

    fn length_height(&self, array: &ArrayAlt, length: usize) -> u32 {
        let counts: Vec<usize> = array.kinds.iter().map(|kind| kind.least).collect();
        let Some(places) = self.places(array, length, &counts, &mut |_| 0) else { return NEVER };
        places.iter().map(|node| self.height(*node)).max().unwrap_or(0)
    }

    /// The nodes of an array of that length with so many elements of each kind; `None` where it cannot be.
    pub(super) fn places(
        &self,
        array: &ArrayAlt,
        length: usize,
        counts: &[usize],
        choose: &mut dyn FnMut(usize) -> usize,
    ) -> Option<Vec<NodeId>> {
        let slot = |index: usize| array.prefix.get(index).unwrap_or(&array.rest);
        let mut nodes: Vec<Option<NodeId>> = vec![None; length];
        if let Some(from) = array.spoiled_from {
            let fit: Vec<usize> =
                (from..length).filter(|at| slot(*at).spoiled.is_some_and(|node| self.can(node))).collect();
            let at = *fit.get(choose(fit.len()))?;
            nodes[at] = slot(at).spoiled;
        }
        let mut left = counts.to_vec();
        // Where nothing else can stand, an element of some kind must.
        for (at, node) in nodes.iter_mut().enumerate() {
            if node.is_none() && !self.can(slot(at).base) {
                let fit = array.kinds.iter().zip(&slot(at).kinds).zip(&left).position(|((kind, node), left)| {
                    at >= kind.from && self.can(*node) && (*left > 0 || kind.most == usize::MAX)
                })?;
                left[fit] = left[fit].saturating_sub(1);
                *node = Some(slot(at).kinds[fit]);
            }
        }
        for (index, kind) in array.kinds.iter().enumerate() {
            for _ in 0..left[index] {
                let fit: Vec<usize> =
                    (kind.from..length).filter(|at| nodes[*at].is_none() && self.can(slot(*at).kinds[index])).collect();
                let at = *fit.get(choose(fit.len()))?;
                nodes[at] = Some(slot(at).kinds[index]);
            }
        }
        Some(nodes.into_iter().enumerate().map(|(at, node)| node.unwrap_or(slot(at).base)).collect())
    }

    fn clean(&self, make: &mut Make) {
        match make {
            Make::Object(object) => {
                let (kept, gone): (Vec<_>, Vec<_>) =
                    std::mem::take(&mut object.members).into_iter().partition(|member| self.can(member.node));
                object.members = kept;
                object.taken.extend(gone.into_iter().map(|member| member.name));
                object.extras.retain(|extra| self.can(extra.node));
                object.wanted.iter_mut().for_each(|ways| ways.retain(|extra| self.can(extra.node)));
            }
            Make::Array(array) => {
                // The first position where nothing can stand ends every array.
                let stands = |slot: &Slot| {
                    self.can(slot.base)
                        || slot.kinds.iter().any(|node| self.can(*node))
                        || slot.spoiled.is_some_and(|node| self.can(node))
                };
                let dead = array.prefix.iter().position(|slot| !stands(slot));
                let dead = dead.or_else(|| (!stands(&array.rest)).then_some(array.prefix.len()));
                array.most = array.most.min(dead.unwrap_or(usize::MAX));
            }
            Make::Values(_) | Make::Number(_) | Make::Text(_) => {}
        }
    }

    pub(super) fn height(&self, node: NodeId) -> u32 {
        self.nodes.get(node).map_or(NEVER, |node| node.height)
    }

    pub(super) fn can(&self, node: NodeId) -> bool {
        self.height(node) != NEVER
    }
}
