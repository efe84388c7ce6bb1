//! The operators of mutation, on small transcripts made by hand.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;

use fincert_schemas::Ledger;
use fincert_schemas::bridge::{CallStyle, CallbackKind, Hello, Integration, Via};
use fincert_schemas::capture::{Capture, Raw};
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::{Captured, Ended, Event, Outcome, Subject, Transcript, What};
use fincert_suites::Suite;
use fincert_suites::judge::{Examiner, Law};
use fincert_suites::mutate::{Clean, Donors, Mutant, Operator, mutants};
use serde_json::{Value, json};

fn law() -> Law<'static> {
    Law {
        ledger: Ledger::embedded().unwrap(),
        suite: Suite::embedded().unwrap(),
        catalog: Catalog::embedded().unwrap(),
    }
}

fn hello() -> Hello {
    Hello {
        protocol: 1,
        name: "small".to_owned(),
        version: "1".to_owned(),
        platform: "android".to_owned(),
        integration: Integration::Integrated,
        call_style: CallStyle::Callbacks,
        capabilities: vec!["ocr".to_owned(), "liveness".to_owned()],
        human: true,
        simulated: true,
        parallel: 1,
    }
}

fn raw(value: Value) -> Captured {
    Captured { value, facts: Vec::new() }
}

/// One call that was answered, and then `complete`.
fn transcript(method: &str, request: Value, subject: Option<&str>, via: Via, value: Value) -> Raw {
    let events = [
        What::Call {
            id: 2,
            step: 1,
            method: method.to_owned(),
            handle: None,
            request: raw(request),
            subject: subject.map(|id| Subject::Fixture(id.to_owned())),
            purpose: None,
        },
        What::Answer { id: 2, via, value: Some(raw(value)), bytes: 200 },
        What::Callback { id: 2, kind: CallbackKind::Complete, seq: 1, as_answered: true, value: None },
    ];
    Raw::new(Transcript {
        scenario: "small".to_owned(),
        session: 1,
        referee: None,
        events: events.into_iter().map(|what| Event { at_us: 0, late: false, what }).collect(),
        ended: Ended::Driven,
    })
}

fn bank_card() -> Raw {
    let result = json!({
        "type": "BankCard",
        "errorCode": 0,
        "recogResult": {
            "cardNo": "6217000000000000004", "bankName": "中国建设银行", "bankId": "01050000", "cardType": "借记卡"
        },
        "errMsg": "finCardOcr:ok"
    });
    transcript("ft.finCardOcr", json!({"type": "BankCard", "imagePath": "finfile://a"}), None, Via::Success, result)
}

fn all(raw: &Raw, hello: &Hello) -> Vec<Mutant> {
    let clean = Clean { raw, hello };
    mutants(law(), clean, &Donors::of(law(), [clean]))
}

fn is_killed(raw: &Raw, hello: &Hello, mutant: &Mutant, examiner: &mut Examiner<'_>) -> bool {
    let captured = Capture::new(law().catalog, false).replay(&mutant.apply(raw));
    examiner.examine(hello, &captured);
    mutant.red(law(), |requirement| examiner.outcome(requirement)).contains(&true)
}

#[test]
fn a_clean_transcript_accuses_nobody_and_every_mutant_is_killed() {
    let (raw, hello) = (bank_card(), hello());
    let mut examiner = Examiner::new(law());
    examiner.examine(&hello, &Capture::new(law().catalog, false).replay(&raw));
    assert_eq!(examiner.findings(), []);
    assert_eq!(examiner.outcome("ocr.result.error-code"), Some(Outcome::Pass));
    let all = all(&raw, &hello);
    assert!(all.len() > 150, "{}", all.len());
    for mutant in &all {
        assert!(is_killed(&raw, &hello, mutant, &mut examiner), "{mutant:?} {:?}", mutant.owners);
    }
}

