//! Exit codes, in one table.

use fincert_schemas::run::{Ended, Judgement, Transcript};

/// Certified, or failing exactly as the known-failing list says.
pub(crate) const CERTIFIED: u8 = 0;
/// Not certified.
pub(crate) const NOT_CERTIFIED: u8 = 1;
/// Wrong usage or a bad input file.
pub(crate) const USAGE: u8 = 2;
/// Could not run: the target, not the verdict.
pub(crate) const COULD_NOT_RUN: u8 = 3;
/// A record, snapshot or certificate does not hold.
pub(crate) const DOES_NOT_HOLD: u8 = 4;
/// Interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// The table that `fincert list exit-codes` prints.
pub(crate) const TABLE: &[(u8, &str)] = &[
    (CERTIFIED, "certified, or failing exactly as the known-failing list says"),
    (
        NOT_CERTIFIED,
        "not certified: a MUST failed, was not exercised, is inconclusive or could not run; or the run was filtered",
    ),
    (
        USAGE,
        "wrong usage or a bad input file, and nothing was started; or a report could not be written, and the verdict was printed",
    ),
    (
        COULD_NOT_RUN,
        "could not run: the target could not be reached, did not say hello, or went down in three scenarios in a row, hostile requests aside; or the record could not be written",
    ),
    (DOES_NOT_HOLD, "a record, snapshot or certificate does not hold"),
    (INTERRUPTED, "interrupted; the record holds what was driven until then"),
];

/// The code of a judged run.
pub(crate) fn of(judgement: &Judgement, transcripts: &[Transcript]) -> u8 {
    // A scenario for which no session could be had: the target was not reached, or was given up.
    let no_session =
        |transcript: &Transcript| transcript.session == 0 && matches!(transcript.ended, Ended::Broken { .. });
    let could_not_run = transcripts.iter().any(no_session);
    match (could_not_run, judgement.standing.holds()) {
        (true, _) => COULD_NOT_RUN,
        (false, true) => CERTIFIED,
        (false, false) => NOT_CERTIFIED,
    }
}
