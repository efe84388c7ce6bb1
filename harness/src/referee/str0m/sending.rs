//! What the referee sends: the pattern and the tone, or what it receives.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fincert_peer::Media;
use fincert_schemas::run::flow::MediaKind;
use str0m::Rtc;
use str0m::format::Codec;
use str0m::media::{KeyframeRequestKind, Mid, Pt};
use str0m::rtp::{RtpPacket, RtpWrite, Ssrc};

/// One RTP packet of a source.
#[derive(Debug)]
pub(super) struct Packet {
    pub(super) payload: Vec<u8>,
    pub(super) marker: bool,
    pub(super) timestamp: u32,
}

/// Temporary source.
#[derive(Debug)]
pub(super) struct Source {
    kind: MediaKind,
    count: u32,
    next_at: Instant,
}

impl Source {
    fn new(kind: MediaKind, now: Instant) -> Self {
        Self { kind, count: 0, next_at: now }
    }

    fn next_at(&self) -> Instant {
        self.next_at
    }

    fn keyframe(&mut self) {}

    fn packets(&mut self, now: Instant) -> Vec<Packet> {
        let (step, ms) = match self.kind {
            MediaKind::Audio => (960, 20),
            MediaKind::Video => (3000, 33),
        };
        let mut out = vec![];
        while self.next_at <= now {
            out.push(Packet { payload: vec![0xf8, 0xff, 0xfe], marker: true, timestamp: self.count * step });
            self.count += 1;
            self.next_at += Duration::from_millis(ms);
        }
        out
    }
}

/// The streams that are sent, one a kind.
#[derive(Debug)]
pub(super) struct Sending {
    media: Media,
    streams: BTreeMap<MediaKind, Stream>,
}

#[derive(Debug)]
struct Stream {
    mid: Mid,
    ssrc: Ssrc,
    pt: Pt,
    /// The next sequence number, extended.
    sequence: u64,
    /// Whether it is negotiated. One that is not goes on where it was when it is again: a sequence number that came
    /// twice would be a replay (RFC 3711 section 3.3.2).
    live: bool,
    source: Option<Source>,
    /// When echoing: the stream that is echoed, and what is added to its sequence numbers.
    echoed: Option<(Ssrc, i64)>,
}

impl Sending {
    pub(super) fn new(media: Media) -> Self {
        Self { media, streams: BTreeMap::new() }
    }

    /// Takes up what was negotiated. Says which streams are new.
    pub(super) fn renew(
        &mut self,
        rtc: &mut Rtc,
        attached: &BTreeMap<MediaKind, Mid>,
        now: Instant,
    ) -> Vec<(u32, MediaKind)> {
        let mut begun = Vec::new();
        self.streams.values_mut().for_each(|stream| stream.live = false);
        for (kind, mid) in attached {
            let stream = payload_type(rtc, *kind, *mid)
                .and_then(|pt| Some((pt, rtc.direct_api().stream_tx_by_mid(*mid, None)?.ssrc())));
            let Some((pt, ssrc)) = stream else { continue };
            match self.streams.get_mut(kind) {
                Some(stream) if stream.ssrc == ssrc => (stream.pt, stream.live) = (pt, true),
                _ => {
                    begun.push((*ssrc, *kind));
                    let source = (self.media == Media::Pattern).then(|| Source::new(*kind, now));
                    // Any first number does that leaves room below the first rollover; SSRCs are random.
                    let sequence = u64::from(*ssrc & 0x3fff) + 1;
                    self.streams
                        .insert(*kind, Stream { mid: *mid, ssrc, pt, sequence, live: true, source, echoed: None });
                }
            }
        }
        begun
    }

    /// When the next packet is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        let live = self.streams.values().filter(|stream| stream.live);
        live.filter_map(|stream| Some(stream.source.as_ref()?.next_at())).min()
    }

    /// Hands str0m what is due.
    pub(super) fn send(&mut self, rtc: &mut Rtc, now: Instant) {
        for stream in self.streams.values_mut().filter(|stream| stream.live) {
            let Some(source) = &mut stream.source else { continue };
            for packet in source.packets(now) {
                let sequence = stream.sequence;
                stream.sequence += 1;
                let write = RtpWrite::new(stream.pt, sequence.into(), packet.timestamp, now, packet.payload);
                write_to(rtc, stream.mid, write.marker(packet.marker));
            }
        }
    }

    /// Sends back what came.
    pub(super) fn echo(&mut self, rtc: &mut Rtc, kind: MediaKind, packet: RtpPacket, now: Instant) {
        if self.media != Media::Echo {
            return;
        }
        let Some(stream) = self.streams.get_mut(&kind).filter(|stream| stream.live) else { return };
        let came = i64::try_from(*packet.seq_no).unwrap_or_default();
        let offset = match stream.echoed {
            Some((ssrc, offset)) if ssrc == packet.header.ssrc => offset,
            _ => {
                let offset = i64::try_from(stream.sequence).unwrap_or_default() - came;
                stream.echoed = Some((packet.header.ssrc, offset));
                offset
            }
        };
        let Ok(sequence) = u64::try_from(came + offset) else { return };
        if sequence == 0 {
            return;
        }
        stream.sequence = stream.sequence.max(sequence + 1);
        let header = packet.header;
        let write = RtpWrite::new(header.payload_type, sequence.into(), header.timestamp, now, packet.payload);
        write_to(rtc, stream.mid, write.marker(header.marker));
    }

    /// The other end asks for a keyframe.
    pub(super) fn keyframe(&mut self, rtc: &mut Rtc, mid: Mid, kind: KeyframeRequestKind) {
        let Some(stream) = self.streams.values_mut().find(|stream| stream.mid == mid) else { return };
        match (&mut stream.source, stream.echoed) {
            (Some(source), _) => source.keyframe(),
            (None, Some((ssrc, _))) => {
                if let Some(stream) = rtc.direct_api().stream_rx(&ssrc) {
                    stream.request_keyframe(kind);
                }
            }
            (None, None) => {}
        }
    }
}

/// The payload type of VP8 or Opus, where the m-line has it and lets this end send.
fn payload_type(rtc: &Rtc, kind: MediaKind, mid: Mid) -> Option<Pt> {
    let media = rtc.media(mid)?;
    let codec = match kind {
        MediaKind::Audio => Codec::Opus,
        MediaKind::Video => Codec::Vp8,
    };
    let negotiated = media.direction().is_sending().then(|| media.remote_pts())?;
    rtc.codec_config()
        .iter()
        .find(|params| params.spec().codec == codec && negotiated.contains(&params.pt()))
        .map(|it| it.pt())
}

fn write_to(rtc: &mut Rtc, mid: Mid, write: RtpWrite) {
    if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
        stream.write_rtp(write);
    }
}
