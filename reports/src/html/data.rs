//! What the page's script is given: the run without its transcripts.

use std::collections::{HashMap, HashSet};

use fincert_schemas::run::flow::Referee;
use fincert_schemas::run::fuzz::FuzzSummary;
use fincert_schemas::run::{
    Accuracy, CauseGroup, Certification, Ended, Finding, Outcome, Reason, RequirementVerdict, RunHeader, Session,
    TableCoverage,
};
use fincert_schemas::{Bilingual, Lang, Level};
use serde::Serialize;

use crate::words;
use crate::{Digest, FlowTimes, Run, Standing, Tally};

/// How many findings the page holds at most; the first of each cause is always there.
const FINDINGS: usize = 20_000;

/// The first block.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data<'a> {
    /// The language the page begins with.
    lang: &'static str,
    header: &'a RunHeader,
    /// The version of the suites.
    suites: &'a str,
    mock: bool,
    standing: Standing,
    tally: Tally,
    sessions: &'a [Session],
    decisions: &'a [Certification],
    causes: Vec<Cause<'a>>,
    /// By their places in the judgement.
    findings: HashMapInOrder<'a>,
    /// How many findings there are in all.
    findings_in_all: usize,
    clauses: Vec<(&'a str, &'a Bilingual)>,
    requirements: Vec<Row<'a>>,
    scenarios: Vec<Scenario<'a>>,
    /// How many transcripts are not in the page.
    left_out: usize,
    digests: &'a [Digest],
    accuracy: &'a [Accuracy],
    coverage: &'a [TableCoverage],
    fuzz: Vec<Fuzzed<'a>>,
    flows: Vec<FlowTimes<'a>>,
    unexpected: &'a [String],
    expected_failures: u32,
    words: Words,
}

/// A cause, and how much is to be said about it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cause<'a> {
    #[serde(flatten)]
    group: &'a CauseGroup,
    /// Whether all of it was declared to fail.
    known: bool,
    /// Why, where the outcome alone does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    /// Its findings, by their places.
    found: Vec<usize>,
    /// The command that replays the first of them.
    replay: String,
}

/// What fuzzing one API came to.
#[derive(Serialize)]
struct Fuzzed<'a> {
    #[serde(flatten)]
    summary: &'a FuzzSummary,
    /// The command that replays each failure.
    replays: Vec<String>,
}

impl<'a> Fuzzed<'a> {
    fn of(run: &Run<'_>, summary: &'a FuzzSummary) -> Self {
        let replays = summary.failures.iter().map(|failure| run.replay_case(&summary.scenario, failure));
        Self { replays: replays.collect(), summary }
    }
}

/// A requirement with its verdicts.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    verdict: &'a RequirementVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    /// The verdicts: the scenario's place, and the outcome's place in `words.outcomes`, in turn, by scenario.
    cells: Vec<u32>,
    /// The reasons of verdicts that have one: the scenario's place, and the code.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<(u32, Reason)>,
}

/// The text of a requirement.
#[derive(Serialize)]
struct Text<'a> {
    level: Level,
    profile: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    capability: Option<&'a str>,
    zh: &'a str,
    en: &'a str,
    quote: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

/// A scenario with how it ended. A flow that both referees drove is one.
#[derive(Serialize)]
struct Scenario<'a> {
    id: &'a str,
    drives: Vec<Drive<'a>>,
    replay: String,
}

/// One time that a scenario was driven.
#[derive(Serialize)]
struct Drive<'a> {
    session: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    referee: Option<Referee>,
    ended: &'a Ended,
    /// When the last thing was observed.
    ms: u64,
    events: usize,
    /// The block with its transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<usize>,
}

/// The words of verdicts, decisions and reasons in both languages.
#[derive(Serialize)]
struct Words {
    outcomes: Vec<(&'static str, Bilingual)>,
    standings: Vec<(Standing, Bilingual)>,
    reasons: Vec<(&'static str, Bilingual, Bilingual)>,
}

/// Findings by their places, in order.
struct HashMapInOrder<'a>(Vec<(usize, &'a Finding)>);

