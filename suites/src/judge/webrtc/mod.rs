//! Clauses 3.1 and 3.2: what a WebRTC flow shows.
//!
//! A flow's transcript is sorted once ([`view::Rtc`]); checks ask it. A requirement holds only where its stimulus took
//! place, and what follows from an earlier failure is not accused again: media of a call that never came up was not
//! exercised.

mod answers;
mod call;
mod candidates;
mod devices;
mod dtls;
mod events;
mod hints;
mod ice;
mod line;
mod media;
mod methods;
mod negotiation;
mod offering;
mod offers;
mod parts;
mod properties;
pub(super) mod readings;
mod refusals;
mod relay;
mod sdp;
mod states;
mod stopping;
mod tables;
mod texts;
mod tracks;
pub(super) mod view;
mod words;

use super::Check;

/// Every check of these clauses, by subject.
pub(super) const CHECKS: &[&[Check]] = &[
    call::CHECKS,
    media::CHECKS,
    stopping::CHECKS,
    dtls::CHECKS,
    ice::CHECKS,
    relay::CHECKS,
    sdp::CHECKS,
    negotiation::CHECKS,
    offers::CHECKS,
    candidates::CHECKS,
    tables::CHECKS,
    devices::CHECKS,
    methods::CHECKS,
    offering::CHECKS,
    properties::CHECKS,
    states::CHECKS,
    events::CHECKS,
    tracks::CHECKS,
    refusals::CHECKS,
];
