//! Has the engine do a task.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fincert_peer::{Connection, Description, LocalTrack, PeerError, SdpKind};
use serde_json::Value;

use super::flood;
use super::refusal::Refusal;
use super::task::Task;

/// How long the engine may take for one thing before the call is rejected: a hung engine is no silent target.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// What the engine gave back.
pub(super) type Done = Result<Option<Description>, PeerError>;

/// The offer or answer that a task has made, from what is told of it.
pub(super) fn made_by(task: &Task) -> impl Fn(&Value) -> Option<Description> {
    let kind = match task {
        Task::CreateOffer(_) => Some(SdpKind::Offer),
        Task::CreateAnswer => Some(SdpKind::Answer),
        _ => None,
    };
    move |value| Some(Description { kind: kind?, sdp: value.get("sdp")?.as_str()?.to_owned() })
}

/// Has the engine do a task.
pub(super) async fn work(engine: Arc<Connection>, senders: HashMap<String, LocalTrack>, task: Task) -> Done {
    let done = tokio::time::timeout(PATIENCE, carry_out(&engine, &senders, &task)).await;
    done.unwrap_or_else(|_| Err(PeerError::Other(format!("the engine was not done within {} s", PATIENCE.as_secs()))))
}

async fn carry_out(engine: &Connection, senders: &HashMap<String, LocalTrack>, task: &Task) -> Done {
    match task {
        Task::CreateOffer(options) => return engine.create_offer(options).await.map(Some),
        Task::CreateAnswer => return engine.create_answer().await.map(Some),
        Task::SetLocal(description) => engine.set_local_description(description).await?,
        Task::SetRemote(description) => {
            if description.kind == SdpKind::Offer && engine.signaling_state() == "have-local-offer" {
                let back = Description { kind: SdpKind::Rollback, sdp: String::new() };
                engine.set_local_description(&back).await?;
            }
            engine.set_remote_description(description).await?;
        }
        // A candidate that is never dialled is taken and forgotten, as other stacks do.
        Task::AddCandidate(candidate) => match engine.add_ice_candidate(candidate.as_ref()).await {
            Ok(()) | Err(PeerError::Blocked(_) | PeerError::HostName | PeerError::Tcp) => {}
            Err(error) => return Err(error),
        },
        Task::AddTrack(handle, _) | Task::AddMuteTrack(handle, _) => match senders.get(handle) {
            Some(track) => engine.add_track(track).await?,
            None => return Err(PeerError::Other("the track is gone".to_owned())),
        },
        Task::Flood(candidate, junk) => {
            flood::send(candidate, *junk).await;
            let candidate = Task::AddCandidate(Some(candidate.clone()));
            return Box::pin(carry_out(engine, senders, &candidate)).await;
        }
        Task::MuteAnd(task) => {
            senders.values().for_each(LocalTrack::stop);
            return Box::pin(carry_out(engine, senders, task)).await;
        }
        Task::Settle(_)
        | Task::Nothing
        | Task::Create(_)
        | Task::UserMedia { .. }
        | Task::Tracks
        | Task::Stop
        | Task::Close
        | Task::CloseInName => {}
    }
    Ok(None)
}

/// An error of the engine in the words of W3C's exceptions.
pub(crate) fn refusal(error: &PeerError) -> Refusal {
    match error {
        PeerError::State(_) => Refusal::of_state(error.to_string()),
        _ => Refusal::of_operation(error.to_string()),
    }
}
