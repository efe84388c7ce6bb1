//! WebRTC values (3.1, 3.2): handles, properties, events, SDP.
//!
//! SDP and candidates are judged line by line, so they are kept whole, up to a bound. Session ids, priorities and
//! SSRCs are long runs of digits, and so are ID and card numbers; which of them a run is, only the line tells. So a
//! line whose syntax is known is kept but for values that the run has shown to be sensitive, and every other line is
//! scrubbed as free text.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::mask::Sensitive;
use super::scrub::{Scrubber, escape_controls};
use super::{Capture, KEPT_MEMBERS, World, alias, decode_markers, raw, relation};
use crate::catalog::{Place, Table};
use crate::json::push_pointer;
use crate::run::{Captured, Fact};

impl Capture<'_> {
    /// Captures what a property of an object of the target's was, by its row.
    pub fn property(&mut self, class: &str, name: &str, raw: &Value) -> Captured {
        if self.raw {
            return raw::whole(raw);
        }
        let value = decode_markers(raw);
        let catalog = self.catalog;
        let table = catalog.table("webrtc/peerConnection.properties.json").filter(|_| class == "RTCPeerConnection");
        let Some(table) = table else { return self.webrtc_value(None, &value, Vec::new()) };
        // The row is checked as if the other properties were not asked for.
        let whole = Value::Object(Map::from_iter([(name.to_owned(), plain(&value))]));
        let mut facts = Vec::new();
        let (normal, breaches) = alias::canonical(&whole, &mut facts, |value| catalog.check_row(table, value, name));
        let row = normal.as_object().and_then(|rows| rows.keys().next()).map_or("", String::as_str);
        let within = |at: &str| at.strip_prefix('/').is_some_and(|at| at.split('/').next() == Some(row));
        let breaches = breaches.into_iter().filter(|breach| within(&breach.at)).collect();
        let places = catalog.places(table, &normal);
        self.schema_facts(table, &whole, &normal, breaches, &places, &mut facts);
        replace_at(&mut facts, |at| {
            let mut steps = at.splitn(3, '/').skip(2);
            steps.next().map_or_else(String::new, |rest| pointer_into(&value, &format!("/{rest}")))
        });
        self.webrtc_finish(&[], &value, facts)
    }

    /// Captures an event of an object of the target's.
    pub fn event(&mut self, class: &str, kind: &str, raw: &Value) -> Captured {
        if self.raw {
            return raw::whole(raw);
        }
        let value = decode_markers(raw);
        let known = class == "RTCPeerConnection" && kind.len() <= 32 && kind.bytes().all(|b| b.is_ascii_lowercase());
        let table = if known { self.catalog.table(&format!("webrtc/{kind}.event.json")) } else { None };
        self.webrtc_value(table, &value, Vec::new())
    }

    /// SDP or a candidate as it is kept: lines of known syntax whole, but for values that the run has shown to be
    /// sensitive.
    pub fn sdp(&self, text: &str) -> String {
        scrub_sdp((!self.reveal && !self.raw).then_some(&self.scrubber), text, KEPT_SDP).0
    }

    /// The name of an object of the target's as it is kept.
    pub fn handle(&self, text: &str) -> String {
        if self.raw {
            return text.to_owned();
        }
        let plain = !self.reveal && is_identifier(text);
        if plain { self.scrubber.scrub_known(text, true) } else { self.text(text, KEPT_HANDLE) }
    }

    /// A value of section 3, with the facts of its table.
    pub(super) fn webrtc_value(&mut self, table: Option<&Table>, value: &Value, mut facts: Vec<Fact>) -> Captured {
        let Some(table) = table else { return self.webrtc_finish(&[], value, facts) };
        let catalog = self.catalog;
        let whole = plain(value);
        let (normal, breaches) = alias::canonical(&whole, &mut facts, |value| catalog.check(table, value));
        let places = catalog.places(table, &normal);
        self.schema_facts(table, &whole, &normal, breaches, &places, &mut facts);
        replace_at(&mut facts, |at| pointer_into(value, at));
        self.webrtc_finish(&catalog.places(table, &whole), value, facts)
    }

    fn webrtc_finish(&mut self, places: &[Place<'_>], value: &Value, facts: Vec<Fact>) -> Captured {
        let kinds = self.learn(places, value, World::WebRtc);
        self.finish(&kinds, value, World::WebRtc, facts)
    }
}

