//! Candidates of the other end.

use std::collections::HashMap;
use std::net::SocketAddr;

use fincert_peer::{AddressFilter, PeerError, Verdict};

/// A peer takes at most this many candidates.
pub(super) const MAX_CANDIDATES: usize = 100;

/// Reads a candidate, and refuses it unless it may be dialled. `None` is one that is taken and never used.
pub(super) fn read(filter: &AddressFilter, text: &str) -> Result<Option<str0m::Candidate>, PeerError> {
    let text = text.trim();
    let text = text.strip_prefix("a=").unwrap_or(text);
    match filter.judge(text)? {
        Verdict::Pass => Ok(None),
        Verdict::Dial => str0m::Candidate::from_sdp_string(&with_udp_in_lower_case(text))
            .map(Some)
            .map_err(|error| PeerError::Malformed(format!("str0m cannot read the candidate: {error}"))),
    }
}

/// Any case is meant (RFC 8839 section 5.1), str0m knows the lower.
fn with_udp_in_lower_case(text: &str) -> String {
    let mut words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    if let Some(word) = words.get_mut(2) {
        word.make_ascii_lowercase();
    }
    words.join(" ")
}

/// The candidates that str0m was given, for the name of the selected pair.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<SocketAddr, String>);

impl Known {
    pub(super) fn learn(&mut self, candidate: &str0m::Candidate) {
        if self.0.len() < MAX_CANDIDATES {
            self.0.insert(candidate.addr(), candidate.kind().to_string());
        }
    }

    /// Type and address. One that was never told is peer-reflexive (RFC 8445 section 7.3.1.3).
    pub(super) fn name(&self, address: SocketAddr) -> String {
        format!("{} {address}", self.0.get(&address).map_or("prflx", String::as_str))
    }
}
