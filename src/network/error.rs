//! Why the network does not start.

use std::error::Error;

/// Why the network does not start, or why an address or a key is no good.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// `SSLKEYLOGFILE` is set: the TLS library would write the secrets of every session to that file.
    #[error(
        "the environment variable SSLKEYLOGFILE is set; with it, the secrets of every connection are written to a file"
    )]
    KeyLog,
    /// The bytes are not an Ed25519 public key, or are a weak one (small order).
    #[error("transport key {0} is not a usable Ed25519 key")]
    BadKey(String),
    /// The text is not a PeerId of an Ed25519 key.
    #[error("{0:?} is not the peer id of an Ed25519 key")]
    BadPeerId(String),
    /// The text is not a multiaddress, or one that this node cannot use (names are not resolved).
    #[error("{address:?} is not a usable address: {reason}")]
    BadAddress {
        /// The text given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system does not let us listen there.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address asked for.
        address: String,
        /// What the operating system says.
        reason: String,
    },
    /// A transport or a protocol could not be set up.
    #[error("cannot set up {part}: {reason}")]
    Setup {
        /// Which part.
        part: &'static str,
        /// What it says.
        reason: String,
    },
}

/// The error and what caused it, in one line.
pub(super) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
