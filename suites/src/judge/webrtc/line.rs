//! One call: a connection of the target's, the peer at its other end, and their exchanges of offer and answer.

use std::ops::Range;

use fincert_schemas::Bilingual;
use fincert_schemas::run::flow::{Await, End, Flow, MediaKind};
use fincert_schemas::run::{Outcome, Reason};

use super::view::{Awaited, Described, Pc, Peer, Rtc, RtcCall, Segment, Timed};
use super::{hints, words};
use crate::judge::{Broken, Sink};

/// One call.
#[derive(Debug)]
pub(super) struct Line<'v, 'a> {
    /// The whole flow.
    pub(super) rtc: &'v Rtc<'a>,
    /// The connection of the target's.
    pub(super) pc: Pc<'v, 'a>,
    /// fincert's peer.
    pub(super) peer: &'v Peer<'a>,
    /// The exchanges, in order; the first sets the call up.
    pub(super) exchanges: Vec<Exchange<'v, 'a>>,
    /// The positions of the call's set-up.
    pub(super) set_up: Range<usize>,
}

/// One exchange of offer and answer.
#[derive(Debug)]
pub(super) struct Exchange<'v, 'a> {
    /// Where it begins.
    pub(super) at: usize,
    /// Who offers.
    pub(super) offerer: End,
    /// createOffer or createAnswer.
    pub(super) create: Option<&'v RtcCall<'a>>,
    /// setLocalDescription.
    pub(super) set_local: Option<&'v RtcCall<'a>>,
    /// setRemoteDescription.
    pub(super) set_remote: Option<&'v RtcCall<'a>>,
    /// The target's description as the peer got it.
    pub(super) of_target: Option<&'v Described<'a>>,
    /// fincert's description.
    pub(super) of_fincert: Option<&'v Described<'a>>,
    /// A method of the peer that failed.
    pub(super) peer_failed: Option<&'v Timed<(&'a str, &'a str)>>,
}

/// How far a call came.
#[derive(Debug, Clone, Copy)]
pub(super) enum Came<'v, 'a> {
    /// Both ends are connected.
    Up,
    /// Both descriptions are in force at both ends, and no connection came of it.
    NotConnected(&'v Awaited<'a>),
    /// The exchange stopped before that.
    Stuck(Stuck<'v, 'a>),
    /// Nobody waited for it.
    Unknown,
}

/// What stopped an exchange.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stuck<'v, 'a> {
    /// A method of the target's did not work.
    Method(&'v RtcCall<'a>),
    /// fincert's peer refused the target's description.
    Refused(&'v Described<'a>),
    /// A method of fincert's peer failed.
    Peer(&'v Timed<(&'a str, &'a str)>),
}

impl<'v, 'a> Line<'v, 'a> {
    /// The calls of a flow that has calls.
    pub(super) fn all(rtc: &'v Rtc<'a>) -> Vec<Self> {
        if !matches!(rtc.flow, Flow::Call | Flow::TwoCalls) {
            return Vec::new();
        }
        let connections = rtc.connections().filter_map(|pc| Some((pc, pc.peer()?)));
        let mut lines: Vec<Self> = connections
            .map(|(pc, peer)| Self { rtc, pc, peer, exchanges: exchanges(pc, peer), set_up: 0..0 })
            .collect();
        let acts = rtc.acts.first().map_or(rtc.end, |segment| segment.span.start);
        let mut until = acts;
        for line in lines.iter_mut().rev() {
            let begins = line.exchanges.first().map_or(until, |exchange| exchange.at);
            line.set_up = begins..until.max(begins);
            until = begins.min(acts);
        }
        lines
    }

    /// Who offered first.
    pub(super) fn offerer(&self) -> Option<End> {
        self.exchanges.first().map(|exchange| exchange.offerer)
    }

    /// How far the call came before any act.
    pub(super) fn came(&self) -> Came<'v, 'a> {
        let Some(first) = self.exchanges.first() else { return Came::Unknown };
        self.came_of(first, self.set_up.clone())
    }

    /// How far an exchange came within positions.
    pub(super) fn came_of(&self, exchange: &Exchange<'v, 'a>, span: Range<usize>) -> Came<'v, 'a> {
        if let Some(stuck) = exchange.stuck() {
            return Came::Stuck(stuck);
        }
        let mut waits =
            self.rtc.awaited.iter().filter(|awaited| span.contains(&awaited.at) && awaited.at > exchange.at);
        match waits.rfind(|awaited| awaited.what == Await::PeerConnected) {
            Some(awaited) if !awaited.met => Came::NotConnected(awaited),
            Some(awaited) => {
                // The target's own word counts where it denies the connection; that it is silent is for the checks of
                // its properties.
                let denies = self.denied(span, awaited.at);
                denies.map_or(Came::Up, Came::NotConnected)
            }
            None => Came::Unknown,
        }
    }

