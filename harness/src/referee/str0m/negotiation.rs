//! Offer and answer as JSEP has them (RFC 9429), over str0m's `SdpApi`, which knows an offer that is pending and an
//! offer that was accepted, and nothing between.
//!
//! An offer of the other end is accepted when it is set, since str0m judges it only then, and the answer that comes of
//! it is kept until it is asked for. str0m has no rollback: an end that has offered waits for its answer.

use std::collections::BTreeMap;

use fincert_peer::{Description, OfferOptions, PeerError, SdpKind};
use fincert_schemas::run::flow::MediaKind;
use str0m::Rtc;
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::media::{Direction, Mid};

use super::sdp::Sdp;

/// Where the two descriptions stand, and which track is sent on which m-line.
#[derive(Debug, Default)]
pub(super) struct Negotiation {
    state: State,
    /// Kinds that have a track.
    tracks: Vec<MediaKind>,
    /// The m-lines that tracks are sent on, once negotiated.
    attached: BTreeMap<MediaKind, Mid>,
    /// All m-lines of sound and pictures that are negotiated, in order.
    lines: Vec<(Mid, MediaKind)>,
    /// The last offer that was made.
    offer: Option<Proposal>,
    local: Option<Sdp>,
    local_kind: Option<SdpKind>,
    remote: Option<Sdp>,
    dtls_client: Option<bool>,
    /// The last description that was made, before its origin, and that origin's version.
    made: (String, u64),
    wrong_fingerprint: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Stable,
    HaveLocalOffer(Proposal),
    HaveRemoteOffer {
        offer: Sdp,
        /// What str0m answers; directions are decided when the answer is made.
        accepted: Sdp,
        answer: Option<Proposal>,
    },
}

/// A description of this end, and what comes into force with it.
#[derive(Debug)]
struct Proposal {
    pending: Option<SdpPendingOffer>,
    ufrag: String,
    attached: BTreeMap<MediaKind, Mid>,
}

/// What a remote description brought.
#[derive(Debug, Default)]
pub(super) struct Remote {
    pub(super) candidates: Vec<String>,
    /// Media that is announced now and was not before.
    pub(super) tracks: Vec<(MediaKind, String)>,
    /// The ICE credentials are others than before.
    pub(super) restarted: bool,
}

impl Negotiation {
    pub(super) fn new(wrong_fingerprint: bool) -> Self {
        Self { wrong_fingerprint, ..Self::default() }
    }

    pub(super) fn local(&self) -> Option<&Sdp> {
        self.local.as_ref()
    }

    pub(super) fn remote(&self) -> Option<&Sdp> {
        self.remote.as_ref()
    }

    pub(super) fn is_stable(&self) -> bool {
        matches!(self.state, State::Stable)
    }

    /// The kind of the last local description.
    pub(super) fn local_kind(&self) -> Option<SdpKind> {
        self.local_kind
    }

    /// Whether this end begins DTLS: the roles of the first answer, which stay (RFC 8842 section 5).
    pub(super) fn is_dtls_client(&self) -> Option<bool> {
        self.dtls_client
    }

    /// The m-lines that tracks are sent on.
    pub(super) fn attached(&self) -> &BTreeMap<MediaKind, Mid> {
        &self.attached
    }

    pub(super) fn add_track(&mut self, kind: MediaKind) -> Result<(), PeerError> {
        if self.tracks.contains(&kind) {
            return Err(PeerError::State(format!("a track of {} is there already", kind.as_str())));
        }
        self.tracks.push(kind);
        Ok(())
    }

