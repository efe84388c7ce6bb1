//! What follows from a negotiation: whether another one is needed, tracks of the other end, and what may be sent.

use std::collections::BTreeSet;

use fincert_schemas::format::sdp::Sdp;
use fincert_schemas::run::flow::MediaKind;

use super::config::ConnectionEvent;
use super::state::{Bare, Remote, Sender, Signaling, State};
use crate::evidence::Book;
use crate::peer::SdpKind;
use crate::policy::Text;
use crate::policy::text::{attribute, direction, is_rejected, receives, sends, value};

impl State {
    /// Updates the negotiation-needed flag (W3C webrtc-pc 4.7.3): told once until it is done, and only in stable.
    pub(super) fn update_needed(&mut self) {
        if self.signaling != Signaling::Stable {
            return;
        }
        let needed = self.senders.iter().any(|sender| self.needs(sender));
        if needed && !self.needed {
            self.tell(ConnectionEvent::NegotiationNeeded);
        }
        self.needed = needed;
    }

    fn needs(&self, sender: &Sender) -> bool {
        let (Some(local), Some(remote)) = (&self.current_local, &self.current_remote) else { return true };
        let Some(index) = section_of(&local.text, sender) else { return true };
        let lines = &local.text.media[index];
        let answer = if local.kind == SdpKind::Offer { &remote.text } else { &local.text };
        // A rejected m-line stops its transceiver, and that needs nothing.
        if answer.media.get(index).is_some_and(|lines| is_rejected(lines)) {
            return false;
        }
        let says = direction(&local.text.session, lines);
        match local.kind {
            SdpKind::Offer => !sends(says),
            // Where the offer did not ask for media, the answer could not send any.
            _ => !sends(says) && remote.direction(index).is_some_and(receives),
        }
    }

    /// Tells of media that a remote description announces (W3C webrtc-pc 4.4.1.5, process the addition of a remote
    /// track): once for each m-line, and again if it had ended in between.
    pub(super) fn tell_tracks(&mut self, remote: &Remote) {
        let sdp = Sdp::read(&remote.sdp);
        let mut going_on = BTreeSet::new();
        for (section, lines) in sdp.media.iter().zip(&remote.text.media) {
            let kind = match section.kind() {
                "audio" => MediaKind::Audio,
                "video" => MediaKind::Video,
                _ => continue,
            };
            let Some(mid) = section.mid() else { continue };
            if section.is_rejected() || !sdp.direction(section).sends() {
                continue;
            }
            going_on.insert(mid.to_owned());
            if !self.tracks.contains(mid) {
                let (mid, stream_ids) = (mid.to_owned(), stream_ids(lines));
                self.tell(ConnectionEvent::Track { kind, mid, stream_ids });
            }
        }
        self.tracks = going_on;
    }

    /// Opens and closes outlets by what is in force, and notes the payload types.
    pub(super) fn open_outlets(&self, book: &Book) {
        let (Some(local), Some(remote)) = (&self.current_local, &self.current_remote) else { return };
        // What the other end sends has the payload types that we said, and by their own where they are the offerer.
        for text in [&remote.text, &local.text] {
            note_codecs(text, book);
        }
        for sender in &self.senders {
            let payload_types = agreed(local, remote, sender).unwrap_or_default();
            let name = match sender.track.kind() {
                MediaKind::Audio => "opus",
                MediaKind::Video => "VP8",
            };
            let made = payload_types.iter().find(|(_, codec)| codec.eq_ignore_ascii_case(name)).map(|(pt, _)| *pt);
            sender.outlet.negotiated(made, payload_types.into_iter().map(|(pt, _)| pt).collect());
        }
    }
}

/// The payload types, with their codecs, that a sender may use; `None` if it may send nothing.
fn agreed(local: &Bare, remote: &Remote, sender: &Sender) -> Option<Vec<(u8, String)>> {
    let index = section_of(&local.text, sender)?;
    let (own, theirs) = (local.text.media.get(index)?, remote.text.media.get(index)?);
    let agreed = !is_rejected(own)
        && !is_rejected(theirs)
        && sends(direction(&local.text.session, own))
        && receives(direction(&remote.text.session, theirs));
    let sdp = remote.text.write();
    let codecs = Sdp::read(&sdp).media.get(index)?.codecs();
    agreed.then(|| codecs.into_iter().map(|codec| (codec.payload_type, codec.name.to_owned())).collect())
}

/// The m-line that says the sender's stream and track.
fn section_of(local: &Text, sender: &Sender) -> Option<usize> {
    let (stream, track) = (sender.track.stream_id(), sender.track.id());
    let is_it = |msid: &str| msid.split_once(' ') == Some((stream, track));
    local.media.iter().position(|lines| lines.iter().filter_map(|line| attribute(line, "msid")).any(is_it))
}

fn note_codecs(text: &Text, book: &Book) {
    let written = text.write();
    for section in Sdp::read(&written).media {
        let kind = match section.kind() {
            "audio" => MediaKind::Audio,
            "video" => MediaKind::Video,
            _ => continue,
        };
        for codec in section.codecs() {
            book.codec(codec.payload_type, kind, codec.name);
        }
    }
}

/// The streams of an m-line: `a=msid:stream track` (RFC 8830), or as older stacks say it of an SSRC. `-` is none.
fn stream_ids(lines: &[String]) -> Vec<String> {
    let of_line = |line: &String| {
        let msid = attribute(line, "msid").or_else(|| {
            let (_, of_ssrc) = attribute(line, "ssrc")?.split_once(' ')?;
            of_ssrc.strip_prefix("msid:")
        })?;
        let stream = msid.split(' ').next()?;
        (!stream.is_empty() && stream != "-").then(|| stream.to_owned())
    };
    let mut found: Vec<String> = lines.iter().filter_map(of_line).collect();
    found.dedup();
    found
}

impl Remote {
    /// The direction that an m-line says.
    fn direction(&self, index: usize) -> Option<&'static str> {
        self.text.media.get(index).map(|lines| direction(&self.text.session, lines))
    }

    /// Whether an m-line of this mid stands in it.
    pub(super) fn has_mid(&self, mid: &str) -> bool {
        self.text.media.iter().any(|lines| value(lines, "mid") == Some(mid))
    }
}
