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
use crate::decide::{self, Over, decide};
use crate::help;
use crate::host::{Host, Life};
use crate::pending::Ticket;
use crate::plan::{Action, Plan};
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
        "/" | "/bridge" | "/canned" | "/journal" => not_allowed("GET"),
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
    let wish = match preferred(request.headers()) {
        Some(name) if canned::find(api, &name).is_none() => {
            let names = canned::names(api);
            return Ok(error(StatusCode::BAD_REQUEST, json!({"error": "no such canned result", "examples": names})));
        }
        wish => wish,
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
    let mut params = json!({"args": [asked]});
    if let Some(name) = wish {
        params["prefer"] = json!({"example": name});
    }
    let asked = decide::Request { id: &Value::Null, method: &format!("ft.{api}"), params: &params, over: Over::Http };
    let state = host.state_over_http();
    let decision = decide(&asked, &state, &host.config);
    host.journal.note(&decision, host.config.defect.map(|defect| defect.name));
    let ticket = decision.waiting().map(|waiting| state.pending.enter(waiting));
    carry_out(&decision.plan, decision.call.example, ticket, host.config.silence).await
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

/// The canned result that the header `Prefer: example=NAME` names.
fn preferred(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .filter_map(|wish| wish.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("example"))
        .map(|(_, name)| name.trim().trim_matches('"').to_owned())
}

/// The first settlement of the plan is the answer; HTTP has no place for the rest.
async fn carry_out(
    plan: &Plan,
    example: Option<&'static str>,
    ticket: Option<Ticket>,
    silence: Duration,
) -> Result<Answer, Crashed> {
    let mut pause = Duration::ZERO;
    for step in &plan.steps {
        pause += step.after;
        match &step.action {
            Action::Answer(settlement) => {
                tokio::time::sleep(pause).await;
                drop(ticket);
                let body = format!("{}\n", settlement.value.as_ref().unwrap_or(&Value::Null));
                let mut answer = respond(StatusCode::OK, JSON, plan.spelling.write(body.into_bytes()));
                let headers = answer.headers_mut();
                headers.insert("fincert-via", HeaderValue::from_static(settlement.via.as_str()));
                if let Some(example) = example {
                    headers.insert("fincert-example", HeaderValue::from_static(example));
                }
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