impl Serialize for HashMapInOrder<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(place, finding)| (place, finding)))
    }
}

impl<'a> Data<'a> {
    /// `chosen` says of each transcript whether it has a block.
    pub(super) fn of(run: &'a Run<'a>, lang: Lang, chosen: &[bool], left_out: usize) -> Self {
        let judgement = run.judgement;
        let scenarios = scenarios(run, chosen);
        let places: HashMap<&str, u32> = (0..).zip(&scenarios).map(|(place, scenario)| (scenario.id, place)).collect();
        let causes = causes(run);
        let firsts: HashSet<usize> = causes.iter().filter_map(|cause| cause.found.first().copied()).collect();
        let room = FINDINGS.saturating_sub(firsts.len());
        let mut others = 0;
        let kept = judgement.findings.iter().enumerate().filter(|(place, _)| {
            firsts.contains(place) || {
                others += 1;
                others <= room
            }
        });
        Self {
            lang: lang_code(lang),
            header: run.header,
            suites: &judgement.suites,
            mock: run.is_mock(),
            standing: judgement.standing,
            tally: Tally::of(judgement, run.transcripts),
            sessions: run.sessions,
            decisions: &judgement.certifications,
            findings: HashMapInOrder(kept.collect()),
            findings_in_all: judgement.findings.len(),
            causes,
            clauses: run.ledger.clauses().iter().map(|clause| (clause.number.as_str(), &clause.title)).collect(),
            requirements: requirements(run, &places),
            scenarios,
            left_out,
            digests: run.digests,
            accuracy: &judgement.accuracy,
            coverage: &judgement.coverage,
            fuzz: judgement.fuzz.iter().map(|summary| Fuzzed::of(run, summary)).collect(),
            flows: run.transcripts.iter().filter_map(FlowTimes::of).collect(),
            unexpected: &judgement.unexpected_passes,
            expected_failures: judgement.expected_failures,
            words: Words::new(),
        }
    }
}

fn lang_code(lang: Lang) -> &'static str {
    words::say(lang, "zh", "en")
}

/// In the order of the run; what was judged without a transcript comes last.
fn scenarios<'a>(run: &'a Run<'a>, chosen: &[bool]) -> Vec<Scenario<'a>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut all: Vec<Scenario<'_>> = Vec::new();
    let mut place = |all: &mut Vec<Scenario<'a>>, id: &'a str| {
        *places.entry(id).or_insert_with(|| {
            all.push(Scenario { id, drives: Vec::new(), replay: (run.replay)(id) });
            all.len() - 1
        })
    };
    for (index, transcript) in run.transcripts.iter().enumerate() {
        let at = place(&mut all, &transcript.scenario);
        all[at].drives.push(Drive {
            session: transcript.session,
            referee: transcript.referee,
            ended: &transcript.ended,
            ms: transcript
                .events
                .iter()
                .filter(|event| !event.late)
                .map(|event| event.at_us / 1_000)
                .max()
                .unwrap_or(0),
            events: transcript.events.len(),
            block: chosen.get(index).copied().unwrap_or(false).then_some(index),
        });
    }
    for verdict in &run.judgement.verdicts {
        place(&mut all, &verdict.scenario);
    }
    for finding in &run.judgement.findings {
        place(&mut all, &finding.scenario);
    }
    all
}

