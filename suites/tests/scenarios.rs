//! The suite as data: what it covers, and how a bad scenario file is reported.
//!
//! The suite is driven here against an ideal target, which knows the specimens' ground truth and answers as the
//! specification wants it; so what no scenario can exercise is found out without a socket.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeSet, HashMap, HashSet};

use fincert_schemas::Ledger;
use fincert_schemas::bridge::{CallStyle, CallbackKind, Hello, Integration, METHOD_NOT_FOUND, Via};
use fincert_schemas::capture::{CallContext, Capture};
use fincert_schemas::catalog::{Catalog, api_of, is_webrtc};
use fincert_schemas::fixture;
use fincert_schemas::run::{
    Captured, Decision, Ended, Event, Judgement, Pace, RunHeader, Session, Subject, Transcript, What,
};
use fincert_suites::judge::{Evidence, Law, judge};
use fincert_suites::scenario::{FileSpec, Special, Unreadable, as_special};
use fincert_suites::{CallStep, Scenario, Step, Suite};
use serde_json::{Value, json};

fn suite() -> &'static Suite {
    Suite::embedded().unwrap()
}

#[test]
fn ids_are_unique_dotted_and_lower_case() {
    let mut seen = HashSet::new();
    for Scenario { id, .. } in &suite().scenarios {
        assert!(seen.insert(id), "{id} is written twice");
        assert!(id.contains('.') && id.split('.').all(|part| !part.is_empty()), "{id}");
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c)), "{id}");
    }
}

#[test]
fn nothing_is_left_of_the_templates() {
    for scenario in &suite().scenarios {
        let text = serde_json::to_string(scenario).unwrap();
        for name in
            ["slug", "type", "zh", "en", "first", "file", "files", "crowd", "row", "value", "text", "times", "segment"]
        {
            assert!(!text.contains(&format!("{{{name}}}")), "{}: {{{name}}}", scenario.id);
        }
        let does = scenario.calls().next().is_some() || scenario.flow().is_some() || scenario.fuzz().is_some();
        assert!(does, "{} does nothing", scenario.id);
        assert!(
            scenario.steps.iter().all(|step| !matches!(step, Step::Concurrent(group) if group.concurrent.len() < 2)),
            "{}",
            scenario.id
        );
    }
}

#[test]
fn every_clause_is_driven_under_its_profile() {
    for (clause, profile) in [
        ("1", "integration"),
        ("2.1", "ocr"),
        ("2.2", "face"),
        ("2.3", "liveness"),
        ("2.4", "open-app"),
        ("2.5", "witness-video"),
        ("3.1", "webrtc"),
        ("3.2", "webrtc"),
    ] {
        let mut mine = suite().scenarios.iter().filter(|scenario| scenario.clause == clause).peekable();
        assert!(mine.peek().is_some(), "{clause}");
        assert!(mine.all(|scenario| scenario.profile == profile), "{clause}");
    }
}

/// Whether somebody can stand by for every scenario that needs it, and nobody is needed for the others.
#[test]
fn only_what_a_person_sees_waits_for_a_person() {
    for scenario in
        suite().scenarios.iter().filter(|scenario| ["ocr", "face", "integration"].contains(&scenario.profile.as_str()))
    {
        assert_ne!(scenario.pace, Pace::Person, "{}", scenario.id);
    }
    for scenario in suite().scenarios.iter().filter(|scenario| scenario.profile == "liveness") {
        assert_eq!(scenario.pace, Pace::Person, "{}", scenario.id);
    }
    for scenario in suite().scenarios.iter().filter(|scenario| scenario.profile == "witness-video") {
        // A target may ignore a password that it does not use.
        let refused = scenario.id != "witness-video.pwd.wrong-type"
            && [".missing", ".wrong-type", ".range", ".empty-request"].iter().any(|end| scenario.id.ends_with(end));
        assert_eq!(scenario.pace != Pace::Person, refused, "{}", scenario.id);
    }
}

