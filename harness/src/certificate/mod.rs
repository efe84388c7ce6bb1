//! Certificates: what was judged, signed.
//!
//! A certificate is an in-toto bundle of two DSSE envelopes, a line each. The first holds the test result (what was
//! judged, of what, by what), the second the summary (which profiles are certified), which follows from the first. Both
//! are signed by the same keys.
//!
//! Every byte counts: an envelope that is not written as [`Envelope::encode`] writes it is refused, and so is a statement
//! that is not written as fincert writes it. So nothing of a certificate can be changed without its being noticed, not even
//! what DSSE leaves unsigned: spaces, the order of signatures, key ids.

mod dsse;
mod issue;
mod key;
mod statement;
mod verify;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use fincert_reports::text::{clean, clip};
use fincert_schemas::digest;

pub use dsse::{Envelope, PAYLOAD_TYPE, Signature};
pub use issue::{Refusal, Terms, draft};
pub use key::{KeyError, PrivateKey, PublicKey};
pub use statement::{Certified, Claim, Resource, Statement, Subject, Summary, TestResult, time};
pub use verify::{Answer, Problem, Question, Signed, ThenAndNow, verify};

/// The largest certificate that is read, in bytes.
pub const MAX_BYTES: u64 = 4 * 1024 * 1024;
/// The most signatures that a certificate may carry.
pub const MAX_SIGNATURES: usize = 32;
/// So much is said of what does not fit, in characters.
const LONGEST_MESSAGE: usize = 300;
/// The version of the certificate's shape.
pub const VERSION: u32 = 1;

/// Why a file is no certificate, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It does not fit.
    #[error("{path}: {message}")]
    Form {
        /// The file.
        path: String,
        /// What does not fit, and where.
        message: String,
    },
}

/// A certificate, as it was read or drawn up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What it says.
    pub statement: Statement<TestResult>,
    envelopes: [Envelope; 2],
}

impl Certificate {
    /// A certificate that nobody has signed yet.
    pub fn new(statement: Statement<TestResult>) -> Result<Self, String> {
        let first = statement.encode()?;
        let second = statement.summary(&digest::sha256(&first)).encode()?;
        Ok(Self { statement, envelopes: [Envelope::new(first), Envelope::new(second)] })
    }

    /// Signs it, beside whoever signed it before.
    pub fn sign(&mut self, key: &PrivateKey) -> Result<(), String> {
        if self.key_ids().any(|id| id == key.id()) {
            return Err(format!("the key {} has signed it already", key.id()));
        }
        if self.key_ids().count() >= MAX_SIGNATURES {
            return Err(format!("it has {MAX_SIGNATURES} signatures already"));
        }
        for envelope in &mut self.envelopes {
            envelope.sign(key);
        }
        Ok(())
    }

    /// The ids of the keys that it says have signed it.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.envelopes[0].signatures.iter().map(|signature| signature.keyid.as_str())
    }

    /// Its envelopes: the test result and the summary.
    pub fn envelopes(&self) -> &[Envelope; 2] {
        &self.envelopes
    }

    /// The bytes of its file.
    pub fn encode(&self) -> Vec<u8> {
        self.envelopes.iter().flat_map(|envelope| [envelope.encode(), b"\n".to_vec()].concat()).collect()
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, CertificateError> {
        let name = path.display().to_string();
        let io = |source| CertificateError::Io { path: name.clone(), source };
        let mut bytes = Vec::new();
        File::open(path).map_err(io)?.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
        // The words of a foreign file stand in the message: in bounds, and such that they steer no terminal.
        let form = |message: String| CertificateError::Form {
            path: name,
            message: match clip(&clean(&message), LONGEST_MESSAGE) {
                (kept, Some(_)) => format!("{kept}…"),
                (kept, None) => kept.to_owned(),
            },
        };
        Self::parse(&bytes).map_err(form)
    }

    /// Reads the bytes of a file. What is wrong is said by line.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(format!("larger than {MAX_BYTES} bytes: no certificate is"));
        }
        if bytes.is_empty() {
            return Err("an empty file is no certificate".to_owned());
        }
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
        let (Some(first), Some(second)) = (lines.next(), lines.next()) else {
            // What it is says more than what it lacks.
            Envelope::parse(bytes.strip_suffix(b"\n").unwrap_or(bytes))
                .map_err(|message| format!("line 1: {message}"))?;
            return Err("cut off: a certificate has two lines, a test result and its summary".to_owned());
        };
        let first = envelope(1, first)?;
        let statement = Statement::parse(&first.payload).map_err(|message| format!("line 1: {message}"))?;
        let second = envelope(2, second)?;
        if lines.next().is_some() {
            return Err("line 3: a certificate has two lines".to_owned());
        }
        let wanted = statement.summary(&digest::sha256(&first.payload)).encode()?;
        if wanted != second.payload {
            return Err("line 2: the summary does not follow from the test result in line 1".to_owned());
        }
        let ids = |envelope: &Envelope| -> Vec<String> {
            envelope.signatures.iter().map(|signature| signature.keyid.clone()).collect()
        };
        if ids(&first) != ids(&second) {
            return Err("its two lines are not signed by the same keys".to_owned());
        }
        Ok(Self { statement, envelopes: [first, second] })
    }
}

fn envelope(number: u32, line: &[u8]) -> Result<Envelope, String> {
    let text =
        line.strip_suffix(b"\n").ok_or_else(|| format!("line {number}: cut off, it does not end with a line feed"))?;
    Envelope::parse(text).map_err(|message| format!("line {number}: {message}"))
}
