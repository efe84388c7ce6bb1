//! A browser of the Chromium family as a target: started headless with a camera and a microphone of its own making, in
//! a new profile, on fincert's page, which dials in over as many WebSockets as are asked for.

use std::collections::VecDeque;
use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use fincert_schemas::run::Reason;
use tempfile::TempDir;

use crate::source::token;
use crate::transport::{ConnectError, Listener, Obituary, Wire};

/// The programs that are looked for, in this order.
const NAMES: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "brave-browser",
    "brave",
];

/// How long a browser may take from its start until its page has dialled in.
const START: Duration = Duration::from_secs(30);
/// How long its page may take to dial in again. It does so within a second; a page that does not has crashed.
const RETURN: Duration = Duration::from_secs(10);
/// How often it is looked whether the browser still runs.
const LOOK: Duration = Duration::from_millis(20);
/// How long its stderr is waited for when it has ended: a process of its own may hold it open.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// What is kept of its stderr: so many lines, of so many characters.
const STDERR_LINES: usize = 6;
const STDERR_LINE: usize = 300;
/// How often, and at what distance, it is tried to remove the profile of a browser that was killed: its processes
/// take a moment to end, and write until then.
const REMOVALS: u32 = 100;
const REMOVAL: Duration = Duration::from_millis(20);

/// What is switched on and off.
const FLAGS: [&str; 18] = [
    "--headless",
    "--disable-gpu",
    // A camera and a microphone that need neither hardware nor a person.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    // Host candidates with addresses: an mDNS name cannot be resolved where there is no multicast.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    // Without it nothing connects on a machine that has only its loopback interface.
    "--allow-loopback-in-peer-connection",
    // No traffic but the run's own.
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--no-first-run",
    "--no-default-browser-check",
    // Nobody looks at the page, and yet its timers shall not be slowed down.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    // A container's /dev/shm is often too small for a page with video.
    "--disable-dev-shm-usage",
];

/// A browser, started when the first connection is asked for, and again when it has died.
#[derive(Debug)]
pub struct Browser {
    program: PathBuf,
    lanes: usize,
    running: Option<Running>,
}

impl Browser {
    /// The program given, or one that is found on the path. Its page shall open so many connections.
    pub fn new(program: Option<&Path>, lanes: usize) -> Result<Self, ConnectError> {
        let program = match program {
            Some(program) => program.to_owned(),
            None => find().ok_or_else(|| {
                let names = NAMES.join(", ");
                let advice = "install Chromium (Debian: apt install chromium), or name a browser of its family: \
                              --target browser:/path/to/program";
                ConnectError::new(Reason::TargetNotFound, format!("no browser on the path ({names}); {advice}"))
            })?,
        };
        Ok(Self { program, lanes, running: None })
    }

    /// The next connection of the browser's page. A browser that died, or whose page crashed, is started again.
    pub async fn wire(&mut self) -> Result<Wire, ConnectError> {
        if let Some(running) = self.running.as_mut().filter(|running| running.process.status().is_none()) {
            match running.wire(&self.program, RETURN).await {
                Ok(wire) => return Ok(wire),
                Err(error) => tracing::warn!(%error, "the browser is started again"),
            }
        }
        // The old one is gone before the new one comes.
        self.running = None;
        let running = self.running.insert(Running::start(&self.program, self.lanes).await?);
        running.wire(&self.program, START).await.inspect_err(|_| self.running = None)
    }

    /// The process that was started, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.process.pid)
    }
}

/// One start of a browser, with a listener and a token of its own.
#[derive(Debug)]
struct Running {
    listener: Listener,
    process: Arc<Process>,
}

impl Running {
    async fn start(program: &Path, lanes: usize) -> Result<Self, ConnectError> {
        let failed = |what: &str, error: std::io::Error| {
            ConnectError::new(Reason::ConnectionRefused, format!("{what}: {error}"))
        };
        let slot: Arc<Mutex<Option<Arc<Process>>>> = Arc::default();
        let obituary = {
            let slot = Arc::clone(&slot);
            Obituary(Arc::new(move || lock(&slot).as_ref().and_then(|process| process.ended())))
        };
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = Listener::bind_for(loopback, token(), Some(obituary))
            .await
            .map_err(|error| failed("the address for the browser's page", error))?;
        let folder = tempfile::Builder::new()
            .prefix("fincert-")
            .tempdir()
            .map_err(|error| failed("a folder for the browser's profile", error))?;
        let url = format!("{}&lanes={lanes}&managed", listener.page_url());
        let process = Arc::new(Process::start(program, folder, &url)?);
        *lock(&slot) = Some(Arc::clone(&process));
        Ok(Self { listener, process })
    }

