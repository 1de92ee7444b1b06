//! A thousand and more changed bundles, each with the claims that must fail for it: for the verifier here and for the page.
#![expect(clippy::unwrap_used, reason = "what cannot be built fails the test")]

use std::collections::BTreeSet;

use shieldwall::encoding::cbor::{self, Value};
use shieldwall::encoding::ids::FederationId;
use shieldwall::evidence::{Bundle, ExportOptions, export, verify};

use crate::evidence_fixture::{World, code, key, manifest, next_charter, published, sign_manifest};

/// Places in each file at which one bit is changed.
const FLIPS: usize = 11;

/// One changed bundle or one changed charter file.
pub(crate) struct Mutation {
    /// What was done, unique in the set.
    pub(crate) what: String,
    pub(crate) bundle: Bundle,
    /// The charter file that the verifier has.
    pub(crate) trusted: Vec<u8>,
    /// The claims that must fail.
    must: BTreeSet<String>,
    /// Claims that rest on those, and may fail with them. No others may.
    may: BTreeSet<String>,
}

/// Two bundles that are good, with everything and without the keys, and what goes with them.
pub(crate) struct Originals {
    world: World,
    pub(crate) full: Bundle,
    pub(crate) plain: Bundle,
    pub(crate) trusted: Vec<u8>,
}

impl Originals {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let full = bundle(&world, 1, true);
        let plain = bundle(&world, 1, false);
        let trusted = world.federation.published().encode().unwrap();
        Self { world, full, plain, trusted }
    }

    /// All mutations, in the same order every time.
    pub(crate) fn mutations(&self) -> Vec<Mutation> {
        let mut set = Set { originals: self, found: Vec::new() };
        set.files();
        set.flips();
        set.places();
        set.names();
        set.strangers();
        set.fields();
        set.folders();
        set.charters();
        set.found
    }
}

fn bundle(world: &World, position: u64, disclose_keys: bool) -> Bundle {
    export(&world.material(position), &ExportOptions { disclose_keys, ..ExportOptions::default() }).unwrap()
}

/// The claim that a file is checked under: written down here once more, so that the verifier is not its own judge.
fn claim(path: &str) -> String {
    let (folder, file) = path.split_once('/').unwrap_or(("", path));
    let stem = file.split('.').next().unwrap();
    match (folder, file) {
        ("", "charter.cose") => "charter".to_owned(),
        ("", "statement.cose") => "statement".to_owned(),
        ("", "head.cbor") => "head".to_owned(),
        ("manifests", _) => "manifests".to_owned(),
        ("receipts", _) => format!("receipt {stem}"),
        ("cosignatures", _) => format!("cosignature {stem}"),
        ("fields", _) => format!("fields {stem}"),
        ("compartments", _) if !file.ends_with(".direct.cose") => format!("compartment {stem}"),
        _ => "derived files".to_owned(),
    }
}

/// The claims of all files of the bundle in one of these folders.
fn claims_in(bundle: &Bundle, folders: &[&str]) -> BTreeSet<String> {
    bundle.keys().filter(|path| folders.iter().any(|folder| path.starts_with(folder))).map(|path| claim(path)).collect()
}

struct Set<'a> {
    originals: &'a Originals,
    found: Vec<Mutation>,
}

