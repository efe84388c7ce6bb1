//! Calls between two peers of the crate webrtc.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{BOTH, close, connected, got, reported};

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
        let pair = evidence.pair.unwrap();
        assert!(pair.local.starts_with("host ") && pair.remote.contains(":"), "{pair:?}");
    }
    let roles = [&a, &b].map(|end| end.peer.evidence().dtls.unwrap());
    assert_eq!((roles[0].role.as_str(), roles[1].role.as_str()), ("server", "client"));
    assert!(roles[0].cipher.as_ref().unwrap().contains("SRTP"), "{roles:?}");
    close([a, b]).await;
}
