//! The ledger: every testable clause of the specification, by id.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Bilingual;
use crate::bridge::{CallStyle, Hello, Integration};
use crate::data::{self, DataError};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/requirements");

/// The files of the ledger, for their digest.
pub(crate) fn files() -> &'static Dir<'static> {
    &FILES
}

/// How binding a requirement is (RFC 2119).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The specification says so; broken, it fails.
    Must,
    /// A ruling or good practice; broken, it warns.
    Should,
    /// Coverage and options; never red.
    May,
}

impl Level {
    /// The level's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
        }
    }
}

/// Under what declared circumstances a requirement holds. An absent key does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct When {
    /// The integration states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<Vec<Integration>>,
    /// The call styles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_style: Option<Vec<CallStyle>>,
    /// The platforms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Vec<String>>,
}

impl When {
    /// Whether a target that says `hello` meets the condition.
    pub fn holds(&self, hello: &Hello) -> bool {
        let has = |ok: Option<bool>| ok.unwrap_or(true);
        has(self.integration.as_ref().map(|list| list.contains(&hello.integration)))
            && has(self.call_style.as_ref().map(|list| list.contains(&hello.call_style)))
            && has(self
                .platform
                .as_ref()
                .map(|list| list.iter().any(|name| name.eq_ignore_ascii_case(&hello.platform))))
    }
}

/// One testable clause of the specification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Stable, written id: `ocr.result.error-code`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// The specification's own words, verbatim.
    pub quote: Vec<String>,
    /// The requirement in Chinese.
    pub zh: String,
    /// The requirement in English.
    pub en: String,
    /// The ruling or reason behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// The one capability it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// Whether it only says that an enumerated value was seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub coverage: bool,
    /// Whether one referee's word never condemns: it speaks of ICE, DTLS or media.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub referees: bool,
    /// Why no check judges it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untested: Option<String>,
    /// The clause; taken from the file.
    #[serde(default)]
    pub clause: String,
    /// The profile, or `every`; taken from the file.
    #[serde(default)]
    pub profile: String,
}

impl Requirement {
    /// Whether it applies to a target that says `hello`.
    pub fn applies(&self, hello: &Hello) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(hello))
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequirementFile {
    clause: String,
    title: Bilingual,
    profile: String,
    requirements: Vec<Requirement>,
}

/// A clause's heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Its number.
    pub number: String,
    /// Its title.
    pub title: Bilingual,
}

/// All requirements, in the order of the specification.
#[derive(Debug, Default)]
pub struct Ledger {
    by_id: IndexMap<String, Requirement, foldhash::fast::RandomState>,
    clauses: Vec<Clause>,
}

/// The name under which requirements of every profile are filed.
pub const EVERY: &str = "every";

/// The profiles, in the order of the specification, with the capabilities that can be certified alone.
/// `integration` is clause 1 by itself: the only thing that a target in the state `absent` can certify.
pub const PROFILES: &[(&str, &[&str])] = &[
    ("integration", &[]),
    ("ocr", &["ocr:BankCard", "ocr:IDCard", "ocr:IDCardCheck", "ocr:BusiCert"]),
    ("face", &[]),
    ("liveness", &[]),
    ("open-app", &[]),
    ("witness-video", &[]),
    ("recorder", &[]),
    ("webrtc", &[]),
    ("webrtc-components", &[]),
];

impl Ledger {
    /// The ledger that is compiled in.
    pub fn embedded() -> Result<&'static Ledger, DataError> {
        static LEDGER: LazyLock<Result<Ledger, DataError>> = LazyLock::new(|| {
            let mut files: Vec<_> =
                FILES.files().filter(|f| f.path().extension().is_some_and(|e| e == "yaml")).collect();
            files.sort_by_key(|file| file.path().to_owned());
            Ledger::read(files.iter().map(|file| {
                (format!("schemas/requirements/{}", file.path().display()), file.contents_utf8().unwrap_or_default())
            }))
        });
        LEDGER.as_ref().map_err(Clone::clone)
    }

    /// Reads a ledger from files given by name and text.
    pub fn read<'a>(files: impl IntoIterator<Item = (String, &'a str)>) -> Result<Ledger, DataError> {
        let mut ledger = Ledger::default();
        for (name, text) in files {
            let file: RequirementFile = data::read(&name, text)?;
            if file.profile != EVERY && !PROFILES.iter().any(|(profile, _)| *profile == file.profile) {
                return Err(DataError::new(&name, "/profile", format!("no such profile: {}", file.profile)));
            }
            for (index, mut requirement) in file.requirements.into_iter().enumerate() {
                requirement.clause.clone_from(&file.clause);
                requirement.profile.clone_from(&file.profile);
                let id = requirement.id.clone();
                if ledger.by_id.insert(id.clone(), requirement).is_some() {
                    return Err(DataError::new(
                        &name,
                        format!("/requirements/{index}/id"),
                        format!("{id} is written twice"),
                    ));
                }
            }
            ledger.clauses.push(Clause { number: file.clause, title: file.title });
        }
        Ok(ledger)
    }

    /// The requirement with this id.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.by_id.get(id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.by_id.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The place of a requirement in the specification's order.
    pub fn position(&self, id: &str) -> usize {
        self.by_id.get_index_of(id).unwrap_or(usize::MAX)
    }

    /// The clauses.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }
}
