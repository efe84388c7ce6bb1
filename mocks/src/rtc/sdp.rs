//! SDP as text (RFC 8866): what the mock host must know of a description before it hands it to the engine, and the
//! few edits that defects make. Lines keep their order and their endings.

use fincert_schemas::format::sdp::{self, Sdp};

/// Why a description cannot be set, or nothing: its lines can be read (RFC 8866 section 5), and each accepted m-section
/// has a mid, ICE credentials and a fingerprint, its own or the session's (RFC 9429 section 5.8.3).
///
/// What only breaks good form, such as line ends or the order of lines, is let pass as the stacks of the field do.
pub(crate) fn fault(text: &str) -> Option<String> {
    const FATAL: [&str; 5] = ["empty", "version-first", "line-form", "missing", "media"];
    if let Some(fault) = sdp::faults(text).into_iter().find(|fault| FATAL.contains(&fault.rule)) {
        return Some(format!("line {} of the SDP: {}", fault.line, fault.message.en));
    }
    let read = Sdp::read(text);
    for (index, section) in read.media.iter().enumerate().filter(|(_, section)| !section.is_rejected()) {
        let (ufrag, pwd) = read.ice_credentials(section);
        let parts = [
            ("mid", section.mid().is_some()),
            ("ice-ufrag", ufrag.is_some()),
            ("ice-pwd", pwd.is_some()),
            ("fingerprint", !read.fingerprints(section).is_empty()),
        ];
        if let Some((name, _)) = parts.into_iter().find(|(_, there)| !there) {
            return Some(format!("m-section {} of the SDP lacks a={name}", index + 1));
        }
    }
    None
}

/// The first ICE user fragment of a description.
pub(crate) fn ufrag(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))
}

/// The lines before the first m-line.
fn session(text: &str) -> &str {
    text.find("\nm=").map_or(text, |at| &text[..=at])
}

/// The m-sections as they stand in the text.
pub(crate) fn sections(text: &str) -> Vec<&str> {
    let mut rest = &text[session(text).len()..];
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (section, next) = rest.split_at(rest.find("\nm=").map_or(rest.len(), |at| at + 1));
        all.push(section);
        rest = next;
    }
    all
}

/// Changes each line; `None` takes it away. What a line becomes may hold line breaks of its own.
pub(crate) fn lines(sdp: &str, mut change: impl FnMut(&str) -> Option<String>) -> String {
    sdp.split_inclusive('\n').fold(String::with_capacity(sdp.len()), |mut out, whole| {
        let line = whole.trim_end_matches(['\r', '\n']);
        if let Some(new) = change(line) {
            out += &new;
            out += &whole[line.len()..];
        }
        out
    })
}

/// Changes the m-sections, and leaves the session's lines alone.
pub(crate) fn each_section(text: &str, change: impl FnMut(&str) -> String) -> String {
    sections(text).into_iter().map(change).fold(session(text).to_owned(), |out, section| out + &section)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
        a=group:BUNDLE 0 1\r\na=fingerprint:sha-256 AA:BB:CC\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n\
        a=setup:actpass\r\na=mid:0\r\na=sendrecv\r\na=msid:stream track-a\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcdefgh\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n\
        a=setup:actpass\r\na=mid:1\r\na=sendrecv\r\na=msid:stream track-v\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n";

    #[test]
    fn a_description_is_taken_apart_and_put_together() {
        let parts = sections(OFFER);
        assert!(parts.len() == 2 && parts[0].starts_with("m=audio ") && parts[1].starts_with("m=video "));
        assert_eq!(each_section(OFFER, str::to_owned), OFFER);
        assert_eq!(lines(OFFER, |line| Some(line.to_owned())), OFFER);
        assert_eq!(lines("a=1\nb=2", |line| (line != "a=1").then(|| line.to_owned())), "b=2");
        assert_eq!(ufrag(OFFER), Some("abcdefgh"));
    }

    #[test]
    fn what_cannot_be_set_is_told_apart() {
        assert_eq!(fault(OFFER), None);
        assert_eq!(fault("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"), None);
        for (name, wanted) in [("ice-ufrag", "a=ice-ufrag"), ("fingerprint", "a=fingerprint"), ("mid", "a=mid")] {
            let less = lines(OFFER, |line| (!line.starts_with(&format!("a={name}"))).then(|| line.to_owned()));
            assert!(fault(&less).unwrap().contains(wanted), "{name}");
        }
        for garbage in ["", "hello", "v=0", "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n", "{\"v\":0}"] {
            assert!(fault(garbage).is_some(), "{garbage}");
        }
        assert!(fault(&OFFER.replace("s=-", "s=-\r\nnot a line")).is_some());
    }
}
