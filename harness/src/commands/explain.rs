//! `fincert explain ID`: a requirement, scenario, check, defect or reason code.

use fincert_schemas::Requirement;
use fincert_schemas::run::Reason;
use fincert_suites::Scenario;
use fincert_suites::judge::{self, Check, Law};

use super::{Failure, exit, law};

/// Options of `fincert explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The id
    id: String,
}

pub(super) fn run(options: &Options) -> Result<u8, Failure> {
    let law = law()?;
    let id = options.id.as_str();
    let text = law
        .ledger
        .get(id)
        .map(|r| requirement(law, r))
        .or_else(|| law.suite.get(id).map(scenario))
        .or_else(|| judge::checks().find(|c| c.id == id).map(check))
        .or_else(|| fincert_mocks::defects::find(id).ok().map(defect))
        .or_else(|| Reason::ALL.iter().find(|r| r.code() == id).map(|r| reason(*r)));
    match text {
        Some(text) => {
            super::print(&text)?;
            Ok(exit::CERTIFIED)
        }
        None => {
            let near = near(law, id);
            let hint = if near.is_empty() { String::new() } else { format!("; near: {}", near.join(", ")) };
            Err(Failure::usage(format!(
                "nothing is called {id}{hint}; `fincert list requirements` (scenarios, checks, defects, reasons) names them"
            )))
        }
    }
}

/// The names that differ least from what was typed.
fn near(law: Law<'_>, typed: &str) -> Vec<String> {
    let requirements = law.ledger.iter().map(|r| r.id.clone());
    let scenarios = law.suite.scenarios.iter().map(|s| s.id.clone());
    let checks = judge::checks().map(|c| c.id.to_owned());
    let reasons = Reason::ALL.iter().map(|r| r.code().to_owned());
    let defects = fincert_mocks::defects::all().iter().map(|d| d.name.to_owned());
    let all = requirements.chain(scenarios).chain(checks).chain(reasons).chain(defects);
    let mut scored: Vec<(f64, String)> = all
        .map(|name| {
            let within = name.contains(typed) || typed.contains(&name);
            (strsim::jaro_winkler(typed, &name) + if within { 0.1 } else { 0.0 }, name)
        })
        .filter(|(score, _)| *score > 0.88)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(5).map(|(_, name)| name).collect()
}

fn requirement(law: Law<'_>, r: &Requirement) -> String {
    let mut text = format!(
        "{}\n\nrequirement, clause {}, {}, profile {}\n\n{}\n{}\n",
        r.id,
        r.clause,
        r.level.as_str(),
        r.profile,
        r.zh,
        r.en
    );
    for quote in &r.quote {
        text.push_str(&format!("\n规范原文 / the specification:\n    {}\n", quote.replace('\n', "\n    ")));
    }
    if let Some(capability) = &r.capability {
        text.push_str(&format!("\nbelongs to the capability {capability}\n"));
    }
    if let Some(when) = &r.when {
        text.push_str(&format!("\nholds when {}\n", serde_json::to_string(when).unwrap_or_default()));
    }
    if let Some(note) = &r.note {
        text.push_str(&format!("\nnote: {note}\n"));
    }
    match &r.untested {
        Some(why) => text.push_str(&format!("\nno check judges it: {why}\n")),
        None => {
            let judged = judge::judged_requirements(law.catalog);
            text.push_str(&format!("\njudged by: {}\n", judged.get(&r.id).cloned().unwrap_or_default().join(", ")));
        }
    }
    let red: Vec<_> = fincert_mocks::defects::all().iter().filter(|d| d.owners.contains(&r.id.as_str())).collect();
    if !red.is_empty() {
        text.push_str("\nwhat turns it red (or warns), such as:\n");
        for defect in red {
            text.push_str(&format!("    {:<28} {}\n", defect.name, defect.description().en));
        }
    }
    text
}

fn scenario(s: &Scenario) -> String {
    let mut text = format!(
        "{}\n\nscenario, clause {}, pace {}\n\n{}\n{}\n",
        s.id,
        s.clause,
        s.pace.as_str(),
        s.title.zh,
        s.title.en
    );
    if let Some(capability) = &s.capability {
        text.push_str(&format!("\nneeds the capability {capability}\n"));
    }
    if let Some(prompt) = &s.prompt {
        text.push_str(&format!("\nasks a person:\n    {}\n    {}\n", prompt.zh, prompt.en));
    }
    text.push_str(&format!("\nsteps:\n{}\n", serde_json::to_string_pretty(&s.steps).unwrap_or_default()));
    text
}

fn check(c: &Check) -> String {
    let mut text = format!("{}\n\ncheck\n\n{}\n\njudges:\n", c.id, c.about);
    for requirement in c.requirements {
        text.push_str(&format!("    {requirement}\n"));
    }
    text
}

fn defect(d: &fincert_mocks::Defect) -> String {
    let about = d.description();
    let mut text = format!("{}\n\ndefect of the mock host\n\n{}\n{}\n\nbreaks:\n", d.name, about.zh, about.en);
    for owner in d.owners {
        text.push_str(&format!("    {owner}\n"));
    }
    if !d.consequences.is_empty() {
        text.push_str("\nand inevitably:\n");
        for other in d.consequences {
            text.push_str(&format!("    {other}\n"));
        }
    }
    text.push_str(&format!("\ntry it: fincert certify --target mock --defect {}\n", d.name));
    text
}

fn reason(r: Reason) -> String {
    let (about, advice) = (r.text(), r.advice());
    format!("{}\n\nreason code\n\n{}\n{}\n\nwhat to do:\n{}\n{}\n", r.code(), about.zh, about.en, advice.zh, advice.en)
}
