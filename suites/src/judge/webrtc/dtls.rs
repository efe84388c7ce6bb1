//! DTLS: a certificate that is not the one of the fingerprint, and roles that stay.

use fincert_schemas::Bilingual;
use fincert_schemas::run::flow::End;

use super::line::{Came, Exchange, Line};
use super::view::{Described, Rtc};
use crate::judge::{Broken, Check, Sink, View};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "webrtc-wrong-fingerprint",
        about: "No media flows where fincert's certificate is not the one that its SDP names.",
        requirements: &["webrtc.security.wrong-fingerprint"],
        run: wrong_fingerprint,
    },
    Check {
        id: "webrtc-dtls-roles",
        about: "The DTLS roles stay where the other end offers next.",
        requirements: &["webrtc.dtls.roles-kept"],
        run: roles_kept,
    },
];

fn wrong_fingerprint(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.security.wrong-fingerprint";
    let Some(rtc) = view.rtc.as_ref().filter(|rtc| rtc.with.wrong_fingerprint) else { return };
    for line in Line::all(rtc) {
        let Some(first) = line.exchanges.first().filter(|exchange| exchange.is_whole()) else { continue };
        let Some(counted) = line.peer.counted.last() else { continue };
        let media = counted.what.received.iter().find(|stream| stream.packets > 0);
        let reports: u32 = counted.what.sent.iter().map(|sent| sent.reports).sum();
        let says_connected = ["conectionState", "connectionState"]
            .into_iter()
            .find(|name| line.pc.reads(name).any(|read| read.at > first.at && read.text() == Some("connected")));
        let actual = match (media, reports, says_connected) {
            (Some(stream), _, _) => format!("{} packets of RTP came to fincert", stream.packets),
            (None, 1.., _) => {
                "the target reports on RTP that it could only read with the wrong certificate's keys".to_owned()
            }
            (None, 0, Some(name)) => format!("the target says {name} connected"),
            (None, 0, None) => {
                // Only where ICE was up was there a certificate to compare.
                if line.peer.ice.iter().any(|state| matches!(state.what, "connected" | "completed")) {
                    sink.holds(REQUIREMENT);
                }
                continue;
            }
        };
        let broken = Broken {
            cause: "webrtc:fingerprint-not-compared".to_owned(),
            expected: Some(Bilingual::new("没有媒体，也没有连接", "no media and no connection")),
            actual,
            hint: Some(Bilingual::new(
                "DTLS 握手后须核对对端证书与 a=fingerprint（RFC 8122 第 5 节）。",
                "The certificate of the DTLS handshake must be compared with a=fingerprint (RFC 8122 section 5).",
            )),
            ..Broken::default()
        };
        sink.breaks(REQUIREMENT, rtc.step_at(counted.at), broken);
    }
}

/// The target's role in DTLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Client,
    Server,
}

impl Role {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    fn setup(self) -> &'static str {
        match self {
            Self::Client => "active",
            Self::Server => "passive",
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// The role that a description takes by a=setup: active is the client (RFC 8842 section 5.3).
fn role_in<'a>(rtc: &Rtc<'a>, described: &Described<'a>) -> Option<Role> {
    let sdp = rtc.sdp(described.sdp);
    let setup = sdp.media.iter().filter(|section| !section.is_rejected()).find_map(|s| sdp.inherited(s, "setup"))?;
    match setup {
        "active" => Some(Role::Client),
        "passive" => Some(Role::Server),
        _ => None,
    }
}

/// The target's role by the answer of an exchange.
fn role_of<'a>(rtc: &Rtc<'a>, exchange: &Exchange<'_, 'a>) -> Option<Role> {
    match exchange.offerer {
        End::Target => role_in(rtc, exchange.of_fincert?).map(Role::other),
        End::Fincert => role_in(rtc, exchange.of_target?),
    }
}

fn roles_kept(view: &View<'_>, sink: &mut Sink<'_>) {
    const REQUIREMENT: &str = "webrtc.dtls.roles-kept";
    let Some(rtc) = &view.rtc else { return };
    for line in Line::all(rtc).iter().filter(|line| line.is_up()) {
        let Some((first, later)) = line.exchanges.split_first() else { continue };
        let Some(role) = role_of(rtc, first) else { continue };
        for exchange in later.iter().filter(|exchange| exchange.offerer != first.offerer) {
            let Some(described) = exchange.of_target else { continue };
            // An offer may leave the choice open (RFC 8842 section 5.5).
            if let Some(now) = role_in(rtc, described).filter(|now| *now != role) {
                sink.breaks(REQUIREMENT, exchange.step(), changed(described, role, now));
                continue;
            }
            let next = line.exchanges.iter().map(|other| other.at).find(|at| *at > exchange.at).unwrap_or(rtc.end);
            let keeps = role_of(rtc, exchange).is_none_or(|now| now == role);
            if matches!(line.came_of(exchange, exchange.at..next), Came::Up) && keeps && association_stays(line, next) {
                sink.holds(REQUIREMENT);
            }
        }
    }
}

/// Whether fincert's end has the role that it had before, as far as it tells.
fn association_stays(line: &Line<'_, '_>, before: usize) -> bool {
    let mut roles = line
        .peer
        .counted
        .iter()
        .filter(|counted| counted.at < before)
        .filter_map(|counted| counted.what.dtls.as_ref())
        .map(|dtls| dtls.role.as_str());
    let first = roles.next();
    roles.all(|role| Some(role) == first)
}

fn changed(described: &Described<'_>, before: Role, now: Role) -> Broken {
    Broken {
        cause: "webrtc:dtls-role-changed".to_owned(),
        expected: Some(Bilingual::new(
            format!("a=setup:{}，与首次协商一致", before.setup()),
            format!("a=setup:{}, as in the first exchange", before.setup()),
        )),
        actual: format!(
            "the target is the DTLS {}, and its {} says a=setup:{}, which makes it the {}",
            before.as_str(),
            described.kind,
            now.setup(),
            now.as_str()
        ),
        ..Broken::default()
    }
}
