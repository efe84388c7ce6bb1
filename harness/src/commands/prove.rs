//! `fincert prove`: transcripts are mutated, and what the checks catch is printed.

use std::fmt::Write;

use fincert::filter::Filter;
use fincert::prove::{self, Count, Order, Owned, Proof};
use fincert_schemas::Lang;
use serde_json::{Value, json};

use super::{Failure, ListFormat, Reading, exit, law, print};

/// How many survivors, accusations and leaks the text shows of each.
const SHOWN: usize = 40;

/// Options of `fincert prove`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  prove every suite
    fincert prove
  prove the checks of one clause, and hand the figures to a program
    fincert prove --filter clause:2.3 --format json")]
pub(crate) struct Options {
    /// Mutate the transcripts of these scenarios alone; an expression as for `fincert certify`
    #[arg(long, value_name = "EXPR", help_heading = "What to prove")]
    filter: Option<String>,
    /// Mutate the transcripts of this profile alone; may be given several times
    #[arg(long, value_name = "PROFILE", help_heading = "What to prove")]
    profile: Vec<String>,
    /// The seed of the run
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "What to prove")]
    seed: u64,
    /// Leave this check out: the proof must then find survivors
    #[arg(long, value_name = "CHECK", help_heading = "What to prove")]
    without: Option<String>,
    /// Put each mutant before every check, not only before those that judge what it breaks
    #[arg(long, help_heading = "What to prove")]
    every_check: bool,
    /// How to print the outcome
    #[arg(long, value_enum, default_value = "text", help_heading = "Output")]
    format: ListFormat,
    #[command(flatten)]
    reading: Reading,
}

pub(super) async fn run(options: Options) -> Result<u8, Failure> {
    let law = law()?;
    let order = order(law, &options)?;
    let herd = prove::gather(law, &order)
        .await
        .map_err(|error| Failure { code: exit::COULD_NOT_RUN, message: format!("the mock host: {error}") })?;
    let lang = options.reading.lang();
    let (count, seconds) = (herd.clean.len(), herd.drive.as_secs_f64());
    match lang {
        Lang::Zh => eprintln!("已驱动 {count} 份记录，用时 {seconds:.1} s"),
        Lang::En => eprintln!("{count} transcripts driven in {seconds:.1} s"),
    }
    let proof = prove::prove(law, &order, &herd);
    match options.format {
        ListFormat::Text => print(&text(&proof, lang))?,
        ListFormat::Json => print(&format!("{:#}\n", document(&order, &proof)))?,
    }
    Ok(if proof.wanting().is_empty() { exit::CERTIFIED } else { exit::NOT_CERTIFIED })
}

fn order(law: fincert_suites::judge::Law<'_>, options: &Options) -> Result<Order, Failure> {
    let filter = options.filter.as_deref().map(Filter::parse).transpose().map_err(|e| Failure::usage(e.to_string()))?;
    for name in &options.profile {
        if !fincert_schemas::requirement::PROFILES.iter().any(|(profile, _)| profile == name) {
            return Err(Failure::usage(format!("no such profile: {name}; `fincert list profiles` names them")));
        }
    }
    if let Some(check) = &options.without
        && !fincert_suites::judge::checks().any(|known| known.id == check)
    {
        return Err(Failure::usage(format!("no such check: {check}; `fincert list checks` names them")));
    }
    let scenarios: Vec<String> = law
        .suite
        .scenarios
        .iter()
        .filter(|scenario| options.profile.is_empty() || options.profile.contains(&scenario.profile))
        // What is generated is judged by the same checks; the fixed scenarios show what they must see.
        .filter(|scenario| scenario.fuzz().is_none())
        .filter(|scenario| filter.as_ref().is_none_or(|filter| filter.accepts(scenario)))
        .map(|scenario| scenario.id.clone())
        .collect();
    if scenarios.is_empty() {
        return Err(Failure::usage("no scenario is left; `fincert list scenarios` names them"));
    }
    let whole = options.profile.is_empty() && filter.is_none();
    Ok(Order {
        scenarios,
        seed: options.seed,
        without: options.without.clone(),
        every_check: options.every_check,
        whole,
    })
}

