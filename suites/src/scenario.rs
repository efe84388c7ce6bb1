//! Scenarios: what to drive, one YAML file a clause.

use std::sync::LazyLock;

use fincert_schemas::Bilingual;
use fincert_schemas::bridge::Integration;
use fincert_schemas::catalog::{api_of, is_webrtc_function};
use fincert_schemas::data::{self, DataError};
use fincert_schemas::fixture;
use fincert_schemas::requirement::PROFILES;
use fincert_schemas::run::Pace;
use fincert_schemas::run::flow::{Act, Flow, FlowOptions};
use include_dir::{Dir, include_dir};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expand;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// One thing to drive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scenario {
    /// Stable, written id: `ocr.bank-card.specimens`.
    pub id: String,
    /// What is driven, in a few words.
    pub title: Bilingual,
    /// The capability that the target must have declared; absent: any of the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// How long it may wait.
    #[serde(default)]
    pub pace: Pace,
    /// In which states of clause 1 it is driven.
    #[serde(default = "working")]
    pub integration: Vec<Integration>,
    /// What a person is asked to do, for the pace `person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Bilingual>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// The clause; taken from the file.
    #[serde(default)]
    pub clause: String,
    /// The profile; taken from the file.
    #[serde(default)]
    pub profile: String,
}

fn working() -> Vec<Integration> {
    vec![Integration::Integrated, Integration::Custom]
}

/// One step of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Step {
    /// Calls that are made at once; the step ends when all have settled.
    Concurrent(Concurrent),
    /// A WebRTC flow: code of the harness, told what to drive.
    Flow(FlowStep),
    /// Generated cases of one API: code of the harness, told which.
    Fuzz(FuzzStep),
    /// The bridge drops all handles and files.
    Reset(ResetStep),
    /// One call, or the same call several times in a row.
    Call(CallStep),
}

/// Calls that are made at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concurrent {
    /// The calls.
    pub concurrent: Vec<CallStep>,
}

/// A WebRTC flow. It is the only step of its scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowStep {
    /// Which.
    pub flow: Flow,
    /// How its call is set up.
    #[serde(default)]
    pub with: FlowOptions,
    /// What is done in the call, in order.
    #[serde(default)]
    pub acts: Vec<Act>,
}

/// Generated cases of one API. It is the only step of its scenario; `--fuzz` says how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FuzzStep {
    /// The method, `ft.finCardOcr` and the like.
    pub fuzz: String,
    /// Plain valid requests. Cases are made of them, and what is generated takes the place of some of their rows.
    pub plain: Vec<Plain>,
}

/// A plain valid request of an API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plain {
    /// The request.
    pub with: Value,
    /// The capability that the target must have declared for it; absent: any of the profile's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// The canned result that a mock host shall give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// `bridge.reset` in the middle of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetStep {
    /// What is dropped: `all`.
    pub reset: Dropped,
}

/// What `bridge.reset` drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dropped {
    /// Handles and files.
    All,
}

/// A call of an API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallStep {
    /// The method, `ft.finCardOcr` and the like.
    pub call: String,
    /// Its first argument; see [`Special`] for what stands for files and long texts. Absent: no argument.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Value>,
    /// The canned result that a mock host shall give (what a person would bring about elsewhere).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// How many times in a row.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
    /// The driver puts a random suffix behind the method's name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub random: bool,
    /// A plain valid call: where the same call has succeeded before, it is expected to succeed again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub control: bool,
}

fn is_once(times: &u32) -> bool {
    *times == 1
}

fn once() -> u32 {
    1
}

/// What may stand in a request in place of a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Special {
    /// The path of a specimen that the target is given first.
    #[serde(rename = "$file")]
    File(FileSpec),
    /// A path that names no readable picture.
    #[serde(rename = "$unreadable")]
    Unreadable(Unreadable),
    /// A value of the target's own surroundings, which `--set` may give.
    #[serde(rename = "$param")]
    Param(String),
    /// A text that would be long to write.
    #[serde(rename = "$repeat")]
    Repeat(Repeat),
}

/// A specimen, under its own name or another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FileSpec {
    /// By its id.
    Id(String),
    /// By its id, under another file name.
    Named {
        /// The specimen's id.
        id: String,
        /// The file name that the target is asked to use.
        name: String,
    },
}

