//! Settlements: answers, the callbacks beside them, and `errMsg`.
//!
//! Owners, by the ledger: a call with a valid request that gets no answer breaks `integration.answers`, one with any other
//! `integration.invalid-request-answered`; two settlements of a call break `integration.answers-once`, and where they are
//! of both kinds `callbacks.one-of-success-and-fail`; `callbacks.complete-once`, `callbacks.complete-last` and
//! `callbacks.err-msg-*` are what their names say. A bridge that does not know a documented name breaks the profile's
//! `api-name`, and in the state `custom` `integration.custom-callable`. An absent SDK that responds breaks
//! `integration.absent-silent`.

use fincert_schemas::bridge::{CallbackKind, Integration, METHOD_NOT_FOUND, Via};
use fincert_schemas::run::{Ended, Reason, What};
use serde_json::{Value, json};

use super::settled::{Answer, Call, raw};
use super::{Edit, Maker, Operator};

const ONCE: &str = "integration.answers-once";
const ONE_OF: &str = "callbacks.one-of-success-and-fail";
const COMPLETE_ONCE: &str = "callbacks.complete-once";
const COMPLETE_LAST: &str = "callbacks.complete-last";
const SILENT: &str = "integration.absent-silent";
const GOES_ON: &str = "integration.absent-program-goes-on";
/// A deadline as drives have them.
const DEADLINE_MS: u64 = 5_000;

pub(super) fn of_call(maker: &mut Maker<'_>, call: &Call<'_>) {
    if maker.clean.hello.integration == Integration::Absent {
        absent(maker, call);
        return;
    }
    let Some(answer) = call.answer.filter(|_| call.silence.is_none()) else { return };
    silence(maker, call, answer);
    twice(maker, call, answer);
    completes(maker, call, answer);
    channel(maker, call, answer);
    err_msg(maker, call, answer);
    unknown(maker, call, answer);
    crash(maker, call);
}

/// The requirement that a call without an answer breaks.
fn answering(call: &Call<'_>) -> &'static str {
    if call.valid && !call.is_unreadable() { "integration.answers" } else { "integration.invalid-request-answered" }
}

/// Everything that came of the call goes, from the back; something else stands in the answer's place.
fn instead(call: &Call<'_>, answer: Answer<'_>, what: What) -> Vec<Edit> {
    let mut others: Vec<usize> = call.callbacks.iter().map(|(at, ..)| *at).collect();
    others.sort_unstable_by(|a, b| b.cmp(a));
    let replaced = std::iter::once(Edit::Replace(answer.event, what));
    replaced.chain(others.into_iter().map(Edit::Delete)).collect()
}

fn no_response(id: u64, alive: bool) -> What {
    What::NoResponse { id, deadline_ms: DEADLINE_MS, alive }
}

fn silence(maker: &mut Maker<'_>, call: &Call<'_>, answer: Answer<'_>) {
    let owners = [answering(call)];
    let nothing = instead(call, answer, no_response(call.id, true));
    maker.add(Operator::Drop, answer.event, ("", "every-settlement"), &owners, nothing);
    let but_complete = vec![Edit::Replace(answer.event, no_response(call.id, true))];
    if !call.callbacks.is_empty() {
        maker.add(Operator::Drop, answer.event, ("", "answer"), &owners, but_complete);
    }
}

fn again(call: &Call<'_>, answer: Answer<'_>) -> What {
    What::Answer { id: call.id, via: answer.via, value: answer.value.cloned().map(raw), bytes: answer.bytes }
}

fn other_way(call: &Call<'_>, kind: CallbackKind) -> What {
    let suffix = match kind {
        CallbackKind::Success => "ok",
        CallbackKind::Cancel => "cancel",
        _ => "fail",
    };
    let value = Some(raw(json!({"errMsg": format!("{}:{suffix}", call.api)})));
    What::Callback { id: call.id, kind, seq: 9, as_answered: false, value }
}

fn twice(maker: &mut Maker<'_>, call: &Call<'_>, answer: Answer<'_>) {
    let last = call.outcome_events().into_iter().max().unwrap_or(answer.event);
    let own = if answer.via.is_success() { CallbackKind::Success } else { CallbackKind::Fail };
    for (rule, at) in [("answer", answer.event + 1), ("answer-after-complete", last + 1)] {
        let edits = vec![Edit::Insert(at, again(call, answer))];
        maker.add(Operator::Duplicate, answer.event, ("", rule), &[ONCE], edits);
    }
    maker.add(Operator::Late, answer.event, ("", "answer"), &[ONCE], vec![Edit::Stray(again(call, answer))]);
    for kind in [CallbackKind::Success, CallbackKind::Fail, CallbackKind::Cancel] {
        let crosses = (kind == CallbackKind::Success) != (own == CallbackKind::Success);
        let owners: &[&str] = if crosses { &[ONE_OF, ONCE] } else { &[ONCE] };
        let rule = format!("and-{}", word(kind));
        let edits = vec![Edit::Insert(answer.event + 1, other_way(call, kind))];
        maker.add(Operator::Duplicate, answer.event, ("", &rule), owners, edits);
        maker.add(Operator::Late, answer.event, ("", &rule), owners, vec![Edit::Stray(other_way(call, kind))]);
    }
}

fn word(kind: CallbackKind) -> &'static str {
    match kind {
        CallbackKind::Success => "success",
        CallbackKind::Fail => "fail",
        CallbackKind::Cancel => "cancel",
        CallbackKind::Complete => "complete",
    }
}

