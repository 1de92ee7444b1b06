//! Records for the tests of other modules and for the simulator.

use super::{Context, Draft, Record, Strictness};
use crate::encoding::hash::sha256;
use crate::encoding::ids::{MemberCode, RecordId};
use crate::encoding::time::UnixTime;

/// What stands in every sealed record made here, and nowhere else: who finds it outside the audience has found a leak.
pub const CANARY: &str = "Canary Consignee";

/// An export notification from Georgia, number `number` of its kind, made at `now`.
///
/// # Panics
/// If `destination` is not two capital letters.
#[must_use]
pub fn notification(destination: &str, number: usize, now: UnixTime) -> Record {
    notification_from("GE".parse().expect("a member code"), destination, number, now)
}

/// An export notification from any country.
///
/// # Panics
/// If `destination` is not two capital letters.
#[must_use]
pub fn notification_from(author: MemberCode, destination: &str, number: usize, now: UnixTime) -> Record {
    let draft: Draft = serde_json::from_value(serde_json::json!({
        "kind": "export-notification",
        "export_country": author,
        "destination": destination,
        "ucr": format!("7{author}123456789-{number}"),
        "exporter": { "name": "Synthetic Exports LLC", "country": author },
        "consignee": { "name": format!("{CANARY} SA"), "country": destination },
        "goods": [{ "line": 1, "substance": "ammonium-nitrate", "hs6": "310230", "description": "Ammonium nitrate",
                    "net_mass_g": 25_000_000 }],
        "source_digest": sha256(format!("{author} {destination} {number}").as_bytes()).to_string(),
    }))
    .expect("a draft in JSON");
    let context = Context { strictness: Strictness::Own, author: Some(author), now, foreign_exports: false };
    draft.check(&context).unwrap_or_else(|refused| panic!("{:?}", refused.errors)).record
}

/// An order of `author` to erase one of its records.
///
/// # Panics
/// Never: the draft is sound.
#[must_use]
pub fn erasure_from(author: MemberCode, erases: RecordId, now: UnixTime) -> Record {
    let draft: Draft = serde_json::from_value(serde_json::json!({
        "kind": "erasure",
        "erases": [erases],
        "legal_basis": format!("{CANARY} asked for it"),
    }))
    .expect("a draft in JSON");
    let context = Context { strictness: Strictness::Own, author: Some(author), now, foreign_exports: false };
    draft.check(&context).unwrap_or_else(|refused| panic!("{:?}", refused.errors)).record
}

/// A grant of what `author` has logged of a consignment.
///
/// # Panics
/// Never: the draft is sound.
#[must_use]
pub fn grant_from(author: MemberCode, consignment: RecordId, reader: MemberCode, now: UnixTime) -> Record {
    let draft: Draft = serde_json::from_value(serde_json::json!({
        "kind": "audience-grant",
        "consignment": consignment,
        "new_readers": [reader],
        "compartments": ["summary", "transport", "trade", "parties"],
        "reason": format!("{CANARY} asked for it"),
    }))
    .expect("a draft in JSON");
    let context = Context { strictness: Strictness::Own, author: Some(author), now, foreign_exports: false };
    draft.check(&context).unwrap_or_else(|refused| panic!("{:?}", refused.errors)).record
}
