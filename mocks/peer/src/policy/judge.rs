//! Notes 7: the crate takes offers without rtcp-mux, and finds some faults only after it has changed its state. So a
//! remote description is judged before the crate sees it: one that is refused leaves everything as it was (W3C
//! webrtc-pc 4.4.1.5), and one that is taken holds nothing that the crate stumbles over.

use std::collections::HashSet;

use super::text::{Text, has, is_media, is_rejected, value, words};
use crate::peer::{PeerError, SdpKind};

/// The largest description that is read.
pub(crate) const MAX_SDP: usize = 256 * 1024;
/// At most so many m-lines are taken.
const MAX_MEDIA: usize = 64;

/// Judges a remote description. An answer is compared with the offer that it answers.
pub(crate) fn remote(kind: SdpKind, sdp: &str, offer: Option<&Text>) -> Result<Text, PeerError> {
    let text = read(sdp)?;
    if text.media.is_empty() {
        return Err(malformed("there is no m-line"));
    }
    if text.media.len() > MAX_MEDIA {
        return Err(malformed(format!("there are more than {MAX_MEDIA} m-lines")));
    }
    if let Some(offer) = offer {
        answers(&text, offer)?;
    }
    let mut mids = HashSet::new();
    for (index, lines) in text.media.iter().enumerate() {
        if words(lines).len() < 4 {
            return Err(malformed(format!("m-line {index} has fewer than four words")));
        }
        if let Some(mid) = value(lines, "mid")
            && !mids.insert(mid)
        {
            return Err(malformed(format!("the mid {mid} stands twice")));
        }
        if !is_rejected(lines) {
            in_force(kind, &text, index)?;
        }
    }
    one_transport(&text)?;
    Ok(text)
}

/// The lines that every description has, in the form of RFC 8866 section 5.
fn read(sdp: &str) -> Result<Text, PeerError> {
    if sdp.len() > MAX_SDP {
        return Err(malformed(format!("the description has more than {} KiB", MAX_SDP / 1024)));
    }
    let text = Text::read(sdp);
    if text.session.first().map(String::as_str) != Some("v=0") {
        return Err(malformed("the description does not begin with v=0"));
    }
    let formed = |line: &str| {
        let mut bytes = line.bytes();
        bytes.next().is_some_and(|kind| kind.is_ascii_lowercase()) && bytes.next() == Some(b'=')
    };
    if let Some(line) = text.session.iter().chain(text.media.iter().flatten()).find(|line| !formed(line)) {
        return Err(malformed(format!("a line is not of the form x=…: {}", crate::address::short(line))));
    }
    for kind in ["o=", "s=", "t="] {
        if !text.session.iter().any(|line| line.starts_with(kind)) {
            return Err(malformed(format!("the line {kind} is missing")));
        }
    }
    Ok(text)
}

/// The m-lines of an answer are those of its offer (RFC 3264 section 6).
fn answers(text: &Text, offer: &Text) -> Result<(), PeerError> {
    if text.media.len() != offer.media.len() {
        let (found, asked) = (text.media.len(), offer.media.len());
        return Err(malformed(format!("the answer has {found} m-lines, its offer {asked}")));
    }
    for (index, (lines, asked)) in text.media.iter().zip(&offer.media).enumerate() {
        if words(lines).first() != words(asked).first() {
            return Err(malformed(format!("m-line {index} is of another kind than in the offer")));
        }
        if !is_rejected(lines) && value(lines, "mid") != value(asked, "mid") {
            return Err(malformed(format!("m-line {index} has another mid than in the offer")));
        }
    }
    Ok(())
}

