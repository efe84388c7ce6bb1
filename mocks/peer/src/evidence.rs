//! Counters of the media of one connection.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use fincert_schemas::run::flow::{Dtls, Evidence, MediaKind, Pair, Received, Sent};

use crate::sync::lock;

/// At most so many SSRCs are counted, each way. A hostile target can make four thousand millions.
const MAX_SSRCS: usize = 64;
/// At most so many payload types are kept of an SSRC.
const MAX_PAYLOAD_TYPES: usize = 16;

/// The selected pair may change without an event.
const LOOK_EVERY_US: u64 = 250_000;

/// What is counted.
#[derive(Debug)]
pub(crate) struct Book {
    epoch: Instant,
    /// RTP and RTCP packets that came, after decryption.
    came: AtomicU64,
    malformed: AtomicU64,
    /// When the engine was last asked for what it alone knows, in microseconds since the epoch.
    looked_at: AtomicU64,
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    received: Vec<Received>,
    sent: Vec<Sent>,
    keyframe_requests: u64,
    byes: u64,
    codecs: BTreeMap<u8, (MediaKind, String)>,
    dtls: Option<Dtls>,
    pair: Option<Pair>,
}

impl Book {
    pub(crate) fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            came: AtomicU64::new(0),
            malformed: AtomicU64::new(0),
            looked_at: AtomicU64::new(0),
            pages: Mutex::default(),
        }
    }

    /// A negotiated payload type.
    pub(crate) fn codec(&self, payload_type: u8, kind: MediaKind, name: &str) {
        lock(&self.pages).codecs.insert(payload_type, (kind, name.to_owned()));
    }

    /// How many RTP and RTCP packets came.
    pub(crate) fn came(&self) -> u64 {
        self.came.load(Ordering::Relaxed)
    }

    /// An RTP or RTCP packet came.
    pub(crate) fn packet(&self) {
        self.came.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it is time to look again at what the engine alone knows.
    pub(crate) fn is_due_for_a_look(&self) -> bool {
        let (now, last) = (self.now(), self.looked_at.load(Ordering::Relaxed));
        now.saturating_sub(last) > LOOK_EVERY_US
            && self.looked_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Packets came on the media transport that are none.
    pub(crate) fn malformed(&self, count: u64) {
        self.malformed.fetch_add(count, Ordering::Relaxed);
    }

    /// RTP came.
    pub(crate) fn received(&self, ssrc: u32, payload_type: u8, sequence: u16, payload_bytes: usize) {
        let at = self.now();
        let mut pages = lock(&self.pages);
        let received = &mut pages.received;
        if let Some(entry) = received.iter_mut().find(|entry| entry.ssrc == ssrc) {
            entry.payload_type = payload_type;
            if !entry.payload_types.contains(&payload_type) && entry.payload_types.len() < MAX_PAYLOAD_TYPES {
                entry.payload_types.push(payload_type);
            }
            entry.packets += 1;
            entry.payload_bytes += payload_bytes as u64;
            entry.highest_sequence = extend(entry.highest_sequence, sequence);
            entry.last_at_us = at;
        } else if received.len() < MAX_SSRCS {
            received.push(Received {
                ssrc,
                payload_type,
                payload_types: vec![payload_type],
                kind: None,
                codec: None,
                packets: 1,
                payload_bytes: payload_bytes as u64,
                first_sequence: sequence,
                highest_sequence: u32::from(sequence),
                first_at_us: at,
                last_at_us: at,
            });
        }
    }

    /// RTP was sent.
    pub(crate) fn sent(&self, ssrc: u32, kind: MediaKind, sequence: u16) {
        let mut pages = lock(&self.pages);
        let sent = &mut pages.sent;
        if let Some(entry) = sent.iter_mut().find(|entry| entry.ssrc == ssrc) {
            entry.packets += 1;
            entry.highest_sequence = extend(entry.highest_sequence, sequence);
        } else if sent.len() < MAX_SSRCS {
            sent.push(Sent {
                ssrc,
                kind,
                packets: 1,
                first_sequence: sequence,
                highest_sequence: u32::from(sequence),
                reports: 0,
                first_reported: None,
                last_reported: None,
                lost: 0,
            });
        }
    }

    /// A report block of the other end (RFC 3550 section 6.4.1): the highest sequence number, and the loss in 24 bits.
    pub(crate) fn reported(&self, ssrc: u32, highest: u32, lost: u32) {
        let mut pages = lock(&self.pages);
        if let Some(entry) = pages.sent.iter_mut().find(|entry| entry.ssrc == ssrc) {
            entry.reports = entry.reports.saturating_add(1);
            entry.first_reported.get_or_insert(highest);
            entry.last_reported = Some(highest);
            // The sign is the 24th bit.
            entry.lost = (lost << 8).cast_signed() >> 8;
        }
    }

    /// A picture loss indication or a full intra request came.
    pub(crate) fn keyframe_request(&self) {
        lock(&self.pages).keyframe_requests += 1;
    }

    /// An RTCP BYE came.
    pub(crate) fn bye(&self) {
        lock(&self.pages).byes += 1;
    }

    /// The DTLS association is up.
    pub(crate) fn dtls(&self, dtls: Dtls) {
        lock(&self.pages).dtls = Some(dtls);
    }

    /// The pair of candidates that is in use.
    pub(crate) fn pair(&self, pair: Pair) {
        lock(&self.pages).pair = Some(pair);
    }

    /// The counters now.
    pub(crate) fn evidence(&self) -> Evidence {
        let pages = lock(&self.pages);
        let mut received = pages.received.clone();
        for entry in &mut received {
            if let Some((kind, codec)) = pages.codecs.get(&entry.payload_type) {
                entry.kind = Some(*kind);
                entry.codec = Some(codec.clone());
            }
        }
        Evidence {
            received,
            sent: pages.sent.clone(),
            malformed: self.malformed.load(Ordering::Relaxed),
            keyframe_requests: pages.keyframe_requests,
            byes: pages.byes,
            dtls: pages.dtls.clone(),
            pair: pages.pair.clone(),
        }
    }

    fn now(&self) -> u64 {
        self.epoch.elapsed().as_micros().try_into().unwrap_or(u64::MAX)
    }
}

/// The highest sequence number with its cycles, after one more packet (RFC 3550 appendix A.1): one that is up to half
/// the circle ahead is newer.
fn extend(highest: u32, sequence: u16) -> u32 {
    let ahead = sequence.wrapping_sub(highest as u16);
    if ahead < 0x8000 { highest.wrapping_add(u32::from(ahead)) } else { highest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_go_round() {
        let book = Book::new(Instant::now());
        for sequence in [65_534, 65_535, 1, 0, 2, 65_533] {
            book.received(7, 96, sequence, 10);
            book.sent(8, MediaKind::Video, sequence);
        }
        let evidence = book.evidence();
        let received = &evidence.received[0];
        assert_eq!((received.first_sequence, received.highest_sequence), (65_534, 65_538));
        assert_eq!((received.packets, received.payload_bytes), (6, 60));
        assert_eq!(evidence.sent[0].highest_sequence, 65_538);
    }

    #[test]
    fn kinds_and_codecs_are_those_negotiated() {
        let book = Book::new(Instant::now());
        book.received(1, 96, 1, 1);
        book.received(1, 97, 2, 1);
        book.codec(97, MediaKind::Video, "H264");
        let evidence = book.evidence();
        let received = &evidence.received[0];
        assert_eq!((received.kind, received.codec.as_deref()), (Some(MediaKind::Video), Some("H264")));
        assert_eq!(received.payload_types, [96, 97]);
    }

    #[test]
    fn reports_are_of_what_was_sent_and_loss_has_a_sign() {
        let book = Book::new(Instant::now());
        book.reported(8, 5, 1);
        book.sent(8, MediaKind::Audio, 1);
        book.reported(8, 5, 1);
        book.reported(8, 9, 0x00ff_ffff);
        let sent = book.evidence().sent.remove(0);
        assert_eq!((sent.reports, sent.first_reported, sent.last_reported, sent.lost), (2, Some(5), Some(9), -1));
    }

    #[test]
    fn ssrcs_are_bounded() {
        let book = Book::new(Instant::now());
        for ssrc in 0..10_000 {
            book.received(ssrc, 96, 0, 1);
            book.sent(ssrc, MediaKind::Audio, 0);
        }
        let evidence = book.evidence();
        assert_eq!((evidence.received.len(), evidence.sent.len()), (MAX_SSRCS, MAX_SSRCS));
    }
}
