//! Who may dial in: whoever shows the token, names this host, and is no foreign page. And what a browser is given to
//! do so: one page and its modules.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use fincert_mocks::web::FT_JS;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use url::Url;

use super::{Obituary, Wire, dial};

/// The page, and the modules that it loads.
const PAGE: &str = include_str!("../../agent/browser.html");
const MODULES: [(&str, &str); 4] = [
    ("/agent/browser.js", include_str!("../../agent/browser.js")),
    ("/agent/bridge.js", include_str!("../../agent/bridge.js")),
    ("/agent/values.js", include_str!("../../agent/values.js")),
    ("/ft.js", FT_JS),
];

/// Of every answer. The page's address holds the token, so no other server shall hear of it, nor a cache keep it.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self' ws: wss:",
    ),
];

type Answer = Response<Full<Bytes>>;

/// Guards a listener.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) address: SocketAddr,
    pub(super) token: String,
    pub(super) wires: mpsc::Sender<Wire>,
    pub(super) obituary: Option<Obituary>,
}

/// Why somebody is not let in.
type Refusal = (StatusCode, &'static str);

impl Door {
    /// Answers a request: the page, a module, or the way in.
    pub(super) fn answer(&self, request: &mut Request<Incoming>, peer: SocketAddr) -> Answer {
        let mut answer = self.lead(request).unwrap_or_else(|(status, why)| {
            tracing::warn!(%peer, %status, why, "a request was refused");
            respond(status, "text/plain; charset=utf-8", format!("fincert: {why}\n"))
        });
        for (name, value) in HEADERS {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        answer
    }

    fn lead(&self, request: &mut Request<Incoming>) -> Result<Answer, Refusal> {
        self.check_host(request)?;
        let path = request.uri().path();
        let module = MODULES.iter().find(|(name, _)| *name == path);
        if module.is_none() && !matches!(path, "/" | "/bridge") {
            return Err((StatusCode::NOT_FOUND, "the bridge is at /bridge, the page for a browser at /"));
        }
        if request.method() != Method::GET {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "GET"));
        }
        // The modules are no secret, and a page's import brings no token.
        if let Some((_, text)) = module {
            return Ok(respond(StatusCode::OK, "text/javascript; charset=utf-8", *text));
        }
        self.check_token(request)?;
        if path == "/" {
            return Ok(respond(StatusCode::OK, "text/html; charset=utf-8", PAGE));
        }
        self.check_origin(request)?;
        self.let_in(request)
    }

    fn check_host(&self, request: &Request<Incoming>) -> Result<(), Refusal> {
        match text(request, &header::HOST) {
            Some(host) if self.is_own_host(host) => Ok(()),
            _ => Err((StatusCode::FORBIDDEN, "the Host header names another host")),
        }
    }

    fn check_token(&self, request: &Request<Incoming>) -> Result<(), Refusal> {
        let query = request.uri().query().unwrap_or_default();
        let shown =
            url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "token").map(|(_, value)| value);
        match shown {
            Some(shown) if same(shown.as_bytes(), self.token.as_bytes()) => Ok(()),
            _ => Err((StatusCode::UNAUTHORIZED, "the token is missing or wrong; use the URL that fincert printed")),
        }
    }

    fn check_origin(&self, request: &Request<Incoming>) -> Result<(), Refusal> {
        match text(request, &header::ORIGIN) {
            Some(origin) if !self.is_near(origin) => {
                Err((StatusCode::FORBIDDEN, "pages of this origin may not dial in"))
            }
            _ => Ok(()),
        }
    }

    /// Upgrades to the bridge's WebSocket, which then waits to be driven.
    fn let_in(&self, request: &mut Request<Incoming>) -> Result<Answer, Refusal> {
        let says = |name, word: &str| {
            text(request, &name)
                .is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
        };
        if !(says(header::UPGRADE, "websocket")
            && says(header::CONNECTION, "upgrade")
            && says(header::SEC_WEBSOCKET_VERSION, "13"))
        {
            return Err((StatusCode::UPGRADE_REQUIRED, "the bridge is a WebSocket (version 13)"));
        }
        let accept = text(request, &header::SEC_WEBSOCKET_KEY)
            .and_then(|key| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok())
            .ok_or((StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing"))?;
        let place = self
            .wires
            .clone()
            .try_reserve_owned()
            .map_err(|_| (StatusCode::SERVICE_UNAVAILABLE, "too many wait to be driven already"))?;
        let upgraded = hyper::upgrade::on(request);
        let obituary = self.obituary.clone();
        tokio::spawn(async move {
            match upgraded.await {
                Ok(upgraded) => {
                    let stream = TokioIo::new(upgraded);
                    let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(dial::limits())).await;
                    place.send(dial::wire(socket, obituary));
                }
                Err(error) => tracing::warn!(%error, "a connection was not upgraded"),
            }
        });
        let mut answer = Answer::default();
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        Ok(answer)
    }

    fn is_own_host(&self, host: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{host}/")) else { return false };
        match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback() || !self.address.ip().is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback() || !self.address.ip().is_loopback(),
            None => false,
        }
    }

    /// Pages from a file, a sandbox or this machine; a native client sends no Origin at all.
    fn is_near(&self, origin: &str) -> bool {
        if origin == "null" || origin.starts_with("file:") {
            return true;
        }
        let Ok(url) = Url::parse(origin) else { return false };
        match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback() || IpAddr::V4(ip) == self.address.ip(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback() || IpAddr::V6(ip) == self.address.ip(),
            None => false,
        }
    }
}

fn respond(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Answer::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn text<'a>(request: &'a Request<Incoming>, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Compares without telling by its time where the first difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}