/// What an m-line in force needs.
fn in_force(kind: SdpKind, text: &Text, index: usize) -> Result<(), PeerError> {
    let lines = &text.media[index];
    if value(lines, "mid").is_none_or(str::is_empty) {
        return Err(malformed(format!("m-line {index} has no mid")));
    }
    let (tag, bundled) = transport(text, index);
    let of_transport = |name| value(lines, name).or_else(|| value(tag, name)).or_else(|| value(&text.session, name));
    // RFC 8839 section 5.4: 4 and 22 characters at least, 256 at most.
    for (name, least) in [("ice-ufrag", 4), ("ice-pwd", 22)] {
        let length = of_transport(name).map_or(0, str::len);
        if !(least..=256).contains(&length) {
            return Err(malformed(format!("m-line {index} has no {name} of {least} to 256 characters")));
        }
    }
    if of_transport("fingerprint").and_then(|value| value.trim().split_once(' ')).is_none() {
        return Err(malformed(format!("m-line {index} has no fingerprint")));
    }
    let setup = of_transport("setup").unwrap_or("actpass");
    let known = match kind {
        SdpKind::Answer => matches!(setup, "active" | "passive"),
        _ => matches!(setup, "actpass" | "active" | "passive"),
    };
    if !known {
        return Err(malformed(format!("m-line {index} says setup:{}", crate::address::short(setup))));
    }
    // `require` is the only policy (RFC 9429 section 4.1.1). Sections within a bundle inherit it in practice.
    if is_media(lines) && !bundled && !has(lines, "rtcp-mux") {
        return Err(malformed(format!("m-line {index} has no rtcp-mux")));
    }
    Ok(())
}

/// The m-line whose transport an m-line uses, and whether that is another one (RFC 9143 section 7).
fn transport(text: &Text, index: usize) -> (&[String], bool) {
    let lines = &text.media[index];
    let mid = value(lines, "mid").unwrap_or_default();
    let groups = text.session.iter().filter_map(|line| super::text::attribute(line, "group"));
    for group in groups.filter_map(|group| group.strip_prefix("BUNDLE ")) {
        let mut mids = group.split_whitespace();
        let tag = mids.next().unwrap_or_default();
        if mids.any(|other| other == mid) {
            return (text.by_mid(tag).map_or(lines, |lines| lines), true);
        }
    }
    (lines, false)
}

/// The crate has one transport: a description with several, that are not bundled, is beyond it.
fn one_transport(text: &Text) -> Result<(), PeerError> {
    for name in ["ice-ufrag", "ice-pwd"] {
        let parts = text.media.iter().filter(|lines| !is_rejected(lines));
        let values: HashSet<&str> = parts.filter_map(|lines| value(lines, name)).collect();
        if values.len() > 1 {
            return Err(PeerError::Unable(format!("m-lines have transports of their own (several {name})")));
        }
    }
    Ok(())
}

fn malformed(why: impl Into<String>) -> PeerError {
    PeerError::Malformed(why.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n\
        a=fingerprint:sha-256 AB:CD\r\na=setup:actpass\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\n";

    fn judged(sdp: &str) -> Result<Text, PeerError> {
        remote(SdpKind::Offer, sdp, None)
    }

    #[test]
    fn an_offer_of_one_bundle_is_taken() {
        assert!(judged(OFFER).is_ok());
    }

    #[test]
    fn what_lacks_something_is_refused() {
        for lacking in [
            "a=ice-ufrag:abcd\r\n",
            "a=ice-pwd:abcdefghijklmnopqrstuv\r\n",
            "a=fingerprint:sha-256 AB:CD\r\n",
            "a=rtcp-mux\r\n",
            "a=mid:0\r\n",
            "v=0\r\n",
            "s=-\r\n",
            "t=0 0\r\n",
        ] {
            assert!(matches!(judged(&OFFER.replace(lacking, "")), Err(PeerError::Malformed(_))), "{lacking}");
        }
        for nonsense in
            ["", "garbage", "v=0\r\n", &OFFER.replace("a=mid:1", "a=mid:0"), &OFFER.replace("abcd\r\n", "abc\r\n")]
        {
            assert!(matches!(judged(nonsense), Err(PeerError::Malformed(_))), "{nonsense}");
        }
        let large = format!("{OFFER}{}", "a=x\r\n".repeat(MAX_SDP / 5));
        assert!(matches!(judged(&large), Err(PeerError::Malformed(_))));
    }

    #[test]
    fn an_answer_fits_its_offer() {
        let offer = Text::read(OFFER);
        let answer = OFFER.replace("actpass", "active");
        let judged = |sdp: &str| remote(SdpKind::Answer, sdp, Some(&offer));
        assert!(judged(&answer).is_ok());
        assert!(judged(OFFER).is_err(), "an answer with actpass");
        assert!(judged(&answer.replace("m=video", "m=audio")).is_err());
        assert!(judged(&answer.replace("a=mid:1", "a=mid:7")).is_err());
        let shorter = answer.split("m=video").next().unwrap();
        assert!(judged(shorter).is_err());
    }
}
