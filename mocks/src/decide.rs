//! What is to be done about one request: a pure function of the request, the session's state and the
//! configuration. The journal, the sockets and the defects look at what it decided; none of them decides.

use fincert_schemas::bridge::{INVALID_PARAMS, Integration, METHOD_NOT_FOUND, Prefer, Settlement};
use fincert_schemas::catalog::api_of;
use serde_json::{Map, Value};

use crate::config::Config;
use crate::generate::{self, Label, Wrong};
use crate::pending::Waiting;
use crate::picture::{self, Picture};
use crate::plan::{self, Plan, fail};
use crate::request::{self, Broken};
use crate::state::{State, StoredFile};
use crate::{bridge, canned, engine, prefer};

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// As a message of the bridge.
    Bridge,
    /// As `POST /ft/{api}`.
    Http,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The id of the message; null over HTTP.
    pub id: &'a Value,
    /// The method, `ft.finCardOcr`.
    pub method: &'a str,
    /// The parameters of the bridge's message.
    pub params: &'a Value,
    /// How it came.
    pub over: Over,
}

/// A call as the defects and the journal see it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The id of the message.
    pub id: Value,
    /// The method.
    pub method: String,
    /// The API, if the method is one of section 2.
    pub api: Option<&'static str>,
    /// The API's argument, with what stands for values that JSON lacks put in.
    pub request: Value,
    /// What breaks the request's table.
    pub broken: Vec<Broken>,
    /// What the picture shows.
    pub picture: Picture,
    /// The canned result that was wished for.
    pub wish: Option<String>,
    /// The canned result that is given.
    pub example: Option<&'static str>,
    /// How many API calls the session had before.
    pub index: u64,
    /// The scenario that it belongs to, as the caller says.
    pub scenario: Option<String>,
    /// How many calls in a row have failed before it, since the last reset.
    pub failures: u32,
    /// Whether it is the first call after a reset that came into its own scenario.
    pub interrupted: bool,
    /// The calls that are not answered yet.
    pub overlaps: Vec<Waiting>,
    /// What the picture shows if the segments `..` are struck from its path; `None` if there are none.
    pub without_dots: Option<Picture>,
    /// The state of clause 1.
    pub integration: Integration,
    /// How it came.
    pub over: Over,
}

impl Call {
    /// What the request says for a field, if it is a text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.request.get(field).and_then(Value::as_str)
    }
}

/// What changes in the session.
#[derive(Debug, Clone, Default)]
pub enum Effect {
    /// Nothing.
    #[default]
    None,
    /// A file is kept.
    Put(StoredFile),
    /// The files are dropped.
    Reset,
}

/// What is to be done about one request.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The call, as defects and journal see it.
    pub call: Call,
    /// What is answered.
    pub plan: Plan,
    /// What the session remembers of it.
    pub effect: Effect,
    /// How an API call settles before the defect, if there is one.
    pub honest: Option<Settlement>,
    /// Whether an API call fails, by its channel or its errorCode, before any defect.
    pub failed: bool,
    /// Whether a defect changed the plan.
    pub changed: bool,
    /// What was wished for.
    pub prefer: Prefer,
    /// What a generated result is labelled with.
    pub label: Option<Label>,
    /// Why a wish was refused: nothing else is done then.
    pub wrong: Option<Wrong>,
}

/// What is decided about an API call beside its plan.
#[derive(Debug, Default)]
struct Made {
    prefer: Prefer,
    label: Option<Label>,
    wrong: Option<Wrong>,
}

impl Decision {
    /// The wishes that were granted.
    pub fn granted(&self) -> Prefer {
        let generated = self.label.as_ref();
        let settled = self.plan.answer().is_some() && self.call.broken.is_empty();
        Prefer {
            example: self.prefer.example.clone().filter(|_| settled),
            dynamic: self.prefer.dynamic.filter(|wish| settled && *wish == generated.is_some()),
            invalid: self.prefer.invalid.clone().filter(|_| generated.is_some_and(|label| label.rule.is_some())),
            seed: self.prefer.seed.filter(|_| generated.is_some()),
            index: self.prefer.index.filter(|_| generated.is_some()),
        }
    }

