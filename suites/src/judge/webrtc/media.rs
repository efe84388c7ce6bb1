//! Media: what the target sends arrives, what fincert sends is reported on, and both end when they shall.

use fincert_schemas::Bilingual;
use fincert_schemas::format::sdp::Direction;
use fincert_schemas::run::flow::{Act, Await, End, Evidence, MediaKind, Received, Sent};
use fincert_schemas::run::{Outcome, Reason};

use super::line::{Came, Line};
use super::view::{Awaited, RtcCall, Segment};
use super::words;
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-media-sent",
        about: "RTP of every kind that the target added arrives, with payload types that were negotiated.",
        requirements: &["webrtc.media.sent"],
        run: sent,
    },
    Check {
        id: "webrtc-media-received",
        about: "The target's receiver reports on what fincert sends advance.",
        requirements: &["webrtc.media.received"],
        run: received,
    },
    Check {
        id: "webrtc-adds-video",
        about: "Video that either end adds to a call that is up arrives, and the target's track event tells of fincert's.",
        requirements: &[
            "webrtc.renegotiation.target-adds-video",
            "webrtc.renegotiation.fincert-adds-video",
            "webrtc.event.track.added-later",
        ],
        run: adds_video,
    },
];

const KINDS: [MediaKind; 2] = [MediaKind::Audio, MediaKind::Video];

/// Whether the media of an act came.
pub(super) enum Flow {
    /// All of it.
    All,
    /// Something did not: the step, and what.
    Lacks(u32, Box<Broken>),
    /// Nothing was waited for.
    Unknown,
}

/// Whether all media of an act of a call came, both ways. After an exchange in a call that was up, only a kind that once
/// flowed can have been lost by it: one that never did is the fault of the call.
pub(super) fn missing(line: &Line<'_, '_>, segment: &Segment) -> Flow {
    let mut any = false;
    for kind in KINDS {
        if let Some(wait) = line.media_waits(segment, Await::Rtp, kind).last()
            && adds(line, kind, wait.at)
        {
            if wait.met {
                any = true;
            } else if !is_after_exchange(line, segment) || flowed(line, kind, wait) {
                return Flow::Lacks(line.rtc.step_at(wait.at), Box::new(no_rtp(line, kind, wait)));
            }
        }
        if let Some(wait) = line.media_waits(segment, Await::ReceiverReport, kind).last() {
            match heard(line, segment, kind, wait) {
                Heard::Yes => any = true,
                Heard::No(broken) if !is_after_exchange(line, segment) || was_reported(line, kind, wait) => {
                    return Flow::Lacks(line.rtc.step_at(wait.at), broken);
                }
                Heard::No(_) | Heard::Unasked | Heard::Unsent => {}
            }
        }
    }
    if any { Flow::All } else { Flow::Unknown }
}

/// Whether the ends exchanged descriptions again between the call's set-up and an act's end.
fn is_after_exchange(line: &Line<'_, '_>, segment: &Segment) -> bool {
    line.exchanges.iter().skip(1).any(|exchange| exchange.at < segment.span.end)
}

/// Whether RTP of a kind ever came, by the counters after a wait.
fn flowed(line: &Line<'_, '_>, kind: MediaKind, wait: &Awaited<'_>) -> bool {
    let counted = line.peer.counted.iter().find(|counted| counted.at > wait.at);
    counted.is_some_and(|c| c.what.received.iter().any(|stream| stream.kind == Some(kind) && stream.packets > 0))
}

/// Whether the target ever reported on a kind.
fn was_reported(line: &Line<'_, '_>, kind: MediaKind, wait: &Awaited<'_>) -> bool {
    let counted = line.peer.counted.iter().find(|counted| counted.at > wait.at);
    counted.is_some_and(|c| c.what.sent.iter().any(|sent| sent.kind == kind && sent.reports > 0))
}

fn sent(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.media.sent";
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        for segment in rtc.acts.iter().filter(|segment| segment.act == Act::Media) {
            for kind in KINDS {
                let Some(wait) = line.media_waits(segment, Await::Rtp, kind).last().copied() else { continue };
                if !adds(line, kind, wait.at) {
                    continue;
                }
                let step = rtc.step_at(wait.at);
                if !wait.met {
                    // What flowed until a later exchange was lost by that one.
                    if !(is_after_exchange(line, segment) && flowed(line, kind, wait)) {
                        sink.breaks(REQUIREMENT, step, no_rtp(line, kind, wait));
                    }
                } else if let Some(broken) = foreign(line, kind, segment) {
                    sink.breaks(REQUIREMENT, step, broken);
                } else {
                    sink.holds(REQUIREMENT);
                }
            }
        }
    }
}

