//! One connection's session: a frame comes in, a plan comes out. No I/O.

use std::sync::Arc;

use fincert_schemas::bridge::{INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR};
use fincert_schemas::json::{self, Lexical};
use serde_json::Value;

use crate::decide::{Effect, Over, Request, decide};
use crate::host::Host;
use crate::pending::Ticket;
use crate::plan::Plan;
use crate::rtc::Asked;
use crate::state::State;

/// What is to be done about a frame.
#[derive(Debug)]
pub(crate) enum Received {
    /// A plan is carried out, about the message of that id. If that takes time, the call waits until it is answered.
    Plan(Value, Plan, Option<Ticket>),
    /// The same, once every object of the session is gone.
    Reset(Value, Plan),
    /// An object, or ft.webrtc, is asked.
    Rtc(Asked),
}

/// One connection's session.
#[derive(Debug)]
pub(crate) struct Session {
    host: Arc<Host>,
    state: State,
}

impl Session {
    pub(crate) fn new(host: Arc<Host>) -> Self {
        Self { host, state: State::default() }
    }

    /// What is to be done about a frame; `None` for a notification.
    pub(crate) fn receive(&mut self, frame: &[u8]) -> Option<Received> {
        let parsed = match json::parse(frame) {
            Ok(parsed) if !parsed.faults.iter().any(|fault| matches!(fault, Lexical::InvalidUtf8 { .. })) => {
                parsed.value
            }
            Ok(_) => return self.refuse(PARSE_ERROR, "not UTF-8"),
            Err(error) => return self.refuse(PARSE_ERROR, &error.to_string()),
        };
        let (Some(method), true) = (
            parsed.get("method").and_then(Value::as_str),
            parsed.get("jsonrpc").is_some_and(|version| version == "2.0"),
        ) else {
            return self.refuse(INVALID_REQUEST, "a request of JSON-RPC 2.0: jsonrpc, id, method, params");
        };
        let id = match parsed.get("id")? {
            id @ (Value::Number(_) | Value::String(_) | Value::Null) => id,
            _ => return self.refuse(INVALID_REQUEST, "id: a number or a string"),
        };
        if self.state.hung && !matches!(method, "bridge.hello" | "bridge.reset") {
            return None;
        }
        let params = parsed.get("params").unwrap_or(&Value::Null);
        if Asked::is_about(method) {
            return Some(match Asked::read(id, method, params) {
                Ok(asked) => Received::Rtc(asked),
                Err(why) => Received::Plan(id.clone(), Plan::refuse(INVALID_PARAMS, why), None),
            });
        }
        let asked = Request { id, method, params, over: Over::Bridge };
        let config = &self.host.config;
        let decision = decide(&asked, &self.state, config);
        self.host.journal.note(&decision, config.defect.map(|defect| defect.name));
        self.state.remember(&decision);
        let ticket = decision.waiting().map(|waiting| self.state.pending.enter(waiting));
        let reset = matches!(decision.effect, Effect::Reset);
        let (id, plan) = (id.clone(), decision.plan);
        Some(if reset { Received::Reset(id, plan) } else { Received::Plan(id, plan, ticket) })
    }

    /// A frame that is no request has no id to answer to.
    fn refuse(&self, code: i64, message: &str) -> Option<Received> {
        (!self.state.hung).then(|| Received::Plan(Value::Null, Plan::refuse(code, message), None))
    }
}
