//! Facts: what capture found out about a value before masking it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value as it is kept: masked, with the facts that were taken of the raw one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Captured {
    /// The masked value. Values that are not sensitive stand whole.
    pub value: Value,
    /// What was found out about the raw value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
}

/// One thing found out about a raw value. `at` is always a JSON pointer into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "fact", rename_all = "kebab-case")]
pub enum Fact {
    /// A place that a requirement speaks of was there and its schema holds.
    Holds {
        /// The requirement, by the schema's `x-requirement`.
        requirement: String,
        /// Where.
        at: String,
    },
    /// A place that a requirement speaks of breaks its schema.
    Breaks {
        /// The requirement, by the schema's `x-requirement`; empty where no requirement speaks of the place.
        requirement: String,
        /// Where.
        at: String,
        /// The JSON Schema keyword, or the format's rule.
        rule: String,
        /// What the schema wants, in English.
        expected: String,
        /// What kind of value was there, never the value.
        actual: String,
        /// The same in Chinese, where a format check says more than the keyword.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected_zh: Option<String>,
    },
    /// A spelling that real integrations use stood for the canonical one; the rest was checked as if it had
    /// been canonical.
    Alias {
        /// The requirement whose canonical spelling was not used.
        requirement: String,
        /// Where.
        at: String,
        /// `numeric-string`, `number`, `integral-double`, `data-url`, `line-breaks`, `null`, `name`.
        alias: String,
    },
    /// An enumerated value was seen.
    Seen {
        /// The coverage requirement, by the schema's `x-coverage`.
        requirement: String,
        /// Where.
        at: String,
    },
    /// The value's equality class: equal values of one transcript share a number, given in order of first
    /// appearance.
    Class {
        /// Where.
        at: String,
        /// The class.
        class: u32,
    },
    /// A relation between two values.
    Relation {
        /// Which, by a stable name: `echo-type`, `face-shown`, `other-face-field`, `validity-order`,
        /// `id-number-birthday`, `id-number-gender`, `result-kind`, `recog-result-on-error`, `err-msg-ok`,
        /// `err-msg-fail`, `err-msg-cancel`, `configuration-as-given`.
        relation: String,
        /// Where.
        at: String,
        /// Whether it holds.
        holds: bool,
        /// What the other side is, where that is not sensitive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<String>,
        /// What was there, where that is not sensitive.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        actual: Option<String>,
    },
    /// The distance of a field to the ground truth of the picture.
    Truth {
        /// Where.
        at: String,
        /// Whether the field equals what the picture shows, white space and full-width forms aside.
        equal: bool,
        /// Edit distance in thousandths of the truth's length, 1000 at the most.
        distance: u16,
        /// Whether the field is empty or missing although the picture shows it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        empty: bool,
    },
    /// The JSON type of a value whose content was masked or cut.
    Masked {
        /// Where.
        at: String,
        /// `string`, `number`, …
        json_type: String,
        /// Its length in characters.
        chars: u32,
    },
    /// What a Base64 image turned out to be.
    Image {
        /// Where.
        at: String,
        /// What it is.
        image: ImageFacts,
    },
}

/// What is kept of a face image: never its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageFacts {
    /// `bare`, `data-url`, `line-breaks`, `url-safe` or `not-base64`.
    pub form: String,
    /// Decoded size in bytes.
    pub bytes: u64,
    /// `jpeg` or `png`, where its first bytes say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Width in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// SHA-256 of the decoded bytes, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}
