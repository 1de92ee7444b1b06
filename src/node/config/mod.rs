//! The config of a node: a TOML file, overridden by the environment, overridden by flags; checked once, as a whole.
//!
//! Every option has one row in [`options`]; `node-config/example.toml` shows them all and a test compares the two. All
//! faults are told at once, with line and column. Nothing here touches a key, the data folder or the network.
//!
//! Start with [`Config`]; [`layers`] finds where each value comes from.

pub mod address;
pub mod alerts;
pub mod approvals;
pub mod custody;
pub mod layers;
pub mod log;
pub mod options;
pub mod retention;
mod risk;

use std::path::{Path, PathBuf};

use crate::encoding::ids::MemberCode;
use crate::node::Caps;
use crate::protocol::Settings;

pub use address::Address;
pub use alerts::Alerts;
pub use approvals::{Approvals, UserName};
pub use custody::{Custody, CustodyPolicy};
pub use layers::{ConfigError, Fault, Origin, Setting, Sources};
pub use log::{Log, LogFormat};
pub use retention::Retention;
pub use risk::{
    LISTS_EXAMPLE, RISK_EXAMPLE, RiskPolicyError, load_lists, load_risk_policy, parse_lists, parse_risk_policy,
};

use layers::Layers;

/// The checked config of one node. Paths are absolute, or relative to the working directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The member whose node this is.
    pub member: MemberCode,
    /// What the node keeps.
    pub data_dir: PathBuf,
    /// The folder of the key files.
    pub keys_dir: PathBuf,
    /// The charter that the node starts from.
    pub charter: PathBuf,
    /// Where backups are made.
    pub backup_dir: PathBuf,
    /// Where commands reach the running node.
    pub socket: PathBuf,
    /// The group of the system whose members may use the socket as well.
    pub socket_group: Option<String>,
    /// The file with the passphrase of the key files.
    pub passphrase_file: Option<PathBuf>,
    /// Whether key files that are not encrypted are accepted.
    pub insecure_dev_keys: bool,
    /// Where the node listens.
    pub listen: Vec<Address>,
    /// Under which addresses others reach it.
    pub external: Vec<Address>,
    /// Whether notifications of exporters in other countries are logged.
    pub allow_foreign_exporter: bool,
    /// The token in which keys of logs are drawn; without one they are files.
    pub hsm: Option<Hsm>,
    /// The signer, where it is a process of its own; else a thread of the node signs.
    pub signer: Option<Signer>,
    /// What is written to the log.
    pub log: Log,
    /// How often things are done.
    pub intervals: Intervals,
    /// How consignments are looked at.
    pub watch: Watch,
    /// How much is allowed.
    pub limits: Limits,
    /// What needs a second person.
    pub approvals: Approvals,
    /// How long bodies are kept.
    pub retention: Retention,
    /// How many others are to hold a record.
    pub custody: CustodyPolicy,
    /// How alerts leave the node.
    pub alerts: Alerts,
}

/// How consignments are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The file of the risk policy; without one the defaults hold.
    pub risk_policy: Option<PathBuf>,
    /// The file of what this country knows by itself: registered end users, parties to watch, places.
    pub lists: Option<PathBuf>,
    /// How many days before the last one an answer of this country is called due.
    pub answer_due_days: u16,
}

/// A token of a hardware security module, through PKCS#11.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hsm {
    /// The module: a shared library of the maker.
    pub module: PathBuf,
    /// The label of the token.
    pub token: String,
    /// The file whose first line is the user's PIN.
    pub pin_file: PathBuf,
}

/// A signer that is a process of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Where it answers.
    pub socket: PathBuf,
    /// What it keeps: the keys of this member's logs, their guards and trees.
    pub folder: PathBuf,
    /// The user of the system that the node runs as, if that is another than the signer's.
    pub node_user: Option<String>,
}

impl Signer {
    /// The folder of its key files.
    #[must_use]
    pub fn keys_dir(&self) -> PathBuf {
        self.folder.join("keys")
    }
}

/// How often things are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervals {
    /// Milliseconds that news are gathered before they are cosigned.
    pub cosign_ms: u32,
    /// Seconds between checkpoints without news.
    pub heartbeat_s: u32,
    /// Seconds between rounds of sync.
    pub sync_s: u32,
    /// Milliseconds that received bodies are gathered before they are acknowledged.
    pub acknowledge_after_ms: u32,
    /// Seconds between anchors of the audit log.
    pub audit_anchor_s: u32,
}

