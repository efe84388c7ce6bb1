//! What a report says of a wait: which end, what was awaited, in which act, how long, and what did happen.

use fincert_schemas::run::flow::{Act, Await, End};

use super::view::{Awaited, Rtc};

/// A wait, told in a sentence.
pub(super) fn waited(rtc: &Rtc<'_>, awaited: &Awaited<'_>) -> String {
    let end = match awaited.end {
        End::Target => "the target",
        End::Fincert => "fincert's end",
    };
    let act =
        rtc.act_at(awaited.at).map_or_else(|| "setting up the call".to_owned(), |act| format!("the act {}", name(act)));
    let seen = if awaited.instead.is_empty() { String::new() } else { format!("; instead: {}", awaited.instead) };
    let came = if awaited.met { "came" } else { "did not come" };
    format!("at {end}, in {act}: {} {came} within {} ms{seen}", what(awaited), awaited.waited_ms)
}

/// The act's word, as it stands in scenarios.
pub(super) fn name(act: Act) -> String {
    serde_json::to_value(act).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn what(awaited: &Awaited<'_>) -> String {
    match awaited.what {
        Await::TargetConnected => "conectionState or iceConnectionState connected".to_owned(),
        Await::PeerConnected => "the connection, ICE and DTLS,".to_owned(),
        Await::Rtp => format!("RTP of {}", awaited.of),
        Await::ReceiverReport => format!("a receiver report on {} with a higher sequence number", awaited.of),
        Await::Event => format!("the event {}", awaited.of),
        Await::Property => awaited.of.to_owned(),
        Await::Gathered => "the end of gathering".to_owned(),
        Await::RelayCandidate => "a relay candidate".to_owned(),
        Await::TargetDisconnected => "iceConnectionState disconnected or failed".to_owned(),
        Await::TargetFailed => "iceConnectionState failed".to_owned(),
        Await::Silence => format!("the end of RTP of {}", awaited.of),
        Await::PeerDisconnected => "the end of the connection".to_owned(),
        Await::Answer => format!("the answer to {}", awaited.of),
    }
}
