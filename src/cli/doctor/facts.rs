//! What the checks look at, gathered once: config, key files, charter, the running node, disk and backups.

use std::path::{Path, PathBuf};

use crate::api::{Client, ClientError};
use crate::cli::context::{Context, unexpected};
use crate::cli::report::{Failure, told};
use crate::encoding::ids::{LogId, MemberCode};
use crate::encoding::time::UnixTime;
use crate::identity::{Federation, MemberStatus};
use crate::node::ask::{LedgerView, PeerView, Request, Response, StatusView};
use crate::node::config::Config;
use crate::node::keys::{KeyFolder, KeyName};
use crate::node::{approvals, backup, clock, open};

/// Everything that the checks look at.
#[derive(Debug)]
pub(super) struct Facts {
    pub now: UnixTime,
    pub member: MemberCode,
    pub data_dir: PathBuf,
    pub config_path: PathBuf,
    pub insecure_dev_keys: bool,
    pub heartbeat_s: u32,
    pub free_min: u64,
    pub backup_dir: PathBuf,
    /// Whether its signer is a process of its own.
    pub apart: bool,
    /// How many who may agree are known to this machine, and how many persons are needed, if these are too few.
    pub too_few: Option<(usize, u32)>,
    pub keys: Keys,
    /// The charter's file; in words why there is no good one.
    pub charter: Result<Charter, String>,
    /// The running node; in words why nothing can be asked of it.
    pub node: Result<Running, String>,
    /// The newest backup that can be read, if there is one.
    pub backup: Result<Option<Newest>, String>,
    /// Free bytes and all bytes of the volume with the data folder.
    pub space: Option<(u64, u64)>,
}

/// The key files.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub folder: PathBuf,
    /// What is wrong with the folder or a file that the node needs.
    pub faults: Vec<String>,
    /// Roots that lie beside the node's keys.
    pub roots: Vec<KeyName>,
}

/// What the charter says of this member.
#[derive(Debug)]
pub(super) struct Charter {
    pub version: u64,
    pub status: Option<MemberStatus>,
    pub own_log: Option<LogId>,
    /// When the last epoch ends for which others can seal to this member.
    pub sealed_until: Option<UnixTime>,
    pub last_epoch: Option<u32>,
    /// Members that are active, without this one.
    pub others: Vec<MemberCode>,
}

/// What a running node says of itself.
#[derive(Debug)]
pub(super) struct Running {
    pub status: StatusView,
    pub ledger: LedgerView,
    pub peers: Vec<PeerView>,
}

/// A backup.
#[derive(Debug)]
pub(super) struct Newest {
    pub name: String,
    pub at: UnixTime,
    pub damage: Vec<String>,
}

impl Facts {
    /// Gathers them.
    ///
    /// # Errors
    /// If the running node breaks off.
    pub(super) fn gather(context: &Context, config: &Config) -> Result<Self, Failure> {
        let node = running(context, config)?;
        let federation = federation(&node, config);
        Ok(Self {
            now: clock::now(),
            member: config.member,
            data_dir: config.data_dir.clone(),
            config_path: context.config_path(),
            insecure_dev_keys: config.insecure_dev_keys,
            heartbeat_s: config.intervals.heartbeat_s,
            free_min: u64::from(config.limits.free_space_min_mb) << 20,
            backup_dir: config.backup_dir.clone(),
            apart: config.signer.is_some(),
            too_few: approvals::too_few(&config.approvals).map(|known| (known, config.approvals.persons)),
            keys: keys(config, federation.as_ref().ok()),
            charter: federation.map(|federation| charter(config, &federation)),
            node: node.map(|(running, _)| running),
            backup: newest(&config.backup_dir),
            space: space(&config.data_dir),
        })
    }
}

/// What the node says, with the charter's file as it holds it.
fn running(context: &Context, config: &Config) -> Result<Result<(Running, Vec<u8>), String>, Failure> {
    let mut client = match Client::connect(&config.socket, context.global.timeout) {
        Ok(client) => client,
        Err(error @ (ClientError::NotRunning(_) | ClientError::Io(_))) => return Ok(Err(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let mut ask = |request: Request| client.ask(&request, |_| {});
    let Response::Status(status) = ask(Request::Status)? else { return Err(unexpected()) };
    let Response::Ledger(ledger) = ask(Request::Ledger)? else { return Err(unexpected()) };
    let Response::Peers(peers) = ask(Request::Peers)? else { return Err(unexpected()) };
    let Response::Charter(charter) = ask(Request::Charter(crate::node::ask::CharterRequest::Held))? else {
        return Err(unexpected());
    };
    Ok(Ok((Running { status: *status, ledger, peers }, charter.file.0)))
}

/// The charter as the node holds it, or else as its file has it.
fn federation(node: &Result<(Running, Vec<u8>), String>, config: &Config) -> Result<Federation, String> {
    match node {
        Ok((_, file)) => {
            let published = crate::identity::Published::decode(file).map_err(|error| error.to_string())?;
            published.verify().map_err(|error| error.to_string())
        }
        Err(_) => open::federation(&config.charter).map_err(|error| told(&error)),
    }
}

fn charter(config: &Config, federation: &Federation) -> Charter {
    let member = federation.member(config.member);
    let last_epoch =
        federation.manifest(config.member).and_then(|manifest| manifest.seal_keys().keys().next_back().copied());
    let others = federation.active_members().filter(|(code, _)| *code != config.member);
    Charter {
        version: federation.charter().version(),
        status: member.map(|member| member.status),
        own_log: open::own_log(config, federation).ok(),
        sealed_until: last_epoch.map(|epoch| federation.epoch_start(epoch.saturating_add(1))),
        last_epoch,
        others: others.map(|(code, _)| code).collect(),
    }
}

fn keys(config: &Config, federation: Option<&Federation>) -> Keys {
    let mut keys = Keys { folder: config.keys_dir.clone(), ..Keys::default() };
    let folder = match KeyFolder::open(&config.keys_dir) {
        Ok(folder) => folder,
        Err(error) => {
            keys.faults.push(told(&error));
            return keys;
        }
    };
    let own = federation.and_then(|federation| open::own_log(config, federation).ok());
    let mut names = open::key_files(config, federation, own, &folder);
    keys.roots = KeyName::ROOTS.into_iter().filter(|name| folder.holds(name)).collect();
    names.extend(&keys.roots);
    keys.faults.extend(
        names.iter().filter_map(|name| folder.inspect(name, config.insecure_dev_keys).err()).map(|error| told(&error)),
    );
    keys
}

fn newest(dir: &Path) -> Result<Option<Newest>, String> {
    let found = backup::list(dir).map_err(|error| told(&error))?;
    Ok(found.into_iter().rev().find_map(|found| {
        let inventory = found.inventory.ok()?;
        Some(Newest { name: found.name, at: inventory.created_at, damage: inventory.damage })
    }))
}

fn space(dir: &Path) -> Option<(u64, u64)> {
    let space = rustix::fs::statvfs(dir).ok()?;
    Some((space.f_bavail.saturating_mul(space.f_frsize), space.f_blocks.saturating_mul(space.f_frsize)))
}