fn causes<'a>(run: &'a Run<'a>) -> Vec<Cause<'a>> {
    let judgement = run.judgement;
    let known: HashSet<(&str, &str)> =
        run.header.known_failing.iter().filter_map(|pair| pair.split_once(" @ ")).collect();
    let mut found: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, finding) in judgement.findings.iter().enumerate() {
        found.entry(&finding.cause).or_default().push(place);
    }
    let told: HashSet<(&str, &str)> = judgement
        .causes
        .iter()
        .filter_map(|cause| judgement.findings.get(cause.first as usize))
        .map(|finding| (finding.requirement.as_str(), finding.scenario.as_str()))
        .collect();
    let reasons: HashMap<(&str, &str), Reason> = judgement
        .verdicts
        .iter()
        .filter_map(|verdict| Some(((verdict.requirement.as_str(), verdict.scenario.as_str()), verdict.reason?)))
        .filter(|(pair, _)| told.contains(pair))
        .collect();
    let mut causes: Vec<Cause<'_>> = judgement
        .causes
        .iter()
        .map(|group| {
            let found = found.remove(group.cause.as_str()).unwrap_or_default();
            let pair = |place: &usize| {
                let finding = &judgement.findings[*place];
                (finding.requirement.as_str(), finding.scenario.as_str())
            };
            let mut bad = found.iter().filter(|place| crate::is_bad(judgement.findings[**place].outcome)).peekable();
            let some = bad.peek().is_some();
            Cause {
                known: some && bad.all(|place| known.contains(&pair(place))),
                replay: found.first().map(|first| run.replay_finding(&judgement.findings[*first])).unwrap_or_default(),
                reason: found.first().and_then(|first| reasons.get(&pair(first)).copied()),
                group,
                found,
            }
        })
        .collect();
    // What breaks a MUST first, then what is in doubt; what was declared to fail and what warns last.
    causes.sort_by_key(|cause| (cause.known, std::cmp::Reverse(cause.group.outcome)));
    causes
}

fn requirements<'a>(run: &'a Run<'a>, places: &HashMap<&str, u32>) -> Vec<Row<'a>> {
    let judgement = run.judgement;
    let mut rows: Vec<Row<'_>> = judgement
        .requirements
        .iter()
        .map(|verdict| Row {
            text: run.ledger.get(&verdict.requirement).map(|requirement| Text {
                level: requirement.level,
                profile: &requirement.profile,
                capability: requirement.capability.as_deref(),
                zh: &requirement.zh,
                en: &requirement.en,
                quote: &requirement.quote,
                note: requirement.note.as_deref(),
            }),
            verdict,
            cells: Vec::new(),
            reasons: Vec::new(),
        })
        .collect();
    let by_id: HashMap<&str, usize> =
        judgement.requirements.iter().enumerate().map(|(index, row)| (row.requirement.as_str(), index)).collect();
    let mut cells: Vec<Vec<(u32, u32)>> = vec![Vec::new(); rows.len()];
    for verdict in &judgement.verdicts {
        let (Some(row), Some(scenario)) =
            (by_id.get(verdict.requirement.as_str()), places.get(verdict.scenario.as_str()))
        else {
            continue;
        };
        cells[*row].push((*scenario, verdict.outcome as u32));
        if let Some(reason) = verdict.reason {
            rows[*row].reasons.push((*scenario, reason));
        }
    }
    for (row, mut cells) in rows.iter_mut().zip(cells) {
        cells.sort_unstable();
        row.cells = cells.into_iter().flat_map(|(scenario, outcome)| [scenario, outcome]).collect();
    }
    rows
}

impl Words {
    fn new() -> Self {
        let outcomes = [
            Outcome::NotApplicable,
            Outcome::NotExercised,
            Outcome::Pass,
            Outcome::Warn,
            Outcome::Inconclusive,
            Outcome::CouldNotRun,
            Outcome::Fail,
        ];
        let standings = [
            Standing::Certified,
            Standing::AsExpected,
            Standing::NotCertified,
            Standing::UnexpectedPass,
            Standing::Nothing,
        ];
        let both = |of: &dyn Fn(Lang) -> &'static str| Bilingual::new(of(Lang::Zh), of(Lang::En));
        Self {
            outcomes: outcomes.map(|o| (o.as_str(), both(&|lang| words::outcome(lang, o)))).to_vec(),
            standings: standings.map(|s| (s, both(&|lang| words::standing(lang, s)))).to_vec(),
            reasons: Reason::ALL.iter().map(|r| (r.code(), r.text(), r.advice())).collect(),
        }
    }
}
