//! A credential that expires (draft-uberti-behave-turn-rest-00 section 2.2): the user name says when, and the password is
//! its HMAC under a secret of the server.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use turn::auth::{AuthHandler, generate_auth_key};

/// See the module.
pub(super) struct Credential {
    username: String,
    password: String,
    expires: SystemTime,
}

impl Credential {
    pub(super) fn new(lifetime: Duration) -> Self {
        let secret: [u8; 32] = rand::random();
        let expires = SystemTime::now() + lifetime;
        let seconds = expires.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let username = format!("{seconds}:fincert");
        // RFC 8489 keeps HMAC-SHA1 for MESSAGE-INTEGRITY, and the draft for passwords.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
        let password = BASE64_STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Self { username, password, expires }
    }

    pub(super) fn username(&self) -> &str {
        &self.username
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }
}

impl AuthHandler for Credential {
    fn auth_handle(&self, username: &str, realm: &str, _from: SocketAddr) -> Result<Vec<u8>, turn::Error> {
        if username != self.username || SystemTime::now() > self.expires {
            return Err(turn::Error::ErrNoSuchUser);
        }
        Ok(generate_auth_key(username, realm, &self.password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_good_for_its_lifetime_and_its_user() {
        let from = SocketAddr::from(([127, 0, 0, 1], 1));
        let good = Credential::new(Duration::from_secs(60));
        assert!(good.auth_handle(good.username(), "r", from).is_ok());
        assert!(good.auth_handle("1:fincert", "r", from).is_err());
        let expired = Credential { expires: UNIX_EPOCH, ..good };
        assert!(expired.auth_handle(expired.username(), "r", from).is_err());
    }
}
