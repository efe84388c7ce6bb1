//! The second referee, against itself.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use fincert::referee::str0m_peer;
use fincert_peer::{Candidate, Description, OfferOptions, Peer, PeerConfig, PeerError, PeerEvent, SdpKind};
use fincert_schemas::run::flow::MediaKind;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

/// A peer with what it told.
struct End {
    peer: Arc<dyn Peer>,
    events: mpsc::Receiver<PeerEvent>,
    told: Vec<PeerEvent>,
}

impl End {
    async fn str0m(config: PeerConfig) -> Self {
        let (peer, events) = str0m_peer(config).await.unwrap();
        Self { peer, events, told: Vec::new() }
    }

    /// Hands candidates over until the event comes.
    async fn until(&mut self, other: &Arc<dyn Peer>, what: impl Fn(&PeerEvent) -> bool) {
        let wait = async {
            loop {
                let event = self.events.recv().await.expect("the peer lives");
                if let PeerEvent::Candidate(candidate) = &event {
                    other.add_candidate(candidate).await.unwrap();
                }
                let found = what(&event);
                self.told.push(event);
                if found {
                    return;
                }
            }
        };
        if timeout(PATIENCE, wait).await.is_err() {
            panic!("not told; told: {:?}; evidence: {:?}", self.told, self.peer.evidence());
        }
    }
}

fn is_connected(event: &PeerEvent) -> bool {
    *event == PeerEvent::Connection("connected".into())
}

async fn negotiate(offerer: &End, answerer: &End, options: &OfferOptions) -> (Description, Description) {
    let offer = offerer.peer.create_offer(options).await.unwrap();
    offerer.peer.set_local_description(&offer).await.unwrap();
    answerer.peer.set_remote_description(&offer).await.unwrap();
    let answer = answerer.peer.create_answer().await.unwrap();
    answerer.peer.set_local_description(&answer).await.unwrap();
    offerer.peer.set_remote_description(&answer).await.unwrap();
    (offer, answer)
}

async fn connect(a: &mut End, b: &mut End) {
    let (peer_a, peer_b) = (Arc::clone(&a.peer), Arc::clone(&b.peer));
    tokio::join!(a.until(&peer_b, is_connected), b.until(&peer_a, is_connected));
}

async fn eventually(what: &str, test: impl Fn() -> bool) {
    let wait = async {
        while !test() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("not seen: {what}"));
}

fn receives(end: &End, kind: MediaKind) -> bool {
    end.peer.evidence().received.iter().any(|it| it.kind == Some(kind) && it.packets > 5)
}

fn reported(end: &End, kind: MediaKind) -> bool {
    let sent = end.peer.evidence().sent;
    sent.iter().any(|it| it.kind == kind && it.reports >= 2 && it.last_reported > it.first_reported)
}

async fn media_flows(a: &End, b: &End, kinds: &[MediaKind]) {
    for kind in kinds {
        for end in [a, b] {
            eventually(&format!("{kind:?} received"), || receives(end, *kind)).await;
            eventually(&format!("{kind:?} reported"), || reported(end, *kind)).await;
        }
    }
}

const BOTH: [MediaKind; 2] = [MediaKind::Audio, MediaKind::Video];

async fn pair() -> (End, End) {
    (End::str0m(PeerConfig::default()).await, End::str0m(PeerConfig::default()).await)
}

async fn tracks(end: &End, kinds: &[MediaKind]) {
    for kind in kinds {
        end.peer.add_track(*kind).await.unwrap();
    }
}

/// A call that is up, `a` having offered, with the kinds both ways.
async fn call(kinds: &[MediaKind]) -> (End, End) {
    let (mut a, mut b) = pair().await;
    tracks(&a, kinds).await;
    tracks(&b, kinds).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    connect(&mut a, &mut b).await;
    media_flows(&a, &b, kinds).await;
    (a, b)
}

/// Media of the kinds goes on both ways from now.
async fn media_goes_on(a: &End, b: &End, kinds: &[MediaKind]) {
    for kind in kinds {
        for end in [a, b] {
            let count = |end: &End| -> u64 {
                let all = end.peer.evidence().received;
                all.iter().filter(|it| it.kind == Some(*kind)).map(|it| it.packets).sum()
            };
            let before = count(end);
            eventually(&format!("more {kind:?}"), || count(end) > before + 5).await;
        }
    }
}

