//! Properties that tell another state than the true one. What is read was waited for: the mutants say that each reading
//! took many polls, so that no host is accused for being asynchronous.

use std::ops::Range;

use fincert_schemas::run::What;
use fincert_schemas::run::flow::{Await, Network};
use serde_json::{Value, json};

use super::super::settled::raw;
use super::super::{Change, Edit, Maker, Operator};
use super::view::{Call, Flowed, Read};

/// Properties, and the requirement of each.
const PROPERTIES: [(&str, &str); 9] = [
    ("canTrickleIceCandidates", "webrtc.pc.can-trickle-ice-candidates"),
    ("conectionState", "webrtc.pc.conection-state"),
    ("currentLocalDescription", "webrtc.pc.current-local-description"),
    ("currentRemoteDescription", "webrtc.pc.current-remote-description"),
    ("iceConnectionState", "webrtc.pc.ice-connection-state"),
    ("iceGatheringState", "webrtc.pc.ice-gathering-state"),
    ("localDescription", "webrtc.pc.local-description"),
    ("remoteDescription", "webrtc.pc.remote-description"),
    ("signalingState", "webrtc.pc.signaling-state"),
];
/// So often was read what a mutant shows.
const POLLS: u32 = 9;
const WRONG: Operator = Operator::WrongState;

pub(super) fn all(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    for pc in flow.pcs.clone() {
        initial(maker, flow, pc);
        signaling(maker, flow, pc);
        descriptions(maker, flow, pc);
        can_trickle(maker, flow, pc);
        closed(maker, flow, pc);
        gathering(maker, flow, pc);
        unchanged_by_offer(maker, flow, pc);
        missing(maker, flow, pc);
        identity(maker, flow, pc);
    }
    connected(maker, flow);
}

/// The reading with another value, waited for; no value is undefined.
fn shows(read: &Read<'_>, value: Option<Value>) -> Edit {
    Edit::Replace(
        read.event,
        What::Read {
            handle: read.handle.to_owned(),
            name: read.name.to_owned(),
            value: value.map(raw),
            refused: None,
            polls: POLLS,
        },
    )
}

/// The last reading of a property within positions.
fn last<'v, 'a>(flow: &'v Flowed<'a>, pc: &'v str, name: &'v str, span: &Range<usize>) -> Option<&'v Read<'a>> {
    flow.reads_of(pc, name).rfind(|read| span.contains(&read.event))
}

fn initial(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const OWNER: &str = "webrtc.pc.initial-values";
    let until = flow.of_pc(pc).next().map_or(flow.end, |call| call.event);
    for (name, _) in PROPERTIES.iter().filter(|(name, _)| *name != "canTrickleIceCandidates") {
        let Some(read) = last(flow, pc, name, &(0..until)).filter(|read| read.value.is_some()) else { continue };
        let wrong = match read.value {
            Some(Value::Null) => json!({"type": "offer", "sdp": "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"}),
            _ if *name == "signalingState" => json!("have-local-offer"),
            _ if *name == "iceGatheringState" => json!("complete"),
            _ => json!("closed"),
        };
        maker.add(WRONG, read.event, ("", "at-first"), &[OWNER], vec![shows(read, Some(wrong))]);
        maker.add(Operator::Drop, read.event, ("", "at-first"), &[OWNER], vec![shows(read, None)]);
    }
}

/// One description that a connection took, with the positions in which it is the last.
struct Taken<'v, 'a> {
    call: &'v Call<'a>,
    local: bool,
    kind: &'v str,
    span: Range<usize>,
}

fn taken<'v, 'a>(flow: &'v Flowed<'a>, pc: &'v str) -> Vec<Taken<'v, 'a>> {
    let end = flow.closed(pc);
    let sets: Vec<_> = flow.of_pc(pc).filter(|call| call.sets_description() && call.event < end).collect();
    let mut taken = Vec::new();
    for (index, call) in sets.iter().enumerate() {
        if !call.succeeded() {
            continue;
        }
        if call.purpose.is_some() {
            break;
        }
        let until = sets.get(index + 1).map_or(end, |next| next.event);
        let Some(kind) = call.text("type") else { continue };
        taken.push(Taken { call, local: call.name == "setLocalDescription", kind, span: call.answered()..until });
    }
    taken
}

