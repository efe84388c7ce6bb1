//! WebRTC flows (3.1, 3.2): a real peer drives offer, answer and ICE with whatever is at the other end. A flow is a
//! stimulus: it goes as far as the target lets it, notes everything, and judges nothing.

mod acts;
mod call;
mod connection;
mod devices;
mod negotiate;
mod refusals;
mod rewrite;
mod several;
mod stage;

use fincert_peer::AddressPolicy;
use fincert_schemas::run::flow::{Flow, Network as Over, Referee};
use fincert_schemas::run::{Ended, Reason, Transcript, What};
use fincert_suites::{FlowStep, Scenario};

use super::scenario::Drive;
use super::session::{Lost, Session};
use crate::turn::Turn;
use stage::Stage;

/// What the flow is lent for its network.
#[derive(Debug)]
pub(super) struct Network {
    /// Where packets may go.
    pub(super) addresses: AddressPolicy,
    /// The TURN server of a relay flow.
    pub(super) turn: Option<Turn>,
}

/// Whether a referee can drive a flow at all. str0m has no rollback.
pub fn can_drive(referee: Referee, step: &FlowStep) -> bool {
    referee == Referee::WebrtcRs || step.flow != Flow::Glare
}

/// Drives the flow of a scenario to its transcript.
pub async fn drive_flow(
    session: &mut Session,
    scenario: &Scenario,
    step: &FlowStep,
    drive: &mut Drive<'_, '_>,
) -> Transcript {
    session.begin(&scenario.id);
    drive.capture.begin();
    let referee = drive.referee;
    let ended = match flow(session, scenario, step, drive).await {
        Ok(()) => Ended::Driven,
        // fincert's own want: the target and its session are as good as before.
        Err(Lost { reason: Reason::NoTurnServer, detail }) => {
            tracing::warn!("{}: no TURN server: {detail}", scenario.id);
            Ended::Skipped { reason: Reason::NoTurnServer }
        }
        Err(Lost { reason, detail }) => Ended::Broken { reason, detail },
    };
    let omitted = session.scene.omitted;
    if omitted > 0 {
        session.note(What::Omitted { what: "events".to_owned(), count: omitted });
    }
    let mut transcript = Transcript {
        scenario: scenario.id.clone(),
        session: session.number,
        referee: Some(referee),
        events: session.take_events(),
        ended,
    };
    drive.capture.rescrub(&mut transcript);
    transcript
}

async fn flow(
    session: &mut Session,
    scenario: &Scenario,
    step: &FlowStep,
    drive: &mut Drive<'_, '_>,
) -> Result<(), Lost> {
    session.note(What::Flow { flow: step.flow, with: Box::new(step.with.clone()) });
    let turn = match step.with.network {
        Over::Relay | Over::RelayWrongCredential => Some(
            Turn::of(drive.flows)
                .await
                .map_err(|error| Lost { reason: Reason::NoTurnServer, detail: error.to_string() })?,
        ),
        Over::Host | Over::Ipv6 => None,
    };
    let mut lent = Network { addresses: drive.flows.addresses.clone(), turn };
    let mut stage = Stage::new(session, drive, &scenario.id);
    let done = match step.flow {
        Flow::Call => call::drive(&mut stage, &step.with, &step.acts, &lent).await,
        Flow::Devices => devices::drive(&mut stage).await,
        Flow::Connection => connection::drive(&mut stage).await,
        Flow::Refusals => refusals::drive(&mut stage, &lent).await,
        Flow::AfterClose => refusals::after_close(&mut stage, &lent).await,
        Flow::TwoCalls => several::two_calls(&mut stage, &step.with, &lent).await,
        Flow::Glare => several::glare(&mut stage, &step.with, &lent).await,
    };
    // Whatever happened, no socket and no task of ours stays.
    for slot in &stage.slots {
        slot.peer.close().await;
    }
    if let Some(turn) = lent.turn.take() {
        turn.close().await;
    }
    done?;
    stage.session.reset(stage.drive.capture).await
}
