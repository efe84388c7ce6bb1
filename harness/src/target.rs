//! The forms of `--target`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

/// The forms, as help and errors list them.
pub const FORMS: &str = "mock, stdio:COMMAND, ws://…, wss://…, listen, listen:ADDRESS:PORT, browser or browser:PROGRAM";

/// What is certified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// fincert's own mock host, started in this process, over a real socket.
    Mock,
    /// A program that speaks the bridge on its standard input and output.
    Stdio(Vec<String>),
    /// A WebSocket server that speaks the bridge.
    Dial(Url),
    /// fincert listens, and one device dials in.
    Listen(SocketAddr),
    /// A browser that fincert starts: this program, or one that is found on the path.
    Browser(Option<PathBuf>),
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The command line behind `stdio:` cannot be split into words.
    #[error("stdio: {0}; quote it like a shell command line")]
    Command(String),
    /// Nothing follows `stdio:`.
    #[error("stdio: needs a command, such as 'stdio:python3 engine.py'")]
    NoCommand,
    /// The URL is not one.
    #[error("{0} is not a URL: {1}")]
    Url(String, String),
    /// The address behind `listen:` is not one.
    #[error("listen:{0} is not an address; want listen, listen:PORT or listen:ADDRESS:PORT")]
    Address(String),
    /// Nothing follows `browser:`.
    #[error("browser: needs a program, such as browser:/usr/bin/chromium; browser alone looks for one")]
    NoBrowser,
    /// Another form.
    #[error("no such target: {0}; want {FORMS}")]
    Unknown(String),
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        if text == "mock" {
            return Ok(Self::Mock);
        }
        if let Some(command) = text.strip_prefix("stdio:") {
            let words = shell_words::split(command).map_err(|error| TargetError::Command(error.to_string()))?;
            return if words.is_empty() { Err(TargetError::NoCommand) } else { Ok(Self::Stdio(words)) };
        }
        if text.starts_with("ws://") || text.starts_with("wss://") {
            return Url::parse(text)
                .map(Self::Dial)
                .map_err(|error| TargetError::Url(text.to_owned(), error.to_string()));
        }
        if let Some(address) = text.strip_prefix("listen") {
            return listen(address.strip_prefix(':').unwrap_or(address));
        }
        if text == "browser" {
            return Ok(Self::Browser(None));
        }
        if let Some(program) = text.strip_prefix("browser:") {
            return if program.is_empty() {
                Err(TargetError::NoBrowser)
            } else {
                Ok(Self::Browser(Some(program.into())))
            };
        }
        Err(TargetError::Unknown(text.to_owned()))
    }
}

/// Loopback and a free port unless told otherwise.
fn listen(address: &str) -> Result<Target, TargetError> {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    if address.is_empty() {
        return Ok(Target::Listen(SocketAddr::new(loopback, 0)));
    }
    if let Ok(port) = address.parse::<u16>() {
        return Ok(Target::Listen(SocketAddr::new(loopback, port)));
    }
    address.parse().map(Target::Listen).map_err(|_| TargetError::Address(address.to_owned()))
}

impl std::fmt::Display for Target {
    /// As it is written on the command line, without what a URL may hold of credentials and tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mock => f.write_str("mock"),
            Self::Stdio(words) => write!(f, "stdio:{}", shell_words::join(words)),
            Self::Dial(url) => {
                let mut clean = url.clone();
                let secret = clean.password().is_some() || !clean.username().is_empty() || clean.query().is_some();
                if secret {
                    let _ = clean.set_password(None);
                    let _ = clean.set_username("");
                    clean.set_query(url.query().map(|_| "SECRET"));
                }
                f.write_str(clean.as_str())
            }
            Self::Listen(address) if address.port() == 0 && address.ip() == IpAddr::V4(Ipv4Addr::LOCALHOST) => {
                f.write_str("listen")
            }
            Self::Listen(address) => write!(f, "listen:{address}"),
            Self::Browser(None) => f.write_str("browser"),
            Self::Browser(Some(program)) => write!(f, "browser:{}", program.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back() {
        let forms = [
            "mock",
            "stdio:python3 'my engine.py'",
            "ws://127.0.0.1:1/bridge",
            "listen",
            "listen:[::1]:7000",
            "browser",
            "browser:/opt/my browser/chrome",
        ];
        for text in forms {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
        }
        assert_eq!("listen:7000".parse::<Target>().unwrap().to_string(), "listen:127.0.0.1:7000");
        let dial: Target = "ws://u:p@h/b?token=s".parse().unwrap();
        assert_eq!(dial.to_string(), "ws://h/b?SECRET");
    }

    #[test]
    fn other_texts_are_refused_with_the_forms() {
        for text in ["", "mok", "stdio:", "stdio:'a", "ws://", "listen:x", "browser:", "browsers"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
