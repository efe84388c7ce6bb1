//! What a peer must work around in the crate webrtc: the policy layer. Each workaround has a file of its own, and a
//! test that fails without it.
//!
//! | note | workaround | where |
//! |---|---|---|
//! | 1 | the DTLS role of answers | `setup.rs` |
//! | 2 | `a=ice-options:trickle` | `trickle.rs` |
//! | 3 | candidates with mid, index and user fragment | `candidate.rs` |
//! | 4, 5 | pace of the checks, no mDNS | `../rtc/settings.rs` |
//! | 6 | RTCP, and all evidence | `../rtc/tap.rs` |
//! | 7 | judging what the crate takes | `judge.rs`, `../connection/` |
//! | 8 | addresses and TCP | `../address.rs`, `../rtc/socket.rs` |
//! | 9 | echo | `../media/echo.rs` |
//! | – | version of descriptions, m-lines, directions, what the crate stumbles over | `origin.rs`, `sections.rs`, `normal.rs` |

pub(crate) mod candidate;
pub(crate) mod fingerprint;
pub(crate) mod judge;
pub(crate) mod normal;
pub(crate) mod origin;
pub(crate) mod sections;
pub(crate) mod setup;
pub(crate) mod text;
pub(crate) mod trickle;

pub(crate) use text::Text;
