//! A signer that is a process of its own, as the node sees it: asked over a socket, waited for when it is not there.

use std::io::{self, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::vault::Verdict;
use super::wire::{self, Answer, Bytes, Question, Stand};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::identity::PublicKey;

/// For an answer that needs nothing but the process; and before it is said that one does not come.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two tries to reach a signer that is being started.
const RETRY: Duration = Duration::from_millis(100);

/// The way to the signer of one log.
#[derive(Debug)]
pub(super) struct Remote {
    socket: PathBuf,
    log: LogId,
    /// The log's key as the manifest names it: whoever answers at the socket, no other signature is taken.
    key: PublicKey,
    size: u64,
    stream: Option<BufReader<UnixStream>>,
}

/// How many statements of its log the signer's guard knows of; none if it is not there within `tries` tries, ten a second, or does not sign the log.
#[must_use]
pub fn known(socket: &Path, log: LogId, key: PublicKey, size: u64, tries: u32) -> Option<u64> {
    for _ in 0..tries {
        match Remote::new(socket.to_owned(), log, key, size).connect() {
            Ok(Answer::Welcome { stand: Stand::Signs, known, .. }) => return Some(known),
            Ok(_) => return None,
            Err(_) => thread::sleep(RETRY),
        }
    }
    None
}

impl Remote {
    /// Not connected yet. The log has `size` statements at the node.
    pub(super) fn new(socket: PathBuf, log: LogId, key: PublicKey, size: u64) -> Self {
        Self { socket, log, key, size, stream: None }
    }

    /// Looks whether the signer is there, and connects to it if not yet; gives why it refuses to sign the log, if it does.
    ///
    /// # Errors
    /// Why it is not there, or cannot sign.
    pub(super) fn look(&mut self) -> Result<Option<String>, String> {
        let asked = if self.stream.is_some() { self.ask(&Question::Ping, Err) } else { self.connect() };
        let stand = match asked {
            Ok(Answer::Pong) => Stand::Signs,
            Ok(Answer::Welcome { stand, .. }) => stand,
            Ok(answer) => return Err(self.gone(&unexpected(&answer))),
            Err(error) => return Err(self.gone(&error)),
        };
        match stand {
            Stand::Signs => Ok(None),
            Stand::Lacks(reason) => Err(self.gone(&io::Error::other(reason))),
            Stand::Refuses(reason) => {
                // It is asked anew next time.
                self.stream = None;
                Ok(Some(reason))
            }
        }
    }

    /// Has messages signed. `waits` is told when the answer takes its time: a token may, and a process that is stopped does not end.
    pub(super) fn sign(
        &mut self,
        messages: &[Vec<u8>],
        guard: &[(u64, Digest)],
        mut waits: impl FnMut(String),
    ) -> Verdict {
        if self.stream.is_none() {
            match self.look() {
                Ok(None) => {}
                Ok(Some(reason)) => return Verdict::NotSigned(reason),
                Err(reason) => return Verdict::Away(reason),
            }
        }
        let question =
            Question::Sign { messages: messages.iter().cloned().map(Bytes).collect(), guard: guard.to_vec() };
        let socket = self.socket.display().to_string();
        let answer = self.ask(&question, |_| {
            waits(format!("{socket}: no answer yet"));
            Ok(())
        });
        match answer {
            Ok(Answer::Signed { signatures }) => match self.verified(messages, &signatures) {
                Some(signatures) => Verdict::Signed(signatures),
                None => {
                    let what = format!("it does not sign with the key that the manifest names for log {}", self.log);
                    Verdict::Away(self.gone(&io::Error::other(what)))
                }
            },
            Ok(Answer::NotSigned { reason }) => Verdict::NotSigned(reason),
            Ok(Answer::Failed { reason }) => Verdict::Away(self.gone(&io::Error::other(reason))),
            Ok(Answer::Later { until_ms }) => Verdict::Later(until_ms),
            Ok(answer) => Verdict::Away(self.gone(&unexpected(&answer))),
            Err(error) => Verdict::Away(self.gone(&error)),
        }
    }

    fn connect(&mut self) -> io::Result<Answer> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        self.stream = Some(BufReader::new(stream));
        let (log, key, size) = (self.log, self.key.digest(), self.size);
        let answer = self.ask(&Question::Hello { version: wire::VERSION, log, key, size }, Err)?;
        if let Answer::Welcome { version, .. } = &answer
            && *version != wire::VERSION
        {
            return Err(io::Error::other(format!("it speaks version {version}, not {}: restart it", wire::VERSION)));
        }
        Ok(answer)
    }

    fn ask(&mut self, question: &Question, patience: impl FnMut(io::Error) -> io::Result<()>) -> io::Result<Answer> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        wire::say(stream.get_mut(), question)?;
        wire::hear_patiently(stream, patience)?.ok_or_else(|| io::Error::other("it has closed the connection"))
    }

    /// Leaves the connection: whatever comes on it next would answer an older question.
    fn gone(&mut self, error: &io::Error) -> String {
        self.stream = None;
        format!("{}: {error}", self.socket.display())
    }

    fn verified(&self, messages: &[Vec<u8>], signatures: &[Bytes]) -> Option<Vec<[u8; 64]>> {
        let signatures: Vec<[u8; 64]> =
            signatures.iter().map(|signature| signature.0.as_slice().try_into().ok()).collect::<Option<_>>()?;
        let all = signatures.len() == messages.len()
            && messages.iter().zip(&signatures).all(|(message, one)| self.key.verify(message, one).is_ok());
        all.then_some(signatures)
    }
}

fn unexpected(answer: &Answer) -> io::Error {
    let what = match answer {
        Answer::NotSigned { reason } | Answer::Failed { reason } => reason.as_str(),
        Answer::Welcome { .. } | Answer::Signed { .. } | Answer::Later { .. } | Answer::Pong => {
            "an answer to something else"
        }
    };
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}
