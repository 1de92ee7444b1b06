//! Erasure at real nodes: every file of every honest node is searched before and after, and what was proved before is still proved.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::federation::files;
use super::{Federation, success, wait_for};

/// What only the readers may ever see, and then nobody.
const CANARY: &str = "Canary Erased Consignee 7719";
const KEPT: &str = "Canary Kept Consignee 7720";
/// Sealed bytes are searched for in pieces of this length.
const PIECE: usize = 16;

/// What is searched for.
struct Needles {
    sealed: BTreeSet<Vec<u8>>,
    /// Content keys, as they are and in hexadecimal, and texts.
    others: Vec<Vec<u8>>,
}

impl Needles {
    /// The sealed compartments with the wrapped keys in them, and the content keys, out of a bundle that discloses them; and a text.
    fn of(bundle: &Path, text: &str) -> Self {
        let mut needles = Self { sealed: BTreeSet::new(), others: vec![text.as_bytes().to_vec()] };
        for path in files(&bundle.join("compartments")) {
            let bytes = fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.ends_with(".key") {
                let hex = String::from_utf8(bytes).unwrap().trim().to_owned();
                needles.others.push(data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap());
                needles.others.push(hex.into_bytes());
            } else if !name.ends_with(".direct.cose") {
                needles.sealed.extend(bytes.chunks_exact(PIECE).map(<[u8]>::to_vec));
            }
        }
        assert!(needles.sealed.len() > 30 && needles.others.len() > 4);
        needles
    }

    /// The files below a folder that hold any of it.
    fn found(&self, folder: &Path) -> Vec<PathBuf> {
        let holds = |bytes: &[u8]| {
            bytes.windows(PIECE).any(|window| self.sealed.contains(window))
                || self.others.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == needle))
        };
        files(folder).into_iter().filter(|path| fs::read(path).is_ok_and(|bytes| holds(&bytes))).collect()
    }
}

/// Announces something for Türkiye and, by name, for Mozambique; gives its id.
fn announce(federation: &Federation, number: u8, consignee: &str) -> String {
    let json = federation.path("record.json");
    let text = format!(
        r#"{{"kind": "export-notification", "ucr": "6GE204567890-ER{number}", "export_country": "GE", "destination": "TR", "to": ["MZ"],
        "exporter": {{"name": "Rustavi Test Nitrogen"}}, "consignee": {{"name": "{consignee}"}}, "mode": 3,
        "goods": [{{"substance": "urea", "hs6": "310210", "net": {{"value": "24", "unit": "TNE"}}}}]}}"#
    );
    fs::write(&json, text).unwrap();
    let output = success(federation.command("GE").arg("submit").arg(&json));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn body(federation: &Federation, at: &str, id: &str) -> String {
    let shown = federation.json(at, &["record", "show", id]).unwrap_or_default();
    shown["body"].as_str().unwrap_or_default().to_owned()
}

/// The first order of Georgia, as a member sees it.
fn order(federation: &Federation, at: &str) -> Value {
    federation.json(at, &["record", "erasures"]).map(|all| all["orders"][0].clone()).unwrap_or_default()
}

fn fsck_is_clean(federation: &Federation, member: &str) {
    let output = federation.command(member).args(["fsck", "--json"]).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success() && told["whole"] == true, "{member}: {told}");
}