/// Whether the target added a track of the kind to the connection before a position, and addTrack took it. A track
/// whose kind nobody knows counts as what the flow asked for.
fn adds(line: &Line<'_, '_>, kind: MediaKind, before: usize) -> bool {
    let added = line.pc.calls_of("addTrack").filter(|call| call.at < before && call.succeeded());
    added.filter_map(|call| call.request.value.get("$handle")?.as_str()).any(|handle| {
        match line.rtc.track_kind(handle) {
            Some(known) => known == kind.as_str(),
            None => line.rtc.with.target_sends.contains(&kind),
        }
    })
}

fn no_rtp(line: &Line<'_, '_>, kind: MediaKind, wait: &Awaited<'_>) -> Broken {
    let evidence = line.peer.counted.iter().find(|counted| counted.at > wait.at).map(|counted| counted.what);
    let strays = evidence.map(unknown_types).unwrap_or_default();
    let direction = agreed(line, kind, wait.at);
    let hint = match direction {
        Agreed::Rejected => Some(Bilingual::new(
            format!("{} 的 m 行端口为 0，即被拒绝。", kind.as_str()),
            format!("The m-line of {} has port 0: it is rejected.", kind.as_str()),
        )),
        Agreed::Way(way) if !way.sends() => Some(Bilingual::new(
            format!("已 addTrack，而被测端的描述中 {} 为 {}。", kind.as_str(), way.as_str()),
            format!("A track was added, and the target's description says {} of {}.", way.as_str(), kind.as_str()),
        )),
        _ if !strays.is_empty() => Some(Bilingual::new(
            format!("收到了未协商的负载类型 {strays} 的 RTP。"),
            format!("RTP came with payload types that were not negotiated: {strays}."),
        )),
        _ => None,
    };
    Broken {
        cause: format!("webrtc:no-rtp:{}", kind.as_str()),
        expected: Some(Bilingual::new(
            format!("fincert 一端收到 {} RTP", kind.as_str()),
            format!("RTP of {} at fincert's end", kind.as_str()),
        )),
        actual: words::waited(line.rtc, wait),
        hint,
        ..Broken::default()
    }
}

/// The payload types of RTP that belongs to no negotiated kind.
fn unknown_types(evidence: &Evidence) -> String {
    let strays = evidence.received.iter().filter(|stream| stream.kind.is_none());
    let types: Vec<String> = strays.flat_map(|stream| &stream.payload_types).take(8).map(u8::to_string).collect();
    types.join(", ")
}

/// RTP with a payload type that fincert's descriptions do not offer: what is sent to fincert is of its own types (RFC
/// 3264 section 6.1).
fn foreign(line: &Line<'_, '_>, kind: MediaKind, segment: &Segment) -> Option<Broken> {
    let counted = line.peer.counted_in(segment.span.clone()).last()?.what;
    let ours = line.peer.descriptions.iter().filter(|described| described.local && described.at < segment.span.end);
    let mut allowed: Vec<u8> = Vec::new();
    for described in ours {
        allowed.extend(line.rtc.sdp(described.sdp).media.iter().flat_map(|section| section.payload_types()));
    }
    if allowed.is_empty() {
        return None;
    }
    let mine = |stream: &&Received| stream.kind == Some(kind) || stream.kind.is_none();
    let stray = counted.received.iter().filter(mine).find_map(|stream| {
        stream.payload_types.iter().find(|payload_type| !allowed.contains(payload_type)).map(|pt| (stream, *pt))
    })?;
    allowed.sort_unstable();
    allowed.dedup();
    let list: Vec<String> = allowed.iter().map(u8::to_string).collect();
    Some(Broken {
        cause: "webrtc:foreign-payload-type".to_owned(),
        expected: Some(Bilingual::new(
            format!("负载类型在协商范围内：{}", list.join(", ")),
            format!("payload types that were negotiated: {}", list.join(", ")),
        )),
        actual: format!("SSRC {} came with the payload type {}", stray.0.ssrc, stray.1),
        ..Broken::default()
    })
}

