//! What entries are made of, and how each is told.

use fincert_schemas::Lang;
use fincert_schemas::run::Reason;
use fincert_schemas::run::flow::{Act, Await, Evidence, MediaKind, TurnEvidence};

use super::call::{Calls, Outcome, name};
use super::words::{NAME, SENTENCE, act, awaited, list, short, unmet};
use super::{Entry, Who};
use crate::page::{GLUE, Tone};
use crate::times::Unmet;
use crate::words::say;

/// Things that belong together, before they are told.
#[derive(Debug)]
pub(super) struct Item<'a> {
    /// When the first of them happened; of states when the last was reached.
    pub(super) at_us: u64,
    /// The more it tells the longer it stays.
    pub(super) weight: u8,
    pub(super) what: Happening<'a>,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Happening<'a> {
    /// An act began.
    Act(Act),
    /// Methods of the target were called.
    Calls(Calls<'a>),
    /// fincert's peer made a description, so often.
    Made { peer: u32, kind: &'a str, media: String, count: usize },
    /// fincert's peer refused a description of the target's.
    Declined { peer: u32, kind: &'a str, media: String, why: &'a str },
    /// Candidates came, of either end.
    Candidates(Candidates<'a>),
    /// The states of fincert's peer.
    Peer { peer: u32, ice: Vec<&'a str>, connection: Vec<&'a str>, up: Option<&'a Evidence> },
    /// States of the target's connection, by property.
    States { handle: &'a str, chains: Vec<(&'a str, Vec<&'a str>)> },
    /// The peer was told of media of the target's.
    Announced { peer: u32, kinds: Vec<MediaKind> },
    /// The target notified events of a type that tells nothing further.
    Events { kind: &'a str, count: usize },
    /// The first RTP of streams.
    FirstRtp { peer: u32, streams: Vec<Stream<'a>> },
    /// Receiver reports of the target came, by kind of media.
    Reports(Vec<(&'a str, u64)>),
    /// Something that was awaited came after a while.
    Came { who: Who, what: Await, of: &'a str, waited_ms: u64 },
    /// The counters of the peer at the end.
    Counters { peer: u32, evidence: &'a Evidence },
    /// The counters of the TURN server at the end.
    Turn(&'a TurnEvidence),
    /// fincert's peer left.
    Left { peer: u32, in_order: bool },
    /// Something that should not be.
    Trouble { who: Who, trouble: Trouble<'a>, count: usize },
}

/// The first packet of a stream.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    pub(super) kind: Option<MediaKind>,
    pub(super) codec: Option<&'a str>,
    pub(super) payload_type: u8,
    pub(super) at_us: u64,
}

/// Candidates of both ends.
#[derive(Debug, Default)]
pub(super) struct Candidates<'a> {
    /// fincert's own.
    pub(super) own: usize,
    /// Those that the target notified.
    pub(super) notified: usize,
    /// Those of the target that fincert's peer was handed.
    pub(super) handed: usize,
    /// The target's types: `host`, `relay`.
    pub(super) types: Vec<&'a str>,
    /// Why fincert did not take some.
    pub(super) declined: Vec<&'a str>,
}

/// Something that should not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble<'a> {
    Peer { method: &'a str, why: &'a str },
    Frame(Reason),
    Gone(&'a str),
    Listening { kind: &'a str, why: &'a str },
    Reading { name: &'a str, why: &'a str },
    Unheard { kind: &'a str },
}

/// Where a flow stopped, or would have.
#[derive(Debug)]
pub(super) enum Ending<'a> {
    /// Something was awaited in vain from that moment on.
    Unmet(Unmet<'a>, u64),
    /// Calls of a method were not answered; the first was made at that moment.
    Silent { method: &'a str, at_ms: u64, deadline_ms: u64, alive: bool, count: usize },
    /// The target could not be driven to the end.
    Broken { reason: Reason, detail: &'a str },
    /// It was not driven.
    Skipped(Reason),
}

impl<'a> Ending<'a> {
    /// A call that was not answered in time.
    pub(super) fn silent(method: &'a str, at_us: u64, outcome: Outcome<'_>) -> Option<Self> {
        let Outcome::Silent { deadline_ms, alive } = outcome else { return None };
        Some(Self::Silent { method: name(method), at_ms: at_us / 1_000, deadline_ms, alive, count: 1 })
    }

    pub(super) fn entry(&self, lang: Lang) -> Entry {
        let tone = if matches!(self, Self::Skipped(_)) { Tone::Quiet } else { Tone::Bad };
        let text = match self {
            Self::Unmet(wait, from_ms) => unmet(lang, wait, *from_ms),
            Self::Silent { method, at_ms, deadline_ms, alive, count } => {
                let times = if *count > 1 { format!(" ×{count}") } else { String::new() };
                let bridge = match alive {
                    true => say(lang, "桥仍有应答", "the bridge itself still answered"),
                    false => say(lang, "桥也没有应答", "the bridge did not answer either"),
                };
                match lang {
                    Lang::Zh => {
                        format!("{method}{times}：自 {at_ms} ms 起等了 {deadline_ms} ms，目标未应答；{bridge}")
                    }
                    Lang::En => format!(
                        "{method}{times}: waited {deadline_ms} ms, from {at_ms} ms on, at the target for the answer; {bridge}"
                    ),
                }
            }
            Self::Broken { reason, detail } => {
                let (reason, detail) = (reason.text(), short(detail, SENTENCE));
                match lang {
                    _ if detail.is_empty() => reason.get(lang).to_owned(),
                    Lang::Zh => format!("{}（{detail}）", reason.zh.trim_end_matches('。')),
                    Lang::En => format!("{} ({detail})", reason.en.trim_end_matches('.')),
                }
            }
            Self::Skipped(reason) => reason.text().get(lang).to_owned(),
        };
        let who = match self {
            Self::Unmet(..) | Self::Skipped(_) => Who::Nobody,
            Self::Silent { .. } | Self::Broken { .. } => Who::Target,
        };
        Entry { at_ms: None, who, text, tone }
    }
}

impl Item<'_> {
    pub(super) fn entry(&self, lang: Lang) -> Entry {
        let (who, text) = self.what.told(lang);
        Entry { at_ms: Some(self.at_us / 1_000), who, text, tone: self.tone() }
    }

    fn tone(&self) -> Tone {
        match &self.what {
            Happening::Act(_) => Tone::Strong,
            Happening::Calls(_) if self.weight == u8::MAX => Tone::Strong,
            Happening::Calls(calls) if calls.is_trouble() => Tone::Warn,
            Happening::Declined { .. } | Happening::Trouble { .. } => Tone::Warn,
            _ => Tone::Plain,
        }
    }
}

impl Happening<'_> {
    fn told(&self, lang: Lang) -> (Who, String) {
        match self {
            Self::Act(which) => (Who::Act, act(lang, *which).to_owned()),
            Self::Calls(calls) => (Who::Target, calls.text(lang)),
            Self::Made { peer, kind, media, count } => {
                let times = if *count > 1 { format!(" ×{count}") } else { String::new() };
                (Who::Fincert, format!("{}{times} ({media}){}", short(kind, NAME), of_peer(*peer)))
            }
            Self::Declined { peer, kind, media, why } => {
                let said = say(lang, "不接受目标的 ", "cannot take the target's ");
                let (kind, why, colon) = (short(kind, NAME), short(why, SENTENCE), say(lang, "：", ": "));
                (Who::Fincert, format!("{said}{kind} ({media}){}{colon}{why}", of_peer(*peer)))
            }
            Self::Candidates(candidates) => (candidates.who(), candidates.text(lang)),
            Self::Peer { peer, ice, connection, up } => {
                (Who::Fincert, format!("{}{}", peer_states(lang, ice, connection, *up), of_peer(*peer)))
            }
            Self::States { handle, chains } => {
                let chains: Vec<String> =
                    chains.iter().map(|(name, states)| format!("{name} {}", states.join(" → "))).collect();
                // The first connection goes without saying.
                let handle = if handle.is_empty() { String::new() } else { format!(" ({})", short(handle, NAME)) };
                (Who::Target, format!("{}{handle}", chains.join(", ")))
            }
            Self::Announced { peer, kinds } => {
                let kinds = list(lang, kinds.iter().map(|kind| kind.as_str()), 4);
                let said = say(lang, "目标的媒体：", "media of the target: ");
                (Who::Fincert, format!("{said}{kinds}{}", of_peer(*peer)))
            }
            Self::Events { kind, count } => {
                let times = if *count > 1 { format!(" ×{count}") } else { String::new() };
                (Who::Target, format!("{}{}{times}", say(lang, "事件 ", "event "), short(kind, NAME)))
            }
            Self::FirstRtp { peer, streams } => {
                (Who::Fincert, format!("{}{}", first_rtp(lang, streams), of_peer(*peer)))
            }
            Self::Reports(reports) => {
                let said = say(lang, "接收端报告：", "receiver reports: ");
                (Who::Target, format!("{said}{}", at_moments(lang, reports)))
            }
            Self::Came { who, what, of, waited_ms } => {
                let what = awaited(lang, *what, &short(of, NAME));
                let after = match lang {
                    Lang::Zh => format!("，等了 {waited_ms} ms"),
                    Lang::En => format!(" came after {waited_ms} ms"),
                };
                (*who, format!("{what}{after}"))
            }
            Self::Counters { peer, evidence } => {
                (Who::Fincert, format!("{}{}", counters(lang, evidence), of_peer(*peer)))
            }
            Self::Turn(evidence) => {
                let TurnEvidence { allocations, refused, relayed_bytes } = evidence;
                let text = match lang {
                    Lang::Zh => format!("TURN：分配 {allocations} 次，中继 {relayed_bytes} 字节，拒绝 {refused} 次"),
                    Lang::En => {
                        format!("TURN: allocations {allocations}, bytes relayed {relayed_bytes}, refused {refused}")
                    }
                };
                (Who::Fincert, text)
            }
            Self::Left { peer, in_order: true } => {
                (Who::Fincert, format!("{}{}", say(lang, "正常关闭", "closes in good order"), of_peer(*peer)))
            }
            Self::Left { peer, in_order: false } => {
                (Who::Fincert, format!("{}{}", say(lang, "无声消失", "falls silent without a word"), of_peer(*peer)))
            }
            Self::Trouble { who, trouble, count } => {
                let times = if *count > 1 { format!(" ×{count}") } else { String::new() };
                (*who, format!("{}{times}", trouble.text(lang)))
            }
        }
    }
}

impl Trouble<'_> {
    fn text(&self, lang: Lang) -> String {
        let colon = say(lang, "：", ": ");
        let (said, why) = match *self {
            Self::Peer { method, why } => {
                let said = match lang {
                    Lang::Zh => format!("{} 失败", short(method, NAME)),
                    Lang::En => format!("{} failed", short(method, NAME)),
                };
                (said, why)
            }
            Self::Frame(reason) => return reason.text().get(lang).to_owned(),
            Self::Gone(status) => (say(lang, "连接已断", "gone").to_owned(), status),
            Self::Listening { kind, why } => {
                (format!("{} {}", say(lang, "无法监听", "cannot be listened to:"), short(kind, NAME)), why)
            }
            Self::Reading { name, why } => {
                (format!("{} {}", say(lang, "无法读取", "cannot be read:"), short(name, NAME)), why)
            }
            Self::Unheard { kind } => (say(lang, "未监听的事件", "an event that nobody listens to").to_owned(), kind),
        };
        format!("{said}{colon}{}", short(why, SENTENCE))
    }
}

impl Candidates<'_> {
    fn who(&self) -> Who {
        match (self.own, self.notified.max(self.handed)) {
            (0, _) => Who::Target,
            (_, 0) => Who::Fincert,
            _ => Who::Both,
        }
    }

    fn text(&self, lang: Lang) -> String {
        let theirs = if self.notified > 0 { self.notified } else { self.handed };
        let types = list(lang, self.types.iter().copied(), 4);
        let types = if types.is_empty() { types } else { format!(" ({types})") };
        let mut text = match lang {
            Lang::Zh => format!("候选：目标 {theirs} 个{types}，fincert {} 个", self.own),
            Lang::En => format!("candidates: {theirs} of the target{types}, {} of fincert", self.own),
        };
        if !self.declined.is_empty() {
            let why: Vec<String> = self.declined.iter().map(|why| short(why, NAME)).collect();
            let why = list(lang, why.iter().map(String::as_str), 3);
            text.push_str(&match lang {
                Lang::Zh => format!("；fincert 未采用 {} 个：{why}", self.declined.len()),
                Lang::En => format!("; {} not taken by fincert: {why}", self.declined.len()),
            });
        }
        text
    }
}

/// The first peer goes without saying.
fn of_peer(peer: u32) -> String {
    if peer > 1 { format!(" (peer {peer})") } else { String::new() }
}

/// ICE, and what the whole connection adds to it: it is connected once DTLS is up, too.
fn peer_states(lang: Lang, ice: &[&str], connection: &[&str], up: Option<&Evidence>) -> String {
    let chain = |states: &[&str]| states.iter().map(|state| short(state, NAME)).collect::<Vec<_>>().join(" → ");
    let mut parts = Vec::new();
    if !ice.is_empty() {
        parts.push(format!("ICE {}", chain(ice)));
    }
    match connection {
        [] => {}
        [.., "connected"] => {
            let role = up.and_then(|evidence| evidence.dtls.as_ref());
            let role = role.map(|dtls| format!(" ({})", short(&dtls.role, NAME))).unwrap_or_default();
            parts.push(format!("{}{role}", say(lang, "DTLS 已通", "DTLS up")));
        }
        // Connecting is what ICE does.
        ["connecting"] if !ice.is_empty() => {}
        states => parts.push(format!("{} {}", say(lang, "连接", "connection"), chain(states))),
    }
    if let Some(pair) = up.and_then(|evidence| evidence.pair.as_ref()) {
        let glued = |candidate: &str| short(candidate, NAME).replace(' ', &GLUE.to_string());
        parts.push(format!("{} ↔ {}", glued(&pair.local), glued(&pair.remote)));
    }
    parts.join(say(lang, "，", ", "))
}

fn first_rtp(lang: Lang, streams: &[Stream<'_>]) -> String {
    let names: Vec<(String, u64)> = streams
        .iter()
        .take(4)
        .map(|stream| {
            let kind = stream.kind.map_or_else(|| say(lang, "未知类型", "unknown kind"), MediaKind::as_str);
            let codec = stream.codec.map(|codec| format!("{} ", short(codec, NAME))).unwrap_or_default();
            (format!("{kind} ({codec}{})", stream.payload_type), stream.at_us)
        })
        .collect();
    let said = say(lang, "首个 RTP：", "first RTP: ");
    let named: Vec<(&str, u64)> = names.iter().map(|(name, at)| (name.as_str(), *at)).collect();
    format!("{said}{}", at_moments(lang, &named))
}

/// Names, each with its moment but the first, whose moment the entry has.
fn at_moments(lang: Lang, named: &[(&str, u64)]) -> String {
    let told = named.iter().enumerate().map(|(index, (name, at))| match (index, lang) {
        (0, _) => (*name).to_owned(),
        (_, Lang::Zh) => format!("{name} 于 {} ms", at / 1_000),
        (_, Lang::En) => format!("{name} at {} ms", at / 1_000),
    });
    told.collect::<Vec<_>>().join(say(lang, "，", ", "))
}

fn counters(lang: Lang, evidence: &Evidence) -> String {
    let count = |kind: MediaKind, received: bool| -> u64 {
        match received {
            true => evidence.received.iter().filter(|s| s.kind == Some(kind)).map(|s| s.packets).sum(),
            false => evidence.sent.iter().filter(|s| s.kind == kind).map(|s| s.packets).sum(),
        }
    };
    let both = |received: bool| {
        format!("audio {}, video {}", count(MediaKind::Audio, received), count(MediaKind::Video, received))
    };
    let mut text = match lang {
        Lang::Zh => format!("包数：收 {}；发 {}", both(true), both(false)),
        Lang::En => format!("packets: received {}; sent {}", both(true), both(false)),
    };
    let unknown: u64 = evidence.received.iter().filter(|s| s.kind.is_none()).map(|s| s.packets).sum();
    for (number, zh, en) in [(unknown, "类型未知", "of unknown kind"), (evidence.malformed, "格式不符", "malformed")]
    {
        if number > 0 {
            text.push_str(&format!("{}{} {number}", say(lang, "；", "; "), say(lang, zh, en)));
        }
    }
    text
}
