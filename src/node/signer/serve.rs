//! The signer as a process of its own: it holds the keys of a member's logs, and a node asks it over a socket of this machine.
//!
//! Whoever asks can have nothing signed but the next statement, and the one checkpoint that belongs to what was signed. Nothing else is answered, and
//! nothing of a key ever leaves.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;

use super::vault::{Vault, VaultError, Verdict};
use super::wire::{self, Answer, Bytes, Question, Stand};
use super::{Caps, LogKey, ends_before, no_guard};
use crate::disk::Guard;
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;

/// Connections at the same time. A node has one, and one that looks while it starts; whoever comes then takes the place of the oldest, which may be
/// of a node that has died.
const CONNECTIONS_MAX: usize = 4;

/// For a node to take an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// The keys of a member's logs, each behind its guard.
#[derive(Debug)]
pub struct Apart {
    logs: BTreeMap<LogId, Result<Vault, Stand>>,
}

/// A log and its key, or why that cannot be had.
pub type Keyed = (LogId, Result<LogKey, String>);

/// Why a signer ends.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Its disk or its token fails: it has to read its files again.
    #[error("something could not be signed: {0}")]
    Failed(String),
    /// The socket fails.
    #[error("the signer's socket fails")]
    Socket(#[source] io::Error),
    /// It failed in the middle of an order.
    #[error("the signer failed in the middle of an order; start it again")]
    Broken,
}

impl Apart {
    /// Opens guard and tree of each log, in the signer's folder, whose lock the caller holds. A log of which something is missing or damaged is not
    /// signed; the others are.
    #[must_use]
    pub fn open(dir: &Path, keys: Vec<Keyed>, caps: Caps) -> Self {
        let open = |(log, key): Keyed| {
            let vault = if Guard::exists(dir, log) {
                key.map_err(Stand::Lacks).and_then(|key| Vault::open_apart(dir, log, key, caps).map_err(stand_of))
            } else {
                Err(Stand::Refuses(no_guard(log)))
            };
            (log, vault)
        };
        Self { logs: keys.into_iter().map(open).collect() }
    }

    /// The logs, and why it does not sign one, if so.
    pub fn logs(&self) -> impl Iterator<Item = (LogId, Option<&str>)> {
        self.logs.iter().map(|(log, vault)| match vault {
            Ok(_) | Err(Stand::Signs) => (*log, None),
            Err(Stand::Lacks(reason) | Stand::Refuses(reason)) => (*log, Some(reason.as_str())),
        })
    }

    /// Answers whoever connects, until something fails. Besides this process' own user and root, `node_user` may ask.
    ///
    /// # Errors
    /// [`ServeError`], always.
    pub fn serve(self, listener: UnixListener, node_user: Option<u32>) -> Result<(), ServeError> {
        let (fails, failed) = sync_channel::<ServeError>(CONNECTIONS_MAX);
        let shared = Arc::new(Mutex::new(self));
        thread::spawn(move || {
            let mut connected = VecDeque::new();
            loop {
                let accepted = listener.accept().and_then(|(stream, _)| Ok((stream.try_clone()?, stream)));
                let (held, stream) = match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => return drop(fails.try_send(ServeError::Socket(error))),
                };
                let Ok(peer) = socket_peercred(&stream) else { continue };
                let uid = peer.uid.as_raw();
                if uid != geteuid().as_raw() && uid != 0 && Some(uid) != node_user {
                    tracing::warn!(uid, "somebody else than the node asks; not answered");
                    continue;
                }
                connected.push_back(held);
                if connected.len() > CONNECTIONS_MAX
                    && let Some(oldest) = connected.pop_front()
                {
                    // One that has ended is shut down already.
                    drop(UnixStream::shutdown(&oldest, Shutdown::Both));
                }
                let (shared, fails) = (shared.clone(), fails.clone());
                thread::spawn(move || {
                    match talk(&stream, &shared) {
                        Ok(()) => {}
                        Err(TalkError::Left(error)) => tracing::info!(%error, "left a node"),
                        Err(TalkError::Ends(error)) => drop(fails.try_send(error)),
                    }
                    // The other handle of it is kept until others have come.
                    drop(UnixStream::shutdown(&stream, Shutdown::Both));
                });
            }
        });
        Err(failed.recv().unwrap_or(ServeError::Broken))
    }

    fn stand(&self, log: LogId, key: Digest, size: u64) -> (Stand, u64) {
        let vault = match self.logs.get(&log) {
            None => {
                let reason = format!("the signer has no key of log {log}; if it was drawn since its start, restart it");
                return (Stand::Lacks(reason), 0);
            }
            Some(Err(stand)) => return (stand.clone(), 0),
            Some(Ok(vault)) => vault,
        };
        let stand = if vault.key().digest() != key {
            Stand::Lacks(format!("the signer's key of log {log} is not the one that the manifest names"))
        } else if vault.known() < size {
            Stand::Refuses(ends_before(log))
        } else if !vault.has_tree(size) {
            Stand::Lacks(format!(
                "the tree of log {log} ends before the log does; `shieldwall signer adopt` makes it again"
            ))
        } else {
            Stand::Signs
        };
        (stand, vault.known())
    }
}

