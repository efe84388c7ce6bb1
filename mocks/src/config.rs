//! What a mock host is told when it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use fincert_schemas::bridge::Integration;

use crate::defects::Defect;
use crate::generate::Mode;

/// The platform that the mock host says it is; conditions of requirements look at it.
pub const PLATFORM: &str = "android";

/// How a mock host behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Which of the three states of clause 1 it imitates.
    pub integration: Integration,
    /// The deliberate wrongness, if any.
    pub defect: Option<&'static Defect>,
    /// Whether results are generated, and whether they keep to their tables; `None`: canned results, and what specimens
    /// show.
    pub generate: Option<Mode>,
    /// What generated results are made from.
    pub seed: u64,
    /// How long `POST /ft/…` is held before it says that no response would ever come.
    pub silence: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            integration: Integration::Integrated,
            defect: None,
            generate: None,
            seed: 1,
            silence: Duration::from_secs(5),
        }
    }
}
