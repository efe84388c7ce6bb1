//! What a run comes to.

use fincert_reports::Standing;
use fincert_schemas::run::{Missing, Outcome, Reason};

use crate::fixture;

#[test]
fn only_certified_and_expected_runs_hold() {
    let of = |fixture: &fixture::Fixture| Standing::of(&fixture.run());
    assert_eq!(of(&fixture::green()), Standing::Certified);
    assert_eq!(of(&fixture::red()), Standing::UnexpectedPass);
    assert_eq!(of(&fixture::as_expected()), Standing::AsExpected);

    let mut fixture = fixture::as_expected();
    fixture.header.known_failing.pop();
    assert_eq!(of(&fixture), Standing::NotCertified, "one failure is not known");

    let mut fixture = fixture::as_expected();
    let missing = &mut fixture.judgement.certifications[0].missing;
    let (outcome, reason) = (Outcome::NotExercised, Some(Reason::NotTouched));
    missing.push(Missing { requirement: "ocr.request.type.busi-cert".into(), outcome, reason });
    assert_eq!(of(&fixture), Standing::NotCertified, "what was not exercised was not declared to fail");

    let mut fixture = fixture::green();
    fixture.judgement.certifications.clear();
    assert_eq!(of(&fixture), Standing::Nothing);
    assert!(!Standing::Nothing.holds());
}
