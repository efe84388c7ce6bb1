//! The times of a flow: reported, never certified on, and so no part of the judgement.

use std::collections::HashMap;

use fincert_schemas::run::flow::{Act, Await, End, MediaKind, Referee};
use fincert_schemas::run::{Transcript, What};
use serde::Serialize;

/// How long a flow took to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlowTimes<'a> {
    /// The scenario's id.
    pub scenario: &'a str,
    /// Which peer drove it.
    pub referee: Referee,
    /// When both ends first said that they were connected, in milliseconds since the scenario began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected_ms: Option<u64>,
    /// When the first RTP of a kind came to fincert.
    pub first_rtp_ms: FirstRtp,
    /// When the last thing was observed.
    pub duration_ms: u64,
    /// What was awaited and did not come, answers of the target among it, in order.
    pub awaited_unmet: Vec<Unmet<'a>>,
}

/// When the first RTP of each kind came, in milliseconds since the scenario began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, schemars::JsonSchema)]
pub struct FirstRtp {
    /// Sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<u64>,
    /// Pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<u64>,
}

impl FirstRtp {
    /// Whichever came first.
    pub fn earliest(self) -> Option<u64> {
        self.audio.into_iter().chain(self.video).min()
    }
}

/// Something that was awaited in vain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unmet<'a> {
    /// At which end.
    pub end: End,
    /// In which act; absent while the call was set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
    /// What.
    pub what: Await,
    /// Of which kind, type or name.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub of: &'a str,
    /// How long it was waited for.
    pub waited_ms: u64,
    /// What did happen.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub instead: &'a str,
}

impl<'a> FlowTimes<'a> {
    /// The times of a transcript, if it is of a flow that was driven.
    pub fn of(transcript: &'a Transcript) -> Option<Self> {
        let referee = transcript.referee?;
        let mut driven = false;
        let mut act = None;
        let mut methods: HashMap<u64, &str> = HashMap::new();
        let mut times = Self {
            scenario: &transcript.scenario,
            referee,
            connected_ms: None,
            first_rtp_ms: FirstRtp::default(),
            duration_ms: 0,
            awaited_unmet: Vec::new(),
        };
        for event in transcript.events.iter().filter(|event| !event.late) {
            let at_ms = event.at_us / 1_000;
            times.duration_ms = times.duration_ms.max(at_ms);
            match &event.what {
                What::Flow { .. } => driven = true,
                What::Act { act: begun } => act = Some(*begun),
                What::Awaited { what: Await::TargetConnected, met: true, .. } => {
                    times.connected_ms.get_or_insert(at_ms);
                }
                What::Awaited { end, what, of, met: false, waited_ms, instead } => {
                    let (end, what, waited_ms) = (*end, *what, *waited_ms);
                    times.awaited_unmet.push(Unmet { end, act, what, of, waited_ms, instead });
                }
                What::Call { id, method, .. } => {
                    methods.insert(*id, method);
                }
                What::NoResponse { id, deadline_ms, alive } => times.awaited_unmet.push(Unmet {
                    end: End::Target,
                    act,
                    what: Await::Answer,
                    of: methods.get(id).copied().unwrap_or_default(),
                    waited_ms: *deadline_ms,
                    instead: if *alive { "" } else { "no answer to bridge.ping either" },
                }),
                What::Counted { evidence, .. } => {
                    for stream in &evidence.received {
                        times.first_rtp_ms.saw(stream.kind, stream.first_at_us / 1_000);
                    }
                }
                _ => {}
            }
        }
        driven.then_some(times)
    }
}

impl FirstRtp {
    fn saw(&mut self, kind: Option<MediaKind>, at_ms: u64) {
        let first = match kind {
            Some(MediaKind::Audio) => &mut self.audio,
            Some(MediaKind::Video) => &mut self.video,
            None => return,
        };
        *first = Some(first.map_or(at_ms, |before| before.min(at_ms)));
    }
}