    pub(super) fn create_offer(&mut self, rtc: &mut Rtc, options: &OfferOptions) -> Result<Description, PeerError> {
        if !self.is_stable() {
            return Err(PeerError::State("an offer is open; str0m makes no other until it is answered".into()));
        }
        if self.lines.is_empty() && self.tracks.is_empty() && options.receive.is_empty() {
            return Err(PeerError::State("nothing to offer; add a track, or ask to receive a kind".into()));
        }
        let mut attached = self.attached.clone();
        for kind in &self.tracks {
            let free = self.lines.iter().find(|(_, it)| it == kind).map(|(mid, _)| *mid);
            if let (false, Some(mid)) = (attached.contains_key(kind), free) {
                // Without a stream str0m would announce no SSRC.
                if rtc.direct_api().stream_tx_by_mid(mid, None).is_none() {
                    let ssrc = rtc.direct_api().new_ssrc();
                    rtc.direct_api().declare_stream_tx(ssrc, None, mid, None);
                }
                attached.insert(*kind, mid);
            }
        }
        let directions: Vec<_> = self.lines.iter().map(|(mid, _)| (*mid, wanted(&attached, *mid))).collect();
        let current: Vec<_> =
            directions.iter().filter_map(|(mid, _)| Some((*mid, rtc.media(*mid)?.direction()))).collect();

        let mut api = rtc.sdp_api();
        for (mid, direction) in directions {
            api.set_direction(mid, direction);
        }
        for kind in &self.tracks {
            if !attached.contains_key(kind) {
                let mid = api.add_media(str0m_kind(*kind), Direction::SendRecv, None, None, None);
                attached.insert(*kind, mid);
            }
        }
        for kind in &options.receive {
            let there = self.lines.iter().any(|(_, it)| it == kind) || attached.contains_key(kind);
            if !there {
                api.add_media(str0m_kind(*kind), Direction::RecvOnly, None, None, None);
            }
        }
        if options.ice_restart {
            // The sockets stay, so the candidates do; RFC 8445 section 9 leaves that to the agent.
            api.ice_restart(true);
        }
        if !api.has_changes() {
            // str0m offers only where something changes. A direction that goes away and comes back is a change to it.
            if let Some((mid, direction)) = current.first().copied() {
                let other = if direction == Direction::RecvOnly { Direction::SendRecv } else { Direction::RecvOnly };
                api.set_direction(mid, other);
                api.set_direction(mid, direction);
            }
        }
        let (offer, pending) =
            api.apply().ok_or_else(|| PeerError::Other("str0m made no offer of the changes".into()))?;
        let mut sdp = Sdp::read(&offer.to_sdp_string()).map_err(PeerError::Other)?;
        self.finish(&mut sdp);
        let ufrag = sdp.ufrag().unwrap_or_default().to_owned();
        self.offer = Some(Proposal { pending: Some(pending), ufrag, attached });
        Ok(Description { kind: SdpKind::Offer, sdp: sdp.to_string() })
    }

    pub(super) fn create_answer(&mut self) -> Result<Description, PeerError> {
        let State::HaveRemoteOffer { offer, accepted, .. } = &self.state else {
            return Err(PeerError::State("there is no remote offer to answer".into()));
        };
        let mut sdp = accepted.clone();
        let mut attached = self.attached.clone();
        for (section, offered) in sdp.media.iter_mut().zip(&offer.media) {
            let (Some(kind), Some(mid)) = (section.media_kind(), section.str0m_mid()) else { continue };
            let possible = offered.direction().invert();
            if self.tracks.contains(&kind) && possible.is_sending() && !attached.contains_key(&kind) {
                attached.insert(kind, mid);
            }
            let sends = possible.is_sending() && attached.get(&kind) == Some(&mid);
            section.set_direction(direction(sends, possible.is_receiving()));
        }
        sdp.reject_empty(offer);
        self.finish(&mut sdp);
        let ufrag = sdp.ufrag().unwrap_or_default().to_owned();
        let text = sdp.to_string();
        if let State::HaveRemoteOffer { answer, .. } = &mut self.state {
            *answer = Some(Proposal { pending: None, ufrag, attached });
        }
        Ok(Description { kind: SdpKind::Answer, sdp: text })
    }

