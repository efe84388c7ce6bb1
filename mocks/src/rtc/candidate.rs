//! ICE candidates: as the engine has them, and as mini programs see them (rulings.md, 3.2).

use fincert_peer::Candidate;
use fincert_schemas::format::ice_candidate;
use fincert_schemas::format::sdp::Sdp;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;

/// A candidate of ours as the event `icecandidate` carries it: candidate, sdpMid, sdpMLineIndex, address and type.
/// Without one it is the end of gathering, which is an empty object, as real hosts have it.
pub(crate) fn outward(candidate: Option<&Candidate>) -> Value {
    let Some(candidate) = candidate else { return json!({}) };
    let mut object = Map::new();
    object.insert("candidate".to_owned(), candidate.candidate.clone().into());
    if let Some(mid) = &candidate.sdp_mid {
        object.insert("sdpMid".to_owned(), mid.clone().into());
    }
    if let Some(index) = candidate.sdp_m_line_index {
        object.insert("sdpMLineIndex".to_owned(), index.into());
    }
    if let Ok(parts) = ice_candidate::parse(&candidate.candidate) {
        object.insert("address".to_owned(), parts.address.into());
        object.insert("type".to_owned(), parts.kind.as_str().into());
    }
    object.into()
}

/// The argument of `addIceCandidate`; `Ok(None)` is the end of candidates: nothing, null, an object without
/// `candidate`, or an empty string (RFC 8838 section 14; real mini programs forward `{}`).
pub(crate) fn inward(argument: Option<&Value>) -> Result<Option<Candidate>, Refusal> {
    let object = match argument {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(Refusal::of_type("candidate: an object")),
    };
    let text = match object.get("candidate") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Refusal::of_type("candidate.candidate: a string")),
    };
    let mid = match object.get("sdpMid") {
        None | Some(Value::Null) => None,
        Some(Value::String(mid)) => Some(mid.clone()),
        Some(_) => return Err(Refusal::of_type("candidate.sdpMid: a string")),
    };
    let index = match object.get("sdpMLineIndex") {
        None | Some(Value::Null) => None,
        Some(index) => Some(
            index
                .as_u64()
                .and_then(|index| u16::try_from(index).ok())
                .ok_or_else(|| Refusal::of_type("candidate.sdpMLineIndex: an integer from 0 to 65535"))?,
        ),
    };
    if mid.is_none() && index.is_none() {
        return Err(Refusal::of_type("candidate: sdpMid or sdpMLineIndex"));
    }
    let parts = ice_candidate::parse(text.strip_prefix("a=").unwrap_or(text))
        .map_err(|fault| Refusal::of_operation(format!("candidate.candidate: {}", fault.message_en)))?;
    if parts.foundation_fault().is_some() || !(parts.is_udp() || parts.transport.eq_ignore_ascii_case("tcp")) {
        return Err(Refusal::of_operation("candidate.candidate: foundation and transport of RFC 8839 section 5.1"));
    }
    let username_fragment = object.get("usernameFragment").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Candidate { candidate: text.clone(), sdp_mid: mid, sdp_m_line_index: index, username_fragment }))
}

/// The m-line of the remote description that a candidate belongs to must be there; its mid decides before its index
/// (RFC 9429 section 4.1.19).
pub(crate) fn belongs(candidate: &Candidate, remote: &str) -> Result<(), Refusal> {
    let remote = Sdp::read(remote);
    let known = match (&candidate.sdp_mid, candidate.sdp_m_line_index) {
        (Some(mid), _) => remote.by_mid(mid).is_some(),
        (None, Some(index)) => usize::from(index) < remote.media.len(),
        (None, None) => false,
    };
    known.then_some(()).ok_or_else(|| Refusal::of_operation("candidate: the remote description has no such m-line"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "candidate:842163049 1 udp 2122260223 192.0.2.10 54321 typ host generation 0";

    #[test]
    fn our_own_has_its_five_keys() {
        let ours = Candidate {
            candidate: TEXT.to_owned(),
            sdp_mid: Some("0".to_owned()),
            sdp_m_line_index: Some(0),
            username_fragment: Some("abcd".to_owned()),
        };
        let outward = outward(Some(&ours));
        assert_eq!(
            outward,
            json!({"candidate": TEXT, "sdpMid": "0", "sdpMLineIndex": 0, "address": "192.0.2.10", "type": "host"})
        );
        let back = inward(Some(&outward)).unwrap().unwrap();
        assert_eq!((back.candidate, back.sdp_mid, back.sdp_m_line_index), (ours.candidate, ours.sdp_mid, Some(0)));
        assert_eq!(super::outward(None), json!({}));
    }

    #[test]
    fn the_end_has_four_forms() {
        for end in [json!(null), json!({}), json!({"candidate": ""}), json!({"candidate": null, "sdpMid": "0"})] {
            assert_eq!(inward(Some(&end)), Ok(None));
        }
        assert_eq!(inward(None), Ok(None));
    }

    #[test]
    fn malformed_ones_are_refused() {
        for wrong in [
            json!("x"),
            json!({"candidate": 7, "sdpMid": "0"}),
            json!({"candidate": TEXT}),
            json!({"candidate": TEXT, "sdpMid": 0}),
            json!({"candidate": TEXT, "sdpMLineIndex": -1}),
            json!({"candidate": "garbage", "sdpMid": "0"}),
            json!({"candidate": TEXT.replace("typ host", "typ ghost"), "sdpMid": "0"}),
            json!({"candidate": TEXT.replace("54321", "654321"), "sdpMid": "0"}),
            json!({"candidate": TEXT.replace("candidate:842163049", "candidate:"), "sdpMid": "0"}),
        ] {
            assert!(inward(Some(&wrong)).is_err(), "{wrong}");
        }
        let of = |mid: Option<&str>, index| Candidate {
            candidate: TEXT.to_owned(),
            sdp_mid: mid.map(str::to_owned),
            sdp_m_line_index: index,
            username_fragment: None,
        };
        let remote = crate::rtc::sdp::tests::OFFER;
        assert!(belongs(&of(Some("1"), Some(9)), remote).is_ok() && belongs(&of(None, Some(1)), remote).is_ok());
        assert!(belongs(&of(Some("7"), Some(0)), remote).is_err() && belongs(&of(None, Some(2)), remote).is_err());
    }
}
