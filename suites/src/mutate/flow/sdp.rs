//! Lines of the target's session descriptions. A text is changed wherever the transcript shows it: where the target gave
//! it, where it went back to the target, and where fincert's peer got it.

use fincert_schemas::format::sdp::{Sdp, Section};
use fincert_schemas::run::What;
use fincert_schemas::run::flow::{End, Flow, PeerDid};
use serde_json::{Value, json};

use super::super::{Edit, Maker, Operator};
use super::view::{Call, Flowed};

/// One description that the target made.
struct Text<'a> {
    /// The event of the answer that gave it.
    event: usize,
    call: &'a Call<'a>,
    sdp: &'a str,
    is_offer: bool,
    /// Its place among those of the connection.
    place: usize,
    /// The text before it, of the same connection.
    before: Option<&'a str>,
}

pub(super) fn all(maker: &mut Maker<'_>, flow: &Flowed<'_>) {
    for pc in &flow.pcs {
        let mut before = None;
        let mut place = 0;
        for call in flow.of_pc(pc).filter(|call| call.purpose.is_none() && call.succeeded()) {
            let is_offer = match call.name {
                "createOffer" => true,
                "createAnswer" => false,
                _ => continue,
            };
            let Some(answer) = call.answer else { continue };
            let Some(sdp) = answer.value.and_then(|value| value.get("sdp")?.as_str()) else { continue };
            let text = Text { event: answer.event, call, sdp, is_offer, place, before };
            one(maker, flow, &text);
            before = Some(sdp);
            place += 1;
        }
    }
}

/// The edits that put another text in the place of one.
fn replaced(flow: &Flowed<'_>, old: &str, new: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (at, event) in flow.transcript.events.iter().enumerate() {
        let value = match &event.what {
            What::Call { request, .. } => Some(&request.value),
            What::Answer { value, .. } | What::Read { value, .. } => value.as_ref().map(|captured| &captured.value),
            What::Peer { peer, did: PeerDid::Description { local: false, kind, sdp, refused } } if sdp == old => {
                let did = PeerDid::Description {
                    local: false,
                    kind: kind.clone(),
                    sdp: new.to_owned(),
                    refused: refused.clone(),
                };
                edits.push(Edit::Replace(at, What::Peer { peer: *peer, did }));
                None
            }
            _ => None,
        };
        if value.and_then(|value| value.get("sdp")?.as_str()) == Some(old) {
            edits.push(Edit::Set(at, "/sdp".to_owned(), json!(new)));
        }
    }
    edits
}

struct New<'t> {
    maker: &'t mut dyn FnMut(Operator, &str, &str, String),
}

impl New<'_> {
    fn line(&mut self, rule: &str, owner: &str, text: String) {
        (self.maker)(Operator::SdpLine, rule, owner, text);
    }
}

fn one(maker: &mut Maker<'_>, flow: &Flowed<'_>, text: &Text<'_>) {
    let mut add = |operator: Operator, rule: &str, owner: &str, new: String| {
        if new != text.sdp {
            let edits = replaced(flow, text.sdp, &new);
            maker.add(operator, text.event, ("/sdp", rule), &[owner], edits);
        }
    };
    let mut new = New { maker: &mut add };
    let sdp = Sdp::read(text.sdp);
    form(&mut new, text);
    media(&mut new, text, &sdp);
    origin(&mut new, text, &sdp);
    mids(&mut new, flow, text, &sdp);
    directions(&mut new, flow, text, &sdp);
    restarts(&mut new, flow, text);
    roles(&mut new, flow, text);
}

/// Each line changed, or left out where there is nothing instead.
fn lines(sdp: &str, mut change: impl FnMut(usize, &str) -> Option<String>) -> String {
    let mut out = String::with_capacity(sdp.len());
    for (index, line) in sdp.split_inclusive('\n').enumerate() {
        let body = line.trim_end_matches(['\r', '\n']);
        if let Some(changed) = change(index, body) {
            out.push_str(&changed);
            out.push_str(&line[body.len()..]);
        }
    }
    out
}

fn without(sdp: &str, head: &str) -> String {
    lines(sdp, |_, line| (!line.starts_with(head)).then(|| line.to_owned()))
}

fn with(sdp: &str, from: &str, to: &str) -> String {
    sdp.replace(from, to)
}

