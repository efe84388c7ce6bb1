//! finCardOcr (2.1): what the tables alone cannot say.

use fincert_schemas::Bilingual;
use fincert_schemas::fixture::{self, Kind};
use fincert_schemas::run::{Fact, Subject};
use serde_json::Value;

use super::{Broken, Call, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "ocr-relations",
        about: "The echoed type, the kind of the result, the face that the picture shows, and fields that must agree.",
        requirements: &[
            "ocr.result.type",
            "ocr.request.type.bank-card",
            "ocr.request.type.id-card",
            "ocr.request.type.id-card-check",
            "ocr.request.type.busi-cert",
            "ocr.result.recog-result.only-on-success",
            "ocr.result.id-card.face-matches-picture",
            "ocr.result.id-card.face-fields",
            "ocr.result.id-card.validity-order",
            "ocr.result.id-card.id-no.agrees",
        ],
        run: relations,
    },
    Check {
        id: "ocr-blank-picture",
        about: "A picture with no document never gives errorCode 0.",
        requirements: &["ocr.result.blank-picture"],
        run: blank,
    },
    Check {
        id: "ocr-empty-fields",
        about: "A field that the picture shows is not left empty.",
        requirements: &["ocr.result.fields-not-empty"],
        run: empty_fields,
    },
    Check {
        id: "ocr-pictures-differ",
        about: "Results for pictures that show different things are not all the same: a stub is found out.",
        requirements: &["ocr.result.pictures-differ"],
        run: pictures_differ,
    },
];

fn ocr_calls<'v, 'a>(view: &'v View<'a>) -> impl Iterator<Item = &'v Call<'a>> {
    view.calls.iter().filter(|call| call.api == Some("finCardOcr") && call.is_valid(view.hello))
}

fn asked<'a>(call: &Call<'a>) -> &'a str {
    call.request.value.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn relations(view: &View<'_>, sink: &mut Sink<'_>) {
    for call in ocr_calls(view) {
        for fact in call.facts() {
            let Fact::Relation { relation, at, holds, expected, actual } = fact else { continue };
            let Some((requirement, cause, wanted)) = meaning(relation, asked(call)) else { continue };
            if *holds {
                sink.holds(requirement);
                continue;
            }
            let named =
                |text: &str| expected.as_ref().map_or_else(|| text.to_owned(), |value| format!("{text}{value}"));
            sink.breaks(
                requirement,
                call.step,
                Broken {
                    cause: format!("finCardOcr:{cause}"),
                    at: Some(at.clone()),
                    expected: Some(Bilingual::new(named(wanted.0), named(wanted.1))),
                    actual: actual.clone().unwrap_or_else(|| "it does not".to_owned()),
                    hint: None,
                },
            );
        }
    }
}

/// The requirement, the cause and what is wanted (Chinese, English) of a relation.
fn meaning(relation: &str, asked: &str) -> Option<(&'static str, &'static str, (&'static str, &'static str))> {
    Some(match relation {
        "echo-type" => ("ocr.result.type", "echo", ("与请求相同的 type:", "the type of the request: ")),
        "result-kind" => {
            let requirement = match asked {
                "BankCard" => "ocr.request.type.bank-card",
                "IDCard" => "ocr.request.type.id-card",
                "IDCardCheck" => "ocr.request.type.id-card-check",
                "BusiCert" => "ocr.request.type.busi-cert",
                _ => return None,
            };
            (requirement, "result-kind", ("此类型的字段：", "the fields of "))
        }
        "recog-result-on-error" => (
            "ocr.result.recog-result.only-on-success",
            "recog-result-on-error",
            ("errorCode 非 0 时 recogResult 无内容", "no content in recogResult where errorCode is not 0"),
        ),
        "face-shown" => (
            "ocr.result.id-card.face-matches-picture",
            "face-shown",
            ("图片所示的一面：", "the side that the picture shows: "),
        ),
        "other-face-field" => (
            "ocr.result.id-card.face-fields",
            "other-face-field",
            ("没有另一面的非空字段", "no non-empty field of the other face"),
        ),
        "validity-order" => (
            "ocr.result.id-card.validity-order",
            "validity-order",
            ("startDate 不晚于 endDate", "startDate not after endDate"),
        ),
        "id-number-birthday" => (
            "ocr.result.id-card.id-no.agrees",
            "id-number-birthday",
            ("生日与身份证号码一致", "a birthday that agrees with idNo"),
        ),
        "id-number-gender" => (
            "ocr.result.id-card.id-no.agrees",
            "id-number-gender",
            ("性别与身份证号码一致", "a gender that agrees with idNo"),
        ),
        _ => return None,
    })
}

