//! Generated results: made from the result's own schema instead of being looked up, valid ones and ones that break just
//! one rule.
//!
//! A generated result is a pure function of the seed, the call's index and the request, so any other mock host of the
//! same version answers the same. It follows the request: the echoed `type` is the request's, the fields are those of
//! the type and the face, and `errorCode` and `recogResult` agree. Where the picture is a specimen, what it shows
//! decides between success and failure, as ever; what is generated is the rest.

mod branch;

use std::fmt;
use std::sync::Arc;

use fincert_schemas::bridge::{Prefer, Settlement, Via};
use fincert_schemas::catalog::APIS;
use fincert_schemas::strategy::{Choices, Generator, Invalid, Rule};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::canned;
use crate::decide::Call;
use branch::Branch;

/// The word that stands for a rule that the seed chooses.
pub const ANY: &str = "any";

/// How often a result is made anew because it says nothing of what the picture shows.
const TRIES: u64 = 64;

/// How many results that break a rule are looked at to find one that answers the request, before the next rule is taken;
/// of what the request leaves open, one in four does.
const FEW: u64 = 32;

/// The same to say which rules there are.
const SOME: u64 = 64;

/// The same where the rule is named.
const MANY: u64 = 256;

/// Whether generated results keep to their table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They do.
    Valid,
    /// Each breaks one rule of it.
    Invalid,
}

/// What a generated result is labelled with: all that is needed to have it made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Label {
    /// Whether it keeps to its table.
    pub mode: Mode,
    /// The seed.
    pub seed: u64,
    /// The call's index.
    pub index: u64,
    /// The rule that it breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where it breaks it: a JSON pointer into the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// Why nothing could be generated as wished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong, and what to do.
    pub message: String,
    /// The rules that an answer to this request can break.
    pub rules: Vec<String>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.rules.is_empty() { Ok(()) } else { write!(f, ": {}", self.rules.join(", ")) }
    }
}

/// What is to be generated for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    seed: u64,
    index: u64,
    /// The rule to break, or [`ANY`].
    invalid: Option<String>,
}

/// What the wishes and the host's own mode come to; `None` if nothing is to be generated. A wish goes before the mode,
/// and a seed of one's own begins at index 0.
pub(crate) fn order(prefer: &Prefer, mode: Option<Mode>, seed: u64, index: u64) -> Option<Order> {
    let wished = prefer.dynamic == Some(true) || prefer.invalid.is_some() || prefer.seed.is_some();
    if prefer.dynamic == Some(false) || !(wished || mode.is_some()) {
        return None;
    }
    let by_mode = mode.filter(|mode| *mode == Mode::Invalid && prefer.dynamic.is_none()).map(|_| ANY.to_owned());
    let own = prefer.seed.map(|seed| (seed, prefer.index.unwrap_or(0)));
    let (seed, index) = own.unwrap_or((seed, prefer.index.unwrap_or(index)));
    Some(Order { seed, index, invalid: prefer.invalid.clone().or(by_mode) })
}

/// A result in place of an honest one. What is not a success stays as it is, and so does what has no table.
pub(crate) fn settle(
    api: &'static str,
    call: &Call,
    order: &Order,
    honest: Settlement,
) -> Result<(Settlement, Option<Label>), Wrong> {
    let Some(value) = honest.value.as_ref().filter(|_| honest.via == Via::Success) else { return Ok((honest, None)) };
    let Some(table) = table(api) else {
        return match &order.invalid {
            Some(rule) if rule != ANY => {
                let message = format!("{api} has no table of results, and so no rule that an answer could break");
                Err(Wrong { message, rules: Vec::new() })
            }
            _ => Ok((honest, None)),
        };
    };
    let mut choices = Choices::from_seed(mix(api, order, &call.request, 0));
    let branch = Branch::choose(api, call, value, &mut choices);
    let label = |rule: Option<String>, at: Option<String>| {
        let mode = if rule.is_some() { Mode::Invalid } else { Mode::Valid };
        Some(Label { mode, seed: order.seed, index: order.index, rule, at })
    };
    if order.invalid.is_none() {
        let value = valid(api, &table, call, order, &branch, value);
        return Ok((finish(api, value), label(None, None)));
    }
    let made = broken(api, &table, call, order, &branch).map_err(|rules| Wrong {
        message: format!("an answer to this request breaks no rule of that name: name one of these, or {ANY}"),
        rules,
    })?;
    Ok((finish(api, made.value), label(Some(made.rule), Some(made.at))))
}

