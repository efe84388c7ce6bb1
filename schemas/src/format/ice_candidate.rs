//! The text of an ICE candidate, `candidate:…` (RFC 8839 section 5.1).

use std::net::IpAddr;

use super::fault::FormatFault;

/// The longest text that is read: every known extension fits several times.
const MAX_CHARS: usize = 1024;

/// The kind of a candidate (RFC 8445 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An address of the machine's own.
    Host,
    /// An address that a STUN server saw.
    ServerReflexive,
    /// An address that the other end saw.
    PeerReflexive,
    /// An address at a TURN server.
    Relay,
}

impl Kind {
    /// The kind's word behind `typ`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::ServerReflexive => "srflx",
            Self::PeerReflexive => "prflx",
            Self::Relay => "relay",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Self::Host, Self::ServerReflexive, Self::PeerReflexive, Self::Relay]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// A candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Equal for candidates of one type, base, server and transport.
    pub foundation: &'a str,
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// `udp` or `tcp`, as it is written.
    pub transport: &'a str,
    /// As it is written, if it is 1 to 10 digits.
    pub priority: u64,
    /// An IP address or a host name.
    pub address: &'a str,
    /// The port.
    pub port: u16,
    /// The kind.
    pub kind: Kind,
    /// The related address.
    pub related_address: Option<&'a str>,
    /// The related port.
    pub related_port: Option<u16>,
    /// Extensions: names and values, in order (`generation 0 ufrag abcd`).
    pub extensions: Vec<(&'a str, &'a str)>,
}

/// Reads a candidate.
///
/// Shape: `candidate:`, then foundation, component, transport, priority, address and port, one space between, `typ` and
/// the kind, then perhaps `raddr`, `rport` and extensions. Whether foundation and priority are valid ones is asked with
/// [`Candidate::foundation_fault`] and [`Candidate::priority_fault`]. Source: RFC 8839 section 5.1.
///
/// Rules of the fault: `length`, `prefix`, `fields`, `component`, `priority`, `port`, `typ`.
pub fn parse(text: &str) -> Result<Candidate<'_>, FormatFault> {
    if text.len() > MAX_CHARS {
        return Err(FormatFault::length(text.len(), "at most 1024", "至多 1024"));
    }
    let Some(rest) = text.strip_prefix("candidate:") else {
        let (en, zh) = ("the text does not begin with \"candidate:\"", "文本不以 \"candidate:\" 开头");
        return Err(FormatFault::new("prefix", en, zh));
    };
    let words: Vec<&str> = rest.split(' ').collect();
    let [foundation, component, transport, priority, address, port, typ, kind, ref tail @ ..] = words[..] else {
        let found = words.len();
        return Err(FormatFault::new(
            "fields",
            format!("there are {found} fields; there should be at least 8"),
            format!("有 {found} 个字段,应至少有 8 个"),
        ));
    };
    if [foundation, transport, address].iter().any(|word| word.is_empty()) {
        return Err(FormatFault::new("fields", "a field is empty", "有字段为空"));
    }
    let number = |rule, word: &str, digits: usize, en: &str, zh: &str| {
        let right = (1..=digits).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
        right.then(|| word.parse::<u64>().ok()).flatten().ok_or_else(|| FormatFault::new(rule, en, zh))
    };
    let component =
        number("component", component, 3, "the component is not 1 to 3 digits", "component 不是 1 至 3 位数字")?;
    let priority =
        number("priority", priority, 10, "the priority is not 1 to 10 digits", "priority 不是 1 至 10 位数字")?;
    let not_a_port = || FormatFault::new("port", "the port is not in 0 to 65535", "端口不在 0 至 65535 之内");
    let port: u16 = port.parse().map_err(|_| not_a_port())?;
    let no_kind = || {
        let (en, zh) =
            ("\"typ\" with host, srflx, prflx or relay is missing", "缺少 \"typ\" 及 host、srflx、prflx 或 relay");
        FormatFault::new("typ", en, zh)
    };
    let kind = Some(kind).filter(|_| typ == "typ").and_then(Kind::of).ok_or_else(no_kind)?;
    let mut candidate = Candidate {
        foundation,
        component: component as u16,
        transport,
        priority,
        address,
        port,
        kind,
        related_address: None,
        related_port: None,
        extensions: Vec::new(),
    };
    for pair in tail.chunks(2) {
        let (name, value) = (pair[0], pair.get(1).copied().unwrap_or_default());
        match name {
            "raddr" => candidate.related_address = Some(value),
            "rport" => candidate.related_port = Some(value.parse().map_err(|_| not_a_port())?),
            _ => candidate.extensions.push((name, value)),
        }
    }
    Ok(candidate)
}

impl<'a> Candidate<'a> {
    /// Whether it goes over UDP; case does not matter (RFC 8839 section 5.1).
    pub fn is_udp(&self) -> bool {
        self.transport.eq_ignore_ascii_case("udp")
    }

    /// The IP address, where it is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }

    /// The value of an extension: `ufrag`, `generation`, `tcptype`.
    pub fn extension(&self, name: &str) -> Option<&'a str> {
        self.extensions.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// The type preference within the priority, 126 for host and 0 for relay by RFC 8445 section 5.1.2.2.
    pub fn type_preference(&self) -> u64 {
        self.priority >> 24
    }

    /// What is wrong with the foundation: 1 to 32 letters, digits, `+` and `/`.
    ///
    /// Rules of the fault: `length`, `alphabet`.
    pub fn foundation_fault(&self) -> Option<FormatFault> {
        let chars = self.foundation.chars().count();
        if !(1..=32).contains(&chars) {
            return Some(FormatFault::length(chars, "1 to 32 characters", "1 至 32 个字符"));
        }
        let is_ice = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
        let (c, position) = self.foundation.chars().zip(1..).find(|(c, _)| !is_ice(*c))?;
        let (en, zh) = ("only letters, digits, + and / may stand here", "此处只能是字母、数字、+ 和 /");
        Some(FormatFault::character("alphabet", position, c, en, zh))
    }

