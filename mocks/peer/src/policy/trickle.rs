//! Notes 2: the crate does not say that candidates may come one by one, and the other end's canTrickleIceCandidates
//! becomes false. `a=ice-options:trickle` stands in every description (RFC 9429 section 5.2.1).

use super::text::{Text, remove};

/// Says it, for the session.
pub(crate) fn say(text: &mut Text) {
    for lines in text.parts_mut() {
        remove(lines, "ice-options");
    }
    text.session.push("a=ice-options:trickle".to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_once() {
        let mut text = Text::read("v=0\r\nm=audio 9 x 0\r\na=ice-options:ice2\r\n");
        say(&mut text);
        say(&mut text);
        assert_eq!(text.write(), "v=0\r\na=ice-options:trickle\r\nm=audio 9 x 0\r\n");
    }
}