    /// The call as one that waits, if its answer takes time.
    pub fn waiting(&self) -> Option<Waiting> {
        let answer = self.honest.clone().filter(|_| !self.plan.is_immediate())?;
        Some(Waiting { api: self.call.api?, request: self.call.request.clone(), answer })
    }
}

/// Decides about one request. The defect of the configuration, if any, has already been at the plan.
pub fn decide(asked: &Request<'_>, state: &State, config: &Config) -> Decision {
    let mut call = Call {
        id: asked.id.clone(),
        method: asked.method.to_owned(),
        api: api_of(asked.method),
        request: Value::Object(Map::new()),
        broken: Vec::new(),
        picture: Picture::None,
        wish: None,
        example: None,
        index: state.calls,
        scenario: asked.params.get("scenario").and_then(Value::as_str).map(str::to_owned),
        failures: state.failures,
        interrupted: false,
        overlaps: Vec::new(),
        without_dots: None,
        integration: config.integration,
        over: asked.over,
    };
    let mut effect = Effect::None;
    let mut made = Made::default();
    let plan = match call.api {
        Some(api) => api_call(api, asked, state, config, &mut call, &mut made),
        None => match bridge::answer(asked, state, config) {
            Some((plan, change)) => {
                effect = change;
                plan
            }
            None => Plan::refuse(METHOD_NOT_FOUND, "no such method"),
        },
    };
    let Made { prefer, label, wrong } = made;
    let failed = plan.answer().is_none_or(plan::failed);
    let Some(defect) = config.defect else {
        return Decision { call, plan, effect, honest: None, failed, changed: false, prefer, label, wrong };
    };
    let honest = plan.answer().cloned();
    let faulty = defect.apply(&call, plan.clone());
    let changed = faulty != plan;
    Decision { call, plan: faulty, effect, honest, failed, changed, prefer, label, wrong }
}

fn api_call(
    api: &'static str,
    asked: &Request<'_>,
    state: &State,
    config: &Config,
    call: &mut Call,
    made: &mut Made,
) -> Plan {
    let Some(Value::Array(args)) = asked.params.get("args") else {
        return Plan::refuse(INVALID_PARAMS, "params.args: an array of the API's arguments");
    };
    if let Some(request) = args.first().and_then(request::plain) {
        call.request = request;
    }
    let prefer = prefer::from_params(asked.params);
    call.wish = prefer.as_ref().ok().and_then(|prefer| prefer.example.clone());
    call.broken = request::broken(api, &call.request);
    call.picture = picture::behind(&call.request, state, asked.over);
    call.without_dots = picture::without_dots(&call.request, state);
    call.interrupted = state.was_interrupted(call.scenario.as_deref());
    call.overlaps = state.pending.all();
    if call.integration == Integration::Absent {
        return Plan::silent();
    }
    match prefer {
        Ok(prefer) => made.prefer = prefer,
        Err(message) => return refuse(made, Wrong { message, rules: Vec::new() }),
    }
    let (mut settlement, mut example) = settle(api, call);
    if let Some(order) = generate::order(&made.prefer, config.generate, config.seed, call.index)
        && call.broken.is_empty()
    {
        match generate::settle(api, call, &order, settlement) {
            Ok((generated, label)) => {
                settlement = generated;
                example = example.filter(|_| label.is_none());
                made.label = label;
            }
            Err(wrong) => return refuse(made, wrong),
        }
    }
    call.example = example;
    Plan::settle(settlement)
}

/// A wish that cannot be granted is the caller's mistake, and no answer of the API.
fn refuse(made: &mut Made, wrong: Wrong) -> Plan {
    let plan = Plan::refuse(INVALID_PARAMS, wrong.to_string());
    made.wrong = Some(wrong);
    plan
}

fn settle(api: &'static str, call: &Call) -> (Settlement, Option<&'static str>) {
    if !call.broken.is_empty() {
        return (fail(api, &request::reason(&call.broken)), None);
    }
    match &call.wish {
        Some(name) if canned::find(api, name).is_none() => {
            let names = canned::names(api).join(", ");
            (fail(api, &format!("no such canned result; there are: {names}")), None)
        }
        Some(name) => engine::named(api, name, &call.request),
        None => engine::run(api, &call.request, &call.picture),
    }
}
