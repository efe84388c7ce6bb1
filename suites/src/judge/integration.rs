//! Clause 1: calls are answered once, an absent SDK is silent, a custom API can be called.

use fincert_schemas::Bilingual;
use fincert_schemas::bridge::{CallbackKind, Integration};
use fincert_schemas::run::{Ended, Outcome, Reason, What};

use super::{Broken, Call, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "answered",
        about: "Every call of an integrated or custom API is answered, under its documented name, whatever the request.",
        requirements: &[
            "integration.answers",
            "integration.invalid-request-answered",
            "integration.custom-callable",
            "ocr.api-name",
            "face.api-name",
            "liveness.api-name",
            "open-app.api-name",
            "witness-video.api-name",
        ],
        run: answered,
    },
    Check {
        id: "answered-once",
        about: "No call is settled twice, not even late.",
        requirements: &["integration.answers-once"],
        run: answered_once,
    },
    Check {
        id: "absent-is-silent",
        about: "With an absent SDK a call gets no response, and the mini program goes on working.",
        requirements: &["integration.absent-silent", "integration.absent-program-goes-on"],
        run: absent,
    },
];

fn answered(view: &View<'_>, sink: &mut Sink<'_>) {
    if view.hello.integration == Integration::Absent {
        return;
    }
    let broken = view.broken_call().map(|(call, reason)| (call.id, reason));
    for (call, api) in view.documented() {
        let acceptable = view.is_ordinary(call);
        let requirement = if acceptable { "integration.answers" } else { "integration.invalid-request-answered" };
        if call.was_answered() {
            sink.holds(requirement);
            sink.holds(&call.requirement("api-name").unwrap_or_default());
            sink.holds("integration.custom-callable");
        } else if let Some((code, message)) = call.refused {
            // What a method of section 3 that cannot be called breaks, its own checks say.
            if call.api.is_some() {
                refused(view, sink, call, api, code, message);
            }
        } else if let Some((_, reason)) = broken.filter(|(id, _)| *id == call.id) {
            broke_off(view, sink, call, requirement, acceptable, reason);
        } else if let Some((deadline, _)) = call.no_response {
            silent(sink, call, requirement, deadline);
        }
    }
    // A scenario that broke off between calls: if the last request was a hostile one, the target went down under
    // it; else it could not be judged, and must not pass for lack of evidence.
    if let (Ended::Broken { reason, detail }, None) = (&view.transcript.ended, &broken) {
        let last = view.documented().last().map(|(call, _)| call);
        if let Some(call) = last.filter(|call| !view.is_ordinary(call)) {
            return broke_off(view, sink, call, "integration.invalid-request-answered", false, *reason);
        }
        let actual = format!("{reason}: {detail}");
        let broken = Broken { cause: format!("target:{reason}"), actual, ..Broken::default() };
        sink.undecided("integration.answers", 0, Outcome::CouldNotRun, *reason, broken);
    }
}

fn refused(view: &View<'_>, sink: &mut Sink<'_>, call: &Call<'_>, api: &str, code: i64, message: &str) {
    let broken = Broken {
        cause: format!("refused-by-bridge:{api}"),
        expected: Some(Bilingual::new(
            format!("以 ft.{api} 为名的接口可以调用"),
            format!("an API that can be called as ft.{api}"),
        )),
        actual: format!("JSON-RPC error {code}: {message}"),
        hint: Some(Bilingual::new(
            "桥只应拒绝它不认识的方法；接口自身的失败用 -32000 返回。",
            "The bridge refuses only methods it does not know; a failure of the API itself is error -32000.",
        )),
        ..Broken::default()
    };
    sink.breaks(&call.requirement("api-name").unwrap_or_default(), call.step, broken.clone());
    if view.hello.integration == Integration::Custom {
        sink.breaks("integration.custom-callable", call.step, broken);
    }
}

fn broke_off(
    view: &View<'_>,
    sink: &mut Sink<'_>,
    call: &Call<'_>,
    requirement: &str,
    acceptable: bool,
    reason: Reason,
) {
    let detail = match &view.transcript.ended {
        Ended::Broken { detail, .. } => detail.as_str(),
        _ => "",
    };
    let broken = Broken {
        cause: format!("target:{reason}"),
        actual: format!("{reason}: {detail}"),
        hint: Some(reason.advice()),
        ..Broken::default()
    };
    // That a hostile request brings the target down is what the requirement forbids; a target that goes down
    // under a valid one could not be judged at all.
    if !acceptable && matches!(reason, Reason::TargetExited | Reason::TargetHung) {
        sink.breaks(requirement, call.step, broken);
    } else {
        sink.undecided(requirement, call.step, Outcome::CouldNotRun, reason, broken);
    }
}

