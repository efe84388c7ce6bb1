//! Calls between two peers of the crate webrtc.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::net::{IpAddr, Ipv6Addr};

use common::{BOTH, End, close, connect, connected, got, negotiate, reported, trickle};
use fincert_peer::{Candidate, Description, Media, OfferOptions, PeerConfig, PeerError, PeerEvent, SdpKind};
use fincert_schemas::run::flow::{Evidence, MediaKind};

#[tokio::test(flavor = "multi_thread")]
async fn two_peers_connect_and_media_flow_both_ways() {
    let (a, b) = connected(&BOTH).await;
    for end in [&a, &b] {
        let evidence = end
            .shows("media of both kinds, and reports of it", |evidence| {
                BOTH.iter().all(|kind| got(evidence, *kind, 20) && reported(evidence, *kind))
            })
            .await;
        assert_eq!((evidence.malformed, evidence.byes), (0, 0));
        let codecs: Vec<_> = evidence.received.iter().map(|got| got.codec.as_deref()).collect();
        assert!(codecs.contains(&Some("opus")) && codecs.contains(&Some("VP8")), "{codecs:?}");
        assert!(evidence.sent.iter().all(|sent| sent.packets > 0 && sent.lost == 0), "{:?}", evidence.sent);
        let pair = evidence.pair.unwrap();
        assert!(pair.local.starts_with("host ") && pair.remote.contains(':'), "{pair:?}");
    }
    let roles = [&a, &b].map(|end| end.peer.evidence().dtls.unwrap());
    assert_eq!((roles[0].role.as_str(), roles[1].role.as_str()), ("server", "client"));
    assert!(roles[0].cipher.as_ref().unwrap().contains("SRTP"), "{roles:?}");
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_track_is_announced_once() {
    let (mut a, mut b) = connected(&BOTH).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    let expected = [(MediaKind::Audio, "0".to_owned()), (MediaKind::Video, "1".to_owned())];
    for end in [&mut a, &mut b] {
        assert_eq!(end.tracks(), expected);
    }
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_may_stand_in_the_descriptions() {
    let mut a = End::sending(PeerConfig::default(), &BOTH).await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    assert!(!offer.sdp.contains("a=candidate"));
    a.peer.set_local_description(&offer).await.unwrap();
    a.gathered().await;
    let whole = a.peer.local_description().await.unwrap();
    assert!(whole.sdp.contains("a=candidate:") && whole.sdp.contains("a=end-of-candidates"));
    b.peer.set_remote_description(&whole).await.unwrap();
    let answer = b.peer.create_answer().await.unwrap();
    b.peer.set_local_description(&answer).await.unwrap();
    b.gathered().await;
    a.peer.set_remote_description(&b.peer.local_description().await.unwrap()).await.unwrap();
    a.state("connected").await;
    b.state("connected").await;
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_may_come_before_the_description() {
    let mut a = End::sending(PeerConfig::default(), &BOTH).await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_local_description(&offer).await.unwrap();
    a.gathered().await;
    for candidate in a.candidates() {
        b.peer.add_candidate(&candidate).await.unwrap();
    }
    b.peer.set_remote_description(&offer).await.unwrap();
    let answer = b.peer.create_answer().await.unwrap();
    b.peer.set_local_description(&answer).await.unwrap();
    a.peer.set_remote_description(&answer).await.unwrap();
    // None of b's is handed over: a learns them by b's checks.
    a.state("connected").await;
    b.state("connected").await;
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ipv6_alone_connects() {
    let config = || PeerConfig { bind: vec![IpAddr::V6(Ipv6Addr::LOCALHOST)], ..PeerConfig::default() };
    let mut a = End::sending(config(), &BOTH).await;
    let mut b = End::sending(config(), &BOTH).await;
    connect(&mut a, &mut b).await;
    assert!(a.candidates().iter().all(|candidate| candidate.candidate.contains(" ::1 ")));
    a.shows("video", |evidence| got(evidence, MediaKind::Video, 5)).await;
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_say_where_they_belong() {
    let mut a = End::sending(PeerConfig::default(), &BOTH).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_local_description(&offer).await.unwrap();
    a.gathered().await;
    let candidates = a.candidates();
    assert!(!candidates.is_empty());
    for candidate in candidates {
        assert_eq!((candidate.sdp_mid.as_deref(), candidate.sdp_m_line_index), (Some("0"), Some(0)));
        let ufrag = candidate.username_fragment.unwrap();
        assert!(offer.sdp.contains(&format!("a=ice-ufrag:{ufrag}\r\n")));
        assert!(candidate.candidate.starts_with("candidate:"));
    }
    a.peer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_end_restarts_ice_and_media_go_on() {
    let (mut a, mut b) = connected(&BOTH).await;
    for _ in 0..2 {
        let before = ufrag(&a.peer.local_description().await.unwrap());
        let received = |evidence: &Evidence| evidence.received.iter().map(|got| got.packets).sum::<u64>();
        a.told.clear();
        b.told.clear();
        let restart = OfferOptions { ice_restart: true, ..OfferOptions::default() };
        let (offer, answer) = negotiate(&a, &b, &restart).await;
        assert_ne!(ufrag(&offer), before);
        trickle(&mut a, &mut b).await;
        let own = ufrag(&offer);
        assert!(a.candidates().iter().all(|candidate| candidate.username_fragment.as_deref() == Some(&own)));
        a.state("connected").await;
        b.state("connected").await;
        assert_ne!(ufrag(&answer), ufrag(&offer));
        for end in [&a, &b] {
            let before = received(&end.peer.evidence());
            end.shows("media after the restart", |evidence| received(evidence) > before + 20).await;
        }
        (a, b) = (b, a);
    }
    assert_eq!((a.peer.evidence().malformed, b.peer.evidence().malformed), (0, 0));
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_end_adds_video() {
    for offerer_adds in [true, false] {
        let (mut a, mut b) = connected(&[MediaKind::Audio]).await;
        let (adds, other) = if offerer_adds { (&mut a, &mut b) } else { (&mut b, &mut a) };
        adds.peer.add_track(MediaKind::Video).await.unwrap();
        negotiate(adds, other, &OfferOptions::default()).await;
        let evidence = other.shows("the added video", |evidence| got(evidence, MediaKind::Video, 5)).await;
        assert_eq!(evidence.malformed, 0);
        assert!(other.tracks().iter().any(|(kind, _)| *kind == MediaKind::Video));
        // The other end answers with video of its own, in the same m-line.
        other.peer.add_track(MediaKind::Video).await.unwrap();
        let (offer, _) = negotiate(other, adds, &OfferOptions::default()).await;
        assert_eq!(offer.sdp.matches("m=video").count(), 1, "{}", offer.sdp);
        adds.shows("video the other way", |evidence| got(evidence, MediaKind::Video, 5)).await;
        close([a, b]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_renegotiations_in_turn_keep_roles_and_media() {
    let (a, b) = connected(&BOTH).await;
    for round in 0..10 {
        let (from, to) = if round % 2 == 0 { (&b, &a) } else { (&a, &b) };
        let (offer, answer) = negotiate(from, to, &OfferOptions::default()).await;
        assert!(offer.sdp.contains("a=setup:actpass"));
        // a has offered first and b has answered `active`: a is the server for good (RFC 8842 section 5.5).
        let setup = if round % 2 == 0 { "a=setup:passive" } else { "a=setup:active" };
        assert!(answer.sdp.contains(setup), "round {round}: {}", answer.sdp);
    }
    for end in [&a, &b] {
        let before = end.peer.evidence().received.iter().map(|got| got.packets).sum::<u64>();
        end.shows("media after all", |evidence| {
            evidence.received.iter().map(|got| got.packets).sum::<u64>() > before + 20
        })
        .await;
        assert_eq!(end.peer.evidence().received.len(), 2);
    }
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_rolled_back_and_another_one_works() {
    let (mut a, b) = connected(&[MediaKind::Audio]).await;
    a.peer.add_track(MediaKind::Video).await.unwrap();
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_local_description(&offer).await.unwrap();
    a.peer.set_local_description(&common::rollback()).await.unwrap();
    // The other end's offer first, then ours again.
    negotiate(&b, &a, &OfferOptions::default()).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    b.shows("video", |evidence| got(evidence, MediaKind::Video, 5)).await;
    // A remote offer is rolled back, too.
    let offer = b.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_remote_description(&offer).await.unwrap();
    a.peer.set_remote_description(&common::rollback()).await.unwrap();
    assert!(common::is_state(&a.peer.set_remote_description(&common::rollback()).await.unwrap_err()));
    a.drain();
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_fingerprint_gets_no_media() {
    let wrong = PeerConfig { wrong_fingerprint: true, ..PeerConfig::default() };
    let mut a = End::sending(wrong, &BOTH).await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    trickle(&mut a, &mut b).await;
    b.ice("connected").await;
    // Who was lied to says so, and both give up.
    b.state("failed").await;
    a.state("failed").await;
    let evidence = b.peer.evidence();
    assert_eq!((evidence.received.len(), evidence.dtls), (0, None));
    assert_eq!(a.peer.evidence().received.len(), 0);
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_vanishes_is_missed() {
    let (a, mut b) = connected(&BOTH).await;
    b.shows("media", |evidence| got(evidence, MediaKind::Audio, 5)).await;
    a.peer.vanish().await;
    b.wait(|event| *event == PeerEvent::Ice("disconnected".into())).await;
    assert_eq!(b.peer.evidence().byes, 0);
    let silent = b.peer.evidence();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(b.peer.evidence().received, silent.received);
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_closes_says_so() {
    let (a, mut b) = connected(&BOTH).await;
    b.shows("media", |evidence| got(evidence, MediaKind::Audio, 5)).await;
    a.peer.close().await;
    b.shows("goodbye", |evidence| evidence.byes > 0).await;
    // Before ICE can have missed it.
    let told = b.wait(|event| matches!(event, PeerEvent::Connection(_) | PeerEvent::Ice(_))).await;
    assert_eq!(told, PeerEvent::Connection("disconnected".into()));
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_received_is_sent_back() {
    let mut a = End::sending(PeerConfig::default(), &BOTH).await;
    let mut b = End::sending(PeerConfig { media: Media::Echo, ..PeerConfig::default() }, &BOTH).await;
    connect(&mut a, &mut b).await;
    let evidence = a
        .shows("the echo of both kinds, and a request for a keyframe", |evidence| {
            BOTH.iter().all(|kind| got(evidence, *kind, 30)) && evidence.keyframe_requests > 0
        })
        .await;
    let sent: u64 = evidence.sent.iter().map(|sent| sent.packets).sum();
    let back: u64 = evidence.received.iter().map(|got| got.packets).sum();
    assert!(back <= sent, "{back} of {sent}");
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_to_receive_is_answered_with_media() {
    let mut a = End::new(PeerConfig::default()).await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    let options = OfferOptions { receive: BOTH.to_vec(), ..OfferOptions::default() };
    let (offer, answer) = negotiate(&a, &b, &options).await;
    assert_eq!(offer.sdp.matches("a=recvonly").count(), 2, "{}", offer.sdp);
    assert_eq!(answer.sdp.matches("a=sendonly").count(), 2, "{}", answer.sdp);
    trickle(&mut a, &mut b).await;
    let evidence = a.shows("media of both kinds", |evidence| BOTH.iter().all(|kind| got(evidence, *kind, 5))).await;
    assert!(evidence.sent.is_empty());
    let again = a.peer.create_offer(&options).await.unwrap();
    assert_eq!(again.sdp.matches("m=").count(), 2);
    close([a, b]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_that_was_not_asked() {
    let a = End::sending(PeerConfig::default(), &[MediaKind::Audio]).await;
    let error = a.peer.create_answer().await.unwrap_err();
    assert!(common::is_state(&error), "{error}");
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    let answer = Description { kind: SdpKind::Answer, sdp: offer.sdp };
    assert!(common::is_state(&a.peer.set_remote_description(&answer).await.unwrap_err()));
    let candidate = Candidate {
        candidate: "candidate:1 1 udp 1 203.0.113.7 9 typ host".into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    assert!(matches!(a.peer.add_candidate(&candidate).await, Err(PeerError::Blocked(_))));
    a.peer.close().await;
    assert!(common::is_state(&a.peer.create_offer(&OfferOptions::default()).await.unwrap_err()));
}

fn ufrag(description: &Description) -> String {
    let line = description.sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"));
    line.unwrap().to_owned()
}
