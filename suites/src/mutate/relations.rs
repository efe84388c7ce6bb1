//! Values that depend on each other: the echoed type, the branch, the face that the picture shows, an ID number and a
//! birthday, results of different pictures.
//!
//! Owners, by the ledger: `ocr.result.type` (equal to the type of the request), `ocr.request.type.*` (gives that type's
//! result), `ocr.result.recog-result.only-on-success`, `ocr.result.id-card.*`, `ocr.result.fields-not-empty`,
//! `ocr.result.pictures-differ`, `face.result.score.follows-picture`, `liveness.result.face-img-str*`,
//! `witness-video.result.reject-reason`.

use fincert_schemas::bridge::Integration;
use fincert_schemas::fixture::Kind;
use serde_json::{Value, json};

use super::settled::Call;
use super::{Edit, Maker, Operator};

const TYPES: [(&str, &str); 4] = [
    ("BankCard", "ocr.request.type.bank-card"),
    ("IDCard", "ocr.request.type.id-card"),
    ("IDCardCheck", "ocr.request.type.id-card-check"),
    ("BusiCert", "ocr.request.type.busi-cert"),
];
const FRONT: [&str; 6] = ["nation", "gender", "birthday", "address", "name", "idNo"];
const BACK: [&str; 3] = ["startDate", "endDate", "signOrg"];
const DEPENDS: Operator = Operator::BreakDependency;

pub(super) fn of_call(maker: &mut Maker<'_>, call: &Call<'_>) {
    if maker.clean.hello.integration == Integration::Absent || !call.valid {
        return;
    }
    let Some((answer, value)) = call.success() else { return };
    match call.api {
        "finCardOcr" => ocr(maker, call, answer.event, value),
        "finLivenessCheck" => liveness(maker, answer.event, value),
        "finOpenWitnessVideo" => witness(maker, answer.event, value),
        "finFaceAuth" if value.get("errorCode").is_some_and(|code| code != 0) => {
            // Only errorCode 0 wants a score.
            let zero = vec![Edit::Set(answer.event, "/errorCode".to_owned(), json!(0))];
            if value.get("score").is_none_or(Value::is_null) {
                maker.add(DEPENDS, answer.event, ("/errorCode", "0-without-score"), &["face.result.score"], zero);
            }
        }
        _ => {}
    }
}

fn ocr(maker: &mut Maker<'_>, call: &Call<'_>, event: usize, value: &Value) {
    let asked = call.asked();
    for (kind, _) in TYPES.iter().filter(|(kind, _)| *kind != asked) {
        let echo = vec![Edit::Set(event, "/type".to_owned(), json!(kind))];
        maker.add(DEPENDS, event, ("/type", kind), &["ocr.result.type"], echo);
    }
    let result = "/recogResult".to_owned();
    if value.get("errorCode").and_then(Value::as_f64) != Some(0.0) {
        if let Some(good) = maker.donors.get("finCardOcr", asked).and_then(|good| good.get("recogResult")).cloned() {
            let owner = "ocr.result.recog-result.only-on-success";
            maker.add(DEPENDS, event, (&result, "on-error"), &[owner], vec![Edit::Set(event, result.clone(), good)]);
        }
        if value.get("recogResult").is_none_or(Value::is_null) {
            let zero = vec![Edit::Set(event, "/errorCode".to_owned(), json!(0))];
            maker.add(DEPENDS, event, ("/errorCode", "0-without-result"), &["ocr.result.recog-result"], zero);
        }
        return;
    }
    for code in [1, -1, 1001] {
        let edits = vec![Edit::Set(event, "/errorCode".to_owned(), json!(code))];
        let operator = if code == 1001 { DEPENDS } else { Operator::OffByOne };
        let owner = "ocr.result.recog-result.only-on-success";
        maker.add(operator, event, ("/errorCode", &format!("{code}-with-result")), &[owner], edits);
    }
    let Some((_, owner)) = TYPES.iter().find(|(kind, _)| *kind == asked) else { return };
    for (kind, _) in TYPES.iter().filter(|(kind, _)| *kind != asked) {
        let Some(other) = maker.donors.exactly("finCardOcr", kind).and_then(|good| good.get("recogResult")).cloned()
        else {
            continue;
        };
        maker.add(DEPENDS, event, (&result, kind), &[owner], vec![Edit::Set(event, result.clone(), other)]);
    }
    empty_fields(maker, call, event, value);
    if asked == "IDCard" {
        id_card(maker, call, event, value);
    }
}

