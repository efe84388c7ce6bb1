//! The bridge, over a real socket.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fincert_mocks::{Config, MockHost, defects};
use fincert_schemas::bridge::{Hello, Integration};
use fincert_schemas::fixture;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

struct Bridge {
    host: MockHost,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Bridge {
    async fn open(config: Config) -> Self {
        let host = MockHost::start(config).await.unwrap();
        let (socket, _) = connect_async(host.bridge_url()).await.unwrap();
        Self { host, socket }
    }

    async fn with(defect: &str) -> Self {
        let defect = defects::find(defect).unwrap();
        Self::open(Config { defect: Some(defect), integration: defect.state(), ..Config::default() }).await
    }

    async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    async fn ask(&mut self, id: u64, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()).await;
    }

    async fn call(&mut self, id: u64, api: &str, request: Value) {
        self.ask(id, &format!("ft.{api}"), json!({"args": [request]})).await;
    }

    async fn frame(&mut self) -> Vec<u8> {
        self.socket.next().await.unwrap().unwrap().into_data().to_vec()
    }

    async fn next(&mut self) -> Value {
        serde_json::from_slice(&self.frame().await).unwrap()
    }
}

#[tokio::test]
async fn a_dialogue() {
    let mut bridge = Bridge::open(Config::default()).await;
    bridge.ask(0, "bridge.hello", json!({"protocol": 1, "client": {"name": "fincert", "version": "0"}})).await;
    let hello: Hello = serde_json::from_value(bridge.next().await["result"].clone()).unwrap();
    assert_eq!((hello.name.as_str(), hello.platform.as_str(), hello.protocol), ("fincert-mock", "android", 1));
    assert!(hello.human && hello.simulated && hello.capabilities.len() == 9 && hello.parallel == 8);

    let picture = STANDARD.encode(fixture::get("bank-card-credit").unwrap().bytes);
    let file = json!({"name": "卡 1.png", "mediaType": "image/png", "base64": picture});
    bridge.ask(1, "bridge.putFile", file).await;
    let path = bridge.next().await["result"]["path"].clone();
    assert_eq!(path, "finfile://tmp/1/%E5%8D%A1%201.png");
    bridge.ask(2, "bridge.putFile", json!({"name": "large.jpg", "mediaType": "image/jpeg", "fill": 104_857_600})).await;
    let large = bridge.next().await["result"]["path"].clone();

    bridge.call(3, "finCardOcr", json!({"type": "BankCard", "imagePath": path})).await;
    let answer = bridge.next().await;
    assert_eq!((&answer["id"], &answer["result"]["via"]), (&json!(3), &json!("success")));
    assert_eq!(answer["result"]["value"]["recogResult"]["cardType"], "贷记卡");
    let complete = bridge.next().await;
    let value = answer["result"]["value"].clone();
    let expected = json!({"id": 3, "kind": "complete", "seq": 1, "value": value});
    assert_eq!((&complete["method"], &complete["params"]), (&json!("bridge.callback"), &expected));

    for (id, path) in [(4, large), (5, json!("finfile://tmp/9/x.png"))] {
        bridge.call(id, "finCardOcr", json!({"type": "BankCard", "imagePath": path})).await;
        let answer = bridge.next().await;
        assert_eq!((&answer["error"]["code"], &answer["error"]["data"]["via"]), (&json!(-32000), &json!("fail")));
        assert_eq!(bridge.next().await["params"]["kind"], "complete");
    }

    bridge.ask(6, "ft.finLivenessCheck", json!({"args": [{}], "prefer": {"example": "nothing"}})).await;
    let names = bridge.next().await["error"]["data"]["value"]["errMsg"].as_str().unwrap().to_owned();
    assert!(names.contains("liveness-success, ") || names.contains(", liveness-success"), "{names}");
    bridge.next().await;

    bridge.ask(7, "bridge.reset", json!({})).await;
    assert_eq!(bridge.next().await, json!({"jsonrpc": "2.0", "id": 7, "result": {}}));
    bridge.call(8, "finCardOcr", json!({"type": "BankCard", "imagePath": path})).await;
    assert_eq!(bridge.next().await["error"]["data"]["via"], "fail");
    bridge.next().await;

    for (id, method, code) in [
        (9, "bridge.getFile", -32601),
        (10, "bridge.get", -32602),
        (11, "ft.quux", -32601),
        (12, "bridge.listen", -32602),
        (13, "ft.webrtc.quux", -32601),
        (14, "RTCPeerConnection.quux", -32601),
        (15, "RTCPeerConnection.createOffer", -32602),
    ] {
        bridge.ask(id, method, json!({})).await;
        let answer = bridge.next().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(id), &json!(code)), "{method}");
    }
    bridge.socket.close(None).await.unwrap();
    while bridge.socket.next().await.is_some_and(|frame| frame.is_ok()) {}
    bridge.host.shutdown().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_id() {
    let mut bridge = Bridge::open(Config::default()).await;
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for (text, code) in [
        ("", -32700),
        ("{", -32700),
        (deep.as_str(), -32700),
        ("[]", -32600),
        ("null", -32600),
        (r#"{"id":1,"method":"bridge.ping"}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600),
        (r#"{"jsonrpc":"2.0","id":{},"method":"bridge.ping"}"#, -32600),
    ] {
        bridge.send(text).await;
        let answer = bridge.next().await;
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(code)), "{text}");
    }
    bridge.socket.send(Message::binary(b"{\"jsonrpc\":\"\xff\"}".to_vec())).await.unwrap();
    assert_eq!(bridge.next().await["error"]["code"], -32700);
    bridge.send(r#"{"jsonrpc":"2.0","method":"bridge.ping"}"#).await;
    bridge.ask(1, "ft.finCardOcr", json!({})).await;
    assert_eq!(bridge.next().await["error"]["code"], -32602, "a notification is not answered, the next call is");
    for wrong in [
        json!({"name": "../x", "mediaType": "image/png", "base64": ""}),
        json!({"name": "x", "mediaType": "image/png", "base64": "%"}),
        json!({"name": "x", "mediaType": "image/png", "url": "https://example.com/x.png"}),
        json!({"name": "x", "mediaType": "image/png", "fill": 1, "base64": ""}),
        json!({"name": "x", "mediaType": "image/png"}),
        json!([]),
    ] {
        bridge.ask(2, "bridge.putFile", wrong).await;
        assert_eq!(bridge.next().await["error"]["code"], -32602);
    }
    bridge.host.shutdown().await;
}

#[tokio::test]
async fn every_connection_is_its_own_session() {
    let mut bridge = Bridge::open(Config::default()).await;
    bridge.ask(1, "bridge.putFile", json!({"name": "x", "mediaType": "image/png", "fill": 1})).await;
    let path = bridge.next().await["result"]["path"].clone();
    let (socket, _) = connect_async(bridge.host.bridge_url()).await.unwrap();
    bridge.socket = socket;
    bridge.call(2, "finCardOcr", json!({"type": "IDCard", "imagePath": path})).await;
    let message = bridge.next().await["error"]["data"]["value"]["errMsg"].as_str().unwrap().to_owned();
    assert!(message.ends_with("no such file"), "{message}");
    bridge.host.shutdown().await;
}

#[tokio::test]
async fn absent_means_silent_and_alive() {
    let mut bridge = Bridge::open(Config { integration: Integration::Absent, ..Config::default() }).await;
    bridge.call(1, "finLivenessCheck", json!({})).await;
    bridge.ask(2, "bridge.ping", json!({})).await;
    assert_eq!(bridge.next().await["id"], 2);
    bridge.host.shutdown().await;
}

#[tokio::test]
async fn a_hung_session_wakes_up_at_a_reset() {
    let mut bridge = Bridge::with("absent-hangs").await;
    bridge.call(1, "finLivenessCheck", json!({})).await;
    bridge.ask(2, "bridge.ping", json!({})).await;
    bridge.ask(3, "bridge.reset", json!({})).await;
    bridge.ask(4, "bridge.ping", json!({})).await;
    assert_eq!(bridge.next().await["id"], 3);
    assert_eq!(bridge.next().await["id"], 4);
    bridge.host.shutdown().await;
}

#[tokio::test]
async fn later_answers_overtake_a_late_callback() {
    let mut bridge = Bridge::with("late-second-callback").await;
    bridge.call(1, "finLivenessCheck", json!({})).await;
    assert_eq!(bridge.next().await["id"], 1);
    assert_eq!(bridge.next().await["params"]["kind"], "complete");
    bridge.ask(2, "bridge.ping", json!({})).await;
    assert_eq!(bridge.next().await["id"], 2);
    let late = bridge.next().await;
    assert_eq!((&late["params"]["kind"], &late["params"]["seq"]), (&json!("success"), &json!(2)));
    bridge.host.shutdown().await;
}

#[tokio::test]
async fn raw_frames_arrive_as_they_are() {
    let mut bridge = Bridge::with("invalid-utf8").await;
    bridge.call(1, "finLivenessCheck", json!({})).await;
    let frame = bridge.frame().await;
    assert!(std::str::from_utf8(&frame).is_err());
    assert!(frame.windows(2).any(|pair| pair == b"\xff\xfe"));
    bridge.host.shutdown().await;
    let mut bridge = Bridge::with("stray-line").await;
    bridge.call(1, "finLivenessCheck", json!({})).await;
    assert!(bridge.frame().await.starts_with(b"D/FinMock"));
    assert_eq!(bridge.next().await["id"], 1);
    bridge.host.shutdown().await;
}
