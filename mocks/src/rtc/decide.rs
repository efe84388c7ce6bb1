//! What is to be done about a call of ft.webrtc: a pure function of the call and of where the object stands. What can
//! be known without the engine is decided here, so that a refusal is one, whatever the engine would have done.

use std::sync::LazyLock;

use fincert_peer::{Description, OfferOptions, SdpKind};
use fincert_schemas::bridge::{Settlement, Via};
use fincert_schemas::run::flow::MediaKind;
use serde_json::{Map, Value, json};

use super::options::Options;
use super::refusal::Refusal;
use super::task::Task;
use super::{candidate, sdp};

/// The static functions.
pub(crate) const STATICS: [&str; 4] = [
    "ft.webrtc.createRTCPeerConnection",
    "ft.webrtc.mediaDevices.enumerateDevices",
    "ft.webrtc.mediaDevices.getSupportedConstraints",
    "ft.webrtc.mediaDevices.getUserMedia",
];

/// The methods of objects.
pub(crate) const METHODS: [&str; 10] = [
    "RTCPeerConnection.createOffer",
    "RTCPeerConnection.createAnswer",
    "RTCPeerConnection.setLocalDescription",
    "RTCPeerConnection.setRemoteDescription",
    "RTCPeerConnection.addIceCandidate",
    "RTCPeerConnection.getConfiguration",
    "RTCPeerConnection.addTrack",
    "RTCPeerConnection.close",
    "MediaStream.getTracks",
    "MediaStreamTrack.stop",
];

/// The wish by which getUserMedia is denied, as a person would do it.
pub(crate) const DENIED: &str = "get-user-media-denied";

/// What is to be done about a static function.
pub(crate) fn of_static(method: &str, args: &[Option<Value>], wish: Option<&str>) -> Task {
    let first = args.first().and_then(Option::as_ref);
    match method {
        "ft.webrtc.createRTCPeerConnection" => match Options::read(first) {
            Ok(options) => Task::Create(Box::new(options)),
            Err(refusal) => Task::reject(&refusal),
        },
        "ft.webrtc.mediaDevices.enumerateDevices" => Task::resolve(DEVICES.clone()),
        "ft.webrtc.mediaDevices.getSupportedConstraints" => Task::resolve(CONSTRAINTS.clone()),
        _ if wish == Some(DENIED) => Task::Settle(Settlement { via: Via::Reject, value: Some(DENIAL.clone()) }),
        _ => user_media(first),
    }
}

static DEVICES: LazyLock<Value> = LazyLock::new(|| canned(include_str!("../../canned/webrtc/devices.json")));
static CONSTRAINTS: LazyLock<Value> = LazyLock::new(|| canned(include_str!("../../canned/webrtc/constraints.json")));
static DENIAL: LazyLock<Value> =
    LazyLock::new(|| canned(include_str!("../../canned/webrtc/get-user-media-denied.json")));

/// Tests hold these files to JSON and to their tables.
fn canned(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// A kind is wanted by `true` or by constraints (W3C Media Capture and Streams, MediaStreamConstraints).
fn user_media(constraints: Option<&Value>) -> Task {
    let Some(constraints) = constraints.filter(|constraints| constraints.is_object()) else {
        return Task::reject(&Refusal::of_type("getUserMedia: an object with audio and video"));
    };
    let wanted = |name: &str| match constraints.get(name) {
        None | Some(Value::Null | Value::Bool(false)) => Ok(0),
        Some(Value::Bool(true) | Value::Object(_)) => Ok(1),
        Some(_) => Err(Refusal::of_type(format!("getUserMedia: {name} is true, false or an object"))),
    };
    match (wanted("audio"), wanted("video")) {
        (Ok(0), Ok(0)) => Task::reject(&Refusal::of_type("getUserMedia: at least one of audio and video")),
        (Ok(audio), Ok(video)) => Task::UserMedia { audio, video },
        (Err(refusal), _) | (_, Err(refusal)) => Task::reject(&refusal),
    }
}

/// Tells the kind of a track by its handle.
pub(crate) type KindOf<'a> = dyn Fn(&str) -> Option<MediaKind> + 'a;

/// Where a connection stands.
#[derive(Default)]
pub(crate) struct Standing<'a> {
    pub(crate) closed: bool,
    pub(crate) signaling: &'a str,
    /// The remote description that candidates belong to.
    pub(crate) remote: Option<&'a str>,
    /// The offer and the answer that were made last: as they were told, and as they truly are.
    pub(crate) made: &'a [(Value, Description)],
    /// The handles of the tracks that were added.
    pub(crate) added: &'a [String],
    pub(crate) configuration: Option<&'a Map<String, Value>>,
    /// The kind of the track of a handle.
    pub(crate) kind_of: Option<&'a KindOf<'a>>,
}

