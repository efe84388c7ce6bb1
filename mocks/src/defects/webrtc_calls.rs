//! Defects of calls: of what comes of ICE, DTLS and media between the two ends (3.2).

use fincert_peer::{Description, Faults, SdpKind};
use fincert_schemas::format::ice_candidate;
use fincert_schemas::format::sdp::Sdp;
use serde_json::{Value, json};

use super::Defect;
use super::webrtc_edit::{
    FINCERT_OFFERS, Of, TARGET_OFFERS, candidate_words, event, is_first, local_lines, local_sdp, property, same,
};
use crate::plan::{Action, Plan};
use crate::rtc::{Moment, Options, Task, sdp};

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "offers-never-connect",
        [
            "offer 中的 ice-pwd 有误，被测端发起时无法连接",
            "the ice-pwd of an offer is wrong: a call that the target offers never connects",
        ],
        &["webrtc.call.target-offers"],
        |moment, plan| password(moment, plan, Of::Offers),
    )
    .also(TARGET_OFFERS),
    Defect::says(
        "answers-never-connect",
        [
            "answer 中的 ice-pwd 有误，fincert 发起时无法连接",
            "the ice-pwd of an answer is wrong: a call that fincert offers never connects",
        ],
        &["webrtc.call.fincert-offers"],
        |moment, plan| password(moment, plan, Of::Answers),
    )
    .also(FINCERT_OFFERS),
    Defect::does(
        "trickled-candidates-useless",
        [
            "事件中的候选端口有误，且忽略收到的候选",
            "candidates of events point to a wrong port, and those that come are ignored",
        ],
        &["webrtc.call.candidates-by-event"],
        |_, task| match task {
            Task::AddCandidate(Some(_)) => Task::resolve_undefined(),
            other => other,
        },
    )
    .and_says(|moment, plan| {
        candidate_words(moment, plan, |words| {
            if let Some(port) = words.get_mut(5) {
                *port = "9".to_owned();
            }
        })
    })
    .also(&[
        "webrtc.call.audio-only",
        "webrtc.call.fincert-offers",
        "webrtc.call.glare",
        "webrtc.call.receive-only",
        "webrtc.call.target-offers",
        "webrtc.call.two-connections",
        "webrtc.call.video-only",
        "webrtc.candidate.duplicate",
        "webrtc.candidate.early",
        "webrtc.candidate.late",
        "webrtc.ice.ipv6",
        "webrtc.ice.relayed-media",
    ]),
    Defect::does(
        "candidates-in-descriptions-useless",
        [
            "描述中没有候选，且忽略对端描述中的候选",
            "descriptions have no candidates, and those in the other end's are ignored",
        ],
        &["webrtc.call.no-trickle"],
        |_, task| match task {
            Task::SetRemote(description) => Task::SetRemote(Description {
                sdp: sdp::lines(&description.sdp, |line| not(line, "a=candidate:")),
                ..description
            }),
            other => other,
        },
    )
    .and_says(|moment, plan| local_lines(moment, plan, Of::Both, |line| not(line, "a=candidate:"))),
    Defect::does(
        "audio-alone-silent",
        ["仅有音频时不发送媒体", "a call with audio alone sends nothing"],
        &["webrtc.call.audio-only"],
        |_, task| silent_with_one_kind(task, "audio"),
    )
    .also(&["webrtc.media.sent"]),
    Defect::does(
        "video-alone-silent",
        ["仅有视频时不发送媒体", "a call with video alone sends nothing"],
        &["webrtc.call.video-only"],
        |_, task| silent_with_one_kind(task, "video"),
    )
    .also(&["webrtc.media.sent"]),
    Defect::does(
        "receiving-alone-deaf",
        ["不添加 track 时不接收媒体", "without a track of its own it receives nothing"],
        &["webrtc.call.receive-only"],
        |moment, task| match task {
            Task::SetRemote(description) if moment.past.tracks == 0 && description.kind == SdpKind::Answer => {
                Task::SetRemote(Description {
                    sdp: sdp::lines(&description.sdp, |line| match line {
                        "a=sendonly" | "a=sendrecv" => same("a=inactive"),
                        _ => same(line),
                    }),
                    ..description
                })
            }
            other => other,
        },
    )
    .also(&["webrtc.event.track", "webrtc.media.received"]),
    Defect::does(
        "second-connection-silent",
        ["第二个连接不发送媒体", "a second connection sends nothing"],
        &["webrtc.call.two-connections"],
        |moment, task| match task {
            Task::AddTrack(handle, kind) if moment.others > 0 => Task::AddMuteTrack(handle, kind),
            other => other,
        },
    )
    .also(&["webrtc.media.sent"]),
    Defect::does(
        "ipv6-ignored",
        ["忽略 IPv6 候选", "candidates of IPv6 are ignored"],
        &["webrtc.ice.ipv6"],
        |_, task| match task {
            Task::AddCandidate(Some(candidate)) if is_ipv6(&candidate.candidate) => Task::resolve_undefined(),
            other => other,
        },
    )
    .and_says(|moment, plan| match plan.steps.first().map(|step| &step.action) {
        Some(Action::Event { event, .. }) if event["candidate"]["candidate"].as_str().is_some_and(is_ipv6) => {
            Plan::silent()
        }
        _ => local_lines(moment, plan, Of::Both, |line| {
            let gone = line.strip_prefix("a=").is_some_and(is_ipv6);
            (!gone).then(|| line.to_owned())
        }),
    })
    .also(&["webrtc.call.candidates-by-event", "webrtc.call.target-offers"]),
    Defect::does(
        "wrong-fingerprint-accepted",
        ["不核对对端证书的 fingerprint", "the fingerprint of the other end's certificate is not looked at"],
        &["webrtc.security.wrong-fingerprint"],
        |_, task| faulty(task, Faults { trusting: true, deaf: false }),
    ),
    Defect::does(
        "receives-nothing",
        ["不接收任何媒体", "no media is received"],
        &["webrtc.media.received"],
        |_, task| faulty(task, Faults { deaf: true, trusting: false }),
    )
    .also(&[
        "webrtc.call.audio-only",
        "webrtc.call.offerer-swap",
        "webrtc.call.receive-only",
        "webrtc.call.ten-renegotiations",
        "webrtc.call.two-connections",
        "webrtc.call.video-only",
        "webrtc.ice.relayed-media",
        "webrtc.ice.restart-keeps-media",
        "webrtc.renegotiation.fincert-adds-video",
    ]),
    Defect::says(
        "relay-candidate-with-wrong-credential",
        ["TURN 凭据错误仍得到中继候选", "with a wrong TURN credential there is a relay candidate"],
        &["webrtc.ice.wrong-turn-credential"],
        |moment, mut plan| {
            let end = plan.steps.iter().any(|step| match &step.action {
                Action::Event { event, .. } => event["candidate"] == json!({}),
                _ => false,
            });
            if moment.fires("icecandidate") && end && moment.past.candidates == 0 {
                let text = "candidate:7 1 udp 16777215 127.0.0.1 9 typ relay raddr 127.0.0.1 rport 9";
                let candidate = json!({"candidate": text, "sdpMid": "0", "sdpMLineIndex": 0, "address": "127.0.0.1",
                    "type": "relay"});
                let relay = event(moment, "icecandidate", json!({"candidate": candidate}));
                plan.steps.splice(0..0, Plan::only(relay).steps);
            }
            plan
        },
    ),
    Defect::says(
        "added-video-refused",
        ["fincert 中途加入的视频在 answer 中被拒绝", "video that fincert adds is rejected in the answer"],
        &["webrtc.renegotiation.fincert-adds-video"],
        |moment, plan| {
            let Some(before) = moment.past.last_local.as_deref().map(|text| Sdp::read(text).media.len()) else {
                return plan;
            };
            local_sdp(moment, plan, Of::Answers, |text| {
                let mut index = 0;
                sdp::each_section(text, |section| {
                    index += 1;
                    match index > before && section.starts_with("m=video ") {
                        true => section.replacen("m=video 9 ", "m=video 0 ", 1),
                        false => section.to_owned(),
                    }
                })
            })
        },
    ),
    Defect::says(
        "connects-without-telling",
        [
            "连接建立后各状态仍为 checking、connecting",
            "the states stay checking and connecting when the connection is up",
        ],
        &["webrtc.pc.conection-state", "webrtc.pc.ice-connection-state"],
        |moment, plan| {
            let hide = |state: &'static str| {
                move |value: &mut Value| {
                    if *value == "connected" || *value == "completed" {
                        *value = state.into();
                    }
                }
            };
            let plan = property(moment, plan, "iceConnectionState", hide("checking"));
            property(moment, plan, "conectionState", hide("connecting"))
        },
    )
    .also(&["webrtc.call.fincert-offers", "webrtc.call.target-offers"]),
];

