//! Verifying: signatures, dates, digests, and the record judged again.

use fincert_schemas::Bilingual;
use fincert_schemas::run::Judgement;
use fincert_suites::judge::{self, Evidence, Law};
use jiff::Timestamp;

use super::issue::{Refusal, Terms, draft};
use super::key::PublicKey;
use super::statement::{Subject, time};
use super::{Certificate, Envelope};
use crate::record::Record;

/// What a certificate is verified by.
#[derive(Debug)]
pub struct Question<'a> {
    /// Who must have signed it.
    pub keys: &'a [PublicKey],
    /// The run record.
    pub record: Option<&'a Record>,
    /// The vendor's own files that are at hand, by name and digest.
    pub subjects: &'a [Subject],
    /// Today.
    pub now: Timestamp,
    /// Whether a certificate of fincert's own mock host will do.
    pub allow_mock: bool,
    /// Whether there may be signatures by others, which nobody can check here.
    pub allow_unknown_signers: bool,
}

/// A signature, by the id of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The key id that the envelope names.
    pub keyid: String,
    /// The place of the key among those that were given; absent: none of them made it.
    pub by: Option<usize>,
}

/// Why a certificate does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// No key was given.
    SignerUnknown,
    /// A key that was given has not signed, or the signature does not fit.
    NotSignedBy(String),
    /// A signature's key id is not that of its key.
    WrongKeyId(String),
    /// Somebody whose key was not given has signed, too.
    AlsoSignedBy(String),
    /// The certificate is not valid yet.
    NotYet(String),
    /// It is not valid any more.
    Expired(String),
    /// It is of fincert's own mock host.
    Mock,
    /// It is of another record.
    OtherRecord,
    /// A file is not what was certified.
    OtherSubject(String),
    /// A file is none of its subjects.
    NoSubject(String),
    /// The record, judged again, does not support it.
    Unsupported(String),
    /// Its words are not what follows from the record.
    Differs(String),
}

impl Problem {
    /// What is wrong and what to do, for a person.
    pub fn text(&self) -> Bilingual {
        match self {
            Self::SignerUnknown => Bilingual::new(
                "签署者未知：没有给出公钥；请用 --key 给出您信任的签署者的公钥",
                "signer unknown: no key was given; give the public key of whom you trust with --key",
            ),
            Self::NotSignedBy(id) => Bilingual::new(
                format!("密钥 {id} 没有签署本证书，或者内容在签署之后被改动"),
                format!("the key {id} has not signed it, or it was changed since"),
            ),
            Self::WrongKeyId(id) => Bilingual::new(
                format!("签名的 keyid {id:?} 与作出签名的密钥不符：信封被改动"),
                format!("the key id {id:?} is not that of the key that signed: the envelope was changed"),
            ),
            Self::AlsoSignedBy(id) => Bilingual::new(
                format!(
                    "另有一个签名（keyid {id:?}）未给出公钥，无法核对；请用 --key 给出，或用 --allow-unknown-signers 放行"
                ),
                format!(
                    "also signed with the key id {id:?}, which cannot be checked; give its key with --key, or allow it with --allow-unknown-signers"
                ),
            ),
            Self::NotYet(from) => {
                Bilingual::new(format!("尚未生效：{from} 起有效"), format!("not valid yet: valid from {from}"))
            }
            Self::Expired(until) => Bilingual::new(
                format!("已过期：有效期至 {until}；请重新运行并签署"),
                format!("expired: valid until {until}; drive a new run and sign it"),
            ),
            Self::Mock => Bilingual::new(
                "被测端是 fincert 自带的模拟宿主，不是真实集成；仅用于试验时可加 --allow-mock",
                "its target is fincert's own mock host and no integration; for trying things out there is --allow-mock",
            ),
            Self::OtherRecord => Bilingual::new(
                "运行记录与证书不符（SHA-256 不同）：不是同一份记录，或者记录被改动",
                "the run record is not the certified one (its SHA-256 differs): another one, or it was edited",
            ),
            Self::OtherSubject(name) => Bilingual::new(
                format!("文件 {name:?} 不是被认证的那一个（SHA-256 不同）"),
                format!("the file {name:?} is not the certified one (its SHA-256 differs)"),
            ),
            Self::NoSubject(name) => Bilingual::new(
                format!("证书没有提到文件 {name:?}"),
                format!("the certificate does not speak of a file {name:?}"),
            ),
            Self::Unsupported(why) => {
                Bilingual::new(format!("重新判定之后不成立：{why}"), format!("judged again it does not hold: {why}"))
            }
            Self::Differs(what) => Bilingual::new(
                format!("证书的内容与运行记录得出的不一致：{what}"),
                format!("what it says does not follow from the run record: {what}"),
            ),
        }
    }
}

