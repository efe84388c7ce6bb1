//! Ed25519 keys in PEM files: PKCS#8 for the private one (RFC 8410; encrypted by PBES2 with scrypt where a passphrase is
//! wanted), SubjectPublicKeyInfo for the public one. OpenSSL reads and writes both.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{SIGNATURE_LENGTH, Signer, SigningKey, VerifyingKey};
use fincert_schemas::digest;
use zeroize::Zeroizing;

/// The largest key file that is read, in bytes.
const MAX_BYTES: u64 = 16 * 1024;
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

/// Why a key cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// It is no such key.
    #[error("{path}: {message}")]
    Form {
        /// The file.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// A key that signs. Its bytes are overwritten when it is dropped.
pub struct PrivateKey {
    key: SigningKey,
    id: String,
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// A new key, by the system's randomness.
    pub fn generate() -> Self {
        use rand::RngExt;
        Self::from_seed(&Zeroizing::new(rand::rng().random()))
    }

    /// The key of these 32 bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let id = id_of(&key.verifying_key());
        Self { key, id }
    }

    /// Reads a PEM file; `passphrase` is asked for one where the key is encrypted.
    pub fn read(path: &Path, passphrase: impl FnOnce() -> Result<Zeroizing<String>, String>) -> Result<Self, KeyError> {
        let wrong = |message: String| KeyError::Form { path: path.display().to_string(), message };
        let text = read(path)?;
        let key = if text.trim_start().starts_with(ENCRYPTED) {
            let passphrase = passphrase().map_err(wrong)?;
            SigningKey::from_pkcs8_encrypted_pem(&text, passphrase.as_bytes())
                .map_err(|_| wrong("the passphrase is wrong, or this is no encrypted Ed25519 key".to_owned()))?
        } else {
            SigningKey::from_pkcs8_pem(&text).map_err(|error| {
                wrong(format!("no private Ed25519 key in PKCS#8 PEM, which `fincert keygen` writes: {error}"))
            })?
        };
        let id = id_of(&key.verifying_key());
        Ok(Self { key, id })
    }

    /// Writes both halves to new files, the private one for its owner alone. What is there is never overwritten.
    pub fn write(&self, private: &Path, public: &Path, passphrase: Option<&str>) -> Result<(), KeyError> {
        let wrong = |message: String| KeyError::Form { path: private.display().to_string(), message };
        // Without the public half the file is of version 1, which every reader of PKCS#8 knows.
        let bytes = KeypairBytes { secret_key: self.key.to_bytes(), public_key: None };
        let pem = match passphrase {
            Some(passphrase) => {
                let der = bytes.to_pkcs8_der().map_err(|error| wrong(error.to_string()))?;
                let info = pkcs8::PrivateKeyInfoRef::try_from(der.as_bytes()).map_err(|e| wrong(e.to_string()))?;
                let encrypted = info.encrypt(passphrase).map_err(|error| wrong(error.to_string()))?;
                encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).map_err(|error| wrong(error.to_string()))?
            }
            None => bytes.to_pkcs8_pem(LineEnding::LF).map_err(|error| wrong(error.to_string()))?,
        };
        let public_pem = self.public().to_pem().map_err(wrong)?;
        write_new(private, pem.as_bytes(), 0o600)?;
        write_new(public, public_pem.as_bytes(), 0o644).inspect_err(|_| {
            // Half a pair is of no use, and would stand in the way of the next attempt.
            let _ = fs::remove_file(private);
        })
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey { key: self.key.verifying_key(), id: self.id.clone() }
    }

    /// The id of the pair.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Signs bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; SIGNATURE_LENGTH] {
        self.key.sign(bytes).to_bytes()
    }
}

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: String,
}

impl PublicKey {
    /// Reads a PEM file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let wrong = |message: String| KeyError::Form { path: path.display().to_string(), message };
        let text = read(path)?;
        if text.contains("PRIVATE KEY-----") {
            return Err(wrong("this is a private key; give the public one, and keep this one to yourself".to_owned()));
        }
        let key = VerifyingKey::from_public_key_pem(&text)
            .map_err(|error| wrong(format!("no public Ed25519 key in PEM, which `fincert keygen` writes: {error}")))?;
        if key.is_weak() {
            return Err(wrong("a weak key: anybody can make signatures that fit it".to_owned()));
        }
        Ok(Self { id: id_of(&key), key })
    }

    /// Its PEM text.
    pub fn to_pem(&self) -> Result<String, String> {
        self.key.to_public_key_pem(LineEnding::LF).map_err(|error| error.to_string())
    }

    /// Its id: the SHA-256 of its SubjectPublicKeyInfo in DER, in hexadecimal.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the signature is this key's. The strict check: a signature has one form.
    pub(super) fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(bytes, &signature).is_ok())
    }
}

fn id_of(key: &VerifyingKey) -> String {
    // 32 bytes behind a constant head: there is nothing in it that could fail.
    key.to_public_key_der().map(|der| digest::sha256(der.as_bytes())).unwrap_or_default()
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let name = path.display().to_string();
    let io = |source| KeyError::Io { path: name.clone(), source };
    let mut text = Zeroizing::new(String::new());
    File::open(path).map_err(io)?.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(io)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(KeyError::Form { path: name, message: format!("larger than {MAX_BYTES} bytes: no key is") });
    }
    Ok(text)
}

/// Writes a new file, whole or not at all; from the beginning with its permissions, since a key that could be read for a
/// moment was read.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let io = |source| KeyError::Io { path: path.display().to_string(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let message = format!("there is no folder {}; make it, or name another", folder.display());
        return Err(KeyError::Form { path: path.display().to_string(), message });
    }
    let mut file =
        tempfile::Builder::new().permissions(fs::Permissions::from_mode(mode)).tempfile_in(folder).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Form {
            path: path.display().to_string(),
            message: "is there already, and a key is never overwritten; name another".to_owned(),
        },
        _ => io(error.error),
    })?;
    Ok(())
}