/// The descriptions of the first exchange name a password that the engine does not have.
fn password(moment: &Moment<'_>, plan: Plan, of: Of) -> Plan {
    local_sdp(moment, plan, of, |text| {
        if moment.past.rounds > 0 && !is_first(moment, text) {
            return text.to_owned();
        }
        sdp::lines(text, |line| match line.strip_prefix("a=ice-pwd:") {
            Some(password) => Some(format!("a=ice-pwd:{}", password.chars().rev().collect::<String>())),
            None => same(line),
        })
    })
}

/// The connection is made with faults of the engine.
fn faulty(task: Task, faults: Faults) -> Task {
    match task {
        Task::Create(options) => Task::Create(Box::new(Options { faults, ..*options })),
        other => other,
    }
}

/// Whoever is in a call with that kind alone falls silent.
fn silent_with_one_kind(task: Task, kind: &str) -> Task {
    match &task {
        Task::SetLocal(description) if !description.sdp.is_empty() => {
            let all = Sdp::read(&description.sdp).media.iter().all(|section| section.kind() == kind);
            if all { Task::MuteAnd(Box::new(task)) } else { task }
        }
        _ => task,
    }
}

fn is_ipv6(candidate: &str) -> bool {
    ice_candidate::parse(candidate).is_ok_and(|candidate| candidate.ip().is_some_and(|ip| ip.is_ipv6()))
}

fn not(line: &str, beginning: &str) -> Option<String> {
    (!line.starts_with(beginning)).then(|| line.to_owned())
}
