//! Scrubbing what is already kept: a value that the last answer taught may stand in the first.

use serde_json::Value;

use super::{Capture, webrtc};
use crate::run::flow::PeerDid;
use crate::run::{Captured, Ended, Fact, Transcript, What};

impl Capture<'_> {
    /// Scrubs a whole transcript again, by what it taught in the end.
    pub fn rescrub(&self, transcript: &mut Transcript) {
        if self.reveal || self.raw {
            return;
        }
        for event in &mut transcript.events {
            self.again(&mut event.what);
        }
        if let Ended::Broken { detail, .. } = &mut transcript.ended {
            self.text_again(detail);
        }
    }

    fn again(&self, what: &mut What) {
        match what {
            What::Stderr { text }
            | What::Gone { status: text }
            | What::Refused { message: text, .. }
            | What::Listened { refused: Some(text), .. }
            | What::Read { refused: Some(text), .. }
            | What::Awaited { instead: text, .. } => self.text_again(text),
            What::BadFrame { detail, quote, .. } => {
                self.text_again(detail);
                self.text_again(quote);
            }
            What::Call { request: captured, .. }
            | What::Answer { value: Some(captured), .. }
            | What::Callback { value: Some(captured), .. }
            | What::Read { value: Some(captured), .. }
            | What::Emitted { value: captured, .. } => self.captured_again(captured),
            What::Peer { did, .. } => self.peer_again(did),
            _ => {}
        }
    }

    fn peer_again(&self, did: &mut PeerDid) {
        match did {
            PeerDid::Description { sdp: text, refused, .. } | PeerDid::Candidate { candidate: text, refused, .. } => {
                self.known_again(text, true);
                if let Some(refused) = refused {
                    self.text_again(refused);
                }
            }
            PeerDid::Failed { why, .. } => self.text_again(why),
            _ => {}
        }
    }

    fn captured_again(&self, captured: &mut Captured) {
        self.value_again("", &mut captured.value);
        for fact in &mut captured.facts {
            if let Fact::Breaks { actual: text, .. } | Fact::Relation { actual: Some(text), .. } = fact {
                self.text_again(text);
            }
        }
    }

    /// What a value looks like was seen to when it was captured, and by its place; only what is known has grown.
    fn value_again(&self, key: &str, value: &mut Value) {
        match value {
            Value::String(text) => {
                let words = webrtc::kind_of(key, text) != webrtc::Text::Free;
                self.known_again(text, words);
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value_again(key, item)),
            Value::Object(object) => object.iter_mut().for_each(|(key, inner)| self.value_again(key, inner)),
            _ => {}
        }
    }

    fn known_again(&self, text: &mut String, words: bool) {
        replace(text, self.scrubber.scrub_known(text, words));
    }

    fn text_again(&self, text: &mut String) {
        replace(text, self.scrubber.scrub(text));
    }
}

fn replace(text: &mut String, clean: String) {
    if clean != *text {
        *text = clean;
    }
}