/// Every specimen of a kind is in one transcript: accuracy is computed from it, and stubs are found out by it.
#[test]
fn every_specimen_is_recognised_by_its_type() {
    for specimen in fixture::all().unwrap() {
        let Some(kind) = specimen.kind.as_type() else { continue };
        let asks = |call: &CallStep| {
            let with = call.with.as_ref();
            with.is_some_and(|with| with["type"] == kind && with["imagePath"] == json!({"$file": specimen.id}))
        };
        let found = suite().scenarios.iter().any(|s| s.id.ends_with(".specimens") && s.calls().any(asks));
        assert!(found, "{}", specimen.id);
    }
}

#[test]
fn every_documented_value_is_driven() {
    let judgement = ideal_run();
    for requirement in Ledger::embedded().unwrap().iter().filter(|r| r.coverage && ours(&r.clause)) {
        let verdict = judgement.requirements.iter().find(|verdict| verdict.requirement == requirement.id).unwrap();
        assert!(verdict.exercised_in > 0, "{} is never seen", requirement.id);
    }
}

#[test]
fn a_good_target_exercises_every_requirement_and_breaks_none() {
    let judgement = ideal_run();
    assert_eq!(judgement.findings, []);
    let left: BTreeSet<_> = judgement
        .requirements
        .iter()
        .filter(|verdict| ours(&verdict.clause) && verdict.exercised_in == 0)
        .filter(|verdict| Ledger::embedded().unwrap().get(&verdict.requirement).unwrap().untested.is_none())
        .map(|verdict| verdict.requirement.as_str())
        .collect();
    assert_eq!(left, BTreeSet::new());
}

/// Each profile and each capability by its own scenarios alone.
#[test]
fn a_good_target_is_certified() {
    for certification in ideal_run().certifications {
        let profile = certification.name.split(':').next().unwrap();
        if suite().scenarios.iter().any(|scenario| scenario.profile == profile && ours(&scenario.clause))
            && certification.decision != Decision::NotOffered
        {
            assert_eq!(
                certification.decision,
                Decision::Certified,
                "{}: {:?}",
                certification.name,
                certification.missing
            );
        }
    }
}

/// Exactly what a user with a broken file reads.
#[test]
fn a_bad_file_is_named_with_the_place() {
    let good = "{call: ft.finLivenessCheck}";
    let (mut wanted, mut read) = (Vec::new(), Vec::new());
    for (scenario, message) in BAD {
        let scenario = scenario.replace("GOOD", good);
        let text = format!(
            "clause: x\nprofile: ocr\nscenarios:\n  - {{id: a.b, title: {{zh: 甲, en: a}}, steps: [{good}]}}\n  - {scenario}\n"
        );
        let error = Suite::read([("x.yaml".to_owned(), text.as_str())]).unwrap_err();
        wanted.push((*message).to_owned());
        read.push(error.to_string());
    }
    assert_eq!(read, wanted);
    let error = Suite::read([("x.yaml".to_owned(), "clause: x\nprofile: nobody\nscenarios: []\n")]).unwrap_err();
    assert_eq!(error.to_string(), "x.yaml: at /profile: no such profile: nobody");
}

