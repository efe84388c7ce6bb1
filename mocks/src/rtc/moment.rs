//! The moment at which something is done or said, as a defect sees it.

use std::time::Duration;

use serde_json::{Map, Value};

/// What it is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum About<'a> {
    /// A call: the method behind its last dot, and the arguments.
    Call(&'a str, &'a [Option<Value>]),
    /// An event of this type.
    Event(&'a str),
    /// A property of this name is read.
    Property(&'a str),
    /// An event of this type is listened to.
    Listen(&'a str),
}

/// What a connection has been through. Streams, tracks and static functions have no past.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    /// Whether an offer or answer was made that is not yet in force.
    pub made: Option<&'static str>,
    /// How often a local description was put in force.
    pub locals: u32,
    /// How often an exchange of offer and answer came to its end.
    pub rounds: u32,
    /// How many remote descriptions it refused.
    pub refused: u32,
    /// How many tracks were added.
    pub tracks: u32,
    /// How many candidates of its own it told.
    pub candidates: u32,
    /// The candidates of the other end that it took, the last 256 of them.
    pub taken: Vec<String>,
    /// Whether ICE was connected once.
    pub connected: bool,
    /// Whether the whole connection, DTLS too, was up once.
    pub up: bool,
    /// Whether ICE was restarted, by either end, since the connection is up.
    pub restarted: bool,
    /// Whether it is closed.
    pub closed: bool,
    /// The first local description, as it was told.
    pub first_local: Option<String>,
    /// The local description before the present exchange, as it was told.
    pub last_local: Option<String>,
}

/// The moment.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// What it is about.
    pub about: About<'a>,
    /// The handle; empty for a static function.
    pub this: &'a str,
    /// What the connection has been through.
    pub past: &'a Past,
    /// How long ago the last exchange of offer and answer came to its end.
    pub since_answer: Option<Duration>,
    /// How many other connections of the session are open.
    pub others: usize,
    /// The connection's properties as they truly are.
    pub properties: &'a Map<String, Value>,
}

impl<'a> Moment<'a> {
    /// Whether a method of that name is called.
    pub fn calls(&self, method: &str) -> bool {
        matches!(self.about, About::Call(name, _) if name == method)
    }

    /// Whether it is an event of that type.
    pub fn fires(&self, kind: &str) -> bool {
        matches!(self.about, About::Event(name) if name == kind)
    }

    /// Whether the property of that name is read.
    pub fn reads(&self, name: &str) -> bool {
        matches!(self.about, About::Property(read) if read == name)
    }

    /// An argument of the call; `None` where there is none or it is `undefined`.
    pub fn argument(&self, index: usize) -> Option<&'a Value> {
        match self.about {
            About::Call(_, args) => args.get(index)?.as_ref(),
            _ => None,
        }
    }

    /// A field of the call's first argument.
    pub fn field(&self, name: &str) -> Option<&'a Value> {
        self.argument(0)?.get(name)
    }

    /// What a property truly is, if it is a text.
    pub fn truly(&self, name: &str) -> &'a str {
        self.properties.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}