    /// Puts a local description in force. Says whether its ICE credentials are new.
    pub(super) fn set_local(&mut self, rtc: &mut Rtc, description: &Description) -> Result<bool, PeerError> {
        let mut sdp = match description.kind {
            SdpKind::Rollback => {
                return Err(PeerError::Unable("str0m has no rollback".into()));
            }
            SdpKind::Offer | SdpKind::Answer => Sdp::read(&description.sdp).map_err(PeerError::Malformed)?,
        };
        sdp.take_candidates();
        let is_last = self.offer.as_ref().is_some_and(|offer| sdp.ufrag() == Some(&offer.ufrag));
        match (std::mem::take(&mut self.state), description.kind) {
            (State::Stable, SdpKind::Offer) if is_last => {
                self.state = self.offer.take().map_or(State::Stable, State::HaveLocalOffer);
            }
            (State::HaveRemoteOffer { answer: Some(proposal), .. }, SdpKind::Answer)
                if sdp.ufrag() == Some(&proposal.ufrag) =>
            {
                for section in &sdp.media {
                    if let (Some(_), Some(mid)) = (section.media_kind(), section.str0m_mid()) {
                        rtc.sdp_api().set_direction(mid, section.direction());
                    }
                }
                self.attached = proposal.attached;
                self.settle(&sdp);
            }
            (state, kind) => {
                let was = state.word();
                self.state = state;
                return Err(PeerError::State(format!(
                    "no local {} in {was}, or not this peer's last one",
                    kind.as_str()
                )));
            }
        }
        let restarted = self.local.as_ref().and_then(Sdp::ufrag) != sdp.ufrag();
        if description.kind == SdpKind::Answer {
            self.learn_role(&sdp, "active");
        }
        self.local = Some(sdp);
        self.local_kind = Some(description.kind);
        Ok(restarted)
    }

    pub(super) fn set_remote(&mut self, rtc: &mut Rtc, description: &Description) -> Result<Remote, PeerError> {
        let mut sdp = match description.kind {
            SdpKind::Rollback => return Err(PeerError::Unable("str0m has no rollback".into())),
            SdpKind::Offer | SdpKind::Answer => Sdp::read(&description.sdp).map_err(PeerError::Malformed)?,
        };
        let mut remote = Remote { candidates: sdp.take_candidates(), ..Remote::default() };
        check(&sdp)?;
        match (&mut self.state, description.kind) {
            (State::Stable | State::HaveRemoteOffer { .. }, SdpKind::Offer) => {
                let offer = SdpOffer::from_sdp_string(&sdp.for_str0m()).map_err(malformed)?;
                // An offer of this end that was made and never set is void to str0m from here on.
                self.offer = None;
                let answer = rtc.sdp_api().accept_offer(offer).map_err(refused)?;
                let accepted = Sdp::read(&answer.to_sdp_string()).map_err(PeerError::Other)?;
                self.state = State::HaveRemoteOffer { offer: sdp.clone(), accepted, answer: None };
            }
            (State::HaveLocalOffer(proposal), SdpKind::Answer) => {
                let answer = SdpAnswer::from_sdp_string(&sdp.for_str0m()).map_err(malformed)?;
                let pending = proposal.pending.take().ok_or_else(|| {
                    PeerError::State("str0m gave this offer up when it refused the answer before".into())
                })?;
                rtc.sdp_api().accept_answer(pending, answer).map_err(refused)?;
                self.attached = std::mem::take(&mut proposal.attached);
                self.settle(&sdp);
            }
            (state, kind) => {
                return Err(PeerError::State(format!("no remote {} in {}", kind.as_str(), state.word())));
            }
        }
        remote.tracks = announced(&sdp, self.remote.as_ref());
        remote.restarted = self.remote.as_ref().is_some_and(|before| before.ufrag() != sdp.ufrag());
        if description.kind == SdpKind::Answer {
            self.learn_role(&sdp, "passive");
        }
        self.remote = Some(sdp);
        Ok(remote)
    }

