//! Clauses 3.1 and 3.2: what a WebRTC flow shows.
//!
//! A flow's transcript is sorted once ([`view::Rtc`]); checks ask it. A requirement holds only where its stimulus took
//! place, and what follows from an earlier failure is not accused again: media of a call that never came up was not
//! exercised.

pub(super) mod view;
