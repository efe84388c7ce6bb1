//! Passphrases of keys: from a file, from the environment, or asked for on the terminal without echo.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The environment variable that may hold the passphrase, for machines that keep secrets there.
pub(super) const VARIABLE: &str = "FINCERT_PASSPHRASE";
/// The longest passphrase, in bytes.
const LONGEST: usize = 1024;

/// Where a passphrase comes from.
#[derive(Debug, clap::Args)]
pub(super) struct Source {
    /// A file whose first line is the passphrase of the private key [default: FINCERT_PASSPHRASE, else asked for on the terminal]
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    pub(super) passphrase_file: Option<PathBuf>,
}

impl Source {
    /// The passphrase, if it is given by file or environment.
    pub(super) fn given(&self) -> Result<Option<Zeroizing<String>>, String> {
        let found = match &self.passphrase_file {
            Some(path) => Some(first_line(path)?),
            None => std::env::var(VARIABLE).ok().map(Zeroizing::new),
        };
        match found {
            Some(found) if found.is_empty() => Err("the passphrase is empty".to_owned()),
            Some(found) if found.len() > LONGEST => {
                Err(format!("{VARIABLE} is longer than {LONGEST} bytes: no passphrase is"))
            }
            found => Ok(found),
        }
    }

    /// The passphrase of an encrypted key.
    pub(super) fn of(&self, key: &Path) -> Result<Zeroizing<String>, String> {
        match self.given()? {
            Some(found) => Ok(found),
            None => ask(&format!("passphrase of {}: ", key.display())),
        }
    }
}

/// Asks on the terminal.
pub(super) fn ask(prompt: &str) -> Result<Zeroizing<String>, String> {
    let found = rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        format!("no terminal to ask for the passphrase ({error}); give it with --passphrase-file or in {VARIABLE}")
    })?;
    // What is typed here must be right in a file, too.
    if found.len() > LONGEST { Err(format!("longer than {LONGEST} bytes: no passphrase is")) } else { Ok(found) }
}

fn first_line(path: &Path) -> Result<Zeroizing<String>, String> {
    let wrong = |why: String| format!("--passphrase-file: {}: {why}", path.display());
    // Of its full size from the beginning, so that no copy of it is left where the buffer was.
    let most = LONGEST + "\r\n".len();
    let mut bytes = Zeroizing::new(Vec::with_capacity(most));
    let mut file = File::open(path).map_err(|error| wrong(error.to_string()))?.take(most as u64);
    file.read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > LONGEST {
        return Err(wrong(format!("its first line is longer than {LONGEST} bytes: no passphrase is")));
    }
    let line = std::str::from_utf8(line).map_err(|_| wrong("its first line is no UTF-8".to_owned()))?;
    Ok(Zeroizing::new(line.to_owned()))
}
