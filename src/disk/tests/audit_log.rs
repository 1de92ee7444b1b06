//! The files of the audit log: what was acknowledged is there after every crash, and what was altered is named.

use super::super::audit_log::{AuditLog, FOLDER, Found};
use std::path::PathBuf;

use super::*;
use crate::audit::{Act, Flaw, Link, Outcome, Verifier};

/// Small files, so that a few lines fill them; some lines are longer than three sectors.
const ROLL: u64 = 4_000;

fn act(number: u64) -> Act {
    let ids = (0..number % 3 * 60).map(|at| RecordId::new(logs()[0], 1_000_000_000 + at)).collect();
    Act { ids, ..Act::of_node("record-list", Outcome::Done).note(format!("number {number}")) }
}

fn open(fs: &FaultFs) -> (AuditLog, Found) {
    fs.open_audit_log(ROLL).unwrap()
}

/// A log of so many lines, and its files.
fn written(lines: u64) -> (FaultFs, Vec<PathBuf>) {
    let fs = FaultFs::new(1);
    let (mut log, found) = open(&fs);
    assert_eq!(found, Found::Whole);
    for number in 1..=lines {
        assert_eq!(log.append(act(number), UnixTime::ZERO).unwrap(), number);
    }
    let files = fs.paths();
    (fs, files)
}

/// All lines, with their ends.
fn lines(fs: &FaultFs) -> Vec<Vec<u8>> {
    let files = fs.paths().into_iter().map(|path| fs.content(&path));
    files
        .flat_map(|bytes| bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>())
        .collect()
}

fn check(fs: &FaultFs) -> crate::audit::Report {
    let mut verifier = Verifier::new(Vec::new());
    for path in fs.paths() {
        verifier.file(path.file_name().unwrap().to_string_lossy());
        for line in fs.content(&path).split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(line) => verifier.line(line),
                None => verifier.rest(line),
            }
        }
    }
    verifier.finish()
}

#[test]
fn lines_go_on_in_the_next_file_and_after_a_start() {
    let (fs, files) = written(20);
    assert!(files.len() > 3, "{files:?}");
    assert_eq!(files[0], Path::new(DIR).join(FOLDER).join("000000000001.jsonl"));
    for path in &files {
        assert!(fs.content(path).len() as u64 <= ROLL);
        let first = fs.content(path).split(|byte| *byte == b'\n').map(|line| Link::read(line).unwrap().number).next();
        assert_eq!(path.file_stem().unwrap().to_str().unwrap().parse::<u64>().ok(), first);
    }
    let (mut log, found) = open(&fs);
    assert_eq!((found, log.head().number), (Found::Whole, 20));
    assert_eq!(log.append(act(21), UnixTime::ZERO).unwrap(), 21);
    let report = check(&fs);
    assert_eq!((report.is_whole(), report.first, report.last), (true, Some(1), Some(21)));
    for (number, line) in (1..).zip(lines(&fs)) {
        let link = Link::read(line.strip_suffix(b"\n").unwrap()).unwrap();
        assert_eq!(log.digest(number).unwrap(), Some(link.digest), "{number}");
    }
    assert_eq!(log.digest(22).unwrap(), None);
}

#[test]
fn a_torn_line_is_cut_at_every_byte() {
    let (fs, files) = written(9);
    let path = files.last().unwrap();
    let whole = fs.content(path);
    let before = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    for length in before..whole.len() {
        for zeros in [0, 1, 600] {
            let fork = fs.fork();
            fork.set_content(path, &[&whole[..length], &vec![0; zeros]].concat());
            let (mut log, found) = open(&fork);
            let bytes = (length - before + zeros) as u64;
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert_eq!(found, if bytes == 0 { Found::Whole } else { Found::Torn { file: name, bytes } }, "at {length}");
            assert_eq!(log.append(act(9), UnixTime::ZERO).unwrap(), 9);
            assert_eq!(lines(&fork), lines(&fs));
        }
    }
}

