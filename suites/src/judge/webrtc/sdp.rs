//! The target's session descriptions, each by itself: form, transport, fingerprint, codecs.

use fincert_schemas::Bilingual;
use fincert_schemas::format::sdp::Section;

use super::texts::{Said, Text, each, texts};
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-sdp-form",
        about: "The lines of the target's SDP are of the right form, in the right order, and end with CRLF.",
        requirements: &["webrtc.sdp.form"],
        run: |view, sink| ask(view, sink, "webrtc.sdp.form", form),
    },
    Check {
        id: "webrtc-sdp-profile",
        about: "The protocol of an audio or video m-line is UDP/TLS/RTP/SAVPF.",
        requirements: &["webrtc.sdp.profile"],
        run: |view, sink| ask(view, sink, "webrtc.sdp.profile", profile),
    },
    Check {
        id: "webrtc-sdp-setup",
        about: "An offer says setup:actpass, an answer setup:active or setup:passive.",
        requirements: &["webrtc.sdp.setup"],
        run: setups,
    },
    Check {
        id: "webrtc-sdp-ice-credentials",
        about: "The ICE user fragment has at least 4 characters and the password at least 22.",
        requirements: &["webrtc.sdp.ice-credentials"],
        run: |view, sink| ask(view, sink, "webrtc.sdp.ice-credentials", ice_credentials),
    },
    Check {
        id: "webrtc-sdp-fingerprint",
        about: "The SDP has a SHA-256 fingerprint.",
        requirements: &["webrtc.sdp.fingerprint"],
        run: |view, sink| ask(view, sink, "webrtc.sdp.fingerprint", fingerprint),
    },
    Check {
        id: "webrtc-sdp-bundle",
        about: "The m-lines are grouped by BUNDLE.",
        requirements: &["webrtc.sdp.bundle"],
        run: |view, sink| ask(view, sink, "webrtc.sdp.bundle", bundle),
    },
    Check {
        id: "webrtc-sdp-rtcp-mux",
        about: "An audio or video m-line has rtcp-mux.",
        requirements: &["webrtc.sdp.rtcp-mux"],
        run: |view, sink| ask(view, sink, "webrtc.sdp.rtcp-mux", rtcp_mux),
    },
    Check {
        id: "webrtc-sdp-codecs",
        about: "An offer has Opus, and VP8 or H.264.",
        requirements: &["webrtc.sdp.codecs"],
        run: |view, sink| ask(view, sink, "webrtc.sdp.codecs", codecs),
    },
];