fn finish(api: &str, value: Value) -> Settlement {
    canned::complete(api, Settlement { via: Via::Success, value: Some(value) })
}

fn valid(api: &str, table: &Generator, call: &Call, order: &Order, branch: &Branch, honest: &Value) -> Value {
    let pins = branch.pins();
    for attempt in 1..=TRIES {
        let mut choices = Choices::from_seed(mix(api, order, &call.request, attempt));
        let Ok(mut value) = table.valid_with(&pins, &mut choices) else { break };
        branch.bend(&mut value, &mut choices);
        if branch.is_read(&value) {
            return value;
        }
    }
    honest.clone()
}

/// A result that breaks the rule; the error names the rules that there are.
fn broken(api: &str, table: &Generator, call: &Call, order: &Order, branch: &Branch) -> Result<Invalid, Vec<String>> {
    let rules: Vec<&Rule> = alone(table);
    let find = |rule: &Rule, tries: u64| {
        (0..tries).find_map(|attempt| {
            let seed = mix(api, order, &call.request, u64::MAX - attempt);
            let made = table.invalid(rule, &mut Choices::from_seed(seed))?;
            branch.is_followed(&made.value, &made.at).then_some(made)
        })
    };
    let wanted = order.invalid.as_deref().unwrap_or(ANY);
    if wanted == ANY {
        // In an order that the seed shuffles: most rules belong to branches that this answer does not take, so the next
        // one in the list would be the same one for most seeds.
        let mut choices = Choices::from_seed(mix(api, order, &call.request, u64::MAX));
        let mut shuffled = rules.clone();
        for at in 0..shuffled.len() {
            let other = at + choices.index(shuffled.len() - at);
            shuffled.swap(at, other);
        }
        if let Some(made) = shuffled.into_iter().find_map(|rule| find(rule, FEW)) {
            return Ok(made);
        }
    } else if let Some(made) = rules.iter().find(|rule| rule.id == wanted).copied().and_then(|rule| find(rule, MANY)) {
        return Ok(made);
    }
    Err(rules.into_iter().filter(|rule| find(rule, SOME).is_some()).map(|rule| rule.id.clone()).collect())
}

/// The rules of a table that can be broken without others.
fn alone(table: &Generator) -> Vec<&Rule> {
    table.rules().iter().filter(|rule| rule.with.is_empty()).collect()
}

/// All rules of an API's table that can be broken alone.
pub(crate) fn rules(api: &str) -> Vec<Rule> {
    table(api).map(|table| alone(&table).into_iter().cloned().collect()).unwrap_or_default()
}

/// What `GET /rules` says.
pub(crate) fn all_rules() -> Value {
    APIS.iter().map(|(api, _)| ((*api).to_owned(), json!(rules(api)))).collect::<Map<_, _>>().into()
}

/// The generator of an API's results; finOpenOtherApp has no table of them.
fn table(api: &str) -> Option<Arc<Generator>> {
    (api != "finOpenOtherApp").then(|| Generator::embedded(&format!("api/{api}.result.json")).ok()).flatten()
}

/// Seed, index and request as one number. The order of a request's members does not matter.
fn mix(api: &str, order: &Order, request: &Value, attempt: u64) -> u64 {
    let mut hash = Sha256::new();
    hash.update(b"fincert generated result 1\0");
    for number in [order.seed, order.index, attempt] {
        hash.update(number.to_le_bytes());
    }
    hash.update(api.as_bytes());
    hash.update([0]);
    hash.update(sorted(request).to_string().as_bytes());
    let digest = hash.finalize();
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