fn form(new: &mut New<'_>, text: &Text<'_>) {
    const OWNER: &str = "webrtc.sdp.form";
    let all: Vec<&str> = text.sdp.split_inclusive('\n').collect();
    new.line("line-feeds-alone", OWNER, text.sdp.replace("\r\n", "\n"));
    new.line("no-last-line-end", OWNER, text.sdp.trim_end().to_owned());
    new.line("no-s-line", OWNER, without(text.sdp, "s="));
    new.line("no-t-line", OWNER, without(text.sdp, "t="));
    new.line("an-empty-line", OWNER, text.sdp.replacen("\r\nt=", "\r\n\r\nt=", 1));
    new.line("a-line-without-type", OWNER, text.sdp.replacen("\r\nt=", "\r\nhello\r\nt=", 1));
    if all.len() > 3 {
        let mut swapped = all.clone();
        swapped.swap(0, 1);
        new.line("o-before-v", OWNER, swapped.concat());
        let mut swapped = all.clone();
        swapped.swap(1, 2);
        new.line("s-before-o", OWNER, swapped.concat());
        new.line("version-1", OWNER, text.sdp.replacen("v=0", "v=1", 1));
    }
}

/// Whether a section says itself how it is carried: in a first offer each that may stand alone does.
fn carrier<'s, 'a>(sdp: &'s Sdp<'a>) -> Option<&'s Section<'a>> {
    sdp.media.iter().find(|section| !section.is_rejected())
}

fn media(new: &mut New<'_>, text: &Text<'_>, sdp: &Sdp<'_>) {
    let Some(_) = carrier(sdp).filter(|section| section.is_media()) else { return };
    for profile in ["RTP/AVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/TLS/RTP/SAVPF"] {
        new.line(profile, "webrtc.sdp.profile", with(text.sdp, "UDP/TLS/RTP/SAVPF", profile));
    }
    let setup = "webrtc.sdp.setup";
    new.line("no-setup", setup, without(text.sdp, "a=setup:"));
    let change = |to: &str| {
        lines(text.sdp, |_, line| {
            Some(if line.starts_with("a=setup:") { format!("a=setup:{to}") } else { line.to_owned() })
        })
    };
    new.line("holdconn", setup, change("holdconn"));
    if text.is_offer && text.place == 0 && !was_negotiated(text) {
        new.line("active-in-offer", setup, change("active"));
        new.line("passive-in-offer", setup, change("passive"));
    }
    if !text.is_offer {
        new.line("actpass-in-answer", setup, change("actpass"));
    }
    let ice = "webrtc.sdp.ice-credentials";
    let cut = |head: &'static str, chars: usize| {
        lines(text.sdp, |_, line| {
            Some(match line.strip_prefix(head) {
                Some(value) => format!("{head}{}", value.chars().take(chars).collect::<String>()),
                None => line.to_owned(),
            })
        })
    };
    new.line("ufrag-of-3", ice, cut("a=ice-ufrag:", 3));
    new.line("pwd-of-21", ice, cut("a=ice-pwd:", 21));
    new.line("no-ufrag", ice, without(text.sdp, "a=ice-ufrag:"));
    new.line("no-pwd", ice, without(text.sdp, "a=ice-pwd:"));
    let print = "webrtc.sdp.fingerprint";
    new.line("no-fingerprint", print, without(text.sdp, "a=fingerprint:"));
    new.line("sha-1", print, with(text.sdp, "a=fingerprint:sha-256", "a=fingerprint:sha-1"));
    new.line(
        "31-bytes",
        print,
        lines(text.sdp, |_, line| {
            Some(match line.strip_prefix("a=fingerprint:sha-256 ") {
                Some(value) => format!("a=fingerprint:sha-256 {}", value.rsplit_once(':').map_or("", |(head, _)| head)),
                None => line.to_owned(),
            })
        }),
    );
    new.line("no-group", "webrtc.sdp.bundle", without(text.sdp, "a=group:BUNDLE"));
    new.line(
        "group-without-the-last",
        "webrtc.sdp.bundle",
        lines(text.sdp, |_, line| {
            Some(match line.strip_prefix("a=group:BUNDLE") {
                Some(_) => line.rsplit_once(' ').map_or("a=group:BUNDLE", |(head, _)| head).to_owned(),
                None => line.to_owned(),
            })
        }),
    );
    new.line("no-rtcp-mux", "webrtc.sdp.rtcp-mux", without(text.sdp, "a=rtcp-mux"));
    if text.is_offer {
        let codecs = "webrtc.sdp.codecs";
        new.line("no-opus", codecs, with(text.sdp, " opus/", " x-opus/"));
        new.line("no-video-codec", codecs, with(&with(text.sdp, " VP8/", " x-VP8/"), " H264/", " x-H264/"));
    }
}

