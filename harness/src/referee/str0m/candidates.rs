//! Candidates of the other end: everything a target sends is hostile, its addresses too.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use fincert_peer::{AddressPolicy, PeerError};

/// A peer takes at most this many candidates.
pub(super) const MAX_CANDIDATES: usize = 100;
/// At most this many addresses are remembered with what was decided of them.
const MAX_REMEMBERED: usize = 256;

/// Decides which addresses packets go to and come from.
#[derive(Debug)]
pub(super) struct Gate {
    policy: AddressPolicy,
    decided: HashMap<IpAddr, bool>,
}

impl Gate {
    pub(super) fn new(policy: AddressPolicy) -> Self {
        Self { policy, decided: HashMap::new() }
    }

    pub(super) fn allows(&mut self, address: IpAddr) -> bool {
        if let Some(decided) = self.decided.get(&address) {
            return *decided;
        }
        let allowed = self.decide(address);
        if self.decided.len() < MAX_REMEMBERED {
            self.decided.insert(address, allowed);
        }
        allowed
    }

    fn decide(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if address.is_loopback() || self.policy.allowed.iter().any(|network| contains(*network, address)) {
            return true;
        }
        is_own(address)
    }

    /// Reads a candidate, and refuses it unless it is UDP to an address that is allowed.
    pub(super) fn read(&mut self, text: &str) -> Result<str0m::Candidate, PeerError> {
        let text = text.trim();
        let text = text.strip_prefix("a=").unwrap_or(text);
        let words: Vec<_> = text.split_whitespace().take(6).collect();
        let [_, _, protocol, _, address, _] = words[..] else {
            return Err(PeerError::Malformed(format!("a candidate of {} words: {}", words.len(), short(text))));
        };
        if !protocol.eq_ignore_ascii_case("udp") {
            return Err(if protocol.to_ascii_lowercase().contains("tcp") {
                PeerError::Tcp
            } else {
                PeerError::Malformed(format!("a candidate over {}", short(protocol)))
            });
        }
        let address: IpAddr = address.parse().map_err(|_| {
            let name = address.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
            if name { PeerError::HostName } else { PeerError::Malformed(format!("the address {}", short(address))) }
        })?;
        let candidate = str0m::Candidate::from_sdp_string(&lowercase_protocol(text))
            .map_err(|error| PeerError::Malformed(short(&error.to_string()).to_owned()))?;
        if !self.allows(address) {
            return Err(PeerError::Blocked(address.to_string()));
        }
        Ok(candidate)
    }
}

/// The candidates that str0m was given, for the name of the selected pair.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<SocketAddr, String>);

impl Known {
    pub(super) fn learn(&mut self, candidate: &str0m::Candidate) {
        if self.0.len() < MAX_CANDIDATES {
            self.0.insert(candidate.addr(), candidate.kind().to_string());
        }
    }

    /// Type and address. One that was never told is peer-reflexive (RFC 8445 section 7.3.1.3).
    pub(super) fn name(&self, address: SocketAddr) -> String {
        format!("{} {address}", self.0.get(&address).map_or("prflx", String::as_str))
    }
}

/// Whether the address is this machine's: packets to it would leave from it. Nothing is sent, connecting a UDP socket only
/// asks the routing table.
fn is_own(address: IpAddr) -> bool {
    let any: IpAddr = if address.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let source = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((address, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == address)
}

fn contains((network, length): (IpAddr, u8), address: IpAddr) -> bool {
    fn same(left: &[u8], right: &[u8], length: u8) -> bool {
        let bits = usize::from(length).min(left.len() * 8);
        let (whole, rest) = (bits / 8, bits % 8);
        left[..whole] == right[..whole] && (rest == 0 || (left[whole] ^ right[whole]).leading_zeros() as usize >= rest)
    }
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => same(&network.octets(), &address.octets(), length),
        (IpAddr::V6(network), IpAddr::V6(address)) => same(&network.octets(), &address.octets(), length),
        _ => false,
    }
}

/// str0m knows the protocol in lower case alone; RFC 8839 section 5.1 says UDP, and any case is meant.
fn lowercase_protocol(text: &str) -> String {
    let mut words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    if let Some(word) = words.get_mut(2) {
        word.make_ascii_lowercase();
    }
    words.join(" ")
}

fn short(text: &str) -> &str {
    let end = text.char_indices().nth(120).map_or(text.len(), |(index, _)| index);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(allowed: &[(&str, u8)]) -> Gate {
        let allowed = allowed.iter().filter_map(|(address, bits)| Some((address.parse().ok()?, *bits))).collect();
        Gate::new(AddressPolicy { allowed })
    }

    #[test]
    fn networks_hold_to_the_bit() {
        let mut gate = gate(&[("198.51.100.0", 25), ("2001:db8::", 33)]);
        let mut allows = |address: &str| address.parse().is_ok_and(|address| gate.allows(address));
        assert!(allows("198.51.100.127") && !allows("198.51.100.128"));
        assert!(allows("2001:db8:7fff::1") && !allows("2001:db8:8000::1"));
        assert!(allows("127.0.0.9") && allows("::1") && allows("::ffff:127.0.0.1"));
        assert!(super::super::local_addresses().iter().all(|own| allows(&own.to_string())));
        assert!(!allows("0.0.0.0") && !allows("255.255.255.255") && !allows("224.0.0.1") && !allows("ff02::1"));
    }

    #[test]
    fn what_was_decided_is_kept_within_bounds() {
        let mut gate = gate(&[]);
        for host in 0..=u16::MAX {
            let [high, low] = host.to_be_bytes();
            assert!(!gate.allows(IpAddr::from([203, 0, high & 0x7f, low])));
        }
        assert!(gate.decided.len() <= MAX_REMEMBERED);
    }
}
