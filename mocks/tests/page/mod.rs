//! A page of a mini program, as far as a test needs one: it asks over the bridge and keeps the events that come.

use std::time::{Duration, Instant};

use fincert_mocks::MockHost;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) struct Page {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    id: u64,
    /// The parameters of the events that came.
    pub(crate) events: Vec<Value>,
    /// Messages that were no answer to what was asked.
    pub(crate) strays: Vec<Value>,
}

impl Page {
    pub(crate) async fn open(host: &MockHost) -> Self {
        let (socket, _) = connect_async(host.bridge_url()).await.unwrap();
        Self { socket, id: 0, events: Vec::new(), strays: Vec::new() }
    }

    /// Asks, and does not wait.
    pub(crate) async fn send(&mut self, method: &str, params: Value) -> u64 {
        self.id += 1;
        let message = json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params}).to_string();
        self.socket.send(Message::text(message)).await.unwrap();
        self.id
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        loop {
            let message = self.socket.next().await.unwrap().unwrap();
            let message = serde_json::from_slice(&message.into_data()).unwrap();
            if let Some(answer) = self.sort(message, Some(id)) {
                return answer;
            }
        }
    }

    /// Hears what comes for some time.
    pub(crate) async fn idle(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(Some(Ok(message))) = tokio::time::timeout_at(until.into(), self.socket.next()).await {
            let message = serde_json::from_slice(&message.into_data()).unwrap();
            self.sort(message, None);
        }
    }

    fn sort(&mut self, mut message: Value, id: Option<u64>) -> Option<Value> {
        if message["method"] == "bridge.event" {
            self.events.push(message["params"].take());
        } else if id.is_some() && message["id"].as_u64() == id {
            return Some(message);
        } else {
            self.strays.push(message);
        }
        None
    }

    /// The events of an object and type that came, each once.
    pub(crate) fn take(&mut self, this: &str, kind: &str) -> Vec<Value> {
        let (mine, rest) = std::mem::take(&mut self.events)
            .into_iter()
            .partition(|event| event["self"] == this && event["type"] == kind);
        self.events = rest;
        mine.into_iter().map(|mut event: Value| event["event"].take()).collect()
    }

    async fn call(&mut self, method: &str, this: Option<&str>, args: Value) -> Value {
        let mut params = json!({"args": args});
        if let Some(this) = this {
            params["self"] = this.into();
        }
        self.ask(method, params).await
    }

    /// Calls; the promise must resolve.
    pub(crate) async fn resolved(&mut self, method: &str, this: Option<&str>, args: Value) -> Value {
        let mut answer = self.call(method, this, args).await;
        assert_eq!(answer["result"]["via"], "resolve", "{method}: {answer}");
        answer["result"]["value"].take()
    }

    /// Calls; the promise must be rejected. Gives the exception's name.
    pub(crate) async fn rejected(&mut self, method: &str, this: Option<&str>, args: Value) -> String {
        let answer = self.call(method, this, args).await;
        let data = &answer["error"]["data"];
        assert_eq!(data["via"], "reject", "{method}: {answer}");
        assert!(data["value"]["message"].is_string());
        data["value"]["name"].as_str().unwrap().to_owned()
    }

    /// Reads a property.
    pub(crate) async fn get(&mut self, this: &str, name: &str) -> Value {
        let mut answer = self.ask("bridge.get", json!({"self": this, "name": name})).await;
        answer["result"]["value"].take()
    }

    /// A connection, all of whose events are listened to.
    pub(crate) async fn connection(&mut self, options: Value) -> String {
        let pc = self.resolved("ft.webrtc.createRTCPeerConnection", None, json!([options])).await;
        let pc = pc["$handle"].as_str().unwrap().to_owned();
        for kind in ["icecandidate", "iceconnectionstatechange", "negotiationneeded", "signalingstatechange", "track"] {
            let answer = self.ask("bridge.listen", json!({"self": pc, "type": kind})).await;
            assert_eq!(answer["result"], json!({}));
        }
        pc
    }

    /// Camera and microphone, added to a connection. Gives the handles of the tracks.
    pub(crate) async fn media(&mut self, pc: &str, wish: Value) -> Vec<String> {
        let stream = self.resolved("ft.webrtc.mediaDevices.getUserMedia", None, json!([wish])).await;
        let stream = stream["$handle"].as_str().unwrap().to_owned();
        let tracks = self.resolved("MediaStream.getTracks", Some(&stream), json!([])).await;
        let mut handles = Vec::new();
        for track in tracks.as_array().unwrap() {
            let handle = track["$handle"].as_str().unwrap();
            self.resolved("RTCPeerConnection.addTrack", Some(pc), json!([{"$handle": handle}])).await;
            handles.push(handle.to_owned());
        }
        handles
    }
}
