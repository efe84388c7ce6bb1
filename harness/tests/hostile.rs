//! Targets that are not there, exit, hang, flood and lie: each ends in its reason code, the scenarios around it are
//! driven, memory stays bounded, nothing steers the terminal, and no process is left behind.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used)]

mod support;
#[path = "support/watched.rs"]
mod watched;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::process::Signal;
use serde_json::Value;
use support::{Run, fincert, record, target};
use watched::Watched;

const PYTHON: &str = "/usr/bin/python3";
const CARD_NUMBER: &str = "6299901357246801357";

// Every run drives these four, in this order; trouble comes in the second unless a test says otherwise.
const BEFORE: &str = "ocr.bank-card.specimens";
const TROUBLE: &str = "ocr.bank-card.file-name.spaces";
const AFTER: &str = "ocr.bank-card.file-name.chinese";
const INVALID: &str = "ocr.type.empty";
const CHOSEN: [&str; 4] = [BEFORE, TROUBLE, AFTER, INVALID];
const EVERY: &str = "''";

/// The most memory that a target can make fincert use.
const MEMORY_BOUND_KB: u64 = 256 * 1024;

/// A busy machine must not make a good answer late; only those are given little time that will never answer.
fn patience(mode: &str) -> &'static str {
    const SILENT: &[&str] = &[
        "hangs",
        "hangs-on-hostile",
        "hangs-in-hello",
        "silent",
        "silent-and-floods-stderr",
        "late",
        "wrong-id",
        "string-id",
        "null-id",
        "deep",
        "nan",
        "batch",
        "no-via",
        "result-and-error",
    ];
    const SLOWLY_WRONG: &[&str] = &["huge-line", "big-list", "big-nest", "big-names", "big-object"];
    match mode {
        mode if SILENT.contains(&mode) => "1",
        mode if SLOWLY_WRONG.contains(&mode) => "3",
        _ => "20",
    }
}

fn started(target: &str, marker: String, chosen: &[&str], max_wait: &str) -> Watched {
    let folder = tempfile::tempdir().unwrap();
    let filter = chosen.join(" | ");
    let mut command = fincert(folder.path(), &["certify", "--target", target, "--profile", "ocr:BankCard"]);
    command.args(["--filter", &filter, "--max-wait", max_wait, "--record", "run.jsonl"]);
    Watched::start(command, folder, marker)
}

fn hostile(mode: &str, scenario: &str, chosen: &[&str]) -> Watched {
    let marker = watched::marker();
    let target = format!("stdio:{PYTHON} '{}' {mode} {scenario} {marker}", target("hostile.py").display());
    started(&target, marker, chosen, patience(mode))
}

/// Waits for the end, and looks at what must hold for every run.
fn finish(started: Watched) -> (Run, tempfile::TempDir) {
    let (run, folder) = started.finish();
    assert!(!run.all_text().contains(CARD_NUMBER), "a card number");
    (run, folder)
}

/// A whole run, judged again from its record with the same result.
fn whole(started: Watched, chosen: &[&str]) -> Run {
    let (run, folder) = finish(started);
    let driven: Vec<&str> = run.lines("transcript").iter().map(|line| line["scenario"].as_str().unwrap()).collect();
    assert_eq!(driven, chosen, "{}", run.stderr);
    let again = fincert(folder.path(), &["judge", "run.jsonl"]).output().unwrap();
    assert_eq!(again.status.code(), run.code, "{}", String::from_utf8_lossy(&again.stderr));
    run
}

fn drive(mode: &str, scenario: &str) -> Run {
    whole(hostile(mode, scenario, &CHOSEN), &CHOSEN)
}

fn ended(run: &Run) -> [&str; 4] {
    CHOSEN.map(|scenario| run.ended(scenario))
}

/// What one event of a scenario says under a key.
fn said(run: &Run, scenario: &str, kind: &str, key: &str) -> String {
    run.events(scenario, kind)[0][key].as_str().unwrap().to_owned()
}

