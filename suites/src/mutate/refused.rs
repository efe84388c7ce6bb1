//! Requests: what must be refused is accepted, what must be accepted is refused.
//!
//! Owners, by the ledger: the requirements of the rows that the request breaks; `*.request.image-path.unreadable`,
//! `ocr.result.blank-picture`; and where two requests of one scenario differ in one row alone, the requirement that this
//! row may be left out, or is ignored. `integration.works-again` where the same plain call succeeded before.

use std::collections::BTreeSet;

use fincert_schemas::bridge::{Integration, Via};
use fincert_schemas::fixture::Kind;
use fincert_schemas::run::What;
use serde_json::{Value, json};

use super::settled::{Call, raw};
use super::{Edit, Maker, Operator};

/// Rows that may be left out, and whose requirement that is.
const OPTIONAL: [(&str, &str, &str); 3] = [
    ("finOpenOtherApp", "alertMsg", "open-app.request.alert-msg"),
    ("finOpenWitnessVideo", "loginPwd", "witness-video.request.login-pwd"),
    ("finOpenWitnessVideo", "roomPwd", "witness-video.request.room-pwd"),
];

pub(super) fn of_call(maker: &mut Maker<'_>, call: &Call<'_>) {
    if maker.clean.hello.integration == Integration::Absent {
        return;
    }
    let Some(answer) = call.answer.filter(|_| call.silence.is_none() && !call.succeeded()) else { return };
    let mut owners: Vec<String> = Vec::new();
    let mut rule = "";
    if !call.valid {
        owners.extend(call.broken.iter().filter(|owner| !owner.is_empty()).cloned());
        rule = "invalid-request";
    } else if call.is_unreadable() {
        owners.push(call.requirement("request.image-path.unreadable"));
        rule = "unreadable-picture";
    } else if call.specimen().is_some_and(|specimen| specimen.kind == Kind::Blank) && call.api == "finCardOcr" {
        owners.push("ocr.result.blank-picture".to_owned());
        rule = "blank-picture";
    }
    let owners: BTreeSet<&str> = owners.iter().map(String::as_str).collect();
    let owners: Vec<&str> = owners.into_iter().collect();
    let mut good = maker.donors.get(call.api, call.asked()).cloned().unwrap_or_else(|| json!({}));
    if let Some(rows) = good.as_object_mut() {
        rows.insert("errMsg".to_owned(), Value::from(format!("{}:ok", call.api)));
    }
    for (which, value) in [("good-result", good.clone()), ("bare-result", bare(call.api, &good))] {
        let what = What::Answer { id: call.id, via: Via::Success, value: Some(raw(value)), bytes: answer.bytes };
        let rule = format!("{rule}:{which}");
        maker.add(Operator::SwapRefusal, answer.event, ("", &rule), &owners, vec![Edit::Replace(answer.event, what)]);
    }
}

/// A success with nothing but what makes it one.
fn bare(api: &str, good: &Value) -> Value {
    match api {
        "finCardOcr" | "finFaceAuth" => json!({"errorCode": 0}),
        "finOpenWitnessVideo" => json!({"videoFlag": "0"}),
        "finLivenessCheck" => json!({"resultType": good.get("resultType").cloned().unwrap_or_default()}),
        _ => json!({}),
    }
}

pub(super) fn of_transcript(maker: &mut Maker<'_>, calls: &[Call<'_>]) {
    for call in calls.iter().filter(|call| call.succeeded()) {
        let Some(answer) = call.answer else { continue };
        for (row, owner) in excused(maker, call, calls) {
            let what = call.failing();
            let edits = vec![Edit::Replace(answer.event, what)];
            maker.add(Operator::SwapRefusal, answer.event, (&format!("/{row}"), "refused"), &[&owner], edits);
        }
        let before = |other: &&Call<'_>| other.event < call.event && other.is_control && other.succeeded();
        let same =
            |other: &Call<'_>| other.api == call.api && other.subject == call.subject && rows(other) == rows(call);
        if call.is_control && calls.iter().filter(before).any(same) {
            let edits = vec![Edit::Replace(answer.event, call.failing())];
            maker.add(Operator::SwapRefusal, answer.event, ("", "works-no-more"), &["integration.works-again"], edits);
        }
    }
}

/// The rows of a plain call; a specimen is told by what it is and not by its path, which is another each time.
fn rows(call: &Call<'_>) -> Value {
    let mut rows = call.request.clone();
    if let (Some(_), Some(rows)) = (call.subject, rows.as_object_mut()) {
        rows.shift_remove("imagePath");
    }
    rows
}

/// The rows in which the call alone differs from another one that works, with the requirement that says it may.
fn excused(maker: &Maker<'_>, call: &Call<'_>, calls: &[Call<'_>]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Some(rows) = call.request.as_object() else { return found };
    let others =
        || calls.iter().filter(|other| other.event != call.event && other.api == call.api && other.succeeded());
    for (api, row, owner) in OPTIONAL {
        let mut with = others().filter(|other| other.valid);
        let differs = |other: &Call<'_>| {
            let mut theirs = other.request.clone();
            let had = theirs.as_object_mut().and_then(|rows| rows.shift_remove(row)).is_some();
            had && theirs == call.request
        };
        if api == call.api && !rows.contains_key(row) && with.any(differs) {
            found.push((row.to_owned(), owner.to_owned()));
        }
    }
    let table = maker.law.catalog.rows(&format!("api/{}.request.json", call.api));
    let strange = |name: &String| table.is_none_or(|table| !table.contains_key(name));
    if let Some(extra) = rows.keys().find(|name| strange(name)) {
        let plain = |other: &Call<'_>| {
            other.subject == call.subject && other.request.as_object().is_some_and(|rows| !rows.keys().any(strange))
        };
        // The first call without such a row is the one that this is compared with.
        let first = calls.iter().find(|other| other.api == call.api && plain(other));
        if first.is_some_and(|first| first.event != call.event && first.succeeded()) {
            found.push((extra.clone(), call.requirement("request.unknown-field-ignored")));
        }
    }
    if call.api == "finLivenessCheck" && rows.is_empty() {
        let other = others().any(|other| !other.request.as_object().is_some_and(serde_json::Map::is_empty));
        if other {
            found.push((String::new(), "liveness.request.empty".to_owned()));
        }
    }
    found
}
