//! The streams of `media/`, cut into payloads once.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use fincert_schemas::run::flow::MediaKind;

use crate::rtc::payloads;

static PATTERN: LazyLock<Stream> = LazyLock::new(|| Stream {
    frames: frames(MediaKind::Video, &ivf(include_bytes!("../../media/pattern.ivf"))),
    period: Duration::from_nanos(1_000_000_000 / 15),
    ticks: 90_000 / 15,
});

static TONE: LazyLock<Stream> = LazyLock::new(|| Stream {
    frames: frames(MediaKind::Audio, &ogg(include_bytes!("../../media/tone.ogg"))),
    period: Duration::from_millis(20),
    ticks: 48_000 / 50,
});

/// A stream that is played in a loop.
#[derive(Debug)]
pub struct Stream {
    /// Its frames, in order.
    pub frames: Vec<Frame>,
    /// How long a frame lasts.
    pub period: Duration,
    /// The same in ticks of the RTP clock.
    pub ticks: u32,
}

/// A frame.
#[derive(Debug)]
pub struct Frame {
    /// Nothing before it is needed to decode it.
    pub is_key: bool,
    /// The payloads of its RTP packets.
    pub payloads: Vec<Bytes>,
}

impl Stream {
    /// The next keyframe from a place on.
    pub fn keyframe_from(&self, at: usize) -> usize {
        let after = (at..self.frames.len()).find(|index| self.frames[*index].is_key);
        after.unwrap_or(0)
    }
}

/// The stream of a kind.
pub fn stream(kind: MediaKind) -> &'static Stream {
    match kind {
        MediaKind::Audio => &TONE,
        MediaKind::Video => &PATTERN,
    }
}

fn frames(kind: MediaKind, frames: &[&'static [u8]]) -> Vec<Frame> {
    let frame = |bytes: &&'static [u8]| Frame {
        // The lowest bit of a VP8 frame is clear in a keyframe (RFC 6386 section 9.1).
        is_key: kind == MediaKind::Audio || bytes.first().is_some_and(|first| first & 1 == 0),
        payloads: payloads(kind, &Bytes::from_static(bytes)),
    };
    frames.iter().map(frame).collect()
}

/// The frames of an IVF file: a header that says its own length, and before each frame its length and 8 bytes of time.
fn ivf(file: &'static [u8]) -> Vec<&'static [u8]> {
    let length = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
    let mut found = Vec::new();
    let mut rest = file.get(6..8).and_then(|header| file.get(length(header)..)).unwrap_or_default();
    while let Some((head, body)) = rest.split_at_checked(12) {
        let Some((frame, after)) = body.split_at_checked(length(&head[..4])) else { break };
        found.push(frame);
        rest = after;
    }
    found
}

/// The packets of an Ogg file but the first two, which are Opus's headers (RFC 3533 section 6, RFC 7845 section 3). None
/// of them is larger than a page.
fn ogg(file: &'static [u8]) -> Vec<&'static [u8]> {
    let mut found = Vec::new();
    let mut rest = file;
    while let Some((head, after)) = rest.split_at_checked(27) {
        let Some((lacing, mut body)) = after.split_at_checked(usize::from(head[26])) else { break };
        let mut length = 0;
        for segment in lacing {
            length += usize::from(*segment);
            if *segment < 255 {
                let Some((packet, after)) = body.split_at_checked(length) else { return found };
                found.push(packet);
                body = after;
                length = 0;
            }
        }
        rest = body;
    }
    found.drain(..found.len().min(2));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_streams_last_two_seconds() {
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let stream = stream(kind);
            let lasts = stream.period * u32::try_from(stream.frames.len()).unwrap_or_default();
            assert!((1_999..=2_001).contains(&lasts.as_millis()), "{kind:?} {lasts:?}");
            assert!(stream.frames.iter().all(|frame| !frame.payloads.is_empty()));
        }
    }

    #[test]
    fn the_pattern_begins_with_a_keyframe_and_has_one_each_second() {
        let keys: Vec<usize> = (0..PATTERN.frames.len()).filter(|index| PATTERN.frames[*index].is_key).collect();
        assert_eq!(keys, [0, 15]);
        assert_eq!((PATTERN.keyframe_from(1), PATTERN.keyframe_from(16)), (15, 0));
    }

    #[test]
    fn the_tone_is_opus_of_twenty_milliseconds() {
        // RFC 6716 sections 3.1 and 3.2: one frame, padded (code 3) or not (code 0), of a configuration that lasts 20 ms.
        for frame in &TONE.frames {
            let [toc, second, ..] = frame.payloads[0][..] else { panic!("a packet of fewer than two bytes") };
            assert!(toc & 0b11 == 0 || (toc & 0b11 == 3 && second & 0b11_1111 == 1), "{toc:08b} {second:08b}");
            assert!(matches!(toc >> 3, 1 | 5 | 9 | 13 | 15 | 19 | 23 | 27 | 31), "configuration {}", toc >> 3);
        }
    }
}
