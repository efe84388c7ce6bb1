//! Reading a frame as a message of the bridge.

use fincert_schemas::bridge::{API_FAILED, CallbackKind, CallbackParams, EventParams, Settlement, Via};
use fincert_schemas::json::{self, Lexical, Unreadable};
use fincert_schemas::run::Reason;
use serde_json::Value;

use super::session::Reply;

/// What a frame says.
#[derive(Debug)]
pub(super) enum Message {
    /// An answer to a request.
    Answer { id: u64, result: Reply },
    /// A further settlement.
    Callback(CallbackParams),
    /// A further settlement in a message that is not quite of the bridge's shape: what it says counts all the same.
    Sloppy(CallbackParams, String),
    /// An event of an object.
    Event(EventParams),
    /// Nothing that the bridge knows.
    Unusable { reason: Reason, detail: String },
}

/// Why an answer tells no settlement.
#[derive(Debug)]
pub(super) enum NoSettlement {
    /// The bridge of the target refused the call.
    Refused(i64, String),
    /// The answer is not of the bridge's shape.
    Malformed(String),
}

/// The most values that a frame may hold. In memory a value costs a hundred times its two bytes of text, several
/// times over while it is captured; the largest result of these APIs has some twenty.
const MAX_VALUES: usize = 100_000;

/// Reads one frame, with the faults of its text: name and place.
pub(super) fn read(bytes: &[u8]) -> (Message, Vec<(&'static str, String)>) {
    if values_exceed(bytes, MAX_VALUES) {
        let detail = format!("more than {MAX_VALUES} values");
        return (Message::Unusable { reason: Reason::FrameTooLarge, detail }, Vec::new());
    }
    let parsed = match json::parse(bytes) {
        Ok(parsed) => parsed,
        Err(error) => {
            let reason = match error {
                Unreadable::NotJson { .. } => Reason::FrameNotJson,
                Unreadable::TooDeep => Reason::FrameTooDeep,
            };
            return (Message::Unusable { reason, detail: error.to_string() }, Vec::new());
        }
    };
    let faults = parsed
        .faults
        .into_iter()
        .take(8)
        .map(|fault| match fault {
            Lexical::DuplicateKey { at } => ("duplicate-key", at),
            Lexical::InvalidUtf8 { offset } => ("invalid-utf8", format!("byte {offset}")),
        })
        .collect();
    (message(parsed.value), faults)
}

/// Counts what begins a value or parts two, outside strings.
fn values_exceed(bytes: &[u8], limit: usize) -> bool {
    let (mut count, mut in_string, mut escaped) = (0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' | b',' if !in_string => count += 1,
            _ => {}
        }
    }
    count > limit
}

fn message(value: Value) -> Message {
    let unusable = |detail: &str| Message::Unusable { reason: Reason::NotAMessage, detail: detail.to_owned() };
    let Value::Object(mut object) = value else { return unusable("a message is an object") };
    if let Some(method) = object.get("method").and_then(Value::as_str) {
        return match method {
            "bridge.callback" => {
                let params = object.get("params").cloned().unwrap_or_default();
                match serde_json::from_value(params) {
                    Ok(callback) => Message::Callback(callback),
                    Err(error) => {
                        let detail = format!("bridge.callback: {error}");
                        match sloppy(&object) {
                            Some(callback) => Message::Sloppy(callback, detail),
                            None => unusable(&detail),
                        }
                    }
                }
            }
            "bridge.event" => match serde_json::from_value(object.remove("params").unwrap_or_default()) {
                Ok(event) => Message::Event(event),
                Err(error) => unusable(&format!("bridge.event: {error}")),
            },
            other => unusable(&format!("a target notifies bridge.callback and bridge.event, not {other}")),
        };
    }
    let id = match object.get("id") {
        Some(id) if id.is_u64() => id.as_u64().unwrap_or_default(),
        Some(Value::Null) => {
            let code = object.get("error").and_then(|e| e.get("code")).map(Value::to_string).unwrap_or_default();
            return Message::Unusable { reason: Reason::UnknownId, detail: format!("id null, error {code}") };
        }
        Some(other) => {
            return Message::Unusable {
                reason: Reason::UnknownId,
                detail: format!("id {other} is not a number of ours"),
            };
        }
        None => return unusable("neither method nor id"),
    };
    match (object.remove("result"), object.remove("error")) {
        (Some(result), None) => Message::Answer { id, result: Ok(result) },
        (None, Some(error)) => {
            let Some(code) = error.get("code").and_then(Value::as_i64) else { return unusable("error without a code") };
            if code == API_FAILED {
                // A failure of the API is a settlement like any other; a missing one is a fail without a value.
                let data = error.get("data").cloned().unwrap_or_else(|| serde_json::json!({"via": "fail"}));
                return Message::Answer { id, result: Ok(data) };
            }
            let message = error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
            Message::Answer { id, result: Err((code, message)) }
        }
        _ => unusable("an answer has either result or error"),
    }
}