/// What a path that names no readable picture names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unreadable {
    /// A file that was never put, beside one that was.
    Missing,
    /// The directory of a file that was put.
    Directory,
    /// A file of zero bytes.
    ZeroBytes,
    /// A text file with a picture's name.
    NotAPicture,
    /// The first half of a PNG.
    Truncated,
    /// A file of 100 MB, which the target makes itself.
    HundredMegabytes,
    /// The path of this specimen with a segment `..` before the last: it leaves the place that was granted.
    Climbing(String),
    /// A path as it is written here, with the name under which it is filed.
    Path {
        /// The name in the transcript.
        kind: String,
        /// The path.
        path: String,
    },
}

/// A text, repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// The text.
    pub text: String,
    /// How often.
    pub times: u32,
}

/// All scenarios.
#[derive(Debug, Default)]
pub struct Suite {
    /// In the order in which they are driven.
    pub scenarios: Vec<Scenario>,
    /// The parameters that `--set` may give, with their defaults.
    pub params: IndexMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    clause: String,
    profile: String,
    /// What `{$param: NAME}` stands for unless `--set NAME=VALUE` says otherwise.
    #[serde(default)]
    params: IndexMap<String, String>,
    scenarios: Vec<Value>,
}

impl Suite {
    /// The suite that is compiled in.
    pub fn embedded() -> Result<&'static Suite, DataError> {
        static SUITE: LazyLock<Result<Suite, DataError>> = LazyLock::new(|| {
            let mut files: Vec<_> =
                FILES.files().filter(|f| f.path().extension().is_some_and(|e| e == "yaml")).collect();
            files.sort_by_key(|file| file.path().to_owned());
            Suite::read(files.iter().map(|file| {
                (format!("suites/scenarios/{}", file.path().display()), file.contents_utf8().unwrap_or_default())
            }))
        });
        SUITE.as_ref().map_err(Clone::clone)
    }

    /// Reads scenarios from files given by name and text.
    pub fn read<'a>(files: impl IntoIterator<Item = (String, &'a str)>) -> Result<Suite, DataError> {
        Self::read_beside(files, Suite::default())
    }

    /// Reads scenarios of somebody's own. They know the parameters of those that are compiled in, and none has the id of
    /// one of them.
    pub fn read_own<'a>(files: impl IntoIterator<Item = (String, &'a str)>) -> Result<Suite, DataError> {
        let embedded = Suite::embedded()?;
        let suite = Suite { scenarios: embedded.scenarios.clone(), params: embedded.params.clone() };
        let mut all = Self::read_beside(files, suite)?;
        all.scenarios.drain(..embedded.scenarios.len());
        Ok(all)
    }

    fn read_beside<'a>(
        files: impl IntoIterator<Item = (String, &'a str)>,
        mut suite: Suite,
    ) -> Result<Suite, DataError> {
        for (name, text) in files {
            let file: SuiteFile = data::read(&name, text)?;
            if !PROFILES.iter().any(|(profile, _)| *profile == file.profile) {
                return Err(DataError::new(&name, "/profile", format!("no such profile: {}", file.profile)));
            }
            for (param, default) in file.params {
                if suite.params.insert(param.clone(), default).is_some() {
                    return Err(DataError::new(&name, format!("/params/{param}"), "written twice"));
                }
            }
            for (index, raw) in file.scenarios.iter().enumerate() {
                let place = format!("/scenarios/{index}");
                for value in expand::scenarios(raw).map_err(|message| DataError::new(&name, place.clone(), message))? {
                    let mut scenario: Scenario = data::from_value(&name, value)
                        .map_err(|error| DataError::new(&name, format!("{place}{}", error.pointer), error.message))?;
                    scenario.clause.clone_from(&file.clause);
                    scenario.profile.clone_from(&file.profile);
                    check(&scenario, &suite.params).map_err(|message| DataError::new(&name, place.clone(), message))?;
                    if suite.get(&scenario.id).is_some() {
                        return Err(DataError::new(
                            &name,
                            format!("{place}/id"),
                            format!("{} is written twice", scenario.id),
                        ));
                    }
                    suite.scenarios.push(scenario);
                }
            }
        }
        Ok(suite)
    }

    /// The scenario with this id.
    pub fn get(&self, id: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }
}