#[test]
fn every_changed_byte_of_the_newest_file_is_named_and_the_log_goes_on() {
    let (fs, files) = written(8);
    let path = files.last().unwrap();
    let whole = fs.content(path);
    assert!(whole.split(|byte| *byte == b'\n').count() > 2);
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        let fork = fs.fork();
        fork.set_content(path, &bytes);
        let (mut log, found) = open(&fork);
        let line = whole[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        let Found::Damaged { line: named, .. } = found else { panic!("byte {at}: {found:?}") };
        assert_eq!(named, line, "byte {at}");
        log.append(Act::of_node(Act::RESUMED, Outcome::Done), UnixTime::ZERO).unwrap();
        log.append(act(10), UnixTime::ZERO).unwrap();
        assert_eq!(fork.content(path), bytes, "what is damaged is left as it is");
        let report = check(&fork);
        assert!(matches!(report.faults[0].flaw, Flaw::Altered(_)), "{:?}", report.faults);
        assert_eq!(report.faults[0].place.as_ref().map(|place| place.line), Some(line));
        assert!(report.faults.iter().any(|fault| fault.flaw == Flaw::Resumed), "{:?}", report.faults);
        let (log, found) = open(&fork);
        assert_eq!((found, log.head().number), (Found::Whole, report.last.unwrap()));
    }
}

#[test]
fn a_full_disk_loses_nothing_and_room_lets_it_go_on() {
    let (fs, _) = written(9);
    let (mut log, _) = open(&fs);
    for room in [0, 1, 100] {
        fs.set_free(room);
        assert!(log.append(act(10), UnixTime::ZERO).is_err());
    }
    fs.set_free(None);
    assert_eq!(log.append(act(10), UnixTime::ZERO).unwrap(), 10);
    assert_eq!((check(&fs).is_whole(), check(&fs).last), (true, Some(10)));
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged() {
    let (fs, _) = written(2);
    let (mut log, _) = open(&fs);
    fs.arm(Fault::on(Op::Sync, 0, Kind::Error));
    assert!(log.append(act(3), UnixTime::ZERO).is_err());
    assert!(log.append(act(3), UnixTime::ZERO).is_err());
    drop(log);
    let (mut log, _) = open(&fs);
    assert_eq!(log.append(act(3), UnixTime::ZERO).unwrap(), 3);
    assert!(check(&fs).is_whole());
}

/// The life of a log on a disk with a fault: opened, written to, opened again. Gives the lines that were acknowledged.
fn live(fs: &FaultFs) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    for part in [1..=6, 7..=12] {
        let Ok((mut log, _)) = fs.open_audit_log(ROLL) else { break };
        for number in part {
            match log.append(act(number), UnixTime::ZERO) {
                Ok(number) => acknowledged.push(number),
                // A node that cannot write refuses what it is asked, and is asked again.
                Err(_) => continue,
            }
        }
    }
    acknowledged
}

/// Every operation with every fault that a program can notice, and every way in which what was not synced may be left.
#[test]
fn what_was_acknowledged_outlives_every_crash() {
    let plan = FaultFs::new(1);
    live(&plan);
    let kinds = [Kind::Error, Kind::ErrorForever, Kind::NoSpace, Kind::Short, Kind::CrashBefore, Kind::CrashAfter];
    let mut cut = 0;
    for (operation, kind) in (0..plan.operations()).flat_map(|at| kinds.map(|kind| (at, kind))) {
        let fs = FaultFs::new(1);
        fs.arm(Fault::at(operation, kind));
        let acknowledged = live(&fs);
        fs.disarm();
        let mut pieces = 0;
        fs.fork().lose_power(|piece| {
            pieces = piece;
            true
        });
        let ends = (0..=pieces).flat_map(|piece| [(0, piece), (1, piece), (2, piece)]).chain([(3, 0)]);
        for (way, piece) in ends {
            let fork = fs.fork();
            match way {
                0 => fork.lose_power(|number| number <= piece),
                1 => fork.lose_power(|number| number == piece),
                2 => fork.lose_power(|number| number != piece),
                _ => fork.restart(),
            }
            let case = format!("{kind:?} at {operation}, {way} {piece}");
            fork.set_free(None);
            let (mut log, found) = fork.open_audit_log(ROLL).unwrap();
            assert!(!matches!(found, Found::Damaged { .. }), "{case}: {found:?}");
            cut += usize::from(found != Found::Whole);
            let last = acknowledged.last().copied().unwrap_or(0);
            assert!(log.head().number >= last, "{case}: {} of {last}", log.head().number);
            let next = log.head().number + 1;
            assert_eq!(log.append(act(50), UnixTime::ZERO).unwrap(), next, "{case}");
            let report = check(&fork);
            assert!(report.is_whole() && report.torn.is_none(), "{case}: {:?}", report.faults);
            assert_eq!((report.first, report.last), (Some(1), Some(next)), "{case}");
        }
    }
    assert!(cut > 50, "some of them are torn: {cut}");
}
