//! `kill -9` of the importing node: what was acknowledged stays, and no second history is signed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use shieldwall::api::Client;
use shieldwall::formats::Batch;
use shieldwall::node::ask::{Request, Response, Submitted};
use shieldwall::record::{Context, Declared, Draft, Strictness};

use super::{Federation, declarations, success, wait_for};

/// Acknowledged records: the reference of the consignment, and the id that the node gave.
type Acknowledged = Arc<Mutex<BTreeMap<String, String>>>;

#[test]
fn three_kills_of_the_importing_node() {
    crash(3, 600);
}

#[test]
#[ignore = "takes minutes"]
fn twenty_kills_of_the_importing_node() {
    crash(20, 4_000);
}

fn crash(kills: u64, records: usize) {
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let mut others = federation.start_all();
    let mut importer = others.remove(0);
    let table = federation.path("declarations.csv");
    declarations(&table, records);
    let drafts = read(&table);
    let acknowledged = Acknowledged::default();

    for kill in 0..kills {
        // Each time a little later in the import, and at another moment of a group.
        let wanted = 1 + (records as u64 * kill) / (kills + 1);
        let thread = {
            let (socket, drafts, acknowledged) = (federation.socket("GE"), drafts.clone(), Arc::clone(&acknowledged));
            thread::spawn(move || submit(&socket, &drafts, &acknowledged))
        };
        wait_for("a part of the import", || acknowledged.lock().unwrap().len() as u64 >= wanted);
        thread::sleep(Duration::from_millis(kill * 37 % 90));
        importer.kill();
        thread.join().unwrap();
        importer = federation.start("GE");
    }

    // The rest, as an operator does it: the same command again.
    let output = success(federation.command("GE").arg("import").arg(&table).arg("--json"));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let count = |what: &str| report[what].as_array().map_or(0, Vec::len);
    assert_eq!(count("logged") + count("already_logged"), records, "{report}");

    let ledger = federation.converge();
    let size = ledger["logs"][0]["size"].as_u64().unwrap();
    let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, ucr) in federation.records("GE", "GE") {
        ucr.into_iter().for_each(|ucr| held.entry(ucr).or_default().push(id.clone()));
    }
    let twice: Vec<_> = held.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(twice.is_empty(), "one line, several records: {twice:?}");
    let acknowledged = acknowledged.lock().unwrap();
    let lost: Vec<_> =
        acknowledged.iter().filter(|(ucr, id)| held.get(*ucr).and_then(|ids| ids.first()) != Some(*id)).collect();
    assert!(lost.is_empty(), "acknowledged and not there: {lost:?}");
    assert_eq!(held.len(), records, "every line of the table is logged");
    assert_eq!(size, records as u64 + 1, "the lanes, and each line once");
    eprintln!("{kills} kills, {} of {records} acknowledged before the last, {size} statements", acknowledged.len());
    drop(importer);
}

/// Submits in small parts, and notes what the node acknowledges, until the node is gone.
fn submit(socket: &std::path::Path, drafts: &[Draft], acknowledged: &Acknowledged) {
    let Ok(mut node) = Client::connect(socket, None) else { return };
    for part in drafts.chunks(20) {
        let request = Request::Submit { drafts: part.to_vec(), imported: true, skip_bad: false };
        let results = match node.ask(&request, |_| {}) {
            Ok(Response::Submitted(results)) => results,
            // The node is gone; what it had not acknowledged is nobody's loss.
            other => return eprintln!("the import broke off: {other:?}"),
        };
        let mut acknowledged = acknowledged.lock().unwrap();
        for (draft, result) in part.iter().zip(results) {
            let (Submitted::Logged { id, .. } | Submitted::AlreadyLogged { id }) = result else {
                panic!("a record was refused: {result:?}")
            };
            let ucr = draft.ucr.as_ref().map(Declared::as_str).unwrap().to_owned();
            let earlier = acknowledged.insert(ucr, id.to_string());
            assert!(earlier.is_none_or(|earlier| earlier == id.to_string()), "one line, two records");
        }
    }
}

fn read(table: &std::path::Path) -> Vec<Draft> {
    let judge = Context {
        strictness: Strictness::Imported,
        author: "GE".parse().ok(),
        now: shieldwall::node::clock::now(),
        foreign_exports: false,
    };
    let mut batch = Batch::default();
    batch.add(&table.display().to_string(), &std::fs::read(table).unwrap(), &judge);
    assert!(batch.errors.is_empty());
    batch.records.iter().map(|checked| checked.record.declared().clone()).collect()
}
