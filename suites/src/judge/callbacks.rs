//! The callbacks that a mini-program developer expects (rulings, "all"): one of success and fail, then
//! complete once; `errMsg` in its three forms.

use fincert_schemas::Bilingual;
use fincert_schemas::bridge::{CallbackKind, Via};
use fincert_schemas::run::Fact;

use super::{Broken, Call, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "callbacks",
        about: "Exactly one of success and fail, then complete once.",
        requirements: &["callbacks.one-of-success-and-fail", "callbacks.complete-once", "callbacks.complete-last"],
        run: order,
    },
    Check {
        id: "err-msg",
        about: "errMsg is name:ok, name:fail … or name:cancel.",
        requirements: &["callbacks.err-msg-ok", "callbacks.err-msg-fail", "callbacks.err-msg-cancel"],
        run: err_msg,
    },
];

fn order(view: &View<'_>, sink: &mut Sink<'_>) {
    for (call, api) in view.api_calls().filter(|(call, _)| call.was_answered()) {
        exclusive(sink, call, api);
        let completes: Vec<_> =
            call.callbacks.iter().filter(|callback| callback.kind == CallbackKind::Complete).collect();
        if completes.len() == 1 {
            sink.holds("callbacks.complete-once");
        } else {
            let times = completes.len();
            let broken = Broken {
                cause: format!("complete-{}:{api}", if times == 0 { "missing" } else { "twice" }),
                expected: Some(Bilingual::new("complete 恰好一次", "complete exactly once")),
                actual: format!("complete {times} times"),
                ..Broken::default()
            };
            sink.breaks("callbacks.complete-once", call.step, broken);
        }
        if completes.is_empty() {
            continue;
        }
        let last = completes.iter().all(|complete| !complete.before_answer && complete.seq > 0)
            && call.callbacks.last().is_some_and(|callback| callback.kind == CallbackKind::Complete);
        if last {
            sink.holds("callbacks.complete-last");
        } else {
            let broken = Broken {
                cause: format!("complete-not-last:{api}"),
                expected: Some(Bilingual::new("complete 在 success 或 fail 之后", "complete after success or fail")),
                actual: "complete before the last of them".to_owned(),
                ..Broken::default()
            };
            sink.breaks("callbacks.complete-last", call.step, broken);
        }
    }
}

fn exclusive(sink: &mut Sink<'_>, call: &Call<'_>, api: &str) {
    let worked = call.answers.iter().any(|answer| answer.via.is_success())
        || call.callbacks.iter().any(|callback| callback.kind == CallbackKind::Success);
    let failed = call.answers.iter().any(|answer| !answer.via.is_success())
        || call.callbacks.iter().any(|callback| matches!(callback.kind, CallbackKind::Fail | CallbackKind::Cancel));
    if worked && failed {
        let broken = Broken {
            cause: format!("settled-twice:{api}"),
            expected: Some(Bilingual::new("success 与 fail 二者之一", "one of success and fail")),
            actual: "success and fail".to_owned(),
            ..Broken::default()
        };
        sink.breaks("callbacks.one-of-success-and-fail", call.step, broken);
    } else {
        sink.holds("callbacks.one-of-success-and-fail");
    }
}

fn err_msg(view: &View<'_>, sink: &mut Sink<'_>) {
    for (call, api) in view.api_calls() {
        let Some(answer) = call.answer() else { continue };
        let requirement = match answer.via {
            Via::Success | Via::Resolve | Via::Return => "callbacks.err-msg-ok",
            Via::Cancel => "callbacks.err-msg-cancel",
            Via::Fail | Via::Reject | Via::Throw => "callbacks.err-msg-fail",
        };
        let form = call.facts().iter().find_map(|fact| match fact {
            Fact::Relation { relation, holds, expected, actual, .. } if relation.starts_with("err-msg-") => {
                Some((*holds, expected.clone(), actual.clone()))
            }
            _ => None,
        });
        let (holds, expected, actual) = form.unwrap_or((false, None, None));
        if holds {
            sink.holds(requirement);
            continue;
        }
        let expected = expected.map(|form| Bilingual::new(form.clone(), form));
        let broken = Broken {
            cause: format!("{requirement}:{api}"),
            at: Some("/errMsg".to_owned()),
            expected,
            actual: actual.unwrap_or_else(|| "no value at all".to_owned()),
            ..Broken::default()
        };
        sink.breaks(requirement, call.step, broken);
    }
}