fn completes(maker: &mut Maker<'_>, call: &Call<'_>, answer: Answer<'_>) {
    let mut all = call.callbacks.iter().filter(|(_, kind, _)| *kind == CallbackKind::Complete);
    let (Some((at, _, seq)), None) = (all.next().copied(), all.next()) else { return };
    let complete =
        |seq| What::Callback { id: call.id, kind: CallbackKind::Complete, seq, as_answered: true, value: None };
    maker.add(Operator::Drop, at, ("", "complete"), &[COMPLETE_ONCE], vec![Edit::Delete(at)]);
    let twice = vec![Edit::Insert(at + 1, complete(seq + 1))];
    maker.add(Operator::Duplicate, at, ("", "complete"), &[COMPLETE_ONCE], twice);
    maker.add(Operator::Late, at, ("", "complete"), &[COMPLETE_ONCE], vec![Edit::Stray(complete(seq + 1))]);
    if at > answer.event {
        maker.add(Operator::Reorder, at, ("", "complete-first"), &[COMPLETE_LAST], vec![Edit::Move(at, answer.event)]);
        // The target's own count says that complete came first, whatever the channel made of it.
        let first = vec![Edit::Replace(at, complete(0))];
        maker.add(Operator::OffByOne, at, ("", "complete-seq"), &[COMPLETE_LAST], first);
    }
    let kind = if answer.via.is_success() { CallbackKind::Fail } else { CallbackKind::Success };
    let swapped = vec![Edit::Replace(at, other_way(call, kind))];
    maker.add(Operator::SwapCallback, at, ("", "complete"), &[ONE_OF, COMPLETE_ONCE, ONCE], swapped);
    let behind = vec![Edit::Insert(at + 1, other_way(call, kind))];
    maker.add(Operator::Reorder, at, ("", "complete-before-another"), &[COMPLETE_LAST], behind);
}

/// The value stays as it is, so that its `errMsg` no longer names the channel.
fn channel(maker: &mut Maker<'_>, call: &Call<'_>, answer: Answer<'_>) {
    if answer.value.and_then(|value| value.get("errMsg")).is_none() {
        return;
    }
    for (via, owner) in [
        (Via::Success, "callbacks.err-msg-ok"),
        (Via::Fail, "callbacks.err-msg-fail"),
        (Via::Cancel, "callbacks.err-msg-cancel"),
    ] {
        if via == answer.via || (via.is_success() && answer.via.is_success()) {
            continue;
        }
        let value = answer.value.cloned().map(raw);
        let swapped = What::Answer { id: call.id, via, value, bytes: answer.bytes };
        let edits = vec![Edit::Replace(answer.event, swapped)];
        maker.add(Operator::SwapCallback, answer.event, ("", via.as_str()), &[owner], edits);
    }
}

fn err_msg(maker: &mut Maker<'_>, call: &Call<'_>, answer: Answer<'_>) {
    let (owner, form) = match answer.via {
        Via::Success | Via::Resolve | Via::Return => ("callbacks.err-msg-ok", "ok"),
        Via::Cancel => ("callbacks.err-msg-cancel", "cancel"),
        Via::Fail | Via::Reject | Via::Throw => ("callbacks.err-msg-fail", "fail"),
    };
    let Some(text) = answer.value.and_then(|value| value.get("errMsg")?.as_str()) else { return };
    let at = "/errMsg".to_owned();
    let event = answer.event;
    maker.add(Operator::Drop, event, (&at, "row"), &[owner], vec![Edit::Remove(event, at.clone())]);
    for new in ["errmsg", "message", "errMessage"] {
        let edits = vec![Edit::Rename(event, at.clone(), new.to_owned())];
        maker.add(Operator::Rename, event, (&at, new), &[owner], edits);
    }
    for (rule, value) in [
        ("null", Value::Null),
        ("number", json!(0)),
        ("boolean", json!(false)),
        ("in-a-list", json!([text])),
        ("object", json!({})),
    ] {
        maker.add(Operator::Retype, event, (&at, rule), &[owner], vec![Edit::Set(event, at.clone(), value)]);
    }
    let other = if form == "ok" { "fail" } else { "ok" };
    let head = format!("{}:{form}", call.api);
    let new = [
        (Operator::Truncate, "name-alone", call.api.to_owned()),
        (Operator::Truncate, "one-character-less", head[..head.len() - 1].to_owned()),
        (Operator::Truncate, "without-the-name", form.to_owned()),
        (Operator::Truncate, "empty", String::new()),
        (Operator::BreakRule, "other-name", format!("finOther:{form}")),
        (Operator::BreakRule, "other-form", format!("{}:{other}", call.api)),
        (Operator::BreakRule, "no-colon", format!("{} {form}", call.api)),
        (Operator::BreakRule, "other-case", head.to_uppercase()),
        (Operator::BreakRule, "with-more", format!("{head}ed")),
    ];
    for (operator, rule, text) in new {
        maker.add(operator, event, (&at, rule), &[owner], vec![Edit::Set(event, at.clone(), Value::from(text))]);
    }
}