/// The longest SDP that is kept, in bytes. A description of twenty m-lines has some 40 KiB.
pub(super) const KEPT_SDP: usize = 64 * 1024;
/// How much SDP one transcript keeps in all, in bytes; beyond it texts are cut like any other.
pub(super) const KEPT_SDP_IN_ALL: usize = 8 * 1024 * 1024;
/// The longest name of an object that is kept, in characters.
const KEPT_HANDLE: usize = 64;
/// How much more than is kept is scrubbed, so that no half of a value is left at the end of what is kept.
const MARGIN: usize = 1024;

/// Lines with runs of digits or of Base64 that are what they are by the line's syntax: RFC 8866 section 9 (o=), RFC 8839
/// section 5.1 (candidate) and 5.4 (ufrag, pwd), RFC 8842 (tls-id), RFC 5576 (ssrc-group) and RFC 8285 (extmap).
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the first test that runs")]
static KNOWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:",
        r"o=[A-Za-z-][A-Za-z0-9_.-]{0,20} \d{1,20} \d{1,20} IN IP[46] [0-9A-Za-z.:-]{1,64}",
        r"|(?:a=)?candidate:[0-9A-Za-z+/]{1,32} \d{1,5} [A-Za-z-]{1,10} \d{1,10} [0-9A-Za-z.:%-]{1,64} \d{1,5} typ [a-z]{1,10}",
        r"(?: (?:raddr [0-9A-Za-z.:%-]{1,64}|(?:rport|generation|network-id|network-cost) \d{1,10}|tcptype [a-z]{1,10}",
        r"|ufrag [0-9A-Za-z+/]{1,256}))*",
        r"|a=ice-(?:ufrag|pwd):[0-9A-Za-z+/=_-]{1,256}",
        r"|a=tls-id:[0-9A-Za-z+/_-]{20,255}",
        r"|a=ssrc-group:[A-Z-]{1,16}(?: \d{1,10}){1,16}",
        r"|a=extmap:\d{1,5}(?:/[a-z]{1,10})? [a-z]{1,10}:[0-9A-Za-z./:#_-]{1,128}",
        r")$",
    ))
    .unwrap()
});

/// Identifiers of streams, tracks and devices: UUIDs, and digests in hexadecimal.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the first test that runs")]
static IDENTIFIER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(?:\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}?",
        r"|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$",
    ))
    .unwrap()
});

/// An IP address or a host name, where a postal address could stand.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the first test that runs")]
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    // Chromium writes an address of IPv6 in brackets.
    Regex::new(
        r"^(?:\[?[0-9A-Fa-f]{0,4}(?:[.:][0-9A-Fa-f]{0,4}){2,8}(?:%\w{1,16})?\]?|[0-9A-Za-z-]{1,63}\.(?:local|invalid))$",
    )
    .unwrap()
});

/// The name of an error, where a person's name could stand.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the first test that runs")]
static ERROR: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[A-Za-z]{0,40}(?:Error|Exception)$").unwrap());

/// Whether the text is an identifier, that cannot be a number of a person's: it has letters.
fn is_identifier(text: &str) -> bool {
    text.len() <= 66 && IDENTIFIER.is_match(text) && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether a member of a WebRTC value is not what its name says elsewhere: the name of an error, the address of a
/// candidate.
pub(super) fn is_harmless(key: &str, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    match key {
        "name" => ERROR.is_match(text),
        "address" => text.is_empty() || (text.len() <= 80 && HOST.is_match(text)),
        _ => false,
    }
}

/// How a text of a WebRTC value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// SDP or a candidate: line by line.
    Sdp,
    /// An identifier, an address or the name of an error.
    Plain,
    /// Anything else.
    Free,
}