fn value<'a>(sdp: &'a str, name: &str) -> &'a str {
    let prefix = format!("a={name}:");
    sdp.lines().find_map(|line| line.strip_prefix(prefix.as_str())).unwrap_or_else(|| panic!("no {name} in {sdp}"))
}

fn sections(sdp: &str) -> Vec<&str> {
    let (starts, mut all): (Vec<_>, Vec<_>) = (sdp.match_indices("\nm=").map(|(i, _)| i + 1).collect(), Vec::new());
    for (i, start) in starts.iter().enumerate() {
        all.push(&sdp[*start..starts.get(i + 1).copied().unwrap_or(sdp.len())]);
    }
    all
}

#[tokio::test]
async fn a_call_with_media_both_ways_and_its_evidence() {
    let (a, b) = call(&BOTH).await;
    for end in [&a, &b] {
        let evidence = end.peer.evidence();
        assert_eq!(evidence.sent.len(), 2);
        assert_eq!(evidence.received.len(), 2);
        assert_eq!(evidence.malformed, 0);
        let pair = evidence.pair.unwrap();
        assert!(pair.local.starts_with("host ") && pair.remote.starts_with("host "), "{pair:?}");
        for sent in &evidence.sent {
            assert!(sent.first_reported.unwrap() >= u32::from(sent.first_sequence));
            assert!(sent.last_reported.unwrap() <= sent.highest_sequence);
            assert_eq!(sent.lost, 0);
        }
        for received in &evidence.received {
            assert_eq!(received.payload_types, [received.payload_type]);
            assert!(received.first_at_us < received.last_at_us);
            assert_eq!(u64::from(received.highest_sequence) - u64::from(received.first_sequence) + 1, received.packets);
        }
    }
    // What one sends is what the other receives.
    for sent in a.peer.evidence().sent {
        let all = b.peer.evidence().received;
        let received = all.iter().find(|it| it.ssrc == sent.ssrc).unwrap();
        assert_eq!(received.kind, Some(sent.kind));
        assert_eq!(received.first_sequence, sent.first_sequence);
    }
    let roles = [&a, &b].map(|end| end.peer.evidence().dtls.unwrap().role);
    assert_eq!(roles, ["client", "server"]);
}

#[tokio::test]
async fn descriptions_are_what_jsep_asks_for() {
    let (a, b) = pair().await;
    tracks(&a, &BOTH).await;
    tracks(&b, &[MediaKind::Audio]).await;
    let (offer, answer) = negotiate(&a, &b, &OfferOptions::default()).await;
    for sdp in [&offer.sdp, &answer.sdp] {
        assert!(!sdp.contains("candidate"), "{sdp}");
        assert!(!sdp.contains("a=ssrc-group"), "{sdp}");
        assert!(sections(sdp).iter().all(|section| section.contains("a=ice-options:trickle\r\n")));
        assert!(sdp.lines().all(|line| !line.is_empty()) && sdp.ends_with("\r\n"));
    }
    assert!(sections(&offer.sdp).iter().all(|it| it.contains("a=sendrecv\r\n") && it.contains("a=setup:actpass\r\n")));
    let [audio, video] = sections(&answer.sdp)[..] else { panic!("{}", answer.sdp) };
    assert!(audio.contains("a=sendrecv\r\n") && audio.contains("a=msid:") && audio.contains("a=ssrc:"), "{audio}");
    assert!(video.contains("a=recvonly\r\n") && !video.contains("a=msid:") && !video.contains("a=ssrc:"), "{video}");
    // With candidates and their end once gathered.
    let local = a.peer.local_description().await.unwrap();
    assert_eq!(local.kind, SdpKind::Offer);
    assert!(local.sdp.contains("a=candidate:") && local.sdp.contains("a=end-of-candidates\r\n"));
    // The origin's id stays and its version grows.
    let again = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    let origin = |sdp: &str| {
        let line = sdp.lines().find(|line| line.starts_with("o=")).unwrap();
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        (words[1].clone(), words[2].parse::<u64>().unwrap())
    };
    assert_eq!(origin(&offer.sdp).0, origin(&again.sdp).0);
    assert_eq!(origin(&offer.sdp).1 + 1, origin(&again.sdp).1);
}

