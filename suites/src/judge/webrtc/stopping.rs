//! Media that shall end: track.stop and close.

use fincert_schemas::Bilingual;
use fincert_schemas::run::flow::{Act, Evidence, MediaKind, Received};

use super::line::Line;
use super::view::{RtcCall, Segment, Timed};
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-track-stop-media",
        about: "After track.stop the media of the track ends, or turns to black and silence.",
        requirements: &["webrtc.track.stop"],
        run: track_stop,
    },
    Check {
        id: "webrtc-close-stops-media",
        about: "After close the target promptly stops sending RTP.",
        requirements: &["webrtc.pc.close.stops-media"],
        run: close_stops,
    },
];

/// How long RTP may go on after close was answered: what is in flight, and a pacer that runs dry.
const PROMPTLY_US: u64 = 1_000_000;
/// Media that has turned to black or silence takes less than this of what it took before, in hundredths: a black
/// picture at full rate codes to a few bytes, and so does silence.
const NEUTRAL_PERCENT: u64 = 40;

/// Media is watched at least so long before and after.
const STRETCH_US: u64 = 500_000;

fn track_stop(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        for segment in rtc.acts.iter().filter(|segment| segment.act == Act::TargetStopsTracks) {
            let stops: Vec<&RtcCall<'_>> =
                rtc.calls_of("stop").filter(|call| segment.span.contains(&call.at)).collect();
            for kind in [MediaKind::Audio, MediaKind::Video] {
                stopped(line, segment, &stops, kind, sink);
            }
        }
    }
}

/// Packets and bytes of payload of a kind within a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    packets: u64,
    bytes: u64,
    micros: u64,
}

impl Stretch {
    fn of(from: &Timed<&Evidence>, to: &Timed<&Evidence>, kind: MediaKind) -> Self {
        let sum = |evidence: &Evidence| {
            let mine = evidence.received.iter().filter(|stream| stream.kind == Some(kind));
            mine.fold((0, 0), |all, stream| (all.0 + stream.packets, all.1 + stream.payload_bytes))
        };
        let (before, after) = (sum(from.what), sum(to.what));
        Self {
            packets: after.0.saturating_sub(before.0),
            bytes: after.1.saturating_sub(before.1),
            micros: to.at_us.saturating_sub(from.at_us),
        }
    }

    /// Whether it carries clearly less than another, by time or by packet.
    fn is_neutral_beside(&self, before: &Self) -> bool {
        let less = |a: u64, of_a: u64, b: u64, of_b: u64| {
            u128::from(a) * u128::from(of_b) * 100 < u128::from(b) * u128::from(of_a) * u128::from(NEUTRAL_PERCENT)
        };
        self.packets == 0
            || less(self.bytes, self.micros, before.bytes, before.micros)
            || less(self.bytes, self.packets, before.bytes, before.packets)
    }

    fn told(&self) -> String {
        let seconds = self.micros as f64 / 1e6;
        let mean = self.bytes.checked_div(self.packets).unwrap_or_default();
        format!("{} packets of {mean} bytes on average in {seconds:.1} s", self.packets)
    }
}

fn stopped(line: &Line<'_, '_>, segment: &Segment, stops: &[&RtcCall<'_>], kind: MediaKind, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.track.stop";
    // What the track's kind is unknown, both kinds may be its.
    let is_mine = |call: &&&RtcCall<'_>| {
        call.handle.is_none_or(|handle| line.rtc.track_kind(handle).is_none_or(|known| known == kind.as_str()))
    };
    let mine: Vec<_> = stops.iter().filter(is_mine).collect();
    let (Some(first), Some(last)) = (mine.first(), stops.last()) else { return };
    if mine.iter().any(|call| !call.succeeded()) {
        // That stop itself does not work is for another check.
        return;
    }
    let end = last.answered_at().unwrap_or(last.at);
    let before: Vec<_> = line.peer.counted.iter().filter(|counted| counted.at < first.at).collect();
    let after: Vec<_> = line.peer.counted_in(segment.span.clone()).filter(|counted| counted.at > end).collect();
    // From one moment to the same nothing flows, whatever the target does.
    let apart = |from: &Timed<&Evidence>, to: &Timed<&Evidence>| to.at_us.saturating_sub(from.at_us) >= STRETCH_US;
    let (Some(late), Some(settled), Some(ended)) = (before.last(), after.first(), after.last()) else { return };
    let Some(earlier) = before.iter().rfind(|counted| apart(counted, late)) else { return };
    if !apart(settled, ended) {
        return;
    }
    let was = Stretch::of(earlier, late, kind);
    if was.packets == 0 {
        // Nothing flowed that could end.
        return;
    }
    let is = Stretch::of(settled, ended, kind);
    if is.is_neutral_beside(&was) {
        sink.holds(REQUIREMENT);
        return;
    }
    let broken = Broken {
        cause: format!("webrtc:stop-ignored:{}", kind.as_str()),
        expected: Some(Bilingual::new(
            format!("{} 的 RTP 停止，或只剩黑帧、静音", kind.as_str()),
            format!("RTP of {} ends, or carries black and silence", kind.as_str()),
        )),
        actual: format!("before: {}; after: {}", was.told(), is.told()),
        ..Broken::default()
    };
    sink.breaks(REQUIREMENT, first.step, broken);
}

fn close_stops(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.close.stops-media";
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        for segment in rtc.acts.iter().filter(|segment| segment.act == Act::TargetCloses) {
            let close = line.pc.calls_of("close").find(|call| segment.span.contains(&call.at));
            let Some(close) = close.filter(|call| call.succeeded()) else { continue };
            let Some(answer) = close.answer() else { continue };
            let deadline = answer.at_us + PROMPTLY_US;
            // Only counters that were taken after the deadline can show what came after it.
            let last = line.peer.counted.iter().rev().find(|counted| counted.at_us > deadline);
            let (Some(last), Some(before)) = (last, line.peer.counted_until(close.at)) else { continue };
            let flowed =
                |ssrc: u32| before.what.received.iter().any(|stream| stream.ssrc == ssrc && stream.packets > 0);
            if before.what.received.iter().all(|stream| stream.packets == 0) {
                continue;
            }
            let leak = last.what.received.iter().find(|stream| stream.last_at_us > deadline);
            match leak {
                None => sink.holds(REQUIREMENT),
                Some(stream) => {
                    sink.breaks(REQUIREMENT, close.step, leaks(stream, flowed(stream.ssrc), answer.at_us));
                }
            }
        }
    }
}

fn leaks(stream: &Received, flowed: bool, closed_at_us: u64) -> Broken {
    let late = stream.last_at_us.saturating_sub(closed_at_us) as f64 / 1e6;
    let kind = stream.kind.map_or("unknown kind", MediaKind::as_str);
    let begun = if flowed { "" } else { ", which began only after it" };
    Broken {
        cause: "webrtc:close-leaks-media".to_owned(),
        expected: Some(Bilingual::new("close 之后一秒内不再有 RTP", "no RTP from one second after close")),
        actual: format!("RTP of {kind} (SSRC {}{begun}) still came {late:.1} s after close", stream.ssrc),
        ..Broken::default()
    }
}
