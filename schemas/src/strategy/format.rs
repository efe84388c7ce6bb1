//! Strings of the formats, right ones and ones that break one rule of their format.
//!
//! Our own formats are made from the rules that [`crate::format`] checks; those of JSON Schema are made by shape and
//! checked by the crate jsonschema.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::Date;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::choices::Choices;
use super::picture;
use crate::format::date::WrittenForm;
use crate::format::{bank_card, resident_id, uscc};

/// A format that strings can be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FormatKind {
    pub(super) name: &'static str,
    /// The rules that our own formats tell apart; empty for those of JSON Schema.
    pub(super) rules: &'static [&'static str],
}

/// Our formats with the rules that their faults name (their documentation is in [`crate::format`]).
const OURS: &[FormatKind] = &[
    kind("resident-id", &["length", "alphabet", "region", "birth-date", "check-digit", "lower-case-x"]),
    kind("uscc-or-licence-number", &["length", "alphabet", "check-character", "registration-check-digit"]),
    kind("bank-card-number", &["separator", "alphabet", "length", "luhn"]),
    kind("cn-date", &["written-form", "not-a-date", "long-not-allowed", "range-not-allowed"]),
    kind("cn-date-or-long", &["written-form", "not-a-date", "range-not-allowed"]),
    kind("cn-date-range-or-long", &["written-form", "not-a-date", "range-order"]),
    kind(
        "base64-image",
        &[
            "empty",
            "not-base64",
            "padding",
            "url-safe",
            "too-small",
            "not-jpeg-or-png",
            "truncated",
            "does-not-decode",
            "data-url",
            "line-breaks",
        ],
    ),
    kind("decimal-port", &["sign", "alphabet", "leading-zero", "range"]),
];

/// The formats of JSON Schema 2020-12 that the crate jsonschema checks as it is built here.
const STANDARD_FORMATS: &[FormatKind] = &[
    kind("date", &[]),
    kind("time", &[]),
    kind("date-time", &[]),
    kind("duration", &[]),
    kind("email", &[]),
    kind("hostname", &[]),
    kind("ipv4", &[]),
    kind("ipv6", &[]),
    kind("uri", &[]),
    kind("uri-reference", &[]),
    kind("uri-template", &[]),
    kind("iri", &[]),
    kind("iri-reference", &[]),
    kind("uuid", &[]),
    kind("json-pointer", &[]),
    kind("relative-json-pointer", &[]),
    kind("regex", &[]),
];

const fn kind(name: &'static str, rules: &'static [&'static str]) -> FormatKind {
    FormatKind { name, rules }
}

/// The names of all formats, for a message.
pub(super) fn known() -> String {
    OURS.iter().chain(STANDARD_FORMATS).map(|format| format.name).collect::<Vec<_>>().join(", ")
}

/// Where a format of ours is not filled, the field was not read: rarely, and it is valid.
const NOT_READ: u64 = 32;

impl FormatKind {
    pub(super) fn named(name: &str) -> Option<Self> {
        OURS.iter().chain(STANDARD_FORMATS).find(|format| format.name == name).copied()
    }

    /// Checks a text; the error is the rule it breaks.
    pub(super) fn check(self, text: &str) -> Result<(), &'static str> {
        static VALIDATORS: LazyLock<HashMap<&'static str, Validator>> = LazyLock::new(|| {
            let build = |name: &str| {
                let options = jsonschema::options().offline().should_validate_formats(true);
                options.should_ignore_unknown_formats(false).build(&json!({"format": name})).ok()
            };
            STANDARD_FORMATS.iter().filter_map(|format| Some((format.name, build(format.name)?))).collect()
        });
        match crate::format::check(self.name, text) {
            Some(result) => result.map_err(|fault| fault.rule),
            None => match VALIDATORS.get(self.name) {
                Some(validator) if validator.is_valid(&Value::from(text)) => Ok(()),
                _ => Err("format"),
            },
        }
    }

    /// A string of the format.
    pub(super) fn generate(self, choices: &mut Choices) -> String {
        if !self.rules.is_empty() && self.name != "base64-image" && choices.once_in(NOT_READ) {
            return String::new();
        }
        match self.name {
            "resident-id" => resident(choices),
            "uscc-or-licence-number" => licence(choices, true),
            "bank-card-number" => card(choices, true),
            "cn-date" => date(choices),
            "cn-date-or-long" => date_or_long(choices),
            "cn-date-range-or-long" => match choices.below(4) {
                3 => range(choices, true),
                _ => date_or_long(choices),
            },
            "base64-image" => STANDARD.encode(picture::one(choices)),
            "decimal-port" => port(choices),
            _ => standard(self.name, choices),
        }
    }

    /// A string that breaks the rule of the format, or any; `None` where the rule is unknown. It most likely does: the
    /// caller looks.
    pub(super) fn broken(self, rule: Option<&str>, choices: &mut Choices) -> Option<String> {
        let rule = match (rule, self.rules) {
            (Some(rule), _) => rule,
            (None, []) => return Some(standard_broken(self.name, choices)),
            (None, rules) => rules[choices.index(rules.len())],
        };
        Some(match (self.name, rule) {
            ("resident-id", rule) => resident_broken(rule, choices)?,
            ("uscc-or-licence-number", rule) => licence_broken(rule, choices)?,
            ("bank-card-number", rule) => card_broken(rule, choices)?,
            ("cn-date" | "cn-date-or-long" | "cn-date-range-or-long", rule) => date_broken(rule, choices)?,
            ("base64-image", rule) => picture::broken(rule, choices)?,
            ("decimal-port", rule) => port_broken(rule, choices)?,
            _ => return None,
        })
    }
}