fn text(proof: &Proof, lang: Lang) -> String {
    let mut out = String::new();
    let say = |zh: &'static str, en: &'static str| match lang {
        Lang::Zh => zh,
        Lang::En => en,
    };
    matrix(&mut out, proof, &say);
    let (share, mutants, transcripts) = (proof.killed_share(), proof.total.mutants, proof.transcripts);
    let rate = proof.judged_per_second();
    let (drive, capture, judge) = (proof.drive.as_secs_f64(), proof.capture.as_secs_f64(), proof.judge.as_secs_f64());
    let _ = match lang {
        Lang::Zh => writeln!(
            out,
            "\n{transcripts} 份记录的 {mutants} 个变异体，发现了 {share:.2} %\n单核每秒判定 {rate:.0} 个变异体；驱动 \
             {drive:.1} s，单核采集 {capture:.1} s，单核判定 {judge:.2} s"
        ),
        Lang::En => writeln!(
            out,
            "\n{share:.2} % killed of {mutants} mutants of {transcripts} transcripts\n{rate:.0} mutants judged a second on \
             one core; driven in {drive:.1} s, captured in {capture:.1} s and judged in {judge:.2} s of one core"
        ),
    };
    lists(&mut out, proof, &say);
    if !proof.unbreakable.is_empty() {
        let count = proof.unbreakable.len();
        let _ = match lang {
            Lang::Zh => {
                writeln!(out, "\n{count} 项要求无从违反：只说明某个取值出现过，或仅作许可；--format json 逐项列出")
            }
            Lang::En => writeln!(
                out,
                "\n{count} requirements cannot be broken: they say that a value was seen, or permit; --format json lists them"
            ),
        };
    }
    match proof.wanting().as_slice() {
        [] => out.push_str(say("\n检查集得到证明\n", "\nproven\n")),
        wanting => {
            let wanting: Vec<&str> = wanting.iter().map(|sentence| sentence.get(lang)).collect();
            let _ = writeln!(out, "\n{}{}", say("未得证明：", "not proven: "), wanting.join(say("；", "; ")));
        }
    }
    out
}

type Say<'s> = &'s dyn Fn(&'static str, &'static str) -> &'static str;

/// The kill matrix: by operator, then by clause.
fn matrix(out: &mut String, proof: &Proof, say: Say<'_>) {
    // Chinese titles take two columns a character.
    let right = |text: &str, columns: usize| {
        let blank = columns.saturating_sub(fincert_reports::text::columns(text));
        format!("{}{text}", " ".repeat(blank))
    };
    let head = |out: &mut String, title: &str| {
        let blank = 34_usize.saturating_sub(fincert_reports::text::columns(title));
        let (mutants, killed) = (right(say("变异体", "mutants"), 9), right(say("已发现", "killed"), 9));
        let survived = right(say("未发现", "survived"), 10);
        let _ = writeln!(out, "{title}{}{mutants}{killed}{survived}", " ".repeat(blank));
    };
    let row = |out: &mut String, name: &str, count: &Count| {
        let Count { mutants, killed, survived } = count;
        let blank = 34_usize.saturating_sub(fincert_reports::text::columns(name));
        let _ = writeln!(out, "{name}{}{mutants:>9}{killed:>9}{survived:>10}", " ".repeat(blank));
    };
    head(out, say("算子", "operator"));
    for (operator, count) in &proof.matrix.operators {
        row(out, operator.as_str(), count);
    }
    let _ = writeln!(out);
    head(out, say("条款", "clause"));
    for (clause, count) in &proof.matrix.clauses {
        row(out, clause, count);
    }
    row(out, say("合计", "all"), &proof.total);
}

