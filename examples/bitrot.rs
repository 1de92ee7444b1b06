//! Flips bits in every kind of file, opens what is left, reads everything and holds it against the truth.
//!
//!     cargo run --release --features simulate --example bitrot -- [FLIPS] [--json]
//!
//! FLIPS (default 100000) are spread over statement segments, body segments, the guard and the charter, all in memory; FLIPS/500 more hit
//! the files of a real sled folder. Half of the flips in segments come with the loss of the index.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::ProgressBar;
use shieldwall::disk::fault::FaultFs;
use shieldwall::disk::{DiskStore, GuardRefusal, Report};
use shieldwall::encoding::hash::sha256;
use shieldwall::encoding::ids::{LogId, RecordId};
use shieldwall::encoding::random::Randomness;
use shieldwall::encoding::time::UnixTime;
use shieldwall::identity::Published;
use shieldwall::ledger::{Frame, Key, Store};
use shieldwall::simulate::federation::federation;

type Truth = BTreeMap<Key, Frame>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    NoEffect,
    /// Named, and nothing is missing by it: an older frame under a key, of which the newest is whole.
    Superseded,
    Named,
    Healed,
    SilentlyWrong,
}

fn logs() -> [LogId; 2] {
    ["GE", "TR"].map(|log| log.parse().expect("a log"))
}

/// What a node writes, in groups; gives what counts of it.
fn write(mut store: DiskStore, records: u64) -> Truth {
    let (mut truth, mut random) = (Truth::new(), Randomness::new([3; 32]));
    let mut stage = |store: &mut DiskStore, key: Key, length: usize| {
        let mut bytes = vec![0; length];
        random.fill(&mut bytes);
        let at = UnixTime::from_seconds(1_800_000_000).expect("a moment in 2027");
        let frame = Frame { key, at, bytes };
        store.stage(frame.clone()).expect("it is written without a fault");
        truth.insert(key, frame);
    };
    stage(&mut store, Key::Published, 700);
    for position in 0..records {
        for log in logs() {
            let id = RecordId::new(log, position);
            stage(&mut store, Key::Head(id), 120);
            stage(&mut store, Key::Compartment(id, 0), 300);
            stage(&mut store, Key::Statement(id), 200);
            if position % 8 == 0 {
                stage(&mut store, Key::Slot(id), 90);
                stage(&mut store, Key::Intent(id), 80);
                stage(&mut store, Key::Lanes(id), 150);
                stage(&mut store, Key::Checkpoint(log), 110);
                stage(&mut store, Key::Cosignature(log, log.member), 110);
                stage(&mut store, Key::FrontierCosignature(log.member), 110);
                stage(&mut store, Key::Fork(log, 0), 130);
            }
        }
        if position % 4 == 3 {
            store.flush().expect("it is written without a fault");
        }
    }
    store.flush().expect("it is written without a fault");
    truth
}

/// Reads everything; then puts back, as from a peer, what is damaged or gone.
fn judge(store: &mut DiskStore, report: &Report, truth: &Truth) -> Outcome {
    let mut wrong = Vec::new();
    for (key, frame) in truth {
        match store.get(key) {
            Ok(Some(held)) if held.bytes == frame.bytes => {}
            // An older frame under the key, or none, where an opening or the read has named damage.
            Ok(_) if store.damaged().contains(key) || !report.damage.is_empty() || !report.cut.is_empty() => {
                wrong.push(*key);
            }
            Ok(_) => return Outcome::SilentlyWrong,
            Err(_) => return Outcome::Named,
        }
    }
    if wrong.is_empty() {
        let named = !report.damage.is_empty() || !report.cut.is_empty();
        return if named { Outcome::Superseded } else { Outcome::NoEffect };
    }
    for key in wrong {
        let frame = truth[&key].clone();
        let is_old = match position_of(key).map(|id| id.position.cmp(&store.size(&id.log))) {
            Some(Ordering::Greater) => return Outcome::Named,
            place => place == Some(Ordering::Less),
        };
        let done = if is_old { store.replace(frame) } else { store.stage(frame) };
        if done.is_err() {
            return Outcome::Named;
        }
    }
    let flushed = store.flush().is_ok();
    let all = truth.iter().all(|(key, frame)| matches!(store.get(key), Ok(Some(held)) if held.bytes == frame.bytes));
    if flushed && all { Outcome::Healed } else { Outcome::Named }
}

