//! What the referee sends: the pattern and the tone, or what it receives.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fincert_peer::{Media, media};
use fincert_schemas::run::flow::MediaKind;
use str0m::Rtc;
use str0m::format::Codec;
use str0m::media::{KeyframeRequestKind, Mid, Pt};
use str0m::rtp::{RtpPacket, RtpWrite, Ssrc};

/// A source that fell so far behind begins anew, instead of sending all that it missed at once.
const MAX_BEHIND: Duration = Duration::from_secs(1);
/// An echoed stream that was silent for so long may be followed by another.
const ECHO_SILENCE: Duration = Duration::from_secs(1);

/// The streams that are sent, one a kind.
#[derive(Debug)]
pub(super) struct Sending {
    media: Media,
    streams: BTreeMap<MediaKind, Stream>,
}

#[derive(Debug)]
struct Stream {
    kind: MediaKind,
    mid: Mid,
    ssrc: Ssrc,
    pt: Pt,
    /// The next sequence number, extended.
    sequence: u64,
    /// Whether it is negotiated. One that is not goes on where it was when it is again: a sequence number that came
    /// twice would be a replay (RFC 3711 section 3.3.2).
    live: bool,
    source: Option<Source>,
    /// When echoing, the stream that is echoed.
    echoed: Option<Echoed>,
}

/// Where the pattern or the tone is, which are played in a loop.
#[derive(Debug)]
struct Source {
    stream: &'static media::Stream,
    frame: usize,
    timestamp: u32,
    next_at: Instant,
}

/// A stream that is sent back. Gaps stay gaps: the difference of the sequence numbers is always the same.
#[derive(Debug, Clone, Copy)]
struct Echoed {
    ssrc: Ssrc,
    offset: i64,
    last_at: Instant,
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
                    self.streams.insert(
                        *kind,
                        Stream { kind: *kind, mid: *mid, ssrc, pt, sequence, live: true, source, echoed: None },
                    );
                }
            }
        }
        begun
    }

    /// When the next packet is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        let live = self.streams.values().filter(|stream| stream.live);
        live.filter_map(|stream| Some(stream.source.as_ref()?.next_at)).min()
    }

    /// Hands str0m what is due.
    pub(super) fn send(&mut self, rtc: &mut Rtc, now: Instant) {
        for stream in self.streams.values_mut().filter(|stream| stream.live) {
            let Some(source) = &mut stream.source else { continue };
            while let Some((frame, timestamp)) = source.due(now) {
                let last = frame.payloads.len().saturating_sub(1);
                for (index, payload) in frame.payloads.iter().enumerate() {
                    let write = RtpWrite::new(stream.pt, stream.sequence.into(), timestamp, now, payload.as_ref());
                    stream.sequence += 1;
                    // The last packet of a picture (RFC 7741 section 4.1); of sound none is marked.
                    write_to(rtc, stream.mid, write.marker(stream.kind == MediaKind::Video && index == last));
                }
            }
        }
    }

    /// Sends back what came.
    pub(super) fn echo(&mut self, rtc: &mut Rtc, kind: MediaKind, packet: RtpPacket, now: Instant) {
        if self.media != Media::Echo {
            return;
        }
        let Some(stream) = self.streams.get_mut(&kind).filter(|stream| stream.live) else { return };
        let RtpPacket { header, payload, .. } = packet;
        let came = i64::try_from(*packet.seq_no).unwrap_or_default();
        let offset = match &mut stream.echoed {
            Some(echoed) if echoed.ssrc == header.ssrc => {
                echoed.last_at = now;
                echoed.offset
            }
            Some(echoed) if now.saturating_duration_since(echoed.last_at) < ECHO_SILENCE => return,
            _ => {
                let offset = i64::try_from(stream.sequence).unwrap_or_default() - came;
                stream.echoed = Some(Echoed { ssrc: header.ssrc, offset, last_at: now });
                if kind == MediaKind::Video {
                    // An echo begins in mid-stream, and nothing of it can be decoded without a keyframe.
                    ask_for_keyframe(rtc, header.ssrc, KeyframeRequestKind::Pli);
                }
                offset
            }
        };
        // What was sent before the first that came has no place.
        let Some(sequence) = u64::try_from(came + offset).ok().filter(|sequence| *sequence > 0) else { return };
        stream.sequence = stream.sequence.max(sequence + 1);
        let write = RtpWrite::new(header.payload_type, sequence.into(), header.timestamp, now, payload);
        write_to(rtc, stream.mid, write.marker(header.marker));
    }

    /// The other end asks for a keyframe.
    pub(super) fn keyframe(&mut self, rtc: &mut Rtc, mid: Mid, kind: KeyframeRequestKind) {
        let Some(stream) = self.streams.values_mut().find(|stream| stream.mid == mid) else { return };
        match (&mut stream.source, stream.echoed) {
            (Some(source), _) => source.frame = source.stream.keyframe_from(source.frame),
            (None, Some(echoed)) => ask_for_keyframe(rtc, echoed.ssrc, kind),
            (None, None) => {}
        }
    }
}

impl Source {
    fn new(kind: MediaKind, now: Instant) -> Self {
        Self { stream: media::stream(kind), frame: 0, timestamp: 0, next_at: now }
    }

    /// The next frame that is due, and its timestamp.
    fn due(&mut self, now: Instant) -> Option<(&'static media::Frame, u32)> {
        if now.saturating_duration_since(self.next_at) > MAX_BEHIND {
            self.next_at = now;
        }
        if self.next_at > now {
            return None;
        }
        let timestamp = self.timestamp;
        let frame = self.stream.frames.get(self.frame)?;
        self.frame = (self.frame + 1) % self.stream.frames.len();
        self.timestamp = timestamp.wrapping_add(self.stream.ticks);
        self.next_at += self.stream.period;
        Some((frame, timestamp))
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

fn ask_for_keyframe(rtc: &mut Rtc, ssrc: Ssrc, kind: KeyframeRequestKind) {
    if let Some(stream) = rtc.direct_api().stream_rx(&ssrc) {
        stream.request_keyframe(kind);
    }
}

fn write_to(rtc: &mut Rtc, mid: Mid, write: RtpWrite) {
    if let Some(stream) = rtc.direct_api().stream_tx_by_mid(mid, None) {
        stream.write_rtp(write);
    }
}
