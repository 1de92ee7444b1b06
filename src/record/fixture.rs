//! A record for the tests of other modules.

use super::{Context, Draft, Record, Strictness};
use crate::encoding::hash::sha256;
use crate::encoding::time::UnixTime;

/// An export notification from Georgia, number `number` of its kind, made at `now`.
pub(crate) fn notification(destination: &str, number: usize, now: UnixTime) -> Record {
    let draft: Draft = serde_json::from_value(serde_json::json!({
        "kind": "export-notification",
        "export_country": "GE",
        "destination": destination,
        "ucr": format!("7GE123456789-{number}"),
        "exporter": { "name": "Synthetic Exports LLC", "country": "GE" },
        "consignee": { "name": "Canary Consignee SA", "country": destination },
        "goods": [{ "line": 1, "substance": "ammonium-nitrate", "hs6": "310230", "description": "Ammonium nitrate",
                    "net_mass_g": 25_000_000 }],
        "source_digest": sha256(format!("{destination} {number}").as_bytes()).to_string(),
    }))
    .expect("a draft in JSON");
    let author = Some("GE".parse().expect("a member code"));
    let context = Context { strictness: Strictness::Own, author, now, foreign_exports: false };
    draft.check(&context).unwrap_or_else(|refused| panic!("{:?}", refused.errors)).record
}
