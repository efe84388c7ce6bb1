//! The TURN server of a relay flow: one of our own for each flow, so that what it counts is the flow's, or the
//! operator's, which counts nothing for us.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use fincert_peer::{AddressPolicy, IceServer, PeerError, TurnConfig, TurnServer};
use fincert_schemas::run::flow::TurnEvidence;

/// What flows are told of the operator's network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowNetwork {
    /// Where the peer may send packets.
    pub addresses: AddressPolicy,
    /// Where the embedded TURN server listens.
    pub turn_address: IpAddr,
    /// The operator's own TURN server, used in place of the embedded one.
    pub turn_server: Option<IceServer>,
}

impl Default for FlowNetwork {
    fn default() -> Self {
        Self { addresses: AddressPolicy::default(), turn_address: IpAddr::V4(Ipv4Addr::LOCALHOST), turn_server: None }
    }
}

/// A TURN server for one flow.
#[derive(Debug)]
pub enum Turn {
    /// Ours.
    Embedded(TurnServer),
    /// The operator's.
    Foreign(IceServer),
}

impl Turn {
    /// A server for one flow.
    pub async fn of(network: &FlowNetwork) -> Result<Self, PeerError> {
        if let Some(server) = &network.turn_server {
            return Ok(Self::Foreign(server.clone()));
        }
        let listen = SocketAddr::new(network.turn_address, 0);
        TurnServer::start(TurnConfig { listen, ..TurnConfig::default() }).await.map(Self::Embedded)
    }

    /// How the target reaches it.
    pub fn ice_server(&self) -> IceServer {
        match self {
            Self::Embedded(server) => server.ice_server(),
            Self::Foreign(server) => server.clone(),
        }
    }

    /// What it has counted; the operator's server tells us nothing.
    pub fn evidence(&self) -> Option<TurnEvidence> {
        match self {
            Self::Embedded(server) => Some(server.evidence()),
            Self::Foreign(_) => None,
        }
    }

    /// Ends it.
    pub async fn close(self) {
        if let Self::Embedded(server) = self {
            server.close().await;
        }
    }
}