/// What a vault that does not open means: a guard that has lost what was signed never signs again, everything else can be mended.
fn stand_of(error: VaultError) -> Stand {
    match error {
        VaultError::Behind { .. } => Stand::Refuses(error.to_string()),
        VaultError::Guard(_) | VaultError::Tree(_) | VaultError::NoTree(_) => {
            Stand::Lacks(format!("{:#}", anyhow::Error::from(error)))
        }
    }
}

enum TalkError {
    /// The node is gone, or speaks another language.
    Left(io::Error),
    /// The signer has to end.
    Ends(ServeError),
}

impl From<io::Error> for TalkError {
    fn from(error: io::Error) -> Self {
        Self::Left(error)
    }
}

/// Answers one node until it leaves.
fn talk(stream: &UnixStream, shared: &Mutex<Apart>) -> Result<(), TalkError> {
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    let mut read = BufReader::new(stream);
    let mut signs = None;
    while let Some(question) = wire::hear(&mut read)? {
        let answer = {
            let mut apart = shared.lock().map_err(|_| TalkError::Ends(ServeError::Broken))?;
            apart.answer(question, &mut signs)
        };
        wire::say(&mut &*stream, &answer)?;
        if let Answer::Failed { reason } = answer {
            return Err(TalkError::Ends(ServeError::Failed(reason)));
        }
    }
    Ok(())
}

impl Apart {
    /// Answers a question of a node that has named the log `signs` before, if any.
    fn answer(&mut self, question: Question, signs: &mut Option<LogId>) -> Answer {
        match question {
            Question::Hello { log, key, size, .. } => {
                let (stand, known) = self.stand(log, key, size);
                *signs = (stand == Stand::Signs).then_some(log);
                Answer::Welcome { version: wire::VERSION, stand, known }
            }
            Question::Ping => Answer::Pong,
            Question::Sign { messages, guard } => {
                let messages: Vec<Vec<u8>> = messages.into_iter().map(|message| message.0).collect();
                match signs.and_then(|log| self.logs.get_mut(&log)) {
                    Some(Ok(vault)) => answer_of(vault.sign(&messages, &guard)),
                    Some(Err(_)) | None => Answer::NotSigned { reason: "no log was named that is signed".to_owned() },
                }
            }
        }
    }
}

fn answer_of(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Signed(signatures) => {
            Answer::Signed { signatures: signatures.iter().map(|one| Bytes(one.to_vec())).collect() }
        }
        Verdict::NotSigned(reason) => {
            tracing::error!(%reason, "not signed");
            Answer::NotSigned { reason }
        }
        Verdict::Away(reason) => Answer::Failed { reason },
        Verdict::Later(until_ms) => Answer::Later { until_ms },
    }
}

#[cfg(test)]
mod tests {
    use super::super::adopt;
    use super::super::remote::Remote;
    use super::*;
    use crate::encoding::hash::{Digest, Kid};
    use crate::encoding::merkle;
    use crate::identity::{PublicKey, SecretKey};
    use crate::ledger::examine::tests::{checkpoint_of, entries, root_of, statement_of};
    use crate::node::socket;

    fn key() -> SecretKey {
        SecretKey::from_seed(&[1; 32])
    }

    fn kid() -> Kid {
        key().public().kid()
    }

    fn log() -> LogId {
        "GE".parse().unwrap()
    }

    /// A signer of Georgia's log that answers in this process, in a folder where guard and tree were begun.
    fn serve(dir: &Path) -> std::path::PathBuf {
        let caps = Caps { per_minute: 1_000, per_day: 1_000_000 };
        let apart = Apart::open(dir, vec![(log(), Ok(LogKey::File(Box::new(key()))))], caps);
        let path = dir.join("run").join("signer.sock");
        let listener = socket::bind(&path, None).unwrap();
        thread::spawn(move || apart.serve(listener, None));
        path
    }

    fn remote(path: &Path, key: PublicKey, size: u64) -> Remote {
        Remote::new(path.to_owned(), log(), key, size)
    }