/// Both judgements of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThenAndNow {
    /// What judged otherwise than today, by name: `suites`, `schemas`, …; empty: nothing has changed.
    pub changed: Vec<String>,
    /// The judgement in the record.
    pub then: Option<Judgement>,
    /// Today's.
    pub now: Judgement,
}

/// What came of verifying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its signatures.
    pub signatures: Vec<Signed>,
    /// The record's judgements, where the record was given.
    pub judged: Option<ThenAndNow>,
    /// The vendor's files that were not at hand.
    pub unseen: Vec<String>,
    /// Why it does not hold; empty: it holds.
    pub problems: Vec<Problem>,
}

/// Verifies a certificate.
pub fn verify(law: Law<'_>, certificate: &Certificate, question: &Question<'_>) -> Answer {
    let mut problems = Vec::new();
    let signatures = signatures(certificate, question, &mut problems);
    let claim = &certificate.statement.predicate.fincert;
    // Both were read before; what is no time is no certificate.
    if time(&claim.not_before).is_ok_and(|from| question.now < from) {
        problems.push(Problem::NotYet(claim.not_before.clone()));
    }
    if time(&claim.not_after).is_ok_and(|until| question.now > until) {
        problems.push(Problem::Expired(claim.not_after.clone()));
    }
    if claim.mock && !question.allow_mock {
        problems.push(Problem::Mock);
    }
    let unseen = files(certificate, question, &mut problems);
    let judged = question.record.map(|record| judged_again(law, certificate, record, &mut problems));
    Answer { signatures, judged, unseen, problems }
}

/// Every key that was given must have signed both lines; whoever else has signed is named.
fn signatures(certificate: &Certificate, question: &Question<'_>, problems: &mut Vec<Problem>) -> Vec<Signed> {
    let made = |envelope: &Envelope, place: usize, key: &PublicKey| {
        key.verifies(&envelope.signed_bytes(), &envelope.signatures[place].sig)
    };
    let mut all = Vec::new();
    for (place, keyid) in certificate.key_ids().enumerate() {
        let by = question.keys.iter().position(|key| certificate.envelopes().iter().all(|e| made(e, place, key)));
        match by {
            // DSSE takes the key id for a hint that nobody signs. Here it is the key's or the envelope was changed.
            Some(index) if question.keys[index].id() != keyid => problems.push(Problem::WrongKeyId(keyid.to_owned())),
            Some(_) => {}
            // Its key is at hand: then it is a signature that does not fit, reported below.
            None if question.keys.iter().any(|key| key.id() == keyid) => {}
            None if question.keys.is_empty() || question.allow_unknown_signers => {}
            None => problems.push(Problem::AlsoSignedBy(keyid.to_owned())),
        }
        all.push(Signed { keyid: keyid.to_owned(), by });
    }
    for (index, key) in question.keys.iter().enumerate() {
        if !all.iter().any(|signed| signed.by == Some(index)) {
            problems.push(Problem::NotSignedBy(key.id().to_owned()));
        }
    }
    if question.keys.is_empty() {
        problems.push(Problem::SignerUnknown);
    }
    all
}