impl From<Intervals> for Settings {
    fn from(intervals: Intervals) -> Self {
        Self {
            cosign_interval_ms: intervals.cosign_ms.into(),
            heartbeat_ms: i64::from(intervals.heartbeat_s) * 1000,
            sync_interval_ms: i64::from(intervals.sync_s) * 1000,
            acknowledge_after_ms: intervals.acknowledge_after_ms.into(),
            ..Self::default()
        }
    }
}

/// How much is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Megabytes of free space below which the node stops writing.
    pub free_space_min_mb: u32,
    /// Connections to the socket at the same time.
    pub api_connections: u32,
    /// Statements that are signed at most.
    pub signed: Caps,
}

/// The example, which shows and explains every option with its default.
pub const EXAMPLE: &str = include_str!("../../../node-config/example.toml");

/// The example with other values, each written as TOML: what `init` gives an operator to start from. Where sections have an option of one name, the
/// first is meant.
#[must_use]
pub fn template(changes: &[(&str, String)]) -> String {
    let mut left = changes.to_vec();
    let line = |line: &str| {
        let start = line.strip_prefix("# ").unwrap_or(line);
        let is_meant = |(key, _): &(&str, String)| start.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "));
        let change = left.iter().position(is_meant).map(|at| left.swap_remove(at));
        change.map_or_else(|| line.to_owned(), |(key, value)| format!("{key} = {value}"))
    };
    EXAMPLE.lines().map(line).fold(String::new(), |text, line| text + &line + "\n")
}

/// A Unix socket's path has 107 bytes and a closing zero on Linux, 103 on macOS.
pub const SOCKET_PATH_MAX: usize = 103;

impl Config {
    /// Reads and checks the config in `file`, overridden by `sources`. Gives also each setting with its origin.
    ///
    /// # Errors
    /// [`ConfigError`]: the file cannot be read, or all faults found in it and in what overrides it.
    pub fn load(file: &Path, sources: &Sources) -> Result<(Self, Vec<Setting>), ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|source| ConfigError::Unreadable { path: file.to_owned(), source })?;
        Self::parse(file, &text, sources)
    }

    /// As [`Self::load`], with the file's text at hand.
    ///
    /// # Errors
    /// [`ConfigError::Faulty`] with all faults.
    pub fn parse(file: &Path, text: &str, sources: &Sources) -> Result<(Self, Vec<Setting>), ConfigError> {
        let mut layers = Layers::read(file, text, sources);
        let config = Self::check(&mut layers);
        let (settings, faults) = layers.finish();
        match config {
            Some(config) if faults.is_empty() => Ok((config, settings)),
            Some(_) | None => Err(ConfigError::Faulty { faults }),
        }
    }

    /// Takes every option, so that all faults are found, and only then gives up.
    fn check(layers: &mut Layers<'_>) -> Option<Self> {
        let member = layers.parsed::<MemberCode>("member");
        let data_dir = layers.path("data_dir");
        let keys_dir = layers.path("keys_dir");
        let charter = layers.path("charter");
        let backup_dir = layers.path("backup_dir");
        let socket = layers.path("socket");
        let socket_group = layers.text("socket_group");
        let passphrase_file = layers.path("passphrase_file");
        let insecure_dev_keys = layers.bool("insecure_dev_keys");
        let listen = layers.parsed_list::<Address>("listen");
        let external = layers.parsed_list::<Address>("external");
        let allow_foreign_exporter = layers.bool("allow_foreign_exporter");
        let hsm = check_hsm(layers);
        let signer = check_signer(layers);
        let log = log::check(layers);
        let intervals = check_intervals(layers);
        let watch = check_watch(layers);
        let limits = check_limits(layers);
        let approvals = approvals::check(layers);
        let retention = retention::check(layers);
        let custody = custody::check(layers);
        let alerts = alerts::check(layers);

        let data_dir = data_dir?;
        let socket = socket.unwrap_or_else(|| data_dir.join("shieldwall.sock"));
        if socket.as_os_str().len() > SOCKET_PATH_MAX {
            layers.fault(
                "socket",
                format!(
                    "is longer than the {SOCKET_PATH_MAX} bytes that a socket's path may have: {}",
                    socket.display()
                ),
            );
        }
        if socket_group.is_some() && socket.parent() == Some(data_dir.as_path()) {
            layers.fault(
                "socket_group",
                "needs a `socket` in a folder of its own: data_dir is for the node alone".to_owned(),
            );
        }
        for folder in [Some(&data_dir), keys_dir.as_ref()].into_iter().flatten() {
            if signer.as_ref().is_some_and(|signer| signer.folder.starts_with(folder)) {
                layers.fault("signer.folder", format!("is not to be in {}, which is the node's", folder.display()));
            }
        }
        if listen.as_ref().is_some_and(Vec::is_empty) {
            layers.fault("listen", "needs at least one address".to_owned());
        }
        Some(Self {
            member: member?,
            data_dir,
            keys_dir: keys_dir?,
            charter: charter?,
            backup_dir: backup_dir?,
            socket,
            socket_group,
            passphrase_file,
            insecure_dev_keys: insecure_dev_keys?,
            listen: listen?,
            external: external?,
            allow_foreign_exporter: allow_foreign_exporter?,
            hsm,
            signer,
            log: log?,
            intervals: intervals?,
            watch: watch?,
            limits: limits?,
            approvals: approvals?,
            retention: retention?,
            custody: custody?,
            alerts: alerts?,
        })
    }
}

