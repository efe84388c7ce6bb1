//! How near results came to the ground truth of the specimens.

use fincert_schemas::fixture;
use fincert_schemas::run::{Accuracy, Fact, Subject, Transcript, What};
use indexmap::IndexMap;

/// Each specimen counts once a scenario, however often it was recognised there.
pub(super) fn of(transcripts: &[Transcript]) -> Vec<Accuracy> {
    let mut fields: IndexMap<String, (u32, u32, u64)> = IndexMap::new();
    for transcript in transcripts.iter().filter(|t| t.scenario.ends_with(".specimens")) {
        for event in &transcript.events {
            let What::Answer { id, value: Some(value), .. } = &event.what else { continue };
            let subject = transcript.events.iter().find_map(|other| match &other.what {
                What::Call { id: call, subject, .. } if call == id => subject.as_ref(),
                _ => None,
            });
            let Some(Subject::Fixture(specimen)) = subject else { continue };
            let Some(kind) = fixture::get(specimen).and_then(|specimen| specimen.kind.as_type()) else { continue };
            for fact in &value.facts {
                let Fact::Truth { at, equal, distance, .. } = fact else { continue };
                let name = format!("{kind}/{}", at.trim_start_matches("/recogResult/"));
                let entry = fields.entry(name).or_default();
                entry.0 += 1;
                entry.1 += u32::from(*equal);
                entry.2 += u64::from(1000 - distance.min(&1000));
            }
        }
    }
    fields
        .into_iter()
        .map(|(field, (compared, equal, similarity))| Accuracy {
            field,
            compared,
            equal,
            similarity: u32::try_from(similarity / u64::from(compared.max(1))).unwrap_or(1000),
        })
        .collect()
}
