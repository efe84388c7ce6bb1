//! ICE: its states as the target tells them, and restarts from either side.

use std::ops::Range;

use fincert_schemas::Bilingual;
use fincert_schemas::format::sdp::Sdp;
use fincert_schemas::run::flow::{Act, Await, End, Flow};

use super::line::{Came, Line};
use super::media;
use super::view::{Described, Pc};
use super::words;
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-ice-state",
        about: "The iceConnectionState is connected or completed once fincert's end is connected.",
        requirements: &["webrtc.pc.ice-connection-state"],
        run: state,
    },
    Check {
        id: "webrtc-ice-state-order",
        about: "The iceConnectionState goes forward, and back only with a restart.",
        requirements: &["webrtc.pc.ice-connection-state.order"],
        run: order,
    },
    Check {
        id: "webrtc-peer-vanishes",
        about: "When fincert falls silent the iceConnectionState becomes disconnected or failed, and failed in the end.",
        requirements: &["webrtc.pc.ice-connection-state.peer-vanishes", "webrtc.pc.ice-connection-state.gives-up"],
        run: vanishes,
    },
    Check {
        id: "webrtc-ice-restart",
        about: "A restart changes user fragment and password, in the target's offer and in its answer.",
        requirements: &["webrtc.ice.restart-answered"],
        run: restart_answered,
    },
    Check {
        id: "webrtc-ice-restart-media",
        about: "Media goes on after a restart of ICE.",
        requirements: &["webrtc.ice.restart-keeps-media"],
        run: restart_media,
    },
];

const STATE: &str = "iceConnectionState";

fn state(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.ice-connection-state";
    let Some(rtc) = &view.rtc else { return };
    let calls: Vec<(Pc<'_, '_>, Range<usize>)> = match rtc.flow {
        // It is set up in one go, without acts.
        Flow::Glare => rtc.connections().map(|pc| (pc, 0..rtc.end)).collect(),
        _ => Line::all(rtc).into_iter().map(|line| (line.pc, line.set_up)).collect(),
    };
    for (pc, set_up) in calls {
        let connected = rtc.awaited_in(set_up.clone(), Await::PeerConnected).find(|awaited| awaited.met);
        let Some(connected) = connected else { continue };
        // The readings between the moment that fincert's end was connected and the end of the wait at the target's.
        let end = rtc.awaited_in(set_up.clone(), Await::TargetConnected).find(|a| a.at > connected.at);
        let end = end.map_or(set_up.end, |awaited| awaited.at);
        let Some(read) = pc.reads(STATE).filter(|read| (connected.at..end).contains(&read.at)).last() else {
            continue;
        };
        if matches!(read.text(), Some("connected" | "completed")) {
            sink.holds(REQUIREMENT);
            continue;
        }
        // That it is not there at all is for the check of all properties.
        let Some(value) = read.value() else { continue };
        let broken = Broken {
            cause: "webrtc:ice-connection-state".to_owned(),
            expected: Some(Bilingual::new("connected 或 completed", "connected or completed")),
            actual: format!("{value}, after {} readings", read.polls),
            ..Broken::default()
        };
        sink.breaks(REQUIREMENT, rtc.step_at(read.at), broken);
    }
}

/// The states that the target told by event, in order.
fn told<'v>(pc: Pc<'v, '_>) -> Vec<(usize, &'v str)> {
    let states = pc.events("iceconnectionstatechange").filter(|emitted| !emitted.late);
    states.filter_map(|emitted| Some((emitted.at, emitted.value().get(STATE)?.as_str()?))).collect()
}

