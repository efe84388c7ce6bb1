//! Pins: places of an instance that are given.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values that stand at given places, and places that are left empty.
///
/// What follows from them is generated: where `/type` is pinned to `IDCard` and `/errorCode` to 0, `recogResult` is an
/// identity card's.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pins {
    places: BTreeMap<String, Option<Value>>,
    pub(super) nodes: Vec<Pin>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Pin {
    pub(super) value: Option<Value>,
    pub(super) absent: bool,
    pub(super) members: Vec<(String, usize)>,
}

impl Pins {
    /// No pins.
    pub fn new() -> Self {
        Self::default()
    }

    /// With that value at that place, a JSON pointer. A pointer that does not begin with `/` means the whole instance.
    #[must_use]
    pub fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        self.put(pointer, Some(value.into()));
        self
    }

    /// With nothing at that place.
    #[must_use]
    pub fn without(mut self, pointer: &str) -> Self {
        self.put(pointer, None);
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether the place is given, or holds one that is.
    pub(super) fn fixes(&self, at: &str) -> bool {
        self.places
            .keys()
            .any(|place| place.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// What tells these pins from others.
    pub(super) fn key(&self) -> String {
        let parts = self.places.iter().map(|(at, value)| match value {
            Some(value) => format!("{at}\u{0}{value}\u{1}"),
            None => format!("{at}\u{2}"),
        });
        parts.collect()
    }

    fn put(&mut self, pointer: &str, value: Option<Value>) {
        self.places.insert(pointer.to_owned(), value);
        self.nodes = vec![Pin::default()];
        for (at, value) in &self.places {
            let mut here = 0;
            for step in at.split('/').skip(1) {
                let name = step.replace("~1", "/").replace("~0", "~");
                let known = self.nodes[here].members.iter().find(|(known, _)| *known == name).map(|(_, node)| *node);
                here = known.unwrap_or_else(|| {
                    let node = self.nodes.len();
                    self.nodes.push(Pin::default());
                    self.nodes[here].members.push((name, node));
                    node
                });
            }
            let node = &mut self.nodes[here];
            node.absent = value.is_none();
            node.value.clone_from(value);
        }
    }
}
