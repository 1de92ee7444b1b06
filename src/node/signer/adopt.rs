//! Handing a log over to a signer that is a process of its own, and making the tree that it goes by.

use std::path::Path;

use super::tree::{Tree, TreeError};
use crate::disk::{Guard, GuardRefusal};
use crate::encoding::hash::sha256;
use crate::encoding::ids::{LogId, RecordId};
use crate::encoding::merkle::{self, CompactTree};
use crate::encoding::time::UnixTime;
use crate::identity::PublicKey;
use crate::ledger::{Key, SignedRoot, SignedTree, Statement, Store, StoreError};

/// Statements that are read at once.
const PIECE: usize = 1_000;

/// Bytes of them at most.
const PIECE_BYTES: usize = 4 << 20;

/// Why a log cannot be handed over.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// The guard cannot be used.
    #[error(transparent)]
    Guard(#[from] GuardRefusal),
    /// The ledger cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tree cannot be written.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A statement in the ledger is not what the log's key was asked to sign there.
    #[error("{0} in the ledger is not what the guard says was signed there; nothing may be signed after it")]
    Other(RecordId),
}

/// Moves the guard of `log` from the node's data folder into the signer's, if it is still there. The locks of both must be held.
///
/// # Errors
/// [`GuardRefusal`].
pub fn move_guard(data_dir: &Path, signer: &Path, log: LogId) -> Result<bool, GuardRefusal> {
    if !Guard::exists(data_dir, log) {
        return Ok(false);
    }
    Guard::move_to(data_dir, signer, log).map(|()| true)
}

