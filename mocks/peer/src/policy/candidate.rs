//! Notes 3: the crate's candidates have an empty mid, index 0 and no user fragment, its descriptions hold each twice
//! (component 2 beside a multiplexed RTCP), and only in the first m-section. So candidates are kept by us: they get the
//! first m-line in force, which is the transport of the whole bundle, and are put in descriptions when these are read.

use super::text::{Text, is_rejected, remove, value};
use crate::peer::Candidate;

/// What candidates of the description have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The mid of the bundle's transport.
    pub(crate) mid: Option<String>,
    /// Its index.
    pub(crate) index: u16,
    /// The user fragment.
    pub(crate) ufrag: Option<String>,
}

impl Place {
    /// The place that a local description has for them; `None` without an m-line in force.
    pub(crate) fn of(local: &Text) -> Option<Self> {
        let (index, lines) = local.media.iter().enumerate().find(|(_, lines)| !is_rejected(lines))?;
        let ufrag = value(lines, "ice-ufrag").or_else(|| value(&local.session, "ice-ufrag"));
        Some(Self {
            mid: value(lines, "mid").map(str::to_owned),
            index: index.try_into().ok()?,
            ufrag: ufrag.map(str::to_owned),
        })
    }

    /// A candidate of the crate's, `candidate:…` or without, as it is told.
    pub(crate) fn tell(&self, text: &str) -> Candidate {
        let bare = text.strip_prefix("candidate:").unwrap_or(text);
        Candidate {
            candidate: format!("candidate:{bare}"),
            sdp_mid: self.mid.clone(),
            sdp_m_line_index: Some(self.index),
            username_fragment: self.ufrag.clone(),
        }
    }
}

/// Takes candidates out of a description.
pub(crate) fn strip(text: &mut Text) {
    for lines in text.parts_mut() {
        remove(lines, "candidate");
        remove(lines, "end-of-candidates");
    }
}

/// Puts candidates in a description, and perhaps the end of them.
pub(crate) fn fill<'a>(text: &mut Text, candidates: impl Iterator<Item = &'a str>, ended: bool) {
    let Some(lines) = text.media.iter_mut().find(|lines| !is_rejected(lines)) else { return };
    lines.extend(candidates.map(|candidate| format!("a={candidate}")));
    if ended {
        lines.push("a=end-of-candidates".to_owned());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SDP: &str = "v=0\r\nm=text 0 x 0\r\na=mid:a\r\nm=audio 9 x 0\r\na=mid:b\r\na=ice-ufrag:frag\r\n";

    #[test]
    fn a_candidate_names_its_m_line_and_user_fragment() {
        let told = Place::of(&Text::read(SDP)).unwrap().tell("1 1 udp 1 ::1 9 typ host");
        assert_eq!(told.candidate, "candidate:1 1 udp 1 ::1 9 typ host");
        assert_eq!((told.sdp_mid.as_deref(), told.sdp_m_line_index), (Some("b"), Some(1)));
        assert_eq!(told.username_fragment.as_deref(), Some("frag"));
    }

    #[test]
    fn descriptions_hold_each_candidate_once() {
        let mut text = Text::read(&format!(
            "{SDP}a=candidate:1 1 udp 1 ::1 9 typ host\r\na=candidate:1 2 udp 1 ::1 9 typ host\r\n"
        ));
        strip(&mut text);
        assert_eq!(text.write(), SDP);
        fill(&mut text, ["candidate:1 1 udp 1 ::1 9 typ host"].into_iter(), true);
        assert_eq!(text.write(), format!("{SDP}a=candidate:1 1 udp 1 ::1 9 typ host\r\na=end-of-candidates\r\n"));
    }
}
