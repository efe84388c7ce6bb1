//! The HTTP side: for `curl` and for whoever opens the address in a browser.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fincert_schemas::catalog::APIS;
use fincert_schemas::json::{self, Lexical, Unreadable};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::canned;
use crate::decide::{self, Decision, Over, decide};
use crate::generate::{self, Wrong};
use crate::help;
use crate::host::{Host, Life};
use crate::pending::Ticket;
use crate::plan::{Action, Plan};
use crate::prefer;
use crate::rtc;
use crate::socket;

const JSON: &str = "application/json; charset=utf-8";

/// The largest body of a request.
pub(crate) const MAX_BODY: usize = 16 * 1024 * 1024;

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// A defect takes the host down: the connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the defect closed the connection")]
pub(crate) struct Crashed;

/// Answers one HTTP request.
pub(crate) async fn answer(mut request: Request<Incoming>, host: &Arc<Host>, life: Life) -> Result<Answer, Crashed> {
    let path = request.uri().path().to_owned();
    let get = request.method() == Method::GET;
    Ok(match path.as_str() {
        "/bridge" if get => socket::upgrade(&mut request, Arc::clone(host), life),
        "/" if get => respond(StatusCode::OK, "text/plain; charset=utf-8", help::text(&host.config)),
        "/canned" if get => json_of(StatusCode::OK, &help::canned()),
        "/journal" if get => json_of(StatusCode::OK, &json!(host.journal.entries())),
        "/rules" if get => json_of(StatusCode::OK, &generate::all_rules()),
        "/openapi.json" if get => openapi(),
        "/" | "/bridge" | "/canned" | "/journal" | "/rules" | "/openapi.json" => not_allowed("GET"),
        _ => match path.strip_prefix("/ft/") {
            None => error(StatusCode::NOT_FOUND, json!({"error": "nothing here; GET / says what there is"})),
            Some(api) if rtc::STATICS.contains(&format!("ft.{api}").as_str()) => objects_need_the_bridge(),
            Some(api) if !APIS.iter().any(|(name, _)| *name == api) => unknown_api(),
            Some(_) if request.method() != Method::POST => not_allowed("POST"),
            Some(api) => return call(api, request, host).await,
        },
    })
}

async fn call(api: &str, request: Request<Incoming>, host: &Host) -> Result<Answer, Crashed> {
    let wish = match prefer::from_headers(request.headers()) {
        Ok(wish) if wish.example.as_ref().is_some_and(|name| canned::find(api, name).is_none()) => {
            let names = canned::names(api);
            return Ok(error(StatusCode::BAD_REQUEST, json!({"error": "no such canned result", "examples": names})));
        }
        Ok(wish) => wish,
        Err(why) => return Ok(error(StatusCode::BAD_REQUEST, json!({"error": why}))),
    };
    let body = match Limited::new(request.into_body(), MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(fault) if fault.is::<LengthLimitError>() => {
            return Ok(error(StatusCode::PAYLOAD_TOO_LARGE, json!({"error": format!("at most {MAX_BODY} bytes")})));
        }
        Err(_) => return Ok(error(StatusCode::BAD_REQUEST, json!({"error": "the body did not come whole"}))),
    };
    let asked = match read(&body) {
        Ok(asked) => asked,
        Err(why) => return Ok(error(StatusCode::BAD_REQUEST, why)),
    };
    let params = json!({"args": [asked], "prefer": wish});
    let asked = decide::Request { id: &Value::Null, method: &format!("ft.{api}"), params: &params, over: Over::Http };
    let state = host.state_over_http();
    let decision = decide(&asked, &state, &host.config);
    host.journal.note(&decision, host.config.defect.map(|defect| defect.name));
    let ticket = decision.waiting().map(|waiting| state.pending.enter(waiting));
    if let Some(Wrong { message, rules }) = &decision.wrong {
        return Ok(error(StatusCode::BAD_REQUEST, json!({"error": message, "rules": rules})));
    }
    let mut answer = carry_out(&decision.plan, ticket, host.config.silence).await?;
    label(&decision, answer.headers_mut());
    Ok(answer)
}

