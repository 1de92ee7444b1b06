//! The signer: a thread with the signing keys and the guard, and nothing else; or, with the log's key, a process of its own.
//!
//! It reads what it is asked to sign, and signs nothing else than what its key is for ([`crate::ledger::examine`]). For statements, the guard has position and digest of
//! every message on disk before the first signature of the group is made, and no more are signed than the caps allow (`pace`). All that is a `vault`;
//! `serve` puts it into a process of its own, where the node reaches it over a socket (`remote`, `wire`) and where it also knows the `tree`.

mod adopt;
mod fault;
mod pace;
mod remote;
mod serve;
mod tree;
mod vault;
mod wire;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc as orders;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::disk::{Guard, GuardRefusal};
use crate::encoding::hash::{Digest, Kid};
use crate::encoding::ids::LogId;
use crate::encoding::time::UnixTime;
use crate::identity::{PublicKey, SecretKey};
use crate::ledger::examine;
use crate::node::clock;
use crate::node::token::{TokenError, TokenKey};
use crate::protocol::{Input, Now, SigningKey};

pub use adopt::{AdoptError, begin, make_tree, move_guard};
pub use pace::Caps;
pub use remote::known;
pub use serve::{Apart, Keyed, ServeError};
pub use tree::TreeError;
pub use vault::VaultError;

use remote::Remote;
use vault::{Vault, Verdict};

/// Between two looks whether what is held back may be signed.
const LOOK: Duration = Duration::from_millis(50);

/// Between two looks whether a signer of its own is there, while nothing is to be signed.
const IDLE: Duration = Duration::from_secs(2);

/// Before a signer that is away is asked again.
const AGAIN_MS: i64 = 500;

/// Orders that may wait; the core has at most a handful under way.
const ORDERS: usize = 64;

/// What the signer is asked for.
#[derive(Debug)]
pub(super) struct Order {
    pub id: u64,
    pub with: SigningKey,
    pub messages: Vec<Vec<u8>>,
    pub guard: Vec<(u64, Digest)>,
}

/// The keys that sign for a running node.
#[derive(Debug)]
pub struct SigningKeys {
    /// What signs the log; none on a machine that was restored, or that only rebuilds what it lost.
    pub log: Option<LogSigner>,
    /// The key of cosignatures.
    pub witness: SecretKey,
}

/// What signs a log.
#[derive(Debug)]
pub enum LogSigner {
    /// A thread of the node, with this key.
    Thread(LogKey),
    /// A process of its own.
    Process {
        /// Where it answers.
        socket: PathBuf,
        /// The log's key, as the manifest names it.
        key: PublicKey,
    },
}

/// The key of a log, wherever it is.
#[derive(Debug)]
pub enum LogKey {
    /// In a key file, and in memory while the node runs.
    File(Box<SecretKey>),
    /// In a token, and nowhere else.
    Token(Box<TokenKey>),
}

impl LogKey {
    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        match self {
            Self::File(key) => key.public(),
            Self::Token(key) => key.public(),
        }
    }

    fn sign(&mut self, message: &[u8]) -> Result<[u8; 64], TokenError> {
        match self {
            Self::File(key) => Ok(key.sign(message)),
            Self::Token(key) => key.sign(message),
        }
    }
}

/// A signer that was started.
#[derive(Debug)]
pub(super) struct Signer {
    /// Where it takes orders. It ends when this is dropped.
    pub orders: orders::SyncSender<Order>,
    /// How it is.
    pub condition: Arc<Condition>,
}

/// How a signer is: written by its thread, read by whoever is asked for the node's status.
#[derive(Debug, Default)]
pub(super) struct Condition {
    refuses: Mutex<Option<String>>,
    away: Mutex<Option<Away>>,
    holds_until_ms: AtomicI64,
}

/// That whatever signs is not there, or that its disk or token fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Away {
    /// Since when.
    pub since: UnixTime,
    /// What was seen.
    pub reason: String,
}

