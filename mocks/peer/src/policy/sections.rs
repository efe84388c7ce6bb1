//! The m-lines of a description that was made, against those that were there before.
//!
//! The crate leaves out m-lines of kinds that it does not know, so those behind them shift; it does not reject what was
//! rejected; and it answers `sendrecv` to an m-line that only sends. An answer has the offer's m-lines in its order, and
//! the answer's direction is within the offer's (RFC 3264 section 6, RFC 9429 section 5.3.1). A later offer has the
//! m-lines of the description in force, in their order (section 5.2.2).

use super::text::{
    Lines, Text, attribute, direction, direction_of, has, is_media, is_rejected, receives, sends, set_direction,
    set_word, value, words,
};

/// Makes an answer fit its offer.
pub(crate) fn answer(made: &mut Text, offer: &Text) {
    let mut parts = Vec::new();
    for asked in &offer.media {
        let mid = value(asked, "mid");
        let own = mid.and_then(|mid| made.by_mid(mid)).filter(|_| !is_rejected(asked));
        let Some(own) = own else {
            parts.push(rejected(asked));
            continue;
        };
        let mut own = own.clone();
        if is_media(&own) && !is_rejected(&own) {
            let asked = direction(&offer.session, asked);
            let mine = direction(&made.session, &own);
            let sends = sends(mine) && receives(asked) && has(&own, "msid");
            let receives = receives(mine) && self::sends(asked);
            set_direction(&mut own, direction_of(sends, receives));
        }
        parts.push(own);
    }
    made.media = parts;
    bundle(made);
}

/// Gives an offer the m-lines of the description in force, and then those that are new.
pub(crate) fn reoffer(made: &mut Text, in_force: &Text) {
    let mut parts: Vec<Lines> = in_force
        .media
        .iter()
        .map(|before| {
            let own = value(before, "mid").and_then(|mid| made.by_mid(mid));
            own.cloned().unwrap_or_else(|| rejected(before))
        })
        .collect();
    let is_new = |lines: &&Lines| value(lines, "mid").is_none_or(|mid| in_force.by_mid(mid).is_none());
    parts.extend(made.media.iter().filter(is_new).cloned());
    made.media = parts;
    bundle(made);
}

/// An m-line with port 0, of the same kind and formats.
fn rejected(lines: &Lines) -> Lines {
    let mut made: Lines = lines.first().cloned().into_iter().collect();
    set_word(&mut made, 1, "0");
    made.push("c=IN IP4 0.0.0.0".to_owned());
    made.extend(value(lines, "mid").map(|mid| format!("a=mid:{mid}")));
    if words(lines).first() == Some(&"application") {
        made.extend(value(lines, "sctp-port").map(|port| format!("a=sctp-port:{port}")));
    }
    made.push("a=inactive".to_owned());
    made
}

/// Takes rejected m-lines out of the group (RFC 9143 section 7.3.3).
fn bundle(made: &mut Text) {
    let rejected: Vec<String> = made
        .media
        .iter()
        .filter(|lines| is_rejected(lines))
        .filter_map(|lines| value(lines, "mid"))
        .map(str::to_owned)
        .collect();
    for line in &mut made.session {
        if let Some(group) = attribute(line, "group").filter(|group| group.starts_with("BUNDLE")) {
            let mids: Vec<&str> =
                group.split_whitespace().skip(1).filter(|mid| !rejected.iter().any(|other| other == mid)).collect();
            *line = format!("a=group:BUNDLE {}", mids.join(" ")).trim_end().to_owned();
        }
    }
    made.session.retain(|line| line != "a=group:BUNDLE");
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\nm=text 9 RTP/AVP 98\r\na=mid:t\r\nm=audio 9 x 111\r\na=mid:0\r\na=sendonly\r\n\
                         m=video 9 x 96\r\na=mid:1\r\n";
    const MADE: &str = "v=0\r\na=group:BUNDLE 0 1\r\nm=audio 9 x 111\r\na=mid:0\r\na=msid:s t\r\na=sendrecv\r\n\
                        m=video 9 x 96\r\na=mid:1\r\na=sendrecv\r\n";

    #[test]
    fn an_answer_has_the_offers_m_lines_and_directions() {
        let mut made = Text::read(MADE);
        answer(&mut made, &Text::read(OFFER));
        assert_eq!(
            made.write(),
            "v=0\r\na=group:BUNDLE 0 1\r\nm=text 0 RTP/AVP 98\r\nc=IN IP4 0.0.0.0\r\na=mid:t\r\na=inactive\r\n\
             m=audio 9 x 111\r\na=mid:0\r\na=msid:s t\r\na=recvonly\r\nm=video 9 x 96\r\na=mid:1\r\na=recvonly\r\n"
        );
    }

    #[test]
    fn what_was_rejected_is_rejected() {
        let mut made = Text::read(MADE);
        answer(&mut made, &Text::read(&OFFER.replace("m=video 9", "m=video 0")));
        let text = made.write();
        assert!(text.contains("a=group:BUNDLE 0\r\n") && text.contains("m=video 0 x 96\r\n"), "{text}");
    }

    #[test]
    fn a_later_offer_keeps_the_m_lines_and_adds_new_ones() {
        let mut made = Text::read(&format!("{MADE}m=audio 9 x 111\r\na=mid:2\r\n"));
        reoffer(&mut made, &Text::read(OFFER));
        let mids: Vec<_> = made.media.iter().filter_map(|lines| value(lines, "mid")).collect();
        assert_eq!(mids, ["t", "0", "1", "2"]);
        assert!(is_rejected(&made.media[0]));
    }
}
