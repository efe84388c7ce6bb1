//! The schemas of fincert's own messages, generated from the types: the bridge, the run record, scenarios' data
//! shapes, an OpenRPC document of the whole bridge, and an OpenAPI document of the mock host. They are committed; a test fails when they are stale.

use serde_json::{Map, Value, json};

use crate::bridge::{
    API_FAILED, CallParams, CallbackParams, EventParams, GetFileParams, GetFileResult, GetParams, GetResult, Hello,
    HelloParams, INVALID_PARAMS, ListenParams, METHOD_NOT_FOUND, PROTOCOL, PutFileParams, PutFileResult, Settlement,
};
use crate::catalog::{APIS, BASE, Catalog};
use crate::data::{DataError, schema_of};
use crate::openapi;
use crate::run::{Judgement, Line, RunHeader, Transcript};

/// Every generated file: its path below `schemas/`, and its content.
pub fn files() -> Result<Vec<(String, Value)>, DataError> {
    let named = |path: &str, mut schema: Value| {
        if let Some(object) = schema.as_object_mut() {
            object.insert("$id".to_owned(), json!(format!("{BASE}{path}")));
        }
        (path.to_owned(), schema)
    };
    Ok(vec![
        named("bridge/hello.params.json", schema_of::<HelloParams>()),
        named("bridge/hello.json", schema_of::<Hello>()),
        named("bridge/call.params.json", schema_of::<CallParams>()),
        named("bridge/settlement.json", schema_of::<Settlement>()),
        named("bridge/callback.params.json", schema_of::<CallbackParams>()),
        named("bridge/putFile.params.json", schema_of::<PutFileParams>()),
        named("bridge/putFile.json", schema_of::<PutFileResult>()),
        named("bridge/getFile.params.json", schema_of::<GetFileParams>()),
        named("bridge/getFile.json", schema_of::<GetFileResult>()),
        named("bridge/get.params.json", schema_of::<GetParams>()),
        named("bridge/get.json", schema_of::<GetResult>()),
        named("bridge/listen.params.json", schema_of::<ListenParams>()),
        named("bridge/event.params.json", schema_of::<EventParams>()),
        named("run/line.json", schema_of::<Line>()),
        named("run/header.json", schema_of::<RunHeader>()),
        named("run/transcript.json", schema_of::<Transcript>()),
        named("run/judgement.json", schema_of::<Judgement>()),
        ("bridge/openrpc.json".to_owned(), openrpc(Catalog::embedded()?)),
        ("openapi.json".to_owned(), openapi::document()?),
    ])
}

/// The bridge as an OpenRPC 1.3 document. Notifications go from the target to fincert, as OpenRPC has no word for
/// the direction; they are the methods without a result.
fn openrpc(catalog: &Catalog) -> Value {
    let bridge = [
        (
            "bridge.hello",
            "The first message: who the target is and what it supports.",
            "hello.params.json",
            Some("hello.json"),
        ),
        ("bridge.ping", "Answered with {} at any time, while a call is pending, too.", "", None),
        ("bridge.reset", "Drops all handles and files; between scenarios.", "", None),
        (
            "bridge.putFile",
            "Gives the target a file; it answers with its own path.",
            "putFile.params.json",
            Some("putFile.json"),
        ),
        ("bridge.getFile", "Brings a result file back, in chunks.", "getFile.params.json", Some("getFile.json")),
        ("bridge.get", "Reads a property of an object.", "get.params.json", Some("get.json")),
        ("bridge.listen", "From now on events of this type are notified.", "listen.params.json", None),
        ("bridge.unlisten", "Ends that.", "listen.params.json", None),
    ];
    let mut methods: Vec<Value> = bridge
        .into_iter()
        .map(|(name, summary, params, result)| {
            let result = result.map_or(json!({}), |file| json!({"$ref": file}));
            json!({"name": name, "summary": summary, "paramStructure": "by-name", "params": by_name(params),
                   "result": {"name": "result", "schema": result}})
        })
        .collect();
    for (api, profile) in APIS {
        let text = |table: &str| {
            let id = format!("{BASE}api/{api}.{table}.json");
            catalog
                .documents()
                .iter()
                .find(|(doc, _)| *doc == id)
                .and_then(|(_, schema)| schema.get("description").cloned())
        };
        methods.push(json!({
            "name": format!("ft.{api}"),
            "summary": format!("The API {api} (profile {profile}). A failure of the API is error {API_FAILED} with a settlement as data."),
            "description": text("request"),
            "paramStructure": "by-name",
            "params": [
                {"name": "args", "required": true, "schema": {"type": "array", "prefixItems": [{"$ref": format!("../api/{api}.request.json")}]}},
                {"name": "run", "schema": {"type": "string"}},
                {"name": "scenario", "schema": {"type": "string"}},
                {"name": "page", "schema": {"type": "string"}},
                {"name": "prefer", "schema": {"$ref": "call.params.json#/$defs/Prefer"}},
            ],
            "result": {"name": "settlement", "description": text("result"), "schema": {"allOf": [
                {"$ref": "settlement.json"},
                {"properties": {"value": {"$ref": format!("../api/{api}.result.json")}}},
            ]}},
            "errors": [
                {"code": API_FAILED, "message": "the API settled by fail, reject, throw or cancel; data is a settlement"},
                {"code": METHOD_NOT_FOUND, "message": "the target has no such method"},
                {"code": INVALID_PARAMS, "message": "the bridge's own parameters are wrong, never the API's"},
            ],
        }));
    }
    for (name, summary, params) in [
        ("bridge.callback", "Notification by the target: a further settlement of a call.", "callback.params.json"),
        ("bridge.event", "Notification by the target: an event of an object.", "event.params.json"),
    ] {
        methods.push(json!({"name": name, "summary": summary, "paramStructure": "by-name", "params": by_name(params)}));
    }
    json!({
        "openrpc": "1.3.2",
        "info": {"title": "fincert bridge", "version": PROTOCOL.to_string(),
                 "description": "JSON-RPC 2.0 between fincert and a target: fincert calls, the target answers and notifies."},
        "methods": methods,
    })
}

/// OpenRPC describes each member of by-name params on its own.
fn by_name(file: &str) -> Vec<Value> {
    let schema = match file {
        "hello.params.json" => schema_of::<HelloParams>(),
        "putFile.params.json" => schema_of::<PutFileParams>(),
        "getFile.params.json" => schema_of::<GetFileParams>(),
        "get.params.json" => schema_of::<GetParams>(),
        "listen.params.json" => schema_of::<ListenParams>(),
        "callback.params.json" => schema_of::<CallbackParams>(),
        "event.params.json" => schema_of::<EventParams>(),
        _ => return Vec::new(),
    };
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    properties
        .keys()
        .map(|name| {
            json!({"name": name, "required": required.contains(&name.as_str()),
                   "schema": {"$ref": format!("{file}#/properties/{name}")}})
        })
        .collect()
}
