//! Relay alone: which candidates the target gathers, and whether the media passes the TURN server.

use fincert_schemas::Bilingual;
use fincert_schemas::format::ice_candidate::{Candidate, Kind, parse};
use fincert_schemas::format::sdp::Sdp;
use fincert_schemas::run::flow::{Act, Await, Network};

use super::candidates::text_of;
use super::line::{Came, Line};
use super::view::Rtc;
use super::words;
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-relay-only",
        about: "With the iceTransportPolicy relay no candidate but relay candidates comes.",
        requirements: &["webrtc.ice.relay-only"],
        run: relay_only,
    },
    Check {
        id: "webrtc-relayed-media",
        about: "With relay alone the two ends connect and the media passes the TURN server that was named.",
        requirements: &["webrtc.ice.relayed-media"],
        run: relayed_media,
    },
    Check {
        id: "webrtc-wrong-turn-credential",
        about: "A wrong TURN credential gives no relay candidate.",
        requirements: &["webrtc.ice.wrong-turn-credential"],
        run: wrong_credential,
    },
];

/// A candidate that the target gave: its text and what it says.
struct Given<'a> {
    at: usize,
    text: &'a str,
    candidate: Candidate<'a>,
}

/// The candidates that the target gave, by event and within descriptions.
fn given<'a>(rtc: &Rtc<'a>) -> Vec<Given<'a>> {
    let events = rtc.emitted.iter().filter(|emitted| emitted.kind == "icecandidate");
    let by_event = events.filter_map(|emitted| Some((emitted.at, text_of(emitted)?)));
    let described = rtc.peers.iter().flat_map(|peer| peer.descriptions.iter()).filter(|described| !described.local);
    let within = described.flat_map(|described| {
        let media = Sdp::read(described.sdp).media;
        media
            .into_iter()
            .flat_map(move |section| section.candidates().map(|text| (described.at, text)).collect::<Vec<_>>())
    });
    let read = |(at, text)| Some(Given { at, text, candidate: parse(text).ok()? });
    by_event.chain(within).filter_map(read).collect()
}

fn relay_only(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.ice.relay-only";
    let Some(rtc) = view.rtc.as_ref().filter(|rtc| is_relay(rtc)) else { return };
    let given = given(rtc);
    match given.iter().find(|given| given.candidate.kind != Kind::Relay) {
        Some(other) => {
            let broken = Broken {
                cause: "webrtc:relay-policy-ignored".to_owned(),
                expected: Some(Bilingual::new("只有 typ relay 的候选", "candidates of typ relay alone")),
                actual: format!("a candidate of typ {}: {}", other.candidate.kind.as_str(), other.text),
                hint: Some(Bilingual::new(
                    "iceTransportPolicy 须原样传给 createRTCPeerConnection。",
                    "The iceTransportPolicy must be passed on to createRTCPeerConnection as it is.",
                )),
                ..Broken::default()
            };
            sink.breaks(REQUIREMENT, rtc.step_at(other.at), broken);
        }
        None if !given.is_empty() => sink.holds(REQUIREMENT),
        None => {}
    }
}

fn is_relay(rtc: &Rtc<'_>) -> bool {
    matches!(rtc.with.network, Network::Relay | Network::RelayWrongCredential)
}

fn relayed_media(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.ice.relayed-media";
    let Some(rtc) = view.rtc.as_ref().filter(|rtc| rtc.with.network == Network::Relay) else { return };
    for line in Line::all(rtc) {
        let relays = given(rtc).iter().any(|given| given.candidate.kind == Kind::Relay);
        let waited = rtc.awaited.iter().find(|awaited| awaited.what == Await::RelayCandidate && !awaited.met);
        if let (Some(waited), false) = (waited, relays) {
            let step = rtc.step_at(waited.at);
            let broken = Broken {
                cause: "webrtc:no-relay-candidate".to_owned(),
                expected: Some(Bilingual::new("中继候选", "a relay candidate")),
                actual: words::waited(rtc, waited),
                hint: turn_hint(rtc),
                ..Broken::default()
            };
            sink.breaks(REQUIREMENT, step, broken);
            continue;
        }
        match line.came() {
            Came::Up => passes(&line, sink, REQUIREMENT),
            came @ Came::NotConnected(_) => line.accuse(sink, REQUIREMENT, came),
            // An exchange that stops is accused where nothing is relayed.
            _ => {}
        }
    }
}

