//! The five events of a connection: that they come, once, in time, and with the state after the change.

use fincert_schemas::run::What;
use fincert_schemas::run::flow::{Act, Await, Flow};
use serde_json::{Value, json};

use super::super::settled::raw;
use super::super::{Edit, Maker, Operator};
use super::view::{Emitted, Flowed};

pub(super) fn all(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    listeners(maker, flow);
    for pc in flow.pcs.clone() {
        signaling(maker, flow, pc);
        ice(maker, flow, pc);
        negotiation(maker, flow, pc);
        tracks(maker, flow, pc);
        gathering(maker, flow, pc);
    }
    streams(maker, flow);
}

fn listeners(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    for (at, event) in flow.transcript.events.iter().enumerate() {
        let What::Listened { handle, kind, refused: None } = &event.what else { continue };
        let refused = Some("TypeError: addEventListener is not a function".to_owned());
        let what = What::Listened { handle: handle.clone(), kind: kind.clone(), refused };
        let owners = ["webrtc.pc.add-event-listener"];
        maker.add(Operator::SwapRefusal, at, ("", "listener"), &owners, vec![Edit::Replace(at, what)]);
    }
}

/// From the back, so that the indices of those before stay.
fn without(mut events: Vec<usize>) -> Vec<Edit> {
    events.sort_unstable_by(|a, b| b.cmp(a));
    events.into_iter().map(Edit::Delete).collect()
}

fn renamed(event: &Emitted<'_>, kind: &str) -> Edit {
    let value = raw(event.value.clone());
    Edit::Replace(
        event.event,
        What::Emitted { handle: event.handle.to_owned(), kind: kind.to_owned(), value, known: false },
    )
}

fn copy(event: &Emitted<'_>, value: Value) -> What {
    What::Emitted { handle: event.handle.to_owned(), kind: event.kind.to_owned(), value: raw(value), known: true }
}

/// Descriptions that change the state, each with the event that tells it.
fn signaling(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const KIND: &str = "signalingstatechange";
    const FIRES: &[&str] = &["webrtc.event.signalingstatechange"];
    let end = flow.closed(pc);
    let sets: Vec<_> = flow.of_pc(pc).filter(|call| call.sets_description() && call.event < end).collect();
    let mut state = "stable";
    for (index, call) in sets.iter().enumerate() {
        if !call.succeeded() {
            continue;
        }
        if call.purpose.is_some() {
            return;
        }
        let now = match (call.text("type"), call.name) {
            (Some("offer"), "setLocalDescription") => "have-local-offer",
            (Some("offer"), _) => "have-remote-offer",
            (Some("answer"), _) => "stable",
            _ => return,
        };
        let changed = std::mem::replace(&mut state, now) != now;
        if !changed || !flow.listens(pc, KIND, call.event) {
            continue;
        }
        let until = sets.get(index + 1).map_or(end, |next| next.event);
        let mine: Vec<_> =
            flow.events_of(pc, KIND).filter(|event| (call.event..until).contains(&event.event)).collect();
        let Some(event) = mine.first() else { continue };
        maker.add(Operator::Drop, event.event, ("", KIND), FIRES, without(mine.iter().map(|e| e.event).collect()));
        let other = mine.iter().map(|event| renamed(event, "signalingchange")).collect();
        maker.add(Operator::Rename, event.event, ("", KIND), FIRES, other);
        if event.event < call.answered() {
            let late = vec![Edit::Move(event.event, call.answered())];
            let owners = ["webrtc.event.signalingstatechange.before-promise"];
            maker.add(Operator::Late, event.event, ("", KIND), &owners, late);
        }
        for wrong in ["stable", "have-local-offer", "have-remote-offer"] {
            if wrong != now && event.value.get("signalingState").is_some_and(|told| told == now) {
                let edits = vec![Edit::Set(event.event, "/signalingState".to_owned(), json!(wrong))];
                let owners = ["webrtc.event.signalingstatechange.signaling-state"];
                maker.add(Operator::WrongState, event.event, ("/signalingState", wrong), &owners, edits);
            }
        }
    }
}

