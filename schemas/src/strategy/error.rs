//! What a schema can have that no generator is made for.

/// Why a schema has no generator: where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{document}#{pointer}: {problem}")]
pub struct Unsupported {
    /// The document's id.
    pub document: String,
    /// JSON pointer into the document.
    pub pointer: String,
    /// The keyword, or the empty string where the whole schema is meant.
    pub keyword: String,
    /// What is wrong there, and what to do.
    pub problem: Problem,
}

/// What is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A keyword that the generators do not know.
    #[error("the keyword \"{0}\" is not supported; take it out, or name it x-… if it is an annotation")]
    Keyword(String),
    /// A keyword whose value is not what its vocabulary says.
    #[error("the keyword \"{keyword}\" must be {wanted}")]
    Malformed {
        /// The keyword.
        keyword: String,
        /// What its value must be.
        wanted: &'static str,
    },
    /// A format that the generators do not know.
    #[error("the format \"{0}\" is not supported; use one of {known}", known = super::format::known())]
    Format(String),
    /// A pattern that cannot be generated from.
    #[error("the pattern cannot be generated from: {0}; write it without look-around and back-references")]
    Pattern(String),
    /// A reference that leads nowhere.
    #[error("the reference \"{0}\" leads to no schema among the documents; correct it, or add the document")]
    Reference(String),
    /// No instance satisfies the schema.
    #[error("no instance satisfies the schema: {0}; relax one of its keywords")]
    Contradiction(String),
    /// Every instance would be infinite.
    #[error(
        "every instance would have to contain another without end; make a property optional, or allow an empty array"
    )]
    Endless,
    /// The schema has too many cases.
    #[error("the schema has more than {0}; split it, or make its branches exclude each other")]
    Explosion(String),
}