    fn statements(positions: std::ops::Range<u64>) -> Vec<Vec<u8>> {
        positions.map(|at| statement_of("GE", at, kid()).to_be_signed()).collect()
    }

    fn checkpoint(size: u64, root: Digest) -> Vec<Vec<u8>> {
        let mut checkpoint = root_of(checkpoint_of("GE", size), "GE", kid());
        checkpoint.root = root;
        vec![checkpoint.to_be_signed()]
    }

    fn root(size: u64) -> Digest {
        let leaf = |at| {
            let statement = statement_of("GE", at, kid());
            merkle::leaf_hash(&statement.signed(key().sign(&statement.to_be_signed())))
        };
        merkle::root(&(0..size).map(leaf).collect::<Vec<_>>())
    }

    fn sign(remote: &mut Remote, messages: &[Vec<u8>], from: u64) -> Verdict {
        remote.sign(messages, &entries(messages, from), |_| {})
    }

    #[track_caller]
    fn refused(verdict: Verdict) -> String {
        let Verdict::NotSigned(reason) = verdict else { panic!("{verdict:?}") };
        reason
    }

    #[test]
    fn a_node_that_was_taken_over_has_nothing_signed_but_the_next_statement_and_its_checkpoint() {
        let dir = tempfile::tempdir().unwrap();
        adopt::begin(dir.path(), log()).unwrap();
        let path = serve(dir.path());
        let mut remote = remote(&path, key().public(), 0);
        assert_eq!(remote.look(), Ok(None));
        let first = statements(0..3);
        let Verdict::Signed(signatures) = sign(&mut remote, &first, 0) else { panic!("not signed") };
        let verified =
            first.iter().zip(&signatures).all(|(one, signature)| key().public().verify(one, signature).is_ok());
        assert!(verified && signatures.len() == 3);
        let claim = |remote: &mut Remote, size, root| remote.sign(&checkpoint(size, root), &[], |_| {});
        assert!(matches!(claim(&mut remote, 3, root(3)), Verdict::Signed(_)));
        // A second history: at a position, or as a checkpoint alone.
        let mut rival = statement_of("GE", 1, kid());
        rival.size_class += 1;
        assert!(refused(sign(&mut remote, &[rival.to_be_signed()], 1)).contains("the guard holds"));
        assert!(refused(claim(&mut remote, 3, root(2))).contains("another root"));
        assert!(refused(claim(&mut remote, 2, root(2))).contains("of which 3 were signed"));
        assert!(refused(sign(&mut remote, &statements(5..6), 5)).contains("ends before"));
        assert!(refused(remote.sign(&[b"pay the bearer".to_vec()], &[], |_| {})).contains("no checkpoint"));
        // A date that nobody could go back behind.
        let mut far = statement_of("GE", 3, kid());
        far.issued_at = crate::encoding::time::UnixTime::from_seconds(4_102_444_800).unwrap();
        assert!(matches!(sign(&mut remote, &[far.to_be_signed()], 3), Verdict::Later(_)));
        // None of that has harmed anything.
        assert!(matches!(sign(&mut remote, &statements(3..4), 3), Verdict::Signed(_)));
        assert!(matches!(claim(&mut remote, 4, root(4)), Verdict::Signed(_)));
    }

    #[test]
    fn who_does_not_say_which_log_has_nothing_signed() {
        let dir = tempfile::tempdir().unwrap();
        adopt::begin(dir.path(), log()).unwrap();
        let stream = UnixStream::connect(serve(dir.path())).unwrap();
        let mut read = BufReader::new(&stream);
        let mut ask = |question: &Question| -> Option<Answer> {
            wire::say(&mut &stream, question).unwrap();
            wire::hear(&mut read).unwrap()
        };
        let first = statements(0..1);
        let sign = Question::Sign { messages: first.iter().cloned().map(Bytes).collect(), guard: entries(&first, 0) };
        assert!(matches!(ask(&sign), Some(Answer::NotSigned { .. })));
        let hello = |log: &str, key: PublicKey| Question::Hello {
            version: wire::VERSION,
            log: log.parse().unwrap(),
            key: key.digest(),
            size: 0,
        };
        let another = SecretKey::from_seed(&[2; 32]).public();
        for other in [hello("GE.2", key().public()), hello("TR", key().public()), hello("GE", another)] {
            let answer = ask(&other);
            assert!(matches!(&answer, Some(Answer::Welcome { stand: Stand::Lacks(_), .. })), "{answer:?}");
            assert!(matches!(ask(&sign), Some(Answer::NotSigned { .. })));
        }
        assert!(matches!(
            ask(&hello("GE", key().public())),
            Some(Answer::Welcome { stand: Stand::Signs, known: 0, .. })
        ));
        assert!(matches!(ask(&sign), Some(Answer::Signed { .. })));
        assert!(matches!(
            ask(&hello("GE", key().public())),
            Some(Answer::Welcome { stand: Stand::Signs, known: 1, .. })
        ));
    }

