//! Whole calls, with str0m at one end and either referee at the other.

use std::sync::Arc;

use fincert_peer::{Media, OfferOptions, PeerConfig, PeerError, PeerEvent, SdpKind};
use fincert_schemas::run::flow::{MediaKind, Referee};

use crate::ends::{BOTH, End, call, connect, is_connected, media_flows, media_goes_on, negotiate, sections, value};

/// One test of each function: with str0m and with webrtc-rs at the other end.
macro_rules! with_either {
    ($($name:ident),+ $(,)?) => {
        mod with_str0m {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Referee::Str0m).await;
            })+
        }

        mod with_webrtc_rs {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Referee::WebrtcRs).await;
            })+
        }
    };
}

with_either![
    a_call_leaves_evidence_of_both_ways,
    renegotiation_with_nothing_changed_keeps_media,
    video_is_added_by_either_end,
    tracks_are_added_to_m_lines_that_only_received,
    an_end_that_only_receives_gets_media,
    ice_restarts_from_either_end,
    the_dtls_roles_stay_when_the_offerer_changes,
    candidates_within_the_descriptions_connect,
    a_wrong_fingerprint_lets_no_media_through,
    closing_is_told_and_frees_the_ports,
    being_left_is_noticed,
    vanishing_is_noticed_by_silence,
    an_echo_sends_back_what_comes,
    ipv6_alone_connects,
];

async fn a_call_leaves_evidence_of_both_ways(other: Referee) {
    for str0m_offers in [true, false] {
        let (a, b) = call(other, str0m_offers, &BOTH).await;
        let (here, there) = (a.evidence(), b.evidence());
        assert_eq!((here.sent.len(), here.received.len()), (2, 2), "{here:#?}");
        assert_eq!(here.malformed, 0);
        let pair = here.pair.unwrap();
        assert!(pair.local.starts_with("host ") && pair.remote.contains(':'), "{pair:?}");
        for sent in &here.sent {
            assert!(sent.first_reported.unwrap() >= u32::from(sent.first_sequence), "{sent:?}");
            assert!(sent.last_reported.unwrap() <= sent.highest_sequence, "{sent:?}");
            // What one sends is what the other receives.
            let received = there.received.iter().find(|it| it.ssrc == sent.ssrc).unwrap();
            assert_eq!(received.kind, Some(sent.kind));
            assert!(received.first_sequence >= sent.first_sequence, "{sent:?} {received:?}");
        }
        for received in &here.received {
            assert_eq!(received.payload_types, [received.payload_type]);
            assert!(received.first_at_us < received.last_at_us);
            let span = u64::from(received.highest_sequence) - u64::from(received.first_sequence) + 1;
            assert!(received.packets <= span && received.packets > span / 2, "{received:?}");
            assert!(there.sent.iter().any(|it| it.ssrc == received.ssrc), "{received:?}");
        }
        let codecs: Vec<_> = here.received.iter().filter_map(|it| it.codec.clone()).collect();
        assert!(codecs.iter().any(|it| it.eq_ignore_ascii_case("opus")) && codecs.iter().any(|it| it == "VP8"));
        let roles = [here.dtls.unwrap().role, there.dtls.unwrap().role];
        assert!(roles == ["client", "server"] || roles == ["server", "client"], "{roles:?}");
    }
}

async fn renegotiation_with_nothing_changed_keeps_media(other: Referee) {
    let (a, b) = call(other, true, &BOTH).await;
    for (offerer, answerer) in [(&a, &b), (&b, &a), (&a, &b), (&b, &a)] {
        let before = offerer.peer.local_description().await.unwrap().sdp;
        let (offer, _) = negotiate(offerer, answerer, &OfferOptions::default()).await;
        assert_eq!(value(&before, "ice-ufrag"), value(&offer.sdp, "ice-ufrag"));
        media_goes_on(&a, &b, &BOTH).await;
    }
    media_flows(&a, &b, &BOTH).await;
    assert_eq!(a.evidence().received.len(), 2, "no new SSRC");
    assert_eq!(a.evidence().sent.len(), 2, "no new SSRC");
}

async fn video_is_added_by_either_end(other: Referee) {
    for str0m_offers in [true, false] {
        let (mut a, mut b) = call(other, str0m_offers, &[MediaKind::Audio]).await;
        a.tracks(&[MediaKind::Video]).await;
        b.tracks(&[MediaKind::Video]).await;
        let (offerer, answerer) = if str0m_offers { (&mut a, &mut b) } else { (&mut b, &mut a) };
        negotiate(offerer, answerer, &OfferOptions::default()).await;
        for end in [offerer, answerer] {
            end.until(|it| matches!(it, PeerEvent::Track { kind: MediaKind::Video, .. })).await;
        }
        media_flows(&a, &b, &BOTH).await;
    }
}