/// Makes the tree of `log` in the signer's folder from the ledger, unless a whole one is there that is as long. Each statement must be signed by `key` and
/// be the one that the guard knows; gives the number of statements that were read.
///
/// # Errors
/// [`AdoptError`].
pub fn make_tree(
    store: &impl Store,
    signer: &Path,
    log: LogId,
    key: &PublicKey,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, AdoptError> {
    let size = store.size(&log);
    match Tree::open(signer, log) {
        Ok(Some(tree)) if tree.signed().size() >= size => return Ok(0),
        Ok(_) | Err(TreeError::Damaged(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let guard = Guard::open(signer, log)?;
    let (mut grown, mut latest) = (CompactTree::default(), UnixTime::ZERO);
    while grown.size() < size {
        let piece = store.statements(&log, grown.size(), PIECE, PIECE_BYTES)?;
        if piece.is_empty() {
            // Rot: the running node fetches it from the others.
            let what = format!("the statement {}", RecordId { log, position: grown.size() });
            return Err(StoreError::Missing { what }.into());
        }
        for bytes in piece {
            let id = RecordId { log, position: grown.size() };
            let (message, issued_at) = signed_by(&bytes, id, key).ok_or(AdoptError::Other(id))?;
            latest = latest.max(issued_at);
            if guard.recorded(id.position)? != Some(sha256(&message)) {
                return Err(AdoptError::Other(id));
            }
            grown.push(merkle::leaf_hash(&bytes));
        }
        progress(grown.size(), size);
    }
    let newest = store.get(&Key::Checkpoint(log))?;
    let newest = newest.and_then(|frame| SignedRoot::decode(&frame.bytes).ok()?.claim().ok());
    Tree::begin(signer, log, &SignedTree::of(grown, newest.as_ref(), latest))?;
    Ok(size)
}

/// Begins guard and tree of a log whose key is drawn here, as far as they are not there. `false` if something was signed with that key already.
///
/// # Errors
/// [`AdoptError::Guard`] or [`AdoptError::Tree`].
pub fn begin(signer: &Path, log: LogId) -> Result<bool, AdoptError> {
    let is_unused = Guard::open(signer, log)?.highest().is_none();
    if is_unused && Tree::open(signer, log)?.is_none() {
        Tree::begin(signer, log, &SignedTree::default())?;
    }
    Ok(is_unused)
}

/// What was signed of these bytes, and its date, if they are the statement `id` with a signature of `key`.
fn signed_by(bytes: &[u8], id: RecordId, key: &PublicKey) -> Option<(Vec<u8>, UnixTime)> {
    let (statement, object) = Statement::read(bytes).ok()?;
    let message = statement.to_be_signed();
    let holds = statement.id == id && key.verify(&message, &object.signature).is_ok();
    holds.then_some((message, statement.issued_at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SecretKey;
    use crate::ledger::examine::tests::statement_of;
    use crate::ledger::memory::MemoryStore;
    use crate::ledger::{Frame, SignedTree};

    /// A store with so many statements of Georgia, and a folder whose guard knows of them.
    fn ledger(count: u64, folder: &Path) -> (MemoryStore, LogId, PublicKey) {
        let (log, key) = ("GE".parse().unwrap(), SecretKey::from_seed(&[1; 32]));
        let (mut store, mut guard) = (MemoryStore::default(), Guard::open(folder, log).unwrap());
        for position in 0..count {
            let statement = statement_of("GE", position, key.public().kid());
            let message = statement.to_be_signed();
            guard.check_and_record(&[(position, sha256(&message))]).unwrap();
            let bytes = statement.signed(key.sign(&message));
            store.stage(Frame { key: Key::Statement(statement.id), at: statement.issued_at, bytes }).unwrap();
        }
        (store, log, key.public())
    }

    fn tree(folder: &Path, log: LogId) -> SignedTree {
        Tree::open(folder, log).unwrap().unwrap().signed().clone()
    }

    #[test]
    fn a_tree_is_made_of_what_the_guard_knows_and_is_left_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let (store, log, key) = ledger(5, folder.path());
        assert_eq!(make_tree(&store, folder.path(), log, &key, &mut |_, _| {}).unwrap(), 5);
        assert_eq!(tree(folder.path(), log).size(), 5);
        assert_eq!(make_tree(&store, folder.path(), log, &key, &mut |_, _| {}).unwrap(), 0, "it is there");
        std::fs::write(folder.path().join("tree-GE.json"), "{").unwrap();
        assert_eq!(
            make_tree(&store, folder.path(), log, &key, &mut |_, _| {}).unwrap(),
            5,
            "a damaged one is made again"
        );
    }

    #[test]
    fn what_was_not_signed_so_or_cannot_be_read_makes_no_tree() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, log, key) = ledger(3, folder.path());
        let made = |store: &MemoryStore, key: &PublicKey| make_tree(store, folder.path(), log, key, &mut |_, _| {});
        let other = SecretKey::from_seed(&[2; 32]).public();
        assert!(matches!(made(&store, &other), Err(AdoptError::Other(id)) if id.position == 0));
        // A statement that the guard was never asked about, signed with the same key.
        let mut statement = statement_of("GE", 3, key.kid());
        statement.size_class = 7;
        let bytes = statement.signed(SecretKey::from_seed(&[1; 32]).sign(&statement.to_be_signed()));
        store.stage(Frame { key: Key::Statement(statement.id), at: statement.issued_at, bytes }).unwrap();
        assert!(matches!(made(&store, &key), Err(AdoptError::Other(id)) if id.position == 3));
        store.damage(Key::Statement(RecordId { log, position: 1 }));
        assert!(matches!(made(&store, &key), Err(AdoptError::Store(_))));
        assert!(Tree::open(folder.path(), log).unwrap().is_none());
    }

    #[test]
    fn what_is_begun_is_begun_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = "GE.2".parse().unwrap();
        assert!(begin(folder.path(), log).unwrap());
        assert!(begin(folder.path(), log).unwrap(), "nothing was signed yet");
        Guard::open(folder.path(), log).unwrap().check_and_record(&[(0, sha256(b"first"))]).unwrap();
        assert!(!begin(folder.path(), log).unwrap());
    }
}
