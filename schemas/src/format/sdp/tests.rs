use proptest::prelude::*;

use super::*;

/// What Chromium writes, shortened.
const OFFER: &str = "v=0\r\n\
o=- 4611731400430051336 2 IN IP4 127.0.0.1\r\n\
s=-\r\n\
t=0 0\r\n\
a=group:BUNDLE 0 1\r\n\
a=extmap-allow-mixed\r\n\
a=msid-semantic: WMS stream\r\n\
m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n\
c=IN IP4 0.0.0.0\r\n\
a=rtcp:9 IN IP4 0.0.0.0\r\n\
a=ice-ufrag:abcd\r\n\
a=ice-pwd:0123456789012345678901\r\n\
a=ice-options:trickle\r\n\
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
a=setup:actpass\r\n\
a=mid:0\r\n\
a=sendrecv\r\n\
a=msid:stream track\r\n\
a=rtcp-mux\r\n\
a=rtpmap:111 opus/48000/2\r\n\
a=rtpmap:0 PCMU/8000\r\n\
a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\n\
m=video 9 UDP/TLS/RTP/SAVPF 96\r\n\
c=IN IP4 0.0.0.0\r\n\
a=mid:1\r\n\
a=recvonly\r\n\
a=rtcp-mux\r\n\
a=rtpmap:96 VP8/90000\r\n";

fn rules(text: &str) -> Vec<&'static str> {
    faults(text).into_iter().map(|fault| fault.rule).collect()
}

#[test]
fn an_offer_reads() {
    let sdp = Sdp::read(OFFER);
    let origin = sdp.origin().unwrap();
    assert_eq!((origin.session_id, origin.version_number()), ("4611731400430051336", Some(2)));
    assert_eq!(sdp.groups("BUNDLE"), [vec!["0", "1"]]);
    assert!(sdp.trickles());
    let [audio, video] = &sdp.media[..] else { panic!("two m-sections") };
    assert_eq!((audio.kind(), audio.port(), audio.proto()), ("audio", Some(9), "UDP/TLS/RTP/SAVPF"));
    assert_eq!(audio.payload_types(), [111, 0]);
    assert_eq!(audio.codecs()[0], Codec { payload_type: 111, name: "opus", clock_rate: Some(48_000) });
    assert!(audio.has_codec("Opus") && !audio.has_codec("VP8") && video.has_codec("vp8"));
    assert_eq!(sdp.direction(audio), Direction::SendRecv);
    assert_eq!(sdp.direction(video), Direction::RecvOnly);
    assert_eq!(sdp.ice_credentials(audio), (Some("abcd"), Some("0123456789012345678901")));
    assert_eq!(sdp.ice_credentials(video), (None, None));
    assert!(sdp.fingerprints(audio)[0].is_sha256());
    assert!(sdp.is_bundled(video) && !sdp.is_bundled(audio));
    assert_eq!(audio.candidates().collect::<Vec<_>>(), ["candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host"]);
    assert_eq!(sdp.by_mid("1"), Some(video));
    assert!(audio.has("rtcp-mux") && audio.value("rtcp-mux") == Some(""));
}

#[test]
fn a_good_offer_has_no_fault() {
    assert_eq!(faults(OFFER), []);
    // Times with repetitions, a session-level connection and a session without a name.
    let text =
        "v=0\r\no=a 1 1 IN IP4 0.0.0.0\r\ns= \r\nc=IN IP4 0.0.0.0\r\nt=1 2\r\nr=1 2 3\r\nz=1 2\r\nt=3 4\r\na=x\r\n";
    assert_eq!(faults(text), []);
}

