//! The bridge: JSON-RPC 2.0 between fincert and a target, protocol version 1.
//!
//! These types are the bridge's only definition: the JSON Schemas in `schemas/bridge/`, the OpenRPC
//! document and the serde code of fincert and of the mock host all come from them. fincert calls, the
//! target answers; a target never calls fincert, it only notifies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the bridge that this crate speaks.
pub const PROTOCOL: u32 = 1;

/// The largest frame, in bytes, that fincert reads. What is larger is discarded as it arrives.
pub const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

/// The deepest nesting of arrays and objects that fincert reads.
pub const MAX_DEPTH: usize = 64;

/// JSON-RPC: the message is not JSON.
pub const PARSE_ERROR: i64 = -32700;
/// JSON-RPC: the JSON is not a request.
pub const INVALID_REQUEST: i64 = -32600;
/// JSON-RPC: the target has no such method.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// JSON-RPC: the bridge's own parameters are wrong (never: the API's).
pub const INVALID_PARAMS: i64 = -32602;
/// The API settled through a failing channel; `data` is a [`Settlement`].
pub const API_FAILED: i64 = -32000;

/// Which of the three states of clause 1 the target declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Integration {
    /// The app holds the SDK and the third-party SDK that was integrated with it: calls work.
    Integrated,
    /// The app lacks the third-party SDK: a call has no response.
    Absent,
    /// The host app registered the API itself: same results as `integrated`.
    Custom,
}

impl Integration {
    /// The state's word in the bridge and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integrated => "integrated",
            Self::Absent => "absent",
            Self::Custom => "custom",
        }
    }
}

/// How the target's API hands back its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallStyle {
    /// `success`, `fail` and `complete` callbacks, as in a mini program.
    Callbacks,
    /// A promise.
    Promise,
    /// A native function or listener of an SDK.
    Native,
}

/// Parameters of `bridge.hello`, the first message of every connection.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelloParams {
    /// The protocol version that fincert speaks.
    pub protocol: u32,
    /// Who is calling.
    pub client: Client,
}

/// The calling program.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Client {
    /// Its name, `fincert`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The answer to `bridge.hello`: what the target is and what it supports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// The protocol version that the target speaks; must be 1.
    pub protocol: u32,
    /// The integration's name, as it shall stand in reports and on the certificate.
    pub name: String,
    /// The integration's version.
    pub version: String,
    /// `ios`, `android`, `harmony`, `web`, `desktop`, `linux`, …: conditions of requirements look at it.
    pub platform: String,
    /// Which of the three states of clause 1 holds.
    pub integration: Integration,
    /// How results are handed back.
    pub call_style: CallStyle,
    /// What is supported: `ocr:BankCard`, `face`, … A profile's name stands for all of its capabilities.
    pub capabilities: Vec<String>,
    /// Whether a person stands by to hold a card to the camera, to blink and to press buttons.
    #[serde(default)]
    pub human: bool,
    /// Whether that person is simulated: no prompts, the pace of a machine.
    #[serde(default)]
    pub simulated: bool,
    /// How many connections may be driven at once; fincert opens so many sessions where scenarios may be parallel.
    #[serde(default = "one")]
    pub parallel: u32,
}

fn one() -> u32 {
    1
}

/// Parameters of an API call (`ft.finCardOcr`, …).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallParams {
    /// The JavaScript arguments. An API of section 2 takes one object, without callbacks.
    pub args: Vec<Value>,
    /// The handle whose method is called, for methods of objects.
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    pub this: Option<String>,
    /// The run that the call belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The scenario that the call belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// The page of a device or browser that the call belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// A wish that mock hosts grant and integrations ignore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefer: Option<Prefer>,
}

/// A wish for a certain result, after the HTTP headers `Prefer: example=NAME` and `Prefer: dynamic=true` of Prism.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Prefer {
    /// The canned result's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Whether the result is generated from its schema; the mock host's own mode decides where this is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic: Option<bool>,
    /// The rule that a generated result breaks, by its id, or `any`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid: Option<String>,
    /// What a generated result is made from: the same seed, index and request, the same result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The call's index in place of the host's own count; 0 where a seed is given without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
}