async fn tracks_are_added_to_m_lines_that_only_received(other: Referee) {
    let mut a = End::new(Referee::Str0m, PeerConfig::default()).await;
    let mut b = End::new(other, PeerConfig::default()).await;
    b.tracks(&BOTH).await;
    negotiate(&b, &a, &OfferOptions::default()).await;
    connect(&mut b, &mut a).await;
    a.receives(MediaKind::Video).await;
    assert!(b.evidence().received.is_empty());
    a.tracks(&BOTH).await;
    let (offer, _) = negotiate(&a, &b, &OfferOptions::default()).await;
    assert_eq!(sections(&offer.sdp).len(), 2, "the m-lines are used again");
    assert!(sections(&offer.sdp).iter().all(|section| section.contains("a=ssrc:")), "{}", offer.sdp);
    media_flows(&a, &b, &BOTH).await;
}

async fn an_end_that_only_receives_gets_media(other: Referee) {
    for str0m_receives in [true, false] {
        let mut a = End::new(Referee::Str0m, PeerConfig::default()).await;
        let mut b = End::new(other, PeerConfig::default()).await;
        let (receiver, sender) = if str0m_receives { (&mut a, &mut b) } else { (&mut b, &mut a) };
        sender.tracks(&BOTH).await;
        let options = OfferOptions { receive: BOTH.to_vec(), ..OfferOptions::default() };
        let (offer, answer) = negotiate(receiver, sender, &options).await;
        assert!(sections(&offer.sdp).iter().all(|it| it.contains("a=recvonly\r\n")), "{}", offer.sdp);
        assert!(sections(&answer.sdp).iter().all(|it| it.contains("a=sendonly\r\n")), "{}", answer.sdp);
        connect(receiver, sender).await;
        for kind in BOTH {
            receiver.receives(kind).await;
            sender.is_heard(kind).await;
        }
        assert!(sender.evidence().received.is_empty());
    }
}

async fn ice_restarts_from_either_end(other: Referee) {
    let (mut a, mut b) = call(other, true, &BOTH).await;
    for str0m_offers in [true, false] {
        let (offerer, answerer) = if str0m_offers { (&mut a, &mut b) } else { (&mut b, &mut a) };
        let mut before = Vec::new();
        for end in [&mut *offerer, &mut *answerer] {
            before.push(end.peer.local_description().await.unwrap());
            end.told.clear();
        }
        let restart = OfferOptions { ice_restart: true, ..OfferOptions::default() };
        let (offer, answer) = negotiate(offerer, answerer, &restart).await;
        for (before, after) in before.iter().zip([&offer, &answer]) {
            assert_ne!(value(&before.sdp, "ice-ufrag"), value(&after.sdp, "ice-ufrag"));
            assert_ne!(value(&before.sdp, "ice-pwd"), value(&after.sdp, "ice-pwd"));
        }
        connect(offerer, answerer).await;
        let (end, own) = if str0m_offers { (&*offerer, &offer.sdp) } else { (&*answerer, &answer.sdp) };
        assert_eq!(end.peer.referee(), Referee::Str0m);
        let fragments: Vec<_> = end.told.iter().filter_map(fragment).collect();
        assert!(!fragments.is_empty() && fragments.iter().all(|it| it == value(own, "ice-ufrag")), "{fragments:?}");
        assert!(end.told.contains(&PeerEvent::Ice("checking".into())), "{:?}", end.told);
        media_flows(&a, &b, &BOTH).await;
    }
}

fn fragment(event: &PeerEvent) -> Option<String> {
    match event {
        PeerEvent::Candidate(candidate) => candidate.username_fragment.clone(),
        _ => None,
    }
}

async fn the_dtls_roles_stay_when_the_offerer_changes(other: Referee) {
    for str0m_offers in [true, false] {
        let (a, b) = call(other, str0m_offers, &[MediaKind::Audio]).await;
        let role = a.evidence().dtls.unwrap().role;
        let (offerer, answerer) = if str0m_offers { (&b, &a) } else { (&a, &b) };
        let (_, answer) = negotiate(offerer, answerer, &OfferOptions::default()).await;
        let answerer_is_client = (role == "client") == str0m_offers;
        assert_eq!(value(&answer.sdp, "setup"), if answerer_is_client { "active" } else { "passive" });
        media_goes_on(&a, &b, &[MediaKind::Audio]).await;
        assert_eq!(a.evidence().dtls.unwrap().role, role);
    }
}

async fn candidates_within_the_descriptions_connect(other: Referee) {
    for str0m_offers in [true, false] {
        let mut a = End::new(Referee::Str0m, PeerConfig::default()).await;
        let mut b = End::new(other, PeerConfig::default()).await;
        let (offerer, answerer) = if str0m_offers { (&mut a, &mut b) } else { (&mut b, &mut a) };
        offerer.tracks(&[MediaKind::Audio]).await;
        let offer = offerer.peer.create_offer(&OfferOptions::default()).await.unwrap();
        offerer.peer.set_local_description(&offer).await.unwrap();
        offerer.until(|event| *event == PeerEvent::GatheringComplete).await;
        let offer = offerer.peer.local_description().await.unwrap();
        assert_eq!(offer.kind, SdpKind::Offer);
        assert!(offer.sdp.contains("a=candidate:") && offer.sdp.contains("a=end-of-candidates\r\n"));
        answerer.peer.set_remote_description(&offer).await.unwrap();
        let answer = answerer.peer.create_answer().await.unwrap();
        answerer.peer.set_local_description(&answer).await.unwrap();
        answerer.until(|event| *event == PeerEvent::GatheringComplete).await;
        let answer = answerer.peer.local_description().await.unwrap();
        offerer.peer.set_remote_description(&answer).await.unwrap();
        answerer.receives(MediaKind::Audio).await;
    }
}

