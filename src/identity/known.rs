//! What this thread has signed, sealed, or found good itself: a simulated federation has one process for all its members, and most of its
//! time would go into checking and opening what it has just made. A remembered signature or key is good by definition, and a remembered slot
//! opens to what was sealed in it; all others are computed as ever. Only with the feature `simulate`, and only in a thread that asks for it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::VerifyingKey;

use crate::encoding::hash::{Digest, Kid, sha256_of};

/// Signatures, and slots, remembered at most: a bound on memory; past it all are forgotten.
const KNOWN_MAX: usize = 1 << 16;

#[derive(Debug, Default)]
struct Known {
    signatures: BTreeSet<Digest>,
    /// Public keys that were found canonical and strong, by their encodings.
    keys: BTreeMap<[u8; 32], VerifyingKey>,
    /// What was sealed, by the key to which it was, its context and the sealed bytes.
    sealed: BTreeMap<Digest, [u8; 32]>,
    /// The ids of seal keys by their seeds: to compute one costs a key generation.
    kids: BTreeMap<[u8; 32], Kid>,
}

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
}

/// From now on this thread remembers, or not. What it remembered is forgotten.
pub fn remember(yes: bool) {
    KNOWN.with_borrow_mut(|known| *known = yes.then(Known::default));
}

pub(super) fn note(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) {
    KNOWN.with_borrow_mut(|known| {
        let Some(known) = known else { return };
        if known.signatures.len() >= KNOWN_MAX {
            known.signatures.clear();
        }
        known.signatures.insert(sha256_of(&[key, signature, message]));
    });
}

pub(super) fn holds(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let is_known = |known: &Known| known.signatures.contains(&sha256_of(&[key, signature, message]));
    KNOWN.with_borrow(|known| known.as_ref().is_some_and(is_known))
}

/// A public key was checked.
pub(super) fn note_key(key: &VerifyingKey) {
    KNOWN.with_borrow_mut(|known| {
        let Some(known) = known else { return };
        if known.keys.len() >= KNOWN_MAX {
            known.keys.clear();
        }
        known.keys.insert(*key.as_bytes(), *key);
    });
}

/// The public key with this encoding, if this thread has checked it.
pub(super) fn key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    KNOWN.with_borrow(|known| known.as_ref()?.keys.get(bytes).copied())
}

/// A secret was sealed to a key, or opened with it. `info` says in which context.
pub(crate) fn note_sealed(kid: impl FnOnce() -> Kid, info: &[u8], sealed: [&[u8]; 2], content: &[u8; 32]) {
    KNOWN.with_borrow_mut(|known| {
        let Some(known) = known else { return };
        if known.sealed.len() >= KNOWN_MAX {
            known.sealed.clear();
        }
        known.sealed.insert(sealed_id(kid(), info, sealed), *content);
    });
}

/// What was sealed to the key of `seed`, if this thread has sealed or opened it.
pub(crate) fn sealed_in(
    seed: &[u8; 32],
    kid: impl FnOnce() -> Kid,
    info: &[u8],
    sealed: [&[u8]; 2],
) -> Option<[u8; 32]> {
    KNOWN.with_borrow_mut(|known| {
        let known = known.as_mut()?;
        if known.kids.len() >= KNOWN_MAX {
            known.kids.clear();
        }
        let kid = *known.kids.entry(*seed).or_insert_with(kid);
        known.sealed.get(&sealed_id(kid, info, sealed)).copied()
    })
}

fn sealed_id(kid: Kid, info: &[u8], [encapsulated, ciphertext]: [&[u8]; 2]) -> Digest {
    sha256_of(&[&kid.0, encapsulated, ciphertext, info])
}