impl Condition {
    /// Why it does not sign the log, if it does not.
    pub(super) fn refuses(&self) -> Option<String> {
        self.refuses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Since when it is not there, if it is not.
    pub(super) fn away(&self) -> Option<Away> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Until when it holds back what it was asked to sign, because of the caps.
    pub(super) fn holds_until(&self) -> Option<UnixTime> {
        let until_ms = self.holds_until_ms.load(Ordering::Relaxed);
        (until_ms > 0).then(|| Now(until_ms).time())
    }

    /// Notes why it refuses to sign the log, if so, and tells the journal when that is new.
    fn set_refuses(&self, reason: Option<String>) {
        let mut refuses = self.refuses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reason) = reason.as_ref().filter(|reason| refuses.as_ref() != Some(*reason)) {
            tracing::error!(%reason, "this node logs nothing; its member's next log is to be opened: docs/backup.md");
        }
        *refuses = reason;
    }

    /// Notes whether the signer is there, and tells the journal when that changes.
    fn set_away(&self, reason: Option<String>) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        match (away.as_mut(), reason) {
            (None, None) => {}
            (None, Some(reason)) => {
                tracing::error!(%reason, "nothing is signed; what is to be signed waits");
                *away = Some(Away { since: clock::now(), reason });
            }
            (Some(away), Some(reason)) => away.reason = reason,
            (Some(_), None) => {
                tracing::info!("the signer is there again");
                *away = None;
            }
        }
    }
}

/// What a thread hands a log's messages to.
enum Back {
    Refuses(String),
    Here(Vault),
    /// A process of its own.
    Apart(Remote),
    /// The thread that waits for that: cosignatures do not.
    Thread(orders::SyncSender<Order>),
}

/// Starts the signer of `log`.
///
/// A guard that is not there is not begun here: only whoever makes the log's key knows that nothing was signed. Without it, the
/// signer cosigns, and refuses to sign the log. So it does without the log's key, and if the guard knows of fewer statements than the
/// `size` that the log has. A signer that is a process of its own is waited for.
///
/// # Errors
/// [`GuardRefusal`] if the guard is damaged or of another machine.
pub(super) fn start(
    data_dir: &Path,
    log: LogId,
    size: u64,
    keys: SigningKeys,
    caps: Caps,
    answers: mpsc::Sender<Input>,
) -> Result<Signer, GuardRefusal> {
    let SigningKeys { log: log_signer, witness } = keys;
    let condition = Arc::new(Condition::default());
    let back = match log_signer {
        None => Back::Refuses(format!("the key of log {log} is not on this machine")),
        Some(LogSigner::Process { socket, key }) => {
            let remote = Back::Apart(Remote::new(socket, log, key, size));
            let desk = Desk { log, back: remote, witness: None, condition: condition.clone(), held: VecDeque::new() };
            Back::Thread(desk.start("signer-apart", answers.clone())?)
        }
        Some(LogSigner::Thread(key)) if Guard::exists(data_dir, log) => {
            let vault = Vault::open(data_dir, log, key, caps, size)?;
            if vault.known() < size { Back::Refuses(ends_before(log)) } else { Back::Here(vault) }
        }
        Some(LogSigner::Thread(_)) => Back::Refuses(no_guard(log)),
    };
    if let Back::Refuses(reason) = &back {
        condition.set_refuses(Some(reason.clone()));
    }
    let kid = witness.public().kid();
    let desk = Desk { log, back, witness: Some((witness, kid)), condition: condition.clone(), held: VecDeque::new() };
    Ok(Signer { orders: desk.start("signer", answers)?, condition })
}

fn ends_before(log: LogId) -> String {
    format!("the signer guard of log {log} ends before the log does")
}

fn no_guard(log: LogId) -> String {
    format!("the signer guard of log {log} is not on this machine")
}

