//! The session descriptions that the target made, wherever the transcript shows one whole.

use std::rc::Rc;

use fincert_schemas::format::sdp::Section;

use super::readings::Reading;
use super::view::{Pc, Rtc, RtcCall};
use crate::judge::{Broken, Sink};

/// A description of the target's.
#[derive(Debug)]
pub(super) struct Text<'a> {
    /// The text.
    pub(super) sdp: &'a str,
    /// The same, read.
    pub(super) read: Rc<Reading<'a>>,
    /// `offer` or `answer`.
    pub(super) kind: &'a str,
    /// The position at which it was asked for, or, where only the peer shows it, at which the peer got it.
    pub(super) at: usize,
    /// The step.
    pub(super) step: u32,
    /// The connection, where it is known.
    pub(super) pc: Option<&'a str>,
    /// Whether nothing had been negotiated on the connection before.
    pub(super) is_first: bool,
}

/// What a check says of one text.
pub(super) enum Said {
    /// It has nothing to say.
    Nothing,
    /// The requirement holds.
    Holds,
    /// It is broken.
    Breaks(Broken),
}

/// The texts of a flow, in order.
pub(super) fn texts<'v, 'a>(rtc: &'v Rtc<'a>) -> &'v [Text<'a>] {
    &rtc.texts
}

/// The same, read from the flow: what createOffer and createAnswer gave, and what the peers got beside.
pub(super) fn made<'a>(rtc: &Rtc<'a>) -> Vec<Text<'a>> {
    let mut texts: Vec<Text<'a>> = Vec::new();
    for call in rtc.calls.iter().filter(|call| call.purpose.is_none()) {
        let (Some(kind), Some(sdp)) = (kind_of(call), whole(call)) else { continue };
        texts.push(Text {
            sdp,
            read: rtc.sdp(sdp),
            kind,
            at: call.at,
            step: call.step,
            pc: call.handle,
            is_first: is_first(rtc, call.handle, call.at),
        });
    }
    for peer in &rtc.peers {
        let pc = rtc.connections().find(|pc| pc.peer().is_some_and(|own| own.number == peer.number));
        let pc = pc.map(|pc| pc.handle);
        for described in peer.of_target().filter(|described| !described.sdp.is_empty() && !is_cut(described.sdp)) {
            if texts.iter().any(|text| text.sdp == described.sdp) {
                continue;
            }
            texts.push(Text {
                sdp: described.sdp,
                read: rtc.sdp(described.sdp),
                kind: described.kind,
                at: described.at,
                step: rtc.step_at(described.at),
                pc,
                is_first: is_first(rtc, pc, described.at),
            });
        }
    }
    texts.sort_by_key(|text| text.at);
    texts
}

fn kind_of<'a>(call: &RtcCall<'a>) -> Option<&'a str> {
    match call.name {
        "createOffer" => Some("offer"),
        "createAnswer" => Some("answer"),
        _ => None,
    }
}

/// The SDP of a call's answer, if the transcript keeps it whole.
pub(super) fn whole<'a>(call: &RtcCall<'a>) -> Option<&'a str> {
    let sdp = call.value().filter(|_| call.succeeded())?.get("sdp")?.as_str()?;
    (!is_cut(sdp)).then_some(sdp)
}

/// Whether a text ends with what capture writes where it cut, or where the transcript keeps none.
fn is_cut(sdp: &str) -> bool {
    let tail = sdp.len().saturating_sub(64);
    sdp.get(tail..).unwrap_or(sdp).contains("… (")
}

/// Whether no answer was in force on a connection before a position.
fn is_first(rtc: &Rtc<'_>, pc: Option<&str>, at: usize) -> bool {
    let Some(pc) = pc else { return true };
    let answers = |call: &&RtcCall<'_>| {
        let is_answer = call.request.value.get("type").is_some_and(|kind| kind == "answer");
        matches!(call.name, "setRemoteDescription" | "setLocalDescription") && is_answer && call.succeeded()
    };
    !rtc.calls.iter().filter(|call| call.handle == Some(pc) && call.at < at).any(|call| answers(&call))
}

impl<'a> Text<'a> {
    /// The m-sections that must say themselves how they are carried: those that are not rejected, and not carried by
    /// another one. In a first offer nothing is bundled yet, unless it says that it can only be (RFC 9143 section 7.2).
    pub(super) fn carriers(&self) -> impl Iterator<Item = &Section<'a>> {
        self.read.media.iter().filter(|section| {
            let needs_own = self.kind == "offer" && self.is_first && !section.has("bundle-only");
            !section.is_rejected() && (needs_own || !self.read.is_bundled(section))
        })
    }

    /// The sections of sound and pictures that are not rejected.
    pub(super) fn open_media(&self) -> impl Iterator<Item = &Section<'a>> {
        self.read.media.iter().filter(|section| section.is_media() && !section.is_rejected())
    }

    /// The place of a section, for a report.
    pub(super) fn place(&self, section: &Section<'_>) -> String {
        let line = section.lines.first().map_or(0, |line| line.number);
        format!("the m-line of {} (line {line} of the {})", section.kind(), self.kind)
    }
}

/// Asks a check about every text; of findings with one cause, only the first is told.
pub(super) fn each<'a>(texts: &[Text<'a>], sink: &mut Sink<'_>, requirement: &str, judge: impl Fn(&Text<'a>) -> Said) {
    let mut told: Vec<String> = Vec::new();
    for text in texts {
        match judge(text) {
            Said::Nothing => {}
            Said::Holds => sink.holds(requirement),
            Said::Breaks(broken) if told.contains(&broken.cause) => {}
            Said::Breaks(broken) => {
                told.push(broken.cause.clone());
                sink.breaks(requirement, text.step, broken);
            }
        }
    }
}

/// The description that was in force or pending at the connection's own end before a position: what the last
/// setLocalDescription that worked was given.
pub(super) fn local_before<'t, 'a>(texts: &'t [Text<'a>], pc: Pc<'_, 'a>, at: usize) -> Option<&'t Text<'a>> {
    let set = pc.calls_of("setLocalDescription").filter(|call| call.at < at && call.succeeded()).last()?;
    texts.iter().rev().find(|text| text.pc == Some(pc.handle) && text.at < set.at)
}
