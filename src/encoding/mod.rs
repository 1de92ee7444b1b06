//! What fixes the bytes: deterministic CBOR, COSE envelopes, hashes, Merkle trees, and the names that stand in signed objects.
//!
//! Everything that is signed, hashed or sent between nodes is built from these parts, and each part follows a published
//! standard, so that people with other tools can check us. Nothing here knows what a record means, who a member is,
//! or where bytes are kept.
//!
//! Start with [`cbor`] (one strict codec for everything), then [`cose`] (how it is signed), then [`merkle`] (how it is proved).

#![allow(clippy::wildcard_enum_match_arm, reason = "a decoder wants one kind of value and refuses all others alike")]

pub mod cbor;
pub mod cose;
pub mod hash;
pub mod ids;
pub mod merkle;
pub mod random;
pub mod time;
