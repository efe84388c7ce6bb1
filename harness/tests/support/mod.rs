//! Running the real program, and reading what it leaves.
#![allow(dead_code, reason = "each test file uses a part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program, in a folder of its own, with nothing of the caller's surroundings that would show.
pub(crate) fn fincert(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fincert"));
    command.current_dir(folder).env("LANG", "C.UTF-8").env("COLUMNS", "100").args(arguments);
    for name in ["LC_ALL", "LC_MESSAGES", "NO_COLOR", "FINCERT_LOG", "RUST_BACKTRACE"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The path of a Python target.
pub(crate) fn target(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets").join(file)
}

/// The complete lines of a record.
pub(crate) fn record(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let end = text.rfind('\n').map_or(0, |end| end + 1);
    text[..end].lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a run left and said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) record: Vec<Value>,
}

impl Run {
    pub(crate) fn new(output: &Output, record: Vec<Value>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr), record }
    }

    /// The lines of one kind.
    pub(crate) fn lines(&self, kind: &str) -> Vec<&Value> {
        self.record.iter().filter(|line| line["line"] == kind).collect()
    }

    /// How a scenario ended: `driven`, or the reason code.
    pub(crate) fn ended(&self, scenario: &str) -> &str {
        let ended = &self.transcript(scenario)["ended"];
        ended["reason"].as_str().or(ended["how"].as_str()).unwrap()
    }

    pub(crate) fn transcript(&self, scenario: &str) -> &Value {
        self.lines("transcript").into_iter().find(|line| line["scenario"] == scenario).unwrap()
    }

    /// The events of one kind in a scenario.
    pub(crate) fn events(&self, scenario: &str, kind: &str) -> Vec<&Value> {
        let events = self.transcript(scenario)["events"].as_array().unwrap();
        events.iter().filter(|event| event["event"] == kind).collect()
    }

    pub(crate) fn judgement(&self) -> &Value {
        self.record.last().filter(|line| line["line"] == "judgement").unwrap()
    }

    /// The verdict on a requirement in a scenario, with its reason code where it has one.
    pub(crate) fn verdict(&self, requirement: &str, scenario: &str) -> String {
        let all = self.judgement()["verdicts"].as_array().unwrap();
        let found = all.iter().find(|v| v["requirement"] == requirement && v["scenario"] == scenario);
        let Some(verdict) = found else { return "none".to_owned() };
        let outcome = verdict["outcome"].as_str().unwrap();
        verdict["reason"].as_str().map_or(outcome.to_owned(), |reason| format!("{outcome} {reason}"))
    }

    /// Everything that a person or a program may come to see of it.
    pub(crate) fn all_text(&self) -> String {
        let record: String = self.record.iter().map(|line| format!("{line}\n")).collect();
        format!("{}{}{record}", self.stdout, self.stderr)
    }
}
