//! Session descriptions as an ordinary stack writes them.

use fincert_schemas::run::flow::MediaKind;

/// What a description says, as far as tests change it.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    pub(crate) version: u32,
    pub(crate) session: &'static str,
    pub(crate) setup: &'static str,
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    pub(crate) candidates: Vec<String>,
    pub(crate) media: Vec<Media>,
}

#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) kind: MediaKind,
    pub(crate) direction: &'static str,
    pub(crate) msid: bool,
    pub(crate) codec: Option<&'static str>,
}

pub(crate) fn media(kind: MediaKind, direction: &'static str, msid: bool) -> Media {
    Media { kind, direction, msid, codec: None }
}

impl Described {
    pub(crate) fn new(session: &'static str, setup: &'static str, media: Vec<Media>) -> Self {
        let pwd = "0123456789012345678901abcd".to_owned();
        Self { version: 1, session, setup, ufrag: format!("u{}", &session[..4]), pwd, candidates: Vec::new(), media }
    }

    pub(crate) fn text(&self) -> String {
        let mids: Vec<String> = (0..self.media.len()).map(|index| index.to_string()).collect();
        let mut out = format!(
            "v=0\r\no=- {} {} IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE {}\r\na=msid-semantic: WMS\r\n",
            self.session,
            self.version,
            mids.join(" ")
        );
        for (index, media) in self.media.iter().enumerate() {
            let (kind, payload_type, codec) = match media.kind {
                MediaKind::Audio => ("audio", 111, "opus/48000/2"),
                MediaKind::Video => ("video", 96, "VP8/90000"),
            };
            let codec = media.codec.unwrap_or(codec);
            let bytes = vec!["AB"; 32].join(":");
            out += &format!("m={kind} 9 UDP/TLS/RTP/SAVPF {payload_type}\r\nc=IN IP4 0.0.0.0\r\n");
            for candidate in &self.candidates {
                out += &format!("a={candidate}\r\n");
            }
            out += &format!(
                "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=ice-options:trickle\r\na=fingerprint:sha-256 {bytes}\r\n\
                 a=setup:{}\r\na=mid:{index}\r\na={}\r\n",
                self.ufrag, self.pwd, self.setup, media.direction
            );
            if media.msid {
                out += &format!("a=msid:stream-1 track-{kind}\r\n");
            }
            out += &format!("a=rtcp-mux\r\na=rtpmap:{payload_type} {codec}\r\n");
        }
        out
    }
}
