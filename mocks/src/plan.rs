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
