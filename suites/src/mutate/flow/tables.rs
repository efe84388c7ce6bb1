//! Results, properties and events that break a rule of their table.

use fincert_schemas::catalog::is_webrtc;
use serde_json::{Map, Value};

use super::super::rules::{self, Rule};
use super::super::{Change, Edit, Maker, retype, values};
use super::view::{Flowed, Read};

pub(super) fn all(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    results(maker, flow);
    for event in flow.emitted.iter().filter(|event| event.timely && flow.pcs.contains(&event.handle)) {
        let table = format!("webrtc/{}.event.json", event.kind);
        of(maker, event.event, &table, event.value);
    }
    for (index, read) in flow.reads.iter().enumerate() {
        if flow.pcs.contains(&read.handle) && is_last_in_a_row(flow, index) {
            property(maker, read);
        }
    }
}

fn results(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    let table = |name: &str| match name {
        "getUserMedia" => Some("webrtc/stream.json".to_owned()),
        "enumerateDevices"
        | "getSupportedConstraints"
        | "createOffer"
        | "createAnswer"
        | "getConfiguration"
        | "getTracks" => Some(format!("webrtc/{name}.result.json")),
        _ => None,
    };
    for call in flow.calls.iter().filter(|call| is_webrtc(call.method) && matches!(call.purpose, None | Some("again")))
    {
        let (Some(answer), Some(table)) = (call.answer.filter(|_| call.succeeded()), table(call.name)) else {
            continue;
        };
        if let Some(value) = answer.value {
            of(maker, answer.event, &table, value);
        }
    }
}

/// Of a value that may hold objects of the target's: a table speaks of their plain values.
fn of(maker: &mut Maker<'_>, event: usize, table: &str, value: &Value) {
    let plain = plain(value);
    if plain == *value {
        values::of_value(maker, event, table, value);
        return;
    }
    for rule in rules::of(maker.law.catalog, table, &plain) {
        let rule = Rule { at: within(value, &rule.at), ..rule };
        put(maker, event, &rule, value);
    }
}

fn put(maker: &mut Maker<'_>, event: usize, rule: &Rule<'_>, value: &Value) {
    let Some(now) = value.pointer(&rule.at) else { return };
    if rule.keyword == "required" {
        values::required(maker, event, rule, value);
        return;
    }
    for (operator, name, new, alias) in retype::breaking(rule, now) {
        let change = Change { operator, event, at: &rule.at, rule: name, owners: &[rule.owner], alias };
        maker.make(change, vec![Edit::Set(event, rule.at.clone(), new)]);
    }
}

/// The value as its table sees it.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(rows) if rows.contains_key("$handle") => {
            rows.get("props").cloned().unwrap_or_else(|| Value::Object(Map::new()))
        }
        Value::Object(rows) => Value::Object(rows.iter().map(|(name, inner)| (name.clone(), plain(inner))).collect()),
        Value::Array(items) => Value::Array(items.iter().map(plain).collect()),
        other => other.clone(),
    }
}

/// A pointer into what the table sees, as one into the value.
fn within(value: &Value, at: &str) -> String {
    let mut pointer = String::new();
    for step in at.split('/').skip(1) {
        if value.pointer(&pointer).is_some_and(|here| here.get("$handle").is_some()) {
            pointer.push_str("/props");
        }
        pointer.push('/');
        pointer.push_str(step);
    }
    pointer
}

/// Of readings that were repeated only the last counts: a property may arrive asynchronously (rulings 3.2).
pub(super) fn is_last_in_a_row(flow: &Flowed<'_>, index: usize) -> bool {
    let (read, Some(next)) = (&flow.reads[index], flow.reads.get(index + 1)) else { return true };
    let between = |call: &&super::view::Call<'_>| {
        (read.event..next.event).contains(&call.event) && call.name != "addIceCandidate"
    };
    next.handle != read.handle || next.name != read.name || flow.calls.iter().any(|call| between(&call))
}

/// The row of a property.
fn property(maker: &mut Maker<'_>, read: &Read<'_>) {
    let Some(value) = read.value else { return };
    let whole = Value::Object(Map::from_iter([(read.name.to_owned(), value.clone())]));
    let head = format!("/{}", read.name);
    for rule in rules::of(maker.law.catalog, "webrtc/peerConnection.properties.json", &whole) {
        let Some(at) = rule.at.strip_prefix(&head).map(str::to_owned) else { continue };
        if at.is_empty() && rule.keyword == "required" {
            continue;
        }
        put(maker, read.event, &Rule { at, ..rule }, value);
    }
}
