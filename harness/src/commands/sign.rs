//! `fincert sign`: what a run record proves, signed.

use std::path::{Path, PathBuf};

use fincert::certificate::{Certificate, CertificateError, PrivateKey, Problem, Question, Refusal, Subject, Terms};
use fincert::certificate::{draft, verify};
use fincert::output::{is_same, sha256, write_whole};
use fincert_schemas::Lang;
use jiff::{SignedDuration, Timestamp};

use super::keygen::failed;
use super::passphrase::Source;
use super::report::{judge_record, law_of, open};
use super::{Failure, Reading, exit, keep_apart};

/// Options of `fincert sign`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The run record
    run: PathBuf,
    /// The private key
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    key: PathBuf,
    #[command(flatten)]
    source: Source,
    /// A certificate of this record, to be signed by this key, too; what it says stays as it is
    #[arg(long, value_name = "CERTIFICATE", conflicts_with_all = ["profile", "subject", "valid_days"])]
    add: Option<PathBuf>,
    /// Where the certificate goes [default: certificate.jsonl; with --add: the certificate itself]
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    out: Option<PathBuf>,
    /// A profile or capability to certify, such as ocr or ocr:BankCard; may be given several times [default: all that the run was asked for]
    #[arg(long, value_name = "P", help_heading = "What is certified")]
    profile: Vec<String>,
    /// A file of yours that was certified, such as the app's package: its digest is bound; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "What is certified")]
    subject: Vec<PathBuf>,
    /// For how many days the certificate is valid
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=3660), help_heading = "What is certified")]
    valid_days: i64,
    #[command(flatten)]
    reading: Reading,
}

const EXAMPLES: &str = "\
Examples:
  fincert sign run.jsonl --key vendor.key --subject app.apk
  fincert sign run.jsonl --key vendor.key --profile ocr:BankCard --valid-days 90 --out bank-card.jsonl
  a certifier signs it, too
    fincert sign run.jsonl --key certifier.key --add certificate.jsonl";

pub(super) fn run(options: &Options) -> Result<u8, Failure> {
    let default = options.add.clone().unwrap_or_else(|| PathBuf::from("certificate.jsonl"));
    let out = options.out.as_ref().unwrap_or(&default);
    let mut inputs = vec![("run record", options.run.as_path()), ("private key", options.key.as_path())];
    inputs.extend(options.subject.iter().map(|path| ("--subject", path.as_path())));
    inputs.extend(options.source.passphrase_file.iter().map(|path| ("--passphrase-file", path.as_path())));
    keep_apart(&inputs, &[("certificate".to_owned(), out.as_path())])?;
    let key = PrivateKey::read(&options.key, || options.source.of(&options.key)).map_err(failed)?;
    keep_signatures(options, out, &key)?;
    warn_of_permissions(&options.key);
    let record = open(&options.run)?;
    let law = law_of(&record)?;
    let now = Timestamp::now();
    let mut certificate = match &options.add {
        Some(path) => {
            let certificate = read(path)?;
            // Who signs answers for all of it: it must follow from the record, today and by these suites.
            let question = Question {
                keys: &[],
                record: Some(&record),
                subjects: &[],
                now,
                allow_mock: true,
                allow_unknown_signers: true,
            };
            let answer = verify(law, &certificate, &question);
            if let Some(problem) = answer.problems.iter().find(|problem| **problem != Problem::SignerUnknown) {
                return Err(Failure {
                    code: exit::DOES_NOT_HOLD,
                    message: format!("{}: {}", path.display(), problem.text().en),
                });
            }
            certificate
        }
        None => {
            let days = SignedDuration::from_hours(24 * options.valid_days);
            let terms = Terms {
                names: options.profile.clone(),
                subjects: subjects(&options.subject)?,
                not_before: now,
                not_after: now.checked_add(days).map_err(|error| Failure::usage(error.to_string()))?,
            };
            let statement =
                draft(law, &record, &judge_record(law, &record), &terms).map_err(|why| refused(&options.run, &why))?;
            Certificate::new(statement).map_err(Failure::usage)?
        }
    };
    certificate.sign(&key).map_err(|why| Failure::usage(format!("{}: {why}", default.display())))?;
    write_whole(out, &certificate.encode())
        .map_err(|error| Failure::usage(format!("certificate {}: {error}", out.display())))?;
    let claim = &certificate.statement.predicate.fincert;
    let lang = options.reading.lang();
    super::print(&summary(out, &certificate, lang))?;
    if claim.mock {
        eprintln!(
            "{}",
            match lang {
                Lang::Zh =>
                    "fincert：提示：被测端是 fincert 自带的模拟宿主；未给出 --allow-mock 时，`fincert verify` 不接受此证书",
                Lang::En =>
                    "fincert: note: the target is fincert's own mock host; `fincert verify` refuses this certificate without --allow-mock",
            }
        );
    }
    if record.header.revealed {
        eprintln!(
            "{}",
            match lang {
                Lang::Zh => "fincert：警告：运行时使用了 --reveal：运行记录可能含个人数据，请注意交付的对象",
                Lang::En =>
                    "fincert: warning: the run was driven with --reveal: its record may hold personal data, mind who you give it to",
            }
        );
    }
    Ok(exit::CERTIFIED)
}

