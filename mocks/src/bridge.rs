//! The bridge's own methods.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fincert_schemas::bridge::{CallStyle, Hello, INVALID_PARAMS, PROTOCOL, PutFileParams, PutFileResult};
use serde::Deserialize as _;
use serde_json::{Map, Value};

use crate::config::{Config, PLATFORM};
use crate::decide::{Effect, Request};
use crate::plan::{Action, Plan};
use crate::state::{Content, MAX_NAME, State, StoredFile};

/// What the mock host supports.
const CAPABILITIES: [&str; 9] = [
    "ocr:BankCard",
    "ocr:IDCard",
    "ocr:IDCardCheck",
    "ocr:BusiCert",
    "face",
    "liveness",
    "open-app",
    "witness-video",
    "webrtc",
];

/// How many connections may be driven at once.
const PARALLEL: u32 = 8;

/// The methods that [`answer`] knows.
pub(crate) const METHODS: [&str; 4] = ["bridge.hello", "bridge.ping", "bridge.reset", "bridge.putFile"];

/// Answers a method of the bridge; `None` if there is no such method.
pub(crate) fn answer(asked: &Request<'_>, state: &State, config: &Config) -> Option<(Plan, Effect)> {
    let nothing = || Plan::only(Action::Result(Value::Object(Map::new())));
    Some(match asked.method {
        "bridge.hello" => (result(&hello(config)), Effect::None),
        "bridge.ping" => (nothing(), Effect::None),
        "bridge.reset" => (nothing(), Effect::Reset),
        "bridge.putFile" => match put(asked.params, state) {
            Ok(file) => (result(&PutFileResult { path: state.path_for(&file.name) }), Effect::Put(file)),
            Err(why) => (Plan::refuse(INVALID_PARAMS, why), Effect::None),
        },
        _ => return None,
    })
}

fn result(value: &impl serde::Serialize) -> Plan {
    Plan::only(Action::Result(serde_json::to_value(value).unwrap_or_default()))
}

fn hello(config: &Config) -> Hello {
    Hello {
        protocol: PROTOCOL,
        name: "fincert-mock".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: PLATFORM.to_owned(),
        integration: config.integration,
        call_style: CallStyle::Callbacks,
        capabilities: CAPABILITIES.map(str::to_owned).to_vec(),
        human: true,
        simulated: true,
        parallel: PARALLEL,
    }
}

fn put(params: &Value, state: &State) -> Result<StoredFile, String> {
    let PutFileParams { name, base64, url, fill, .. } =
        PutFileParams::deserialize(params).map_err(|_| "params: name and mediaType, and one of base64 and fill")?;
    if name.is_empty() || name.len() > MAX_NAME || name.contains(['/', '\\', '\0']) || name == "." || name == ".." {
        return Err(format!("params.name: a file name without directories, at most {MAX_NAME} bytes"));
    }
    if !state.has_room() {
        return Err("this session keeps no more files; bridge.reset drops them".to_owned());
    }
    match (base64, url, fill) {
        (Some(text), None, None) => {
            let bytes = STANDARD.decode(text).map_err(|_| "params.base64: Base64 of the standard alphabet, padded")?;
            Ok(StoredFile { name, size: bytes.len() as u64, content: Content::of(&bytes) })
        }
        (None, None, Some(size)) => Ok(StoredFile { name, size, content: Content::Filled }),
        (None, Some(_), None) => Err("params.url: the mock host fetches nothing; send base64".to_owned()),
        _ => Err("params: one of base64, url and fill".to_owned()),
    }
}
