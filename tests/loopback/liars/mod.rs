//! Dishonest members among real nodes: what every honest node shows, after how long, and that nothing honest is lost.
//!
//! Kenya signs two histories of different sizes. Mozambique withholds bodies, garbles them, copies tags,
//! dates ahead, says again what was said, answers with an old charter, and at last signs two histories of one size.

mod member;

use std::time::Duration;

use serde_json::Value;
use shieldwall::formats::Batch;
use shieldwall::record::{Context, Record, Strictness};

use super::federation::{self, Federation, Node, now, success, wait_for};
use member::{Answers, Liar};

const HONEST: [&str; 3] = ["GE", "TR", "LB"];

/// The honest three, and what they have logged.
struct Trial {
    federation: Federation,
    _nodes: Vec<Node>,
    logged: usize,
}

impl Trial {
    fn new() -> Self {
        let federation = Federation::of(&["GE", "TR", "LB", "MZ", "KE"]);
        let nodes = HONEST.map(|member| federation.start(member)).into();
        Self { federation, _nodes: nodes, logged: 0 }
    }

    /// What a command at one member says, whatever its exit code.
    fn ask(&self, member: &str, args: &[&str]) -> Value {
        let output = self.federation.command(member).args(args).arg("--json").output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn at_all(&self, what: &str, shown: impl Fn(&str) -> bool) -> f64 {
        let begun = now();
        wait_for(what, || HONEST.iter().all(|member| shown(member)));
        begun.elapsed().as_secs_f64()
    }

    /// Georgia logs two more records: they, and all before, are at every honest member, and open at their readers.
    fn nothing_honest_is_lost(&mut self) -> f64 {
        let table = self.federation.path("more.csv");
        std::fs::write(&table, federation::table(self.logged..self.logged + 2)).unwrap();
        success(self.federation.command("GE").arg("import").arg(&table));
        self.logged += 2;
        let wanted: Vec<String> = (0..self.logged).map(|number| format!("6GE420000333-L{number:05}")).collect();
        self.at_all("what Georgia has logged", |member| {
            let records =
                self.ask(member, &["record", "list", "--log", "GE", "--kind", "export-notification", "--limit", "0"]);
            let all = self.ask(member, &["ledger"])["logs"].clone();
            let of_georgia = all.as_array().into_iter().flatten().find(|log| log["log"] == "GE").cloned();
            let audited = of_georgia
                .is_some_and(|log| log["audited"] == log["size"] && log["size"].as_u64() > Some(wanted.len() as u64));
            let readable = |ucr: &String| member == "GE" || federation::reader(ucr) == member;
            let opened: Vec<&str> =
                records.as_array().into_iter().flatten().filter_map(|line| line["ucr"].as_str()).collect();
            audited && wanted.iter().filter(|ucr| readable(ucr)).all(|ucr| opened.contains(&ucr.as_str()))
        })
    }

    fn size_of(&self, member: &str, log: &str) -> u64 {
        let ledger = self.ask(member, &["ledger"]);
        let logs = ledger["logs"].as_array().cloned().unwrap_or_default();
        logs.iter().find(|view| view["log"] == log).and_then(|view| view["size"].as_u64()).unwrap_or(0)
    }

    fn proved(&self, member: &str) -> Vec<String> {
        let all = self.ask(member, &["equivocation", "list"]);
        all.as_array().into_iter().flatten().filter_map(|kept| kept["what"].as_str().map(str::to_owned)).collect()
    }

    /// The federation has another name from now on; Kenya and the honest sign it.
    fn next_charter(&self) {
        let file = self.federation.path("next.cose");
        let mut propose = self.federation.command("GE");
        success(propose.args(["charter", "propose", "--name", "Loopback, renamed", "--out"]).arg(&file));
        for member in ["GE", "TR", "LB", "KE"] {
            let mut sign = self.federation.command(member);
            // Who has no node has the charter in the file alone.
            sign.args(["charter", "sign", "--no-input"]).arg(&file);
            drop(sign.output().unwrap());
        }
        success(self.federation.command("GE").args(["charter", "publish", "--yes"]).arg(&file));
        self.at_all("the next charter", |member| self.charter_version(member) == 2);
    }

    fn charter_version(&self, member: &str) -> u64 {
        self.ask(member, &["charter", "show"])["version"].as_u64().unwrap_or_default()
    }

    /// A record of which a member lacks the body that is for it.
    fn missing(&self, member: &str, log: &str) -> Option<String> {
        let records = self.ask(member, &["record", "list", "--log", log, "--limit", "0"]);
        let missing = records.as_array()?.iter().find(|line| line["body"] == "missing")?;
        missing["id"].as_str().map(str::to_owned)
    }

    fn body(&self, member: &str, record: &str) -> String {
        self.ask(member, &["record", "show", record])["body"].as_str().unwrap_or_default().to_owned()
    }
}

/// Records of a member for Türkiye.
fn records(from: &str, numbers: std::ops::Range<usize>) -> Vec<Record> {
    let for_turkey = federation::table(numbers).replace(",MZ,", ",TR,");
    let table = for_turkey.replace("6GE42", &format!("6{from}42")).replace(",GE,", &format!(",{from},"));
    let judge = Context {
        strictness: Strictness::Imported,
        author: from.parse().ok(),
        now: shieldwall::node::clock::now(),
        foreign_exports: false,
    };
    let mut batch = Batch::default();
    batch.add("declarations.csv", table.as_bytes(), &judge);
    assert!(batch.errors.is_empty(), "{:?}", batch.errors);
    batch.records.into_iter().map(|checked| *checked.record).collect()
}

#[test]
fn whatever_a_dishonest_member_does_is_shown_by_all_others_and_harms_nothing() {
    let mut trial = Trial::new();
    trial.nothing_honest_is_lost();

    // Two histories of different sizes: of what all hold, another beginning is signed.
    let kenya = Liar::start(&trial.federation, "KE");
    kenya.submit(records("KE", 0..3));
    trial.at_all("what Kenya has logged", |member| trial.size_of(member, "KE") >= 4);
    kenya.say(|core| vec![core.history(Some((2, 9, Vec::new())), 0)]);
    let took = trial.at_all("the proof against Kenya", |member| trial.proved(member) == ["log:KE"]);
    eprintln!("two histories of different sizes: proved at all after {took:.1} s");
    eprintln!("  nothing honest is lost: {:.1} s", trial.nothing_honest_is_lost());

    let mozambique = Liar::start(&trial.federation, "MZ");
    // Bodies that are not given, and bodies with other bytes.
    for (name, how, first) in [
        ("withheld bodies", Answers { withheld: true, ..Answers::default() }, 0),
        ("garbage bodies", Answers { garbled: true, ..Answers::default() }, 1),
    ] {
        mozambique.answer(how);
        mozambique.submit(records("MZ", first..first + 1));
        let begun = now();
        let mut id = String::new();
        // Mozambique acknowledges what it was sent as well: the position is not known before.
        wait_for(name, || {
            id = trial.missing("TR", "MZ").unwrap_or_default();
            !id.is_empty()
        });
        eprintln!("{name}: {id} is shown as missing at its reader after {:.1} s", begun.elapsed().as_secs_f64());
        eprintln!("  nothing honest is lost: {:.1} s", trial.nothing_honest_is_lost());
        assert_eq!(trial.body("TR", &id), "missing", "no other bytes are taken");
        mozambique.answer(Answers::default());
        wait_for("the body, once it is given", || trial.body("TR", &id) == "opened");
    }

    // A checkpoint of next year. Nobody goes by it, and the log goes on.
    let before = trial.size_of("LB", "MZ");
    mozambique.say(|core| vec![core.history(None, 365 * 86_400)]);
    mozambique.submit(records("MZ", 2..3));
    let took =
        trial.at_all("what was logged after a checkpoint of next year", |member| trial.size_of(member, "MZ") > before);
    eprintln!("a checkpoint of next year: put aside; what was logged after it is held at all after {took:.1} s");
    eprintln!("  nothing honest is lost: {:.1} s", trial.nothing_honest_is_lost());

    // All that it has heard, said again: nothing falls, and nobody is blamed.
    let sizes = |trial: &Trial| HONEST.map(|member| ["GE", "TR", "LB", "MZ"].map(|log| trial.size_of(member, log)));
    let before = sizes(&trial);
    mozambique.say(|core| core.heard.clone());
    eprintln!("old checkpoints again: nothing honest is lost: {:.1} s", trial.nothing_honest_is_lost());
    let after = sizes(&trial);
    assert!(
        before.iter().flatten().zip(after.iter().flatten()).all(|(before, after)| before <= after),
        "{before:?} {after:?}"
    );

    // The charter of the beginning, after all others have the next one.
    trial.next_charter();
    mozambique.answer(Answers { stale: true, ..Answers::default() });
    eprintln!("an old charter: nothing honest is lost: {:.1} s", trial.nothing_honest_is_lost());
    std::thread::sleep(Duration::from_secs(3));
    assert!(HONEST.iter().all(|member| trial.charter_version(member) == 2), "a charter never goes back");
    mozambique.answer(Answers::default());

    // Tags of Georgia's statements under a statement of its own: they are for nobody there.
    let before = trial.size_of("LB", "MZ");
    mozambique.say(|core| vec![core.history(Some((core.size(), 7, core.tags_of("GE-1".parse().unwrap()))), 0)]);
    let took = trial.at_all("the statement with the copied tags", |member| trial.size_of(member, "MZ") > before);
    let id = format!("MZ-{before}");
    assert!(HONEST.iter().all(|member| trial.body(member, &id) == "sealed"), "it is for nobody");
    eprintln!("copied tags: held at all after {took:.1} s, and for nobody");
    eprintln!("  nothing honest is lost: {:.1} s", trial.nothing_honest_is_lost());

    // Two histories of one size, told to all.
    let keep = usize::try_from(before).unwrap();
    mozambique.say(move |core| vec![core.history(Some((keep, 8, Vec::new())), 0)]);
    let took = trial.at_all("the proof against Mozambique", |member| trial.proved(member) == ["log:KE", "log:MZ"]);
    eprintln!("two histories of one size: proved at all after {took:.1} s");
    eprintln!("  nothing honest is lost: {:.1} s", trial.nothing_honest_is_lost());
    drop((kenya, mozambique));

    // What each of them has proved, an outsider can check; nobody else is accused.
    for member in HONEST {
        assert_eq!(trial.proved(member), ["log:KE", "log:MZ"]);
        let list = trial.federation.command(member).args(["--quiet", "equivocation", "list"]).output().unwrap();
        assert_eq!(list.status.code(), Some(21), "two signed histories of one thing");
        for log in ["KE", "MZ"] {
            let out = trial.federation.path(&format!("{log}-by-{member}"));
            let mut export = trial.federation.command(member);
            success(export.args(["equivocation", "export", &format!("log:{log}"), "--out"]).arg(&out));
            let proof = std::fs::metadata(out.join("equivocation.cbor")).unwrap().len();
            assert!(proof < 1_200, "{proof} bytes");
            let mut verify = federation::program();
            let verify = verify.args(["evidence", "verify"]).arg(&out).arg("--charter");
            let said = success(verify.arg(trial.federation.path("charter.cose"))).stdout;
            assert!(String::from_utf8(said).unwrap().starts_with(&format!("two histories of the log {log}, from ")));
        }
    }
}