/// What is to be done about a method of a connection.
pub(crate) fn of_connection(name: &str, args: &[Option<Value>], standing: &Standing<'_>) -> Task {
    task(name, args, standing).unwrap_or_else(|refusal| Task::reject(&refusal))
}

fn task(name: &str, args: &[Option<Value>], standing: &Standing<'_>) -> Result<Task, Refusal> {
    let first = args.first().and_then(Option::as_ref);
    if standing.closed {
        return match name {
            "close" => Ok(Task::resolve_undefined()),
            _ => Err(Refusal::of_state("the connection is closed")),
        };
    }
    Ok(match name {
        "createOffer" => Task::CreateOffer(offer_options(first)?),
        "createAnswer" => {
            answer_options(first)?;
            if standing.signaling != "have-remote-offer" {
                return Err(Refusal::of_state("createAnswer: there is no remote offer to answer"));
            }
            Task::CreateAnswer
        }
        "setLocalDescription" => Task::SetLocal(local(first, standing)?),
        "setRemoteDescription" => Task::SetRemote(remote(first, standing)?),
        "addIceCandidate" => {
            let candidate = candidate::inward(first)?;
            let remote =
                standing.remote.ok_or_else(|| Refusal::of_state("addIceCandidate: there is no remote description"))?;
            if let Some(candidate) = &candidate {
                candidate::belongs(candidate, remote)?;
            }
            Task::AddCandidate(candidate)
        }
        "addTrack" => {
            let handle = first.and_then(|track| track.get("$handle")).and_then(Value::as_str);
            let track = handle.and_then(|handle| Some((handle, (standing.kind_of?)(handle)?)));
            let (handle, kind) = track.ok_or_else(|| Refusal::of_type("addTrack: a track of getTracks"))?;
            if standing.added.iter().any(|added| added == handle) {
                return Err(Refusal::of_access("addTrack: the track was added before"));
            }
            Task::AddTrack(handle.to_owned(), kind)
        }
        "getConfiguration" => Task::resolve(standing.configuration.cloned().unwrap_or_default()),
        _ => Task::Close,
    })
}

/// createOffer's options; what is not there is false (W3C webrtc-pc, Legacy configuration extensions). 0 and 1 stand for
/// false and true, since real mini programs send them.
fn offer_options(options: Option<&Value>) -> Result<OfferOptions, Refusal> {
    let options = switches(options)?;
    let on = |name: &str| options.get(name).is_some_and(truth);
    let mut receive = Vec::new();
    if on("offerToReceiveAudio") {
        receive.push(MediaKind::Audio);
    }
    if on("offerToReceiveVideo") {
        receive.push(MediaKind::Video);
    }
    Ok(OfferOptions { ice_restart: on("iceRestart"), receive })
}

/// createAnswer's options have no effect (see the notes of webrtc.pc.create-answer.*).
fn answer_options(options: Option<&Value>) -> Result<(), Refusal> {
    switches(options).map(drop)
}

