//! Certificates through the program's edges: keys, signing, verifying, and everything that must be refused.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "support/python.rs"]
mod python;
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use fincert::certificate::{
    Certificate, Envelope, PrivateKey, Problem, PublicKey, Question, Resource, Signature, verify,
};
use fincert::record::{self, Record};
use fincert_schemas::catalog::Catalog;
use fincert_schemas::run::{Ended, Event, Line, Reason, What};
use fincert_schemas::{Ledger, digest};
use fincert_suites::Suite;
use fincert_suites::judge::{self, Evidence, Law};
use jiff::Timestamp;
use proptest::prelude::*;
use support::{Run, fincert};

fn run(folder: &Path, arguments: &[&str]) -> Run {
    Run::new(&fincert(folder, arguments).output().unwrap(), Vec::new())
}

/// Runs, and insists on the exit code.
fn exits(folder: &Path, code: i32, arguments: &[&str]) -> Run {
    let run = run(folder, arguments);
    assert_eq!(run.code, Some(code), "{}\n{}{}", shell_words::join(arguments), run.stdout, run.stderr);
    run
}

fn law() -> Law<'static> {
    Law {
        ledger: Ledger::embedded().unwrap(),
        suite: Suite::embedded().unwrap(),
        catalog: Catalog::embedded().unwrap(),
    }
}

/// A folder with a record of the mock host, two pairs of keys, and a file of the vendor's.
fn folder(profile: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    exits(folder.path(), 0, &["certify", "--profile", profile, "--seed", "1", "--record", "run.jsonl"]);
    exits(folder.path(), 0, &["keygen", "vendor"]);
    exits(folder.path(), 0, &["keygen", "certifier"]);
    std::fs::write(folder.path().join("app.apk"), b"PK\x03\x04 an app").unwrap();
    folder
}

const SIGN: &[&str] = &["sign", "run.jsonl", "--key", "vendor.key", "--subject", "app.apk"];
const VERIFY: &[&str] = &[
    "verify",
    "certificate.jsonl",
    "--allow-mock",
    "--record",
    "run.jsonl",
    "--subject",
    "app.apk",
    "--key",
    "vendor.pub",
];

/// The page without what differs from run to run.
fn tame(text: &str, folder: &Path) -> String {
    let mut text = text.to_owned();
    for (index, name) in ["vendor.pub", "certifier.pub"].into_iter().enumerate() {
        let id = PublicKey::read(&folder.join(name)).unwrap().id().to_owned();
        text = text.replace(&id, &format!("KEY{}", index + 1));
    }
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let bare = word.trim_end();
        if bare.len() == 20 && bare.parse::<Timestamp>().is_ok() {
            word.replace(bare, "MOMENT")
        } else {
            word.to_owned()
        }
    });
    words.collect::<String>().replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

