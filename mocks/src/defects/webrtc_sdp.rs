//! Defects of the text of SDP (RFC 9429 section 5). The engine keeps its own description; what is told of it is wrong.

use fincert_schemas::format::sdp::Sdp;

use super::Defect;
use super::webrtc_edit::{NO_CALL, Of, concat, is_first, local_lines, local_sdp, same};
use crate::plan::Plan;
use crate::rtc::{Moment, sdp};

/// What does not go on where a later answer is refused.
const ANSWERED: &[&str] = &[
    "webrtc.call.offerer-swap",
    "webrtc.call.ten-renegotiations",
    "webrtc.ice.restart-keeps-media",
    "webrtc.renegotiation.fincert-adds-video",
];

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "sdp-lf",
        ["SDP 各行仅以 LF 结尾", "the lines of the SDP end with LF alone"],
        &["webrtc.sdp.form"],
        |moment, plan| local_sdp(moment, plan, Of::Both, |sdp| sdp.replace("\r\n", "\n")),
    ),
    Defect::says(
        "sdp-order",
        ["SDP 中 c 行位于 a 行之后", "a c-line of the SDP stands behind its a-lines"],
        &["webrtc.sdp.form"],
        |moment, plan| {
            local_sdp(moment, plan, Of::Both, |text| {
                sdp::each_section(text, |section| {
                    let mut connection = String::new();
                    let rest = sdp::lines(section, |line| match line.starts_with("c=") {
                        true => {
                            connection = format!("{line}\r\n");
                            None
                        }
                        false => same(line),
                    });
                    rest + &connection
                })
            })
        },
    ),
    Defect::says(
        "origin-version-frozen",
        ["多次协商中 o 行的版本号不变", "the version of the o-line stays the same"],
        &["webrtc.sdp.origin"],
        |moment, plan| {
            let first = moment.past.first_local.as_deref().and_then(origin_line);
            local_lines(moment, plan, Of::Both, |line| match first {
                Some(first) if line.starts_with("o=") => same(first),
                _ => same(line),
            })
        },
    ),
    Defect::says(
        "origin-session-changes",
        ["每次协商 o 行的会话标识都不同", "the session id of the o-line changes each time"],
        &["webrtc.sdp.origin"],
        |moment, plan| {
            local_lines(moment, plan, Of::Both, |line| match line.strip_prefix("o=") {
                Some(origin) => {
                    let mut words: Vec<&str> = origin.split(' ').collect();
                    let digits = |at: usize| words.get(at).copied().unwrap_or_default();
                    let (kept, last) = (&digits(1)[..digits(1).len().saturating_sub(1)], digits(2));
                    let id = format!("{kept}{}", &last[last.len().saturating_sub(1)..]);
                    if let Some(word) = words.get_mut(1) {
                        *word = &id;
                    }
                    Some(format!("o={}", words.join(" ")))
                }
                None => same(line),
            })
        },
    ),
    Defect::says(
        "sdp-plain-rtp",
        ["m 行的协议为 RTP/SAVPF", "the protocol of the m-lines is RTP/SAVPF"],
        &["webrtc.sdp.profile"],
        |moment, plan| local_lines(moment, plan, Of::Both, |line| Some(line.replace("UDP/TLS/RTP/SAVPF", "RTP/SAVPF"))),
    ),
    Defect::says(
        "answer-actpass",
        ["answer 的 setup 为 actpass", "the setup of an answer is actpass"],
        &["webrtc.sdp.setup"],
        |moment, plan| setup(moment, plan, Of::Answers, "actpass"),
    )
    .also(&concat::<{ NO_CALL.len() + ANSWERED.len() }>(NO_CALL, ANSWERED)),
    Defect::says(
        "offer-passive",
        ["offer 的 setup 为 passive，而非 actpass", "the setup of an offer is passive and not actpass"],
        &["webrtc.sdp.setup"],
        |moment, plan| setup(moment, plan, Of::Offers, "passive"),
    )
    .also(&["webrtc.dtls.roles-kept"]),
    Defect::says(
        "fingerprint-sha1",
        ["fingerprint 为 SHA-1", "the fingerprint is one of SHA-1"],
        &["webrtc.sdp.fingerprint"],
        |moment, plan| {
            local_lines(moment, plan, Of::Both, |line| match line.strip_prefix("a=fingerprint:sha-256 ") {
                Some(digest) => Some(format!("a=fingerprint:sha-1 {}", &digest[..digest.len().min(59)])),
                None => same(line),
            })
        },
    )
    .also(NO_CALL),
    Defect::says(
        "mids-alike",
        ["各 m 行的 mid 相同", "all m-lines have the same mid"],
        &["webrtc.sdp.mids"],
        |moment, plan| {
            local_lines(moment, plan, Of::Both, |line| match line {
                _ if line.starts_with("a=mid:") => same("a=mid:0"),
                _ if line.starts_with("a=group:BUNDLE") => same("a=group:BUNDLE 0"),
                _ => same(line),
            })
        },
    )
    .also(&concat::<{ NO_CALL.len() + 5 }>(
        NO_CALL,
        &[
            "webrtc.candidate.agrees",
            "webrtc.renegotiation.fincert-adds-video",
            "webrtc.renegotiation.target-adds-video",
            "webrtc.sdp.answer-order",
            "webrtc.sdp.bundle",
        ],
    )),
    Defect::says(
        "mids-change",
        ["重新协商时 mid 改变", "the mids change in a renegotiation"],
        &["webrtc.sdp.mids"],
        |moment, plan| {
            later(moment, plan, Of::Offers, |line| match line.strip_prefix("a=group:BUNDLE ") {
                Some(mids) => Some(format!("a=group:BUNDLE {}x", mids.replace(' ', "x "))),
                None if line.starts_with("a=mid:") => Some(format!("{line}x")),
                None => same(line),
            })
        },
    )
    .also(RENEGOTIATION),
    Defect::says(
        "no-bundle",
        ["仅接收音频的 offer 没有 BUNDLE 组", "an offer to receive audio alone has no BUNDLE group"],
        &["webrtc.sdp.bundle"],
        |moment, plan| alone(moment, plan, "offerToReceiveAudio", |line| without(line, "a=group:BUNDLE")),
    ),
    Defect::says(
        "no-rtcp-mux",
        ["m 行没有 rtcp-mux", "the m-lines have no rtcp-mux"],
        &["webrtc.sdp.rtcp-mux"],
        |moment, plan| local_lines(moment, plan, Of::Both, |line| without(line, "a=rtcp-mux")),
    )
    .also(NO_CALL),
    Defect::says(
        "answer-swapped",
        ["answer 的 m 行顺序与 offer 不同", "the m-lines of the answer are in another order"],
        &["webrtc.sdp.answer-order"],
        |moment, plan| {
            local_sdp(moment, plan, Of::Answers, |text| {
                let mut sections = sdp::sections(text);
                sections.reverse();
                let mut swapped = sections.into_iter();
                sdp::each_section(text, |section| swapped.next().unwrap_or(section).to_owned())
            })
        },
    )
    .also(&concat::<{ NO_CALL.len() + ANSWERED.len() + 3 }>(
        &concat::<{ NO_CALL.len() + ANSWERED.len() }>(NO_CALL, ANSWERED),
        &["webrtc.candidate.agrees", "webrtc.sdp.mids", "webrtc.sdp.unsupported-rejected"],
    )),
    Defect::says(
        "no-msid",
        ["addTrack 之后 m 行没有 msid", "after addTrack the m-line has no msid"],
        &["webrtc.sdp.msid"],
        |moment, plan| {
            local_lines(moment, plan, Of::Both, |line| match line.starts_with("a=ssrc:") && line.contains(" msid:") {
                true => None,
                false => without(line, "a=msid:"),
            })
        },
    ),
    Defect::says(
        "no-opus",
        ["仅接收音频的 offer 没有 Opus", "an offer to receive audio alone has no Opus"],
        &["webrtc.sdp.codecs"],
        |moment, plan| alone(moment, plan, "offerToReceiveAudio", |line| renamed(line, "opus/", "opus-x/")),
    ),
    Defect::says(
        "no-video-codec",
        ["仅接收视频的 offer 没有 VP8 和 H.264", "an offer to receive video alone has neither VP8 nor H.264"],
        &["webrtc.sdp.codecs"],
        |moment, plan| {
            alone(moment, plan, "offerToReceiveVideo", |line| {
                renamed(line, "VP8/", "VP8-x/").and_then(|line| renamed(&line, "H264/", "H264-x/"))
            })
        },
    ),
    Defect::says(
        "ice-ufrag-short",
        [
            "仅接收音频的 offer 的 ice-ufrag 只有 3 个字符",
            "the ice-ufrag of an offer to receive audio alone has 3 characters",
        ],
        &["webrtc.sdp.ice-credentials"],
        |moment, plan| alone(moment, plan, "offerToReceiveAudio", |line| shortened(line, "a=ice-ufrag:", 3)),
    ),
    Defect::says(
        "ice-pwd-short",
        [
            "仅接收视频的 offer 的 ice-pwd 只有 21 个字符",
            "the ice-pwd of an offer to receive video alone has 21 characters",
        ],
        &["webrtc.sdp.ice-credentials"],
        |moment, plan| alone(moment, plan, "offerToReceiveVideo", |line| shortened(line, "a=ice-pwd:", 21)),
    ),
    Defect::says(
        "unsupported-codec-accepted",
        ["answer 接受不支持的编解码器", "an answer accepts a codec that is not supported"],
        &["webrtc.sdp.unsupported-rejected"],
        |moment, plan| {
            local_sdp(moment, plan, Of::Answers, |text| {
                sdp::each_section(text, |section| match section.split_once(" 0 ") {
                    Some((medium, rest))
                        if Sdp::read(section).media.first().is_some_and(|section| section.is_rejected()) =>
                    {
                        format!("{medium} 9 {rest}")
                    }
                    _ => section.to_owned(),
                })
            })
        },
    )
    .also(&[
        "webrtc.sdp.bundle",
        "webrtc.sdp.fingerprint",
        "webrtc.sdp.ice-credentials",
        "webrtc.sdp.rtcp-mux",
        "webrtc.sdp.setup",
    ]),
    Defect::says(
        "dtls-roles-swapped",
        ["重新协商时 DTLS 角色对调", "a renegotiation swaps the DTLS roles"],
        &["webrtc.dtls.roles-kept"],
        |moment, plan| {
            later(moment, plan, Of::Answers, |line| match line {
                "a=setup:active" => same("a=setup:passive"),
                "a=setup:passive" => same("a=setup:active"),
                _ => same(line),
            })
        },
    )
    .also(RENEGOTIATION),
    Defect::says(
        "restart-answered-with-old-credentials",
        [
            "fincert 重启 ICE 时 answer 仍用旧的用户名片段和密码",
            "a restart of fincert's is answered with the old credentials",
        ],
        &["webrtc.ice.restart-answered"],
        |moment, plan| {
            let Some(before) = &moment.past.last_local else { return plan };
            let line_of =
                |name: &str| before.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
            let (ufrag, pwd) = (line_of("a=ice-ufrag:"), line_of("a=ice-pwd:"));
            local_lines(moment, plan, Of::Answers, |line| match line {
                _ if line.starts_with("a=ice-ufrag:") => Some(ufrag.clone()),
                _ if line.starts_with("a=ice-pwd:") => Some(pwd.clone()),
                _ => same(line),
            })
        },
    )
    .also(&["webrtc.ice.restart-keeps-media"]),
];

