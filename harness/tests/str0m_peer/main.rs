//! The second referee, str0m: against itself, against the first referee, and against libwebrtc in Node.
#![allow(missing_docs, clippy::unwrap_used)]

mod calls;
mod descriptions;
mod ends;
mod hostile;
mod libwebrtc;
mod node;
