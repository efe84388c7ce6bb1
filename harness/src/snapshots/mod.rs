//! Snapshots: what each call of an API came to, kept beside the project, and reviewed when it changes.
//!
//! They are plain insta snapshots, made by the crate insta; `cargo insta review` works on them. A result is masked by
//! capture, then redacted by declared rules ([`Rules`]), so that what is left changes when the integration changes.

mod diff;
mod gather;
mod html;
mod keep;
mod page;
mod rules;
mod stored;

pub use diff::{Mark, lines};
pub use gather::{ApiResult, Found, Info, Material, gather};
pub use html::html;
pub use keep::{Kept, Settings, accept, environment, keep};
pub use page::View;
pub use rules::{Rules, Side};
pub use stored::{Entry, SnapshotError, Stored, accepted_path, pending_path, read_folder};