#[tokio::test]
async fn renegotiation_with_nothing_changed_keeps_media() {
    let (a, b) = call(&BOTH).await;
    for (offerer, answerer) in [(&a, &b), (&b, &a), (&a, &b)] {
        let before = offerer.peer.local_description().await.unwrap().sdp;
        let (offer, _) = negotiate(offerer, answerer, &OfferOptions::default()).await;
        assert_eq!(value(&before, "ice-ufrag"), value(&offer.sdp, "ice-ufrag"));
        media_goes_on(&a, &b, &BOTH).await;
    }
    for end in [&a, &b] {
        assert_eq!(end.peer.evidence().received.len(), 2, "no new SSRC");
    }
}

#[tokio::test]
async fn video_is_added_by_either_end() {
    for offers in [0, 1] {
        let (mut a, mut b) = call(&[MediaKind::Audio]).await;
        tracks(&a, &[MediaKind::Video]).await;
        tracks(&b, &[MediaKind::Video]).await;
        let (offerer, answerer) = if offers == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
        negotiate(offerer, answerer, &OfferOptions::default()).await;
        let peer = Arc::clone(&answerer.peer);
        for end in [offerer, answerer] {
            end.until(&peer, |it| matches!(it, PeerEvent::Track { kind: MediaKind::Video, .. })).await;
        }
        media_flows(&a, &b, &BOTH).await;
    }
}

#[tokio::test]
async fn the_other_end_adds_a_track_to_an_m_line_that_it_received_on() {
    let (a, b) = pair().await;
    let (mut a, mut b) = (a, b);
    tracks(&a, &BOTH).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    connect(&mut a, &mut b).await;
    eventually("video at b", || receives(&b, MediaKind::Video)).await;
    assert!(a.peer.evidence().received.is_empty());
    tracks(&b, &BOTH).await;
    let (offer, _) = negotiate(&b, &a, &OfferOptions::default()).await;
    assert_eq!(sections(&offer.sdp).len(), 2, "the m-lines are used again");
    assert!(sections(&offer.sdp).iter().all(|section| section.contains("a=ssrc:")), "{}", offer.sdp);
    media_flows(&a, &b, &BOTH).await;
}

#[tokio::test]
async fn an_end_that_only_receives_gets_media() {
    let (mut a, mut b) = pair().await;
    tracks(&b, &BOTH).await;
    let options = OfferOptions { receive: BOTH.to_vec(), ..OfferOptions::default() };
    let (offer, answer) = negotiate(&a, &b, &options).await;
    assert!(sections(&offer.sdp).iter().all(|it| it.contains("a=recvonly\r\n") && !it.contains("a=msid:")));
    assert!(sections(&answer.sdp).iter().all(|it| it.contains("a=sendonly\r\n")));
    connect(&mut a, &mut b).await;
    for kind in BOTH {
        eventually("media at the receiver", || receives(&a, kind)).await;
        eventually("reports at the sender", || reported(&b, kind)).await;
    }
    assert!(b.peer.evidence().received.is_empty());
}

#[tokio::test]
async fn ice_restarts_from_either_end() {
    let (mut a, mut b) = call(&BOTH).await;
    for turn in 0..2 {
        let (offerer, answerer) = if turn == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
        let before =
            [offerer.peer.local_description().await.unwrap(), answerer.peer.local_description().await.unwrap()];
        offerer.told.clear();
        answerer.told.clear();
        let (offer, answer) =
            negotiate(offerer, answerer, &OfferOptions { ice_restart: true, ..Default::default() }).await;
        for (before, after) in before.iter().zip([&offer, &answer]) {
            assert_ne!(value(&before.sdp, "ice-ufrag"), value(&after.sdp, "ice-ufrag"));
            assert_ne!(value(&before.sdp, "ice-pwd"), value(&after.sdp, "ice-pwd"));
        }
        connect(offerer, answerer).await;
        for (end, sdp) in [(&*offerer, &offer.sdp), (&*answerer, &answer.sdp)] {
            let candidates: Vec<_> = end
                .told
                .iter()
                .filter_map(|event| match event {
                    PeerEvent::Candidate(candidate) => candidate.username_fragment.clone(),
                    _ => None,
                })
                .collect();
            assert!(
                !candidates.is_empty() && candidates.iter().all(|it| it == value(sdp, "ice-ufrag")),
                "{candidates:?}"
            );
            assert!(end.told.contains(&PeerEvent::Ice("checking".into())), "{:?}", end.told);
        }
        media_goes_on(&a, &b, &BOTH).await;
    }
}

