//! Generated results: valid ones hold, invalid ones break just the rule they are labelled with, and both follow the
//! request, the seed and the index alone.

#![allow(clippy::unwrap_used)]

mod client;

use std::collections::{BTreeMap, BTreeSet};

use client::ask;
use fincert_mocks::decide::{Decision, Over, Request, decide};
use fincert_mocks::generate::{Label, Mode};
use fincert_mocks::state::{Content, State, StoredFile};
use fincert_mocks::{Config, MockHost};
use fincert_schemas::bridge::{Integration, Via};
use fincert_schemas::capture::{CallContext, Capture};
use fincert_schemas::catalog::Catalog;
use fincert_schemas::fixture;
use fincert_schemas::run::{Fact, Subject};
use proptest::prelude::*;
use serde_json::{Value, json};

const PATH: &str = "finfile://tmp/9/a.png";

fn card(kind: &str) -> Value {
    json!({"type": kind, "imagePath": PATH})
}

fn face() -> Value {
    json!({"idNo": "110105198808080111", "name": "郑样例", "imagePath": PATH})
}

fn witness() -> Value {
    json!({"videoType": "a", "videoIp": "192.0.2.1", "videoPort": "8906", "loginName": "a", "roomId": "1",
        "roomName": "b", "appId": "c"})
}

/// Requests whose results are generated whole, each with its API.
fn requests() -> Vec<(&'static str, Value)> {
    let cards = ["BankCard", "IDCard", "IDCardCheck", "BusiCert"].map(|kind| ("finCardOcr", card(kind)));
    let others = [("finFaceAuth", face()), ("finLivenessCheck", json!({})), ("finOpenWitnessVideo", witness())];
    cards.into_iter().chain(others).collect()
}

fn host(mode: Mode, seed: u64) -> Config {
    Config { generate: Some(mode), seed, ..Config::default() }
}

fn asked(config: &Config, api: &str, request: &Value, prefer: &Value, index: u64, over: Over) -> Decision {
    let mut state = State::default();
    state.calls = index;
    let params = json!({"args": [request], "prefer": prefer});
    decide(&Request { id: &json!(1), method: &format!("ft.{api}"), params: &params, over }, &state, config)
}

fn made(config: &Config, api: &str, request: &Value, prefer: &Value, index: u64) -> (Value, Label) {
    let decision = asked(config, api, request, prefer, index, Over::Http);
    let answer = decision.plan.answer().unwrap_or_else(|| panic!("{api} {request} {prefer}: {:?}", decision.wrong));
    assert_eq!(answer.via, Via::Success);
    (answer.value.clone().unwrap(), decision.label.unwrap())
}

/// What capture finds wrong with a result, and what it relates.
fn faults(api: &str, request: &Value, subject: Option<&Subject>, value: &Value) -> Vec<Fact> {
    let mut capture = Capture::new(Catalog::embedded().unwrap(), false);
    capture.begin();
    let method = format!("ft.{api}");
    let captured = capture.settlement(CallContext { method: &method, request, subject }, Via::Success, value);
    let wrong = |fact: &Fact| match fact {
        Fact::Breaks { .. } | Fact::Alias { .. } => true,
        Fact::Relation { holds, .. } => !holds,
        Fact::Truth { empty, .. } => *empty,
        _ => false,
    };
    captured.facts.into_iter().filter(wrong).collect()
}

#[test]
fn valid_results_hold_and_are_related() {
    let catalog = Catalog::embedded().unwrap();
    let config = host(Mode::Valid, 7);
    let mut seen = BTreeSet::new();
    for (api, request) in requests() {
        for index in 0..60 {
            let (value, label) = made(&config, api, &request, &json!({}), index);
            assert_eq!((label.mode, label.seed, label.index, &label.rule), (Mode::Valid, 7, index, &None));
            assert_eq!(catalog.check(catalog.result(api).unwrap(), &value), [], "{api} {index}: {value}");
            assert_eq!(faults(api, &request, None, &value), [], "{api} {index}: {value}");
            assert_eq!(value["errMsg"], format!("{api}:ok"));
            for place in ["/errorCode", "/recogResult/face", "/resultType", "/videoFlag"] {
                seen.extend(value.pointer(place).map(|value| format!("{api}{place}={value}")));
            }
            if api == "finCardOcr" {
                assert_eq!(value["type"], request["type"]);
                assert_eq!(value["errorCode"] == 0, value.get("recogResult").is_some(), "{value}");
            }
        }
    }
    for branch in [
        "finCardOcr/errorCode=0",
        "finCardOcr/errorCode=1001",
        "finCardOcr/recogResult/face=0",
        "finCardOcr/recogResult/face=1",
        "finFaceAuth/errorCode=0",
        "finFaceAuth/errorCode=2002",
        "finLivenessCheck/resultType=\"success\"",
        "finLivenessCheck/resultType=\"back\"",
        "finOpenWitnessVideo/videoFlag=\"0\"",
        "finOpenWitnessVideo/videoFlag=\"1\"",
        "finOpenWitnessVideo/videoFlag=\"2\"",
    ] {
        assert!(seen.contains(branch), "{branch} never came: {seen:?}");
    }
}

