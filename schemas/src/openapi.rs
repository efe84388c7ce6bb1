//! The mock host's HTTP side as an OpenAPI 3.1 document, generated from the tables of section 2. OpenAPI 3.1 speaks JSON
//! Schema 2020-12, so the tables stand in it as they are; only their references and ids are OpenAPI's.

use serde_json::{Map, Value, json};

use crate::catalog::{APIS, BASE, Catalog};
use crate::data::DataError;

/// Where the schemas of an OpenAPI document stand.
const SCHEMAS: &str = "#/components/schemas/";

/// The whole document.
pub fn document() -> Result<Value, DataError> {
    Ok(openapi(Catalog::embedded()?))
}

fn openapi(catalog: &Catalog) -> Value {
    let mut schemas = Map::new();
    for (id, document) in catalog.documents() {
        if let Some(name) = id.strip_prefix(BASE).and_then(|path| path.strip_prefix("api/")) {
            schemas.insert(component(name), localised(document));
        }
    }
    for (api, _) in APIS {
        schemas.insert(format!("{api}.failure"), failure(api));
    }
    schemas.insert("error".to_owned(), error());
    let paths: Map<_, _> = APIS.iter().map(|(api, _)| (format!("/ft/{api}"), path(catalog, api))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "FinClip 金融场景 API 模拟宿主 / the financial-scenario API of FinClip, mock host",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "以 HTTP 提供的金融场景 API（规范第 2 章）。success、fail 与 cancel 均以 200 返回，响应头 fincert-via 为回调名；\
                参数非法的请求按 fail 返回。 The APIs of section 2 over HTTP. success, fail and cancel all come with status 200, \
                and the header fincert-via names the callback; an invalid request is answered by fail, as a mini program sees it.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/", "description": "fincert mock"}],
        "security": [],
        "tags": APIS.iter().map(|(_, profile)| json!({"name": profile})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": {"prefer": prefer()},
            "headers": headers(),
            "responses": {
                "refused": response("请求体不是 JSON，或 Prefer 无法满足。 The body is not JSON, or a wish cannot be granted."),
                "tooLarge": response("请求体超过 16 MiB。 The body is larger than 16 MiB."),
                "silent": response("无响应：未集成功能 SDK，success 与 fail 均不会回调。 No response: the SDK is absent, and no callback would ever run."),
            },
        },
    })
}

/// The name of a table among the components: `finCardOcr.request`.
fn component(file: &str) -> String {
    file.strip_suffix(".json").unwrap_or(file).to_owned()
}

/// The table without what makes it a document of its own, and with references into this one.
fn localised(document: &Value) -> Value {
    let Value::Object(keywords) = document else { return document.clone() };
    let own = |name: &&String| !["$schema", "$id"].contains(&name.as_str());
    Value::Object(keywords.iter().filter(|(name, _)| own(name)).map(|(name, inner)| member(name, inner)).collect())
}

fn member(name: &str, inner: &Value) -> (String, Value) {
    let value = match (name, inner) {
        ("$ref", Value::String(target)) => format!("{SCHEMAS}{}", component(target)).into(),
        // Examples are values, and no schemas.
        ("examples", values) => values.clone(),
        (_, inner) => referring(inner),
    };
    (name.to_owned(), value)
}

fn referring(schema: &Value) -> Value {
    match schema {
        Value::Object(keywords) => Value::Object(keywords.iter().map(|(name, inner)| member(name, inner)).collect()),
        Value::Array(items) => items.iter().map(referring).collect(),
        other => other.clone(),
    }
}

/// What fail and cancel hand over.
fn failure(api: &str) -> Value {
    json!({
        "title": format!("{api} 失败或取消 / failed or cancelled"),
        "description": "errMsg 为“接口名:fail 原因”或“接口名:cancel”。 errMsg is the API's name with \":fail\" and a reason, or \":cancel\".",
        "type": "object",
        "required": ["errMsg"],
        "properties": {"errMsg": {"type": "string", "pattern": format!("^{api}:(fail|cancel)")}},
        "examples": [{"errMsg": format!("{api}:fail no such file")}],
    })
}

