//! Key files: one PKCS#8 PEM file per key, made once, private to the node's user, encrypted under one passphrase.
//!
//! A file is never overwritten and never read through a symbolic link, from another user, or with group or world
//! permissions. Nothing here knows what a key is for beyond its name; `identity` does.
//!
//! Start with [`KeyFolder`]; [`pem`] has the bytes, [`passphrase`] where the passphrase comes from, [`share`] a root on paper.

pub mod passphrase;
pub mod pem;
pub mod share;

use std::fmt;
use std::path::{Path, PathBuf};
use std::thread;

use crate::encoding::ids::{LogId, MemberCode};
use crate::node::private::{self, PrivateError};

pub use passphrase::Passphrase;
pub use pem::{Algorithm, Cost, Seed};

/// The name of a key, which gives its file name, algorithm and cost of guessing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyName {
    /// The member's highest key, kept offline after `init`.
    Root,
    /// The key that replaces the root; only its digest is published.
    NextRoot,
    /// The key that will follow the next root, drawn when that is about to take the root's place.
    LaterRoot,
    /// Signs the statements and checkpoints of one log.
    Log(LogId),
    /// Signs cosignatures.
    Witness(MemberCode),
    /// The node's identity on the network.
    Transport,
    /// Opens the lanes of one epoch.
    Seal(u32),
}

/// A folder of key files, open to its owner alone.
#[derive(Clone, Debug)]
pub struct KeyFolder {
    path: PathBuf,
}

/// How a new key file is protected.
#[derive(Clone, Copy, Debug)]
pub enum Protection<'a> {
    /// Encrypted under this passphrase.
    Passphrase(&'a Passphrase),
    /// Not at all: for tests and demos only.
    InsecureDev,
}

/// Why a key file cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file or its folder is missing, there already, or not private.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The file does not hold the key it should.
    #[error("{} does not hold the key it should", .path.display())]
    Content {
        /// The path.
        path: PathBuf,
        /// What is wrong with its content.
        source: pem::PemError,
    },
    /// It is encrypted and no passphrase was given.
    #[error("{} is encrypted and no passphrase was given", .0.display())]
    PassphraseNeeded(PathBuf),
    /// It is not encrypted, and the config does not allow that.
    #[error("{} is not encrypted", .0.display())]
    Unprotected(PathBuf),
    /// The passphrase does not open it.
    #[error("the passphrase does not open {}", .0.display())]
    WrongPassphrase(PathBuf),
    /// The passphrase itself is unusable.
    #[error("no usable passphrase")]
    Passphrase(#[from] passphrase::PassphraseError),
}

impl KeyName {
    /// The root and those that follow it, in their order.
    pub const ROOTS: [Self; 3] = [Self::Root, Self::NextRoot, Self::LaterRoot];

    /// The epoch of a seal key; none of any other.
    #[must_use]
    pub fn seal_epoch(&self) -> Option<u32> {
        match self {
            Self::Seal(epoch) => Some(*epoch),
            Self::Root | Self::NextRoot | Self::LaterRoot | Self::Log(_) | Self::Witness(_) | Self::Transport => None,
        }
    }

    /// The file that holds the key.
    #[must_use]
    pub fn file_name(&self) -> String {
        match self {
            Self::Root => "root.pem".to_owned(),
            Self::NextRoot => "next-root.pem".to_owned(),
            Self::LaterRoot => "later-root.pem".to_owned(),
            Self::Log(log) => format!("log-{log}.pem"),
            Self::Witness(member) => format!("witness-{member}.pem"),
            Self::Transport => "transport.pem".to_owned(),
            Self::Seal(epoch) => format!("seal-{epoch:04}.pem"),
        }
    }

    /// What kind of key it is.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Seal(_) => Algorithm::XWing,
            Self::Root | Self::NextRoot | Self::LaterRoot | Self::Log(_) | Self::Witness(_) | Self::Transport => {
                Algorithm::Ed25519
            }
        }
    }

    /// How much work one guess of the passphrase shall cost: a node opens most of its keys at every start.
    #[must_use]
    pub fn cost(&self) -> Cost {
        match self {
            Self::Root | Self::NextRoot | Self::LaterRoot => Cost::Offline,
            Self::Log(_) | Self::Witness(_) | Self::Transport | Self::Seal(_) => Cost::Online,
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.file_name().trim_end_matches(".pem"))
    }
}

impl KeyFolder {
    /// Makes the folder (mode 0700), or takes the one that is there if it is private.
    ///
    /// # Errors
    /// [`KeyFileError`] if it cannot be made or is open to others.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        private::create_folder(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Opens a folder that must be there and be private.
    ///
    /// # Errors
    /// [`KeyFileError`] if it is missing, a link, or open to others.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        private::check_folder(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Where a key's file is, or would be.
    #[must_use]
    pub fn path(&self, name: &KeyName) -> PathBuf {
        self.path.join(name.file_name())
    }