#[test]
fn each_fault_of_form_is_told() {
    let swap = |from: &str, to: &str| {
        assert!(OFFER.contains(from));
        rules(&OFFER.replacen(from, to, 1))
    };
    assert_eq!(rules(""), ["empty"]);
    assert_eq!(rules(&OFFER.replace("\r\n", "\n")), ["line-end"]);
    assert_eq!(rules(OFFER.trim_end()), ["line-end"]);
    assert_eq!(swap("v=0\r\n", "v=1\r\n"), ["version-first"]);
    assert_eq!(swap("s=-\r\nt=0 0\r\n", "t=0 0\r\ns=-\r\n"), ["order"]);
    assert_eq!(swap("t=0 0\r\n", ""), ["missing"]);
    assert_eq!(swap("s=-\r\n", "s=-\r\ns=-\r\n"), ["repeated"]);
    assert_eq!(swap("c=IN IP4 0.0.0.0\r\na=rtcp:9", "a=rtcp:9"), Vec::<&str>::new());
    assert_eq!(swap("a=rtcp-mux\r\n", "a=rtcp-mux\r\nc=IN IP4 0.0.0.0\r\n"), ["order"]);
    assert_eq!(swap("a=mid:1\r\n", "t=0 0\r\n"), ["order"]);
    assert_eq!(swap("a=mid:1\r\n", "r=0 0\r\n"), ["order"]);
    assert_eq!(swap("t=0 0\r\n", "z=0 0\r\nt=0 0\r\n"), ["order"]);
    assert_eq!(swap("a=mid:1\r\n", "\r\n"), ["line-form"]);
    assert_eq!(swap("a=mid:1\r\n", "a= mid:1\r\n"), ["line-form"]);
    assert_eq!(swap("a=mid:1\r\n", "x=mid:1\r\n"), ["line-type"]);
    assert_eq!(swap("o=- 4611731400430051336 2", "o=- 4611731400430051336"), ["origin"]);
    assert_eq!(swap("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video nine UDP/TLS/RTP/SAVPF 96"), ["media"]);
    assert!(rules("{\"sdp\": 1}").contains(&"version-first"));
}

#[test]
fn a_rejected_section_is_not_one_that_is_bundled_only() {
    let sdp = Sdp::read("m=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=bundle-only\r\nm=video 0 UDP/TLS/RTP/SAVPF 0\r\n");
    assert!(!sdp.media[0].is_rejected() && sdp.media[1].is_rejected());
}

#[test]
fn a_fingerprint_that_is_cut_is_none() {
    let of = |text: &'static str| Section { lines: lines(text).collect() }.fingerprints()[0].is_sha256();
    assert!(!of("a=fingerprint:sha-256 00:11\r\n"));
    assert!(!of("a=fingerprint:sha-1 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33\r\n"));
}

#[test]
fn what_is_read_is_bounded() {
    let text = "a=x\r\n".repeat(MAX_LINES + 10);
    assert_eq!(Sdp::read(&text).session.lines.len(), MAX_LINES);
    assert!(faults(&"?\n".repeat(100_000)).len() < 20);
}

fn hostile() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        any::<String>(),
        "[vostmac]=[ -~]{0,20}",
        "m=(audio|video) [0-9]{1,6}(/2)? [A-Z/]{0,20}( [0-9]{1,4}){0,4}",
        "a=(mid|setup|rtpmap|fingerprint|group|ice-ufrag|candidate):[ -~]{0,30}",
    ];
    proptest::collection::vec((line, prop_oneof![Just("\r\n"), Just("\n"), Just("\r"), Just("")]), 0..30)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

proptest! {
    #[test]
    fn no_text_panics_and_lines_join_to_the_text(text in hostile()) {
        let sdp = Sdp::read(&text);
        for section in sdp.media.iter().chain([&sdp.session]) {
            let _ = (section.codecs(), section.port(), section.is_rejected(), sdp.is_bundled(section));
            let _ = (sdp.direction(section), sdp.fingerprints(section), sdp.ice_credentials(section));
            let _ = section.candidates().count();
        }
        let _ = (sdp.origin(), sdp.groups("BUNDLE"), sdp.trickles());
        let _ = faults(&text);
        let again: String = lines(&text).map(|line| {
            let kind = line.kind.map(|kind| format!("{kind}=")).unwrap_or_default();
            let end = match line.end { LineEnd::CrLf => "\r\n", LineEnd::Lf => "\n", LineEnd::Missing => "" };
            format!("{kind}{}{end}", line.value)
        }).collect();
        prop_assert_eq!(again, text);
    }

    #[test]
    fn a_shuffled_order_is_a_fault(first in 0usize..4, second in 0usize..4) {
        prop_assume!(first != second);
        let mut head: Vec<&str> = OFFER.split_inclusive('\n').collect();
        head.swap(first, second);
        let rules = rules(&head.concat());
        prop_assert!(rules.contains(&"order") || rules.contains(&"version-first"));
    }
}
