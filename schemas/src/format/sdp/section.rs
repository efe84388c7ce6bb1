//! The session part of a description, or one m-section: its lines, and what they say.

use super::Line;

/// Lines that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Section<'a> {
    /// The lines, in order; in an m-section the m-line first.
    pub lines: Vec<Line<'a>>,
}

/// Which way media flow (RFC 8866 section 6.7), seen from who wrote the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// From the writer.
    SendOnly,
    /// To the writer.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    const ALL: [Self; 4] = [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive];

    /// The direction's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether the writer sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

/// A codec: `a=rtpmap:96 VP8/90000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec<'a> {
    /// The payload type.
    pub payload_type: u8,
    /// The encoding's name, `VP8`.
    pub name: &'a str,
    /// The clock rate, where it is a number.
    pub clock_rate: Option<u32>,
}

/// A certificate's fingerprint: `a=fingerprint:sha-256 AB:…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint<'a> {
    /// The hash function, `sha-256`.
    pub hash: &'a str,
    /// The bytes, in hexadecimal with colons.
    pub value: &'a str,
}

impl Fingerprint<'_> {
    /// Whether it is a SHA-256 of the form that RFC 8122 section 5 wants: 32 bytes in hexadecimal, parted by colons.
    /// Lower-case digits are taken: section 5 wants upper case, and every parser takes both.
    pub fn is_sha256(&self) -> bool {
        let bytes = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.hash.eq_ignore_ascii_case("sha-256")
            && self.value.split(':').count() == 32
            && self.value.split(':').all(bytes)
    }
}

impl<'a> Section<'a> {
    /// The first line of a type.
    pub fn line(&self, kind: char) -> Option<&Line<'a>> {
        self.lines.iter().find(|line| line.kind == Some(kind))
    }

    /// The values of an attribute, in order; empty for `a=name`.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(move |line| line.attribute() == Some(name)).map(Line::attribute_value)
    }

    /// The first value of an attribute.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    /// Whether it has the attribute.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The words of the m-line; empty for the session part.
    fn words(&self) -> Vec<&'a str> {
        self.line('m').map(|line| line.value.split_ascii_whitespace().collect()).unwrap_or_default()
    }

    /// The medium: `audio`, `video`, `application`.
    pub fn kind(&self) -> &'a str {
        self.words().first().copied().unwrap_or_default()
    }

    /// Whether it is of sound or pictures.
    pub fn is_media(&self) -> bool {
        matches!(self.kind(), "audio" | "video")
    }

    /// The port, where it is one; a number of ports behind `/` is left aside.
    pub fn port(&self) -> Option<u16> {
        let word = self.words().get(1).copied()?;
        word.split_once('/').map_or(word, |(port, _)| port).parse().ok()
    }

    /// Whether the m-line is rejected or disabled: port 0, and not merely bundled with another (RFC 3264 section 6, RFC
    /// 9143 section 6).
    pub fn is_rejected(&self) -> bool {
        self.port() == Some(0) && !self.has("bundle-only")
    }

    /// The transport protocol: `UDP/TLS/RTP/SAVPF`.
    pub fn proto(&self) -> &'a str {
        self.words().get(2).copied().unwrap_or_default()
    }

    /// The formats, in order of preference; for RTP the payload types.
    pub fn formats(&self) -> Vec<&'a str> {
        self.words().into_iter().skip(3).collect()
    }

    /// The payload types, in order of preference.
    pub fn payload_types(&self) -> Vec<u8> {
        self.formats().into_iter().filter_map(|format| format.parse().ok()).collect()
    }

    /// The codecs of the m-line's payload types that an rtpmap explains, in order of preference.
    pub fn codecs(&self) -> Vec<Codec<'a>> {
        let maps: Vec<Codec<'a>> = self.values("rtpmap").filter_map(codec).collect();
        let find = |payload_type| maps.iter().find(|codec| codec.payload_type == payload_type).copied();
        self.payload_types().into_iter().filter_map(find).collect()
    }

    /// Whether a codec of the name is among them; case does not matter (RFC 4855 section 3).
    pub fn has_codec(&self, name: &str) -> bool {
        self.codecs().iter().any(|codec| codec.name.eq_ignore_ascii_case(name))
    }

    /// The media stream identification tag (RFC 5888).
    pub fn mid(&self) -> Option<&'a str> {
        self.value("mid")
    }

    /// The direction that it says itself.
    pub fn own_direction(&self) -> Option<Direction> {
        Direction::ALL.into_iter().find(|direction| self.has(direction.as_str()))
    }

    /// Its own fingerprints.
    pub fn fingerprints(&self) -> Vec<Fingerprint<'a>> {
        let parts = self.values("fingerprint").filter_map(|value| value.split_once(' '));
        parts.map(|(hash, value)| Fingerprint { hash, value: value.trim() }).collect()
    }

    /// The texts of its candidates, `candidate:…`.
    pub fn candidates(&self) -> impl Iterator<Item = &'a str> {
        self.lines.iter().filter(|line| line.attribute() == Some("candidate")).map(|line| line.value)
    }
}

fn codec(rtpmap: &str) -> Option<Codec<'_>> {
    let (payload_type, encoding) = rtpmap.split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    Some(Codec {
        payload_type: payload_type.parse().ok()?,
        name: parts.next().filter(|name| !name.is_empty())?,
        clock_rate: parts.next().and_then(|rate| rate.parse().ok()),
    })
}
