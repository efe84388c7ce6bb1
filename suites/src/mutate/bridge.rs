//! Faults of the bridge itself.
//!
//! Owners, by the ledger: what is no message breaks `bridge.clean-output`; a key that occurs twice or text that is no UTF-8
//! `bridge.well-formed-json`; an answer with an id that was never asked `bridge.answers-known-ids`; a method that nobody
//! documents and that is not refused with −32601 `bridge.unknown-method-refused`.

use fincert_schemas::bridge::{METHOD_NOT_FOUND, Via};
use fincert_schemas::catalog::{api_of, is_webrtc};
use fincert_schemas::run::{Reason, What};
use serde_json::json;

use super::settled::raw;
use super::{Edit, Maker, Operator};

pub(super) fn of_transcript(maker: &mut Maker<'_>) {
    let events = &maker.clean.raw.uncaptured().events;
    let is_call = |what: &What| matches!(what, What::Call { .. });
    let Some(first) = events.iter().position(|event| is_call(&event.what)) else { return };
    let answered = events.iter().position(|event| matches!(event.what, What::Answer { .. })).unwrap_or(first);
    for at in [answered + 1, events.len()] {
        frames(maker, at);
    }
    for (at, event) in events.iter().enumerate() {
        if let What::Refused { id, code, .. } = &event.what
            && *code == METHOD_NOT_FOUND
            && is_undocumented(maker, *id)
        {
            unknown_method(maker, at, *id);
        }
    }
}

fn frames(maker: &mut Maker<'_>, at: usize) {
    let bad = |fault: Reason, detail: &str, quote: &str| What::BadFrame {
        fault,
        detail: detail.to_owned(),
        quote: quote.to_owned(),
        bytes: quote.len() as u64,
    };
    let clean = "bridge.clean-output";
    let new = [
        ("log-line", bad(Reason::FrameNotJson, "line 1", "2026-11-29 INFO ready"), clean),
        ("too-deep", bad(Reason::FrameTooDeep, "64 levels", "[[[[[[[["), clean),
        ("too-large", bad(Reason::FrameTooLarge, "17000000 bytes", "{\"jsonrpc\""), clean),
        ("no-message", bad(Reason::NotAMessage, "neither result nor method", "{}"), clean),
        ("unknown-id", bad(Reason::UnknownId, "id 999999", "{\"id\":999999}"), "bridge.answers-known-ids"),
        ("duplicate-key", lexical("duplicate-key", "/result"), "bridge.well-formed-json"),
        ("invalid-utf8", lexical("invalid-utf8", "byte 17"), "bridge.well-formed-json"),
    ];
    for (rule, what, owner) in new {
        maker.add(Operator::Frame, at, ("", rule), &[owner], vec![Edit::Insert(at, what)]);
    }
}

fn lexical(fault: &str, at: &str) -> What {
    What::Lexical { fault: fault.to_owned(), at: at.to_owned() }
}

fn is_undocumented(maker: &Maker<'_>, wanted: u64) -> bool {
    maker.clean.raw.uncaptured().events.iter().any(|event| {
        matches!(&event.what, What::Call { id, method, .. } if *id == wanted && api_of(method).is_none() && !is_webrtc(method))
    })
}

fn unknown_method(maker: &mut Maker<'_>, at: usize, id: u64) {
    const OWNER: &str = "bridge.unknown-method-refused";
    let refused = |code| What::Refused { id, code, message: "no".to_owned() };
    let answer = |via| What::Answer { id, via, value: Some(raw(json!({}))), bytes: 40 };
    let new = [
        ("-32600", refused(-32600)),
        ("-32602", refused(-32602)),
        ("-32603", refused(-32603)),
        ("off-by-one", refused(METHOD_NOT_FOUND + 1)),
        ("success", answer(Via::Success)),
        ("fail", answer(Via::Fail)),
        ("no-response", What::NoResponse { id, deadline_ms: 5_000, alive: true }),
    ];
    for (rule, what) in new {
        maker.add(Operator::Frame, at, ("", rule), &[OWNER], vec![Edit::Replace(at, what)]);
    }
}