const ALL_DRIVEN: [&str; 4] = ["driven"; 4];

/// One row a test: the mode, where it strikes, the exit code, how the four scenarios end, and verdicts on them.
macro_rules! targets {
    ($( $(#[$note:meta])* $name:ident: $mode:literal in $place:expr => $code:literal $ended:expr
        $(, $requirement:literal @ $scenario:expr => $verdict:literal)*; )+) => {
        $( $(#[$note])* #[test] fn $name() {
            let run = drive($mode, $place);
            assert_eq!((run.code, ended(&run)), (Some($code), $ended), "{}", run.stderr);
            $( assert_eq!(run.verdict($requirement, $scenario), $verdict, "{}", run.stdout); )*
        } )+
    };
}

targets! {
    exits_in_a_call: "exits" in TROUBLE => 1 ["driven", "target-exited", "driven", "driven"],
        "integration.answers" @ TROUBLE => "could-not-run target-exited",
        "integration.answers" @ AFTER => "pass";
    exits_in_half_an_answer: "exits-in-half-a-line" in TROUBLE => 1 ["driven", "target-exited", "driven", "driven"],
        "integration.answers" @ TROUBLE => "could-not-run target-exited";
    exits_after_its_answer: "exits-in-reset" in TROUBLE => 1 ["driven", "target-exited", "driven", "driven"],
        "integration.answers" @ TROUBLE => "could-not-run target-exited";
    closes_its_output_and_goes_on: "closes-stdout" in TROUBLE => 1 ["driven", "target-exited", "driven", "driven"],
        "integration.answers" @ TROUBLE => "could-not-run target-exited";
    /// Its end is noticed although a child of its own keeps stderr open; the child is not left behind.
    leaves_a_child: "leaves-a-child" in TROUBLE => 1 ["driven", "target-exited", "driven", "driven"],
        "integration.answers" @ TROUBLE => "could-not-run target-exited";
    /// That a bad request brings the target down is a failure of the target, not of the run.
    crashes_on_a_hostile_request: "crashes-on-hostile" in EVERY => 1 ["driven", "driven", "driven", "target-exited"],
        "integration.answers" @ AFTER => "pass",
        "integration.invalid-request-answered" @ INVALID => "fail";
    hangs_on_a_hostile_request: "hangs-on-hostile" in EVERY => 1 ["driven", "driven", "driven", "target-hung"],
        "integration.invalid-request-answered" @ INVALID => "fail";
    goes_down_again_and_again: "exits" in EVERY => 3
        ["target-exited", "target-exited", "target-exited", "breaker-open"],
        "integration.answers" @ BEFORE => "could-not-run target-exited";
    hangs_in_a_call: "hangs" in TROUBLE => 1 ["driven", "target-hung", "driven", "driven"],
        "integration.answers" @ TROUBLE => "could-not-run target-hung",
        "integration.answers" @ AFTER => "pass";
    is_silent_but_answers_pings: "silent" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "fail";
    /// An answer that comes while fincert asks whether the target is alive came after the deadline.
    answers_too_late: "late" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "inconclusive late-answer";
    floods_its_output: "floods" in TROUBLE => 1 ["driven", "flood", "driven", "driven"],
        "integration.answers" @ TROUBLE => "could-not-run flood",
        "integration.answers" @ AFTER => "pass";
    /// stderr without end keeps no deadline from passing.
    is_silent_and_floods_stderr: "silent-and-floods-stderr" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "fail";
    answers_with_another_id: "wrong-id" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "could-not-run unknown-id",
        "bridge.answers-known-ids" @ TROUBLE => "warn";
    answers_with_a_text_for_an_id: "string-id" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "could-not-run unknown-id",
        "bridge.answers-known-ids" @ TROUBLE => "warn";
    answers_with_null_for_an_id: "null-id" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "could-not-run unknown-id",
        "bridge.answers-known-ids" @ TROUBLE => "warn";
    answers_twice: "twice" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers-once" @ TROUBLE => "fail",
        "integration.answers-once" @ AFTER => "pass";
    nests_ten_thousand_deep: "deep" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "could-not-run frame-too-deep",
        "bridge.clean-output" @ TROUBLE => "warn";
    sends_invalid_utf8: "invalid-utf8" in TROUBLE => 1 ALL_DRIVEN,
        "bridge.well-formed-json" @ TROUBLE => "warn",
        "bridge.well-formed-json" @ AFTER => "pass";
    sends_a_literal_nan: "nan" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "could-not-run frame-not-json",
        "bridge.clean-output" @ TROUBLE => "warn";
    writes_a_key_twice: "duplicate-keys" in TROUBLE => 1 ALL_DRIVEN,
        "bridge.well-formed-json" @ TROUBLE => "warn";
    sends_a_batch: "batch" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "could-not-run not-a-message";
    forgets_the_channel: "no-via" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "could-not-run not-a-message";
    sends_result_and_error: "result-and-error" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "could-not-run not-a-message";
    calls_fincert: "requests" in TROUBLE => 1 ALL_DRIVEN,
        "bridge.clean-output" @ TROUBLE => "warn",
        "integration.answers" @ TROUBLE => "pass";
    refuses_the_call: "refuses" in TROUBLE => 1 ALL_DRIVEN,
        "ocr.api-name" @ TROUBLE => "fail";
    sends_values_that_would_steer_a_terminal: "hostile-values" in TROUBLE => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "pass";
    gives_paths_that_would_steer_a_terminal: "put-path-hostile" in EVERY => 1 ALL_DRIVEN,
        "integration.answers" @ TROUBLE => "pass";
    refuses_files: "put-refused" in EVERY => 3
        ["put-file-failed", "put-file-failed", "put-file-failed", "breaker-open"],
        "integration.answers" @ BEFORE => "could-not-run put-file-failed";
    gives_a_number_for_a_path: "put-path-number" in EVERY => 3
        ["put-file-failed", "put-file-failed", "put-file-failed", "breaker-open"],
        "integration.answers" @ BEFORE => "could-not-run put-file-failed";
    declares_what_nobody_knows: "unknown-capabilities" in EVERY => 1
        ["not-declared", "not-declared", "not-declared", "driven"],
        "integration.answers" @ TROUBLE => "none";
    hello_full_of_escapes: "hello-hostile" in EVERY => 1 ALL_DRIVEN,
        "integration.answers" @ BEFORE => "pass";
}

const NEVER_STARTED: [&str; 3] = ["breaker-open"; 3];

/// What fails before hello fails for the whole run; the first transcript says why, the others that nothing more
/// was tried.
fn never_starts(run: &Run, reason: &str, detail: &str) {
    let [first, rest @ ..] = ended(run);
    assert_eq!((run.code, first, rest), (Some(3), reason, NEVER_STARTED), "{}", run.stderr);
    let why = run.transcript(BEFORE)["ended"]["detail"].as_str().unwrap();
    assert!(why.contains(detail), "{why}");
    assert!(run.lines("session").is_empty());
    // The person in front of the terminal sees it, too.
    assert!(run.stderr.contains(&format!("{reason}: {why}")), "{}", run.stderr);
}

macro_rules! never_start {
    ($( $name:ident: $mode:literal => $reason:literal, $detail:literal; )+) => {
        $( #[test] fn $name() { never_starts(&drive($mode, EVERY), $reason, $detail); } )+
    };
}

never_start! {
    exits_at_once: "exits-at-once" => "target-exited", "exit status: 2; stderr: usage: give me a licence";
    exits_in_hello: "exits-in-hello" => "target-exited", "exit status: 5; stderr: no licence found";
    prints_its_usage: "rubbish-for-hello" => "target-exited", "frame-not-json: Usage: engine";
    hangs_in_hello: "hangs-in-hello" => "hello-timeout", "stderr: still loading";
    floods_in_hello: "floods-in-hello" => "flood", "2001 frames";
    refuses_hello: "hello-refused" => "hello-invalid", "error -32601: no such method";
    speaks_another_version: "hello-version" => "protocol-version", "the target speaks protocol 2";
    hello_lacks_a_field: "hello-missing" => "hello-invalid", "\"integration\" is a required property";
    hello_has_a_wrong_type: "hello-wrong-type" => "hello-invalid", "at /capabilities";
    hello_is_no_object: "hello-not-an-object" => "hello-invalid", "is not of type \"object\"";
}

fn not_there(target: &str) -> Run {
    whole(started(target, String::new(), &CHOSEN, "20"), &CHOSEN)
}

#[test]
fn a_program_that_is_not_there_or_may_not_run() {
    never_starts(&not_there("stdio:/no/such/engine --fast"), "target-not-found", "/no/such/engine: No such file");
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("engine");
    std::fs::write(&plain, "text").unwrap();
    std::fs::set_permissions(&plain, std::fs::Permissions::from_mode(0o644)).unwrap();
    never_starts(&not_there(&format!("stdio:{}", plain.display())), "target-not-found", "Permission denied");
}

#[test]
fn a_port_where_nobody_listens_or_speaks_http_only() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n\x1b[31mhi");
        }
    });
    never_starts(&not_there(&format!("ws://{address}/bridge?token=s3cret")), "handshake-failed", "200");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    never_starts(&not_there(&format!("ws://{free}/bridge")), "connection-refused", "refused");
}

