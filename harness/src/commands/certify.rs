//! `fincert certify`: drive, record, judge, report.

mod options;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use fincert::filter::Filter;
use fincert::fuzz::Fuzzing;
use fincert::input::read_text;
use fincert::output::write_whole;
use fincert::record::Writer;
use fincert::runner::{self, Gathered, Plan};
use fincert::target::Target;
use fincert_reports::Format;
use fincert_schemas::Lang;
use fincert_schemas::bridge::Integration;
use fincert_schemas::requirement::PROFILES;
use fincert_schemas::run::{CAPTURE_VERSION, Line, Outcome, RECORD_VERSION, RunHeader};
use fincert_suites::judge::{self, Evidence, Law};
use fincert_suites::{Scenario, Suite, known_failing};

pub(crate) use options::Options;
use options::{cases, flow_network, replay_options};

use super::mock::find_defect;
use super::progress::Reporter;
use super::report::{Document, digests, outputs as report_outputs};
use super::{Failure, exit, keep_apart, law, snapshots, with_own};

/// Where record and reports go when nothing else is said.
const OUT: &str = "fincert-out";

pub(super) async fn run(options: Options) -> Result<u8, Failure> {
    let own = read_own(&options.scenarios)?;
    let law = with_own(law()?, own.clone());
    let lang = options.reading.lang();
    let (plan, header) = prepare(law, &options, &own)?;
    let snapshots = snapshots::open(options.snapshots.as_deref(), options.snapshot_rules.as_deref())?;
    let (record, reports) = destinations(&options);
    let mut outputs = report_outputs(&reports);
    outputs.extend(record.iter().map(|path| ("run record".to_owned(), path.as_path())));
    outputs.extend(options.write_known_failing.iter().map(|path| ("known failures".to_owned(), path.as_path())));
    let inputs = options.known_failing.iter().map(|path| ("--known-failing", path.as_path()));
    let inputs: Vec<_> = inputs
        .chain(options.scenarios.iter().map(|path| ("--scenarios", path.as_path())))
        .chain(options.snapshot_rules.iter().map(|path| ("--snapshot-rules", path.as_path())))
        .collect();
    keep_apart(&inputs, &outputs)?;
    if let Some(folder) = options.save_cases.as_deref().filter(|folder| folder.exists() && !folder.is_dir()) {
        return Err(Failure::usage(format!("--save-cases {}: is no folder", folder.display())));
    }
    let mut writer = match &record {
        Some(path) => Some(
            Writer::create(path).map_err(|error| Failure::usage(format!("run record {}: {error}", path.display())))?,
        ),
        None => None,
    };

    let gathered = drive(law, &plan, &header, &mut writer, lang).await?;
    let evidence = Evidence { header: &header, sessions: &gathered.sessions, transcripts: &gathered.transcripts };
    let mut judgement = judge::judge(law, evidence);
    if gathered.interrupted {
        // Nor has its record a judgement, so that nobody takes it for a whole one.
        judgement = judge::cut_off(judgement);
    } else if let Some(writer) = &mut writer {
        let path = writer.path().display().to_string();
        writer.line(&Line::Judgement(Box::new(judgement.clone()))).map_err(|error| record_failed(&path, &error))?;
    }
    let document = Document {
        law,
        header: &header,
        sessions: &gathered.sessions,
        transcripts: &gathered.transcripts,
        judgement: &judgement,
        digests: digests(record.as_deref()),
    };
    // The verdict first: a report that cannot be written must not swallow it.
    document.show(lang)?;
    let reported = document.write_all(&reports, lang);
    if let Some((folder, rules)) = &snapshots {
        snapshots::keep(folder, rules, &document, lang)?;
    }
    if let Some(path) = &options.write_known_failing {
        let failing = judgement.verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Fail);
        let entries: Vec<_> = failing.map(|v| known_failing::key(&v.requirement, &v.scenario)).collect();
        write_whole(path, known_failing::write(&entries).as_bytes())
            .map_err(|error| Failure::usage(format!("known failures {}: {error}", path.display())))?;
    }
    reported?;
    let mut written: Vec<String> = record.iter().map(|path| path.display().to_string()).collect();
    written.extend(reports.iter().map(|(_, path)| path.display().to_string()));
    let seed = header.seed;
    match (lang, written.is_empty()) {
        (Lang::Zh, true) => eprintln!("种子 {seed}；未写入文件"),
        (Lang::Zh, false) => eprintln!("种子 {seed}；已写入：{}", written.join("、")),
        (Lang::En, true) => eprintln!("seed {seed}; written: nothing"),
        (Lang::En, false) => eprintln!("seed {seed}; written: {}", written.join(", ")),
    }
    if gathered.interrupted {
        return Ok(exit::INTERRUPTED);
    }
    Ok(exit::of(&judgement, &gathered.transcripts))
}

