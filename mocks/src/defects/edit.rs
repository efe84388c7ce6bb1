//! The few ways in which defects change a plan.

use fincert_schemas::bridge::Settlement;
use serde_json::{Map, Value};

use crate::decide::Call;
use crate::engine;
use crate::plan::{Plan, fail};
use crate::request;

pub(super) const OCR: &str = "finCardOcr";
pub(super) const FACE: &str = "finFaceAuth";
pub(super) const LIVENESS: &str = "finLivenessCheck";
pub(super) const OPEN_APP: &str = "finOpenOtherApp";
pub(super) const WITNESS: &str = "finOpenWitnessVideo";

pub(super) const BANK_CARD: &str = "BankCard";
pub(super) const ID_CARD: &str = "IDCard";
pub(super) const ID_CARD_CHECK: &str = "IDCardCheck";
pub(super) const BUSI_CERT: &str = "BusiCert";

/// Whether the call is of that API.
pub(super) fn is(call: &Call, api: &str) -> bool {
    call.api == Some(api)
}

/// How a plan succeeds, if it does.
pub(super) fn success(plan: &Plan) -> Option<&Settlement> {
    plan.answer().filter(|settlement| settlement.via.is_success())
}

/// A success's value, if that is an object.
pub(super) fn object(plan: &Plan) -> Option<&Map<String, Value>> {
    success(plan)?.value.as_ref()?.as_object()
}

/// Whether the result's errorCode is 0.
pub(super) fn is_zero(plan: &Plan) -> bool {
    object(plan).and_then(|value| value.get("errorCode")).is_some_and(|code| *code == 0)
}

/// Changes the value of the API's success.
pub(super) fn result(call: &Call, plan: Plan, api: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    if !is(call, api) || success(&plan).is_none() {
        return plan;
    }
    plan.rewrite(|settlement| {
        if let Some(Value::Object(value)) = &mut settlement.value {
            change(value);
        }
    })
}

/// The same, if the result's errorCode is 0.
pub(super) fn good(call: &Call, plan: Plan, api: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    if is_zero(&plan) { result(call, plan, api, change) } else { plan }
}

/// Changes the `recogResult` of a recognised card of that `type`.
pub(super) fn card(call: &Call, plan: Plan, kind: &str, change: impl FnOnce(&mut Map<String, Value>)) -> Plan {
    if call.text("type") != Some(kind) {
        return plan;
    }
    good(call, plan, OCR, |value| {
        if let Some(Value::Object(card)) = value.get_mut("recogResult") {
            change(card);
        }
    })
}

/// Changes a field that is there.
pub(super) fn field(map: &mut Map<String, Value>, name: &str, change: impl FnOnce(&Value) -> Value) {
    if let Some(value) = map.get_mut(name) {
        *value = change(value);
    }
}

/// Sets a field that is there.
pub(super) fn set(map: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    field(map, name, |_| value.into());
}

/// Takes a field away.
pub(super) fn drop_field(map: &mut Map<String, Value>, name: &str) {
    map.shift_remove(name);
}

/// The call succeeds with the documented default.
pub(super) fn default(call: &Call, plan: Plan) -> Plan {
    match call.api {
        Some(api) => Plan::settle(engine::default(api, &call.request).0),
        None => plan,
    }
}

/// A request of that API that is invalid by nothing but that field is accepted.
pub(super) fn accept(call: &Call, plan: Plan, api: &str, name: &str) -> Plan {
    let only = !call.broken.is_empty() && call.broken.iter().all(|broken| broken.at.strip_prefix('/') == Some(name));
    if is(call, api) && only { default(call, plan) } else { plan }
}

/// A request of that API that would succeed is refused.
pub(super) fn refuse(call: &Call, plan: Plan, api: &str, reason: &str) -> Plan {
    if is(call, api) && success(&plan).is_some() { Plan::settle(fail(api, reason)) } else { plan }
}

/// A request of that API that would succeed is refused because it lacks the field.
pub(super) fn demand(call: &Call, plan: Plan, api: &str, name: &str) -> Plan {
    if call.request.get(name).is_some() {
        return plan;
    }
    refuse(call, plan, api, &format!("invalid request: /{name}: required: the property {name}"))
}

/// A request of that API that would succeed is refused because it has a field that no table knows.
pub(super) fn refuse_extra(call: &Call, plan: Plan, api: &str) -> Plan {
    let extra = call.request.as_object().is_some_and(|fields| fields.keys().any(|name| !request::knows(api, name)));
    if extra { refuse(call, plan, api, "invalid request: an unknown field") } else { plan }
}
