//! Where the passphrase comes from: a private file or the terminal, never an argument or the environment.

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

use super::KeyFileError;
use crate::node::private;

/// Fewer characters than this protect nothing, whatever the key derivation costs.
pub const SHORTEST: usize = 8;

/// A passphrase. It is wiped when dropped and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

/// Why a passphrase cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It is shorter than [`SHORTEST`].
    #[error("a passphrase needs at least {SHORTEST} characters")]
    Short,
    /// The two entries for a new passphrase differ.
    #[error("the two passphrases differ")]
    Differ,
    /// There is no terminal to ask on.
    #[error("cannot ask for a passphrase on this terminal")]
    NoTerminal(#[source] std::io::Error),
}

impl Passphrase {
    /// Takes `text` as the passphrase.
    ///
    /// # Errors
    /// [`PassphraseError::Short`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, PassphraseError> {
        if text.chars().count() < SHORTEST { Err(PassphraseError::Short) } else { Ok(Self(text)) }
    }

    /// The first line of a file that is as private as a key file must be, or that is a credential of the service manager.
    ///
    /// # Errors
    /// [`KeyFileError`] if the file is missing, not private, or too short.
    pub fn from_file(path: &Path) -> Result<Self, KeyFileError> {
        Ok(Self::new(private::first_line(path)?)?)
    }

    /// Asks on the terminal, without echo.
    ///
    /// # Errors
    /// [`PassphraseError`] without a terminal, or if what was typed is too short.
    pub fn ask(prompt: &str) -> Result<Self, PassphraseError> {
        Self::new(ask(prompt)?)
    }

    /// Asks twice for a new passphrase.
    ///
    /// # Errors
    /// [`PassphraseError`] without a terminal, if the two differ, or if it is too short.
    pub fn ask_new() -> Result<Self, PassphraseError> {
        let first = Self::new(ask("New passphrase for the keys of this member: ")?)?;
        let again = ask("The same again: ")?;
        if *first.0 == *again { Ok(first) } else { Err(PassphraseError::Differ) }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Passphrase([redacted])")
    }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, PassphraseError> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(PassphraseError::NoTerminal)
}