    /// Keeps the m-lines that the answer accepted. A rejected one carries no track.
    fn settle(&mut self, answer: &Sdp) {
        self.state = State::Stable;
        self.lines = answer
            .media
            .iter()
            .filter(|section| !answer.is_rejected(section))
            .filter_map(|section| Some((section.str0m_mid()?, section.media_kind()?)))
            .collect();
        let lines = &self.lines;
        self.attached.retain(|_, mid| lines.iter().any(|(it, _)| it == mid));
    }

    /// The answer decides who begins DTLS.
    fn learn_role(&mut self, answer: &Sdp, client: &str) {
        if let (None, Some((_, section))) = (self.dtls_client, answer.transport()) {
            self.dtls_client = answer.value_for(section, "setup").map(|setup| setup == client);
        }
    }

    /// What every description of this end has in common.
    fn finish(&mut self, sdp: &mut Sdp) {
        let id = sdp.origin_id();
        sdp.take_candidates();
        // In hexadecimal, so that nobody takes it for the number of a card.
        sdp.set_streams(&format!("fincert-{id:x}"));
        let text = sdp.to_string();
        if self.made.0 != text {
            self.made = (text, self.made.1 + 1);
        }
        sdp.set_origin(id, self.made.1);
        if self.wrong_fingerprint {
            sdp.falsify_fingerprint();
        }
    }
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::HaveLocalOffer(_) => "have-local-offer",
            Self::HaveRemoteOffer { .. } => "have-remote-offer",
        }
    }
}

/// What str0m would take without a word, or would not survive.
fn check(sdp: &Sdp) -> Result<(), PeerError> {
    let Some((_, transport)) = sdp.transport().or(sdp.media.first().map(|section| (0, section))) else {
        return Err(PeerError::Malformed("the description has no m-line".into()));
    };
    for name in ["ice-ufrag", "ice-pwd", "fingerprint"] {
        if sdp.value_for(transport, name).is_none_or(str::is_empty) && !sdp.is_rejected(transport) {
            return Err(PeerError::Malformed(format!("the description has no a={name}")));
        }
    }
    for section in &sdp.media {
        let mid = section.mid().unwrap_or_default();
        if section.str0m_mid().is_none() {
            return Err(PeerError::Unable(format!(
                "str0m keeps mids of at most 16 letters, digits and underscores; this one is {mid:?}"
            )));
        }
        if section.media_kind().is_none() && section.kind() != "application" {
            return Err(PeerError::Unable(format!("str0m does not answer an m-line of {}", section.kind())));
        }
    }
    Ok(())
}

/// The m-lines by which media is announced that was not announced before.
fn announced(sdp: &Sdp, before: Option<&Sdp>) -> Vec<(MediaKind, String)> {
    fn sending(sdp: &Sdp) -> impl Iterator<Item = (MediaKind, &str)> {
        sdp.media
            .iter()
            .filter(|section| section.direction().is_sending() && !sdp.is_rejected(section))
            .filter_map(|section| Some((section.media_kind()?, section.mid()?)))
    }
    let known: Vec<_> = before.map(|before| sending(before).collect()).unwrap_or_default();
    let new = sending(sdp).filter(|track| !known.contains(track));
    new.map(|(kind, mid)| (kind, mid.to_owned())).collect()
}

fn wanted(attached: &BTreeMap<MediaKind, Mid>, mid: Mid) -> Direction {
    direction(attached.values().any(|it| *it == mid), true)
}

fn direction(sends: bool, receives: bool) -> Direction {
    match (sends, receives) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

fn str0m_kind(kind: MediaKind) -> str0m::media::MediaKind {
    match kind {
        MediaKind::Audio => str0m::media::MediaKind::Audio,
        MediaKind::Video => str0m::media::MediaKind::Video,
    }
}

fn malformed(error: impl std::fmt::Display) -> PeerError {
    PeerError::Malformed(format!("str0m cannot read the description: {error}"))
}

fn refused(error: impl std::fmt::Display) -> PeerError {
    PeerError::Other(format!("str0m refuses the description: {error}"))
}
