//! The crate's runtime: tokio, with every socket and task counted and every socket filtered. It makes no TCP connections
//! and resolves no names.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime, TokioRuntime,
};

use super::socket::Socket;
use super::wire::Wire;

/// See the module.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) wire: Arc<Wire>,
}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl Runtime for Counted {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        let (living, wire) = (self.wire.lives(), Arc::downgrade(&self.wire));
        TokioRuntime.spawn(Box::pin(async move {
            let _living = living;
            // Nothing but the driver is spawned, since there is no TCP.
            future.await;
            if let Some(wire) = wire.upgrade() {
                wire.driver_ended();
            }
        }))
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Arc::new(Socket::new(socket, &self.wire)?))
    }

    fn wrap_tcp_listener(&self, _listener: std::net::TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn connect_tcp<'a>(&'a self, _remote: SocketAddr) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(std::future::ready(Err(io::ErrorKind::Unsupported.into())))
    }

    /// `host:port` of a server, whose host is an IP address (see `ice_url.rs`); the crate forgets the brackets of IPv6.
    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        let literal = host.rsplit_once(':').and_then(|(host, port)| {
            let ip: IpAddr = host.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
            Some(SocketAddr::new(ip, port.parse().ok()?))
        });
        let found = literal.map(|address| vec![address]).ok_or_else(|| io::Error::other("names are not resolved"));
        Box::pin(std::future::ready(found))
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        "counted"
    }
}
