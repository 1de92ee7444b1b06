//! What every command has at hand: the global flags, the config, the passphrase, the node.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::report::{Exit, Failure};
use super::ui::{Color, Ui};
use crate::api::{Client, ClientError};
use crate::node::ask::{Request, Response};
use crate::node::config::{Config, Setting, Sources};
use crate::node::keys::{Access, KeyFolder, KeyName, Passphrase, Protection, Seed};

/// Flags that every command takes.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The config file [default: ./shieldwall.toml, else /etc/shieldwall/shieldwall.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Overrides data_dir of the config
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Overrides the socket of the config
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Results as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more; twice: even more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to colour messages
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
    /// Never ask: fail where a question would be put
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Answer every question with yes
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// Give up after this time, such as 10s, 500ms or 2m
    #[arg(long, global = true, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// The file whose first line is the passphrase of the keys; overrides the config
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// What every command has at hand.
#[derive(Clone, Debug)]
pub struct Context {
    /// The flags as typed.
    pub global: Global,
    /// How it talks.
    pub ui: Ui,
}

/// Where a config is looked for if nobody names one.
const CONFIG_NAME: &str = "shieldwall.toml";
const CONFIG_FOLDER: &str = "/etc/shieldwall";

impl Context {
    /// Takes the flags as they are.
    #[must_use]
    pub fn new(global: Global) -> Self {
        let ui = Ui::new(global.json, global.quiet, global.verbose, global.color);
        Self { global, ui }
    }

