//! The words of a flow in both languages: acts, what is awaited, and where.

use fincert_schemas::Lang;
use fincert_schemas::run::flow::{Act, Await, End};

use crate::text::clip;
use crate::times::Unmet;
use crate::words::{say, some_of};

/// How many characters of a name are shown.
pub(super) const NAME: usize = 40;
/// How many characters of a sentence are shown.
pub(super) const SENTENCE: usize = 160;

/// An act.
pub(super) fn act(lang: Lang, act: Act) -> &'static str {
    let (zh, en) = match act {
        Act::Media => ("媒体", "media"),
        Act::TargetAddsVideo => ("目标加入视频", "the target adds video"),
        Act::FincertAddsVideo => ("fincert 加入视频", "fincert adds video"),
        Act::TargetRenegotiates => ("目标重新协商", "the target negotiates again"),
        Act::FincertRenegotiates => ("fincert 重新协商", "fincert negotiates again"),
        Act::TenRenegotiations => ("十次重新协商", "ten renegotiations"),
        Act::TargetRestartsIce => ("目标重启 ICE", "the target restarts ICE"),
        Act::FincertRestartsIce => ("fincert 重启 ICE", "fincert restarts ICE"),
        Act::TargetStopsTracks => ("目标停止轨道", "the target stops its tracks"),
        Act::TargetCloses => ("目标关闭", "the target closes"),
        Act::FincertCloses => ("fincert 关闭", "fincert closes"),
        Act::FincertVanishes => ("fincert 无声消失", "fincert falls silent"),
    };
    say(lang, zh, en)
}

/// What was awaited.
pub(super) fn awaited(lang: Lang, what: Await, of: &str) -> String {
    let zh = lang == Lang::Zh;
    match what {
        Await::TargetConnected => say(lang, "目标进入 connected 状态", "the target to say connected").to_owned(),
        Await::PeerConnected => say(lang, "ICE 与 DTLS 连通", "ICE and DTLS to come up").to_owned(),
        Await::Rtp if zh => format!("{of} 的 RTP"),
        Await::Rtp => format!("RTP of {of}"),
        Await::ReceiverReport if zh => format!("{of} 的接收端报告"),
        Await::ReceiverReport => format!("a receiver report on {of}"),
        Await::Event if zh => format!("事件 {of}"),
        Await::Event => format!("the event {of}"),
        Await::Property if zh => format!("属性 {of}"),
        Await::Property => of.to_owned(),
        Await::Gathered => say(lang, "候选收集结束", "the end of gathering").to_owned(),
        Await::RelayCandidate => say(lang, "relay 候选", "a relay candidate").to_owned(),
        Await::TargetDisconnected => {
            say(lang, "iceConnectionState 变为 disconnected 或 failed", "iceConnectionState disconnected or failed")
                .to_owned()
        }
        Await::TargetFailed => say(lang, "iceConnectionState 变为 failed", "iceConnectionState failed").to_owned(),
        Await::Silence if zh => format!("{of} 的 RTP 停止"),
        Await::Silence => format!("the end of RTP of {of}"),
        Await::PeerDisconnected => say(lang, "连接断开", "the end of the connection").to_owned(),
        Await::Answer if zh => format!("{of} 的应答"),
        Await::Answer => format!("the answer to {of}"),
    }
}

/// A wait in vain: which end, which step, what, how long, and what did happen.
pub(super) fn unmet(lang: Lang, wait: &Unmet<'_>, from_ms: u64) -> String {
    let what = awaited(lang, wait.what, &short(wait.of, NAME));
    let (end, instead, waited_ms) = (wait.end, short(wait.instead, SENTENCE), wait.waited_ms);
    match lang {
        Lang::Zh => {
            let step = wait.act.map_or("建立通话", |step| act(lang, step));
            let end = if end == End::Target { "目标端" } else { " fincert 端" };
            let instead = if instead.is_empty() { instead } else { format!("；实际：{instead}") };
            format!("{step}：自 {from_ms} ms 起在{end}等了 {waited_ms} ms，未等到：{what}{instead}")
        }
        Lang::En => {
            let step = wait.act.map_or("setting up the call", |step| act(lang, step));
            let end = if end == End::Target { "the target" } else { "fincert's end" };
            let instead = if instead.is_empty() { instead } else { format!("; instead: {instead}") };
            format!("{step}: waited {waited_ms} ms, from {from_ms} ms on, at {end} for {what}{instead}")
        }
    }
}

/// The beginning of a text of the target's.
pub(super) fn short(text: &str, limit: usize) -> String {
    match clip(text, limit) {
        (text, None) => text.to_owned(),
        (head, Some(_)) => format!("{head}…"),
    }
}

/// Names, so many at the most, each once.
pub(super) fn list<'a>(lang: Lang, names: impl IntoIterator<Item = &'a str>, limit: usize) -> String {
    let mut once: Vec<&str> = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    some_of(lang, once, limit)
}