/// The channel through which an API call settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The `success` callback (or a native success listener).
    Success,
    /// The promise was fulfilled.
    Resolve,
    /// The function returned a value.
    Return,
    /// The `fail` callback.
    Fail,
    /// The promise was rejected.
    Reject,
    /// The function threw.
    Throw,
    /// The `cancel` callback: the person declined.
    Cancel,
}

impl Via {
    /// Whether this channel says that the call worked.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Success | Self::Resolve | Self::Return)
    }

    /// The channel's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Resolve => "resolve",
            Self::Return => "return",
            Self::Fail => "fail",
            Self::Reject => "reject",
            Self::Throw => "throw",
            Self::Cancel => "cancel",
        }
    }
}

/// How a call settled: the `result` of an answer (success, resolve, return), or the `data` of error
/// −32000 (fail, reject, throw, cancel).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settlement {
    /// The channel.
    pub via: Via,
    /// What was handed over; absent when the callback had no argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// What a further settlement was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallbackKind {
    /// `success` ran (again, or after something else).
    Success,
    /// `fail` ran.
    Fail,
    /// `cancel` ran.
    Cancel,
    /// `complete` ran.
    Complete,
}

/// Parameters of the notification `bridge.callback`: every settlement that is not the answer itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallbackParams {
    /// The id of the call whose callback ran.
    pub id: u64,
    /// Which callback ran.
    pub kind: CallbackKind,
    /// Its place among all settlements of that call, counted by the target from 0; the answer, too, counts.
    pub seq: u32,
    /// What was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Parameters of `bridge.putFile`: fincert gives the target a file. One of `base64`, `url` and `fill`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PutFileParams {
    /// A file name without directories; may hold spaces and any Unicode character.
    pub name: String,
    /// The media type, `image/png` and the like.
    pub media_type: String,
    /// The content, as Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// Where to fetch the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The target makes a file of this many bytes itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<u64>,
}

/// The answer to `bridge.putFile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PutFileResult {
    /// The path that the API accepts for this file: `finfile://…` or absolute.
    pub path: String,
}

/// Parameters of `bridge.getFile`: a result file is brought back in chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetFileParams {
    /// The path that a result named.
    pub path: String,
    /// The first byte wanted.
    pub offset: u64,
    /// How many bytes at the most.
    pub length: u32,
}

/// The answer to `bridge.getFile`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetFileResult {
    /// The bytes, as Base64; shorter than asked at the end of the file.
    pub base64: String,
    /// The file's size in bytes.
    pub size: u64,
}

/// Parameters of `bridge.get`: a property is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetParams {
    /// The object's handle.
    #[serde(rename = "self")]
    pub this: String,
    /// The property's name.
    pub name: String,
}

/// The answer to `bridge.get`: the property at that moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GetResult {
    /// Its value; `{"$undefined": true}` if it is undefined, `{"$promise": true}` if it is a promise.
    pub value: Value,
}

/// Parameters of `bridge.listen` and `bridge.unlisten`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListenParams {
    /// The object's handle.
    #[serde(rename = "self")]
    pub this: String,
    /// The event's type, `icecandidate` and the like.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Parameters of the notification `bridge.event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventParams {
    /// The object's handle.
    #[serde(rename = "self")]
    pub this: String,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The event's own enumerable keys.
    pub event: Value,
}

/// An object that lives at the target and travels as a handle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Handle {
    /// The handle's name, unique within a connection until `bridge.reset`.
    #[serde(rename = "$handle")]
    pub handle: String,
    /// The object's class, `RTCPeerConnection` and the like.
    #[serde(rename = "$class")]
    pub class: String,
    /// The object's own enumerable keys.
    #[serde(default)]
    pub own: Vec<String>,
    /// Those own keys whose values are plain.
    #[serde(default)]
    pub props: serde_json::Map<String, Value>,
}
