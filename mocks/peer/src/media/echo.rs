//! Notes 9: received RTP is sent back as it is, without decoding, and requests for keyframes are handed on to its source.
//! An echo begins in mid-stream, and nothing of it could be decoded without a keyframe; so it asks for one.

use std::time::{Duration, Instant};

/// After so long without a packet, another SSRC may take the place of the echoed one.
const SILENCE: Duration = Duration::from_secs(1);

/// The echo of one source.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    source: Option<Source>,
}

#[derive(Debug)]
struct Source {
    ssrc: u32,
    sequence_offset: u16,
    last: Instant,
}

/// How a packet is sent back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Echoed {
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    /// It is the first of its source.
    pub(crate) begins: bool,
}

impl Echo {
    /// The SSRC that is echoed.
    pub(crate) fn source(&self) -> Option<u32> {
        self.source.as_ref().map(|source| source.ssrc)
    }

    /// A packet of a source; `None` if another one is being echoed. Gaps stay gaps; a new source goes on at `next`.
    pub(crate) fn take(&mut self, ssrc: u32, sequence: u16, timestamp: u32, next: u16) -> Option<Echoed> {
        let now = Instant::now();
        let begins = match &mut self.source {
            Some(source) if source.ssrc == ssrc => {
                source.last = now;
                false
            }
            Some(source) if now.duration_since(source.last) < SILENCE => return None,
            _ => {
                self.source = Some(Source { ssrc, sequence_offset: next.wrapping_sub(sequence), last: now });
                true
            }
        };
        let offset = self.source.as_ref()?.sequence_offset;
        Some(Echoed { sequence: sequence.wrapping_add(offset), timestamp, begins })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_stay_and_one_source_is_echoed() {
        let mut echo = Echo::default();
        let first = Echoed { sequence: 100, timestamp: 7, begins: true };
        assert_eq!(echo.take(1, 65_535, 7, 100), Some(first));
        assert_eq!(echo.take(2, 5, 7, 101), None);
        assert_eq!(echo.take(1, 2, 8, 101), Some(Echoed { sequence: 103, timestamp: 8, begins: false }));
        assert_eq!(echo.source(), Some(1));
    }
}