/// All three or none: a token without a PIN signs nothing.
fn check_hsm(layers: &mut Layers<'_>) -> Option<Hsm> {
    let all = (layers.path("hsm.module"), layers.text("hsm.token"), layers.path("hsm.pin_file"));
    match all {
        (Some(module), Some(token), Some(pin_file)) => Some(Hsm { module, token, pin_file }),
        (None, None, None) => None,
        (module, token, _) => {
            let given = [("hsm.module", module.is_some()), ("hsm.token", token.is_some()), ("hsm.pin_file", true)];
            let given = given.into_iter().find_map(|(key, given)| given.then_some(key)).unwrap_or("hsm.pin_file");
            layers.fault(given, "is of use only with all of `hsm.module`, `hsm.token` and `hsm.pin_file`".to_owned());
            None
        }
    }
}

/// A socket and a folder, or none of both.
fn check_signer(layers: &mut Layers<'_>) -> Option<Signer> {
    let (socket, folder, node_user) =
        (layers.path("signer.socket"), layers.path("signer.folder"), layers.text("signer.node_user"));
    if socket.as_ref().is_some_and(|socket| socket.as_os_str().len() > SOCKET_PATH_MAX) {
        layers.fault(
            "signer.socket",
            format!("is longer than the {SOCKET_PATH_MAX} bytes that a socket's path may have"),
        );
    }
    match (socket, folder) {
        (Some(socket), Some(folder)) => Some(Signer { socket, folder, node_user }),
        (None, None) if node_user.is_none() => None,
        (socket, folder) => {
            let given = [("signer.socket", socket.is_some()), ("signer.folder", folder.is_some())];
            let given = given.into_iter().find_map(|(key, given)| given.then_some(key)).unwrap_or("signer.node_user");
            layers.fault(given, "is of use only with both `signer.socket` and `signer.folder`".to_owned());
            None
        }
    }
}

fn check_intervals(layers: &mut Layers<'_>) -> Option<Intervals> {
    let cosign_ms = layers.number("intervals.cosign_ms");
    let heartbeat_s = layers.number("intervals.heartbeat_s");
    let sync_s = layers.number("intervals.sync_s");
    let acknowledge_after_ms = layers.number("intervals.acknowledge_after_ms");
    let audit_anchor_s = layers.number("intervals.audit_anchor_s");
    Some(Intervals {
        cosign_ms: cosign_ms?,
        heartbeat_s: heartbeat_s?,
        sync_s: sync_s?,
        acknowledge_after_ms: acknowledge_after_ms?,
        audit_anchor_s: audit_anchor_s?,
    })
}

fn check_watch(layers: &mut Layers<'_>) -> Option<Watch> {
    let risk_policy = layers.path("watch.risk_policy");
    let lists = layers.path("watch.lists");
    let answer_due_days = layers.number("watch.answer_due_days");
    Some(Watch { risk_policy, lists, answer_due_days: u16::try_from(answer_due_days?).ok()? })
}

fn check_limits(layers: &mut Layers<'_>) -> Option<Limits> {
    let free_space_min_mb = layers.number("limits.free_space_min_mb");
    let api_connections = layers.number("limits.api_connections");
    let per_minute = layers.number("limits.signed_per_minute");
    let per_day = layers.number("limits.signed_per_day");
    let signed = Caps { per_minute: per_minute?, per_day: per_day? };
    Some(Limits { free_space_min_mb: free_space_min_mb?, api_connections: api_connections?, signed })
}

#[cfg(test)]
mod tests;