fn signaling(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    for step in taken(flow, pc) {
        let state = match (step.kind, step.local) {
            ("offer", true) => "have-local-offer",
            ("offer", false) => "have-remote-offer",
            ("answer", _) => "stable",
            _ => continue,
        };
        let owner = format!("webrtc.pc.signaling-state.{state}");
        let reads: Vec<_> =
            flow.reads_of(pc, "signalingState").filter(|read| step.span.contains(&read.event)).collect();
        let Some(first) = reads.first() else { continue };
        for wrong in ["stable", "have-local-offer", "have-remote-offer", "closed", "no-such-state"] {
            if wrong != state {
                let edits = reads.iter().map(|read| shows(read, Some(json!(wrong)))).collect();
                maker.add(WRONG, first.event, ("", wrong), &[&owner], edits);
            }
        }
    }
}

fn descriptions(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    let steps = taken(flow, pc);
    for (index, step) in steps.iter().enumerate() {
        let names: &[&str] = match (step.kind, step.local) {
            ("offer", true) => &["localDescription"],
            ("offer", false) => &["remoteDescription"],
            // It answers the offer before it.
            ("answer", _) if index > 0 => {
                &["localDescription", "remoteDescription", "currentLocalDescription", "currentRemoteDescription"]
            }
            _ => continue,
        };
        for name in names {
            let Some(read) = last(flow, pc, name, &step.span) else { continue };
            let Some(value @ Value::Object(rows)) = read.value else { continue };
            let owner = requirement(name);
            let kind = rows.get("type").and_then(Value::as_str).unwrap_or_default();
            let other = if kind == "offer" { "answer" } else { "offer" };
            let mut swapped = value.clone();
            swapped["type"] = json!(other);
            maker.add(WRONG, read.event, ("/type", "other-kind"), &[owner], vec![shows(read, Some(swapped))]);
            maker.add(WRONG, read.event, ("", "null"), &[owner], vec![shows(read, Some(Value::Null))]);
            if let Some(sdp) = rows.get("sdp").and_then(Value::as_str).and_then(of_another_session) {
                let mut other = value.clone();
                other["sdp"] = json!(sdp);
                maker.add(WRONG, read.event, ("/sdp", "another-session"), &[owner], vec![shows(read, Some(other))]);
            }
        }
        if index == 0 && step.kind == "offer" {
            too_early(maker, flow, pc, step);
        }
    }
}

/// A current description before the offer is answered.
fn too_early(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str, step: &Taken<'_, '_>) {
    for name in ["currentLocalDescription", "currentRemoteDescription"] {
        let Some(read) = last(flow, pc, name, &step.span).filter(|read| read.value == Some(&Value::Null)) else {
            continue;
        };
        let edits = vec![shows(read, Some(step.call.request.clone()))];
        maker.add(WRONG, read.event, ("", "too-early"), &[requirement(name)], edits);
    }
}

/// The same text with another session id in its o-line (RFC 8866 section 5.2).
fn of_another_session(sdp: &str) -> Option<String> {
    let line = sdp.lines().find(|line| line.starts_with("o="))?;
    let mut words: Vec<&str> = line.split(' ').collect();
    let id = format!("{}7", words.get(1)?);
    *words.get_mut(1)? = &id;
    Some(sdp.replacen(line, &words.join(" "), 1))
}

fn requirement(name: &str) -> &'static str {
    PROPERTIES.iter().find(|(known, _)| *known == name).map_or("", |(_, owner)| owner)
}

fn can_trickle(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const NAME: &str = "canTrickleIceCandidates";
    let owner = requirement(NAME);
    let first = flow.of_pc(pc).find(|call| call.name == "setRemoteDescription").map_or(flow.end, |call| call.event);
    if let Some(read) = last(flow, pc, NAME, &(0..first.min(flow.closed(pc)))).filter(|read| read.value.is_some()) {
        for (rule, value) in [("true-too-early", true), ("false-too-early", false)] {
            maker.add(WRONG, read.event, ("", rule), &[owner], vec![shows(read, Some(json!(value)))]);
        }
    }
    let remote: Vec<_> = taken(flow, pc).into_iter().filter(|step| !step.local).collect();
    for (index, step) in remote.iter().enumerate() {
        let until = remote.get(index + 1).map_or(flow.closed(pc), |next| next.call.event);
        let Some(read) = last(flow, pc, NAME, &(step.span.start..until)) else { continue };
        let Some(Value::Bool(says)) = read.value else { continue };
        maker.add(WRONG, read.event, ("", "the-other"), &[owner], vec![shows(read, Some(json!(!says)))]);
        maker.add(WRONG, read.event, ("", "null"), &[owner], vec![shows(read, Some(Value::Null))]);
    }
}

