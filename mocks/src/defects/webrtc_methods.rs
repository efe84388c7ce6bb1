//! Defects of offers, answers and descriptions: what the methods take and give (3.2).

use fincert_peer::{OfferOptions, SdpKind};
use fincert_schemas::run::flow::MediaKind;
use serde_json::{Value, json};

use super::Defect;
use super::webrtc_edit::{
    FINCERT_OFFERS, TARGET_OFFERS, accepted, concat, property, rejected, resolved, silent, sync, works,
};
use crate::plan::Plan;
use crate::rtc::{Moment, Refusal, Task, sdp};

const OFFER: &str = "createOffer";
const ANSWER: &str = "createAnswer";
const LOCAL: &str = "setLocalDescription";
const REMOTE: &str = "setRemoteDescription";
const OFFER_RESULT: &[&str] = &["webrtc.pc.create-offer.result"];
const ANSWER_RESULT: &[&str] = &["webrtc.pc.create-answer.result"];
/// What there is not without an offer of the target's.
const NO_OFFER: &[&str] = &concat::<{ TARGET_OFFERS.len() + 5 }>(
    TARGET_OFFERS,
    &[
        "integration.answers",
        "webrtc.pc.create-offer",
        "webrtc.pc.create-offer.offer-to-receive-audio",
        "webrtc.pc.create-offer.offer-to-receive-video",
        "webrtc.pc.create-offer.result",
    ],
);

/// What there is not without an answer of the target's.
const NO_ANSWER: &[&str] = &concat::<{ FINCERT_OFFERS.len() + 3 }>(
    FINCERT_OFFERS,
    &["integration.answers", "webrtc.pc.create-answer", "webrtc.pc.create-answer.result"],
);

