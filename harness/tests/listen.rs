//! `--target listen`: devices dial in over a WebSocket, with the printed URL and no other way.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Output};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use support::{Run, fincert, record};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const BEFORE: &str = "ocr.bank-card.specimens";
const TROUBLE: &str = "ocr.bank-card.file-name.spaces";
const AFTER: &str = "ocr.bank-card.file-name.chinese";

/// fincert, waiting for a device.
struct Waiting {
    folder: tempfile::TempDir,
    child: Child,
    url: String,
}

impl Waiting {
    fn new(target: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = fincert(folder.path(), &["certify", "--target", target, "--record", "run.jsonl"]);
        command.args(arguments);
        let stderr = folder.path().join("stderr");
        command.stdout(File::create(folder.path().join("stdout")).unwrap()).stderr(File::create(&stderr).unwrap());
        let mut child = command.spawn().unwrap();
        let url = loop {
            let text = std::fs::read_to_string(&stderr).unwrap();
            let shown = text.lines().filter(|_| text.ends_with('\n')).find(|line| line.contains("token="));
            if let Some(url) = shown {
                break url.trim().to_owned();
            }
            assert!(child.try_wait().unwrap().is_none(), "{text}");
            std::thread::sleep(Duration::from_millis(5));
        };
        Self { folder, child, url }
    }

