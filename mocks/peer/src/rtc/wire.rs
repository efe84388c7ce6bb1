//! What the sockets and tasks of one connection have in common: the filter, whether they are silent, and how many live.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::address::AddressFilter;
use crate::evidence::Book;
use crate::sync::lock;

/// Packets of more addresses than this are not read: each would be a peer-reflexive candidate.
const MAX_REMOTES: usize = 128;
/// How long a close waits for sockets and tasks. Nothing that is left needs the network.
const PATIENCE: Duration = Duration::from_secs(3);

/// So long it is not said of a packet that it is malformed.
const DOUBT: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) filter: Arc<AddressFilter>,
    pub(crate) book: Arc<Book>,
    silent: AtomicBool,
    /// The connection is up, so media may be sent.
    flowing: AtomicBool,
    /// DTLS was up at some time, so SRTP that comes can be read.
    keyed: AtomicBool,
    /// An SRTP packet was handed over when so many had been read; 0: none was.
    handed_over: AtomicU64,
    /// How often the connection went down.
    downs: AtomicU64,
    suspects: Mutex<Option<Suspects>>,
    alerted: AtomicBool,
    failed: AtomicBool,
    act: Act,
    remotes: Mutex<HashSet<SocketAddr>>,
    living: AtomicUsize,
    gone: Notify,
}

/// SRTP packets that the tap did not see. They are no RTP; or ICE has just been restarted, which drops what comes on the
/// old pair.
#[derive(Debug)]
struct Suspects {
    since: Instant,
    downs: u64,
    count: u64,
}

/// Why the engine is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Now and then, while packets come.
    Routine,
    /// A DTLS alert was handled.
    Alerted,
    /// The handshake or the driver has failed.
    Failed,
}

#[derive(Default)]
struct Act(OnceLock<Box<dyn Fn(Look) + Send + Sync>>);

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Act")
    }
}

impl Wire {
    pub(crate) fn new(filter: Arc<AddressFilter>, book: Arc<Book>) -> Self {
        Self {
            filter,
            book,
            silent: AtomicBool::new(false),
            flowing: AtomicBool::new(false),
            keyed: AtomicBool::new(false),
            handed_over: AtomicU64::new(0),
            downs: AtomicU64::new(0),
            suspects: Mutex::default(),
            alerted: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            act: Act::default(),
            remotes: Mutex::default(),
            living: AtomicUsize::new(0),
            gone: Notify::new(),
        }
    }

    /// From now on nothing is sent, and nothing that comes is read.
    pub(crate) fn fall_silent(&self) {
        self.silent.store(true, Ordering::Release);
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.silent.load(Ordering::Acquire)
    }

