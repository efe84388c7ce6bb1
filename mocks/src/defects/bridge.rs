//! Defects of the bridge, of the three states of clause 1, and of the APIs' names.

use fincert_schemas::bridge::{Integration, METHOD_NOT_FOUND};
use serde_json::{Value, json};

use super::Defect;
use super::edit::{FACE, LIVENESS, OCR, OPEN_APP, WITNESS, default, is, success};
use crate::decide::{Call, Over};
use crate::plan::{Action, Plan, encode};

const UNNAMED: &[&str] = &["integration.answers", "integration.invalid-request-answered"];

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "every",
        "absent-answers",
        ["未集成功能 SDK，调用却有应答", "the SDK is absent, and yet calls are answered"],
        &["integration.absent-silent"],
        |call, plan| if call.api.is_some() { default(call, plan) } else { plan },
    )
    .when(Integration::Absent),
    Defect::new(
        "every",
        "absent-hangs",
        ["未集成功能 SDK，调用之后小程序卡死", "the SDK is absent, and after a call nothing else is answered"],
        &["integration.absent-program-goes-on"],
        |call, plan| if call.api.is_some() { Plan::only(Action::Hang) } else { plan },
    )
    .also(&["integration.absent-silent"])
    .when(Integration::Absent),
    Defect::new(
        "open-app",
        "custom-unregistered",
        ["宿主自定义注册时漏注册 finOpenOtherApp", "the host that registers the APIs itself forgot finOpenOtherApp"],
        &["integration.custom-callable"],
        |call, plan| unnamed(call, plan, OPEN_APP),
    )
    .also(&["open-app.api-name", "integration.answers", "integration.invalid-request-answered"])
    .when(Integration::Custom),
    Defect::new(
        "ocr",
        "api-name-wrong-ocr",
        ["finCardOcr 以其他名称注册", "finCardOcr goes by another name"],
        &["ocr.api-name"],
        |call, plan| unnamed(call, plan, OCR),
    )
    .also(UNNAMED),
    Defect::new(
        "face",
        "api-name-wrong",
        ["finFaceAuth 以其他名称注册", "finFaceAuth goes by another name"],
        &["face.api-name"],
        |call, plan| unnamed(call, plan, FACE),
    )
    .also(UNNAMED),
    Defect::new(
        "liveness",
        "api-name-wrong-liveness",
        ["finLivenessCheck 以其他名称注册", "finLivenessCheck goes by another name"],
        &["liveness.api-name"],
        |call, plan| unnamed(call, plan, LIVENESS),
    )
    .also(&["integration.answers", "integration.invalid-request-answered", "liveness.request.empty"]),
    Defect::new(
        "open-app",
        "api-name-wrong-open-app",
        ["finOpenOtherApp 以其他名称注册", "finOpenOtherApp goes by another name"],
        &["open-app.api-name"],
        |call, plan| unnamed(call, plan, OPEN_APP),
    )
    .also(UNNAMED),
    Defect::new(
        "witness-video",
        "api-name-wrong-witness",
        ["finOpenWitnessVideo 以其他名称注册", "finOpenWitnessVideo goes by another name"],
        &["witness-video.api-name"],
        |call, plan| unnamed(call, plan, WITNESS),
    )
    .also(UNNAMED),
    Defect::new(
        "every",
        "stray-line",
        ["桥的信道上夹杂日志", "a line of a log stands among the bridge's messages"],
        &["bridge.clean-output"],
        |call, mut plan| {
            if on_bridge(call) {
                let line = Action::Raw(b"D/FinMock: bridge handler invoked".to_vec());
                plan.steps.splice(0..0, Plan::only(line).steps);
            }
            plan
        },
    ),
    Defect::new(
        "every",
        "duplicate-keys",
        ["结果中有重复的键", "a key of the result stands twice"],
        &["bridge.well-formed-json"],
        |call, plan| frames(call, plan, b"{\"errMsg\":", b"{\"traceId\":\"0\",\"traceId\":\"0\",\"errMsg\":"),
    ),
    Defect::new(
        "every",
        "invalid-utf8",
        ["结果不是合法的 UTF-8", "the result is not UTF-8"],
        &["bridge.well-formed-json"],
        |call, plan| frames(call, plan, b"{\"errMsg\":", b"{\"traceId\":\"\xff\xfe\",\"errMsg\":"),
    ),
    Defect::new(
        "every",
        "unknown-method-accepted",
        ["对未知方法也应答成功", "an unknown method is answered as a success"],
        &["bridge.unknown-method-refused"],
        |call, plan| {
            let refused =
                plan.steps.iter().any(|step| matches!(step.action, Action::Refuse { code: METHOD_NOT_FOUND, .. }));
            if call.api.is_none() && refused {
                Plan::only(Action::Result(json!({"via": "success", "value": {"errMsg": "ok"}})))
            } else {
                plan
            }
        },
    ),
    Defect::new(
        "open-app",
        "answers-with-wrong-id",
        ["应答的 id 与请求不符", "the answer carries the id of no request"],
        &["bridge.answers-known-ids"],
        |call, mut plan| {
            if is(call, OPEN_APP) && on_bridge(call) && success(&plan).is_some() {
                let id = call.id.as_u64().unwrap_or_default().saturating_add(1_000_000_000).into();
                for step in &mut plan.steps {
                    if let Some(bytes) =
                        matches!(step.action, Action::Answer(_)).then(|| encode(&id, &step.action)).flatten()
                    {
                        step.action = Action::Raw(bytes);
                    }
                }
            }
            plan
        },
    )
    .also(&["integration.answers", "callbacks.one-of-success-and-fail"]),
];

fn on_bridge(call: &Call) -> bool {
    call.api.is_some() && call.over == Over::Bridge
}

/// The API is not there under its name.
fn unnamed(call: &Call, plan: Plan, api: &str) -> Plan {
    if is(call, api) { Plan::refuse(METHOD_NOT_FOUND, "no such method") } else { plan }
}

/// Changes the bytes of a success's frame; `errMsg` is moved to the front to have a place for it.
fn frames(call: &Call, plan: Plan, old: &[u8], new: &[u8]) -> Plan {
    if !on_bridge(call) || success(&plan).is_none() {
        return plan;
    }
    let mut plan = plan.rewrite(|settlement| {
        if let Some(Value::Object(value)) = &mut settlement.value
            && let Some(message) = value.shift_remove("errMsg")
        {
            value.shift_insert(0, "errMsg".to_owned(), message);
        }
    });
    for step in &mut plan.steps {
        if matches!(step.action, Action::Answer(_))
            && let Some(bytes) = encode(&call.id, &step.action)
            && let Some(at) = bytes.windows(old.len()).position(|window| window == old)
        {
            let (head, tail) = bytes.split_at(at);
            step.action = Action::Raw([head, new, &tail[old.len()..]].concat());
        }
    }
    plan
}