fn ice(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const KIND: &str = "iceconnectionstatechange";
    let Some(up) = flow.waits.iter().find(|wait| wait.what == Await::PeerConnected && wait.met) else { return };
    let end = flow.closed(pc);
    let reached =
        |value: &Value| value.as_str().is_some_and(|state| matches!(state, "connected" | "completed" | "failed"));
    let shown = flow
        .reads_of(pc, "iceConnectionState")
        .find(|read| (up.event..end).contains(&read.event) && read.value.is_some_and(reached));
    let Some(shown) = shown.filter(|_| flow.listens(pc, KIND, end)) else { return };
    // A property may be ahead of its event; where close follows at once the event may never come, and nobody is at fault.
    let events = &flow.transcript.events;
    let time = |at: usize| events.get(at).or(events.last()).map_or(0, |event| event.at_us);
    let had_time = time(end).saturating_sub(time(shown.event)) >= 500_000;
    let all: Vec<_> = flow.events_of(pc, KIND).filter(|event| event.event < end).collect();
    let Some(first) = all.first() else { return };
    let fires = ["webrtc.event.iceconnectionstatechange"];
    if had_time {
        let every: Vec<_> = flow.events_of(pc, KIND).map(|event| event.event).collect();
        maker.add(Operator::Drop, first.event, ("", KIND), &fires, without(every));
        let other = all.iter().map(|event| renamed(event, "icestatechange")).collect();
        maker.add(Operator::Rename, first.event, ("", KIND), &fires, other);
    }
    let behind = all.iter().map(|event| Edit::Set(event.event, "/iceConnectionState".to_owned(), json!("checking")));
    let owners = ["webrtc.event.iceconnectionstatechange.ice-connection-state"];
    if had_time && all.len() > 1 {
        maker.add(Operator::WrongState, first.event, ("/iceConnectionState", "of-before"), &owners, behind.collect());
    }
    // Back to an earlier state without a restart, while the call is up.
    let restarts = flow.acts.iter().any(|(act, _)| matches!(act, Act::TargetRestartsIce | Act::FincertRestartsIce));
    let is_call = matches!(flow.flow, Flow::Call | Flow::TwoCalls);
    let is_up = |value: &Value| matches!(value.as_str(), Some("connected" | "completed"));
    let up_event = all.iter().rev().find(|event| event.value.get("iceConnectionState").is_some_and(is_up));
    if let Some(event) = up_event.filter(|_| !restarts && is_call && !flow.with.wrong_fingerprint) {
        for state in ["checking", "new"] {
            let mut value = event.value.clone();
            value["iceConnectionState"] = json!(state);
            let back = vec![Edit::Insert(event.event + 1, copy(event, value))];
            let owners = ["webrtc.pc.ice-connection-state.order"];
            maker.add(Operator::Reorder, event.event, ("", &format!("back-to-{state}")), &owners, back);
        }
    }
}

fn negotiation(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const KIND: &str = "negotiationneeded";
    let Some(added) = flow.of_pc(pc).find(|call| call.name == "addTrack" && call.succeeded() && call.purpose.is_none())
    else {
        return;
    };
    let next = flow.of_pc(pc).find(|call| call.sets_description() || call.name == "close");
    let span = added.event..next.map_or(flow.end, |call| call.event);
    if !flow.listens(pc, KIND, added.event) || span.is_empty() {
        return;
    }
    let mine: Vec<_> = flow.events_of(pc, KIND).filter(|event| span.contains(&event.event)).collect();
    let Some(first) = mine.first() else { return };
    let once = ["webrtc.event.negotiationneeded.once"];
    let again = vec![Edit::Insert(first.event + 1, copy(first, first.value.clone()))];
    maker.add(Operator::Duplicate, first.event, ("", KIND), &once, again);
    if flow.flow == Flow::Connection {
        let owners = ["webrtc.event.negotiationneeded"];
        maker.add(Operator::Drop, first.event, ("", KIND), &owners, without(mine.iter().map(|e| e.event).collect()));
        let other = mine.iter().map(|event| renamed(event, "needsnegotiation")).collect();
        maker.add(Operator::Rename, first.event, ("", KIND), &owners, other);
    }
}