#[test]
fn after_an_order_no_byte_is_left_and_every_proof_holds() {
    let federation = Federation::of(&["GE", "TR", "MZ", "LB"]);
    let mut nodes = federation.start_all();
    let erased = announce(&federation, 1, CANARY);
    let held = announce(&federation, 2, KEPT);
    federation.converge();
    for (member, id) in [("TR", &erased), ("TR", &held), ("MZ", &erased), ("MZ", &held)] {
        wait_for(&format!("{id} at {member}"), || body(&federation, member, id) == "opened");
    }
    // What a court was handed before, by each of the two.
    let bundles = ["GE", "TR"].map(|member| {
        let bundle = federation.path(&format!("evidence-{member}"));
        let args = ["evidence", "export", &erased, "--disclose-keys", "--out", bundle.to_str().unwrap()];
        success(federation.command(member).args(args));
        bundle
    });
    let needles = Needles::of(&bundles[0], CANARY);
    for member in ["GE", "TR", "MZ"] {
        assert!(!needles.found(&federation.path(member)).is_empty(), "{member} has it, so the search finds it");
    }
    assert!(needles.found(&federation.path("LB")).is_empty(), "and who is no reader never had it");
    let statement = federation.json("TR", &["record", "show", &erased]).unwrap()["statement"].clone();

    // Mozambique is away; Türkiye is held to one of the two by a court.
    nodes.remove(2).kill();
    success(federation.command("TR").args(["record", "hold", &held, "--reference", "case 12/26"]));
    let planned =
        success(federation.command("GE").args(["record", "erase", &erased, "--legal-basis", "x", "--dry-run"]));
    assert!(String::from_utf8(planned.stdout).unwrap().contains("read by MZ TR"));
    let unasked = federation.command("GE").args(["record", "erase", &erased, "--legal-basis", "x"]).output().unwrap();
    assert_eq!(unasked.status.code(), Some(2), "what cannot be undone is not done unasked: {unasked:?}");
    let basis = ["--legal-basis", "Data Protection Act, section 12", "--yes"];
    success(federation.command("GE").args(["record", "erase", &erased, &held]).args(basis));
    wait_for("Türkiye's answer", || !order(&federation, "GE")["answers"]["TR"].is_null());
    let told = order(&federation, "GE");
    let answer = &told["answers"]["TR"];
    assert_eq!((&answer["erased"][0], &answer["held"][0]), (&erased.as_str().into(), &held.as_str().into()), "{told}");
    assert_eq!(told["silent"], serde_json::json!(["MZ"]), "{told}");
    assert_eq!(told["erased_here"], 2, "{told}");

    // Mozambique comes back, reads the order, and answers.
    nodes.push(federation.start("MZ"));
    wait_for("Mozambique's answer", || order(&federation, "GE")["silent"] == serde_json::json!([]));
    federation.converge();
    for member in ["GE", "TR", "MZ", "LB"] {
        wait_for(&format!("the erasure at {member}"), || body(&federation, member, &erased) == "erased");
        assert_eq!(needles.found(&federation.path(member)), Vec::<PathBuf>::new(), "{member}, while it runs");
        let shown = success(federation.command(member).args(["record", "show", &erased]));
        let shown = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.contains("by order of GE-") && !shown.contains(CANARY), "{shown}");
    }
    assert_eq!(body(&federation, "TR", &held), "opened", "what is held can be read");
    assert_eq!(body(&federation, "MZ", &held), "erased");
    // It is no part of any consignment any more, and the audit log names who asked.
    let list = federation.json("TR", &["consignment", "list"]).unwrap();
    assert!(!list.to_string().contains(&format!("\"{erased}\"")), "{list}");
    let acts = federation.json("TR", &["audit", "list"]).unwrap().to_string();
    assert!(acts.contains("record-hold") && !acts.contains("case 12/26"), "{acts}");

    // The court releases it.
    success(federation.command("TR").args(["record", "release", &held, "--yes"]));
    wait_for("the erasure of what was held", || body(&federation, "TR", &held) == "erased");
    wait_for("its receipt", || order(&federation, "GE")["answers"]["TR"]["held"] == serde_json::json!([]));
    federation.converge();

    // Stopped, searched again, checked; started again, once without an index.
    nodes.into_iter().for_each(super::federation::Node::kill);
    for member in ["GE", "TR", "MZ"] {
        assert_eq!(needles.found(&federation.path(member)), Vec::<PathBuf>::new(), "{member}, stopped");
        fsck_is_clean(&federation, member);
    }
    fs::remove_dir_all(federation.path("TR").join("data/index")).unwrap();
    fsck_is_clean(&federation, "TR");
    let nodes = federation.start_all();
    federation.converge();
    wait_for("the records of TR, searched again", || body(&federation, "TR", &erased) == "erased");
    for member in ["GE", "TR", "MZ"] {
        assert_eq!(body(&federation, member, &erased), "erased", "{member}, after a restart");
        assert_eq!(federation.json(member, &["status"]).unwrap()["bodies_missing"], 0, "{member}");
        assert_eq!(needles.found(&federation.path(member)), Vec::<PathBuf>::new(), "{member}, after a restart");
    }
    // The statement is the one that it was, and what was handed out before is proved as before.
    assert_eq!(federation.json("TR", &["record", "show", &erased]).unwrap()["statement"], statement);
    let charter = federation.path("charter.cose");
    for bundle in &bundles {
        let mut verify = super::program();
        success(verify.args(["evidence", "verify"]).arg(bundle).arg("--charter").arg(&charter));
    }
    // What can still be handed out proves that the statement stands, and shows nothing.
    let later = federation.path("evidence-later");
    let export = federation.command("TR").args(["evidence", "export", &erased, "--out"]).arg(&later).output().unwrap();
    if export.status.success() {
        success(super::program().args(["evidence", "verify"]).arg(&later).arg("--charter").arg(&charter));
        assert!(needles.found(&later).is_empty());
    }
    drop(nodes);
}

