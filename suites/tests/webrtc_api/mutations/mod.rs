//! What a target may do wrong, each by itself, with the requirements that it breaks (without their `webrtc.`).

mod creation;
mod devices;
mod events;
mod offers;
mod refusals;
mod states;

use fincert_schemas::bridge::Via;
use fincert_schemas::run::What;
use fincert_schemas::run::flow::{End, PeerDid};
use serde_json::{Value, json};

use crate::flows;
use crate::script::{Raw, Script};

/// What it is, of which flow, how it is done, and what it breaks.
pub(crate) type Mutation = (&'static str, fn() -> Script, fn(&mut Script), &'static [&'static str]);

pub(crate) fn all() -> impl Iterator<Item = &'static Mutation> {
    [
        devices::DEVICES,
        creation::CREATION,
        offers::OFFERS,
        states::DESCRIPTIONS,
        states::PROPERTIES,
        events::EVENTS,
        refusals::REFUSALS,
    ]
    .into_iter()
    .flatten()
}

pub(crate) fn target_offers() -> Script {
    flows::call(End::Target)
}

pub(crate) fn fincert_offers() -> Script {
    flows::call(End::Fincert)
}

pub(crate) fn returns(script: &mut Script, method: &str) {
    script.answers(method).for_each(|(via, _)| *via = Via::Return);
}

pub(crate) fn rejects(script: &mut Script, method: &str) {
    let error = json!({"name": "OperationError", "message": "no"});
    script.answers(method).for_each(|(via, value)| (*via, *value) = (Via::Reject, Some(error.clone())));
}

/// Puts a value in a place of every answer of a method.
pub(crate) fn gives(script: &mut Script, method: &str, pointer: &str, new: &Value) {
    for (_, value) in script.answers(method) {
        if let Some(place) = value.as_mut().and_then(|value| value.pointer_mut(pointer)) {
            *place = new.clone();
        }
    }
}

pub(crate) fn drops(script: &mut Script, method: &str, row: &str) {
    for (_, value) in script.answers(method) {
        value.as_mut().unwrap().as_object_mut().unwrap().remove(row);
    }
}

pub(crate) fn accepts(script: &mut Script, purpose: &str) {
    script.answers_to(purpose).for_each(|(via, _)| *via = Via::Resolve);
}

/// Every reading but the first `skip` shows this, and was waited for.
pub(crate) fn shows(script: &mut Script, name: &str, skip: usize, new: &Value) {
    for (value, polls) in script.reads(name).skip(skip) {
        (*value, *polls) = (Some(new.clone()), 9);
    }
}

pub(crate) fn hides(script: &mut Script, name: &str) {
    for (value, polls) in script.reads(name) {
        (*value, *polls) = (None, 9);
    }
}

pub(crate) fn carries(script: &mut Script, kind: &str, event: &Value) {
    script.events(kind).for_each(|value| *value = event.clone());
}

/// An event comes behind the next answer.
pub(crate) fn delays(script: &mut Script, kind: &str) {
    let at = script.raws.iter().position(|raw| matches!(raw, Raw::Emitted(_, own, _) if own == kind)).unwrap();
    let answer = script.raws[at..].iter().position(|raw| matches!(raw, Raw::Answer(..))).unwrap();
    script.raws[at..=at + answer].rotate_left(1);
}

/// An event comes once more, behind itself.
pub(crate) fn repeats(script: &mut Script, kind: &str) {
    let at = script.raws.iter().position(|raw| matches!(raw, Raw::Emitted(_, own, _) if own == kind)).unwrap();
    let again = script.raws[at].clone();
    script.raws.insert(at, again);
}

/// Changes every description that the target made, wherever it stands.
pub(crate) fn edits(script: &mut Script, from: &str, to: &str) {
    let edit = |text: &mut String| {
        if text.starts_with("v=0\r\no=- 7 ") {
            *text = text.replace(from, to);
        }
    };
    for raw in &mut script.raws {
        let value = match raw {
            Raw::Call(_, _, _, value, _) | Raw::Answer(_, _, Some(value)) | Raw::Read(_, _, Some(value), _) => value,
            Raw::Kept(What::Peer { did: PeerDid::Description { sdp, .. }, .. }) => {
                edit(sdp);
                continue;
            }
            _ => continue,
        };
        if let Some(Value::String(text)) = value.pointer_mut("/sdp") {
            edit(text);
        }
    }
}

/// The bridge knows no such method.
pub(crate) fn unknown(script: &mut Script, method: &str) {
    let asked = |raw: &Raw| match raw {
        Raw::Call(id, _, name, ..) if name.rsplit('.').next() == Some(method) => Some(*id),
        _ => None,
    };
    let ids: Vec<u64> = script.raws.iter().filter_map(asked).collect();
    for raw in &mut script.raws {
        if let Raw::Answer(id, ..) = raw
            && ids.contains(id)
        {
            *raw = Raw::Kept(What::Refused { id: *id, code: -32601, message: "unknown".to_owned() });
        }
    }
}

/// Calls with the option are rejected.
pub(crate) fn refuses_option(script: &mut Script, method: &str, option: &str) {
    let asked = |raw: &Raw| match raw {
        Raw::Call(id, _, name, request, None) if name.ends_with(method) && request.get(option).is_some() => Some(*id),
        _ => None,
    };
    let ids: Vec<u64> = script.raws.iter().filter_map(asked).collect();
    for raw in &mut script.raws {
        if let Raw::Answer(id, via, value) = raw
            && ids.contains(id)
        {
            (*via, *value) = (Via::Reject, Some(json!({"name": "TypeError"})));
        }
    }
}

/// Nothing comes after the answer of a method.
pub(crate) fn ends_after(script: &mut Script, method: &str) {
    let at =
        script.raws.iter().position(|raw| matches!(raw, Raw::Call(_, _, name, ..) if name.ends_with(method))).unwrap();
    let answer = script.raws[at..].iter().position(|raw| matches!(raw, Raw::Answer(..))).unwrap();
    script.raws.truncate(at + answer + 1);
}

/// Candidates lack a row.
pub(crate) fn candidate(script: &mut Script, row: &str) {
    for event in script.events("icecandidate") {
        if let Some(candidate) = event["candidate"].as_object_mut() {
            candidate.remove(row);
        }
    }
}
