//! `fincert list`: what there is.

use clap::ValueEnum;
use fincert_schemas::fixture;
use fincert_schemas::requirement::PROFILES;
use fincert_schemas::run::Reason;
use fincert_suites::judge;
use serde_json::{Value, json};

use super::{Failure, ListFormat, Reading, exit, law};

/// Options of `fincert list`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// What to list
    #[arg(value_enum)]
    what: Subject,
    /// text for people, json for programs
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: ListFormat,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    Requirements,
    Scenarios,
    Checks,
    Defects,
    Profiles,
    Specimens,
    Examples,
    Reasons,
    ExitCodes,
}

pub(super) fn run(options: &Options) -> Result<u8, Failure> {
    let rows = rows(options)?;
    let text = match options.format {
        ListFormat::Json => {
            serde_json::to_string_pretty(&rows.iter().map(|row| &row.json).collect::<Vec<_>>()).unwrap_or_default()
                + "\n"
        }
        ListFormat::Text => {
            let widths: Vec<usize> = (0..rows.iter().map(|row| row.cells.len()).max().unwrap_or_default())
                .map(|column| {
                    rows.iter()
                        .filter_map(|row| row.cells.get(column))
                        .map(|cell| cell.chars().count())
                        .max()
                        .unwrap_or_default()
                })
                .collect();
            rows.iter().map(|row| line(&row.cells, &widths)).collect()
        }
    };
    super::print(&text)?;
    Ok(exit::CERTIFIED)
}

struct Row {
    cells: Vec<String>,
    json: Value,
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (index, cell) in cells.iter().enumerate() {
        text.push_str(cell);
        if index + 1 < cells.len() {
            let pad = widths[index].saturating_sub(cell.chars().count()) + 2;
            text.extend(std::iter::repeat_n(' ', pad));
        }
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn rows(options: &Options) -> Result<Vec<Row>, Failure> {
    let law = law()?;
    let lang = options.reading.lang();
    let row = |cells: Vec<String>, json: Value| Row { cells, json };
    Ok(match options.what {
        Subject::Requirements => {
            let judged = judge::judged_requirements(law.catalog);
            law.ledger
                .iter()
                .map(|r| {
                    let text = if lang == fincert_schemas::Lang::Zh { &r.zh } else { &r.en };
                    let state = if r.untested.is_some() { "not judged" } else { "" };
                    let checks = judged.get(&r.id).cloned().unwrap_or_default();
                    row(
                        vec![r.clause.clone(), r.level.as_str().to_owned(), r.id.clone(), state.to_owned(), text.clone()],
                        json!({"requirement": r, "checks": checks}),
                    )
                })
                .collect()
        }
        Subject::Scenarios => law
            .suite
            .scenarios
            .iter()
            .map(|s| {
                let capability = s.capability.clone().unwrap_or_else(|| s.profile.clone());
                row(vec![s.clause.clone(), s.pace.as_str().to_owned(), s.id.clone(), capability, s.title.get(lang).to_owned()], json!(s))
            })
            .collect(),
        Subject::Checks => judge::checks()
            .map(|c| row(vec![c.id.to_owned(), c.about.to_owned()], json!({"check": c.id, "about": c.about, "requirements": c.requirements})))
            .collect(),
        Subject::Defects => fincert_mocks::defects::all()
            .iter()
            .map(|d| {
                let about = d.description();
                let found = json!(d.found_by);
                let fuzzing = d.fuzzing.map(|fuzzing| json!({"within": fuzzing.within, "calls": fuzzing.calls, "smallest": fuzzing.words()}));
                row(
                    vec![d.name.to_owned(), found.as_str().unwrap_or_default().to_owned(), about.get(lang).to_owned()],
                    json!({"defect": d.name, "about": about, "owners": d.owners, "consequences": d.consequences, "profile": d.profile, "integration": d.integration,
                        "foundBy": found, "fuzzing": fuzzing}),
                )
            })
            .collect(),
        Subject::Profiles => PROFILES
            .iter()
            .flat_map(|(profile, parts)| {
                let missing = judge::unchecked(law, profile);
                let state = if missing.is_empty() { "offered".to_owned() } else { format!("not offered: {} MUSTs have no check", missing.len()) };
                std::iter::once(row(vec![(*profile).to_owned(), state], json!({"profile": profile, "capabilities": parts, "offered": missing.is_empty(), "unchecked": missing})))
                    .chain(parts.iter().map(|part| row(vec![format!("  {part}"), String::new()], json!({"capability": part, "profile": profile}))))
                    .collect::<Vec<_>>()
            })
            .collect(),
        Subject::Specimens => fixture::all()?
            .iter()
            .map(|s| row(vec![s.id.clone(), format!("{:?}", s.kind), s.description.get(lang).to_owned()], json!({"specimen": s.id, "kind": s.kind, "file": s.file, "mediaType": s.media_type, "sha256": s.sha256, "description": s.description})))
            .collect(),
        Subject::Examples => fincert_mocks::canned::all()?
            .iter()
            .map(|c| row(vec![c.api.to_string(), c.name.clone(), c.description.get(lang).to_owned()], json!({"api": c.api, "example": c.name, "description": c.description})))
            .collect(),
        Subject::Reasons => Reason::ALL
            .iter()
            .map(|r| row(vec![r.code().to_owned(), r.text().get(lang).to_owned(), r.advice().get(lang).to_owned()], json!({"reason": r.code(), "text": r.text(), "advice": r.advice()})))
            .collect(),
        Subject::ExitCodes => {
            exit::TABLE.iter().map(|(code, text)| row(vec![code.to_string(), (*text).to_owned()], json!({"code": code, "meaning": text}))).collect()
        }
    })
}
