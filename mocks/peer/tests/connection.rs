//! A connection's W3C semantics.
#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use fincert_peer::{
    Candidate, Connection, ConnectionConfig, ConnectionEvent, Description, IceServer, LocalTrack, OfferOptions,
    PeerError, SdpKind, Timing,
};
use fincert_schemas::format::sdp::{Sdp, faults};
use fincert_schemas::run::flow::MediaKind;
use tokio::sync::mpsc;

type Events = mpsc::Receiver<ConnectionEvent>;

async fn new() -> (Arc<Connection>, Events) {
    Connection::new(ConnectionConfig::default()).await.unwrap()
}

async fn with_audio() -> (Arc<Connection>, Events, LocalTrack) {
    let (connection, events) = new().await;
    let track = LocalTrack::new(MediaKind::Audio, "t", "s");
    connection.add_track(&track).await.unwrap();
    (connection, events, track)
}

async fn offer(connection: &Connection) -> Description {
    connection.create_offer(&OfferOptions::default()).await.unwrap()
}

/// An offer in force at one end and at the other, answered by the other, in force at both.
async fn negotiate(a: &Connection, b: &Connection) -> Description {
    let offer = offer(a).await;
    a.set_local_description(&offer).await.unwrap();
    b.set_remote_description(&offer).await.unwrap();
    let answer = b.create_answer().await.unwrap();
    b.set_local_description(&answer).await.unwrap();
    a.set_remote_description(&answer).await.unwrap();
    answer
}

/// Negotiates, and waits until both ends are up.
async fn connect((a, a_events): (&Connection, &mut Events), (b, b_events): (&Connection, &mut Events)) {
    negotiate(a, b).await;
    for (from, to) in [(a_events, b), (b_events, a)] {
        for event in gathered(from).await {
            if let ConnectionEvent::Candidate(Some(candidate)) = event {
                to.add_ice_candidate(Some(&candidate)).await.unwrap();
            }
        }
    }
    let up = async {
        while [a, b].iter().any(|end| end.connection_state() != "connected") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), up).await.unwrap();
}

/// What was told until now.
fn told(events: &mut Events) -> Vec<ConnectionEvent> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

fn signaling(events: &mut Events) -> Vec<String> {
    let states = told(events).into_iter().filter_map(|event| match event {
        ConnectionEvent::SignalingState(state) => Some(state),
        _ => None,
    });
    states.collect()
}

async fn gathered(events: &mut Events) -> Vec<ConnectionEvent> {
    let mut all = Vec::new();
    while all.last() != Some(&ConnectionEvent::Candidate(None)) {
        all.push(tokio::time::timeout(Duration::from_secs(20), events.recv()).await.unwrap().unwrap());
    }
    all
}

fn is_state(result: Result<impl std::fmt::Debug, PeerError>) -> bool {
    matches!(result, Err(PeerError::State(_)))
}

fn is_malformed(result: Result<impl std::fmt::Debug, PeerError>) -> bool {
    matches!(result, Err(PeerError::Malformed(_)))
}

#[tokio::test]
async fn everything_is_new_at_first() {
    let (connection, mut events) = new().await;
    let states = [
        connection.signaling_state(),
        connection.ice_connection_state(),
        connection.ice_gathering_state(),
        connection.connection_state(),
    ];
    assert_eq!(states, ["stable", "new", "new", "new"]);
    assert_eq!(connection.can_trickle_ice_candidates(), None);
    assert_eq!((connection.local_description(), connection.remote_description()), (None, None));
    assert_eq!((connection.current_local_description(), connection.current_remote_description()), (None, None));
    assert_eq!(told(&mut events), []);
    connection.close().await;
}

