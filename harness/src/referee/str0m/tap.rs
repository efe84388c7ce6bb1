//! The evidence: what str0m tells of every packet after decryption.

use std::time::Instant;

use fincert_schemas::run::flow::{Dtls, Evidence, MediaKind, Pair, Received, Sent};
use str0m::rtp::rtcp::{ReceptionReport, Rtcp};
use str0m::rtp::{RawPacket, RtpHeader};

use super::sdp::Sdp;

/// At most this many SSRCs are kept; a target that invents more says nothing more.
const MAX_SSRCS: usize = 64;

/// Counts what goes by.
#[derive(Debug)]
pub(super) struct Tap {
    epoch: Instant,
    evidence: Evidence,
    /// What the negotiated payload types mean.
    codecs: Vec<(u8, MediaKind, String)>,
}

impl Tap {
    pub(super) fn new(epoch: Instant) -> Self {
        Self { epoch, evidence: Evidence::default(), codecs: Vec::new() }
    }

    pub(super) fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Learns the payload types of a local description: they are what the other end sends with.
    pub(super) fn learn(&mut self, local: &Sdp) {
        self.codecs = local
            .media
            .iter()
            .filter_map(|section| Some((section, section.media_kind()?)))
            .flat_map(|(section, kind)| section.codecs().map(move |(pt, name)| (pt, kind, name.to_owned())))
            .collect();
    }

    /// Takes down a packet that str0m decrypted, or encrypted.
    pub(super) fn packet(&mut self, packet: &RawPacket, now: Instant) {
        match packet {
            RawPacket::RtpRx(header, payload) => self.received(header, payload.len(), now),
            RawPacket::RtpTx(header, _) => self.sent(header),
            RawPacket::RtcpRx(rtcp) => self.rtcp(rtcp),
            RawPacket::RtcpTx(_) => {}
        }
    }

    /// A stream of this peer's begins.
    pub(super) fn begin_stream(&mut self, ssrc: u32, kind: MediaKind) {
        let known = self.evidence.sent.iter().any(|sent| sent.ssrc == ssrc);
        if known || self.evidence.sent.len() >= MAX_SSRCS {
            return;
        }
        self.evidence.sent.push(Sent {
            ssrc,
            kind,
            packets: 0,
            first_sequence: 0,
            highest_sequence: 0,
            reports: 0,
            first_reported: None,
            last_reported: None,
            lost: 0,
        });
    }

    pub(super) fn malformed(&mut self) {
        self.evidence.malformed += 1;
    }

    pub(super) fn dtls(&mut self, client: bool) {
        let role = if client { "client" } else { "server" };
        self.evidence.dtls = Some(Dtls { role: role.into(), cipher: None });
    }

    pub(super) fn pair(&mut self, local: String, remote: String) {
        self.evidence.pair = Some(Pair { local, remote });
    }

    fn received(&mut self, header: &RtpHeader, bytes: usize, now: Instant) {
        let at = u64::try_from(now.saturating_duration_since(self.epoch).as_micros()).unwrap_or(u64::MAX);
        let (ssrc, pt, sequence) = (*header.ssrc, *header.payload_type, header.sequence_number);
        let codec = self.codecs.iter().find(|(it, _, _)| *it == pt);
        let (kind, name) = codec.map(|(_, kind, name)| (*kind, name.clone())).unzip();
        let Some(entry) = self.evidence.received.iter_mut().find(|entry| entry.ssrc == ssrc) else {
            if self.evidence.received.len() < MAX_SSRCS {
                self.evidence.received.push(Received {
                    ssrc,
                    payload_type: pt,
                    payload_types: vec![pt],
                    kind,
                    codec: name,
                    packets: 1,
                    payload_bytes: bytes as u64,
                    first_sequence: sequence,
                    highest_sequence: sequence.into(),
                    first_at_us: at,
                    last_at_us: at,
                });
            }
            return;
        };
        entry.packets += 1;
        entry.payload_bytes += bytes as u64;
        entry.last_at_us = at;
        entry.highest_sequence = extended(entry.highest_sequence, sequence);
        entry.payload_type = pt;
        if !entry.payload_types.contains(&pt) {
            entry.payload_types.push(pt);
        }
        entry.kind = kind.or(entry.kind);
        entry.codec = name.or(entry.codec.take());
    }

