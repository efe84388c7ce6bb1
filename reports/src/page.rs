//! A page: rows of toned text, wrapped to a width. The one gate to a terminal: every text that is put on
//! a row is cleaned there, so that no renderer can forget it.

use anstyle::{AnsiColor, Effects};

use crate::text::{clean, columns, shell_words, wrap};
use crate::{MIN_WIDTH, Style};

/// What a piece of text means to the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    /// Beside the point.
    Quiet,
    /// A name to find again.
    Strong,
    /// Certified, pass.
    Good,
    /// Warn.
    Warn,
    /// Fail.
    Bad,
    /// Neither: inconclusive, could not run.
    Odd,
    /// The name of a field.
    Label,
}

impl Tone {
    /// The tone's word, for pages that have a style sheet.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Quiet => "quiet",
            Self::Strong => "strong",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Odd => "odd",
            Self::Label => "label",
        }
    }

    fn style(self) -> anstyle::Style {
        let fg = |color: AnsiColor| anstyle::Style::new().fg_color(Some(color.into()));
        match self {
            Self::Plain => anstyle::Style::new(),
            Self::Quiet => Effects::DIMMED.into(),
            Self::Strong => Effects::BOLD.into(),
            Self::Good => fg(AnsiColor::Green).bold(),
            Self::Warn => fg(AnsiColor::Yellow).bold(),
            Self::Bad => fg(AnsiColor::Red).bold(),
            Self::Odd => fg(AnsiColor::Magenta).bold(),
            Self::Label => fg(AnsiColor::Cyan),
        }
    }
}

/// A blank at which no line is broken. It is written as a plain one.
pub(crate) const GLUE: char = '\u{a0}';

/// One row before it is wrapped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Row {
    indent: usize,
    hang: Option<usize>,
    text: String,
    /// Where each piece ends, and its tone.
    tones: Vec<(usize, Tone)>,
}

impl Row {
    /// A row that begins at this column.
    pub(crate) fn at(indent: usize) -> Self {
        Self { indent, ..Self::default() }
    }

    /// Adds text.
    pub(crate) fn put(mut self, tone: Tone, text: impl AsRef<str>) -> Self {
        self.text.push_str(&clean(text.as_ref()));
        self.tones.push((self.text.len(), tone));
        self
    }

    /// Adds blanks up to a column, but two at least after text.
    pub(crate) fn pad(self, column: usize) -> Self {
        let here = self.indent + columns(&self.text);
        let least = if self.text.is_empty() { 0 } else { 2 };
        let blanks = column.saturating_sub(here).max(least);
        self.put(Tone::Plain, " ".repeat(blanks))
    }

    /// Adds text that ends at a column.
    pub(crate) fn right(self, tone: Tone, column: usize, text: &str) -> Self {
        let begin = column.saturating_sub(columns(text));
        self.pad(begin).put(tone, text)
    }

    /// Lines after the first begin at this column.
    pub(crate) fn hang_at(mut self, column: usize) -> Self {
        self.hang = Some(column);
        self
    }

    /// Lines after the first begin where the row is now.
    pub(crate) fn hang(mut self) -> Self {
        self.hang = Some(self.indent + columns(&self.text));
        self
    }
}

/// The page.
#[derive(Debug)]
pub(crate) struct Page {
    out: String,
    color: bool,
    width: usize,
}

impl Page {
    pub(crate) fn new(style: &Style) -> Self {
        Self { out: String::new(), color: style.color, width: style.width.max(MIN_WIDTH) }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// An empty line, but never two of them and none at the top.
    pub(crate) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Writes a row, wrapped.
    pub(crate) fn row(&mut self, row: &Row) {
        // A hang that leaves too little room is drawn in.
        let indent = row.indent.min(self.width / 2);
        let hang = row.hang.unwrap_or(row.indent).min(self.width / 2);
        for (index, range) in wrap(&row.text, self.width - indent, self.width - hang).into_iter().enumerate() {
            let line = &row.text[range.clone()];
            if !line.is_empty() {
                self.out.push_str(&" ".repeat(if index == 0 { indent } else { hang }));
                self.paint(row, range.start, range.end);
            }
            self.out.push('\n');
        }
    }

    fn paint(&mut self, row: &Row, start: usize, end: usize) {
        let mut from = 0;
        for &(to, tone) in &row.tones {
            let (a, b) = (from.max(start), to.min(end));
            from = to;
            if a >= b {
                continue;
            }
            let piece = row.text[a..b].replace(GLUE, " ");
            if self.color && tone != Tone::Plain && !piece.trim().is_empty() {
                let style = tone.style();
                self.out.push_str(&format!("{style}{piece}{style:#}"));
            } else {
                self.out.push_str(&piece);
            }
        }
    }

    /// Writes a shell command beside a label. It is broken with backslashes, so that it can still be copied.
    pub(crate) fn command(&mut self, label: Row, command: &str) {
        let label = label.hang();
        let begin = label.hang.unwrap_or(0);
        let room = self.width.saturating_sub(begin + 2);
        let clean = clean(command);
        let mut lines: Vec<String> = Vec::new();
        for word in shell_words(&clean) {
            match lines.last_mut() {
                Some(line) if columns(line) + 1 + columns(word) <= room => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        let last = lines.len().saturating_sub(1);
        for (index, line) in lines.iter().enumerate() {
            let row = if index == 0 { label.clone() } else { Row::at(begin) };
            self.row(&row.put(Tone::Plain, line).put(Tone::Plain, if index == last { "" } else { " \\" }));
        }
    }

    /// The text, without blanks at the ends of lines.
    pub(crate) fn finish(self) -> String {
        self.out
    }
}