/// Whether an answer was in force before the text was made.
fn was_negotiated(text: &Text<'_>) -> bool {
    text.before.is_some()
}

fn origin(new: &mut New<'_>, text: &Text<'_>, sdp: &Sdp<'_>) {
    const OWNER: &str = "webrtc.sdp.origin";
    // The same text given twice is changed in both places.
    let before = text.before.filter(|before| *before != text.sdp);
    let Some(before) = before.and_then(|before| Sdp::read(before).origin()) else { return };
    let Some(line) = text.sdp.lines().find(|line| line.starts_with("o=")) else { return };
    let Some((was, _)) = before.version_number().zip(sdp.origin()) else { return };
    let word = |place: usize, word: &str| {
        let mut words: Vec<&str> = line.split(' ').collect();
        if let Some(slot) = words.get_mut(place) {
            *slot = word;
        }
        text.sdp.replacen(line, &words.join(" "), 1)
    };
    new.line("another-session-id", OWNER, word(1, "7777777"));
    if was > 0 {
        new.line("a-version-back", OWNER, word(2, &(was - 1).to_string()));
    }
}

fn mids(new: &mut New<'_>, flow: &Flowed<'_>, text: &Text<'_>, sdp: &Sdp<'_>) {
    const OWNER: &str = "webrtc.sdp.mids";
    let all: Vec<&str> = sdp.media.iter().filter_map(Section::mid).collect();
    if sdp.media.is_empty() || all.len() != sdp.media.len() {
        return;
    }
    new.line("no-mid", OWNER, without(text.sdp, "a=mid:"));
    if all.len() > 1 {
        let first = format!("a=mid:{}", all[0]);
        let same =
            lines(text.sdp, |_, line| Some(if line.starts_with("a=mid:") { first.clone() } else { line.to_owned() }));
        new.line("one-mid-for-all", OWNER, same);
    }
    // What was there before keeps its mid; an answer takes the offer's.
    let is_line = matches!(flow.flow, Flow::Call | Flow::TwoCalls);
    let live = sdp.media.iter().all(|section| !section.is_rejected());
    if is_line && live && (text.before.is_some() || !text.is_offer) && is_exchanged(flow, text) {
        let moved = lines(text.sdp, |_, line| {
            Some(match line.strip_prefix("a=mid:") {
                Some(mid) => format!("a=mid:m{mid}"),
                None => line.to_owned(),
            })
        });
        new.line("other-mids", OWNER, moved);
    }
    if is_line && !text.is_offer && sdp.media.len() > 1 && is_exchanged(flow, text) {
        let kinds: Vec<&str> = sdp.media.iter().map(Section::kind).collect();
        if kinds[0] != kinds[1] {
            new.line("m-lines-swapped", "webrtc.sdp.answer-order", swapped(text.sdp));
        }
        new.line("one-m-line-less", "webrtc.sdp.answer-order", one_less(text.sdp));
    }
}

/// Whether fincert's peer got the text.
fn is_exchanged(flow: &Flowed<'_>, text: &Text<'_>) -> bool {
    flow.peers_did(0..flow.end)
        .any(|(_, _, did)| matches!(did, PeerDid::Description { local: false, sdp, .. } if sdp == text.sdp))
}

/// The session part and the media parts of a text.
fn parts(sdp: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = sdp.match_indices("\nm=").map(|(at, _)| at + 1).collect();
    starts.insert(0, 0);
    starts.push(sdp.len());
    starts.windows(2).map(|pair| &sdp[pair[0]..pair[1]]).collect()
}

fn swapped(sdp: &str) -> String {
    let mut parts = parts(sdp);
    parts.swap(1, 2);
    parts.concat()
}

fn one_less(sdp: &str) -> String {
    let mut parts = parts(sdp);
    parts.pop();
    parts.concat()
}

