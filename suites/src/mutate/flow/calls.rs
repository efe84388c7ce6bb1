//! Methods: that they give a promise, that they work, that they answer once; and what must be refused.

use fincert_schemas::bridge::{METHOD_NOT_FOUND, Via};
use fincert_schemas::run::What;
use fincert_schemas::run::flow::{Candidates, Flow};
use serde_json::{Value, json};

use super::super::settled::raw;
use super::super::{Edit, Maker, Operator};
use super::view::{Answer, Call, Flowed};

/// Methods with the requirement that they work, and the one that they return a promise.
const METHODS: [(&str, &str, &str); 14] = [
    ("enumerateDevices", "webrtc.media-devices.enumerate-devices", "webrtc.media-devices.enumerate-devices"),
    (
        "getSupportedConstraints",
        "webrtc.media-devices.get-supported-constraints",
        "webrtc.media-devices.get-supported-constraints",
    ),
    ("getUserMedia", "webrtc.media-devices.get-user-media", "webrtc.media-devices.get-user-media"),
    ("getTracks", "webrtc.stream.get-tracks", "webrtc.stream.get-tracks"),
    ("createRTCPeerConnection", "webrtc.pc.create", "webrtc.pc.create"),
    ("createOffer", "webrtc.pc.create-offer", "webrtc.pc.create-offer"),
    ("createAnswer", "webrtc.pc.create-answer", "webrtc.pc.create-answer"),
    ("setLocalDescription", "webrtc.pc.set-local-description", "webrtc.pc.set-local-description"),
    ("setRemoteDescription", "webrtc.pc.set-remote-description", "webrtc.pc.set-remote-description"),
    ("addIceCandidate", "webrtc.pc.add-ice-candidate", "webrtc.pc.add-ice-candidate.promise"),
    ("getConfiguration", "webrtc.pc.get-configuration", "webrtc.pc.get-configuration"),
    ("addTrack", "webrtc.pc.add-track", "webrtc.pc.add-track.promise"),
    // Rulings 3.2: close and stop may return a promise or not.
    ("close", "webrtc.pc.close", ""),
    ("stop", "webrtc.track.stop", ""),
];

/// Methods whose result is wanted, with the requirement that says what it is.
const RESULTS: [(&str, &str); 7] = [
    ("enumerateDevices", "webrtc.media-devices.enumerate-devices.result"),
    ("getSupportedConstraints", "webrtc.media-devices.get-supported-constraints.result"),
    ("getUserMedia", "webrtc.stream"),
    ("getTracks", "webrtc.stream.get-tracks"),
    ("createOffer", "webrtc.pc.create-offer.result"),
    ("createAnswer", "webrtc.pc.create-answer.result"),
    ("getConfiguration", "webrtc.pc.get-configuration"),
];

/// Options of createOffer and createAnswer with the ends of their requirements.
const OPTIONS: [(&str, &str); 4] = [
    ("iceRestart", "ice-restart"),
    ("offerToReceiveAudio", "offer-to-receive-audio"),
    ("offerToReceiveVideo", "offer-to-receive-video"),
    ("voiceActivityDetection", "voice-activity-detection"),
];