fn closed(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const OWNER: &str = "webrtc.pc.close.states";
    let Some(close) = flow.of_pc(pc).find(|call| call.name == "close" && call.succeeded()) else { return };
    let next = flow
        .of_pc(pc)
        .find(|call| call.event > close.answered() && (call.name != "addIceCandidate" || call.purpose.is_some()));
    let span = close.answered()..next.map_or(flow.end, |call| call.event);
    let names = ["signalingState", "iceConnectionState", "conectionState"];
    let reads: Vec<_> =
        names.iter().filter_map(|name| last(flow, pc, name, &span)).filter(|read| read.value.is_some()).collect();
    let open = |read: &Read<'_>| if read.name == "signalingState" { json!("stable") } else { json!("connected") };
    for read in &reads {
        maker.add(WRONG, read.event, ("", "open-after-close"), &[OWNER], vec![shows(read, Some(open(read)))]);
    }
    if let Some(first) = reads.first() {
        // conectionState may be read by its alias as well.
        let all = reads.iter().map(|read| shows(read, Some(open(read)))).collect();
        maker.add(WRONG, first.event, ("", "nothing-closed"), &["webrtc.pc.close", OWNER], all);
    }
    let again = flow.of_pc(pc).find(|call| call.purpose == Some("close-again") && call.succeeded());
    if let Some(again) = again {
        for read in &reads {
            let after =
                flow.reads_of(pc, read.name).find(|later| later.event > again.answered() && later.value.is_some());
            if let Some(after) = after.filter(|_| read.value.is_some_and(|state| state == "closed")) {
                let edits = vec![shows(after, Some(open(read)))];
                maker.add(WRONG, after.event, ("", "open-after-second-close"), &["webrtc.pc.close.twice"], edits);
            }
        }
    }
}

fn gathering(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const NAME: &str = "iceGatheringState";
    let owner = requirement(NAME);
    let reads: Vec<_> = flow.reads_of(pc, NAME).filter(|read| read.value.is_some()).collect();
    let is = |read: &Read<'_>, state: &str| read.value.is_some_and(|value| value == state);
    let has_media = |call: &&Call<'_>| {
        call.name == "setLocalDescription"
            && call.succeeded()
            && call.purpose.is_none()
            && call.text("sdp").is_some_and(|sdp| sdp.contains("\nm="))
    };
    let set = flow.of_pc(pc).find(has_media).map(|call| call.event);
    let until = flow.closed(pc);
    let after: Vec<_> =
        reads.iter().filter(|read| set.is_some_and(|set| set < read.event) && read.event < until).collect();
    let complete = after.last().filter(|read| is(read, "complete"));
    if let Some(read) = complete.filter(|_| matches!(flow.with.network, Network::Host | Network::Ipv6)) {
        // All that were read say so, so that no step back is what is seen.
        for state in ["new", "gathering"] {
            let edits = after.iter().map(|read| shows(read, Some(json!(state)))).collect();
            maker.add(WRONG, read.event, ("", &format!("for-ever-{state}")), &[owner], edits);
        }
    }
    if let Some(read) = complete {
        let back = What::Read {
            handle: read.handle.to_owned(),
            name: NAME.to_owned(),
            value: Some(raw(json!("new"))),
            refused: None,
            polls: POLLS,
        };
        maker.add(
            Operator::Reorder,
            read.event,
            ("", "back-to-new"),
            &[owner],
            vec![Edit::Insert(read.event + 1, back)],
        );
    }
}

