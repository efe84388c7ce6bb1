//! The words and shapes of fincert.
//!
//! This crate holds what every other room agrees on: the requirements of the specification, the JSON
//! Schemas of its tables, the messages of the bridge, the shapes of a run record, the specimens with
//! their ground truth, and capture: the pure step that turns a raw value into facts and a masked value.
//! It does no I/O but reading what is compiled into it.

pub mod bridge;
pub mod capture;
pub mod catalog;
pub mod data;
pub mod fixture;
pub mod format;
pub mod generated;
pub mod json;
pub mod requirement;
pub mod run;
pub mod strategy;

pub use requirement::{Ledger, Level, Requirement};

/// A text in the two languages that every reader of fincert may choose from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// The Chinese text.
    pub zh: String,
    /// The English text.
    pub en: String,
}

impl Bilingual {
    /// Both texts at once.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The text in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// The language that a person reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    #[default]
    En,
}
