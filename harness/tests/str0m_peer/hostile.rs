//! Everything a target sends is hostile.

use std::net::UdpSocket;

use fincert_peer::{AddressPolicy, Candidate, OfferOptions, PeerConfig, PeerError};
use fincert_schemas::run::flow::{MediaKind, Referee};

use crate::ends::{BOTH, End, call, candidate, media_flows, negotiate, value};

async fn end(addresses: AddressPolicy) -> End {
    End::new(Referee::Str0m, PeerConfig { addresses, ..PeerConfig::default() }).await
}

#[tokio::test]
async fn candidates_that_must_not_be_dialled_are_refused() {
    let (a, b) = (end(AddressPolicy::default()).await, end(AddressPolicy::default()).await);
    a.tracks(&[MediaKind::Audio]).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    let add = async |text: &str| b.peer.add_candidate(&candidate(text)).await;
    let blocked = add("candidate:1 1 udp 2130706431 203.0.113.7 50000 typ host").await;
    assert_eq!(blocked, Err(PeerError::Blocked("203.0.113.7".into())));
    assert_eq!(add("candidate:1 1 udp 2130706431 abc.local 50000 typ host").await, Err(PeerError::HostName));
    assert_eq!(add("candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active").await, Err(PeerError::Tcp));
    let malformed = [
        "candidate:",
        "nonsense",
        "candidate:1 1 udp x 127.0.0.1 5 typ host",
        "candidate:1 1 udp 5 127.0.0.1 5 typ odd",
        "candidate:1 1 udp 5 127.0.0.1 99999 typ host",
    ];
    for text in malformed {
        assert!(matches!(add(text).await, Err(PeerError::Malformed(_))), "{text}");
    }
    let elsewhere = Candidate {
        sdp_mid: Some("elsewhere".into()),
        ..candidate("candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host")
    };
    assert!(matches!(b.peer.add_candidate(&elsewhere).await, Err(PeerError::Malformed(_))));
    assert_eq!(add("").await, Ok(()), "the end of candidates");
    assert_eq!(add("candidate:1 1 UDP 2130706431 127.0.0.1 50000 typ host").await, Ok(()));
}

#[tokio::test]
async fn thousands_of_candidates_are_too_many() {
    let (a, b) = (end(AddressPolicy::default()).await, end(AddressPolicy::default()).await);
    let add = async |port: u16| {
        b.peer.add_candidate(&candidate(&format!("candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host"))).await
    };
    for port in 1..=100 {
        assert_eq!(add(port).await, Ok(()));
    }
    for port in 101..5_000 {
        assert!(matches!(add(port).await, Err(PeerError::Other(_))));
    }
    a.tracks(&[MediaKind::Audio]).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
}

#[tokio::test]
async fn what_the_operator_allows_is_taken() {
    let end = end(AddressPolicy { allowed: vec![("203.0.113.0".parse().unwrap(), 29)] }).await;
    for (address, taken) in [("203.0.113.7", true), ("203.0.113.8", false)] {
        let text = format!("candidate:1 1 udp 2130706431 {address} 50000 typ host");
        assert_eq!(end.peer.add_candidate(&candidate(&text)).await.is_ok(), taken, "{address}");
    }
}

#[tokio::test]
async fn garbage_on_the_ports_harms_no_call() {
    let (a, b) = call(Referee::Str0m, true, &BOTH).await;
    let local = a.peer.local_description().await.unwrap().sdp;
    let words: Vec<_> = value(&local, "candidate").split(' ').collect();
    let port: u16 = words[5].parse().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // Every first byte, and so every protocol of RFC 7983; lengths up to what is read and beyond. One seed, no chance.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..20 {
        for first in 0..=u8::MAX {
            let length = [0, 1, 3, 11, 12, 19, 20, 64, 1_200, 4_000][(round + usize::from(first)) % 10];
            let mut datagram = vec![first];
            datagram.extend((0..length).map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[0]
            }));
            socket.send_to(&datagram, ("127.0.0.1", port)).unwrap();
        }
        tokio::task::yield_now().await;
    }
    a.sees("malformed", || a.evidence().malformed > 0).await;
    media_flows(&a, &b, &BOTH).await;
    assert_eq!(a.evidence().received.len(), 2, "{:#?}", a.evidence());
}

#[tokio::test]
async fn two_hundred_calls_leave_no_socket_behind() {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let one = async || {
        let (a, b) = (end(AddressPolicy::default()).await, end(AddressPolicy::default()).await);
        a.tracks(&[MediaKind::Audio]).await;
        negotiate(&a, &b, &OfferOptions::default()).await;
        a.peer.close().await;
        b.peer.close().await;
    };
    one().await;
    let before = open();
    for _ in 0..200 {
        one().await;
    }
    // Other tests of this process have sockets of their own for a while; two hundred pairs would be far more.
    assert!(open() < before + 200, "{} open, {before} before", open());
}