    /// Whether the connection is up.
    pub(crate) fn set_flowing(&self, flowing: bool) {
        self.flowing.store(flowing, Ordering::Release);
        if flowing {
            self.keyed.store(true, Ordering::Release);
        } else {
            self.downs.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(crate) fn is_flowing(&self) -> bool {
        self.flowing.load(Ordering::Acquire) && !self.is_silent()
    }

    /// Takes note of a packet, and says whether it is sent.
    pub(crate) fn goes(&self, to: SocketAddr, packet: &[u8]) -> bool {
        self.look_for_failure(packet);
        !self.is_silent() && self.filter.allows(to.ip())
    }

    /// A fatal alert before there are keys (RFC 6347 section 4.1, RFC 5246 section 7.2): the handshake has failed, and the
    /// crate does not say so.
    fn look_for_failure(&self, packet: &[u8]) {
        let is_fatal = packet.first() == Some(&21) && packet.get(3..5) == Some(&[0, 0]) && packet.get(13) == Some(&2);
        if is_fatal && !self.keyed.load(Ordering::Acquire) {
            self.failed.store(true, Ordering::Release);
        }
    }

    /// Takes note of a packet, and says whether it is read.
    pub(crate) fn comes(&self, from: SocketAddr, packet: &[u8]) -> bool {
        if self.is_silent() || !self.filter.allows(from.ip()) || !self.knows(from) {
            return false;
        }
        let keyed = self.keyed.load(Ordering::Acquire);
        // RFC 7983 section 7: STUN, DTLS, TURN channels, SRTP. The rest has no meaning.
        match packet.first() {
            Some(0..=3 | 64..=79) => {}
            Some(kind @ 20..=63) => {
                self.look_for_failure(packet);
                if keyed && *kind == 21 {
                    self.alerted.store(true, Ordering::Release);
                }
            }
            Some(128..=191) => {
                if self.is_flowing() {
                    self.handed_over.store(self.book.came() + 1, Ordering::Release);
                }
            }
            _ => {
                self.book.malformed(1);
                return false;
            }
        }
        true
    }

    /// What was handed over is done with. An SRTP packet that the tap did not see could not be decrypted or is no RTP.
    /// The crate's driver handles a packet before it asks for the next, so there is nothing in between.
    pub(crate) fn settle(&self) {
        let handed_over = self.handed_over.swap(0, Ordering::AcqRel);
        if handed_over != 0 && self.book.came() < handed_over {
            let downs = self.downs.load(Ordering::Acquire);
            lock(&self.suspects).get_or_insert_with(|| Suspects { since: Instant::now(), downs, count: 0 }).count += 1;
        }
        self.convict();
        let look = if self.failed.swap(false, Ordering::AcqRel) {
            Look::Failed
        } else if self.alerted.swap(false, Ordering::AcqRel) {
            Look::Alerted
        } else if self.book.is_due_for_a_look() {
            Look::Routine
        } else {
            return;
        };
        self.act(look);
    }

    /// The crate's driver has ended. That it does so by itself is a failure.
    pub(super) fn driver_ended(&self) {
        self.act(Look::Failed);
    }

    fn act(&self, look: Look) {
        if let Some(act) = self.act.0.get() {
            act(look);
        }
    }

    /// Suspects are malformed if the connection has stayed up since.
    pub(crate) fn convict(&self) {
        let mut suspects = lock(&self.suspects);
        if let Some(found) = suspects.take_if(|found| found.since.elapsed() >= DOUBT)
            && self.is_flowing()
            && self.downs.load(Ordering::Acquire) == found.downs
        {
            self.book.malformed(found.count);
        }
    }

    /// What is done when there is something to see.
    pub(super) fn on_look(&self, act: Box<dyn Fn(Look) + Send + Sync>) {
        // Set once, by the engine.
        let _ = self.act.0.set(act);
    }

    fn knows(&self, from: SocketAddr) -> bool {
        let mut remotes = lock(&self.remotes);
        remotes.contains(&from) || (remotes.len() < MAX_REMOTES && remotes.insert(from))
    }

    /// Counts a socket or a task, until what is returned is dropped.
    pub(crate) fn lives(self: &Arc<Self>) -> Living {
        self.living.fetch_add(1, Ordering::AcqRel);
        Living(Arc::clone(self))
    }

    /// Waits until no socket and no task lives.
    pub(crate) async fn is_gone(&self) {
        let gone = async {
            loop {
                let notified = self.gone.notified();
                if self.living.load(Ordering::Acquire) == 0 {
                    return;
                }
                notified.await;
            }
        };
        if tokio::time::timeout(PATIENCE, gone).await.is_err() {
            tracing::warn!(
                "{} sockets and tasks of a closed connection still live",
                self.living.load(Ordering::Acquire)
            );
        }
    }
}

/// A socket or a task that lives.
#[derive(Debug)]
pub(crate) struct Living(Arc<Wire>);

impl Drop for Living {
    fn drop(&mut self) {
        if self.0.living.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.gone.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::AddressPolicy;

    fn wire() -> Wire {
        let filter = AddressFilter::new(AddressPolicy::default());
        Wire::new(Arc::new(filter), Arc::new(Book::new(Instant::now())))
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    const STUN: [u8; 20] = [0; 20];

    #[test]
    fn nothing_goes_to_or_comes_from_foreign_addresses() {
        let (wire, foreign) = (wire(), SocketAddr::from(([203, 0, 113, 9], 4000)));
        assert!(wire.goes(address(1), &STUN) && wire.comes(address(1), &STUN));
        assert!(!wire.goes(foreign, &STUN) && !wire.comes(foreign, &STUN));
        wire.fall_silent();
        assert!(!wire.goes(address(1), &STUN) && !wire.comes(address(1), &STUN));
    }

    #[test]
    fn so_many_addresses_are_read_and_no_more() {
        let wire = wire();
        let read = (1..=1_000).filter(|port| wire.comes(address(*port), &STUN)).count();
        assert_eq!(read, MAX_REMOTES);
        assert!(wire.comes(address(1), &STUN), "those that are known are read still");
    }
}
