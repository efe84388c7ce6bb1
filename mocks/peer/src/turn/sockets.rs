//! The server's sockets: what is counted, bounded and filtered.

use std::any::Any;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fincert_schemas::run::flow::TurnEvidence;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use turn::relay::RelayAddressGenerator;
use webrtc_util::Conn;

use crate::address::AddressFilter;

/// At most so many requests are answered: the crate keeps a nonce of most of them for good.
const MAX_REQUESTS: u64 = 200_000;
/// At most so many allocations live at once.
const MAX_ALLOCATIONS: usize = 128;
/// How long a close waits for sockets.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    allocations: AtomicU32,
    refused: AtomicU32,
    relayed_bytes: AtomicU64,
    requests: AtomicU64,
    relays: AtomicUsize,
    sockets: AtomicUsize,
    over: AtomicBool,
    gone: Notify,
}

impl Tally {
    pub(super) fn evidence(&self) -> TurnEvidence {
        TurnEvidence {
            allocations: self.allocations.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            relayed_bytes: self.relayed_bytes.load(Ordering::Relaxed),
        }
    }

    /// Waits until no socket lives.
    pub(super) async fn is_gone(&self) {
        let gone = async {
            loop {
                let notified = self.gone.notified();
                if self.sockets.load(Ordering::Acquire) == 0 {
                    return;
                }
                notified.await;
            }
        };
        if tokio::time::timeout(PATIENCE, gone).await.is_err() {
            tracing::warn!(
                "{} sockets of a TURN server that was closed still live",
                self.sockets.load(Ordering::Acquire)
            );
        }
    }

    /// Whether one more request is answered.
    fn takes(&self, packet: &[u8]) -> bool {
        if !is_request(packet) || self.requests.fetch_add(1, Ordering::Relaxed) < MAX_REQUESTS {
            return true;
        }
        if !self.over.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "the TURN server has answered {MAX_REQUESTS} requests, and answers no more; start another one"
            );
        }
        false
    }
}

/// A socket that lives.
struct Alive {
    socket: UdpSocket,
    // Fields are dropped in this order: who is told that a socket is gone may bind its address at once.
    counted: Counted,
}

impl Alive {
    fn new(socket: UdpSocket, tally: &Arc<Tally>, is_relay: bool) -> Self {
        tally.sockets.fetch_add(1, Ordering::AcqRel);
        Self { socket, counted: Counted { tally: Arc::clone(tally), is_relay } }
    }
}

/// A socket's place in the tally.
struct Counted {
    tally: Arc<Tally>,
    is_relay: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.is_relay {
            self.tally.relays.fetch_sub(1, Ordering::AcqRel);
        }
        if self.tally.sockets.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tally.gone.notify_waiters();
        }
    }
}

/// What clients talk to.
pub(super) struct Listener {
    alive: Alive,
    address: SocketAddr,
}

