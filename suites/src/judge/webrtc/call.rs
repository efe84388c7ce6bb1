//! Calls connect: from either side, with candidates in every way that they may travel, twice at once, and again.

use fincert_schemas::Bilingual;
use fincert_schemas::format::ice_candidate;
use fincert_schemas::run::flow::{Act, Await, Candidates, End, Flow, MediaKind, Network};

use super::line::{Came, Line, Stuck, method_failed};
use super::media;
use super::view::{Awaited, Rtc, RtcCall};
use super::words;
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-connects",
        about: "The two ends of a call connect, whoever offers and however the candidates travel.",
        requirements: &[
            "webrtc.call.target-offers",
            "webrtc.call.fincert-offers",
            "webrtc.call.no-trickle",
            "webrtc.candidate.late",
            "webrtc.candidate.early",
            "webrtc.candidate.duplicate",
            "webrtc.ice.ipv6",
        ],
        run: connects,
    },
    Check {
        id: "webrtc-candidates-by-event",
        about: "Candidates that travel by icecandidate and addIceCandidate alone bring the two ends together.",
        requirements: &["webrtc.call.candidates-by-event"],
        run: candidates_by_event,
    },
    Check {
        id: "webrtc-kinds",
        about: "A call of one kind, or one in which the target only receives, connects and carries its media.",
        requirements: &["webrtc.call.audio-only", "webrtc.call.video-only", "webrtc.call.receive-only"],
        run: kinds,
    },
    Check {
        id: "webrtc-two-connections",
        about: "Two connections at once both connect and carry media.",
        requirements: &["webrtc.call.two-connections"],
        run: two_connections,
    },
    Check {
        id: "webrtc-renegotiation",
        about: "A further exchange, by the other end or ten times in a row, leaves connection and media as they were.",
        requirements: &["webrtc.call.offerer-swap", "webrtc.call.ten-renegotiations"],
        run: renegotiation,
    },
    Check {
        id: "webrtc-glare",
        about: "Where both ends offer at once the target settles the other's offer, and a later exchange succeeds.",
        requirements: &["webrtc.call.glare"],
        run: glare,
    },
    Check {
        id: "webrtc-fincert-closes",
        about: "The target notices that fincert closed the connection.",
        requirements: &["webrtc.call.fincert-closes"],
        run: fincert_closes,
    },
];

/// What a call is about, beside being one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// Nothing else: it speaks for who offers.
    Offerer,
    /// One kind of media, or the target only receives.
    Kinds(&'static str),
    /// How candidates travel, or over what.
    Candidates(&'static str),
    /// Something that keeps it from connecting, or that others judge.
    Other,
}

fn about(rtc: &Rtc<'_>) -> About {
    let with = rtc.with;
    if rtc.flow != Flow::Call || with.wrong_fingerprint || with.unsupported_codec {
        return About::Other;
    }
    match (with.network, with.candidates) {
        (Network::Relay | Network::RelayWrongCredential, _) => return About::Other,
        (Network::Ipv6, _) => return About::Candidates("webrtc.ice.ipv6"),
        (_, Candidates::InDescription) => return About::Candidates("webrtc.call.no-trickle"),
        (_, Candidates::Late) => return About::Candidates("webrtc.candidate.late"),
        (_, Candidates::Early) => return About::Candidates("webrtc.candidate.early"),
        (_, Candidates::Duplicate) => return About::Candidates("webrtc.candidate.duplicate"),
        (_, Candidates::Trickle) => {}
    }
    match (&with.target_sends[..], &with.fincert_sends[..]) {
        ([], [_, ..]) if !with.offer_to_receive.is_empty() && with.offerer == End::Target => {
            About::Kinds("webrtc.call.receive-only")
        }
        ([MediaKind::Audio], [MediaKind::Audio]) => About::Kinds("webrtc.call.audio-only"),
        ([MediaKind::Video], [MediaKind::Video]) => About::Kinds("webrtc.call.video-only"),
        _ => About::Offerer,
    }
}

fn connects(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc) {
        let came = line.came();
        match about(rtc) {
            About::Offerer => {
                let requirement = match line.offerer() {
                    Some(End::Target) => "webrtc.call.target-offers",
                    Some(End::Fincert) => "webrtc.call.fincert-offers",
                    None => continue,
                };
                match came {
                    Came::Up => sink.holds(requirement),
                    // Options that are refused are no matter of the call.
                    Came::Stuck(Stuck::Method(call)) if call.was_refused() && has_options(call) => {}
                    other => line.accuse(sink, requirement, other),
                }
            }
            About::Candidates(requirement) => travelled(&line, sink, requirement, came),
            About::Kinds(_) | About::Other => {}
        }
    }
}