/// What is wrong with a call that must be refused, and the requirement that says so.
const PURPOSES: [(&str, &str); 22] = [
    ("bad-url", "webrtc.pc.create.invalid-options"),
    ("turn-without-credential", "webrtc.pc.create.invalid-options"),
    ("bad-policy", "webrtc.pc.create.invalid-options"),
    ("create-answer-in-stable", "webrtc.pc.create-answer.in-stable"),
    ("answer-in-stable", "webrtc.pc.set-remote-description.answer-in-stable"),
    ("garbage-empty", "webrtc.pc.set-description.garbage"),
    ("garbage-text", "webrtc.pc.set-description.garbage"),
    ("garbage-object", "webrtc.pc.set-description.garbage"),
    ("description-string", "webrtc.pc.set-description.garbage"),
    ("garbage-type", "webrtc.pc.set-description.unknown-type"),
    ("no-ufrag", "webrtc.pc.set-description.incomplete"),
    ("no-fingerprint", "webrtc.pc.set-description.incomplete"),
    ("candidate-before-description", "webrtc.pc.add-ice-candidate.before-remote-description"),
    ("candidate-early", "webrtc.pc.add-ice-candidate.before-remote-description"),
    ("candidate-unknown-mid", "webrtc.pc.add-ice-candidate.invalid"),
    ("candidate-unknown-index", "webrtc.pc.add-ice-candidate.invalid"),
    ("candidate-malformed", "webrtc.pc.add-ice-candidate.invalid"),
    ("track-twice", "webrtc.pc.add-track.twice-or-closed"),
    ("track-invalid", "webrtc.pc.add-track.invalid"),
    ("after-close", "webrtc.pc.close.methods-after"),
    ("neither", "webrtc.media-devices.get-user-media.neither"),
    ("configuration-after-close", "webrtc.pc.close.methods-after"),
];

/// Calls that the specification wants to work although they are no ordinary ones.
const HARMLESS: [(&str, &str); 4] = [
    ("no-options", "webrtc.pc.create.without-options"),
    ("second-argument", "webrtc.pc.create.second-argument"),
    ("candidate-empty", "webrtc.pc.add-ice-candidate.empty"),
    ("close-again", "webrtc.pc.close.twice"),
];

pub(super) fn all(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    for call in &flow.calls {
        let Some(answer) = call.answer else { continue };
        once(maker, call, answer);
        match call.purpose {
            None if call.succeeded() => ordinary(maker, flow, call, answer),
            None => {}
            Some("glare") => hangs(maker, call, answer, &["webrtc.call.glare"]),
            Some("again") => {
                hangs(maker, call, answer, &["webrtc.media-devices.get-user-media.again", "integration.answers"])
            }
            Some(purpose) => special(maker, flow, call, answer, purpose),
        }
    }
}

fn rejection() -> Value {
    json!({"name": "OperationError", "message": "no"})
}

fn answer_of(call: &Call<'_>, via: Via, value: Option<Value>) -> What {
    What::Answer { id: call.id, via, value: value.map(raw), bytes: 64 }
}

/// No call is settled twice.
fn once(maker: &mut Maker<'_>, call: &Call<'_>, answer: Answer<'_>) {
    const ONCE: &[&str] = &["integration.answers-once"];
    let again = || answer_of(call, answer.via, answer.value.cloned());
    maker.add(Operator::Duplicate, answer.event, ("", "answer"), ONCE, vec![Edit::Insert(answer.event + 1, again())]);
    maker.add(Operator::Late, answer.event, ("", "answer"), ONCE, vec![Edit::Stray(again())]);
    let other = if answer.via.is_success() { Via::Reject } else { Via::Resolve };
    let edits = vec![Edit::Insert(answer.event + 1, answer_of(call, other, None))];
    maker.add(Operator::Duplicate, answer.event, ("", "and-otherwise"), ONCE, edits);
}

/// The requirements that say that a call of a method without a purpose works.
fn owners<'o>(flow: &Flowed<'_>, call: &Call<'_>, method: &'o str) -> Vec<std::borrow::Cow<'o, str>> {
    use std::borrow::Cow;
    let options = call.request.as_object().is_some_and(|options| !options.is_empty());
    let mut owners: Vec<Cow<'o, str>> = Vec::new();
    match call.name {
        "createOffer" | "createAnswer" => {
            // A call with options breaks the sentence of the method or of the options; which, only a call without tells.
            let given = OPTIONS.iter().filter(|(option, _)| call.request.get(option).is_some());
            owners.extend(given.map(|(_, end)| Cow::Owned(format!("{method}.{end}"))));
            owners.push(Cow::Borrowed(method));
        }
        "createRTCPeerConnection" if options => {
            owners.extend([Cow::Borrowed("webrtc.pc.create.options"), Cow::Borrowed(method)]);
        }
        "addIceCandidate" if flow.with.candidates == Candidates::Duplicate => {
            // The second time it may be refused by the one sentence, and be answered by the other.
            owners.extend([Cow::Borrowed(method), Cow::Borrowed("webrtc.candidate.duplicate")]);
        }
        "addIceCandidate" if flow.with.candidates == Candidates::Late => {
            owners.extend([Cow::Borrowed(method), Cow::Borrowed("webrtc.candidate.late")]);
        }
        _ => owners.push(Cow::Borrowed(method)),
    }
    if flow.with.unsupported_codec && matches!(call.name, "setRemoteDescription" | "createAnswer") {
        // A codec that nobody has is rejected by the m-line, not by the method.
        owners.push(Cow::Borrowed("webrtc.sdp.unsupported-rejected"));
    }
    if flow.flow == Flow::Glare {
        owners.push(Cow::Borrowed("webrtc.call.glare"));
    }
    owners
}