/// What a thread has.
struct Desk {
    log: LogId,
    back: Back,
    /// The key of cosignatures, and its id.
    witness: Option<(SecretKey, Kid)>,
    condition: Arc<Condition>,
    /// Orders of the log that wait, each until a time: for the caps, or for a signer that is away. The core has one under way at most; cosignatures go on.
    held: VecDeque<(Order, i64)>,
}

impl Desk {
    /// Starts the thread. It ends when nobody gives orders any more.
    fn start(mut self, name: &str, answers: mpsc::Sender<Input>) -> Result<orders::SyncSender<Order>, GuardRefusal> {
        let (sender, taken) = orders::sync_channel::<Order>(ORDERS);
        let work = move || {
            self.look();
            while let Some(order) = self.next(&taken) {
                if let Some(answer) = order.and_then(|order| self.serve(order))
                    && answers.blocking_send(answer).is_err()
                {
                    return;
                }
            }
        };
        let started = thread::Builder::new().name(name.to_owned()).spawn(work);
        drop(started.map_err(|source| {
            let doing = "starting the signer's thread".to_owned();
            GuardRefusal::Storage(crate::ledger::StoreError::Io { doing, source })
        })?);
        Ok(sender)
    }

    /// The next order: one that was held back, if it is due. None if nobody gives orders any more; nothing in it if there is nothing to do but look again.
    fn next(&mut self, taken: &orders::Receiver<Order>) -> Option<Option<Order>> {
        if self.held.front().is_some_and(|(_, until_ms)| clock::now_ms() >= *until_ms) {
            return Some(self.held.pop_front().map(|(order, _)| order));
        }
        match taken.recv_timeout(if self.held.is_empty() { IDLE } else { LOOK }) {
            Ok(order) => Some(Some(order)),
            Err(orders::RecvTimeoutError::Disconnected) => None,
            Err(orders::RecvTimeoutError::Timeout) => {
                if self.held.is_empty() {
                    self.look();
                }
                Some(None)
            }
        }
    }

    /// Looks whether a signer of its own is there.
    fn look(&mut self) {
        let Back::Apart(remote) = &mut self.back else { return };
        match remote.look() {
            Ok(refuses) => {
                self.condition.set_refuses(refuses);
                self.condition.set_away(None);
            }
            Err(reason) => self.condition.set_away(Some(reason)),
        }
    }

    /// Has an order signed; no answer if it is held back, or handed on.
    fn serve(&mut self, order: Order) -> Option<Input> {
        let id = order.id;
        let verdict = match order.with {
            SigningKey::Witness => self.cosign(&order.messages),
            SigningKey::Log(wanted) if wanted != self.log => {
                Verdict::NotSigned(format!("this signer has no key of log {wanted}"))
            }
            SigningKey::Log(_) => {
                let verdict = match &mut self.back {
                    Back::Refuses(reason) => Verdict::NotSigned(reason.clone()),
                    Back::Here(vault) => vault.sign(&order.messages, &order.guard),
                    Back::Apart(remote) => {
                        let condition = &self.condition;
                        remote.sign(&order.messages, &order.guard, |reason| condition.set_away(Some(reason)))
                    }
                    Back::Thread(orders) => {
                        // One is under way at most, so it is never full.
                        let ended = orders.try_send(order).is_err();
                        return ended.then(|| Input::NotSigned { id, reason: "the signer has ended".to_owned() });
                    }
                };
                self.note(&verdict);
                verdict
            }
        };
        let until_ms = match verdict {
            Verdict::Signed(signatures) => return Some(Input::Signed { id, signatures }),
            Verdict::NotSigned(reason) => return Some(Input::NotSigned { id, reason }),
            Verdict::Later(until_ms) => until_ms,
            Verdict::Away(_) => clock::now_ms() + AGAIN_MS,
        };
        self.held.push_back((order, until_ms));
        None
    }

