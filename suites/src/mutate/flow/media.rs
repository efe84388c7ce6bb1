//! Waits that are not met and counters that stand still: the ends do not connect, media does not flow, or does not end.
//!
//! Whose sentence a wait is follows from what the flow drives: the ledger's `webrtc.call.*`, `webrtc.candidate.*`,
//! `webrtc.ice.*`, `webrtc.media.*` and `webrtc.renegotiation.*`.

use fincert_schemas::run::What;
use fincert_schemas::run::flow::{Act, Await, Candidates, End, Evidence, Flow, MediaKind, Network, Received};

use super::super::{Edit, Maker, Operator};
use super::view::{Flowed, Waited};

const COUNTERS: Operator = Operator::Counters;

pub(super) fn all(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    for wait in flow.waits.iter().filter(|wait| wait.met) {
        let act = flow.acts.iter().find(|(_, span)| span.contains(&wait.event)).map(|(act, _)| *act);
        let owners = match wait.what {
            Await::PeerConnected => connecting(flow, act),
            Await::Rtp => sending(flow, wait, act),
            Await::ReceiverReport => receiving(flow, wait, act),
            Await::RelayCandidate if flow.with.network == Network::Relay => Vec::new(),
            Await::TargetDisconnected if act == Some(Act::FincertVanishes) => {
                vec!["webrtc.pc.ice-connection-state.peer-vanishes"]
            }
            Await::TargetDisconnected if act == Some(Act::FincertCloses) => vec!["webrtc.call.fincert-closes"],
            Await::TargetFailed if act == Some(Act::FincertVanishes) => vec!["webrtc.pc.ice-connection-state.gives-up"],
            _ => Vec::new(),
        };
        let rule = format!("{:?}", wait.what);
        maker.add(COUNTERS, wait.event, (wait.of, &rule), &owners, unmet(flow, wait));
    }
    counters(maker, flow);
}

/// It was waited for, and did not come.
fn unmet(flow: &Flowed<'_>, wait: &Waited<'_>) -> Vec<Edit> {
    let waited = What::Awaited {
        end: wait.end,
        what: wait.what,
        of: wait.of.to_owned(),
        met: false,
        waited_ms: 8_000,
        instead: "something else".to_owned(),
    };
    let mut edits = vec![Edit::Replace(wait.event, waited)];
    // Where the ends never connected, ICE never was up either.
    if wait.what == Await::PeerConnected {
        for (at, peer, did) in flow.peers_did(0..wait.event) {
            use fincert_schemas::run::flow::PeerDid;
            if matches!(did, PeerDid::Ice { state } if state == "connected" || state == "completed") {
                let did = PeerDid::Ice { state: "checking".to_owned() };
                edits.push(Edit::Replace(at, What::Peer { peer, did }));
            }
        }
    }
    edits
}

