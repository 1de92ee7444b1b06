//! What was given up: one line of JSON each, in a file that is bounded, without anything of what it was about.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};

use super::retry::Fault;
use super::{Counting, NowAndThen};
use crate::node::clock;

/// The file in the data folder.
pub(super) const NAME: &str = "undelivered.jsonl";
/// Where the file goes when it is full; what was there before is gone.
const OLD_NAME: &str = "undelivered.old.jsonl";
/// A full file: some 5,000 lines.
const BYTES_MAX: u64 = 1 << 20;

/// The file, shared by all tasks.
#[derive(Clone, Debug)]
pub(super) struct Undelivered {
    folder: PathBuf,
    file: Arc<Mutex<File>>,
    counts: Arc<Counting>,
    told: Arc<NowAndThen>,
}

impl Undelivered {
    pub(super) fn open(folder: &Path, counts: Arc<Counting>) -> io::Result<Self> {
        let file = Arc::new(Mutex::new(open(folder)?));
        Ok(Self { folder: folder.to_owned(), file, counts, told: Arc::default() })
    }

    /// Keeps what was given up, and tells the log now and then. `what` is an object that says what it was.
    pub(super) async fn keep(&self, what: Json, attempts: u32, fault: &Fault) {
        let all = self.counts.undelivered.fetch_add(1, Ordering::Relaxed) + 1;
        if self.told.may() {
            let (by, why) = (&what["by"], &fault.why);
            tracing::warn!(%by, %why, attempts, undelivered = all, "an alert did not leave the node; {NAME} in data_dir lists it");
        }
        let mut line = json!({ "at": clock::now(), "attempts": attempts, "why": fault.why });
        if let (Json::Object(line), Json::Object(what)) = (&mut line, what) {
            line.extend(what);
        }
        let this = self.clone();
        let written = tokio::task::spawn_blocking(move || this.append(&format!("{line}\n"))).await;
        if !matches!(written, Ok(Ok(()))) && self.told.may() {
            tracing::warn!("{NAME} in data_dir cannot be written");
        }
    }

    fn append(&self, line: &str) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.metadata()?.len() + line.len() as u64 > BYTES_MAX {
            fs::rename(self.folder.join(NAME), self.folder.join(OLD_NAME))?;
            *file = open(&self.folder)?;
        }
        file.write_all(line.as_bytes())
    }
}

fn open(folder: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_given_up_is_kept_within_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let undelivered = Undelivered::open(folder.path(), Arc::default()).unwrap();
        undelivered.keep(json!({ "by": "mail", "count": 2 }), 3, &Fault::passing("timed out")).await;
        let text = fs::read_to_string(folder.path().join(NAME)).unwrap();
        let line: Json = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["by"], &line["count"], &line["attempts"]), (&"mail".into(), &2.into(), &3.into()));
        assert_eq!(line["why"], "timed out");

        let long = "x".repeat(1 << 18);
        for _ in 0..20 {
            undelivered.append(&long).unwrap();
        }
        let size = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len();
        assert!(size(NAME) <= BYTES_MAX && size(OLD_NAME) <= BYTES_MAX);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert_eq!(undelivered.counts.undelivered.load(Ordering::Relaxed), 1);
    }
}
