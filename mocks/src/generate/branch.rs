//! The branch of a result that a request leads to: what is given of a generated result before anything is made.

use fincert_schemas::capture::is_empty;
use fincert_schemas::strategy::{Choices, Pins};
use serde_json::Value;

use crate::decide::Call;
use crate::picture::Picture;

/// The codes of business failures that are given; the specification names none.
const CODES: [i64; 3] = [1001, 2002, -1];

/// How many of eight results succeed where nothing decides it.
const SUCCESSES: u64 = 6;

/// A place of the result and what stands there; `None` for nothing.
type Pin = (&'static str, Option<Value>);

/// The branches that an answer can take, the chosen one first.
#[derive(Debug)]
pub(super) struct Branch {
    alternatives: Vec<Vec<Pin>>,
    /// The places that the picture shows, which are not left empty.
    shown: Vec<String>,
    /// Between which scores in ten-thousandths a face's is, where its picture decides.
    score: Option<(usize, usize)>,
}

impl Branch {
    /// What the picture or a canned result that was wished for decides is taken from the honest result; the rest is
    /// drawn.
    pub(super) fn choose(api: &str, call: &Call, honest: &Value, choices: &mut Choices) -> Self {
        let decided = call.wish.is_some() || matches!(call.picture, Picture::Specimens(_) | Picture::Unknown);
        let mut alternatives = match api {
            "finCardOcr" => cards(call, honest, decided),
            "finFaceAuth" => {
                let failure = |code| vec![("/errorCode", Some(code)), ("/score", None)];
                coded(honest, decided, vec![vec![("/errorCode", Some(0.into()))]], failure)
            }
            "finLivenessCheck" => named("/resultType", &["success", "back"], honest, decided),
            _ => named("/videoFlag", &["0", "1", "2"], honest, decided),
        };
        let failures = alternatives.iter().filter(|pins| fails(pins)).count();
        let successes = alternatives.len() - failures;
        let chosen = if failures == 0 || (successes > 0 && choices.below(8) < SUCCESSES) {
            choices.index(successes)
        } else {
            successes + choices.index(failures)
        };
        if chosen < alternatives.len() {
            alternatives[..=chosen].rotate_right(1);
        }
        let is_specimen = matches!(call.picture, Picture::Specimens(_)) && call.wish.is_none();
        let read = honest.get("recogResult").and_then(Value::as_object).filter(|_| is_specimen);
        let shown = read.into_iter().flatten().filter(|(_, value)| **value != "");
        let score = honest.get("score").and_then(Value::as_f64).filter(|_| is_specimen);
        Self {
            alternatives,
            shown: shown.map(|(name, _)| format!("/recogResult/{name}")).collect(),
            score: score.map(|score| if score > 0.5 { (9000, 9999) } else { (0, 4999) }),
        }
    }

    /// What is given of the chosen branch.
    pub(super) fn pins(&self) -> Pins {
        self.alternatives.first().map(|pins| pinned(pins)).unwrap_or_default()
    }

    /// Whether a result is one of these branches, what stands at the broken place, above it or below it aside. Of a
    /// failure the code is free.
    pub(super) fn is_followed(&self, value: &Value, broken: &str) -> bool {
        let below = |place: &str, other: &str| {
            place.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let agrees = |(place, wanted): &Pin| {
            if below(place, broken) || below(broken, place) {
                return true;
            }
            match (value.pointer(place), wanted) {
                (Some(code), Some(wanted)) if *place == "/errorCode" && *wanted != 0 => *code != 0,
                (Some(here), Some(wanted)) => here == wanted,
                (None, None) => true,
                // What is empty is as good as nothing.
                (Some(here), None) => is_empty(here),
                (None, Some(_)) => false,
            }
        };
        self.alternatives.iter().any(|pins| pins.iter().all(agrees))
    }

    /// Whether a result says something at every place that the picture shows.
    pub(super) fn is_read(&self, value: &Value) -> bool {
        self.shown.iter().all(|at| value.pointer(at).is_some_and(|read| *read != ""))
    }

    /// Gives a face the score that its picture wants: generated numbers know nothing of pictures.
    pub(super) fn bend(&self, value: &mut Value, choices: &mut Choices) {
        if let (Some((low, high)), Some(score)) = (self.score, value.get_mut("score")) {
            let drawn = u32::try_from(choices.range(low, high)).unwrap_or_default();
            *score = (f64::from(drawn) / 10_000.0).into();
        }
    }
}

fn pinned(pins: &[Pin]) -> Pins {
    pins.iter().fold(Pins::new(), |all, (place, value)| match value {
        Some(value) => all.with(place, value.clone()),
        None => all.without(place),
    })
}

fn fails(pins: &[Pin]) -> bool {
    pins.iter().any(|(place, value)| *place == "/errorCode" && value.as_ref().is_some_and(|code| *code != 0))
}

/// The branches of finCardOcr: the fields follow the type, and for an identity card the face.
fn cards(call: &Call, honest: &Value, decided: bool) -> Vec<Vec<Pin>> {
    let kind: Pin = ("/type", call.request.get("type").cloned());
    let good = || vec![kind.clone(), ("/errorCode", Some(0.into()))];
    let read = honest.pointer("/recogResult/face").filter(|_| decided);
    let faces: Vec<Value> = match (call.text("type"), read) {
        (Some("IDCard"), Some(face)) => vec![face.clone()],
        (Some("IDCard"), None) => vec![0.into(), 1.into()],
        _ => Vec::new(),
    };
    let successes = if faces.is_empty() {
        vec![good()]
    } else {
        faces.into_iter().map(|face| [good(), vec![("/recogResult/face", Some(face))]].concat()).collect()
    };
    let failure = |code| vec![kind.clone(), ("/errorCode", Some(code)), ("/recogResult", None)];
    coded(honest, decided, successes, failure)
}

/// Successes, then failures by another code.
fn coded(
    honest: &Value,
    decided: bool,
    successes: Vec<Vec<Pin>>,
    failure: impl Fn(Value) -> Vec<Pin>,
) -> Vec<Vec<Pin>> {
    match honest.get("errorCode") {
        Some(code) if decided && *code == 0 => successes,
        Some(code) if decided => vec![failure(code.clone())],
        _ => successes.into_iter().chain(CODES.map(|code| failure(code.into()))).collect(),
    }
}

/// The branches that the value of one field tells apart.
fn named(place: &'static str, values: &[&str], honest: &Value, decided: bool) -> Vec<Vec<Pin>> {
    match honest.pointer(place) {
        Some(value) if decided => vec![vec![(place, Some(value.clone()))]],
        _ => values.iter().map(|value| vec![(place, Some((*value).into()))]).collect(),
    }
}
