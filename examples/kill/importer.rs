//! The importer: submits over the socket without a pause, and notes what the node acknowledges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use shieldwall::api::{Client, ClientError};
use shieldwall::formats::Batch;
use shieldwall::node::ask::{Problem, ProblemKind, Request, Response, Submitted};
use shieldwall::record::{Context, Declared, Draft, Strictness};

use super::chance::Chance;
use super::federation;

/// Acknowledged records: the reference of the consignment, and the id that the node gave.
pub(super) type Acknowledged = BTreeMap<String, String>;

/// One answer may take so long, with nodes killed all the time.
const ANSWER: Duration = Duration::from_secs(120);

/// Records submitted together at most.
const PART: u64 = 12;

/// A pause between two parts: thousands of cycles shall not make a ledger of millions.
const PACE: Duration = Duration::from_millis(40);

/// A thread that imports until it is dropped.
pub(super) struct Importer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    acknowledged: Mutex<Acknowledged>,
    faults: Mutex<Vec<String>>,
    count: AtomicU64,
    repeats: AtomicU64,
    resting: AtomicBool,
    /// Whether the thread has seen that it shall rest, and has nothing under way.
    rests: AtomicBool,
    ended: AtomicBool,
}

impl Importer {
    pub(super) fn start(socket: PathBuf, seed: u64) -> Self {
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.run(&socket, Chance::new(seed.wrapping_add(1))))
        };
        Self { shared, thread: Some(thread) }
    }

    /// Waits until nothing is under way: what was submitted is acknowledged.
    pub(super) fn rest(&self) {
        self.shared.resting.store(true, Ordering::SeqCst);
        while !self.shared.rests.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn go_on(&self) {
        self.shared.rests.store(false, Ordering::SeqCst);
        self.shared.resting.store(false, Ordering::SeqCst);
    }

    pub(super) fn count(&self) -> u64 {
        self.shared.count.load(Ordering::SeqCst)
    }

    /// How often a part was submitted again because the node was gone before it answered.
    pub(super) fn repeats(&self) -> u64 {
        self.shared.repeats.load(Ordering::SeqCst)
    }

    pub(super) fn acknowledged(&self) -> Acknowledged {
        self.shared.acknowledged.lock().unwrap().clone()
    }

    pub(super) fn faults(&self) -> Vec<String> {
        self.shared.faults.lock().unwrap().clone()
    }
}

impl Drop for Importer {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self, socket: &Path, mut chance: Chance) {
        let mut next = 0;
        while !self.ended.load(Ordering::SeqCst) {
            if self.resting.load(Ordering::SeqCst) {
                self.rests.store(true, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            let count = usize::try_from(1 + chance.below(PART)).unwrap();
            let drafts = drafts(next..next + count);
            next += count;
            while !self.ended.load(Ordering::SeqCst) && !self.submit(socket, &drafts) {
                self.repeats.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(10));
            }
            thread::sleep(PACE);
        }
    }

    /// Submits one part; whether the node has answered for it.
    fn submit(&self, socket: &Path, drafts: &[Draft]) -> bool {
        let request = Request::Submit { drafts: drafts.to_vec(), imported: true, skip_bad: false };
        let answer = Client::connect(socket, Some(ANSWER)).and_then(|mut node| node.ask(&request, |_| {}));
        let results = match answer {
            Ok(Response::Submitted(results)) => results,
            // The node is gone, or begins or ends; what it has not acknowledged is nobody's loss.
            Err(
                ClientError::NotRunning(_)
                | ClientError::Ended
                | ClientError::Io(_)
                | ClientError::Problem(Problem { kind: ProblemKind::Busy, .. }),
            ) => return false,
            other => {
                self.fault(format!("a part was not taken: {other:?}"));
                return true;
            }
        };
        let mut acknowledged = self.acknowledged.lock().unwrap();
        for (draft, result) in drafts.iter().zip(results) {
            let (Submitted::Logged { id, .. } | Submitted::AlreadyLogged { id }) = result else {
                self.fault(format!("a record was refused: {result:?}"));
                continue;
            };
            let ucr = draft.ucr.as_ref().map(Declared::as_str).unwrap().to_owned();
            if let Some(earlier) = acknowledged.insert(ucr.clone(), id.to_string()) {
                self.fault(format!("{ucr} was acknowledged as {earlier} and as {id}"));
            }
        }
        self.count.store(acknowledged.len() as u64, Ordering::SeqCst);
        true
    }

    fn fault(&self, what: String) {
        self.faults.lock().unwrap().push(what);
    }
}

/// The declarations with these numbers, read as an import reads them.
fn drafts(numbers: std::ops::Range<usize>) -> Vec<Draft> {
    let judge = Context {
        strictness: Strictness::Imported,
        author: "GE".parse().ok(),
        now: shieldwall::node::clock::now(),
        foreign_exports: false,
    };
    let mut batch = Batch::default();
    batch.add("declarations.csv", federation::table(numbers).as_bytes(), &judge);
    assert!(batch.errors.is_empty(), "the table is sound: {:?}", batch.errors);
    batch.records.iter().map(|checked| checked.record.declared().clone()).collect()
}
