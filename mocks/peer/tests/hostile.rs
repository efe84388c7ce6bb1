//! What a hostile other end may try.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use common::{BOTH, End, close, connect, got, negotiate};
use fincert_peer::{AddressPolicy, Candidate, Description, OfferOptions, PeerConfig, PeerError, SdpKind};
use fincert_schemas::run::flow::MediaKind;

fn candidate(address: SocketAddr) -> Candidate {
    Candidate {
        candidate: format!("candidate:1 1 udp 2130706431 {} {} typ host", address.ip(), address.port()),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    }
}

/// A socket that is dialled where it may be, and what came.
fn trap() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn was_dialled(socket: &UdpSocket) -> bool {
    socket.recv_from(&mut [0; 1500]).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_may_be_dialled_is() {
    let a = End::sending(PeerConfig::default(), &BOTH).await;
    let b = End::sending(PeerConfig::default(), &BOTH).await;
    let (socket, address) = trap();
    negotiate(&a, &b, &OfferOptions::default()).await;
    a.peer.add_candidate(&candidate(address)).await.unwrap();
    assert!(tokio::task::spawn_blocking(move || was_dialled(&socket)).await.unwrap(), "the trap is one");
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_addresses_are_never_dialled() {
    let a = End::sending(PeerConfig::default(), &BOTH).await;
    let b = End::sending(PeerConfig::default(), &BOTH).await;
    let foreign: SocketAddr = "203.0.113.9:4000".parse().unwrap();
    let offer = b.peer.create_offer(&OfferOptions::default()).await.unwrap();
    b.peer.set_local_description(&offer).await.unwrap();
    let line = format!("a={}\r\n", candidate(foreign).candidate);
    let tcp = "a=candidate:2 1 tcp 1518280447 127.0.0.1 9 typ host tcptype passive\r\n";
    let name = "a=candidate:3 1 udp 2130706431 example.com 4000 typ host\r\n";
    let garbage = "a=candidate:garbage\r\n";
    let sdp = format!("{}{line}{tcp}{name}{garbage}", offer.sdp);
    a.peer.set_remote_description(&Description { kind: SdpKind::Offer, sdp }).await.unwrap();
    for (text, expected) in [
        (candidate(foreign).candidate, PeerError::Blocked("203.0.113.9".into())),
        ("candidate:1 1 udp 1 7d2c.local 4000 typ host".into(), PeerError::HostName),
        ("candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype passive".into(), PeerError::Tcp),
    ] {
        let refused = Candidate { candidate: text, ..candidate(foreign) };
        assert_eq!(a.peer.add_candidate(&refused).await, Err(expected));
    }
    let answer = a.peer.create_answer().await.unwrap();
    a.peer.set_local_description(&answer).await.unwrap();
    // ICE has nobody to ask.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(a.peer.evidence().pair, None);
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn allowed_networks_are_dialled() {
    let addresses = AddressPolicy { allowed: vec![("203.0.113.0".parse().unwrap(), 24)] };
    let a = End::sending(PeerConfig { addresses, ..PeerConfig::default() }, &BOTH).await;
    let b = End::sending(PeerConfig::default(), &BOTH).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    a.peer.add_candidate(&candidate("203.0.113.9:4000".parse().unwrap())).await.unwrap();
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_and_descriptions_are_bounded() {
    let a = End::sending(PeerConfig::default(), &BOTH).await;
    let b = End::sending(PeerConfig::default(), &BOTH).await;
    let early = async |port: u16| a.peer.add_candidate(&candidate(SocketAddr::from(([127, 0, 0, 1], port)))).await;
    for port in 1..=100 {
        early(port).await.unwrap();
    }
    assert!(matches!(early(101).await, Err(PeerError::Unable(_))));
    let offer = b.peer.create_offer(&OfferOptions::default()).await.unwrap();
    let large = Description { sdp: format!("{}{}", offer.sdp, "a=x\r\n".repeat(60_000)), ..offer.clone() };
    assert!(matches!(a.peer.set_remote_description(&large).await, Err(PeerError::Malformed(_))));
    a.peer.set_remote_description(&offer).await.unwrap();
    assert!(matches!(early(102).await, Err(PeerError::Unable(_))));
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_media_is_counted_and_harms_nothing() {
    let mut a = End::sending(PeerConfig::default(), &BOTH).await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    connect(&mut a, &mut b).await;
    a.shows("media", |evidence| got(evidence, MediaKind::Audio, 5)).await;
    let to: SocketAddr = {
        let text = a.candidates().into_iter().find(|candidate| candidate.candidate.contains(" 127.0.0.1 ")).unwrap();
        let words: Vec<_> = text.candidate.split(' ').map(str::to_owned).collect();
        format!("{}:{}", words[4], words[5]).parse().unwrap()
    };
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // SRTP that was encrypted by nobody, a protocol that there is not, STUN and DTLS that are none.
    let srtp = [[0x80, 96].as_slice(), &[7; 60]].concat();
    for packet in [srtp.as_slice(), &[0xff; 40], &[0, 1, 0, 0], &[22, 0xfe, 0xfd, 0, 1], &[21, 0xfe, 0xfd, 0, 0]] {
        socket.send_to(packet, to).unwrap();
    }
    let evidence = a.shows("two that are malformed", |evidence| evidence.malformed == 2).await;
    assert_eq!(evidence.received.len(), 2);
    let before = a.peer.evidence().received[0].packets;
    a.shows("media still", |evidence| evidence.received[0].packets > before + 20).await;
    a.drain();
    assert!(!a.told.contains(&fincert_peer::PeerEvent::Connection("failed".into())));
    close([a, b]).await;
}
