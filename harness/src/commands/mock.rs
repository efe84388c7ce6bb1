//! `fincert mock`: the mock host, until it is interrupted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use clap::ValueEnum;
use fincert_mocks::generate::Mode;
use fincert_mocks::{Config, Defect, MockHost};
use fincert_peer::{TurnConfig, TurnServer};
use fincert_schemas::bridge::Integration;

use super::{Failure, exit};

/// The port of STUN and TURN (RFC 8656 section 3.1).
const TURN_PORT: u16 = 3478;

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
    /// Generate results from their schemas: valid ones, or ones that break one rule each
    #[arg(long, value_enum, value_name = "WHICH", help_heading = "Generated results")]
    generate: Option<Which>,
    /// What generated results are made from: the same seed, index and request, the same result
    #[arg(long, default_value_t = 1, value_name = "N", help_heading = "Generated results")]
    seed: u64,
    /// Print the HTTP side as an OpenAPI 3.1 document, and end
    #[arg(long, exclusive = true)]
    openapi: bool,
    /// Run a STUN and TURN server beside it, with a credential of its own
    #[arg(long)]
    turn: bool,
}

/// Whether generated results keep to their tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Valid,
    Invalid,
}

impl From<Which> for Mode {
    fn from(which: Which) -> Self {
        match which {
            Which::Valid => Self::Valid,
            Which::Invalid => Self::Invalid,
        }
    }
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

/// The TURN server listens on the address of the mock host, at the port that is registered for it or else at a free one.
async fn start_turn(listen: SocketAddr) -> Result<TurnServer, Failure> {
    let ip = if listen.ip().is_unspecified() { outward() } else { listen.ip() };
    let at = |port| TurnConfig { listen: SocketAddr::new(ip, port), ..TurnConfig::default() };
    let server = match TurnServer::start(at(TURN_PORT)).await {
        Ok(server) => Ok(server),
        Err(_) => TurnServer::start(at(0)).await,
    };
    server.map_err(|error| Failure {
        code: exit::COULD_NOT_RUN,
        message: format!("--turn: no TURN server on {ip}: {error}; choose another address with --listen"),
    })
}

/// A relay hands out its own address, so it needs one that others can reach: the one by which this machine speaks to
/// them. A UDP socket that is connected has it; nothing is sent to 192.0.2.1, an address of nobody (RFC 5737).
fn outward() -> IpAddr {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    });
    socket.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

pub(super) async fn run(options: Options) -> Result<u8, Failure> {
    if options.openapi {
        let document = fincert_schemas::openapi::document()?;
        super::print(&(serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"))?;
        return Ok(exit::CERTIFIED);
    }
    let defect = find_defect(options.defect.as_deref())?;
    let config = Config {
        listen: options.listen,
        integration: options.integration.into(),
        defect,
        generate: options.generate.map(Mode::from),
        seed: options.seed,
        ..Config::default()
    };
    let host = MockHost::start(config).await.map_err(|error| Failure {
        code: exit::COULD_NOT_RUN,
        message: format!("{}: {error}; choose another address with --listen, such as 127.0.0.1:0", options.listen),
    })?;
    let turn = match options.turn {
        true => Some(start_turn(options.listen).await?),
        false => None,
    };
    let http = host.http_url();
    super::print(&format!("{http}\n"))?;
    eprintln!(
        "bridge:  {}\ncall:    curl {http}/ft/finCardOcr -d '{{\"type\":\"BankCard\",\"imagePath\":\"finfile://fixtures/bank-card-debit\"}}'\nhelp:    {http}/\nCtrl-C ends it",
        host.bridge_url()
    );
    if let Some(turn) = &turn {
        eprintln!("turn:    {}\n         username {}  credential {}", turn.url(), turn.username(), turn.credential());
    }
    let _ = tokio::signal::ctrl_c().await;
    host.shutdown().await;
    if let Some(turn) = turn {
        let seen = turn.evidence();
        turn.close().await;
        eprintln!(
            "turn:    {} allocations, {} refused, {} bytes relayed",
            seen.allocations, seen.refused, seen.relayed_bytes
        );
    }
    Ok(exit::CERTIFIED)
}
