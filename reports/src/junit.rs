//! JUnit XML for CI: a suite a profile, a case a requirement and scenario.
//!
//! Each suite begins with a case for each decision (`certification`), so that a profile that is not
//! certified only because something was not exercised is red as well. No times but those of a failed flow's time
//! line, and no random ids: equal runs give equal bytes.

use std::convert::Infallible;
use std::io::{self, Write};

use fincert_schemas::Lang;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::Run;
use crate::cases::{Case, Cases, Status};
use crate::text::clean;

/// Writes the report.
pub fn render(run: &Run<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let cases = Cases::of(run, lang);
    let mut report = Report::new(format!("fincert {}", clean(&run.header.target)));
    for name in Cases::suites() {
        let mut suite = TestSuite::new(name);
        let Ok(()) = cases.each(name, &mut |case| {
            suite.add_test_case(test_case(case));
            Ok::<(), Infallible>(())
        });
        if suite.tests > 0 {
            report.add_test_suite(suite);
        }
    }
    report.serialize(out).map_err(|error| io::Error::other(cause(&error)))
}

/// What lies at the bottom of an error, such as a disk that is full: the layers above only say that XML was written.
fn cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), cause)
}

fn test_case(case: Case<'_>) -> TestCase {
    let non_success = |kind| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(case.message.as_str()).set_type(case.kind.as_str());
        status.set_description(case.details.as_deref().unwrap_or_default());
        status
    };
    let status = match case.status {
        Status::Passed => TestCaseStatus::success(),
        Status::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(case.message.as_str()).set_type(case.kind.as_str());
            status
        }
        Status::Failed => non_success(NonSuccessKind::Failure),
        Status::Error => non_success(NonSuccessKind::Error),
    };
    let passed = case.status == Status::Passed;
    let mut test_case = TestCase::new(case.name, status);
    test_case.set_classname(case.class);
    // Of a warning, which passes, its details; of a failed flow its time lines.
    if let Some(text) = case.details.filter(|_| passed).or(case.timelines) {
        test_case.set_system_out(text);
    }
    test_case
}
