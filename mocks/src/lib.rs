//! The mock host: fincert's own target.
//!
//! It has two callers. fincert drives it over the bridge and it answers by the picture it was given, as an
//! engine would, so that certifying it proves the suites; and a developer of a mini program, at a desk, asks it
//! with `curl` and gets the documented result.
//!
//! What it answers is decided without I/O: [`decide::decide`] makes a [`plan::Plan`] from a request, the
//! session's [`state::State`] and the [`config::Config`]; a [`defects::Defect`] turns that plan into a slightly
//! wrong one; only then does [`host::MockHost`] carry it out over a socket.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod canned;
pub mod config;
pub mod decide;
pub mod defects;
pub mod generate;
pub mod host;
pub mod journal;
pub mod pending;
pub mod picture;
pub mod plan;
pub mod request;
pub mod rtc;
pub mod state;
pub mod web;

mod bridge;
mod engine;
mod help;
mod http;
mod prefer;
mod serve;
mod session;
mod socket;

pub use config::Config;
pub use defects::Defect;
pub use host::MockHost;