#[test]
fn owners_are_those_of_the_place() {
    let (raw, hello) = (bank_card(), hello());
    let all = all(&raw, &hello);
    let owners = |operator: Operator, at: &str, rule: &str| -> Vec<String> {
        let mut found = all.iter().filter(|m| m.operator == operator && m.at == at && m.rule == rule);
        let mutant = found.next().unwrap_or_else(|| panic!("no mutant {operator:?} {at} {rule}"));
        assert!(found.next().is_none(), "{operator:?} {at} {rule} stands twice");
        mutant.owners.clone()
    };
    assert_eq!(owners(Operator::Drop, "/errorCode", "row"), ["ocr.result.error-code"]);
    assert_eq!(owners(Operator::Rename, "/recogResult/cardNo", "misspelt"), ["ocr.result.bank-card.card-no"]);
    assert_eq!(owners(Operator::OffByOne, "/recogResult/cardNo", "last-digit"), ["ocr.result.bank-card.card-no.luhn"]);
    assert_eq!(owners(Operator::Retype, "/recogResult", "empty-list"), ["ocr.result.recog-result"]);
    assert_eq!(owners(Operator::BreakDependency, "/type", "IDCard"), ["ocr.result.type"]);
    assert_eq!(owners(Operator::Drop, "", "every-settlement"), ["integration.answers"]);
    assert_eq!(owners(Operator::Reorder, "", "complete-first"), ["callbacks.complete-last"]);
    assert_eq!(owners(Operator::Truncate, "/errMsg", "empty"), ["callbacks.err-msg-ok"]);
    // No sentence speaks of an unknown row, and none forbids that description is left out.
    assert!(all.iter().all(|mutant| mutant.at != "/errMsgs" && mutant.at != "/description"));
}

#[test]
fn mutants_are_distinct_and_none_is_the_clean_transcript() {
    let (raw, hello) = (bank_card(), hello());
    let all = all(&raw, &hello);
    let names: BTreeSet<_> = all.iter().map(|m| (m.event, m.at.clone(), m.operator, m.rule.clone())).collect();
    assert_eq!(names.len(), all.len());
    assert!(all.iter().all(|mutant| mutant.apply(&raw) != raw));
}

#[test]
fn an_answer_to_an_invalid_request_has_no_table() {
    let refusal = json!({"errMsg": "finCardOcr:fail no such type"});
    let raw = transcript("ft.finCardOcr", json!({"type": "Passport", "imagePath": "a"}), None, Via::Fail, refusal);
    let hello = hello();
    let clean = Clean { raw: &raw, hello: &hello };
    let good = bank_card();
    let donors = Donors::of(law(), [Clean { raw: &good, hello: &hello }]);
    let all = mutants(law(), clean, &donors);
    let accepted: Vec<_> = all.iter().filter(|mutant| mutant.operator == Operator::SwapRefusal).collect();
    assert_eq!(accepted.len(), 2);
    let mut examiner = Examiner::new(law());
    for mutant in accepted {
        assert_eq!(mutant.owners, ["ocr.request.type"]);
        assert!(is_killed(&raw, &hello, mutant, &mut examiner));
    }
    assert!(all.iter().all(|mutant| !mutant.owners.iter().any(|owner| owner.starts_with("ocr.result"))));
}

#[test]
fn without_its_check_a_mutant_survives() {
    let (raw, hello) = (bank_card(), hello());
    let mut blind = Examiner::new(law()).without("err-msg");
    let all = all(&raw, &hello);
    let survived = all.iter().filter(|mutant| !is_killed(&raw, &hello, mutant, &mut blind)).count();
    let owned = all.iter().filter(|m| m.owners.iter().all(|owner| owner.starts_with("callbacks.err-msg"))).count();
    assert!(owned > 10);
    assert_eq!(survived, owned);
}

#[test]
fn a_raw_transcript_shows_no_value_when_it_is_printed() {
    let text = format!("{:?} {:?}", bank_card(), all(&bank_card(), &hello()));
    assert!(!text.contains("6217") && !text.contains("建设"), "{text}");
}