    fn denied(&self, span: Range<usize>, after: usize) -> Option<&'v Awaited<'a>> {
        let awaited = self.rtc.awaited_in(span.clone(), Await::TargetConnected).find(|awaited| awaited.at > after)?;
        let says = |name: &str| {
            let read = self.pc.reads(name).filter(|read| span.contains(&read.at) && read.at < awaited.at).last();
            read.and_then(|read| read.text()).is_some_and(|state| matches!(state, "failed" | "disconnected" | "closed"))
        };
        let failed = ["conectionState", "connectionState", "iceConnectionState"].into_iter().any(says);
        (!awaited.met && failed).then_some(awaited)
    }

    /// Whether the call came up.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.came(), Came::Up)
    }

    /// The waits for media of a kind in an act, of this call.
    pub(super) fn media_waits(&self, segment: &Segment, what: Await, kind: MediaKind) -> Vec<&'v Awaited<'a>> {
        let waits = self.rtc.awaited_in(segment.span.clone(), what).filter(|awaited| awaited.of == kind.as_str());
        waits.filter(|awaited| self.is_mine(awaited)).collect()
    }

    /// Whether a wait for media was for this call: the counters that are taken after it are of its peer.
    fn is_mine(&self, awaited: &Awaited<'_>) -> bool {
        let next = |peer: &Peer<'_>| peer.counted.iter().map(|counted| counted.at).find(|at| *at > awaited.at);
        let soonest = self.rtc.peers.iter().filter_map(|peer| Some((next(peer)?, peer.number))).min();
        soonest.is_none_or(|(_, number)| number == self.peer.number)
    }

    /// The exchanges that begin within positions.
    pub(super) fn exchanges_in(&self, span: &Range<usize>) -> impl Iterator<Item = &Exchange<'v, 'a>> {
        self.exchanges.iter().filter(move |exchange| span.contains(&exchange.at))
    }

    /// Accuses a requirement of what kept the call, or a later exchange, from coming up.
    pub(super) fn accuse(&self, sink: &mut Sink<'_>, requirement: &str, came: Came<'v, 'a>) {
        match came {
            Came::Up | Came::Unknown => {}
            Came::NotConnected(awaited) => {
                let (step, broken) = (self.rtc.step_at(awaited.at), not_connected(self, awaited));
                match hints::by_policy(self) {
                    true => {
                        let broken = Broken { cause: "webrtc:candidates-not-allowed".to_owned(), ..broken };
                        sink.undecided(requirement, step, Outcome::Inconclusive, Reason::RefereeUnable, broken);
                    }
                    false => sink.breaks(requirement, step, broken),
                }
            }
            Came::Stuck(Stuck::Method(call)) => sink.breaks(requirement, call.step, method_failed(call)),
            Came::Stuck(Stuck::Refused(described)) => {
                sink.breaks(requirement, self.rtc.step_at(described.at), description_refused(described));
            }
            Came::Stuck(Stuck::Peer(failed)) => {
                let step = self.rtc.step_at(failed.at);
                let (method, why) = failed.what;
                let broken = Broken {
                    cause: format!("webrtc:peer-failed:{method}"),
                    actual: format!("fincert's own peer could not go on: {method}: {why}"),
                    hint: Some(Reason::RefereeUnable.advice()),
                    ..Broken::default()
                };
                sink.undecided(requirement, step, Outcome::Inconclusive, Reason::RefereeUnable, broken);
            }
        }
    }
}