/// A field that the picture shows, and that is a text, left empty.
fn empty_fields(maker: &mut Maker<'_>, call: &Call<'_>, event: usize, value: &Value) {
    let Some(specimen) = call.specimen().filter(|specimen| specimen.kind.as_type() == Some(call.asked())) else {
        return;
    };
    for (name, shown) in &specimen.truth {
        let at = format!("/recogResult/{name}");
        let filled = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
        if filled(shown) && value.pointer(&at).is_some_and(filled) {
            let edits = vec![Edit::Set(event, at.clone(), json!(""))];
            maker.add(Operator::Truncate, event, (&at, "empty"), &["ocr.result.fields-not-empty"], edits);
        }
    }
}

fn id_card(maker: &mut Maker<'_>, call: &Call<'_>, event: usize, value: &Value) {
    let at = |name: &str| format!("/recogResult/{name}");
    let text = |name: &str| value.pointer(&at(name)).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(face) = value.pointer("/recogResult/face").and_then(Value::as_i64) else { return };
    if call.specimen().is_some_and(|specimen| specimen.kind == Kind::IdCard) {
        let owners = ["ocr.result.id-card.face-matches-picture", "ocr.result.id-card.face-fields"];
        let edits = vec![Edit::Set(event, at("face"), json!(1 - face))];
        maker.add(DEPENDS, event, (&at("face"), "the-other-side"), &owners[..1], edits);
    }
    let others: &[&str] = if face == 0 { &BACK } else { &FRONT };
    for name in others {
        let edits = vec![Edit::Set(event, at(name), json!("20200101"))];
        maker.add(DEPENDS, event, (&at(name), "of-the-other-face"), &["ocr.result.id-card.face-fields"], edits);
    }
    if text("startDate").is_some() && text("endDate").is_some_and(|end| end != "长期") {
        const ORDER: &str = "ocr.result.id-card.validity-order";
        let late = vec![Edit::Set(event, at("startDate"), json!("20991231"))];
        maker.add(DEPENDS, event, (&at("startDate"), "after-the-end"), &[ORDER], late);
        let early = vec![Edit::Set(event, at("endDate"), json!("1949-10-01"))];
        maker.add(DEPENDS, event, (&at("endDate"), "before-the-start"), &[ORDER], early);
    }
    const AGREES: &str = "ocr.result.id-card.id-no.agrees";
    if text("idNo").is_some() && text("birthday").is_some() {
        for (rule, other) in [("another-day", "1901-01-01"), ("another-century", "20890101")] {
            let edits = vec![Edit::Set(event, at("birthday"), json!(other))];
            maker.add(DEPENDS, event, (&at("birthday"), rule), &[AGREES], edits);
        }
    }
    if let (Some(_), Some(gender @ ("男" | "女"))) = (text("idNo"), text("gender")) {
        let other = if gender == "男" { "女" } else { "男" };
        let edits = vec![Edit::Set(event, at("gender"), json!(other))];
        maker.add(DEPENDS, event, (&at("gender"), "the-other-one"), &[AGREES], edits);
    }
}