impl Listener {
    pub(super) async fn bind(listen: SocketAddr, tally: &Arc<Tally>) -> io::Result<Self> {
        let socket = UdpSocket::bind(listen).await?;
        let address = socket.local_addr()?;
        Ok(Self { alive: Alive::new(socket, tally, false), address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[async_trait]
impl Conn for Listener {
    async fn recv_from(&self, buf: &mut [u8]) -> webrtc_util::Result<(usize, SocketAddr)> {
        loop {
            let (length, from) = receive(&self.alive.socket, buf).await?;
            if self.alive.counted.tally.takes(&buf[..length]) {
                return Ok((length, from));
            }
        }
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> webrtc_util::Result<usize> {
        if is_refusal(buf) {
            self.alive.counted.tally.refused.fetch_add(1, Ordering::Relaxed);
        }
        Ok(self.alive.socket.send_to(buf, target).await?)
    }

    async fn connect(&self, _address: SocketAddr) -> webrtc_util::Result<()> {
        Err(unsupported())
    }

    async fn recv(&self, _buf: &mut [u8]) -> webrtc_util::Result<usize> {
        Err(unsupported())
    }

    async fn send(&self, _buf: &[u8]) -> webrtc_util::Result<usize> {
        Err(unsupported())
    }

    fn local_addr(&self) -> webrtc_util::Result<SocketAddr> {
        Ok(self.address)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// The crate closes the listener with each allocation, and goes on with it.
    async fn close(&self) -> webrtc_util::Result<()> {
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// Makes relayed addresses.
pub(super) struct Relays {
    ip: IpAddr,
    filter: Arc<AddressFilter>,
    tally: Arc<Tally>,
}

impl Relays {
    pub(super) fn new(ip: IpAddr, filter: AddressFilter, tally: &Arc<Tally>) -> Self {
        Self { ip, filter: Arc::new(filter), tally: Arc::clone(tally) }
    }
}

#[async_trait]
impl RelayAddressGenerator for Relays {
    fn validate(&self) -> Result<(), turn::Error> {
        Ok(())
    }

    async fn allocate_conn(
        &self,
        use_ipv4: bool,
        requested_port: u16,
    ) -> Result<(Arc<dyn Conn + Send + Sync>, SocketAddr), turn::Error> {
        if use_ipv4 != self.ip.is_ipv4() {
            // A client that does not ask for a family means IPv4 (RFC 8656 section 7.1), whichever way it came.
            return Err(turn::Error::ErrPeerAddressFamilyMismatch);
        }
        if self.tally.relays.fetch_add(1, Ordering::AcqRel) >= MAX_ALLOCATIONS {
            self.tally.relays.fetch_sub(1, Ordering::AcqRel);
            return Err(turn::Error::Other(format!("{MAX_ALLOCATIONS} allocations live")));
        }
        let bound = async {
            let socket = UdpSocket::bind((self.ip, requested_port)).await?;
            let address = socket.local_addr()?;
            io::Result::Ok((socket, address))
        };
        let (socket, address) = match bound.await {
            Ok(bound) => bound,
            Err(error) => {
                self.tally.relays.fetch_sub(1, Ordering::AcqRel);
                return Err(turn::Error::Other(error.to_string()));
            }
        };
        self.tally.allocations.fetch_add(1, Ordering::Relaxed);
        let alive = Alive::new(socket, &self.tally, true);
        let relay = Relay {
            alive,
            address,
            filter: Arc::clone(&self.filter),
            closed: AtomicBool::new(false),
            close: Notify::new(),
        };
        Ok((Arc::new(relay), address))
    }
}

/// A relayed address.
struct Relay {
    alive: Alive,
    address: SocketAddr,
    filter: Arc<AddressFilter>,
    closed: AtomicBool,
    close: Notify,
}

#[async_trait]
impl Conn for Relay {
    async fn recv_from(&self, buf: &mut [u8]) -> webrtc_util::Result<(usize, SocketAddr)> {
        loop {
            let closed = self.close.notified();
            if self.closed.load(Ordering::Acquire) {
                return Err(io::Error::from(io::ErrorKind::NotConnected).into());
            }
            tokio::select! {
                () = closed => {}
                received = receive(&self.alive.socket, buf) => {
                    let (length, from) = received?;
                    if self.filter.allows(from.ip()) {
                        self.alive.counted.tally.relayed_bytes.fetch_add(length as u64, Ordering::Relaxed);
                        return Ok((length, from));
                    }
                }
            }
        }
    }

    async fn send_to(&self, buf: &[u8], target: SocketAddr) -> webrtc_util::Result<usize> {
        if !self.filter.allows(target.ip()) {
            return Ok(buf.len());
        }
        let sent = self.alive.socket.send_to(buf, target).await?;
        self.alive.counted.tally.relayed_bytes.fetch_add(sent as u64, Ordering::Relaxed);
        Ok(sent)
    }

    async fn connect(&self, _address: SocketAddr) -> webrtc_util::Result<()> {
        Err(unsupported())
    }

    async fn recv(&self, _buf: &mut [u8]) -> webrtc_util::Result<usize> {
        Err(unsupported())
    }

    async fn send(&self, _buf: &[u8]) -> webrtc_util::Result<usize> {
        Err(unsupported())
    }

    fn local_addr(&self) -> webrtc_util::Result<SocketAddr> {
        Ok(self.address)
    }

    fn remote_addr(&self) -> Option<SocketAddr> {
        None
    }

    async fn close(&self) -> webrtc_util::Result<()> {
        self.closed.store(true, Ordering::Release);
        self.close.notify_waiters();
        Ok(())
    }

    fn as_any(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// A refused port of somebody else (ICMP) is no fault of this socket; the crate would end with it.
async fn receive(socket: &UdpSocket, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(buf).await {
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset) => {
            }
            other => return other,
        }
    }
}

fn unsupported() -> webrtc_util::Error {
    io::Error::from(io::ErrorKind::Unsupported).into()
}

/// A STUN request: the first two bits are clear, and so are the two bits of the class (RFC 8489 section 5).
fn is_request(packet: &[u8]) -> bool {
    matches!(packet, [first, second, ..] if first & 0xc1 == 0 && second & 0x10 == 0)
}

/// An error response to an Allocate request (0x0113) that says 400: the credential was wrong. The one that asks for a
/// credential says 401.
fn is_refusal(packet: &[u8]) -> bool {
    if packet.get(..2) != Some(&[0x01, 0x13]) {
        return false;
    }
    let mut rest = packet.get(20..).unwrap_or_default();
    while let [kind @ .., _, _] = rest.get(..4).unwrap_or_default() {
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        if kind == [0x00, 0x09] {
            return rest.get(6..8).is_some_and(|code| code == [4, 0]);
        }
        rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_and_requests_are_told_apart() {
        let mut packet = vec![0x01, 0x13, 0, 8];
        packet.extend([0; 16]);
        packet.extend([0, 9, 0, 4, 0, 0, 4, 0]);
        assert!(is_refusal(&packet) && !is_request(&packet));
        packet[27] = 1;
        assert!(!is_refusal(&packet), "401");
        packet[0] = 0;
        packet[1] = 0x03;
        assert!(is_request(&packet) && !is_refusal(&packet));
        assert!(!is_request(&[0x40, 0]) && !is_request(&[]) && !is_refusal(&[1, 0x13]));
        assert!(!is_request(&[0, 0x16]), "an indication");
    }
}
