//! `ft.webrtc`: real connections behind the handles of the bridge (3.1, 3.2).
//!
//! A session's objects stand in its room. Each connection has a task of its own, which does one
//! thing after the other, as the operations chain of W3C webrtc-pc section 4.4.1.2 wants it, and through which its
//! answers, events and properties go in the order in which they came to be. So an event that fires before a promise
//! resolves is sent before its answer.
//!
//! What is to be done about a call is decided without I/O: a [`Task`]. Only then is it carried out by the
//! engine, and what there is to say of it is a plan, as everywhere in the mock host. A defect changes the task, or the
//! plan, or both; it is pure, and sees the [`Moment`].

mod addresses;
mod asked;
mod candidate;
mod connection;
mod decide;
mod flood;
mod moment;
mod objects;
mod options;
mod refusal;
mod room;
pub(crate) mod sdp;
mod task;
mod voice;
mod work;

pub use moment::{About, Moment, Past};
pub use options::Options;
pub use refusal::Refusal;
pub use task::{Junk, Task};

pub(crate) use asked::Asked;
pub(crate) use decide::STATICS;
pub(crate) use room::Room;