#[allow(clippy::print_stdout, reason = "it is a program")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flips: u32 = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    std::panic::set_hook(Box::new(|_| {}));
    let fs = FaultFs::new(5);
    let truth = write(fs.open_store_rolling(0, 8_000).expect("an empty disk opens").0, 24);
    let mut guard = fs.open_guard(logs()[0]).expect("an empty disk opens");
    let signed: Vec<_> = (0..60_u64).map(|position| (position, sha256(&position.to_be_bytes()))).collect();
    guard.check_and_record(&signed).expect("nothing was signed");
    let mut files: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
    for path in fs.paths() {
        let name = path.to_string_lossy().into_owned();
        let kind = ["statements", "bodies", "guard"].into_iter().find(|kind| name.contains(kind)).unwrap_or("other");
        files.entry(kind).or_default().push(path);
    }
    let bar = ProgressBar::new(flips.into());
    let mut random = Randomness::new([4; 32]);
    let mut table: BTreeMap<&str, BTreeMap<Outcome, u64>> = BTreeMap::new();
    let mut panics = 0_u64;
    for number in 0..flips {
        let kind = ["statements", "bodies", "statements", "bodies", "guard", "charter"][number as usize % 6];
        let drawn = [random.below(u32::MAX), random.below(u32::MAX)];
        let outcome = std::panic::catch_unwind(|| match kind {
            "charter" => charter(drawn[0]),
            _ => {
                let paths = &files[kind];
                let path = &paths[drawn[0] as usize % paths.len()];
                let fork = fs.fork();
                fork.flip_bit(path, drawn[1] as usize % (fs.content(path).len() * 8));
                match kind {
                    "guard" => match fork.open_guard(logs()[0]) {
                        Err(GuardRefusal::Damaged { .. } | GuardRefusal::Moved { .. }) => Outcome::Named,
                        Err(_) => Outcome::SilentlyWrong,
                        Ok(guard) if guard.highest() == Some(59) => Outcome::NoEffect,
                        Ok(_) => Outcome::SilentlyWrong,
                    },
                    _ => {
                        if number % 2 == 0 {
                            fork.drop_index();
                        }
                        match fork.open_store_rolling(0, 8_000) {
                            Ok((mut store, report)) => judge(&mut store, &report, &truth),
                            Err(_) => Outcome::Named,
                        }
                    }
                }
            }
        });
        panics += u64::from(outcome.is_err());
        *table.entry(kind).or_default().entry(outcome.unwrap_or(Outcome::SilentlyWrong)).or_default() += 1;
        bar.inc(1);
    }
    bar.finish_and_clear();
    for (outcome, count) in sled(flips / 500, &mut random) {
        *table.entry("sled").or_default().entry(outcome).or_default() += count;
    }
    let count = |outcomes: &BTreeMap<Outcome, u64>, outcome| outcomes.get(&outcome).copied().unwrap_or(0);
    let wrong: u64 = table.values().map(|outcomes| count(outcomes, Outcome::SilentlyWrong)).sum();
    if arguments.iter().any(|argument| argument == "--json") {
        let rows: BTreeMap<_, BTreeMap<String, u64>> = table
            .iter()
            .map(|(kind, outcomes)| (kind, outcomes.iter().map(|(name, n)| (format!("{name:?}"), *n)).collect()))
            .collect();
        println!("{}", serde_json::json!({ "files": rows, "silently_wrong": wrong, "panics": panics }));
    } else {
        println!(
            "{:<12}{:>10}{:>12}{:>10}{:>10}{:>16}",
            "file", "no effect", "superseded", "healed", "named", "silently wrong"
        );
        for (kind, outcomes) in &table {
            println!(
                "{kind:<12}{:>10}{:>12}{:>10}{:>10}{:>16}",
                count(outcomes, Outcome::NoEffect),
                count(outcomes, Outcome::Superseded),
                count(outcomes, Outcome::Healed),
                count(outcomes, Outcome::Named),
                count(outcomes, Outcome::SilentlyWrong)
            );
        }
        println!("{panics} panics");
    }
    if wrong + panics == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A bit of the charter's file.
fn charter(bit: u32) -> Outcome {
    let codes = ["GE", "TR", "LB"].map(|code| code.parse().expect("a member"));
    let truth = federation(&codes, UnixTime::from_seconds(1_800_000_000).expect("a moment in 2027"));
    let mut bytes = truth.published().encode().expect("it was just made");
    let bit = bit as usize % (bytes.len() * 8);
    bytes[bit / 8] ^= 0x80 >> (bit % 8);
    match Published::decode(&bytes).map(Published::verify) {
        Ok(Ok(_)) => Outcome::SilentlyWrong,
        _ => Outcome::Named,
    }
}

/// Flips in the files of a real sled folder: the segments are whole, so all must be there.
fn sled(flips: u32, random: &mut Randomness) -> BTreeMap<Outcome, u64> {
    let mut outcomes = BTreeMap::new();
    let made = tempfile::tempdir().expect("a folder for a while");
    let open = |dir: &Path| DiskStore::open(dir, 0, &mut |_, _| ());
    let truth = write(open(made.path()).expect("an empty folder opens").0, 24);
    for _ in 0..flips {
        let work = tempfile::tempdir().expect("a folder for a while");
        copy(made.path(), work.path());
        let files = files(&work.path().join("index"));
        let path = &files[random.below(u32::try_from(files.len()).expect("a few")) as usize];
        let mut bytes = fs::read(path).expect("it was just copied");
        let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        if used == 0 {
            continue;
        }
        let bit = random.below(u32::try_from(used * 8).expect("a small file")) as usize;
        bytes[bit / 8] ^= 0x80 >> (bit % 8);
        fs::write(path, bytes).expect("it was just read");
        let outcome = match open(work.path()) {
            Ok((mut store, report)) => match judge(&mut store, &report, &truth) {
                Outcome::NoEffect if report.rebuilt.is_some() => Outcome::Healed,
                Outcome::NoEffect => Outcome::NoEffect,
                Outcome::Superseded | Outcome::Named | Outcome::Healed | Outcome::SilentlyWrong => {
                    Outcome::SilentlyWrong
                }
            },
            Err(_) => Outcome::SilentlyWrong,
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    outcomes
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder for a while");
    for entry in fs::read_dir(from).expect("it was just made") {
        let path = entry.expect("it was just made").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("it was just made");
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("sled has made it") {
        let path = entry.expect("sled has made it").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn position_of(key: Key) -> Option<RecordId> {
    if let Key::Statement(id) = key { Some(id) } else { None }
}