#[test]
fn specimens_decide_the_branch_and_are_read() {
    let config = host(Mode::Valid, 3);
    let mut state = State::default();
    for specimen in fixture::all().unwrap() {
        let path = state.path_for(&specimen.file);
        let size = specimen.bytes.len() as u64;
        state.put(StoredFile { name: specimen.file.clone(), size, content: Content::of(specimen.bytes) });
        for kind in ["BankCard", "IDCard", "IDCardCheck", "BusiCert"] {
            let request = json!({"type": kind, "imagePath": path});
            let ask = |config: &Config| {
                let params = json!({"args": [request]});
                let method = "ft.finCardOcr";
                decide(&Request { id: &json!(1), method, params: &params, over: Over::Bridge }, &state, config)
            };
            let (honest, generated) = (ask(&Config::default()), ask(&config));
            let [honest, value] = [honest, generated].map(|it| it.plan.answer().unwrap().value.clone().unwrap());
            for place in ["/type", "/errorCode", "/recogResult/face"] {
                assert_eq!(honest.pointer(place), value.pointer(place), "{} as {kind}: {place}", specimen.id);
            }
            let subject = Subject::Fixture(specimen.id.clone());
            assert_eq!(
                faults("finCardOcr", &request, Some(&subject), &value),
                [],
                "{} as {kind}: {value}",
                specimen.id
            );
        }
        let request = json!({"idNo": "110105198808080111", "name": "郑样例", "imagePath": path});
        let params = json!({"args": [request]});
        let asked = Request { id: &json!(1), method: "ft.finFaceAuth", params: &params, over: Over::Bridge };
        let value = decide(&asked, &state, &config).plan.answer().unwrap().value.clone().unwrap();
        let score = value.get("score").and_then(Value::as_f64);
        match specimen.id.as_str() {
            "face-match" => assert!(score.unwrap() >= 0.9, "{value}"),
            "face-other" => assert!(score.unwrap() < 0.5, "{value}"),
            _ => assert_eq!(faults("finFaceAuth", &request, None, &value), [], "{}: {value}", specimen.id),
        }
    }
}

#[test]
fn every_invalid_result_breaks_just_the_rule_it_is_labelled_with() {
    let catalog = Catalog::embedded().unwrap();
    let config = Config::default();
    let mut broken = BTreeSet::new();
    for (api, request) in requests() {
        let refused = asked(&config, api, &request, &json!({"invalid": "no-such-rule"}), 0, Over::Http);
        let wrong = refused.wrong.unwrap();
        assert!(refused.plan.answer().is_none() && !wrong.rules.is_empty(), "{api}");
        for rule in &wrong.rules {
            for seed in 0..3 {
                let (value, label) = made(&config, api, &request, &json!({"invalid": rule, "seed": seed}), 0);
                assert_eq!((label.mode, label.rule.as_ref()), (Mode::Invalid, Some(rule)));
                let breaches = catalog.check(catalog.result(api).unwrap(), &value);
                assert!(!breaches.is_empty(), "{api} {rule}: nothing is broken: {value}");
                let at = label.at.unwrap();
                for breach in &breaches {
                    assert_eq!(breach.at, at, "{api} {rule}: {breaches:?} in {value}");
                    assert!(rule.contains(&breach.rule) || !rule.ends_with("format"), "{rule}: {breach:?}");
                }
                let rules: BTreeSet<_> = breaches.iter().map(|breach| &breach.rule).collect();
                assert_eq!(rules.len(), 1, "{api} {rule}: {breaches:?}");
                broken.extend(breaches.into_iter().filter_map(|breach| breach.requirement));
            }
        }
    }
    // Every requirement that the result tables mark can be broken on demand.
    for requirement in [
        "ocr.result.type",
        "ocr.result.error-code",
        "ocr.result.recog-result",
        "ocr.result.id-card.face",
        "ocr.result.id-card.id-no.check-digit",
        "ocr.result.id-card.face-fields",
        "ocr.result.busi-cert.cert-no",
        "ocr.result.bank-card.card-no.luhn",
        "ocr.result.id-card-check.risk",
        "face.result.score",
        "liveness.result.face-img-str",
        "liveness.result.face-img-str.image",
        "liveness.result.face-img-str.only-on-success",
        "witness-video.result.video-flag",
        "witness-video.result.reject-reason",
    ] {
        assert!(broken.contains(requirement), "{requirement} was never broken: {broken:?}");
    }
}

