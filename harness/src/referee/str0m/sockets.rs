//! The sockets of one peer: one a local address, all read by the one task that drives the peer.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};

use fincert_peer::PeerError;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

/// Longer datagrams are cut, and then fail to decrypt. RTP over UDP keeps below the MTU of the path.
pub(super) const MAX_DATAGRAM: usize = 2048;

/// Bound sockets.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    bound: Vec<(SocketAddr, UdpSocket)>,
    /// Which is asked first: each in turn, so that a flood at one does not starve the others.
    turn: usize,
}

/// A datagram that came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) length: usize,
}

impl Sockets {
    /// Binds a port at each address.
    pub(super) async fn bind(addresses: &[IpAddr]) -> Result<Self, PeerError> {
        let mut sockets = Self::default();
        for address in addresses {
            let bound = async {
                let socket = UdpSocket::bind((*address, 0)).await?;
                // Until the first readiness, `try_send_to` would refuse.
                socket.writable().await?;
                io::Result::Ok((socket.local_addr()?, socket))
            };
            let bound = bound.await.map_err(|error| {
                PeerError::Other(format!(
                    "cannot bind a UDP port at {address}: {error}; name addresses of this machine"
                ))
            })?;
            sockets.bound.push(bound);
        }
        Ok(sockets)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bound.is_empty()
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.bound.iter().map(|(address, _)| *address)
    }

    /// Waits for a datagram.
    pub(super) async fn receive(&mut self, buffer: &mut [u8]) -> Arrival {
        std::future::poll_fn(|context| self.poll_receive(context, buffer)).await
    }

    fn poll_receive(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<Arrival> {
        let count = self.bound.len();
        for step in 0..count {
            let index = (self.turn + step) % count;
            let (to, socket) = &self.bound[index];
            let mut read = ReadBuf::new(buffer);
            match socket.poll_recv_from(context, &mut read) {
                Poll::Ready(Ok(from)) => {
                    self.turn = index + 1;
                    return Poll::Ready(Arrival { from, to: *to, length: read.filled().len() });
                }
                // One that ICMP reported of an earlier packet: it is consumed, and the socket is asked again.
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, %to, "a socket reports an error");
                    context.waker().wake_by_ref();
                }
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    /// Sends a datagram. It may be lost, as anywhere on its way.
    pub(super) fn send(&self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        let Some((_, socket)) = self.bound.iter().find(|(address, _)| *address == from) else { return };
        if let Err(error) = socket.try_send_to(datagram, to) {
            tracing::debug!(%error, %from, %to, "a datagram was not sent");
        }
    }
}
