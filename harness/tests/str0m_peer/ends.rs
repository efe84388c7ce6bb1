//! An end of a call, whichever referee it is, and what is awaited of it.

use std::sync::Arc;
use std::time::Duration;

use fincert_peer::{Candidate, Description, OfferOptions, Peer, PeerConfig, PeerEvent};
use fincert_schemas::run::flow::{Evidence, MediaKind, Referee};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Long enough for a machine that is busy with other tests; nothing is measured by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const BOTH: [MediaKind; 2] = [MediaKind::Audio, MediaKind::Video];

/// A peer with what it told.
pub(crate) struct End {
    pub(crate) peer: Arc<dyn Peer>,
    pub(crate) events: mpsc::Receiver<PeerEvent>,
    pub(crate) told: Vec<PeerEvent>,
}

impl End {
    pub(crate) async fn new(referee: Referee, config: PeerConfig) -> Self {
        let (peer, events) = fincert::referee::peer(referee, config).await.unwrap();
        Self { peer, events, told: Vec::new() }
    }

    pub(crate) async fn tracks(&self, kinds: &[MediaKind]) {
        for kind in kinds {
            self.peer.add_track(*kind).await.unwrap();
        }
    }

    pub(crate) fn evidence(&self) -> Evidence {
        self.peer.evidence()
    }

    /// Reads events until the one that is looked for, candidates among them.
    pub(crate) async fn until(&mut self, what: impl Fn(&PeerEvent) -> bool) {
        self.trickle_until(None, what).await;
    }

    /// Hands candidates over until the event comes.
    pub(crate) async fn trickle_until(&mut self, other: Option<&Arc<dyn Peer>>, what: impl Fn(&PeerEvent) -> bool) {
        let wait = async {
            while let Some(event) = self.events.recv().await {
                if let (PeerEvent::Candidate(candidate), Some(other)) = (&event, other) {
                    other.add_candidate(candidate).await.unwrap();
                }
                let found = what(&event);
                self.told.push(event);
                if found {
                    return;
                }
            }
            panic!("the peer is gone; told: {:?}", self.told);
        };
        let done = timeout(PATIENCE, wait).await;
        assert!(done.is_ok(), "not told; told: {:?}; evidence: {:#?}", self.told, self.peer.evidence());
    }

    pub(crate) async fn connection(&mut self, state: &str) {
        let wanted = PeerEvent::Connection(state.into());
        self.until(|event| *event == wanted).await;
    }

    pub(crate) fn received(&self, kind: MediaKind) -> u64 {
        self.evidence().received.iter().filter(|it| it.kind == Some(kind)).map(|it| it.packets).sum()
    }

    /// Media of the kind comes, from now.
    pub(crate) async fn receives(&self, kind: MediaKind) {
        let before = self.received(kind);
        self.sees(&format!("{kind:?} received"), || self.received(kind) > before + 5).await;
    }

    /// Reports of the other end advance, from now.
    pub(crate) async fn is_heard(&self, kind: MediaKind) {
        let reported =
            || self.evidence().sent.iter().filter(|it| it.kind == kind).filter_map(|it| it.last_reported).max();
        self.sees(&format!("{kind:?} reported"), || reported().is_some()).await;
        let before = reported();
        self.sees(&format!("{kind:?} reported further"), || reported() > before).await;
    }

    pub(crate) async fn sees(&self, what: &str, test: impl Fn() -> bool) {
        let wait = async {
            while !test() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let done = timeout(PATIENCE, wait).await;
        assert!(done.is_ok(), "not seen: {what}; evidence: {:#?}", self.evidence());
    }
}

pub(crate) fn is_connected(event: &PeerEvent) -> bool {
    *event == PeerEvent::Connection("connected".into())
}

pub(crate) async fn negotiate(offerer: &End, answerer: &End, options: &OfferOptions) -> (Description, Description) {
    let offer = offerer.peer.create_offer(options).await.unwrap();
    offerer.peer.set_local_description(&offer).await.unwrap();
    answerer.peer.set_remote_description(&offer).await.unwrap();
    let answer = answerer.peer.create_answer().await.unwrap();
    answerer.peer.set_local_description(&answer).await.unwrap();
    offerer.peer.set_remote_description(&answer).await.unwrap();
    (offer, answer)
}

/// Lets candidates go across until both are connected.
pub(crate) async fn connect(a: &mut End, b: &mut End) {
    let (peer_a, peer_b) = (Arc::clone(&a.peer), Arc::clone(&b.peer));
    tokio::join!(a.trickle_until(Some(&peer_b), is_connected), b.trickle_until(Some(&peer_a), is_connected));
}

/// Media of the kinds goes both ways, and both ends report it.
pub(crate) async fn media_flows(a: &End, b: &End, kinds: &[MediaKind]) {
    media_goes_on(a, b, kinds).await;
    let heard = |kind| async move { tokio::join!(a.is_heard(kind), b.is_heard(kind)) };
    futures_util::future::join_all(kinds.iter().map(|kind| heard(*kind))).await;
}

/// Media of the kinds goes both ways.
pub(crate) async fn media_goes_on(a: &End, b: &End, kinds: &[MediaKind]) {
    for kind in kinds {
        tokio::join!(a.receives(*kind), b.receives(*kind));
    }
}

/// A call of str0m with another that is up, with the kinds both ways; str0m offered if it is to.
pub(crate) async fn call(other: Referee, str0m_offers: bool, kinds: &[MediaKind]) -> (End, End) {
    let mut a = End::new(Referee::Str0m, PeerConfig::default()).await;
    let mut b = End::new(other, PeerConfig::default()).await;
    a.tracks(kinds).await;
    b.tracks(kinds).await;
    let (offerer, answerer) = if str0m_offers { (&mut a, &mut b) } else { (&mut b, &mut a) };
    negotiate(offerer, answerer, &OfferOptions::default()).await;
    connect(offerer, answerer).await;
    media_flows(&a, &b, kinds).await;
    (a, b)
}

/// The first value of an attribute.
pub(crate) fn value<'a>(sdp: &'a str, name: &str) -> &'a str {
    let prefix = format!("a={name}:");
    sdp.lines().find_map(|line| line.strip_prefix(prefix.as_str())).unwrap_or_else(|| panic!("no {name} in {sdp}"))
}

/// The m-sections.
pub(crate) fn sections(sdp: &str) -> Vec<&str> {
    let starts: Vec<_> = sdp.match_indices("\nm=").map(|(at, _)| at + 1).chain([sdp.len()]).collect();
    starts.windows(2).map(|pair| &sdp[pair[0]..pair[1]]).collect()
}

pub(crate) fn candidate(text: &str) -> Candidate {
    Candidate { candidate: text.into(), sdp_mid: None, sdp_m_line_index: Some(0), username_fragment: None }
}

/// The description with a video m-line that offers a codec which no one has, and no other.
pub(crate) fn with_odd_video(sdp: &str) -> String {
    let mut odd = String::new();
    let mut video = false;
    for line in sdp.lines() {
        video = if line.starts_with("m=") { line.starts_with("m=video") } else { video };
        let codec = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().any(|it| line.starts_with(it));
        match line {
            _ if video && line.starts_with("m=") => odd += "m=video 9 UDP/TLS/RTP/SAVPF 120\r\n",
            _ if video && line.starts_with("a=mid:") => odd += &format!("{line}\r\na=rtpmap:120 x-none/90000\r\n"),
            _ if video && codec => {}
            _ => odd += &format!("{line}\r\n"),
        }
    }
    odd
}