#[tokio::test]
async fn the_dtls_roles_stay_when_the_offerer_changes() {
    let (a, b) = call(&[MediaKind::Audio]).await;
    let (offer, answer) = negotiate(&b, &a, &OfferOptions::default()).await;
    assert_eq!(value(&offer.sdp, "setup"), "actpass");
    assert_eq!(value(&answer.sdp, "setup"), "active", "a began DTLS as the client of the first answer");
    media_goes_on(&a, &b, &[MediaKind::Audio]).await;
    assert_eq!(a.peer.evidence().dtls.unwrap().role, "client");
}

#[tokio::test]
async fn candidates_within_the_descriptions_connect() {
    let (mut a, mut b) = pair().await;
    tracks(&a, &[MediaKind::Audio]).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_local_description(&offer).await.unwrap();
    b.peer.set_remote_description(&a.peer.local_description().await.unwrap()).await.unwrap();
    let answer = b.peer.create_answer().await.unwrap();
    b.peer.set_local_description(&answer).await.unwrap();
    a.peer.set_remote_description(&b.peer.local_description().await.unwrap()).await.unwrap();
    let wait = async {
        for end in [&mut a, &mut b] {
            while !is_connected(&end.events.recv().await.unwrap()) {}
        }
    };
    timeout(PATIENCE, wait).await.unwrap();
}

#[tokio::test]
async fn candidates_before_the_description_are_kept() {
    let (mut a, mut b) = pair().await;
    tracks(&a, &[MediaKind::Audio]).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    a.peer.set_local_description(&offer).await.unwrap();
    while let Some(PeerEvent::Candidate(candidate)) = a.events.recv().await {
        b.peer.add_candidate(&candidate).await.unwrap();
    }
    b.peer.set_remote_description(&offer).await.unwrap();
    let answer = b.peer.create_answer().await.unwrap();
    b.peer.set_local_description(&answer).await.unwrap();
    a.peer.set_remote_description(&answer).await.unwrap();
    // b's candidates are not handed over: b reaches a with those that came early.
    let wait = async { while !is_connected(&b.events.recv().await.unwrap()) {} };
    timeout(PATIENCE, wait).await.unwrap();
}

#[tokio::test]
async fn a_wrong_fingerprint_ends_the_call() {
    for wrong in [0, 1] {
        let config = |it| PeerConfig { wrong_fingerprint: it == wrong, ..PeerConfig::default() };
        let (mut a, mut b) = (End::str0m(config(0)).await, End::str0m(config(1)).await);
        tracks(&a, &BOTH).await;
        tracks(&b, &BOTH).await;
        negotiate(&a, &b, &OfferOptions::default()).await;
        let (peer_a, peer_b) = (Arc::clone(&a.peer), Arc::clone(&b.peer));
        // The end that checks fails; the other learns nothing or an alert.
        let failed = |event: &PeerEvent| *event == PeerEvent::Connection("failed".into());
        if wrong == 0 {
            tokio::select! {
                () = b.until(&peer_a, failed) => {}
                () = a.until(&peer_b, |_| false) => {}
            }
        } else {
            tokio::select! {
                () = a.until(&peer_b, failed) => {}
                () = b.until(&peer_a, |_| false) => {}
            }
        }
        for end in [&a, &b] {
            assert!(end.peer.evidence().received.is_empty());
            assert!(!end.told.iter().any(is_connected) || end.peer.evidence().received.is_empty());
        }
    }
}

#[tokio::test]
async fn closing_says_goodbye_and_frees_the_ports() {
    let (a, mut b) = call(&BOTH).await;
    let local = a.peer.local_description().await.unwrap().sdp;
    let ports: Vec<(String, u16)> = local
        .lines()
        .filter_map(|line| line.strip_prefix("a=candidate:"))
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .map(|words| (words[4].to_owned(), words[5].parse().unwrap()))
        .collect();
    assert!(!ports.is_empty());
    a.peer.close().await;
    for (address, port) in ports {
        std::net::UdpSocket::bind((address.as_str(), port)).unwrap();
    }
    let peer = Arc::clone(&a.peer);
    b.until(&peer, |event| *event == PeerEvent::Connection("disconnected".into())).await;
    eventually("BYE", || b.peer.evidence().byes >= 1).await;
    // Twice is harmless, and nothing works afterwards.
    a.peer.close().await;
    let closed = |error: PeerError| matches!(error, PeerError::State(_));
    assert!(closed(a.peer.create_offer(&OfferOptions::default()).await.unwrap_err()));
    assert!(closed(a.peer.create_answer().await.unwrap_err()));
    assert!(closed(a.peer.add_track(MediaKind::Audio).await.unwrap_err()));
    assert!(closed(a.peer.end_of_candidates().await.unwrap_err()));
    assert!(a.peer.local_description().await.is_none());
    assert!(!a.peer.evidence().received.is_empty(), "the evidence stays");
}

