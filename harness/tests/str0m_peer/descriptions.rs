//! What str0m's descriptions say, and what it refuses.

use fincert_peer::{Description, OfferOptions, PeerConfig, PeerError, PeerEvent, SdpKind};
use fincert_schemas::run::flow::{MediaKind, Referee};

use crate::ends::{BOTH, End, connect, is_connected, media_flows, negotiate, sections, value, with_odd_video};

async fn pair() -> (End, End) {
    let end = || End::new(Referee::Str0m, PeerConfig::default());
    (end().await, end().await)
}

#[tokio::test]
async fn they_are_what_jsep_asks_for() {
    let (a, b) = pair().await;
    a.tracks(&BOTH).await;
    b.tracks(&[MediaKind::Audio]).await;
    let (offer, answer) = negotiate(&a, &b, &OfferOptions::default()).await;
    for sdp in [&offer.sdp, &answer.sdp] {
        assert!(!sdp.contains("candidate") && !sdp.contains("a=ssrc-group"), "{sdp}");
        assert!(sections(sdp).iter().all(|section| section.contains("a=ice-options:trickle\r\n")), "{sdp}");
        assert!(sdp.ends_with("\r\n") && sdp.split("\r\n").filter(|line| line.is_empty()).count() == 1);
    }
    for section in sections(&offer.sdp) {
        assert!(section.contains("a=sendrecv\r\n") && section.contains("a=setup:actpass\r\n"), "{section}");
        assert!(section.contains("a=ssrc:") && section.contains("a=msid:"), "{section}");
    }
    let [audio, video] = sections(&answer.sdp)[..] else { panic!("{}", answer.sdp) };
    assert!(audio.contains("a=sendrecv\r\n") && audio.contains("a=msid:") && audio.contains("a=ssrc:"), "{audio}");
    assert!(video.contains("a=recvonly\r\n") && !video.contains("a=msid:") && !video.contains("a=ssrc:"), "{video}");
}

#[tokio::test]
async fn the_origin_keeps_its_id_and_counts_its_versions() {
    let (a, b) = pair().await;
    a.tracks(&[MediaKind::Audio]).await;
    let origin = |sdp: &str| -> (u64, u64) {
        let line = sdp.lines().find(|line| line.starts_with("o=")).unwrap();
        let words: Vec<_> = line.split(' ').collect();
        (words[1].parse().unwrap(), words[2].parse().unwrap())
    };
    let (offer, _) = negotiate(&a, &b, &OfferOptions::default()).await;
    let first = origin(&offer.sdp);
    let second = origin(&a.peer.create_offer(&OfferOptions::default()).await.unwrap().sdp);
    assert_eq!(second, origin(&a.peer.create_offer(&OfferOptions::default()).await.unwrap().sdp), "the same again");
    a.tracks(&[MediaKind::Video]).await;
    let third = origin(&a.peer.create_offer(&OfferOptions::default()).await.unwrap().sdp);
    assert!(first.0 == second.0 && second.0 == third.0 && first.0 < 1 << 62);
    assert!(first.1 <= second.1 && second.1 + 1 == third.1, "{first:?} {second:?} {third:?}");
}

#[tokio::test]
async fn making_an_offer_changes_nothing() {
    let (mut a, mut b) = pair().await;
    a.tracks(&[MediaKind::Audio]).await;
    b.tracks(&[MediaKind::Audio]).await;
    a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    // The offer is void; the other end's is taken.
    negotiate(&b, &a, &OfferOptions::default()).await;
    connect(&mut b, &mut a).await;
    media_flows(&a, &b, &[MediaKind::Audio]).await;
    a.tracks(&[MediaKind::Video]).await;
    a.peer.create_offer(&OfferOptions { ice_restart: true, ..OfferOptions::default() }).await.unwrap();
    media_flows(&a, &b, &[MediaKind::Audio]).await;
    assert!(!a.told.iter().any(|event| matches!(event, PeerEvent::Track { kind: MediaKind::Video, .. })));
}

