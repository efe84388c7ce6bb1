//! Descriptions beside each other: mids and o-lines from one to the next, answers beside their offers, tracks that were
//! added, and what must be rejected.

use fincert_schemas::Bilingual;
use fincert_schemas::format::sdp::{Line as SdpLine, Sdp, Section};
use fincert_schemas::run::flow::End;

use super::line::{Exchange, Line, method_failed};
use super::texts::{Said, Text, each, texts};
use super::view::{Rtc, RtcCall};
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-sdp-origin",
        about: "From one description to the next the session id stays and the version increments.",
        requirements: &["webrtc.sdp.origin"],
        run: origin,
    },
    Check {
        id: "webrtc-sdp-mids",
        about: "Mids are there, are unique, and are kept.",
        requirements: &["webrtc.sdp.mids"],
        run: mids,
    },
    Check {
        id: "webrtc-sdp-answer-order",
        about: "The m-lines of an answer are those of the offer, in its order.",
        requirements: &["webrtc.sdp.answer-order"],
        run: answer_order,
    },
    Check {
        id: "webrtc-sdp-msid",
        about: "After addTrack the m-line of the track has an msid.",
        requirements: &["webrtc.sdp.msid"],
        run: msid,
    },
    Check {
        id: "webrtc-sdp-unsupported",
        about: "An m-line whose only codec nobody has is rejected in the answer.",
        requirements: &["webrtc.sdp.unsupported-rejected"],
        run: unsupported,
    },
];

fn origin(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.sdp.origin";
    let Some(rtc) = &view.rtc else { return };
    let texts = texts(rtc);
    for pc in &rtc.pcs {
        let mine: Vec<&Text<'_>> = texts.iter().filter(|text| text.pc == Some(pc)).collect();
        for pair in mine.windows(2) {
            let [before, after] = pair else { continue };
            let (Some(old), Some(new)) = (before.read.origin(), after.read.origin()) else { continue };
            let (Some(was), Some(is)) = (old.version_number(), new.version_number()) else { continue };
            let (cause, actual) = if old.session_id != new.session_id {
                ("id", format!("the session id {} became {}", old.session_id, new.session_id))
            } else if is < was {
                ("version", format!("the version went from {was} back to {is}"))
            } else if is == was && substance(before) != substance(after) {
                (
                    "version",
                    format!(
                        "the version {was} stayed although the {} differs from the {} before",
                        after.kind, before.kind
                    ),
                )
            } else {
                sink.holds(REQUIREMENT);
                continue;
            };
            let broken = Broken {
                cause: format!("webrtc:sdp-origin:{cause}"),
                expected: Some(Bilingual::new("会话标识不变，版本号递增", "the same session id and a higher version")),
                actual,
                ..Broken::default()
            };
            sink.breaks(REQUIREMENT, after.step, broken);
            return;
        }
    }
}

/// What a description says beside its o-line, and beside what gathering adds to it.
fn substance<'t>(text: &Text<'t>) -> Vec<&'t str> {
    let gathered = |line: &SdpLine<'_>| {
        matches!(line.kind, Some('o' | 'c'))
            || matches!(line.attribute(), Some("candidate" | "end-of-candidates" | "rtcp"))
    };
    let sections = std::iter::once(&text.read.session).chain(&text.read.media);
    sections
        .flat_map(|section| &section.lines)
        .filter(|line| !gathered(line))
        .map(|line| match line.kind {
            // Gathering changes the port.
            Some('m') => line.value.split_once(' ').map_or(line.value, |(kind, _)| kind),
            _ => line.value,
        })
        .collect()
}

fn mids(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.sdp.mids";
    let Some(rtc) = &view.rtc else { return };
    each(texts(rtc), sink, REQUIREMENT, unique);
    for line in Line::all(rtc) {
        for (index, exchange) in line.exchanges.iter().enumerate() {
            let Some(theirs) = exchange.of_target else { continue };
            let before = match exchange.offerer {
                End::Fincert => exchange.of_fincert,
                End::Target => line.exchanges[..index].last().and_then(|before| before.of_target),
            };
            let Some(before) = before else { continue };
            let (old, new) = (rtc.sdp(before.sdp), rtc.sdp(theirs.sdp));
            if let Some((section, mid, other)) = moved(&old, &new) {
                let broken = Broken {
                    cause: "webrtc:sdp-mids:changed".to_owned(),
                    expected: Some(Bilingual::new(
                        format!("mid {mid}，与之前相同"),
                        format!("the mid {mid}, as before"),
                    )),
                    actual: format!("m-line {} of the {}: {}", section + 1, theirs.kind, other.unwrap_or("no mid")),
                    ..Broken::default()
                };
                sink.breaks(REQUIREMENT, exchange.step(), broken);
                break;
            }
            // Only a renegotiation shows that mids are kept.
            if index > 0 {
                sink.holds(REQUIREMENT);
            }
        }
    }
}

fn unique(text: &Text<'_>) -> Said {
    if text.read.media.is_empty() {
        return Said::Nothing;
    }
    let mids: Vec<Option<&str>> = text.read.media.iter().map(Section::mid).collect();
    let (cause, actual) = if let Some(index) = mids.iter().position(Option::is_none) {
        ("missing", format!("m-line {} of the {} has no a=mid", index + 1, text.kind))
    } else if let Some(twice) = mids.iter().enumerate().find(|(index, mid)| mids[..*index].contains(mid)) {
        ("twice", format!("the mid {} stands twice in the {}", twice.1.unwrap_or_default(), text.kind))
    } else {
        return Said::Nothing;
    };
    Said::Breaks(Broken { cause: format!("webrtc:sdp-mids:{cause}"), actual, ..Broken::default() })
}