fn specimen<'a>(call: &Call<'_>) -> Option<&'a fixture::Fixture> {
    match call.subject {
        Some(Subject::Fixture(id)) => fixture::get(id),
        _ => None,
    }
}

fn blank(view: &View<'_>, sink: &mut Sink<'_>) {
    for call in ocr_calls(view).filter(|call| call.was_answered()) {
        if specimen(call).is_none_or(|specimen| specimen.kind != Kind::Blank) {
            continue;
        }
        if !call.succeeded() {
            sink.holds("ocr.result.blank-picture");
            continue;
        }
        let broken = Broken {
            cause: "finCardOcr:recognises-nothing".to_owned(),
            at: Some("/errorCode".to_owned()),
            actual: "errorCode 0 for a blank picture".to_owned(),
            ..Broken::default()
        };
        sink.breaks("ocr.result.blank-picture", call.step, broken);
    }
}

fn empty_fields(view: &View<'_>, sink: &mut Sink<'_>) {
    for call in ocr_calls(view) {
        for fact in call.facts() {
            match fact {
                // A missing field is the row's own finding; here only what is there and says nothing.
                Fact::Truth { at, empty: true, .. } if call.value().is_some_and(|v| v.value.pointer(at).is_some()) => {
                    let broken = Broken {
                        cause: format!("finCardOcr{at}:empty"),
                        at: Some(at.clone()),
                        expected: Some(Bilingual::new("图片上可读的内容", "what the picture shows")),
                        actual: "empty".to_owned(),
                        ..Broken::default()
                    };
                    sink.breaks("ocr.result.fields-not-empty", call.step, broken);
                }
                Fact::Truth { .. } => sink.holds("ocr.result.fields-not-empty"),
                _ => {}
            }
        }
    }
}

fn pictures_differ(view: &View<'_>, sink: &mut Sink<'_>) {
    for kind in [Kind::BankCard, Kind::IdCard, Kind::IdCardCheck, Kind::BusiCert] {
        let results: Vec<_> = ocr_calls(view)
            .filter(|call| call.succeeded() && Some(asked(call)) == kind.as_type())
            .filter_map(|call| {
                let specimen = specimen(call).filter(|specimen| specimen.kind == kind)?;
                let class = call.facts().iter().find_map(|fact| match fact {
                    Fact::Class { at, class } if at == "/recogResult" => Some(*class),
                    _ => None,
                })?;
                Some((call.step, &specimen.truth, class))
            })
            .collect();
        let pairs = || results.iter().enumerate().flat_map(|(i, a)| results[..i].iter().map(move |b| (a, b)));
        let mut different = pairs().filter(|(a, b)| a.1 != b.1).peekable();
        if different.peek().is_none() {
            continue;
        }
        // Nine risks are one number each, and an engine may well miss some; other documents differ in every field.
        let same = |(a, b): &(&(u32, _, u32), &(u32, _, u32))| a.2 == b.2;
        let twin = if kind == Kind::IdCardCheck {
            let all = different.clone().all(|pair| same(&pair));
            different.next().filter(|_| all)
        } else {
            different.find(same)
        };
        let Some((last, first)) = twin else {
            sink.holds("ocr.result.pictures-differ");
            continue;
        };
        let broken = Broken {
            cause: "finCardOcr:stub".to_owned(),
            at: Some("/recogResult".to_owned()),
            expected: Some(Bilingual::new("不同图片的结果不同", "different results for different pictures")),
            actual: format!("the same result in steps {} and {}, for different pictures", first.0, last.0),
            hint: Some(Bilingual::new("像是固定返回的桩。", "This looks like a stub that always answers the same.")),
        };
        sink.breaks("ocr.result.pictures-differ", last.0, broken);
    }
}
