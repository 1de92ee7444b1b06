//! What node and signer say to each other when the signer is a process of its own: one line of JSON each way, the node asks.

use std::io::{self, BufRead, Read as _, Write};

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;

/// The version of this language. Node and signer are one program: another version is one of them not restarted yet.
pub(super) const VERSION: u16 = 1;

/// Bytes of a line at most: a group of statements, each as long as they may be, is a third of it.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// What a node asks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Question {
    /// First of all: which log this is about, and how long it is at the node.
    Hello {
        /// [`VERSION`] of the node.
        version: u16,
        /// The log.
        log: LogId,
        /// The digest of its key, as the manifest names it.
        key: Digest,
        /// Its statements.
        size: u64,
    },
    /// Sign these: statements, each with its entry for the guard, or checkpoints without.
    Sign {
        /// What is to be signed.
        messages: Vec<Bytes>,
        /// Position and digest of each statement.
        guard: Vec<(u64, Digest)>,
    },
    /// Whether anybody is there.
    Ping,
}

/// What a signer answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// To [`Question::Hello`].
    Welcome {
        /// [`VERSION`] of the signer.
        version: u16,
        /// Whether it signs the log.
        stand: Stand,
        /// Statements that the guard knows of.
        known: u64,
    },
    /// A signature for each message.
    Signed {
        /// 64 bytes each, in their order.
        signatures: Vec<Bytes>,
    },
    /// It does not sign that, and never will.
    NotSigned {
        /// Why.
        reason: String,
    },
    /// Its disk or token fails: it ends, and is to be started again.
    Failed {
        /// What fails.
        reason: String,
    },
    /// It will, when the caps allow.
    Later {
        /// When to ask again, in milliseconds since 1970.
        until_ms: i64,
    },
    /// To [`Question::Ping`].
    Pong,
}

/// How a signer stands to a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stand {
    /// It signs it.
    Signs,
    /// It cannot, before an operator has done something.
    Lacks(String),
    /// It never will again.
    Refuses(String),
}

/// Bytes, in base64 on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        BASE64.encode(&bytes.0)
    }
}

impl TryFrom<String> for Bytes {
    type Error = data_encoding::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        BASE64.decode(text.as_bytes()).map(Self)
    }
}

/// Says something.
pub(super) fn say(to: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// Hears what is said next; none if the other end is gone.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for what is none of this, or too long.
pub(super) fn hear<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    hear_patiently(from, Err)
}

/// The same; when the time to read is up, `patience` says whether to go on.
pub(super) fn hear_patiently<T: DeserializeOwned>(
    from: &mut impl BufRead,
    mut patience: impl FnMut(io::Error) -> io::Result<()>,
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    loop {
        let left = LINE_BYTES_MAX.saturating_sub(line.len() as u64);
        match from.by_ref().take(left).read_until(b'\n', &mut line) {
            Ok(_) => break,
            Err(error) if [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut].contains(&error.kind()) => {
                patience(error)?
            }
            Err(error) => return Err(error),
        }
    }
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(serde_json::from_slice(&line)?)),
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a line that does not end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard_and_nothing_else() {
        let mut line = Vec::new();
        let guard = vec![(7, Digest([9; 32]))];
        say(&mut line, &Question::Sign { messages: vec![Bytes(vec![0, 255])], guard: guard.clone() }).unwrap();
        say(&mut line, &Question::Ping).unwrap();
        let mut from = line.as_slice();
        let Ok(Some(Question::Sign { messages, guard: heard })) = hear(&mut from) else { panic!("not heard") };
        assert_eq!((messages, heard), (vec![Bytes(vec![0, 255])], guard));
        assert!(matches!(hear(&mut from), Ok(Some(Question::Ping))));
        assert!(matches!(hear::<Question>(&mut from), Ok(None)));
        for bad in
            ["{\"sign\":{\"messages\":[\"?\"],\"guard\":[]}}\n", "\"ping\"", "\"pong\"\n", "\n", "{}\n", "\u{0}\n"]
        {
            assert!(hear::<Question>(&mut bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