impl Set<'_> {
    /// `path` has other bytes: its claim fails, and with it at most those that rest on the file.
    fn changed(&mut self, what: String, base: &Bundle, path: &str, bytes: &[u8]) {
        if base[path] == bytes {
            return;
        }
        let mut changed = base.clone();
        changed.insert(path.to_owned(), bytes.to_vec());
        let own = claim(path);
        let may = self.rests_on(base, path);
        self.push(what, changed, BTreeSet::from([own]), may);
    }

    /// What else fails if the file cannot be believed.
    fn rests_on(&self, base: &Bundle, path: &str) -> BTreeSet<String> {
        match path.split_once('/') {
            None if path == "head.cbor" => claims_in(base, &["fields/"]),
            Some(("fields", file)) => [format!("compartment {}", &file[..32])].into(),
            _ => BTreeSet::new(),
        }
    }

    fn push(&mut self, what: String, bundle: Bundle, must: BTreeSet<String>, may: BTreeSet<String>) {
        let trusted = self.originals.trusted.clone();
        self.found.push(Mutation { what, bundle, trusted, must, may });
    }

    fn one(&mut self, what: String, bundle: Bundle, must: &str) {
        self.push(what, bundle, [must.to_owned()].into(), BTreeSet::new());
    }

    /// Removed, emptied, cut, made longer.
    fn files(&mut self) {
        let Originals { full, plain, .. } = self.originals;
        for (name, base) in [("full", full), ("plain", plain)] {
            for (path, bytes) in base {
                let mut without = base.clone();
                without.remove(path);
                let disclosed = name == "full";
                let must = match path.split('/').next().unwrap() {
                    "charter.cose" | "statement.cose" => "files".to_owned(),
                    "receipts" if path != "receipts/GE.cose" => "derived files".to_owned(),
                    "cosignatures" => "derived files".to_owned(),
                    "fields" if disclosed => format!("compartment {}", &path["fields/".len()..][..32]),
                    "fields" => "derived files".to_owned(),
                    _ => claim(path),
                };
                let what = format!("{name}: {path} removed");
                if path == "head.cbor" {
                    self.push(what, without, claims_in(base, &["fields/"]), BTreeSet::new());
                } else {
                    self.one(what, without, &must);
                }
                self.changed(format!("{name}: {path} emptied"), base, path, b"");
                for cut in BTreeSet::from([1, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1]) {
                    self.changed(format!("{name}: {path} cut to {cut} bytes"), base, path, &bytes[..cut]);
                }
                for more in [&[0][..], b"\n", b"\xf6", bytes] {
                    let longer = [bytes, more].concat();
                    self.changed(
                        format!("{name}: {path} and {} bytes more, first {}", more.len(), more[0]),
                        base,
                        path,
                        &longer,
                    );
                }
            }
        }
    }

    /// One bit, at places spread over every file.
    fn flips(&mut self) {
        let base = &self.originals.full;
        for (path, bytes) in base {
            let places: BTreeSet<usize> = (0..FLIPS).map(|step| step * (bytes.len() - 1) / (FLIPS - 1)).collect();
            for at in places {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                self.changed(format!("full: {path}, bit {} of byte {at}", at % 8), base, path, &changed);
            }
        }
    }

    /// Other files of the folder in the place of each, a third of all pairs, and every two of a kind exchanged.
    fn places(&mut self) {
        let base = &self.originals.full;
        for (row, path) in base.keys().enumerate() {
            for (other, bytes) in base.iter().skip(row % 3).step_by(3) {
                self.changed(format!("full: {other} in the place of {path}"), base, path, bytes);
            }
        }
        for (one, first) in base {
            for (other, second) in base.range(one.clone()..).skip(1) {
                let kind = |path: &str| {
                    path.split_once(['/']).map(|(folder, file)| (folder.to_owned(), file.contains(".key")))
                };
                if kind(one).is_none() || kind(one) != kind(other) || first == second {
                    continue;
                }
                let mut changed = base.clone();
                changed.insert(one.clone(), second.clone());
                changed.insert(other.clone(), first.clone());
                let mut must: BTreeSet<String> = [claim(one), claim(other)].into();
                // What is derived is only compared with what holds.
                if must.len() > 1 {
                    must.remove("derived files");
                }
                let may = self.rests_on(base, one).into_iter().chain(self.rests_on(base, other)).collect();
                self.push(format!("full: {one} and {other} exchanged"), changed, must, may);
            }
        }
    }

    /// Renamed, and added.
    fn names(&mut self) {
        let base = &self.originals.full;
        for (path, bytes) in base {
            for (kind, name) in [
                ("capitals", path.to_uppercase()),
                ("small letters", path.to_lowercase()),
                ("another ending", format!("{path}.bak")),
                ("a folder above", format!("case/{path}")),
                ("a way out", format!("../{path}")),
                ("an absolute path", format!("/{path}")),
                ("the other slash", path.replace('/', "\\")),
            ] {
                if base.contains_key(&name) {
                    continue;
                }
                let mut added = base.clone();
                added.insert(name, bytes.clone());
                self.one(format!("full: {path} once more, with {kind}"), added.clone(), "files");
                added.remove(path);
                self.one(format!("full: {path} renamed, with {kind}"), added, "files");
            }
        }
        let label = "00112233445566778899aabbccddeeff";
        for (path, like, must) in [
            ("receipts/LB.cose", "receipts/TR.cose", "receipt LB"),
            ("receipts/ZZ.cose", "receipts/GE.cose", "receipt ZZ"),
            ("cosignatures/GE.cbor", "cosignatures/TR.cbor", "cosignature GE"),
            ("cosignatures/MZ.cbor", "cosignatures/LB.cbor", "cosignature MZ"),
            ("manifests/ZZ.cose", "manifests/TR.cose", "manifests"),
            ("keys/ZZ.pem", "keys/TR.pem", "derived files"),
            (&format!("fields/{label}.cbor"), "head.cbor", &format!("fields {label}")),
            (&format!("compartments/{label}.key"), "leaf.hex", &format!("compartment {label}")),
            (&format!("compartments/{label}.cose"), "statement.cose", &format!("compartment {label}")),
            (&format!("compartments/{label}.direct.cose"), "statement.cose", "derived files"),
        ] {
            let mut added = base.clone();
            added.insert(path.to_owned(), base[like].clone());
            self.one(format!("full: {path} added, like {like}"), added.clone(), must);
            if like.split('/').next() == path.split('/').next() && like != "receipts/GE.cose" {
                added.remove(like);
                self.one(format!("full: {like} renamed to {path}"), added, must);
            }
            let mut empty = base.clone();
            empty.insert(path.to_owned(), Vec::new());
            self.one(format!("full: {path} added, empty"), empty, must);
        }
        for path in ["notes.txt", ".DS_Store", "Thumbs.db", "README.md~", "keys/", "fields/ab.cbor", ""] {
            let mut added = base.clone();
            added.insert(path.to_owned(), b"x".to_vec());
            self.one(format!("full: {path:?} added"), added, "files");
        }
        self.one("nothing at all".to_owned(), Bundle::new(), "files");
    }

    /// Files from evidence of another record, of the lanes, of another federation, and from another export of this one.
    fn strangers(&mut self) {
        let Originals { world, full, .. } = self.originals;
        let elsewhere = World::named("Another wall");
        let mut later = world.material(1);
        later.cosignatures.remove(0);
        later.frontiers.remove(0);
        let later = export(&later, &ExportOptions { disclose_keys: true, ..ExportOptions::default() }).unwrap();
        for (name, other) in [
            ("GE-2", bundle(world, 2, false)),
            ("the lanes", bundle(world, 0, false)),
            ("another federation", bundle(&elsewhere, 1, true)),
            ("a later export", later),
        ] {
            for (path, bytes) in &other {
                let what = format!("full: {path} of {name}");
                if full.get(path).is_none_or(|own| own == bytes) {
                    continue;
                }
                let mut changed = full.clone();
                changed.insert(path.clone(), bytes.clone());
                match (path.as_str(), name) {
                    // Good by itself: all that was made for the other record fails.
                    ("statement.cose", "GE-2" | "the lanes") => {
                        let must = claims_in(full, &["receipts/", "cosignatures/", "head", "fields/"]);
                        self.push(what, changed, must, BTreeSet::new());
                    }
                    // Good by itself, but not the federation that the statement is for.
                    ("charter.cose", _) => self.one(what, changed, "statement"),
                    // Good for this record as well, but nobody exported these together.
                    ("receipts/TR.cose", "a later export") => self.one(what, changed, "derived files"),
                    _ => self.changed(what, full, path, bytes),
                }
            }
        }
        // A whole that is good, for whoever trusts the other federation.
        self.one("another federation's evidence".to_owned(), bundle(&elsewhere, 1, true), "trusted charter");
    }

    /// The fields of a compartment, each still a field proof: left out, doubled, out of order, exchanged, moved.
    fn fields(&mut self) {
        let Originals { full, plain, .. } = self.originals;
        let places: Vec<&String> = full.keys().filter(|path| path.starts_with("fields/")).collect();
        let read = |path: &str| cbor::decode(&full[path]).unwrap().as_array().unwrap().to_vec();
        for path in &places {
            let items = read(path);
            let mut variants: Vec<(String, Vec<Value>)> = Vec::new();
            for at in 0..items.len() {
                let (mut twice, mut moved) = (items.clone(), items.clone());
                twice.insert(at, items[at].clone());
                variants.push((format!("field {at} twice"), twice));
                moved.rotate_left(at);
                variants.push((format!("rotated by {at}"), moved));
                for other in places.iter().filter(|other| *other != path) {
                    let mut foreign = items.clone();
                    foreign[at] = read(other)[0].clone();
                    variants.push((format!("field {at} from {other}"), foreign));
                }
                // Of each two fields, what one says in the place of what the other does: compartment, salt, name, value and so on.
                for second in (0..items.len()).filter(|second| *second != at) {
                    for (part, theirs) in items[second].as_map().unwrap().iter() {
                        let mut own = items[at].as_map().unwrap().clone();
                        own.remove(part);
                        own.insert(part.clone(), theirs.clone());
                        let mut mixed = items.clone();
                        mixed[at] = Value::Map(own);
                        variants.push((format!("field {at} with part {part:?} of field {second}"), mixed));
                    }
                }
            }
            for (what, items) in variants {
                let bytes = cbor::encode(&Value::from(items));
                self.changed(format!("full: {path}: {what}"), full, path, &bytes);
            }
            // What is left is good, but it is not what was exported: the keys open more, or JSON and README say more.
            for at in 0..items.len() {
                let mut fewer = items.clone();
                fewer.remove(at);
                let bytes = cbor::encode(&Value::from(fewer.clone()));
                for (name, base) in [("full", full), ("plain", plain)] {
                    let must = match (name, fewer.is_empty()) {
                        (_, true) => claim(path),
                        ("full", false) => format!("compartment {}", &path["fields/".len()..][..32]),
                        (_, false) => "derived files".to_owned(),
                    };
                    let mut changed = base.clone();
                    changed.insert((*path).clone(), bytes.clone());
                    self.push(
                        format!("{name}: {path}: field {at} left out"),
                        changed,
                        [must].into(),
                        self.rests_on(base, path),
                    );
                }
            }
        }
    }

    /// Whole folders left out or taken from elsewhere.
    fn folders(&mut self) {
        let Originals { full, plain, .. } = self.originals;
        for (folder, must) in [
            ("receipts/", "receipt GE"),
            ("cosignatures/", "derived files"),
            ("manifests/", "manifests"),
            ("keys/", "derived files"),
            ("compartments/", "derived files"),
        ] {
            let mut without = full.clone();
            without.retain(|path, _| !path.starts_with(folder));
            self.one(format!("full: all of {folder} removed"), without, must);
        }
        let mut without = plain.clone();
        without.retain(|path, _| !path.starts_with("fields/"));
        self.one("plain: all of fields/ removed".to_owned(), without, "derived files");
        let mut mixed = plain.clone();
        mixed.extend(
            full.iter().filter(|(path, _)| path.ends_with(".key")).map(|(path, bytes)| (path.clone(), bytes.clone())),
        );
        self.push(
            "plain: with the keys alone".to_owned(),
            mixed,
            claims_in(full, &["compartments/"]).into_iter().filter(|name| name != "derived files").collect(),
            BTreeSet::new(),
        );
    }

    /// The charter file that the verifier has.
    fn charters(&mut self) {
        let Originals { world, full, trusted, .. } = self.originals;
        let federation = &world.federation;
        let mut files: Vec<(String, Vec<u8>)> = vec![
            ("nothing".to_owned(), Vec::new()),
            ("the folder's own".to_owned(), full["charter.cose"].clone()),
            ("the statement".to_owned(), full["statement.cose"].clone()),
            ("another federation's".to_owned(), published("Another wall").encode().unwrap()),
        ];
        for step in 0..FLIPS * 4 {
            let at = step * (trusted.len() - 1) / (FLIPS * 4 - 1);
            let mut changed = trusted.clone();
            changed[at] ^= 1 << (at % 8);
            files.push((format!("with bit {} of byte {at} changed", at % 8), changed));
            files.push((format!("cut to {at} bytes"), trusted[..at].to_vec()));
        }
        // A next version that too few have signed.
        for signers in [&[][..], &["GE"], &["GE", "LB"]] {
            let mut forged = federation.published();
            forged.charters.push(next_charter(federation, signers));
            if let Ok(bytes) = forged.encode() {
                files.push((format!("with a version signed by {signers:?}"), bytes));
            }
        }
        // Another first manifest of a member, good by itself.
        for member in ["GE", "LB", "MZ", "TR", "W1"] {
            let mut rival = published("Wall");
            let mut draft = manifest(member);
            draft.witness = key(member, "another witness").public();
            rival.manifests.insert(code(member), sign_manifest(draft, FederationId::NONE));
            files.push((format!("with another manifest of {member}"), rival.encode().unwrap()));
        }
        for (what, trusted) in files {
            let must = ["trusted charter".to_owned()].into();
            self.found.push(Mutation {
                what: format!("the trusted charter: {what}"),
                bundle: full.clone(),
                trusted,
                must,
                may: BTreeSet::new(),
            });
        }
    }
}

