//! str0m against libwebrtc, as npm's @roamhq/wrtc has it.

use fincert_peer::{Description, OfferOptions, PeerConfig, PeerEvent};
use fincert_schemas::run::flow::{MediaKind, Referee};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::ends::{BOTH, End, PATIENCE, is_connected, value};
use crate::node::Node;

/// A call between the two.
struct Call {
    node: Node,
    end: End,
}

impl Call {
    async fn new(config: PeerConfig) -> Self {
        Self { node: Node::start().await, end: End::new(Referee::Str0m, config).await }
    }

    /// A call that is up, with the kinds both ways.
    async fn up(node_offers: bool, kinds: &[MediaKind]) -> Self {
        let mut call = Self::new(PeerConfig::default()).await;
        call.node.tracks(kinds).await;
        call.end.tracks(kinds).await;
        if node_offers {
            call.node_offers(json!({})).await;
        } else {
            call.end_offers(&OfferOptions::default()).await;
        }
        call.until(is_connected).await;
        call.media_flows(kinds).await;
        call
    }

    async fn node_offers(&self, options: Value) -> (Description, Description) {
        let offer = self.node.make("createOffer", json!([options])).await;
        self.node.set("setLocalDescription", &offer).await;
        self.end.peer.set_remote_description(&offer).await.unwrap();
        let answer = self.end.peer.create_answer().await.unwrap();
        self.end.peer.set_local_description(&answer).await.unwrap();
        self.node.set("setRemoteDescription", &answer).await;
        (offer, answer)
    }

    async fn end_offers(&self, options: &OfferOptions) -> (Description, Description) {
        let offer = self.end.peer.create_offer(options).await.unwrap();
        self.end.peer.set_local_description(&offer).await.unwrap();
        self.node.set("setRemoteDescription", &offer).await;
        let answer = self.node.make("createAnswer", json!([])).await;
        self.node.set("setLocalDescription", &answer).await;
        self.end.peer.set_remote_description(&answer).await.unwrap();
        (offer, answer)
    }

    /// Lets candidates go across until str0m tells what is looked for.
    async fn until(&mut self, what: impl Fn(&PeerEvent) -> bool) {
        let wait = async {
            loop {
                tokio::select! {
                    event = self.end.events.recv() => {
                        let event = event.unwrap();
                        if let PeerEvent::Candidate(candidate) = &event {
                            self.node.add_candidate(candidate).await;
                        }
                        self.end.told.push(event);
                        if self.end.told.last().is_some_and(&what) {
                            return;
                        }
                    }
                    candidate = self.node.candidate() => {
                        // libwebrtc gathers TCP, too.
                        let added = self.end.peer.add_candidate(&candidate).await;
                        assert_eq!(added.is_ok(), candidate.candidate.contains(" udp "), "{candidate:?}: {added:?}");
                    }
                }
            }
        };
        let done = timeout(PATIENCE, wait).await;
        assert!(done.is_ok(), "told: {:?}; evidence: {:#?}", self.end.told, self.end.evidence());
    }

    async fn media_flows(&self, kinds: &[MediaKind]) {
        for kind in kinds {
            tokio::join!(self.end.receives(*kind), self.end.is_heard(*kind));
        }
    }
}

#[tokio::test]
async fn either_offers_and_media_goes_both_ways() {
    for node_offers in [true, false] {
        let call = Call::up(node_offers, &BOTH).await;
        let evidence = call.end.evidence();
        assert_eq!(evidence.malformed, 0);
        assert_eq!(evidence.received.len(), 2, "no retransmission streams: {evidence:#?}");
        // str0m answers passive, libwebrtc active (RFC 8842 section 5.3).
        assert_eq!(evidence.dtls.unwrap().role, "server");
        call.end.peer.close().await;
    }
}

#[tokio::test]
async fn ice_restarts_from_either_end() {
    let mut call = Call::up(true, &BOTH).await;
    for node_offers in [true, false, true] {
        let before = call.end.peer.local_description().await.unwrap().sdp;
        call.end.told.clear();
        let own = if node_offers {
            call.node_offers(json!({"iceRestart": true})).await.1
        } else {
            call.end_offers(&OfferOptions { ice_restart: true, ..OfferOptions::default() }).await.0
        };
        assert_ne!(value(&before, "ice-ufrag"), value(&own.sdp, "ice-ufrag"));
        call.until(is_connected).await;
        call.media_flows(&BOTH).await;
    }
}

#[tokio::test]
async fn ten_renegotiations_change_nothing() {
    let call = Call::up(true, &BOTH).await;
    for turn in 0..10 {
        if turn % 2 == 0 {
            call.end_offers(&OfferOptions::default()).await;
        } else {
            call.node_offers(json!({})).await;
        }
    }
    call.media_flows(&BOTH).await;
    assert_eq!(call.end.evidence().received.len(), 2);
    assert_eq!(call.end.evidence().sent.len(), 2);
}

#[tokio::test]
async fn video_is_added_by_either_end() {
    for node_offers in [true, false] {
        let call = Call::up(!node_offers, &[MediaKind::Audio]).await;
        call.node.tracks(&[MediaKind::Video]).await;
        call.end.tracks(&[MediaKind::Video]).await;
        if node_offers {
            call.node_offers(json!({})).await;
        } else {
            call.end_offers(&OfferOptions::default()).await;
        }
        call.media_flows(&BOTH).await;
    }
}

#[tokio::test]
async fn either_only_receives() {
    let mut call = Call::new(PeerConfig::default()).await;
    call.end.tracks(&BOTH).await;
    call.node_offers(json!({"offerToReceiveAudio": true, "offerToReceiveVideo": true})).await;
    call.until(is_connected).await;
    for kind in BOTH {
        call.end.is_heard(kind).await;
    }
    assert!(call.end.evidence().received.is_empty());

    let mut call = Call::new(PeerConfig::default()).await;
    call.node.tracks(&BOTH).await;
    call.end_offers(&OfferOptions { receive: BOTH.to_vec(), ..OfferOptions::default() }).await;
    call.until(is_connected).await;
    for kind in BOTH {
        call.end.receives(kind).await;
    }
    call.end.tracks(&BOTH).await;
    call.end_offers(&OfferOptions::default()).await;
    call.media_flows(&BOTH).await;
}

#[tokio::test]
async fn a_wrong_fingerprint_lets_no_media_through() {
    let mut call = Call::new(PeerConfig { wrong_fingerprint: true, ..PeerConfig::default() }).await;
    call.node.tracks(&BOTH).await;
    call.end.tracks(&BOTH).await;
    call.node_offers(json!({})).await;
    call.until(|event| *event == PeerEvent::Ice("connected".into())).await;
    call.end.sees("DTLS over a pair", || call.end.evidence().pair.is_some()).await;
    let evidence = call.end.evidence();
    assert!(evidence.received.is_empty() && evidence.sent.iter().all(|sent| sent.packets == 0), "{evidence:#?}");
    assert!(!call.end.told.iter().any(is_connected));
}

#[tokio::test]
async fn being_left_is_noticed() {
    let mut call = Call::up(true, &BOTH).await;
    call.node.call("close", json!([])).await;
    call.until(|event| *event == PeerEvent::Connection("disconnected".into())).await;
    assert!(call.end.evidence().byes > 0);
}
