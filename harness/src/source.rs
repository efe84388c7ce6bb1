//! Where connections come from: each form of target, started or dialled as often as the runner asks.

use std::time::Duration;

use fincert_schemas::run::Reason;
use url::Url;

use crate::runner::{Plan, Progress};
use crate::target::Target;
use crate::transport::{self, ConnectError, Listener, Wire};

/// How long fincert waits for a device to dial in for the first time.
const DEVICE_PATIENCE: Duration = Duration::from_secs(600);
/// How long it waits for a device that went away.
const DEVICE_RETURN: Duration = Duration::from_secs(60);

/// Where connections come from.
pub enum Source {
    /// A program is started for each.
    Stdio(Vec<String>),
    /// A server is dialled for each.
    Dial(Url),
    /// A device dials in.
    Listen(Listener),
    /// The address could not be bound.
    Failed(ConnectError),
}

impl Source {
    /// Prepares the target's form; for `listen` the URL is shown.
    pub async fn open(plan: &Plan, progress: &mut dyn FnMut(Progress<'_>)) -> Self {
        match &plan.target {
            Target::Stdio(words) => Self::Stdio(words.clone()),
            Target::Dial(url) => Self::Dial(url.clone()),
            Target::Listen(address) => match Listener::bind(*address, token()).await {
                Ok(listener) => {
                    progress(Progress::Waiting { url: listener.url() });
                    Self::Listen(listener)
                }
                Err(error) => Self::Failed(ConnectError {
                    reason: Reason::ConnectionRefused,
                    detail: format!("{address}: {error}"),
                }),
            },
            Target::Mock => {
                Self::Failed(ConnectError { reason: Reason::ConnectionRefused, detail: "no mock host".to_owned() })
            }
        }
    }

    /// The next connection; `again` where there was one before.
    pub async fn wire(&mut self, again: bool) -> Result<Wire, ConnectError> {
        match self {
            Self::Stdio(words) => transport::spawn(words),
            Self::Dial(url) => transport::dial(url).await,
            Self::Listen(listener) => listener.accept(if again { DEVICE_RETURN } else { DEVICE_PATIENCE }).await,
            Self::Failed(error) => Err(error.clone()),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// 128 random bits. It guards a listener, so it comes from the system and not from the run's seed.
fn token() -> String {
    use rand::RngExt;
    let random: u128 = rand::rng().random();
    format!("{random:032x}")
}