fn error() -> Value {
    json!({
        "title": "出错信息 / what was wrong",
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "string", "description": "出错原因。 What was wrong, and what to do."},
            "rules": {"type": "array", "items": {"type": "string"}, "description": "可以违反的规则。 The rules that can be broken."},
            "examples": {"type": "array", "items": {"type": "string"}, "description": "预置结果的名称。 The names of the canned results."},
        },
        "examples": [{"error": "not JSON: expected value", "line": 2, "column": 11}],
    })
}

fn prefer() -> Value {
    json!({
        "name": "Prefer", "in": "header", "required": false,
        "description": "希望得到的结果（RFC 7240）：example=NAME 为预置结果，dynamic=true 为生成的结果，invalid=RULE 为违反该规则的生成结果，\
            seed=N、index=N 决定生成的结果。 The result that is wished for (RFC 7240): example=NAME a canned one, dynamic=true a generated one, \
            invalid=RULE a generated one that breaks this rule; seed=N and index=N decide what is generated.",
        "schema": {"type": "string"},
        "examples": {
            "canned": {"value": "example=ocr-error-fail"},
            "generated": {"value": "dynamic=true, seed=7"},
            "broken": {"value": "invalid=any, seed=7"},
        },
    })
}

fn headers() -> Value {
    let header = |description: &str, schema: Value| json!({"description": description, "schema": schema});
    json!({
        "via": header("运行的回调。 The callback that ran.", json!({"type": "string", "enum": ["success", "fail", "cancel"]})),
        "example": header("预置结果的名称。 The canned result that was given.", json!({"type": "string"})),
        "seed": header("生成结果的种子。 What the result was generated from.", json!({"type": "integer", "minimum": 0})),
        "index": header("生成结果的序号。 The call's index.", json!({"type": "integer", "minimum": 0})),
        "rule": header("所违反的规则，none 为没有。 The rule that the result breaks, or none.", json!({"type": "string"})),
        "at": header("违反之处（JSON Pointer）。 Where it breaks it, a JSON pointer.", json!({"type": "string"})),
        "applied": header("已满足的 Prefer。 The wishes that were granted.", json!({"type": "string"})),
    })
}

fn response(description: &str) -> Value {
    json!({"description": description,
        "content": {"application/json": {"schema": {"$ref": format!("{SCHEMAS}error")}}}})
}

fn path(catalog: &Catalog, api: &str) -> Value {
    let table = |kind: &str| catalog.document(&format!("api/{api}.{kind}.json"));
    let text = |kind: &str| table(kind).and_then(|table| table.get("description")).cloned().unwrap_or_default();
    let examples = |kind: &str| -> Map<String, Value> {
        let values = table(kind).and_then(|table| table.get("examples")?.as_array());
        values
            .into_iter()
            .flatten()
            .zip(1..)
            .map(|(value, n)| (format!("example-{n}"), json!({"value": value})))
            .collect()
    };
    let reference = |name: String| json!({"$ref": format!("{SCHEMAS}{name}")});
    let header = |name: &str| json!({"$ref": format!("#/components/headers/{name}")});
    let shared = |name: &str| json!({"$ref": format!("#/components/responses/{name}")});
    let profile = APIS.iter().find(|(name, _)| *name == api).map_or("", |(_, profile)| profile);
    json!({"post": {
        "operationId": api,
        "tags": [profile],
        "summary": api,
        "description": text("request"),
        "parameters": [{"$ref": "#/components/parameters/prefer"}],
        "requestBody": {"required": true, "content": {"application/json": {
            "schema": reference(format!("{api}.request")), "examples": examples("request")}}},
        "responses": {
            "200": {
                "description": text("result"),
                "headers": {
                    "fincert-via": header("via"),
                    "fincert-example": header("example"),
                    "fincert-seed": header("seed"),
                    "fincert-index": header("index"),
                    "fincert-broken-rule": header("rule"),
                    "fincert-broken-at": header("at"),
                    "Preference-Applied": header("applied"),
                },
                "content": {"application/json": {
                    "schema": {"anyOf": [reference(format!("{api}.result")), reference(format!("{api}.failure"))]},
                    "examples": examples("result")}},
            },
            "400": shared("refused"),
            "413": shared("tooLarge"),
            "504": shared("silent"),
        },
    }})
}
