//! Relay flows over Debian's coturn: nothing depends on our own TURN server.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::net::{TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use support::{Run, fincert, record};

/// coturn, ended when dropped.
struct Coturn {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Coturn {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A port that was free a moment ago.
        let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = |name: &str| folder.path().join(name).display().to_string();
        let configuration = format!(
            "listening-ip=127.0.0.1\nrelay-ip=127.0.0.1\nlistening-port={port}\nlt-cred-mech\nuser=fincert:open-sesame\n\
             realm=fincert\nno-tls\nno-dtls\nno-cli\nallow-loopback-peers\nno-multicast-peers\nsimple-log\n\
             pidfile={}\nlog-file={}\nuserdb={}\n",
            place("pid"),
            place("log"),
            place("users")
        );
        std::fs::write(folder.path().join("turn.conf"), configuration).unwrap();
        let process = Command::new("turnserver")
            .args(["-c", &place("turn.conf")])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver of Debian's package coturn; ./test installs it");
        let started = Self { process, port, _folder: folder };
        // It listens on TCP as well, which tells that it is there.
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return started;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("coturn does not listen on port {port}");
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The relay flows against a target.
fn relayed(target: &str, coturn: &Coturn) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = format!("fincert:open-sesame@turn:127.0.0.1:{}", coturn.port);
    let mut command = fincert(folder, &["certify", "--seed", "1", "--target", target, "--turn-server", &server]);
    command.args(["--profile", "webrtc", "--filter", "webrtc.relay*", "--record", "run.jsonl"]);
    let output = command.output().unwrap();
    let run = Run::new(&output, record(&folder.join("run.jsonl")));
    assert!(!run.all_text().contains("open-sesame"), "the password is kept or shown");
    run
}

#[test]
fn calls_are_relayed_by_a_server_that_is_not_ours() {
    let coturn = Coturn::start();
    for target in ["mock", "browser"] {
        let run = relayed(target, &coturn);
        assert_ne!(run.code, Some(3), "{target}: {}", run.stderr);
        for (requirement, scenario) in [
            ("webrtc.ice.relay-only", "webrtc.relay"),
            ("webrtc.ice.relayed-media", "webrtc.relay"),
            ("webrtc.media.sent", "webrtc.relay"),
            ("webrtc.media.received", "webrtc.relay"),
            ("webrtc.ice.relayed-media", "webrtc.relay.fincert-offers"),
            ("webrtc.ice.wrong-turn-credential", "webrtc.relay.wrong-credential"),
        ] {
            let verdict = run.verdict(requirement, scenario);
            assert_eq!(verdict, "pass", "{target}: {requirement} in {scenario}\n{}", run.stdout);
        }
        assert_eq!(run.judgement()["findings"].as_array().unwrap().len(), 0, "{target}: {}", run.stdout);
    }
}