#[test]
fn from_keys_to_a_certificate_that_two_have_signed() {
    let folder = folder("open-app");
    let path = folder.path();
    let mode = |name: &str| path.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("vendor.key"), mode("vendor.pub") & 0o400), (0o600, 0o400));
    let before = std::fs::read(path.join("vendor.key")).unwrap();
    let again = exits(path, 2, &["keygen", "vendor"]);
    assert!(again.stderr.contains("vendor.key: is there already"), "{}", again.stderr);
    assert_eq!(std::fs::read(path.join("vendor.key")).unwrap(), before);

    exits(path, 0, SIGN);
    insta::assert_snapshot!("verified", tame(&exits(path, 0, VERIFY).stdout, path));
    insta::assert_snapshot!("verified_zh", tame(&exits(path, 0, &[VERIFY, &["--lang", "zh"]].concat()).stdout, path));

    // Each thing that is missing is named; nothing is taken for granted.
    let refused = |arguments: &[&str], says: &str| {
        let run = exits(path, 4, arguments);
        assert!(run.stdout.contains(says) && run.stdout.contains("DOES NOT HOLD"), "{arguments:?}: {}", run.stdout);
    };
    refused(&["verify", "certificate.jsonl", "--allow-mock", "--record", "run.jsonl"], "signer unknown");
    refused(&["verify", "certificate.jsonl", "--key", "vendor.pub", "--record", "run.jsonl"], "mock host");
    refused(&["verify", "certificate.jsonl", "--allow-mock", "--key", "certifier.pub"], "has not signed it");
    refused(&[VERIFY, &["--key", "certifier.pub"]].concat(), "has not signed it");
    let alone = exits(path, 0, &["verify", "certificate.jsonl", "--allow-mock", "--key", "vendor.pub"]);
    assert!(alone.stdout.contains("judged again  NO") && alone.stdout.contains("NOT checked"), "{}", alone.stdout);

    // The certifier signs beside the vendor.
    let add = ["sign", "run.jsonl", "--key", "certifier.key", "--add", "certificate.jsonl"];
    exits(path, 0, &add);
    let twice = exits(path, 2, &add);
    assert!(twice.stderr.contains("has signed it already"), "{}", twice.stderr);
    insta::assert_snapshot!(
        "verified_two",
        tame(&exits(path, 0, &[VERIFY, &["--key", "certifier.pub"]].concat()).stdout, path)
            .lines()
            .filter(|line| !line.starts_with("signature"))
            .collect::<Vec<_>>()
            .join("\n")
    );
    refused(VERIFY, "also signed with the key id");
    let signed = std::fs::read(path.join("certificate.jsonl")).unwrap();
    let over = exits(path, 2, SIGN);
    assert!(over.stderr.contains("others have signed"), "{}", over.stderr);
    assert_eq!(std::fs::read(path.join("certificate.jsonl")).unwrap(), signed);
    exits(path, 0, &[VERIFY, &["--allow-unknown-signers"]].concat());

    // Another file under the same name, a file that it does not speak of, another record.
    std::fs::write(path.join("app.apk"), b"PK\x03\x04 another app").unwrap();
    std::fs::write(path.join("other.apk"), b"PK").unwrap();
    let both = [VERIFY, &["--key", "certifier.pub", "--subject", "other.apk"]].concat();
    refused(&both, "\"app.apk\" is not the certified one");
    refused(&both, "does not speak of a file \"other.apk\"");
    exits(path, 0, &["certify", "--profile", "open-app", "--seed", "2", "--record", "run.jsonl"]);
    refused(VERIFY, "the run record is not the certified one");
    let message = exits(path, 4, &["sign", "run.jsonl", "--key", "vendor.key", "--add", "certificate.jsonl"]).stderr;
    assert!(message.contains("the run record is not the certified one"), "{message}");
}

