//! The crate's second description has the session id of the first and a version of the clock. The version is to be one
//! more (RFC 9429 section 5.2.2), and the same again for a description in which nothing changed.

use super::text::Text;

/// The o-line of a connection.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// Session id and the first of the versions, below 2^62 (RFC 9429 section 5.2.1).
    id: Option<u64>,
    version: u64,
    last: Option<Text>,
}

impl Origin {
    /// Writes the o-line of a description that was made.
    pub(crate) fn sign(&mut self, text: &mut Text) {
        let id = *self.id.get_or_insert_with(|| session_id(text));
        text.session.retain(|line| !line.starts_with("o="));
        match &self.last {
            Some(last) if last == text => {}
            last => {
                self.version += u64::from(last.is_some());
                self.last = Some(text.clone());
            }
        }
        let at = usize::from(!text.session.is_empty());
        text.session.insert(at, format!("o=- {id} {} IN IP4 127.0.0.1", self.version.saturating_add(2)));
    }
}

fn session_id(text: &Text) -> u64 {
    let origin = text.session.iter().find_map(|line| line.strip_prefix("o="));
    let id: u64 = origin.and_then(|o| o.split(' ').nth(1)).and_then(|id| id.parse().ok()).unwrap_or(1);
    id & ((1 << 62) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_stays_and_the_version_counts_changes() {
        let mut origin = Origin::default();
        let mut sign = |body: &str| {
            let mut text = Text::read(&format!("v=0\r\no=- 7 {} IN IP4 0.0.0.0\r\n{body}", body.len()));
            origin.sign(&mut text);
            text.session[1].clone()
        };
        assert_eq!(sign("s=-\r\n"), "o=- 7 2 IN IP4 127.0.0.1");
        assert_eq!(sign("s=-\r\n"), "o=- 7 2 IN IP4 127.0.0.1");
        assert_eq!(sign("s=x\r\n"), "o=- 7 3 IN IP4 127.0.0.1");
    }
}