/// What a malformed `bridge.callback` evidently means: a second settlement must not go unseen for want of a `seq`.
fn sloppy(message: &serde_json::Map<String, Value>) -> Option<CallbackParams> {
    let params = message.get("params")?;
    let id = match params.get("id")? {
        Value::String(text) => text.parse().ok()?,
        other => other
            .as_f64()
            .filter(|id| id.fract() == 0.0 && (0.0..1e15).contains(id))
            .map(|id| format!("{id:.0}"))?
            .parse()
            .ok()?,
    };
    let kind = match params.get("kind")?.as_str()?.to_ascii_lowercase().as_str() {
        "success" | "resolve" | "return" => CallbackKind::Success,
        "fail" | "reject" | "throw" => CallbackKind::Fail,
        "cancel" => CallbackKind::Cancel,
        "complete" => CallbackKind::Complete,
        _ => return None,
    };
    Some(CallbackParams { id, kind, seq: u32::MAX, value: params.get("value").cloned() })
}

/// Reads an answer to an API call.
pub(super) fn settlement(result: Reply) -> Result<Settlement, NoSettlement> {
    let value = result.map_err(|(code, message)| NoSettlement::Refused(code, message))?;
    let via = value.get("via").cloned().unwrap_or_default();
    let via: Via = serde_json::from_value(via).map_err(|_| {
        NoSettlement::Malformed(
            "an answer is {via, value}, via one of success, resolve, return, fail, reject, throw, cancel".to_owned(),
        )
    })?;
    let value = match value {
        Value::Object(mut object) => object.remove("value"),
        _ => None,
    };
    // JavaScript's undefined is no value at all.
    let value = value.filter(|value| value.get("$undefined") != Some(&Value::Bool(true)));
    Ok(Settlement { via, value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_settlement_is_seen_for_want_of_nothing() {
        let said = |params: &str| {
            let frame = format!(r#"{{"jsonrpc":"2.0","method":"bridge.callback","params":{params}}}"#);
            match read(frame.as_bytes()).0 {
                Message::Callback(callback) | Message::Sloppy(callback, _) => Some((callback.id, callback.kind)),
                _ => None,
            }
        };
        let success = Some((7, CallbackKind::Success));
        for params in [
            r#"{"id":7,"kind":"success","seq":1}"#,
            r#"{"id":7,"kind":"success"}"#,
            r#"{"id":"7","kind":"success","seq":1}"#,
            r#"{"id":7.0,"kind":"Success","seq":"1"}"#,
            r#"{"id":7,"kind":"resolve","seq":1}"#,
        ] {
            assert_eq!(said(params), success, "{params}");
        }
        assert_eq!(said(r#"{"kind":"success","seq":1}"#), None);
        assert_eq!(said(r#"{"id":7,"kind":"progress","seq":1}"#), None);
    }
}
