//! Defects of the text of SDP (RFC 9429 section 5). The engine keeps its own description; what is told of it is wrong.

use fincert_schemas::format::sdp::Sdp;

use super::Defect;
use super::webrtc_edit::{NO_CALL, Of, concat, local_lines, local_sdp, same};
use crate::plan::Plan;
use crate::rtc::{Moment, sdp};

const NO_CALL_AND_TWO: usize = NO_CALL.len() + 2;
const NO_CALL_AND_THREE: usize = NO_CALL.len() + 3;

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
            let round = moment.past.locals + u32::from(moment.past.made.is_some());
            local_lines(moment, plan, Of::Both, |line| match line.strip_prefix("o=") {
                Some(origin) => {
                    let mut words: Vec<&str> = origin.split(' ').collect();
                    let id = format!("{}{round}", words.get(1).copied().unwrap_or_default());
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
    .also(NO_CALL),
    Defect::says(
        "offer-passive",
        ["offer 的 setup 为 passive，而非 actpass", "the setup of an offer is passive and not actpass"],
        &["webrtc.sdp.setup"],
        |moment, plan| setup(moment, plan, Of::Offers, "passive"),
    ),
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
    .also(&concat::<NO_CALL_AND_THREE>(
        NO_CALL,
        &["webrtc.sdp.bundle", "webrtc.candidate.agrees", "webrtc.sdp.answer-order"],
    )),
    Defect::says(
        "mids-change",
        ["重新协商时 mid 改变", "the mids change in a renegotiation"],
        &["webrtc.sdp.mids"],
        |moment, plan| {
            if moment.past.rounds == 0 {
                return plan;
            }
            local_lines(moment, plan, Of::Offers, |line| match line {
                _ if line.starts_with("a=mid:") => Some(format!("{line}x")),
                _ if line.starts_with("a=group:BUNDLE") => Some(line.replace(" 0", " 0x").replace(" 1", " 1x")),
                _ => same(line),
            })
        },
    )
    .also(RENEGOTIATION),
    Defect::says(
        "no-bundle",
        ["SDP 没有 BUNDLE 组", "the SDP has no BUNDLE group"],
        &["webrtc.sdp.bundle"],
        |moment, plan| local_lines(moment, plan, Of::Both, |line| without(line, "a=group:BUNDLE")),
    ),
    Defect::says(
        "no-rtcp-mux",
        ["m 行没有 rtcp-mux", "the m-lines have no rtcp-mux"],
        &["webrtc.sdp.rtcp-mux"],
        |moment, plan| local_lines(moment, plan, Of::Both, |line| without(line, "a=rtcp-mux")),
    ),
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
    .also(&concat::<NO_CALL_AND_TWO>(NO_CALL, &["webrtc.candidate.agrees", "webrtc.sdp.mids"])),
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
    Defect::says("no-opus", ["offer 没有 Opus", "an offer has no Opus"], &["webrtc.sdp.codecs"], |moment, plan| {
        local_lines(moment, plan, Of::Offers, |line| renamed(line, "opus/", "opus-x/"))
    })
    .also(NO_AUDIO),
    Defect::says(
        "no-video-codec",
        ["offer 没有 VP8 和 H.264", "an offer has neither VP8 nor H.264"],
        &["webrtc.sdp.codecs"],
        |moment, plan| {
            local_lines(moment, plan, Of::Offers, |line| {
                renamed(line, "VP8/", "VP8-x/").and_then(|line| renamed(&line, "H264/", "H264-x/"))
            })
        },
    )
    .also(NO_AUDIO),
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
            if moment.past.rounds == 0 {
                return plan;
            }
            local_lines(moment, plan, Of::Answers, |line| match line {
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

/// What cannot be heard or seen without a common codec.
const NO_AUDIO: &[&str] = &[
    "webrtc.call.audio-only",
    "webrtc.call.offerer-swap",
    "webrtc.call.receive-only",
    "webrtc.call.two-connections",
    "webrtc.call.video-only",
    "webrtc.media.received",
    "webrtc.media.sent",
    "webrtc.event.track",
    "webrtc.ice.relayed-media",
    "webrtc.ice.restart-keeps-media",
    "webrtc.renegotiation.target-adds-video",
    "webrtc.call.target-offers",
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
