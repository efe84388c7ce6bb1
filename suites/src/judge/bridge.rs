//! The bridge itself: clean output, well-formed messages, unknown methods refused.

use fincert_schemas::Bilingual;
use fincert_schemas::bridge::METHOD_NOT_FOUND;
use fincert_schemas::run::{Ended, Reason, What};

use super::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "bridge-messages",
        about: "Nothing but well-formed messages with ids that were asked.",
        requirements: &["bridge.clean-output", "bridge.well-formed-json", "bridge.answers-known-ids"],
        run: messages,
    },
    Check {
        id: "bridge-unknown-method",
        about: "A method that nobody documents is refused with −32601.",
        requirements: &["bridge.unknown-method-refused"],
        run: unknown_method,
    },
];

fn messages(view: &View<'_>, sink: &mut Sink<'_>) {
    let (mut clean, mut well_formed, mut known) = (true, true, true);
    for event in &view.transcript.events {
        match &event.what {
            What::BadFrame { fault: Reason::UnknownId, detail, quote, .. } => {
                known = false;
                let actual = format!("{detail}: {quote}");
                let broken = Broken { cause: "bridge:unknown-id".to_owned(), actual, ..Broken::default() };
                sink.breaks("bridge.answers-known-ids", 0, broken);
            }
            What::BadFrame { fault, detail, quote, .. } => {
                clean = false;
                let broken = Broken {
                    cause: format!("bridge:{fault}"),
                    actual: format!("{fault} ({detail}): {quote}"),
                    hint: Some(fault.advice()),
                    ..Broken::default()
                };
                sink.breaks("bridge.clean-output", 0, broken);
            }
            What::Lexical { fault, at } => {
                well_formed = false;
                let broken = Broken {
                    cause: format!("bridge:{fault}"),
                    at: Some(at.clone()),
                    actual: fault.clone(),
                    ..Broken::default()
                };
                sink.breaks("bridge.well-formed-json", 0, broken);
            }
            _ => {}
        }
    }
    if matches!(view.transcript.ended, Ended::Skipped { .. }) || view.calls.is_empty() {
        return;
    }
    for (requirement, holds) in
        [("bridge.clean-output", clean), ("bridge.well-formed-json", well_formed), ("bridge.answers-known-ids", known)]
    {
        if holds {
            sink.holds(requirement);
        }
    }
}

fn unknown_method(view: &View<'_>, sink: &mut Sink<'_>) {
    for call in view.calls.iter().filter(|call| call.documented_name().is_none()) {
        let actual = match (call.refused, call.answer()) {
            (Some((METHOD_NOT_FOUND, _)), _) => {
                sink.holds("bridge.unknown-method-refused");
                continue;
            }
            (Some((code, _)), _) => format!("error {code}"),
            (None, Some(answer)) => format!("an answer by {}", answer.via.as_str()),
            (None, None) => "no response".to_owned(),
        };
        let broken = Broken {
            cause: "bridge:unknown-method".to_owned(),
            expected: Some(Bilingual::new("错误 -32601", "error -32601")),
            actual,
            ..Broken::default()
        };
        sink.breaks("bridge.unknown-method-refused", call.step, broken);
    }
}