fn digits(count: usize, choices: &mut Choices) -> String {
    (0..count).map(|_| char::from(b'0' + choices.below(10) as u8)).collect()
}

/// A calendar date of this century or the last; the simplest is the first of January 2000.
fn day(choices: &mut Choices) -> Date {
    let year = 1900 + (100 + choices.below(200) as i16) % 200;
    let month = 1 + choices.below(12) as i8;
    let most = Date::constant(year, month, 1).days_in_month();
    Date::constant(year, month, 1 + choices.below(most as u64) as i8)
}

fn written(date: Date, choices: &mut Choices) -> String {
    WrittenForm::ALL[choices.index(WrittenForm::ALL.len())].write(date)
}

fn date(choices: &mut Choices) -> String {
    let day = day(choices);
    written(day, choices)
}

fn date_or_long(choices: &mut Choices) -> String {
    if choices.once_in(4) { "长期".to_owned() } else { date(choices) }
}

/// A range of dates; in order, or against it.
fn range(choices: &mut Choices, in_order: bool) -> String {
    let (a, b) = (day(choices), day(choices));
    let (from, to) = if (a <= b) == in_order { (a, b) } else { (b, a) };
    let (from, to) = (written(from, choices), written(to, choices));
    match choices.below(6) {
        0 => format!("{from}-{to}"),
        1 => format!("{from}至{to}"),
        2 => format!("自{from}至{to}"),
        3 => format!("{from} ~ {to}"),
        4 => format!("{from}——{to}"),
        _ if in_order => format!("{from}-长期"),
        _ => format!("{from}－{to}"),
    }
}

fn date_broken(rule: &str, choices: &mut Choices) -> Option<String> {
    let day = day(choices);
    let (year, month, date) = (day.year(), day.month(), day.day());
    Some(match rule {
        "written-form" => match choices.below(6) {
            0 => format!("{month:02}/{date:02}/{year:04}"),
            1 => format!("{year:04}{month:02}"),
            2 => format!("{year:04}-{month:02}-{date:02}T00:00:00Z"),
            3 => format!(" {year:04}{month:02}{date:02}"),
            4 => format!("{year:04}年{month}月"),
            _ => format!("{}", i64::from(year) * 31_536_000),
        },
        "not-a-date" => match choices.below(4) {
            0 => format!("{year:04}{month:02}32"),
            1 => format!("{year:04}-13-{date:02}"),
            2 => format!("{year:04}.02.30"),
            _ => format!("{year:04}年{month}月0日"),
        },
        "long-not-allowed" => "长期".to_owned(),
        "range-not-allowed" => range(choices, true),
        "range-order" => range(choices, false),
        _ => return None,
    })
}

fn resident_body(choices: &mut Choices) -> String {
    let mut body = String::with_capacity(18);
    // 110105 is a region that exists; any six digits that do not begin with 0 are of the right form.
    let region = if choices.below(2) == 0 { 110_105 } else { 100_000 + choices.below(900_000) };
    let day = day(choices);
    let sequence = choices.below(1000);
    let _ = write!(body, "{region}{:04}{:02}{:02}{sequence:03}", day.year(), day.month(), day.day());
    body
}

