//! What peers send: a moving test pattern and a tone, or what they receive.

pub(crate) mod echo;
pub(crate) mod pump;
mod streams;

pub use streams::{Frame, Stream, stream};
