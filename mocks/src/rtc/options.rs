//! The options of `ft.webrtc.createRTCPeerConnection`: an RTCConfiguration (W3C webrtc-pc section 4.2.1).

use fincert_peer::{Bundle, Faults, IceServer};
use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// The most servers and the most URLs of one server that are looked at.
const MAX_SERVERS: usize = 32;

/// What a connection is made with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// The servers to gather with.
    pub servers: Vec<IceServer>,
    /// Whether only relay candidates are used.
    pub relay_only: bool,
    /// `bundlePolicy`.
    pub bundle: Bundle,
    /// What `getConfiguration` gives back: the options as they came, and the defaults of what did not.
    pub configuration: Map<String, Value>,
    /// What the engine does wrong on purpose.
    pub faults: Faults,
}

impl Options {
    /// Reads the argument; `None` where there is none.
    pub fn read(argument: Option<&Value>) -> Result<Self, Refusal> {
        let nothing = Map::new();
        let given = match argument {
            None | Some(Value::Null) => &nothing,
            Some(Value::Object(given)) => given,
            Some(_) => return Err(Refusal::of_type("options: an object")),
        };
        let servers = match given.get("iceServers") {
            None => Vec::new(),
            Some(Value::Array(servers)) if servers.len() <= MAX_SERVERS => servers
                .iter()
                .enumerate()
                .map(|(index, server)| read_server(index, server))
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(Refusal::of_type(format!("iceServers: an array of at most {MAX_SERVERS} servers"))),
        };
        let relay_only = word(given, "iceTransportPolicy", &["all", "relay"])? == "relay";
        let bundle = match word(given, "bundlePolicy", &["balanced", "max-compat", "max-bundle"])? {
            "max-compat" => Bundle::MaxCompat,
            "max-bundle" => Bundle::MaxBundle,
            _ => Bundle::Balanced,
        };
        word(given, "rtcpMuxPolicy", &["require"])?;
        if given.get("iceCandidatePoolSize").is_some_and(|size| size.as_u64().is_none_or(|size| size > 255)) {
            return Err(Refusal::of_type("iceCandidatePoolSize: an integer from 0 to 255"));
        }
        Ok(Self { servers, relay_only, bundle, configuration: configuration(given), faults: Faults::default() })
    }
}

fn configuration(given: &Map<String, Value>) -> Map<String, Value> {
    let mut all = given.clone();
    for (name, default) in [
        ("iceServers", json!([])),
        ("iceTransportPolicy", json!("all")),
        ("bundlePolicy", json!("balanced")),
        ("rtcpMuxPolicy", json!("require")),
        ("iceCandidatePoolSize", json!(0)),
    ] {
        all.entry(name).or_insert(default);
    }
    all
}

/// One of the words of an enumeration; the first is the default.
fn word<'a>(given: &'a Map<String, Value>, name: &str, words: &[&'a str]) -> Result<&'a str, Refusal> {
    match given.get(name) {
        None => Ok(words[0]),
        Some(Value::String(word)) if words.contains(&word.as_str()) => Ok(word),
        Some(_) => Err(Refusal::of_type(format!("{name}: one of {}", words.join(", ")))),
    }
}

fn read_server(index: usize, server: &Value) -> Result<IceServer, Refusal> {
    let at = format!("iceServers[{index}]");
    let server = server.as_object().ok_or_else(|| Refusal::of_type(format!("{at}: an object")))?;
    let urls: Vec<&str> = match server.get("urls") {
        Some(Value::String(url)) => vec![url],
        Some(Value::Array(urls)) if (1..=MAX_SERVERS).contains(&urls.len()) => urls
            .iter()
            .map(|url| url.as_str().ok_or_else(|| Refusal::of_type(format!("{at}.urls: strings"))))
            .collect::<Result<_, _>>()?,
        Some(Value::Array(_)) => return Err(Refusal::of_syntax(format!("{at}.urls: 1 to {MAX_SERVERS} URLs"))),
        _ => return Err(Refusal::of_type(format!("{at}.urls: a string or an array of strings"))),
    };
    let text = |name: &str| match server.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::of_type(format!("{at}.{name}: a string"))),
    };
    let (username, credential) = (text("username")?, text("credential")?);
    for url in &urls {
        let is_turn = check_url(url).ok_or_else(|| {
            Refusal::of_syntax(format!("{at}.urls: stun:HOST[:PORT] or turn:HOST[:PORT][?transport=udp|tcp]"))
        })?;
        if is_turn && (username.is_none() || credential.is_none()) {
            return Err(Refusal::of_access(format!("{at}: a TURN server needs username and credential")));
        }
    }
    Ok(IceServer {
        urls: urls.into_iter().map(str::to_owned).collect(),
        username: username.unwrap_or_default(),
        credential: credential.unwrap_or_default(),
    })
}

