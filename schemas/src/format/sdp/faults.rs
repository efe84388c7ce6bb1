//! What is wrong with the form of a description (RFC 8866 sections 5 and 9).

use super::{Line, LineEnd, lines};
use crate::Bilingual;

/// At most so many faults are told; a text of another kind would have one a line.
const MAX_FAULTS: usize = 16;

/// The types of lines, in the order in which they may stand in the session part. `t`, `r` and `z` describe times and may
/// come again together, so they share a place.
const SESSION: &[&str] = &["v", "o", "s", "i", "u", "e", "p", "c", "b", "trz", "k", "a"];
/// The same of an m-section.
const MEDIA: &[&str] = &["m", "i", "c", "b", "k", "a"];

/// A fault of form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which rule: `empty`, `version-first`, `line-end`, `line-form`, `line-type`, `order`, `repeated`, `missing`,
    /// `origin` or `media`.
    pub rule: &'static str,
    /// The line's number, from 1.
    pub line: u32,
    /// What is wrong.
    pub message: Bilingual,
}

/// The faults of form of a text, in the order of its lines; the first few of them.
///
/// Only the form of lines and their order are looked at, not what attributes say.
pub fn faults(text: &str) -> Vec<Fault> {
    let mut form = Form::default();
    if text.is_empty() {
        form.fault("empty", 1, "文本为空", "the text is empty");
        return form.faults;
    }
    for line in lines(text) {
        form.line(&line);
        if form.faults.len() >= MAX_FAULTS {
            return form.faults;
        }
    }
    form.end();
    form.faults
}

#[derive(Default)]
struct Form {
    faults: Vec<Fault>,
    /// Whether an m-line has come.
    in_media: bool,
    /// The place of the last line in the order of its section, and its type.
    place: usize,
    last: Option<char>,
    /// The types that came in this section.
    seen: Vec<char>,
    /// Whether a line end was told already: one fault stands for all of its kind.
    told_end: bool,
    number: u32,
}

impl Form {
    fn fault(&mut self, rule: &'static str, line: u32, zh: impl Into<String>, en: impl Into<String>) {
        self.faults.push(Fault { rule, line, message: Bilingual::new(zh, en) });
    }

    fn line(&mut self, line: &Line<'_>) {
        self.number = line.number;
        self.line_end(line);
        if line.number == 1 && (line.kind, line.value) != (Some('v'), "0") {
            self.fault("version-first", 1, "首行不是 v=0", "the first line is not v=0");
        }
        let Some(kind) = line.kind else {
            self.fault("line-form", line.number, "该行不是 x=… 的形式", "the line is not of the form x=…");
            return;
        };
        // "s= " is how RFC 8866 section 5.3 writes a session without a name.
        if line.value.starts_with([' ', '\t']) && kind != 's' {
            self.fault("line-form", line.number, "等号之后有空白", "there is white space behind the equals sign");
        }
        if kind == 'm' {
            if !self.in_media {
                self.missing();
            }
            self.in_media = true;
            self.place = 0;
            self.seen.clear();
            self.media(line);
        }
        self.order(line.number, kind);
        if kind == 'o' {
            self.origin(line);
        }
        self.last = Some(kind);
    }

    fn line_end(&mut self, line: &Line<'_>) {
        let (zh, en) = match line.end {
            LineEnd::CrLf => return,
            LineEnd::Lf => ("行以 LF 结尾，而非 CRLF", "the line ends with LF and not with CRLF"),
            LineEnd::Missing => ("末行没有行结束符", "the last line has no line end"),
        };
        if !self.told_end {
            self.told_end = true;
            self.fault("line-end", line.number, zh, en);
        }
    }

    fn order(&mut self, number: u32, kind: char) {
        let places = if self.in_media { MEDIA } else { SESSION };
        let Some(place) = places.iter().position(|kinds| kinds.contains(kind)) else {
            let known = SESSION.iter().chain(MEDIA).any(|kinds| kinds.contains(kind));
            if known {
                let zh = format!("{kind}= 不能出现在 m 行之后");
                self.fault("order", number, zh, format!("{kind}= does not stand in an m-section"));
            } else {
                self.fault("line-type", number, format!("没有 {kind}= 这种行"), format!("there is no line {kind}="));
            }
            return;
        };
        let again = self.seen.contains(&kind);
        if !again {
            self.seen.push(kind);
        }
        if place < self.place {
            let last = self.last.unwrap_or(kind);
            let (zh, en) = (format!("{kind}= 出现在 {last}= 之后"), format!("{kind}= stands behind {last}="));
            self.fault("order", number, zh, en);
            return;
        }
        self.place = place;
        // `r` describes the `t` before it (RFC 8866 section 9, time-description).
        let follows = !matches!(kind, 'r' | 'z') || matches!(self.last, Some('t' | 'r'));
        if !follows {
            let (zh, en) = (format!("{kind}= 之前没有所属的行"), format!("{kind}= has no line before it to belong to"));
            self.fault("order", number, zh, en);
        }
        // In an m-section several c-lines may stand (RFC 8866 section 5.7).
        let once = "vosiuk".contains(kind) || (kind == 'c' && !self.in_media);
        if once && again {
            self.fault("repeated", number, format!("{kind}= 出现了不止一次"), format!("{kind}= stands more than once"));
        }
    }

    fn missing(&mut self) {
        for kind in ['v', 'o', 's', 't'] {
            if !self.seen.contains(&kind) {
                let number = self.number;
                self.fault("missing", number, format!("缺少 {kind}= 行"), format!("the line {kind}= is missing"));
            }
        }
    }

    fn origin(&mut self, line: &Line<'_>) {
        let fields: Vec<&str> = line.value.split(' ').collect();
        let digits = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if fields.len() != 6 || fields.iter().any(|field| field.is_empty()) || !fields[1..3].iter().all(digits) {
            self.fault(
                "origin",
                line.number,
                "o= 应有以单个空格分隔的六个字段，第二和第三个为数字",
                "o= has six fields with one space between, of which the second and third are numbers",
            );
        }
    }

    fn media(&mut self, line: &Line<'_>) {
        let fields: Vec<&str> = line.value.split(' ').collect();
        let port = fields.get(1).map(|word| word.split_once('/').map_or(*word, |(port, _)| port));
        let is_port = port.is_some_and(|port| port.parse::<u16>().is_ok());
        if fields.len() < 4 || fields.iter().any(|field| field.is_empty()) || !is_port {
            self.fault(
                "media",
                line.number,
                "m= 应为媒体、端口、协议和至少一个格式，以单个空格分隔",
                "m= has medium, port, protocol and at least one format, with one space between",
            );
        }
    }

    fn end(&mut self) {
        if !self.in_media {
            self.missing();
        }
    }
}
