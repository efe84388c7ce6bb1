//! What an engine says about a picture. In certification the mock host answers by what it was shown; a developer
//! at a desk, who shows nothing, gets the documented default.

use fincert_schemas::bridge::{Settlement, Via};
use fincert_schemas::fixture::Fixture;
use serde_json::{Value, json};

use crate::canned;
use crate::picture::Picture;
use crate::plan::fail;

/// The result of a valid request, and the canned result that it came from.
pub(crate) fn run(api: &'static str, request: &Value, picture: &Picture) -> (Settlement, Option<&'static str>) {
    match (api, picture) {
        (_, Picture::Unreadable(why)) => (fail(api, why), None),
        ("finCardOcr", Picture::Specimens(_) | Picture::Unknown) => recognise(request, picture),
        ("finFaceAuth", Picture::Specimens(_) | Picture::Unknown) => (compare(request, picture), None),
        _ => default(api, request),
    }
}

/// The documented default.
pub(crate) fn default(api: &'static str, request: &Value) -> (Settlement, Option<&'static str>) {
    from(api, canned::default_for(api, request), request)
}

/// A canned result by name.
pub(crate) fn named(api: &'static str, name: &str, request: &Value) -> (Settlement, Option<&'static str>) {
    from(api, canned::find(api, name), request)
}

fn from(
    api: &'static str,
    canned: Option<&'static canned::Canned>,
    request: &Value,
) -> (Settlement, Option<&'static str>) {
    match canned {
        Some(canned) => (canned.settle(request), Some(&canned.name)),
        None => (fail(api, "the mock host has no such canned result"), None),
    }
}

/// A success: the value with `errMsg`.
pub(crate) fn success(api: &str, value: Value) -> Settlement {
    canned::complete(api, Settlement { via: Via::Success, value: Some(value) })
}

fn recognise(request: &Value, picture: &Picture) -> (Settlement, Option<&'static str>) {
    const API: &str = "finCardOcr";
    let kind = request.get("type").and_then(Value::as_str);
    match picture.find(|specimen| specimen.kind.as_type() == kind) {
        Some(specimen) => (recognised(kind.unwrap_or_default(), Value::Object(specimen.truth.clone())), None),
        None => named(API, "ocr-error-not-recognised", request),
    }
}

/// A recognised card.
pub(crate) fn recognised(kind: &str, result: Value) -> Settlement {
    let description = if kind == "IDCardCheck" { "质检完成" } else { "识别成功" };
    let value = json!({"type": kind, "errorCode": 0, "description": description, "recogResult": result});
    success("finCardOcr", value)
}

fn compare(request: &Value, picture: &Picture) -> Settlement {
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
    let face = picture.find(|specimen| specimen.person.is_some());
    let value = match face.and_then(|face| Some((face, face.person.as_ref()?))) {
        Some((face, person)) if person.name == text("name") && person.id_no == text("idNo") => {
            json!({"errorCode": 0, "description": "核验成功", "score": score(9700, face)})
        }
        Some((face, _)) => json!({"errorCode": 0, "description": "核验完成，人脸不匹配", "score": score(1200, face)}),
        None => json!({"errorCode": 2002, "description": "未检测到人脸"}),
    };
    success("finFaceAuth", value)
}

/// A score a little above `base` ten-thousandths, each picture its own.
fn score(base: u16, face: &Fixture) -> f64 {
    let digest = face.sha256.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok()).unwrap_or_default();
    f64::from(base + digest % 200) / 10_000.0
}