/// The files at hand against the subjects; the names of those that were not at hand.
fn files(certificate: &Certificate, question: &Question<'_>, problems: &mut Vec<Problem>) -> Vec<String> {
    for file in question.subjects {
        match certificate.statement.digest_of(&file.name) {
            Some(digest) if digest == file.digest.sha256 => {}
            Some(_) => problems.push(Problem::OtherSubject(file.name.clone())),
            None => problems.push(Problem::NoSubject(file.name.clone())),
        }
    }
    let theirs = certificate.statement.subject.iter().skip(2).map(|one| one.name.clone());
    theirs.filter(|name| !question.subjects.iter().any(|file| file.name == *name)).collect()
}

/// Draws the certificate up again from the record, by today's suites, and compares.
fn judged_again(law: Law<'_>, certificate: &Certificate, record: &Record, problems: &mut Vec<Problem>) -> ThenAndNow {
    let theirs = &certificate.statement;
    let claim = &theirs.predicate.fincert;
    if theirs.digest_of("run-record") != Some(record.sha256.as_str()) {
        problems.push(Problem::OtherRecord);
    }
    let now = judge::judge(
        law,
        Evidence { header: &record.header, sessions: &record.sessions, transcripts: &record.transcripts },
    );
    let terms = Terms {
        names: claim.certified.iter().map(|one| one.name.clone()).collect(),
        subjects: theirs.subject.iter().skip(2).cloned().collect(),
        not_before: time(&claim.not_before).unwrap_or_default(),
        not_after: time(&claim.not_after).unwrap_or_default(),
    };
    let mut changed = Vec::new();
    match draft(law, record, &now, &terms) {
        Err(Refusal::DoesNotHold(why) | Refusal::NotCertified(why) | Refusal::Wrong(why)) => {
            problems.push(Problem::Unsupported(why));
        }
        Ok(mut ours) => {
            let configuration = &theirs.predicate.configuration;
            for one in &ours.predicate.configuration {
                let before = configuration.iter().find(|other| other.name == one.name);
                if before != Some(one) && one.name != "known-failures" {
                    changed.push(one.name.clone());
                }
            }
            ours.predicate.fincert.fincert.clone_from(&claim.fincert);
            if !changed.is_empty() {
                // What follows from the suites may differ; what follows from the record may not.
                let known = ours.predicate.configuration.pop();
                ours.predicate.configuration.clone_from(configuration);
                if ours.predicate.configuration.last() != known.as_ref() {
                    problems.push(Problem::Differs("/predicate/configuration".to_owned()));
                }
                ours.predicate.result.clone_from(&theirs.predicate.result);
                ours.predicate.passed_tests.clone_from(&theirs.predicate.passed_tests);
                ours.predicate.warned_tests.clone_from(&theirs.predicate.warned_tests);
                ours.predicate.fincert.suites.clone_from(&claim.suites);
                ours.predicate.fincert.certified.clone_from(&claim.certified);
            }
            if let Some(at) = difference(&ours, theirs) {
                problems.push(Problem::Differs(at));
            }
        }
    }
    ThenAndNow { changed, then: record.judgement.clone(), now }
}

/// The first place at which two statements differ, as a JSON pointer.
fn difference<T: serde::Serialize>(ours: &T, theirs: &T) -> Option<String> {
    let value = |one: &T| serde_json::to_value(one).unwrap_or_default();
    first_difference(&value(ours), &value(theirs), "")
}

fn first_difference(a: &serde_json::Value, b: &serde_json::Value, at: &str) -> Option<String> {
    use serde_json::Value;
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let mut keys: Vec<&String> = x.keys().chain(y.keys().filter(|key| !x.contains_key(*key))).collect();
            keys.dedup();
            keys.into_iter().find_map(|key| {
                first_difference(
                    &x.get(key).cloned().unwrap_or_default(),
                    &y.get(key).cloned().unwrap_or_default(),
                    &format!("{at}/{key}"),
                )
            })
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).enumerate().find_map(|(index, (x, y))| first_difference(x, y, &format!("{at}/{index}")))
        }
        _ if a == b => None,
        _ => Some(at.to_owned()),
    }
}
