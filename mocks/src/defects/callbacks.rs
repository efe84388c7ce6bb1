//! Defects of answering: too seldom, too often, in the wrong order, with the wrong `errMsg`.

use std::time::Duration;

use fincert_schemas::bridge::{CallbackKind, Via};
use serde_json::{Map, Value, json};

use super::Defect;
use super::edit::{BANK_CARD, OCR, is, is_zero, success};
use crate::picture;
use crate::plan::{Action, Plan};

pub(super) const ONE_OF: &str = "callbacks.one-of-success-and-fail";
pub(super) const COMPLETE_ONCE: &str = "callbacks.complete-once";
const COMPLETE_LAST: &str = "callbacks.complete-last";

/// How much later a late callback comes.
const LATE: Duration = Duration::from_millis(300);

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "ocr",
        "no-callback",
        ["银行卡识别成功后不回调", "a recognised bank card is never called back"],
        &["integration.answers"],
        |call, plan| {
            let silent = is(call, OCR) && call.text("type") == Some(BANK_CARD) && is_zero(&plan);
            if silent { Plan::silent() } else { plan }
        },
    )
    .also(&[ONE_OF, COMPLETE_ONCE]),
    Defect::new(
        "ocr",
        "no-callback-on-invalid",
        ["OCR 请求缺少 imagePath 时不回调", "an OCR request without imagePath is never called back"],
        &["integration.invalid-request-answered"],
        |call, plan| if is(call, OCR) && call.request.get("imagePath").is_none() { Plan::silent() } else { plan },
    )
    .also(&[ONE_OF, COMPLETE_ONCE, "ocr.request.image-path"]),
    Defect::new(
        "ocr",
        "hang-on-hostile-path",
        [
            "OCR 的 imagePath 为目录、设备或越权路径时不回调",
            "OCR never calls back for a directory, a device or a path that leaves the sandbox",
        ],
        &["integration.invalid-request-answered"],
        |call, plan| {
            let hostile = is(call, OCR) && call.text("imagePath").is_some_and(picture::is_hostile);
            if hostile && success(&plan).is_none() { Plan::silent() } else { plan }
        },
    )
    .also(&[ONE_OF, COMPLETE_ONCE]),
    Defect::new(
        "every",
        "both-callbacks",
        ["success 之后又回调 fail", "fail is called back after success"],
        &["integration.answers-once", ONE_OF],
        |call, plan| {
            let reason = format!("{}:fail after success", call.api.unwrap_or_default());
            between(plan, CallbackKind::Fail, Some(json!({"errMsg": reason})))
        },
    ),
    Defect::new(
        "every",
        "double-success",
        ["success 回调两次", "success is called back twice"],
        &["integration.answers-once"],
        |_, plan| {
            let value = success(&plan).and_then(|settlement| settlement.value.clone());
            between(plan, CallbackKind::Success, value)
        },
    )
    .also(&[ONE_OF]),
    Defect::new(
        "every",
        "late-second-callback",
        ["300 毫秒后再次回调 success", "success is called back again 300 ms later"],
        &["integration.answers-once"],
        |_, plan| match success(&plan).cloned() {
            Some(settlement) => {
                let again = Action::Callback { kind: CallbackKind::Success, seq: 2, value: settlement.value };
                plan.then_after(LATE, again)
            }
            None => plan,
        },
    )
    .also(&[ONE_OF, COMPLETE_LAST]),
    Defect::new(
        "every",
        "double-complete",
        ["complete 回调两次", "complete is called back twice"],
        &[COMPLETE_ONCE],
        |_, plan| match plan.answer().cloned() {
            Some(settlement) => {
                plan.then(Action::Callback { kind: CallbackKind::Complete, seq: 2, value: settlement.value })
            }
            None => plan,
        },
    )
    .also(&[COMPLETE_LAST]),
    Defect::new(
        "every",
        "no-complete",
        ["不回调 complete", "complete is never called back"],
        &[COMPLETE_ONCE],
        |_, mut plan| {
            plan.steps.retain(|step| !is_complete(&step.action));
            plan
        },
    ),
    Defect::new(
        "every",
        "complete-first",
        ["complete 先于 success 或 fail 回调", "complete is called back before success or fail"],
        &[COMPLETE_LAST],
        |_, mut plan| {
            plan.steps.sort_by_key(|step| !is_complete(&step.action));
            for step in &mut plan.steps {
                if let Action::Callback { kind: CallbackKind::Complete, seq, .. } = &mut step.action {
                    *seq = 0;
                }
            }
            plan
        },
    ),
    Defect::new(
        "every",
        "err-msg-no-prefix",
        ["成功结果的 errMsg 没有接口名前缀", "the errMsg of a success lacks the API's name"],
        &["callbacks.err-msg-ok"],
        |_, plan| message(plan, Via::Success, |value| drop(value.insert("errMsg".to_owned(), "ok".into()))),
    ),
    Defect::new(
        "every",
        "err-msg-ok-missing",
        ["成功结果没有 errMsg", "a success has no errMsg"],
        &["callbacks.err-msg-ok"],
        |_, plan| message(plan, Via::Success, |value| drop(value.shift_remove("errMsg"))),
    ),
    Defect::new(
        "every",
        "fail-without-prefix",
        ["失败结果的 errMsg 没有接口名前缀", "the errMsg of a failure lacks the API's name"],
        &["callbacks.err-msg-fail"],
        |_, plan| message(plan, Via::Fail, |value| drop(value.insert("errMsg".to_owned(), "request refused".into()))),
    ),
    Defect::new(
        "open-app",
        "cancel-without-prefix",
        ["取消时的 errMsg 没有接口名前缀", "the errMsg of a cancellation lacks the API's name"],
        &["callbacks.err-msg-cancel"],
        |_, plan| message(plan, Via::Cancel, |value| drop(value.insert("errMsg".to_owned(), "cancel".into()))),
    ),
];

fn is_complete(action: &Action) -> bool {
    matches!(action, Action::Callback { kind: CallbackKind::Complete, .. })
}

/// One more callback between a success and `complete`.
pub(super) fn between(plan: Plan, kind: CallbackKind, value: Option<Value>) -> Plan {
    match success(&plan).cloned() {
        Some(settlement) => {
            let complete = Action::Callback { kind: CallbackKind::Complete, seq: 2, value: settlement.value.clone() };
            Plan::only(Action::Answer(settlement)).then(Action::Callback { kind, seq: 1, value }).then(complete)
        }
        None => plan,
    }
}

/// Changes what the answer through that channel hands over.
fn message(plan: Plan, via: Via, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    if plan.answer().is_none_or(|settlement| settlement.via != via) {
        return plan;
    }
    plan.rewrite(|settlement| {
        if let Some(Value::Object(value)) = &mut settlement.value {
            change(value);
        }
    })
}
