//! Session descriptions as lines: what the referee reads of a remote one, and what it changes in its own.
//!
//! str0m writes and parses SDP itself. What is done here is only what JSEP (RFC 9429) asks for and str0m leaves to its
//! user: candidates apart from the description, directions by the tracks that were added, the version of the origin.

use std::fmt;

use fincert_schemas::run::flow::MediaKind;
use str0m::media::{Direction, Mid};

/// A description that is read may be this long.
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// A description may have this many m-lines.
const MAX_SECTIONS: usize = 64;

/// A description: the lines of the session, and those of each m-line.
#[derive(Debug, Clone)]
pub(super) struct Sdp {
    pub(super) session: Vec<String>,
    pub(super) media: Vec<Section>,
}

/// The lines of one m-line, which comes first.
#[derive(Debug, Clone)]
pub(super) struct Section(Vec<String>);

impl Sdp {
    /// Splits a description. Its content is str0m's to judge.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.len() > MAX_BYTES {
            return Err(format!("the description has {} bytes, more than {MAX_BYTES}", text.len()));
        }
        let mut sdp = Self { session: Vec::new(), media: Vec::new() };
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            if line.starts_with("m=") {
                sdp.media.push(Section(Vec::new()));
            }
            match sdp.media.last_mut() {
                Some(section) => section.0.push(line.to_owned()),
                None => sdp.session.push(line.to_owned()),
            }
        }
        if sdp.session.first().is_none_or(|line| line != "v=0") {
            return Err("the description does not begin with v=0".into());
        }
        if sdp.media.len() > MAX_SECTIONS {
            return Err(format!("the description has {} m-lines, more than {MAX_SECTIONS}", sdp.media.len()));
        }
        Ok(sdp)
    }

    /// An attribute of the session that has a value.
    fn value(&self, name: &str) -> Option<&str> {
        value(&self.session, name)
    }

    /// An attribute of the section, or where it has none that of the session (RFC 8839 section 5.4, RFC 8842 section 5).
    pub(super) fn value_for<'a>(&'a self, section: &'a Section, name: &str) -> Option<&'a str> {
        section.value(name).or_else(|| self.value(name))
    }

    /// The section that carries the transport: the first that is not rejected.
    pub(super) fn transport(&self) -> Option<(usize, &Section)> {
        self.media.iter().enumerate().find(|(_, section)| !self.is_rejected(section))
    }

    /// Port 0 rejects, except within a bundle, where it says that another m-line has the address (RFC 9143 section 6).
    pub(super) fn is_rejected(&self, section: &Section) -> bool {
        let bundled = self.value("group").is_some_and(|group| {
            let mut words = group.split_whitespace();
            words.next() == Some("BUNDLE") && section.mid().is_some_and(|mid| words.any(|word| word == mid))
        });
        section.port() == Some(0) && !bundled
    }

    /// The ICE user fragment.
    pub(super) fn ufrag(&self) -> Option<&str> {
        self.transport().and_then(|(_, section)| self.value_for(section, "ice-ufrag"))
    }

    /// The origin's session id, its second field.
    pub(super) fn origin_id(&self) -> Option<&str> {
        self.session.iter().find_map(|line| line.strip_prefix("o=")).and_then(|line| line.split_whitespace().nth(1))
    }

    /// Takes all candidates out.
    pub(super) fn take_candidates(&mut self) -> Vec<String> {
        let mut candidates = Vec::new();
        let mut take = |lines: &mut Vec<String>| {
            lines.retain(|line| {
                if let Some(candidate) = line.strip_prefix("a=candidate:") {
                    candidates.push(format!("candidate:{candidate}"));
                    return false;
                }
                line != "a=end-of-candidates"
            });
        };
        take(&mut self.session);
        for section in &mut self.media {
            take(&mut section.0);
        }
        candidates
    }

    /// Puts the gathered candidates where the transport is.
    pub(super) fn put_candidates(&mut self, candidates: &[String], end: bool) {
        let Some(index) = self.transport().map(|(index, _)| index) else { return };
        let lines = &mut self.media[index].0;
        lines.extend(candidates.iter().map(|candidate| format!("a={candidate}")));
        if end {
            lines.push("a=end-of-candidates".into());
        }
    }

    /// Names the origin: str0m writes version 2 always, but each new description increments it (RFC 9429 section 5.2.2).
    pub(super) fn set_origin(&mut self, id: &str, version: u64) {
        for line in self.session.iter_mut().filter(|line| line.starts_with("o=")) {
            *line = format!("o=- {id} {version} IN IP4 127.0.0.1");
        }
    }

    /// Names one stream for both tracks, and says nothing of tracks where nothing is sent (RFC 8830, RFC 9429
    /// section 5.2.1). str0m invents a stream for every m-line, and an SSRC for retransmissions that are not offered.
    pub(super) fn set_streams(&mut self, stream: &str) {
        for line in self.session.iter_mut().filter(|line| line.starts_with("a=msid-semantic")) {
            *line = "a=msid-semantic: WMS *".into();
        }
        for section in &mut self.media {
            let track = format!("{stream} {}-{stream}", section.kind());
            section.drop_repair();
            if section.direction().is_sending() {
                for line in &mut section.0 {
                    if line.starts_with("a=msid:") {
                        *line = format!("a=msid:{track}");
                    } else if let Some((ssrc, _)) = line.split_once(" msid:") {
                        *line = format!("{ssrc} msid:{track}");
                    }
                }
            } else {
                section.0.retain(|line| !["a=msid:", "a=ssrc:", "a=ssrc-group:"].iter().any(|it| line.starts_with(it)));
            }
        }
    }

    /// The description as str0m reads it: it wants an rtpmap for every format, though a rejected m-line needs none.
    pub(super) fn for_str0m(&self) -> String {
        let mut sdp = self.clone();
        let rejected: Vec<_> = self.media.iter().map(|section| self.is_rejected(section)).collect();
        for (section, rejected) in sdp.media.iter_mut().zip(rejected) {
            if rejected && !section.has("a=rtpmap:") && section.media_kind().is_some() {
                let words: Vec<_> = section.0[0].split(' ').take(3).chain(["0"]).collect();
                section.0[0] = words.join(" ");
            }
        }
        sdp.to_string()
    }

    /// Names a certificate that this peer does not have.
    pub(super) fn falsify_fingerprint(&mut self) {
        let lines = self.session.iter_mut().chain(self.media.iter_mut().flat_map(|section| &mut section.0));
        for line in lines.filter(|line| line.starts_with("a=fingerprint:")) {
            // The last digit alone: the form stays right.
            let other = if line.ends_with('0') { '1' } else { '0' };
            line.pop();
            line.push(other);
        }
    }

    /// Rejects m-lines without a codec as RFC 9429 section 5.3.1 has it: port 0, and the offer's formats. str0m writes
    /// format 0 for them, and a direction.
    pub(super) fn reject_empty(&mut self, offer: &Sdp) {
        let mut rejected = Vec::new();
        for (section, offered) in self.media.iter_mut().zip(&offer.media) {
            if section.media_kind().is_none() || section.has("a=rtpmap:") {
                continue;
            }
            rejected.extend(section.mid().map(str::to_owned));
            section.set_direction(Direction::Inactive);
            let mut words: Vec<_> = offered.0[0].split(' ').collect();
            if words.len() > 1 {
                words[1] = "0";
            }
            section.0[0] = words.join(" ");
        }
        for line in self.session.iter_mut().filter(|line| line.starts_with("a=group:BUNDLE")) {
            let kept: Vec<_> = line.split(' ').filter(|mid| !rejected.iter().any(|it| it == mid)).collect();
            *line = kept.join(" ");
        }
    }
}