#[test]
fn keys_with_a_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("secret.txt"), "正确的马 battery\n").unwrap();
    std::fs::write(path.join("wrong.txt"), "incorrect\n").unwrap();
    std::fs::write(path.join("empty.txt"), "\n").unwrap();
    exits(path, 0, &["keygen", "vendor", "--passphrase-file", "secret.txt"]);
    let pem = std::fs::read_to_string(path.join("vendor.key")).unwrap();
    assert!(pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    assert!(exits(path, 2, &["keygen", "other", "--passphrase-file", "empty.txt"]).stderr.contains("is empty"));
    assert!(!path.join("other.key").exists());
    // Without a terminal it cannot be asked for.
    std::fs::write(path.join("run.jsonl"), "").unwrap();
    let sign = |more: &[&str]| exits(path, 2, &[&["sign", "run.jsonl", "--key", "vendor.key"], more].concat()).stderr;
    assert!(sign(&["--passphrase-file", "wrong.txt"]).contains("the passphrase is wrong"));
    let asked = Command::new("setsid")
        .args(["--wait", env!("CARGO_BIN_EXE_fincert"), "sign", "run.jsonl", "--key", "vendor.key"])
        .current_dir(path)
        .env_remove("FINCERT_PASSPHRASE")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let message = String::from_utf8(asked.stderr).unwrap();
    assert!(asked.status.code() == Some(2) && message.contains("--passphrase-file"), "{message}");
    // With the right one it is the record that is complained of.
    let sign = ["sign", "run.jsonl", "--key", "vendor.key", "--passphrase-file", "secret.txt"];
    assert!(exits(path, 4, &sign).stderr.contains("an empty file is no run record"));
    let by_variable = fincert(path, &sign[..4]).env("FINCERT_PASSPHRASE", "正确的马 battery").output().unwrap();
    assert_eq!(by_variable.status.code(), Some(4));
    // Others read it, too.
    let openssl = Command::new("openssl")
        .args(["pkey", "-in", "vendor.key", "-passin", "file:secret.txt", "-pubout"])
        .current_dir(path)
        .output()
        .expect("openssl is not installed: apt-get install openssl");
    assert!(openssl.status.success(), "{}", String::from_utf8_lossy(&openssl.stderr));
    assert_eq!(openssl.stdout, std::fs::read(path.join("vendor.pub")).unwrap());
}

/// Writes a record with its judgement, as it would be had this been driven.
fn write_judged(path: &Path, record: &Record, judged: bool) {
    let evidence = Evidence { header: &record.header, sessions: &record.sessions, transcripts: &record.transcripts };
    let mut lines = vec![Line::Run(record.header.clone())];
    lines.extend(record.sessions.iter().cloned().map(Line::Session));
    lines.extend(record.transcripts.iter().cloned().map(Line::Transcript));
    if judged {
        lines.push(Line::Judgement(Box::new(judge::judge(law(), evidence))));
    }
    let text: String = lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect();
    std::fs::write(path, text).unwrap();
}