#[tokio::test]
async fn vanishing_is_noticed_by_silence() {
    let (a, mut b) = call(&BOTH).await;
    a.peer.vanish().await;
    let sent = a.peer.evidence();
    let peer = Arc::clone(&a.peer);
    b.until(&peer, |event| *event == PeerEvent::Connection("disconnected".into())).await;
    assert_eq!(b.peer.evidence().byes, 0);
    b.until(&peer, |event| *event == PeerEvent::Connection("failed".into())).await;
    assert!(b.told.contains(&PeerEvent::Ice("disconnected".into())));
    assert!(b.told.contains(&PeerEvent::Ice("failed".into())));
    assert_eq!(a.peer.evidence().sent, sent.sent);
    assert_eq!(a.peer.evidence().received, sent.received);
    a.peer.close().await;
    b.peer.close().await;
}

#[tokio::test]
async fn hostile_candidates_are_refused() {
    let (a, b) = pair().await;
    tracks(&a, &[MediaKind::Audio]).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    let add = async |text: &str| {
        let candidate =
            Candidate { candidate: text.into(), sdp_mid: None, sdp_m_line_index: Some(0), username_fragment: None };
        b.peer.add_candidate(&candidate).await
    };
    let blocked = "candidate:1 1 udp 2130706431 203.0.113.7 50000 typ host";
    assert_eq!(add(blocked).await, Err(PeerError::Blocked("203.0.113.7".into())));
    assert_eq!(add("candidate:1 1 udp 2130706431 abc.local 50000 typ host").await, Err(PeerError::HostName));
    assert_eq!(add("candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype active").await, Err(PeerError::Tcp));
    for text in [
        "candidate:",
        "nonsense",
        "candidate:1 1 udp x 127.0.0.1 5 typ host",
        "candidate:1 1 udp 5 127.0.0.1 5 typ odd",
    ] {
        assert!(matches!(add(text).await, Err(PeerError::Malformed(_))), "{text}");
    }
    assert_eq!(add("").await, Ok(()));
    assert_eq!(add("candidate:1 1 UDP 2130706431 127.0.0.1 50000 typ host").await, Ok(()));
    let many = async {
        for port in 1..1000 {
            add(&format!("candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host")).await?;
        }
        Ok::<(), PeerError>(())
    };
    assert!(matches!(many.await, Err(PeerError::Other(_))));
    let elsewhere = Candidate {
        candidate: "candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host".into(),
        sdp_mid: Some("elsewhere".into()),
        sdp_m_line_index: None,
        username_fragment: None,
    };
    assert!(matches!(b.peer.add_candidate(&elsewhere).await, Err(PeerError::Malformed(_))));
}

#[tokio::test]
async fn what_the_operator_allows_is_taken() {
    let addresses = fincert_peer::AddressPolicy { allowed: vec![("203.0.113.0".parse().unwrap(), 29)] };
    let end = End::str0m(PeerConfig { addresses, ..PeerConfig::default() }).await;
    for (address, taken) in [("203.0.113.7", true), ("203.0.113.8", false)] {
        let text = format!("candidate:1 1 udp 2130706431 {address} 50000 typ host");
        let candidate =
            Candidate { candidate: text, sdp_mid: None, sdp_m_line_index: Some(0), username_fragment: None };
        assert_eq!(end.peer.add_candidate(&candidate).await.is_ok(), taken, "{address}");
    }
}