    /// The config file that applies, whether it is there or not.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        let named = self.global.config.clone().or_else(|| std::env::var_os("SHIELDWALL_CONFIG").map(PathBuf::from));
        named.unwrap_or_else(|| {
            let (here, system) = (PathBuf::from(CONFIG_NAME), Path::new(CONFIG_FOLDER).join(CONFIG_NAME));
            if !here.exists() && system.exists() { system } else { here }
        })
    }

    /// The config, overridden by environment and flags.
    ///
    /// # Errors
    /// If there is none, or faults in it.
    pub fn config(&self) -> Result<Config, Failure> {
        Ok(self.config_with_origins()?.0)
    }

    /// The config, and each setting with its origin.
    ///
    /// # Errors
    /// If there is none, or faults in it.
    pub fn config_with_origins(&self) -> Result<(Config, Vec<Setting>), Failure> {
        Ok(Config::load(&self.config_path(), &self.sources())?)
    }

    /// What overrides the config file.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let flags = [
            ("--data-dir", "data_dir", self.global.data_dir.as_ref()),
            ("--socket", "socket", self.global.socket.as_ref()),
            ("--passphrase-file", "passphrase_file", self.global.passphrase_file.as_ref()),
        ];
        let flags = flags.into_iter().filter_map(|(flag, key, value)| Some((flag, key, text(value?)))).collect();
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name.starts_with("SHIELDWALL_"))
            .collect();
        Sources { environment, flags }
    }

    /// The passphrase of keys that are there: from the file, else asked on the terminal.
    ///
    /// # Errors
    /// If there is no file and nobody may be asked.
    pub fn passphrase(&self, file: Option<&Path>) -> Result<Passphrase, Failure> {
        match self.global.passphrase_file.as_deref().or(file) {
            Some(file) => Ok(Passphrase::from_file(file)?),
            None if self.may_ask() => Ok(Passphrase::ask("Passphrase of the keys: ")?),
            None => Err(no_passphrase()),
        }
    }

    /// The passphrase for keys that are about to be made: from the file, else asked twice.
    ///
    /// # Errors
    /// If there is no file and nobody may be asked.
    pub fn new_passphrase(&self) -> Result<Passphrase, Failure> {
        match &self.global.passphrase_file {
            Some(file) => Ok(Passphrase::from_file(file)?),
            None if self.may_ask() => Ok(Passphrase::ask_new()?),
            None => Err(no_passphrase()),
        }
    }

    /// Opens keys of the config's folder, asking for the passphrase only if one of them needs it.
    ///
    /// # Errors
    /// As [`KeyFolder::read`].
    pub fn open_keys(&self, config: &Config, names: &[KeyName]) -> Result<Vec<Seed>, Failure> {
        Ok(self.unlock(config, names)?.0)
    }

    /// As [`Self::open_keys`], with the passphrase that opened them, for keys that are to join them.
    ///
    /// # Errors
    /// As [`KeyFolder::read`].
    pub fn unlock(&self, config: &Config, names: &[KeyName]) -> Result<(Vec<Seed>, Option<Passphrase>), Failure> {
        let (file, unprotected) = (config.passphrase_file.as_deref(), config.insecure_dev_keys);
        self.unlock_folder(&KeyFolder::open(&config.keys_dir)?, file, unprotected, names)
    }

    /// The same for a folder of keys that no config speaks of.
    ///
    /// # Errors
    /// As [`KeyFolder::read`].
    pub fn unlock_folder(
        &self,
        folder: &KeyFolder,
        passphrase_file: Option<&Path>,
        allow_unprotected: bool,
        names: &[KeyName],
    ) -> Result<(Vec<Seed>, Option<Passphrase>), Failure> {
        let passphrase = match folder.needs_passphrase(names)? {
            true => Some(self.passphrase(passphrase_file)?),
            false => None,
        };
        let seeds = folder.read_all(names, Access { passphrase: passphrase.as_ref(), allow_unprotected })?;
        Ok((seeds, passphrase))
    }

    /// How new keys are protected.
    #[must_use]
    pub fn protection(passphrase: Option<&Passphrase>) -> Protection<'_> {
        passphrase.map_or(Protection::InsecureDev, Protection::Passphrase)
    }

    /// Puts a question that only `yes` answers.
    ///
    /// # Errors
    /// If the answer is no, or nobody may be asked.
    pub fn confirm(&self, question: &str) -> Result<(), Failure> {
        if self.global.yes {
            return Ok(());
        }
        if !self.may_ask() {
            return Err(Failure::new(Exit::Usage, format!("{question}: nobody to ask")).hint("--yes answers for you"));
        }
        write!(io::stderr().lock(), "{question} [y/N] ")?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if ["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()) {
            return Ok(());
        }
        Err(Failure::new(Exit::Failure, "left as it was"))
    }

    /// Says what cannot be undone, and goes on only if `word` is typed, or with `--yes`.
    ///
    /// # Errors
    /// If something else is typed, or nobody may be asked.
    pub fn confirm_by_typing(&self, consequence: &str, word: impl std::fmt::Display) -> Result<(), Failure> {
        if self.global.yes {
            self.ui.say(consequence);
            return Ok(());
        }
        if !self.may_ask() {
            return Err(
                Failure::new(Exit::Usage, consequence).hint("nobody can be asked here: --yes says that you mean it")
            );
        }
        let word = word.to_string();
        write!(io::stderr().lock(), "{consequence}\nType {word} to go on: ")?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if answer.trim() == word { Ok(()) } else { Err(Failure::new(Exit::Failure, "left as it was")) }
    }

    /// Asks the running node, or, where reading is enough and no node runs, its data folder.
    ///
    /// # Errors
    /// [`ClientError`], or what reading the folder gives.
    pub fn ask(&self, request: &Request) -> Result<Response, Failure> {
        let config = self.config()?;
        match Client::connect(&config.socket, self.global.timeout) {
            Err(ClientError::NotRunning(_)) if request.only_reads() => super::offline::answer(self, &config, request),
            Err(error) => Err(error.into()),
            Ok(mut node) => Ok(node.ask(request, |news| self.ui.progress(&news))?),
        }
    }

    /// Connects to the running node.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn connect(&self) -> Result<Client, Failure> {
        Ok(Client::connect(&self.config()?.socket, self.global.timeout)?)
    }

    fn may_ask(&self) -> bool {
        !self.global.no_input && io::stdin().is_terminal()
    }
}

/// The node answered something else than was asked: it is of another version.
#[must_use]
pub fn unexpected() -> Failure {
    Failure::new(Exit::Failure, "the node's answer does not fit the question; is it of another version?")
}

fn no_passphrase() -> Failure {
    Failure::new(Exit::Passphrase, "a passphrase is needed and nobody can be asked for it")
        .hint("--passphrase-file FILE names a file of mode 0600 whose first line it is")
}

/// A time such as `10s`, `500ms`, `2m`, `24h` or `7d`; a bare number means seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| "a time is written like 10s, 500ms or 2m".to_owned())?;
    match &text[digits..] {
        "ms" => Ok(Duration::from_millis(number)),
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        "h" => Ok(Duration::from_secs(number.saturating_mul(3600))),
        "d" => Ok(Duration::from_secs(number.saturating_mul(86_400))),
        _ => Err("a time is written like 10s, 500ms or 2m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("24h"), duration("1d"));
        for bad in ["", "s", "1.5s", "10w", "-1s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
