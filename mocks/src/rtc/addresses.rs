//! The addresses that connections of the mock host gather on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::LazyLock;

/// Loopback of both families, where they are there, and the address by which this machine speaks to others: a phone in
/// the same network reaches the mock host by it.
pub(super) fn addresses() -> Vec<IpAddr> {
    static FOUND: LazyLock<Vec<IpAddr>> = LazyLock::new(|| {
        let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        let mut all: Vec<IpAddr> = loopback.into_iter().filter(|ip| UdpSocket::bind((*ip, 0)).is_ok()).collect();
        all.extend(outward().filter(|ip| !all.contains(ip)));
        all
    });
    FOUND.clone()
}

/// A UDP socket that is connected has the address that the system would send from. Nothing is sent: 192.0.2.1 is an
/// address of nobody (RFC 5737).
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_can_be_bound() {
        let all = addresses();
        assert!(all.iter().all(|ip| UdpSocket::bind((*ip, 0)).is_ok()) && !all.is_empty(), "{all:?}");
    }
}