fn tracks(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const KIND: &str = "track";
    // What is done with media that is rejected is another requirement's.
    if flow.with.unsupported_codec {
        return;
    }
    let end = flow.closed(pc);
    let remote: Vec<_> = flow
        .of_pc(pc)
        .filter(|call| {
            call.name == "setRemoteDescription" && call.purpose.is_none() && call.succeeded() && call.event < end
        })
        .collect();
    for (index, call) in remote.iter().enumerate() {
        if !flow.listens(pc, KIND, call.event) {
            return;
        }
        let until = remote.get(index + 1).map_or(end, |next| next.event);
        let mine: Vec<_> =
            flow.events_of(pc, KIND).filter(|event| (call.event..until).contains(&event.event)).collect();
        let Some(first) = mine.first() else { continue };
        let mut owners = vec!["webrtc.event.track"];
        if flow.acts.iter().any(|(act, span)| *act == Act::FincertAddsVideo && span.contains(&call.event)) {
            owners.push("webrtc.event.track.added-later");
        }
        maker.add(Operator::Drop, first.event, ("", KIND), &owners, without(mine.iter().map(|e| e.event).collect()));
        let other = mine.iter().map(|event| renamed(event, "addtrack")).collect();
        maker.add(Operator::Rename, first.event, ("", KIND), &owners, other);
        for event in &mine {
            let once = ["webrtc.event.track.once"];
            let again = vec![Edit::Insert(event.event + 1, copy(event, event.value.clone()))];
            maker.add(Operator::Duplicate, event.event, ("", KIND), &once, again);
            if mine.len() > 1 {
                maker.add(Operator::Drop, event.event, ("", "one-track"), &once, vec![Edit::Delete(event.event)]);
            }
        }
    }
}

fn ends(event: &Emitted<'_>) -> bool {
    let candidate = event.value.get("candidate").unwrap_or(&Value::Null);
    match candidate {
        Value::Null => true,
        Value::Object(rows) => rows.is_empty() || rows.get("candidate").is_some_and(|text| text == ""),
        _ => false,
    }
}

fn gathering(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const KIND: &str = "icecandidate";
    let Some(set) = flow.of_pc(pc).find(|call| call.name == "setLocalDescription") else { return };
    if !flow.listens(pc, KIND, set.event) {
        return;
    }
    let all: Vec<_> = flow.events_of(pc, KIND).collect();
    let Some(first) = all.first() else { return };
    if first.event > set.event {
        // Between the listener and the first description.
        let at = flow.transcript.events[..set.event].iter().rposition(
            |event| matches!(&event.what, What::Listened { handle, kind, .. } if handle == pc && kind == KIND),
        );
        let early = vec![Edit::Move(first.event, at.map_or(set.event, |at| at + 1))];
        let owners = ["webrtc.event.icecandidate.after-local-description"];
        maker.add(Operator::Reorder, first.event, ("", KIND), &owners, early);
    }
    for event in &all {
        if event.value.is_object() {
            for (rule, name) in [("type", "/type"), ("url", "/url")] {
                let edits = vec![Edit::Set(event.event, name.to_owned(), json!("icecandidate"))];
                let owners = ["webrtc.event.icecandidate.only-candidate"];
                maker.add(Operator::BreakRule, event.event, (name, rule), &owners, edits);
            }
        }
    }
    if !set.succeeded() || set.purpose.is_some() {
        return;
    }
    let until = flow.closed(pc);
    let complete = flow
        .reads_of(pc, "iceGatheringState")
        .any(|read| (set.event..until).contains(&read.event) && read.value.is_some_and(|state| state == "complete"));
    let (last, some): (Vec<&Emitted<'_>>, Vec<&Emitted<'_>>) = all.iter().copied().partition(|event| ends(event));
    if complete && let Some(first) = last.first() {
        let owners = ["webrtc.event.icecandidate.end"];
        maker.add(Operator::Drop, first.event, ("", "end"), &owners, without(last.iter().map(|e| e.event).collect()));
    }
    if let Some(first) = some.first().filter(|_| complete || !last.is_empty()) {
        let owners = ["webrtc.event.icecandidate"];
        maker.add(Operator::Drop, first.event, ("", KIND), &owners, without(some.iter().map(|e| e.event).collect()));
        let other = some.iter().map(|event| renamed(event, "candidate")).collect();
        maker.add(Operator::Rename, first.event, ("", KIND), &owners, other);
    }
}

/// No two streams share a streamId.
fn streams(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    let made: Vec<_> = flow
        .calls
        .iter()
        .filter(|call| call.name == "getUserMedia" && call.succeeded())
        .filter_map(|call| {
            let answer = call.answer?;
            Some((
                answer.event,
                answer.value?.get("$handle")?.as_str()?,
                answer.value?.pointer("/props/streamId")?.clone(),
            ))
        })
        .collect();
    for pair in made.windows(2) {
        let [(_, first, id), (event, second, _)] = pair else { continue };
        if first != second {
            let edits = vec![Edit::Set(*event, "/props/streamId".to_owned(), id.clone())];
            let owners = ["webrtc.stream.stream-id.not-empty"];
            maker.add(Operator::BreakDependency, *event, ("/props/streamId", "shared"), &owners, edits);
        }
    }
}