#[test]
fn a_host_that_generates_invalid_results_breaks_many_rules() {
    let config = host(Mode::Invalid, 5);
    let rules: BTreeSet<_> =
        (0..40).map(|index| made(&config, "finCardOcr", &card("IDCard"), &json!({}), index).1.rule.unwrap()).collect();
    assert!(rules.len() >= 15, "{rules:?}");
    let (_, label) = made(&config, "finCardOcr", &card("IDCard"), &json!({"dynamic": true}), 0);
    assert_eq!(label.mode, Mode::Valid, "a wish goes before the host's mode");
    let canned = asked(&config, "finCardOcr", &card("IDCard"), &json!({"dynamic": false}), 0, Over::Http);
    assert!(canned.label.is_none() && canned.call.example.is_some());
}

/// What is generated for every request, valid and invalid.
fn everything() -> String {
    let all = [Mode::Valid, Mode::Invalid].into_iter().flat_map(|mode| {
        let config = host(mode, 7);
        requests().into_iter().map(move |(api, request)| made(&config, api, &request, &json!({}), 0))
    });
    all.map(|(value, label)| format!("{value} {label:?}\n")).collect()
}

/// The other process is this very test, which prints what it makes where it is asked to.
#[test]
fn another_process_makes_the_same() {
    const ASKED: &str = "FINCERT_TEST_PRINTS";
    if std::env::var_os(ASKED).is_some() {
        return print!("{}", everything());
    }
    let other = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "another_process_makes_the_same", "--nocapture"])
        .env(ASKED, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8(other.stdout).unwrap();
    let mine = everything();
    assert!(other.status.success() && mine.lines().count() == 14);
    assert!(printed.contains(&mine), "{printed}\n---\n{mine}");
}