/// What a call of this setting is about.
fn about(flow: &Flowed<'_>) -> Vec<&'static str> {
    let with = flow.with;
    match flow.flow {
        Flow::TwoCalls => return vec!["webrtc.call.two-connections"],
        Flow::Call if !with.wrong_fingerprint && !with.unsupported_codec => {}
        _ => return Vec::new(),
    }
    match with.network {
        Network::Relay => return vec!["webrtc.ice.relayed-media"],
        Network::RelayWrongCredential => return Vec::new(),
        Network::Ipv6 => return vec!["webrtc.ice.ipv6"],
        Network::Host => {}
    }
    match with.candidates {
        Candidates::InDescription => return vec!["webrtc.call.no-trickle"],
        Candidates::Late => return vec!["webrtc.candidate.late"],
        // Early candidates have something to belong to only where fincert offers.
        Candidates::Early if with.offerer == End::Fincert => return vec!["webrtc.candidate.early"],
        Candidates::Early => return Vec::new(),
        Candidates::Duplicate => return vec!["webrtc.candidate.duplicate"],
        Candidates::Trickle => {}
    }
    let kinds = match (&with.target_sends[..], &with.fincert_sends[..], with.offerer) {
        ([], [_, ..], End::Target) if !with.offer_to_receive.is_empty() => Some("webrtc.call.receive-only"),
        ([MediaKind::Audio], [MediaKind::Audio], _) => Some("webrtc.call.audio-only"),
        ([MediaKind::Video], [MediaKind::Video], _) => Some("webrtc.call.video-only"),
        _ => None,
    };
    let by_offerer = match with.offerer {
        End::Target => "webrtc.call.target-offers",
        End::Fincert => "webrtc.call.fincert-offers",
    };
    vec![kinds.unwrap_or(by_offerer), "webrtc.call.candidates-by-event"]
}

/// What an act is about that exchanges descriptions again.
fn about_act(act: Act) -> Option<&'static str> {
    Some(match act {
        Act::TargetAddsVideo => "webrtc.renegotiation.target-adds-video",
        Act::FincertAddsVideo => "webrtc.renegotiation.fincert-adds-video",
        Act::TenRenegotiations => "webrtc.call.ten-renegotiations",
        Act::TargetRestartsIce | Act::FincertRestartsIce => "webrtc.ice.restart-keeps-media",
        Act::TargetRenegotiates | Act::FincertRenegotiates => "webrtc.call.offerer-swap",
        _ => return None,
    })
}

fn connecting(flow: &Flowed<'_>, act: Option<Act>) -> Vec<&'static str> {
    match act {
        None => about(flow),
        Some(act) => about_act(act).into_iter().collect(),
    }
}

/// Whether descriptions were exchanged again before the act of a wait, and what that was about.
fn exchanged_before(flow: &Flowed<'_>, wait: &Waited<'_>) -> Option<&'static str> {
    flow.acts.iter().take_while(|(_, span)| span.end <= wait.event).filter_map(|(act, _)| about_act(*act)).last()
}

