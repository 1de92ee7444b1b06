//! Signatures that this thread has made itself or has found good: a simulated federation has one process for all its members, and most of
//! its time would go into checking what it has just signed. A remembered signature is good by definition; all others are
//! checked as ever. Only with the feature `simulate`, and only in a thread that asks for it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::encoding::hash::{Digest, sha256_of};

/// Signatures remembered at most: a bound on memory; past it all are forgotten.
const KNOWN_MAX: usize = 1 << 16;

thread_local! {
    static KNOWN: RefCell<Option<BTreeSet<Digest>>> = const { RefCell::new(None) };
}

/// From now on this thread remembers what it signs and what it finds good, or not. What it remembered is forgotten.
pub fn remember(yes: bool) {
    KNOWN.with_borrow_mut(|known| *known = yes.then(BTreeSet::new));
}

pub(super) fn note(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) {
    KNOWN.with_borrow_mut(|known| {
        let Some(known) = known else { return };
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(sha256_of(&[key, signature, message]));
    });
}

pub(super) fn holds(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    KNOWN
        .with_borrow(|known| known.as_ref().is_some_and(|known| known.contains(&sha256_of(&[key, signature, message]))))
}
