//! fincert's harness: drives a target through the bridge, records, judges and reports.
//!
//! The only crate that knows all the others. Everything here does I/O or puts parts together; what is driven
//! and how it is judged is in `fincert-suites`, what the words mean in `fincert-schemas`.

pub mod browser;
pub mod certificate;
pub mod deadline;
pub mod drive;
pub mod filter;
pub mod fuzz;
pub mod input;
mod lanes;
pub mod output;
pub mod prove;
pub mod record;
pub mod referee;
pub mod runner;
pub mod snapshots;
pub mod source;
pub mod target;
pub mod transport;
pub mod turn;
