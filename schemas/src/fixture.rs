//! The specimens: obviously fictitious pictures with ground truth.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::Bilingual;
use crate::data::{self, DataError};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures");

/// What a specimen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// A bank card.
    BankCard,
    /// One side of a resident ID card.
    #[serde(rename = "IDCard")]
    IdCard,
    /// An ID card photographed with a certain risk.
    #[serde(rename = "IDCardCheck")]
    IdCardCheck,
    /// A business licence.
    BusiCert,
    /// A face.
    Face,
    /// No document at all.
    Blank,
}

impl Kind {
    /// The value of `type` (2.1) that asks for this kind, if there is one.
    pub fn as_type(self) -> Option<&'static str> {
        match self {
            Self::BankCard => Some("BankCard"),
            Self::IdCard => Some("IDCard"),
            Self::IdCardCheck => Some("IDCardCheck"),
            Self::BusiCert => Some("BusiCert"),
            Self::Face | Self::Blank => None,
        }
    }
}

/// The person a face belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The resident ID number.
    pub id_no: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    id: String,
    file: String,
    media_type: String,
    kind: Kind,
    description: Bilingual,
    #[serde(default)]
    truth: Map<String, Value>,
    #[serde(default)]
    person: Option<Person>,
}

/// One specimen.
#[derive(Debug, Clone)]
pub struct Fixture {
    /// Its stable id, `bank-card-debit`.
    pub id: String,
    /// The file's name.
    pub file: String,
    /// Its media type.
    pub media_type: String,
    /// What it shows.
    pub kind: Kind,
    /// What it shows, in words.
    pub description: Bilingual,
    /// The fields of `recogResult` as the picture shows them.
    pub truth: Map<String, Value>,
    /// Whose face it is.
    pub person: Option<Person>,
    /// The file's content.
    pub bytes: &'static [u8],
    /// SHA-256 of the content, in hexadecimal.
    pub sha256: String,
}

/// All specimens, in the order of the file.
pub fn all() -> Result<&'static [Fixture], DataError> {
    static FIXTURES: LazyLock<Result<Vec<Fixture>, DataError>> = LazyLock::new(load);
    FIXTURES.as_deref().map_err(Clone::clone)
}

/// The specimen with this id.
pub fn get(id: &str) -> Option<&'static Fixture> {
    all().ok()?.iter().find(|fixture| fixture.id == id)
}

fn load() -> Result<Vec<Fixture>, DataError> {
    const FILE: &str = "schemas/fixtures/fixtures.yaml";
    let text = FILES
        .get_file("fixtures.yaml")
        .and_then(include_dir::File::contents_utf8)
        .ok_or_else(|| DataError::new(FILE, "", "no such file"))?;
    let entries: Vec<Entry> = data::read(FILE, text)?;
    entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            let bytes = FILES.get_file(&entry.file).map(include_dir::File::contents).ok_or_else(|| {
                DataError::new(FILE, format!("/{index}/file"), format!("no such file: schemas/fixtures/{}", entry.file))
            })?;
            let sha256 = hex(&Sha256::digest(bytes));
            Ok(Fixture {
                id: entry.id,
                file: entry.file,
                media_type: entry.media_type,
                kind: entry.kind,
                description: entry.description,
                truth: entry.truth,
                person: entry.person,
                bytes,
                sha256,
            })
        })
        .collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