fn resident(choices: &mut Choices) -> String {
    let mut body = resident_body(choices);
    body.extend(resident_id::check_character(&body));
    body
}

fn resident_broken(rule: &str, choices: &mut Choices) -> Option<String> {
    let id = resident(choices);
    Some(match rule {
        "length" => match choices.below(4) {
            0 => id[..17].to_owned(),
            1 => format!("{id}0"),
            2 => format!("{}{}", &id[..6], &id[8..17]),
            _ => "1".to_owned(),
        },
        "alphabet" => {
            let stranger = ["A", "*", "O", "１", "一"][choices.index(5)];
            let mut id = id;
            let at = choices.index(17);
            id.replace_range(at..=at, stranger);
            id
        }
        "region" => format!("0{}", &id[1..]),
        "birth-date" => {
            let date = ["20010230", "19991301", "20000000", "18991231"][choices.index(4)];
            let body = format!("{}{date}{}", &id[..6], &id[14..17]);
            let check = resident_id::check_character(&body)?;
            format!("{body}{check}")
        }
        "check-digit" => {
            let right = id.chars().last()?;
            let wrong = "0123456789X".chars().filter(|c| *c != right).nth(choices.index(10))?;
            format!("{}{wrong}", &id[..17])
        }
        "lower-case-x" => {
            // Of eleven sequences in a row one has the check character X.
            let body = &id[..14];
            let first = choices.below(980);
            let mut ids = (first..first + 20).map(|sequence| format!("{body}{sequence:03}"));
            format!("{}x", ids.find(|body| resident_id::check_character(body) == Some('X'))?)
        }
        _ => return None,
    })
}

fn licence(choices: &mut Choices, right: bool) -> String {
    if choices.below(4) == 3 { registration(choices, right) } else { credit_code(choices, right) }
}

fn credit_code(choices: &mut Choices, right: bool) -> String {
    let alphabet = uscc::ALPHABET.as_bytes();
    let mut code = String::with_capacity(18);
    code.push_str(if choices.below(2) == 0 { "91" } else { "12" });
    code.extend((0..15).map(|_| char::from(alphabet[choices.index(alphabet.len())])));
    let check = uscc::check_character(&code).unwrap_or('0');
    code.push(if right { check } else { other(check, uscc::ALPHABET, choices) });
    code
}

fn registration(choices: &mut Choices, right: bool) -> String {
    let mut number = digits(14, choices);
    let check = uscc::registration_check_digit(&number).unwrap_or('0');
    number.push(if right { check } else { other(check, "0123456789", choices) });
    number
}

fn other(right: char, alphabet: &str, choices: &mut Choices) -> char {
    let others = alphabet.chars().filter(|c| *c != right);
    others.clone().nth(choices.index(others.count())).unwrap_or('?')
}

fn licence_broken(rule: &str, choices: &mut Choices) -> Option<String> {
    Some(match rule {
        "check-character" => credit_code(choices, false),
        "registration-check-digit" => registration(choices, false),
        "length" => {
            let code = credit_code(choices, true);
            [code[..17].to_owned(), format!("{code}0"), code[..10].to_owned()][choices.index(3)].clone()
        }
        "alphabet" => {
            let mut code = credit_code(choices, true);
            let at = choices.index(18);
            code.replace_range(at..=at, ["I", "O", "S", "V", "Z", "a", "-", "Ａ"][choices.index(8)]);
            code
        }
        _ => return None,
    })
}

fn card(choices: &mut Choices, right: bool) -> String {
    let length = [19, 16, 18, 17, 12, 13, 14, 15][choices.index(8)];
    let mut number = String::with_capacity(19);
    number.push_str(if choices.below(2) == 0 { "62" } else { "45" });
    number.push_str(&digits(length - 3, choices));
    let check = bank_card::check_digit(&number).unwrap_or('0');
    number.push(if right { check } else { other(check, "0123456789", choices) });
    number
}

fn card_broken(rule: &str, choices: &mut Choices) -> Option<String> {
    let number = card(choices, rule != "luhn");
    Some(match rule {
        "luhn" => number,
        "separator" => {
            let by = [" ", "-", "\u{3000}", "."][choices.index(4)];
            format!("{}{by}{}", &number[..4], &number[4..])
        }
        "alphabet" => {
            let mut number = number;
            let at = choices.index(number.len());
            number.replace_range(at..=at, ["O", "*", "６", "a"][choices.index(4)]);
            number
        }
        "length" => match choices.below(3) {
            0 => number[..11].to_owned(),
            1 => format!("{number}00000000"),
            _ => number[..1].to_owned(),
        },
        _ => return None,
    })
}

