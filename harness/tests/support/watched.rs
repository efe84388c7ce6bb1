//! A run that is watched from outside: what it writes, how much memory it takes, what it leaves behind.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Run, record};

/// How long a run may take; a bound on hanging, and no expectation.
const PATIENCE: Duration = Duration::from_secs(300);

/// A word that no other command line has.
pub(crate) fn marker() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("marker-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A run that is under way. It writes its record to `run.jsonl`.
#[derive(Debug)]
pub(crate) struct Watched {
    folder: tempfile::TempDir,
    child: Child,
    marker: String,
    began: Instant,
}

impl Watched {
    /// Starts the command, which works in the folder. Processes with the marker, if it has one, must not outlive it.
    pub(crate) fn start(mut command: Command, folder: tempfile::TempDir, marker: String) -> Self {
        command.stdout(File::create(folder.path().join("stdout")).unwrap());
        command.stderr(File::create(folder.path().join("stderr")).unwrap());
        let child = command.spawn().unwrap();
        Self { folder, child, marker, began: Instant::now() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn wait_for_transcripts(&mut self, count: usize) {
        let written = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
        while written(self.path("run.jsonl")).matches("{\"line\":\"transcript\"").count() < count {
            assert!(self.child.try_wait().unwrap().is_none(), "{}", written(self.path("stderr")));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The high-water mark of fincert's own memory, read until it ends.
    pub(crate) fn peak_memory_kb(&mut self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let mut peak = 0;
        while self.still_runs() {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
            std::thread::sleep(Duration::from_millis(2));
        }
        peak
    }

    /// Waits for the end, and looks at what must hold for every run.
    pub(crate) fn finish(mut self) -> (Run, tempfile::TempDir) {
        while self.still_runs() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let status = self.child.wait().unwrap();
        let read = |name: &str| std::fs::read(self.path(name)).unwrap();
        let output = Output { status, stdout: read("stdout"), stderr: read("stderr") };
        let run = Run::new(&output, record(&self.path("run.jsonl")));
        for text in [&run.stdout, &run.stderr] {
            let steers = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!text.contains(steers), "{text}");
        }
        assert_eq!(run.record.iter().find_map(|line| controls("", line)), None, "a control character in the record");
        assert_eq!(processes(&self.marker), Vec::<String>::new(), "left behind");
        (run, self.folder)
    }

    fn still_runs(&mut self) -> bool {
        if self.began.elapsed() > PATIENCE {
            self.child.kill().unwrap();
            panic!("fincert was still running after {PATIENCE:?}; it wrote {}", self.folder.path().display());
        }
        self.child.try_wait().unwrap().is_none()
    }
}

/// A string of the value, or a key, that holds a control character.
fn controls<'v>(key: &str, value: &'v Value) -> Option<&'v str> {
    // SDP is kept with its line ends; a record is JSON, in which they are spelled out.
    // A description that a target hands over as a bare text is SDP, too.
    let is_sdp = |text: &str| matches!(key, "sdp" | "candidate") || text.starts_with("v=0");
    let of_lines = |text: &str, c: char| is_sdp(text) && matches!(c, '\r' | '\n');
    match value {
        Value::String(text) => text.contains(|c: char| c.is_control() && !of_lines(text, c)).then_some(text),
        Value::Array(items) => items.iter().find_map(|item| controls(key, item)),
        Value::Object(object) => object.iter().find_map(|(key, inner)| {
            if key.contains(char::is_control) { Some(key.as_str()) } else { controls(key, inner) }
        }),
        _ => None,
    }
}

/// The command lines that hold the marker. A killed process takes a moment to go, so those are waited for.
fn processes(marker: &str) -> Vec<String> {
    let mut found = Vec::new();
    for _ in 0..if marker.is_empty() { 0 } else { 500 } {
        let lines = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let line = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
            Some(String::from_utf8_lossy(&line).replace('\0', " "))
        });
        found = lines.filter(|line| line.split_whitespace().any(|word| word == marker)).collect();
        if found.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    found
}
