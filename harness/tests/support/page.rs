//! A page in a real browser, looked at over the Chrome DevTools Protocol.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// The names of Chromium, as distributions have them.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser with one page.
pub(crate) struct Page {
    browser: Child,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: String,
    id: u64,
    /// Exceptions, and what the console said: the page owes none.
    pub(crate) complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Page {
    /// Starts a browser with an empty page. `before` runs in every document before anything of it does.
    pub(crate) async fn new(before: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let browser = NAMES.iter().find_map(|name| {
            let mut command = Command::new(name);
            command.args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-port=0",
                "--no-first-run",
            ]);
            command.arg(format!("--user-data-dir={}", profile.path().display())).arg("about:blank");
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0).spawn().ok()
        });
        let mut browser = browser.expect("Chromium is installed (Debian: apt-get install chromium)");
        // It says where it listens, and then goes on saying things that nobody reads.
        let mut lines = BufReader::new(browser.stderr.take().unwrap()).lines();
        let url = lines.find_map(|line| line.unwrap().split_once("listening on ").map(|(_, url)| url.to_owned()));
        std::thread::spawn(move || lines.for_each(drop));
        let (socket, _) =
            tokio_tungstenite::connect_async(url.expect("the browser says where it listens")).await.unwrap();
        let mut page =
            Self { browser, socket, session: String::new(), id: 0, complaints: Vec::new(), _profile: profile };
        let target = page.ask("Target.createTarget", json!({"url": "about:blank"})).await;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        page.session = page.ask("Target.attachToTarget", attach).await["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            page.ask(domain, json!({})).await;
        }
        page.ask("Page.addScriptToEvaluateOnNewDocument", json!({"source": before})).await;
        page
    }

    /// Opens a file and waits until it is loaded.
    pub(crate) async fn open(&mut self, file: &Path) {
        self.complaints.clear();
        self.ask("Page.navigate", json!({"url": format!("file://{}", file.display())})).await;
        self.run("new Promise((done) => document.readyState === 'complete' ? done() : addEventListener('load', () => done()))")
            .await;
    }

    /// The value of an expression on the page; a promise is waited for.
    pub(crate) async fn run(&mut self, expression: &str) -> Value {
        let evaluate = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.ask("Runtime.evaluate", evaluate).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// One command of the protocol.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.id += 1;
        let mut message = json!({"id": self.id, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(message.to_string())).await.unwrap();
        loop {
            let message = self.socket.next().await.expect("the browser lives").unwrap();
            let Ok(text) = message.to_text() else { continue };
            let message: Value = serde_json::from_str(text).unwrap_or_default();
            match message["method"].as_str() {
                Some("Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled") => {
                    self.complaints.push(message["params"].to_string());
                }
                _ if message["id"] == self.id => {
                    assert!(message.get("error").is_none(), "{method}: {message}");
                    return message["result"].clone();
                }
                _ => {}
            }
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // The whole group: its renderers and helpers go with it.
        if let Some(group) = rustix::process::Pid::from_raw(self.browser.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.browser.wait();
    }
}
