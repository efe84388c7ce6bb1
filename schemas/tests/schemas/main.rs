//! The schemas, their formats, strategies and capture. One program: the validator is compiled for it once.
#![allow(missing_docs, clippy::unwrap_used)]
#![recursion_limit = "512"]

mod capture;
mod capture_webrtc;
mod generated;
mod specification;
mod strategies;
mod strategies_corpus;
