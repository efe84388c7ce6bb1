//! Which addresses packets may go to. Whatever a target says is hostile: a candidate is a request to send packets
//! somewhere (RFC 8445 section 19.5.1).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::Mutex;

use fincert_schemas::format::ice_candidate;

use crate::peer::{AddressPolicy, PeerError};
use crate::sync::lock;

/// At most this many addresses are remembered with what was decided of them.
const MAX_REMEMBERED: usize = 256;

/// What is to be done with a candidate that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is dialled.
    Dial,
    /// It is taken and never dialled: RTCP of its own (component 2), while RTCP is always multiplexed.
    Pass,
}

/// Decides where packets may go, of whichever implementation.
#[derive(Debug, Default)]
pub struct AddressFilter {
    policy: AddressPolicy,
    decided: Mutex<HashMap<IpAddr, bool>>,
}

impl AddressFilter {
    /// A filter of this policy.
    pub fn new(policy: AddressPolicy) -> Self {
        Self { policy, decided: Mutex::default() }
    }

    /// Whether packets may go to the address: loopback, this machine's own, or an allowed network.
    pub fn allows(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        if ip.is_loopback() {
            return true;
        }
        if let Some(decided) = lock(&self.decided).get(&ip) {
            return *decided;
        }
        let allowed = !is_no_one(ip) && (self.policy.allowed.iter().any(|net| contains(*net, ip)) || is_own(ip));
        let mut decided = lock(&self.decided);
        if decided.len() < MAX_REMEMBERED {
            decided.insert(ip, allowed);
        }
        allowed
    }

    /// Reads a candidate, with or without `a=`, and says whether it may be dialled. Names are never resolved.
    pub fn judge(&self, text: &str) -> Result<Verdict, PeerError> {
        let candidate = ice_candidate::parse(text)
            .map_err(|fault| PeerError::Malformed(format!("a candidate: {}", fault.message_en)))?;
        if candidate.transport.eq_ignore_ascii_case("tcp") {
            return Err(PeerError::Tcp);
        }
        if !candidate.is_udp() {
            return Err(PeerError::Malformed(format!("a candidate over {}", short(candidate.transport))));
        }
        let Some(ip) = candidate.ip() else {
            let is_name = candidate.address.chars().all(|c| c.is_alphanumeric() || "-._".contains(c));
            return Err(if is_name {
                PeerError::HostName
            } else {
                PeerError::Malformed(format!("the address {}", short(candidate.address)))
            });
        };
        if !self.allows(ip) {
            return Err(PeerError::Blocked(ip.to_string()));
        }
        if candidate.port == 0 {
            return Err(PeerError::Malformed("a candidate with port 0".to_owned()));
        }
        Ok(if candidate.component == 1 { Verdict::Dial } else { Verdict::Pass })
    }
}

/// The first characters, for a message.
pub(crate) fn short(text: &str) -> &str {
    text.char_indices().nth(60).map_or(text, |(end, _)| &text[..end])
}

/// Addresses of no single machine.
fn is_no_one(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    ip.is_unspecified() || ip.is_multicast() || broadcast
}

/// Packets to one of this machine's own addresses would leave from it. Nothing is sent: connecting a UDP socket asks the
/// routing table. (That an address can be bound says less: a network's broadcast address can be.)
fn is_own(ip: IpAddr) -> bool {
    let any = if ip.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((ip, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == ip)
}

fn contains((network, prefix): (IpAddr, u8), ip: IpAddr) -> bool {
    let (network, ip, bits) = match (network.to_canonical(), ip) {
        (IpAddr::V4(network), IpAddr::V4(ip)) => (u128::from(network.to_bits()), u128::from(ip.to_bits()), 32),
        (IpAddr::V6(network), IpAddr::V6(ip)) => (network.to_bits(), ip.to_bits(), 128),
        _ => return false,
    };
    let free = bits - u32::from(prefix).min(bits);
    // A shift by all 128 bits is no shift in Rust.
    network.checked_shr(free).unwrap_or(0) == ip.checked_shr(free).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn filter(allowed: &[(&str, u8)]) -> AddressFilter {
        let allowed = allowed.iter().map(|(ip, prefix)| (ip.parse().unwrap(), *prefix)).collect();
        AddressFilter::new(AddressPolicy { allowed })
    }

    fn candidate(address: &str) -> String {
        format!("candidate:1 1 udp 2130706431 {address} 5000 typ host")
    }

    #[test]
    fn loopback_and_own_addresses_are_allowed_and_others_are_not() {
        let filter = filter(&[]);
        for own in ["127.0.0.1", "127.8.9.1", "::1"] {
            assert_eq!(filter.judge(&candidate(own)), Ok(Verdict::Dial), "{own}");
        }
        for foreign in ["203.0.113.1", "198.51.100.7", "2001:db8::1", "::ffff:203.0.113.1"] {
            assert!(matches!(filter.judge(&candidate(foreign)), Err(PeerError::Blocked(_))), "{foreign}");
        }
        for no_one in ["0.0.0.0", "::", "255.255.255.255", "224.0.0.251", "ff02::1"] {
            assert!(matches!(filter.judge(&candidate(no_one)), Err(PeerError::Blocked(_))), "{no_one}");
        }
    }

    #[test]
    fn allowed_networks_end_where_their_prefix_ends() {
        let filter = filter(&[("203.0.113.0", 25), ("2001:db8::", 32)]);
        assert!(filter.allows("203.0.113.127".parse().unwrap()));
        assert!(!filter.allows("203.0.113.128".parse().unwrap()));
        assert!(filter.allows("2001:db8:ffff::1".parse().unwrap()));
        assert!(!filter.allows("2001:db9::1".parse().unwrap()));
        assert!(super::contains(("::".parse().unwrap(), 0), "2001:db9::1".parse().unwrap()));
        assert!(!super::contains(("0.0.0.0".parse().unwrap(), 0), "::1".parse().unwrap()));
    }

    #[test]
    fn names_tcp_and_nonsense_are_refused() {
        let filter = filter(&[("0.0.0.0", 0)]);
        for name in ["7d2c-4e11.local", "example.com", "localhost"] {
            assert_eq!(filter.judge(&candidate(name)), Err(PeerError::HostName), "{name}");
        }
        let tcp = "candidate:1 1 tcp 2130706431 127.0.0.1 9 typ host tcptype active";
        assert_eq!(filter.judge(tcp), Err(PeerError::Tcp));
        for text in
            ["", "candidate:", "candidate:1 1 udp 1 127.0.0.1 0 typ host", "candidate:1 1 sctp 1 ::1 5 typ host"]
        {
            assert!(matches!(filter.judge(text), Err(PeerError::Malformed(_))), "{text}");
        }
        let rtcp = candidate("127.0.0.1").replace("candidate:1 1", "candidate:1 2");
        assert_eq!(filter.judge(&rtcp), Ok(Verdict::Pass));
    }
}
