//! Defects of the properties of a connection (3.2).

use serde_json::{Value, json};

use super::Defect;
use super::webrtc_edit::{property, undefined, while_open};
use crate::plan::{Action, Plan};
use crate::rtc::Moment;

const SIGNALING: &str = "signalingState";
const ICE: &str = "iceConnectionState";
const CONNECTION: &str = "conectionState";
const GATHERING: &str = "iceGatheringState";

pub(super) const ALL: &[Defect] = &[
    Defect::says(
        "initial-gathering-complete",
        ["新建连接的 iceGatheringState 为 complete", "of a new connection iceGatheringState is complete"],
        &["webrtc.pc.initial-values"],
        |moment, plan| if fresh(moment) { while_open(moment, plan, GATHERING, "complete".into()) } else { plan },
    )
    .also(&["webrtc.pc.ice-gathering-state"]),
    Defect::says(
        "initial-ice-disconnected",
        ["新建连接的 iceConnectionState 为 disconnected", "of a new connection iceConnectionState is disconnected"],
        &["webrtc.pc.initial-values"],
        |moment, plan| if fresh(moment) { while_open(moment, plan, ICE, "disconnected".into()) } else { plan },
    )
    .also(&["webrtc.pc.ice-connection-state", "webrtc.pc.ice-connection-state.order"]),
    Defect::says(
        "initial-descriptions-empty",
        ["新建连接的 description 为 {}，而非 null", "of a new connection a description is {} and not null"],
        &["webrtc.pc.initial-values"],
        |moment, plan| {
            let names = ["localDescription", "remoteDescription"];
            names.into_iter().fold(plan, |plan, name| {
                property(moment, plan, name, |value| {
                    if value.is_null() {
                        *value = json!({});
                    }
                })
            })
        },
    )
    .also(&["webrtc.pc.local-description", "webrtc.pc.remote-description"]),
    Defect::says(
        "can-trickle-always-null",
        ["canTrickleIceCandidates 总为 null", "canTrickleIceCandidates is always null"],
        &["webrtc.pc.can-trickle-ice-candidates"],
        |moment, plan| property(moment, plan, "canTrickleIceCandidates", |value| *value = Value::Null),
    ),
    Defect::says(
        "can-trickle-at-once",
        [
            "设置远端描述之前 canTrickleIceCandidates 已为 true",
            "canTrickleIceCandidates is true before a remote description is set",
        ],
        &["webrtc.pc.can-trickle-ice-candidates"],
        |moment, plan| property(moment, plan, "canTrickleIceCandidates", |value| *value = true.into()),
    ),
    Defect::says(
        "can-trickle-false",
        [
            "对端可增量交换候选，canTrickleIceCandidates 却为 false",
            "the other end can trickle, and canTrickleIceCandidates is false",
        ],
        &["webrtc.pc.can-trickle-ice-candidates"],
        |moment, plan| {
            property(moment, plan, "canTrickleIceCandidates", |value| {
                if value.is_boolean() {
                    *value = false.into();
                }
            })
        },
    ),
    Defect::says(
        "conection-state-frozen",
        ["conectionState 一直为 new", "conectionState stays new"],
        &["webrtc.pc.conection-state"],
        |moment, plan| while_open(moment, plan, CONNECTION, "new".into()),
    )
    .also(&["webrtc.call.fincert-closes"]),
    Defect::says(
        "connection-state-alias",
        ["以 connectionState 代替 conectionState", "connectionState stands for conectionState"],
        &["webrtc.pc.conection-state"],
        |moment, plan| {
            let plan = property(moment, plan, CONNECTION, |value| *value = undefined());
            property(moment, plan, "connectionState", |value| {
                *value = moment.properties.get(CONNECTION).cloned().unwrap_or_default();
            })
        },
    )
    .also(&["webrtc.pc.close.states", "webrtc.pc.initial-values"])
    .alias(),
    Defect::says(
        "conection-state-missing",
        ["没有 conectionState，也没有 connectionState", "there is neither conectionState nor connectionState"],
        &["webrtc.pc.conection-state"],
        |moment, plan| property(moment, plan, CONNECTION, |value| *value = undefined()),
    )
    .also(&["webrtc.pc.close.states", "webrtc.pc.initial-values"]),
    Defect::says(
        "current-local-too-early",
        ["应答之前 currentLocalDescription 已有值", "currentLocalDescription is there before the answer"],
        &["webrtc.pc.current-local-description"],
        |moment, plan| earlier(moment, plan, "currentLocalDescription", "localDescription"),
    ),
    Defect::says(
        "current-remote-too-early",
        ["应答之前 currentRemoteDescription 已有值", "currentRemoteDescription is there before the answer"],
        &["webrtc.pc.current-remote-description"],
        |moment, plan| earlier(moment, plan, "currentRemoteDescription", "remoteDescription"),
    ),
    Defect::says(
        "current-local-never",
        ["currentLocalDescription 总为 null", "currentLocalDescription is always null"],
        &["webrtc.pc.current-local-description"],
        |moment, plan| property(moment, plan, "currentLocalDescription", |value| *value = Value::Null),
    ),
    Defect::says(
        "current-remote-never",
        ["currentRemoteDescription 总为 null", "currentRemoteDescription is always null"],
        &["webrtc.pc.current-remote-description"],
        |moment, plan| property(moment, plan, "currentRemoteDescription", |value| *value = Value::Null),
    ),
    Defect::says(
        "local-description-late",
        ["应答之前 localDescription 为 null", "localDescription is null until the answer"],
        &["webrtc.pc.local-description"],
        |moment, plan| later(moment, plan, "localDescription", "currentLocalDescription"),
    ),
    Defect::says(
        "remote-description-late",
        ["应答之前 remoteDescription 为 null", "remoteDescription is null until the answer"],
        &["webrtc.pc.remote-description"],
        |moment, plan| later(moment, plan, "remoteDescription", "currentRemoteDescription"),
    ),
    Defect::says(
        "local-description-string",
        ["localDescription 为字符串", "localDescription is a string"],
        &["webrtc.pc.local-description"],
        |moment, plan| {
            property(moment, plan, "localDescription", |value| {
                if value.is_object() {
                    *value = value["sdp"].take();
                }
            })
        },
    ),
    Defect::says(
        "remote-description-string",
        ["remoteDescription 为字符串", "remoteDescription is a string"],
        &["webrtc.pc.remote-description"],
        |moment, plan| {
            property(moment, plan, "remoteDescription", |value| {
                if value.is_object() {
                    *value = value["sdp"].take();
                }
            })
        },
    ),
    Defect::says(
        "ice-state-frozen",
        ["iceConnectionState 停留在 checking", "iceConnectionState stays checking"],
        &["webrtc.pc.ice-connection-state"],
        |moment, plan| {
            if moment.properties.get(ICE).is_some_and(|state| state == "new") {
                return plan;
            }
            while_open(moment, plan, ICE, "checking".into())
        },
    )
    .also(&[
        "webrtc.call.fincert-closes",
        "webrtc.pc.ice-connection-state.gives-up",
        "webrtc.pc.ice-connection-state.peer-vanishes",
    ]),
    Defect::says(
        "ice-state-backwards",
        ["连接之后 iceConnectionState 退回 checking", "after connected iceConnectionState goes back to checking"],
        &["webrtc.pc.ice-connection-state.order"],
        |moment, plan| match plan.steps.first().map(|step| step.action.clone()) {
            Some(Action::Event { this, kind, event })
                if moment.fires("iceconnectionstatechange") && event[ICE] == "connected" && !moment.past.restarted =>
            {
                let mut back = event.clone();
                back[ICE] = "checking".into();
                plan.then(Action::Event { this: this.clone(), kind: kind.clone(), event: back }).then(Action::Event {
                    this,
                    kind,
                    event,
                })
            }
            _ => plan,
        },
    ),
    Defect::says(
        "vanishing-unnoticed",
        [
            "对端消失或关闭后 iceConnectionState 和 conectionState 仍为 connected",
            "after the other end has vanished or closed, iceConnectionState and conectionState stay connected",
        ],
        &["webrtc.call.fincert-closes", "webrtc.pc.ice-connection-state.peer-vanishes"],
        |moment, plan| {
            let is_gone = |state: &Value| state == "disconnected" || state == "failed";
            if let Some(Action::Event { event, .. }) = plan.steps.first().map(|step| &step.action)
                && moment.past.up
                && event.get(ICE).is_some_and(is_gone)
            {
                return Plan::silent();
            }
            let keep = |value: &mut Value| {
                if moment.past.up && is_gone(value) {
                    *value = "connected".into();
                }
            };
            let plan = property(moment, plan, ICE, keep);
            property(moment, plan, CONNECTION, keep)
        },
    )
    .also(&["webrtc.pc.ice-connection-state.gives-up"]),
    Defect::says(
        "never-gives-up",
        [
            "对端一直不回来，iceConnectionState 停留在 disconnected",
            "the other end stays away, and iceConnectionState stays disconnected",
        ],
        &["webrtc.pc.ice-connection-state.gives-up"],
        |moment, plan| {
            if let Some(Action::Event { event, .. }) = plan.steps.first().map(|step| &step.action)
                && event.get(ICE).is_some_and(|state| state == "failed")
            {
                return Plan::silent();
            }
            let waits = |value: &mut Value| {
                if value == "failed" {
                    *value = "disconnected".into();
                }
            };
            let plan = property(moment, plan, ICE, waits);
            property(moment, plan, CONNECTION, waits)
        },
    ),
    Defect::says(
        "gathering-stuck",
        ["iceGatheringState 一直为 new", "iceGatheringState stays new"],
        &["webrtc.pc.ice-gathering-state"],
        |moment, plan| property(moment, plan, GATHERING, |value| *value = "new".into()),
    ),
    Defect::says(
        "gathering-never-complete",
        ["iceGatheringState 停留在 gathering", "iceGatheringState stays gathering"],
        &["webrtc.pc.ice-gathering-state"],
        |moment, plan| {
            property(moment, plan, GATHERING, |value| {
                if value == "complete" {
                    *value = "gathering".into();
                }
            })
        },
    ),
    Defect::says(
        "peer-identity-text",
        ["peerIdentity 为字符串", "peerIdentity is a string"],
        &["webrtc.pc.peer-identity"],
        |moment, plan| property(moment, plan, "peerIdentity", |value| *value = "nobody".into()),
    ),
    Defect::says(
        "signaling-stays-stable",
        ["设置本地 offer 之后 signalingState 仍为 stable", "after a local offer is set signalingState is still stable"],
        &["webrtc.pc.signaling-state.have-local-offer"],
        |moment, plan| signaling(moment, plan, "have-local-offer", "stable"),
    )
    .also(&["webrtc.pc.signaling-state"]),
    Defect::says(
        "signaling-ignores-remote-offer",
        [
            "设置远端 offer 之后 signalingState 仍为 stable",
            "after a remote offer is set signalingState is still stable",
        ],
        &["webrtc.pc.signaling-state.have-remote-offer"],
        |moment, plan| signaling(moment, plan, "have-remote-offer", "stable"),
    )
    .also(&["webrtc.call.glare", "webrtc.pc.signaling-state"]),
    Defect::says(
        "signaling-never-back",
        [
            "设置 answer 之后 signalingState 不回到 stable",
            "after the answer signalingState does not come back to stable",
        ],
        &["webrtc.pc.signaling-state.stable"],
        |moment, plan| match moment.past.rounds {
            0 => plan,
            _ => signaling(moment, plan, "stable", "have-local-offer"),
        },
    )
    .also(&["webrtc.pc.signaling-state"]),
    Defect::says(
        "signaling-own-words",
        ["signalingState 为 offering", "signalingState is offering"],
        &["webrtc.pc.signaling-state"],
        |moment, plan| signaling(moment, plan, "have-local-offer", "offering"),
    )
    .also(&["webrtc.pc.signaling-state.have-local-offer"]),
    Defect::says(
        "states-in-events-alone",
        ["各状态只在事件中，属性为 undefined", "the states are in the events alone, the properties undefined"],
        &["webrtc.pc.signaling-state", "webrtc.pc.ice-connection-state", "webrtc.pc.initial-values"],
        |moment, plan| {
            let plan = property(moment, plan, SIGNALING, |value| *value = undefined());
            property(moment, plan, ICE, |value| *value = undefined())
        },
    )
    .also(&[
        "webrtc.pc.close.states",
        "webrtc.call.glare",
        "webrtc.pc.ice-connection-state.gives-up",
        "webrtc.pc.ice-connection-state.order",
        "webrtc.pc.ice-connection-state.peer-vanishes",
        "webrtc.pc.signaling-state.have-local-offer",
        "webrtc.pc.signaling-state.have-remote-offer",
        "webrtc.pc.signaling-state.stable",
    ]),
];

/// Whether nothing was set yet.
fn fresh(moment: &Moment<'_>) -> bool {
    let none = |name: &str| moment.properties.get(name).is_none_or(Value::is_null);
    none("localDescription") && none("remoteDescription")
}

/// While it is null, the current description reads as the pending one.
fn earlier(moment: &Moment<'_>, plan: Plan, current: &str, pending: &str) -> Plan {
    property(moment, plan, current, |value| {
        if value.is_null() {
            *value = moment.properties.get(pending).cloned().unwrap_or_default();
        }
    })
}

/// The pending description reads as the current one.
fn later(moment: &Moment<'_>, plan: Plan, pending: &str, current: &str) -> Plan {
    property(moment, plan, pending, |value| *value = moment.properties.get(current).cloned().unwrap_or_default())
}

/// One value of the signalingState reads as another; the events tell the truth.
fn signaling(moment: &Moment<'_>, plan: Plan, truly: &str, reads: &str) -> Plan {
    property(moment, plan, SIGNALING, |value| {
        if value == truly {
            *value = reads.into();
        }
    })
}
