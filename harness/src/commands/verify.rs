//! `fincert verify`: a certificate against keys, clock, files and its run record.

use std::path::PathBuf;

use fincert::certificate::{Answer, Certificate, PublicKey, Question, ThenAndNow, verify};
use fincert_reports::text::{clean, columns};
use fincert_schemas::Lang;
use fincert_schemas::run::{Decision, Judgement};
use jiff::Timestamp;

use super::keygen::failed;
use super::report::{law_of, open};
use super::sign::{read, subjects};
use super::{Failure, Reading, exit, law};

/// Options of `fincert verify`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The certificate
    certificate: PathBuf,
    /// The public key of somebody who must have signed it; may be given several times
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// The run record, to be judged again
    #[arg(long, value_name = "RUN")]
    record: Option<PathBuf>,
    /// A file that the certificate must speak of; may be given several times
    #[arg(long, value_name = "FILE")]
    subject: Vec<PathBuf>,
    /// A certificate of fincert's own mock host will do
    #[arg(long)]
    allow_mock: bool,
    /// There may be signatures by others, whose keys are not given
    #[arg(long)]
    allow_unknown_signers: bool,
    #[command(flatten)]
    reading: Reading,
}

const EXAMPLES: &str = "\
Examples:
  fincert verify certificate.jsonl --key vendor.pub --record run.jsonl
  fincert verify certificate.jsonl --key vendor.pub --key certifier.pub --record run.jsonl --subject app.apk

0 it holds, 2 a file cannot be read, 4 it does not hold.";

pub(super) fn run(options: &Options) -> Result<u8, Failure> {
    let mut keys: Vec<PublicKey> = Vec::new();
    for path in &options.key {
        let key = PublicKey::read(path).map_err(failed)?;
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let files = subjects(&options.subject)?;
    let certificate = read(&options.certificate)?;
    let record = options.record.as_ref().map(|path| open(path)).transpose()?;
    let law = record.as_ref().map_or_else(law, law_of)?;
    let question = Question {
        keys: &keys,
        record: record.as_ref(),
        subjects: &files,
        now: Timestamp::now(),
        allow_mock: options.allow_mock,
        allow_unknown_signers: options.allow_unknown_signers,
    };
    let answer = verify(law, &certificate, &question);
    super::print(&page(&certificate, &answer, options.reading.lang()))?;
    Ok(if answer.problems.is_empty() { exit::CERTIFIED } else { exit::DOES_NOT_HOLD })
}

/// What a person reads: what the certificate says, what was found, and whether it holds.
fn page(certificate: &Certificate, answer: &Answer, lang: Lang) -> String {
    let say = |zh: &'static str, en: &'static str| if lang == Lang::Zh { zh } else { en };
    let claim = &certificate.statement.predicate.fincert;
    let target = &claim.target;
    let mut rows: Vec<(&str, String)> = Vec::new();
    let mock = if claim.mock { say("（fincert 自带的模拟宿主）", " (fincert's own mock host)") } else { "" };
    let defect = claim.defect.as_ref().map(|defect| format!(", --defect {}", clean(defect))).unwrap_or_default();
    rows.push((
        say("被测端", "target"),
        format!("{} {}, {}{mock}{defect}", clean(&target.name), clean(&target.version), clean(&target.platform)),
    ));
    let names: Vec<String> = claim.certified.iter().map(|one| clean(&one.name)).collect();
    rows.push((say("认证范围", "certified"), names.join(", ")));
    rows.push((say("运行时间", "driven"), clean(&claim.began)));
    rows.push((say("有效期", "valid"), format!("{} – {}", claim.not_before, claim.not_after)));
    for failure in &claim.known_failures {
        rows.push((say("已知失败", "known failure"), clean(failure)));
    }
    for signed in &answer.signatures {
        let checked = match signed.by {
            Some(_) => say("已核对", "checked"),
            None => say("未核对", "NOT checked"),
        };
        rows.push((say("签名", "signature"), format!("{} {checked}", clean(&signed.keyid))));
    }
    for subject in certificate.statement.subject.iter().skip(2) {
        let seen = if answer.unseen.contains(&subject.name) {
            say("未核对，可用 --subject 给出文件", "NOT checked; give the file with --subject")
        } else {
            say("已核对", "checked")
        };
        rows.push((say("文件", "file"), format!("{} {seen}", clean(&subject.name))));
    }
    match &answer.judged {
        None => rows.push((
            say("重新判定", "judged again"),
            say("否：未给出运行记录，可用 --record 给出", "NO: the run record was not given; give it with --record")
                .to_owned(),
        )),
        Some(judged) => rows.extend(again(certificate, judged, lang)),
    }
    let width = rows.iter().map(|(label, _)| columns(label)).max().unwrap_or(0);
    let mut text = String::new();
    for (label, value) in rows {
        text.push_str(&format!("{label}{}  {value}\n", " ".repeat(width - columns(label))));
    }
    for problem in &answer.problems {
        text.push_str(&format!("✗ {}\n", clean(problem.text().get(lang))));
    }
    text.push_str(match answer.problems.is_empty() {
        true => say("证书有效\n", "the certificate holds\n"),
        false => say("证书无效\n", "the certificate DOES NOT HOLD\n"),
    });
    text
}

/// Both judgements: that of the record, and today's.
fn again(certificate: &Certificate, judged: &ThenAndNow, lang: Lang) -> Vec<(&'static str, String)> {
    let say = |zh: &'static str, en: &'static str| if lang == Lang::Zh { zh } else { en };
    let names = || certificate.statement.predicate.fincert.certified.iter().map(|one| one.name.as_str());
    let decided = |judgement: &Judgement| {
        let is = |name: &str| {
            judgement.certifications.iter().any(|one| one.name == name && one.decision == Decision::Certified)
        };
        let not: Vec<String> = names().filter(|name| !is(name)).map(clean).collect();
        let outcome = match not.is_empty() {
            true => say("全部通过认证", "all of it certified").to_owned(),
            false => format!("{} {}", say("未通过认证：", "NOT certified:"), not.join(", ")),
        };
        format!("{} {}{}{outcome}", say("检查集", "suites"), clean(&judgement.suites), say("：", ": "))
    };
    let mut rows = Vec::new();
    if !judged.changed.is_empty() {
        rows.push((
            say("已变更", "changed since"),
            judged.changed.iter().map(|name| clean(name)).collect::<Vec<_>>().join(", "),
        ));
        if let Some(then) = &judged.then {
            rows.push((say("当时判定", "judged then"), decided(then)));
        }
    }
    rows.push((say("重新判定", "judged again"), decided(&judged.now)));
    rows
}