/// What a renegotiation cannot bring where the other end refuses it.
const RENEGOTIATION: &[&str] = &[
    "webrtc.call.offerer-swap",
    "webrtc.call.ten-renegotiations",
    "webrtc.candidate.agrees",
    "webrtc.ice.restart-keeps-media",
    "webrtc.renegotiation.fincert-adds-video",
    "webrtc.renegotiation.target-adds-video",
    "webrtc.event.track.added-later",
];

fn without(line: &str, beginning: &str) -> Option<String> {
    (!line.starts_with(beginning)).then(|| line.to_owned())
}

fn origin_line(text: &str) -> Option<&str> {
    text.lines().find(|line| line.starts_with("o="))
}

fn setup(moment: &Moment<'_>, plan: Plan, of: Of, role: &str) -> Plan {
    local_lines(moment, plan, of, |line| match line.starts_with("a=setup:") {
        true => Some(format!("a=setup:{role}")),
        false => same(line),
    })
}

fn renamed(line: &str, from: &str, to: &str) -> Option<String> {
    Some(if line.starts_with("a=rtpmap:") { line.replace(from, to) } else { line.to_owned() })
}

fn shortened(line: &str, beginning: &str, length: usize) -> Option<String> {
    Some(match line.strip_prefix(beginning) {
        Some(value) => format!("{beginning}{}", &value[..value.len().min(length)]),
        None => line.to_owned(),
    })
}

/// The lines of descriptions after the first.
fn later(moment: &Moment<'_>, plan: Plan, of: Of, change: impl FnMut(&str) -> Option<String>) -> Plan {
    local_sdp(moment, plan, of, |text| match is_first(moment, text) {
        true => text.to_owned(),
        false => sdp::lines(text, change),
    })
}

/// The lines of an offer that asks to receive that kind and no other, from a connection that sends nothing. Such an
/// offer comes into no call, so nothing else can break.
fn alone(moment: &Moment<'_>, plan: Plan, option: &str, change: impl FnMut(&str) -> Option<String>) -> Plan {
    let asked = |name: &str| moment.field(name).is_some_and(|value| *value == true);
    let both = asked("offerToReceiveAudio") && asked("offerToReceiveVideo");
    match moment.calls("createOffer") && asked(option) && !both && moment.past.tracks == 0 {
        true => local_lines(moment, plan, Of::Offers, change),
        false => plan,
    }
}
