//! Deliberate changes of fincert's own SDP, for what must be refused or rejected.

/// Every line but those that begin so.
fn without(sdp: &str, beginnings: &[&str]) -> String {
    sdp.split_inclusive("\r\n").filter(|line| !beginnings.iter().any(|start| line.starts_with(start))).collect()
}

/// The description without its ICE user fragment (RFC 8839 section 5.4).
pub(super) fn without_ufrag(sdp: &str) -> String {
    without(sdp, &["a=ice-ufrag:"])
}

/// The description without its fingerprint (RFC 8122).
pub(super) fn without_fingerprint(sdp: &str) -> String {
    without(sdp, &["a=fingerprint:"])
}

/// The video m-line offers one codec, which nobody has: it must be rejected with port 0 (RFC 9429 section 5.3.1).
pub(super) fn unsupported_codec(sdp: &str) -> String {
    let mut video = false;
    let mut out = String::with_capacity(sdp.len());
    for line in sdp.split_inclusive("\r\n") {
        if line.starts_with("m=") {
            video = line.starts_with("m=video");
            if video {
                let words: Vec<&str> = line.trim_end().splitn(4, ' ').take(3).collect();
                out.push_str(&format!("{} 120\r\n", words.join(" ")));
                continue;
            }
        }
        let of_codec = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().any(|start| line.starts_with(start));
        if video && of_codec {
            continue;
        }
        out.push_str(line);
        if video && line.starts_with("a=mid:") {
            out.push_str("a=rtpmap:120 x-fincert-none/90000\r\n");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDP: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:u\r\na=fingerprint:sha-256 00\r\na=rtpmap:111 opus/48000/2\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:1\r\na=ice-ufrag:u\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n";

    #[test]
    fn just_what_is_named_goes() {
        assert_eq!(without_ufrag(SDP).matches("ice-ufrag").count(), 0);
        assert_eq!(without_fingerprint(SDP).matches("fingerprint").count(), 0);
        let other = unsupported_codec(SDP);
        assert!(other.contains("m=video 9 UDP/TLS/RTP/SAVPF 120\r\na=mid:1\r\na=rtpmap:120 x-fincert-none/90000\r\n"));
        assert!(other.contains("a=rtpmap:111 opus") && !other.contains("VP8") && !other.contains("a=rtcp-fb:96"));
    }
}
