//! How a session speaks: a plan goes through the defect, into the journal and onto the socket.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::mpsc;

use super::moment::Moment;
use super::task::Task;
use crate::host::Host;
use crate::journal::{Answered, Asked as Noted};
use crate::plan::{Action, Plan};
use crate::socket::{Outgoing, carry_out};

/// What a session's objects speak with.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    pub(crate) host: Arc<Host>,
    pub(crate) out: mpsc::Sender<Outgoing>,
}

impl Voice {
    /// The task, as the defect has it.
    pub(crate) fn does(&self, moment: &Moment<'_>, task: Task) -> Task {
        match self.host.config.defect {
            Some(defect) => defect.changes_task(self.host.config.integration, moment, task),
            None => task,
        }
    }

    /// The plan, as the defect has it.
    pub(crate) fn shape(&self, moment: &Moment<'_>, plan: Plan) -> Plan {
        match self.host.config.defect {
            Some(defect) => defect.changes_plan(self.host.config.integration, moment, plan),
            None => plan,
        }
    }

    /// Whether anybody looks at moments.
    pub(crate) fn is_watched(&self) -> bool {
        self.host.config.defect.is_some()
    }

    /// Sends what is in the plan, and gives back what shall wait for the next answer. Steps with a pause do not hold up
    /// the others.
    pub(crate) async fn send(&self, id: &Value, plan: Plan) -> Vec<Action> {
        let (mut now, mut held) = (Plan { spelling: plan.spelling, ..Plan::silent() }, Vec::new());
        let immediate = plan.is_immediate();
        for step in plan.steps {
            match step.action {
                Action::Later(action) => held.push(*action),
                _ => now.steps.push(step),
            }
        }
        if immediate {
            carry_out(id.clone(), now, None, &self.out).await;
        } else {
            let (id, out) = (id.clone(), self.out.clone());
            tokio::spawn(async move { carry_out(id, now, None, &out).await });
        }
        held
    }

    /// Writes down a call and how it was answered.
    pub(crate) fn note(&self, method: &str, args: &[Option<Value>], plan: &Plan) {
        let asked = Noted::rtc(method, args);
        let defect = self.host.config.defect.map(|defect| defect.name);
        self.host
            .journal
            .write(asked, Answered { via: Answered::via(plan), example: None, generated: None, defect, shown: false });
    }
}
