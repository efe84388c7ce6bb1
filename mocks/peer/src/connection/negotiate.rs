//! Offers and answers (RFC 3264, RFC 9429).

use std::sync::Mutex;

use fincert_schemas::run::flow::MediaKind;

use super::state::{Bare, Made, Remote, Signaling, State};
use super::{Connection, closed};
use crate::peer::{Description, OfferOptions, PeerError, SdpKind};
use crate::policy::setup::{self, Role};
use crate::policy::text::{direction, is_rejected, receives, value, words};
use crate::policy::{Text, candidate, fingerprint, judge, normal, sections, trickle};
use crate::sync::lock;

impl Connection {
    /// `createOffer`. `receive` makes an m-line that only receives for each kind that would not be received otherwise,
    /// as offerToReceiveAudio and offerToReceiveVideo do (W3C webrtc-pc 4.4.3.4).
    pub async fn create_offer(&self, options: &OfferOptions) -> Result<Description, PeerError> {
        let _turn = self.turn().await?;
        for kind in &options.receive {
            if self.lacks_receiver(*kind) {
                self.engine.add_receiver(*kind).await?;
                lock(&self.state).receivers.push(*kind);
            }
        }
        let engine = self.engine.create_offer(options.ice_restart).await?;
        let mut text = Text::read(&engine);
        let mut state = lock(&self.state);
        if let Some(in_force) = state.current_local.as_ref() {
            sections::reoffer(&mut text, &in_force.text);
        }
        let made = self.finish(&mut state, text, engine);
        let told = made.told.clone();
        state.last_offer = Some(made);
        Ok(Description { kind: SdpKind::Offer, sdp: told })
    }

    /// `createAnswer`; rejects unless there is a remote offer.
    pub async fn create_answer(&self) -> Result<Description, PeerError> {
        let _turn = self.turn().await?;
        if lock(&self.state).signaling != Signaling::HaveRemoteOffer {
            return Err(PeerError::State("createAnswer without a remote offer".to_owned()));
        }
        let engine = self.engine.create_answer().await?;
        let mut text = Text::read(&engine);
        let mut state = lock(&self.state);
        let Some(offer) = state.pending_remote.as_ref() else { return Err(closed()) };
        sections::answer(&mut text, &offer.text);
        let role = state.role.unwrap_or_else(|| Role::from_remote(&offer.text));
        setup::answer(&mut text, role);
        let made = self.finish(&mut state, text, engine);
        let told = made.told.clone();
        state.last_answer = Some(made);
        Ok(Description { kind: SdpKind::Answer, sdp: told })
    }

    /// What every description of our own has.
    fn finish(&self, state: &mut State, mut text: Text, engine: String) -> Made {
        candidate::strip(&mut text);
        trickle::say(&mut text);
        if self.wrong_fingerprint {
            fingerprint::spoil(&mut text);
        }
        state.origin.sign(&mut text);
        Made { told: state.with_candidates(&text).write(), engine, bare: text }
    }

    fn lacks_receiver(&self, kind: MediaKind) -> bool {
        let state = lock(&self.state);
        let receives = |lines: &Vec<String>, session: &[String]| {
            words(lines).first() == Some(&kind.as_str()) && !is_rejected(lines) && receives(direction(session, lines))
        };
        let in_force = state.local().is_some_and(|local| {
            let text = &local.text;
            text.media.iter().any(|lines| receives(lines, &text.session))
        });
        // A sender's m-line receives, too.
        !in_force && !state.receivers.contains(&kind) && !state.senders.iter().any(|sender| sender.track.kind() == kind)
    }

    /// `setLocalDescription`; gathering begins. A text that createOffer or createAnswer did not make is refused (W3C
    /// webrtc-pc 4.4.1.5), and an empty one is what they made last (RFC 9429 section 5.4).
    pub async fn set_local_description(&self, description: &Description) -> Result<(), PeerError> {
        let _turn = self.turn().await?;
        let kind = description.kind;
        let made = self.made(description)?;
        let engine = made.as_ref().map_or("", |made| made.engine.as_str());
        let held = Held::new(&self.state);
        self.engine.set_local(kind, engine).await?;
        let mut state = lock(&self.state);
        if state.is_closed() {
            return Err(closed());
        }
        match (kind, made) {
            (SdpKind::Offer, Some(made)) => {
                state.gather_for(&made.bare);
                state.pending_local = Some(Bare { kind, text: made.bare });
                state.set_signaling(Signaling::HaveLocalOffer);
            }
            (SdpKind::Answer, Some(made)) => {
                if state.role.is_none() {
                    state.role = state.pending_remote.as_ref().map(|offer| Role::from_remote(&offer.text));
                }
                state.gather_for(&made.bare);
                state.current_local = Some(Bare { kind, text: made.bare });
                state.current_remote = state.pending_remote.take();
                self.settle(&mut state);
            }
            _ => state.roll_back(),
        }
        drop(state);
        drop(held);
        Ok(())
    }

    /// The description that is meant, if the state allows it.
    fn made(&self, description: &Description) -> Result<Option<Made>, PeerError> {
        let state = lock(&self.state);
        let (allowed, last, method) = match description.kind {
            SdpKind::Offer => (
                matches!(state.signaling, Signaling::Stable | Signaling::HaveLocalOffer),
                &state.last_offer,
                "createOffer",
            ),
            SdpKind::Answer => (state.signaling == Signaling::HaveRemoteOffer, &state.last_answer, "createAnswer"),
            SdpKind::Rollback if state.signaling == Signaling::Stable => {
                return Err(PeerError::State("there is nothing to roll back in stable".to_owned()));
            }
            SdpKind::Rollback => return Ok(None),
        };
        if !allowed {
            let (kind, state) = (description.kind.as_str(), state.signaling.as_str());
            return Err(PeerError::State(format!("setLocalDescription({kind}) in {state}")));
        }
        let last = last.as_ref().filter(|made| description.sdp.is_empty() || made.told == description.sdp);
        last.cloned()
            .map(Some)
            .ok_or_else(|| PeerError::Malformed(format!("the description is not what {method} made")))
    }

