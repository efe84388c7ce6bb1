//! finLivenessCheck (2.3): the request table is empty.

use fincert_schemas::Bilingual;

use super::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "liveness-empty-request",
    about: "A call with {} works where a call with an unknown row does.",
    requirements: &["liveness.request.empty"],
    run: empty_request,
}];

fn empty_request(view: &View<'_>, sink: &mut Sink<'_>) {
    let calls: Vec<_> = view.calls.iter().filter(|call| call.api == Some("finLivenessCheck")).collect();
    let is_empty = |call: &super::Call<'_>| call.request.value.as_object().is_some_and(serde_json::Map::is_empty);
    let other_works = calls.iter().any(|call| !is_empty(call) && call.succeeded());
    for call in calls.iter().filter(|call| is_empty(call) && call.was_answered()) {
        if call.succeeded() {
            sink.holds("liveness.request.empty");
        } else if other_works {
            let broken = Broken {
                cause: "finLivenessCheck:refuses-empty-request".to_owned(),
                expected: Some(Bilingual::new("以 {} 调用成功", "a call with {} that works")),
                actual: "a refusal, where a call with an unknown row works".to_owned(),
                ..Broken::default()
            };
            sink.breaks("liveness.request.empty", call.step, broken);
        }
    }
}
