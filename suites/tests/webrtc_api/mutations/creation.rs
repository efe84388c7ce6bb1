//! Connections, their configuration, tracks, and close.

use fincert_schemas::bridge::Via;
use fincert_schemas::run::flow::Network;
use serde_json::json;

use super::{Mutation, drops, edits, ends_after, fincert_offers, gives, rejects, returns, shows, target_offers};
use crate::flows;

pub(crate) const CREATION: &[Mutation] = &[
    ("a connection without a promise", flows::alone, |s| returns(s, "createRTCPeerConnection"), &["pc.create"]),
    (
        "no connection without options",
        flows::alone,
        |s| s.answers_to("no-options").for_each(|(via, _)| *via = Via::Reject),
        &["pc.create.without-options"],
    ),
    (
        "no connection with two arguments",
        flows::alone,
        |s| {
            s.answers_to("second-argument").for_each(|(via, _)| *via = Via::Reject);
        },
        &["pc.create.second-argument"],
    ),
    (
        "no connection with options",
        flows::alone,
        |s| {
            let (via, value) = s.answers("createRTCPeerConnection").next().unwrap();
            (*via, *value) = (Via::Reject, Some(json!({"name": "TypeError"})));
        },
        &["pc.create.options"],
    ),
    ("options that are dropped", target_offers, |s| s.with.network = Network::Relay, &["pc.create.options"]),
    ("a configuration without a promise", flows::alone, |s| returns(s, "getConfiguration"), &["pc.get-configuration"]),
    (
        "a configuration of another server",
        flows::alone,
        |s| {
            gives(s, "getConfiguration", "/iceServers/0/urls", &json!("stun:other.example:9"));
        },
        &["pc.get-configuration", "pc.create.options"],
    ),
    (
        "a configuration without the policy",
        flows::alone,
        |s| drops(s, "getConfiguration", "iceTransportPolicy"),
        &["pc.get-configuration", "pc.create.options"],
    ),
    (
        "a configuration that is a list",
        flows::alone,
        |s| gives(s, "getConfiguration", "", &json!([])),
        &["pc.get-configuration", "pc.create.options"],
    ),
    ("addTrack without a promise", flows::alone, |s| returns(s, "addTrack"), &["pc.add-track.promise"]),
    (
        "addTrack rejected",
        flows::alone,
        |s| {
            rejects(s, "addTrack");
            ends_after(s, "addTrack");
        },
        &["pc.add-track"],
    ),
    (
        "a track that is not offered",
        flows::alone,
        |s| {
            edits(s, "a=sendrecv\r\na=msid:s video", "a=recvonly\r\na=msid:s video");
        },
        &["pc.add-track"],
    ),
    (
        "a track that is not answered",
        fincert_offers,
        |s| {
            edits(s, "a=sendrecv\r\na=msid:s video", "a=recvonly\r\na=msid:s video");
        },
        &["pc.add-track"],
    ),
    ("close rejected", target_offers, |s| rejects(s, "close"), &["pc.close"]),
    (
        "a close that closes nothing",
        target_offers,
        |s| {
            shows(s, "signalingState", 4, &json!("stable"));
            shows(s, "iceConnectionState", 1, &json!("connected"));
            shows(s, "conectionState", 2, &json!("connected"));
        },
        &["pc.close", "pc.close.states"],
    ),
    (
        "one state that is not closed",
        target_offers,
        |s| shows(s, "iceConnectionState", 1, &json!("disconnected")),
        &["pc.close.states"],
    ),
];
