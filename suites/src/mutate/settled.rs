//! The calls of section 2 in a raw transcript, with the places of what became of each.

use std::borrow::Cow;

use fincert_schemas::bridge::{CallbackKind, Via};
use fincert_schemas::capture::decode_markers;
use fincert_schemas::catalog::{api_of, profile_of};
use fincert_schemas::run::{Captured, Event, Subject, What};
use serde_json::{Value, json};

use super::{Clean, rules};
use crate::judge::{CONTROL, Law};

/// One call.
pub(super) struct Call<'a> {
    /// Its event.
    pub(super) event: usize,
    pub(super) id: u64,
    pub(super) api: &'static str,
    /// The request, with the markers of the bridge read.
    pub(super) request: Value,
    pub(super) subject: Option<&'a Subject>,
    /// Whether it is a plain call that is expected to work as often as it is made.
    pub(super) is_control: bool,
    /// The first answer: its event, channel and value.
    pub(super) answer: Option<Answer<'a>>,
    /// Further settlements: event, kind, place by the target's count.
    pub(super) callbacks: Vec<(usize, CallbackKind, u32)>,
    /// The event of a deadline that passed.
    pub(super) silence: Option<usize>,
    /// The requirements that the request breaks; `valid` tells whether it breaks anything.
    pub(super) broken: Vec<String>,
    pub(super) valid: bool,
}

/// The first answer of a call.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) event: usize,
    pub(super) via: Via,
    pub(super) value: Option<&'a Value>,
    pub(super) bytes: u64,
}

/// The calls of a clean transcript.
pub(super) fn calls<'a>(law: Law<'_>, clean: Clean<'a>) -> Vec<Call<'a>> {
    let events = &clean.raw.uncaptured().events;
    let mut calls: Vec<Call<'a>> =
        events.iter().enumerate().filter_map(|(at, event)| call(law, clean, at, event)).collect();
    for (at, event) in events.iter().enumerate() {
        match &event.what {
            What::Answer { id, via, value, bytes } => {
                if let Some(call) = calls.iter_mut().find(|call| call.id == *id && call.answer.is_none()) {
                    let value = value.as_ref().map(|captured| &captured.value);
                    call.answer = Some(Answer { event: at, via: *via, value, bytes: *bytes });
                }
            }
            What::Callback { id, kind, seq, .. } => {
                if let Some(call) = calls.iter_mut().find(|call| call.id == *id) {
                    call.callbacks.push((at, *kind, *seq));
                }
            }
            What::NoResponse { id, .. } => {
                if let Some(call) = calls.iter_mut().find(|call| call.id == *id) {
                    call.silence = Some(at);
                }
            }
            _ => {}
        }
    }
    calls
}

fn call<'a>(law: Law<'_>, clean: Clean<'a>, at: usize, event: &'a Event) -> Option<Call<'a>> {
    let What::Call { id, method, request, subject, purpose, .. } = &event.what else { return None };
    let api = api_of(method)?;
    let request = decode_markers(&request.value);
    let table = format!("api/{api}.request.json");
    let mut broken: Vec<String> = rules::of(law.catalog, &table, &request)
        .iter()
        .filter(|rule| !rules::keeps(rule, &request))
        .map(|rule| rule.owner.to_owned())
        .collect();
    let mut valid = law.catalog.request(api).is_none_or(|table| law.catalog.check(table, &request).is_empty());
    // Rulings 2.4: Android needs package, which the table cannot say.
    if api == "finOpenOtherApp"
        && clean.hello.platform.eq_ignore_ascii_case("android")
        && request.get("package").is_none()
    {
        broken.push("open-app.request.package".to_owned());
        valid = false;
    }
    let subject = subject.as_ref();
    Some(Call {
        event: at,
        id: *id,
        api,
        request,
        subject,
        is_control: purpose.as_deref() == Some(CONTROL),
        answer: None,
        callbacks: Vec::new(),
        silence: None,
        broken,
        valid,
    })
}

impl<'a> Call<'a> {
    /// The `type` that finCardOcr was asked for.
    pub(super) fn asked(&self) -> &str {
        self.request.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is_unreadable(&self) -> bool {
        matches!(self.subject, Some(Subject::Unreadable(_)))
    }

    /// The specimen that was given.
    pub(super) fn specimen(&self) -> Option<&'static fincert_schemas::fixture::Fixture> {
        match self.subject {
            Some(Subject::Fixture(id)) => fincert_schemas::fixture::get(id),
            _ => None,
        }
    }

    /// The answer that a success gave, with its value.
    pub(super) fn success(&self) -> Option<(Answer<'a>, &'a Value)> {
        let answer = self.answer.filter(|answer| answer.via.is_success())?;
        Some((answer, answer.value?))
    }

    /// Whether it did what it was asked for.
    pub(super) fn succeeded(&self) -> bool {
        self.success().is_some_and(|(_, value)| is_good(self.api, value))
            || (self.api == "finOpenOtherApp" && self.answer.is_some_and(|answer| answer.via.is_success()))
    }

    /// The result of a valid call that did what it was asked for.
    pub(super) fn good_result(&self) -> Option<&'a Value> {
        let (_, value) = self.success().filter(|_| self.valid && !self.is_unreadable())?;
        is_good(self.api, value).then_some(value)
    }

    /// The events of everything that came of the call.
    pub(super) fn outcome_events(&self) -> Vec<usize> {
        let answer = self.answer.map(|answer| answer.event);
        answer.into_iter().chain(self.callbacks.iter().map(|(at, ..)| *at)).collect()
    }

    /// The requirement of its profile with this ending.
    pub(super) fn requirement(&self, suffix: &str) -> String {
        format!("{}.{suffix}", profile_of(self.api).unwrap_or_default())
    }

    /// An answer by fail in the documented form.
    pub(super) fn failing(&self) -> What {
        let value = json!({"errMsg": format!("{}:fail", self.api)});
        What::Answer { id: self.id, via: Via::Fail, value: Some(raw(value)), bytes: 64 }
    }
}

/// Whether a result says that the call did what it was asked for.
fn is_good(api: &str, value: &Value) -> bool {
    match api {
        "finCardOcr" | "finFaceAuth" => value.get("errorCode").and_then(Value::as_f64) == Some(0.0),
        "finLivenessCheck" => value.get("resultType").is_some_and(|kind| kind == "success"),
        "finOpenWitnessVideo" => value.get("videoFlag").is_some_and(|flag| flag == "0"),
        _ => true,
    }
}

/// A value that is not captured yet.
pub(super) fn raw(value: Value) -> Captured {
    Captured { value, facts: Vec::new() }
}

/// The value with the document's own `$` keys read, borrowed where nothing changes.
pub(super) fn read(value: &Value) -> Cow<'_, Value> {
    let decoded = decode_markers(value);
    if decoded == *value { Cow::Borrowed(value) } else { Cow::Owned(decoded) }
}
