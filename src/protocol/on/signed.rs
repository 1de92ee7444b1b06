//! The signer answered: to the author's part, or to the witness.

use crate::ledger::{Store, StoreError};
use crate::protocol::{Node, Turn};

pub(super) fn signed<S: Store>(
    node: &mut Node<S>,
    turn: &Turn,
    id: u64,
    signatures: &[[u8; 64]],
) -> Result<(), StoreError> {
    if !node.finish_signing(turn, id, signatures)? {
        node.finish_cosignature(turn, id, signatures.first().copied())?;
    }
    Ok(())
}

pub(super) fn not_signed<S: Store>(node: &mut Node<S>, turn: &Turn, id: u64, reason: &str) -> Result<(), StoreError> {
    if !node.fail_signing(id, reason) {
        node.finish_cosignature(turn, id, None)?;
    }
    Ok(())
}
