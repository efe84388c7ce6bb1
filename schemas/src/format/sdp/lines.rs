//! Lines of a session description, with their ends.

/// At most so many lines are read. A description of ten m-lines with fifty codecs each has some 2,000.
pub const MAX_LINES: usize = 20_000;

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineEnd {
    /// CR LF, as RFC 8866 section 5 wants it.
    CrLf,
    /// LF alone, which parsers should take.
    Lf,
    /// The text ends without a line end.
    Missing,
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// The type before `=`; `None` where the line is not of the form `x=…`.
    pub kind: Option<char>,
    /// What stands behind `=`; the whole line where there is no type.
    pub value: &'a str,
    /// How it ends.
    pub end: LineEnd,
}

impl<'a> Line<'a> {
    /// The name of an attribute line: `mid` of `a=mid:0`.
    pub fn attribute(&self) -> Option<&'a str> {
        (self.kind == Some('a')).then(|| self.value.split_once(':').map_or(self.value, |(name, _)| name))
    }

    /// The value of an attribute line, empty for one that has none.
    pub fn attribute_value(&self) -> &'a str {
        self.value.split_once(':').map_or("", |(_, value)| value)
    }
}

/// The lines of a text, the first [`MAX_LINES`] of them.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.split_inclusive('\n').take(MAX_LINES).zip(1..).map(|(raw, number)| {
        let (body, end) = match (raw.strip_suffix("\r\n"), raw.strip_suffix('\n')) {
            (Some(body), _) => (body, LineEnd::CrLf),
            (None, Some(body)) => (body, LineEnd::Lf),
            (None, None) => (raw, LineEnd::Missing),
        };
        let mut chars = body.chars();
        let kind = chars.next().filter(|kind| kind.is_ascii_alphabetic() && chars.next() == Some('='));
        Line { number, kind, value: if kind.is_some() { chars.as_str() } else { body }, end }
    })
}
