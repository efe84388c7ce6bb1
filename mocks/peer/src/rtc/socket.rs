//! A UDP socket of a connection: notes 8. The crate dials any address; no packet to one that is not allowed leaves here,
//! and none from there is read.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

use super::wire::{Living, Wire};

/// See the module.
#[derive(Debug)]
pub(super) struct Socket {
    io: UdpSocket,
    wire: Arc<Wire>,
    _living: Living,
}

impl Socket {
    pub(super) fn new(socket: std::net::UdpSocket, wire: &Arc<Wire>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { io: UdpSocket::from_std(socket)?, wire: Arc::clone(wire), _living: wire.lives() })
    }
}

impl AsyncUdpSocket for Socket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let whole = Poll::Ready(Ok(transmit.contents.len()));
        if !self.wire.goes(transmit.destination, transmit.contents) {
            return whole;
        }
        match self.io.poll_send_to(cx, transmit.contents, transmit.destination) {
            Poll::Pending => Poll::Pending,
            // One address that cannot be reached is a lost packet, and no end of the socket.
            Poll::Ready(_) => whole,
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.wire.settle();
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else { return Poll::Ready(Ok(0)) };
        loop {
            let mut read = ReadBuf::new(buf);
            match self.io.poll_recv_from(cx, &mut read) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(from)) => {
                    let len = read.filled().len();
                    if self.wire.comes(from, read.filled()) {
                        *meta = RecvMeta::default();
                        (meta.addr, meta.len, meta.stride) = (from, len, len.max(1));
                        return Poll::Ready(Ok(1));
                    }
                }
            }
        }
    }
}
