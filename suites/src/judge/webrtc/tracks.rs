//! Clause 3.2: the event track, against the m-lines that the other end's descriptions bring.

use super::answers::wanted;
use super::states::steps;
use super::view::Pc;
use crate::judge::{Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "webrtc-track-event",
    about: "track fires once for each new m-line in which the other end sends, and not where nothing is new.",
    requirements: &["webrtc.event.track", "webrtc.event.track.once"],
    run: tracks,
}];

fn tracks(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    // What a target does with media that it rejects is for another check.
    if rtc.with.unsupported_codec {
        return;
    }
    for pc in rtc.connections() {
        connection(sink, pc);
    }
}

fn connection(sink: &mut Sink<'_>, pc: Pc<'_, '_>) {
    let steps = steps(pc);
    let remote: Vec<_> = steps.iter().filter(|step| !step.local).collect();
    let end = steps.last().map_or(pc.rtc.end, |step| step.until);
    let mut known: Vec<&str> = Vec::new();
    for (index, step) in remote.iter().enumerate() {
        if !pc.listens("track", step.call.at) {
            return;
        }
        let sdp = pc.rtc.sdp(step.sdp);
        let sends = sdp
            .media
            .iter()
            .filter(|section| section.is_media() && !section.is_rejected() && sdp.direction(section).sends());
        let new: Vec<&str> = sends.filter_map(|section| section.mid()).filter(|mid| !known.contains(mid)).collect();
        known.extend(&new);
        // A host may tell it after the promise, but not after the next remote description.
        let until = remote.get(index + 1).map_or(end.max(step.until), |next| next.call.at);
        let events = pc.events_in(step.call.at..until, "track").filter(|event| event.known && !event.late).count();
        let after = format!("{}({})", step.call.name, step.kind);
        if new.is_empty() {
            match events {
                0 => sink.holds("webrtc.event.track.once"),
                _ => {
                    let actual = format!("{events} after {after}, which brings no new media");
                    let broken =
                        wanted("track:unchanged", ("没有新的 m 行时不触发", "none where no m-line is new"), actual);
                    sink.breaks("webrtc.event.track.once", step.call.step, broken);
                }
            }
            continue;
        }
        let expected =
            (format!("{} 个新的 m 行各一次", new.len()), format!("one for each of {} new m-lines", new.len()));
        let actual = format!("{events} after {after}");
        if events == 0 {
            let broken = wanted("track:none", (&expected.0, &expected.1), actual);
            sink.breaks("webrtc.event.track", step.call.step, broken);
            continue;
        }
        sink.holds("webrtc.event.track");
        if events == new.len() {
            sink.holds("webrtc.event.track.once");
        } else {
            let broken = wanted("track:count", (&expected.0, &expected.1), actual);
            sink.breaks("webrtc.event.track.once", step.call.step, broken);
        }
    }
}