/// What others have signed is never written over.
fn keep_signatures(options: &Options, out: &Path, key: &PrivateKey) -> Result<(), Failure> {
    let Ok(there) = Certificate::read(out) else { return Ok(()) };
    let is_added = options.add.as_ref().is_some_and(|add| is_same(add, out));
    if is_added || there.key_ids().all(|id| id == key.id()) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{}: is a certificate that others have signed; add your signature with --add, or name another file with --out",
        out.display()
    )))
}

/// What was signed, and by whom.
fn summary(out: &Path, certificate: &Certificate, lang: Lang) -> String {
    let claim = &certificate.statement.predicate.fincert;
    let names: Vec<&str> = claim.certified.iter().map(|one| one.name.as_str()).collect();
    let signers: Vec<&str> = certificate.key_ids().collect();
    let (out, names, until) = (out.display(), names.join(", "), &claim.not_after);
    match lang {
        Lang::Zh => {
            format!("{out}\n  认证范围  {names}\n  有效期至  {until}\n  签名      {}\n", signers.join("\n            "))
        }
        Lang::En => format!(
            "{out}\n  certified   {names}\n  valid until {until}\n  signed by   {}\n",
            signers.join("\n              ")
        ),
    }
}

fn refused(run: &Path, why: &Refusal) -> Failure {
    let code = match why {
        Refusal::DoesNotHold(_) => exit::DOES_NOT_HOLD,
        Refusal::NotCertified(_) => exit::NOT_CERTIFIED,
        Refusal::Wrong(_) => exit::USAGE,
    };
    Failure { code, message: format!("{}: {why}; nothing was signed", run.display()) }
}

/// Reads a certificate; one that does not fit does not hold.
pub(super) fn read(path: &Path) -> Result<Certificate, Failure> {
    Certificate::read(path).map_err(|error| {
        let code = match &error {
            CertificateError::Io { .. } => exit::USAGE,
            CertificateError::Form { .. } => exit::DOES_NOT_HOLD,
        };
        Failure { code, message: error.to_string() }
    })
}

/// The digests of the vendor's own files, each under its file name.
pub(super) fn subjects(paths: &[PathBuf]) -> Result<Vec<Subject>, Failure> {
    let mut all: Vec<Subject> = Vec::new();
    for path in paths {
        let wrong = |why: String| Failure::usage(format!("--subject {}: {why}", path.display()));
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| wrong("has no file name in Unicode".to_owned()))?;
        all.push(Subject::new(name, sha256(path).map_err(|error| wrong(error.to_string()))?));
    }
    Ok(all)
}

fn warn_of_permissions(key: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if key.metadata().is_ok_and(|there| there.permissions().mode() & 0o077 != 0) {
        eprintln!(
            "fincert: warning: {}: others may read this private key; `chmod 600` it, and think of who may have a copy",
            key.display()
        );
    }
}
