//! Defects that generated requests find: what breaks at a length, an odd character, a path, an overlap, a count.
//!
//! Most of them show in no scenario that is written down, and each is narrow on purpose: the clean host next to it
//! shows that nothing else is accused. Of the others the scenarios find the same, and fuzzing must find them too.

use std::time::Duration;

use fincert_schemas::bridge::CallbackKind;
use serde_json::{Value, json};

use super::Defect;
use super::callbacks::{COMPLETE_ONCE, ONE_OF, between};
use super::edit::{BANK_CARD, FACE, OCR, WITNESS, is, result, success};
use super::found::{Fuzzing, Smallest};
use crate::decide::Call;
use crate::engine;
use crate::picture::Picture;
use crate::plan::{Action, Plan, Spelling, fail, failed};

/// The sentence that a call is answered, and what else is missing where no callback runs.
const UNANSWERED: &[&str] = &["integration.answers", "integration.invalid-request-answered", ONE_OF, COMPLETE_ONCE];

/// The lengths of a path at which the buffer for its error overflows: longer than a file's name may be (NAME_MAX, 255),
/// and not so long that the path itself is refused first (PATH_MAX, 1024 on some systems).
const OVERFLOWING: std::ops::Range<usize> = 256..1024;

/// How long the host takes that keeps its result in a global, so that calls overlap.
const SLOW: Duration = Duration::from_millis(20);

const TYPE: (&str, Smallest) = ("type", Smallest::Text(BANK_CARD));
const PICTURE: (&str, Smallest) = ("imagePath", Smallest::Picture);