/// Everything that can be wrong with the input is found out before anything starts.
fn prepare(law: Law<'_>, options: &Options, own: &[Scenario]) -> Result<(Plan, RunHeader), Failure> {
    let defect = find_defect(options.defect.as_deref())?;
    let mock = options.target == Target::Mock;
    if !mock && (defect.is_some() || options.integration.is_some()) {
        return Err(Failure::usage("--defect and --integration belong to the embedded mock host, --target mock"));
    }
    for name in &options.profile {
        known_profile(law, name)?;
    }
    let filter = options.filter.as_deref().map(Filter::parse).transpose().map_err(|e| Failure::usage(e.to_string()))?;
    let chosen: Vec<&Scenario> = law
        .suite
        .scenarios
        .iter()
        .filter(|scenario| wanted(scenario, &options.profile))
        .filter(|scenario| filter.as_ref().is_none_or(|filter| filter.accepts(scenario)))
        .filter(|scenario| own.is_empty() || own.iter().any(|own| own.id == scenario.id))
        .filter(|scenario| options.fuzz != Some(0) || scenario.fuzz().is_none())
        .collect();
    if chosen.is_empty() {
        let with = if options.profile.is_empty() { "" } else { " within the profiles asked for" };
        return Err(Failure::usage(format!("--filter matches no scenario{with}; `fincert list scenarios` names them")));
    }
    let known = match &options.known_failing {
        Some(path) => {
            let name = path.display().to_string();
            let text = read_text(path).map_err(|error| Failure::usage(format!("known failures {name}: {error}")))?;
            known_failing::read(&name, &text, law.ledger, law.suite)?
        }
        None => Vec::new(),
    };
    let mut params = law.suite.params.clone();
    for (name, value) in &options.set {
        let Some(slot) = params.get_mut(name) else {
            let names: Vec<_> = law.suite.params.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!(
                "--set: no scenario has a parameter {name}; there are: {}",
                names.join(", ")
            )));
        };
        *slot = match value.strip_prefix('@') {
            // A secret on the command line stands in the process list and in the shell's history.
            Some(path) => read_text(Path::new(path))
                .map_err(|error| Failure::usage(format!("--set {name}: {path}: {error}")))?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            None => value.clone(),
        };
    }
    let states = match (options.integration, defect) {
        (Some(state), _) => vec![state.into()],
        (None, Some(defect)) if defect.integration.is_some() => defect.integration.into_iter().collect(),
        // The embedded mock host shows all three states, so that every requirement of clause 1 is exercised.
        (None, _) => vec![Integration::Integrated, Integration::Custom, Integration::Absent],
    };
    let seed = options.seed.unwrap_or_else(|| {
        use rand::RngExt;
        rand::rng().random::<u32>().into()
    });
    let header = RunHeader {
        record: RECORD_VERSION,
        capture: CAPTURE_VERSION,
        fincert: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        began: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        target: options.target.to_string(),
        mock,
        defect: options.defect.clone(),
        profiles: options.profile.clone(),
        filter: options.filter.clone(),
        referee: options.referee,
        options: replay_options(options),
        revealed: options.reveal,
        set: options.set.iter().map(|(name, _)| name.clone()).collect(),
        fuzz: if chosen.iter().any(|scenario| scenario.fuzz().is_some()) { cases(options) } else { 0 },
        // Their requests may be anything; judging needs none of them.
        own: own.iter().map(|own| serde_json::json!(Scenario { steps: Vec::new(), ..own.clone() })).collect(),
        scenarios: chosen.iter().map(|scenario| scenario.id.clone()).collect(),
        known_failing: known,
    };
    let plan = Plan {
        target: options.target.clone(),
        defect,
        states,
        unattended: options.unattended,
        reveal: options.reveal,
        params,
        min_wait: options.min_wait,
        max_wait: options.max_wait,
        flows: flow_network(options)?,
        fuzzing: Fuzzing {
            asked: options.fuzz.is_some() || options.fuzz_case.is_some(),
            only: options.fuzz_case,
            budget: options.fuzz_budget,
            window: usize::from(options.fuzz_window),
            save: options.save_cases.clone(),
        },
    };
    Ok((plan, header))
}

