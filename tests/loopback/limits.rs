//! Nodes that the system gives little: few descriptors, little memory.

use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::federation::peak_mib;
use super::{Federation, success, wait_for};

#[test]
fn a_node_with_few_descriptors_serves_its_officer_under_idle_connections() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = vec![federation.spawn_under("GE", "ulimit -n 64"), federation.start("TR")];
    wait_for("the node of GE", || federation.is_up("GE"));
    federation.converge();
    let georgia = nodes[0].id();
    let fds = || std::fs::read_dir(format!("/proc/{georgia}/fd")).map_or(0, Iterator::count);
    let quiet = fds();
    let port = federation.port("GE");
    let ended = Arc::new(AtomicBool::new(false));
    let opened = Arc::new(AtomicUsize::new(0));
    let flood = {
        let (ended, opened) = (Arc::clone(&ended), Arc::clone(&opened));
        thread::spawn(move || {
            let mut sockets = std::collections::VecDeque::new();
            // No more than three hundred at once, and new ones all the time for those that were closed.
            while !ended.load(Ordering::SeqCst) {
                let address = ([127, 0, 0, 1], port).into();
                if let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
                    sockets.push_back(stream);
                    opened.fetch_add(1, Ordering::SeqCst);
                }
                if sockets.len() > 300 {
                    sockets.pop_front();
                    thread::sleep(Duration::from_millis(2));
                }
            }
        })
    };
    wait_for("a flood", || opened.load(Ordering::SeqCst) > 400);
    let begun = super::now();
    let table = federation.path("declarations.csv");
    super::declarations(&table, 100);
    success(federation.command("GE").args(["--timeout", "50"]).arg("import").arg(&table));
    wait_for("all records at the peer", || federation.audited("TR", "GE") == 101);
    let logged = begun.elapsed();
    // A member that comes back finds a place as well.
    nodes.pop().unwrap().kill();
    nodes.push(federation.start("TR"));
    super::declarations(&table, 120);
    success(federation.command("GE").args(["--timeout", "50"]).arg("import").arg(&table));
    wait_for("all records at the peer that came back", || federation.audited("TR", "GE") == 121);
    let most = fds();
    ended.store(true, Ordering::SeqCst);
    flood.join().unwrap();
    let count = opened.load(Ordering::SeqCst);
    eprintln!("{quiet} descriptors, {most} under {count} idle connections; 100 records at the peer in {logged:?}");
    assert!(nodes[0].ended().is_none(), "it goes on");
    assert_eq!(federation.converge()["logs"][0]["size"], 121);
    let log = federation.log("GE");
    assert!(log.contains("few files may be open") && !log.contains("panicked"), "{log}");
    // Not even this few are used up: what opens a file still can.
    assert!(!log.contains("Too many open files"), "{log}");
}

/// Far more than a node needs at rest, and far less than the flood could take. The address space (`ulimit -v`) is no measure: a gigabyte of it
/// is reserved and never used.
const DATA_KIB: usize = 160 << 10;

#[test]
fn a_node_that_runs_out_of_memory_ends_like_one_that_was_killed_and_loses_nothing() {
    let federation = Federation::of(&["GE", "TR"]);
    let mut nodes = vec![federation.spawn_under("GE", &format!("ulimit -d {DATA_KIB}")), federation.start("TR")];
    wait_for("the node of GE", || federation.is_up("GE"));
    federation.converge();
    let table = federation.path("declarations.csv");
    let georgia = nodes[0].id();
    let quiet = peak_mib(georgia);

    // A flood over the network first: it is shed, and the officer is served.
    let port = federation.port("GE");
    let garbage = vec![0xc3; 1_200];
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    for number in 0..20_000 {
        drop(udp.send_to(&garbage, ("127.0.0.1", port)));
        if number % 100 == 0
            && let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port))
        {
            drop(stream.write_all(&garbage));
        }
    }
    super::declarations(&table, 100);
    success(federation.command("GE").arg("import").arg(&table));
    assert!(nodes[0].ended().is_none(), "a flood from outside does not end it");
    let flooded = peak_mib(georgia);

    // Then one from inside, in the middle of an import, that asks for more memory than there is: lines that do not end, on all places for
    // commands but one.
    super::declarations(&table, 500);
    let mut import = federation.command("GE");
    import.arg("import").arg(&table).stdout(Stdio::null()).stderr(Stdio::null());
    let mut import = import.spawn().unwrap();
    let socket = federation.socket("GE");
    let writers: Vec<_> = (0..15)
        .filter_map(|_| UnixStream::connect(&socket).ok())
        .map(|mut stream| {
            thread::spawn(move || {
                let piece = vec![b' '; 1 << 20];
                (0..32).take_while(|_| stream.write_all(&piece).is_ok()).count()
            })
        })
        .collect();
    let sent: usize = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    import.wait().unwrap();
    let ended = nodes[0].ended();
    eprintln!("{quiet:?} MiB at rest, {flooded:?} MiB under packets; after {sent} MiB of lines: {ended:?}");
    if ended.is_some() {
        nodes.remove(0);
        nodes.insert(0, federation.start("GE"));
    }
    let output = success(federation.command("GE").arg("import").arg(&table).arg("--json"));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = |what: &str| report[what].as_array().map_or(0, Vec::len);
    assert_eq!(count("logged") + count("already_logged"), 500, "{report}");
    assert!(count("already_logged") >= 100, "what was acknowledged before is there: {report}");
    assert_eq!(federation.converge()["logs"][0]["size"], 501);
    assert_eq!(federation.records("GE", "GE").len(), 501);
}