/// Whoever chose one scenario gets the same exit code as whoever chose all.
#[test]
fn one_scenario_is_enough_to_see_that_a_target_does_not_start() {
    for mode in ["exits-at-once", "floods-in-hello", "hello-version"] {
        let run = whole(hostile(mode, EVERY, &[BEFORE]), &[BEFORE]);
        assert_eq!(run.code, Some(3), "{mode}: {}", run.stdout);
    }
}

/// All else is measured against this: the engine itself is fine.
#[test]
fn the_engine_without_trouble_is_certified() {
    let folder = tempfile::tempdir().unwrap();
    let target = format!("stdio:{PYTHON} '{}' good", target("hostile.py").display());
    let arguments = ["certify", "--target", &target, "--profile", "ocr:BankCard", "--record", "run.jsonl"];
    let output = fincert(folder.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    // A stub that always answers the same is found out all the same.
    let run = Run::new(&output, record(&folder.path().join("run.jsonl")));
    assert_eq!(run.verdict("ocr.result.pictures-differ", BEFORE), "warn");
}

#[test]
fn rubbish_between_messages_is_a_finding_that_quotes_it() {
    let run = drive("rubbish", TROUBLE);
    assert_eq!((run.code, ended(&run)), (Some(1), ALL_DRIVEN));
    assert_eq!(run.verdict("bridge.clean-output", TROUBLE), "warn");
    assert_eq!(run.verdict("integration.answers", TROUBLE), "pass");
    let quotes: Vec<_> = run.events(TROUBLE, "bad-frame").iter().map(|frame| frame["quote"].clone()).collect();
    // The card number in it is masked, its escapes are spelled out, and blank lines are no lines.
    assert_eq!(
        quotes,
        [
            "INFO loading \\u{1b}[31mmodels\\u{1b}[0m of 629990*********1357",
            "\\u{0}\\u{1}\u{fffd}\u{fffd} binary \u{fffd}"
        ]
    );
    assert!(run.stdout.contains("INFO loading"), "{}", run.stdout);
}

#[test]
fn a_dying_word_is_kept_and_masked() {
    let run = drive("exits", TROUBLE);
    let text = said(&run, TROUBLE, "stderr", "text");
    assert_eq!(text, "the engine gave up: \\u{1b}[31m629990*********1357\\u{1b}[0m");
    assert_eq!(said(&run, TROUBLE, "gone", "status"), "exit status: 7");
    let signal = drive("crashes-on-hostile", EVERY);
    assert!(said(&signal, INVALID, "gone", "status").starts_with("signal: 11"));
    // Each start is a session of its own.
    let sessions: Vec<_> = CHOSEN.map(|scenario| run.transcript(scenario)["session"].clone()).into();
    assert_eq!(sessions, [1, 1, 2, 2]);
}

#[test]
fn a_flood_on_stderr_is_kept_in_part_and_harms_nothing() {
    let run = drive("floods-stderr", TROUBLE);
    assert_eq!((run.code, ended(&run)), (Some(1), ALL_DRIVEN));
    assert_eq!(run.verdict("integration.answers", TROUBLE), "pass");
    let kept: usize = run.events(TROUBLE, "stderr").iter().map(|e| e["text"].as_str().unwrap().len()).sum();
    assert!((1_000..10_000).contains(&kept), "{kept}");
}

#[test]
fn hello_keeps_a_bounded_part_of_what_it_was_told() {
    let run = drive("hello-hostile", EVERY);
    let hello = &run.lines("session")[0]["hello"];
    assert!(hello.to_string().len() < 20_000, "{}", hello.to_string().len());
    assert_eq!(hello["capabilities"].as_array().unwrap().len(), 64);
    // A line break in a name must not forge a line of progress.
    assert!(!run.stderr.lines().any(|line| line.starts_with("[  1/99]")), "{}", run.stderr);
}

/// Large answers, legal and not: what becomes of them, and what fincert needs for it.
fn large(mode: &str) -> Run {
    let mut started = hostile(mode, TROUBLE, &CHOSEN);
    let peak = started.peak_memory_kb();
    let record = started.path("run.jsonl").metadata().unwrap().len();
    let run = whole(started, &CHOSEN);
    assert!((10_000..MEMORY_BOUND_KB).contains(&peak), "{mode}: {peak} kB");
    assert!(record < 1024 * 1024, "{mode}: a record of {record} bytes");
    assert_eq!((run.code, ended(&run)), (Some(1), ALL_DRIVEN), "{mode}");
    run
}

#[test]
fn two_hundred_megabytes_are_discarded() {
    let run = large("huge-line");
    assert_eq!(run.verdict("integration.answers", TROUBLE), "could-not-run frame-too-large");
    assert_eq!(run.verdict("integration.answers", AFTER), "pass");
    let frame = run.events(TROUBLE, "bad-frame")[0];
    assert_eq!(frame["fault"], "frame-too-large");
    assert!(frame["bytes"].as_u64().unwrap() > 200 * 1024 * 1024);
}

#[test]
fn fifteen_megabytes_are_legal() {
    let run = large("big-text");
    assert_eq!(run.verdict("integration.answers", TROUBLE), "pass");
    assert!(run.events(TROUBLE, "answer")[0]["bytes"].as_u64().unwrap() > 15 * 1024 * 1024);
}

#[test]
fn controls_that_grow_when_they_are_spelled_out_stay_bounded() {
    assert_eq!(large("big-controls").verdict("integration.answers", TROUBLE), "pass");
}

/// Small in text and large in memory: the number of values is bounded, too.
#[test]
fn a_million_values_are_too_many() {
    for mode in ["big-list", "big-nest", "big-names", "big-object"] {
        let run = large(mode);
        assert_eq!(run.verdict("integration.answers", TROUBLE), "could-not-run frame-too-large", "{mode}");
        assert_eq!(said(&run, TROUBLE, "bad-frame", "fault"), "frame-too-large");
    }
}

/// Ten thousand values that must be masked, and then texts in which to look for them.
#[test]
fn many_secrets_do_not_make_masking_endless() {
    let run = large("many-secrets");
    assert_eq!(run.verdict("integration.answers", TROUBLE), "pass");
}

#[test]
fn an_interrupt_keeps_what_there_was() {
    let mut started = hostile("hangs", TROUBLE, &CHOSEN);
    started.wait_for_transcripts(1);
    started.signal(Signal::INT);
    let (run, folder) = finish(started);
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    assert_eq!(run.lines("transcript").len(), 1);
    assert_eq!(run.ended(BEFORE), "driven");
    let again = fincert(folder.path(), &["judge", "run.jsonl"]).output().unwrap();
    let again = Run::new(&again, Vec::new());
    assert_eq!(again.code, Some(4), "{}", again.stderr);
    assert!(again.stderr.contains("certifies nothing"), "{}", again.stderr);
}

/// CI stops a job with SIGTERM; a target that hangs must not outlive it.
#[test]
fn a_termination_is_an_interrupt() {
    for signal in [Signal::TERM, Signal::HUP] {
        let mut started = hostile("hangs", TROUBLE, &CHOSEN);
        started.wait_for_transcripts(1);
        started.signal(signal);
        let (run, _folder) = finish(started);
        assert_eq!((run.code, run.lines("transcript").len()), (Some(130), 1), "{}", run.stderr);
    }
}

#[test]
fn a_killed_run_keeps_every_complete_line() {
    let mut started = hostile("silent", AFTER, &CHOSEN);
    started.wait_for_transcripts(2);
    started.signal(Signal::KILL);
    let (run, folder) = finish(started);
    assert_eq!(run.code, None);
    let driven = run.lines("transcript").len();
    assert!((2..4).contains(&driven) && run.lines("judgement").is_empty(), "{driven}");
    let path = folder.path().join("run.jsonl");
    judged_with_a_warning(folder.path(), &["cut off before it was judged"]);
    // Killed while a line was being written: that line is dropped, and the reader is told.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 20);
    std::fs::write(&path, bytes).unwrap();
    judged_with_a_warning(folder.path(), &["is cut off and was dropped", "cut off before it was judged"]);
    assert_eq!(record(&path).iter().filter(|line: &&Value| line["line"] == "transcript").count(), driven - 1);
}

/// One call shows what came, and steers no terminal with it.
#[test]
fn a_single_call_to_a_hostile_target() {
    let folder = tempfile::tempdir().unwrap();
    let request = r#"{"type":"BankCard","imagePath":{"$file":"bank-card-debit"}}"#;
    for (mode, code, word) in [
        ("good", 0, "resolve"),
        ("hostile-values", 0, "red"),
        ("rubbish", 0, "frame-not-json"),
        ("refuses", 1, "JSON-RPC error -32603"),
        ("exits", 3, "target-exited"),
        ("exits-at-once", 3, "target-exited"),
        ("put-refused", 3, "put-file-failed"),
    ] {
        let target = format!("stdio:{PYTHON} '{}' {mode}", target("hostile.py").display());
        let output = fincert(folder.path(), &["call", "finCardOcr", request, "--target", &target]).output().unwrap();
        let run = Run::new(&output, Vec::new());
        let all = run.all_text();
        assert_eq!(run.code, Some(code), "{mode}: {all}");
        assert!(all.contains(word), "{mode}: {all}");
        assert!(!all.contains(|c: char| c.is_control() && c != '\n'), "{mode}: {all:?}");
        assert!(!all.contains(CARD_NUMBER), "{mode}: {all}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn judged_with_a_warning(folder: &Path, warnings: &[&str]) {
    let output = fincert(folder, &["judge", "run.jsonl"]).output().unwrap();
    let run = Run::new(&output, Vec::new());
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    for warning in warnings {
        assert!(run.stderr.contains(warning), "{}", run.stderr);
    }
}
