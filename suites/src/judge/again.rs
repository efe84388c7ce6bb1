//! What has worked goes on working: the same plain call, made again.

use std::collections::HashMap;

use fincert_schemas::Bilingual;

use super::view::CONTROL;
use super::{Broken, Call, Check, Sink, View};

pub(super) const ID: &str = "works-again";
const REQUIREMENT: &str = "integration.works-again";

pub(super) const CHECKS: &[Check] = &[Check {
    id: ID,
    about: "A plain valid call that has succeeded succeeds again, whatever came in between.",
    requirements: &[REQUIREMENT],
    run: within,
}];

/// Within one scenario or one generated case.
fn within(view: &View<'_>, sink: &mut Sink<'_>) {
    let case = sink.case;
    across(view.calls.iter().map(|call| (case, call)), sink);
}

/// What was asked. A specimen is given anew for each call, under a path of the target's own, so that it is told by what it
/// is; and what is masked of a request is equal where the pictures are, since each has its own person.
fn plain(call: &Call<'_>) -> String {
    let mut rows = call.request.value.clone();
    if let (Some(_), Some(rows)) = (call.subject, rows.as_object_mut()) {
        rows.shift_remove("imagePath");
    }
    format!("{} {:?} {rows}", call.method, call.subject)
}

/// Over calls of several cases, each with its case's index.
pub(super) fn across<'v, 'a: 'v>(calls: impl Iterator<Item = (Option<u32>, &'v Call<'a>)>, sink: &mut Sink<'_>) {
    let mut worked: HashMap<String, Option<u32>> = HashMap::new();
    for (case, call) in calls.filter(|(_, call)| call.purpose == Some(CONTROL) && call.was_answered()) {
        let request = plain(call);
        if call.succeeded() {
            if worked.insert(request, case).is_some() {
                sink.holds(REQUIREMENT);
            }
        } else if worked.contains_key(&request) {
            let api = call.documented_name().unwrap_or_default();
            let broken = Broken {
                cause: format!("stops-working:{api}"),
                expected: Some(Bilingual::new("与先前同样成功", "a success, as before")),
                actual: "a refusal of what succeeded before".to_owned(),
                hint: Some(Bilingual::new(
                    "可能是资源泄漏、计数上限，或被先前的请求破坏的状态。",
                    "This may be a leak, a limit that is counted, or a state that an earlier request has broken.",
                )),
                ..Broken::default()
            };
            let before = std::mem::replace(&mut sink.case, case);
            sink.breaks(REQUIREMENT, call.step, broken);
            sink.case = before;
        }
    }
}
