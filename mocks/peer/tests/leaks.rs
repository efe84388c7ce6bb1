//! Peers that are closed leave nothing behind. Alone in its file: it counts what the process has.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::fs;
use std::time::Duration;

use common::{BOTH, End, close, connect, got};
use fincert_peer::{PeerConfig, TurnConfig, TurnServer};
use fincert_schemas::run::flow::MediaKind;

const PAIRS: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    sockets: usize,
    tasks: usize,
    threads: usize,
}

fn left() -> Left {
    let is_socket = |entry: &fs::DirEntry| {
        fs::read_link(entry.path()).is_ok_and(|link| link.to_string_lossy().starts_with("socket:"))
    };
    Left {
        sockets: fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok).filter(is_socket).count(),
        tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
        threads: fs::read_dir("/proc/self/task").unwrap().count(),
    }
}

async fn pair(way: usize) {
    let mut a = End::sending(PeerConfig::default(), &BOTH).await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    connect(&mut a, &mut b).await;
    a.shows("media", |evidence| got(evidence, MediaKind::Audio, 2)).await;
    match way % 3 {
        0 => close([a, b]).await,
        1 => {
            a.peer.vanish().await;
            close([b, a]).await;
        }
        // Closed at once, and by several at a time.
        _ => {
            tokio::join!(a.peer.close(), a.peer.close(), b.peer.close());
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_peers_leave_nothing() {
    let before = left();
    let turn = TurnServer::start(TurnConfig::default()).await.unwrap();
    let mut a = End::sending(
        PeerConfig { ice_servers: vec![turn.ice_server()], relay_only: true, ..PeerConfig::default() },
        &BOTH,
    )
    .await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    connect(&mut a, &mut b).await;
    close([a, b]).await;
    turn.close().await;
    let mut pairs = tokio::task::JoinSet::new();
    for way in 0..PAIRS {
        pairs.spawn(pair(way));
        while pairs.len() >= 20 {
            pairs.join_next().await.unwrap().unwrap();
        }
    }
    pairs.join_all().await;
    // A peer that is dropped without being closed ends by itself.
    dropped().await;
    // The thread that paces media ends when it looks around, and timers of the TURN server with their channels.
    let mut after = left();
    for _ in 0..100 {
        if after == before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        after = left();
    }
    panic!("before {before:?}, after {after:?}");
}

async fn dropped() {
    let mut a = End::sending(PeerConfig::default(), &BOTH).await;
    let mut b = End::sending(PeerConfig::default(), &BOTH).await;
    connect(&mut a, &mut b).await;
    drop((a, b));
}