const BOTH: usize = TARGET_OFFERS.len() + FINCERT_OFFERS.len();

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "offer-never",
        ["createOffer 的 Promise 一直没有结果", "the promise of createOffer never settles"],
        &["webrtc.pc.create-offer"],
        |moment, plan| silent(moment, plan, OFFER),
    )
    .also(NO_OFFER),
    Defect::says(
        "offer-sync",
        ["createOffer 直接返回 offer，而非 Promise", "createOffer returns the offer and no promise"],
        &["webrtc.pc.create-offer"],
        |moment, plan| sync(moment, plan, OFFER),
    ),
    Defect::says(
        "offer-callback-style",
        ["createOffer 的 Promise 没有值", "the promise of createOffer has no value"],
        &["webrtc.pc.create-offer"],
        |moment, plan| no_value(moment, plan, OFFER),
    )
    .also(NO_OFFER),
    Defect::says(
        "offer-text-alone",
        ["createOffer 返回 SDP 字符串", "createOffer resolves to the SDP as a string"],
        OFFER_RESULT,
        |moment, plan| resolved(moment, plan, OFFER, |value| *value = value["sdp"].take()),
    )
    .also(NO_OFFER),
    Defect::says(
        "offer-wrapped",
        ["createOffer 返回 {offer: {…}}", "createOffer resolves to {offer: {…}}"],
        OFFER_RESULT,
        |moment, plan| resolved(moment, plan, OFFER, |value| *value = json!({"offer": value.take()})),
    )
    .also(NO_OFFER),
    Defect::says("offer-without-type", ["offer 没有 type", "the offer has no type"], OFFER_RESULT, |moment, plan| {
        resolved(moment, plan, OFFER, |value| {
            if let Some(offer) = value.as_object_mut() {
                offer.shift_remove("type");
            }
        })
    }),
    Defect::says(
        "offer-type-capitalised",
        ["offer 的 type 为 Offer", "the type of the offer is Offer"],
        OFFER_RESULT,
        |moment, plan| resolved(moment, plan, OFFER, |value| value["type"] = "Offer".into()),
    ),
    Defect::does(
        "ice-restart-ignored",
        ["createOffer 忽略 iceRestart", "createOffer ignores iceRestart"],
        &["webrtc.pc.create-offer.ice-restart"],
        |moment, task| offer(moment, task, |options| options.ice_restart = false),
    ),
    Defect::does(
        "ice-restart-always",
        ["每次 createOffer 都重启 ICE", "each createOffer restarts ICE"],
        &["webrtc.pc.create-offer.ice-restart"],
        |moment, task| offer(moment, task, |options| options.ice_restart = true),
    )
    .also(&["webrtc.pc.ice-connection-state.order"]),
    Defect::does(
        "offer-to-receive-audio-ignored",
        ["createOffer 忽略 offerToReceiveAudio", "createOffer ignores offerToReceiveAudio"],
        &["webrtc.pc.create-offer.offer-to-receive-audio"],
        |moment, task| offer(moment, task, |options| options.receive.retain(|kind| *kind != MediaKind::Audio)),
    )
    .also(&["webrtc.call.receive-only", "webrtc.media.received"]),
    Defect::does(
        "offer-to-receive-video-ignored",
        ["createOffer 忽略 offerToReceiveVideo", "createOffer ignores offerToReceiveVideo"],
        &["webrtc.pc.create-offer.offer-to-receive-video"],
        |moment, task| offer(moment, task, |options| options.receive.retain(|kind| *kind != MediaKind::Video)),
    )
    .also(&["webrtc.call.receive-only", "webrtc.media.received"]),
    Defect::does(
        "offer-receives-unasked",
        ["没有要求时 offer 也包含接收音视频的 m 行", "the offer has m-lines to receive that were not asked for"],
        &["webrtc.pc.create-offer.offer-to-receive-audio", "webrtc.pc.create-offer.offer-to-receive-video"],
        |moment, task| offer(moment, task, |options| options.receive = vec![MediaKind::Audio, MediaKind::Video]),
    ),
    Defect::does(
        "voice-activity-rejected",
        ["createOffer 拒绝 voiceActivityDetection", "createOffer rejects voiceActivityDetection"],
        &["webrtc.pc.create-offer.voice-activity-detection"],
        |moment, task| refuse_option(moment, task, OFFER, "voiceActivityDetection"),
    )
    .also(&["webrtc.pc.create-offer"]),
    Defect::says(
        "offer-changes-state",
        [
            "调用 createOffer 之后 signalingState 即为 have-local-offer",
            "createOffer makes signalingState have-local-offer",
        ],
        &["webrtc.pc.create-offer.no-state-change"],
        |moment, plan| {
            if moment.past.made != Some("offer") || moment.truly("signalingState") != "stable" {
                return plan;
            }
            property(moment, plan, "signalingState", |value| *value = "have-local-offer".into())
        },
    )
    .also(&["webrtc.pc.signaling-state", "webrtc.pc.close.states"]),
    Defect::does(
        "offer-made-once",
        [
            "首个 offer 之后添加的 track 不出现在其后的 offer 中",
            "a track that is added after the first offer is in no later one",
        ],
        &["webrtc.pc.create-offer.again"],
        |moment, task| match task {
            Task::AddTrack(..) if moment.past.locals > 0 => Task::resolve_undefined(),
            other => other,
        },
    )
    .also(&["webrtc.pc.add-track", "webrtc.renegotiation.target-adds-video", "webrtc.sdp.msid"]),
    Defect::says(
        "answer-never",
        ["createAnswer 的 Promise 一直没有结果", "the promise of createAnswer never settles"],
        &["webrtc.pc.create-answer"],
        |moment, plan| silent(moment, plan, ANSWER),
    )
    .also(NO_ANSWER),
    Defect::says(
        "answer-sync",
        ["createAnswer 直接返回 answer，而非 Promise", "createAnswer returns the answer and no promise"],
        &["webrtc.pc.create-answer"],
        |moment, plan| sync(moment, plan, ANSWER),
    ),
    Defect::says(
        "answer-callback-style",
        ["createAnswer 的 Promise 没有值", "the promise of createAnswer has no value"],
        &["webrtc.pc.create-answer"],
        |moment, plan| no_value(moment, plan, ANSWER),
    )
    .also(NO_ANSWER),
    Defect::says(
        "answer-text-alone",
        ["createAnswer 返回 SDP 字符串", "createAnswer resolves to the SDP as a string"],
        ANSWER_RESULT,
        |moment, plan| resolved(moment, plan, ANSWER, |value| *value = value["sdp"].take()),
    )
    .also(NO_ANSWER),
    Defect::says(
        "answer-type-offer",
        ["answer 的 type 为 offer", "the type of the answer is offer"],
        ANSWER_RESULT,
        |moment, plan| resolved(moment, plan, ANSWER, |value| value["type"] = "offer".into()),
    ),
    Defect::does(
        "answer-options-rejected",
        ["createAnswer 拒绝其选项", "createAnswer rejects its options"],
        &[
            "webrtc.pc.create-answer.ice-restart",
            "webrtc.pc.create-answer.offer-to-receive-audio",
            "webrtc.pc.create-answer.offer-to-receive-video",
            "webrtc.pc.create-answer.voice-activity-detection",
        ],
        |moment, task| {
            let names = ["iceRestart", "offerToReceiveAudio", "offerToReceiveVideo", "voiceActivityDetection"];
            names.into_iter().fold(task, |task, name| refuse_option(moment, task, ANSWER, name))
        },
    )
    .also(&["webrtc.call.fincert-offers", "webrtc.pc.create-answer"]),
    Defect::says(
        "answer-in-stable",
        ["没有远端 offer 时 createAnswer 也返回 answer", "createAnswer gives an answer where there is no offer"],
        &["webrtc.pc.create-answer.in-stable"],
        |moment, plan| match moment.past.closed {
            true => plan,
            false => {
                let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
                accepted(moment, plan, ANSWER, Some(json!({"type": "answer", "sdp": sdp})))
            }
        },
    ),
    Defect::says(
        "set-local-sync",
        ["setLocalDescription 直接返回，而非 Promise", "setLocalDescription returns at once and no promise"],
        &["webrtc.pc.set-local-description"],
        |moment, plan| sync(moment, plan, LOCAL),
    ),
    Defect::says(
        "set-local-rejected",
        ["setLocalDescription 拒绝自己的 offer", "setLocalDescription rejects its own offer"],
        &["webrtc.pc.set-local-description"],
        |moment, plan| rejected(moment, plan, LOCAL),
    )
    .also(&concat::<BOTH>(TARGET_OFFERS, FINCERT_OFFERS)),
    Defect::says(
        "set-remote-sync",
        ["setRemoteDescription 直接返回，而非 Promise", "setRemoteDescription returns at once and no promise"],
        &["webrtc.pc.set-remote-description"],
        |moment, plan| sync(moment, plan, REMOTE),
    ),
    Defect::does(
        "set-remote-answer-rejected",
        ["setRemoteDescription 拒绝有效的 answer", "setRemoteDescription rejects a valid answer"],
        &["webrtc.pc.set-remote-description"],
        |_, task| match task {
            Task::SetRemote(description) if description.kind == SdpKind::Answer => {
                Task::reject(&Refusal::of_operation("not this answer"))
            }
            other => other,
        },
    )
    .also(&concat::<{ TARGET_OFFERS.len() + 1 }>(TARGET_OFFERS, &["webrtc.pc.signaling-state.stable"])),
    Defect::says(
        "remote-answer-in-stable",
        ["stable 时 setRemoteDescription 接受 answer", "setRemoteDescription takes an answer in stable"],
        &["webrtc.pc.set-remote-description.answer-in-stable"],
        |moment, plan| match moment.field("type").is_some_and(|kind| kind == "answer") && stable(moment) {
            true => accepted(moment, plan, REMOTE, None),
            false => plan,
        },
    ),
    Defect::says(
        "garbage-accepted",
        ["setRemoteDescription 接受无法解析的 SDP", "setRemoteDescription takes garbage"],
        &["webrtc.pc.set-description.garbage"],
        |moment, plan| match kind_is_known(moment)
            && text(moment).is_some_and(|text| !text.starts_with("v=0"))
            && stable(moment)
        {
            true => accepted(moment, plan, REMOTE, None),
            false => plan,
        },
    ),
    Defect::says(
        "incomplete-description-accepted",
        [
            "setRemoteDescription 接受缺少 ice-ufrag 或 fingerprint 的 SDP",
            "setRemoteDescription takes an SDP without ufrag or fingerprint",
        ],
        &["webrtc.pc.set-description.incomplete"],
        |moment, plan| match kind_is_known(moment)
            && text(moment).is_some_and(|text| text.starts_with("v=0"))
            && stable(moment)
        {
            true if text(moment).and_then(sdp::fault).is_some() => accepted(moment, plan, REMOTE, None),
            _ => plan,
        },
    ),
    Defect::says(
        "unknown-type-of-description-accepted",
        ["setRemoteDescription 接受未知的 type", "setRemoteDescription takes an unknown type"],
        &["webrtc.pc.set-description.unknown-type"],
        |moment, plan| match moment.field("type").is_some() && !kind_is_known(moment) && stable(moment) {
            true => accepted(moment, plan, REMOTE, None),
            false => plan,
        },
    ),
    Defect::does(
        "glare-hangs",
        [
            "双方同时发起时 setRemoteDescription 一直没有结果",
            "where both ends offer at once setRemoteDescription never settles",
        ],
        &["webrtc.call.glare"],
        |moment, task| match task {
            Task::SetRemote(offer)
                if offer.kind == SdpKind::Offer && moment.truly("signalingState") == "have-local-offer" =>
            {
                Task::Nothing
            }
            other => other,
        },
    )
    .also(&["integration.answers", "webrtc.pc.set-remote-description"]),
    Defect::says(
        "state-lost-at-a-refusal",
        [
            "被拒绝的 setRemoteDescription 改变 signalingState",
            "a setRemoteDescription that is rejected changes signalingState",
        ],
        &[
            "webrtc.pc.set-description.garbage",
            "webrtc.pc.set-description.incomplete",
            "webrtc.pc.set-description.unknown-type",
            "webrtc.pc.set-remote-description.answer-in-stable",
        ],
        |moment, plan| match moment.past.refused > 0 && stable(moment) && moment.past.rounds == 0 {
            true => property(moment, plan, "signalingState", |value| *value = "have-remote-offer".into()),
            false => plan,
        },
    )
    .also(&["webrtc.pc.signaling-state"]),
];

fn no_value(moment: &Moment<'_>, plan: Plan, method: &str) -> Plan {
    if !moment.calls(method) || !works(&plan) {
        return plan;
    }
    plan.rewrite(|settlement| settlement.value = None)
}

fn offer(moment: &Moment<'_>, task: Task, change: impl FnOnce(&mut OfferOptions)) -> Task {
    match task {
        Task::CreateOffer(mut options) if moment.calls(OFFER) => {
            change(&mut options);
            Task::CreateOffer(options)
        }
        other => other,
    }
}

fn refuse_option(moment: &Moment<'_>, task: Task, method: &str, option: &str) -> Task {
    let given = moment.calls(method) && moment.field(option).is_some();
    if given && !task.is_rejection() { Task::reject(&Refusal::of_type(format!("options.{option}"))) } else { task }
}

fn stable(moment: &Moment<'_>) -> bool {
    moment.truly("signalingState") == "stable"
}

/// The SDP of the call's description.
fn text<'a>(moment: &Moment<'a>) -> Option<&'a str> {
    moment.field("sdp").and_then(Value::as_str)
}

fn kind_is_known(moment: &Moment<'_>) -> bool {
    moment.field("type").is_some_and(|kind| kind == "offer" || kind == "answer")
}
