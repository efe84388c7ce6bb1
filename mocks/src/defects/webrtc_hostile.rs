//! Attacks on fincert by way of ft.webrtc. They break no one sentence; what counts is that fincert holds, and ends in
//! time with a verdict.

use serde_json::{Value, json};

use super::Defect;
use super::webrtc_edit::{Of, candidate_words, event, fired, local_sdp, property, resolved, works};
use crate::plan::{Action, Plan};
use crate::rtc::{About, Junk, Moment, Task};

/// How many events, handles or calls are made of one.
const MANY: usize = 5_000;

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "sdp-of-ten-megabytes",
        ["offer 的 SDP 有 10 MB", "the SDP of an offer has 10 MB"],
        &[],
        |moment, plan| match moment.about {
            About::Call(..) => local_sdp(moment, plan, Of::Offers, |sdp| {
                format!("{sdp}{}", "a=x-padding:0123456789\r\n".repeat(430_000))
            }),
            _ => plan,
        },
    )
    .hostile(),
    Defect::says(
        "sdp-of-many-m-lines",
        ["offer 有数千个 m 行", "an offer has thousands of m-lines"],
        &[],
        |moment, plan| match moment.about {
            About::Call(..) => local_sdp(moment, plan, Of::Offers, |sdp| {
                (0..MANY).fold(sdp.to_owned(), |sdp, number| {
                    sdp + &format!("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:x{number}\r\n")
                })
            }),
            _ => plan,
        },
    )
    .hostile(),
    Defect::says(
        "candidates-by-thousands",
        ["每个候选重复数千次", "each candidate comes thousands of times"],
        &[],
        |moment, mut plan| {
            if let Some(Action::Event { this, kind, event }) = plan.steps.first().map(|step| step.action.clone())
                && moment.fires("icecandidate")
            {
                for number in 0..MANY {
                    let mut event = event.clone();
                    if let Some(text) = event.pointer_mut("/candidate/candidate") {
                        let words = text.as_str().unwrap_or_default().split(' ').map(str::to_owned);
                        let port = |(at, word)| if at == 5 { (1024 + number).to_string() } else { word };
                        *text = words.enumerate().map(port).collect::<Vec<_>>().join(" ").into();
                    }
                    plan = plan.then(Action::Event { this: this.clone(), kind: kind.clone(), event });
                }
            }
            plan
        },
    )
    .hostile(),
    Defect::says(
        "candidates-of-foreign-addresses",
        ["候选指向他人的地址", "candidates point to addresses of others"],
        &[],
        |moment, plan| address(moment, plan, "169.254.169.254"),
    )
    .hostile(),
    Defect::says(
        "candidates-of-host-names",
        ["候选为主机名", "candidates are host names"],
        &[],
        |moment, plan| address(moment, plan, "resolve-me.example"),
    )
    .hostile(),
    Defect::does(
        "rtp-flood",
        ["以未加密的 RTP 洪泛 fincert 的端口", "fincert's ports are flooded with RTP that is not encrypted"],
        &[],
        |_, task| flood(task, Junk::Rtp),
    )
    .hostile(),
    Defect::does(
        "rtp-malformed",
        [
            "向 fincert 的端口发送残缺的 STUN、DTLS、RTP 和 RTCP",
            "fincert's ports get stumps of STUN, DTLS, RTP and RTCP",
        ],
        &[],
        |_, task| flood(task, Junk::Stumps),
    )
    .hostile(),
    Defect::says(
        "events-of-unknown-objects",
        ["为不存在的对象触发事件", "events fire for objects that do not exist"],
        &[],
        |_, plan| {
            let strange =
                Action::Event { this: "pc-999999".to_owned(), kind: "track".to_owned(), event: json!({"streams": []}) };
            if works(&plan) { plan.then(strange) } else { plan }
        },
    )
    .hostile(),
    Defect::says(
        "events-of-unknown-types",
        ["触发数千个未监听的事件", "thousands of events fire that nobody listens to"],
        &[],
        |moment, plan| match moment.calls("createOffer") && works(&plan) {
            true => (0..MANY).fold(plan, |plan, number| plan.then(event(moment, &format!("event{number}"), json!({})))),
            false => plan,
        },
    )
    .hostile(),
    Defect::says(
        "events-after-close",
        ["关闭之后仍触发事件", "events fire after close"],
        &[],
        |moment, plan| match moment.calls("close") && works(&plan) {
            true => plan
                .then(event(
                    moment,
                    "iceconnectionstatechange",
                    json!({"iceConnectionState": "connected", "timeStamp": 1}),
                ))
                .then(event(moment, "track", json!({"streams": [{"streamId": "late"}]}))),
            false => plan,
        },
    )
    .hostile(),
    Defect::says(
        "events-too-deep",
        ["事件嵌套一百层", "an event is a hundred levels deep"],
        &[],
        |moment, plan| {
            fired(moment, plan, "signalingstatechange", |event| {
                let deep = (0..100).fold(Value::Null, |inner, _| json!({"inner": inner}));
                event.insert("deep".to_owned(), deep);
            })
        },
    )
    .hostile(),
    Defect::says(
        "answers-twice",
        ["createOffer 应答两次", "createOffer is answered twice"],
        &[],
        |moment, mut plan| {
            if moment.calls("createOffer") && works(&plan) {
                plan.steps.extend_from_within(..);
            }
            plan
        },
    )
    .hostile(),
    Defect::says(
        "tracks-by-thousands",
        ["getTracks 返回数千个 track", "getTracks gives thousands of tracks"],
        &[],
        |moment, plan| {
            resolved(moment, plan, "getTracks", |value| {
                if let Some(first) = value.get(0).cloned() {
                    *value = (0..MANY)
                        .map(|number| {
                            let mut track = first.clone();
                            track["$handle"] = format!("track-x{number}").into();
                            track
                        })
                        .collect();
                }
            })
        },
    )
    .hostile(),
    Defect::says("handle-of-a-megabyte", ["句柄有 1 MB", "a handle has 1 MB"], &[], |moment, plan| {
        resolved(moment, plan, "getUserMedia", |value| value["$handle"] = "x".repeat(1 << 20).into())
    })
    .hostile(),
    Defect::says(
        "property-of-five-megabytes",
        ["signalingState 有 5 MB", "signalingState has 5 MB"],
        &[],
        |moment, plan| property(moment, plan, "signalingState", |value| *value = "stable".repeat(5 << 20 >> 3).into()),
    )
    .hostile(),
];

/// The address of a candidate, in its text and beside it.
fn address(moment: &Moment<'_>, plan: Plan, address: &str) -> Plan {
    let plan = candidate_words(moment, plan, |words| {
        if let Some(word) = words.get_mut(4) {
            *word = address.to_owned();
        }
    });
    super::webrtc_edit::candidate_field(moment, plan, "address", |_| address.into())
}

fn flood(task: Task, junk: Junk) -> Task {
    match task {
        Task::AddCandidate(Some(candidate)) => Task::Flood(candidate, junk),
        other => other,
    }
}
