use std::collections::{BTreeMap, BTreeSet};

use fincert_schemas::catalog::Catalog;
use fincert_schemas::{Ledger, fixture};
use serde_json::{Value, json};

use super::*;
use crate::config::Config;
use crate::decide::{Over, Request, decide};
use crate::plan::{Action, encode};
use crate::state::{Content, State, StoredFile};

/// A session that holds every specimen, requests that show what a host does, and how many of them are about a picture
/// alone.
fn battery() -> (State, Vec<(&'static str, Value)>, usize) {
    let mut state = State::default();
    let mut asked = Vec::new();
    let person = serde_json::to_value(fixture::get("face-match").unwrap().person.as_ref()).unwrap();
    let with = |mut value: Value, more: Value| {
        for (name, inner) in more.as_object().unwrap() {
            value[name] = inner.clone();
        }
        value
    };
    for specimen in fixture::all().unwrap() {
        let path = state.path_for(&specimen.file);
        let content = Content::of(specimen.bytes);
        state.put(StoredFile { name: specimen.file.clone(), size: specimen.bytes.len() as u64, content });
        for kind in ["BankCard", "IDCard", "IDCardCheck", "BusiCert"] {
            asked.push(("ft.finCardOcr", json!({"type": kind, "imagePath": path})));
        }
        asked.push(("ft.finFaceAuth", with(person.clone(), json!({"imagePath": path}))));
    }
    let pictures = asked.len();
    let first = "finfile://tmp/1/bank-card-debit.png";
    for path in ["/nowhere.png", "finfile://tmp/../x", "/dev/zero", "finfile://tmp/"] {
        asked.push(("ft.finCardOcr", json!({"type": "BankCard", "imagePath": path})));
        asked.push(("ft.finFaceAuth", with(person.clone(), json!({"imagePath": path}))));
    }
    asked.push(("ft.finCardOcr", json!({"type": "BankCard", "imagePath": first, "extra": 1})));
    for path in ["", "%n", "𠮷", &"x".repeat(300), "finfile://tmp/1/../bank-card-debit.png"] {
        asked.push(("ft.finCardOcr", json!({"type": "BankCard", "imagePath": path})));
    }
    asked.push(("ft.finCardOcr", json!({"type": "A", "imagePath": first})));
    asked.push((
        "ft.finFaceAuth",
        with(person.clone(), json!({"name": "a\u{202e}", "imagePath": "finfile://fixtures/face-match"})),
    ));
    asked.push(("ft.finLivenessCheck", json!({})));
    let open = json!({"package": "a.b", "url": "a://b", "downloadUrl": "https://a.example", "alertMsg": "?"});
    let video = json!({"videoType": "1", "videoIp": "192.0.2.1", "videoPort": "8906", "loginName": "a",
        "loginPwd": "b", "roomId": "1", "roomName": "c", "roomPwd": "d", "appId": "e"});
    asked.push(("ft.finOpenWitnessVideo", with(video.clone(), json!({"videoPort": "0"}))));
    asked.push(("ft.finOpenWitnessVideo", with(video.clone(), json!({"loginPwd": ""}))));
    asked.push(("ft.finCardOcr", json!({"type": "Passport", "imagePath": first})));
    asked.push(("ft.finCardOcr", json!({"type": ["BusiCert"], "imagePath": first})));
    for (method, whole) in [
        ("ft.finCardOcr", json!({"type": "BankCard", "imagePath": first})),
        ("ft.finFaceAuth", with(person, json!({"imagePath": "finfile://fixtures/face-match"}))),
        ("ft.finLivenessCheck", json!({})),
        ("ft.finOpenOtherApp", open),
        ("ft.finOpenWitnessVideo", video),
    ] {
        asked.push((method, whole.clone()));
        asked.push((method, with(whole.clone(), json!({"extra": 1}))));
        for name in whole.as_object().unwrap().keys() {
            let mut less = whole.clone();
            less.as_object_mut().unwrap().shift_remove(name);
            asked.push((method, less));
            asked.push((method, with(whole.clone(), json!({name: 7}))));
        }
    }
    (state, asked, pictures)
}

/// What a host with that defect does in one long session: by request, the plan. Its first call is the 1,000th.
fn behaviour(defect: Option<&'static Defect>, integration: Integration) -> Vec<(Call, Plan)> {
    let (mut state, asked, pictures) = battery();
    state.calls = 999;
    let config = Config { defect, integration, ..Config::default() };
    let examples =
        ["liveness-back", "witness-rejected", "witness-failure", "open-other-app-declined", "ocr-error-fail"];
    let wishes = asked.iter().enumerate().flat_map(|(place, (method, request))| {
        let of_api = move |name: &&str| {
            place >= pictures && crate::canned::find(method.strip_prefix("ft.").unwrap(), name).is_some()
        };
        let wished = examples
            .into_iter()
            .filter(of_api)
            .map(move |name| json!({"args": [request], "prefer": {"example": name}}));
        std::iter::once(json!({"args": [request]})).chain(wished).map(move |params| (*method, params))
    });
    let again = json!({"args": [{"type": "BankCard", "imagePath": "finfile://fixtures/bank-card-debit"}],
        "scenario": "a"});
    let others = [
        ("bridge.ping", json!({})),
        ("ft.finQuux", json!({"args": []})),
        ("ft.finCardOcr", again.clone()),
        ("bridge.reset", json!({})),
        ("ft.finCardOcr", again),
    ];
    wishes
        .chain(others)
        .enumerate()
        .map(|(id, (method, params))| {
            let asked = Request { id: &id.into(), method, params: &params, over: Over::Bridge };
            let decision = decide(&asked, &state, &config);
            state.remember(&decision);
            (decision.call, decision.plan)
        })
        .collect()
}

/// The requirements that the results of a behaviour break, by the tables alone.
fn broken(behaviour: &[(Call, Plan)]) -> BTreeMap<String, String> {
    let catalog = Catalog::embedded().unwrap();
    let mut all = BTreeMap::new();
    for (call, plan) in behaviour {
        let Some(settlement) = plan.answer().filter(|settlement| settlement.via.is_success()) else { continue };
        let table = catalog.result(call.api.unwrap()).unwrap();
        for breach in catalog.check(table, settlement.value.as_ref().unwrap()) {
            all.insert(breach.requirement.unwrap(), format!("{} {}", breach.at, breach.rule));
        }
    }
    all
}

#[test]
fn names_and_requirements_hold() {
    let ledger = Ledger::embedded().unwrap();
    let mut names = BTreeSet::new();
    for defect in all() {
        let kebab = |name: &str| {
            name.split('-')
                .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
        };
        assert!(kebab(defect.name), "{}", defect.name);
        assert!(names.insert(defect.name), "{} stands twice", defect.name);
        assert_eq!(defect.owners.is_empty(), defect.hostile, "{}: owners, or an attack", defect.name);
        assert_eq!(defect.fuzzing.is_some(), defect.found_by != FoundBy::Scenarios, "{}", defect.name);
        assert!(!defect.zh.is_empty() && !defect.en.is_empty());
        for id in defect.owners.iter().chain(defect.consequences) {
            let requirement = ledger.get(id).unwrap_or_else(|| panic!("{}: no requirement {id}", defect.name));
            assert!(requirement.untested.is_none() && !requirement.coverage, "{}: {id}", defect.name);
            let fits = [defect.profile, "every"].contains(&requirement.profile.as_str());
            assert!(fits || defect.profile == "every", "{}: {id} is not of {}", defect.name, defect.profile);
            if let Some(states) = requirement.when.as_ref().and_then(|when| when.integration.as_ref()) {
                assert!(states.contains(&defect.state()), "{}: {id} does not hold there", defect.name);
            }
        }
    }
    assert!(names.len() >= 66);
}

#[test]
fn every_requirement_that_a_target_can_break_has_a_defect() {
    let owners: BTreeSet<_> = all().iter().flat_map(|defect| defect.owners).copied().collect();
    let without: Vec<_> = Ledger::embedded()
        .unwrap()
        .iter()
        .filter(|requirement| {
            ["2.1", "2.2", "2.3", "2.4", "2.5", "3.1", "3.2", "1", "bridge"].contains(&requirement.clause.as_str())
        })
        .filter(|requirement| {
            !requirement.coverage && requirement.untested.is_none() && requirement.level != fincert_schemas::Level::May
        })
        .filter(|requirement| !owners.contains(requirement.id.as_str()))
        .map(|requirement| requirement.id.as_str())
        .collect();
    assert_eq!(without, [""; 0]);
}

#[test]
fn the_clean_host_breaks_no_table() {
    for integration in [Integration::Integrated, Integration::Custom] {
        assert_eq!(broken(&behaviour(None, integration)), BTreeMap::new());
    }
    let silent = behaviour(None, Integration::Absent);
    assert!(silent.iter().all(|(call, plan)| plan.is_silent() == call.api.is_some()));
}

#[test]
fn every_defect_shows_where_it_should_and_nowhere_else() {
    let clean: Vec<_> = [Integration::Integrated, Integration::Absent, Integration::Custom]
        .map(|state| (state, behaviour(None, state)))
        .into();
    let plans = |behaviour: &[(Call, Plan)]| behaviour.iter().map(|(_, plan)| plan.clone()).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    for defect in all().iter().filter(|defect| matches!(defect.change, Change::Plan(_))) {
        for (state, clean) in &clean {
            // What a call is does not depend on the defect, so that the calls need not be decided anew.
            let apply = |(call, plan): &(Call, Plan)| (call.clone(), defect.apply(call, plan.clone()));
            let faulty: Vec<_> = clean.iter().map(apply).collect();
            assert_eq!(
                plans(&faulty) != plans(clean),
                defect.is_active_in(*state),
                "{} in {}",
                defect.name,
                state.as_str()
            );
            for ((call, plan), (other, clean)) in faulty.iter().zip(clean) {
                assert_eq!(call.id, other.id);
                let api = call.api.map_or("every", |api| fincert_schemas::catalog::profile_of(api).unwrap());
                let same = clean == plan;
                assert!(same || [api, "every"].contains(&defect.profile), "{} changes {api}", defect.name);
            }
            let changed = faulty.into_iter().zip(clean).filter(|((_, plan), (_, clean))| plan != clean);
            for (requirement, how) in broken(&changed.map(|(faulty, _)| faulty).collect::<Vec<_>>()) {
                let named = defect.owners.iter().chain(defect.consequences).any(|id| *id == requirement);
                if !named {
                    wrong.push(format!("{} breaks {requirement} at {how}", defect.name));
                }
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn raw_frames_are_what_their_names_say() {
    use fincert_schemas::json::{Lexical, parse};
    let raw = |name| {
        let plans = behaviour(Some(find(name).unwrap()), Integration::Integrated);
        let frames = plans.into_iter().flat_map(|(_, plan)| plan.steps).filter_map(|step| match step.action {
            Action::Raw(bytes) => Some(bytes),
            _ => None,
        });
        frames.collect::<Vec<_>>()
    };
    for frame in raw("duplicate-keys") {
        assert!(matches!(parse(&frame).unwrap().faults[..], [Lexical::DuplicateKey { .. }]));
    }
    for frame in raw("invalid-utf8") {
        assert!(matches!(parse(&frame).unwrap().faults[..], [Lexical::InvalidUtf8 { .. }]));
    }
    assert!(raw("stray-line").iter().all(|frame| parse(frame).is_err()));
    for frame in raw("answers-with-wrong-id") {
        assert!(parse(&frame).unwrap().value["id"].as_u64().unwrap() >= 1_000_000_000);
    }
    let double = behaviour(Some(find("error-code-double").unwrap()), Integration::Integrated);
    assert!(double.iter().any(|(call, plan)| plan.steps.iter().any(|step| {
        encode(&call.id, &step.action)
            .is_some_and(|frame| String::from_utf8_lossy(&frame).contains("\"errorCode\":0.0"))
    })));
}

#[test]
fn an_unknown_name_is_answered_with_near_ones() {
    assert_eq!(find("score-87").unwrap().name, "score-87");
    let error = find("score-88").unwrap_err();
    assert_eq!(error.near.first(), Some(&"score-87"));
    assert!(find("complete").unwrap_err().near.contains(&"no-complete"));
    assert!(find(&"x".repeat(10_000)).is_err());
    assert_eq!(find("zzzzzz").unwrap_err().to_string(), "no such defect: zzzzzz; `fincert list defects` names them");
}
