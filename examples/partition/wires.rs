//! Network namespaces, a bridge, and a cable from each member to it.

use std::path::Path;
use std::process::{Command, Stdio};

/// The cables. Dropped, they and all the namespaces are taken away.
pub(super) struct Wires {
    members: Vec<&'static str>,
    /// Names of this run's own, so that two runs do not meet.
    prefix: String,
}

/// The address of a member at the bridge.
pub(super) fn address(members: &[&str], member: &str) -> String {
    let at = members.iter().position(|other| *other == member).unwrap_or(0);
    format!("10.77.0.{}", at + 1)
}

impl Wires {
    /// Lays the cables, or says what this machine lacks.
    pub(super) fn lay(members: &[&'static str]) -> Result<Self, String> {
        let wires = Self { members: members.to_vec(), prefix: format!("sw{}", std::process::id() % 10_000) };
        let missing = |what: &str| format!("{what}; it needs root and `ip` (Debian: iproute2)");
        let bridge = wires.space("br");
        ip(&["netns", "add", &bridge]).map_err(|fault| missing(&fault))?;
        ip(&["-n", &bridge, "link", "add", "br0", "type", "bridge"]).map_err(|fault| missing(&fault))?;
        ip(&["-n", &bridge, "link", "set", "br0", "up"]).map_err(|fault| missing(&fault))?;
        for member in members {
            wires.lay_one(member).map_err(|fault| missing(&fault))?;
        }
        Ok(wires)
    }

    fn lay_one(&self, member: &str) -> Result<(), String> {
        let (own, bridge, cable) = (self.space(member), self.space("br"), cable(member));
        ip(&["netns", "add", &own])?;
        ip(&["link", "add", &cable, "netns", &bridge, "type", "veth", "peer", "name", "eth0", "netns", &own])?;
        ip(&["-n", &bridge, "link", "set", &cable, "master", "br0", "up"])?;
        let address = format!("{}/24", address(&self.members, member));
        ip(&["-n", &own, "address", "add", &address, "dev", "eth0"])?;
        ip(&["-n", &own, "link", "set", "lo", "up"])?;
        ip(&["-n", &own, "link", "set", "eth0", "up"])
    }

    /// A command inside a member's namespace.
    pub(super) fn inside(&self, member: &str, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(member)]).arg(program);
        command
    }

    /// Pulls the plug at the bridge: what a member sends is lost without a word, and so is what is sent to it.
    pub(super) fn cut(&self, member: &str) {
        ip(&["-n", &self.space("br"), "link", "set", &cable(member), "nomaster"]).unwrap();
    }

    pub(super) fn mend(&self, member: &str) {
        ip(&["-n", &self.space("br"), "link", "set", &cable(member), "master", "br0"]).unwrap();
    }

    /// Bytes that have passed a member's cable: to it, and from it.
    pub(super) fn bytes(&self, member: &str) -> (u64, u64) {
        let read = |what: &str| {
            let path = format!("/sys/class/net/{}/statistics/{what}", cable(member));
            let output = Command::new("ip").args(["netns", "exec", &self.space("br"), "cat", &path]).output().unwrap();
            String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
        };
        // From the bridge's end: what it sends goes to the member.
        (read("tx_bytes"), read("rx_bytes"))
    }

    /// Datagrams that a member's system has thrown away because its process did not read them in time: QUIC sends them again.
    pub(super) fn unread(&self, member: &str) -> u64 {
        let mut command = self.inside(member, Path::new("cat"));
        let output = command.arg("/proc/net/snmp").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: ")).map(str::split_whitespace);
        let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return 0 };
        names.zip(values).find(|(name, _)| *name == "RcvbufErrors").map_or(0, |(_, value)| value.parse().unwrap())
    }

    fn space(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        for name in self.members.iter().copied().chain(["br"]) {
            drop(ip(&["netns", "delete", &self.space(name)]));
        }
    }
}

fn cable(member: &str) -> String {
    format!("v{member}")
}

fn ip(args: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(args).stdin(Stdio::null()).output().map_err(|error| format!("ip: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("ip {}: {}", args.join(" "), said.trim())) }
}
