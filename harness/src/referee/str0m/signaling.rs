//! What the handle asks of the task: descriptions, candidates, tracks.

use std::time::Instant;

use fincert_peer::{Candidate, Description, OfferOptions, PeerError, PeerEvent, SdpKind};
use fincert_schemas::run::flow::MediaKind;
use tokio::sync::oneshot;

use super::candidates::{self, Known, MAX_CANDIDATES};
use super::driver::Driver;
use super::sockets::Sockets;

/// What the handle asks of the task.
#[derive(Debug)]
pub(super) enum Command {
    CreateOffer(OfferOptions, Reply<Description>),
    CreateAnswer(Reply<Description>),
    SetLocal(Description, Reply<()>),
    SetRemote(Description, Reply<()>),
    LocalDescription(oneshot::Sender<Option<Description>>),
    AddCandidate(Candidate, Reply<()>),
    AddTrack(MediaKind, Reply<()>),
    Vanish(oneshot::Sender<()>),
    Close,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, PeerError>>;

impl Driver {
    pub(super) async fn command(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::CreateOffer(options, reply) => {
                let offer = self.negotiation.create_offer(&mut self.rtc, &options);
                let _ = reply.send(offer);
            }
            Command::CreateAnswer(reply) => {
                let _ = reply.send(self.negotiation.create_answer());
            }
            Command::SetLocal(description, reply) => {
                let done = self.set_local(&description, now).await;
                let _ = reply.send(done);
            }
            Command::SetRemote(description, reply) => {
                let done = self.set_remote(&description, now);
                let _ = reply.send(done);
            }
            Command::LocalDescription(reply) => {
                let _ = reply.send(self.local_description());
            }
            Command::AddCandidate(candidate, reply) => {
                let done = self.add_candidate(&candidate, now);
                let _ = reply.send(done);
            }
            Command::AddTrack(kind, reply) => {
                let _ = reply.send(self.negotiation.add_track(kind));
            }
            Command::Vanish(reply) => {
                self.silent = true;
                let _ = reply.send(());
            }
            Command::Close => {}
        }
        if !self.silent {
            self.drain(now);
        }
    }

    async fn set_local(&mut self, description: &Description, now: Instant) -> Result<(), PeerError> {
        if self.sockets.is_empty() {
            self.sockets = Sockets::bind(&self.bind).await?;
        }
        let new_credentials = self.negotiation.set_local(&mut self.rtc, description)?;
        self.drain(now);
        if self.local_candidates.is_empty() {
            self.gather(now)?;
        }
        if new_credentials {
            self.announce_candidates();
        }
        if description.kind == SdpKind::Answer {
            self.negotiated(now);
        }
        Ok(())
    }

    /// Every socket makes a host candidate.
    fn gather(&mut self, now: Instant) -> Result<(), PeerError> {
        for address in self.sockets.addresses().collect::<Vec<_>>() {
            let candidate = str0m::Candidate::host(address, "udp")
                .map_err(|error| PeerError::Other(format!("{address} makes no candidate: {error}")))?;
            self.local_candidates.extend(self.rtc.add_local_candidate(candidate).map(|it| it.to_sdp_string()));
            self.drain(now);
        }
        Ok(())
    }

    /// Tells all candidates, under the user fragment that is in force, and that there are no more.
    fn announce_candidates(&mut self) {
        let Some(local) = self.negotiation.local() else { return };
        let Some((index, section)) = local.transport() else { return };
        let (mid, ufrag) = (section.mid().map(str::to_owned), local.ufrag().map(str::to_owned));
        let candidates: Vec<_> = self.local_candidates.iter().map(|it| with_ufrag(it, ufrag.as_deref())).collect();
        for candidate in candidates {
            self.tell(PeerEvent::Candidate(Candidate {
                candidate,
                sdp_mid: mid.clone(),
                sdp_m_line_index: u16::try_from(index).ok(),
                username_fragment: ufrag.clone(),
            }));
        }
        self.tell(PeerEvent::GatheringComplete);
    }