fn ordinary(maker: &mut Maker<'_>, flow: &Flowed<'_>, call: &Call<'_>, answer: Answer<'_>) {
    let Some((_, works, promises)) = METHODS.iter().find(|(name, ..)| *name == call.name) else { return };
    let closed = call.handle.map_or(flow.end, |pc| flow.closed(pc));
    let event = answer.event;
    // A candidate that close overtakes is nobody's fault.
    if call.name == "addIceCandidate" && event > closed {
        return;
    }
    let after_glare = flow.calls.iter().any(|other| other.purpose == Some("glare") && other.event < call.event);
    if !promises.is_empty() && answer.via == Via::Resolve && !(after_glare && call.sets_description()) {
        let returned = answer_of(call, Via::Return, answer.value.cloned());
        maker.add(Operator::SwapCallback, event, ("", "return"), &[promises], vec![Edit::Replace(event, returned)]);
    }
    // Where the medium was rejected its candidates are of no use, and may be refused.
    if flow.with.unsupported_codec && call.name == "addIceCandidate" {
        return;
    }
    let owners = owners(flow, call, works);
    let owners: Vec<&str> = owners.iter().map(AsRef::as_ref).collect();
    for via in [Via::Reject, Via::Throw] {
        let edits = vec![Edit::Replace(event, answer_of(call, via, Some(rejection())))];
        maker.add(Operator::SwapRefusal, event, ("", via.as_str()), &owners, edits);
    }
    let negotiates = call.sets_description() || call.name == "createAnswer";
    let refusable = flow.with.unsupported_codec && negotiates;
    if !refusable && !after_glare {
        hangs(maker, call, answer, &owners);
        let unknown = What::Refused { id: call.id, code: METHOD_NOT_FOUND, message: "Method not found".to_owned() };
        maker.add(Operator::Frame, event, ("", "unknown-method"), &owners, vec![Edit::Replace(event, unknown)]);
    }
    if let Some((_, owner)) = RESULTS.iter().find(|(name, _)| *name == call.name) {
        let nothing = vec![Edit::Replace(event, answer_of(call, answer.via, None))];
        maker.add(Operator::Drop, event, ("", "value"), &[owner, works], nothing);
    }
    if call.name == "getTracks" {
        tracks(maker, flow, call, answer);
    }
}

fn hangs(maker: &mut Maker<'_>, call: &Call<'_>, answer: Answer<'_>, owners: &[&str]) {
    let silence = What::NoResponse { id: call.id, deadline_ms: 5_000, alive: true };
    maker.add(Operator::Drop, answer.event, ("", "answer"), owners, vec![Edit::Replace(answer.event, silence)]);
}