/// A scenario beside a good one with the id `a.b`, and the error.
const BAD: &[(&str, &str)] = &[
    (
        "{id: a.c, title: {zh: 甲, en: a}, level: MUST, steps: [GOOD]}",
        "x.yaml: at /scenarios/1: Additional properties are not allowed ('level' was unexpected)",
    ),
    ("{id: a.c, title: {zh: 甲}, steps: [GOOD]}", r#"x.yaml: at /scenarios/1/title: "en" is a required property"#),
    (
        "{id: a.c, title: {zh: 甲, en: a}, pace: slow, steps: [GOOD]}",
        r#"x.yaml: at /scenarios/1/pace: "slow" is not valid under any of the schemas listed in the 'oneOf' keyword"#,
    ),
    (
        "{id: a.c, title: {zh: 甲, en: a}, steps: [{cal: ft.finCardOcr}]}",
        r#"x.yaml: at /scenarios/1/steps/0: {"cal":"ft.finCardOcr"} is not valid under any of the schemas listed in the 'anyOf' keyword"#,
    ),
    (
        "{id: a.c, title: {zh: 甲, en: a}, steps: [{call: ft.finCardOcr, with: {imagePath: {$file: nobody}}}]}",
        "x.yaml: at /scenarios/1: a.c: no such specimen: nobody; `fincert list specimens` names them",
    ),
    (
        "{id: a.c, title: {zh: 甲, en: a}, steps: [{call: ft.finCardOcr, with: {imagePath: {$unreadable: lost}}}]}",
        r#"x.yaml: at /scenarios/1: a.c: {"$unreadable":"lost"}: unknown variant `lost`, expected one of `missing`, `directory`, `zero-bytes`, `not-a-picture`, `truncated`, `hundred-megabytes`, `climbing`, `path`"#,
    ),
    (
        "{id: a.c, title: {zh: 甲, en: a}, steps: [{call: ft.finCardOCR}]}",
        "x.yaml: at /scenarios/1: a.c: no such API: ft.finCardOCR",
    ),
    ("{id: a.b, title: {zh: 甲, en: a}, steps: [GOOD]}", "x.yaml: at /scenarios/1/id: a.b is written twice"),
    (
        "{id: a.c, title: {zh: 甲, en: a}, prompt: {zh: 甲, en: a}, steps: [GOOD]}",
        "x.yaml: at /scenarios/1: a.c: a prompt goes with the pace person, and only with it",
    ),
    (
        "{id: a.c, title: {zh: 甲, en: a}, pace: person, steps: [GOOD]}",
        "x.yaml: at /scenarios/1: a.c: a prompt goes with the pace person, and only with it",
    ),
    (
        "{id: a.c, title: {zh: 甲, en: a}, capability: face, steps: [GOOD]}",
        "x.yaml: at /scenarios/1: a.c: face is no capability of ocr",
    ),
    (
        "{each: 3, id: a.c, title: {zh: 甲, en: a}, steps: [GOOD]}",
        "x.yaml: at /scenarios/1: each must be an array of objects",
    ),
    (
        "{each: [3], id: a.c, title: {zh: 甲, en: a}, steps: [GOOD]}",
        "x.yaml: at /scenarios/1: each must be an array of objects",
    ),
    (
        "{id: a.c, title: {zh: 甲, en: a}, steps: [{each: x, call: ft.finCardOcr}]}",
        "x.yaml: at /scenarios/1: each must be an array of objects",
    ),
];

fn ours(clause: &str) -> bool {
    ["1", "bridge", "2.1", "2.2", "2.3", "2.4", "2.5"].contains(&clause)
}

/// The judgement on the ideal target in the three states of clause 1.
fn ideal_run() -> Judgement {
    let catalog = Catalog::embedded().unwrap();
    let law = Law { ledger: Ledger::embedded().unwrap(), suite: suite(), catalog };
    let mut capture = Capture::new(catalog, false);
    let (mut sessions, mut transcripts) = (Vec::new(), Vec::new());
    for integration in [Integration::Integrated, Integration::Custom, Integration::Absent] {
        let hello = Hello {
            protocol: 1,
            name: "ideal".to_owned(),
            version: "1".to_owned(),
            platform: "android".to_owned(),
            integration,
            call_style: CallStyle::Callbacks,
            capabilities: ["ocr", "face", "liveness", "open-app", "witness-video", "webrtc"]
                .map(str::to_owned)
                .to_vec(),
            human: true,
            simulated: true,
            parallel: 1,
        };
        let number = sessions.len() as u32 + 1;
        sessions.push(Session { session: number, hello });
        for scenario in suite().scenarios.iter().filter(|s| ours(&s.clause) && s.integration.contains(&integration)) {
            transcripts.push(Ideal { catalog, capture: &mut capture, events: Vec::new() }.drive(
                scenario,
                number,
                integration,
            ));
        }
    }
    let header = RunHeader {
        target: "ideal".to_owned(),
        scenarios: suite().scenarios.iter().filter(|s| ours(&s.clause)).map(|scenario| scenario.id.clone()).collect(),
        ..RunHeader::default()
    };
    judge(law, Evidence { header: &header, sessions: &sessions, transcripts: &transcripts })
}

struct Ideal<'a, 'c> {
    catalog: &'c Catalog,
    capture: &'a mut Capture<'c>,
    events: Vec<Event>,
}

impl Ideal<'_, '_> {
    fn drive(mut self, scenario: &Scenario, session: u32, integration: Integration) -> Transcript {
        self.capture.begin();
        self.note(What::Ping { alive: true });
        let calls = scenario.calls().flat_map(|call| std::iter::repeat_n(call, call.times as usize));
        for (index, call) in calls.enumerate() {
            self.call(call, index as u32 + 1, integration);
        }
        self.note(What::Ping { alive: true });
        Transcript { scenario: scenario.id.clone(), session, referee: None, events: self.events, ended: Ended::Driven }
    }

    fn note(&mut self, what: What) {
        self.events.push(Event { at_us: self.events.len() as u64, late: false, what });
    }

    fn call(&mut self, call: &CallStep, step: u32, integration: Integration) {
        let (id, method) = (u64::from(step), call.call.as_str());
        let (request, subject) = prepared(call.with.as_ref());
        let captured: Captured = self.capture.request(method, &request);
        let invalid = !captured.facts.iter().all(|fact| serde_json::to_value(fact).unwrap()["fact"] != "breaks");
        self.note(What::Call {
            id,
            step,
            method: method.to_owned(),
            handle: None,
            request: captured,
            subject: subject.clone(),
            purpose: call.control.then(|| "control".to_owned()),
        });
        if is_webrtc(method) {
            // Flows have a suite of tests of their own; this is the one call of clause 1.
            return self.note(match integration {
                Integration::Absent => What::NoResponse { id, deadline_ms: 1000, alive: true },
                _ => What::Answer { id, via: Via::Resolve, value: None, bytes: 0 },
            });
        }
        let Some(api) = api_of(method) else {
            return self.note(What::Refused { id, code: METHOD_NOT_FOUND, message: "no such method".to_owned() });
        };
        if integration == Integration::Absent {
            return self.note(What::NoResponse { id, deadline_ms: 1000, alive: true });
        }
        let lacks_package = api == "finOpenOtherApp" && !request.get("package").is_some_and(Value::is_string);
        let (via, value) = if invalid || lacks_package || !request.is_object() {
            (Via::Fail, json!({"errMsg": format!("{api}:fail invalid request")}))
        } else {
            answer(api, call, &request, subject.as_ref())
        };
        let context = CallContext { method, request: &request, subject: subject.as_ref() };
        let value = Some(self.capture.settlement(context, via, &value));
        self.note(What::Answer { id, via, value: value.clone(), bytes: 0 });
        self.note(What::Callback { id, kind: CallbackKind::Complete, seq: 1, as_answered: false, value });
        assert!(self.catalog.request(api).is_some());
    }
}

/// The request with made-up paths, and what `imagePath` stands for.
fn prepared(with: Option<&Value>) -> (Value, Option<Subject>) {
    let (mut subject, mut paths) = (None, HashMap::new());
    let mut fill = |value: &Value| match as_special(value).map(Result::unwrap) {
        Some(Special::File(FileSpec::Id(id) | FileSpec::Named { id, .. })) => {
            subject = Some(Subject::Fixture(id.clone()));
            let next = paths.len() + 1;
            json!(format!("finfile://tmp/{}.png", paths.entry(id).or_insert(next)))
        }
        Some(Special::Unreadable(Unreadable::Path { kind, path })) => {
            subject = Some(Subject::Unreadable(kind));
            json!(path)
        }
        Some(Special::Unreadable(kind)) => {
            let kind = serde_json::to_value(kind).unwrap();
            subject = Some(Subject::Unreadable(kind.as_str().unwrap().to_owned()));
            json!("finfile://tmp/unreadable.png")
        }
        Some(Special::Repeat(repeat)) => json!(repeat.text.repeat(repeat.times as usize)),
        Some(Special::Param(name)) => Value::from(Suite::embedded().unwrap().params[&name].clone()),
        None => value.clone(),
    };
    let request = match with {
        Some(Value::Object(rows)) => {
            Value::Object(rows.iter().map(|(row, value)| (row.clone(), fill(value))).collect())
        }
        Some(other) => other.clone(),
        None => json!({}),
    };
    (request, subject)
}

/// What the specification wants a target to say to a valid request.
fn answer(api: &str, call: &CallStep, request: &Value, subject: Option<&Subject>) -> (Via, Value) {
    let ok = |mut value: Value| {
        value["errMsg"] = json!(format!("{api}:ok"));
        (Via::Success, value)
    };
    let specimen = match subject {
        Some(Subject::Fixture(id)) => fixture::get(id),
        Some(Subject::Unreadable(_)) if ["finCardOcr", "finFaceAuth"].contains(&api) => {
            return (Via::Fail, json!({"errMsg": format!("{api}:fail no such picture")}));
        }
        _ => None,
    };
    match (api, call.example.as_deref()) {
        ("finCardOcr", _) => match specimen.filter(|s| s.kind.as_type() == request["type"].as_str()) {
            Some(s) => {
                ok(json!({"type": request["type"], "errorCode": 0, "description": "识别成功", "recogResult": s.truth}))
            }
            None => ok(json!({"type": request["type"], "errorCode": 1001, "description": "未检测到证件"})),
        },
        ("finFaceAuth", _) => match specimen.and_then(|specimen| specimen.person.as_ref()) {
            Some(person) if request["idNo"] == person.id_no => {
                ok(json!({"errorCode": 0, "description": "一致", "score": 0.97}))
            }
            Some(_) => ok(json!({"errorCode": 0, "description": "不一致", "score": 0.12})),
            None => ok(json!({"errorCode": 2002, "description": "未检测到人脸"})),
        },
        ("finLivenessCheck", Some("liveness-success")) => {
            let face = fixture::get("liveness-face").map(|face| base64(face.bytes));
            ok(json!({"resultType": "success", "faceImgStr": face}))
        }
        ("finLivenessCheck", Some("liveness-back")) => ok(json!({"resultType": "back"})),
        (_, Some("liveness-error")) => (Via::Fail, json!({"errMsg": "finLivenessCheck:fail no camera"})),
        (_, Some("open-other-app-declined")) => (Via::Cancel, json!({"errMsg": "finOpenOtherApp:cancel"})),
        ("finOpenOtherApp", _) => ok(json!({})),
        (_, Some("witness-success")) => ok(json!({"videoFlag": "0", "message": "见证通过"})),
        (_, Some("witness-failure")) => ok(json!({"videoFlag": "1", "message": "网络中断"})),
        (_, Some("witness-rejected")) => ok(json!({"videoFlag": "2", "rejectReason": "证件与本人不符"})),
        (api, example) => panic!("{api} with the example {example:?}: a valid call must say how it ends"),
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digits = (0..=chunk.len()).map(|place| char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        text.extend(digits);
        text.extend(std::iter::repeat_n('=', 3 - chunk.len()));
    }
    text
}