/// What the target's last description before a position says of a kind.
enum Agreed {
    /// The m-line is rejected.
    Rejected,
    /// The m-line has a direction.
    Way(Direction),
    /// There is no m-line.
    None,
}

fn agreed(line: &Line<'_, '_>, kind: MediaKind, before: usize) -> Agreed {
    let last = line.peer.of_target().filter(|described| described.at < before).last();
    let Some(described) = last else { return Agreed::None };
    let sdp = line.rtc.sdp(described.sdp);
    let mine: Vec<_> = sdp.media.iter().filter(|section| section.kind() == kind.as_str()).collect();
    let open = mine.iter().find(|section| !section.is_rejected());
    match (open, mine.is_empty()) {
        (Some(section), _) => Agreed::Way(sdp.direction(section)),
        (None, false) => Agreed::Rejected,
        (None, true) => Agreed::None,
    }
}

fn received(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.media.received";
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        for segment in rtc.acts.iter().filter(|segment| segment.act == Act::Media) {
            for kind in KINDS {
                let Some(wait) = line.media_waits(segment, Await::ReceiverReport, kind).last().copied() else {
                    continue;
                };
                let step = rtc.step_at(wait.at);
                match heard(line, segment, kind, wait) {
                    Heard::Yes => sink.holds(REQUIREMENT),
                    Heard::No(_) if is_after_exchange(line, segment) && was_reported(line, kind, wait) => {}
                    Heard::No(broken) => sink.breaks(REQUIREMENT, step, *broken),
                    Heard::Unasked => {}
                    Heard::Unsent => {
                        let broken = Broken {
                            cause: "webrtc:peer-sent-nothing".to_owned(),
                            actual: format!("fincert's own peer sent no {}", kind.as_str()),
                            hint: Some(Reason::RefereeUnable.advice()),
                            ..Broken::default()
                        };
                        sink.undecided(REQUIREMENT, step, Outcome::Inconclusive, Reason::RefereeUnable, broken);
                    }
                }
            }
        }
    }
}

/// Whether the target shows that it receives a kind.
enum Heard {
    Yes,
    No(Box<Broken>),
    /// No m-line lets fincert send it, and nobody asked the target for one.
    Unasked,
    /// fincert sent nothing although it might have.
    Unsent,
}

fn heard(line: &Line<'_, '_>, segment: &Segment, kind: MediaKind, wait: &Awaited<'_>) -> Heard {
    let way = agreed(line, kind, wait.at);
    let asked = line.rtc.with.offer_to_receive.contains(&kind)
        || line.exchanges.first().is_some_and(|exchange| exchange.offerer == End::Fincert);
    let hint = match way {
        Agreed::None if !asked => return Heard::Unasked,
        Agreed::None => Some(Bilingual::new(
            format!("被测端的描述中没有 {} 的 m 行。", kind.as_str()),
            format!("The target's description has no m-line of {}.", kind.as_str()),
        )),
        Agreed::Rejected => Some(Bilingual::new(
            format!("被测端拒绝了 {} 的 m 行（端口 0）。", kind.as_str()),
            format!("The target rejects the m-line of {} (port 0).", kind.as_str()),
        )),
        Agreed::Way(way) if !way.receives() => Some(Bilingual::new(
            format!("被测端的描述中 {} 为 {}，即不接收。", kind.as_str(), way.as_str()),
            format!("The target's description says {} of {}: it does not receive.", way.as_str(), kind.as_str()),
        )),
        Agreed::Way(_) => None,
    };
    let counted = line.peer.counted_in(segment.span.clone()).find(|counted| counted.at > wait.at);
    let streams: Vec<&Sent> =
        counted.map(|c| c.what.sent.iter().filter(|sent| sent.kind == kind).collect()).unwrap_or_default();
    if hint.is_none() && counted.is_some() && streams.iter().all(|sent| sent.packets == 0) {
        return Heard::Unsent;
    }
    let expected = Some(Bilingual::new(
        format!("被测端关于 {} 的接收报告中序号增长", kind.as_str()),
        format!("receiver reports of the target on {} whose sequence numbers advance", kind.as_str()),
    ));
    if !wait.met {
        return Heard::No(Box::new(Broken {
            cause: format!("webrtc:not-received:{}", kind.as_str()),
            expected,
            actual: words::waited(line.rtc, wait),
            hint,
            ..Broken::default()
        }));
    }
    if counted.is_none() || streams.iter().any(|sent| advances(sent)) {
        return Heard::Yes;
    }
    let told: Vec<String> = streams.iter().map(|sent| stuck(sent)).collect();
    Heard::No(Box::new(Broken {
        cause: format!("webrtc:reports-stand-still:{}", kind.as_str()),
        expected,
        actual: told.join("; "),
        ..Broken::default()
    }))
}