    /// Whether something stands at a key's path, be it usable or not.
    #[must_use]
    pub fn holds(&self, name: &KeyName) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// Takes a root out of service: the next root takes the root's place, and the one after that the next root's. The root that was
    /// is kept under a name with `kid` in it. Done again after an interruption, it goes on where it was.
    ///
    /// # Errors
    /// If a file cannot be moved.
    pub fn advance_root(&self, kid: &str) -> Result<(), KeyFileError> {
        let spent = self.path.join(format!("spent-root-{kid}.pem"));
        let names = KeyName::ROOTS.map(|name| self.path(&name));
        let [root, next, later] = &names;
        for (from, to) in [(root, &spent), (next, root), (later, next)] {
            // What stands at its new place already was moved before the interruption.
            if to.symlink_metadata().is_err() && from.symlink_metadata().is_ok() {
                private::move_file(from, to)?;
            }
        }
        Ok(())
    }

    /// Writes a new key: mode 0600, file and folder synced before this returns.
    ///
    /// # Errors
    /// [`PrivateError::Exists`] if anything stands at its path; else what the file system says.
    pub fn write(&self, name: &KeyName, seed: &Seed, protection: Protection<'_>) -> Result<(), KeyFileError> {
        let path = self.path(name);
        if self.holds(name) {
            return Err(PrivateError::Exists(path).into());
        }
        let pem = match protection {
            Protection::Passphrase(passphrase) => {
                pem::encode_encrypted(name.algorithm(), seed, passphrase, name.cost())
            }
            Protection::InsecureDev => pem::encode_plain(name.algorithm(), seed),
        };
        let pem = pem.map_err(|source| KeyFileError::Content { path: path.clone(), source })?;
        Ok(private::write_new(&path, pem.as_bytes())?)
    }

    /// Writes several new keys, their encryption on all cores. Nothing is written if one of them is there already.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_all(&self, keys: &[(KeyName, Seed)], protection: Protection<'_>) -> Result<(), KeyFileError> {
        if let Some((name, _)) = keys.iter().find(|(name, _)| self.holds(name)) {
            return Err(PrivateError::Exists(self.path(name)).into());
        }
        on_all_cores(keys, |(name, seed)| self.write(name, seed, protection)).map(drop)
    }

    /// Reads one key. Without a passphrase only an unencrypted file opens, and only if `allow_unprotected`.
    ///
    /// # Errors
    /// [`KeyFileError`]: missing, not private, another kind of key, or not to be opened with this passphrase.
    pub fn read(&self, name: &KeyName, access: Access<'_>) -> Result<Seed, KeyFileError> {
        let path = self.path(name);
        let text = private::read(&path)?;
        let content = |source| KeyFileError::Content { path: path.clone(), source };
        if pem::is_encrypted(&text) {
            let passphrase = access.passphrase.ok_or_else(|| KeyFileError::PassphraseNeeded(path.clone()))?;
            return pem::decode_encrypted(name.algorithm(), &text, passphrase).map_err(|source| match source {
                pem::PemError::WrongPassphrase => KeyFileError::WrongPassphrase(path.clone()),
                pem::PemError::Form | pem::PemError::OtherAlgorithm { .. } | pem::PemError::Encrypt => content(source),
            });
        }
        if !access.allow_unprotected {
            return Err(KeyFileError::Unprotected(path));
        }
        pem::decode_plain(name.algorithm(), &text).map_err(content)
    }

    /// Looks at a key's file as far as that goes without the passphrase: that it is private, protected, and of the right form.
    ///
    /// # Errors
    /// As [`Self::read`], but for what only the passphrase tells.
    pub fn inspect(&self, name: &KeyName, allow_unprotected: bool) -> Result<(), KeyFileError> {
        let path = self.path(name);
        let text = private::read(&path)?;
        let content = |source| KeyFileError::Content { path: path.clone(), source };
        if pem::is_encrypted(&text) {
            return pem::inspect_encrypted(&text).map_err(content);
        }
        if !allow_unprotected {
            return Err(KeyFileError::Unprotected(path));
        }
        pem::decode_plain(name.algorithm(), &text).map(drop).map_err(content)
    }

    /// Reads several keys, their decryption on all cores, in the order of `names`.
    ///
    /// # Errors
    /// The first that [`Self::read`] gives.
    pub fn read_all(&self, names: &[KeyName], access: Access<'_>) -> Result<Vec<Seed>, KeyFileError> {
        on_all_cores(names, |name| self.read(name, access))
    }

    /// Whether any of the keys needs a passphrase to be read.
    ///
    /// # Errors
    /// [`KeyFileError`] if one cannot be read at all.
    pub fn needs_passphrase(&self, names: &[KeyName]) -> Result<bool, KeyFileError> {
        for name in names {
            if pem::is_encrypted(&private::read(&self.path(name))?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// With what a key file may be opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Access<'a> {
    /// The passphrase, where one is at hand.
    pub passphrase: Option<&'a Passphrase>,
    /// Whether a file that is not encrypted is accepted.
    pub allow_unprotected: bool,
}

/// Maps `work` over `items` with as many threads as there are cores: scrypt takes about 0.2 s and 16 MiB a key.
fn on_all_cores<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, KeyFileError> + Sync,
) -> Result<Vec<R>, KeyFileError> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    let share = items.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(&work).collect::<Result<Vec<R>, KeyFileError>>()))
            .collect();
        let mut results = Vec::with_capacity(items.len());
        for worker in workers {
            results.extend(worker.join().expect("reading and writing keys does not panic")?);
        }
        Ok(results)
    })
}

#[cfg(test)]
mod tests;