/// How the text of the member `key` is kept; the key is empty for the value itself.
pub(super) fn kind_of(key: &str, text: &str) -> Text {
    let speaks = |head: &str| text.starts_with(head);
    match key {
        "sdp" | "candidate" => Text::Sdp,
        "" if speaks("v=0") || speaks("candidate:") || speaks("a=candidate:") => Text::Sdp,
        "address" if HOST.is_match(text) => Text::Plain,
        _ if is_identifier(text) => Text::Plain,
        _ => Text::Free,
    }
}

/// A moment, in milliseconds, is written with as many digits as a card number.
pub(super) fn is_moment(key: &str, number: &serde_json::Number) -> bool {
    key == "timeStamp" && number.as_f64().is_some_and(|number| (0.0..1e14).contains(&number))
}

/// SDP as it is kept: whole lines of known syntax, others scrubbed, line ends as they were, cut at `limit` bytes.
/// Without a scrubber nothing is scrubbed. The second value tells whether it was cut.
pub(super) fn scrub_sdp(scrubber: Option<&Scrubber>, text: &str, limit: usize) -> (String, bool) {
    let window = head(text, limit.saturating_add(MARGIN));
    let mut clean = String::with_capacity(window.len());
    for line in window.split_inclusive('\n') {
        let body = line.trim_end_matches(['\r', '\n']);
        match scrubber {
            Some(scrubber) => scrub_line(scrubber, body, &mut clean),
            None => clean.push_str(&escape_but_returns(body)),
        }
        clean.push_str(&line[body.len()..]);
    }
    let kept = head(&clean, limit);
    if kept.len() == clean.len() && window.len() == text.len() {
        return (clean, false);
    }
    (format!("{kept}… ({} characters)", text.chars().count()), true)
}

fn scrub_line(scrubber: &Scrubber, body: &str, clean: &mut String) {
    if KNOWN.is_match(body) {
        clean.push_str(&scrubber.scrub_known(body, true));
        return;
    }
    let names = ["a=msid:", "a=msid-semantic:", "a=ssrc:"].iter().any(|head| body.starts_with(head));
    if !names || body.len() > 512 {
        clean.push_str(&escape_but_returns(&scrubber.scrub(body)));
        return;
    }
    // Names of streams and tracks, each a word of its own.
    let mut rest = body;
    while !rest.is_empty() {
        let end = rest.find([' ', ':']).map_or(rest.len(), |at| at + 1);
        let (word, separator) = match rest[..end].strip_suffix([' ', ':']) {
            Some(word) => (word, &rest[word.len()..end]),
            None => (&rest[..end], ""),
        };
        let kept = if is_identifier(word) { scrubber.scrub_known(word, true) } else { scrubber.scrub(word) };
        clean.push_str(&escape_but_returns(&kept));
        clean.push_str(separator);
        rest = &rest[end..];
    }
}

/// Control characters as escapes, but for a carriage return by itself, which some write as a line's end.
fn escape_but_returns(text: &str) -> String {
    text.split('\r').map(escape_controls).collect::<Vec<_>>().join("\r")
}