#[tokio::test]
async fn bad_descriptions_are_refused_and_change_nothing() {
    let (a, b) = pair().await;
    tracks(&a, &BOTH).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    let without =
        |prefix: &str| offer.sdp.split_inclusive("\r\n").filter(|line| !line.starts_with(prefix)).collect::<String>();
    let bad = [
        String::new(),
        "nonsense".into(),
        "v=0\r\n".into(),
        without("a=ice-ufrag"),
        without("a=ice-pwd"),
        without("a=fingerprint"),
        without("a=mid"),
        format!("{}{}", offer.sdp, "a=x:y\r\n".repeat(100_000)),
    ];
    for sdp in bad {
        let description = Description { kind: SdpKind::Offer, sdp };
        let error = b.peer.set_remote_description(&description).await.unwrap_err();
        assert!(matches!(error, PeerError::Malformed(_) | PeerError::Unable(_)), "{error}");
    }
    let answer = Description { kind: SdpKind::Answer, ..offer.clone() };
    assert!(matches!(b.peer.set_remote_description(&answer).await, Err(PeerError::State(_))));
    assert!(matches!(b.peer.create_answer().await, Err(PeerError::State(_))));
    let rollback = Description { kind: SdpKind::Rollback, sdp: String::new() };
    assert!(matches!(b.peer.set_local_description(&rollback).await, Err(PeerError::Unable(_))));
    // Unharmed.
    b.peer.set_remote_description(&offer).await.unwrap();
    b.peer.create_answer().await.unwrap();
}

#[tokio::test]
async fn an_m_line_without_a_common_codec_is_rejected() {
    let (mut a, mut b) = pair().await;
    tracks(&a, &BOTH).await;
    tracks(&b, &BOTH).await;
    let offer = a.peer.create_offer(&OfferOptions::default()).await.unwrap();
    // What fincert's flow does: another codec than anyone has.
    let mut odd: Vec<String> = Vec::new();
    let mut video = false;
    for line in offer.sdp.lines() {
        video |= line.starts_with("m=video");
        let codec = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().any(|it| line.starts_with(it));
        if video && line.starts_with("m=") {
            odd.push("m=video 9 UDP/TLS/RTP/SAVPF 120".into());
        } else if !(video && codec) {
            odd.push(line.into());
        }
    }
    let offer = Description { kind: SdpKind::Offer, sdp: odd.join("\r\n") + "\r\na=rtpmap:120 X-FINCERT/90000\r\n" };
    a.peer.set_local_description(&offer).await.unwrap();
    b.peer.set_remote_description(&offer).await.unwrap();
    let answer = b.peer.create_answer().await.unwrap();
    let [_, video] = sections(&answer.sdp)[..] else { panic!("{}", answer.sdp) };
    assert!(video.starts_with("m=video 0 UDP/TLS/RTP/SAVPF 120\r\n"), "{video}");
    let group = value(&answer.sdp, "group");
    assert_eq!(group.split(' ').count(), 2, "{group}");
    b.peer.set_local_description(&answer).await.unwrap();
    a.peer.set_remote_description(&answer).await.unwrap();
    connect(&mut a, &mut b).await;
    media_flows(&a, &b, &[MediaKind::Audio]).await;
    assert!(a.peer.evidence().sent.iter().all(|sent| sent.kind == MediaKind::Audio));
}

#[tokio::test]
async fn an_echo_sends_back_what_comes() {
    let mut a = End::str0m(PeerConfig::default()).await;
    let mut b = End::str0m(PeerConfig { media: fincert_peer::Media::Echo, ..PeerConfig::default() }).await;
    tracks(&a, &BOTH).await;
    tracks(&b, &BOTH).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    connect(&mut a, &mut b).await;
    media_flows(&a, &b, &BOTH).await;
}

#[tokio::test]
async fn relay_is_not_its_business() {
    let config = PeerConfig { relay_only: true, ..PeerConfig::default() };
    assert!(matches!(str0m_peer(config).await, Err(PeerError::Unable(_))));
}

#[tokio::test]
async fn ipv6_alone_connects() {
    let config = || PeerConfig { bind: vec!["::1".parse().unwrap()], ..PeerConfig::default() };
    let (mut a, mut b) = (End::str0m(config()).await, End::str0m(config()).await);
    tracks(&a, &[MediaKind::Audio]).await;
    negotiate(&a, &b, &OfferOptions::default()).await;
    connect(&mut a, &mut b).await;
    eventually("audio", || receives(&b, MediaKind::Audio)).await;
    assert!(b.peer.evidence().pair.unwrap().local.starts_with("host [::1]:"));
}
