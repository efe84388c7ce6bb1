//! Driving: the only place that talks to a target. It holds no opinion: everything it sees goes into the
//! transcript, captured.
//!
//! One task drives one session. Calls made at once are a table of pending ids, not tasks, so the order of
//! events in a transcript is the order of arrival and two runs write the same.

mod cases;
mod fixtures;
mod flow;
mod inbound;
mod receive;
mod scenario;
mod session;

pub use cases::{CasesOutcome, Pacing, drive_cases};
pub use fixtures::{PrepareError, Prepared};
pub use flow::{can_drive, drive_flow};
pub use scenario::{Drive, drive};
pub use session::{HELLO_DEADLINE, Session, connect_hello};
