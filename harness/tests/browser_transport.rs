//! `--target browser`: a real browser is started, dials in, is driven, dies, is started again, and leaves nothing.
#![allow(missing_docs, clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fincert::browser::Browser;
use fincert::transport::{Incoming, Wire};
use fincert_schemas::run::Reason;
use serde_json::{Value, json};

/// How long anything here may take; a bound on hanging, and no expectation.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bridge spoken by hand.
struct Speaker {
    wire: Wire,
    id: u64,
    events: Vec<Value>,
}

impl Speaker {
    fn new(wire: Wire) -> Self {
        Self { wire, id: 0, events: Vec::new() }
    }

    /// The next frame; `Err` with the reason when the connection has ended.
    async fn hear(&mut self) -> Result<Value, String> {
        let incoming = tokio::time::timeout(PATIENCE, self.wire.incoming.recv()).await.expect("something comes");
        match incoming.unwrap().1 {
            Incoming::Frame(frame) => Ok(serde_json::from_slice(&frame).unwrap()),
            Incoming::Gone(why) => Err(why),
            other => panic!("{other:?}"),
        }
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.id, "method": method, "params": params});
        self.wire.outgoing.send(request.to_string().into_bytes()).await.unwrap();
        loop {
            let message = self.hear().await.unwrap();
            if message["id"] == self.id {
                return message;
            }
            self.events.push(message["params"].clone());
        }
    }

    /// Calls the API, which shall succeed; the value.
    async fn call(&mut self, method: &str, this: Option<&Value>, args: Value) -> Value {
        let mut params = json!({"args": args});
        if let Some(handle) = this {
            params["self"] = handle["$handle"].clone();
        }
        let answer = self.ask(method, params).await;
        assert!(answer.get("result").is_some(), "{method}: {answer}");
        answer["result"]["value"].clone()
    }

    async fn get(&mut self, this: &Value, name: &str) -> Value {
        let answer = self.ask("bridge.get", json!({"self": this["$handle"], "name": name})).await;
        answer["result"]["value"].clone()
    }

    /// Hands over the candidates that have come so far, each to the other end.
    async fn trickle(&mut self, ends: [&Value; 2]) {
        for event in std::mem::take(&mut self.events) {
            let other = ends.into_iter().find(|end| end["$handle"] != event["self"]).unwrap();
            self.call("RTCPeerConnection.addIceCandidate", Some(other), json!([event["event"]["candidate"]])).await;
        }
    }
}

async fn wire(browser: &mut Browser) -> Speaker {
    Speaker::new(browser.wire().await.unwrap())
}

/// The processes with this text in their command line. Ended ones that nobody has waited for have none.
fn processes(text: &str) -> Vec<String> {
    let commands = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let command = std::fs::read(entry.ok()?.path().join("cmdline")).ok()?;
        Some(String::from_utf8_lossy(&command).replace('\0', " "))
    });
    commands.filter(|command| command.contains(text)).collect()
}

/// The folder of a browser's profile, by its command line.
fn profile(pid: u32) -> PathBuf {
    let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
    let arguments = String::from_utf8(command).unwrap();
    let flag = arguments.split('\0').find_map(|argument| argument.strip_prefix("--user-data-dir=")).unwrap();
    Path::new(flag).parent().unwrap().to_owned()
}