/// Whether createOffer or createAnswer was given options.
fn has_options(call: &RtcCall<'_>) -> bool {
    let given = call.request.value.as_object().is_some_and(|options| !options.is_empty());
    matches!(call.name, "createOffer" | "createAnswer") && given
}

/// A call that is about candidates: an exchange that stops tells nothing of them.
fn travelled(line: &Line<'_, '_>, sink: &mut Sink<'_>, requirement: &str, came: Came<'_, '_>) {
    if requirement == "webrtc.ice.ipv6" && !has_ipv6(line) {
        return;
    }
    let calls = line.pc.calls_of("addIceCandidate");
    let handed: Vec<_> = match requirement {
        "webrtc.candidate.early" => calls.filter(|call| is_between(line, call.at)).collect(),
        _ => calls.filter(|call| call.purpose.is_none()).collect(),
    };
    // That candidates were handed over is what such a call shows.
    if handed.is_empty() && requirement != "webrtc.call.no-trickle" {
        return;
    }
    let is_about_taking = requirement.starts_with("webrtc.candidate.");
    if let Some(refused) = handed.iter().find(|call| call.was_refused()).filter(|_| is_about_taking) {
        let expected = Some(Bilingual::new("接受该候选", "the candidate is accepted"));
        sink.breaks(requirement, refused.step, Broken { expected, ..method_failed(refused) });
        return;
    }
    match came {
        Came::Up => sink.holds(requirement),
        Came::NotConnected(_) => line.accuse(sink, requirement, came),
        _ => {}
    }
}

/// Whether a position is between fincert's offer and the target's answer, where a candidate has a description to belong
/// to.
fn is_between(line: &Line<'_, '_>, at: usize) -> bool {
    line.exchanges.first().is_some_and(|exchange| {
        let set = exchange.set_remote.filter(|call| call.succeeded()).and_then(|call| call.answered_at());
        let answered = exchange.set_local.map_or(usize::MAX, |call| call.at);
        exchange.offerer == End::Fincert && set.is_some_and(|set| set < at) && at < answered
    })
}

/// Whether the target can have IPv6: it gave such a candidate, or one of loopback, so that it is on fincert's machine,
/// which has it. A host without IPv6 breaks nothing.
fn has_ipv6(line: &Line<'_, '_>) -> bool {
    line.peer.candidates.iter().filter(|handed| !handed.local).any(|handed| {
        let ip = ice_candidate::parse(handed.candidate).ok().and_then(|candidate| candidate.ip());
        ip.is_some_and(|ip| ip.is_loopback() || (ip.is_ipv6() && handed.refused.is_none()))
    })
}

fn candidates_by_event(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.call.candidates-by-event";
    let Some(rtc) = &view.rtc else { return };
    let trickles = rtc.with.candidates == Candidates::Trickle && rtc.with.network == Network::Host;
    if !trickles || rtc.with.wrong_fingerprint || rtc.flow != Flow::Call {
        return;
    }
    for line in Line::all(rtc) {
        let Some((theirs, ours)) = line.exchanges.first().and_then(|exchange| exchange.both()) else { continue };
        if [theirs, ours].iter().any(|described| described.sdp.contains("a=candidate:")) {
            continue;
        }
        let came_by_event = line.peer.candidates.iter().any(|handed| !handed.local && handed.refused.is_none());
        let given = line.pc.calls_of("addIceCandidate").any(|call| call.succeeded());
        match line.came() {
            // A connection may come of one end's candidates alone; then the other end's show nothing.
            Came::Up if came_by_event && given => sink.holds(REQUIREMENT),
            // Where ICE is connected, the candidates have done their work.
            came @ Came::NotConnected(_) if !ice_was_up(&line) => line.accuse(sink, REQUIREMENT, came),
            _ => {}
        }
    }
}

fn ice_was_up(line: &Line<'_, '_>) -> bool {
    line.peer.ice.iter().any(|state| matches!(state.what, "connected" | "completed"))
}

fn kinds(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    let About::Kinds(requirement) = about(rtc) else { return };
    for line in Line::all(rtc) {
        match line.came() {
            Came::Up => carries(&line, sink, requirement, 0),
            other => line.accuse(sink, requirement, other),
        }
    }
}