fn switches(options: Option<&Value>) -> Result<Map<String, Value>, Refusal> {
    let options = match options {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(options)) => options,
        Some(_) => return Err(Refusal::of_type("options: an object")),
    };
    for name in ["iceRestart", "offerToReceiveAudio", "offerToReceiveVideo", "voiceActivityDetection"] {
        if options.get(name).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(_) | Value::Number(_))) {
            return Err(Refusal::of_type(format!("options.{name}: true or false")));
        }
    }
    Ok(options.clone())
}

fn truth(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_f64().is_some_and(|number| number != 0.0))
}

/// The kind and the SDP of a description.
fn description(argument: Option<&Value>) -> Result<(SdpKind, &str), Refusal> {
    let object = argument.filter(|argument| argument.is_object());
    let object = object.ok_or_else(|| Refusal::of_type("description: an object with type and sdp"))?;
    let kind = match object.get("type").and_then(Value::as_str) {
        Some("offer") => SdpKind::Offer,
        Some("answer") => SdpKind::Answer,
        Some("rollback") => SdpKind::Rollback,
        _ => return Err(Refusal::of_type("description.type: offer, answer or rollback")),
    };
    match object.get("sdp") {
        Some(Value::String(sdp)) => Ok((kind, sdp)),
        None | Some(Value::Null) if kind == SdpKind::Rollback => Ok((kind, "")),
        _ => Err(Refusal::of_type("description.sdp: a string")),
    }
}

/// The local description must be the offer or answer that was made last (W3C webrtc-pc, setLocalDescription). It is
/// known by what was told, whatever that looks like.
fn local(argument: Option<&Value>, standing: &Standing<'_>) -> Result<Description, Refusal> {
    let told = argument.and_then(|given| standing.made.iter().find(|(told, _)| told == given));
    let truly = match told {
        Some((_, truly)) => truly.clone(),
        None => {
            let (kind, sdp) = description(argument)?;
            match standing.made.iter().find(|(_, truly)| truly.kind == kind && truly.sdp == sdp) {
                Some((_, truly)) => truly.clone(),
                None if kind == SdpKind::Rollback => Description { kind, sdp: String::new() },
                None => match sdp::fault(sdp) {
                    Some(fault) => return Err(Refusal::of_operation(fault)),
                    None => {
                        let message = "setLocalDescription: not what createOffer or createAnswer made last";
                        return Err(Refusal { name: "InvalidModificationError", message: message.to_owned() });
                    }
                },
            }
        }
    };
    let fits = match truly.kind {
        SdpKind::Offer => matches!(standing.signaling, "stable" | "have-local-offer"),
        SdpKind::Answer => standing.signaling == "have-remote-offer",
        SdpKind::Rollback => matches!(standing.signaling, "have-local-offer" | "have-remote-offer"),
    };
    fits.then_some(truly).ok_or_else(|| Refusal::of_state("setLocalDescription: not in this signalingState"))
}

/// An offer of the other end while one's own is pending takes the own one back (W3C webrtc-pc, setRemoteDescription);
/// whoever carries it out sees to that.
fn remote(argument: Option<&Value>, standing: &Standing<'_>) -> Result<Description, Refusal> {
    let (kind, text) = description(argument)?;
    let fits = match kind {
        SdpKind::Offer => matches!(standing.signaling, "stable" | "have-remote-offer" | "have-local-offer"),
        SdpKind::Answer => standing.signaling == "have-local-offer",
        SdpKind::Rollback => standing.signaling == "have-remote-offer",
    };
    if !fits {
        return Err(Refusal::of_state("setRemoteDescription: not in this signalingState"));
    }
    if kind != SdpKind::Rollback
        && let Some(fault) = sdp::fault(text)
    {
        return Err(Refusal::of_operation(fault));
    }
    Ok(Description { kind, sdp: text.to_owned() })
}

/// A description as a mini program sees it.
pub(crate) fn told(description: &Description) -> Value {
    json!({"type": description.kind.as_str(), "sdp": description.sdp})
}

#[cfg(test)]
mod tests;