    fn local_description(&self) -> Option<Description> {
        let mut sdp = self.negotiation.local()?.clone();
        let ufrag = sdp.ufrag().map(str::to_owned);
        let candidates: Vec<_> = self.local_candidates.iter().map(|it| with_ufrag(it, ufrag.as_deref())).collect();
        sdp.put_candidates(&candidates, !self.sockets.is_empty());
        Some(Description { kind: self.negotiation.local_kind()?, sdp: sdp.to_string() })
    }

    fn set_remote(&mut self, description: &Description, now: Instant) -> Result<(), PeerError> {
        let remote = self.negotiation.set_remote(&mut self.rtc, description)?;
        if remote.restarted {
            self.states.restarting(now);
            self.forget_candidates();
        }
        self.states.trying(now);
        self.drain(now);
        for (kind, mid) in remote.tracks {
            self.tell(PeerEvent::Track { kind, mid });
        }
        for text in remote.candidates {
            if let Err(error) = self.take_candidate(&text, None, now) {
                tracing::debug!(candidate = text, %error, "a candidate of the description is not taken");
            }
        }
        self.retry_early(now);
        if description.kind == SdpKind::Answer {
            self.negotiated(now);
        }
        Ok(())
    }

    /// Both descriptions are in force.
    fn negotiated(&mut self, now: Instant) {
        let begun = self.sending.renew(&mut self.rtc, self.negotiation.attached(), now);
        let mut tap = self.tap();
        if let Some(local) = self.negotiation.local() {
            tap.learn(local);
        }
        if let Some(client) = self.negotiation.is_dtls_client() {
            tap.dtls(client);
        }
        for (ssrc, kind) in begun {
            tap.begin_stream(ssrc, kind);
        }
    }

    fn add_candidate(&mut self, candidate: &Candidate, now: Instant) -> Result<(), PeerError> {
        if candidate.candidate.trim().is_empty() {
            // The end of candidates (RFC 8838 section 14). str0m always expects more.
            return Ok(());
        }
        if let (Some(remote), Some(mid)) = (self.negotiation.remote(), &candidate.sdp_mid)
            && !mid.is_empty()
            && !remote.media.iter().any(|section| section.mid() == Some(mid))
        {
            return Err(PeerError::Malformed(format!("the remote description has no m-line {mid:.40?}")));
        }
        self.take_candidate(&candidate.candidate, candidate.username_fragment.as_deref(), now)
    }

    fn take_candidate(&mut self, text: &str, ufrag: Option<&str>, now: Instant) -> Result<(), PeerError> {
        let Some(candidate) = candidates::read(&self.filter, text)? else { return Ok(()) };
        if self.taken >= MAX_CANDIDATES {
            return Err(PeerError::Other(format!("no more than {MAX_CANDIDATES} candidates are taken")));
        }
        self.taken += 1;
        let ufrag = ufrag.filter(|it| !it.is_empty()).or(candidate.ufrag()).map(str::to_owned);
        self.early.push_back((candidate, ufrag));
        self.retry_early(now);
        Ok(())
    }

    /// The other end begins anew, and so does the count of its candidates. Those that came early may be of the new.
    fn forget_candidates(&mut self) {
        let current = self.negotiation.remote().and_then(|sdp| sdp.ufrag());
        self.early.retain(|(_, ufrag)| ufrag.as_deref() == current);
        self.taken = self.early.len();
        self.known = Known::default();
    }

    /// Hands str0m the candidates that belong to the remote description in force.
    fn retry_early(&mut self, now: Instant) {
        let Some(current) = self.negotiation.remote().map(|sdp| sdp.ufrag().map(str::to_owned)) else { return };
        for _ in 0..self.early.len() {
            let Some((candidate, ufrag)) = self.early.pop_front() else { break };
            if ufrag.is_some() && ufrag != current {
                self.early.push_back((candidate, ufrag));
                continue;
            }
            self.known.learn(&candidate);
            self.states.trying(now);
            self.rtc.add_remote_candidate(candidate);
            self.drain(now);
        }
    }
}

/// A candidate names the user fragment that it belongs to (RFC 8839 section 5.1 lets extensions stand behind).
fn with_ufrag(candidate: &str, ufrag: Option<&str>) -> String {
    let base = candidate.split(" ufrag ").next().unwrap_or(candidate);
    ufrag.map_or_else(|| base.to_owned(), |ufrag| format!("{base} ufrag {ufrag}"))
}