const fn path(smallest: Smallest) -> [(&'static str, Smallest); 2] {
    [TYPE, ("imagePath", smallest)]
}

pub(super) const MISSING_IMAGE_PATH: Fuzzing = Fuzzing { within: 100, calls: 1, smallest: &[TYPE] };

pub(super) const ALL: &[Defect] = &[
    Defect::new(
        "ocr",
        "crash-on-long-path",
        [
            "imagePath 为 256 至 1023 个字符且文件不存在时宿主崩溃",
            "the host crashes on an imagePath of 256 to 1,023 characters that names no file",
        ],
        &["integration.invalid-request-answered"],
        |call, plan| {
            let long = call.text("imagePath").is_some_and(|path| OVERFLOWING.contains(&path.chars().count()));
            if is(call, OCR) && long && names_no_file(call) { Plan::only(Action::Close) } else { plan }
        },
    )
    .also(UNANSWERED)
    .fuzz(Fuzzing { within: 500, calls: 1, smallest: &path(Smallest::Characters(OVERFLOWING.start)) }),
    Defect::new(
        "ocr",
        "crash-on-format-string",
        [
            "imagePath 含 %s 或 %n 且文件不存在时宿主崩溃",
            "the host crashes on an imagePath with %s or %n that names no file",
        ],
        &["integration.invalid-request-answered"],
        |call, plan| {
            let format = call.text("imagePath").is_some_and(|path| path.contains("%s") || path.contains("%n"));
            if is(call, OCR) && format && names_no_file(call) { Plan::only(Action::Close) } else { plan }
        },
    )
    .also(UNANSWERED)
    .fuzz(Fuzzing { within: 500, calls: 1, smallest: &path(Smallest::OneOf(&["%s", "%n"])) }),
    Defect::new(
        "ocr",
        "hang-on-empty-string",
        ["银行卡识别的 imagePath 为空字符串时宿主卡死", "the host hangs on an empty imagePath of a bank card"],
        &["integration.invalid-request-answered"],
        |call, plan| {
            let empty = call.text("imagePath") == Some("") && call.text("type") == Some(BANK_CARD);
            if is(call, OCR) && empty { Plan::only(Action::Hang) } else { plan }
        },
    )
    .also(UNANSWERED)
    .also_found_by_fuzzing(Fuzzing { within: 200, calls: 1, smallest: &path(Smallest::Text("")) }),
    Defect::new(
        "witness-video",
        "silent-on-empty-password",
        ["loginPwd 为空字符串时不回调", "a call with an empty loginPwd is never called back"],
        &["integration.answers"],
        |call, plan| if is(call, WITNESS) && call.text("loginPwd") == Some("") { Plan::silent() } else { plan },
    )
    .also(UNANSWERED)
    .fuzz(Fuzzing {
        within: 500,
        calls: 1,
        smallest: &[
            ("videoType", Smallest::Any),
            ("videoIp", Smallest::Any),
            ("videoPort", Smallest::Any),
            ("loginName", Smallest::Any),
            ("loginPwd", Smallest::Text("")),
            ("roomId", Smallest::Any),
            ("roomName", Smallest::Any),
            ("appId", Smallest::Any),
        ],
    }),
    Defect::new(
        "ocr",
        "short-type-accepted",
        [
            "type 为一至四个 ASCII 字符的其他取值时按银行卡识别",
            "another type of one to four ASCII characters is taken for BankCard",
        ],
        &["ocr.request.type"],
        |call, plan| {
            let only = !call.broken.is_empty() && call.broken.iter().all(|broken| broken.at == "/type");
            let short = call.text("type").is_some_and(|kind| kind.is_ascii() && (1..=4).contains(&kind.len()));
            if is(call, OCR) && only && short {
                Plan::settle(engine::named(OCR, "ocr-bank-card-debit", &json!({"type": BANK_CARD})).0)
            } else {
                plan
            }
        },
    )
    .also(&["ocr.result.type"])
    .fuzz(Fuzzing { within: 500, calls: 1, smallest: &[("type", Smallest::Characters(1)), PICTURE] }),
    Defect::new(
        "ocr",
        "cesu-8-in-error",
        [
            "出错信息把 BMP 之外的字符写作两个代理项(CESU-8)",
            "an error writes a character outside the BMP as two surrogates (CESU-8)",
        ],
        &["bridge.well-formed-json"],
        |call, plan| match call.text("imagePath").filter(|path| path.chars().any(|letter| letter > '\u{ffff}')) {
            Some(path) if is(call, OCR) && names_no_file(call) => {
                let shown: String = path.chars().take(64).collect();
                let plan = Plan::settle(fail(OCR, &format!("cannot read {shown}")));
                Plan { spelling: Spelling::Cesu8, ..plan }
            }
            _ => plan,
        },
    )
    .fuzz(Fuzzing { within: 500, calls: 1, smallest: &path(Smallest::BeyondBmp) }),
    Defect::new(
        "ocr",
        "integers-as-doubles",
        ["OCR 结果中的整数都写作小数(0.0)", "every integer of an OCR result is written as a double (0.0)"],
        &["ocr.result.error-code", "ocr.result.id-card.face", "ocr.result.id-card-check.risk"],
        |call, plan| result(call, plan, OCR, |value| value.values_mut().for_each(doubles)),
    )
    .alias()
    .also_found_by_fuzzing(Fuzzing { within: 50, calls: 1, smallest: &[TYPE, PICTURE] }),
    Defect::new(
        "ocr",
        "leaks-other-result",
        [
            "同时识别不同类型的证件时，后来的请求得到前一请求的结果",
            "of two calls of different types that overlap, the later gets the result of the earlier",
        ],
        &["ocr.result.type"],
        leak,
    )
    .also(&[
        "ocr.request.type.bank-card",
        "ocr.request.type.id-card",
        "ocr.request.type.id-card-check",
        "ocr.request.type.busi-cert",
    ])
    .also_found_by_fuzzing(Fuzzing { within: 500, calls: 2, smallest: &[("type", Smallest::Any), PICTURE] }),
    Defect::new(
        "ocr",
        "silent-thousandth-call",
        ["会话中每第 1000 次 finCardOcr 不回调", "every 1,000th finCardOcr of a session is never called back"],
        &["integration.answers"],
        |call, plan| {
            let last = is(call, OCR) && call.index % 1000 == 999 && success(&plan).is_some();
            if last { Plan::silent() } else { plan }
        },
    )
    .also(UNANSWERED)
    .fuzz(Fuzzing { within: 1100, calls: 1000, smallest: &[TYPE, PICTURE] }),
    Defect::new(
        "ocr",
        "fails-thousandth-call",
        ["会话中每第 1000 次 finCardOcr 失败", "every 1,000th finCardOcr of a session fails"],
        &["integration.works-again"],
        |call, plan| {
            let last = is(call, OCR) && call.index % 1000 == 999 && success(&plan).is_some();
            if last { Plan::settle(fail(OCR, "busy")) } else { plan }
        },
    )
    .fuzz(Fuzzing { within: 1100, calls: 1000, smallest: &[TYPE, PICTURE] }),
    Defect::new(
        "ocr",
        "follows-dot-dot",
        ["去掉 imagePath 中的 .. 之后读取剩下的路径", "the host strikes .. from an imagePath and reads what is left"],
        &["ocr.request.image-path.unreadable"],
        |call, plan| match &call.without_dots {
            Some(picture @ Picture::Specimens(_)) if is(call, OCR) && call.broken.is_empty() => {
                Plan::settle(engine::run(OCR, &call.request, picture).0)
            }
            _ => plan,
        },
    )
    .fuzz(Fuzzing { within: 500, calls: 1, smallest: &path(Smallest::Climbing) }),
    Defect::new(
        "ocr",
        "double-success-after-failures",
        ["连续失败两次之后的成功回调两次 success", "after two failures in a row a success is called back twice"],
        &["integration.answers-once"],
        |call, plan| {
            let value = success(&plan).and_then(|settlement| settlement.value.clone());
            if is(call, OCR) && call.failures >= 2 { between(plan, CallbackKind::Success, value) } else { plan }
        },
    )
    .also(&[ONE_OF])
    .fuzz(Fuzzing { within: 500, calls: 3, smallest: &[TYPE, PICTURE] }),
    Defect::new(
        "ocr",
        "deaf-after-reset",
        [
            "场景进行中途 bridge.reset 之后的第一次调用不回调",
            "the first call after a bridge.reset in the middle of its scenario is never called back",
        ],
        &["integration.answers"],
        |call, plan| if is(call, OCR) && call.interrupted && success(&plan).is_some() { Plan::silent() } else { plan },
    )
    .also(UNANSWERED)
    .fuzz(Fuzzing { within: 500, calls: 2, smallest: &[TYPE, PICTURE] }),
    Defect::new(
        "face",
        "bidi-name-breaks-result",
        [
            "姓名含双向控制字符时 errorCode 为字符串",
            "errorCode is a string where the name holds a bidirectional control",
        ],
        &["face.result.error-code"],
        |call, plan| {
            if !call.text("name").is_some_and(|name| name.chars().any(is_bidi_control)) {
                return plan;
            }
            result(call, plan, FACE, |value| {
                if let Some(code) = value.get_mut("errorCode") {
                    *code = code.to_string().into();
                }
            })
        },
    )
    .fuzz(Fuzzing {
        within: 500,
        calls: 1,
        smallest: &[("idNo", Smallest::Any), ("name", Smallest::BidiControl), PICTURE],
    }),
];

/// Over HTTP nobody puts files, and any path is taken for one that holds the default; here it is what it says.
fn names_no_file(call: &Call) -> bool {
    matches!(call.picture, Picture::Unreadable(_) | Picture::Assumed)
}

fn leak(call: &Call, mut plan: Plan) -> Plan {
    if !is(call, OCR) || success(&plan).is_none() {
        return plan;
    }
    if let Some(first) = plan.steps.first_mut() {
        first.after = SLOW;
    }
    let kind = |request: &Value| request.get("type").cloned();
    let mine = kind(&call.request);
    let others =
        call.overlaps.iter().find(|other| other.api == OCR && kind(&other.request) != mine && !failed(&other.answer));
    match others {
        Some(other) => plan.rewrite(|settlement| settlement.clone_from(&other.answer)),
        None => plan,
    }
}

fn doubles(value: &mut Value) {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "the defect: a double holds the integers of a result exactly")]
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                *value = (integer as f64).into();
            }
        }
        Value::Object(members) => members.values_mut().for_each(doubles),
        Value::Array(items) => items.iter_mut().for_each(doubles),
        _ => {}
    }
}

/// The explicit directional formatting characters of UAX #9.
pub(super) fn is_bidi_control(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
