//! Peers and commands that hardly read, or do not read at all: the node serves the others, and its memory stays bounded.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use shieldwall::node::ask::Request;

use super::federation::peak_mib;
use super::{Federation, success, wait_for};

/// More than a node needs by far; what waits for a peer that does not read is bounded at some MiB.
const MEMORY_MIB: u64 = 256;

fn signal(process: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(process).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn import(federation: &Federation, numbers: std::ops::Range<usize>) {
    let table = federation.path("declarations.csv");
    std::fs::write(&table, super::federation::table(numbers)).unwrap();
    success(federation.command("GE").args(["--timeout", "60"]).arg("import").arg(&table));
}

#[test]
fn a_peer_process_that_hardly_reads_holds_up_nobody_else() {
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let nodes = federation.start_all();
    federation.converge();
    let (georgia, slow) = (nodes[0].id(), nodes[1].id());
    // It runs for three milliseconds of every three hundred: whatever is sent to it waits in its sockets and then at us.
    let ended = Arc::new(AtomicBool::new(false));
    let stutter = {
        let ended = Arc::clone(&ended);
        thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) {
                signal(slow, Signal::STOP);
                thread::sleep(Duration::from_millis(297));
                signal(slow, Signal::CONT);
                thread::sleep(Duration::from_millis(3));
            }
            signal(slow, Signal::STOP);
        })
    };
    let begun = super::now();
    import(&federation, 0..400);
    wait_for("the other peer", || federation.audited("MZ", "GE") == 401);
    let stuttering = begun.elapsed();
    // And now it reads nothing at all.
    ended.store(true, Ordering::SeqCst);
    stutter.join().unwrap();
    let begun = super::now();
    import(&federation, 400..800);
    wait_for("the other peer", || federation.audited("MZ", "GE") == 801);
    let stopped = begun.elapsed();
    let peak = peak_mib(georgia);
    eprintln!(
        "400 records at the other peer in {stuttering:?} beside a slow one, in {stopped:?} beside a dead one; {peak:?} MiB"
    );
    assert!(peak.is_none_or(|peak| peak < MEMORY_MIB), "{peak:?} MiB");
    signal(slow, Signal::CONT);
    let ledger = federation.converge();
    assert_eq!(ledger["logs"][0]["size"], 801);
}

/// Asks until nothing more fits on the way there; how often.
fn ask_while_it_fits(stream: &mut UnixStream, question: &[u8]) -> usize {
    (0..10_000).take_while(|_| stream.write(question).is_ok_and(|written| written == question.len())).count()
}

#[test]
fn commands_that_never_read_hold_up_no_other_command() {
    let federation = Federation::of(&["GE", "TR"]);
    let nodes = federation.start_all();
    import(&federation, 0..100);
    federation.converge();
    let before = peak_mib(nodes[0].id());
    // All places but one are taken by commands that ask again and again for everything and read nothing.
    let mut question = serde_json::to_vec(&Request::Status).unwrap();
    question.push(b'\n');
    let mut stalled: Vec<_> = (0..15).map(|_| UnixStream::connect(federation.socket("GE")).unwrap()).collect();
    stalled.iter().for_each(|stream| stream.set_nonblocking(true).unwrap());
    wait_for("commands that are stuck", || {
        let asked: usize = stalled.iter_mut().map(|stream| ask_while_it_fits(stream, &question)).sum();
        // A moment to answer: what does not read its answers is not read from any more.
        thread::sleep(Duration::from_millis(200));
        asked == 0
    });
    let begun = super::now();
    import(&federation, 100..200);
    wait_for("the peer", || federation.audited("TR", "GE") == 201);
    let peak = peak_mib(nodes[0].id());
    eprintln!(
        "100 records at the peer in {:?} beside 15 commands that do not read; {before:?} MiB, then {peak:?} MiB",
        begun.elapsed()
    );
    assert!(peak.is_none_or(|peak| peak < MEMORY_MIB), "{peak:?} MiB");
    // They were asking in earnest: the answers are there.
    let mut first = String::new();
    stalled[0].set_nonblocking(false).unwrap();
    BufReader::new(&stalled[0]).read_line(&mut first).unwrap();
    assert!(first.contains("statements_verified"), "{first}");
    drop(stalled);
    assert_eq!(federation.converge()["logs"][0]["size"], 201);
}