/// The beginning of a text, at most so many bytes.
fn head(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Whether the value is an object of the target's, as the bridge sends it.
fn is_handle(value: &Value) -> bool {
    value.get("$handle").is_some_and(Value::is_string)
}

/// The value as its table sees it: of an object of the target's its own plain values; of long arrays the beginning,
/// since nobody counts the ten thousandth device.
pub(super) fn plain(value: &Value) -> Value {
    match value {
        Value::Object(_) if is_handle(value) => value.get("props").map_or_else(|| Value::Object(Map::new()), plain),
        Value::Object(object) => Value::Object(object.iter().map(|(key, inner)| (key.clone(), plain(inner))).collect()),
        Value::Array(items) => Value::Array(items.iter().take(KEPT_MEMBERS).map(plain).collect()),
        other => other.clone(),
    }
}

/// A pointer into what [`plain`] gave, as a pointer into the value itself.
pub(super) fn pointer_into(value: &Value, at: &str) -> String {
    let mut here = Some(value);
    let mut pointer = String::new();
    for segment in at.split('/').skip(1) {
        if here.is_some_and(is_handle) {
            pointer.push_str("/props");
            here = here.and_then(|value| value.get("props"));
        }
        let name = segment.replace("~1", "/").replace("~0", "~");
        pointer = push_pointer(&pointer, &name);
        here = match here {
            Some(Value::Array(items)) => name.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.and_then(|value| value.get(&name)),
        };
    }
    pointer
}

/// Changes the place that a schema fact speaks of.
pub(super) fn replace_at(facts: &mut [Fact], change: impl Fn(&str) -> String) {
    for fact in facts {
        if let Fact::Holds { at, .. } | Fact::Breaks { at, .. } | Fact::Alias { at, .. } | Fact::Seen { at, .. } = fact
        {
            *at = change(at);
        }
    }
}

/// Whether a configuration is the one that was given: the servers in their order, and the policy. What was not given
/// may be filled in with its default (W3C webrtc-pc, getConfiguration).
pub(super) fn configuration(given: &Value, got: &Value) -> Fact {
    let none = Vec::new();
    let servers = |value: &Value| value.get("iceServers").and_then(Value::as_array).unwrap_or(&none).clone();
    let (wanted, found) = (servers(given), servers(got));
    let policy = |value: &Value| value.get("iceTransportPolicy").and_then(Value::as_str).unwrap_or("all").to_owned();
    let differs = if wanted.len() != found.len() {
        Some(("/iceServers".to_owned(), format!("{} servers", found.len()), format!("{} servers", wanted.len())))
    } else if let Some((index, row)) = wanted.iter().zip(&found).enumerate().find_map(|(index, (wanted, found))| {
        let row = ["urls", "username", "credential"].into_iter().find(|row| texts(wanted, row) != texts(found, row))?;
        Some((index, row))
    }) {
        let word = |server: &Value| if texts(server, row).is_empty() { "absent" } else { "another value" };
        let (expected, actual) = match (word(&wanted[index]), word(&found[index])) {
            ("absent", actual) => ("absent", actual),
            (_, actual) => ("as given", actual),
        };
        Some((format!("/iceServers/{index}/{row}"), actual.to_owned(), expected.to_owned()))
    } else if policy(given) != policy(got) {
        Some(("/iceTransportPolicy".to_owned(), policy(got).chars().take(40).collect(), policy(given)))
    } else {
        None
    };
    match differs {
        None => relation("configuration-as-given", "", true, None, None),
        Some((at, actual, expected)) => relation("configuration-as-given", &at, false, Some(expected), Some(actual)),
    }
}

/// The row of a server as a list: one URL and an array of one are the same.
fn texts<'a>(server: &'a Value, row: &str) -> Vec<&'a str> {
    match server.get(row) {
        Some(Value::Array(items)) => items.iter().map(|item| item.as_str().unwrap_or("not a string")).collect(),
        Some(Value::String(text)) if text.is_empty() => Vec::new(),
        Some(Value::String(text)) => vec![text],
        Some(Value::Null) | None => Vec::new(),
        Some(_) => vec!["not a string"],
    }
}

/// The class that a member's name gives away within a WebRTC value.
pub(super) fn by_key(key: &str, value: &Value) -> Option<Sensitive> {
    if is_harmless(key, value) { None } else { super::mask::by_key(key) }
}