    fn finish(mut self) -> Run {
        let status = self.child.wait().unwrap();
        let read = |name: &str| std::fs::read(self.folder.path().join(name)).unwrap();
        let output = Output { status, stdout: read("stdout"), stderr: read("stderr") };
        Run::new(&output, record(&self.folder.path().join("run.jsonl")))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a device does at the call of one scenario.
#[derive(Clone, Copy, PartialEq)]
enum At {
    /// Answers it like every other.
    Good,
    /// Drops the connection.
    Disconnects(&'static str),
    /// Sends 17 MiB.
    Overflows(&'static str),
    /// Sends a text frame that is no text.
    Garbles(&'static str),
}

/// A device that recognises bank cards, until the connection ends.
async fn device(url: &str, at: At) {
    let (socket, _) = connect_async(url).await.unwrap();
    let (mut out, mut incoming) = socket.split();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    while let Some(Ok(message)) = incoming.next().await {
        let Message::Text(text) = message else { continue };
        let request: Value = serde_json::from_str(&text).unwrap();
        let params = &request["params"];
        let result = match request["method"].as_str().unwrap() {
            "bridge.hello" => json!({
                "protocol": 1, "name": "device", "version": "1", "platform": "android", "integration": "integrated",
                "callStyle": "promise", "capabilities": ["ocr:BankCard"],
            }),
            "bridge.putFile" => {
                let path = format!("finfile://tmp/{}", files.len());
                files.push((path.clone(), STANDARD.decode(params["base64"].as_str().unwrap_or_default()).unwrap()));
                json!({"path": path})
            }
            "ft.finCardOcr" => {
                let scenario = params["scenario"].as_str().unwrap();
                match at {
                    At::Disconnects(place) if place == scenario => return,
                    At::Overflows(place) if place == scenario => {
                        let _ = out.send(Message::text("x".repeat(17 * 1024 * 1024))).await;
                        continue;
                    }
                    At::Garbles(place) if place == scenario => {
                        use tokio_tungstenite::tungstenite::protocol::frame::{Frame, coding::Data, coding::OpCode};
                        let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
                        out.send(Message::Frame(frame)).await.unwrap();
                        continue;
                    }
                    _ => {}
                }
                let argument = &params["args"][0];
                let picture = files.iter().find(|(path, _)| argument["imagePath"] == **path);
                let readable = picture.is_some_and(|(_, b)| b.starts_with(b"\x89PNG") && b.ends_with(b"\xaeB`\x82"));
                if readable && argument["type"] == "BankCard" {
                    json!({"via": "resolve", "value": {
                        "type": "BankCard", "errorCode": 0, "errMsg": "finCardOcr:ok", "description": "ok",
                        "recogResult": {"cardNo": "6299901357246801357", "bankName": "样例银行", "bankId": "99010000", "cardType": "借记卡"},
                    }})
                } else {
                    let data = json!({"via": "reject", "value": {"errMsg": "finCardOcr:fail no picture"}});
                    let error = json!({"code": -32000, "message": "rejected", "data": data});
                    let answer = json!({"jsonrpc": "2.0", "id": request["id"], "error": error});
                    out.send(Message::text(answer.to_string())).await.unwrap();
                    continue;
                }
            }
            _ => json!({}),
        };
        let answer = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
        if out.send(Message::text(answer.to_string())).await.is_err() {
            return;
        }
    }
}

/// A handshake by hand; the status line of the answer.
fn handshake(url: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let url = url::Url::parse(url).unwrap();
    let authority = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect(&authority).unwrap();
    let mut request = format!("GET {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        request.push_str(&format!("Host: {authority}\r\n"));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
    request.push_str("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 1024];
    let size = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..size]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_device_that_dials_in_is_certified() {
    let waiting = Waiting::new("listen", &["--profile", "ocr:BankCard"]);
    assert!(waiting.url.starts_with("ws://127.0.0.1:"), "{}", waiting.url);
    device(&waiting.url, At::Good).await;
    let token = waiting.url.split_once("token=").unwrap().1.to_owned();
    let run = waiting.finish();
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert!(token.len() >= 32);
    // The token opens a door, so it is in nothing that is kept.
    assert!(!run.stdout.contains(&token) && !run.record.iter().any(|line| line.to_string().contains(&token)));
}

#[tokio::test]
async fn whoever_lacks_the_url_is_refused_and_the_device_still_gets_in() {
    let filter = format!("{BEFORE} | {AFTER}");
    let waiting = Waiting::new("listen", &["--profile", "ocr:BankCard", "--filter", &filter]);
    let url = waiting.url.clone();
    let path = url.split_once("/bridge").map(|(_, query)| format!("/bridge{query}")).unwrap();
    let refused = |path: &str, headers: &[(&str, &str)]| handshake(&url, path, headers);
    let shorter = &path[..path.len() - 1];
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 11] = [
        ("/bridge", &[], "401"),
        ("/bridge?token=", &[], "401"),
        ("/bridge?token=0123456789abcdef0123456789abcdef", &[], "401"),
        (shorter, &[], "401"),
        ("/", &[], "401"),
        (&path.replace("/bridge", "/other"), &[], "404"),
        (&path, &[("Origin", "https://evil.example")], "403"),
        (&path, &[("Origin", "http://127.0.0.1.evil.example")], "403"),
        (&path, &[("Origin", "http://localhost.evil.example:80")], "403"),
        (&path, &[("Host", "evil.example")], "403"),
        (&path, &[("Host", "localhost.evil.example:80")], "403"),
    ];
    for (path, headers, status) in cases {
        let line = refused(path, headers);
        assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{path} {headers:?}: {line}");
    }
    // Whoever says nothing keeps nobody out.
    let address = url::Url::parse(&url).unwrap().socket_addrs(|| None).unwrap()[0];
    let _mute: Vec<TcpStream> = (0..8).map(|_| TcpStream::connect(address).unwrap()).collect();
    // Neither a page nor a browser: no upgrade at all, refused while the device's own handshake is under way.
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"\x16\x03\x01 not even HTTP\r\n\r\n").unwrap();
    drop(stream);
    device(&url, At::Good).await;
    let run = waiting.finish();
    assert_eq!((run.ended(BEFORE), run.ended(AFTER)), ("driven", "driven"), "{}", run.stderr);
    assert_eq!(run.lines("session").len(), 1);
}

#[tokio::test]
async fn pages_of_this_machine_and_apps_may_dial_in() {
    for origin in ["http://localhost:5173", "http://127.0.0.1", "http://[::1]:80", "null", "file://"] {
        let waiting = Waiting::new("listen", &["--filter", BEFORE]);
        let mut request = waiting.url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("Origin", origin.parse().unwrap());
        assert!(connect_async(request).await.is_ok(), "{origin}");
    }
}

async fn comes_back(at: At) -> Run {
    let filter = [BEFORE, TROUBLE, AFTER].join(" | ");
    let arguments = ["--profile", "ocr:BankCard", "--filter", &filter, "--max-wait", "0.5"];
    let waiting = Waiting::new("listen:127.0.0.1:0", &arguments);
    device(&waiting.url, at).await;
    device(&waiting.url, At::Good).await;
    waiting.finish()
}

/// It goes on after the scenario that killed it, and that one is not driven again.
#[tokio::test]
async fn a_device_that_crashed_comes_back_with_its_token() {
    let run = comes_back(At::Disconnects(TROUBLE)).await;
    let ended = [BEFORE, TROUBLE, AFTER].map(|scenario| run.ended(scenario));
    assert_eq!(ended, ["driven", "target-exited", "driven"], "{}", run.stderr);
    let sessions: Vec<_> = [BEFORE, TROUBLE, AFTER].map(|scenario| run.transcript(scenario)["session"].clone()).into();
    assert_eq!(sessions, [1, 1, 2]);
    assert_eq!(run.lines("transcript").len(), 3);
    assert_eq!(run.verdict("integration.answers", TROUBLE), "could-not-run target-exited");
    assert_eq!(run.verdict("integration.answers", AFTER), "pass");
    assert_eq!(run.code, Some(1));
}

/// What is left of such a message cannot be skipped, so the connection ends; the device may dial in again.
#[tokio::test]
async fn a_device_that_sends_too_much_or_no_text_is_cut_off() {
    let run = comes_back(At::Overflows(TROUBLE)).await;
    assert_eq!(run.events(TROUBLE, "bad-frame")[0]["fault"], "frame-too-large");
    assert_eq!((run.ended(TROUBLE), run.ended(AFTER)), ("target-exited", "driven"), "{}", run.stderr);
    let run = comes_back(At::Garbles(TROUBLE)).await;
    assert_eq!((run.ended(TROUBLE), run.ended(AFTER)), ("target-exited", "driven"), "{}", run.stderr);
}