fn port(choices: &mut Choices) -> String {
    match choices.below(6) {
        4 => "65535".to_owned(),
        5 => "1".to_owned(),
        0 => "8906".to_owned(),
        _ => (1 + choices.below(65_535)).to_string(),
    }
}

fn port_broken(rule: &str, choices: &mut Choices) -> Option<String> {
    let port = 1 + choices.below(9999);
    Some(match rule {
        "sign" => format!("{}{port}", if choices.below(2) == 0 { "-" } else { "+" }),
        "alphabet" => match choices.below(4) {
            0 => format!("{port}a"),
            1 => format!(" {port}"),
            2 => format!("{port}.0"),
            _ => "http".to_owned(),
        },
        "leading-zero" => format!("0{port}"),
        "range" => match choices.below(4) {
            0 => "0".to_owned(),
            1 => "65536".to_owned(),
            2 => "99999".to_owned(),
            _ => "9".repeat(40),
        },
        _ => return None,
    })
}

fn word(choices: &mut Choices) -> String {
    let length = choices.range(1, 8);
    (0..length).map(|_| char::from(b"abcdefghijklmnopqrstuvwxyz"[choices.index(26)])).collect()
}

fn standard(name: &str, choices: &mut Choices) -> String {
    let time = |choices: &mut Choices| {
        let (hour, minute, second) = (choices.below(24), choices.below(60), choices.below(60));
        let zone = match choices.below(3) {
            0 => "Z".to_owned(),
            1 => "+08:00".to_owned(),
            _ => format!("-{:02}:{:02}", choices.below(24), choices.below(60)),
        };
        let fraction = if choices.once_in(4) { format!(".{}", choices.below(1_000_000)) } else { String::new() };
        format!("{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
    };
    match name {
        "date" => day(choices).to_string(),
        "time" => time(choices),
        "date-time" => format!("{}T{}", day(choices), time(choices)),
        "duration" => match choices.below(3) {
            0 => format!("P{}D", choices.below(400)),
            1 => format!("PT{}H{}M", choices.below(24), choices.below(60)),
            _ => format!("P{}W", choices.below(60)),
        },
        "email" => format!("{}@{}.example", word(choices), word(choices)),
        "hostname" => format!("{}.example.com", word(choices)),
        "ipv4" => format!("192.0.2.{}", choices.below(256)),
        "ipv6" => match choices.below(3) {
            0 => "::1".to_owned(),
            1 => format!("2001:db8::{:x}", choices.below(65_536)),
            _ => format!("::ffff:192.0.2.{}", choices.below(256)),
        },
        "uri" => format!("https://example.com/{}", word(choices)),
        "iri" => format!("https://example.com/{}中", word(choices)),
        "uri-reference" => format!("/{}?q={}", word(choices), choices.below(100)),
        "iri-reference" => format!("/中{}", word(choices)),
        "uri-template" => format!("https://example.com/{{{}}}", word(choices)),
        "uuid" => {
            let hex = |count: usize, choices: &mut Choices| -> String {
                (0..count).map(|_| char::from(b"0123456789abcdef"[choices.index(16)])).collect()
            };
            let (a, b, c, d) = (hex(8, choices), hex(4, choices), hex(3, choices), hex(3, choices));
            format!("{a}-{b}-4{c}-8{d}-{}", hex(12, choices))
        }
        "json-pointer" => match choices.below(3) {
            0 => String::new(),
            1 => format!("/{}", word(choices)),
            _ => format!("/{}/0/a~1b", word(choices)),
        },
        "relative-json-pointer" => format!("{}/{}", choices.below(4), word(choices)),
        _ => format!("^{}+$", word(choices)),
    }
}

fn standard_broken(name: &str, choices: &mut Choices) -> String {
    let good = standard(name, choices);
    match (name, choices.below(4)) {
        ("regex", _) => format!("({good}"),
        ("json-pointer", _) => format!("~{good}"),
        ("uri-template", _) => format!("{good}{{"),
        (_, 0) => format!("{good} "),
        (_, 1) => format!(" %{good}"),
        (_, 2) => "%".to_owned(),
        _ => format!("{good}\\^"),
    }
}