/// Exchanges from the calls of a connection and the descriptions of its peer, in order.
fn exchanges<'v, 'a>(pc: Pc<'v, 'a>, peer: &'v Peer<'a>) -> Vec<Exchange<'v, 'a>> {
    enum Step<'v, 'a> {
        Call(&'v RtcCall<'a>),
        Described(&'v Described<'a>),
        Failed(&'v Timed<(&'a str, &'a str)>),
    }
    let calls = pc.calls().filter(|call| call.purpose.is_none()).map(|call| (call.at, Step::Call(call)));
    let descriptions = peer.descriptions.iter().map(|described| (described.at, Step::Described(described)));
    let failures = peer.failed.iter().map(|failed| (failed.at, Step::Failed(failed)));
    let mut steps: Vec<_> = calls.chain(descriptions).chain(failures).collect();
    steps.sort_by_key(|(at, _)| *at);
    let mut exchanges: Vec<Exchange<'v, 'a>> = Vec::new();
    for (at, step) in steps {
        let new = match &step {
            Step::Call(call) if call.name == "createOffer" => Some(End::Target),
            Step::Described(described) if described.local && described.kind == "offer" => Some(End::Fincert),
            Step::Failed(failed) if failed.what.0 == "offer" => Some(End::Fincert),
            _ => None,
        };
        if let Some(offerer) = new {
            exchanges.push(Exchange {
                at,
                offerer,
                create: None,
                set_local: None,
                set_remote: None,
                of_target: None,
                of_fincert: None,
                peer_failed: None,
            });
        }
        let Some(exchange) = exchanges.last_mut() else { continue };
        match step {
            Step::Call(call) => match call.name {
                "createOffer" | "createAnswer" => exchange.create = exchange.create.or(Some(call)),
                "setLocalDescription" => exchange.set_local = exchange.set_local.or(Some(call)),
                "setRemoteDescription" => exchange.set_remote = exchange.set_remote.or(Some(call)),
                _ => {}
            },
            Step::Described(described) if described.local => exchange.of_fincert = Some(described),
            Step::Described(described) => exchange.of_target = Some(described),
            Step::Failed(failed) if matches!(failed.what.0, "offer" | "answer") => exchange.peer_failed = Some(failed),
            Step::Failed(_) => {}
        }
    }
    exchanges
}

impl<'v, 'a> Exchange<'v, 'a> {
    /// What stopped it, if it did not come to an answer that is in force at both ends.
    pub(super) fn stuck(&self) -> Option<Stuck<'v, 'a>> {
        let refused = self.of_target.filter(|described| described.refused.is_some()).map(Stuck::Refused);
        let calls = match self.offerer {
            End::Target => [self.create, self.set_local, self.set_remote],
            End::Fincert => [self.set_remote, self.create, self.set_local],
        };
        let failed = calls.into_iter().flatten().find(|call| !call.succeeded()).map(Stuck::Method);
        let first = failed.or(refused).or(self.peer_failed.map(Stuck::Peer));
        if first.is_some() || self.is_whole() {
            return first;
        }
        // Everything that was called worked, and yet there is no description: createOffer gave none.
        self.create.filter(|_| self.of_target.is_none()).map(Stuck::Method)
    }

    /// Whether both descriptions are in force at both ends.
    pub(super) fn is_whole(&self) -> bool {
        let calls = [self.create, self.set_local, self.set_remote];
        calls.iter().all(|call| call.is_some_and(|call| call.succeeded()))
            && self.of_fincert.is_some()
            && self.of_target.is_some_and(|described| described.refused.is_none())
    }

    /// The step at which the target made its description.
    pub(super) fn step(&self) -> u32 {
        self.create.or(self.set_remote).map_or(0, |call| call.step)
    }

    /// The target's answer or offer, and fincert's, of an exchange in which both were told.
    pub(super) fn both(&self) -> Option<(&'v Described<'a>, &'v Described<'a>)> {
        Some((self.of_target?, self.of_fincert?))
    }
}

/// A method of the target's that did not work. The key is shared by every requirement that it keeps from being shown.
pub(super) fn method_failed(call: &RtcCall<'_>) -> Broken {
    let what = match (call.answer(), call.refused) {
        (Some(answer), _) if answer.via.is_success() => "no-description",
        (Some(answer), _) => answer.via.as_str(),
        (None, Some(_)) => "unknown-to-the-bridge",
        (None, None) => "no-answer",
    };
    Broken {
        cause: format!("webrtc:{}:{what}", call.name),
        expected: Some(Bilingual::new(
            format!("{} 成功，双方连接", call.name),
            format!("{} works, and the two ends connect", call.name),
        )),
        actual: match what {
            "no-description" => format!("step {}: {} gave no text in sdp", call.step, call.name),
            _ => format!("step {}: {}: {}", call.step, call.name, call.outcome()),
        },
        ..Broken::default()
    }
}

fn description_refused(described: &Described<'_>) -> Broken {
    let why = described.refused.unwrap_or_default();
    Broken {
        cause: format!("webrtc:{}-refused-by-peer", described.kind),
        expected: Some(Bilingual::new(
            format!("fincert 可以采用的 {}", described.kind),
            format!("an {} that fincert can put in force", described.kind),
        )),
        actual: format!("fincert's peer refused the target's {}: {why}", described.kind),
        ..Broken::default()
    }
}

fn not_connected(line: &Line<'_, '_>, awaited: &Awaited<'_>) -> Broken {
    Broken {
        cause: "webrtc:not-connected".to_owned(),
        expected: Some(Bilingual::new("双方均已连接（ICE 与 DTLS）", "both ends are connected, ICE and DTLS")),
        actual: words::waited(line.rtc, awaited),
        hint: hints::not_connected(line, awaited),
        ..Broken::default()
    }
}
