//! Datagrams of no sense, for the defects that attack the peer. They go to addresses of this machine alone.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use fincert_peer::Candidate;
use fincert_schemas::format::ice_candidate;
use tokio::net::UdpSocket;

use super::task::Junk;

/// How many datagrams one candidate gets.
const MANY: u32 = 20_000;

/// Sends them. A candidate that does not point to loopback gets none: a mock host attacks nobody else.
pub(super) async fn send(candidate: &Candidate, junk: Junk) {
    let Some(to) = ice_candidate::parse(&candidate.candidate).ok().and_then(|candidate| {
        let address = candidate.ip().filter(IpAddr::is_loopback)?;
        Some(SocketAddr::new(address, candidate.port))
    }) else {
        return;
    };
    let from = if to.is_ipv4() { IpAddr::from(Ipv4Addr::LOCALHOST) } else { IpAddr::from(Ipv6Addr::LOCALHOST) };
    let Ok(socket) = UdpSocket::bind((from, 0)).await else { return };
    for number in 0..MANY {
        let datagram = match junk {
            Junk::Rtp => rtp(number),
            Junk::Stumps => stump(number),
        };
        // A full queue of the system's is part of a flood.
        let _ = socket.send_to(&datagram, to).await;
    }
}

/// A packet of RTP (RFC 3550 section 5.1) with 1,000 bytes that are not encrypted.
fn rtp(number: u32) -> Vec<u8> {
    let sequence = number.to_be_bytes();
    let mut packet = vec![0x80, 96, sequence[2], sequence[3]];
    packet.extend(number.wrapping_mul(3000).to_be_bytes());
    packet.extend(0xfeed_u32.to_be_bytes());
    packet.resize(1012, 0xaa);
    packet
}

/// The beginning of a message whose first byte says what it is (RFC 7983 section 7), cut off at any length.
fn stump(number: u32) -> Vec<u8> {
    const FIRST: [u8; 6] = [0, 22, 64, 128, 200, 255];
    let first = FIRST[number as usize % FIRST.len()];
    let length = number as usize / FIRST.len() % 96;
    let mut message = vec![first];
    message.extend(number.to_le_bytes().iter().cycle().take(length));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_leaves_this_machine() {
        let candidate = |address: &str| Candidate {
            candidate: format!("candidate:1 1 udp 2130706431 {address} 9 typ host"),
            sdp_mid: None,
            sdp_m_line_index: None,
            username_fragment: None,
        };
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let here =
            candidate("127.0.0.1").candidate.replace(" 9 ", &format!(" {} ", socket.local_addr().unwrap().port()));
        send(&Candidate { candidate: here, ..candidate("") }, Junk::Stumps).await;
        let mut buffer = [0; 2048];
        assert!(socket.recv(&mut buffer).await.is_ok());
        // Were it sent, the system would have to find a way to 192.0.2.1; it returns at once and without one.
        send(&candidate("192.0.2.1"), Junk::Rtp).await;
        send(&candidate("example.com"), Junk::Rtp).await;
        assert_eq!((rtp(1).len(), rtp(1)[3], stump(0), stump(7)[0]), (1012, 1, vec![0], 22));
    }
}
