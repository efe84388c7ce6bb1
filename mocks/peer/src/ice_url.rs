//! URLs of STUN and TURN servers (RFC 7064, RFC 7065).

use std::net::{IpAddr, Ipv4Addr};

use crate::peer::{IceServer, PeerError};

/// Judges the servers of a configuration (W3C webrtc-pc 4.4.1.6) and gives those that can be used: over UDP, with an IP
/// address or `localhost`. Names are never resolved, so a server with a name gives no candidates.
pub(crate) fn usable(servers: &[IceServer]) -> Result<Vec<IceServer>, PeerError> {
    let mut usable = Vec::new();
    for server in servers {
        if server.urls.is_empty() {
            return Err(malformed("a server without URL"));
        }
        let mut urls = Vec::new();
        for text in &server.urls {
            let url = IceUrl::read(text)?;
            if url.turn && (server.username.is_empty() || server.credential.is_empty()) {
                return Err(malformed("a TURN server needs username and credential"));
            }
            urls.extend(url.plain());
        }
        if !urls.is_empty() {
            usable.push(IceServer { urls, ..server.clone() });
        }
    }
    Ok(usable)
}

struct IceUrl<'a> {
    turn: bool,
    secure: bool,
    host: &'a str,
    port: u16,
    udp: bool,
}

impl<'a> IceUrl<'a> {
    fn read(text: &'a str) -> Result<Self, PeerError> {
        let wrong = |why: &str| malformed(format!("the ICE server URL {} {why}", crate::address::short(text)));
        let (scheme, rest) = text.split_once(':').ok_or_else(|| wrong("has no scheme"))?;
        let (turn, secure) = match scheme.to_ascii_lowercase().as_str() {
            "stun" => (false, false),
            "stuns" => (false, true),
            "turn" => (true, false),
            "turns" => (true, true),
            _ => return Err(wrong("is neither stun:, stuns:, turn: nor turns:")),
        };
        let (authority, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let udp = match query {
            None => !secure,
            Some("transport=udp") if turn => true,
            Some("transport=tcp") if turn => false,
            Some(_) => return Err(wrong("has a query that is not transport=udp or transport=tcp")),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(|| wrong("has a bracket that is not closed"))?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong("has brackets around no IPv6 address"))?;
                (host, port)
            }
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let name = |c: char| c.is_alphanumeric() || "-._:%".contains(c);
        if host.is_empty() || !host.chars().all(name) {
            return Err(wrong("has no host"));
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => {
                if secure {
                    5349
                } else {
                    3478
                }
            }
            Some(digits) => digits.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong("has no valid port"))?,
            None => return Err(wrong("has something behind the host that is no port")),
        };
        Ok(Self { turn, secure, host, port, udp })
    }

    /// The URL as the crate can use it; `None` if it cannot.
    fn plain(&self) -> Option<String> {
        let host = if self.host.eq_ignore_ascii_case("localhost") {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            self.host.parse().ok()?
        };
        let scheme = if self.turn { "turn" } else { "stun" };
        let host = if host.is_ipv6() { format!("[{host}]") } else { host.to_string() };
        (self.udp && !self.secure).then(|| format!("{scheme}:{host}:{}", self.port))
    }
}

fn malformed(why: impl Into<String>) -> PeerError {
    PeerError::Malformed(why.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn server(url: &str) -> IceServer {
        IceServer { urls: vec![url.to_owned()], username: "u".to_owned(), credential: "c".to_owned() }
    }

    #[test]
    fn urls_that_are_none() {
        for url in [
            "",
            "stun",
            "stun:",
            "http://example.com",
            "stun:host:",
            "stun:host:0",
            "stun:host:65536",
            "stun:host:x",
            "turn:host?transport=sctp",
            "stun:host?transport=udp",
            "turn:[::1",
            "turn:[host]:1",
            "stun://host",
            "stun:a b",
        ] {
            assert!(usable(&[server(url)]).is_err(), "{url}");
        }
        assert!(usable(&[IceServer { username: String::new(), ..server("turn:127.0.0.1") }]).is_err());
        assert!(usable(&[IceServer { credential: String::new(), ..server("turn:127.0.0.1") }]).is_err());
        assert!(usable(&[IceServer { urls: vec![], ..server("") }]).is_err());
    }

    #[test]
    fn those_over_udp_with_an_address_are_used() {
        let of = |url: &str| usable(&[server(url)]).unwrap().pop().map(|server| server.urls[0].clone());
        assert_eq!(of("stun:192.0.2.1").as_deref(), Some("stun:192.0.2.1:3478"));
        assert_eq!(of("turn:[::1]:5000?transport=udp").as_deref(), Some("turn:[::1]:5000"));
        assert_eq!(of("TURN:localhost:7").as_deref(), Some("turn:127.0.0.1:7"));
        for unused in ["stun:stun.stunprotocol.org", "turns:127.0.0.1", "turn:127.0.0.1?transport=tcp", "stuns:[::1]:1"]
        {
            assert_eq!(of(unused), None, "{unused}");
        }
    }
}
