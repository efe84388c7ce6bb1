//! The crate's settings. Notes 4: it waits a second before it nominates a peer-reflexive pair and checks every 200 ms;
//! here it waits for nothing and checks every 5 ms, so that two ends on one machine are up in 14 ms. Notes 5: looking
//! for mDNS names fails where there is nothing but loopback, and names are not resolved anyhow.

use std::time::Duration;

use rtc::ice::mdns::MulticastDnsMode;
use rtc::interceptor::{
    NackGeneratorBuilder, NackResponderBuilder, ReceiverReportBuilder, Registry, SenderReportBuilder, Slot,
};
use rtc::peer_connection::configuration::media_engine::MediaEngine;
use rtc::peer_connection::configuration::setting_engine::{SettingEngine, SettingEngineBuilder};
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability, RtpCodecKind,
};
use rtc::shared::error::Result;

use crate::connection::{Faults, Timing};

/// How often pairs are checked.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);
/// So many checks in vain, and a pair has failed: 30 s. Checks begin with the remote description, and a slow end may take
/// long to hear of ours.
const MAX_CHECKS: u16 = 6000;
/// The MID of RFC 9143 section 15, by which media without announced SSRC is told apart.
const MID: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";

pub(super) fn engine(timing: &Timing, faults: Faults) -> SettingEngine {
    let now = Some(Duration::ZERO);
    SettingEngineBuilder::new()
        .with_disable_certificate_fingerprint_verification(faults.trusting)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_host_acceptance_min_wait(now)
        .with_srflx_acceptance_min_wait(now)
        .with_prflx_acceptance_min_wait(now)
        .with_relay_acceptance_min_wait(now)
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(MAX_CHECKS))
        .with_ice_timeouts(Some(timing.disconnected), Some(timing.failed), Some(timing.keepalive))
        .build()
}

/// VP8 and Opus, which are sent, and H.264, which is received: an end has one of the two (RFC 7742 section 5).
pub(super) fn media() -> Result<MediaEngine> {
    let mut media = MediaEngine::default();
    media.register_codec(RTCRtpCodecParameters { rtp_codec: opus(), payload_type: 111 }, RtpCodecKind::Audio)?;
    media.register_codec(RTCRtpCodecParameters { rtp_codec: vp8(), payload_type: 96 }, RtpCodecKind::Video)?;
    for (mode, payload_type) in [(1, 102), (0, 104)] {
        let rtp_codec = RTCRtpCodec {
            sdp_fmtp_line: format!("level-asymmetry-allowed=1;packetization-mode={mode};profile-level-id=42e01f"),
            ..video("video/H264")
        };
        media.register_codec(RTCRtpCodecParameters { rtp_codec, payload_type }, RtpCodecKind::Video)?;
    }
    for kind in [RtpCodecKind::Audio, RtpCodecKind::Video] {
        media.register_header_extension(RTCRtpHeaderExtensionCapability { uri: MID.to_owned() }, kind, None)?;
    }
    Ok(media)
}

pub(super) fn opus() -> RTCRtpCodec {
    RTCRtpCodec {
        mime_type: "audio/opus".to_owned(),
        clock_rate: 48_000,
        channels: 2,
        sdp_fmtp_line: "minptime=10;useinbandfec=1".to_owned(),
        rtcp_feedback: Vec::new(),
    }
}

pub(super) fn vp8() -> RTCRtpCodec {
    video("video/VP8")
}

fn video(mime_type: &str) -> RTCRtpCodec {
    let feedback = [("nack", ""), ("nack", "pli"), ("ccm", "fir")];
    RTCRtpCodec {
        mime_type: mime_type.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: String::new(),
        rtcp_feedback: feedback
            .map(|(typ, parameter)| RTCPFeedback { typ: typ.into(), parameter: parameter.into() })
            .into(),
    }
}

/// Repeats on NACK, and reports every second.
pub(super) fn interceptors() -> Registry {
    Registry::new()
        .with(Slot::NackResponder, NackResponderBuilder::new().build())
        .with(Slot::NackGenerator, NackGeneratorBuilder::new().build())
        .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build())
        .with(Slot::SenderReport, SenderReportBuilder::new().build())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::SocketAddr;
    use std::time::Instant;

    use rtc::peer_connection::event::RTCPeerConnectionEvent;
    use rtc::peer_connection::state::RTCIceConnectionState;
    use rtc::peer_connection::transport::RTCIceCandidateInit;
    use rtc::peer_connection::{RTCPeerConnection, RTCPeerConnectionBuilder};
    use rtc::sansio::Protocol;

    use super::*;

    #[test]
    fn no_name_is_looked_up() {
        assert_eq!(engine(&Timing::default(), Faults::default()).multicast_dns().mode, MulticastDnsMode::Disabled);
    }

    /// An end with one address, and its candidate.
    fn end(now: Instant, port: u16) -> (RTCPeerConnection, RTCIceCandidateInit) {
        let builder =
            RTCPeerConnectionBuilder::new().with_setting_engine(engine(&Timing::default(), Faults::default()));
        let end = builder.with_media_engine(media().unwrap()).build(now).unwrap();
        let candidate = format!("candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host");
        (end, RTCIceCandidateInit { candidate, ..RTCIceCandidateInit::default() })
    }

    /// The time of the ends is made here. One of them learns the other's address by its checks alone.
    #[test]
    fn a_peer_reflexive_pair_is_up_within_a_few_checks() {
        let mut now = Instant::now();
        let began = now;
        let ((mut a, candidate_of_a), (mut b, candidate_of_b)) = (end(now, 1), end(now, 2));
        a.add_transceiver_from_kind(RtpCodecKind::Audio, None).unwrap();
        let offer = a.create_offer(None).unwrap();
        a.set_local_description(now, offer.clone()).unwrap();
        b.set_remote_description(now, offer).unwrap();
        let answer = b.create_answer(None).unwrap();
        b.set_local_description(now, answer.clone()).unwrap();
        a.set_remote_description(now, answer).unwrap();
        a.add_local_candidate(candidate_of_a.clone()).unwrap();
        b.add_local_candidate(candidate_of_b).unwrap();
        b.add_remote_candidate(candidate_of_a).unwrap();
        let mut up = [false, false];
        while up != [true, true] {
            assert!(now.duration_since(began) < Duration::from_millis(100), "{up:?}");
            now += Duration::from_millis(1);
            for (which, port) in [(0, 1), (1, 2)] {
                let (end, other) = if which == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
                end.handle_timeout(now).unwrap();
                while let Some(mut packet) = end.poll_write() {
                    packet.now = now;
                    packet.transport.peer_addr = SocketAddr::from(([127, 0, 0, 1], port));
                    packet.transport.local_addr = SocketAddr::from(([127, 0, 0, 1], 3 - port));
                    let _ = other.handle_read(packet);
                }
                while let Some(event) = end.poll_event() {
                    if let RTCPeerConnectionEvent::OnIceConnectionStateChangeEvent(state) = event {
                        up[which] |= state == RTCIceConnectionState::Connected;
                    }
                }
            }
        }
    }
}