fn order(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.pc.ice-connection-state.order";
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        let restarts = restarts(line);
        let read: Vec<(usize, &str)> = line.pc.reads(STATE).filter_map(|read| Some((read.at, read.text()?))).collect();
        let told = told(line.pc);
        let back = [&told, &read].into_iter().find_map(|states| backward(states, &restarts));
        // A short checking may go unseen: what is told is the state when the event is dispatched.
        let Some((at, from, to)) = back else {
            if told.iter().any(|(_, state)| matches!(*state, "connected" | "completed")) {
                sink.holds(REQUIREMENT);
            }
            continue;
        };
        let broken = Broken {
            cause: "webrtc:ice-state-order".to_owned(),
            expected: Some(Bilingual::new(
                "checking、connected、completed，不退回",
                "checking, connected, completed, and not back",
            )),
            actual: format!("{from}, then {to}, without a restart of ICE"),
            ..Broken::default()
        };
        sink.breaks(REQUIREMENT, rtc.step_at(at), broken);
    }
}

/// The first step back to checking or new that no restart explains.
fn backward<'s>(states: &[(usize, &'s str)], restarts: &[usize]) -> Option<(usize, &'s str, &'s str)> {
    states.windows(2).find_map(|pair| {
        let [(_, from), (at, to)] = pair else { return None };
        let back = matches!(*from, "connected" | "completed") && matches!(*to, "checking" | "new");
        // The states of a restart may be told any time after it began.
        let explained = restarts.iter().any(|restart| restart < at);
        (back && !explained).then_some((*at, *from, *to))
    })
}

/// Where ICE began afresh: exchanges in which either end's credentials changed, whoever asked for it.
fn restarts(line: &Line<'_, '_>) -> Vec<usize> {
    let changed = |before: Option<&Described<'_>>, after: Option<&Described<'_>>| {
        let compared =
            before.zip(after).map(|(before, after)| compare(&line.rtc.sdp(before.sdp), &line.rtc.sdp(after.sdp)));
        matches!(compared, Some(Compared::New | Compared::Mixed(_)))
    };
    let pairs = line.exchanges.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        let is_new = changed(before.of_target, after.of_target) || changed(before.of_fincert, after.of_fincert);
        is_new.then_some(after.at)
    });
    pairs.collect()
}

fn vanishes(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    let Some(segment) = rtc.act(Act::FincertVanishes) else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up() && line.peer.vanished.is_some()) {
        let seen: Vec<&str> =
            told(line.pc).into_iter().filter(|(at, _)| segment.span.contains(at)).map(|(_, state)| state).collect();
        let seen = if seen.is_empty() { "none".to_owned() } else { seen.join(", ") };
        for (requirement, what, cause) in [
            (
                "webrtc.pc.ice-connection-state.peer-vanishes",
                Await::TargetDisconnected,
                "webrtc:vanished-peer-unnoticed",
            ),
            ("webrtc.pc.ice-connection-state.gives-up", Await::TargetFailed, "webrtc:vanished-peer-awaited-for-ever"),
        ] {
            match rtc.awaited_in(segment.span.clone(), what).last() {
                Some(awaited) if awaited.met => sink.holds(requirement),
                Some(awaited) => {
                    let actual = format!("{}; states told by event: {seen}", words::waited(rtc, awaited));
                    let broken = Broken { cause: cause.to_owned(), actual, ..Broken::default() };
                    sink.breaks(requirement, rtc.step_at(awaited.at), broken);
                }
                None => {}
            }
        }
    }
}

/// User fragments and passwords of a description, by mid.
pub(super) fn credentials(sdp: &Sdp<'_>) -> Vec<(String, Option<String>, Option<String>)> {
    let sections = sdp.media.iter().enumerate().filter(|(_, section)| !section.is_rejected());
    sections
        .filter_map(|(index, section)| {
            let (ufrag, pwd) = sdp.ice_credentials(section);
            let mid = section.mid().map_or_else(|| format!("m-line {index}"), str::to_owned);
            (ufrag.is_some() || pwd.is_some()).then(|| (mid, ufrag.map(str::to_owned), pwd.map(str::to_owned)))
        })
        .collect()
}

/// How the credentials of two descriptions of one end compare, by the m-lines that both have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compared {
    /// Every user fragment and every password is another.
    New,
    /// All are the same.
    Same,
    /// Some are the same and some not: which are the same.
    Mixed(&'static str),
    /// There is nothing to compare.
    Nothing,
}