#[test]
fn only_what_is_certified_is_signed() {
    let folder = folder("face");
    let path = folder.path();
    let good = record::read(&path.join("run.jsonl")).unwrap();
    let again = || record::read(&path.join("run.jsonl")).unwrap();
    let refused = |code: i32, arguments: &[&str], says: &str| {
        let arguments = [&["sign", "bad.jsonl", "--key", "vendor.key"], arguments].concat();
        let run = exits(path, code, &arguments);
        assert!(run.stderr.contains(says) && run.stderr.contains("bad.jsonl"), "{arguments:?}: {}", run.stderr);
        assert!(!path.join("certificate.jsonl").exists() && run.stdout.is_empty());
    };
    write_judged(&path.join("bad.jsonl"), &good, true);
    refused(1, &["--profile", "ocr"], "ocr is not certified by suites");
    refused(2, &["--profile", "passport"], "no such profile");

    exits(path, 1, &["certify", "--profile", "face", "--defect", "score-87", "--record", "bad.jsonl"]);
    refused(1, &[], "face.result.score is fail");
    exits(path, 1, &["certify", "--profile", "face", "--filter", "face.*", "--record", "bad.jsonl"]);
    refused(1, &[], "was filtered");

    let own = r#"
clause: "2.2"
profile: face
scenarios:
  - id: face.own
    title: {zh: 自有, en: Our own}
    steps:
      - call: ft.finFaceAuth
        with: {idNo: "110105198808080111", name: 郑样例, imagePath: {$file: face-match}}
"#;
    std::fs::write(path.join("own.yaml"), own).unwrap();
    exits(path, 1, &["certify", "--profile", "face", "--scenarios", "own.yaml", "--record", "bad.jsonl"]);
    refused(1, &[], "scenarios of the operator's own");

    let mut skipped = again();
    for transcript in &mut skipped.transcripts {
        transcript.events.clear();
        transcript.ended = Ended::Skipped { reason: Reason::NeedsPerson };
    }
    write_judged(&path.join("bad.jsonl"), &skipped, true);
    refused(1, &[], "is not-exercised");
    let mut broken = again();
    for transcript in &mut broken.transcripts {
        transcript.events.clear();
        transcript.ended = Ended::Broken { reason: Reason::BreakerOpen, detail: String::new() };
    }
    write_judged(&path.join("bad.jsonl"), &broken, true);
    refused(1, &[], "could-not-run");
    let mut late = again();
    for transcript in &mut late.transcripts {
        let Some(at) = transcript.events.iter().position(|event| matches!(event.what, What::Answer { .. })) else {
            continue;
        };
        let What::Answer { id, .. } = transcript.events[at].what else { unreachable!() };
        let silent = What::NoResponse { id, deadline_ms: 1, alive: true };
        transcript.events.insert(at, Event { at_us: 0, late: false, what: silent });
    }
    write_judged(&path.join("bad.jsonl"), &late, true);
    refused(1, &[], "is inconclusive");
    let mut nobody = again();
    nobody.sessions.clear();
    nobody.transcripts.clear();
    nobody.header.scenarios.clear();
    write_judged(&path.join("bad.jsonl"), &nobody, true);
    refused(1, &[], "never reached");
    let mut two = again();
    let mut second = two.sessions[0].clone();
    (second.session, second.hello.version) = (9, "9.9.9".to_owned());
    two.sessions.push(second);
    write_judged(&path.join("bad.jsonl"), &two, true);
    refused(1, &[], "session 9 is another target");

    // What was cut, interrupted or edited does not hold.
    write_judged(&path.join("bad.jsonl"), &good, false);
    refused(4, &[], "cut off before its judgement");
    let mut interrupted = again();
    let last = interrupted.transcripts.pop().unwrap().scenario;
    write_judged(&path.join("bad.jsonl"), &interrupted, true);
    refused(4, &[], &format!("never came to {last}"));
    let text = std::fs::read_to_string(path.join("run.jsonl")).unwrap();
    let edited = text.replacen("\"via\":\"success\"", "\"via\":\"fail\"", 1);
    assert_ne!(edited, text);
    std::fs::write(path.join("bad.jsonl"), edited).unwrap();
    refused(4, &[], "the record was edited");

    // Where it cannot go is found out first, and what is there stays.
    std::fs::create_dir(path.join("dir")).unwrap();
    std::fs::copy(path.join("run.jsonl"), path.join("bad.jsonl")).unwrap();
    let to = |out: &str| exits(path, 2, &["sign", "bad.jsonl", "--key", "vendor.key", "--out", out]).stderr;
    assert!(to("dir").contains("is a directory"));
    assert!(to("app.apk/certificate.jsonl").contains("app.apk"));
    assert!(to("/dev/full").contains("No space left"));
    assert!(exits(path, 2, &["sign", "bad.jsonl", "--key", "vendor.pub"]).stderr.contains("no private Ed25519 key"));
    assert!(exits(path, 2, &["sign", "bad.jsonl", "--key", "run.jsonl"]).stderr.contains("run.jsonl"));
    let verify = exits(path, 2, &["verify", "run.jsonl", "--key", "vendor.key"]);
    assert!(verify.stderr.contains("keep this one to yourself"), "{}", verify.stderr);
}