fn ask(view: &View<'_>, sink: &mut Sink<'_>, requirement: &str, judge: fn(&Text<'_>) -> Said) {
    if let Some(rtc) = &view.rtc {
        each(texts(rtc), sink, requirement, judge);
    }
}

fn form(text: &Text<'_>) -> Said {
    let faults = text.read.faults();
    let Some(first) = faults.first() else { return Said::Holds };
    let more = if faults.len() > 1 { format!(" ({} faults in all)", faults.len()) } else { String::new() };
    Said::Breaks(Broken {
        cause: format!("webrtc:sdp-form:{}", first.rule),
        actual: format!("line {} of the {}: {}{more}", first.line, text.kind, first.message.en),
        hint: Some(first.message.clone()),
        ..Broken::default()
    })
}

fn profile(text: &Text<'_>) -> Said {
    const PROTO: &str = "UDP/TLS/RTP/SAVPF";
    let mut media = text.read.media.iter().filter(|section| section.is_media()).peekable();
    if media.peek().is_none() {
        return Said::Nothing;
    }
    let Some(wrong) = media.find(|section| section.proto() != PROTO) else { return Said::Holds };
    Said::Breaks(Broken {
        cause: "webrtc:sdp-profile".to_owned(),
        expected: Some(Bilingual::new(PROTO, PROTO)),
        actual: format!("{}: \"{}\"", text.place(wrong), wrong.proto()),
        ..Broken::default()
    })
}

/// The requirement speaks of offers and of answers: a flow that shows both, from this end, shows that it holds.
fn setups(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.sdp.setup";
    let Some(rtc) = &view.rtc else { return };
    let texts = texts(rtc);
    let good = |kind: &str| texts.iter().any(|text| text.kind == kind && matches!(setup(text), Said::Holds));
    if good("offer") && good("answer") {
        sink.holds(REQUIREMENT);
    }
    each(texts, sink, REQUIREMENT, |text| match setup(text) {
        Said::Holds => Said::Nothing,
        other => other,
    });
}

fn setup(text: &Text<'_>) -> Said {
    let mut any = false;
    for section in text.carriers() {
        any = true;
        let value = text.read.inherited(section, "setup");
        let (good, zh, en) = match (text.kind, text.is_first) {
            ("answer", _) => (matches!(value, Some("active" | "passive")), "active 或 passive", "active or passive"),
            (_, true) => (value == Some("actpass"), "actpass", "actpass"),
            // A later offer may also name the role that the end has (RFC 8842 section 5.5).
            _ => (
                matches!(value, Some("actpass" | "active" | "passive")),
                "actpass，或当前的角色",
                "actpass, or the role at present",
            ),
        };
        if !good {
            let said = value.map_or_else(|| "no a=setup".to_owned(), |value| format!("a=setup:{value}"));
            let hint = (text.kind == "answer" && value == Some("actpass")).then(|| {
                Bilingual::new(
                    "answer 的 a=setup 为 actpass：由应答方选定角色，不能再留给对端。",
                    "The answer's a=setup is actpass: the end that answers chooses the role and cannot leave it open.",
                )
            });
            return Said::Breaks(Broken {
                cause: format!("webrtc:sdp-setup:{}", text.kind),
                expected: Some(Bilingual::new(format!("a=setup:{zh}"), format!("a=setup: {en}"))),
                actual: format!("{}: {said}", text.place(section)),
                hint,
                ..Broken::default()
            });
        }
    }
    if any { Said::Holds } else { Said::Nothing }
}

fn ice_credentials(text: &Text<'_>) -> Said {
    let mut any = false;
    for section in text.carriers() {
        any = true;
        let (ufrag, pwd) = text.read.ice_credentials(section);
        for (name, value, least) in [("ice-ufrag", ufrag, 4), ("ice-pwd", pwd, 22)] {
            let chars = value.map_or(0, |value| value.chars().count());
            if (least..=256).contains(&chars) {
                continue;
            }
            let said = if value.is_none() { format!("no a={name}") } else { format!("a={name} of {chars} characters") };
            return Said::Breaks(Broken {
                cause: format!("webrtc:sdp-{name}"),
                expected: Some(Bilingual::new(
                    format!("a={name} 有 {least} 至 256 个字符"),
                    format!("a={name} of {least} to 256 characters"),
                )),
                actual: format!("{}: {said}", text.place(section)),
                ..Broken::default()
            });
        }
    }
    if any { Said::Holds } else { Said::Nothing }
}

fn fingerprint(text: &Text<'_>) -> Said {
    let mut any = false;
    for section in text.carriers() {
        any = true;
        let found = text.read.fingerprints(section);
        if found.iter().any(|fingerprint| fingerprint.is_sha256()) {
            continue;
        }
        let said = match found.first() {
            None => "no a=fingerprint".to_owned(),
            Some(other) if !other.hash.eq_ignore_ascii_case("sha-256") => format!("a fingerprint by {}", other.hash),
            Some(other) => format!("a sha-256 fingerprint of {} bytes", other.value.split(':').count()),
        };
        return Said::Breaks(Broken {
            cause: "webrtc:sdp-fingerprint".to_owned(),
            expected: Some(Bilingual::new("a=fingerprint:sha-256，32 个字节", "a=fingerprint:sha-256 of 32 bytes")),
            actual: format!("{}: {said}", text.place(section)),
            ..Broken::default()
        });
    }
    if any { Said::Holds } else { Said::Nothing }
}

fn bundle(text: &Text<'_>) -> Said {
    let open: Vec<&Section<'_>> = text.read.media.iter().filter(|section| !section.is_rejected()).collect();
    let mids: Vec<&str> = open.iter().filter_map(|section| section.mid()).collect();
    if mids.is_empty() {
        // Nothing that could be grouped: m-lines without mids are told of elsewhere.
        return Said::Nothing;
    }
    let groups = text.read.groups("BUNDLE");
    let lone = mids.iter().find(|mid| !groups.iter().any(|group| group.contains(mid)));
    let Some(lone) = lone else { return Said::Holds };
    let said = match groups.first() {
        None => format!("the {} has no a=group:BUNDLE", text.kind),
        Some(group) => format!("a=group:BUNDLE {} leaves out the mid {lone}", group.join(" ")),
    };
    Said::Breaks(Broken {
        cause: "webrtc:sdp-bundle".to_owned(),
        expected: Some(Bilingual::new(
            format!("a=group:BUNDLE {}", mids.join(" ")),
            format!("a=group:BUNDLE {}", mids.join(" ")),
        )),
        actual: said,
        ..Broken::default()
    })
}

fn rtcp_mux(text: &Text<'_>) -> Said {
    let mut carriers = text.carriers().filter(|section| section.is_media()).peekable();
    if carriers.peek().is_none() {
        return Said::Nothing;
    }
    let Some(without) = carriers.find(|section| !section.has("rtcp-mux")) else { return Said::Holds };
    Said::Breaks(Broken {
        cause: "webrtc:sdp-rtcp-mux".to_owned(),
        expected: Some(Bilingual::new("a=rtcp-mux", "a=rtcp-mux")),
        actual: format!("{} has none", text.place(without)),
        ..Broken::default()
    })
}

fn codecs(text: &Text<'_>) -> Said {
    if text.kind != "offer" {
        return Said::Nothing;
    }
    let mut any = false;
    for section in text.open_media() {
        any = true;
        let (names, word): (&[&str], &str) = match section.kind() {
            "audio" => (&["opus"], "opus"),
            _ => (&["VP8", "H264"], "VP8 / H264"),
        };
        if names.iter().any(|name| section.has_codec(name)) {
            continue;
        }
        let offered: Vec<&str> = section.codecs().iter().map(|codec| codec.name).take(12).collect();
        return Said::Breaks(Broken {
            cause: format!("webrtc:sdp-codecs:{}", section.kind()),
            expected: Some(Bilingual::new(word, word)),
            actual: format!("{}: {}", text.place(section), offered.join(", ")),
            ..Broken::default()
        });
    }
    if any { Said::Holds } else { Said::Nothing }
}
