//! Where a track's packets leave a connection: its SSRC there, its sequence numbers, and the payload type that was
//! negotiated.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use fincert_schemas::run::flow::MediaKind;
use futures_util::FutureExt;
use rtc::rtcp::goodbye::Goodbye;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtp;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;

use super::wire::Wire;
use crate::media::echo::Echo;
use crate::sync::lock;

/// See the module.
pub(crate) struct Outlet {
    kind: MediaKind,
    ssrc: u32,
    track: Arc<TrackLocalStaticRTP>,
    wire: Arc<Wire>,
    keyframe: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    payload_type: Option<u8>,
    /// Payload types that may be echoed.
    echoed: Vec<u8>,
    sequence: u16,
    timestamp_offset: u32,
    echo: Option<Echo>,
    has_sent: bool,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("kind", &self.kind).field("ssrc", &self.ssrc).finish_non_exhaustive()
    }
}

impl Outlet {
    pub(super) fn new(
        kind: MediaKind,
        ssrc: u32,
        track: Arc<TrackLocalStaticRTP>,
        wire: &Arc<Wire>,
        echo: bool,
    ) -> Self {
        let state = State {
            payload_type: None,
            echoed: Vec::new(),
            // The first half of the circle, so that loss at the very beginning is not taken for a wrap (RFC 3711 section
            // 3.3.1).
            sequence: rand::random::<u16>() >> 1,
            timestamp_offset: rand::random(),
            echo: echo.then(Echo::default),
            has_sent: false,
        };
        Self { kind, ssrc, track, wire: Arc::clone(wire), keyframe: AtomicBool::new(true), state: Mutex::new(state) }
    }

    pub(crate) fn kind(&self) -> MediaKind {
        self.kind
    }

    pub(crate) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What was negotiated: the payload type of what we make, and those that may be sent back. `None` and none: nothing
    /// is sent.
    pub(crate) fn negotiated(&self, payload_type: Option<u8>, echoed: Vec<u8>) {
        let mut state = lock(&self.state);
        state.payload_type = payload_type;
        state.echoed = echoed;
    }

    /// A keyframe is asked for; an echo asks whom it echoes (notes 9).
    pub(super) fn keyframe(&self) {
        self.keyframe.store(true, Ordering::Release);
        let source = lock(&self.state).echo.as_ref().and_then(Echo::source);
        if let Some(source) = source {
            self.ask_for_keyframe(source);
        }
    }

    /// Whether a keyframe was asked for since the last time this was asked; at first one is due.
    pub(crate) fn take_keyframe(&self) -> bool {
        self.is_open() && self.keyframe.swap(false, Ordering::AcqRel)
    }

    /// Whether something that is sent now would leave.
    pub(crate) fn is_open(&self) -> bool {
        self.wire.is_flowing() && lock(&self.state).payload_type.is_some()
    }

    /// Sends a packet of our own, at a time of the track's clock.
    pub(crate) fn send(&self, payload: &Bytes, timestamp: u32, marker: bool) {
        if !self.wire.is_flowing() {
            return;
        }
        let header = {
            let mut state = lock(&self.state);
            let Some(payload_type) = state.payload_type else { return };
            let sequence_number = state.sequence;
            state.sequence = state.sequence.wrapping_add(1);
            state.has_sent = true;
            rtp::Header {
                version: 2,
                marker,
                payload_type,
                sequence_number,
                timestamp: timestamp.wrapping_add(state.timestamp_offset),
                ssrc: self.ssrc,
                ..rtp::Header::default()
            }
        };
        self.write(rtp::Packet { header, payload: payload.clone() });
    }

    /// Sends a packet back, if this outlet echoes and its payload type was negotiated for this kind (notes 9).
    pub(super) fn echo(&self, packet: &rtp::Packet) {
        if !self.wire.is_flowing() {
            return;
        }
        let came = &packet.header;
        let (echoed, ask) = {
            let mut state = lock(&self.state);
            if !state.echoed.contains(&came.payload_type) {
                return;
            }
            let first_sequence = state.sequence;
            let Some(echo) = &mut state.echo else { return };
            let Some(echoed) = echo.take(came.ssrc, came.sequence_number, came.timestamp, first_sequence) else {
                return;
            };
            state.sequence = echoed.sequence.wrapping_add(1);
            state.has_sent = true;
            (echoed, echoed.begins)
        };
        if ask && self.kind == MediaKind::Video {
            self.ask_for_keyframe(came.ssrc);
        }
        let header = rtp::Header {
            version: 2,
            marker: came.marker,
            payload_type: came.payload_type,
            sequence_number: echoed.sequence,
            timestamp: echoed.timestamp,
            ssrc: self.ssrc,
            ..rtp::Header::default()
        };
        self.write(rtp::Packet { header, payload: packet.payload.clone() });
    }

    /// Says goodbye (RFC 3550 section 6.6), if anything was sent.
    pub(super) fn goodbye(&self) -> bool {
        if !self.wire.is_flowing() || !lock(&self.state).has_sent {
            return false;
        }
        let report = ReceiverReport { ssrc: self.ssrc, ..ReceiverReport::default() };
        let bye = Goodbye { sources: vec![self.ssrc], reason: Bytes::new() };
        self.track.write_rtcp(vec![Box::new(report), Box::new(bye)]).now_or_never().is_some_and(|sent| sent.is_ok())
    }

    fn ask_for_keyframe(&self, media_ssrc: u32) {
        let pli = PictureLossIndication { sender_ssrc: self.ssrc, media_ssrc };
        // A full queue loses it; whoever asked asks again.
        let _ = self.track.write_rtcp(vec![Box::new(pli)]).now_or_never();
    }

    /// A packet for which there is no room at once is lost: late media is worse than none.
    fn write(&self, packet: rtp::Packet) {
        let _ = self.track.write_rtp(packet).now_or_never();
    }
}