    /// What is wrong with the priority: 1 to 2^31−1 (RFC 8445 section 5.1.2), made of a type preference of at most 126,
    /// a local preference and 256 less the component (section 5.1.2.1).
    ///
    /// Rules of the fault: `range`, `type-preference`, `component`.
    pub fn priority_fault(&self) -> Option<FormatFault> {
        let (priority, component) = (self.priority, self.component);
        if !(1..=u64::from(i32::MAX.unsigned_abs())).contains(&priority) {
            let en = format!("the priority {priority} is not in 1 to 2147483647");
            return Some(FormatFault::new("range", en, format!("priority {priority} 不在 1 至 2147483647 之内")));
        }
        if self.type_preference() > 126 {
            let en = format!("the type preference in the priority {priority} is above 126");
            return Some(FormatFault::new(
                "type-preference",
                en,
                format!("priority {priority} 中的类型优先级大于 126"),
            ));
        }
        if (priority & 0xff) != (256 - u64::from(component.min(256))) & 0xff {
            let en = format!("the last byte of the priority {priority} is not 256 less the component {component}");
            let zh = format!("priority {priority} 的末字节不是 256 减 component {component}");
            return Some(FormatFault::new("component", en, zh));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOST: &str =
        "candidate:842163049 1 udp 2122260223 192.0.2.10 54321 typ host generation 0 ufrag abcd network-id 1";
    const RELAY: &str = "candidate:R/+1 1 UDP 16777215 198.51.100.7 3478 typ relay raddr 0.0.0.0 rport 9";

    fn rule(text: &str) -> &'static str {
        parse(text).map_or_else(|fault| fault.rule, |_| "valid")
    }

    #[test]
    fn known_candidates_read() {
        let host = parse(HOST).unwrap();
        assert_eq!((host.foundation, host.component, host.priority), ("842163049", 1, 2_122_260_223));
        assert_eq!((host.address, host.port, host.kind), ("192.0.2.10", 54_321, Kind::Host));
        assert_eq!((host.extension("ufrag"), host.extension("tcptype")), (Some("abcd"), None));
        assert!(host.is_udp() && host.type_preference() == 126);
        let relay = parse(RELAY).unwrap();
        assert_eq!((relay.kind, relay.related_address, relay.related_port), (Kind::Relay, Some("0.0.0.0"), Some(9)));
        assert!(relay.ip().is_some());
        for candidate in [host, relay] {
            assert_eq!((candidate.foundation_fault(), candidate.priority_fault()), (None, None));
        }
        assert_eq!(parse(&HOST.replace("192.0.2.10", "7d2c-4e11.local")).unwrap().ip(), None);
    }

    #[test]
    fn what_is_no_candidate() {
        assert_eq!(rule(""), "prefix");
        assert_eq!(rule(&format!("a={HOST}")), "prefix");
        assert_eq!(rule("candidate:1 1 udp"), "fields");
        assert_eq!(rule(&HOST.replace("udp ", "udp  ")), "priority");
        assert_eq!(rule(&HOST.replace("typ host", "type host")), "typ");
        assert_eq!(rule(&HOST.replace("typ host", "typ elsewhere")), "typ");
        assert_eq!(rule(&HOST.replace("54321", "65536")), "port");
        assert_eq!(rule(&HOST.replace("2122260223", "-1")), "priority");
        assert_eq!(rule(&HOST.replace("2122260223", "99999999999")), "priority");
        assert_eq!(rule(&HOST.replace(" 1 udp", " one udp")), "component");
        assert_eq!(rule(&format!("{HOST} {}", "x".repeat(2000))), "length");
    }

    #[test]
    fn foundations_and_priorities_that_are_none() {
        let foundation = |text: &str| {
            let whole = HOST.replace("842163049", text);
            parse(&whole).unwrap().foundation_fault().map(|fault| fault.rule)
        };
        assert_eq!(foundation("a+/Z9"), None);
        assert_eq!(foundation("a_b"), Some("alphabet"));
        assert_eq!(foundation(&"a".repeat(33)), Some("length"));
        let priority = |text: &str| {
            let whole = HOST.replace("2122260223", text);
            parse(&whole).unwrap().priority_fault().map(|fault| fault.rule)
        };
        assert_eq!(priority("0"), Some("range"));
        assert_eq!(priority("2147483648"), Some("range"));
        assert_eq!(priority("2147483647"), Some("type-preference"));
        assert_eq!(priority("2122260222"), Some("component"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in prop_oneof![any::<String>(), "candidate:[ -~]{0,80}", "candidate:[a-z0-9]{1,4}( [0-9]{1,4} udp [0-9]{1,11} [0-9.]{1,9} [0-9]{1,6} typ (host|relay))( [a-z0-9]{0,5}){0,6}"]) {
            if let Ok(candidate) = parse(&text) {
                let _ = (candidate.foundation_fault(), candidate.priority_fault(), candidate.ip());
            }
        }

        #[test]
        fn a_priority_of_the_formula_is_valid(kind in 0u64..=126, local in 0u64..=65_535, component in 1u64..=256) {
            let priority = (kind << 24) | (local << 8) | (256 - component);
            prop_assume!(priority > 0);
            let text = format!("candidate:1 {component} udp {priority} 192.0.2.1 9 typ host");
            prop_assert_eq!(parse(&text).unwrap().priority_fault(), None);
        }
    }
}