/// Says what the answer is: which canned result, or what it was generated from, and which wishes were granted.
fn label(decision: &Decision, headers: &mut HeaderMap) {
    let mut say = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    if let Some(example) = decision.call.example {
        say("fincert-example", example);
    }
    if let Some(label) = &decision.label {
        say("fincert-seed", &label.seed.to_string());
        say("fincert-index", &label.index.to_string());
        say("fincert-broken-rule", label.rule.as_deref().unwrap_or("none"));
        if let Some(at) = &label.at {
            say("fincert-broken-at", at);
        }
    }
    if let Some(granted) = prefer::applied(&decision.granted()) {
        say("preference-applied", &granted);
    }
}

/// An empty body is a request without fields.
fn read(body: &[u8]) -> Result<Value, Value> {
    if body.trim_ascii().is_empty() {
        return Ok(json!({}));
    }
    match json::parse(body) {
        Ok(parsed) => match parsed.faults.into_iter().next() {
            None => Ok(parsed.value),
            Some(Lexical::DuplicateKey { at }) => Err(json!({"error": "a key stands twice", "pointer": at})),
            Some(Lexical::InvalidUtf8 { offset }) => Err(json!({"error": "not UTF-8", "offset": offset})),
        },
        Err(Unreadable::NotJson { message, line, column }) => {
            Err(json!({"error": format!("not JSON: {message}"), "line": line, "column": column}))
        }
        Err(too_deep @ Unreadable::TooDeep) => Err(json!({"error": too_deep.to_string()})),
    }
}

/// The first settlement of the plan is the answer; HTTP has no place for the rest.
async fn carry_out(plan: &Plan, ticket: Option<Ticket>, silence: Duration) -> Result<Answer, Crashed> {
    let mut pause = Duration::ZERO;
    for step in &plan.steps {
        pause += step.after;
        match &step.action {
            Action::Answer(settlement) => {
                tokio::time::sleep(pause).await;
                drop(ticket);
                let body = format!("{}\n", settlement.value.as_ref().unwrap_or(&Value::Null));
                let mut answer = respond(StatusCode::OK, JSON, plan.spelling.write(body.into_bytes()));
                answer.headers_mut().insert("fincert-via", HeaderValue::from_static(settlement.via.as_str()));
                return Ok(answer);
            }
            Action::Refuse { .. } => return Ok(unknown_api()),
            Action::Close => {
                tokio::time::sleep(pause).await;
                return Err(Crashed);
            }
            Action::Result(_)
            | Action::Callback { .. }
            | Action::Event { .. }
            | Action::Later(_)
            | Action::Raw(_)
            | Action::Hang => {}
        }
    }
    tokio::time::sleep(silence).await;
    let why = "no response: neither success nor fail is ever called back; HTTP cannot stay silent, so this says it";
    Ok(error(StatusCode::GATEWAY_TIMEOUT, json!({"error": why, "zh": "无响应：success 与 fail 均不会回调"})))
}

/// Objects, events and tracks live in a session; HTTP has none.
fn objects_need_the_bridge() -> Answer {
    let why = "ft.webrtc works with objects and events: ask it over the bridge, the WebSocket at /bridge";
    error(
        StatusCode::NOT_IMPLEMENTED,
        json!({"error": why, "zh": "ft.webrtc 涉及对象与事件，请通过 /bridge（WebSocket）调用"}),
    )
}

fn openapi() -> Answer {
    match fincert_schemas::openapi::document() {
        Ok(document) => json_of(StatusCode::OK, &document),
        Err(why) => error(StatusCode::INTERNAL_SERVER_ERROR, json!({"error": why.to_string()})),
    }
}

fn unknown_api() -> Answer {
    let apis: Vec<_> = APIS.iter().map(|(name, _)| *name).collect();
    error(StatusCode::NOT_FOUND, json!({"error": "no such API", "apis": apis}))
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer =
        error(StatusCode::METHOD_NOT_ALLOWED, json!({"error": format!("{allowed} is what is understood here")}));
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

pub(crate) fn error(status: StatusCode, body: Value) -> Answer {
    json_of(status, &body)
}

fn json_of(status: StatusCode, body: &Value) -> Answer {
    respond(status, JSON, format!("{body}\n"))
}

fn respond(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::from(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}