#[test]
fn what_is_no_certificate_is_refused_and_said_why() {
    let folder = folder("open-app");
    let path = folder.path();
    exits(path, 0, SIGN);
    let good = std::fs::read_to_string(path.join("certificate.jsonl")).unwrap();
    let (first, second) = good.split_once('\n').unwrap();
    let key = PrivateKey::read(&path.join("vendor.key"), || unreachable!()).unwrap();
    // Signed all right, and yet not what it should be.
    let signed = |payload: String| {
        let mut envelope = Envelope::new(payload.into_bytes());
        let sig = key.sign(&envelope.signed_bytes()).to_vec();
        envelope.signatures.push(Signature { keyid: key.id().to_owned(), sig });
        String::from_utf8(envelope.encode()).unwrap()
    };
    let payload =
        String::from_utf8(Certificate::parse(good.as_bytes()).unwrap().envelopes()[0].payload.clone()).unwrap();
    let future = payload.replace("\"certificate\":1,\"fincert\":\"", "\"certificate\":2,\"words\":[],\"fincert\":\"9.");
    let cases = [
        ("empty", String::new()),
        ("cut", good[..100].to_owned()),
        ("cut-in-line-2", good[..good.len() - 20].to_owned()),
        ("one-line", format!("{first}\n")),
        ("three-lines", format!("{good}{second}")),
        ("reordered", format!("{second}{first}\n")),
        ("twice-the-first", format!("{first}\n{first}\n")),
        ("spaces", good.replace("\":\"", "\": \"")),
        ("windows", good.replace('\n', "\r\n")),
        ("a-run-record", std::fs::read_to_string(path.join("run.jsonl")).unwrap()),
        ("a-package", "{\"name\": \"package\"}\n{}\n".to_owned()),
        ("hostile", "{\"\\u001b[31m\": 1}\n{}\n".to_owned()),
        ("long-word", format!("{{\"{}\": 1}}\n{{}}\n", "x".repeat(100_000))),
        ("deep", "[".repeat(100_000)),
        ("foreign-statement", {
            let other =
                payload.replace("https://in-toto.io/attestation/test-result/v0.1", "https://slsa.dev/provenance/v1");
            format!("{}\n{second}", signed(other))
        }),
        ("foreign-test-result", {
            let own = payload.find(",\"fincert\":").unwrap();
            format!("{}\n{second}", signed(format!("{}}}}}", &payload[..own])))
        }),
        ("future", format!("{}\n{second}", signed(future))),
        ("rewritten-statement", format!("{}\n{second}", signed(payload.replace("\"result\":", "\"result\": ")))),
        ("other-summary", format!("{}\n{second}", signed(payload.replace("\"PASSED\"", "\"WARNED\"")))),
        ("too-large", "x".repeat(5 << 20)),
    ];
    let mut said = String::new();
    for (name, content) in cases {
        std::fs::write(path.join("bad.jsonl"), content).unwrap();
        for arguments in [
            &["verify", "bad.jsonl", "--allow-mock", "--key", "vendor.pub"][..],
            &["sign", "run.jsonl", "--key", "certifier.key", "--add", "bad.jsonl"],
        ] {
            let run = exits(path, 4, arguments);
            assert!(run.stdout.is_empty() && !run.stderr.contains('\x1b'), "{name}: {}", run.stdout);
            if arguments[0] == "verify" {
                said.push_str(&format!("{name}\n  {}", run.stderr));
            }
        }
    }
    insta::assert_snapshot!("no_certificates", said.replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    assert!(exits(path, 2, &["verify", "missing.jsonl"]).stderr.contains("missing.jsonl"));
}

fn question<'a>(keys: &'a [PublicKey], record: Option<&'a Record>) -> Question<'a> {
    Question { keys, record, subjects: &[], now: Timestamp::now(), allow_mock: true, allow_unknown_signers: false }
}

#[test]
fn dates_and_changed_suites() {
    let folder = folder("open-app");
    let path = folder.path();
    exits(path, 0, &[SIGN, &["--valid-days", "30"]].concat());
    let certificate = Certificate::read(&path.join("certificate.jsonl")).unwrap();
    let record = record::read(&path.join("run.jsonl")).unwrap();
    let keys = [PublicKey::read(&path.join("vendor.pub")).unwrap()];
    let problems = |hours: i64| {
        let now = Timestamp::now().checked_add(jiff::SignedDuration::from_hours(hours)).unwrap();
        verify(law(), &certificate, &Question { now, ..question(&keys, Some(&record)) }).problems
    };
    assert_eq!(problems(1), []);
    assert_eq!(problems(24 * 29), []);
    assert!(matches!(problems(24 * 31)[..], [Problem::Expired(_)]));
    assert!(matches!(problems(-1)[..], [Problem::NotYet(_)]));

    // The command goes by the clock.
    let past = |certificate: &mut Certificate| {
        let claim = &mut certificate.statement.predicate.fincert;
        claim.not_before = "2020-01-01T00:00:00Z".to_owned();
        claim.not_after = "2020-02-01T00:00:00Z".to_owned();
    };

    // Suites of another time judged: both judgements are shown, and what follows from the record still must.
    let key = PrivateKey::read(&path.join("vendor.key"), || unreachable!()).unwrap();
    let resign = |edit: &dyn Fn(&mut Certificate)| {
        let mut other = certificate.clone();
        edit(&mut other);
        let mut other = Certificate::new(other.statement).unwrap();
        other.sign(&key).unwrap();
        std::fs::write(path.join("certificate.jsonl"), other.encode()).unwrap();
        verify(law(), &Certificate::parse(&other.encode()).unwrap(), &question(&keys, Some(&record)))
    };
    assert!(matches!(resign(&past).problems[..], [Problem::Expired(_)]));
    let expired = exits(path, 4, VERIFY).stdout;
    assert!(expired.contains("2020-02-01") && expired.contains("DOES NOT HOLD"), "{expired}");
    let older = |certificate: &mut Certificate| {
        let predicate = &mut certificate.statement.predicate;
        let suites = predicate.configuration.iter_mut().find(|one| one.name == "suites").unwrap();
        *suites = Resource::new("suites", digest::sha256(b"older suites"));
        predicate.fincert.suites = "0".to_owned();
        predicate.passed_tests.pop();
    };
    let answer = resign(&older);
    assert_eq!((answer.problems, answer.judged.unwrap().changed), (vec![], vec!["suites".to_owned()]));
    insta::assert_snapshot!("verified_older_suites", tame(&exits(path, 0, VERIFY).stdout, path));
    insta::assert_snapshot!(
        "verified_older_suites_zh",
        tame(&exits(path, 0, &[VERIFY, &["--lang", "zh"]].concat()).stdout, path)
    );

    // A signer who says what does not follow is found out.
    let differs = |edit: &dyn Fn(&mut Certificate)| match &resign(edit).problems[..] {
        [Problem::Differs(at)] => at.clone(),
        other => format!("{other:?}"),
    };
    assert_eq!(differs(&|c| c.statement.predicate.fincert.mock = false), "/predicate/fincert/mock");
    assert_eq!(
        differs(&|c| c.statement.predicate.fincert.target.name = "EKYC".to_owned()),
        "/predicate/fincert/target/name"
    );
    assert_eq!(
        differs(&|c| c.statement.predicate.fincert.certified[0].must += 1),
        "/predicate/fincert/certified/0/must"
    );
    assert_eq!(
        differs(&|c| {
            c.statement.predicate.passed_tests.pop();
        }),
        "/predicate/passedTests"
    );
    assert_eq!(differs(&|c| c.statement.subject[1].digest.sha256 = digest::sha256(b"")), "/subject/1/digest/sha256");
    assert_eq!(
        differs(&|c| {
            older(c);
            c.statement.predicate.fincert.mock = false;
        }),
        "/predicate/fincert/mock"
    );
    assert!(differs(&|c| c.statement.predicate.fincert.certified[0].name = "ocr".to_owned()).contains("Unsupported"));
    assert_eq!(
        resign(&|c| c.statement.subject[0].digest.sha256 = digest::sha256(b"")).problems[0],
        Problem::OtherRecord
    );
}

/// Every byte of the envelopes and of the record counts.
#[test]
fn every_change_of_a_byte_is_refused() {
    let folder = folder("open-app");
    let path = folder.path();
    exits(path, 0, SIGN);
    exits(path, 0, &["sign", "run.jsonl", "--key", "certifier.key", "--add", "certificate.jsonl"]);
    let keys = ["vendor.pub", "certifier.pub"].map(|name| PublicKey::read(&path.join(name)).unwrap());
    let good = std::fs::read(path.join("certificate.jsonl")).unwrap();
    let holds = |bytes: &[u8], record: Option<&Record>| {
        Certificate::parse(bytes).is_ok_and(|one| verify(law(), &one, &question(&keys, record)).problems.is_empty())
    };
    assert!(holds(&good, None));
    // The signatures, their key ids and all that stands around them, byte by byte.
    let from = good.iter().position(|byte| *byte == b',').unwrap();
    let to = good.iter().position(|byte| *byte == b'\n').unwrap() + 20;
    for at in from..to {
        let mut bad = good.clone();
        bad[at] ^= 1;
        assert!(!holds(&bad, None), "byte {at}, {:?}", char::from(good[at]));
    }
    let record_bytes = std::fs::read(path.join("run.jsonl")).unwrap();
    let edited = path.join("edited.jsonl");
    let certificate = Certificate::parse(&good).unwrap();
    proptest!(ProptestConfig::with_cases(300), |(at in 0..good.len(), byte: u8, what in 0..3)| {
        let mut bad = good.clone();
        match what {
            0 if bad[at] != byte => bad[at] = byte,
            1 => bad.insert(at, byte),
            _ => { bad.remove(at); }
        }
        prop_assert!(bad == good || !holds(&bad, None), "byte {}", at);
    });
    proptest!(ProptestConfig::with_cases(40), |(at in 0..record_bytes.len(), byte: u8, what in 0..3)| {
        let mut bad = record_bytes.clone();
        match what {
            0 if bad[at] != byte => bad[at] = byte,
            1 => bad.insert(at, byte),
            _ => { bad.remove(at); }
        }
        std::fs::write(&edited, &bad).unwrap();
        if let Ok(record) = record::read(&edited) {
            let problems = verify(law(), &certificate, &question(&keys, Some(&record))).problems;
            prop_assert!(bad == record_bytes || problems.contains(&Problem::OtherRecord), "byte {}", at);
        }
    });
}

/// A foreign key id, over a signature that fits: DSSE would take it.
#[test]
fn a_key_id_is_that_of_its_key() {
    let folder = folder("open-app");
    let path = folder.path();
    exits(path, 0, SIGN);
    let good = std::fs::read_to_string(path.join("certificate.jsonl")).unwrap();
    let key = PublicKey::read(&path.join("vendor.pub")).unwrap();
    std::fs::write(path.join("certificate.jsonl"), good.replace(key.id(), "vendor-key-1")).unwrap();
    let run = exits(path, 4, VERIFY);
    assert!(run.stdout.contains("the key id \"vendor-key-1\" is not that of the key that signed"), "{}", run.stdout);
}

/// What fincert signs, others verify: securesystemslib, which is in-toto's and TUF's.
#[test]
fn a_third_party_verifies_the_envelopes() {
    let folder = folder("open-app");
    let path = folder.path();
    exits(path, 0, SIGN);
    exits(path, 0, &["sign", "run.jsonl", "--key", "certifier.key", "--add", "certificate.jsonl"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/third_party/verify.py");
    let output = Command::new(python::python("securesystemslib-1.6.0", &["securesystemslib==1.6.0", "cryptography"]))
        .arg(script)
        .args(["certificate.jsonl", "vendor.pub", "certifier.pub"])
        .current_dir(path)
        .output()
        .unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{stdout}{stderr}");
    assert_eq!(
        stdout,
        "https://in-toto.io/attestation/test-result/v0.1 signed by 2, refused when changed\n\
         https://in-toto.io/attestation/svr/v0.1 signed by 2, refused when changed\n"
    );
}
