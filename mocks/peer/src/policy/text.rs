//! A session description as lines that can be changed.

/// The lines of one part: the session's, or an m-line's.
pub(crate) type Lines = Vec<String>;

/// A description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text {
    /// The lines before the first m-line.
    pub(crate) session: Lines,
    /// One part an m-line.
    pub(crate) media: Vec<Lines>,
}

impl Text {
    pub(crate) fn read(sdp: &str) -> Self {
        let mut text = Self::default();
        for line in sdp.lines().filter(|line| !line.is_empty()) {
            if line.starts_with("m=") {
                text.media.push(Lines::new());
            }
            text.media.last_mut().unwrap_or(&mut text.session).push(line.to_owned());
        }
        text
    }

    /// The text, each line ended by CR LF (RFC 8866 section 5).
    pub(crate) fn write(&self) -> String {
        let lines = self.session.iter().chain(self.media.iter().flatten());
        lines.flat_map(|line| [line.as_str(), "\r\n"]).collect()
    }

    /// All parts, the session's first.
    pub(crate) fn parts_mut(&mut self) -> impl Iterator<Item = &mut Lines> {
        std::iter::once(&mut self.session).chain(&mut self.media)
    }

    /// The part with this mid.
    pub(crate) fn by_mid(&self, mid: &str) -> Option<&Lines> {
        self.media.iter().find(|lines| value(lines, "mid") == Some(mid))
    }
}

/// What stands behind `a=name:`, or empty for `a=name`.
pub(crate) fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.strip_prefix("a=")?.strip_prefix(name)?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix(':') }
}

/// The first value of an attribute.
pub(crate) fn value<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| attribute(line, name))
}

/// Whether a part has the attribute.
pub(crate) fn has(lines: &[String], name: &str) -> bool {
    value(lines, name).is_some()
}

/// Takes an attribute away.
pub(crate) fn remove(lines: &mut Lines, name: &str) {
    lines.retain(|line| attribute(line, name).is_none());
}

/// Puts a value in the place of each of an attribute.
pub(crate) fn replace(lines: &mut Lines, name: &str, value: &str) {
    for line in lines.iter_mut().filter(|line| attribute(line, name).is_some()) {
        *line = format!("a={name}:{value}");
    }
}

/// The words of the m-line.
pub(crate) fn words(lines: &[String]) -> Vec<&str> {
    lines.first().and_then(|line| line.strip_prefix("m=")).map(|m| m.split_whitespace().collect()).unwrap_or_default()
}

/// Puts a word in the m-line: 1 is the port.
pub(crate) fn set_word(lines: &mut Lines, at: usize, word: &str) {
    let mut all = words(lines);
    if let Some(place) = all.get_mut(at) {
        *place = word;
        let line = format!("m={}", all.join(" "));
        lines[0] = line;
    }
}

/// Whether the m-line is rejected: port 0, and not merely bundled (RFC 9143 section 6).
pub(crate) fn is_rejected(lines: &[String]) -> bool {
    words(lines).get(1) == Some(&"0") && !has(lines, "bundle-only")
}

/// Whether it is of sound or pictures.
pub(crate) fn is_media(lines: &[String]) -> bool {
    matches!(words(lines).first(), Some(&("audio" | "video")))
}

const DIRECTIONS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];

/// The direction that is in force for a part.
pub(crate) fn direction(session: &[String], lines: &[String]) -> &'static str {
    let own = |lines: &[String]| DIRECTIONS.into_iter().find(|direction| has(lines, direction));
    own(lines).or_else(|| own(session)).unwrap_or("sendrecv")
}

/// Says a direction, and no other.
pub(crate) fn set_direction(lines: &mut Lines, direction: &str) {
    lines.retain(|line| !DIRECTIONS.iter().any(|other| attribute(line, other) == Some("")));
    lines.push(format!("a={direction}"));
}

/// Whether a direction's writer sends.
pub(crate) fn sends(direction: &str) -> bool {
    matches!(direction, "sendrecv" | "sendonly")
}

/// Whether a direction's writer receives.
pub(crate) fn receives(direction: &str) -> bool {
    matches!(direction, "sendrecv" | "recvonly")
}

/// The direction of who sends and receives so.
pub(crate) fn direction_of(sends: bool, receives: bool) -> &'static str {
    match (sends, receives) {
        (true, true) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (false, false) => "inactive",
    }
}