#[test]
fn a_reader_may_forget_its_own_copy_and_the_author_learns_of_it() {
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let nodes = federation.start_all();
    let id = announce(&federation, 3, CANARY);
    federation.converge();
    wait_for("the record at TR", || body(&federation, "TR", &id) == "opened");
    let bundle = federation.path("evidence");
    let args = ["evidence", "export", &id, "--disclose-keys", "--out", bundle.to_str().unwrap()];
    success(federation.command("GE").args(args));
    let needles = Needles::of(&bundle, CANARY);
    let refused = federation.command("GE").args(["record", "forget", &id, "--yes"]).output().unwrap();
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("order its erasure"));
    success(federation.command("TR").args(["record", "forget", &id, "--yes"]));
    wait_for("word of it at GE", || {
        let all = federation.json("GE", &["record", "erasures"]).unwrap_or_default();
        all["told_by_others"]["TR"] == serde_json::json!([id])
    });
    assert_eq!(needles.found(&federation.path("TR")), Vec::<PathBuf>::new());
    assert_eq!(
        (body(&federation, "TR", &id), body(&federation, "GE", &id)),
        ("erased".to_owned(), "opened".to_owned())
    );
    drop(nodes);
}

#[test]
fn what_is_older_than_the_terms_of_the_config_goes_by_itself() {
    let Some(library) = super::clock::library() else {
        eprintln!("skipped: libfaketime is not installed");
        return;
    };
    let federation = Federation::of(&["GE", "TR", "MZ"]);
    let nodes = federation.start_all();
    let first = announce(&federation, 4, CANARY);
    let held = announce(&federation, 5, KEPT);
    federation.converge();
    wait_for("the records at TR", || ["TR", "MZ"].iter().all(|member| body(&federation, member, &held) == "opened"));
    success(federation.command("GE").args(["record", "hold", &held, "--reference", "case 12/26"]));
    nodes.into_iter().for_each(super::federation::Node::kill);

    // Forty days later. Türkiye keeps copies of everything for thirty days, Georgia its own notifications for thirty, Mozambique all for ever.
    let own =
        [("SHIELDWALL_RETENTION_OWN", "export-notification:30,*:400"), ("SHIELDWALL_RETENTION_LEGAL_BASIS", "Order 7")];
    let copies = [("SHIELDWALL_RETENTION_COPIES", "*:30")];
    let mut nodes = vec![super::clock::start_with(&federation, "TR", &library, "+40d", &copies)];
    nodes.push(super::clock::start_with(&federation, "MZ", &library, "+40d", &[]));
    wait_for("the copies at TR", || [&first, &held].iter().all(|id| body(&federation, "TR", id) == "erased"));
    assert_eq!(body(&federation, "MZ", &first), "opened");
    nodes.push(super::clock::start_with(&federation, "GE", &library, "+40d", &own));
    wait_for("the order of GE", || order(&federation, "GE")["records"] == serde_json::json!([first]));
    assert_eq!(order(&federation, "GE")["legal_basis"], "Order 7");
    wait_for("the answer of MZ", || order(&federation, "GE")["silent"] == serde_json::json!([]));
    assert_eq!(
        (body(&federation, "MZ", &first), body(&federation, "MZ", &held)),
        ("erased".to_owned(), "opened".to_owned())
    );
    assert_eq!(body(&federation, "GE", &held), "opened", "what is held stays");
    drop(nodes);
}