    /// The next connection that the page opens, unless the browser ends before.
    async fn wire(&mut self, program: &Path, patience: Duration) -> Result<Wire, ConnectError> {
        let name = program.display();
        tokio::select! {
            accepted = self.listener.accept(patience) => accepted.map_err(|_| {
                let seconds = patience.as_secs();
                let text = format!("the page of {name} did not dial in within {seconds} s{}", self.process.said());
                ConnectError::new(Reason::ConnectionRefused, text)
            }),
            text = self.process.wait() => {
                let advice = "is it a browser of the Chromium family?";
                let text = format!("{name}: {text}, before its page had dialled in; {advice}");
                Err(ConnectError::new(Reason::TargetExited, text))
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.finish();
    }
}

/// A browser's processes, and the folder with all that they write.
#[derive(Debug)]
struct Process {
    pid: u32,
    child: Mutex<Child>,
    folder: TempDir,
    stderr: Arc<Mutex<VecDeque<String>>>,
    reader: Option<JoinHandle<()>>,
    /// When it was first seen that it has ended.
    seen_ended: OnceLock<Instant>,
}

impl Process {
    fn start(program: &Path, folder: TempDir, url: &str) -> Result<Self, ConnectError> {
        let mut command = Command::new(program);
        command.args(FLAGS).arg(profile_flag(folder.path()));
        if rustix::process::geteuid().is_root() {
            // Chromium refuses to start its sandbox as root. The only page it opens is fincert's own.
            command.arg("--no-sandbox");
        }
        // Sockets, caches and settings beside the profile would outlive it elsewhere.
        for name in ["TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(name, folder.path());
        }
        command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(|error| {
            ConnectError::new(Reason::TargetNotFound, format!("the browser {}: {error}", program.display()))
        })?;
        let stderr = Arc::default();
        let reader = child.stderr.take().map(|pipe| {
            let kept = Arc::clone(&stderr);
            // A thread, since it blocks; it ends with the last of the browser's processes.
            std::thread::spawn(move || keep_last_lines(pipe, &kept))
        });
        let (pid, child) = (child.id(), Mutex::new(child));
        Ok(Self { pid, child, folder, stderr, reader, seen_ended: OnceLock::new() })
    }

    fn status(&self) -> Option<ExitStatus> {
        lock(&self.child).try_wait().ok().flatten()
    }

    /// How it ended, if it has, with its last words, once they are complete.
    fn ended(&self) -> Option<String> {
        let status = self.status()?;
        let since = self.seen_ended.get_or_init(Instant::now);
        if self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) && since.elapsed() < LAST_WORDS {
            return None;
        }
        Some(format!("the browser ended ({status}){}", self.said()))
    }

    /// Waits until it has ended.
    async fn wait(&self) -> String {
        loop {
            if let Some(text) = self.ended() {
                return text;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Its last words, as the end of a sentence.
    fn said(&self) -> String {
        let lines = lock(&self.stderr);
        if lines.is_empty() {
            return String::new();
        }
        format!("; stderr: {}", lines.iter().map(String::as_str).collect::<Vec<_>>().join(" | "))
    }

    /// Ends it, and leaves nothing behind. Others may still hold it to ask how it ended.
    fn finish(&self) {
        let mut child = lock(&self.child);
        if let Some(group) = rustix::process::Pid::from_raw(self.pid.cast_signed()) {
            // The whole group: renderers and helpers go with it. Even where the browser has ended, they may live.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = child.wait();
        for _ in 0..REMOVALS {
            match fs::remove_dir_all(self.folder.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => std::thread::sleep(REMOVAL),
                _ => return,
            }
        }
        tracing::warn!(folder = %self.folder.path().display(), "the browser's profile could not be removed");
    }
}

fn profile_flag(folder: &Path) -> std::ffi::OsString {
    let mut flag = std::ffi::OsString::from("--user-data-dir=");
    flag.push(folder.join("profile"));
    flag
}

/// Reads what a browser has to say, and keeps the end of it.
fn keep_last_lines(mut pipe: impl Read, kept: &Mutex<VecDeque<String>>) {
    let mut line = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(size @ 1..) = pipe.read(&mut chunk) {
        for byte in &chunk[..size] {
            match byte {
                b'\n' => keep(&mut line, kept),
                _ if line.len() < STDERR_LINE => line.push(*byte),
                _ => {}
            }
        }
    }
    keep(&mut line, kept);
}

fn keep(line: &mut Vec<u8>, kept: &Mutex<VecDeque<String>>) {
    let text = String::from_utf8_lossy(&std::mem::take(line)).trim().to_owned();
    if !text.is_empty() {
        let mut lines = lock(kept);
        if lines.len() == STDERR_LINES {
            lines.pop_front();
        }
        lines.push_back(text);
    }
}

/// The first of the known browsers that is on the path.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Nothing that is kept under these locks can be half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
