//! How a command ends: exit codes, and errors told once, with their causes and a hint.

use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::api::ClientError;
use crate::disk::{GuardRefusal, OpenError};
use crate::formats::export::ExportError;
use crate::identity::{ApplicationError, CharterError, FederationError, ManifestError, PublishedError};
use crate::network::NetworkError;
use crate::node::ask::{Problem, ProblemKind};
use crate::node::backup::BackupError;
use crate::node::config::ConfigError;
use crate::node::join::JoinError;
use crate::node::keys::{KeyFileError, KeyName};
use crate::node::open::OpenNodeError;
use crate::node::private::PrivateError;
use crate::node::signer::{AdoptError, TreeError};
use crate::node::socket::SocketError;
use crate::node::token::TokenError;

/// The exit codes. New ones may be added: a script treats one that it does not know as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// A failure that has no code of its own.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Part of it was done: some items were refused, or some members were out of reach.
    Partial = 3,
    /// The node is not initialised, or it is already.
    Initialised = 10,
    /// Another process uses the data folder or the socket.
    Locked = 11,
    /// Wrong passphrase, or none.
    Passphrase = 12,
    /// The node does not run.
    NotRunning = 13,
    /// The user may not do this.
    Permission = 14,
    /// Waiting for others: for their signatures, or for a second person to agree.
    Pending = 15,
    /// The audit log cannot be written, so nothing is done or shown.
    Unaudited = 16,
    /// A signature, hash or chain does not hold.
    Verification = 20,
    /// Two signed histories of one thing.
    Equivocation = 21,
    /// Not all is here that should be, or it came too late.
    Behind = 22,
    /// What lies on the disk is not as it was written.
    Damaged = 23,
    /// The config is not valid.
    Config = 30,
    /// The data are from a newer version.
    NewerData = 31,
    /// `doctor` has found something to look after, and nothing that is wrong now.
    Warnings = 40,
    /// `doctor` has found something that is wrong.
    Findings = 41,
    /// The command's own time is up.
    Timeout = 124,
    /// Interrupted.
    Interrupted = 130,
}

/// Why a command failed: an error, the exit code for it, and what the person can do.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: anyhow::Error,
    hint: Option<String>,
}

/// How a command ends.
pub type Outcome = Result<Exit, Failure>;

