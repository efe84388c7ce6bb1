//! Notes 1: the crate's answers always take one DTLS role. Once DTLS is up, its roles do not change (RFC 8842 section
//! 5.5), and libwebrtc refuses an answer that swaps them; so `a=setup` of an answer says the role that is in force.

use super::text::{Text, replace, value};

/// The role of this end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It opens the association: `a=setup:active`.
    Client,
    /// It waits: `a=setup:passive`.
    Server,
}

impl Role {
    /// The word in an answer.
    pub(crate) fn setup(self) -> &'static str {
        match self {
            Self::Client => "active",
            Self::Server => "passive",
        }
    }

    /// The word in evidence.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The role that the first remote description leaves to this end. The crate decides the same way, and a lite agent
    /// is left the client's role.
    pub(crate) fn from_remote(remote: &Text) -> Self {
        let setup = remote.media.iter().find_map(|lines| value(lines, "setup"));
        match setup.or_else(|| value(&remote.session, "setup")) {
            Some("active") => Self::Server,
            Some("passive") => Self::Client,
            _ if super::text::has(&remote.session, "ice-lite") => Self::Server,
            _ => Self::Client,
        }
    }
}

/// Says the role in an answer.
pub(crate) fn answer(text: &mut Text, role: Role) {
    for lines in text.parts_mut() {
        replace(lines, "setup", role.setup());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_says_the_role_in_force() {
        let offer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=setup:actpass\r\n";
        let mut text = Text::read(&offer.replace("actpass", "active"));
        answer(&mut text, Role::Server);
        assert_eq!(text.write(), offer.replace("actpass", "passive"));
        assert_eq!(Role::from_remote(&Text::read(offer)), Role::Client);
        assert_eq!(Role::from_remote(&Text::read(&offer.replace("actpass", "active"))), Role::Server);
        assert_eq!(Role::from_remote(&Text::read(&offer.replace("actpass", "passive"))), Role::Client);
    }
}
