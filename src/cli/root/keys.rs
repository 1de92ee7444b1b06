//! The roots in a folder of keys: that of a config, or one on a machine that has nothing else.

use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::report::{Exit, Failure};
use crate::encoding::ids::MemberCode;
use crate::identity::{Member, PublicKey, SecretKey};
use crate::node::keys::{KeyFolder, KeyName, Passphrase};

/// Whose roots, and where they are.
#[derive(clap::Args, Clone, Debug)]
pub(in crate::cli) struct RootsArgs {
    /// The folder with the root, on a machine without a config
    #[arg(long, value_name = "DIR", requires = "member")]
    keys: Option<PathBuf>,
    /// Whose root is in it
    #[arg(long, value_name = "CODE", requires = "keys")]
    member: Option<MemberCode>,
    /// Take keys in it that are not encrypted, for tests and demos only
    #[arg(long, requires = "keys")]
    insecure_dev_keys: bool,
}

/// A member's roots, as far as they are in the folder.
#[derive(Debug)]
pub(in crate::cli) struct Roots {
    /// Whose.
    pub member: MemberCode,
    /// Where.
    pub folder: KeyFolder,
    keys: Vec<(KeyName, SecretKey)>,
    passphrase: Option<Passphrase>,
}

impl Roots {
    /// Opens what is there. One root at least must be.
    ///
    /// # Errors
    /// As [`KeyFolder::read`].
    pub(in crate::cli) fn open(context: &Context, args: &RootsArgs) -> Result<Self, Failure> {
        let (member, folder, file, unprotected) = match (&args.keys, args.member) {
            (Some(keys), Some(member)) => (member, keys.clone(), None, args.insecure_dev_keys),
            _ => {
                let config = context.config()?;
                (config.member, config.keys_dir, config.passphrase_file, config.insecure_dev_keys)
            }
        };
        let folder = KeyFolder::open(&folder)?;
        let held: Vec<KeyName> = KeyName::ROOTS.into_iter().filter(|name| folder.holds(name)).collect();
        // With none there, the error names the file that is missing.
        let names = if held.is_empty() { &KeyName::ROOTS[..1] } else { &held };
        let (seeds, passphrase) = context.unlock_folder(&folder, file.as_deref(), unprotected, names)?;
        let keys = names.iter().copied().zip(seeds.iter().map(|seed| SecretKey::from_seed(seed.expose()))).collect();
        Ok(Self { member, folder, keys, passphrase })
    }

    /// One of them.
    pub(in crate::cli) fn key(&self, name: KeyName) -> Option<&SecretKey> {
        self.keys.iter().find(|(held, _)| *held == name).map(|(_, key)| key)
    }

    /// With what a key that joins them is protected.
    pub(in crate::cli) fn passphrase(&self) -> Option<&Passphrase> {
        self.passphrase.as_ref()
    }

    /// The secret half of a root.
    pub(in crate::cli) fn secret(&self, root: &PublicKey) -> Option<&SecretKey> {
        self.keys.iter().map(|(_, key)| key).find(|key| key.public() == *root)
    }

    /// Compares what a charter says of the member with the keys: whoever carried the manifest could have changed what stands beside
    /// it, and the member itself is the one to notice. Gives the root that the charter names, and whether its next root is here too.
    ///
    /// # Errors
    /// If the charter names other keys.
    pub(in crate::cli) fn check(&self, entry: &Member) -> Result<(&SecretKey, bool), Failure> {
        let strange = |what: &str| {
            let folder = self.folder.path(&KeyName::Root);
            let folder = folder.parent().unwrap_or(&folder).display().to_string();
            let message = format!("the charter names another {what} for {} than {folder}", self.member);
            Failure::new(Exit::Verification, message)
        };
        let (name, root) =
            self.keys.iter().find(|(_, key)| key.public() == entry.root).ok_or_else(|| strange("root"))?;
        let is_next = *name == KeyName::NextRoot;
        let next = self.key(if is_next { KeyName::LaterRoot } else { KeyName::NextRoot });
        match next {
            Some(next) if entry.next_root != next.public().digest() => Err(strange("next root")),
            next => Ok((root, next.is_some())),
        }
    }
}