pub(super) fn compare(before: &Sdp<'_>, after: &Sdp<'_>) -> Compared {
    let (before, after) = (credentials(before), credentials(after));
    let mut pairs: Vec<_> =
        after.iter().filter_map(|new| Some((before.iter().find(|old| old.0 == new.0)?, new))).collect();
    if pairs.is_empty() {
        // Where no mid was kept, the m-lines stand in their order all the same.
        pairs = before.iter().zip(&after).collect();
    }
    if pairs.is_empty() {
        return Compared::Nothing;
    }
    let ufrag = pairs.iter().filter(|(old, new)| old.1 == new.1).count();
    let pwd = pairs.iter().filter(|(old, new)| old.2 == new.2).count();
    match (ufrag, pwd) {
        (0, 0) => Compared::New,
        (u, p) if u == pairs.len() && p == pairs.len() => Compared::Same,
        (0, _) => Compared::Mixed("ice-pwd"),
        (_, 0) => Compared::Mixed("ice-ufrag"),
        _ => Compared::Mixed("ice-ufrag and ice-pwd of some m-lines"),
    }
}

/// The exchange within a span, with what each end's description was before it.
fn restarted<'v, 'a>(line: &Line<'v, 'a>, span: &Range<usize>) -> Option<(Compared, Compared, usize)> {
    let index = line.exchanges.iter().position(|exchange| span.contains(&exchange.at))?;
    let (before, exchange) = (line.exchanges.get(index.checked_sub(1)?)?, &line.exchanges[index]);
    let (theirs, ours) = exchange.both()?;
    let compared =
        |before: &Described<'a>, after: &Described<'a>| compare(&line.rtc.sdp(before.sdp), &line.rtc.sdp(after.sdp));
    Some((compared(before.of_target?, theirs), compared(before.of_fincert?, ours), index))
}

fn restart_answered(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.ice.restart-answered";
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        for segment in rtc.acts.iter().filter(|segment| segment.act == Act::FincertRestartsIce) {
            let Some((theirs, ours, index)) = restarted(line, &segment.span) else { continue };
            let exchange = &line.exchanges[index];
            if ours != Compared::New || exchange.offerer != End::Fincert {
                continue;
            }
            let actual = match theirs {
                Compared::New => {
                    sink.holds(REQUIREMENT);
                    continue;
                }
                Compared::Nothing => continue,
                Compared::Same => "the answer has the user fragment and the password of before".to_owned(),
                Compared::Mixed(which) => format!("the answer's {which} is that of before"),
            };
            let broken = Broken {
                cause: "webrtc:restart-answered-with-old-credentials".to_owned(),
                expected: Some(Bilingual::new("新的 ice-ufrag 和 ice-pwd", "a new ice-ufrag and a new ice-pwd")),
                actual,
                ..Broken::default()
            };
            sink.breaks(REQUIREMENT, exchange.step(), broken);
        }
    }
}

fn restart_media(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.ice.restart-keeps-media";
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        let acts = [Act::TargetRestartsIce, Act::FincertRestartsIce];
        for segment in rtc.acts.iter().filter(|segment| acts.contains(&segment.act)) {
            let flowed = line.peer.counted_until(segment.span.start);
            if flowed.is_none_or(|counted| counted.what.received.iter().all(|stream| stream.packets == 0)) {
                continue;
            }
            // Only new credentials on both sides are a restart.
            let Some((Compared::New, Compared::New, index)) = restarted(line, &segment.span) else { continue };
            match line.came_of(&line.exchanges[index], segment.span.clone()) {
                Came::Up => match media::missing(line, segment) {
                    media::Flow::All => sink.holds(REQUIREMENT),
                    media::Flow::Lacks(step, broken) => sink.breaks(REQUIREMENT, step, *broken),
                    media::Flow::Unknown => {}
                },
                other => line.accuse(sink, REQUIREMENT, other),
            }
        }
    }
}