fn silent(sink: &mut Sink<'_>, call: &Call<'_>, requirement: &str, deadline: u64) {
    let api = call.documented_name().unwrap_or_default();
    if let Some(reason) = call.bad_frame {
        let broken = Broken {
            cause: format!("bridge:{reason}"),
            actual: format!("{reason}, and no usable answer within {deadline} ms"),
            hint: Some(reason.advice()),
            ..Broken::default()
        };
        sink.undecided(requirement, call.step, Outcome::CouldNotRun, reason, broken);
    } else if !call.answers.is_empty() {
        let broken = Broken {
            cause: format!("late-answer:{api}"),
            actual: format!("an answer after the deadline of {deadline} ms"),
            hint: Some(Reason::LateAnswer.advice()),
            ..Broken::default()
        };
        sink.undecided(requirement, call.step, Outcome::Inconclusive, Reason::LateAnswer, broken);
    } else {
        let invalid = if requirement == "integration.answers" { "" } else { ":invalid-request" };
        let broken = Broken {
            cause: format!("no-response:{api}{invalid}"),
            expected: Some(Bilingual::new("得到应答(success 或 fail)", "an answer, by success or by fail")),
            actual: format!("no response within {deadline} ms, while the bridge answered a ping"),
            hint: Some(Bilingual::new(
                "每条代码路径都要回调 success 或 fail，包括出错的路径。",
                "Every path of the code calls back success or fail, error paths included.",
            )),
            ..Broken::default()
        };
        sink.breaks(requirement, call.step, broken);
    }
}

fn answered_once(view: &View<'_>, sink: &mut Sink<'_>) {
    for (call, api) in view.documented() {
        if call.answers.is_empty() {
            continue;
        }
        let again: Vec<&str> = call
            .answers
            .iter()
            .skip(1)
            .map(|answer| answer.via.as_str())
            .chain(call.callbacks.iter().filter_map(|callback| match callback.kind {
                CallbackKind::Success => Some("success"),
                CallbackKind::Fail => Some("fail"),
                CallbackKind::Cancel => Some("cancel"),
                CallbackKind::Complete => None,
            }))
            .collect();
        if again.is_empty() {
            sink.holds("integration.answers-once");
        } else {
            let first = call.answers[0].via.as_str();
            sink.breaks(
                "integration.answers-once",
                call.step,
                Broken {
                    cause: format!("settled-twice:{api}"),
                    expected: Some(Bilingual::new("只应答一次", "one settlement")),
                    actual: format!("{first}, then {}", again.join(", ")),
                    ..Broken::default()
                },
            );
        }
    }
}

fn absent(view: &View<'_>, sink: &mut Sink<'_>) {
    if view.hello.integration != Integration::Absent {
        return;
    }
    // Silence counts only where the bridge answered before as well.
    let alive_before = view.transcript.events.iter().find_map(|event| match event.what {
        What::Ping { alive } => Some(alive),
        _ => None,
    });
    for (call, api) in view.documented() {
        let answered = call.answers.first().map(|answer| answer.via.as_str().to_owned());
        let refused = call.refused.map(|(code, _)| format!("JSON-RPC error {code}"));
        let called_back =
            call.callbacks.first().map(|callback| format!("the callback {:?}", callback.kind).to_lowercase());
        if let Some(actual) = answered.or(refused).or(called_back) {
            sink.breaks(
                "integration.absent-silent",
                call.step,
                Broken {
                    cause: format!("absent-answers:{api}"),
                    expected: Some(Bilingual::new("无响应", "no response")),
                    actual,
                    hint: Some(Bilingual::new(
                        "若接口其实可用，请声明 integrated 或 custom。",
                        "If the API does work, declare integrated or custom.",
                    )),
                    ..Broken::default()
                },
            );
        } else if let Some(fault) = view.transcript.events.iter().find_map(|event| match event.what {
            What::BadFrame { fault, .. } => Some(fault),
            _ => None,
        }) {
            // Something came that could not be read; it may have been a response.
            let broken = Broken {
                cause: format!("bridge:{fault}"),
                actual: format!("{fault}, which may have been a response"),
                ..Broken::default()
            };
            sink.undecided("integration.absent-silent", call.step, Outcome::Inconclusive, fault, broken);
        } else if alive_before == Some(true) && call.no_response.is_some_and(|(_, alive)| alive) {
            sink.holds("integration.absent-silent");
        }
    }
    if view.documented().next().is_none() {
        return;
    }
    let last_ping = view.transcript.events.iter().rev().find_map(|event| match event.what {
        What::Ping { alive } => Some(alive),
        _ => None,
    });
    let gone = match &view.transcript.ended {
        Ended::Broken { reason, .. } => Some(reason.code()),
        _ => None,
    };
    match (last_ping, gone) {
        (Some(true), None) => sink.holds("integration.absent-program-goes-on"),
        (_, gone) => sink.breaks(
            "integration.absent-program-goes-on",
            0,
            Broken {
                cause: "absent-hangs".to_owned(),
                expected: Some(Bilingual::new("调用之后桥仍应答 ping", "a bridge that answers a ping after the call")),
                actual: gone.unwrap_or("no answer to bridge.ping").to_owned(),
                ..Broken::default()
            },
        ),
    }
}
