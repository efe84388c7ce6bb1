//! A transcript as checks see it: calls with what became of each.

use fincert_schemas::bridge::{CallbackKind, Hello, Via};
use fincert_schemas::capture::is_empty;
use fincert_schemas::catalog::{Catalog, api_of, is_webrtc, profile_of};
use fincert_schemas::run::fuzz::Case;
use fincert_schemas::run::{Captured, Ended, Event, Fact, Reason, Subject, Transcript, What};
use serde_json::Value;

use super::webrtc::readings::Readings;
use super::webrtc::view::Rtc;

/// Purposes of calls that are as the specification wants them.
const HARMLESS: [&str; 6] = ["no-options", "second-argument", "again", "candidate-empty", "glare", CONTROL];
/// The purpose of a plain valid call.
pub(crate) const CONTROL: &str = "control";

/// One transcript.
#[derive(Debug)]
pub struct View<'a> {
    /// The transcript.
    pub transcript: &'a Transcript,
    /// What the target said it is.
    pub hello: &'a Hello,
    /// The schemas.
    pub catalog: &'a Catalog,
    /// The calls, in order.
    pub calls: Vec<Call<'a>>,
    /// The generated case, of a fuzz scenario.
    pub case: Option<&'a Case>,
    /// The WebRTC flow, if it is one's.
    pub(crate) rtc: Option<Rtc<'a>>,
}

/// One call and what became of it.
#[derive(Debug)]
pub struct Call<'a> {
    /// The message's id.
    pub id: u64,
    /// The step, counted from 1.
    pub step: u32,
    /// The method.
    pub method: &'a str,
    /// The API of section 2, if it is one.
    pub api: Option<&'static str>,
    /// The request, masked, with its facts.
    pub request: &'a Captured,
    /// What `imagePath` stands for.
    pub subject: Option<&'a Subject>,
    /// What a call of a WebRTC flow is made for, where its method and arguments do not say.
    pub purpose: Option<&'a str>,
    /// Answers in order; more than one is wrong.
    pub answers: Vec<Answer<'a>>,
    /// The bridge's refusal: code and message.
    pub refused: Option<(i64, &'a str)>,
    /// Further settlements, in order of arrival, each with whether it came before the first answer.
    pub callbacks: Vec<Callback<'a>>,
    /// The deadline that passed and whether the bridge was alive.
    pub no_response: Option<(u64, bool)>,
    /// Why the answer could not be read, where a bad frame stands between the call and its deadline.
    pub bad_frame: Option<Reason>,
}

/// One answer.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The channel.
    pub via: Via,
    /// The value.
    pub value: Option<&'a Captured>,
    /// Whether it came after the deadline.
    pub late: bool,
}

/// One further settlement.
#[derive(Debug, Clone, Copy)]
pub struct Callback<'a> {
    /// Which callback.
    pub kind: CallbackKind,
    /// Its place by the target's own count.
    pub seq: u32,
    /// The value.
    pub value: Option<&'a Captured>,
    /// Whether it arrived before the answer.
    pub before_answer: bool,
}

impl<'a> View<'a> {
    /// Sorts a transcript's events by call.
    pub fn new(transcript: &'a Transcript, hello: &'a Hello, catalog: &'a Catalog) -> Self {
        Self::beside(transcript, hello, catalog, None)
    }

    /// The same of a transcript whose descriptions were read before, most of them.
    pub(super) fn beside(
        transcript: &'a Transcript,
        hello: &'a Hello,
        catalog: &'a Catalog,
        known: Option<&Readings<'a>>,
    ) -> Self {
        let mut calls: Vec<Call<'a>> = Vec::new();
        for event in &transcript.events {
            place(event, &mut calls);
        }
        Self { transcript, hello, catalog, calls, case: None, rtc: Rtc::new(transcript, known) }
    }

    /// The same of one generated case.
    pub fn of_case(transcript: &'a Transcript, case: &'a Case, hello: &'a Hello, catalog: &'a Catalog) -> Self {
        Self { case: Some(case), ..Self::new(transcript, hello, catalog) }
    }

    /// Whether the request is an ordinary one: valid, with a readable picture, and with no hostile string in it.
    pub fn is_ordinary(&self, call: &Call<'_>) -> bool {
        let hostile = self.case.is_some_and(|case| !case.hostile.is_empty() && call.purpose != Some(CONTROL));
        call.is_valid(self.hello) && !call.is_unreadable() && !hostile
    }

    /// The calls of documented APIs.
    pub fn api_calls(&self) -> impl Iterator<Item = (&Call<'a>, &'static str)> {
        self.calls.iter().filter_map(|call| Some((call, call.api?)))
    }

    /// The calls of everything that the specification documents, section 3 too, each with its name.
    pub fn documented(&self) -> impl Iterator<Item = (&Call<'a>, &'a str)> {
        self.calls.iter().filter_map(|call| Some((call, call.documented_name()?)))
    }

    /// The call that the transcript broke off in, if it did.
    pub fn broken_call(&self) -> Option<(&Call<'a>, Reason)> {
        let Ended::Broken { reason, .. } = &self.transcript.ended else { return None };
        let pending = self.calls.iter().rev().find(|call| call.answers.is_empty() && call.refused.is_none());
        pending.map(|call| (call, *reason))
    }
}

