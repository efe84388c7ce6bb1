//! The request tables: invalid requests are refused, optional rows may be left out, unknown rows are ignored.

use fincert_schemas::Bilingual;
use fincert_schemas::run::Subject;
use serde_json::Value;

use super::{Broken, Call, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "invalid-request",
        about: "A request that breaks its table never succeeds.",
        requirements: &[
            "ocr.request.type",
            "ocr.request.image-path",
            "face.request.id-no",
            "face.request.name",
            "face.request.image-path",
            "open-app.request.package",
            "open-app.request.url",
            "open-app.request.download-url",
            "witness-video.request.video-type",
            "witness-video.request.video-ip",
            "witness-video.request.video-port",
            "witness-video.request.video-port.range",
            "witness-video.request.login-name",
            "witness-video.request.room-id",
            "witness-video.request.room-name",
            "witness-video.request.app-id",
        ],
        run: invalid,
    },
    Check {
        id: "unreadable-picture",
        about: "A path that names no readable picture never gives errorCode 0.",
        requirements: &["ocr.request.image-path.unreadable", "face.request.image-path.unreadable"],
        run: unreadable,
    },
    Check {
        id: "optional-row",
        about: "A request without an optional row works where the same request with it does.",
        requirements: &[
            "open-app.request.alert-msg",
            "witness-video.request.login-pwd",
            "witness-video.request.room-pwd",
        ],
        run: optional,
    },
    Check {
        id: "unknown-row",
        about: "A request with a row that no table names works where the same request without it does.",
        requirements: &[
            "ocr.request.unknown-field-ignored",
            "face.request.unknown-field-ignored",
            "liveness.request.unknown-field-ignored",
            "open-app.request.unknown-field-ignored",
            "witness-video.request.unknown-field-ignored",
        ],
        run: unknown,
    },
];

fn invalid(view: &View<'_>, sink: &mut Sink<'_>) {
    for (call, api) in view.api_calls().filter(|(call, _)| call.was_answered()) {
        let package = call.lacks_package(view.hello).then_some(("open-app.request.package", "/package", "required"));
        for (requirement, at, rule) in call.request_breaks().chain(package) {
            if !call.succeeded() {
                sink.holds(requirement);
                continue;
            }
            let broken = Broken {
                cause: format!("{api}:accepts{at}:{rule}"),
                at: Some(at.to_owned()),
                expected: Some(Bilingual::new(
                    "拒绝(fail 或非 0 的 errorCode)",
                    "a refusal: fail, or a non-zero errorCode",
                )),
                actual: "a success".to_owned(),
                ..Broken::default()
            };
            sink.breaks(requirement, call.step, broken);
        }
    }
}

fn unreadable(view: &View<'_>, sink: &mut Sink<'_>) {
    for (call, api) in view.api_calls().filter(|(call, _)| call.was_answered() && call.is_valid(view.hello)) {
        let Some(Subject::Unreadable(kind)) = call.subject else { continue };
        let Some(requirement) = call.requirement("request.image-path.unreadable") else { continue };
        if !call.succeeded() {
            sink.holds(&requirement);
            continue;
        }
        let broken = Broken {
            cause: format!("{api}:recognises-nothing"),
            at: Some("/imagePath".to_owned()),
            expected: Some(Bilingual::new("非 0 的 errorCode 或 fail", "a non-zero errorCode, or fail")),
            actual: format!("errorCode 0 for a path that names no picture ({kind})"),
            ..Broken::default()
        };
        sink.breaks(&requirement, call.step, broken);
    }
}

fn optional(view: &View<'_>, sink: &mut Sink<'_>) {
    const ROWS: &[(&str, &str, &str)] = &[
        ("finOpenOtherApp", "alertMsg", "open-app.request.alert-msg"),
        ("finOpenWitnessVideo", "loginPwd", "witness-video.request.login-pwd"),
        ("finOpenWitnessVideo", "roomPwd", "witness-video.request.room-pwd"),
    ];
    for (api, row, requirement) in ROWS {
        for call in view.calls.iter().filter(|call| call.api == Some(api) && !has(call, row)) {
            let with = view.calls.iter().find(|other| {
                other.api == Some(api) && has(other, row) && same_but(other, call, row) && other.is_valid(view.hello)
            });
            let Some(with) = with.filter(|with| with.succeeded() && call.was_answered()) else { continue };
            compare(sink, call, with, requirement, &format!("{api}:needs/{row}"), row);
        }
    }
}

fn unknown(view: &View<'_>, sink: &mut Sink<'_>) {
    for (call, api) in view.api_calls().filter(|(call, _)| call.was_answered()) {
        let extras = unknown_rows(view, call, api);
        let Some(extra) = extras.first() else { continue };
        let plain = view.calls.iter().find(|other| {
            other.api == Some(api)
                && keys(other).iter().all(|key| !extras.contains(key))
                && other.subject == call.subject
        });
        let Some(plain) = plain.filter(|plain| plain.succeeded()) else { continue };
        let Some(requirement) = call.requirement("request.unknown-field-ignored") else { continue };
        compare(sink, call, plain, &requirement, &format!("{api}:refuses-unknown-row"), extra);
    }
}

fn compare(sink: &mut Sink<'_>, call: &Call<'_>, twin: &Call<'_>, requirement: &str, cause: &str, row: &str) {
    if !call.was_refused() {
        sink.holds(requirement);
        return;
    }
    let via = call.answer().map_or("nothing", |answer| answer.via.as_str());
    let broken = Broken {
        cause: cause.to_owned(),
        at: Some(format!("/{row}")),
        expected: Some(Bilingual::new(
            format!("与第 {} 步同样成功", twin.step),
            format!("a success, as in step {}, which differs in this row alone", twin.step),
        )),
        actual: via.to_owned(),
        ..Broken::default()
    };
    sink.breaks(requirement, call.step, broken);
}

fn keys<'a>(call: &Call<'a>) -> Vec<&'a str> {
    call.request.value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

fn has(call: &Call<'_>, row: &str) -> bool {
    call.request.value.get(row).is_some()
}

/// Whether two requests have the same rows with the same values, one row aside.
fn same_but(a: &Call<'_>, b: &Call<'_>, row: &str) -> bool {
    let without = |call: &Call<'_>| -> Option<Vec<(String, Value)>> {
        let object = call.request.value.as_object()?;
        Some(object.iter().filter(|(key, _)| *key != row).map(|(key, value)| (key.clone(), value.clone())).collect())
    };
    without(a) == without(b)
}

/// The rows of a request that its table does not name.
fn unknown_rows<'a>(view: &View<'_>, call: &Call<'a>, api: &str) -> Vec<&'a str> {
    let table = view.catalog.rows(&format!("api/{api}.request.json"));
    keys(call).into_iter().filter(|key| table.is_none_or(|rows| !rows.contains_key(*key))).collect()
}
