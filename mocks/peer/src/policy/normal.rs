//! What the crate is given of a remote description.
//!
//! It reads the direction of an m-line only where it is said, takes its candidates as they are, stumbles over formats
//! without rtpmap, over extmaps that are no URL, over m-lines of kinds that it does not know, and over a sender without
//! SSRC where there is more than one m-line. None of it is a fault of the other end.

use url::Url;

use super::candidate;
use super::text::{Lines, Text, attribute, direction, has, is_media, is_rejected, remove, set_direction, value, words};

/// What is said of the transport.
const TRANSPORT: [&str; 3] = ["ice-ufrag", "ice-pwd", "fingerprint"];

/// A description for the crate. `known` says whether the crate has an m-line of this mid already.
pub(crate) fn normal(remote: &Text, known: impl Fn(&str) -> bool) -> String {
    let mut text = remote.clone();
    candidate::strip(&mut text);
    let setup = remote.media.iter().chain([&remote.session]).find_map(|lines| value(lines, "setup"));
    text.media.retain(|lines| {
        let mid = value(lines, "mid").unwrap_or_default();
        !mid.is_empty() && is_known(lines) && (!is_rejected(lines) || known(mid))
    });
    for lines in &mut text.media {
        if is_media(lines) {
            let says = if is_rejected(lines) { "inactive" } else { direction(&remote.session, lines) };
            set_direction(lines, says);
            formats(lines);
            lines.retain(|line| attribute(line, "extmap").is_none_or(is_extmap));
            if !has(lines, "ssrc") && !has(lines, "rid") {
                remove(lines, "msid");
            }
        }
        for name in TRANSPORT {
            remove(lines, name);
        }
        if let (false, Some(setup)) = (has(lines, "setup"), setup) {
            lines.push(format!("a=setup:{setup}"));
        }
    }
    // One transport for all (the judge has seen to it), said once: the crate takes no conflict.
    for name in TRANSPORT {
        remove(&mut text.session, name);
    }
    text.session.extend(transport(remote));
    text.write()
}

/// The lines of the transport, each once; of several fingerprints the SHA-256 one, which the crate knows.
fn transport(remote: &Text) -> Lines {
    let parts: Vec<&Lines> = remote.media.iter().filter(|lines| !is_rejected(lines)).chain([&remote.session]).collect();
    let mut found = Lines::new();
    for name in ["ice-ufrag", "ice-pwd"] {
        found.extend(parts.iter().find_map(|lines| value(lines, name)).map(|value| format!("a={name}:{value}")));
    }
    let fingerprints = || parts.iter().flat_map(|lines| lines.iter()).filter_map(|line| attribute(line, "fingerprint"));
    let sha256 = |value: &&str| value.to_ascii_lowercase().starts_with("sha-256 ");
    if let Some((hash, value)) =
        fingerprints().find(sha256).or_else(|| fingerprints().next()).and_then(|f| f.split_once(' '))
    {
        found.push(format!("a=fingerprint:{} {}", hash.to_ascii_lowercase(), value.trim()));
    }
    found
}

/// Whether the crate can make something of an m-line. It fails to answer one that it has a sender for, but no codec.
fn is_known(lines: &[String]) -> bool {
    let words = words(lines);
    match words.first() {
        Some(&"application") => words.get(3..) == Some(&["webrtc-datachannel"]),
        Some(&("audio" | "video")) => is_rejected(lines) || codecs(lines).any(|(_, name)| is_own(name)),
        _ => false,
    }
}

/// The codecs of `rtc/settings.rs`.
fn is_own(name: &str) -> bool {
    ["opus", "VP8", "H264"].iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Formats and the names of their codecs.
fn codecs(lines: &[String]) -> impl Iterator<Item = (&str, &str)> {
    let maps = lines.iter().filter_map(|line| attribute(line, "rtpmap")).filter_map(|value| value.split_once(' '));
    maps.map(|(format, codec)| (format, codec.split('/').next().unwrap_or_default()))
}

/// Leaves the formats that an rtpmap explains.
fn formats(lines: &mut Lines) {
    let explained: Vec<&str> = codecs(lines).map(|(format, _)| format).collect();
    let words = words(lines);
    let (head, formats) = words.split_at(words.len().min(3));
    let kept: Vec<&str> =
        formats.iter().copied().filter(|f| f.parse::<u8>().is_ok() && explained.contains(f)).collect();
    let kept = if kept.is_empty() { vec!["0"] } else { kept };
    let line = format!("m={} {}", head.join(" "), kept.join(" "));
    lines[0] = line;
}

/// `a=extmap:3/sendonly urn:…`, with an id that fits a header (RFC 8285).
fn is_extmap(value: &str) -> bool {
    let mut words = value.split_whitespace();
    let id = words.next().and_then(|id| id.split('/').next()).and_then(|id| id.parse::<u16>().ok());
    id.is_some_and(|id| (1..=255).contains(&id)) && words.next().is_some_and(|uri| Url::parse(uri).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_crate_stumbles_over_is_gone() {
        let remote = Text::read(
            "v=0\r\na=sendonly\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\nm=text 9 x 1\r\na=mid:t\r\n\
             m=audio 9 x 111 13 8\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=extmap:1 urn:a:b\r\na=extmap:x y\r\n\
             a=msid:s t\r\na=fingerprint:sha-512 AA\r\na=fingerprint:SHA-256 BB\r\na=candidate:1 1 udp 1 ::1 9 typ host\r\n\
             m=video 0 x 96\r\na=mid:1\r\n",
        );
        let head = "v=0\r\na=sendonly\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 BB\r\n";
        let audio = "m=audio 9 x 111\r\na=mid:0\r\na=rtpmap:111 opus/48000/2\r\na=extmap:1 urn:a:b\r\na=sendonly\r\n";
        assert_eq!(normal(&remote, |_| false), format!("{head}{audio}"));
        let rejected = "m=video 0 x 0\r\na=mid:1\r\na=inactive\r\n";
        assert_eq!(normal(&remote, |mid| mid == "1"), format!("{head}{audio}{rejected}"));
        let speech = Text::read(&remote.write().replace("opus", "speech"));
        assert_eq!(normal(&speech, |_| false), head);
    }
}