#[tokio::test]
async fn a_bad_configuration_is_refused() {
    let of = |url: &str, username: &str, credential: &str| ConnectionConfig {
        ice_servers: vec![IceServer {
            urls: vec![url.into()],
            username: username.into(),
            credential: credential.into(),
        }],
        ..ConnectionConfig::default()
    };
    for config in [of("nonsense", "", ""), of("http://a", "", ""), of("turn:127.0.0.1", "", ""), of("turn:a", "u", "")]
    {
        assert!(is_malformed(Connection::new(config).await), "refused");
    }
    let (connection, _events) = Connection::new(of("stun:stun.stunprotocol.org", "", "")).await.unwrap();
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn states_and_descriptions_follow_the_negotiation() {
    let (a, mut a_events, _track) = with_audio().await;
    let (b, mut b_events) = new().await;
    let offer = offer(&a).await;
    assert_eq!(a.signaling_state(), "stable", "createOffer changes nothing");
    a.set_local_description(&offer).await.unwrap();
    assert_eq!((a.signaling_state().as_str(), a.current_local_description()), ("have-local-offer", None));
    assert_eq!(signaling(&mut a_events), ["have-local-offer"], "told before the method returns");
    b.set_remote_description(&offer).await.unwrap();
    assert_eq!(b.signaling_state(), "have-remote-offer");
    assert_eq!((b.remote_description().unwrap(), b.current_remote_description()), (offer, None));
    assert_eq!(b.can_trickle_ice_candidates(), Some(true));
    let track = ConnectionEvent::Track { kind: MediaKind::Audio, mid: "0".into(), stream_ids: vec!["s".into()] };
    let expected = [ConnectionEvent::SignalingState("have-remote-offer".into()), track];
    assert_eq!(told(&mut b_events)[..2], expected);
    let answer = b.create_answer().await.unwrap();
    assert_eq!(b.signaling_state(), "have-remote-offer", "createAnswer changes nothing");
    b.set_local_description(&answer).await.unwrap();
    assert_eq!(signaling(&mut b_events), ["stable"]);
    a.set_remote_description(&answer).await.unwrap();
    assert_eq!(signaling(&mut a_events), ["stable"]);
    for connection in [&a, &b] {
        assert_eq!(connection.local_description(), connection.current_local_description());
        assert_eq!(connection.remote_description(), connection.current_remote_description());
        assert!(connection.current_local_description().is_some() && connection.current_remote_description().is_some());
    }
    a.close().await;
    b.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gathering_begins_with_the_local_description_and_ends() {
    let (connection, mut events, _track) = with_audio().await;
    let offer = offer(&connection).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(told(&mut events), [ConnectionEvent::NegotiationNeeded]);
    connection.set_local_description(&offer).await.unwrap();
    let all = gathered(&mut events).await;
    assert_eq!(all[0], ConnectionEvent::GatheringState("gathering".into()));
    assert_eq!(all[1], ConnectionEvent::SignalingState("have-local-offer".into()));
    assert_eq!(all[all.len() - 2], ConnectionEvent::GatheringState("complete".into()));
    assert!(matches!(all[2], ConnectionEvent::Candidate(Some(_))), "{all:?}");
    assert_eq!(connection.ice_gathering_state(), "complete");
    connection.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_descriptions_are_without_fault() {
    let (a, _events, _track) = with_audio().await;
    let (b, _b_events) = new().await;
    a.add_track(&LocalTrack::new(MediaKind::Video, "v", "s")).await.unwrap();
    for _ in 0..2 {
        let answer = negotiate(&a, &b).await;
        for sdp in [&a.local_description().unwrap().sdp, &answer.sdp] {
            let found: Vec<_> = faults(sdp).into_iter().map(|fault| (fault.line, fault.rule, fault.message)).collect();
            assert!(found.is_empty(), "{found:?} in {sdp}");
        }
    }
    let sdp = offer(&a).await.sdp;
    let read = Sdp::read(&sdp);
    assert_eq!(read.groups("BUNDLE"), [["0", "1"]]);
    assert!(read.media[1].has_codec("VP8") && read.media[1].has_codec("H264") && read.media[0].has_codec("opus"));
    a.close().await;
    b.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_count_changes_and_the_session_id_stays() {
    let (a, _events, _track) = with_audio().await;
    let (b, _b_events) = new().await;
    let origin = |description: &Description| {
        let sdp = Sdp::read(&description.sdp);
        let origin = sdp.origin().unwrap();
        (origin.session_id.to_owned(), origin.version_number().unwrap())
    };
    let first = origin(&offer(&a).await);
    assert_eq!(origin(&offer(&a).await), first, "the same again");
    negotiate(&a, &b).await;
    a.add_track(&LocalTrack::new(MediaKind::Video, "v", "s")).await.unwrap();
    assert_eq!(origin(&offer(&a).await), (first.0.clone(), first.1 + 1));
    a.close().await;
    b.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn negotiation_is_needed_once_a_batch_and_only_in_stable() {
    let (a, mut events) = new().await;
    let (b, mut b_events) = new().await;
    for id in ["1", "2"] {
        a.add_track(&LocalTrack::new(MediaKind::Audio, id, "s")).await.unwrap();
    }
    assert_eq!(told(&mut events), [ConnectionEvent::NegotiationNeeded]);
    let offer = offer(&a).await;
    a.set_local_description(&offer).await.unwrap();
    a.add_track(&LocalTrack::new(MediaKind::Video, "3", "s")).await.unwrap();
    assert!(!told(&mut events).contains(&ConnectionEvent::NegotiationNeeded), "not in have-local-offer");
    b.set_remote_description(&offer).await.unwrap();
    let answer = b.create_answer().await.unwrap();
    b.set_local_description(&answer).await.unwrap();
    a.set_remote_description(&answer).await.unwrap();
    let after = told(&mut events);
    assert_eq!(after.iter().filter(|event| **event == ConnectionEvent::NegotiationNeeded).count(), 1, "{after:?}");
    negotiate(&a, &b).await;
    assert!(!told(&mut events).contains(&ConnectionEvent::NegotiationNeeded), "nothing is needed any more");
    assert!(!told(&mut b_events).contains(&ConnectionEvent::NegotiationNeeded), "the other end needs nothing");
    a.close().await;
    b.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_leaves_everything_as_it_was() {
    let (a, mut events, track) = with_audio().await;
    let (b, _b_events, _b_track) = with_audio().await;
    let offer = offer(&a).await;
    let answer = |sdp: &str| Description { kind: SdpKind::Answer, sdp: sdp.to_owned() };
    let described = |sdp: &str| Description { kind: SdpKind::Offer, sdp: sdp.to_owned() };
    let without = |name: &str| {
        let lines = offer.sdp.lines().filter(|line| !line.starts_with(&format!("a={name}")));
        described(&lines.map(|line| format!("{line}\r\n")).collect::<String>())
    };
    told(&mut events);

    assert!(is_state(b.create_answer().await));
    assert!(is_state(b.set_remote_description(&answer(&offer.sdp)).await));
    assert!(is_malformed(b.set_remote_description(&described("garbage")).await));
    assert!(is_malformed(b.set_remote_description(&described("")).await));
    for name in ["ice-ufrag", "ice-pwd", "fingerprint", "mid", "rtcp-mux"] {
        assert!(is_malformed(b.set_remote_description(&without(name)).await), "{name}");
    }
    let candidate = Candidate {
        candidate: "candidate:1 1 udp 2130706431 127.0.0.1 9 typ host".into(),
        sdp_mid: Some("0".into()),
        sdp_m_line_index: Some(0),
        username_fragment: None,
    };
    assert!(is_state(b.add_ice_candidate(Some(&candidate)).await));
    assert!(is_state(b.add_ice_candidate(None).await));
    assert!(is_state(a.add_track(&track).await));
    assert!(is_malformed(a.set_local_description(&described(&format!("{}a=x\r\n", offer.sdp))).await));
    assert!(is_state(a.set_local_description(&Description { kind: SdpKind::Rollback, sdp: String::new() }).await));
    for connection in [&a, &b] {
        assert_eq!(connection.signaling_state(), "stable");
        assert_eq!((connection.local_description(), connection.remote_description()), (None, None));
    }
    assert_eq!(told(&mut events), []);

    // And all of it works still.
    b.set_remote_description(&offer).await.unwrap();
    b.add_ice_candidate(Some(&candidate)).await.unwrap();
    assert!(b.remote_description().unwrap().sdp.contains("a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"));
    assert!(is_malformed(
        b.add_ice_candidate(Some(&Candidate { sdp_mid: Some("9".into()), ..candidate.clone() })).await
    ));
    assert!(is_malformed(b.add_ice_candidate(Some(&Candidate { candidate: "no".into(), ..candidate.clone() })).await));
    let nowhere = Candidate { sdp_mid: None, sdp_m_line_index: None, ..candidate.clone() };
    assert!(is_malformed(b.add_ice_candidate(Some(&nowhere)).await));
    let empty = Candidate { candidate: String::new(), ..candidate.clone() };
    b.add_ice_candidate(Some(&empty)).await.unwrap();
    b.add_ice_candidate(None).await.unwrap();
    assert!(is_state(b.set_local_description(&offer).await));
    let remote = b.remote_description();
    a.set_local_description(&offer).await.unwrap();
    assert!(is_state(a.create_answer().await));
    assert!(is_malformed(a.set_remote_description(&answer("garbage")).await));
    assert!(is_malformed(a.set_remote_description(&answer(&offer.sdp)).await), "an answer says actpass");
    assert_eq!((a.signaling_state().as_str(), b.remote_description()), ("have-local-offer", remote));
    let good = b.create_answer().await.unwrap();
    b.set_local_description(&good).await.unwrap();
    a.set_remote_description(&good).await.unwrap();
    a.close().await;
    b.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_connection_refuses_and_says_nothing() {
    let (a, mut events, track) = with_audio().await;
    let offer = offer(&a).await;
    a.set_local_description(&offer).await.unwrap();
    gathered(&mut events).await;
    a.close().await;
    a.close().await;
    let states = [a.signaling_state(), a.ice_connection_state(), a.connection_state()];
    assert_eq!(states, ["closed", "closed", "closed"]);
    assert!(is_state(a.create_offer(&OfferOptions::default()).await));
    assert!(is_state(a.create_answer().await));
    assert!(is_state(a.set_local_description(&offer).await));
    assert!(is_state(a.set_remote_description(&offer).await));
    assert!(is_state(a.add_ice_candidate(None).await));
    assert!(is_state(a.add_track(&track).await));
    assert!(is_state(a.add_track(&LocalTrack::new(MediaKind::Video, "v", "s")).await));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(told(&mut events), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn m_lines_that_are_not_known_are_rejected_in_their_place() {
    let (a, _events, _track) = with_audio().await;
    let (b, _b_events) = new().await;
    let offer = offer(&a).await;
    let head = offer.sdp.find("m=").unwrap();
    let text = "m=text 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=mid:t\r\na=rtpmap:98 t140/1000\r\n\
                a=ice-ufrag:UFRAG\r\na=ice-pwd:PWD\r\na=setup:actpass\r\na=sendrecv\r\n";
    let value =
        |name: &str| offer.sdp.lines().find_map(|line| line.strip_prefix(&format!("a={name}:"))).unwrap().to_owned();
    let text = text.replace("UFRAG", &value("ice-ufrag")).replace("PWD", &value("ice-pwd"));
    let sdp = format!("{}{text}{}", &offer.sdp[..head], &offer.sdp[head..]).replace("BUNDLE 0", "BUNDLE 0 t");
    b.set_remote_description(&Description { kind: SdpKind::Offer, sdp }).await.unwrap();
    let answer = b.create_answer().await.unwrap();
    let read = Sdp::read(&answer.sdp);
    assert_eq!(read.media.len(), 2, "{}", answer.sdp);
    assert!(read.media[0].is_rejected() && read.media[0].kind() == "text");
    assert!(!read.media[1].is_rejected() && read.media[1].kind() == "audio");
    assert_eq!(read.groups("BUNDLE"), [["0"]]);
    b.set_local_description(&answer).await.unwrap();
    a.close().await;
    b.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_m_line_without_a_common_codec_is_rejected() {
    let (a, _events, _track) = with_audio().await;
    let (b, mut b_events, _b_track) = with_audio().await;
    let sdp = offer(&a).await.sdp.replace("opus/48000/2", "speech/8000");
    b.set_remote_description(&Description { kind: SdpKind::Offer, sdp }).await.unwrap();
    let answer = b.create_answer().await.unwrap();
    assert!(Sdp::read(&answer.sdp).media[0].is_rejected(), "{}", answer.sdp);
    b.set_local_description(&answer).await.unwrap();
    assert_eq!(b.signaling_state(), "stable");
    told(&mut b_events);
    a.close().await;
    b.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_vanishes_is_missed_and_then_given_up() {
    let milliseconds = Duration::from_millis;
    let timing = Timing { disconnected: milliseconds(600), failed: milliseconds(600), keepalive: milliseconds(50) };
    let (a, mut a_events, _track) = with_audio().await;
    let (b, mut b_events) = Connection::new(ConnectionConfig { timing, ..ConnectionConfig::default() }).await.unwrap();
    connect((&a, &mut a_events), (&b, &mut b_events)).await;
    a.vanish();
    let mut ice = Vec::new();
    while ice.last().is_none_or(|state| state != "failed") {
        let event = tokio::time::timeout(Duration::from_secs(20), b_events.recv()).await.unwrap().unwrap();
        if let ConnectionEvent::IceConnectionState(state) = event {
            ice.push(state);
        }
    }
    assert_eq!(ice[ice.len() - 2], "disconnected");
    a.close().await;
    b.close().await;
    assert_eq!(b.connection_state(), "closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_or_disabled_track_sends_nothing() {
    let (a, mut a_events) = new().await;
    let (b, mut b_events) = new().await;
    let audio = LocalTrack::new(MediaKind::Audio, "a", "s");
    let video = LocalTrack::new(MediaKind::Video, "v", "s");
    a.add_track(&audio).await.unwrap();
    a.add_track(&video).await.unwrap();
    connect((&a, &mut a_events), (&b, &mut b_events)).await;
    let packets = || {
        let evidence = b.evidence();
        let of =
            |kind| evidence.received.iter().filter(|got| got.kind == Some(kind)).map(|got| got.packets).sum::<u64>();
        (of(MediaKind::Audio), of(MediaKind::Video))
    };
    let until = async |says: &dyn Fn((u64, u64)) -> bool| {
        let wait = async {
            while !says(packets()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    };
    until(&|(audio, video)| audio > 5 && video > 5).await;
    audio.stop();
    audio.stop();
    video.set_enabled(false);
    assert!(!audio.live() && video.live() && !video.enabled());
    // What is on its way arrives.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let silent = packets();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(packets(), silent);
    video.set_enabled(true);
    until(&|(_, video)| video > silent.1 + 5).await;
    assert_eq!(packets().0, silent.0);
    a.close().await;
    b.close().await;
}