fn liveness(maker: &mut Maker<'_>, event: usize, value: &Value) {
    let kind = "/resultType".to_owned();
    let image = "/faceImgStr".to_owned();
    if value.get("resultType").is_some_and(|kind| kind == "success") {
        let owner = "liveness.result.face-img-str.only-on-success";
        let back = vec![Edit::Set(event, kind.clone(), json!("back"))];
        maker.add(DEPENDS, event, (&kind, "back-with-picture"), &[owner], back);
        return;
    }
    let success = vec![Edit::Set(event, kind.clone(), json!("success"))];
    let owner = "liveness.result.face-img-str";
    maker.add(DEPENDS, event, (&kind, "success-without-picture"), &[owner], success);
    let picture = maker.donors.get("finLivenessCheck", "").and_then(|good| good.get("faceImgStr")).cloned();
    if let Some(picture) = picture {
        let owner = "liveness.result.face-img-str.only-on-success";
        maker.add(
            DEPENDS,
            event,
            (&image, "picture-on-back"),
            &[owner],
            vec![Edit::Set(event, image.clone(), picture)],
        );
    }
}

fn witness(maker: &mut Maker<'_>, event: usize, value: &Value) {
    if value.get("rejectReason").is_some_and(|reason| reason.as_str().is_some_and(|text| !text.is_empty())) {
        return;
    }
    let owner = "witness-video.result.reject-reason";
    let edits = vec![Edit::Set(event, "/videoFlag".to_owned(), json!("2"))];
    maker.add(DEPENDS, event, ("/videoFlag", "rejected-without-reason"), &[owner], edits);
}

pub(super) fn of_transcript(maker: &mut Maker<'_>, calls: &[Call<'_>]) {
    pictures(maker, calls);
    scores(maker, calls);
}

/// Two pictures that show different things give one result. Nine risks are one number each, so of those all must agree.
fn pictures(maker: &mut Maker<'_>, calls: &[Call<'_>]) {
    const OWNER: &str = "ocr.result.pictures-differ";
    let shown = |call: &Call<'_>| call.specimen().filter(|s| s.kind.as_type() == Some(call.asked())).map(|s| &s.truth);
    let good: Vec<_> = calls
        .iter()
        .filter(|call| call.api == "finCardOcr")
        .filter_map(|call| Some((call, call.answer?.event, call.good_result()?.get("recogResult")?, shown(call)?)))
        .collect();
    for (kind, _) in TYPES {
        let mine: Vec<_> = good.iter().filter(|(call, ..)| call.asked() == kind).collect();
        let Some((_, _, first, truth)) = mine.first() else { continue };
        let all = || mine.iter().map(|(_, event, ..)| Edit::Set(*event, "/recogResult".to_owned(), (*first).clone()));
        let differs = mine.iter().any(|(_, _, _, other)| other != truth);
        if differs {
            maker.add(DEPENDS, mine[0].1, ("/recogResult", "one-for-all"), &[OWNER], all().collect());
        }
        if kind == "IDCardCheck" {
            continue;
        }
        for (index, (_, event, _, truth)) in mine.iter().enumerate() {
            for (_, _, result, _) in mine[..index].iter().filter(|(_, _, _, other)| other != truth) {
                let edits = vec![Edit::Set(*event, "/recogResult".to_owned(), (*result).clone())];
                let rule = format!("of-another-picture-{index}");
                maker.add(DEPENDS, *event, ("/recogResult", &rule), &[OWNER], edits);
            }
        }
    }
}

/// The same person with their own picture and with another's gets one score.
fn scores(maker: &mut Maker<'_>, calls: &[Call<'_>]) {
    let scored: Vec<_> = calls
        .iter()
        .filter(|call| call.api == "finFaceAuth" && call.specimen().is_some())
        .filter_map(|call| Some((call, call.answer?.event, call.good_result()?.get("score")?)))
        .collect();
    let Some((first, _, score)) = scored.first() else { return };
    let person = |call: &Call<'_>| (call.request.get("idNo").cloned(), call.request.get("name").cloned());
    let others: Vec<_> =
        scored.iter().filter(|(call, ..)| call.subject != first.subject && person(call) == person(first)).collect();
    let Some((_, event, _)) = others.first() else { return };
    let edits = others.iter().map(|(_, event, _)| Edit::Set(*event, "/score".to_owned(), (*score).clone())).collect();
    maker.add(DEPENDS, *event, ("/score", "one-for-all"), &["face.result.score.follows-picture"], edits);
}
