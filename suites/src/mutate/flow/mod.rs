//! WebRTC flows (3.1, 3.2): what may go wrong in a call, one thing at a time.
//!
//! Owners are named by the ledger's sentences: for a method's promise, result and options by the table in `calls`, for
//! properties by that in `states`, for lines of SDP by that in `sdp`, for waits and counters by what the flow is about
//! (`media`). A flow goes on as it did although a method was refused in the mutant; what follows then is not what a target
//! would show, and so only the owners are asked.

mod calls;
mod candidates;
mod events;
mod media;
mod sdp;
mod states;
mod tables;
mod view;

use fincert_schemas::run::{Transcript, What};

use super::Maker;

/// Whether a transcript is a flow's.
pub(super) fn is_flow(transcript: &Transcript) -> bool {
    transcript.events.iter().any(|event| matches!(event.what, What::Flow { .. }))
}

pub(super) fn of_transcript(maker: &mut Maker<'_>) {
    let transcript = maker.clean.raw.uncaptured();
    let Some(flow) = view::Flowed::new(transcript) else { return };
    tables::all(maker, &flow);
    calls::all(maker, &flow);
    states::all(maker, &flow);
    events::all(maker, &flow);
    candidates::all(maker, &flow);
    sdp::all(maker, &flow);
    media::all(maker, &flow);
}
