//! `ft` for a page: the module that maps it onto a browser's own WebRTC.

/// `ft.js`, an ES module: `createFt({RTCPeerConnection, mediaDevices, MediaStream})`.
pub const FT_JS: &str = include_str!("../web/ft.js");
