//! After 200 flows no UDP port, no task and no thread of fincert or of its mock host is left.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/in_process.rs"]
mod in_process;

use std::collections::HashSet;
use std::time::Duration;

use fincert::runner::Plan;
use fincert_schemas::bridge::Integration;
use fincert_schemas::run::Ended;
use in_process::{certify, law, mock_header};

/// Flows that are over soon.
const SHORT: [&str; 10] = [
    "webrtc.candidates.late",
    "webrtc.candidates.early",
    "webrtc.candidates.too-early",
    "webrtc.candidates.duplicate",
    "webrtc.end-of-candidates.empty-string",
    "webrtc.end-of-candidates.empty-object",
    "webrtc.end-of-candidates.null",
    "webrtc.unsupported-codec",
    "webrtc.glare",
    "webrtc.relay.wrong-credential",
];
const ROUNDS: usize = 20;

/// What this process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    udp: usize,
    tasks: usize,
    threads: usize,
}

impl Held {
    fn now() -> Self {
        let mut sockets = HashSet::new();
        for table in ["/proc/self/net/udp", "/proc/self/net/udp6"] {
            let text = std::fs::read_to_string(table).unwrap_or_default();
            sockets.extend(text.lines().skip(1).filter_map(|line| line.split_whitespace().nth(9)).map(str::to_owned));
        }
        let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
        let udp = links
            .filter(|link| {
                let link = link.to_string_lossy();
                let inode = link.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
                inode.is_some_and(|inode| sockets.contains(inode))
            })
            .count();
        let threads = std::fs::read_dir("/proc/self/task").unwrap().count();
        Self { udp, tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(), threads }
    }

    fn exceeds(self, before: Self) -> bool {
        self.udp > before.udp || self.tasks > before.tasks || self.threads > before.threads
    }
}

async fn round() -> usize {
    let plan = Plan { states: vec![Integration::Integrated], params: law().suite.params.clone(), ..Plan::default() };
    let run = certify(&plan, &mock_header(SHORT.map(str::to_owned).to_vec())).await;
    run.transcripts.iter().filter(|transcript| transcript.ended == Ended::Driven).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_after_two_hundred_flows() {
    // What is made once and kept, such as threads for files, is made here.
    round().await;
    let before = Held::now();
    let mut flows = 0;
    for _ in 0..ROUNDS {
        flows += round().await;
    }
    assert!(flows >= 200, "only {flows} flows were driven");
    // Threads for files end by themselves when they have had nothing to do for a while.
    let mut after = Held::now();
    for _ in 0..300 {
        if !after.exceeds(before) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        after = Held::now();
    }
    assert!(!after.exceeds(before), "before {before:?}, after {after:?}");
}
