//! What is decided about any request at all.

#![allow(clippy::unwrap_used)]

use fincert_mocks::decide::{Over, Request, decide};
use fincert_mocks::state::{Content, State, StoredFile};
use fincert_mocks::{Config, defects};
use fincert_schemas::bridge::Integration;
use proptest::prelude::*;
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop_oneof!["finfile://[a-z./%0-9]{0,20}", "(BankCard|IDCard|IDCardCheck|BusiCert)"].prop_map(Value::from),
        Just(json!({"$undefined": true})),
        Just(json!({"$number": "NaN"})),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let key = prop_oneof![
            any::<String>(),
            "(type|imagePath|name|idNo|url|package|alertMsg|videoPort|args|prefer|example|base64|mediaType|fill)",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn any_method() -> impl Strategy<Value = String> {
    prop_oneof![
        "ft\\.(finCardOcr|finFaceAuth|finLivenessCheck|finOpenOtherApp|finOpenWitnessVideo)",
        "bridge\\.(hello|ping|reset|putFile|getFile|get|listen)",
        any::<String>(),
    ]
}

fn any_params() -> impl Strategy<Value = Value> {
    prop_oneof![any_json(), any_json().prop_map(|request| json!({"args": [request]}))]
}

fn decided(config: &Config, method: &str, params: &Value, over: Over) -> fincert_mocks::decide::Decision {
    decide(&Request { id: &json!(1), method, params, over }, &State::default(), config)
}

proptest! {
    #[test]
    fn no_request_panics_and_silence_is_absence(method in any_method(), params in any_params(), http: bool) {
        let over = if http { Over::Http } else { Over::Bridge };
        for integration in [Integration::Integrated, Integration::Custom, Integration::Absent] {
            let config = Config { integration, ..Config::default() };
            let decision = decided(&config, &method, &params, over);
            let called = decision.call.api.is_some() && params.get("args").is_some_and(Value::is_array);
            prop_assert_eq!(decision.plan.is_silent(), called && integration == Integration::Absent);
        }
    }

    #[test]
    fn no_defect_panics(method in any_method(), params in any_params(), place in 0..defects::all().len()) {
        let defect = &defects::all()[place];
        let config = Config { defect: Some(defect), integration: defect.state(), ..Config::default() };
        decided(&config, &method, &params, Over::Bridge);
    }

    #[test]
    fn a_refusal_never_repeats_a_value(secret in "[0-9]{17}[0-9X]", field in "(type|imagePath|idNo|name)") {
        for method in ["ft.finCardOcr", "ft.finFaceAuth"] {
            let mut request = json!({"type": secret, "imagePath": secret});
            request[&field] = json!([secret]);
            let decision = decided(&Config::default(), method, &json!({"args": [request]}), Over::Bridge);
            let answer = decision.plan.answer().and_then(|settlement| settlement.value.clone()).unwrap_or_default();
            prop_assert!(!answer.to_string().contains(&secret), "{}", answer);
        }
    }
}

fn answer(state: &State, method: &str, request: &Value) -> Value {
    let params = json!({"args": [request]});
    let asked = Request { id: &json!(1), method, params: &params, over: Over::Bridge };
    let decision = decide(&asked, state, &Config::default());
    decision.plan.answer().and_then(|settlement| settlement.value.clone()).unwrap()
}

#[test]
fn the_picture_decides() {
    let mut state = State::default();
    let mut put = |name: &str, bytes: &[u8]| {
        let path = state.path_for(name);
        state.put(StoredFile { name: name.to_owned(), size: bytes.len() as u64, content: Content::of(bytes) });
        path
    };
    let specimen = |id: &str| fincert_schemas::fixture::get(id).unwrap();
    let front = put("a.png", specimen("id-front-female").bytes);
    let shared = put("b.png", specimen("id-front-male").bytes);
    let blank = put("c.png", specimen("unreadable-blank").bytes);
    let text = put("d.png", b"no picture");
    let me = put("e.png", specimen("face-match").bytes);
    let other = put("f.png", specimen("face-other").bytes);

    let ocr = |kind: &str, path: &str| answer(&state, "ft.finCardOcr", &json!({"type": kind, "imagePath": path}));
    let read = ocr("IDCard", &front);
    assert_eq!(read["recogResult"], Value::Object(specimen("id-front-female").truth.clone()));
    assert_eq!(
        (&read["errorCode"], &read["type"], &read["errMsg"]),
        (&json!(0), &json!("IDCard"), &json!("finCardOcr:ok"))
    );
    assert_eq!(ocr("IDCard", &shared)["recogResult"]["idNo"], specimen("id-front-male").truth["idNo"]);
    assert_eq!(ocr("IDCardCheck", &shared)["recogResult"], json!({"risk": 0}));
    for (kind, path) in [("IDCard", &blank), ("BankCard", &front)] {
        let result = ocr(kind, path);
        assert_eq!((&result["errorCode"], &result["type"]), (&json!(1001), &json!(kind)));
        assert!(result.get("recogResult").is_none());
    }
    for path in [text.as_str(), "/nowhere", "finfile://tmp/../x", "finfile://fixtures/nobody"] {
        assert!(ocr("IDCard", path)["errMsg"].as_str().unwrap().starts_with("finCardOcr:fail "), "{path}");
    }

    let face = |path: &str| {
        let mut request = serde_json::to_value(specimen("face-match").person.as_ref()).unwrap();
        request["imagePath"] = path.into();
        answer(&state, "ft.finFaceAuth", &request)
    };
    let (mine, theirs) = (face(&me)["score"].as_f64().unwrap(), face(&other)["score"].as_f64().unwrap());
    assert!(mine > 0.96 && mine < 1.0 && theirs > 0.1 && theirs < 0.2, "{mine} {theirs}");
    let nobody = face(&blank);
    assert!(nobody["errorCode"] != 0 && nobody.get("score").is_none());
}