    fn sent(&mut self, header: &RtpHeader) {
        let Some(entry) = self.evidence.sent.iter_mut().find(|entry| entry.ssrc == *header.ssrc) else { return };
        if entry.packets == 0 {
            entry.first_sequence = header.sequence_number;
            entry.highest_sequence = header.sequence_number.into();
        } else {
            entry.highest_sequence = extended(entry.highest_sequence, header.sequence_number);
        }
        entry.packets += 1;
    }

    fn rtcp(&mut self, rtcp: &Rtcp) {
        match rtcp {
            Rtcp::SenderReport(report) => report.reports.iter().for_each(|block| self.report(block)),
            Rtcp::ReceiverReport(report) => report.reports.iter().for_each(|block| self.report(block)),
            Rtcp::Pli(_) | Rtcp::Fir(_) => self.evidence.keyframe_requests += 1,
            Rtcp::Goodbye(_) => self.evidence.byes += 1,
            _ => {}
        }
    }

    fn report(&mut self, block: &ReceptionReport) {
        let Some(entry) = self.evidence.sent.iter_mut().find(|entry| entry.ssrc == *block.ssrc) else { return };
        entry.reports = entry.reports.saturating_add(1);
        entry.first_reported.get_or_insert(block.max_seq);
        entry.last_reported = Some(block.max_seq);
        // 24 bits with a sign (RFC 3550 section 6.4.1), which str0m gives as they stand.
        entry.lost = ((block.packets_lost << 8).cast_signed()) >> 8;
    }
}

/// Whether a datagram that begins like RTP or RTCP can be it (RFC 3550 sections 5.1, 5.3.1 and 6.4.1). The headers are
/// in the clear; str0m drops what does not fit and says nothing.
pub(super) fn is_well_formed(datagram: &[u8]) -> bool {
    let [first @ 128..=191, second, ..] = *datagram else { return true };
    let is_rtcp = (64..96).contains(&(second & 0x7f));
    if is_rtcp {
        return datagram.len() >= 8;
    }
    let fixed = 12 + 4 * usize::from(first & 0x0f);
    let extension = match datagram.get(fixed + 2..fixed + 4) {
        Some(&[high, low]) if first & 0x10 != 0 => 4 + 4 * usize::from(u16::from_be_bytes([high, low])),
        None if first & 0x10 != 0 => return false,
        _ => 0,
    };
    datagram.len() >= fixed + extension
}

/// The highest sequence number with its cycles, once `sequence` has come (RFC 3550 appendix A.1): what is less than
/// half a cycle ahead is newer, all else is late.
fn extended(highest: u32, sequence: u16) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
    let ahead = sequence.wrapping_sub(highest as u16);
    if ahead < 0x8000 { highest.wrapping_add(ahead.into()) } else { highest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_are_extended_over_their_rollover() {
        assert_eq!(extended(65_535, 0), 65_536);
        assert_eq!(extended(65_536, 65_535), 65_536, "late");
        assert_eq!(extended(65_536 + 5, 9), 65_536 + 9);
        assert_eq!(extended(10, 10), 10);
    }

    #[test]
    fn headers_that_do_not_fit_are_malformed() {
        let mut packet = vec![0x80, 96];
        packet.resize(12, 0);
        assert!(is_well_formed(&packet));
        assert!(!is_well_formed(&packet[..11]));
        packet[0] = 0x82;
        assert!(!is_well_formed(&packet), "two contributing sources that are not there");
        packet[0] = 0x90;
        assert!(!is_well_formed(&packet), "an extension that is not there");
        packet.extend([0xbe, 0xde, 0, 1, 0, 0, 0, 0]);
        assert!(is_well_formed(&packet));
        packet[15] = 2;
        assert!(!is_well_formed(&packet), "an extension that is too short");
        assert!(is_well_formed(&[0x80, 201, 0, 1, 0, 0, 0, 1]));
        assert!(!is_well_formed(&[0x80, 201, 0, 1]));
        assert!(is_well_formed(&[20, 0]), "DTLS is not asked");
    }
}
