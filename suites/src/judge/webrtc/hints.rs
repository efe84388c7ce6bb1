//! What may help a vendor whose call does not come up: what the transcript shows of the likely reason.

use fincert_schemas::Bilingual;
use fincert_schemas::format::sdp::Sdp;
use fincert_schemas::run::flow::{Await, Candidates, End};

use super::line::Line;
use super::view::Awaited;

/// Why two ends that have both descriptions may not have connected. The first that fits is told.
pub(super) fn not_connected(line: &Line<'_, '_>, awaited: &Awaited<'_>) -> Option<Bilingual> {
    if awaited.what == Await::TargetConnected {
        return Some(Bilingual::new(
            "fincert 一端已经连接，而被测端报告连接失败：请检查被测端的 DTLS。",
            "fincert's end is connected, and the target says that the connection failed: look at its DTLS.",
        ));
    }
    let ice_is_up = line.peer.ice.iter().any(|state| matches!(state.what, "connected" | "completed"));
    if ice_is_up {
        return Some(dtls(line));
    }
    no_candidates(line).or_else(|| untaken(line)).or_else(|| unaccepted(line))
}

fn dtls(line: &Line<'_, '_>) -> Bilingual {
    let setup = line.exchanges.last().and_then(|exchange| exchange.of_target).and_then(|described| {
        let sdp = Sdp::read(described.sdp);
        let value = sdp.media.first().and_then(|section| sdp.inherited(section, "setup"))?;
        Some((described.kind, value))
    });
    match setup {
        Some(("answer", value)) if !matches!(value, "active" | "passive") => Bilingual::new(
            format!("ICE 已连接，DTLS 未完成：answer 中 a=setup 为 {value}，应为 active 或 passive。"),
            format!(
                "ICE is connected and DTLS is not: the answer's a=setup is {value}; it should be active or passive."
            ),
        ),
        _ => Bilingual::new(
            "ICE 已连接，DTLS 未完成：请核对 SDP 中的 a=fingerprint 与所用证书，以及 a=setup 所定的角色。",
            "ICE is connected and DTLS is not: compare a=fingerprint with the certificate in use, and the role with a=setup.",
        ),
    }
}

fn no_candidates(line: &Line<'_, '_>) -> Option<Bilingual> {
    let by_event = line.peer.candidates.iter().any(|handed| !handed.local);
    let in_description = line.peer.of_target().any(|described| described.sdp.contains("a=candidate:"));
    if by_event || in_description {
        return None;
    }
    Some(match line.rtc.with.candidates {
        Candidates::InDescription => Bilingual::new(
            "被测端收集结束后的 localDescription 中没有 a=candidate。",
            "The target's localDescription has no a=candidate after gathering.",
        ),
        _ => Bilingual::new(
            "没有收到被测端的候选：icecandidate 事件没有带来可用的 candidate。",
            "No candidate of the target came: no icecandidate event brought one that can be used.",
        ),
    })
}

/// Whether fincert itself could use none of the target's candidates: it takes none with a host name, over TCP, or at an
/// address that the operator does not allow. Then nothing is known of the target.
pub(super) fn by_policy(line: &Line<'_, '_>) -> bool {
    refusals(line).is_some_and(|reasons| {
        let ours = |why: &&str| ["blocked", "host-name", "tcp"].iter().any(|word| why.starts_with(word));
        reasons.iter().all(ours) && reasons.iter().any(|why| !why.starts_with("tcp"))
    })
}

/// Why the target's candidates were not taken, where none was.
fn refusals<'a>(line: &Line<'_, 'a>) -> Option<Vec<&'a str>> {
    let mut theirs = line.peer.candidates.iter().filter(|handed| !handed.local).peekable();
    theirs.peek()?;
    theirs.map(|handed| handed.refused).collect()
}

fn untaken(line: &Line<'_, '_>) -> Option<Bilingual> {
    let reasons = refusals(line)?;
    let first = reasons.first()?;
    Some(Bilingual::new(
        format!("被测端的候选全部未被采用：{first}。局域网地址可用 --allow-network 放行；请关闭 mDNS 主机名。"),
        format!(
            "None of the target's candidates could be taken: {first}. Allow a network with --allow-network; switch off mDNS host names."
        ),
    ))
}

fn unaccepted(line: &Line<'_, '_>) -> Option<Bilingual> {
    let mut handed = line.pc.calls_of("addIceCandidate").filter(|call| call.purpose.is_none()).peekable();
    if handed.peek().is_none() {
        let offers = line.offerer() == Some(End::Target);
        return (line.rtc.with.candidates != Candidates::InDescription && !offers)
            .then(|| Bilingual::new("没有向被测端交付任何候选。", "No candidate was handed to the target."));
    }
    let refused = handed.find(|call| !call.succeeded())?;
    Some(Bilingual::new(
        format!("addIceCandidate 没有接受 fincert 的候选：{}。", refused.outcome()),
        format!("addIceCandidate did not take fincert's candidate: {}.", refused.outcome()),
    ))
}