fn lists(out: &mut String, proof: &Proof, say: Say<'_>) {
    let mut list = |title: &str, lines: Vec<String>| {
        if lines.is_empty() {
            return;
        }
        let _ = writeln!(out, "\n{title}: {}", lines.len());
        for line in lines.iter().take(SHOWN) {
            let _ = writeln!(out, "  {line}");
        }
        if let Some(more) = lines.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            let rest = say("项；--format json 全部列出", "more; --format json lists them all");
            let _ = writeln!(out, "  … {more} {rest}");
        }
    };
    list(
        say("未被发现的变异体", "Survivors"),
        proof.survivors.iter().map(|s| format!("{}\n      {}", s.id, s.why)).collect(),
    );
    list(
        say("对正常记录的误判", "Accusations of clean transcripts"),
        proof
            .accusations
            .iter()
            .map(|a| format!("{} {} {}: {}", a.scenario, a.requirement, a.outcome.as_str(), a.actual))
            .collect(),
    );
    list(
        say("采集后仍含敏感原值的变异体", "Captured mutants with a raw sensitive value"),
        proof.leaks.iter().map(|leak| leak.id.clone()).collect(),
    );
    list(say("检查过弱或缺失的要求", "Requirements whose check is weak or missing"), proof.weak.clone());
    list(say("有检查而无变异体的要求", "Requirements with a check and without a mutant"), proof.uncovered.clone());
}

fn document(order: &Order, proof: &Proof) -> Value {
    let count = |count: &Count| json!({"mutants": count.mutants, "killed": count.killed, "survived": count.survived});
    let owned = |count: &Owned| json!({"mutants": count.mutants, "killed": count.killed, "survived": count.survived});
    let specimens = |list: &[prove::Specimen]| -> Vec<Value> {
        list.iter().map(|s| json!({"mutant": s.id, "owners": s.owners, "why": s.why})).collect()
    };
    let operators: serde_json::Map<String, Value> =
        proof.matrix.operators.iter().map(|(operator, c)| (operator.as_str().to_owned(), count(c))).collect();
    let clauses: serde_json::Map<String, Value> =
        proof.matrix.clauses.iter().map(|(clause, c)| (clause.clone(), count(c))).collect();
    let requirements: serde_json::Map<String, Value> =
        proof.matrix.requirements.iter().map(|(id, c)| (id.clone(), owned(c))).collect();
    let accusations: Vec<Value> = proof
        .accusations
        .iter()
        .map(|a| json!({"scenario": a.scenario, "requirement": a.requirement, "outcome": a.outcome.as_str(), "actual": a.actual}))
        .collect();
    let unbreakable: Vec<Value> =
        proof.unbreakable.iter().map(|(id, why)| json!({"requirement": id, "why": why})).collect();
    json!({
        "mutants": proof.total.mutants,
        "killed": proof.total.killed,
        "killedPercent": (proof.killed_share() * 100.0).floor() / 100.0,
        "accusations": proof.accusations.len(),
        "survivors": specimens(&proof.survivors),
        "accused": accusations,
        "leaks": proof.leaks.iter().map(|leak| leak.id.clone()).collect::<Vec<_>>(),
        "requirementsWithWeakCheck": proof.weak,
        "requirementsWithoutMutant": proof.uncovered,
        "requirementsThatCannotBeBroken": unbreakable,
        "operators": operators,
        "clauses": clauses,
        "requirements": requirements,
        "transcripts": proof.transcripts,
        "judgedPerSecondOnOneCore": proof.judged_per_second().round(),
        "seconds": {
            "drive": proof.drive.as_secs_f64(),
            "capture": proof.capture.as_secs_f64(),
            "judge": proof.judge.as_secs_f64(),
        },
        "seed": order.seed,
        "proven": proof.wanting().is_empty(),
        "wanting": proof.wanting().into_iter().map(|sentence| sentence.en).collect::<Vec<_>>(),
    })
}