#[test]
fn a_thousand_changed_bundles_are_refused_by_the_claim_that_is_wrong() {
    let originals = Originals::new();
    for good in [&originals.full, &originals.plain] {
        assert!(verify(good, &originals.trusted).proved);
    }
    let mutations = originals.mutations();
    let names: BTreeSet<&str> = mutations.iter().map(|mutation| mutation.what.as_str()).collect();
    assert_eq!(names.len(), mutations.len(), "each is another");
    assert!(mutations.len() >= 1_000, "{}", mutations.len());
    // On two threads: a debug build needs some milliseconds for each.
    let (first, second) = mutations.split_at(mutations.len() / 2);
    let failed: Vec<BTreeSet<String>> = std::thread::scope(|scope| {
        let both = [first, second].map(|half| scope.spawn(|| half.iter().map(refused).collect::<Vec<_>>()));
        both.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let mut faults = Vec::new();
    for (Mutation { what, must, may, .. }, failed) in mutations.iter().zip(&failed) {
        if !must.is_subset(failed) || !failed.iter().all(|name| must.contains(name) || may.contains(name)) {
            faults.push(format!("{what}: {failed:?} failed, must {must:?}, may {may:?}"));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), mutations.len(), faults.join("\n"));
    let kinds: BTreeSet<&str> = failed.iter().flatten().map(|name| name.split(' ').next().unwrap()).collect();
    let every = [
        "charter",
        "compartment",
        "cosignature",
        "derived",
        "fields",
        "files",
        "head",
        "manifests",
        "receipt",
        "statement",
        "trusted",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), every, "every claim that can fail has failed");
}

/// The claims that failed.
fn refused(mutation: &Mutation) -> BTreeSet<String> {
    let report = verify(&mutation.bundle, &mutation.trusted);
    assert!(!report.proved, "{}", mutation.what);
    report.failures().map(|claim| claim.name.clone()).collect()
}