    /// Notes what a verdict on the log's messages tells of the signer.
    fn note(&self, verdict: &Verdict) {
        let until_ms = if let Verdict::Later(until_ms) = verdict { *until_ms } else { 0 };
        if until_ms > 0 {
            tracing::warn!(log = %self.log, until_ms, "held back: more was to be signed than limits allow");
        }
        self.condition.holds_until_ms.store(until_ms, Ordering::Relaxed);
        let away = if let Verdict::Away(reason) = verdict { Some(reason.clone()) } else { None };
        self.condition.set_away(away);
    }

    fn cosign(&self, messages: &[Vec<u8>]) -> Verdict {
        let Some((witness, kid)) = &self.witness else {
            return Verdict::NotSigned("this thread has no key of cosignatures".to_owned());
        };
        match examine::for_witness(self.log.member, *kid, messages) {
            Ok(()) => Verdict::Signed(messages.iter().map(|message| witness.sign(message)).collect()),
            Err(reason) => Verdict::NotSigned(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Claim;
    use crate::ledger::examine::tests::{entries, root_of, statement_of};

    fn order(id: u64, positions: std::ops::Range<u64>, kid: crate::encoding::hash::Kid) -> Order {
        let from = positions.start;
        let messages: Vec<_> = positions.map(|at| statement_of("GE", at, kid).to_be_signed()).collect();
        let guard = entries(&messages, from);
        Order { id, with: SigningKey::Log("GE".parse().unwrap()), messages, guard }
    }

    #[test]
    fn what_is_held_back_waits_and_cosignatures_go_on() {
        let dir = tempfile::tempdir().unwrap();
        let log: LogId = "GE".parse().unwrap();
        drop(Guard::open(dir.path(), log).unwrap());
        let (key, witness) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let (kid, witness_kid) = (key.public().kid(), witness.public().kid());
        let keys = SigningKeys { log: Some(LogSigner::Thread(LogKey::File(Box::new(key)))), witness };
        let (answers, mut answered) = mpsc::channel(8);
        let signer = start(dir.path(), log, 0, keys, Caps { per_minute: 2, per_day: 1_000 }, answers).unwrap();
        let send = |order| signer.orders.send(order).unwrap();
        send(order(1, 0..2, kid));
        assert!(matches!(answered.blocking_recv(), Some(Input::Signed { id: 1, signatures }) if signatures.len() == 2));
        send(order(2, 2..3, kid));
        let cosignature = root_of(Claim::Frontier { logs: 1 }, "GE", witness_kid).to_be_signed();
        send(Order { id: 3, with: SigningKey::Witness, messages: vec![cosignature], guard: Vec::new() });
        assert!(matches!(answered.blocking_recv(), Some(Input::Signed { id: 3, .. })), "the other one waits");
        assert!(signer.condition.holds_until().unwrap() > clock::now());
        assert_eq!(Guard::open(dir.path(), log).unwrap().highest(), Some(1), "what is not signed is not in the guard");
    }

    #[test]
    fn what_is_not_what_it_is_said_to_be_is_not_signed() {
        let dir = tempfile::tempdir().unwrap();
        let log: LogId = "GE".parse().unwrap();
        drop(Guard::open(dir.path(), log).unwrap());
        let (key, witness) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let kid = key.public().kid();
        let keys = SigningKeys { log: Some(LogSigner::Thread(LogKey::File(Box::new(key)))), witness };
        let (answers, mut answered) = mpsc::channel(8);
        let signer = start(dir.path(), log, 0, keys, Caps { per_minute: 100, per_day: 1_000 }, answers).unwrap();
        let mut wrong = order(1, 0..1, kid);
        wrong.guard.clear();
        signer.orders.send(wrong).unwrap();
        let Some(Input::NotSigned { reason, .. }) = answered.blocking_recv() else { panic!("it was signed") };
        assert!(reason.contains("no checkpoint"), "{reason}");
        assert_eq!(Guard::open(dir.path(), log).unwrap().highest(), None, "the guard was not told of it");
    }
}
