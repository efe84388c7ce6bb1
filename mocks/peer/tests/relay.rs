//! Calls over the TURN server of our own.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use common::{BOTH, End, close, connect, got};
use fincert_peer::{AddressPolicy, IceServer, OfferOptions, PeerConfig, PeerError, TurnConfig, TurnServer};
use fincert_schemas::run::flow::MediaKind;
use tokio::net::UdpSocket;

fn relayed(server: IceServer) -> PeerConfig {
    PeerConfig { ice_servers: vec![server], relay_only: true, ..PeerConfig::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn relayed_media_pass_the_server() {
    let turn = TurnServer::start(TurnConfig::default()).await.unwrap();
    assert!(turn.url().starts_with("turn:127.0.0.1:"));
    assert!(turn.username().ends_with(":fincert"));
    let mut a = End::sending(relayed(turn.ice_server()), &BOTH).await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    connect(&mut a, &mut b).await;
    let candidates = a.candidates();
    assert!(!candidates.is_empty() && candidates.iter().all(|candidate| candidate.candidate.contains(" typ relay ")));
    let evidence = b.shows("video", |evidence| got(evidence, MediaKind::Video, 10)).await;
    let evidence_of_a = a.shows("video the other way", |evidence| got(evidence, MediaKind::Video, 10)).await;
    assert!(evidence_of_a.pair.unwrap().local.starts_with("relay "));
    let media: u64 = evidence.received.iter().map(|got| got.payload_bytes).sum();
    let counted = turn.evidence();
    assert!(counted.allocations >= 1 && counted.refused == 0, "{counted:?}");
    assert!(counted.relayed_bytes > media, "{counted:?} of {media}");
    close([a, b]).await;
    turn.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ends_relayed_connect() {
    let turn = TurnServer::start(TurnConfig::default()).await.unwrap();
    let mut a = End::sending(relayed(turn.ice_server()), &BOTH).await;
    let mut b = End::sending(relayed(turn.ice_server()), &BOTH).await;
    connect(&mut a, &mut b).await;
    b.shows("video", |evidence| got(evidence, MediaKind::Video, 5)).await;
    close([a, b]).await;
    turn.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_credential_gets_no_relay() {
    let turn = TurnServer::start(TurnConfig::default()).await.unwrap();
    let wrong = [
        IceServer { credential: "wrong".into(), ..turn.ice_server() },
        IceServer { username: "1:fincert".into(), ..turn.ice_server() },
    ];
    for server in wrong {
        let refused = turn.evidence().refused;
        let mut a = End::sending(relayed(server), &BOTH).await;
        let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
        a.peer.set_local_description(&offer).await.unwrap();
        a.gathered().await;
        assert_eq!(a.candidates(), []);
        assert!(turn.evidence().refused > refused);
        a.peer.close().await;
    }
    assert_eq!(turn.evidence().allocations, 0);
    turn.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_needs_an_address_and_frees_it() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let error = TurnServer::start(TurnConfig { listen, ..TurnConfig::default() }).await.unwrap_err();
    assert!(matches!(error, PeerError::Malformed(_)), "{error}");
    let turn = TurnServer::start(TurnConfig::default()).await.unwrap();
    let listen = turn.url().strip_prefix("turn:").unwrap().parse().unwrap();
    assert!(TurnServer::start(TurnConfig { listen, ..TurnConfig::default() }).await.is_err(), "it is in use");
    turn.close().await;
    turn.close().await;
    TurnServer::start(TurnConfig { listen, ..TurnConfig::default() }).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ipv6_server_relays_ipv6() {
    let listen = "[::1]:0".parse().unwrap();
    let turn = TurnServer::start(TurnConfig { listen, ..TurnConfig::default() }).await.unwrap();
    assert!(turn.url().starts_with("turn:[::1]:"), "{}", turn.url());
    turn.close().await;
}

/// What is relayed is not dialled either: a peer asks its server to send to a foreign address, and nothing leaves.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_relayed_to_foreign_addresses() {
    let turn =
        TurnServer::start(TurnConfig { addresses: AddressPolicy::default(), ..TurnConfig::default() }).await.unwrap();
    let allowed = AddressPolicy { allowed: vec![("203.0.113.0".parse().unwrap(), 24)] };
    let mut a = End::sending(PeerConfig { addresses: allowed, ..relayed(turn.ice_server()) }, &BOTH).await;
    let b = End::sending(PeerConfig::default(), &BOTH).await;
    common::negotiate(&a, &b, &OfferOptions::default()).await;
    a.gathered().await;
    let candidate = fincert_peer::Candidate {
        candidate: "candidate:1 1 udp 2130706431 203.0.113.5 4000 typ host".into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    a.peer.add_candidate(&candidate).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(turn.evidence().relayed_bytes, 0);
    close([a, b]).await;
    turn.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_does_not_end_the_server() {
    let turn = TurnServer::start(TurnConfig::default()).await.unwrap();
    let address: std::net::SocketAddr = turn.url().strip_prefix("turn:").unwrap().parse().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for packet in [&b""[..], b"x", &[0, 3, 0, 0], &[0xff; 1400], &[0x40, 0, 0xff, 0xff, 1]] {
        socket.send_to(packet, address).await.unwrap();
    }
    let mut a = End::sending(relayed(turn.ice_server()), &BOTH).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_local_description(&offer).await.unwrap();
    a.gathered().await;
    assert!(!a.candidates().is_empty());
    a.peer.close().await;
    turn.close().await;
}
