//! `fincert keygen`: a pair of keys for certificates.

use std::path::PathBuf;

use fincert::certificate::{KeyError, PrivateKey};
use fincert_schemas::Lang;

use super::passphrase::{self, Source};
use super::{Failure, Reading, exit};

/// Options of `fincert keygen`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The keys' name: NAME.key is the private one, NAME.pub the public one
    #[arg(default_value = "fincert")]
    name: PathBuf,
    /// Ask for a passphrase, and encrypt the private key with it
    #[arg(long, help_heading = "Key")]
    passphrase: bool,
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    reading: Reading,
}

const EXAMPLES: &str = "\
Examples:
  fincert keygen vendor
  fincert keygen certifier --passphrase
  fincert keygen ci --passphrase-file secret.txt";

pub(super) fn run(options: &Options) -> Result<u8, Failure> {
    let with = |suffix: &str| {
        let mut name = options.name.clone().into_os_string();
        name.push(suffix);
        PathBuf::from(name)
    };
    let (private, public) = (with(".key"), with(".pub"));
    if let Some(there) = [&private, &public].into_iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(Failure::usage(format!(
            "{}: is there already, and a key is never overwritten; name another",
            there.display()
        )));
    }
    let mut passphrase = options.source.given().map_err(Failure::usage)?;
    // What stands in the environment may have been forgotten there.
    let from_environment = passphrase.is_some() && options.source.passphrase_file.is_none();
    if passphrase.is_none() && options.passphrase {
        let first = passphrase::ask("passphrase of the new key: ").map_err(Failure::usage)?;
        let second = passphrase::ask("once more: ").map_err(Failure::usage)?;
        if first.is_empty() || first != second {
            return Err(Failure::usage("the passphrase is empty, or the two differ; nothing was written"));
        }
        passphrase = Some(first);
    }
    let key = PrivateKey::generate();
    key.write(&private, &public, passphrase.as_ref().map(|text| text.as_str())).map_err(failed)?;
    let (private, public, id) = (private.display(), public.display(), key.id());
    let lang = options.reading.lang();
    let sealed = match (lang, passphrase.is_some(), from_environment) {
        (_, false, _) => String::new(),
        (Lang::En, _, false) => " (encrypted)".to_owned(),
        (Lang::En, _, true) => format!(" (encrypted with the passphrase in {})", passphrase::VARIABLE),
        (Lang::Zh, _, false) => "（已加密）".to_owned(),
        (Lang::Zh, _, true) => format!("（已用 {} 中的口令加密）", passphrase::VARIABLE),
    };
    match lang {
        Lang::En => {
            super::print(&format!("private key  {private}{sealed}\npublic key   {public}\nkey id       {id}\n"))?;
            eprintln!("keep {private} to yourself, and give {public} to whoever verifies");
        }
        Lang::Zh => {
            super::print(&format!("私钥      {private}{sealed}\n公钥      {public}\n密钥标识  {id}\n"))?;
            eprintln!("{private} 请自己保管；{public} 交给核验证书的人");
        }
    }
    Ok(exit::CERTIFIED)
}

/// A key that cannot be read or written is a bad input file.
pub(super) fn failed(error: KeyError) -> Failure {
    Failure::usage(error.to_string())
}
