//! After 200 flows no UDP port, no task and no thread of fincert or of its mock host is left.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/in_process.rs"]
mod in_process;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use fincert::runner::{self, Plan};
use fincert_schemas::bridge::Integration;
use fincert_schemas::run::flow::Referees;
use fincert_schemas::run::{Ended, RunHeader};
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
const ROUNDS: usize = 24;
/// When runs are interrupted: at the start, in negotiation, in calls; so often, and so much later each time.
const INTERRUPTS: u64 = 30;
const INTERRUPT_MS: u64 = 12;
/// tokio's threads for files end when they have had nothing to do for 10 s.
const IDLE: Duration = Duration::from_secs(12);
/// How long it is waited for what shall go; a bound on hanging, and no expectation.
const PATIENCE: Duration = Duration::from_secs(60);

/// What this process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
        let links =
            std::fs::read_dir("/proc/self/fd").unwrap().flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
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

fn plan() -> Plan {
    Plan { states: vec![Integration::Integrated], params: law().suite.params.clone(), ..Plan::default() }
}

fn header(referee: Referees) -> RunHeader {
    RunHeader { referee: Some(referee), ..mock_header(SHORT.map(str::to_owned).to_vec()) }
}

/// Drives the flows to their end; how many there were.
async fn round(referee: Referees) -> usize {
    let run = certify(&plan(), &header(referee)).await;
    run.transcripts.iter().filter(|transcript| transcript.ended == Ended::Driven).count()
}

/// Drives them until the operator interrupts, somewhere in the middle.
async fn interrupted(after_ms: u64) {
    let interrupt = tokio::time::sleep(Duration::from_millis(after_ms));
    let (plan, header) = (plan(), header(Referees::Both));
    let gathered = runner::run(&plan, &header, law(), &mut |_| Ok(()), &mut |_| {}, Box::pin(interrupt)).await.unwrap();
    assert!(gathered.transcripts.len() < 2 * SHORT.len(), "it was over before it was interrupted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_after_two_hundred_flows() {
    // What is made once and kept, such as threads for files, is made here.
    round(Referees::Both).await;
    interrupted(INTERRUPT_MS).await;
    let before = least(IDLE, Held::default()).await;
    let mut flows = 0;
    for turn in 0..ROUNDS {
        flows += round(if turn % 2 == 0 { Referees::WebrtcRs } else { Referees::Str0m }).await;
    }
    assert!(flows >= 200, "only {flows} flows were driven");
    for number in 0..INTERRUPTS {
        interrupted(number * INTERRUPT_MS).await;
    }
    let after = least(PATIENCE, before).await;
    assert!(!after.exceeds(before), "before {before:?}, after {after:?}");
}

/// The least that is held within the time, which is over as soon as that is no more than `before`.
async fn least(time: Duration, before: Held) -> Held {
    let began = Instant::now();
    let mut least = Held::now();
    while least.exceeds(before) && began.elapsed() < time {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = Held::now();
        least = Held {
            udp: least.udp.min(now.udp),
            tasks: least.tasks.min(now.tasks),
            threads: least.threads.min(now.threads),
        };
    }
    least
}
