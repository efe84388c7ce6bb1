//! `fincert review`: what changed in the results, one by one.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use fincert::output::{unwritable, write_whole};
use fincert::snapshots::{Entry, SnapshotError, View, accept, accepted_path, html, pending_path, read_folder};
use fincert_reports::text::clean;
use fincert_schemas::Lang;

use super::report::terminal_width;
use super::{Failure, Reading, exit, law};

/// Options of `fincert review`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The folder of snapshots that `fincert certify --snapshots` keeps
    folder: PathBuf,
    /// For CI: change nothing, and fail if anything waits for a reviewer
    #[arg(long)]
    check: bool,
    /// Write a page for who only reads, and change nothing
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

const EXAMPLES: &str = "\
Examples:
  fincert certify --target ws://127.0.0.1:9000/bridge --snapshots snapshots
  fincert review snapshots
  fincert review snapshots --check --html review.html
  cargo insta review --workspace-root snapshots

0 nothing waits any more, 4 something does, or a file is no snapshot or was edited.";

pub(super) fn run(options: &Options) -> Result<u8, Failure> {
    let law = law()?;
    if !options.folder.is_dir() {
        return Err(Failure::usage(format!(
            "{}: no such folder; `fincert certify --snapshots {0}` makes it",
            options.folder.display()
        )));
    }
    let entries = read_folder(&options.folder).map_err(failed)?;
    let color = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let width = columns.or_else(terminal_width).unwrap_or(80).clamp(fincert_reports::MIN_WIDTH, 100);
    let lang = options.reading.lang();
    let view = View { ledger: law.ledger, suite: law.suite, lang, width, color };
    // Which of a scenario's calls were driven only a run knows; that a scenario is gone shows here, too.
    let gone = |entry: &Entry| {
        let stored = entry.accepted.as_ref().or(entry.pending.as_ref());
        stored.is_some_and(|stored| !stored.info.own && law.suite.get(&stored.info.scenario).is_none())
    };
    let left_over: Vec<String> =
        entries.iter().filter(|(_, entry)| gone(entry)).map(|(name, _)| name.clone()).collect();
    if let Some(path) = &options.html {
        if let Some(why) = unwritable(path) {
            return Err(Failure::usage(format!("--html {}: {why}", path.display())));
        }
        write_whole(path, html(view, &entries, &left_over).as_bytes())
            .map_err(|error| Failure::usage(format!("--html {}: {error}", path.display())))?;
    }
    if options.check || options.html.is_some() {
        let waiting = listing(&entries, &left_over, lang);
        super::print(&waiting)?;
        if options.check && entries.is_empty() {
            // A gate that watches the wrong folder must not be green for ever.
            return Err(Failure::usage(format!(
                "--check: no snapshot of fincert's is in {}",
                options.folder.display()
            )));
        }
        let any = entries.values().any(|entry| entry.pending.is_some());
        return Ok(if options.check && any { exit::DOES_NOT_HOLD } else { exit::CERTIFIED });
    }
    walk(options, view, &entries, &left_over)
}

fn listing(entries: &BTreeMap<String, Entry>, left_over: &[String], lang: Lang) -> String {
    let mut text = String::new();
    for (name, entry) in entries.iter().filter(|(_, entry)| entry.pending.is_some()) {
        let word = match (&entry.accepted, lang) {
            (Some(_), Lang::Zh) => "变更",
            (Some(_), Lang::En) => "changed",
            (None, Lang::Zh) => "新增",
            (None, Lang::En) => "new",
        };
        text.push_str(&format!("{word}  {}\n", clean(name)));
    }
    for name in left_over {
        let word = if lang == Lang::Zh { "不再产生" } else { "left over" };
        text.push_str(&format!("{word}  {}\n", clean(name)));
    }
    let waiting = entries.values().filter(|entry| entry.pending.is_some()).count();
    let accepted = entries.values().filter(|entry| entry.accepted.is_some()).count();
    text.push_str(&match lang {
        Lang::Zh => format!("待审阅 {waiting}，已接受 {accepted}，不再产生 {}\n", left_over.len()),
        Lang::En => format!("{waiting} to review, {accepted} accepted, {} left over\n", left_over.len()),
    });
    text
}