#[tokio::test]
async fn bad_ones_are_refused_and_change_nothing() {
    let (a, b) = pair().await;
    a.tracks(&BOTH).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    let without = |prefix: &str| -> String {
        offer.sdp.split_inclusive("\r\n").filter(|line| !line.starts_with(prefix)).collect()
    };
    let bad = [
        String::new(),
        "nonsense".into(),
        "v=0\r\n".into(),
        without("a=ice-ufrag"),
        without("a=ice-pwd"),
        without("a=fingerprint"),
        without("a=mid"),
        offer.sdp.replace("m=video", "m=text"),
        offer.sdp.replace("a=mid:", "a=mid:longer-than-str0m-keeps-"),
        format!("{}{}", offer.sdp, "a=x:y\r\n".repeat(100_000)),
        format!("{}{}", offer.sdp, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(1_000)),
    ];
    for sdp in bad {
        let description = Description { kind: SdpKind::Offer, sdp };
        let error = b.peer.set_remote_description(&description).await.unwrap_err();
        assert!(matches!(error, PeerError::Malformed(_) | PeerError::Unable(_)), "{error}");
    }
    b.peer.set_remote_description(&offer).await.unwrap();
    b.peer.create_answer().await.unwrap();
}

#[tokio::test]
async fn the_wrong_state_is_told() {
    let (a, b) = pair().await;
    let state = |error: PeerError| matches!(error, PeerError::State(_));
    assert!(state(a.peer.create_offer(&OfferOptions::default()).await.unwrap_err()), "nothing to offer");
    a.tracks(&BOTH).await;
    assert!(state(a.peer.add_track(MediaKind::Audio).await.unwrap_err()), "twice");
    assert!(state(a.peer.create_answer().await.unwrap_err()));
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    let answer = Description { kind: SdpKind::Answer, ..offer.clone() };
    assert!(state(a.peer.set_remote_description(&answer).await.unwrap_err()));
    assert!(state(b.peer.set_local_description(&offer).await.unwrap_err()), "not its own");
    a.peer.set_local_description(&offer).await.unwrap();
    assert!(state(a.peer.create_offer(&OfferOptions::default()).await.unwrap_err()));
    // str0m has no rollback, so an offer that crosses its own is refused.
    assert!(state(a.peer.set_remote_description(&offer).await.unwrap_err()));
    let rollback = Description { kind: SdpKind::Rollback, sdp: String::new() };
    assert!(!a.peer.abilities().rollback);
    assert!(matches!(a.peer.set_local_description(&rollback).await, Err(PeerError::Unable(_))));
}

#[tokio::test]
async fn relay_candidates_are_not_its_business() {
    let config = PeerConfig { relay_only: true, ..PeerConfig::default() };
    assert!(matches!(fincert::referee::str0m_peer(config).await, Err(PeerError::Unable(_))));
}

#[tokio::test]
async fn an_m_line_without_a_common_codec_is_rejected() {
    let (mut a, mut b) = pair().await;
    a.tracks(&BOTH).await;
    b.tracks(&BOTH).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    let offer = Description { kind: SdpKind::Offer, sdp: with_odd_video(&offer.sdp) };
    a.peer.set_local_description(&offer).await.unwrap();
    b.peer.set_remote_description(&offer).await.unwrap();
    let answer = b.peer.create_answer().await.unwrap();
    let [audio, video] = sections(&answer.sdp)[..] else { panic!("{}", answer.sdp) };
    assert!(video.starts_with("m=video 0 UDP/TLS/RTP/SAVPF 120\r\n"), "{video}");
    assert_eq!(value(&answer.sdp, "group"), format!("BUNDLE {}", value(audio, "mid")));
    b.peer.set_local_description(&answer).await.unwrap();
    a.peer.set_remote_description(&answer).await.unwrap();
    connect(&mut a, &mut b).await;
    media_flows(&a, &b, &[MediaKind::Audio]).await;
    assert!(a.evidence().sent.iter().all(|sent| sent.kind == MediaKind::Audio));
}

#[tokio::test]
async fn candidates_before_the_description_are_kept() {
    let (mut a, mut b) = pair().await;
    a.tracks(&[MediaKind::Audio]).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_local_description(&offer).await.unwrap();
    while let Some(PeerEvent::Candidate(candidate)) = a.events.recv().await {
        b.peer.add_candidate(&candidate).await.unwrap();
    }
    b.peer.set_remote_description(&offer).await.unwrap();
    let answer = b.peer.create_answer().await.unwrap();
    b.peer.set_local_description(&answer).await.unwrap();
    a.peer.set_remote_description(&answer).await.unwrap();
    // Those of b are not handed over: b reaches a with those that came early.
    b.until(is_connected).await;
}
