//! Evidence folders, and the trees under all proofs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use shieldwall::encoding::cbor::{self, Map, Value};
use shieldwall::encoding::hash::Digest;
use shieldwall::encoding::merkle as tree;
use shieldwall::evidence::{Bundle, Report, verify, verify_under};
use shieldwall::identity::{Federation, Published};

use super::{remember_signatures, tried};

/// A good folder and the charter file that its verifier trusts, as [`pack`] puts them together.
pub const GOOD: &[u8] = include_bytes!("../../seeds/evidence/folder");
/// Where in such a map the trusted charter lies.
const TRUSTED: &str = "trusted";

static FOLDER: LazyLock<(Bundle, Vec<u8>)> = LazyLock::new(|| unpack(GOOD).expect("the folder of the seeds is good"));
/// That charter, read once: only whole folders bring another.
static UNDER: LazyLock<Federation> = LazyLock::new(|| {
    let federation = Published::decode(&FOLDER.1).expect("it is of the seeds").verify().expect("it is of the seeds");
    assert_eq!(verify_under(&FOLDER.0, &federation), verify(&FOLDER.0, &FOLDER.1), "the two ways to verify differ");
    federation
});

/// A folder and a trusted charter in one file.
#[must_use]
pub fn pack(bundle: &Bundle, trusted: &[u8]) -> Vec<u8> {
    let files = bundle.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
    cbor::encode(&Value::Map(files.chain([(TRUSTED, trusted)]).collect::<Map>()))
}

fn unpack(bytes: &[u8]) -> Option<(Bundle, Vec<u8>)> {
    let Value::Map(map) = cbor::decode(bytes).ok()? else { return None };
    let mut files: BTreeMap<String, Vec<u8>> = map
        .iter()
        .map(|(path, bytes)| Some((path.as_text()?.to_owned(), bytes.as_bytes()?.to_vec())))
        .collect::<Option<_>>()?;
    let trusted = files.remove(TRUSTED)?;
    Some((files, trusted))
}

/// Either a whole folder, or edits of the good one: file, kind of edit, place, length, content.
pub fn evidence(bytes: &[u8]) {
    remember_signatures();
    if let Some((bundle, trusted)) = unpack(bytes) {
        check(&bundle, &trusted, &verify(&bundle, &trusted));
        return;
    }
    let (mut bundle, trusted) = (FOLDER.0.clone(), &FOLDER.1);
    let mut rest = bytes;
    for _ in 0..4 {
        let Some(([file, kind, place, length], after)) = rest.split_first_chunk() else { break };
        let (part, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let path = bundle.keys().nth(usize::from(*file) % bundle.len().max(1)).cloned().unwrap_or_default();
        edit(&mut bundle, path, *kind, usize::from(*place), part);
    }
    check(&bundle, trusted, &verify_under(&bundle, &UNDER));
}

fn edit(bundle: &mut Bundle, path: String, kind: u8, place: usize, part: &[u8]) {
    let held = bundle.remove(&path).unwrap_or_default();
    // Places are tried at both ends, where headers and signatures are.
    let place = if kind & 0x80 == 0 { place } else { held.len().saturating_sub(place) }.min(held.len());
    let (before, after) = held.split_at(place);
    let made = match kind & 0x07 {
        0 => [before, part, after].concat(),
        1 => [before, part, after.get(part.len()..).unwrap_or_default()].concat(),
        2 => before.to_vec(),
        3 => part.to_vec(),
        4 => {
            let flipped: Vec<u8> = after.iter().zip(part).map(|(byte, bits)| byte ^ bits).collect();
            [before, &flipped, after.get(flipped.len()..).unwrap_or_default()].concat()
        }
        5 => [before, after.get(part.len()..).unwrap_or_default()].concat(),
        6 => {
            // Under another name, which may be none of a folder's.
            bundle.insert(String::from_utf8_lossy(part).into_owned(), held);
            return;
        }
        _ => return,
    };
    bundle.insert(path, made);
}

fn check(bundle: &Bundle, trusted: &[u8], report: &Report) {
    let good = &FOLDER.0;
    let changed = bundle.iter().any(|(path, bytes)| good.get(path).is_some_and(|held| held != bytes));
    let missing = good.keys().any(|path| !bundle.contains_key(path));
    let added = bundle.keys().any(|path| !good.contains_key(path));
    if trusted == FOLDER.1 && !changed && !missing && !added {
        assert!(report.proved, "the good folder is refused");
    }
    if report.proved && trusted == FOLDER.1 {
        // A folder may show less than this one does; whatever file it has of this record must be as it is here.
        let same = |path: &str| bundle.get(path) == good.get(path);
        assert!(same("statement.cose") && same("leaf.hex"), "a changed statement is proved");
    }
    tried(report.to_text());
    tried(report.to_json());
}

/// Proofs of inclusion and consistency with any numbers.
pub fn merkle(bytes: &[u8]) {
    let Some((numbers, rest)) = bytes.split_first_chunk::<24>() else { return };
    let number = |at: usize| u64::from_be_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| numbers[at * 8 + byte]));
    let (a, b, c) = (number(0), number(1), number(2));
    let digests: Vec<Digest> =
        rest.chunks_exact(32).take(80).map(|part| Digest(part.try_into().expect("32 bytes"))).collect();
    let [first, second, path @ ..] = digests.as_slice() else { return };
    if tree::verify_inclusion(first, a, b, path, second) {
        assert!(a < b);
        assert_eq!(tree::root_from_inclusion(first, a, b, path), Some(*second));
    }
    if tree::verify_consistency(a, first, c, second, path) {
        assert!(a <= c);
    }
    tried(tree::roots_from_consistency(a, c, first, path));
    tried(tree::root_from_inclusion(first, b, c, path));
    let size = (path.len() as u64).min(40);
    if size == 0 {
        return;
    }
    let leaves = &path[..usize::try_from(size).expect("at most 40")];
    let (index, old) = (a % size, b % (size + 1));
    let root = tree::root(leaves);
    let proof = tree::inclusion_proof(leaves, index);
    let leaf = &leaves[usize::try_from(index).expect("at most 40")];
    assert!(tree::verify_inclusion(leaf, index, size, &proof, &root));
    assert!(size == 1 || first == leaf || !tree::verify_inclusion(first, index, size, &proof, &root));
    if old > 0 {
        let old_root = tree::root(&leaves[..usize::try_from(old).expect("at most 40")]);
        let proof = tree::consistency_proof(leaves, old);
        assert!(tree::verify_consistency(old, &old_root, size, &root, &proof));
    }
}
