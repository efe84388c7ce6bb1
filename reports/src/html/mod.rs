//! One HTML file: what a manager reads, the matrix, and for whoever has to mend it each failure down to its cause.
//!
//! **Safety.** The file loads nothing: a Content-Security-Policy allows the one style sheet and the one script in it, by
//! their digests, and nothing else. What came from a target is in blocks of JSON in which no `<`, `>` or `&` is left
//! (`embed`), and the script puts it on the page as text, never as markup (`page/dom.js`).
//!
//! **Length.** The file is written as it is made. The page is built by its script from the first block; transcripts have
//! a block each, which is parsed when somebody opens it. Those with findings come first, and `TRANSCRIPTS` bounds them
//! all, so that a run of ten thousand scenarios still opens at once.
//!
//! **Without a script** (some CI servers forbid it) there is a plain page with the decisions and the causes.

mod data;
mod embed;
mod plain;

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};

use fincert_schemas::Lang;
use fincert_schemas::run::Transcript;
use serde::Serialize;

use crate::text::clean;
use crate::words::say;
use crate::{Run, timeline};

/// How many bytes of transcripts are embedded at most.
const TRANSCRIPTS: usize = 24 * 1024 * 1024;

/// The style sheet.
const STYLE: &str = include_str!("page/page.css");
/// The script, by subject.
const SCRIPT: &[&str] = &[
    "\"use strict\";\n(() => {\n",
    include_str!("page/dom.js"),
    include_str!("page/words.js"),
    include_str!("page/summary.js"),
    include_str!("page/causes.js"),
    include_str!("page/transcript.js"),
    include_str!("page/media.js"),
    include_str!("page/sdp.js"),
    include_str!("page/fuzz.js"),
    include_str!("page/matrix.js"),
    include_str!("page/lists.js"),
    include_str!("page/main.js"),
    "})();\n",
];

/// Writes the page.
pub fn render(run: &Run<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(64 * 1024, out);
    let script = SCRIPT.concat();
    let (style, code) = (embed::digest(STYLE), embed::digest(&script));
    let name = run.sessions.first().map_or(run.header.target.as_str(), |session| session.hello.name.as_str());
    write!(
        out,
        concat!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{style}'; ",
            "script-src 'sha256-{code}'; base-uri 'none'; form-action 'none'\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            "<meta name=\"referrer\" content=\"no-referrer\">\n",
            "<title>fincert: {name}</title>\n<style>{sheet}</style>\n</head>\n<body>\n<div id=\"app\"></div>\n",
        ),
        lang = say(lang, "zh-CN", "en"),
        style = style,
        code = code,
        name = embed::text(name),
        sheet = STYLE,
    )?;
    plain::write(run, lang, &mut out)?;
    let (chosen, left_out) = transcripts(run, &mut out)?;
    embed::block(&mut out, "data", &data::Data::of(run, lang, &chosen, left_out))?;
    writeln!(out, "<script>{script}</script>\n</body>\n</html>")?;
    out.flush()
}

/// A transcript as the page is given it.
#[derive(Serialize)]
struct Block<'a> {
    transcript: &'a Transcript,
    /// The short time line of a flow in both languages, where something was found in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    story: Option<[Vec<Told>; 2]>,
}

/// An entry of a time line.
#[derive(Serialize)]
struct Told {
    at: String,
    who: &'static str,
    text: String,
    tone: &'static str,
}

/// Writes blocks of transcripts; which of them there are, and how many are left out.
fn transcripts(run: &Run<'_>, out: &mut impl Write) -> io::Result<(Vec<bool>, usize)> {
    let found: HashSet<&str> = run.judgement.findings.iter().map(|finding| finding.scenario.as_str()).collect();
    let mut chosen = vec![false; run.transcripts.len()];
    let (mut room, mut left_out, mut buffer) = (TRANSCRIPTS, 0, Vec::new());
    for telling in [true, false] {
        for (index, transcript) in run.transcripts.iter().enumerate() {
            if found.contains(transcript.scenario.as_str()) != telling || transcript.events.is_empty() {
                continue;
            }
            if room == 0 {
                left_out += 1;
                continue;
            }
            let told = |lang| {
                let entries = timeline::of(transcript, lang, None)?;
                let told = |entry: timeline::Entry| Told {
                    at: entry.moment(),
                    who: entry.who.word(lang),
                    text: clean(&entry.text).replace(crate::page::GLUE, " "),
                    tone: entry.tone.word(),
                };
                Some(entries.into_iter().map(told).collect::<Vec<_>>())
            };
            let story = if telling { told(Lang::Zh).zip(told(Lang::En)) } else { None };
            buffer.clear();
            embed::block(
                &mut buffer,
                &format!("t{index}"),
                &Block { transcript, story: story.map(|(zh, en)| [zh, en]) },
            )?;
            if buffer.len() > room {
                room = 0;
                left_out += 1;
                continue;
            }
            room -= buffer.len();
            chosen[index] = true;
            out.write_all(&buffer)?;
        }
    }
    Ok((chosen, left_out))
}
