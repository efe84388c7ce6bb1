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

    /// An attribute of the section, or where it has none that of the session (RFC 8839 section 5.4, RFC 8842
    /// section 5).
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

    /// The origin's session id, its second field, below 2^62 (RFC 9429 section 5.2.1).
    pub(super) fn origin_id(&self) -> u64 {
        let origin = self.session.iter().find_map(|line| line.strip_prefix("o="));
        let id: Option<u64> = origin.and_then(|origin| origin.split(' ').nth(1)?.parse().ok());
        id.unwrap_or(1) & ((1 << 62) - 1)
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

    /// Names the origin: str0m writes version 2 always, but what changed is one more (RFC 9429 section 5.2.2).
    pub(super) fn set_origin(&mut self, id: u64, version: u64) {
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

    /// The description as str0m is to read it: without retransmission streams, since the evidence counts what is sent
    /// the first time, and with a format that it knows where an m-line is rejected (it wants an rtpmap for all others).
    pub(super) fn for_str0m(&self) -> String {
        let mut sdp = self.clone();
        for (section, given) in sdp.media.iter_mut().zip(&self.media) {
            section.drop_retransmissions();
            if self.is_rejected(given) && given.media_kind().is_some() && !given.has("a=rtpmap:") {
                section.0[0] = section.0[0].split(' ').take(3).chain(["0"]).collect::<Vec<_>>().join(" ");
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

    /// Takes out the formats of RFC 4588.
    fn drop_retransmissions(&mut self) {
        let rtx: Vec<_> =
            self.codecs().filter(|(_, name)| name.eq_ignore_ascii_case("rtx")).map(|(pt, _)| pt.to_string()).collect();
        let first = self.0[0].split(' ').enumerate();
        let kept = first.filter(|(index, word)| *index < 3 || !rtx.iter().any(|pt| pt == word)).map(|(_, word)| word);
        self.0[0] = kept.collect::<Vec<_>>().join(" ");
        self.0.retain(|line| {
            let format = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().find_map(|name| line.strip_prefix(name));
            let pt = format.and_then(|rest| rest.split(' ').next());
            !pt.is_some_and(|pt| rtx.iter().any(|it| it == pt))
        });
    }

    fn drop_repair(&mut self) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const SDP: &str = "v=0\r\no=x 7 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        a=msid-semantic: WMS a b\r\n\
        a=fingerprint:sha-256 AA:B0\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:uuuu\r\na=msid:a x\r\na=rtpmap:111 opus/48000/2\r\n\
        a=ssrc:5 msid:a x\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=recvonly\r\na=msid:b y\r\na=ssrc:6 cname:c\r\n\
        a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n";

    fn sdp() -> Sdp {
        Sdp::read(SDP).unwrap()
    }

    #[test]
    fn what_is_read_is_written_again() {
        assert_eq!(sdp().to_string(), SDP);
        assert_eq!(Sdp::read(&SDP.replace("\r\n", "\n")).unwrap().to_string(), SDP);
    }

    #[test]
    fn port_0_within_a_bundle_is_no_rejection() {
        let sdp = sdp();
        assert!(!sdp.is_rejected(&sdp.media[1]));
        let alone = Sdp::read(&SDP.replace("BUNDLE 0 1", "BUNDLE 0")).unwrap();
        assert!(alone.is_rejected(&alone.media[1]));
        assert_eq!(alone.transport().unwrap().0, 0);
    }

    #[test]
    fn candidates_come_out_and_go_in() {
        let mut sdp = sdp();
        assert_eq!(sdp.take_candidates(), ["candidate:1 1 udp 1 127.0.0.1 9 typ host"]);
        assert!(!sdp.to_string().contains("candidate"));
        sdp.put_candidates(&["candidate:2 1 udp 1 127.0.0.1 9 typ host".into()], true);
        let text = sdp.to_string();
        let (audio, video) = text.split_once("m=video").unwrap();
        assert!(audio.ends_with("a=candidate:2 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"));
        assert!(!video.contains("candidate"));
    }

    #[test]
    fn one_stream_is_named_and_only_where_something_is_sent() {
        let mut sdp = sdp();
        sdp.set_streams("s");
        let text = sdp.to_string();
        assert!(text.contains("a=msid:s audio-s\r\n") && text.contains("a=ssrc:5 msid:s audio-s\r\n"));
        assert!(!text.contains("video-s") && !text.contains("a=ssrc:6") && !text.contains("a=msid:b"));
    }

    #[test]
    fn str0m_reads_no_retransmission_formats() {
        let text = sdp().for_str0m();
        assert!(text.contains("m=video 0 UDP/TLS/RTP/SAVPF 96\r\n"), "{text}");
        assert!(text.contains("a=rtcp-fb:96 nack\r\n") && !text.contains(":97"), "{text}");
    }

    #[test]
    fn a_false_fingerprint_has_the_form_of_a_true_one() {
        let mut sdp = sdp();
        sdp.falsify_fingerprint();
        assert_eq!(sdp.to_string(), SDP.replace("AA:B0", "AA:B1"));
    }

    #[test]
    fn mids_that_str0m_would_change_are_known() {
        let mid = |mid: &str| Sdp::read(&SDP.replace("a=mid:0", &format!("a=mid:{mid}"))).unwrap().media[0].str0m_mid();
        assert!(mid("audio_0").is_some());
        assert!(mid("audio-0").is_none() && mid("seventeen_letters").is_none());
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        assert!(Sdp::read(&format!("{SDP}{}", "a=x:y\r\n".repeat(MAX_BYTES / 7))).is_err());
        assert!(Sdp::read(&format!("{SDP}{}", "m=audio 9 RTP/AVP 0\r\n".repeat(MAX_SECTIONS))).is_err());
    }
}