fn turn_hint(rtc: &Rtc<'_>) -> Option<Bilingual> {
    let evidence = rtc.turn.last()?.what;
    Some(match (evidence.allocations, evidence.refused) {
        (0, 0) => Bilingual::new(
            "TURN 服务器没有收到任何请求：iceServers 是否已原样传入？",
            "The TURN server saw no request at all: are the iceServers passed on as they are?",
        ),
        (0, _) => Bilingual::new(
            "TURN 服务器因凭据拒绝了请求：username 与 credential 是否已原样传入？",
            "The TURN server refused the credentials: are username and credential passed on as they are?",
        ),
        _ => Bilingual::new(
            "TURN 服务器已作出分配，而没有中继候选的事件。",
            "The TURN server made an allocation, and no event told of a relay candidate.",
        ),
    })
}

/// Whether the media passed the TURN server: by its own count where fincert runs it, else by the selected pair.
fn passes(line: &Line<'_, '_>, sink: &mut Sink<'_>, requirement: &str) {
    let rtc = line.rtc;
    let Some(segment) = rtc.act(Act::Media) else { return };
    let Some(counted) = line.peer.counted.iter().rev().find(|counted| counted.at > segment.span.start) else { return };
    let media: u64 = counted.what.received.iter().map(|stream| stream.payload_bytes).sum();
    if media == 0 {
        // Media that does not flow at all is another check's.
        return;
    }
    let turn = rtc.turn.iter().rev().find(|turn| turn.at > segment.span.start).map(|turn| turn.what);
    let pair = counted.what.pair.as_ref();
    let (passed, actual) = match (turn, pair) {
        (Some(turn), _) => (
            turn.allocations > 0 && turn.relayed_bytes >= media,
            format!(
                "{media} bytes of media came to fincert, and the TURN server relayed {} bytes in {} allocations",
                turn.relayed_bytes, turn.allocations
            ),
        ),
        (None, Some(pair)) => {
            (is_relay_pair(rtc, &pair.remote), format!("the selected pair's remote candidate is {}", pair.remote))
        }
        (None, None) => return,
    };
    if passed {
        sink.holds(requirement);
        return;
    }
    let broken = Broken {
        cause: "webrtc:media-not-relayed".to_owned(),
        expected: Some(Bilingual::new("媒体经过 TURN 服务器", "the media passes the TURN server")),
        actual,
        ..Broken::default()
    };
    sink.breaks(requirement, rtc.step_at(counted.at), broken);
}

/// Whether a candidate of a pair is a relay candidate of the target's: so called, or at the address of one. A relay
/// address that was first seen by a check is called peer-reflexive.
fn is_relay_pair(rtc: &Rtc<'_>, remote: &str) -> bool {
    let (kind, address) = remote.split_once(' ').unwrap_or(("", remote));
    let same = |given: &Given<'_>| {
        let candidate = &given.candidate;
        let plain = format!("{}:{}", candidate.address, candidate.port);
        let bracketed = format!("[{}]:{}", candidate.address, candidate.port);
        candidate.kind == Kind::Relay && (address == plain || address == bracketed)
    };
    kind == "relay" || given(rtc).iter().any(same)
}

fn wrong_credential(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.ice.wrong-turn-credential";
    let Some(rtc) = view.rtc.as_ref().filter(|rtc| rtc.with.network == Network::RelayWrongCredential) else { return };
    let relay = given(rtc).into_iter().find(|given| given.candidate.kind == Kind::Relay);
    if let Some(relay) = relay {
        let broken = Broken {
            cause: "webrtc:relay-without-credential".to_owned(),
            expected: Some(Bilingual::new("没有中继候选", "no relay candidate")),
            actual: format!("a relay candidate: {}", relay.text),
            ..Broken::default()
        };
        sink.breaks(REQUIREMENT, rtc.step_at(relay.at), broken);
        return;
    }
    // The credential was refused, or, where the server does not tell, the target gathered to an end.
    let tried = match rtc.turn.last() {
        Some(turn) => turn.what.refused > 0,
        None => rtc.awaited.iter().any(|awaited| awaited.what == Await::Gathered && awaited.met),
    };
    if tried {
        sink.holds(REQUIREMENT);
    }
}
