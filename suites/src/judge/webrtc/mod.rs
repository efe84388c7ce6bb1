//! Clauses 3.1 and 3.2: what a WebRTC flow shows.
//!
//! A flow's transcript is sorted once ([`view::Rtc`]); checks ask it. A requirement holds only where its stimulus took
//! place, and what follows from an earlier failure is not accused again: media of a call that never came up was not
//! exercised.

mod call;
mod candidates;
mod dtls;
mod hints;
mod ice;
mod line;
mod media;
mod negotiation;
mod offers;
mod relay;
mod sdp;
mod stopping;
mod texts;
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
];