/// A call with a purpose.
fn special(maker: &mut Maker<'_>, flow: &Flowed<'_>, call: &Call<'_>, answer: Answer<'_>, purpose: &str) {
    let event = answer.event;
    if let Some((_, owner)) = HARMLESS.iter().find(|(name, _)| *name == purpose) {
        if call.succeeded() {
            let edits = vec![Edit::Replace(event, answer_of(call, Via::Reject, Some(rejection())))];
            maker.add(Operator::SwapRefusal, event, ("", "reject"), &[owner], edits);
            hangs(maker, call, answer, &[owner]);
        }
        return;
    }
    let Some((_, owner)) = PURPOSES.iter().find(|(name, _)| *name == purpose) else { return };
    // A candidate is early only where there is no remote description yet.
    let described = flow.calls.iter().any(|other| {
        other.handle == call.handle
            && other.name == "setRemoteDescription"
            && other.succeeded()
            && other.event < call.event
    });
    if purpose == "candidate-early" && described {
        return;
    }
    let mut owners = vec![*owner];
    if purpose == "after-close" && call.name == "addTrack" {
        owners.push("webrtc.pc.add-track.twice-or-closed");
    }
    if call.refused() && purpose != "configuration-after-close" {
        for (rule, value) in [("resolve", None), ("resolve-with-value", Some(json!({})))] {
            let edits = vec![Edit::Replace(event, answer_of(call, Via::Resolve, value))];
            maker.add(Operator::SwapRefusal, event, ("", rule), &owners, edits);
        }
        state_changes(maker, flow, call, owner);
    }
    hangs(maker, call, answer, &owners);
}

/// The call is refused, and the state is another one afterwards.
fn state_changes(maker: &mut Maker<'_>, flow: &Flowed<'_>, call: &Call<'_>, owner: &str) {
    if owner == "webrtc.pc.close.methods-after" {
        return;
    }
    let Some(pc) = call.handle.filter(|pc| flow.pcs.contains(pc)) else { return };
    let reads = || flow.reads_of(pc, "signalingState").filter(|read| read.value.is_some());
    let Some(before) = reads().rfind(|read| read.event < call.event) else { return };
    let Some(after) = reads().find(|read| read.event > call.answered()) else { return };
    let alone = flow.of_pc(pc).all(|other| other.id == call.id || !(before.event..after.event).contains(&other.event));
    if alone {
        let other = if before.value.is_some_and(|state| state == "stable") { "have-local-offer" } else { "stable" };
        let edits = vec![Edit::Set(after.event, String::new(), json!(other))];
        maker.add(Operator::WrongState, after.event, ("", "after-refusal"), &[owner], edits);
    }
}

/// The tracks of a stream are of the kinds that were asked for, one each.
fn tracks(maker: &mut Maker<'_>, flow: &Flowed<'_>, call: &Call<'_>, answer: Answer<'_>) {
    let Some(items) = answer.value.and_then(Value::as_array) else { return };
    let made = |other: &&Call<'_>| {
        other.name == "getUserMedia"
            && other.answer.and_then(|answer| answer.value?.get("$handle")?.as_str()) == call.handle
    };
    // The first call of getTracks is the one that is compared.
    let first = flow.calls.iter().find(|other| other.name == "getTracks" && other.handle == call.handle);
    let Some(_) = flow.calls.iter().find(made).filter(|_| first.is_some_and(|first| first.id == call.id)) else {
        return;
    };
    let event = answer.event;
    for (index, item) in items.iter().enumerate() {
        let Some(kind @ ("audio" | "video")) = item.pointer("/props/kind").and_then(Value::as_str) else { continue };
        let owner = format!("webrtc.media-devices.get-user-media.{kind}");
        let owners = [owner.as_str(), "webrtc.stream.get-tracks.kinds"];
        let mut fewer = items.clone();
        fewer.remove(index);
        let edits = vec![Edit::Set(event, String::new(), Value::Array(fewer))];
        maker.add(Operator::Drop, event, (&format!("/{index}"), "track"), &owners, edits);
        let mut more = items.clone();
        more.push(item.clone());
        let edits = vec![Edit::Set(event, String::new(), Value::Array(more))];
        maker.add(Operator::Duplicate, event, (&format!("/{index}"), "track"), &owners[1..], edits);
        let other = if kind == "audio" { "video" } else { "audio" };
        let edits = vec![Edit::Set(event, format!("/{index}/props/kind"), json!(other))];
        maker.add(Operator::BreakDependency, event, (&format!("/{index}/props/kind"), "other-kind"), &owners, edits);
    }
}
