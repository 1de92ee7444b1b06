//! The signer: a thread with the signing keys and the guard, and nothing else.
//!
//! For statements, the guard has position and digest of every message on disk before the first signature of the group is made.

use std::path::Path;
use std::thread;

use tokio::sync::mpsc;

use crate::disk::{Guard, GuardRefusal};
use crate::encoding::hash::Digest;
use crate::encoding::ids::LogId;
use crate::identity::SecretKey;
use crate::protocol::{Input, SigningKey};

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
    /// The log's key.
    pub log: SecretKey,
    /// The key of cosignatures.
    pub witness: SecretKey,
}

/// Starts the signer of `log`. It ends when the sender of orders is dropped.
///
/// A guard that is not there is not begun here: only whoever makes the log's key knows that nothing was signed. Without it, the
/// signer cosigns, and refuses to sign the log. So it does if the guard knows of fewer statements than the `size` that the log has.
///
/// # Errors
/// [`GuardRefusal`] if the guard is damaged or of another machine.
pub(super) fn start(
    data_dir: &Path,
    log: LogId,
    size: u64,
    keys: SigningKeys,
    answers: mpsc::Sender<Input>,
) -> Result<mpsc::Sender<Order>, GuardRefusal> {
    let mut guard = if Guard::exists(data_dir, log) {
        let guard = Guard::open(data_dir, log)?;
        if guard.covers(size) { Ok(guard) } else { Err("ends before the log does") }
    } else {
        Err("is not on this machine")
    };
    let (sender, mut orders) = mpsc::channel::<Order>(ORDERS);
    let work = move || {
        while let Some(order) = orders.blocking_recv() {
            let answer = sign(guard.as_mut().map_err(|reason| *reason), log, &keys, order);
            if answers.blocking_send(answer).is_err() {
                return;
            }
        }
    };
    let name = "signer".to_owned();
    let started = thread::Builder::new().name(name).spawn(work);
    drop(started.map_err(|source| {
        let doing = "starting the signer's thread".to_owned();
        GuardRefusal::Storage(crate::ledger::StoreError::Io { doing, source })
    })?);
    Ok(sender)
}

fn sign(guard: Result<&mut Guard, &'static str>, log: LogId, keys: &SigningKeys, order: Order) -> Input {
    let Order { id, with, messages, guard: entries } = order;
    let key = match with {
        SigningKey::Witness => &keys.witness,
        SigningKey::Log(wanted) if wanted == log => &keys.log,
        SigningKey::Log(wanted) => {
            return Input::NotSigned { id, reason: format!("this signer has no key of log {wanted}") };
        }
    };
    if matches!(with, SigningKey::Log(_)) {
        let guard = match guard {
            Ok(guard) => guard,
            Err(reason) => {
                return Input::NotSigned { id, reason: format!("the signer guard of log {log} {reason}") };
            }
        };
        if let Err(refusal) = guard.check_and_record(&entries) {
            return Input::NotSigned { id, reason: refusal.to_string() };
        }
    }
    Input::Signed { id, signatures: messages.iter().map(|message| key.sign(message)).collect() }
}
