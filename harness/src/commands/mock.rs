//! `fincert mock`: the mock host, until it is interrupted.

use std::net::SocketAddr;

use clap::ValueEnum;
use fincert_mocks::{Config, Defect, MockHost};
use fincert_schemas::bridge::Integration;

use super::{Failure, exit};

/// Options of `fincert mock`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where to listen; port 0 lets the system choose
    #[arg(long, default_value = "127.0.0.1:7350", value_name = "ADDR")]
    listen: SocketAddr,
    /// Which of the three states of clause 1 to imitate
    #[arg(long, value_enum, default_value = "integrated")]
    integration: State,
    /// A deliberate wrongness; `fincert list defects` names them
    #[arg(long, value_name = "NAME")]
    defect: Option<String>,
}

/// The three states of clause 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum State {
    Integrated,
    Absent,
    Custom,
}

impl From<State> for Integration {
    fn from(state: State) -> Self {
        match state {
            State::Integrated => Self::Integrated,
            State::Absent => Self::Absent,
            State::Custom => Self::Custom,
        }
    }
}

/// The defect of that name, or an error that names near ones.
pub(super) fn find_defect(name: Option<&str>) -> Result<Option<&'static Defect>, Failure> {
    name.map(|name| fincert_mocks::defects::find(name).map_err(|error| Failure::usage(error.to_string()))).transpose()
}

pub(super) async fn run(options: Options) -> Result<u8, Failure> {
    let defect = find_defect(options.defect.as_deref())?;
    let config =
        Config { listen: options.listen, integration: options.integration.into(), defect, ..Config::default() };
    let host = MockHost::start(config).await.map_err(|error| Failure {
        code: exit::COULD_NOT_RUN,
        message: format!("{}: {error}; choose another address with --listen, such as 127.0.0.1:0", options.listen),
    })?;
    let http = host.http_url();
    super::print(&format!("{http}\n"))?;
    eprintln!(
        "bridge:  {}\ncall:    curl {http}/ft/finCardOcr -d '{{\"type\":\"BankCard\",\"imagePath\":\"finfile://fixtures/bank-card-debit\"}}'\nhelp:    {http}/\nCtrl-C ends it",
        host.bridge_url()
    );
    let _ = tokio::signal::ctrl_c().await;
    host.shutdown().await;
    Ok(exit::CERTIFIED)
}