/// Whether the URL names a TURN server; `None` if it is none of RFC 7064 and RFC 7065.
fn check_url(url: &str) -> Option<bool> {
    let (scheme, rest) = url.split_once(':')?;
    let turn = match scheme.to_ascii_lowercase().as_str() {
        "stun" | "stuns" => false,
        "turn" | "turns" => true,
        _ => return None,
    };
    let (host, query) = rest.split_once('?').map_or((rest, None), |(host, query)| (host, Some(query)));
    match query {
        None => {}
        Some("transport=udp" | "transport=tcp") if turn => {}
        Some(_) => return None,
    }
    let (host, port) = match host.strip_prefix('[') {
        Some(inner) => {
            let (address, after) = inner.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (address, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => host.split_once(':').map_or((host, None), |(host, port)| (host, Some(port))),
    };
    let named = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    let whole = !host.is_empty() && host.len() <= 255 && host.bytes().all(named);
    let port =
        port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0));
    (whole && port).then_some(turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(options: Value) -> &'static str {
        Options::read(Some(&options)).unwrap_err().name
    }

    #[test]
    fn options_come_back_as_given_with_defaults() {
        let none = Options::read(None).unwrap();
        assert_eq!(Value::Object(none.configuration.clone())["iceTransportPolicy"], "all");
        assert_eq!(Options::read(Some(&Value::Null)).unwrap(), none);
        let given = json!({"iceServers": [{"urls": "stun:stun.example.com"}, {"urls": ["turn:127.0.0.1:3478?transport=udp"],
            "username": "u", "credential": "c"}], "iceTransportPolicy": "relay", "extra": {"a": 1}});
        let options = Options::read(Some(&given)).unwrap();
        assert!(options.relay_only && options.servers.len() == 2 && options.servers[1].credential == "c");
        for (name, value) in given.as_object().unwrap() {
            assert_eq!(options.configuration.get(name), Some(value));
        }
        for url in ["stun:[::1]:3478", "STUN:stun.example.com:19302", "turns:turn.example.com?transport=tcp"] {
            let server = json!({"iceServers": [{"urls": url, "username": "u", "credential": "c"}]});
            assert!(Options::read(Some(&server)).is_ok(), "{url}");
        }
    }

    #[test]
    fn invalid_options_are_refused_by_name_and_without_values() {
        for url in [
            "",
            "stun:",
            "http://example.com",
            "stun.example.com",
            "stun:a b",
            "stun:h:0",
            "stun:h:70000",
            "stun:h?transport=udp",
            "turn:h?transport=carrier-pigeon",
            "stun:[::1",
            "stun:[x]",
        ] {
            let server = json!({"iceServers": [{"urls": url, "username": "u", "credential": "c"}]});
            assert_eq!(refused(server), "SyntaxError", "{url}");
        }
        assert_eq!(refused(json!({"iceServers": [{"urls": []}]})), "SyntaxError");
        assert_eq!(refused(json!({"iceServers": [{"urls": "turn:h"}]})), "InvalidAccessError");
        assert_eq!(refused(json!({"iceServers": [{"urls": "turn:h", "username": "SECRET"}]})), "InvalidAccessError");
        for options in [
            json!("x"),
            json!({"iceServers": {}}),
            json!({"iceServers": [7]}),
            json!({"iceServers": [{}]}),
            json!({"iceTransportPolicy": "none"}),
            json!({"bundlePolicy": "SECRET"}),
            json!({"rtcpMuxPolicy": "negotiate"}),
            json!({"iceCandidatePoolSize": 256}),
        ] {
            assert_eq!(refused(options.clone()), "TypeError", "{options}");
            assert!(!Options::read(Some(&options)).unwrap_err().message.contains("SECRET"));
        }
    }
}