/// The first m-line whose mid is not that of before; a rejected m-line may be used anew (RFC 9429 section 5.2.2).
fn moved<'a>(old: &Sdp<'a>, new: &Sdp<'a>) -> Option<(usize, &'a str, Option<&'a str>)> {
    old.media.iter().zip(&new.media).enumerate().find_map(|(index, (old, new))| {
        let mid = old.mid().filter(|_| !old.is_rejected())?;
        // An m-line that is rejected needs no mid (RFC 9429 section 5.3.1).
        let excused = new.is_rejected() && new.mid().is_none();
        (new.mid() != Some(mid) && !excused).then(|| (index, mid, new.mid()))
    })
}

fn answer_order(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.sdp.answer-order";
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc) {
        for exchange in line.exchanges.iter().filter(|exchange| exchange.offerer == End::Fincert) {
            let Some((theirs, ours)) = exchange.both() else { continue };
            let kinds =
                |sdp: &Sdp<'_>| -> Vec<String> { sdp.media.iter().map(|section| section.kind().to_owned()).collect() };
            let (offered, answered) = (kinds(&rtc.sdp(ours.sdp)), kinds(&rtc.sdp(theirs.sdp)));
            if offered == answered {
                sink.holds(REQUIREMENT);
                continue;
            }
            let list = |kinds: &[String]| if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
            let broken = Broken {
                cause: "webrtc:sdp-answer-order".to_owned(),
                expected: Some(Bilingual::new(list(&offered), list(&offered))),
                actual: list(&answered),
                ..Broken::default()
            };
            sink.breaks(REQUIREMENT, exchange.step(), broken);
            return;
        }
    }
}

fn msid(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = &view.rtc else { return };
    each(texts(rtc), sink, "webrtc.sdp.msid", |text| {
        let mut any = false;
        for kind in ["audio", "video"].into_iter().filter(|kind| added(rtc, text, kind)) {
            let of_kind = text.open_media().filter(|section| section.kind() == kind);
            let sending: Vec<_> = of_kind.filter(|section| text.read.direction(section).sends()).collect();
            let Some(first) = sending.first() else { continue };
            any = true;
            if sending.iter().any(|section| section.value("msid").is_some_and(|msid| !msid.is_empty())) {
                continue;
            }
            return Said::Breaks(Broken {
                cause: "webrtc:sdp-msid".to_owned(),
                expected: Some(Bilingual::new("a=msid", "a=msid")),
                actual: format!("{} has none", text.place(first)),
                ..Broken::default()
            });
        }
        if any { Said::Holds } else { Said::Nothing }
    });
}

/// Whether a track of the kind was added to a text's connection before the text was asked for.
fn added(rtc: &Rtc<'_>, text: &Text<'_>, kind: &str) -> bool {
    adds(rtc, text, kind, |call| call.succeeded())
}

/// Whether it was at least tried: what a failing addTrack leaves behind is another check's.
pub(super) fn was_tried(rtc: &Rtc<'_>, text: &Text<'_>, kind: &str) -> bool {
    adds(rtc, text, kind, |_| true)
}

fn adds(rtc: &Rtc<'_>, text: &Text<'_>, kind: &str, counts: fn(&RtcCall<'_>) -> bool) -> bool {
    let Some(pc) = text.pc else { return false };
    let adds = rtc.calls_of("addTrack").filter(|call| call.handle == Some(pc) && call.at < text.at && counts(call));
    adds.filter_map(|call| call.request.value.get("$handle")?.as_str())
        .any(|track| rtc.track_kind(track).is_none_or(|known| known == kind))
}

fn unsupported(view: &View<'_>, sink: &mut Sink<'_>) {
    let Some(rtc) = view.rtc.as_ref().filter(|rtc| rtc.with.unsupported_codec) else { return };
    for line in Line::all(rtc) {
        if let Some(exchange) = line.exchanges.iter().find(|exchange| exchange.offerer == End::Fincert) {
            rejected(exchange, sink);
        }
    }
}

fn rejected(exchange: &Exchange<'_, '_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.sdp.unsupported-rejected";
    let expected = Some(Bilingual::new("answer 中该 m 行的端口为 0", "the m-line has port 0 in the answer"));
    // A method that is silent says nothing of the codec.
    if let Some(failed) = [exchange.set_remote, exchange.create].into_iter().flatten().find(|call| call.was_refused()) {
        sink.breaks(REQUIREMENT, failed.step, Broken { expected, ..method_failed(failed) });
        return;
    }
    let Some((theirs, ours)) = exchange.both() else { return };
    let (offer, answer) = (Sdp::read(ours.sdp), Sdp::read(theirs.sdp));
    // The m-lines in which no codec is known to anybody: see the flow.
    let unknown = |section: &Section<'_>| {
        let codecs = section.codecs();
        !codecs.is_empty() && codecs.iter().all(|codec| codec.name.starts_with("x-"))
    };
    let Some(index) = offer.media.iter().position(unknown) else { return };
    // The order of the m-lines is another check's.
    let same = offer.media[index].mid().and_then(|mid| answer.by_mid(mid));
    match same.or(answer.media.get(index)) {
        Some(section) if section.port() == Some(0) => sink.holds(REQUIREMENT),
        other => {
            let said = other.and_then(|section| section.line('m')).map_or("no such m-line", |line| line.value);
            let broken = Broken {
                cause: "webrtc:unsupported-codec-accepted".to_owned(),
                expected,
                actual: format!("m-line {} of the answer: {said}", index + 1),
                ..Broken::default()
            };
            sink.breaks(REQUIREMENT, exchange.step(), broken);
        }
    }
}
