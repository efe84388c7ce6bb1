//! finFaceAuth (2.2): the score follows the picture.

use fincert_schemas::Bilingual;
use fincert_schemas::run::{Fact, Subject};

use super::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "face-score-follows-picture",
    about: "The same person with their own picture and with another's does not get the same score.",
    requirements: &["face.result.score.follows-picture"],
    run: follows_picture,
}];

fn follows_picture(view: &View<'_>, sink: &mut Sink<'_>) {
    let scored: Vec<_> = view
        .calls
        .iter()
        .filter(|call| call.api == Some("finFaceAuth") && call.succeeded())
        .filter_map(|call| {
            let Some(Subject::Fixture(picture)) = call.subject else { return None };
            let class = call.facts().iter().find_map(|fact| match fact {
                Fact::Class { at, class } if at == "/score" => Some(*class),
                _ => None,
            })?;
            Some((call, picture, class))
        })
        .collect();
    let Some((first, picture, class)) = scored.first() else { return };
    let person =
        |call: &super::Call<'_>| (call.request.value.get("idNo").cloned(), call.request.value.get("name").cloned());
    let others: Vec<_> =
        scored.iter().filter(|(call, other, _)| other != picture && person(call) == person(first)).collect();
    let Some((last, ..)) = others.last() else { return };
    if others.iter().any(|(_, _, other)| other != class) {
        sink.holds("face.result.score.follows-picture");
        return;
    }
    let broken = Broken {
        cause: "finFaceAuth:constant-score".to_owned(),
        at: Some("/score".to_owned()),
        expected: Some(Bilingual::new("不同人脸的相似度不同", "different scores for different faces")),
        actual: "the same score for the person's picture and for another's".to_owned(),
        hint: Some(Bilingual::new("像是固定返回的桩。", "This looks like a stub that always answers the same.")),
    };
    sink.breaks("face.result.score.follows-picture", last.step, broken);
}
