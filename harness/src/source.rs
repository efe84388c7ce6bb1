//! Where connections come from: each form of target, started or dialled as often as the runner asks.

use std::num::NonZero;
use std::time::Duration;

use fincert_schemas::run::Reason;
use url::Url;

use crate::browser::Browser;
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
    /// A device dials in, or a browser in which a person has opened the page.
    Listen(Listener),
    /// A browser is started once, and its page dials in as often as wanted.
    Browser(Browser),
    /// The address could not be bound, or there is no browser.
    Failed(ConnectError),
}

impl Source {
    /// Prepares the target's form; for `listen` the URLs are shown.
    pub async fn open(plan: &Plan, progress: &mut dyn FnMut(Progress<'_>)) -> Self {
        match &plan.target {
            Target::Stdio(words) => Self::Stdio(words.clone()),
            Target::Dial(url) => Self::Dial(url.clone()),
            Target::Listen(address) => match Listener::bind(*address, token()).await {
                Ok(listener) => {
                    progress(Progress::Waiting { url: listener.url(), page: listener.page_url() });
                    Self::Listen(listener)
                }
                Err(error) => Self::Failed(ConnectError {
                    reason: Reason::ConnectionRefused,
                    detail: format!("{address}: {error}"),
                }),
            },
            Target::Browser(program) => match Browser::new(program.as_deref(), lanes()) {
                Ok(browser) => Self::Browser(browser),
                Err(error) => Self::Failed(error),
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
            Self::Browser(browser) => browser.wire().await,
            Self::Failed(error) => Err(error.clone()),
        }
    }
}

impl Source {
    /// Whether a new connection is to be had without a person: a program is started, a server dialled.
    pub fn restarts(&self) -> bool {
        matches!(self, Self::Stdio(_) | Self::Dial(_) | Self::Browser(_))
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// How many connections a browser is asked for. Two a core: a flow mostly waits for timers of ICE and RTCP, but it
/// also encodes video.
fn lanes() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get).saturating_mul(2).clamp(2, 8)
}

/// 128 random bits. It guards a listener, so it comes from the system and not from the run's seed.
pub(crate) fn token() -> String {
    use rand::RngExt;
    let random: u128 = rand::rng().random();
    format!("{random:032x}")
}