fn directions(new: &mut New<'_>, flow: &Flowed<'_>, text: &Text<'_>, sdp: &Sdp<'_>) {
    let Some(pc) = text.call.handle else { return };
    let added = |kind: &str| {
        flow.of_pc(pc)
            .filter(|call| {
                call.name == "addTrack" && call.purpose.is_none() && call.succeeded() && call.event < text.call.event
            })
            .filter_map(|call| call.request.get("$handle")?.as_str())
            .any(|track| kind_of(flow, track) == Some(kind))
    };
    let first_since_added = flow
        .of_pc(pc)
        .filter(|call| {
            call.name == "addTrack" && call.purpose.is_none() && call.succeeded() && call.event < text.call.event
        })
        .map(|call| call.event)
        .max()
        .is_some_and(|last| {
            !flow.of_pc(pc).any(|call| {
                matches!(call.name, "createOffer" | "createAnswer")
                    && call.purpose.is_none()
                    && call.succeeded()
                    && (last..text.call.event).contains(&call.event)
            })
        });
    let sends: Vec<&str> = ["audio", "video"]
        .into_iter()
        .filter(|kind| sdp.media.iter().any(|s| s.kind() == *kind && !s.is_rejected() && sdp.direction(s).sends()))
        .collect();
    let adding = sends.iter().any(|kind| added(kind)) && !flow.with.unsupported_codec;
    if adding && first_since_added {
        // A later offer is to have what was added, too.
        let later = text.is_offer
            && flow.of_pc(pc).any(|call| {
                call.name == "createOffer" && call.purpose.is_none() && call.succeeded() && call.event < text.call.event
            });
        for way in ["recvonly", "inactive"] {
            let owner = if later && way == "inactive" { "webrtc.pc.create-offer.again" } else { "webrtc.pc.add-track" };
            let text_ = with(&with(text.sdp, "a=sendrecv", &format!("a={way}")), "a=sendonly", &format!("a={way}"));
            new.line(&format!("{way}-after-addTrack"), owner, text_);
        }
    }
    if sends.iter().any(|kind| added(kind)) {
        new.line("no-msid", "webrtc.sdp.msid", without(text.sdp, "a=msid:"));
    }
    if text.is_offer {
        to_receive(new, text, sdp, &added);
    }
    if flow.with.unsupported_codec && !text.is_offer {
        let accepted = lines(text.sdp, |_, line| {
            Some(match line.strip_prefix("m=").and_then(|rest| rest.split_once(" 0 ")) {
                Some((kind, rest)) => format!("m={kind} 9 {rest}"),
                None => line.to_owned(),
            })
        });
        new.line("accepted", "webrtc.sdp.unsupported-rejected", accepted);
    }
}

fn to_receive(new: &mut New<'_>, text: &Text<'_>, sdp: &Sdp<'_>, added: &dyn Fn(&str) -> bool) {
    for (kind, option, owner) in [
        ("audio", "offerToReceiveAudio", "webrtc.pc.create-offer.offer-to-receive-audio"),
        ("video", "offerToReceiveVideo", "webrtc.pc.create-offer.offer-to-receive-video"),
    ] {
        // What a track brings would be there without the option.
        if text.call.request.get(option) != Some(&Value::Bool(true)) || added(kind) {
            continue;
        }
        let mut of_kind = false;
        let deaf = lines(text.sdp, |_, line| {
            if line.starts_with("m=") {
                of_kind = line.starts_with(&format!("m={kind} "));
            }
            let receives = matches!(line, "a=recvonly" | "a=sendrecv");
            Some(if of_kind && receives { "a=inactive".to_owned() } else { line.to_owned() })
        });
        new.line(&format!("{kind}-inactive"), owner, deaf);
        if sdp.media.len() > 1 {
            let rest: Vec<&str> =
                parts(text.sdp).into_iter().filter(|part| !part.starts_with(&format!("m={kind} "))).collect();
            new.line(&format!("no-{kind}"), owner, rest.concat());
        }
    }
}

fn kind_of<'a>(flow: &Flowed<'a>, track: &str) -> Option<&'a str> {
    let items =
        flow.calls.iter().filter(|call| call.name == "getTracks").filter_map(|call| call.answer?.value?.as_array());
    let mut items = items.flatten();
    let item = items.find(|item| item.get("$handle").and_then(Value::as_str) == Some(track))?;
    item.pointer("/props/kind")?.as_str()
}