    #[test]
    fn what_is_missing_is_told_and_what_is_lost_ends_the_log() {
        let dir = tempfile::tempdir().unwrap();
        drop(Guard::open(dir.path(), log()).unwrap());
        let path = serve(dir.path());
        let away = remote(&path, key().public(), 0).look().unwrap_err();
        assert!(away.contains("signer adopt"), "no tree: {away}");
        let dir = tempfile::tempdir().unwrap();
        adopt::begin(dir.path(), log()).unwrap();
        let path = serve(dir.path());
        // The node has a statement that this guard was never asked about. It says so whenever it is asked.
        let mut ahead = remote(&path, key().public(), 1);
        for _ in 0..2 {
            let refuses = ahead.look().unwrap().unwrap();
            assert!(refuses.contains("ends before the log does"), "{refuses}");
        }
        let other = remote(&path, SecretKey::from_seed(&[2; 32]).public(), 0).look().unwrap_err();
        assert!(other.contains("not the one that the manifest names"), "{other}");
        let none = remote(&dir.path().join("none.sock"), key().public(), 0).look().unwrap_err();
        assert!(none.contains("none.sock"), "{none}");
    }

    #[test]
    fn a_guard_that_has_lost_what_the_tree_has_signs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        adopt::begin(dir.path(), log()).unwrap();
        let path = serve(dir.path());
        assert!(matches!(sign(&mut remote(&path, key().public(), 0), &statements(0..3), 0), Verdict::Signed(_)));
        let dir = dir.path();
        std::fs::remove_file(dir.join("guard/GE.guard")).unwrap();
        drop(Guard::open(dir, log()).unwrap());
        let keys = vec![(log(), Ok(LogKey::File(Box::new(key()))))];
        let apart = Apart::open(dir, keys, Caps { per_minute: 9, per_day: 9 });
        let (stand, _) = apart.stand(log(), key().public().digest(), 0);
        assert!(matches!(&stand, Stand::Refuses(reason) if reason.contains("and 3 were signed")), "{stand:?}");
    }

    #[test]
    fn a_signer_whose_disk_fails_ends_and_refuses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        adopt::begin(dir.path(), log()).unwrap();
        let keys = vec![(log(), Ok(LogKey::File(Box::new(key()))))];
        let apart = Apart::open(dir.path(), keys, Caps { per_minute: 9, per_day: 9 });
        let socket = tempfile::tempdir().unwrap();
        let path = socket.path().join("run").join("signer.sock");
        let listener = socket::bind(&path, None).unwrap();
        let served = thread::spawn(move || apart.serve(listener, None));
        let mut remote = remote(&path, key().public(), 0);
        assert_eq!(remote.look(), Ok(None));
        drop(dir);
        assert!(matches!(sign(&mut remote, &statements(0..1), 0), Verdict::Away(_)));
        assert!(matches!(served.join().unwrap(), Err(ServeError::Failed(_))));
    }

    #[test]
    fn whoever_comes_takes_the_place_of_the_oldest() {
        let dir = tempfile::tempdir().unwrap();
        adopt::begin(dir.path(), log()).unwrap();
        let path = serve(dir.path());
        let ping = |stream: &UnixStream| -> Option<Answer> {
            wire::say(&mut &*stream, &Question::Ping).ok()?;
            wire::hear(&mut BufReader::new(stream)).ok()?
        };
        let all: Vec<UnixStream> = (0..=CONNECTIONS_MAX)
            .map(|_| {
                let stream = UnixStream::connect(&path).unwrap();
                assert!(matches!(ping(&stream), Some(Answer::Pong)));
                stream
            })
            .collect();
        let answered: Vec<bool> = all.iter().map(|stream| ping(stream).is_some()).collect();
        assert_eq!(answered.iter().filter(|answered| **answered).count(), CONNECTIONS_MAX);
        assert!(!answered[0], "the oldest is left");
    }

    #[test]
    fn an_answer_that_was_lost_is_given_again() {
        let dir = tempfile::tempdir().unwrap();
        adopt::begin(dir.path(), log()).unwrap();
        let path = serve(dir.path());
        let group = statements(0..4);
        let signed = || {
            let verdict = sign(&mut remote(&path, key().public(), 0), &group, 0);
            assert!(matches!(verdict, Verdict::Signed(_)), "{verdict:?}");
            verdict
        };
        assert_eq!(signed(), signed());
    }
}
