//! A message of the bridge about ft.webrtc or about an object.

use serde_json::Value;

use super::decide::{METHODS, STATICS};
use crate::request::plain;

/// The bridge's own methods about objects.
const OF_BRIDGE: [&str; 3] = ["bridge.get", "bridge.listen", "bridge.unlisten"];

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    /// A static function or a method is called.
    Call {
        /// The JavaScript arguments; `None` is `undefined`.
        args: Vec<Option<Value>>,
        /// The canned outcome that is wished for.
        wish: Option<String>,
    },
    /// A property is read.
    Get(String),
    /// An event is listened to, or no longer.
    Listen {
        /// The event's type.
        kind: String,
        /// Whether to begin.
        begin: bool,
    },
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) id: Value,
    /// The method of the message.
    pub(crate) method: String,
    /// The handle; empty for a static function.
    pub(crate) this: String,
    pub(crate) what: What,
}

impl Asked {
    /// Whether a method is one of ft.webrtc or of its objects.
    pub(crate) fn is_about(method: &str) -> bool {
        STATICS.contains(&method) || METHODS.contains(&method) || OF_BRIDGE.contains(&method)
    }

    /// Reads the parameters; the error says what is wrong with them.
    pub(crate) fn read(id: &Value, method: &str, params: &Value) -> Result<Self, &'static str> {
        let text = |name: &str| params.get(name).and_then(Value::as_str).map(str::to_owned);
        let this = match text("self") {
            Some(this) => this,
            None if STATICS.contains(&method) => String::new(),
            None => return Err("params.self: the handle of an object"),
        };
        let what = match method {
            "bridge.get" => What::Get(text("name").ok_or("params.name: the name of a property")?),
            "bridge.listen" | "bridge.unlisten" => What::Listen {
                kind: text("type").ok_or("params.type: the type of an event")?,
                begin: method == "bridge.listen",
            },
            _ => {
                let args = params.get("args").and_then(Value::as_array);
                let args = args.ok_or("params.args: an array of the call's arguments")?;
                let wish = params.pointer("/prefer/example").and_then(Value::as_str).map(str::to_owned);
                What::Call { args: args.iter().map(plain).collect(), wish }
            }
        };
        Ok(Self { id: id.clone(), method: method.to_owned(), this, what })
    }

    /// The call's arguments.
    pub(crate) fn args(&self) -> &[Option<Value>] {
        match &self.what {
            What::Call { args, .. } => args,
            _ => &[],
        }
    }

    /// The method behind the last dot.
    pub(crate) fn name(&self) -> &str {
        self.method.rsplit('.').next().unwrap_or_default()
    }
}
