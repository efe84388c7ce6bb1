//! libwebrtc in Node: the Node target, driven over its bridge.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};

use fincert_peer::{Candidate, Description, SdpKind};
use fincert_schemas::run::flow::MediaKind;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use crate::ends::PATIENCE;

type Waiting = Arc<StdMutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// One connection of libwebrtc's.
pub(crate) struct Node {
    _process: Child,
    input: Mutex<ChildStdin>,
    next: AtomicU64,
    waiting: Waiting,
    candidates: mpsc::UnboundedReceiver<Candidate>,
    connection: String,
}

impl Node {
    pub(crate) async fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/agent/node/node.mjs");
        let command = || Command::new("node");
        let mut process =
            command().arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let input = Mutex::new(process.stdin.take().unwrap());
        let waiting = Waiting::default();
        let (told, candidates) = mpsc::unbounded_channel();
        tokio::spawn(read(process.stdout.take().unwrap(), Arc::clone(&waiting), told));
        let mut node =
            Self { _process: process, input, next: AtomicU64::new(1), waiting, candidates, connection: String::new() };
        let made = node.ask("ft.webrtc.createRTCPeerConnection", json!({"args": [{}]})).await;
        node.connection = made["value"]["$handle"].as_str().unwrap().to_owned();
        node.ask("bridge.listen", json!({"self": node.connection, "type": "icecandidate"})).await;
        node
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, reply);
        let line = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string() + "\n";
        self.input.lock().await.write_all(line.as_bytes()).await.unwrap();
        let answer = timeout(PATIENCE, answer).await.unwrap();
        let mut answer = answer.expect("Node ends; run: npm ci --prefix harness/agent/node");
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].take()
    }

    pub(crate) async fn call(&self, method: &str, args: Value) -> Value {
        let params = json!({"self": self.connection, "args": args});
        self.ask(&format!("RTCPeerConnection.{method}"), params).await["value"].take()
    }

    /// Adds tracks of its generated camera and microphone.
    pub(crate) async fn tracks(&self, kinds: &[MediaKind]) {
        let wants = |kind| kinds.contains(&kind);
        let constraints = json!({"audio": wants(MediaKind::Audio), "video": wants(MediaKind::Video)});
        let stream = self.ask("ft.webrtc.mediaDevices.getUserMedia", json!({"args": [constraints]})).await;
        let stream = json!({"$handle": stream["value"]["$handle"]});
        let tracks = self.ask("MediaStream.getTracks", json!({"self": stream["$handle"], "args": []})).await;
        for track in tracks["value"].as_array().unwrap() {
            self.call("addTrack", json!([{"$handle": track["$handle"]}, stream])).await;
        }
    }

    pub(crate) async fn make(&self, method: &str, args: Value) -> Description {
        let made = self.call(method, args).await;
        let kind = if made["type"] == "offer" { SdpKind::Offer } else { SdpKind::Answer };
        Description { kind, sdp: made["sdp"].as_str().unwrap().to_owned() }
    }

    pub(crate) async fn set(&self, method: &str, description: &Description) {
        self.call(method, json!([{"type": description.kind.as_str(), "sdp": description.sdp}])).await;
    }

    pub(crate) async fn add_candidate(&self, candidate: &Candidate) {
        let told = json!({
            "candidate": candidate.candidate,
            "sdpMid": candidate.sdp_mid,
            "sdpMLineIndex": candidate.sdp_m_line_index,
        });
        self.call("addIceCandidate", json!([told])).await;
    }

    pub(crate) async fn candidate(&mut self) -> Candidate {
        self.candidates.recv().await.unwrap()
    }
}

/// Sorts what Node writes: answers to who waits for them, candidates to who listens.
async fn read(output: ChildStdout, waiting: Waiting, candidates: mpsc::UnboundedSender<Candidate>) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let message: Value = serde_json::from_str(&line).unwrap();
        if let Some(id) = message["id"].as_u64() {
            if let Some(reply) = waiting.lock().unwrap().remove(&id) {
                let _ = reply.send(message);
            }
        } else if let Some(candidate) = candidate(&message["params"]["event"]["candidate"]) {
            let _ = candidates.send(candidate);
        }
    }
    // Whoever waits still is told.
    waiting.lock().unwrap().clear();
}

fn candidate(value: &Value) -> Option<Candidate> {
    Some(Candidate {
        candidate: value["candidate"].as_str().filter(|it| !it.is_empty())?.to_owned(),
        sdp_mid: value["sdpMid"].as_str().map(str::to_owned),
        sdp_m_line_index: value["sdpMLineIndex"].as_u64().and_then(|it| it.try_into().ok()),
        username_fragment: None,
    })
}
