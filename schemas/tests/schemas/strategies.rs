//! The strategies over the schemas of the specification: what is valid is valid, and what breaks a rule breaks just it.

use std::sync::Arc;

use fincert_schemas::catalog::{BASE, Catalog};
use fincert_schemas::strategy::{
    Choices, Flavour, Generator, Invalid, Pins, Rule, Shrinker, invalid_strategy, valid_strategy,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestError, TestRunner};
use serde_json::{Value, json};

fn catalog() -> &'static Catalog {
    Catalog::embedded().unwrap()
}

fn paths() -> Vec<String> {
    catalog().documents().into_iter().map(|(id, _)| id.replace(BASE, "")).collect()
}

fn generator(path: &str) -> Arc<Generator> {
    Generator::embedded(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_valid_instance_validates() {
    for path in paths() {
        let generator = generator(&path);
        let table = catalog().table(&path).unwrap();
        for flavour in [Flavour::Plain, Flavour::Hostile] {
            for seed in 0..60 {
                let value = generator.valid(&mut Choices::from_seed(seed).with_flavour(flavour));
                let breaches = catalog().check(table, &value);
                assert!(breaches.is_empty(), "{path}, seed {seed}: {value} {breaches:?}");
            }
        }
    }
}

/// A breach is the rule's when both name the same place, the same rule and the same requirement.
fn is_of(breach: &fincert_schemas::catalog::Breach, rule: &Rule, at: &str) -> bool {
    breach.at == at && breach.rule == rule.name && breach.requirement == rule.requirement
}

#[test]
fn every_invalid_instance_breaks_just_its_rule() {
    let (mut made, mut missed) = (0u32, 0u32);
    for path in paths() {
        let generator = generator(&path);
        let table = catalog().table(&path).unwrap();
        for rule in generator.rules() {
            let mut found = 0;
            for seed in 0..6 {
                let Some(invalid) = generator.invalid(rule, &mut Choices::from_seed(seed)) else {
                    missed += 1;
                    continue;
                };
                found += 1;
                made += 1;
                let breaches = catalog().check(table, &invalid.value);
                let mine = breaches.iter().filter(|breach| is_of(breach, rule, &invalid.at)).count();
                assert!(mine > 0, "{path} {rule:?} {invalid:?} {breaches:?}");
                // Others are broken only if the rule says that they fall with it.
                let told = |breach: &fincert_schemas::catalog::Breach| {
                    rule.with.iter().any(|id| id.split('/').any(|part| part == breach.rule))
                };
                let untold = breaches.iter().filter(|b| !is_of(b, rule, &invalid.at) && !told(b)).count();
                assert_eq!(untold, 0, "{path} {rule:?} {invalid:?} {breaches:?}");
            }
            assert!(found > 0, "{path} {rule:?}");
        }
    }
    assert!(made > 3500 && missed * 100 < made, "{made} made, {missed} missed");
}

#[test]
fn the_rules_of_a_table_are_these() {
    let generator = generator("api/finCardOcr.request.json");
    let ids: Vec<_> = generator.rules().iter().map(|rule| (rule.id.as_str(), rule.with.len())).collect();
    assert_eq!(
        ids,
        [
            ("/type", 0),
            ("/required/type", 0),
            ("/required/imagePath", 0),
            ("/properties/type/type", 1),
            ("/properties/type/enum", 0),
            ("/properties/imagePath/type", 0),
            ("/properties/imagePath/minLength", 0),
        ]
    );
}

#[test]
fn what_is_pinned_stays_and_decides_the_rest() {
    let generator = generator("api/finCardOcr.result.json");
    for (kind, field) in [("BankCard", "cardNo"), ("BusiCert", "corpName"), ("IDCardCheck", "risk")] {
        let pins = Pins::new().with("/type", kind).with("/errorCode", 0);
        for seed in 0..50 {
            let value = generator.valid_with(&pins, &mut Choices::from_seed(seed)).unwrap();
            assert_eq!(value["type"], kind);
            assert!(value["recogResult"].get(field).is_some(), "{value}");
        }
        let rule = generator.rule("/properties/errorCode/type").unwrap();
        assert_eq!(generator.invalid_with(&pins, &rule, &mut Choices::from_seed(1)), Ok(None));
    }
    let pins =
        Pins::new().with("/type", "IDCard").with("/errorCode", 0).with("/recogResult/face", 1).without("/description");
    let value = generator.valid_with(&pins, &mut Choices::from_seed(3)).unwrap();
    assert!(value["recogResult"].get("signOrg").is_some() && value.get("description").is_none(), "{value}");
    let impossible = Pins::new().with("/type", "Passport");
    assert!(generator.valid_with(&impossible, &mut Choices::from_seed(3)).unwrap_err().to_string().contains("pinned"));
}

#[test]
fn a_result_hangs_together() {
    use fincert_schemas::format::date::{Validity, WrittenDate};
    use fincert_schemas::format::resident_id;
    let generator = generator("api/finCardOcr.result.json");
    let front = Pins::new().with("/type", "IDCard").with("/errorCode", 0).with("/recogResult/face", 0);
    let back = Pins::new().with("/type", "IDCard").with("/errorCode", 0).with("/recogResult/face", 1);
    let (mut numbers, mut validities) = (0, 0);
    for seed in 0..300 {
        let value = generator.valid_with(&front, &mut Choices::from_seed(seed)).unwrap();
        let text = |name: &str| value["recogResult"][name].as_str().unwrap().to_owned();
        if let Ok(number) = resident_id::parse(&text("idNo")) {
            if let Ok(birthday) = WrittenDate::parse(&text("birthday")) {
                assert_eq!(birthday.date, number.birth, "{value}");
                numbers += 1;
            }
            assert!(text("gender").is_empty() || (text("gender") == "男") == number.male, "{value}");
        }
        let value = generator.valid_with(&back, &mut Choices::from_seed(seed)).unwrap();
        let text = |name: &str| value["recogResult"][name].as_str().unwrap().to_owned();
        let (start, end) = (WrittenDate::parse(&text("startDate")), Validity::parse(&text("endDate")));
        if let (Ok(start), Ok(Validity::Date(end))) = (start, end) {
            assert!(start.date <= end.date, "{value}");
            validities += 1;
        }
    }
    assert!(numbers > 200 && validities > 150, "{numbers} {validities}");
}

#[test]
fn the_same_choices_give_the_same_instance() {
    let generator = generator("api/finCardOcr.result.json");
    for seed in 0..50 {
        let mut drawn = Choices::from_seed(seed);
        let value = generator.valid(&mut drawn);
        assert_eq!(generator.valid(&mut Choices::replay(drawn.taken().to_vec())), value);
    }
    assert_eq!(generator.valid(&mut Choices::replay(Vec::new())), json!({"type": "BusiCert", "errorCode": 1}));
}

#[test]
fn a_case_shrinks_and_stays_what_it_is() {
    let generator = generator("api/finFaceAuth.request.json");
    let table = catalog().request("finFaceAuth").unwrap();
    let long = |value: &Value| value["name"].as_str().is_some_and(|name| name.chars().count() >= 3);
    let mut choices = Choices::from_seed(11);
    assert!((0..100).any(|_| {
        choices.forget();
        long(&generator.valid(&mut choices))
    }));
    let mut shrinker = Shrinker::new(&choices);
    while let Some(mut candidate) = shrinker.next_candidate() {
        let value = generator.valid(&mut candidate);
        assert_eq!(catalog().check(table, &value), []);
        shrinker.accept(long(&value));
    }
    assert_eq!(generator.valid(&mut shrinker.best()), json!({"idNo": "a", "name": "aaa", "imagePath": "a"}));
    assert!(shrinker.steps() < 500, "{}", shrinker.steps());
}

#[test]
fn which_rules_cannot_be_broken() {
    let mut left_out = Vec::new();
    let (mut rules, mut alone) = (0, 0);
    for path in paths() {
        let generator = generator(&path);
        left_out.extend(generator.unbreakable().into_iter().map(|rule| format!("{path} {}", rule.id)));
        rules += generator.rules().len();
        alone += generator.rules().iter().filter(|rule| rule.with.is_empty()).count();
    }
    assert!(rules >= 600 && alone >= 560, "{rules} rules, {alone} alone");
    // The event's `if` speaks of objects with a candidate that is not empty, so that what it says then of both holds
    // already; and a candidate without sdpMid, of which the other four speak, breaks what is asked of sdpMid first.
    let expected = [
        "webrtc/iceCandidate.json /allOf/0/then/required/sdpMLineIndex",
        "webrtc/iceCandidate.json /allOf/0/then/properties/sdpMLineIndex/type",
        "webrtc/icecandidate.event.json /properties/candidate/then/$ref/type",
        "webrtc/icecandidate.event.json /properties/candidate/then/$ref/properties/candidate/minLength",
        "webrtc/icecandidate.event.json /properties/candidate/then/$ref/allOf/0/then/required/sdpMLineIndex",
        "webrtc/icecandidate.event.json /properties/candidate/then/$ref/allOf/0/then/properties/sdpMLineIndex/type",
    ];
    assert_eq!(left_out, expected);
}

#[test]
fn what_cannot_be_generated_is_an_error_with_its_place() {
    const ID: &str = "https://errors.fincert.invalid/schema.json";
    let error = |schema: Value| Generator::compile([(ID, &schema)], ID).unwrap_err();
    for (schema, pointer, says) in [
        (json!({"properties": {"a": {"minimun": 3}}}), "/properties/a/minimun", "\"minimun\" is not supported"),
        (json!({"allOf": [{"format": "credit-card"}]}), "/allOf/0/format", "use one of resident-id"),
        (json!({"pattern": "(?=a)b"}), "/pattern", "look-around"),
        (json!({"pattern": "a{20000}"}), "/pattern", "16384"),
        (json!({"items": {"$ref": "#/$defs/no"}}), "/items/$ref", "leads to no schema"),
        (json!({"minLength": "3"}), "/minLength", "whole number"),
        (json!({"contains": {}, "minContains": "2"}), "/minContains", "whole number"),
        (json!({"maxContains": -1}), "/maxContains", "whole number"),
        (json!({"then": {"minimun": 3}}), "/then/minimun", "\"minimun\" is not supported"),
        (json!({"if": true, "else": {"minLength": "3"}}), "/else/minLength", "whole number"),
        (json!({"multipleOf": 0}), "/multipleOf", "positive"),
        (json!({"$schema": "http://json-schema.org/draft-07/schema#"}), "/$schema", "2020-12"),
        (json!({"type": "string", "enum": [1]}), "", "exclude each other (type, enum)"),
        (
            json!({"type": "object", "required": ["a"], "properties": {"a": {"minLength": 3, "maxLength": 2, "type": "string"}}}),
            "/properties/a",
            "relax",
        ),
        (json!({"type": "array", "minItems": 3, "uniqueItems": true, "items": {"type": "boolean"}}), "", "relax"),
        (
            json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}),
            "/properties/a",
            "without end",
        ),
        (json!({"allOf": [{"$ref": "#"}]}), "", "without end"),
        (json!({"type": "array", "minItems": 1, "items": {"$ref": "#"}}), "/items", "without end"),
    ] {
        let found = error(schema.clone());
        assert_eq!((found.document.as_str(), found.pointer.as_str()), (ID, pointer), "{schema} {found}");
        assert!(found.to_string().contains(says), "{schema} {found}");
    }
    // Twelve choices of four that say nothing about each other are 16 million cases.
    let branch = |n: usize| json!({"anyOf": (0..4).map(|k| json!({"properties": {format!("p{n}"): {"const": k}}, "required": [format!("p{n}")]})).collect::<Vec<_>>()});
    let exploding = json!({"type": "object", "allOf": (0..12).map(branch).collect::<Vec<_>>()});
    let found = error(exploding);
    assert!(found.to_string().contains("cases; split it"), "{found}");
}

