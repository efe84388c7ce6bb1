//! What fincert's peer did, saw and counted.

use fincert_schemas::run::flow::{Evidence, MediaKind, PeerDid};

use super::Who;
use super::call::media;
use super::entry::{Happening, Stream, Trouble};
use super::gather::{Gathering, TOGETHER};

impl<'a> Gathering<'a> {
    pub(super) fn peer(&mut self, at_us: u64, peer: u32, did: &'a PeerDid) {
        match did {
            PeerDid::Description { local: true, kind, sdp, .. } => self.made(at_us, peer, kind, media(sdp)),
            PeerDid::Description { local: false, kind, sdp, refused: Some(why) } => {
                self.put(at_us, 5, Happening::Declined { peer, kind, media: media(sdp), why });
            }
            // The target's call has told of it.
            PeerDid::Description { .. } => {}
            PeerDid::Candidate { local, candidate, refused } => self.candidates(at_us, |all| {
                if *local {
                    all.own += 1;
                } else {
                    all.handed += 1;
                    all.types.extend(kind_of(candidate));
                    all.declined.extend(refused.as_deref());
                }
            }),
            PeerDid::Ice { state } => self.peer_state(at_us, peer, Some(state), None),
            PeerDid::Connection { state } => self.peer_state(at_us, peer, None, Some(state)),
            PeerDid::Track { kind, .. } => self.announced(at_us, peer, *kind),
            PeerDid::Failed { method, why } => self.trouble(at_us, Who::Fincert, 5, Trouble::Peer { method, why }),
            PeerDid::Closed => self.put(at_us, 3, Happening::Left { peer, in_order: true }),
            PeerDid::Vanished => self.put(at_us, 3, Happening::Left { peer, in_order: false }),
        }
    }

    fn made(&mut self, at_us: u64, peer: u32, kind: &'a str, media: String) {
        let merged = self.recent().any(|item| match &mut item.what {
            Happening::Made { peer: of, kind: before, media: same, count } => {
                let alike = *of == peer && *before == kind && *same == media;
                *count += usize::from(alike);
                alike
            }
            _ => false,
        });
        if !merged {
            self.put(at_us, 3, Happening::Made { peer, kind, media, count: 1 });
        }
    }

    fn peer_state(&mut self, at_us: u64, peer: u32, ice: Option<&'a str>, connection: Option<&'a str>) {
        let open = self.recent().find_map(|item| match &mut item.what {
            Happening::Peer { peer: of, ice, connection, .. }
                if *of == peer && at_us.saturating_sub(item.at_us) <= TOGETHER =>
            {
                Some((&mut item.at_us, ice, connection))
            }
            _ => None,
        });
        match open {
            Some((at, ices, connections)) => {
                *at = at_us;
                ices.extend(ice);
                connections.extend(connection);
            }
            None => {
                let (ice, connection) = (ice.into_iter().collect(), connection.into_iter().collect());
                self.put(at_us, 4, Happening::Peer { peer, ice, connection, up: None });
            }
        }
    }

    fn announced(&mut self, at_us: u64, peer: u32, kind: MediaKind) {
        let merged = self.recent().any(|item| match &mut item.what {
            Happening::Announced { peer: of, kinds } if *of == peer => {
                kinds.push(kind);
                true
            }
            _ => false,
        });
        if !merged {
            self.put(at_us, 2, Happening::Announced { peer, kinds: vec![kind] });
        }
    }

    pub(super) fn counted(&mut self, at_us: u64, peer: u32, evidence: &'a Evidence) {
        self.counters.push((peer, at_us, evidence));
        // The pair and DTLS stand where the connection came up.
        let up = self.items.iter_mut().rev().find_map(|item| match &mut item.what {
            Happening::Peer { peer: of, connection, up, .. } if *of == peer && connection.contains(&"connected") => {
                Some(up)
            }
            _ => None,
        });
        if let Some(up) = up.filter(|up| up.is_none() && evidence.dtls.is_some()) {
            *up = Some(evidence);
        }
        let mut new: Vec<_> = evidence.received.iter().filter(|s| !self.streams.contains(&(peer, s.ssrc))).collect();
        new.sort_by_key(|stream| (stream.first_at_us, stream.ssrc));
        for stream in new {
            self.streams.push((peer, stream.ssrc));
            // Retransmissions are no medium of their own (RFC 4588).
            let codec = stream.codec.as_deref();
            if codec.is_some_and(|codec| codec.eq_ignore_ascii_case("rtx")) {
                continue;
            }
            let (kind, payload_type, at_us) = (stream.kind, stream.payload_type, stream.first_at_us);
            self.first_rtp(peer, Stream { kind, codec, payload_type, at_us });
        }
    }

    fn first_rtp(&mut self, peer: u32, stream: Stream<'a>) {
        let at_us = stream.at_us;
        let open = self.items.iter_mut().rev().find_map(|item| match &mut item.what {
            Happening::FirstRtp { peer: of, streams }
                if *of == peer && at_us.saturating_sub(item.at_us) <= TOGETHER =>
            {
                Some(streams)
            }
            _ => None,
        });
        match open {
            Some(streams) => streams.push(stream),
            None => self.put(at_us, 4, Happening::FirstRtp { peer, streams: vec![stream] }),
        }
    }
}

/// The type of a candidate: `host` (RFC 8839 section 5.1).
pub(super) fn kind_of(candidate: &str) -> Option<&str> {
    let mut words = candidate.split_ascii_whitespace().skip_while(|word| *word != "typ");
    words.nth(1).filter(|word| word.len() <= 12)
}
