//! Making a backup.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::{BackupError, CHARTER, CONFIG, FORMAT, INVENTORY, Inventory, SUMS, Sums, check_room, prove};
use crate::disk::{self, backup::Copied};
use crate::encoding::hash::sha256;
use crate::encoding::time::UnixTime;
use crate::node::config::Config;
use crate::node::keys::{KeyFolder, KeyName};
use crate::node::{open, private};

/// What is copied of the files beside the segments: what only grows, by the end of its name. Nothing else, so that no key or passphrase goes
/// along that somebody keeps there.
const GROWING: [&str; 2] = ["log", "jsonl"];
/// The folder of the audit log, all of whose files grow.
const AUDIT: &str = "audit";
/// Room beside the segments: for what officers did, the charter and the keys.
const MARGIN: u64 = 64 << 20;

/// Which backup.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The config's own file.
    pub config_file: &'a Path,
    /// The folder of backups; made if it is not there.
    pub to: &'a Path,
    /// Whether keys go along.
    pub keys: bool,
    /// The time.
    pub now: UnixTime,
}

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of itself.
    pub inventory: Inventory,
}

/// The files of a backup that is being made.
struct Building {
    dir: PathBuf,
    sums: BTreeMap<String, crate::encoding::hash::Digest>,
    bytes: u64,
    done: bool,
}

/// Makes a backup of a node that may be at work. It is there with its name once it is whole and on the disk; until then, and if it
/// fails, it is not. `progress` is told bytes copied and bytes to copy.
///
/// # Errors
/// [`BackupError`].
pub fn create(config: &Config, wanted: Wanted<'_>, progress: &mut dyn FnMut(u64, u64)) -> Result<Created, BackupError> {
    let time = wanted.now.to_string().replace(['-', ':'], "");
    let name = format!("{}-{time}", config.member);
    let path = wanted.to.join(&name);
    if path.symlink_metadata().is_ok() {
        return Err(BackupError::NotEmpty(path));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(wanted.to).map_err(BackupError::io("make", wanted.to))?;
    check_room(wanted.to, disk::backup::size(&config.data_dir)?.saturating_add(MARGIN))?;
    let mut building = Building::begin(wanted.to.join(format!(".{name}.unfinished")))?;
    let inventory = building.fill(config, wanted, progress)?;
    building.finish(&path)?;
    Ok(Created { path, inventory })
}

impl Building {
    fn begin(dir: PathBuf) -> Result<Self, BackupError> {
        DirBuilder::new().mode(0o700).create(&dir).map_err(BackupError::io("make", &dir))?;
        Ok(Self { dir, sums: BTreeMap::new(), bytes: 0, done: false })
    }

    fn fill(
        &mut self,
        config: &Config,
        wanted: Wanted<'_>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Inventory, BackupError> {
        let data = self.folder("data")?;
        let Copied { files, damage } = disk::backup::copy(&config.data_dir, &data, progress)?;
        for (name, length, digest) in files {
            self.sums.insert(format!("data/{name}"), digest);
            self.bytes += length;
        }
        self.other_data(&config.data_dir, "data")?;
        let audit = config.data_dir.join(AUDIT);
        if audit.is_dir() {
            let name = format!("data/{AUDIT}");
            self.folder(&name)?;
            self.other_data(&audit, &name)?;
        }
        self.folder("config")?;
        self.copy(wanted.config_file, CONFIG)?;
        let watch = [(&config.watch.risk_policy, "config/risk.toml"), (&config.watch.lists, "config/lists.toml")];
        for (file, name) in watch {
            if let Some(file) = file {
                self.copy(file, name)?;
            }
        }

        // What was copied is read again, as whoever restores it will read it.
        let (store, _) = disk::backup::open(&data, progress)?;
        let federation = open::current_federation(config, &store)?;
        let published = federation
            .published()
            .encode()
            .map_err(|error| BackupError::NotABackup { path: config.charter.clone(), what: error.to_string() })?;
        self.put(CHARTER, &published)?;
        let keys = if wanted.keys { self.keys(config, &federation)? } else { Vec::new() };
        let (logs, faults) = prove::logs(&store, &federation)?;
        let damage = damage.iter().map(ToString::to_string);
        let inventory = Inventory {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            member: config.member,
            federation: federation.id(),
            created_at: wanted.now,
            charter_version: federation.charter().version(),
            own_log: open::own_log(config, &federation).ok(),
            logs,
            bytes: self.bytes,
            keys,
            damage: damage.chain(faults).collect(),
        };
        let text = serde_json::to_string_pretty(&inventory)
            .map_err(|error| BackupError::io("write", &self.dir)(io::Error::other(error)))?;
        self.put(INVENTORY, (text + "\n").as_bytes())?;
        private::write_new(&self.dir.join(SUMS), Sums(self.sums.clone()).to_text().as_bytes())?;
        Ok(inventory)
    }

    /// What lies beside the segments: what officers did with alerts and links, the audit log, and what later versions keep there. Each file only grows, and
    /// whoever reads it passes over an end that was being written.
    fn other_data(&mut self, from: &Path, to: &str) -> Result<(), BackupError> {
        for entry in fs::read_dir(from).map_err(BackupError::io("read", from))? {
            let entry = entry.map_err(BackupError::io("read", from))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let grows = GROWING.iter().any(|end| Path::new(&name).extension().is_some_and(|own| own == *end));
            if is_file && (grows || name == disk::version::FILE) {
                self.copy(&entry.path(), &format!("{to}/{name}"))?;
            }
        }
        Ok(())
    }

    /// The keys that a restored node needs to read, cosign and connect, as they lie there. A key of a log is never among them.
    fn keys(&mut self, config: &Config, federation: &crate::identity::Federation) -> Result<Vec<String>, BackupError> {
        let folder = KeyFolder::open(&config.keys_dir)?;
        self.folder("keys")?;
        let mut names = open::seal_key_names(federation, config.member);
        names.extend([KeyName::Witness(config.member), KeyName::Transport]);
        let mut files = Vec::new();
        for name in names {
            folder.inspect(&name, config.insecure_dev_keys)?;
            self.copy(&folder.path(&name), &format!("keys/{}", name.file_name()))?;
            files.push(name.file_name());
        }
        Ok(files)
    }

    fn folder(&mut self, name: &str) -> Result<PathBuf, BackupError> {
        let path = self.dir.join(name);
        DirBuilder::new().mode(0o700).create(&path).map_err(BackupError::io("make", &path))?;
        Ok(path)
    }

    fn copy(&mut self, from: &Path, name: &str) -> Result<(), BackupError> {
        let bytes = fs::read(from).map_err(BackupError::io("read", from))?;
        self.put(name, &bytes)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
        private::write_new(&self.dir.join(name), bytes)?;
        self.sums.insert(name.to_owned(), sha256(bytes));
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Gives the backup its name, now that all of it is on the disk.
    fn finish(mut self, path: &Path) -> Result<(), BackupError> {
        let sync =
            |dir: &Path| fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(BackupError::io("sync", dir));
        for folder in ["data", "config", "keys"].map(|name| self.dir.join(name)) {
            if folder.is_dir() {
                sync(&folder)?;
            }
        }
        sync(&self.dir)?;
        fs::rename(&self.dir, path).map_err(BackupError::io("give its name to", path))?;
        self.done = true;
        sync(path.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for Building {
    fn drop(&mut self) {
        if !self.done {
            // Half a backup is none; the error before is the one to tell.
            drop(fs::remove_dir_all(&self.dir));
        }
    }
}