fn place<'a>(event: &'a Event, calls: &mut Vec<Call<'a>>) {
    let find = |calls: &mut Vec<Call<'a>>, wanted: u64| calls.iter().rposition(|call| call.id == wanted);
    match &event.what {
        What::Call { id, step, method, request, subject, purpose, .. } => calls.push(Call {
            id: *id,
            step: *step,
            method,
            api: api_of(method),
            request,
            subject: subject.as_ref(),
            purpose: purpose.as_deref(),
            answers: Vec::new(),
            refused: None,
            callbacks: Vec::new(),
            no_response: None,
            bad_frame: None,
        }),
        What::Answer { id, via, value, .. } => {
            if let Some(index) = find(calls, *id) {
                let late = calls[index].no_response.is_some();
                calls[index].answers.push(Answer { via: *via, value: value.as_ref(), late });
            }
        }
        What::Refused { id, code, message } => {
            if let Some(index) = find(calls, *id) {
                calls[index].refused = Some((*code, message));
            }
        }
        What::Callback { id, kind, seq, value, .. } => {
            if let Some(index) = find(calls, *id) {
                let before_answer = calls[index].answers.is_empty();
                calls[index].callbacks.push(Callback { kind: *kind, seq: *seq, value: value.as_ref(), before_answer });
            }
        }
        What::NoResponse { id, deadline_ms, alive } => {
            if let Some(index) = find(calls, *id) {
                calls[index].no_response = Some((*deadline_ms, *alive));
            }
        }
        What::BadFrame { fault, .. } => {
            for call in
                calls.iter_mut().filter(|c| c.answers.is_empty() && c.refused.is_none() && c.no_response.is_none())
            {
                call.bad_frame.get_or_insert(*fault);
            }
        }
        _ => {}
    }
}

impl<'a> Call<'a> {
    /// The name under which the specification documents what is called: `finCardOcr`, `RTCPeerConnection.createOffer`.
    pub fn documented_name(&self) -> Option<&'a str> {
        self.api.or_else(|| is_webrtc(self.method).then_some(self.method))
    }

    /// Whether it was made to be refused, or with a connection that cannot serve it any more.
    pub fn is_provocation(&self) -> bool {
        self.purpose.is_some_and(|purpose| !HARMLESS.contains(&purpose))
    }
}

impl Call<'_> {
    /// The first answer that came in time.
    pub fn answer(&self) -> Option<Answer<'_>> {
        self.answers.first().copied().filter(|answer| !answer.late)
    }

    /// The first answer's value.
    pub fn value(&self) -> Option<&Captured> {
        self.answer()?.value
    }

    /// The facts of the first answer.
    pub fn facts(&self) -> &[Fact] {
        self.value().map_or(&[], |captured| &captured.facts)
    }

    /// The broken places of the request: requirement, pointer, rule.
    pub fn request_breaks(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.request.facts.iter().filter_map(|fact| match fact {
            Fact::Breaks { requirement, at, rule, .. } => Some((requirement.as_str(), at.as_str(), rule.as_str())),
            _ => None,
        })
    }

    /// Whether the request is as the specification wants it, on this platform.
    pub fn is_valid(&self, hello: &Hello) -> bool {
        self.request_breaks().next().is_none() && !self.lacks_package(hello) && !self.is_provocation()
    }

    /// On Android finOpenOtherApp needs `package` (rulings 2.4), which a schema cannot know.
    pub fn lacks_package(&self, hello: &Hello) -> bool {
        self.api == Some("finOpenOtherApp")
            && hello.platform.eq_ignore_ascii_case("android")
            && self.request.value.get("package").is_none()
    }

    /// Whether `imagePath` names no readable picture.
    pub fn is_unreadable(&self) -> bool {
        matches!(self.subject, Some(Subject::Unreadable(_)))
    }

    /// Whether the call worked, as far as a mini program can tell: `success` and nothing that says otherwise.
    pub fn succeeded(&self) -> bool {
        let Some(answer) = self.answer().filter(|answer| answer.via.is_success()) else { return false };
        let value = answer.value.map_or(&Value::Null, |captured| &captured.value);
        match self.api {
            Some("finCardOcr" | "finFaceAuth") => match value.get("errorCode") {
                Some(code) => code.as_f64() == Some(0.0) || code.as_str() == Some("0"),
                // A result without an errorCode is a success if it has content, else it says nothing.
                None => ["recogResult", "score"].iter().any(|row| value.get(row).is_some_and(|v| !is_empty(v))),
            },
            Some("finOpenWitnessVideo") => !matches!(
                value.get("videoFlag").map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).as_deref(),
                Some("1" | "2")
            ),
            _ => true,
        }
    }

    /// Whether the call was refused: by a failing channel, or for OCR and faces by a code other than 0. That a
    /// witness did not confirm is no refusal.
    pub fn was_refused(&self) -> bool {
        let by_code = matches!(self.api, Some("finCardOcr" | "finFaceAuth")) && !self.succeeded();
        self.answer().is_some_and(|answer| !answer.via.is_success() || by_code)
    }

    /// Whether the call was answered, in whatever way.
    pub fn was_answered(&self) -> bool {
        self.answer().is_some()
    }

    /// The name of the profile's requirement `PROFILE.SUFFIX`.
    pub fn requirement(&self, suffix: &str) -> Option<String> {
        Some(format!("{}.{suffix}", profile_of(self.api?)?))
    }
}
