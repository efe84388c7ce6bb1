//! What `fincert certify --snapshots` does beside certifying: the results are kept, and what became of them is said.

use std::path::Path;

use fincert::output::unwritable;
use fincert::snapshots::{self, Kept, Material, Rules, read_folder};
use fincert_reports::text::clean;
use fincert_schemas::Lang;

use super::report::Document;
use super::{Failure, review};

/// The folder of snapshots and the rules; what does not fit there is found out before anything starts.
pub(super) fn open<'a>(folder: Option<&'a Path>, rules: Option<&Path>) -> Result<Option<(&'a Path, Rules)>, Failure> {
    let Some(folder) = folder else { return Ok(None) };
    let rules = Rules::read(rules)?;
    let wrong = |why: String| Failure::usage(format!("snapshots {}: {why}", folder.display()));
    if folder.exists() && !folder.is_dir() {
        return Err(wrong("is no folder".to_owned()));
    }
    if let Some(why) = unwritable(&folder.join("a.snap")) {
        return Err(wrong(why));
    }
    read_folder(folder).map_err(review::failed)?;
    Ok(Some((folder, rules)))
}

/// Keeps the results of a judged run.
pub(super) fn keep(folder: &Path, rules: &Rules, run: &Document<'_>, lang: Lang) -> Result<(), Failure> {
    let material = Material {
        header: run.header,
        sessions: run.sessions,
        transcripts: run.transcripts,
        findings: &run.judgement.findings,
    };
    let results = snapshots::gather(run.law, rules, material);
    let kept = snapshots::keep(folder, &results, run.transcripts, run.law.suite).map_err(review::failed)?;
    eprint!("{}", words(folder, &kept, lang));
    Ok(())
}

/// What became of them, for stderr.
fn words(folder: &Path, kept: &Kept, lang: Lang) -> String {
    let mut text = match lang {
        Lang::Zh => format!("快照：未变 {}，变更 {}，新增 {}", kept.unchanged, kept.changed.len(), kept.new.len()),
        Lang::En => {
            format!("snapshots: {} unchanged, {} changed, {} new", kept.unchanged, kept.changed.len(), kept.new.len())
        }
    };
    if kept.waiting() > 0 {
        let word = if lang == Lang::Zh { "；审阅：" } else { "; to review: " };
        let folder = folder.to_string_lossy();
        text.push_str(&format!("{word}fincert review {}", shell_words::quote(&folder)));
    }
    text.push('\n');
    for (old, new) in &kept.renamed {
        text.push_str(&match lang {
            Lang::Zh => format!("  场景已改名：{} → {new}\n", clean(old)),
            Lang::En => format!("  the scenario was renamed: {} → {new}\n", clean(old)),
        });
    }
    for name in &kept.left_over {
        text.push_str(&match lang {
            Lang::Zh => format!("  不再产生：{}\n", clean(name)),
            Lang::En => format!("  nothing produces this any more: {}\n", clean(name)),
        });
    }
    text
}
