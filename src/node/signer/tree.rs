//! The tree of what was signed, in a file of a signer that is a process of its own.

use std::path::{Path, PathBuf};

use super::fault::Fault;
use crate::encoding::ids::LogId;
use crate::ledger::{Root, SignedTree, Statement};
use crate::node::private::{self, PrivateError};

/// The tree of one log, in a file of its own.
#[derive(Debug)]
pub(super) struct Tree {
    path: PathBuf,
    signed: SignedTree,
}

/// Why a tree cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Its file cannot be read or written.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// Its file is not as it was written.
    #[error("{} is damaged; `shieldwall signer adopt` makes it again from the ledger", .0.display())]
    Damaged(PathBuf),
}

impl Tree {
    /// Reads the tree of `log` in the signer's folder; none if it was never written.
    ///
    /// # Errors
    /// [`TreeError`].
    pub(super) fn open(dir: &Path, log: LogId) -> Result<Option<Self>, TreeError> {
        let path = dir.join(format!("tree-{log}.json"));
        let text = match private::read(&path) {
            Ok(text) => text,
            Err(PrivateError::Missing(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match serde_json::from_str(&text) {
            Ok(signed) => Ok(Some(Self { path, signed })),
            Err(_) => Err(TreeError::Damaged(path)),
        }
    }

    /// Begins the file of a tree, or puts it in the place of one that is damaged or too short.
    ///
    /// # Errors
    /// [`TreeError::File`].
    pub(super) fn begin(dir: &Path, log: LogId, signed: &SignedTree) -> Result<(), TreeError> {
        Ok(keep(&dir.join(format!("tree-{log}.json")), signed)?)
    }

    /// What was signed.
    pub(super) fn signed(&self) -> &SignedTree {
        &self.signed
    }

    /// Takes statements that were just signed. On the disk when this returns.
    ///
    /// # Errors
    /// [`Fault`]; then they may not go out.
    pub(super) fn grow(&mut self, statements: &[(Statement, [u8; 64])]) -> Result<(), Fault> {
        let mut next = self.signed.clone();
        for (statement, signature) in statements {
            next.grow(statement, signature).map_err(|error| Fault::Refused(error.to_string()))?;
        }
        self.keep(next)
    }

    /// Takes checkpoints that are to be signed. On the disk when this returns.
    ///
    /// # Errors
    /// [`Fault`]; then they may not be signed.
    pub(super) fn claim(&mut self, roots: &[Root]) -> Result<(), Fault> {
        let mut next = self.signed.clone();
        for root in roots {
            next.claim(root).map_err(|error| Fault::Refused(error.to_string()))?;
        }
        self.keep(next)
    }

    /// What could not be written is not taken: it is asked for again.
    fn keep(&mut self, next: SignedTree) -> Result<(), Fault> {
        if next != self.signed {
            keep(&self.path, &next).map_err(|error| Fault::Failed(error.to_string()))?;
            self.signed = next;
        }
        Ok(())
    }
}

fn keep(path: &Path, signed: &SignedTree) -> Result<(), PrivateError> {
    private::replace(path, serde_json::to_string(signed).unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::signed_tree::tests::{checkpoint, root, signed};

    #[test]
    fn what_was_signed_and_claimed_is_there_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let log = "GE".parse().unwrap();
        assert!(Tree::open(dir.path(), log).unwrap().is_none());
        Tree::begin(dir.path(), log, &SignedTree::default()).unwrap();
        let all = signed(0..5);
        let mut tree = Tree::open(dir.path(), log).unwrap().unwrap();
        tree.grow(&all[..4]).unwrap();
        tree.claim(&[checkpoint(4, root(&all[..4]), 5)]).unwrap();
        let mut again = Tree::open(dir.path(), log).unwrap().unwrap();
        assert_eq!(again.signed(), tree.signed());
        assert!(matches!(again.claim(&[checkpoint(4, root(&all[..4]), 6)]), Err(Fault::Refused(_))));
        // All of a group, or nothing.
        assert!(again.claim(&[checkpoint(4, root(&all[..4]), 5), checkpoint(4, root(&all[..3]), 5)]).is_err());
        let file = dir.path().join("tree-GE.json");
        for spoilt in ["", "{"] {
            private::replace(&file, spoilt.as_bytes()).unwrap();
            assert!(matches!(Tree::open(dir.path(), log), Err(TreeError::Damaged(_))), "{spoilt}");
        }
    }

    #[test]
    fn what_could_not_be_written_down_does_not_go_out_and_is_asked_for_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("signer");
        private::create_folder(&folder).unwrap();
        let log = "GE".parse().unwrap();
        Tree::begin(&folder, log, &SignedTree::default()).unwrap();
        let mut tree = Tree::open(&folder, log).unwrap().unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let all = signed(0..2);
        assert!(matches!(tree.grow(&all), Err(Fault::Failed(_))));
        assert!(matches!(tree.claim(&[checkpoint(2, root(&all), 5)]), Err(Fault::Refused(_))), "it is not signed");
        private::create_folder(&folder).unwrap();
        tree.grow(&all).unwrap();
        tree.claim(&[checkpoint(2, root(&all), 5)]).unwrap();
    }
}
