//! The whole node in one process: what becomes of officers and ledger while the network fails again and again.

#![allow(clippy::disallowed_methods, reason = "how long an officer waits is what is tested")]

use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::ask::{Call, Caller, Line, Request, Response, StatusView, Submitted};
use super::engine::{self, Setup};
use super::{LogKey, LogSigner, SigningKeys};
use crate::disk::{DiskStore, Guard};
use crate::encoding::ids::LogId;
use crate::identity::fixture;
use crate::network::{self, Command, Event, Peer, TransportKey};
use crate::protocol::{Myself, Node, Settings};

const MEMBERS: [&str; 4] = ["GE", "MZ", "TR", "W1"];
/// How long the network is made to fail.
const STORM: Duration = Duration::from_secs(8);
const WIRE: &[u8] = b"the network of a node falls over this";

async fn ask(calls: &mpsc::Sender<Call>, request: Request) -> Response {
    let (call, mut lines) = Call::new(request, Caller::default());
    calls.send(call).await.unwrap();
    loop {
        match tokio::time::timeout(Duration::from_secs(20), lines.recv()).await.unwrap().unwrap() {
            Line::Progress(_) => {}
            Line::Done(response) => return response,
            Line::Failed(problem) => panic!("{problem:?}"),
        }
    }
}

async fn status(calls: &mpsc::Sender<Call>) -> StatusView {
    let Response::Status(status) = ask(calls, Request::Status).await else { panic!("a status") };
    *status
}

/// A member that makes the other's network panic as soon as it is connected.
fn tripper(member: &str, federation: [u8; 32], address: &str) -> tokio::task::JoinHandle<()> {
    let config = network::Config::new(Zeroizing::new(fixture::seed(member, "transport")), federation, Vec::new());
    let (handle, mut events, _) = network::start(&config).unwrap();
    let georgia = TransportKey::of_secret(&fixture::seed("GE", "transport"));
    handle.try_send(Command::SetPeers(vec![Peer { key: georgia, addresses: vec![address.to_owned()] }])).unwrap();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if matches!(event, Event::Connected { .. }) {
                drop(handle.try_send(Command::Request { to: georgia, id: 1, bytes: WIRE.to_vec() }));
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_panics_all_the_time_holds_up_no_officer() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_owned();
    let (me, federation) = (fixture::code("GE"), fixture::federation(&MEMBERS));
    let (id, log) = (federation.id().0.0, LogId::first(me));
    let (store, _) = DiskStore::open(&data, 0, &mut |_, _| {}).unwrap();
    drop(Guard::open(&data, log).unwrap());
    let seal_keys = (0..2).map(|epoch| (epoch, fixture::seal_key("GE", epoch))).collect();
    let myself = Myself { member: me, log, seal_keys, guard_intact: true };
    let node = Node::load(store, federation, myself, Settings::default()).unwrap();
    // One port from start to start, so that the others find it again.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("/ip4/127.0.0.1/tcp/{port}");
    let own = network::Config::new(Zeroizing::new(fixture::seed("GE", "transport")), id, vec![address.clone()]);
    let setup = Setup {
        reloading: None,
        caps: crate::node::Caps { per_minute: 1_000_000, per_day: 1_000_000 },
        signing_keys: SigningKeys {
            log: Some(LogSigner::Thread(LogKey::File(Box::new(fixture::key("GE", "log"))))),
            witness: fixture::key("GE", "witness"),
        },
        network: network::Config { exempt_loopback: true, trip_wire: Some(WIRE), ..own },
        data_dir: data,
        foreign_exports: false,
        outlook: super::cases::Outlook::default(),
        notify: None,
        approvals: super::approvals::Approvals::open(dir.path(), Default::default(), super::clock::now()).unwrap(),
        audit: None,
        audit_anchor_s: 86_400,
        retention: Default::default(),
    };
    let (calls, taken) = mpsc::channel(16);
    let (stop, stopped) = watch::channel(false);
    let engine = tokio::spawn(engine::run(node, setup, taken, stopped));
    while status(&calls).await.read_only.is_some() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // By turns, so that nobody is shut out: the worst case.
    let trippers: Vec<_> = ["MZ", "TR", "W1"].iter().map(|member| tripper(member, id, &address)).collect();
    let begun = Instant::now();
    let (mut logged, mut slowest) = (0_u64, Duration::ZERO);
    while begun.elapsed() < STORM || status(&calls).await.load.unwrap().network_crashes < 2 {
        assert!(begun.elapsed() < 10 * STORM, "the network does not fail: {:?}", status(&calls).await.load);
        let asked = Instant::now();
        let number = usize::try_from(logged).unwrap();
        let record = crate::record::fixture::notification("MZ", number, super::clock::now());
        let drafts = vec![record.declared().clone()];
        let answer = ask(&calls, Request::Submit { drafts, imported: true, skip_bad: false }).await;
        assert!(
            matches!(&answer, Response::Submitted(all) if matches!(all[..], [Submitted::Logged { .. }])),
            "{answer:?}"
        );
        logged += 1;
        slowest = slowest.max(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let after = status(&calls).await;
    let load = after.load.unwrap();
    eprintln!("{logged} records logged during {} crashes, the slowest in {slowest:?}", load.network_crashes);
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert_eq!((after.statements, after.statements_verified), (logged + 1, logged + 1));
    assert_eq!((after.read_only, after.equivocations.len()), (None, 0));
    trippers.iter().for_each(tokio::task::JoinHandle::abort);
    stop.send_replace(true);
    engine.await.unwrap().unwrap();
}