    /// `setRemoteDescription`. Candidates within it go through the address filter, too.
    pub async fn set_remote_description(&self, description: &Description) -> Result<(), PeerError> {
        let _turn = self.turn().await?;
        let kind = description.kind;
        if kind == SdpKind::Rollback {
            return self.roll_back_remote().await;
        }
        let (text, engine_sdp) = self.judged(description)?;
        let remote = Remote { kind, sdp: description.sdp.clone(), text, added: Vec::new() };
        let held = Held::new(&self.state);
        if let Err(error) = self.engine.set_remote(kind, &engine_sdp).await {
            // The crate has put some of it in force before it found the fault.
            if kind == SdpKind::Offer {
                let _ = self.engine.set_remote(SdpKind::Rollback, "").await;
            }
            return Err(error);
        }
        self.dial_those_within(&remote).await;
        let mut state = lock(&self.state);
        if state.is_closed() {
            return Err(closed());
        }
        match kind {
            SdpKind::Offer => {
                state.pending_remote = Some(remote.clone());
                state.set_signaling(Signaling::HaveRemoteOffer);
            }
            _ => {
                if state.role.is_none() {
                    state.role = Some(Role::from_remote(&remote.text));
                }
                state.current_local = state.pending_local.take();
                state.current_remote = Some(remote.clone());
                state.set_signaling(Signaling::Stable);
            }
        }
        state.tell_tracks(&remote);
        if kind == SdpKind::Answer {
            self.settle(&mut state);
        }
        drop(state);
        drop(held);
        Ok(())
    }

    /// The description as it was read, and for the engine.
    fn judged(&self, description: &Description) -> Result<(Text, String), PeerError> {
        let state = lock(&self.state);
        let allowed = match description.kind {
            SdpKind::Answer => state.signaling == Signaling::HaveLocalOffer,
            _ => matches!(state.signaling, Signaling::Stable | Signaling::HaveRemoteOffer),
        };
        if !allowed {
            let (kind, state) = (description.kind.as_str(), state.signaling.as_str());
            return Err(PeerError::State(format!("setRemoteDescription({kind}) in {state}")));
        }
        let offer = (description.kind == SdpKind::Answer).then_some(state.pending_local.as_ref()).flatten();
        let text = judge::remote(description.kind, &description.sdp, offer.map(|offer| &offer.text))?;
        if let Some(before) = state.current_remote.as_ref().filter(|_| description.kind == SdpKind::Offer) {
            keeps_m_lines(&text, &before.text)?;
        }
        let local = state.local().map(|local| &local.text);
        let known = |mid: &str| {
            let in_local = local.is_some_and(|text| text.media.iter().any(|lines| value(lines, "mid") == Some(mid)));
            in_local || state.current_remote.as_ref().is_some_and(|remote| remote.has_mid(mid))
        };
        let engine = normal::normal(&text, known);
        Ok((text, engine))
    }

    async fn roll_back_remote(&self) -> Result<(), PeerError> {
        if lock(&self.state).signaling == Signaling::Stable {
            return Err(PeerError::State("there is nothing to roll back in stable".to_owned()));
        }
        let held = Held::new(&self.state);
        self.engine.set_remote(SdpKind::Rollback, "").await?;
        lock(&self.state).roll_back();
        drop(held);
        Ok(())
    }

    /// An answer is in force.
    fn settle(&self, state: &mut State) {
        state.last_offer = None;
        state.last_answer = None;
        state.set_signaling(Signaling::Stable);
        state.open_outlets(&self.book);
        state.needed = false;
        state.update_needed();
    }
}

impl State {
    /// Back to stable (RFC 9429 section 5.7).
    fn roll_back(&mut self) {
        self.pending_local = None;
        self.pending_remote = None;
        let local = self.current_local.as_ref().map(|local| local.text.clone());
        if let Some(local) = local {
            self.gather_for(&local);
        }
        // Tracks that the offer has announced have ended with it.
        if let Some(remote) = self.current_remote.clone() {
            self.tell_tracks(&remote);
        } else {
            self.tracks.clear();
        }
        self.last_offer = None;
        self.last_answer = None;
        self.set_signaling(Signaling::Stable);
        self.needed = false;
        self.update_needed();
    }
}

/// A later offer keeps the m-lines of the last one, and adds behind them (RFC 3264 section 8).
fn keeps_m_lines(offer: &Text, before: &Text) -> Result<(), PeerError> {
    if offer.media.len() < before.media.len() {
        let (found, least) = (offer.media.len(), before.media.len());
        return Err(PeerError::Malformed(format!("the offer has {found} m-lines, the one before had {least}")));
    }
    for (index, (lines, before)) in offer.media.iter().zip(&before.media).enumerate() {
        // A rejected m-line may be used for something else (RFC 9429 section 5.2.2).
        if is_rejected(before) || is_rejected(lines) {
            continue;
        }
        if value(lines, "mid") != value(before, "mid") || words(lines).first() != words(before).first() {
            return Err(PeerError::Malformed(format!("m-line {index} has another mid or kind than before")));
        }
    }
    Ok(())
}

/// Engine events wait while this lives, so that what a description changes is told first. A caller that is dropped half
/// way does not keep them waiting.
struct Held<'a>(&'a Mutex<State>);

impl<'a> Held<'a> {
    fn new(state: &'a Mutex<State>) -> Self {
        lock(state).hold();
        Self(state)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        lock(self.0).release();
    }
}