/// What a reviewer decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Accept,
    Reject,
    Skip,
    Quit,
}

fn walk(
    options: &Options,
    view: View<'_>,
    entries: &BTreeMap<String, Entry>,
    left_over: &[String],
) -> Result<u8, Failure> {
    let zh = view.lang == Lang::Zh;
    let waiting: Vec<_> = entries.iter().filter(|(_, entry)| entry.pending.is_some()).collect();
    let (mut accepted, mut rejected, mut open) = (0, 0, waiting.len());
    let prompt = if zh { "a 接受  r 拒绝  s 跳过  q 退出 > " } else { "a accept  r reject  s skip  q quit > " };
    let mut quit = false;
    for (index, (name, entry)) in waiting.iter().enumerate() {
        super::print(&view.page(name, entry, index + 1, waiting.len()))?;
        match ask(prompt)? {
            Choice::Accept => {
                accept(&pending_path(&options.folder, name), &accepted_path(&options.folder, name)).map_err(failed)?;
                (accepted, open) = (accepted + 1, open - 1);
            }
            Choice::Reject => {
                remove(&pending_path(&options.folder, name))?;
                (rejected, open) = (rejected + 1, open - 1);
            }
            Choice::Skip => {}
            Choice::Quit => {
                quit = true;
                break;
            }
        }
    }
    let prompt = if zh { "a 保留  r 删除  s 跳过  q 退出 > " } else { "a keep  r delete  s skip  q quit > " };
    for name in left_over.iter().filter(|_| !quit) {
        let text = if zh { "不再产生" } else { "nothing produces this any more" };
        super::print(&format!("{text}: {}\n", clean(name)))?;
        match ask(prompt)? {
            Choice::Reject => {
                for path in [accepted_path(&options.folder, name), pending_path(&options.folder, name)] {
                    if path.is_file() {
                        remove(&path)?;
                    }
                }
            }
            Choice::Accept | Choice::Skip => {}
            Choice::Quit => break,
        }
    }
    super::print(&match zh {
        true => format!("已接受 {accepted}，已拒绝 {rejected}，尚待审阅 {open}\n"),
        false => format!("{accepted} accepted, {rejected} rejected, {open} still to review\n"),
    })?;
    Ok(if open == 0 { exit::CERTIFIED } else { exit::DOES_NOT_HOLD })
}

/// Asks until there is an answer. The end of the input is one: nobody is there any more.
fn ask(prompt: &str) -> Result<Choice, Failure> {
    loop {
        super::print(prompt)?;
        let mut line = String::new();
        let size = io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|error| Failure { code: exit::COULD_NOT_RUN, message: format!("standard input: {error}") })?;
        let choice = match (size, line.trim()) {
            (0, _) | (_, "q") => Choice::Quit,
            (_, "a") => Choice::Accept,
            (_, "r") => Choice::Reject,
            (_, "s") => Choice::Skip,
            _ => continue,
        };
        if size == 0 || !io::stdin().is_terminal() {
            super::print("\n")?;
        }
        return Ok(choice);
    }
}

fn remove(path: &std::path::Path) -> Result<(), Failure> {
    std::fs::remove_file(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

/// What is wrong with a folder of snapshots, as the command says it.
pub(super) fn failed(error: SnapshotError) -> Failure {
    let code = match &error {
        SnapshotError::Io { .. } => exit::USAGE,
        SnapshotError::Form { .. } => exit::DOES_NOT_HOLD,
    };
    // A foreign file may hold anything, and its words stand in the error.
    Failure { code, message: clean(&error.to_string()) }
}
