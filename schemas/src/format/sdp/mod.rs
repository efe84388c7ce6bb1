//! Session descriptions (RFC 8866) as WebRTC uses them (RFC 9429): line by line, with line ends and order kept.
//!
//! A check asks what stands in the text, at which line and how it ends; a parser that refuses a faulty text, or
//! normalises it, cannot tell. So this view is tolerant: every text reads, and what is wrong with its form is said by
//! [`faults()`]. Nothing here allocates more than a few words a line, and at most [`MAX_LINES`] lines are read.

mod faults;
mod lines;
mod section;

pub use faults::{Fault, faults};
pub use lines::{Line, LineEnd, MAX_LINES, lines};
pub use section::{Codec, Direction, Fingerprint, Section};

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sdp<'a> {
    /// The lines before the first m-line.
    pub session: Section<'a>,
    /// One section an m-line, in order.
    pub media: Vec<Section<'a>>,
}

/// The fields of an o-line (RFC 8866 section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// `-`, or a user's name.
    pub username: &'a str,
    /// The session id.
    pub session_id: &'a str,
    /// The version of the description.
    pub version: &'a str,
    /// The address type and address, `IN IP4 127.0.0.1`.
    pub address: [&'a str; 3],
}

impl Origin<'_> {
    /// The version as a number, where it is one.
    pub fn version_number(&self) -> Option<u64> {
        self.version.parse().ok()
    }
}

impl<'a> Sdp<'a> {
    /// Reads a text; whatever it is.
    pub fn read(text: &'a str) -> Self {
        let mut sections = vec![Section::default()];
        for line in lines(text) {
            if line.kind == Some('m') {
                sections.push(Section::default());
            }
            if let Some(section) = sections.last_mut() {
                section.lines.push(line);
            }
        }
        let media = sections.split_off(1);
        Self { session: sections.pop().unwrap_or_default(), media }
    }

    /// The o-line's fields, where it has six.
    pub fn origin(&self) -> Option<Origin<'a>> {
        let fields: Vec<&str> = self.session.line('o')?.value.split(' ').collect();
        let [username, session_id, version, network, kind, address] = fields[..] else { return None };
        Some(Origin { username, session_id, version, address: [network, kind, address] })
    }

    /// The groups of a kind (RFC 5888), each with its mids: `a=group:BUNDLE 0 1`.
    pub fn groups(&self, semantics: &str) -> Vec<Vec<&'a str>> {
        let values = self.session.values("group");
        values
            .filter_map(|value| {
                let mut words = value.split_ascii_whitespace();
                words.next().filter(|word| *word == semantics).map(|_| words.collect())
            })
            .collect()
    }

    /// The section with this mid.
    pub fn by_mid(&self, mid: &str) -> Option<&Section<'a>> {
        self.media.iter().find(|section| section.mid() == Some(mid))
    }

    /// The value of an attribute of a section, or of the session where the section has none of its own (RFC 8866
    /// section 5.13).
    pub fn inherited(&self, section: &Section<'a>, name: &str) -> Option<&'a str> {
        section.value(name).or_else(|| self.session.value(name))
    }

    /// The ICE user fragment and password that are in force for a section (RFC 8839 section 5.4).
    pub fn ice_credentials(&self, section: &Section<'a>) -> (Option<&'a str>, Option<&'a str>) {
        (self.inherited(section, "ice-ufrag"), self.inherited(section, "ice-pwd"))
    }

    /// The fingerprints that are in force for a section (RFC 8122 section 5).
    pub fn fingerprints(&self, section: &Section<'a>) -> Vec<Fingerprint<'a>> {
        let own = section.fingerprints();
        if own.is_empty() { self.session.fingerprints() } else { own }
    }

    /// The direction that is in force for a section; sendrecv unless said otherwise (RFC 8866 section 6.7).
    pub fn direction(&self, section: &Section<'a>) -> Direction {
        section.own_direction().or_else(|| self.session.own_direction()).unwrap_or(Direction::SendRecv)
    }

    /// Whether candidates may come one by one: `a=ice-options:trickle` of the session or of a section (RFC 8838
    /// section 3, RFC 8839 section 5.6).
    pub fn trickles(&self) -> bool {
        std::iter::once(&self.session)
            .chain(&self.media)
            .flat_map(|section| section.values("ice-options"))
            .any(|value| value.split_ascii_whitespace().any(|option| option == "trickle"))
    }

    /// Whether a section's transport is that of another one: it is in a BUNDLE group, and not its first (RFC 9143
    /// section 7). Such a section needs no transport attributes of its own in an answer.
    pub fn is_bundled(&self, section: &Section<'a>) -> bool {
        let Some(mid) = section.mid() else { return false };
        self.groups("BUNDLE").iter().any(|group| group.iter().skip(1).any(|other| *other == mid))
    }
}

#[cfg(test)]
mod tests;
