//! Federations of real nodes for tests: made as operators make them, their nodes processes that are started and killed.
//!
//! Used by the tests of this folder, and by `examples/kill` with the release build.

use std::fs::{self, OpenOptions};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use shieldwall::identity::Published;
use shieldwall::network::TransportKey;

/// How long anything may take; on a busy machine everything takes its time.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Where the next federation looks for ports: beside those of the demo.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// Members with keys, configs and a charter in a folder of their own.
pub(super) struct Federation {
    dir: tempfile::TempDir,
    pub(super) members: Vec<&'static str>,
}

/// A running node. Dropped, it is killed.
pub(super) struct Node {
    child: Child,
}

impl Federation {
    /// Sets up `members`, all of them countries.
    pub(super) fn of(members: &[&'static str]) -> Self {
        Self::prepared(members, |_| {})
    }

    /// Sets up `members` in folders that were prepared.
    pub(super) fn prepared(members: &[&'static str], prepare: impl FnOnce(&Self)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let federation = Self { dir, members: members.to_vec() };
        prepare(&federation);
        for member in members {
            federation.init(member);
        }
        let charter = federation.path("charter.cose");
        let manifests: Vec<PathBuf> = members.iter().map(|member| federation.manifest(member)).collect();
        let mut create = program();
        create.args(["charter", "create", "--name", "Loopback", "--out"]).arg(&charter).args(manifests);
        success(&mut create);
        for member in members {
            success(federation.command(member).args(["charter", "sign", "--no-input"]).arg(&charter));
        }
        federation
    }

    /// Makes one member's keys, manifest and config; its charter is the federation's.
    pub(super) fn init(&self, member: &str) {
        self.init_with(member, "../charter.cose");
    }

    /// The same for a member that has no charter yet, and will keep it in its own folder.
    pub(super) fn init_apart(&self, member: &str) {
        self.init_with(member, "charter.cose");
    }

    fn init_with(&self, member: &str, charter: &str) {
        let port = free_port();
        let listen = [format!("/ip4/127.0.0.1/udp/{port}/quic-v1"), format!("/ip4/127.0.0.1/tcp/{port}")];
        let mut init = program();
        init.args(["init", member, "--charter", charter, "--dir"]).arg(self.path(member));
        // A test that wants its keys encrypted has put the passphrase there.
        match self.path("passphrase") {
            file if file.exists() => init.arg("--passphrase-file").arg(file),
            _ => init.arg("--insecure-dev-keys"),
        };
        listen.iter().for_each(|address| {
            init.args(["--listen", address]);
        });
        success(&mut init);
    }

    /// Leaves the folder there; gives where it is.
    pub(super) fn keep(mut self) -> PathBuf {
        self.dir.disable_cleanup(true);
        self.dir.path().to_owned()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn manifest(&self, member: &str) -> PathBuf {
        self.path(member).join(format!("manifest-{member}.cose"))
    }

    pub(super) fn config(&self, member: &str) -> PathBuf {
        self.path(member).join("shieldwall.toml")
    }

    pub(super) fn log(&self, member: &str) -> String {
        fs::read_to_string(self.path(member).join("node.log")).unwrap_or_default()
    }

    /// The address of one member's node with its PeerId, and the federation's digest, as the charter of the founding has them.
    pub(super) fn address_and_digest(&self, member: &str) -> (String, String) {
        let bytes = fs::read(self.path("charter.cose")).unwrap();
        let federation = Published::decode(&bytes).unwrap().verify().unwrap();
        let transport = federation.transports().find(|transport| transport.member.as_str() == member).unwrap();
        let peer = TransportKey(*transport.key.as_bytes());
        (format!("{}/p2p/{peer}", transport.addresses[0]), federation.id().to_string())
    }

    /// A command at one member.
    pub(super) fn command(&self, member: &str) -> Command {
        let mut command = program();
        command.arg("--config").arg(self.config(member));
        command
    }

    /// What a command at one member prints as JSON; `None` if it fails.
    pub(super) fn json(&self, member: &str, args: &[&str]) -> Option<Value> {
        let output = self.command(member).args(args).arg("--json").output().unwrap();
        output.status.success().then(|| serde_json::from_slice(&output.stdout).unwrap())
    }

    /// Starts one member's node and waits until it answers.
    pub(super) fn start(&self, member: &str) -> Node {
        let node = self.spawn(member);
        // Not by a command: one that finds no node reads the data folder, and locks it.
        wait_for(&format!("the node of {member}"), || self.is_up(member));
        node
    }

    /// Whether the socket of a member's node takes connections.
    pub(super) fn is_up(&self, member: &str) -> bool {
        UnixStream::connect(self.socket(member)).is_ok()
    }

    /// Starts one member's node.
    pub(super) fn spawn(&self, member: &str) -> Node {
        self.spawn_with(member, &[])
    }

    /// Starts one member's node with more in its environment.
    pub(super) fn spawn_with(&self, member: &str, more: &[(&str, &str)]) -> Node {
        self.spawn_by(self.command(member), member, more)
    }

    /// Starts one member's node under a limit that the shell sets, such as `ulimit -n 64`.
    pub(super) fn spawn_under(&self, member: &str, limit: &str) -> Node {
        let mut command = without_own(Command::new("sh"));
        command.args(["-c", &format!("{limit} && exec \"$0\" \"$@\"")]).arg(path_of_program());
        command.arg("--config").arg(self.config(member));
        self.spawn_by(command, member, &[])
    }

    /// Starts the node in a folder that is no member's own: a copy of one. It listens elsewhere.
    pub(super) fn spawn_at(&self, folder: &Path, name: &str) -> Node {
        let mut command = program();
        command.arg("--config").arg(folder.join("shieldwall.toml"));
        let listen = format!("/ip4/127.0.0.1/tcp/{}", free_port());
        self.spawn_by(command, name, &[("SHIELDWALL_LISTEN", &listen)])
    }

    fn spawn_by(&self, mut command: Command, member: &str, more: &[(&str, &str)]) -> Node {
        let log = OpenOptions::new().create(true).append(true).open(self.path(member).join("node.log")).unwrap();
        let child = command
            .args(["run", "--stop-on-stdin-end"])
            .envs([("SHIELDWALL_INTERVALS_COSIGN_MS", "300"), ("SHIELDWALL_INTERVALS_SYNC_S", "1")])
            .env("SHIELDWALL_INTERVALS_ACKNOWLEDGE_AFTER_MS", "300")
            .env("SHIELDWALL_LIMITS_FREE_SPACE_MIN_MB", "16")
            .envs(more.iter().copied())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Node { child }
    }

    /// The port on which one member's node listens.
    pub(super) fn port(&self, member: &str) -> u16 {
        let config = fs::read_to_string(self.config(member)).unwrap();
        let at = config.split("/tcp/").nth(1).unwrap();
        at.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    }

    pub(super) fn start_all(&self) -> Vec<Node> {
        self.members.iter().map(|member| self.start(member)).collect()
    }

    pub(super) fn socket(&self, member: &str) -> PathBuf {
        self.path(member).join("data/shieldwall.sock")
    }

    pub(super) fn ledger(&self, member: &str) -> Option<Value> {
        self.json(member, &["ledger"])
    }

    /// How many statements of `log` a member holds under a checkpoint and has checked.
    pub(super) fn audited(&self, member: &str, log: &str) -> u64 {
        let ledger = self.ledger(member).unwrap_or_default();
        let logs = ledger["logs"].as_array().cloned().unwrap_or_default();
        logs.iter().find(|view| view["log"] == log).and_then(|view| view["audited"].as_u64()).unwrap_or(0)
    }

    /// Waits until all members hold the same ledger, checked and cosigned by all; gives it.
    pub(super) fn converge(&self) -> Value {
        let mut ledgers = Vec::new();
        wait_for("equal ledgers", || {
            ledgers = self.members.iter().filter_map(|member| self.ledger(member)).collect();
            let first = ledgers.first().cloned().unwrap_or_default();
            let all_signed =
                |ledger: &Value| ledger["cosigned_by"].as_array().map_or(0, Vec::len) == self.members.len();
            let same = |ledger: &Value| ledger["frontier"] == first["frontier"] && all_signed(ledger);
            ledgers.len() == self.members.len()
                && ledgers.iter().all(same)
                && self.members.iter().all(|member| self.is_sound(member))
        });
        ledgers.swap_remove(0)
    }

    pub(super) fn is_sound(&self, member: &str) -> bool {
        self.json(member, &["status"]).is_some_and(|status| {
            status["statements"] == status["statements_verified"]
                && status["statements_flagged"] == 0
                && status["equivocations"].as_array().is_some_and(Vec::is_empty)
        })
    }

    /// The records of a log as a member sees them: id, and reference where it can read one.
    pub(super) fn records(&self, member: &str, log: &str) -> Vec<(String, Option<String>)> {
        let records = self.json(member, &["record", "list", "--log", log, "--limit", "0"]).unwrap();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        records.as_array().unwrap().iter().map(|line| (text(&line["id"]).unwrap(), text(&line["ucr"]))).collect()
    }
}

impl Drop for Federation {
    /// A test that failed shows what the nodes said last.
    fn drop(&mut self) {
        if thread::panicking() {
            for member in &self.members {
                let log = self.log(member);
                let lines: Vec<&str> = log.lines().collect();
                let ledger = self.ledger(member).unwrap_or_default();
                eprintln!("== {member}\n{}\n{ledger}", lines[lines.len().saturating_sub(12)..].join("\n"));
            }
        }
    }
}

impl Node {
    /// The process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process has ended by itself, and how.
    pub(super) fn ended(&mut self) -> Option<std::process::ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// What a power cut does to a process.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program, with nothing of this machine's own nodes in its environment.
pub(super) fn program() -> Command {
    without_own(Command::new(path_of_program()))
}

fn without_own(mut command: Command) -> Command {
    let own = std::env::vars_os().map(|(name, _)| name);
    own.filter(|name| name.to_string_lossy().starts_with("SHIELDWALL_")).for_each(|name| {
        command.env_remove(name);
    });
    command.stdin(Stdio::null());
    command
}

/// The build beside this: cargo tells tests where it is; an example lies in a folder of its own beside it.
pub(super) fn path_of_program() -> PathBuf {
    if let Some(path) = option_env!("CARGO_BIN_EXE_shieldwall") {
        return path.into();
    }
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().join("shieldwall")
}

/// The most memory that a process ever had; none where the system does not say so.
pub(super) fn peak_mib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

pub(super) fn success(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

#[allow(clippy::disallowed_methods, reason = "a test that waits for another process has a limit")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Waits until `condition` holds.
pub(super) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let start = now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// A port that is free for TCP and UDP, and below those that systems give to outgoing connections.
pub(super) fn free_port() -> u16 {
    const PORTS: std::ops::Range<u16> = 12_000..20_000;
    let count = PORTS.end - PORTS.start;
    let start = u16::try_from(std::process::id().wrapping_mul(37) % u32::from(count)).unwrap();
    loop {
        let step = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        let port = PORTS.start + (start + step % count) % count;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Where the declarations go, by turns.
const READERS: [&str; 2] = ["TR", "MZ"];

/// A table of declarations in a file: so many exports from Georgia.
pub(super) fn declarations(path: &Path, count: usize) {
    fs::write(path, table(0..count)).unwrap();
}

/// A table of declarations: exports from Georgia with these numbers, by turns to Türkiye and Mozambique.
pub(super) fn table(numbers: std::ops::Range<usize>) -> String {
    let head =
        "ucr,export_country,destination,exporter_name,consignee_name,commodity_code,description,net_mass,net_unit";
    let row = |number: usize| {
        format!(
            "6GE420000333-L{number:05},GE,{},Mtkvari Sample Chemicals,Loopback Consignee {number},310230,Ammonium nitrate,{},KGM",
            READERS[number % 2],
            1_000 + number
        )
    };
    std::iter::once(head.to_owned()).chain(numbers.map(row)).map(|line| line + "\n").collect()
}

/// Who may read the declaration with this reference, besides Georgia.
pub(super) fn reader(ucr: &str) -> &'static str {
    let number: usize = ucr.rsplit('L').next().unwrap().parse().unwrap();
    READERS[number % 2]
}

/// Every file below `folder`, in the order of their paths.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Files below `folder` that contain `needle`.
pub(super) fn files_with(folder: &Path, needle: &[u8]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            found.extend(files_with(&path, needle));
        } else if kind.is_file() && fs::read(&path).unwrap().windows(needle.len()).any(|window| window == needle) {
            found.push(path);
        }
    }
    found
}