/// What proptest draws, and what it comes to in shrinking, keeps the promise at every step.
#[test]
fn the_strategies_of_proptest_shrink_within_what_they_promise() {
    let mut runner = TestRunner::deterministic();
    for path in paths() {
        let generator = generator(&path);
        let table = catalog().table(&path).unwrap();
        let valid = |value: &Value| assert_eq!(catalog().check(table, value), [], "{path}: {value}");
        for _ in 0..4 {
            let mut tree = valid_strategy(&generator).new_tree(&mut runner).unwrap();
            walk(&mut tree, valid);
        }
        for rule in generator.rules().iter().step_by(7) {
            let broken = |invalid: &Invalid| {
                let breaches = catalog().check(table, &invalid.value);
                assert!(breaches.iter().any(|breach| is_of(breach, rule, &invalid.at)), "{path} {rule:?} {invalid:?}");
            };
            let Ok(mut tree) = invalid_strategy(&generator, rule).new_tree(&mut runner) else { continue };
            walk(&mut tree, broken);
        }
    }
}

/// Simplifies and takes back in turn, as a test would that fails by every other value.
fn walk<T: ValueTree>(tree: &mut T, holds: impl Fn(&T::Value)) {
    holds(&tree.current());
    for step in 0..200 {
        let more = if step % 3 == 2 { tree.complicate() } else { tree.simplify() };
        holds(&tree.current());
        if !more {
            return;
        }
    }
}

#[test]
fn a_failure_shrinks_to_the_smallest_valid_value_that_fails() {
    let path = "api/finCardOcr.result.json";
    let mut runner = TestRunner::deterministic();
    let found = runner.run(&valid_strategy(&generator(path)), |value| {
        prop_assert!(value["errorCode"] == 0);
        Ok(())
    });
    let Err(TestError::Fail(_, smallest)) = found else { panic!("{found:?}") };
    assert!(smallest["errorCode"] != 0);
    assert_eq!(catalog().check(catalog().table(path).unwrap(), &smallest), []);
    // A refusal says why, and has no other row.
    assert!(smallest.as_object().unwrap().len() <= 3, "{smallest}");
}