/// The media of the act `media` behind a position, if the flow has one: every kind came both ways.
fn carries(line: &Line<'_, '_>, sink: &mut Sink<'_>, requirement: &str, from: usize) {
    let Some(segment) = line.rtc.acts.iter().find(|s| s.act == Act::Media && s.span.start >= from) else { return };
    match media::missing(line, segment) {
        media::Flow::All => sink.holds(requirement),
        media::Flow::Lacks(step, broken) => sink.breaks(requirement, step, *broken),
        media::Flow::Unknown => {}
    }
}

fn two_connections(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.call.two-connections";
    let Some(rtc) = view.rtc.as_ref().filter(|rtc| rtc.flow == Flow::TwoCalls) else { return };
    let lines = Line::all(rtc);
    for line in &lines {
        if !line.is_up() {
            line.accuse(sink, REQUIREMENT, line.came());
            return;
        }
    }
    if lines.len() < 2 {
        return;
    }
    for line in &lines {
        carries(line, sink, REQUIREMENT, 0);
    }
}

fn renegotiation(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        for segment in &rtc.acts {
            let swap = match (segment.act, line.offerer()) {
                (Act::FincertRenegotiates, Some(End::Target)) | (Act::TargetRenegotiates, Some(End::Fincert)) => 1,
                (Act::TenRenegotiations, _) => 10,
                _ => continue,
            };
            let requirement = if swap == 10 { "webrtc.call.ten-renegotiations" } else { "webrtc.call.offerer-swap" };
            let exchanges: Vec<_> = line.exchanges_in(&segment.span).collect();
            let bad = exchanges.iter().find_map(|exchange| {
                let next = line.exchanges.iter().map(|other| other.at).find(|at| *at > exchange.at);
                let span = exchange.at..next.unwrap_or(segment.span.end).min(segment.span.end);
                match line.came_of(exchange, span) {
                    Came::Up => None,
                    other => Some(other),
                }
            });
            match bad {
                Some(came) => line.accuse(sink, requirement, came),
                None if exchanges.len() >= swap => carries(line, sink, requirement, segment.span.end),
                None => {}
            }
        }
    }
}

fn glare(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.call.glare";
    let Some(rtc) = view.rtc.as_ref().filter(|rtc| rtc.flow == Flow::Glare) else { return };
    for pc in rtc.connections() {
        let Some(crossed) = pc.calls().find(|call| call.purpose == Some("glare")) else { continue };
        if crossed.answer().is_none() {
            let broken = Broken {
                cause: "webrtc:glare-hangs".to_owned(),
                expected: Some(Bilingual::new("接受或拒绝", "the offer is accepted or rejected")),
                ..method_failed(crossed)
            };
            sink.breaks(REQUIREMENT, crossed.step, broken);
            continue;
        }
        let later: Vec<_> = pc.calls().filter(|call| call.at > crossed.at && call.purpose.is_none()).collect();
        let is_exchange = |name: &str| matches!(name, "createAnswer" | "setLocalDescription" | "setRemoteDescription");
        let mut exchange = later.iter().filter(|call| is_exchange(call.name)).peekable();
        if exchange.peek().is_none() {
            // The peer could not take its own offer back: nothing is known of the target.
            continue;
        }
        match exchange.find(|call| !call.succeeded()) {
            // A method that is silent is so without glare, too.
            Some(failed) if !failed.was_refused() => {}
            Some(failed) => sink.breaks(REQUIREMENT, failed.step, method_failed(failed)),
            None => sink.holds(REQUIREMENT),
        }
    }
}

fn fincert_closes(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.call.fincert-closes";
    let Some(rtc) = &view.rtc else { return };
    let Some(segment) = rtc.act(Act::FincertCloses) else { return };
    let waits: Vec<&Awaited<'_>> = rtc.awaited_in(segment.span.clone(), Await::TargetDisconnected).collect();
    let Some(last) = waits.last() else { return };
    if last.met {
        sink.holds(REQUIREMENT);
        return;
    }
    let broken = Broken {
        cause: "webrtc:end-goes-unnoticed".to_owned(),
        actual: words::waited(rtc, last),
        hint: Some(Bilingual::new(
            "对端关闭后，ICE 的同意检查（RFC 7675）不再得到应答，状态应随之改变。",
            "Once the other end has closed, consent checks (RFC 7675) are not answered any more, and the state must follow.",
        )),
        ..Broken::default()
    };
    sink.breaks(REQUIREMENT, rtc.step_at(last.at), broken);
}
