//! DSSE envelopes, version 1 of the protocol: <https://github.com/secure-systems-lab/dsse>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::MAX_SIGNATURES;
use super::key::PrivateKey;

/// The payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The longest key id that is read, in bytes.
const MAX_KEY_ID: usize = 256;
/// The longest signature that is read, in bytes. Ed25519 needs 64; another signer may use something else.
const MAX_SIGNATURE: usize = 1024;

/// A signed statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The statement's bytes.
    pub payload: Vec<u8>,
    /// The signatures, by key id.
    pub signatures: Vec<Signature>,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The id of the key that made it, as the envelope has it. DSSE does not sign it.
    pub keyid: String,
    /// Its bytes.
    pub sig: Vec<u8>,
}

/// An envelope as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    payload: String,
    payload_type: String,
    signatures: Vec<WrittenSignature>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSignature {
    keyid: String,
    sig: String,
}

impl Envelope {
    /// An envelope that nobody has signed yet.
    pub fn new(payload: Vec<u8>) -> Self {
        Self { payload, signatures: Vec::new() }
    }

    /// What is signed: the pre-authentication encoding.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), self.payload.len());
        [head.as_bytes(), &self.payload].concat()
    }

    /// Adds a signature. They stand in the order of their key ids, so that there is one way to write them.
    pub(super) fn sign(&mut self, key: &PrivateKey) {
        let sig = key.sign(&self.signed_bytes()).to_vec();
        self.signatures.push(Signature { keyid: key.id().to_owned(), sig });
        self.signatures.sort_by(|a, b| a.keyid.cmp(&b.keyid));
    }

    /// The one way to write it.
    pub fn encode(&self) -> Vec<u8> {
        let signature = |one: &Signature| WrittenSignature { keyid: one.keyid.clone(), sig: STANDARD.encode(&one.sig) };
        let written = Written {
            payload: STANDARD.encode(&self.payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: self.signatures.iter().map(signature).collect(),
        };
        // Strings and lists of strings: nothing that could fail.
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads an envelope that is written in that one way.
    pub(super) fn parse(line: &[u8]) -> Result<Self, String> {
        let written: Written =
            serde_json::from_slice(line).map_err(|error| format!("this is no DSSE envelope: {error}"))?;
        if written.payload_type != PAYLOAD_TYPE {
            return Err("payloadType: not that of an in-toto statement: no certificate of fincert".to_owned());
        }
        let payload = STANDARD.decode(&written.payload).map_err(|error| format!("payload: no Base64: {error}"))?;
        if written.signatures.is_empty() || written.signatures.len() > MAX_SIGNATURES {
            return Err(format!(
                "signatures: {} of them; a certificate has 1 to {MAX_SIGNATURES}",
                written.signatures.len()
            ));
        }
        let mut signatures: Vec<Signature> = Vec::new();
        for (index, one) in written.signatures.into_iter().enumerate() {
            let wrong = |what: &str| format!("signatures/{index}: {what}");
            let sig = STANDARD.decode(&one.sig).map_err(|error| wrong(&format!("sig: no Base64: {error}")))?;
            if sig.is_empty() || sig.len() > MAX_SIGNATURE {
                return Err(wrong(&format!("sig: {} bytes, no signature has so many", sig.len())));
            }
            if one.keyid.is_empty() || one.keyid.len() > MAX_KEY_ID || one.keyid.chars().any(char::is_control) {
                return Err(wrong("keyid: empty, too long or with control characters"));
            }
            if signatures.last().is_some_and(|before| before.keyid >= one.keyid) {
                return Err(wrong("signatures stand in the order of their key ids, each once"));
            }
            signatures.push(Signature { keyid: one.keyid, sig });
        }
        let envelope = Self { payload, signatures };
        if envelope.encode() != line {
            return Err(
                "not written as fincert writes it (spaces, the order of fields, escapes): somebody has rewritten it"
                    .to_owned(),
            );
        }
        Ok(envelope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the DSSE protocol, with its own payload type in place of ours.
    #[test]
    fn what_is_signed_is_the_pre_authentication_encoding() {
        let envelope = Envelope::new(b"hello world".to_vec());
        assert_eq!(envelope.signed_bytes(), b"DSSEv1 28 application/vnd.in-toto+json 11 hello world");
        let chinese = Envelope::new("你好".as_bytes().to_vec());
        assert_eq!(chinese.signed_bytes(), "DSSEv1 28 application/vnd.in-toto+json 6 你好".as_bytes());
    }

    #[test]
    fn there_is_one_way_to_write_an_envelope() {
        let mut envelope = Envelope::new(b"{}".to_vec());
        for byte in [9, 3, 7] {
            envelope.sign(&PrivateKey::from_seed(&[byte; 32]));
        }
        let line = envelope.encode();
        assert_eq!(Envelope::parse(&line).unwrap(), envelope);
        let text = String::from_utf8(line).unwrap();
        for (other, says) in [
            (text.replace(":", ": "), "rewritten"),
            (format!(" {text}"), "rewritten"),
            (text.replace("\"payload\"", "\"payload\\u0000\""), "no DSSE envelope"),
            (text.replace("\"e30=\"", "\"e30\""), "payload: no Base64"),
            (text.replace("\"e30=\"", "\"e31=\""), "payload: no Base64"),
            (text.replace("vnd.in-toto", "vnd.out-toto"), "payloadType"),
            (text.replace("\"keyid\"", "\"keyid\":\"\",\"keyid\""), "duplicate field"),
            (text.replace("\"signatures\"", "\"note\":1,\"signatures\""), "unknown field"),
        ] {
            let error = Envelope::parse(other.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{other}: {error}");
        }
        let mut swapped = envelope.clone();
        swapped.signatures.swap(0, 1);
        assert!(Envelope::parse(&swapped.encode()).unwrap_err().contains("order"));
        let mut twice = envelope.clone();
        twice.signatures[1] = twice.signatures[0].clone();
        assert!(Envelope::parse(&twice.encode()).unwrap_err().contains("each once"));
    }
}
