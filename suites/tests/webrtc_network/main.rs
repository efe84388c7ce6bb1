//! The checks of calls, media, ICE, DTLS, SDP and candidates, each against a transcript that is as it should be and
//! against one in which just its sentence is broken.
#![allow(missing_docs, clippy::unwrap_used)]

mod calls;
mod candidates;
mod descriptions;
mod hostile;
mod ice;
mod media;
mod play;
mod sdp;
mod tape;