async fn a_wrong_fingerprint_lets_no_media_through(other: Referee) {
    for str0m_lies in [true, false] {
        let config = |lies| PeerConfig { wrong_fingerprint: lies, ..PeerConfig::default() };
        let mut a = End::new(Referee::Str0m, config(str0m_lies)).await;
        let mut b = End::new(other, config(!str0m_lies)).await;
        a.tracks(&BOTH).await;
        b.tracks(&BOTH).await;
        negotiate(&a, &b, &OfferOptions::default()).await;
        // The end that looks at the certificate gives the connection up.
        let (looks, lies) = if str0m_lies { (&mut b, &mut a) } else { (&mut a, &mut b) };
        let (looking, lying) = (Arc::clone(&looks.peer), Arc::clone(&lies.peer));
        let failed = |event: &PeerEvent| *event == PeerEvent::Connection("failed".into());
        tokio::select! {
            () = looks.trickle_until(Some(&lying), failed) => {}
            () = lies.trickle_until(Some(&looking), |_| false) => {}
        }
        assert!(looks.evidence().received.is_empty() && lies.evidence().received.is_empty());
        assert!(!looks.told.iter().any(is_connected));
    }
}

async fn closing_is_told_and_frees_the_ports(other: Referee) {
    let (a, mut b) = call(other, true, &BOTH).await;
    let local = a.peer.local_description().await.unwrap().sdp;
    let candidates = local.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
    let ports: Vec<(String, u16)> = candidates
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .map(|words| (words[4].to_owned(), words[5].parse().unwrap()))
        .collect();
    assert!(!ports.is_empty());
    a.peer.close().await;
    for (address, port) in ports {
        std::net::UdpSocket::bind((address.as_str(), port)).unwrap();
    }
    b.until(|event| matches!(event, PeerEvent::Connection(state) if state != "connected")).await;
    b.sees("BYE", || b.evidence().byes > 0).await;
    // Twice is harmless, and nothing works afterwards.
    a.peer.close().await;
    let closed = |error: PeerError| matches!(error, PeerError::State(_));
    assert!(closed(a.peer.create_offer(&OfferOptions::default()).await.unwrap_err()));
    assert!(closed(a.peer.create_answer().await.unwrap_err()));
    assert!(closed(a.peer.add_track(MediaKind::Audio).await.unwrap_err()));
    assert!(closed(a.peer.end_of_candidates().await.unwrap_err()));
    assert!(a.peer.local_description().await.is_none());
    assert_eq!(a.evidence().received.len(), 2, "the evidence stays");
}

async fn being_left_is_noticed(other: Referee) {
    let (mut a, b) = call(other, false, &BOTH).await;
    b.peer.close().await;
    a.connection("disconnected").await;
    a.peer.close().await;
    a.connection("closed").await;
    assert_eq!(a.told.last(), Some(&PeerEvent::Connection("closed".into())));
    assert!(a.events.recv().await.is_none());
}

async fn vanishing_is_noticed_by_silence(other: Referee) {
    for str0m_vanishes in [true, false] {
        let (mut a, mut b) = call(other, true, &BOTH).await;
        let (gone, left) = if str0m_vanishes { (&mut a, &mut b) } else { (&mut b, &mut a) };
        gone.peer.vanish().await;
        let last = gone.evidence();
        left.connection("disconnected").await;
        let told_of_ice = left.told.contains(&PeerEvent::Ice("disconnected".into()));
        assert!(told_of_ice || left.peer.referee() != Referee::Str0m, "{:?}", left.told);
        assert_eq!(left.evidence().byes, 0);
        if gone.peer.referee() == Referee::Str0m {
            assert_eq!((gone.evidence().sent, gone.evidence().received), (last.sent, last.received));
        }
        gone.peer.close().await;
        left.peer.close().await;
    }
}

async fn an_echo_sends_back_what_comes(other: Referee) {
    let mut a = End::new(Referee::Str0m, PeerConfig { media: Media::Echo, ..PeerConfig::default() }).await;
    let mut b = End::new(other, PeerConfig::default()).await;
    a.tracks(&BOTH).await;
    b.tracks(&BOTH).await;
    negotiate(&b, &a, &OfferOptions::default()).await;
    connect(&mut b, &mut a).await;
    media_flows(&a, &b, &BOTH).await;
}

async fn ipv6_alone_connects(other: Referee) {
    let config = || PeerConfig { bind: vec!["::1".parse().unwrap()], ..PeerConfig::default() };
    let (mut a, mut b) = (End::new(Referee::Str0m, config()).await, End::new(other, config()).await);
    a.tracks(&[MediaKind::Audio]).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    connect(&mut a, &mut b).await;
    b.receives(MediaKind::Audio).await;
    assert!(a.evidence().pair.unwrap().local.starts_with("host [::1]:"));
}