#[test]
fn a_label_makes_the_same_result_again() {
    for mode in [Mode::Valid, Mode::Invalid] {
        let config = host(mode, 11);
        for (api, request) in requests() {
            let mut earlier = BTreeSet::new();
            for index in 0..6 {
                let (value, label) = made(&config, api, &request, &json!({}), index);
                earlier.insert(value.to_string());
                let wish = match &label.rule {
                    Some(rule) => json!({"invalid": rule, "seed": label.seed, "index": label.index}),
                    None => json!({"dynamic": true, "seed": label.seed, "index": label.index}),
                };
                let again = made(&Config::default(), api, &request, &wish, 1000 + index);
                assert_eq!(again, (value, label), "{api}");
            }
            assert!(earlier.len() >= 3, "{api} answers alike: {earlier:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_the_requests_rows_does_not_matter(seed: u64, index: u64) {
        let config = host(Mode::Valid, seed);
        let turned = json!({"imagePath": PATH, "type": "IDCard"});
        let one = made(&config, "finCardOcr", &card("IDCard"), &json!({}), index);
        prop_assert_eq!(&one, &made(&config, "finCardOcr", &turned, &json!({}), index));
        let other = json!({"imagePath": "finfile://tmp/9/b.png", "type": "IDCard"});
        // One small result may be like another, not a row of them.
        let row = |request: &serde_json::Value| -> Vec<_> {
            (0..12).map(|next| made(&config, "finCardOcr", request, &json!({}), index.wrapping_add(next))).collect()
        };
        prop_assert_ne!(row(&turned), row(&other));
    }
}

#[test]
fn any_rule_is_as_likely_as_another() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..200 {
        let wish = json!({"invalid": "any", "seed": seed});
        let rule = made(&host(Mode::Valid, 1), "finCardOcr", &card("BankCard"), &wish, 0).1.rule.unwrap();
        *seen.entry(rule).or_default() += 1;
    }
    // An even choice among some twenty rules gives each ten times or so.
    assert!(seen.len() >= 10, "{seen:?}");
    assert!(seen.values().all(|times| *times <= 60), "{seen:?}");
}

#[test]
fn what_is_wrong_stays_wrong() {
    let config = host(Mode::Valid, 1);
    for (api, request) in [("finCardOcr", json!({"type": "Passport", "imagePath": "a"})), ("finFaceAuth", json!({}))] {
        let decision = asked(&config, api, &request, &json!({"invalid": "any"}), 0, Over::Http);
        assert_eq!((decision.plan.answer().unwrap().via, decision.label), (Via::Fail, None));
    }
    let unreadable = asked(&config, "finCardOcr", &card("IDCard"), &json!({}), 0, Over::Bridge);
    assert_eq!((unreadable.plan.answer().unwrap().via, unreadable.label), (Via::Fail, None));
    let absent = Config { integration: Integration::Absent, ..config.clone() };
    assert!(asked(&absent, "finCardOcr", &card("IDCard"), &json!({"invalid": "x"}), 0, Over::Bridge).plan.is_silent());
    let open = json!({"package": "a", "url": "a://b"});
    assert_eq!(asked(&config, "finOpenOtherApp", &open, &json!({}), 0, Over::Http).label, None);
    let none = asked(&config, "finOpenOtherApp", &open, &json!({"invalid": "x"}), 0, Over::Http).wrong.unwrap();
    assert!(none.message.contains("no table"), "{none}");
    let wish = json!({"example": "witness-rejected"});
    assert_eq!(made(&config, "finOpenWitnessVideo", &witness(), &wish, 0).0["videoFlag"], "2");
    let refused = asked(&config, "finCardOcr", &card("IDCard"), &json!({"seed": -1}), 0, Over::Bridge);
    assert!(refused.wrong.unwrap().message.starts_with("params.prefer: "));
}

#[tokio::test]
async fn answers_over_http_say_what_they_are() {
    const OCR: &str = "POST /ft/finCardOcr";
    let body = r#"{"type":"IDCard","imagePath":"a"}"#;
    let host = MockHost::start(host(Mode::Invalid, 9)).await.unwrap();
    let first = ask(&host, OCR, "", body).await;
    let label = ["fincert-seed", "fincert-index", "fincert-broken-rule", "fincert-broken-at"]
        .map(|name| first.header(name).unwrap());
    assert_eq!((label[0], label[1], first.header("preference-applied")), ("9", "0", None));
    let wish = format!("prefer: respond-async, invalid=\"{}\"\r\nprefer: seed=9; index=0\r\n", label[2]);
    let again = ask(&host, OCR, &wish, body).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    let granted = format!("invalid=\"{}\", seed=9, index=0", label[2]);
    assert_eq!(again.header("preference-applied"), Some(granted.as_str()));
    assert_ne!(ask(&host, OCR, "", body).await.body, first.body);
    let valid = ask(&host, OCR, "prefer: dynamic=true\r\n", body).await;
    assert_eq!((valid.header("fincert-broken-rule"), valid.header("fincert-broken-at")), (Some("none"), None));

    for (wish, says) in
        [("seed=x", "whole number"), ("dynamic=perhaps", "true or false"), ("invalid=nothing", "no rule of that name")]
    {
        let reply = ask(&host, OCR, &format!("prefer: {wish}\r\n"), body).await;
        assert!(reply.status == 400 && reply.body.contains(says), "{wish}: {} {}", reply.status, reply.body);
    }
    let unknown: Value =
        serde_json::from_str(&ask(&host, OCR, "prefer: invalid=nothing\r\n", body).await.body).unwrap();
    assert!(unknown["rules"].as_array().unwrap().iter().any(|rule| rule == label[2]));
    let rules: Value = serde_json::from_str(&ask(&host, "GET /rules", "", "").await.body).unwrap();
    assert!(rules["finCardOcr"].as_array().unwrap().iter().any(|rule| rule["id"] == label[2]));
    assert_eq!(rules["finOpenOtherApp"], json!([]));
    let document: Value = serde_json::from_str(&ask(&host, "GET /openapi.json", "", "").await.body).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(ask(&host, "POST /rules", "", "").await.status, 405);

    let journal = serde_json::to_value(host.journal()).unwrap();
    let expected = json!({"mode": "invalid", "seed": 9, "index": 0, "rule": label[2], "at": label[3]});
    assert_eq!(journal[0]["answered"], json!({"via": "success", "generated": expected}));
    host.shutdown().await;
}
