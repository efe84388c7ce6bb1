//! Two referees: for ICE, DTLS and media one peer's word never condemns.
//!
//! A flow that accuses the target on such a requirement is driven again with the other referee. Where both accuse, the
//! verdict stands; where one does not, it is inconclusive. Findings about the API, its events and the text of SDP stand
//! alone. A referee that cannot drive the flow leaves the other to judge by itself.

use fincert_schemas::run::flow::Referee;
use fincert_schemas::run::{Ended, Finding, Outcome, Reason, Transcript, Verdict};
use fincert_schemas::{Bilingual, Level};

use super::{Evidence, Law, Sink, inspect};

/// What one referee's transcript shows.
struct Word {
    referee: Referee,
    /// Whether it could drive the flow at all.
    able: bool,
    verdicts: Vec<Verdict>,
    findings: Vec<Finding>,
}

/// Judges all transcripts of one flow, and puts into the sink what they show together.
pub(super) fn judge(law: Law<'_>, evidence: Evidence<'_>, transcripts: &[&Transcript], sink: &mut Sink<'_>) {
    let words: Vec<Word> = transcripts.iter().filter_map(|transcript| word(law, evidence, transcript)).collect();
    let (verdicts, findings) = together(law, &words);
    sink.absorb(verdicts, findings);
}

fn word(law: Law<'_>, evidence: Evidence<'_>, transcript: &Transcript) -> Option<Word> {
    let own = evidence.sessions.iter().find(|session| session.session == transcript.session);
    let session = own.or(evidence.sessions.last())?;
    let mut alone = Sink::new(law.ledger);
    inspect(law, &session.hello, transcript, &mut alone);
    let (verdicts, findings) = alone.finish();
    let able = !matches!(transcript.ended, Ended::Skipped { .. });
    Some(Word { referee: transcript.referee?, able, verdicts, findings })
}

fn together(law: Law<'_>, words: &[Word]) -> (Vec<Verdict>, Vec<Finding>) {
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut findings = Vec::new();
    for word in words {
        for verdict in &word.verdicts {
            let settled = settle(law, verdict, word, words);
            match verdicts.iter_mut().find(|before| before.requirement == settled.requirement) {
                Some(before) if settled.outcome > before.outcome => *before = settled,
                Some(_) => {}
                None => verdicts.push(settled),
            }
        }
    }
    for word in words {
        for finding in &word.findings {
            let mut finding = finding.clone();
            let accuses = needs_second(law, &finding.requirement, finding.outcome);
            if let Some(reason) = doubt(law, &finding.requirement, word, words).filter(|_| accuses) {
                finding.outcome = Outcome::Inconclusive;
                finding.hint = Some(reason.advice());
            } else if accuses {
                finding.hint = finding.hint.or_else(|| says_who(word, words));
            }
            let told = findings.iter().any(|before: &Finding| {
                before.requirement == finding.requirement
                    && before.cause == finding.cause
                    && before.outcome == finding.outcome
            });
            if !told {
                findings.push(finding);
            }
        }
    }
    (verdicts, findings)
}

fn is_refereed(law: Law<'_>, requirement: &str) -> bool {
    law.ledger.get(requirement).is_some_and(|requirement| requirement.referees)
}

/// Whether an outcome is an accusation that one referee's word does not carry. A MUST that warns holds by an alias,
/// which has nothing to do with who the peer is.
pub fn needs_second(law: Law<'_>, requirement: &str, outcome: Outcome) -> bool {
    law.ledger.get(requirement).is_some_and(|requirement| {
        let least = if requirement.level == Level::Must { Outcome::Inconclusive } else { Outcome::Warn };
        requirement.referees && outcome >= least
    })
}

fn settle(law: Law<'_>, verdict: &Verdict, word: &Word, words: &[Word]) -> Verdict {
    let accuses = needs_second(law, &verdict.requirement, verdict.outcome);
    match doubt(law, &verdict.requirement, word, words).filter(|_| accuses) {
        Some(reason) => Verdict { outcome: Outcome::Inconclusive, reason: Some(reason), ..verdict.clone() },
        None => verdict.clone(),
    }
}

/// Why an accusation of this referee does not stand, if it does not.
fn doubt(law: Law<'_>, requirement: &str, word: &Word, words: &[Word]) -> Option<Reason> {
    if !is_refereed(law, requirement) {
        return None;
    }
    let accusing = |word: &Word| {
        word.verdicts
            .iter()
            .any(|verdict| verdict.requirement == requirement && needs_second(law, requirement, verdict.outcome))
    };
    match words.iter().find(|other| other.referee != word.referee) {
        None => Some(Reason::OneReferee),
        Some(other) if !other.able => None,
        Some(other) if accusing(other) => None,
        Some(_) => Some(Reason::RefereesDisagree),
    }
}

/// That one referee judged alone, or that both agree.
fn says_who(word: &Word, words: &[Word]) -> Option<Bilingual> {
    let other = words.iter().find(|other| other.referee != word.referee)?;
    Some(if other.able {
        Bilingual::new(
            "两个裁判端（webrtc-rs 与 str0m）所见一致。",
            "Both referees, webrtc-rs and str0m, saw the same.",
        )
    } else {
        Bilingual::new(
            format!("由 {} 单独判定：{} 无法驱动此流程。", word.referee.as_str(), other.referee.as_str()),
            format!("Judged by {} alone: {} cannot drive this flow.", word.referee.as_str(), other.referee.as_str()),
        )
    })
}