fn unknown(maker: &mut Maker<'_>, call: &Call<'_>, answer: Answer<'_>) {
    let name = call.requirement("api-name");
    for (rule, code) in [("unknown-method", METHOD_NOT_FOUND), ("internal-error", -32603), ("invalid-params", -32602)] {
        let refused = What::Refused { id: call.id, code, message: "Method not found".to_owned() };
        let edits = instead(call, answer, refused);
        let owners = [name.as_str(), "integration.custom-callable"];
        maker.add(Operator::Frame, answer.event, ("", rule), &owners, edits);
    }
}

/// The target goes down under a request that is none.
fn crash(maker: &mut Maker<'_>, call: &Call<'_>) {
    const OWNER: &str = "integration.invalid-request-answered";
    let events = &maker.clean.raw.uncaptured().events;
    // Only where the call is the one that it went down under: no other may wait.
    let asked = |what: &What| match what {
        What::Call { id, .. } => Some(*id),
        _ => None,
    };
    let open = events[..call.event].iter().filter_map(|event| asked(&event.what)).any(|id| {
        !events[..call.event]
            .iter()
            .any(|event| matches!(&event.what, What::Answer { id: of, .. } | What::Refused { id: of, .. } if *of == id))
    });
    if open || answering(call) != OWNER {
        return;
    }
    let event = call.event;
    let gone = What::Gone { status: "exit status: 139".to_owned() };
    let exited = Ended::Broken { reason: Reason::TargetExited, detail: "exit status: 139".to_owned() };
    let edits = vec![Edit::Cut(event + 1), Edit::Insert(event + 1, gone), Edit::End(exited)];
    maker.add(Operator::Frame, event, ("", "exits"), &[OWNER], edits);
    let hung = Ended::Broken { reason: Reason::TargetHung, detail: "no answer to bridge.ping".to_owned() };
    let edits = vec![Edit::Cut(event + 1), Edit::Insert(event + 1, no_response(call.id, false)), Edit::End(hung)];
    maker.add(Operator::Frame, event, ("", "hangs"), &[OWNER], edits);
}

fn absent(maker: &mut Maker<'_>, call: &Call<'_>) {
    let Some(at) = call.silence else { return };
    let answer = |via| {
        let suffix = if via == Via::Success { "ok" } else { "fail" };
        What::Answer {
            id: call.id,
            via,
            value: Some(raw(json!({"errMsg": format!("{}:{suffix}", call.api)}))),
            bytes: 64,
        }
    };
    for via in [Via::Success, Via::Fail, Via::Cancel] {
        let edits = vec![Edit::Replace(at, answer(via))];
        maker.add(Operator::SwapCallback, at, ("", via.as_str()), &[SILENT], edits);
        maker.add(Operator::Late, at, ("", via.as_str()), &[SILENT], vec![Edit::Stray(answer(via))]);
    }
    let nothing = What::Answer { id: call.id, via: Via::Success, value: None, bytes: 24 };
    maker.add(Operator::SwapCallback, at, ("", "success-without-value"), &[SILENT], vec![Edit::Replace(at, nothing)]);
    for kind in [CallbackKind::Complete, CallbackKind::Fail, CallbackKind::Success] {
        let edits = vec![Edit::Insert(at + 1, other_way(call, kind))];
        maker.add(Operator::Duplicate, at, ("", word(kind)), &[SILENT], edits);
    }
    for code in [METHOD_NOT_FOUND, -32603] {
        let refused = What::Refused { id: call.id, code, message: "no such method".to_owned() };
        let edits = vec![Edit::Replace(at, refused)];
        maker.add(Operator::Frame, at, ("", &code.to_string()), &[SILENT], edits);
    }
}

/// Clause 1, `absent`: the mini program goes on.
pub(super) fn of_transcript(maker: &mut Maker<'_>, calls: &[Call<'_>]) {
    if maker.clean.hello.integration != Integration::Absent || calls.is_empty() {
        return;
    }
    let events = &maker.clean.raw.uncaptured().events;
    let Some(last) = events.iter().rposition(|event| matches!(event.what, What::Ping { .. })) else { return };
    let dead = vec![Edit::Replace(last, What::Ping { alive: false })];
    maker.add(Operator::Frame, last, ("", "no-pong"), &[GOES_ON], dead);
    for (rule, reason) in [("exits", Reason::TargetExited), ("hangs", Reason::TargetHung)] {
        let ended = Ended::Broken { reason, detail: "gone".to_owned() };
        let edits = vec![Edit::Cut(last), Edit::End(ended)];
        maker.add(Operator::Frame, last, ("", rule), &[GOES_ON], edits);
    }
}
