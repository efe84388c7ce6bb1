//! Network namespaces of a test's own: what is in one reaches nothing else.
#![allow(dead_code, reason = "each test file uses a part")]

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A namespace with its loopback interface up. It ends with the value.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one, or says why that is not permitted.
    pub(crate) fn new() -> Result<Self, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("fincert-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        ip(&["netns", "add", &name])?;
        let made = Self { name };
        made.ip(&["link", "set", "lo", "up"])?;
        Ok(made)
    }

    /// Two that a cable joins: its ends are called `wire`, with these addresses, and the first has its default route to
    /// the second.
    pub(crate) fn pair(addresses: [&str; 2], prefix: u8) -> Result<[Self; 2], String> {
        let both = [Self::new()?, Self::new()?];
        let [a, b] = &both;
        a.ip(&["link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", &b.name])?;
        for (end, address) in both.iter().zip(addresses) {
            end.ip(&["address", "add", &format!("{address}/{prefix}"), "dev", "wire"])?;
            end.ip(&["link", "set", "wire", "up"])?;
        }
        a.ip(&["route", "add", "default", "via", addresses[1]])?;
        Ok(both)
    }

    /// A program in the namespace.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// The command, in the namespace.
    pub(crate) fn inside(&self, command: &Command) -> Command {
        let mut inside = self.command(command.get_program());
        inside.args(command.get_args()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(folder) = command.get_current_dir() {
            inside.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// Names are asked of this server, if anybody resolves one.
    pub(crate) fn set_name_server(&self, address: &str) {
        let folder = self.settings();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(
            format!("{folder}/resolv.conf"),
            format!("nameserver {address}\noptions timeout:1 attempts:1\n"),
        )
        .unwrap();
    }

    /// Where `ip netns exec` takes files from that stand for those of /etc.
    fn settings(&self) -> String {
        format!("/etc/netns/{}", self.name)
    }

    fn ip(&self, arguments: &[&str]) -> Result<(), String> {
        let mut all = vec!["-n", &self.name];
        all.extend(arguments);
        ip(&all)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.settings());
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let line = format!("ip {}", arguments.join(" "));
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .map_err(|error| format!("{line}: {error}; install iproute2 (Debian: apt install iproute2)"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{line}: {}", said.trim())) }
}