/// An offer with iceRestart, or an answer to a restart, with the credentials of before; and the other way round.
fn restarts(new: &mut New<'_>, flow: &Flowed<'_>, text: &Text<'_>) {
    let Some(before) = text.before else { return };
    let line = |sdp: &str, head: &str| sdp.lines().find(|line| line.starts_with(head)).map(str::to_owned);
    let same = |sdp: &str| (line(sdp, "a=ice-ufrag:"), line(sdp, "a=ice-pwd:"));
    let ((Some(old_ufrag), Some(old_pwd)), (Some(ufrag), Some(pwd))) = (same(before), same(text.sdp)) else { return };
    let swap = |from: &[&str], to: &[&str]| {
        lines(text.sdp, |_, line| {
            let index = from.iter().position(|head| line.starts_with(head));
            Some(index.map_or_else(|| line.to_owned(), |index| to[index].to_owned()))
        })
    };
    let heads = ["a=ice-ufrag:", "a=ice-pwd:"];
    let restarts = ufrag != old_ufrag && pwd != old_pwd;
    let owner = match (text.is_offer, restarts) {
        (true, _) => "webrtc.pc.create-offer.ice-restart",
        (false, true) => "webrtc.ice.restart-answered",
        (false, false) => return,
    };
    if restarts {
        // What was begun by an offer that was never put in force is no sentence's.
        let wants = text.call.request.get("iceRestart").is_some_and(|wish| *wish != Value::Bool(false));
        let by_fincert = flow.acts.iter().any(|(act, span)| {
            *act == fincert_schemas::run::flow::Act::FincertRestartsIce && span.contains(&text.call.event)
        });
        if (text.is_offer && wants) || (!text.is_offer && by_fincert) {
            new.line("old-credentials", owner, swap(&heads, &[&old_ufrag, &old_pwd]));
            new.line("old-ufrag", owner, swap(&heads[..1], &[&old_ufrag]));
            new.line("old-pwd", owner, swap(&heads[1..], &[&old_pwd]));
        }
        return;
    }
    let wants = text.call.request.get("iceRestart").is_some_and(|wish| *wish == Value::Bool(true));
    let set_before = text.call.handle.is_some_and(|pc| {
        flow.of_pc(pc)
            .any(|call| call.name == "setLocalDescription" && call.succeeded() && call.event < text.call.event)
    });
    // An offer with iceRestart that was never put in force may have begun the restart all the same.
    let begun = text.call.handle.is_some_and(|pc| {
        let set = flow
            .of_pc(pc)
            .rfind(|call| call.name == "setLocalDescription" && call.succeeded() && call.event < text.call.event);
        let since = set.map_or(0, |call| call.event);
        flow.of_pc(pc).any(|call| {
            call.name == "createOffer"
                && (since..text.call.event).contains(&call.event)
                && call.request.get("iceRestart").is_some_and(|wish| *wish != Value::Bool(false))
        })
    });
    if !wants && set_before && !begun {
        let new_ufrag = "a=ice-ufrag:QxQxQxQx";
        let new_pwd = "a=ice-pwd:QxQxQxQxQxQxQxQxQxQxQxQx";
        new.line("new-credentials", owner, swap(&heads, &[new_ufrag, new_pwd]));
    }
}

/// A renegotiation by the other end keeps the DTLS roles.
fn roles(new: &mut New<'_>, flow: &Flowed<'_>, text: &Text<'_>) {
    const OWNER: &str = "webrtc.dtls.roles-kept";
    if flow.flow != Flow::Call || text.before.is_none() || text.is_offer != (flow.with.offerer == End::Fincert) {
        return;
    }
    // The target's role: in its own first answer, or by fincert's.
    let first = flow.peers_did(0..flow.end).find_map(|(_, _, did)| match did {
        PeerDid::Description { kind, local, sdp, .. } if kind == "answer" => Some((*local, sdp)),
        _ => None,
    });
    let Some((local, answer)) = first else { return };
    let active = answer.lines().any(|line| line == "a=setup:active");
    // What it was, the change turns around.
    let wrong = if active == local { "active" } else { "passive" };
    let changed = lines(text.sdp, |_, line| {
        Some(if line.starts_with("a=setup:") { format!("a=setup:{wrong}") } else { line.to_owned() })
    });
    if is_exchanged(flow, text) {
        new.line("other-role", OWNER, changed);
    }
}
