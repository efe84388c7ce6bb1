//! What a person sees while a run goes on: a bar on a terminal, plain lines elsewhere. All on stderr.

use std::time::Duration;

use fincert_schemas::bridge::Hello;
use fincert_schemas::run::{Ended, Outcome};
use fincert_schemas::{Bilingual, Lang};
use fincert_suites::judge::{self, Law};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use fincert::runner::Progress;

/// Shows a run's progress.
#[derive(Debug)]
pub(super) struct Reporter<'a> {
    bar: Option<ProgressBar>,
    law: Law<'a>,
    lang: Lang,
    hello: Option<Hello>,
    failed: u32,
    total: usize,
}

/// How a scenario went, at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glance {
    Ok,
    Skipped,
    Warned,
    Undecided,
    Failed,
    Broken,
}

impl Glance {
    fn word(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Self::Ok => ("通过", "ok"),
            Self::Skipped => ("跳过", "skip"),
            Self::Warned => ("警告", "warn"),
            Self::Undecided => ("未定", "UNDECIDED"),
            Self::Failed => ("失败", "FAIL"),
            Self::Broken => ("中断", "BROKEN"),
        };
        match lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

impl<'a> Reporter<'a> {
    /// A bar where stderr is a terminal, else plain lines.
    pub(super) fn new(law: Law<'a>, total: usize, terminal: bool, lang: Lang) -> Self {
        let bar = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, law, lang, hello: None, failed: 0, total }
    }

    /// One event of the runner.
    pub(super) fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Waiting { url, page } => {
                self.line(&match self.lang {
                    Lang::En => {
                        format!("waiting for a device; it dials\n    {url}\nor a browser, which opens\n    {page}")
                    }
                    Lang::Zh => format!("等待设备接入，请让设备连接\n    {url}\n或在浏览器中打开\n    {page}"),
                });
            }
            Progress::Session(session) => {
                let hello = &session.hello;
                self.hello = Some(hello.clone());
                let state = fincert_reports::integration(self.lang, hello.integration);
                let text = match self.lang {
                    Lang::En => format!("target: {} {} ({}, {state})", hello.name, hello.version, hello.platform),
                    Lang::Zh => format!("目标：{} {}（{}，{state}）", hello.name, hello.version, hello.platform),
                };
                if self.bar.is_none() || session.session == 1 {
                    self.line(&text);
                }
            }
            Progress::Begin { scenario, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(scenario.id.clone());
                }
            }
            Progress::Prompt { text, patience } => self.prompt(text, *patience),
            Progress::End { index, transcript } => {
                let (glance, why) = self.glance(transcript);
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
                if matches!(glance, Glance::Failed | Glance::Broken) {
                    self.failed += 1;
                }
                // A terminal shows what went wrong as it happens; a log shows every scenario.
                if self.bar.is_none() || !matches!(glance, Glance::Ok | Glance::Skipped) {
                    let place = format!("[{:>3}/{}]", index + 1, self.total);
                    let word = glance.word(self.lang);
                    let word = if why.is_empty() { format!("{word:<5}") } else { format!("{word} ({why})") };
                    self.line(&format!("{place} {word} {}", transcript.scenario));
                }
            }
            Progress::Note(text) => self.line(text),
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// How a scenario went, and why.
    fn glance(&self, transcript: &fincert_schemas::run::Transcript) -> (Glance, String) {
        match &transcript.ended {
            Ended::Skipped { reason } => return (Glance::Skipped, reason.to_string()),
            Ended::Broken { reason, .. } => return (Glance::Broken, reason.to_string()),
            Ended::Driven => {}
        }
        let Some(hello) = &self.hello else { return (Glance::Ok, String::new()) };
        let findings = judge::findings(self.law, hello, transcript);
        match findings.iter().map(|finding| finding.outcome).max() {
            Some(Outcome::Fail) => {
                let mut ids: Vec<_> =
                    findings.iter().filter(|f| f.outcome == Outcome::Fail).map(|f| f.requirement.as_str()).collect();
                ids.dedup();
                (Glance::Failed, ids.join(", "))
            }
            Some(Outcome::CouldNotRun | Outcome::Inconclusive) => (Glance::Undecided, String::new()),
            Some(Outcome::Warn) => (Glance::Warned, String::new()),
            _ => (Glance::Ok, String::new()),
        }
    }

    /// Both languages: whoever stands at the device need not be who started the run.
    fn prompt(&self, text: &Bilingual, patience: Duration) {
        let seconds = patience.as_secs();
        self.line(&format!("\n>>> {}\n>>> {}\n    ({seconds} s)", text.zh, text.en));
        if let Some(bar) = &self.bar {
            // The countdown lives beside the bar and ends with the next message.
            let bar = bar.clone();
            let said = bar.message();
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move {
                    for left in (0..=seconds).rev() {
                        if !bar.message().starts_with(said.as_str()) || bar.is_finished() {
                            return;
                        }
                        bar.set_message(format!("{said}  {left} s"));
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                });
            }
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }
}