impl Exit {
    /// All codes with what they mean, as in `docs/exit-codes.md`.
    pub const ALL: [(Self, &'static str); 21] = [
        (Self::Success, "done"),
        (Self::Failure, "a failure that has no code of its own"),
        (Self::Usage, "the command line is wrong"),
        (Self::Partial, "part of it was done: some items were refused, or some members were out of reach"),
        (Self::Initialised, "the node is not initialised, or it is already"),
        (Self::Locked, "another process uses the data folder or the socket"),
        (Self::Passphrase, "wrong passphrase, or none"),
        (Self::NotRunning, "the node does not run"),
        (Self::Permission, "this user may not do this"),
        (Self::Pending, "waiting for others: for their signatures, or for a second person to agree"),
        (Self::Unaudited, "the audit log cannot be written, so nothing is done or shown"),
        (Self::Verification, "a signature, hash or chain does not hold"),
        (Self::Equivocation, "two signed histories of one thing"),
        (Self::Behind, "not all is here that should be"),
        (Self::Damaged, "what lies on the disk is not as it was written"),
        (Self::Config, "the config is not valid"),
        (Self::NewerData, "the data are from a newer version"),
        (Self::Warnings, "`doctor` has found something to look after, and nothing that is wrong now"),
        (Self::Findings, "`doctor` has found something that is wrong"),
        (Self::Timeout, "the command's own --timeout is up"),
        (Self::Interrupted, "interrupted"),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Failure {
    /// A failure in words, with its exit code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, error: anyhow::Error::msg(message.into()), hint: None }
    }

    /// Adds what the person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure, because of which the audit log cannot be written.
    #[must_use]
    pub fn unaudited(self) -> Self {
        let what = "a node whose audit log cannot be written does not start";
        Self { exit: Exit::Unaudited, ..self }.context(what).hint(UNAUDITED)
    }

    /// What was asked waits for a second person: no failure, but not done either.
    #[must_use]
    pub fn pending(message: impl Into<String>) -> Self {
        Self::new(Exit::Pending, message)
    }

    /// Says what was tried, in front of the error.
    #[must_use]
    pub fn context(mut self, what: impl fmt::Display + Send + Sync + 'static) -> Self {
        self.error = self.error.context(what);
        self
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether the reader of our output went away, which is no failure.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        let mut causes = self.error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
        causes.any(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The whole text: the error, its causes, the hint.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut last = String::new();
        for (depth, cause) in self.error.chain().enumerate() {
            let cause = cause.to_string();
            // Some libraries repeat their source in their own text.
            if depth > 0 && last.ends_with(&cause) {
                continue;
            }
            let start = if depth == 0 { "" } else { "\n  caused by: " };
            write!(text, "{start}{cause}").expect("writing to a string cannot fail");
            last = cause;
        }
        if let Some(hint) = &self.hint {
            write!(text, "\n  hint: {hint}").expect("writing to a string cannot fail");
        }
        text
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let (exit, hint) = error.chain().find_map(classify).unwrap_or((Exit::Failure, None));
        Self { exit, error, hint: hint.map(str::to_owned) }
    }
}

/// What to do where the audit log cannot be written.
const UNAUDITED: &str = "look at the disk of data_dir: room, rights, errors";

/// An error with its causes, on one line.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

type Class = (Exit, Option<&'static str>);

/// Exit code and hint for an error that we know.
fn classify(cause: &(dyn std::error::Error + 'static)) -> Option<Class> {
    None.or_else(|| cause.downcast_ref().map(config))
        .or_else(|| cause.downcast_ref().map(key_file))
        .or_else(|| cause.downcast_ref().map(token))
        .or_else(|| cause.downcast_ref().map(private))
        .or_else(|| cause.downcast_ref().map(join))
        .or_else(|| cause.downcast_ref().map(client))
        .or_else(|| cause.downcast_ref().map(problem))
        .or_else(|| cause.downcast_ref().map(disk))
        .or_else(|| cause.downcast_ref().map(server))
        .or_else(|| cause.downcast_ref().and_then(network))
        .or_else(|| cause.downcast_ref().map(node))
        .or_else(|| cause.downcast_ref().map(guard))
        .or_else(|| cause.downcast_ref().map(adopt))
        .or_else(|| cause.downcast_ref().map(export))
        .or_else(|| cause.downcast_ref().map(backup))
        .or_else(|| identity(cause))
}

fn config(error: &ConfigError) -> Class {
    match error {
        ConfigError::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => (
            Exit::Initialised,
            Some("`shieldwall init` makes a member's keys and config; --config names one elsewhere"),
        ),
        ConfigError::Unreadable { .. } => (Exit::Config, None),
        ConfigError::Faulty { .. } => {
            (Exit::Config, Some("`shieldwall config example` shows every option with its default"))
        }
    }
}

fn key_file(error: &KeyFileError) -> Class {
    match error {
        KeyFileError::File(PrivateError::Missing(path)) if is_root(path) => (
            Exit::Initialised,
            Some(
                "roots are kept elsewhere: bring the file here for the moment, or sign there, with --keys DIR --member CODE",
            ),
        ),
        KeyFileError::File(error) => private(error),
        KeyFileError::WrongPassphrase(_) => (Exit::Passphrase, None),
        KeyFileError::PassphraseNeeded(_) | KeyFileError::Passphrase(_) => (
            Exit::Passphrase,
            Some("--passphrase-file FILE, or passphrase_file in the config, names a file of mode 0600"),
        ),
        KeyFileError::Unprotected(_) => {
            (Exit::Config, Some("insecure_dev_keys = true in the config accepts it, for tests and demos only"))
        }
        KeyFileError::Content { .. } => (Exit::Failure, None),
    }
}

fn is_root(path: &Path) -> bool {
    let name = path.file_name().and_then(std::ffi::OsStr::to_str);
    [KeyName::Root, KeyName::NextRoot].iter().any(|root| name == Some(root.file_name().as_str()))
}

fn token(error: &TokenError) -> Class {
    match error {
        TokenError::Pin(error) => private(error),
        TokenError::Module { .. } | TokenError::NoToken { .. } | TokenError::NoEddsa(_) => {
            (Exit::Config, Some("`hsm` in the config names module, token and the file with the PIN"))
        }
        TokenError::Exists(_) => (
            Exit::Initialised,
            Some("take it out with the maker's tool only if no manifest that names it was ever published"),
        ),
        TokenError::Count { .. } => (Exit::Config, Some("is this the token in which the key was drawn?")),
        TokenError::WrongPin(_) => (Exit::Passphrase, Some("a token locks itself after a few wrong PINs")),
        TokenError::Signature(_) => (Exit::Verification, None),
        TokenError::PublicKey(_) | TokenError::Refused { .. } => (Exit::Failure, None),
    }
}

fn private(error: &PrivateError) -> Class {
    match error {
        PrivateError::Exists(_) => (Exit::Initialised, None),
        PrivateError::Missing(_) => (Exit::Initialised, Some("`shieldwall init` makes a member's keys and config")),
        PrivateError::Open { .. } => (Exit::Permission, Some("chmod go= takes the rights of others away")),
        PrivateError::Owner { .. } => (Exit::Permission, Some("run this as the user to whom it belongs")),
        PrivateError::Link(_) | PrivateError::Kind { .. } => (Exit::Permission, None),
        PrivateError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => (Exit::Permission, None),
        PrivateError::Io { .. } => (Exit::Failure, None),
    }
}

fn node(error: &OpenNodeError) -> Class {
    match error {
        OpenNodeError::NoCharter { .. } => {
            (Exit::Config, Some("put the signed charter file where `charter` in the config says"))
        }
        OpenNodeError::NotACharter { .. } | OpenNodeError::BadCharter { .. } => {
            (Exit::Verification, Some("`shieldwall charter verify FILE` tells more"))
        }
        OpenNodeError::NotAMember { .. } | OpenNodeError::NoLog(_) => {
            (Exit::Config, Some("`shieldwall charter show` tells the members, `manifest show` the logs"))
        }
        OpenNodeError::Disk(error) => disk(error),
        OpenNodeError::Store(_) => (Exit::Failure, None),
    }
}

fn guard(error: &GuardRefusal) -> Class {
    match error {
        GuardRefusal::Conflict { .. } | GuardRefusal::Gap { .. } | GuardRefusal::Damaged { .. } => {
            (Exit::Verification, Some("never sign this log again: open the member's next log in a new manifest"))
        }
        GuardRefusal::Moved { .. } => {
            (Exit::Failure, Some("a copied data folder must not sign: open the member's next log in a new manifest"))
        }
        GuardRefusal::OtherVersion { .. } => (Exit::NewerData, Some("use the version of the program that wrote it")),
        GuardRefusal::Storage(_) => (Exit::Failure, None),
    }
}

fn adopt(error: &AdoptError) -> Class {
    match error {
        AdoptError::Guard(error) => guard(error),
        AdoptError::Tree(error) => tree(error),
        AdoptError::Store(_) => (Exit::Failure, None),
        AdoptError::Other(_) => {
            (Exit::Verification, Some("never sign this log again: open the member's next log in a new manifest"))
        }
    }
}

fn tree(error: &TreeError) -> Class {
    match error {
        TreeError::File(error) => private(error),
        TreeError::Damaged(_) => (Exit::Damaged, None),
    }
}

fn backup(error: &BackupError) -> Class {
    match error {
        BackupError::Absent { .. } => {
            (Exit::Failure, Some("`shieldwall backup list` shows those that there are, `backup create` makes one"))
        }
        BackupError::NotABackup { .. } => (Exit::Damaged, None),
        BackupError::Newer { .. } => (Exit::NewerData, Some("use the version of the program that made it")),
        BackupError::OtherMember { .. } => (Exit::Config, None),
        BackupError::NotEmpty(_) => {
            (Exit::Initialised, Some("nothing was overwritten: choose another folder, or move away what is there"))
        }
        BackupError::Changed(_) => {
            (Exit::Damaged, Some("`shieldwall backup verify` tells all that is; take an older backup, or --from-peers"))
        }
        BackupError::NoRoom { .. } => (Exit::Failure, Some("make room, or choose another folder")),
        BackupError::Node(error) => node(error),
        BackupError::Disk(error) => disk(error),
        BackupError::Key(error) => key_file(error),
        BackupError::File(error) => private(error),
        BackupError::Store(_) | BackupError::Io { .. } => (Exit::Failure, None),
    }
}

fn export(error: &ExportError) -> Class {
    match error {
        ExportError::NoParquet => (Exit::Usage, Some("CSV, XLSX and JSON are in every program")),
        ExportError::Spreadsheet(_) => (Exit::Failure, Some("--format csv has no such limits")),
        ExportError::Csv(_) => (Exit::Failure, None),
        #[cfg(feature = "parquet")]
        ExportError::Parquet(_) => (Exit::Failure, None),
    }
}

fn client(error: &ClientError) -> Class {
    match error {
        ClientError::NotRunning(_) => (Exit::NotRunning, Some("`shieldwall run` starts the node")),
        ClientError::Denied(_) => {
            (Exit::Permission, Some("run this as the user who runs the node, or as a member of its `socket_group`"))
        }
        ClientError::Timeout(_) => (Exit::Timeout, None),
        ClientError::Problem(told) => problem(told),
        ClientError::Ended | ClientError::Answer(_) | ClientError::Io(_) => (Exit::Failure, None),
    }
}

fn join(error: &JoinError) -> Class {
    match error {
        JoinError::NotAdmitted(_) => (Exit::Failure, Some("ask a member to publish the charter that admits this one")),
        JoinError::Answer(..) => (Exit::Failure, Some("try another member's node")),
        JoinError::Form(_)
        | JoinError::Refused(_)
        | JoinError::OtherProtocol(..)
        | JoinError::AnotherFederation { .. } => {
            (Exit::Verification, Some("compare the digest and the address with another member by telephone"))
        }
        JoinError::Network(_) | JoinError::Ended => (Exit::Failure, None),
    }
}

fn problem(problem: &Problem) -> Class {
    let exit = match problem.kind {
        ProblemKind::Unaudited => return (Exit::Unaudited, Some(UNAUDITED)),
        ProblemKind::Timeout => Exit::Timeout,
        ProblemKind::Verification => Exit::Verification,
        ProblemKind::Equivocation => Exit::Equivocation,
        ProblemKind::Denied => Exit::Permission,
        ProblemKind::NotFound
        | ProblemKind::BadRequest
        | ProblemKind::ReadOnly
        | ProblemKind::Busy
        | ProblemKind::Failure => Exit::Failure,
        ProblemKind::LogEnded => {
            return (Exit::Failure, Some("the member's next log is to be opened: `shieldwall status` tells how"));
        }
    };
    (exit, None)
}

fn disk(error: &OpenError) -> Class {
    match error {
        OpenError::Locked { .. } => (Exit::Locked, Some("one process at a time uses a data folder")),
        OpenError::Absent { .. } => (Exit::Initialised, Some("the node has not run yet: `shieldwall run`")),
        OpenError::OtherVersion { .. } => (Exit::NewerData, Some("use the version of the program that wrote it")),
        OpenError::Newer { .. } => {
            (Exit::NewerData, Some("use the version of the program that wrote it, or restore a backup of this one"))
        }
        OpenError::Store(_) => (Exit::Failure, None),
    }
}

fn server(error: &SocketError) -> Class {
    match error {
        SocketError::InUse(_) => (Exit::Locked, Some("one node at a time uses a data folder and its socket")),
        SocketError::Folder(error) => private(error),
        SocketError::NoGroup(_) | SocketError::GroupFolder { .. } => (Exit::Config, None),
        SocketError::NotASocket(_) | SocketError::Io { .. } => (Exit::Failure, None),
    }
}

fn network(error: &NetworkError) -> Option<Class> {
    matches!(error, NetworkError::KeyLog)
        .then_some((Exit::Failure, Some("unset SSLKEYLOGFILE: with it, whoever reads that file reads the connections")))
}

/// A charter or manifest that does not hold is a failed verification; two that do are an equivocation.
fn identity(cause: &(dyn std::error::Error + 'static)) -> Option<Class> {
    let (charter, manifest) = match cause.downcast_ref() {
        Some(FederationError::Charter(charter)) => (Some(charter), None),
        Some(FederationError::Manifest(manifest)) => (None, Some(manifest)),
        Some(_) | None => (cause.downcast_ref(), cause.downcast_ref()),
    };
    if matches!(charter, Some(CharterError::Rival(_))) || matches!(manifest, Some(ManifestError::Rival(_))) {
        return Some((Exit::Equivocation, Some("keep both files: together they are proof")));
    }
    let known = charter.is_some()
        || manifest.is_some()
        || cause.is::<FederationError>()
        || cause.is::<PublishedError>()
        || cause.is::<ApplicationError>();
    known.then_some((Exit::Verification, None))
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn the_documented_codes_are_those_of_the_program() {
        let page = include_str!("../../docs/exit-codes.md");
        for (exit, meaning) in Exit::ALL {
            let row = format!("| {} | {meaning} |", exit as u8);
            assert!(page.contains(&row), "docs/exit-codes.md lacks `{row}`");
        }
        assert_eq!(page.matches("\n| ").count(), Exit::ALL.len() + 1, "a row too many");
    }

    #[test]
    fn errors_are_told_once_with_causes_and_hint() {
        let lost = ClientError::NotRunning("/run/x.sock".into());
        let failure = Failure::from(Err::<(), _>(lost).context("cannot submit").unwrap_err());
        assert_eq!(failure.exit(), Exit::NotRunning);
        let expected =
            "cannot submit\n  caused by: no node answers on /run/x.sock\n  hint: `shieldwall run` starts the node";
        assert_eq!(failure.text(), expected);
    }

    #[test]
    fn a_reader_that_goes_away_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(failure.is_broken_pipe());
        assert!(!Failure::new(Exit::Failure, "no").is_broken_pipe());
    }
}