/// Whether the reports on a stream show that more of it arrives.
fn advances(sent: &Sent) -> bool {
    match (sent.first_reported, sent.last_reported) {
        (Some(first), Some(last)) if sent.reports > 1 => last > first,
        // One report alone: it knows more than the first packet.
        (_, Some(last)) => (last & 0xffff) as u16 != sent.first_sequence,
        _ => false,
    }
}

fn stuck(sent: &Sent) -> String {
    let first = sent.first_reported.unwrap_or_default();
    let last = sent.last_reported.unwrap_or_default();
    format!(
        "of SSRC {}, {} packets up to the sequence number {} were sent, and {} reports named {first} to {last}",
        sent.ssrc, sent.packets, sent.highest_sequence, sent.reports
    )
}

fn adds_video(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        for segment in &rtc.acts {
            match segment.act {
                Act::TargetAddsVideo => target_adds(line, segment, sink),
                Act::FincertAddsVideo => fincert_adds(line, segment, sink),
                _ => {}
            }
        }
    }
}

/// That a second getUserMedia is refused while a connection is up conforms (rulings 3.1): then nothing was added.
fn target_adds(line: &Line<'_, '_>, segment: &Segment, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.renegotiation.target-adds-video";
    let added = line.pc.calls_of("addTrack").any(|call| segment.span.contains(&call.at) && call.succeeded());
    let Some(exchange) = line.exchanges_in(&segment.span).next().filter(|_| added) else { return };
    match line.came_of(exchange, segment.span.clone()) {
        Came::Up => {
            let Some(wait) = line.media_waits(segment, Await::Rtp, MediaKind::Video).last().copied() else { return };
            match wait.met {
                true => sink.holds(REQUIREMENT),
                false => sink.breaks(REQUIREMENT, line.rtc.step_at(wait.at), no_rtp(line, MediaKind::Video, wait)),
            }
        }
        other => line.accuse(sink, REQUIREMENT, other),
    }
}

fn fincert_adds(line: &Line<'_, '_>, segment: &Segment, sink: &mut Sink<'_>) {
    const ARRIVES: &str = "webrtc.renegotiation.fincert-adds-video";
    let Some(exchange) = line.exchanges_in(&segment.span).next() else { return };
    if let Some(set) = exchange.set_remote.filter(|call| call.succeeded()) {
        track_event(line, segment, set, sink);
    }
    match line.came_of(exchange, segment.span.clone()) {
        Came::Up => {
            let waits = line.media_waits(segment, Await::ReceiverReport, MediaKind::Video);
            let Some(wait) = waits.last().copied() else { return };
            match heard(line, segment, MediaKind::Video, wait) {
                Heard::Yes => sink.holds(ARRIVES),
                Heard::No(broken) => sink.breaks(ARRIVES, line.rtc.step_at(wait.at), *broken),
                Heard::Unasked | Heard::Unsent => {}
            }
        }
        other => line.accuse(sink, ARRIVES, other),
    }
}

fn track_event(line: &Line<'_, '_>, segment: &Segment, set: &RtcCall<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.event.track.added-later";
    // Without a listener nothing can be told.
    if !line.pc.listens("track", set.at) {
        return;
    }
    if line.pc.events_in(set.at..segment.span.end, "track").next().is_some() {
        sink.holds(REQUIREMENT);
        return;
    }
    let wait = line.rtc.awaited_in(segment.span.clone(), Await::Event).find(|wait| wait.of == "track");
    let broken = Broken {
        cause: "webrtc:no-track-event".to_owned(),
        expected: Some(Bilingual::new("track 事件", "the event track")),
        actual: wait.map_or_else(|| "no track event".to_owned(), |wait| words::waited(line.rtc, wait)),
        ..Broken::default()
    };
    sink.breaks(REQUIREMENT, set.step, broken);
}
