//! Frames cut into RTP payloads.

use bytes::Bytes;
use fincert_schemas::run::flow::MediaKind;
use rtc::rtp::codec::opus::OpusPayloader;
use rtc::rtp::codec::vp8::Vp8Payloader;
use rtc::rtp::packetizer::Payloader;

/// The largest payload. With RTP, SRTP, TURN, UDP and IPv6 it stays below 1,280 bytes, which every path carries.
const MTU: usize = 1150;

/// The payloads of a frame: VP8 (RFC 7741) or Opus (RFC 7587).
pub(crate) fn payloads(kind: MediaKind, frame: &Bytes) -> Vec<Bytes> {
    let cut = match kind {
        MediaKind::Video => Vp8Payloader::default().payload(MTU, frame),
        MediaKind::Audio => OpusPayloader.payload(MTU, frame),
    };
    // They refuse nothing but an empty frame.
    cut.unwrap_or_default()
}