/// The scenarios of the operator's own files.
fn read_own(files: &[PathBuf]) -> Result<Vec<Scenario>, Failure> {
    let mut texts = Vec::new();
    for path in files {
        let name = path.display().to_string();
        let text = read_text(path).map_err(|error| Failure::usage(format!("--scenarios {name}: {error}")))?;
        texts.push((name, text));
    }
    let suite = Suite::read_own(texts.iter().map(|(name, text)| (name.clone(), text.as_str())))?;
    Ok(suite.scenarios)
}

fn known_profile(law: Law<'_>, name: &str) -> Result<(), Failure> {
    let profile = PROFILES.iter().find(|(profile, parts)| *profile == name || parts.contains(&name));
    let Some((profile, _)) = profile else {
        let names: Vec<_> = PROFILES
            .iter()
            .flat_map(|(profile, parts)| std::iter::once(*profile).chain(parts.iter().copied()))
            .collect();
        return Err(Failure::usage(format!("no such profile or capability: {name}; there are: {}", names.join(", "))));
    };
    let missing = judge::unchecked(law, profile);
    if let Some(first) = missing.first() {
        return Err(Failure::usage(format!(
            "the profile {profile} is not offered yet: {} of its MUSTs have no check ({first}, …); `fincert list profiles` says more",
            missing.len()
        )));
    }
    Ok(())
}

/// Clause 1 is part of every profile, but its own scenarios are driven only where it, or everything, is asked for.
fn wanted(scenario: &Scenario, profiles: &[String]) -> bool {
    profiles.is_empty()
        || profiles.iter().any(|name| match name.split_once(':') {
            Some((profile, _)) => {
                scenario.profile == profile
                    && scenario.capability.as_deref().is_none_or(|capability| capability == name)
            }
            None => scenario.profile == *name,
        })
}

fn destinations(options: &Options) -> (Option<PathBuf>, Vec<(Format, PathBuf)>) {
    if options.record.is_none() && options.report.is_empty() {
        let out = PathBuf::from(OUT);
        let reports = [(Format::Html, "report.html"), (Format::Json, "report.json"), (Format::Junit, "junit.xml")];
        let reports = reports.map(|(format, name)| (format, out.join(name))).to_vec();
        return (Some(out.join("run.jsonl")), reports);
    }
    (options.record.clone(), options.report.clone())
}

fn record_failed(path: &str, error: &std::io::Error) -> Failure {
    Failure { code: exit::COULD_NOT_RUN, message: format!("run record {path}: {error}") }
}

async fn drive(
    law: Law<'static>,
    plan: &Plan,
    header: &RunHeader,
    writer: &mut Option<Writer>,
    lang: Lang,
) -> Result<Gathered, Failure> {
    let terminal = std::io::stderr().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb");
    let mut reporter = Reporter::new(law, header.scenarios.len(), terminal, lang);
    let path = writer.as_ref().map(|w| w.path().display().to_string()).unwrap_or_default();
    let mut sink = |line: &Line| writer.as_mut().map_or(Ok(()), |writer| writer.line(line));
    let mut progress = |event: runner::Progress<'_>| reporter.show(&event);
    let interrupt = interrupted();
    let gathered = runner::run(plan, header, law, &mut sink, &mut progress, Box::pin(interrupt)).await;
    reporter.finish();
    gathered.map_err(|error| record_failed(&path, &error))
}

/// Ctrl-C, or whatever else ends a program in good order: the record is kept and the target is ended.
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hang_up)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
}