impl fmt::Display for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.session.iter().chain(self.media.iter().flat_map(|section| &section.0));
        lines.into_iter().try_for_each(|line| write!(f, "{line}\r\n"))
    }
}

impl Section {
    fn has(&self, prefix: &str) -> bool {
        self.0.iter().any(|line| line.starts_with(prefix))
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        value(&self.0, name)
    }

    /// `audio`, `video`, `application`, ….
    pub(super) fn kind(&self) -> &str {
        self.0[0].trim_start_matches("m=").split(' ').next().unwrap_or_default()
    }

    pub(super) fn media_kind(&self) -> Option<MediaKind> {
        match self.kind() {
            "audio" => Some(MediaKind::Audio),
            "video" => Some(MediaKind::Video),
            _ => None,
        }
    }

    fn port(&self) -> Option<u16> {
        self.0[0].split(' ').nth(1).and_then(|port| port.split('/').next()).and_then(|port| port.parse().ok())
    }

    pub(super) fn mid(&self) -> Option<&str> {
        self.value("mid")
    }

    /// The mid as str0m keeps it, if it can: it knows 16 letters and digits, and `_`.
    pub(super) fn str0m_mid(&self) -> Option<Mid> {
        let text = self.mid()?;
        let mid = Mid::from(text);
        (*mid == *text).then_some(mid)
    }

    /// Without a line it is sendrecv (RFC 8866 section 6.7).
    pub(super) fn direction(&self) -> Direction {
        let word = self.0.iter().find_map(|line| {
            let word = line.strip_prefix("a=")?;
            ["sendrecv", "sendonly", "recvonly", "inactive"].into_iter().find(|it| *it == word)
        });
        word.map_or(Direction::SendRecv, Direction::from)
    }

    pub(super) fn set_direction(&mut self, direction: Direction) {
        let line = format!("a={direction}");
        let old = format!("a={}", self.direction());
        match self.0.iter_mut().find(|it| **it == old) {
            Some(place) => *place = line,
            None => self.0.push(line),
        }
    }

    fn drop_repair(&mut self) {
        if self.codecs().any(|(_, name)| name.eq_ignore_ascii_case("rtx")) {
            return;
        }
        let group = self.0.iter().find_map(|line| line.strip_prefix("a=ssrc-group:FID ")?.split(' ').nth(1));
        if let Some(repair) = group.map(|ssrc| format!("a=ssrc:{ssrc} ")) {
            self.0.retain(|line| !line.starts_with(&repair) && !line.starts_with("a=ssrc-group:FID "));
        }
    }

    /// Payload types and the names of their codecs.
    pub(super) fn codecs(&self) -> impl Iterator<Item = (u8, &str)> {
        self.0.iter().filter_map(|line| {
            let (pt, rest) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
            Some((pt.parse().ok()?, rest.split('/').next()?))
        })
    }
}

fn value<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines.iter().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}
