//! Results that break one rule of their table: every rule that speaks of the value, at every place of it.

use fincert_schemas::run::What;
use serde_json::Value;

use super::rules::{self, Rule};
use super::settled::{Call, read};
use super::{Change, Edit, Maker, Operator, retype};

/// Of the answer to a valid call; one to an invalid call is judged by how it refuses.
pub(super) fn of_call(maker: &mut Maker<'_>, call: &Call<'_>) {
    let Some((answer, value)) = call.success().filter(|_| call.valid) else { return };
    of_value(maker, answer.event, &format!("api/{}.result.json", call.api), value);
    // A success that carries nothing at all lacks the first row that its table wants.
    let wants = match call.api {
        "finCardOcr" => "ocr.result.error-code",
        "finFaceAuth" => "face.result.error-code",
        "finLivenessCheck" => "liveness.result.result-type",
        "finOpenWitnessVideo" => "witness-video.result.video-flag",
        _ => return,
    };
    let nothing = What::Answer { id: call.id, via: answer.via, value: None, bytes: answer.bytes };
    maker.add(Operator::Drop, answer.event, ("", "value"), &[wants], vec![Edit::Replace(answer.event, nothing)]);
}

/// Of any value that a table speaks of; the pointers of the table are those of the value.
pub(super) fn of_value(maker: &mut Maker<'_>, event: usize, table: &str, value: &Value) {
    let value = &*read(value);
    for rule in rules::of(maker.law.catalog, table, value) {
        if rule.keyword == "required" {
            required(maker, event, &rule, value);
            continue;
        }
        let Some(now) = value.pointer(&rule.at) else { continue };
        for (operator, name, new, alias) in retype::breaking(&rule, now) {
            // An empty candidate, or null, is the end of gathering (rulings 3.2), and breaks nothing.
            if (rule.at == "/candidate/candidate" && new == "") || (rule.at == "/candidate" && new.is_null()) {
                continue;
            }
            let change = Change { operator, event, at: &rule.at, rule: name, owners: &[rule.owner], alias };
            maker.make(change, vec![Edit::Set(event, rule.at.clone(), new)]);
        }
    }
}

pub(super) fn required(maker: &mut Maker<'_>, event: usize, rule: &Rule<'_>, value: &Value) {
    if value.pointer(&rule.at).is_none() {
        return;
    }
    let name = rule.at.rsplit('/').next().unwrap_or_default();
    maker.add(Operator::Drop, event, (&rule.at, "row"), &[rule.owner], vec![Edit::Remove(event, rule.at.clone())]);
    for (which, new) in
        [("misspelt", format!("{name}s")), ("other-case", other_case(name)), ("foreign", format!("x_{name}"))]
    {
        let edit = Edit::Rename(event, rule.at.clone(), new);
        maker.add(Operator::Rename, event, (&rule.at, which), &[rule.owner], vec![edit]);
    }
    if let Some(alias) = rule.alias_name {
        let edit = Edit::Rename(event, rule.at.clone(), alias.to_owned());
        let owners = &[rule.owner];
        maker.make(
            Change { operator: Operator::Rename, event, at: &rule.at, rule: "alias", owners, alias: true },
            vec![edit],
        );
    }
}

/// `errorCode` as `error_code`.
fn other_case(name: &str) -> String {
    let mut new = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            new.push('_');
        }
        new.push(c.to_ascii_lowercase());
    }
    if new == name { format!("_{name}") } else { new }
}
