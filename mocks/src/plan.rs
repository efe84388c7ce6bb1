//! What the host is going to do about one call: a list of actions, made without I/O.
//!
//! A plan is a value, so a defect is a function from plan to plan, and what a defect does can be tested without
//! a socket.

use std::time::Duration;

use fincert_schemas::bridge::{API_FAILED, CallbackKind, EventParams, Settlement, Via};
use serde_json::{Value, json};

/// One action.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// The API call is answered.
    Answer(Settlement),
    /// A method of the bridge itself is answered.
    Result(Value),
    /// The bridge refuses the message.
    Refuse {
        /// The error code of JSON-RPC.
        code: i64,
        /// The error's text; never a value of the request.
        message: String,
    },
    /// A callback runs beside the answer.
    Callback {
        /// Which one.
        kind: CallbackKind,
        /// Its place among the call's settlements.
        seq: u32,
        /// What is handed over.
        value: Option<Value>,
    },
    /// An object fires an event.
    Event {
        /// The object's handle.
        this: String,
        /// The event's type.
        kind: String,
        /// Its own enumerable keys.
        event: Value,
    },
    /// The same, but only after the next answer of the object. Only ft.webrtc has objects.
    Later(Box<Action>),
    /// These bytes are sent as they are.
    Raw(Vec<u8>),
    /// From now on the session answers nothing but `bridge.hello` and `bridge.reset`.
    Hang,
    /// The connection is closed.
    Close,
}

/// An action and how long after the one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The pause before it.
    pub after: Duration,
    /// What is done.
    pub action: Action,
}

/// All that is done about one call; nothing at all is silence.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// How its frames are written.
    pub spelling: Spelling,
}

/// How the text of a frame becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spelling {
    /// As JSON wants it (RFC 8259 section 8.1).
    #[default]
    Utf8,
    /// As Java's `DataOutput` does (UTR #26): a character outside the BMP is two surrogates of three bytes each.
    Cesu8,
}

impl Spelling {
    /// The bytes of a frame, which come as UTF-8.
    pub fn write(self, bytes: Vec<u8>) -> Vec<u8> {
        match (self, std::str::from_utf8(&bytes)) {
            (Self::Cesu8, Ok(text)) => cesu8(text),
            _ => bytes,
        }
    }
}

fn cesu8(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for letter in text.chars() {
        let mut units = [0; 2];
        match letter.encode_utf16(&mut units) {
            [_] => out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
            pair => {
                for unit in pair {
                    let [high, low] = unit.to_be_bytes();
                    out.extend([0xe0 | high >> 4, 0x80 | (high & 0x0f) << 2 | low >> 6, 0x80 | low & 0x3f]);
                }
            }
        }
    }
    out
}

impl Plan {
    /// No response.
    pub fn silent() -> Self {
        Self::default()
    }

    /// One action, at once.
    pub fn only(action: Action) -> Self {
        Self::silent().then(action)
    }

    /// An API call settles: the answer, and then `complete` with the same value.
    pub fn settle(settlement: Settlement) -> Self {
        let value = settlement.value.clone();
        Self::only(Action::Answer(settlement)).then(Action::Callback { kind: CallbackKind::Complete, seq: 1, value })
    }

    /// The bridge refuses.
    pub fn refuse(code: i64, message: impl Into<String>) -> Self {
        Self::only(Action::Refuse { code, message: message.into() })
    }

    /// The same plan and one more action at its end.
    #[must_use]
    pub fn then(self, action: Action) -> Self {
        self.then_after(Duration::ZERO, action)
    }

    /// The same plan and, after a pause, one more action at its end.
    #[must_use]
    pub fn then_after(mut self, after: Duration, action: Action) -> Self {
        self.steps.push(Step { after, action });
        self
    }

    /// Whether nothing is sent.
    pub fn is_silent(&self) -> bool {
        self.steps.iter().all(|step| step.action == Action::Hang)
    }

    /// Whether all is done at once.
    pub fn is_immediate(&self) -> bool {
        self.steps.iter().all(|step| step.after.is_zero())
    }

    /// How the call settles, if it does.
    pub fn answer(&self) -> Option<&Settlement> {
        self.steps.iter().find_map(|step| match &step.action {
            Action::Answer(settlement) => Some(settlement),
            _ => None,
        })
    }

    /// Changes the answer, and with it the value that `complete` is given.
    #[must_use]
    pub fn rewrite(mut self, change: impl FnOnce(&mut Settlement)) -> Self {
        let mut answers = self.steps.iter_mut().filter_map(|step| match &mut step.action {
            Action::Answer(settlement) => Some(settlement),
            _ => None,
        });
        let Some(settlement) = answers.next() else { return self };
        change(settlement);
        let changed = settlement.value.clone();
        for step in &mut self.steps {
            if let Action::Callback { kind: CallbackKind::Complete, value, .. } = &mut step.action {
                value.clone_from(&changed);
            }
        }
        self
    }
}

/// Whether a settlement says that the call did not work: by its channel, or by an `errorCode` other than 0.
pub fn failed(settlement: &Settlement) -> bool {
    let code = settlement.value.as_ref().and_then(|value| value.get("errorCode"));
    !settlement.via.is_success() || code.is_some_and(|code| *code != 0)
}

/// A failure through the `fail` callback: `NAME:fail reason`.
pub fn fail(api: &str, reason: &str) -> Settlement {
    Settlement { via: Via::Fail, value: Some(json!({"errMsg": format!("{api}:fail {reason}")})) }
}

/// The frame of an action about the call `id`; `None` if the action sends nothing.
pub fn encode(id: &Value, action: &Action) -> Option<Vec<u8>> {
    let message = match action {
        Action::Answer(settlement) if settlement.via.is_success() => {
            json!({"jsonrpc": "2.0", "id": id, "result": settlement})
        }
        Action::Answer(settlement) => {
            let message = format!("the call settled via {}", settlement.via.as_str());
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": API_FAILED, "message": message, "data": settlement}})
        }
        Action::Result(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Action::Refuse { code, message } => {
            json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
        }
        Action::Callback { kind, seq, value } => {
            let mut params = json!({"id": id, "kind": kind, "seq": seq});
            if let (Some(value), Some(params)) = (value, params.as_object_mut()) {
                params.insert("value".to_owned(), value.clone());
            }
            json!({"jsonrpc": "2.0", "method": "bridge.callback", "params": params})
        }
        Action::Event { this, kind, event } => {
            let params = EventParams { this: this.clone(), kind: kind.clone(), event: event.clone() };
            json!({"jsonrpc": "2.0", "method": "bridge.event", "params": params})
        }
        Action::Raw(bytes) => return Some(bytes.clone()),
        Action::Later(_) | Action::Hang | Action::Close => return None,
    };
    Some(message.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_outside_the_bmp_becomes_two_surrogates() {
        let written = Spelling::Cesu8.write("a证𠮷".as_bytes().to_vec());
        assert_eq!(written, b"a\xe8\xaf\x81\xed\xa1\x82\xed\xbe\xb7");
        assert!(std::str::from_utf8(&written).is_err());
        assert_eq!(Spelling::Utf8.write("𠮷".as_bytes().to_vec()), "𠮷".as_bytes());
    }
}
