//! Candidates of the other end.

use super::state::Remote;
use super::{Connection, closed};
use crate::address::{Verdict, short};
use crate::peer::{Candidate, PeerError};
use crate::policy::text::{attribute, value};
use crate::sync::lock;

/// At most so many candidates of the other end are dialled, of all descriptions together.
const MAX_CANDIDATES: usize = 100;

impl Connection {
    /// `addIceCandidate`; `None` is the end of candidates. It rejects before a remote description, after close, an
    /// unknown mid, and what cannot be read. Notes 7: the crate resolves after close and takes any mid.
    pub async fn add_ice_candidate(&self, candidate: Option<&Candidate>) -> Result<(), PeerError> {
        let _turn = self.turn().await?;
        {
            let state = lock(&self.state);
            let remote = state.remote().ok_or_else(|| PeerError::State("there is no remote description".to_owned()))?;
            let Some(candidate) = candidate else { return Ok(()) };
            // The end of candidates of one generation (RFC 8838 section 14).
            let ends = candidate.candidate.is_empty();
            if ends && candidate.sdp_mid.is_none() && candidate.sdp_m_line_index.is_none() {
                return Ok(());
            }
            let index = remote.section(candidate).ok_or_else(|| unknown(candidate))?;
            if let Some(ufrag) = &candidate.username_fragment
                && !remote.has_ufrag(index, ufrag)
            {
                return Err(PeerError::Malformed(format!("no m-line has the user fragment {}", short(ufrag))));
            }
            if ends {
                return Ok(());
            }
        }
        let Some(candidate) = candidate else { return Ok(()) };
        self.dial(&candidate.candidate).await?;
        let mut state = lock(&self.state);
        if state.is_closed() {
            return Err(closed());
        }
        if let Some(remote) = state.remote_mut()
            && let Some(index) = remote.section(candidate)
            && remote.added.len() < MAX_CANDIDATES
            && !remote.added.iter().any(|(_, text)| text == &candidate.candidate)
        {
            remote.added.push((index, candidate.candidate.clone()));
        }
        Ok(())
    }

    /// Whether a candidate may be dialled, whichever description it is for.
    pub(crate) fn judge(&self, text: &str) -> Result<(), PeerError> {
        if text.is_empty() { Ok(()) } else { self.filter.judge(text).map(|_| ()) }
    }

    /// Hands a candidate to the engine if it may be dialled.
    async fn dial(&self, text: &str) -> Result<(), PeerError> {
        if self.filter.judge(text)? == Verdict::Pass {
            return Ok(());
        }
        {
            let mut state = lock(&self.state);
            if state.dialled >= MAX_CANDIDATES {
                return Err(PeerError::Unable(format!("more than {MAX_CANDIDATES} candidates")));
            }
            state.dialled += 1;
        }
        self.engine.add_candidate(text).await
    }

    /// Dials the candidates within a remote description. Those that may not be dialled are left out: they are no fault
    /// of the description.
    pub(super) async fn dial_those_within(&self, remote: &Remote) {
        for candidate in remote.within() {
            if let Err(error) = self.dial(&candidate).await {
                tracing::debug!("a candidate within a description: {error}");
            }
        }
    }
}

fn unknown(candidate: &Candidate) -> PeerError {
    let mid = candidate.sdp_mid.as_deref();
    PeerError::Malformed(match (mid, candidate.sdp_m_line_index) {
        (Some(mid), _) => format!("no m-line has the mid {}", short(mid)),
        (None, Some(index)) => format!("there is no m-line {index}"),
        (None, None) => "a candidate needs sdpMid or sdpMLineIndex".to_owned(),
    })
}

impl Remote {
    /// The candidates that stand in the description.
    fn within(&self) -> Vec<String> {
        let lines = self.text.media.iter().flatten();
        let texts = lines.filter_map(|line| attribute(line, "candidate")).map(|value| format!("candidate:{value}"));
        texts.take(MAX_CANDIDATES).collect()
    }

    /// Whether an m-line has this user fragment; a bundle has that of its first.
    fn has_ufrag(&self, index: usize, ufrag: &str) -> bool {
        let media = &self.text.media;
        let own = media.get(index).and_then(|lines| value(lines, "ice-ufrag"));
        let any = || media.iter().find_map(|lines| value(lines, "ice-ufrag"));
        own.or_else(any).or_else(|| value(&self.text.session, "ice-ufrag")) == Some(ufrag)
    }
}