/// The call of a flow of one kind, or of two calls, carries its media as well.
fn carrying(flow: &Flowed<'_>) -> Option<&'static str> {
    about(flow).into_iter().find(|owner| {
        matches!(
            *owner,
            "webrtc.call.two-connections"
                | "webrtc.call.receive-only"
                | "webrtc.call.audio-only"
                | "webrtc.call.video-only"
        )
    })
}

fn sending(flow: &Flowed<'_>, wait: &Waited<'_>, act: Option<Act>) -> Vec<&'static str> {
    match act {
        Some(Act::Media) => match exchanged_before(flow, wait) {
            Some(owner) => vec![owner],
            None => std::iter::once("webrtc.media.sent").chain(carrying(flow)).collect(),
        },
        Some(Act::TargetAddsVideo) if wait.of == "video" => vec!["webrtc.renegotiation.target-adds-video"],
        Some(act @ (Act::TargetRestartsIce | Act::FincertRestartsIce)) => about_act(act).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn receiving(flow: &Flowed<'_>, wait: &Waited<'_>, act: Option<Act>) -> Vec<&'static str> {
    match act {
        Some(Act::Media) => match exchanged_before(flow, wait) {
            Some(owner) => vec![owner],
            None => std::iter::once("webrtc.media.received").chain(carrying(flow)).collect(),
        },
        Some(Act::FincertAddsVideo) if wait.of == "video" => vec!["webrtc.renegotiation.fincert-adds-video"],
        Some(act @ (Act::TargetRestartsIce | Act::FincertRestartsIce)) => about_act(act).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn counters(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    let counted: Vec<(usize, u64, u32, &Evidence)> = flow
        .transcript
        .events
        .iter()
        .enumerate()
        .filter_map(|(at, event)| match &event.what {
            What::Counted { peer, evidence } => Some((at, event.at_us, *peer, &**evidence)),
            _ => None,
        })
        .collect();
    let with = |at: usize, peer: u32, evidence: Evidence| {
        Edit::Replace(at, What::Counted { peer, evidence: Box::new(evidence) })
    };
    if flow.with.wrong_fingerprint
        && let Some((at, _, peer, evidence)) = counted.last()
    {
        let mut heard = (*evidence).clone();
        heard.received.push(stream(9_999, *at as u64));
        let owners = ["webrtc.security.wrong-fingerprint"];
        maker.add(COUNTERS, *at, ("/received", "media-all-the-same"), &owners, vec![with(*at, *peer, heard)]);
    }
    foreign(maker, flow, &counted, &with);
    closing(maker, flow, &counted, &with);
    stopping(maker, flow, &counted, &with);
    relaying(maker, flow);
}

fn stream(ssrc: u32, at_us: u64) -> Received {
    Received {
        ssrc,
        payload_type: 96,
        payload_types: vec![96],
        kind: Some(MediaKind::Video),
        codec: Some("VP8".to_owned()),
        packets: 50,
        payload_bytes: 40_000,
        first_sequence: 1,
        highest_sequence: 50,
        first_at_us: at_us,
        last_at_us: at_us,
    }
}

type Counted<'e> = (usize, u64, u32, &'e Evidence);

/// A payload type that nobody negotiated.
fn foreign(
    maker: &mut Maker<'_>,
    flow: &Flowed<'_>,
    counted: &[Counted<'_>],
    with: &dyn Fn(usize, u32, Evidence) -> Edit,
) {
    if flow.flow != Flow::Call || about(flow).is_empty() {
        return;
    }
    let Some((_, span)) = flow.acts.iter().find(|(act, _)| *act == Act::Media) else { return };
    let Some((at, _, peer, evidence)) = counted.iter().rfind(|(at, ..)| span.contains(at)) else { return };
    for (index, stream) in evidence.received.iter().enumerate().filter(|(_, stream)| stream.kind.is_some()) {
        // A kind is looked at where it was waited for.
        let kind = stream.kind.map_or("", MediaKind::as_str);
        let waited =
            flow.waits.iter().any(|w| w.what == Await::Rtp && w.of == kind && w.met && span.contains(&w.event));
        if waited {
            let mut other = (*evidence).clone();
            other.received[index].payload_types.push(1);
            let place = format!("/received/{index}/payloadTypes");
            maker.add(COUNTERS, *at, (&place, "not-negotiated"), &["webrtc.media.sent"], vec![with(*at, *peer, other)]);
        }
    }
}

/// RTP that goes on after close.
fn closing(
    maker: &mut Maker<'_>,
    flow: &Flowed<'_>,
    counted: &[Counted<'_>],
    with: &dyn Fn(usize, u32, Evidence) -> Edit,
) {
    let Some((_, span)) = flow.acts.iter().find(|(act, _)| *act == Act::TargetCloses) else { return };
    let close = flow.calls.iter().find(|call| call.name == "close" && call.succeeded() && span.contains(&call.event));
    let Some(close) = close else { return };
    let answered = flow.transcript.events[close.answered()].at_us;
    let flowed = counted.iter().rfind(|(at, ..)| *at < close.event);
    if flowed.is_none_or(|(.., evidence)| evidence.received.iter().all(|stream| stream.packets == 0)) {
        return;
    }
    let Some((at, at_us, peer, evidence)) = counted.iter().rfind(|(_, at_us, ..)| *at_us > answered + 1_000_000) else {
        return;
    };
    for index in 0..evidence.received.len() {
        let mut more = (*evidence).clone();
        more.received[index].last_at_us = *at_us;
        more.received[index].packets += 50;
        let place = format!("/received/{index}");
        maker.add(
            Operator::Late,
            *at,
            (&place, "after-close"),
            &["webrtc.pc.close.stops-media"],
            vec![with(*at, *peer, more)],
        );
    }
}

/// Media that goes on as before after track.stop.
fn stopping(
    maker: &mut Maker<'_>,
    flow: &Flowed<'_>,
    counted: &[Counted<'_>],
    with: &dyn Fn(usize, u32, Evidence) -> Edit,
) {
    let Some((_, span)) = flow.acts.iter().find(|(act, _)| *act == Act::TargetStopsTracks) else { return };
    let stops: Vec<_> = flow.calls.iter().filter(|call| call.name == "stop" && span.contains(&call.event)).collect();
    let (Some(first), Some(last)) = (stops.first(), stops.last()) else { return };
    let after: Vec<_> = counted.iter().filter(|(at, ..)| *at > last.answered() && span.contains(at)).collect();
    let (Some(settled), Some(ended)) = (after.first(), after.last()) else { return };
    let before: Vec<_> = counted.iter().filter(|(at, ..)| *at < first.event).collect();
    let Some(late) = before.last() else { return };
    let Some(early) = before.iter().rfind(|earlier| late.1.saturating_sub(earlier.1) >= 500_000) else { return };
    if settled.0 == ended.0 {
        return;
    }
    for index in 0..ended.3.received.len() {
        let ssrc = ended.3.received[index].ssrc;
        let of = |evidence: &Evidence| {
            let stream = evidence.received.iter().find(|stream| stream.ssrc == ssrc);
            stream.map_or((0, 0), |stream| (stream.packets, stream.payload_bytes))
        };
        let (from, to) = (of(early.3), of(late.3));
        if to.0 <= from.0 {
            continue;
        }
        // At the rate at which it flowed before.
        let (was, is) = (late.1.saturating_sub(early.1).max(1), ended.1.saturating_sub(settled.1));
        let (was, is) = (u128::from(was), u128::from(is));
        let scaled = |before: u64| u64::try_from(u128::from(before) * is / was).unwrap_or(u64::MAX);
        let start = of(settled.3);
        let mut more = ended.3.clone();
        more.received[index].packets = start.0 + scaled(to.0 - from.0);
        more.received[index].payload_bytes = start.1 + scaled(to.1 - from.1);
        let place = format!("/received/{index}");
        maker.add(
            COUNTERS,
            ended.0,
            (&place, "after-stop"),
            &["webrtc.track.stop"],
            vec![with(ended.0, ended.2, more)],
        );
    }
}

/// Media that does not pass the TURN server.
fn relaying(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    let turns: Vec<_> = flow
        .transcript
        .events
        .iter()
        .enumerate()
        .filter_map(|(at, event)| match &event.what {
            What::Turn { evidence } => Some((at, evidence)),
            _ => None,
        })
        .collect();
    let Some((at, evidence)) = turns.last() else { return };
    match flow.with.network {
        Network::Relay => {
            let owners = ["webrtc.ice.relayed-media"];
            let after_media = flow.acts.iter().any(|(act, span)| *act == Act::Media && span.start < *at);
            if after_media && evidence.relayed_bytes > 0 {
                let mut none = (*evidence).clone();
                none.relayed_bytes = 0;
                let edits = vec![Edit::Replace(*at, What::Turn { evidence: none })];
                maker.add(COUNTERS, *at, ("/relayedBytes", "0"), &owners, edits);
                let mut none = (*evidence).clone();
                none.allocations = 0;
                let edits = vec![Edit::Replace(*at, What::Turn { evidence: none })];
                maker.add(COUNTERS, *at, ("/allocations", "0"), &owners, edits);
            }
        }
        Network::RelayWrongCredential => {
            let Some(pc) = flow.pcs.first() else { return };
            let text = "candidate:9 1 udp 16777215 127.0.0.1 50000 typ relay raddr 0.0.0.0 rport 0";
            let value = serde_json::json!({"candidate": {
                "candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "address": "127.0.0.1", "type": "relay"
            }});
            let value = super::super::settled::raw(value);
            let what = What::Emitted { handle: (*pc).to_owned(), kind: "icecandidate".to_owned(), value, known: true };
            let owners = ["webrtc.ice.wrong-turn-credential"];
            maker.add(COUNTERS, *at, ("", "relay-candidate"), &owners, vec![Edit::Insert(*at, what)]);
        }
        _ => {}
    }
}
