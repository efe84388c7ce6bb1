//! The adapter: the only place that names the crates webrtc and rtc. Their version 1.0 will change the API.

mod engine;
mod outlet;
mod payload;
mod runtime;
mod settings;
mod socket;
mod tap;
mod wire;

pub use engine::default_addresses;
pub(crate) use engine::{Engine, EngineConfig, EngineEvent};
pub(crate) use outlet::Outlet;
pub(crate) use payload::payloads;
pub(crate) use wire::Wire;