/// createOffer changes no state.
fn unchanged_by_offer(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    const OWNER: &str = "webrtc.pc.create-offer.no-state-change";
    let offers = flow.of_pc(pc).filter(|call| call.name == "createOffer" && call.purpose.is_none() && call.succeeded());
    for offer in offers {
        for name in ["signalingState", "localDescription"] {
            let Some(before) = flow.reads_of(pc, name).rfind(|read| read.event < offer.event) else { continue };
            let Some(after) = flow.reads_of(pc, name).find(|read| read.event > offer.answered()) else { continue };
            let foreign = |call: &Call<'_>| {
                call.event != offer.event
                    && call.name != "addIceCandidate"
                    && (before.event..after.event).contains(&call.event)
            };
            if before.value.is_none() || after.value.is_none() || flow.of_pc(pc).any(foreign) {
                continue;
            }
            let wrong = match name {
                "signalingState" if before.value.is_some_and(|state| state == "stable") => json!("have-local-offer"),
                "signalingState" => json!("stable"),
                _ => match offer.answer.and_then(|answer| answer.value) {
                    Some(offer) if Some(offer) != before.value => offer.clone(),
                    _ => continue,
                },
            };
            maker.add(WRONG, after.event, ("", "after-createOffer"), &[OWNER], vec![shows(after, Some(wrong))]);
        }
    }
}

/// A property that is never there, or there under its alias alone.
fn missing(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    for (name, owner) in PROPERTIES {
        let reads: Vec<_> = flow.reads_of(pc, name).collect();
        let Some(first) = reads.first().filter(|_| reads.iter().any(|read| read.value.is_some())) else { continue };
        let alias = name == "conectionState";
        let others = alias && flow.reads_of(pc, "connectionState").any(|read| read.value.is_some());
        if !others {
            let none = reads.iter().map(|read| shows(read, None)).collect();
            maker.add(Operator::Drop, first.event, ("", &format!("{name}:undefined")), &[owner], none);
            let refused = |read: &Read<'_>| {
                let (handle, name) = (read.handle.to_owned(), read.name.to_owned());
                let refused = Some("error -32602: no such property".to_owned());
                Edit::Replace(read.event, What::Read { handle, name, value: None, refused, polls: 1 })
            };
            let refused = reads.iter().map(|read| refused(read)).collect();
            maker.add(Operator::Frame, first.event, ("", &format!("{name}:refused")), &[owner], refused);
        }
        if alias && !others {
            let renamed = |read: &Read<'_>| {
                let (handle, name, value) = (read.handle.to_owned(), "connectionState".to_owned(), read.value.cloned());
                Edit::Replace(
                    read.event,
                    What::Read { handle, name, value: value.map(raw), refused: None, polls: POLLS },
                )
            };
            let edits = reads.iter().map(|read| renamed(read)).collect();
            let change = Change {
                operator: Operator::Rename,
                event: first.event,
                at: "",
                rule: "conectionState:alias",
                owners: &[owner],
                alias: true,
            };
            maker.make(change, edits);
        }
    }
}

fn identity(maker: &mut Maker<'_>, flow: &Flowed<'_>, pc: &str) {
    let Some(read) = flow.reads_of(pc, "peerIdentity").next_back() else { return };
    for (rule, value) in [("text", json!("someone")), ("object", json!({"idp": "example.com"})), ("number", json!(1))] {
        maker.add(
            Operator::Retype,
            read.event,
            ("", rule),
            &["webrtc.pc.peer-identity"],
            vec![shows(read, Some(value))],
        );
    }
}

/// What the target says of a connection that fincert knows to be up.
fn connected(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    let peer_was = |before: usize| {
        flow.waits.iter().rfind(|wait| wait.event < before && wait.what == Await::PeerConnected).filter(|wait| wait.met)
    };
    for wait in flow.waits.iter().filter(|wait| wait.what == Await::TargetConnected && wait.met) {
        let Some(since) = peer_was(wait.event) else { continue };
        let span = since.event..wait.event;
        let reads = |name: &str| {
            flow.reads.iter().rfind(|read| read.name == name && span.contains(&read.event) && read.value.is_some())
        };
        if let Some(read) = reads("conectionState") {
            for state in ["new", "connecting", "no-such-state"] {
                let edits = vec![shows(read, Some(json!(state)))];
                maker.add(WRONG, read.event, ("", state), &["webrtc.pc.conection-state"], edits);
            }
        }
        // What is said in setting up the call counts.
        if flow.set_up().contains(&wait.event)
            && let Some(read) = reads("iceConnectionState")
        {
            for state in ["new", "checking", "no-such-state"] {
                let edits = vec![shows(read, Some(json!(state)))];
                maker.add(WRONG, read.event, ("", state), &["webrtc.pc.ice-connection-state"], edits);
            }
        }
    }
}