impl Scenario {
    /// The WebRTC flow, if that is what it drives.
    pub fn flow(&self) -> Option<&FlowStep> {
        self.steps.iter().find_map(|step| match step {
            Step::Flow(flow) => Some(flow),
            _ => None,
        })
    }

    /// The generated cases, if that is what it drives.
    pub fn fuzz(&self) -> Option<&FuzzStep> {
        self.steps.iter().find_map(|step| match step {
            Step::Fuzz(fuzz) => Some(fuzz),
            _ => None,
        })
    }

    /// Every call, in order.
    pub fn calls(&self) -> impl Iterator<Item = &CallStep> {
        self.steps.iter().flat_map(|step| match step {
            Step::Call(call) => std::slice::from_ref(call),
            Step::Concurrent(group) => &group.concurrent,
            Step::Flow(_) | Step::Fuzz(_) | Step::Reset(_) => &[],
        })
    }
}

/// What the scenario's schema cannot say.
fn check(scenario: &Scenario, params: &IndexMap<String, String>) -> Result<(), String> {
    if (scenario.pace == Pace::Person) != scenario.prompt.is_some() {
        return Err(format!("{}: a prompt goes with the pace person, and only with it", scenario.id));
    }
    if scenario.flow().is_some() && scenario.steps.len() > 1 {
        return Err(format!("{}: a flow is the only step of its scenario", scenario.id));
    }
    if let Some(step) = scenario.fuzz() {
        if scenario.steps.len() > 1 {
            return Err(format!("{}: generated cases are the only step of their scenario", scenario.id));
        }
        if api_of(&step.fuzz).is_none() {
            return Err(format!("{}: no such API: {}", scenario.id, step.fuzz));
        }
        if step.plain.is_empty() {
            return Err(format!("{}: at least one plain request", scenario.id));
        }
        if let Some(wrong) = step.plain.iter().find_map(|plain| wrong_in(&plain.with, params)) {
            return Err(format!("{}: {wrong}", scenario.id));
        }
    }
    if let Some(capability) = &scenario.capability {
        let (profile, _) = capability.split_once(':').unwrap_or((capability, ""));
        if profile != scenario.profile && scenario.profile != "integration" {
            return Err(format!("{}: {capability} is no capability of {}", scenario.id, scenario.profile));
        }
    }
    for call in scenario.calls() {
        if api_of(&call.call).is_none() && !is_webrtc_function(&call.call) && !call.random {
            return Err(format!("{}: no such API: {}", scenario.id, call.call));
        }
        if let Some(wrong) = call.with.as_ref().and_then(|with| wrong_in(with, params)) {
            return Err(format!("{}: {wrong}", scenario.id));
        }
    }
    Ok(())
}

/// What is wrong with the placeholders of a request, if anything is.
pub fn wrong_placeholder(with: &Value, suite: &Suite) -> Option<String> {
    wrong_in(with, &suite.params)
}

fn wrong_in(with: &Value, params: &IndexMap<String, String>) -> Option<String> {
    specials(with).into_iter().find_map(|special| match special {
        Err(message) => Some(message),
        Ok(Special::File(FileSpec::Id(id) | FileSpec::Named { id, .. })) if fixture::get(&id).is_none() => {
            Some(format!("no such specimen: {id}; `fincert list specimens` names them"))
        }
        Ok(Special::Param(name)) if !params.contains_key(&name) => Some(format!("no such parameter: {name}")),
        Ok(_) => None,
    })
}

/// The specials in a request. A bridge marker (`$undefined`, `$number`, …) is none of ours.
fn specials(value: &Value) -> Vec<Result<Special, String>> {
    match value {
        Value::Object(object) => match as_special(value) {
            Some(special) => vec![special],
            None => object.values().flat_map(specials).collect(),
        },
        Value::Array(items) => items.iter().flat_map(specials).collect(),
        _ => Vec::new(),
    }
}

/// Reads an object with one key of ours as a [`Special`]; `None` for every other value.
pub fn as_special(value: &Value) -> Option<Result<Special, String>> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    let key = object.keys().next()?;
    ["$file", "$unreadable", "$repeat", "$param"]
        .contains(&key.as_str())
        .then(|| serde_json::from_value(value.clone()).map_err(|error| format!("{value}: {error}")))
}