/// A program that is no browser.
fn script(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("script");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_dials_in_and_connects_to_itself() {
    let mut browser = Browser::new(None, 2).unwrap();
    assert_eq!(browser.pid(), None);
    let mut lane = wire(&mut browser).await;
    let pid = browser.pid().unwrap();
    let hello = lane.ask("bridge.hello", json!({})).await["result"].clone();
    assert_eq!((&hello["platform"], &hello["parallel"]), (&json!("web"), &json!(2)), "{hello}");
    assert!(hello["name"].as_str().unwrap().ends_with("(fincert browser shim)"), "{hello}");
    assert!(hello["version"].as_str().unwrap().split('.').count() == 4, "{hello}");

    // A second lane, of the same browser.
    let mut second = wire(&mut browser).await;
    assert_eq!(browser.pid(), Some(pid));
    assert_eq!(second.ask("bridge.ping", json!({})).await["result"], json!({}));

    let devices = lane.call("ft.webrtc.mediaDevices.enumerateDevices", None, json!([])).await;
    let kinds: Vec<_> = devices.as_array().unwrap().iter().map(|device| device["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"videoinput") && kinds.contains(&"audioinput"), "{devices}");
    let constraints = lane.call("ft.webrtc.mediaDevices.getSupportedConstraints", None, json!([])).await;
    assert_eq!(constraints["width"], true);
    let wanted = json!([{"audio": true, "video": true}]);
    let stream = lane.call("ft.webrtc.mediaDevices.getUserMedia", None, wanted).await;
    let tracks = lane.call("MediaStream.getTracks", Some(&stream), json!([])).await;
    assert_eq!(tracks.as_array().unwrap().len(), 2);

    let a = lane.call("ft.webrtc.createRTCPeerConnection", None, json!([{}])).await;
    let b = lane.call("ft.webrtc.createRTCPeerConnection", None, json!([])).await;
    assert_eq!((&a["$handle"], &b["$handle"]), (&json!("pc-1"), &json!("pc-2")));
    for end in [&a, &b] {
        let answer = lane.ask("bridge.listen", json!({"self": end["$handle"], "type": "icecandidate"})).await;
        assert_eq!(answer["result"], json!({}));
    }
    for track in tracks.as_array().unwrap() {
        lane.call("RTCPeerConnection.addTrack", Some(&a), json!([{"$handle": track["$handle"]}])).await;
    }
    let offer = lane.call("RTCPeerConnection.createOffer", Some(&a), json!([{"offerToReceiveAudio": true}])).await;
    assert!(offer["sdp"].as_str().unwrap().contains("m=video"), "{offer}");
    lane.call("RTCPeerConnection.setLocalDescription", Some(&a), json!([offer])).await;
    assert_eq!(lane.get(&a, "signalingState").await, "have-local-offer");
    lane.call("RTCPeerConnection.setRemoteDescription", Some(&b), json!([offer])).await;
    let answer = lane.call("RTCPeerConnection.createAnswer", Some(&b), json!([])).await;
    lane.call("RTCPeerConnection.setLocalDescription", Some(&b), json!([answer])).await;
    lane.call("RTCPeerConnection.setRemoteDescription", Some(&a), json!([answer])).await;
    let began = Instant::now();
    loop {
        lane.trickle([&a, &b]).await;
        let states = [lane.get(&a, "conectionState").await, lane.get(&b, "conectionState").await];
        if states == ["connected", "connected"] {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{states:?}");
    }

    // What was closed dials in again, and the other lane goes on.
    drop(lane);
    let mut lane = wire(&mut browser).await;
    assert_eq!(lane.ask("bridge.get", json!({"self": "pc-1", "name": "x"})).await["error"]["code"], -32602);
    assert_eq!(second.ask("bridge.ping", json!({})).await["result"], json!({}));
    assert_eq!(browser.pid(), Some(pid));

    let folder = profile(pid);
    assert!(folder.is_dir());
    drop(browser);
    assert!(!folder.exists());
    // They were killed; that they are gone shows a moment later.
    let began = Instant::now();
    while let left @ [_, ..] = &processes(folder.to_str().unwrap())[..] {
        assert!(began.elapsed() < PATIENCE, "{left:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_that_was_killed_says_so_and_is_started_again() {
    let mut browser = Browser::new(None, 2).unwrap();
    let mut lane = wire(&mut browser).await;
    let pid = browser.pid().unwrap();
    let folder = profile(pid);
    let raw = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(raw, rustix::process::Signal::KILL).unwrap();
    let why = lane.hear().await.unwrap_err();
    assert!(why.starts_with("the browser ended (signal: 9"), "{why}");
    let mut lane = wire(&mut browser).await;
    assert_ne!(browser.pid(), Some(pid));
    assert!(!folder.exists());
    assert_eq!(lane.ask("bridge.ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn a_program_that_is_no_browser_is_refused_with_its_last_words() {
    let folder = tempfile::tempdir().unwrap();
    let refused = async |program: &Path| {
        let mut browser = Browser::new(Some(program), 1).unwrap();
        let error = browser.wire().await.unwrap_err();
        assert_eq!(browser.pid(), None);
        error
    };
    let error = refused(&script(folder.path(), "echo first >&2; echo 'no display' >&2; exit 3")).await;
    assert_eq!(error.reason, Reason::TargetExited);
    assert!(error.detail.contains("exit status: 3") && error.detail.contains("first | no display"), "{error}");
    let error = refused(&folder.path().join("missing")).await;
    assert_eq!(error.reason, Reason::TargetNotFound);
    assert!(error.detail.contains("missing"), "{error}");
}
