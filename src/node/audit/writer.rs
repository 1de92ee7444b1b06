//! The one who writes lines: a thread of its own, because each line waits for the disk.

use std::thread;

use tokio::sync::{mpsc, oneshot, watch};

use crate::audit::{Act, Anchor};
use crate::disk::AuditLog;
use crate::disk::audit_log::Head;
use crate::encoding::time::UnixTime;
use crate::ledger::StoreError;
use crate::node::clock;

/// Lines that may wait: as many as there are connections by default, twice, and some of the node itself.
const QUEUE: usize = 64;

/// Writes to the audit log of a running node. Clones write to the same.
#[derive(Clone, Debug)]
pub struct Auditor {
    orders: mpsc::Sender<Order>,
    known: watch::Receiver<Known>,
    began: Option<UnixTime>,
}

/// The line is not on the disk, as far as can be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written: {0}")]
pub struct NotWritten(String);

/// What the writer knows of the log.
#[derive(Debug)]
struct Known {
    head: Head,
    failed: Option<String>,
    /// Whether it is for good.
    ended: bool,
    /// An anchor that was compared, and whether the log has its entry.
    compared: Option<(Anchor, bool)>,
}

#[derive(Debug)]
enum Order {
    Write(Box<Act>, oneshot::Sender<Result<u64, NotWritten>>),
    Compare(Anchor),
}

impl Auditor {
    /// Begins to write to a log. The thread ends when the last clone is gone.
    #[must_use]
    pub fn start(log: AuditLog) -> Self {
        let (orders, taken) = mpsc::channel(QUEUE);
        let began = log.began();
        let (told, known) = watch::channel(Known { head: log.head(), failed: None, ended: false, compared: None });
        drop(thread::spawn(move || write(log, taken, &told)));
        Self { orders, known, began }
    }

    /// Writes an entry: when this returns, it is on the disk. Gives its number.
    ///
    /// # Errors
    /// [`NotWritten`].
    pub async fn write(&self, act: Act) -> Result<u64, NotWritten> {
        let ended = || NotWritten("its writer has ended".to_owned());
        let (told, answer) = oneshot::channel();
        self.orders.send(Order::Write(Box::new(act), told)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// When the first entry at hand at the start was written.
    #[must_use]
    pub fn began(&self) -> Option<UnixTime> {
        self.began
    }

    /// The last entry that is on the disk.
    #[must_use]
    pub fn head(&self) -> Head {
        self.known.borrow().head
    }

    /// Why the last entry could not be written; nothing once one could.
    #[must_use]
    pub fn failed(&self) -> Option<NotWritten> {
        self.known.borrow().failed.clone().map(NotWritten)
    }

    /// Why nothing can be written any more, if so: its disk has failed.
    #[must_use]
    pub fn ended(&self) -> Option<StoreError> {
        let known = self.known.borrow();
        let why = known.failed.clone().filter(|_| known.ended)?;
        Some(StoreError::Io { doing: "writing the audit log".to_owned(), source: std::io::Error::other(why) })
    }

    /// Whether the log has the entry that an anchor names; `None` while that is looked up. To ask again is cheap.
    #[must_use]
    pub fn holds(&self, anchor: &Anchor) -> Option<bool> {
        let compared = self.known.borrow().compared;
        let known = compared.filter(|(known, _)| known == anchor).map(|(_, holds)| holds);
        if known.is_none() {
            // With a full queue the next question tries again.
            drop(self.orders.try_send(Order::Compare(*anchor)));
        }
        known
    }
}

fn write(mut log: AuditLog, mut orders: mpsc::Receiver<Order>, told: &watch::Sender<Known>) {
    while let Some(order) = orders.blocking_recv() {
        match order {
            Order::Write(act, answer) => {
                let written = log.append(*act, clock::now()).map_err(|error| NotWritten(text(&error)));
                if let Err(error) = &written {
                    tracing::error!(%error, "what is asked is refused until it can be written");
                }
                let failed = written.as_ref().err().map(|NotWritten(why)| why.clone());
                told.send_modify(|known| {
                    known.head = log.head();
                    known.failed = failed;
                    known.ended = log.has_failed();
                });
                // Who asked may have gone away.
                drop(answer.send(written));
            }
            Order::Compare(anchor) => {
                let digest = log.digest(anchor.entries).unwrap_or_else(|error| {
                    tracing::error!(error = %text(&error), "the audit log cannot be read");
                    None
                });
                told.send_modify(|known| known.compared = Some((anchor, digest == Some(anchor.head))));
            }
        }
    }
}

/// An error with what caused it.
fn text(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
