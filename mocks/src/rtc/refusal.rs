//! Why a call of ft.webrtc is rejected, in the words of W3C's exceptions.

use fincert_schemas::bridge::{Settlement, Via};
use serde_json::json;

/// A rejection: the exception's name and what is wrong. Never a value of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `TypeError`, `InvalidStateError` and the like.
    pub name: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Refusal {
    /// An argument is not of the type it must be.
    pub fn of_type(message: impl Into<String>) -> Self {
        Self { name: "TypeError", message: message.into() }
    }

    /// The object is in the wrong state for it.
    pub fn of_state(message: impl Into<String>) -> Self {
        Self { name: "InvalidStateError", message: message.into() }
    }

    /// A value that cannot be parsed.
    pub fn of_syntax(message: impl Into<String>) -> Self {
        Self { name: "SyntaxError", message: message.into() }
    }

    /// Something that is not allowed here.
    pub fn of_access(message: impl Into<String>) -> Self {
        Self { name: "InvalidAccessError", message: message.into() }
    }

    /// It was tried, and did not work.
    pub fn of_operation(message: impl Into<String>) -> Self {
        Self { name: "OperationError", message: message.into() }
    }

    /// The rejection as it crosses the bridge.
    pub fn settle(&self) -> Settlement {
        Settlement { via: Via::Reject, value: Some(json!({"name": self.name, "message": self.message})) }
    }
}
